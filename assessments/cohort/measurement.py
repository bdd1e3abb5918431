"""Does it measure? Every claim of the report, tried on people whose truth is known.

People are drawn from the populations of :mod:`assessments.cohort.populations`, answer a form, and
are scored as :mod:`assessments.scoring` scores; what the report would say of each is compared with
what is true of them. A :class:`Figure` is one share, or one mean, with its Monte Carlo standard
error; :data:`SAID` is what the report says of it.

Whatever depends on few values (an interval, a level) is asked of the scoring itself, once for each
value met; the rest is computed by column, and the tests hold it equal to the scoring, sheet by
sheet.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from assessments.cohort.populations import (
    NOMINAL,
    POPULATIONS,
    Population,
    answered,
    credit,
    expected,
    sheets,
    spread,
)
from assessments.cohort.psychometrics import credits, form_quality, version_calibration
from assessments.cohort.simulation import Bytes, Floats
from assessments.instrument.document import DONT_KNOW_CONFIDENCE, Instrument, Scenario
from assessments.scoring.calibration import CLAIM_FROM
from assessments.scoring.change import RELIABLE_BEYOND
from assessments.scoring.intervals import TAIL, Z
from assessments.scoring.levels import NAMED_FROM, UNSAFE_CEILING, level_outcome
from assessments.scoring.scores import (
    OVERALL,
    VersionCalibration,
    believed,
    chance_line,
    effective_n,
)
from assessments.scoring.sheet import DONT_KNOW_BYTE, UNANSWERED_BYTE, layout

type Flags = NDArray[np.bool_]
type Whole = NDArray[np.intp]

BAND = 10
"""Points of true score in a band."""
BAND_MIN = 400
"""People without whom nothing is said of a band; of a small crowd, one in :data:`BAND_SHARE`."""
BAND_SHARE = 50
CALIBRATED_ON = {200: 20, 1000: 10}
"""Sheets of a calibration, and how many times at most one is made anew, each for its share of
people."""
FOR_ONE = 1000
"""People, at least, for one calibration."""
BATCHES = 20
"""Parts of a crowd whose differences give the error of what is not a share."""
GAINS = (10, 20, 30, 40)
"""True changes, in points, of which it is said how often they are seen; each ±5."""
MOST_GAIN = 3.0
"""The greatest change of readiness tried, in standard deviations."""
SKIPPING = 0.5
"""The share left unanswered by those who leave much."""


class Claim(StrEnum):
    """What the report says, or what one must know to judge it."""

    MEAN = "mean"
    """Mean score, in points."""
    SD = "sd"
    ALPHA = "alpha"
    OMEGA = "omega"
    SEM = "sem"
    """SD·√(1 − ω), in points."""
    TRUE_RELIABILITY = "true_reliability"
    """Variance of true scores over that of scores."""
    TRUE_ERROR = "true_error"
    """Root mean square of score minus true score, in points."""
    CHANCE = "chance"
    """What blind guessers earn minus the chance line, in points."""
    COVERAGE = "coverage"
    """Intervals that hold the true score."""
    COVERAGE_LEVEL = "coverage_level"
    """The same of those truly at one level: the least of the three."""
    COVERAGE_BAND = "coverage_band"
    """The same by bands of ten points of true score: the least."""
    COVERAGE_SKIPPED = "coverage_skipped"
    """The same where half the situations are left unanswered."""
    WIDTH = "width"
    """Mean width of the intervals, in points."""
    NAMED = "named"
    """Domains of which a level is named; of the others, two levels are."""
    WRONG = "wrong"
    """Of the levels named, those that are not the true one."""
    BOTH_WRONG = "both_wrong"
    """Of the pairs of levels named, those without the true one."""
    OVERRATED = "overrated"
    """Of those truly just below a level (five points at most), named at it or above."""
    UNDERRATED = "underrated"
    """Of those truly just within a level (five points at most), named below it."""
    CAPPED = "capped"
    """Of domains truly at the third level, those that an answer at risk keeps below."""
    GUESSER_ABOVE = "guesser_above"
    """Of blind guessers, intervals that lie wholly above the chance line."""
    GUESSER_NAMED = "guesser_named"
    """Of blind guessers, domains given the second level or the third."""
    CONFIDENCE_FINE = "confidence_fine"
    """Of the perfectly calibrated, who say the level nearest to what they know: over- or
    under-confidence claimed."""
    CONFIDENCE_COARSE = "confidence_coarse"
    """The same of those who say only the least level and the highest."""
    CONFIDENCE_SURE = "confidence_sure"
    """The same of those who always say the highest and are right as often as it says."""
    OVERCONFIDENT_SEEN = "overconfident_seen"
    """Of people 20 points surer than right: over-confidence claimed."""
    RATED_BESIDE = "rated_beside"
    """Of people whose self-rating is their true score: said to rate themselves higher or lower."""
    CHANGED = "changed"
    """Of people who have not changed: "more than chance"."""
    CHANGED_ANY = "changed_any"
    """The same, of at least one of the domains and the whole."""
    FORM_APART = "form_apart"
    """Mean true score on the second form minus that on the first, in points."""
    CHANGE_SEEN = "change_seen"
    """Of people who truly gained so many points: "more than chance"."""
    NEEDIEST = "neediest"
    """Of the three sub-competencies where answers show most need, those truly in the needier half;
    by chance, one in two."""


SAID: dict[Claim, tuple[float, float]] = {
    Claim.CHANCE: (0.0, 0.0),
    Claim.COVERAGE: (1 - 2 * TAIL, 1.0),
    Claim.COVERAGE_LEVEL: (1 - 2 * TAIL, 1.0),
    Claim.COVERAGE_BAND: (1 - 2 * TAIL, 1.0),
    Claim.COVERAGE_SKIPPED: (1 - 2 * TAIL, 1.0),
    Claim.WRONG: (0.0, 1 - NAMED_FROM),
    Claim.BOTH_WRONG: (0.0, 1 - NAMED_FROM),
    Claim.OVERRATED: (0.0, 1 - NAMED_FROM),
    Claim.UNDERRATED: (0.0, 1 - NAMED_FROM),
    Claim.GUESSER_ABOVE: (0.0, TAIL),
    Claim.GUESSER_NAMED: (0.0, TAIL),
    Claim.CONFIDENCE_FINE: (0.0, 2 * TAIL),
    Claim.CONFIDENCE_COARSE: (0.0, 2 * TAIL),
    Claim.CONFIDENCE_SURE: (0.0, 2 * TAIL),
    Claim.RATED_BESIDE: (0.0, 2 * TAIL),
    Claim.CHANGED: (0.0, 0.05),
}
"""Between what and what a figure must lie for the claim to hold. Others are told, not claimed."""
ONCE_CALIBRATED = {Claim.WRONG}
UNTIL_CALIBRATED = {Claim.OVERRATED, Claim.UNDERRATED}
"""Before a calibration, a level is named from the answers alone: those truly outside it are seldom
put there, however many they are. After, it takes in how many are at each level: of the levels
named, few are wrong."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a form."""

    form: str
    """A form, or two with ``>`` between: before and after."""
    population: str
    calibrated_on: int
    """Sheets that the version was calibrated on; 0 before any."""
    claim: Claim
    scale: str
    """A domain, the whole, or empty where the figure is of a person."""
    group: str
    """Of whom, where not of all: a level, a band, a gain. Otherwise empty."""
    value: float
    error: float
    """Monte Carlo standard error."""
    n: int
    """People it is of."""

    @property
    def holds(self) -> bool | None:
        """Whether it is where the report says, within three errors, since there are hundreds of
        figures; None where nothing is said."""
        if self.limits is None:
            return None
        low, high = self.limits
        return low - 3 * self.error <= self.value <= high + 3 * self.error

    @property
    def limits(self) -> tuple[float, float] | None:
        """Between what and what it must lie; None where nothing is said."""
        if self.claim in (UNTIL_CALIBRATED if self.calibrated_on else ONCE_CALIBRATED):
            return None
        # Of one level among those named, and of two forms, nothing is said: how hard a form is,
        # beside another, only real answers will tell.
        one_level = self.claim is Claim.WRONG and self.group
        first, _, second = self.form.partition(">")
        if one_level or (self.claim is Claim.CHANGED and first != second):
            return None
        return SAID.get(self.claim)


