"""Errors of every kind are provoked; no line that is written holds a secret or names anybody."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable
from io import StringIO

import django.db
import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse

from assessments import codes, sittings
from assessments.models import Cohort, Sitting
from assessments.views import joining, words
from readiness.logs import WithoutCodes, scrubbed, told
from tests.conftest import ROOT

CODE = "K7WQ2M4XPZ9RTB3H"
SHOWN = "K7WQ-2M4X-PZ9R-TB3H"
GROUP = "K7WQ2M4X"
SESSION = "k3j9x0q2m5v8b1n4c7z6a2s5d8f1g4h7"
TOKEN = "IktXRUZUV0cyVVlBTVNQTFIi:1wPq2c:J3d0Qn2cUlr5oZ3nXzH7oGmHkUqBv9dM1a2s3d4f5g6"
NAME = "Camille Martin"
SECRETS = (CODE, SHOWN, GROUP, SESSION, TOKEN, NAME, "192.0.2.7")


@pytest.fixture
def lines(monkeypatch) -> Callable[[], str]:
    """What our handler writes."""
    (handler,) = [
        each for each in logging.getLogger("django").handlers if type(each) is logging.StreamHandler
    ]
    written = StringIO()
    monkeypatch.setattr(handler, "stream", written)
    return written.getvalue


def without_secrets(text: str, *more: str) -> bool:
    assert text
    more = (*more, GROUP[1:])
    return not [secret for secret in (*SECRETS, *more) if secret.lower() in text.lower()]


@pytest.mark.parametrize(
    "message",
    [
        f"Internal Server Error: /c/{GROUP}/",
        f"Not Found: /c/{GROUP}",
        f"Forbidden (CSRF cookie not set.): /c/K {GROUP[1:]}/",
        f"Not Found: /resume/?code={CODE}&name={NAME.replace(' ', '+')}",
        f"Invalid request from ip=192.0.2.7: Invalid HTTP Header: '{SHOWN}'",
        f"Error handling request GET /c/{GROUP}/",
        f"duplicate key\nDETAIL:  Key (code_hash)=({CODE}) already exists.",
        f"syntax error\nLINE 1: SELECT … WHERE \"code\" = '{GROUP}'\n        ^",
        f"could not read {SHOWN}",
        f"could not read {SHOWN.lower()}",
        f"could not read {SHOWN.replace('-', ' ')}",
        f"could not read {CODE}",
        f"Session {SESSION} is gone",
        f"readiness_session={SESSION}; x",
        f"Cookie: {SESSION}",
        f'{{"csrfmiddlewaretoken": "{SESSION}"}}',
        f"password='{CODE}'",
        f"bad signature of {TOKEN}",
    ],
)
def test_what_is_known_by_its_form_is_taken_out(message):
    assert without_secrets(scrubbed(message))


@pytest.mark.parametrize(
    "message",
    [
        "Internal Server Error: /sitting/scenarios/12/",
        "Listening at: http://127.0.0.1:8000 (12345)",
        "connection refused: 127.0.0.1:5432",
        "Service Unavailable: /results/readiness-report.pdf",
        'Invalid HTTP_HOST header: "elsewhere.example".',
        "assessments_sitting is locked",
    ],
)
def test_what_an_operator_needs_stays(message):
    assert scrubbed(message) == message


def test_a_line_is_one_line():
    """Nobody writes a second one by what they send."""
    forged = scrubbed("Invalid Host: x\r\n2026-11-28 ERROR forged\u2028again\x1b[2J")
    assert forged.splitlines() == [forged]
    assert "\x1b" not in forged


# --- Exceptions -----------------------------------------------------------------------------------


def raised(error: Exception, cause: Exception | None = None) -> str:
    try:
        raise error from cause
    except Exception as caught:
        return told(caught)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"invalid literal: '{NAME}'"),
        KeyError(NAME),
        IntegrityError(f"UNIQUE constraint failed\nDETAIL:  Key (name)=({NAME})"),
        django.db.DataError(f'invalid input syntax: "{NAME}"'),
        django.db.ProgrammingError(f"LINE 1: … '{NAME}'"),
        UnicodeEncodeError("utf-8", f"{NAME}\ud800", 14, 15, "surrogates not allowed"),
    ],
)
def test_the_words_of_an_exception_that_may_quote_are_not_kept(error):
    said = raised(RuntimeError(NAME), error)
    assert without_secrets(said)
    assert type(error).__qualname__ in said
    assert "test_logs.py" in said


def test_the_words_that_tell_of_the_machine_are_kept():
    said = raised(
        django.db.OperationalError("connection refused\nDETAIL: Key (name)=(Camille Martin)")
    )
    assert "connection refused" in said
    assert without_secrets(said)
    assert "No space left" in raised(OSError(28, "No space left on device"))


@pytest.mark.django_db
def test_a_failing_page_logs_neither_what_was_sent_nor_who_sent_it(
    client, phase, lines, monkeypatch
):
    def failing(*args, **kwargs):
        raise ValueError(f"{phase.cohort.code} {NAME} {CODE}")

    monkeypatch.setattr(joining, "phase_to_join", failing)
    client.raise_request_exception = False
    there = reverse("cohort", args=[phase.cohort.code])
    assert client.get(there, REMOTE_ADDR="192.0.2.7").status_code == 500
    assert "Internal Server Error: /c/…/" in lines()
    assert "builtins.ValueError: …" in lines()
    assert without_secrets(lines(), phase.cohort.code)


@pytest.mark.django_db
def test_a_row_that_is_refused_is_not_quoted(person, phase, lines, monkeypatch):
    """On PostgreSQL the error holds the row, on either engine the statement."""

    def twice(*args, **kwargs):
        Cohort.objects.create(name=NAME, code=phase.cohort.code, created_on=phase.cohort.created_on)

    monkeypatch.setattr(sittings, "find", twice)
    monkeypatch.setattr("assessments.views.session.find", twice)
    person.client.raise_request_exception = False
    with django.db.transaction.atomic():
        assert person.client.get(reverse("sitting")).status_code == 500
        connection.set_rollback(True)
    assert "IntegrityError: …" in lines()
    assert without_secrets(lines(), phase.cohort.code)


@pytest.mark.django_db
def test_an_answer_that_breaks_a_page_is_not_quoted(person, asked, lines, monkeypatch):
    item = asked.page("scenarios", 1).items[0]

    def failing(*args, **kwargs):
        raise RuntimeError(f"{args} {kwargs}")

    monkeypatch.setattr(sittings, "save_page", failing)
    session = person.client.session.session_key
    person.client.raise_request_exception = False
    answer = person.answer("scenarios", 1, **{f"answer-{item.code}": "b"})
    assert answer.status_code == 500
    key = Sitting.objects.get().pk
    assert without_secrets(lines(), session, f"'{item.code}'", f"({key}", person.code)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sent",
    [
        {"HTTP_COOKIE": f"readiness_session={SESSION}"},
        {"QUERY_STRING": f"code={CODE}"},
        {"HTTP_REFERER": f"http://testserver/c/{GROUP}/"},
    ],
)
def test_hostile_requests_leave_no_secret(sent, lines, monkeypatch):
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.post(reverse("resume"), {"code": CODE}, **sent)
    strict.get(f"/c/{GROUP}/", **sent)
    monkeypatch.setattr(words, "render", None)
    assert strict.get(reverse("privacy"), **{**sent, "HTTP_HOST": "testserver"}).status_code == 500
    assert without_secrets(lines())


def test_every_handler_of_ours_has_the_filter():
    handlers = settings.LOGGING["handlers"].values()
    assert all("without_codes" in handler["filters"] for handler in handlers)
    made = settings.LOGGING["filters"]["without_codes"]["()"]
    assert made == f"{WithoutCodes.__module__}.{WithoutCodes.__qualname__}"


def test_without_the_filter_these_tests_would_fail():
    record = logging.LogRecord("django", 40, "", 0, "Not Found: %s", (f"/c/{GROUP}/",), None)
    assert GROUP in logging.Formatter().format(record)
    WithoutCodes().filter(record)
    assert GROUP not in logging.Formatter().format(record)


def test_the_signs_that_are_looked_for_are_those_of_our_codes():
    for _ in range(200):
        code = codes.new_code(codes.RESUME_LENGTH)
        for written in (code, codes.grouped(code), code.lower()):
            assert scrubbed(f"read {written} twice") == "read … twice"


def test_gunicorn_s_own_log_is_scrubbed_too():
    """Its handlers are its own: what it says of a request it cannot read, or that fails."""
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import runpy
                from gunicorn.config import Config
                made = runpy.run_path("readiness/gunicorn.py")
                cfg = Config()
                cfg.set("logger_class", made["logger_class"])
                log = cfg.logger_class(cfg)
                log.warning("Invalid request from ip=192.0.2.7: {SHOWN}")
                try:
                    raise ValueError(" ".join({NAME.split()}))
                except ValueError:
                    log.exception("Error handling request GET /c/{GROUP}/")
            """),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"DJANGO_SETTINGS_MODULE": "readiness.settings", "PATH": ""}
        | {"READINESS_DATA": str(settings.DATA_DIR)},
    ).stderr
    assert "Invalid request" in said
    assert "ValueError: …" in said
    assert without_secrets(said)
