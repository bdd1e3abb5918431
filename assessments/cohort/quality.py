"""What is published of a form, once enough people have answered it: a calibration.

Everything is of one set of sheets, complete in the form's scenarios: how reliable the scores are
(:mod:`.psychometrics`), where items and people stand on one scale (:mod:`.rasch`), and whether
people who do as well answer an item alike (:mod:`.dif`).

**Disclosure.** It is of the instrument, not of a group (disclosure.md, rule 7), and of
:data:`~.psychometrics.N_MIN` people at least. Every figure is rounded here, before anything is
kept; a count below :data:`FEWEST` is told as none; a share of an option is closed at 5 and 95 %;
the number of people is rounded down to fives; of a class of people nothing is computed unless it
has :data:`~.dif.GROUP_MIN`, and nothing is said of it but how items differ. Two calibrations of a
form are of sets that differ by :func:`needed_since` newcomers at least, so that no difference of
theirs is one person's answers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from assessments.cohort import dif, rasch
from assessments.cohort.disclosure import printed
from assessments.cohort.psychometrics import (
    N_MIN,
    Bytes,
    Finding,
    FormQuality,
    Unsaid,
    credits,
    form_quality,
)
from assessments.cohort.rounding import half_up
from assessments.cohort.statistics import Estimate
from assessments.instrument.document import Instrument, Record, Scenario, digest
from assessments.scoring.scores import VersionCalibration, chance_line
from assessments.scoring.sheet import DONT_KNOW, DONT_KNOW_BYTE, layout

FEWEST = 5
"""People below whom a share of the map is told as none."""
STEP = 5
"""The number of people is rounded down to a multiple of it."""
NEWCOMERS, NEWCOMERS_SHARE = 100, 0.2
BIN = 0.5
"""Width of a class of people on the map, in logits."""

Floats = NDArray[np.float64]


class Limit(Record, frozen=True):
    """A figure with its 95 % interval."""

    value: float
    lower: float
    upper: float


class Scale(Record, frozen=True):
    """A domain, or the whole form (``overall``): points of 0 to 100."""

    code: str
    items: int
    mean: float
    sd: float
    alpha: Limit
    omega: Limit
    sem: float
    """SD·√(1 − ω)."""


class Chosen(Record, frozen=True):
    option: str
    """Its code, or ``dont_know``."""
    percent: int
    """Of all answers; 5 stands for 5 or less, and 95 for 95 or more."""


class Threshold(Record, frozen=True):
    credit: float
    """From which credit on: the threshold is between it and the one below."""
    at: float
    """Logits."""
    se: float


class Fit(Record, frozen=True):
    square: float
    """1 where answers vary as the model expects."""
    t: float


class Item(Record, frozen=True):
    """A scenario of the form; see :class:`~.psychometrics.ItemQuality`, :mod:`.rasch`."""

    code: str
    domain: str
    difficulty: float
    item_rest: float
    discrimination: float
    options: tuple[Chosen, ...]
    location: float
    location_se: float
    thresholds: tuple[Threshold, ...]
    infit: Fit
    outfit: Fit

    @property
    def disordered(self) -> bool:
        """Whether its acceptable option is nowhere the most likely answer. With options that are
        no steps towards each other, that is common, and no fault."""
        return rasch.disordered(np.array([threshold.at for threshold in self.thresholds]))

    def unused(self, scenario: Scenario) -> bool:
        """Whether some credit of the scenario was earned by nobody."""
        return len(self.thresholds) < len({option.credit for option in scenario.options}) - 1


class Class(Record, frozen=True):
    """People between ``at`` and ``at`` + :data:`BIN` logits."""

    at: float
    share: float


class Map(Record, frozen=True):
    """People and items on one scale, in logits; the mean location of items is 0."""

    mean: float
    sd: float
    """Of people's weighted likelihood estimates."""
    reliability: float
    """Of these estimates; see :func:`~.rasch.separation_reliability`."""
    items_sd: float
    """Of the items' locations."""
    below: float
    """Share of people below the easiest threshold."""
    beyond: float
    """Share of people above the hardest one."""
    classes: tuple[Class, ...]


