"""What the database itself refuses: rows that are written once, and states that never go back.

Models refuse ``save()`` and ``delete()``; triggers refuse SQL, whoever sends it. Who owns the
tables can take the triggers away, and :func:`missing` says so: where that matters, the service
connects as a role that does not own them.

After each ``migrate`` the triggers are made again, for SQLite loses those of a table that a
migration makes anew. A migration that must rewrite what is frozen does it within
:func:`thawed`, in its ``RunPython``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .models import (
    REFUSED,
    Calibration,
    Event,
    InstrumentVersion,
    Phase,
    Release,
    Sitting,
)
from .outages import AWAY

PREFIX = "frozen_"
"""Of the names of our triggers and, on PostgreSQL, of their functions."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is refused."""

    model: type[models.Model]
    operation: Literal["UPDATE", "DELETE", "TRUNCATE"]
    why: str
    when: str = ""
    """SQL that both databases understand, of OLD and NEW; empty: always."""
    fixed: tuple[str, ...] = ()
    """Columns: refused where one of them changes."""
    but: tuple[str, ...] = ()
    """Columns: refused where any other changes."""
    kept_days: int = 0
    """Refused of rows that are younger, by their column ``at``."""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def condition(self, vendor: str, columns: Iterable[str]) -> str:
        """SQL that is true where it is refused, in a table of these columns."""
        parts = [self.when] if self.when else []
        if self.but and vendor == "postgresql":
            old, new = (
                " - ".join([f"to_jsonb({row})", *(f"'{name}'" for name in self.but)])
                for row in ("OLD", "NEW")
            )
            parts.append(f"({old}) IS DISTINCT FROM ({new})")
        elif fixed := self.fixed or (
            tuple(name for name in columns if name not in self.but) if self.but else ()
        ):
            parts.append(f"({' OR '.join(_changed(vendor, name) for name in fixed)})")
        if self.kept_days:
            parts.append(f"OLD.at >= {_days_ago(vendor, self.kept_days)}")
        return " AND ".join(parts)


def _changed(vendor: str, column: str) -> str:
    if vendor == "postgresql":
        # Named in a text: a migration may take the column away under the function.
        return f"to_jsonb(OLD) -> '{column}' IS DISTINCT FROM to_jsonb(NEW) -> '{column}'"
    return f'OLD."{column}" IS NOT NEW."{column}"'


def _days_ago(vendor: str, days: int) -> str:
    if vendor == "postgresql":
        return f"statement_timestamp() - interval '{days} days'"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-{days} days')"


def rules() -> dict[str, Rule]:
    """Everything that is refused, by the name of its trigger."""
    never: list[tuple[str, Rule]] = []
    for model in (Event, Release, Calibration, InstrumentVersion):
        name = model._meta.model_name or ""
        never.append((f"{name}_truncate", Rule(model, "TRUNCATE", "is never emptied")))
        if model is not InstrumentVersion:
            never.append((f"{name}_update", Rule(model, "UPDATE", "is never changed")))
        days = settings.JOURNAL_DAYS if model is Event else 0
        never.append((f"{name}_delete", Rule(model, "DELETE", "is not deleted", kept_days=days)))
    return {
        f"{PREFIX}{name}": rule
        for name, rule in (
            *never,
            (
                "version_update",
                Rule(InstrumentVersion, "UPDATE", "is never changed", but=("retired_on",)),
            ),
            (
                "version_retired",
                Rule(
                    InstrumentVersion,
                    "UPDATE",
                    "is retired once",
                    when="OLD.retired_on IS NOT NULL",
                    fixed=("retired_on",),
                ),
            ),
            # Releases and reports rest on what was finished; its day may be corrected.
            (
                "sitting_finished",
                Rule(
                    Sitting,
                    "UPDATE",
                    "is finished: what was answered and scored never changes",
                    when="OLD.finished_on IS NOT NULL",
                    fixed=("version_id", "form", "answers", "outcomes", "deeds", "late"),
                ),
            ),
            (
                "sitting_unfinished",
                Rule(
                    Sitting,
                    "UPDATE",
                    "is finished, and stays so",
                    when="OLD.finished_on IS NOT NULL AND NEW.finished_on IS NULL",
                ),
            ),
            # Somebody counted in two blocks could be told from their difference.
            (
                "sitting_released",
                Rule(
                    Sitting,
                    "UPDATE",
                    "is counted in a release, once",
                    when="OLD.released AND NOT NEW.released",
                ),
            ),
            (
                "phase_reopened",
                Rule(
                    Phase,
                    "UPDATE",
                    "is closed for ever",
                    when="OLD.closed_on IS NOT NULL AND NEW.closed_on IS NULL",
                ),
            ),
        )
    }


# --- In the database -----------------------------------------------------------------------------


