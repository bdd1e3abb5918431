"""The table of ASVS is complete, honest, and still true of the tree."""

from __future__ import annotations

import ast
import gzip
import re
from collections import Counter
from pathlib import Path

from allauth.account import app_settings
from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from assessments import codes, journal, press, releases
from assessments.cohort.disclosure import K
from assessments.forms import PlanForm
from assessments.instrument import archives, loading
from assessments.limits import Limit
from assessments.models import Cohort, StandardStudy
from assessments.staff import attempts, sessions
from assessments.views import limited
from readiness import database
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


# --- The page on the design -----------------------------------------------------------------------

DESIGN = (ROOT / "readiness/docs/SECURITY-DESIGN.md").read_text(encoding="utf-8")
FLAT = re.sub(r"\s+", " ", DESIGN)


def hours(seconds: float) -> str:
    return f"{int(seconds) // 3600} hours"


def test_the_page_on_the_design_says_the_limits_of_the_code():
    told = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) minutes \|$", DESIGN, re.MULTILINE)
    counted = {
        (each.name, str(each.most), str(int(each.period.total_seconds()) // 60))
        for module in (attempts, limited, journal)
        for each in vars(module).values()
        if isinstance(each, Limit)
    }
    assert set(told) == counted
    assert len(told) == len(counted)


def test_the_page_on_the_design_says_the_figures_of_the_code():
    common = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    (least,) = (
        each["OPTIONS"]["min_length"]
        for each in settings.AUTH_PASSWORD_VALIDATORS
        if "MinimumLength" in each["NAME"]
    )
    step = PlanForm.base_fields
    idle, absolute = (each.total_seconds() for each in (sessions.IDLE, sessions.ABSOLUTE))
    for said in (
        f"a code of {5 * codes.RESUME_LENGTH} bits",
        f"good once and for {hours(settings.PASSWORD_RESET_TIMEOUT)}",
        f"within {app_settings.REAUTHENTICATION_TIMEOUT // 60} minutes",
        f"At least {least} signs",
        f"the {len(gzip.decompress(common.read_bytes()).splitlines()):,} of Django’s list",
        f"with {PBKDF2PasswordHasher.iterations:,} rounds",
        f"opens at most {codes.MOST_SITTINGS} sittings",
        f"| staff | {hours(idle)} | {hours(absolute)} |",
        f"| who answers | – | {hours(settings.SESSION_COOKIE_AGE)} |",
        f"| resume code | {codes.RESUME_LENGTH} of {len(codes.ALPHABET)} signs",
        f"| group’s code | {codes.ACCESS_LENGTH} of the same",
        f"when: {step['when'].max_length} signs; what: {step['will'].max_length}; "
        f"with whom: {step['together_with'].max_length}",
        f"| name of a group | {Cohort._meta.get_field('name').max_length} signs |",
        f"| the panel’s notes | {StandardStudy._meta.get_field('notes').max_length:,} signs |",
        f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} kB and "
        f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} fields",
        f"{archives.MAX_UPLOAD:,} bytes at most; opened, {archives.MAX_OPENED:,} bytes in "
        f"{archives.MAX_ENTRIES} entries, none over {loading.MAX_BYTES:,} bytes, none compressed "
        f"more than {archives.MAX_RATIO} times; YAML of {loading.MAX_DEPTH} levels, "
        f"{loading.MAX_VALUES:,} values and texts of {loading.MAX_TEXT:,} signs",
        f"operators, append-only, {settings.JOURNAL_DAYS} days",
        f"the database, {settings.JOURNAL_DAYS} days, append-only",
        f"at least {K} people, noise",
        f"first {8 * codes.HASH_BYTES} bits",
        f"{database.CONNECTING} s to connect, 5 s a statement",
        f"{press.PLACES} with those that wait, {press.PATIENCE:.0f} s at most",
        f"publishing a group of {releases.LONG:,} or more",
    ):
        assert said in FLAT, said


CRYPTOGRAPHY = re.compile(
    r"^\s*(?:import|from) (?:(?:hashlib|hmac|secrets|random|uuid|ssl|cryptography|jwt|fido2)\b"
    r"|django\.core(?:\.signing| import signing)|django\.utils\.crypto"
    r"|django\.contrib\.auth\.(?:tokens|hashers))",
    re.MULTILINE,
)


def test_every_use_of_cryptography_is_in_the_inventory():
    used = {
        path.relative_to(ROOT).as_posix()
        for folder in ("assessments", "readiness")
        for path in (ROOT / folder).rglob("*.py")
        if CRYPTOGRAPHY.search(path.read_text(encoding="utf-8"))
    }
    section = DESIGN.partition("## Keys and cryptography")[2].partition("\n## ")[0]
    assert set(re.findall(r"`((?:assessments|readiness)/[\w/]+\.py)`", section)) == used
    assert len(used) > 15


def test_no_weak_hash_is_used():
    for folder in ("assessments", "readiness"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not re.search(r"\b(?:md5|sha1)\b", path.read_text(encoding="utf-8")), path


def test_every_file_that_the_page_on_the_design_names_exists():
    for name in re.findall(r"\]\((\S+?)\)", DESIGN):
        assert (ROOT / "readiness/docs" / name).exists(), name
