"""axe finds nothing on any page of the catalogue, and none scrolls sideways.

Contrast takes axe longer than all other rules together, and comes of few things: the colours, the
layers below, the size and weight of a text. It is measured once for each mixture of these that is
met at a size and in a scheme, wherever it is met.
So is, once in a language, each way in which an element stands in another, or a heading follows upon
one: a page that has no new one is a mixture of others.
A state is looked at by axe in one language or in the other: their elements are the same, their
words are the Nu checker's and test_words.py's. That nothing scrolls sideways is seen of every state
in French, whose words are longer, and in English of those that axe looks at.
``make audit`` looks at everything in both, at every text.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.conftest import AUDIT

from . import catalogue as pages
from .conftest import DESKTOP, PHONE, in_scheme, too_wide, violations
from .opener import Opener

pytestmark = [pytest.mark.django_db, pytest.mark.long]

LOOKS = {"fr": (PHONE, DESKTOP), "en": (DESKTOP, PHONE)}
"""The size at which a language is looked at in light, and that in dark."""
NARROW = {"width": 320, "height": 640}
"""1280 px at 400 %."""


CONTRAST = "color-contrast"

NEW_LOOKS = """known => {
    known = new Set(known);
    const layers = new Map();
    const layer = each => {
        if (!each) return "";
        if (!layers.has(each)) {
            const style = getComputedStyle(each);
            layers.set(each, layer(each.parentElement) + "/" + [
                style.backgroundColor, style.backgroundImage, style.opacity, style.filter,
                style.mixBlendMode, style.position, style.zIndex,
            ]);
        }
        return layers.get(each);
    };
    const texts = new Set([document.querySelector("h1") ?? document.body]);
    const looks = new Set();
    for (const each of document.body.querySelectorAll("*")) {
        const words = [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!words && !each.matches("input, select, textarea, option")) continue;
        const style = getComputedStyle(each);
        const look = layer(each) + "|" + [
            style.color, style.webkitTextFillColor, style.textShadow, style.fontSize,
            style.fontWeight, style.visibility, style.display, each.tagName, each.ariaDisabled,
            each.disabled,
        ];
        if (known.has(look)) continue;
        looks.add(look);
        texts.add(each);
    }
    window.newTexts = [...texts];
    return [...looks];
}"""
"""Keeps the texts whose look is new, a heading at least, and tells their looks."""


NEW_WAYS = """known => {
    known = new Set(known);
    const kind = each => each.localName + "." + [...each.classList].sort().join(".") + "[" +
        each.getAttributeNames().sort().join() + "]" + (each.getAttribute("role") ?? "") +
        (each.getAttribute("type") ?? "");
    const ways = new Set();
    let heading = "none";
    for (const each of document.querySelectorAll("*")) {
        ways.add(each.parentElement ? kind(each.parentElement) + " > " + kind(each) : "");
        if (/^h[1-6]$/.test(each.localName)) ways.add(heading + " then " + each.localName);
        if (/^h[1-6]$/.test(each.localName)) heading = each.localName;
    }
    return [...ways].filter(way => !known.has(way));
}"""


class Eye:
    """Looks at pages in one way, and remembers the looks of text whose contrast it measured."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.looks: list[str] = []

    def contrast(self) -> Iterator[tuple[str, list[str]]]:
        if AUDIT:
            yield from violations(self.page, "rule", [CONTRAST])
            return
        if new := self.page.evaluate(NEW_LOOKS, self.looks):
            self.looks += new
            yield from violations(self.page, "rule", [CONTRAST], within="newTexts")


def test_nothing_is_found(catalogue, browser):
    language = catalogue[0].language
    light, dark = LOOKS[language]
    page = browser.new_page(locale=language, viewport=light, reduced_motion="reduce")
    found: list[tuple[str, str, str, str]] = []
    by_day, by_night = Eye(page), Eye(page)
    ways: list[str] = []

    def note(name: str, look: str, what: Iterator[tuple[str, list[str]]]) -> None:
        found.extend((name, look, rule, str(each)) for rule, elements in what for each in elements)

    with Opener(page, catalogue) as open_:
        for number, shown in enumerate(each for each in catalogue if each.is_page):
            # Two of five in French: its runner opens the others too, and both end together.
            by_axe = AUDIT or (number % 5 in (0, 2)) == (language == "fr")
            if not by_axe and language == "en":
                continue
            open_(shown)
            if by_axe:
                new = page.evaluate(NEW_WAYS, ways)
                ways += new
                if new or AUDIT:
                    note(shown.name, "light", iter(violations(page, besides=CONTRAST)))
                note(shown.name, "light", by_day.contrast())
            for size in (PHONE, NARROW):
                page.set_viewport_size(size)
                if over := too_wide(page):
                    wide = f"{size['width']} px"
                    found.append((shown.name, wide, "scrolls sideways", f"{over} px"))
            if by_axe:
                page.set_viewport_size(dark)
                in_scheme(page, "dark")
                note(shown.name, "dark", by_night.contrast())
                page.emulate_media(color_scheme="light")
            page.set_viewport_size(light)
    page.close()
    assert [
        (name, look, what, where)
        for name, look, what, where in found
        if not pages.stocks("axe", name, what, where)
    ] == []
