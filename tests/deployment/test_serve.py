"""`.ci/serve`, by which `make run` serves: what is killed comes back, what is broken does not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
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


def serving(checkout: Path, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [checkout / ".ci/serve", "127.0.0.1:1"],
        stderr=stderr, text=True, start_new_session=True,
    )  # fmt: skip


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


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


@pytest.mark.parametrize("status", [0, 143, 139])
def test_what_was_told_to_end_or_killed_is_not_broken(checkout, status):
    does(checkout, "gunicorn", f"exit {status}")
    serve = serving(checkout)
    try:
        wait_until(lambda: len(starts(checkout, "gunicorn")) == 5)
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.communicate(timeout=20)
    assert serve.returncode == 143


def test_one_that_is_broken_is_not_counted_with_the_other(checkout):
    """Twice each, in turn: then both live."""
    for program in ("gunicorn", "python"):
        count = f'[ "$(grep -c . {checkout}/{program})" -gt 2 ] || exit 3'
        does(checkout, program, f"{count}\n{LIVES}")
    serve = serving(checkout)
    try:
        for program in ("gunicorn", "python"):
            wait_until(lambda program=program: len(starts(checkout, program)) == 3)
        time.sleep(2.5)
        assert serve.poll() is None
    finally:
        serve.send_signal(signal.SIGTERM)
        _out, told = serve.communicate(timeout=20)
    assert "does not start" not in told
    assert len(starts(checkout, "gunicorn")) == len(starts(checkout, "python")) == 3


def waits(serve: subprocess.Popen[str]) -> list[int]:
    """What it looks around after."""
    found = []
    for pid in children(serve.pid):
        with suppress(OSError):  # it has ended since
            if Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001\x00":
                found.append(pid)
    return found


def test_it_survives_that_what_it_waits_by_is_killed(checkout):
    serve = serving(checkout)
    try:
        killed = set()
        while len(killed) < 5:
            wait_until(lambda: serve.poll() is not None or set(waits(serve)) - killed)
            assert serve.poll() is None
            for pid in set(waits(serve)) - killed:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        os.kill(starts(checkout, "gunicorn")[0], signal.SIGKILL)
        wait_until(lambda: len(starts(checkout, "gunicorn")) == 2)
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.communicate(timeout=20)
    assert serve.returncode == 143


def test_it_goes_on_where_its_log_is_full(checkout):
    with Path("/dev/full").open("wb") as full:
        serve = serving(checkout, stderr=full.fileno())
    try:
        for program in ("gunicorn", "python"):
            wait_until(lambda program=program: len(starts(checkout, program)) == 1)
            os.kill(starts(checkout, program)[0], signal.SIGKILL)
            wait_until(lambda program=program: len(starts(checkout, program)) == 2)
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait(timeout=20)
    assert serve.returncode == 143


def test_it_takes_both_along_when_its_terminal_closes(checkout):
    """Which is said to all of them, and more than once; gunicorn takes it for something else."""
    does(checkout, "gunicorn", f"trap '' HUP\n{LIVES}")
    serve = serving(checkout)
    wait_until(lambda: starts(checkout, "gunicorn") and starts(checkout, "python"))
    os.killpg(serve.pid, signal.SIGHUP)
    with suppress(ProcessLookupError):
        os.killpg(serve.pid, signal.SIGHUP)
    serve.communicate(timeout=20)
    assert serve.returncode == 129
    assert not any(map(lives, [*starts(checkout, "gunicorn"), *starts(checkout, "python")]))


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv, of util-linux")
def test_neither_outlives_it(checkout):
    """Killed, it can tell nobody; they would keep the port from the next."""
    serve = serving(checkout)
    wait_until(lambda: starts(checkout, "gunicorn") and starts(checkout, "python"))
    both = [*starts(checkout, "gunicorn"), *starts(checkout, "python")]
    serve.kill()
    serve.communicate(timeout=20)
    wait_until(lambda: not any(map(lives, both)))


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_it_ends_with_the_make_that_started_it(checkout):
    """By the very line of ours."""
    shutil.copy(ROOT / "Makefile", checkout / "Makefile")
    (checkout / ".ci/environment").symlink_to(shutil.which("true"))
    does(checkout, "python", f'[ "$2" = worker ] || exit 0\n{LIVES}')
    make = subprocess.Popen(
        ["make", "run", "PORT=1"],
        cwd=checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: starts(checkout, "gunicorn") and len(starts(checkout, "python")) == 3)
    (web,) = starts(checkout, "gunicorn")
    worker = starts(checkout, "python")[-1]
    time.sleep(2.5)  # it looks around
    assert lives(web)
    assert lives(worker)
    make.kill()
    make.wait()
    wait_until(lambda: not lives(web) and not lives(worker))


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
