"""The partial credit model (Masters 1982, doi:10.1007/BF02296272) of a form.

Where item i has the thresholds δᵢ₁ … δᵢₘ, a person at θ scores x on it with a probability in
proportion to exp(xθ − Σₖ₌₁ˣ δᵢₖ): at θ = δᵢₖ, the scores k − 1 and k are as likely as each other.
With m = 1 it is Rasch's model. All are in logits. An item's location is the mean of its thresholds;
the scale begins where the mean of the locations is 0.

The sum of a person's scores then tells all there is to know of θ. Conditioning on it leaves the
thresholds alone, which are estimated without any supposition on people (conditional maximum
likelihood; Andersen 1972, doi:10.1111/j.2517-6161.1972.tb00887.x). No answer is ever missing here.

Scores are whole, from 0; see :func:`categories`. ``n`` people cost one pass: what follows works on
counts by sum of scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assessments.cohort.psychometrics import Unsaid

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]

_CONVERGED = 1e-10
_ITERATIONS = 100
_BEYOND = 15.0
"""A threshold, in logits, that nobody's answers can place: it goes to infinity."""


def categories(earned: Floats) -> tuple[Whole, tuple[tuple[float, ...], ...]]:
    """The credits ``[n, items]`` as scores from 0, and what each score of each item is worth.

    The credits that anyone earned are numbered from the least. An item without an acceptable
    option, or whose acceptable option nobody chose, so has the two scores 0 and 1: a category
    without answers has no threshold that could be estimated (Wilson & Masters 1993,
    doi:10.1007/BF02294473).
    """
    scores = np.empty(earned.shape, dtype=np.intp)
    worth = []
    for column, item in enumerate(earned.T):
        used, places = np.unique(item, return_inverse=True)
        scores[:, column] = places.ravel()
        worth.append(tuple(float(credit) for credit in used))
    return scores, tuple(worth)


# --- Items ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartialCredit:
    """The thresholds of a form, and how well they are known."""

    thresholds: tuple[Floats, ...]
    """Of each item, ``[m]``, in logits."""
    covariance: Floats
    """Of all thresholds' estimates, items in order, ``[Σm, Σm]``."""
    log_likelihood: float
    """Conditional on each person's sum."""

    @property
    def locations(self) -> Floats:
        return np.array([item.mean() for item in self.thresholds])

    @property
    def standard_errors(self) -> tuple[Floats, ...]:
        """Of the thresholds, item by item."""
        errors = np.sqrt(np.diag(self.covariance))
        return tuple(np.split(errors, np.cumsum([len(item) for item in self.thresholds])[:-1]))

    @property
    def location_errors(self) -> Floats:
        """Standard errors of the locations."""
        mean = _blocks(np.full((1, len(item)), 1 / len(item)) for item in self.thresholds)
        return np.sqrt(np.diag(mean @ self.covariance @ mean.T))

    @property
    def greatest(self) -> int:
        """The greatest sum of scores."""
        return sum(len(item) for item in self.thresholds)


