"""Answers posted after the session had ended: carried through the resume form, then kept."""

from __future__ import annotations

from django.http import HttpRequest, QueryDict

PREFIX = "carried-"
DIGITS = 4
"""Of a page’s number, at most: one of thousands of digits Python refuses to read."""


def carry(request: HttpRequest, part: str, number: int) -> list[tuple[str, str]]:
    """The hidden fields that carry a posted page."""
    posted = [
        (PREFIX + name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
    ]
    return [(PREFIX + "page", f"{part}/{number}"), *posted]


def pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields already carried by a resume form, to carry them further."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name.startswith(PREFIX)
        for value in values
    ]


def unpacked(request: HttpRequest) -> tuple[str, int, QueryDict] | None:
    """The page that was carried: its part, its number, what was posted to it."""
    part, _, number = request.POST.get(PREFIX + "page", "").partition("/")
    if not (number.isascii() and number.isdecimal() and len(number) <= DIGITS):
        return None
    data = QueryDict(mutable=True)
    for name, value in pairs(request):
        data.appendlist(name.removeprefix(PREFIX), value)
    return part, int(number), data
