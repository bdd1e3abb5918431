"""Sheets from one end to the other, and the reports they make."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import cycle

from assessments import reports
from assessments.instrument.document import Instrument, Option, Scenario
from assessments.instrument.document import digest as digest_of
from assessments.questionnaire import Questionnaire
from assessments.reports import Earlier, KeptPlan, Report
from assessments.scoring.profile import Profile, score
from assessments.scoring.scores import VersionCalibration
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet

FINISHED_ON = date(2026, 12, 1)
KINDS = ("mixed", "missing", "perfect", "unsafe", "dont_know")


def worst(scenario: Scenario) -> Option:
    """The unsafe option where there is one, else a wrong one."""
    return min(scenario.options, key=lambda option: (not option.unsafe, option.credit))


def sheet(instrument: Instrument, kind: str) -> Sheet:
    scenarios = instrument.scenarios_of(instrument.forms[0])
    levels = [level.code for level in instrument.confidence_scale]
    answers: dict[str, ScenarioAnswer] = {}
    turn = cycle(range(6))
    for scenario, place, level in zip(scenarios, turn, cycle(levels), strict=False):
        match kind, place:
            case ("missing", _) | ("mixed", 5):
                continue
            case ("dont_know", _) | ("mixed", 4):
                answers[scenario.code] = ScenarioAnswer(DONT_KNOW)
            case "perfect", _:
                answers[scenario.code] = ScenarioAnswer(scenario.best.code, levels[-1])
            case "unsafe", _:
                answers[scenario.code] = ScenarioAnswer(worst(scenario).code, levels[-1])
            case _, 0:
                answers[scenario.code] = ScenarioAnswer(worst(scenario).code, levels[-1])
            case _:
                answers[scenario.code] = ScenarioAnswer(scenario.best.code, level)
    ratings = {} if kind == "missing" else {item.code: 3 for item in instrument.self_ratings}
    return Sheet(self_ratings=ratings, answers=answers)


def report(
    instrument: Instrument,
    kind: str = "mixed",
    *,
    plans: Sequence[KeptPlan] = (),
    calibration: VersionCalibration | None = None,
    **more,
) -> Report:
    asked = Questionnaire(instrument, instrument.forms[0])
    answered = sheet(instrument, kind)
    profile: Profile = score(instrument, asked.form, answered, calibration)
    return reports.build(
        asked, answered, profile=profile, plans=plans, finished_on=FINISHED_ON, **more
    )


def earlier(
    instrument: Instrument,
    kind: str,
    *,
    form: str = "",
    digest: str = "",
    moment: str = "before",
    published: Instrument | None = None,
) -> Earlier:
    """A finished sitting of the same person, a month before; its sheet is of the first form."""
    first = instrument.forms[0]
    return Earlier(
        digest=digest or digest_of(instrument),
        form=form or first,
        moment=moment,
        finished_on=FINISHED_ON - timedelta(days=30),
        profile=score(instrument, first, sheet(instrument, kind)),
        instrument=published,
    )
