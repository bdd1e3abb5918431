"""What is measured on simulated people is what the scoring says of them; its intervals hold what
they say, under generators that share nothing with the one that is measured with; and reliability,
effective length and change are what R finds."""

from __future__ import annotations

import json
import math
from datetime import date
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from assessments.cohort import measurement, populations
from assessments.cohort.measurement import Claim, Figure, measure, scored
from assessments.cohort.populations import NOMINAL, POPULATIONS
from assessments.cohort.psychometrics import form_quality, version_calibration
from assessments.instrument.document import Instrument
from assessments.scoring.change import changes
from assessments.scoring.intervals import Calibrated, Posterior
from assessments.scoring.profile import score
from assessments.scoring.scores import OVERALL, VersionCalibration
from assessments.scoring.sheet import layout
from tests.instrument.example import example_instrument

DATA = Path(__file__).parent / "data"
CALIBRATED = VersionCalibration(
    sem={"A": 12.2, "B": 12.0, "C": 13.0, OVERALL: 7.1},
    omega={"A": 0.7, "B": 0.6, "C": 0.55, OVERALL: 0.85},
    mean={"A": 60.0, "B": 55.0, "C": 50.0, OVERALL: 55.0},
    n=240,
    date=date(2026, 10, 1),
)


@pytest.fixture(scope="module")
def both() -> Instrument:
    return example_instrument(("A", "B"))


def crowd(instrument: Instrument, n: int, seed: int, skipped: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    readiness = populations.spread(instrument, n, rng)
    chosen = populations.answered(NOMINAL, instrument, "A", readiness, rng, skipped)
    confidence = rng.integers(0, 5, size=chosen.shape).astype(np.uint8)
    confidence[(chosen == 0) | (chosen == 255)] = 0
    return populations.sheets(instrument, "A", chosen, confidence)


# --- By column, as sheet by sheet -----------------------------------------------------------------


@pytest.mark.parametrize("calibration", [None, CALIBRATED], ids=["before", "calibrated"])
def test_by_column_is_as_the_scoring_scores(instrument, calibration):
    packed = np.concatenate([crowd(instrument, 60, 1), crowd(instrument, 60, 2, skipped=0.6)])
    packed = np.concatenate([packed, np.zeros((1, packed.shape[1]), dtype=np.uint8)])
    later = packed[::-1]
    found, then = (scored(instrument, "A", each, calibration) for each in (packed, later))
    changed = measurement.reliably_changed(found, then)
    claims = measurement.confidence_claims(instrument, "A", packed)
    places = layout(instrument, "A")
    profiles = [
        score(instrument, "A", places.unpack(sheet.tobytes()), calibration) for sheet in packed
    ]
    for row, (profile, after) in enumerate(zip(profiles, profiles[::-1], strict=True)):
        scales = (*profile.domains, profile.overall)
        for place, scale in enumerate(scales):
            if scale.score is None:
                assert np.isnan(found.score[row, place])
                assert np.isnan(found.lower[row, place])
                continue
            assert scale.interval is not None
            assert found.score[row, place] == pytest.approx(scale.score)
            assert found.sem[row, place] == pytest.approx(scale.sem)
            assert found.lower[row, place] == pytest.approx(scale.interval.lower)
            assert found.upper[row, place] == pytest.approx(scale.interval.upper)
        levels = [item.level.code.replace("-", "") if item.level else "0" for item in scales[:-1]]
        assert found.levels[row].tolist() == [int(level) for level in levels]
        assert found.unsafe[row].tolist() == [item.unsafe > 0 for item in profile.domains]
        if all(item.answered for item in (*profile.domains, *after.domains)):
            told = [
                change is not None and change.reliable
                for change in changes(profile, after).values()
            ]
            assert changed[row].tolist() == told
        claim = {"over": 1, "under": -1}.get(profile.calibration.claim or "", 0)
        assert claims[row] == claim
    assert set(claims) == {-1, 0, 1}
    assert changed.any()
    assert {1, 12, 23} <= set(found.levels.ravel())
    # The third level is named alone by a calibrated version only.
    assert (3 in found.levels) == (calibration is not None)


# --- True scores ----------------------------------------------------------------------------------


@pytest.mark.parametrize("population", POPULATIONS, ids=lambda each: each.code)
def test_a_true_score_is_what_the_same_person_earns_on_average(instrument, population):
    """4,000 sheets of one readiness: their mean is within four standard errors of it."""
    rng = np.random.default_rng(3)
    readiness = np.tile(rng.normal(size=(1, 3)), (4_000, 1))
    chosen = populations.answered(population, instrument, "A", readiness, rng, 0.0)
    found = scored(instrument, "A", populations.sheets(instrument, "A", chosen)).score
    true = measurement.true_scores(population, instrument, "A", readiness[:1])[0]
    errors = found.std(axis=0) / math.sqrt(4_000)
    assert np.abs(found.mean(axis=0) - true).max() < 4 * errors.max()


@pytest.mark.parametrize("population", POPULATIONS, ids=lambda each: each.code)
def test_what_may_be_answered_has_probability_one(instrument, population):
    ready = np.linspace(-6, 6, 25)
    for scenario in instrument.scenarios_of("A"):
        odds = population.model(scenario, ready)
        assert odds.shape == (25, len(scenario.options) + 1)
        assert odds.min() >= 0
        assert odds.sum(axis=1) == pytest.approx(1)


# --- Intervals, with other generators -------------------------------------------------------------


def sum_of_credits(odds: np.ndarray) -> np.ndarray:
    """The exact distribution of a sum of independent credits, in halves. ``odds`` is
    ``[scenarios, 3]``: of 0, ½ and 1."""
    found = np.ones(1)
    for each in odds:
        found = np.convolve(found, each)
    return found


def covered(odds: np.ndarray, worth: float | None) -> float:
    """How often the interval of a domain holds its true score: exactly, without drawing anyone."""
    n = len(odds)
    true = 100 * float((odds @ np.array([0, 0.5, 1])).mean())
    total = 0.0
    for halves, probability in enumerate(sum_of_credits(odds)):
        result = 100 * halves / (2 * n)
        belief = Posterior(result, n) if worth is None else Calibrated(result, n, worth, (0.5, 0.5))
        interval = belief.interval()
        total += probability * (interval.lower <= true <= interval.upper)
    return total


def domains(count: int, seed: int) -> np.ndarray:
    """``[count, 8, 3]``: people and scenarios of every kind, by a Dirichlet distribution about a
    share of each; no readiness, no model of answers."""
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.02, 0.98, size=count)
    middle = rng.uniform(0.15, 0.45, size=count)
    alpha = np.stack([(1 - share) * (1 - middle), middle, share * (1 - middle)], axis=1)
    return np.stack([rng.dirichlet(6 * one + 0.05, size=8) for one in alpha])


