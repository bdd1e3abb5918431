"""Sheets of the example instrument, chosen by what becomes of each scenario."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from hypothesis import strategies as st

from assessments.instrument.document import Scenario
from assessments.scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet, layout
from tests.instrument.example import example_instrument


def _with_dangers(scenario: Scenario) -> Scenario:
    """The scenario where the first wrong option, and no other, is unsafe."""
    danger = next(option for option in scenario.options if option.credit == 0)
    options = tuple(
        msgspec.structs.replace(option, unsafe=option is danger) for option in scenario.options
    )
    return msgspec.structs.replace(scenario, options=options)


_example = example_instrument(("A", "B"))
INSTRUMENT = msgspec.structs.replace(
    _example, scenarios=tuple(_with_dangers(item) for item in _example.scenarios)
)
FORM = "A"
LAYOUT = layout(INSTRUMENT, FORM)
SCENARIOS = INSTRUMENT.scenarios_of(FORM)
SELF_RATINGS = {item.sub_competency: item.code for item in INSTRUMENT.self_ratings}

Wish = Literal["best", "acceptable", "wrong", "unsafe", "dont_know"]
CREDITS = {"best": 1.0, "acceptable": 0.5, "wrong": 0.0, "unsafe": 0.0}


def answer(scenario: Scenario, wish: Wish, confidence: str | None = None) -> ScenarioAnswer:
    """The answer to a scenario that fulfils a wish; KeyError if it has no such option."""
    if wish == "dont_know":
        return ScenarioAnswer(DONT_KNOW)
    for option in scenario.options:
        if option.credit == CREDITS[wish] and option.unsafe == (wish == "unsafe"):
            return ScenarioAnswer(option.code, confidence)
    raise KeyError(f"{scenario.code} has no {wish} option")


def scenarios_in(place: str) -> tuple[Scenario, ...]:
    """The scenarios of a domain (``A``) or of a sub-competency (``A2``), in the form's order."""
    return tuple(item for item in SCENARIOS if item.sub_competency.startswith(place))


def sheet(
    wishes: Mapping[str, Iterable[tuple[Wish, str | None] | Wish | None]],
    ratings: Mapping[str, int] | None = None,
    **context: str,
) -> Sheet:
    """A sheet from wishes by domain or sub-competency, each with its confidence or without."""
    answers = {}
    for place, wanted in wishes.items():
        for scenario, wish in zip(scenarios_in(place), wanted, strict=True):
            if wish is not None:
                pair = (wish, None) if isinstance(wish, str) else wish
                answers[scenario.code] = answer(scenario, *pair)
    return Sheet(
        context={code: (chosen,) for code, chosen in context.items()},
        self_ratings={SELF_RATINGS[sub]: rating for sub, rating in (ratings or {}).items()},
        answers=answers,
    )


def everywhere(wish: Wish, confidence: str | None = None) -> Sheet:
    """The same wish for all 24 scenarios."""
    return Sheet(answers={item.code: answer(item, wish, confidence) for item in SCENARIOS})


def _from_bytes(drawn: bytes) -> Sheet:
    """Any sheet of the form, from as many bytes as it has slots."""
    packed = bytearray(len(drawn))
    for place, (slot, byte) in enumerate(zip(LAYOUT.slots, drawn, strict=True)):
        if slot.multiple:
            packed[place] = byte % 2 ** len(slot.values)
        elif slot.kind == "option":
            packed[place] = (0, 1, 2, 3, 4, 255)[byte % 6]
        elif slot.kind == "confidence":
            unsure = packed[place - 1] in (0, 255)
            packed[place] = 0 if unsure else byte % (len(slot.values) + 1)
        else:
            packed[place] = byte % (len(slot.values) + 1)
    return LAYOUT.unpack(packed)


def sheets() -> st.SearchStrategy[Sheet]:
    """Any partial sheet of the form."""
    return st.binary(min_size=LAYOUT.size, max_size=LAYOUT.size).map(_from_bytes)
