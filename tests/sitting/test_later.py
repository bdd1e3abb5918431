"""Coming back with one code: after the training, weeks later, or once more without a group."""

from __future__ import annotations

import gzip
import json
import logging
import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from msgspec.structs import replace
from pypdf import PdfReader

from assessments import codes, frozen, releases, sittings
from assessments.cohort.counts import Deed
from assessments.frozen import thawed
from assessments.instruments import default_form, publish
from assessments.models import Cohort, Phase, Sitting
from assessments.scoring.sheet import ScenarioAnswer, Sheet
from tests.instrument.example import example_instrument

from .conftest import Person, address

STEPS = address("steps", 1)


def door(phase: Phase) -> str:
    return reverse("cohort", kwargs={"access": phase.cohort.code})


def opened_after(phase: Phase, kind: str) -> Phase:
    """The next moment of the phase's cohort, the one before being over."""
    today = timezone.localdate()
    Phase.objects.filter(cohort=phase.cohort, closed_on=None).update(
        closed_on=today, opens_on=today - timedelta(days=30)
    )
    return Phase.objects.create(
        cohort=phase.cohort,
        kind=kind,
        opens_on=today,
        version=phase.version,
        form=default_form(phase.version, kind),
    )


def shown_code(person: Person, phase: Phase):
    """From the group's door to the page of the code."""
    person.client.post(door(phase))
    person.client.post(reverse("notice"))
    return person.client.get(reverse("start"))


def start(person: Person, phase: Phase, earlier: str = "", **more):
    token = shown_code(person, phase).context["form"].initial["token"]
    posted = {"token": token, "earlier": earlier} | more
    return person.client.post(reverse("start"), posted)


def finish(person: Person, asked, option: str = "a") -> None:
    """All situations answered alike, not page by page: that is tested elsewhere."""
    sure = asked.instrument.confidence_scale[0].code
    scenarios = asked.instrument.scenarios_of(asked.form)
    sheet = Sheet(
        self_ratings={rating.code: 3 for rating in asked.instrument.self_ratings},
        answers={each.code: ScenarioAnswer(option, sure) for each in scenarios},
    )
    Sitting.objects.filter(pk=person.sitting.pk).update(answers=asked.layout.pack(sheet))
    assert person.client.post(reverse("review")).headers["Location"] == reverse("results")


def choose_steps(person: Person, how_many: int = 2) -> list[str]:
    forms = person.client.get(reverse("plans")).context["forms"][:how_many]
    posted = {}
    for step, form in forms:
        posted |= {f"{step.code}-{name}": value for name, value in form.initial.items()}
        posted |= {f"{step.code}-keep": "on", f"{step.code}-will": f"relis {step.code}"}
    assert person.client.post(reverse("plans"), posted).status_code == 302
    return [step.code for step, _form in forms]


@pytest.fixture
def before(phase, asked) -> Person:
    """Somebody who has answered before the training and chosen two steps."""
    person = Person()
    person.begin(door(phase))
    finish(person, asked)
    person.steps = choose_steps(person)
    return person


@pytest.fixture
def after(before, phase) -> Phase:
    return opened_after(phase, Phase.Kind.AFTER)


@pytest.fixture
def follow_up(before, phase) -> Phase:
    return opened_after(phase, Phase.Kind.FOLLOW_UP)


@pytest.fixture
def followed(before, follow_up) -> Person:
    """The same person, weeks later on another computer, with their code."""
    person = Person()
    person.code, person.steps = before.code, before.steps
    assert start(person, follow_up, before.code).headers["Location"] == STEPS
    return person


def normal(code: str) -> str:
    return codes.normalised(code, codes.RESUME_LENGTH)


# Starting a later moment ------------------------------------------------------------------------


def test_the_first_moment_asks_for_no_earlier_code(phase):
    assert 'name="earlier"' not in shown_code(Person(), phase).text


def test_the_code_of_before_opens_the_moment_after(before, after):
    person = Person()
    response = start(person, after, f" {before.code.lower()} ")
    assert response.headers["Location"] == address("context", 1)
    assert person.sitting.phase == after
    assert [each.phase.kind for each in sittings.of_code(normal(before.code))] == [
        "before",
        "after",
    ]
    assert "Your code from before opens this questionnaire too" in person.see("context", 1).text


