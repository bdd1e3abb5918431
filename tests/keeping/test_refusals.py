"""What a backup, a verification or a restore refuses, in clear words, leaving all as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from assessments import backups, sittings, tombstones
from assessments.backups import files, manifests, postgresql, sqlite
from assessments.backups.elsewhere import elsewhere
from assessments.backups.survey import survey
from assessments.models import Release, Sitting

from .conftest import POSTGRESQL, SQLITE, only_on, rows, run, until_the_next_second

pytestmark = pytest.mark.django_db(transaction=True)


def beside(backup: Path) -> Path:
    return backup.with_name(backup.name + ".json")


def told(backup: Path, **changed: object) -> None:
    """Write a manifest anew, with a good seal."""
    manifest = msgspec.structs.replace(manifests.read(beside(backup)), **changed)
    manifests.write(backup, manifest)


def cut(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-100])


def flip(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    backup.write_bytes(content)


def forge(backup: Path) -> None:
    """As :func:`flip`, and the manifest says so; without the key, the seal cannot be made."""
    content = beside(backup).read_text()
    beside(backup).write_text(content.replace('"size": ', '"size": 1'))


def lose_manifest(backup: Path) -> None:
    beside(backup).unlink()


def spoil_manifest(backup: Path) -> None:
    beside(backup).write_text('{"format": 1}')


def make_foreign(backup: Path) -> None:
    """Something else altogether, under a good seal."""
    backup.write_bytes(b"PK\x03\x04" + b"nothing of ours" * 100)
    told(backup, size=backup.stat().st_size, sha256=manifests.sha256_of(backup))


def make_newer(backup: Path) -> None:
    content = beside(backup).read_text()
    beside(backup).write_text(content.replace('"format": 1', '"format": 2'))


def migrate_further(backup: Path) -> None:
    known = manifests.read(beside(backup)).migrations
    told(backup, migrations=(*known, "assessments.9999_later"))


def make_other_engine(backup: Path) -> None:
    told(backup, engine="oracle")


def lack_a_row(backup: Path) -> None:
    tables = manifests.read(beside(backup)).tables
    sitting = tables["assessments_sitting"]
    more = msgspec.structs.replace(sitting, rows=sitting.rows + 1)
    told(backup, tables=tables | {"assessments_sitting": more})


def alter_an_answer(backup: Path) -> None:
    """As if one answer were another: the digest that was written is no longer that of the rows."""
    tables = manifests.read(beside(backup)).tables
    other = msgspec.structs.replace(tables["assessments_sitting"], digest="0" * 64)
    told(backup, tables=tables | {"assessments_sitting": other})


REFUSED: list[tuple[Callable[[Path], None], str]] = [
    (cut, "it is not whole"),
    (flip, "it was altered or is damaged"),
    (forge, "its manifest was altered"),
    (lose_manifest, "is missing: a backup is the file and its manifest"),
    (spoil_manifest, "is no manifest of a backup, or is damaged"),
    (
        make_foreign,
        r"no database that can be read|input file does not appear to be a valid archive",
    ),
    (make_newer, "it was made by a newer Readiness"),
    (migrate_further, "assessments.9999_later is unknown here"),
    (make_other_engine, "it is a backup of oracle"),
    (lack_a_row, "assessments_sitting"),
    (alter_an_answer, "assessments_sitting has another digest"),
]


@pytest.mark.parametrize(("spoil", "said"), REFUSED, ids=[each.__name__ for each, _ in REFUSED])
def test_a_bad_backup_is_refused_and_nothing_is_changed(backup, group, spoil, said):
    sittings.erase(group.sittings[0])
    before = survey()
    spoil(backup)
    with pytest.raises(CommandError, match=said):
        call_command("verify_backup", str(backup))
    with pytest.raises(CommandError, match=said):
        call_command("restore", str(backup), replace=True)
    assert survey() == before
    _nothing_aside()


def test_a_good_one_is_not_refused(backup):
    """Else the test above would prove nothing."""
    assert "good" in run("verify_backup", backup)


def _nothing_aside() -> None:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        left = [path.name for path in Path(name).parent.glob(f"{Path(name).name}.aside*")]
        assert [each for each in left if not each.endswith(".lock")] == []
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname = %s", [f"{name}_aside"])
            assert cursor.fetchall() == []


def test_an_altered_release_is_found(group, folder):
    day = timezone.localdate()
    Release.objects.create(phase=group.phase, document=b"{}", digest="0" * 64, made_on=day)
    with pytest.raises(CommandError, match="published documents were altered: assessments_release"):
        call_command("verify_backup", str(backups.take(folder).path))


def test_a_database_that_holds_data_is_not_replaced_by_mistake(backup):
    before = survey()
    with pytest.raises(CommandError, match="the database holds data: --replace"):
        call_command("restore", str(backup))
    assert survey() == before


def test_another_secret_key_is_told_before_codes_open_nothing(backup, settings):
    settings.SECRET_KEY = "another, of another installation"
    before = survey()
    with pytest.raises(CommandError, match="made with another secret key"):
        call_command("restore", str(backup), replace=True)
    with pytest.raises(CommandError, match="made with another secret key"):
        call_command("verify_backup", str(backup))
    assert survey() == before


def test_once_the_key_is_lost_answers_go_and_the_rest_stays(
    backup, settings, folder, group, tmp_path
):
    """Though lists of that key lie beside the backup, as wherever backups are made, and elsewhere:
    nobody can come back whom they name. They stay, for the key may turn up again."""
    kept = (folder / backups.LIST).read_text()
    elsewhere_kept = tmp_path / "exported.txt"
    elsewhere_kept.write_text(kept)
    settings.SECRET_KEY = "another, of another installation"
    run("restore", backup, replace=True, key_lost=True, tombstones=[elsewhere_kept])
    assert not Sitting.objects.exists()
    group.phase.refresh_from_db()
    assert (folder / backups.LIST).read_text() == kept


def test_once_the_key_is_lost_nobody_is_said_to_have_come_back(backup, settings, another):
    settings.SECRET_KEY = "another, of another installation"
    with another:
        said = run("restore", backup, key_lost=True)
    assert "of them erased again: 0." in said
    assert "come back" not in said


def test_a_list_of_another_key_stops_a_restore_with_the_right_one(backup, settings, tmp_path):
    """--key-lost or not: whom it names would come back."""
    right, foreign = settings.SECRET_KEY, tmp_path / "foreign.txt"
    settings.SECRET_KEY = "another, of another installation"
    foreign.write_text(tombstones.written(tombstones.known()))
    settings.SECRET_KEY = right
    before = survey()
    for key_lost in (False, True):
        with pytest.raises(CommandError, match="made with another secret key"):
            call_command(
                "restore", str(backup), replace=True, key_lost=key_lost, tombstones=[foreign]
            )
    assert survey() == before


@pytest.mark.parametrize("spoilt", ["nonsense\n", None, "cut"])
def test_a_bad_list_of_the_erased_stops_the_restore(backup, group, tmp_path, spoilt):
    """Rather than bring back whom it names."""
    sittings.erase(group.sittings[0])
    path = tmp_path / "list"
    if spoilt is not None:
        path.write_text(tombstones.written(tombstones.known())[:-1] if spoilt == "cut" else spoilt)
    before = survey()
    with pytest.raises(CommandError, match="list"):
        call_command("restore", str(backup), replace=True, tombstones=[path])
    assert survey() == before


def with_a_full_disk(*command: object) -> subprocess.CompletedProcess[str]:
    """The limit on the size of files stands for the disk's: both refuse the write."""
    program = (
        "import resource, signal, sys, django; django.setup();"
        "from django.db import connection;"
        "connection.settings_dict['NAME'] = sys.argv[1];"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from django.core.management import call_command;"
        "call_command(*sys.argv[2:])"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(connection.settings_dict["NAME"]), *map(str, command)],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "readiness.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_disk_that_is_full_is_said_and_leaves_nothing(backup, group, folder, tmp_path):
    there = sorted(path.name for path in folder.iterdir())
    done = with_a_full_disk("backup", folder)
    assert done.returncode
    assert "No backup was made" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == there
    assert "good" in run("verify_backup", backup)


