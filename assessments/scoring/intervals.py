"""How far a score can be trusted: what is believed of the true score, from 0 to 100.

Two beliefs answer the same questions (an interval, the probability below a cut, a standard error
of measurement): :class:`Posterior` before a version is calibrated, :class:`Calibrated` after.

That both intervals hold the true score at least as often as they say, all along the scale, is what
:mod:`assessments.cohort.measurement` tries on simulated people. The textbook one, the score plus or
minus 1.645 standard errors of measurement, does not: errors are greatest in the middle of the
scale, where one standard error for everybody is too small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

Z = 1.645
"""Half-width, in standard errors, of a margin that chance passes in 10 % of cases."""
TAIL = 0.05
"""What an interval leaves out at each end."""
STEP = 0.5
"""The least difference between two sums of credits, which are 0, ½ or 1."""

SemSource = Literal["posterior", "calibrated"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A 90 % interval, 0 to 100. It contains the score and has a width."""

    lower: float
    upper: float


class Belief(Protocol):
    """What is believed of the true score behind an observed one."""

    @property
    def sem(self) -> float:
        """Standard error of measurement, in points of the 0–100 scale."""

    @property
    def source(self) -> SemSource: ...

    def below(self, cut: float) -> float:
        """The probability that the true score is under ``cut`` (0 to 100)."""

    def interval(self) -> Interval: ...


