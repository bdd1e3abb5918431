"""No address of ours is missing from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver

from assessments.staff import urls as staff
from assessments.urls import urlpatterns

from .catalogue import NOT_PAGES

pytestmark = pytest.mark.django_db


POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store, private",
}
"""What every answer says, but for static files, which are public."""


def headers_missing(headers: Mapping[str, str]) -> list[str]:
    """The headers in which an answer falls short."""
    short = [name for name, value in HEADERS.items() if headers.get(name) != value]
    told = headers.get("Content-Security-Policy", "").split("; ")
    if dict(each.split(" ", 1) for each in told if " " in each) != POLICY:
        short.append("Content-Security-Policy")
    powers = headers.get("Permissions-Policy", "")
    if not all(f"{power}=()" in powers for power in ("camera", "geolocation", "microphone")):
        short.append("Permissions-Policy")
    if settings.HTTPS and "Strict-Transport-Security" not in headers:
        short.append("Strict-Transport-Security")
    return short


def test_every_page_in_every_state_has_its_headers(catalogue):
    short = {each.name: headers_missing(each.headers) for each in catalogue}
    assert {name: missing for name, missing in short.items() if missing} == {}


def test_every_page_and_file_tells_what_it_is_and_how_it_is_written(catalogue):
    assert {each.name for each in catalogue if each.body and not each.kind} == set()
    texts = [each for each in catalogue if each.kind.startswith("text/") or "xml" in each.kind]
    assert len(texts) > 100
    plain = {each.name: each.kind.replace('"', "") for each in texts}
    assert {name for name, kind in plain.items() if "charset=utf-8" not in kind} == set()


def names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    return {f"{prefix}{each.name}" for each in patterns if isinstance(each, URLPattern)}


def ours() -> set[str]:
    """Every address of the two doors, and those that our classes add to the admin."""
    found = names(urlpatterns) | names(staff.urlpatterns)
    for model, made in admin.site._registry.items():
        if type(made).__module__.startswith("assessments."):
            stock = names(admin.ModelAdmin(model, admin.site).get_urls(), "admin:")
            found |= names(made.get_urls(), "admin:") - stock
    return found


def test_every_address_of_ours_is_seen_in_some_state(catalogue):
    seen = set().union(*(each.views for each in catalogue))
    assert sorted(ours() - seen - set(NOT_PAGES)) == []


def test_what_is_said_to_be_no_page_is_an_address_of_ours():
    assert sorted(set(NOT_PAGES) - ours()) == []