def test_before_calibration_intervals_hold_what_they_say_all_along_the_scale():
    people = domains(1_500, 11)
    true = 100 * (people @ np.array([0, 0.5, 1])).mean(axis=1)
    held = np.array([covered(odds, None) for odds in people])
    for low, high in pairwise((0, 20, 40, 55, 70, 80, 101)):
        assert held[(low <= true) & (true < high)].mean() >= 0.90


def test_calibrated_intervals_hold_what_they_say_where_plus_or_minus_the_sem_does_not():
    people = domains(1_500, 12)
    points = np.array([0, 0.5, 1])
    means = people @ points
    true = 100 * means.mean(axis=1)
    error = 1e4 * (people @ points**2 - means**2).sum(axis=1) / 64
    sem, spread = math.sqrt(error.mean()), true.var()
    known = VersionCalibration(
        sem={"A": sem},
        omega={"A": spread / (spread + sem**2)},
        mean={"A": float(true.mean())},
        n=1_500,
        date=date(2026, 10, 1),
    ).precision("A", 8)
    assert known is not None
    held = np.array([covered(odds, known.worth) for odds in people])
    middle = (true >= 40) & (true < 60)
    for low, high in pairwise((0, 20, 40, 60, 80, 101)):
        assert held[(low <= true) & (true < high)].mean() >= 0.90
    textbook = []
    for odds, one in zip(people[middle], true[middle], strict=True):
        results = 100 * np.arange(17) / 16
        inside = np.abs(results - one) <= 1.645 * sem
        textbook.append(float(sum_of_credits(odds)[inside].sum()))
    assert np.mean(textbook) < 0.88


