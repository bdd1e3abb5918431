"""Two ways to ask for the same step: a browser's form, and the script that keeps answers as one
goes (``keeping.js``), which is told in a few words what the other would be shown as a page."""

from __future__ import annotations

from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url

KEEP = "keep"
"""What the script's ``go`` says: keep this page, and stay."""


def by_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(("text/html", "application/json")) == "application/json"


def go(request: HttpRequest, to: str) -> HttpResponse:
    """Go on to an address or the name of one."""
    return JsonResponse({"next": resolve_url(to)}) if by_script(request) else redirect(to)


def stay(seen: str, *, whole: bool) -> JsonResponse:
    """What the script has sent is kept, the ``whole`` of it or but what cannot be kept yet;
    ``seen`` is what the page's hidden field holds from now on."""
    return JsonResponse({"seen": seen, "whole": whole})


def said(status: int, *words: Any) -> JsonResponse:
    """Why nothing was kept. The page still holds what it holds; sent as a form, it is shown how to
    go on."""
    return JsonResponse({"said": " ".join(map(str, words))}, status=status)


def errors_of(form: Form) -> list[str]:
    return [str(error) for each in form.errors.values() for error in each]
