"""The attack by addition: over random histories, whatever trainers keep, add and take away from
each other, nothing isolates fewer than eleven responses; and with any single rule off, something
does.

Every history is seen by all trainers together, who write down all they can read after each event.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from assessments.cohort import disclosure
from assessments.cohort.disclosure import K

from .attacker import Attacker, table
from .world import (
    CLASSES,
    KINDS,
    MOST_RESPONSES,
    History,
    Phase,
    Response,
    World,
    members,
)

pytestmark = pytest.mark.pure

MANNERS = ("", "rolling", "breakdown")
EVENTS = 40
HISTORIES = 20_000
SHARES = 4
"""Tests that take a share of the histories each, so that several processors can work."""


def leak(world: World, seed: int) -> str | None:
    """The event of a random history after which fewer than K responses can be isolated, or after
    which the results of a single group are read as if they were everybody's."""
    attacker = Attacker(MOST_RESPONSES)
    read = -1
    for event in History(world, random.Random(seed)).events(EVENTS):
        if read == world.revision:
            continue
        read = world.revision
        for published in world.readable():
            attacker.read(published)
        if attacker.succeeds(K) or any(of_one_group(world, *each) for each in world.references()):
            return event
    return None


def of_one_group(world: World, reader: Phase, reference: int) -> bool:
    """Whether what a group is compared with is one other group, or holds its own people."""
    groups = {
        phase.cohort
        for phase in world.phases
        if any(members(r) & reference for r in phase.releases)
    }
    return len(groups) < 2 or reader.cohort in groups


@pytest.mark.parametrize("share", range(SHARES))
def test_no_history_isolates_fewer_than_eleven(share: int) -> None:
    leaking = [seed for seed in range(share, HISTORIES, SHARES) if leak(World(), seed)]
    assert leaking == []


def test_histories_reach_what_matters() -> None:
    """The histories would show nothing if nothing happened in them."""
    reached: dict[str, int] = {}
    for seed in range(300):
        world = World()
        for _event in History(world, random.Random(seed)).events(EVENTS):
            pass
        releases = [release for phase in world.phases for release in phase.releases]
        for name, found in {
            "a release": bool(releases),
            "a rolling phase of several blocks": any(
                phase.rolling and len(phase.releases) > 1 for phase in world.phases
            ),
            "classes apart": any(release.group for release in releases),
            "classes together": any(
                phase.breakdown and phase.releases and phase.releases[0].group is None
                for phase in world.phases
            ),
            "a reference": any(world.references()),
            "two phases of one group": any(
                one.cohort == two.cohort and one is not two and one.releases and two.releases
                for one in world.phases
                for two in world.phases
            ),
            "somebody late": any(phase.late for phase in world.phases),
            "too few": any(phase.settled and phase.queue for phase in world.phases),
        }.items():
            reached[name] = reached.get(name, 0) + found
    assert min(reached.values()) >= 10, reached


# --- With one rule off ---------------------------------------------------------------------------


class LivePage(World):
    """The page shows whoever has finished, from eleven on, as they come."""

    def readable(self) -> Iterator[int]:
        yield from super().readable()
        for phase in self.phases:
            if len(phase.queue) >= self.k:
                yield table(response.number for response in phase.waiting)

    def finish(self, phase: Phase, response: Response, key: float) -> None:
        super().finish(phase, response, key)
        self.revision += 1


