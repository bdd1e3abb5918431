"""What is asked: the instrument as one immutable value.

An instrument is written as a folder of YAML files (``seeds/``), read and checked by
:mod:`assessments.instrument.loading`, and stored whole, as canonical JSON, with its digest.
Every type here is frozen; nothing here knows Django, a database or a clock.

The shape of the YAML is the shape of these types: a field's name in a file is its name here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal, NamedTuple

import msgspec

Text = dict[str, str]
"""One text in every language the instrument declares: ``{"fr": "…", "en": "…"}``."""

MAIN_LANGUAGE = "fr"
DONT_KNOW_CONFIDENCE = 0.25
"""The confidence recorded with "I don't know", which is a guess declined (measurement.md §1)."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen record that refuses fields it does not know.

    A field added to one is left out where it has its default (``omit_defaults``), so that a
    version published before it keeps its bytes, and with them the digest that sittings, releases
    and reports name it by.
    """


class Choice(Record, frozen=True):
    """An option of a context question, or a point of a scale."""

    code: str
    text: Text


class ConfidenceLevel(Record, frozen=True):
    code: str
    text: Text
    probability: float
    """What the level is worth: the chance of being right that it claims, 0 to 1."""


class ContextQuestion(Record, frozen=True):
    """A question about the person's situation, closed and optional. It is never scored."""

    code: str
    text: Text
    options: tuple[Choice, ...]
    multiple: bool = False
    help: Text | None = None


class Panel(Record, frozen=True):
    """The judges who set cut scores, and how far other judges' cuts might be from theirs."""

    judges: int
    """Who finished both rounds."""
    set_on: date
    version: str
    """The version whose scenarios they judged."""
    form: str
    operational_error: float
    """Standard error of the cut, in points of the 0–100 scale."""
    expert_error: float


class Cuts(Record, frozen=True, omit_defaults=True):
    """Cut scores between the three levels, on the 0–100 scale of a domain score."""

    operational: float
    expert: float
    provisional: bool
    """Set by the authors alone. It ends with a panel."""
    basis: Text
    panel: Panel | None = None


class Level(Record, frozen=True):
    """What a level means in a domain."""

    level: Literal[1, 2, 3]
    text: Text


class Domain(Record, frozen=True):
    code: str
    goal: str
    """The strategy goal that this domain measures (``G1`` …)."""
    title: Text
    summary: Text
    levels: tuple[Level, ...]


class SubCompetency(Record, frozen=True):
    code: str
    domain: str
    title: Text
    scenarios: int
    """How many scenarios of each form the blueprint asks for."""
    goals: tuple[str, ...]
    priorities: tuple[str, ...]
    pillars: tuple[str, ...] = ()

    def serves(self, entry: str) -> bool:
        """Whether it serves the goal, priority or pillar of that code."""
        return entry in self.goals or entry in self.priorities or entry in self.pillars


class SelfRating(Record, frozen=True):
    """A behavioural statement, answered on the instrument's five-point scale."""

    code: str
    sub_competency: str
    text: Text


class Source(Record, frozen=True):
    code: str
    citation: str
    read_on: date
    reading: Literal["primary", "abstract", "secondary", "recalled", "computed"]
    """How the source was read: the text itself, its abstract, somebody's account of it, or
    from memory. Only a primary text, an abstract or a computation can carry a key."""
    doi: str | None = None
    url: str | None = None


class Option(Record, frozen=True):
    code: str
    text: Text
    credit: float
    """1 for the best option, 0.5 for an acceptable one, 0 for a wrong one."""
    rationale: Text
    unsafe: bool = False
    """Following it could harm a patient or break professional secrecy."""


class Variant(Record, frozen=True):
    """The same decision worded for people of other professions; its key is the scenario's."""

    professions: tuple[str, ...]
    """Codes of answers to the context question ``profession``."""
    stem: Text | None = None
    options: dict[str, Text] | None = None
    """The options that are worded otherwise, by their codes."""