@only_on(SQLITE)
def test_a_disk_with_no_room_to_try_a_backup_on_is_said_and_nothing_is_changed(backup):
    before = survey()
    done = with_a_full_disk("restore", backup, "--replace")
    assert done.returncode
    assert done.stderr.splitlines()[-1].endswith("the disk is full.")
    assert survey() == before


def test_what_a_killed_backup_left_is_swept(backup, folder):
    for name in ("readiness-20200101T000000Z.dump.part", "readiness-20200101T000000Z.sqlite3"):
        (folder / name).write_text("half")
    second = _later(folder)
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".json") == sorted(
        [".lock", backup.name, second.name, "tombstones.txt"]
    )


def test_what_a_killed_restore_left_is_swept_by_the_next_backup(backup, folder):
    """It holds whoever has erased their answers since."""

    def there() -> bool:
        if connection.vendor == SQLITE:
            return sqlite._beside().exists()
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [postgresql._beside()])
            return cursor.fetchone() is not None

    if connection.vendor == SQLITE:
        shutil.copy(backup, sqlite._beside())
    else:
        quoted = connection.ops.quote_name(postgresql._beside())
        with postgresql._maintenance() as cursor:
            cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0")
    assert there()
    _later(folder)
    assert not there()


def _later(folder: Path) -> Path:
    until_the_next_second()
    return backups.take(folder).path


