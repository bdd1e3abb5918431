"""Answering page by page: saved at once, never lost, never overwritten in silence."""

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments import sittings
from assessments.models import Sitting
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet
from assessments.sittings import questionnaire_of, sheet_of

from .conftest import Person, address, answers, seen_on


@pytest.fixture
def scenarios(asked):
    return asked.page("scenarios", 1).items


@pytest.fixture
def sure(asked) -> str:
    return asked.instrument.confidence_scale[-1].code


def test_a_page_is_saved_and_the_next_one_comes(person, scenarios, sure):
    first, second = scenarios
    response = person.answer(
        "scenarios",
        1,
        **{f"answer-{first.code}": "b", f"confidence-{first.code}": sure},
        **{f"answer-{second.code}": DONT_KNOW},
    )
    assert response.headers["Location"] == address("scenarios", 2)
    kept = sheet_of(person.sitting).answers
    assert (kept[first.code].option, kept[first.code].confidence) == ("b", sure)
    assert (kept[second.code].option, kept[second.code].confidence) == (DONT_KNOW, None)


def test_saving_a_page_is_one_update(person, asked, sure):
    page = asked.page("scenarios", 1)
    data = answers(asked, page, "a", sure) | {"seen": person.seen("scenarios", 1)}
    with CaptureQueriesContext(connection) as queries:
        person.client.post(address("scenarios", 1), data)
    written = [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]
    assert len(written) == 1
    assert "assessments_sitting" in written[0]


def test_a_page_of_words_reads_no_session(person):
    """So that it is there, too, while the database is away."""
    for name in ("privacy", "accessibility", "resume", "live"):
        with CaptureQueriesContext(connection) as queries:
            person.client.get(reverse(name))
        assert [query["sql"] for query in queries] == []


def test_what_was_answered_is_shown_again(person, scenarios):
    code = scenarios[0].code
    person.answer("scenarios", 1, **{f"answer-{code}": "c"})
    shown = person.see("scenarios", 1).text
    assert f'name="answer-{code}" value="c" id="id_answer-{code}_2" checked' in shown


def test_back_saves_too(person, scenarios):
    code = scenarios[0].code
    response = person.answer("scenarios", 1, go="back", **{f"answer-{code}": "c"})
    assert response.headers["Location"] == address("self-ratings", 3)
    assert sheet_of(person.sitting).answers[code].option == "c"


def test_stopping_saves_too(person, scenarios):
    code = scenarios[0].code
    response = person.answer("scenarios", 1, go="later", **{f"answer-{code}": "c"})
    assert response.headers["Location"] == reverse("leave")
    assert sheet_of(person.sitting).answers[code].option == "c"


def test_switching_the_language_saves_and_stays(person, scenarios):
    code = scenarios[0].code
    response = person.answer("scenarios", 1, language="fr", **{f"answer-{code}": "c"})
    assert response.headers["Location"] == address("scenarios", 1)
    assert response.cookies[settings.LANGUAGE_COOKIE_NAME].value == "fr"
    assert sheet_of(person.sitting).answers[code].option == "c"
    assert person.sitting.language == "fr"
    assert 'lang="fr"' in person.see("scenarios", 1).text[:100]


def test_an_unknown_language_is_not_believed(person):
    response = person.answer("scenarios", 1, language="xx")
    assert settings.LANGUAGE_COOKIE_NAME not in response.cookies


def test_a_double_submit_changes_nothing(person, scenarios):
    code = scenarios[0].code
    seen = person.seen("scenarios", 1)
    for _press in range(2):
        response = person.client.post(
            address("scenarios", 1), {"seen": seen, f"answer-{code}": "c"}
        )
        assert response.status_code == 302
    assert person.sitting.revision == 1


def test_two_tabs_never_overwrite_silently(person, scenarios):
    code = scenarios[0].code
    stale = person.seen("scenarios", 1)
    person.answer("scenarios", 1, **{f"answer-{code}": "a"})
    late = {"seen": stale, f"answer-{code}": "b"}
    response = person.client.post(address("scenarios", 1), late)
    assert response.status_code == 409
    assert "another tab" in response.text
    assert sheet_of(person.sitting).answers[code].option == "a"
    # The late tab keeps its answers on the screen; saving them again is a decision.
    assert f'value="b" id="id_answer-{code}_1" checked' in response.text
    again = late | {"seen": seen_on(response.text)}
    assert person.client.post(address("scenarios", 1), again).status_code == 302
    assert sheet_of(person.sitting).answers[code].option == "b"


