"""Differential item functioning: do people who do as well on the rest answer an item alike?

For each item, ordinal logistic regression (Zumbo 1999, *A Handbook on the Theory and Methods of
Differential Item Functioning*): the credit earned, by the sum of scores, and then also by the group
and by their product. Both together are tested, by a likelihood ratio on 2 degrees of freedom, and
how much they explain is the gain in Nagelkerke's R² (1991, doi:10.1093/biomet/78.3.691), read by
the limits of Jodoin & Gierl 2001 (doi:10.1207/S15324818AME1404_2). With 24 items, a test at 5 %
would accuse one of nothing: the share of false accusations is held at 5 % over all items of a
comparison (Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x).

The sum is of items that show none of it, found in turns, and of the item itself, without which
groups of unlike readiness would differ for that alone (French & Maller 2007,
doi:10.1177/0013164406294781; Holland & Thayer 1988).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from assessments.cohort.psychometrics import Unsaid

GROUP_MIN = 200
"""People that each of the two groups must have. Below, real differences are more often missed than
seen (Scott et al. 2009, doi:10.1016/j.jclinepi.2008.06.003; Zumbo 1999 says the same)."""
FALSE_SHARE = 0.05
"""Share of the accused items that may be innocent (Benjamini & Hochberg)."""
MODERATE, LARGE = 0.035, 0.070
"""Gains in R² from which a difference is moderate, and large (Jodoin & Gierl 2001)."""
ANCHOR_MIN = 4
"""Items without a difference that the others must be compared on."""
_ROUNDS = 10
_ITERATIONS = 60
_CONVERGED = 1e-11

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
Flags = NDArray[np.bool_]


class Size(StrEnum):
    """How much an item differs between groups, where it does more than chance would have it."""

    NEGLIGIBLE = "negligible"
    MODERATE = "moderate"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Difference:
    """One item in two groups."""

    statistic: float
    """Likelihood ratio, 2 degrees of freedom."""
    p: float
    adjusted: float
    """p by Benjamini and Hochberg, over the items of the comparison."""
    gain: float
    """In Nagelkerke's R², 0 to 1."""
    gap: float
    """Mean score of the focal group minus that of the others with the same sum, weighted as the
    focal group is spread (Dorans & Kulick 1986, doi:10.1111/j.1745-3984.1986.tb00255.x). Below 0,
    the item is harder for the focal group."""

    @property
    def size(self) -> Size:
        if self.adjusted >= FALSE_SHARE or self.gain < MODERATE:
            return Size.NEGLIGIBLE
        return Size.LARGE if self.gain >= LARGE else Size.MODERATE


def compared(scores: Whole, focal: Flags) -> tuple[Difference | Unsaid, ...] | Unsaid:
    """Each item of ``[n, items]`` scores (whole, from 0), between the focal group and the others.

    Unsaid as a whole where a group has fewer than :data:`GROUP_MIN`, or where too few items are
    left to compare on; an item, where its regressions do not converge: groups or scores that never
    overlap.
    """
    if min(int(focal.sum()), int((~focal).sum())) < GROUP_MIN:
        return Unsaid.TOO_FEW_SHEETS
    accused: frozenset[int] = frozenset()
    for _ in range(_ROUNDS):
        if scores.shape[1] - len(accused) < ANCHOR_MIN:
            return Unsaid.TOO_FEW_ITEMS
        found = differences(scores, focal, accused)
        now = frozenset(
            place
            for place, each in enumerate(found)
            if isinstance(each, Difference) and each.size is not Size.NEGLIGIBLE
        )
        if now == accused:
            return found
        accused = now
    # It goes round: what was found last is as good as what was found before.
    return found


