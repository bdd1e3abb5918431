"""Exact counts of one block of answer sheets.

A :class:`Counts` lives in memory between the reading of the sheets and the drawing of the noise
(:func:`assessments.cohort.disclosure.release`); it is never stored and never shown.

The rule that the privacy of a release rests on is kept here: **in every table a person gives a
fixed number of answers** (:attr:`Table.answers`, one almost everywhere), **each counted in at most
one cell**. Replacing a person therefore takes at most ``answers`` from some cells and adds at most
``answers`` to others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum, StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from assessments.instrument.document import Domain, Instrument, Option, Scenario, SelfRating, digest
from assessments.scoring.next_steps import STEPS
from assessments.scoring.sheet import DONT_KNOW, DONT_KNOW_BYTE, Layout, layout

UNANSWERED = "unanswered"
NO_CONFIDENCE = "none"
YES, NO = "yes", "no"
DEEDS = "deeds"
"""The code of the one table of steps followed up."""

Bytes = NDArray[np.uint8]
Whole = NDArray[np.intp]


class LevelOutcome(IntEnum):
    """What the scoring of one sheet says of one domain, as stored beside the sheet."""

    NONE = 0
    LEVEL_1 = 1
    BETWEEN_1_2 = 2
    LEVEL_2 = 3
    BETWEEN_2_3 = 4
    LEVEL_3 = 5

    @property
    def code(self) -> str:
        """Its cell in a level table."""
        return self.name.lower()


class Deed(StrEnum):
    """What became of a next step that a person had chosen, as they say weeks later."""

    DONE = "done"
    BEGUN = "begun"
    NOT_DONE = "not_done"


class Grade(StrEnum):
    """What an answer to a scenario is worth, in the graded key."""

    BEST = "best"
    ACCEPTABLE = "acceptable"
    WRONG = "wrong"

    @property
    def credit(self) -> float:
        return _CREDITS[self]

    @classmethod
    def of(cls, option: Option) -> Grade:
        """The grade of an option; KeyError if its credit is not 0, 0.5 or 1."""
        return _GRADES[option.credit]


_CREDITS = {Grade.BEST: 1.0, Grade.ACCEPTABLE: 0.5, Grade.WRONG: 0.0}
_GRADES = {credit: grade for grade, credit in _CREDITS.items()}


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many answers fell in each cell, in the order of the instrument."""

    code: str
    """The domain, sub-competency, scenario, self-rating or next step counted."""
    cells: tuple[tuple[str, int], ...]
    answers: int = 1
    """How many answers one person gives to the table, at most."""

    def __post_init__(self) -> None:
        if self.answers < 1 or len(dict(self.cells)) != len(self.cells):
            raise ValueError(f"table {self.code}: cells must differ, answers be at least 1")

    def __getitem__(self, cell: str) -> int:
        return dict(self.cells)[cell]

    def __add__(self, other: Table) -> Table:
        """Both tables, cell by cell; ValueError unless they count the same."""
        return self._with(other, 1)

    def __sub__(self, other: Table) -> Table:
        """This table without what another counted of it."""
        return self._with(other, -1)

    def _with(self, other: Table, sign: int) -> Table:
        if (self.code, self.answers) != (other.code, other.answers) or [
            cell for cell, _size in self.cells
        ] != [cell for cell, _size in other.cells]:
            raise ValueError(f"tables {self.code} and {other.code} do not count the same")
        cells = tuple(
            (cell, size + sign * more)
            for (cell, size), (_cell, more) in zip(self.cells, other.cells, strict=True)
        )
        return Table(self.code, cells, self.answers)


TABLE_KINDS = ("levels", "credits", "options", "confidence", "self_ratings", "steps", "deeds")


class Counts(msgspec.Struct, frozen=True):
    """The exact counts of ``n`` sheets. Every tuple follows the order of the instrument."""

    instrument: str
    version: str
    digest: str
    form: str
    n: int
    levels: tuple[Table, ...]
    """Per domain: people by :attr:`LevelOutcome.code`."""
    credits: tuple[Table, ...]
    """Per sub-competency: answers to its scenarios by :class:`Grade`, and unanswered."""
    options: tuple[Table, ...]
    """Per scenario: people by option, "don't know" and unanswered."""
    confidence: tuple[Table, ...]
    """Per scenario: people who answered, by :func:`confidence_cell`, and "don't know"."""
    self_ratings: tuple[Table, ...]
    """Per self-rating: people by point of the scale, and unanswered."""
    steps: tuple[Table, ...]
    """Per next step: people who chose it (yes) or not (no)."""
    deeds: tuple[Table, ...] = ()
    """One table at a follow-up, none at another moment: steps chosen before by :class:`Deed`."""

    def __add__(self, other: Counts) -> Counts:
        """The counts of both, of people counted apart; ValueError unless of one form."""
        alike = ("instrument", "version", "digest", "form")
        if any(getattr(self, name) != getattr(other, name) for name in alike):
            raise ValueError("counts of one instrument version and form are added")
        return msgspec.structs.replace(
            self,
            n=self.n + other.n,
            **{
                kind: tuple(map(Table.__add__, getattr(self, kind), getattr(other, kind)))
                for kind in TABLE_KINDS
            },
        )


