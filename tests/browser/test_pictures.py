"""`make pictures`: every state of the catalogue as people see it, to be looked at.

It checks nothing, and runs only when asked for: ``pytest -m pictures``.
"""

from __future__ import annotations

import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest
from django.test import override_settings

from tests.conftest import QUICK, ROOT

from . import catalogue as pages
from .conftest import DESKTOP, PHONE
from .opener import Opener

pytestmark = [pytest.mark.django_db, pytest.mark.pictures]

FOLDER = ROOT / "pictures"
LOOKS = {"phone": (PHONE, "light"), "desktop": (DESKTOP, "light"), "dark": (DESKTOP, "dark")}
SHEET = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><title>Readiness: {language}</title>
<style>
body {{ font: 16px sans-serif; margin: 1rem; background: #888 }}
section {{ display: flex; gap: 1rem; align-items: start; overflow-x: auto }}
img {{ height: 30rem; width: auto; max-width: 50rem; object-fit: cover; object-position: top }}
</style>
<h1>{count} pages and states ({language})</h1>
{rows}
</html>
"""


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pictures(language, browser, django_db_blocker):
    folder = FOLDER / language
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with override_settings(**QUICK):
        states = pages.every(language)
    taken: dict[str, list[Path]] = {}
    for look, (size, scheme) in LOOKS.items():
        page = browser.new_page(
            locale=language, viewport=size, color_scheme=scheme, reduced_motion="reduce"
        )
        with Opener(page, states) as open_:
            for shown in states:
                file = folder / f"{shown.name.replace('/', '--')}--{look}.png"
                if shown.is_page:
                    open_(shown)
                    page.screenshot(path=file, full_page=True)
                    taken.setdefault(shown.name, []).append(file)
        page.close()
    for shown in states:
        if shown.kind == "application/pdf":
            taken[shown.name] = printed(shown, folder)
    rows = [
        f"<h2>{escape(name)}</h2><section>{''.join(map(picture, files))}</section>"
        for name, files in taken.items()
    ]
    (folder / "index.html").write_text(
        SHEET.format(language=language, count=len(taken), rows="\n".join(rows)), encoding="utf-8"
    )
    (FOLDER / "index.html").write_text(
        '<!doctype html><title>Readiness</title><a href="fr/index.html">fr</a> '
        '<a href="en/index.html">en</a>',
        encoding="utf-8",
    )
    assert len(taken) > 100


def printed(shown: pages.Shown, folder: Path) -> list[Path]:
    """The pages of a PDF."""
    name = shown.name.replace("/", "--")
    (folder / f"{name}.pdf").write_bytes(shown.body)
    subprocess.run(
        ["pdftoppm", "-png", "-r", "80", folder / f"{name}.pdf", folder / f"{name}--page"],
        check=True,
    )
    return sorted(folder.glob(f"{name}--page*.png"))


def picture(file: Path) -> str:
    image = f'<img loading="lazy" src="{file.name}" alt="{escape(file.stem)}">'
    return f'<a href="{file.name}">{image}</a>'
