"""What the results page says beyond one moment: change, others, classes, steps; and what it
withholds."""

import re

import msgspec
import pytest
from django.urls import reverse

from assessments import cohorts, releases
from assessments.cohort.counts import Deed
from assessments.instrument.document import Instrument
from assessments.instruments import publish
from assessments.models import Cohort, InstrumentVersion, Phase, Release
from tests.instrument.example import example_instrument

from .conftest import TODAY
from .markup import read


def plan(cohort, trainer, kind: str, **more: object) -> Phase:
    made = Phase(cohort=cohort, kind=kind, opens_on=TODAY, **more)
    cohorts.plan(made, trainer)
    return made


def results(phase: Phase) -> str:
    return reverse("admin:assessments_cohort_results", args=(phase.cohort_id, phase.pk))


@pytest.fixture
def published(trainer, answer):
    """A phase that some people answered, published."""

    def make(cohort: Cohort, kind: str = "before", people: int = 24, **more) -> Phase:
        planned = {key: more.pop(key) for key in ("breakdown",) if key in more}
        phase = plan(cohort, trainer, kind, **planned)
        answer(phase, people, **more)
        releases.close(phase, trainer)
        return phase

    return make


@pytest.fixture
def group(version, trainer):
    """Another cohort of the same trainer's."""

    def make(name: str) -> Cohort:
        cohort = Cohort(name=name)
        cohorts.create(cohort, trainer)
        return cohort

    return make


def sections(page) -> list[str]:
    return re.findall(r'<h2 id="([a-z]+)">', page.source)


# --- Change -------------------------------------------------------------------------------------


def test_what_has_changed_is_said_with_its_interval_and_its_size(desk, cohort, published):
    published(cohort, ability=-1.5, people=40)
    after = published(cohort, "after", ability=2.5, people=40)
    answer = desk.get(results(after))
    page = read(answer)
    (change,) = answer.context["results"].changes
    assert sections(page)[:3] == ["answered", "changes", "standing"]
    assert "may not be the same people" in page.text
    for item in change.domains:
        assert item.change.changed
        assert item.change.difference.estimate.lower > 0
        assert f"{item.domain.title['en']}: higher, more than chance." in page.text
    assert "Effect size: large (+" in page.text
    assert page.text.count("more than chance") == 6  # in a sentence, and in the table
    assert [row.hollow for row in change.chart.rows] == [True, False] * 3
    (title,) = [title for title in page.titles if "before the training, " in title]
    assert len(re.findall(r"\d+ \(\d+ to \d+\)", title)) == 6


def test_no_change_is_called_within_chance(desk, cohort, published):
    published(cohort)
    answer = desk.get(results(published(cohort, "follow-up")))
    (change,) = answer.context["results"].changes
    expected = sum(not item.change.changed for item in change.domains)
    assert expected >= 2
    assert read(answer).text.count(": within what chance can do.") == expected


def test_two_forms_are_said_to_differ(desk, cohort, published):
    published(cohort)
    after, later = published(cohort, "after"), published(cohort, "follow-up")
    said = "The two moments did not ask the same situations."
    assert read(desk.get(results(after))).text.count(said) == 1  # A, then B
    page = read(desk.get(results(later))).text
    assert page.count(said) == 1  # A again: only what B was compared with differs
    assert "Since the moment “before the training”" in page
    assert "Since the moment “after the training”" in page


def test_a_moment_on_a_version_with_too_little_in_common_is_not_compared(desk, cohort, published):
    published(cohort)
    InstrumentVersion.objects.update(retired_on=TODAY)
    publish(msgspec.structs.replace(example_instrument(("A", "B")), version="2026.2"))
    page = read(desk.get(results(published(cohort, "after"))))
    assert "changes" not in sections(page)
    assert (
        "The change since the moment “before the training”: the version of the questionnaire used "
        "then has too few situations in common with this one."
    ) in page.text  # form A, then form B: two or three anchors a domain
    assert "no earlier moment of this cohort" not in page.text


