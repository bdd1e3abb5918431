"""The report as a tagged PDF, held against the same report through WeasyPrint used naively, and
against Typst.

A person answers every situation, wrongly here and there, rates herself and words her own next
steps; every round is another person, the same for all contenders, who each begin with the report's
value and its HTML. Naive is how the manual of WeasyPrint begins:
``HTML(string=…).write_pdf(stylesheets=[…])``, which reads the stylesheets and their fonts anew each
time, with the default fetcher and the garbage collector on. Page size, tags and content are ours.

The report is judged against the *stock* template: our HTML and stylesheet, and where our stylesheet
has become otherwise than one would first write it so that printing takes less time, as it would be
then (``STOCK``): columns as wide as their cells ask for, which WeasyPrint measures. It is
handicapped by nothing else: what our templates and stylesheet save besides, it saves too, and its
charts are the same, with their words as text. Printed are, beside it, the ratios to our very own
HTML and stylesheet naively printed, to the stock template with Bootstrap before it, as a site would
have it, and to the stock template without tags.

Our press remembers where the lines of the documents before ended, as it does where it serves: the
texts of the instrument are the same for everybody, and what a person chose, got wrong and worded
herself is another in each round.

Typst gets the content as JSON, made outside the time that is taken, and our fonts as it reads them.
It is taken from where Python finds it (the package ``typst``), and left out, with a note, where it
is not there.
"""

from __future__ import annotations

import io
import json
import logging
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import django

from .measuring import Figure, figure, growth, printed, times, told

ROUNDS = 7
SEEDS = Path(__file__).resolve().parent.parent.parent / "seeds" / "ai-readiness"
TEMPLATE = Path(__file__).with_suffix(".typ")
FAMILY = "Atkinson Hyperlegible Next"
TARGET = 0.6
STOCK = """
:is(#domains, #self-rating, #strategy, #change) > .table-wrap table.figures { table-layout: auto }
:is(#domains, #self-rating, #strategy, #change) > .table-wrap .number { white-space: nowrap }
:is(#domains, #self-rating, #strategy, #change) > .table-wrap .number, #strategy > .long .number,
#strategy .long th:nth-child(2):not(.number),
#strategy .long th:nth-child(2):not(.number) + th { width: auto }
"""
"""What makes of our stylesheet the one that would be written first."""
MOST_GROWTH = 1.1


class People:
    """Reports of people who answered everything, each from her number alone."""

    def __init__(self) -> None:
        from assessments.instrument.loading import load
        from assessments.questionnaire import Questionnaire

        self.instrument = load(SEEDS)
        self.asked = Questionnaire(self.instrument, self.instrument.forms[0])

    def report(self, number: int) -> Any:
        from datetime import date

        from assessments import reports
        from assessments.scoring.profile import score
        from assessments.scoring.sheet import ScenarioAnswer, Sheet
        from assessments.sittings import Plan

        chance, instrument = Random(number), self.instrument
        levels = [level.code for level in instrument.confidence_scale]
        answers = {
            scenario.code: ScenarioAnswer(
                (scenario.best if chance.random() < 0.6 else chance.choice(scenario.options)).code,
                chance.choice(levels),
            )
            for scenario in instrument.scenarios_of(self.asked.form)
        }
        ratings = {item.code: chance.randint(1, 5) for item in instrument.self_ratings}
        sheet = Sheet(self_ratings=ratings, answers=answers)
        profile = score(instrument, self.asked.form, sheet)
        plans = [
            Plan(
                step=step.step,
                when=f"je prépare la réunion numéro {number} du service",
                will=f"je relis {chance.randint(2, 9)} réponses de l’outil avec leurs sources",
                together_with="une collègue",
                before="2027-01-15",
            )
            for step in profile.next_steps
        ]
        return reports.build(
            self.asked, sheet, profile=profile, plans=plans, finished_on=date(2026, 12, 1)
        )

    def html(self, number: int) -> str:
        from django.template.loader import render_to_string

        return render_to_string("assessments/report/document.html", {"report": self.report(number)})


# --- The contenders -------------------------------------------------------------------------------


