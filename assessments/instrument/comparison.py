"""Two versions of an instrument, item by item: what changed, and whether it can still be compared.

An item is comparable between two versions if people were asked the same and it earned the same.
Nobody can tell a corrected comma from a changed sense by looking at characters, so that any change
of what is read or earned breaks it; what is only said afterwards (why, by which source, until
when) does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from .document import (
    MAIN_LANGUAGE,
    ContextQuestion,
    Instrument,
    Record,
    Scenario,
    SelfRating,
    Source,
    Strategy,
    Text,
    Variant,
    by_code,
)
from .rules import leaves

type Part = Literal[
    "scenarios",
    "self_ratings",
    "context",
    "domains",
    "sub_competencies",
    "confidence_scale",
    "self_rating_scale",
    "next_steps",
    "sources",
    "strategy",
    "instrument",
]
type State = Literal["added", "removed", "changed"]
type Mark = Literal["same", "gone", "new"]

LISTS: tuple[Part, ...] = (
    "scenarios",
    "self_ratings",
    "context",
    "confidence_scale",
    "self_rating_scale",
    "domains",
    "sub_competencies",
    "next_steps",
    "sources",
)
"""The lists of an instrument, in the order in which a comparison tells them."""
FEWEST_COMMON = 4
"""The fewest common scenarios on which a domain is compared between two versions."""
MOST_WORDS = 400
"""Beyond so many words in all, two texts stand one after the other instead of word by word: time
may grow with the cube of it, and an explanation has at most 160."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of an item that is not as it was."""

    field: str
    """The path inside the item: ``options.b.text.fr``."""
    before: str | None
    """None where the field did not exist."""
    after: str | None
    """None where it exists no more."""
    breaks: bool
    """Whether the item can no longer be compared because of it."""

    def words(self) -> tuple[tuple[Mark, str], ...]:
        """Both texts as one, in runs of words that are the same, gone or new."""
        return words(self.before or "", self.after or "")


@dataclass(frozen=True, slots=True)
class ItemChange:
    part: Part
    code: str
    """Of the item; empty for the instrument and the strategy as wholes."""
    title: Text
    state: State
    differences: tuple[Difference, ...] = ()
    moved: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Of a scenario: the forms it was served in and is now, where they are not the same."""

    @property
    def breaks(self) -> bool:
        return any(difference.breaks for difference in self.differences)


@dataclass(frozen=True, slots=True)
class Comparison:
    changes: tuple[ItemChange, ...]
    common: frozenset[str]
    """The codes of the scenarios that can be compared."""
    shared: int
    """How many scenarios both versions have, comparable or not."""

    def of(self, *parts: Part) -> tuple[ItemChange, ...]:
        return tuple(change for change in self.changes if change.part in parts)

    @property
    def broken(self) -> tuple[ItemChange, ...]:
        """The scenarios that both versions have and that can no longer be compared."""
        return tuple(
            change
            for change in self.of("scenarios")
            if change.state == "changed" and change.code not in self.common
        )


def compare(before: Instrument, after: Instrument) -> Comparison:
    """What is not in ``after`` as it was in ``before``."""
    only_one = _only_one(before, after)
    changes: list[ItemChange] = []
    for part in LISTS:
        changes += _of_list(part, getattr(before, part), getattr(after, part), only_one)
    changes += _of_list("strategy", _strategy(before), _strategy(after), only_one)
    wholes: tuple[tuple[Part, Strategy | Instrument, Strategy | Instrument], ...] = (
        ("strategy", before.strategy, after.strategy),
        ("instrument", before, after),
    )
    for part, then, now in wholes:
        if differences := _differences(then, now, only_one):
            changes.append(ItemChange(part, "", now.title, "changed", differences))
    shared = by_code(before.scenarios).keys() & by_code(after.scenarios).keys()
    return Comparison(tuple(changes), common_scenarios(before, after), len(shared))


def common_scenarios(before: Instrument, after: Instrument) -> frozenset[str]:
    """The codes of the scenarios that asked the same and earned the same in both versions.

    "I don't know" is an answer to each of them: worded otherwise, it leaves none.
    """
    if _texts_changed(before.dont_know, after.dont_know):
        return frozenset()
    then, now = by_code(before.scenarios), by_code(after.scenarios)
    only_one = _only_one(before, after)
    return frozenset(
        code
        for code in then.keys() & now.keys()
        if before.domain_of(then[code].sub_competency) == after.domain_of(now[code].sub_competency)
        and not any(each.breaks for each in _differences(then[code], now[code], only_one))
    )


def _only_one(before: Instrument, after: Instrument) -> frozenset[str]:
    return frozenset(before.languages) ^ frozenset(after.languages)


def _strategy(instrument: Instrument) -> tuple[Record, ...]:
    return (*instrument.strategy.entries, *instrument.strategy.elements)


def _of_list(
    part: Part, before: Iterable[Record], after: Iterable[Record], only_one: frozenset[str]
) -> Iterator[ItemChange]:
    then, now = by_code(before), by_code(after)
    for code, record in now.items():
        if code not in then:
            yield ItemChange(part, code, title_of(record), "added")
        elif then[code] != record:
            yield _change(part, code, then[code], record, only_one)
    for code, record in then.items():
        if code not in now:
            yield ItemChange(part, code, title_of(record), "removed")


def _change(
    part: Part, code: str, before: Record, after: Record, only_one: frozenset[str]
) -> ItemChange:
    moved = None
    if isinstance(before, Scenario) and isinstance(after, Scenario) and before.forms != after.forms:
        moved = before.forms, after.forms
    differences = _differences(before, after, only_one)
    return ItemChange(part, code, title_of(after), "changed", differences, moved)


def title_of(record: Record) -> Text:
    """What an item is called in a list; a source, by its citation."""
    if isinstance(record, Source):
        return {MAIN_LANGUAGE: record.citation}
    named = (getattr(record, name, None) for name in ("topic", "title", "text"))
    return next(filter(None, named), {})


# One item

ASIDE = ("forms", "code")
"""Fields told otherwise than as a difference."""


def _differences(before: Record, after: Record, only_one: frozenset[str]) -> tuple[Difference, ...]:
    then, now = dict(_values(before)), dict(_values(after))
    found = [
        Difference(field, then.get(field), now.get(field), breaks(after, field, only_one))
        for field in dict.fromkeys((*then, *now))
        if then.get(field) != now.get(field)
    ]
    return tuple(sorted(found, key=lambda each: not each.breaks))


def _values(record: Record) -> Iterator[tuple[str, str]]:
    """Every value of an item as text, by its path; a scenario's variants by their professions."""
    for field, value in leaves(record):
        if field in ASIDE or field.startswith("variants."):
            continue
        if isinstance(value, Mapping):
            yield from ((f"{field}.{language}", text) for language, text in value.items())
        elif isinstance(value, tuple):
            if value and not any(isinstance(each, Record) for each in value):
                yield field, ", ".join(map(str, value))
        elif value is not None:
            yield field, str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(record, Scenario):
        for variant in record.variants:
            for profession in variant.professions:
                yield from _worded(variant, f"variants.{profession}")


