"""Publishing a group: the only reader of finished sittings on trainers' behalf.

A finished sitting waits in the queue of its phase and goes once, for ever, into one block.
The block's counts are noised once and kept as an immutable release (disclosure rules 2 and 3).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from .cohort import disclosure
from .cohort.counts import Counts, count
from .instruments import instrument_of
from .models import Event, Phase, Release, Sitting
from .wall import reading_sittings


class AlteredError(Exception):
    """What is kept of a release no longer has the digest it was published with."""


class AlreadyClosed(Exception):
    """The phase is closed: closing is final."""


def threshold() -> int:
    """How many people a block needs here."""
    return disclosure.threshold(settings.DISCLOSURE_THRESHOLD)


def close(phase: Phase, actor: User | None) -> Release | None:
    """Close a phase for ever and publish what waits in its queue.

    None where fewer than the threshold are waiting: nothing is ever published of them.
    """
    with transaction.atomic(), reading_sittings():
        locked = _lock(phase.pk)
        if locked.closed_on is not None:
            raise AlreadyClosed
        locked.closed_on = timezone.localdate()
        locked.save(update_fields=["closed_on"])
        Event.objects.create(actor=actor, action=Event.Action.CLOSED, subject=str(locked))
        made = _publish(locked, closing=True)
    phase.closed_on = locked.closed_on
    return made[-1] if made else None


def cut(phase_id: int) -> None:
    """Publish the blocks of a long-running phase that are ready; called under its lock."""
    with reading_sittings():
        phase = _lock(phase_id)
        if phase.rolling and phase.closed_on is None:
            _publish(phase, closing=False)


def union_of(phase: Phase) -> disclosure.Union | None:
    """All that was published of a phase, read as one group."""
    found = []
    for kept in Release.objects.filter(phase=phase):
        document = disclosure.decode(bytes(kept.document))
        if disclosure.digest(document) != kept.digest:
            raise AlteredError(f"Release {kept.pk} is not what was published.")
        found.append(document)
    return disclosure.union(found) if found else None


def refresh_counts(phase: Phase) -> None:
    """Bring the counts that trainers see up to date, once a day and in steps of five.

    Between two looks on one day nothing moves, so that arrivals are hard to follow.
    """
    today = timezone.localdate()
    if phase.counted_on == today:
        return
    with reading_sittings():
        sittings = Sitting.objects.filter(phase=phase)
        phase.started_at_least = disclosure.at_least(sittings.count())
        phase.finished_at_least = disclosure.at_least(
            sittings.filter(finished_on__isnull=False).count()
        )
    # Whoever looks second on one day sees what the first saw.
    first = Phase.objects.filter(Q(counted_on=None) | Q(counted_on__lt=today), pk=phase.pk).update(
        counted_on=today,
        started_at_least=phase.started_at_least,
        finished_at_least=phase.finished_at_least,
    )
    if first:
        phase.counted_on = today
    else:
        phase.refresh_from_db(fields=["counted_on", "started_at_least", "finished_at_least"])


def _lock(phase_id: int) -> Phase:
    return (
        Phase.objects.select_for_update(of=("self",))
        .select_related("version", "cohort")
        .defer("version__document")
        .get(pk=phase_id)
    )


def _publish(phase: Phase, *, closing: bool) -> list[Release]:
    queue = Sitting.objects.filter(phase=phase, finished_on__isnull=False, released=False)
    # Locked, so that nobody is erased between the queue and its counts.
    keys = queue.select_for_update().order_by("finished_on", "pk").values_list("pk", flat=True)
    blocks, _waiting = disclosure.blocks(list(keys), threshold(), closing=closing)
    return [_release(phase, block) for block in blocks]


def _release(phase: Phase, block: Sequence[int]) -> Release:
    document = disclosure.release(
        _counts(phase, block),
        phase=phase.kind,
        day=timezone.localdate(),
        randbelow=secrets.randbelow,
        k=threshold(),
    )
    made = Release.objects.create(
        phase=phase,
        document=disclosure.encode(document),
        digest=disclosure.digest(document),
        made_on=document.day,
    )
    Sitting.objects.filter(pk__in=block).update(released=True)
    return made


def _counts(phase: Phase, block: Sequence[int]) -> Counts:
    rows = Sitting.objects.filter(pk__in=block).values_list("answers", "outcomes", "plans")
    answers, outcomes, plans = zip(*rows, strict=True)
    return count(
        instrument_of(phase.version.digest),
        phase.form,
        matrix(answers),
        matrix(outcomes),
        [{plan["step"] for plan in kept or ()} for kept in plans],
    )


def matrix(rows: Sequence[bytes]) -> np.ndarray:
    """Rows of bytes as a matrix; ValueError unless they are of one length."""
    if len({len(row) for row in rows}) != 1:
        raise ValueError("answers of different lengths cannot be counted together")
    return np.frombuffer(b"".join(map(bytes, rows)), dtype=np.uint8).reshape(len(rows), -1)
