"""What a first visit of the landing page fetches, and each page after it, from gunicorn with the
collected static files. Counted without a browser, for that of the tests fetches no icon; but it is
asked which fonts each page uses. Where there is none, all that the style sheets name count."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from .measuring import Figure, bounded, printed, told
from .serving import Databases, our_environment, ours, prepare, stored
from .walking import Answer, Transport, Visitor, fields, over_http, sit, sit_again

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOST_BYTES, MOST_REQUESTS, MOST_FURTHER = 120_000, 8, 12_000
TAG = re.compile(r"<(?:link|script|img)\b[^>]*>")
ATTRIBUTE = re.compile(r'\b(rel|href|src)="([^"]*)"')
FETCHED = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}
"""Links that a browser follows by itself."""
FONT = ".woff2"
OF_RESULTS = ("/results/method/", *(f"/results/answers/{number}/" for number in (1, 2, 3)))
"""Where the page of results leads: each answer explained, and how all was computed."""
TO_DO = (
    "/results/steps/",
    "/results/reminders/",
    "/results/certificate/",
    "/results/erase/",
    "/leave/",
    "/again/",
)
"""What one may do there."""
OTHERS = (
    "/resume/",
    "/privacy/",
    "/method/",
    *(f"/method/sources/{number}/" for number in (1, 2, 3, 4)),
    "/strategy/",
    "/example/",
    "/example/lessons/",
    "/accessibility/",
)
"""Pages beside the way from the landing page to the results."""
WRITTEN = re.compile(r'<textarea[^>]* name="([^"]+)"[^>]*>\s*([^<]*)</textarea>')
WITHIN_SHEET = re.compile(r"""url\(\s*["']?([^"')]+)["']?\s*\)""")


def wire(answer: Answer) -> int:
    """Bytes of an answer, headers included."""
    head = sum(len(name) + len(value) + 4 for name, value in answer.headers)
    return len("HTTP/1.1 200 OK\r\n") + head + 2 + len(answer.body)


def wanted(page: str, base: str) -> Iterator[str]:
    for tag in TAG.findall(page):
        said = dict(ATTRIBUTE.findall(tag))
        if "src" in said or FETCHED & set(said.get("rel", "").split()):
            yield urljoin(base, said.get("src") or said["href"])


@dataclass
class Watched(Visitor):
    """A visitor whose pages Chromium opens too, with the same cookies, to tell the fonts."""

    browser: Browser | None = None
    address: str = ""
    fonts: dict[str, set[str]] = field(default_factory=dict)
    """Paths of those that each page uses, where there is a browser."""

    def see(self, path: str) -> str:
        text = super().see(path)
        if self.browser and path not in self.fonts:
            context = self.browser.new_context(locale="fr-FR")
            for name, value in self.cookies.items():
                context.add_cookies([{"name": name, "value": value, "url": self.address}])
            page, fetched = context.new_page(), set()
            page.on("request", lambda request: fetched.add(urlsplit(request.url).path))
            page.goto(self.address + path)
            page.evaluate("document.fonts.ready.then(() => true)")
            context.close()
            self.fonts[path] = {each for each in fetched if each.endswith(FONT)}
        return text


def take_part(visitor: Watched, door: str) -> None:
    """Somebody answers in a group before its training, and keeps steps."""
    sit(visitor, door)
    page = visitor.see("/results/steps/")
    offered = {name: values[0] for name, values in fields(page).items()}
    written = {name: unescape(text) for name, text in WRITTEN.findall(page)}
    visitor.send("/results/steps/", offered | written)


def come_back(visitor: Watched) -> None:
    """They answer weeks later, and say what became of their steps."""
    visitor.fonts.clear()
    sit_again(visitor)
    shown = visitor.see("/results/")
    if not all(f'id="{part}"' in shown for part in ("change", "followed")):
        raise RuntimeError("no results of whoever comes back are shown")
    for path in (*OF_RESULTS, "/results/open/", *TO_DO):
        if path != "/again/":  # which was seen, and leads on now that all is answered
            visitor.see(path)


def bytes_of(visitor: Watched, known: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Of each page that was seen: bytes with all that it is the first to bring, and requests."""
    pages: dict[str, tuple[int, int]] = {}
    for method, path, answer in visitor.seen:
        if method == "GET" and path not in pages:
            before = sum(known.values()), len(known)
            fetch(visitor.transport, answer.text, path, known, visitor.fonts.get(path))
            brought = sum(known.values()) - before[0]
            pages[path] = wire(answer) + brought, 1 + len(known) - before[1]
    return pages


