"""Which scenarios a form serves on a day, and in which words."""

from datetime import date, timedelta

import msgspec
import pytest

from assessments.instrument.document import Variant, form_and_day, form_label

from .example import example_instrument

DAY = date(2026, 11, 24)


def codes(instrument, form):
    return [item.code for item in instrument.scenarios_of(form)]


def changed(instrument, code, **fields):
    return msgspec.structs.replace(
        instrument,
        scenarios=tuple(
            msgspec.structs.replace(item, **fields) if item.code == code else item
            for item in instrument.scenarios
        ),
    )


@pytest.fixture
def bank():
    """An instrument whose first scenario may be replaced by one in reserve."""
    instrument = example_instrument()
    first = instrument.scenarios_of(instrument.forms[0])[0]
    spare = msgspec.structs.replace(
        first,
        code=f"{first.sub_competency}-90",
        forms=(),
        valid_from=DAY,
        review_by=DAY + timedelta(days=400),
    )
    expiring = msgspec.structs.replace(first, valid_from=DAY - timedelta(days=9), review_by=DAY)
    scenarios = tuple(
        expiring
        if item is first
        else msgspec.structs.replace(item, review_by=DAY + timedelta(days=700))
        for item in instrument.scenarios
    )
    return msgspec.structs.replace(instrument, scenarios=(*scenarios, spare)), first, spare


def test_a_form_is_served_as_designed_until_something_is_past_its_review(bank):
    instrument, _first, _spare = bank
    form = instrument.forms[0]
    assert instrument.edition(form, DAY) == form


def test_the_reserve_takes_the_place_of_what_is_past_its_review(bank):
    instrument, first, spare = bank
    form = instrument.forms[0]
    edition = instrument.edition(form, DAY + timedelta(days=1))
    assert form_and_day(edition) == (form, DAY + timedelta(days=1))
    assert codes(instrument, edition) == [
        spare.code if code == first.code else code for code in codes(instrument, form)
    ]


def test_the_same_composition_has_the_same_name_on_every_day(bank):
    instrument, _first, _spare = bank
    form = instrument.forms[0]
    assert instrument.edition(form, DAY + timedelta(days=300)) == instrument.edition(
        form, DAY + timedelta(days=1)
    )


def test_what_the_reserve_cannot_replace_stays(bank):
    instrument, first, spare = bank
    form = instrument.forms[0]
    without = changed(instrument, spare.code, valid_from=DAY + timedelta(days=30))
    assert without.edition(form, DAY + timedelta(days=10)) == form
    assert first.code in codes(without, form)
    # … until a valid one is there.
    assert form_and_day(without.edition(form, DAY + timedelta(days=40))) == (
        form,
        DAY + timedelta(days=30),
    )


def test_a_reserve_that_has_expired_replaces_nothing(bank):
    instrument, _first, spare = bank
    form = instrument.forms[0]
    day = spare.review_by + timedelta(days=1)
    assert instrument.edition(form, day) == form


def test_the_label_of_an_edition_tells_its_day():
    assert [form_label("A"), form_label("A@2027-05-24")] == ["A", "A (2027-05-24)"]


def test_a_variant_words_a_scenario_for_its_professions_only():
    instrument = example_instrument()
    item = instrument.scenarios[0]
    mine = {"fr": "Pour vous.", "en": "For you."}
    option = {"fr": "Ceci.", "en": "This."}
    variant = Variant(professions=("nurse",), stem=mine, options={"b": option})
    instrument = changed(instrument, item.code, variants=(variant,))
    for_nurses = instrument.worded_for("nurse").scenarios[0]
    assert for_nurses.stem == mine
    assert [o.text for o in for_nurses.options] == [
        option if o.code == "b" else o.text for o in item.options
    ]
    assert [o.credit for o in for_nurses.options] == [o.credit for o in item.options]
    assert instrument.worded_for("physician") is instrument
    assert instrument.worded_for("") is instrument
