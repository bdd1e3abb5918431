"""Backups that prove what they hold, and are restored without bringing back who has left.

A backup is a file (SQLite's own, or ``pg_dump``'s) and a manifest beside it: rows and digests of
every table at the instant of the backup. A restore is tried aside, compared with the manifest,
and only then takes the place of what was there; whoever erased their answers since is erased again
(:mod:`assessments.tombstones`).
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from .. import tombstones, upkeep
from ..models import Sitting, Tombstone, Upkeep
from . import files, manifests, postgresql, sqlite
from .manifests import BackupError, Manifest
from .survey import LEFT_OUT, altered_documents, in_use, migrations, survey

__all__ = ["BackupError", "Manifest", "Restored", "Taken", "newest", "restore", "take", "verify"]

ENGINES: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}
NAME = re.compile(r"readiness-\d{8}T\d{6}Z\.(sqlite3|dump)")
LIST = "tombstones.txt"
"""What was erased, in the folder of the backups; other lists there are called tombstones-….txt."""
LISTS = "tombstones*.txt"


@dataclass(frozen=True, slots=True)
class Taken:
    path: Path
    manifest: Manifest
    deleted: list[str]
    """Older backups that are past their day."""
    doubt: str = ""
    """Why none was deleted, where the clock may be wrong (:func:`assessments.upkeep.doubt`)."""


@dataclass(slots=True)
class Restored:
    manifest: Manifest
    seconds: float = 0.0
    """How long it took: the recovery time."""
    migrated: list[str] = field(default_factory=list)
    erased: int = 0
    """Sittings that came back and were erased again."""
    known_until: datetime | None = None
    """Until when all that was erased is known; None where no list was found."""
    tried: bool = True
    """Whether it was tried aside before anything was changed."""
    too_old: bool = False
    """Whether what was erased is remembered for less long than it is old."""
    left: int = 0
    """Sittings that are there now."""


def take(folder: Path, *, force: bool = False) -> Taken:
    """Back up one instant of the database. Raises :class:`BackupError`, and leaves no half file.

    By a clock that may be wrong, nothing older is deleted, unless by ``force``.
    """
    engine = ENGINES[connection.vendor]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with files.locked(folder / ".lock"), postgresql.reached():
            _sweep(folder)
            engine.sweep()
            taken = _take(engine, folder)
            # Before an upgrade, a backup is made of a database that has not all tables yet.
            kept = taken.manifest.tables.keys()
            noted = Upkeep._meta.db_table in kept
            if noted and not force and (doubt := upkeep.doubt()):
                return Taken(taken.path, taken.manifest, [], doubt)
            if Tombstone._meta.db_table in kept:
                _list_erased(folder)
            deleted = _delete_old(folder, taken.path)
    except files.Locked:
        raise BackupError(f"another backup into {folder} is running") from None
    except OSError as refused:
        raise BackupError(f"{folder}: {files.unreadable(refused)}") from None
    if noted:
        upkeep.done(upkeep.Work.BACKUP)
    return Taken(taken.path, taken.manifest, deleted)


def _take(engine: ModuleType, folder: Path) -> Taken:
    taken_at = timezone.now().astimezone(UTC).replace(microsecond=0)
    path = folder / f"readiness-{taken_at:%Y%m%dT%H%M%SZ}{engine.SUFFIX}"
    if path.exists():
        raise BackupError(f"{path.name} is there already: one backup a second")
    part = path.with_name(path.name + files.PART)
    files.create(part)
    try:
        tables, applied = engine.dump(part)
        if Sitting._meta.db_table not in tables:
            raise BackupError("there is nothing to back up: the database was never migrated")
        manifest = Manifest(
            readiness=manifests.software(),
            engine=connection.vendor,
            server=engine.server(),
            taken_at=taken_at,
            file=path.name,
            size=part.stat().st_size,
            sha256=files.sha256_of(part),
            key=tombstones.check(),
            migrations=applied,
            left_out=tuple(name for name in LEFT_OUT if name in tables),
            tables=tables,
        )
        files.settle(part, path)
        try:
            manifests.write(path, manifest)
        except BaseException:
            path.unlink()
            raise
    finally:
        _unlink(folder, f"{part.name}*")
    return Taken(path, manifest, [])


def newest(folder: Path) -> Path:
    """The last backup that was made there."""
    found = [path for path in folder.glob("*") if NAME.fullmatch(path.name)]
    if not found:
        raise BackupError("there is no backup in it")
    # One by a clock that was ahead is the last only where there is no other.
    return max(found, key=lambda path: (_taken_at(path) <= _latest(), path.name))


def verify(path: Path) -> Restored:
    """Restore a backup aside and compare it with its manifest; nothing else is touched."""
    began = time.monotonic()
    engine, manifest = _opened(path)
    with postgresql.reached(), engine.aside(path, manifest):
        _check(manifest)
        done = Restored(manifest, left=manifest.answers.rows)
        done.migrated = _migrate(manifest)
    done.seconds = time.monotonic() - began
    return done


def restore(
    path: Path, *, replace: bool = False, lists: Sequence[Path] = (), key_lost: bool = False
) -> Restored:
    """Put a backup in the database's place, without those who have erased their answers since.

    ``lists`` are files of tombstones, beside those in the backup's folder and those of the
    database that is replaced. Raises :class:`BackupError`; nothing is changed then.
    """
    began = time.monotonic()
    engine, manifest = _opened(path, key_lost=key_lost)
    used = _used()
    if used and not replace:
        raise BackupError("the database holds data: --replace puts the backup in its place")
    if connection.vendor == "postgresql":
        # Before it is asked what was erased: whoever is still there may erase more.
        postgresql.alone()
    erased = _erased() if used else None
    # All answers are deleted then: a list of the lost key, which nobody can read, is not needed.
    lost = key_lost and manifest.key != tombstones.check()
    passed_over = []
    for each in (*sorted(path.parent.glob(LISTS)), *lists):
        found = _of_list(each, key_lost=lost)
        if found is None:
            passed_over.append(each)
        else:
            erased = erased | found if erased else found
    # A list that was passed over stays until the next backup: the key may turn up again.
    if erased is not None and path.parent / LIST not in passed_over:
        # What is replaced takes its tombstones with it: a restore that is cut short and run again
        # finds them here. A folder that cannot be written to keeps nobody from restoring.
        with suppress(OSError):
            files.write_whole(path.parent / LIST, tombstones.written(erased).encode("ascii"))
    done = Restored(manifest, known_until=erased.as_of if erased else None)
    kept = timedelta(days=settings.RETENTION.backups_days)
    done.too_old = manifest.taken_at < timezone.now() - kept

    def prepare() -> None:
        done.migrated = _migrate(manifest)
        if erased is not None:
            tombstones.add(erased)
        done.erased = tombstones.erase_again()
        if lost:
            done.erased += Sitting.objects.all().delete()[0]
        done.left = Sitting.objects.count()

    with postgresql.reached():
        done.tried = engine.restore(path, manifest, check=lambda: _check(manifest), prepare=prepare)
    done.seconds = time.monotonic() - began
    return done


def _opened(path: Path, *, key_lost: bool = False) -> tuple[ModuleType, Manifest]:
    if not path.is_file():
        raise BackupError("there is no such file")
    manifest = manifests.read(manifests.path_of(path))
    manifests.check(path, manifest, connection.vendor, key_lost=key_lost)
    return ENGINES[connection.vendor], manifest


def _check(manifest: Manifest) -> None:
    """What was restored is what was backed up. Raises :class:`BackupError`."""
    found = survey()
    wrong = [
        f"{name} has {found[name].rows if name in found else 0} rows of {told.rows}"
        if name not in found or found[name].rows != told.rows
        else f"{name} has another digest"
        for name, told in manifest.tables.items()
        if found.get(name) != told
    ]
    if wrong := wrong + [
        f"{name} is not in the manifest" for name in found.keys() - manifest.tables
    ]:
        raise BackupError(f"what it holds is not what its manifest says: {'; '.join(wrong)}")
    if altered := altered_documents():
        raise BackupError(f"published documents were altered: {', '.join(altered)}")


def _migrate(manifest: Manifest) -> list[str]:
    """Bring an older backup up to date; the migrations that took."""
    call_command("migrate", interactive=False, verbosity=0)
    return sorted(set(migrations()) - set(manifest.migrations))


def _used() -> bool:
    """Whether the database that is to be replaced holds data."""
    try:
        with postgresql.reached():
            return in_use()
    except (DatabaseError, sqlite3.DatabaseError):
        connection.close()
        return True  # it cannot be read; only --replace may touch it


def _erased() -> tombstones.Erased | None:
    """What the database that is to be replaced knows to be erased, if that can be read."""
    try:
        with postgresql.reached():
            return tombstones.known()
    except (DatabaseError, sqlite3.DatabaseError):
        connection.close()
        return None


def _of_list(path: Path, *, key_lost: bool) -> tombstones.Erased | None:
    """What a list says was erased; None of one of another key, where that is lost."""
    try:
        return tombstones.read(path.read_text(encoding="ascii"))
    except tombstones.OtherKey as refused:
        if key_lost:
            return None
        raise BackupError(f"{path}: {refused}") from None
    except OSError as refused:
        raise BackupError(f"{path}: {files.unreadable(refused)}") from None
    except ValueError as refused:
        raise BackupError(f"{path}: {refused}") from None


def _list_erased(folder: Path) -> None:
    """Bring the list of what was erased up to date, for backups older than the last one."""
    path = folder / LIST
    known = tombstones.known()
    with suppress(tombstones.ListError):  # of another secret key: it serves none of our backups
        if path.exists():
            known = tombstones.read(path.read_text(encoding="ascii")) | known
    files.write_whole(path, tombstones.written(known).encode("ascii"))


def _delete_old(folder: Path, newest: Path) -> list[str]:
    """Delete the backups that are past their day, or of a day to come, by a clock that was ahead;
    never ``newest``, which is known to be good."""
    # A day early: until the next one is made, none is older than was promised.
    until = timezone.now() - timedelta(days=settings.RETENTION.backups_days - 1)
    deleted = []
    for path in sorted(each for each in folder.iterdir() if NAME.fullmatch(each.name)):
        if path != newest and not until <= _taken_at(path) <= _latest():
            path.unlink()
            manifests.path_of(path).unlink(missing_ok=True)
            deleted.append(path.name)
    return deleted


def _taken_at(path: Path) -> datetime:
    return datetime.fromisoformat(path.name.removeprefix("readiness-").split(".")[0])


def _latest() -> datetime:
    """When a backup may have been made at the latest, by clocks that agree to a day."""
    return timezone.now() + timedelta(days=1)


def _sweep(folder: Path) -> None:
    """Delete what backups have left that were killed: parts, and files without a manifest."""
    _unlink(folder, f"*{files.PART}*")
    for path in folder.iterdir():
        if NAME.fullmatch(path.name) and not manifests.path_of(path).exists():
            path.unlink()


def _unlink(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink(missing_ok=True)
