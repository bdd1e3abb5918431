import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assessments.scoring.intervals import Calibrated, Posterior
from assessments.scoring.levels import NAMED_FROM, UNCALIBRATED_CEILING, level_outcome
from assessments.scoring.profile import score

from .sheets import FORM, INSTRUMENT, sheet

JEFFREYS = (0.5, 0.5)
CUTS = INSTRUMENT.cuts  # 55 and 80

beliefs = st.builds(Posterior, st.floats(0, 100), st.floats(0.5, 60)) | st.builds(
    Calibrated, st.floats(0, 100), st.floats(0.5, 60), st.floats(0.1, 8), st.just(JEFFREYS)
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
        # Likely as it is, the third level is not named alone before a calibration.
        (7.5, (0.008, 0.159, 0.832), (2, 3)),
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
    # 8 scenarios worth 4 answers each: Beta(½ + 0.675·32, ½ + 0.325·32)
    found = level_outcome(Calibrated(67.5, 8, 4.0, JEFFREYS), CUTS, unsafe=False)
    known = stats.beta(22.1, 10.9)
    assert found.probabilities == pytest.approx(
        (known.cdf(0.55), known.cdf(0.80) - known.cdf(0.55), known.sf(0.80))
    )
    assert found.levels == (2,)
    # Worth as much as before calibration, one each, they leave the level open.
    assert level_outcome(Calibrated(67.5, 8, 1.0, JEFFREYS), CUTS, unsafe=False).levels == (1, 2)


@pytest.mark.parametrize(("worth", "levels"), [(2.65, (1, 2)), (2.75, (2,))])
def test_a_level_is_named_from_four_chances_in_five(worth, levels):
    found = level_outcome(Calibrated(67.4, 8, worth, JEFFREYS), CUTS, unsafe=False)
    assert found.levels == levels


@pytest.mark.parametrize("n", [8, 60])
def test_only_a_calibrated_version_names_the_third_level(n):
    """A perfect score, on a form of usual length and on one where hardly a doubt is left."""
    plain = level_outcome(Posterior(100, n), CUTS, unsafe=False)
    known = level_outcome(Calibrated(100, n, 1.0, JEFFREYS), CUTS, unsafe=False)
    assert plain.probabilities == pytest.approx(known.probabilities)
    assert plain.probabilities[2] > NAMED_FROM
    assert (plain.code, known.code) == ("2-3", "3")


@given(st.floats(0, 100), st.floats(0.5, 60), st.booleans())
def test_nobody_is_at_the_third_level_before_a_calibration(points, n, unsafe):
    assert level_outcome(Posterior(points, n), CUTS, unsafe=unsafe).levels != (3,)


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
    assert (free.level.levels, free.level.capped) == ((2, 3), False)
    assert free.level.probabilities[2] > NAMED_FROM
    # The same credits without danger keep the same score and interval, and their level.
    assert (clumsy.score, clumsy.interval) == (capped.score, capped.interval)
    assert (clumsy.level.levels, clumsy.level.capped) == ((2, 3), False)


@given(beliefs, st.booleans())
def test_a_level_is_named_only_when_it_is_likely(belief, unsafe):
    found = level_outcome(belief, CUTS, unsafe=unsafe)
    assert all(probability >= 0 for probability in found.probabilities)
    assert sum(found.probabilities) == pytest.approx(1)
    if found.between:
        withheld = belief.source == "posterior" and found.levels == (2, 3)
        assert max(found.probabilities[: UNCALIBRATED_CEILING if withheld else 3]) < NAMED_FROM
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
