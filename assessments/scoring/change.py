"""Whether a score really changed between two sittings."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assessments.scoring.intervals import SemSource
from assessments.scoring.profile import Profile
from assessments.scoring.scores import OVERALL, Score

RELIABLE_BEYOND = 1.96
"""The reliable change index that chance alone passes in 5 % of cases."""


@dataclass(frozen=True, slots=True)
class Change:
    code: str
    """Of the domain, or ``overall``."""
    difference: float
    """After minus before, in points of the 0–100 scale."""
    rci: float
    reliable: bool
    needed: float
    """The least difference, in points, that would have to be passed to be reliable."""
    sem_source: SemSource
    """``posterior`` as soon as one of the two sittings is of an uncalibrated version."""


def change(before: Score, after: Score) -> Change | None:
    """The reliable change index of one score; None if either sitting has no score.

    RCI = (K₂ − K₁)/S_diff, S_diff = √(SEM₁² + SEM₂²), which is SEM·√2 for two sittings alike
    (Jacobson & Truax 1991, doi:10.1037/0022-006X.59.1.12). The SEM is the greatest along the
    scale, before calibration as after: with the average one, chance would pass the limit in more
    than 5 % of cases in the middle of the scale, where errors are greatest.

    ValueError if the scores are not of the same thing.
    """
    if before.code != after.code:
        raise ValueError(f"{before.code} and {after.code} cannot be compared")
    if before.score is None or after.score is None or before.sem is None or after.sem is None:
        return None
    spread = math.hypot(before.sem, after.sem)
    difference = after.score - before.score
    rci = difference / spread
    alike = before.sem_source == after.sem_source == "calibrated"
    return Change(
        code=before.code,
        difference=difference,
        rci=rci,
        reliable=abs(rci) > RELIABLE_BEYOND,
        needed=RELIABLE_BEYOND * spread,
        sem_source="calibrated" if alike else "posterior",
    )


def changes(before: Profile, after: Profile) -> dict[str, Change | None]:
    """The change of each domain, then of the whole, of two profiles of one instrument version.

    The whole is the mean of the domains answered: it is compared only where these are the same.
    """
    found: dict[str, Change | None] = {}
    alike = True
    for then, now in zip(before.domains, after.domains, strict=True):
        found[now.code] = change(then, now)
        alike = alike and (then.score is None) == (now.score is None)
    found[OVERALL] = change(before.overall, after.overall) if alike else None
    return found
