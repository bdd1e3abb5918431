"""Publishing a group: the only reader of finished sittings on trainers' behalf.

A finished sitting waits in the queue of its phase and goes once, for ever, into one block.
The block's counts are noised once and kept as an immutable release (disclosure rules 2 and 3).
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from itertools import compress
from operator import add

import msgspec
import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import (
    Aggregate,
    BinaryField,
    Count,
    F,
    Func,
    Min,
    Q,
    QuerySet,
    StringAgg,
    TextField,
    Value,
)
from django.db.models.functions import Length
from django.utils import timezone
from numpy.typing import NDArray

from .cohort import disclosure
from .cohort.counts import Bytes, Counts, Tally
from .instruments import breakdowns, instrument_of, questionnaire
from .journal import record
from .models import KEYS, DailyCount, Event, Phase, Pool, Release, Sitting
from .scoring.next_steps import STEPS
from .wall import reading_sittings

LONG = 2_000
"""From so many people on, a queue is published by the worker, not while a page waits."""
PART = 50_000
"""About how many people are counted at a time."""
NOT_SAID = "not-said"
"""The class of a breakdown for those who did not answer its question."""

type Progress = Callable[[float], None]
"""Told how much is done, from 0 to 1."""


class AlteredError(Exception):
    """What is kept of a release no longer has the digest it was published with."""


class AlreadyClosed(Exception):
    """The phase is closed: closing is final."""


class Moved(Exception):
    """Somebody has left the queue since it was counted."""


def threshold() -> int:
    """How many people a block needs here."""
    return disclosure.threshold(settings.DISCLOSURE_THRESHOLD)


def close(phase: Phase, actor: User | None) -> Release | None:
    """Close a phase for ever and, unless its queue is long, publish what waits in it.

    None where fewer than the threshold are waiting, and nothing is ever published of them; and
    where so many are that :func:`settle` has still to publish them.
    """
    with transaction.atomic(), reading_sittings():
        locked = _lock(phase.pk)
        if locked.closed_on is not None:
            raise AlreadyClosed
        locked.closed_on = timezone.localdate()
        locked.save(update_fields=["closed_on"])
        record(Event.Action.CLOSED, actor, locked)
        # Locked, so that nobody is erased between the queue and its counts.
        waiting = len(_queue(locked).select_for_update().values_list("pk", flat=True)[:LONG])
        made = _settle(locked, _counted(locked)) if waiting < LONG else []
    phase.closed_on, phase.settled_on = locked.closed_on, locked.settled_on
    return made[-1] if made else None


def settle(phase_id: int, progress: Progress = lambda done: None) -> None:
    """Publish what waits in the queue of a closed phase; of one that is settled, nothing.

    The sheets are counted a part at a time and outside any transaction, so that nobody who is
    answering waits; then, under the phase's lock, what was counted is published if it still is
    what waits. Somebody who erased theirs in between has it counted again. So it may be stopped
    at any moment and started again, or run twice at once.
    """
    with reading_sittings():
        while True:
            phase = _phases().get(pk=phase_id)
            if phase.closed_on is None or phase.settled_on is not None:
                return
            found = _counted(phase, progress)
            with suppress(Moved), transaction.atomic():
                locked = _lock(phase_id)
                if locked.settled_on is None:
                    _settle(locked, found)
                return


def cut(phase_id: int) -> None:
    """Publish the blocks of a long-running phase that are ready; called under its lock."""
    with reading_sittings():
        phase = _lock(phase_id)
        if not phase.rolling or phase.closed_on is not None:
            return
        # Locked, so that nobody is erased between the queue and its counts.
        keys = _queue(phase).select_for_update().order_by("finished_on", "pk")
        blocks, _waiting = disclosure.blocks(list(keys.values_list("pk", flat=True)), threshold())
        for block in blocks:
            tally = _tally(phase)
            part = _read(phase, _queue(phase).filter(pk__in=block))
            assert part is not None, "a block is of those who wait"
            _add(tally, part)
            _release(phase, tally.counts())
            Sitting.objects.filter(pk__in=block).update(released=True)


def published(phase: Phase) -> tuple[disclosure.Release, ...]:
    """The releases of a phase, as they were published. Raises :class:`AlteredError`."""
    found = []
    for kept in Release.objects.filter(phase=phase):
        document = disclosure.decode(bytes(kept.document))
        if disclosure.digest(document) != kept.digest:
            raise AlteredError(f"Release {kept.pk} is not what was published.")
        found.append(document)
    return tuple(found)


def others(phase: Phase) -> disclosure.Union | None:
    """All that was published of other groups at the same moment, on the same form; None where
    they are too few for a reference."""
    while True:
        own = published(phase)
        pool = _pools(phase).first()
        # A release and its place in the pool appear together: where no release of its own has
        # appeared by now, the pool that was read holds those that were, and no other.
        if Release.objects.filter(phase=phase).count() == len(own):
            break
    if pool is None:
        return None
    sums = msgspec.json.decode(bytes(pool.document), type=tuple[disclosure.Release, ...])
    return disclosure.reference(sums, pool.phases, own, strangers=_strangers(phase))


def _strangers(phase: Phase) -> int:
    """How many of the groups that it may be compared with are left, but some, where the fewest are,
    when one of its trainers takes away those they train, or all its trainers do so together."""
    others = Phase.objects.filter(
        version=phase.version_id,
        form=phase.form,
        kind=phase.kind,
        cohort__simulated=phase.cohort.simulated,
        releases__isnull=False,
    )
    others = others.exclude(cohort=phase.cohort_id).distinct()
    readers = phase.cohort.trainers.values_list("pk", flat=True)
    left = [others.exclude(cohort__trainers=reader).count() for reader in readers]
    left.append(others.exclude(cohort__trainers__in=readers).count())
    return min(filter(None, left), default=0)


def refresh_counts(phase: Phase) -> DailyCount:
    """About how many have started and finished, as of today: once a day and in steps of five.

    Between two looks on one day nothing moves, so that arrivals are hard to follow.
    """
    today = timezone.localdate()
    if known := DailyCount.objects.filter(phase=phase, day=today).first():
        return known
    with reading_sittings():
        sittings = Sitting.objects.filter(phase=phase)
        started, finished = sittings.count(), sittings.filter(finished_on__isnull=False).count()
    # Whoever looks second on one day sees what the first saw.
    found, _made = DailyCount.objects.get_or_create(
        phase=phase,
        day=today,
        defaults={
            "started_at_least": disclosure.at_least(started),
            "finished_at_least": disclosure.at_least(finished),
        },
    )
    return found


def _phases() -> QuerySet[Phase]:
    return Phase.objects.select_related("version", "cohort").defer("version__document")


def _lock(phase_id: int) -> Phase:
    return _phases().select_for_update(of=("self",)).get(pk=phase_id)


def _queue(phase: Phase) -> QuerySet[Sitting]:
    return _waiting().filter(phase=phase)


def _waiting() -> QuerySet[Sitting]:
    return Sitting.objects.filter(finished_on__isnull=False, released=False, late=False)


def _settle(phase: Phase, found: Mapping[str, Counts]) -> list[Release]:
    """Publish what was counted of a closed phase, under its lock, and see it settled.

    Raises :class:`Moved` where what waits is no longer what was counted.
    """
    blocks = disclosure.partition({code: counts.n for code, counts in found.items()}, threshold())
    if blocks and _queue(phase).update(released=True) != sum(each.n for each in found.values()):
        raise Moved
    apart = len(blocks) > 1
    made = [
        _release(phase, reduce(add, (found[code] for code in block)), block[0] if apart else None)
        for block in blocks
    ]
    phase.settled_on = timezone.localdate()
    phase.save(update_fields=["settled_on"])
    return made


def _release(phase: Phase, counts: Counts, group: str | None = None) -> Release:
    document = disclosure.release(
        counts,
        phase=phase.kind,
        day=timezone.localdate(),
        randbelow=secrets.randbelow,
        k=threshold(),
        group=group,
    )
    made = Release.objects.create(
        phase=phase,
        document=disclosure.encode(document),
        digest=disclosure.digest(document),
        made_on=document.day,
    )
    _pool(phase, document)
    return made


def _pools(phase: Phase) -> QuerySet[Pool]:
    return Pool.objects.filter(
        version=phase.version_id,
        form=phase.form,
        kind=phase.kind,
        simulated=phase.cohort.simulated,
    )


def _pool(phase: Phase, document: disclosure.Release) -> None:
    """Add a release to those that groups are compared with."""
    pool, _made = Pool.objects.get_or_create(
        version_id=phase.version_id,
        form=phase.form,
        kind=phase.kind,
        simulated=phase.cohort.simulated,
        defaults={"document": b"[]"},
    )
    pool = Pool.objects.select_for_update().get(pk=pool.pk)
    sums = msgspec.json.decode(bytes(pool.document), type=tuple[disclosure.Release, ...])
    pool.document = msgspec.json.encode(disclosure.added(sums, [document]), order="sorted")
    pool.phases += Release.objects.filter(phase=phase).count() == 1
    pool.save(update_fields=["document", "phases"])


_CODES = msgspec.json.Decoder(list[str | None])


class _Codes(Func):
    """The codes in what somebody chose, as a JSON list: nothing of what they wrote beside them
    leaves the database."""

    output_field = TextField()
    template = "COALESCE(JSONB_PATH_QUERY_ARRAY(%(expressions)s, '$[*].%(key)s')::text, '[]')"

    def as_sqlite(self, compiler, connection, **context):
        # Places that nobody filled are null. To go through a list takes several times as long.
        places = ", ".join(f"'$[{place}].%(key)s'" for place in range(STEPS))
        template = (
            "CASE WHEN %(expressions)s IS NULL THEN '[]' "
            f"WHEN JSON_ARRAY_LENGTH(%(expressions)s) <= {STEPS} "
            f"THEN JSON_EXTRACT(%(expressions)s, {places}) "
            "ELSE (SELECT JSON_GROUP_ARRAY(JSON_EXTRACT(value, '$.%(key)s')) "
            "FROM JSON_EACH(%(expressions)s)) END"
        )
        return self.as_sql(compiler, connection, template=template, **context)


class _Rows(Aggregate):
    """Bytes of all rows, one after the other."""

    output_field = BinaryField()
    arg_joiner = " || "
    template = "STRING_AGG(%(expressions)s, ''::bytea)"

    def as_sqlite(self, compiler, connection, **context):
        # It joins texts, and takes any bytes for one.
        template = "CAST(GROUP_CONCAT(%(expressions)s, '') AS BLOB)"
        return self.as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is counted of some people, in one order."""

    sheets: Bytes
    outcomes: Bytes
    steps: Sequence[str]
    deeds: Sequence[str]
    """Both as :class:`_Codes`; deeds at a follow-up alone."""

    def of(self, them: NDArray[np.bool_]) -> _Part:
        """Those of them for whom it is true."""
        some = them.tolist()
        return _Part(
            self.sheets[them],
            self.outcomes[them],
            list(compress(self.steps, some)),
            list(compress(self.deeds, some)),
        )