def partial_credit(scores: Whole) -> PartialCredit | Unsaid:
    """The conditional maximum likelihood estimates, for ``[n, items]`` scores.

    Newton's method in the thresholds until none moves by more than 1e-10. The elementary symmetric
    functions are products of polynomials with positive coefficients, which lose no digits
    (the summation algorithm; Verhelst, Glas & van der Sluis 1984).

    Unsaid where an item has one score alone, and where no finite estimates fit best: some items
    are passed by all who pass others (Fischer 1981, doi:10.1007/BF02293919).
    """
    tops = scores.max(axis=0)
    if scores.shape[1] < 2:
        return Unsaid.TOO_FEW_ITEMS
    if (scores.min(axis=0) == tops).any():
        return Unsaid.NO_VARIANCE
    items = len(tops)
    sums = np.bincount(scores.sum(axis=1), minlength=int(tops.sum()) + 1)
    seen = [np.bincount(item) for item in scores.T]
    if min(counts.min() for counts in seen) == 0:
        raise ValueError("a score that nobody has; see categories")
    # From thresholds to the (minus) cumulative sums that the likelihood is linear in.
    summing = _blocks(np.tril(np.ones((top, top))) for top in tops)
    centre = np.concatenate([np.full(top, 1 / (items * top)) for top in tops])
    observed = np.concatenate([counts[1:] for counts in seen]).astype(float)

    # To start with: how much rarer a score is than the one below it.
    thresholds = np.concatenate([np.log(counts[:-1] / counts[1:]) for counts in seen])
    thresholds -= centre @ thresholds
    value, expected, information = _conditional(thresholds, tops, summing, sums, observed)
    for _ in range(_ITERATIONS):
        slope = summing.T @ (expected - observed)
        curvature = summing.T @ information @ summing
        step = np.linalg.pinv(curvature, rcond=1e-12, hermitian=True) @ slope
        step -= centre @ step
        length = 1.0
        while True:
            moved = thresholds + length * step
            following = _conditional(moved, tops, summing, sums, observed)
            if following[0] >= value - 1e-12 * abs(value) or length < 1e-6:
                break
            length /= 2
        thresholds, (value, expected, information) = moved, following
        if np.abs(thresholds).max() > _BEYOND:
            return Unsaid.NOT_CONVERGED
        if np.abs(length * step).max() < _CONVERGED:
            break
    else:
        return Unsaid.NOT_CONVERGED
    curvature = summing.T @ information @ summing
    # Moving all thresholds together changes nothing: one direction is flat, and one only.
    flat, steep = np.linalg.eigvalsh(curvature)[[1, -1]]
    if flat <= 1e-8 * steep:
        return Unsaid.NOT_CONVERGED
    keep = np.eye(len(centre)) - np.outer(np.ones(len(centre)), centre)
    covariance = keep @ np.linalg.pinv(curvature, rcond=1e-12, hermitian=True) @ keep.T
    return PartialCredit(
        tuple(np.split(thresholds, np.cumsum(tops)[:-1])), covariance, float(value)
    )


