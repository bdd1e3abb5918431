"""Before the questions: landing, information notice, resume code; and coming back with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from .. import codes
from ..charts import Band, band
from ..forms import AccessForm, ResumeForm, StartForm, is_marked
from ..instrument.document import Cuts
from ..instruments import current, default_form, questionnaire
from ..lookups import Lookup
from ..models import Cohort, InstrumentVersion, Phase, Sitting
from ..qr import qr
from ..questionnaire import Questionnaire
from ..scoring.intervals import Interval
from ..sittings import (
    PhaseClosed,
    TooMany,
    find_by_code,
    of_code,
    open_next,
    open_phases,
    open_sitting,
    phase_to_join,
    to_open,
    unanswered_phase,
)
from . import carried, limited, steps
from .kept import page_for_all
from .language import known_language, spoken
from .session import JOINING, NEXT, get_or_post, held, hold, own, private, turn_to

_phase = Lookup(Phase.objects.all())


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
        try:
            if _group(request, access):
                return redirect("cohort", access=access)
        except limited.Limited as limit:
            form.add_error("access", _codes_wait(limit.wait))
            shown = render(request, "assessments/group.html", {"form": form})
            return limited.told(shown, limit.wait)
        form.add_error("access", _("No group has this code. Check it with your trainer."))
    return render(request, "assessments/group.html", {"form": form}, status=_status(form))


def _group(request: HttpRequest, code: str) -> Cohort | None:
    """The group of a code. Raises :class:`~.limited.Limited`, but for the group by whose door
    this browser has come already."""

    def look() -> Cohort | None:
        return Cohort.objects.filter(code=code).first()

    joined = _joined(request.session.get(JOINING))
    if joined is not None and joined.cohort.code == code:
        return look()
    return limited.found(look, code, *limited.guesses(request))


@get_or_post
def cohort(request: HttpRequest, access: str) -> HttpResponse:
    """A group's door: the link the trainer gives."""
    try:
        code = codes.normalised(access, codes.ACCESS_LENGTH)
    except codes.CodeError:
        raise Http404 from None
    try:
        group = _group(request, code)
    except limited.Limited as limit:
        return limited.refusal(request, limit.wait, _too_many_links())
    if group is None:
        raise Http404
    if access != code and request.method != "POST":  # one page, however the code is written
        return redirect("cohort", access=code)
    phase = phase_to_join(group)
    if phase is None:
        return render(request, "assessments/closed.html", {"cohort": group})
    if request.method == "POST":
        return _joining(request, phase)
    return _landing(request, phase.version, phase)


def _landing(
    request: HttpRequest, version: InstrumentVersion | None, phase: Phase | None
) -> HttpResponse:
    asked = _questionnaire(version, phase) if version else None
    specimen = _specimen(asked.instrument.cuts) if asked else None
    told = {"asked": asked, "specimen": specimen, "group": _invitation(phase)}
    if sitting := held(request):
        return render(request, "assessments/landing.html", told | {"sitting": sitting})
    return page_for_all(request, "assessments/landing.html", **told)


class Invitation(NamedTuple):
    """What a group's door says of it."""

    name: str
    moment: str
    breakdown: str
    later: bool


def _invitation(phase: Phase | None) -> Invitation | None:
    if phase is None:
        return None
    moment = phase.get_kind_display()
    return Invitation(phase.cohort.name, moment, phase.breakdown, _later(phase))


class Specimen(NamedTuple):
    """An invented result, to show what one gets."""

    score: float
    interval: Interval
    band: Band


def _specimen(cuts: Cuts) -> Specimen:
    """Near the first cut."""
    score = min(cuts.operational + 6, 100)
    interval = Interval(max(score - 15, 0), min(score + 14, 100))
    return Specimen(score, interval, band(cuts, score=score, interval=interval))


def _questionnaire(version: InstrumentVersion, phase: Phase | None) -> Questionnaire:
    return questionnaire(version.digest, phase.form if phase else default_form(version))


def _joining(request: HttpRequest, phase: Phase | None) -> HttpResponse:
    if JOINING not in request.session:  # a session and a sitting are rows that anybody can add
        try:
            limited.pay(*limited.openings(request, phase))
        except limited.Limited as limit:
            return limited.refusal(request, limit.wait, too_many_openings())
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
    phase = _phase(joining["phase"])
    breakdown = phase.breakdown if phase else ""
    return page_for_all(
        request, "assessments/notice.html", grouped=phase is not None, breakdown=breakdown
    )