def aged(backup: Path, days: int) -> Path:
    """A copy of a backup, as if made so many days ago."""
    at = timezone.now() - timedelta(days=days, minutes=1)
    path = backup.with_name(f"readiness-{at:%Y%m%dT%H%M%SZ}{backup.suffix}")
    shutil.copy(backup, path)
    shutil.copy(beside(backup), beside(path))
    return path


def test_backups_are_kept_as_long_as_the_notice_says(backup, folder):
    old, kept = aged(backup, 29), aged(backup, 28)
    other = folder / "notes.txt"
    other.write_text("not ours")
    until_the_next_second()
    said = run("backup", folder)
    assert f"{old.name}: past its day, deleted." in said
    assert not old.exists()
    assert not beside(old).exists()
    assert kept.exists()
    assert other.exists()


def test_by_a_clock_that_has_jumped_a_backup_is_made_and_none_is_deleted(backup, folder):
    listed = (folder / backups.LIST).read_text()
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        with pytest.raises(CommandError, match="The backup was made, and no older one deleted"):
            call_command("backup", str(folder))
        assert len(list(folder.glob(f"*{backup.suffix}"))) == 2
        assert (folder / backups.LIST).read_text() == listed
        until_the_next_second()
        assert f"{backup.name}: past its day, deleted." in run("backup", folder, "--force")
    assert not backup.exists()


def test_while_backups_fail_the_last_good_one_stays(backup, folder, monkeypatch):
    old = aged(backup, 60)

    def fails(part):
        raise backups.BackupError("the disk is full")

    monkeypatch.setattr(backups.ENGINES[connection.vendor], "dump", fails)
    until_the_next_second()
    with pytest.raises(CommandError, match="No backup was made: the disk is full"):
        call_command("backup", str(folder))
    assert old.exists()
    assert backup.exists()
    assert not list(folder.glob("*.part"))


def test_two_backups_at_once_do_not_mix(backup, folder):
    with (
        files.locked(folder / ".lock"),
        pytest.raises(CommandError, match=r"another backup into .* is running"),
    ):
        call_command("backup", str(folder))


def test_a_database_in_use_is_not_replaced(backup, monkeypatch):
    """Though its server rests between two requests, and holds no lock."""
    monkeypatch.setattr(backups.ENGINES[connection.vendor], "PATIENCE", 0.2)
    before = survey()
    name = connection.settings_dict["NAME"]
    to = connected if connection.vendor == POSTGRESQL else sqlite3.connect
    with closing(to(name)) as server:
        server.execute("SELECT count(*) FROM assessments_sitting").fetchall()
        with pytest.raises(CommandError, match="stop the server and the worker first"):
            call_command("restore", str(backup), replace=True)
    assert survey() == before


