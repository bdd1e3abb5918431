"""A deployment as DEPLOYMENT.md describes it: nginx in front of two processes of gunicorn."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.conftest import ROOT, SEEDS

DEPLOYMENT = ROOT / "readiness" / "deployment"
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
GUNICORN = Path(sys.executable).with_name("gunicorn")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One runner sets up the machine, for all that run on it."""
    for item in items:
        if "deployment" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("deployment"))


def outside() -> dict[str, str]:
    """The environment, but for what pytest has set in it."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def wait_until(true: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def own_database(folder: Path, url: str | None) -> Iterator[str]:
    """The address of an empty database, of the kind that the tests run on."""
    if not url:
        yield f"sqlite:///{folder / 'db.sqlite3'}"
        return
    name = f"deployment_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield f"{url.rpartition('/')[0]}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Deployment:
    """What a machine has: a folder, an environment, and what is run in it."""

    folder: Path
    environment: dict[str, str]

    def manage(self, *command: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=outside() | self.environment | more,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *command: object, log: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as written:
            return subprocess.Popen(
                [str(each) for each in command],
                cwd=ROOT,
                env=outside() | self.environment | more,
                stdout=written,
                stderr=written,
            )

    def told(self, log: str) -> str:
        return (self.folder / log).read_text(encoding="utf-8")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="package")
def deployment(tmp_path_factory) -> Iterator[Deployment]:
    """A machine that is set up, with nothing running on it."""
    folder = tmp_path_factory.mktemp("deployment")
    folder.chmod(0o755)
    https = free_port()
    for url in own_database(folder, os.environ.get("DATABASE_URL")):
        machine = Deployment(
            folder,
            {
                "DATABASE_URL": url,
                "READINESS_ADDRESS": f"https://localhost:{https}",
                "READINESS_SECRET_KEY": "k9" * 40 + "xyzuvw",
                "READINESS_DATA": str(folder / "data"),
                "READINESS_STATIC": str(folder / "static"),
                "READINESS_WORKERS": "2",
                "READINESS_LOG": "json",
                "READINESS_CONTROLLER": "CHU",
                "READINESS_CONTACT": "dpo",
            },
        )
        machine.manage("migrate", "--verbosity", "0")
        machine.manage("load_instrument", str(SEEDS))
        machine.manage("collectstatic", "--no-input", "--verbosity", "0")
        yield machine


@dataclass
class Site:
    """What answers at the public address, and who stands behind."""

    machine: Deployment
    http: int
    https: int
    backend: int
    gunicorn: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Until it answers."""
        self.gunicorn = self.machine.start(
            *(GUNICORN, "--config", "readiness/gunicorn.py", "readiness.wsgi"),
            log="gunicorn.log",
            READINESS_BIND=f"127.0.0.1:{self.backend}",
        )
        wait_until(lambda: answers(self.backend))

    def stop_serving(self) -> None:
        if self.gunicorn:
            stop(self.gunicorn)

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        *,
        plain: bool = False,
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection: http.client.HTTPConnection
        if plain:
            connection = http.client.HTTPConnection("localhost", self.http, timeout=30)
        else:
            trusting = ssl.create_default_context(cafile=str(self.machine.folder / "cert.pem"))
            connection = http.client.HTTPSConnection(
                "localhost", self.https, timeout=30, context=trusting
            )
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@pytest.fixture(scope="package")
def site(deployment: Deployment) -> Iterator[Site]:
    """nginx with the files of readiness/deployment, but for ports, paths and the certificate."""
    if NGINX is None:
        pytest.skip("no nginx: sudo apt install nginx")
    folder = deployment.folder
    http_port, backend = free_port(), free_port()
    https_port = int(deployment.environment["READINESS_ADDRESS"].rpartition(":")[2])
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    configuration = (DEPLOYMENT / "nginx.conf").read_text(encoding="utf-8")
    for old, new in {
        "https://readiness.example.fr": f"https://localhost:{https_port}",
        "/etc/letsencrypt/live/readiness.example.fr/fullchain.pem": folder / "cert.pem",
        "/etc/letsencrypt/live/readiness.example.fr/privkey.pem": folder / "key.pem",
        "readiness.example.fr": "localhost",
        "listen 80": f"listen 127.0.0.1:{http_port}",
        "listen 443": f"listen 127.0.0.1:{https_port}",
        "listen [::]:80": f"listen [::1]:{http_port}",
        "listen [::]:443": f"listen [::1]:{https_port}",
        "unix:/run/readiness/web.sock": f"127.0.0.1:{backend}",
        "/var/log/nginx/": f"{folder}/",
        "/var/lib/readiness-static/": f"{folder / 'static'}/",
        "/etc/nginx/readiness-proxy.conf": DEPLOYMENT / "readiness-proxy.conf",
        "root /etc/nginx;": f"root {DEPLOYMENT};",
    }.items():
        assert old in configuration
        configuration = configuration.replace(old, str(new))
    (folder / "site.conf").write_text(configuration, encoding="utf-8")
    temporary = "\n".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; worker_processes 2; daemon off;"
        + (" user root;" if os.getuid() == 0 else "")
        + f" error_log {folder}/nginx-error.log; events {{ worker_connections 512; }}"
        f" http {{ include /etc/nginx/mime.types; {temporary} include {folder}/site.conf; }}",
        encoding="utf-8",
    )
    site = Site(deployment, http_port, https_port, backend)
    nginx = deployment.start(
        *(NGINX, "-e", folder / "nginx-error.log", "-c", folder / "nginx.conf"), log="nginx.log"
    )
    try:
        site.serve()
        wait_until(lambda: answers(https_port))
        yield site
    finally:
        stop(nginx)
        site.stop_serving()
