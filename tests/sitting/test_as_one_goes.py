"""What the script that keeps answers as one goes is told: the same rules as for a page that is
posted, in a few words."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from assessments import sittings
from assessments.frozen import thawed
from assessments.models import Sitting
from assessments.sittings import sheet_of

from .conftest import address

JSON = {"accept": "application/json"}


@pytest.fixture
def code(asked) -> str:
    return asked.page("scenarios", 1).items[0].code


@pytest.fixture
def sure(asked) -> str:
    return asked.instrument.confidence_scale[-1].code


@pytest.fixture
def send(person, code):
    """Post the first page of situations as the script does; the answer, and what it said."""

    def send(option: str, seen: str, go: str = "keep", **fields: str):
        data = {f"answer-{code}": option, "seen": seen, "go": go} | fields
        response = person.client.post(address("scenarios", 1), data, headers=JSON)
        return response.status_code, response.json()

    return send


def kept(person, code: str) -> str | None:
    answer = sheet_of(Sitting.objects.get()).answers.get(code)
    return answer and answer.option


def test_what_is_chosen_is_kept_and_the_page_stays(person, send, code):
    status, told = send("b", person.seen("scenarios", 1))
    assert status == 200
    assert kept(person, code) == "b"
    # The page is told what it shows from now on, so that the next save is no conflict.
    assert told == {"seen": person.seen("scenarios", 1), "whole": True}
    assert send("c", told["seen"])[0] == 200
    assert kept(person, code) == "c"


def test_how_sure_one_is_of_no_answer_yet_is_not_said_to_be_kept(person, code, sure):
    data = {f"confidence-{code}": sure, "seen": person.seen("scenarios", 1), "go": "keep"}
    told = person.client.post(address("scenarios", 1), data, headers=JSON).json()
    assert told == {"seen": data["seen"], "whole": False}
    data |= {f"answer-{code}": "b"}
    assert person.client.post(address("scenarios", 1), data, headers=JSON).json()["whole"]
    assert sheet_of(person.sitting).answers[code].confidence == sure


def test_what_was_kept_but_not_acknowledged_may_be_sent_again(person, send, code):
    seen = person.seen("scenarios", 1)
    first = send("b", seen)
    assert send("b", seen) == first
    assert kept(person, code) == "b"
    assert person.sitting.revision == 1


def test_a_button_tells_where_it_leads(person, send):
    seen = person.seen("scenarios", 1)
    assert send("b", seen, go="back") == (200, {"next": address("self-ratings", 3)})
    seen = person.seen("scenarios", 1)
    assert send("b", seen, go="") == (200, {"next": address("scenarios", 2)})
    assert send("b", seen, go="later") == (200, {"next": reverse("leave")})


def test_the_language_button_speaks_it(person, send):
    status, told = send("b", person.seen("scenarios", 1), go="", language="fr")
    assert (status, told) == (200, {"next": address("scenarios", 1)})
    assert person.client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "fr"


def test_another_tab_is_not_overwritten(person, send, code):
    seen = person.seen("scenarios", 1)
    person.answer("scenarios", 1, **{f"answer-{code}": "a"})
    status, told = send("b", seen)
    assert status == 409
    assert "in another tab" in told["said"]
    assert kept(person, code) == "a"


def test_an_answer_that_does_not_exist_is_said(person, send, code):
    status, told = send("nowhere", person.seen("scenarios", 1))
    assert status == 422
    assert "nowhere" in told["said"]
    assert kept(person, code) is None


def test_another_persons_tab_writes_nothing(person, send, code):
    seen = person.seen("scenarios", 1)
    status, told = send("b", "0" * len(seen))
    assert status == 409
    assert "another questionnaire" in told["said"]
    assert kept(person, code) is None


def test_an_ended_session_is_said(person, send, code):
    seen = person.seen("scenarios", 1)
    person.client.session.flush()
    status, told = send("b", seen)
    assert status == 403
    assert "Your session has ended" in told["said"]
    assert kept(person, code) is None


def test_a_form_of_a_session_before_is_said(person, code):
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"} | JSON)
    response = strict.post(address("scenarios", 1), {f"answer-{code}": "b", "go": "keep"})
    assert response.status_code == 403
    assert "Your session has ended" in response.json()["said"]


def test_what_was_finished_or_erased_elsewhere_leads_on(person, send, monkeypatch):
    seen = person.seen("scenarios", 1)
    send("b", seen)
    sittings.finish(person.sitting)
    assert send("c", seen) == (200, {"next": reverse("results")})

    def erased(*args, **kwargs):
        raise sittings.Erased

    with thawed(Sitting):
        Sitting.objects.update(finished_on=None)
    monkeypatch.setattr(sittings, "save_page", erased)
    assert send("c", person.seen("scenarios", 1)) == (200, {"next": reverse("resume")})


def test_the_script_stays_small_enough_to_read():
    script = finders.find("assessments/js/keeping.js")
    assert 0 < Path(script).stat().st_size < 6000
