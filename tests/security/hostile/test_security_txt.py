"""Where weaknesses are told: RFC 9116."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils import timezone

from readiness.security_contact import security_contact_told

CONTACT = "mailto:securite@example.org"


def test_without_a_contact_there_is_no_file(client, db):
    assert client.get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize("day", ["2026-11-28", "2028-02-29", "2031-12-31"])
def test_it_holds_the_fields_and_never_lapses(day, client, settings, time_machine):
    time_machine.move_to(f"{day}T23:30:00+01:00")
    settings.SECURITY_CONTACT = CONTACT
    settings.PUBLIC_ADDRESS = "https://readiness.example.org"
    answer = client.get(reverse("security.txt"))
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert list(fields) == ["Contact", "Expires", "Preferred-Languages", "Canonical"]
    assert fields["Contact"] == CONTACT
    assert fields["Preferred-Languages"] == "fr, en"
    assert fields["Canonical"] == "https://readiness.example.org/.well-known/security.txt"
    left = datetime.fromisoformat(fields["Expires"]) - timezone.now()
    assert timedelta(days=150) < left < timedelta(days=365)


@pytest.mark.parametrize("told", ["", CONTACT, "https://example.org/security"])
def test_a_contact_is_an_address_that_programs_follow(told):
    assert security_contact_told(told) == told


@pytest.mark.parametrize(
    "told",
    [
        "securite@example.org",
        "http://example.org/",
        "https://",
        "mailto:nobody",
        "javascript:alert(1)",
        "mailto:a@example.org\nContact: mailto:evil@example.org",
        "mailto:a b@example.org",
        "https://exämple.org/",
        "tel:+33123456789",
    ],
)
def test_whatever_else_is_refused_when_it_starts(told):
    with pytest.raises(ImproperlyConfigured, match="READINESS_SECURITY_CONTACT"):
        security_contact_told(told)
