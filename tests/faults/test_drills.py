"""The drills in short, on the real system; and the tests of the tests: faults that they must find.

Whole, and with figures: ``make faults``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.conftest import AUDIT, REQUIRE_ALL

from . import working
from .drills import ANYWHERE, LASTING, ON_POSTGRESQL, clock_jumps, disk_full, drill
from .drills import web_process_killed as killed
from .system import POSTGRESQL, System

SEED = 20261128
PEOPLE = 4

needs_postgresql = pytest.mark.skipif(
    POSTGRESQL is None and not REQUIRE_ALL, reason="no PostgreSQL: sudo apt install postgresql"
)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("sqlite"), "sqlite") as system:
        yield system


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory) -> Iterator[System]:
    with System(tmp_path_factory.mktemp("postgresql"), "postgresql") as system:
        yield system


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def system(request) -> System:
    return request.getfixturevalue(request.param)


def short(system: System, name: str, fault, **changed):
    once = name in LASTING or name == "the web server killed"
    told = {"seed": SEED, "people": PEOPLE, "times": 1 if once else 2, "lasting": 2.0}
    return drill(system, name, fault, **told | {"pause": 0.2} | changed)


def check(drilled) -> None:
    assert not drilled.told.strange
    assert drilled.sound
    assert drilled.lost_meanwhile == 0
    assert drilled.acknowledged == drilled.found > 0


def misses(drilled) -> bool:
    """Whether it has found that an answer was acknowledged and is not there."""
    return drilled.lost_meanwhile > 0 or drilled.found < drilled.acknowledged


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("name", [name for name in ANYWHERE if ANYWHERE[name] != clock_jumps])
def test_nothing_that_was_acknowledged_is_lost(system, name):
    drilled = short(system, name, ANYWHERE[name])
    check(drilled)
    assert drilled.refused > 0 or name not in LASTING, "it was not noticed"


@pytest.mark.xdist_group("faults")
@needs_postgresql
@pytest.mark.parametrize("name", ON_POSTGRESQL)
def test_nothing_is_lost_by_postgresql(postgresql, name):
    drilled = short(postgresql, name, ON_POSTGRESQL[name])
    check(drilled)
    if name == "PostgreSQL stopped":
        assert drilled.refused > 0, "it was not noticed"
    # A thread waits for a frozen database as long as a statement may take, and no longer.
    assert drilled.longest_refusal < 15


@pytest.mark.xdist_group("faults")
def test_the_clock_jumps_and_nothing_is_lost(system):
    system.clock.write_text("0")
    system.restart()
    try:
        check(short(system, "the clock jumps", clock_jumps, times=3))
    finally:
        system.clock.unlink()
        system.restart()


@pytest.mark.xdist_group("faults")
def test_the_worker_killed_in_the_middle_has_done_it_once(system):
    worked = working.drill(system, random.Random(SEED), kills=1)
    assert worked.passed, worked


@pytest.fixture
def mutant(sqlite) -> Iterator:
    yield sqlite.restart
    sqlite.restart()


MUTANTS = [
    ("acknowledges_before_it_commits", killed, {"times": 3}),
    ("swallows_the_databases_failure", disk_full, {}),
    ("ignores_the_revision", killed, {"times": 4}),
]
"""What is wrong with the service, and the fault that shows it."""


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize(
    ("wrong", "fault", "how"),
    [pytest.param(*each, id=each[0]) for each in (MUTANTS if AUDIT else MUTANTS[:1])],
)
def test_what_loses_answers_is_found(sqlite, mutant, wrong, fault, how):
    """They are looked for in the same way: one is enough where not all is tried."""
    mutant(wrong)
    assert misses(short(sqlite, "mutant", fault, **how))
