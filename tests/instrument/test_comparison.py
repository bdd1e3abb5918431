"""What changed between two versions, and what can still be compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from assessments.instrument.comparison import Comparison, common_scenarios, compare, words
from assessments.instrument.document import Instrument
from assessments.instrument.loading import loads

from .example import add, broken, drop, example_instrument, next_step, put, scenario

INSTRUMENT = "instrument.yaml"
A = "scenarios/a.yaml"
BEFORE = example_instrument()
EVERY = {item.code for item in BEFORE.scenarios}


def changed(*changes: Any) -> Instrument:
    return loads(broken(*changes))


def compared(*changes: Any) -> Comparison:
    return compare(BEFORE, changed(*changes))


def test_the_same_has_not_changed():
    found = compare(BEFORE, BEFORE)
    assert (found.changes, found.common, found.shared) == ((), EVERY, len(EVERY))


@pytest.mark.parametrize(
    ("change", "field", "before", "after"),
    [
        (
            put(A, "A1-1", "stem", "en", "A1-1: what do you do now?"),
            "stem.en",
            "A1-1: what do you do?",
            "A1-1: what do you do now?",
        ),
        (
            put(A, "A1-1", "options", "b", "text", "en", "Ask"),
            "options.b.text.en",
            "For A1-1, the acceptable choice",
            "Ask",
        ),
        (put(A, "A1-1", "options", "c", "unsafe", False), "options.c.unsafe", "true", "false"),
        (put(A, "A1-1", "options", "b", "credit", 0), "options.b.credit", "0.5", "0.0"),
        (put(A, "A1-1", "topic", "en", "Another"), "topic.en", "Situation A1-1", "Another"),
        (
            put(
                A,
                "A1-1",
                "variants",
                [{"professions": ["nurse"], "stem": {"fr": "Vous", "en": "You"}}],
            ),
            "variants.nurse.stem.fr",
            None,
            "Vous",
        ),
    ],
)
def test_what_people_read_or_earn_breaks(change, field, before, after):
    found = compared(change)
    (item,) = found.changes
    assert (item.part, item.code, item.state, item.breaks) == (
        "scenarios",
        "A1-1",
        "changed",
        True,
    )
    first = item.differences[0]
    assert (first.field, first.before, first.after, first.breaks) == (field, before, after, True)
    assert found.common == EVERY - {"A1-1"}
    assert found.broken == (item,)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (put(A, "A1-1", "explanation", "en", "Why."), "explanation.en"),
        (put(A, "A1-1", "options", "a", "rationale", "en", "So."), "options.a.rationale.en"),
        (put(A, "A1-1", "sources", ["law-2024"]), "sources"),
        (put(A, "A1-1", "facts", ["F1", "F2"]), "facts"),
        (put(A, "A1-1", "jurisdiction", "EU"), "jurisdiction"),
    ],
)
def test_what_is_said_afterwards_does_not_break(change, field):
    found = compared(change)
    (item,) = found.changes
    assert [(each.field, each.breaks) for each in item.differences] == [(field, False)]
    assert (found.common, found.broken) == (EVERY, ())


def test_two_options_that_change_places_break():
    texts = {
        code: option.text for code, option in zip("ab", BEFORE.scenarios[0].options, strict=False)
    }
    found = compared(
        put(A, "A1-1", "options", "a", "text", texts["b"]),
        put(A, "A1-1", "options", "b", "text", texts["a"]),
    )
    assert found.common == EVERY - {"A1-1"}


def test_added_removed_and_moved():
    first, *others = BEFORE.scenarios
    after = replace(BEFORE, scenarios=(replace(first, forms=("A", "B")), *others[1:]))
    moved, removed = compare(BEFORE, after).changes
    assert (moved.state, moved.moved, moved.differences) == ("changed", (("A",), ("A", "B")), ())
    assert (removed.state, removed.code) == ("removed", others[0].code)
    assert compare(BEFORE, after).common == EVERY - {others[0].code}
    assert [(each.code, each.state) for each in compare(after, BEFORE).changes] == [
        (first.code, "changed"),
        (others[0].code, "added"),
    ]
    reserve = compared(add(A, scenario("A1-9", "A1", [], 0)))
    assert [(each.part, each.code, each.state) for each in reserve.changes] == [
        ("scenarios", "A1-9", "added")
    ]


def test_every_list_is_compared():
    found = compared(
        put("self_ratings.yaml", 0, "text", "en", "I know A1"),
        put(INSTRUMENT, "context", "setting", "help", "en", "The usual one"),
        put(INSTRUMENT, "domains", "A", "title", "en", "Knowing"),
        put(INSTRUMENT, "sub_competencies", "A1", "title", "en", "Knowing"),
        put(INSTRUMENT, "confidence_scale", "p95", "text", "en", "Sure"),
        put(INSTRUMENT, "self_rating_scale", "5", "text", "en", "Always"),
        add("next_steps/all.yaml", next_step("A2", "training", 30)),
        put("sources/all.yaml", "law-2024", "citation", "Another law, 2024."),
        put("strategy.yaml", "elements", "guide", "state", "en", "Out"),
        put("strategy.yaml", "title", "en", "A strategy"),
        put(INSTRUMENT, "version", "2.0"),
        put(INSTRUMENT, "cuts", "expert", 85),
    )
    assert [(each.part, each.code, each.state, each.breaks) for each in found.changes] == [
        ("self_ratings", "A1-self", "changed", True),
        ("context", "setting", "changed", True),
        ("confidence_scale", "p95", "changed", False),
        ("self_rating_scale", "5", "changed", False),
        ("domains", "A", "changed", False),
        ("sub_competencies", "A1", "changed", False),
        ("next_steps", "A2-training-example", "added", False),
        ("sources", "law-2024", "changed", False),
        ("strategy", "guide", "changed", False),
        ("strategy", "", "changed", False),
        ("instrument", "", "changed", False),
    ]
    assert [each.field for each in found.changes[-1].differences] == ["version", "cuts.expert"]
    assert found.common == EVERY


def test_i_dont_know_is_an_answer_to_every_situation():
    after = changed(put(INSTRUMENT, "dont_know", "en", "No idea"))
    assert common_scenarios(BEFORE, after) == frozenset()
    (item,) = compare(BEFORE, after).changes
    assert (item.part, item.breaks) == ("instrument", True)


def test_another_domain_is_another_thing():
    other = changed(
        put(INSTRUMENT, "sub_competencies", "A1", "domain", "B"),
        put(INSTRUMENT, "sub_competencies", "B2", "domain", "A"),
    )
    moved = {item.code for item in BEFORE.scenarios if item.sub_competency in ("A1", "B2")}
    assert common_scenarios(BEFORE, other) == EVERY - moved


def test_a_language_more_breaks_nothing():
    """Nobody read it before."""

    def in_german(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"fr", "en"}:
                return {**value, "de": value["en"]}
            return {key: in_german(each) for key, each in value.items()}
        return [in_german(each) for each in value] if isinstance(value, list) else value

    def translate(data: dict[str, Any]) -> None:
        for name in data:
            data[name] = in_german(data[name])
        data[INSTRUMENT]["languages"] = ["fr", "en", "de"]

    found = compared(translate)
    assert found.common == EVERY
    assert not [item for item in found.changes if item.breaks]
    german = {each.field for each in found.of("scenarios")[0].differences}
    assert {"stem.de", "options.a.text.de"} <= german


def test_words_that_go_and_words_that_come():
    assert words("Ask a colleague first.", "Ask the patient first.") == (
        ("same", "Ask "),
        ("gone", "a"),
        ("new", "the"),
        ("same", " "),
        ("gone", "colleague"),
        ("new", "patient"),
        ("same", " first."),
    )


def test_very_long_texts_stand_one_after_the_other():
    before, after = "a " * 30_000, "b " * 30_000
    assert words(before, after) == (("gone", before), ("new", after))


@given(st.text("ab \n", max_size=40), st.text("ab \n", max_size=40))
def test_both_texts_can_be_read_out_of_the_runs(before, after):
    runs = words(before, after)
    assert "".join(text for mark, text in runs if mark != "new") == before
    assert "".join(text for mark, text in runs if mark != "gone") == after
    assert all(text for _, text in runs)


def test_a_removed_scenario_is_told():
    data = drop(A, "A1-1")

    def without(files: dict[str, Any]) -> None:
        data(files)
        files[A].append(scenario("A1-2", "A1", ["A"], 0))

    states = [(each.code, each.state) for each in compared(without).changes]
    assert states == [("A1-2", "added"), ("A1-1", "removed")]
