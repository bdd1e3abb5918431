"""The national strategy as a form of the instrument meets it, on the day it is looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from assessments.instrument.checking import to_check_since
from assessments.instrument.document import (
    Instrument,
    Scenario,
    Source,
    Strategy,
    StrategyElement,
    StrategyEntry,
    SubCompetency,
)

KINDS: tuple[Literal["goal", "priority", "pillar"], ...] = ("goal", "priority", "pillar")


@dataclass(frozen=True, slots=True)
class Touch:
    """What of one form is about one part of the strategy."""

    form: str
    """The form, or its edition of the day."""
    scenarios: int
    overdue: int
    """How many of them are past their review on the day."""


@dataclass(frozen=True, slots=True)
class Line[Part: (StrategyEntry, StrategyElement)]:
    """A goal, priority, pillar or named element, and where the instrument touches it."""

    part: Part
    sources: tuple[Source, ...]
    sub_competencies: tuple[SubCompetency, ...]
    touches: tuple[Touch, ...]
    """One for each form, as it is served on the day."""
    since: date | None
    """Since when it is to be checked again; None where its last check still holds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The goals, the priorities or the pillars."""

    kind: Literal["goal", "priority", "pillar"]
    lines: tuple[Line[StrategyEntry], ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """Those of all its entries, each once, in their order."""
        return tuple(
            {source.code: source for line in self.lines for source in line.sources}.values()
        )


@dataclass(frozen=True, slots=True)
class StrategyMap:
    """The whole strategy on a day."""

    strategy: Strategy
    forms: tuple[str, ...]
    since: date | None
    """Since when the map is to be checked again."""
    entries: tuple[Line[StrategyEntry], ...]
    elements: tuple[Line[StrategyElement], ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The entries by kind, without the kinds that have none."""
        found = (
            Kind(kind, tuple(line for line in self.entries if line.part.kind == kind))
            for kind in KINDS
        )
        return tuple(kind for kind in found if kind.lines)


def strategy_map(instrument: Instrument, day: date) -> StrategyMap:
    """The strategy as every form touches it, in the strategy's order."""
    strategy = instrument.strategy
    served = {form: _served(instrument, form, day) for form in instrument.forms}

    def line[Part: (StrategyEntry, StrategyElement)](
        part: Part, codes: Collection[str], since: date | None
    ) -> Line[Part]:
        return Line(
            part=part,
            sources=tuple(instrument.source(code) for code in part.sources),
            sub_competencies=tuple(sub for sub in instrument.sub_competencies if sub.code in codes),
            touches=tuple(touch(form, scenarios, codes, day) for form, scenarios in served.items()),
            since=since,
        )

    return StrategyMap(
        strategy=strategy,
        forms=instrument.forms,
        since=to_check_since(strategy.as_of, day),
        entries=tuple(
            line(entry, _serving(instrument, entry), to_check_since(strategy.as_of, day))
            for entry in strategy.entries
        ),
        elements=tuple(
            line(element, element.sub_competencies, element_since(strategy, element, day))
            for element in strategy.elements
        ),
    )


def element_since(strategy: Strategy, element: StrategyElement, day: date) -> date | None:
    """Since when an element is to be checked again.

    Its ``as_of`` is the date of the latest source, most often older than the check of the map;
    it counts where it is later, for then the element was looked at again alone.
    """
    return to_check_since(max(strategy.as_of, element.as_of), day)


def touch(form: str, scenarios: Iterable[Scenario], codes: Collection[str], day: date) -> Touch:
    """What of the scenarios of a form is about some sub-competencies."""
    mine = [item for item in scenarios if item.sub_competency in codes]
    return Touch(form, len(mine), sum(item.review_by < day for item in mine))


def _served(instrument: Instrument, form: str, day: date) -> tuple[Scenario, ...]:
    return instrument.scenarios_of(instrument.edition(form, day))


def _serving(instrument: Instrument, entry: StrategyEntry) -> set[str]:
    return {sub.code for sub in instrument.sub_competencies if sub.serves(entry.code)}
