"""Many at the door at the same moment, each on a connection of its own."""

from __future__ import annotations

from functools import partial

import pytest
from django.urls import reverse

from assessments.staff import recovery
from tests.test_races import at_once

from .conftest import add_app, browser, digits, sign_in, type_digits

pytestmark = pytest.mark.django_db(transaction=True)


def opened(clients, code: str) -> int:
    """How many of them a code lets in."""
    at_once(*(partial(type_digits, client, code) for client in clients))
    return sum(client.get(reverse("admin:index")).status_code == 200 for client in clients)


def waiting(trainer, number: int) -> list:
    clients = [browser(address=f"203.0.113.{place}") for place in range(number)]
    for client in clients:
        sign_in(client, "trainer")
    return clients


def test_a_code_opens_one_door_of_many(trainer):
    seed = add_app(trainer)
    assert opened(waiting(trainer, 6), digits(seed)) == 1


def test_a_recovery_code_opens_one_door_of_many(trainer):
    add_app(trainer)
    _row, (code, *_others) = recovery.make(trainer)
    assert opened(waiting(trainer, 6), code) == 1


def test_guesses_made_at_once_are_all_counted(trainer):
    def guess() -> int:
        return sign_in(browser(), "trainer", "wrong").status_code

    answers = at_once(*[guess] * 12)
    assert sorted(answers) == [200] * 5 + [429] * 7
