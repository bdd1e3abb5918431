from dataclasses import replace

import pytest
from hypothesis import given
from msgspec.structs import replace as with_fields

from assessments.scoring.change import change, common_changes
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


# Between two versions


def reworded(*codes: str):
    """The instrument with other stems for these scenarios, as its next version."""
    scenarios = tuple(
        with_fields(item, stem={"fr": "Autre", "en": "Other"}) if item.code in codes else item
        for item in INSTRUMENT.scenarios
    )
    return with_fields(INSTRUMENT, version="2.0", scenarios=scenarios)


def of_domain(domain: str) -> list[str]:
    subs = {sub.code for sub in INSTRUMENT.sub_competencies_of(domain)}
    return [item.code for item in INSTRUMENT.scenarios_of(FORM) if item.sub_competency in subs]


def profiles(*kinds, calibration=None):
    return [score(INSTRUMENT, FORM, everywhere(kind), calibration) for kind in kinds]


def test_nothing_reworded_compares_as_one_version():
    """All 8 answers of a domain in common: the scores and errors are those of whole forms."""
    before, after = profiles("wrong", "best")
    found = common_changes(INSTRUMENT, before, reworded(), after)
    assert found.scenarios == {item.code for item in INSTRUMENT.scenarios_of(FORM)}
    assert found.common == {"A": 8, "B": 8, "C": 8, "overall": 24}
    for now in (*after.domains, after.overall):
        on_common = found.after[now.code]
        assert (on_common.score, on_common.sem) == (now.score, pytest.approx(now.sem))
    assert found.changes["A"] == change(before.domains[0], after.domains[0])


def test_the_error_is_that_of_the_common_scenarios_alone():
    before, after = profiles("wrong", "best")
    found = common_changes(INSTRUMENT, before, reworded(*of_domain("A")[:4]), after)
    assert found.common == {"A": 4, "B": 8, "C": 8, "overall": 20}
    # SEM on 4 answers = 50/√6 = 20.4124; · √2 = 28.8675; 100 / 28.8675 = 3.4641
    assert found.after["A"].sem == pytest.approx(20.4124, abs=5e-5)
    assert found.changes["A"].rci == pytest.approx(3.4641, abs=5e-5)
    assert found.changes["A"].needed == pytest.approx(56.5803, abs=5e-5)
    # 9/(1/4 + 1/8 + 1/8) = 18 answers' worth: 50/√20
    assert found.after["overall"].sem == pytest.approx(11.1803, abs=5e-5)


def test_a_calibrated_error_grows_as_scenarios_go():
    before, after = profiles("wrong", "best", calibration=CALIBRATED)
    found = common_changes(INSTRUMENT, before, reworded(*of_domain("A")[:4]), after)
    assert found.after["A"].sem == pytest.approx(12.2 * 2**0.5)
    assert found.changes["A"].sem_source == "calibrated"


def test_below_four_a_domain_is_not_compared_nor_the_whole():
    before, after = profiles("wrong", "best")
    found = common_changes(INSTRUMENT, before, reworded(*of_domain("A")[:5]), after)
    assert found.common["A"] == 3
    assert found.changes["A"] is None
    assert found.changes["B"] is not None
    assert found.changes["overall"] is None


def test_a_reworded_scenario_changes_nothing():
    """Whatever was answered to it."""
    first, second = of_domain("A")[:2]
    best, wrong = everywhere("best"), everywhere("wrong")
    mixed = replace(
        best, answers={**best.answers, first: wrong.answers[first], second: wrong.answers[second]}
    )
    now = reworded(first, second)
    (before,) = profiles("wrong")
    alike = [
        common_changes(INSTRUMENT, before, now, score(now, FORM, sheet)).changes
        for sheet in (best, mixed)
    ]
    assert alike[0] == alike[1]


def test_only_what_was_answered_both_times_counts():
    best = everywhere("best")
    left_out = of_domain("B")[:2]
    fewer = replace(
        best, answers={code: each for code, each in best.answers.items() if code not in left_out}
    )
    found = common_changes(
        INSTRUMENT, score(INSTRUMENT, FORM, fewer), reworded(), score(INSTRUMENT, FORM, best)
    )
    assert found.common == {"A": 8, "B": 6, "C": 8, "overall": 22}


def test_nothing_in_common_compares_nothing():
    every = [item.code for item in INSTRUMENT.scenarios]
    (profile,) = profiles("best")
    found = common_changes(INSTRUMENT, profile, reworded(*every), profile)
    assert found.common == {"A": 0, "B": 0, "C": 0, "overall": 0}
    assert set(found.changes.values()) == {None}


def test_two_instruments_are_not_compared():
    (profile,) = profiles("best")
    with pytest.raises(ValueError, match="two instruments"):
        common_changes(INSTRUMENT, profile, with_fields(INSTRUMENT, code="other"), profile)
