"""The web server as it runs in earnest, beside the tests, with its compressed static files."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.conftest import ROOT


def manage(environment: dict[str, str], *command: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


class Server:
    """Gunicorn on a free port of loopback, with the SQLite database of a folder."""

    def __init__(self, folder: Path, static: Path) -> None:
        """``static``: the folder of the collected files."""
        (folder / "static").symlink_to(static, target_is_directory=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "DATABASE_URL": "",
            "READINESS_DATA": str(folder),
            "READINESS_ADDRESS": self.address,
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "readiness/gunicorn.py"),
                *("--bind", f"127.0.0.1:{self.port}", "readiness.wsgi"),
            ],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _attempt in range(600):
            try:
                urllib.request.urlopen(f"{self.address}/resume/", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the server does not start")

    def kill(self) -> None:
        """At once, master and workers, whatever they are doing."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
