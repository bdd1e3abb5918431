"""What can happen to a sitting. Nothing else writes one.

Every write is one UPDATE guarded by what the writer had seen, so that a double submit is
harmless and two tabs never overwrite each other silently.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from . import codes, releases, tombstones
from .cohort.counts import Deed, LevelOutcome
from .instrument.document import Instrument, by_code, in_language
from .instruments import (
    current_calibration,
    default_form,
    last_calibration,
    questionnaire,
)
from .lookups import Lookup
from .models import Cohort, InstrumentVersion, Phase, Sitting
from .questionnaire import Page, Questionnaire
from .scoring.next_steps import STEPS
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


class PhaseClosed(Exception):
    """The phase no longer takes new sittings."""


class TooMany(Exception):
    """The resume code has opened as many sittings as it may."""


class Conflict(Exception):
    """Another tab or device saved other answers to this page since it was displayed."""


class Erased(Exception):
    """The sitting has been erased, in another tab or on another device."""


class Finished(Exception):
    """The sitting is finished: its answers no longer change."""


def questionnaire_of(sitting: Sitting) -> Questionnaire:
    """What the sitting is asked, in the words meant for the profession it tells."""
    asked = questionnaire(sitting.version.digest, sitting.form)
    profession = asked.profession_in(bytes(sitting.answers))
    return questionnaire(sitting.version.digest, sitting.form, profession) if profession else asked


def sheet_of(sitting: Sitting) -> Sheet:
    return questionnaire_of(sitting).layout.unpack(bytes(sitting.answers))


def open_phases(today: date | None = None):
    """The phases that a person can join today."""
    today = today or timezone.localdate()
    return (
        Phase.objects.select_related("cohort", "version")
        .defer("version__document")
        .filter(closed_on=None, paused=False, opens_on__lte=today)
        .exclude(closes_on__lt=today)
    )


def phase_to_join(cohort: Cohort) -> Phase | None:
    """The phase that the cohort's link opens today: of those open, the last that opened."""
    return open_phases().filter(cohort=cohort).order_by("-opens_on", "-pk").first()


def open_sitting(
    code: str, *, version: InstrumentVersion, phase: Phase | None, language: str
) -> Sitting:
    """The sitting that a resume code opens in a phase (or outside any), opened now if it is not
    yet.

    A code new to us opens its first sitting; one that is known, the next of the same person, who
    alone can tell so. A phase is answered once by a code; outside any phase, a finished sitting
    lets the next begin. Sending the same form twice opens one sitting. Raises
    :class:`PhaseClosed`, and :class:`TooMany` where the code has served its time.
    """
    return _open(_hashes(code), version, phase, language)


def open_next(
    code_hash: bytes, *, version: InstrumentVersion, phase: Phase | None, language: str
) -> Sitting:
    """As :func:`open_sitting`, for a browser that holds a person's sittings and no code, but the
    hash that the next one will keep (:func:`next_hash`). :class:`TooMany` where it is taken."""
    return _open([code_hash], version, phase, language)


def _open(
    hashes: Sequence[bytes], version: InstrumentVersion, phase: Phase | None, language: str
) -> Sitting:
    while True:
        known = _of_hashes(hashes)
        for sitting in known:
            if sitting.phase_id == (phase.pk if phase else None) and (
                phase is not None or sitting.finished_on is None
            ):
                return sitting
        if phase is not None and not open_phases().filter(pk=phase.pk).exists():
            raise PhaseClosed
        free = _next(hashes, known)
        if free is None:
            raise TooMany
        form = phase.form if phase else default_form(version)
        try:
            with transaction.atomic():
                return Sitting.objects.create(
                    version=version,
                    phase=phase,
                    form=form,
                    language=language,
                    answers=questionnaire(version.digest, form).layout.empty(),
                    code_hash=free,
                    opened_on=timezone.localdate(),
                )
        except IntegrityError:  # the same form, sent twice at once
            continue


def next_hash(code: str, known: Sequence[Sitting]) -> bytes | None:
    """What the next sitting of a normalised resume code will keep of it, after those that are
    ``known`` of it; None after the last."""
    return _next(_hashes(code), known)


