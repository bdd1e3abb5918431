"""The partial credit model: against R, against its own definition, and on people whose places are
known."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from assessments.cohort import rasch
from assessments.cohort.psychometrics import Unsaid
from assessments.cohort.rasch import PartialCredit

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
DATA = Path(__file__).parent / "data"
R = json.loads((DATA / "rasch.json").read_text(encoding="utf-8"))


def verbal() -> Whole:
    return np.array([[int(score) for score in person] for person in R["verbal"]["people"]])


def mixed() -> Whole:
    """Every third item right or wrong."""
    scores = verbal()
    scores[:, 2::3] = np.minimum(scores[:, 2::3], 1)
    return scores


def lsat6() -> Whole:
    known = json.loads((DATA / "reference.json").read_text(encoding="utf-8"))
    patterns = np.array(known["lsat6"]["patterns"])
    return np.repeat(patterns[:, :-1], patterns[:, -1], axis=0)


SETS = {"verbal": verbal, "mixed": mixed, "lsat6": lsat6}


def fitted(scores: Whole) -> PartialCredit:
    model = rasch.partial_credit(scores)
    assert isinstance(model, PartialCredit)
    return model


@pytest.fixture(scope="module", params=SETS)
def case(request: pytest.FixtureRequest) -> tuple[Whole, PartialCredit, dict]:
    scores = SETS[request.param]()
    return scores, fitted(scores), R[request.param]


# Against R: data/rasch.R made the figures, with the versions in the file


def test_thresholds_and_their_errors_are_those_of_psychotools(case) -> None:
    _scores, model, expected = case
    found = expected["psychotools"]
    assert np.concatenate(model.thresholds) == pytest.approx(found["thresholds"], abs=1e-6)
    assert np.concatenate(model.standard_errors) == pytest.approx(found["se"], abs=1e-6)
    assert model.log_likelihood == pytest.approx(found["logLik"], abs=1e-8)


def test_thresholds_are_those_of_erm_as_far_as_it_searches(case) -> None:
    _scores, model, expected = case
    assert np.concatenate(model.thresholds) == pytest.approx(
        expected["erm"]["thresholds"], abs=3e-4
    )
    assert np.concatenate(model.standard_errors) == pytest.approx(expected["erm"]["se"], abs=1e-4)


def test_people_are_where_r_places_them(case) -> None:
    _scores, model, expected = case
    found, sums = rasch.people(model), expected["erm"]["sums"]
    assert found.likelihood[sums] == pytest.approx(expected["erm"]["ml"], abs=1e-4)
    assert found.likelihood_errors[sums] == pytest.approx(expected["erm"]["ml_se"], abs=1e-4)
    assert found.weighted == pytest.approx(expected["warm"]["estimates"], abs=1e-6)
    assert found.weighted_errors == pytest.approx(expected["warm"]["errors"], abs=1e-6)


def test_fit_and_reliability_are_those_of_erm(case) -> None:
    scores, model, expected = case
    for name in ("infit", "infit_t", "outfit", "outfit_t"):
        found = [getattr(item, name) for item in rasch.item_fit(model, scores)]
        assert found == pytest.approx(expected["erm"][name], abs=1e-4)
    sums, people = scores.sum(axis=1), rasch.people(model)
    inside = sums[(sums > 0) & (sums < model.greatest)]
    reliability = rasch.separation_reliability(
        people.likelihood[inside], people.likelihood_errors[inside]
    )
    assert reliability == pytest.approx(max(expected["erm"]["separation"], 0.0), abs=1e-4)


# Against the definition


def test_the_conditional_likelihood_is_maximal_where_a_general_search_finds_it() -> None:
    """Three items of 2, 1 and 2 thresholds; every pattern of every sum is written out."""
    tops = (2, 1, 2)
    patterns = np.array(list(itertools.product(*(range(top + 1) for top in tops))))
    rng = np.random.default_rng(3)
    people = rng.integers(5, 40, size=len(patterns))
    scores = np.repeat(patterns, people, axis=0)

    def weight(pattern: Whole, thresholds: Floats) -> float:
        items = np.split(thresholds, np.cumsum(tops)[:-1])
        return -sum(item[:score].sum() for item, score in zip(items, pattern, strict=True))

    def likelihood(thresholds: Floats) -> float:
        weights = np.array([weight(pattern, thresholds) for pattern in patterns])
        sums = patterns.sum(axis=1)
        total = {each: math.log(np.exp(weights[sums == each]).sum()) for each in set(sums)}
        given = [one - total[each] for one, each in zip(weights, sums, strict=True)]
        return float(people @ given)

    model = fitted(scores)
    found = np.concatenate(model.thresholds)
    assert likelihood(found) == pytest.approx(model.log_likelihood, abs=1e-8)
    search = minimize(lambda free: -likelihood(free), np.zeros(5), method="BFGS")
    assert -search.fun <= model.log_likelihood + 1e-9
    assert model.log_likelihood == pytest.approx(-search.fun, abs=1e-5)
    assert model.locations.mean() == pytest.approx(0.0, abs=1e-12)


def test_at_a_threshold_the_two_scores_are_as_likely() -> None:
    model = PartialCredit((np.array([-0.4, 0.9]), np.array([0.3])), np.eye(3), 0.0)
    at = rasch.probabilities(model, np.array([-0.4, 0.9, 0.3]))
    assert at[0, 0, 0] == pytest.approx(at[0, 0, 1])
    assert at[1, 0, 1] == pytest.approx(at[1, 0, 2])
    assert at[2, 1] == pytest.approx([0.5, 0.5, 0.0])
    assert at.sum(axis=2) == pytest.approx(np.ones((3, 2)))


def test_every_sum_has_its_place_and_they_rise() -> None:
    found = rasch.people(fitted(mixed()))
    assert np.isfinite(found.weighted).all()
    assert (np.diff(found.weighted) > 0).all()
    assert (found.likelihood[0], found.likelihood[-1]) == (-math.inf, math.inf)
    inside = slice(1, -1)
    assert (np.abs(found.weighted) < np.abs(found.likelihood))[inside][[0, 1, -2, -1]].all()


# Credits


def test_credits_become_scores_by_what_anyone_earned() -> None:
    earned = np.array([[0.0, 0.0, 0.5, 1.0], [0.5, 1.0, 1.0, 1.0], [1.0, 0.0, 0.5, 1.0]])
    scores, worth = rasch.categories(earned)
    assert scores.tolist() == [[0, 0, 0, 0], [1, 1, 1, 0], [2, 0, 0, 0]]
    assert worth == ((0.0, 0.5, 1.0), (0.0, 1.0), (0.5, 1.0), (1.0,))


def test_a_score_that_nobody_has_is_refused_rather_than_estimated() -> None:
    scores = verbal()[:, :4]
    scores[:, 1][scores[:, 1] == 1] = 2
    with pytest.raises(ValueError, match="nobody"):
        rasch.partial_credit(scores)
    recoded, _worth = rasch.categories(scores.astype(float))
    assert [len(item) for item in fitted(recoded).thresholds] == [2, 1, 2, 2]


def test_what_cannot_be_estimated_is_unsaid() -> None:
    scores = verbal()[:, :4]
    assert rasch.partial_credit(scores[:, :1]) is Unsaid.TOO_FEW_ITEMS
    alike = scores.copy()
    alike[:, 2] = 1
    assert rasch.partial_credit(alike) is Unsaid.NO_VARIANCE
    # Nobody passes the last item without passing all the others in full: it is infinitely harder.
    rng = np.random.default_rng(1)
    ladder = rng.integers(2, size=(300, 4))
    ladder[:, 3] = (ladder[:, :3].sum(axis=1) == 3) & (rng.random(300) < 0.5)
    assert rasch.partial_credit(ladder) is Unsaid.NOT_CONVERGED


def test_thresholds_may_be_disordered() -> None:
    assert rasch.disordered(np.array([0.5, -0.5]))
    assert not rasch.disordered(np.array([-0.5, 0.5]))
    assert not rasch.disordered(np.array([0.5]))


# On people whose places are known


def truth(rng: np.random.Generator) -> PartialCredit:
    """24 items, every third of one threshold, some disordered."""
    thresholds = [
        rng.normal(0, 0.7, size=1 if place % 3 == 2 else 2) + rng.normal(0, 0.6)
        for place in range(24)
    ]
    centre = np.mean([item.mean() for item in thresholds])
    return PartialCredit(tuple(item - centre for item in thresholds), np.empty((0, 0)), 0.0)


def answers(model: PartialCredit, theta: Floats, rng: np.random.Generator) -> Whole:
    likely = rasch.probabilities(model, theta).cumsum(axis=2)
    drawn = rng.random((*likely.shape[:2], 1))
    return np.minimum((drawn > likely).sum(axis=2), [len(item) for item in model.thresholds])


def test_thresholds_are_recovered_and_their_errors_are_what_they_say() -> None:
    rng = np.random.default_rng(11)
    model = truth(rng)
    known = np.concatenate(model.thresholds)
    misses, places = [], []
    for _ in range(24):
        # People are nowhere supposed normal: half of them stand far from the other half.
        theta = rng.normal(rng.choice([-0.8, 0.9], size=300), 0.6)
        found = fitted(answers(model, theta, rng))
        miss = np.concatenate(found.thresholds) - known
        misses.append(miss)
        places.append(miss / np.concatenate(found.standard_errors))
    z = np.array(places)
    assert np.abs(np.mean(misses, axis=0)).max() < 0.15  # the SE of such a mean is up to 0.06
    assert abs(float(np.mean(misses))) < 0.01
    assert float((np.abs(z) < 1.96).mean()) == pytest.approx(0.95, abs=0.02)
    assert float(z.std()) == pytest.approx(1.0, abs=0.05)


def test_people_are_recovered_and_their_errors_are_what_they_say() -> None:
    rng = np.random.default_rng(12)
    model = truth(rng)
    found = rasch.people(model)
    for place in (-1.5, 0.0, 1.5):
        sums = answers(model, np.full(4000, place), rng).sum(axis=1)
        miss = found.weighted[sums] - place
        assert abs(float(miss.mean())) < 0.03
        inside = np.abs(miss) < 1.96 * found.weighted_errors[sums]
        assert float(inside.mean()) == pytest.approx(0.95, abs=0.03)  # sums are steps


def test_reliability_is_the_square_of_the_correlation_with_the_truth() -> None:
    rng = np.random.default_rng(13)
    model = truth(rng)
    theta = rng.normal(0.2, 0.9, size=4000)
    sums = answers(model, theta, rng).sum(axis=1)
    found = rasch.people(model)
    estimates = found.weighted[sums]
    reliability = rasch.separation_reliability(estimates, found.weighted_errors[sums])
    assert reliability == pytest.approx(np.corrcoef(theta, estimates)[0, 1] ** 2, abs=0.02)
    assert rasch.separation_reliability(np.ones(5), np.ones(5)) is Unsaid.NO_VARIANCE
    assert rasch.separation_reliability(np.array([0.0, 0.1]), np.ones(2)) == 0.0


def test_fit_is_one_where_the_model_holds_and_tells_an_item_that_goes_its_own_way() -> None:
    rng = np.random.default_rng(14)
    model = truth(rng)
    theta = rng.normal(0, 1, size=1500)
    scores = answers(model, theta, rng)
    fits = rasch.item_fit(fitted(scores), scores)
    # A little under 1: each answer has had its part in the place it is compared with.
    assert np.mean([fit.infit for fit in fits]) == pytest.approx(0.97, abs=0.02)
    assert np.mean([fit.outfit for fit in fits]) == pytest.approx(0.97, abs=0.04)
    assert max(abs(fit.infit - 1) for fit in fits) < 0.15
    scores[:, 4] = rng.permutation(scores[:, 4])  # the same answers, of other people
    fits = rasch.item_fit(fitted(scores), scores)
    worst = max(range(24), key=lambda place: fits[place].infit)
    assert worst == 4
    assert fits[4].infit > 1.3
    assert fits[4].infit_t > 2.0
