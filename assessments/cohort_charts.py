"""Where the marks of a group's charts stand; a domain's band is :mod:`assessments.charts`'.

Shares and means are drawn as they are printed: a mark tells no more than its figure. Coordinates
are text, written as SVG reads them whatever the reader's locale.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .charts import LEFT, RIGHT
from .cohort.disclosure import Share
from .cohort.rounding import whole

LINE = 15
"""Height of a line of text."""
MARK = 18
"""Height of a mark, under its label."""
GAP = 8
SIGNS = 58
"""Signs of a label that fit on a line."""
NARROWEST = 28
"""Width from which a segment can carry its figure."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval, on 0 to 100; drawn in whole points, as it is printed."""

    label: str
    value: float
    lower: float
    upper: float
    strong: bool = False
    """Whether it is brought forward."""
    hollow: bool = False
    """Whether it is of an earlier moment, beside one of now."""


@dataclass(frozen=True, slots=True)
class Line:
    y: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A mark under its label, which may be several lines."""

    lines: tuple[Line, ...]
    top: str
    middle: str
    bottom: str
    """Of the ends of the interval."""
    x: str
    lower: str
    upper: str
    strong: bool
    hollow: bool


@dataclass(frozen=True, slots=True)
class Tick:
    value: int
    x: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Several marks, one under the other, on one scale of 0 to 100."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    figures: str
    """Where the figures of the scale stand."""
    height: str


def rows(marks: Iterable[Mark]) -> Rows:
    y, made = 0.0, []
    for mark in marks:
        lines = []
        for text in textwrap.wrap(mark.label, SIGNS) or [""]:
            y += LINE
            lines.append(Line(_units(y - 3), text))
        middle = y + MARK / 2
        made.append(
            Row(
                lines=tuple(lines),
                top=_units(middle - 5),
                middle=_units(middle),
                bottom=_units(middle + 5),
                x=_x(whole(mark.value)),
                lower=_x(whole(mark.lower)),
                upper=_x(whole(mark.upper)),
                strong=mark.strong,
                hollow=mark.hollow,
            )
        )
        y += MARK + GAP
    return Rows(tuple(made), TICKS, _units(y + 8), _units(y + 14))


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the whole."""

    cell: str
    share: Share
    x: str
    end: str
    width: str
    middle: str
    labelled: bool
    """Whether its figure fits."""


def stack(shares: Sequence[tuple[str, Share]]) -> tuple[Segment, ...]:
    """A bar of 100 divided between cells. Printed shares need not sum to 100: the bar does."""
    weights = [
        share.points / 2 if share.low_end else float(share.points) for _cell, share in shares
    ]
    total, start, segments = sum(weights), float(LEFT), []
    for (cell, share), weight in zip(shares, weights, strict=True):
        width = (RIGHT - LEFT) * weight / total
        segments.append(
            Segment(
                cell,
                share,
                x=_units(start),
                end=_units(start + width),
                width=_units(width),
                middle=_units(start + width / 2),
                labelled=width >= NARROWEST and not share.low_end,
            )
        )
        start += width
    return tuple(segments)


def _place(value: float) -> float:
    return LEFT + (RIGHT - LEFT) * min(max(value, 0.0), 100.0) / 100.0


def _x(value: float) -> str:
    return _units(_place(value))


def _units(length: float) -> str:
    return f"{length:.1f}"


TICKS = tuple(
    Tick(value, _x(value), "start" if value == 0 else "end" if value == 100 else "middle")
    for value in (0, 25, 50, 75, 100)
)
