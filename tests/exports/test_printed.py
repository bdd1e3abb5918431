"""What is printed of a group: its results, the file for the auditor, the poster."""

import html
import io
import re
from dataclasses import replace
from datetime import date

import pytest
from django.template.loader import render_to_string
from django.utils.translation import get_language
from pypdf import PdfReader

from assessments import press
from assessments.qualiopi import Moment, State, audit_file, framework
from assessments.templatetags.cohort import share as printed_share
from assessments.templatetags.readiness import signed, told, whole
from tests.pdfs import (
    Printed,
    assert_drawn,
    assert_read_in_order,
    assert_sound,
    beyond_the_margin,
    elements,
    flat,
    printed,
)

from .groups import DAY, HOSTILE, SUBJECT, real, results

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
pytestmark = pytest.mark.xdist_group("printed")  # what is printed once is kept by one runner

SIMULATED = {"all", "too few before"}
"""The files for the auditor that also say that their people are."""
LONG_NAME = "Anticonstitutionnellement" * 5 + " & <b>« Ward »</b> =1+1"
KEPT: dict[tuple[str, ...], Printed] = {}


def printed_once(template: str, key: str, context: dict[str, object]) -> Printed:
    """A document in the active language, printed once a run."""
    known = (template, key, get_language())
    if known not in KEPT:
        page = render_to_string(f"assessments/cohort/{template}.html", context)
        KEPT[known] = printed(lambda: press.pdf(page, "filed"))
    return KEPT[known]


def results_pdf(kind: str) -> Printed:
    context = {"results": results(kind), "subject": replace(SUBJECT, cohort=LONG_NAME)}
    return printed_once("document", kind, context)


def moment(kind: str, group: str | None, state: State = State.PUBLISHED) -> Moment:
    label = {"before": "before the training", "after": "after the training"}
    return Moment(
        kind=kind,
        label=label.get(kind, "follow-up, weeks later"),
        opens_on=date(2026, 11, 1),
        closed_on=None if state in {State.OPEN, State.PLANNED} else DAY,
        version=real().version,
        form="A",
        digest="0123456789abcdef" * 4,
        state=state,
        results=results(group) if group else None,
    )


def moments(kind: str) -> list[Moment]:
    return {
        "before": [moment("before", "eleven"), moment("after", None, State.PLANNED)],
        "after": [moment("before", "thirty"), moment("after", "changed")],
        "all": [
            moment("before", "thirty"),
            moment("after", "changed"),
            moment("follow-up", "followed"),
        ],
        "too few": [moment("before", "thirty"), moment("after", None, State.TOO_FEW)],
        "too few before": [moment("before", None, State.TOO_FEW), moment("after", "thirty")],
        "open": [moment("before", "thirty"), moment("after", None, State.OPEN)],
    }[kind]


def qualiopi_pdf(kind: str) -> Printed:
    file = audit_file(LONG_NAME, moments(kind), simulated=kind in SIMULATED, threshold=11)
    return printed_once("qualiopi", kind, {"file": file})


# --- The results ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["eleven", "followed"])
def test_the_results_are_a_sound_document(language, kind):
    document = results_pdf(kind)
    reader = document.reader
    found = assert_sound(document, language)
    assert sum(element["/S"] == "/Figure" for element in found) >= 7
    assert sum(element["/S"] == "/TH" for element in found) >= 20
    assert len(reader.pages) <= 9
    # Little white is left at the end of a page, save the last and the one before a large drawing.
    *_, second, _least = sorted(document.depths[:-1], reverse=True)
    assert second > 0.5
    assert len(document.laid_out) == len(reader.pages)
    for number, text in enumerate(document.laid_out, 1):
        assert flat(told(real().status)) in text
        assert f"{number}/{len(reader.pages)}" in text


def test_the_cohorts_name_is_in_the_document_and_not_in_its_title(language):
    document = results_pdf("eleven")
    reader = document.reader
    assert flat(LONG_NAME) in document.text
    assert told(real().title) in reader.metadata.title
    assert "nticonstitution" not in str(reader.metadata)
    assert b"nticonstitution" not in reader.trailer["/Root"]["/Metadata"].get_object().get_data()


