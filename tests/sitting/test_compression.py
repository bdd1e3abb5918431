"""Compression tells a secret to whoever chooses what stands beside it (BREACH): pages that show
what a request brings along travel as they are."""

from __future__ import annotations

import gzip

import pytest
from django.urls import reverse

from .conftest import Person

GZIP = {"accept-encoding": "gzip"}


@pytest.fixture
def finished(asked) -> Person:
    person = Person()
    person.begin()
    person.answer_all(asked)
    person.client.post(reverse("review"))
    return person


def test_long_pages_that_repeat_nothing_are_compressed(finished):
    for address in (
        *map(reverse, ("results", "workings", "privacy", "method", "strategy", "example")),
        *map(reverse, ("example-lessons", "accessibility")),
        *(reverse(name, args=(1,)) for name in ("explained", "sources")),
        reverse("plans"),
    ):
        plain = finished.client.get(address, {"next": "typed-by-somebody"})
        packed = finished.client.get(address, {"next": "typed-by-somebody"}, headers=GZIP)
        assert packed.headers["Content-Encoding"] == "gzip", address
        assert "Accept-Encoding" in packed.headers["Vary"]
        text = gzip.decompress(packed.content).decode()
        assert len(packed.content) < len(plain.content) / 2
        assert "typed-by-somebody" not in text


def test_pages_with_a_code_or_something_typed_are_not(person, finished):
    for browser, name in (
        (person, "landing"),
        (person, "review"),
        (person, "resume"),
        (finished, "erase"),
        (finished, "certificate"),
    ):
        answer = browser.client.get(reverse(name), headers=GZIP)
        assert answer.status_code == 200, name
        assert "Content-Encoding" not in answer.headers
    (step, _form), *_others = finished.client.get(reverse("plans")).context["forms"]
    typed = {f"{step.code}-keep": "on", f"{step.code}-will": "typed-by-somebody"}
    refused = finished.client.post(reverse("plans"), typed, headers=GZIP)
    assert refused.status_code == 422
    assert "typed-by-somebody" in refused.text
    assert "Content-Encoding" not in refused.headers
    newcomer = Person()
    newcomer.client.post("/")
    newcomer.client.post(reverse("notice"))
    shown = newcomer.client.get(reverse("start"), headers=GZIP)
    assert "resume-code" in shown.text
    assert "Content-Encoding" not in shown.headers
