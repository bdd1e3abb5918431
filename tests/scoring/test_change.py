from dataclasses import replace

import pytest
from hypothesis import given

from assessments.scoring.change import change
from assessments.scoring.profile import score

from .sheets import FORM, INSTRUMENT, everywhere, sheets
from .test_scores import CALIBRATED

WHOLE = score(INSTRUMENT, FORM, everywhere("best"), CALIBRATED).overall  # SEM 7.1
UNCALIBRATED = score(INSTRUMENT, FORM, everywhere("best")).overall


@pytest.mark.parametrize(
    ("after", "rci", "reliable"),
    [
        # 7.1 · √2 = 10.0409
        (70.0, 1.9919, True),
        (69.5, 1.9421, False),
        (30.0, -1.9919, True),
        (50.0, 0.0, False),
    ],
)
def test_the_reliable_change_index_worked_by_hand(after, rci, reliable):
    found = change(replace(WHOLE, score=50.0), replace(WHOLE, score=after))
    assert found.difference == after - 50
    assert found.rci == pytest.approx(rci, abs=5e-5)
    assert found.reliable is reliable
    assert found.needed == pytest.approx(19.680, abs=5e-4)  # 1.96 · 10.0409
    assert found.sem_source == "calibrated"


def test_without_calibration_it_takes_more():
    # SEM = 50/√26 = 9.80581; · √2 = 13.86750; · 1.96 = 27.1803
    found = change(replace(UNCALIBRATED, score=50.0), replace(UNCALIBRATED, score=75.0))
    assert found.needed == pytest.approx(27.1803, abs=5e-5)
    assert found.rci == pytest.approx(25 / 13.86750, abs=5e-6)
    assert not found.reliable
    assert found.sem_source == "posterior"


def test_two_different_errors_are_added():
    # √(7.1² + 9.80581²) = √(50.41 + 96.15385) = 12.1064
    found = change(replace(UNCALIBRATED, score=50.0), replace(WHOLE, score=75.0))
    assert found.rci == pytest.approx(25 / 12.1064, abs=5e-5)
    assert found.reliable
    assert found.sem_source == "posterior"


@given(sheets(), sheets())
def test_any_two_sittings(first, second):
    before, after = score(INSTRUMENT, FORM, first), score(INSTRUMENT, FORM, second)
    for old, new in zip(
        (*before.domains, before.overall), (*after.domains, after.overall), strict=True
    ):
        found, back = change(old, new), change(new, old)
        if old.score is None or new.score is None:
            assert found is None
            continue
        assert found.difference == new.score - old.score
        assert found.rci == -back.rci
        assert found.reliable == (abs(found.difference) > found.needed)


def test_two_things_are_not_compared():
    domain = score(INSTRUMENT, FORM, everywhere("best")).domains[0]
    with pytest.raises(ValueError, match="compared"):
        change(domain, UNCALIBRATED)
