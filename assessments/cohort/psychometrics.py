"""How good a form is as a measure: its items and scales, over every finished sheet of a version.

Nothing here is about a group: the input is all the sheets of one form of one instrument version,
and below :data:`N_MIN` of them a figure is not said.

An item is a scenario, and its value the credit earned: 1, 0.5 or 0, "I don't know" being 0. A scale
is a domain, or the whole (:data:`assessments.scoring.scores.OVERALL`). Its score is that of
:mod:`assessments.scoring.scores` on a form answered in full, in points of 0 to 100: a sum of
credits, each worth 100/items in a domain, and 100/(domains · items of its domain) in the whole. All
that is said of a scale is of that very sum.

**Missing answers.** Difficulty is over those who answered the item. All else is over the sheets
complete in the scale (the domain of the item, or the whole form); no answer is ever imputed. Every
finding says how many sheets it is of and how many it leaves out.

The functions on a covariance matrix or on plain columns are exact and hold for any data, without
the threshold; covariances have the divisor n − 1. A covariance matrix costs one product, after
which the number of sheets no longer matters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from assessments.cohort.statistics import ERROR, Estimate
from assessments.instrument.document import Instrument, digest
from assessments.scoring.intervals import beta_quantile
from assessments.scoring.scores import OVERALL, VersionCalibration
from assessments.scoring.sheet import DONT_KNOW_BYTE, UNANSWERED_BYTE, layout

N_MIN = 200
"""Sheets below which nothing is said (disclosure.md, rule 7)."""
TAIL_SHARE = 0.27
"""The share of people in the upper group, and in the lower: where scores are normal, it tells items
apart best (Kelley 1939, doi:10.1037/h0057123)."""
LEAST_UNIQUENESS = 0.005
"""The share of its variance that an item must keep outside the factor for the solution to be
proper; R's ``factanal`` stops at the same value."""
_NEGLIGIBLE = 1e-12
"""A variance below this share of the others is zero but for rounding."""
_CONVERGED = 1e-10
_ITERATIONS = 200
_NOTHING_LEFT = -30.0
"""A log ψ from which it can only fall further."""
_BLOCK = 65_536

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class Unsaid(StrEnum):
    """Why a figure is not said."""

    TOO_FEW_SHEETS = "too_few_sheets"
    """Fewer than :data:`N_MIN`."""
    TOO_FEW_ITEMS = "too_few_items"
    """Two are needed to compare an item with others, or for α; three for ω."""
    NO_VARIANCE = "no_variance"
    """Everybody earns the same on the item, or on what it is compared with."""
    IMPROPER = "improper"
    """The best one-factor model leaves an item no error of its own (a Heywood case), or some items
    determine another: an ω taken from it would be a reliability that cannot be."""
    NOT_CONVERGED = "not_converged"
    """No single one-factor model fits best: no common factor, or too few items that share it."""


@dataclass(frozen=True, slots=True)
class Finding[T]:
    """One figure of a form: a value, or the reason why there is none."""

    n: int
    """Sheets it is of."""
    left_out: int
    """Sheets of the form that it leaves out, because they lack an answer it needs."""
    value: T | None = None
    unsaid: Unsaid | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.unsaid is None):
            raise ValueError("a finding has a value or a reason, not both")


@dataclass(frozen=True, slots=True)
class ItemQuality:
    """One scenario of the form. The two comparisons are with the rest of its domain: the mean
    credit of the domain's other scenarios, so that no item is compared with itself."""

    code: str
    domain: str
    difficulty: Finding[float]
    """Mean credit, 0 to 1: the higher, the easier."""
    item_rest: Finding[float]
    """Corrected item–total correlation, −1 to 1; see :func:`item_rest_correlations`."""
    discrimination: Finding[float]
    """Mean credit of the upper group minus the lower's, −1 to 1; see :func:`upper_lower`."""


@dataclass(frozen=True, slots=True)
class ScaleQuality:
    """One domain, or the whole: the score in points of 0 to 100, and how reliable it is."""

    code: str
    items: int
    n: int
    """Sheets complete in the scale."""
    left_out: int
    mean: Finding[float]
    sd: Finding[float]
    """Of people's scores, divisor n − 1."""
    alpha: Finding[Estimate]
    """Cronbach's α with its interval; see :func:`cronbach_alpha`, :func:`feldt_interval`."""
    omega: Finding[Estimate]
    """McDonald's ω with its interval; see :func:`omega_total`, :func:`omega_interval`."""
    sem: Finding[float]
    """Standard error of measurement, SD·√(1 − ω), in points."""
    sem_alpha: Finding[float]
    """The same from α: SD·√(1 − α)."""


