"""What expires is replaced where it can be, and named to the trainer where it cannot."""

from datetime import timedelta

import msgspec
import pytest

from assessments import cohorts
from assessments.instruments import default_form, instrument_of, publish
from assessments.models import Phase
from tests.instrument.example import example_instrument

from .conftest import TODAY
from .test_cohort import change_address

SOON = TODAY + timedelta(days=30)


@pytest.fixture
def version(db):
    """Two scenarios expire in a month; the reserve can replace the first."""
    instrument = example_instrument()
    first, second, *rest = instrument.scenarios_of("A")
    expiring = [msgspec.structs.replace(item, review_by=SOON) for item in (first, second)]
    spare = msgspec.structs.replace(first, code=f"{first.sub_competency}-9", forms=())
    return publish(msgspec.structs.replace(instrument, scenarios=(*expiring, *rest, spare)))[0]


def plan(cohort, trainer, kind, opens_on) -> Phase:
    phase = Phase(cohort=cohort, kind=kind, opens_on=opens_on)
    cohorts.plan(phase, trainer)
    return phase


def test_a_phase_serves_the_edition_of_the_day_it_opens(version, cohort, trainer):
    cohort.phases.all().delete()
    before = plan(cohort, trainer, Phase.Kind.BEFORE, TODAY)
    after = plan(cohort, trainer, Phase.Kind.FOLLOW_UP, SOON + timedelta(days=5))
    assert (before.form, after.form) == ("A", f"A@{(SOON + timedelta(days=1)).isoformat()}")
    assert default_form(version) == "A"


def test_another_day_before_the_opening_brings_another_edition(version, cohort, trainer):
    phase = plan(cohort, trainer, Phase.Kind.FOLLOW_UP, SOON)
    phase.opens_on = SOON + timedelta(days=1)
    cohorts.plan(phase, trainer)
    assert phase.form == f"A@{phase.opens_on.isoformat()}"


def test_the_trainer_is_told_what_is_asked_past_its_review(version, cohort, trainer, desk, today):
    cohort.phases.all().delete()
    plan(cohort, trainer, Phase.Kind.BEFORE, TODAY)
    told = "past the date by which they had to be reviewed"
    assert told not in desk.get(change_address(cohort)).text
    today(SOON + timedelta(days=1))
    page = desk.get(change_address(cohort))
    assert told in page.text
    (panel,) = page.context["panels"]
    first, second, *_ = version_codes(version)
    assert [item.code for item in panel.overdue] == [first, second]


def test_what_the_reserve_replaced_is_not_named(version, cohort, trainer, desk, today):
    cohort.phases.all().delete()
    today(SOON + timedelta(days=1))
    plan(cohort, trainer, Phase.Kind.BEFORE, SOON + timedelta(days=1))
    (panel,) = desk.get(change_address(cohort)).context["panels"]
    assert [item.code for item in panel.overdue] == [version_codes(version)[1]]


def version_codes(version) -> list[str]:
    return [item.code for item in instrument_of(version.digest).scenarios_of("A")]
