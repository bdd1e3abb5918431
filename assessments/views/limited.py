"""How often one may try a code, open a questionnaire, have a document made.

What tells people apart pays before their address does: a whole ward sits behind one. A try is
refused only where none of its purses has anything left, so that nobody who spends their group's
takes the ward's, nor the other way round. Where no proxy is trusted (``READINESS_PROXIES``) and
one stands in front all the same, its address is everybody's: the limits then hold for all
together.

Saving answers is not limited: it rewrites one row, whose length is fixed, of one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from math import ceil

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import limits
from ..limits import Charge, Limit
from ..models import Phase, Sitting
from . import asking

_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)

GROUP_GUESSES = Limit("wrong codes of a group's people", 400, _QUARTER)
GUESSES = Limit("wrong codes from an address", 400, _QUARTER)
GUESSES_HERE = Limit("wrong codes from this machine", 2_000, _QUARTER)
"""Wrong codes, each counted once however often it is typed. 300 people who all mistype theirs
stay below; guessing one of a thousand groups at this pace takes 78 years, by the address of this
very machine, which tells nobody apart, 16; and a resume code is 40 bits longer."""
WRONG = Limit("codes known to be wrong", 0, _QUARTER)
"""What has been paid for is not paid again: a code misread by a whole room is one guess."""

GROUP_OPENINGS = Limit("openings in a group", 5_000, _DAY)
OPENINGS = Limit("openings from an address", 5_000, _DAY)
OPENINGS_HERE = Limit("openings from this machine", 50_000, _DAY)
"""Questionnaires begun: the rows that anybody can add."""

PRINTS = Limit("documents of a sitting", 20, timedelta(minutes=10))
ADDRESS_PRINTS = Limit("documents from an address", 1_000, timedelta(minutes=10))
PRINTS_HERE = Limit("documents from this machine", 10_000, timedelta(minutes=10))
"""PDFs: about one second of a processor each."""
FILES = Limit("files of a sitting", 60, timedelta(minutes=10))
"""One's own data as JSON and FHIR."""
STAFF_FILES = Limit("files of an account", 60, timedelta(minutes=10))
"""Posters and exports of groups, of one of the staff."""


class Limited(Exception):
    """Too often: ``wait`` tells after how many seconds one may try again."""

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


def pay(*purses: Charge) -> Charge:
    """Count a try against the first purse that has anything left, and say which one paid.

    Raises :class:`Limited` where none has.
    """
    waits = []
    for purse in purses:
        wait = limits.spend(purse)
        if not wait:
            return purse
        waits.append(wait)
    raise Limited(min(waits))


def found[Found](look: Callable[[], Found], code: str, *purses: Charge) -> Found:
    """What a code opens, as ``look`` finds it; a wrong one is paid for.

    Raises :class:`Limited` before anything is looked up, whether the code is right or wrong. A
    right one writes nothing, for a whole room opens one link at once. Of guesses made at the same
    moment, as many more than the limit may be looked up as the service has threads; those that are
    wrong are paid for, and refused where that passes the limit.
    """
    known_wrong, *spent = limits.tries((WRONG, code), *purses)
    if not known_wrong and all(
        count >= limit.most for count, (limit, _who) in zip(spent, purses, strict=True)
    ):
        raise Limited(min(limits.rest(limit) for limit, _who in purses))
    opened = look()
    if not (known_wrong or opened):
        pay(*purses)
        limits.spend((WRONG, code))
    return opened


def _address(request: HttpRequest, most: Limit, here: Limit) -> Charge:
    """The address that asks. This machine's own is everybody's, behind a proxy that nobody has
    declared or in a load test: it tells nobody apart, and is given more."""
    told = limits.client(request)
    if told in ("", "::/64") or ip_network(told).is_loopback:  # of IPv6, as limits.py cuts it
        return here, ""
    return most, told


def guesses(request: HttpRequest, phase: Phase | None = None) -> list[Charge]:
    """Who pays for a wrong code: the group by whose door one came, then the address."""
    address = _address(request, GUESSES, GUESSES_HERE)
    return [(GROUP_GUESSES, phase.cohort_id), address] if phase else [address]


def openings(request: HttpRequest, phase: Phase | None) -> list[Charge]:
    """Who pays for a questionnaire: its group, then the address."""
    address = _address(request, OPENINGS, OPENINGS_HERE)
    return [(GROUP_OPENINGS, phase.cohort_id), address] if phase else [address]


def prints(request: HttpRequest, sitting: Sitting) -> list[Charge]:
    """What a document is held to: the sitting's limit, and the address's."""
    return [(PRINTS, sitting.pk), _address(request, ADDRESS_PRINTS, PRINTS_HERE)]


def hold(*charges: Charge) -> None:
    """Count a try against each of these in turn, up to the first that is reached: whoever is
    refused for what they did themselves takes nothing from others. Raises :class:`Limited`."""
    for charge in charges:
        if wait := limits.spend(charge):
            raise Limited(wait)


# --- What is said ---------------------------------------------------------------------------------


def words(wait: int) -> str:
    """How long to wait."""
    if wait < 60:
        return ngettext(
            "Try again in %(count)s second.", "Try again in %(count)s seconds.", wait
        ) % {"count": wait}
    minutes = ceil(wait / 60)
    if minutes <= 90:
        return ngettext(
            "Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes
        ) % {"count": minutes}
    hours = ceil(wait / 3600)
    return ngettext("Try again in %(count)s hour.", "Try again in %(count)s hours.", hours) % {
        "count": hours
    }


def too_many_codes() -> str:
    return _(
        "Many codes that open nothing have been typed from this network, so codes wait for a "
        "moment. Nothing is lost."
    )


def told(response: HttpResponse, wait: int) -> HttpResponse:
    """The response, as the refusal that it is."""
    response.status_code = 429
    response["Retry-After"] = str(wait)
    return response


def refusal(request: HttpRequest, wait: int, why: str) -> HttpResponse:
    """A page, or for a script a few words, that says why, for how long, and what to do then."""
    if asking.by_script(request):
        return told(asking.said(429, why, words(wait)), wait)
    context = {"why": why, "again": words(wait), "repeated": request.method != "POST"}
    return told(render(request, "assessments/limited.html", context), wait)