@dataclass(frozen=True, slots=True)
class FormQuality:
    """All that is said of a form. Items and scales follow the order of the instrument; the whole
    comes last."""

    instrument: str
    version: str
    digest: str
    form: str
    sheets: int
    items: tuple[ItemQuality, ...]
    scales: tuple[ScaleQuality, ...]


# --- A form ---------------------------------------------------------------------------------------


def credits(instrument: Instrument, form: str, sheets: Bytes) -> Floats:
    """What each answer earned, ``[n, items]``, items in the order of the form.

    1, 0.5 or 0 by the graded key, 0 for "I don't know", NaN where unanswered. ``sheets`` is
    ``[n, size]``, a packed sheet a row. ValueError if the shape or a byte does not fit.
    """
    places = layout(instrument, form)
    n = len(sheets)
    if sheets.dtype != np.uint8 or sheets.shape != (n, places.size):
        raise ValueError(f"sheets must be uint8 of shape (n, {places.size})")
    scenarios = instrument.scenarios_of(form)
    # A column is one item: it is written, and mostly read, whole.
    earned: Floats = np.empty((n, len(scenarios)), order="F")
    for column, item in enumerate(scenarios):
        worth = np.full(256, np.inf)
        worth[UNANSWERED_BYTE] = np.nan
        worth[DONT_KNOW_BYTE] = 0.0
        worth[1 : len(item.options) + 1] = [option.credit for option in item.options]
        np.take(worth, sheets[:, places.offset("option", item.code)], out=earned[:, column])
        if np.isinf(earned[:, column]).any():
            raise ValueError(f"{item.code}: an answer outside its options")
    return earned


def form_quality(instrument: Instrument, form: str, sheets: Bytes) -> FormQuality:
    """The quality of a form over ``n`` finished sheets, all there are of the instrument version.

    ``sheets`` is ``[n, size]``, a packed sheet a row, of this form. ValueError as :func:`credits`.
    """
    earned = credits(instrument, form, sheets)
    scenarios = instrument.scenarios_of(form)
    of = [instrument.domain_of(item.sub_competency) for item in scenarios]
    domains = [domain.code for domain in instrument.domains if domain.code in of]
    weights = np.empty(len(scenarios))
    items: dict[int, ItemQuality] = {}
    scales = []
    for domain in domains:
        places = [place for place, its in enumerate(of) if its == domain]
        # The whole is the mean of the domains, whatever the number of their items.
        weights[places] = 100.0 / (len(domains) * len(places))
        complete = _complete(earned[:, places])
        n, left_out = len(complete), len(sheets) - len(complete)
        for place, (correlation, discrimination) in zip(
            places, _against_the_rest(complete), strict=True
        ):
            items[place] = ItemQuality(
                scenarios[place].code,
                domain,
                _difficulty(earned[:, place]),
                _finding(n, left_out, correlation),
                _finding(n, left_out, discrimination),
            )
        equal = np.full(len(places), 100.0 / len(places))
        scales.append(_scale(domain, left_out, complete, equal))
    complete = _complete(earned)
    scales.append(_scale(OVERALL, len(sheets) - len(complete), complete, weights))
    return FormQuality(
        instrument=instrument.code,
        version=instrument.version,
        digest=digest(instrument),
        form=form,
        sheets=len(sheets),
        items=tuple(items[place] for place in range(len(scenarios))),
        scales=tuple(scales),
    )


def version_calibration(quality: FormQuality, on: date) -> VersionCalibration:
    """What the scoring takes from a form's quality: the scales whose figures are all said."""
    said = [
        (scale, scale.sem.value, scale.omega.value, scale.mean.value) for scale in quality.scales
    ]
    known = [
        (scale.code, sem, omega.value, mean)
        for scale, sem, omega, mean in said
        if sem and omega and omega.value > 0 and mean
    ]
    return VersionCalibration(
        sem={code: sem for code, sem, _, _ in known},
        omega={code: omega for code, _, omega, _ in known},
        mean={code: mean for code, _, _, mean in known},
        n=quality.sheets,
        date=on,
    )


