"""Nothing is kept longer than was said, and what was erased stays erased."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from assessments import limits, sittings, tombstones, upkeep
from assessments.limits import Limit
from assessments.models import Sitting, Tally, Tombstone, Upkeep
from assessments.sittings import Plan
from readiness.retention import Retention, basis_told, kept_told
from tests.sitting.conftest import Person, asked, version  # noqa: F401

from .conftest import SQLITE, only_on, run

pytestmark = pytest.mark.django_db


def again(sitting: Sitting) -> None:
    """As a backup brings it back."""
    Sitting.objects.bulk_create([sitting])


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 11, 28), 24, date(2024, 11, 28)),
        (date(2028, 2, 29), 24, date(2026, 2, 28)),
        (date(2026, 5, 31), 3, date(2026, 2, 28)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
    ],
)
def test_months_are_those_of_the_calendar(day, months, before):
    assert sittings.months_before(day, months) == before


def test_what_is_not_set_is_as_the_notice_said_from_the_start():
    assert kept_told("", "", "") == Retention(30, 24, 30)
    assert kept_told("60", " 12 ", "7") == Retention(60, 12, 7)
    assert basis_told("") == "legitimate-interest"


@pytest.mark.parametrize(
    "told", [("6", "", ""), ("", "37", ""), ("", "", "91"), ("", "-1", ""), ("a month", "", "")]
)
def test_a_setting_out_of_bounds_is_refused(told):
    with pytest.raises(ImproperlyConfigured, match="is a whole number from"):
        kept_told(*told)


def test_consent_is_no_legal_basis_here():
    with pytest.raises(ImproperlyConfigured, match="READINESS_LEGAL_BASIS"):
        basis_told("consent")


def test_the_notice_says_what_is_set(client, settings):
    settings.RETENTION = Retention(45, 13, 21)
    settings.LEGAL_BASIS = "public-interest"
    page = client.get(reverse("privacy"), headers={"accept-language": "en"}).text
    for said in ("45 days after you", "at most 13 months", "after 21 days at most", "for 21 days"):
        assert said in page
    assert "task of public interest" in page
    assert "legitimate interest" not in page


@pytest.mark.parametrize("months", [12, 36])
def test_the_purge_keeps_what_is_set(group, settings, months):
    settings.RETENTION = Retention(30, months, 30)
    last = sittings.months_before(timezone.localdate(), months)
    kept, over, *_others = group.finished
    Sitting.objects.filter(pk=kept.pk).update(finished_on=last)
    Sitting.objects.filter(pk=over.pk).update(finished_on=last - timedelta(days=1))
    assert run("purge") == "1 sittings deleted.\n"
    assert not Sitting.objects.filter(pk=over.pk).exists()
    assert Sitting.objects.filter(pk=kept.pk).exists()


def test_erasing_leaves_a_keyed_hash_and_a_day(group, settings):
    erased = group.sittings[0]
    key = erased.pk
    sittings.erase(erased)
    stone = Tombstone.objects.get()
    assert [field.name for field in Tombstone._meta.concrete_fields] == ["key", "day"]
    assert bytes(stone.key) == tombstones.key_of(key)
    assert stone.day == timezone.localdate()
    settings.SECRET_KEY = "another"
    assert bytes(stone.key) != tombstones.key_of(key)


def test_it_is_left_in_the_transaction_that_erases(group):
    @transaction.atomic
    def fails() -> None:
        sittings.erase(group.sittings[0])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not Tombstone.objects.exists()
    assert Sitting.objects.filter(pk=group.sittings[0].pk).exists()


def test_what_came_back_is_erased_again_by_the_next_purge(group):
    erased, other = group.sittings[:2]
    sittings.erase(erased)
    again(erased)
    assert "1 erased sittings had come back, and were erased again." in run("purge")
    assert not Sitting.objects.filter(pk=erased.pk).exists()
    assert Sitting.objects.filter(pk=other.pk).exists()
    assert run("purge") == "0 sittings deleted.\n"


def test_a_list_kept_elsewhere_erases_again(group, tmp_path):
    """The database that held the tombstone is lost; the list is not."""
    path = tmp_path / "list"
    first, second = group.sittings[:2]
    sittings.erase(first)
    assert run("tombstones", "--export", path) == f"{path}: 1 tombstones.\n"
    assert run("tombstones", "--export", "-") == path.read_text()
    Tombstone.objects.all().delete()
    sittings.erase(second)
    run("tombstones", "--export", path)  # and it never grows shorter
    Tombstone.objects.all().delete()
    again(first)
    again(second)
    said = run("tombstones", "--import", path)
    assert said == "2 sittings erased again, of 2 on the list.\n"
    assert not Sitting.objects.filter(pk__in=[first.pk, second.pk]).exists()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_list_tells_nothing_of_anybody(group, tmp_path):
    sittings.erase(group.finished[0])
    told = tombstones.written(tombstones.known())
    for secret in (str(group.finished[0].pk), group.phase.cohort.name, group.phase.cohort.code):
        assert secret not in told
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize("content", ["", "a line\n", "readiness tombstones 1 x\n"])
def test_what_is_no_list_changes_nothing(group, tmp_path, content):
    path = tmp_path / "list"
    path.write_text(content)
    for option in ("--import", "--export"):
        with pytest.raises(CommandError, match="nothing is changed"):
            call_command("tombstones", option, str(path))
    assert path.read_text() == content


def test_a_list_of_another_key_is_refused(group, tmp_path, settings):
    path = tmp_path / "list"
    run("tombstones", "--export", path)
    settings.SECRET_KEY = "another"
    with pytest.raises(CommandError, match="made with another secret key"):
        call_command("tombstones", "--import", str(path))


def test_a_tombstone_is_kept_as_long_as_a_backup(group, settings):
    """No backup is older than that, the last one apart where no other was made since."""
    sittings.erase(group.sittings[0])
    days = settings.RETENTION.backups_days
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        run("purge")
        assert Tombstone.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(days=days + 1)):
        assert "tombstones were older than any backup" in run("purge")
        assert not Tombstone.objects.exists()


def test_nothing_personal_outlives_a_purge(group, client):
    """Sessions, counts of tries and what is cached end by themselves, and then they go."""
    session = SessionStore()
    session["sitting"] = group.sittings[0].pk
    session.save()
    limits.spend((Limit("test", 1, timedelta(days=1)), "192.0.2.1"))
    cache.set("kept", "something", 60)
    table = connection.ops.quote_name("readiness_cache")

    def cached() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            return cursor.fetchone()[0]

    run("purge")
    assert (Session.objects.count(), Tally.objects.count(), cached()) == (1, 1, 1)
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        run("purge")
        assert (Session.objects.count(), Tally.objects.count(), cached()) == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_purges_at_once_do_no_harm(group):
    Sitting.objects.filter(pk=group.finished[0].pk).update(finished_on=date(2020, 1, 1))
    sittings.erase(group.sittings[0])
    again(group.sittings[0])
    left = Sitting.objects.count() - 2
    said: list[str] = []

    def purge() -> None:
        try:
            said.append(run("purge"))
        except Exception as refused:
            said.append(repr(refused))
        finally:
            connection.close()

    threads = [threading.Thread(target=purge) for _thread in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.splitlines()[0] for each in said) == [
        "0 sittings deleted.",
        "0 sittings deleted.",
        "1 sittings deleted.",
    ]
    assert sum("1 erased sittings had come back" in each for each in said) == 1
    assert Sitting.objects.count() == left


@pytest.mark.parametrize("days", [40, 8, -2])
def test_by_a_clock_that_has_jumped_nothing_is_deleted(group, days):
    run("purge")
    there = Sitting.objects.count()
    Sitting.objects.update(opened_on=timezone.localdate() - timedelta(days=30))
    with (
        time_machine.travel(timezone.now() + timedelta(days=days)),
        pytest.raises(CommandError, match=r"Nothing was deleted: it is .* --force"),
    ):
        call_command("purge")
    assert Sitting.objects.count() == there
    assert run("purge") == "0 sittings deleted.\n"


def test_after_a_month_of_rest_it_goes_on_once_somebody_says_that_the_clock_is_right(group):
    run("purge")
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert run("purge", "--force") == f"{len(group.sittings)} sittings deleted.\n"
        assert upkeep.doubt() == ""
        assert run("purge") == "0 sittings deleted.\n"


def test_a_clock_that_was_ahead_for_some_days_is_forgotten_by_the_same_word(group):
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        run("purge")
        upkeep.done(upkeep.Work.BACKUP)
    assert "was last done" in upkeep.doubt()
    run("purge", "--force")
    assert upkeep.doubt() == ""


def test_one_sees_when_the_purge_is_no_longer_run(group):
    def told() -> list[str]:
        return [each.id for each in upkeep.check_upkeep(None, databases=["default"])]

    assert told() == []  # nobody has answered for so long yet
    Sitting.objects.update(opened_on=timezone.localdate() - timedelta(days=3))
    assert told() == ["readiness.purge", "readiness.backup"]
    run("purge")
    upkeep.done(upkeep.Work.BACKUP)
    assert told() == []
    Upkeep.objects.update(done_at=timezone.now() - timedelta(hours=37))
    assert told() == ["readiness.purge", "readiness.backup"]
    assert upkeep.check_upkeep(None) == []


@only_on(SQLITE)
@pytest.mark.django_db(transaction=True)
def test_what_was_erased_is_gone_from_the_log_of_sqlite_too(version, asked):  # noqa: F811
    """Threads keep their connection, so that the log beside the file stays."""
    word = "a plan that nobody else has written"
    person = Person()
    person.begin()
    sittings.keep_plans(person.sitting, [Plan("s1", word, word, "", "2026-12-24")])
    files = [Path(f"{connection.settings_dict['NAME']}{suffix}") for suffix in ("", "-wal")]
    assert any(word.encode() in file.read_bytes() for file in files if file.exists())
    sittings.erase(person.sitting)
    assert not any(word.encode() in file.read_bytes() for file in files if file.exists())


@only_on(SQLITE)
@pytest.mark.django_db(transaction=True)
def test_erasing_does_not_wait_for_a_backup_and_is_whole_after_it(version, asked):  # noqa: F811
    word = "another plan that nobody else has written"
    person = Person()
    person.begin()
    sittings.keep_plans(person.sitting, [Plan("s1", word, word, "", "2026-12-24")])
    name = Path(connection.settings_dict["NAME"])
    log = name.with_name(f"{name.name}-wal")
    with closing(sqlite3.connect(name, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM assessments_sitting").fetchone() == (1,)
        sittings.erase(person.sitting)
        assert word.encode() in log.read_bytes()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            assert cursor.fetchone() == (1000 * settings.SQLITE_OPTIONS["timeout"],)
        reader.execute("COMMIT")
    sittings.purge()
    assert word.encode() not in log.read_bytes()
