"""How many inputs are sent, and how many of them did harm."""

from __future__ import annotations

import logging
import os
import random
import sys
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, Phase, seed, settings

from tests.conftest import AUDIT, QUICK

from .doors import Doors

INPUTS = int(os.environ.get("FUZZ", "2000"))
"""How many inputs all tests of this folder send together."""
WHOLE = AUDIT or "FUZZ" in os.environ
PARTS = 2 if WHOLE else 1
"""For as many runners, each of which makes the service for itself."""
_NEW = random.SystemRandom().randrange(10**9) if "FUZZ" in os.environ else 1
SEED = int(os.environ.setdefault("FUZZ_SEED", str(_NEW)))
"""Sent again with the same number, the inputs are the same: it is printed. `make fuzz` looks
elsewhere each time; the tests look at the same inputs, so that what fails is what has changed."""
SENT: dict[str, int] = {"inputs": 0, "errors": 0}


def of_this_database(part: int) -> int:
    """The same inputs are not sent on SQLite and again on PostgreSQL."""
    return part + PARTS * (connection.vendor == "postgresql")


def fuzzed(share: float, part: int = 0, *, absolute: bool = False) -> Callable:
    """A test that sends that share of all inputs, each ``part`` others;
    or ``absolute``ly so many."""
    how = settings(
        max_examples=round(share if absolute else max(1, INPUTS * share)),
        deadline=None,
        database=None,
        phases=[Phase.generate] if absolute else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(1 if absolute else SEED + part)(how(test))


@pytest.fixture(scope="module")
def service(django_db_setup, django_db_blocker) -> Iterator[Doors]:
    """The service with its people, made once and undone when the module is over."""
    with (
        django_db_blocker.unblock(),
        override_settings(**QUICK, ALLOWED_HOSTS=["testserver"]),
        mock.patch("assessments.press.pdf", return_value=b"%PDF-"),  # printed by tests/report
        transaction.atomic(),
    ):
        yield Doors()
        transaction.set_rollback(True)


@pytest.fixture
def doors(service, db, caplog) -> Doors:
    caplog.set_level(logging.CRITICAL, logger="django")  # refusals are told by the thousand
    return service


@pytest.fixture
def sent() -> dict[str, int]:
    return SENT


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.failed:
        SENT["errors"] += 1
    return report


# --- The last line of `make fuzz` -----------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # a runner tells the one who asked
        session.config.workeroutput["fuzz"] = SENT
    elif "FUZZ" in os.environ and SENT["inputs"] < INPUTS and not SENT["errors"]:
        SENT["errors"] += 1
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:
    for name, count in getattr(node, "workeroutput", {}).get("fuzz", {}).items():
        SENT[name] += count


def pytest_unconfigure(config: pytest.Config) -> None:
    if "FUZZ" in os.environ and not hasattr(config, "workeroutput"):
        sys.stdout.write(f"the same again: FUZZ_SEED={SEED}\n")
        sys.stdout.write(f"inputs {SENT['inputs']}, errors {SENT['errors']}\n")
