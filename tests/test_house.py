"""The house: floors import downwards, pure ones stay pure; words and locks are complete."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "assessments"
CSS = APP / "static" / "assessments" / "css"

FLOORS: dict[str, int] = {
    "instrument": 0,
    "scoring": 1,
    "cohort": 2,
    "questionnaire": 2,
    "fhir": 2,
    "codes": 0,
    "ics": 0,
    "models": 3,
    "checks": 4,
    "outages": 0,
    "wall": 4,
    "frozen": 4,
    "journal": 4,
    "limits": 4,
    "lookups": 4,
    "tombstones": 4,
    "upkeep": 4,
    "inventory": 4,
    "backups": 5,
    "instruments": 4,
    "calibrations": 4,
    "releases": 4,
    "sittings": 4,
    "cohorts": 4,
    "roles": 4,
    "accounts": 4,
    "simulated_cohorts": 5,
    "measured": 5,
    "simulated_truth": 5,
    "demonstration": 5,
    "templatetags": 5,
    "forms": 5,
    "qr": 5,
    "charts": 5,
    "cohort_charts": 5,
    "quality_charts": 5,
    "cohort_results": 5,
    "typesetting": 4,
    "press": 5,
    "pressroom": 5,
    "reports": 5,
    "certificates": 5,
    "exports": 5,
    "reminders": 5,
    "cohort_tables": 5,
    "cohort_files": 5,
    "qualiopi": 5,
    "rgaa": 5,
    "cohort_exports": 5,
    "jobs": 5,
    "journal_files": 5,
    "standards": 5,
    "context_processors": 5,
    "views": 6,
    "admin": 6,
    "staff": 6,
    "management": 6,
    "urls": 7,
    "apps": 7,
}
PURE = {"instrument", "scoring", "cohort", "questionnaire", "fhir", "codes", "ics"}
PURE_PACKAGES = {"msgspec", "numpy", "yaml"}
MODULES = sorted(path for path in APP.rglob("*.py") if "migrations" not in path.parts)


def floor_name(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Absolute names of the modules that a module imports."""
    package = ["assessments", *path.relative_to(APP).parent.parts]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *([node.module] if node.module else [])]
            names |= {".".join([*base, alias.name]) for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(APP)))
def test_imports_go_down(path):
    name = floor_name(path)
    if name == "__init__":
        return
    for target in imported(path):
        parts = target.split(".")
        if parts[0] == "assessments" and parts[1:] and parts[1] in FLOORS and parts[1] != name:
            assert FLOORS[parts[1]] <= FLOORS[name], f"{name} imports {parts[1]}"
        if name in PURE and parts[0] != "assessments":
            assert parts[0] in sys.stdlib_module_names | PURE_PACKAGES, f"{name} imports {target}"
            assert parts[0] not in {"random", "secrets", "time"} or name == "codes"


def test_every_module_has_its_floor():
    assert {floor_name(path) for path in MODULES} - {"__init__"} <= set(FLOORS)


@pytest.mark.parametrize("path", sorted(ROOT.glob("locale/*/LC_MESSAGES/django.po")), ids=str)
def test_every_message_is_translated(path):
    catalogue = polib.pofile(str(path))
    assert not catalogue.fuzzy_entries()
    assert not [entry.msgid for entry in catalogue.untranslated_entries()]
    assert not catalogue.obsolete_entries()


def test_french_is_there():
    assert (ROOT / "locale/fr/LC_MESSAGES/django.mo").exists()


PLACEHOLDER = re.compile(r"%\([a-z_]+\)s|\{[a-z_]+\}|<[^>]+>")


def test_the_french_keeps_placeholders_and_typography():
    for entry in polib.pofile(str(ROOT / "locale/fr/LC_MESSAGES/django.po")):
        french = [entry.msgstr, *entry.msgstr_plural.values()]
        for text in filter(None, french):
            wanted = PLACEHOLDER.findall(entry.msgid_plural or entry.msgid)
            if not entry.msgid_plural:
                assert sorted(PLACEHOLDER.findall(text)) == sorted(wanted), entry.msgid
            bare = PLACEHOLDER.sub("x", text)
            assert not re.search(r"[^\s\u00a0][;?!»]| [:;?!»]|«[^\u00a0]|\u202f|'", bare), text


def test_the_locks_hold_names_versions_and_hashes_alone():
    for lock in ROOT.glob("requirements*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "@" not in text
        pinned = re.findall(r"^[a-z0-9][^=\s]*==\S+", text, re.MULTILINE)
        assert len(pinned) > 10
        assert text.count("--hash=sha256:") >= len(pinned)


SHEETS = APP / "static/assessments/css"
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*[;}])|\b(?:rgb|hsl|oklch)a?\(")


@pytest.mark.parametrize("sheet", ["readiness", "admin", "debriefing"])
def test_colours_on_screen_are_tokens(sheet):
    assert COLOUR.findall((SHEETS / "tokens.css").read_text(encoding="utf-8"))
    assert COLOUR.findall((SHEETS / f"{sheet}.css").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("sheet", ["readiness", "admin", "debriefing", "tokens"])
def test_every_token_used_is_defined(sheet):
    tokens = (SHEETS / "tokens.css").read_text(encoding="utf-8")
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", (SHEETS / f"{sheet}.css").read_text("utf-8")))
    own = re.findall(r"(--[a-z0-9-]+):", tokens + (SHEETS / f"{sheet}.css").read_text("utf-8"))
    assert {name for name in used - set(own) if name not in OF_THE_ADMIN} == set()


OF_THE_ADMIN = {"--font-family-monospace", "--hairline-color", "--border-color", "--body-fg"}
"""Tokens of Django's own stylesheet."""


def test_no_screen_of_ours_needs_the_font_of_italics():
    """14 kB, which would be fetched for a few lines; on paper, nothing is fetched."""
    sheets = {path.name: path.read_text(encoding="utf-8") for path in CSS.glob("*.css")}
    on_paper = {"elements.css", "report.css"}
    assert {name for name, text in sheets.items() if "italic" in text} == on_paper
