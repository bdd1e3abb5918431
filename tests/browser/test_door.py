"""Passkeys in a real browser, whose authenticator is Chromium's virtual one."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments.models import Event
from assessments.roles import make_trainer

from .conftest import PHONE, check

PASSWORD = "une longue phrase de passe"


@pytest.fixture
def site(live_server) -> str:
    """By its name: a browser gives passkeys to no bare address."""
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def trainer(transactional_db):
    user = get_user_model().objects.create_user("formatrice", password=PASSWORD)
    make_trainer(user)
    return user


def device(page: Page) -> tuple[object, str]:
    """A device that holds passkeys and asks for a finger, which is given at once."""
    talk = page.context.new_cdp_session(page)
    talk.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = talk.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return talk, made["authenticatorId"]


def sign_in(page: Page, site: str) -> None:
    page.goto(site + reverse("admin:index"))
    page.fill("#id_login", "formatrice")
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.press("#id_password", "Enter")


def test_a_passkey_is_added_and_lets_in(watched, site, trainer, settings):
    settings.SECOND_FACTOR = "required"
    page = watched
    page.set_viewport_size(PHONE)
    talk, authenticator = device(page)

    sign_in(page, site)
    expect(page.locator("h1")).to_have_text("Se connecter en sécurité")
    expect(page.locator("#user-tools")).to_have_count(0)
    check(page)
    page.get_by_role("link", name="Ajouter une clé d’accès").click()
    page.fill("#id_name", "Téléphone")
    page.get_by_role("button", name="Créer la clé d’accès").click()
    page.wait_for_url("**" + reverse("mfa_view_recovery_codes"))
    expect(page.locator(".recovery li")).to_have_count(10)
    check(page)
    recovery = page.locator(".recovery code").first.inner_text()
    page.get_by_role("link", name="Aller à l’espace de travail").click()
    expect(page.locator("#user-tools")).to_be_visible()
    kept = Authenticator.objects.get(type="webauthn")
    assert kept.data["name"] == "Téléphone"
    (held,) = talk.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})[
        "credentials"
    ]
    assert held["rpId"] == "localhost"
    assert "formatrice" in (held.get("userName", "formatrice"))

    # Without a password.
    page.locator("#logout-form button").click()
    expect(page.locator("#login-form")).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Se connecter par clé d’accès").click()
    expect(page.locator("#user-tools")).to_be_visible()
    assert Event.objects.filter(action="signed-in").count() == 2

    # After the password.
    page.locator("#logout-form button").click()
    sign_in(page, site)
    expect(page.locator("#user-tools")).to_have_count(0)
    with page.expect_navigation():
        page.get_by_role("button", name="Utiliser une clé d’accès").click()
    expect(page.locator("#user-tools")).to_be_visible()

    # A device that does not know its owner: said, and nothing sent.
    page.locator("#logout-form button").click()
    talk.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": authenticator, "isUserVerified": False},
    )
    page.get_by_role("button", name="Se connecter par clé d’accès").click()
    expect(page.locator(".passkey-failed")).to_be_visible()
    check(page)

    # The device is lost.
    sign_in(page, site)
    page.fill("#id_code", recovery)
    with page.expect_navigation():
        page.press("#id_code", "Enter")
    expect(page.locator("#user-tools")).to_be_visible()


def test_without_scripts_no_passkey_is_offered(browser, site, trainer):
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site)
    expect(page.locator("#user-tools")).to_be_visible()
    page.goto(site + reverse("mfa_add_webauthn"))
    expect(page.locator("form[data-passkey]")).to_be_hidden()
    expect(
        page.get_by_role("link", name="Utiliser une application d’authentification")
    ).to_be_visible()
    context.close()