def test_the_new_code_is_void_then(before, after):
    person = Person()
    shown = shown_code(person, after)
    token = shown.context["form"].initial["token"]
    person.client.post(reverse("start"), {"token": token, "earlier": before.code})
    assert sittings.find_by_code(normal(shown.context["code"])) is None


def test_who_comes_for_the_first_time_leaves_it_empty(before, after):
    person = Person()
    start(person, after)
    assert person.client.session["own"] == [person.sitting.pk]
    assert person.sitting.pk not in before.client.session["own"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("ABC", "should have 16"), ("2222-2222-2222-2222", "This code opens no questionnaire")],
)
def test_a_wrong_code_is_said_and_nothing_is_lost(before, after, typed, said):
    person = Person()
    shown = shown_code(person, after)
    token = shown.context["form"].initial["token"]
    response = person.client.post(reverse("start"), {"token": token, "earlier": typed})
    assert response.status_code == 422
    assert said in response.text
    assert response.context["code"] == shown.context["code"]
    assert response.context["form"]["token"].value() == token
    assert f'value="{typed}"' in response.text
    assert Sitting.objects.filter(phase=after).count() == 0


def test_the_language_button_keeps_both_codes(before, after):
    person = Person()
    shown = shown_code(person, after)
    token = shown.context["form"].initial["token"]
    posted = {"token": token, "earlier": before.code, "language": "fr"}
    other = person.client.post(reverse("start"), posted)
    assert 'lang="fr"' in other.text[:100]
    assert other.context["code"] == shown.context["code"]
    assert f'value="{before.code}"' in other.text
    assert Sitting.objects.filter(phase=after).count() == 0


def test_a_stale_page_keeps_the_code_that_was_typed(before, after):
    person = Person()
    shown_code(person, after)
    response = person.client.post(reverse("start"), {"token": "forged", "earlier": before.code})
    assert "here is a new code" in response.text
    assert f'value="{before.code}"' in response.text


def test_the_button_pressed_twice_opens_one(before, after):
    """The second press still carries the cookie of before."""
    person = Person()
    token = shown_code(person, after).context["form"].initial["token"]
    posted = {"token": token, "earlier": before.code}
    cookie = person.client.cookies["readiness_session"].value
    person.client.post(reverse("start"), posted)
    person.client.cookies["readiness_session"] = cookie
    assert person.client.post(reverse("start"), posted).headers["Location"] == reverse("sitting")
    assert person.sitting.phase == after
    assert Sitting.objects.filter(phase=after).count() == 1


def test_a_moment_is_answered_once_by_a_code(before, after):
    for _time in range(2):
        person = Person()
        start(person, after, before.code)
    assert Sitting.objects.filter(phase=after).count() == 1


def test_a_code_that_has_served_its_time_says_so(before, after, monkeypatch):
    monkeypatch.setattr(codes, "MOST_SITTINGS", 1)
    response = start(Person(), after, before.code)
    assert response.status_code == 422
    assert "as many questionnaires as one code may (1)" in response.text
    assert Sitting.objects.filter(phase=after).count() == 0


def test_an_erased_place_is_not_taken_again(before, after, follow_up):
    """Places tell the order: a later sitting never stands before an earlier one."""
    code = normal(before.code)
    with frozen.thawed(Phase):
        for phase in (after, follow_up):
            phase.closed_on = None
            phase.save()
    sittings.open_sitting(code, version=after.version, phase=after, language="fr")
    sittings.erase(sittings.of_code(code)[0])
    sittings.open_sitting(code, version=after.version, phase=follow_up, language="fr")
    assert [each.phase for each in sittings.of_code(code)] == [after, follow_up]


# Coming back ------------------------------------------------------------------------------------


def come_back(person: Person) -> Person:
    """The same person on another computer, with the code."""
    other = Person()
    other.code = person.code
    other.client.post(reverse("resume"), {"code": person.code})
    return other


def test_the_open_moment_is_offered_and_opened_without_typing_again(before, after):
    person = come_back(before)
    assert (
        "The questionnaire after the training is open" in person.client.get(reverse("results")).text
    )
    shown = person.client.get(reverse("again"))
    assert after.cohort.name in shown.text
    assert Sitting.objects.filter(phase=after).count() == 0  # a GET changes nothing
    for _press in range(2):
        response = person.client.post(reverse("again"))
    assert response.status_code == 302
    assert person.sitting.phase == after
    assert person.sitting.pk == sittings.of_code(normal(before.code))[1].pk
    assert Sitting.objects.filter(phase=after).count() == 1


