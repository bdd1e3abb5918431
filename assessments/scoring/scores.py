"""The scores: of each domain, and of the whole form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean

from assessments.instrument.document import Instrument, Scenario
from assessments.scoring.intervals import Belief, ErrorBand, Interval, Posterior, SemSource
from assessments.scoring.levels import LevelOutcome, level_outcome
from assessments.scoring.outcomes import Outcome
from assessments.scoring.sheet import Sheet

OVERALL = "overall"
"""The code of the whole, beside those of the domains."""


@dataclass(frozen=True, slots=True)
class VersionCalibration:
    """What is known of a version from the sittings it was calibrated on.

    The mappings are keyed by domain code and :data:`OVERALL`; a score whose SEM is missing keeps
    the interval of an uncalibrated version.
    """

    sem: Mapping[str, float]
    """SD·√(1 − ω), in points of the 0–100 scale, of a form answered in full."""
    omega: Mapping[str, float]
    n: int
    """Sittings it was calibrated on."""
    date: date

    def __post_init__(self) -> None:
        for code, sem in self.sem.items():
            if not 0.0 < sem < float("inf"):
                raise ValueError(f"SEM of {code}: {sem} is not a positive number of points")


@dataclass(frozen=True, slots=True)
class Score:
    """One score of 0 to 100, and what may be said of it. None where nothing was answered."""

    code: str
    """Of the domain, or :data:`OVERALL`."""
    score: float | None
    answered: int
    asked: int
    chance: float
    """What blind guessing earns on average on these scenarios, 0 to 100."""
    self_rating: float | None
    """0 to 100, beside the score and never mixed in."""
    interval: Interval | None
    sem: float | None
    sem_source: SemSource | None

    @property
    def self_rating_gap(self) -> float | None:
        """Self-rating minus score, in points: above 0 where the person rates higher."""
        if self.score is None or self.self_rating is None:
            return None
        return self.self_rating - self.score


@dataclass(frozen=True, slots=True)
class DomainScore(Score):
    points: float
    """Σs, the credits earned."""
    unsafe: int
    """How many unsafe options were chosen."""
    level: LevelOutcome | None


def chance_line(scenarios: Iterable[Scenario]) -> float:
    """The expected score of blind guessing, 0 to 100: "I don't know" is no guess."""
    return 100.0 * fmean(
        fmean(option.credit for option in scenario.options) for scenario in scenarios
    )


def percent_of_maximum(ratings: Sequence[int], points: int) -> float | None:
    """POMP, 100·(mean − 1)/(points − 1), of ratings from 1 to ``points``; None without ratings.

    Cohen, Cohen, Aiken & West 1999, doi:10.1207/S15327906MBR3403_2.
    """
    return 100.0 * (fmean(ratings) - 1.0) / (points - 1.0) if ratings else None


def effective_n(counts: Sequence[int]) -> float:
    """How many answers the mean of several domain means is worth: D²/Σ(1/n_d).

    The variance of that mean is Σ(σ²/n_d)/D². It is the plain number of answers where the D
    domains have as many each, and fewer where they do not.
    """
    return len(counts) ** 2 / sum(1.0 / count for count in counts)


def domain_scores(
    instrument: Instrument,
    form: str,
    sheet: Sheet,
    outcomes: Iterable[Outcome],
    calibration: VersionCalibration | None = None,
) -> tuple[DomainScore, ...]:
    """The score of each domain that the form asks about, in the instrument's order."""
    every = tuple(outcomes)
    scenarios = instrument.scenarios_of(form)
    scores = []
    for domain in instrument.domains:
        subs = {sub.code for sub in instrument.sub_competencies_of(domain.code)}
        asked = [item for item in scenarios if item.sub_competency in subs]
        if not asked:
            continue
        answered = [item for item in every if item.domain == domain.code and item.answered]
        points = sum(item.credit or 0.0 for item in answered)
        unsafe = sum(item.unsafe for item in answered)
        score = 100.0 * points / len(answered) if answered else None
        belief = _belief(domain.code, score, len(answered), len(asked), calibration)
        ratings = [
            sheet.self_ratings[statement.code]
            for statement in instrument.self_ratings
            if statement.sub_competency in subs and statement.code in sheet.self_ratings
        ]
        scores.append(
            DomainScore(
                code=domain.code,
                score=score,
                answered=len(answered),
                asked=len(asked),
                chance=chance_line(asked),
                self_rating=percent_of_maximum(ratings, len(instrument.self_rating_scale)),
                interval=belief.interval() if belief else None,
                sem=belief.sem if belief else None,
                sem_source=belief.source if belief else None,
                points=points,
                unsafe=unsafe,
                level=(
                    level_outcome(belief, instrument.cuts, unsafe=unsafe > 0) if belief else None
                ),
            )
        )
    return tuple(scores)


