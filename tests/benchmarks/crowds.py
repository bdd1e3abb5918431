"""Crowds of simulated people who have finished, stored as the product stores them.

Importing it makes Django ready: it is imported before anything of the product's.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache

import django
import numpy as np

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from assessments import codes, simulated_cohorts, sittings  # noqa: E402
from assessments.cohort import simulation  # noqa: E402
from assessments.cohort.simulation import Bytes  # noqa: E402
from assessments.instruments import questionnaire  # noqa: E402
from assessments.management.commands.demo import SEEDS  # noqa: E402
from assessments.models import Phase, Sitting, random_key  # noqa: E402
from assessments.roles import make_trainer  # noqa: E402

PART = 100_000
"""People drawn and stored at a time."""
OPEN = simulated_cohorts.DAYS - simulated_cohorts.STILL_OPEN
"""Days for which the phase has been open."""
PLANNERS = 500
"""People whose next steps are worked out one by one; others choose what one of these chose."""


def service() -> User:
    """An installation with the instrument and a trainer, and nothing else."""
    call_command("migrate", verbosity=0)
    call_command("load_instrument", SEEDS, verbosity=0, stdout=_Silent())
    trainer = User.objects.create_user("trainer")
    make_trainer(trainer)
    return trainer


@contextmanager
def filling() -> Iterator[None]:
    """In haste: how long it takes to fill a database is not measured. What comes after it connects
    anew, as the product does."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-400000")
    try:
        yield
    finally:
        connection.close()


def phase_of(trainer: User, name: str) -> Phase:
    (phase,) = simulated_cohorts.planned(name, [Phase.Kind.BEFORE], trainer, leave_open=True)
    return phase


@dataclass(frozen=True, slots=True)
class Crowd:
    """People who have finished at one moment, a row each."""

    sheets: Bytes
    outcomes: Bytes
    languages: tuple[str, ...]
    days: tuple[date, ...]

    def __len__(self) -> int:
        return len(self.sheets)


def crowd(phase: Phase, n: int, seed: int) -> Iterator[Crowd]:
    """``n`` people who answer as :mod:`assessments.cohort.simulation` has it, and whose levels are
    those of the product's scoring, in parts that memory holds."""
    asked = questionnaire(phase.version.digest, phase.form)
    today = timezone.localdate()
    week = [today - timedelta(days=ago) for ago in range(OPEN)]
    for number, start in enumerate(range(0, n, PART)):
        rng = np.random.default_rng([seed, number])
        people = simulation.draw(asked.instrument, min(PART, n - start), rng)
        sheets = simulation.answers(asked.instrument, phase.form, people, rng)
        yield Crowd(
            sheets=sheets,
            outcomes=simulated_cohorts.level_outcomes(asked, sheets),
            languages=tuple(asked.instrument.languages[place] for place in people.language),
            days=tuple(week[ago] for ago in rng.integers(OPEN, size=len(people))),
        )


@cache
def plans(phase: Phase) -> tuple[list[dict] | None, ...]:
    """The next steps that people keep, of which there are three or fewer; half keep none."""
    asked = questionnaire(phase.version.digest, phase.form)
    rng = np.random.default_rng(PLANNERS)
    people = simulation.draw(asked.instrument, PLANNERS, rng)
    found: list[list[dict] | None] = []
    for sheet in simulation.answers(asked.instrument, phase.form, people, rng):
        sitting = Sitting(
            version=phase.version, phase=phase, form=phase.form, answers=sheet.tobytes()
        )
        kept = [
            asdict(sittings.proposed_plan(sitting, step, "fr"))
            for step in simulated_cohorts.proposed(asked, sheet)
            if rng.random() < simulated_cohorts.KEPT
        ]
        found.append(kept if kept and rng.random() < simulated_cohorts.CHOOSING else None)
    return tuple(found)


def finished(
    phase: Phase, some: Crowd, chosen: Sequence[list[dict] | None] | None = None
) -> list[Sitting]:
    """Their sittings, as the product would keep them; ``chosen`` is taken in turn."""
    plans_of = chosen or (None,)
    return [
        Sitting(
            version_id=phase.version_id,
            phase_id=phase.pk,
            form=phase.form,
            language=some.languages[row],
            answers=some.sheets[row].tobytes(),
            # As many times saved as there are pages.
            revision=17,
            code_hash=secrets.token_bytes(codes.HASH_BYTES),
            opened_on=some.days[row],
            finished_on=some.days[row],
            outcomes=some.outcomes[row].tobytes(),
            plans=plans_of[row % len(plans_of)],
        )
        for row in range(len(some))
    ]


def store(phase: Phase, n: int, seed: int, *, planning: bool = True) -> None:
    """Have so many people finish in a phase: the rows of :func:`finished`, by plain SQL, for a
    million models take minutes to make."""
    fields = Sitting._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    insert = (
        f'INSERT INTO "{Sitting._meta.db_table}" ({columns}) '
        f"VALUES ({', '.join(['%s'] * len(fields))})"
    )
    (example,) = finished(phase, next(crowd(phase, 1, seed)))
    same = {field.column: getattr(example, field.attname) for field in fields}
    written = Sitting._meta.get_field("plans")
    chosen = [
        None if steps is None else written.get_db_prep_save(steps, connection)
        for steps in (plans(phase) if planning else (None,))
    ]
    for some in crowd(phase, n, seed):
        rows = []
        for row in range(len(some)):
            day = some.days[row].isoformat()
            own = {
                "id": random_key(),
                "language": some.languages[row],
                "answers": some.sheets[row].tobytes(),
                "code_hash": secrets.token_bytes(codes.HASH_BYTES),
                "opened_on": day,
                "finished_on": day,
                "outcomes": some.outcomes[row].tobytes(),
                "plans": chosen[row % len(chosen)],
            }
            rows.append(tuple((same | own).values()))
        # In the order of their keys, it is quicker.
        rows.sort()
        with filling(), transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(insert, rows)


class _Silent:
    def write(self, text: str) -> None: ...
