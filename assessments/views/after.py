"""After the questions: results, report, own data, next steps, leaving."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import certificates, exports, fhir, ics, limits, press, reports, sittings
from .. import reminders as reminding
from ..forms import CertificateForm, PlanForm, is_marked, mark_of
from ..instrument.document import by_code
from ..models import Sitting
from ..sittings import Plan, questionnaire_of, sheet_of
from . import joining, limited
from .files import calendar_file, download, fhir_file
from .session import get_or_post, held, keep_what_is_left, let_go, own, private, turn_to

logger = logging.getLogger(__name__)


def _read(view):
    """Of a finished sitting, and only read."""
    return require_safe(_finished(view))


def _finished(view):
    """A private page that only a finished sitting has."""

    @private
    def wrapper(request: HttpRequest, sitting: Sitting, *args, **kwargs) -> HttpResponse:
        if sitting.finished_on is None:
            return redirect("sitting")
        return view(request, sitting, *args, **kwargs)

    return wrapper


def _report(sitting: Sitting, mine: Sequence[Sitting]) -> reports.Report:
    """The report of a person's finished sitting, ``mine`` being all of theirs."""
    assert sitting.finished_on is not None
    chosen = {plan.step: plan for plan in sittings.plans_followed(sitting, mine)}
    return reports.build(
        questionnaire_of(sitting),
        sheet_of(sitting),
        profile=sittings.profile_of(sitting),
        plans=sittings.plans_of(sitting),
        finished_on=sitting.finished_on,
        read_on=timezone.localdate(),
        earlier=_earlier(sittings.finished_before(sitting, mine)),
        followed=[
            (step, chosen.get(step), deed) for step, deed in sittings.deeds_of(sitting).items()
        ],
    )


def _earlier(sitting: Sitting | None) -> reports.Earlier | None:
    if sitting is None:
        return None
    assert sitting.finished_on is not None
    return reports.Earlier(
        digest=sitting.version.digest,
        form=sitting.form,
        moment=sitting.phase.kind if sitting.phase else "",
        finished_on=sitting.finished_on,
        profile=sittings.profile_of(sitting),
        instrument=questionnaire_of(sitting).published,
    )


_compressed = GZipMiddleware(lambda _request: HttpResponse()).process_response


@_read
def results(request: HttpRequest, sitting: Sitting) -> HttpResponseBase:
    """What the report says of the whole, as a page; long, and compressed as the pages of
    :mod:`.words` are: it tells no name of a group, which another person chooses."""
    mine = own(request)
    context = {
        "report": _report(sitting, mine),
        "grouped": sitting.phase_id is not None,
        "mine": mine,
        "next_phase": sittings.unanswered_phase(mine),
        "may_retake": joining.may_retake(sitting, mine),
    }
    return _compressed(request, render(request, "assessments/results.html", context))


@_read
def explained(request: HttpRequest, sitting: Sitting, number: int) -> HttpResponseBase:
    """The answers of a domain, each explained."""
    found = _report(sitting, own(request))
    for domain, answers in found.answers_by_domain:
        if answers[0].page == number:
            context = {
                "report": found,
                "number": number,
                "domain": domain,
                "answers": answers,
                "left_out": not all(answer.outcome.answered for answer in answers),
            }
            response = render(request, "assessments/explained.html", context)
            return _compressed(request, response)
    raise Http404


@_read
def workings(request: HttpRequest, sitting: Sitting) -> HttpResponseBase:
    """How the results are computed, and where they stand in the national strategy."""
    context = {"report": _report(sitting, own(request))}
    return _compressed(request, render(request, "assessments/workings.html", context))


