"""Differential item functioning: against R, and on groups whose differences are known."""

import numpy as np
import pytest
from scipy import stats

from assessments.cohort import dif
from assessments.cohort.dif import GROUP_MIN, Difference, Size, benjamini_hochberg
from assessments.cohort.psychometrics import Unsaid
from assessments.cohort.rasch import PartialCredit

from .test_rasch import R, Whole, answers, mixed, truth, verbal

FEMALE = np.array([sex == "f" for sex in R["verbal"]["sex"]])


def every(found: tuple[Difference | Unsaid, ...] | Unsaid) -> list[Difference]:
    assert not isinstance(found, Unsaid)
    told = [each for each in found if isinstance(each, Difference)]
    assert len(told) == len(found)
    return told


@pytest.mark.parametrize(("name", "scores"), [("verbal", verbal()), ("mixed", mixed())])
def test_tests_and_effects_are_those_of_r(name: str, scores: Whole) -> None:
    """The likelihood ratio and R² of MASS::polr, or of glm for two scores, and p.adjust."""
    expected, found = R[name]["dif"], every(dif.differences(scores, FEMALE))
    assert [each.statistic for each in found] == pytest.approx(expected["statistic"], abs=1e-8)
    assert [each.gain for each in found] == pytest.approx(expected["gain"], abs=1e-10)
    assert [each.p for each in found] == pytest.approx(expected["p"], abs=1e-10)
    assert [each.adjusted for each in found] == pytest.approx(expected["adjusted"], abs=1e-10)


def test_p_values_are_adjusted_as_elsewhere() -> None:
    p = np.random.default_rng(2).random(30) ** 3
    assert benjamini_hochberg(list(p)) == pytest.approx(stats.false_discovery_control(p))
    assert benjamini_hochberg([]) == []


def test_the_gap_is_the_mean_difference_among_people_of_the_same_sum() -> None:
    """Worked by hand: two sums; those of sum 2 who are focal score 0.5 less, those of sum 1 alike;
    a third of the focal people have sum 2."""
    item = np.array([1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 0])
    rest = np.array([1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1]) - item
    focal = np.array([False] * 6 + [True] * 6)
    found = dif._tested(item, rest + item, focal)
    assert isinstance(found, Difference)
    assert found.gap == pytest.approx(-0.5 / 3)


def groups(rng: np.random.Generator, n: int, shift: dict[int, float], apart: float = 0.6):
    """``n`` people of each group, the focal ones less ready by ``apart`` logits, and for whom some
    items are harder."""
    model = truth(np.random.default_rng(5))
    other = PartialCredit(
        tuple(item + shift.get(place, 0.0) for place, item in enumerate(model.thresholds)),
        np.empty((0, 0)),
        0.0,
    )
    scores = np.concatenate(
        [
            answers(model, rng.normal(0.3, 1, size=n), rng),
            answers(other, rng.normal(0.3 - apart, 1, size=n), rng),
        ]
    )
    return scores, np.repeat([False, True], n)


def accused(found: list[Difference]) -> list[int]:
    return [place for place, each in enumerate(found) if each.size is not Size.NEGLIGIBLE]


def test_groups_of_unlike_readiness_are_not_accused_of_it() -> None:
    rng = np.random.default_rng(21)
    found = [every(dif.compared(*groups(rng, GROUP_MIN, {}))) for _ in range(12)]
    # 5 % of comparisons may have one significant item; nearly none is more than negligible.
    significant = [any(each.adjusted < 0.05 for each in items) for items in found]
    assert np.mean(significant) <= 0.2
    assert sum(len(accused(items)) for items in found) <= 2
    uncorrected = np.mean([each.p < 0.05 for items in found for each in items])
    assert uncorrected == pytest.approx(0.05, abs=0.03)


def test_an_item_harder_for_a_group_is_found_with_its_direction() -> None:
    rng = np.random.default_rng(22)
    found = every(dif.compared(*groups(rng, 400, {6: 1.2})))
    assert accused(found) == [6]
    assert found[6].gap < -0.2
    mirrored = every(dif.compared(*groups(rng, 400, {6: -1.2})))
    assert accused(mirrored) == [6]
    assert mirrored[6].gap > 0.2


def test_items_are_compared_on_those_that_do_not_differ() -> None:
    """Six items harder for one group make the sum unfair, and innocent items look easier."""
    rng = np.random.default_rng(23)
    harder = dict.fromkeys(range(0, 24, 4), 1.5)
    scores, focal = groups(rng, 500, harder)
    plain, purified = every(dif.differences(scores, focal)), every(dif.compared(scores, focal))
    assert accused(purified) == sorted(harder)

    def innocent(found: list[Difference]) -> float:
        return float(np.mean([each.gap for place, each in enumerate(found) if place not in harder]))

    assert innocent(plain) > 0.06
    assert abs(innocent(purified)) < 0.03


def test_size_takes_both_more_than_chance_and_more_than_little() -> None:
    def size(adjusted: float, gain: float) -> Size:
        return Difference(9.0, 0.01, adjusted, gain, 0.1).size

    assert size(0.049, 0.0349) is Size.NEGLIGIBLE
    assert size(0.05, 0.2) is Size.NEGLIGIBLE
    assert size(0.049, 0.035) is Size.MODERATE
    assert size(0.049, 0.07) is Size.LARGE


def test_too_small_a_group_is_not_compared() -> None:
    rng = np.random.default_rng(24)
    scores, focal = groups(rng, GROUP_MIN, {})
    assert isinstance(dif.compared(scores, focal), tuple)
    for drop in (0, len(focal) - 1):
        kept = np.arange(len(focal)) != drop
        assert dif.compared(scores[kept], focal[kept]) is Unsaid.TOO_FEW_SHEETS


def test_what_cannot_be_told_is_unsaid() -> None:
    rng = np.random.default_rng(25)
    scores, focal = groups(rng, 300, {})
    assert dif.compared(scores[:, :3], focal) is Unsaid.TOO_FEW_ITEMS
    scores[:, 2] = 0
    scores[:, 5] = focal  # one group always passes it, the other never
    found = dif.differences(scores, focal)
    assert found[2] is Unsaid.NO_VARIANCE
    assert found[5] is Unsaid.NOT_CONVERGED
    assert isinstance(found[0], Difference)


def test_the_order_of_people_does_not_matter() -> None:
    rng = np.random.default_rng(26)
    scores, focal = groups(rng, 250, {3: 1.0})
    order = rng.permutation(len(focal))
    assert dif.compared(scores[order], focal[order]) == dif.compared(scores, focal)
