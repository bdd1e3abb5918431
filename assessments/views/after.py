"""After the questions: results, report, own data, next steps, leaving."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from .. import certificates, exports, fhir, press, reports, sittings
from ..forms import CertificateForm, PlanForm
from ..instrument.document import by_code
from ..models import Sitting
from ..sittings import Plan, questionnaire_of, sheet_of
from . import joining
from .files import download, fhir_file
from .session import get_or_post, held, let_go, own, private, turn_to


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


@_finished
def results(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The report as a page."""
    mine = own(request)
    context = {
        "sitting": sitting,
        "report": _report(sitting, mine),
        "grouped": sitting.phase_id is not None,
        "mine": mine,
        "next_phase": sittings.unanswered_phase(mine),
        "may_retake": joining.may_retake(sitting, mine),
    }
    return render(request, "assessments/results.html", context)


@_finished
def report(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The report as a PDF."""
    try:
        printed = reports.pdf(_report(sitting, own(request)))
    except press.Busy:
        return _busy(request)
    return _downloaded(printed, "readiness-report.pdf")


def _busy(request: HttpRequest) -> HttpResponse:
    response = render(request, "assessments/busy.html", status=503)
    response["Retry-After"] = "30"
    return response


def _downloaded(printed: bytes, name: str) -> HttpResponse:
    return download(printed, "application/pdf", name)


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
        try:
            return _downloaded(certificates.pdf(made), "readiness-certificate.pdf")
        except press.Busy:
            return _busy(request)
    context = {"sitting": sitting, "form": form}
    return render(request, "assessments/certificate.html", context)


@private
def answers(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """All that is kept of the person, as JSON."""
    written = json.dumps(exports.own_data(sitting, own(request)), ensure_ascii=False, indent=2)
    return download(written, "application/json; charset=utf-8", "readiness-answers.json")


@private
def answers_in_fhir(request: HttpRequest, sitting: Sitting, release: fhir.Release) -> HttpResponse:
    """The person's answers for health software."""
    made = exports.own_answers_in_fhir(sitting, release, get_language())
    return fhir_file(made, release, f"readiness-answers-fhir-{release.lower()}.json")


@_finished
def plans(request: HttpRequest, sitting: Sitting) -> HttpResponse:
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
                messages.success(request, _("Your steps are kept. They are in your report."))
            else:
                messages.info(request, _("No step is kept: your report shows the proposals."))
            return redirect("results")
        context = {"forms": forms, "refused": refused}
        return render(request, "assessments/plans.html", context, status=422)
    return render(request, "assessments/plans.html", {"forms": forms})


def _initial(step: str, plan: Plan | None, sitting: Sitting) -> dict[str, object]:
    """What the form holds at first: the plan that was kept, else the ready-made one."""
    shown = plan or sittings.proposed_plan(sitting, step, get_language())
    return asdict(shown) | {
        "keep": plan is not None or not sitting.plans,
        "before": date.fromisoformat(shown.before),
    }


@private
def erase(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """Erase everything of one's own, or this questionnaire alone, once it is confirmed."""
    mine = own(request)
    others = [each for each in mine if each.pk != sitting.pk]
    if request.method == "POST":
        alone = request.POST.get("what") == "this"
        for each in [sitting] if alone else [*others, sitting]:
            sittings.erase(each)
        left = sittings.to_open(others) if alone else None
        if left is None:
            let_go(request)
        else:
            turn_to(request, left)
        return render(request, "assessments/erased.html", {"left": left})
    grouped = [each for each in mine if each.phase_id is not None]
    context = {
        "sitting": sitting,
        "others": others,
        "mine": mine,
        "released": any(each.released for each in grouped),
        "unreleased": any(not each.released for each in grouped),
    }
    return render(request, "assessments/erase.html", context)


@never_cache
@get_or_post
def leave(request: HttpRequest) -> HttpResponse:
    """Leave this computer: nothing of the sitting stays in the browser."""
    if request.method == "POST":
        let_go(request)
        return render(request, "assessments/left.html")
    sitting = held(request)
    if sitting is None:
        return redirect("landing")
    context = {"sitting": sitting, "mine": own(request)}
    return render(request, "assessments/leave.html", context)