class Scenario(Record, frozen=True, omit_defaults=True):
    code: str
    sub_competency: str
    forms: tuple[str, ...]
    """The forms it is served in. A scenario of several forms is an anchor between them; one of
    none is in reserve, and takes the place of one that is past its ``review_by``."""
    topic: Text
    """A few words that name the scenario in lists, without giving its answer away."""
    stem: Text
    options: tuple[Option, ...]
    explanation: Text
    """What a good colleague would say afterwards: why, with the figure, and what to do."""
    sources: tuple[str, ...]
    nature: Literal["science", "law"]
    jurisdiction: Literal["FR", "EU", "any"]
    valid_from: date
    review_by: date
    facts: tuple[str, ...] = msgspec.field(default_factory=lambda: ())
    """Codes of the facts of the evidence dossier that defend the key. Written even where there are
    none, as in the versions published before ``variants``: msgspec omits no value that is made."""
    variants: tuple[Variant, ...] = ()

    def worded_for(self, profession: str) -> Scenario:
        """The scenario in the words meant for a profession, which are most often its own."""
        for variant in self.variants:
            if profession in variant.professions:
                return msgspec.structs.replace(
                    self,
                    stem=variant.stem or self.stem,
                    options=tuple(
                        msgspec.structs.replace(
                            option, text=(variant.options or {}).get(option.code, option.text)
                        )
                        for option in self.options
                    ),
                )
        return self

    @property
    def best(self) -> Option:
        """The option with the greatest credit."""
        return max(self.options, key=lambda option: option.credit)


class Plan(Record, frozen=True):
    """A ready-made implementation intention: "when … I will … with … before …"."""

    when: Text
    will: Text
    together_with: Text
    within_days: int


class NextStep(Record, frozen=True):
    code: str
    sub_competency: str
    kind: Literal["resource", "ward", "training"]
    title: Text
    text: Text
    minutes: int
    plan: Plan
    sources: tuple[str, ...] = ()
    professions: tuple[str, ...] = ()
    """Context codes it is meant for; empty means everybody."""
    settings: tuple[str, ...] = ()


class StrategyEntry(Record, frozen=True):
    """A goal, a priority or a pillar of the national strategy."""

    code: str
    kind: Literal["goal", "priority", "pillar"]
    title: Text
    sources: tuple[str, ...]
    scored: bool = True
    note: Text | None = None


class StrategyElement(Record, frozen=True, omit_defaults=True):
    """A measure the strategy names, with its state as last checked.

    Without its defaults in the canonical JSON, so that a document published before them keeps
    its digest.
    """

    code: str
    title: Text
    announced: Text
    state: Text
    as_of: date
    confirmed: bool
    """Whether the state was read in a primary source or in several concordant accounts."""
    sources: tuple[str, ...]
    sub_competencies: tuple[str, ...] = ()
    """Those that ask about what the measure is about; empty where nothing does."""


class Strategy(Record, frozen=True):
    title: Text
    as_of: date
    entries: tuple[StrategyEntry, ...]
    elements: tuple[StrategyElement, ...]


class Cited(NamedTuple):
    """The sources of one part of an instrument."""

    title: Text
    sources: tuple[Source, ...]


