"""What trainers read of a group: figures computed from noised counts, and from nothing else.

Every figure is a ratio of sums over noised cells, R = Σ v·x / Σ x, where x is the count of a cell
and v what an answer in it is worth. Its variance is the sum of two terms (delta method; Särndal,
Swensson & Wretman 1992, §5.6):

- noise: Σ (v − R)²·σ² / (Σ x)², σ² being the known variance of each cell's noise;
- sampling: [Σ x·(v − R)² / Σ x] / Σ x, times the design effect 1 + (m − 1)ρ of m answers taken
  from each person (Kish 1965, §5.4), because the answers of one person resemble each other, which
  tables of single answers cannot show. ρ is therefore assumed, on the high side.

Intervals are of 95 %. Shares use the adjusted interval of Agresti & Coull 1998 (two successes and
two failures added), to which the noise is added. A figure that cannot be said carries its reason.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assessments.cohort.counts import (
    DEEDS,
    NO,
    NO_CONFIDENCE,
    YES,
    Deed,
    Grade,
    LevelOutcome,
    Table,
    confidence_cell,
)
from assessments.cohort.disclosure import (
    Part,
    Release,
    Share,
    Union,
    noise_variance,
    printed,
)
from assessments.cohort.rounding import whole
from assessments.instrument.comparison import FEWEST_COMMON, common_scenarios
from assessments.instrument.document import DONT_KNOW_CONFIDENCE, Instrument, Scenario, digest
from assessments.scoring.outcomes import CONFIDENT_FROM
from assessments.scoring.sheet import DONT_KNOW

ERROR = 0.05
"""What a 95 % interval misses."""
PSEUDO = 2.0
"""Successes, and failures, added to a share before its interval is taken."""
SCENARIO_ICC = 0.20
"""ρ between two scenarios answered by one person. The nearest published test of knowledge (GLAT: α
= .80 with 20 items, Jin et al. 2025) implies .17 by the Spearman–Brown formula; .20 is α = .67 for
a domain of eight."""
RATING_ICC = 0.30
"""ρ between two ratings by one person, of themselves or of how sure they are; α = .93 with 31 items
(SNAIL, Laupichler et al. 2023) implies .30."""
NOTABLE_UNSAFE = 20
"""The points from which the share of an unsafe choice is brought forward. No significance is asked:
to teach a danger that fewer chose costs little, to miss one costs more."""

Floats = NDArray[np.float64]
TableKind = Literal["levels", "credits", "options", "confidence", "self_ratings", "steps", "deeds"]


class Withheld(StrEnum):
    """Why a figure is not said."""

    TOO_FEW_PEOPLE = "too_few_people"
    """A block of the group is too small to carry this part."""
    TOO_FEW_ANSWERS = "too_few_answers"
    """By the noised counts, less than half of the group answered: a figure would be theirs, not
    the group's. In the smallest blocks, the noise alone may do this."""
    TOO_FEW_COMMON = "too_few_common"
    """Two versions have too few situations in common in this domain."""
    NOT_ASKED = "not_asked"
    """The form asks nothing of it."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval, in the unit its function says."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a group: either an estimate, or the reason why there is none."""

    code: str
    """What it is about: a domain, a sub-competency, a scenario, an option, a step."""
    n: int
    """The group has at least so many people."""
    estimate: Estimate | None = None
    withheld: Withheld | None = None

    def __post_init__(self) -> None:
        if (self.estimate is None) == (self.withheld is None):
            raise ValueError(f"{self.code}: an estimate or a reason, not both")

    @property
    def share(self) -> Share | None:
        """The estimate as printed, where it is a share."""
        return None if self.estimate is None else printed(self.estimate.value, self.n)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a group divides between the cells of one table; the estimates sum to 1."""

    code: str
    n: int
    shares: tuple[Figure, ...]
    withheld: Withheld | None = None


class Standing(StrEnum):
    """A sub-competency against the mean of all others."""

    NEEDIER = "needier"
    ALIKE = "alike"
    """The data cannot tell."""
    STRONGER = "stronger"


@dataclass(frozen=True, slots=True)
class Need:
    """The place of a sub-competency when the weakest comes first."""

    result: Figure
    """Mean credit, 0 to 100."""
    domain: str
    rank: int | None
    """From 1, the weakest; None where the result is withheld."""
    first: int | None
    """The ranks it may really have, from ``first`` to ``last``, with 95 % confidence."""
    last: int | None
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Unsafe:
    """How many chose an option of a scenario that could harm."""

    scenario: str
    sub_competency: str
    options: tuple[str, ...]
    share: Figure


class Claim(StrEnum):
    OVER = "over"
    UNDER = "under"
    WITHIN = "within"
    """Within the margin of error."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Confidence beside results over all answers of the group, "I don't know" included."""

    confidence: Figure
    """Mean confidence, 0 to 1."""
    accuracy: Figure
    """Share of best options, 0 to 1."""
    bias: Figure
    """Confidence minus accuracy, −1 to 1; above 0 is over-confident."""
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of two releases in a domain: after minus before, in points of 0 to 100."""

    difference: Figure
    effect: float | None
    """The difference in standard deviations of people's scores (Cohen's d). These are derived with
    the assumed ρ, on the high side, so that the effect is rather too small than too large."""
    changed: bool | None
    """Whether the interval, as it is printed in whole points, excludes no change."""
    same_form: bool
    """Otherwise the difference is also that of the two forms' difficulty."""