def _read(phase: Phase, some: QuerySet[Sitting]) -> _Part | None:
    """Some of a queue; None where nobody is there.

    The database joins the rows: to make objects of each takes longer than to count them. One
    statement is answered of the same people, and goes through them once: all is in one order.
    """
    asked = questionnaire(phase.version.digest, phase.form)
    widths = asked.layout.size, len(asked.instrument.domains)
    followed_up = phase.kind == Phase.Kind.FOLLOW_UP
    joined = some.aggregate(
        people=Count("pk"),
        rows=_Rows("answers", "outcomes"),
        shortest=Min(Length("answers")),
        fewest=Min(Length("outcomes")),
        steps=_lines("plans", "step"),
        **{"said": _lines("deeds", "deed")} if followed_up else {},
    )
    if not (people := joined["people"]):
        return None
    rows = np.frombuffer(joined["rows"], dtype=np.uint8)
    # As none is shorter, and all are as long together, none is longer.
    if widths != (joined["shortest"], joined["fewest"]) or len(rows) != people * sum(widths):
        raise ValueError("answers of different lengths cannot be counted together")
    sheets, outcomes = np.hsplit(rows.reshape(people, -1), widths[:1])
    return _Part(
        sheets,
        outcomes,
        joined["steps"].split("\n"),
        joined["said"].split("\n") if followed_up else (),
    )


