from itertools import combinations, product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.scoring.next_steps import need as need_of
from assessments.scoring.next_steps import next_steps, reasons
from assessments.scoring.outcomes import outcomes
from assessments.scoring.profile import score
from assessments.scoring.sheet import Sheet

from .sheets import FORM, INSTRUMENT, everywhere, sheet, sheets

STEPS = {step.code: step for step in INSTRUMENT.next_steps}
SUBS = [sub.code for sub in INSTRUMENT.sub_competencies]


def ranked(found, instrument=INSTRUMENT):
    return reasons(instrument, found, outcomes(instrument, FORM, found))


def proposed(found, instrument=INSTRUMENT):
    return next_steps(instrument, found, outcomes(instrument, FORM, found))


@pytest.mark.parametrize(
    ("wish", "confidence", "weight"),
    [
        ("unsafe", "p95", 3 + 2 + 1),
        ("unsafe", "p75", 3 + 2 + 1),
        ("unsafe", "p50", 3 + 2),
        ("unsafe", None, 3 + 2),
        ("wrong", "p95", 2 + 1),
        ("wrong", "p25", 2),
        ("dont_know", None, 2),
        ("acceptable", "p95", 1),
        ("acceptable", None, 1),
        ("best", "p95", 0),
        ("best", None, 0),
        (None, None, 0),
    ],
)
def test_weights(wish, confidence, weight):
    found = sheet({"A1": [wish and (wish, confidence)]})
    outcome = next(
        item for item in outcomes(INSTRUMENT, FORM, found) if item.sub_competency == "A1"
    )
    assert need_of(outcome) == weight


def test_needs_worked_by_hand():
    found = sheet(
        {
            "A1": ["wrong"],  # 2/1 = 2
            "A2": [("best", "p95"), ("unsafe", "p50")],  # (0 + 5)/2 = 2.5
            "B1": [("wrong", "p75"), "acceptable"],  # (3 + 1)/2 = 2
            "B3": ["dont_know", None],  # 2/1 = 2: the unanswered one says nothing
            "C1": ["acceptable", "best"],  # (1 + 0)/2 = 0.5
        },
        # The three of need 2, as self-rating minus result:
        # A1: 25 − 0 = 25      B1: 100 − 25 = 75      B3: not rated, so 0
        ratings={"A1": 2, "B1": 5, "C1": 5},
    )
    needs = [(item.sub_competency, item.need) for item in ranked(found) if item.kind == "need"]
    assert needs == [("A2", 2.5), ("B1", 2), ("A1", 2), ("B3", 2), ("C1", 0.5)]


def test_equal_in_everything_keeps_the_blueprint():
    assert [item.sub_competency for item in ranked(everywhere("wrong"))] == SUBS


def test_reasons_name_their_causes_the_most_serious_first():
    found = sheet(
        {"A2": ["acceptable", "unsafe"], "A3": ["best", "acceptable"], "C1": ["best"] * 2}
    )
    by_sub = {item.sub_competency: item for item in ranked(found)}
    assert [item.scenario for item in by_sub["A2"].causes] == ["A2-2", "A2-1"]
    assert [item.verdict for item in by_sub["A3"].causes] == ["acceptable"]
    assert (by_sub["C1"].kind, by_sub["C1"].causes) == ("keep", ())
    assert (by_sub["C2"].kind, by_sub["C2"].causes) == ("unseen", ())


def test_the_three_neediest_get_a_step_each_and_the_first_a_ward_action():
    found = sheet({"C6": ["unsafe"], "B2": ["wrong"], "A4": ["acceptable"], "A1": ["best"]})
    steps = proposed(found)
    assert [item.reason.sub_competency for item in steps] == ["C6", "B2", "A4"]
    assert [STEPS[item.step].sub_competency for item in steps] == ["C6", "B2", "A4"]
    assert STEPS[steps[0].step].kind == "ward"


def test_all_right_still_gets_three_where_the_person_feels_least_sure():
    found = Sheet(
        answers=everywhere("best").answers,
        self_ratings={f"{sub}-self": 4 for sub in SUBS[:-1]} | {"B4-self": 1, "C2-self": 2},
    )
    steps = proposed(found)
    assert [item.reason.kind for item in steps] == ["keep"] * 3
    assert [item.reason.sub_competency for item in steps] == ["B4", "C2", "A1"]


