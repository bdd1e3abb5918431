"""Chromium, driven by Playwright, against the real server with our real instrument."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from assessments.instrument.loading import load
from assessments.instruments import default_form, publish
from assessments.models import Cohort, Phase
from tests.conftest import CHROMIUM, SEEDS

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
    ours = ("status of 4", "net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")
    assert [text for text in wrong if not any(each in text for each in ours)] == []


def check(page, where: str = "") -> None:
    """axe finds nothing, and nothing makes the page scroll sideways."""
    page.evaluate(AXE)  # a script element would be stopped by the content security policy
    found = page.evaluate(
        """rules => axe.run(document, {
            runOnly: {type: 'tag', values: rules}, resultTypes: ['violations'],
        })""",
        RULES,
    )["violations"]
    told = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found]
    assert told == [], where or page.url
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{where or page.url} is {wide} px too wide"
