"""Work on another database than the one that is served, as if it were that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection


@contextmanager
def elsewhere(name: object, options: Mapping[str, object] | None = None) -> Iterator[None]:
    """All that this thread asks of the database goes to another one of the same server.

    Not a second alias: migrations and models speak of the default one.
    """
    if connection.in_atomic_block:
        raise RuntimeError("there is a transaction that would be left behind")
    connection.close()
    before = connection.settings_dict
    kept = {key: value for key, value in before["OPTIONS"].items() if key != "pool"}
    connection.settings_dict = before | {"NAME": str(name), "OPTIONS": kept | dict(options or {})}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before
