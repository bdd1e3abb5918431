"""The printing press: HTML of this application turned into tagged PDFs, one at a time.

A web process has its documents printed by a process of its own (:mod:`.pressroom`); a command
prints them itself.
"""

from __future__ import annotations

import atexit
import gc
import logging
import re
import threading
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from xml.etree.ElementTree import Element, ParseError, fromstring

from django.utils.translation import gettext as _

from .typesetting import Lines

if TYPE_CHECKING:
    from pydyf import PDF
    from weasyprint import CSS, HTML
    from weasyprint.document import Document
    from weasyprint.formatting_structure.boxes import Box
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

STATIC = Path(__file__).resolve().parent / "static" / "assessments"
SHEETS = ("report", "filed", "poster")
"""The stylesheets: what every document shares, what a trainer files, what is put up."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Press:
    """What every PDF shares: read and parsed once a process."""

    page: Callable[[str], HTML]
    """A document of ours, from its HTML."""
    fetcher: URLFetcher
    fonts: FontConfiguration
    sheets: dict[str, CSS]
    """By name; ``report`` holds the fonts, the page and what all documents share."""
    lines: Lines
    """Where lines ended in the documents before."""


_printing = threading.Lock()
"""Pango's font map is not made for two threads at once."""
PATIENCE = 15.0
"""Seconds that a document waits for those before it, while it holds one of the server's threads."""
PLACES = 2
"""Documents that are printed or wait in a process: half of its threads, so that the others keep
answers meanwhile."""
_places = threading.BoundedSemaphore(PLACES)


class Busy(Exception):
    """Too many documents are being printed: this one is to be asked for again."""


def pdf(html: str, *sheets: str) -> bytes:
    """A document as a tagged PDF that identifies itself as PDF/UA-1; :class:`Busy` at a crush.

    ``html`` is a whole document, whose ``lang`` and ``title`` become the PDF's; ``sheets`` are the
    names of the stylesheets that it needs beside the report's.
    """
    with _turn():
        return _printer(_printable(html), sheets)


def printed(html: str, sheets: Sequence[str]) -> bytes:
    """The document in signs that our fonts have, printed by this very process."""
    press = _press()
    with _uncollected(), press.lines.remembered():
        document: bytes = press.page(html).write_pdf(
            stylesheets=[press.sheets[name] for name in ("report", *sheets)],
            font_config=press.fonts,
            pdf_variant="pdf/ua-1",
            finisher=_finish,
        )
    return document


_printer: Callable[[str, Sequence[str]], bytes] = printed


def print_by(printer: Callable[[str, Sequence[str]], bytes]) -> None:
    """Have all documents of this process printed by what does as :func:`printed`."""
    global _printer
    _printer = printer


@contextmanager
def _turn() -> Iterator[None]:
    """One document at a time; :class:`Busy` where too many wait, or the wait is too long."""
    if not _places.acquire(blocking=False):
        raise Busy
    try:
        if not _printing.acquire(timeout=PATIENCE):
            raise Busy
        try:
            yield
        finally:
            _printing.release()
    finally:
        _places.release()


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
    from cssselect2 import ElementWrapper
    from weasyprint import CSS, HTML
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
    written = {
        name: (STATIC / "css" / f"{name}.css").read_text("utf-8") for name in (*SHEETS, "elements")
    }
    tones = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", written["report"]))
    sheets = {
        name: CSS(
            # A variable costs anew in every element that uses it.
            string=re.sub(r"var\((--[\w-]+)\)", lambda used: tones[used[1]], text),
            base_url=(STATIC / "css" / f"{name}.css").as_uri(),
            font_config=fonts,
            url_fetcher=fetcher,
        )
        for name, text in written.items()
    }
    elements = sheets.pop("elements")

    class Page(HTML):
        def __init__(self, html: str) -> None:
            base = STATIC.as_uri()
            try:
                root = _tree(html)
            except ParseError:
                super().__init__(string=html, base_url=base, url_fetcher=fetcher)
            else:
                self.base_url, self.url_fetcher, self.media_type = base, fetcher, "print"
                self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
                self.etree_element = self.wrapper_element.etree_element

        def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
            return [elements]

    # WeasyPrint clears a font folder when the configuration goes, which the end of Python is too
    # late for.
    atexit.register(_press.cache_clear)
    return Press(Page, fetcher, fonts, sheets, Lines())


_WITHOUT_END = re.compile(r"<(br|col|hr|img|link|meta)\b([^>]*?)/?>")
_DRAWING = re.compile(r"<svg(?![^>]* xmlns=)")


def _tree(html: str) -> Element:
    """The elements of a document of ours, read by the parser of XML in a tenth of the time.

    ParseError where it would not be well-formed if elements that have no end had one, and drawings
    their namespace.
    """
    written = _WITHOUT_END.sub(r"<\1\2/>", html.removeprefix("<!doctype html>"))
    return fromstring(_DRAWING.sub('<svg xmlns="http://www.w3.org/2000/svg"', written))


def warm() -> None:
    """Load what printing needs, so that nobody waits for it at the first document."""
    _press()


# --- The signs that can be printed ----------------------------------------------------------------

