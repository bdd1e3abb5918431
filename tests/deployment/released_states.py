"""Fill a database with what an installation holds, through the models of a state that was released.

Run on a database migrated to that state: ``python -m tests.deployment.released_states NAME``.
"""

from __future__ import annotations

import random
import sys
from datetime import date, timedelta
from importlib import import_module
from typing import Any

import django

SITTINGS = 5_000
COHORTS = 300
EVENTS = 3_000
FIRST_DAY = date(2026, 11, 24)


def fill(apps: Any, seed: int = 1) -> None:
    """Thousands of sittings, in every state they can be in, with what stands around them."""
    from django.db import models

    from assessments.cohort import disclosure
    from tests.cohort.people import people, released
    from tests.instrument.example import example_instrument

    chance = random.Random(seed)
    model = {name: apps.get_model("assessments", name) for name in NAMES}
    users = apps.get_model("auth", "User").objects.bulk_create(
        apps.get_model("auth", "User")(username=f"trainer{n}", is_staff=True) for n in range(50)
    )
    instrument = example_instrument()
    version = model["InstrumentVersion"].objects.create(
        code=instrument.code,
        version=instrument.version,
        document=b"{}",
        digest="0" * 64,
        published_on=FIRST_DAY,
    )
    cohorts = model["Cohort"].objects.bulk_create(
        model["Cohort"](name=f"Service {n}", code=f"C{n:07}", created_on=FIRST_DAY)
        for n in range(COHORTS)
    )
    for cohort in cohorts:
        cohort.trainers.add(chance.choice(users))
    phases = model["Phase"].objects.bulk_create(
        model["Phase"](
            cohort=cohort,
            kind=kind,
            opens_on=FIRST_DAY,
            version=version,
            form="A",
            closed_on=FIRST_DAY + timedelta(days=20) if kind == "before" else None,
        )
        for cohort in cohorts
        for kind in ("before", "after")
    )
    if hasattr(model["Phase"], "settled_on"):
        model["Phase"].objects.update(settled_on=models.F("closed_on"))
    documents = [
        disclosure.encode(released(instrument, people(instrument, 30, n), n, phase="before"))
        for n in range(3)
    ]
    model["Release"].objects.bulk_create(
        model["Release"](
            phase=phase,
            document=(document := chance.choice(documents)),
            digest=disclosure.digest(disclosure.decode(document)),
            made_on=FIRST_DAY + timedelta(days=20),
        )
        for phase in phases
        if phase.closed_on is not None
        for _block in range(chance.randint(1, 3))
    )
    if state_has(apps, "Pool"):
        import_module("assessments.migrations.0006_pooled").pool(apps, None)
    model["Sitting"].objects.bulk_create(
        (_sitting(model["Sitting"], version, phases, chance) for _ in range(SITTINGS)),
        batch_size=1_000,
    )
    model["Event"].objects.bulk_create(
        model["Event"](
            actor=chance.choice([*users, None]),
            action=chance.choice(["published", "created", "changed", "closed"]),
            subject=f"Service {chance.randrange(COHORTS)}",
        )
        for _ in range(EVENTS)
    )


def state_has(apps: Any, name: str) -> bool:
    return name.lower() in apps.all_models["assessments"]


NAMES = ("InstrumentVersion", "Cohort", "Phase", "Release", "Sitting", "Event")


def _sitting(sitting: Any, version: Any, phases: list[Any], chance: random.Random) -> Any:
    phase = chance.choice([*phases, None])
    finished = chance.random() < 0.7
    return sitting(
        id=chance.getrandbits(62) + 1,
        version=version,
        phase=phase,
        form="A",
        language=chance.choice(["fr", "en"]),
        answers=chance.randbytes(64),
        revision=chance.randrange(40),
        code_hash=chance.randbytes(16),
        opened_on=FIRST_DAY + timedelta(days=chance.randrange(20)),
        finished_on=FIRST_DAY + timedelta(days=20) if finished else None,
        outcomes=chance.randbytes(3) if finished else None,
        plans=[{"step": "a1", "when": "week", "will": "", "together_with": "", "before": None}]
        if finished and chance.random() < 0.5
        else None,
        released=finished and phase is not None and phase.closed_on is not None,
    )


if __name__ == "__main__":
    django.setup()
    from django.db import connection, transaction
    from django.db.migrations.loader import MigrationLoader

    state = MigrationLoader(connection).project_state(("assessments", sys.argv[1]))
    with transaction.atomic():
        fill(state.apps)
