"""A demonstration: a cohort before and after a training, answered by simulated people.

Simulated people also fill the example that respondents may look at before they start, and tests.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from . import codes, releases, simulated_cohorts
from .cohort import disclosure, simulation
from .cohort.counts import count
from .cohort.disclosure import Release
from .instrument.document import Instrument
from .instruments import questionnaire
from .models import Cohort, Phase
from .roles import make_trainer
from .scoring.sheet import Sheet, layout

USERNAME = "formateur"
BEFORE, SEED = 36, 2026
STAYED = 14 / BEFORE
"""People who have finished: enough for every part of a release; with the 2 who are new after the
training, enough for a release at the close, and for the levels only."""
EXAMPLE_PEOPLE, EXAMPLE_SEED = 64, 64
EXAMPLE_DAY = date(2026, 11, 24)


@dataclass(frozen=True, slots=True)
class Demonstration:
    cohort: Cohort
    password: str | None
    """The trainer's password, only when the account has just been made."""


def simulated_sheet(
    instrument: Instrument, form: str, readiness: float, chance: random.Random
) -> Sheet:
    """A sheet of one of the people of :mod:`.cohort.simulation` whose mean readiness it is."""
    rng = np.random.default_rng(chance.getrandbits(64))
    person = simulation.draw(instrument, 1, rng, readiness)
    (sheet,) = simulation.answers(instrument, form, person, rng)
    return layout(instrument, form).unpack(sheet.tobytes())


@lru_cache(maxsize=4)
def example_releases(digest: str, form: str) -> tuple[Release, ...]:
    """What would be published of invented people: shown to respondents before they start."""
    asked = questionnaire(digest, form)
    rng, chance = np.random.default_rng(EXAMPLE_SEED), random.Random(EXAMPLE_SEED)
    people = simulation.draw(asked.instrument, EXAMPLE_PEOPLE, rng)
    sheets = simulation.answers(asked.instrument, form, people, rng)
    steps = [
        [step for step in simulated_cohorts.proposed(asked, sheet) if chance.random() < 0.6]
        for sheet in sheets
    ]
    counts = count(
        asked.instrument, form, sheets, simulated_cohorts.level_outcomes(asked, sheets), steps
    )
    made = disclosure.release(
        counts, phase=Phase.Kind.BEFORE, day=EXAMPLE_DAY, randbelow=chance.randrange
    )
    return (made,)


@transaction.atomic
def demonstration() -> Demonstration:
    """The demonstration cohort and its trainer, made the first time."""
    user, password = demonstration_trainer()
    name = _("Demonstration: AI in our departments")
    cohort = Cohort.objects.filter(trainers=user, name=name).order_by("pk").first()
    return Demonstration(cohort or _cohort(name, user), password)


@transaction.atomic
def demonstration_trainer() -> tuple[User, str | None]:
    """The demonstration's trainer, made the first time; their password only then."""
    user, is_new = get_user_model().objects.get_or_create(username=USERNAME)
    if not is_new:
        return user, None
    password = codes.grouped(codes.new_code(12))
    user.set_password(password)
    user.save()
    make_trainer(user)
    return user, password


def _cohort(name: str, user: User) -> Cohort:
    """A phase that is closed and published, and one that is still open."""
    before, after = simulated_cohorts.planned(
        name,
        [Phase.Kind.BEFORE, Phase.Kind.AFTER],
        user,
        leave_open=True,
    )
    people = simulated_cohorts.everybody()
    for moment in simulated_cohorts.moments([before, after], BEFORE, SEED, staying=STAYED):
        simulated_cohorts.keep(moment, people)
        if moment.phase is before:
            releases.close(before, user)
    return before.cohort
