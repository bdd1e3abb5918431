"""The drills: people answer, something is killed, and every acknowledgement is looked for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .people import People, Told
from .system import Postgresql, System, wait_until

type Fault = Callable[[System, random.Random, float], None]
"""Does harm and ends it; lasting faults last so many seconds."""


def web_process_killed(system: System, chance: random.Random, _seconds: float) -> None:
    system.kill_a_web_process(chance.choice)


def web_master_killed(system: System, _chance: random.Random, _seconds: float) -> None:
    system.kill_the_master()


def postmaster_killed(system: System, _chance: random.Random, _seconds: float) -> None:
    cluster(system).kill()
    cluster(system).start()


def backend_killed(system: System, _chance: random.Random, _seconds: float) -> None:
    cluster(system).kill_a_backend()


def stopped_at_once(system: System, _chance: random.Random, _seconds: float) -> None:
    cluster(system).stop("immediate")
    cluster(system).start()


def database_frozen(system: System, _chance: random.Random, seconds: float) -> None:
    cluster(system).freeze()
    time.sleep(seconds)
    cluster(system).thaw()


def database_stopped(system: System, _chance: random.Random, seconds: float) -> None:
    cluster(system).stop("fast")
    time.sleep(seconds)
    cluster(system).start()


def disk_full(system: System, _chance: random.Random, seconds: float) -> None:
    system.fill_the_disk()
    time.sleep(seconds)
    system.make_room()
    if isinstance(system.database, Postgresql):
        system.database.see_to()


HOUR, DAY = 3600, 86_400
JUMPS = (HOUR, -HOUR, 2 * DAY, -2 * DAY, 0, -3 * HOUR, 5 * HOUR, 0)
"""Seconds: what summer time does, what a wrong clock does, and back."""


def clock_jumps(system: System, chance: random.Random, _seconds: float) -> None:
    """And the timer fires while the clock is further ahead than answers are kept."""
    system.clock.write_text(str(chance.choice(JUMPS)))
    assert not system.purge_ahead(40 * DAY)


ANYWHERE: dict[str, Fault] = {
    "a web process killed": web_process_killed,
    "the web server killed": web_master_killed,
    "the disk full": disk_full,
    "the clock jumps": clock_jumps,
}
ON_POSTGRESQL: dict[str, Fault] = {
    "the postmaster killed": postmaster_killed,
    "a backend killed": backend_killed,
    "PostgreSQL stopped at once": stopped_at_once,
    "PostgreSQL frozen": database_frozen,
    "PostgreSQL stopped": database_stopped,
}
BACK = 120
"""Seconds after which a service that does not come back has failed, however slow the machine."""
LASTING = {"the disk full", "PostgreSQL frozen", "PostgreSQL stopped"}


def faults_of(system: System) -> dict[str, Fault]:
    return ANYWHERE | (ON_POSTGRESQL if isinstance(system.database, Postgresql) else {})


def cluster(system: System) -> Postgresql:
    assert isinstance(system.database, Postgresql)
    return system.database


def chaos(system: System, chance: random.Random, seconds: float) -> None:
    """Anything of it, but the clock, which ends sessions."""
    among = {name: fault for name, fault in faults_of(system).items() if fault is not clock_jumps}
    among[chance.choice(sorted(among))](system, chance, min(seconds, chance.uniform(0, 6)))


@dataclass(frozen=True)
class Drilled:
    """What a drill found."""

    scenario: str
    database: str
    faults: int
    acknowledged: int
    found: int
    lost_meanwhile: int
    """Answers that were missing at some look between two faults."""
    recovered: float
    """Seconds from the end of a fault to the next acknowledgement, the worst."""
    sound: bool
    """What the database says of itself."""
    told: Told

    @property
    def refused(self) -> int:
        return len(self.told.refusals)

    @property
    def longest_refusal(self) -> float:
        """Seconds that somebody waited to be told that the database is away."""
        return max(self.told.refusals, default=0.0)

    @property
    def passed(self) -> bool:
        return (
            0 < self.acknowledged == self.found
            and not self.lost_meanwhile
            and self.sound
            and not self.told.strange
        )


def drill(
    system: System,
    scenario: str,
    fault: Fault,
    *,
    seed: int,
    people: int,
    times: int,
    lasting: float = 3,
    pause: float = 0.5,
    within: float = float("inf"),
) -> Drilled:
    """Inject a fault so many times, ``pause`` seconds apart on average, while people answer; fewer
    times where ``within`` seconds are over."""
    chance = random.Random(seed)
    recovered, lost, faults = 0.0, 0, 0
    until = time.monotonic() + within
    with People(system, people, seed, sessions_end=fault is clock_jumps) as answering:
        wait_until(lambda: answering.told.acknowledged)
        while faults < times and (faults == 0 or time.monotonic() < until):
            faults += 1
            time.sleep(chance.uniform(0, 2 * pause))
            fault(system, chance, lasting)
            ended = time.monotonic()
            try:
                wait_until(lambda since=ended: answering.told.last > since, BACK)  # type: ignore[misc]
            except AssertionError:
                answering.strange(f"nothing was acknowledged for {BACK} s")
            recovered = max(recovered, answering.told.last - ended)
            acknowledged, found = answering.found()
            lost = max(lost, acknowledged - found)
        time.sleep(pause)
    if not system.answers():
        system.start()
    acknowledged, found = answering.found()
    return Drilled(
        scenario,
        system.database.name,
        faults,
        acknowledged,
        found,
        lost,
        recovered,
        system.database.sound(),
        answering.told,
    )