def differences(
    scores: Whole, focal: Flags, accused: frozenset[int] = frozenset()
) -> tuple[Difference | Unsaid, ...]:
    """Each item, by the sum of itself and of the items not ``accused``; whatever the numbers."""
    anchor = scores[:, [place for place in range(scores.shape[1]) if place not in accused]].sum(
        axis=1
    )
    tested = [
        _tested(item, anchor + (item if place in accused else 0), focal)
        for place, item in enumerate(scores.T)
    ]
    adjusted = iter(benjamini_hochberg([each.p for each in tested if isinstance(each, Difference)]))
    return tuple(
        Difference(each.statistic, each.p, next(adjusted), each.gain, each.gap)
        if isinstance(each, Difference)
        else each
        for each in tested
    )


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p values: below α are those that the step-up procedure rejects at α."""
    order = np.argsort(p)
    ranked = np.asarray(p, dtype=float)[order] * len(p) / np.arange(1, len(p) + 1)
    lowered = np.minimum.accumulate(ranked[::-1])[::-1]
    found = np.empty(len(p))
    found[order] = np.minimum(lowered, 1.0)
    return [float(value) for value in found]


def _tested(item: Whole, sums: Whole, focal: Flags) -> Difference | Unsaid:
    """One item. People who have the same sum, group and score count as one row."""
    top = int(item.max())
    if item.min() == top:
        return Unsaid.NO_VARIANCE
    levels, level = np.unique(sums, return_inverse=True)
    table = np.zeros((len(levels), 2, top + 1))
    np.add.at(table, (level.ravel(), focal.astype(np.intp), item), 1.0)
    spread = float(sums.std())
    if spread == 0.0:
        return Unsaid.NO_VARIANCE
    x = (levels - sums.mean()) / spread
    group = np.array([0.0, 1.0])
    score = np.repeat(x, 2)
    member = np.tile(group, len(levels))
    design = np.column_stack([score, member, score * member])
    counts = table.reshape(-1, top + 1)
    fits = [cumulative_logit(counts, design[:, :columns]) for columns in (0, 1, 3)]
    nothing, plain, full = fits
    if nothing is None or plain is None or full is None:
        return Unsaid.NOT_CONVERGED
    statistic = max(2 * (full - plain), 0.0)
    gain = nagelkerke(full, nothing, len(item)) - nagelkerke(plain, nothing, len(item))
    return Difference(statistic, math.exp(-statistic / 2), 1.0, max(gain, 0.0), _gap(table))


def _gap(table: Floats) -> float:
    """``table`` is [sum, group, score]; sums that one group alone has are left out."""
    n = table.sum(axis=2)
    both = n.min(axis=1) > 0
    n, totals = n[both], (table[both] @ np.arange(table.shape[2]))
    if not len(n):
        return 0.0
    means = totals / n
    return float((n[:, 1] * (means[:, 1] - means[:, 0])).sum() / n[:, 1].sum())


def nagelkerke(fitted: float, nothing: float, n: int) -> float:
    """R² from the log likelihoods of a model and of the one without predictors."""
    return (1 - math.exp(2 * (nothing - fitted) / n)) / (1 - math.exp(2 * nothing / n))


def cumulative_logit(counts: Floats, design: Floats) -> float | None:
    """The maximal log likelihood of the proportional-odds model: P(Y ≤ j) = Λ(cⱼ − xβ).

    ``counts`` is ``[rows, scores]``: how many of a row have each score; ``design`` is
    ``[rows, predictors]``. With two scores it is logistic regression. Newton's method, with exact
    second derivatives; None where it does not converge. McCullagh 1980,
    doi:10.1111/j.2517-6161.1980.tb01109.x.
    """
    cuts = counts.shape[1] - 1
    below = np.cumsum(counts.sum(axis=0))[:-1] / counts.sum()
    if below.min() <= 0 or below.max() >= 1:
        return None
    point = np.concatenate([np.log(below / (1 - below)), np.zeros(design.shape[1])])
    value, slope, curvature = _cumulative(point, counts, design, cuts)
    for _ in range(_ITERATIONS):
        bends, directions = np.linalg.eigh(curvature)
        safe = np.maximum(np.abs(bends), 1e-10 * np.abs(bends).max())
        step = directions @ ((directions.T @ slope) / safe)
        length = 1.0
        while True:
            moved = point + length * step
            following = _cumulative(moved, counts, design, cuts)
            if following[0] >= value - 1e-12 * abs(value) or length < 1e-8:
                break
            length /= 2
        decrement = float(slope @ step)
        point, (value, slope, curvature) = moved, following
        if np.abs(point).max() > 40:
            return None
        if decrement < _CONVERGED * max(1.0, abs(value)):
            return value
    return None


def _cumulative(
    point: Floats, counts: Floats, design: Floats, cuts: int
) -> tuple[float, Floats, Floats]:
    """Log likelihood, its derivatives, and minus its second derivatives."""
    parameters = len(point)
    if (np.diff(point[:cuts]) <= 0).any():
        return -math.inf, np.zeros(parameters), np.eye(parameters)
    linear = design @ point[cuts:]
    # Of each row, at the lower and the upper edge of each score: Λ, Λ′, Λ″.
    edge = point[None, :cuts] - linear[:, None]
    inside = 1 / (1 + np.exp(-np.clip(edge, -500, 500)))
    rows = len(counts)
    f0 = np.column_stack([np.zeros(rows), inside, np.ones(rows)])
    f1 = f0 * (1 - f0)
    f2 = f1 * (1 - 2 * f0)
    p = np.maximum(np.diff(f0, axis=1), 1e-300)
    value = float((counts * np.log(p)).sum())
    slope, curvature = np.zeros(parameters), np.zeros((parameters, parameters))
    for score in range(cuts + 1):
        # Derivatives of this score's two edges in the parameters: [rows, parameters] each.
        upper, lower = (np.zeros((rows, parameters)) for _ in range(2))
        for place, side in ((score, upper), (score - 1, lower)):
            if 0 <= place < cuts:
                side[:, place] = 1.0
                side[:, cuts:] = -design
        first = f1[:, score + 1, None] * upper - f1[:, score, None] * lower
        weight = counts[:, score] / p[:, score]
        slope += weight @ first
        second = (upper * (weight * f2[:, score + 1])[:, None]).T @ upper
        second -= (lower * (weight * f2[:, score])[:, None]).T @ lower
        curvature += (first * (weight / p[:, score])[:, None]).T @ first - second
    return value, slope, curvature