def test_the_pdf_says_what_the_page_says(language):
    page = render_to_string("assessments/cohort/results.html", {"results": results("followed")})
    text = results_pdf("followed").text
    said = re.findall(r"<h[2-4][^>]*>(.*?)</h[2-4]>", page)
    said += re.findall(r'<td class="number">(.*?)</td>', page)
    assert len(said) > 60
    for words in said:
        assert flat(html.unescape(re.sub(r"<[^>]+>", " ", words))) in text


def test_bookmarks_lead_to_the_sections(in_english):
    title, sections = results_pdf("followed").reader.outline
    assert title["/Title"] == "Results of the group"
    names = [item["/Title"] for item in sections if not isinstance(item, list)]
    assert names[:3] == ["How many people answered", "What has changed", "Where the group stands"]


def test_what_a_page_lets_one_open_is_open_on_paper(in_english):
    found = results("thirty")
    items = tuple(replace(item, notable=True) for item in found.unsafe.items[:1])
    context = {
        "results": replace(found, unsafe=replace(found.unsafe, items=items)),
        "subject": SUBJECT,
    }
    page = render_to_string("assessments/cohort/document.html", context)
    assert "<details>" in page
    text = "".join(printed(lambda: press.pdf(page, "filed")).laid_out)
    assert flat(told(items[0].scenario.explanation)) in text


def test_simulated_people_are_said_to_be_on_the_first_page(in_english):
    said = "These people are simulated: nobody gave these answers."
    for simulated in (True, False):
        context = {
            "results": results("eleven"),
            "subject": replace(SUBJECT, simulated=simulated),
        }
        page = render_to_string("assessments/cohort/document.html", context)
        assert page.count(said) == simulated


@pytest.mark.parametrize("name", [HOSTILE[0], HOSTILE[7], HOSTILE[8], HOSTILE[10]])
def test_a_hostile_name_is_words_and_stays_within_the_margins(in_english, name):
    context = {"results": results("eleven"), "subject": replace(SUBJECT, cohort=name)}
    page = render_to_string("assessments/cohort/document.html", context)
    assert html.escape(name) in page
    assert "<script" not in page
    assert beyond_the_margin(page, "filed") == []


# --- The file for the auditor ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["before", "all", "too few before"])
def test_the_file_for_the_auditor_is_a_sound_document(language, kind):
    document = qualiopi_pdf(kind)
    reader = document.reader
    assert_sound(document, language)
    assert len(reader.pages) <= 5
    assert "nticonstitution" not in str(reader.metadata)
    assert flat(LONG_NAME) in document.text


def test_it_quotes_the_indicators_word_for_word_and_dates_the_guide(language):
    text = qualiopi_pdf("before").text
    assert [indicator.number for indicator in framework().indicators] == [8, 11]
    for indicator in framework().indicators:
        assert flat(indicator.wording) in text
    assert framework().guide.published_on == date(2024, 1, 8)
    assert flat({"fr": "V9, 8 janvier 2024", "en": "V9, 8 January 2024"}[language]) in text


def test_of_one_moment_no_change_is_given(in_english):
    text = qualiopi_pdf("before").text
    assert flat("A single moment is published: no change can be given yet.") in text
    assert flat("Effect size d") not in text
    assert flat("planned: 1 November 2026") in text
    assert flat("the shares of the steps are withheld, for the group is too small.") in text


def test_before_and_after_stand_side_by_side_with_what_changed(in_english):
    text = qualiopi_pdf("after").text
    before, after = results("thirty"), results("changed")
    for one, other, change in zip(
        before.domains, after.domains, after.changes[0].domains, strict=True
    ):
        line = line_title = told(one.domain.title)
        for item in (one, other):
            mean = item.mean.estimate
            line += f"{whole(mean.value)} ({whole(mean.lower)} to {whole(mean.upper)})"
        assert flat(line) in text
        found = change.change.difference.estimate
        ends = f"{signed(found.value)}{signed(found.lower)} to {signed(found.upper)}"
        assert flat(f"{line_title}{ends}{signed(change.change.effect, 2)}") in text
    assert flat("After the training, compared with before the training") in text


