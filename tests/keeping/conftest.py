"""A group that answers, backups of it, and another database to restore them into."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import translation

from assessments import backups, codes, sittings
from assessments.backups import postgresql
from assessments.backups.elsewhere import elsewhere
from assessments.models import Phase, Sitting
from tests.test_releases import finished, phase  # noqa: F401

SQLITE, POSTGRESQL = "sqlite", "postgresql"


def only_on(vendor: str):
    """For what one database alone has: elsewhere the test is not there, rather than skipped."""

    def marked(test):
        test.only_on = vendor
        return test

    return marked


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = connection.vendor
    items[:] = [
        item for item in items if getattr(getattr(item, "obj", None), "only_on", here) == here
    ]


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


class Group:
    """People of one phase: some have finished, some are at it; their codes are known here alone."""

    def __init__(self, phase: Phase, people: int = 3) -> None:  # noqa: F811
        self.phase = phase
        self.codes = [codes.new_code(codes.RESUME_LENGTH) for _person in range(people)]
        self.sittings = [self._open(code) for code in self.codes]
        self.finished = finished(phase, people)

    def _open(self, code: str) -> Sitting:
        version = self.phase.version
        return sittings.open_sitting(code, version=version, phase=self.phase, language="fr")


@pytest.fixture
def group(phase) -> Group:  # noqa: F811
    return Group(phase)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def backup(transactional_db, group, folder) -> Path:
    return backups.take(folder).path


@contextmanager
def _another(tmp_path: Path) -> Iterator[None]:
    """An empty database of the same kind, to which all that is asked goes meanwhile."""
    if connection.vendor != POSTGRESQL:
        options = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;"}
        with elsewhere(tmp_path / "another.sqlite3", options):
            yield
        return
    name = connection.settings_dict["NAME"] + "_drill"
    with postgresql._maintenance() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        with elsewhere(name):
            yield
    finally:
        with postgresql._maintenance() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def another(tmp_path) -> AbstractContextManager[None]:
    return _another(tmp_path)


def until_the_next_second() -> None:
    """Backups are named by the second in which they begin."""
    time.sleep(1.01 - time.time() % 1)


def rows() -> list[tuple[object, ...]]:
    """Every sitting, whole, in the order of their keys."""
    found = Sitting.objects.order_by("pk").values_list()
    return [tuple(_plain(value) for value in row) for row in found]


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def run(*arguments: object, **options: object) -> str:
    """What a command prints."""
    out = StringIO()
    call_command(*map(str, arguments), stdout=out, **options)
    return out.getvalue()
