import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from assessments.scoring.intervals import (
    ErrorBand,
    Interval,
    Posterior,
    beta_quantile,
    incomplete_beta,
)

shapes = st.floats(0.5, 400.0)
# scipy 1.18 loses digits in the last 1e-15 before 1: see the arcsine test below.
probabilities = st.floats(0.0, 1.0 - 1e-9)


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


@given(st.floats(0, 100), st.floats(0.5, 50))
def test_an_error_band_holds_the_score_and_has_a_width(score, sem):
    interval = ErrorBand(score, sem).interval()
    assert 0 <= interval.lower <= score <= interval.upper <= 100
    assert interval.upper > interval.lower


def test_an_error_band_worked_by_hand():
    band = ErrorBand(62.5, 12.0)
    # 62.5 ± 1.645 · 12 = 62.5 ± 19.74
    assert band.interval() == Interval(pytest.approx(42.76), pytest.approx(82.24))
    # (80 − 62.5)/12 = 1.4583…
    assert band.below(80) == pytest.approx(stats.norm.cdf(17.5 / 12))
    # 90 + 19.74 is over the scale
    assert ErrorBand(90, 12.0).interval().upper == 100


def test_the_uncalibrated_sem_worked_by_hand():
    # 8 scenarios: a + b = 9, at most Beta(4.5, 4.5): SD = √(20.25/(81 · 10)) = 0.5/√10
    assert Posterior(75, 8).sem == pytest.approx(50 / math.sqrt(10))
    assert Posterior(50, 8).sem == pytest.approx(100 * stats.beta(4.5, 4.5).std())
    assert Posterior(0, 24).sem == pytest.approx(9.806, abs=5e-4)
