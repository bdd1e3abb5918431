"""Cohorts of simulated people, with a known truth: for demonstrations, tests and load.

Everything a simulated person answers follows from a seed. Everything after that is the product's
own: levels and next steps are those that its scoring gives to the sheet, and what is published
of them is noised, by the system's own randomness, as for anybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from numpy.typing import NDArray

from . import codes, cohorts, sittings
from .cohort import simulation
from .cohort.counts import Deed
from .cohort.simulation import Bytes, Whole
from .instruments import current_calibration, questionnaire
from .models import Cohort, Phase, Sitting
from .questionnaire import Questionnaire
from .scoring.next_steps import STEPS, next_steps
from .scoring.outcomes import outcomes
from .scoring.profile import score
from .scoring.scores import VersionCalibration
from .scoring.sheet import DONT_KNOW_BYTE

GAIN = 0.5
"""What the training changes in readiness, in standard deviations of people untrained."""
LASTING = {Phase.Kind.BEFORE: 0.0, Phase.Kind.AFTER: 1.0, Phase.Kind.FOLLOW_UP: 0.8}
"""How much of it there is at each moment."""
STAYING = 0.8
"""Share of those who answered at one moment who answer at the next."""
NEWCOMERS = 0.05
"""People who answer for the first time at a later moment, for each of the cohort."""
CHOOSING, KEPT = 0.5, 0.7
"""Share of people who choose any of the steps proposed, and of the steps that they then keep."""
DEEDS = tuple(Deed)
FOLLOWED = {Deed.DONE: 0.40, Deed.BEGUN: 0.35, Deed.NOT_DONE: 0.25}
"""How often each becomes of a step chosen."""
DAYS = 21
"""How long a phase is open. People come mostly at the start."""
APART = {Phase.Kind.AFTER: 49, Phase.Kind.FOLLOW_UP: 90}
"""Days from the opening of the moment before to that of this one."""
STILL_OPEN = 14
"""Days that a phase left open has still to go."""
PART = 5_000
"""People scored and written at a time."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What simulated people answer at one moment, a row each, in the order in which they finish."""

    phase: Phase
    asked: Questionnaire
    numbers: Whole
    """Who they are, from 1: the same at every moment."""
    languages: tuple[str, ...]
    sheets: Bytes
    """``[n, size]``, packed."""
    outcomes: Bytes
    """``[n, domains]``."""
    finished: tuple[date, ...]
    keeps: NDArray[np.bool_]
    """``[n, STEPS]``: whether they keep the first, the second … of the steps proposed to them."""
    deeds: Whole
    """``[n, STEPS]``: what became of the first, the second … of the steps they had chosen: places
    in :data:`DEEDS`."""

    def __len__(self) -> int:
        return len(self.sheets)


@dataclass(slots=True)
class Person:
    """What goes with one person from one moment to the next. It is kept nowhere."""

    code: str = field(default_factory=lambda: codes.new_code(codes.RESUME_LENGTH))
    sittings: int = 0
    steps: tuple[str, ...] = ()
    """The steps that they chose last."""


type People = defaultdict[int, Person]
"""By their numbers."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a moment as it was written, a row each."""

    rows: slice
    steps: tuple[tuple[str, ...], ...]
    """The codes of the next steps chosen."""
    deeds: tuple[tuple[tuple[str, Deed], ...], ...]
    """At a follow-up, what became of those chosen before."""


def planned(
    name: str,
    kinds: Sequence[str],
    actor: User,
    *,
    leave_open: bool,
    breakdown: str = "",
    rolling: bool = False,
) -> list[Phase]:
    """A new simulated cohort of a trainer, and its phases, of which the last has begun before
    today, and is over today unless it is left open. Raises NothingPublished."""
    cohort = Cohort(name=name, simulated=True)
    cohorts.create(cohort, actor)
    phases = []
    for kind, (opens_on, closes_on) in zip(kinds, _days(kinds, leave_open), strict=True):
        phase = Phase(
            cohort=cohort,
            kind=kind,
            opens_on=opens_on,
            closes_on=closes_on,
            breakdown=breakdown,
            rolling=rolling,
        )
        cohorts.plan(phase, actor)
        phases.append(phase)
    return phases