def test_who_has_no_group_has_no_moment_to_look_for(person, django_assert_num_queries):
    alone = person.sitting
    with django_assert_num_queries(0):
        assert sittings.unanswered_phase([alone]) is None


def test_nothing_is_offered_that_is_answered_or_over(before, phase, after, asked):
    person = come_back(before)
    person.client.post(reverse("again"))
    finish(person, asked)
    assert "is open" not in person.client.get(reverse("results")).text
    # Not even an earlier moment that is still open.
    phase.refresh_from_db()
    with frozen.thawed(Phase):
        phase.closed_on = None
        phase.save()
    late = Person()
    start(late, after)
    finish(late, asked)
    assert "is open" not in late.client.get(reverse("results")).text
    assert late.client.get(reverse("again")).headers["Location"] == reverse("results")


def test_an_unfinished_one_that_is_over_gives_way_to_the_open_moment(phase):
    person = Person()
    person.begin(door(phase))
    phase.refresh_from_db()
    assert person.client.get(reverse("sitting")).headers["Location"] == address("context", 1)
    opened_after(phase, Phase.Kind.AFTER)
    assert person.client.get(reverse("sitting")).headers["Location"] == reverse("again")
    assert address("context", 1) in person.client.get(reverse("again")).text


def test_a_moment_closed_meanwhile_is_said(before, after):
    person = come_back(before)
    person.client.get(reverse("again"))
    Phase.objects.filter(pk=after.pk).update(closed_on=timezone.localdate())
    assert person.client.post(reverse("again")).headers["Location"] == reverse("results")
    assert Sitting.objects.filter(phase=after).count() == 0


def test_another_browser_that_went_further_asks_the_code_again(before, after, version):
    person = come_back(before)
    sittings.open_sitting(normal(before.code), version=version, phase=None, language="fr")
    assert person.client.post(reverse("again")).headers["Location"] == reverse("resume")
    assert Sitting.objects.filter(phase=after).count() == 0


def test_the_code_is_asked_where_the_browser_cannot_go_on(person, asked):
    """It holds what the next sitting needs, and nothing of the one after."""
    for _time in range(2):
        finish(person, asked)
        person.client.post(reverse("again"))
    assert person.sitting.finished_on is not None
    shown = person.client.get(reverse("again")).text
    assert "Type your resume code first" in shown
    assert f'href="{reverse("resume")}"' in shown
    person.client.post(reverse("resume"), {"code": person.code})
    person.client.post(reverse("again"))
    assert person.sitting.finished_on is None
    assert Sitting.objects.count() == 3


def test_a_code_that_has_served_its_time_is_told_before_starting(person, asked, monkeypatch):
    monkeypatch.setattr(codes, "MOST_SITTINGS", 1)
    finish(person, asked)
    person.client.post(reverse("resume"), {"code": person.code})
    shown = person.client.get(reverse("again")).text
    assert "as many as one code may" in shown
    assert "Start with a new code" in shown
    person.client.post(reverse("again"))
    assert Sitting.objects.count() == 1


def test_the_pages_of_later_moments_carry_no_inline_style_or_script(followed):
    names = ("again", "erase", "leave", "review", "turn")
    pages = [followed.client.get(STEPS), *(followed.client.get(reverse(name)) for name in names)]
    for page in pages:
        assert " style=" not in page.text
        assert "<script>" not in page.text
        assert " onclick=" not in page.text


def test_without_a_group_it_may_be_taken_again(person, asked):
    assert person.client.get(reverse("again")).headers["Location"] == reverse("sitting")
    finish(person, asked)
    first = person.sitting.pk
    person.client.post(reverse("again"))
    assert person.sitting.pk != first
    finish(person, asked, option="b")
    assert "What has changed" in person.client.get(reverse("results")).text