@dataclass(frozen=True, slots=True)
class Group:
    """What was published of some people, with the instrument they answered.

    ValueError if the releases are of another instrument.
    """

    instrument: Instrument
    published: Union

    def __post_init__(self) -> None:
        if self.published.sums[0].instrument_digest != digest(self.instrument):
            raise ValueError("the releases are of another instrument")

    @property
    def n(self) -> int:
        """At least so many people."""
        return self.published.at_least

    @property
    def form(self) -> str:
        return self.published.sums[0].form

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        return self.instrument.scenarios_of(self.form)


# --- Figures --------------------------------------------------------------------------------------


def level_distributions(group: Group) -> tuple[Distribution, ...]:
    """Per domain, the shares of people by :class:`LevelOutcome`, without those who have none."""
    codes = [outcome.code for outcome in LevelOutcome if outcome is not LevelOutcome.NONE]
    return tuple(
        _distribution(group, Part.LEVELS, "levels", domain.code, codes)
        for domain in group.instrument.domains
    )


def domain_means(group: Group, icc: float = SCENARIO_ICC) -> tuple[Figure, ...]:
    """Per domain, the mean credit of its scenarios, 0 to 100."""
    return tuple(
        _result(group, domain.code, _in_domain(group, domain.code), icc)
        for domain in group.instrument.domains
    )


def needs(group: Group, icc: float = SCENARIO_ICC) -> tuple[Need, ...]:
    """The sub-competencies by mean credit, the weakest first, those withheld last.

    Two sub-competencies are told apart, or one from the rest, where the interval of their
    difference excludes 0, with Bonferroni's correction for all the comparisons made; ranks are then
    bounded by the sub-competencies surely weaker and surely stronger (Mogstad, Romano, Shaikh &
    Wilhelm 2024, doi 10.1093/restud/rdad006). The answers of one person to two of them resemble
    each other, so differences are really surer than this says.
    """
    domains = {sub.code: sub.domain for sub in group.instrument.sub_competencies}
    figures = {code: _result(group, code, [code], icc) for code in domains}
    ratios = {
        code: _ratio(_credits(group, [code]), _per_person(group, [code]), icc)
        for code, figure in figures.items()
        if figure.estimate is not None
    }
    order = sorted(ratios, key=lambda code: ratios[code].value)
    pairs, rest = _z(max(1, len(order) - 1)), _z(max(1, len(order)))
    found = []
    for rank, code in enumerate(order, start=1):
        others = [other for other in order if other != code]
        weaker = sum(_beyond(ratios[code], ratios[other], pairs) for other in others)
        stronger = sum(_beyond(ratios[other], ratios[code], pairs) for other in others)
        standing = Standing.ALIKE
        if others:
            mean = _ratio(_credits(group, others), _per_person(group, others), icc)
            if _beyond(mean, ratios[code], rest):
                standing = Standing.NEEDIER
            elif _beyond(ratios[code], mean, rest):
                standing = Standing.STRONGER
        place = (rank, 1 + weaker, len(order) - stronger)
        found.append(Need(figures[code], domains[code], *place, standing))
    for code, figure in figures.items():
        if figure.estimate is None:
            found.append(Need(figure, domains[code], None, None, None, None))
    return tuple(found)