def _complete(earned: Floats) -> Floats:
    """The rows without a missing answer."""
    missing = np.zeros(len(earned), dtype=bool)
    for column in earned.T:
        missing |= np.isnan(column)
    return earned[~missing] if missing.any() else earned


def _finding[T](n: int, left_out: int, value: T | Unsaid) -> Finding[T]:
    if isinstance(value, Unsaid):
        return Finding(n, left_out, unsaid=value)
    return Finding(n, left_out, value)


def _difficulty(item: Floats) -> Finding[float]:
    answered = item[~np.isnan(item)]
    enough = len(answered) >= N_MIN
    value = float(answered.mean()) if enough else Unsaid.TOO_FEW_SHEETS
    return _finding(len(answered), len(item) - len(answered), value)


def _against_the_rest(complete: Floats) -> list[tuple[float | Unsaid, float | Unsaid]]:
    """Of each item of a domain: item–rest correlation, and upper–lower discrimination."""
    n, items = complete.shape
    if n < N_MIN:
        return [(Unsaid.TOO_FEW_SHEETS, Unsaid.TOO_FEW_SHEETS)] * items
    if items < 2:
        return [(Unsaid.TOO_FEW_ITEMS, Unsaid.TOO_FEW_ITEMS)] * items
    total = complete.sum(axis=1)
    return [
        (correlation, upper_lower(item, total - item))
        for item, correlation in zip(
            complete.T, item_rest_correlations(covariance(complete)), strict=True
        )
    ]


def _scale(code: str, left_out: int, complete: Floats, weights: Floats) -> ScaleQuality:
    """``complete`` is ``[n, items]``; the score is its rows' sum with ``weights``, in points."""
    n, items = complete.shape
    mean: float | Unsaid = Unsaid.TOO_FEW_SHEETS
    sd: float | Unsaid = Unsaid.TOO_FEW_SHEETS
    alpha: Estimate | Unsaid = Unsaid.TOO_FEW_SHEETS
    omega: Estimate | Unsaid = Unsaid.TOO_FEW_SHEETS
    if n >= N_MIN:
        mean = float(complete.mean(axis=0) @ weights)
        # Weighed after, not before: of credits that do not vary, the covariance is exactly 0.
        covariances = covariance(complete) * np.outer(weights, weights)
        sd = math.sqrt(max(float(covariances.sum()), 0.0))
        plain = cronbach_alpha(covariances)
        alpha = plain if isinstance(plain, Unsaid) else feldt_interval(plain, n, items)
        fit = one_factor(covariances)
        omega = fit if isinstance(fit, Unsaid) else omega_interval(complete * weights, fit)
    return ScaleQuality(
        code=code,
        items=items,
        n=n,
        left_out=left_out,
        mean=_finding(n, left_out, mean),
        sd=_finding(n, left_out, sd),
        alpha=_finding(n, left_out, alpha),
        omega=_finding(n, left_out, omega),
        sem=_finding(n, left_out, _sem(sd, omega)),
        sem_alpha=_finding(n, left_out, _sem(sd, alpha)),
    )


def _sem(sd: float | Unsaid, reliability: Estimate | Unsaid) -> float | Unsaid:
    if isinstance(sd, Unsaid):
        return sd
    if isinstance(reliability, Unsaid):
        return reliability
    # Of identical items, α may exceed 1 by rounding.
    return sd * math.sqrt(max(1.0 - reliability.value, 0.0))


# --- Items ----------------------------------------------------------------------------------------


def covariance(values: Floats) -> Floats:
    """The covariance matrix ``[items, items]`` of ``[n, items]`` complete values, n ≥ 2."""
    centred = values - values.mean(axis=0)
    found: Floats = centred.T @ centred / (len(values) - 1)
    return found


def item_rest_correlations(covariances: Floats) -> tuple[float | Unsaid, ...]:
    """Each item's correlation with the sum (or the mean: it is the same) of all the others.

    From the covariance matrix, with c the row sums and V their sum:
    (cᵢ − sᵢᵢ)/√(sᵢᵢ·(V − 2cᵢ + sᵢᵢ)), the ``r.drop`` of R's psych.
    """
    if len(covariances) < 2:
        return (Unsaid.TOO_FEW_ITEMS,) * len(covariances)
    variances, rows = np.diag(covariances), covariances.sum(axis=1)
    rests = covariances.sum() - 2 * rows + variances
    nothing = _NEGLIGIBLE * float(variances.sum())
    return tuple(
        Unsaid.NO_VARIANCE
        if variance <= nothing or rest <= nothing
        else float((row - variance) / math.sqrt(variance * rest))
        for variance, row, rest in zip(variances, rows, rests, strict=True)
    )