class DailyRefresh(World):
    """The page shows whoever had finished at the end of the day before, from eleven on."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: set[int] = set()

    def next_day(self) -> None:
        super().next_day()
        for phase in self.phases:
            if len(phase.queue) >= self.k:
                self.shown.add(table(response.number for response in phase.waiting))
                self.revision += 1

    def readable(self) -> Iterator[int]:
        yield from super().readable()
        yield from self.shown


class RecomputedAfterErasure(World):
    """Whoever erases theirs is taken out of what was released."""

    def erase(self, phase: Phase, response: Response) -> None:
        was_released = response in phase.released
        super().erase(phase, response)
        if was_released and len(phase.released) >= self.k:
            phase.releases = []
            self.release(phase, [phase.released.pop() for _ in range(len(phase.released))])


class LateIsAdded(World):
    """Whoever finishes after the close is added to what was released."""

    def come_late(self, phase: Phase, response: Response) -> None:
        super().come_late(phase, response)
        if phase.releases and len(phase.released) >= self.k:
            phase.releases = []
            self.release(phase, [*phase.released, response])


class ClassWithoutComplement(World):
    """Each class of eleven is shown beside the whole, however few the others are."""

    def release(self, phase: Phase, block: Iterable[Response], group: str | None = None) -> None:
        block = tuple(block)
        super().release(phase, block, group)
        if phase.breakdown and group is None:
            for code in CLASSES:
                some = [response for response in block if response.of_class == code]
                if len(some) >= self.k:
                    super().release(phase, some, code)
                    phase.released = phase.released[: -len(some)]


class MatchedChange(World):
    """The change is shown over those who answered both times, from eleven pairs on."""

    def readable(self) -> Iterator[int]:
        yield from super().readable()
        for before in self.phases:
            for after in self.phases:
                if before.cohort != after.cohort or before is after:
                    continue
                if not (before.releases and after.releases):
                    continue
                both = {each.person for each in before.released}
                both &= {each.person for each in after.released}
                if len(both) >= self.k:
                    yield table(each.number for each in after.released if each.person in both)
                    yield table(each.number for each in before.released if each.person in both)


class ReleasedTwice(World):
    """Some of a block go into the next one too."""

    def cut(self, phase: Phase) -> None:
        waiting = list(phase.queue)
        super().cut(phase)
        if len(phase.queue) < len(waiting):
            phase.queue = waiting[self.k - 3 :]


class MovedToAnotherBlock(World):
    """Whoever is already in a block changes to another when one is made."""

    def release(self, phase: Phase, block: Iterable[Response], group: str | None = None) -> None:
        moved = phase.released[:1] if phase.releases else []
        super().release(phase, [*moved, *block], group)


class LeftoverJoinsTheLastBlock(World):
    """Fewer than eleven are left at the close: the last block is released again with them."""

    def settle(self, phase: Phase) -> None:
        super().settle(phase)
        if phase.queue and phase.releases:
            last = members(phase.releases[-1])
            block = [each for each in phase.released if last >> 3 * each.number & 1]
            if len(block) + len(phase.queue) >= self.k:
                self.release(phase, [*block, *phase.waiting])


class CutAtOnce(World):
    """A long-running phase is cut at eleven, and the few who are left are released at the close."""

    def settle(self, phase: Phase) -> None:
        if phase.rolling and 0 < len(phase.queue) < self.k:
            self.shown = [*getattr(self, "shown", ()), table(r.number for r in phase.waiting)]
            self.revision += 1
        super().settle(phase)

    def readable(self) -> Iterator[int]:
        yield from super().readable()
        yield from getattr(self, "shown", ())


class Filtered(World):
    """The page takes a range of days, and shows whoever finished in it, from eleven on."""

    def __init__(self) -> None:
        super().__init__()
        self.days: dict[int, int] = {}

    def finish(self, phase: Phase, response: Response, key: float) -> None:
        super().finish(phase, response, key)
        self.days[response.number] = self.day

    def readable(self) -> Iterator[int]:
        yield from super().readable()
        for phase in self.phases:
            for day in {self.days[each.number] for each in phase.released}:
                some = [each for each in phase.released if self.days[each.number] <= day]
                if phase.releases and len(some) >= self.k:
                    yield table(each.number for each in some)


def lower_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosure, "K", K - 1)


def no_threshold_of_a_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed queue is a block, whatever its size."""
    monkeypatch.setattr(disclosure, "partition", lambda sizes, k: (tuple(sizes),) if sizes else ())
    monkeypatch.setattr(disclosure, "permitted", lambda n, k: frozenset(disclosure.Part))


def separable_by_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """A breakdown is shown where only one class of it is too small."""
    monkeypatch.setattr(
        disclosure, "separable", lambda sizes, k: sum(0 < size < k for size in sizes) <= 1
    )
    monkeypatch.setattr(disclosure, "permitted", lambda n, k: frozenset(disclosure.Part))


def one_other_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosure, "REFERENCE_GROUPS", 1)


