"""Making cohorts and planning their phases. Nothing else writes them, but for the closing of a
phase and its counts, which are ``releases``'."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from .instruments import current, default_form
from .models import Cohort, Event, Phase

PLANNED_FIELDS = ("kind", "opens_on", "rolling")
"""What is settled once a phase has opened, for people may have answered by then."""


class NothingPublished(Exception):
    """No instrument is published yet, so that no phase can be planned."""


def has_opened(phase: Phase, today: date | None = None) -> bool:
    return phase.opens_on <= (today or timezone.localdate())


@transaction.atomic
def create(cohort: Cohort, actor: User) -> None:
    """Keep a new cohort. Whoever makes it is its trainer."""
    cohort.created_on = timezone.localdate()
    cohort.save()
    cohort.trainers.add(actor)
    _log(Event.Action.CREATED, actor, cohort)


@transaction.atomic
def rename(cohort: Cohort, actor: User) -> None:
    cohort.save(update_fields=["name"])
    _log(Event.Action.CHANGED, actor, cohort)


@transaction.atomic
def appoint(cohort: Cohort, trainers: Iterable[User], actor: User) -> None:
    """Make these users, and no others, the cohort's trainers."""
    cohort.trainers.set(trainers)
    names = ", ".join(sorted(trainer.get_username() for trainer in cohort.trainers.all()))
    _log(Event.Action.CHANGED, actor, f"{cohort} · {names}")


@transaction.atomic
def plan(phase: Phase, actor: User) -> None:
    """Keep a new phase or new dates of one; of a phase that has opened, only its last day.

    It asks the instrument version that is current when it is planned. Raises
    :class:`NothingPublished`.
    """
    stored = Phase.objects.select_for_update().filter(pk=phase.pk).first()
    if stored is not None and has_opened(stored):
        phase.save(update_fields=["closes_on"])
    else:
        version = current()
        if version is None:
            raise NothingPublished
        phase.version, phase.form = version, default_form(version, phase.kind)
        planned = [*PLANNED_FIELDS, "closes_on", "version", "form"]
        phase.save(update_fields=planned if stored is not None else None)
    _log(Event.Action.CHANGED, actor, phase)


def _log(action: Event.Action, actor: User, subject: object) -> None:
    longest = Event._meta.get_field("subject").max_length
    Event.objects.create(actor=actor, action=action, subject=str(subject)[:longest])