def connected(name: object) -> psycopg.Connection[tuple[object, ...]]:
    """Somebody else, who is at a database of PostgreSQL."""
    told = connection.get_connection_params()
    settled = {key: value for key, value in told.items() if key in postgresql.LIBPQ}
    return psycopg.connect(**settled, dbname=str(name), autocommit=True)


# --- SQLite ---------------------------------------------------------------------------------------


# Django leaves a connection open that fails as it opens.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@only_on(SQLITE)
def test_a_damaged_database_is_replaced_with_what_lay_beside_it(backup, another):
    """Its -wal and -shm would be applied to the new one."""
    before = rows()
    with another:
        path = Path(connection.settings_dict["NAME"])
        path.write_bytes(b"no database at all " * 1000)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).write_bytes(b"stale")
        with pytest.raises(CommandError, match="--replace"):
            call_command("restore", str(backup))
        run("restore", backup, replace=True)
        assert rows() == before
        assert path.stat().st_mode & 0o777 == 0o600


# --- PostgreSQL -----------------------------------------------------------------------------------


@only_on(POSTGRESQL)
def test_a_restore_that_fails_in_the_middle_changes_nothing(backup, monkeypatch):
    before = survey()
    whole = postgresql._load

    def loaded(backup, manifest, name):
        if not name.endswith("_aside"):
            monkeypatch.setattr(postgresql, "_COUNTED", "SELECT 1/0; -- {name}\n")
        whole(backup, manifest, name)

    monkeypatch.setattr(postgresql, "_load", loaded)
    with pytest.raises(CommandError, match="division by zero"):
        call_command("restore", str(backup), replace=True)
    assert survey() == before


@only_on(POSTGRESQL)
def test_a_restore_that_is_killed_in_the_middle_changes_nothing(backup, monkeypatch):
    """What psql reads ends between two statements, as when the process that writes it is no
    more."""
    before = survey()
    started: list[subprocess.Popen[bytes]] = []

    def start(program, arguments, name=None, **streams):
        started.append(whole(program, arguments, name, **streams))
        in_place = name is not None and not name.endswith("_aside")
        monkeypatch.setattr(postgresql.shutil, "copyfileobj", cut if in_place else shutil_copy)
        return started[-1]

    def cut(reading, writing):
        writing.write(reading.read().partition(b"\nCOPY ")[0])
        raise KeyboardInterrupt

    whole, shutil_copy = postgresql._start, shutil.copyfileobj
    monkeypatch.setattr(postgresql, "_start", start)
    with pytest.raises(KeyboardInterrupt):
        call_command("restore", str(backup), replace=True)
    for process in started:
        process.wait()
    assert survey() == before