def _next(hashes: Sequence[bytes], known: Sequence[Sitting]) -> bytes | None:
    # After the last that is taken: a place that was erased stays empty, for places tell the order.
    places = {each: place for place, each in enumerate(hashes)}
    place = 1 + max((places[bytes(sitting.code_hash)] for sitting in known), default=-1)
    return hashes[place] if place < len(hashes) else None


def _hashes(code: str) -> list[bytes]:
    """What the sittings of a code may keep of it, in the order in which they were opened."""
    return [codes.hashed(code, settings.SECRET_KEY, place) for place in range(codes.MOST_SITTINGS)]


def _of_hashes(hashes: Sequence[bytes]) -> list[Sitting]:
    place = {each: number for number, each in enumerate(hashes)}
    with connection.cursor() as cursor:
        cursor.execute(_of_so_many(len(hashes)), list(hashes))
        keys = [key for (key,) in cursor.fetchall()]
    return sorted(find_all(keys), key=lambda sitting: place[bytes(sitting.code_hash)])


def _of_so_many(hashes: int) -> str:
    """The keys of the sittings that keep one of so many hashes. A code nearly always has none or
    one: they are few to find, and Django would write this sentence, long for its joins, anew."""
    marks = ", ".join(["%s"] * hashes)
    return f"SELECT id FROM {Sitting._meta.db_table} WHERE code_hash IN ({marks})"


_OF_VERSION = ("code", "version", "digest")
_OF_PHASE = tuple(field.attname for field in Phase._meta.concrete_fields)
_sitting = Lookup(
    Sitting.objects.annotate(
        **{f"version_{name}": F(f"version__{name}") for name in _OF_VERSION},
        **{f"of_phase_{name}": F(f"phase__{name}") for name in _OF_PHASE},
    )
)


def find(key: int) -> Sitting | None:
    """The sitting of that key, with its version and its phase."""
    sitting = _sitting(key)
    if sitting is not None:
        known = [getattr(sitting, f"version_{name}") for name in ("id", *_OF_VERSION)]
        sitting.version = InstrumentVersion.from_db(sitting._state.db, ("id", *_OF_VERSION), known)
        if sitting.phase_id is not None:
            known = [getattr(sitting, f"of_phase_{name}") for name in _OF_PHASE]
            sitting.phase = Phase.from_db(sitting._state.db, _OF_PHASE, known)
    return sitting


def of_code(code: str) -> list[Sitting]:
    """The sittings of a normalised resume code, in the order in which they were opened."""
    return _of_hashes(_hashes(code))


def to_open(found: Sequence[Sitting]) -> Sitting | None:
    """Of one person's sittings, in the order of :func:`of_code`, the one to open: what is not
    finished before what is, and the last before the first."""
    return max(
        found, key=lambda sitting: (sitting.finished_on is None, found.index(sitting)), default=None
    )


def find_by_code(code: str) -> Sitting | None:
    """The sitting that a normalised resume code opens."""
    return to_open(of_code(code))


def find_all(keys: Sequence[int]) -> list[Sitting]:
    """The sittings of these keys that still exist, in the order of the keys."""
    return [sitting for sitting in map(find, keys) if sitting is not None]


def unanswered_phase(found: Sequence[Sitting]) -> Phase | None:
    """The phase, open today, of the cohort of one of these sittings, that comes after those they
    answer there."""
    last: dict[int, Phase] = {}
    for phase in [sitting.phase for sitting in found if sitting.phase is not None]:
        known = last.setdefault(phase.cohort_id, phase)
        last[phase.cohort_id] = max(known, phase, key=_in_turn)
    if not last:
        return None
    phases = open_phases().filter(cohort__in=last).order_by("-opens_on", "-pk")
    return next(
        (phase for phase in phases if _in_turn(phase) > _in_turn(last[phase.cohort_id])), None
    )


def _in_turn(phase: Phase) -> tuple[date, int]:
    return phase.opens_on, phase.pk


def takes_answers(sitting: Sitting) -> bool:
    """Whether what is finished now still counts for the sitting's group, if it has one: nobody new
    joins after its last day or during a pause, but whoever has started goes on until the close."""
    return sitting.phase is None or sitting.phase.closed_on is None


