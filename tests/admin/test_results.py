"""Closing is final, and what is read afterwards is the release."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from assessments import cohort_exports, releases, sittings
from assessments.models import Event, Phase, Release, Sitting
from assessments.wall import WallError

from .conftest import TODAY
from .markup import read, without_tokens


@pytest.fixture
def close(phase) -> str:
    return reverse("admin:assessments_cohort_close", args=(phase.cohort_id, phase.pk))


@pytest.fixture
def results(phase) -> str:
    return reverse("admin:assessments_cohort_results", args=(phase.cohort_id, phase.pk))


def test_asking_to_close_closes_nothing(phase, desk, close, answer):
    answer(phase, 12)
    page = desk.get(close)
    assert "Closing is final." in read(page).text
    assert Phase.objects.get().closed_on is None
    assert not Release.objects.exists()


def test_closing_publishes_once_and_for_all(phase, desk, trainer, close, results, answer):
    answer(phase, 11)
    assert desk.post(close).url == results
    release = Release.objects.get()
    assert Phase.objects.get().closed_on == TODAY
    assert Event.objects.filter(action="closed", actor=trainer).count() == 1
    answer_page = desk.post(close)
    assert answer_page.url == reverse("admin:assessments_cohort_change", args=(phase.cohort_id,))
    assert desk.get(close).url == answer_page.url
    assert Release.objects.get() == release
    assert Event.objects.filter(action="closed").count() == 1


def test_two_who_close_at_once_close_once(phase, desk, close, results, answer, monkeypatch):
    answer(phase, 11)
    really = releases.close

    def after_a_colleague(found, actor):
        really(Phase.objects.select_related("cohort", "version").get(pk=found.pk), actor)
        return really(found, actor)

    monkeypatch.setattr(releases, "close", after_a_colleague)
    assert desk.post(close).url == results
    assert Release.objects.count() == 1


def test_a_phase_that_has_not_opened_is_not_closed(phase, desk, close):
    Phase.objects.update(opens_on=TODAY + timedelta(days=1))
    assert desk.post(close).status_code == 302
    assert Phase.objects.get().closed_on is None


def test_a_forged_request_closes_nothing(phase, trainer, close):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(trainer)
    assert strict.post(close).status_code == 403
    assert Phase.objects.get().closed_on is None


def test_below_the_threshold_a_sentence_and_never_a_figure(phase, desk, close, results, answer):
    answer(phase, 10)
    answer(phase, 5, finish=False)
    desk.post(close)
    page = read(desk.get(results))
    assert "Fewer than 11 people had finished when this phase was closed." in page.text
    assert not Release.objects.exists()
    assert not page.charts
    assert "figures" not in page.source


def test_before_the_close_the_page_says_what_is_needed(phase, desk, results, answer):
    answer(phase, 12)
    assert "Results appear when you close the phase" in read(desk.get(results)).text
    Phase.objects.update(rolling=True)
    assert "Results appear when 22 people have finished" in read(desk.get(results)).text


def test_a_long_running_phase_is_read_while_it_runs(phase, desk, results, answer):
    Phase.objects.update(rolling=True)
    phase.refresh_from_db()
    answer(phase, 22)
    page = read(desk.get(results))
    assert "At least 10 people have finished and are counted here." in page.text


SECTIONS = ("standing", "calibration", "unsafe", "confident", "needs", "steps", "withheld", "made")
FROM_22 = {"calibration", "unsafe", "confident", "steps"}


@pytest.mark.parametrize("people", [11, 24])
def test_the_story_from_top_to_bottom(phase, desk, close, results, answer, people):
    answer(phase, people)
    desk.post(close)
    page = read(desk.get(results))
    told = re.findall(r'<h2 id="([a-z]+)">', page.source)
    assert told == [
        "answered",
        *(name for name in SECTIONS if people >= 22 or name not in FROM_22),
    ]
    assert len(page.titles) == len(page.charts) >= 7
    assert all(re.search(r"\d", title) for title in page.titles)
    assert page.source.count('<table class="figures"') >= 4
    assert Release.objects.get().digest in page.text
    assert ("counts at least 22 people" in page.text) == (people < 22)


def test_people_are_counted_in_steps_wherever_they_are_said(
    phase, desk, close, results, answer, today
):
    answer(phase, 13)
    answer(phase, 4, finish=False)
    change = reverse("admin:assessments_cohort_change", args=(phase.cohort_id,))
    pages = [desk.get(change), desk.get(close), desk.post(close, follow=True), desk.get(results)]
    today(TODAY + timedelta(days=1))
    pages.append(desk.get(change))
    said = [
        int(number)
        for page in pages
        for number in re.findall(r"(\d+) (?:people|have)|(?:least|than) (\d+)", read(page).text)
        for number in number
        if number
    ]
    assert said
    assert {number for number in said if number % 5} <= {11, 22}


def test_shares_are_printed_in_steps_of_five(phase, desk, close, results, answer):
    answer(phase, 24)
    desk.post(close)
    page = read(desk.get(results)).text
    shares = [
        int(points) for points in re.findall(r"(\d+)%(?! interval| confidence| sure| of)", page)
    ]
    assert len(shares) > 50
    assert not [points for points in shares if points % 5 or not 5 <= points <= 95]


def test_what_is_brought_forward_is_what_the_page_prints(phase, desk, close, results, answer):
    answer(phase, 24)
    desk.post(close)
    unsafe = desk.get(results).context["results"].unsafe
    assert unsafe.notable == tuple(item for item in unsafe.items if item.share.points >= 20)
    assert [row.strong for row in unsafe.chart.rows] == [item.notable for item in unsafe.items]


def test_the_page_is_the_same_whatever_happens_afterwards(phase, desk, close, results, answer):
    answer(phase, 23)
    answer(phase, 1, finish=False)
    late = Sitting.objects.get(finished_on=None)
    desk.post(close)
    first = without_tokens(desk.get(results))
    sittings.finish(late)
    sittings.erase(Sitting.objects.filter(released=True).first())
    assert without_tokens(desk.get(results)) == first


def test_a_page_that_reads_sittings_hits_the_wall(phase, desk, results, monkeypatch):
    def careless(found):
        return Sitting.objects.filter(phase=found).first()

    monkeypatch.setattr(cohort_exports, "published", careless)
    with pytest.raises(WallError):
        desk.get(results)


def test_the_results_read_no_table_of_people(
    phase, desk, close, results, answer, django_assert_max_num_queries
):
    answer(phase, 24)
    desk.post(close)
    with django_assert_max_num_queries(15) as asked:  # one for each trainer
        desk.get(results)
    assert not [query for query in asked.captured_queries if "assessments_sitting" in query["sql"]]


def test_our_pages_need_no_inline_style_or_script(phase, desk, close, results, answer):
    answer(phase, 24)
    change = reverse("admin:assessments_cohort_change", args=(phase.cohort_id,))
    addresses = [reverse("admin:assessments_cohort_add"), change, close, results]
    pages = [desk.get(address) for address in addresses]
    desk.post(close)
    pages += [desk.get(results), desk.get(change)]
    for response in pages:
        page = read(response)
        assert response.status_code == 200
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert not page.styled
        assert not page.scripted