def confidence_cell(level: str, grade: Grade) -> str:
    """The cell of a confidence table for a level (or :data:`NO_CONFIDENCE`) and a grade."""
    return f"{level}:{grade}"


def count(
    instrument: Instrument,
    form: str,
    sheets: Bytes,
    outcomes: NDArray[np.integer],
    steps: Sequence[Collection[str]],
    deeds: Iterable[Collection[str]] | None = None,
) -> Counts:
    """The counts of ``n`` finished sheets of one form.

    ``sheets`` is ``[n, size]``, a packed sheet a row; ``outcomes`` is ``[n, domains]``, a
    :class:`LevelOutcome` for each domain in the instrument's order; ``steps`` gives for each person
    the codes of the next steps chosen; ``deeds``, at a follow-up, a :class:`Deed` for each step
    that the person had chosen before. ValueError if a shape, a byte or a code does not fit.
    """
    tally = Tally(instrument, form, followed_up=deeds is not None)
    tally.add(sheets, outcomes, Counter(map(tuple, steps)), Counter(map(tuple, deeds or ())))
    return tally.counts()


class Tally:
    """The counts of sheets of one form that come a part at a time."""

    def __init__(self, instrument: Instrument, form: str, *, followed_up: bool = False) -> None:
        self.instrument, self.form, self.n = instrument, form, 0
        self._layout = layout(instrument, form)
        self._scenarios = instrument.scenarios_of(form)
        scale, cells = len(instrument.confidence_scale), 1 + len(instrument.self_rating_scale)
        self._levels = np.zeros((len(instrument.domains), len(LevelOutcome)), dtype=np.intp)
        self._crossed = {
            item.code: np.zeros((len(item.options) + 2, scale + 1), dtype=np.intp)
            for item in self._scenarios
        }
        self._ratings = np.zeros((len(instrument.self_ratings), cells), dtype=np.intp)
        self._steps: Counter[str] = Counter()
        self._deeds: Counter[str] | None = Counter() if followed_up else None

    def add(
        self,
        sheets: Bytes,
        outcomes: NDArray[np.integer],
        steps: Mapping[tuple[str, ...], int],
        deeds: Mapping[tuple[str, ...], int],
    ) -> None:
        """Count some people, as :func:`count` does; ``steps`` and, at a follow-up, ``deeds`` tell
        how many of them have the same ones. After a ValueError the tally is of no use."""
        instrument, places, n = self.instrument, self._layout, len(sheets)
        if sheets.dtype != np.uint8 or sheets.shape != (n, places.size):
            raise ValueError(f"sheets must be uint8 of shape (n, {places.size})")
        if outcomes.shape != (n, len(instrument.domains)):
            raise ValueError(f"outcomes must be of shape ({n}, {len(instrument.domains)})")
        self.n += n
        for place, domain in enumerate(instrument.domains):
            self._levels[place] += _tally(outcomes[:, place], len(LevelOutcome), domain.code)
        for item in self._scenarios:
            self._crossed[item.code] += _crossed(instrument, places, item, sheets)
        for place, rating in enumerate(instrument.self_ratings):
            column = sheets[:, places.offset("self_rating", rating.code)]
            self._ratings[place] += _tally(column, self._ratings.shape[1], rating.code)
        self._steps += _people(n, "steps", steps)
        if self._deeds is not None:
            self._deeds += _deeds(n, deeds)

    def counts(self) -> Counts:
        """Of all that were added."""
        instrument = self.instrument
        return Counts(
            instrument=instrument.code,
            version=instrument.version,
            digest=digest(instrument),
            form=self.form,
            n=self.n,
            levels=_tables(instrument.domains, [each.code for each in LevelOutcome], self._levels),
            credits=_credits(instrument, self._scenarios, self._crossed),
            options=tuple(_options(item, self._crossed[item.code]) for item in self._scenarios),
            confidence=tuple(
                _confidence(instrument, item, self._crossed[item.code]) for item in self._scenarios
            ),
            self_ratings=_tables(
                instrument.self_ratings,
                [UNANSWERED, *(point.code for point in instrument.self_rating_scale)],
                self._ratings,
            ),
            steps=_steps(instrument, self.n, self._steps),
            deeds=()
            if self._deeds is None
            else (Table(DEEDS, tuple((deed, self._deeds[deed]) for deed in Deed), STEPS),),
        )