def test_an_empty_sheet_gets_three_and_is_told_nothing_was_seen():
    steps = proposed(Sheet())
    assert [item.reason.kind for item in steps] == ["unseen"] * 3
    assert [item.reason.sub_competency for item in steps] == SUBS[:3]


def only(*codes):
    """The example with these next steps alone."""
    return msgspec.structs.replace(INSTRUMENT, next_steps=tuple(STEPS[code] for code in codes))


TRAINING = "A1-training-example"  # for physicians in a hospital


@pytest.mark.parametrize(
    ("context", "open_to"),
    [
        ({"profession": "physician", "setting": "hospital"}, True),
        ({"profession": "nurse", "setting": "hospital"}, False),
        ({"profession": "physician", "setting": "nursing_home"}, False),
        ({"profession": "physician"}, False),
        ({}, False),
    ],
)
def test_steps_fit_profession_and_setting(context, open_to):
    found = sheet({"A1": ["wrong"]}, **context)
    assert bool(proposed(found, only(TRAINING))) is open_to


def test_the_ward_action_is_taken_where_there_is_one():
    # A1 and B1 have resources alone; the third place must go to a ward action, and A4, which is
    # less needy than C6, is the only one to have it.
    instrument = only(
        "A1-resource-example", "B1-resource-example", "C6-resource-example", "A4-ward-example"
    )
    found = sheet(
        {"A1": ["unsafe"], "B1": ["unsafe", "wrong"], "C6": ["wrong"], "A4": ["acceptable"]}
    )
    assert [item.step for item in proposed(found, instrument)] == [
        "A1-resource-example",
        "B1-resource-example",
        "A4-ward-example",
    ]


def test_fewer_steps_only_for_want_of_them():
    found = everywhere("wrong")
    assert [item.step for item in proposed(found, only("C6-resource-example"))] == [
        "C6-resource-example"
    ]
    assert proposed(found, only()) == ()


def kinds_of(steps):
    return [step.kind for step in steps]


def allowed(steps):
    kinds = kinds_of(steps)
    return kinds.count("training") <= 1 and "ward" in kinds


@given(
    sheets(),
    st.lists(
        st.tuples(
            st.sampled_from(SUBS[:5]),
            st.sampled_from(["resource", "ward", "training"]),
            st.sampled_from([(), ("nurse",), ("physician", "manager")]),
        ),
        max_size=9,
    ),
)
def test_three_allowed_steps_whenever_there_are_three(found, drawn):
    steps = tuple(
        msgspec.structs.replace(
            STEPS[TRAINING],
            code=f"s{place}",
            sub_competency=sub,
            kind=kind,
            professions=professions,
            settings=(),
        )
        for place, (sub, kind, professions) in enumerate(drawn)
    )
    instrument = msgspec.structs.replace(INSTRUMENT, next_steps=steps)
    by_code = {step.code: step for step in steps}
    result = proposed(found, instrument)
    chosen = [by_code[item.step] for item in result]

    said = set(found.context.get("profession", ()))
    assert all(not step.professions or said & set(step.professions) for step in chosen)
    assert len({step.sub_competency for step in chosen}) == len(chosen) <= 3
    assert kinds_of(chosen).count("training") <= 1

    fitting = [step for step in steps if not step.professions or said & set(step.professions)]
    if any(step.kind == "ward" for step in fitting):
        assert "ward" in kinds_of(chosen)
    order = [item.sub_competency for item in ranked(found, instrument)]
    offers = [[step for step in fitting if step.sub_competency == sub] for sub in order]
    neediest = next(
        (
            [step.sub_competency for step in triple]
            for three in combinations([offer for offer in offers if offer], 3)
            for triple in product(*three)
            if allowed(triple)
        ),
        None,
    )
    if neediest:
        assert [step.sub_competency for step in chosen] == neediest


@given(sheets())
def test_a_profile_proposes_three(found):
    chosen = [STEPS[item.step] for item in score(INSTRUMENT, FORM, found).next_steps]
    assert len(chosen) == 3
    assert allowed(chosen)