def test_what_became_of_the_steps_is_told(in_english):
    text = qualiopi_pdf("all").text
    found = results("followed").deeds
    assert len(found) == 3
    for item, name in zip(found, ("Done", "Begun", "Not done"), strict=True):
        ends = f"{printed_share(item.lower)} to {printed_share(item.upper)}"
        assert flat(f"{name}{printed_share(item.share)}{ends}") in text


@pytest.mark.parametrize("kind", ["too few", "too few before"])
def test_of_too_few_nothing_is_published_and_this_is_said(in_english, kind):
    text = qualiopi_pdf(kind).text
    assert text.count(flat("nothing is published: fewer than 11")) == 1
    assert flat("A single moment is published") in text


def test_of_a_moment_still_open_nothing_is_said_yet(in_english):
    assert flat("still open not published yet") in qualiopi_pdf("open").text


def test_a_file_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing is published"):
        audit_file(
            "Ward 12", [moment("before", None, State.TOO_FEW)], simulated=False, threshold=11
        )
    with pytest.raises(ValueError, match="results where"):
        moment("before", None)


def test_the_wording_of_the_law_is_french_in_an_english_file(in_english):
    passages = qualiopi_pdf("all").passages
    assert set(passages) == {"en", "fr"}
    for indicator in framework().indicators:
        assert flat(indicator.wording) in passages["fr"]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Unité « Œuf », Łódź – Nguyễn", "Unité « Œuf », Łódź – Nguyen"),
        ("Ward 🏥 مستشفى 12", "Ward […] […] 12"),
        ("A\u202f;\u2011b\u200d \uff1c\U0001f3fd", "A ;-b <[…]"),
        ("a < b & […]", "a < b & […]"),
    ],
)
def test_a_sign_is_printed_as_its_nearest_or_as_a_mark_that_is_explained(in_english, typed, read):
    page = (
        '<!doctype html><html lang="en"><title>T</title><main>'
        f"<h1>{html.escape(typed)}</h1></main></html>"
    )
    said = printed(lambda: press.pdf(page)).passages["en"]
    note = "“[…]” stands for signs that the fonts of this document do not have."
    assert said == flat(read + (note if press.MISSING in read and read != typed else ""))


def test_a_space_that_may_not_break_stays_one():
    assert press._printable("12\u202f345\u2009€") == "12\xa0345\u2009€"


def test_the_checks_see_what_is_wrong(in_english):
    """A page with every flaw that the documents have not."""
    page = """<!doctype html><html lang="en"><title>Flaws</title><main><h1>Flaws</h1>
    <p style="color: #888">Faint</p><p>Under</p><p style="margin-top: -5mm">Over</p>
    <p style="white-space: nowrap">{long}</p><h2>Alone</h2>
    <table style="break-before: page"><tr style="break-inside: auto"><td>Cut{lines}</table>
    </main></html>""".format(long="Beyond " * 60, lines="<br>line" * 90)
    document = printed(lambda: press.pdf(page))
    assert [text.split()[0] for text in document.beyond] == ["Beyond"]
    assert document.flaws[:2] == [
        "page 1: over another: Under / Over",
        "page 1: ends with a heading: Alone",
    ]
    assert [flaw[:8] for flaw in document.flaws[2:]] == ["cut: Cut"]
    with pytest.raises(AssertionError, match="Faint"):
        assert_drawn(document)
    document.source.texts.append(("en", "Unsaid"))
    with pytest.raises(AssertionError, match="Unsaid"):
        assert_read_in_order(document)


def test_a_drawing_that_only_decorates_is_no_figure(in_english):
    page = """<!doctype html><html lang="en"><title>Colours</title><h1>Colours</h1>
    <p><svg aria-hidden="true" viewBox="0 0 9 9" width="9" height="9"><path d="M0 0H9V9Z"/></svg>
    <svg role="img" viewBox="0 0 9 9" width="90" height="90"><title>A triangle</title>
    <path d="M0 0H9V9Z"/></svg></p></html>"""
    found = elements(PdfReader(io.BytesIO(press.pdf(page))))
    [figure] = [element for element in found if element["/S"] == "/Figure"]
    assert figure["/Alt"] == "A triangle"
