"""Making cohorts and planning their phases. Nothing else writes them, but for the closing of a
phase and its counts, which are ``releases``'."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from .instruments import breakdowns, current, default_form
from .journal import record
from .models import Cohort, Event, InstrumentVersion, Phase

PLANNED_FIELDS = ("kind", "opens_on", "rolling", "breakdown")
"""What is settled once a phase has opened, for people may have answered by then."""


class LastTrainer(Exception):
    """A cohort keeps at least one trainer."""


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
    record(Event.Action.CREATED, actor, cohort)


@transaction.atomic
def rename(cohort: Cohort, actor: User) -> None:
    before = Cohort.objects.select_for_update().get(pk=cohort.pk)
    cohort.save(update_fields=["name"])
    record(Event.Action.CHANGED, actor, f"{before} → {cohort}", cohort)


@transaction.atomic
def appoint(cohort: Cohort, trainers: Iterable[User], actor: User) -> None:
    """Make these users, and no others, the cohort's trainers."""
    _in_turn(cohort)
    before, after = set(cohort.trainers.all()), set(trainers)
    cohort.trainers.set(after)
    for action, moved in (
        (Event.Action.APPOINTED, after - before),
        (Event.Action.LEFT, before - after),
    ):
        for name in sorted(trainer.get_username() for trainer in moved):
            record(action, actor, f"{cohort} · {name}", cohort)


@transaction.atomic
def add_trainer(cohort: Cohort, trainer: User, actor: User) -> None:
    """Let another trainer read and close what this cohort's trainers do."""
    _in_turn(cohort)
    if cohort.trainers.filter(pk=trainer.pk).exists():
        return
    cohort.trainers.add(trainer)
    record(Event.Action.APPOINTED, actor, f"{cohort} · {trainer.get_username()}", cohort)


@transaction.atomic
def leave(cohort: Cohort, actor: User) -> None:
    """Stop being a trainer of the cohort. Raises :class:`LastTrainer`."""
    _in_turn(cohort)
    if not cohort.trainers.exclude(pk=actor.pk).exists():
        raise LastTrainer
    cohort.trainers.remove(actor)
    record(Event.Action.LEFT, actor, f"{cohort} · {actor.get_username()}", cohort)


def _in_turn(cohort: Cohort) -> None:
    """Locked, or its last two trainers could leave at once and the cohort be nobody's."""
    Cohort.objects.select_for_update().get(pk=cohort.pk)


@transaction.atomic
def pause(phase: Phase, actor: User, *, paused: bool) -> bool:
    """Let nobody join a phase for a time, or let people join it again; whether that changes
    anything, which it does not once the phase is closed."""
    changing = Phase.objects.filter(pk=phase.pk, closed_on=None).exclude(paused=paused)
    changed = bool(changing.update(paused=paused))
    if changed:
        record(Event.Action.PAUSED if paused else Event.Action.RESUMED, actor, phase)
    return changed


def next_intake(cohort: Cohort, today: date | None = None) -> list[Phase]:
    """The phases of a cohort as the next intake may have them: alike, the first from today.

    They are proposals, kept by nobody yet.
    """
    phases = list(cohort.phases.all())
    if not phases:
        return []
    later = (today or timezone.localdate()) - phases[0].opens_on
    return [
        Phase(
            kind=phase.kind,
            opens_on=_moved(phase.opens_on, later),
            closes_on=phase.closes_on and _moved(phase.closes_on, later),
            rolling=phase.rolling,
            breakdown=phase.breakdown,
        )
        for phase in phases
    ]


def _moved(day: date, by: timedelta) -> date:
    """No later than there are days: 9999 is how some write “never”."""
    return date.fromordinal(min(day.toordinal() + by.days, date.max.toordinal()))


@transaction.atomic
def plan(phase: Phase, actor: User) -> None:
    """Keep a new phase or new dates of one; of a phase that has opened, only its last day.

    It asks the version that the cohort's opened phases ask, so that moments can be compared; the
    current one where none has opened, or where theirs is retired. Raises
    :class:`NothingPublished`.
    """
    stored = Phase.objects.select_for_update().filter(pk=phase.pk).first()
    if stored is not None and has_opened(stored):
        phase.save(update_fields=["closes_on"])
    else:
        version = _version_beside(phase) or current()
        if version is None:
            raise NothingPublished
        phase.version = version
        phase.form = default_form(version, phase.kind, phase.opens_on)
        # The blocks of a long-running phase are cut by order of arrival.
        if phase.rolling or phase.breakdown not in breakdowns(version):
            phase.breakdown = ""
        planned = [*PLANNED_FIELDS, "closes_on", "version", "form"]
        phase.save(update_fields=planned if stored is not None else None)
    record(Event.Action.CHANGED, actor, f"{phase} · {_days(phase)}", phase)


def _days(phase: Phase) -> str:
    return " – ".join(day.isoformat() for day in (phase.opens_on, phase.closes_on) if day)


def _version_beside(phase: Phase) -> InstrumentVersion | None:
    """The version, not retired, that the opened phases of the same cohort ask; the last one's."""
    opened = Phase.objects.filter(
        cohort=phase.cohort_id, opens_on__lte=timezone.localdate(), version__retired_on=None
    )
    last = opened.select_related("version").defer("version__document").last()
    return last.version if last else None
