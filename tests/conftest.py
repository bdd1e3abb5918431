"""What every test may use."""

from __future__ import annotations

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from _pytest.nodes import coerce_node_id
from django.apps import apps
from django.core.management.commands import flush
from django.core.signals import setting_changed
from django.db import transaction
from django.dispatch import receiver
from django.template.autoreload import reset_loaders
from django.test import override_settings
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from assessments import frozen

# What it finds wrong is to be read in the failure.
pytest.register_assert_rewrite("tests.pdfs")

# Machines differ: what is tested is the result, never the time it took.
hypothesis_settings.register_profile("readiness", deadline=None, max_examples=50)
hypothesis_settings.register_profile("audit", deadline=None, max_examples=200)

AUDIT = bool(os.environ.get("AUDIT"))
"""Set by ``make audit``: everything is tried in every language, size and scheme, and longer."""
hypothesis_settings.load_profile("audit" if AUDIT else "readiness")

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(
        None,
        map(
            shutil.which,
            (
                "chromium-headless-shell",  # the same engine, without a window to draw
                "chromium",
                "chromium-browser",
                "google-chrome-stable",
                "google-chrome",
            ),
        ),
    ),
    None,
)
REQUIRE_ALL = bool(os.environ.get("REQUIRE_ALL"))
"""Set in continuous integration: what a laptop may skip, fails there."""
PURE = {"instrument", "scoring", "cohort"}
DRAWN = {
    "report",
    "exports",
    "admin/test_charts.py",
    "admin/test_situations.py",
    "admin/test_story.py",
    "test_words.py",
    "browser/test_catalogue.py",
    "browser/test_nu.py",
    "disclosure/test_exact.py",
    "disclosure/test_linear.py",
    "fuzz/test_loader.py",
    "load",
    "security/hostile/test_bytes.py",  # which has no database
    "security/hostile/test_documents.py",
    "security/test_asvs.py",
    "security/test_code.py",
    "test_codes.py",
    "test_fhir.py",
    "test_fhir_libraries.py",
    "test_house.py",
    "test_ics.py",
    "test_questionnaire.py",
    "test_rgaa.py",
    "test_setup.py",
    "faults/test_drills.py",  # which starts both databases itself
}
"""What is drawn from values: printed, written and proved alike, whatever the database. Every
page of a trainer is also read on PostgreSQL, by disclosure/test_http.py. A folder, a file, or a
test of it."""
if not AUDIT:
    # Who may get what is decided in Python: on PostgreSQL it is tried again in an audit only. So
    # are hundreds of requests up to a limit (test_limits.py counts on both), the desks of authors
    # and judges, whose rows the database guards alike (test_frozen.py), and simulated people.
    DRAWN |= {
        "admin/test_authoring.py",
        "admin/test_standards.py",
        "deployment/test_serve.py",
        "security/hostile/test_limits.py::"
        "test_300_people_behind_one_address_who_mistype_are_never_limited",
        "security/hostile/test_limits.py::test_guessing_ends_at_the_limit_we_set",
        "security/hostile/test_limits.py::test_of_many_guesses_all_but_the_first_few_are_refused",
        "security/test_canaries.py",
        "security/test_matrix.py",
        "security/test_server.py",
        "security/test_side_doors.py",
        "test_measurement.py",
        "test_simulation.py",
        "staff/test_oidc.py::test_signing_in_by_another_service",
    }


@receiver(setting_changed)
def _render_again(setting: str, **_more: object) -> None:
    """What a process keeps of its pages names static files, whose names only tests change."""
    if setting in {"STORAGES", "STATIC_URL"}:
        from assessments.views import kept, steps

        kept._written.cache_clear()
        steps._kept_page.cache_clear()
        reset_loaders()


QUICK = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
}
"""Settings that every test has."""
ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds" / "ai-readiness"


