"""As many as the server has threads go silent in the middle of a request: it is waited for them
for a while, and not for ever."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .conftest import GUNICORN, Deployment, answers, children, free_port, stop, wait_until

THREADS = 2
IMPATIENT = """
import socket
exec(open("readiness/gunicorn.py", encoding="utf-8").read())
SILENCE = 2
as_it_is = when_ready
def when_ready(server):
    as_it_is(server)
    for listener in server.LISTENERS:  # a whole answer would find room in it
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
"""


@pytest.fixture(scope="module")
def port(deployment: Deployment, tmp_path_factory) -> Iterator[int]:
    """gunicorn as it is configured, but that it waits for less long."""
    chosen = free_port()
    configuration = tmp_path_factory.mktemp("impatient") / "gunicorn.py"
    configuration.write_text(IMPATIENT, encoding="utf-8")
    gunicorn = deployment.start(
        *(GUNICORN, "--config", configuration, "readiness.wsgi"),
        log="silence.log",
        READINESS_BIND=f"127.0.0.1:{chosen}",
        READINESS_WORKERS="1",
        READINESS_THREADS=str(THREADS),
    )
    try:
        wait_until(lambda: answers(chosen) and children(gunicorn.pid))
        yield chosen
    finally:
        stop(gunicorn)


def half_a_line(_machine: Deployment, _port: int) -> bytes:
    return b"GET /heal"


def half_a_form(_machine: Deployment, port: int) -> bytes:
    return (
        f"POST /resume/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Forwarded-Proto: https\r\n"
        f"Origin: https://127.0.0.1:{port}\r\nCookie: __Host-csrftoken={'a' * 32}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\ncode="
    ).encode()


def a_file_that_is_not_read(machine: Deployment, port: int) -> bytes:
    static = machine.folder / "static"
    largest = max(static.rglob("*.css"), key=lambda path: path.stat().st_size)
    return (
        f"GET /static/{largest.relative_to(static)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "X-Forwarded-Proto: https\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (half_a_line, "went silent"),
        (half_a_form, '"status": 403'),
        (a_file_that_is_not_read, "went silent"),
    ],
)
def test_whoever_goes_silent_is_given_up(deployment: Deployment, port: int, sent, told):
    def lines() -> list[str]:
        return deployment.told("silence.log").splitlines()[said_before:]

    said_before = len(deployment.told("silence.log").splitlines())
    with ExitStack() as clients:
        for _each in range(THREADS):
            client = clients.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port))
            client.sendall(sent(deployment, port))
        time.sleep(0.3)
        since = time.monotonic()
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        asking.request("GET", "/healthz")
        assert asking.getresponse().status == 200
        asking.close()
        assert time.monotonic() - since > 0.5  # they did hold every thread
        wait_until(lambda: sum(told in line for line in lines()) == THREADS)
    for line in map(json.loads, lines()):
        assert "exceptions" not in line
        assert line["level"] in ("info", "warning")
