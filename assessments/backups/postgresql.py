"""Backups of PostgreSQL: ``pg_dump``'s archives, put back in one transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from django.db import (
    DatabaseError,
    Error,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.backends.utils import CursorWrapper

from .elsewhere import elsewhere
from .manifests import OTHERS, BackupError, Manifest
from .survey import LEFT_OUT, Table, survey
from .survey import migrations as applied

SUFFIX = ".dump"
PATIENCE = 20
"""Seconds to wait for the others at the database."""
LOOK_EVERY = 0.1
LIBPQ = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "channel_binding": "PGCHANNELBINDING",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcertmode": "PGSSLCERTMODE",
    "sslsni": "PGSSLSNI",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME",
}
"""How PostgreSQL's programs are told where the database is: never on their command line, which
everybody on the machine can read."""
OURS = ("--no-owner", "--no-privileges")
NOT_ALLOWED = "42501"
DAMAGED = "58"
"""Class of errors of files that are missing or cannot be read."""

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type IS DISTINCT FROM 'parallel worker' AND datname = current_database()
  AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()
"""
_CLEAR = f"""
SET lock_timeout = '{PATIENCE}s';
DO $$ DECLARE found record; BEGIN
  FOR found IN
    SELECT c.oid::regclass::text AS name, c.relkind FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i'))
    ORDER BY c.relkind = 'S'
  LOOP
    EXECUTE 'DROP ' || CASE found.relkind
      WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
      ELSE 'TABLE' END || ' IF EXISTS ' || found.name || ' CASCADE';
  END LOOP;
  FOR found IN
    SELECT p.oid::regprocedure::text AS name FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE 'DROP ROUTINE IF EXISTS ' || found.name || ' CASCADE';
  END LOOP;
END $$;
"""
_COUNTED = """
DO $$ BEGIN
  IF (SELECT count(*) FROM {schema}.{table}) <> {rows} THEN
    RAISE EXCEPTION '{name} does not have its {rows} rows';
  END IF;
END $$;
"""


class Untried(BackupError):
    """The role may make no temporary database."""


