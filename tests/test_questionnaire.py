"""The pages of our instrument's form A."""

import pytest

from assessments.instrument.loading import load
from assessments.questionnaire import Questionnaire

from .conftest import SEEDS


@pytest.fixture(scope="module")
def asked() -> Questionnaire:
    return Questionnaire(load(SEEDS), "A")


def test_the_pages_ask_everything_once(asked):
    codes = [item.code for page in asked.pages for item in page.items]
    instrument = asked.instrument
    expected = [*instrument.context, *instrument.self_ratings, *instrument.scenarios_of("A")]
    assert sorted(codes) == sorted(item.code for item in expected)
    assert len(set(codes)) == len(codes)


def test_the_parts_come_in_order_and_are_short(asked):
    parts = [(page.part, page.number) for page in asked.pages]
    assert parts == [
        ("context", 1),
        *(("self-ratings", number) for number in (1, 2, 3)),
        *(("scenarios", number) for number in range(1, 13)),
    ]
    assert [page.place for page in asked.pages] == list(range(1, 17))


def test_the_places_of_the_pages_are_the_whole_sheet(asked):
    places = [place for page in asked.pages for place in asked.places(page)]
    assert sorted(places) == list(range(asked.layout.size))


def test_a_page_is_replaced_and_nothing_else(asked):
    page = asked.page("scenarios", 3)
    before = bytes(range(asked.layout.size))
    part = bytes(len(asked.places(page)))
    after = asked.replaced(page, before, part)
    assert asked.part(page, after) == part
    changed = {place for place in range(len(before)) if before[place] != after[place]}
    assert changed <= set(asked.places(page))


def test_the_announced_time(asked):
    assert asked.minutes() == 20
    left = [asked.minutes(page.place) for page in asked.pages]
    assert left == sorted(left, reverse=True)
    assert left[-1] == 2


def test_pages_that_do_not_exist(asked):
    assert asked.page("scenarios", 13) is None
    assert asked.page_at(0) is None
    assert asked.page_at(17) is None
