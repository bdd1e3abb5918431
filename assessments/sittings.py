"""What can happen to a sitting. Nothing else writes one.

Every write is one UPDATE guarded by what the writer had seen, so that a double submit is
harmless and two tabs never overwrite each other silently.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from . import codes, releases
from .cohort.counts import LevelOutcome
from .instrument.document import Instrument, by_code, in_language
from .instruments import default_form, questionnaire
from .models import InstrumentVersion, Phase, Sitting
from .questionnaire import Page, Questionnaire
from .scoring.profile import Profile, score
from .scoring.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Plan:
    """A next step as the person means to do it: when …, I will …, with …, before …"""

    step: str
    when: str
    will: str
    together_with: str
    before: str
    """ISO 8601 date."""


logger = logging.getLogger(__name__)

_STORED = {
    (1,): LevelOutcome.LEVEL_1,
    (1, 2): LevelOutcome.BETWEEN_1_2,
    (2,): LevelOutcome.LEVEL_2,
    (2, 3): LevelOutcome.BETWEEN_2_3,
    (3,): LevelOutcome.LEVEL_3,
}


UNFINISHED_KEPT = timedelta(days=30)
FINISHED_KEPT = timedelta(days=730)
"""As the information notice says: 30 days, and 24 months after the last day."""


class PhaseClosed(Exception):
    """The phase no longer takes new sittings."""


class Conflict(Exception):
    """Another tab or device saved other answers to this page since it was displayed."""


class Erased(Exception):
    """The sitting has been erased, in another tab or on another device."""


class Finished(Exception):
    """The sitting is finished: its answers no longer change."""


def questionnaire_of(sitting: Sitting) -> Questionnaire:
    return questionnaire(sitting.version.digest, sitting.form)


def sheet_of(sitting: Sitting) -> Sheet:
    return questionnaire_of(sitting).layout.unpack(bytes(sitting.answers))


def open_phases(today: date | None = None):
    """The phases that a person can join today."""
    today = today or timezone.localdate()
    return (
        Phase.objects.select_related("cohort", "version")
        .defer("version__document")
        .filter(closed_on=None, opens_on__lte=today)
        .exclude(closes_on__lt=today)
    )


def open_sitting(
    code: str, *, version: InstrumentVersion, phase: Phase | None, language: str
) -> Sitting:
    """The sitting opened by that resume code, opened now if it is not yet.

    Sending the same form twice opens one sitting. Raises :class:`PhaseClosed`.
    """
    known = find_by_code(code)
    if known is not None:
        return known
    if phase is not None and not open_phases().filter(pk=phase.pk).exists():
        raise PhaseClosed
    form = phase.form if phase else default_form(version)
    try:
        with transaction.atomic():
            return Sitting.objects.create(
                version=version,
                phase=phase,
                form=form,
                language=language,
                answers=questionnaire(version.digest, form).layout.empty(),
                code_hash=codes.hashed(code, settings.SECRET_KEY),
                opened_on=timezone.localdate(),
            )
    except IntegrityError:  # the same form, sent twice at once
        return _sittings().get(code_hash=codes.hashed(code, settings.SECRET_KEY))


def _sittings():
    return Sitting.objects.select_related("version", "phase__cohort").defer("version__document")


def find(key: int) -> Sitting | None:
    return _sittings().filter(pk=key).first()


def find_by_code(code: str) -> Sitting | None:
    """The sitting of a normalised resume code."""
    return _sittings().filter(code_hash=codes.hashed(code, settings.SECRET_KEY)).first()


def save_page(
    sitting: Sitting, page: Page, answered: Sheet, *, seen: bytes | None, language: str
) -> None:
    """Keep what a page answers, by one UPDATE.

    ``seen`` is what the page held when it was displayed. Raises :class:`Conflict` where another
    tab has changed the same page since, :class:`Finished` where the sitting is finished, and
    SheetError on an answer that the form does not have. Saves of different pages at the same
    moment both hold: the one that comes second is written over what the first left.
    """
    asked = questionnaire_of(sitting)
    part = asked.part(page, asked.layout.pack(answered))
    while True:
        if sitting.finished_on is not None:
            raise Finished
        stored = bytes(sitting.answers)
        before = asked.part(page, stored)
        if seen is not None and before not in (seen, part):
            raise Conflict
        if before == part and sitting.language == language:
            return
        whole = asked.replaced(page, stored, part)
        saved = Sitting.objects.filter(
            pk=sitting.pk, revision=sitting.revision, finished_on=None
        ).update(answers=whole, revision=sitting.revision + 1, language=language)
        if saved:
            sitting.answers, sitting.revision = whole, sitting.revision + 1
            sitting.language = language
            return
        _refresh(sitting)


def _refresh(sitting: Sitting, queryset: QuerySet[Sitting] | None = None) -> None:
    """Read again what another tab may have changed; :class:`Erased` if it is gone."""
    fields = ["answers", "revision", "language", "finished_on"]
    try:
        sitting.refresh_from_db(fields=fields, from_queryset=queryset)
    except Sitting.DoesNotExist:
        raise Erased from None


def finish(sitting: Sitting) -> None:
    """Score the sitting and put it in its phase's queue. Finishing twice changes nothing."""
    with transaction.atomic():
        if sitting.phase_id is not None:
            # In turn with the closing of the phase: in its block, or after it, never between.
            Phase.objects.select_for_update().get(pk=sitting.phase_id)
        # Locked, or a save could slip in between what is scored and what is kept.
        _refresh(sitting, Sitting.objects.select_for_update())
        if sitting.finished_on is not None:
            return
        sitting.finished_on = timezone.localdate()
        sitting.outcomes = stored_outcomes(
            questionnaire_of(sitting).instrument, profile_of(sitting)
        )
        sitting.save(update_fields=["finished_on", "outcomes"])
        if sitting.phase_id is not None:
            _cut(sitting.phase_id)


