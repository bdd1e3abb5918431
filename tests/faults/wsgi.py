"""The application with a fault of its own, which the drills must find, or with a clock of its own.

For the drills alone: they must fail on each mutant, or they would prove nothing.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import time_machine

from readiness.wsgi import application as whole  # which sets Django up

# isort: split
from django.db import OperationalError, connection

from assessments import sittings
from assessments.models import Sitting

save_page = sittings.save_page


def acknowledges_before_it_commits() -> None:
    """What is kept is written half a second later."""
    late: queue.Queue[tuple[Any, Any]] = queue.Queue()

    def write() -> None:
        while True:
            time.sleep(0.5)
            while not late.empty():
                args, kwargs = late.get()
                try:
                    save_page(*args, **kwargs)
                finally:
                    connection.close()

    started = threading.Event()

    def saving(sitting: Sitting, *args: Any, **kwargs: Any) -> None:
        if not started.is_set():
            started.set()
            threading.Thread(target=write, daemon=True).start()
        late.put(((sitting, *args), {**kwargs, "seen": None}))

    sittings.save_page = saving


def swallows_the_databases_failure() -> None:
    """A save that the database has failed is taken for one that it has kept."""

    def saving(*args: Any, **kwargs: Any) -> None:
        try:
            save_page(*args, **kwargs)
        except OperationalError:
            connection.close()

    sittings.save_page = saving


def ignores_the_revision() -> None:
    """Of two tabs that save at once, one overwrites the other."""

    class Careless(sittings.QuerySet):  # type: ignore[name-defined,type-arg]
        def filter(self, *args: Any, **kwargs: Any) -> Any:
            kwargs.pop("revision", None)
            return super().filter(*args, **kwargs)

    Sitting.objects._queryset_class = Careless


MUTANTS = {
    each.__name__: each
    for each in (
        acknowledges_before_it_commits,
        swallows_the_databases_failure,
        ignores_the_revision,
    )
}


class Clock:
    """Tells the time that a file says is now: so many seconds from the true one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0.0
        self.travelling: Any = None
        self.lock = threading.Lock()

    def look(self) -> None:
        try:
            offset = float(self.path.read_text() or 0)
        except (OSError, ValueError):
            return
        with self.lock:
            if offset == self.offset:
                return
            if self.travelling is not None:
                self.travelling.stop()
            self.offset = offset
            self.travelling = time_machine.travel(time.time() + offset, tick=True)
            self.travelling.start()


if mutant := os.environ.get("FAULTS_MUTANT"):
    MUTANTS[mutant]()
clock = Clock(Path(os.environ["FAULTS_CLOCK"]))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    clock.look()
    return whole(environ, start_response)