class Instrument(Record, frozen=True):
    """A whole instrument: one value, from which everything asked and scored follows."""

    code: str
    version: str
    title: Text
    licence: str
    authors: tuple[str, ...]
    languages: tuple[str, ...]
    forms: tuple[str, ...]
    status: Text
    cuts: Cuts
    self_rating_scale: tuple[Choice, ...]
    self_rating_intro: Text
    confidence_question: Text
    confidence_scale: tuple[ConfidenceLevel, ...]
    dont_know: Text
    context: tuple[ContextQuestion, ...]
    domains: tuple[Domain, ...]
    sub_competencies: tuple[SubCompetency, ...]
    self_ratings: tuple[SelfRating, ...]
    scenarios: tuple[Scenario, ...]
    next_steps: tuple[NextStep, ...]
    sources: tuple[Source, ...]
    strategy: Strategy

    def sub_competencies_of(self, domain: str) -> tuple[SubCompetency, ...]:
        return tuple(sub for sub in self.sub_competencies if sub.domain == domain)

    def scenarios_of(self, form: str) -> tuple[Scenario, ...]:
        """The scenarios of a form, or of an edition of it, in the order of the blueprint."""
        name, day = form_and_day(form)
        order = {sub.code: place for place, sub in enumerate(self.sub_competencies)}
        designed = sorted(
            (item for item in self.scenarios if name in item.forms),
            key=lambda item: order[item.sub_competency],
        )
        return tuple(designed) if day is None else self._in_force(designed, day)

    def _in_force(self, designed: Iterable[Scenario], day: date) -> tuple[Scenario, ...]:
        """The scenarios with, for each past its review, the first valid one in reserve.

        What the reserve cannot replace stays: a form never misses a place of its blueprint.
        """
        reserve = [
            item
            for item in self.scenarios
            if not item.forms and item.valid_from <= day <= item.review_by
        ]
        served = []
        for item in designed:
            if item.review_by < day:
                for other in reserve:
                    if other.sub_competency == item.sub_competency:
                        reserve.remove(other)
                        item = other
                        break
            served.append(item)
        return tuple(served)

    def edition(self, form: str, day: date) -> str:
        """What a form is called as it is served on a day: the form itself, unless the reserve
        takes the place of something; then with the first day on which it was so composed."""

        def served(edition: str) -> list[str]:
            return [item.code for item in self.scenarios_of(edition)]

        current = served(edition_of(form, day))
        if current == served(form):
            return form
        turns = {item.review_by + timedelta(days=1) for item in self.scenarios}
        turns |= {item.valid_from for item in self.scenarios}
        first = day
        for turn in sorted((turn for turn in turns if turn <= day), reverse=True):
            if served(edition_of(form, turn)) != current:
                break
            first = turn
        return edition_of(form, first)

    def worded_for(self, profession: str) -> Instrument:
        """The instrument with its scenarios worded for a profession."""
        worded = tuple(item.worded_for(profession) for item in self.scenarios)
        if all(after is before for after, before in zip(worded, self.scenarios, strict=True)):
            return self
        return msgspec.structs.replace(self, scenarios=worded)

    def domain_of(self, sub_competency: str) -> str:
        """The code of the domain a sub-competency belongs to; KeyError if there is none."""
        return by_code(self.sub_competencies)[sub_competency].domain

    def source(self, code: str) -> Source:
        return by_code(self.sources)[code]

    def sources_by_use(self) -> tuple[Cited, ...]:
        """For each domain the sources of its scenarios and steps; last those of the strategy, with
        whatever nothing cites. A source may serve several."""
        domains = {sub.code: sub.domain for sub in self.sub_competencies}
        cited: dict[str, set[str]] = {domain.code: set() for domain in self.domains}
        for scenario in self.scenarios:
            cited[domains[scenario.sub_competency]].update(scenario.sources)
        for step in self.next_steps:
            cited[domains[step.sub_competency]].update(step.sources)
        used = set().union(*cited.values())
        named = {code for entry in self.strategy.entries for code in entry.sources}
        named |= {code for element in self.strategy.elements for code in element.sources}
        return (
            *(
                Cited(domain.title, tuple(s for s in self.sources if s.code in cited[domain.code]))
                for domain in self.domains
            ),
            Cited(
                self.strategy.title,
                tuple(s for s in self.sources if s.code in named or s.code not in used),
            ),
        )


EDITION = "@"
"""Between a form and the day of its edition: ``A@2027-05-24``."""


def edition_of(form: str, day: date) -> str:
    """The name of a form as composed on a day."""
    return f"{form}{EDITION}{day.isoformat()}"


def form_and_day(form: str) -> tuple[str, date | None]:
    """A form, and the day of its edition; None for the form as it was designed.

    ValueError if what follows the sign is no date.
    """
    name, sign, day = form.partition(EDITION)
    return name, date.fromisoformat(day) if sign else None


def form_label(form: str) -> str:
    """A form or an edition as people read it: ``A``, ``A (2027-05-24)``."""
    name, day = form_and_day(form)
    return f"{name} ({day.isoformat()})" if day else name


def in_language(text: Text, language: str) -> str:
    """A text in a language, in :data:`MAIN_LANGUAGE` where it has no other."""
    return text.get(language) or text[MAIN_LANGUAGE]


def by_code[T](records: Iterable[T]) -> Mapping[str, T]:
    """Records keyed by their ``code``."""
    return {record.code: record for record in records}  # type: ignore[attr-defined]


def encode(instrument: Instrument) -> bytes:
    """The canonical JSON of an instrument: same value, same bytes."""
    return msgspec.json.encode(instrument, order="sorted")


_DECODER = msgspec.json.Decoder(Instrument)
"""Made once, while the module is loaded: msgspec takes a type apart at its first use, and crashes
the process where two threads come to that at the same moment."""


def decode(document: bytes) -> Instrument:
    """The instrument of :func:`encode`'s bytes; msgspec.ValidationError if they are not one."""
    return _DECODER.decode(document)


def digest(instrument: Instrument) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(encode(instrument)).hexdigest()