def _lines(field: str, key: str) -> StringAgg:
    """What all rows chose, a line each."""
    return StringAgg(_Codes(field, key=key), Value("\n"))


def _counted(phase: Phase, progress: Progress = lambda done: None) -> dict[str, Counts]:
    """The counts of the queue of a phase, by class where it is broken down (of one class, "",
    where it is not), taken a part at a time; ``progress`` is told the share done."""
    found: dict[str, Tally] = {}
    people = Sitting.objects.filter(phase=phase).count()
    # Keys are random, so that equal ranges of them hold about equally many people. Of a phase that
    # is cut while it runs, few are left.
    parts = 1 if phase.rolling else 1 + people // PART
    queue = _queue(phase)
    if parts > 1 and 2 * people > Sitting.objects.count():
        # SQLite would look most of its rows up one by one, in the index of phases; to go through
        # all of them takes it half as long.
        queue = _waiting().alias(of=F("phase") + 0).filter(of=phase.pk)
    for part in range(parts):
        keys = Q(pk__gt=KEYS * part // parts, pk__lte=KEYS * (part + 1) // parts)
        if read := _read(phase, queue.filter(keys)):
            for code, some in _by_class(phase, read).items():
                if code not in found:
                    found[code] = _tally(phase)
                _add(found[code], some)
        progress((part + 1) / parts)
    return {code: found[code].counts() for code in sorted(found)}


def _by_class(phase: Phase, part: _Part) -> dict[str, _Part]:
    """The part by the class that the phase's breakdown puts people in, :data:`NOT_SAID`
    included."""
    if phase.breakdown not in breakdowns(phase.version):
        return {"": part}
    places = questionnaire(phase.version.digest, phase.form).layout
    place = places.offset("context", phase.breakdown)
    column = part.sheets[:, place]
    found: dict[str, _Part] = {}
    for byte in np.unique(column).tolist():
        said = places.slots[place].decode(byte)
        found[said[0] if said else NOT_SAID] = part.of(column == byte)
    return found


def _tally(phase: Phase) -> Tally:
    followed_up = phase.kind == Phase.Kind.FOLLOW_UP
    return Tally(instrument_of(phase.version.digest), phase.form, followed_up=followed_up)


def _add(tally: Tally, part: _Part) -> None:
    tally.add(part.sheets, part.outcomes, _alike(part.steps), _alike(part.deeds))


def _alike(chosen: Sequence[str]) -> Counter[tuple[str, ...]]:
    """How many people chose the same."""
    found: Counter[tuple[str, ...]] = Counter()
    for codes, people in Counter(chosen).items():
        given = _CODES.decode(codes)
        found[tuple(code for code in given if code is not None)] += people
    return found
