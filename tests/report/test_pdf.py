"""The PDF: tagged, identified as PDF/UA-1, printed from the application's own files."""

import re
from collections import Counter
from datetime import date
from functools import cache
from itertools import pairwise

import pytest
from django.template.loader import render_to_string
from django.utils.translation import get_language
from msgspec.structs import replace

from assessments import press, reports
from assessments.instrument.loading import load
from assessments.scoring.scores import OVERALL, VersionCalibration
from assessments.templatetags.readiness import told
from tests.conftest import SEEDS
from tests.pdfs import Printed, assert_within, beyond_the_margin, flat, fonts, printed

from .cases import KINDS, report

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
pytestmark = pytest.mark.xdist_group("reports")  # what is printed once is kept by one runner

MOST_PAGES = {"mixed": 14, "missing": 8, "perfect": 14, "unsafe": 22, "dont_know": 14}


@cache
def kept(kind: str, language: str) -> Printed:
    return printed(lambda: reports.pdf(report(load(SEEDS), kind)))


def report_of(kind: str) -> Printed:
    """The report of a kind of sheet in the active language, printed once a run."""
    return kept(kind, get_language())


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_answers_the_report_is_sound(instrument, language, kind):
    found = report_of(kind)
    reader = found.reader
    root = reader.trailer["/Root"]

    assert found.complaints == []
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert told(instrument.title) in reader.metadata.title
    assert set(reader.metadata) == {"/Producer", "/Title"}
    assert len(reader.pages) <= MOST_PAGES[kind]

    for name, descriptor in fonts(reader).items():
        assert "Atkinson" in name
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor

    assert len(found.laid_out) == len(reader.pages)
    for number, text in enumerate(found.laid_out, 1):
        assert flat(told(instrument.status)) in text
        assert f"{number}/{len(reader.pages)}" in text


@pytest.mark.parametrize("kind", KINDS)
def test_its_tags_are_complete(language, kind):
    found = report_of(kind).elements
    tags = Counter(element["/S"] for element in found)

    levels = [int(e["/S"][2]) for e in found if re.fullmatch("/H[1-6]", e["/S"])]
    assert levels.count(1) == 1
    assert levels[0] == 1
    # A heading never skips a level; the second half of one that a page parts is the same heading.
    assert all(after <= before + 1 for before, after in pairwise(levels))

    assert tags["/Figure"] == (3 if kind == "missing" else 6)
    for figure in (e for e in found if e["/S"] == "/Figure"):
        assert len(figure["/Alt"].strip()) > 30
        left, bottom, right, top = assert_within(figure["/A"]["/BBox"], figure["/Pg"])
        # A band is wide and low: not turned over, not left in pixels.
        assert 4 < (right - left) / (top - bottom) < 9

    headers = [e for e in found if e["/S"] == "/TH"]
    assert headers
    assert {e["/A"]["/Scope"] for e in headers} == {"/Column", "/Row"}
    for header in headers:
        in_head = header["/P"]["/P"]["/S"] == "/THead"
        assert header["/A"]["/Scope"] == ("/Column" if in_head else "/Row")


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_reaches_into_the_margin(language, kind):
    assert report_of(kind).beyond == []


def test_long_texts_and_addresses_stay_within_the_margins(instrument, in_english, complaints):
    text = dict.fromkeys(("fr", "en"), "anticonstitutionnellement " * 40)
    address = "https://example.org/" + "x" * 400

    def stretched_scenario(scenario):
        options = tuple(replace(option, text=text, rationale=text) for option in scenario.options)
        return replace(scenario, topic=text, stem=text, options=options)

    stretched = replace(
        instrument,
        title=text,
        domains=tuple(replace(domain, title=text) for domain in instrument.domains),
        scenarios=tuple(map(stretched_scenario, instrument.scenarios)),
        sources=tuple(replace(source, doi=None, url=address) for source in instrument.sources),
    )
    html = render_to_string(
        "assessments/report/document.html", {"report": report(stretched, "perfect")}
    )
    assert beyond_the_margin(html) == []
    assert complaints() == []


def test_the_page_and_the_pdf_say_the_same(instrument, language):
    found = report_of("mixed")
    # Page by page, a reader of PDF finds all that was laid out, beside what is drawn.
    pages = [flat(page.extract_text()) for page in found.reader.pages]
    for read, laid_out in zip(pages, found.laid_out, strict=True):
        assert not Counter(laid_out) - Counter(read)
    text = "".join(pages)
    html = render_to_string("assessments/report/body.html", {"report": report(instrument)})
    headings = re.findall(r"<h[2-4]>(.*?)</h[2-4]>", html)
    assert len(headings) > 30
    figures = re.findall(r'<td class="number">(.*?)</td>', html)
    assert len(figures) > 20
    for said in headings + figures:
        assert flat(said.replace("&amp;", "&").replace("&#x27;", "'")) in text


def test_bookmarks_name_the_sections(in_english):
    report_title, sections = report_of("mixed").reader.outline
    assert report_title["/Title"] == "Your report"
    assert "Your next steps" in [item["/Title"] for item in sections if isinstance(item, dict)]


def test_a_calibrated_version_says_where_its_intervals_come_from(instrument, in_english):
    codes = [domain.code for domain in instrument.domains]
    known = VersionCalibration(
        sem=dict.fromkeys([*codes, OVERALL], 9.0),
        omega=dict.fromkeys([*codes, OVERALL], 0.8),
        mean=dict.fromkeys([*codes, OVERALL], 60.0),
        n=412,
        date=date(2027, 3, 1),
    )
    found = printed(lambda: reports.pdf(report(instrument, calibration=known)))
    text = "".join(found.laid_out)
    assert (
        flat("from at least 412 complete questionnaires of the same form of this version") in text
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a.css",
        "file:///etc/passwd",
        f"{press.STATIC.as_uri()}/../../settings.py",
        f"{press.STATIC.as_uri()}/%2e%2e/press.py",
        f"{press.STATIC.as_uri()}-elsewhere/a.css",
    ],
)
def test_nothing_but_the_applications_files_is_fetched(address):
    with pytest.raises(ValueError, match="not a file of this application"):
        press._press().fetcher.fetch(address)


def test_the_applications_files_are():
    response = press._press().fetcher.fetch(f"{press.STATIC.as_uri()}/icon.svg")
    assert b"<svg" in response.read()
    response.close()
