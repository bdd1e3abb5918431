"""What the report says of an earlier sitting of the same person."""

from __future__ import annotations

import io
import re
from collections import Counter

import pytest
from django.template.loader import render_to_string
from pypdf import PdfReader

from assessments import reports
from assessments.cohort.counts import Deed
from assessments.scoring.change import change
from assessments.scoring.scores import OVERALL
from assessments.templatetags.readiness import told

from .cases import KINDS, earlier, report
from .test_build import Plan
from .test_page import Outline


def section(found: reports.Report) -> str:
    return render_to_string("assessments/report/change.html", {"report": found})


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_without_an_earlier_sitting_nothing_is_said(instrument):
    assert section(report(instrument)).strip() == ""


def test_each_domain_and_the_whole_are_compared(instrument):
    before = earlier(instrument, "dont_know")
    found = report(instrument, "perfect", earlier=before)
    shifts = found.comparison.shifts
    assert [shift.domain for shift in shifts] == [*instrument.domains, None]
    assert [shift.after.code for shift in shifts][-1] == OVERALL
    assert [shift.change for shift in shifts[:-1]] == [
        change(then, now)
        for then, now in zip(before.profile.domains, found.profile.domains, strict=True)
    ]
    assert shifts[-1].change == change(before.profile.overall, found.profile.overall)


def test_more_than_chance_is_said_beyond_the_limit_alone(instrument, in_english):
    risen = text(section(report(instrument, "perfect", earlier=earlier(instrument, "dont_know"))))
    assert risen.count("+100 points, more than chance") == 4
    assert "within what chance can do" not in risen
    fallen = text(section(report(instrument, "dont_know", earlier=earlier(instrument, "perfect"))))
    assert fallen.count("−100 points, more than chance") == 4
    same = report(instrument, earlier=earlier(instrument, "mixed"))
    assert "more than chance" not in text(section(same))
    for shift in same.comparison.shifts:
        assert shift.needed - 1 <= shift.change.needed < shift.needed
        assert f"(a difference of {shift.needed} points would be needed)" in text(section(same))


def test_it_says_which_sitting_it_is_compared_with(instrument, in_english):
    said = text(section(report(instrument, earlier=earlier(instrument, "unsafe"))))
    assert "finished on 1 November 2026 (before the training)." in said
    assert "The situations were the same" in said
    alone = report(instrument, earlier=earlier(instrument, "unsafe", moment=""))
    assert "finished on 1 November 2026." in text(section(alone))
    other = report(instrument, earlier=earlier(instrument, "unsafe", form="B"))
    assert "(form B then, form A now), save 20 that you answered both times" in text(section(other))


def test_situations_missed_then_and_right_now_and_the_reverse(instrument):
    """Only those answered both times; in "mixed", one in six is left out."""
    gained = report(instrument, "mixed", earlier=earlier(instrument, "unsafe")).comparison
    assert list(gained.gained) == [
        answer for answer in report(instrument, "mixed").answers if answer.is_best
    ]
    assert gained.lost == ()
    lost = report(instrument, "mixed", earlier=earlier(instrument, "perfect")).comparison
    assert list(lost.lost) == [
        answer for answer in report(instrument, "mixed").answers if answer.outcome.credit == 0
    ]
    assert lost.gained == ()


def test_another_version_is_not_compared(instrument, in_english):
    found = report(instrument, earlier=earlier(instrument, "perfect", digest="0" * 64))
    assert found.comparison is None
    assert "was of another version" in section(found)
    assert "<svg" not in section(found)


def test_what_was_not_answered_is_not_compared(instrument, in_english):
    found = report(instrument, earlier=earlier(instrument, "missing"))
    assert [shift.change for shift in found.comparison.shifts] == [None] * 4
    assert text(section(found)).count("not compared, for want of answers") == 4
    assert "<svg" not in section(found)


def test_every_chart_of_change_says_its_data(instrument, in_english):
    found = report(instrument, "mixed", earlier=earlier(instrument, "unsafe"))
    titles = re.findall(r"<title>\s*([^<]*?)\s*</title>", section(found))
    assert len(titles) == 4
    for shift, title in zip(found.comparison.shifts, titles, strict=True):
        name = told(shift.domain.title) if shift.domain else "The three domains together"
        assert title.startswith(f"{name}: {round(shift.before.score)} then, ")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_stays_well_formed(instrument, language, kind):
    followed = [(instrument.next_steps[0].code, Plan("x"), Deed.DONE), ("gone", None, Deed.BEGUN)]
    found = report(instrument, kind, earlier=earlier(instrument, "mixed"), followed=followed)
    html = render_to_string("assessments/report/body.html", {"report": found})
    outline = Outline(html)
    assert outline.open == []
    assert len(set(outline.ids)) == len(outline.ids)
    assert "style" not in outline.attributes
    assert outline.targets <= set(outline.ids)
    assert 'id="change"' in html
    assert 'id="followed"' in html
    assert "None" not in section(found)


def test_the_pdf_says_the_same_and_is_tagged(instrument, language, complaints):
    pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
    from .test_pdf import elements, flat

    followed = [(instrument.next_steps[0].code, Plan("x"), Deed.BEGUN)]
    found = report(instrument, "mixed", earlier=earlier(instrument, "unsafe"), followed=followed)
    reader = PdfReader(io.BytesIO(reports.pdf(found)))
    assert complaints() == []
    assert Counter(each["/S"] for each in elements(reader))["/Figure"] == 10
    printed = flat("".join(page.extract_text() for page in reader.pages))
    html = section(found)
    for said in re.findall(r'<h[23]>(.*?)</h|<td class="number">(.*?)</td>', html):
        assert flat("".join(said)) in printed
