"""Groups of imaginary people, who answer as one would expect real ones to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from assessments.cohort.counts import Counts, Deed, LevelOutcome, count
from assessments.cohort.disclosure import K, Release, release, union
from assessments.cohort.statistics import Group
from assessments.instrument.document import Instrument
from assessments.scoring.sheet import DONT_KNOW_BYTE, layout

FORM = "A"
DAY = date(2026, 11, 24)


@dataclass(frozen=True)
class People:
    """The arguments of ``count``: ``[n, size]`` bytes, ``[n, domains]`` outcomes, steps chosen, and
    what became of those chosen before."""

    sheets: NDArray[np.uint8]
    outcomes: NDArray[np.uint8]
    steps: Sequence[frozenset[str]]
    deeds: Sequence[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.sheets)

    def __getitem__(self, rows: slice | Sequence[int]) -> People:
        places = np.arange(len(self))[rows]
        return People(
            self.sheets[rows],
            self.outcomes[rows],
            [self.steps[place] for place in places],
            [self.deeds[place] for place in places],
        )


def people(
    instrument: Instrument,
    n: int,
    seed: int,
    *,
    alike: float = 0.3,
    ability: float = 0.0,
    answered: float = 1.0,
) -> People:
    """``n`` people. ``alike`` is the correlation of one person's latent answers, ``ability`` their
    mean in standard deviations, ``answered`` the share of questions that they answer."""
    rng = np.random.default_rng(seed)
    places = layout(instrument, FORM)
    sheets = np.zeros((n, places.size), dtype=np.uint8)
    sure, able, modest = rng.normal(size=(3, n))
    for question in instrument.self_ratings:
        latent = np.sqrt(alike) * modest + np.sqrt(1 - alike) * rng.normal(size=n)
        sheets[:, places.offset("self_rating", question.code)] = 1 + np.digitize(
            latent, [-1.5, -0.5, 0.5, 1.5]
        )
    for place, scenario in enumerate(instrument.scenarios_of(FORM)):
        ordered = sorted(
            range(len(scenario.options)), key=lambda o: scenario.options[o].credit, reverse=True
        )
        latent = ability + np.sqrt(alike) * able + np.sqrt(1 - alike) * rng.normal(size=n)
        ease = np.linspace(-0.8, 0.8, 24)[place]
        rank = 4 - np.digitize(latent + ease, [-1.6, -1.2, -0.5, 0.1])
        bytes_ = np.array([*(option + 1 for option in ordered), DONT_KNOW_BYTE], dtype=np.uint8)
        chosen = bytes_[rank] * (rng.random(n) < answered)
        latent = np.sqrt(alike) * sure + np.sqrt(1 - alike) * rng.normal(size=n)
        confidence = (1 + np.digitize(latent, [-0.8, 0.0, 0.8])).astype(np.uint8)
        confidence *= (chosen != 0) & (chosen != DONT_KNOW_BYTE)
        sheets[:, places.offset("option", scenario.code)] = chosen
        sheets[:, places.offset("confidence", scenario.code)] = confidence
    levels = rng.choice(len(LevelOutcome), p=[0.02, 0.3, 0.2, 0.3, 0.1, 0.08], size=(n, 3))
    codes = [step.code for step in instrument.next_steps]
    steps = [frozenset(codes[place] for place in row) for row in rng.integers(12, size=(n, 3))]
    said = [str(deed) for deed in Deed]
    deeds = [tuple(said[place] for place in row) for row in rng.integers(3, size=(n, 3))]
    return People(sheets, levels.astype(np.uint8), steps, deeds)


def counted(instrument: Instrument, group: People) -> Counts:
    return count(instrument, FORM, group.sheets, group.outcomes, group.steps, group.deeds)


def released(instrument: Instrument, block: People, seed: int, /, **more: object) -> Release:
    draw = random.Random(seed)
    arguments: dict[str, object] = {"phase": "before", "day": DAY, "k": K} | more
    return release(counted(instrument, block), randbelow=draw.randrange, **arguments)  # type: ignore[arg-type]


def group_of(instrument: Instrument, *releases: Release) -> Group:
    return Group(instrument, union(releases))