def _days(kinds: Sequence[str], leave_open: bool) -> list[tuple[date, date]]:
    closes_on = timezone.localdate() + timedelta(days=STILL_OPEN if leave_open else 0)
    opens_on = [closes_on - timedelta(days=DAYS - 1)]
    for _earlier, later in reversed(list(pairwise(kinds))):
        opens_on.insert(0, opens_on[0] - timedelta(days=APART[Phase.Kind(later)]))
    return [(day, day + timedelta(days=DAYS - 1)) for day in opens_on]


def moments(
    phases: Sequence[Phase], size: int, seed: int, *, staying: float = STAYING
) -> Iterator[Moment]:
    """What the people of a cohort answer, phase by phase: ``size`` at the first, of whom some stay
    for the next, where a few others join them. The same seed gives the same sheets."""
    everybody, present = None, np.arange(0)
    for phase in phases:
        kind = Phase.Kind(phase.kind)
        rng = np.random.default_rng([seed, list(Phase.Kind).index(kind)])
        asked = questionnaire(phase.version.digest, phase.form)
        instrument = asked.instrument
        if everybody is None:
            everybody = simulation.draw(instrument, size, rng)
            present = np.arange(size)
            people = everybody
        else:
            stayed = rng.choice(len(present), round(staying * len(present)), replace=False)
            new = simulation.draw(instrument, round(NEWCOMERS * size), rng)
            stayers = everybody[present[np.sort(stayed)]]
            present = np.append(present[np.sort(stayed)], len(everybody) + np.arange(len(new)))
            everybody = everybody + new
            people = simulation.returning(instrument, stayers) + new
        people = simulation.trained(instrument, people, GAIN * LASTING[kind], rng)
        sheets = simulation.answers(instrument, phase.form, people, rng)
        choosing = rng.random((len(people), 1)) < CHOOSING
        yield Moment(
            phase=phase,
            asked=asked,
            numbers=present + 1,
            languages=tuple(instrument.languages[place] for place in people.language),
            sheets=sheets,
            outcomes=level_outcomes(asked, sheets, current_calibration(phase.version, phase.form)),
            finished=_finished(phase, len(people), rng),
            keeps=choosing & (rng.random((len(people), STEPS)) < KEPT),
            deeds=rng.choice(
                len(DEEDS), p=[FOLLOWED[deed] for deed in DEEDS], size=(len(people), STEPS)
            ),
        )


def _finished(phase: Phase, n: int, rng: np.random.Generator) -> tuple[date, ...]:
    """The days on which people finish, the first one first."""
    last = min(phase.closes_on or date.max, timezone.localdate())
    days = np.arange((last - phase.opens_on).days + 1)
    weights = np.exp(-days / 6)
    drawn = np.sort(rng.choice(days, size=n, p=weights / weights.sum()))
    return tuple(phase.opens_on + timedelta(days=int(day)) for day in drawn)


