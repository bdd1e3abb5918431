"""What to do next: three steps, where the answers show most need, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from statistics import fmean
from typing import Literal

from assessments.instrument.document import Instrument, NextStep, SubCompetency
from assessments.scoring.outcomes import Outcome
from assessments.scoring.scores import percent_of_maximum
from assessments.scoring.sheet import Sheet

STEPS = 3
MOST_TRAININGS = 1

PROFESSION = "profession"
SETTING = "setting"
"""The context questions whose answers fit a step to the person."""

ReasonKind = Literal["need", "keep", "unseen"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step is proposed, for a template to say in words."""

    kind: ReasonKind
    """``need``: ``causes`` went wrong or only half right. ``keep``: all went right, the step keeps
    it so. ``unseen``: nothing was answered there."""
    sub_competency: str
    need: float
    causes: tuple[Outcome, ...]
    """The scenarios that called for it, the most serious first."""


@dataclass(frozen=True, slots=True)
class ProposedStep:
    step: str
    """The code of the instrument's next step."""
    reason: Reason


def need(outcome: Outcome) -> int:
    """3·unsafe + 2·wrong + 1·acceptable + 1·(wrong and confident): 0 to 6.

    "I don't know" is as wrong as a wrong answer; an unanswered scenario says nothing.
    """
    return (
        3 * outcome.unsafe
        + 2 * (outcome.credit == 0)
        + (outcome.verdict == "acceptable")
        + outcome.confident_error
    )


def reasons(
    instrument: Instrument, sheet: Sheet, outcomes: Iterable[Outcome]
) -> tuple[Reason, ...]:
    """A reason for each sub-competency of the form, the greatest need first.

    Need is the mean over the answered scenarios of the sub-competency. Between equal needs comes
    first the greater self-rating minus result; where neither shows any need, so that there is
    nothing to overestimate, the lower self-rating. A missing self-rating counts as an exact one in
    the first case and comes last in the second. Then the order of the blueprint.
    """
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.sub_competency, []).append(outcome)
    ratings = _self_ratings(instrument, sheet)
    ranked = []
    for place, sub in enumerate(instrument.sub_competencies):
        if sub.code not in found:
            continue
        reason = _reason(sub, found[sub.code])
        rating = ratings.get(sub.code)
        if reason.kind == "need":
            result = 100.0 * fmean(i.credit for i in found[sub.code] if i.credit is not None)
            tie = 0.0 if rating is None else result - rating
        else:
            tie = float("inf") if rating is None else rating
        ranked.append(((-reason.need, tie, place), reason))
    return tuple(reason for _, reason in sorted(ranked, key=lambda pair: pair[0]))


def next_steps(
    instrument: Instrument, sheet: Sheet, outcomes: Iterable[Outcome]
) -> tuple[ProposedStep, ...]:
    """Three steps for three sub-competencies, the neediest that allow it.

    One step each, at least one ward action, at most one training, all open to the person's
    profession and setting. The neediest sub-competency gets the ward action if it has one;
    otherwise steps keep the document's order. Fewer than three only where the instrument has no
    three that fit; no ward action only where it has none.
    """
    fitting = [step for step in instrument.next_steps if _fits(step, sheet)]
    offers = [
        (reason, steps)
        for reason in reasons(instrument, sheet, outcomes)
        if (steps := [step for step in fitting if step.sub_competency == reason.sub_competency])
    ]
    wants_ward = any(step.kind == "ward" for step in fitting)
    for size in range(min(STEPS, len(offers)), 0, -1):
        for chosen in combinations(offers, size):
            steps = _choose([steps for _, steps in chosen], wants_ward=wants_ward)
            if steps:
                return tuple(
                    ProposedStep(step.code, reason)
                    for step, (reason, _) in zip(steps, chosen, strict=True)
                )
    return ()


def _choose(offers: Sequence[Sequence[NextStep]], *, wants_ward: bool) -> list[NextStep]:
    """One step of each offer, within the limits on kinds; empty if there is no such choice."""
    neediest, *others = offers
    wards_first = sorted(neediest, key=lambda step: step.kind != "ward")
    # The product varies its last factor fastest: reversed, that is the neediest one.
    for steps in product(*reversed(others), wards_first):
        kinds = [step.kind for step in steps]
        if kinds.count("training") <= MOST_TRAININGS and ("ward" in kinds or not wants_ward):
            return list(reversed(steps))
    return []


def _fits(step: NextStep, sheet: Sheet) -> bool:
    """Whether a step is for everybody, or for what the person said to be."""
    return _open(step.professions, sheet.context.get(PROFESSION, ())) and _open(
        step.settings, sheet.context.get(SETTING, ())
    )


def _open(meant_for: Collection[str], chosen: Iterable[str]) -> bool:
    return not meant_for or any(code in meant_for for code in chosen)


def _self_ratings(instrument: Instrument, sheet: Sheet) -> Mapping[str, float]:
    """The self-rating of each sub-competency that has one, 0 to 100."""
    given: dict[str, list[int]] = {}
    for statement in instrument.self_ratings:
        if statement.code in sheet.self_ratings:
            ratings = given.setdefault(statement.sub_competency, [])
            ratings.append(sheet.self_ratings[statement.code])
    points = len(instrument.self_rating_scale)
    return {sub: percent_of_maximum(ratings, points) or 0.0 for sub, ratings in given.items()}


def _reason(sub: SubCompetency, found: Iterable[Outcome]) -> Reason:
    answered = [outcome for outcome in found if outcome.answered]
    causes = sorted((item for item in answered if need(item)), key=need, reverse=True)
    kind: ReasonKind = "need" if causes else "keep" if answered else "unseen"
    return Reason(
        kind=kind,
        sub_competency=sub.code,
        need=fmean(map(need, answered)) if answered else 0.0,
        causes=tuple(causes),
    )
