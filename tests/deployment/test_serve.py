"""`.ci/serve`, by which `make run` serves: what is killed comes back, what is broken does not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT

from .conftest import Deployment, children, free_port, stop, wait_until

LIVES = "exec sleep 60"


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Where the web server and the worker do nothing but tell of each start, and live."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    shutil.copy(ROOT / ".ci/serve", tmp_path / ".ci/serve")
    for program in ("gunicorn", "python"):
        does(tmp_path, program, LIVES)
    return tmp_path


def does(checkout: Path, program: str, what: str) -> None:
    path = checkout / ".venv/bin" / program
    path.write_text(f"#!/bin/sh\necho $$ >>{checkout}/{program}\n{what}\n", encoding="ascii")
    path.chmod(0o755)


def starts(checkout: Path, program: str) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(pid) for pid in (checkout / program).read_text().split()]
    return []


def serving(checkout: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [checkout / ".ci/serve", "127.0.0.1:1"], stderr=subprocess.PIPE, text=True
    )


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("program", "name"), [("gunicorn", "The web server"), ("python", "The worker")]
)
def test_what_is_killed_is_started_again_however_often(checkout, program, name):
    serve = serving(checkout)
    try:
        for killed in range(1, 5):
            wait_until(lambda killed=killed: len(starts(checkout, program)) == killed)
            os.kill(starts(checkout, program)[-1], signal.SIGKILL)
        wait_until(lambda: len(starts(checkout, program)) == 5)
    finally:
        serve.send_signal(signal.SIGTERM)
        _out, told = serve.communicate(timeout=20)
    assert serve.returncode == 143
    # The shell itself may say of a program of its own that it was killed.
    assert told.count(f"{name} has ended and is started again.\n") == 4
    every = [*starts(checkout, "gunicorn"), *starts(checkout, "python")]
    assert len(every) == 6
    assert not any(map(lives, every))


@pytest.mark.parametrize(
    ("program", "name"), [("gunicorn", "The web server"), ("python", "The worker")]
)
def test_what_cannot_start_is_given_up(checkout, program, name):
    does(checkout, program, "echo broken >&2; exit 3")
    serve = serving(checkout)
    _out, told = serve.communicate(timeout=60)
    assert serve.returncode == 1
    assert told.endswith(f"{name} does not start: what it said stands above.\n")
    assert len(starts(checkout, program)) == told.count("broken") == 3
    assert not any(map(lives, [*starts(checkout, "gunicorn"), *starts(checkout, "python")]))


def test_after_a_kill_the_real_ones_answer_again(deployment: Deployment, tmp_path: Path):
    port = free_port()

    def answers() -> bool:
        address = f"http://127.0.0.1:{port}/healthz"
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as told:
            return bool(told.status == 200)
        return False

    def running(what: str) -> list[int]:
        found = []
        for pid in children(serve.pid):
            with suppress(OSError):  # it has ended since
                if what in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"):
                    found.append(pid)
        return found

    # Of its own, for the worker would be taken for that of the others.
    own = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
    deployment.manage("migrate", "--verbosity", "0", **own)
    serve = deployment.start(ROOT / ".ci/serve", f"127.0.0.1:{port}", log="serve.log", **own)
    try:
        for what in ("gunicorn", "worker"):
            wait_until(lambda: answers() and running("gunicorn") and running("worker"))
            (killed,) = running(what)
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda what=what, killed=killed: running(what) not in ([], [killed]))
        wait_until(answers)
    finally:
        stop(serve)
    assert serve.returncode == 143
    assert deployment.told("serve.log").count("has ended and is started again.") == 2