def reference_with_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group is compared with all groups, itself among them."""
    monkeypatch.setattr(disclosure, "without", lambda sums, own: tuple(sums))


FAULTS = [
    LivePage,
    DailyRefresh,
    RecomputedAfterErasure,
    LateIsAdded,
    ClassWithoutComplement,
    MatchedChange,
    ReleasedTwice,
    MovedToAnotherBlock,
    LeftoverJoinsTheLastBlock,
    CutAtOnce,
    Filtered,
]
RULES_OFF = [
    lower_threshold,
    no_threshold_of_a_queue,
    separable_by_most,
    one_other_group,
    reference_with_its_own,
]
TRIED = 500


def leaking(faulty: type[World]) -> int:
    """How many of the first histories leak."""
    return sum(leak(faulty(), seed) is not None for seed in range(TRIED))


@pytest.mark.parametrize("faulty", FAULTS)
def test_a_fault_is_caught(faulty: type[World], record_property) -> None:
    found = leaking(faulty)
    record_property(f"leaking of {TRIED}", found)
    print(f"{faulty.__name__}: {found} of {TRIED} histories leak")  # noqa: T201
    assert found >= 3


@pytest.mark.parametrize("switch_off", RULES_OFF)
def test_a_rule_switched_off_is_caught(switch_off, monkeypatch, record_property) -> None:
    switch_off(monkeypatch)
    found = leaking(World)
    record_property(f"leaking of {TRIED}", found)
    print(f"{switch_off.__name__}: {found} of {TRIED} histories leak")  # noqa: T201
    assert found >= 3


# --- A history that shrinks -----------------------------------------------------------------------


class Machine(RuleBasedStateMachine):
    """The same world, its histories chosen by Hypothesis: one that leaks is told in few steps."""

    world_of = World

    def __init__(self) -> None:
        super().__init__()
        self.world = self.world_of()
        self.attacker = Attacker(3 * MOST_RESPONSES)

    @rule(
        cohort=st.integers(0, 2), kind=st.sampled_from(KINDS[:2]), manner=st.sampled_from(MANNERS)
    )
    def open(self, cohort: int, kind: str, manner: str) -> None:
        if all((phase.cohort, phase.kind) != (cohort, kind) for phase in self.world.phases):
            self.world.open(Phase(cohort, kind, manner == "rolling", manner == "breakdown"))

    def some(self, data: st.DataObject, phases: Iterable[Phase]) -> Phase | None:
        found = list(phases)
        return data.draw(st.sampled_from(found)) if found else None

    @precondition(lambda self: self.world.phases)
    @rule(data=st.data(), sizes=st.tuples(*[st.sampled_from((0, 1, 11, 12))] * len(CLASSES)))
    def answer(self, data: st.DataObject, sizes: tuple[int, ...]) -> None:
        phase = self.some(data, (each for each in self.world.phases if not each.closed))
        if phase is None or self.world.responses > 2 * MOST_RESPONSES:
            return
        for code, size in zip(CLASSES, sizes, strict=True):
            for person in range(size):
                response = self.world.start(phase, person, code)
                self.world.finish(phase, response, response.number)

    @rule(data=st.data(), place=st.integers(0, 40))
    def erase(self, data: st.DataObject, place: int) -> None:
        phase = self.some(data, (each for each in self.world.phases if each.waiting))
        if phase is not None:
            self.world.erase(phase, phase.waiting[place % len(phase.queue)])

    @rule(data=st.data(), place=st.integers(0, 40))
    def erase_released(self, data: st.DataObject, place: int) -> None:
        phase = self.some(data, (each for each in self.world.phases if each.released))
        if phase is not None:
            self.world.erase(phase, phase.released[place % len(phase.released)])

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        phase = self.some(data, (each for each in self.world.phases if not each.closed))
        if phase is not None:
            self.world.close(phase)
            self.world.settle(phase)

    @invariant()
    def nobody_is_isolated(self) -> None:
        for published in self.world.readable():
            self.attacker.read(published)
        assert not self.attacker.succeeds(K)


class FaultyMachine(Machine):
    world_of = RecomputedAfterErasure


QUICK = settings(max_examples=60, stateful_step_count=25, deadline=None, derandomize=True)


def test_no_chosen_history_isolates_fewer_than_eleven() -> None:
    run_state_machine_as_test(Machine, settings=QUICK)


def test_a_chosen_history_finds_a_fault() -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(FaultyMachine, settings=QUICK)


# --- The attacker ---------------------------------------------------------------------------------


def test_the_attacker_finds_what_differences_isolate() -> None:
    attacker = Attacker(40)
    attacker.read(table(range(30)))
    assert attacker.smallest == 30
    attacker.read(table(range(18)))
    assert attacker.smallest == 12
    attacker.read(table(range(12, 30)) - table(range(30, 40)))  # 0–11, 12–17, 18–29, 30–39
    assert attacker.smallest == 6
    assert attacker.succeeds(7)
    assert not attacker.succeeds(6)


def test_the_attacker_sees_who_is_counted_twice() -> None:
    attacker = Attacker(22)
    attacker.read(table(range(22)) + table([4]))
    assert attacker.smallest == 1


def test_the_attacker_knows_nothing_of_whom_no_table_holds() -> None:
    attacker = Attacker(30)
    attacker.read(table(range(12)))
    attacker.read(0)
    assert attacker.smallest == 12


def test_a_table_of_nobody_who_answered_is_no_table() -> None:
    with pytest.raises(ValueError, match="nobody"):
        Attacker(5).read(table([7]))
