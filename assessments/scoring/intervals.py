"""How far a score can be trusted: what is believed of the true score, from 0 to 100.

Two beliefs answer the same questions (an interval, the probability below a cut, a standard error
of measurement): :class:`Posterior` before a version is calibrated, :class:`ErrorBand` after.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, Protocol

Z = 1.645
"""Half-width, in standard errors, of every 90 % interval."""
TAIL = 0.05
"""What an interval leaves out at each end."""

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
        lower, upper = _quantiles(*self.shape)
        return Interval(min(100.0 * lower, self.score), max(100.0 * upper, self.score))


@dataclass(frozen=True, slots=True)
class ErrorBand:
    """A true score normally distributed about the observed one, with a calibrated SEM (> 0)."""

    score: float
    sem: float

    @property
    def source(self) -> SemSource:
        return "calibrated"

    def below(self, cut: float) -> float:
        return NormalDist(self.score, self.sem).cdf(cut)

    def interval(self) -> Interval:
        margin = Z * self.sem
        return Interval(max(self.score - margin, 0.0), min(self.score + margin, 100.0))


@lru_cache(maxsize=4096)
def _quantiles(a: float, b: float) -> tuple[float, float]:
    return beta_quantile(a, b, TAIL), beta_quantile(a, b, 1.0 - TAIL)


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
        density = math.exp((a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x) - log_beta)
        newton = x - miss / density if density > 0.0 else low
        following = newton if low < newton < high else (low + high) / 2.0
        if following == x or high - low < 1e-16 or abs(following - x) < 1e-16:
            return following
        x = following
