"""A form and one's answers as FHIR, against the specification's own lists and invariants.

Independent libraries have their say in :mod:`tests.test_fhir_libraries`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from assessments import fhir
from assessments.instrument.document import Variant, edition_of
from assessments.instrument.loading import load
from assessments.questionnaire import Questionnaire
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet
from tests.conftest import SEEDS
from tests.instrument.example import example_instrument, text

pytestmark = pytest.mark.pure

DAY = date(2026, 11, 24)

# The lists of codes of the required bindings of the elements used, from R4 (4.0.1) and R5 (5.0.0).
PUBLICATION_STATUS = {"draft", "active", "retired", "unknown"}
RESPONSE_STATUS = {"in-progress", "completed", "amended", "entered-in-error", "stopped"}
ENABLE_OPERATOR = {"exists", "=", "!=", ">", "<", ">=", "<="}
ENABLE_BEHAVIOR = {"all", "any"}
ANSWER_CONSTRAINT = {"optionsOnly", "optionsOrType", "optionsOrString"}
ITEM_TYPE = {
    "group",
    "display",
    "question",
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "attachment",
    "reference",
    "quantity",
}
ITEM_TYPE_IN = {"R4": ITEM_TYPE | {"choice", "open-choice"}, "R5": ITEM_TYPE | {"coding"}}
LISTS = {
    "status": {"Questionnaire": PUBLICATION_STATUS, "QuestionnaireResponse": RESPONSE_STATUS},
    "operator": ENABLE_OPERATOR,
    "enableBehavior": ENABLE_BEHAVIOR,
    "answerConstraint": ANSWER_CONSTRAINT,
    "subjectType": {"Practitioner"},  # a name of a resource in both releases
}


def asked(form: str = "A", forms: tuple[str, ...] = ("A", "B")) -> Questionnaire:
    return Questionnaire(example_instrument(forms), form)


SHEET = Sheet(
    context={"profession": ("nurse",), "tools": ("imaging", "scribe")},
    self_ratings={"A1-self": 4},
    answers={
        "A2-1": ScenarioAnswer("c", "p75"),
        "A2-2": ScenarioAnswer(DONT_KNOW),
        "C1-1": ScenarioAnswer("a"),
    },
)


def made(release: fhir.Release, language: str = "fr") -> fhir.Resource:
    return fhir.questionnaire(asked(), release, language, published_on=DAY)


def answered(
    release: fhir.Release, sheet: Sheet = SHEET, finished_on: date | None = DAY, language="fr"
) -> fhir.Resource:
    return fhir.response(
        asked(), sheet, release, language, opened_on=date(2026, 11, 20), finished_on=finished_on
    )


def nodes(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with the name of the element that holds it, from the outside in."""
    yield name, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from nodes(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each, name)


def items(resource: fhir.Resource) -> Iterator[fhir.Resource]:
    for item in resource.get("item", ()):
        yield item
        yield from items(item)


def item(resource: fhir.Resource, link: str) -> fhir.Resource:
    (found,) = (each for each in items(resource) if each["linkId"] == link)
    return found


ALL = [
    (release, resource)
    for release in fhir.RELEASES
    for resource in (made(release), answered(release), answered(release, Sheet(), None))
]


@pytest.mark.parametrize(("release", "resource"), ALL)
def test_every_code_of_a_required_binding_is_in_its_list(release, resource):
    seen = set()
    for name, value in nodes(resource):
        if name in LISTS and isinstance(value, str):
            codes = LISTS[name]
            if isinstance(codes, dict):
                codes = codes[resource["resourceType"]]
            assert value in codes, (name, value)
            seen.add(name)
    for each in items(resource):
        if "type" in each:
            assert each["type"] in ITEM_TYPE_IN[release]
            seen.add("type")
    assert "status" in seen
    if resource["resourceType"] == "Questionnaire":
        assert {"type", "operator", "enableBehavior", "subjectType"} <= seen


@pytest.mark.parametrize(("release", "resource"), ALL)
def test_primitives_have_the_form_that_the_specification_gives(release, resource):
    for name, value in nodes(resource):
        assert value not in ("", [], {}, None), name
        if name in ("code", "valueCode", "language") and isinstance(value, str):
            assert re.fullmatch(r"\S+( \S+)*", value)
        if name in ("date", "authored"):
            assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)
        if name == "system" or (name == "url" and isinstance(value, str)):
            absolute = re.fullmatch(r"urn:uuid:[0-9a-f-]{36}|http://hl7\.org/fhir/\S+", value)
            assert absolute or value in ("lang", "content")  # the parts of a translation