def overall_score(
    domains: Sequence[DomainScore], calibration: VersionCalibration | None = None
) -> Score:
    """K, the mean of the domain scores that exist; its chance line is that of the whole form."""
    scored = [(item.score, item.answered) for item in domains if item.score is not None]
    score = fmean(score for score, _ in scored) if scored else None
    belief = _belief(
        OVERALL,
        score,
        effective_n([answered for _, answered in scored]) if scored else 0,
        effective_n([item.asked for item in domains]),
        calibration,
    )
    ratings = [item.self_rating for item in domains if item.self_rating is not None]
    return Score(
        code=OVERALL,
        score=score,
        answered=sum(item.answered for item in domains),
        asked=sum(item.asked for item in domains),
        chance=fmean(item.chance for item in domains),
        self_rating=fmean(ratings) if ratings else None,
        interval=belief.interval() if belief else None,
        sem=belief.sem if belief else None,
        sem_source=belief.source if belief else None,
    )


def scores_on(
    instrument: Instrument,
    form: str,
    outcomes: Iterable[Outcome],
    scenarios: Collection[str],
    calibration: VersionCalibration | None = None,
) -> dict[str, Score]:
    """The score of each domain, then of the whole, on these scenarios of a form and no others.

    The error is that of so many answers, not of the whole form. Self-ratings are left aside.
    """
    every = tuple(outcomes)
    places = {item.code: item for item in instrument.scenarios_of(form)}
    scores: dict[str, Score] = {}
    full: list[int] = []
    for domain in instrument.domains:
        asked = [item for item in every if item.domain == domain.code]
        chosen = [item for item in asked if item.scenario in scenarios]
        if not chosen:
            continue
        answered = [item for item in chosen if item.answered]
        score = 100.0 * fmean(item.credit or 0.0 for item in answered) if answered else None
        full.append(len(asked))
        belief = _belief(domain.code, score, len(answered), len(asked), calibration)
        chance = chance_line(places[item.scenario] for item in chosen)
        scores[domain.code] = _alone(domain.code, score, len(answered), len(chosen), chance, belief)
    scored = [(item.score, item.answered) for item in scores.values() if item.score is not None]
    whole = fmean(score for score, _ in scored) if scored else None
    counts = [answered for _, answered in scored]
    belief = (
        _belief(OVERALL, whole, effective_n(counts), effective_n(full), calibration)
        if counts
        else None
    )
    scores[OVERALL] = _alone(
        OVERALL,
        whole,
        sum(counts),
        sum(item.asked for item in scores.values()),
        fmean(item.chance for item in scores.values()) if scores else 0.0,
        belief,
    )
    return scores


def _alone(
    code: str, score: float | None, answered: int, asked: int, chance: float, belief: Belief | None
) -> Score:
    """A score without a self-rating beside it."""
    return Score(
        code=code,
        score=score,
        answered=answered,
        asked=asked,
        chance=chance,
        self_rating=None,
        interval=belief.interval() if belief else None,
        sem=belief.sem if belief else None,
        sem_source=belief.source if belief else None,
    )


def _belief(
    code: str,
    score: float | None,
    answered: float,
    asked: float,
    calibration: VersionCalibration | None,
) -> Belief | None:
    """What is believed of the true score; None where there is no score."""
    if score is None:
        return None
    sem = calibration.sem.get(code) if calibration else None
    if sem is None:
        return Posterior(score, answered)
    # The SEM is that of a form answered in full; the error variance of a mean goes as 1/n.
    return ErrorBand(score, sem * (asked / answered) ** 0.5)
