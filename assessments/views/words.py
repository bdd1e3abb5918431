"""Pages of words: the notice, the method, accessibility; and the instrument, to take away.

They are long and repeat nothing that a request brought along, so that they travel compressed: what
comes beside a secret must not be chosen by somebody else (BREACH).
"""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from .. import exports, fhir, releases, rgaa
from ..cohort_results import results_of
from ..demonstration import example_releases
from ..instruments import (
    archive_of,
    calibrations_of,
    current,
    default_form,
    instrument_of,
    quality_of,
    questionnaire,
)
from ..measured import measured
from ..models import InstrumentVersion
from ..scoring.strategy import strategy_map
from .files import download, fhir_file


def _served() -> InstrumentVersion:
    """The version that a new sitting uses; no page without one."""
    version = current()
    if version is None:
        raise Http404
    return version


@gzip_page
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """The information notice, to read at any time."""
    return render(request, "assessments/privacy.html", {"grouped": True})


@gzip_page
@require_safe
def method(request: HttpRequest) -> HttpResponse:
    """How it is scored, where the sources are, and the instrument to take away."""
    version = _served()
    served = instrument_of(version.digest)
    context = {
        "instrument": served,
        "version": version,
        "measured": measured(served),
        "calibrations": [
            quality_of(made[0].digest) for made in calibrations_of(version).values() if made
        ],
        "groups": served.sources_by_use(),
    }
    return render(request, "assessments/method.html", context)


@gzip_page
@require_safe
def sources(request: HttpRequest, number: int) -> HttpResponse:
    """The sources of a domain or, last, of the strategy."""
    served = instrument_of(_served().digest)
    groups = served.sources_by_use()
    if not 1 <= number <= len(groups):
        raise Http404
    context = {"instrument": served, "groups": groups, "group": groups[number - 1]}
    return render(request, "assessments/sources.html", context)


@gzip_page
@require_safe
def strategy(request: HttpRequest) -> HttpResponse:
    """The national strategy as last checked, and where the instrument touches it."""
    served = instrument_of(_served().digest)
    context = {"instrument": served, "map": strategy_map(served, timezone.localdate())}
    return render(request, "assessments/strategy.html", context)


@require_safe
def instrument(request: HttpRequest) -> HttpResponse:
    """The whole instrument, key and all, as the YAML files it is written in."""
    version = _served()
    name = f"{version.code}-{version.version}.zip"
    return download(archive_of(version.digest), "application/zip", name)


@require_safe
def form_in_fhir(request: HttpRequest, form: str, release: fhir.Release) -> HttpResponse:
    """A form as it is served today, for health software; without the key."""
    version = _served()
    served = instrument_of(version.digest)
    if form not in served.forms:
        raise Http404
    asked = questionnaire(version.digest, served.edition(form, timezone.localdate()))
    made = exports.form_in_fhir(version, asked, release, get_language())
    name = f"{version.code}-{version.version}-{form}-fhir-{release.lower()}.json"
    return fhir_file(made, release, name)


@gzip_page
@require_safe
def example(request: HttpRequest, *, lessons_shown: bool = False) -> HttpResponse:
    """The very page a trainer reads, with invented answers: half of it at a time."""
    version = _served()
    form = default_form(version)
    made = example_releases(version.digest, form)
    threshold = releases.threshold()
    results = results_of(instrument_of(version.digest), made, threshold)
    context = {"results": results, "threshold": threshold, "lessons_shown": lessons_shown}
    return render(request, "assessments/example.html", context)


@gzip_page
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The statement that French law asks for, made from the grid of criteria."""
    context = {
        "grid": rgaa.grid(),
        "standing": rgaa.standing(),
        "plan": settings.ACCESSIBILITY_PLAN,
        "address": settings.PUBLIC_ADDRESS,
    }
    return render(request, "assessments/accessibility.html", context)


SECURITY_TXT_HOLDS = timedelta(days=180)
"""RFC 9116 advises less than a year."""


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where weaknesses are told (RFC 9116); without a contact there is no such file, which asks
    for one."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = datetime.combine(timezone.localdate() + SECURITY_TXT_HOLDS, time(), UTC)
    lines = (
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(code for code, _name in settings.LANGUAGES)}",
        f"Canonical: {settings.PUBLIC_ADDRESS}{reverse('security.txt')}",
    )
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")
