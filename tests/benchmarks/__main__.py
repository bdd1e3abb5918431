"""``make bench``: every benchmark in a process of its own, a table, and ``benchmarks.json``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from .measuring import Figure, read

ROOT = Path(__file__).resolve().parent.parent.parent
BENCHMARKS = ("sitting", "pages", "report", "cohort", "release", "storage", "visit", "starting")
"""Modules of this package; each tells its figures when it is run."""
ON_BOTH = ("sitting",)
"""Those that make databases of their own in the cluster they are given; the others use SQLite, and
``storage`` a cluster of its own besides."""
PACKAGES = ("django", "weasyprint", "numpy", "gunicorn", "psycopg", "msgspec")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=BENCHMARKS, help="these alone")
    parser.add_argument("--into", type=Path, default=ROOT / "benchmarks.json")
    parser.add_argument("--markdown", type=Path, help="write the table there too")
    chosen = parser.parse_args(arguments)
    found: list[Figure] = []
    failed: list[str] = []
    say(machine())
    for name in chosen.only or BENCHMARKS:
        since = time.monotonic()
        figures, problem = run(name)
        found += figures
        say(f"\n{name} ({time.monotonic() - since:.0f} s)")
        for each in figures:
            say(line(each))
        if problem:
            failed.append(name)
            say(f"   {name} FAILED: {problem}")
    chosen.into.write_text(
        json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2) + "\n"
    )
    if chosen.markdown:
        chosen.markdown.write_text(table(found))
    judged = [each for each in found if each.met is not None]
    missed = [each.name for each in judged if not each.met]
    say(
        f"\n{len(judged) - len(missed)} of {len(judged)} targets met, written to {chosen.into.name}"
    )
    for each in missed:
        say(f"   missed: {each}")
    return int(bool(failed))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(name: str) -> tuple[list[Figure], str]:
    """The figures of a benchmark, which starts with nothing in memory and an empty data folder;
    and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = os.environ | {
            "READINESS_DATA": str(Path(folder) / "data"),
            "READINESS_SECRET_KEY": "of no service",
            "DJANGO_SETTINGS_MODULE": "readiness.settings",
            "OPENBLAS_NUM_THREADS": "1",
        }
        if name not in ON_BOTH:
            environment["DATABASE_URL"] = ""
            environment.pop("ANYWAY", None)
        told = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{name}"], cwd=ROOT, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    problem = "" if told.returncode == 0 else told.stderr.strip()[-3000:] or "it ended early"
    return list(read(told.stdout.splitlines())), problem


def machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors, Python {platform.python_version()}, {versions}"
    )


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line(each: Figure) -> str:
    spread = f"[{number(each.spread[0])}–{number(each.spread[1])}]" if each.rounds > 1 else ""
    told = f"   {each.name:52} {number(each.value):>9} {each.unit} {spread}"
    if each.ratio is not None:
        told += f"   {each.ratio:.3g} × {each.yardstick} ({number(each.yardstick_value)})"
    if each.target:
        told += f"   {each.target} " + {True: "met", False: "MISSED", None: "not judged"}[each.met]
    return told + (f"\n      {each.note}" if each.note else "")


def table(found: Sequence[Figure]) -> str:
    """For the documentation."""
    rows = [
        "| what | value [quartiles] | yardstick | ratio | target | met |",
        "|---|---|---|---|---|---|",
    ]
    for each in found:
        spread = f" [{number(each.spread[0])}–{number(each.spread[1])}]" if each.rounds > 1 else ""
        held = f"{each.yardstick}: {number(each.yardstick_value)}" if each.yardstick else ""
        met = {True: "yes", False: "**no**", None: ""}[each.met]
        compared = "" if each.ratio is None else f"{each.ratio:.3g}"
        rows.append(
            f"| {each.name} | {number(each.value)} {each.unit}{spread} | {held} | {compared} "
            f"| {each.target} | {met} |"
        )
    return "\n".join([machine() + ".", "", *rows, ""])


if __name__ == "__main__":
    sys.exit(main())
