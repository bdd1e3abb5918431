"""How long staff stay signed in.

Two hours without a request: a trainer projects one page for most of a session, and the sign-in page
is not to appear in front of a group. Ten hours in all: a day's work. The cookie ends with the
browser. Respondents' sessions are not touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

IDLE, ABSOLUTE = 2 * 3600, 10 * 3600
"""Seconds."""
NOTED_EVERY = 60
"""Seconds between two notes of a session's use: not each request is a write."""
DOORS = ("/admin/", "/staff/")
"""How the addresses begin that ask who is signed in."""
KEPT = "staff_times"
"""In the session: when it was signed in to, and when it was last used."""


def begin(request: HttpRequest) -> None:
    now = int(time.time())
    request.session[KEPT] = [now, now]


def age(request: HttpRequest) -> int:
    """Seconds since signing in."""
    return int(time.time()) - request.session.get(KEPT, [0, 0])[0]


def ended_in_time(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: signs out who stayed too long."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Elsewhere nothing hangs on who is signed in: no session is read for it.
        if not request.path_info.startswith(DOORS):
            return get_response(request)
        if SESSION_KEY in request.session:
            now = int(time.time())
            began, used = request.session.get(KEPT, [0, 0])
            if now - began > ABSOLUTE or now - used > IDLE:
                logout(request)
                messages.info(request, _("Your session has ended. Please sign in again."))
            elif now - used >= NOTED_EVERY:
                request.session[KEPT] = [began, now]
        return get_response(request)

    return middleware
