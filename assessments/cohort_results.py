"""The results of a group: one value made of its releases, shown as a page, printed, exported.

It receives what was published and nothing else, so whatever is shown downstream of it is a
function of noised counts. Labels are in the language that is active when it is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from . import charts, cohort_charts
from .cohort import disclosure, statistics
from .cohort.disclosure import Part, Share, Union
from .cohort.statistics import Calibration, Distribution, Figure, Group, Need, Standing
from .instrument.document import Domain, Instrument, Scenario, SubCompetency, by_code
from .scoring.intervals import Interval
from .scoring.scores import chance_line
from .templatetags.readiness import told

MOST = 8
"""How many shares a list tells, the greatest first."""


@dataclass(frozen=True, slots=True)
class DomainResult:
    """Where the group stands in a domain."""

    domain: Domain
    mean: Figure
    """0 to 100."""
    rating: Figure
    """The mean self-rating, 0 to 100."""
    chance: float
    band: charts.Band
    levels: Distribution
    stack: tuple[cohort_charts.Segment, ...]


@dataclass(frozen=True, slots=True)
class NeedResult:
    need: Need
    sub_competency: SubCompetency
    domain: Domain


@dataclass(frozen=True, slots=True)
class ShareResult:
    """A share of the group and its interval, as they are printed."""

    label: str
    share: Share
    lower: Share
    upper: Share
    notable: bool
    """Whether it is brought forward."""
    scenario: Scenario | None

    @property
    def unsafe(self) -> tuple[str, ...]:
        """The texts of the scenario's unsafe options."""
        options = self.scenario.options if self.scenario else ()
        return tuple(told(option.text) for option in options if option.unsafe)


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares as a chart and as a table, the greatest first."""

    items: tuple[ShareResult, ...]
    chart: cohort_charts.Rows
    rest: int
    """How many more there are, each no greater than the last told."""

    @property
    def notable(self) -> tuple[ShareResult, ...]:
        return tuple(item for item in self.items if item.notable)


@dataclass(frozen=True, slots=True)
class Made:
    """A block as it was published."""

    day: date
    at_least: int
    digest: str


@dataclass(frozen=True, slots=True)
class Results:
    instrument: Instrument
    form: str
    threshold: int
    """People that a block needs."""
    at_least: int
    made: tuple[Made, ...]
    parts: frozenset[Part]
    domains: tuple[DomainResult, ...]
    needs: tuple[NeedResult, ...]
    needs_chart: cohort_charts.Rows
    calibration: Calibration
    calibration_chart: cohort_charts.Rows | None
    unsafe: Shares
    confident_errors: Shares
    steps: Shares

    @property
    def neediest(self) -> tuple[NeedResult, ...]:
        """The sub-competencies surely weaker than the rest."""
        return tuple(item for item in self.needs if item.need.standing is Standing.NEEDIER)

    @property
    def self_rated(self) -> bool:
        return any(item.rating.estimate for item in self.domains)

    @property
    def for_scenarios(self) -> int:
        """People that a block needs for shares by scenario."""
        return Part.SCENARIOS.blocks * self.threshold

    @property
    def scenarios_withheld(self) -> bool:
        return Part.SCENARIOS not in self.parts


def results_of(instrument: Instrument, union: Union, threshold: int) -> Results:
    """What may be read of a group. ValueError if the releases are of another instrument."""
    group = Group(instrument, union)
    needs = _needs(group)
    calibration = statistics.calibration(group)
    return Results(
        instrument=instrument,
        form=group.form,
        threshold=threshold,
        at_least=group.n,
        made=tuple(
            Made(release.day, release.at_least, disclosure.digest(release))
            for release in union.releases
        ),
        parts=union.parts,
        domains=_domains(group),
        needs=needs,
        needs_chart=cohort_charts.rows(
            cohort_charts.Mark(
                told(item.sub_competency.title),
                estimate.value,
                estimate.lower,
                estimate.upper,
                strong=item.need.standing is Standing.NEEDIER,
            )
            for item in needs
            if (estimate := item.need.result.estimate)
        ),
        calibration=calibration,
        calibration_chart=_calibration_chart(calibration),
        unsafe=_unsafe(group),
        confident_errors=_confident_errors(group),
        steps=_steps(group),
    )


def _domains(group: Group) -> tuple[DomainResult, ...]:
    made = []
    for domain, mean, levels, rated in zip(
        group.instrument.domains,
        statistics.domain_means(group),
        statistics.level_distributions(group),
        statistics.self_ratings(group),
        strict=True,
    ):
        subs = {sub.code for sub in group.instrument.sub_competencies_of(domain.code)}
        chance = chance_line(item for item in group.scenarios if item.sub_competency in subs)
        estimate, rating = mean.estimate, rated.rating.estimate
        band = charts.band(
            group.instrument.cuts,
            score=round(estimate.value) if estimate else None,
            interval=Interval(round(estimate.lower), round(estimate.upper)) if estimate else None,
            chance=chance,
            beside=round(rating.value) if rating else None,
        )
        stack = cohort_charts.stack(
            [(figure.code, figure.share) for figure in levels.shares if figure.share]
        )
        made.append(DomainResult(domain, mean, rated.rating, chance, band, levels, stack))
    return tuple(made)


def _needs(group: Group) -> tuple[NeedResult, ...]:
    subs, domains = by_code(group.instrument.sub_competencies), by_code(group.instrument.domains)
    return tuple(
        NeedResult(need, subs[need.result.code], domains[need.domain])
        for need in statistics.needs(group)
    )


def _calibration_chart(calibration: Calibration) -> cohort_charts.Rows | None:
    sure, right = calibration.confidence.estimate, calibration.accuracy.estimate
    if sure is None or right is None:
        return None
    return cohort_charts.rows(
        cohort_charts.Mark(label, 100 * item.value, 100 * item.lower, 100 * item.upper)
        for label, item in ((_("Sure of being right"), sure), (_("Really right"), right))
    )


def _unsafe(group: Group) -> Shares:
    scenarios = by_code(group.scenarios)
    found = (
        (unsafe.share, told(scenario.topic), scenario)
        for unsafe in statistics.unsafe_choices(group)
        for scenario in [scenarios[unsafe.scenario]]
    )
    return _shares(found, statistics.NOTABLE_UNSAFE)


def _confident_errors(group: Group) -> Shares:
    scenarios = by_code(group.scenarios)
    return _shares(
        (figure, told(scenario.topic), scenario)
        for figure in statistics.confident_errors(group)
        for scenario in [scenarios[figure.code]]
    )


def _steps(group: Group) -> Shares:
    steps = by_code(group.instrument.next_steps)
    return _shares(
        (figure, told(steps[figure.code].title), None) for figure in statistics.steps_chosen(group)
    )


def _shares(
    found: Iterable[tuple[Figure, str, Scenario | None]], notable_from: float = math.inf
) -> Shares:
    """Those that can be said; the least, and those printed at the low end, are only counted.

    What is brought forward is so by its share as printed, whatever lies behind it.
    """
    said = []
    for figure, label, scenario in found:
        if figure.estimate is None or figure.share is None:
            continue
        lower, upper = (
            disclosure.printed(end, figure.n)
            for end in (figure.estimate.lower, figure.estimate.upper)
        )
        notable = figure.share.points >= 100 * notable_from
        said.append(ShareResult(label, figure.share, lower, upper, notable, scenario))
    items = tuple(item for item in said if not item.share.low_end)[:MOST]
    chart = cohort_charts.rows(
        cohort_charts.Mark(
            item.label, item.share.points, item.lower.points, item.upper.points, item.notable
        )
        for item in items
    )
    return Shares(items, chart, len(said) - len(items))