def reworded(*codes: str) -> Instrument:
    """The next version, with other words for these situations."""
    now = example_instrument(("A", "B"))
    scenarios = tuple(
        msgspec.structs.replace(item, stem={"fr": "Autre", "en": "Other"})
        if item.code in codes
        else item
        for item in now.scenarios
    )
    return msgspec.structs.replace(now, version="2026.2", scenarios=scenarios)


def test_a_moment_on_another_version_is_compared_through_common_situations(desk, cohort, published):
    published(cohort)
    InstrumentVersion.objects.update(retired_on=TODAY)
    form_a = example_instrument(("A", "B")).scenarios_of("A")
    of_a = [item.code for item in form_a if item.sub_competency.startswith("A")]
    publish(reworded(*of_a[:5]))
    later = published(cohort, "follow-up")
    answer = desk.get(results(later))
    (change,) = answer.context["results"].changes
    assert change.versions == ("1.0", "2026.2")
    assert [item.common for item in change.domains] == [3, 8, 8]
    estimates = [item.change.difference.estimate for item in change.domains]
    assert [estimate is None for estimate in estimates] == [True, False, False]
    page = read(answer).text
    assert (
        "The questionnaire changed between the two (version 1.0, then 2026.2). Only the 19 "
        "situations that both asked alike are compared: the means here are of these alone."
    ) in page
    assert "not compared: fewer than 4 situations in common" in page


def test_where_situations_are_withheld_two_versions_are_not_compared(desk, cohort, published):
    published(cohort, people=12)
    InstrumentVersion.objects.update(retired_on=TODAY)
    publish(reworded())
    answer = desk.get(results(published(cohort, "follow-up", people=30)))
    (change,) = answer.context["results"].changes
    assert [item.common for item in change.domains] == [8, 8, 8]
    assert {item.change.difference.withheld for item in change.domains} == {"too_few_people"}
    assert not change.chart.rows


def test_without_an_earlier_moment_no_change_is_shown_and_the_page_says_why(
    desk, cohort, published
):
    page = read(desk.get(results(published(cohort, "after"))))
    assert "changes" not in sections(page)
    assert "no earlier moment of this cohort has published results" in page.text


def test_before_the_training_nothing_is_said_of_change(desk, cohort, published):
    page = read(desk.get(results(published(cohort)))).text
    assert "What has changed" not in page


# --- Other groups -------------------------------------------------------------------------------


def test_other_groups_are_shown_from_two_on(desk, cohort, group, published):
    own = published(cohort)
    published(group("Ward 1"), people=30)
    alone = read(desk.get(results(own)))
    assert "Other groups" not in alone.text
    assert "fewer than two other groups have published results" in alone.text
    published(group("Ward 2"), people=30)
    answer = desk.get(results(own))
    page = read(answer)
    reference = answer.context["results"].reference
    assert reference.at_least == 60
    assert "at least 60 people" in page.text
    assert "fewer than two" not in page.text
    assert page.source.count('d="M-7 0H7L0 9Z"') == 3
    for figure in reference.domains:
        assert f"Mean of all other groups: {figure.estimate.value:.0f}." in " ".join(page.titles)


# --- Classes ------------------------------------------------------------------------------------


def test_a_breakdown_is_shown_where_every_class_is_large_enough(desk, cohort, trainer, answer):
    phase = plan(cohort, trainer, "before", breakdown="profession")
    answer(phase, 22, profession="nurse")
    answer(phase, 24, profession="physician")
    releases.close(phase, trainer)
    page = read(desk.get(results(phase)))
    assert "Profession by profession" in page.text
    assert "No breakdown other than the one chosen" in page.text
    titles = [title for title in page.titles if "mean of each class" in title]
    assert len(titles) == 3
    for title in titles:
        assert re.search(r"physician, \d+ \(\d+ to \d+\); nurse, \d+ \(\d+ to \d+\)", title)
    assert page.source.count('scope="row">nurse<') == 1
    assert "calibration" in sections(page)


