"""What the database refuses, whoever sends the SQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from assessments import frozen, instruments, journal, releases, sittings
from assessments.models import Calibration, Event, InstrumentVersion, Phase, Release, Sitting

from .test_releases import finished, join, phase  # noqa: F401 (the fixture)

pytestmark = pytest.mark.django_db
POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def rows(phase) -> dict[type[models.Model], models.Model]:  # noqa: F811
    """A row of each frozen table."""
    finished(phase, 12)
    made = {"version": phase.version, "form": phase.form, "n": 200, "document": b"{}"}
    return {
        Release: releases.close(phase, None),
        Calibration: Calibration.objects.create(**made, made_on=timezone.localdate(), digest="1"),
        Event: Event.objects.first(),
        InstrumentVersion: phase.version,
    }


def sent(statement: str, *values: object) -> int:
    """SQL as somebody at the database's prompt would send it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


CHANGES = {
    Event: "subject = 'nothing'",
    Release: "digest = 'another'",
    Calibration: "n = 5000",
    InstrumentVersion: "document = document, version = '9'",
}


@pytest.mark.parametrize("model", CHANGES)
def test_sql_changes_nothing_that_is_written_once(rows, model):
    table = model._meta.db_table
    with pytest.raises(IntegrityError, match=frozen.REFUSED):
        sent(f"UPDATE {table} SET {CHANGES[model]}")
    with frozen.thawed(model):
        assert sent(f"UPDATE {table} SET {CHANGES[model]}") > 0


@pytest.mark.parametrize("model", CHANGES)
def test_sql_deletes_nothing_of_it(rows, model):
    with pytest.raises(IntegrityError, match=frozen.REFUSED):
        sent(f"DELETE FROM {model._meta.db_table}")
    assert model.objects.exists()


