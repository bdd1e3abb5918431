"""When people arrive, and what each of them does: pure, and the same for the same seed.

An hour of :data:`PEOPLE` is a steady trickle, by day and from home, and training sessions that
begin together: half of all arrive within a few minutes of the hour.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

PEOPLE = 10_000
"""Respondents in an hour."""
SESSIONS = ((0.0, 0.2), (1 / 3, 0.15), (2 / 3, 0.15))
"""Training sessions: when in the hour each begins, and the share of all who come with it."""
RUSH = 4.0
"""Minutes within which a session's people press the link: a triangle that falls from its start."""
SITTING = 20.0
"""Minutes that a sitting takes: what the landing page announces."""
REPORTS = 0.1
"""The share that asks for the PDF at once, an assumption: the results say the same on screen.
Printing takes about one second of a processor, so that two processors that did nothing else would
print for some 7,000 of 10,000 people an hour; what happens when many want it at once is measured
apart (the crush)."""
SCRIPTS = 0.85
"""The share whose browser runs the script that keeps each choice as it is made."""
MOST_AT_ONCE = 40
"""People of the crush: as many as a large session, all of whom press for the PDF at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One respondent's."""

    arrives: float
    """Seconds after the beginning."""
    group: int | None
    """Whose link they follow; None: the open door."""
    by_script: bool
    wants_report: bool
    seed: int


def plans(
    minutes: float = 60.0, people: int = PEOPLE, reports: float = REPORTS, seed: int = 1
) -> list[Plan]:
    """Everybody who arrives in the first ``minutes`` of an hour's pattern squeezed into them: the
    people are fewer in proportion, so that they arrive as fast as in the whole hour."""
    chance = random.Random(seed)
    count = round(people * minutes / 60)
    found = []
    for _person in range(count):
        arrives, group = arrival(chance, minutes)
        found.append(
            Plan(
                arrives=arrives,
                group=group,
                by_script=chance.random() < SCRIPTS,
                wants_report=chance.random() < reports,
                seed=chance.getrandbits(32),
            )
        )
    return sorted(found, key=lambda plan: plan.arrives)


def arrival(chance: random.Random, minutes: float) -> tuple[float, int | None]:
    drawn, rush = chance.random(), RUSH * minutes / 60
    for group, (begins, share) in enumerate(SESSIONS):
        if drawn < share:
            return 60 * (begins * minutes + rush * (1 - chance.random() ** 0.5)), group
        drawn -= share
    return 60 * minutes * chance.random(), None


def thinking(minutes: float) -> float:
    """Minutes that a sitting takes in a run of so many: shorter where the run is, or nobody would
    finish; as many requests a second are made all the same."""
    return min(SITTING, minutes / 3)


def busiest(found: Sequence[Plan], window: float = 60.0) -> int:
    """The most people who arrive within so many seconds."""
    first, most = 0, 0
    for last, plan in enumerate(found):
        while found[first].arrives <= plan.arrives - window:
            first += 1
        most = max(most, last - first + 1)
    return most
