"""Erasing, and keeping no longer than was said."""

import threading
import time
from contextlib import suppress
from copy import copy
from dataclasses import asdict
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from msgspec.structs import replace

from assessments import exports, press, sittings
from assessments.cohort.counts import LevelOutcome
from assessments.instruments import publish
from assessments.models import Calibration, Sitting
from assessments.scoring.sheet import Sheet
from assessments.sittings import Plan
from readiness import gunicorn
from tests.instrument.example import example_instrument

from .conftest import Person

LAST = (timezone.localdate() - sittings.months_before(timezone.localdate(), 24)).days
"""Days in the last 24 months."""
COMING = (timezone.localdate() + timedelta(days=50)).isoformat()


def test_erasing_is_confirmed_and_whole(person):
    code = person.code
    person.client.get(reverse("erase"))
    assert Sitting.objects.count() == 1
    response = person.client.post(reverse("erase"))
    assert "erased" in response.text
    assert not Sitting.objects.exists()
    assert (
        "This code opens no questionnaire"
        in Client(headers={"accept-language": "en"}).post(reverse("resume"), {"code": code}).text
    )
    assert person.client.get(reverse("sitting")).headers["Location"] == reverse("resume")


def test_erasing_pressed_twice_is_done_once_and_said(person):
    """The second press still carries the cookies of before."""
    before = person.client.cookies["readiness_session"].value
    assert "Your answers are erased" in person.client.post(reverse("erase")).text
    person.client.cookies["readiness_session"] = before
    again = person.client.post(reverse("erase"), follow=True)
    assert again.redirect_chain == [(reverse("resume"), 302)]
    assert "it is done: your code opens nothing any more" in again.text


def test_a_session_that_ended_is_not_told_that_all_is_erased(person):
    stranger = Client(headers={"accept-language": "en"})
    said = stranger.post(reverse("erase"), follow=True).text
    assert "Otherwise nothing was erased: type your code first." in said
    assert Sitting.objects.count() == 1
    assert stranger.get(reverse("erase")).headers["Location"] == reverse("resume")


def test_it_says_what_is_erased_and_what_remains(phase):
    person = Person()
    person.begin(reverse("cohort", args=[phase.cohort.code]))

    def said(*sentences: str) -> list[bool]:
        text = person.client.get(reverse("erase")).text
        return [each in text for each in sentences]

    none, stays, measured = (
        "No result published for your group counts your answers",
        "Nothing in them tells which part is yours, so it cannot be taken out",
        "from at least 200 people together",
    )
    always = (
        "after 30 days at most",
        "a fingerprint of each erased questionnaire",
        "reminders in your calendar",
        'name="seen" value="',
    )
    assert said(none, stays, measured, *always) == [True, False, False, *[True] * 4]
    today = timezone.localdate()
    Sitting.objects.update(finished_on=today, released=True)
    made = {"version": phase.version, "form": phase.form, "n": 200, "document": b""}
    Calibration.objects.create(**made, made_on=today - timedelta(days=1), digest="1")
    assert said(none, stays, measured, *always) == [False, True, False, *[True] * 4]
    Calibration.objects.create(**made, made_on=today, digest="2")
    assert said(measured) == [True]
    assert not sittings.was_measured(Sitting(version=phase.version, form=phase.form))


@pytest.mark.parametrize(
    ("opened", "finished", "kept"),
    [
        (30, None, True),
        (31, None, False),
        (800, LAST, True),
        (800, LAST + 1, False),
        (31, 31, True),
    ],
)
def test_the_purge_keeps_what_the_notice_says(person, opened, finished, kept):
    today = timezone.localdate()
    Sitting.objects.update(
        opened_on=today - timedelta(days=opened),
        finished_on=finished and today - timedelta(days=finished),
    )
    out = StringIO()
    call_command("purge", stdout=out)
    assert Sitting.objects.exists() is kept
    assert out.getvalue() == f"{0 if kept else 1} sittings deleted.\n"


def test_erased_elsewhere_is_said_calmly(person, asked):
    seen = person.seen("scenarios", 1)
    other = Client()
    other.post(reverse("resume"), {"code": person.code})
    stale = Sitting.objects.select_related("version").get()
    other.post(reverse("erase"))
    posted = {"seen": seen, f"answer-{asked.page('scenarios', 1).items[0].code}": "a"}
    assert person.client.post(reverse("page", args=["scenarios", 1]), posted).status_code == 200
    for write in (
        lambda: sittings.finish(stale),
        lambda: sittings.keep_plans(stale, []),
        lambda: sittings.save_page(
            stale, asked.pages[0], Sheet(self_ratings={}), seen=None, language="fr"
        ),
    ):
        with pytest.raises(sittings.Erased):
            write()