@pytest.mark.parametrize("release", fhir.RELEASES)
def test_the_invariants_of_a_questionnaire_hold(release):
    resource = made(release)
    links = [each["linkId"] for each in items(resource)]
    assert len(set(links)) == len(links)  # que-2
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{1,254}", resource["name"])  # que-0, cnl-0
    assert not set(resource["url"]) & set("|#")  # cnl-1
    for each in items(resource):
        if each["type"] == "group":
            assert each["item"]  # que-1
        elif each["type"] == "display":
            assert "item" not in each
            assert "answerOption" not in each
        else:
            codes = [option["valueCoding"]["code"] for option in each["answerOption"]]
            assert len(set(codes)) == len(codes)
        if len(each.get("enableWhen", ())) > 1:
            assert "enableBehavior" in each  # que-12
        for condition in each.get("enableWhen", ()):
            assert links.index(condition["question"]) < links.index(each["linkId"])


def test_the_two_releases_differ_where_the_specification_does():
    four, five = made("R4"), made("R5")
    question = item(four, "A1-self")
    assert question["type"] == "choice"
    assert question["answerOption"][3]["extension"] == [
        {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 4}
    ]
    question = item(five, "A1-self")
    assert (question["type"], question["answerConstraint"]) == ("coding", "optionsOnly")
    assert question["answerOption"][3]["extension"] == [
        {"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 4}
    ]
    assert five["copyrightLabel"] == "CC BY-SA 4.0"
    assert "copyrightLabel" not in four
    assert answered("R4") == answered("R5")


def test_it_says_what_it_is_and_whose():
    resource = made("R5")
    assert {
        name: resource[name]
        for name in ("version", "title", "status", "publisher", "copyright", "date", "language")
    } == {
        "version": "1.0",
        "title": "Exemple d’instrument (A)",
        "status": "active",
        "publisher": "Example authors",
        "copyright": "Example authors, CC BY-SA 4.0",
        "date": "2026-11-24",
        "language": "fr",
    }
    assert made("R4", "de")["language"] == "fr"  # which the instrument does not speak


@pytest.mark.parametrize(("language", "other"), [("fr", "en"), ("en", "fr")])
def test_every_text_is_there_in_the_other_language_too(language, other):
    resource = made("R5", language)
    stem = example_instrument().scenarios[0].stem
    question = item(resource, "A1-1")
    assert question["text"] == stem[language]
    assert question["_text"]["extension"] == [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/translation",
            "extension": [
                {"url": "lang", "valueCode": other},
                {"url": "content", "valueString": stem[other]},
            ],
        }
    ]
    for name, value in nodes(resource):
        if isinstance(value, dict):
            told = {key for key in ("text", "title", "display", "description") if key in value}
            if name != "type":  # of the identifier
                assert all(f"_{key}" in value for key in told), value


def test_the_key_is_not_in_it():
    """Neither in words nor in weights; each of these stands in the instrument."""
    for release in fhir.RELEASES:
        resource = made(release)
        written = json.dumps(resource, ensure_ascii=False)
        for scenario in asked().instrument.scenarios_of("A"):
            assert scenario.explanation["fr"] not in written
            for option in scenario.options:
                assert option.text["fr"] in written
                assert option.rationale["fr"] not in written
            options = item(resource, scenario.code)["answerOption"]
            assert [set(option) for option in options] == [{"valueCoding"}] * 5
        assert not re.search("credit|unsafe|rationale", written)


def test_the_questions_stand_page_by_page_as_they_are_asked():
    resource = made("R4")
    context, ratings, scenarios = resource["item"]
    assert [each["linkId"] for each in context["item"][0]["item"]] == [
        "profession",
        "setting",
        "tools",
    ]
    assert [page["text"] for page in ratings["item"]] == ["Domaine A", "Domaine B", "Domaine C"]
    assert [each["linkId"] for each in scenarios["item"][0]["item"]] == [
        "A1-1",
        "A1-1/confidence",
        "A2-1",
        "A2-1/confidence",
    ]
    assert len(scenarios["item"]) == 12
    assert item(resource, "tools")["repeats"] is True
    assert "repeats" not in item(resource, "profession")
    (help_,) = item(resource, "setting")["item"]
    assert (help_["type"], help_["text"]) == ("display", "Le principal")


def test_codes_and_names_are_the_same_in_every_version_and_form():
    example = example_instrument(("A", "B"))
    later = Questionnaire(msgspec.structs.replace(example, version="2.0"), "A")
    first = asked("A")
    assert fhir.canonical(later) == fhir.canonical(first)
    assert fhir.version(later) == "2.0"
    assert fhir.code_system(later.instrument) == fhir.code_system(first.instrument)
    assert fhir.canonical(asked("B")) != fhir.canonical(first)
    edition = asked(edition_of("A", date(2027, 5, 24)))
    assert fhir.canonical(edition) == fhir.canonical(first)
    assert fhir.version(edition) == "1.0@2027-05-24"
    # Written out, for it must not change with the code either.
    assert fhir.canonical(first) == "urn:uuid:b67086a4-3884-5422-9232-3a83eb372100"


