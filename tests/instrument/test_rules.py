"""Every rule, by breaking it once: where the finding is, and that it is the only one."""

from datetime import date
from typing import Any

import pytest

from assessments.instrument import rules
from assessments.instrument.rules import MESSAGES, TO_MEND, Finding, check

from .example import (
    Place,
    add,
    broken,
    drop,
    example_instrument,
    findings_in,
    next_step,
    places,
    put,
    scenario,
    text,
)

INSTRUMENT = "instrument.yaml"
RATINGS = "self_ratings.yaml"
STRATEGY = "strategy.yaml"
A = "scenarios/a.yaml"
BC = "scenarios/bc.yaml"
STEPS = "next_steps/all.yaml"
SOURCES = "sources/all.yaml"
NBSP = "\u00a0"


def french(wording: str) -> dict[str, str]:
    return text(wording, "Fine")


def source(code: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "citation": "A citation.",
        "read_on": date(2026, 11, 23),
        "reading": "primary",
        **more,
    }


def choice(code: str) -> dict[str, Any]:
    return {"code": code, "text": french("Bien")}


WARD = "A1-ward-example"
STEM = (A, "A1-1", "stem.fr")
LONG = "mot " * 39 + "mot"


def panel(**more: object) -> dict[str, object]:
    return {
        "judges": 6,
        "set_on": date(2026, 11, 24),
        "version": "0.9",
        "form": "A",
        "operational_error": 0,
        "expert_error": 50,
        **more,
    }


def variant(*professions: str, **more: object) -> dict[str, object]:
    return {"professions": list(professions), "stem": french("Pour vous"), **more}


