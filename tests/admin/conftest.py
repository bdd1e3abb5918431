"""A published instrument, the people of the admin, a cohort, and those who answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from assessments import codes, cohorts, sittings
from assessments.demonstration import simulated_sheet
from assessments.instruments import publish
from assessments.models import Cohort, InstrumentVersion, Phase, Sitting
from assessments.roles import make_trainer
from tests.instrument.example import example_instrument

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def today(monkeypatch) -> Callable[[date], None]:
    """The day it is, to be moved by calling it."""

    def is_now(day: date) -> None:
        monkeypatch.setattr(timezone, "localdate", lambda *args: day)

    is_now(TODAY)
    return is_now


@pytest.fixture(autouse=True)
def same_noise(monkeypatch) -> None:
    """The noise of a release is the same in every run of a test."""
    seeded = SimpleNamespace(randbelow=random.Random(5).randrange)
    monkeypatch.setattr("assessments.releases.secrets", seeded)


@pytest.fixture
def version(db) -> InstrumentVersion:
    return publish(example_instrument(("A", "B")))[0]


def user(name: str, **flags: bool):
    return get_user_model().objects.create_user(name, password="a long password", **flags)


@pytest.fixture
def trainer(db):
    person = user("trainer")
    make_trainer(person)
    return person


@pytest.fixture
def stranger(db):
    """A trainer of other cohorts."""
    person = user("stranger")
    make_trainer(person)
    return person


@pytest.fixture
def operator(db):
    return user("operator", is_staff=True, is_superuser=True)


def browser(person=None) -> Client:
    """Somebody's browser, in English."""
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person)
    return client


@pytest.fixture
def desk(trainer) -> Client:
    """The trainer's browser."""
    return browser(trainer)


@pytest.fixture
def cohort(version, trainer) -> Cohort:
    made = Cohort(name="Ward 12")
    cohorts.create(made, trainer)
    return made


@pytest.fixture
def phase(cohort, trainer) -> Phase:
    made = Phase(
        cohort=cohort,
        kind=Phase.Kind.BEFORE,
        opens_on=TODAY,
        closes_on=TODAY + timedelta(days=14),
    )
    cohorts.plan(made, trainer)
    return made


@pytest.fixture
def answer() -> Callable[..., None]:
    """People who answer a phase, and finish unless told otherwise."""
    chance = random.Random(11)

    def answer(
        phase: Phase,
        people: int,
        *,
        finish: bool = True,
        ability: float = 0.3,
        profession: str | None = None,
        deeds: Sequence[str] = (),
    ) -> None:
        for _person in range(people):
            sitting = sittings.open_sitting(
                codes.new_code(codes.RESUME_LENGTH),
                version=phase.version,
                phase=phase,
                language="fr",
            )
            asked = sittings.questionnaire_of(sitting)
            sheet = simulated_sheet(asked.instrument, phase.form, ability, chance)
            if profession is not None:
                sheet.context["profession"] = (profession,)
            Sitting.objects.filter(pk=sitting.pk).update(
                answers=asked.layout.pack(sheet),
                deeds=[{"step": "A1-ward-example", "deed": deed} for deed in deeds] or None,
            )
            if finish:
                sitting.refresh_from_db()
                sittings.finish(sitting)

    return answer