class ItemDifference(Record, frozen=True):
    code: str
    size: Literal["negligible", "moderate", "large"] | None
    """None where it could not be told."""
    gain: float | None = None
    """In Nagelkerke's R²."""
    gap: float | None = None
    """Mean credit of the focal group minus the reference's, among people who do as well, −1 to 1:
    below 0 where the item is harder for the focal group."""


class Comparison(Record, frozen=True):
    """Two classes of people, each of :data:`~.dif.GROUP_MIN` at least."""

    attribute: str
    """``language``, or the code of a context question."""
    focal: str
    reference: str
    items: tuple[ItemDifference, ...]
    """None at all where too few items were left to compare on."""


class Quality(Record, frozen=True):
    """A calibration. Scales and items follow the instrument; the whole form comes last."""

    instrument: str
    version: str
    digest: str
    """Of the instrument."""
    form: str
    made_on: date
    n: int
    """At least so many people: rounded down to fives."""
    scales: tuple[Scale, ...]
    items: tuple[Item, ...]
    map: Map
    comparisons: tuple[Comparison, ...]

    def version_calibration(self) -> VersionCalibration:
        """What the scoring makes its intervals from."""
        # A reliability that rounds to none leaves its scale uncalibrated.
        known = [scale for scale in self.scales if 0.0 < scale.omega.value < 1.0]
        return VersionCalibration(
            sem={scale.code: scale.sem for scale in known},
            omega={scale.code: scale.omega.value for scale in known},
            mean={scale.code: scale.mean for scale in known},
            n=self.n,
            date=self.made_on,
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no calibration."""

    reason: Unsaid
    scale: str | None = None
    """Code of the scale; None where it is the scale of people and items."""


class Unsound(ValueError):
    """The sheets carry no calibration."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(f"{problem.scale}: {problem.reason}" for problem in problems))
        self.problems = tuple(problems)


def needed_since(n: int) -> int:
    """How many people must have finished since a calibration of ``n`` before the next one."""
    return max(NEWCOMERS, math.ceil(NEWCOMERS_SHARE * n))


def complete(instrument: Instrument, form: str, sheets: Bytes) -> NDArray[np.bool_]:
    """``[n]``: whether every scenario is answered; "I don't know" is an answer."""
    found: NDArray[np.bool_] = ~np.isnan(credits(instrument, form, sheets)).any(axis=1)
    return found


def quality(
    instrument: Instrument,
    form: str,
    sheets: Bytes,
    groups: Mapping[str, Sequence[str]],
    day: date,
) -> Quality:
    """The calibration of a form from ``[n, size]`` packed sheets, all complete.

    ``groups`` are attributes of people, a value each, empty where it is not known. :class:`Unsound`
    where a reliability or the thresholds cannot be had from these sheets; ValueError on a sheet
    that is not complete.
    """
    earned = credits(instrument, form, sheets)
    if np.isnan(earned).any():
        raise ValueError("a sheet that is not complete")
    if len(sheets) < N_MIN:
        raise Unsound([Problem(Unsaid.TOO_FEW_SHEETS)])
    classical = form_quality(instrument, form, sheets)
    problems = [
        Problem(scale.omega.unsaid or Unsaid.NO_VARIANCE, scale.code)
        for scale in classical.scales
        if scale.omega.unsaid or not half_up(scale.sem.value or 0.0, 1)
    ]
    scores, worth = rasch.categories(earned)
    model = rasch.partial_credit(scores)
    if isinstance(model, Unsaid):
        problems.append(Problem(model))
    if problems or isinstance(model, Unsaid):
        raise Unsound(problems)
    return Quality(
        instrument=instrument.code,
        version=instrument.version,
        digest=digest(instrument),
        form=form,
        made_on=day,
        n=len(sheets) // STEP * STEP,
        scales=_scales(classical),
        items=_items(instrument, form, sheets, classical, model, scores, worth),
        map=_map(model, scores),
        comparisons=tuple(_comparisons(instrument, form, scores, worth, groups)),
    )


def encode(found: Quality) -> bytes:
    """Canonical JSON: same value, same bytes."""
    return msgspec.json.encode(found, order="sorted")


_DECODER = msgspec.json.Decoder(Quality)  # at once: see instrument.document


def decode(document: bytes) -> Quality:
    return _DECODER.decode(document)


def sealed(document: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(document).hexdigest()


# --- Its parts ------------------------------------------------------------------------------------


def _said[T](finding: Finding[T]) -> T:
    assert finding.value is not None  # quality() has seen to it
    return finding.value


def _limit(estimate: Estimate) -> Limit:
    return Limit(*(half_up(each, 2) for each in (estimate.value, estimate.lower, estimate.upper)))


def _scales(classical: FormQuality) -> tuple[Scale, ...]:
    return tuple(
        Scale(
            code=scale.code,
            items=scale.items,
            mean=half_up(_said(scale.mean), 1),
            sd=half_up(_said(scale.sd), 1),
            alpha=_limit(_said(scale.alpha)),
            omega=_limit(_said(scale.omega)),
            sem=half_up(_said(scale.sem), 1),
        )
        for scale in classical.scales
    )


def _items(
    instrument: Instrument,
    form: str,
    sheets: Bytes,
    classical: FormQuality,
    model: rasch.PartialCredit,
    scores: rasch.Whole,
    worth: Sequence[Sequence[float]],
) -> tuple[Item, ...]:
    errors, location_errors = model.standard_errors, model.location_errors
    fits, locations = rasch.item_fit(model, scores), model.locations
    places = layout(instrument, form)
    return tuple(
        Item(
            code=item.code,
            domain=item.domain,
            difficulty=half_up(_said(item.difficulty), 2),
            item_rest=half_up(_said(item.item_rest), 2),
            discrimination=half_up(_said(item.discrimination), 2),
            options=_options(scenario, sheets[:, places.offset("option", item.code)]),
            location=half_up(locations[place], 2),
            location_se=half_up(location_errors[place], 2),
            thresholds=tuple(
                Threshold(credit, half_up(at, 2), half_up(error, 2))
                for credit, at, error in zip(
                    worth[place][1:], model.thresholds[place], errors[place], strict=True
                )
            ),
            infit=Fit(half_up(fits[place].infit, 2), half_up(fits[place].infit_t, 1)),
            outfit=Fit(half_up(fits[place].outfit, 2), half_up(fits[place].outfit_t, 1)),
        )
        for place, (item, scenario) in enumerate(
            zip(classical.items, instrument.scenarios_of(form), strict=True)
        )
    )


def _options(scenario: Scenario, chosen: Bytes) -> tuple[Chosen, ...]:
    codes = [(place, option.code) for place, option in enumerate(scenario.options, 1)]
    return tuple(
        Chosen(code, printed(float((chosen == byte).mean()), len(chosen)).points)
        for byte, code in (*codes, (DONT_KNOW_BYTE, DONT_KNOW))
    )


def _map(model: rasch.PartialCredit, scores: rasch.Whole) -> Map:
    estimates = rasch.people(model)
    sums = scores.sum(axis=1)
    theta, errors = estimates.weighted[sums], estimates.weighted_errors[sums]
    reliability = rasch.separation_reliability(theta, errors)
    ends = np.concatenate(model.thresholds)
    classes, counts = np.unique(np.floor(theta / BIN), return_counts=True)
    return Map(
        mean=half_up(float(theta.mean()), 2),
        sd=half_up(float(theta.std(ddof=1)), 2),
        reliability=half_up(0.0 if isinstance(reliability, Unsaid) else reliability, 2),
        items_sd=half_up(float(model.locations.std(ddof=1)), 2),
        below=_share(int((theta < ends.min()).sum()), len(theta)),
        beyond=_share(int((theta > ends.max()).sum()), len(theta)),
        classes=tuple(
            Class(float(place) * BIN, share)
            for place, count in zip(classes, counts, strict=True)
            if (share := _share(int(count), len(theta)))
        ),
    )


def _share(count: int, n: int) -> float:
    return half_up(count / n, 2) if count >= FEWEST else 0.0


def _comparisons(
    instrument: Instrument,
    form: str,
    scores: rasch.Whole,
    worth: Sequence[Sequence[float]],
    groups: Mapping[str, Sequence[str]],
) -> list[Comparison]:
    """Each class that is large enough with the largest of its kind."""
    found = []
    codes = [item.code for item in instrument.scenarios_of(form)]
    units = [(values[-1] - values[0]) / (len(values) - 1) for values in worth]
    for attribute, values in groups.items():
        members = np.asarray(values)
        names, counts = np.unique(members[members != ""], return_counts=True)
        large = sorted(
            (-int(count), str(name))
            for name, count in zip(names, counts, strict=True)
            if count >= dif.GROUP_MIN
        )
        for _count, focal in large[1:]:
            reference = large[0][1]
            both = (members == focal) | (members == reference)
            compared = dif.compared(scores[both], members[both] == focal)
            found.append(
                Comparison(
                    attribute=attribute,
                    focal=focal,
                    reference=reference,
                    items=()
                    if isinstance(compared, Unsaid)
                    else tuple(
                        _difference(code, unit, each)
                        for code, unit, each in zip(codes, units, compared, strict=True)
                    ),
                )
            )
    return found


def _difference(code: str, unit: float, found: dif.Difference | Unsaid) -> ItemDifference:
    if isinstance(found, Unsaid):
        return ItemDifference(code, None)
    return ItemDifference(
        code, found.size.value, half_up(found.gain, 3), half_up(unit * found.gap, 2)
    )


# --- What to look at ------------------------------------------------------------------------------

EASY = 0.9
"""Mean credit from which an item hardly tells people apart."""
WEAK = 0.2
"""Upper–lower discrimination below which an item is to be revised (Ebel & Frisbie 1991, *Essentials
of Educational Measurement*, ch. 13)."""
UNUSED = 5
"""Per cent of answers up to which a wrong option attracts nobody (Haladyna & Downing 1993,
doi:10.1177/0013164493053004013)."""
OVERFIT, UNDERFIT = 0.7, 1.3
"""Mean squares within which an item of a multiple-choice test fits (Wright & Linacre 1994,
*Reasonable mean-square fit values*, Rasch Measurement Transactions 8:3)."""
CLEARLY = 2.0
"""Standardised fit beyond which the misfit is more than chance."""


class Remark(StrEnum):
    """What an item's figures call for a look at, the gravest first."""

    NEGATIVE = "negative"
    """Those who do better on the rest do worse on it: the key may be wrong."""
    BEATEN = "beaten"
    """A wrong option is chosen more often than the best one."""
    UNDER_CHANCE = "under_chance"
    """It earns less than blind guessing."""
    DIFFERENT = "different"
    """It is not the same for two classes of people who do as well."""
    UNDERFIT = "underfit"
    """Answers depend on something else than the rest of the form does."""
    WEAK = "weak"
    """It hardly tells those who do well from the others."""
    EASY = "easy"
    """Nearly everybody has it right."""
    OVERFIT = "overfit"
    """It adds little to the other items."""
    UNCHOSEN = "unchosen"
    """A wrong option attracts hardly anybody."""


def remarks(found: Quality, item: Item, scenario: Scenario) -> tuple[Remark, ...]:
    """What to look at in an item of a calibration."""
    percent = {each.option: each.percent for each in item.options}
    wrong = [percent[option.code] for option in scenario.options if option.credit == 0.0]
    fits = (item.infit, item.outfit)
    held = {
        Remark.NEGATIVE: item.item_rest < 0.0,
        Remark.BEATEN: max(wrong, default=0) > percent[scenario.best.code],
        Remark.UNDER_CHANCE: 100 * item.difficulty < chance_line([scenario]),
        Remark.DIFFERENT: any(
            each.code == item.code and each.size in ("moderate", "large")
            for comparison in found.comparisons
            for each in comparison.items
        ),
        Remark.UNDERFIT: any(fit.square > UNDERFIT and fit.t > CLEARLY for fit in fits),
        Remark.WEAK: item.item_rest >= 0.0
        and item.discrimination < WEAK
        and item.difficulty < EASY,
        Remark.EASY: item.difficulty >= EASY,
        Remark.OVERFIT: any(fit.square < OVERFIT and fit.t < -CLEARLY for fit in fits),
        Remark.UNCHOSEN: bool(wrong) and min(wrong) <= UNUSED,
    }
    return tuple(remark for remark in Remark if held[remark])
