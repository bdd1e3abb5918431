"""Migrations on live data: nothing of it changes, nobody who saves is kept waiting or refused."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser.base import Issue

from tests.conftest import ROOT

from .conftest import Deployment, own_database

RELEASED = ("0001_initial", "0003_instruments")
"""States that installations may be in."""
ADDITIVE_SINCE = "0003_instruments"
"""From here on, the code of a state works on every later one, so that servers restart in turn."""

EXCEPTIONS = {
    "0002_trainers_room": (
        {"NOT_NULL", "DROP_COLUMN"},
        "before servers restarted in turn: they are stopped to come from 0001",
    ),
    "0003_instruments": (
        {"ALTER_COLUMN"},
        "varchar made longer, which PostgreSQL does without rewriting or reading the table",
    ),
}
"""What the linter finds and why it is let through, by migration."""


@dataclass
class Machine(Deployment):
    url: str = ""

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What a query gives, with the values of both databases written alike."""
        with closing(self.connect()) as opened:
            found = opened.execute(query).fetchall()
        return [
            tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in found
        ]

    def connect(self) -> sqlite3.Connection | psycopg.Connection:
        if self.url.startswith("sqlite"):
            return sqlite3.connect(self.url.removeprefix("sqlite:///"))
        return psycopg.connect(self.url, autocommit=True)

    def columns(self) -> dict[str, list[str]]:
        if self.url.startswith("sqlite"):
            query = (
                "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c "
                "WHERE t.type = 'table' ORDER BY t.name, c.cid"
            )
        else:
            query = (
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
            )
        found: dict[str, list[str]] = {}
        for table, column in self.rows(query):
            if str(table).startswith("assessments_") or table == "auth_user":
                found.setdefault(str(table), []).append(str(column))
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    for url in own_database(tmp_path, os.environ.get("DATABASE_URL")):
        yield Machine(
            tmp_path, {"DATABASE_URL": url, "READINESS_DATA": str(tmp_path / "data")}, url=url
        )


def contents(machine: Machine, columns: dict[str, list[str]]) -> dict[str, list[tuple]]:
    return {
        table: sorted(machine.rows(f'SELECT {", ".join(names)} FROM "{table}"'), key=repr)
        for table, names in columns.items()
    }


def digest(rows: list[tuple]) -> tuple[int, str]:
    return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()


