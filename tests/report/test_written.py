"""The explanation of an answer is rendered once for all who have answered alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.template.loader import render_to_string
from django.utils import translation

from assessments import reports
from assessments.questionnaire import Questionnaire
from assessments.scoring.profile import score
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet

from .cases import FINISHED_ON, report


@pytest.fixture(autouse=True)
def nothing_written():
    reports._written.cache_clear()


def answers_of(asked: Questionnaire, option: str, confidence: str | None):
    """Everything answered alike."""
    codes = [scenario.code for scenario in asked.instrument.scenarios_of(asked.form)]
    sheet = Sheet(answers={code: ScenarioAnswer(option, confidence) for code in codes})
    profile = score(asked.instrument, asked.form, sheet)
    return reports.build(asked, sheet, profile=profile, plans=(), finished_on=FINISHED_ON).answers


@pytest.mark.parametrize("language", ["fr", "en"])
def test_whatever_is_answered_reads_as_if_it_were_rendered_anew(instrument, language):
    asked = Questionnaire(instrument, instrument.forms[0])
    levels = [level.code for level in instrument.confidence_scale]
    given = [(DONT_KNOW, None), *((option, sure) for option in "abcd" for sure in (None, *levels))]
    with translation.override(language):
        for option, sure in given:
            first, *others = answers_of(asked, option, sure)
            for answer in (first, others[-1]):
                anew = render_to_string("assessments/report/answer.html", {"answer": answer})
                assert answer.explained == answer.explained == anew


def test_two_people_who_answer_alike_share_it(instrument):
    asked = Questionnaire(instrument, instrument.forms[0])
    for level in instrument.confidence_scale:
        for answer in answers_of(asked, "a", level.code):
            assert answer.explained
    assert reports._written.cache_info().misses == len(instrument.scenarios_of(asked.form))


def test_a_review_that_becomes_due_is_said_from_that_day_on(instrument, time_machine):
    answer = report(instrument).answers[0]
    due = answer.scenario.review_by
    noon = datetime(due.year, due.month, due.day, 12, tzinfo=UTC)
    said = []
    for moment in (noon, noon + timedelta(days=1)):
        time_machine.move_to(moment, tick=False)
        said.append(answer.explained)
    assert ["overdue" in text for text in said] == [False, True]


def test_another_questionnaire_has_its_own_words(instrument):
    first, *others = instrument.scenarios
    other = msgspec.structs.replace(first, explanation={"fr": "Autrement.", "en": "Otherwise."})
    worded = msgspec.structs.replace(instrument, scenarios=(other, *others))
    for known, found in ((instrument, False), (worded, True), (instrument, False)):
        explained = answers_of(Questionnaire(known, known.forms[0]), "a", None)[0].explained
        assert ("Autrement." in explained) is found


def test_people_of_most_professions_share_it(instrument):
    form, sure = instrument.forms[0], instrument.confidence_scale[-1].code
    for profession in ("", "nurse", "pharmacist"):
        for answer in answers_of(Questionnaire(instrument, form, profession), "a", sure):
            assert answer.explained
    assert reports._written.cache_info().misses == len(instrument.scenarios_of(form))
