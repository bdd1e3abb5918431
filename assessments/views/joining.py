"""Before the questions: landing, information notice, resume code; and coming back with it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from .. import codes
from ..forms import AccessForm, ResumeForm, StartForm
from ..instruments import current, default_form, questionnaire
from ..models import Cohort, InstrumentVersion, Phase
from ..qr import qr
from ..questionnaire import Questionnaire
from ..sittings import PhaseClosed, find_by_code, open_phases, open_sitting
from . import carried, steps
from .language import known_language, spoken
from .session import JOINING, get_or_post, held, hold


@get_or_post
def landing(request: HttpRequest) -> HttpResponse:
    """The open door: anybody, without a group."""
    version = current()
    if request.method == "POST" and version is not None:
        return _joining(request, None)
    return _landing(request, version, None)


@get_or_post
def group(request: HttpRequest) -> HttpResponse:
    """The group's code, typed."""
    form = AccessForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        access = form.cleaned_data["access"]
        if Cohort.objects.filter(code=access).exists():
            return redirect("cohort", access=access)
        form.add_error("access", _("No group has this code. Check it with your trainer."))
    return render(request, "assessments/group.html", {"form": form}, status=_status(form))


@get_or_post
def cohort(request: HttpRequest, access: str) -> HttpResponse:
    """A group's door: the link the trainer gives."""
    try:
        code = codes.normalised(access, codes.ACCESS_LENGTH)
    except codes.CodeError:
        raise Http404 from None
    group = get_object_or_404(Cohort, code=code)
    phase = open_phases().filter(cohort=group).order_by("-opens_on", "-pk").first()
    if phase is None:
        return render(request, "assessments/closed.html", {"cohort": group})
    if request.method == "POST":
        return _joining(request, phase)
    return _landing(request, phase.version, phase)


def _landing(
    request: HttpRequest, version: InstrumentVersion | None, phase: Phase | None
) -> HttpResponse:
    asked = _questionnaire(version, phase) if version else None
    return render(
        request,
        "assessments/landing.html",
        {"asked": asked, "phase": phase, "sitting": held(request)},
    )


def _questionnaire(version: InstrumentVersion, phase: Phase | None) -> Questionnaire:
    return questionnaire(version.digest, phase.form if phase else default_form(version))


def _joining(request: HttpRequest, phase: Phase | None) -> HttpResponse:
    request.session[JOINING] = {"phase": phase.pk if phase else None, "informed": False}
    return redirect("notice")


@never_cache
@get_or_post
def notice(request: HttpRequest) -> HttpResponse:
    """The information notice (GDPR, article 13), read before anything is kept."""
    joining = request.session.get(JOINING)
    if joining is None:
        return redirect("landing")
    if request.method == "POST":
        request.session[JOINING] = joining | {"informed": True}
        return redirect("start")
    return render(request, "assessments/notice.html", {"grouped": joining["phase"] is not None})


@never_cache
@get_or_post
def start(request: HttpRequest) -> HttpResponse:
    """The resume code is shown once; going on opens the sitting."""
    joining = request.session.get(JOINING)
    form = StartForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (opened := find_by_code(form.cleaned_data["token"])):
        # The button pressed twice: the sitting is open already.
        hold(request, opened)
        return redirect("sitting")
    if joining is None:
        return redirect("sitting" if held(request) else "landing")
    if not joining["informed"]:
        return redirect("notice")
    language = known_language(request.POST.get("language"))
    if language and form.is_valid():
        translation.activate(language)  # the same code, in the other language
        return spoken(_show_code(request, form.cleaned_data["token"]), language)
    if request.method == "POST" and form.is_valid():
        phase = open_phases().filter(pk=joining["phase"]).first() if joining["phase"] else None
        version = phase.version if phase else current()
        try:
            if version is None or (joining["phase"] and phase is None):
                raise PhaseClosed
            sitting = open_sitting(
                form.cleaned_data["token"], version=version, phase=phase, language=get_language()
            )
        except PhaseClosed:
            del request.session[JOINING]
            messages.warning(request, _("This group no longer takes new answers."))
            return redirect("landing")
        hold(request, sitting)
        # What the browser preferred is remembered: a download may come without its preferences.
        return spoken(redirect("page", part="context", number=1), get_language())
    for error in form.errors.get("token", ()):
        messages.warning(request, str(error))
    return _show_code(request, codes.new_code(codes.RESUME_LENGTH))


def _show_code(request: HttpRequest, code: str) -> HttpResponse:
    # In the fragment, which browsers send to nobody; a script of the page it opens posts it.
    link = request.build_absolute_uri(reverse("resume")) + "#" + code
    return render(
        request,
        "assessments/start.html",
        {
            "form": StartForm(initial={"token": StartForm.token_for(code)}),
            "code": codes.grouped(code),
            "qr": qr(link, _("QR code of your resume link")),
        },
    )


@never_cache
@get_or_post
def resume(request: HttpRequest) -> HttpResponse:
    """The resume code opens the sitting again, on any device; answers sent by a page whose
    session had ended are carried along and kept."""
    form = ResumeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        sitting = find_by_code(form.cleaned_data["code"])
        if sitting is not None:
            hold(request, sitting)
            posted = carried.unpacked(request)
            return steps.answer(request, sitting, *posted) if posted else redirect("sitting")
        form.add_error(
            "code",
            _(
                "This code opens no questionnaire. It may have been mistyped, or the "
                "questionnaire erased."
            ),
        )
    return render(
        request,
        "assessments/resume.html",
        {"form": form, "carried": carried.pairs(request)},
        status=_status(form),
    )


def _status(form) -> int:
    return 422 if form.is_bound and form.errors else 200
