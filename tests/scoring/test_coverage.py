import msgspec

from assessments.scoring.coverage import coverage

from .sheets import FORM, INSTRUMENT


def test_coverage_worked_by_hand():
    rows = {row.entry: row for row in coverage(INSTRUMENT, FORM)}
    assert list(rows) == ["G1", "G2", "G3", "P1", "L1"]
    # Goal 1 is domain A: five sub-competencies, 1 + 2 + 2 + 1 + 2 scenarios
    goal = rows["G1"]
    assert (goal.kind, goal.scored, goal.domain) == ("goal", True, "A")
    assert goal.sub_competencies == ("A1", "A2", "A3", "A4", "A5")
    assert goal.scenarios == 8
    # Priority 1 is served by all sixteen, and has no score of its own
    priority = rows["P1"]
    assert (priority.scored, priority.domain) == (False, None)
    assert (len(priority.sub_competencies), priority.scenarios) == (16, 24)
    # The pillar is served by domain C alone
    assert rows["L1"].sub_competencies == ("C1", "C2", "C3", "C4", "C5", "C6")


def test_what_the_form_does_not_ask_is_not_covered():
    asked = tuple(item for item in INSTRUMENT.scenarios if item.sub_competency == "A2")
    rows = coverage(msgspec.structs.replace(INSTRUMENT, scenarios=asked), FORM)
    assert [(row.sub_competencies, row.scenarios) for row in rows] == [
        (("A2",), 2),
        ((), 0),
        ((), 0),
        (("A2",), 2),
        ((), 0),
    ]
