"""axe finds nothing on any page of the catalogue, and none scrolls sideways."""

from __future__ import annotations

import pytest

from . import catalogue as pages
from .conftest import DESKTOP, PHONE, Opener, too_wide, violations

pytestmark = pytest.mark.django_db

LOOKS = {"fr": (PHONE, DESKTOP), "en": (DESKTOP, PHONE)}
"""The size at which a language is looked at in light, and that in dark."""
NARROW = {"width": 320, "height": 640}
"""1280 px at 400 %."""


def test_nothing_is_found(catalogue, browser):
    language = catalogue[0].language
    light, dark = LOOKS[language]
    # Without motion: a colour on its way from one scheme to the other is neither's.
    page = browser.new_page(locale=language, viewport=light, reduced_motion="reduce")
    open_, found = Opener(page), []
    for shown in catalogue:
        if not shown.is_page:
            continue
        open_(shown)
        found += [(shown.name, "light", *each) for each in violations(page)]
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(dark)
        found += [
            (shown.name, "dark", *each) for each in violations(page, "rule", ["color-contrast"])
        ]
        for size in (PHONE, NARROW):
            page.set_viewport_size(size)
            if over := too_wide(page):
                found.append((shown.name, f"{size['width']} px", f"{over} px too wide"))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(light)
    page.close()
    # An element is named by its path; through a frame or a shadow by several.
    assert [
        (name, *told)
        for name, *told in found
        if not pages.stocks("axe", name, str(told[1]), str(told[-1]))
    ] == []