# --- Reading sheets by column ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scored:
    """What the scoring makes of ``n`` sheets. Scales are the domains, then the whole; a figure is
    not a number where nothing was answered."""

    score: Floats
    """``[n, scales]``"""
    sem: Floats
    lower: Floats
    upper: Floats
    levels: Whole
    """``[n, domains]``: 1, 2 or 3; 12 or 23 for two; 0 for none."""
    unsafe: Flags
    """``[n, domains]``"""


def scale_codes(instrument: Instrument) -> list[str]:
    return [*(domain.code for domain in instrument.domains), OVERALL]


def scored(
    instrument: Instrument,
    form: str,
    packed: Bytes,
    calibration: VersionCalibration | None = None,
    *,
    intervals: bool = True,
) -> Scored:
    """The domains, the whole, their intervals and levels, as the scoring finds them in each sheet.

    Every domain of the instrument must be in the form. Without ``intervals``, which take nearly all
    the time, there are no levels either.
    """
    earned, harm = credits(instrument, form, packed), _unsafe(instrument, form, packed)
    columns = _columns(instrument, form)
    n, domains = len(packed), len(columns)
    score, count = np.full((n, domains + 1), np.nan), np.zeros((n, domains + 1))
    unsafe = np.zeros((n, domains), dtype=bool)
    for place, own in enumerate(columns):
        there = ~np.isnan(earned[:, own])
        count[:, place] = there.sum(axis=1)
        some = count[:, place] > 0
        points = np.where(there, earned[:, own], 0.0).sum(axis=1)
        score[some, place] = 100.0 * points[some] / count[some, place]
        unsafe[:, place] = harm[:, own].any(axis=1)
    some = (count[:, :-1] > 0).any(axis=1)
    score[some, -1] = np.nanmean(score[some, :-1], axis=1)
    patterns, which = np.unique(count[:, :-1], axis=0, return_inverse=True)
    worth_of = [effective_n([int(c) for c in row if c]) if row.any() else 0.0 for row in patterns]
    count[:, -1] = np.array(worth_of)[which.ravel()]
    asked = [float(len(own)) for own in columns]
    asked.append(effective_n([len(own) for own in columns]))
    sem, lower, upper = (np.full((n, domains + 1), np.nan) for _ in range(3))
    levels = np.zeros((n, domains), dtype=np.intp)
    for place, code in enumerate(scale_codes(instrument)):
        known = calibration.precision(code, asked[place]) if calibration else None
        risky = unsafe[:, place] if place < domains else np.zeros(n, dtype=bool)
        keys = np.column_stack([score[:, place].round(9), count[:, place].round(9), risky])
        alike, first, which = np.unique(
            keys[some_of := ~np.isnan(score[:, place])],
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        rows = np.flatnonzero(some_of)[first]
        found = np.empty((len(alike), 4))
        for line, row in enumerate(rows):
            belief = believed(float(score[row, place]), float(count[row, place]), known)
            assert belief is not None
            if not intervals:
                found[line] = belief.sem, math.nan, math.nan, 0
                continue
            interval = belief.interval()
            level = level_outcome(belief, instrument.cuts, unsafe=bool(risky[row])).levels
            found[line] = belief.sem, interval.lower, interval.upper, _level_code(level)
        sem[some_of, place], lower[some_of, place], upper[some_of, place] = found[
            which.ravel(), :3
        ].T
        if place < domains:
            levels[some_of, place] = found[which.ravel(), 3]
    return Scored(score, sem, lower, upper, levels, unsafe)


def _level_code(levels: Sequence[int]) -> int:
    return int("".join(map(str, levels)))


def reliably_changed(before: Scored, after: Scored) -> Flags:
    """``[n, scales]``, as :mod:`assessments.scoring.change` finds on sheets of the same domains."""
    index = (after.score - before.score) / np.hypot(before.sem, after.sem)
    found: Flags = np.abs(index) > RELIABLE_BEYOND
    return found


def confidence_claims(instrument: Instrument, form: str, packed: Bytes) -> NDArray[np.int8]:
    """``[n]``: 1 for over-confident, −1 for under-confident, 0 for neither, as
    :func:`assessments.scoring.calibration.calibrate` claims; 0 too where answers are too few."""
    places = layout(instrument, form)
    scenarios = instrument.scenarios_of(form)
    sure, right, unknown = (np.full((len(packed), len(scenarios)), np.nan) for _ in range(3))
    levels = np.full(256, np.nan)
    levels[1 : len(instrument.confidence_scale) + 1] = [
        level.probability for level in instrument.confidence_scale
    ]
    for column, scenario in enumerate(scenarios):
        chosen = packed[:, places.offset("option", scenario.code)]
        sure[:, column] = levels[packed[:, places.offset("confidence", scenario.code)]]
        unknown[:, column] = chosen == DONT_KNOW_BYTE
        sure[chosen == DONT_KNOW_BYTE, column] = DONT_KNOW_CONFIDENCE
        sure[chosen == UNANSWERED_BYTE, column] = np.nan
        right[:, column] = chosen == 1 + scenario.options.index(scenario.best)
    claimed = _claims(sure, right)
    given = _claims(np.where(unknown == 1, np.nan, sure), right)
    claimed[(claimed == 1) & (given != 1)] = 0
    return claimed


def _claims(sure: Floats, right: Floats) -> NDArray[np.int8]:
    there = ~np.isnan(sure)
    n = there.sum(axis=1)
    counted = np.maximum(n, 2)
    difference = np.where(there, sure - right, 0.0)
    bias = difference.sum(axis=1) / counted
    deviation = np.where(there, difference - bias[:, None], 0.0)
    sampled = np.sqrt((deviation**2).sum(axis=1) / (counted - 1)) / np.sqrt(counted)
    known = np.sqrt(np.where(there, sure * (1 - sure), 0.0).sum(axis=1)) / counted
    beyond = (np.abs(bias) > Z * np.maximum(sampled, known)) & (n >= CLAIM_FROM)
    found: NDArray[np.int8] = (np.sign(bias) * beyond).astype(np.int8)
    return found


def _unsafe(instrument: Instrument, form: str, packed: Bytes) -> Flags:
    """``[n, scenarios]``"""
    places = layout(instrument, form)
    scenarios = instrument.scenarios_of(form)
    found = np.zeros((len(packed), len(scenarios)), dtype=bool)
    for column, scenario in enumerate(scenarios):
        risky = np.zeros(256, dtype=bool)
        risky[1 : len(scenario.options) + 1] = [option.unsafe for option in scenario.options]
        found[:, column] = risky[packed[:, places.offset("option", scenario.code)]]
    return found


def _columns(instrument: Instrument, form: str) -> list[list[int]]:
    """The scenarios of each domain, as places in the form."""
    of = [instrument.domain_of(item.sub_competency) for item in instrument.scenarios_of(form)]
    return [
        [place for place, code in enumerate(of) if code == domain.code]
        for domain in instrument.domains
    ]


def true_scores(
    population: Population, instrument: Instrument, form: str, readiness: Floats
) -> Floats:
    """``[n, scales]``, 0 to 100, on the very scenarios of the form."""
    each = 100.0 * expected(population, instrument, form, readiness, credit)
    domains = [each[:, own].mean(axis=1) for own in _columns(instrument, form)]
    return np.column_stack([*domains, np.mean(domains, axis=0)])


# --- Shares and their errors ----------------------------------------------------------------------


def _share(
    hits: NDArray[np.bool_], of: NDArray[np.bool_] | None = None
) -> tuple[float, float, int]:
    """The share of ``hits`` among ``of``, its standard error and the people it is of.

    Both ``[n]`` or ``[n, k]``, a person a row: what is said of one person is not independent, so
    the error is that of a ratio of sums over people. Not a number where there is nobody.
    """
    there = np.ones(hits.shape, dtype=bool) if of is None else of
    met = (hits & there).reshape(len(hits), -1).sum(axis=1).astype(float)
    all_ = there.reshape(len(hits), -1).sum(axis=1).astype(float)
    people = int((all_ > 0).sum())
    if people == 0:
        return math.nan, math.nan, 0
    share = met.sum() / all_.sum()
    # Where nothing or everything is met, as if one person more had differed.
    shrunk = (met.sum() + 0.5) / (all_.sum() + 1.0) if share in (0.0, 1.0) else share
    spread_ = math.sqrt(float(((met - shrunk * all_) ** 2).sum())) / all_.sum()
    return float(share), float(spread_), people


def _by_batches(figure: Callable[[slice], float], n: int) -> tuple[float, float, int]:
    """A figure of the whole crowd, with the error that its parts tell of."""
    size = n // BATCHES
    parts = [figure(slice(start, start + size)) for start in range(0, size * BATCHES, size)]
    return figure(slice(0, n)), float(np.std(parts, ddof=1) / math.sqrt(BATCHES)), n


# --- The figures ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """A population that answers one form, and where its figures go."""

    instrument: Instrument
    form: str
    population: Population
    people: int
    calibrated_on: int = 0
    figures: list[Figure] = field(default_factory=list)

    def enough(self, hits: Flags, of: Flags) -> tuple[float, float, int]:
        """A share, unless of too few people."""
        found = _share(hits, of)
        least = min(BAND_MIN, self.people // BAND_SHARE)
        return found if found[2] >= least else (math.nan, math.nan, 0)

    def add(
        self,
        claim: Claim,
        found: tuple[float, float, int],
        scale: str = "",
        group: str = "",
        form: str = "",
    ) -> None:
        value, error, n = found
        if n and not math.isnan(value):
            self.figures.append(
                Figure(
                    form or self.form,
                    self.population.code,
                    self.calibrated_on,
                    claim,
                    scale,
                    group,
                    value,
                    error,
                    n,
                )
            )


def measure(
    instrument: Instrument,
    form: str,
    people: int,
    rng: np.random.Generator,
    populations: Iterable[Population] = POPULATIONS,
) -> Iterator[tuple[Figure, ...]]:
    """The figures of a form, a part at a time: by population, then by calibration.

    ``people`` answer for each figure, at least 2,000. Each part has a generator of its own, so that
    one is the same whatever the others are.
    """
    others = [each for each in instrument.forms if each != form]
    populations = tuple(populations)
    parts = rng.spawn(len(populations))
    for population, part in zip(populations, parts, strict=True):
        draws = part.spawn(1 + len(CALIBRATED_ON))
        for calibrated_on, draw in zip((0, *CALIBRATED_ON), draws, strict=True):
            trial = Trial(instrument, form, population, people, calibrated_on)
            _intervals_and_levels(trial, draw)
            _changes(trial, others, draw)
            if not calibrated_on:
                _reliability(trial, draw)
                _skipped(trial, draw)
                _neediest(trial, draw)
                _beside(trial, draw)
            if not calibrated_on and population is NOMINAL:
                _guessers(trial, draw)
            if not calibrated_on:
                _confidence(trial, draw)
            yield tuple(trial.figures)


def _reliability(trial: Trial, rng: np.random.Generator) -> None:
    instrument, form, population = trial.instrument, trial.form, trial.population
    readiness = population.readiness(instrument, trial.people, rng)
    packed = sheets(instrument, form, answered(population, instrument, form, readiness, rng, 0.0))
    true, score = (
        true_scores(population, instrument, form, readiness),
        scored(instrument, form, packed).score,
    )
    whole, *parts = (
        form_quality(instrument, form, packed[rows]).scales
        for rows in (
            slice(None),
            *(slice(at, None, BATCHES) for at in range(min(BATCHES, trial.people // 250))),
        )
    )
    for place, code in enumerate(scale_codes(instrument)):
        for claim, name in (
            (Claim.MEAN, "mean"),
            (Claim.SD, "sd"),
            (Claim.ALPHA, "alpha"),
            (Claim.OMEGA, "omega"),
            (Claim.SEM, "sem"),
        ):
            values = [_plain(getattr(quality[place], name).value) for quality in (whole, *parts)]
            known = [value for value in values[1:] if not math.isnan(value)]
            error = float(np.std(known, ddof=1) / math.sqrt(len(known))) if known[1:] else math.nan
            trial.add(claim, (values[0], error, trial.people), code)

        def reliability(rows: slice, place: int = place) -> float:
            return float(true[rows, place].var() / score[rows, place].var())

        def error_of(rows: slice, place: int = place) -> float:
            return math.sqrt(float(((score - true)[rows, place] ** 2).mean()))

        trial.add(Claim.TRUE_RELIABILITY, _by_batches(reliability, trial.people), code)
        trial.add(Claim.TRUE_ERROR, _by_batches(error_of, trial.people), code)


def _plain(value: object) -> float:
    """A value, or that of an estimate; not a number where it is not said."""
    if value is None:
        return math.nan
    return float(getattr(value, "value", value))  # type: ignore[arg-type]


def _scored_in_parts(
    trial: Trial, packed: Sequence[Bytes], rng: np.random.Generator, *, intervals: bool = True
) -> tuple[Scored, ...]:
    """What is said of crowds of sheets, all of one size: of each part of them by a calibration of
    its own, made on other people."""
    if not trial.calibrated_on:
        return tuple(
            scored(trial.instrument, trial.form, each, intervals=intervals) for each in packed
        )
    instrument, form, population = trial.instrument, trial.form, trial.population
    made: list[list[Scored]] = [[] for _ in packed]
    times = min(CALIBRATED_ON[trial.calibrated_on], max(2, trial.people // FOR_ONE))
    for rows in np.array_split(np.arange(len(packed[0])), times):
        known = _calibration(population, instrument, form, trial.calibrated_on, rng)
        for each, place in zip(packed, made, strict=True):
            place.append(scored(instrument, form, each[rows], known, intervals=intervals))
    return tuple(_joined(each) for each in made)


def _calibration(
    population: Population, instrument: Instrument, form: str, n: int, rng: np.random.Generator
) -> VersionCalibration:
    readiness = population.readiness(instrument, n, rng)
    answers = answered(population, instrument, form, readiness, rng, 0.0)
    quality = form_quality(instrument, form, sheets(instrument, form, answers))
    return version_calibration(quality, date.min)


def _joined(parts: Sequence[Scored]) -> Scored:
    return Scored(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("score", "sem", "lower", "upper", "levels", "unsafe")
        )
    )


def _intervals_and_levels(trial: Trial, rng: np.random.Generator) -> None:
    instrument, form, population = trial.instrument, trial.form, trial.population
    crowds = (
        population.readiness(instrument, trial.people, rng),
        spread(instrument, trial.people, rng),
    )
    packed = [
        sheets(instrument, form, answered(population, instrument, form, crowd, rng))
        for crowd in crowds
    ]
    found, everywhere = _scored_in_parts(trial, packed, rng)
    true, true_everywhere = (true_scores(population, instrument, form, crowd) for crowd in crowds)
    held = (found.lower <= true) & (true <= found.upper)
    held_everywhere = (everywhere.lower <= true_everywhere) & (true_everywhere <= everywhere.upper)
    level, level_everywhere = _level(instrument, true), _level(instrument, true_everywhere)
    bands = np.minimum(true_everywhere // BAND, 100 // BAND - 1).astype(int)
    for place, code in enumerate(scale_codes(instrument)):
        trial.add(Claim.COVERAGE, _share(held[:, place]), code)
        width = (found.upper - found.lower)[:, place]
        trial.add(Claim.WIDTH, _mean(width), code)
        for each in (1, 2, 3):
            trial.add(
                Claim.COVERAGE_LEVEL,
                trial.enough(held_everywhere[:, place], level_everywhere[:, place] == each),
                code,
                f"level {each}",
            )
        for band in range(100 // BAND):
            trial.add(
                Claim.COVERAGE_BAND,
                trial.enough(held_everywhere[:, place], bands[:, place] == band),
                code,
                f"{BAND * band}–{BAND * (band + 1)}",
            )
    named, truth = found.levels, level[:, :-1]
    # Of what an answer at risk caps, the report says so: the third level is then not at stake.
    said_of = np.where(found.unsafe, np.minimum(truth, UNSAFE_CEILING), truth)
    is_named, is_pair = (named > 0) & (named < 10), named > 10
    in_pair = (named == 12) & (said_of <= 2) | (named == 23) & (said_of >= 2)
    for place, code in enumerate(scale_codes(instrument)[:-1]):
        trial.add(Claim.NAMED, _share(is_named[:, place]), code)
    trial.add(Claim.WRONG, _share(named != said_of, is_named))
    for each in (1, 2, 3):
        trial.add(Claim.WRONG, _share(named != said_of, named == each), group=f"level {each}")
    trial.add(Claim.BOTH_WRONG, _share(~in_pair, is_pair))
    trial.add(Claim.CAPPED, _share(found.unsafe, truth == 3))
    domains = true_everywhere[:, :-1]
    for each, cut in ((2, instrument.cuts.operational), (3, instrument.cuts.expert)):
        lowest = np.where(everywhere.levels > 9, everywhere.levels // 10, everywhere.levels)
        # A pair counts for neither: it names both sides of the cut.
        above = (everywhere.levels < 9) & (lowest >= each) | (everywhere.levels == 23) & (each == 2)
        below = (everywhere.levels < 9) & (lowest < each) | (everywhere.levels == 12) & (each == 3)
        just_under = (cut - 5 <= domains) & (domains < cut)
        just_within = (cut <= domains) & (domains < cut + 5) & ~everywhere.unsafe
        trial.add(Claim.OVERRATED, trial.enough(above, just_under), group=f"level {each}")
        trial.add(Claim.UNDERRATED, trial.enough(below, just_within), group=f"level {each}")


def _level(instrument: Instrument, true: Floats) -> Whole:
    return 1 + np.digitize(true, [instrument.cuts.operational, instrument.cuts.expert])


def _mean(values: Floats) -> tuple[float, float, int]:
    n = len(values)
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n), n


def _skipped(trial: Trial, rng: np.random.Generator) -> None:
    """Half the situations left at random: the true score stays that of the whole form."""
    instrument, form, population = trial.instrument, trial.form, trial.population
    readiness = population.readiness(instrument, trial.people // 4, rng)
    answers = answered(population, instrument, form, readiness, rng, SKIPPING)
    found = scored(instrument, form, sheets(instrument, form, answers))
    true = true_scores(population, instrument, form, readiness)
    there = ~np.isnan(found.score)
    held = (found.lower <= true) & (true <= found.upper)
    for place, code in enumerate(scale_codes(instrument)):
        trial.add(Claim.COVERAGE_SKIPPED, _share(held[:, place], there[:, place]), code)


def _guessers(trial: Trial, rng: np.random.Generator) -> None:
    instrument, form = trial.instrument, trial.form
    scenarios = instrument.scenarios_of(form)
    answers = np.column_stack(
        [rng.integers(1, len(item.options) + 1, size=trial.people) for item in scenarios]
    ).astype(np.uint8)
    found = scored(instrument, form, sheets(instrument, form, answers))
    columns = _columns(instrument, form)
    lines = [chance_line([scenarios[place] for place in own]) for own in columns]
    lines.append(sum(lines) / len(lines))
    for place, code in enumerate(scale_codes(instrument)):
        trial.add(Claim.CHANCE, _mean(found.score[:, place] - lines[place]), code)
        trial.add(Claim.GUESSER_ABOVE, _share(found.lower[:, place] > lines[place]), code)
    trial.add(Claim.GUESSER_NAMED, _share(np.isin(found.levels, (2, 3, 23))))


def _confidence(trial: Trial, rng: np.random.Generator) -> None:
    """Confidence that says exactly what the answers are worth, whatever they are.

    Somebody right with probability p says one of two levels, a < p < b, so that each is right as
    often as it says: b with probability w = (p − a)/(b − a), and given the answer, b with wb/p if
    it is right and w(1 − b)/(1 − p) if not. Where p is beyond the scale, it is brought within it,
    and the answer drawn with that.
    """
    instrument, form, population = trial.instrument, trial.form, trial.population
    levels = np.array([level.probability for level in instrument.confidence_scale])
    readiness = population.readiness(instrument, trial.people, rng)
    p = expected(population, instrument, form, readiness, _is_best)
    p = p.clip(levels[0], levels[-1])
    highest = len(levels) - 1
    upper = np.searchsorted(levels, p).clip(1, highest)
    both = np.full_like(upper, highest)
    for claim, low, high, chance in (
        (Claim.CONFIDENCE_FINE, upper - 1, upper, p),
        (Claim.CONFIDENCE_COARSE, np.zeros_like(upper), both, p),
        (Claim.CONFIDENCE_SURE, both, both, np.full_like(p, levels[-1])),
    ):
        right = rng.random(p.shape) < chance
        said = _said(levels, low, high, chance, right, rng)
        trial.add(claim, _share(_claimed(trial, said, right, rng) != 0))
    # The same people, right 20 points less often than they think.
    right = rng.random(p.shape) < p
    said = _said(levels, upper - 1, upper, p, right, rng)
    right &= rng.random(p.shape) < 1 - 0.2 / p.mean(axis=1, keepdims=True)
    trial.add(Claim.OVERCONFIDENT_SEEN, _share(_claimed(trial, said, right, rng) == 1))


def _said(
    levels: Floats, low: Whole, high: Whole, p: Floats, right: Flags, rng: np.random.Generator
) -> Bytes:
    """Bytes of the confidence levels said."""
    a, b = levels[low], levels[high]
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.where(high > low, (p - a) / (b - a), 1.0)
        odds = np.where(right, w * b / p, w * (1 - b) / (1 - p))
    return (1 + np.where(rng.random(p.shape) < odds, high, low)).astype(np.uint8)


def _claimed(trial: Trial, said: Bytes, right: Flags, rng: np.random.Generator) -> NDArray[np.int8]:
    """What the scoring claims of people with these confidences, right or wrong at will."""
    instrument, form = trial.instrument, trial.form
    answers = np.empty(right.shape, dtype=np.uint8)
    for column, scenario in enumerate(instrument.scenarios_of(form)):
        best = 1 + scenario.options.index(scenario.best)
        others = [byte for byte in range(1, len(scenario.options) + 1) if byte != best]
        answers[:, column] = np.where(
            right[:, column], best, rng.choice(others, size=len(right))
        ).astype(np.uint8)
    return confidence_claims(instrument, form, sheets(instrument, form, answers, said))


def _is_best(scenario: Scenario) -> list[float]:
    return [*(float(option == scenario.best) for option in scenario.options), 0.0]


def _beside(trial: Trial, rng: np.random.Generator) -> None:
    """Self-ratings that are the true score, but for the points of their scale."""
    instrument, form, population = trial.instrument, trial.form, trial.population
    readiness = population.readiness(instrument, trial.people, rng)
    true = true_scores(population, instrument, form, readiness)
    answers = answered(population, instrument, form, readiness, rng)
    found = scored(instrument, form, sheets(instrument, form, answers))
    steps = len(instrument.self_rating_scale) - 1
    for place, domain in enumerate(instrument.domains):
        subs = {sub.code for sub in instrument.sub_competencies_of(domain.code)}
        statements = sum(item.sub_competency in subs for item in instrument.self_ratings)
        exact = np.repeat(true[:, [place]] / 100 * steps, statements, axis=1)
        rating = 100 * np.floor(exact + rng.random(exact.shape)).mean(axis=1) / steps
        beside = (rating < found.lower[:, place]) | (rating > found.upper[:, place])
        trial.add(Claim.RATED_BESIDE, _share(beside), domain.code)


def _neediest(trial: Trial, rng: np.random.Generator) -> None:
    """Need without confidence, as :func:`assessments.scoring.next_steps.need` counts it."""
    instrument, form, population = trial.instrument, trial.form, trial.population
    scenarios = instrument.scenarios_of(form)
    readiness = population.readiness(instrument, trial.people, rng)
    answers = answered(population, instrument, form, readiness, rng, 0.0)
    needs = expected(population, instrument, form, readiness, _needs)
    seen = np.empty_like(needs)
    for column, scenario in enumerate(scenarios):
        worth = np.zeros(256)
        worth[[*range(1, len(scenario.options) + 1), DONT_KNOW_BYTE]] = _needs(scenario)
        seen[:, column] = worth[answers[:, column]]
    subs = [item.sub_competency for item in scenarios]
    asked = sorted(set(subs), key=subs.index)
    of = [[place for place, code in enumerate(subs) if code == sub] for sub in asked]
    true, shown = (
        np.column_stack([each[:, own].mean(axis=1) for own in of]) for each in (needs, seen)
    )
    chosen = np.argsort(-shown, axis=1, kind="stable")[:, :3]
    rank = np.argsort(np.argsort(-true, axis=1), axis=1)
    trial.add(Claim.NEEDIEST, _share(np.take_along_axis(rank, chosen, 1) < len(asked) / 2))


def _needs(scenario: Scenario) -> list[float]:
    found = [
        3.0 * option.unsafe + 2.0 * (option.credit == 0) + (0 < option.credit < 1)
        for option in scenario.options
    ]
    return [*found, 2.0]


def _changes(trial: Trial, others: Sequence[str], rng: np.random.Generator) -> None:
    """The same people twice, on the same form and from this one to each other."""
    instrument, form, population = trial.instrument, trial.form, trial.population
    codes = scale_codes(instrument)
    if trial.calibrated_on and population is not NOMINAL:
        others = ()
    crowd = population.readiness(instrument, trial.people, rng)
    gain = rng.uniform(0.0, MOST_GAIN, size=(trial.people, 1))
    was = true_scores(population, instrument, form, crowd)
    for after in (form, *others):
        there = Trial(instrument, after, population, trial.people, trial.calibrated_on)
        first = answered(population, instrument, form, crowd, rng)
        second, trained = (
            sheets(instrument, after, answered(population, instrument, after, who, rng))
            for who in (crowd, crowd + gain)
        )
        if after == form:
            before, now, then = _scored_in_parts(
                trial, [sheets(instrument, form, first), second, trained], rng, intervals=False
            )
        else:
            (before,) = _scored_in_parts(
                trial, [sheets(instrument, form, first)], rng, intervals=False
            )
            now, then = _scored_in_parts(there, [second, trained], rng, intervals=False)
        both = f"{form}>{after}"
        same, changed = reliably_changed(before, now), reliably_changed(before, then)
        trial.add(Claim.CHANGED_ANY, _share(same.any(axis=1)), form=both)
        now_true = true_scores(population, instrument, after, crowd)
        gained = true_scores(population, instrument, after, crowd + gain) - was
        for place, code in enumerate(codes):
            trial.add(Claim.CHANGED, _share(same[:, place]), code, form=both)
            if after != form:
                apart = now_true[:, place] - was[:, place]
                trial.add(Claim.FORM_APART, _mean(apart), code, form=both)
                continue
            for points in GAINS:
                near = np.abs(gained[:, place] - points) <= 5
                trial.add(
                    Claim.CHANGE_SEEN,
                    trial.enough(changed[:, place], near),
                    code,
                    f"{points} points",
                    form=both,
                )


# --- What is kept ---------------------------------------------------------------------------------


def bearing(instrument: Instrument) -> str:
    """A digest of all that the figures depend on: forms, keys, blueprint, cuts and scales.

    Wordings are not in it: to reword a scenario changes no figure of a simulation.
    """
    part = {
        "cuts": [instrument.cuts.operational, instrument.cuts.expert],
        "confidence": [level.probability for level in instrument.confidence_scale],
        "ratings": [len(instrument.self_rating_scale)]
        + [item.sub_competency for item in instrument.self_ratings],
        "context": [
            [question.code, question.multiple, [option.code for option in question.options]]
            for question in instrument.context
        ],
        "subs": [[sub.code, sub.domain] for sub in instrument.sub_competencies],
        "forms": {
            form: [
                [
                    item.code,
                    item.sub_competency,
                    [[option.code, option.credit, option.unsafe] for option in item.options],
                ]
                for item in instrument.scenarios_of(form)
            ]
            for form in instrument.forms
        },
    }
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()