def test_a_code_of_another_group_links_for_its_person_alone(before, version):
    other = Cohort.objects.create(name="Cardiologie", created_on=timezone.localdate())
    phase = Phase.objects.create(
        cohort=other,
        kind=Phase.Kind.AFTER,
        opens_on=timezone.localdate(),
        version=version,
        form="A",
    )
    person = Person()
    start(person, phase, before.code)
    assert [each.phase.cohort.name for each in sittings.find_all(person.client.session["own"])] == [
        "Urgences",
        "Cardiologie",
    ]


def test_several_questionnaires_are_listed_and_opened(before, after, asked):
    assert reverse("turn") not in before.client.get(reverse("results")).text
    assert before.client.get(reverse("turn")).headers["Location"] == reverse("sitting")
    person = come_back(before)
    person.client.post(reverse("again"))
    opened = person.client.session["sitting"]
    assert "Go on with the questions" in person.client.get(reverse("turn"), {"number": "1"}).text
    assert person.client.session["sitting"] == opened
    finish(person, asked)
    assert reverse("turn") in person.client.get(reverse("results")).text
    listed = person.client.get(reverse("turn"))
    assert listed.text.count("Urgences") == 2
    assert re.findall(r'aria-labelledby="open-(\d) own-(\d)"', listed.text) == [("1", "1")]
    assert "Back to my results" in listed.text
    person.client.post(reverse("turn"), {"number": "1"})
    assert person.sitting.phase.kind == "before"
    for wrong in ("0", "3", "²", "", "x"):
        assert person.client.post(reverse("turn"), {"number": wrong}).status_code == 302
        assert person.sitting.phase.kind == "before"


def test_what_travels_compressed_names_no_group(before, after, asked):
    """Another person has chosen the name (BREACH): it stands on lists of one's own."""

    def look(person: Person, *shown: str) -> None:
        for name, args in (("results", ()), ("workings", ()), ("explained", (1,)), ("plans", ())):
            page = person.client.get(reverse(name, args=args), headers={"accept-encoding": "gzip"})
            assert page.headers["Content-Encoding"] == "gzip"
            text = gzip.decompress(page.content).decode()
            assert "Urgences" not in text
            assert name != "results" or all(each in text for each in shown)

    look(before, "The questionnaire after the training is open")
    person = come_back(before)
    person.client.post(reverse("again"))
    finish(person, asked, option="b")
    opened_after(after, Phase.Kind.FOLLOW_UP)
    look(person, "What has changed", "The follow-up questionnaire is open", reverse("turn"))
    for name in ("turn", "leave", "erase"):
        page = person.client.get(reverse(name), headers={"accept-encoding": "gzip"})
        assert "Content-Encoding" not in page.headers
        assert "Urgences" in page.text


def test_a_page_of_one_questionnaire_writes_nothing_into_another_of_the_same_person(
    before, after, asked
):
    person = come_back(before)
    person.client.post(reverse("again"))
    seen = person.seen("scenarios", 1)
    code = asked.page("scenarios", 1).items[0].code
    person.client.post(reverse("turn"), {"number": "1"})
    kept = bytes(person.sitting.answers)
    person.client.post(address("scenarios", 1), {"seen": seen, f"answer-{code}": "d"})
    assert bytes(person.sitting.answers) == kept


def test_a_carried_page_goes_into_the_questionnaire_that_displayed_it(before, after, version):
    """Two are unfinished: the page says which of them it belongs to."""
    person = come_back(before)
    person.client.post(reverse("again"))
    sitting = person.sitting
    code = sittings.questionnaire_of(sitting).page("scenarios", 1).items[0].code
    posted = {f"answer-{code}": "d", "seen": person.seen("scenarios", 1)}
    sittings.open_sitting(normal(before.code), version=version, phase=None, language="fr")
    carried = {f"carried-{name}": value for name, value in posted.items()}
    carried |= {"carried-page": "scenarios/1", "code": before.code}
    Client().post(reverse("resume"), carried)
    sitting.refresh_from_db()
    assert sittings.sheet_of(sitting).answers[code].option == "d"


# What has changed -------------------------------------------------------------------------------


