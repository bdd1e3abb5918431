"""The printing press: HTML of this application turned into tagged PDFs, one at a time."""

from __future__ import annotations

import atexit
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from pydyf import PDF
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

STATIC = Path(__file__).resolve().parent / "static" / "assessments"


@dataclass(frozen=True, slots=True)
class Press:
    """What every PDF shares: read and parsed once a process."""

    fetcher: URLFetcher
    fonts: FontConfiguration
    stylesheet: CSS


_printing = threading.Lock()
"""Pango's font map is not made for two threads at once."""
PATIENCE = 15.0
"""Seconds that a document waits for those before it, while it holds one of the server's threads."""


class Busy(Exception):
    """Too many documents are being printed: this one is to be asked for again."""


def pdf(html: str) -> bytes:
    """A document as a tagged PDF that identifies itself as PDF/UA-1; :class:`Busy` at a crush.

    ``html`` is a whole document, whose ``lang`` and ``title`` become the PDF's.
    """
    from weasyprint import HTML

    with _turn(), _uncollected():
        press = _press()
        page = HTML(string=html, base_url=STATIC.as_uri(), url_fetcher=press.fetcher)
        document: bytes = page.write_pdf(
            stylesheets=[press.stylesheet],
            font_config=press.fonts,
            pdf_variant="pdf/ua-1",
            finisher=_complete_tags,
        )
    return document


@contextmanager
def _turn() -> Iterator[None]:
    """One document at a time; :class:`Busy` where the wait would be too long."""
    if not _printing.acquire(timeout=PATIENCE):
        raise Busy
    try:
        yield
    finally:
        _printing.release()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: walking a layout's many live boxes costs a quarter more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _press() -> Press:
    # Imported here: it takes two seconds, which a page that prints nothing does not owe.
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class PackageFiles(URLFetcher):
        """Serves the static files of this application, and nothing else."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
            scheme, _host, path, *_ = urlsplit(url)
            if scheme != "file" or not Path(url2pathname(path)).resolve().is_relative_to(STATIC):
                raise ValueError(f"not a file of this application: {url}")
            return super().fetch(url, headers)

    fetcher = PackageFiles(allowed_protocols={"file"}, allow_redirects=False)
    fonts = FontConfiguration()
    stylesheet = CSS(filename=STATIC / "css" / "report.css", font_config=fonts, url_fetcher=fetcher)
    # WeasyPrint clears a font folder when the configuration goes, which the end of Python is too
    # late for.
    atexit.register(_press.cache_clear)
    return Press(fetcher, fonts, stylesheet)


def warm() -> None:
    """Load what printing needs, so that nobody waits for it at the first document."""
    with _printing:
        _press()


def _complete_tags(_document: object, pdf: PDF) -> None:
    """Put right what WeasyPrint 70 leaves of the tags: figures' boxes and headers' scopes.

    A figure's box is written in CSS pixels from the top of the page, where PDF counts points from
    its bottom; a header cell has no scope.
    """
    known: dict[bytes, Any] = {item.reference: item for item in pdf.objects}
    for item in pdf.objects:
        match _tag(item):
            case "/Figure":
                top = known[item["Pg"]]["MediaBox"][3]
                x1, y1, x2, y2 = (0.75 * length for length in item["A"]["BBox"])
                item["A"]["BBox"][:] = (x1, top - y2, x2, top - y1)
            case "/TH":
                group = known[known[item["P"]]["P"]]
                item["A"]["Scope"] = "/Column" if _tag(group) == "/THead" else "/Row"


def _tag(item: object) -> str | None:
    return item.get("S") if isinstance(item, dict) else None
