"""Passwords as they are typed, masked and compared; and whose there are from the start."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from assessments import accounts

from .conftest import browser, sign_in

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