@contextmanager
def chromium() -> Iterator[Browser | None]:
    import django

    django.setup()  # the tests' settings of pytest know our models
    from tests.conftest import CHROMIUM

    if CHROMIUM is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def fetch(
    transport: Transport, page: str, base: str, known: dict[str, int], fonts: set[str] | None
) -> None:
    """Add the bytes of what a page brings along, and what its style sheets do, if it is not known
    yet. ``fonts``: those that it uses; all that a sheet names, where nobody can tell."""
    waiting = [*wanted(page, base), *(fonts or ())]
    while waiting:
        address = waiting.pop()
        if address in known or address.startswith("data:"):
            continue
        if address.endswith(FONT) and fonts is not None and address not in fonts:
            continue
        answer = transport("GET", urlsplit(address).path, {"Accept-Encoding": "gzip"}, b"")
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status}")
        known[address] = wire(answer)
        if address.endswith(".css"):
            found = WITHIN_SHEET.findall(answer.text)
            waiting += [urljoin(address, each) for each in found if not each.startswith("#")]


def measured(folder: Path) -> Iterator[Figure]:
    environment = our_environment(folder, Databases(folder).new("visit"))
    prepare(environment)
    server = ours(environment)
    try:
        address, transport = f"http://127.0.0.1:{server.port}", over_http(server.port)
        with chromium() as browser:
            once, back = (
                Watched(transport, random.Random(seed), browser=browser, address=address)
                for seed in (1, 2)
            )
            sit(once)
            for path in (*OF_RESULTS, *TO_DO, *OTHERS):
                once.see(path)
            pages = bytes_of(once, {})
            known: dict[str, int] = {}
            door = stored(environment, "group")["door"]
            take_part(back, door)
            invited = bytes_of(back, known)[door]
            back.seen.clear()
            stored(environment, "follow_up")
            come_back(back)
            again = bytes_of(back, known)
    finally:
        server.stop()
    counted = "the fonts that Chromium fetches" if once.fonts else "all fonts of the style sheets"
    note = "headers included, static files compressed; the page itself is not (BREACH)"
    others, further, to_do = (
        {path: pages.pop(path) for path in paths} for paths in (OTHERS, OF_RESULTS, TO_DO)
    )
    landing, results = pages.pop("/"), pages.pop("/results/")
    changed = again.pop("/results/")
    for name, (size, requests) in (("the landing page", landing), ("a group's door", invited)):
        yield bounded(
            f"first visit of {name}", size, unit="bytes", most=MOST_BYTES,
            yardstick="the most", note=note,
        )  # fmt: skip
        yield bounded(
            f"first visit of {name}: requests", requests, unit="requests",
            most=MOST_REQUESTS, yardstick="the most", note=f"the icon counts, and {counted}",
        )  # fmt: skip
    for name, sizes in (
        ("the largest page up to the results", pages),
        ("the results page", {"what it leads to is below": results}),
        ("the largest page that the results lead to", further),
        ("the largest page of what one may do with results", to_do),
        (
            "the results page of whoever comes back",
            {"with what has changed, and what became of their steps": changed},
        ),
        ("the largest other page of whoever comes back", again),
        ("the largest page of words", others),
    ):
        largest = max(sizes, key=lambda path: sizes[path][0])
        size, requests = sizes[largest]
        yield bounded(
            name, size, unit="bytes", most=MOST_FURTHER, yardstick="the most",
            note=f"{largest}, in {requests} request{'s' if requests > 1 else ''}",
        )  # fmt: skip
    yield printed(
        "a page up to the results", [each[0] for each in pages.values()], unit="bytes",
        note=f"of the {len(pages)} after the landing page",
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        told(measured(Path(folder)))


if __name__ == "__main__":
    main()