@never_cache
@get_or_post
def start(request: HttpRequest) -> HttpResponse:
    """A resume code is shown once, or one had before is typed; going on opens the sitting."""
    joining = request.session.get(JOINING)
    phase = _joined(joining)
    form = StartForm(
        request.POST if request.method == "POST" else None, later=joining is None or _later(phase)
    )
    form.is_valid()  # where one field is wrong, the other keeps its value
    sent = form.cleaned_data if form.is_bound else {}
    shown: str = sent.get("token", "")
    earlier: str = sent.get("earlier", "")
    wait = 0
    before: Sequence[Sitting] = []
    if earlier:
        try:
            before = limited.found(
                lambda: of_code(earlier), earlier, *limited.guesses(request, phase)
            )
        except limited.Limited as limit:
            wait = limit.wait
    if (joining is None or not earlier) and (opened := _opened_by(earlier, before, shown)):
        # The button pressed twice: the sitting is open already.
        hold(request, *opened)
        return redirect("sitting")
    if joining is None and wait:
        return limited.refusal(request, wait, limited.too_many_codes())
    if joining is None:
        return redirect("sitting" if held(request) else "landing")
    if not joining["informed"]:
        return redirect("notice")
    language = known_language(request.POST.get("language"))
    if language and shown:
        translation.activate(language)  # the same code, in the other language
        typed = request.POST.get("earlier", "")
        return spoken(_show_code(request, shown, _start_form(shown, phase, typed), phase), language)
    if wait:
        form.add_error("earlier", _codes_wait(wait))
    elif shown and earlier and not before:
        form.add_error("earlier", opens_nothing())
    if form.is_valid():
        code = earlier or shown
        try:
            sitting = _open(code, joining, phase)
        except PhaseClosed:
            del request.session[JOINING]
            messages.warning(request, _("This group no longer takes new answers."))
            return redirect("landing")
        except TooMany:
            form.add_error("earlier", too_many())
        else:
            hold(request, sitting, code)
            if earlier:
                messages.info(
                    request,
                    _(
                        "Your code from before opens this questionnaire too: keep that one. The "
                        "new code just shown opens nothing."
                    ),
                )
            # What the browser preferred is remembered: a download may come without its
            # preferences.
            return spoken(redirect(steps.way_on(request, sitting)), get_language())
    if shown:
        page = _show_code(request, shown, form, phase)
        return limited.told(page, wait) if wait else page
    for error in form.errors.get("token", ()):
        messages.warning(request, str(error))
    code = codes.new_code(codes.RESUME_LENGTH)
    typed = request.POST.get("earlier", "")
    return _show_code(request, code, _start_form(code, phase, typed), phase)


def _joined(joining: dict[str, object] | None) -> Phase | None:
    """The phase whose door was taken, while it is open."""
    if joining is None or joining["phase"] is None:
        return None
    return open_phases().filter(pk=joining["phase"]).first()


def _later(phase: Phase | None) -> bool:
    return phase is not None and phase.kind != Phase.Kind.BEFORE


def _opened_by(earlier: str, before: Sequence[Sitting], shown: str) -> tuple[Sitting, str] | None:
    """The sitting that one of two codes opens, and that code: the one had before, whose sittings
    are ``before``, else the one just shown, which is signed and so no guess."""
    if sitting := to_open(before):
        return sitting, earlier
    if shown and (sitting := find_by_code(shown)):
        return sitting, shown
    return None


def _open(code: str, joining: dict[str, object], phase: Phase | None) -> Sitting:
    version = phase.version if phase else current()
    if version is None or (joining["phase"] and phase is None):
        raise PhaseClosed
    return open_sitting(code, version=version, phase=phase, language=get_language())


def _start_form(code: str, phase: Phase | None, typed: str = "") -> StartForm:
    initial = {"token": StartForm.token_for(code), "earlier": typed}
    return StartForm(initial=initial, later=_later(phase))


def _show_code(
    request: HttpRequest, code: str, form: StartForm, phase: Phase | None
) -> HttpResponse:
    # In the fragment, which browsers send to nobody; a script of the page it opens posts it.
    link = settings.PUBLIC_ADDRESS + reverse("resume") + "#" + code
    return render(
        request,
        "assessments/start.html",
        {
            "form": form,
            "later": _later(phase),
            "code": codes.grouped(code),
            "qr": qr(link, _("QR code of your resume link")),
        },
        status=_status(form),
    )


