"""Files that are downloaded."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.http import HttpResponse
from django.utils import timezone

from .. import fhir, ics


def download(content: bytes | str, content_type: str, name: str) -> HttpResponse:
    """A file that the browser keeps under a name of ours."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=disposition)


def fhir_file(resource: fhir.Resource, release: fhir.Release, name: str) -> HttpResponse:
    written = json.dumps(resource, ensure_ascii=False, indent=2)
    return download(written, f"{fhir.media_type(release)}; charset=utf-8", name)


def calendar_file(events: Iterable[ics.Event], name: str) -> HttpResponse:
    """Events that the person adds to their own calendar."""
    return download(ics.calendar(events, timezone.now()), ics.MEDIA_TYPE, name)
