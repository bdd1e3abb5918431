import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from assessments.cohort.counts import (
    NO,
    NO_CONFIDENCE,
    UNANSWERED,
    YES,
    Grade,
    LevelOutcome,
    Table,
    Tally,
    confidence_cell,
    count,
)
from assessments.instrument.document import Instrument
from assessments.scoring.outcomes import outcomes
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet, layout

from .people import FORM, People, counted, people


def tables(found: tuple[Table, ...]) -> dict[str, Table]:
    return {table.code: table for table in found}


def of_sheets(instrument: Instrument, *sheets: Sheet) -> People:
    places = layout(instrument, FORM)
    packed = np.frombuffer(b"".join(map(places.pack, sheets)), dtype=np.uint8)
    levels = np.full((len(sheets), 3), LevelOutcome.LEVEL_2, dtype=np.uint8)
    return People(
        packed.reshape(len(sheets), -1), levels, [frozenset()] * len(sheets), [()] * len(sheets)
    )


def test_counts_by_hand(instrument: Instrument) -> None:
    scenario = instrument.scenarios_of(FORM)[0]
    grades = {Grade.of(option): option.code for option in scenario.options}
    rating = instrument.self_ratings[0].code
    group = of_sheets(
        instrument,
        Sheet(
            self_ratings={rating: 4},
            answers={scenario.code: ScenarioAnswer(grades[Grade.BEST], "p95")},
        ),
        Sheet(answers={scenario.code: ScenarioAnswer(grades[Grade.WRONG], "p95")}),
        Sheet(answers={scenario.code: ScenarioAnswer(grades[Grade.WRONG])}),
        Sheet(answers={scenario.code: ScenarioAnswer(DONT_KNOW)}),
        Sheet(),
    )
    step = instrument.next_steps[0].code
    group = replace(group, steps=[frozenset({step})] * 2 + [frozenset()] * 3)
    counts = counted(instrument, group)

    options = tables(counts.options)[scenario.code]
    assert options[grades[Grade.BEST]] == 1
    assert options[grades[Grade.WRONG]] == 2
    assert (options[DONT_KNOW], options[UNANSWERED]) == (1, 1)

    confidence = dict(tables(counts.confidence)[scenario.code].cells)
    assert {cell: size for cell, size in confidence.items() if size} == {
        confidence_cell("p95", Grade.BEST): 1,
        confidence_cell("p95", Grade.WRONG): 1,
        confidence_cell(NO_CONFIDENCE, Grade.WRONG): 1,
        DONT_KNOW: 1,
    }
    credits = tables(counts.credits)[scenario.sub_competency]
    others = credits.answers - 1
    assert dict(credits.cells) == {
        Grade.BEST: 1,
        Grade.ACCEPTABLE: 0,
        Grade.WRONG: 3,
        UNANSWERED: 1 + 5 * others,
    }
    ratings = tables(counts.self_ratings)[rating]
    assert (ratings["4"], ratings[UNANSWERED], ratings["1"]) == (1, 4, 0)
    assert dict(tables(counts.steps)[step].cells) == {YES: 2, NO: 3}
    assert tables(counts.levels)["A"][LevelOutcome.LEVEL_2.code] == 5


def test_grades_are_the_verdicts_of_scoring(instrument: Instrument) -> None:
    for scenario in instrument.scenarios_of(FORM):
        for option in scenario.options:
            sheet = Sheet(answers={scenario.code: ScenarioAnswer(option.code)})
            (outcome,) = (item for item in outcomes(instrument, FORM, sheet) if item.answered)
            assert Grade.of(option) == outcome.verdict
            assert Grade.of(option).credit == outcome.credit


def test_every_person_gives_every_table_the_answers_it_says(instrument: Instrument) -> None:
    counts = counted(instrument, people(instrument, 50, seed=1, answered=0.7))
    complete = (counts.levels, counts.credits, counts.options, counts.self_ratings, counts.steps)
    for table in (table for found in complete for table in found):
        assert sum(size for _cell, size in table.cells) == 50 * table.answers
    for options, confidence in zip(counts.options, counts.confidence, strict=True):
        answered = sum(size for _cell, size in confidence.cells)
        assert answered == 50 - options[UNANSWERED]
        assert confidence[DONT_KNOW] == options[DONT_KNOW]


def test_counts_of_a_group_are_the_sums_of_its_parts(instrument: Instrument) -> None:
    group = people(instrument, 40, seed=2, answered=0.8)
    whole = counted(instrument, group)
    parts = counted(instrument, group[:15]), counted(instrument, group[15:])
    for kind in ("levels", "credits", "options", "confidence", "self_ratings", "steps"):
        for table, *pieces in zip(*(getattr(one, kind) for one in (whole, *parts)), strict=True):
            for cell, size in table.cells:
                assert size == sum(piece[cell] for piece in pieces)


def test_a_tally_of_parts_is_the_count_of_the_whole(instrument: Instrument) -> None:
    group = people(instrument, 40, seed=2, answered=0.8)
    tally = Tally(instrument, FORM, followed_up=True)
    for part in (group[:15], group[15:15], group[15:]):
        alike = Counter(map(tuple, part.steps)), Counter(part.deeds)
        tally.add(part.sheets, part.outcomes, *alike)
    assert tally.counts() == counted(instrument, group)


def test_a_step_that_somebody_has_twice_counts_once(instrument: Instrument) -> None:
    group = people(instrument, 2, seed=2)
    step = instrument.next_steps[0].code
    counts = count(instrument, FORM, group.sheets, group.outcomes, [[step, step], [step]])
    assert dict(tables(counts.steps)[step].cells) == {YES: 2, NO: 0}


@pytest.mark.parametrize("kind", ["option", "confidence", "self_rating"])
def test_a_byte_outside_its_slot_is_refused(instrument: Instrument, kind: str) -> None:
    group = people(instrument, 12, seed=3)
    slot = next(s for s in layout(instrument, FORM).slots if s.kind == kind)
    group.sheets[5, layout(instrument, FORM).offset(slot.kind, slot.code)] = 77
    with pytest.raises(ValueError, match=slot.code):
        counted(instrument, group)


def test_shapes_and_codes_are_checked(instrument: Instrument) -> None:
    group = people(instrument, 12, seed=4)
    steps = group.steps
    wrong: list[tuple[Any, Any, Any, str]] = [
        (group.sheets[:, :-1], group.outcomes, steps, "sheets"),
        (group.sheets.astype(np.int64), group.outcomes, steps, "sheets"),
        (group.sheets, group.outcomes[:-1], steps, "outcomes"),
        (group.sheets, group.outcomes + 6, steps, "A: an answer outside"),
        (group.sheets, group.outcomes, steps[:-1], "12 people"),
        (group.sheets, group.outcomes, [*steps[:-1], {"nowhere"}], "nowhere"),
    ]
    for sheets, outcomes_, chosen, message in wrong:
        with pytest.raises(ValueError, match=message):
            count(instrument, FORM, sheets, outcomes_, chosen)


def test_a_table_has_each_cell_once() -> None:
    with pytest.raises(ValueError, match="differ"):
        Table("A", (("x", 1), ("x", 2)))


def test_counting_is_fast(instrument: Instrument) -> None:
    """100,000 sheets take about 0.2 s of processor here, so a million a few seconds."""
    group = people(instrument, 100_000, seed=5)
    start = time.process_time()
    counted(instrument, group)
    assert time.process_time() - start < 2
