"""What can happen to groups and to those who answer, and all that trainers can read of it.

A model of ``releases`` without a database: who is counted in which table is decided by the
functions of ``disclosure`` that the product calls, on releases whose one table is the set of the
responses that it counts (see ``attacker``). ``test_database`` shows that the model is the code.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import cycle

from assessments.cohort import disclosure
from assessments.cohort.counts import Counts, Table
from assessments.cohort.disclosure import Release

from .attacker import table

DAY = date(2026, 11, 24)
KINDS = ("before", "after", "follow-up")
CLASSES = ("nurse", "physician", "not-said")


def no_noise() -> disclosure.RandBelow:
    """Randomness from which the noise of a table of one answer a person is always 0."""
    turns = cycle((1, 0))
    return lambda n: 0 if n == 1 else next(turns)


def members(release: Release) -> int:
    """The responses that a release of the model counts, as a table."""
    return release.levels[0].cells[0][1]


@dataclass(frozen=True, slots=True)
class Response:
    number: int
    person: int
    of_class: str


@dataclass(eq=False)
class Phase:
    cohort: int
    kind: str
    rolling: bool = False
    breakdown: bool = False
    version: int = 1
    started: list[Response] = field(default_factory=list)
    queue: list[tuple[int, float, Response]] = field(default_factory=list)
    """The day on which each finished, a random key, and who it is."""
    closed: bool = False
    settled: bool = False
    releases: list[Release] = field(default_factory=list)
    released: list[Response] = field(default_factory=list)
    late: list[Response] = field(default_factory=list)

    @property
    def waiting(self) -> list[Response]:
        return [response for _day, _key, response in self.queue]


@dataclass
class Pool:
    sums: tuple[Release, ...] = ()
    groups: int = 0


class World:
    """Every method is something that happens; :meth:`readable` is what any trainer may read."""

    def __init__(self, configured: int | None = None) -> None:
        self.k = disclosure.threshold(configured)
        self.day = 0
        self.phases: list[Phase] = []
        self.pools: dict[tuple[str, int], Pool] = {}
        self.responses = 0
        self.revision = 0
        """Moves whenever something new may be read."""
        self.randbelow = no_noise()

    # --- What happens ------------------------------------------------------------------------

    def open(self, phase: Phase) -> Phase:
        self.phases.append(phase)
        return phase

    def start(self, phase: Phase, person: int, of_class: str = CLASSES[0]) -> Response:
        response = Response(self.responses, person, of_class)
        self.responses += 1
        phase.started.append(response)
        return response

    def finish(self, phase: Phase, response: Response, key: float) -> None:
        phase.started.remove(response)
        if phase.closed:
            self.come_late(phase, response)
            return
        phase.queue.append((self.day, key, response))
        if phase.rolling:
            self.cut(phase)

    def come_late(self, phase: Phase, response: Response) -> None:
        phase.late.append(response)

    def erase(self, phase: Phase, response: Response) -> None:
        phase.queue = [each for each in phase.queue if each[2] is not response]
        for some in (phase.started, phase.released, phase.late):
            if response in some:
                some.remove(response)

    def next_day(self) -> None:
        self.day += 1

    def close(self, phase: Phase) -> None:
        phase.closed = True

    # --- What is published --------------------------------------------------------------------

    def cut(self, phase: Phase) -> None:
        phase.queue.sort(key=lambda each: each[:2])
        blocks, waiting = disclosure.blocks(phase.waiting, self.k)
        for block in blocks:
            self.release(phase, block)
        phase.queue = phase.queue[len(phase.queue) - len(waiting) :]

    def settle(self, phase: Phase) -> None:
        found: dict[str, list[Response]] = {}
        for response in phase.waiting:
            found.setdefault(response.of_class if phase.breakdown else "", []).append(response)
        sizes = {code: len(found[code]) for code in sorted(found)}
        blocks = disclosure.partition(sizes, self.k)
        for block in blocks:
            some = [response for code in block for response in found[code]]
            self.release(phase, some, block[0] if len(blocks) > 1 else None)
        if blocks:
            phase.queue = []
        phase.settled = True

    def release(self, phase: Phase, block: Iterable[Response], group: str | None = None) -> None:
        block = tuple(block)
        document = disclosure.release(
            counts(phase.version, block),
            phase=phase.kind,
            day=DAY,
            randbelow=self.randbelow,
            k=self.k,
            group=group,
        )
        phase.releases.append(document)
        phase.released += block
        pool = self.pools.setdefault((phase.kind, phase.version), Pool())
        pool.sums = disclosure.added(pool.sums, [document])
        pool.groups += len(phase.releases) == 1
        self.revision += 1

    # --- What is read --------------------------------------------------------------------------

    def readable(self) -> Iterator[int]:
        """Each release, each group and class as a union, each reference, each change since an
        earlier phase: as tables."""
        for phase in self.phases:
            if not phase.releases:
                continue
            own = union(phase.releases)
            yield from map(members, phase.releases)
            yield own
            for group in {release.group for release in phase.releases}:
                yield union(each for each in phase.releases if each.group == group)
            for earlier in self.phases:
                if earlier.cohort == phase.cohort and earlier.releases:
                    yield own - union(earlier.releases)
        for _phase, reference in self.references():
            yield reference

    def references(self) -> Iterator[tuple[Phase, int]]:
        """What each phase may be compared with, all other groups as one."""
        for phase in self.phases:
            pool = self.pools.get((phase.kind, phase.version), Pool())
            found = disclosure.reference(
                pool.sums, pool.groups, phase.releases, strangers=pool.groups
            )
            if found is not None:
                yield phase, sum(map(members, found.sums))


def union(releases: Iterable[Release]) -> int:
    return sum(map(members, disclosure.union(releases).sums))


def counts(version: int, block: tuple[Response, ...]) -> Counts:
    who = Table("who", (("who", table(response.number for response in block)),))
    return Counts("m", str(version), str(version), "A", len(block), (who,), (), (), (), (), ())


# --- Random histories --------------------------------------------------------------------------

TARGETS = (3, 9, 10, 11, 12, 14, 20, 21, 22, 23, 25, 33, 44)
"""Queues that a history fills phases up to: around the sizes at which something happens."""
MIXES = ((1, 0, 0), (1, 1, 0), (12, 11, 0), (10, 10, 1), (9, 2, 2))
"""How many are of each class, one to another."""


class History:
    """A random history of a few groups, one event after the other."""

    def __init__(self, world: World, chance: random.Random, cohorts: int | None = None) -> None:
        self.world, self.chance = world, chance
        self.cohorts = cohorts or chance.randint(1, 4)
        self.mixes: dict[Phase, tuple[int, ...]] = {}
        for cohort in range(self.cohorts):
            self.plan(cohort)

    def plan(self, cohort: int) -> Phase:
        held = sum(phase.cohort == cohort for phase in self.world.phases)
        rolling = self.chance.random() < 0.3
        breakdown = not rolling and self.chance.random() < 0.4
        phase = self.world.open(Phase(cohort, KINDS[held], rolling, breakdown))
        self.mixes[phase] = self.chance.choice(MIXES)
        return phase

    def events(self, most: int) -> Iterator[str]:
        """Let up to so many things happen; after each, its name."""
        for _event in range(most):
            name = self.chance.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
            getattr(self, name)(self.chance.choice(self.world.phases))
            yield name

    def answer(self, phase: Phase) -> None:
        """As many people as bring the queue near a size that matters start, and most finish."""
        if phase.closed:
            return
        missing = self.chance.choice(TARGETS) - len(phase.queue)
        # After the first phase the same people come again, but for a few.
        first = 1000 * phase.cohort + self.chance.choice((0, 0, 0, 1, 2, 30))
        known = {response.person for response in (*phase.waiting, *phase.released)}
        free = (person for person in range(first, first + 500) if person not in known)
        for _person in range(missing):
            if self.world.responses >= MOST_RESPONSES:
                return
            (of_class,) = self.chance.choices(CLASSES, self.mixes[phase])
            response = self.world.start(phase, next(free), of_class)
            if self.chance.random() < 0.9:
                self.world.finish(phase, response, self.chance.random())

    def finish_one(self, phase: Phase) -> None:
        if phase.started:
            some = self.chance.choice(phase.started)
            self.world.finish(phase, some, self.chance.random())

    def erase_one(self, phase: Phase) -> None:
        some = [*phase.waiting, *phase.released, *phase.started, *phase.late]
        if some:
            self.world.erase(phase, self.chance.choice(some))

    def fall_short(self, phase: Phase) -> None:
        """So many erase theirs that those who wait are one too few."""
        if len(phase.queue) <= 1.3 * self.world.k:
            for response in phase.waiting[self.world.k - 1 :]:
                self.world.erase(phase, response)

    def close(self, phase: Phase) -> None:
        """As often as not, the publication waits for the worker, and somebody finishes first."""
        if not phase.closed:
            self.world.close(phase)
            if self.chance.random() < 0.5:
                self.world.settle(phase)
            elif self.chance.random() < 0.7:
                self.finish_one(phase)

    def settle(self, phase: Phase) -> None:
        if phase.closed and not phase.settled:
            self.world.settle(phase)

    def next_phase(self, phase: Phase) -> None:
        held = [each for each in self.world.phases if each.cohort == phase.cohort]
        if len(held) < len(KINDS):
            self.plan(phase.cohort)

    def next_day(self, phase: Phase) -> None:
        self.world.next_day()


MOST_RESPONSES = 400
WEIGHTS = {
    "answer": 8,
    "finish_one": 2,
    "erase_one": 4,
    "fall_short": 1,
    "close": 3,
    "settle": 4,
    "next_phase": 2,
    "next_day": 2,
}
