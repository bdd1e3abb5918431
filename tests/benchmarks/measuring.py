"""How time is taken: rounds in which every contender runs once, so that what disturbs the machine
disturbs them alike; figures are medians, ratios are taken round by round. Pure.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import log
from statistics import linear_regression, median, quantiles

type Clock = Callable[[], float]
"""Seconds: ``time.process_time`` for work of this process, ``time.perf_counter`` for a wait."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table, and one object of ``benchmarks.json``."""

    name: str
    value: float
    """Median of the rounds, in ``unit``."""
    unit: str
    spread: tuple[float, float]
    """First and third quartile of the rounds."""
    rounds: int
    yardstick: str = ""
    """What it is held against; empty where it is only printed."""
    yardstick_value: float | None = None
    """Median, in the same unit."""
    ratio: float | None = None
    """Median of value ÷ yardstick, round by round."""
    target: str = ""
    """As the issue writes it: ``≤ 0.6``."""
    met: bool | None = None
    """None where there is no target, or the yardstick cannot be had here."""
    note: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what the yardstick is made with."""


def times(
    contenders: Mapping[str, Callable[[], object]], rounds: int, clock: Clock = time.process_time
) -> dict[str, list[float]]:
    """Seconds of each contender in each round, after one round that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        # In turn from another end, so that nobody always follows the same one.
        order = list(contenders.items())
        for name, work in order if number % 2 else reversed(order):
            gc.collect()  # nobody tidies up what another has left
            began = clock()
            work()
            spent = clock() - began
            if number:
                taken[name].append(spent)
    return taken


def ratio(values: Sequence[float], yardsticks: Sequence[float]) -> float:
    """Median of the ratios of each round."""
    return median(a / b for a, b in zip(values, yardsticks, strict=True))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    first, _second, third = quantiles(values, n=4, method="inclusive")
    return first, third


def figure(
    name: str,
    values: Sequence[float],
    *,
    unit: str,
    scale: float = 1.0,
    yardstick: str = "",
    yardsticks: Sequence[float] | None = None,
    at_most: float | None = None,
    note: str = "",
    versions: Mapping[str, str] | None = None,
) -> Figure:
    """Values and their yardstick's, as they were taken (``× scale`` gives ``unit``), with the
    greatest ratio that meets the target."""
    scaled = [value * scale for value in values]
    compared = ratio(values, yardsticks) if yardsticks else None
    return Figure(
        name=name,
        value=median(scaled),
        unit=unit,
        spread=quartiles(scaled),
        rounds=len(scaled),
        yardstick=yardstick,
        yardstick_value=median(yardsticks) * scale if yardsticks else None,
        ratio=compared,
        target="" if at_most is None else f"≤ {at_most:.3g}",
        met=None if at_most is None or compared is None else compared <= at_most,
        note=note,
        versions=versions or {},
    )


def bounded(
    name: str, value: float, *, unit: str, most: float, yardstick: str, note: str = ""
) -> Figure:
    """A figure that is counted, not timed, and the most that it may be."""
    return Figure(
        name=name, value=value, unit=unit, spread=(value, value), rounds=1, yardstick=yardstick,
        yardstick_value=most, ratio=value / most, target="≤ 1", met=value <= most, note=note,
    )  # fmt: skip


def printed(name: str, values: Sequence[float], *, unit: str, note: str = "") -> Figure:
    """A figure without a target."""
    return Figure(
        name=name, value=median(values), unit=unit, spread=quartiles(values), rounds=len(values),
        note=note,
    )  # fmt: skip


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The power of the size with which values grow: the slope between their logarithms."""
    return linear_regression([log(size) for size in sizes], [log(value) for value in values]).slope


def growth(
    name: str, sizes: Sequence[int], values: Sequence[float], *, unit: str, most: float
) -> Figure:
    """How a cost grows with the work, as the exponent fitted to at least three sizes."""
    found = exponent(sizes, values)
    shown = ", ".join(
        f"{size:,}: {value:.4g} {unit}" for size, value in zip(sizes, values, strict=True)
    )
    return Figure(
        name=f"{name}: growth", value=found, unit="exponent", spread=(found, found),
        rounds=len(sizes), yardstick="the size of the work", yardstick_value=most,
        ratio=found / most if most else None, target=f"≤ {most:g}", met=found <= most, note=shown,
    )  # fmt: skip


def told(figures: Iterable[Figure]) -> None:
    """Print figures for :mod:`.__main__`, an object a line."""
    for each in figures:
        print(json.dumps(asdict(each), ensure_ascii=False), flush=True)  # noqa: T201


def read(lines: Iterable[str]) -> Iterator[Figure]:
    """What :func:`told` printed; other lines are let by."""
    for line in lines:
        if line.startswith('{"name"'):
            found = json.loads(line)
            yield Figure(**found | {"spread": tuple(found["spread"])})