@never_cache
@get_or_post
def resume(request: HttpRequest) -> HttpResponse:
    """The resume code opens the sitting again, on any device; answers sent by a page whose
    session had ended are carried along and kept."""
    form = ResumeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        try:
            found = limited.found(lambda: of_code(code), code, *limited.guesses(request))
        except limited.Limited as limit:
            form.add_error("code", _codes_wait(limit.wait))
            return limited.told(_resume(request, form), limit.wait)
        posted = carried.unpacked(request)
        sitting = _displayed(found, posted) or to_open(found)
        if sitting is not None:
            hold(request, sitting, code)
            return steps.answer(request, sitting, *posted) if posted else redirect("sitting")
        form.add_error("code", opens_nothing())
    return _resume(request, form)


def _resume(request: HttpRequest, form: ResumeForm) -> HttpResponse:
    """The form for a code, with the answers that it carries."""
    context = {"form": form, "carried": carried.pairs(request)}
    return render(request, "assessments/resume.html", context, status=_status(form))


def _displayed(
    found: Sequence[Sitting], posted: tuple[str, int, QueryDict] | None
) -> Sitting | None:
    """The one of a person's sittings that displayed the page that was carried."""
    seen = posted[2].get("seen", "") if posted else ""
    return next((sitting for sitting in found if is_marked(seen, sitting)), None)


def opens_nothing() -> str:
    return _(
        "This code opens no questionnaire. It may have been mistyped, or the questionnaire erased."
    )


def _codes_wait(wait: int) -> str:
    return f"{limited.too_many_codes()} {limited.words(wait)}"


def too_many_openings() -> str:
    return _(
        "Very many questionnaires have been started from this network, so new ones wait. Whoever "
        "has started goes on as usual, and every answer is safe."
    )


def _too_many_links() -> str:
    return _(
        "Many group codes that do not exist have been tried from this network, so links wait for "
        "a moment. Yours is still good: open it again then. Nothing is lost."
    )


def too_many() -> str:
    return _(
        "This code has opened as many questionnaires as one code may (%(most)s). It still opens "
        "them; for this one, leave the field empty and keep the new code."
    ) % {"most": codes.MOST_SITTINGS}


@get_or_post
@private
def again(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The next moment of one's group, or one more time outside any group, with the same code."""
    mine = own(request)
    phase = unanswered_phase(mine)
    version = phase.version if phase else current()
    if version is None or not (phase or may_retake(sitting, mine)):
        return redirect("results" if sitting.finished_on else "sitting")
    following = request.session.get(NEXT)
    if request.method == "POST" and following:
        try:
            limited.pay(*limited.openings(request, phase))
            opened = open_next(
                bytes.fromhex(following), version=version, phase=phase, language=get_language()
            )
        except limited.Limited as limit:
            return limited.refusal(request, limit.wait, too_many_openings())
        except PhaseClosed:
            messages.warning(request, _("This group no longer takes new answers."))
            return redirect("sitting")
        except TooMany:  # another browser has gone further with the same code
            messages.warning(request, _("Type your resume code to go on."))
            return redirect("resume")
        turn_to(request, opened)
        return redirect(steps.way_on(request, opened))
    context = {
        "sitting": sitting,
        "phase": phase,
        "asked": _questionnaire(version, phase),
        "compared": any(each.finished_on for each in mine if each.version_id == version.pk),
        "following": following,
        "most": codes.MOST_SITTINGS,
        "worn_out": not following and len(mine) >= codes.MOST_SITTINGS,
        "address": steps.way_on(request, sitting),
    }
    return render(request, "assessments/again.html", context)


def may_retake(sitting: Sitting, mine: Sequence[Sitting]) -> bool:
    """Whether the questionnaire may be taken again outside any group: once the last is finished."""
    alone = [each for each in mine if each.phase_id is None]
    return sitting.phase_id is None and all(each.finished_on for each in alone)


@get_or_post
@private
def turn(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """One's own questionnaires, where there are several; another is opened by its place."""
    mine = own(request)
    if request.method != "POST":
        if len(mine) > 1:
            return render(request, "assessments/own.html", {"sitting": sitting, "mine": mine})
        return redirect("sitting")
    number = request.POST.get("number", "")
    if number in map(str, range(1, len(mine) + 1)):
        chosen = mine[int(number) - 1]
        turn_to(request, chosen)
        return redirect("results" if chosen.finished_on else steps.way_on(request, chosen))
    return redirect("sitting")


def _status(form) -> int:
    return 422 if form.is_bound and form.errors else 200
