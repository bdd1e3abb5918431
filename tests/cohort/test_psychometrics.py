"""Item and scale quality: by hand, against reference software, and over simulated populations."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import approx_fprime, minimize

from assessments.cohort.psychometrics import (
    LEAST_UNIQUENESS,
    N_MIN,
    Finding,
    OneFactor,
    Unsaid,
    covariance,
    credits,
    cronbach_alpha,
    f_quantile,
    feldt_interval,
    form_quality,
    item_rest_correlations,
    omega_interval,
    omega_standard_error,
    omega_total,
    one_factor,
    upper_lower,
)
from assessments.cohort.statistics import Estimate
from assessments.instrument.document import Instrument
from assessments.scoring.outcomes import outcomes
from assessments.scoring.scores import OVERALL, domain_scores, overall_score
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet, layout

from .people import FORM, people

Floats = NDArray[np.float64]
REFERENCE = json.loads((Path(__file__).parent / "data/reference.json").read_text(encoding="utf-8"))


def attitude() -> Floats:
    return np.array(REFERENCE["attitude"]["values"], dtype=float)


def lsat6() -> Floats:
    patterns = np.array(REFERENCE["lsat6"]["patterns"])
    return np.repeat(patterns[:, :-1].astype(float), patterns[:, -1], axis=0)


DATA = {"attitude": attitude, "lsat6": lsat6}


def fitted(covariances: Floats) -> OneFactor:
    fit = one_factor(covariances)
    assert isinstance(fit, OneFactor)
    return fit


def value[T](found: T | Unsaid | None) -> T:
    assert found is not None
    assert not isinstance(found, Unsaid)
    return found


# Against reference software: data/reference.R made the figures, with the versions in the file


@pytest.mark.parametrize("name", DATA)
def test_figures_are_those_of_reference_software(name: str) -> None:
    values, expected = DATA[name](), REFERENCE[name]["reference"]
    n, items = values.shape
    assert (n, items) == (expected["n"], expected["items"])
    assert values.mean(axis=0) == pytest.approx(expected["mean"], rel=1e-12)
    covariances = covariance(values)

    alpha = value(cronbach_alpha(covariances))
    interval = feldt_interval(alpha, n, items)
    assert alpha == pytest.approx(expected["alpha"], abs=1e-12)
    assert (interval.lower, interval.upper) == pytest.approx(expected["feldt"], abs=1e-10)
    assert item_rest_correlations(covariances) == pytest.approx(expected["r_drop"], abs=1e-12)

    fit = fitted(covariances)
    variances = np.diag(covariances)
    assert fit.uniquenesses / variances == pytest.approx(expected["uniquenesses"], abs=1e-6)
    assert fit.loadings / np.sqrt(variances) == pytest.approx(expected["loadings"], abs=1e-6)
    assert omega_total(fit) == pytest.approx(expected["omega"], abs=1e-6)
    assert omega_standard_error(values, fit) == pytest.approx(expected["omega_se"], abs=1e-6)
    deviation = math.sqrt(covariances.sum())
    assert deviation == pytest.approx(expected["sd_total"], rel=1e-12)
    sem = deviation * math.sqrt(1 - omega_total(fit))
    assert sem == pytest.approx(expected["sem_total"], rel=1e-6)


@pytest.mark.parametrize("n", [30, 200, 1000, 100_000, 1_000_000])
@pytest.mark.parametrize("items", [2, 8, 24])
@pytest.mark.parametrize("p", [0.025, 0.5, 0.975])
def test_f_quantiles(n: int, items: int, p: float) -> None:
    freedom = n - 1, (n - 1) * (items - 1)
    assert f_quantile(*freedom, p) == pytest.approx(stats.f.ppf(p, *freedom), rel=1e-9)


def discrepancy(point: Floats, covariances: Floats) -> tuple[float, Floats]:
    """log|Σ| + tr(SΣ⁻¹) and its derivatives, in loadings and log uniquenesses."""
    items = len(covariances)
    loadings, uniquenesses = point[:items], np.exp(point[items:])
    model = np.outer(loadings, loadings) + np.diag(uniquenesses)
    precision = np.linalg.inv(model)
    pull = precision - precision @ covariances @ precision
    value = np.linalg.slogdet(model)[1] + np.trace(covariances @ precision)
    return value, np.concatenate([2 * pull @ loadings, np.diag(pull) * uniquenesses])


@pytest.mark.parametrize("seed", range(8))
def test_the_factor_model_is_where_a_general_minimiser_finds_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(0.3, 0.8, size=8)
    values = rng.normal(size=(300, 1)) * loadings + rng.normal(size=(300, 8)) * np.sqrt(
        1 - loadings**2
    )
    covariances = covariance(values)
    fit = fitted(covariances)
    found = np.concatenate([fit.loadings, np.log(fit.uniquenesses)])
    start = np.concatenate([np.full(8, 0.5), np.full(8, -0.5)])
    general = minimize(
        discrepancy, start, (covariances,), jac=True, method="BFGS", options={"gtol": 1e-8}
    )
    lowest, slopes = discrepancy(found, covariances)
    assert np.abs(slopes).max() < 1e-9
    assert lowest <= general.fun + 1e-12
    assert found == pytest.approx(general.x, abs=1e-6)


@pytest.mark.parametrize("name", DATA)
def test_standard_error_from_differences(name: str) -> None:
    """ω's derivatives in the covariances, by refitting to nearby ones, give the same error."""
    values = DATA[name]()
    items = values.shape[1]
    scales = values.std(axis=0)
    standard = (values - values.mean(axis=0)) / scales
    upper = np.triu_indices(items)

    def omega(entries: Floats) -> float:
        correlations = np.zeros((items, items))
        correlations[upper] = entries
        correlations = np.triu(correlations) + np.triu(correlations, 1).T
        return omega_total(fitted(correlations * np.outer(scales, scales)))

    products = (standard[:, :, None] * standard[:, None, :])[:, upper[0], upper[1]]
    slopes = approx_fprime(products.mean(axis=0), omega, 1e-6)
    expected = (products @ slopes).std() / math.sqrt(len(values))
    error = omega_standard_error(values, fitted(covariance(values)))
    assert error == pytest.approx(expected, rel=1e-4)


