"""What may be shown of a group: blocks, noise, and the releases that trainers read.

Everything published is a function of the noised counts of whole, disjoint blocks of at least
:data:`K` people. So whatever is combined, over time and between readers, isolates K people or
more, and the noise covers each person even from somebody who knows all the others of the block.

The noise. A count table receives independent two-sided geometric noise, drawn once (Ghosh,
Roughgarden & Sundararajan 2012, doi 10.1137/09076828X). With noise of parameter ε on each cell, one
unit more or less in a cell changes the likelihood of what is published by a factor of at most
exp(ε). Replacing one person takes one answer from a cell and adds one to another, hence at most
exp(2ε): 7.4 for ε = 1. In a table where a person gives m answers, each moves two cells by one, so
the noise drawn is of parameter ε/m and the same bound holds for the whole person.

What this does not say. The bound is for one table, and a person stands in many; the number of
people is not what the noise hides (it is taken as known, and printed coarsely only so that it does
not tell when somebody joined), nor is the number in each class of a breakdown, which the people in
the room can count; that a group as a whole is weak stays visible, which is the purpose.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

import msgspec

from assessments.cohort.counts import TABLE_KINDS, Counts, Table

K = 11
"""The smallest group of which anything is shown (the practice of the French health data system)."""
EPSILON = Fraction(1)
STEP = 5
"""Numbers of people, and shares of small groups, are printed to multiples of five."""
FINE_SHARES_FROM = 100
"""From this many people, shares are printed to one point instead of :data:`STEP`."""
FORMAT = 1
"""The format of the JSON of a release: releases are kept for ever and must stay readable."""

REFERENCE_GROUPS = 2
"""Other groups that it takes for a group to be compared with them all: the results of a single one
would be read by trainers who have nothing to do with it."""

RandBelow = Callable[[int], int]
"""A uniform integer from 0 to its argument − 1; in production :func:`secrets.randbelow`."""


class Part(StrEnum):
    """A part of a release, withheld where the block is too small for it."""

    LEVELS = "levels"
    NEEDS = "needs"
    SCENARIOS = "scenarios"
    SELF_RATINGS = "self_ratings"
    STEPS = "steps"
    DEEDS = "deeds"

    @property
    def blocks(self) -> int:
        """How many times the threshold a block must hold for this part."""
        return 1 if self in {Part.LEVELS, Part.NEEDS} else 2


class TooFewError(ValueError):
    """A block below the threshold, of which nothing may be released."""


def threshold(configured: int | None = None) -> int:
    """The threshold in force: an operator may raise :data:`K`, never lower it."""
    return max(K, configured or K)


def permitted(n: int, k: int = K) -> frozenset[Part]:
    """What the release of a block of ``n`` people may contain."""
    return frozenset(part for part in Part if n >= part.blocks * threshold(k))


def separable(sizes: Iterable[int], k: int = K) -> bool:
    """Whether a breakdown into classes of these sizes may be shown: each is empty or a block.

    It is all or nothing: a class left out could be had by subtracting the others from the whole.
    """
    return all(size == 0 or size >= threshold(k) for size in sizes)


def blocks[Key: Hashable](
    queue: Sequence[Key], k: int = K
) -> tuple[tuple[tuple[Key, ...], ...], tuple[Key, ...]]:
    """Cut the queue of an open phase, oldest first, into blocks and what remains waiting.

    The ``k`` oldest are cut whenever ``2 k`` wait, so that ``k`` to ``2 k − 1`` are left for the
    last block, made at the close (:func:`partition`). ValueError if somebody stands twice in the
    queue.
    """
    k = threshold(k)
    waiting = tuple(queue)
    if len(set(waiting)) != len(waiting):
        raise ValueError("a queue holds each person once")
    cuts = max(0, len(waiting) // k - 1)
    return tuple(waiting[cut * k : (cut + 1) * k] for cut in range(cuts)), waiting[cuts * k :]


def partition(sizes: Mapping[str, int], k: int = K) -> tuple[tuple[str, ...], ...]:
    """The blocks that a closed queue makes, each named by the classes in it.

    ``sizes`` tells how many people are in each class of a breakdown chosen before the phase
    opened (those who did not say are one); a queue not broken down is a single class. Each class is
    a block where all may be shown apart, and all are one block where they may not. Fewer than ``k``
    (too few came, or some erased theirs while they waited) are never released: a block already
    released cannot take them in.
    """
    present = {code: size for code, size in sizes.items() if size}
    if sum(present.values()) < threshold(k):
        return ()
    if separable(present.values(), k):
        return tuple((code,) for code in present)
    return (tuple(present),)


# --- Noise ------------------------------------------------------------------------------------
# Sampled with integers alone, after Canonne, Kamath & Steinke 2020 (arXiv 2004.00010, algorithms 1
# and 2): the distribution is exact, so no rounding of floating-point numbers betrays the count.


def _bernoulli(numerator: int, denominator: int, randbelow: RandBelow) -> bool:
    return randbelow(denominator) < numerator


def _bernoulli_exp(numerator: int, denominator: int, randbelow: RandBelow) -> bool:
    """True with probability exp(−γ), for γ = numerator / denominator in [0, 1] (algorithm 1)."""
    trial = 1
    while _bernoulli(numerator, denominator * trial, randbelow):
        trial += 1
    return trial % 2 == 1


def two_sided_geometric(randbelow: RandBelow, epsilon: Fraction = EPSILON) -> int:
    """An integer x drawn with probability proportional to exp(−ε |x|) (algorithm 2)."""
    s, t = epsilon.numerator, epsilon.denominator
    if s <= 0:
        raise ValueError("epsilon must be positive")
    while True:
        low = randbelow(t)
        if not _bernoulli_exp(low, t, randbelow):
            continue
        high = 0
        while _bernoulli_exp(1, 1, randbelow):
            high += 1
        size = (low + t * high) // s
        negative = randbelow(2) == 1
        if size or not negative:  # or zero would be drawn twice as often as it should be
            return -size if negative else size


def noise_probability(x: int, epsilon: float) -> float:
    """The probability that :func:`two_sided_geometric` draws ``x``."""
    alpha = math.exp(-epsilon)
    return (1 - alpha) / (1 + alpha) * alpha ** abs(x)


def noise_variance(epsilon: float) -> float:
    """The variance of :func:`two_sided_geometric`; its mean is 0."""
    alpha = math.exp(-epsilon)
    return 2 * alpha / (1 - alpha) ** 2


def noised(table: Table, randbelow: RandBelow) -> Table:
    """The table with noise on each cell. Counts may become negative and are kept as drawn:
    correcting them here would bias every sum taken later."""
    epsilon = EPSILON / table.answers
    cells = tuple(
        (code, size + two_sided_geometric(randbelow, epsilon)) for code, size in table.cells
    )
    return msgspec.structs.replace(table, cells=cells)


# --- Releases -----------------------------------------------------------------------------------


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is published of one block, for ever: noised tables, and no exact number of anything.

    A part that is withheld is None, and absent from the JSON.
    """

    format: int
    instrument: str
    version: str
    instrument_digest: str
    form: str
    phase: str
    day: date
    at_least: int
    """The number of people, rounded down to a multiple of :data:`STEP`."""
    epsilon: float
    levels: tuple[Table, ...]
    blocks: int = 1
    """1 as it is published; more in a sum of releases (:func:`added`)."""
    group: str | None = None
    """The class of a breakdown that was chosen before opening."""
    credits: tuple[Table, ...] | None = None
    """Kept only where ``options`` is not: there, credits are sums of the options' noised counts,
    and a second table of the same answers would only weaken the noise."""
    options: tuple[Table, ...] | None = None
    confidence: tuple[Table, ...] | None = None
    self_ratings: tuple[Table, ...] | None = None
    steps: tuple[Table, ...] | None = None
    deeds: tuple[Table, ...] | None = None

    @property
    def parts(self) -> frozenset[Part]:
        """What it contains."""
        present = {
            Part.LEVELS: True,
            Part.NEEDS: self.credits is not None or self.options is not None,
        }
        present[Part.SCENARIOS] = self.options is not None
        present[Part.SELF_RATINGS] = self.self_ratings is not None
        present[Part.STEPS] = self.steps is not None
        present[Part.DEEDS] = self.deeds is not None
        return frozenset(part for part, found in present.items() if found)