def test_the_report_says_what_has_changed(before, after, asked):
    assert before.client.get(reverse("results")).context["report"].comparison is None
    person = come_back(before)
    person.client.post(reverse("again"))
    finish(person, asked, option="b")
    found = person.client.get(reverse("results"))
    comparison = found.context["report"].comparison
    assert comparison.earlier.moment == "before"
    assert comparison.same_form
    assert "Compared with the questionnaire you finished on" in found.text
    printed = PdfReader(BytesIO(person.client.get(reverse("report")).content))
    assert any("What has changed" in page.extract_text() for page in printed.pages)
    data = person.client.get(reverse("answers")).json()
    assert data["change"]["compared_with"]["phase"] == "before"
    assert data["change"]["scores"] == {
        shift.after.code: {
            "difference": shift.change.difference,
            "rci": shift.change.rci,
            "reliable": shift.change.reliable,
            "needed": shift.change.needed,
            "situations": None,
        }
        for shift in comparison.shifts
    }
    assert data["other_questionnaires"] == [
        {
            "opened_on": timezone.localdate().isoformat(),
            "finished_on": timezone.localdate().isoformat(),
        }
    ]


def test_it_is_compared_with_the_last_finished_one_of_its_version(person, asked):
    for _time in range(2):
        finish(person, asked)
        person.client.post(reverse("resume"), {"code": person.code})
        person.client.post(reverse("again"))
    own = sittings.of_code(normal(person.code))
    first, second, third = own
    assert sittings.finished_before(third, own) == second
    assert sittings.finished_before(second, own) == first
    assert sittings.finished_before(first, own) is None
    other = publish(replace(example_instrument(), version="9.9.9"))[0]
    second.version = other
    assert sittings.finished_before(third, own) == first
    first.version = other
    assert sittings.finished_before(third, own) == second
    second.finished_on = None
    assert sittings.finished_before(third, own) == first
    assert sittings.finished_before(third, [third]) is None


def come_back_on(other, before, after, asked) -> Person:
    """The person of ``before``, who has finished the later moment on another version."""
    Phase.objects.filter(pk=after.pk).update(version=other)
    person = come_back(before)
    person.client.post(reverse("again"))
    finish(person, asked)
    return person


def test_another_version_is_compared_through_what_it_asks_alike_and_says_so(before, after, asked):
    other = publish(replace(example_instrument(), version="9.9.9"))[0]
    person = come_back_on(other, before, after, asked)
    found = person.client.get(reverse("results"))
    assert found.context["report"].comparison.shared == 24
    assert "The questionnaire has changed since (version 1.0 then, 9.9.9 now)." in found.text
    told = person.client.get(reverse("answers")).json()["change"]
    assert told["compared_with"]["version"] == "1.0"
    shifts = found.context["report"].comparison.shifts
    assert [each["situations"] for each in told["scores"].values()] == [
        shift.common for shift in shifts if shift.change
    ]
    assert {each["difference"] for each in told["scores"].values()} == {0.0}


def test_a_version_that_asks_nothing_alike_is_not_compared_and_it_is_said_why(before, after, asked):
    words = {"fr": "Autre situation.", "en": "Another situation."}
    renewed = tuple(replace(item, stem=words) for item in example_instrument().scenarios)
    other = publish(replace(example_instrument(), version="9.9.9", scenarios=renewed))[0]
    found = come_back_on(other, before, after, asked).client.get(reverse("results"))
    assert found.context["report"].comparison is None
    assert "was of another version, with too few situations in common" in found.text


# What became of the steps -----------------------------------------------------------------------


def test_the_steps_chosen_come_first_at_a_follow_up(followed):
    shown = followed.client.get(STEPS)
    for code in followed.steps:
        assert f"I will relis {code}" in shown.text
    assert shown.text.count("<fieldset") == shown.text.count("<legend") == 2
    assert "Page 1 of 17" in shown.text
    assert "Page 2 of 17" in followed.see("context", 1).text
    assert followed.answer("context", 1, go="back").headers["Location"] == STEPS


def test_without_a_code_or_steps_nobody_is_asked(before, follow_up, phase, asked):
    stranger = Person()
    assert start(stranger, follow_up).headers["Location"] == address("context", 1)
    assert stranger.client.get(STEPS).status_code == 404
    assert "Page 1 of 16" in stranger.see("context", 1).text


def seen(person: Person) -> str:
    return person.client.get(STEPS).context["form"]["seen"].value()


def say(person: Person, *deeds: str, **more):
    said = {f"step-{code}": deed for code, deed in zip(person.steps, deeds, strict=False)}
    return person.client.post(STEPS, {"seen": seen(person)} | said | more)


