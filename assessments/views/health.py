"""Whether this process lives, and whether it can do its work: for machines, never for people.

They hold no personal data, and are answered without https, since who asks stands on the same
machine or network.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from django.db import Error, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from .. import jobs

PATIENCE = 2.0
"""Seconds within which ``ready`` answers, even if the database does not."""
OK = "ok"


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; it asks nobody else."""
    return JsonResponse({"live": True})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 where every check passes, else 503; both say which.

    ``?exclude=tasks`` leaves a check out, as the Kubernetes API server’s ``readyz`` does: a web
    server serves people even while no worker runs.
    """
    left_out = set(request.GET.getlist("exclude"))
    told = _within(PATIENCE, [name for name in CHECKS if name not in left_out])
    passed = all(answer == OK for answer in told.values())
    return JsonResponse({"ready": passed, "checks": told}, status=200 if passed else 503)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return OK


_migrated = threading.Event()
"""Set once every migration of this release was seen applied: none is taken back under it."""


def _migrations() -> str:
    if not _migrated.is_set():
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            return f"{len(waiting)} to apply"
        _migrated.set()
    return OK


def _tasks() -> str:
    if not jobs.worker_lives():
        return "no worker has given a sign of life lately"
    if jobs.queue_is_stuck():
        return "a task has been waiting for too long"
    return OK


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "tasks": _tasks,
}

_asking = threading.Lock()
"""One asks at a time: while the database hangs, threads do not pile up before it."""


def _within(seconds: float, names: list[str]) -> dict[str, str]:
    """What the checks say, asked in a thread of their own; what has not been said in time is
    said to have no answer."""
    until = time.monotonic() + seconds
    told = dict.fromkeys(names, f"no answer within {seconds:g} s")
    if not names or not _asking.acquire(timeout=seconds):
        return told
    said: SimpleQueue[tuple[str, str]] = SimpleQueue()
    try:
        # A daemon, so that a hung database does not keep a process from ending.
        threading.Thread(target=_ask, args=(names, said), daemon=True).start()
    except RuntimeError:  # no room for another thread just now
        _asking.release()
        return told
    with suppress(Empty):
        for _ in names:
            name, answer = said.get(timeout=max(0.0, until - time.monotonic()))
            told[name] = answer
    return told


def _ask(names: list[str], said: SimpleQueue[tuple[str, str]]) -> None:
    try:
        for name in names:
            said.put((name, _answer(name)))
    finally:
        connections.close_all()
        _asking.release()


def _answer(name: str) -> str:
    try:
        return CHECKS[name]()
    except Error:
        return "the database refuses"
