"""The deployment that DEPLOYMENT.md describes, walked: nginx, two processes, a database."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .conftest import GUNICORN, Deployment, Site, answers, free_port, stop, wait_until
from .visitor import Visitor

STATIC = re.compile(r'"(/static/[^"]+\.css)"')


@pytest.fixture
def visitor(site: Site) -> Visitor:
    return Visitor(
        site.machine.environment["READINESS_ADDRESS"], str(site.machine.folder / "cert.pem")
    )


def test_http_leads_to_https_with_its_path(site: Site):
    response, _body = site.ask("/method/?a=b", plain=True)
    assert response.status == 308
    address = site.machine.environment["READINESS_ADDRESS"]
    assert response.headers["Location"] == f"{address}/method/?a=b"


def test_a_name_that_is_not_ours_is_not_answered(site: Site):
    with pytest.raises(http.client.RemoteDisconnected):
        site.ask("/", headers={"Host": "elsewhere.example"}, plain=True)


def test_pages_have_their_security_headers_and_are_not_compressed(site: Site):
    response, _body = site.ask("/", headers={"Accept-Encoding": "gzip, br"})
    assert response.status == 200
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Content-Encoding"] is None
    assert response.headers["Server"] == "nginx"
    assert len(response.headers["X-Request-ID"]) == 32


def test_what_the_proxy_says_itself_has_them_too(site: Site):
    large = {"Content-Length": str(7 << 20)}
    own = [site.ask("/", plain=True)[0], site.ask("/group/", "POST", large, b"")[0]]
    assert [response.status for response in own] == [308, 413]
    for response in [*own, site.ask("/static/nothing")[0], site.ask("/privacy/")[0]]:
        assert response.headers.get_all("X-Content-Type-Options") == ["nosniff"]
        (policy,) = response.headers.get_all("Content-Security-Policy")
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
    for response in [own[1], site.ask("/privacy/")[0]]:
        assert response.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]


def test_static_files_come_compressed_and_stay_for_ever(site: Site):
    _response, page = site.ask("/")
    path = STATIC.findall(page.decode())[0]
    response, body = site.ask(path, headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert "immutable" in response.headers["Cache-Control"]
    assert "max-age=315360000" in response.headers["Cache-Control"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    plain, text = site.ask(path)
    assert plain.headers["Content-Encoding"] is None
    assert gzip.decompress(body) == text
    lasting, _body = site.ask("/static/staticfiles.json")
    assert "immutable" not in lasting.headers["Cache-Control"]


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_without_a_proxy_the_application_serves_them_as_well(site: Site, encoding: str):
    _response, page = site.ask("/")
    path = STATIC.findall(page.decode())[0]
    response = behind(site, path, {"Accept-Encoding": encoding, "X-Forwarded-Proto": "https"})
    assert response.status == 200
    assert response.headers["Content-Encoding"] == encoding
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Vary"] == "Accept-Encoding"


def behind(site: Site, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Ask gunicorn itself."""
    told = site.machine.told("gunicorn.log")
    port = int(re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", told)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_a_machine_beside_asks_the_server_itself_without_https(site: Site):
    for path in ("/healthz", "/readyz?exclude=tasks"):
        assert behind(site, path, {}).status == 200
    assert behind(site, "/privacy/", {}).status == 301


def test_health_through_the_proxy(site: Site):
    assert site.ask("/healthz")[0].status == 200
    response, body = site.ask("/readyz")
    assert response.status == 503
    told = json.loads(body)
    assert told["checks"]["database"] == told["checks"]["migrations"] == "ok"
    assert site.ask("/readyz?exclude=tasks")[0].status == 200


def test_what_is_too_large_is_refused_by_the_proxy(site: Site):
    response, _body = site.ask("/group/", "POST", {"Content-Length": str(7 << 20)}, b"")
    assert response.status == 413


def test_what_a_browser_says_of_its_address_and_request_is_not_believed(site: Site):
    given = secrets.token_hex(16)
    response, _body = site.ask("/", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] != given


def test_a_whole_sitting(site: Site, visitor: Visitor):
    visitor.open("/")
    seen = []
    for _ in range(80):
        here = urlsplit(visitor.at).path
        assert visitor.status == 200, (here, visitor.page)
        if here == "/results/":
            break
        if not seen or seen[-1] != here:
            seen.append(here)
        # Not the buttons of every page: language, “Leave this computer”.
        forms = [form for form in visitor.forms() if form.action in ("", here)]
        visitor.send(next((form for form in forms if form.choices), forms[0]))
    assert seen[:4] == ["/", "/notice/", "/code/", "/sitting/context/1/"]
    assert urlsplit(visitor.at).path == "/results/"
    assert len(seen) >= 20
    assert "no-store" in visitor.headers["cache-control"]
    assert all(cookie.secure for cookie in visitor.cookies)
    report = visitor.open("/results/readiness-report.pdf")
    assert report.startswith(b"%PDF-")
    assert len(report) > 20_000


def test_a_trainer_signs_in(site: Site, visitor: Visitor):
    name, password = "operator-of-the-test", secrets.token_urlsafe(12)
    site.machine.manage(
        *("createsuperuser", "--no-input", "--username", name, "--email", "operator@example.fr"),
        DJANGO_SUPERUSER_PASSWORD=password,
    )
    visitor.open("/admin/")
    (form,) = (form for form in visitor.forms() if "password" in form.fields)
    field = "username" if "username" in form.fields else "login"
    visitor.send(form, **{field: name, "password": password})
    assert visitor.status == 200
    assert "password" not in {name for form in visitor.forms() for name in form.fields}
    visitor.open("/admin/")
    assert urlsplit(visitor.at).path == "/staff/security/"  # https: a second factor comes first


CANARY = "C4N4RY8Q"


def test_no_log_holds_a_path_an_address_a_query_or_a_browser(site: Site):
    site.ask(f"/c/{CANARY}/?q={CANARY}", headers={"User-Agent": CANARY, "Referer": CANARY})
    wait_until(lambda: "\n" in site.machine.told("readiness.log"))
    for log in Path(site.machine.folder).glob("*.log"):
        told = log.read_text(encoding="utf-8")
        assert CANARY not in told, log.name
        assert "127.0.0.1 " not in told, log.name
    lines = [json.loads(line) for line in site.machine.told("gunicorn.log").splitlines()]
    assert {line["logger"] for line in lines} >= {"gunicorn.error", "readiness.requests"}
    told = next(line for line in reversed(lines) if line.get("route") == "cohort")
    # The same request in the proxy's log, by its id, once the proxy has written it.
    wait_until(lambda: told["request"] in site.machine.told("readiness.log"))


def test_the_proxy_tells_nothing_of_a_request_that_fails(site: Site):
    """Its error log would hold the request’s line."""
    assert site.machine.told("readiness-error.log") == ""


# --- What the processes share ---------------------------------------------------------------------


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def opened(pid: int, database: str) -> set[str]:
    """What a process holds open of the database: sockets to PostgreSQL, or files of SQLite."""
    url = urlsplit(database)
    held = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            held.add(os.readlink(each))
    if url.scheme == "sqlite":
        return {each for each in held if "db.sqlite3" in each}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    to_postgresql = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(f":{url.port:04X}")}
    return held & to_postgresql


@pytest.mark.parametrize("application", ["readiness.wsgi", "tests.deployment.hasty"])
def test_no_connection_is_shared_by_processes(deployment: Deployment, application: str):
    """Not even one that something opened before they forked."""
    database, port = deployment.environment["DATABASE_URL"], free_port()

    def ask(path: str) -> int:
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        asking.request("GET", path, headers={"X-Forwarded-Proto": "https"})
        status = asking.getresponse().status
        asking.close()
        return status

    gunicorn = deployment.start(
        *(GUNICORN, "--config", "readiness/gunicorn.py", application),
        log="shared.log",
        READINESS_BIND=f"127.0.0.1:{port}",
    )
    try:
        wait_until(lambda: answers(port) and len(children(gunicorn.pid)) == 2)
        assert opened(gunicorn.pid, database) == set()
        with ThreadPoolExecutor(16) as many:
            assert set(many.map(ask, ["/"] * 100)) == {200}
        assert opened(gunicorn.pid, database) == set()
        if database.startswith("postgresql"):
            first, second = (opened(pid, database) for pid in children(gunicorn.pid))
            assert first
            assert second
            assert not first & second
    finally:
        stop(gunicorn)
