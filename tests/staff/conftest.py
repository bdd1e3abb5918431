"""People at the door."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from assessments.roles import make_operator, make_trainer

PASSWORD = "correct horse battery staple"


@pytest.fixture
def trainer(db):
    person = get_user_model().objects.create_user("trainer", password=PASSWORD)
    make_trainer(person)
    return person


@pytest.fixture
def operator(db):
    person = get_user_model().objects.create_user("operator", password=PASSWORD)
    make_operator(person)
    return person


@pytest.fixture
def superuser(db):
    return get_user_model().objects.create_superuser("chief", password=PASSWORD)


def browser(language: str = "en", address: str = "192.0.2.1") -> Client:
    return Client(headers={"accept-language": language}, REMOTE_ADDR=address)


def sign_in(client: Client, name: str, password: str = PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": name, "password": password, **more})


def add_app(user) -> str:
    """Give a user an authenticator app: its seed."""
    seed = totp.generate_totp_secret()
    totp.TOTP.activate(user, seed)
    return seed


def digits(seed: str, steps: int = 0) -> str:
    """What the app shows, now or some steps of half a minute later."""
    counter = int(time.time()) // 30 + steps
    return totp.format_hotp_value(totp.hotp_value(seed, counter))


def type_digits(client: Client, code: str):
    return client.post(reverse("mfa_authenticate"), {"code": code})