def test_what_became_of_them_is_kept_counted_and_shown(followed, follow_up, asked):
    assert say(followed, "done", "not_done").headers["Location"] == address("context", 1)
    first, second = followed.steps
    assert sittings.deeds_of(followed.sitting) == {first: Deed.DONE, second: Deed.NOT_DONE}
    finish(followed, asked)
    counted = releases._counted(follow_up)[""]
    assert dict(counted.deeds[0].cells) == {"done": 1, "begun": 0, "not_done": 1}
    shown = followed.client.get(reverse("results")).text
    assert "What became of your steps" in shown
    assert f"I will relis {first}" in shown
    assert followed.client.get(reverse("answers")).json()["deeds"] == {
        first: "done",
        second: "not_done",
    }


def test_they_are_optional_and_wait_at_the_review(followed, asked):
    followed.answer_all(asked)
    say(followed, "begun")
    review = followed.client.get(reverse("review"))
    assert review.context["count"] == 1
    assert f'href="{STEPS}#q-{followed.steps[1]}"' in review.text
    say(followed, "begun", "done")
    assert "Every question is answered" in followed.client.get(reverse("review")).text
    assert followed.client.post(reverse("review")).headers["Location"] == reverse("results")


def test_skipping_them_leads_on_and_not_back(followed):
    assert say(followed).headers["Location"] == address("context", 1)
    assert followed.client.get(reverse("sitting")).headers["Location"] == address("context", 1)


def test_stopping_and_switching_the_language_keep_them(followed):
    assert say(followed, "done", go="later").headers["Location"] == reverse("leave")
    assert say(followed, "begun", language="fr").headers["Location"] == STEPS
    assert sittings.deeds_of(followed.sitting) == {followed.steps[0]: Deed.BEGUN}
    assert f'value="begun" id="id_step-{followed.steps[0]}_1" checked' in (
        followed.client.get(STEPS).text
    )


def test_a_double_submit_of_the_steps_changes_nothing(followed):
    posted = {"seen": seen(followed), f"step-{followed.steps[0]}": "done"}
    for _press in range(2):
        assert followed.client.post(STEPS, posted).status_code == 302
    assert followed.sitting.revision == 1


def test_two_tabs_of_the_steps_never_overwrite_silently(followed):
    stale = {"seen": seen(followed), f"step-{followed.steps[0]}": "not_done"}
    say(followed, "done")
    response = followed.client.post(STEPS, stale)
    assert response.status_code == 409
    assert sittings.deeds_of(followed.sitting) == {followed.steps[0]: Deed.DONE}
    again = stale | {"seen": response.context["form"]["seen"].value()}
    assert followed.client.post(STEPS, again).status_code == 302
    assert sittings.deeds_of(followed.sitting) == {followed.steps[0]: Deed.NOT_DONE}


def test_what_the_steps_do_not_offer_is_refused(followed):
    response = say(followed, "dreamt")
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert followed.sitting.deeds is None


def test_an_expired_session_keeps_the_steps_that_were_posted(followed):
    posted = {"seen": seen(followed), f"step-{followed.steps[0]}": "done"}
    sitting = followed.sitting
    followed.client.cookies.clear()
    response = followed.client.post(STEPS, posted)
    assert "Your session has ended" in response.text
    carried = dict(response.context["carried"])
    followed.client.post(reverse("resume"), carried | {"code": followed.code})
    sitting.refresh_from_db()
    assert sittings.deeds_of(sitting) == {followed.steps[0]: Deed.DONE}


def test_a_stale_tab_of_another_persons_steps_writes_nothing(followed, follow_up, phase, asked):
    """A’s page is still open when B, who has steps of the same kind, takes over."""
    posted = {"seen": seen(followed), f"step-{followed.steps[0]}": "done"}
    other = Person()
    with thawed(Phase), frozen.thawed(Phase):
        Phase.objects.filter(pk=phase.pk).update(closed_on=None)
    Phase.objects.filter(pk=follow_up.pk).update(paused=True)
    other.begin(door(phase))
    finish(other, asked)
    other.steps = choose_steps(other)
    Phase.objects.filter(pk=follow_up.pk).update(paused=False)
    other.client.post(reverse("again"))
    assert other.sitting.phase == follow_up
    followed.client.post(reverse("resume"), {"code": other.code})
    followed.client.post(STEPS, posted)
    assert other.sitting.deeds is None
    # Nor through the resume form.
    carried = {f"carried-{name}": value for name, value in posted.items()}
    Client().post(reverse("resume"), carried | {"carried-page": "steps/1", "code": other.code})
    assert other.sitting.deeds is None