def release(
    counts: Counts,
    *,
    phase: str,
    day: date,
    randbelow: RandBelow,
    k: int = K,
    group: str | None = None,
) -> Release:
    """The release of one block: noise drawn once, parts the block is too small for left out.

    :class:`TooFewError` if the block is below the threshold.
    """
    parts = permitted(counts.n, k)
    if Part.LEVELS not in parts:
        raise TooFewError(f"nothing is released of fewer than {threshold(k)} people")

    def drawn(tables: tuple[Table, ...], kept: bool) -> tuple[Table, ...] | None:
        return tuple(noised(table, randbelow) for table in tables) if kept else None

    scenarios = Part.SCENARIOS in parts
    return Release(
        format=FORMAT,
        instrument=counts.instrument,
        version=counts.version,
        instrument_digest=counts.digest,
        form=counts.form,
        phase=phase,
        day=day,
        at_least=at_least(counts.n),
        epsilon=float(EPSILON),
        levels=tuple(noised(table, randbelow) for table in counts.levels),
        group=group,
        credits=drawn(counts.credits, not scenarios),
        options=drawn(counts.options, scenarios),
        confidence=drawn(counts.confidence, scenarios),
        self_ratings=drawn(counts.self_ratings, Part.SELF_RATINGS in parts),
        steps=drawn(counts.steps, Part.STEPS in parts),
        deeds=drawn(counts.deeds, Part.DEEDS in parts and bool(counts.deeds)),
    )


def encode(release: Release) -> bytes:
    """The canonical JSON of a release: same value, same bytes."""
    return msgspec.json.encode(release, order="sorted")


