"""One answer sheet: its readable form, and its compact one of a byte a slot.

A sheet is always partial: every question is optional, and an absent key is an unanswered one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from assessments.instrument.document import Choice, Instrument, Option, form_and_day

DONT_KNOW = "dont_know"
"""The option of a scenario that every scenario has: "I don't know"."""

UNANSWERED_BYTE = 0
DONT_KNOW_BYTE = 255

Kind = Literal["context", "self_rating", "option", "confidence"]


class SheetError(ValueError):
    """An answer, or a byte, that the form does not have."""


@dataclass(frozen=True, slots=True)
class ScenarioAnswer:
    """The option chosen (or :data:`DONT_KNOW`) and the code of the confidence level, if given."""

    option: str
    confidence: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one person answered. Every mapping is keyed by the question's code."""

    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Codes of the options chosen; a question without ``multiple`` holds one."""
    self_ratings: Mapping[str, int] = field(default_factory=dict)
    """Points of the self-rating scale, from 1."""
    answers: Mapping[str, ScenarioAnswer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """One byte of a packed sheet. 0 is unanswered; byte *k* is ``values[k − 1]``, except

    - a context question of several answers: bit *k* is ``values[k]``;
    - an option: 255 is "I don't know".
    """

    kind: Kind
    code: str
    """Of the context question, the self-rating or the scenario."""
    values: tuple[str, ...]
    multiple: bool = False

    def __post_init__(self) -> None:
        room = 8 if self.multiple else DONT_KNOW_BYTE - 1
        if len(self.values) > room:
            raise SheetError(f"{self.kind} {self.code}: more than {room} values for one byte")

    def encode(self, chosen: str) -> int:
        """The byte (or, where there are several answers, the bit) of one value."""
        if chosen == DONT_KNOW and self.kind == "option":
            return DONT_KNOW_BYTE
        if chosen not in self.values:
            raise SheetError(f"{self.kind} {self.code}: no value {chosen!r}")
        place = self.values.index(chosen)
        return 1 << place if self.multiple else place + 1

    def decode(self, byte: int) -> tuple[str, ...]:
        """The values a byte stands for, none where it is 0."""
        if self.multiple:
            if byte >> len(self.values):
                raise SheetError(f"{self.kind} {self.code}: no value for byte {byte}")
            return tuple(value for bit, value in enumerate(self.values) if byte >> bit & 1)
        if byte == UNANSWERED_BYTE:
            return ()
        if byte == DONT_KNOW_BYTE and self.kind == "option":
            return (DONT_KNOW,)
        if byte > len(self.values):
            raise SheetError(f"{self.kind} {self.code}: no value for byte {byte}")
        return (self.values[byte - 1],)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each answer of a form stands. Hashable, and worth keeping per version and form."""

    slots: tuple[Slot, ...]
    _offsets: Mapping[tuple[Kind, str], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        offsets = {(slot.kind, slot.code): place for place, slot in enumerate(self.slots)}
        object.__setattr__(self, "_offsets", offsets)

    @property
    def size(self) -> int:
        """Bytes of a packed sheet."""
        return len(self.slots)

    def offset(self, kind: Kind, code: str) -> int:
        """The place of a slot, from 0; KeyError if the form does not have it."""
        return self._offsets[kind, code]

    def empty(self) -> bytes:
        """A packed sheet where nothing is answered."""
        return bytes(self.size)

    def pack(self, sheet: Sheet) -> bytes:
        """The sheet as :attr:`size` bytes; SheetError on anything the form does not have."""
        packed = bytearray(self.size)
        for code, chosen in sheet.context.items():
            slot = self._slot("context", code)
            if len(chosen) > 1 and not slot.multiple:
                raise SheetError(f"context {code}: takes one answer")
            for value in chosen:
                packed[self.offset("context", code)] |= slot.encode(value)
        for code, rating in sheet.self_ratings.items():
            slot = self._slot("self_rating", code)
            if rating not in range(1, len(slot.values) + 1):
                raise SheetError(f"self_rating {code}: no point {rating!r}")
            packed[self.offset("self_rating", code)] = int(rating)
        for code, answer in sheet.answers.items():
            packed[self.offset("option", code)] = self._slot("option", code).encode(answer.option)
            if answer.confidence is not None:
                if answer.option == DONT_KNOW:
                    raise SheetError(f"option {code}: {DONT_KNOW} has no confidence of its own")
                slot = self._slot("confidence", code)
                packed[self.offset("confidence", code)] = slot.encode(answer.confidence)
        return bytes(packed)

    def unpack(self, packed: bytes | bytearray | memoryview) -> Sheet:
        """The sheet of :meth:`pack`'s bytes; SheetError if no sheet has these bytes."""
        data = bytes(packed)
        if len(data) != self.size:
            raise SheetError(f"{len(data)} bytes where the form has {self.size}")
        context: dict[str, tuple[str, ...]] = {}
        self_ratings: dict[str, int] = {}
        options: dict[str, str] = {}
        confidences: dict[str, str] = {}
        for slot, byte in zip(self.slots, data, strict=True):
            match slot.kind, slot.decode(byte):
                case _, ():
                    continue
                case "context", chosen:
                    context[slot.code] = chosen
                case "self_rating", _:
                    self_ratings[slot.code] = byte
                case "option", (option, *_):
                    options[slot.code] = option
                case "confidence", (confidence, *_):
                    confidences[slot.code] = confidence
        for code in confidences:
            if options.get(code, DONT_KNOW) == DONT_KNOW:
                raise SheetError(f"confidence {code}: no option it is about")
        return Sheet(
            context=context,
            self_ratings=self_ratings,
            answers={
                code: ScenarioAnswer(option, confidences.get(code))
                for code, option in options.items()
            },
        )

    def _slot(self, kind: Kind, code: str) -> Slot:
        try:
            return self.slots[self.offset(kind, code)]
        except KeyError:
            raise SheetError(f"no {kind} {code!r} in this form") from None


def _codes(options: Iterable[Choice | Option]) -> tuple[str, ...]:
    return tuple(option.code for option in options)


def layout(instrument: Instrument, form: str) -> Layout:
    """The layout of a form: context, self-ratings, then option and confidence of each scenario.

    SheetError where the instrument has no such form, or a question has more values than a byte.
    """
    if form_and_day(form)[0] not in instrument.forms:
        raise SheetError(f"no form {form!r}")
    points = _codes(instrument.self_rating_scale)
    levels = tuple(level.code for level in instrument.confidence_scale)
    slots = [
        Slot("context", question.code, _codes(question.options), question.multiple)
        for question in instrument.context
    ]
    slots += [Slot("self_rating", statement.code, points) for statement in instrument.self_ratings]
    for scenario in instrument.scenarios_of(form):
        slots.append(Slot("option", scenario.code, _codes(scenario.options)))
        slots.append(Slot("confidence", scenario.code, levels))
    return Layout(tuple(slots))
