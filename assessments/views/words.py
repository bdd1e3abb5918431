"""Pages of words: the notice, the method, accessibility."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from .. import releases
from ..cohort_results import results_of
from ..demonstration import example_releases
from ..instruments import calibrations_of, current, default_form, instrument_of, quality_of


def privacy(request: HttpRequest) -> HttpResponse:
    """The information notice, to read at any time."""
    return render(request, "assessments/privacy.html", {"grouped": True})


def method(request: HttpRequest) -> HttpResponse:
    """How it is scored, the national strategy as last checked, and every source."""
    version = current()
    if version is None:
        raise Http404
    context = {
        "instrument": instrument_of(version.digest),
        "version": version,
        "calibrations": [
            quality_of(made[0].digest) for made in calibrations_of(version).values() if made
        ],
    }
    return render(request, "assessments/method.html", context)


def example(request: HttpRequest) -> HttpResponse:
    """The very page a trainer reads, with invented answers."""
    version = current()
    if version is None:
        raise Http404
    form = default_form(version)
    made = example_releases(version.digest, form)
    threshold = releases.threshold()
    results = results_of(instrument_of(version.digest), made, threshold)
    context = {"results": results, "threshold": threshold}
    return render(request, "assessments/example.html", context)


def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "assessments/accessibility.html")