def test_saves_of_two_pages_at_once_both_hold(person, asked, scenarios):
    """Two requests read the sitting before either writes."""
    one, two = person.sitting, person.sitting
    first, second = asked.page("scenarios", 1), asked.page("self-ratings", 1)
    code, rating = first.items[0].code, second.items[0].code
    sittings.save_page(
        one,
        first,
        Sheet(answers={code: ScenarioAnswer("a", None)}),
        seen=None,
        language="en",
    )
    sittings.save_page(two, second, Sheet(self_ratings={rating: 4}), seen=None, language="en")
    kept = sheet_of(person.sitting)
    assert kept.answers[code].option == "a"
    assert kept.self_ratings[rating] == 4


def test_an_answer_that_does_not_exist_is_refused_and_nothing_is_lost(person, scenarios):
    first, second = scenarios
    person.answer("scenarios", 1, **{f"answer-{first.code}": "a"})
    response = person.answer(
        "scenarios", 1, **{f"answer-{first.code}": "z", f"answer-{second.code}": "b"}
    )
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert f'value="b" id="id_answer-{second.code}_1" checked' in response.text
    assert sheet_of(person.sitting).answers[first.code].option == "a"


def test_an_expired_session_keeps_the_page_that_was_posted(person, scenarios):
    code = scenarios[0].code
    sitting = person.sitting
    posted = {f"answer-{code}": "d", "seen": person.seen("scenarios", 1)}
    person.client.session.flush()
    person.client.cookies.clear()
    response = person.client.post(address("scenarios", 1), posted)
    assert "Your session has ended" in response.text
    carried = dict(response.context["carried"])
    # A mistyped code on the way loses nothing either.
    response = person.client.post(reverse("resume"), carried | {"code": "2222 2222 2222 2222"})
    carried = dict(response.context["carried"])
    response = person.client.post(reverse("resume"), carried | {"code": person.code})
    assert response.headers["Location"] == address("scenarios", 2)
    sitting.refresh_from_db()
    assert sheet_of(sitting).answers[code].option == "d"


def test_a_carried_page_that_was_answered_elsewhere_is_sent_again_where_it_belongs(
    person, scenarios
):
    code = scenarios[0].code
    posted = {f"answer-{code}": "d", "seen": person.seen("scenarios", 1)}
    person.answer("scenarios", 1, **{f"answer-{code}": "a"})
    carried = {f"carried-{name}": value for name, value in posted.items()}
    carried |= {"carried-page": "scenarios/1", "code": person.code}
    response = Client().post(reverse("resume"), carried)
    assert response.status_code == 409
    assert f'<form method="post" action="{address("scenarios", 1)}" id="step-form"' in response.text


def test_a_carried_page_that_does_not_exist_is_not_found(person):
    data = {"code": person.code, "carried-page": "scenarios/99"}
    assert Client().post(reverse("resume"), data).status_code == 404
    for spoilt in ("x/²", "context/", "context/" + "9" * 5_000, "context/1" + "\0" * 5):
        answer = Client().post(reverse("resume"), data | {"carried-page": spoilt})
        assert answer.headers["Location"] == reverse("sitting")


def test_coming_back_leads_to_where_one_was(person, asked, sure):
    def leads() -> str:
        return person.client.get(reverse("sitting")).headers["Location"]

    assert leads() == address("context", 1)
    # The self-ratings are left out: they wait for the review.
    person.answer("scenarios", 2, **answers(asked, asked.page("scenarios", 2), "a", sure))
    assert leads() == address("scenarios", 3)
    half = answers(asked, asked.page("scenarios", 3), "a", sure)
    person.answer("scenarios", 3, **dict(list(half.items())[:2]))
    assert leads() == address("scenarios", 3)
    person.answer("scenarios", 12, **answers(asked, asked.page("scenarios", 12), "a", sure))
    assert leads() == reverse("review")


