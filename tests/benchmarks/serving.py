"""Servers under measure: gunicorn on a free port of loopback, and the processor's time it takes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent.parent
RIVALS = Path(__file__).resolve().parent / "rivals"
RIVALS_PYTHON = os.environ.get("BENCH_RIVALS_PYTHON") or sys.executable
"""The interpreter that has the rivals installed."""
TICK = os.sysconf("SC_CLK_TCK")
THREADS = 4


class Server:
    """A master and one worker, of an application that is loaded before it forks."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{self.port}"], cwd=folder,
            env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _try in range(3_000):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise RuntimeError(f"{command} does not start")

    def processes(self) -> dict[int, list[str]]:
        """What /proc/…/stat says of the master and those that come of it, from the state on."""
        found = {}
        for each in Path("/proc").iterdir():
            if each.name.isdecimal():
                try:
                    found[int(each.name)] = (each / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue  # it has ended meanwhile
        family = {self.process.pid}
        while more := {pid for pid, said in found.items() if int(said[1]) in family} - family:
            family |= more
        return {pid: found[pid] for pid in family if pid in found}

    def worker(self) -> int:
        """The one that the master has: the web process."""
        master = str(self.process.pid)
        [worker] = [pid for pid, said in self.processes().items() if said[1] == master]
        return worker

    def spent(self) -> float:
        """Seconds of processor that master, worker and press have taken."""
        return sum(int(said[11]) + int(said[12]) for said in self.processes().values()) / TICK

    def settle(self) -> None:
        """Wait until it does nothing: what it begins beside the first requests is over."""
        quiet, last = 0, self.spent()
        for _try in range(120):
            time.sleep(0.25)
            now = self.spent()
            quiet, last = (quiet + 1 if now == last else 0), now
            if quiet == 6:
                return

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ours(environment: Mapping[str, str]) -> Server:
    """As in earnest, with one worker."""
    return Server(
        [sys.executable, "-m", "gunicorn", "--config", "readiness/gunicorn.py",
         "--log-level", "warning", "readiness.wsgi"],
        ROOT,
        {**environment, "READINESS_WORKERS": "1", "READINESS_THREADS": str(THREADS)},
    )  # fmt: skip


def our_environment(folder: Path, database: str) -> dict[str, str]:
    """Of a server of ours whose folder of data is there, on a database of :class:`Databases`."""
    return {
        "READINESS_DATA": str(folder), "READINESS_STATIC": str(folder / "static"),
        "DATABASE_URL": database if "://" in database else f"sqlite:///{database}",
        "READINESS_SECRET_KEY": "of no service", "READINESS_PROXIES": "1",
        "DJANGO_SETTINGS_MODULE": "readiness.settings",
    }  # fmt: skip


def rival(environment: Mapping[str, str]) -> Server:
    """The same gunicorn, set as ours is."""
    return Server(
        [RIVALS_PYTHON, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1",
         "--threads", str(THREADS), "--preload", "--worker-tmp-dir", "/dev/shm",
         "--no-control-socket", "--log-level", "warning", "wsgi"],
        RIVALS,
        {**environment, "DJANGO_SETTINGS_MODULE": "settings"},
    )  # fmt: skip


def manage(environment: Mapping[str, str], *command: str) -> str:
    return run(sys.executable, ROOT, environment, "manage.py", *command)


def prepare(environment: Mapping[str, str]) -> None:
    """The tables, the questionnaire and the static files."""
    manage(environment, "migrate", "--verbosity=0")
    manage(environment, "load_instrument", "seeds/ai-readiness")
    manage(environment, "collectstatic", "--no-input", "--verbosity=0")


def stored(environment: Mapping[str, str], *command: str) -> dict[str, Any]:
    return json.loads(
        run(sys.executable, ROOT, environment, "-m", "tests.benchmarks.stored", *command)
    )


def run(python: str, folder: Path, environment: Mapping[str, str], *command: str) -> str:
    """What a command says."""
    return subprocess.run(
        [python, *command], cwd=folder, env={**os.environ, **environment}, check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip


def installed(module: str) -> bool:
    """Whether the rivals' Python has the package."""
    sought = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    return subprocess.run([RIVALS_PYTHON, "-c", sought], check=False).returncode == 0


def of_rival(environment: Mapping[str, str], command: str) -> dict:
    environment = {**environment, "DJANGO_SETTINGS_MODULE": "settings"}
    return json.loads(run(RIVALS_PYTHON, RIVALS, environment, "keep.py", command))


class Databases:
    """Databases that are there as long as the benchmark: in a cluster of PostgreSQL, or as files of
    a folder. Each is named by its address, as Django's projects here take it."""

    def __init__(self, folder: Path, cluster: str = "") -> None:
        self.folder, self.cluster = folder, cluster
        self.made: list[str] = []

    def new(self, name: str, like: str = "") -> str:
        """An empty one, or a copy of another that nobody uses."""
        if not self.cluster:
            if like:
                shutil.copy(self.folder / f"{like}.sqlite3", self.folder / f"{name}.sqlite3")
            return str(self.folder / f"{name}.sqlite3")
        template = f'TEMPLATE "bench_{like}"' if like else ""
        self._run(f'DROP DATABASE IF EXISTS "bench_{name}"')
        self._run(f'CREATE DATABASE "bench_{name}" {template}')
        self.made.append(name)
        return urlunsplit(urlsplit(self.cluster)._replace(path=f"/bench_{name}"))

    def drop(self) -> None:
        for name in self.made:
            self._run(f'DROP DATABASE IF EXISTS "bench_{name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.cluster, autocommit=True) as connection:
            connection.execute(statement)
