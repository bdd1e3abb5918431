"""The page of the national strategy, which anybody may read."""

from __future__ import annotations

import re
from datetime import date

import msgspec
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments.instruments import publish
from tests.instrument.example import example_instrument, text

replace = msgspec.structs.replace
CHECKED = date(2026, 11, 23)


@pytest.fixture
def on(monkeypatch):
    """Make it some day."""

    def on(day: date) -> None:
        monkeypatch.setattr(timezone, "localdate", lambda *args: day)

    return on


def read(language: str = "en") -> str:
    """The words of the page, without its markup."""
    response = Client(headers={"accept-language": language}).get(reverse("strategy"))
    assert response.status_code == 200
    words = re.sub(r"<[^>]+>", " ", response.text.partition("<main")[2].partition("</main>")[0])
    return re.sub(r"\s+([.,:])", r"\1", " ".join(words.split()))


def publish_with(**fields) -> None:
    example = example_instrument(("A", "B"))
    (element,) = example.strategy.elements
    strategy = replace(example.strategy, elements=(replace(element, **fields),))
    publish(replace(example, strategy=strategy))


@pytest.mark.django_db
def test_it_says_what_touches_each_part_in_each_form(on):
    on(CHECKED)
    publish_with(sub_competencies=("A2", "C2"))
    said = read()
    assert "Goal Competencies Form A Form B Entry G1 A1, A2, A3, A4, A5 8 8 Entry G2" in said
    assert "Entry L1 C1, C2, C3, C4, C5, C6 8 8 Entry L1: Covered, not scored. A strategy" in said
    assert (
        "In this questionnaire: Competency A2 (A2), Competency C2 (C2): "
        "3 situations in form A, 3 situations in form B."
    ) in said
    assert "A strategy, 2025. (known from another account, read on 23 November 2026)." in said


@pytest.mark.django_db
def test_a_measure_is_told_with_its_date_and_whether_it_is_confirmed(on):
    on(CHECKED)
    publish_with(confirmed=False, as_of=date(2025, 2, 1), state=text("Rien lu", "Nothing read"))
    said = read()
    assert "A guide not confirmed Announced: In autumn State on 1 February 2025:" in said
    assert "Nothing read In this questionnaire: nothing asks about it." in said
    assert "to be checked again" not in said


@pytest.mark.django_db
def test_what_is_overdue_is_marked_by_itself(on):
    publish_with()
    on(date(2027, 5, 27))  # 185 days after the map was checked
    said = read()
    assert "This page is to be checked again since 26 May 2027" in said
    assert said.count("confirmed to be checked again since 26 May 2027") == 2  # in brief, in full
    assert "Entry G3 C1, C2, C3, C4, C5, C6 8 3 past their review 8 3 past their review" in said
    on(date(2027, 5, 26))
    assert "to be checked again" not in read()


@pytest.mark.django_db
def test_it_is_linked_from_the_method_and_from_every_page(version):
    client = Client(headers={"accept-language": "en"})
    main, _, footer = client.get(reverse("method")).text.partition("<footer")
    assert f'href="{reverse("strategy")}"' in main
    assert f'href="{reverse("strategy")}"' in footer


@pytest.mark.django_db
def test_there_is_no_such_page_without_an_instrument():
    assert Client().get(reverse("strategy")).status_code == 404
