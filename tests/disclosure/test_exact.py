"""The attacks on one table by somebody who knows all but one person of a block.

Whoever has chosen the ten other answers of a block of eleven (ten sheets sent by themselves) reads
the eleventh off any exact table. The noise stands in the way: exact computations say how much
still comes through, table by table, and what would if the noise were less, or drawn again.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.cohort import disclosure
from assessments.cohort.counts import TABLE_KINDS, Counts, Table
from assessments.cohort.disclosure import EPSILON, K, noise_probability, noised, union
from assessments.instrument.document import Instrument
from tests.cohort.people import counted, people, released
from tests.instrument.example import example_instrument

pytestmark = pytest.mark.pure

PRIOR = (0.4, 0.4, 0.2)
"""What the attacker holds of the last person's answer before reading anything."""
SUREST = 0.84
"""How sure reading one table may make them."""
MOST_LIKELY = math.exp(2)
"""By what factor a table may favour one answer over another: exp(2 ε) for ε = 1."""


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return example_instrument()


# --- What one table tells -------------------------------------------------------------------------


def likelihood(published: Sequence[int], counts: Sequence[int], epsilon: float) -> float:
    """Of what is published of a table, were these its counts."""
    return math.prod(
        noise_probability(shown - size, epsilon)
        for shown, size in zip(published, counts, strict=True)
    )


def surest(worlds: Sequence[Sequence[int]], epsilon: float) -> tuple[float, float]:
    """The greatest certainty and the greatest likelihood ratio of any table that could be
    published, by which of ``worlds`` (the counts, for each answer of the last person) is true.

    The noise is as likely beyond every count as one step beyond it, up to a factor common to all
    worlds, so the tables between one below the least and one above the greatest are all there are.
    """
    reach = [range(min(cell) - 1, max(cell) + 2) for cell in zip(*worlds, strict=True)]
    certainty, ratio = 0.0, 1.0
    for published in itertools.product(*reach):
        seen = [likelihood(published, world, epsilon) for world in worlds]
        joint = [p * q for p, q in zip(PRIOR, seen, strict=False)]
        certainty = max(certainty, max(joint) / sum(joint))
        ratio = max(ratio, max(seen) / min(seen))
    return certainty, ratio


def chosen_others(n: int) -> Iterator[list[int]]:
    """All ways to choose the answers of all but one of ``n`` people among three."""
    for one in range(n):
        for other in range(n - one):
            yield [one, other, n - 1 - one - other]


def worlds_of(others: Sequence[int]) -> list[list[int]]:
    return [[size + (cell == answer) for cell, size in enumerate(others)] for answer in range(3)]


@pytest.mark.parametrize("n", range(11, 26))
def test_whoever_chose_all_other_answers_learns_little_of_the_last(n: int) -> None:
    for others in chosen_others(n):
        certainty, ratio = surest(worlds_of(others), float(EPSILON))
        assert ratio == pytest.approx(MOST_LIKELY)  # the bound holds, and is met
        assert certainty <= SUREST


# --- The tables that are really noised ------------------------------------------------------------


def drawn_with(table: Table) -> float:
    """The parameter of the noise that the product draws for a table, read off its draws."""
    alone = Table(table.code, (("x", 0),), table.answers)
    draw = random.Random(7)
    sizes = [noised(alone, draw.randrange)["x"] for _ in range(4_000)]
    # Of this noise, P(x = 0) = tanh(ε / 2); where it is always 0, there is none to speak of.
    return 2 * math.atanh(min(sizes.count(0) / len(sizes), 1 - 1e-9))


def moved(one: Table, other: Table) -> int:
    """By how many units two tables differ."""
    return sum(abs(a - b) for (_, a), (_, b) in zip(one.cells, other.cells, strict=True))


def logarithm(one: Counts, other: Counts) -> dict[str, float]:
    """For each kind of table, the greatest log likelihood ratio of what is published of one block
    rather than another, by the noise that each table receives."""
    return {
        kind: max(
            moved(first, second) * float(EPSILON) / first.answers
            for first, second in zip(getattr(one, kind), getattr(other, kind), strict=True)
        )
        for kind in TABLE_KINDS
    }


