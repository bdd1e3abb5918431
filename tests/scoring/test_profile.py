import pytest
from hypothesis import given

from assessments.scoring.profile import score
from assessments.scoring.sheet import ScenarioAnswer, Sheet, SheetError

from .sheets import FORM, INSTRUMENT, SCENARIOS, sheet, sheets


def test_outcomes_worked_by_hand():
    profile = score(
        INSTRUMENT,
        FORM,
        sheet(
            {
                "A2": [("best", "p95"), ("unsafe", "p75")],
                "A3": [("acceptable", "p95"), ("wrong", "p50")],
                "A4": [("wrong", "p95")],
                "A5": ["dont_know", "best"],
            }
        ),
    )
    assert [item.scenario for item in profile.outcomes] == [item.code for item in SCENARIOS]
    seen = [
        (item.verdict, item.credit, item.confidence, item.unsafe, item.confident_error)
        for item in profile.outcomes[:8]
    ]
    assert seen == [
        ("unanswered", None, None, False, False),
        ("best", 1.0, 0.95, False, False),
        ("wrong", 0.0, 0.75, True, True),
        ("acceptable", 0.5, 0.95, False, False),
        ("wrong", 0.0, 0.5, False, False),
        ("wrong", 0.0, 0.95, False, True),
        ("dont_know", 0.0, 0.25, False, False),
        ("best", 1.0, None, False, False),
    ]
    assert [item.scenario for item in profile.unsafe_answers] == ["A2-2"]
    assert [item.scenario for item in profile.confident_errors] == ["A2-2", "A4-1"]
    assert {item.domain for item in profile.outcomes[:8]} == {"A"}


@given(sheets())
def test_a_profile_is_of_its_sheet_and_nothing_else(found):
    profile = score(INSTRUMENT, FORM, found)
    assert profile == score(INSTRUMENT, FORM, found)
    assert {item.scenario for item in profile.outcomes if item.answered} == set(found.answers)
    for item in profile.outcomes:
        assert item.unsafe <= (item.credit == 0)
        assert item.confident_error <= (item.verdict == "wrong")


def test_context_chooses_steps_and_scores_nothing():
    plain = sheet({"A": ["best"] * 8})
    told = sheet({"A": ["best"] * 8}, profession="nurse", setting="hospital")
    assert score(INSTRUMENT, FORM, told).domains == score(INSTRUMENT, FORM, plain).domains


@pytest.mark.parametrize("form", ["A", "Z"])
def test_a_sheet_of_something_else_is_refused(form):
    with pytest.raises(SheetError):
        score(INSTRUMENT, form, Sheet(answers={"A1-2": ScenarioAnswer("a")}))
