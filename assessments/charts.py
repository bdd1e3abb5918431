"""Where the marks of a chart stand. Geometry only: words and colours are the templates'.

Coordinates are text, written as SVG reads them whatever the reader's locale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from .instrument.document import Cuts
from .scoring.intervals import Interval

WIDTH = 360
"""User units of a chart: a telephone's width in CSS pixels, so that text keeps its size there."""
LEFT, RIGHT = 8, 352
"""Where 0 and 100 stand."""
LABEL_ROOM = 42
"""Units that the word under the chance line needs between two figures of the scale."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The part of the scale that belongs to a level."""

    level: int
    x: str
    width: str
    middle: str


@dataclass(frozen=True, slots=True)
class Tick:
    value: float
    x: str
    anchor: Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Band:
    """One score on the 0–100 scale. A mark is None where there is nothing to mark."""

    zones: tuple[Zone, ...]
    ticks: tuple[Tick, ...]
    """The ends of the scale and the cut scores."""
    chance: str | None
    chance_label: bool
    """Whether a word fits under the chance line."""
    lower: str | None
    score: str | None
    upper: str | None
    beside: str | None
    """A second score to compare with: the self-rating."""
    others: str | None
    """The mean of all other groups."""
    before: str | None
    """The same score at an earlier moment."""


def band(
    cuts: Cuts,
    *,
    score: float | None,
    interval: Interval | None,
    chance: float | None = None,
    beside: float | None = None,
    others: float | None = None,
    before: float | None = None,
) -> Band:
    """The band of one score; every figure is on the 0–100 scale."""
    edges = (0.0, cuts.operational, cuts.expert, 100.0)
    return Band(
        zones=tuple(
            Zone(level, _x(start), _units(_place(end) - _place(start)), _x((start + end) / 2))
            for level, (start, end) in enumerate(pairwise(edges), 1)
        ),
        ticks=tuple(
            Tick(value, _x(value), "start" if value == 0 else "end" if value == 100 else "middle")
            for value in edges
        ),
        chance=None if chance is None else _x(chance),
        chance_label=chance is not None
        and min(abs(_place(chance) - _place(edge)) for edge in edges) >= LABEL_ROOM,
        lower=_x(interval.lower) if interval else None,
        score=None if score is None else _x(score),
        upper=_x(interval.upper) if interval else None,
        beside=None if beside is None else _x(beside),
        others=None if others is None else _x(others),
        before=None if before is None else _x(before),
    )


@dataclass(frozen=True, slots=True)
class Strip:
    """The cuts of the judges of one round, one dot each, and the panel's with its error."""

    dots: tuple[str, ...]
    cut: str
    lower: str
    upper: str
    y: str


def strips(rounds: Sequence[tuple[Sequence[float], float, float]]) -> tuple[Strip, ...]:
    """One line a round, of (judges' cuts, the panel's cut, its standard error), 0 to 100."""
    return tuple(
        Strip(
            tuple(map(_x, judges)),
            _x(cut),
            _x(max(0.0, cut - error)),
            _x(min(100.0, cut + error)),
            _units(24.0 + 34.0 * line),
        )
        for line, (judges, cut, error) in enumerate(rounds)
    )


def _place(value: float) -> float:
    return LEFT + (RIGHT - LEFT) * value / 100.0


def _x(value: float) -> str:
    return _units(_place(value))


def _units(length: float) -> str:
    return f"{length:.1f}"
