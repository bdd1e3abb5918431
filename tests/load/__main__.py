"""``make load``: the real system on PostgreSQL, an hour's pattern of respondents, and a count.

It starts gunicorn and a worker on the database of ``DATABASE_URL``, has Locust send the people of
:mod:`.pattern`, and then looks in the database for every answer that was acknowledged. It ends by
itself; it succeeds if no request failed and nothing is missing.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import django

from .pattern import MOST_AT_ONCE, PEOPLE, REPORTS, SCRIPTS, SESSIONS, busiest, plans, thinking

ROOT = Path(__file__).resolve().parent.parent.parent
TICK = os.sysconf("SC_CLK_TCK")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(minutes: float) -> int:
    if not os.environ.get("DATABASE_URL"):
        say("Load is measured on PostgreSQL: run `make load`.")
        return 2
    hourly = int(os.environ.setdefault("LOAD_PEOPLE", str(PEOPLE)))
    reports = float(os.environ.setdefault("LOAD_REPORTS", str(REPORTS)))
    people = plans(minutes, hourly, reports)
    say(
        f"{len(people)} respondents arrive within {minutes:g} minutes, at most "
        f"{busiest(people)} in one; half with {len(SESSIONS)} training sessions. A sitting takes "
        f"{thinking(minutes):.3g} minutes. {SCRIPTS:.0%} by script, {reports:.0%} take the PDF."
    )
    with tempfile.TemporaryDirectory() as folder:
        return run(minutes, Path(folder))


def run(minutes: float, folder: Path) -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", int(os.environ.get("PORT", "0"))))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    os.environ |= {
        "READINESS_DATA": str(folder / "data"),
        "READINESS_ADDRESS": address,
        "READINESS_PROXIES": "1",
        "DJANGO_SETTINGS_MODULE": "readiness.settings",
    }
    for command in (
        ["migrate", "--verbosity=0"],
        ["load_instrument", "seeds/ai-readiness"],
        ["collectstatic", "--no-input", "--verbosity=0"],
    ):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)
    django.setup()
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "readiness/gunicorn.py",
             "--log-level", "warning", "--bind", f"127.0.0.1:{port}", "readiness.wsgi"], cwd=ROOT,
        ),
        subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT),
    ]  # fmt: skip
    try:
        answering(address)
        watch = Watch(running[0].pid)
        told = crowd(minutes, address, folder / "told.json", groups())
        watch.stop()
        return report(told, watch)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=60)


def answering(address: str) -> None:
    for _try in range(600):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not start")


def groups() -> list[str]:
    """The codes of the training sessions' groups, of real people as far as the service knows."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from assessments import cohorts
    from assessments.models import Cohort, Phase
    from assessments.roles import make_trainer

    trainer = get_user_model().objects.create_user("trainer")
    make_trainer(trainer)
    made = []
    for number in range(len(SESSIONS)):
        cohort = Cohort(name=f"Session {number + 1}")
        cohorts.create(cohort, trainer)
        phase = Phase(cohort=cohort, kind=Phase.Kind.BEFORE, opens_on=timezone.localdate())
        cohorts.plan(phase, trainer)
        made.append(cohort.code)
    return made


def crowd(minutes: float, address: str, told: Path, codes: list[str]) -> dict:
    """Locust in a process of its own: it changes Python's sockets for all who import it."""
    environment = os.environ | {
        "LOAD_MINUTES": str(minutes), "LOAD_GROUPS": ",".join(codes), "LOAD_TOLD": str(told),
    }  # fmt: skip
    log = told.with_suffix(".log")
    say(f"The figures so far: {told.with_name('so-far_stats.csv')}")
    with log.open("w") as written:
        subprocess.run(
            [sys.executable, "-m", "locust", "--locustfile", "tests/load/people.py", "--headless",
             "--host", address, "--only-summary", "--loglevel", "WARNING", "--stop-timeout", "5",
             "--csv", str(told.with_name("so-far"))],
            cwd=ROOT, env=environment, check=False, stdout=written, stderr=written,
            timeout=60 * (minutes + 2 * thinking(minutes)) + 600,
        )  # fmt: skip
    if not told.exists():
        raise SystemExit(log.read_text()[-4000:])
    return json.loads(told.read_text())


