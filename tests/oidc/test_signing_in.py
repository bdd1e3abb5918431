"""Who comes by another service: what is asked of it, what is kept, what is refused."""

from __future__ import annotations

import time
from dataclasses import replace

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.serializers import serialize
from django.urls import reverse

from assessments.models import Event
from assessments.staff import attempts, sessions
from tests.staff.conftest import PASSWORD, add_app, browser, digits, sign_in, type_digits
from tests.staff.conftest import trainer as trainer

pytestmark = pytest.mark.django_db
INDEX = reverse("admin:index")


@pytest.fixture
def linked(trainer):
    SocialAccount.objects.create(user=trainer, provider="oidc", uid="f:550e8400:ANS20231122")
    return trainer


def come_by(service, client, **query):
    """Off to the service, and back with what it gives."""
    off = client.get(reverse("openid_connect_login"), query)
    assert off.status_code == 302, off.text
    return client.get(service.consent(off.url))


def test_who_is_linked_gets_in(service, linked):
    client = browser()
    page = client.get(reverse("account_login"))
    assert "Sign in with Pro Santé Connect" in page.text
    there = reverse("admin:assessments_cohort_changelist")
    assert come_by(service, client, next=there).url == there
    assert client.get(there).status_code == 200
    (asked,) = service.asked
    assert set(asked["scope"].split()) == {"openid", "scope_all"}
    assert asked["acr_values"] == "eidas1"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/staff/sign-in/service/back/"
    assert len(asked["nonce"]) > 30
    assert service.others == []  # no user info
    assert Event.objects.get().action == "signed-in"


def test_the_visitor_changes_nothing_of_what_is_asked(service, linked):
    client = browser()
    mine = {"auth_params": "acr_values=low&nonce=mine", "scope": "email", "process": "connect"}
    assert come_by(service, client, **mine).url == INDEX
    (asked,) = service.asked
    assert asked["acr_values"] == "eidas1"
    assert asked["nonce"] != "mine"
    assert "email" not in asked["scope"]


@pytest.mark.parametrize("from_where", ["cross-site", "same-site"])
def test_a_page_elsewhere_signs_nobody_in(service, linked, from_where):
    """Nobody is signed in without having pressed anything here."""
    client = browser()
    there = reverse("openid_connect_login")
    off = client.get(there, headers={"sec-fetch-site": from_where})
    assert off.url == reverse("account_login")
    for pressed in ("same-origin", "none"):
        off = client.get(there, headers={"sec-fetch-site": pressed})
        assert off.url.startswith(f"{service.issuer}/auth?")


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example", "http://localhost/"])
def test_one_is_led_nowhere_else(service, linked, there):
    assert come_by(service, browser(), next=there).url == INDEX


def test_the_level_told_is_a_second_factor(service, linked, settings):
    settings.SECOND_FACTOR = "required"
    client = browser()
    come_by(service, client)
    assert client.get(INDEX).status_code == 200
    settings.OIDC_ACR_VALUES = ()  # a service that tells of no level is a password's worth
    client = browser()
    come_by(service, client)
    assert client.get(INDEX).status_code == 302


def test_ones_own_second_factor_is_asked_all_the_same(service, linked):
    seed = add_app(linked)
    client = browser()
    assert come_by(service, client).url == reverse("mfa_authenticate")
    assert client.get(INDEX).status_code == 302
    type_digits(client, digits(seed))
    assert client.get(INDEX).status_code == 200


def test_who_is_unknown_gets_nothing_and_leaves_nothing(service, trainer):
    client = browser()
    answer = come_by(service, client)
    assert answer.status_code == 403
    assert "no account here is linked to you" in answer.text
    assert client.get(INDEX).status_code == 302
    assert get_user_model().objects.count() == 1
    kept = "".join(
        serialize("json", model.objects.all())
        for model in apps.get_models()
        if model._meta.app_label not in ("contenttypes", "sessions")
    ) + str(dict(client.session))
    for told in ("Anne", "Martin", "anne.martin", "899700218896", "ANS2023", "opaque-access"):
        assert told not in kept


def test_a_same_address_or_name_links_nobody(service, trainer):
    trainer.username, trainer.email = "899700218896", "anne.martin@example.org"
    trainer.save()
    assert come_by(service, browser()).status_code == 403
    assert not SocialAccount.objects.exists()


