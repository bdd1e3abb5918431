"""What a PDF is made of, for the tests of all that is printed."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

import pytest
from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from assessments import press

if TYPE_CHECKING:
    from weasyprint.document import Page
    from weasyprint.formatting_structure.boxes import Box, TextBox

OURS = ("Atkinson", "Readiness-Signs")
"""How the names of our fonts begin."""
CONTRAST = 4.5
"""Of text on what is behind it (WCAG 2.2, 1.4.3)."""


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
    source: Source
    """What was to be printed."""
    flaws: list[str]
    """What is wrong with how the pages are made up."""
    depths: list[float]
    """How far down each page is filled, of 1."""
    drawings: list[tuple[float, float, float, float]]
    """Where each drawing with a name was put, in points from the bottom of its page."""

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

    @cached_property
    def passages(self) -> dict[str, str]:
        """What is heard in each language, without white space."""
        found: dict[str, str] = {}
        for language, text in heard(self.reader):
            found[language] = found.get(language, "") + flat(text)
        return found

    @cached_property
    def pieces(self) -> list[Piece]:
        """What is drawn on its pages."""
        return [piece for page in self.reader.pages for piece in pieces(page)]


class Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.levelname} {record.getMessage()}")


STYLED = frozenset(
    re.findall(
        r"\b[a-z]+[1-6]?\b",
        re.sub(
            r"/\*.*?\*/|\{.*?\}",
            "",
            (press.STATIC / "css" / "elements.css").read_text("utf-8"),
            flags=re.DOTALL,
        ),
    )
)
"""The elements that our documents may have: those of our stylesheet of defaults…"""
PLAIN = frozenset({"a", "span", "svg"})
"""… and those that need none."""


def printed(make: Callable[[], bytes]) -> Printed:
    """What ``make`` prints, watched: one document, by the press."""
    from weasyprint.document import Document

    write, seen = Document.write_pdf, list[Any]()
    make_ready, sources = press._printable, list[str]()

    def watched(self: Document, *given: Any, **more: Any) -> Any:
        seen.append(
            (
                in_the_margin(self.pages),
                [put_on(page) for page in self.pages],
                flaws_of(self.pages),
                [depth_of(page) for page in self.pages],
                [box for page in self.pages for box in drawings_of(page)],
            )
        )
        return write(self, *given, **more)

    def read(html: str) -> str:
        sources.append(make_ready(html))
        return sources[-1]

    heard, logger = Complaints(), logging.getLogger("weasyprint")
    logger.addHandler(heard)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Document, "write_pdf", watched)
            patch.setattr(press, "_printable", read)
            content = make()
    finally:
        logger.removeHandler(heard)
    [(beyond, laid_out, flaws, depths, drawings)] = seen
    [html] = sources
    return Printed(content, heard.said, beyond, laid_out, Source.of(html), flaws, depths, drawings)


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


def assert_sound(document: Printed, language: str) -> list[DictionaryObject]:
    """That it passes every check of ours; its structure elements.

    Tagged, identified as PDF/UA-1, complete, read in the order of its source, in our own fonts,
    with contrast, within its margins; no text over another, no heading alone, no row cut.
    """
    reader, found = document.reader, document.elements
    assert document.source.tags <= STYLED | PLAIN
    assert document.complaints == []
    assert document.beyond == []
    assert document.flaws == []
    assert_identified(reader, language)
    assert_headings(reader, found)
    assert_figures(document)
    for header in (e for e in found if e["/S"] == "/TH"):
        in_head = header["/P"]["/P"]["/S"] == "/THead"
        assert header["/A"]["/Scope"] == ("/Column" if in_head else "/Row")
    assert_links(document)
    assert_drawn(document)
    assert_read_in_order(document)
    assert_well_formed(document.source.html)
    return found


def assert_well_formed(html: str) -> None:
    """That the press and a browser find the same elements."""
    from weasyprint import HTML

    def shape(element: Element) -> list[object]:
        given = {name: value for name, value in element.items() if not name.endswith("}xmlns")}
        kids = [(shape(kid), kid.tail or "") for kid in element]
        return [element.tag, given, element.text or "", kids]

    bodies = (root.find("body") for root in (HTML(string=html).etree_element, press._tree(html)))
    one, other = ([shape(kid) for kid in body] for body in bodies if body is not None)
    assert one == other


def assert_identified(reader: PdfReader, language: str) -> None:
    root = reader.trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert set(reader.metadata) == {"/Producer", "/Title"}
    assert {page["/Tabs"] for page in reader.pages} == {"/S"}
    for name, descriptor in fonts(reader).items():
        assert name.partition("+")[2].startswith(OURS)
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def assert_headings(reader: PdfReader, found: list[DictionaryObject]) -> None:
    """One of the first level, none skipped; the bookmarks are the headings, as they nest."""
    headings = [e for e in found if re.fullmatch("/H[1-6]", e["/S"])]
    levels = [int(heading["/S"][2]) for heading in headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    known = texts_by_mark(reader)
    said = [(level, flat(text_under(h, known))) for level, h in zip(levels, headings, strict=True)]
    assert list(bookmarks(reader.outline, 1)) == said


def bookmarks(outline: list[Any], level: int) -> Iterator[tuple[int, str]]:
    for item in outline:
        if isinstance(item, list):
            yield from bookmarks(item, level + 1)
        else:
            yield level, flat(item["/Title"])


def assert_figures(document: Printed) -> None:
    """Each says its data, and its box is where it was drawn, on its page."""
    figures = [element for element in document.elements if element["/S"] == "/Figure"]
    boxes = [assert_within(figure["/A"]["/BBox"], figure["/Pg"]) for figure in figures]
    assert [pytest.approx(box, abs=0.1) for box in document.drawings] == boxes
    for figure in figures:
        assert len(figure["/Alt"].strip()) > 10


def assert_links(document: Printed) -> None:
    """Each link says where it leads and lies over the words that are pressed."""
    found = document.elements
    linked = {
        kid["/Obj"].indirect_reference.idnum
        for element in found
        if element["/S"] == "/Link"
        for kid in (each.get_object() for each in element["/K"])
        if isinstance(kid, dict) and kid.get("/Type") == "/OBJR"
    }
    for page in document.reader.pages:
        number = page.indirect_reference.idnum
        drawn = [piece for piece in document.pieces if piece.text and piece.page == number]
        for reference in page.get("/Annots", []):
            annotation = reference.get_object()
            assert annotation["/Contents"].strip()
            assert "/StructParent" in annotation
            assert reference.idnum in linked
            one, start, other, end = map(float, annotation["/Rect"])
            corners = [min(one, other), min(start, end), max(one, other), max(start, end)]
            left, bottom, right, top = assert_within(corners, page)
            assert any(left - 1 <= p.x < right and bottom - 1 <= p.y < top for p in drawn)


def assert_drawn(document: Printed) -> None:
    """Nothing is drawn unmarked; no text is faint."""
    assert {piece.marked for piece in document.pieces} == {True}
    faint = {
        (piece.text, piece.ink, piece.paper)
        for piece in document.pieces
        if piece.text and contrast(piece.ink, piece.paper) < CONTRAST
    }
    assert faint == set()


def assert_read_in_order(document: Printed) -> None:
    """A reader of the tags hears the texts of the source, in its order and in their languages."""
    assert joined(heard(document.reader)) == joined(document.source.texts)


def heard(reader: PdfReader) -> list[tuple[str, str]]:
    """What a reader of the tags hears, each text with its language; neither marks nor drawings."""
    known = texts_by_mark(reader)
    root = reader.trailer["/Root"]
    said: list[tuple[str, str]] = []
    heads: list[str] = []

    def listen(element: DictionaryObject, language: str) -> None:
        if element["/S"] in {"/Figure", "/Lbl"}:
            return
        if element["/S"] == "/THead":
            # Each page repeats the head of a table that goes on.
            before, head = heads[-1:], flat(text_under(element, known))
            heads.append(head)
            captions = [kid for kid in element["/P"]["/K"] if kid.get_object()["/S"] == "/Caption"]
            if before == [head] and not captions:
                return
        language = element.get("/Lang", language)
        for kid in element["/K"]:
            if isinstance(kid, int):
                text = known.get((element["/Pg"].indirect_reference.idnum, kid), "")
                said.append((language, text))
            elif "/S" in (child := kid.get_object()):
                listen(child, language)

    for element in root["/StructTreeRoot"]["/K"]:
        listen(element.get_object(), root["/Lang"])
    return said


def joined(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Texts without white space, each with its language; those of one language become one."""
    found: list[tuple[str, str]] = []
    for language, text in texts:
        if not (text := flat(text)):
            continue
        if found and found[-1][0] == language:
            text = found.pop()[1] + text
        found.append((language, text))
    return found