def _crossed(instrument: Instrument, places: Layout, scenario: Scenario, sheets: Bytes) -> Whole:
    """People by answer (row: each option, "don't know", unanswered) and confidence (column: none,
    then each level)."""
    levels = 1 + len(instrument.confidence_scale)
    option = sheets[:, places.offset("option", scenario.code)]
    confidence = sheets[:, places.offset("confidence", scenario.code)].astype(np.uint16)
    both = _tally(256 * confidence + option, 256 * levels, f"{scenario.code}, confidence")
    answers = [*range(1, 1 + len(scenario.options)), DONT_KNOW_BYTE, 0]
    crossed: Whole = both.reshape(levels, 256).T[answers]
    if crossed.sum() != len(sheets):
        raise ValueError(f"{scenario.code}: an answer that is none of its options")
    return crossed


def _credits(
    instrument: Instrument, scenarios: Sequence[Scenario], crossed: dict[str, Whole]
) -> tuple[Table, ...]:
    tables = []
    for sub in instrument.sub_competencies:
        items = [item for item in scenarios if item.sub_competency == sub.code]
        if not items:
            continue
        cells: Counter[str] = Counter()
        for item in items:
            table = _options(item, crossed[item.code])
            for option in item.options:
                cells[Grade.of(option)] += table[option.code]
            cells[Grade.WRONG] += table[DONT_KNOW]
            cells[UNANSWERED] += table[UNANSWERED]
        tables.append(
            Table(sub.code, tuple((cell, cells[cell]) for cell in (*Grade, UNANSWERED)), len(items))
        )
    return tuple(tables)


def _options(scenario: Scenario, crossed: Whole) -> Table:
    cells = [*(option.code for option in scenario.options), DONT_KNOW, UNANSWERED]
    return _table(scenario.code, cells, crossed.sum(axis=1))


def _confidence(instrument: Instrument, scenario: Scenario, crossed: Whole) -> Table:
    """Grades that no option of the scenario has make no cell, and so draw no noise."""
    levels = [NO_CONFIDENCE, *(level.code for level in instrument.confidence_scale)]
    grades = [Grade.of(option) for option in scenario.options]
    cells = [
        (confidence_cell(level, grade), int(people[[g is grade for g in grades]].sum()))
        for level, people in zip(levels, crossed[: len(grades)].T, strict=True)
        for grade in Grade
        if grade in grades
    ]
    cells.append((DONT_KNOW, int(crossed[len(grades)].sum())))
    return Table(scenario.code, tuple(cells))


def _people(n: int, what: str, alike: Mapping[tuple[str, ...], int]) -> Counter[str]:
    """How many of ``n`` people have each code, of how many have the same ones; a code counts once
    for one person."""
    if (given := sum(alike.values())) != n:
        raise ValueError(f"{what} must be given for {n} people, not {given}")
    people: Counter[str] = Counter()
    for codes, some in alike.items():
        for code in set(codes):
            people[code] += some
    return people


def _steps(instrument: Instrument, n: int, people: Counter[str]) -> tuple[Table, ...]:
    if unknown := people.keys() - {step.code for step in instrument.next_steps}:
        raise ValueError(f"unknown next steps: {sorted(unknown)}")
    return tuple(
        Table(step.code, ((YES, people[step.code]), (NO, n - people[step.code])))
        for step in instrument.next_steps
    )


def _deeds(n: int, alike: Mapping[tuple[str, ...], int]) -> Counter[str]:
    if (given := sum(alike.values())) != n:
        raise ValueError(f"deeds must be given for {n} people, not {given}")
    found: Counter[str] = Counter()
    for said, people in alike.items():
        if len(said) > STEPS:
            raise ValueError(f"a person follows up {STEPS} steps at most")
        for deed in said:
            found[Deed(deed)] += people
    return found


def _tables(
    of: Sequence[Domain | SelfRating], cells: Sequence[str], sizes: Whole
) -> tuple[Table, ...]:
    return tuple(_table(each.code, cells, row) for each, row in zip(of, sizes, strict=True))


def _table(code: str, cells: Sequence[str], sizes: Whole) -> Table:
    return Table(code, tuple(zip(cells, map(int, sizes), strict=True)))


def _tally(values: NDArray[np.integer], cells: int, code: str) -> Whole:
    """How often each of 0 … cells − 1 occurs; ValueError if anything else does."""
    found = np.bincount(values, minlength=cells)
    if len(found) > cells:
        raise ValueError(f"{code}: an answer outside its {cells} cells")
    return found
