"""What machines are told of this process: that it lives, whether it can work, what is amiss."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from assessments import jobs
from assessments.views import health
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def not_seen_before(monkeypatch):
    monkeypatch.setattr(health, "_migrated", threading.Event())


@pytest.fixture
def no_worker(transactional_db):
    cache.clear()  # its table is no model’s, and so is not emptied between tests
    yield
    cache.clear()


@pytest.fixture
def worker(no_worker):
    cache.set(jobs.BEAT, True, timeout=60)


def asked(client: Client, query: str = "") -> tuple[int, dict[str, str]]:
    response = client.get(f"/readyz{query}")
    told = response.json()
    assert told["ready"] == (response.status_code == 200)
    return response.status_code, told["checks"]


def test_living_asks_no_database(client):  # which this test may not use
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"live": True})
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


def test_ready(client, worker):
    assert asked(client) == (200, {"database": "ok", "migrations": "ok", "tasks": "ok"})
    response = client.get("/readyz")
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "[::1]:8000"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_machine_beside_asks_without_https(client, settings, worker, host, path):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    settings.ALLOWED_HOSTS = ["readiness.example", "127.0.0.1", "localhost", "[::1]"]
    assert client.get(path, headers={"host": host}).status_code == 200
    assert client.get("/privacy/", headers={"host": host}).status_code == 301


def test_nothing_is_done_by_asking(client):
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405


def test_without_a_worker_the_tasks_alone_are_amiss(client, no_worker):
    status, checks = asked(client)
    assert status == 503
    assert checks["database"] == checks["migrations"] == "ok"
    assert "no worker" in checks["tasks"]
    assert asked(client, "?exclude=tasks") == (200, {"database": "ok", "migrations": "ok"})
    assert asked(client, "?exclude=tasks&exclude=migrations") == (200, {"database": "ok"})


def test_a_task_that_waits_for_its_turn_is_not_amiss_and_a_forgotten_one_is(client, worker):
    jobs.run.enqueue(1)
    assert asked(client)[0] == 200
    long_ago = timezone.now() - jobs.STUCK - timedelta(seconds=1)
    DBTaskResult.objects.update(enqueued_at=long_ago)
    status, checks = asked(client)
    assert (status, checks["tasks"]) == (503, "a task has been waiting for too long")
    DBTaskResult.objects.update(status="RUNNING")
    assert asked(client)[0] == 200


def test_a_migration_to_apply_is_told_and_looked_for_until_none_is(
    client, worker, monkeypatch, django_assert_num_queries
):
    applied = MigrationRecorder.applied_migrations
    with monkeypatch.context() as patched:
        patched.setattr(
            MigrationRecorder,
            "applied_migrations",
            lambda self: {
                key: value
                for key, value in applied(self).items()
                if key != ("sessions", "0001_initial")
            },
        )
        status, checks = asked(client)
        assert (status, checks["migrations"]) == (503, "1 to apply")
    assert asked(client)[0] == 200
    with django_assert_num_queries(0):  # neither here nor, by the next line, in the thread
        monkeypatch.setattr(MigrationRecorder, "applied_migrations", None)
        assert asked(client)[0] == 200


@pytest.mark.parametrize("kind", [DatabaseError, InterfaceError])
def test_a_database_that_refuses_is_named(client, worker, monkeypatch, kind):
    def refuse() -> str:
        raise kind("password of readiness")

    monkeypatch.setitem(health.CHECKS, "database", refuse)
    status, checks = asked(client)
    assert (status, checks["database"]) == (503, "the database refuses")
    assert checks["migrations"] == "ok"


@pytest.mark.parametrize("kind", [DatabaseError, InterfaceError])
def test_a_sign_of_life_that_fails_is_not_the_last(monkeypatch, kind):
    """Neither a lock nor a connection that is gone ends the thread that gives them."""
    tried = threading.Semaphore(0)

    def fail(*args: object, **kwargs: object) -> None:
        tried.release()
        raise kind

    monkeypatch.setattr(jobs, "BEAT_EVERY", timedelta(seconds=0.01))
    monkeypatch.setattr(jobs, "cache", SimpleNamespace(set=fail))
    over = jobs.beat_while_living()
    try:
        assert all(tried.acquire(timeout=5) for _ in range(3))
    finally:
        over.set()
        for thread in threading.enumerate():
            if thread.name.startswith("beat"):
                thread.join(timeout=5)


def test_a_hanging_check_is_not_waited_for_and_threads_do_not_pile_up(client, worker, monkeypatch):
    hanging = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    monkeypatch.setitem(health.CHECKS, "tasks", lambda: str(hanging.wait(10)))
    before = threading.active_count()
    try:
        for _ in range(5):
            status, checks = asked(client)
            assert (status, checks["tasks"]) == (503, "no answer within 0.1 s")
        assert threading.active_count() == before + 1
    finally:
        hanging.set()
    with health._asking:
        pass


def test_whoever_waits_for_another_to_ask_waits_no_longer(client, worker, monkeypatch):
    hanging = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 1.0)
    monkeypatch.setitem(health.CHECKS, "tasks", lambda: str(hanging.wait(10)))
    health._asking.acquire()
    threading.Timer(0.9, health._asking.release).start()
    since = time.monotonic()
    try:
        assert asked(client)[0] == 503
        assert time.monotonic() - since < 1.5
    finally:
        hanging.set()
    with health._asking:
        pass


def test_without_room_for_a_thread_the_next_one_asks(client, worker, monkeypatch):
    def full(_thread: threading.Thread) -> None:
        raise RuntimeError("can’t start new thread")

    monkeypatch.setattr(health, "PATIENCE", 5.0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        status, checks = asked(client)
    assert (status, checks["database"]) == (503, "no answer within 5 s")
    assert asked(client)[0] == 200


HUNG = """
import os, time
import django
django.setup()
from django.test import Client
client, since = Client(), time.monotonic()
print(client.get("/healthz").status_code, round(time.monotonic() - since, 1))
since = time.monotonic()
response = client.get("/readyz")
print(response.status_code, round(time.monotonic() - since, 1))
print(response.content.decode())
"""


def test_a_database_that_takes_a_connection_and_says_nothing(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", HUNG],
            cwd=ROOT,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "readiness.settings",
                "DATABASE_URL": f"postgresql://readiness@127.0.0.1:{port}/readiness",
                "READINESS_DATA": str(tmp_path),
                "READINESS_HOSTS": "testserver",
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    live, ready, told = done.stdout.splitlines()
    assert live.startswith("200 0")
    status, seconds = ready.split()
    assert status == "503"
    assert float(seconds) < health.PATIENCE + 1
    assert json.loads(told)["checks"]["database"] == f"no answer within {health.PATIENCE:g} s"


def test_a_worker_gives_signs_of_life_until_it_ends(no_worker, monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_EVERY", timedelta(seconds=0.05))
    assert not jobs.worker_lives()
    over = jobs.beat_while_living()
    try:
        until = time.monotonic() + 30
        while not jobs.worker_lives() and time.monotonic() < until:
            time.sleep(0.05)
        assert jobs.worker_lives()
    finally:
        over.set()
        for thread in threading.enumerate():
            if thread.name.startswith("beat"):
                thread.join(timeout=5)
    connection.close()
    cache.delete(jobs.BEAT)
    time.sleep(0.2)
    assert not jobs.worker_lives()