MISSING = "[…]"
"""Stands for signs, such as an emoji or Arabic letters, that our fonts lack."""
_ALIKE = str.maketrans({"\u202f": "\xa0", "\u2010": "-", "\u2011": "-"})
"""What our fonts lack, and Unicode has no such near sign for."""


def _signs_of_the_fonts() -> set[int]:
    from fontTools.ttLib import TTFont

    signs: set[int] = set()
    for file in (STATIC / "fonts").glob("*.woff2"):
        with TTFont(file, lazy=True) as font:
            signs.update(font.getBestCmap())
    return signs


@cache
def unprintable() -> re.Pattern[str]:
    """A run of signs that our fonts lack."""
    return _all_but(_signs_of_the_fonts())


def _all_but(signs: Iterable[int]) -> re.Pattern[str]:
    covered = "".join(rf"\U{sign:08x}" for sign in sorted(signs) if sign > 0x7F)
    return re.compile(rf"[^\x00-\x7f{covered}]+")


def _printable(html: str) -> str:
    """The document in signs that our own fonts have.

    Another machine's fonts may lack a sign, and print an empty box. A letter loses the accent that
    is lacking; what cannot be seen is left out; for the rest stands a mark, explained at the end.
    """

    lacking = unprintable()

    def written(found: re.Match[str]) -> str:
        nearest = unicodedata.normalize("NFKD", found[0])
        seen = (sign for sign in nearest if unicodedata.category(sign) not in {"Cc", "Cf", "Mn"})
        return lacking.sub(MISSING, escape("".join(seen)))

    found = lacking.sub(written, unicodedata.normalize("NFC", html).translate(_ALIKE))
    if MISSING in found and MISSING not in html:
        said = _("“%(mark)s” stands for signs that the fonts of this document do not have.")
        note = f'<p class="small">{said % {"mark": MISSING}}</p></main>'
        found = note.join(found.rsplit("</main>", 1))
    return found


# --- The tags -------------------------------------------------------------------------------------


def _finish(document: Document, pdf: PDF) -> None:
    """Put right what WeasyPrint 70 leaves of the tags, and compress."""
    known: dict[bytes, Any] = {item.reference: item for item in pdf.objects}
    _complete_tags(pdf, known)
    _tell_passages(document, pdf, known)
    _compress(pdf)


def _complete_tags(pdf: PDF, known: dict[bytes, Any]) -> None:
    """Figures' boxes and headers' scopes.

    A figure's box is written in CSS pixels from the top of the page, where PDF counts points from
    its bottom; a header cell has no scope; a drawing without a name is a figure like any other.
    """
    for item in pdf.objects:
        match _tag(item):
            case "/Figure" if "Alt" not in item:
                # A drawing that only decorates the words beside it is no figure.
                item["S"] = "/Span"
                del item["A"]
            case "/Figure":
                top = known[item["Pg"]]["MediaBox"][3]
                x1, y1, x2, y2 = (0.75 * length for length in item["A"]["BBox"])
                item["A"]["BBox"][:] = (x1, top - y2, x2, top - y1)
            case "/TH":
                group = known[known[item["P"]]["P"]]
                item["A"]["Scope"] = "/Column" if _tag(group) == "/THead" else "/Row"


def _tell_passages(document: Document, pdf: PDF, known: dict[bytes, Any]) -> None:
    """Give each piece of text in another language than the document's its language.

    The tree of tags holds the texts of a page in the order of its boxes, so that both are read
    side by side.
    """
    from pydyf import String

    language = document.metadata.lang
    pieces = list(_pieces(known[pdf.catalog["StructTreeRoot"]], known))
    drawn = [box for page in document.pages for box in _drawn(page._page_box)]
    if len(pieces) != len(drawn):  # a report is worth more than the languages of its passages
        logger.error("Passages of a PDF could not be told their language.")
        return
    for piece, box in zip(pieces, drawn, strict=True):
        spoken = box.style["lang"]
        if spoken and spoken != language and _tag(piece) != "/Figure":
            piece["Lang"] = String(spoken)


def _pieces(element: Any, known: dict[bytes, Any]) -> Iterator[Any]:
    """The element of each marked piece of content, in reading order."""
    for kid in element["K"]:
        if isinstance(kid, int):
            yield element
        elif "K" in (child := known[kid]):
            yield from _pieces(child, known)


def _drawn(box: Box) -> Iterator[Box]:
    """The boxes that are marked pieces of content, in the order of the tree of tags."""
    from weasyprint.formatting_structure import boxes

    for child in box.children:
        child = getattr(child, "_box", child)  # what is positioned has a placeholder
        if isinstance(child, boxes.TextBox | boxes.ReplacedBox):
            yield child
        elif isinstance(child, boxes.ParentBox) and not isinstance(child, boxes.MarginBox):
            yield from _drawn(child)


def _compress(pdf: PDF) -> None:
    """Make streams small, as pydyf would in four times the time for 4 % fewer bytes."""
    from pydyf import Stream, _to_bytes

    for item in pdf.objects:
        if isinstance(item, Stream) and item.compress:
            item.stream = [zlib.compress(b"\n".join(map(_to_bytes, item.stream)))]
            item.extra["Filter"] = "/FlateDecode"
            item.compress = False


def _tag(item: object) -> str | None:
    return item.get("S") if isinstance(item, dict) else None
