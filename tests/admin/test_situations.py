"""Situations one by one, and the projector."""

import re

import pytest
from django.urls import reverse

from assessments.instruments import instrument_of
from assessments.models import Phase

from .markup import read


@pytest.fixture
def close(phase, desk, answer):
    """Close the phase once some people have answered."""

    def close(people: int) -> None:
        answer(phase, people)
        desk.post(reverse("admin:assessments_cohort_close", args=(phase.cohort_id, phase.pk)))

    return close


@pytest.fixture
def there(phase):
    return reverse("admin:assessments_cohort_situations", args=(phase.cohort_id, phase.pk))


@pytest.fixture
def scenarios(phase):
    return instrument_of(phase.version.digest).scenarios_of("A")


def projected(phase: Phase, number: int, stage: str) -> str:
    return reverse(
        "admin:assessments_cohort_debriefing", args=(phase.cohort_id, phase.pk, number, stage)
    )


def test_every_situation_is_told_with_key_shares_explanation_and_sources(
    desk, close, there, scenarios, phase
):
    close(24)
    answer = desk.get(there)
    page = read(answer)
    assert re.findall(r'<h2 id="([\w-]+)">', page.source) == [item.code for item in scenarios]
    for number, (item, scenario) in enumerate(
        zip(answer.context["results"].situations, scenarios, strict=True), 1
    ):
        assert [choice.letter for choice in item.choices] == ["A", "B", "C", "D", ""]
        start = page.source.index(f'<h2 id="{scenario.code}">')
        part = page.source[start : page.source.index("</section>", start)]
        told = read_part(part)
        assert told.index(scenario.stem["en"]) < told.index(scenario.explanation["en"])
        places = [told.index(f"{option.text['en']}") for option in scenario.options]
        assert places == sorted(places)
        assert told.count("Best option") >= 1
        assert ("At risk" in told) == any(option.unsafe for option in scenario.options)
        assert "read on" in told
        assert f'href="{projected(phase, number, "question")}"' in part
    assert len(page.charts) == len(page.titles) == len(scenarios)
    assert page.source.count('id="A1-1"') == page.source.count('href="#A1-1"') == 1


def read_part(source: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", source))


def test_the_index_gives_the_shares_of_each_situation(desk, close, there):
    close(24)
    answer = desk.get(there)
    first, *_others = answer.context["results"].situations
    unsafe = next(one for one in first.choices if one.option and one.option.unsafe)
    best = next(one for one in first.choices if one.option and one.option.credit == 1)
    assert (first.best, first.unsafe) == (best.share, unsafe.share)
    third = answer.context["results"].situations[2]
    assert third.unsafe is None


@pytest.mark.parametrize(
    ("rolling", "people", "said"),
    [
        (False, 12, "only when each publication counts at least 22 people"),
        (True, 22, "a long-running phase is published in blocks of fewer than 22 people"),
    ],
)
def test_where_shares_are_withheld_the_rest_is_there(
    desk, phase, answer, close, there, scenarios, rolling, people, said
):
    Phase.objects.update(rolling=rolling)
    phase.refresh_from_db()
    answer(phase, people) if rolling else close(people)
    page = read(desk.get(there))
    assert said in page.text
    assert not page.charts
    assert "%" not in page.text
    for scenario in scenarios:
        assert scenario.stem["en"] in page.text
        assert scenario.explanation["en"] in page.text
        assert scenario.best.text["en"] in page.text
    for stage in ("question", "answers", "explanation"):
        shown = read(desk.get(projected(phase, 1, stage)))
        assert "%" not in shown.text
    assert "too small" in read(desk.get(projected(phase, 1, "answers"))).text


def test_without_results_there_is_nothing_to_take_up(desk, phase, there):
    results = reverse("admin:assessments_cohort_results", args=(phase.cohort_id, phase.pk))
    assert desk.get(there).url == results
    assert desk.get(projected(phase, 1, "question")).url == results


# --- The projector ------------------------------------------------------------------------------


def test_a_situation_is_projected_in_three_stages(desk, phase, close, scenarios):
    close(24)
    scenario = scenarios[0]
    key = ("Best option", "Acceptable option", "Wrong option", "At risk")
    question, answers, explanation = (
        read(desk.get(projected(phase, 1, stage)))
        for stage in ("question", "answers", "explanation")
    )
    for page in (question, answers, explanation):
        assert "Situation 1 of 24" in page.text
        assert scenario.topic["en"] in page.text
        for option in scenario.options:
            assert option.text["en"] in page.text
    assert scenario.stem["en"] in question.text
    assert "%" in answers.text
    for page in (question, answers):
        assert not [word for word in key if word in page.text]
        assert scenario.explanation["en"] not in page.text
    assert "%" not in question.text + explanation.text
    for word in key:
        assert word in explanation.text
    assert scenario.explanation["en"] in explanation.text
    assert "read on" in explanation.text


def test_nothing_else_is_projected(desk, phase, close, trainer):
    close(24)
    for stage in ("question", "answers", "explanation"):
        page = desk.get(projected(phase, 2, stage))
        assert trainer.get_username() not in page.text
        assert phase.cohort.name not in page.text
        assert phase.cohort.code not in page.text
        assert "user-tools" not in page.text
        assert not read(page).scripted
        assert not read(page).styled


def test_one_walks_through_all_of_them_and_out(desk, phase, close, scenarios):
    close(24)
    results = reverse("admin:assessments_cohort_results", args=(phase.cohort_id, phase.pk))
    there, walked = projected(phase, 1, "question"), []
    while there:
        page = desk.get(there).text
        walked.append(there)
        assert f'href="{results}" data-key="Escape"' in page
        found = re.search(r'href="([^"]+)" rel="next"', page)
        back = re.search(r'href="([^"]+)" rel="prev"', page)
        assert (back and back[1]) == (walked[-2] if len(walked) > 1 else None)
        there = found and found[1]
    assert walked == [
        projected(phase, number, stage)
        for number in range(1, len(scenarios) + 1)
        for stage in ("question", "answers", "explanation")
    ]
    assert f'class="next" href="{results}"' in page


@pytest.mark.parametrize(("number", "stage"), [(0, "question"), (25, "question"), (1, "key")])
def test_what_is_not_there_is_not_projected(desk, phase, close, number, stage):
    close(24)
    assert desk.get(projected(phase, number, stage)).status_code == 404


def test_the_projector_speaks_the_readers_language(desk, phase, close):
    close(24)
    page = desk.get(projected(phase, 1, "explanation"), headers={"accept-language": "fr"})
    assert '<html lang="fr">' in page.text
    assert "Pourquoi, pour A1-1." in page.text
    assert "Meilleure option" in page.text
    assert "À risque" in page.text