def level_outcomes(
    asked: Questionnaire, sheets: Bytes, calibration: VersionCalibration | None = None
) -> Bytes:
    """``[n, domains]``: the level outcomes of sheets, as they are stored when one is finished.

    The level of a domain depends on how many scenarios were answered, the credit earned and whether
    an option was unsafe. Of each such pattern, one sheet is scored.
    """
    instrument = asked.instrument
    found = np.zeros((len(sheets), len(instrument.domains)), dtype=np.uint8)
    for place, domain in enumerate(instrument.domains):
        answered, points, unsafe = results(asked, sheets, domain.code)
        _patterns, first, pattern = np.unique(
            np.column_stack([answered, points, unsafe > 0]),
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        scored = [_scored(asked, sheet, calibration)[place] for sheet in sheets[first]]
        found[:, place] = np.array(scored, dtype=np.uint8)[pattern.ravel()]
    return found


def _scored(asked: Questionnaire, sheet: Bytes, calibration: VersionCalibration | None) -> bytes:
    answered = asked.layout.unpack(sheet.tobytes())
    profile = score(asked.instrument, asked.form, answered, calibration)
    return sittings.stored_outcomes(asked.instrument, profile)


def results(
    asked: Questionnaire, sheets: Bytes, domain: str
) -> tuple[Whole, NDArray[np.float64], Whole]:
    """Of each sheet, in a domain: scenarios answered, the sum of credits, and unsafe options."""
    subs = {sub.code for sub in asked.instrument.sub_competencies_of(domain)}
    answered = np.zeros(len(sheets), dtype=np.intp)
    points = np.zeros(len(sheets))
    unsafe = np.zeros(len(sheets), dtype=np.intp)
    for scenario in asked.instrument.scenarios_of(asked.form):
        if scenario.sub_competency in subs:
            chosen = sheets[:, asked.layout.offset("option", scenario.code)]
            # Unanswered, and "I don't know", earn nothing.
            credit, harm = np.zeros(DONT_KNOW_BYTE + 1), np.zeros(DONT_KNOW_BYTE + 1, dtype=bool)
            for byte, option in enumerate(scenario.options, 1):
                credit[byte], harm[byte] = option.credit, option.unsafe
            answered += chosen != 0
            points += credit[chosen]
            unsafe += harm[chosen]
    return answered, points, unsafe


def proposed(asked: Questionnaire, packed: Bytes) -> list[str]:
    """The codes of the next steps that the report of a sheet proposes."""
    sheet = asked.layout.unpack(packed.tobytes())
    found = outcomes(asked.instrument, asked.form, sheet)
    return [step.step for step in next_steps(asked.instrument, sheet, found)]


def everybody() -> People:
    return defaultdict(Person)


def keep(moment: Moment, people: People, then: Callable[[Kept], None] = lambda kept: None) -> None:
    """Write what was answered at a moment, a part at a time, each told to ``then``; ``people``
    remembers who they are from one moment to the next."""
    for start in range(0, len(moment), PART):
        rows = slice(start, min(start + PART, len(moment)))
        written, steps, deeds = [], [], []
        for row in range(rows.start, rows.stop):
            person = people[int(moment.numbers[row])]
            sitting = _sitting(moment, row, person)
            written.append(sitting)
            deeds.append(tuple(sittings.deeds_of(sitting).items()))
            steps.append(tuple(plan.step for plan in sittings.plans_of(sitting)))
            person.sittings += 1
            person.steps = steps[-1] or person.steps
        sittings.keep_simulated(moment.phase, written)
        then(Kept(rows, tuple(steps), tuple(deeds)))


def _sitting(moment: Moment, row: int, person: Person) -> Sitting:
    day = moment.finished[row]
    sitting = Sitting(
        version=moment.phase.version,
        phase=moment.phase,
        form=moment.phase.form,
        language=moment.languages[row],
        answers=moment.sheets[row].tobytes(),
        code_hash=codes.hashed(person.code, settings.SECRET_KEY, person.sittings),
        opened_on=day,
        finished_on=day,
        outcomes=moment.outcomes[row].tobytes(),
    )
    if moment.phase.kind == Phase.Kind.FOLLOW_UP and person.steps:
        places = moment.deeds[row]
        sitting.deeds = [
            {"step": step, "deed": str(DEEDS[place])}
            for step, place in zip(person.steps, places, strict=False)
        ]
    if moment.keeps[row].any():
        steps = proposed(moment.asked, moment.sheets[row])
        sitting.plans = [
            asdict(sittings.proposed_plan(sitting, step, sitting.language))
            for step, kept in zip(steps, moment.keeps[row], strict=False)
            if kept
        ]
    return sitting
