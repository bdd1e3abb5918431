"""The first visit, of the server as it runs in earnest: little to fetch, nothing to wait for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import SEEDS

from .conftest import PHONE
from .server import Server, manage

pytestmark = pytest.mark.xdist_group("server")

MOST_BYTES, MOST_REQUESTS = 120_000, 8


@pytest.fixture(scope="module")
def server(tmp_path_factory, collected) -> Iterator[str]:
    """Nobody has answered yet."""
    running = Server(tmp_path_factory.mktemp("server"), collected)
    manage(running.environment, "migrate", "--verbosity=0")
    manage(running.environment, "load_instrument", str(SEEDS))
    running.start()
    yield running.address
    running.kill()


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
