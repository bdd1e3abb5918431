"""The PDF: tagged, identified as PDF/UA-1, printed from the application's own files."""

import re
from collections import Counter
from datetime import date
from functools import cache

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_language, gettext
from msgspec.structs import replace

from assessments import press, reports
from assessments.instrument.loading import load
from assessments.scoring.scores import OVERALL, VersionCalibration
from assessments.sittings import Plan
from assessments.templatetags.readiness import told
from tests.conftest import AUDIT, SEEDS
from tests.pdfs import Printed, assert_sound, beyond_the_margin, flat, printed

from .cases import KINDS, earlier, report
from .test_page import pages as on_screen

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
pytestmark = pytest.mark.xdist_group("reports")  # what is printed once is kept by one runner

MOST_PAGES = {"mixed": 14, "missing": 8, "perfect": 14, "unsafe": 22, "dont_know": 14}


IN_TURN = [
    (language, kind)
    for place, kind in enumerate(KINDS)
    for language in ("fr", "en")
    if AUDIT or kind == "mixed" or (language == "fr") == (place % 2 == 0)
]
"""Printing is dear: one kind is in both languages, each other in one of them."""


@cache
def kept(kind: str, language: str) -> Printed:
    return printed(lambda: reports.pdf(report(load(SEEDS), kind)))


def report_of(kind: str) -> Printed:
    """The report of a kind of sheet in the active language, printed once a run."""
    return kept(kind, get_language())


@pytest.mark.parametrize(("language", "kind"), IN_TURN, indirect=["language"])
def test_whatever_the_answers_the_report_is_sound(instrument, language, kind):
    found = report_of(kind)
    reader = found.reader
    tags = Counter(element["/S"] for element in assert_sound(found, language))

    assert told(instrument.title) in reader.metadata.title
    assert len(reader.pages) <= MOST_PAGES[kind]
    assert tags["/TH"] > 10
    assert tags["/Figure"] == (3 if kind == "missing" else 6)
    for left, bottom, right, top in found.drawings:
        assert 4 < (right - left) / (top - bottom) < 9  # a band is wide and low

    assert len(found.laid_out) == len(reader.pages)
    for number, text in enumerate(found.laid_out, 1):
        assert flat(told(instrument.status)) in text
        assert f"{number}/{len(reader.pages)}" in text


def test_an_english_title_is_told_to_be_so_in_a_french_report():
    with translation.override("fr"):
        passages = report_of("mixed").passages
    title = flat("Variable generalization performance of a deep learning model")
    assert title in passages["en"]
    assert title not in passages["fr"]
    assert flat("Votre bilan") in passages["fr"]
    assert set(passages) == {"fr", "en"}


def test_a_long_intention_breaks_and_a_sign_that_is_lacking_is_explained(instrument, in_english):
    step = instrument.next_steps[0].code
    long = "anticonstitutionnellement" * 16
    plan = Plan(step, "it is time 🏥", f"write {long}", "مستشفى Łódź", "2026-12-31")
    found = printed(lambda: reports.pdf(report(instrument, "missing", plans=[plan])))
    assert_sound(found, "en")
    said = f"When it is time […], I will write {long}, with […] Łódź, before 31 December 2026."
    assert flat(said) in found.passages["en"]
    assert found.passages["en"].endswith(
        flat("“[…]” stands for signs that the fonts of this document do not have.")
    )


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


def test_tables_as_wide_as_the_page_are_not_measured_cell_by_cell(instrument, monkeypatch):
    from weasyprint.layout import table

    measure, measured = table.auto_table_layout, list[str]()

    def watched(context, box, around):
        measured.append(box.element.findtext("caption"))
        return measure(context, box, around)

    monkeypatch.setattr(table, "auto_table_layout", watched)
    earlier_on = earlier(instrument, "unsafe")
    html = render_to_string(
        "assessments/report/document.html", {"report": report(instrument, earlier=earlier_on)}
    )
    press.pdf(html)
    beside = html[html.index('<div class="beside">') :]
    assert measured == re.findall("<caption>(.*?)</caption>", beside)
    assert len(measured) == 2


def test_the_page_and_the_pdf_say_the_same(instrument, language):
    found = report_of("mixed")
    # Page by page, a reader of PDF finds all that was laid out, beside what is drawn.
    pages = [flat(page.extract_text()) for page in found.reader.pages]
    for read, laid_out in zip(pages, found.laid_out, strict=True):
        assert not Counter(laid_out) - Counter(read)
    text = "".join(pages)
    html = "".join(on_screen(report(instrument)).values())
    headings = re.findall(r"<h[2-4][^>]*>(.*?)</h[2-4]>", html)
    assert len(headings) > 30
    figures = re.findall(r'<td class="number">(.*?)</td>', html)
    assert len(figures) > 20
    own = {
        "And now",
        "How a level is named",
        "The other domains",
        "Other errors made with confidence",
    }
    of_pages = {gettext(each) for each in own}
    assert of_pages & set(headings)
    for said in [*(set(headings) - of_pages), *figures]:
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
