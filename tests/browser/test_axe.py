"""axe finds nothing on any page of the catalogue, and none scrolls sideways."""

from __future__ import annotations

import pytest

from . import catalogue as pages
from .conftest import DESKTOP, PHONE, Opener, in_scheme, too_wide, violations

pytestmark = pytest.mark.django_db

LOOKS = {"fr": (PHONE, DESKTOP), "en": (DESKTOP, PHONE)}
"""The size at which a language is looked at in light, and that in dark."""
NARROW = {"width": 320, "height": 640}
"""1280 px at 400 %."""


def test_nothing_is_found(catalogue, browser):
    language = catalogue[0].language
    light, dark = LOOKS[language]
    page = browser.new_page(locale=language, viewport=light, reduced_motion="reduce")
    open_, found = Opener(page, catalogue), []

    def look(name: str, scheme: str, *which: object) -> None:
        for rule, elements in violations(page, *which):
            found.extend((name, scheme, rule, str(element)) for element in elements)

    for shown in catalogue:
        if not shown.is_page:
            continue
        open_(shown)
        look(shown.name, "light")
        page.set_viewport_size(dark)
        in_scheme(page, "dark")
        look(shown.name, "dark", "rule", ["color-contrast"])
        for size in (PHONE, NARROW):
            page.set_viewport_size(size)
            if over := too_wide(page):
                found.append((shown.name, f"{size['width']} px", "scrolls sideways", f"{over} px"))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(light)
    page.close()
    assert [
        (name, look, what, where)
        for name, look, what, where in found
        if not pages.stocks("axe", name, what, where)
    ] == []
