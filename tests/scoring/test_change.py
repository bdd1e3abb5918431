from dataclasses import replace

import pytest
from hypothesis import given

from assessments.scoring.change import change
from assessments.scoring.profile import score

from .sheets import FORM, INSTRUMENT, everywhere, sheets
from .test_scores import CALIBRATED

WHOLE = score(INSTRUMENT, FORM, everywhere("best"), CALIBRATED).overall
UNCALIBRATED = score(INSTRUMENT, FORM, everywhere("best")).overall


@pytest.mark.parametrize(
    ("after", "rci", "reliable"),
    [
        # SEM 50/√43.4307 = 7.58702; · √2 = 10.72966
        (71.5, 2.0038, True),
        (71.0, 1.9572, False),
        (28.5, -2.0038, True),
        (50.0, 0.0, False),
    ],
)
def test_the_reliable_change_index_worked_by_hand(after, rci, reliable):
    found = change(replace(WHOLE, score=50.0), replace(WHOLE, score=after))
    assert found.difference == after - 50
    assert found.rci == pytest.approx(rci, abs=5e-5)
    assert found.reliable is reliable
    assert found.needed == pytest.approx(21.030, abs=5e-4)  # 1.96 · 10.72966
    assert found.sem_source == "calibrated"


def test_without_calibration_it_takes_more():
    # SEM = 50/√26 = 9.80581; · √2 = 13.86750; · 1.96 = 27.1803
    found = change(replace(UNCALIBRATED, score=50.0), replace(UNCALIBRATED, score=75.0))
    assert found.needed == pytest.approx(27.1803, abs=5e-5)
    assert found.rci == pytest.approx(25 / 13.86750, abs=5e-6)
    assert not found.reliable
    assert found.sem_source == "posterior"


def test_two_different_errors_are_added():
    # √(7.58702² + 9.80581²) = √(57.5629 + 96.15385) = 12.39826
    found = change(replace(UNCALIBRATED, score=50.0), replace(WHOLE, score=75.0))
    assert found.rci == pytest.approx(25 / 12.39826, abs=5e-5)
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
