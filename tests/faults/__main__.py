"""`make faults`: every drill on every database that is here, then all of them at random.

Prints a table, writes it to ``faults.json``, and ends with ``acknowledged N, found N``; exit status
1 unless every drill has passed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readiness.settings")
os.environ.setdefault("READINESS_DATA", tempfile.mkdtemp(prefix="readiness-faults-"))

import django

django.setup()

from . import drills, working  # noqa: E402
from .drills import Drilled  # noqa: E402
from .system import ROOT, System, installed  # noqa: E402

COLUMNS = (
    "database    scenario                     faults  acknowledged     found  lost"
    "  back s  503s  longest 503 s  p95 s  passed"
)


def main() -> int:
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--minutes", type=float, default=10, help="about how long (default: 10)")
    told.add_argument("--people", type=int, default=20, help="of two tabs each (default: 20)")
    told.add_argument("--seed", type=int, default=random.randrange(10**6))
    told.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    asked = told.parse_args()
    databases = asked.database or list(installed())
    say(f"seed {asked.seed}, {asked.people} people, {platform.machine()}, {os.cpu_count()} cores")
    say(COLUMNS)
    done: list[Drilled] = []
    versions: dict[str, str] = {}
    whole = True
    for database in databases:
        seconds = 60 * asked.minutes / len(databases)
        with (
            tempfile.TemporaryDirectory(prefix="readiness-faults-") as folder,
            System(Path(folder), database) as system,
        ):
            versions[database] = system.database.version()
            for drilled in _drilled(system, seconds, asked.people, asked.seed):
                done.append(drilled)
                say(_line(drilled))
            worked = working.drill(system, random.Random(asked.seed))
            whole &= worked.passed
            say(f"{database:<12}{worked}")
    acknowledged = sum(each.acknowledged for each in done)
    found = sum(each.found for each in done)
    _write(done, asked.seed, versions)
    say(f"acknowledged {acknowledged}, found {found}")
    return 0 if whole and all(each.passed for each in done) else 1


def _drilled(system: System, seconds: float, people: int, seed: int) -> Iterator[Drilled]:
    """Each fault by itself for half of the time, then all of them for the other."""
    faults = drills.faults_of(system)
    each = seconds / 2 / len(faults)
    for name, fault in faults.items():
        jumps = fault is drills.clock_jumps
        if jumps:
            system.clock.write_text("0")
            system.restart()
        lasting = name in drills.LASTING
        yield drills.drill(
            system,
            name,
            fault,
            seed=seed,
            people=people,
            times=1 if lasting else 1000,
            lasting=30.0 if seconds >= 240 else each,
            within=each,
        )
        if jumps:
            system.clock.unlink()
            system.restart()
    yield drills.drill(
        system,
        "all of them at random",
        drills.chaos,
        seed=seed + 1,
        people=people,
        times=1000,
        pause=1.0,
        within=seconds / 2,
    )


def _line(drilled: Drilled) -> str:
    return (
        f"{drilled.database:<12}{drilled.scenario:<28}{drilled.faults:>7}"
        f"{drilled.acknowledged:>14,}{drilled.found:>10,}{drilled.lost_meanwhile:>6}"
        f"{drilled.recovered:>8.1f}{drilled.refused:>6}{drilled.longest_refusal:>15.1f}"
        f"{drilled.told.p95:>7.2f}  {'yes' if drilled.passed else 'NO'}"
        + "".join(f"\n    {count} × {what}" for what, count in drilled.told.strange.items())
    )


def _write(done: list[Drilled], seed: int, versions: dict[str, str]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    document = {
        "made": datetime.now().astimezone().isoformat(timespec="minutes"),
        "commit": commit,
        "seed": seed,
        "cores": os.cpu_count(),
        "versions": versions | {"Python": platform.python_version()},
        "drills": [
            {
                "scenario": each.scenario,
                "database": each.database,
                "faults": each.faults,
                "acknowledged": each.acknowledged,
                "found": each.found,
                "recovered_s": round(each.recovered, 2),
                "refused": each.refused,
                "longest_refusal_s": round(each.longest_refusal, 2),
                "p95_s": round(each.told.p95, 3),
                "passed": each.passed,
            }
            for each in done
        ],
    }
    path = ROOT / "faults.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    say(f"Written to {path.name}.")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
