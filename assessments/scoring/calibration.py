"""How well confidence matches results, over the whole form and never by domain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

from assessments.scoring.intervals import Z
from assessments.scoring.outcomes import Outcome

CLAIM_FROM = 12
"""The fewest answers from which over- or under-confidence may be claimed.

The nominal rate of false claims is 10 %. Over every mixture of the levels 25, 50, 75 and 95 %,
and every result of a perfectly calibrated person, the rule below makes at most 25 % of them with
3 answers, 16 % with 12 (half a form) and 14 % with 24; without the least standard error of
:func:`_margin`, somebody always 95 % sure would meet 54 % of them with 12.
"""

Claim = Literal["over", "under", "within"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Confidence beside results. Proportions, 0 to 1; None where too few answers tell."""

    n: int
    """Answers with a confidence, "I don't know" included at its own."""
    without_confidence: int
    """Answers left out for want of one."""
    mean_confidence: float | None
    accuracy: float | None
    """The share of the ``n`` answers that are the best option."""
    bias: float | None
    """Mean confidence minus accuracy, −1 to 1: above 0 is over-confident."""
    bias_se: float | None
    """SD/√n of the differences; None for fewer than two."""
    margin: float | None
    """What the bias must exceed before anything is claimed; None for fewer than two answers."""
    brier: float | None
    """Mean squared difference, 0 to 1 (Brier 1950); always saying 50 % earns 0.25."""
    claim: Claim | None
    """None for fewer than :data:`CLAIM_FROM` answers."""


def calibrate(outcomes: Iterable[Outcome]) -> Calibration:
    """The calibration of the answered scenarios."""
    answered = [item for item in outcomes if item.answered]
    counted = [item for item in answered if item.confidence is not None]
    confidences = [item.confidence or 0.0 for item in counted]
    differences = _differences(counted)
    n = len(counted)
    claim = _claim(counted)
    # "I don't know" is recorded as a guess that failed, 25 % sure and wrong: many of them would
    # make the most modest person over-confident. The answers given must say so by themselves.
    if claim == "over" and _claim([i for i in counted if i.verdict != "dont_know"]) != "over":
        claim = "within"
    return Calibration(
        n=n,
        without_confidence=len(answered) - n,
        mean_confidence=fmean(confidences) if counted else None,
        accuracy=fmean(item.verdict == "best" for item in counted) if counted else None,
        bias=fmean(differences) if counted else None,
        bias_se=_standard_error(differences) if n > 1 else None,
        margin=_margin(counted) if n > 1 else None,
        brier=fmean(difference**2 for difference in differences) if counted else None,
        claim=claim,
    )


def _differences(counted: Iterable[Outcome]) -> list[float]:
    """Confidence minus result (1 for the best option), for each answer."""
    return [(item.confidence or 0.0) - (item.verdict == "best") for item in counted]


def _standard_error(differences: Sequence[float]) -> float:
    return stdev(differences) / math.sqrt(len(differences))


def _margin(counted: Sequence[Outcome]) -> float:
    """1.645 standard errors of the bias.

    Somebody 95 % sure and right each time has differences that are all −0.05, so a sample SE of 0
    that would prove under-confidence. The SE is therefore never less than the one a perfectly
    calibrated person has with these confidences: results that are right with probability c vary
    by c(1 − c), so √Σc(1 − c)/n.
    """
    variance = math.fsum((c := item.confidence or 0.0) * (1.0 - c) for item in counted)
    calibrated = math.sqrt(variance) / len(counted)
    return Z * max(_standard_error(_differences(counted)), calibrated)


def _claim(counted: Sequence[Outcome]) -> Claim | None:
    if len(counted) < CLAIM_FROM:
        return None
    bias = fmean(_differences(counted))
    if abs(bias) <= _margin(counted):
        return "within"
    return "over" if bias > 0 else "under"
