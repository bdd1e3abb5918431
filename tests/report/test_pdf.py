"""The PDF: tagged, identified as PDF/UA-1, printed from the application's own files."""

import io
import re
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from django.template.loader import render_to_string
from django.utils.translation import get_language
from msgspec.structs import replace
from pypdf import PdfReader

from assessments import press, reports
from assessments.instrument.document import Instrument
from assessments.reports import Report
from assessments.scoring.scores import OVERALL, VersionCalibration
from assessments.templatetags.readiness import told
from tests.pdfs import assert_within, beyond_the_margin, elements, flat, fonts

from .cases import KINDS, report

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)

MOST_PAGES = {"mixed": 14, "missing": 8, "perfect": 14, "unsafe": 22, "dont_know": 14}


KEPT: dict[tuple[str, str | None], bytes] = {}


def printed(instrument: Instrument, kind: str = "mixed") -> PdfReader:
    """The report of a kind of sheet in the active language, printed once a run."""
    key = (kind, get_language())
    if key not in KEPT:
        KEPT[key] = reports.pdf(report(instrument, kind))
    return PdfReader(io.BytesIO(KEPT[key]))


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_answers_the_report_is_sound(instrument, language, complaints, kind):
    reader = PdfReader(io.BytesIO(reports.pdf(report(instrument, kind))))
    root = reader.trailer["/Root"]

    assert complaints() == []
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

    for number, page in enumerate(reader.pages, 1):
        text = flat(page.extract_text())
        assert flat(told(instrument.status)) in text
        assert f"{number}/{len(reader.pages)}" in text


@pytest.mark.parametrize("kind", KINDS)
def test_its_tags_are_complete(instrument, language, kind):
    found = elements(printed(instrument, kind))
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


def overflowing(found: Report) -> list[str]:
    html = render_to_string("assessments/report/document.html", {"report": found})
    return beyond_the_margin(html)


@pytest.mark.parametrize("kind", ["mixed", "missing", "unsafe"])
def test_no_text_reaches_into_the_margin(instrument, language, kind):
    assert overflowing(report(instrument, kind)) == []


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
    assert overflowing(report(stretched, "perfect")) == []
    assert complaints() == []


def test_the_page_and_the_pdf_say_the_same(instrument, language):
    text = flat("".join(page.extract_text() for page in printed(instrument).pages))
    html = render_to_string("assessments/report/body.html", {"report": report(instrument)})
    headings = re.findall(r"<h[2-4]>(.*?)</h[2-4]>", html)
    assert len(headings) > 30
    figures = re.findall(r'<td class="number">(.*?)</td>', html)
    assert len(figures) > 20
    for said in headings + figures:
        assert flat(said.replace("&amp;", "&").replace("&#x27;", "'")) in text


def test_bookmarks_name_the_sections(instrument, in_english):
    report_title, sections = printed(instrument).outline
    assert report_title["/Title"] == "Your report"
    assert "Your next steps" in [item["/Title"] for item in sections if isinstance(item, dict)]


def test_a_calibrated_version_says_where_its_intervals_come_from(instrument, in_english):
    codes = [domain.code for domain in instrument.domains]
    known = VersionCalibration(
        sem=dict.fromkeys([*codes, OVERALL], 9.0),
        omega=dict.fromkeys([*codes, OVERALL], 0.8),
        n=412,
        date=date(2027, 3, 1),
    )
    reader = PdfReader(io.BytesIO(reports.pdf(report(instrument, calibration=known))))
    text = flat("".join(page.extract_text() for page in reader.pages))
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