# By hand


def test_alpha_by_hand() -> None:
    # Two items of variance 2, covariance 1: 2/1·(1 − 4/6).
    assert cronbach_alpha(np.array([[2.0, 1.0], [1.0, 2.0]])) == pytest.approx(2 / 3)


def test_item_rest_correlation_by_hand() -> None:
    # Items 0 0 1 1, 0 1 1 1, 0 0 0 1. Of the first, the rest is 0 1 1 2: deviations −1 0 0 1
    # against −½ −½ ½ ½: sum of products 1, sums of squares 2 and 1.
    values = np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]], dtype=float)
    first, *_ = item_rest_correlations(covariance(values))
    assert first == pytest.approx(1 / math.sqrt(2))


def test_upper_lower_by_hand() -> None:
    # Ten people: groups of 2.7. The two best rests, 9 and 8, are in the upper group, with 0.7 of
    # the people at 7, who earned 1, 1 and 0: each of the three counts for 0.7/3.
    rest = np.array([9, 8, 7, 7, 7, 4, 3, 2, 1, 0], dtype=float)
    item = np.array([1, 0.5, 1, 1, 0, 0, 0, 0.5, 0, 0])
    upper = 1 + 0.5 + 0.7 / 3 * (1 + 1 + 0)
    lower = 0 + 0 + 0.7 * 0.5
    assert upper_lower(item, rest) == pytest.approx((upper - lower) / 2.7)


def test_upper_lower_is_the_mean_over_all_ways_to_break_ties() -> None:
    rng = np.random.default_rng(0)
    rest = rng.integers(0, 4, size=100).astype(float)
    item = rng.choice([0, 0.5, 1], size=100)
    found = []
    for _ in range(4000):
        order = np.lexsort((rng.random(100), rest))
        found.append(item[order[-27:]].mean() - item[order[:27]].mean())
    assert upper_lower(item, rest) == pytest.approx(np.mean(found), abs=0.005)


