"""Shows pages of the catalogue in a browser, without the service that made them."""

from __future__ import annotations

import mimetypes
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders
from playwright.sync_api import Page

from .catalogue import Shown

STATIC = "/static/"


class Opener:
    """Opens states of the catalogue in a page: the document as it was answered, our files.

    They come from a server on loopback: what Playwright answers in a server's stead, the browser
    never keeps, and every page would be sent the same style sheets again.
    """

    def __init__(self, page: Page, catalogue: list[Shown]) -> None:
        self.page = page
        self.files = {each.path: each for each in catalogue if not each.is_page}
        self.shown: Shown | None = None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answer, self))

    def __enter__(self) -> Self:
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __call__(self, shown: Shown) -> None:
        self.shown = shown
        self.page.goto(f"http://127.0.0.1:{self.server.server_port}{shown.path}")
        self.page.evaluate(
            """() => {
                for (const details of document.querySelectorAll("details")) details.open = true;
                return document.fonts.ready.then(() => null);
            }"""
        )


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that a connection serves more than one file

    def __init__(self, opener: Opener, *given: object) -> None:
        self.opener = opener
        super().__init__(*given)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        file = finders.find(path.removeprefix(STATIC)) if path.startswith(STATIC) else None
        if isinstance(file, str):
            kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
            self._send(200, Path(file).read_bytes(), kind, "max-age=3600")
            return
        asked_for = self.headers["Sec-Fetch-Dest"] == "document"
        shown = self.opener.shown if asked_for else self.opener.files.get(path)
        if shown is None:
            self._send(404, b"", "text/plain", "no-store")
            return
        policy = shown.headers["Content-Security-Policy"]
        self._send(shown.status, shown.body, shown.kind, "no-store", policy)

    def _send(self, status: int, body: bytes, kind: str, kept: str, policy: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", kept)
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        """What a page asks for is nobody's news."""
