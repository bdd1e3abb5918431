"""The second factor: who must have one, what opens before, and that it is used once."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.urls import URLPattern, URLResolver, reverse

from assessments.models import Event
from assessments.staff import adapters, recovery, sessions

from .conftest import add_app, browser, digits, sign_in, type_digits

pytestmark = pytest.mark.django_db
INDEX = "/admin/"


def every(patterns, prefix: str = "/admin/"):
    """Every address of the admin, with a number or a word where something is named."""
    for each in patterns:
        route = str(each.pattern)
        if isinstance(each, URLResolver):
            yield from every(each.url_patterns, prefix + route)
        elif isinstance(each, URLPattern):
            filled = "".join("1" if "<" in part or "(" in part else part for part in _parts(route))
            yield prefix + filled.strip("^$")


def _parts(route: str) -> list[str]:
    parts, deep, word = [], 0, ""
    for sign in route:
        if sign in "<(":
            if not deep:
                parts.append(word)
                word = ""
            deep += 1
        word += sign
        if sign in ">)":
            deep -= 1
            if not deep:
                parts.append(word)
                word = ""
    return [*parts, word]


ADDRESSES = sorted(set(every(admin.site.get_urls())))
OPEN = {"/admin/login/", "/admin/logout/"}


def test_the_walk_finds_the_addresses():
    assert len(ADDRESSES) > 60
    assert set(ADDRESSES) > OPEN
    assert reverse("admin:assessments_event_changelist") in ADDRESSES
    assert reverse("admin:assessments_cohort_close", args=(1, 1)) in ADDRESSES


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_of_the_admin_is_served_before_enrolling(superuser, settings, method):
    settings.SECOND_FACTOR = "required"
    client = browser()
    sign_in(client, "chief")
    for address in ADDRESSES:
        if address in OPEN:
            continue
        answer = getattr(client, method)(address)
        if address.startswith("/admin/r/"):
            assert answer.status_code == 404, address  # nobody has this page of Django's
            continue
        assert (answer.status_code, answer.url.split("?")[0]) == (302, "/admin/login/"), address
    led = client.get("/admin/login/?next=/admin/auth/user/")
    assert led.url == "/staff/security/?next=%2Fadmin%2Fauth%2Fuser%2F"
    page = client.get(led.url)
    assert "One step is missing" in page.text
    assert 'id="user-tools"' not in page.text


def test_without_one_the_same_walk_is_let_in(superuser, settings):
    """The control of the test above: it is the second factor that stopped it."""
    settings.SECOND_FACTOR = "optional"
    client = browser()
    sign_in(client, "chief")
    assert client.get(INDEX).status_code == 200


@pytest.mark.parametrize(
    ("who", "mode", "https", "led"),
    [
        ("trainer", "required", True, True),
        ("trainer", "required", False, True),
        ("trainer", "optional", True, False),
        ("trainer", "optional", False, False),
        ("operator", "optional", True, True),
        ("operator", "optional", False, False),
        ("chief", "optional", True, True),
    ],
)
def test_who_must_have_one(trainer, operator, superuser, settings, who, mode, https, led):
    settings.SECOND_FACTOR, settings.HTTPS = mode, https
    client = browser()
    sign_in(client, who)
    assert client.get(INDEX).status_code == (302 if led else 200)


@pytest.mark.django_db(transaction=True)
def test_enrolling_an_app_opens_the_door_and_shows_codes_once(trainer, settings):
    settings.SECOND_FACTOR = "required"
    client = browser()
    sign_in(client, "trainer")
    page = client.get(reverse("mfa_activate_totp"))
    seed = page.context["form"].secret
    assert seed in page.text
    codes = client.post(reverse("mfa_activate_totp"), {"code": digits(seed)}, follow=True)
    assert codes.request["PATH_INFO"] == reverse("mfa_view_recovery_codes")
    shown = re.findall(r"<code>(\d{10})</code>", codes.text)
    assert len(set(shown)) == 10
    assert shown[0] not in client.get(reverse("mfa_view_recovery_codes")).text
    assert client.get(INDEX).status_code == 200
    lines = list(Event.objects.filter(action="factor-added").values_list("subject", flat=True))
    assert sorted(lines) == ["trainer – recovery_codes", "trainer – totp"]


def test_an_app_that_is_confirmed_twice_at_once_is_added_once(trainer, monkeypatch):
    def taken(*_given, **_more):
        raise IntegrityError("unique_authenticator_type")

    client = browser()
    sign_in(client, "trainer")
    seed = client.get(reverse("mfa_activate_totp")).context["form"].secret
    monkeypatch.setattr(totp.TOTP, "activate", taken)
    sent = client.post(reverse("mfa_activate_totp"), {"code": digits(seed)})
    assert sent.url == reverse("mfa_index")


def test_a_password_alone_no_longer_lets_in(trainer):
    seed = add_app(trainer)
    client = browser()
    assert sign_in(client, "trainer", next="/admin/assessments/").url == reverse("mfa_authenticate")
    assert client.get(INDEX).status_code == 302
    assert client.get(reverse("mfa_authenticate")).status_code == 200
    assert type_digits(client, digits(seed)).url == "/admin/assessments/"
    assert client.get(INDEX).status_code == 200


def test_a_session_opened_before_the_factor_must_show_it(trainer):
    before, client = browser(), browser()
    sign_in(before, "trainer")
    assert before.get(INDEX).status_code == 200
    seed = add_app(trainer)
    assert before.get(INDEX).status_code == 302
    led = before.get("/admin/login/?next=/admin/").url
    assert led == "/staff/confirm/code/?next=%2Fadmin%2F"
    for name in ("mfa_add_webauthn", "mfa_generate_recovery_codes"):  # nor makes itself another
        assert before.get(reverse(name)).url.startswith("/staff/confirm/code/")
    assert before.post(led, {"code": digits(seed)}).url == INDEX
    assert before.get(INDEX).status_code == 200
    assert client.get(INDEX).status_code == 302


def test_a_code_opens_once_whatever_process_takes_it(trainer):
    """Twice at the same moment: the mark that a code was used is one row of the database."""
    seed = add_app(trainer)
    code = digits(seed)
    clients = [browser(), browser()]
    for client in clients:
        sign_in(client, "trainer")
    assert [type_digits(client, code).status_code for client in clients] == [302, 200]
    assert [client.get(INDEX).status_code for client in clients] == [200, 302]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM readiness_cache WHERE cache_key LIKE '%totp.used%'")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(("steps", "status"), [(-2, 200), (-1, 302), (0, 302), (1, 302), (2, 200)])
def test_a_clock_may_be_half_a_minute_off(trainer, steps, status, monkeypatch):
    monkeypatch.setattr("time.time", lambda now=1_800_000_015.0: now)
    seed = add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    assert type_digits(client, digits(seed, steps)).status_code == status


def test_a_recovery_code_opens_once(trainer):
    add_app(trainer)
    _row, (code, *_others) = recovery.make(trainer)
    answers = []
    for _time in range(2):
        client = browser()
        sign_in(client, "trainer")
        answers.append(type_digits(client, code).status_code)
    assert answers == [302, 200]


def test_recovery_codes_lie_hashed_with_a_salt(trainer, rounds, monkeypatch):
    """ASVS v5.0.0-6.5.2: ten digits are less than 112 bits."""
    monkeypatch.setattr(recovery, "ROUNDS", rounds)
    add_app(trainer)
    row, made = recovery.make(trainer)
    again, _made = recovery.make(trainer)
    kept = json.dumps(row.data)
    assert not [code for code in made if code in kept]
    assert len(bytes.fromhex(row.data["salt"])) == 16
    assert row.data["salt"] != again.data["salt"]
    assert set(row.data) == {"salt", "hashes", "migrated_codes"}
    assert row.data["hashes"][0] == (
        hashlib.pbkdf2_hmac(
            "sha512", made[0].encode(), bytes.fromhex(row.data["salt"]), 210_000
        ).hex()
    )


def test_until_they_are_shown_codes_lie_encrypted_in_the_session(trainer):
    seed = add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    type_digits(client, digits(seed))
    client.post(reverse("mfa_generate_recovery_codes"))
    kept = client.session[recovery.KEPT]
    (row,) = Authenticator.objects.filter(type="recovery_codes")
    page = client.get(reverse("mfa_view_recovery_codes")).text
    code = re.findall(r"<code>(\d{10})</code>", page)[0]
    assert code not in kept
    assert recovery.KEPT not in client.session
    assert recovery.spend(trainer, f"{code[:5]} {code[5:]}") == row


def test_new_recovery_codes_void_the_old(trainer):
    add_app(trainer)
    _row, old = recovery.make(trainer)
    _row, new = recovery.make(trainer)
    assert recovery.spend(trainer, old[0]) is None
    assert recovery.spend(trainer, new[0])
    assert recovery.left(trainer) == 9


def test_nobody_enters_by_the_code_of_another(trainer, operator):
    for user in (trainer, operator):
        add_app(user)
    _row, theirs = recovery.make(operator)
    recovery.make(trainer)
    client = browser()
    sign_in(client, "trainer")
    assert type_digits(client, theirs[0]).status_code == 200
    assert recovery.left(operator) == 10


def test_a_recovery_code_adds_no_app(trainer):
    add_app(trainer)
    _row, made = recovery.make(trainer)
    Authenticator.objects.filter(type="totp").delete()
    client = browser()
    sign_in(client, "trainer")
    assert client.post(reverse("mfa_activate_totp"), {"code": made[0]}).status_code == 200
    assert not Authenticator.objects.filter(type="totp").exists()


def test_seeds_lie_encrypted(trainer):
    seed = add_app(trainer)
    kept = Authenticator.objects.get().data["secret"]
    assert seed not in kept
    adapter = adapters.SecondFactorAdapter()
    assert adapter.decrypt(kept) == seed
    assert adapter.encrypt(seed) != kept
    altered = bytearray(base64.b64decode(kept))
    altered[-1] ^= 1
    with pytest.raises(InvalidTag):
        adapter.decrypt(base64.b64encode(altered).decode())


def test_a_seed_of_another_secret_key_opens_nothing_and_breaks_nothing(trainer, monkeypatch):
    seed = add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    monkeypatch.setattr(adapters, "_cipher", lambda: AESGCM(bytes(32)))
    page = type_digits(client, digits(seed))
    assert page.status_code == 200
    assert "This is not right" in page.text
    assert client.get(INDEX).status_code == 302
    assert Event.objects.first().action == "code-refused"


def test_changing_factors_asks_again_once_the_sign_in_is_old(trainer, monkeypatch):
    client = browser()
    sign_in(client, "trainer")
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    monkeypatch.setattr(sessions, "age", lambda request: 3600)
    pages = ["mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"]
    for name in pages:
        assert client.get(reverse(name)).url.startswith(reverse("account_reauthenticate")), name
    seed = add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    type_digits(client, digits(seed))
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer.url.startswith(reverse("mfa_reauthenticate"))
    # A password alone does not take a second factor away.
    answer = client.get(reverse("account_reauthenticate"))
    assert answer.url.startswith(reverse("mfa_reauthenticate"))
    assert Authenticator.objects.filter(type="totp").exists()


def test_confirming_who_one_is_makes_the_session_another(trainer, settings):
    seed = add_app(trainer)
    client, left = browser(), browser()
    sign_in(client, "trainer")
    type_digits(client, digits(seed))
    before = client.session.session_key
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    led = client.get(reverse("mfa_add_webauthn")).url
    assert client.post(led, {"code": digits(seed, 1)}).url == reverse("mfa_add_webauthn")
    assert client.get(INDEX).status_code == 200
    assert client.session.session_key != before
    left.cookies["readiness_session"] = before
    assert left.get(INDEX).status_code == 302


def test_the_last_factor_of_who_must_have_one_stays(trainer, settings):
    settings.SECOND_FACTOR = "required"
    seed = add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    type_digits(client, digits(seed))
    page = client.post(reverse("mfa_deactivate_totp"))
    assert "add another before you remove the last one" in page.text
    assert Authenticator.objects.filter(type="totp").exists()
    settings.SECOND_FACTOR = "optional"
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert not Authenticator.objects.exists()
    assert Event.objects.filter(action="factor-removed").exists()


def test_the_shell_takes_a_lost_factor_away(trainer, capsys):
    add_app(trainer)
    call_command("reset_second_factor", "trainer")
    assert not Authenticator.objects.exists()
    line = Event.objects.get(action="factors-reset")
    assert (line.actor, line.subject) == (None, "trainer")
    with pytest.raises(CommandError, match="no account"):
        call_command("reset_second_factor", "nobody")
