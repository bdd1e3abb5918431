"""Which parts of the national strategy a form touches, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assessments.instrument.document import Instrument


@dataclass(frozen=True, slots=True)
class Coverage:
    """One goal, priority or pillar of the strategy."""

    entry: str
    kind: Literal["goal", "priority", "pillar"]
    scored: bool
    """Whether the strategy map counts it as measured; otherwise it is covered, not scored."""
    domain: str | None
    """The domain whose score is that of this goal."""
    sub_competencies: tuple[str, ...]
    """Those asked in the form that serve it, in the order of the blueprint."""
    scenarios: int
    """How many scenarios of the form those are."""


def coverage(instrument: Instrument, form: str) -> tuple[Coverage, ...]:
    """The coverage of each strategy entry, in the strategy's order."""
    asked = [scenario.sub_competency for scenario in instrument.scenarios_of(form)]
    domains = {domain.goal: domain.code for domain in instrument.domains}
    rows = []
    for entry in instrument.strategy.entries:
        serving = tuple(
            sub.code
            for sub in instrument.sub_competencies
            if sub.code in asked and sub.serves(entry.code)
        )
        rows.append(
            Coverage(
                entry=entry.code,
                kind=entry.kind,
                scored=entry.scored,
                domain=domains.get(entry.code),
                sub_competencies=serving,
                scenarios=sum(asked.count(sub) for sub in serving),
            )
        )
    return tuple(rows)
