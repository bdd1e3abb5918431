"""Who errs too often waits: wrong passwords and wrong codes, counted over all processes.

First comes the account from one address, so that nobody locks a colleague out from elsewhere; then
the account from everywhere, against many addresses at once; then the address, which is given much,
for a whole ward sits behind one. Honest tries are taken back. Whether an account exists changes
neither what is counted, nor what is answered, nor the work it takes.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta

from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .. import journal, limits
from ..limits import Charge, Limit
from ..models import Event

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
PASSWORD_FROM_HERE = Limit("password of an account from an address", 5, QUARTER)
PASSWORD = Limit("password of an account", 30, HOUR)
CODE_FROM_HERE = Limit("second factor of an account from an address", 5, QUARTER)
CODE = Limit("second factor of an account", 10, HOUR)
ADDRESS = Limit("sign-in from an address", 100, HOUR)
BEGUN = Limit("sign-in begun from an address", 300, HOUR)
"""Of those that keep something or ask another service before anybody has proved anything."""
REFUSED = Limit("refusals of another service told of an address", 60, HOUR)
"""Anybody can come back from there with nothing: that fills a page of the journal, not the disk."""
TOLD = Limit("lockout of an account told", 1, QUARTER)
"""A lockout is one line of the journal, however often it is run into."""
NOBODY = "–"
"""In place of a name that no account has: people type passwords into that field."""


def password(request: HttpRequest, username: str) -> list[Charge]:
    """Count a password as wrong, until :func:`limits.refund` is told otherwise."""
    return _spent(request, username, PASSWORD_FROM_HERE, PASSWORD)


def code(request: HttpRequest, user: User) -> list[Charge]:
    """Count a one-time code, a recovery code or a key as wrong, until it proves right."""
    return _spent(request, user.get_username(), CODE_FROM_HERE, CODE)


def passkey(request: HttpRequest) -> list[Charge]:
    """Count a passkey that comes by itself: it says whose it is, which anybody could."""
    charges: list[Charge] = [(ADDRESS, limits.client(request))]
    if wait := limits.spend(*charges):
        raise ImmediateHttpResponse(locked(request, wait))
    return charges


def begun(request: HttpRequest) -> None:
    """Count a challenge for a passkey, or a journey to another service."""
    if wait := limits.spend((BEGUN, limits.client(request))):
        raise ImmediateHttpResponse(locked(request, wait))


def known(username: str) -> str:
    """The name of an account, or nobody's."""
    found = User.objects.filter(username=username).first()
    return found.get_username() if found else NOBODY


def locked(request: HttpRequest, wait: int) -> HttpResponse:
    """How long to wait, in seconds for programs and in minutes for people."""
    minutes = -(-wait // 60)
    context = {**admin.site.each_context(request), "minutes": minutes}
    page = render(request, "staff/locked.html", context, status=429)
    page["Retry-After"] = str(wait)
    return page


def _spent(request: HttpRequest, username: str, from_here: Limit, anywhere: Limit) -> list[Charge]:
    account = unicodedata.normalize("NFKC", username).strip().casefold()
    address = limits.client(request)
    here: list[Charge] = [(from_here, (account, address)), (ADDRESS, address)]
    everywhere: list[Charge] = [(anywhere, account)]
    # In this order: who is locked here does not use up what the account has elsewhere.
    wait = limits.spend(*here) or limits.spend(*everywhere)
    if wait:
        if not limits.spend((TOLD, (from_here.name, account))):
            journal.record(Event.Action.LOCKED_OUT, None, known(username))
        raise ImmediateHttpResponse(locked(request, wait))
    return [*here, *everywhere]