@dataclass
class Source(HTMLParser):
    """The words of a document to be printed, each with its language."""

    html: str
    texts: list[tuple[str, str]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    """Of the elements outside drawings and the head."""

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None, bool]] = []

    @classmethod
    def of(cls, html: str) -> Source:
        found = cls(html)
        found.feed(html)
        found.close()
        return found

    VOID = frozenset({"meta", "br", "img"})
    SILENT = frozenset({"head", "svg"})

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        above = self.open[-1] if self.open else ("", None, False)
        if not above[2]:
            self.tags.add(tag)
        silent = tag in self.SILENT or "running" in (given.get("class") or "").split()
        if tag not in self.VOID:
            self.open.append((tag, given.get("lang") or above[1], above[2] or silent))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_data(self, data: str) -> None:
        if self.open and not self.open[-1][2]:
            self.texts.append((self.open[-1][1] or "", data))


# --- What is drawn --------------------------------------------------------------------------------


@dataclass
class Piece:
    """A text or a form that is drawn."""

    page: int
    mark: int | None
    """The number that the structure knows it by."""
    marked: bool
    """Whether it has such a number, or is said to be decoration."""
    text: str = ""
    x: float = 0
    y: float = 0
    ink: tuple[float, ...] = (0, 0, 0)
    paper: tuple[float, ...] = (1, 1, 1)


