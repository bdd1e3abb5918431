"""Passwords as they are typed, masked and compared; and whose there are from the start."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.urls import reverse

from assessments import accounts
from assessments.staff import recovery

from .conftest import PASSWORD, browser, sign_in

pytestmark = pytest.mark.django_db
INPUT = re.compile(r"<input[^>]*\btype=\"password\"[^>]*>")


def test_a_password_is_compared_as_it_was_typed(trainer):
    typed = "  Une phrase À retenir, " + "même longue " * 8
    trainer.set_password(typed)
    trainer.save()
    for other in (typed.strip(), typed.lower(), typed[:72], typed.replace("À", "A")):
        assert sign_in(browser(address="192.0.2.9"), "trainer", other).status_code == 200
    assert sign_in(browser(), "trainer", typed).status_code == 302


def test_a_password_that_is_chosen_is_kept_as_it_was_typed(trainer):
    typed = "  Une phrase À retenir  "
    there = reverse("staff_welcome", args=accounts.reset_password(trainer, None))
    person = browser()
    form = person.get(there, follow=True).request["PATH_INFO"]
    person.post(form, {"new_password1": typed, "new_password2": typed})
    assert sign_in(browser(), "trainer", typed).status_code == 302


NEW = {"new_password1": "a long new phrase", "new_password2": "a long new phrase"}


def fail(*args: object, **kwargs: object) -> None:
    raise RuntimeError


def test_without_its_line_in_the_journal_no_password_is_chosen(trainer, monkeypatch):
    there = reverse("staff_welcome", args=accounts.reset_password(trainer, None))
    person = browser()
    form = person.get(there, follow=True).request["PATH_INFO"]
    monkeypatch.setattr(accounts.journal, "record", fail)
    with pytest.raises(RuntimeError):
        person.post(form, NEW)
    trainer.refresh_from_db()
    assert not trainer.has_usable_password()


def test_without_its_line_in_the_journal_no_password_is_changed(trainer, monkeypatch):
    client = browser()
    sign_in(client, "trainer")
    monkeypatch.setattr(accounts.journal, "record", fail)
    with pytest.raises(RuntimeError):
        client.post(reverse("admin:password_change"), {"old_password": PASSWORD, **NEW})
    trainer.refresh_from_db()
    assert trainer.check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_recovery_codes_are_hashed_while_nothing_is_locked(trainer, monkeypatch):
    """Ten hashes take a second: on SQLite nobody could save an answer meanwhile."""

    def hashed(code: str, salt: str) -> str:
        assert not connection.in_atomic_block
        return code

    monkeypatch.setattr(recovery, "_hash", hashed)
    _row, (first, *others) = recovery.make(trainer)
    assert recovery.spend(trainer, first) is not None
    assert recovery.spend(trainer, first) is None
    assert recovery.left(trainer) == len(others)


def test_every_password_is_masked_and_left_to_password_managers(trainer):
    welcome = reverse("staff_welcome", args=accounts.reset_password(trainer, None))
    pages = [browser().get(reverse("account_login")), browser().get(welcome, follow=True)]
    trainer.set_password("correct horse battery staple")
    trainer.save()
    client = browser()
    sign_in(client, "trainer")
    pages += [client.get(reverse(f"{name}")) for name in ("admin:password_change",)]
    pages.append(client.get(reverse("account_reauthenticate")))
    fields = [field for page in pages for field in INPUT.findall(page.text)]
    assert len(fields) == 7
    for field in fields:
        assert re.search(r'autocomplete="(current|new)-password"', field), field
        assert "paste" not in field


def test_nobody_has_an_account_from_the_start():
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize(
    "name", ["admin:index", "admin:assessments_cohort_changelist", "mfa_index"]
)
def test_signing_out_is_on_every_page(trainer, name):
    client = browser()
    sign_in(client, "trainer")
    assert f'action="{reverse("admin:logout")}"' in client.get(reverse(name)).text
