"""What a page says and what it is made of, read without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Page(HTMLParser):
    source: str
    styled: list[str] = field(default_factory=list)
    """Elements that carry or are an inline style."""
    scripted: list[str] = field(default_factory=list)
    """Scripts written in the page, and handlers written in attributes."""
    charts: list[dict[str, str | None]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    """The ``<title>`` that comes first in each chart, or nothing."""

    def __post_init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.path: list[str] = []
        self.awaits_title = False
        self.feed(self.source)

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if "style" in given or tag == "style":
            self.styled.append(self.get_starttag_text() or tag)
        if any(name.startswith("on") for name in given) or (tag == "script" and "src" not in given):
            self.scripted.append(self.get_starttag_text() or tag)
        if self.awaits_title:
            self.titles.append("")
            self.awaits_title = tag == "title"
            if not self.awaits_title:
                self.titles[-1] = f"<{tag}>"
        if tag == "svg" and given.get("role") == "img":
            self.charts.append(given)
            self.awaits_title = True
        self.path.append(tag)

    def handle_endtag(self, tag) -> None:
        while self.path and self.path.pop() != tag:
            pass
        self.awaits_title = False

    def handle_data(self, data) -> None:
        if "script" in self.path or "style" in self.path:
            return
        if self.awaits_title and self.path[-1:] == ["title"] and "svg" in self.path:
            self.titles[-1] += data
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def read(response) -> Page:
    return Page(response.content.decode())


def without_tokens(response) -> bytes:
    """The bytes of a page, save the tokens against forged requests, which change each time."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", response.content)