type Matrix = tuple[float, float, float, float, float, float]


@dataclass
class Region:
    """What is filled, or kept of what is: the boxes of its outlines."""

    boxes: list[tuple[float, float, float, float]]
    is_ring: bool
    """Whether an outline within another leaves a hole."""

    @classmethod
    def of(cls, outlines: list[list[tuple[float, float]]], operator: str) -> Region:
        boxes = []
        for outline in outlines:
            across, down = zip(*outline, strict=True)
            boxes.append((min(across), min(down), max(across), max(down)))
        return cls(boxes, operator.endswith("*"))

    def holds(self, x: float, y: float) -> bool:
        around = sum(a <= x <= c and b <= y <= d for a, b, c, d in self.boxes)
        return around % 2 == 1 if self.is_ring else around > 0


def inside(regions: Iterable[Region], x: float, y: float) -> bool:
    return all(region.holds(x, y) for region in regions)


def pieces(page: PageObject) -> Iterator[Piece]:
    """What a page draws, with the colours of texts and of what lies behind them.

    WeasyPrint writes each operator on a line of its own, which is a hundred times faster to read
    than PDF in general.
    """
    signs = {name: signs_of(font.get_object()) for name, font in page_fonts(page).items()}
    number = page.indirect_reference.idnum
    lines = page.get_contents().get_data().decode("latin-1").split("\n")
    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    ink: tuple[float, ...] = (0, 0, 0)
    clips: tuple[Region, ...] = ()
    kept: list[tuple[Matrix, tuple[float, ...], tuple[Region, ...]]] = []
    marks: list[int | None] = []
    painted: list[tuple[tuple[Region, ...], tuple[float, ...]]] = []
    outlines: list[list[tuple[float, float]]] = []
    place: Matrix = matrix
    font, operand = "", ""
    for line in lines:
        given, _, operator = line.rpartition(" ")
        match operator:
            case "q":
                kept.append((matrix, ink, clips))
            case "Q":
                matrix, ink, clips = kept.pop()
            case "cm":
                matrix = times(numbers(given), matrix)
            case "rg":
                ink = numbers(given)
            case "g":
                ink = numbers(given) * 3
            case "BMC":
                marks.append(None)
            case "BDC":
                found = re.search(r"/MCID (\d+)", given or operand)
                marks.append(int(found[1]) if found else None)
            case "EMC":
                marks.pop()
            case "Tm":
                place = times(numbers(given), matrix)
            case "Tf":
                font = given.split()[0]
            case "re":
                x, y, width, height = numbers(given)
                ends = moved(matrix, x, y), moved(matrix, x + width, y + height)
                outlines.append(list(ends))
            case "m":
                outlines.append([moved(matrix, *numbers(given))])
            case "l" | "c":
                outlines[-1].append(moved(matrix, *numbers(given)[-2:]))
            case "W" | "W*":
                clips = (*clips, Region.of(outlines, operator))
            case "n":
                outlines = []
            case "f" | "f*" | "S" | "B" | "B*" | "s" | "b" | "b*":
                yield Piece(number, marks[-1] if marks else None, bool(marks))
                if operator not in {"S", "s"}:
                    painted.append(((*clips, Region.of(outlines, operator)), ink))
                outlines = []
            case "TJ" | "Tj":
                text = "".join(
                    signs[font].get(code, "\ufffd")
                    for run in re.findall("<([0-9a-fA-F]+)>", given)
                    for code in re.findall("....", run.lower())
                )
                x, y = place[4:]
                behind = (ink for areas, ink in reversed(painted) if inside(areas, x + 1, y + 1))
                paper = next(behind, (1, 1, 1))
                mark = marks[-1] if marks else None
                yield Piece(number, mark, bool(marks), text, x, y, ink, paper)
        operand = line


def page_fonts(page: PageObject) -> DictionaryObject:
    return page["/Resources"]["/Font"].get_object()


