"""Whether a score really changed between two sittings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from assessments.instrument.comparison import FEWEST_COMMON, common_scenarios
from assessments.instrument.document import Instrument
from assessments.scoring.intervals import SemSource
from assessments.scoring.profile import Profile
from assessments.scoring.scores import OVERALL, Score, scores_on

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
    (Jacobson & Truax 1991, doi:10.1037/0022-006X.59.1.12). Without calibration the SEM is the
    conservative one of :class:`~assessments.scoring.intervals.Posterior`.

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


@dataclass(frozen=True, slots=True)
class CommonChanges:
    """Two sittings on two versions, compared through the scenarios that both asked alike.

    The mappings are keyed by the domains of the later version, then by :data:`OVERALL`.
    """

    scenarios: frozenset[str]
    """Those answered both times and comparable."""
    common: Mapping[str, int]
    """How many of them in each domain, and in all."""
    before: Mapping[str, Score]
    after: Mapping[str, Score]
    """On these scenarios alone. A score is there for each domain that has one of them."""
    changes: Mapping[str, Change | None]
    """None where fewer than :data:`FEWEST_COMMON` scenarios would carry it, and for the whole
    where that is so of any domain."""


def common_changes(
    then: Instrument, before: Profile, now: Instrument, after: Profile
) -> CommonChanges:
    """What changed between two sittings on different versions of one instrument.

    Only scenarios answered both times, and comparable by :mod:`..instrument.comparison`, count:
    whatever else differs, the questions did not. The errors are those of so few answers (linking
    by common items: Kolen & Brennan 2014, doi:10.1007/978-1-4939-0317-7). ValueError if the two
    are not of one instrument.
    """
    if then.code != now.code:
        raise ValueError(f"{then.code} and {now.code} are two instruments")
    alike = common_scenarios(then, now)
    answered = [
        {each.scenario for each in profile.outcomes if each.answered and each.scenario in alike}
        for profile in (before, after)
    ]
    scenarios = frozenset(answered[0] & answered[1])
    old = scores_on(then, before.form, before.outcomes, scenarios, before.version_calibration)
    new = scores_on(now, after.form, after.outcomes, scenarios, after.version_calibration)
    counted = Counter(each.domain for each in after.outcomes if each.scenario in scenarios)
    asked = dict.fromkeys(each.domain for each in after.outcomes)
    common = {domain: counted[domain] for domain in asked}
    found: dict[str, Change | None] = {
        domain: change(old[domain], new[domain]) if count >= FEWEST_COMMON else None
        for domain, count in common.items()
    }
    whole = all(each is not None for each in found.values())
    found[OVERALL] = change(old[OVERALL], new[OVERALL]) if found and whole else None
    return CommonChanges(scenarios, {**common, OVERALL: len(scenarios)}, old, new, found)