def option_shares(group: Group) -> tuple[Distribution, ...]:
    """Per scenario, the shares of its options and of "I don't know" among those who answered."""
    return tuple(
        _distribution(
            group,
            Part.SCENARIOS,
            "options",
            scenario.code,
            [*(option.code for option in scenario.options), DONT_KNOW],
        )
        for scenario in group.scenarios
    )


def unsafe_choices(group: Group) -> tuple[Unsafe, ...]:
    """The scenarios that have unsafe options, the most chosen first.

    The share is the sum of the options' as :func:`option_shares` gives them.
    """
    found = []
    for scenario, distribution in zip(group.scenarios, option_shares(group), strict=True):
        unsafe = tuple(option.code for option in scenario.options if option.unsafe)
        if not unsafe:
            continue
        figure = _sum(group, "options", distribution, unsafe)
        found.append(Unsafe(scenario.code, scenario.sub_competency, unsafe, figure))
    return tuple(sorted(found, key=lambda item: _descending(item.share)))


def notable(share: Share) -> bool:
    """Whether an unsafe choice of this share is brought forward: by what is printed, whatever lies
    behind it."""
    return share.points >= NOTABLE_UNSAFE


def confident_errors(group: Group) -> tuple[Figure, ...]:
    """Per scenario, the share of those who answered that were wrong and sure of it, greatest
    first."""
    sure = {
        level.code
        for level in group.instrument.confidence_scale
        if level.probability >= CONFIDENT_FROM
    }
    values = {
        cell: float(level in sure and grade is Grade.WRONG)
        for cell, level, grade in _confidence_cells(group.instrument)
    } | {DONT_KNOW: 0.0}
    figures = (
        _share(group, Part.SCENARIOS, "confidence", scenario.code, values)
        for scenario in group.scenarios
    )
    return tuple(sorted(figures, key=_descending))


def calibration(group: Group, icc: float = SCENARIO_ICC) -> Calibration:
    """Calibration over all scenarios and people; answers without a confidence do not count.

    As for one person (:func:`assessments.scoring.calibration.calibrate`), "I don't know" stands as
    a guess that failed, and over-confidence is claimed only if the answers given say it alone.
    What is claimed is what the intervals show as they are printed.
    """
    probability = {level.code: level.probability for level in group.instrument.confidence_scale}
    given = [
        (cell, probability[level], float(grade is Grade.BEST))
        for cell, level, grade in _confidence_cells(group.instrument)
        if level in probability
    ]
    every = [*given, (DONT_KNOW, DONT_KNOW_CONFIDENCE, 0.0)]
    scenarios = [item.code for item in group.scenarios]

    def figure(
        code: str, worth: Iterable[tuple[str, float]], icc: float = icc, lowest: float = 0.0
    ) -> Figure:
        cells = _cells(group, "confidence", scenarios, dict(worth))
        return _mean(group, Part.SCENARIOS, code, cells, len(scenarios), icc, lowest)

    bias = figure("bias", ((cell, sure - right) for cell, sure, right in every), lowest=-1.0)
    alone = figure("bias", ((cell, sure - right) for cell, sure, right in given), lowest=-1.0)
    claim = None
    if bias.estimate is not None:
        claim = Claim.WITHIN
        side = _side(bias.estimate, 100.0)
        if side < 0:
            claim = Claim.UNDER
        elif side > 0 and alone.estimate is not None and _side(alone.estimate, 100.0) > 0:
            claim = Claim.OVER
    return Calibration(
        figure("confidence", ((cell, sure) for cell, sure, _right in every), RATING_ICC),
        figure("accuracy", ((cell, right) for cell, _sure, right in every)),
        bias,
        claim,
    )


