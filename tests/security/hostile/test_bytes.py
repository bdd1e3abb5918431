"""The server itself, spoken to in bytes: what no client of Django's would send."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("bytes")  # one runner starts the server

PATIENCE = 60
"""Seconds that the server has to start."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def running(port: int, *command: object, **how: object) -> Iterator[None]:
    """A program, from when it answers on its port to when it is stopped."""
    with subprocess.Popen(list(map(str, command)), **how) as process:
        try:
            until = time.monotonic() + PATIENCE
            while True:
                assert process.poll() is None, "it has ended"
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert time.monotonic() < until, "it does not answer"
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def log(data) -> Path:
    return data / "log"


@pytest.fixture(scope="module")
def server(data, log) -> Iterator[int]:
    """gunicorn as it is configured, on a database without any table: the pages asked for here
    need none."""
    environment = {"PATH": os.environ["PATH"], "READINESS_DATA": str(data)}
    manage = [sys.executable, "manage.py"]
    subprocess.run(
        [*manage, "collectstatic", "--no-input", "-v0"], cwd=ROOT, env=environment, check=True
    )
    port = free_port()
    serve = ("-m", "gunicorn", "--config", "readiness/gunicorn.py", "--bind", f"127.0.0.1:{port}")
    with (
        log.open("wb") as written,
        running(
            port,
            *(sys.executable, *serve, "readiness.wsgi"),
            cwd=ROOT,
            env=environment,
            stdout=written,
            stderr=written,
        ),
    ):
        yield port


