"""The journal of what staff did: lines are added here, and by nothing else.

It keeps what changes something, what leaves the service (exports, the journal itself) and what was
refused. Reading a group's results is not kept: they are published counts of at least eleven
people, of which a trainer reads the same again and again; lines about it would drown the others and
watch trainers at work, and ASVS asks for them from level 3 on only (v5.0.0-16.3.2).

Lines are not chained by digests. A chain would make every writer wait for the one before it to
commit, while it holds the locks of its own work; and whoever can switch the triggers off
(:mod:`.frozen`) can compute an unkeyed chain anew. What proves that nothing was altered is a copy
that the service cannot reach: ``manage.py journal --add-to FILE``, every hour.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from . import limits
from .models import Event, Phase

REFUSALS = limits.Limit("refusals", 60, timedelta(hours=1))
"""Of one account: who knocks at every door fills a page of the journal, not the disk."""


def record(
    action: Event.Action, actor: User | None, subject: object, about: Model | None = None
) -> None:
    """Keep what somebody of the staff did, in the transaction that does it.

    ``actor`` is None where a command did it. ``subject`` names what it was done to, never an
    answer nor a code of a person. It is one line, whatever a name holds. In the admin it is part
    of the history of ``about``, or of the subject where that is an object.
    """
    if about is None and isinstance(subject, Model):
        about = subject
    longest = Event._meta.get_field("subject").max_length
    line = "".join(sign if sign.isprintable() or sign == "\xa0" else " " for sign in str(subject))
    Event.objects.create(
        actor=actor,
        action=action,
        subject=line[:longest],
        about=_reference(about) if about is not None else "",
    )


def of(about: Model) -> QuerySet[Event]:
    """The history of an object, the latest first."""
    return Event.objects.filter(about=_reference(about)).order_by("-at", "-pk")


def _reference(about: Model) -> str:
    # A phase has no page of its own.
    kept = about.cohort if isinstance(about, Phase) else about
    return f"{kept._meta.model_name}-{kept.pk}"


def refusals_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Keeps that somebody who is signed in was refused a page of the staff's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        refused = response.status_code == 403 and request.path.startswith(reverse("admin:index"))
        # A form whose token is stale got no further than that: nobody was refused anything.
        if refused and getattr(request, "csrf_processing_done", False):
            user = request.user
            if user.is_authenticated and not limits.spend((REFUSALS, user.pk)):
                record(Event.Action.REFUSED, user, f"{request.method} {request.path}")
        return response

    return middleware


@transaction.atomic
def forget() -> int:
    """Delete what is older than ``settings.JOURNAL_DAYS``, by the clock of the database, which
    refuses to delete what is younger; how many lines that was. Entries of Django's admin go too."""
    before = Now() - timedelta(days=settings.JOURNAL_DAYS)
    deleted, _by_model = Event.objects.filter(at__lt=before).delete()
    LogEntry.objects.filter(action_time__lt=before).delete()
    return deleted