def _worded(variant: Variant, where: str) -> Iterator[tuple[str, str]]:
    for language, text in (variant.stem or {}).items():
        yield f"{where}.stem.{language}", text
    for code, texts in (variant.options or {}).items():
        for language, text in texts.items():
            yield f"{where}.options.{code}.{language}", text


READ_OR_EARNED = {
    Scenario: re.compile(
        r"sub_competency|(topic|stem)\.\w+|options\.\w+\.(text\.\w+|credit|unsafe)|variants\..*"
    ),
    SelfRating: re.compile(r"sub_competency|text\..*"),
    ContextQuestion: re.compile(r"text\..*|help\..*|options\..*|multiple"),
    Instrument: re.compile(r"dont_know\..*"),
}
"""The fields of an item that people read when they answer, or by which an answer earns."""


def breaks(record: Record, field: str, only_one: frozenset[str]) -> bool:
    """Whether a changed field makes an item another one.

    ``only_one`` are the languages of one version only, which nobody read in the other.
    """
    pattern = READ_OR_EARNED.get(type(record))
    return bool(pattern and pattern.fullmatch(field) and field.rpartition(".")[2] not in only_one)


def _texts_changed(before: Text, after: Text) -> bool:
    return any(before[language] != after[language] for language in before.keys() & after.keys())


# Word by word


def words(before: str, after: str) -> tuple[tuple[Mark, str], ...]:
    """Two texts as one, in runs that are the same, gone or new."""
    then, now = _tokens(before), _tokens(after)
    if len(then) + len(now) > 2 * MOST_WORDS:
        return (("gone", before), ("new", after))
    runs: list[tuple[Mark, str]] = []
    for kind, start, end, first, last in SequenceMatcher(
        None, then, now, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            runs.append(("same", "".join(then[start:end])))
            continue
        if end > start:
            runs.append(("gone", "".join(then[start:end])))
        if last > first:
            runs.append(("new", "".join(now[first:last])))
    return tuple(runs)


def _tokens(text: str) -> list[str]:
    """Words and the spaces between them, which together make the text again."""
    return re.findall(r"\s+|[^\s]+", text)
