"""A profession's own words are shown from page to report, and scored as everybody's."""

import msgspec
import pytest
from django.urls import reverse

from assessments import sittings
from assessments.instrument.document import Variant
from assessments.instruments import publish, questionnaire
from tests.instrument.example import example_instrument

MINE = "You are the nurse on call."


@pytest.fixture
def version(db):
    instrument = example_instrument()
    first, *rest = instrument.scenarios
    variant = Variant(
        professions=("nurse",),
        stem={"fr": "Vous êtes l’infirmière de garde.", "en": MINE},
        options={"b": {"fr": "Appeler la pharmacie.", "en": "Call the pharmacy."}},
    )
    worded = msgspec.structs.replace(first, variants=(variant,))
    return publish(msgspec.structs.replace(instrument, scenarios=(worded, *rest)))[0]


def test_a_profession_without_words_of_its_own_is_asked_what_everybody_is(version):
    usual = questionnaire(version.digest, "A")
    assert questionnaire(version.digest, "A", "physician") is usual
    assert questionnaire(version.digest, "A", "nurse") is not usual


def test_the_words_follow_the_profession_told(person, asked):
    assert MINE not in person.see("scenarios", 1).text
    person.answer("context", 1, **{"context-profession": "nurse"})
    shown = person.see("scenarios", 1).text
    assert (MINE in shown, "Call the pharmacy." in shown) == (True, True)
    person.answer("context", 1, **{"context-profession": "physician"})
    assert MINE not in person.see("scenarios", 1).text


def test_the_report_shows_what_was_read_and_names_the_published_version(person, asked, version):
    person.answer_all(asked, option="b")
    person.answer("context", 1, **{"context-profession": "nurse"})
    person.client.post(reverse("review"))
    pages = [person.client.get(reverse("explained", args=(number,))) for number in (1, 2, 3)]
    assert any(MINE in page.text for page in pages)
    assert pages[0].context["report"].digest == version.digest
    plain = questionnaire(version.digest, "A")
    sheet = plain.layout.unpack(person.sitting.answers)
    assert sheet.context["profession"] == ("nurse",)
    before = sittings.score(plain.instrument, "A", sheet)
    assert sittings.profile_of(person.sitting) == before
