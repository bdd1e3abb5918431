"""Backups of SQLite: one file, made and put back by SQLite's own means."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

from django.db import connection

from . import files
from .elsewhere import elsewhere
from .manifests import OTHERS, BackupError, Manifest
from .survey import LEFT_OUT, Table, survey
from .survey import migrations as applied

SUFFIX = ".sqlite3"
PATIENCE = 20
"""Seconds to wait for the others at the database."""
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, and would wrongly apply to another put in its place."""


def server() -> str:
    return sqlite3.sqlite_version


def dump(part: Path) -> tuple[dict[str, Table], tuple[str, ...]]:
    """Write one instant of the database, while others go on writing; what it holds."""
    try:
        with closing(sqlite3.connect(_path(), timeout=PATIENCE, isolation_level=None)) as source:
            # Not a page-by-page copy: pages that were freed hold what was erased.
            source.execute("VACUUM INTO ?", [str(part)])
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            copy.execute("PRAGMA secure_delete=ON")
            here = {name for (name,) in copy.execute("SELECT name FROM sqlite_schema")}
            for name in LEFT_OUT:
                if name in here:
                    copy.execute(f'DELETE FROM "{name}"')
            copy.execute("VACUUM")
        with _at(part):
            return survey(), applied()
    except sqlite3.Error as refused:
        raise BackupError(_why(refused)) from None


def sweep() -> None:
    """Delete the copy that a killed restore or verification has left: it holds the erased too."""
    copy = _beside()
    if copy.exists():
        with suppress(files.Locked), files.locked(copy.with_name(copy.name + ".lock")):
            _remove(copy)


@contextmanager
def aside(backup: Path, manifest: Manifest) -> Iterator[Path]:
    """A copy of a backup beside the database, and every query goes there."""
    copy = _beside()
    try:
        with files.locked(copy.with_name(copy.name + ".lock")):
            _remove(copy)
            files.create(copy)
            try:
                _copy(backup, copy)
                with _at(copy):
                    _intact()
                    yield copy
            finally:
                _remove(copy)
    except files.Locked:
        raise BackupError("another restore or verification is running here") from None


def _copy(backup: Path, copy: Path) -> None:
    try:
        shutil.copyfile(backup, copy)
    except OSError as refused:
        raise BackupError(f"{copy}: {files.unreadable(refused)}") from None


def restore(
    backup: Path, manifest: Manifest, *, check: Callable[[], None], prepare: Callable[[], None]
) -> bool:
    """Check and prepare a copy of the backup, then put it in the database's place."""
    live = _path()
    with aside(backup, manifest) as copy:
        check()
        prepare()
        connection.close()
        _replace(copy, live)
    return True


def _replace(copy: Path, path: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as live,
            closing(sqlite3.connect(copy)) as restored,
        ):
            # Leaving WAL takes away -wal and -shm, and succeeds only while nobody else is there;
            # from then on, until it is closed, whoever comes waits.
            live.execute("PRAGMA locking_mode=EXCLUSIVE")
            live.execute("PRAGMA journal_mode=DELETE")
            live.execute("BEGIN EXCLUSIVE")
            live.execute("COMMIT")
            # Into the same file, in one transaction of SQLite's: whole, or not at all.
            restored.backup(live)
    except sqlite3.OperationalError as refused:
        if "locked" in str(refused):
            raise BackupError(OTHERS) from None
        raise BackupError(_why(refused)) from None
    except sqlite3.DatabaseError:
        # What is there is no database any more: nothing of it can be locked, nor kept.
        for suffix in BESIDE:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        files.settle(copy, path)


def _intact() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check(5)")
            problems = [row[0] for row in cursor.fetchall() if row[0] != "ok"]
            cursor.execute("PRAGMA foreign_key_check")
            problems += [f"{row[0]} row {row[1]} points to nothing" for row in cursor.fetchall()]
    except Exception as refused:
        raise BackupError(f"it is no database that can be read ({refused})") from None
    if problems:
        raise BackupError(f"SQLite finds it damaged: {'; '.join(problems[:5])}")


def _path() -> Path:
    return Path(connection.settings_dict["NAME"])


def _beside() -> Path:
    live = _path()
    return live.with_name(live.name + ".aside")


def _at(path: Path) -> AbstractContextManager[None]:
    # Not in WAL, which leaves files beside.
    return elsewhere(path, {"init_command": "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"})


def _remove(path: Path) -> None:
    for each in (path, *(path.with_name(path.name + suffix) for suffix in BESIDE)):
        with suppress(FileNotFoundError):
            each.unlink()


def _why(refused: sqlite3.Error) -> str:
    return "the disk is full" if "full" in str(refused) else f"SQLite says: {refused}"
