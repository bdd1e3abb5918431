"""The strategy on a day: what touches it, and what is to be checked again."""

from datetime import date, timedelta

import msgspec

from assessments.instrument.document import Instrument
from assessments.scoring.strategy import StrategyMap, strategy_map
from tests.instrument.example import example_instrument

replace = msgspec.structs.replace
CHECKED = date(2026, 11, 23)  # the day the example's map was checked
DUE = CHECKED + timedelta(days=184)
FORMS = ("A", "B")


def with_element(**fields) -> Instrument:
    example = example_instrument(FORMS)
    (element,) = example.strategy.elements
    strategy = replace(example.strategy, elements=(replace(element, **fields),))
    return replace(example, strategy=strategy)


def counts(found: StrategyMap) -> dict[str, list[tuple[str, int, int]]]:
    return {
        line.part.code: [(touch.form, touch.scenarios, touch.overdue) for touch in line.touches]
        for line in (*found.entries, *found.elements)
    }


def test_each_entry_is_touched_by_the_scenarios_that_serve_it_in_each_form():
    found = strategy_map(example_instrument(FORMS), CHECKED)
    assert counts(found) == {
        "G1": [("A", 8, 0), ("B", 8, 0)],
        "G2": [("A", 8, 0), ("B", 8, 0)],
        "G3": [("A", 8, 0), ("B", 8, 0)],
        "P1": [("A", 24, 0), ("B", 24, 0)],
        "L1": [("A", 8, 0), ("B", 8, 0)],
        "guide": [("A", 0, 0), ("B", 0, 0)],
    }
    assert [(kind.kind, [line.part.code for line in kind.lines]) for kind in found.kinds] == [
        ("goal", ["G1", "G2", "G3"]),
        ("priority", ["P1"]),
        ("pillar", ["L1"]),
    ]
    assert [source.code for source in found.kinds[0].sources] == ["strategy-2025"]


def test_an_element_is_touched_by_the_sub_competencies_it_names():
    found = strategy_map(with_element(sub_competencies=("C2", "A2")), CHECKED)
    (line,) = found.elements
    assert [sub.code for sub in line.sub_competencies] == ["A2", "C2"]
    assert counts(found)["guide"] == [("A", 3, 0), ("B", 3, 0)]
    assert [source.code for source in line.sources] == ["strategy-2025"]


def test_what_is_past_its_review_and_not_replaced_is_counted():
    """Goal 3 is domain C, whose law items (C1: two, C2: one) are due on 23 May 2027."""
    found = counts(strategy_map(example_instrument(FORMS), date(2027, 5, 24)))
    assert found["G3"] == [("A", 8, 3), ("B", 8, 3)]
    assert found["G1"] == [("A", 8, 0), ("B", 8, 0)]


def test_what_the_reserve_replaces_is_not_past_its_review():
    example = example_instrument(FORMS)
    (expired,) = (item for item in example.scenarios if item.code == "C2-1")
    spare = replace(expired, code="C2-9", forms=(), review_by=date(2027, 11, 23))
    with_spare = replace(example, scenarios=(*example.scenarios, spare))
    found = counts(strategy_map(with_spare, date(2027, 5, 24)))
    assert found["G3"][0] == ("A", 8, 2)


def test_the_map_is_to_be_checked_again_after_six_months():
    example = example_instrument(FORMS)
    on_the_day, after = (strategy_map(example, day) for day in (DUE, DUE + timedelta(days=1)))
    assert on_the_day.since is None
    assert {line.since for line in (*on_the_day.entries, *on_the_day.elements)} == {None}
    assert after.since == DUE
    assert {line.since for line in (*after.entries, *after.elements)} == {DUE}


def test_an_old_source_does_not_make_a_fresh_check_overdue():
    found = strategy_map(with_element(as_of=date(2025, 2, 11)), DUE)
    assert found.elements[0].since is None


def test_an_element_looked_at_alone_lasts_longer_than_the_map():
    later = CHECKED + timedelta(days=100)
    found = strategy_map(with_element(as_of=later), DUE + timedelta(days=1))
    assert (found.since, found.elements[0].since) == (DUE, None)
    found = strategy_map(with_element(as_of=later), later + timedelta(days=185))
    assert found.elements[0].since == later + timedelta(days=184)
