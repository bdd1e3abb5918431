"""What is to be mended in an instrument that breaks no rule: each check, by going wrong once."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assessments.instrument import checking
from assessments.instrument.document import Instrument, Scenario, Variant
from assessments.instrument.loading import load

SEEDS = Path(__file__).parents[2] / "seeds" / "ai-readiness"


@pytest.fixture(scope="module")
def seeds() -> Instrument:
    return load(SEEDS)


@pytest.fixture(scope="module")
def day(seeds) -> date:
    """A day on which nothing of ours is overdue."""
    return seeds.strategy.as_of


def changed(instrument: Instrument, code: str, **fields: Any) -> Instrument:
    return msgspec.structs.replace(
        instrument,
        scenarios=tuple(
            msgspec.structs.replace(item, **fields) if item.code == code else item
            for item in instrument.scenarios
        ),
    )


def scenario(instrument: Instrument, code: str) -> Scenario:
    return next(item for item in instrument.scenarios if item.code == code)


def with_option(item: Scenario, code: str, **text: str):
    """The options of a scenario with other words in one of them."""
    return tuple(
        msgspec.structs.replace(option, text={**option.text, **text})
        if option.code == code
        else option
        for option in item.options
    )


def found(instrument: Instrument, day: date) -> list[tuple[str, str, str]]:
    return [
        (finding.item, finding.field, finding.rule) for finding in checking.review(instrument, day)
    ]


def test_our_own_instrument_has_nothing_to_mend(seeds, day):
    assert [finding.render() for finding in checking.review(seeds, day)] == []


def test_the_bank_has_what_it_promises(seeds):
    counts = checking.scenario_counts(seeds)
    assert {domain: (row["A"], row["B"]) for domain, row in counts.items()} == dict.fromkeys(
        "ABC", (8, 8)
    )
    assert all(row["all"] >= 16 and row["reserve"] >= 3 for row in counts.values())
    assert sum(item.forms == ("A", "B") for item in seeds.scenarios) == 8


def test_every_key_is_within_its_shelf_life_when_published(seeds, day):
    assert [item.code for item in seeds.scenarios if item.review_by <= day] == []


def test_other_figures_in_a_translation(seeds, day):
    item = scenario(seeds, "A1-1")
    broken = changed(seeds, "A1-1", stem={**item.stem, "en": item.stem["en"] + " About 4.5%."})
    assert found(broken, day) == [("A1-1", "stem.en", "figures")]


def test_a_text_that_was_not_translated(seeds, day):
    same = {"fr": "Revoir le cas demain matin.", "en": "Revoir le cas demain matin."}
    assert found(changed(seeds, "A1-1", topic=same), day) == [("A1-1", "topic.en", "untranslated")]


@pytest.mark.parametrize(
    ("french", "english", "same"),
    [
        ("12 999 phrases", "12,999 sentences", True),
        ("1,47 % puis 3,45 %", "1.47% then 3.45%", True),
        ("à 19 h, 3 patients", "at 7 pm, 3 patients", True),
        ("à 7 h 15", "at 7:15 a.m.", True),
        ("de 66 à 44 %", "from 66 to 43%", False),
        ("3 patients", "three patients", False),
    ],
)
def test_figures_are_compared_without_their_separators_nor_hours(french, english, same):
    assert (checking.numbers(french, "fr") == checking.numbers(english, "en")) is same


def test_a_text_that_is_very_hard_to_read(seeds, day):
    hard = "Conceptualisation institutionnelle multidimensionnelle des interdépendances " * 3
    item = scenario(seeds, "A1-1")
    broken = changed(seeds, "A1-1", explanation={**item.explanation, "fr": hard.strip()})
    assert ("A1-1", "explanation.fr", "hard-to-read") in found(broken, day)


def test_readability_is_bjornssons():
    # 9 words, 2 sentences, 3 words of more than six letters: 9/2 + 100·3/9.
    text = "Le patient attend. Le dernier résultat arrive ce soir."
    assert checking.lix(text) == pytest.approx(4.5 + 300 / 9)
    assert checking.lix("12 % ?") == 0


def test_a_best_option_that_is_longer_than_the_others(seeds, day):
    item = scenario(seeds, "A1-1")
    longer = with_option(item, item.best.code, en=item.best.text["en"] + " Then wait one more day.")
    assert ("A1-1", "options.en", "best-stands-out") in found(
        changed(seeds, "A1-1", options=longer), day
    )


def test_an_option_that_is_much_shorter_in_a_variant_only(seeds, day):
    short = {"fr": "Attendre demain matin.", "en": "Wait until the morning."}
    variant = Variant(professions=("nurse",), options={"a": short})
    broken = changed(seeds, "A1-1", variants=(variant,))
    assert set(found(broken, day)) == {
        ("A1-1", f"variants.1.options.{language}", rule)
        for language in ("fr", "en")
        for rule in ("uneven-options", "best-stands-out")
    }


def test_best_options_that_are_often_the_longest(seeds, day):
    def pad(item: Scenario) -> Scenario:
        longest = max(len(option.text["en"]) for option in item.options)
        padded = item.best.text["en"] + " x" * (1 + (longest - len(item.best.text["en"])) // 2)
        return msgspec.structs.replace(item, options=with_option(item, item.best.code, en=padded))

    broken = msgspec.structs.replace(seeds, scenarios=tuple(map(pad, seeds.scenarios)))
    assert [(item, rule) for item, _, rule in found(broken, day) if rule == "often-longest"] == [
        ("", "often-longest"),
        ("", "often-longest"),
    ]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("toujours attendre", "absolute-word"),
        ("les options ci-dessus", "points-at-others"),
        ("a et c", "points-at-others"),
    ],
)
def test_words_that_give_an_option_away(seeds, day, words, rule):
    item = scenario(seeds, "A1-1")
    text = item.options[0].text["fr"]
    options = with_option(item, "a", fr=f"{words}, {text}"[: len(text)])
    assert found(changed(seeds, "A1-1", options=options), day) == [
        ("A1-1", "options.a.text.fr", rule)
    ]


def test_keys_that_stand_at_one_place(seeds, day):
    def first(item: Scenario) -> Scenario:
        order = sorted(item.options, key=lambda option: -option.credit)
        return msgspec.structs.replace(
            item,
            options=tuple(
                msgspec.structs.replace(option, code=code)
                for code, option in zip("abcd", order, strict=True)
            ),
            variants=(),
        )

    broken = msgspec.structs.replace(seeds, scenarios=tuple(map(first, seeds.scenarios)))
    rules = [rule for _, _, rule in found(broken, day)]
    assert rules == ["key-balance"] * 4 + ["key-run"] + ["key-balance"] * 4 + ["key-run"]


def test_forms_that_share_too_little(seeds, day):
    broken = seeds
    for item in seeds.scenarios:
        if item.forms == ("A", "B") and item.sub_competency.startswith("C"):
            broken = changed(broken, item.code, forms=("A",))
    assert ("domains.C", "sub_competencies", "anchors") in found(broken, day)


def test_a_priority_that_no_scenario_touches(seeds, day):
    subs = tuple(
        msgspec.structs.replace(
            sub, priorities=tuple(code for code in sub.priorities if code != "P4")
        )
        for sub in seeds.sub_competencies
    )
    broken = msgspec.structs.replace(seeds, sub_competencies=subs)
    assert found(broken, day) == [("entries.P4", "code", "strategy-untouched")] * 2


def test_a_strategy_source_without_an_address(seeds, day):
    code = seeds.strategy.entries[0].sources[0]
    sources = tuple(
        msgspec.structs.replace(source, url=None, doi=None) if source.code == code else source
        for source in seeds.sources
    )
    broken = msgspec.structs.replace(seeds, sources=sources)
    assert {rule for _, _, rule in found(broken, day)} == {"link-unresolved"}
    assert ("entries.G1", "sources", "link-unresolved") in found(broken, day)


def test_what_is_past_its_review_is_named_with_what_is_served_instead(seeds, day):
    past = day - timedelta(days=1)
    # C1 has a scenario in reserve, C4 has none.
    broken = changed(changed(seeds, "C1-1", review_by=past), "C4-1", review_by=past)
    findings = {finding.item: finding for finding in checking.review(broken, day)}
    assert {code: finding.rule for code, finding in findings.items()} == {
        "C1-1": "overdue-replaced",
        "C4-1": "overdue",
    }
    assert findings["C1-1"].params["code"] == "C1-5"


def test_six_months_later_the_strategy_map_is_overdue(seeds, day):
    rules = {rule for _, _, rule in found(seeds, day + timedelta(days=185))}
    assert "strategy-overdue" in rules
    assert "strategy-overdue" not in {
        rule for _, _, rule in found(seeds, day + timedelta(days=184))
    }


def test_a_source_read_too_long_ago(seeds, day):
    code = scenario(seeds, "C1-1").sources[0]
    sources = tuple(
        msgspec.structs.replace(source, read_on=day - timedelta(days=185))
        if source.code == code
        else source
        for source in seeds.sources
    )
    broken = msgspec.structs.replace(seeds, sources=sources)
    assert found(broken, day) == [(code, "read_on", "source-overdue")]


def test_what_is_due_soon_comes_soonest_first(seeds, day):
    first = day + timedelta(days=1)
    soon = changed(seeds, "A1-1", review_by=first)
    assert [item.code for item in checking.due_within(soon, day, timedelta(days=30))] == ["A1-1"]