def test_finished_answers_to_the_steps_no_longer_change(followed, asked):
    posted = {"seen": seen(followed), f"step-{followed.steps[0]}": "done"}
    stale = followed.sitting
    finish(followed, asked)
    assert followed.client.post(STEPS, posted).headers["Location"] == reverse("results")
    with pytest.raises(sittings.Finished):
        sittings.keep_deeds(stale, [(followed.steps[0], Deed.DONE)])
    assert followed.sitting.deeds is None


def test_steps_whose_questionnaire_was_erased_are_still_told(followed, asked):
    say(followed, "done")
    finish(followed, asked)
    first = sittings.of_code(normal(followed.code))[0]
    sittings.erase(first)
    assert "What became of your steps" in followed.client.get(reverse("results")).text


# Erasing ----------------------------------------------------------------------------------------


def test_everything_is_erased_at_once(followed):
    shown = followed.client.get(reverse("erase")).text
    assert "before the training" in shown
    assert "follow-up" in shown
    followed.client.post(reverse("erase"))
    assert Sitting.objects.count() == 0
    assert followed.client.get(reverse("sitting")).headers["Location"] == reverse("resume")


def test_or_the_one_that_is_open_alone(followed):
    followed.client.post(reverse("turn"), {"number": "1"})
    posted = {"what": "this", "seen": followed.client.get(reverse("erase")).context["seen"]}
    for _press in range(2):  # the second finds another open, and leaves it alone
        response = followed.client.post(reverse("erase"), posted)
        assert "Your code still opens your others" in response.text
    assert [each.phase.kind for each in Sitting.objects.all()] == ["follow-up"]
    assert followed.sitting.phase.kind == "follow-up"
    assert "Your questionnaires" not in followed.client.get(reverse("leave")).text
    assert followed.client.session["own"] == [followed.sitting.pk]
    assert sittings.find_by_code(normal(followed.code)) == followed.sitting


def test_one_is_erased_as_its_page_said_though_another_was_opened_since(followed):
    posted = {"what": "this", "seen": followed.client.get(reverse("erase")).context["seen"]}
    followed.client.post(reverse("turn"), {"number": "1"})
    followed.client.post(reverse("erase"), posted)
    assert [each.phase.kind for each in Sitting.objects.all()] == ["before"]
    assert followed.sitting.phase.kind == "before"


def test_a_form_displayed_by_one_questionnaire_does_not_erase_another(followed):
    """Turning to another questionnaire ends the forms of the one before."""
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    strict.cookies = followed.client.cookies
    token = re.search(
        r'name="csrfmiddlewaretoken" value="([^"]+)"', strict.get(reverse("erase")).text
    ).group(1)
    turning = {"number": "1", "csrfmiddlewaretoken": token}
    assert strict.post(reverse("turn"), turning).status_code == 302
    erasing = {"what": "this", "csrfmiddlewaretoken": token}
    assert strict.post(reverse("erase"), erasing).status_code == 403
    assert Sitting.objects.count() == 2


# Who may tell that two questionnaires are one person's ------------------------------------------


def test_nothing_that_is_kept_links_two_moments(before, after):
    person = Person()
    start(person, after, before.code)
    one, two = Sitting.objects.order_by("phase__kind").values()
    telling = {name for name in one if one[name] == two[name] and one[name] not in (None, False)}
    # What they share, everybody of the group shares: no key, no hash, no reference.
    assert telling <= {"version_id", "form", "language", "opened_on", "revision"}
    assert one["code_hash"] != two["code_hash"]
    assert {field.related_model for field in Sitting._meta.get_fields() if field.is_relation} == {
        Phase,
        type(after.version),
    }


