"""Passwords: who gets in, who is told what, how long it lasts."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation

from assessments.models import Event
from assessments.staff import sessions
from tests.admin.markup import read

from .conftest import PASSWORD, browser, sign_in

pytestmark = pytest.mark.django_db


WORK: set[tuple[str, ...]] = set()
"""The kinds of the queries that a refusal takes."""


class Counting(PBKDF2PasswordHasher):
    iterations = 1
    made = 0

    def encode(self, password, salt, iterations=None):
        Counting.made += 1
        return super().encode(password, salt, iterations)


def told() -> list[tuple[str, str]]:
    return list(Event.objects.order_by("pk").values_list("action", "subject"))


def test_one_gets_where_one_was_going(trainer):
    client = browser()
    there = reverse("admin:assessments_cohort_changelist")
    page = client.get(there, follow=True)
    assert page.request["PATH_INFO"] == reverse("account_login")
    assert f'name="next" value="{there}"' in page.text
    assert sign_in(client, "trainer", next=there).url == there
    assert client.get(there).status_code == 200
    assert told() == [("signed-in", "trainer")]


@pytest.mark.parametrize(
    "there", ["https://evil.example/", "//evil.example/", "http://localhost/admin/", "javascript:1"]
)
def test_one_is_led_nowhere_else(trainer, there):
    assert sign_in(browser(), "trainer", next=there).url == reverse("admin:index")
    page = browser().get(reverse("admin:login"), {"next": there})
    assert page.url == f"{reverse('account_login')}?next=%2Fadmin%2F"


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_stock_form_lets_nobody_in(trainer, method):
    client = browser()
    sent = {"username": "trainer", "password": PASSWORD, "login": "trainer"}
    answer = getattr(client, method)(reverse("admin:login"), sent)
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))
    assert client.get(reverse("admin:index")).status_code == 302
    assert told() == []


def test_no_password_in_a_header_lets_in(trainer):
    basic = {"authorization": "Basic dHJhaW5lcjpjb3JyZWN0IGhvcnNlIGJhdHRlcnkgc3RhcGxl"}
    assert browser().get(reverse("admin:index"), headers=basic).status_code == 302


def test_unknown_wrong_and_deactivated_are_told_the_same(trainer):
    get_user_model().objects.create_user("gone", password=PASSWORD, is_active=False)
    said = set()
    for name, password in (("trainer", "x"), ("nobody", "x"), ("gone", PASSWORD)):
        page = sign_in(browser(), name, password)
        assert page.status_code == 200
        said.add(page.text.replace(f'value="{name}"', "").split("csrfmiddlewaretoken")[0])
        assert "The username or the password is wrong" in page.text
    assert len(said) == 1
    assert told() == [
        ("sign-in-refused", "trainer"),
        ("sign-in-refused", "–"),
        ("sign-in-refused", "gone"),
    ]


@pytest.mark.parametrize("name", ["trainer", "nobody", "gone"])
def test_it_is_the_same_work_for_all(trainer, name, settings):
    """As many hashes and as many queries, whoever it is."""
    settings.PASSWORD_HASHERS = ["tests.staff.test_signing_in.Counting"]
    get_user_model().objects.create_user("gone", password=PASSWORD, is_active=False)
    trainer.set_password(PASSWORD)
    trainer.save()
    Counting.made = 0
    with CaptureQueriesContext(connection) as asked:
        sign_in(browser(), name, "wrong")
    assert Counting.made == 1
    WORK.add(tuple(query["sql"].split(" ")[0] for query in asked))
    assert len(WORK) == 1


def test_what_has_no_use_here_has_no_address():
    for name in ("account_signup", "account_email", "account_reset_password", "account_inactive"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_signing_out_ends_it(trainer):
    client = browser()
    sign_in(client, "trainer")
    kept = client.cookies["readiness_session"].value
    assert client.get(reverse("admin:logout")).status_code == 405
    left = client.post(reverse("admin:logout"))
    assert left.url == reverse("account_login")
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    client.cookies["readiness_session"] = kept
    assert client.get(reverse("admin:index")).status_code == 302
    assert told()[-1] == ("signed-out", "trainer")


def test_the_session_is_another_after_signing_in(trainer):
    client = browser()
    client.get(reverse("admin:index"), follow=True)
    client.session["x"] = 1
    before = client.session.session_key
    sign_in(client, "trainer")
    assert client.session.session_key != before


def test_a_session_ends_when_it_is_left_and_after_a_day(trainer):
    index = reverse("admin:index")
    client = browser()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, "trainer")
        for _time in range(
            5
        ):  # each within two hours of the one before, ten hours but five seconds
            clock.shift(sessions.IDLE - timedelta(seconds=1))
            assert client.get(index).status_code == 200
        clock.shift(timedelta(seconds=6))
        page = client.get(index, follow=True)
        assert "Your session has ended" in page.text
        sign_in(client, "trainer")
        clock.shift(sessions.IDLE + timedelta(seconds=1))
        assert client.get(index).status_code == 302


def test_a_deactivated_account_is_out_at_once(trainer):
    client = browser()
    sign_in(client, "trainer")
    get_user_model().objects.update(is_active=False)
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_new_password_ends_the_other_sessions(trainer):
    here, there = browser(), browser()
    sign_in(here, "trainer")
    sign_in(there, "trainer")
    new = "another horse, another battery"
    answer = here.post(
        reverse("admin:password_change"),
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    assert answer.status_code == 302
    assert here.get(reverse("admin:index")).status_code == 200
    assert there.get(reverse("admin:index")).status_code == 302
    assert told()[-1] == ("password-changed", "trainer")


@pytest.mark.parametrize(
    "password",
    [
        "eleven char",
        "administrator",  # long, and of the list of the common
        "trainer-trainer",
        "Readiness-2026!",
        "Formation_Hôpital_75",
        "AI-readiness-2026",
        "formatrice.santé.1",
        "MonteCassel2026!",  # the service’s own name
        "chu-montecassel-fr",
    ],
)
def test_weak_passwords_are_refused(password, settings):
    settings.PUBLIC_ADDRESS = "https://ia.chu-montecassel.example"
    user = get_user_model()(username="trainer-trainer")
    with pytest.raises(ValidationError):
        validate_password(password, user)


@pytest.mark.parametrize(("language", "said"), [("en", "than words of"), ("fr", "que des mots de")])
def test_what_is_wrong_with_words_of_ours_is_said(language, said):
    with translation.override(language), pytest.raises(ValidationError, match=said):
        validate_password("AI-readiness-2026")


def test_host_names_that_are_answered_count_too(settings):
    settings.ALLOWED_HOSTS = ["*", ".formation-nord.example", "[::1]"]
    with pytest.raises(ValidationError):
        validate_password("Nord-Formation-59!")
    validate_password("quelques mots au hasard")


@pytest.mark.parametrize("password", ["zwölf Zeichen", "une formation de demain", "mot " * 32])
def test_long_ones_need_nothing_odd(password):
    validate_password(password)


def test_a_role_is_needed(trainer):
    trainer.groups.clear()
    get_user_model().objects.update(is_staff=False)
    client = browser()
    page = client.post(
        reverse("account_login"), {"login": "trainer", "password": PASSWORD}, follow=True
    )
    assert page.status_code == 403
    assert "has been given no role" in page.text


def test_no_page_of_the_door_is_kept_by_a_cache(trainer):
    client = browser()
    assert "no-store" in client.get(reverse("account_login"))["Cache-Control"]
    sign_in(client, "trainer")
    for name in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn"):
        assert "no-store" in client.get(reverse(name))["Cache-Control"]


def test_no_page_of_the_door_has_a_script_or_a_style_of_its_own(trainer):
    client = browser()
    pages = [client.get(reverse("account_login"))]
    sign_in(client, "trainer")
    names = ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate")
    pages += [client.get(reverse(name)) for name in names]
    for response in pages:
        page = read(response)
        assert (page.styled, page.scripted) == ([], []), response.request["PATH_INFO"]
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert "unsafe" not in response["Content-Security-Policy"]
