"""What a database holds, in figures that can be compared: rows and digests of every table.

Tables are read as they are, not through today's models, so that a backup of any age is surveyed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection

from ..models import StaffSession, Tally

LEFT_OUT = (
    Session._meta.db_table,
    StaffSession._meta.db_table,
    str(settings.CACHES["default"].get("LOCATION", "")),
    Tally._meta.db_table,
)
"""Tables whose rows are in no backup: who is signed in, what was tried in the last hour, what is
computed again. A restore signs everybody off."""
FILLED_BY_MIGRATIONS = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "django_site",
)
MODULUS = 1 << 256
MANY = 2_000


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: int
    digest: str
    """Of all its rows, in whatever order: the sum of their SHA-256, in hexadecimal."""


def survey() -> dict[str, Table]:
    """Every table of the database, by its name; of those left out, as if they were empty."""
    return {name: _table([] if name in LEFT_OUT else _rows(name)) for name in tables()}


def tables() -> list[str]:
    with connection.cursor() as cursor:
        return sorted(connection.introspection.table_names(cursor))


def migrations() -> tuple[str, ...]:
    """The migrations that were applied: ``app.name``."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return tuple(sorted(f"{app}.{name}" for app, name in cursor.fetchall()))


def in_use() -> bool:
    """Whether a database holds more than migrations put there."""
    with connection.cursor() as cursor:
        for name in tables():
            if name not in (*FILLED_BY_MIGRATIONS, *LEFT_OUT):
                cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(name)} LIMIT 1")
                if cursor.fetchone():
                    return True
    return False


def altered_documents() -> list[str]:
    """The published documents that no longer have the digest they were published with."""
    found = []
    for name in tables():
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, name)
        if not {"document", "digest"} <= {column.name for column in columns}:
            continue
        with connection.cursor() as cursor:
            quoted = connection.ops.quote_name(name)
            cursor.execute(f"SELECT id, document, digest FROM {quoted} ORDER BY id")
            while some := cursor.fetchmany(MANY):
                found += [
                    f"{name} {key}"
                    for key, document, digest in some
                    if hashlib.sha256(bytes(document)).hexdigest() != digest
                ]
    return found


def _rows(name: str) -> Iterator[Sequence[object]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
        while some := cursor.fetchmany(MANY):
            yield from some


def _table(rows: Iterator[Sequence[object]] | list[Sequence[object]]) -> Table:
    count = total = 0
    for row in rows:
        line = json.dumps(row, default=_told, separators=(",", ":"), sort_keys=True)
        total += int.from_bytes(hashlib.sha256(line.encode()).digest())
        count += 1
    return Table(count, f"{total % MODULUS:064x}")


def _told(value: object) -> list[str]:
    """A value that JSON has no word for, with its kind, so that no two kinds are confused."""
    if isinstance(value, bytes | memoryview):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, datetime | date | time):
        return [type(value).__name__, value.isoformat()]
    if isinstance(value, UUID | Decimal):
        return [type(value).__name__, str(value)]
    return [type(value).__name__, repr(value)]