def test_omega_by_hand() -> None:
    # λ = .8 .6 .5 make correlations .48 .40 .30; with three items the model fits exactly.
    # (Σλ)² = 1.9² = 3.61, Σψ = .36 + .64 + .75 = 1.75: ω = 3.61/5.36.
    fit = fitted(np.array([[1, 0.48, 0.40], [0.48, 1, 0.30], [0.40, 0.30, 1]]))
    assert fit.loadings == pytest.approx([0.8, 0.6, 0.5], abs=1e-9)
    assert fit.uniquenesses == pytest.approx([0.36, 0.64, 0.75], abs=1e-9)
    assert omega_total(fit) == pytest.approx(3.61 / 5.36, abs=1e-9)


def test_omega_is_alpha_where_all_items_are_alike() -> None:
    # Correlations all ½, eight items: 8/7·(1 − 8/36) = 8/9 = (8·√½)²/((8·√½)² + 8·½).
    covariances = 0.5 * np.ones((8, 8)) + 0.5 * np.eye(8)
    assert cronbach_alpha(covariances) == pytest.approx(8 / 9)
    assert omega_total(fitted(covariances)) == pytest.approx(8 / 9, abs=1e-9)


@pytest.mark.parametrize(
    ("covariances", "reason"),
    [
        ([[1, 0.5], [0.5, 1]], Unsaid.TOO_FEW_ITEMS),
        ([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 0]], Unsaid.NO_VARIANCE),
        # λ₁² would be .9·.9/.5 = 1.62, more than the item's variance.
        ([[1, 0.9, 0.9], [0.9, 1, 0.5], [0.9, 0.5, 1]], Unsaid.IMPROPER),
        (np.ones((4, 4)), Unsaid.IMPROPER),
        (np.eye(4), Unsaid.NOT_CONVERGED),
        # Of two loadings alone, only the product is known.
        ([[1, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], Unsaid.NOT_CONVERGED),
    ],
)
def test_no_omega_where_there_is_none(covariances: Any, reason: Unsaid) -> None:
    assert one_factor(np.array(covariances, dtype=float)) is reason


def test_improper_solutions_are_those_that_leave_an_item_nothing() -> None:
    """With a weak factor they are common. A general minimiser, tried from several points, confirms
    nearly all of them; the rest are local minima."""
    rng = np.random.default_rng(5)
    reasons, confirmed = [], 0
    for _ in range(60):
        values = 0.25 * rng.normal(size=(N_MIN, 1)) + rng.normal(size=(N_MIN, 5))
        correlations = np.corrcoef(values.T)
        fit = one_factor(correlations)
        if isinstance(fit, OneFactor):
            continue
        reasons.append(fit)
        ends = [
            minimize(
                discrepancy,
                np.concatenate([rng.normal(size=5) / 2, np.full(5, -0.3)]),
                (correlations,),
                jac=True,
                method="L-BFGS-B",
                bounds=[(None, None)] * 5 + [(math.log(1e-6), None)] * 5,
            )
            for _ in range(20)
        ]
        best = min(ends, key=lambda end: end.fun)
        confirmed += best.x[5:].min() < math.log(LEAST_UNIQUENESS)
    assert set(reasons) == {Unsaid.IMPROPER}
    assert 8 < len(reasons) < 32
    assert confirmed >= 0.9 * len(reasons)


def test_nothing_is_known_where_loadings_cancel_out() -> None:
    loadings = np.array([0.7, 0.7, -0.7, -0.7])
    fit = OneFactor(loadings, 1 - loadings**2)
    values = np.random.default_rng(0).normal(size=(300, 4))
    assert omega_interval(values, fit) == Estimate(0.0, 0.0, 1.0)


