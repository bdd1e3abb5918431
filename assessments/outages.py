"""What it is that the database is away, full, locked or read-only: no fault of what was asked."""

from __future__ import annotations

from django.db import InterfaceError, InternalError, OperationalError

AWAY = (OperationalError, InterfaceError, InternalError)


def outage(error: BaseException | None) -> BaseException | None:
    """The database's failure that an error comes from, if it comes from one."""
    while error is not None and not isinstance(error, AWAY):
        error = error.__cause__ or error.__context__
    return error
