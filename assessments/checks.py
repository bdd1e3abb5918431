"""System checks: what would let an answer be lost that was said to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from .outages import AWAY

MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings of PostgreSQL without which a commit may be gone after a crash. For the last, every
value but ``off`` waits for the disk of this server at least."""


@register(Tags.database)
def check_reached(
    app_configs: object, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """A database that is away is said, and keeps nothing from starting: pages say so themselves
    (503), and go on when it is back."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            connections[alias].ensure_connection()
        except AWAY as error:
            why = str(error).partition("\n")[0]
            found.append(
                Warning(
                    f"The database cannot be reached: {why}",
                    hint="Nothing of it was checked. Until it is back, pages answer 503.",
                    obj=alias,
                    id="readiness.W001",
                )
            )
    return found


@register(Tags.database, deploy=True)
def check_durability(
    app_configs: object, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """``check --deploy --database default`` refuses a database that may lose what it has
    acknowledged."""
    return [
        Error(
            f"PostgreSQL runs with {name}=off: what was acknowledged may be lost.",
            hint=f"Set {name}=on for the server, the database and the role.",
            obj=alias,
            id="readiness.E001",
        )
        for alias in databases or ()
        if connections[alias].vendor == "postgresql"
        for name in _off(alias)
    ]


def _off(alias: str) -> list[str]:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT name FROM pg_settings WHERE setting = 'off' AND name = ANY(%s)",
                [list(MUST_BE_ON)],
            )
            return sorted(name for (name,) in cursor.fetchall())
    except AWAY:
        return []  # which check_reached says
