"""Pages that a process writes once, and what is put into them for each reader: the token of their
forms and, on a page of questions, what is chosen."""

from __future__ import annotations

import re
import secrets
from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.translation import get_language, override

from ..context_processors import service
from ..instrument.document import MAIN_LANGUAGE


def stand_in() -> str:
    """What stands in a page that is kept for something of its reader's: as nobody can write it."""
    return secrets.token_hex(16)


TOKEN = stand_in()
"""For the token of one reader's forms."""


def may_be_kept(request: HttpRequest) -> bool:
    """Whether what this reader is to be shown is what others are: nothing is said to them alone,
    and no template may have changed."""
    return not (messages.get_messages(request) or settings.DEBUG)


def page_for_all(request: HttpRequest, template: str, **told: Hashable) -> HttpResponse:
    """A page that says the same to all who are told the same, at an address that is always its
    own."""
    if not may_be_kept(request):
        return render(request, template, told)
    language = get_language() or MAIN_LANGUAGE
    known = service(request) | told
    html = _written(template, language, get_script_prefix(), request.path, **known)
    return HttpResponse(with_token(html, request))


def with_token(html: bytes, request: HttpRequest) -> bytes:
    return html.replace(TOKEN.encode(), get_token(request).encode())


@lru_cache(maxsize=64)
def _written(template: str, language: str, prefix: str, path: str, **told: Hashable) -> bytes:
    """No request gets in here, so that nothing of a person's can be kept."""
    with override(language):
        context = {"request": {"path": path}, "csrf_token": TOKEN, **told}
        return render_to_string(template, context).encode()


CHOICE = re.compile(r'<input type="(?:radio|checkbox)" name="([^"]+)" value="([^"]+)"[^>]*')
"""Up to where the template writes :data:`CHECKED`, if it does: no code has to be escaped."""
CHECKED = b" checked"


class KeptPage:
    """What the template has written, cut behind each of its choices."""

    def __init__(self, html: str) -> None:
        """``html``: with nothing chosen."""
        self._pieces: list[bytes] = []
        self._places: dict[tuple[str, str], int] = {}
        """Of a choice, by the name of its input and its value: the piece that ends with it."""
        start = 0
        for choice in CHOICE.finditer(html):
            self._places[choice[1], choice[2]] = len(self._pieces)
            self._pieces.append(html[start : choice.end()].encode())
            start = choice.end()
        self._pieces.append(html[start:].encode())

    def with_chosen(self, chosen: Mapping[str, Iterable[str]]) -> bytes:
        """The page as the template writes it where so much is chosen: values, by the names of
        their inputs. KeyError where it does not offer one of them."""
        pieces = self._pieces.copy()
        for name, values in chosen.items():
            for value in values:
                pieces[self._places[name, value]] += CHECKED
        return b"".join(pieces)
