"""What is said when a form has gone stale, or was too large to be read."""

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from ..forms import ResumeForm
from . import asking, carried


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """In place of Django's CSRF page: what happened, and how to go on.

    Answers posted by a page of questions are carried along, as when the session has ended.
    """
    try:
        match = resolve(request.path_info)
    except Resolver404:
        match = None
    if match is None or match.url_name != "page":
        return render(request, "assessments/stale.html", status=403)
    return ended(request, **match.kwargs, status=403)


def ended(request: HttpRequest, part: str, number: int, status: int = 200) -> HttpResponse:
    """The session is over: the resume code is asked, the posted answers go with it."""
    if asking.by_script(request):
        return asking.said(
            403,
            _(
                "Your session has ended. What you chose on this page is not lost: go on, type your "
                "resume code, and it is saved."
            ),
        )
    messages.warning(
        request,
        _(
            "Your session has ended. Your answers to this page are kept: type your resume code "
            "and they will be saved."
        ),
    )
    context = {"form": ResumeForm(), "carried": carried.carry(request, part, number)}
    return render(request, "assessments/resume.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """In place of Django's page for what it cannot read."""
    too_large = isinstance(exception, RequestDataTooBig)
    status = 413 if too_large else 400
    if asking.by_script(request):
        return asking.said(status, _("What was sent could not be read: nothing of it was kept."))
    return render(request, f"{status}.html", status=status)


def nowhere(request: HttpRequest, **named: object) -> HttpResponse:
    """In place of a page that comes with Django and that nobody is to have."""
    raise Http404