# --- Every claim ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figures(both) -> list[Figure]:
    found: list[Figure] = []
    for part in measure(both, "A", 2_000, np.random.default_rng(4), POPULATIONS[:1]):
        found += part
    return found


def test_every_claim_is_tried_and_holds(figures):
    assert {figure.claim for figure in figures} == set(Claim)
    assert {figure.calibrated_on for figure in figures} == {0, 200, 1000}
    assert {figure.form for figure in figures} == {"A", "A>A", "A>B"}
    assert [figure for figure in figures if figure.holds is False] == []


def test_a_claim_that_does_not_hold_is_seen():
    kept = Figure("A", "nominal", 0, Claim.COVERAGE, "A", "", 0.88, 0.005, 2_000)
    assert kept.holds is False
    told = Figure("A", "nominal", 0, Claim.WRONG, "", "", 0.60, 0.005, 2_000)
    assert told.holds is None
    after = Figure("A", "nominal", 200, Claim.WRONG, "", "", 0.60, 0.005, 2_000)
    assert after.holds is False


def test_overconfident_intervals_are_found_out(both, monkeypatch):
    """The measurement sees intervals half as wide as they should be."""

    def narrow(self: Posterior) -> object:
        whole = held(self)
        half = (whole.upper - whole.lower) / 4
        middle = (whole.upper + whole.lower) / 2
        return type(whole)(middle - half, middle + half)

    held = Posterior.interval
    monkeypatch.setattr(Posterior, "interval", narrow)
    trial = measurement.Trial(both, "A", NOMINAL, 2_000)
    measurement._intervals_and_levels(trial, np.random.default_rng(5))
    found = [figure for figure in trial.figures if figure.claim is Claim.COVERAGE]
    assert [figure.holds for figure in found] == [False] * 4


def test_rewording_a_scenario_changes_nothing_of_what_figures_depend_on(both):
    first, *others = both.scenarios
    reworded = msgspec.structs.replace(first, stem={"fr": "Autre.", "en": "Other."})
    rekeyed = msgspec.structs.replace(first, options=first.options[::-1])
    alike, other = (
        msgspec.structs.replace(both, scenarios=(each, *others)) for each in (reworded, rekeyed)
    )
    assert measurement.bearing(alike) == measurement.bearing(both)
    assert measurement.bearing(other) != measurement.bearing(both)


# --- Against R ------------------------------------------------------------------------------------


def test_reliability_effective_length_and_change_are_those_of_r(instrument):
    reference = json.loads((DATA / "measured.json").read_text(encoding="utf-8"))
    lines = (DATA / "measured.txt").read_text(encoding="utf-8").split()
    halves = np.array([[int(figure) for figure in line] for line in lines])
    scenarios = instrument.scenarios_of("A")
    chosen = np.empty(halves.shape, dtype=np.uint8)
    for column, scenario in enumerate(scenarios):
        worth = [int(2 * option.credit) for option in scenario.options]
        chosen[:, column] = [1 + worth.index(value) for value in halves[:, column]]
    packed = populations.sheets(instrument, "A", chosen)
    quality = form_quality(instrument, "A", packed)
    known = version_calibration(quality, date(2026, 11, 24))
    first, second = (
        score(instrument, "A", layout(instrument, "A").unpack(packed[row].tobytes()), known)
        for row in (0, 1)
    )
    shifts = changes(first, second)
    for scale in quality.scales:
        wanted = reference[scale.code]
        assert scale.n == reference["n"] == 400
        assert scale.mean.value == pytest.approx(wanted["mean"], abs=1e-9)
        assert scale.sd.value == pytest.approx(wanted["sd"], abs=1e-9)
        assert scale.alpha.value is not None
        assert scale.omega.value is not None
        assert scale.alpha.value.value == pytest.approx(wanted["alpha"], abs=1e-9)
        assert scale.omega.value.value == pytest.approx(wanted["omega"], abs=1e-6)
        assert scale.sem.value == pytest.approx(wanted["sem"], abs=1e-5)
        precision = known.precision(scale.code, scale.items)
        assert precision is not None
        assert precision.worth * scale.items == pytest.approx(wanted["length"], abs=1e-4)
        assert precision.spread == pytest.approx(wanted["spread"], abs=1e-4)
        shift = shifts[scale.code]
        assert shift is not None
        assert shift.rci == pytest.approx(wanted["rci"], abs=1e-5)
