"""Files that are downloaded."""

from __future__ import annotations

import json

from django.http import HttpResponse

from .. import fhir


def download(content: bytes | str, content_type: str, name: str) -> HttpResponse:
    """A file that the browser keeps under a name of ours."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=disposition)


def fhir_file(resource: fhir.Resource, release: fhir.Release, name: str) -> HttpResponse:
    written = json.dumps(resource, ensure_ascii=False, indent=2)
    return download(written, f"{fhir.media_type(release)}; charset=utf-8", name)