def test_own_data_is_whole(version, asked):
    person = Person()
    person.begin()
    person.answer_all(asked)
    person.client.post(reverse("review"))
    data = person.client.get(reverse("answers")).json()
    assert len(data["answers"]) == 24
    assert len(data["self_ratings"]) == 16
    assert set(data["scores"]) == {"A", "B", "C", "overall"}
    assert data["finished_on"] == timezone.localdate().isoformat()
    assert data["levels_when_finished"] == data["levels"]
    assert data["saves"] == len(asked.pages)


def test_each_part_of_own_data_is_explained(person, language):
    data = exports.own_data(person.sitting)
    explained = data.pop("explanations")
    assert set(explained) == {*data, "not_given"}


NOT_GIVEN = {"id", "code_hash"}
"""What the file says is kept and not given."""


def test_no_field_that_is_kept_is_forgotten_in_own_data(phase, asked):
    """Whatever changes in what is kept changes what is downloaded, but for two keys."""
    today = timezone.localdate()
    sitting = Sitting(
        version=phase.version,
        form=asked.form,
        language="fr",
        answers=asked.layout.empty(),
        code_hash=b"0" * 16,
        opened_on=today,
    )
    other = publish(replace(example_instrument(("A", "B")), version="2.0"))[0]
    rated = asked.layout.pack(Sheet(self_ratings={asked.instrument.self_ratings[0].code: 3}))
    changed = {
        "id": sitting.pk + 1,
        "version": other,
        "phase": phase,
        "form": "B",
        "language": "en",
        "answers": rated,
        "revision": 1,
        "code_hash": b"1" * 16,
        "opened_on": today - timedelta(days=1),
        "finished_on": today,
        "outcomes": bytes([LevelOutcome.BETWEEN_1_2] * 3),
        "plans": [asdict(Plan("step", "when", "will", "with", "2027-01-01"))],
        "deeds": [{"step": "step", "deed": "done"}],
        "released": True,
        "late": True,
    }
    assert set(changed) == {field.name for field in Sitting._meta.concrete_fields}
    plain = exports.own_data(sitting)
    unseen = set()
    for name, value in changed.items():
        one = copy(sitting)
        one._state = copy(sitting._state)
        one._state.fields_cache = dict(sitting._state.fields_cache)
        if name == "form":  # only a version of two forms has another
            one.version = other
        before = exports.own_data(one)
        setattr(one, name, value)
        if exports.own_data(one) == before:
            unseen.add(name)
    assert unseen == NOT_GIVEN
    assert exports.own_data(sitting) == plain


def test_a_report_waits_its_turn_and_not_for_ever(version, asked, monkeypatch, caplog):
    person = Person()
    person.begin()
    person.answer_all(asked)
    person.client.post(reverse("review"))
    monkeypatch.setattr(press, "PATIENCE", 0.01)
    with press._printing:
        response = person.client.get(reverse("report"))
    assert response.status_code == 503
    # A crush is to be seen in the log, and is no fault.
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert response.headers["Retry-After"] == "30"
    assert "ask for it again" in response.text
    assert person.client.get(reverse("report")).content.startswith(b"%PDF-")


def test_reports_that_wait_leave_threads_to_those_who_answer(monkeypatch):
    """However long the press is busy, most of a process's threads are never held by it."""
    monkeypatch.setattr(press, "PATIENCE", 60)
    refused = threading.Event()

    def ask() -> None:
        with suppress(press.Busy), press._turn():
            return
        refused.set()

    with press._printing:
        asking = [threading.Thread(target=ask) for _each in range(gunicorn.threads)]
        for each in asking:
            each.start()
        assert refused.wait(timeout=30)
        waited = time.monotonic() + 30
        while sum(each.is_alive() for each in asking) > press.PLACES and time.monotonic() < waited:
            time.sleep(0.01)
        held = sum(each.is_alive() for each in asking)
    for each in asking:
        each.join()
    assert 0 < held <= press.PLACES < gunicorn.threads


def test_steps_are_chosen_edited_and_kept(version, asked):
    person = Person()
    person.begin()
    person.answer_all(asked)
    person.client.post(reverse("review"))
    forms = person.client.get(reverse("plans")).context["forms"]
    assert len(forms) == 3
    (first, form), *_others = forms
    posted = {f"{first.code}-{name}": form.initial[name] for name in ("when", "will")}
    posted |= {f"{first.code}-keep": "on", f"{first.code}-before": COMING}
    for wrong in ({f"{first.code}-will": ""}, {f"{first.code}-before": "1899-12-31"}):
        assert person.client.post(reverse("plans"), posted | wrong).status_code == 422
    assert person.sitting.plans is None
    posted |= {f"{first.code}-will": "relis la notice", f"{first.code}-together_with": "Ama"}
    assert person.client.post(reverse("plans"), posted).headers["Location"] == reverse("results")
    assert person.sitting.plans == [
        {
            "step": first.code,
            "when": form.initial["when"],
            "will": "relis la notice",
            "together_with": "Ama",
            "before": COMING,
        }
    ]
    assert "relis la notice" in person.client.get(reverse("results")).text