def naive(html: str, *before: Path, after: str = "", variant: str | None = "pdf/ua-1") -> bytes:
    from weasyprint import CSS, HTML

    from assessments.press import STATIC

    sheets: list[Any] = [str(sheet) for sheet in (*before, STATIC / "css" / "report.css")]
    if after:
        sheets.append(CSS(string=after))
    found: bytes = HTML(string=html, base_url=STATIC.as_uri()).write_pdf(
        stylesheets=sheets, pdf_variant=variant
    )
    return found


class Typst:
    """A compiler that keeps its fonts from document to document."""

    def __init__(self, folder: Path) -> None:
        import typst
        from fontTools.ttLib import TTFont

        from assessments.press import STATIC

        for file in (STATIC / "fonts").glob("*.woff2"):  # a format that Typst does not read
            with TTFont(file) as font:
                font.flavor = None
                if "latin-ext" in file.name:  # by its own name, as in our stylesheet
                    for record in font["name"].names:
                        if record.nameID in {1, 16}:
                            record.string = f"{FAMILY} Extended"
                font.save(folder / f"{file.stem}.ttf")
        self.compiler = typst.Compiler(
            root=TEMPLATE.parent, font_paths=[folder], ignore_system_fonts=True
        )

    def pdf(self, content: str) -> bytes:
        found: bytes = self.compiler.compile(
            TEMPLATE, format="pdf", pdf_standards=["ua-1"], sys_inputs={"report": content}
        )
        return found


def content_of(html: str) -> str:
    """The document as JSON for the template of Typst."""
    from weasyprint import HTML

    root = HTML(string=html).etree_element
    body = root.find("body")
    main = body.find("main")
    return json.dumps(
        {
            "lang": root.get("lang"),
            "title": root.findtext("head/title"),
            "status": body.findtext("p"),
            "body": list(_nodes(main)),
        }
    )


SVG = "{http://www.w3.org/2000/svg}"


def _nodes(element: Any) -> Iterator[object]:
    inline = element.tag in {"p", "li", "td", "th", "span", "a", "strong", "em", "caption"} or (
        element.tag in {"h1", "h2", "h3", "h4"}
    )

    def words(text: str | None) -> Iterator[str]:
        if text and (inline or text.strip()):
            yield re.sub(r"[ \n]+", " ", text)

    yield from words(element.text)
    for kid in element:
        if kid.tag == f"{SVG}svg":
            kid.attrib.pop("{http://www.w3.org/2000/xmlns/}xmlns", None)  # said once is enough
            drawn = ElementTree.tostring(kid, encoding="unicode")
            yield {"svg": drawn, "alt": kid.findtext(f"{SVG}title")}
        else:
            yield {
                "t": kid.tag,
                "c": kid.get("class", "").split(),
                "id": kid.get("id", ""),
                "href": kid.get("href", ""),
                "k": list(_nodes(kid)),
            }
        yield from words(kid.tail)


# --- What they made -------------------------------------------------------------------------------


def pages_of(document: bytes, report: Any, *, tagged: bool = True) -> int:
    """The pages of a PDF that holds every section, figure and explanation, with its tags."""
    from pypdf import PdfReader

    from assessments.templatetags.readiness import told as in_words

    reader = PdfReader(io.BytesIO(document))
    assert ("/StructTreeRoot" in reader.trailer["/Root"]) == tagged
    text = _bare("".join(page.extract_text() for page in reader.pages))
    for answer in report.answers:
        for said in (answer.scenario.topic, answer.scenario.stem):
            assert _bare(in_words(said))[:60] in text, in_words(said)
    return len(reader.pages)


def _bare(text: str) -> str:
    """Without what lines and their ends make of it."""
    return re.sub(r"[\s\u00ad\u202f-]+", "", re.sub(r"<[^>]*>", "", str(text)))


def longer(html: str, times_over: int) -> str:
    """The document with its section of every answer so many times."""
    start = html.index('<section class="result" id="answers">')
    end = html.index("</section>", start) + len("</section>")
    again = re.sub(r' id="[^"]*"', "", html[start:end])
    return html[:end] + again * (times_over - 1) + html[end:]


# --- The figures ----------------------------------------------------------------------------------