def told(port: int, request: bytes, *, ends: bool = True) -> bytes:
    """All that is answered to some bytes, after which the client may say that no more come."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with contextlib.suppress(OSError):  # refused, and gone, before all was sent
            connection.sendall(request)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        read = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                read += part
    return read


def asking(
    path: bytes = b"/privacy/", *headers: bytes, method: bytes = b"GET", body: bytes = b""
) -> bytes:
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close"]
    return b"\r\n".join([*lines, *headers, b"", b""]) + body


CUT = 0
"""No status: the server has closed the connection on a client that was still sending."""


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else CUT


def test_what_is_well_formed_is_answered(server):
    assert status(told(server, asking())) == 200


FORM = b"Content-Type: application/x-www-form-urlencoded"
HOSTILE = {
    "a long address": asking(b"/" + b"a" * 5000),
    "a long query": asking(b"/privacy/?" + b"a" * 5000),
    "a long header": asking(b"/privacy/", b"X-Long: " + b"a" * 9000),
    "a long cookie": asking(b"/privacy/", b"Cookie: readiness_session=" + b"a" * 9000),
    "many headers": asking(b"/privacy/", *(b"X-%d: a" % number for number in range(80))),
    "a megabyte of headers": asking(b"/privacy/", *[b"X: " + b"a" * 8000] * 130),
    "two lengths": asking(
        b"/resume/", b"Content-Length: 1", b"Content-Length: 2", method=b"POST", body=b"ab"
    ),
    "a length and chunks": asking(
        b"/resume/",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        method=b"POST",
        body=b"0\r\n\r\n",
    ),
    "a negative length": asking(b"/resume/", b"Content-Length: -1", method=b"POST"),
    "no length at all": asking(b"/resume/", b"Content-Length: many", method=b"POST"),
    "lying chunks": asking(
        b"/resume/", b"Transfer-Encoding: chunked", FORM, method=b"POST", body=b"zz\r\nab\r\n"
    ),
    "chunks of chunks": asking(b"/resume/", b"Transfer-Encoding: chunked, chunked", method=b"POST"),
    "a NUL in a header": asking(b"/privacy/", b"X-Nul: a\x00b"),
    "a folded header": asking(b"/privacy/", b"X-Folded: a\r\n b"),
    "a space before the colon": asking(b"/privacy/", b"Host : evil.example"),
    "no such method": asking(method=b"get"),
    "no protocol": b"GET /privacy/\r\n\r\n",
    "an address moved elsewhere": asking(b"/privacy/", b"SCRIPT_NAME: /x"),
    "another address, told beside": asking(b"/privacy/", b"PATH_INFO: /nowhere/"),
    "another protocol": b"GET /privacy/ HTTP/9.9\r\n\r\n",
    "noise": bytes(range(256)) * 20,
    "a host in the address": asking(b"http://evil.example/privacy/"),
    "two hosts": asking(b"/privacy/", b"Host: evil.example"),
    "a line that is split": asking(b"/c/a%0d%0aSet-Cookie:%20x=1/"),
    "an NUL in the address": asking(b"/c/\x00/"),
    "half a request": b"GET /privacy/ HT",
    "a body that ends early": asking(
        b"/resume/", b"Content-Length: 100", FORM, method=b"POST", body=b"code=x"
    ),
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE)
def test_bytes_that_no_browser_sends_are_refused_and_harm_nobody(sent, server):
    answer = told(server, sent)
    assert status(answer) < 500
    assert b"evil.example" not in answer
    assert b"Set-Cookie: x" not in answer
    assert status(told(server, asking())) == 200


@pytest.mark.parametrize(
    "limit", ["a long address", "a long header", "many headers", "a megabyte of headers"]
)
def test_what_exceeds_the_limits_of_the_server_is_not_read_on(limit, server):
    assert status(told(server, HOSTILE[limit])) in {CUT, *range(400, 500)}


def test_no_header_moves_the_address_of_a_page(server):
    for moved in ("an address moved elsewhere", "another address, told beside"):
        assert status(told(server, HOSTILE[moved])) == 200


def test_chunks_without_a_length_are_taken_for_nothing(server):
    body = b"%x\r\n" % 300_000 + b"a" * 300_000 + b"\r\n0\r\n\r\n"
    sent = asking(b"/resume/", b"Transfer-Encoding: chunked", FORM, method=b"POST", body=body)
    assert status(told(server, sent)) in {CUT, 403}


def test_a_large_body_is_refused_before_it_comes(server):
    sent = asking(b"/resume/", b"Content-Length: 100000000000", FORM, method=b"POST", body=b"code=")
    begun = time.monotonic()
    assert status(told(server, sent)) == 413
    assert time.monotonic() - begun < 15


def test_the_log_tells_neither_who_nor_what(server, log):
    code = b"K7WQ-2M4X-PZ9R-TB3H"
    for sent in (b"X-Nul: " + code + b"\x00", b"X: " + code * 500, code + b" : x"):
        told(server, asking(b"/c/K7WQ2M4X/", sent))
    written = log.read_text(encoding="utf-8")
    assert "Booting worker" in written
    assert "K7WQ" not in written
    assert "ip=127" not in written


NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_header_timeout 5s; client_body_timeout 5s;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{server}; proxy_set_header Host $http_host; }}
    }}
}}
"""


@pytest.fixture
def proxy(server, tmp_path) -> Iterator[int]:
    """nginx, which passes a request on once it has come whole: it does so unless told otherwise."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no nginx: sudo apt install nginx")
    port = free_port()
    file = tmp_path / "nginx.conf"
    file.write_text(NGINX.format(folder=tmp_path, port=port, server=server), encoding="ascii")
    with running(port, program, "-p", tmp_path, "-c", file):
        yield port


SLOW = {
    "say nothing": b"",
    "stop in a header": b"GET /privacy/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: a",
    "stop in a body": (
        b"POST /resume/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\ncode="
    ),
}


@pytest.mark.parametrize("begun", SLOW.values(), ids=SLOW)
def test_a_hundred_that_dawdle_keep_nobody_waiting_behind_a_proxy(begun, proxy):
    with contextlib.ExitStack() as dawdling:
        for _ in range(100):
            slow = socket.create_connection(("127.0.0.1", proxy), timeout=10)
            dawdling.enter_context(slow)
            slow.sendall(begun)
        since = time.monotonic()
        served = [status(told(proxy, asking(), ends=False)) for _ in range(20)]
        taken = time.monotonic() - since
    assert served == [200] * 20
    assert taken < 20, "eight threads, each of which would wait for a hundred"