def test_a_code_that_two_kinds_of_questions_share_is_told_apart():
    example = example_instrument()
    rating = msgspec.structs.replace(example.self_ratings[0], code="A1-1")
    shared = msgspec.structs.replace(example, self_ratings=(rating, *example.self_ratings[1:]))
    links = [
        each["linkId"] for each in items(fhir.questionnaire(Questionnaire(shared, "A"), "R4", "fr"))
    ]
    assert {"self-rating/A1-1", "scenario/A1-1", "scenario/A1-1/confidence", "A2-1"} <= set(links)
    assert "A1-1" not in links


def test_what_was_answered_and_nothing_else_is_in_the_response():
    resource = answered("R4", language="en")
    codes = {
        each["linkId"]: [answer["valueCoding"]["code"] for answer in each["answer"]]
        for each in items(resource)
        if "answer" in each
    }
    assert codes == {
        "profession": ["context/profession/nurse"],
        "tools": ["context/tools/imaging", "context/tools/scribe"],
        "A1-self": ["self-rating/4"],
        "A2-1": ["scenario/A2-1/c"],
        "A2-1/confidence": ["confidence/p75"],
        "A2-2": ["dont-know"],
        "C1-1": ["scenario/C1-1/a"],
    }
    assert item(resource, "A2-2")["answer"][0]["valueCoding"]["display"] == "I don’t know"
    assert resource["questionnaire"] == f"{fhir.canonical(asked())}|1.0"


def test_the_response_names_nobody():
    assert set(answered("R5")) == {
        "resourceType",
        "language",
        "questionnaire",
        "status",
        "authored",
        "item",
    }


def test_the_response_is_dated_to_the_day_and_says_whether_it_is_finished():
    done = answered("R4")
    assert (done["status"], done["authored"]) == ("completed", "2026-11-24")
    begun = answered("R4", Sheet(), None)
    assert (begun["status"], begun["authored"]) == ("in-progress", "2026-11-20")
    assert "item" not in begun


@pytest.mark.parametrize("release", fhir.RELEASES)
@pytest.mark.parametrize("form", ["A", "B"])
def test_a_response_answers_its_questionnaire(release, form):
    """Same links in the same nesting, and only codings that the question offers."""
    form = asked(form)
    sheet = Sheet(
        context={each.code: (each.options[0].code,) for each in form.instrument.context},
        self_ratings={each.code: 5 for each in form.instrument.self_ratings},
        answers={
            each.code: ScenarioAnswer("d", "p95")
            for each in form.instrument.scenarios_of(form.form)
        },
    )
    resource = fhir.response(form, sheet, release, "fr", opened_on=DAY, finished_on=DAY)
    asked_items = {each["linkId"]: each for each in items(fhir.questionnaire(form, release, "fr"))}
    told = list(items(resource))
    assert [each["linkId"] for each in told] == [
        link for link, each in asked_items.items() if each["type"] != "display"
    ]
    for each in told:
        question = asked_items[each["linkId"]]
        assert each.get("text") == question.get("text")
        for answer in each.get("answer", ()):
            offered = [option["valueCoding"] for option in question["answerOption"]]
            assert answer["valueCoding"] in [
                {name: coding[name] for name in ("system", "code", "display")} for coding in offered
            ]


def test_a_variant_is_told_in_the_words_that_were_read():
    example = example_instrument()
    variant = Variant(("nurse",), stem=text("Pour une infirmière", "For a nurse"))
    first = msgspec.structs.replace(example.scenarios[0], variants=(variant,))
    instrument = msgspec.structs.replace(example, scenarios=(first, *example.scenarios[1:]))
    sheet = Sheet(answers={"A1-1": ScenarioAnswer("a")})
    for profession, words in (("nurse", "For a nurse"), ("", example.scenarios[0].stem["en"])):
        resource = fhir.response(
            Questionnaire(instrument, "A", profession),
            sheet,
            "R4",
            "en",
            opened_on=DAY,
            finished_on=None,
        )
        assert item(resource, "A1-1")["text"] == words


def test_media_types_name_the_release():
    assert [fhir.media_type(release) for release in fhir.RELEASES] == [
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+json; fhirVersion=5.0",
    ]


@pytest.mark.parametrize("release", fhir.RELEASES)
def test_our_own_form_is_told_whole(release):
    resource = fhir.questionnaire(Questionnaire(load(SEEDS), "A"), release, "fr")
    types = [each["type"] for each in items(resource)]
    assert types.count(fhir.CHOICE[release]) == len(load(SEEDS).context) + 16 + 2 * 24
