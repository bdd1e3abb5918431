"""A published instrument, a cohort with an open phase, and somebody who answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from assessments.instruments import default_form, publish, questionnaire
from assessments.models import Cohort, InstrumentVersion, Phase, Sitting
from assessments.questionnaire import Questionnaire
from tests.instrument.example import example_instrument


@pytest.fixture
def version(db) -> InstrumentVersion:
    return publish(example_instrument())[0]


@pytest.fixture
def asked(version) -> Questionnaire:
    return questionnaire(version.digest, "A")


@pytest.fixture
def phase(version) -> Phase:
    today = timezone.localdate()
    cohort = Cohort.objects.create(name="Urgences", created_on=today)
    cohort.trainers.add(get_user_model().objects.create_user("trainer"))
    return Phase.objects.create(
        cohort=cohort,
        kind=Phase.Kind.BEFORE,
        opens_on=today,
        version=version,
        form=default_form(version),
    )


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "en"})


class Person:
    """Somebody at a browser, who presses buttons and follows where they lead."""

    def __init__(self, language: str = "en") -> None:
        self.client = Client(headers={"accept-language": language})
        self.code = ""

    def begin(self, door: str = "/") -> None:
        """From the landing page to the first question, noting the resume code."""
        assert self.client.post(door).headers["Location"] == reverse("notice")
        assert self.client.post(reverse("notice")).headers["Location"] == reverse("start")
        shown = self.client.get(reverse("start"))
        self.code = re.search(r'resume-code code"[^>]*>([^<]+)<', shown.text).group(1)
        token = shown.context["form"].initial["token"]
        response = self.client.post(reverse("start"), {"token": token})
        assert response.headers["Location"] == address("context", 1)

    def see(self, part: str, number: int):
        return self.client.get(address(part, number))

    def seen(self, part: str, number: int) -> str:
        """The hidden field of a page as it is displayed."""
        return seen_on(self.see(part, number).text)

    def answer(self, part: str, number: int, **fields):
        """Post a page as it was displayed, with some answers."""
        seen = self.seen(part, number)
        return self.client.post(address(part, number), {"seen": seen} | fields)

    def answer_all(self, asked: Questionnaire, option: str = "a", confidence: str = "") -> None:
        confidence = confidence or asked.instrument.confidence_scale[0].code
        for page in asked.pages:
            self.answer(page.part, page.number, **answers(asked, page, option, confidence))

    @property
    def sitting(self) -> Sitting:
        return Sitting.objects.get(pk=self.client.session["sitting"])


def seen_on(page: str) -> str:
    """What the hidden field of a page of questions holds."""
    (found,) = re.findall(r'<input type="hidden" name="seen" value="([^"]*)"', page)
    return unescape(found)


def address(part: str, number: int) -> str:
    return reverse("page", kwargs={"part": part, "number": number})


def answers(asked: Questionnaire, page, option: str, confidence: str) -> dict[str, object]:
    fields: dict[str, object] = {}
    for item in page.items:
        match page.part:
            case "context":
                fields[f"context-{item.code}"] = [item.options[0].code]
            case "self-ratings":
                fields[f"rating-{item.code}"] = "3"
            case "scenarios":
                fields[f"answer-{item.code}"] = option
                fields[f"confidence-{item.code}"] = confidence
    return fields


@pytest.fixture
def person(version) -> Person:
    person = Person()
    person.begin()
    return person
