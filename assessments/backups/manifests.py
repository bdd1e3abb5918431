"""The manifest beside a backup: what the backup must hold, so that a restore can prove it does."""

from __future__ import annotations

import hmac
import tomllib
from datetime import datetime
from pathlib import Path

import msgspec
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from .. import tombstones
from ..models import Sitting
from .files import sha256_of, unreadable, write_whole
from .survey import Table

FORMAT = 1
SUFFIX = ".json"
OTHERS = "others are at the database: stop the server and the worker first"


class BackupError(Exception):
    """Why a backup cannot be made or used; what is there is left as it was."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int = FORMAT
    readiness: str
    """Version of the software."""
    engine: str
    """sqlite or postgresql."""
    server: str
    """Its version."""
    taken_at: datetime
    """The instant of what is in it."""
    file: str
    size: int
    sha256: str
    key: str
    """By which a secret key is told from another (:func:`assessments.tombstones.check`)."""
    migrations: tuple[str, ...]
    left_out: tuple[str, ...]
    """Tables whose rows are not in it."""
    tables: dict[str, Table]
    seal: str = ""
    """HMAC-SHA-256 of all the rest, keyed by the secret key: whoever alters it breaks the seal."""

    @property
    def answers(self) -> Table:
        """How many sittings, and the digest of all their answers, days, steps and states."""
        return self.tables[Sitting._meta.db_table]

    def sealed(self) -> Manifest:
        return msgspec.structs.replace(self, seal=_seal(self))


def path_of(backup: Path) -> Path:
    return backup.with_name(backup.name + SUFFIX)


def write(backup: Path, manifest: Manifest) -> None:
    told = msgspec.json.format(msgspec.json.encode(manifest.sealed(), order="sorted"))
    write_whole(path_of(backup), told + b"\n")


def read(path: Path) -> Manifest:
    """A manifest, whole, of a format that we know. Raises :class:`BackupError`."""
    try:
        told = path.read_bytes()
    except FileNotFoundError:
        raise BackupError(
            f"{path.name} is missing: a backup is the file and its manifest"
        ) from None
    except OSError as refused:
        raise BackupError(f"{path.name}: {unreadable(refused)}") from None
    try:
        found = msgspec.json.decode(told)
        made_in = found.get("format") if isinstance(found, dict) else None
        if isinstance(made_in, int) and made_in > FORMAT:
            raise BackupError(
                f"it was made by a newer Readiness ({found.get('readiness')}): install that one"
            )
        return msgspec.convert(found, Manifest)
    except msgspec.MsgspecError:
        raise BackupError(f"{path.name} is no manifest of a backup, or is damaged") from None


def check(backup: Path, manifest: Manifest, engine: str, *, key_lost: bool = False) -> None:
    """That the file is what the manifest tells, whole, and can be restored here."""
    if manifest.engine != engine:
        raise BackupError(
            f"it is a backup of {manifest.engine}, and DATABASE_URL is one of {engine}"
        )
    if manifest.key == tombstones.check():
        if not hmac.compare_digest(manifest.seal, _seal(manifest)):
            raise BackupError("its manifest was altered")
    elif not key_lost:
        raise BackupError(
            "it was made with another secret key, without which resume codes open nothing: set "
            "READINESS_SECRET_KEY to what it was, or put the file secret_key back in READINESS_DATA"
            " (if it is lost for good: --key-lost, which deletes all answers)"
        )
    try:
        size = backup.stat().st_size
        if size != manifest.size:
            raise BackupError(f"it is not whole: {size} bytes of {manifest.size}")
        if sha256_of(backup) != manifest.sha256:
            raise BackupError("it was altered or is damaged: its SHA-256 is not the manifest's")
    except OSError as refused:
        raise BackupError(unreadable(refused)) from None
    ours = MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {}
    squashed = [key for migration in ours.values() for key in migration.replaces]
    known = {".".join(key) for key in (*ours, *squashed)}
    if newer := sorted(set(manifest.migrations) - known):
        raise BackupError(
            f"it was made by a newer Readiness ({manifest.readiness}), or one with other extras: "
            f"{', '.join(newer)} is unknown here"
        )


def software() -> str:
    """The version of this software, as ``pyproject.toml`` says."""
    try:
        told = (Path(settings.BASE_DIR) / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    return str(tomllib.loads(told)["project"]["version"])


def _seal(manifest: Manifest) -> str:
    told = msgspec.json.encode(msgspec.structs.replace(manifest, seal=""), order="sorted")
    secret = b"readiness backup" + settings.SECRET_KEY.encode()
    return hmac.digest(secret, told, "sha256").hex()
