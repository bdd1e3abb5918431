"""A form and one's answers to it as FHIR resources, in R4 (4.0.1) and R5 (5.0.0). Pure.

``Questionnaire`` is what respondents are asked: the key, the rationales and the explanations are
not in it. ``QuestionnaireResponse`` is what one person answered: it names nobody, has no
identifier, and is dated to the day.

Both follow https://hl7.org/fhir/R4/questionnaire.html and https://hl7.org/fhir/R5/questionnaire.html.
Names are URNs made from the instrument's code (UUID version 5, RFC 9562), so that the same form has
the same name wherever it is served, and nobody's web address is borrowed for it:

=============  ==================================================================================
``url``        of a form of an instrument, whatever its version
``version``    of the instrument; with the day of an edition of the form, ``2026.1@2027-05-24``
``linkId``     the code of the question, ``A1-1``; ``A1-1/confidence`` for how sure one is of it
code system    of an instrument: ``scenario/A1-1/b``, ``context/profession/nurse``,
               ``self-rating/4``, ``confidence/sure``, ``dont-know``
=============  ==================================================================================

A point of the self-rating scale weighs its place, a level of confidence the chance of being right
that it claims; options weigh nothing, for that would be the key.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid5

from .instrument.document import (
    EDITION,
    MAIN_LANGUAGE,
    Choice,
    ConfidenceLevel,
    ContextQuestion,
    Instrument,
    Option,
    Scenario,
    SelfRating,
    Text,
    digest,
    form_and_day,
    form_label,
    in_language,
)
from .questionnaire import Item, Page, Part, Questionnaire
from .scoring.sheet import DONT_KNOW, Sheet

type Release = Literal["R4", "R5"]
type Resource = dict[str, Any]
"""A JSON object."""

RELEASES: tuple[Release, ...] = ("R4", "R5")
CHOICE: Mapping[Release, str] = {"R4": "choice", "R5": "coding"}
"""The type of a question answered by one of its options: R5 split it from its constraint."""
WEIGHT: Mapping[Release, str] = {
    "R4": "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "R5": "http://hl7.org/fhir/StructureDefinition/itemWeight",
}
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
CONTROL = "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl"
CONTROLS = "http://hl7.org/fhir/questionnaire-item-control"
NAMESPACE = UUID("97e394a1-72f9-4fc9-9fdf-0de74d22c161")
"""Of the names made here; it must never change."""
PARTS: tuple[Part, ...] = ("context", "self-ratings", "scenarios")


def media_type(release: Release) -> str:
    """The media type of a resource, with the version of FHIR (http.html, "FHIR version")."""
    return f"application/fhir+json; fhirVersion={ {'R4': '4.0', 'R5': '5.0'}[release] }"


def questionnaire(
    asked: Questionnaire,
    release: Release,
    language: str,
    *,
    status: Literal["draft", "active", "retired"] = "active",
    published_on: date | None = None,
) -> Resource:
    """A form as a ``Questionnaire``: its texts in a language, with the others as translations."""
    return _Form(asked, release, language).questionnaire(status, published_on)


def response(
    asked: Questionnaire,
    sheet: Sheet,
    release: Release,
    language: str,
    *,
    opened_on: date,
    finished_on: date | None,
) -> Resource:
    """One's answers to a form as a ``QuestionnaireResponse``, without what was not answered."""
    return _Form(asked, release, language).response(sheet, opened_on, finished_on)


def canonical(asked: Questionnaire) -> str:
    """The name of a form, whatever its version."""
    name, _ = form_and_day(asked.form)
    return _urn("questionnaire", asked.instrument, name)


def version(asked: Questionnaire) -> str:
    """The version of a form: the instrument's, and the day of the edition where it is one."""
    _, day = form_and_day(asked.form)
    number = asked.instrument.version
    return f"{number}{EDITION}{day.isoformat()}" if day else number


def code_system(instrument: Instrument) -> str:
    """The name of the code system of an instrument's answers, whatever its version."""
    return _urn("answers", instrument)


def _urn(kind: str, instrument: Instrument, *parts: str) -> str:
    return uuid5(NAMESPACE, "|".join((kind, instrument.code, *parts))).urn


