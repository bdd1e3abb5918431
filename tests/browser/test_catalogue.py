"""No address of ours is missing from the catalogue."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver

from assessments.staff import urls as staff
from assessments.urls import urlpatterns

from .catalogue import NOT_PAGES

pytestmark = pytest.mark.django_db


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
