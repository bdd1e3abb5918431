"""The steps in one's own calendar: what the file holds, and what it tells to nobody."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from icalendar import Calendar

from assessments import codes, ics, reminders, sittings
from assessments.frozen import thawed
from assessments.models import Sitting
from assessments.sittings import Plan

from .conftest import Person

TODAY = timezone.localdate()


def in_days(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


def plan(step: str = "first", days: int = 30, **more) -> Plan:
    words = {"when": "j’ouvre l’outil", "will": "lis, une fois ; la notice", "together_with": ""}
    return Plan(**{"step": step, "before": in_days(days)} | words | more)


@pytest.fixture
def finished(person, asked) -> Person:
    sure = asked.instrument.confidence_scale[0].code
    item = asked.page("scenarios", 1).items[0]
    person.answer("scenarios", 1, **{f"answer-{item.code}": "a", f"confidence-{item.code}": sure})
    assert person.client.post(reverse("review")).headers["Location"] == reverse("results")
    return person


@pytest.fixture
def grouped(phase, asked) -> Person:
    person = Person()
    person.begin(reverse("cohort", args=[phase.cohort.code]))
    item = asked.page("scenarios", 1).items[0]
    person.answer("scenarios", 1, **{f"answer-{item.code}": "a"})
    person.client.post(reverse("review"))
    return person


def downloaded(person: Person, name: str = "calendar"):
    return person.client.get(reverse(name))


def events(person: Person, name: str = "calendar"):
    return Calendar.from_ical(downloaded(person, name).content).events


def test_the_steps_are_downloaded_as_events_of_ones_own(finished):
    sittings.keep_plans(finished.sitting, [plan(), plan("second", 3, together_with="Ama")])
    response = downloaded(finished)
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="readiness-steps.ics"'
    assert "no-store" in response.headers["Cache-Control"]
    first, second = events(finished)
    assert first.decoded("DTSTART") == TODAY + timedelta(days=30)
    assert second.decoded("DTSTART") == TODAY + timedelta(days=3)
    assert [str(each["SUMMARY"]) for each in (first, second)] == [
        "Reminder: my step 1",
        "Reminder: my step 2",
    ]
    due = date.fromisoformat(in_days(30))
    assert str(first["DESCRIPTION"]) == (
        f"When j’ouvre l’outil, I will lis, une fois ; la notice, before {due:%-d %B %Y}."
    )
    assert ", with Ama, before" in str(second["DESCRIPTION"])
    (week,), (day,) = first.walk("VALARM"), second.walk("VALARM")
    assert week.decoded("TRIGGER") == timedelta(days=-6, hours=-15)
    assert day.decoded("TRIGGER") == timedelta(hours=-15)


def test_the_words_a_person_wrote_are_theirs_not_marked_up(finished):
    sittings.keep_plans(finished.sitting, [plan(will="ask “why?” & <listen>, l'équipe\r\naussi")])
    (only,) = events(finished)
    assert "ask “why?” & <listen>, l'équipe\naussi" in str(only["DESCRIPTION"])


def test_it_is_in_the_readers_language(finished):
    sittings.keep_plans(finished.sitting, [plan()])
    with translation.override("fr"):
        (found,) = reminders.of_steps(finished.sitting, TODAY)
    assert found.description.startswith("Quand j’ouvre l’outil, je lis, une fois")


def test_titles_and_the_file_tell_nothing(finished):
    steps = [plan("A1-ward-card", will="relis la fiche"), plan("B2-ward")]
    sittings.keep_plans(finished.sitting, steps)
    sitting = finished.sitting
    text = downloaded(finished).text
    for secret in (
        str(sitting.pk),
        f"{sitting.pk:x}",
        bytes(sitting.code_hash).hex(),
        codes.normalised(finished.code, codes.RESUME_LENGTH),
        finished.code,
        "A1-ward-card",
        "http",
        "@",
        "ORGANIZER",
        "METHOD",
    ):
        assert secret.casefold() not in text.casefold(), secret
    for event in events(finished):
        shown = f"{event['SUMMARY']} {event.walk('VALARM')[0]['DESCRIPTION']}"
        assert re.fullmatch(r"(Reminder: my step \d ?){2}", shown)
        assert event["CLASS"] == "PRIVATE"
        assert event["TRANSP"] == "TRANSPARENT"


def test_the_same_step_keeps_its_name_and_a_change_comes_after(finished, version, monkeypatch):
    sittings.keep_plans(finished.sitting, [plan(), plan("second")])
    first, second = events(finished)
    assert first["UID"] != second["UID"]
    monkeypatch.setattr(ics, "EPOCH", ics.EPOCH - timedelta(minutes=5))  # five minutes later
    sittings.keep_plans(finished.sitting, [plan("second", 40)])
    (moved,) = events(finished)
    assert moved["UID"] == second["UID"]
    assert moved["SEQUENCE"] >= second["SEQUENCE"] + 300
    assert moved.decoded("DTSTART") == TODAY + timedelta(days=40)
    sitting = finished.sitting
    sitting.pk += 1
    assert reminders.of_steps(sitting, TODAY)[0].uid != second["UID"]


def test_without_the_servers_key_nobody_can_tell_whose_it_is(finished, monkeypatch):
    sitting = finished.sitting
    sittings.keep_plans(sitting, [plan()])
    (mine,) = reminders.of_steps(sitting, TODAY)
    assert re.fullmatch("[0-9a-f]{32}", mine.uid)
    monkeypatch.setattr(settings, "SECRET_KEY", "another")
    assert reminders.of_steps(sitting, TODAY)[0].uid != mine.uid


@pytest.mark.parametrize(
    ("days", "before"), [(0, None), (1, None), (2, 1), (7, 1), (8, 7), (300, 7)]
)
def test_an_alarm_is_still_to_come(finished, days, before):
    sittings.keep_plans(finished.sitting, [plan(days=days)])
    (found,) = reminders.of_steps(finished.sitting, TODAY)
    assert found.days_before == before
    (read,) = events(finished)
    assert len(read.walk("VALARM")) == (before is not None)


def test_days_that_have_passed_make_no_event(finished):
    far = plan("far", before=date.max.isoformat())  # no calendar holds the day after it
    sittings.keep_plans(finished.sitting, [plan(days=-1), plan("second", 0), far])
    (left,) = events(finished)
    assert str(left["SUMMARY"]) == "Reminder: my step 2"
    sittings.keep_plans(finished.sitting, [plan(days=-1)])
    assert downloaded(finished).headers["Location"] == reverse("reminders")
    assert "have passed" in finished.client.get(reverse("reminders")).text


def test_without_a_step_there_is_nothing_to_add_but_coming_back(finished):
    assert downloaded(finished).headers["Location"] == reverse("reminders")
    page = finished.client.get(reverse("reminders")).text
    assert "You have not chosen any step yet" in page
    assert f'href="{reverse("calendar")}"' not in page
    assert f'href="{reverse("calendar-return")}"' in page


def test_the_page_shows_what_the_file_holds_and_who_may_read_it(finished):
    sittings.keep_plans(finished.sitting, [plan(), plan("second", 1)])
    page = finished.client.get(reverse("reminders"))
    assert "no-store" in page.headers["Cache-Control"]
    assert "Choose a calendar of your own." in page.text
    for event in events(finished):
        assert str(event["SUMMARY"]) in page.text
        assert str(event["DESCRIPTION"]) in page.text
    assert page.text.count("The alarm rings on") == 2  # the first step, and coming back
    assert page.text.count("No alarm: the day is too close.") == 1


def test_coming_back_is_a_file_apart_weeks_later(finished):
    response = downloaded(finished, "calendar-return")
    assert response.headers["Content-Disposition"] == 'attachment; filename="readiness-return.ics"'
    (event,) = events(finished, "calendar-return")
    assert event.decoded("DTSTART") == TODAY + timedelta(weeks=8)
    assert str(event["SUMMARY"]) == "Reminder: see where I stand"
    assert str(event["DESCRIPTION"]).endswith(f"{settings.PUBLIC_ADDRESS}{reverse('resume')}")
    Sitting.objects.update(finished_on=TODAY - timedelta(weeks=20))
    (later,) = events(finished, "calendar-return")
    assert later.decoded("DTSTART") == TODAY + timedelta(days=7)
    assert later["UID"] == event["UID"]


def test_a_group_is_told_to_come_back_by_its_trainer(grouped):
    assert downloaded(grouped, "calendar-return").headers["Location"] == reverse("reminders")
    assert reverse("calendar-return") not in grouped.client.get(reverse("reminders")).text


@pytest.mark.parametrize("name", ["reminders", "calendar", "calendar-return"])
def test_nobody_elses_reminders_can_be_had(finished, person, name):
    sittings.keep_plans(finished.sitting, [plan()])
    assert Client().get(reverse(name)).headers["Location"] == reverse("resume")
    with thawed(Sitting):
        Sitting.objects.update(finished_on=None)
    assert person.client.get(reverse(name)).headers["Location"] == reverse("sitting")


def test_it_is_offered_where_steps_are_chosen_and_read(finished):
    link = f'href="{reverse("reminders")}"'
    assert finished.client.get(reverse("results")).text.count(link) == 1
    forms = finished.client.get(reverse("plans")).context["forms"]
    step, form = forms[0]
    posted = {f"{step.code}-{name}": value for name, value in form.initial.items()}
    chosen = finished.client.post(reverse("plans"), posted | {f"{step.code}-keep": "on"})
    shown = finished.client.get(chosen.headers["Location"]).text
    assert f"They are in your report. <a {link}>Put them in my calendar</a>" in shown
    assert finished.client.get(reverse("results")).text.count(link) == 2


def test_the_printed_report_says_where_they_are_once_steps_are_chosen(finished):
    def printed() -> str:
        report = finished.client.get(reverse("results")).context["report"]
        return render_to_string("assessments/report/document.html", {"report": report})

    said = "gives them as reminders for your calendar"
    assert said not in printed()
    sittings.keep_plans(finished.sitting, [plan(finished_step(finished))])
    assert said in printed()
    assert reverse("reminders") not in printed()


def finished_step(person: Person) -> str:
    """A step that the instrument has."""
    return sittings.profile_of(person.sitting).next_steps[0].step
