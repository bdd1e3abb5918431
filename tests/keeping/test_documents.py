"""The French documents on personal data, and the page on backups, say what the code does."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.template.loader import render_to_string
from django.utils import translation

from assessments import codes
from assessments.calibrations import N_MIN
from assessments.cohort.disclosure import K
from assessments.inventory import markdown
from assessments.management.commands.inventory import BEGIN, END
from assessments.staff import sessions
from readiness.retention import BASES, kept_told
from tests.conftest import ROOT

DOCS = ROOT / "readiness" / "docs"
FRENCH = sorted((DOCS / "fr").glob("*.md"))
KEPT = kept_told("", "", "")
BREACH_HOURS = 72
"""Art. 33 of the GDPR."""
TRIES_DAYS = 2
SAID = {
    (KEPT.unfinished_days, "jours"),
    (KEPT.backups_days, "jours"),
    (KEPT.finished_months, "mois"),
    (settings.JOURNAL_DAYS, "jours"),
    (TRIES_DAYS, "jours"),
    (settings.SESSION_COOKIE_AGE // 3600, "heures"),
    (sessions.ABSOLUTE // timedelta(hours=1), "heures"),
    (BREACH_HOURS, "heures"),
    (K, "personnes"),
    (K, "réponses"),
    (N_MIN, "personnes"),
    (5 * codes.RESUME_LENGTH, "bits"),
}
"""Every figure with a unit that the documents may state."""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    """What stands between backquotes."""
    return set(re.findall(r"`([^`]+)`", text))


def ids(path: Path) -> str:
    return path.name


def test_they_are_all_there():
    assert [path.stem for path in FRENCH] == ["AIPD", "DECISIONS", "NOTICE", "REGISTRE"]


@pytest.mark.parametrize("path", FRENCH, ids=ids)
def test_every_duration_and_threshold_is_the_codes(path):
    found = {
        (int(number), unit)
        for number, unit in re.findall(
            r"(\d+)\s(jours|mois|heures|personnes|réponses|bits)\b", read(path)
        )
    }
    assert found <= SAID


def test_the_register_states_every_duration():
    text = read(DOCS / "fr" / "REGISTRE.md").replace("\u00a0", " ")
    for said in (
        f"| {KEPT.unfinished_days} jours après le début |",
        f"| {KEPT.finished_months} mois après la fin |",
        f"| Sauvegardes | {KEPT.backups_days} jours |",
        f"| {settings.JOURNAL_DAYS} jours |",
    ):
        assert said in text


def test_the_bounds_of_the_settings_are_those_of_the_code():
    text = read(DOCS / "fr" / "DECISIONS.md").replace("\u00a0", " ")
    for bounds in re.findall(r"`(READINESS_\w+)` \((\d+) à (\d+)\)", text):
        name, low, high = bounds
        place = [
            "READINESS_KEPT_UNFINISHED_DAYS",
            "READINESS_KEPT_FINISHED_MONTHS",
            "READINESS_BACKUPS_KEPT",
        ].index(name)
        for told in (low, high):
            kept_told(*(told if each == place else "" for each in range(3)))
        for told in (int(low) - 1, int(high) + 1):
            with pytest.raises(Exception, match=name):
                kept_told(*(str(told) if each == place else "" for each in range(3)))
    assert text.count(" à ") >= 3


def test_the_annex_of_the_register_is_the_inventory():
    """Else: manage.py inventory --into readiness/docs/fr/REGISTRE.md"""
    text = read(DOCS / "fr" / "REGISTRE.md")
    assert text.partition(BEGIN)[2].partition(END)[0] == f"\n{markdown()}\n"


def sentences(language: str) -> set[str]:
    """All that the page may say, whatever is set and whoever reads it."""
    said = set()
    with translation.override(language):
        for basis in BASES:
            for grouped, breakdown in ((True, "profession"), (True, "setting"), (False, "")):
                context = {
                    "grouped": grouped,
                    "breakdown": breakdown,
                    "threshold": K,
                    "kept": KEPT,
                    "legal_basis": basis,
                    "controller": "[nom]",
                    "contact": "[contact]",
                }
                page = render_to_string("assessments/notice_text.html", context)
                text = unescape(re.sub(r"<[^>]+>", "\n", page))
                said |= set(re.split(r"(?<=\.)\s+|\n+", text)) - {""}
    return said


def flat(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_notice_is_the_pages_word_for_word():
    """A sentence that is not translated yet is test_house's to find."""
    notice = flat(read(DOCS / "fr" / "NOTICE.md"))
    french = sentences("fr") - sentences("en")
    assert len(french) > 20
    assert [each for each in sorted(french) if flat(each) not in notice] == []


def test_every_test_named_as_evidence_exists():
    text = read(DOCS / "fr" / "AIPD.md") + read(DOCS / "BACKUP.md")
    evidence = {each for each in named(text) if each.startswith("tests/") and "*" not in each}
    assert len(evidence) > 20
    for each in evidence:
        file, _colons, name = each.partition("::")
        assert (ROOT / file).exists(), each
        if name:
            tree = ast.parse(read(ROOT / file))
            assert name in {
                node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
            }, each


@pytest.mark.parametrize("path", [*FRENCH, DOCS / "BACKUP.md"], ids=ids)
def test_every_setting_command_and_file_that_is_named_exists(path):
    text = read(path)
    known = set(re.findall(r"^\| (READINESS_\w+) \|", read(ROOT / "readiness/settings.py"), re.M))
    assert set(re.findall(r"READINESS_[A-Z_]+[A-Z]", text)) <= known
    commands = set(re.findall(r"manage\.py (\w+)", text))
    assert commands <= set(get_commands())
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (path.parent / target).exists(), target
    for each in named(text):
        if re.fullmatch(r"(assessments|readiness)/[\w/.]+", each):
            assert (ROOT / each).exists(), each


@pytest.mark.parametrize("path", FRENCH, ids=ids)
def test_french_is_typeset_and_its_first_line_is_for_developers(path):
    first, *lines = read(path).splitlines()
    assert first.startswith("*In English: ")
    for line in lines:
        if line.startswith("<!--"):
            continue
        text = re.sub(r"`[^`]*`", "x", line)
        assert not re.search(r"[^\s\u00a0][;?!»]| [:;?!»%]|«[^\u00a0]|\u202f|'|\w·\w", text), line