def upper_lower(item: Floats, rest: Floats) -> float | Unsaid:
    """Mean of ``item`` among the top 27 % by ``rest``, minus that among the bottom 27 %.

    Both are ``[n]``, complete, n ≥ 1. Each group is of exactly 0.27·n people. Those who share the
    score at its edge count for equal parts that fill the group: it is the mean over all ways to
    choose among them, and the order of people never matters. Kelley 1939,
    doi:10.1037/h0057123.
    """
    size = TAIL_SHARE * len(rest)
    bottom = max(math.ceil(size) - 1, 0)
    top = len(rest) - 1 - bottom
    if rest.min() == rest.max():
        return Unsaid.NO_VARIANCE
    edges = np.partition(rest, (bottom, top))
    lower = _tail_sum(item, rest < edges[bottom], rest == edges[bottom], size)
    upper = _tail_sum(item, rest > edges[top], rest == edges[top], size)
    return (upper - lower) / size


def _tail_sum(
    item: Floats, inside: NDArray[np.bool_], edge: NDArray[np.bool_], size: float
) -> float:
    """The sum of an item over a group of ``size``: all inside, and their part of those at the
    edge."""
    part = (size - int(inside.sum())) / int(edge.sum())
    return float(item[inside].sum()) + part * float(item[edge].sum())


# --- Cronbach's alpha -----------------------------------------------------------------------------


def cronbach_alpha(covariances: Floats) -> float | Unsaid:
    """k/(k − 1)·(1 − Σsᵢᵢ/ΣΣsᵢⱼ), at most 1 and without a lower bound.

    Cronbach 1951, doi:10.1007/BF02310555. It is the reliability of the sum if all items have the
    same true part, and below it otherwise, as long as their errors are uncorrelated.
    """
    items = len(covariances)
    if items < 2:
        return Unsaid.TOO_FEW_ITEMS
    own, total = float(np.trace(covariances)), float(covariances.sum())
    if total <= _NEGLIGIBLE * own or own == 0.0:
        return Unsaid.NO_VARIANCE
    return items / (items - 1) * (1 - own / total)


def feldt_interval(alpha: float, n: int, items: int) -> Estimate:
    """α with its 95 % interval: (1 − α)/(1 − α̂) follows F with n − 1 and (n − 1)(items − 1).

    Feldt 1965, doi:10.1007/BF02289499, supposing normal scores and parallel items.
    """
    first, second = n - 1, (n - 1) * (items - 1)
    lower, upper = (
        1 - (1 - alpha) * f_quantile(first, second, p) for p in (1 - ERROR / 2, ERROR / 2)
    )
    return Estimate(alpha, lower, upper)


def f_quantile(first: float, second: float, p: float) -> float:
    """The p-quantile, 0 ≤ p < 1, of F with ``first`` and ``second`` degrees of freedom.

    From the beta distribution: d₁F/(d₁F + d₂) follows Beta(d₁/2, d₂/2) (DLMF 8.17).
    """
    share = beta_quantile(first / 2, second / 2, p)
    return second * share / (first * (1 - share))


# --- McDonald's omega -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OneFactor:
    """A one-factor model, Σ = λλᵀ + diag(ψ), in the units of the covariances; Σλᵢ ≥ 0."""

    loadings: Floats
    """λ, ``[items]``."""
    uniquenesses: Floats
    """ψ, ``[items]``: each item's variance outside the factor."""


