import math
from itertools import product

import pytest
from hypothesis import given

from assessments.scoring.calibration import CLAIM_FROM, calibrate
from assessments.scoring.outcomes import Outcome
from assessments.scoring.profile import score

from .sheets import FORM, INSTRUMENT, everywhere, sheet, sheets

LEVELS = (0.25, 0.50, 0.75, 0.95)


def outcome(confidence, right):
    verdict, credit = ("best", 1.0) if right else ("wrong", 0.0)
    return Outcome("x", "A1", "A", verdict, option="a", credit=credit, confidence=confidence)


def repeated(*groups):
    """Outcomes from (confidence, how many right, how many wrong)."""
    return [
        outcome(confidence, right)
        for confidence, rights, wrongs in groups
        for right in [True] * rights + [False] * wrongs
    ]


def test_worked_by_hand():
    profile = score(
        INSTRUMENT,
        FORM,
        sheet(
            {
                "A2": [("best", "p75"), ("wrong", "p75")],
                "A3": [("best", "p50"), "dont_know"],
                "A1": ["best"],  # no confidence given: left out
            }
        ),
    )
    found = profile.calibration
    # c: 0.75 0.75 0.50 0.25    a: 1 0 1 0    c − a: −0.25 0.75 −0.50 0.25, sum 0.25
    assert (found.n, found.without_confidence) == (4, 1)
    assert found.mean_confidence == 0.5625
    assert found.accuracy == 0.5
    assert found.bias == 0.0625
    # squares: 0.0625 + 0.5625 + 0.25 + 0.0625 = 0.9375; over 4
    assert found.brier == 0.234375
    # variance: (0.9375 − 4 · 0.0625²)/3 = 0.921875/3; SE = √0.307292/√4 = 0.27717
    assert found.bias_se == pytest.approx(0.27717, abs=5e-6)
    # the SE of a calibrated person: √(0.1875 + 0.1875 + 0.25 + 0.1875)/4 = 0.22535, which is less
    assert found.margin == pytest.approx(1.645 * 0.27717, abs=1e-5)
    assert found.claim is None  # four answers are too few


def test_an_acceptable_answer_is_not_the_best_one():
    found = score(INSTRUMENT, FORM, everywhere("acceptable", "p50")).calibration
    assert (found.accuracy, found.bias) == (0, 0.5)


def test_over_confidence_worked_by_hand():
    # 12 answers, 95 % sure, 8 right: B = 0.95 − 0.6667 = 0.2833
    found = calibrate(repeated((0.95, 8, 4)))
    assert found.bias == pytest.approx(0.28333, abs=5e-6)
    # SD² = (12 · (2/3)(1/3))/11 = 0.24242; SE = √(0.24242/12) = 0.14213; margin 0.23381
    assert found.margin == pytest.approx(0.23381, abs=5e-6)
    assert found.claim == "over"


def test_under_confidence_worked_by_hand():
    # 12 answers, 25 % sure, 8 right: B = −0.41667, as far beyond the same margin
    found = calibrate(repeated((0.25, 8, 4)))
    assert found.bias == pytest.approx(-0.41667, abs=5e-6)
    assert found.claim == "under"


def test_a_margin_is_never_nothing():
    # 95 % sure and right 24 times: every difference is −0.05 and the sample SE is 0, but a
    # calibrated person has √(24 · 0.0475)/24 = 0.04449, margin 0.07318
    found = score(INSTRUMENT, FORM, everywhere("best", "p95")).calibration
    assert found.bias == pytest.approx(-0.05)
    assert found.bias_se == 0
    assert found.margin == pytest.approx(0.07318, abs=5e-6)
    assert found.claim == "within"


def test_identical_differences_can_still_be_claimed():
    # 95 % sure and wrong each time: 0.95 is far beyond 0.10349
    assert calibrate(repeated((0.95, 0, 12))).claim == "over"


def test_declined_guesses_are_not_over_confidence():
    # B = 0.25 is beyond 1.645 · √(0.1875/24) = 0.1454, yet nothing was claimed by anybody.
    modest = score(INSTRUMENT, FORM, everywhere("dont_know")).calibration
    assert modest.bias == 0.25
    assert modest.margin == pytest.approx(0.1454, abs=5e-5)
    assert modest.claim == "within"
    # The same bias from answers that were given is over-confidence.
    assert calibrate(repeated((0.25, 0, 24))).claim == "over"


def test_declined_guesses_do_not_hide_over_confidence():
    wishes = {"A": ["dont_know"] * 8, "B": [("wrong", "p95")] * 8, "C": [("wrong", "p95")] * 8}
    assert score(INSTRUMENT, FORM, sheet(wishes)).calibration.claim == "over"


def test_too_few_answers_say_little():
    none, one = calibrate([]), calibrate(repeated((0.75, 1, 0)))
    assert (none.n, none.bias, none.brier, none.bias_se, none.claim) == (0, None, None, None, None)
    assert (one.n, one.bias, one.brier, one.bias_se, one.margin) == (1, -0.25, 0.0625, None, None)
    assert calibrate(repeated((0.95, 0, 11))).claim is None
    assert calibrate(repeated((0.95, 0, 12))).claim == "over"


def false_claims(counts):
    """How often a perfectly calibrated person is told otherwise, by enumeration."""
    total = 0.0
    for rights in product(*(range(count + 1) for count in counts)):
        groups = [
            (level, right, count - right)
            for level, right, count in zip(LEVELS, rights, counts, strict=True)
        ]
        if calibrate(repeated(*groups)).claim in ("over", "under"):
            total += math.prod(
                math.comb(right + wrong, right) * level**right * (1 - level) ** wrong
                for level, right, wrong in groups
            )
    return total


@pytest.mark.parametrize(
    "counts",
    [(12, 0, 0, 0), (0, 12, 0, 0), (0, 0, 12, 0), (0, 0, 0, 12), (3, 3, 3, 3), (1, 7, 0, 4)],
)
def test_false_claims_are_as_rare_as_documented(counts):
    # The last mixture is the worst of all mixtures of 12 answers.
    assert false_claims(counts) <= 0.1567


def test_the_worst_case_is_the_documented_one():
    assert false_claims((1, 7, 0, 4)) == pytest.approx(0.1566, abs=5e-5)


@given(sheets())
def test_bounds(found):
    answered = len(found.answers)
    result = score(INSTRUMENT, FORM, found).calibration
    assert result.n + result.without_confidence == answered
    if result.n:
        assert -1 <= result.bias <= 1
        assert 0 <= result.brier <= 1
        assert result.bias == pytest.approx(result.mean_confidence - result.accuracy)
    assert (result.claim is None) == (result.n < CLAIM_FROM)
    if result.claim in ("over", "under"):
        assert abs(result.bias) > result.margin > 0
        assert (result.bias > 0) == (result.claim == "over")