def server() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def dump(part: Path) -> tuple[dict[str, Table], tuple[str, ...]]:
    """Write one instant of the database, while others go on writing; what it holds."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # It holds the snapshot and says nothing, for as long as pg_dump takes.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
        without = [f"--exclude-table-data={name}" for name in LEFT_OUT if name]
        options = ["--format=custom", *OURS, *without, f"--snapshot={snapshot}", f"--file={part}"]
        _run("pg_dump", options)
        return survey(), applied()


def sweep() -> None:
    """Delete the database that a killed restore or verification has left: it holds the erased too.
    One that is in use is not deleted, nor is any by a role that could not have made it."""
    quoted = connection.ops.quote_name(_beside())
    with suppress(DatabaseError), _maintenance() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")


@contextmanager
def aside(backup: Path, manifest: Manifest) -> Iterator[None]:
    """A temporary database with what the backup holds, and every query goes there."""
    name = _beside()
    quoted = connection.ops.quote_name(name)
    try:
        with _maintenance() as cursor:
            # One that a killed restore has left; while another is at work there, it is refused.
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")
            cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8'")
    except Error as refused:
        told = f"no temporary database can be made to try it in ({_first(str(refused))})"
        if getattr(refused.__cause__, "sqlstate", None) == NOT_ALLOWED:
            raise Untried(
                f"{told}: give the role CREATEDB, or verify it on another server"
            ) from None
        # Another is at work there, or the server is away or full: that passes.
        raise BackupError(told) from None
    try:
        with elsewhere(name):
            _load(backup, manifest, name)
            yield
    finally:
        # Where the server has gone, the next one drops it; what went wrong before is to be said.
        with suppress(Error), _maintenance() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")


@contextmanager
def reached() -> Iterator[None]:
    """PostgreSQL that is away for a while says nothing of what the database holds: unlike one that
    is damaged, it must be waited for. Raises :class:`BackupError` then; on SQLite, nothing."""
    try:
        yield
    except (OperationalError, InterfaceError) as refused:
        state = getattr(refused.__cause__, "sqlstate", None) or ""
        if connection.vendor != "postgresql" or state.startswith(DAMAGED):
            raise
        connection.close()
        raise BackupError(f"the database cannot be reached: {_first(str(refused))}") from None


def alone() -> None:
    """Wait until nothing else of ours is at the database, by the name that all have. Raises
    :class:`BackupError` where it stays.

    A server's locks do not tell of it: it holds them for milliseconds, and would go on serving.
    """
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # our own would be others
    until = time.monotonic() + PATIENCE
    with reached(), elsewhere(connection.settings_dict["NAME"]), connection.cursor() as cursor:
        while True:
            cursor.execute(_OTHERS)
            if cursor.fetchone() == (0,):
                return
            if time.monotonic() >= until:
                raise BackupError(OTHERS)
            time.sleep(LOOK_EVERY)


def restore(
    backup: Path, manifest: Manifest, *, check: Callable[[], None], prepare: Callable[[], None]
) -> bool:
    """Try the backup in a temporary database, then put it in the place of what is there.

    False where the role may not make one: its digests are then compared in place. The seal, the
    SHA-256 of the file and the counts within the transaction stand before that in any case.
    """
    tried = True
    try:
        with aside(backup, manifest):
            check()
            prepare()
    except Untried:
        tried = False
    alone()  # still
    _load(backup, manifest, str(connection.settings_dict["NAME"]))
    if not tried:
        try:
            check()
        except BackupError as refused:
            raise BackupError(f"it is in place all the same, but {refused}") from None
    prepare()
    return tried


def _load(backup: Path, manifest: Manifest, name: str) -> None:
    """Replace all that a database holds, in one transaction, which counts every table before it
    ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
    connection.close()
    counted = "".join(
        _COUNTED.format(
            schema=connection.ops.quote_name(schema),
            table=connection.ops.quote_name(table),
            name=table.replace("'", "''"),
            rows=told.rows,
        )
        for table, told in manifest.tables.items()
    )
    script = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as also_said:
        reading = _start(
            "pg_restore",
            # Not what is in no schema: an extension that an administrator made is not ours to make.
            [*OURS, f"--schema={schema}", "--file=-", str(backup)],
            stdout=subprocess.PIPE,
            stderr=also_said,
        )
        writing = _start(
            "psql", script, name, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        )
        assert reading.stdout is not None
        assert writing.stdin is not None
        # A pipe that breaks is psql's refusal, told below.
        with suppress(BrokenPipeError), reading.stdout, writing.stdin:
            # Begun and committed in what we write, not by --single-transaction: psql commits that
            # wherever its input ends, and ours ends in the middle if this process is killed.
            writing.stdin.write(f"BEGIN;\n{_CLEAR}".encode())
            shutil.copyfileobj(reading.stdout, writing.stdin)
            if reading.wait():
                # Before psql has read to the end: its transaction is never committed.
                writing.kill()
            else:
                writing.stdin.write(f"{counted}COMMIT;\n".encode())
        reading.stdout.close()
        failed = reading.wait()
        if writing.wait():
            told = _last(also_said if failed and writing.returncode < 0 else said)
            if "lock timeout" in told:
                told = OTHERS
            raise BackupError(told)


def _beside() -> str:
    return f"{connection.settings_dict['NAME']}_aside"


@contextmanager
def _maintenance() -> Iterator[CursorWrapper]:
    """A cursor outside any transaction, in PostgreSQL's own database, or in the one that is served
    where the role may not enter that."""
    name = "postgres"
    try:
        with elsewhere(name):
            connection.ensure_connection()
    except OperationalError:
        name = str(connection.settings_dict["NAME"])
    with elsewhere(name), connection.cursor() as cursor:
        yield cursor


def _run(program: str, arguments: Sequence[str]) -> None:
    with tempfile.TemporaryFile() as said:
        if _start(program, arguments, stderr=said).wait():
            told = _last(said)
            full = "No space left" in told or "File too large" in told
            raise BackupError("the disk is full" if full else f"{program} says: {told}")


def _start(
    program: str, arguments: Sequence[str], name: str | None = None, **streams: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    settled = connection.get_connection_params()
    told = {LIBPQ[key]: str(value) for key, value in settled.items() if key in LIBPQ}
    told["PGDATABASE"] = name or str(settled.get("dbname", ""))
    try:
        return subprocess.Popen([program, *arguments], env=os.environ | told, **streams)  # type: ignore[call-overload]
    except FileNotFoundError:
        raise BackupError(
            f"{program} is not installed here: sudo apt install postgresql-client"
        ) from None


def _last(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines() or ["nothing"]
    told = [line for line in lines if "ERROR" in line or "error:" in line] or lines
    return told[0].strip()


def _first(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
