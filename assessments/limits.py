"""How often somebody may try: the one place where trying is counted.

What is counted is a keyed hash of who tries, in rows that the daily purge deletes; nobody's
address is kept. A ward sits behind one address, so that an address alone is given much, and what
tells people apart – the group, the account, the sitting – comes before it.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.http import HttpRequest

from .models import Tally

ADDRESS_BITS = {4: 32, 6: 64}
"""How much of an address tells a customer of a network from the next."""


@dataclass(frozen=True)
class Limit:
    """So many tries in so long: ``period`` is cut into windows that all begin together."""

    name: str
    most: int
    period: timedelta


_COUNT = (
    f"INSERT INTO {Tally._meta.db_table} AS counted (key, count, until) VALUES (%s, 1, %s) "
    "ON CONFLICT (key) DO UPDATE SET count = counted.count + 1 RETURNING count"
)
"""In SQL, for the ORM cannot add one and tell what it came to in the same statement."""

type Charge = tuple[Limit, object]
"""A limit, and who or what is held to it."""


def spend(*charges: Charge) -> int:
    """Count one try against each limit.

    0 where all of them allow it; otherwise the seconds to wait until they do. Counting comes
    first, so that tries made at the same moment cannot all pass.
    """
    now = int(time.time())
    return max((_spent(limit, who, now) for limit, who in charges), default=0)


def refund(*charges: Charge) -> None:
    """Take a try back that turned out to be honest: only failures are to add up."""
    now = int(time.time())
    for limit, who in charges:
        key, _until = _window(limit, who, now)
        Tally.objects.filter(pk=key, count__gt=0).update(count=F("count") - 1)


def tries(*charges: Charge) -> list[int]:
    """How many tries of each are counted in its current window."""
    now = int(time.time())
    keys = [_window(*charge, now)[0] for charge in charges]
    with connection.cursor() as cursor:
        cursor.execute(_counts(len(keys)), keys)
        counted = {bytes(key): count for key, count in cursor.fetchall()}
    return [counted.get(key, 0) for key in keys]


def _counts(keys: int) -> str:
    marks = ", ".join(["%s"] * keys)
    return f"SELECT key, count FROM {Tally._meta.db_table} WHERE key IN ({marks})"


def rest(limit: Limit) -> int:
    """The seconds until its current window ends."""
    now = int(time.time())
    return _window(limit, "", now)[1] - now


def forget() -> None:
    """Delete the counts of windows that are over."""
    Tally.objects.filter(until__lt=int(time.time())).delete()


def client(request: HttpRequest) -> str:
    """The network address that asks, as the outermost proxy we trust saw it; of IPv6, its /64.

    Not to be kept: it serves as ``who`` of a charge. Empty where there is none (a socket).
    """
    told = request.META.get("REMOTE_ADDR", "")
    passed = request.headers.get("x-forwarded-for", "").split(",")
    if settings.TRUSTED_PROXIES and len(passed) >= settings.TRUSTED_PROXIES:
        told = passed[-settings.TRUSTED_PROXIES].strip() or told
    try:
        address = _address(told)
    except ValueError:
        return ""
    # As a socket for both kinds tells an address of IPv4: all of them are in one /64.
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ipaddress.ip_network((address, ADDRESS_BITS[address.version]), strict=False))


def _address(told: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as proxies tell it: some add the port."""
    try:
        return ipaddress.ip_address(told)
    except ValueError:
        return ipaddress.ip_address(urlsplit(f"//{told}").hostname or "")


def _spent(limit: Limit, who: object, now: int) -> int:
    key, until = _window(limit, who, now)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key, until])
        (tries,) = cursor.fetchone()
    return until - now if tries > limit.most else 0


def _window(limit: Limit, who: object, now: int) -> tuple[bytes, int]:
    period = int(limit.period.total_seconds())
    until = now - now % period + period
    secret = b"readiness limits" + settings.SECRET_KEY.encode()
    told = f"{limit.name}|{until}|{who}"
    return hmac.digest(secret, told.encode(), "sha256")[: Tally.KEY_BYTES], until