def test_who_is_deactivated_stays_out(service, linked):
    get_user_model().objects.update(is_active=False)
    client = browser()
    page = client.get(come_by(service, client).url)
    assert "not active" in page.text
    assert client.get(INDEX).status_code == 302


# --- Linking -------------------------------------------------------------------------------------


def link(client):
    return client.post(reverse("staff_oidc_link"))


def test_one_links_while_signed_in_and_only_an_identifier_is_kept(service, trainer):
    client = browser()
    sign_in(client, "trainer")
    page = link(client)
    assert page.status_code == 200
    there = page.context["there"]
    client.get(service.consent(there))
    kept = SocialAccount.objects.get()
    assert (kept.user, kept.provider, kept.uid) == (trainer, "oidc", service.sub)
    assert kept.extra_data == {}
    assert not SocialToken.objects.exists()
    trainer.refresh_from_db()
    assert (trainer.first_name, trainer.email) == ("", "")
    assert come_by(service, browser()).url == INDEX
    client.post(reverse("staff_oidc_unlink"))
    assert not SocialAccount.objects.exists()
    assert come_by(service, browser()).status_code == 403
    assert set(Event.objects.values_list("action", flat=True)) == {
        "signed-in",
        "identity-linked",
        "identity-unlinked",
        "identity-refused",
    }