def test_no_variance_no_alpha() -> None:
    assert cronbach_alpha(np.zeros((3, 3))) is Unsaid.NO_VARIANCE
    assert cronbach_alpha(np.array([[1.0, -1.0], [-1.0, 1.0]])) is Unsaid.NO_VARIANCE
    assert cronbach_alpha(np.ones((1, 1))) is Unsaid.TOO_FEW_ITEMS
    assert item_rest_correlations(np.ones((1, 1))) == (Unsaid.TOO_FEW_ITEMS,)
    assert item_rest_correlations(np.array([[1.0, 0.0], [0.0, 0.0]])) == (Unsaid.NO_VARIANCE,) * 2
    assert upper_lower(np.arange(10.0), np.ones(10)) is Unsaid.NO_VARIANCE


# What must not change anything


@st.composite
def answers(draw: st.DrawFn) -> Floats:
    """Credits of 40 to 80 people on 4 to 8 items that have something in common."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, items = draw(st.integers(40, 80)), draw(st.integers(4, 8))
    latent = 0.9 * rng.normal(size=(n, 1)) + rng.normal(size=(n, items))
    return 0.5 * (latent > -0.5) + 0.5 * (latent > rng.normal(scale=0.4, size=items))


def figures(values: Floats) -> list[float | None]:
    """Alpha, omega, its error, each item's figures: None where not said."""
    covariances = covariance(values)
    fit = one_factor(covariances)
    total = values.sum(axis=1)
    found: list[float | Unsaid] = [
        cronbach_alpha(covariances),
        fit if isinstance(fit, Unsaid) else omega_total(fit),
        fit if isinstance(fit, Unsaid) else omega_standard_error(values, fit),
        *item_rest_correlations(covariances),
        *(upper_lower(item, total - item) for item in values.T),
    ]
    return [None if isinstance(figure, Unsaid) else figure for figure in found]


