"""What nobody's browser sends is refused, and never an error of ours."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from tests.browser.catalogue import CREDENTIAL

from .conftest import add_app, browser, sign_in

pytestmark = pytest.mark.django_db

ANSWER = {**CREDENTIAL, "response": {"userHandle": "MQ", "clientDataJSON": "e30", "signature": "e"}}
JUNK = [
    "",
    "x",
    "null",
    "1",
    "[]",
    '"x"',
    "{}",
    '{"response": null}',
    '{"response": []}',
    '{"id": 1, "rawId": 1, "response": {}, "type": 1}',
    '{"response": {"userHandle": "!!"}}',
    '{"response": {"userHandle": null}}',
    '{"response": {"userHandle": "_____w"}}',
    '{"response": {"userHandle": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"}}',
    json.dumps(CREDENTIAL),
    json.dumps(ANSWER),
    json.dumps({**ANSWER, "response": {**ANSWER["response"], "authenticatorData": "AAAA"}}),
    json.dumps({**CREDENTIAL, "id": [], "rawId": {}}),
    json.dumps({**CREDENTIAL, "response": {**CREDENTIAL["response"], "clientDataJSON": "AAAA"}}),
    json.dumps({**CREDENTIAL, "response": {**CREDENTIAL["response"], "attestationObject": "oA"}}),
    "[" * 2000,
    "[" * 100_000,
    "1" * 5000,
    '"\\ud800"',
    '{"response": {"userHandle": "\\ud800"}, "id": "\\ud800"}',
    '{"a": 1e999}',
]


@pytest.mark.parametrize("junk", JUNK, ids=[each[:40] for each in JUNK])
def test_junk_for_a_passkey_lets_nobody_in(trainer, junk):
    there = reverse("mfa_login_webauthn")
    client = browser()
    client.get(there, headers={"accept": "application/json"})
    assert client.post(there, {"credential": junk}).status_code in (200, 302)
    assert client.get(reverse("admin:index")).status_code == 302

    add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    client.get(reverse("mfa_authenticate"))
    assert client.post(reverse("mfa_authenticate"), {"credential": junk}).status_code == 200
    assert client.get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize("junk", JUNK, ids=[each[:40] for each in JUNK])
def test_junk_adds_no_passkey(trainer, junk):
    client = browser()
    sign_in(client, "trainer")
    there = reverse("mfa_add_webauthn")
    client.get(there)
    assert client.post(there, {"credential": junk, "name": "\x00"}).status_code == 200
    assert not trainer.authenticator_set.exists()


@pytest.mark.parametrize("typed", ["", "\x00", "٣٣٣٣٣٣", "a" * 5000, "\ud800", "％００"])
def test_junk_for_a_name_a_password_or_a_code(trainer, typed):
    typed = typed.encode("utf-8", "replace").decode()
    assert sign_in(browser(), typed, typed).status_code == 200
    assert sign_in(browser(), "trainer", typed).status_code == 200
    add_app(trainer)
    client = browser()
    sign_in(client, "trainer")
    assert client.post(reverse("mfa_authenticate"), {"code": typed}).status_code == 200


@pytest.mark.parametrize(
    "link", [("x", "y"), ("MQ", "%00"), ("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "a-b"), ("é", "é")]
)
def test_junk_for_a_link(db, link):
    page = browser().get(reverse("staff_welcome", args=link))
    assert "has been used" in page.text
