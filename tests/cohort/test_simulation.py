"""Simulated people answer as the model says, and the printed intervals hold what they should."""

from __future__ import annotations

import random

import numpy as np
import pytest

from assessments.cohort import simulation
from assessments.cohort.counts import count
from assessments.cohort.disclosure import release
from assessments.cohort.simulation import Bytes, People
from assessments.cohort.statistics import domain_means
from assessments.instrument.document import Instrument
from assessments.instrument.loading import load
from assessments.scoring.sheet import DONT_KNOW_BYTE, layout
from tests.conftest import SEEDS

from .people import DAY, FORM, group_of


def crowd(instrument: Instrument, n: int, seed: int = 1) -> tuple[People, Bytes]:
    rng = np.random.default_rng(seed)
    people = simulation.draw(instrument, n, rng)
    return people, simulation.answers(instrument, FORM, people, rng)


def credits(instrument: Instrument, sheets: Bytes, domain: str) -> np.ndarray:
    """``[n, scenarios]`` of a domain, not a number where unanswered."""
    places = layout(instrument, FORM)
    subs = {sub.code for sub in instrument.sub_competencies_of(domain)}
    found = []
    for item in instrument.scenarios_of(FORM):
        if item.sub_competency in subs:
            worth = np.full(256, np.nan)
            worth[1 : len(item.options) + 1] = [option.credit for option in item.options]
            worth[DONT_KNOW_BYTE] = 0.0
            found.append(worth[sheets[:, places.offset("option", item.code)]])
    return np.array(found).T


def scores(instrument: Instrument, sheets: Bytes, domain: str) -> np.ndarray:
    return np.nanmean(credits(instrument, sheets, domain), axis=1)


def ratings(instrument: Instrument, sheets: Bytes, domain: str) -> np.ndarray:
    places = layout(instrument, FORM)
    subs = {sub.code for sub in instrument.sub_competencies_of(domain)}
    columns = [
        sheets[:, places.offset("self_rating", item.code)].astype(float)
        for item in instrument.self_ratings
        if item.sub_competency in subs
    ]
    rated = np.array(columns).T
    rated[rated == 0] = np.nan
    return np.nanmean(rated, axis=1)


def test_every_sheet_is_one_the_form_has(instrument: Instrument) -> None:
    places = layout(instrument, FORM)
    _people, sheets = crowd(instrument, 400)
    for sheet in sheets:
        packed = sheet.tobytes()
        assert places.pack(places.unpack(packed)) == packed


def test_the_generator_decides_alone(instrument: Instrument) -> None:
    assert np.array_equal(crowd(instrument, 50, 1)[1], crowd(instrument, 50, 1)[1])
    assert not np.array_equal(crowd(instrument, 50, 1)[1], crowd(instrument, 50, 2)[1])


@pytest.mark.parametrize("domain", ["A", "B", "C"])
def test_the_readier_earn_more(instrument: Instrument, domain: str) -> None:
    people, sheets = crowd(instrument, 5_000)
    place = "ABC".index(domain)
    found = np.corrcoef(people.readiness[:, place], scores(instrument, sheets, domain))[0, 1]
    assert 0.5 < found < 0.95


@pytest.mark.parametrize("domain", ["A", "B", "C"])
def test_self_ratings_tell_little_of_the_results(instrument: Instrument, domain: str) -> None:
    _people, sheets = crowd(instrument, 5_000)
    rated, scored = (each(instrument, sheets, domain) for each in (ratings, scores))
    some = ~np.isnan(rated) & ~np.isnan(scored)
    assert 0.15 < np.corrcoef(rated[some], scored[some])[0, 1] < 0.40


def test_who_is_right_is_surer(instrument: Instrument) -> None:
    _people, sheets = crowd(instrument, 5_000)
    places = layout(instrument, FORM)
    sure = {True: [], False: []}
    for item in instrument.scenarios_of(FORM):
        confidence = sheets[:, places.offset("confidence", item.code)]
        chosen = sheets[:, places.offset("option", item.code)]
        best = 1 + item.options.index(item.best)
        for right in sure:
            sure[right].append(confidence[(confidence > 0) & ((chosen == best) == right)].mean())
    assert all(right > wrong for right, wrong in zip(sure[True], sure[False], strict=True))


def test_a_training_raises_each_domain_and_the_first_most(instrument: Instrument) -> None:
    rng = np.random.default_rng(4)
    before = simulation.draw(instrument, 20_000, rng)
    after = simulation.trained(instrument, before, 0.5, rng)
    gained = (after.readiness - before.readiness).mean(axis=0)
    assert gained == pytest.approx([0.65, 0.5, 0.35], abs=0.01)


def test_those_who_come_back_say_so() -> None:
    """Those who said nothing still say nothing."""
    instrument = load(SEEDS)
    place = [question.code for question in instrument.context].index("repeat")
    people = simulation.draw(instrument, 500, np.random.default_rng(1))
    again = simulation.returning(instrument, people)
    said = people.context[:, place] > 0
    assert 0 < said.sum() < 500
    assert set(again.context[said, place]) == {2}
    assert set(again.context[~said, place]) == {0}


def test_printed_intervals_hold_the_mean_of_the_population(instrument: Instrument) -> None:
    """Of 95 % intervals, at least 95 % do, noise of the release included; how many more depends on
    how alike one person's answers really are, which is assumed on the high side."""
    groups, size = 300, 30
    population = crowd(instrument, 50_000, seed=100)[1]
    truth = {
        domain: 100 * float(np.nanmean(credits(instrument, population, domain))) for domain in "ABC"
    }
    draw = random.Random(7)
    held = 0
    _people, sheets = crowd(instrument, groups * size, seed=101)
    for start in range(0, groups * size, size):
        some = sheets[start : start + size]
        counts = count(instrument, FORM, some, np.zeros((size, 3), dtype=np.uint8), [()] * size)
        made = release(counts, phase="before", day=DAY, randbelow=draw.randrange)
        for figure in domain_means(group_of(instrument, made)):
            assert figure.estimate is not None
            held += figure.estimate.lower <= truth[figure.code] <= figure.estimate.upper
    # 900 intervals, three of each group: the standard error of their coverage is under 1.3 %.
    assert 0.94 < held / (3 * groups) < 0.995