@only_on(POSTGRESQL)
def test_whom_a_restore_cut_short_brought_back_the_next_one_erases(backup, group, monkeypatch):
    """The database that knew them to be erased is gone by then."""
    gone = group.sittings[0].pk
    sittings.erase(group.sittings[0])

    def killed(erased):
        if connection.settings_dict["NAME"].endswith("_aside"):
            return whole(erased)
        raise KeyboardInterrupt

    whole = tombstones.add
    with monkeypatch.context() as patched:
        patched.setattr(tombstones, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            call_command("restore", str(backup), replace=True)
    assert Sitting.objects.filter(pk=gone).exists()
    assert "1 of them erased again" in run("restore", backup, replace=True)
    assert not Sitting.objects.filter(pk=gone).exists()


@only_on(POSTGRESQL)
def test_what_another_schema_left_is_cleared(backup):
    """A table, a view and a trigger's function that the backup does not know."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id serial PRIMARY KEY)")
        cursor.execute("CREATE VIEW shown AS SELECT * FROM later")
        cursor.execute("CREATE FUNCTION refuse() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    run("restore", backup, replace=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('later'), to_regclass('shown'), to_regproc('refuse')")
        assert cursor.fetchone() == (None, None, None)


@only_on(POSTGRESQL)
def test_a_role_that_may_make_no_database_is_told(backup, monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE readiness_poor LOGIN")
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "USER", "readiness_poor")
        with pytest.raises(CommandError, match="give the role CREATEDB"):
            call_command("verify_backup", str(backup))
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE readiness_poor")


@only_on(POSTGRESQL)
def test_what_cannot_be_tried_aside_is_compared_in_place(backup, monkeypatch):
    """As on a managed server: a disaster is no time to be refused a restore."""

    def untried(backup, manifest):
        raise postgresql.Untried("no temporary database")

    before = rows()
    Sitting.objects.all().delete()
    monkeypatch.setattr(postgresql, "aside", untried)
    assert "They were compared in place" in run("restore", backup, replace=True)
    assert rows() == before
    alter_an_answer(backup)
    with pytest.raises(CommandError, match=r"in place all the same, but .*another digest"):
        call_command("restore", str(backup), replace=True)


@only_on(POSTGRESQL)
def test_while_another_is_at_work_aside_a_restore_is_refused(backup):
    """The weekly verification, as on SQLite: the role may make databases all the same."""
    before = survey()
    quoted = connection.ops.quote_name(postgresql._beside())
    with postgresql._maintenance() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0")
    try:
        with (
            closing(connected(postgresql._beside())),
            pytest.raises(CommandError, match="is being accessed by other users"),
        ):
            call_command("restore", str(backup), replace=True)
    finally:
        with postgresql._maintenance() as cursor:
            cursor.execute(f"DROP DATABASE {quoted} WITH (FORCE)")
    assert survey() == before


@only_on(POSTGRESQL)
def test_a_role_that_may_not_enter_postgresqls_own_database_tries_aside_too(backup, monkeypatch):
    def entered(name, *options):
        return elsewhere("nowhere" if name == "postgres" else name, *options)

    monkeypatch.setattr(postgresql, "elsewhere", entered)
    assert "good" in run("verify_backup", backup)


def away(*arguments: object) -> None:
    raise OperationalError("the database system is shutting down\ndetails")


@only_on(POSTGRESQL)
@pytest.mark.parametrize(
    "where", ["backups.in_use", "tombstones.known", "backups.postgresql._maintenance"]
)
def test_a_server_that_is_away_for_a_while_is_waited_for(backup, group, monkeypatch, where):
    """Rather than taken for one that may not be asked, or a database that cannot be read: whoever
    has erased their answers would come back."""
    sittings.erase(group.sittings[0])
    before = survey()
    with monkeypatch.context() as patched:
        patched.setattr(f"assessments.{where}", away)
        with pytest.raises(CommandError, match=r"the database system is shutting down\W*\.$"):
            call_command("restore", str(backup), replace=True)
    assert survey() == before


@only_on(POSTGRESQL)
def test_a_backup_of_a_server_that_is_away_is_said_to_be_none(backup, folder, monkeypatch):
    monkeypatch.setattr(postgresql, "dump", away)
    until_the_next_second()
    with pytest.raises(CommandError, match=r"No backup was made: the database cannot be reached"):
        call_command("backup", str(folder))
    assert backup.exists()
    assert not list(folder.glob("*.part"))


@only_on(POSTGRESQL)
def test_a_database_that_lacks_a_file_may_be_replaced(backup, monkeypatch):
    """That will not pass."""

    def damaged() -> None:
        message = 'could not open file "base/5/1"'
        raise OperationalError(message) from psycopg.errors.UndefinedFile(message)

    before = rows()
    Sitting.objects.all().delete()
    monkeypatch.setattr(backups, "in_use", damaged)
    run("restore", backup, replace=True)
    assert rows() == before


@pytest.fixture
def of_a_plain_role(monkeypatch) -> Iterator[AbstractContextManager[None]]:
    """A database of a role that is no superuser, with an extension that a superuser has made."""
    name, role = f"{connection.settings_dict['NAME']}_plain", "readiness_plain"

    @contextmanager
    def there() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setitem(connection.settings_dict, "USER", role)
            with elsewhere(name):
                yield

    with postgresql._maintenance() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN CREATEDB")
        cursor.execute(f'CREATE DATABASE "{name}" OWNER {role} TEMPLATE template0')
    try:
        with elsewhere(name), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION amcheck")
        yield there()
    finally:
        with postgresql._maintenance() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            cursor.execute(f"DROP ROLE {role}")


@only_on(POSTGRESQL)
def test_an_extension_that_an_administrator_made_is_left_to_them(backup, folder, of_a_plain_role):
    """The dump names it, and none but they may make it, or say what it is for."""
    before = rows()
    with of_a_plain_role:
        run("restore", backup)
        until_the_next_second()
        taken = backups.take(folder).path
        assert "good" in run("verify_backup", taken)
        run("restore", taken, replace=True)
        assert rows() == before
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_extension WHERE extname = 'amcheck'")
            assert cursor.fetchall() == [()]


@only_on(POSTGRESQL)
def test_who_comes_while_a_backup_is_tried_aside_is_not_thrown_out(backup, monkeypatch):
    before, come = survey(), []
    whole, live = postgresql._load, connection.settings_dict["NAME"]

    def loaded(backup, manifest, name):
        come.append(connected(live))
        whole(backup, manifest, name)

    monkeypatch.setattr(postgresql, "PATIENCE", 0.2)
    monkeypatch.setattr(postgresql, "_load", loaded)
    try:
        with pytest.raises(CommandError, match="stop the server and the worker first"):
            call_command("restore", str(backup), replace=True)
    finally:
        for each in come:
            each.close()
    assert len(come) == 1
    assert survey() == before


@only_on(POSTGRESQL)
def test_who_only_looks_on_is_in_nobodys_way(backup):
    with closing(connected(connection.settings_dict["NAME"])) as looking:
        looking.execute("SET application_name = 'psql'")
        run("restore", backup, replace=True)


@only_on(POSTGRESQL)
def test_what_the_last_ones_at_the_database_erase_does_not_come_back(backup, group, monkeypatch):
    """The restore waits for them, and then asks what was erased."""

    def waited() -> None:
        monkeypatch.setattr(postgresql, "alone", whole)
        sittings.erase(group.sittings[0])
        whole()

    whole = postgresql.alone
    monkeypatch.setattr(postgresql, "alone", waited)
    assert "1 of them erased again" in run("restore", backup, replace=True)


@pytest.fixture
def started(monkeypatch) -> list[tuple[list[str], dict[str, str]]]:
    """The programs that are started: their arguments and their environment."""
    seen = []
    real = subprocess.Popen

    class Watched(real):
        def __init__(self, arguments, **options):
            seen.append((arguments, options["env"]))
            super().__init__(arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    return seen


@only_on(POSTGRESQL)
def test_programs_go_where_the_address_of_the_database_leads(folder, monkeypatch, started):
    """To the primary of two servers, or the dump would be of a standby."""
    options = {"target_session_attrs": "read-write", "application_name": "readiness"}
    for name, value in options.items():
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], name, value)
    backups.take(folder)
    ((_arguments, environment),) = started
    assert environment["PGTARGETSESSIONATTRS"] == "read-write"
    assert environment["PGAPPNAME"] == "readiness"
    assert environment["PGCONNECT_TIMEOUT"] == "3"


@only_on(POSTGRESQL)
def test_a_dump_may_take_longer_than_a_transaction_may_be_idle(folder, group, monkeypatch):
    """DEPLOYMENT.md bounds that for the role: what holds the snapshot has nothing to say."""

    def slow(program, arguments):
        time.sleep(1)
        run_program(program, arguments)

    run_program = postgresql._run
    monkeypatch.setattr(postgresql, "_run", slow)
    soon = {"options": "-c idle_in_transaction_session_timeout=400ms"}
    with elsewhere(connection.settings_dict["NAME"], soon):
        assert backups.take(folder).manifest.answers.rows == Sitting.objects.count()


@only_on(POSTGRESQL)
def test_no_secret_is_in_the_arguments_of_a_program(folder, monkeypatch, started):
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "a-password")
    backups.verify(backups.take(folder).path)
    assert {Path(arguments[0]).name for arguments, _env in started} == {
        "pg_dump",
        "pg_restore",
        "psql",
    }
    for arguments, environment in started:
        assert "a-password" not in " ".join(arguments)
        assert environment["PGPASSWORD"] == "a-password"
