"""After the questions: results, report, own data, next steps, leaving."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from .. import exports, press, reports, sittings
from ..forms import PlanForm
from ..instrument.document import by_code
from ..models import Sitting
from ..sittings import Plan, questionnaire_of, sheet_of
from .session import get_or_post, held, let_go, private


def _finished(view):
    """A private page that only a finished sitting has."""

    @private
    def wrapper(request: HttpRequest, sitting: Sitting, *args, **kwargs) -> HttpResponse:
        if sitting.finished_on is None:
            return redirect("sitting")
        return view(request, sitting, *args, **kwargs)

    return wrapper


def _report(sitting: Sitting) -> reports.Report:
    assert sitting.finished_on is not None
    return reports.build(
        questionnaire_of(sitting),
        sheet_of(sitting),
        profile=sittings.profile_of(sitting),
        plans=sittings.plans_of(sitting),
        finished_on=sitting.finished_on,
    )


@_finished
def results(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The report as a page."""
    context = {
        "sitting": sitting,
        "report": _report(sitting),
        "grouped": sitting.phase_id is not None,
    }
    return render(request, "assessments/results.html", context)


@_finished
def report(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The report as a PDF."""
    try:
        printed = reports.pdf(_report(sitting))
    except press.Busy:
        response = render(request, "assessments/busy.html", status=503)
        response["Retry-After"] = "30"
        return response
    return HttpResponse(
        printed,
        content_type="application/pdf",
        headers={"Content-Disposition": 'attachment; filename="readiness-report.pdf"'},
    )


@private
def answers(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """All that is kept of the person, as JSON."""
    return HttpResponse(
        json.dumps(exports.own_data(sitting), ensure_ascii=False, indent=2),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="readiness-answers.json"'},
    )


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
    """Erase everything, once it is confirmed."""
    if request.method == "POST":
        sittings.erase(sitting)
        let_go(request)
        return render(request, "assessments/erased.html")
    return render(request, "assessments/erase.html", {"sitting": sitting})


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
    return render(request, "assessments/leave.html", {"sitting": sitting})