@dataclass
class Savers:
    """Old code that goes on saving answers, and opening sittings, from several connections.

    Each waits at most a second for a lock: a migration that keeps one longer fails a save.
    """

    machine: Machine
    opening: bool
    saved: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    """By sitting: the answers and the revision that were acknowledged last."""
    opened: int = 0
    failures: list[Exception] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Savers:
        unfinished = "SELECT id FROM assessments_sitting WHERE finished_on IS NULL"
        keys = [key for (key,) in self.machine.rows(unfinished)]
        assert len(keys) > 100
        (self.version, self.phase), *_ = self.machine.rows(
            "SELECT version_id, phase_id FROM assessments_sitting WHERE phase_id IS NOT NULL"
        )
        self._threads = [
            threading.Thread(target=self._save, args=(keys[part::3], part)) for part in range(3)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _save(self, keys: list[int], part: int) -> None:
        chance = random.Random(100 + part)
        with psycopg.connect(self.machine.url, autocommit=True) as opened:
            opened.execute("SET lock_timeout = '1s'")
            while not self._over.wait(0.002):
                key, answers = chance.choice(keys), chance.randbytes(64)
                try:
                    row = opened.execute(
                        "UPDATE assessments_sitting SET answers = %s, revision = revision + 1 "
                        "WHERE id = %s RETURNING revision",
                        [answers, key],
                    ).fetchone()
                    assert row is not None
                    self.saved[key] = (answers, row[0])
                    if self.opening and chance.random() < 0.1:
                        self._open(opened, chance)
                except psycopg.Error as error:
                    self.failures.append(error)

    def _open(self, opened: psycopg.Connection, chance: random.Random) -> None:
        """As the code of :data:`ADDITIVE_SINCE` does."""
        opened.execute(
            "INSERT INTO assessments_sitting (id, version_id, phase_id, form, language, answers, "
            "revision, code_hash, opened_on, released, late) "
            "VALUES (%s, %s, %s, 'A', 'fr', %s, 0, %s, '2026-11-28', false, false)",
            [
                chance.getrandbits(62) + 1,
                self.version,
                self.phase,
                chance.randbytes(64),
                chance.randbytes(16),
            ],
        )
        self.opened += 1


@pytest.mark.parametrize("state", RELEASED)
def test_what_was_kept_stays_as_it_is(machine: Machine, state: str):
    machine.manage("migrate", "assessments", state, "--verbosity", "0")
    subprocess.run(
        [sys.executable, "-m", "tests.deployment.released_states", state],
        cwd=ROOT,
        env=os.environ | machine.environment | {"DJANGO_SETTINGS_MODULE": "readiness.settings"},
        check=True,
    )
    columns = machine.columns()
    before = contents(machine, columns)
    assert len(before["assessments_sitting"]) == 5_000
    if machine.url.startswith("sqlite"):
        saved, opened = {}, 0
        machine.manage("migrate", "--verbosity", "0")
    else:
        with Savers(machine, opening=state >= ADDITIVE_SINCE) as savers:
            machine.manage("migrate", "--verbosity", "0")
        assert savers.failures == []
        assert len(savers.saved) > 100
        saved, opened = savers.saved, savers.opened

    now = machine.columns()
    kept = {
        table: [name for name in names if name in now[table]] for table, names in columns.items()
    }
    if state >= ADDITIVE_SINCE:
        assert kept == columns
    for table, rows in contents(machine, kept).items():
        expected = chosen(before[table], columns[table], kept[table])
        if table == "assessments_sitting":
            expected = overwritten(expected, kept[table], saved)
            known = {row[0] for row in expected}
            assert len(rows) == len(expected) + opened
            rows = [row for row in rows if row[0] in known]
        assert digest(sorted(rows, key=repr)) == digest(sorted(expected, key=repr)), table
    the_code_of_today_reads_it(machine)


def chosen(rows: list[tuple], columns: list[str], kept: list[str]) -> list[tuple]:
    places = [columns.index(name) for name in kept]
    return [tuple(row[place] for place in places) for row in rows]


def overwritten(
    rows: list[tuple], columns: list[str], saved: dict[int, tuple[bytes, int]]
) -> list[tuple]:
    """The rows with what was saved meanwhile."""
    answers, revision = columns.index("answers"), columns.index("revision")
    assert columns[0] == "id"
    expected = []
    for row in map(list, rows):
        if row[0] in saved:
            row[answers], row[revision] = saved[row[0]]
        expected.append(tuple(row))
    return expected


READ = """
from django.db.models import Sum
from assessments import releases
from assessments.models import Phase, Pool
phases = Phase.objects.filter(releases__isnull=False).distinct()
for phase in phases:
    assert releases.published(phase)
    assert phase.settled_on == phase.closed_on
pooled = Pool.objects.aggregate(Sum("phases"))["phases__sum"]
assert pooled in (phases.count(), None), pooled
print("read", phases.count(), pooled)
"""


def the_code_of_today_reads_it(machine: Machine) -> None:
    """Each release has the digest it was published with; what stands on them agrees."""
    told = machine.manage("shell", "--verbosity", "0", "-c", READ)
    assert "read 300" in told
    assert machine.manage("migrate", "--check", "--verbosity", "0") == ""


class Findings(MigrationLinter):
    """What the linter calls an error, by migration."""

    def __init__(self) -> None:
        super().__init__(str(ROOT), include_apps=["assessments"], no_cache=True, no_output=True)
        self.found: dict[str, set[str]] = {}
        for migration in self.migration_loader.disk_migrations.values():
            if migration.app_label == "assessments":
                self.found[migration.name] = self.at = set()
                self.lint_migration(migration)

    def print_errors(self, errors: list[Issue]) -> None:
        self.at |= {issue.code for issue in errors}


@pytest.mark.django_db(transaction=True)
def test_the_linter_finds_nothing_that_is_not_excused():
    found = Findings().found
    if connection.vendor == "sqlite":  # where every table is remade, which the linter takes for it
        found = {name: codes - {"NOT_NULL"} for name, codes in found.items()}
    excused = {name: codes for name, (codes, _why) in EXCEPTIONS.items()}
    assert {
        name: codes - excused.get(name, set())
        for name, codes in found.items()
        if codes - excused.get(name, set())
    } == {}
    if connection.vendor == "postgresql":  # no excuse is kept that nothing needs
        assert {name: found[name] for name in excused} == excused
