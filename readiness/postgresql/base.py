"""Django's PostgreSQL backend, which notices soon that the database is away, and says so at once.

A database that has stopped answering leaves its connections open: without a limit of ours, every
thread would wait on one. And while it is away, one thread at a time tries to reach it again; the
others are told so without waiting, and so are those whom they serve.
"""

from __future__ import annotations

import select
import threading
from time import monotonic
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

CHECKED_WITHIN = 2.0
"""Seconds that a connection has, which nobody was using, to show that it still works."""
SHOWN_FOR = 1.0
"""Seconds for which it has shown that: to ask anew each time, under load, would be one of four
questions that a page has."""


class Connection(psycopg.Connection[Any]):
    """A connection on which nothing is waited for longer than its ``patience``."""

    patience: float | None = None
    """Seconds; None waits for ever."""
    works_until = 0.0
    """As it has last shown, by the monotonic clock."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # Given up in the middle: what became of the statement can no longer be known.
                self.pgconn.finish()
            raise


def patient(seconds: float) -> type[Connection]:
    """Connections that wait so long for an answer."""
    return type("Connection", (Connection,), {"patience": seconds})


def check(connection: Connection) -> None:
    """See that a connection still works, before the pool lends it; where it does not, the others
    that wait there are made anew too, or whoever asks next would be given each of them in turn."""
    if monotonic() < connection.works_until and not _has_gone(connection):
        return
    connection.patience = CHECKED_WITHIN
    try:
        ConnectionPool.check_connection(connection)
        connection.works_until = monotonic() + SHOWN_FOR
    except psycopg.Error:
        if isinstance(connection._pool, ConnectionPool):
            connection._pool.drain()
        raise
    finally:
        del connection.patience


def _has_gone(connection: Connection) -> bool:
    """Whether the line is closed, or the database has said what nobody asked: as a rule, that it
    goes."""
    if connection.closed:
        return True
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)  # an end and an error are always told
    return bool(line.poll(0))


class DatabaseWrapper(base.DatabaseWrapper):
    _away = False
    _trying = threading.Lock()
    """Held by the thread that tries whether the database is back."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not DatabaseWrapper._away:
            return self._connected(conn_params)
        if not self._trying.acquire(blocking=False):
            raise psycopg.OperationalError("the database is away")
        try:
            return self._connected(conn_params)
        finally:
            self._trying.release()

    def _connected(self, conn_params: dict[str, Any]) -> Any:
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            DatabaseWrapper._away = True
            raise
        DatabaseWrapper._away = False
        return connection
