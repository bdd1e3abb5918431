"""What a PDF is made of, for the tests of all that is printed."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from assessments import press

if TYPE_CHECKING:
    from weasyprint.document import Page
    from weasyprint.formatting_structure.boxes import TextBox


@dataclass
class Printed:
    """A PDF, with what was seen while it was printed; each part of it is read once."""

    content: bytes
    complaints: list[str]
    """What WeasyPrint complained of: it logs where others would raise."""
    beyond: list[str]
    """The texts that reach into the margin on the right."""
    laid_out: list[str]
    """The text put on each page, without white space: read off the layout, which takes no time."""

    @cached_property
    def reader(self) -> PdfReader:
        return PdfReader(io.BytesIO(self.content))

    @cached_property
    def elements(self) -> list[DictionaryObject]:
        return elements(self.reader)

    @cached_property
    def text(self) -> str:
        """All its text as a reader of PDF finds it, without white space."""
        return text_of(self.reader)


class Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.levelname} {record.getMessage()}")


def printed(make: Callable[[], bytes]) -> Printed:
    """What ``make`` prints, watched: one document, by the press."""
    from weasyprint.document import Document

    write, seen = Document.write_pdf, list[tuple[list[str], list[str]]]()

    def watched(self: Document, *given: Any, **more: Any) -> Any:
        seen.append((in_the_margin(self.pages), [put_on(page) for page in self.pages]))
        return write(self, *given, **more)

    heard, logger = Complaints(), logging.getLogger("weasyprint")
    logger.addHandler(heard)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Document, "write_pdf", watched)
            content = make()
    finally:
        logger.removeHandler(heard)
    [(beyond, laid_out)] = seen
    return Printed(content, heard.said, beyond, laid_out)


def elements(reader: PdfReader) -> list[DictionaryObject]:
    """The structure elements, in reading order."""
    found: list[DictionaryObject] = []

    def walk(node: object) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            if "/S" in node:
                found.append(node)
            if "/K" in node:
                walk(node["/K"])

    walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])
    return found


def fonts(reader: PdfReader) -> dict[str, DictionaryObject]:
    """Descriptor of every font, by name."""
    found = {}
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].get_object().values():
            font = font.get_object()
            for inner in font.get("/DescendantFonts", [font]):
                inner = inner.get_object()
                found[inner["/BaseFont"]] = inner["/FontDescriptor"].get_object()
    return found


def flat(text: str) -> str:
    """Text without the white space that lines and columns put in it."""
    return re.sub(r"\s+", "", text)


def assert_within(box: list[float], page: PageObject) -> tuple[float, float, float, float]:
    """That a box stands on its page, the right way up; its left, bottom, right and top."""
    left, bottom, right, top = map(float, box)
    _, _, width, height = map(float, page["/MediaBox"])
    assert 0 < left < right < width
    assert 0 < bottom < top < height
    return left, bottom, right, top


def assert_sound(reader: PdfReader, language: str) -> list[DictionaryObject]:
    """That it is tagged, identified as PDF/UA-1 and complete; its structure elements."""
    root = reader.trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert set(reader.metadata) == {"/Producer", "/Title"}
    for descriptor in fonts(reader).values():
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor

    found = elements(reader)
    levels = [int(e["/S"][2]) for e in found if re.fullmatch("/H[1-6]", e["/S"])]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for figure in (e for e in found if e["/S"] == "/Figure"):
        assert len(figure["/Alt"].strip()) > 10
        assert_within(figure["/A"]["/BBox"], figure["/Pg"])
    for header in (e for e in found if e["/S"] == "/TH"):
        in_head = header["/P"]["/P"]["/S"] == "/THead"
        assert header["/A"]["/Scope"] == ("/Column" if in_head else "/Row")
    return found


def text_of(reader: PdfReader) -> str:
    """All its text, without white space."""
    return flat("".join(page.extract_text() for page in reader.pages))


def beyond_the_margin(html: str, *sheets: str) -> list[str]:
    """The texts of a document that reach into the margin on the right."""
    from weasyprint import HTML

    shared = press._press()
    document = HTML(string=html, base_url=press.STATIC.as_uri(), url_fetcher=shared.fetcher)
    laid_out = document.render(
        stylesheets=[shared.sheets[name] for name in ("report", *sheets)],
        font_config=shared.fonts,
    )
    return in_the_margin(laid_out.pages)


def texts_of(page: Page) -> Iterator[TextBox]:
    from weasyprint.formatting_structure.boxes import TextBox

    return (box for box in page._page_box.descendants() if isinstance(box, TextBox))


def in_the_margin(pages: Iterable[Page]) -> list[str]:
    return [
        box.text
        for page in pages
        for box in texts_of(page)
        if box.position_x + box.width > page.width - page._page_box.margin_right + 1
    ]


def put_on(page: Page) -> str:
    """The text of a page, in the order of its boxes, without white space."""
    return flat("".join(box.text for box in texts_of(page)))
