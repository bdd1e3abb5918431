import itertools
import json
import math
import random
from datetime import date
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from assessments.cohort import disclosure
from assessments.cohort.counts import Counts, Table
from assessments.cohort.disclosure import (
    K,
    Part,
    Release,
    Share,
    TooFewError,
    at_least,
    blocks,
    noise_probability,
    noise_variance,
    noised,
    partition,
    permitted,
    printed,
    separable,
    threshold,
    two_sided_geometric,
    union,
)
from assessments.instrument.document import Instrument

from .people import DAY, counted, people, released

KINDS = ("levels", "credits", "options", "confidence", "self_ratings", "steps", "deeds")
DETAIL = ("options", "confidence", "self_ratings", "steps", "deeds")


# The threshold and the blocks


def test_the_threshold_is_raised_never_lowered() -> None:
    assert [threshold(k) for k in (None, 0, -5, 3, 10, 11, 12, 40)] == [11] * 6 + [12, 40]


@given(st.integers(0, 200), st.integers(1, 40))
@settings(max_examples=100)
def test_blocks_hold_k_people_each_once_oldest_first(n: int, k: int) -> None:
    found, remaining = blocks(range(n), k)
    assert [*itertools.chain(*found), *remaining] == list(range(n))
    floor = max(K, k)
    assert all(len(block) == floor for block in found)
    assert len(remaining) < 2 * floor
    assert not found or len(remaining) >= floor


@given(st.lists(st.sampled_from(["join", "erase", "cut"]), max_size=300), st.randoms())
@settings(max_examples=60)
def test_a_rolling_phase_never_releases_anybody_twice(
    history: list[str], draw: random.Random
) -> None:
    queue: list[int] = []
    made: list[tuple[int, ...]] = []
    for serial, event in enumerate(history):
        if event == "join":
            queue.append(serial)
        elif event == "erase" and queue:
            queue.remove(draw.choice(queue))
        elif event == "cut":
            found, waiting = blocks(queue)
            made += found
            queue = list(waiting)
    everybody = [*itertools.chain(*made), *queue]
    assert len(set(everybody)) == len(everybody)
    assert all(len(block) == K for block in made)
    assert partition({"": len(queue)}) == (((("",),)) if len(queue) >= K else ())


def test_nobody_stands_twice_in_a_queue() -> None:
    with pytest.raises(ValueError, match="once"):
        blocks([*range(30), 3])


def test_a_breakdown_is_all_or_nothing() -> None:
    assert separable([11, 0, 30])
    assert not separable([11, 1, 30])
    assert not separable([11, 15], k=12)


# The noise


def seeded(seed: int) -> disclosure.RandBelow:
    return random.Random(seed).randrange


@pytest.mark.parametrize("epsilon", [Fraction(1), Fraction(1, 2), Fraction(2, 3), Fraction(2)])
def test_noise_is_drawn_from_its_distribution(epsilon: Fraction) -> None:
    draws, randbelow = 40_000, seeded(7)
    found = np.array([two_sided_geometric(randbelow, epsilon) for _ in range(draws)])
    reach = int(5 / epsilon)
    inside = [noise_probability(x, float(epsilon)) for x in range(-reach, reach + 1)]
    tail = (1 - sum(inside)) / 2
    observed = np.bincount(found.clip(-reach - 1, reach + 1) + reach + 1, minlength=2 * reach + 3)
    assert chisquare(observed, draws * np.array([tail, *inside, tail])).pvalue > 0.001
    variance = noise_variance(float(epsilon))
    assert abs(found.mean()) < 4 * math.sqrt(variance / draws)
    assert found.var() == pytest.approx(variance, rel=0.08)


def test_noise_moments_are_those_of_its_probabilities() -> None:
    xs = range(-80, 81)
    probabilities = [noise_probability(x, 1.0) for x in xs]
    assert sum(probabilities) == pytest.approx(1)
    squares = sum(x * x * p for x, p in zip(xs, probabilities, strict=True))
    assert squares == pytest.approx(noise_variance(1.0))
    alpha = math.exp(-1)
    assert noise_variance(1.0) == pytest.approx(2 * alpha / (1 - alpha) ** 2)


def test_noise_needs_a_positive_epsilon() -> None:
    with pytest.raises(ValueError, match="positive"):
        two_sided_geometric(seeded(1), Fraction(0))


def test_tables_of_several_answers_a_person_get_more_noise() -> None:
    single, double = Table("x", (("a", 0),)), Table("x", (("a", 0),), answers=2)
    for table in (single, double):
        randbelow = seeded(3)
        sizes = [noised(table, randbelow)["a"] for _ in range(20_000)]
        assert np.var(sizes) == pytest.approx(noise_variance(1 / table.answers), rel=0.1)


# Releases


def exact(instrument: Instrument, n: int) -> Counts:
    return counted(instrument, people(instrument, n, seed=n))


def test_nothing_is_released_of_fewer_than_the_threshold(instrument: Instrument) -> None:
    with pytest.raises(TooFewError):
        released(instrument, people(instrument, 10, seed=1), 1)
    with pytest.raises(TooFewError):
        released(instrument, people(instrument, 14, seed=1), 1, k=15)
    assert released(instrument, people(instrument, 11, seed=1), 1, k=3).at_least == 10


