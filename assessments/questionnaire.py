"""One form of an instrument as it is walked: its pages, its layout, the time it takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import batched
from math import ceil
from typing import Literal

from .instrument.document import ContextQuestion, Instrument, Scenario, SelfRating
from .scoring.sheet import DONT_KNOW, Layout, Sheet, layout

SCENARIOS_A_PAGE = 2
SECONDS = {"context": 10, "self-ratings": 9, "scenarios": 40}
"""Time one question of a part takes: 4 + 16 + 24 questions make the 20 minutes announced."""
SECONDS_A_STEP = 15
"""Time it takes to say what became of a step chosen before, at a follow-up."""

type Part = Literal["context", "self-ratings", "scenarios"]
type Item = ContextQuestion | SelfRating | Scenario


@dataclass(frozen=True, slots=True)
class Page:
    """The questions put on one screen and sent by one POST."""

    part: Part
    number: int
    """Place within its part, from 1."""
    place: int
    """Place within the sitting, from 1."""
    items: tuple[Item, ...]

    @property
    def seconds(self) -> int:
        return SECONDS[self.part] * len(self.items)


class Questionnaire:
    """A form of an instrument: what is asked, page by page."""

    def __init__(self, instrument: Instrument, form: str, profession: str = "") -> None:
        """``profession``: a code of the context question of that name, for its wordings."""
        self.published = instrument
        """The instrument as it was published: what its digest is of."""
        self.instrument = instrument.worded_for(profession)
        self.form = form

    def profession_in(self, answers: bytes) -> str:
        """The code of the profession that a compact sheet tells; empty if it tells none."""
        try:
            place = self.layout.offset("context", "profession")
        except KeyError:
            return ""
        slot = self.layout.slots[place]
        return "" if slot.multiple else "".join(slot.decode(answers[place]))

    @cached_property
    def layout(self) -> Layout:
        return layout(self.instrument, self.form)

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """Context, then one page of self-ratings a domain, then the scenarios two by two."""
        rating_of = {rating.sub_competency: rating for rating in self.instrument.self_ratings}
        parts: list[tuple[Part, list[tuple[Item, ...]]]] = [
            ("context", [self.instrument.context]),
            (
                "self-ratings",
                [
                    tuple(
                        rating_of[sub.code]
                        for sub in self.instrument.sub_competencies_of(domain.code)
                    )
                    for domain in self.instrument.domains
                ],
            ),
            (
                "scenarios",
                list(batched(self.instrument.scenarios_of(self.form), SCENARIOS_A_PAGE)),
            ),
        ]
        places = [
            (part, number, items)
            for part, groups in parts
            for number, items in enumerate(groups, 1)
        ]
        return tuple(
            Page(part, number, place, items)
            for place, (part, number, items) in enumerate(places, 1)
        )

    def page(self, part: str, number: int) -> Page | None:
        """The page of that address, or None."""
        return next((p for p in self.pages if (p.part, p.number) == (part, number)), None)

    def page_at(self, place: int) -> Page | None:
        """The page at that place of the sitting, from 1, or None beyond its ends."""
        return self.pages[place - 1] if 1 <= place <= len(self.pages) else None

    def places(self, page: Page) -> tuple[int, ...]:
        """Where the page's answers stand in the compact sheet."""
        return self._places[page.place]

    @cached_property
    def _places(self) -> dict[int, tuple[int, ...]]:
        """Of each page, by its place."""
        return {page.place: self._places_of(page) for page in self.pages}

    def _places_of(self, page: Page) -> tuple[int, ...]:
        found: list[int] = []
        for item in page.items:
            match item:
                case ContextQuestion():
                    found.append(self.layout.offset("context", item.code))
                case SelfRating():
                    found.append(self.layout.offset("self_rating", item.code))
                case Scenario():
                    found.append(self.layout.offset("option", item.code))
                    found.append(self.layout.offset("confidence", item.code))
        return tuple(found)

    def part(self, page: Page, answers: bytes) -> bytes:
        """The bytes of one page, out of a whole compact sheet."""
        return bytes(answers[place] for place in self.places(page))

    def replaced(self, page: Page, answers: bytes, part: bytes) -> bytes:
        """The compact sheet with one page's bytes replaced."""
        whole = bytearray(answers)
        for place, byte in zip(self.places(page), part, strict=True):
            whole[place] = byte
        return bytes(whole)

    def sheet_of_page(self, page: Page, part: bytes) -> Sheet:
        """What the bytes of one page answer."""
        return self._layouts[page.place].unpack(part)

    @cached_property
    def _layouts(self) -> dict[int, Layout]:
        """Of the bytes of each page, by its place."""
        slots = self.layout.slots
        return {
            place: Layout(tuple(slots[each] for each in places))
            for place, places in self._places.items()
        }

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number a scenario is shown with: its place in the form, from 1."""
        scenarios = self.instrument.scenarios_of(self.form)
        return {item.code: number for number, item in enumerate(scenarios, 1)}

    def minutes(self, start: int = 1, and_seconds: int = 0) -> int:
        """Minutes that the pages from a place on are likely to take, at least 1; and so many
        seconds besides."""
        seconds = and_seconds + sum(page.seconds for page in self.pages[start - 1 :])
        return max(1, ceil(seconds / 60))

    def where_one_was(self, answers: bytes) -> Page | None:
        """Where to go on: the last page answered while it misses something, else the next.

        None where that is after the last page. What was left out before waits for the review.
        """
        reached = [page for page in self.pages if any(self.part(page, answers))]
        if not reached:
            return self.pages[0]
        last, sheet = reached[-1], self.layout.unpack(answers)
        if last.part != "context" and not all(answered(item, sheet) for item in last.items):
            return last
        return self.page_at(last.place + 1)


def answered(item: Item, sheet: Sheet) -> bool:
    """Whether the sheet answers the item wholly: a scenario needs its confidence too."""
    match item:
        case ContextQuestion():
            return bool(sheet.context.get(item.code))
        case SelfRating():
            return item.code in sheet.self_ratings
        case Scenario():
            answer = sheet.answers.get(item.code)
            return answer is not None and (
                answer.option == DONT_KNOW or answer.confidence is not None
            )
