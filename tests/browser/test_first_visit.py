"""The first visit, of the server as it runs in earnest: little to fetch, nothing to wait for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import ROOT, SEEDS

from .conftest import PHONE

MOST_BYTES, MOST_REQUESTS = 120_000, 8


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """The web server with its compressed, named-by-content files; nobody has answered yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "READINESS_DATA": str(tmp_path_factory.mktemp("server")),
        "READINESS_ADDRESS": address,
        "DATABASE_URL": "",
    }

    def manage(*command: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    manage("migrate", "--verbosity=0")
    manage("load_instrument", str(SEEDS))
    manage("collectstatic", "--no-input", "--verbosity=0")
    gunicorn = ["gunicorn", "--config", "readiness/gunicorn.py", "--bind", f"127.0.0.1:{port}"]
    running = subprocess.Popen(
        [sys.executable, "-m", *gunicorn, "readiness.wsgi"], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _try in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise AssertionError("the server does not start")
        yield address
    finally:
        running.terminate()
        running.wait(timeout=30)


def test_little_is_fetched_and_nothing_from_elsewhere(browser, server):
    page = browser.new_context(locale="fr-FR", viewport=PHONE).new_page()
    asked: list[str] = []
    fetched: list[int] = []
    page.on("request", lambda request: asked.append(request.url))
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda told: fetched.append(told["encodedDataLength"]))
    page.goto(server, wait_until="networkidle")
    page.context.close()
    assert [url for url in asked if not url.startswith((server, "data:"))] == []
    assert 3 < len(fetched) <= MOST_REQUESTS
    assert 10_000 < sum(fetched) < MOST_BYTES  # headers included


@pytest.mark.parametrize("path", ["/", "/resume/"])
def test_what_is_seen_first_does_not_wait_for_scripts(browser, server, path):
    page = browser.new_context(locale="fr-FR", viewport=PHONE).new_page()
    held = []
    page.route("**/*.js", lambda route: held.append(route))  # neither answered nor refused
    page.goto(server + path, wait_until="commit")
    expect(page.locator("h1")).to_be_visible()
    largest = page.evaluate(
        """() => new Promise(seen => new PerformanceObserver(
            found => seen(found.getEntries().at(-1).element.textContent.trim())
        ).observe({type: "largest-contentful-paint", buffered: true}))"""
    )
    assert largest
    assert page.locator("script").count() == len(held) > 0  # there was something to wait for
    assert page.locator("script:not([defer])").count() == 0
    assert page.evaluate("document.readyState") == "interactive"
    for route in held:
        route.abort()
    page.context.close()