class _Form:
    """A form in one release and one language."""

    def __init__(self, asked: Questionnaire, release: Release, language: str) -> None:
        self.asked = asked
        self.instrument = asked.instrument
        self.release = release
        languages = asked.instrument.languages
        self.language = language if language in languages else MAIN_LANGUAGE
        self.system = code_system(asked.instrument)
        codes = Counter(item.code for page in asked.pages for item in page.items)
        self.shared = {code for code, count in codes.items() if count > 1}

    # The questions

    def questionnaire(self, status: str, published_on: date | None) -> Resource:
        instrument = self.instrument
        title = instrument.title
        if len(instrument.forms) > 1:
            form = form_label(self.asked.form)
            title = {language: f"{words} ({form})" for language, words in title.items()}
        authors = ", ".join(instrument.authors)
        made: Resource = {
            "resourceType": "Questionnaire",
            "language": self.language,
            "url": canonical(self.asked),
            "identifier": [
                {
                    "type": {"text": "SHA-256 of the instrument"},
                    "value": digest(self.asked.published),
                }
            ],
            "version": version(self.asked),
            "name": _computer_name(instrument.code, form_and_day(self.asked.form)[0]),
            **self.words("title", title),
            "status": status,
            "subjectType": ["Practitioner"],
            "publisher": authors,
            **self.words("description", instrument.status),
            "copyright": f"{authors}, {instrument.licence}",
        }
        if published_on:
            made["date"] = published_on.isoformat()
        if self.release == "R5":
            made["copyrightLabel"] = instrument.licence
        made["item"] = [
            self.part(part) | {"item": pages}
            for part in PARTS
            if (
                pages := [
                    self.page(page)
                    | {"item": [each for item in page.items for each in self.questions(item)]}
                    for page in self.pages(part)
                ]
            )
        ]
        return made

    def pages(self, part: Part) -> Iterable[Page]:
        return (page for page in self.asked.pages if page.part == part and page.items)

    def part(self, part: Part) -> Resource:
        """The group of a part, without its pages."""
        intro = self.instrument.self_rating_intro
        return {
            "linkId": f"part/{part}",
            **(self.words("text", intro) if part == "self-ratings" else {}),
            "type": "group",
        }

    def page(self, page: Page) -> Resource:
        """The group of a screen, without its questions."""
        rated = page.part == "self-ratings"
        return {
            "linkId": f"page/{page.part}/{page.number}",
            **(self.words("text", self.instrument.domains[page.number - 1].title) if rated else {}),
            "type": "group",
        }

    def questions(self, item: Item) -> list[Resource]:
        link = self.link(item)
        match item:
            case ContextQuestion():
                asked = self.question(
                    link, item.text, [self.option(item, option) for option in item.options]
                )
                if item.multiple:
                    asked["repeats"] = True
                if item.help:
                    asked["item"] = [self.help(f"{link}/help", item.help)]
                return [asked]
            case SelfRating():
                scale = self.instrument.self_rating_scale
                points = [self.point(place) for place in range(1, len(scale) + 1)]
                return [self.question(link, item.text, points)]
            case Scenario():
                options = [self.option(item, option) for option in item.options]
                options.append({"valueCoding": self.dont_know()})
                return [self.question(link, item.stem, options), self.confidence(link)]

    def question(self, link: str, text: Text, options: list[Resource]) -> Resource:
        made: Resource = {
            "linkId": link,
            **self.words("text", text),
            "type": CHOICE[self.release],
        }
        if self.release == "R5":
            made["answerConstraint"] = "optionsOnly"
        return {**made, "answerOption": options}

    def confidence(self, link: str) -> Resource:
        """How sure one is of an answer; not asked after "I don't know"."""
        asked = self.question(
            f"{link}/confidence",
            self.instrument.confidence_question,
            [
                self.weighted(level.probability, self.level(level))
                for level in self.instrument.confidence_scale
            ],
        )
        unknown = {"system": self.system, "code": "dont-know"}
        asked["enableWhen"] = [
            {"question": link, "operator": "exists", "answerBoolean": True},
            {"question": link, "operator": "!=", "answerCoding": unknown},
        ]
        asked["enableBehavior"] = "all"
        return asked

    def help(self, link: str, text: Text) -> Resource:
        control = {"coding": [{"system": CONTROLS, "code": "help"}]}
        return {
            "extension": [{"url": CONTROL, "valueCodeableConcept": control}],
            "linkId": link,
            **self.words("text", text),
            "type": "display",
        }

    def option(self, item: ContextQuestion | Scenario, option: Choice | Option) -> Resource:
        return {"valueCoding": self.chosen(item, option)}

    def point(self, place: int) -> Resource:
        return self.weighted(place, self.rating(place))

    def weighted(self, weight: float, coding: Resource) -> Resource:
        extension = {"url": WEIGHT[self.release], "valueDecimal": weight}
        return {"extension": [extension], "valueCoding": coding}

    def link(self, item: Item) -> str:
        """The code of a question, with its kind where two kinds of questions share it."""
        return f"{_kind(item)}/{item.code}" if item.code in self.shared else item.code

    # Codes

    def chosen(self, item: ContextQuestion | Scenario, option: Choice | Option) -> Resource:
        return self.coding(f"{_kind(item)}/{item.code}/{option.code}", option.text)

    def rating(self, place: int) -> Resource:
        point = self.instrument.self_rating_scale[place - 1]
        return self.coding(f"self-rating/{point.code}", point.text)

    def level(self, level: ConfidenceLevel) -> Resource:
        return self.coding(f"confidence/{level.code}", level.text)

    def dont_know(self) -> Resource:
        return self.coding("dont-know", self.instrument.dont_know)

    def coding(self, code: str, text: Text) -> Resource:
        return {"system": self.system, "code": code, **self.words("display", text)}

    def words(self, field: str, text: Text) -> Resource:
        """A text in the form's language, its other languages as translations of it."""
        made: Resource = {field: in_language(text, self.language)}
        others = [
            {
                "url": TRANSLATION,
                "extension": [
                    {"url": "lang", "valueCode": language},
                    {"url": "content", "valueString": words},
                ],
            }
            for language, words in text.items()
            if language != self.language
        ]
        if others:
            made[f"_{field}"] = {"extension": others}
        return made

    # The answers

    def response(self, sheet: Sheet, opened_on: date, finished_on: date | None) -> Resource:
        made: Resource = {
            "resourceType": "QuestionnaireResponse",
            "language": self.language,
            "questionnaire": f"{canonical(self.asked)}|{version(self.asked)}",
            "status": "completed" if finished_on else "in-progress",
            "authored": (finished_on or opened_on).isoformat(),
        }
        parts = []
        for part in PARTS:
            pages = [
                _told(self.page(page)) | {"item": items}
                for page in self.pages(part)
                if (items := [each for item in page.items for each in self.answers(item, sheet)])
            ]
            if pages:
                parts.append(_told(self.part(part)) | {"item": pages})
        if parts:  # an empty list is no FHIR
            made["item"] = parts
        return made

    def answers(self, item: Item, sheet: Sheet) -> list[Resource]:
        """What was answered to a question, or nothing."""
        given = [self.given(item, sheet)]
        if isinstance(item, Scenario):
            given.append(self.confidence_given(item, sheet))
        return [
            _told(question) | {"answer": [{"valueCoding": _told(coding)} for coding in codings]}
            for question, codings in zip(self.questions(item), given, strict=True)
            if codings
        ]

    def given(self, item: Item, sheet: Sheet) -> list[Resource]:
        """The codings of the options chosen."""
        match item:
            case ContextQuestion():
                chosen = sheet.context.get(item.code, ())
                return [self.chosen(item, each) for each in item.options if each.code in chosen]
            case SelfRating():
                rating = sheet.self_ratings.get(item.code)
                return [self.rating(rating)] if rating else []
            case Scenario():
                answer = sheet.answers.get(item.code)
                if answer and answer.option == DONT_KNOW:
                    return [self.dont_know()]
                return [
                    self.chosen(item, each)
                    for each in item.options
                    if answer and each.code == answer.option
                ]

    def confidence_given(self, item: Scenario, sheet: Sheet) -> list[Resource]:
        answer = sheet.answers.get(item.code)
        return [
            self.level(level)
            for level in self.instrument.confidence_scale
            if answer and level.code == answer.confidence
        ]


def _kind(item: Item) -> str:
    match item:
        case ContextQuestion():
            return "context"
        case SelfRating():
            return "self-rating"
        case Scenario():
            return "scenario"


TOLD = ("linkId", "text", "system", "code", "display")
"""What an answer repeats of its question: the name and the words, in one language."""


def _told(resource: Resource) -> Resource:
    return {name: resource[name] for name in TOLD if name in resource}


def _computer_name(*codes: str) -> str:
    """A name that programs can use: a capital, then letters and digits (invariant que-0, cnl-0)."""
    words = re.findall("[A-Za-z0-9]+", " ".join(codes))
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Q{name}"
