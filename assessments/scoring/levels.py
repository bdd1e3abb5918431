"""Which of the three levels a domain is at, when it is clear enough to say."""

from __future__ import annotations

from dataclasses import dataclass

from assessments.instrument.document import Cuts
from assessments.scoring.intervals import Belief

NAMED_FROM = 0.80
"""A level is named from this probability; under it, the answer is between two levels."""
UNCALIBRATED_CEILING = 2
"""The highest level named alone before a calibration; above it, the answer is "2-3"."""
UNSAFE_CEILING = 2
"""The highest level of a domain where an unsafe option was chosen."""


@dataclass(frozen=True, slots=True)
class LevelOutcome:
    levels: tuple[int] | tuple[int, int]
    """One level, or the two adjacent ones that it lies between: (1, 2) or (2, 3)."""
    probabilities: tuple[float, float, float]
    """Of levels 1, 2 and 3; their sum is 1."""
    capped: bool
    """Whether an unsafe answer took level 3 away, and gave its probability to level 2."""

    @property
    def between(self) -> bool:
        return len(self.levels) == 2

    @property
    def code(self) -> str:
        """``1``, ``2``, ``3``, ``1-2`` or ``2-3``."""
        return "-".join(map(str, self.levels))


def level_outcome(belief: Belief, cuts: Cuts, *, unsafe: bool) -> LevelOutcome:
    """The level that a belief about the true score supports.

    Before a calibration, the third level is never named alone. How many people are truly there is
    then unknown, and the posterior takes every place of the scale for as likely: in simulation, 2
    to 72 % of those so named were truly below, most where few are truly there
    (``seeds/ai-readiness/MEASUREMENT.md``, "Each claim"). A calibration tells how many are.
    """
    under_operational = belief.below(cuts.operational)
    # Nothing lies above the last cut that an unsafe answer leaves.
    under_expert = 1.0 if unsafe else belief.below(cuts.expert)
    probabilities = (
        under_operational,
        under_expert - under_operational,
        1.0 - under_expert,
    )
    ceiling = UNCALIBRATED_CEILING if belief.source == "posterior" else 3
    for level, probability in enumerate(probabilities, start=1):
        if probability >= NAMED_FROM and level <= ceiling:
            return LevelOutcome((level,), probabilities, unsafe)
    # Of two adjacent pairs, both hold level 2: the likelier is that of the likelier end.
    first, _, third = probabilities
    return LevelOutcome((1, 2) if first >= third else (2, 3), probabilities, unsafe)