@given(st.integers(0, 10_000), st.integers(K, 25))
@settings(max_examples=20, deadline=None)
def test_replacing_a_person_moves_no_table_beyond_two_epsilon(seed: int, n: int) -> None:
    """Of any person by any other, whole sheets at a time."""
    instrument = example_instrument()
    group = people(instrument, n + 1, seed, answered=0.9)
    one = counted(instrument, group[:n])
    other = counted(instrument, group[[*range(n - 1), n]])
    assert all(each <= 2 * EPSILON + 1e-9 for each in logarithm(one, other).values())


def test_every_kind_of_table_meets_its_bound(instrument: Instrument) -> None:
    """Two opposite people: were a table left out of the noise's rule, or its noise not scaled to
    the answers that a person gives to it, the bound would be passed here."""
    group = people(instrument, K + 1, seed=3)
    sheets = group.sheets.copy()
    sheets[K - 1], sheets[K] = 1, 2
    group.outcomes[K - 1], group.outcomes[K] = 1, 5
    opposed = type(group)(
        sheets,
        group.outcomes,
        [*group.steps[: K - 1], frozenset(), frozenset(s.code for s in instrument.next_steps)],
        [*group.deeds[: K - 1], ("done",) * 3, ("not_done",) * 3],
    )
    one = counted(instrument, opposed[:K])
    other = counted(instrument, opposed[[*range(K - 1), K]])
    assert logarithm(one, other) == pytest.approx(dict.fromkeys(TABLE_KINDS, 2 * float(EPSILON)))


@pytest.mark.parametrize("answers", [1, 2, 3])
def test_the_noise_is_scaled_to_the_answers_of_a_person(answers: int) -> None:
    found = drawn_with(Table("x", (("x", 0),), answers))
    assert found == pytest.approx(float(EPSILON) / answers, rel=0.08)


def learnt(table: Table) -> float:
    """The greatest certainty that a table gives of the last answer, with the noise really drawn."""
    certainty, _ratio = surest(worlds_of([10, 0, 0]), drawn_with(table))
    return certainty


def test_the_noise_that_is_drawn_keeps_the_promise(instrument: Instrument) -> None:
    """Whoever changes it changes what respondents were promised, here and in the notice."""
    assert Fraction(1) == EPSILON
    assert released(instrument, people(instrument, 11, seed=1), 1).epsilon == 1.0
    assert learnt(Table("x", (("x", 0),))) <= SUREST


@pytest.mark.parametrize("epsilon", [Fraction(3, 2), Fraction(2)])
def test_a_raised_epsilon_is_caught(epsilon: Fraction, monkeypatch) -> None:
    monkeypatch.setattr(disclosure, "EPSILON", epsilon)
    assert learnt(Table("x", (("x", 0),))) > SUREST


def test_noise_left_out_is_caught(monkeypatch) -> None:
    monkeypatch.setattr(disclosure, "two_sided_geometric", lambda randbelow, epsilon: 0)
    assert learnt(Table("x", (("x", 0),))) > 0.99


# --- Drawn once ---------------------------------------------------------------------------------


def averaged(table: Table, looks: int, draw: random.Random) -> list[int]:
    """The counts that somebody makes out who sees the noise drawn so many times."""
    shown = [[size for _, size in noised(table, draw.randrange).cells] for _ in range(looks)]
    return [round(sum(cell) / looks) for cell in zip(*shown, strict=True)]


def test_noise_drawn_at_each_view_averages_out() -> None:
    """Why it is drawn once: a hundred looks give the exact table, whatever it holds."""
    draw = random.Random(3)
    exact = [Table("x", (("a", 8), ("b", 2), ("c", 1))) for _ in range(50)]
    found = sum(averaged(each, 100, draw) == [8, 2, 1] for each in exact)
    assert found >= 48
    assert sum(averaged(each, 1, draw) == [8, 2, 1] for each in exact) <= 15


