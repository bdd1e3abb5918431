"""How gunicorn serves: threads in a few processes, loaded once, no log of who asked for what.

| variable | what it is | default |
|---|---|---|
| READINESS_BIND | ``host:port`` or ``unix:/path``, unless systemd hands over one | 127.0.0.1:8000 |
| READINESS_WORKERS | processes | one a core, at most 2 |
| READINESS_THREADS | threads of each; the pool of PostgreSQL follows | 4 |
| READINESS_REQUEST_SECONDS | after which a process that has gone silent is replaced | 60 |
| READINESS_GRACE_SECONDS | that requests have to end when the server stops | 30 |
| READINESS_MAX_REQUESTS | after which a process is replaced, give or take a tenth | 100000 |
"""

import ctypes
import multiprocessing
import os
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress

from django.db import connections
from gunicorn.glogging import Logger as GunicornLogger  # type: ignore[import-untyped]

from readiness import log_lines, telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readiness.settings")
# As wsgi.py says it, which comes later: our log reads the settings before.
os.environ.setdefault("READINESS_STATEMENT_SECONDS", "5")


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


bind = os.environ.get("READINESS_BIND") or "127.0.0.1:8000"
worker_class = "gthread"
workers = _number("READINESS_WORKERS", min(2, multiprocessing.cpu_count()))
threads = _number("READINESS_THREADS", 4)
timeout = _number("READINESS_REQUEST_SECONDS", 60)
graceful_timeout = _number("READINESS_GRACE_SECONDS", 30)
# The proxy keeps its connections for less long (nginx.conf), so that none ends under a request.
keepalive = 75
# A new process loads what printing needs and renders pages anew: not every few minutes of a rush.
max_requests = _number("READINESS_MAX_REQUESTS", 100_000)
max_requests_jitter = max_requests // 10
preload_app = True
# A process shows by touching a file that it lives: in memory, where no disk keeps it waiting.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
accesslog = None
# Ours are short: the longest address has some 100 signs, a browser sends some 15 headers.
limit_request_line = 4_094
limit_request_fields = 60
limit_request_field_size = 8_190
# No header moves the address at which the application is: anybody on this machine may send one.
forwarder_headers = ""
control_socket_disable = True
# By sendfile, whoever takes a file and does not read it would be waited for without end.
sendfile = False

SILENCE = 30
"""Seconds that a thread waits for whoever has gone silent in the middle of a request, or no longer
reads its answer: without that, as many as there are threads would stop everything. As nginx waits
(send_timeout), for where one stands before it; who sends a byte now and then is its to bound."""


class logger_class(GunicornLogger):
    """gunicorn’s own log, in the form of ours and as clean."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            log_lines.like_ours(handler)

    def exception(self, msg: object, *args: object, **kwargs: object) -> None:
        """One line for each that has gone silent (:data:`SILENCE`): they may be many."""
        if str(msg).startswith("Socket error") and isinstance(sys.exception(), BlockingIOError):
            self.warning("Whoever asked went silent in the middle of it, and was given up.")
        else:
            super().exception(msg, *args, **kwargs)


def when_ready(server: object) -> None:
    """Nothing that was opened while loading is shared by the processes that are about to fork, and
    none waits for ever for whoever has gone silent."""
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    # Each connection inherits these, over TCP; over a Unix socket, only a proxy asks.
    for listener in server.LISTENERS:  # type: ignore[attr-defined]
        for bound in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.setsockopt(socket.SOL_SOCKET, bound, struct.pack("ll", SILENCE, 0))


def post_fork(server: object, worker: object) -> None:
    """Without gunicorn itself a process goes at once. As an orphan it would hold the port while it
    sees its last requests off, and what a service manager starts in its place would not come up;
    nothing is lost by it, for what is not acknowledged is sent again."""
    if sys.platform == "linux":
        ends_with_parent = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(ends_with_parent, signal.SIGKILL)
        if os.getppid() != server.pid:  # type: ignore[attr-defined]  # it was gone before
            os.kill(os.getpid(), signal.SIGKILL)


def post_worker_init(worker: object) -> None:
    """What needs threads or processes begins after the fork."""
    from assessments import press, pressroom

    telemetry.export()
    room = pressroom.PressRoom()
    press.print_by(room.printed)
    with suppress(OSError):  # no room for it now: the first document asks again
        room.open()
    threading.Thread(target=press.unprintable, daemon=True).start()