class Watch:
    """What the web server's processes use, looked at every two seconds."""

    def __init__(self, master: int) -> None:
        self.master = master
        self.memory: dict[int, int] = {}
        """The most that each process has held, in MB."""
        self.seconds: dict[int, float] = {}
        """Of a processor, by process; those that were replaced count too."""
        self._over = threading.Event()
        self._look()
        self._began = dict(self.seconds)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(2):
            self._look()

    def _look(self) -> None:
        """The master, its children, and theirs, which print."""
        depths = {self.master: 0}
        found = {}
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                try:
                    said = (process / "stat").read_text().rpartition(")")[2].split()
                    found[int(process.name)] = said
                except OSError:
                    continue  # it has ended meanwhile
        for depth in (1, 2):
            depths |= {
                pid: depth
                for pid, said in found.items()
                if depths.get(int(said[1])) == depth - 1 and pid not in depths
            }
        for pid in depths:
            if said := found.get(pid):
                self.seconds[pid] = (int(said[11]) + int(said[12])) / TICK
                held = int(said[21]) * os.sysconf("SC_PAGE_SIZE") // 2**20
                self.memory[pid] = max(held, self.memory.get(pid, 0))

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    @property
    def spent(self) -> float:
        return sum(self.seconds.values()) - sum(self._began.values())


def report(told: dict, watch: Watch) -> int:
    say(f"\n{'route':34}{'requests':>9}{'errors':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}")
    for name, row in sorted(told["routes"].items(), key=lambda item: (item[0] == "all", item[0])):
        times = "".join(f"{row[each]:8.0f}" for each in ("p50", "p95", "p99"))
        say(f"{name:34}{row['requests']:9}{row['errors']:8}{times}")
    for failure in told["failures"]:
        say(f"   {failure}")
    people = told["people"]
    finished = sum(each["finished"] for each in people)
    waits = sorted(wait for wait, status in told["crush"] if wait > 0 and status == 200)
    busy = {kind: sum(wait == kind for wait, status in told["crush"] if status == 503)
            for kind in (-1.0, 0.0)}  # fmt: skip
    each = watch.spent / max(1, finished)
    say(f"\nserver: {watch.spent:.0f} s of processor, {each:.3f} s a sitting")
    say(f"memory of a process, at most: {sorted(watch.memory.values())} MB")
    say(f"the press was busy {busy[-1.0]} times during the run")
    if waits:
        say(
            f"the crush: {len(waits)} of about {MOST_AT_ONCE} have their PDF, half within "
            f"{waits[len(waits) // 2]:.0f} s, all within {waits[-1]:.0f} s; told to come again "
            f"{busy[0.0]} times"
        )
    lost = missing(people)
    for line in lost[:10]:
        say(f"   {line}")
    # A request that failed, or whoever did not come to the end.
    errors = told["routes"]["all"]["errors"] + told["planned"] - finished
    row = told["routes"]["all"]
    say(
        f"\nrespondents {len(people)}, finished {finished}, requests {row['requests']}, "
        f"errors {errors}, p95 {row['p95']:.0f} ms, acknowledged {len(people)}, "
        f"found {len(people) - len(lost)}"
    )
    return int(bool(errors or lost))


def missing(people: list[dict]) -> list[str]:
    """Who does not find in the database all that was acknowledged to them, and why."""
    from assessments import codes, sittings

    found = []
    for person in people:
        if not person["answers"]:
            continue
        code = codes.normalised(person["code"], codes.RESUME_LENGTH)
        sitting = sittings.find_by_code(code)
        if sitting is None:
            found.append("a sitting is gone")
            continue
        sheet, kept = sittings.sheet_of(sitting), {}
        for name, chosen in sheet.context.items():
            kept[f"context-{name}"] = chosen[0]
        for name, rating in sheet.self_ratings.items():
            kept[f"rating-{name}"] = str(rating)
        for name, answer in sheet.answers.items():
            kept[f"answer-{name}"] = answer.option
            if answer.confidence:
                kept[f"confidence-{name}"] = answer.confidence
        told = person["answers"]
        if any(kept.get(name) != chosen for name, chosen in told.items()):
            found.append("an answer that was acknowledged is not there")
        elif not kept.items() <= (person["sent"] | told).items():
            found.append("an answer is there that nobody gave")
        elif person["finished"] and sitting.finished_on is None:
            found.append("a sitting that was finished is not")
    return found


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
