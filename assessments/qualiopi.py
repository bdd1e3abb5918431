"""The file that a training body shows its auditor: indicators 8 and 11 of the RNQ.

It says how positioning and attainment are measured with this instrument, when it was done, and
what was published of the group; it is made of releases alone, like everything a trainer reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from .cohort_results import DomainResult, NeedResult, Results
from .instrument.document import Domain, Instrument

RNQ = Path(__file__).resolve().parent / "rnq.yaml"
FIRST_NEEDS = 3
"""Competencies named where none is surely weaker than the rest."""


class Guide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The edition of the reading guide that is quoted."""

    title: str
    version: str
    published_on: date
    checked_on: date
    reading: str
    announced: str
    """The version to come, of which nothing is quoted."""


class Indicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    wording: str
    """In French, as it stands in the guide."""


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    guide: Guide
    indicators: tuple[Indicator, ...]


msgspec.json.Decoder(Framework)  # at once: see instrument.document


@cache
def framework() -> Framework:
    return msgspec.yaml.decode(RNQ.read_bytes(), type=Framework)


class State(StrEnum):
    """What has become of a moment."""

    PLANNED = "planned"
    OPEN = "open"
    PUBLISHING = "publishing"
    TOO_FEW = "too-few"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which the group was to answer."""

    kind: str
    label: str
    opens_on: date
    closed_on: date | None
    version: str
    form: str
    digest: str
    """SHA-256 of the instrument's version."""
    state: State
    results: Results | None
    """Where something is published."""

    def __post_init__(self) -> None:
        if (self.results is not None) != (self.state is State.PUBLISHED):
            raise ValueError(f"{self.kind}: results where, and only where, they are published")

    @property
    def published_on(self) -> date | None:
        return max(block.day for block in self.results.made) if self.results else None


@dataclass(frozen=True, slots=True)
class DomainLine:
    """A domain at every moment that is published, in their order."""

    domain: Domain
    results: tuple[DomainResult | None, ...]
    """None where the moment's version has no such domain."""


@dataclass(frozen=True, slots=True)
class AuditFile:
    """The file of a cohort of which at least one moment is published."""

    cohort: str
    simulated: bool
    threshold: int
    moments: tuple[Moment, ...]
    """In the order of a training."""
    framework: Framework

    @property
    def published(self) -> tuple[Moment, ...]:
        return tuple(moment for moment in self.moments if moment.results)

    @property
    def instrument(self) -> Instrument:
        """The latest that the group answered."""
        return self._results[-1].instrument

    @property
    def domains(self) -> tuple[DomainLine, ...]:
        return tuple(
            DomainLine(
                domain,
                tuple(
                    next((item for item in found.domains if item.domain.code == domain.code), None)
                    for found in self._results
                ),
            )
            for domain in self.instrument.domains
        )

    @property
    def entry(self) -> Results | None:
        """What was published of the positioning at entry."""
        return next((m.results for m in self.moments if m.kind == "before" and m.results), None)

    @property
    def to_teach(self) -> tuple[NeedResult, ...]:
        """What the positioning brings forward: the surely weaker, or the first of the order."""
        if self.entry is None:
            return ()
        known = (item for item in self.entry.needs if item.need.result.estimate)
        return self.entry.neediest or tuple(known)[:FIRST_NEEDS]

    @property
    def compared(self) -> tuple[Moment, ...]:
        """The moments of which a change is known, or is said not to be."""
        return tuple(
            moment
            for moment in self.published
            if moment.results and (moment.results.changes or moment.results.incomparable)
        )

    @property
    def withheld(self) -> bool:
        """Whether a block was too small for all that could be said."""
        return any(found.scenarios_withheld for found in self._results)

    @property
    def _results(self) -> tuple[Results, ...]:
        return tuple(moment.results for moment in self.moments if moment.results)


def audit_file(
    cohort: str, moments: Iterable[Moment], *, simulated: bool, threshold: int
) -> AuditFile:
    """ValueError unless a moment is published."""
    made = AuditFile(cohort, simulated, threshold, tuple(moments), framework())
    if not made.published:
        raise ValueError("nothing is published of this cohort")
    return made
