"""Where the marks of a form's map stand: people above, items below, on one scale of logits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .charts import WIDTH
from .cohort.quality import BIN, Item, Quality

LEFT, RIGHT = 96, 350
"""Where the ends of the scale stand; the items' names are left of it."""
HILL, FOOT = 60, 70
"""How high the commonest class of people is drawn, and where it stands."""
ROW = 17
SIGNS = 13
"""Characters that fit left of the scale."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Tick:
    value: int
    x: str


@dataclass(frozen=True, slots=True)
class Row:
    """An item: its location, and its thresholds where it has two."""

    name: str
    y: str
    text: str
    """Where its name stands."""
    x: str
    first: str
    last: str
    thresholds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Map:
    width: int
    height: int
    foot: int
    figures: int
    """Where the figures of the scale stand."""
    left: int
    right: int
    bars: tuple[Bar, ...]
    mean: str
    """Where the mean of people stands."""
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    """The hardest first."""


def in_order(items: tuple[Item, ...]) -> list[Item]:
    """The hardest first."""
    return sorted(items, key=lambda item: (-item.location, item.code))


def item_map(found: Quality) -> Map:
    """The map of a calibration (a Wright map, lying)."""
    marks = [at.at for item in found.items for at in item.thresholds]
    marks += [item.location for item in found.items]
    marks += [each.at for each in found.map.classes]
    marks += [each.at + BIN for each in found.map.classes]
    low, high = math.floor(min(marks)), math.ceil(max(marks))

    def x(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (value - low) / (high - low)

    most = max((each.share for each in found.map.classes), default=1.0)
    bars = []
    for each in found.map.classes:
        height = HILL * each.share / most
        width = x(each.at + BIN) - x(each.at) - 1
        bars.append(Bar(_units(x(each.at)), _units(FOOT - height), _units(width), _units(height)))
    figures = FOOT + 15
    rows = []
    for place, item in enumerate(in_order(found.items)):
        y = figures + 14 + ROW * place
        ends = [at.at for at in item.thresholds]
        rows.append(
            Row(
                name=item.code if len(item.code) <= SIGNS else item.code[: SIGNS - 1] + "…",
                y=_units(y),
                text=_units(y + 4),
                x=_units(x(item.location)),
                first=_units(x(min(ends))),
                last=_units(x(max(ends))),
                thresholds=tuple(_units(x(at)) for at in ends) if len(ends) > 1 else (),
            )
        )
    step = max(1, math.ceil((high - low) / 10))
    return Map(
        width=WIDTH,
        height=figures + 14 + ROW * len(rows),
        foot=FOOT,
        figures=figures,
        left=LEFT,
        right=RIGHT,
        bars=tuple(bars),
        mean=_units(x(found.map.mean)),
        ticks=tuple(Tick(value, _units(x(value))) for value in range(low, high + 1, step)),
        rows=tuple(rows),
    )


def _units(length: float) -> str:
    return f"{length:.1f}"