@pytest.mark.parametrize(
    ("n", "k", "detailed"), [(11, 11, False), (21, 11, False), (22, 11, True), (25, 13, False)]
)
def test_withheld_parts_are_absent(instrument: Instrument, n: int, k: int, detailed: bool) -> None:
    found = released(instrument, people(instrument, n, seed=n), 1, k=k)
    document = json.loads(disclosure.encode(found))
    assert {"levels"} <= document.keys()
    assert all((kind in document) == detailed for kind in DETAIL)
    # Credits are sums of the options, so they are noised apart only where those are absent.
    assert ("credits" in document) != detailed
    assert found.parts == permitted(n, k)
    assert (Part.SCENARIOS in found.parts) == detailed
    assert {Part.LEVELS, Part.NEEDS} <= found.parts


def test_a_release_tells_no_exact_number(instrument: Instrument) -> None:
    """Releases of 22, 23 and 24 people differ in their noised counts alone."""

    def blanked(n: int) -> object:
        document = json.loads(disclosure.encode(released(instrument, people(instrument, n, n), n)))
        for kind in KINDS:
            for table in document.get(kind, ()):
                table["cells"] = [code for code, _size in table["cells"]]
        return document

    assert blanked(22) == blanked(23) == blanked(24)
    assert blanked(11) == blanked(14)
    assert [at_least(n) for n in (11, 14, 15, 99, 100, 104)] == [10, 10, 15, 95, 100, 100]


def test_every_cell_is_noised_and_kept_as_drawn(instrument: Instrument) -> None:
    counts = exact(instrument, 30)
    found = released(instrument, people(instrument, 30, seed=30), 5)
    noise = [
        shown - size
        for kind in ("levels", *DETAIL)
        for table, true in zip(getattr(found, kind), getattr(counts, kind), strict=True)
        for (_, shown), (_, size) in zip(table.cells, true.cells, strict=True)
    ]
    assert len(noise) > 500
    observed = np.bincount(np.array(noise).clip(-4, 4) + 4, minlength=9)
    expected = np.array([noise_probability(x, 1.0) for x in range(-4, 5)])
    expected[[0, -1]] += (1 - expected.sum()) / 2
    assert chisquare(observed, len(noise) * expected).pvalue > 0.001
    assert any(size < 0 for table in found.confidence or () for _, size in table.cells)


def test_noise_is_the_callers_randomness_alone(instrument: Instrument) -> None:
    group = people(instrument, 24, seed=1)
    assert released(instrument, group, 1) == released(instrument, group, 1)
    assert released(instrument, group, 1) != released(instrument, group, 2)


def test_a_release_is_immutable_and_survives_its_json(instrument: Instrument) -> None:
    for n in (11, 22):
        found = released(instrument, people(instrument, n, seed=1), 1, group="nurse")
        document = disclosure.encode(found)
        again = disclosure.decode(document)
        assert again == found
        assert hash(again) == hash(found)  # immutable to the last cell
        assert disclosure.encode(again) == document
        assert disclosure.digest(again) == disclosure.digest(found)
        with pytest.raises(AttributeError):
            found.at_least = 100  # type: ignore[misc]


def test_a_changed_release_has_another_digest(instrument: Instrument) -> None:
    found = released(instrument, people(instrument, 11, seed=1), 1)
    changed = msgspec.structs.replace(found, day=date(2026, 11, 25))
    assert disclosure.digest(changed) != disclosure.digest(found)


def test_what_is_not_a_release_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        disclosure.decode(b'{"n": 11}')


def test_unions_are_of_whole_blocks_alike_each_once(instrument: Instrument) -> None:
    small = released(instrument, people(instrument, 14, seed=1), 1)
    large = released(instrument, people(instrument, 29, seed=2), 2)
    both = union([small, large])
    assert both.at_least == 10 + 25
    assert both.parts == small.parts
    assert union([large]).parts == frozenset(Part)
    other = msgspec.structs.replace(large, form="B")
    for wrong in ([], [small, small], [small, other]):
        with pytest.raises(ValueError, match="union"):
            union(wrong)


def test_the_schema_of_a_release_holds_nothing_about_anybody() -> None:
    assert set(Release.__struct_fields__) == {
        "format", "instrument", "version", "instrument_digest", "form", "phase", "day",
        "at_least", "blocks", "epsilon", "group", *KINDS,
    }  # fmt: skip


# Printing


@pytest.mark.parametrize(
    ("share", "people_", "expected"),
    [
        (-0.3, 22, Share(5, low_end=True)),
        (0.0, 1000, Share(5, low_end=True)),
        (0.07, 22, Share(5, low_end=True)),
        (0.08, 22, Share(10)),
        (0.34, 22, Share(35)),
        (0.34, 99, Share(35)),
        (0.34, 100, Share(34)),
        (0.06, 100, Share(6)),
        (0.93, 22, Share(95, high_end=True)),
        (0.93, 100, Share(93)),
        (1.4, 100, Share(95, high_end=True)),
    ],
)
def test_shares_are_printed_coarsely(share: float, people_: int, expected: Share) -> None:
    assert printed(share, people_) == expected


def test_the_day_is_the_one_given(instrument: Instrument) -> None:
    assert released(instrument, people(instrument, 11, seed=1), 1).day == DAY