@_read
def report(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The report as a PDF."""
    return _printed(
        request,
        sitting,
        lambda: reports.pdf(_report(sitting, own(request))),
        "readiness-report.pdf",
    )


def _printed(
    request: HttpRequest, sitting: Sitting, made: Callable[[], bytes], name: str
) -> HttpResponse:
    """A PDF to download, or when to ask for it again."""
    charges = limited.prints(request, sitting)
    try:
        limited.hold(*charges)
        return download(made(), "application/pdf", name)
    except limited.Limited as limit:
        return limited.refusal(request, limit.wait, _too_many_files())
    except press.Busy:
        limits.refund(*charges)
        logger.warning("Too many documents at once: one is to be asked for again.")
        response = render(request, "assessments/busy.html", status=503)
        response["Retry-After"] = "30"
        response._has_been_logged = True  # type: ignore[attr-defined]  # as no failure of ours
        return response


def _too_many_files() -> str:
    return _(
        "This file has been made many times in a few minutes. Your results and your answers are "
        "safe, and the page still shows them."
    )


def _file(view):
    """A file of one's own data, made so often at most."""

    @wraps(view)
    def wrapper(request: HttpRequest, sitting: Sitting, *args, **kwargs) -> HttpResponse:
        try:
            limited.hold((limited.FILES, sitting.pk))
        except limited.Limited as limit:
            return limited.refusal(request, limit.wait, _too_many_files())
        return view(request, sitting, *args, **kwargs)

    return wrapper


@get_or_post
@_finished
def certificate(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The certificate that a person may hand over, with what they let it show."""
    assert sitting.finished_on is not None
    grouped = sitting.phase is not None
    form = CertificateForm(request.POST if request.method == "POST" else None, grouped=grouped)
    if form.is_valid():
        allowed = form.cleaned_data
        group = sitting.phase.cohort.name if sitting.phase and allowed.get("group") else ""
        made = certificates.Certificate(
            asked=questionnaire_of(sitting),
            profile=sittings.profile_of(sitting),
            finished_on=sitting.finished_on,
            made_on=timezone.localdate(),
            moment=sitting.phase.kind if sitting.phase else "",
            steps=len(sittings.plans_of(sitting)),
            body=settings.CONTROLLER,
            group=group,
            shows_results=allowed["results"],
        )
        return _printed(
            request, sitting, lambda: certificates.pdf(made), "readiness-certificate.pdf"
        )
    context = {"sitting": sitting, "form": form}
    return render(request, "assessments/certificate.html", context)


@require_safe
@private
@_file
def answers(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """All that is kept of the person, as JSON."""
    mine = own(request)
    changed = None if sitting.finished_on is None else _report(sitting, mine).comparison
    made = exports.own_data(sitting, mine, changed)
    written = json.dumps(made, ensure_ascii=False, indent=2)
    return download(written, "application/json; charset=utf-8", "readiness-answers.json")


@require_safe
@private
@_file
def answers_in_fhir(request: HttpRequest, sitting: Sitting, release: fhir.Release) -> HttpResponse:
    """The person's answers for health software."""
    made = exports.own_answers_in_fhir(sitting, release, get_language())
    return fhir_file(made, release, f"readiness-answers-fhir-{release.lower()}.json")


@get_or_post
@_finished
def plans(request: HttpRequest, sitting: Sitting) -> HttpResponseBase:
    """The three next steps, made one's own: when … I will … with … before …"""
    instrument = questionnaire_of(sitting).instrument
    steps = by_code(instrument.next_steps)
    kept = {plan.step: plan for plan in sittings.plans_of(sitting)}
    proposed = [step.step for step in sittings.profile_of(sitting).next_steps]
    codes = dict.fromkeys([*proposed, *kept])
    data = request.POST if request.method == "POST" else None
    forms = [
        (
            steps[code],
            PlanForm(data, prefix=code, initial=_initial(code, kept.get(code), sitting)),
        )
        for code in codes
    ]
    if request.method == "POST":
        chosen = [(step, form) for step, form in forms if form.is_chosen()]
        refused = [(step, form) for step, form in chosen if not form.is_valid()]
        if not refused:
            sittings.keep_plans(sitting, [form.plan(step.code) for step, form in chosen])
            if chosen:
                kept_words = _("Your steps are kept. They are in your report.")
                calendar = _("Put them in my calendar")
                address = reverse("reminders")
                messages.success(
                    request, format_html('{} <a href="{}">{}</a>', kept_words, address, calendar)
                )
            else:
                messages.info(request, _("No step is kept: your report shows the proposals."))
            return redirect("results")
        context = {"forms": forms, "refused": refused}
        return render(request, "assessments/plans.html", context, status=422)
    # Nothing on it was typed into this request; what is refused above was.
    return _compressed(request, render(request, "assessments/plans.html", {"forms": forms}))


def _initial(step: str, plan: Plan | None, sitting: Sitting) -> dict[str, object]:
    """What the form holds at first: the plan that was kept, else the ready-made one."""
    shown = plan or sittings.proposed_plan(sitting, step, get_language())
    return asdict(shown) | {
        "keep": plan is not None or not sitting.plans,
        "before": date.fromisoformat(shown.before),
    }


@_read
def reminders(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """What a calendar file would hold, who may read it there, and the file."""
    today = timezone.localdate()
    context = {
        "chosen": sittings.plans_of(sitting),
        "steps": reminding.of_steps(sitting, today),
        "coming_back": _return(request, sitting),
    }
    return render(request, "assessments/reminders.html", context)


def _return(request: HttpRequest, sitting: Sitting) -> ics.Event | None:
    """Of a group it is the trainer who says when to come back."""
    if not joining.may_retake(sitting, own(request)):
        return None
    address = settings.PUBLIC_ADDRESS + reverse("resume")
    return reminding.of_return(sitting, timezone.localdate(), address)


@_read
def calendar_of_steps(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The steps that were chosen, for the person's own calendar."""
    events = reminding.of_steps(sitting, timezone.localdate())
    return calendar_file(events, "readiness-steps.ics") if events else redirect("reminders")


@_read
def calendar_of_return(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """When to take the questionnaire again, for the person's own calendar."""
    event = _return(request, sitting)
    return calendar_file([event], "readiness-return.ics") if event else redirect("reminders")


@get_or_post
def erase(request: HttpRequest) -> HttpResponse:
    """Erase everything of one's own, or one questionnaire alone, once it is confirmed."""
    if request.method == "POST" and held(request) is None:
        # Pressed twice, or long after: nothing tells which, so both are answered.
        messages.info(
            request,
            _(
                "This browser no longer holds any questionnaire. If you have just pressed “Erase "
                "everything”, it is done: your code opens nothing any more. Otherwise nothing was "
                "erased: type your code first."
            ),
        )
        return redirect("resume")
    return _erase(request)


@private
def _erase(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    mine = own(request)
    others = [each for each in mine if each.pk != sitting.pk]
    if request.method == "POST":
        alone = request.POST.get("what") == "this"
        left = _erase_one(request, sitting, mine) if alone else None
        if not alone:
            for each in [*others, sitting]:
                sittings.erase(each)
        if left is None:
            let_go(request)
        else:
            turn_to(request, left)
            keep_what_is_left(request)
        transaction.on_commit(sittings.leave_no_trace)  # of what the session told
        return _emptied(render(request, "assessments/erased.html", {"left": left}))
    grouped = [each for each in mine if each.phase_id is not None]
    context = {
        "sitting": sitting,
        "seen": mark_of(sitting),
        "others": others,
        "mine": mine,
        "released": any(each.released for each in grouped),
        "unreleased": any(not each.released for each in grouped),
        "measured": any(map(sittings.was_measured, mine)),
    }
    return render(request, "assessments/erase.html", context)


def _erase_one(request: HttpRequest, sitting: Sitting, mine: Sequence[Sitting]) -> Sitting | None:
    """Erase the questionnaire that the page was displayed for, and no other: the button pressed
    twice comes back when another is open. What is open then, if anything."""
    seen = request.POST.get("seen", "")
    kept = [each for each in mine if not is_marked(seen, each)]
    for each in mine:
        if each not in kept:
            sittings.erase(each)
    return sitting if sitting in kept else sittings.to_open(kept)


@never_cache
@get_or_post
def leave(request: HttpRequest) -> HttpResponse:
    """Leave this computer: nothing of the sitting stays in the browser."""
    if request.method == "POST":
        let_go(request)
        return _emptied(render(request, "assessments/left.html"))
    sitting = held(request)
    if sitting is None:
        return redirect("landing")
    context = {"sitting": sitting, "mine": own(request)}
    return render(request, "assessments/leave.html", context)


def _emptied(response: HttpResponse) -> HttpResponse:
    """Tells the browser to forget the pages and files it still holds of ours.

    Not ``"cookies"``, which would clear those of the whole domain, an employer's other services'
    too: ours end by themselves.
    """
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