def self_ratings(group: Group, icc: float = RATING_ICC) -> tuple[Figure, ...]:
    """Per domain, the mean self-rating as a percentage of the scale, 100·(mean − 1)/(points − 1)
    (POMP; Cohen, Cohen, Aiken & West 1999). It stands beside the result, never mixed into it."""
    scale = group.instrument.self_rating_scale
    worth = {point.code: place / (len(scale) - 1) for place, point in enumerate(scale)}
    found = []
    for domain in group.instrument.domains:
        subs = set(_in_domain(group, domain.code))
        codes = [item.code for item in group.instrument.self_ratings if item.sub_competency in subs]
        cells = _cells(group, "self_ratings", codes, worth)
        found.append(
            _mean(group, Part.SELF_RATINGS, domain.code, cells, len(codes), icc, unit=100.0)
        )
    return tuple(found)


def steps_chosen(group: Group) -> tuple[Figure, ...]:
    """Per next step, the share of people who chose it, most chosen first."""
    figures = (
        _share(group, Part.STEPS, "steps", step.code, {YES: 1.0, NO: 0.0})
        for step in group.instrument.next_steps
    )
    return tuple(sorted(figures, key=_descending))


def deeds(group: Group, threshold: int) -> Distribution | None:
    """What became of the steps chosen before, among those followed up; None where none was asked.

    Whoever has brought no resume code was asked nothing: the shares are of steps, not of people,
    and said where the steps are as many as the people whom a block needs to carry them, of a
    threshold of ``threshold``.
    """
    if not any(release.deeds for release in group.published.sums):
        return None
    codes = [str(deed) for deed in Deed]
    return _distribution(
        group, Part.DEEDS, "deeds", DEEDS, codes, fewest=Part.DEEDS.blocks * threshold
    )


def changes(before: Group, after: Group, icc: float = SCENARIO_ICC) -> tuple[Change, ...]:
    """Per domain, the change of the group between two phases: each phase as it was released.

    Who answered both times is not known, so the two are taken as independent: people resemble
    themselves, and the interval is wide rather than narrow. The standard deviation of scores
    behind the effect size is V·(1 + (m − 1)ρ)/m, V the variance of single answers.

    ValueError if the two are not of the same instrument version.
    """
    if before.instrument != after.instrument:
        raise ValueError("a change is measured with one instrument version")
    found = []
    for old, new in zip(domain_means(before, icc), domain_means(after, icc), strict=True):
        n, same_form = min(before.n, after.n), before.form == after.form
        if reason := old.withheld or new.withheld:
            found.append(Change(Figure(old.code, n, withheld=reason), None, None, same_form))
            continue
        first, second = (
            _ratio(_credits(group, subs), _per_person(group, subs), icc)
            for group in (before, after)
            for subs in [_in_domain(group, old.code)]
        )
        found.append(_change(old.code, n, first, second, same_form))
    return tuple(found)


def _change(code: str, n: int, first: _Ratio, second: _Ratio, same_form: bool) -> Change:
    difference = second.value - first.value
    margin = _z() * math.sqrt(first.variance + second.variance)
    spread = math.sqrt((first.between_people + second.between_people) / 2)
    estimate = Estimate(100 * difference, 100 * (difference - margin), 100 * (difference + margin))
    effect = difference / spread if spread else None
    return Change(Figure(code, n, estimate), effect, _side(estimate) != 0, same_form)


