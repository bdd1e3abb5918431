"""The truth of a simulated cohort as CSV: every sheet, so that other software can recompute what
is published.

UTF-8, commas, a header, a row a sheet, in the order in which they were finished; an empty cell
where nothing was answered, or the form does not ask. The columns:

- ``moment`` (before, after, follow-up), ``form``, ``language``;
- ``person``: a number from 1, the same person's at every moment. The database does not hold it;
- ``context_<question>``: the codes chosen, separated by spaces;
- ``r_<self-rating>``: the point of the scale, from 1;
- for each scenario, ``o_``: the code of the option, or ``dont_know``; ``c_``: its credit, 0, 0.5 or
  1, and 0 for "I don't know"; ``p_``: the probability that the confidence stands for, and 0.25,
  that of a guess, for "I don't know"; ``u_``: 1 if the option is unsafe, 0 if not;
- for each domain, ``score_``: 100 times the mean credit of the scenarios answered; ``level_``: the
  level outcome, by its code in a release;
- ``steps``: the codes of the next steps chosen, separated by spaces;
- ``deeds``: at a follow-up, ``step=deed`` for each step chosen before, separated by spaces.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

import numpy as np

from .cohort.counts import LevelOutcome
from .cohort.simulation import Bytes
from .instrument.document import DONT_KNOW_CONFIDENCE, Instrument, Scenario
from .questionnaire import Questionnaire
from .scoring.sheet import DONT_KNOW, DONT_KNOW_BYTE, Slot
from .simulated_cohorts import Kept, Moment, results

type Texts = Sequence[str]


class Truth:
    """A CSV file in the making. ``forms`` are those that the cohort answers."""

    def __init__(self, file: TextIO, instrument: Instrument, forms: Iterable[str]) -> None:
        asked = set(forms)
        served = {item.code for form in asked for item in instrument.scenarios_of(form)}
        scenarios = [item.code for item in instrument.scenarios if item.code in served]
        self.columns = [
            *("moment", "form", "person", "language"),
            *(f"context_{question.code}" for question in instrument.context),
            *(f"r_{item.code}" for item in instrument.self_ratings),
            *(f"{what}_{code}" for code in scenarios for what in "ocpu"),
            *(
                f"{what}_{domain.code}"
                for domain in instrument.domains
                for what in ("score", "level")
            ),
            *("steps", "deeds"),
        ]
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(self.columns)

    def write(self, moment: Moment, kept: Kept) -> None:
        """Add a part of a moment."""
        n = kept.rows.stop - kept.rows.start
        found: dict[str, Texts] = {
            "moment": [moment.phase.kind] * n,
            "form": [moment.phase.form] * n,
            "person": [str(number) for number in moment.numbers[kept.rows]],
            "language": moment.languages[kept.rows],
            "steps": [" ".join(steps) for steps in kept.steps],
            "deeds": [" ".join(f"{step}={deed}" for step, deed in person) for person in kept.deeds],
            **_answers(moment.asked, moment.sheets[kept.rows]),
            **_levels(moment, kept.rows),
        }
        nothing = [""] * n
        columns = [found.get(column, nothing) for column in self.columns]
        self._writer.writerows(zip(*columns, strict=True))


def _answers(asked: Questionnaire, sheets: Bytes) -> Mapping[str, Texts]:
    found: dict[str, Texts] = {}
    answers = np.ascontiguousarray(sheets.T)
    for slot, column in zip(asked.layout.slots, answers, strict=True):
        if slot.kind == "context":
            found[f"context_{slot.code}"] = _looked_up(_values(slot), column)
        elif slot.kind == "self_rating":
            points = {place: str(place) for place in range(1, len(slot.values) + 1)}
            found[f"r_{slot.code}"] = _looked_up(points, column)
    for scenario in asked.instrument.scenarios_of(asked.form):
        option = answers[asked.layout.offset("option", scenario.code)]
        confidence = answers[asked.layout.offset("confidence", scenario.code)]
        for what, texts in _of_options(scenario).items():
            found[f"{what}_{scenario.code}"] = _looked_up(texts, option)
        found[f"p_{scenario.code}"] = _looked_up(
            _of_confidence(asked.instrument),
            # "I don't know" has no confidence of its own.
            np.where(option == DONT_KNOW_BYTE, np.uint8(DONT_KNOW_BYTE), confidence),
        )
    return found


def _values(slot: Slot) -> dict[int, str]:
    possible = range(1 << len(slot.values)) if slot.multiple else range(len(slot.values) + 1)
    return {byte: " ".join(slot.decode(byte)) for byte in possible}


def _of_options(scenario: Scenario) -> dict[str, dict[int, str]]:
    options = dict(enumerate(scenario.options, 1))
    return {
        "o": {byte: option.code for byte, option in options.items()} | {DONT_KNOW_BYTE: DONT_KNOW},
        "c": {byte: f"{option.credit:g}" for byte, option in options.items()}
        | {DONT_KNOW_BYTE: "0"},
        "u": {byte: str(int(option.unsafe)) for byte, option in options.items()}
        | {DONT_KNOW_BYTE: "0"},
    }


def _of_confidence(instrument: Instrument) -> dict[int, str]:
    levels = enumerate(instrument.confidence_scale, 1)
    return {byte: f"{level.probability:g}" for byte, level in levels} | {
        DONT_KNOW_BYTE: f"{DONT_KNOW_CONFIDENCE:g}"
    }


def _levels(moment: Moment, rows: slice) -> Mapping[str, Texts]:
    found: dict[str, Texts] = {}
    levels = {int(outcome): outcome.code for outcome in LevelOutcome}
    for place, domain in enumerate(moment.asked.instrument.domains):
        answered, points, _unsafe = results(moment.asked, moment.sheets[rows], domain.code)
        found[f"score_{domain.code}"] = [
            repr(100.0 * float(earned) / int(n)) if n else ""
            for n, earned in zip(answered, points, strict=True)
        ]
        found[f"level_{domain.code}"] = _looked_up(levels, moment.outcomes[rows, place])
    return found


def _looked_up(texts: Mapping[int, str], column: Bytes) -> Texts:
    """The text of each byte, empty for one that has none."""
    table = np.full(256, "", dtype=object)
    table[list(texts)] = list(texts.values())
    found: list[str] = table[column].tolist()
    return found
