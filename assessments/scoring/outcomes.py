"""What became of each scenario: the sheet read against the keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assessments.instrument.document import (
    DONT_KNOW_CONFIDENCE,
    Instrument,
    Scenario,
    by_code,
)
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet

CONFIDENT_FROM = 0.75
"""The confidence from which an error is a confident one."""

Verdict = Literal["best", "acceptable", "wrong", "dont_know", "unanswered"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario of the form, as answered."""

    scenario: str
    sub_competency: str
    domain: str
    verdict: Verdict
    option: str | None = None
    """The code of the option chosen; None unless one was."""
    credit: float | None = None
    """0 to 1, 0 for "I don't know"; None if unanswered."""
    confidence: float | None = None
    """0 to 1; that of a guess for "I don't know"; None if it was not given."""
    unsafe: bool = False

    @property
    def answered(self) -> bool:
        return self.credit is not None

    @property
    def confident_error(self) -> bool:
        """The errors most readily corrected (hypercorrection: Butterfield & Metcalfe 2001)."""
        return self.credit == 0 and (self.confidence or 0.0) >= CONFIDENT_FROM


def outcomes(instrument: Instrument, form: str, sheet: Sheet) -> tuple[Outcome, ...]:
    """An outcome for each scenario of the form, in its order; KeyError on an unknown option."""
    domains = {sub.code: sub.domain for sub in instrument.sub_competencies}
    levels = {level.code: level.probability for level in instrument.confidence_scale}
    return tuple(
        _outcome(item, domains[item.sub_competency], sheet.answers.get(item.code), levels)
        for item in instrument.scenarios_of(form)
    )


def _outcome(
    scenario: Scenario, domain: str, answer: ScenarioAnswer | None, levels: Mapping[str, float]
) -> Outcome:
    place = (scenario.code, scenario.sub_competency, domain)
    if answer is None:
        return Outcome(*place, "unanswered")
    if answer.option == DONT_KNOW:
        return Outcome(*place, "dont_know", credit=0.0, confidence=DONT_KNOW_CONFIDENCE)
    option = by_code(scenario.options)[answer.option]
    verdict: Verdict = "acceptable"
    if option.credit == 0:
        verdict = "wrong"
    elif option.credit == scenario.best.credit:
        verdict = "best"
    return Outcome(
        *place,
        verdict,
        option=option.code,
        credit=option.credit,
        confidence=None if answer.confidence is None else levels[answer.confidence],
        unsafe=option.unsafe,
    )