def _blocks(blocks: Iterable[Floats]) -> Floats:
    """The matrix with these on its diagonal."""
    made = tuple(blocks)
    found = np.zeros((sum(len(block) for block in made), sum(block.shape[1] for block in made)))
    row = column = 0
    for block in made:
        found[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return found


def _conditional(
    thresholds: Floats, tops: Whole, summing: Floats, sums: Whole, observed: Floats
) -> tuple[float, Floats, Floats]:
    """The conditional log likelihood; how often each score above 0 of each item is expected, given
    the sums; and the covariance of these counts."""
    weights = np.split(-summing @ thresholds, np.cumsum(tops)[:-1])
    # The distribution of an item's score at θ = 0: as weights go, no other is better, and these
    # neither overflow nor need a logarithm each.
    items = [_softmax(np.concatenate([[0.0], each])) for each in weights]
    total = _product(items)
    people = np.zeros(len(total))
    people[sums > 0] = sums[sums > 0] / total[sums > 0]
    alone, pairs = _without(items)

    # Of each (item, score above 0), how much more likely each sum is for it.
    given = np.zeros((len(observed), len(total)))
    row = 0
    for item, rest in zip(items, alone, strict=True):
        for x in range(1, len(item)):
            given[row, x : x + len(rest)] = item[x] * rest
            row += 1
    expected: Floats = given @ people
    met = sums > 0
    weighed = given[:, met] * (people[met] / total[met])
    information = np.diag(expected) - weighed @ given[:, met].T
    firsts = np.concatenate([[0], np.cumsum(tops)])
    for (i, j), rest in pairs.items():
        most = int(tops[i] + tops[j])
        both = [float(people[least : least + len(rest)] @ rest) for least in range(most + 1)]
        for x in range(1, len(items[i])):
            for y in range(1, len(items[j])):
                row, column = firsts[i] + x - 1, firsts[j] + y - 1
                information[row, column] += items[i][x] * items[j][y] * both[x + y]
                information[column, row] = information[row, column]
    scale = sum(math.log(item[0]) for item in items)
    value = float(observed @ np.concatenate(weights) - sums[met] @ (np.log(total[met]) - scale))
    return value, expected, information


def _softmax(weights: Floats) -> Floats:
    found: Floats = np.exp(weights - weights.max())
    found /= found.sum()
    return found


def _product(polynomials: Iterable[Floats]) -> Floats:
    found = np.ones(1)
    for polynomial in polynomials:
        found = np.convolve(found, polynomial)
    return found


def _leaving_out(polynomials: Sequence[Floats]) -> Iterator[Floats]:
    """The product of all but the first, all but the second, …"""
    after = [np.ones(1)]
    for polynomial in reversed(polynomials[1:]):
        after.append(np.convolve(after[-1], polynomial))
    before = np.ones(1)
    for polynomial, rest in zip(polynomials, reversed(after), strict=True):
        yield np.convolve(before, rest)
        before = np.convolve(before, polynomial)


def _without(items: Sequence[Floats]) -> tuple[list[Floats], dict[tuple[int, int], Floats]]:
    """The products of all items but each one, and but each two."""
    alone, pairs = list(_leaving_out(items)), {}
    before = np.ones(1)
    for i in range(len(items) - 1):
        for j, rest in enumerate(_leaving_out(items[i + 1 :]), i + 1):
            pairs[i, j] = np.convolve(before, rest)
        before = np.convolve(before, items[i])
    return alone, pairs


# --- People ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class People:
    """What each sum of scores, from 0 to the greatest, says of a person: θ and its standard error,
    in logits."""

    weighted: Floats
    """Warm's weighted likelihood estimates; every sum has one."""
    weighted_errors: Floats
    likelihood: Floats
    """Maximum likelihood estimates; −∞ and ∞ at the ends."""
    likelihood_errors: Floats


def people(model: PartialCredit) -> People:
    """The estimates of θ of every sum of scores.

    With E, V and C the mean, variance and third central moment of the sum at θ, the maximum
    likelihood estimate solves r = E, and the weighted one r = E − C/2V, which takes most of the
    bias away (Warm 1989, doi:10.1007/BF02294627). Standard errors are 1/√V.
    """
    sums = np.arange(model.greatest + 1, dtype=float)
    weighted = _solved(model, sums, warm=True)
    likelihood = np.full(len(sums), np.inf)
    likelihood[0] = -np.inf
    likelihood[1:-1] = _solved(model, sums[1:-1], warm=False)
    errors = np.full(len(sums), np.inf)
    errors[1:-1] = 1 / np.sqrt(_moments(model, likelihood[1:-1])[1].sum(axis=1))
    return People(
        weighted, 1 / np.sqrt(_moments(model, weighted)[1].sum(axis=1)), likelihood, errors
    )


def _solved(model: PartialCredit, sums: Floats, *, warm: bool) -> Floats:
    """By bisection: what is solved falls all along."""
    spread = max(float(np.abs(item).max()) for item in model.thresholds)
    low = np.full(len(sums), -spread - 2 * math.log(2 + 4 * model.greatest))
    high = -low
    for _ in range(50):
        middle = (low + high) / 2
        mean, variance, third, _fourth = _moments(model, middle)
        left = sums - mean.sum(axis=1)
        if warm:
            left += third.sum(axis=1) / (2 * variance.sum(axis=1))
        low, high = np.where(left > 0, middle, low), np.where(left > 0, high, middle)
    found: Floats = (low + high) / 2
    return found


def probabilities(model: PartialCredit, theta: Floats) -> Floats:
    """``[len(theta), items, scores]``: how likely each score is; 0 where an item has it not."""
    most = max(len(item) for item in model.thresholds)
    weights = np.full((len(model.thresholds), most + 1), -np.inf)
    for row, item in zip(weights, model.thresholds, strict=True):
        row[: len(item) + 1] = np.concatenate([[0.0], -np.cumsum(item)])
    logits = weights + theta[:, None, None] * np.arange(most + 1)
    found: Floats = np.exp(logits - logits.max(axis=2, keepdims=True))
    found /= found.sum(axis=2, keepdims=True)
    return found


def _moments(model: PartialCredit, theta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """``[len(theta), items]`` each: the mean of an item's score, its variance, and its third and
    fourth central moments."""
    found = probabilities(model, theta)
    scores = np.arange(found.shape[2])
    mean = found @ scores
    apart = scores - mean[:, :, None]
    variance, third, fourth = ((found * apart**power).sum(axis=2) for power in (2, 3, 4))
    return mean, variance, third, fourth


def separation_reliability(estimates: Floats, errors: Floats) -> float | Unsaid:
    """The share of the variance of people's estimates that is not error: (S² − mean SE²)/S².

    ``estimates`` and ``errors`` are a person each. Wright & Masters 1982, *Rating Scale Analysis*,
    ch. 5. It is 0 where all of it is.
    """
    variance = float(estimates.var(ddof=1))
    if variance == 0.0:
        return Unsaid.NO_VARIANCE
    return max(1 - float((errors**2).mean()) / variance, 0.0)


# --- Fit ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ItemFit:
    """How far answers to an item are from what the model expects: mean squares, 1 where they vary
    as it expects, more where they vary more; and the same standardised, 0 ± 1."""

    infit: float
    """Weighted by what each answer tells: of people near the item."""
    infit_t: float
    outfit: float
    """Unweighted: of answers that surprise, of people far from the item."""
    outfit_t: float


def item_fit(model: PartialCredit, scores: Whole) -> tuple[ItemFit, ...]:
    """The fit of each item, for ``[n, items]`` scores.

    With W and C the variance and fourth central moment of an answer at the person's maximum
    likelihood estimate, and z its standardised residual: outfit is the mean of z², of variance
    Σ(C/W²)/n² − 1/n; infit is ΣWz²/ΣW, of variance Σ(C − W²)/(ΣW)². Both are standardised by the
    cube root, t = (v^⅓ − 1)·3/q + q/3 (Wright & Masters 1982, ch. 5). People with the least or the
    greatest sum fit anything, and are left out, as R's eRm does.
    """
    sums = scores.sum(axis=1)
    inside = (sums > 0) & (sums < model.greatest)
    met, row = np.unique(sums[inside], return_inverse=True)
    mean, variance, _third, fourth = _moments(model, _solved(model, met.astype(float), warm=False))
    n = np.bincount(row.ravel(), minlength=len(met)).astype(float)
    found = []
    for place, item in enumerate(scores[inside].T):
        table = np.zeros((len(met), len(model.thresholds[place]) + 1))
        np.add.at(table, (row.ravel(), item), 1.0)
        squares = (np.arange(table.shape[1]) - mean[:, place, None]) ** 2
        residuals = (table * squares).sum(axis=1)
        w, c = variance[:, place], fourth[:, place]
        outfit = float((residuals / w).sum() / n.sum())
        infit = float(residuals.sum() / (n @ w))
        out_q = math.sqrt(max(float(n @ (c / w**2)) / n.sum() ** 2 - 1 / n.sum(), 0.0))
        in_q = math.sqrt(max(float(n @ (c - w**2)), 0.0)) / float(n @ w)
        found.append(ItemFit(infit, _standard(infit, in_q), outfit, _standard(outfit, out_q)))
    return tuple(found)


def _standard(square: float, q: float) -> float:
    return (square ** (1 / 3) - 1) * 3 / q + q / 3 if q > 0 else 0.0


def disordered(thresholds: Floats) -> bool:
    """Whether a threshold is below the one before it: at no θ is the score between them the most
    likely one."""
    return bool((np.diff(thresholds) < 0).any())