def signs_of(font: DictionaryObject) -> dict[str, str]:
    """The signs of a font, by the code that draws them."""
    found: dict[str, str] = {}
    table = font["/ToUnicode"].get_object().get_data().decode("latin-1")
    for code, signs in re.findall(r"<([0-9a-fA-F]{4})> <([0-9a-fA-F]+)>(?! <)", table):
        found[code.lower()] = bytes.fromhex(signs).decode("utf-16-be")
    return found


def texts_by_mark(reader: PdfReader) -> dict[tuple[int, int], str]:
    """What is drawn under each mark of each page."""
    found: dict[tuple[int, int], str] = {}
    for page in reader.pages:
        for piece in pieces(page):
            if piece.mark is not None:
                key = (piece.page, piece.mark)
                found[key] = found.get(key, "") + piece.text
    return found


def text_under(element: DictionaryObject, known: dict[tuple[int, int], str]) -> str:
    found = ""
    for kid in element["/K"]:
        if isinstance(kid, int):
            found += known.get((element["/Pg"].indirect_reference.idnum, kid), "")
        elif "/S" in (child := kid.get_object()):
            found += text_under(child, known)
    return found


def numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


def times(one: tuple[float, ...], other: tuple[float, ...]) -> Matrix:
    a, b, c, d, e, f = one
    p, q, r, s, t, u = other
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )


def moved(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def luminance(colour: tuple[float, ...]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


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


# --- How the pages are made up --------------------------------------------------------------------

TITLES = frozenset({"h1", "h2", "h3", "h4", "caption"})
"""What announces what follows."""


def content_of(page: Page) -> Iterator[Box]:
    """The boxes of a page, without those at the foot of every page."""
    from weasyprint.formatting_structure.boxes import MarginBox

    for child in page._page_box.children:
        if not isinstance(child, MarginBox):
            yield from child.descendants()


def flaws_of(pages: Iterable[Page]) -> list[str]:
    """Texts over one another, rows that a page cuts, headings alone at the end of a page."""
    from weasyprint.formatting_structure.boxes import LineBox, ReplacedBox, TableRowBox

    found: list[str] = []
    rows: Counter[Any] = Counter()
    for number, page in enumerate(pages, 1):
        boxes = list(content_of(page))
        texts = [box for box in texts_of(page) if box.text.strip()]
        found += [f"page {number}: over another: {text}" for text in overlapping(texts)]
        lines = [
            (box.position_y, box.element is not None and box.element.tag in TITLES, said(box))
            for box in boxes
            if isinstance(box, ReplacedBox) or (isinstance(box, LineBox) and said(box).strip())
        ]
        if lines and max(lines)[1]:
            found.append(f"page {number}: ends with a heading: {max(lines)[2]}")
        rows.update(
            {
                box.element
                for box in boxes
                if isinstance(box, TableRowBox)
                if box.element is not None and not repeated(box)
            }
        )
    cut = (row for row, times_seen in rows.items() if times_seen > 1)
    return found + [f"cut: {''.join(row.itertext())}" for row in cut]


def said(box: Box) -> str:
    if not hasattr(box, "descendants"):
        return ""
    return "".join(getattr(each, "text", "") for each in box.descendants())


def repeated(row: Box) -> bool:
    """Whether it is the head of a table, which each page repeats."""
    return all(cell.get("scope") == "col" or not len(cell) for cell in row.element)


def overlapping(texts: list[TextBox]) -> Iterator[str]:
    """The texts whose letters stand on those of another."""
    placed = sorted(texts, key=lambda box: box.position_y)
    for place, one in enumerate(placed):
        for other in placed[place + 1 :]:
            if other.position_y >= one.position_y + 0.6 * one.height:
                break
            if (
                one.position_x < other.position_x + other.width - 0.5
                and other.position_x < one.position_x + one.width - 0.5
            ):
                yield f"{one.text} / {other.text}"


def depth_of(page: Page) -> float:
    """How far down its texts and drawings go, of 1."""
    from weasyprint.formatting_structure.boxes import ReplacedBox, TextBox

    whole = page._page_box
    return max(
        (box.position_y + box.height - whole.content_box_y()) / whole.height
        for box in content_of(page)
        if isinstance(box, TextBox | ReplacedBox)
    )


def drawings_of(page: Page) -> Iterator[tuple[float, float, float, float]]:
    from weasyprint.formatting_structure.boxes import ReplacedBox

    for box in page._page_box.descendants():
        if isinstance(box, ReplacedBox) and box.element.get("role") == "img":
            left, top = box.content_box_x(), box.content_box_y()
            yield tuple(
                0.75 * length
                for length in (
                    left,
                    page.height - top - box.height,
                    left + box.width,
                    page.height - top,
                )
            )
