"""A demonstration: a cohort before and after a training, answered by simulated people.

The people are drawn from a small response model with a fixed seed. They fill the demonstration,
the example that respondents may look at before they start, and the tests; nothing else.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from . import codes, cohorts, releases, sittings
from .cohort import disclosure
from .cohort.counts import count
from .cohort.disclosure import Release
from .instrument.document import Instrument, Scenario
from .instruments import questionnaire
from .models import Cohort, Phase, Sitting
from .roles import make_trainer
from .scoring.profile import score
from .scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet

USERNAME = "formateur"
BEFORE, AFTER = 36, 16
"""People who have finished: enough for every part of a release; enough for one at the close."""
EXAMPLE_PEOPLE, EXAMPLE_SEED = 64, 64
EXAMPLE_DAY = date(2026, 11, 24)


@dataclass(frozen=True, slots=True)
class Demonstration:
    cohort: Cohort
    password: str | None
    """The trainer's password, only when the account has just been made."""


def simulated_sheet(
    instrument: Instrument, form: str, ability: float, chance: random.Random
) -> Sheet:
    """A sheet of somebody whose log-odds of a best answer are around ``ability``."""
    answers: dict[str, ScenarioAnswer] = {}
    for scenario in instrument.scenarios_of(form):
        if chance.random() < 0.03:
            answers[scenario.code] = ScenarioAnswer(DONT_KNOW)
            continue
        difficulty = random.Random(scenario.code).gauss(0, 0.7)
        right = chance.random() < 1 / (1 + math.exp(difficulty - ability))
        option = scenario.best if right else _distractor(scenario, chance)
        leaning = chance.gauss(0.35 + 0.35 * ability + (0.5 if right else 0.0), 0.8)
        step = min(len(instrument.confidence_scale) - 1, max(0, round(1.5 + leaning)))
        answers[scenario.code] = ScenarioAnswer(option.code, instrument.confidence_scale[step].code)
    ratings = {
        rating.code: min(5, max(1, round(chance.gauss(3.1 + 0.3 * ability, 0.9))))
        for rating in instrument.self_ratings
    }
    context = {
        question.code: (chance.choice(question.options).code,) for question in instrument.context
    }
    return Sheet(context=context, self_ratings=ratings, answers=answers)


def _distractor(scenario: Scenario, chance: random.Random):
    others = [option for option in scenario.options if option is not scenario.best]
    weights = [2.0 if option.credit else 0.6 if option.unsafe else 1.0 for option in others]
    return chance.choices(others, weights)[0]


@lru_cache(maxsize=4)
def example_releases(digest: str, form: str) -> tuple[Release, ...]:
    """What would be published of invented people: shown to respondents before they start."""
    asked = questionnaire(digest, form)
    chance = random.Random(EXAMPLE_SEED)
    sheets, outcomes, steps = [], [], []
    for _person in range(EXAMPLE_PEOPLE):
        sheet = simulated_sheet(asked.instrument, form, chance.gauss(0.4, 0.7), chance)
        profile = score(asked.instrument, form, sheet)
        sheets.append(asked.layout.pack(sheet))
        outcomes.append(sittings.stored_outcomes(asked.instrument, profile))
        steps.append([step.step for step in profile.next_steps if chance.random() < 0.6])
    counts = count(
        asked.instrument, form, releases.matrix(sheets), releases.matrix(outcomes), steps
    )
    made = disclosure.release(
        counts, phase=Phase.Kind.BEFORE, day=EXAMPLE_DAY, randbelow=chance.randrange
    )
    return (made,)


@transaction.atomic
def demonstration() -> Demonstration:
    """The demonstration cohort and its trainer, made the first time."""
    user, is_new = get_user_model().objects.get_or_create(username=USERNAME)
    password = None
    if is_new:
        password = codes.grouped(codes.new_code(12))
        user.set_password(password)
        user.save()
        make_trainer(user)
    cohort = Cohort.objects.filter(trainers=user).order_by("pk").first()
    if cohort is None:
        cohort = _cohort(user)
    return Demonstration(cohort, password)


def _cohort(user: User) -> Cohort:
    today = timezone.localdate()
    cohort = Cohort(name=_("Demonstration: AI in our departments"), simulated=True)
    cohorts.create(cohort, user)
    before = Phase(cohort=cohort, kind=Phase.Kind.BEFORE, opens_on=today - timedelta(days=40))
    cohorts.plan(before, user)
    chance = random.Random(2026)
    for _person in range(BEFORE):
        _answer(before, chance.gauss(0.2, 0.7), chance)
    releases.close(before, user)
    after = Phase(
        cohort=cohort,
        kind=Phase.Kind.AFTER,
        opens_on=today,
        closes_on=today + timedelta(days=21),
    )
    cohorts.plan(after, user)
    for _person in range(AFTER):
        _answer(after, chance.gauss(0.9, 0.7), chance)
    return cohort


def _answer(phase: Phase, ability: float, chance: random.Random) -> None:
    sitting = sittings.open_sitting(
        codes.new_code(codes.RESUME_LENGTH), version=phase.version, phase=phase, language="fr"
    )
    asked = sittings.questionnaire_of(sitting)
    sheet = simulated_sheet(asked.instrument, phase.form, ability, chance)
    Sitting.objects.filter(pk=sitting.pk).update(answers=asked.layout.pack(sheet))
    sittings.finish(sitting)
    steps = sittings.profile_of(sitting).next_steps
    chosen = [step.step for step in steps if chance.random() < 0.6]
    sittings.keep_plans(sitting, [sittings.proposed_plan(sitting, code, "fr") for code in chosen])