@dataclass(frozen=True, slots=True)
class CommonChange:
    """A :class:`Change` between two versions, and the means of the situations in common."""

    change: Change
    before: Figure
    after: Figure
    common: int
    """How many scenarios of the domain both groups were asked, in the same words and key."""


def common_changes(
    before: Group, after: Group, icc: float = SCENARIO_ICC
) -> tuple[CommonChange, ...]:
    """Per domain of the later version, the change through the scenarios in common alone.

    It is read from the options of these scenarios, as they were released: where a release holds
    them back, so does this. ValueError if the two are not of one instrument.
    """
    if before.instrument.code != after.instrument.code:
        raise ValueError("a change is measured with one instrument")
    alike = common_scenarios(before.instrument, after.instrument)
    asked = alike & {item.code for item in before.scenarios}
    n = min(before.n, after.n)
    found = []
    for domain in after.instrument.domains:
        subs = set(_in_domain(after, domain.code))
        items = [
            item for item in after.scenarios if item.code in asked and item.sub_competency in subs
        ]
        cells = [_chosen(group, items) for group in (before, after)]
        old, new = (
            _on_common(group, domain.code, held, len(items), icc)
            for group, held in zip((before, after), cells, strict=True)
        )
        if reason := old.withheld or new.withheld:
            change = Change(Figure(domain.code, n, withheld=reason), None, None, same_form=True)
        else:
            first, second = (_ratio(held, len(items), icc) for held in cells)
            change = _change(domain.code, n, first, second, same_form=True)
        found.append(CommonChange(change, old, new, len(items)))
    return tuple(found)


def _chosen(group: Group, items: Iterable[Scenario]) -> _Cells:
    """The answers to these scenarios by option, worth their credit."""
    return _gathered(
        row for item in items for row in _cells_of(group, "options", item.code, _worth(item))
    )


def _on_common(group: Group, code: str, cells: _Cells, common: int, icc: float) -> Figure:
    if common < FEWEST_COMMON:
        return Figure(code, group.n, withheld=Withheld.TOO_FEW_COMMON)
    return _mean(group, Part.SCENARIOS, code, cells, common, icc, unit=100.0)


# --- Cells ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells of some tables, side by side: worth of an answer, noised count, variance of noise."""

    values: Floats
    counts: Floats
    variances: Floats

    @property
    def answers(self) -> float:
        return float(self.counts.sum())


def _tables(release: Release, kind: TableKind) -> Mapping[str, Table]:
    return {table.code: table for table in getattr(release, kind) or ()}


def _gathered(cells: Iterable[tuple[float, int, float]]) -> _Cells:
    values, counts, variances = np.array(list(cells), dtype=float).reshape(-1, 3).T
    return _Cells(values, counts, variances)


def _rows(
    release: Release, kind: TableKind, code: str, worth: Mapping[str, float]
) -> Iterable[tuple[float, int, float]]:
    """The cells of one table that are worth something, and what they are worth."""
    table = _tables(release, kind).get(code)
    if table is None:  # the part is withheld
        return ()
    variance = release.blocks * noise_variance(release.epsilon / table.answers)
    return ((worth[cell], size, variance) for cell, size in table.cells if cell in worth)


def _cells(
    group: Group, kind: TableKind, codes: Iterable[str], worth: Mapping[str, float]
) -> _Cells:
    return _gathered(row for code in codes for row in _cells_of(group, kind, code, worth))


def _cells_of(
    group: Group, kind: TableKind, code: str, worth: Mapping[str, float]
) -> Iterator[tuple[float, int, float]]:
    for release in group.published.sums:
        yield from _rows(release, kind, code, worth)


def _worth(scenario: Scenario) -> dict[str, float]:
    """What each answer to a scenario earns."""
    return {option.code: option.credit for option in scenario.options} | {DONT_KNOW: 0.0}