@given(answers(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_people_and_items_changes_nothing(values: Floats, draw: Any) -> None:
    rows, columns = list(range(len(values))), list(range(values.shape[1]))
    draw.shuffle(rows)
    draw.shuffle(columns)
    before, after = figures(values), figures(values[rows][:, columns])
    items = len(columns)
    expected = [
        *before[:3],
        *(before[3 + place] for place in columns),
        *(before[3 + items + place] for place in columns),
    ]
    assert after == pytest.approx(expected, abs=1e-8)


@given(answers(), st.integers(-8, 8), st.sampled_from([0.25, 2.0, 12.5]))
@settings(max_examples=60, deadline=None)
def test_neither_an_easier_item_nor_another_unit_changes_reliability(
    values: Floats, shift: int, unit: float
) -> None:
    moved = values * unit
    moved[:, 0] += shift
    items = values.shape[1]
    before, after = figures(values), figures(moved)
    assert after[: 3 + items] == pytest.approx(before[: 3 + items], abs=1e-8)


@given(answers())
@settings(max_examples=60, deadline=None)
def test_figures_lie_where_they_must(values: Floats) -> None:
    alpha, omega, _error, *of_items = figures(values)
    assert alpha is None or alpha <= 1
    assert omega is None or 0 <= omega < 1
    assert all(figure is None or -1 - 1e-12 <= figure <= 1 + 1e-12 for figure in of_items)


@given(answers())
@settings(max_examples=30, deadline=None)
def test_item_rest_correlations_are_plain_correlations(values: Floats) -> None:
    for place, found in enumerate(item_rest_correlations(covariance(values))):
        rest = np.delete(values, place, axis=1).mean(axis=1)
        if not isinstance(found, Unsaid):
            assert found == pytest.approx(np.corrcoef(values[:, place], rest)[0, 1], abs=1e-12)


@given(st.floats(-1, 0.99), st.integers(200, 5000), st.integers(2, 24))
@settings(max_examples=60, deadline=None)
def test_intervals_of_alpha_contain_it_and_narrow(alpha: float, n: int, items: int) -> None:
    few, many = feldt_interval(alpha, n, items), feldt_interval(alpha, 10 * n, items)
    assert few.lower < alpha < few.upper < 1
    assert many.upper - many.lower < few.upper - few.lower


# How often the intervals are right

LOADINGS = np.linspace(0.4, 0.8, 8)
EDGES = np.stack([np.linspace(-1.2, 0.3, 8), np.linspace(-0.7, 0.8, 8)], axis=1)


def latent(rng: np.random.Generator, n: int) -> Floats:
    noise = np.sqrt(1 - LOADINGS**2) * rng.normal(size=(n, 8))
    found: Floats = LOADINGS * rng.normal(size=(n, 1)) + noise
    return found


def graded(rng: np.random.Generator, n: int) -> Floats:
    """Credits of 0, 0.5 or 1, by two thresholds an item."""
    found: Floats = 0.5 * (latent(rng, n)[:, :, None] > EDGES).sum(axis=2)
    return found


def latent_covariances() -> Floats:
    found: Floats = np.outer(LOADINGS, LOADINGS) + np.diag(1 - LOADINGS**2)
    return found


def graded_covariances() -> Floats:
    """Exact: given the factor, items are independent; it is integrated out by Gauss–Hermite."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights /= weights.sum()
    above = stats.norm.sf(
        (EDGES[:, :, None] - LOADINGS[:, None, None] * nodes)
        / np.sqrt(1 - LOADINGS**2)[:, None, None]
    )
    means, squares = above.mean(axis=1), 0.25 * above[:, 0] + 0.75 * above[:, 1]
    found: Floats = (means * weights) @ means.T - np.outer(means @ weights, means @ weights)
    np.fill_diagonal(found, squares @ weights - (means @ weights) ** 2)
    return found


@pytest.mark.parametrize("n", [N_MIN, 500])
@pytest.mark.parametrize(
    ("draw", "covariances"), [(latent, latent_covariances), (graded, graded_covariances)]
)
def test_95_intervals_are_right_95_times_in_100(
    draw: Callable[[np.random.Generator, int], Floats], covariances: Callable[[], Floats], n: int
) -> None:
    """1,000 samples: a coverage of 95 % is found within 2 points of it 99.6 times in 100. Feldt's
    interval is a little wide where items are not parallel, and may be right more often."""
    alpha = value(cronbach_alpha(covariances()))
    omega = omega_total(fitted(covariances()))
    rng = np.random.default_rng(2026)
    right = {"alpha": 0, "omega": 0}
    for _ in range(1000):
        values = draw(rng, n)
        found = covariance(values)
        interval = feldt_interval(value(cronbach_alpha(found)), n, 8)
        right["alpha"] += interval.lower <= alpha <= interval.upper
        interval = omega_interval(values, fitted(found))
        right["omega"] += interval.lower <= omega <= interval.upper
    assert 930 <= right["omega"] <= 970
    assert 930 <= right["alpha"] <= 985


# Sheets


def packed(instrument: Instrument, *sheets: Sheet) -> NDArray[np.uint8]:
    places = layout(instrument, FORM)
    joined = np.frombuffer(b"".join(map(places.pack, sheets)), dtype=np.uint8)
    return joined.reshape(len(sheets), places.size)


def without(instrument: Instrument, *codes: str) -> Instrument:
    kept = tuple(item for item in instrument.scenarios if item.code not in codes)
    return msgspec.structs.replace(instrument, scenarios=kept)


def answered(instrument: Instrument, whole: Instrument, n: int) -> NDArray[np.uint8]:
    """The sheets of people who were asked the whole, as they are of an instrument with fewer
    scenarios."""
    places = layout(whole, FORM)
    kept = [places.offset(slot.kind, slot.code) for slot in layout(instrument, FORM).slots]
    return people(whole, n, seed=3).sheets[:, kept]


def test_credits_by_hand(instrument: Instrument) -> None:
    first, second, *_ = instrument.scenarios_of(FORM)
    code = {option.credit: option.code for option in first.options}
    rows = packed(
        instrument,
        Sheet(answers={first.code: ScenarioAnswer(code[1.0], "p95")}),
        Sheet(answers={first.code: ScenarioAnswer(code[0.5])}),
        Sheet(answers={first.code: ScenarioAnswer(code[0.0], "p50")}),
        Sheet(answers={first.code: ScenarioAnswer(DONT_KNOW)}),
        Sheet(answers={second.code: ScenarioAnswer(DONT_KNOW)}),
    )
    found = credits(instrument, FORM, rows)
    assert found.shape == (5, 24)
    np.testing.assert_array_equal(found[:, 0], [1, 0.5, 0, 0, np.nan])
    np.testing.assert_array_equal(found[:, 1], [np.nan, np.nan, np.nan, np.nan, 0])
    assert np.isnan(found[:, 2:]).all()


def test_credits_refuse_what_no_sheet_holds(instrument: Instrument) -> None:
    sheets = people(instrument, 5, seed=1).sheets
    with pytest.raises(ValueError, match="uint8"):
        credits(instrument, FORM, sheets[:, :-1])
    with pytest.raises(ValueError, match="uint8"):
        credits(instrument, FORM, sheets.astype(np.int64))
    first = instrument.scenarios_of(FORM)[0].code
    sheets[2, layout(instrument, FORM).offset("option", first)] = 9
    with pytest.raises(ValueError, match=first):
        credits(instrument, FORM, sheets)


def scores(instrument: Instrument, sheets: NDArray[np.uint8]) -> dict[str, list[float]]:
    """What the scoring of each sheet gives, for each domain and the whole."""
    places = layout(instrument, FORM)
    found: dict[str, list[float]] = {}
    for row in sheets:
        sheet = places.unpack(row.tobytes())
        domains = domain_scores(instrument, FORM, sheet, outcomes(instrument, FORM, sheet))
        for score in (*domains, overall_score(domains)):
            assert score.score is not None
            found.setdefault(score.code, []).append(score.score)
    return found


@pytest.mark.parametrize("shorter", [False, True])
def test_a_form_from_its_sheets(instrument: Instrument, shorter: bool) -> None:
    """The scores described are those that people receive, whatever the lengths of domains."""
    whole = instrument
    if shorter:
        instrument = without(instrument, "A1-1", "A2-1", "B1-1")
    sheets = answered(instrument, whole, 400)
    found = form_quality(instrument, FORM, sheets)
    assert (found.form, found.sheets, found.version) == (FORM, 400, instrument.version)
    assert [item.code for item in found.items] == [s.code for s in instrument.scenarios_of(FORM)]
    assert [scale.code for scale in found.scales] == ["A", "B", "C", OVERALL]

    received = scores(instrument, sheets)
    for scale in found.scales:
        assert (scale.n, scale.left_out) == (400, 0)
        assert value(scale.mean.value) == pytest.approx(np.mean(received[scale.code]))
        sd = np.std(received[scale.code], ddof=1)
        assert value(scale.sd.value) == pytest.approx(sd)
        alpha, omega = value(scale.alpha.value), value(scale.omega.value)
        assert alpha.lower < alpha.value < alpha.upper
        assert omega.lower < omega.value < omega.upper
        assert value(scale.sem.value) == pytest.approx(sd * math.sqrt(1 - omega.value))
        assert value(scale.sem_alpha.value) == pytest.approx(sd * math.sqrt(1 - alpha.value))

    earned = credits(instrument, FORM, sheets)
    domains = np.array([item.domain for item in found.items])
    for place, item in enumerate(found.items):
        assert value(item.difficulty.value) == pytest.approx(earned[:, place].mean())
        others = (domains == item.domain) & (np.arange(len(domains)) != place)
        rest = earned[:, others].mean(axis=1)
        correlation = np.corrcoef(earned[:, place], rest)[0, 1]
        assert value(item.item_rest.value) == pytest.approx(correlation)
        discrimination = value(upper_lower(earned[:, place], rest))
        assert value(item.discrimination.value) == pytest.approx(discrimination)
    if not shorter:
        inner = value(cronbach_alpha(covariance(earned)))
        assert value(found.scales[-1].alpha.value).value == pytest.approx(inner)


def test_missing_answers_leave_sheets_out(instrument: Instrument) -> None:
    whole = people(instrument, 500, seed=4).sheets
    sheets = whole.copy()
    item = instrument.scenarios_of(FORM)[0]
    sheets[:60, layout(instrument, FORM).offset("option", item.code)] = 0
    found, rest = form_quality(instrument, FORM, sheets), form_quality(instrument, FORM, whole[60:])
    first, second, *_ = found.items
    assert (first.difficulty.n, first.difficulty.left_out) == (440, 60)
    assert (second.difficulty.n, second.difficulty.left_out) == (500, 0)
    assert (second.item_rest.n, second.item_rest.left_out) == (440, 60)
    assert second.item_rest.value == pytest.approx(rest.items[1].item_rest.value)
    scales = {scale.code: scale for scale in found.scales}
    assert {code: scale.left_out for code, scale in scales.items()} == {
        "A": 60, "B": 0, "C": 0, OVERALL: 60
    }  # fmt: skip
    assert value(scales["A"].omega.value).value == pytest.approx(
        value(rest.scales[0].omega.value).value
    )


def test_too_few_sheets_say_nothing(instrument: Instrument) -> None:
    sheets = people(instrument, N_MIN, seed=5).sheets
    for few in (sheets[:0], sheets[:1], sheets[: N_MIN - 1]):
        found = form_quality(instrument, FORM, few)
        every = [
            finding
            for part in (*found.items, *found.scales)
            for finding in (getattr(part, name) for name in part.__slots__)
            if isinstance(finding, Finding)
        ]
        assert {finding.unsaid for finding in every} == {Unsaid.TOO_FEW_SHEETS}
        assert {finding.n for finding in every} == {len(few)}
    assert form_quality(instrument, FORM, sheets).scales[-1].omega.value is not None
    # One domain complete often enough, the whole not.
    sheets = people(instrument, N_MIN, seed=6).sheets
    sheets[0, layout(instrument, FORM).offset("option", "C1-1")] = 0
    found = form_quality(instrument, FORM, sheets)
    assert [scale.omega.unsaid for scale in found.scales] == [
        None, None, Unsaid.TOO_FEW_SHEETS, Unsaid.TOO_FEW_SHEETS
    ]  # fmt: skip


def test_an_item_that_all_answer_alike(instrument: Instrument) -> None:
    sheets = people(instrument, 300, seed=7).sheets
    item = instrument.scenarios_of(FORM)[0]
    sheets[:, layout(instrument, FORM).offset("option", item.code)] = 255
    found = form_quality(instrument, FORM, sheets)
    first = found.items[0]
    assert first.difficulty.value == 0
    assert first.item_rest.unsaid is Unsaid.NO_VARIANCE
    assert first.discrimination.value == 0
    assert found.scales[0].omega.unsaid is found.scales[0].sem.unsaid is Unsaid.NO_VARIANCE
    assert found.scales[0].alpha.value is not None

    sheets[:] = sheets[0]
    for scale in form_quality(instrument, FORM, sheets).scales:
        assert scale.sd.value == 0
        assert scale.alpha.unsaid is scale.sem_alpha.unsaid is Unsaid.NO_VARIANCE


def test_a_domain_of_one_scenario(instrument: Instrument) -> None:
    subs = {sub.code for sub in instrument.sub_competencies_of("A")}
    others = [item.code for item in instrument.scenarios if item.sub_competency in subs][1:]
    shorter = without(instrument, *others)
    found = form_quality(shorter, FORM, answered(shorter, instrument, 300))
    assert found.items[0].item_rest.unsaid is Unsaid.TOO_FEW_ITEMS
    assert found.items[0].discrimination.unsaid is Unsaid.TOO_FEW_ITEMS
    assert found.scales[0].alpha.unsaid is found.scales[0].omega.unsaid is Unsaid.TOO_FEW_ITEMS
    assert found.scales[1].omega.value is not None


def test_a_finding_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValueError, match="not both"):
        Finding(300, 0, 0.5, Unsaid.NO_VARIANCE)
    with pytest.raises(ValueError, match="not both"):
        Finding[float](300, 0)


def test_many_sheets_take_seconds(instrument: Instrument) -> None:
    sheets = np.tile(people(instrument, 10_000, seed=9).sheets, (20, 1))
    start = time.process_time()
    form_quality(instrument, FORM, sheets)
    assert time.process_time() - start < 5
