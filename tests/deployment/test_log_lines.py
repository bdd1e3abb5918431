"""Log lines: their form, and what they must not hold."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from datetime import datetime

import pytest
from django.db import models
from django.test import Client
from django.urls import reverse

from readiness import log_lines
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db

CANARY = "CANARYQZ"


class Lines(logging.Handler):
    """What a handler of ours would have written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict] = []
        log_lines.like_ours(self)
        self.setFormatter(log_lines.JsonLine())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines():
    handler = Lines()
    watched = [logging.getLogger(name) for name in ("", "django", "readiness.requests")]
    level = log_lines.requests.level
    log_lines.requests.setLevel(logging.INFO)
    for logger in watched[:2]:
        logger.addHandler(handler)
    yield handler.lines
    for logger in watched[:2]:
        logger.removeHandler(handler)
    log_lines.requests.setLevel(level)


def test_a_request_is_one_line_that_names_its_route_and_never_its_path(client, lines):
    client.get(f"/c/{CANARY}/?name={CANARY}", headers={"user-agent": CANARY, "referer": CANARY})
    (line,) = lines
    assert line.pop("ms") >= 0
    assert len(line.pop("request")) == 32
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "readiness.requests",
        "message": "request",
        "method": "GET",
        "route": "cohort",
        "status": 404,
    }


def test_every_form_tells_the_zone_of_its_times():
    record = logging.makeLogRecord({"msg": "x", "levelname": "ERROR"})
    moments = [log_lines.TextLine().format(record).split()[0]]
    moments.append(json.loads(log_lines.JsonLine().format(record))["time"])
    assert all(datetime.fromisoformat(moment).tzinfo for moment in moments)


def test_a_path_and_a_method_that_are_none_of_ours_are_not_repeated(client, lines):
    client.generic(CANARY, f"/{CANARY}/")
    assert lines[-1]["route"] is None
    assert lines[-1]["method"] == "other"
    assert CANARY not in json.dumps(lines)


def test_who_asks_is_nowhere_in_it(client, lines):
    client.get("/", REMOTE_ADDR="192.0.2.77", headers={"x-forwarded-for": "198.51.100.77"})
    assert "192.0.2" not in json.dumps(lines)
    assert "198.51" not in json.dumps(lines)


def test_what_machines_ask_all_the_time_is_told_only_when_it_fails(client, lines):
    client.get("/healthz")
    assert lines == []


GIVEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("told", "proxies", "kept"),
    [
        (GIVEN, 1, True),
        ("01234567-89ab-cdef-0123-456789abcdef", 1, True),
        (GIVEN, 0, False),
        (f"{GIVEN}\n", 1, False),
        (CANARY, 1, False),
        ('"}{', 1, False),
        (GIVEN * 2, 1, False),
    ],
)
def test_the_id_of_a_request_is_the_proxys_if_it_is_nothing_else(
    client, settings, lines, told, proxies, kept
):
    settings.TRUSTED_PROXIES = proxies
    response = client.get("/privacy/", headers={"x-request-id": told})
    assert (response["X-Request-ID"] == told) == kept
    assert lines[-1]["request"] == response["X-Request-ID"]


def test_an_exception_is_told_without_its_words(lines, monkeypatch):
    def fail(request):
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise models.ObjectDoesNotExist(CANARY) from error

    monkeypatch.setattr(
        "assessments.views.joining.page_for_all", lambda *args, **kwargs: fail(None)
    )
    client = Client(raise_request_exception=False)
    assert client.get(reverse("landing")).status_code == 500
    failed = next(line for line in lines if "exceptions" in line)
    assert [told["type"] for told in failed["exceptions"]] == [
        "django.core.exceptions.ObjectDoesNotExist",
        "builtins.ValueError",
    ]
    assert any("joining.py" in frame for frame in failed["exceptions"][0]["frames"])
    assert CANARY not in json.dumps(lines)
    assert failed["request"] == lines[-1]["request"]


def test_what_is_logged_of_a_group_goes_through_the_filter(lines):
    logging.getLogger("elsewhere").warning("Not found: %s", f"/c/{CANARY}/")
    assert CANARY not in json.dumps(lines)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_ends_a_command_is_a_line_too(tmp_path):
    code = f"raise ValueError({CANARY!r})"
    done = run("manage.py", "shell", "-c", code, READINESS_LOG="json", READINESS_DATA=str(tmp_path))
    line = json.loads(done.stderr)
    assert (line["level"], line["exceptions"][0]["type"]) == ("critical", "builtins.ValueError")
    assert done.returncode == 1
    assert CANARY not in done.stderr


def test_a_form_that_is_unknown_is_refused(tmp_path):
    done = run("manage.py", "check", READINESS_LOG="xml", READINESS_DATA=str(tmp_path))
    assert "READINESS_LOG is text or json" in done.stderr
