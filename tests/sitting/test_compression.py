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
    ):
        plain = finished.client.get(address, {"next": "typed-by-somebody"})
        packed = finished.client.get(address, {"next": "typed-by-somebody"}, headers=GZIP)
        assert packed.headers["Content-Encoding"] == "gzip", address
        assert "Accept-Encoding" in packed.headers["Vary"]
        text = gzip.decompress(packed.content).decode()
        assert len(packed.content) < len(plain.content) / 2
        assert "typed-by-somebody" not in text


def test_results_that_tell_the_name_of_a_group_are_not(finished, version):
    other = Person()
    other.begin()
    session = finished.client.session
    session["own"] = [other.sitting.pk, finished.sitting.pk]
    session.save()
    shown = finished.client.get(reverse("results"), headers=GZIP)
    assert shown.status_code == 200
    assert "Content-Encoding" not in shown.headers
    for address in (reverse("workings"), reverse("explained", args=(1,))):  # which tell none
        assert finished.client.get(address, headers=GZIP).headers["Content-Encoding"] == "gzip"


def test_pages_with_a_code_or_something_typed_are_not(person, finished):
    for browser, name in (
        (person, "landing"),
        (person, "review"),
        (person, "resume"),
        (finished, "plans"),
        (finished, "erase"),
        (finished, "certificate"),
    ):
        answer = browser.client.get(reverse(name), headers=GZIP)
        assert answer.status_code == 200, name
        assert "Content-Encoding" not in answer.headers
    newcomer = Person()
    newcomer.client.post("/")
    newcomer.client.post(reverse("notice"))
    shown = newcomer.client.get(reverse("start"), headers=GZIP)
    assert "resume-code" in shown.text
    assert "Content-Encoding" not in shown.headers
