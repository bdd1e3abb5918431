"""Nothing is fetched while a document is made, whatever is written in it."""

from __future__ import annotations

import io
import logging
import socket
from pathlib import Path

import pytest
from django.urls import reverse
from pypdf import PdfReader

from assessments import press
from assessments.models import Cohort, Sitting
from tests.sitting.conftest import Person

SECRET = "a file that is nobody's to read"

HOSTILE = [
    '<img src="{there}">',
    '<img srcset="{there} 1x">',
    '<svg><image href="{there}"/></svg>',
    '<svg><use href="{there}#x"/></svg>',
    '<svg><style>@import "{there}";</style></svg>',
    '<object data="{there}"></object>',
    '<embed src="{there}">',
    '<iframe src="{there}"></iframe>',
    '<video poster="{there}"></video>',
    '<link rel="stylesheet" href="{there}">',
    '<link rel="attachment" href="{there}">',
    '<a rel="attachment" href="{there}">x</a>',
    '<style>@import url("{there}");</style>',
    '<style>@font-face {{ font-family: x; src: url("{there}") }} p {{ font-family: x }}</style>',
    "<style>body {{ background: url({there}) }}</style>",
    '<p style="background-image: url({there})">x</p>',
    '<p style="content: url({there}); list-style: url({there})">x</p>',
    '<table background="{there}"><tr><td background="{there}">x</td></tr></table>',
    '<base href="{there}"><img src="x.png">',
    '<meta http-equiv="refresh" content="0; url={there}">',
]
PLACES = [
    "http://127.0.0.1:9/x.png",
    "https://evil.example/x.css",
    "//evil.example/x.png",
    "ftp://evil.example/x",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file://localhost/etc/passwd",
    "file://{static}/../../../README.md",
    "file://{static}/%2e%2e/%2e%2e/%2e%2e/README.md",
    "{secret}",
    "../../../../README.md",
    "gopher://127.0.0.1:6379/_x",
]


class Guard:
    """Notes whoever would reach the network or read a file that is not the application's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached: list[object] = []
        for module, function in (
            (socket.socket, "connect"),
            (socket.socket, "connect_ex"),
            (socket.socket, "sendto"),
            (socket, "getaddrinfo"),
            (socket, "gethostbyname"),
        ):
            monkeypatch.setattr(module, function, self.noting(function))

    def noting(self, function: str):
        def refused(*args: object, **kwargs: object) -> None:
            self.reached.append((function, args[-1]))
            raise OSError(function)

        return refused


@pytest.fixture
def guard(monkeypatch, caplog) -> Guard:
    press.warm()
    caplog.set_level(logging.CRITICAL, logger="weasyprint")
    return Guard(monkeypatch)


def test_the_guard_would_notice(guard):
    with pytest.raises(OSError, match="getaddrinfo"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    assert guard.reached


@pytest.fixture
def secret(tmp_path) -> Path:
    kept = tmp_path / "secret.txt"
    kept.write_text(SECRET, encoding="utf-8")
    return kept


@pytest.mark.parametrize("place", PLACES)
def test_even_markup_that_was_not_escaped_fetches_nothing(place, guard, secret):
    """It never gets there: the templates escape. The press alone would stop it, too."""
    there = place.format(static=press.STATIC, secret=secret.as_uri())
    body = "".join(each.format(there=there) for each in HOSTILE)
    made = press.pdf(f'<html lang="en"><title>x</title><body><main>{body}</main></body></html>')
    assert guard.reached == []
    read = PdfReader(io.BytesIO(made))
    assert not read.attachments
    text = " ".join(page.extract_text() for page in read.pages)
    assert SECRET not in text
    assert SECRET.encode() not in made
    assert "root:" not in text
    assert not any(page.images for page in read.pages)


@pytest.mark.django_db
def test_what_people_and_trainers_write_is_printed_as_it_is_written(
    phase, asked, guard, monkeypatch
):
    tried: list[str] = []
    fetcher = press._press().fetcher
    fetch = type(fetcher).fetch
    monkeypatch.setattr(
        type(fetcher),
        "fetch",
        lambda self, url, *rest: tried.append(url) or fetch(self, url, *rest),
    )
    hostile = "".join(each.format(there="http://evil.example/x") for each in HOSTILE)
    Cohort.objects.update(name=hostile[:100])
    person = Person()
    person.begin(reverse("cohort", args=[phase.cohort.code]))
    person.answer_all(asked)
    person.client.post(reverse("review"))
    plan = {"step": "x", "when": hostile[:200], "will": hostile[:400], "before": "2027-01-01"}
    shown = person.client.get(reverse("plans"))
    for step, _form in shown.context["forms"]:
        names = {f"{step.code}-{name}": value for name, value in plan.items() if name != "step"}
        names |= {f"{step.code}-keep": "on", f"{step.code}-together_with": hostile[:120]}
        assert person.client.post(reverse("plans"), names).status_code == 302
    assert "evil.example" in str(Sitting.objects.get().plans)
    report = person.client.get(reverse("report"))
    handed = person.client.post(reverse("certificate"), {"group": "on", "results": "on"})
    for answer in (report, handed):
        assert answer.headers["Content-Type"] == "application/pdf"
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
        assert "<img" in text.replace(" ", "").replace("\n", "")
    assert guard.reached == []
    assert not [url for url in tried if "evil" in url]
