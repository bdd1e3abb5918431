from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from assessments.reports import ERRORS_TOLD
from assessments.templatetags.readiness import told

from .cases import FINISHED_ON, report


@dataclass(frozen=True)
class Plan:
    step: str
    when: str = "je reçois une alerte. "
    will: str = "écris mon avis"
    together_with: str = ""
    before: str = "2027-01-15"


def test_every_scenario_is_there_once_in_order(instrument):
    answers = report(instrument).answers
    scenarios = instrument.scenarios_of(instrument.forms[0])
    assert [answer.scenario for answer in answers] == list(scenarios)
    assert [answer.number for answer in answers] == list(range(1, len(scenarios) + 1))
    assert all(answer.sources for answer in answers)


def test_an_answer_carries_what_was_chosen_and_how_surely(instrument):
    levels = instrument.confidence_scale
    for answer in report(instrument).answers:
        verdict = answer.outcome.verdict
        if verdict in ("dont_know", "unanswered"):
            assert (answer.chosen, answer.confidence) == (None, None)
        else:
            assert answer.chosen in answer.scenario.options
            assert answer.confidence in levels
        assert answer.is_best == (answer.chosen == answer.scenario.best)


def test_domains_partition_the_answers(instrument):
    found = report(instrument)
    by_domain = found.answers_by_domain
    assert [domain for domain, _ in by_domain] == list(instrument.domains)
    assert [answer for _, answers in by_domain for answer in answers] == list(found.answers)


def test_unsafe_answers_and_confident_errors_are_those_of_the_profile(instrument):
    found = report(instrument, "unsafe")
    assert [a.outcome for a in found.unsafe] == list(found.profile.unsafe_answers)
    assert [a.outcome for a in found.confident_errors] == list(found.profile.confident_errors)
    assert len(found.confident_errors) == len(found.answers)
    assert len(found.unsafe_in_brief) + found.unsafe_beyond_brief == len(found.unsafe)


def test_the_surest_errors_are_told_and_those_at_risk_are_told_under_safety(instrument):
    found = report(instrument, "unsafe")
    told, named = found.errors_told, found.errors_named
    assert len(told) == ERRORS_TOLD
    assert not any(answer.outcome.unsafe for answer in told)
    at_risk = [answer for answer in found.confident_errors if answer.outcome.unsafe]
    assert found.errors_at_risk is bool(at_risk) is True
    by_number = sorted([*told, *named, *at_risk], key=lambda answer: answer.number)
    assert tuple(by_number) == found.confident_errors
    assert list(told) == sorted(told, key=lambda answer: answer.number)
    least = min(answer.outcome.confidence for answer in told)
    assert all(each.outcome.confidence <= least for each in named)


def test_the_page_of_an_answer_is_the_place_of_its_domain(instrument):
    domains = [domain.code for domain in instrument.domains]
    for answer in report(instrument).answers:
        assert domains[answer.page - 1] == answer.outcome.domain


def test_risks_met_counts_only_situations_that_were_answered(instrument):
    scenarios = instrument.scenarios_of(instrument.forms[0])
    risky = sum(any(option.unsafe for option in item.options) for item in scenarios)
    assert report(instrument, "perfect").risks_met == risky
    assert report(instrument, "missing").risks_met == 0


@pytest.mark.parametrize(
    ("kind", "levels", "following"),
    [("perfect", [(2, 3)] * 3, [None] * 3), ("missing", [()] * 3, [None] * 3)],
)
def test_standings_tell_what_their_level_means(instrument, kind, levels, following):
    standings = report(instrument, kind).standings
    assert [tuple(m.level for m in s.meanings) for s in standings] == levels
    assert [s.following for s in standings] == following


def test_the_level_after_a_capped_domain_is_told(instrument):
    for standing in report(instrument, "unsafe").standings:
        assert standing.following is not None
        assert standing.following.level == standing.meanings[-1].level + 1


def test_steps_are_proposals_until_the_person_keeps_some(instrument):
    found = report(instrument)
    assert not found.steps_are_kept
    assert [s.record.code for s in found.steps] == [s.step for s in found.profile.next_steps]
    for step in found.steps:
        due = timedelta(days=step.record.plan.within_days)
        assert step.intention.before == FINISHED_ON + due
        assert step.reason.kind == "need"
        assert [cause.outcome for cause in step.causes] == list(step.reason.causes)


def test_kept_steps_replace_the_proposals_in_the_persons_words(instrument):
    code = instrument.next_steps[0].code
    found = report(instrument, plans=[Plan(code)])
    assert found.steps_are_kept
    (step,) = found.steps
    assert step.record.code == code
    assert told(step.intention.when) == "je reçois une alerte"
    assert told(step.intention.together_with) == ""
    assert step.intention.before == date(2027, 1, 15)


def test_each_goal_is_measured_by_its_domain(instrument):
    found = report(instrument)
    assert [line.standing for line in found.goals] == list(found.standings)
    assert all(line.standing is None for line in found.priorities_and_pillars)
    assert found.strategy_sources
    assert len(set(found.strategy_sources)) == len(found.strategy_sources)