_DECODER = msgspec.json.Decoder(Release)  # at once: see instrument.document


def decode(document: bytes) -> Release:
    """The release of :func:`encode`'s bytes; msgspec.ValidationError if they are not one."""
    return _DECODER.decode(document)


def digest(release: Release) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(encode(release)).hexdigest()


# --- Unions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Union:
    """One whole block or several, read as one group; made by :func:`union`."""

    sums: tuple[Release, ...]
    """The sums of its releases, those of the same parts together."""

    @property
    def at_least(self) -> int:
        return sum(release.at_least for release in self.sums)

    @property
    def blocks(self) -> int:
        return sum(release.blocks for release in self.sums)

    @property
    def parts(self) -> frozenset[Part]:
        """What every block of it contains: figures of a part of the group are not shown."""
        return frozenset.intersection(*(release.parts for release in self.sums))


def union(releases: Iterable[Release]) -> Union:
    """A union of whole blocks of one instrument version and form.

    ValueError if there is none, if they are not alike, or if one is counted twice.
    """
    members = tuple(releases)
    if not members:
        raise ValueError("a union is of at least one release")
    if len(set(members)) != len(members):
        raise ValueError("a union counts each release once")
    return Union(added((), members))


def added(sums: Iterable[Release], more: Iterable[Release]) -> tuple[Release, ...]:
    """Sums of releases, with more added: one sum for each set of parts.

    ValueError unless all are of one instrument version and form.
    """
    return _summed([*sums, *more])


def without(sums: Iterable[Release], some: Iterable[Release]) -> tuple[Release, ...]:
    """What remains of sums of releases without some of those that they hold.

    Counts of whole blocks are taken from counts of whole blocks: what remains is a union of the
    other blocks. ValueError if the sums do not hold them.
    """
    remaining = list(sums)
    for release in added((), some):
        place = _alike(remaining, release)
        if place is None or remaining[place].blocks < release.blocks:
            raise ValueError("the sums do not hold these releases")
        remaining[place] = _sum(remaining[place], release, -1)
    return tuple(release for release in remaining if release.blocks)


def reference(
    sums: Iterable[Release], groups: int, own: Iterable[Release], *, strangers: int
) -> Union | None:
    """All that ``groups`` groups published, without what one of them did (which may be nothing).

    None where fewer than :data:`REFERENCE_GROUPS` others remain, or where a single one of these is
    of ``strangers`` to its trainers, to one or to all: whoever reads all the others could take them
    away. This keeps one look from telling a group that is not one's own; who compares looks over
    time can still tell a whole block that came in between, never less than a block.
    """
    own = tuple(own)
    if groups - bool(own) < REFERENCE_GROUPS or 0 < strangers < REFERENCE_GROUPS:
        return None
    return Union(without(sums, own))


def _summed(releases: Sequence[Release]) -> tuple[Release, ...]:
    found: list[Release] = []
    for release in releases:
        first = releases[0]
        if (release.instrument_digest, release.form) != (first.instrument_digest, first.form):
            raise ValueError("a union is of releases of one instrument version and form")
        place = _alike(found, release)
        if place is None:
            found.append(release)
        else:
            found[place] = _sum(found[place], release, 1)
    return tuple(found)


def _alike(sums: Sequence[Release], release: Release) -> int | None:
    """The place of the sum that the release can be added to."""
    for place, known in enumerate(sums):
        if (known.parts, known.epsilon) == (release.parts, release.epsilon):
            return place
    return None


def _sum(one: Release, other: Release, sign: int) -> Release:
    """The sum of two releases of the same parts, or their difference."""
    combine = Table.__add__ if sign > 0 else Table.__sub__
    tables = {
        kind: tuple(map(combine, getattr(one, kind), getattr(other, kind)))
        for kind in TABLE_KINDS
        if getattr(one, kind) is not None
    }
    return msgspec.structs.replace(
        one,
        blocks=one.blocks + sign * other.blocks,
        at_least=one.at_least + sign * other.at_least,
        day=max(one.day, other.day),
        group=one.group if one.group == other.group else None,
        **tables,
    )


# --- Printing -----------------------------------------------------------------------------------


def at_least(n: int) -> int:
    """A number of people as it is printed: "at least 10 / 15 / 20 …"."""
    return n // STEP * STEP


@dataclass(frozen=True, slots=True)
class Share:
    """A share as it is printed: "≤ 5 %" (``low_end``), "≥ 95 %" (``high_end``), or its points."""

    points: int
    low_end: bool = False
    high_end: bool = False


def printed(share: float, people: int) -> Share:
    """A share (0 to 1, or beyond by noise) of a group of at least ``people``, for print.

    The ends are closed whatever the size: 0 % and 100 % would tell the answer of each member.
    """
    step = 1 if people >= FINE_SHARES_FROM else STEP
    points = math.floor(100 * share / step + 0.5) * step
    if points <= STEP:
        return Share(STEP, low_end=True)
    if points >= 100 - STEP:
        return Share(100 - STEP, high_end=True)
    return Share(points)
