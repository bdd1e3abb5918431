"""That the daily work is done, and since when it no longer is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from .models import Sitting, Upkeep

PATIENCE = timedelta(hours=36)
"""A day, and half a day for a run that was late."""

AWAY, AHEAD = timedelta(days=7), timedelta(days=1)
"""Of the last daily work: so long ago, or so far in the future, that the clock may have jumped. A
week is the shortest for which anything may be set to be kept."""
BEFORE = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for never, while it is done for the first time."""


class Work(StrEnum):
    PURGE = "purge"
    BACKUP = "backup"


def done(work: Work) -> None:
    """Remember that it has just been done."""
    now = timezone.now()
    Upkeep.objects.update_or_create(name=work, defaults={"done_at": now})
    # Noted by a clock that was ahead, and is right again.
    Upkeep.objects.filter(done_at__gt=now).update(done_at=now)


def last(work: Work) -> datetime | None:
    """When it was last done, if ever."""
    done_at = Upkeep.objects.filter(name=work).values_list("done_at", flat=True).first()
    return None if done_at == BEFORE else done_at


def doubt() -> str:
    """Why the clock may be wrong, by which the daily work deletes for good; empty where it agrees
    with when such work was last done. An operator alone can tell (``--force``)."""
    at = max(filter(None, map(last, Work)), default=None)
    now = timezone.now()
    if at is None or now - AWAY <= at <= now + AHEAD:
        return ""
    return (
        f"it is {now:%Y-%m-%d %H:%M} UTC by this machine's clock, and the daily work was last done "
        f"{at:%Y-%m-%d %H:%M} UTC. If the clock is right, say so once by `manage.py purge --force`"
    )


@contextmanager
def alone(work: Work) -> Iterator[None]:
    """Does the work in turn with other processes that are at it, all or nothing of it."""
    with transaction.atomic():
        Upkeep.objects.get_or_create(name=work, defaults={"done_at": BEFORE})
        Upkeep.objects.select_for_update().get(name=work)
        yield
        done(work)


def forget_cached() -> None:
    """Delete what is over in the cache, whose table Django tidies only when it is full."""
    backend = caches["default"]
    if isinstance(backend, DatabaseCache):
        table = connection.ops.quote_name(backend.cache_model_class._meta.db_table)
        now = timezone.now().replace(microsecond=0)
        with connection.cursor() as cursor:
            told = connection.ops.adapt_datetimefield_value(now)
            cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [told])


def check_upkeep(
    app_configs: object, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """For ``manage.py check --database default``: has the daily work been done?"""
    if not databases:
        return []
    now = timezone.now()
    try:
        with transaction.atomic():
            at = {work: last(work) for work in Work}
            used = Sitting.objects.filter(opened_on__lt=(now - PATIENCE).date()).exists()
    except DatabaseError:
        return []  # not migrated yet, which is another check's to say
    return [
        Warning(
            f"`manage.py {work}` was last done {done_at:%Y-%m-%d %H:%M} UTC."
            if done_at
            else f"`manage.py {work}` was never done here.",
            hint=f"Run `manage.py {work}` every day, by a timer.",
            id=f"readiness.{work}",
        )
        for work, done_at in at.items()
        if used and (done_at is None or done_at < now - PATIENCE)
    ]
