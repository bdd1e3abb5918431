"""The real system, to be killed: gunicorn, the worker, and SQLite or a PostgreSQL of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET_KEY = "the faults' own key, which is nobody's secret"
POSTGRESQL = next(
    (
        path.parent
        for pattern in ("/usr/lib/postgresql/*/bin/initdb", "/usr/local/pgsql/bin/initdb")
        for path in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    ),
    None,
)
"""The folder of PostgreSQL's programs, where it is installed."""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until(done: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"waited {seconds} s in vain"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid:
                found.append(int(stat.parent.name))
    return found


def kill(pid: int, what: signal.Signals = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)


class Sqlite:
    name = "sqlite"
    url = ""
    as_owner: Sequence[str] = ()

    def __init__(self, folder: Path) -> None:
        self.path = folder / "db.sqlite3"

    def start(self) -> None:
        pass

    def end(self) -> None:
        pass

    def rows(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self.path, timeout=20)) as database:
            return database.execute(sql).fetchall()

    def sound(self) -> bool:
        return self.rows("PRAGMA integrity_check") == [("ok",)]

    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    def pids(self) -> list[int]:
        return []


class Postgresql:
    """A cluster of its own, on loopback, as it is installed: with fsync."""

    name = "postgresql"

    def __init__(self, folder: Path) -> None:
        # Of its own, which its owner may reach whatever is done to the others.
        self.folder = Path(tempfile.mkdtemp(prefix="readiness-postgresql-"))
        self.log = folder / "postgresql.log"
        self.port = free_port()
        self.url = f"postgresql://readiness@127.0.0.1:{self.port}/postgres"
        self.as_owner: Sequence[str] = ()
        if os.getuid() == 0:  # which it refuses to run as
            shutil.chown(self.folder, "nobody")
            self.as_owner = ("setpriv", "--reuid=nobody", "--clear-groups")
        self._run(
            "initdb", "-U", "readiness", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def _run(self, program: str, *args: str) -> None:
        assert POSTGRESQL is not None
        command = [*self.as_owner, str(POSTGRESQL / program), "-D", str(self.folder / "data")]
        subprocess.run([*command, *args], cwd="/", check=True, capture_output=True)

    def start(self) -> None:
        """Until it answers: after a kill, what is left of it has to go first."""
        assert POSTGRESQL is not None
        until = time.monotonic() + 60
        while True:
            settings = {
                "listen_addresses": "127.0.0.1",
                "port": self.port,
                "unix_socket_directories": "",
                "fsync": "on",
            }
            program = [str(POSTGRESQL / "postgres"), "-D", str(self.folder / "data")]
            program += [f"--{name}={value}" for name, value in settings.items()]
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [*self.as_owner, *program], cwd="/", stdout=subprocess.DEVNULL, stderr=log
                )
            while self.process.poll() is None:
                if self.answers():
                    return
                assert time.monotonic() < until, self.log.read_text()[-2000:]
                time.sleep(0.05)
            assert time.monotonic() < until, self.log.read_text()[-2000:]
            time.sleep(0.1)

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=3):
            return True
        return False

    def rows(self, sql: str) -> list[tuple]:
        wait_until(self.answers)
        with psycopg.connect(self.url, connect_timeout=3) as database:
            cursor = database.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def pids(self) -> list[int]:
        assert self.process is not None
        return [self.process.pid, *children(self.process.pid)]

    def see_to(self) -> None:
        """What a service manager does: start it again if it has ended, as it does where it could
        not write its log; then until it answers."""
        assert self.process is not None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.process.poll() is not None:
                self.start()
                return
            if self.answers():
                return
            time.sleep(0.05)

    def kill(self) -> None:
        """The postmaster, at once; its children end when they notice."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_a_backend(self) -> None:
        """One of those that serve us; the server restarts all of itself."""
        sql = (
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
        )
        for (pid,) in self.rows(sql):
            kill(pid)

    def stop(self, mode: str = "immediate") -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self._run("pg_ctl", "stop", "-w", "-m", mode)
            self.process.wait()

    def freeze(self) -> None:
        for pid in self.pids():
            kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.pids():
            kill(pid, signal.SIGCONT)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sound(self) -> bool:
        """Whether every index of ours agrees with its table."""
        self.rows("CREATE EXTENSION IF NOT EXISTS amcheck")
        try:
            self.rows(
                "SELECT bt_index_check(index.oid, true) FROM pg_class AS index"
                " JOIN pg_am ON pg_am.oid = relam AND amname = 'btree'"
                " WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace"
            )
        except psycopg.Error:
            return False
        return True

    def version(self) -> str:
        return "PostgreSQL " + str(self.rows("SHOW server_version")[0][0]).split()[0]


DATABASES: dict[str, type[Sqlite] | type[Postgresql]] = {
    "sqlite": Sqlite,
    "postgresql": Postgresql,
}


class System:
    """Everything that runs, on a folder and a port of its own.

    ``mutant`` names a fault of the product itself (:mod:`.wsgi`), which the drills must find.
    """

    def __init__(self, folder: Path, database: str, mutant: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = DATABASES[database](folder)
        self.mutant = mutant
        self.port = free_port()
        self.workers: list[subprocess.Popen[bytes]] = []
        self.web: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"
        self.clock = folder / "clock"
        """Seconds that the server's clock is put forward, or back (:mod:`.wsgi`)."""
        ours = {"DATABASE_URL", "READINESS_STATEMENT_SECONDS", "PYTEST_CURRENT_TEST"}
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ours},
            "READINESS_DATA": str(folder),
            "READINESS_ADDRESS": f"http://127.0.0.1:{self.port}",
            "READINESS_SECRET_KEY": SECRET_KEY,
            "FAULTS_MUTANT": mutant,
            "FAULTS_CLOCK": str(self.clock),
        }
        if self.database.url:
            self.environment["DATABASE_URL"] = self.database.url

    def __enter__(self) -> System:
        try:
            self.database.start()
            self.manage("migrate", "--verbosity=0")
            self.manage("load_instrument", "seeds/ai-readiness")
            self.manage("collectstatic", "--no-input", "--verbosity=0")
            self.manage("purge")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        self.database.end()

    def manage(self, *command: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def purge_ahead(self, seconds: float) -> bool:
        """The daily purge by a clock that is so far ahead: whether it has done anything."""
        program = (
            "import sys, time, django, time_machine\n"
            "django.setup()\n"
            "from django.core.management import call_command\n"
            "time_machine.travel(time.time() + float(sys.argv[1])).start()\n"
            "call_command('purge')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(seconds)],
            cwd=ROOT,
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "readiness.settings"},
            check=False,
            capture_output=True,
        )
        return done.returncode == 0

    def start(self) -> None:
        self.web = self._popen(
            *("-m", "gunicorn", "--config", "readiness/gunicorn.py", "--workers", "2"),
            *("--bind", f"127.0.0.1:{self.port}"),
            "tests.faults.wsgi" if self.mutant or self.clock.exists() else "readiness.wsgi",
        )
        wait_until(self.answers)

    def start_worker(self) -> subprocess.Popen[bytes]:
        self.workers.append(self._popen("manage.py", "worker"))
        return self.workers[-1]

    def _popen(self, *command: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/resume/", timeout=5):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            return False

    def kill_a_web_process(self, choose: Callable[[Sequence[int]], int]) -> None:
        assert self.web is not None
        if running := children(self.web.pid):
            kill(choose(running))

    def kill_the_master(self) -> None:
        """And it alone: its processes end by themselves, and leave the port to the one that is
        started again, as by a service manager."""
        assert self.web is not None
        left = children(self.web.pid)
        self.web.kill()
        self.web.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), seconds=2)
        self.start()

    def restart(self, mutant: str = "") -> None:
        """The web server anew, with a fault of its own or with none."""
        assert self.web is not None
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait()
        self.mutant = self.environment["FAULTS_MUTANT"] = mutant
        self.start()

    def stop(self) -> None:
        for process in (*self.workers, *filter(None, [self.web])):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.workers, self.web = [], None

    def fill_the_disk(self) -> None:
        """No process that writes the database can write to any file, as on a disk that is full, for
        whoever may not mount one."""
        self._limit_files("1")

    def make_room(self) -> None:
        self._limit_files("unlimited")

    def _limit_files(self, size: str) -> None:
        assert self.web is not None
        for pid in self.database.pids() or [self.web.pid, *children(self.web.pid)]:
            # By its owner, for root may have been refused the right to.
            command = [*self.database.as_owner, "prlimit", f"--pid={pid}", f"--fsize={size}:"]
            subprocess.run(command, check=False, capture_output=True)

    def sittings(self) -> dict[str, bytes]:
        """The answers of every sitting, by the hash of its code; nobody has two."""
        rows = self.database.rows("SELECT code_hash, answers FROM assessments_sitting")
        found = {bytes(code).hex(): bytes(answers) for code, answers in rows}
        assert len(found) == len(rows)
        return found


def installed() -> Iterator[str]:
    yield "sqlite"
    if POSTGRESQL is not None:
        yield "postgresql"
