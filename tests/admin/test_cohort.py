"""A cohort in one screen, and what its page gives."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from msgspec.structs import replace

from assessments import cohorts
from assessments.codes import grouped
from assessments.instruments import publish, questionnaire
from assessments.models import Cohort, Event, InstrumentVersion, Phase
from tests.instrument.example import example_instrument

from .conftest import TODAY, browser
from .markup import read

ADD = "/admin/assessments/cohort/add/"


def screen(*phases: dict[str, object], name: str = "Ward 12", kept: int = 0) -> dict[str, object]:
    """What the form of a cohort sends."""
    sent: dict[str, object] = {
        "name": name,
        "phases-TOTAL_FORMS": max(1, len(phases)),
        "phases-INITIAL_FORMS": kept,
    }
    for place, phase in enumerate(phases):
        sent |= {f"phases-{place}-{key}": value for key, value in phase.items()}
    return sent


def planned(kind: str, opens=TODAY, closes="", **more: object) -> dict[str, object]:
    return {"kind": kind, "opens_on": opens, "closes_on": closes, **more}


def change_address(cohort: Cohort) -> str:
    return reverse("admin:assessments_cohort_change", args=(cohort.pk,))


def test_one_post_makes_a_cohort_with_its_phases(version, desk, trainer):
    later = TODAY + timedelta(days=30)
    answer = desk.post(ADD, screen(planned("before", closes=later), planned("after", later)))
    cohort = Cohort.objects.get()
    assert answer.url == change_address(cohort)
    assert cohort.created_on == TODAY
    assert list(cohort.trainers.all()) == [trainer]
    assert [
        (phase.kind, phase.opens_on, phase.closes_on, phase.version, phase.form)
        for phase in cohort.phases.all()
    ] == [("before", TODAY, later, version, "A"), ("after", later, None, version, "B")]
    assert list(Event.objects.filter(actor=trainer).values_list("action", flat=True)) == [
        "changed",
        "changed",
        "created",
    ]


def test_what_the_screen_proposes_can_be_sent_as_it_is(version, desk):
    page = desk.get(ADD)
    formset = page.context["inline_admin_formsets"][0].formset
    sent = screen(name="As proposed") | {"phases-TOTAL_FORMS": len(formset.forms)}
    for form in formset.forms:
        for field in form:
            value = field.value()
            sent[field.html_name] = "" if value in (None, False) else value
    desk.post(ADD, sent)
    (phase,) = Cohort.objects.get().phases.all()
    assert (phase.kind, phase.opens_on, phase.rolling) == ("before", TODAY, False)


@pytest.mark.parametrize(
    "phases",
    [
        [planned("before", closes=TODAY - timedelta(days=1))],
        [planned("before"), planned("before")],
        [planned("before"), planned("after", "", TODAY)],
        [planned("nonsense")],
        [planned("", "")],
    ],
    ids=["ends before it begins", "twice the same", "no first day", "unknown", "none"],
)
def test_a_plan_that_cannot_be_is_refused_whole(version, desk, phases):
    answer = desk.post(ADD, screen(*phases))
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not Cohort.objects.exists()


def test_without_an_instrument_the_screen_says_whom_to_ask(desk):
    answer = desk.post(ADD, screen(planned("before")))
    assert "ask whoever runs this service" in read(answer).text
    assert not Cohort.objects.exists()
    assert not InstrumentVersion.objects.exists()
    with pytest.raises(cohorts.NothingPublished):
        cohorts.plan(Phase(kind="before", opens_on=TODAY), None)


def kept_screen(phase: Phase, **changes: object) -> dict[str, object]:
    return screen(
        {"id": phase.pk, "cohort": phase.cohort_id}
        | planned(phase.kind, phase.opens_on, phase.closes_on or "")
        | changes,
        name=phase.cohort.name,
        kept=1,
    )


def test_what_is_settled_at_the_opening_is_settled(phase, desk):
    later = TODAY + timedelta(days=3)
    sent = kept_screen(
        phase, kind="after", opens_on=later, rolling="on", closes_on=later, form="B", code="X"
    )
    answer = desk.post(change_address(phase.cohort), sent | {"code": "AAAABBBB"})
    assert answer.status_code == 302
    found = Phase.objects.get()
    assert (found.kind, found.opens_on, found.rolling, found.form) == ("before", TODAY, False, "A")
    assert found.closes_on == later
    assert Cohort.objects.get().code == phase.cohort.code
    page = desk.get(change_address(phase.cohort))
    fields = page.context["inline_admin_formsets"][0].formset.forms[0].fields
    locked = {name for name, field in fields.items() if field.disabled}
    assert locked == set(cohorts.PLANNED_FIELDS)


def test_before_it_opens_a_phase_may_still_change(cohort, desk, trainer):
    phase = Phase(cohort=cohort, kind="before", opens_on=TODAY + timedelta(days=2))
    cohorts.plan(phase, trainer)
    desk.post(change_address(cohort), kept_screen(phase, kind="after"))
    found = Phase.objects.get()
    assert (found.kind, found.form) == ("after", "B")


def test_a_phase_closed_meanwhile_stays_closed(phase, desk, trainer):
    stale = Phase.objects.get()
    Phase.objects.update(closed_on=TODAY, settled_on=TODAY)
    stale.closes_on = TODAY
    cohorts.plan(stale, trainer)
    found = Phase.objects.get()
    assert (found.closed_on, found.settled_on) == (TODAY, TODAY)
    desk.post(
        change_address(phase.cohort), kept_screen(phase, closes_on=TODAY + timedelta(days=90))
    )
    assert Phase.objects.get().closes_on == TODAY


def test_saving_an_unchanged_cohort_writes_nothing(phase, desk):
    before = Event.objects.count()
    desk.post(change_address(phase.cohort), kept_screen(phase))
    assert Event.objects.count() == before
    desk.post(change_address(phase.cohort), kept_screen(phase) | {"name": "Ward 13"})
    assert Cohort.objects.get().name == "Ward 13"
    assert Event.objects.first().subject == "Ward 12 → Ward 13"


def test_only_the_operator_appoints_trainers(phase, desk, stranger, operator):
    sent = kept_screen(phase) | {"trainers": [stranger.pk]}
    desk.post(change_address(phase.cohort), sent)
    assert stranger not in phase.cohort.trainers.all()
    assert "stranger" not in desk.get(change_address(phase.cohort)).content.decode()
    browser(operator).post(change_address(phase.cohort), sent)
    assert list(phase.cohort.trainers.all()) == [stranger]
    said = Event.objects.filter(actor=operator).values_list("action", "subject")
    assert set(said) == {("appointed", "Ward 12 · stranger"), ("left", "Ward 12 · trainer")}


def test_moments_open_in_the_order_of_a_training(version, desk):
    earlier = TODAY - timedelta(days=1)
    answer = desk.post(ADD, screen(planned("before"), planned("after", earlier)))
    assert "The moments open in the order of a training" in read(answer).text
    assert not Cohort.objects.exists()


def test_a_breakdown_is_offered_only_where_its_question_is_asked(desk, version, trainer):
    publish(replace(example_instrument(), version="2", context=()))
    page = read(desk.get(ADD))
    assert "none: the group as a whole" in page.text
    assert "by profession" not in page.text
    made = Cohort(name="Ward 14")
    cohorts.create(made, trainer)
    phase = Phase(cohort=made, kind="before", opens_on=TODAY, breakdown="profession")
    cohorts.plan(phase, trainer)
    assert phase.breakdown == ""


def test_later_moments_ask_the_version_that_the_first_one_asks(phase, trainer):
    publish(replace(example_instrument(("A", "B")), version="2"))
    after = Phase(cohort=phase.cohort, kind="after", opens_on=TODAY + timedelta(days=9))
    cohorts.plan(after, trainer)
    assert after.version == phase.version
    InstrumentVersion.objects.filter(pk=phase.version_id).update(retired_on=TODAY)
    cohorts.plan(after, trainer)
    assert after.version.version == "2"


def test_the_page_gives_link_code_picture_and_both_invitations(phase, desk):
    page = read(desk.get(change_address(phase.cohort)))
    link = f"{settings.PUBLIC_ADDRESS}/c/{phase.cohort.code}/"
    assert f'value="{link}"' in page.source
    assert f'value="{grouped(phase.cohort.code)}"' in page.source
    assert 'class="qr"' in page.source
    for language in ("fr", "en"):
        start = page.source.index(f'lang="{language}" rows=')
        text = page.source[start : page.source.index("</textarea>", start)]
        assert link in text
        assert grouped(phase.cohort.code) in text
        assert "2026" in text  # the last day
        assert "11" in text  # from how many answers on
        assert f"{questionnaire(phase.version.digest, 'A').minutes()} minutes" in text


def test_a_name_is_shown_as_it_was_written(version, desk):
    desk.post(ADD, screen(planned("before"), name='<b>"A & B"</b>'))
    source = desk.get(change_address(Cohort.objects.get())).content.decode()
    assert "<b>" not in source
    assert "“&lt;b&gt;&quot;A &amp; B&quot;&lt;/b&gt;”" in source


def test_counts_are_steps_of_five_and_move_once_a_day(phase, desk, answer, today):
    there = change_address(phase.cohort)

    def counted() -> tuple[int, int]:
        desk.get(there)
        found = phase.daily_counts.latest("day")
        return found.started_at_least, found.finished_at_least

    answer(phase, 4)
    answer(phase, 3, finish=False)
    assert counted() == (5, 0)
    answer(phase, 7)
    assert counted() == (5, 0)
    today(TODAY + timedelta(days=1))
    assert counted() == (10, 10)
    page = read(desk.get(there)).text
    assert "at least 10 people have started and at least 10 have finished" in page


def test_the_list_says_where_each_phase_is(phase, desk, django_assert_max_num_queries):
    for number in range(5):
        other = Cohort.objects.create(name=f"Cohort {number}", created_on=TODAY)
        other.trainers.add(*phase.cohort.trainers.all())
    with django_assert_max_num_queries(10):
        page = desk.get(reverse("admin:assessments_cohort_changelist"))
    assert "(open, last day" in read(page).text