def test_many_looks_at_a_release_are_one(instrument: Instrument) -> None:
    kept = disclosure.encode(released(instrument, people(instrument, 24, seed=2), 1))
    looks = {disclosure.decode(kept) for _ in range(100)}
    unions = {disclosure.union([each]) for each in looks}
    assert len(looks) == len(unions) == 1


def test_sums_and_differences_draw_no_noise(instrument: Instrument) -> None:
    """Taking one block from all gives the others exactly as they were published: no second draw
    with which the first could be averaged."""
    made = [released(instrument, people(instrument, 12, seed=s), s) for s in range(3)]
    rest = disclosure.reference(disclosure.added((), made), 3, made[:1], strangers=2)
    assert rest is not None
    assert rest.sums[0].levels == union(made[1:]).sums[0].levels


# --- Beyond one table ---------------------------------------------------------------------------
# What the bound does not cover is computed too, so that what is said of it stays true.


def hit_rate(looks: int) -> float:
    """How often the best guess is right of somebody who reads ``looks`` tables of the same answer,
    each with its own noise, and knows all others in it. Blind, they are right in 40 of 100."""
    reach, epsilon = range(-30, 32), float(EPSILON)
    chances = np.array([noise_probability(x, epsilon) for x in reach])
    # How much a cell's excess over the known answers speaks for the last answer being there.
    speaks = np.log([noise_probability(x - 1, epsilon) for x in reach] / chances)
    draw = np.random.default_rng(5)
    truth = draw.choice(3, p=PRIOR, size=40_000)
    score = np.log(PRIOR)[None, :].repeat(len(truth), 0)
    for _look in range(looks):
        excess = draw.choice(
            len(reach) - 1, p=(chances / chances[:-1].sum())[:-1], size=score.shape
        )
        excess[np.arange(len(truth)), truth] += 1
        score += speaks[excess]
    return float((score.argmax(axis=1) == truth).mean())


def test_one_table_gives_the_last_answer_away_in_six_cases_of_ten() -> None:
    assert hit_rate(1) == pytest.approx(0.63, abs=0.015)


def test_two_tables_of_one_answer_tell_more_than_one() -> None:
    """From 22 people on, a situation's options and its confidence both hold whether an answer was
    best: who knows the 21 others reads it twice. With several tables the answer may be all but
    certain, which is why the promise is made figure by figure."""
    assert hit_rate(2) == pytest.approx(0.74, abs=0.015)
    certainty, _ratio = surest(worlds_of([10, 0, 0]), 2 * float(EPSILON))  # twice the same table
    assert certainty == pytest.approx(0.97, abs=0.01)


def repeat_survey(epsilon: float) -> tuple[float, float]:
    """How often the best guess of an answer is right, and how sure it may be, of somebody who knows
    no answer and compares a release with one of the same people but one, who answer as before.

    A cell's difference is the answer (1 or 0) and the difference of two draws."""
    single = np.array([noise_probability(x, epsilon) for x in range(-40, 41)])
    double = np.convolve(single, single)
    at = {x: double[80 + x] for x in range(-10, 12)}
    right, certainty = 0.0, 0.0
    for shown in itertools.product(range(-9, 11), repeat=3):
        joint = [
            p * math.prod(at[x - (cell == answer)] for cell, x in enumerate(shown))
            for answer, p in enumerate(PRIOR)
        ]
        right += max(joint)
        certainty = max(certainty, max(joint) / (sum(joint) or 1))
    return right, certainty


def test_the_same_people_again_without_one() -> None:
    """Twelve people answer, then eleven of them just as before: the two releases give the missing
    answer away in 54 cases of 100 (blind 40; with exact counts 100)."""
    found, certainty = repeat_survey(float(EPSILON))
    assert found == pytest.approx(0.543, abs=0.001)
    assert certainty <= SUREST
    assert repeat_survey(50.0)[0] > 0.99
