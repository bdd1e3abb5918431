"""The table of ASVS is complete, honest, and still true of the tree."""

from __future__ import annotations

import ast
from collections import Counter

from tests.test_house import ROOT

from .asvs import Status, markdown, table

LISTED = {1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 9, 11: 14, 12: 9}
LISTED |= {13: 13, 14: 9, 15: 13, 16: 16}
"""Requirements of levels 1 and 2 in each chapter of ASVS 5.0.0; of chapter 10, those of clients."""


def test_every_requirement_is_there_once_in_its_order():
    for chapter in table().chapters:
        assert len(chapter.requirements) == LISTED[chapter.number], chapter.title
        assert {each.id.split(".")[0] for each in chapter.requirements} == {str(chapter.number)}
    numbers = [tuple(map(int, each.id.split("."))) for each in table().requirements]
    assert numbers == sorted(set(numbers))
    assert [chapter.number for chapter in table().chapters] == list(LISTED)


def test_no_status_goes_without_its_evidence():
    for each in table().requirements:
        if each.status is Status.MET:
            assert each.tests or each.note, each.id
        else:
            assert each.note, each.id
    assert Counter(each.status for each in table().requirements)[Status.MET] > 100


def test_every_test_named_as_evidence_exists():
    named = {test for each in table().requirements for test in each.tests}
    found = set()
    for file in sorted({test.split("::")[0] for test in named}):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                found.add(f"{file}::{node.name}")
            elif isinstance(node, ast.ClassDef):
                found |= {
                    f"{file}::{node.name}::{each.name}"
                    for each in node.body
                    if isinstance(each, ast.FunctionDef)
                }
    assert named - found == set()


def test_the_page_of_the_documentation_is_the_table():
    page = (ROOT / "readiness/docs/ASVS.md").read_text(encoding="utf-8")
    assert page == markdown(table())