def one_factor(covariances: Floats) -> OneFactor | Unsaid:
    """The maximum likelihood one-factor model of a covariance matrix.

    The likelihood is maximal in the loadings for given uniquenesses in closed form; what is left is
    minimised in x = log ψ by Newton's method with exact second derivatives (Jöreskog 1967; Clarke
    1970; Lawley & Maxwell 1971, ch. 4), until no log ψ moves by more than 1e-10. With θ₁ ≥ θ₂ ≥ …
    and ω₁, ω₂, … the eigenvalues and eigenvectors of ψ^(−½)Rψ^(−½), R the correlations:

    - f = Σₘ₌₂ (θₘ − log θₘ − 1), ∂f/∂xᵢ = Σₘ₌₂ (1 − θₘ)ω²ᵢₘ;
    - ∂²f/∂xᵢ∂xⱼ = (Σₘ₌₂ ωᵢₘωⱼₘ)(Σₘ₌₂ θₘωᵢₘωⱼₘ)
      + ωᵢ₁ωⱼ₁ Σₘ₌₂ (1 − θₘ)(θ₁ + θₘ)/(θ₁ − θₘ)·ωᵢₘωⱼₘ;
    - λ = ψ^½ ω₁ √(θ₁ − 1).

    Where a factor is hardly there, there may be several minima: the lower is taken of the two that
    two starts lead to.
    """
    items = len(covariances)
    if items < 3:
        return Unsaid.TOO_FEW_ITEMS
    variances = np.diag(covariances)
    if variances.min() <= _NEGLIGIBLE * float(variances.sum()):
        return Unsaid.NO_VARIANCE
    scales = np.sqrt(variances)
    correlations = covariances / np.outer(scales, scales)
    if np.linalg.eigvalsh(correlations)[0] <= _CONVERGED:
        return Unsaid.IMPROPER
    # Jöreskog's start, and a plain one.
    starts = (1 - 0.5 / items) / np.diag(np.linalg.inv(correlations)), np.full(items, 0.5)
    logs, point = min(
        (_minimum(correlations, np.log(start)) for start in starts), key=lambda end: end[1].value
    )
    if np.exp(logs.min()) < LEAST_UNIQUENESS:
        return Unsaid.IMPROPER
    curvatures = np.linalg.eigvalsh(point.hessian)
    determined = curvatures[0] > 1e-8 * curvatures[-1] and point.first > 1.0
    if np.abs(point.gradient).max() > 1e-9 or not determined:
        return Unsaid.NOT_CONVERGED
    loadings = np.exp(logs / 2) * point.factor * math.sqrt(point.first - 1.0)
    if loadings @ scales < 0:
        loadings = -loadings
    return OneFactor(loadings * scales, np.exp(logs) * variances)


def _minimum(correlations: Floats, logs: Floats) -> tuple[Floats, _Profile]:
    """Where Newton's steps from a start end: at a minimum, or where an item keeps nothing."""
    point = _profile(correlations, logs)
    for _ in range(_ITERATIONS):
        curvatures, directions = np.linalg.eigh(point.hessian)
        # Downhill even where the surface bends the other way; never further than a factor e².
        safe = np.maximum(np.abs(curvatures), 1e-8 * np.abs(curvatures).max())
        step = -directions @ ((directions.T @ point.gradient) / safe)
        step /= max(1.0, float(np.abs(step).max()) / 2)
        slope = float(step @ point.gradient)
        length = 1.0
        while True:
            following = _profile(correlations, logs + length * step)
            # Within rounding, no descent can be seen any more, and the full step is right.
            bound = point.value + 1e-4 * length * slope + 1e-14 * len(logs)
            if following.value <= bound or length < 1e-6:
                break
            length /= 2
        logs, point = logs + length * step, following
        if logs.min() < _NOTHING_LEFT or np.abs(length * step).max() < _CONVERGED:
            break
    return logs, point


@dataclass(frozen=True, slots=True)
class _Profile:
    """The discrepancy at some log ψ, minimal in the loadings, and its derivatives."""

    value: float
    gradient: Floats
    hessian: Floats
    first: float
    """θ₁."""
    factor: Floats
    """ω₁."""


def _profile(correlations: Floats, logs: Floats) -> _Profile:
    scales = np.exp(-logs / 2)
    theta, vectors = np.linalg.eigh(correlations * np.outer(scales, scales))
    first, factor = theta[-1], vectors[:, -1]
    theta, vectors = theta[:-1], vectors[:, :-1]
    apart = (1 - theta) * (first + theta) / np.maximum(first - theta, 1e-9 * first)
    hessian = (vectors @ vectors.T) * ((vectors * theta) @ vectors.T)
    hessian += np.outer(factor, factor) * ((vectors * apart) @ vectors.T)
    return _Profile(
        float((theta - np.log(theta) - 1).sum()),
        (vectors**2) @ (1 - theta),
        hessian,
        float(first),
        factor,
    )