def _credits(group: Group, subs: Iterable[str]) -> _Cells:
    """The answered cells of sub-competencies, worth their credit.

    They are read from the options of the scenarios where a release has them, and from its tables
    of credits where it does not.
    """
    subs = set(subs)
    graded = {str(grade): grade.credit for grade in Grade}
    rows: list[tuple[float, int, float]] = []
    for release in group.published.sums:
        if release.options is None:
            for code in _tables(release, "credits").keys() & subs:
                rows += _rows(release, "credits", code, graded)
            continue
        for item in group.scenarios:
            if item.sub_competency in subs:
                rows += _rows(release, "options", item.code, _worth(item))
    return _gathered(rows)


def _in_domain(group: Group, domain: str) -> list[str]:
    return [sub.code for sub in group.instrument.sub_competencies_of(domain)]


def _per_person(group: Group, subs: Iterable[str]) -> int:
    """How many scenarios of these sub-competencies one person is asked."""
    subs = set(subs)
    return sum(item.sub_competency in subs for item in group.scenarios)


def _confidence_cells(instrument: Instrument) -> list[tuple[str, str, Grade]]:
    """Every cell a confidence table may have, with its level and its grade."""
    levels = [NO_CONFIDENCE, *(level.code for level in instrument.confidence_scale)]
    return [(confidence_cell(level, grade), level, grade) for level in levels for grade in Grade]


# --- Estimates ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ratio:
    value: float
    variance: float
    between_people: float
    """The variance of the means of people."""


def _z(comparisons: int = 1) -> float:
    """The normal quantile of a two-sided 95 % interval, shared between comparisons."""
    return NormalDist().inv_cdf(1 - ERROR / (2 * comparisons))


def _ratio(cells: _Cells, per_person: int, icc: float) -> _Ratio:
    """The mean worth of an answer, of ``per_person`` that each person gives; see the module."""
    answers = cells.answers
    value = float(cells.values @ cells.counts) / answers
    squares = (cells.values - value) ** 2
    single = float(squares @ cells.counts.clip(min=0)) / answers
    effect = 1 + (per_person - 1) * icc
    noise = float(squares @ cells.variances) / answers**2
    return _Ratio(value, single * effect / answers + noise, single * effect / per_person)


def _beyond(high: _Ratio, low: _Ratio, z: float) -> bool:
    """Whether one mean is surely above another."""
    return high.value - low.value > z * math.sqrt(high.variance + low.variance)


def _side(difference: Estimate, unit: float = 1.0) -> int:
    """On which side of 0 the interval of a difference lies as it is printed, in whole points once
    multiplied by ``unit``: 1 above, −1 below, 0 where it holds 0."""
    return int(whole(unit * difference.lower) > 0) - int(whole(unit * difference.upper) < 0)


def _reason(
    group: Group, part: Part, cells: _Cells, per_person: int = 1, fewest: float | None = None
) -> Withheld | None:
    """Why nothing is said; None if it can be. ``fewest`` answers are needed, by default half of
    those that the group was asked for."""
    if not per_person:
        return Withheld.NOT_ASKED
    if part not in group.published.parts:
        return Withheld.TOO_FEW_PEOPLE
    # Allowing for the noise, or it would by itself silence small groups that all answered.
    needed = group.n * per_person / 2 if fewest is None else fewest
    if cells.answers + math.sqrt(cells.variances.sum()) < needed:
        return Withheld.TOO_FEW_ANSWERS
    return None


def _mean(
    group: Group,
    part: Part,
    code: str,
    cells: _Cells,
    per_person: int,
    icc: float,
    lowest: float = 0.0,
    unit: float = 1.0,
) -> Figure:
    """The mean worth of answers worth ``lowest`` to 1, times ``unit``."""
    if reason := _reason(group, part, cells, per_person):
        return Figure(code, group.n, withheld=reason)
    ratio = _ratio(cells, per_person, icc)
    margin = _z() * math.sqrt(ratio.variance)
    ends = (ratio.value, ratio.value - margin, ratio.value + margin)
    value, lower, upper = (unit * min(max(end, lowest), 1.0) for end in ends)
    return Figure(code, group.n, Estimate(value, lower, upper))


