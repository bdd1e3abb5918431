"""The restore drill: what a backup held, made while others were writing, is all there again; who
has erased their answers since is not."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from datetime import timedelta

import msgspec
import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments import backups, codes, releases, sittings
from assessments.backups import manifests
from assessments.backups.survey import LEFT_OUT, survey
from assessments.limits import Limit, spend
from assessments.models import Cohort, Release, Sitting, Tally, Tombstone
from assessments.scoring.sheet import ScenarioAnswer, Sheet
from tests.test_releases import finished

from .conftest import SQLITE, only_on, rows, run, until_the_next_second

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, BACKUPS = 3, 3
"""A pool of four connections serves them and the backup."""


class Writer(threading.Thread):
    """Somebody who saves page after page, and notes what was acknowledged, and when."""

    def __init__(self, sitting: Sitting, until: threading.Event) -> None:
        super().__init__()
        self.key, self.until = sitting.pk, until
        self.acknowledged: list[tuple[float, int]] = []
        self.tried = 0
        self.refused: list[BaseException] = []

    def run(self) -> None:
        try:
            sitting = sittings.find(self.key)
            asked = sittings.questionnaire_of(sitting)
            pages = [page for page in asked.pages if page.part == "scenarios"]
            while not self.until.is_set():
                page = pages[self.tried % len(pages)]
                item = page.items[0]
                option = item.options[self.tried // len(pages) % len(item.options)].code
                answered = Sheet(answers={item.code: ScenarioAnswer(option, None)})
                self.tried += 1
                sittings.save_page(sitting, page, answered, seen=None, language="fr")
                self.acknowledged.append((time.monotonic(), sitting.revision))
        except BaseException as refused:
            self.refused.append(refused)
        finally:
            connection.close()


def test_a_backup_made_while_others_write_is_of_one_instant(group, folder, another):
    """Whatever was acknowledged before it began is in it; its digests are those of its rows."""
    until = threading.Event()
    people = [
        sittings.open_sitting(
            codes.new_code(codes.RESUME_LENGTH),
            version=group.phase.version,
            phase=group.phase,
            language="fr",
        )
        for _person in range(WRITERS)
    ]
    writers = [Writer(person, until) for person in people]
    for writer in writers:
        writer.start()
    taken = []
    try:
        for _backup in range(BACKUPS):
            until_the_next_second()
            written = [len(writer.acknowledged) for writer in writers]
            while any(
                len(writer.acknowledged) == before and writer.is_alive()
                for writer, before in zip(writers, written, strict=True)
            ):
                time.sleep(0.05)
            began = time.monotonic()
            taken.append((began, backups.take(folder)))
    finally:
        until.set()
        for writer in writers:
            writer.join()
    assert [writer.refused for writer in writers] == [[]] * WRITERS
    assert len({each.manifest.answers.digest for _began, each in taken}) == BACKUPS
    with another:
        for began, each in taken:
            restored = backups.restore(each.path, replace=True)
            found = survey()
            assert {name: found[name].rows for name in found} == {
                name: table.rows for name, table in each.manifest.tables.items()
            }
            assert found["assessments_sitting"] == each.manifest.answers
            assert restored.left == len(group.sittings) + len(group.finished) + WRITERS
            revision = dict(Sitting.objects.values_list("pk", "revision"))
            for writer in writers:
                before = [told for at, told in writer.acknowledged if at < began]
                assert before[-1] <= revision[writer.key] <= writer.tried


def test_the_drill(group, folder, another):
    """Restored elsewhere: every row, and nobody who has left; codes open, releases are the same."""
    Cohort.objects.update(name="Cardiologie, étage 3")
    group.finished += finished(group.phase, 9, seed=1)
    releases.close(group.phase, None)
    published = list(Release.objects.values_list("digest", flat=True))
    assert published
    taken = backups.take(folder)
    everything, before = survey(), rows()
    leaving, staying = group.sittings[0], group.sittings[1]
    sittings.erase(leaving)
    sittings.erase(group.finished[0])
    run("tombstones", "--export", folder / "tombstones.txt")
    with another:
        said = run("restore", taken.path)
        gone = {leaving.pk, group.finished[0].pk}
        assert rows() == [row for row in before if row[0] not in gone]
        found = survey()
        changed = {
            "assessments_sitting",
            "assessments_tombstone",
            "assessments_upkeep",
            "assessments_dailycount",
            *LEFT_OUT,
        }
        assert {name: told for name, told in found.items() if name not in changed} == {
            name: told for name, told in everything.items() if name not in changed
        }
        assert Tombstone.objects.count() == 2
        assert f"{len(before)} sittings, 2 of them erased again: {len(before) - 2}." in said
        assert "(RPO)" in said
        assert "(RTO)" in said
        assert _opens(group.codes[1]) == staying.pk
        assert _opens(group.codes[0]) is None
        kept = Release.objects.get()
        assert [kept.digest] == published
        assert hashlib.sha256(bytes(kept.document)).hexdigest() == kept.digest
        assert releases.published(kept.phase)
    assert not Sitting.objects.filter(pk__in=gone).exists()


def _opens(code: str) -> int | None:
    """The sitting that a code opens, through the real pages."""
    client = Client(headers={"accept-language": "en"})
    client.post(reverse("resume"), {"code": codes.grouped(code)})
    return client.session.get("sitting")


def test_the_database_in_place_is_replaced(backup, group):
    """Without another machine: what came after the backup is gone, but for what was erased."""
    before = rows()
    sittings.erase(group.sittings[0])
    later = sittings.open_sitting(
        codes.new_code(codes.RESUME_LENGTH),
        version=group.phase.version,
        phase=group.phase,
        language="fr",
    )
    client = Client()
    client.post(reverse("resume"), {"code": group.codes[1]})
    assert client.session.get("sitting")
    said = run("restore", backup, replace=True)
    assert rows() == [row for row in before if row[0] != group.sittings[0].pk]
    assert later.pk not in [row[0] for row in rows()]
    assert "1 of them erased again" in said
    assert not client.session.get("sitting"), "somebody is still signed in"
    assert sittings.find_by_code(group.codes[1]).pk == group.sittings[1].pk


def test_a_backup_by_a_clock_that_was_ahead_is_neither_the_last_nor_kept(group, folder):
    today = backups.take(folder).path
    ahead = timezone.now() + timedelta(days=40)
    later = today.with_name(f"readiness-{ahead:%Y%m%dT%H%M%SZ}{today.suffix}")
    for path in (today, manifests.path_of(today)):
        shutil.copy(path, path.with_name(path.name.replace(today.name, later.name)))
    assert later != today
    assert later.exists()
    assert backups.newest(folder) == today
    until_the_next_second()
    assert backups.take(folder).deleted == [later.name]
    assert today.exists()


def test_verifying_touches_nothing(backup, group, folder):
    before, files = survey(), sorted(path.name for path in folder.iterdir())
    assert "good, of" in run("verify_backup", backup)
    assert survey() == before
    assert sorted(path.name for path in folder.iterdir()) == files


def test_of_a_folder_the_newest_is_verified(backup, group, folder):
    until_the_next_second()
    newest = backups.take(folder).path
    assert newest != backup
    assert f"{newest}: good, of" in run("verify_backup", folder)
    newest.with_name(f"{newest.name}.json").unlink()
    with pytest.raises(CommandError, match=newest.name):
        call_command("verify_backup", str(folder))


def test_a_folder_without_backups_is_refused(db, tmp_path):
    with pytest.raises(CommandError, match="there is no backup in it"):
        call_command("verify_backup", str(tmp_path))


def test_nobody_signed_in_and_no_try_is_in_a_backup(group, folder, another):
    client = Client()
    client.post(reverse("resume"), {"code": group.codes[0]})
    spend((Limit("test", 1, timedelta(hours=1)), "192.0.2.1"))
    taken = backups.take(folder)
    assert set(taken.manifest.left_out) == set(LEFT_OUT)
    content = taken.path.read_bytes()
    assert client.session.session_key.encode() not in content
    if connection.vendor == "sqlite":
        assert client.session.encode(dict(client.session)).encode() not in content
    assert Session.objects.count() == 1
    assert Tally.objects.exists()
    with another:
        backups.restore(taken.path)
        assert not Session.objects.exists()
        assert not Tally.objects.exists()


@only_on(SQLITE)
def test_the_erased_leave_nothing_in_the_backup_of_sqlite(group, folder):
    """Nor in pages that were freed."""
    plan = sittings.Plan("A1", "when", "a-word-nobody-else-has", "with", "2027-01-01")
    sittings.keep_plans(group.finished[0], [plan])
    assert b"a-word-nobody-else-has" in backups.take(folder).path.read_bytes()
    sittings.erase(group.finished[0])
    until_the_next_second()
    assert b"a-word-nobody-else-has" not in backups.take(folder).path.read_bytes()


def test_backups_are_for_us_alone(backup, folder):
    for path in (backup, backup.with_name(backup.name + ".json"), folder / "tombstones.txt"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_manifest_tells_no_secret(backup, settings):
    told = backup.with_name(backup.name + ".json").read_text()
    assert settings.SECRET_KEY not in told
    assert msgspec.json.decode(told)["key"]


def test_an_older_backup_is_brought_up_to_date(backup, another):
    """Made before the last migration: it is migrated aside, then put in place."""
    with another:
        call_command("migrate", "assessments", "0004", verbosity=0)
        old = backups.take(backup.parent / "old")
        assert "assessments_tombstone" not in old.manifest.tables
        assert "older than this version" in run("verify_backup", old.path)
        said = run("restore", old.path, replace=True)
        assert "Migrated from an older version" in said
        assert Tombstone.objects.count() == 0