def test_the_code_is_in_no_session_log_or_address(before, after, asked, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    person = Person()
    code = normal(before.code)
    visited: list[str] = []
    request = person.client.request

    def recorded(**environ):
        visited.append(environ["PATH_INFO"] + "?" + environ.get("QUERY_STRING", ""))
        response = request(**environ)
        visited.append(response.headers.get("Location", ""))
        return response

    monkeypatch.setattr(person.client, "request", recorded)
    start(person, after, before.code)
    finish(person, asked)
    person.client.post(reverse("turn"), {"number": "1"})
    person.client.post(reverse("certificate"), {"results": "on"})
    person.client.post(reverse("resume"), {"code": before.code})
    person.client.get(reverse("again"))
    stored = [session.get_decoded() for session in Session.objects.all()]
    keys = {str(sitting.pk) for sitting in Sitting.objects.all()}
    assert [set(each) for each in stored if "own" in each]
    for each in stored:
        assert code not in json.dumps(each).upper().replace("-", "")
    # The statements of the database are logged here as they never are in service.
    said = [record.getMessage() for record in caplog.records if "sql" not in record.__dict__]
    for text in [*visited, *said]:
        assert code not in text.upper().replace("-", "")
        assert not any(key in text for key in keys)


def test_the_session_holds_keys_and_the_next_hash_alone(before, after):
    person = Person()
    start(person, after, before.code)
    found = sittings.of_code(normal(before.code))
    assert dict(person.client.session.items()) == {
        "sitting": found[1].pk,
        "own": [each.pk for each in found],
        "next": sittings.next_hash(
            normal(before.code), sittings.of_code(normal(before.code))
        ).hex(),
    }


def test_leaving_or_another_code_forgets_the_list(followed, person):
    followed.client.post(reverse("resume"), {"code": person.code})
    assert followed.client.session["own"] == [person.sitting.pk]
    assert "relis" not in followed.client.get(reverse("leave")).text
    assert followed.client.get(STEPS).status_code == 404
    followed.client.post(reverse("leave"))
    assert "own" not in followed.client.session


def test_a_page_of_questions_looks_for_no_other_questionnaire(before, after):
    """Outside a follow-up, the list of one's own is not even read."""
    person = Person()
    start(person, after, before.code)
    with CaptureQueriesContext(connection) as queries:
        person.see("scenarios", 1)
    reads = [query["sql"] for query in queries if 'FROM "assessments_sitting"' in query["sql"]]
    assert len(reads) == 1


# The certificate --------------------------------------------------------------------------------


def certificate(person: Person, **ticked: str) -> tuple[PdfReader, str]:
    response = person.client.post(reverse("certificate"), ticked)
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="readiness-certificate.pdf"'
    )
    reader = PdfReader(BytesIO(response.content))
    return reader, " ".join("".join(page.extract_text() for page in reader.pages).split())


def test_the_certificate_shows_no_result_unless_ticked(before):
    reader, text = certificate(before)
    assert len(reader.pages) == 1
    assert "before the training" in text
    assert "Next steps chosen 2" in text
    assert "Results, shown at the bearer" not in text
    assert "interval" not in text
    assert "Urgences" not in text
    _reader, text = certificate(before, results="on")
    assert "Results, shown at the bearer" in text
    score = before.client.get(reverse("results")).context["report"].standings[0].score
    assert f"{round(score.interval.lower)} to {round(score.interval.upper)}" in text
    assert "Urgences" not in text
    _reader, text = certificate(before, group="on")
    assert "Urgences" in text
    assert "interval" not in text


def test_its_metadata_name_nobody(before):
    reader, _text = certificate(before, group="on")
    assert set(reader.metadata) == {"/Producer", "/Title"}
    assert "Urgences" not in reader.metadata.title
    assert b"pdfuaid:part" in reader.trailer["/Root"]["/Metadata"].get_object().get_data()


def test_only_a_finished_questionnaire_has_one(person):
    assert person.client.get(reverse("certificate")).headers["Location"] == reverse("sitting")
    assert person.client.post(reverse("certificate")).headers["Location"] == reverse("sitting")
    assert Client().post(reverse("certificate")).headers["Location"] == reverse("resume")


def test_without_a_group_none_can_be_named(person, asked):
    finish(person, asked)
    assert 'name="group"' not in person.client.get(reverse("certificate")).text
    _reader, text = certificate(person, group="on")
    assert "Moment" not in text
