"""What the report says of an earlier sitting of the same person."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.template.loader import render_to_string
from msgspec.structs import replace

from assessments import reports
from assessments.cohort.counts import Deed
from assessments.instrument.document import Variant, digest
from assessments.questionnaire import Questionnaire
from assessments.scoring.change import change
from assessments.scoring.profile import score
from assessments.scoring.scores import OVERALL
from assessments.templatetags.readiness import told
from tests.pdfs import flat, printed

from .cases import FINISHED_ON, KINDS, earlier, report, sheet
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


def worded_otherwise(instrument, codes):
    """The version before: these scenarios had other stems."""
    scenarios = tuple(
        replace(item, stem={"fr": "Autre", "en": "Other"}) if item.code in codes else item
        for item in instrument.scenarios
    )
    return replace(instrument, version="2025.9", scenarios=scenarios)


def test_another_version_is_compared_through_what_both_asked(instrument, in_english):
    subs = {sub.code for sub in instrument.sub_competencies_of("A")}
    form = instrument.forms[0]
    of_a = [item.code for item in instrument.scenarios_of(form) if item.sub_competency in subs]
    then = worded_otherwise(instrument, of_a[:5])
    found = report(instrument, "perfect", earlier=earlier(then, "dont_know", published=then))
    comparison = found.comparison
    assert found.uncompared is None
    assert comparison.versions == ("2025.9", instrument.version)
    assert comparison.shared == 19
    assert [shift.common for shift in comparison.shifts] == [3, 8, 8, 19]
    assert [shift.change is None for shift in comparison.shifts] == [True, False, False, True]
    assert len(comparison.gained) == 19
    said = text(section(found))
    assert (
        f"(version 2025.9 then, {instrument.version} now). Only the 19 situations that did not "
        "change and that you answered both times are compared."
    ) in said
    assert said.count("not compared: 3 situations in common, at least 4 are needed") == 1
    assert said.count("not compared, for one of the three domains is not") == 1
    assert said.count("+100 points, more than chance") == 2
    assert section(found).count("<svg") == 2
    assert "None" not in section(found)


def test_with_too_little_in_common_two_versions_are_not_compared(instrument, in_english):
    then = worded_otherwise(instrument, {item.code for item in instrument.scenarios})
    found = report(instrument, earlier=earlier(then, "perfect", published=then))
    assert found.comparison is None
    assert "with too few situations in common" in section(found)
    other = replace(instrument, code="other")
    assert report(instrument, earlier=earlier(other, "mixed", published=other)).comparison is None


def test_whoever_reads_the_words_of_a_profession_has_answered_the_published_version(instrument):
    """The digest is of the version as published, not as worded for a nurse."""
    first, *others = instrument.scenarios
    nurses = Variant(("nurse",), stem={"fr": "Vous", "en": "You"})
    varied = replace(instrument, scenarios=(replace(first, variants=(nurses,)), *others))
    asked = Questionnaire(varied, varied.forms[0], "nurse")
    assert asked.instrument != varied
    given = sheet(varied, "mixed")
    found = reports.build(
        asked,
        given,
        profile=score(asked.instrument, asked.form, given),
        plans=(),
        finished_on=FINISHED_ON,
        earlier=earlier(varied, "perfect"),
    )
    assert found.digest == digest(varied)
    assert found.comparison.versions is None


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


def test_the_pdf_says_the_same_and_is_tagged(instrument, language):
    pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
    followed = [(instrument.next_steps[0].code, Plan("x"), Deed.BEGUN)]
    found = report(instrument, "mixed", earlier=earlier(instrument, "unsafe"), followed=followed)
    pdf = printed(lambda: reports.pdf(found))
    assert pdf.complaints == []
    assert Counter(each["/S"] for each in pdf.elements)["/Figure"] == 10
    html, text = section(found), "".join(pdf.laid_out)
    for said in re.findall(r'<h[23]>(.*?)</h|<td class="number">(.*?)</td>', html):
        assert flat("".join(said)) in text
