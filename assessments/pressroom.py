"""A process that prints for a web process.

Printing keeps one processor busy for about a second. Within a web process, Python would give that
second to the printing thread and let those that keep answers in only between; a process of its own
stands back when many people answer. It is started with the web process, ends with it, and forks for
each document, so that what a document leaves behind goes at once, and needs no tidying up.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from . import press

NICE = 5
"""How far it stands back: it gets a quarter of a processor where everybody wants the whole."""
LONGEST = 40.0
"""Seconds that a document may take before it is given up."""
ROOT = Path(__file__).resolve().parent.parent

logger = logging.getLogger("assessments.pressroom")


class PrintingFailed(Exception):
    """The document cannot be printed; the log of the process that prints says why."""


class PressRoom:
    """The process, as the web process sees it: to be asked by one thread at a time."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._line, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def close(self) -> None:
        self._line.close()
        self.process.kill()
        self.process.wait()

    def printed(self, html: str, sheets: Sequence[str]) -> bytes:
        """As :func:`.press.printed`. Busy where the process has ended or takes too long, and
        another one is made; PrintingFailed where it cannot print the document."""
        if self.process.poll() is not None:
            self.close()
            self._open()
        try:
            self._line.send_bytes(json.dumps([html, *sheets]).encode())
            if not self._line.poll(LONGEST):
                raise TimeoutError
            document = self._line.recv_bytes()
        except (OSError, EOFError) as error:
            logger.warning("The process that prints has ended or is silent: another one is made.")
            self.close()
            self._open()
            raise press.Busy from error
        if not document:
            raise PrintingFailed
        return document


def serve(line: Connection) -> None:
    """Print what comes, until whoever asks is gone."""
    while True:
        try:
            html, *sheets = json.loads(line.recv_bytes())
            line.send_bytes(_printed_apart(html, sheets))
        except (EOFError, OSError):
            return


def _printed_apart(html: str, sheets: Sequence[str]) -> bytes:
    """The document, as a child process prints it; nothing where it cannot."""
    ours, theirs = Pipe(duplex=False)
    child = os.fork()
    if not child:
        _print_and_end(theirs, html, sheets)
    theirs.close()
    try:
        with ours:
            return ours.recv_bytes()
    except EOFError:
        return b""
    finally:
        os.waitpid(child, 0)


def _print_and_end(line: Connection, html: str, sheets: Sequence[str]) -> None:
    try:
        signal.alarm(round(LONGEST))  # by which nobody waits for it any more
        line.send_bytes(press.printed(html, sheets))
    except Exception:
        logger.exception("A document could not be printed.")
    finally:
        os._exit(0)  # at once: nothing of the parent's is to be closed twice


def main(line: Connection) -> None:
    import django

    django.setup()  # for the log, which names nobody
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.SIG_IGN)  # it ends with whom it prints for
    os.nice(NICE)
    press.warm()
    gc.freeze()  # what all documents share is not looked through by each child
    serve(line)


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as web:
        main(web)
