"""A cohort's page: how it is followed, reminded, paused, shared and taken up again."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.urls import reverse

from assessments import cohorts
from assessments.codes import grouped
from assessments.instruments import questionnaire
from assessments.models import Cohort, DailyCount, Event, Job, Phase

from .conftest import TODAY, browser, user
from .markup import read


def address(door: str, phase: Phase, *more: object) -> str:
    under = (phase.cohort_id,) if door in ("change", "trainers", "leave") else ()
    args = under or (phase.cohort_id, phase.pk, *more)
    return reverse(f"admin:assessments_cohort_{door}", args=args)


def message(page: str, key: str, phase: Phase, language: str) -> str:
    start = page.index(f'id="{key}-{phase.pk}-{language}"')
    return page[page.index(">", start) + 1 : page.index("</textarea>", start)]


def test_the_reminder_is_for_the_whole_list_and_says_so(phase, desk):
    page = desk.get(address("change", phase)).content.decode()
    french, english = (message(page, "reminder", phase, code) for code in ("fr", "en"))
    assert "I write to the whole list, because I do not know who has answered" in english
    assert "resume code" in english
    for text in (french, english):
        assert f"{settings.PUBLIC_ADDRESS}/c/{phase.cohort.code}/" in text
        assert grouped(phase.cohort.code) in text
        assert f"{questionnaire(phase.version.digest, 'A').minutes()} minutes" in text
        assert "2026" in text  # the last day
    assert message(page, "invitation", phase, "en") != english


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("before", "If you have begun, your resume code"),
        ("after", "whether or not you answered before the training"),
        ("follow-up", "what became of your steps"),
    ],
)
def test_the_reminder_is_that_of_its_moment(phase, desk, kind, said):
    Phase.objects.update(kind=kind)
    page = desk.get(address("change", phase)).content.decode()
    assert said in message(page, "reminder", phase, "en")


def test_a_closed_phase_invites_nobody(phase, desk):
    Phase.objects.update(closed_on=TODAY, settled_on=TODAY)
    assert "<textarea" not in desk.get(address("change", phase)).content.decode()


def test_joining_is_paused_and_resumed(phase, desk, trainer):
    there = address("pause", phase)
    assert f'action="{there}"' in desk.get(address("change", phase)).text
    for paused, action in (("yes", "paused"), ("no", "resumed")):
        answer = desk.post(there, {"paused": paused})
        assert answer.url == address("change", phase)
        assert Phase.objects.get().paused is (paused == "yes")
        assert Event.objects.filter(action=action, actor=trainer).count() == 1
        page = read(desk.get(answer.url))
        assert ("Nobody new can start; whoever has started goes on." in page.text) == (
            paused == "yes"
        )
        assert f'name="paused" value="{"no" if paused == "yes" else "yes"}"' in page.source


def test_the_history_tells_the_days_on_which_counts_moved(phase, desk):
    for days, started, finished in ((4, 5, 0), (3, 5, 0), (2, 10, 5), (1, 15, 10)):
        DailyCount.objects.create(
            phase=phase,
            day=TODAY - timedelta(days=days),
            started_at_least=started,
            finished_at_least=finished,
        )
    page = desk.get(address("change", phase))
    (panel,) = page.context["panels"]
    assert [(count.started_at_least, count.finished_at_least) for count in panel.history] == [
        (0, 0),
        (15, 10),
        (10, 5),
        (5, 0),
    ]
    said = read(page).text
    assert "22 November 2026 10 5" in said
    assert "21 November 2026" not in said
    assert "Counts move in steps of five and once a day" in said


@pytest.mark.parametrize(
    ("state", "said", "link"),
    [
        ("running", "The results are being published.", "See how far it is"),
        ("failed", "The publication of the results did not succeed.", "See what to do"),
    ],
)
def test_a_publication_in_the_background_is_said(phase, desk, trainer, state, said, link):
    Phase.objects.update(closed_on=TODAY)
    job = Job.objects.create(
        phase=phase, work=Job.Work.PUBLISH, actor=trainer, language="en", state=state
    )
    page = read(desk.get(address("change", phase)))
    assert said in page.text
    assert link in page.text
    assert f'href="{address("job", phase, job.pk)}"' in page.source
    assert address("results", phase) not in page.source


def test_a_trainer_adds_another_and_hands_the_cohort_over(phase, desk, trainer, stranger):
    page = read(desk.get(address("change", phase)))
    assert address("leave", phase) not in page.source
    assert "You are its only trainer" in page.text
    added = desk.post(address("trainers", phase), {"trainer-username": " stranger "}, follow=True)
    assert "Added to the trainers: stranger" in read(added).text
    assert address("leave", phase) in added.text
    asked = read(desk.get(address("leave", phase)))
    assert "It stays in the hands of its other trainers" in asked.text
    assert asked.source.count("<li>stranger</li>") == 1
    assert set(phase.cohort.trainers.all()) == {trainer, stranger}
    desk.post(address("leave", phase))
    assert list(phase.cohort.trainers.all()) == [stranger]
    assert desk.get(address("change", phase)).url == reverse("admin:index")
    assert browser(stranger).get(address("change", phase)).status_code == 200


def test_the_last_trainer_stays(phase, desk, trainer):
    page = read(desk.get(address("leave", phase)))
    assert "You are its last trainer: add another one first." in page.text
    assert '<button type="submit" class="door">' not in page.source
    desk.post(address("leave", phase))
    assert list(phase.cohort.trainers.all()) == [trainer]


@pytest.mark.parametrize("name", ["nobody", "clerk", ""])
def test_only_somebody_who_trains_is_added(phase, desk, trainer, name):
    user("clerk", is_staff=True)
    answer = desk.post(address("trainers", phase), {"trainer-username": name}, follow=True)
    assert list(phase.cohort.trainers.all()) == [trainer]
    assert len(answer.context["messages"]) == 1
    assert "Added to the trainers" not in answer.text


def test_the_next_intake_starts_from_a_copy(phase, desk, trainer):
    Phase.objects.update(
        opens_on=TODAY - timedelta(days=60),
        closes_on=TODAY - timedelta(days=46),
        breakdown="setting",
    )
    page = desk.get(address("change", phase))
    copy = page.context["copy_address"]
    assert f'href="{copy}"' in page.text
    shown = desk.get(copy)
    first = shown.context["inline_admin_formsets"][0].formset.forms[0]
    assert shown.context["adminform"].form.initial["name"] == "Ward 12 (next intake)"
    assert first.initial == {
        "kind": "before",
        "opens_on": TODAY,
        "closes_on": TODAY + timedelta(days=14),
        "rolling": False,
        "breakdown": "setting",
    }
    assert Cohort.objects.count() == 1


def test_the_last_of_all_days_is_copied_as_it_is(phase, desk):
    """As some write “never”."""
    Phase.objects.update(opens_on=TODAY - timedelta(days=60), closes_on=date.max)
    shown = desk.get(desk.get(address("change", phase)).context["copy_address"])
    first = shown.context["inline_admin_formsets"][0].formset.forms[0]
    assert first.initial["opens_on"] == TODAY
    assert first.initial["closes_on"] == date.max


@pytest.mark.parametrize("wanted", [True, False], ids=["kept as proposed", "left out"])
def test_a_copied_moment_is_kept_unless_its_first_day_is_taken_out(phase, desk, trainer, wanted):
    after = Phase(cohort=phase.cohort, kind="after", opens_on=TODAY + timedelta(days=30))
    cohorts.plan(after, trainer)
    copy = desk.get(address("change", phase)).context["copy_address"]
    formset = desk.get(copy).context["inline_admin_formsets"][0].formset
    sent = {"name": "Next", "phases-TOTAL_FORMS": len(formset.forms), "phases-INITIAL_FORMS": 0}
    for place, form in enumerate(formset.forms):
        for name, value in form.initial.items():
            sent[f"phases-{place}-{name}"] = "" if value in (None, False) else value
    if not wanted:
        sent["phases-1-opens_on"] = ""
    desk.post(copy, sent)
    made = Cohort.objects.get(name="Next")
    kinds = [moment.kind for moment in made.phases.all()]
    assert kinds == (["before", "after"] if wanted else ["before"])


def test_the_file_for_the_auditor_is_offered_once_there_is_one(phase, desk, answer):
    file = reverse("admin:assessments_cohort_qualiopi", args=(phase.cohort_id,))
    assert file not in desk.get(address("change", phase)).text
    answer(phase, 11)
    desk.post(address("close", phase))
    assert f'href="{file}"' in desk.get(address("change", phase)).text


def test_a_breakdown_is_chosen_on_the_form_and_said_afterwards(phase, desk):
    page = desk.get(address("change", phase))
    form = page.context["inline_admin_formsets"][0].formset.forms[0]
    assert [label for _value, label in form.fields["breakdown"].choices] == [
        "none: the group as a whole",
        "by profession",
        "by place of work",
    ]
    Phase.objects.update(breakdown="profession")
    assert "breakdown by profession" in read(desk.get(address("change", phase))).text


def test_a_simulated_cohort_says_so_on_all_its_pages(phase, desk, answer):
    Cohort.objects.update(simulated=True)
    phase.refresh_from_db()
    answer(phase, 22)
    pages = [desk.get(address("change", phase)), desk.get(address("close", phase))]
    desk.post(address("close", phase))
    pages += [desk.get(address(door, phase)) for door in ("change", "results", "situations")]
    for page in pages:
        assert page.text.count("Simulated cohort.") == 1
    projected = desk.get(address("debriefing", phase, 1, "answers"))
    assert "simulated cohort" in projected.text
    Cohort.objects.update(simulated=False)
    assert "imulated cohort" not in desk.get(address("results", phase)).text
