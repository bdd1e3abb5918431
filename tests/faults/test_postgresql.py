"""A database that is away is tried by one thread at a time; the others are told so at once."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace

import psycopg
import pytest
from psycopg.pq import ConnStatus, TransactionStatus

from readiness.database import IDLE_IN_TRANSACTION, postgresql_options
from readiness.postgresql import base


@pytest.fixture
def server(monkeypatch):
    """How PostgreSQL answers: ``away`` or not, after ``answering`` is set."""
    server = SimpleNamespace(away=True, answering=threading.Event(), asked=0)

    def connected(_self, _params):
        server.asked += 1
        assert server.answering.wait(10)
        if server.away:
            raise psycopg.OperationalError("connection refused")
        return "a connection"

    monkeypatch.setattr(base.base.DatabaseWrapper, "get_new_connection", connected)
    monkeypatch.setattr(base.DatabaseWrapper, "_away", False)
    return server


@pytest.fixture
def wrapper() -> base.DatabaseWrapper:
    return base.DatabaseWrapper.__new__(base.DatabaseWrapper)


def test_one_thread_tries_and_the_others_do_not_wait(server, wrapper):
    server.answering.set()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        wrapper.get_new_connection({})
    server.answering.clear()
    server.away = False
    found: list[object] = []
    trying = threading.Thread(target=lambda: found.append(wrapper.get_new_connection({})))
    trying.start()
    while server.asked < 2:
        time.sleep(0.01)
    for _other in range(3):
        with pytest.raises(psycopg.OperationalError, match="away"):
            wrapper.get_new_connection({})
    assert server.asked == 2
    server.answering.set()
    trying.join(timeout=10)
    assert found == ["a connection"]
    assert wrapper.get_new_connection({}) == "a connection"


def test_nothing_more_is_said_on_a_line_that_was_given_up(monkeypatch):
    line = SimpleNamespace(
        transaction_status=TransactionStatus.ACTIVE, status=ConnStatus.BAD, finished=0
    )
    line.finish = lambda: setattr(line, "finished", line.finished + 1)
    waited: list[float | None] = []

    def wait(_self, _gen, _interval, timeout):
        waited.append(timeout)
        raise psycopg.OperationalError("wait timeout expired")

    monkeypatch.setattr(psycopg.Connection, "wait", wait)
    connection = base.patient(6).__new__(base.patient(6))
    connection.pgconn = line
    with pytest.raises(psycopg.OperationalError):
        connection.wait(None)
    line.transaction_status = TransactionStatus.IDLE  # refused, not given up
    with pytest.raises(psycopg.OperationalError):
        connection.wait(None, timeout=1.0)
    assert waited == [6, 1.0]
    assert line.finished == 1


@pytest.fixture
def lent(monkeypatch):
    """A connection of the pool: the other end of its line, and how often it was asked."""
    ours, theirs = socket.socketpair()
    asked: list[object] = []
    now = SimpleNamespace(at=1_000.0)
    monkeypatch.setattr(base.ConnectionPool, "check_connection", staticmethod(asked.append))
    monkeypatch.setattr(base, "monotonic", lambda: now.at)
    monkeypatch.setattr(base.Connection, "closed", False)
    monkeypatch.setattr(base.Connection, "fileno", ours.fileno)
    connection = base.Connection.__new__(base.Connection)

    def times() -> int:
        base.check(connection)
        return len(asked)

    with ours, theirs:
        yield SimpleNamespace(times=times, theirs=theirs, now=now, connection=connection)


def test_a_connection_shows_that_it_works_once_a_second(lent):
    assert [lent.times(), lent.times()] == [1, 1]
    lent.now.at += base.SHOWN_FOR
    assert [lent.times(), lent.times()] == [2, 2]


@pytest.mark.parametrize("how", ["says that it goes", "is gone", "was given up"])
def test_a_connection_whose_database_has_gone_is_asked_at_once(lent, monkeypatch, how):
    assert [lent.times(), lent.times()] == [1, 1]
    if how == "says that it goes":
        lent.theirs.sendall(b"E")
    elif how == "is gone":
        lent.theirs.close()
    else:
        monkeypatch.setattr(base.Connection, "closed", True)
    assert lent.times() == 2


def test_pages_alone_are_held_to_a_time():
    pages, commands = (postgresql_options(patience=patience, most=6) for patience in (5, 0))
    assert pages["options"] == (
        f"-c statement_timeout=5s -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION}s"
    )
    assert pages["pool"]["connection_class"].patience == 6
    assert "options" not in commands
    assert commands["pool"]["connection_class"].patience is None