def _cut(phase_id: int) -> None:
    """Publish what is ready of a long-running phase; finishing never depends on it."""
    try:
        with transaction.atomic():
            releases.cut(phase_id)
    except (ValueError, DatabaseError):
        logger.exception("A block could not be published; its queue waits.")


def profile_of(sitting: Sitting) -> Profile:
    return score(questionnaire_of(sitting).instrument, sitting.form, sheet_of(sitting))


def stored_outcomes(instrument: Instrument, profile: Profile) -> bytes:
    """The level outcome of each domain, a byte each, as the releases count them."""
    levels = {domain.code: domain.level for domain in profile.domains}
    return bytes(
        _STORED[level.levels] if (level := levels.get(domain.code)) else LevelOutcome.NONE
        for domain in instrument.domains
    )


def keep_plans(sitting: Sitting, plans: Sequence[Plan]) -> None:
    """Keep the next steps the person chose, in place of those kept before."""
    sitting.plans = [asdict(plan) for plan in plans]
    if not Sitting.objects.filter(pk=sitting.pk).update(plans=sitting.plans):
        raise Erased


def plans_of(sitting: Sitting) -> tuple[Plan, ...]:
    return tuple(Plan(**plan) for plan in sitting.plans or ())


def proposed_plan(sitting: Sitting, step: str, language: str) -> Plan:
    """The ready-made plan of a next step, its delay counted from the sitting's last day."""
    plan = by_code(questionnaire_of(sitting).instrument.next_steps)[step].plan
    start = max(sitting.finished_on or date.min, timezone.localdate())
    return Plan(
        step=step,
        when=in_language(plan.when, language),
        will=in_language(plan.will, language),
        together_with=in_language(plan.together_with, language),
        before=(start + timedelta(days=plan.within_days)).isoformat(),
    )


def erase(sitting: Sitting) -> None:
    """Delete the sitting. What was released of its group stays as it was published."""
    with transaction.atomic():
        if sitting.phase_id is not None:
            Phase.objects.select_for_update().get(pk=sitting.phase_id)
        Sitting.objects.filter(pk=sitting.pk).delete()


def purge() -> int:
    """Delete what has been kept for as long as the notice says; how many sittings that was."""
    today = timezone.localdate()
    over = Q(finished_on=None, opened_on__lt=today - UNFINISHED_KEPT)
    over |= Q(finished_on__lt=today - FINISHED_KEPT)
    with transaction.atomic():
        _total, deleted = Sitting.objects.filter(over).delete()
    return deleted.get(Sitting._meta.label, 0)