def opened_before(sitting: Sitting, own: Sequence[Sitting]) -> list[Sitting]:
    """Of one person's sittings, in the order of :func:`of_code`, those opened before this one."""
    keys = [each.pk for each in own]
    return list(own[: keys.index(sitting.pk)]) if sitting.pk in keys else []


def finished_before(sitting: Sitting, own: Sequence[Sitting]) -> Sitting | None:
    """The finished sitting that this one is compared with: the last before it on the same version
    of the questionnaire, or else, to say why not, the last on another."""
    finished = [each for each in opened_before(sitting, own) if each.finished_on is not None]
    alike = [each for each in finished if each.version_id == sitting.version_id]
    return next(reversed(alike or finished), None)


def is_follow_up(sitting: Sitting) -> bool:
    return sitting.phase is not None and sitting.phase.kind == Phase.Kind.FOLLOW_UP


def plans_followed(sitting: Sitting, own: Sequence[Sitting]) -> tuple[Plan, ...]:
    """The steps that a follow-up asks about: those the person last chose before it."""
    if not is_follow_up(sitting):
        return ()
    chosen = (plans_of(each) for each in reversed(opened_before(sitting, own)))
    return next(filter(None, chosen), ())[:STEPS]


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
        if _keep(sitting, whole, language):
            sitting.answers, sitting.revision = whole, sitting.revision + 1
            sitting.language = language
            return
        _refresh(sitting)


_KEEP = (
    f"UPDATE {Sitting._meta.db_table} SET answers = %s, revision = revision + 1, language = %s "
    "WHERE id = %s AND revision = %s AND finished_on IS NULL"
)
"""What is written more often than all else together: Django would take longer to write this
sentence anew than the database takes to keep it."""


def _keep(sitting: Sitting, answers: bytes, language: str) -> bool:
    """Keep the answers, unless another tab has saved or finished the sitting since it was read."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [answers, language, sitting.pk, sitting.revision])
        return cursor.rowcount == 1


def _refresh(sitting: Sitting, queryset: QuerySet[Sitting] | None = None) -> None:
    """Read again what another tab may have changed; :class:`Erased` if it is gone."""
    fields = ["answers", "revision", "language", "finished_on", "deeds"]
    try:
        sitting.refresh_from_db(fields=fields, from_queryset=queryset)
    except Sitting.DoesNotExist:
        raise Erased from None


def finish(sitting: Sitting) -> None:
    """Score the sitting and put it in its phase's queue. Finishing twice changes nothing."""
    with transaction.atomic():
        phase = None
        if sitting.phase_id is not None:
            # In turn with the closing of the phase: in its block, or after it, never between.
            phase = Phase.objects.select_for_update().get(pk=sitting.phase_id)
        # Locked, or a save could slip in between what is scored and what is kept.
        _refresh(sitting, Sitting.objects.select_for_update())
        if sitting.finished_on is not None:
            return
        sitting.finished_on = timezone.localdate()
        sitting.late = phase is not None and phase.closed_on is not None
        sitting.outcomes = stored_outcomes(
            questionnaire_of(sitting).instrument, profile_of(sitting)
        )
        sitting.save(update_fields=["finished_on", "outcomes", "late"])
        if phase is not None and phase.rolling:
            _cut(phase.pk)


def _cut(phase_id: int) -> None:
    """Publish what is ready of a long-running phase; finishing never depends on it."""
    try:
        with transaction.atomic():
            releases.cut(phase_id)
    except (ValueError, DatabaseError):
        if transaction.get_rollback():
            raise  # the connection has gone, and what was finished with it
        logger.exception("A block could not be published; its queue waits.")


def profile_of(sitting: Sitting) -> Profile:
    """What the answers say; the intervals rest on the last calibration of the form, if any."""
    instrument = questionnaire_of(sitting).instrument
    known = current_calibration(sitting.version, sitting.form)
    return score(instrument, sitting.form, sheet_of(sitting), known)


def stored_outcomes(instrument: Instrument, profile: Profile) -> bytes:
    """The level outcome of each domain, a byte each, as the releases count them."""
    levels = {domain.code: domain.level for domain in profile.domains}
    return bytes(
        _STORED[level.levels] if (level := levels.get(domain.code)) else LevelOutcome.NONE
        for domain in instrument.domains
    )