def _result(group: Group, code: str, subs: Sequence[str], icc: float) -> Figure:
    """The mean credit over some sub-competencies, 0 to 100."""
    per_person = _per_person(group, subs)
    return _mean(group, Part.NEEDS, code, _credits(group, subs), per_person, icc, unit=100.0)


def _share(
    group: Group, part: Part, kind: TableKind, code: str, worth: Mapping[str, float]
) -> Figure:
    """The share of people in the cells worth 1, among those in the cells of ``worth``."""
    cells = _cells(group, kind, [code], worth)
    if reason := _reason(group, part, cells):
        return Figure(code, group.n, withheld=reason)
    share = float(cells.values @ cells.counts) / cells.answers
    return Figure(code, group.n, _share_estimate(cells, min(max(share, 0.0), 1.0)))


def _share_estimate(cells: _Cells, share: float) -> Estimate:
    """A share with its interval, which always contains it."""
    answers = cells.answers + 2 * PSEUDO
    hits = min(max(float(cells.values @ cells.counts), 0.0), cells.answers)
    middle = (hits + PSEUDO) / answers
    noise = float((cells.values - middle) ** 2 @ cells.variances) / answers**2
    margin = _z() * math.sqrt(middle * (1 - middle) / answers + noise)
    lower, upper = max(middle - margin, 0.0), min(middle + margin, 1.0)
    return Estimate(share, min(lower, share), max(upper, share))


def _distribution(
    group: Group,
    part: Part,
    kind: TableKind,
    code: str,
    cells: Sequence[str],
    fewest: float | None = None,
) -> Distribution:
    found = [
        _cells(group, kind, [code], {other: float(other == cell) for other in cells})
        for cell in cells
    ]
    if reason := _reason(group, part, found[0], fewest=fewest):
        figures = tuple(Figure(cell, group.n, withheld=reason) for cell in cells)
        return Distribution(code, group.n, figures, reason)
    raw = np.array([float(one.values @ one.counts) / one.answers for one in found])
    return Distribution(
        code,
        group.n,
        tuple(
            Figure(cell, group.n, _share_estimate(one, float(share)))
            for cell, one, share in zip(cells, found, nearest_distribution(raw), strict=True)
        ),
    )


def _sum(
    group: Group, kind: TableKind, distribution: Distribution, chosen: Collection[str]
) -> Figure:
    """The share of several cells of a distribution, together."""
    if distribution.withheld:
        return Figure(distribution.code, group.n, withheld=distribution.withheld)
    worth = {figure.code: float(figure.code in chosen) for figure in distribution.shares}
    share = math.fsum(
        figure.estimate.value
        for figure in distribution.shares
        if figure.estimate and figure.code in chosen
    )
    cells = _cells(group, kind, [distribution.code], worth)
    return Figure(distribution.code, group.n, _share_estimate(cells, min(share, 1.0)))


def nearest_distribution(shares: Floats) -> Floats:
    """The distribution nearest to noisy shares: none below 0, sum 1 (Euclidean projection; Duchi,
    Shalev-Shwartz, Singer & Chandra 2008, doi 10.1145/1390156.1390191)."""
    ordered = np.sort(shares)[::-1]
    excess = (np.cumsum(ordered) - 1) / np.arange(1, len(shares) + 1)
    nearest: Floats = (shares - excess[ordered > excess][-1]).clip(min=0)
    return nearest


def _descending(figure: Figure) -> float:
    """Sorts the greatest first and what is withheld last."""
    return math.inf if figure.estimate is None else -figure.estimate.value