@pytest.mark.parametrize("model", CHANGES)
def test_nor_is_it_emptied_at_once(rows, model):
    if not POSTGRESQL:
        return  # SQLite knows no other way than DELETE
    sent("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match=frozen.REFUSED):
        sent(f"TRUNCATE {model._meta.db_table} CASCADE")


@pytest.mark.parametrize("model", CHANGES)
def test_what_it_refuses_is_told_as_the_models_tell_it(rows, model):
    one = model.objects.filter(pk=rows[model].pk)
    for refused in (one.get().delete, lambda: one.update(id=9999)):
        with pytest.raises(PermissionDenied, match=r"never (changed|deleted)"):
            refused()
    if model is not InstrumentVersion:  # which is used, and so protected before
        with pytest.raises(PermissionDenied, match="not deleted"):
            one.delete()
    assert model.objects.filter(pk=rows[model].pk).exists()


def test_a_version_is_retired_once(phase):  # noqa: F811
    version = phase.version
    assert instruments.retire(version, None)
    for again in ("'2030-01-01'", "NULL"):
        with pytest.raises(IntegrityError, match="retired once"):
            sent(f"UPDATE assessments_instrumentversion SET retired_on = {again}")
    with pytest.raises(PermissionDenied):
        InstrumentVersion.objects.update(retired_on=None)


@pytest.mark.parametrize(
    "change",
    [
        {"answers": b"other"},
        {"outcomes": b"\x01\x01"},
        {"deeds": [{"step": "a", "deed": "done"}]},
        {"late": True},
        {"form": "B"},
        {"finished_on": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_finished_stays_as_it_was(phase, change):  # noqa: F811
    (one,) = finished(phase, 1)
    with pytest.raises(IntegrityError, match="is finished"), transaction.atomic():
        Sitting.objects.filter(pk=one.pk).update(**change)
    with frozen.thawed(Sitting):
        assert Sitting.objects.filter(pk=one.pk).update(**change)


def test_whoever_finished_still_plans_and_erases_and_is_purged(phase):  # noqa: F811
    one, other = finished(phase, 2)
    sittings.keep_plans(one, [])
    sittings.erase(one)
    long_ago = timezone.localdate() - timedelta(days=800)
    Sitting.objects.filter(pk=other.pk).update(opened_on=long_ago, finished_on=long_ago)
    assert sittings.purge() == 1


def test_nobody_is_counted_twice_and_no_phase_opens_again(phase):  # noqa: F811
    finished(phase, 12)
    releases.close(phase, None)
    with pytest.raises(IntegrityError, match="in a release, once"):
        sent("UPDATE assessments_sitting SET released = %s", False)
    with pytest.raises(IntegrityError, match="for ever"):
        sent("UPDATE assessments_phase SET closed_on = NULL")


# --- The journal's age ---------------------------------------------------------------------------


def entry(days: float) -> Event:
    """A line of the journal of so many days ago."""
    journal.record(Event.Action.CREATED, None, f"{days} days ago")
    made = Event.objects.first()
    with frozen.thawed(Event):
        Event.objects.filter(pk=made.pk).update(at=timezone.now() - timedelta(days=days))
    return made


def test_the_journal_is_deleted_once_it_is_a_year_old(db):
    old, young = entry(365.1), entry(364.9)
    for one in (old, young):
        with pytest.raises(PermissionDenied):
            one.delete()
    with pytest.raises(PermissionDenied, match="not deleted"):
        Event.objects.all().delete()
    assert Event.objects.count() == 2
    assert sent("DELETE FROM assessments_event WHERE id = %s", old.pk) == 1
    with pytest.raises(IntegrityError):
        sent("DELETE FROM assessments_event WHERE id = %s", young.pk)


# --- The triggers themselves ---------------------------------------------------------------------


def test_they_are_all_there():
    assert frozen.missing() == []
    names = set(frozen.rules())
    assert len(names) == 17
    assert {name for name, _kept in frozen._kept(connection).items()} == {
        name for name in names if POSTGRESQL or not name.endswith("_truncate")
    }


def test_what_is_taken_away_is_missed_and_comes_back_by_migrating():
    frozen.drop("default", Release)
    assert set(frozen.missing()) >= {"frozen_release_update", "frozen_release_delete"}
    (warning,) = frozen.check(None, databases=["default"])
    assert "frozen_release_update" in warning.msg
    call_command("migrate", verbosity=0)
    assert frozen.missing() == []
    assert frozen.check(None, databases=["default"]) == []


def test_what_is_switched_off_or_made_harmless_is_missed(settings):
    if POSTGRESQL:
        sent("ALTER TABLE assessments_event DISABLE TRIGGER frozen_event_update")
        sent(
            "CREATE OR REPLACE FUNCTION public.frozen_release_update() RETURNS trigger "
            "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
    else:
        for name in ("event", "release"):
            sent(f"DROP TRIGGER frozen_{name}_update")
            sent(
                f"CREATE TRIGGER frozen_{name}_update BEFORE UPDATE ON assessments_{name} "
                "WHEN 0 BEGIN SELECT 1; END"
            )
    assert set(frozen.missing()) == {"frozen_event_update", "frozen_release_update"}
    frozen.make()
    assert frozen.missing() == []


def test_the_age_of_the_journal_is_the_settings(settings):
    settings.JOURNAL_DAYS = 200
    assert frozen.missing() == ["frozen_event_delete"]
    frozen.make()
    old = entry(201)
    assert sent("DELETE FROM assessments_event WHERE id = %s", old.pk) == 1


def test_what_fails_while_thawed_is_undone_and_guarded_again(rows):
    def rewrite() -> None:
        with frozen.thawed(Release):
            Release.objects.update(digest=1 / 0)

    with pytest.raises(ZeroDivisionError):
        rewrite()
    assert frozen.missing() == []
    with pytest.raises(PermissionDenied):
        Release.objects.update(digest="another")


@pytest.mark.django_db(transaction=True)
def test_they_outlive_a_table_that_is_made_anew_and_the_way_back_to_the_first_state():
    frozen.make()
    with connection.schema_editor() as editor:
        if not POSTGRESQL:
            editor._remake_table(Event)
            assert "frozen_event_update" in frozen.missing()
    call_command("migrate", "assessments", "0001", verbosity=0)
    try:
        assert frozen.missing() == []
    finally:
        call_command("migrate", verbosity=0)
    assert frozen.missing() == []


@pytest.mark.django_db(transaction=True)
def test_they_are_in_a_copy_of_the_database(tmp_path):
    journal.record(Event.Action.CREATED, None, "before the copy")
    if POSTGRESQL:
        dumped_and_restored(tmp_path)
        return
    connection.ensure_connection()
    copy = sqlite3.connect(tmp_path / "copy")
    connection.connection.backup(copy)
    with pytest.raises(sqlite3.IntegrityError, match=frozen.REFUSED):
        copy.execute("UPDATE assessments_event SET subject = 'x'")
    copy.close()


def dumped_and_restored(tmp_path: Path) -> None:
    """With PostgreSQL's own programs, which restore with an empty search path."""
    known = connection.settings_dict
    found = shutil.which("pg_dump") or str(
        max(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"), key=str)
    )
    where = [f"--host={known['HOST']}", f"--port={known['PORT']}", f"--username={known['USER']}"]
    run = {"check": True, "env": os.environ | {"PGPASSWORD": known["PASSWORD"]}}
    dump, copy = tmp_path / "dump", f"{known['NAME']}_copy"
    restore = str(Path(found).with_name("pg_restore"))
    psql = [str(Path(found).with_name("psql")), *where, "-v", "ON_ERROR_STOP=1", "-q"]
    subprocess.run([found, *where, "-Fc", "-f", dump, known["NAME"]], **run)
    subprocess.run([*psql, "-d", "postgres", "-c", f'CREATE DATABASE "{copy}"'], **run)
    try:
        subprocess.run([restore, *where, "-d", copy, "--exit-on-error", dump], **run)
        asked = "UPDATE assessments_event SET subject = 'x'"
        refused = subprocess.run(
            [*psql, "-d", copy, "-c", asked], env=run["env"], capture_output=True, text=True
        )
        assert refused.returncode != 0
        assert frozen.REFUSED in refused.stderr
        # Twice into the same place, as a restore over what is there.
        again = ["--clean", "--if-exists", "--exit-on-error"]
        subprocess.run([restore, *where, "-d", copy, *again, dump], **run)
    finally:
        subprocess.run([*psql, "-d", "postgres", "-c", f'DROP DATABASE "{copy}"'], **run)


def test_who_is_in_the_journal_is_not_deleted(rows):
    person = get_user_model().objects.create_user("trainer")
    journal.record(Event.Action.CREATED, person, "a cohort")
    with pytest.raises(models.ProtectedError):
        person.delete()


def test_a_save_while_it_is_answered_is_as_free_as_before(phase):  # noqa: F811
    one = join(phase)
    assert Sitting.objects.filter(pk=one.pk).update(answers=bytes(one.answers), revision=1)
    assert Phase.objects.filter(pk=phase.pk).update(paused=True)
