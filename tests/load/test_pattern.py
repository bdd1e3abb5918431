"""The pattern of arrivals; ``make load`` sends it."""

from __future__ import annotations

import pytest

from .pattern import PEOPLE, REPORTS, RUSH, SCRIPTS, SESSIONS, SITTING, busiest, plans, thinking

HOUR = plans()


def test_ten_thousand_arrive_in_an_hour():
    assert len(HOUR) == PEOPLE == 10_000
    assert [plan.arrives for plan in HOUR] == sorted(plan.arrives for plan in HOUR)
    assert HOUR[0].arrives >= 0
    assert HOUR[-1].arrives < 3600
    assert plans() == HOUR


@pytest.mark.parametrize(("group", "begins", "share"), [(g, *s) for g, s in enumerate(SESSIONS)])
def test_sessions_come_together_and_the_first_at_once(group, begins, share):
    of_group = [plan.arrives - 3600 * begins for plan in HOUR if plan.group == group]
    assert len(of_group) == pytest.approx(PEOPLE * share, rel=0.1)
    assert 0 <= min(of_group) <= max(of_group) <= 60 * RUSH
    assert sum(each < 60 for each in of_group) > len(of_group) / 3


def test_at_its_peak_many_more_come_than_on_average():
    assert busiest(HOUR) > 4 * PEOPLE / 60


@pytest.mark.parametrize("minutes", [2, 10, 30])
def test_in_a_shorter_run_people_come_as_fast(minutes):
    found = plans(minutes)
    assert len(found) == round(PEOPLE * minutes / 60)
    assert found[-1].arrives < 60 * minutes
    peak = busiest(HOUR) / 60
    assert busiest(found, window=minutes) / minutes == pytest.approx(peak, rel=0.15)
    assert thinking(minutes) == min(SITTING, minutes / 3)


def test_shares_are_as_said():
    assert sum(plan.by_script for plan in HOUR) / PEOPLE == pytest.approx(SCRIPTS, abs=0.02)
    assert sum(plan.wants_report for plan in HOUR) / PEOPLE == pytest.approx(REPORTS, abs=0.02)