def _body(connection: BaseDatabaseWrapper, rule: Rule, columns: Iterable[str]) -> str:
    """What the trigger does: on SQLite its whole statement after the name, on PostgreSQL the body
    of its function. It names nothing outside the catalogue: a restore runs with no search path."""
    condition = rule.condition(connection.vendor, columns)
    why = f"{REFUSED} {rule.table} {rule.why}."
    if connection.vendor == "postgresql":
        passed = {"UPDATE": "NEW", "DELETE": "OLD", "TRUNCATE": "NULL"}[rule.operation]
        return (
            f"BEGIN IF {condition or 'TRUE'} THEN RAISE EXCEPTION USING "
            f"ERRCODE = 'integrity_constraint_violation', MESSAGE = '{why}'; END IF; "
            f"RETURN {passed}; END"
        )
    when = f" WHEN {condition}" if condition else ""
    return (
        f"BEFORE {rule.operation} ON \"{rule.table}\"{when} BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )


def _wanted(connection: BaseDatabaseWrapper) -> dict[str, tuple[Rule, str]]:
    """Every trigger that the tables of this database can have, with what it does."""
    found: dict[str, tuple[Rule, str]] = {}
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for name, rule in rules().items():
            if rule.table not in tables:
                continue  # migrated to a state that does not have it
            if rule.operation == "TRUNCATE" and connection.vendor != "postgresql":
                continue
            if connection.vendor == "sqlite":  # whose description parses all the SQL of a table
                cursor.execute(f"PRAGMA table_info({connection.ops.quote_name(rule.table)})")
                columns = [name for _place, name, *_more in cursor.fetchall()]
            else:
                described = connection.introspection.get_table_description(cursor, rule.table)
                columns = [column.name for column in described]
            if set(rule.fixed) <= set(columns):
                found[name] = (rule, _body(connection, rule, columns))
    return found


def _kept(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str]]:
    """The triggers of ours that there are and that work: their table, and what they do."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, c.relname, p.prosrc FROM pg_trigger t "
                "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE t.tgname LIKE %s AND t.tgenabled IN ('O', 'A') "
                "AND pg_table_is_visible(c.oid)",
                [f"{PREFIX}%"],
            )
        else:
            cursor.execute(
                "SELECT name, tbl_name, sql FROM sqlite_master "
                "WHERE type = 'trigger' AND name LIKE %s",
                [f"{PREFIX}%"],
            )
        return {
            name: (table, does.removeprefix(f'CREATE TRIGGER "{name}" '))
            for name, table, does in cursor.fetchall()
        }


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """The names of the triggers that are not there, are switched off or say something else."""
    connection = connections[using]
    kept = _kept(connection)
    return [
        name
        for name, (rule, does) in _wanted(connection).items()
        if kept.get(name) != (rule.table, does)
    ]


def make(using: str = DEFAULT_DB_ALIAS) -> None:
    """Have every trigger there as it should be, and none of ours that should not."""
    connection = connections[using]
    wanted = _wanted(connection)
    wrong = missing(using)
    for name, (table, _does) in _kept(connection).items():
        if name not in wanted or name in wrong:
            _drop(connection, name, table)
    with connection.cursor() as cursor:
        for name in wrong:
            rule, does = wanted[name]
            if connection.vendor != "postgresql":
                cursor.execute(f'CREATE TRIGGER "{name}" {does}')
                continue
            each = "STATEMENT" if rule.operation == "TRUNCATE" else "ROW"
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION public.{name}() RETURNS trigger "
                f"LANGUAGE plpgsql AS $rule${does}$rule$"
            )
            # REPLACE: one that is switched off is there, and comes back switched on.
            cursor.execute(f'DROP TRIGGER IF EXISTS {name} ON "{rule.table}"')
            cursor.execute(
                f'CREATE TRIGGER {name} BEFORE {rule.operation} ON "{rule.table}" '
                f"FOR EACH {each} EXECUTE FUNCTION public.{name}()"
            )


def drop(using: str = DEFAULT_DB_ALIAS, *only: type[models.Model]) -> None:
    """Take the triggers away, of these models or of all; :func:`make` brings them back."""
    connection = connections[using]
    tables = {model._meta.db_table for model in only}
    for name, (table, _does) in _kept(connection).items():
        if not tables or table in tables:
            _drop(connection, name, table)


def _drop(connection: BaseDatabaseWrapper, name: str, table: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f'DROP TRIGGER IF EXISTS {name} ON "{table}"')
            cursor.execute(f"DROP FUNCTION IF EXISTS public.{name}()")
        else:
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')


@contextmanager
def thawed(*only: type[models.Model], using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """For a migration that must rewrite frozen rows: within it, SQL may. All of it is kept or
    none, and nobody else writes to these tables meanwhile."""
    with transaction.atomic(using=using):
        if connections[using].vendor == "postgresql":
            # Else rows written before in this transaction hold their table's triggers.
            with connections[using].cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        drop(using, *only)
        yield
        make(using)


# --- When it happens -----------------------------------------------------------------------------


def before_migrating(app_config, using: str, plan=(), **kwargs) -> None:
    """SQLite changes no table whose triggers name a column that goes; PostgreSQL does, and so
    stays guarded while it migrates."""
    ours = any(migration.app_label == app_config.label for migration, _backwards in plan)
    if ours and connections[using].vendor == "sqlite":
        drop(using)


def after_migrating(app_config, using: str, **kwargs) -> None:
    make(using)


def check(app_configs, databases=(), **kwargs) -> list[checks.CheckMessage]:
    """For ``manage.py check --database default``."""
    found: list[checks.CheckMessage] = []
    for using in databases or ():
        with suppress(*AWAY):  # which another check says
            if lacking := missing(using):
                found.append(
                    checks.Warning(
                        f"The database does not refuse what it should: {', '.join(lacking)}.",
                        hint="Run manage.py migrate.",
                        id="assessments.W001",
                    )
                )
    return found