def omega_total(fit: OneFactor) -> float:
    """(Σλ)²/((Σλ)² + Σψ): the share of the sum's variance, by the model, that is the factor's.

    McDonald 1999, *Test Theory*, ch. 6.
    """
    common = float(fit.loadings.sum()) ** 2
    return common / (common + float(fit.uniquenesses.sum()))


def omega_interval(values: Floats, fit: OneFactor) -> Estimate:
    """ω with its 95 % interval. ``values`` are the ``[n, items]`` that the model is fitted to.

    The standard error is that of the delta method (Raykov 2002, doi:10.1207/S15327906MBR3701_04),
    from the covariance matrix of the estimates that holds without normality and if the model is
    only approximate (White 1982, doi:10.2307/1912526): credits take three values, and are far from
    normal. The interval is symmetrical in log(ω/(1 − ω)), and so stays within 0 and 1 (Raykov &
    Marcoulides 2011, ch. 7; Kelley & Pornprasertmanit 2016, doi:10.1037/a0040086).
    """
    omega, error = omega_total(fit), omega_standard_error(values, fit)
    spread = omega * (1 - omega)
    if spread == 0.0:  # loadings that cancel out: nothing is known of ω
        return Estimate(omega, 0.0, 1.0)
    odds = math.exp(min(NormalDist().inv_cdf(1 - ERROR / 2) * error / spread, 700.0))
    lower = omega / (omega + (1 - omega) * odds)
    upper = omega / (omega + (1 - omega) / odds)
    return Estimate(omega, lower, upper)


def omega_standard_error(values: Floats, fit: OneFactor) -> float:
    """The standard error of ω̂: the deviation of people's influences on it, over √n.

    The influence of a person at zᵢ from the mean is zᵢᵀGzᵢ less its mean, where G is the
    derivative of ω̂ in the covariances (:func:`_omega_gradient`); the variance has divisor n.
    """
    n = len(values)
    mean = values.mean(axis=0)
    centred = values - mean
    gradient = _omega_gradient(centred.T @ centred / (n - 1), fit) * (n / (n - 1))
    influences = np.concatenate(
        [
            np.einsum("ni,ni->n", block @ gradient, block)
            for block in np.array_split(centred, math.ceil(n / _BLOCK))
        ]
    )
    return float(influences.std()) / math.sqrt(n)


def _omega_gradient(covariances: Floats, fit: OneFactor) -> Floats:
    """How ω̂ moves with the covariances: dω̂ = Σᵢⱼ Gᵢⱼ dsᵢⱼ, G ``[items, items]`` symmetrical.

    The estimates t = (λ, ψ) make the derivatives of F = log|Σ| + tr(SΣ⁻¹) zero; moving S, they move
    by dt = H⁻¹ tr(P(∂Σ/∂t)P dS), with P = Σ⁻¹ and H the second derivatives of F. So G = PMP, where
    M = Σₜ uₜ ∂Σ/∂t and u = H⁻¹ ∂ω/∂t. H is taken at the minimum, where Aλ = 0 for A = P − PSP.
    """
    loadings, uniquenesses = fit.loadings, fit.uniquenesses
    items = len(loadings)
    precision = np.linalg.inv(np.outer(loadings, loadings) + np.diag(uniquenesses))
    weighed = precision @ covariances @ precision
    pull = precision @ loadings
    hessian = np.empty((2 * items, 2 * items))
    hessian[:items, :items] = 2 * (
        precision - weighed + np.outer(pull, pull) + float(loadings @ pull) * weighed
    )
    hessian[:items, items:] = 2 * weighed * pull
    hessian[items:, :items] = hessian[:items, items:].T
    hessian[items:, items:] = precision * (2 * weighed - precision)
    sum_loadings, sum_uniquenesses = float(loadings.sum()), float(uniquenesses.sum())
    total = (sum_loadings**2 + sum_uniquenesses) ** 2
    slopes = np.repeat([2 * sum_loadings * sum_uniquenesses, -(sum_loadings**2)], items) / total
    moves = np.linalg.solve(hessian, slopes)
    moved = np.outer(moves[:items], loadings)
    gradient: Floats = precision @ (moved + moved.T + np.diag(moves[items:])) @ precision
    return gradient
