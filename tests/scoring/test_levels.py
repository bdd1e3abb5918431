import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assessments.scoring.intervals import ErrorBand, Posterior
from assessments.scoring.levels import NAMED_FROM, level_outcome
from assessments.scoring.profile import score

from .sheets import FORM, INSTRUMENT, sheet

CUTS = INSTRUMENT.cuts  # 55 and 80

beliefs = st.builds(Posterior, st.floats(0, 100), st.floats(0.5, 60)) | st.builds(
    ErrorBand, st.floats(0, 100), st.floats(1, 30)
)


@pytest.mark.parametrize(
    ("points", "probabilities", "levels"),
    [
        # Beta(½ + points, 8½ − points): under 55, 55 to 80, from 80
        (3.0, (0.840, 0.156, 0.004), (1,)),
        (3.5, (0.740, 0.250, 0.010), (1, 2)),
        (5.5, (0.220, 0.577, 0.203), (1, 2)),
        (6.0, (0.127, 0.540, 0.333), (2, 3)),
        (7.0, (0.026, 0.301, 0.673), (2, 3)),
        (7.5, (0.008, 0.159, 0.832), (3,)),
    ],
)
def test_levels_on_eight_scenarios(points, probabilities, levels):
    found = level_outcome(Posterior(12.5 * points, 8), CUTS, unsafe=False)
    assert found.probabilities == pytest.approx(probabilities, abs=5e-4)
    jeffreys = stats.beta(0.5 + points, 8.5 - points)
    assert found.probabilities[0] == pytest.approx(jeffreys.cdf(0.55))
    assert found.probabilities[2] == pytest.approx(jeffreys.sf(0.80))
    assert found.levels == levels
    assert found.between == (len(levels) == 2)
    assert found.code == "-".join(map(str, levels))


def test_levels_of_a_calibrated_version():
    # 67.5 is half-way between the cuts: ±12.5/9 = ±1.389 SEM, so level 2 with 0.835
    found = level_outcome(ErrorBand(67.5, 9.0), CUTS, unsafe=False)
    assert found.probabilities == pytest.approx((0.0825, 0.835, 0.0825), abs=5e-4)
    assert found.levels == (2,)
    # from 67, −12/12.2 = −0.984 and 13/12.2 = 1.066 SEM: 0.694, and the lower cut is nearer
    wider = level_outcome(ErrorBand(67, 12.2), CUTS, unsafe=False)
    assert wider.probabilities == pytest.approx((0.1627, 0.6941, 0.1433), abs=5e-4)
    assert wider.levels == (1, 2)


@pytest.mark.parametrize(("sem", "levels"), [(9.7, (2,)), (9.8, (1, 2))])
def test_a_level_is_named_from_four_chances_in_five(sem, levels):
    # 67.4 lies 12.4 and 12.6 points from the cuts: 0.8024 with 9.7, 0.7979 with 9.8
    assert level_outcome(ErrorBand(67.4, sem), CUTS, unsafe=False).levels == levels


def test_an_unsafe_answer_caps_its_domain_alone():
    profile = score(
        INSTRUMENT,
        FORM,
        sheet({"A": ["best"] * 7 + ["unsafe"], "B": ["best"] * 8, "C": ["best"] * 7 + ["wrong"]}),
    )
    capped, free, clumsy = profile.domains
    # 7 of 8: 0.026, 0.301, 0.673, and with the last given to level 2: 0.026, 0.974
    assert capped.level.probabilities == pytest.approx((0.026, 0.974, 0), abs=5e-4)
    assert (capped.level.levels, capped.level.capped, capped.unsafe) == ((2,), True, 1)
    assert (free.level.levels, free.level.capped) == ((3,), False)
    # The same credits without danger keep the same score and interval, and their level.
    assert (clumsy.score, clumsy.interval) == (capped.score, capped.interval)
    assert (clumsy.level.levels, clumsy.level.capped) == ((2, 3), False)


@given(beliefs, st.booleans())
def test_a_level_is_named_only_when_it_is_likely(belief, unsafe):
    found = level_outcome(belief, CUTS, unsafe=unsafe)
    assert all(probability >= 0 for probability in found.probabilities)
    assert sum(found.probabilities) == pytest.approx(1)
    if found.between:
        assert max(found.probabilities) < NAMED_FROM
        pairs = {
            (1, 2): found.probabilities[0] + found.probabilities[1],
            (2, 3): found.probabilities[1] + found.probabilities[2],
        }
        assert pairs[found.levels] == pytest.approx(max(pairs.values()))
    else:
        assert found.probabilities[found.levels[0] - 1] >= NAMED_FROM


@given(beliefs)
def test_the_cap_moves_the_probability_of_level_3_and_nothing_else(belief):
    free = level_outcome(belief, CUTS, unsafe=False)
    capped = level_outcome(belief, CUTS, unsafe=True)
    first, second, third = free.probabilities
    assert capped.probabilities == pytest.approx((first, second + third, 0))
    assert 3 not in capped.levels
