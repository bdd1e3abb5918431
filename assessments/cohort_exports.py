"""What a trainer takes away: the results of a group as files, all made from its releases."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from . import cohort_files, cohorts, press, sittings
from .codes import grouped
from .cohort_results import Earlier, Results, results_of
from .cohort_tables import Subject, book, clean
from .instruments import current, default_form, instrument_of, questionnaire
from .models import Cohort, Phase
from .qr import qr
from .qualiopi import Moment, State, audit_file
from .releases import LONG, others, published, threshold

NAMES = ("results.pdf", "results.xlsx", "results.csv", "results.json")
"""The exports of a phase."""
QUALIOPI = "qualiopi.pdf"
"""The export of a cohort, for the auditor."""

CONTENT_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
}


def results_of_phase(phase: Phase) -> Results | None:
    """What may be read of a phase, beside what its cohort published earlier and what all other
    groups did; None where nothing is published of it."""
    releases = published(phase)
    if not releases:
        return None
    return results_of(
        instrument_of(phase.version.digest),
        releases,
        threshold(),
        earlier=[
            Earlier(
                moment.get_kind_display(),
                published(moment),
                instrument_of(moment.version.digest),
            )
            for moment in earlier_phases(phase)
        ],
        others=others(phase),
        breakdown=phase.breakdown,
    )


def earlier_phases(phase: Phase) -> list[Phase]:
    """The moments of the same cohort that come before this one."""
    order = list(Phase.Kind.values)
    found = Phase.objects.filter(cohort=phase.cohort_id).select_related("version", "cohort")
    before = order[: order.index(phase.kind)]
    return sorted(
        found.defer("version__document").filter(kind__in=before),
        key=lambda moment: order.index(moment.kind),
    )


def is_long(phase: Phase) -> bool:
    """Whether so many people are published that exports are the worker's to make."""
    return sum(release.at_least for release in published(phase)) >= LONG


def content_type(name: str) -> str:
    return CONTENT_TYPES[name.rpartition(".")[2]]


def filename(name: str) -> str:
    """The name under which an export is kept: neither the cohort nor a person is in it."""
    return f"readiness-{name}"


def made(name: str, phase: Phase) -> bytes:
    """An export of a phase that has releases, in the active language.

    KeyError for a name that is none of :data:`NAMES` or :data:`QUALIOPI`; Busy (of ``press``)
    where too many PDFs are being printed.
    """
    if name == QUALIOPI:
        return press.pdf(_qualiopi(phase.cohort), "filed")
    if name not in NAMES:
        raise KeyError(name)
    results = results_of_phase(phase)
    if results is None:
        raise ValueError("nothing is published of this phase")
    subject = subject_of(phase)
    match name.rpartition(".")[2]:
        case "pdf":
            context = {"results": results, "subject": subject}
            html = render_to_string("assessments/cohort/document.html", context)
            return press.pdf(html, "filed")
        case "xlsx":
            return cohort_files.as_xlsx(book(results, subject))
        case "csv":
            return cohort_files.as_csv(book(results, subject))
    return cohort_files.as_json(book(results, subject))


def subject_of(phase: Phase) -> Subject:
    return Subject(
        cohort=clean(phase.cohort.name),
        moment=phase.get_kind_display(),
        simulated=phase.cohort.simulated,
        opened_on=phase.opens_on,
        closed_on=phase.closed_on,
    )


def _qualiopi(cohort: Cohort) -> str:
    order = list(Phase.Kind.values)
    phases = Phase.objects.filter(cohort=cohort).select_related("version", "cohort")
    file = audit_file(
        clean(cohort.name),
        (
            _moment(phase)
            for phase in sorted(
                phases.defer("version__document"), key=lambda phase: order.index(phase.kind)
            )
        ),
        simulated=cohort.simulated,
        threshold=threshold(),
    )
    return render_to_string("assessments/cohort/qualiopi.html", {"file": file})


def _moment(phase: Phase) -> Moment:
    results = results_of_phase(phase)
    state = State.OPEN if cohorts.has_opened(phase) else State.PLANNED
    if results is not None:
        state = State.PUBLISHED
    elif phase.closed_on is not None:
        state = State.TOO_FEW if phase.settled_on is not None else State.PUBLISHING
    return Moment(
        kind=phase.kind,
        label=phase.get_kind_display(),
        opens_on=phase.opens_on,
        closed_on=phase.closed_on,
        version=phase.version.version,
        form=phase.form,
        digest=phase.version.digest,
        state=state,
        results=results,
    )


def poster(cohort: Cohort, link: str) -> bytes:
    """A page to print and put up: link, code and QR code of a cohort, as a tagged PDF.

    Busy (of ``press``) where too many PDFs are being printed.
    """
    phase = _next_to_answer(cohort)
    version = phase.version if phase else current()
    form = phase.form if phase else version and default_form(version)
    asked = questionnaire(version.digest, form) if version and form else None
    context = {
        "status": asked and asked.instrument.status,
        "minutes": asked and asked.minutes(),
        "link": link,
        "code": grouped(cohort.code),
        "qr": qr(link, _("QR code of the link for participants")),
        "phase": phase,
        "threshold": threshold(),
        "is_open": phase is not None and cohorts.has_opened(phase),
    }
    return press.pdf(render_to_string("assessments/cohort/poster.html", context), "poster")


def _next_to_answer(cohort: Cohort) -> Phase | None:
    """The phase that the cohort's link opens, or else the next that opens."""
    if open_now := sittings.phase_to_join(cohort):
        return open_now
    phases = Phase.objects.filter(cohort=cohort, closed_on=None, opens_on__gt=timezone.localdate())
    phases = phases.select_related("version").defer("version__document")
    return phases.order_by("opens_on", "pk").first()
