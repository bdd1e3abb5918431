"""What is taken away: the instrument, its forms, and one's own answers for other software."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assessments.instrument.document import digest
from assessments.instrument.loading import loads
from assessments.instruments import publish
from tests.instrument.example import example_instrument

from .conftest import Person

RELEASES = {"r4": "4.0", "r5": "5.0"}


@pytest.fixture
def finished(person, asked) -> Person:
    person.answer_all(asked)
    person.client.post(reverse("review"))
    assert person.sitting.finished_on is not None
    return person


@pytest.mark.parametrize("release", RELEASES)
def test_ones_own_answers_are_downloaded_for_health_software(finished, release):
    name = f"readiness-answers-fhir-{release}.json"
    assert f'href="/results/{name}" download' in finished.client.get(reverse("results")).text
    response = finished.client.get(reverse(f"answers-{release}"))
    assert response.headers["Content-Type"] == (
        f"application/fhir+json; fhirVersion={RELEASES[release]}; charset=utf-8"
    )
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in response.headers["Cache-Control"]
    told = response.json()
    assert (told["resourceType"], told["status"]) == ("QuestionnaireResponse", "completed")
    assert told["authored"] == timezone.localdate().isoformat()
    assert "context/profession/physician" in response.text
    assert response.text.count('"scenario/') == 24


def test_what_is_downloaded_names_neither_the_person_nor_the_group(phase):
    person = Person()
    person.begin(reverse("cohort", args=[phase.cohort.code]))
    person.answer("context", 1, **{"context-profession": ["nurse"]})
    sitting = person.sitting
    own = person.client.get(reverse("answers")).text
    assert "Urgences" in own
    for release in RELEASES:
        text = person.client.get(reverse(f"answers-{release}")).text
        assert json.loads(text)["status"] == "in-progress"
        secrets = (
            "Urgences",
            phase.cohort.code,
            str(sitting.pk),
            person.code,
            person.code.replace("-", ""),
        )
        assert [each for each in secrets if each in text] == []


@pytest.mark.parametrize("release", RELEASES)
def test_nobody_elses_answers_can_be_had(finished, release):
    stranger = Client().get(reverse(f"answers-{release}"))
    assert (stranger.status_code, stranger.headers["Location"]) == (302, reverse("resume"))


def test_the_instrument_is_taken_away_and_is_the_same(version, client):
    page = client.get(reverse("method")).text
    assert f'href="{reverse("instrument")}" download' in page
    assert "CC BY-SA 4.0 (Example authors)" in page
    response = client.get(reverse("instrument"))
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="example-1.0.zip"'
    with zipfile.ZipFile(io.BytesIO(response.content)) as packed:
        files = {name.removeprefix("example-1.0/"): packed.read(name) for name in packed.namelist()}
    assert digest(loads(files)) == version.digest


@pytest.mark.parametrize("release", RELEASES)
def test_each_form_is_taken_away_without_its_key(client, db, release):
    publish(example_instrument(("A", "B")))
    page = client.get(reverse("method")).text
    urls = []
    for form in ("A", "B"):
        address = reverse(f"form-{release}", args=[form])
        assert f'href="{address}" download' in page
        response = client.get(address)
        assert response.headers["Content-Disposition"] == (
            f'attachment; filename="example-1.0-{form}-fhir-{release}.json"'
        )
        told = response.json()
        assert (told["resourceType"], told["status"]) == ("Questionnaire", "active")
        assert told["language"] == "en"
        assert told["date"] == timezone.localdate().isoformat()
        urls.append(told["url"])
    assert len(set(urls)) == 2


def test_a_response_names_the_questionnaire_that_is_taken_away(finished, client):
    form = client.get(reverse("form-r4", args=["A"])).json()
    told = finished.client.get(reverse("answers-r4")).json()
    assert told["questionnaire"] == f"{form['url']}|{form['version']}"


def test_there_is_nothing_to_take_away_of_what_is_not_served(client, version):
    assert client.get(reverse("form-r4", args=["Z"])).status_code == 404
    assert client.post(reverse("instrument")).status_code == 405
    version.retired_on = timezone.localdate()
    version.save()
    for address in (reverse("instrument"), reverse("form-r5", args=["A"]), reverse("method")):
        assert client.get(address).status_code == 404
