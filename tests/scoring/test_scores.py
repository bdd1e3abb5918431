"""The scores: worked by hand, then for any sheet."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assessments.scoring.intervals import Calibrated, Interval
from assessments.scoring.profile import score
from assessments.scoring.scores import (
    OVERALL,
    VersionCalibration,
    chance_line,
    effective_n,
    percent_of_maximum,
)
from assessments.scoring.sheet import ScenarioAnswer, Sheet

from .sheets import FORM, INSTRUMENT, SCENARIOS, answer, everywhere, sheet, sheets

CALIBRATED = VersionCalibration(
    sem={"A": 12.2, "B": 12.0, "C": 11.5, OVERALL: 7.1},
    omega={"A": 0.7, "B": 0.71, "C": 0.72, OVERALL: 0.85},
    mean={"A": 60.0, "B": 55.0, "C": 50.0, OVERALL: 55.0},
    n=240,
    date=date(2026, 10, 1),
)

WORKED = sheet(
    {
        # 1 + 1 + ½ + 0 + ½ + 1 + 0 + 1 = 5 of 8
        "A": ["best", "best", "acceptable", "wrong", "acceptable", "best", "wrong", "best"],
        # 1 + ½ + 0 = 1.5 of the 3 answered
        "B": ["best", "acceptable", None, None, None, "dont_know", None, None],
    },
    ratings={"A1": 5, "A2": 4, "A3": 4, "A4": 3, "A5": 3},
)


def by_code(profile):
    return {item.code: item for item in profile.domains}


def test_domain_scores_worked_by_hand():
    domains = by_code(score(INSTRUMENT, FORM, WORKED))
    assert (domains["A"].score, domains["A"].points, domains["A"].answered) == (62.5, 5, 8)
    assert (domains["B"].score, domains["B"].points, domains["B"].answered) == (50.0, 1.5, 3)
    assert (domains["C"].score, domains["C"].points, domains["C"].answered) == (None, 0, 0)
    assert all(item.asked == 8 for item in domains.values())


def test_a_domain_without_answers_has_nothing_to_say():
    nothing = by_code(score(INSTRUMENT, FORM, WORKED))["C"]
    assert nothing.interval is None
    assert nothing.level is None
    assert nothing.sem is None
    assert nothing.self_rating_gap is None


def test_the_whole_is_the_mean_of_the_domains_that_exist():
    overall = score(INSTRUMENT, FORM, WORKED).overall
    assert overall.score == (62.5 + 50) / 2
    assert (overall.answered, overall.asked) == (11, 24)


def test_the_interval_worked_by_hand():
    # Σs = 5 of n = 8: Beta(½ + 5, ½ + 8 − 5)
    jeffreys = stats.beta(5.5, 3.5)
    found = by_code(score(INSTRUMENT, FORM, WORKED))["A"].interval
    assert found == Interval(
        pytest.approx(100 * jeffreys.ppf(0.05)), pytest.approx(100 * jeffreys.ppf(0.95))
    )
    assert (round(found.lower), round(found.upper)) == (34, 85)


def test_the_interval_of_the_whole_counts_each_answer_for_what_it_weighs():
    # 8 and 3 answers in two domains of equal weight: 2²/(1/8 + 1/3) = 96/11 = 8.727…
    assert effective_n([8, 3]) == pytest.approx(96 / 11)
    n = 96 / 11
    jeffreys = stats.beta(0.5 + n * 0.5625, 0.5 + n * 0.4375)
    found = score(INSTRUMENT, FORM, WORKED).overall.interval
    assert found.lower == pytest.approx(100 * jeffreys.ppf(0.05))
    assert found.upper == pytest.approx(100 * jeffreys.ppf(0.95))


def test_a_full_form_is_worth_its_number_of_scenarios():
    assert effective_n([8, 8, 8]) == pytest.approx(24)
    # 24 of 24: Beta(24.5, ½)
    found = score(INSTRUMENT, FORM, everywhere("best")).overall.interval
    assert found.lower == pytest.approx(100 * stats.beta(24.5, 0.5).ppf(0.05))
    assert found.upper == 100


def test_the_chance_line_worked_by_hand():
    # Each scenario: (1 + ½ + 0 + 0)/4 = 0.375
    profile = score(INSTRUMENT, FORM, Sheet())
    assert [item.chance for item in profile.domains] == [37.5, 37.5, 37.5]
    assert profile.overall.chance == 37.5


def test_the_chance_line_follows_the_keys():
    first, second = SCENARIOS[:2]
    no_second_best = msgspec.structs.replace(
        first,
        options=tuple(
            msgspec.structs.replace(option, credit=float(option.credit == 1))
            for option in first.options
        ),
    )
    # ((1 + 0 + 0 + 0)/4 + (1 + ½ + 0 + 0)/4)/2 = (0.25 + 0.375)/2
    assert chance_line([no_second_best, second]) == 31.25


def test_self_rating_worked_by_hand():
    profile = score(INSTRUMENT, FORM, WORKED)
    domain = by_code(profile)["A"]
    # mean(5, 4, 4, 3, 3) = 3.8; 100 · (3.8 − 1)/4 = 70; 70 − 62.5 = 7.5
    assert domain.self_rating == pytest.approx(70)
    assert domain.self_rating_gap == pytest.approx(7.5)
    assert by_code(profile)["B"].self_rating is None
    assert profile.overall.self_rating == pytest.approx(70)


def test_percent_of_maximum():
    assert percent_of_maximum([1, 1], 5) == 0
    assert percent_of_maximum([3], 5) == 50
    assert percent_of_maximum([5], 5) == 100
    assert percent_of_maximum([], 5) is None


def test_a_calibrated_interval_worked_by_hand():
    profile = score(INSTRUMENT, FORM, WORKED, CALIBRATED)
    domains = by_code(profile)
    # Effective length (60 · 40 − 12.2² · 0.7/0.3)/12.2² = 13.7914, so 1.72392 for each of 8
    assert domains["A"].precision.worth == pytest.approx(1.72392, abs=5e-6)
    known = domains["A"].precision
    assert domains["A"].interval == Calibrated(62.5, 8, known.worth, known.spread).interval()
    assert domains["A"].sem_source == "calibrated"
    # (55 · 45 − 12² · 0.71/0.29)/12² = 14.7392; 3 of 8 answered: 50/√(14.7392 · 3/8)
    assert domains["B"].sem == pytest.approx(21.268, abs=5e-4)
    # (55 · 45 − 7.1² · 0.85/0.15)/7.1² = 43.4307; the answers count for 96/11 of 24
    assert profile.overall.sem == pytest.approx(50 / (43.4307 / 2.75) ** 0.5, abs=5e-5)
    assert profile.version_calibration is CALIBRATED


def test_a_score_that_was_not_calibrated_keeps_the_first_interval():
    partly = replace(CALIBRATED, sem={"A": 12.2}, mean={"A": 60.0, "B": 55.0})
    profile = score(INSTRUMENT, FORM, WORKED, partly)
    assert [item.sem_source for item in profile.domains] == ["calibrated", "posterior", None]
    assert profile.overall == score(INSTRUMENT, FORM, WORKED).overall


@pytest.mark.parametrize("sem", [0.0, -1.0, float("nan"), float("inf")])
def test_a_calibration_without_error_is_refused(sem):
    with pytest.raises(ValueError, match="SEM of A"):
        replace(CALIBRATED, sem={"A": sem})


@pytest.mark.parametrize("omega", [0.0, 1.0, float("nan")])
def test_a_calibration_with_an_impossible_reliability_is_refused(omega):
    with pytest.raises(ValueError, match="ω of A"):
        replace(CALIBRATED, omega={"A": omega})


@pytest.mark.parametrize("mean", [0.0, 100.0, float("nan")])
def test_a_calibration_with_an_impossible_mean_is_refused(mean):
    with pytest.raises(ValueError, match="mean of A"):
        replace(CALIBRATED, mean={"A": mean})


def test_nothing_answered():
    profile = score(INSTRUMENT, FORM, Sheet())
    assert [item.score for item in profile.domains] == [None, None, None]
    assert profile.overall.score is None
    assert profile.overall.interval is None


def test_everything_right():
    profile = score(INSTRUMENT, FORM, everywhere("best"))
    for found in (*profile.domains, profile.overall):
        assert found.score == 100
        assert found.interval.upper == 100
        assert found.interval.lower < 100
    # The third level is not named alone before a calibration.
    assert [item.level.levels for item in profile.domains] == [(2, 3), (2, 3), (2, 3)]


calibrations = st.sampled_from([None, CALIBRATED])


@given(sheets(), calibrations)
def test_bounds(found, calibration):
    profile = score(INSTRUMENT, FORM, found, calibration)
    for item in (*profile.domains, profile.overall):
        if item.score is None:
            assert item.answered == 0
            assert item.interval is None
            continue
        assert 0 <= item.interval.lower <= item.score <= item.interval.upper <= 100
        assert item.interval.upper - item.interval.lower > 1
        assert item.self_rating is None or 0 <= item.self_rating <= 100
        assert item.sem > 0


@given(sheets(), calibrations, st.sampled_from(SCENARIOS))
def test_a_better_answer_never_lowers_anything(found, calibration, scenario):
    given_answer = found.answers.get(scenario.code)
    if given_answer is None:
        found = replace(
            found, answers={**found.answers, scenario.code: answer(scenario, "dont_know")}
        )
    before = score(INSTRUMENT, FORM, found, calibration)
    better = replace(found, answers={**found.answers, scenario.code: answer(scenario, "best")})
    after = score(INSTRUMENT, FORM, better, calibration)
    for old, new in zip(
        (*before.domains, before.overall), (*after.domains, after.overall), strict=True
    ):
        if old.score is not None:
            assert new.score >= old.score
            assert new.interval.lower >= old.interval.lower - 1e-9
            assert new.interval.upper >= old.interval.upper - 1e-9
    for old, new in zip(before.domains, after.domains, strict=True):
        if old.level is not None:
            assert new.level.probabilities[0] <= old.level.probabilities[0] + 1e-12
            assert new.level.probabilities[2] >= old.level.probabilities[2] - 1e-12


@given(sheets(), calibrations, st.sampled_from([None, "p25", "p50", "p75", "p95"]))
def test_confidence_never_moves_a_score(found, calibration, confidence):
    surer = replace(
        found,
        answers={
            code: ScenarioAnswer(given.option, None if given.option == "dont_know" else confidence)
            for code, given in found.answers.items()
        },
    )
    before = score(INSTRUMENT, FORM, found, calibration)
    after = score(INSTRUMENT, FORM, surer, calibration)
    assert after.domains == before.domains
    assert after.overall == before.overall


@given(sheets(), calibrations, st.randoms(use_true_random=False))
def test_the_order_of_the_document_changes_no_score(found, calibration, random):
    def shuffled(records):
        return tuple(random.sample(records, len(records)))

    reordered = msgspec.structs.replace(
        INSTRUMENT,
        scenarios=shuffled(
            [
                msgspec.structs.replace(item, options=shuffled(item.options))
                for item in INSTRUMENT.scenarios
            ]
        ),
        self_ratings=shuffled(INSTRUMENT.self_ratings),
        sub_competencies=shuffled(INSTRUMENT.sub_competencies),
        confidence_scale=shuffled(INSTRUMENT.confidence_scale),
    )
    before = score(INSTRUMENT, FORM, found, calibration)
    after = score(reordered, FORM, found, calibration)
    assert after.domains == before.domains
    assert after.overall == before.overall
    assert after.calibration == before.calibration
    assert set(after.outcomes) == set(before.outcomes)