def test_a_breakdown_with_a_small_class_is_withheld_and_the_page_says_why(
    desk, cohort, trainer, answer
):
    phase = plan(cohort, trainer, "before", breakdown="profession")
    answer(phase, 20, profession="nurse")
    answer(phase, 3, profession="physician")
    releases.close(phase, trainer)
    page = read(desk.get(results(phase)))
    assert "classes" not in sections(page)
    assert "The breakdown by profession chosen for this phase: at least one class" in page.text
    assert "nurse" not in page.text


def test_classes_of_fewer_than_twice_the_threshold_withhold_situations(
    desk, cohort, trainer, answer
):
    phase = plan(cohort, trainer, "before", breakdown="profession")
    for profession in ("nurse", "physician"):
        answer(phase, 12, profession=profession)
    releases.close(phase, trainer)
    page = read(desk.get(results(phase)))
    assert "classes" in sections(page)
    assert "unsafe" not in sections(page)
    assert "each publication counts at least 22 people" in page.text


# --- What became of the steps -------------------------------------------------------------------


def test_what_became_of_the_steps_is_told_of_those_who_were_asked(desk, cohort, published):
    later = published(cohort, "follow-up", people=30, deeds=[Deed.DONE, Deed.BEGUN, Deed.NOT_DONE])
    answer = desk.get(results(later))
    page = read(answer)
    assert sections(page).index("deeds") == sections(page).index("steps") + 1
    assert "Only those who brought the code of their first answers were asked." in page.text
    (title,) = [title for title in page.titles if title.startswith("Steps chosen before:")]
    assert re.findall(r"(done|begun|not done), (\d+)%", title) == [
        (name, str(item.share.points))
        for name, item in zip(
            ("done", "begun", "not done"), answer.context["results"].deeds, strict=True
        )
    ]


def test_where_nobody_brought_a_code_the_page_says_why_steps_are_missing(desk, cohort, published):
    page = read(desk.get(results(published(cohort, "follow-up"))))
    assert "deeds" not in sections(page)
    assert "What became of the steps chosen before: only those who brought the code" in page.text
    before = read(desk.get(results(published(cohort))))
    assert "What became of the steps" not in before.text


# --- What was published -------------------------------------------------------------------------


def test_of_many_blocks_the_latest_are_listed_and_the_others_counted(desk, cohort, trainer, answer):
    phase = plan(cohort, trainer, "before", rolling=True)
    answer(phase, 11 * 12)
    digests = list(Release.objects.values_list("digest", flat=True))
    page = read(desk.get(results(phase)))
    assert len(digests) == 11
    assert [digest in page.text for digest in digests] == [False] * 3 + [True] * 8
    assert "3 other publications are counted here and not listed." in page.text


def test_the_files_are_named_above_what_they_hold(desk, cohort, published):
    phase = published(cohort)
    page = read(desk.get(results(phase)))
    for name in ("results.pdf", "results.xlsx", "results.csv", "results.json"):
        there = reverse("admin:assessments_cohort_export", args=(phase.cohort_id, phase.pk, name))
        assert f'href="{there}"' in page.source
    assert "hold the figures of this page, none finer" in page.text


def test_the_example_links_to_nothing_of_the_admin(version, client):
    page = read(client.get(reverse("example"), headers={"accept-language": "en"}))
    assert "/admin/" not in page.source
    assert "Take these results away" not in page.source
    assert "confident" in sections(page)


def test_the_page_speaks_french(desk, cohort, published):
    answer = desk.get(results(published(cohort)), headers={"accept-language": "fr"})
    page = read(answer)
    assert "Où en est le groupe" in page.text
    assert "Domaine A" in page.text
    assert "Domain A" not in page.text
