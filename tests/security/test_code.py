"""What our code and templates must not do, and the few places that may, each with its reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from importlib.metadata import version
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.contenttypes.admin import GenericInlineModelAdmin
from django.db.models import URLField

from tests.conftest import ROOT

SOURCES = sorted(
    path
    for folder in ("assessments", "readiness")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))

SQL = {
    "assessments/limits.py": "adds one and tells the sum in one statement; asked at every door",
    "assessments/backups/": "reads and restores whole tables, whatever they hold",
    "assessments/frozen.py": "triggers, by which the database itself refuses changes",
    "assessments/checks.py": "asks the database for its settings",
    "assessments/views/health.py": "asks the database whether it lives",
    "assessments/instruments.py": "finds the last calibration, as Django would ask for it",
    "assessments/upkeep.py": "empties the table of the cache, which has no model",
    "assessments/lookups.py": "asks again what Django wrote once, with another key",
    "assessments/sittings.py": "what Django takes longer to write than the database to do",
}
"""Where SQL is written by hand, and why."""
UNESCAPED = {
    "assessments/templatetags/cohort.py": "joins lines of text that was escaped before",
}
"""Where text is declared safe, and why."""
UNESCAPED_TEMPLATES = {
    "templates/assessments/start.html": "an SVG that segno draws, which escapes its title",
    "templates/assessments/cohort/poster.html": "the same, of a group's link",
    "templates/admin/assessments/cohort/change_form.html": "the same, of a group's link",
    "templates/assessments/reminder.txt": "plain text for a calendar, which knows no markup",
    "templates/admin/assessments/cohort/invitation.txt": "plain text for a letter",
    "templates/admin/assessments/cohort/reminder.txt": "plain text for a letter",
    "templates/staff/field.html": "a help text of Django's, which is markup",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
CALLS = [
    (path, node)
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.Call)
]


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Attribute(attr=attribute):
            return attribute
        case ast.Name(id=found):
            return found
    return ""


def places(wanted: Callable[[ast.Call], bool], known: Collection[str] = ()) -> list[str]:
    """Where the calls are that are looked for, but for the known ones."""
    return [
        f"{name(path)}:{node.lineno}"
        for path, node in CALLS
        if wanted(node) and not any(name(path).startswith(each) for each in known)
    ]


def test_the_search_finds_what_is_known():
    assert places(lambda node: called(node) == "cursor")
    assert places(lambda node: called(node) == "mark_safe")
    assert places(lambda node: called(node) == "format_html")
    assert len(SOURCES) > 100
    assert len(TEMPLATES) > 80


def test_sql_is_written_by_hand_nowhere_else():
    hand_written = {"raw", "extra", "RawSQL", "cursor", "executescript"}
    assert places(lambda node: called(node) in hand_written, SQL) == []


def test_hand_written_sql_takes_values_beside_it():
    def built(node: ast.Call) -> bool:
        statement = node.args[0] if node.args else None
        return called(node) in {"execute", "executemany"} and (
            isinstance(statement, ast.BinOp)
            or (isinstance(statement, ast.Call) and called(statement) == "format")
        )

    assert places(built) == []


def test_text_is_declared_safe_nowhere_else():
    declared = {"mark_safe", "SafeString", "SafeText"}
    assert places(lambda node: called(node) in declared, UNESCAPED) == []


def test_the_pattern_of_what_is_formatted_as_html_is_ours():
    """``format_html`` escapes what it is given, not its pattern."""
    patterns = {"format_html": 1, "format_html_join": 2}

    def varies(node: ast.Call) -> bool:
        given = node.args[: patterns.get(called(node), 0)]
        return not all(isinstance(each, ast.Constant) for each in given)

    assert places(varies) == []


def test_no_text_of_a_person_is_a_pattern():
    """``str.format`` lets whoever writes the pattern read attributes: patterns are constants, or
    our own messages by their code."""

    def varies(node: ast.Call) -> bool:
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "format":
            return False
        pattern = node.func.value
        told = ast.unparse(pattern)
        ours = isinstance(pattern, ast.Constant) or "MESSAGES[" in told
        return not ours and "logging" not in told and told != "msgspec.json"

    # The patterns of the inventory are in its YAML, those of backups in a constant: both are ours.
    known = [
        "readiness/log_lines.py",
        "assessments/inventory.py",
        "assessments/backups/postgresql.py",
    ]
    assert places(varies, known) == []


def test_nothing_runs_what_it_reads():
    """No evaluation, no shell, no pickle; YAML by our own loader alone."""
    evaluated = {"eval", "exec", "compile", "__import__"}
    assert places(lambda n: isinstance(n.func, ast.Name) and n.func.id in evaluated) == []
    shell = {"system", "popen", "unsafe_load", "full_load", "import_string"}
    assert places(lambda node: called(node) in shell) == []
    assert places(lambda node: any(each.arg == "shell" for each in node.keywords)) == []
    imported = {
        f"{name(path)}: {alias.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not [each for each in imported if each.endswith((" pickle", " shelve", " marshal"))]


def test_templates_escape_everything_else():
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        unescaped = re.findall(r"\|\s*safe(?:seq)?\b|autoescape\s+off|\{%\s*debug", text)
        assert not unescaped or name(path) in UNESCAPED_TEMPLATES, path


def test_templates_hold_no_inline_style_or_script():
    for path in TEMPLATES:
        if path.suffix == ".html":
            text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"))
            assert not re.search(r"\sstyle=|<style\b|\son[a-z]+=|javascript:", text), path
            assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), path


def test_the_admin_lets_nothing_be_edited_in_a_list():
    """CVE-2026-4292; and no field of addresses, whose links the admin draws (CVE-2026-15920)."""
    for model, made in admin.site._registry.items():
        assert not made.list_editable, model
        assert not made.date_hierarchy, model
        for inline in made.inlines:
            assert not issubclass(inline, GenericInlineModelAdmin), inline
        assert not [each for each in model._meta.get_fields() if isinstance(each, URLField)], model


FLOORS = {"django": (6, 1, 3), "weasyprint": (70, 0), "pyyaml": (6, 0, 3), "gunicorn": (27, 0)}
"""The first versions without the weaknesses that concern us (SECURITY.md)."""


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_versions_are_no_older_than_their_known_weaknesses(package):
    assert numbers(version(package)) >= FLOORS[package]
    locked = re.search(
        rf"^{package}==([\d.]+)",
        (ROOT / "requirements.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert locked is not None
    assert numbers(locked[1]) >= FLOORS[package]


def numbers(told: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", told))
