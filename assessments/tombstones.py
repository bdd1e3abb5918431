"""What was erased, remembered for as long as a backup may bring it back.

Erasing a sitting leaves a keyed hash of its key, and the day. With the secret key, whoever holds a
backup can tell which sittings of it are to be erased again; without it, the hashes say nothing.
A list of them lies beside the backups and, best, on another machine, for a tombstone that lay only
in the database that was lost is lost with it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from .models import Sitting, Tombstone

PART = 5_000
HEADING = "readiness tombstones 1"


class ListError(ValueError):
    """What was read is no list of tombstones, or one of another secret key."""


class OtherKey(ListError):
    """What was read is a list of another secret key, with which ours has nothing in common."""


@dataclass(frozen=True, slots=True)
class Erased:
    """A list of tombstones as it is kept in a file."""

    as_of: datetime
    """Until when all that was erased is in it."""
    days: dict[bytes, date]

    def __or__(self, other: Erased) -> Erased:
        return Erased(max(self.as_of, other.as_of), other.days | self.days)


def key_of(sitting: int) -> bytes:
    """The keyed hash of a sitting's key (HMAC-SHA-256, its first 128 bits)."""
    secret = b"readiness tombstone" + settings.SECRET_KEY.encode()
    return hmac.digest(secret, str(sitting).encode(), "sha256")[: Tombstone.KEY_BYTES]


def check() -> str:
    """A value by which a secret key is told from another without being told."""
    secret = b"readiness key check" + settings.SECRET_KEY.encode()
    return hmac.digest(secret, b"", "sha256").hex()[:16]


def put(sitting: int) -> None:
    """Remember that a sitting is erased, in the transaction that erases it."""
    stone = Tombstone(key=key_of(sitting), day=timezone.localdate())
    Tombstone.objects.bulk_create([stone], ignore_conflicts=True)


def known() -> Erased:
    """All that is remembered in a database."""
    now = timezone.now()  # first: what is erased while we read may be missing
    rows = Tombstone.objects.values_list("key", "day")
    return Erased(now, {bytes(key): day for key, day in rows.iterator()})


def add(erased: Erased) -> None:
    """Remember what a list says was erased, but what has been forgotten in between."""
    stones = [Tombstone(key=key, day=day) for key, day in _fresh(erased.days.items())]
    Tombstone.objects.bulk_create(stones, batch_size=500, ignore_conflicts=True)


def erase_again() -> int:
    """Delete the sittings that a restore has brought back; how many they were."""
    days = known().days
    if not days:
        return 0
    keys = Sitting.objects.values_list("pk", flat=True).iterator()
    back = [key for key in keys if key_of(key) in days]
    with transaction.atomic():
        for part in batched(back, PART):
            Sitting.objects.filter(pk__in=part).delete()
    return len(back)


def forget() -> int:
    """Delete the tombstones that no backup needs any more; how many they were."""
    return Tombstone.objects.filter(day__lt=_oldest()).delete()[0]


def written(erased: Erased) -> str:
    """A list as the lines of a file: its heading, then a hash and a day in each line."""
    heading = f"{HEADING} {check()} {erased.as_of.isoformat(timespec='seconds')}"
    lines = sorted(f"{day.isoformat()} {key.hex()}" for key, day in _fresh(erased.days.items()))
    return "\n".join([heading, *lines, ""])


def read(text: str) -> Erased:
    """The list that :func:`written` made. Raises :class:`ListError`."""
    heading, *lines = text.splitlines() or [""]
    if not heading.startswith(f"{HEADING} "):
        raise ListError("it is no list of tombstones")
    if not text.endswith("\n"):
        raise ListError("it is cut short")
    try:
        made_with, at = heading.removeprefix(HEADING).split()
        as_of = datetime.fromisoformat(at)
        days = {}
        for line in lines:
            day, key = line.split()
            days[bytes.fromhex(key)] = date.fromisoformat(day)
    except ValueError:
        raise ListError("it has a line that says nothing") from None
    if as_of.tzinfo is None or any(len(key) != Tombstone.KEY_BYTES for key in days):
        raise ListError("it has a line that says nothing")
    if made_with != check():
        raise OtherKey("it was made with another secret key")
    return Erased(as_of, days)


def _fresh(days: Iterable[tuple[bytes, date]]) -> Iterator[tuple[bytes, date]]:
    oldest = _oldest()
    return ((key, day) for key, day in days if day >= oldest)


def _oldest() -> date:
    return timezone.localdate() - timedelta(days=settings.RETENTION.backups_days)
