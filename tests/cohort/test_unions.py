"""Sums of releases: what several blocks say together, and what remains without some of them."""

from __future__ import annotations

import msgspec
import pytest

from assessments.cohort import disclosure
from assessments.cohort.counts import DEEDS, Counts, Deed, Table
from assessments.cohort.disclosure import (
    K,
    Release,
    added,
    noise_variance,
    partition,
    union,
    without,
)
from assessments.cohort.statistics import (
    Withheld,
    deeds,
    domain_means,
    level_distributions,
    option_shares,
)
from assessments.instrument.document import Instrument

from .people import counted, group_of, people, released


@pytest.fixture
def small(instrument: Instrument) -> Release:
    return released(instrument, people(instrument, 12, seed=1), 1)


@pytest.fixture
def large(instrument: Instrument) -> Release:
    return released(instrument, people(instrument, 30, seed=2), 2)


@pytest.fixture
def larger(instrument: Instrument) -> Release:
    return released(instrument, people(instrument, 45, seed=3), 3)


# Tables and counts


def test_tables_are_added_and_taken_apart_cell_by_cell() -> None:
    one, other = Table("x", (("a", 3), ("b", -1))), Table("x", (("a", 1), ("b", 4)))
    assert one + other == Table("x", (("a", 4), ("b", 3)))
    assert one + other - other == one


@pytest.mark.parametrize(
    "other",
    [Table("y", (("a", 1),)), Table("x", (("b", 1),)), Table("x", (("a", 1),), answers=2)],
    ids=["another code", "other cells", "other answers"],
)
def test_tables_of_different_things_are_not_added(other: Table) -> None:
    with pytest.raises(ValueError, match="do not count the same"):
        Table("x", (("a", 1),)) + other


def test_counting_in_parts_is_counting_at_once(instrument: Instrument) -> None:
    everybody = people(instrument, 40, seed=4)
    parts = [counted(instrument, everybody[start : start + 15]) for start in (0, 15, 30)]
    assert parts[0] + parts[1] + parts[2] == counted(instrument, everybody)


def test_counts_of_different_forms_are_not_added(instrument: Instrument) -> None:
    one = counted(instrument, people(instrument, 11, seed=1))
    other: Counts = msgspec.structs.replace(one, form="B")
    with pytest.raises(ValueError, match="one instrument version and form"):
        one + other


# Blocks


@pytest.mark.parametrize(
    ("sizes", "blocks"),
    [
        ({"": 10}, ()),
        ({"": 11}, (("",),)),
        ({"nurse": 11, "midwife": 12}, (("nurse",), ("midwife",))),
        ({"nurse": 11, "midwife": 10}, (("nurse", "midwife"),)),
        ({"nurse": 11, "midwife": 0}, (("nurse",),)),
        ({"nurse": 30, "not-said": 1}, (("nurse", "not-said"),)),
        ({"nurse": 5, "midwife": 5}, ()),
        ({}, ()),
    ],
)
def test_classes_are_shown_apart_all_or_none(
    sizes: dict[str, int], blocks: tuple[tuple[str, ...], ...]
) -> None:
    assert partition(sizes) == blocks


# Sums


def test_a_union_sums_the_releases_of_the_same_parts(
    small: Release, large: Release, larger: Release
) -> None:
    both = union([small, large, larger])
    assert [release.blocks for release in both.sums] == [1, 2]
    assert both.blocks == 3
    assert both.at_least == 10 + 30 + 45
    assert both.sums[1].levels[0] == large.levels[0] + larger.levels[0]


def test_the_order_of_a_sum_changes_no_figure(
    instrument: Instrument, small: Release, large: Release, larger: Release
) -> None:
    forwards = group_of(instrument, small, large, larger)
    backwards = group_of(instrument, larger, large, small)
    assert domain_means(forwards) == domain_means(backwards)
    assert level_distributions(forwards) == level_distributions(backwards)


def test_what_remains_is_the_union_of_the_other_blocks(
    instrument: Instrument, small: Release, large: Release, larger: Release
) -> None:
    everything = added(added((), [small, large]), [larger])
    rest = without(everything, [large])
    assert {release.at_least for release in rest} == {10, 45}
    assert [release.blocks for release in rest] == [1, 1]
    by_hand = union([small, larger])
    assert [release.levels for release in rest] == [release.levels for release in by_hand.sums]
    assert [release.options for release in rest] == [release.options for release in by_hand.sums]
    assert without(everything, [small, large, larger]) == ()


def test_what_is_not_held_cannot_be_taken_away(small: Release, large: Release) -> None:
    with pytest.raises(ValueError, match="do not hold"):
        without(added((), [large]), [small])
    with pytest.raises(ValueError, match="do not hold"):
        without(added((), [large]), [large, large])


def test_the_noise_of_a_sum_is_that_of_its_blocks(
    instrument: Instrument, large: Release, larger: Release
) -> None:
    """Two blocks at once are as uncertain as their cells' noises added."""
    one = group_of(instrument, large)
    both = group_of(instrument, large, larger)
    scenario = one.scenarios[0].code
    from assessments.cohort.statistics import _cells

    first = large.options[0].cells[0][0]  # type: ignore[index]
    assert _cells(one, "options", [scenario], {first: 1.0}).variances.tolist() == [
        pytest.approx(noise_variance(1.0))
    ]
    assert _cells(both, "options", [scenario], {first: 1.0}).variances.tolist() == [
        pytest.approx(2 * noise_variance(1.0))
    ]
    assert option_shares(both)[0].withheld is None


def test_a_sum_is_no_release_to_publish(large: Release, larger: Release) -> None:
    """A sum says how many blocks it is of; what is published always says one."""
    assert b'"blocks"' not in disclosure.encode(large)
    assert b'"blocks":2' in disclosure.encode(added((), [large, larger])[0])


# Steps followed up


def following_up(release: Release, done: int, begun: int, not_done: int) -> Release:
    cells = ((Deed.DONE, done), (Deed.BEGUN, begun), (Deed.NOT_DONE, not_done))
    table = Table(DEEDS, tuple((str(deed), size) for deed, size in cells), 3)
    return msgspec.structs.replace(release, deeds=(table,))


def test_deeds_are_shares_of_the_steps_followed_up(instrument: Instrument, large: Release) -> None:
    found = deeds(group_of(instrument, following_up(large, 30, 15, 15)), K)
    assert found is not None
    values = {figure.code: figure.estimate.value for figure in found.shares if figure.estimate}
    assert values == {"done": 0.5, "begun": 0.25, "not_done": 0.25}
    for figure in found.shares:
        assert figure.estimate is not None
        assert figure.estimate.lower < figure.estimate.value < figure.estimate.upper


def test_few_steps_followed_up_say_nothing(instrument: Instrument, large: Release) -> None:
    found = deeds(group_of(instrument, following_up(large, 3, 2, 1)), K)
    assert found is not None
    assert found.withheld is Withheld.TOO_FEW_ANSWERS


def test_the_threshold_in_force_says_how_many_steps_are_few(
    instrument: Instrument, large: Release
) -> None:
    group = group_of(instrument, following_up(large, 15, 10, 5))
    for threshold, withheld in ((K, None), (20, Withheld.TOO_FEW_ANSWERS)):
        found = deeds(group, threshold)
        assert found is not None
        assert found.withheld is withheld


def test_where_nothing_was_followed_up_there_is_no_table(
    instrument: Instrument, small: Release
) -> None:
    assert deeds(group_of(instrument, small), K) is None
