"""A process that prints for a web process.

Printing keeps one processor busy for about a second. Within a web process, Python would give that
second to the printing thread and let those that keep answers in only between; a process of its own
stands back when many people answer. It is started with the web process and ends with it.
"""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from . import press

NICE = 10
"""How far it stands back: it gets a tenth of a processor where everybody wants the whole, so that a
document is printed before it is given up."""
LONGEST = 40.0
"""Seconds that a document may take before it is given up."""
ROOT = Path(__file__).resolve().parent.parent

logger = logging.getLogger("assessments.pressroom")


class PrintingFailed(Exception):
    """The document cannot be printed; the log of the process that prints says why."""


class PressRoom:
    """The process, as the web process sees it: to be asked by one thread at a time."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._folder: str | None = None
        atexit.register(self.close)

    def open(self) -> Connection:
        """Start the process, unless it runs. OSError where the machine has no room for it."""
        if self._line is not None and self.process and self.process.poll() is None:
            return self._line
        self.close()
        # Its fonts are there. Whoever of us two is not killed removes it.
        self._folder = tempfile.mkdtemp(prefix="readiness-press-")
        ours, theirs = socket.socketpair()
        with theirs:
            for bound in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                ours.setsockopt(socket.SOL_SOCKET, bound, _timeval(LONGEST))
            self._line = Connection(ours.detach())
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), self._folder],
                cwd=ROOT,
                env=os.environ | {"TMPDIR": self._folder},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return self._line

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def printed(self, html: str, sheets: Sequence[str]) -> bytes:
        """As :func:`.press.printed`. Busy where the process has ended or takes too long, and
        another one is made; PrintingFailed where it cannot print the document."""
        try:
            line = self.open()
            line.send_bytes(json.dumps([html, *sheets]).encode())
            document = line.recv_bytes()
        except (OSError, EOFError) as error:
            logger.warning("The process that prints has ended or is silent: another one is made.")
            self.close()
            raise press.Busy from error
        except BaseException:
            self.close()  # what it may still say is the answer to nobody's question
            raise
        if not document:
            raise PrintingFailed
        return document


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("ll", whole, int((seconds - whole) * 1_000_000))


def serve(line: Connection) -> None:
    """Print what comes, until whoever asks is gone. No document is kept in a variable."""
    while True:
        try:
            line.send_bytes(_document(line.recv_bytes()))
        except (EOFError, OSError):
            return
        gc.collect()  # a document leaves much behind: nobody waits for that to be tidied up


def _document(asked: bytes) -> bytes:
    """Nothing where it cannot be printed."""
    try:
        html, *sheets = json.loads(asked)
        return press.printed(html, sheets)
    except Exception:
        logger.exception("A document could not be printed.")
        return b""


def main(line: Connection, folder: str) -> None:
    """``folder`` is removed in the end."""
    import django

    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after what WeasyPrint removes
    django.setup()  # for the log, which names nobody
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.SIG_IGN)  # it ends with whom it prints for
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold somebody's answers
    os.nice(NICE)
    press.warm()
    gc.freeze()  # what all documents share is not looked through again and again
    gc.disable()
    serve(line)


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as web:
        main(web, sys.argv[2])