def figures() -> Iterator[Figure]:
    from django.utils import translation

    from assessments import press

    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # Bootstrap's CSS is not all known
    translation.activate("fr")
    people = People()
    bootstrap = press.STATIC / "vendor" / "bootstrap.min.css"
    made: dict[str, bytes] = {}

    def contender(name: str, printer: Callable[[str], bytes]) -> Callable[[], None]:
        numbers = count(1)

        def work() -> None:
            made[name] = printer(people.html(next(numbers)))

        return work

    printers: dict[str, Callable[[str], bytes]] = {
        "ours": press.pdf,
        "stock": lambda html: naive(html, after=STOCK),
        "own": naive,
        "bootstrap": lambda html: naive(html, bootstrap, after=STOCK),
        "untagged": lambda html: naive(html, after=STOCK, variant=None),
    }
    contenders = {name: contender(name, printer) for name, printer in printers.items()}
    missing = ""
    with tempfile.TemporaryDirectory(prefix="fonts-") as folder:
        try:
            setter = Typst(Path(folder))
        except ImportError:
            missing = "the package typst is not installed here"
        else:
            contents = [content_of(people.html(number)) for number in range(1, ROUNDS + 2)]
            given = iter(contents)

            def typeset() -> None:
                made["typst"] = setter.pdf(next(given))

            contenders["typst"] = typeset
        taken = times(contenders, ROUNDS)

    last = people.report(ROUNDS + 1)
    sizes = {
        name: (pages_of(document, last, tagged=name != "untagged"), len(document) / 1024)
        for name, document in made.items()
    }

    def size(name: str) -> str:
        pages, kibibytes = sizes[name]
        return f"{pages} pages, {kibibytes:.0f} KiB"

    weasyprint = {"weasyprint": version("weasyprint")}
    yield figure(
        "PDF report, full and tagged (CPU)", taken["ours"], unit="ms", scale=1000,
        yardstick="naive WeasyPrint, stock template, tagged", yardsticks=taken["stock"],
        at_most=TARGET, note=f"ours {size('ours')}; naive {size('stock')}", versions=weasyprint,
    )  # fmt: skip
    for name, said in (
        ("own", "our very own HTML and CSS"),
        ("bootstrap", "Bootstrap before the stock CSS"),
        ("untagged", "stock template without tags"),
    ):
        yield figure(
            f"PDF report against naive, {said} (CPU)", taken["ours"], unit="ms", scale=1000,
            yardstick=f"naive WeasyPrint, {said}", yardsticks=taken[name],
            note=f"naive {size(name)}", versions=weasyprint,
        )  # fmt: skip
    if missing:
        yield printed("PDF report against Typst", [1000 * each for each in taken["ours"]],
                      unit="ms", note=missing)  # fmt: skip
    else:
        yield figure(
            "PDF report against Typst (CPU)", taken["ours"], unit="ms", scale=1000,
            yardstick="Typst, same content, tagged PDF/UA-1", yardsticks=taken["typst"],
            note=f"Typst {size('typst')}, its JSON made beforehand",
            versions={"typst": version("typst")},
        )  # fmt: skip
    press._press.cache_clear()
    press.warm()
    began = time.process_time()
    press.pdf(people.html(ROUNDS + 2))
    yield printed(
        "PDF report, the first after the start (CPU)", [1000 * (time.process_time() - began)],
        unit="ms", note="no line is remembered from a document before",
    )  # fmt: skip
    yield grown(people, press.pdf)


def grown(people: People, printer: Callable[[str], bytes]) -> Figure:
    """With the section of every answer once, twice and four times; each the least of two runs."""
    explained = len(people.instrument.scenarios_of(people.asked.form))
    html = people.html(1000)
    sizes, spent = [], []
    for times_over in (1, 2, 4):
        document = longer(html, times_over)
        runs = []
        for _ in range(2):
            began = time.process_time()
            printer(document)
            runs.append(1000 * (time.process_time() - began))
        sizes.append(explained * times_over)
        spent.append(min(runs))
    return growth("PDF report, by answers explained", sizes, spent, unit="ms", most=MOST_GROWTH)


if __name__ == "__main__":
    django.setup()
    told(figures())
