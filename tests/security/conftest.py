"""The world of the matrix, made once for all of its tests."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import transaction
from django.test import override_settings

from tests.conftest import QUICK

from .matrix import Bodies
from .world import World

CONTACT = "mailto:security@hospital.example"
FRESH = 24 * 3600
"""Seconds for which nobody is asked again who they are: however long a tour takes."""


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    """Undone when the module is over. Nothing is printed: that is slow, and guarded elsewhere;
    tries are not counted, or the matrix itself would be locked out."""
    with (
        django_db_blocker.unblock(),
        override_settings(
            **QUICK, ACCOUNT_REAUTHENTICATION_TIMEOUT=FRESH, SECURITY_CONTACT=CONTACT
        ),
        mock.patch("assessments.press.pdf", return_value=b"%PDF-"),
        mock.patch("assessments.limits._spent", return_value=0),
        mock.patch.dict("assessments.views.health.CHECKS", clear=True),
        transaction.atomic(),
    ):
        yield World()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def bodies(world) -> Bodies:
    return Bodies(world)
