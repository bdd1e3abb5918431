import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from assessments.scoring.intervals import (
    Calibrated,
    Posterior,
    beta_quantile,
    effective_length,
    incomplete_beta,
    true_score_spread,
)

shapes = st.floats(0.5, 400.0)
# scipy 1.18 loses digits in the last 1e-15 before 1: see the arcsine test below.
probabilities = st.floats(0.0, 1.0 - 1e-9)

JEFFREYS = (0.5, 0.5)


@given(shapes, shapes, probabilities)
def test_incomplete_beta_agrees_with_scipy(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-10)


@given(shapes, shapes, st.sampled_from([0.05, 0.95]) | st.floats(1e-6, 1 - 1e-6))
def test_beta_quantile_agrees_with_scipy(a, b, p):
    assert beta_quantile(a, b, p) == pytest.approx(special.betaincinv(a, b, p), abs=1e-10)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 24, 40])
def test_every_interval_of_half_credits_agrees_with_scipy(n):
    for halves in range(2 * n + 1):
        earned = halves / 2
        posterior = Posterior(100 * earned / n, n)
        jeffreys = stats.beta(0.5 + earned, 0.5 + n - earned)
        interval = posterior.interval()
        if earned > 0:
            assert interval.lower == pytest.approx(100 * jeffreys.ppf(0.05), abs=1e-10)
        if earned < n:
            assert interval.upper == pytest.approx(100 * jeffreys.ppf(0.95), abs=1e-10)
        assert posterior.below(55) == pytest.approx(jeffreys.cdf(0.55), abs=1e-10)
        assert 100 * jeffreys.std() <= posterior.sem + 1e-9


@pytest.mark.parametrize("x", [1e-300, 1e-16, 0.25, 0.5, 1 - 1e-9, 1 - 1e-15, 1 - 2**-53])
def test_incomplete_beta_of_two_halves_is_the_arcsine_law(x):
    # I_x(½, ½) = (2/π)·asin √x = 1 − (2/π)·asin √(1 − x)
    def half(part):
        return 2 / math.pi * math.asin(math.sqrt(part))

    exact = half(x) if x < 0.5 else 1 - half(1 - x)
    assert incomplete_beta(0.5, 0.5, x) == pytest.approx(exact, abs=1e-15)


def test_incomplete_beta_is_a_distribution_function():
    assert incomplete_beta(2, 3, -0.5) == incomplete_beta(2, 3, 0) == 0
    assert incomplete_beta(2, 3, 1) == incomplete_beta(2, 3, 1.5) == 1


def test_quantiles_at_the_ends():
    assert beta_quantile(2, 3, 0) == 0
    assert beta_quantile(2, 3, 1) == 1
    with pytest.raises(ValueError, match="probability"):
        beta_quantile(2, 3, 1.5)


def test_the_interval_reaches_the_ends_of_the_scale_with_the_score():
    nothing, everything = Posterior(0, 8).interval(), Posterior(100, 8).interval()
    assert nothing.lower == 0
    assert everything.upper == 100
    # Nothing missed of 8: Beta(8.5, 0.5); the two ends mirror each other.
    assert everything.lower == pytest.approx(79.249, abs=5e-4)
    assert nothing.upper == pytest.approx(100 - everything.lower)


@given(st.floats(0, 100), st.floats(0.25, 100))
def test_a_posterior_interval_holds_the_score_and_has_a_width(score, n):
    interval = Posterior(score, n).interval()
    assert 0 <= interval.lower <= score <= interval.upper <= 100
    assert interval.upper - interval.lower > 1


@given(st.floats(0, 100), st.floats(0.25, 100), st.floats(0.05, 8))
def test_a_calibrated_interval_holds_the_score_and_has_a_width(score, n, worth):
    interval = Calibrated(score, n, worth, JEFFREYS).interval()
    assert 0 <= interval.lower <= score <= interval.upper <= 100
    assert interval.upper > interval.lower


@pytest.mark.parametrize("earned", range(1, 12))
def test_of_right_or_wrong_answers_the_calibrated_interval_is_clopper_and_pearsons(earned):
    """Two steps of a half are one right answer: a scenario worth two of them, 6 in all."""
    interval = Calibrated(100 * earned / 12, 6, 2.0, JEFFREYS).interval()
    exact = stats.binomtest(earned, 12).proportion_ci(0.90, "exact")
    assert interval.lower == pytest.approx(100 * exact.low)
    assert interval.upper == pytest.approx(100 * exact.high)


def test_a_calibrated_interval_reaches_the_end_of_the_scale_where_steps_are_whole_answers():
    assert Calibrated(0, 6, 2.0, JEFFREYS).interval().lower == 0
    assert Calibrated(100, 6, 2.0, JEFFREYS).interval().upper == 100


def test_a_calibrated_interval_worked_by_hand():
    # 5 points of 8, each worth 1.5: Beta(½ + 1.5·4¾, ½ + 1.5·3¼) and Beta(½ + 1.5·5¼, ½ + 1.5·2¾)
    band = Calibrated(62.5, 8, 1.5, (6.0, 5.0))
    assert band.interval().lower == pytest.approx(100 * stats.beta(7.625, 5.375).ppf(0.05))
    assert band.interval().upper == pytest.approx(100 * stats.beta(8.375, 4.625).ppf(0.95))
    assert band.below(80) == pytest.approx(stats.beta(6 + 7.5, 5 + 4.5).cdf(0.80))
    assert band.sem == pytest.approx(50 / math.sqrt(12))


def test_an_effective_length_worked_by_hand():
    # SD² = 12²/(1 − 0.7) = 480; (55 · 45 − 0.7 · 480)/144 = (2475 − 336)/144
    assert effective_length(55, 12, 0.7) == pytest.approx(14.854, abs=5e-4)


def test_the_effective_length_of_a_binomial_count_is_its_number_of_answers():
    """Livingston & Lewis's own case: true shares of mean 0.6 and variance 0.03, 20 answers."""
    error = (0.6 * 0.4 - 0.03) / 20
    omega = 0.03 / (0.03 + error)
    assert effective_length(60, 100 * math.sqrt(error), omega) == pytest.approx(20)


def test_the_uncalibrated_sem_worked_by_hand():
    # 8 scenarios: a + b = 9, at most Beta(4.5, 4.5): SD = √(20.25/(81 · 10)) = 0.5/√10
    assert Posterior(75, 8).sem == pytest.approx(50 / math.sqrt(10))
    assert Posterior(50, 8).sem == pytest.approx(100 * stats.beta(4.5, 4.5).std())
    assert Posterior(0, 24).sem == pytest.approx(9.806, abs=5e-4)


def test_a_quantile_within_rounding_of_an_end():
    assert beta_quantile(14.7, 0.07, 0.95) == 1.0
    assert beta_quantile(0.07, 14.7, 0.05) == pytest.approx(0.0, abs=1e-16)


def test_the_spread_of_true_scores_worked_by_hand():
    # ω·SD² = 12² · 0.7/0.3 = 336; 0.55 · 0.45/0.0336 − 1 = 6.36607
    a, b = true_score_spread(55, 12, 0.7)
    assert (a, b) == pytest.approx((0.55 * 6.36607, 0.45 * 6.36607), abs=5e-5)
    known = stats.beta(a, b)
    assert (known.mean(), known.var()) == pytest.approx((0.55, 0.0336))


def test_true_scores_are_spread_no_wider_than_jeffreys():
    assert true_score_spread(50, 12, 0.95) == (0.5, 0.5)