def test_the_review_lists_what_is_missing_one_press_away(person, asked, scenarios):
    first, second = scenarios
    person.answer_all(asked)
    person.answer("scenarios", 1, **{f"answer-{first.code}": "a"})
    shown = person.client.get(reverse("review"))
    assert shown.context["count"] == 2  # one without confidence, one without an answer
    for item in (first, second):
        assert f'href="{address("scenarios", 1)}#q-{item.code}"' in shown.text
    assert f'id="q-{first.code}"' in person.see("scenarios", 1).text


def test_finishing_needs_at_least_one_situation(person):
    response = person.client.post(reverse("review"))
    assert "Answer at least one situation" in response.text
    assert person.sitting.finished_on is None


def test_finishing_is_explicit_and_final(person, asked, scenarios):
    person.answer_all(asked, option="a")
    assert person.sitting.finished_on is None
    response = person.client.post(reverse("review"))
    assert response.headers["Location"] == reverse("results")
    sitting = person.sitting
    assert sitting.finished_on is not None
    assert len(bytes(sitting.outcomes)) == len(asked.instrument.domains)
    late = person.client.post(
        address("scenarios", 1), {f"answer-{scenarios[0].code}": "b", "seen": "00"}
    )
    assert late.headers["Location"] == reverse("results")
    assert sheet_of(person.sitting).answers[scenarios[0].code].option == "a"
    assert person.client.post(reverse("review")).headers["Location"] == reverse("results")


def test_finished_between_two_tabs_is_noticed_by_the_save(person, asked):
    person.answer_all(asked)
    stale = Sitting.objects.select_related("version").get(pk=person.sitting.pk)
    sittings.finish(person.sitting)
    page = questionnaire_of(stale).pages[0]
    with pytest.raises(sittings.Finished):
        sittings.save_page(stale, page, Sheet(), seen=None, language="en")


def test_progress_says_pages_and_minutes(person):
    shown = person.see("scenarios", 12).text
    assert "Page 16 of 16" in shown
    assert "about 2 minutes left" in shown


def test_pages_that_do_not_exist(person):
    assert person.see("scenarios", 13).status_code == 404
    assert person.see("nothing", 1).status_code == 404


@pytest.mark.parametrize(
    ("data", "status"),
    [({"seen": "0" * 300_000}, 413), ({f"field-{number}": "x" for number in range(1_000)}, 400)],
)
def test_a_huge_post_is_refused_calmly(person, data, status):
    response = person.client.post(address("scenarios", 1), data)
    assert response.status_code == status
    assert "What had been saved before still is" in response.text


@pytest.mark.parametrize("seen", ["\0", "zz", "00" * 400, ""])
def test_a_page_of_nobody_is_not_saved(person, scenarios, seen):
    code = scenarios[0].code
    response = person.client.post(address("scenarios", 1), {"seen": seen, f"answer-{code}": "b"})
    assert response.headers["Location"] == address("scenarios", 1)
    assert "displayed for another questionnaire" in person.see("scenarios", 1).text
    assert code not in sheet_of(person.sitting).answers


def test_one_persons_tab_never_writes_into_another_sitting(person, scenarios, version):
    """A’s page is still open when B takes over the ward’s computer."""
    code = scenarios[0].code
    posted = {f"answer-{code}": "d", "seen": person.seen("scenarios", 1)}
    second = Person()
    second.begin()
    person.client.post(reverse("resume"), {"code": second.code})
    person.client.post(address("scenarios", 1), posted)
    assert not sheet_of(second.sitting).answers
    # Nor through the resume form, when A’s session had ended and B types their code.
    carried = {f"carried-{name}": value for name, value in posted.items()}
    carried |= {"carried-page": "scenarios/1", "code": second.code}
    Client().post(reverse("resume"), carried)
    assert not sheet_of(second.sitting).answers


def test_a_stale_form_is_told_what_to_do(version):
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    response = strict.post(reverse("landing"))
    assert response.status_code == 403
    assert "Go back to it" in response.text


def test_a_stale_page_of_questions_loses_nothing(person, scenarios):
    code = scenarios[0].code
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    posted = {f"answer-{code}": "d", "seen": person.seen("scenarios", 1)}
    response = strict.post(address("scenarios", 1), posted)
    assert response.status_code == 403
    carried = dict(response.context["carried"])
    Client().post(reverse("resume"), carried | {"code": person.code})
    assert sheet_of(person.sitting).answers[code].option == "d"