def test_linking_is_asked_for_by_a_form_of_ones_own(service, trainer):
    assert link(browser()).status_code == 302  # to the sign-in page
    client = browser()
    sign_in(client, "trainer")
    assert client.get(reverse("staff_oidc_link")).status_code == 405
    strict = type(client)(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert link(strict).status_code == 403


def test_linking_an_hour_later_asks_who_one_is(service, trainer, monkeypatch):
    client = browser()
    sign_in(client, "trainer")
    monkeypatch.setattr(sessions, "age", lambda request: 3600)
    assert link(client).url.startswith(reverse("account_reauthenticate"))


def test_an_identity_is_one_persons(service, linked):
    other = get_user_model().objects.create_user("other", password=PASSWORD)
    client = browser()
    sign_in(client, "other")
    client.get(service.consent(link(client).context["there"]))
    assert SocialAccount.objects.get().user == linked
    assert other.socialaccount_set.count() == 0


def test_the_only_way_in_is_not_unlinked(service, linked):
    linked.set_unusable_password()
    linked.save()
    client = browser()
    come_by(service, client)
    assert client.post(reverse("staff_oidc_unlink")).status_code == 403
    assert SocialAccount.objects.exists()


# --- Forgeries -----------------------------------------------------------------------------------


def tampered(service):
    """Another's claims under the signature of this token."""

    def sign(claims):
        head, _body, signature = service.signed({**claims, "sub": "somebody"}).split(".")
        body = service.signed(claims).split(".")[1]
        return f"{head}.{body}.{signature}"

    service.sign = sign


FORGERS = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def another_key(service):
    service.sign = lambda claims: jwt.encode(claims, FORGERS, "RS256", headers={"kid": "k1"})


def unknown_key(service):
    service.sign = lambda claims: jwt.encode(claims, FORGERS, "RS256", headers={"kid": "k2"})


def unsigned(service):
    service.sign = lambda claims: jwt.encode(claims, None, "none", headers={"kid": "k1"})


def signed_by_what_is_public(service):
    """The public key taken for a shared secret."""

    def sign(claims):
        secret = service.jwk("k1")["n"].encode()
        return jwt.encode(claims, secret, "HS256", headers={"kid": "k1"})

    service.sign = sign


def signed_by_our_secret(service):
    secret = service.secret.encode() * 2
    service.sign = lambda claims: jwt.encode(claims, secret, "HS256", headers={"kid": "k1"})


def no_token(service):
    service.sign = lambda claims: ""


def no_jwt(service):
    service.sign = lambda claims: "a.b.c"


def changed(**claims):
    def cheat(service):
        service.cheat = lambda told: {
            name: value for name, value in {**told, **claims}.items() if value is not None
        }

    cheat.__name__ = "-".join(f"{name}={value}" for name, value in claims.items())
    return cheat


FORGED = [
    tampered,
    another_key,
    unknown_key,
    unsigned,
    signed_by_what_is_public,
    signed_by_our_secret,
    no_token,
    no_jwt,
    changed(aud="another"),
    changed(aud=None),
    changed(azp="another"),
    changed(iss="https://evil.example"),
    changed(iss=None),
    changed(exp=int(time.time()) - 60),
    changed(exp=None),
    changed(iat=int(time.time()) + 3600),
    changed(nonce="another"),
    changed(nonce=None),
    changed(acr="eidas0"),
    changed(acr=None),
    changed(sub=None),
    changed(sub=""),
]


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_a_token_that_does_not_hold_lets_nobody_in(service, linked, forge):
    client = browser()
    assert come_by(service, client).url == INDEX  # as it should be, before
    client = browser()
    forge(service)
    answer = come_by(service, client)
    assert answer.status_code == 403
    assert "could not be accepted" in answer.text
    assert client.get(INDEX).status_code == 302
    assert Event.objects.first().action == "identity-refused"


def test_a_token_for_several_says_that_it_was_made_for_us(service, linked):
    service.cheat = lambda told: told | {"aud": [service.client_id, "another"]}
    assert come_by(service, browser()).url == INDEX
    service.cheat = lambda told: told | {"aud": [service.client_id, "another"], "azp": None}
    assert come_by(service, browser()).status_code == 403


def test_whoever_comes_back_with_nothing_fills_no_journal(service, monkeypatch):
    monkeypatch.setattr(attempts, "REFUSED", replace(attempts.REFUSED, most=2))
    for _ in range(5):
        answer = browser().get(reverse("openid_connect_callback"), {"code": "1", "state": "2"})
        assert answer.status_code == 403
    assert Event.objects.count() == 2


def test_an_answer_is_taken_once(service, linked):
    client = browser()
    off = client.get(reverse("openid_connect_login"))
    back = service.consent(off.url)
    service.codes["code0 again"] = dict(service.codes["code0"])
    assert client.get(back).url == INDEX
    client.post(reverse("admin:logout"))
    again = back.replace("code=code0", "code=code0+again")
    assert client.get(again).status_code == 403


def test_an_answer_to_another_browser_is_refused(service, linked):
    """Nobody is signed in to somebody else's account by a link they are sent."""
    mine = browser()
    back = service.consent(mine.get(reverse("openid_connect_login")).url)
    theirs = browser()
    assert theirs.get(back).status_code == 403
    assert theirs.get(INDEX).status_code == 302


@pytest.mark.parametrize(
    "query", ["", "?error=access_denied", "?state=x&code=y", "?error=x&state=%00"]
)
def test_what_comes_back_without_having_gone_is_refused(service, query):
    answer = browser().get(reverse("openid_connect_callback") + query)
    assert answer.status_code == 403


def test_who_gives_up_there_may_try_again(service, linked):
    client = browser()
    service.consent(client.get(reverse("openid_connect_login")).url)
    state = service.asked[0]["state"]
    gave_up = {"error": "access_denied", "state": state}
    assert client.get(reverse("openid_connect_callback"), gave_up).status_code == 403
    assert come_by(service, client).url == INDEX


def test_a_service_that_does_not_answer_is_said(linked):
    answer = browser().get(reverse("openid_connect_login"))
    assert answer.status_code == 403
    assert "could not be accepted" in answer.text


@pytest.mark.parametrize("name", ["https://evil.example", "", None])
def test_a_service_that_calls_itself_by_another_name_is_refused(service, linked, monkeypatch, name):
    real = type(service).get

    def get(self, path):
        status, told = real(self, path)
        return status, {**told, "issuer": name} if "issuer" in told else told

    monkeypatch.setattr(type(service), "get", get)
    assert browser().get(reverse("openid_connect_login")).status_code == 403
    assert service.asked == []


def test_the_service_leads_nowhere_else(service, linked, monkeypatch):
    """A key is not fetched from where the service redirects to."""
    client = browser()
    monkeypatch.setattr(
        type(service), "get", lambda self, path: (302, {}) if "certs" in path else (404, {})
    )
    assert client.get(reverse("openid_connect_login")).status_code == 403
