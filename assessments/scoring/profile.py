"""Everything one sheet means, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from assessments.instrument.document import Instrument
from assessments.scoring.calibration import Calibration, calibrate
from assessments.scoring.next_steps import ProposedStep, next_steps
from assessments.scoring.outcomes import Outcome, outcomes
from assessments.scoring.scores import (
    DomainScore,
    Score,
    VersionCalibration,
    domain_scores,
    overall_score,
)
from assessments.scoring.sheet import Sheet, layout


@dataclass(frozen=True, slots=True)
class Profile:
    """What one person's answers to one form of one instrument say."""

    form: str
    outcomes: tuple[Outcome, ...]
    """One for each scenario, in the order of the form."""
    domains: tuple[DomainScore, ...]
    overall: Score
    calibration: Calibration
    """Of the person's confidence."""
    version_calibration: VersionCalibration | None
    """What the intervals rest on; None before there is any."""
    next_steps: tuple[ProposedStep, ...]

    @property
    def unsafe_answers(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.unsafe)

    @property
    def confident_errors(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.confident_error)


def score(
    instrument: Instrument,
    form: str,
    sheet: Sheet,
    calibration: VersionCalibration | None = None,
) -> Profile:
    """The profile of a sheet; SheetError if it is not a sheet of this form."""
    layout(instrument, form).pack(sheet)  # refuses what the form does not have
    found = outcomes(instrument, form, sheet)
    domains = domain_scores(instrument, form, sheet, found, calibration)
    return Profile(
        form=form,
        outcomes=found,
        domains=domains,
        overall=overall_score(domains, calibration),
        calibration=calibrate(found),
        version_calibration=calibration,
        next_steps=next_steps(instrument, sheet, found),
    )