def levels_when_finished(sitting: Sitting) -> dict[str, str | None]:
    """The levels that were kept when the sitting was finished, by domain: "2", or "1-2" between
    two; None where there was no answer. They are what the releases count."""
    codes_of = {int(kept): "-".join(map(str, levels)) for levels, kept in _STORED.items()}
    domains = questionnaire_of(sitting).instrument.domains
    kept = bytes(sitting.outcomes or b"")
    return {
        domain.code: codes_of.get(outcome) for domain, outcome in zip(domains, kept, strict=False)
    }


def was_measured(sitting: Sitting) -> bool:
    """Whether figures of the form, published since the sitting was finished, may count it
    (:mod:`.calibrations`)."""
    if sitting.finished_on is None:
        return False
    made = last_calibration(sitting.version, sitting.form).first()
    return made is not None and made.made_on >= sitting.finished_on


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


def keep_deeds(
    sitting: Sitting,
    deeds: Sequence[tuple[str, Deed]],
    *,
    seen: Mapping[str, Deed] | None = None,
) -> None:
    """Keep what became of the steps chosen before: each step's code and its :class:`Deed`.

    ``seen`` is what was kept of them when their page was displayed. Raises :class:`Conflict` where
    another tab has changed it since, and :class:`Finished` where the sitting is finished.
    """
    while True:
        if sitting.finished_on is not None:
            raise Finished
        stored = deeds_of(sitting)
        if seen is not None and stored not in (seen, dict(deeds)):
            raise Conflict
        kept = [{"step": step, "deed": str(deed)} for step, deed in deeds]
        if sitting.deeds == kept:
            return
        saved = Sitting.objects.filter(
            pk=sitting.pk, revision=sitting.revision, finished_on=None
        ).update(deeds=kept, revision=sitting.revision + 1)
        if saved:
            sitting.deeds, sitting.revision = kept, sitting.revision + 1
            return
        _refresh(sitting)


def deeds_of(sitting: Sitting) -> dict[str, Deed]:
    return {each["step"]: Deed(each["deed"]) for each in sitting.deeds or ()}


def keep_simulated(phase: Phase, finished: Sequence[Sitting]) -> None:
    """Keep finished sittings of simulated people, all or none, as if each had been answered.

    Raises ValueError where the cohort is not a simulated one, so that nobody is invented among
    real people, and :class:`PhaseClosed`.
    """
    with transaction.atomic():
        locked = (
            Phase.objects.select_related("cohort").select_for_update(of=("self",)).get(pk=phase.pk)
        )
        if not locked.cohort.simulated:
            raise ValueError("only a simulated cohort has simulated people")
        if locked.closed_on is not None:
            raise PhaseClosed
        Sitting.objects.bulk_create(finished)
        if locked.rolling:
            _cut(phase.pk)


def erase(sitting: Sitting) -> None:
    """Delete the sitting. What was released of its group stays as it was published."""
    with transaction.atomic():
        if sitting.phase_id is not None:
            Phase.objects.select_for_update().get(pk=sitting.phase_id)
        tombstones.put(sitting.pk)
        Sitting.objects.filter(pk=sitting.pk).delete()
        transaction.on_commit(leave_no_trace)


def leave_no_trace() -> None:
    """Empty SQLite's log, where what was erased stands until the last connection closes. While a
    backup reads it cannot be emptied: the next erasure does it, or the daily purge."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            [patience] = cursor.fetchone()
            cursor.execute("PRAGMA busy_timeout = 200")  # which those who save have to wait as well
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {patience}")


def purge() -> int:
    """Delete what has been kept for as long as the notice says; how many sittings that was."""
    kept = settings.RETENTION
    today = timezone.localdate()
    over = Q(finished_on=None, opened_on__lt=today - timedelta(days=kept.unfinished_days))
    over |= Q(finished_on__lt=months_before(today, kept.finished_months))
    with transaction.atomic():
        _total, deleted = Sitting.objects.filter(over).delete()
        transaction.on_commit(leave_no_trace)
    return deleted.get(Sitting._meta.label, 0)


def months_before(day: date, months: int) -> date:
    """The same day so many months before, or the last of that month where it has no such day."""
    month = day.year * 12 + day.month - 1 - months
    first = date(month // 12, month % 12 + 1, 1)
    after = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (after - first).days))
