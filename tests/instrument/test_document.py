"""The instrument as a value: its canonical bytes, its digest, and how it is read."""

from datetime import date
from typing import Any

import msgspec
import pytest

from assessments.instrument.document import (
    Instrument,
    Panel,
    by_code,
    decode,
    digest,
    encode,
)
from assessments.instrument.loading import loads

from .example import SUB_COMPETENCIES, example_files, example_instrument


@pytest.mark.parametrize("forms", [("A",), ("A", "B")])
def test_round_trip(forms: tuple[str, ...]) -> None:
    instrument = example_instrument(forms)
    assert decode(encode(instrument)) == instrument
    assert encode(decode(encode(instrument))) == encode(instrument)


def test_the_same_value_has_the_same_digest(instrument: Instrument) -> None:
    turned = msgspec.structs.replace(
        instrument, title=dict(reversed(list(instrument.title.items())))
    )
    assert list(turned.title) != list(instrument.title)
    assert digest(turned) == digest(instrument) == digest(loads(example_files()))
    assert len(digest(instrument)) == 64


def test_what_an_earlier_release_published_keeps_its_digest(instrument: Instrument) -> None:
    """Digests taken before variants and panels: a field added since leaves no trace where it is
    not used. Whoever changes the example takes them again; whoever adds a field does not."""
    without_facts = tuple(msgspec.structs.replace(item, facts=()) for item in instrument.scenarios)
    assert [
        digest(instrument),
        digest(msgspec.structs.replace(instrument, scenarios=without_facts)),
    ] == [
        "331b01878c0de62fcc7ae729a5b830f3560b2cd9fff5db121a94faa793acf84c",
        "c9a704bf2be54b76bea5a2a5f91d16fa8253a44886bf148d82e679771236cf9d",
    ]


def test_another_value_has_another_digest(instrument: Instrument) -> None:
    assert digest(msgspec.structs.replace(instrument, version="1.1")) != digest(instrument)


def test_cuts_without_a_panel_are_written_as_before_there_were_any(instrument: Instrument) -> None:
    """Or every version published so far would have another digest than its document."""
    assert b'"panel"' not in encode(instrument)
    cuts = msgspec.structs.replace(
        instrument.cuts,
        provisional=False,
        panel=Panel(7, date(2026, 11, 24), "1.0", "A", operational_error=1.8, expert_error=2.0),
    )
    adopted = msgspec.structs.replace(instrument, cuts=cuts)
    assert decode(encode(adopted)) == adopted


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"code": "x", "surprise": 1}', b"\xff"])
def test_decode_refuses_what_is_not_an_instrument(document: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(document)


def test_decode_refuses_fields_it_does_not_know(instrument: Instrument) -> None:
    with pytest.raises(msgspec.ValidationError, match="surprise"):
        decode(encode(instrument)[:-1] + b',"surprise":1}')


def test_an_instrument_is_frozen(instrument: Instrument) -> None:
    anything: Any = instrument
    with pytest.raises(AttributeError):
        anything.version = "2"


def test_a_form_has_its_scenarios_in_blueprint_order() -> None:
    instrument = example_instrument(("A", "B"))
    for form in instrument.forms:
        served = [scenario.sub_competency for scenario in instrument.scenarios_of(form)]
        expected = [code for code, count in SUB_COMPETENCIES.items() for _ in range(count)]
        assert served == expected
    both = {s.code for s in instrument.scenarios_of("A")} & {
        s.code for s in instrument.scenarios_of("B")
    }
    assert len(both) == 8
    assert instrument.scenarios_of("Z") == ()


def test_look_ups(instrument: Instrument) -> None:
    assert [sub.code for sub in instrument.sub_competencies_of("A")] == [
        "A1",
        "A2",
        "A3",
        "A4",
        "A5",
    ]
    assert instrument.domain_of("C6") == "C"
    assert instrument.source("study-2021").doi == "10.1000/example.2021"
    with pytest.raises(KeyError):
        instrument.domain_of("Z9")


def test_the_best_option_has_the_greatest_credit(instrument: Instrument) -> None:
    for scenario in instrument.scenarios:
        assert scenario.best.credit == 1
    bests = [scenario.best.code for scenario in instrument.scenarios]
    assert {code: bests.count(code) for code in "abcd"} == dict.fromkeys("abcd", 6)


def test_by_code_keeps_the_order(instrument: Instrument) -> None:
    assert list(by_code(instrument.domains)) == ["A", "B", "C"]


def test_an_element_of_the_strategy_keeps_its_digest_where_it_names_no_sub_competency():
    """Documents published before elements could name some are told from no other."""
    (element,) = example_instrument().strategy.elements
    assert sorted(msgspec.to_builtins(element)) == [
        "announced",
        "as_of",
        "code",
        "confirmed",
        "sources",
        "state",
        "title",
    ]


def test_what_was_published_before_a_field_was_added_keeps_its_digest() -> None:
    """Fields added since it was published are left out of the JSON where they say nothing."""
    document = encode(example_instrument())
    for added in (b'"variants"', b'"panel"'):
        assert added not in document
