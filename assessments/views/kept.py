"""A page of questions as it is kept: for whoever has chosen something, with nothing chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

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
