"""Where an account is signed in: its person sees it and ends it, and so may an operator."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from assessments import accounts
from assessments.models import Event, StaffSession
from assessments.staff import sessions
from tests.admin.markup import read

from .conftest import PASSWORD, add_app, browser, digits, sign_in, type_digits

pytestmark = pytest.mark.django_db
END = "/staff/security/sessions/end/"
INDEX = "/admin/"


@pytest.fixture
def here(trainer):
    client = browser()
    sign_in(client, "trainer")
    return client


@pytest.fixture
def there(trainer):
    client = browser(address="198.51.100.7")
    client.defaults["HTTP_USER_AGENT"] = "Curious/1.0"
    sign_in(client, "trainer")
    return client


@pytest.fixture
def desk(operator):
    client = browser()
    sign_in(client, "operator")
    return client


def lines() -> list[tuple[str | None, str, str]]:
    kept = Event.objects.exclude(action="signed-in").order_by("pk")
    return list(kept.values_list("actor__username", "action", "subject"))


def is_in(client) -> bool:
    return client.get(INDEX).status_code == 200


def test_one_sees_where_one_is_signed_in_and_nothing_else_is_kept(here, there):
    page = here.get(reverse("mfa_index"))
    assert page.text.count("last used at") == 2
    assert page.text.count("<strong>Here</strong>") == 1
    assert page.text.count("Sign out there") == 1
    assert {field.name for field in StaffSession._meta.fields} == {
        "id",
        "user",
        "began_at",
        "used_at",
    }


def test_one_ends_another_session_at_once(here, there):
    mine = here.session[sessions.KEPT]
    (other,) = StaffSession.objects.exclude(pk=mine)
    assert here.post(END, {"session": other.pk}).url == reverse("mfa_index")
    assert is_in(here)
    assert there.get(INDEX).status_code == 302
    assert "Your session has ended" in there.get(reverse("account_login")).text
    assert lines() == [("trainer", "sessions-ended", "trainer")]


def test_one_ends_all_others(here, there):
    third = browser()
    sign_in(third, "trainer")
    assert "Sign out everywhere else" in here.get(reverse("mfa_index")).text
    here.post(END)
    assert [is_in(each) for each in (here, there, third)] == [True, False, False]
    assert lines() == [("trainer", "sessions-ended", "trainer")]


def test_a_cookie_that_was_copied_opens_nothing_after_it(here, there):
    kept = there.cookies["readiness_session"].value
    here.post(END)
    thief = browser()
    thief.cookies["readiness_session"] = kept
    assert not is_in(thief)


def test_nobody_ends_the_session_of_another_person(here, desk):
    (theirs,) = StaffSession.objects.filter(user__username="operator")
    here.post(END, {"session": theirs.pk})
    here.post(END)
    assert is_in(desk)
    assert lines() == []


@pytest.mark.parametrize("sent", ["", "x", "0" * 32, "1); DROP TABLE"])
def test_what_is_no_session_ends_none(here, there, sent):
    assert here.post(END, {"session": sent}).status_code in (302, 400)
    assert is_in(there)
    assert lines() == []


def test_one_is_asked_once_more_and_it_is_done_then(here, there):
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        asked = here.post(END)
        assert asked.url.startswith(reverse("account_reauthenticate"))
        assert is_in(there)
        here.post(asked.url, {"password": PASSWORD})
        assert not is_in(there)


def test_it_is_a_form_that_is_sent(here, there):
    assert here.get(END).status_code == 405
    assert browser().post(END).url.startswith(reverse("account_login"))
    assert is_in(there)


def test_a_session_before_its_second_factor_ends_none(trainer, there):
    seed = add_app(trainer)
    before = browser()
    sign_in(before, "trainer")
    before.post(END)  # the password alone signs nobody in
    assert StaffSession.objects.count() == 1
    there.post(END)
    type_digits(before, digits(seed))
    asked = there.post(END)  # signed in before the factor was: it is asked for
    assert asked.url.startswith(reverse("mfa_reauthenticate"))
    assert is_in(before)


def test_signing_out_leaves_no_row(here):
    assert StaffSession.objects.count() == 1
    here.post(reverse("admin:logout"))
    assert not StaffSession.objects.exists()


def test_what_ended_by_itself_is_not_shown_and_is_purged(here, there):
    with time_machine.travel(timezone.now() + timedelta(hours=2, minutes=1)):
        again = browser()
        sign_in(again, "trainer")
        assert again.get(reverse("mfa_index")).text.count("last used at") == 1
        assert StaffSession.objects.count() == 3
        call_command("purge", stdout=None)
        assert StaffSession.objects.count() == 1
        assert is_in(again)


def test_use_is_noted_to_the_minute_and_keeps_the_session(here):
    start = timezone.now()
    for minutes in range(30, 540, 30):  # well past the age of Django’s own session
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert is_in(here), minutes
            (row,) = StaffSession.objects.all()
            assert abs(row.used_at - timezone.now()) < timedelta(minutes=1)


def test_a_new_password_leaves_its_own_session_alone(here, there):
    new = "another horse, another battery"
    sent = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    here.post(reverse("admin:password_change"), sent)
    assert [is_in(here), is_in(there)] == [True, False]
    assert [str(row.pk) for row in StaffSession.objects.all()] == [here.session[sessions.KEPT]]


def test_an_operator_ends_all_of_an_account(here, there, desk, trainer):
    door = reverse("admin:auth_user_sessions", args=(trainer.pk,))
    assert "is signed in 2 times" in desk.get(door).text
    assert is_in(here)
    desk.post(door, follow=True)
    assert [is_in(here), is_in(there), is_in(desk)] == [False, False, True]
    assert lines() == [("operator", "sessions-ended", "trainer")]
    trainer.refresh_from_db()
    assert trainer.is_active
    assert trainer.check_password(PASSWORD)
    assert "is signed in nowhere" in desk.get(door).text
    desk.post(door)
    assert len(lines()) == 1  # nothing was ended


def test_an_operator_is_asked_once_more(here, desk, trainer):
    door = reverse("admin:auth_user_sessions", args=(trainer.pk,))
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        assert desk.post(door).url.startswith(reverse("account_reauthenticate"))
        assert is_in(here)


def test_those_of_a_superuser_are_not_an_operators_to_end(desk, superuser, here):
    chief = browser()
    sign_in(chief, "chief")
    door = reverse("admin:auth_user_sessions", args=(superuser.pk,))
    assert desk.post(door).status_code == 403
    assert here.post(door).status_code == 403
    assert is_in(chief)


def test_deactivation_leaves_no_session_to_wake(here, trainer):
    for active in (False, True):
        trainer.is_active = active
        accounts.change(trainer, None, was_active=not active)
    assert not is_in(here)


# --- What others did to an account ---------------------------------------------------------------


def test_who_was_reset_is_told_once_by_whom_and_when(desk, trainer, here):
    add_app(trainer)
    accounts.reset_password(trainer, get_user_model().objects.get(username="operator"))
    accounts.reset_second_factors(trainer, None)
    trainer.set_password(PASSWORD)
    trainer.save()
    client = browser()
    sign_in(client, "trainer")
    page = client.get(INDEX).text
    assert "by operator: password taken away" in page
    assert "by a command on the server: second factors taken away" in page
    with translation.override("en"):
        assert date_format(timezone.localdate(), "SHORT_DATE_FORMAT") in page
    assert "taken away" not in client.get(INDEX).text
    client = browser()
    sign_in(client, "trainer")
    assert "taken away" not in client.get(INDEX).text


def test_what_happened_stays_to_be_read_when_another_has_used_the_account(desk, trainer, here):
    """The one told first may be who did it: the page of the account tells it still."""
    by = get_user_model().objects.get(username="operator")
    for _time in range(2):
        accounts.reset_password(trainer, by)
        trainer.set_password(PASSWORD)
        trainer.save()
        client = browser()
        sign_in(client, "trainer")
    page = read(client.get(reverse("mfa_index"))).text
    assert page.count("password taken away, link for a new one made – by operator") == 2
    assert page.count("– signed in") == 3


def test_nobody_is_told_of_the_account_of_another(desk, trainer, here, operator):
    accounts.reset_second_factors(operator, trainer)
    accounts.reset_password(operator, trainer)
    assert "taken away" not in here.get(reverse("mfa_index")).text
    client = browser()
    sign_in(client, "trainer")
    assert "taken away" not in client.get(INDEX).text


def test_a_first_sign_in_tells_nothing(trainer):
    accounts.reset_password(trainer, None)
    trainer.set_password(PASSWORD)
    trainer.save()
    client = browser()
    sign_in(client, "trainer")
    assert "taken away" not in client.get(INDEX).text


# --- The shell ------------------------------------------------------------------------------------


def test_a_password_changed_in_the_shell_is_kept_in_the_journal(trainer, here, monkeypatch):
    new = "another horse, another battery"
    monkeypatch.setattr("getpass.getpass", lambda prompt: new)
    call_command("changepassword", "trainer", stdout=None)
    trainer.refresh_from_db()
    assert trainer.check_password(new)
    assert lines() == [(None, "password-changed", "trainer")]
    assert not StaffSession.objects.exists()
    assert not is_in(here)