@dataclass(frozen=True, slots=True)
class Posterior:
    """Beta(½ + Σs, ½ + n − Σs): Jeffreys' prior, and a score of 100·Σs/n on ``n`` scenarios.

    Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286. The credits are graded, so their
    variance is at most that of right-or-wrong answers of the same mean: the interval is then too
    wide rather than too narrow.
    """

    score: float
    n: float

    @property
    def shape(self) -> tuple[float, float]:
        """The two parameters of the distribution."""
        points = self.n * self.score / 100.0
        return 0.5 + points, 0.5 + self.n - points

    @property
    def source(self) -> SemSource:
        return "posterior"

    @property
    def sem(self) -> float:
        """The greatest standard deviation that a posterior on ``n`` scenarios can have.

        SD² = ab/((a + b)²(a + b + 1)) with a + b = n + 1, at most ¼/(n + 2). One conservative
        value all along the scale, as the reliable change index supposes.
        """
        return 50.0 / math.sqrt(self.n + 2.0)

    def below(self, cut: float) -> float:
        return incomplete_beta(*self.shape, cut / 100.0)

    def interval(self) -> Interval:
        # At no point or every point, the equal-tailed interval would leave the score out: the end
        # is moved to it, as Brown, Cai & DasGupta do.
        lower, upper = _quantile(*self.shape, TAIL), _quantile(*self.shape, 1.0 - TAIL)
        return Interval(min(100.0 * lower, self.score), max(100.0 * upper, self.score))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A score on ``n`` scenarios, each worth ``worth`` right-or-wrong answers.

    Livingston & Lewis 1995, doi:10.1111/j.1745-3984.1995.tb00462.x: graded credits are as precise
    as right-or-wrong answers of another number, the effective length n·worth, whose error is that
    of a binomial count. It is then greatest in the middle of the scale, as that of credits is.

    The interval is of the answers alone. The probabilities, from which levels are named, take in
    how true scores are spread among all who answered (beta-binomial model, Keats & Lord 1962,
    Psychometrika 27, 59–72): where few people are at a level, luck is the likelier explanation of
    a high score, and without it more than half of those named there could be elsewhere.
    """

    score: float
    n: float
    worth: float
    spread: tuple[float, float]
    """Parameters of the beta distribution of true scores; see :func:`true_score_spread`."""

    @property
    def source(self) -> SemSource:
        return "calibrated"

    @property
    def sem(self) -> float:
        """The greatest standard error along the scale, that of a true score of 50.

        SD²= π(1 − π)/length; one value for all, as the reliable change index supposes.
        """
        return 50.0 / math.sqrt(self.n * self.worth)

    def below(self, cut: float) -> float:
        a, b = self.spread
        points = self.n * self.score / 100.0
        return incomplete_beta(
            a + self.worth * points, b + self.worth * (self.n - points), cut / 100.0
        )

    def interval(self) -> Interval:
        """The exact interval of Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404, for credits.

        It takes each tail with the score that was met, and so never covers a binomial count too
        rarely. Theirs goes half a step of the count beyond Jeffreys' at either end; so does this,
        in steps of :data:`STEP`.
        """
        half = STEP / 2.0
        lower, upper = self._shape(-half), self._shape(half)
        return Interval(
            min(100.0 * _quantile(*lower, TAIL), self.score) if lower[0] > 0.0 else 0.0,
            max(100.0 * _quantile(*upper, 1.0 - TAIL), self.score) if upper[1] > 0.0 else 100.0,
        )

    def _shape(self, more: float) -> tuple[float, float]:
        """The parameters of the beta distribution with ``more`` points than were earned."""
        points = self.n * self.score / 100.0 + more
        return 0.5 + self.worth * points, 0.5 + self.worth * (self.n - points)


def effective_length(mean: float, sem: float, omega: float) -> float:
    """How many right-or-wrong answers make a score as precise as one with these figures.

    [μ(100 − μ) − ω·SD²]/SEM² with SD² = SEM²/(1 − ω), for a score of 0 to 100 (Livingston & Lewis
    1995, eq. 1). At least 1, since μ(100 − μ) ≥ SD² whatever the scores.
    """
    true_variance = sem**2 * omega / (1.0 - omega)
    return max(1.0, (mean * (100.0 - mean) - true_variance) / sem**2)


def true_score_spread(mean: float, sem: float, omega: float) -> tuple[float, float]:
    """The beta distribution with the mean and the variance, ω·SD², of true scores of 0 to 100.

    Jeffreys' at its widest, whose parameters are ½.
    """
    middle, variance = mean / 100.0, (sem / 100.0) ** 2 * omega / (1.0 - omega)
    strength = middle * (1.0 - middle) / variance - 1.0
    return max(strength * middle, 0.5), max(strength * (1.0 - middle), 0.5)


@lru_cache(maxsize=8192)
def _quantile(a: float, b: float, p: float) -> float:
    return beta_quantile(a, b, p)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0.

    It is 0 up to x = 0 and 1 from x = 1, as a distribution function is. Continued
    fraction DLMF 8.17.22, used where it converges fast, and by the symmetry
    I_x(a, b) = 1 − I_{1−x}(b, a) elsewhere.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    log_front = (
        a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    )
    return math.exp(log_front) / (a * _continued_fraction(a, b, x))


def _continued_fraction(a: float, b: float, x: float) -> float:
    """1 + d₁/(1 + d₂/(1 + …)) by the modified Lentz method (Thompson & Barnett 1986)."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for m in range(1000):
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        even = (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))
        step = 1.0
        for term in (odd, even):
            d = 1.0 / (1.0 + term * d or tiny)
            c = 1.0 + term / c or tiny
            step = c * d
            value *= step
        if abs(step - 1.0) < 1e-15:
            return value
    raise ArithmeticError(f"incomplete beta did not converge at ({a}, {b}, {x})")


def beta_quantile(a: float, b: float, p: float) -> float:
    """The x in [0, 1] where I_x(a, b) = p: Newton's steps, kept inside a shrinking bracket."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"a probability is within 0 and 1, not {p}")
    if p in (0.0, 1.0):
        return p
    low, high, x = 0.0, 1.0, a / (a + b)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    while True:
        miss = incomplete_beta(a, b, x) - p
        low, high = (low, x) if miss > 0.0 else (x, high)
        density = 0.0  # where the quantile is within rounding of an end, halving leads there
        if 0.0 < x < 1.0:
            density = math.exp((a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x) - log_beta)
        newton = x - miss / density if density > 0.0 else low
        following = newton if low < newton < high else (low + high) / 2.0
        if following == x or high - low < 1e-16 or abs(following - x) < 1e-16:
            return following
        x = following