BREAKAGES: dict[str, tuple[Any, list[Place]]] = {
    # Texts
    "no main language": (
        [put(INSTRUMENT, "languages", ["en"])],
        [(INSTRUMENT, "", "languages", "main-language")],
    ),
    "a language missing": (
        [drop(A, "A1-1", "options", "b", "rationale", "en")],
        [(A, "A1-1", "options.b.rationale.en", "missing-language")],
    ),
    "a language too many": (
        [put(A, "A1-1", "stem", "de", "Gut")],
        [(A, "A1-1", "stem.de", "undeclared-language")],
    ),
    "a blank text": (
        [put(INSTRUMENT, "domains", "B", "levels", 1, "text", "en", " ")],
        [(INSTRUMENT, "domains.B", "levels.2.text.en", "empty")],
    ),
    "a blank citation": (
        [put(SOURCES, "study-2021", "citation", "")],
        [(SOURCES, "study-2021", "citation", "empty")],
    ),
    "a script in a stem": (
        [put(A, "A1-1", "stem", "en", "What now<script>alert(1)</script>")],
        [(A, "A1-1", "stem.en", "markup")],
    ),
    "an entity in an explanation": (
        [put(A, "A1-1", "explanation", "en", "Less &lt; more")],
        [(A, "A1-1", "explanation.en", "markup")],
    ),
    "a tag in a list of strings": (
        [put(INSTRUMENT, "authors", ["Ann", "<img src=x>"])],
        [(INSTRUMENT, "", "authors", "markup")],
    ),
    "a comment in a citation": (
        [put(SOURCES, "study-2021", "citation", "A study <!-- no -->")],
        [(SOURCES, "study-2021", "citation", "markup")],
    ),
    "no author": (
        [put(INSTRUMENT, "authors", [])],
        [(INSTRUMENT, "", "authors", "empty")],
    ),
    "a space at the end": (
        [put(A, "A1-1", "stem", french("Que faire "))],
        [(*STEM, "spacing")],
    ),
    "two paragraphs": (
        [put(A, "A1-1", "stem", french("Que faire\nici"))],
        [(*STEM, "spacing")],
    ),
    "a doubled space": (
        [put(STRATEGY, "elements", "guide", "state", "fr", "Pas  encore")],
        [(STRATEGY, "elements.guide", "state.fr", "spacing")],
    ),
    "no space before a question mark": (
        [put(A, "A1-1", "stem", french("Que faire?"))],
        [(*STEM, "space-before")],
    ),
    "a plain space before a colon": (
        [put(INSTRUMENT, "context", "tools", "options", "scribe", "text", french("Voix : oui"))],
        [(INSTRUMENT, "context.tools", "options.scribe.text.fr", "space-before")],
    ),
    "a plain space before a percent sign": (
        [put(A, "A1-1", "stem", french("Environ 80 %"))],
        [(*STEM, "space-before")],
    ),
    "plain spaces in guillemets": (
        [put(A, "A1-1", "stem", french("Un « bon » outil"))],
        [(*STEM, "space-before"), (*STEM, "space-after")],
    ),
    "a narrow no-break space": (
        [put(A, "A1-1", "stem", french("Que faire\u202f?"))],
        [(*STEM, "narrow-space")],
    ),
    "a straight apostrophe": (
        [put(A, "A1-1", "stem", french("L'outil"))],
        [(*STEM, "apostrophe")],
    ),
    "a long stem": (
        [put(A, "A1-1", "stem", french(f"{LONG} {LONG} {LONG} mot"))],
        [(*STEM, "too-long")],
    ),
    "a long option": (
        [put(A, "A1-1", "options", "d", "text", "en", f"{LONG} mot")],
        [(A, "A1-1", "options.d.text.en", "too-long")],
    ),
    "a long explanation": (
        [put(A, "A1-1", "explanation", french(f"{LONG} {LONG} {LONG} {LONG} mot"))],
        [(A, "A1-1", "explanation.fr", "too-long")],
    ),
    # Codes and references
    "a code with a space": (
        [put(RATINGS, 0, "code", "A1 self")],
        [(RATINGS, "A1 self", "code", "code")],
    ),
    "a long code": (
        [put(RATINGS, 0, "code", "A" * 41)],
        [(RATINGS, "A" * 41, "code", "code")],
    ),
    "an answer's code with a slash": (
        [put(INSTRUMENT, "context", "tools", "options", "scribe", "code", "a/b")],
        [(INSTRUMENT, "context.tools", "options.a/b", "code")],
    ),
    "a version with a space": (
        [put(INSTRUMENT, "version", "1 0")],
        [(INSTRUMENT, "", "version", "code")],
    ),
    "a long version": (
        [put(INSTRUMENT, "version", "1" * 21)],
        [(INSTRUMENT, "", "version", "version-length")],
    ),
    "a self-rating's code twice": (
        [put(RATINGS, 1, "code", "A1-self")],
        [(RATINGS, "A1-self", "code", "duplicate-code")],
    ),
    "a source's code twice, in two files": (
        [add("sources/strategy.yaml", source("law-2024"))],
        [("sources/strategy.yaml", "law-2024", "code", "duplicate-code")],
    ),
    "a step's code twice": (
        [add(STEPS, next_step("A1", "ward", 20))],
        [(STEPS, WARD, "code", "duplicate-code")],
    ),
    "an answer's code twice": (
        [add(INSTRUMENT, "context", "tools", "options", choice("scribe"))],
        [(INSTRUMENT, "context.tools", "options", "duplicate-code")],
    ),
    "a source listed twice": (
        [add(A, "A1-1", "sources", "study-2021")],
        [(A, "A1-1", "sources", "repeated")],
    ),
    "a scenario's code of another sub-competency": (
        [put(A, "A1-1", "code", "A4-2")],
        [(A, "A4-2", "code", "scenario-code")],
    ),
    "a scenario's code without a number": (
        [put(A, "A1-1", "code", "A1-x")],
        [(A, "A1-x", "code", "scenario-code")],
    ),
    "a step's code without its kind": (
        [put(STEPS, WARD, "code", "A1-word")],
        [(STEPS, "A1-word", "code", "step-code")],
    ),
    "a step's code with a capital": (
        [put(STEPS, WARD, "code", "A1-ward-Word")],
        [(STEPS, "A1-ward-Word", "code", "step-code")],
    ),
    "options in another order": (
        [put(A, "A1-1", "options", 0, "code", "z")],
        [(A, "A1-1", "options", "option-codes")],
    ),
    "the same option twice": (
        [put(A, "A1-1", "options", 1, "code", "a")],
        [(A, "A1-1", "options", "option-codes")],
    ),
    "a scenario of no sub-competency": (
        [add(A, scenario("Z9-1", "Z9", ["A"], 0))],
        [(A, "Z9-1", "sub_competency", "unknown-sub-competency")],
    ),
    "a self-rating of no sub-competency": (
        [add(RATINGS, {**choice("Z9"), "sub_competency": "Z9"})],
        [(RATINGS, "Z9", "sub_competency", "unknown-sub-competency")],
    ),
    "a step of no sub-competency": (
        [add(STEPS, next_step("Z9", "ward", 20))],
        [(STEPS, "Z9-ward-example", "sub_competency", "unknown-sub-competency")],
    ),
    "an element of the strategy about no sub-competency": (
        [put(STRATEGY, "elements", "guide", "sub_competencies", ["A1", "Z9"])],
        [(STRATEGY, "elements.guide", "sub_competencies", "unknown-sub-competency")],
    ),
    "a sub-competency of no domain": (
        [put(INSTRUMENT, "sub_competencies", "A1", "domain", "Z")],
        [
            (INSTRUMENT, "sub_competencies.A1", "domain", "unknown-domain"),
            (INSTRUMENT, "domains.A", "sub_competencies", "domain-scenarios"),
        ],
    ),
    "an undeclared form": (
        [add(A, "A1-1", "forms", "B")],
        [(A, "A1-1", "forms", "unknown-form")],
    ),
    "a scenario's unknown source": (
        [add(A, "A1-1", "sources", "nobody-1999")],
        [(A, "A1-1", "sources", "unknown-source")],
    ),
    "a strategy's unknown source": (
        [add(STRATEGY, "elements", "guide", "sources", "nobody-1999")],
        [(STRATEGY, "elements.guide", "sources", "unknown-source")],
    ),
    "an unknown goal": (
        [add(INSTRUMENT, "sub_competencies", "A1", "goals", "G9")],
        [(INSTRUMENT, "sub_competencies.A1", "goals", "unknown-strategy-entry")],
    ),
    "a goal among the priorities": (
        [add(INSTRUMENT, "sub_competencies", "A1", "priorities", "G1")],
        [(INSTRUMENT, "sub_competencies.A1", "priorities", "unknown-strategy-entry")],
    ),
    "an unknown pillar": (
        [add(INSTRUMENT, "sub_competencies", "A1", "pillars", "L9")],
        [(INSTRUMENT, "sub_competencies.A1", "pillars", "unknown-strategy-entry")],
    ),
    "a domain whose goal is a priority": (
        [put(INSTRUMENT, "domains", "A", "goal", "P1")],
        [(INSTRUMENT, "domains.A", "goal", "unknown-strategy-entry")],
    ),
    "an unknown profession": (
        [put(STEPS, "A1-resource-example", "professions", ["astronaut"])],
        [(STEPS, "A1-resource-example", "professions", "unknown-context")],
    ),
    "an unknown setting": (
        [put(STEPS, "A1-resource-example", "settings", ["moon"])],
        [(STEPS, "A1-resource-example", "settings", "unknown-context")],
    ),
    "a variant for an unknown profession": (
        [put(A, "A1-1", "variants", [variant("astronaut")])],
        [(A, "A1-1", "variants.1.professions", "unknown-context")],
    ),
    "a variant for nobody": (
        [put(A, "A1-1", "variants", [variant()])],
        [(A, "A1-1", "variants.1.professions", "empty")],
    ),
    "a variant that changes nothing": (
        [put(A, "A1-1", "variants", [{"professions": ["nurse"]}])],
        [(A, "A1-1", "variants.1", "empty")],
    ),
    "a variant of an option that is not there": (
        [put(A, "A1-1", "variants", [variant("nurse", options={"e": french("Cinq")})])],
        [(A, "A1-1", "variants.1.options", "unknown-option")],
    ),
    "a variant's text in one language": (
        [put(A, "A1-1", "variants", [variant("nurse", options={"a": {"fr": "Une"}})])],
        [(A, "A1-1", "variants.1.options.a.en", "missing-language")],
    ),
    "two variants for one profession": (
        [put(A, "A1-1", "variants", [variant("nurse"), variant("nurse")])],
        [(A, "A1-1", "variants", "repeated")],
    ),
    # Blueprint
    "a scenario missing": (
        [drop(A, "A2-1")],
        [(INSTRUMENT, "sub_competencies.A2", "scenarios", "blueprint")],
    ),
    "a scenario too many": (
        [add(A, scenario("A1-2", "A1", ["A"], 0))],
        [(INSTRUMENT, "sub_competencies.A1", "scenarios", "blueprint")],
    ),
    "a form without scenarios of one sub-competency": (
        [put(INSTRUMENT, "sub_competencies", "A1", "scenarios", 0), drop(A, "A1-1")],
        [(INSTRUMENT, "domains.A", "sub_competencies", "domain-scenarios")],
    ),
    "no self-rating": (
        [drop(RATINGS, "B2-self")],
        [(INSTRUMENT, "sub_competencies.B2", "self_ratings", "self-rating-count")],
    ),
    "two self-ratings": (
        [add(RATINGS, {**choice("A1-bis"), "sub_competency": "A1"})],
        [(INSTRUMENT, "sub_competencies.A1", "self_ratings", "self-rating-count")],
    ),
    "one step only": (
        [drop(STEPS, "C6-resource-example")],
        [(INSTRUMENT, "sub_competencies.C6", "next_steps", "step-count")],
    ),
    "no ward step open to everybody": (
        [put(STEPS, WARD, "professions", ["nurse"])],
        [(INSTRUMENT, "sub_competencies.A1", "next_steps", "open-ward-step")],
    ),
    "two trainings": (
        [add(STEPS, {**next_step("A1", "training", 60), "code": "A1-training-other"})],
        [(INSTRUMENT, "sub_competencies.A1", "next_steps", "training-count")],
    ),
    "a goal that nothing serves": (
        [
            add(
                STRATEGY,
                "entries",
                {
                    "code": "G4",
                    "kind": "goal",
                    "title": french("But"),
                    "sources": ["strategy-2025"],
                },
            )
        ],
        [(STRATEGY, "entries.G4", "code", "goal-unserved")],
    ),
    # Keys
    "three options": (
        [drop(A, "A1-1", "options", "d")],
        [(A, "A1-1", "options", "option-count")],
    ),
    "a credit of 0.7": (
        [put(A, "A1-1", "options", "d", "credit", 0.7)],
        [(A, "A1-1", "options.d.credit", "credit")],
    ),
    "two best options": (
        [put(A, "A1-1", "options", "d", "credit", 1)],
        [(A, "A1-1", "options", "one-best")],
    ),
    "no best option": (
        [put(A, "A1-1", "options", "a", "credit", 0)],
        [(A, "A1-1", "options", "one-best")],
    ),
    "two acceptable options": (
        [put(A, "A1-1", "options", "d", "credit", 0.5)],
        [(A, "A1-1", "options", "one-acceptable")],
    ),
    "no wrong option": (
        [
            put(A, "A2-1", "options", "b", "credit", 0.5),
            put(A, "A2-1", "options", "c", "credit", 0.5),
        ],
        [
            (A, "A2-1", "options", "one-acceptable"),
            (A, "A2-1", "options", "one-wrong"),
        ],
    ),
    "an unsafe option that earns something": (
        [
            put(A, "A1-1", "options", "b", "unsafe", True),
            put(A, "A1-1", "options", "c", "unsafe", False),
        ],
        [(A, "A1-1", "options.b.unsafe", "unsafe-credit")],
    ),
    "two unsafe options": (
        [put(A, "A1-1", "options", "d", "unsafe", True)],
        [(A, "A1-1", "options", "one-unsafe")],
    ),
    # Sources and dates
    "a key from memory": (
        [put(SOURCES, "law-2024", "reading", "recalled")],
        [(BC, code, "sources", "key-source") for code in ("C1-1", "C1-2", "C2-1")],
    ),
    "a key without a source": (
        [put(A, "A1-1", "sources", [])],
        [(A, "A1-1", "sources", "key-source")],
    ),
    "an unused source": (
        [add(SOURCES, source("nobody-1999"))],
        [(SOURCES, "nobody-1999", "code", "unused-source")],
    ),
    "a DOI written as an address": (
        [put(SOURCES, "study-2021", "doi", "https://doi.org/10.1000/x")],
        [(SOURCES, "study-2021", "doi", "doi")],
    ),
    "an address of stops": (
        [put(SOURCES, "law-2024", "url", f"https://{'.' * 3_900} ")],
        [(SOURCES, "law-2024", "url", "url")],
    ),
    "an address in clear": (
        [put(SOURCES, "law-2024", "url", "http://www.example.org")],
        [(SOURCES, "law-2024", "url", "url")],
    ),
    "a resource without a source": (
        [drop(STEPS, "A1-resource-example", "sources")],
        [(STEPS, "A1-resource-example", "sources", "no-source")],
    ),
    "a measure of the strategy without a source": (
        [put(STRATEGY, "elements", "guide", "sources", [])],
        [(STRATEGY, "elements.guide", "sources", "no-source")],
    ),
    "a goal without a source": (
        [put(STRATEGY, "entries", "G1", "sources", [])],
        [(STRATEGY, "entries.G1", "sources", "no-source")],
    ),
    "a review on the first day": (
        [put(A, "A1-1", "valid_from", date(2028, 11, 23))],
        [(A, "A1-1", "review_by", "review-order")],
    ),
    "a law valid for six months and two days": (
        [put(BC, "C1-1", "review_by", date(2027, 5, 27))],
        [(BC, "C1-1", "review_by", "shelf-life")],
    ),
    "a science item valid for two years and a day": (
        [put(A, "A1-1", "review_by", date(2028, 11, 24))],
        [(A, "A1-1", "review_by", "shelf-life")],
    ),
    "a source read after the review": (
        [put(SOURCES, "law-2024", "read_on", date(2027, 6, 1))],
        [(BC, code, "sources", "read-after-review") for code in ("C1-1", "C1-2", "C2-1")],
    ),
    # Scales and limits
    "a four-point self-rating": (
        [drop(INSTRUMENT, "self_rating_scale", "3")],
        [(INSTRUMENT, "", "self_rating_scale", "self-rating-scale")],
    ),
    "a confidence of certainty": (
        [put(INSTRUMENT, "confidence_scale", "p95", "probability", 1)],
        [(INSTRUMENT, "confidence_scale.p95", "probability", "confidence-range")],
    ),
    "a confidence of nothing": (
        [put(INSTRUMENT, "confidence_scale", "p25", "probability", 0)],
        [(INSTRUMENT, "confidence_scale.p25", "probability", "confidence-range")],
    ),
    "a confidence that does not rise": (
        [put(INSTRUMENT, "confidence_scale", "p75", "probability", 0.5)],
        [(INSTRUMENT, "confidence_scale.p75", "probability", "confidence-order")],
    ),
    "a first confidence above chance": (
        [put(INSTRUMENT, "confidence_scale", "p25", "probability", 0.4)],
        [(INSTRUMENT, "confidence_scale.p25", "probability", "confidence-first")],
    ),
    "a single confidence level": (
        [drop(INSTRUMENT, "confidence_scale", code) for code in ("p50", "p75", "p95")],
        [(INSTRUMENT, "", "confidence_scale", "confidence-count")],
    ),
    "cuts in the wrong order": (
        [put(INSTRUMENT, "cuts", "operational", 80)],
        [(INSTRUMENT, "", "cuts", "cuts")],
    ),
    "a cut at the bottom": (
        [put(INSTRUMENT, "cuts", "operational", 0)],
        [(INSTRUMENT, "", "cuts", "cuts")],
    ),
    "a cut at the top": (
        [put(INSTRUMENT, "cuts", "expert", 100)],
        [(INSTRUMENT, "", "cuts", "cuts")],
    ),
    "cuts of a panel that is not there": (
        [put(INSTRUMENT, "cuts", "provisional", False)],
        [(INSTRUMENT, "", "cuts.panel", "cuts-panel")],
    ),
    "a panel of cuts that are provisional": (
        [put(INSTRUMENT, "cuts", "panel", panel())],
        [(INSTRUMENT, "", "cuts.panel", "cuts-panel")],
    ),
    "five judges": (
        [
            put(INSTRUMENT, "cuts", "provisional", False),
            put(INSTRUMENT, "cuts", "panel", panel(judges=5)),
        ],
        [(INSTRUMENT, "", "cuts.panel.judges", "panel-judges")],
    ),
    "errors that are none": (
        [
            put(INSTRUMENT, "cuts", "provisional", False),
            put(INSTRUMENT, "cuts", "panel", panel(operational_error=-0.1, expert_error=50.1)),
        ],
        [
            (INSTRUMENT, "", "cuts.panel.operational_error", "panel-error"),
            (INSTRUMENT, "", "cuts.panel.expert_error", "panel-error"),
        ],
    ),
    "a panel without its form": (
        [
            put(INSTRUMENT, "cuts", "provisional", False),
            put(INSTRUMENT, "cuts", "panel", panel(form=" ")),
        ],
        [(INSTRUMENT, "", "cuts.panel.form", "empty")],
    ),
    "two levels": (
        [put(INSTRUMENT, "domains", "A", "levels", 2, "level", 2)],
        [(INSTRUMENT, "domains.A", "levels", "levels")],
    ),
    "nine answers in one byte": (
        [add(INSTRUMENT, "context", "tools", "options", choice(f"tool{i}")) for i in range(7)],
        [(INSTRUMENT, "context.tools", "options", "context-options")],
    ),
    "more answers than a byte counts": (
        [add(INSTRUMENT, "context", "setting", "options", choice(f"at{i}")) for i in range(248)],
        [(INSTRUMENT, "context.setting", "options", "context-options")],
    ),
    "a question with one answer": (
        [drop(INSTRUMENT, "context", "tools", "options", "scribe")],
        [(INSTRUMENT, "context.tools", "options", "context-options")],
    ),
    "a step of no time": (
        [put(STEPS, WARD, "minutes", 0)],
        [(STEPS, WARD, "minutes", "minutes")],
    ),
    "a plan for another year": (
        [put(STEPS, WARD, "plan", "within_days", 400)],
        [(STEPS, WARD, "plan.within_days", "within-days")],
    ),
    "a plan with a capital": (
        [put(STEPS, WARD, "plan", "when", "fr", "Quand je reçois une alerte")],
        [(STEPS, WARD, "plan.when.fr", "plan-capital")],
    ),
    "a plan with a final stop": (
        [put(STEPS, WARD, "plan", "together_with", "en", "a colleague.")],
        [(STEPS, WARD, "plan.together_with.en", "plan-stop")],
    ),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_names_the_breach_and_nothing_else(breakage: str) -> None:
    changes, expected = BREAKAGES[breakage]
    assert places(broken(*changes)) == expected


def words(count: int) -> dict[str, str]:
    return french(" ".join(["mot"] * count))


@pytest.mark.parametrize(
    "changes",
    [
        [put(A, "A1-1", "stem", words(120))],
        [put(A, "A1-1", "options", "a", "text", words(40))],
        [put(A, "A1-1", "explanation", words(160))],
        [put(RATINGS, 0, "code", "A" * 40)],
        [put(A, "A1-1", "review_by", date(2028, 11, 23))],
        [put(BC, "C1-1", "review_by", date(2027, 5, 26))],
        [put(SOURCES, "law-2024", "read_on", date(2027, 5, 23))],
        [put(STEPS, WARD, "minutes", 5)],
        [put(STEPS, WARD, "minutes", 480)],
        [put(STEPS, WARD, "plan", "within_days", 1)],
        [put(STEPS, WARD, "plan", "within_days", 365)],
        [add(INSTRUMENT, "context", "tools", "options", choice(f"tool{i}")) for i in range(6)],
        [add(INSTRUMENT, "context", "setting", "options", choice(f"at{i}")) for i in range(247)],
        [put(A, "A1-1", "options", "b", "credit", 0)],
        [put(A, "A1-1", "options", "c", "unsafe", False)],
        [drop(INSTRUMENT, "confidence_scale", code) for code in ("p50", "p75")],
        [put(INSTRUMENT, "cuts", "operational", 0.1), put(INSTRUMENT, "cuts", "expert", 99.9)],
        [
            put(INSTRUMENT, "cuts", "provisional", False),
            put(INSTRUMENT, "cuts", "panel", panel()),
        ],
    ],
)
def test_a_limit_itself_is_allowed(changes: Any) -> None:
    assert places(broken(*changes)) == []


@pytest.mark.parametrize("written", ["p < 0.05", "AT&T", "5 > 3", "<5%", "R&D; later"])
def test_signs_that_are_no_markup_are_allowed(written: str) -> None:
    assert places(broken(put(A, "A1-1", "stem", "en", written))) == []


def test_language_codes() -> None:
    files = broken(put(INSTRUMENT, "languages", ["fr", "en", "English"]))
    assert (INSTRUMENT, "", "languages", "language-code") in places(files)


def test_every_rule_is_broken_by_a_test() -> None:
    from .test_loading import NOT_SHAPED, NOT_YAML

    tested = {rule for _, expected in BREAKAGES.values() for *_, rule in expected}
    tested |= {rule for _, expected in NOT_SHAPED.values() for *_, rule in expected}
    tested |= {rule for _, rule, _ in NOT_YAML.values()}
    elsewhere = {"language-code", "missing-file", "unknown-file", "unreadable"}
    archives = {rule for rule in MESSAGES if rule.startswith("archive")}  # in test_archives
    assert tested | elsewhere | archives == MESSAGES.keys() - TO_MEND.keys()


def test_reports_every_breach_at_once() -> None:
    files = broken(
        put(A, "A1-1", "options", "d", "credit", 1),
        put(SOURCES, "law-2024", "url", "ftp://example.org"),
        drop(RATINGS, "B2-self"),
    )
    assert {rule for *_, rule in places(files)} == {"one-best", "url", "self-rating-count"}


@pytest.mark.parametrize("forms", [("A",), ("A", "B"), ("A", "B", "C")])
def test_the_example_is_valid(forms: tuple[str, ...]) -> None:
    assert check(example_instrument(forms)) == ()


def test_breaches_are_found_without_files_too() -> None:
    """An instrument out of the database has lists, not files."""
    instrument = example_instrument()
    first, *others = instrument.sources
    lonely = type(first)("x-1999", "A citation.", first.read_on, "primary")
    values = {name: getattr(instrument, name) for name in instrument.__struct_fields__}
    changed = type(instrument)(**{**values, "sources": (first, *others, lonely)})
    assert check(changed) == (Finding("sources", "x-1999", "code", "unused-source"),)


@pytest.mark.parametrize(
    "wording",
    [
        f"À 8:30, rapport 1:1000, 80{NBSP}%{NBSP}: voir https://example.org/a?b=c;d%20'e",
        "doi 10.1000/a:b;c",
        f"«{NBSP}Que faire{NBSP}?{NBSP}»",
        f"Vraiment{NBSP}?!",
    ],
)
def test_typography_leaves_alone(wording: str) -> None:
    assert places(broken(put(A, "A1-1", "stem", french(wording)))) == []


def test_english_keeps_its_own_typography() -> None:
    english = "A patient's score: 80%; what now?"
    assert places(broken(put(A, "A1-1", "stem", text("Quoi", english)))) == []


@pytest.mark.parametrize(
    ("wording", "capital"),
    [
        ("je note", False),
        ("I note", False),
        ("I’m asked", False),
        ("IA ou non", False),
        ("ECG en main", False),
        ("8 patients", False),
        ("", False),
        ("Je note", True),
        ("À la visite", True),
        ("L’équipe", True),
    ],
)
def test_capitals_of_fragments(wording: str, capital: bool) -> None:
    assert rules.opens_with_capital(wording) is capital


def test_words_are_counted_without_lone_punctuation() -> None:
    assert rules.word_count(f"L’outil dit{NBSP}: «{NBSP}oui{NBSP}», à 80{NBSP}%") == 5


def test_a_finding_renders_in_one_line() -> None:
    (finding,) = findings_in(broken(put(A, "A1-1", "options", "d", "credit", 1)))
    assert finding.render() == (
        "scenarios/a.yaml: A1-1, options: 2 options with credit 1; must be exactly one"
    )
    assert Finding("instrument.yaml", "", "", "missing-file").render() == (
        "instrument.yaml: this file is missing"
    )


def test_a_finding_is_translated_before_it_is_filled_in() -> None:
    catalogue = {MESSAGES["one-best"]: "{found} options à 1 point"}
    finding = Finding("scenarios/a.yaml", "A1-1", "options", "one-best", {"found": 2})
    assert finding.render(catalogue.__getitem__).endswith(": 2 options à 1 point")


def test_findings_are_values() -> None:
    finding = Finding("a.yaml", "A", "b", "one-best", {"found": 2})
    assert finding == Finding("a.yaml", "A", "b", "one-best", {"found": 2})
    assert len({finding, finding}) == 1
    anything: Any = finding
    with pytest.raises(AttributeError):
        anything.rule = "other"


def test_a_scenario_of_no_form_is_in_reserve() -> None:
    assert places(broken(add(A, scenario("A1-2", "A1", [], 0)))) == []