def needs_browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What a run leaves out by its marks is not even read, where a whole folder or file has one."""
    if not collection_path.is_relative_to(Path(__file__).parent):
        return None
    path = collection_path.relative_to(Path(__file__).parent).as_posix()
    without = config.option.markexpr
    left_out = any(
        f"not {mark}" in without and path in marked
        for mark, marked in (("pure", PURE), ("drawn", DRAWN))
    )
    return True if left_out else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "pictures" not in config.option.markexpr:  # they check nothing
        items[:] = [item for item in items if item.get_closest_marker("pictures") is None]
    for item in items:
        path = item.path.relative_to(Path(__file__).parent)
        if path.parts[0] in PURE:
            item.add_marker(pytest.mark.pure)
        test = f"{path.as_posix()}::{getattr(item, 'originalname', item.name)}"
        if {path.parts[0], path.as_posix(), test} & DRAWN:
            item.add_marker(pytest.mark.drawn)
        # What reads the catalogue goes with what looks at it: its pages are asked for once.
        if needs_browser(item) or "catalogue" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
        if needs_browser(item) and CHROMIUM is None and not REQUIRE_ALL:
            item.add_marker(
                pytest.mark.skip(reason="no Chromium: sudo apt install chromium, or CHROMIUM=/path")
            )
    # Playwright leaves an event loop in the thread, so what needs a browser comes last.
    items.sort(key=lambda item: (needs_browser(item), item.get_closest_marker("long") is None))
    if getattr(config.option, "loadgroup", False):
        for item in items:
            grouped(item)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: the collector of garbage need not look at them again."""
    gc.collect()
    gc.freeze()


def grouped(item: pytest.Item) -> None:
    """Tell xdist the group of a test, at the end of its name. pytest-xdist 3.8 writes it where
    pytest 9.2 does not read it any more, and no group would be kept together."""
    names = sorted({mark.args[0] for mark in item.iter_markers("xdist_group")})
    if names and "@" not in item.nodeid.rpartition("]")[2]:
        item._id = coerce_node_id(f"{item.nodeid}@{'_'.join(names)}")  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.passed:
        report.sections = []  # what it logged, which nobody reads: of some, a hundred megabytes
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True, scope="session")
def quick_settings() -> Iterator[None]:
    """Once for all tests: with each change of them, every template would be compiled anew."""
    with override_settings(**QUICK):
        yield


@pytest.fixture(autouse=True)
def in_no_language_of_another_test() -> None:
    """The language of the last request stays in the thread until the next one."""
    translation.deactivate()


@pytest.fixture(autouse=True, scope="session")
def read_as_in_earnest() -> Iterator[None]:
    """Django's test client reads requests as ours are read (its live server does not)."""
    from readiness.handler import Request

    with mock.patch("django.test.client.WSGIRequest", Request):
        yield


@pytest.fixture(autouse=True, scope="session")
def rounds() -> Iterator[int]:
    """Recovery codes are hashed by one round, where ten of them take more than a second: the rounds
    that they have in earnest."""
    from assessments.staff import recovery  # once the apps are ready

    in_earnest = recovery.ROUNDS
    with mock.patch.object(recovery, "ROUNDS", 1):
        yield in_earnest


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Tests whose transactions are real leave an empty database, which the triggers would refuse.
    What the signal after a migration writes comes back as it was, for to work it out takes longer
    than many a test."""
    really = flush.sql_flush

    def sql_flush(style, connection, **kwargs):
        frozen.drop(connection.alias)
        return really(style, connection, **kwargs)

    with django_db_blocker.unblock():
        models = apps.get_models(include_auto_created=True)
        stored = [each for each in models if each._meta.managed and not each._meta.proxy]
        migrated = [(model, list(model._base_manager.all())) for model in stored]

    def as_migrated(verbosity, interactive, db, **kwargs):
        with transaction.atomic(using=db):  # in which rows may come before those they point to
            for model, rows in migrated:
                model._base_manager.using(db).bulk_create(rows)
            frozen.make(db)

    with (
        mock.patch.object(flush, "sql_flush", sql_flush),
        mock.patch.object(flush, "emit_post_migrate_signal", as_migrated),
    ):
        yield


@pytest.fixture(params=["fr", "en"])
def language(request) -> Iterator[str]:
    with translation.override(request.param):
        yield request.param


@pytest.fixture
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def complaints(caplog) -> Callable[[], list[str]]:
    """What WeasyPrint complained of: it logs where others would raise."""
    caplog.set_level(logging.WARNING, logger="weasyprint")
    return lambda: [
        f"{record.levelname} {record.getMessage()}"
        for record in caplog.records
        if record.name.startswith("weasyprint") and record.levelno >= logging.WARNING
    ]
