"""Chromium, driven by Playwright, against the real server with our real instrument."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings
from django.utils import timezone

from assessments.instrument.loading import load
from assessments.instruments import default_form, publish
from assessments.models import Cohort, Phase
from tests.conftest import CHROMIUM, QUICK, SEEDS

from . import catalogue as pages
from .server import manage

AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "fr-FR", "timezone_id": "Europe/Paris"}


@pytest.fixture(scope="session")
def playwright(playwright):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # its event loop stays in this thread
    return playwright


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(language, marks=pytest.mark.xdist_group(f"catalogue-{language}"))
        for language in ("fr", "en")
    ],
)
def catalogue(request, django_db_setup, django_db_blocker) -> list[pages.Shown]:
    """Every state of the catalogue, as it is answered in a language; nothing of it is kept."""
    with (
        django_db_blocker.unblock(),
        override_settings(**QUICK),
        # Printing is for the pictures alone: it takes longer than all pages together.
        mock.patch("assessments.press.pdf", return_value=b"%PDF-"),
    ):
        return every(request.param)


every = cache(pages.every)
"""A fixture with parameters is made again whenever another language was asked for in between."""


@pytest.fixture(scope="session")
def collected(tmp_path_factory) -> Path:
    """The static files as they are served in earnest: compressed, named by their content."""
    folder = tmp_path_factory.mktemp("collected")
    environment = os.environ | {"READINESS_DATA": str(folder), "DATABASE_URL": ""}
    manage(environment, "collectstatic", "--no-input", "--verbosity=0")
    return folder / "static"


@pytest.fixture
def phase(transactional_db) -> Phase:
    version, _ = publish(load(SEEDS))
    today = timezone.localdate()
    cohort = Cohort.objects.create(name="Service des urgences", created_on=today)
    cohort.trainers.add(get_user_model().objects.create_user("trainer"))
    return Phase.objects.create(
        cohort=cohort,
        kind=Phase.Kind.BEFORE,
        opens_on=today,
        version=version,
        form=default_form(version),
    )


@pytest.fixture
def door(live_server, phase) -> str:
    """The group's link."""
    return f"{live_server.url}/c/{phase.cohort.code}/"


@pytest.fixture
def watched(page):
    """The page, failing the test if its console says an error or it asks another site."""
    wrong: list[str] = []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: (
            request.url.startswith(("http://127.0.0.1", "http://localhost", "data:"))
            or wrong.append(request.url)
        ),
    )
    yield page
    # A 404 or 422 we asked for is said by the console too, and a network we cut.
    ours = ("status of 4", "status of 503", "net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")
    assert [text for text in wrong if not any(each in text for each in ours)] == []


def violations(
    page, kind: str = "tag", rules: list[str] = RULES, *, besides: str = "", within: str = ""
) -> list[tuple[str, list[str]]]:
    """What axe finds: a rule and the elements that break it.

    ``besides``: a rule that is left out; ``within``: the name of the page's own list of the
    elements that are looked at, instead of all.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)  # a script element would be stopped by the content security policy
    found = page.evaluate(
        """([type, values, besides, within]) => axe.run(within ? window[within] : document, {
            runOnly: {type, values}, resultTypes: ['violations'],
            rules: besides ? {[besides]: {enabled: false}} : {},
        }).then(found => found.violations)""",
        [kind, rules, besides, within],
    )
    return [(each["id"], [node["target"] for node in each["nodes"]]) for each in found]


def in_scheme(page, scheme: str) -> None:
    """Look at the page in light or dark, no colour being still on its way to the other."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(
        """() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))
            .then(() => document.getAnimations().forEach(each => each.finish()))"""
    )


def too_wide(page) -> int:
    """The pixels by which the page scrolls sideways."""
    return max(0, page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def check(page, where: str = "") -> None:
    """axe finds nothing, and nothing makes the page scroll sideways."""
    assert violations(page) == [], where or page.url
    assert too_wide(page) == 0, where or page.url
