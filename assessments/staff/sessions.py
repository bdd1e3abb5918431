"""How long staff stay signed in, and what ends it before.

Two hours without a request: a trainer projects one page for most of a session, and the sign-in page
is not to appear in front of a group. Ten hours in all: a day's work. The cookie ends with the
browser. A session whose row is deleted is over at its next request, whoever deleted it.
Respondents' sessions are not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import StaffSession

IDLE, ABSOLUTE = timedelta(hours=2), timedelta(hours=10)
NOTED_EVERY = timedelta(minutes=1)
"""Between two notes of a session's use: not each request is a write."""
DOORS = ("/admin/", "/staff/")
"""How the addresses begin that ask who is signed in."""
KEPT = "staff_session"
"""In the session: the key of its row."""


def begin(request: HttpRequest, user: User) -> None:
    now = timezone.now()
    row = StaffSession.objects.create(user=user, began_at=now, used_at=now)
    request.session[KEPT] = str(row.pk)


def key(request: HttpRequest) -> str:
    """Of the row of the session that asks; of none, where there is no such session."""
    kept: str = request.session.get(KEPT, str(UUID(int=0)))
    return kept


def current(request: HttpRequest) -> StaffSession | None:
    """The row of the session that asks, if it was not ended."""
    return StaffSession.objects.filter(
        pk=key(request), user=request.session.get(SESSION_KEY)
    ).first()


def end(request: HttpRequest) -> None:
    """Delete the row of a session that signs out."""
    StaffSession.objects.filter(pk=key(request)).delete()


def age(request: HttpRequest) -> float:
    """Seconds since signing in."""
    row = current(request)
    return (timezone.now() - row.began_at if row else ABSOLUTE).total_seconds()


def alive(user: User) -> QuerySet[StaffSession]:
    """Those that a request of now would find open."""
    now = timezone.now()
    return StaffSession.objects.filter(
        user=user, began_at__gte=now - ABSOLUTE, used_at__gte=now - IDLE
    )


def forget() -> None:
    """Delete the rows of sessions that have ended by themselves."""
    now = timezone.now()
    StaffSession.objects.filter(began_at__lt=now - ABSOLUTE).delete()
    StaffSession.objects.filter(used_at__lt=now - IDLE).delete()


def ended_in_time(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: signs out who stayed too long, or whose session was ended from elsewhere."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Elsewhere nothing hangs on who is signed in: no session is read for it.
        if not request.path_info.startswith(DOORS):
            return get_response(request)
        if SESSION_KEY in request.session:
            now = timezone.now()
            row = current(request)
            if row is None or now - row.began_at > ABSOLUTE or now - row.used_at > IDLE:
                logout(request)
                messages.info(request, _("Your session has ended. Please sign in again."))
            elif now - row.used_at >= NOTED_EVERY:
                # An update, that nobody’s deletion is undone.
                StaffSession.objects.filter(pk=row.pk).update(used_at=now)
                request.session.modified = True  # it is kept for some hours from its last write
        return get_response(request)

    return middleware
