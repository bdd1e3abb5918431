"""What a trainer takes away: the results of a group as files, all made from its releases."""

from __future__ import annotations

from .cohort_results import Earlier, Results, results_of
from .instruments import instrument_of
from .models import Cohort, Phase
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
            Earlier(moment.get_kind_display(), published(moment))
            for moment in earlier_phases(phase)
        ],
        others=others(phase),
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
    raise KeyError(name)


def poster(cohort: Cohort, link: str) -> bytes:
    """A page to print and put up: link, code and QR code of a cohort, as a tagged PDF."""
    raise KeyError(link)
