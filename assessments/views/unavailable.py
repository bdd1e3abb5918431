"""What is said while the database is away: nothing is lost, and when to ask again.

It is said without the database: no session, no message, no account is looked at.
"""

from __future__ import annotations

import logging
import sys

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from ..context_processors import service
from ..outages import outage
from . import asking
from .errors import bad_request

RETRY_AFTER = 5
"""Seconds."""

logger = logging.getLogger(__name__)


def failed(request: HttpRequest) -> HttpResponse:
    """In place of Django's page 500, whatever it was that raised: a view, a middleware."""
    found = outage(sys.exception())
    return unavailable(request, found) if found else server_error(request)


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """In place of Django's page 400: a session that could not be written calls itself deleted."""
    found = outage(exception)
    return unavailable(request, found) if found else bad_request(request, exception)


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """The page 503; what was posted goes with it, to be sent again."""
    logger.error("The database failed a request: %s", str(error).partition("\n")[0])
    if asking.by_script(request):
        response: HttpResponse = asking.said(
            503,
            _(
                "The service cannot answer at the moment. What you chose stays on this page: send "
                "it again in a moment."
            ),
        )
    else:
        response = HttpResponse(_page(request), status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    # The browser keeps the token that what it posted was sent with.
    request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False
    # Said above, in one line.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _page(request: HttpRequest) -> str:
    carried = _posted(request) if request.method == "POST" else []
    context = {"again": request.get_full_path(), "posted": request.method == "POST"}
    return render_to_string(
        "assessments/unavailable.html", service(request) | context | {"carried": carried}
    )


def _posted(request: HttpRequest) -> list[tuple[str, str]]:
    """All the fields that were posted; none where a password or a file is among them, which a
    page must not hold, or cannot."""
    try:
        if request.FILES or any("password" in name for name in request.POST):
            return []
        return [(name, value) for name, values in request.POST.lists() for value in values]
    except (OSError, SuspiciousOperation):  # what was sent cannot be read
        return []
