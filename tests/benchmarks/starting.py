"""What it takes to start the web process, what a worker holds before and after its first report,
and that no page without one imports WeasyPrint."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .measuring import Figure, printed, told
from .serving import Databases, Server, our_environment, ours, prepare
from .walking import Visitor, over_http, sit, within

ROUNDS = 5
REPORT = "/results/readiness-report.pdf"


def held(server: Server) -> tuple[float, float]:
    """Megabytes of the worker: resident, and its own share of what it has in common."""
    return held_by(server.worker())


def held_by(process: int) -> tuple[float, float]:
    found = {}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
        name, _colon, value = line.partition(":")
        found[name] = int(value.split()[0]) / 1_024
    return found["Rss"], found["Pss"]


def printing(visitor: Visitor) -> int:
    """The bytes of the report."""
    told = visitor.ask("GET", REPORT)
    if not told.body.startswith(b"%PDF-"):
        raise RuntimeError(f"no report: {told.status}")
    return len(told.body)


def measured(folder: Path) -> Iterator[Figure]:
    environment = our_environment(folder, Databases(folder).new("starting"))
    prepare(environment)
    waits: list[float] = []
    memory: dict[str, list[tuple[float, float]]] = {}
    for number in range(ROUNDS):
        server = ours(environment)
        try:
            visitor = Visitor(over_http(server.port), random.Random(number))
            visitor.see("/")
            waits.append(time.perf_counter() - server.began)
            memory.setdefault("a worker, once it has answered", []).append(held(server))
            if number >= 2:  # two tell how much
                continue
            server.settle()
            [press] = set(server.processes()) - {server.process.pid, server.worker()}
            memory.setdefault("its press, once it is warm", []).append(held_by(press))
            sit(visitor)
            memory.setdefault("a worker, after a sitting", []).append(held(server))
            printing(visitor)
            memory.setdefault("a worker, after the first report", []).append(held(server))
            memory.setdefault("its press, after the first report", []).append(held_by(press))
        finally:
            server.stop()
    yield printed("start of gunicorn to the first page", waits, unit="s")
    for when, sizes in memory.items():
        yield printed(
            f"memory of {when}", [rss for rss, _pss in sizes], unit="MB resident",
            note=f"of which its own share (PSS) {min(pss for _rss, pss in sizes):.0f} MB",
        )  # fmt: skip
    yield lazily(environment)


def lazily(environment: dict[str, str]) -> Figure:
    """In this process, through WSGI, which prints itself."""
    os.environ |= environment
    from readiness.wsgi import application

    visitor = Visitor(within(application), random.Random(1))
    sit(visitor)
    imported = sum(name.partition(".")[0] == "weasyprint" for name in sys.modules)
    printing(visitor)
    if "weasyprint" not in sys.modules:
        raise RuntimeError("the report is not printed by WeasyPrint: look for another")
    return Figure(
        name="modules of WeasyPrint that a whole sitting imports", value=imported, unit="modules",
        spread=(imported, imported), rounds=1, target="none", met=imported == 0,
        note="up to its results page; the report imports them",
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        told(measured(Path(folder)))


if __name__ == "__main__":
    main()
