"""Cut scores from a panel: against published figures, R, and what must hold of any panel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assessments.cohort.standards import (
    Acceptable,
    Compromise,
    change,
    components,
    compromise,
    item_of,
    on_average,
    published_error,
    share_below,
    standard,
)

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
).T
"""Shrout & Fleiss 1979, table 2: four judges in rows here, six targets in columns."""

PANEL = np.array(
    [
        [45, 60, 35, 70, 55, 40],
        [50, 65, 45, 75, 50, 45],
        [40, 55, 30, 80, 60, 35],
        [55, 70, 50, 65, 65, 55],
        [45, 50, 40, 70, 45, 50],
    ],
    float,
)
"""Five judges, six scenarios."""
R = {"judge": 113.0 + 1 / 3, "item": 682.0 + 5 / 6, "residual": 40.0 + 1 / 3}
"""Its mean squares, by ``anova(lm(y ~ judge + item))`` in R 4.2.2."""

panels = arrays(
    np.float64,
    st.tuples(st.integers(2, 8), st.integers(2, 12)),
    elements=st.integers(0, 20).map(lambda fives: 5.0 * fives),
)


def codes(count: int) -> list[str]:
    return [f"s{number}" for number in range(count)]


def test_agreement_is_that_of_shrout_and_fleiss():
    found = components(SHROUT_FLEISS)
    assert round(found.agreement, 2) == 0.29  # their ICC(2,1)
    assert round(found.agreement_of_panel, 2) == 0.62  # their ICC(2,4)
    # Their mean squares: between targets 11.24, between judges 32.49, residual 1.02.
    assert found.residual == pytest.approx(1.02, abs=0.005)
    assert 4 * found.item + found.residual == pytest.approx(11.24, abs=0.005)
    assert 6 * found.judge + found.residual == pytest.approx(32.49, abs=0.005)


def test_components_are_those_of_r():
    found = components(PANEL)
    assert found.residual + 6 * found.judge == pytest.approx(R["judge"], abs=1e-9)
    assert found.residual + 5 * found.item == pytest.approx(R["item"], abs=1e-9)
    assert found.residual == pytest.approx(R["residual"], abs=1e-9)


def test_the_cut_weighs_the_domains_alike_however_many_scenarios_they_have():
    found = standard(PANEL, codes(6), ["A", "A", "A", "A", "B", "B"])
    by_hand = [((45 + 60 + 35 + 70) / 4 + (55 + 40) / 2) / 2, 53.125, 49.375, 60.0, 49.375]
    assert found.judges == pytest.approx(by_hand)
    assert found.cut == pytest.approx(sum(by_hand) / 5)
    assert found.domains == (("A", 54.75), ("B", 50.0))
    assert found.error == pytest.approx(np.std(by_hand, ddof=1) / 5**0.5)
    assert found.severity == pytest.approx([own - found.cut for own in by_hand])
    assert (found.lowest, found.highest) == (49.375, 60.0)


def test_scenarios_are_described_and_the_most_disputed_come_first():
    found = standard(PANEL, codes(6), ["A"] * 6)
    assert found.items[0].code == "s0"
    assert (found.items[0].mean, found.items[0].median) == (47.0, 45.0)
    assert (found.items[0].lowest, found.items[0].highest) == (40.0, 55.0)
    spreads = [item.spread for item in found.disputed]
    assert spreads == sorted(spreads, reverse=True)
    assert found.disputed[0].code == "s1"


@given(panels)
def test_with_the_scenarios_fixed_the_error_is_that_of_the_judges_means(ratings):
    """SD/√J is √(σ²_j/J + σ²_ji/(JI)) exactly, wherever the judge component is not cut at 0."""
    found = standard(ratings, codes(ratings.shape[1]), ["A"] * ratings.shape[1])
    parts = found.components
    if parts.judge > 0:
        assert found.error == pytest.approx(parts.error)
    else:
        assert found.error <= parts.error + 1e-9
    assert parts.error_with_items >= parts.error
    assert 0 <= parts.agreement <= 1
    assert 0 <= parts.agreement_of_panel <= 1


@given(panels, st.randoms(use_true_random=False))
def test_the_order_of_judges_and_scenarios_changes_nothing(ratings, chance):
    judges, items = map(list, map(range, ratings.shape))
    chance.shuffle(judges)
    chance.shuffle(items)
    domains = ["A" if at % 2 else "B" for at in range(ratings.shape[1])]
    one = standard(ratings, codes(ratings.shape[1]), domains)
    turned = ratings[np.ix_(judges, items)]
    other = standard(turned, [codes(99)[at] for at in items], [domains[at] for at in items])
    assert other.cut == pytest.approx(one.cut)
    assert other.error == pytest.approx(one.error, abs=1e-9)
    assert dict(other.domains) == pytest.approx(dict(one.domains))


def test_judges_who_agree_on_everything_have_no_error_and_nothing_to_agree_beyond():
    found = standard(np.full((6, 24), 60.0), codes(24), ["A"] * 24)
    assert (found.cut, found.error) == (60.0, 0.0)
    assert (found.components.agreement, found.components.agreement_of_panel) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(1, 6), (5, 1), (0, 0)])
def test_what_has_no_variance_is_refused(shape):
    with pytest.raises(ValueError, match="two judges"):
        components(np.zeros(shape))


def test_a_matrix_of_other_scenarios_is_refused():
    with pytest.raises(ValueError, match="column a scenario"):
        standard(PANEL, codes(5), ["A"] * 5)
    with pytest.raises(ValueError, match="same judges"):
        change(PANEL, PANEL[:4])


def test_from_one_round_to_the_next():
    nearer = PANEL.copy()
    nearer[3] -= 5.0
    found = change(PANEL, nearer)
    assert found.cut == pytest.approx(-1.0)
    assert found.moved == pytest.approx(1 / 5)
    assert found.nearer < 1
    assert change(PANEL, PANEL) == type(found)(0.0, 0.0, 1.0)


def test_the_error_printed_is_never_that_of_the_talk_alone():
    alike = np.full_like(PANEL, 55.0)
    first, second = (standard(each, codes(6), ["A"] * 6) for each in (PANEL, alike))
    assert second.error == 0.0
    assert published_error(first, second) == first.error
    assert published_error(second, first) == first.error


# --- Hofstee -------------------------------------------------------------------------------------

EVERYBODY = [(float(score), 1) for score in range(1, 101)]
"""A hundred people, one at each result from 1 to 100: below a cut c are ⌈c⌉ − 1."""


def test_hofstee_by_hand():
    # The line from (50, 60) to (70, 40) is at 56 or 55 where 54 or 55 people are below.
    found = compromise(Acceptable(50, 70, 40, 60), EVERYBODY)
    assert found == Compromise(55.0, 55.0)
    assert share_below(EVERYBODY, 55.0) == 54.0
    assert share_below(EVERYBODY, 55.5) == 55.0


def test_hofstee_between_two_scores():
    scores = [(30.0, 10), (62.5, 10), (90.0, 20)]
    # A quarter are below any cut from 30 to 62.5; the line from (40, 40) to (60, 10)
    # is at a quarter at 50.
    found = compromise(Acceptable(40, 60, 10, 40), scores)
    assert (found.cut, found.share) == (pytest.approx(50.0), 25.0)


@pytest.mark.parametrize(
    "panel",
    [
        Acceptable(80, 90, 10, 30),  # more people are below than anybody would accept
        Acceptable(10, 20, 40, 60),  # fewer than anybody would
        Acceptable(55, 55, 10, 90),  # no line
    ],
)
def test_hofstee_gives_nothing_where_the_line_misses_the_scores(panel):
    assert compromise(panel, EVERYBODY) is None


@given(
    st.tuples(st.integers(0, 50), st.integers(51, 100), st.integers(0, 50), st.integers(51, 100)),
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 9)), min_size=1, max_size=30),
)
def test_hofstees_cut_lies_on_the_line_where_the_distribution_crosses_it(box, people):
    panel = Acceptable(*map(float, box))
    scores = [(float(score), n) for score, n in people]
    found = compromise(panel, scores)
    low, high = share_below(scores, panel.lowest_cut), share_below(scores, panel.highest_cut)
    if found is None:
        assert low > panel.highest_share or high < panel.lowest_share
        return
    slope = (panel.highest_share - panel.lowest_share) / (panel.highest_cut - panel.lowest_cut)
    line = panel.highest_share - slope * (found.cut - panel.lowest_cut)
    assert found.share == pytest.approx(line)
    assert panel.lowest_cut <= found.cut <= panel.highest_cut + 1e-9
    assert share_below(scores, found.cut - 1e-6) <= found.share + 1e-3
    assert share_below(scores, found.cut + 1e-6) >= found.share - 1e-3


def test_a_panels_answers_are_the_means_of_its_judges():
    answers = [Acceptable(40, 60, 10, 30), Acceptable(50, 80, 0, 40)]
    assert on_average(answers) == Acceptable(45, 70, 5, 35)
    with pytest.raises(ValueError, match="nobody"):
        on_average([])


@pytest.mark.parametrize("wrong", [(60, 40, 0, 9), (40, 60, 9, 0), (-1, 60, 0, 9), (0, 9, 0, 101)])
def test_answers_that_contradict_themselves_are_refused(wrong):
    with pytest.raises(ValueError, match="lowest"):
        Acceptable(*wrong)


def test_one_scenario_of_a_panel():
    found = item_of("A1-1", [40, 50, 70])
    assert (found.mean, found.median, found.lowest, found.highest) == (160 / 3, 50, 40, 70)
    assert found.spread == pytest.approx(15.275252, abs=1e-6)
