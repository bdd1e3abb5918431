from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.instrument.document import Choice
from assessments.scoring.sheet import (
    DONT_KNOW,
    Layout,
    ScenarioAnswer,
    Sheet,
    SheetError,
    layout,
)

from .sheets import FORM, INSTRUMENT, LAYOUT, SCENARIOS, sheets


def test_the_slots_are_context_then_self_ratings_then_scenarios_in_the_order_of_the_form():
    kinds = [slot.kind for slot in LAYOUT.slots]
    assert kinds == ["context"] * 3 + ["self_rating"] * 16 + ["option", "confidence"] * 24
    assert [slot.code for slot in LAYOUT.slots[19::2]] == [item.code for item in SCENARIOS]
    assert LAYOUT.size == 3 + 16 + 48


def test_bytes_worked_by_hand():
    first, second = SCENARIOS[:2]
    sheet = Sheet(
        context={"profession": ("nurse",), "tools": ("scribe", "imaging")},
        self_ratings={"A2-self": 4},
        answers={
            first.code: ScenarioAnswer("c", "p75"),
            second.code: ScenarioAnswer(DONT_KNOW),
        },
    )
    packed = LAYOUT.pack(sheet)
    assert packed[LAYOUT.offset("context", "profession")] == 2  # the second profession
    assert packed[LAYOUT.offset("context", "tools")] == 0b11  # both bits
    assert packed[LAYOUT.offset("self_rating", "A2-self")] == 4
    assert packed[19:23] == bytes([3, 3, 255, 0])  # third option, third level; don't know, none
    assert sum(packed) == 2 + 3 + 4 + 3 + 3 + 255  # and nothing anywhere else


@given(sheets())
def test_a_sheet_survives_packing(sheet):
    assert LAYOUT.unpack(LAYOUT.pack(sheet)) == sheet


@given(
    st.binary(max_size=LAYOUT.size + 2)
    | st.lists(st.integers(0, 5), min_size=LAYOUT.size, max_size=LAYOUT.size).map(bytes)
    | st.sampled_from([LAYOUT.empty(), memoryview(LAYOUT.empty())])
)
def test_bytes_are_one_sheet_or_an_error(packed):
    try:
        sheet = LAYOUT.unpack(packed)
    except SheetError:
        return
    assert LAYOUT.pack(sheet) == packed


@given(sheets(), st.integers(0, LAYOUT.size - 1), st.integers(0, 255))
def test_one_byte_changed_is_one_sheet_or_an_error(sheet, place, byte):
    packed = bytearray(LAYOUT.pack(sheet))
    packed[place] = byte
    try:
        changed = LAYOUT.unpack(packed)
    except SheetError:
        return
    assert LAYOUT.pack(changed) == packed


def test_the_empty_sheet():
    assert LAYOUT.unpack(LAYOUT.empty()) == Sheet()
    assert LAYOUT.pack(Sheet(context={"tools": ()})) == LAYOUT.empty()


@pytest.mark.parametrize(
    "sheet",
    [
        Sheet(context={"age": ("old",)}),
        Sheet(context={"profession": ("wizard",)}),
        Sheet(context={"profession": ("nurse", "manager")}),
        Sheet(context={"profession": (DONT_KNOW,)}),
        Sheet(self_ratings={"Z9-self": 1}),
        Sheet(self_ratings={"A1-self": 0}),
        Sheet(self_ratings={"A1-self": 6}),
        Sheet(answers={"Z9-1": ScenarioAnswer("a")}),
        Sheet(answers={"A1-2": ScenarioAnswer("a")}),  # of form B only
        Sheet(answers={"A1-1": ScenarioAnswer("e")}),
        Sheet(answers={"A1-1": ScenarioAnswer("a", "p100")}),
        Sheet(answers={"A1-1": ScenarioAnswer(DONT_KNOW, "p25")}),
    ],
)
def test_what_does_not_exist_is_refused(sheet):
    with pytest.raises(SheetError):
        LAYOUT.pack(sheet)


@pytest.mark.parametrize(
    ("kind", "code", "byte"),
    [
        ("context", "profession", 4),
        ("context", "profession", 255),
        ("context", "tools", 0b100),
        ("self_rating", "A1-self", 6),
        ("option", "A1-1", 5),
        ("option", "A1-1", 254),
        ("confidence", "A1-1", 1),  # of no option
    ],
)
def test_a_byte_of_no_value_is_refused(kind, code, byte):
    packed = bytearray(LAYOUT.empty())
    packed[LAYOUT.offset(kind, code)] = byte
    with pytest.raises(SheetError, match=code):
        LAYOUT.unpack(packed)


def test_a_confidence_of_dont_know_is_refused():
    packed = bytearray(LAYOUT.pack(Sheet(answers={"A1-1": ScenarioAnswer(DONT_KNOW)})))
    packed[LAYOUT.offset("confidence", "A1-1")] = 1
    with pytest.raises(SheetError, match="A1-1"):
        LAYOUT.unpack(packed)


def test_the_anchors_of_two_forms_are_where_each_form_has_them():
    other = layout(INSTRUMENT, "B")
    anchors = [item.code for item in SCENARIOS if "B" in item.forms]
    assert len(anchors) == 8
    for code in anchors:
        assert other.slots[other.offset("option", code)].code == code
    with pytest.raises(KeyError):
        other.offset("option", "A1-1")


def test_a_form_that_does_not_exist():
    with pytest.raises(SheetError):
        layout(INSTRUMENT, "Z")


@pytest.mark.parametrize(("multiple", "most"), [(True, 8), (False, 254)])
def test_a_question_has_the_values_that_fit_a_byte(multiple, most):
    def with_options(count):
        options = tuple(Choice(f"o{place}", {"fr": "o", "en": "o"}) for place in range(count))
        question = msgspec.structs.replace(
            INSTRUMENT.context[0], options=options, multiple=multiple
        )
        return layout(msgspec.structs.replace(INSTRUMENT, context=(question,)), FORM)

    last = Sheet(context={"profession": (f"o{most - 1}",)})
    widest = with_options(most)
    assert widest.unpack(widest.pack(last)) == last
    with pytest.raises(SheetError, match="profession"):
        with_options(most + 1)


def test_layouts_are_values():
    again = layout(INSTRUMENT, FORM)
    assert again == LAYOUT
    assert hash(again) == hash(LAYOUT)
    assert isinstance(replace(again, slots=again.slots[:1]), Layout)
    assert replace(again, slots=again.slots[:1]).size == 1
