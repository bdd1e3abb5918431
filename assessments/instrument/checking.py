"""What an instrument that breaks no rule may still have wrong: cues, wording, dates, coverage.

:mod:`.rules` says what may be published; these checks say what should be mended. They are pure:
the day on which dates are judged is told. Each cites what it rests on; the limits are set where
the questionnaire's own language is plain and its options give nothing away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from statistics import fmean

from .document import (
    Instrument,
    Record,
    Scenario,
    Strategy,
    StrategyElement,
    StrategyEntry,
    Text,
    by_code,
)
from .rules import SHELF_LIFE, Breach, Breaches, Finding, breach, items, leaves, records, references

RESERVE = "reserve"
"""Stands for a form where scenarios in none are counted."""
ALL = "all"

LIX_LIMIT = {"fr": 60.0, "en": 55.0}
"""The hardest a text may be. Björnsson counts as very difficult what is above 60; the same text
has longer words in French than in English."""
SAME_WORDS = 4
"""From how many words on two languages cannot be alike by chance."""
LENGTH_RATIO = 1.4
"""The longest option against the shortest, in characters."""
LENGTH_LEAD = 1.2
"""The best option against the mean of the others, in characters, or the reverse."""
LONGEST_SHARE = 0.45
"""How often the best option may be the longest of its four, or the shortest; chance says 0.25."""
KEY_SHARE = (0.125, 0.375)
"""The least and greatest share of the keys at one of four positions: 3 and 9 of 24."""
KEY_RUN = 4
"""How many scenarios in a row may have their key at the same position."""
ANCHORS = 2
"""The fewest scenarios of a domain that two forms share, for a change to be linked through."""


# Counts


def scenario_counts(instrument: Instrument) -> dict[str, dict[str, int]]:
    """How many scenarios there are, by domain, then by form, in reserve, and in all."""
    counts = {}
    for domain in instrument.domains:
        subs = {sub.code for sub in instrument.sub_competencies_of(domain.code)}
        mine = [item for item in instrument.scenarios if item.sub_competency in subs]
        counts[domain.code] = {
            **{form: sum(form in item.forms for item in mine) for form in instrument.forms},
            RESERVE: sum(not item.forms for item in mine),
            ALL: len(mine),
        }
    return counts


def replaced_on(instrument: Instrument, day: date) -> dict[str, str | None]:
    """The scenarios of a form that are past their review on a day, with the code of what is
    served in their place; None where nothing in reserve can be."""
    found: dict[str, str | None] = {}
    for form in instrument.forms:
        designed = instrument.scenarios_of(form)
        served = instrument.scenarios_of(instrument.edition(form, day))
        for item, other in zip(designed, served, strict=True):
            if item.review_by < day:
                found[item.code] = other.code if other is not item else None
    return found


def bank_table(instrument: Instrument) -> str:
    """The bank as a Markdown table: scenario, sub-competency, topic, form, key, sources, date."""
    lines = [
        f"# The bank of {instrument.code} {instrument.version}",
        "",
        "Made by `python manage.py check_instrument seeds/… --table`; a test compares the two.",
        "Key: the best option, then *acceptable* ones and **unsafe** ones. A source is followed",
        "by how it was read.",
        "",
        "| scenario | sub-competency | topic | forms | key | sources | facts | review by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    subs, sources = by_code(instrument.sub_competencies), by_code(instrument.sources)
    for item in instrument.scenarios:
        key = [item.best.code]
        key += [f"*{option.code}*" for option in item.options if option.credit == 0.5]
        key += [f"**{option.code}**" for option in item.options if option.unsafe]
        read = [f"{code} ({sources[code].reading})" for code in item.sources]
        lines.append(
            f"| {item.code} | {subs[item.sub_competency].title['en']} | {item.topic['en']} | "
            f"{', '.join(item.forms) or RESERVE} | {' '.join(key)} | {', '.join(read)} | "
            f"{', '.join(item.facts)} | {item.review_by.isoformat()} |"
        )
    return "\n".join(lines) + "\n"


# Measures


def lix(wording: str) -> float:
    """Readability: words a sentence, plus the percentage of words of more than six letters.

    Björnsson's LIX (Läsbarhet, 1968), which needs no syllables and so serves both languages;
    from 20, very easy, to 60, very difficult. 0 for a text without words.
    """
    words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", wording)
    if not words:
        return 0.0
    sentences = len(re.findall(r"[.!?…:;](?=\s|$|[»”)])", wording)) or 1
    return len(words) / sentences + 100.0 * sum(len(word) > 6 for word in words) / len(words)


CLOCK = {
    "fr": re.compile(r"\b[0-9]{1,2}\s?h(?:\s?[0-9]{2})?\b"),
    "en": re.compile(r"\b[0-9]{1,2}(?:[:.][0-9]{2})?\s?[ap]\.?m\b"),
}
"""Hours, which the two languages write with other figures."""
NUMBER = re.compile(r"[0-9]+(?:[.,\u202f\xa0 ][0-9]{3}(?![0-9])|[.,][0-9]+)*")


def numbers(wording: str, language: str) -> Counter[str]:
    """The figures of a text, without their separators and without hours."""
    if clock := CLOCK.get(language):
        wording = clock.sub("", wording)
    return Counter(re.sub("[^0-9]", "", found) for found in NUMBER.findall(wording))


# Checks


def translations(instrument: Instrument, day: date) -> Breaches:
    """Languages do not merely repeat one another, and give the same figures."""
    first, *others = instrument.languages
    for record in records(instrument):
        for where, value in leaves(record):
            if not isinstance(value, dict) or not {*instrument.languages} <= set(value):
                continue
            for language in others:
                one, other = value[first], value[language]
                if one == other and len(one.split()) >= SAME_WORDS:
                    yield breach(record, f"{where}.{language}", "untranslated", language=first)
                elif numbers(one, first) != numbers(other, language):
                    apart = numbers(one, first) - numbers(other, language)
                    apart += numbers(other, language) - numbers(one, first)
                    yield breach(
                        record,
                        f"{where}.{language}",
                        "figures",
                        language=first,
                        found=", ".join(sorted(apart)),
                    )


def readability(instrument: Instrument, day: date) -> Breaches:
    """What is read in the sitting and in the report is not very difficult to read."""
    for record, where, text in read_texts(instrument):
        for language, wording in text.items():
            limit = LIX_LIMIT.get(language)
            if limit is not None and (found := lix(wording)) > limit:
                yield breach(
                    record,
                    f"{where}.{language}",
                    "hard-to-read",
                    found=round(found),
                    limit=round(limit),
                )


def read_texts(instrument: Instrument) -> Iterator[tuple[Record, str, Text]]:
    """The texts whose readability is measured; the options of a scenario as one text."""
    for scenario in instrument.scenarios:
        yield scenario, "stem", scenario.stem
        for number, variant in enumerate(scenario.variants, start=1):
            if variant.stem is not None:
                yield scenario, f"variants.{number}.stem", variant.stem
        yield (
            scenario,
            "options",
            {
                language: " ".join(option.text.get(language, "") for option in scenario.options)
                for language in instrument.languages
            },
        )
        yield scenario, "explanation", scenario.explanation
    for statement in instrument.self_ratings:
        yield statement, "text", statement.text
    for step in instrument.next_steps:
        yield step, "text", step.text


def wordings_of(instrument: Instrument) -> Iterator[tuple[Scenario, str, str, list[str]]]:
    """The wordings of the options of each scenario and of its variants, one list a language."""
    for scenario in instrument.scenarios:
        worded = [("options", scenario.options)]
        worded += [
            (f"variants.{number}.options", scenario.worded_for(variant.professions[0]).options)
            for number, variant in enumerate(scenario.variants, start=1)
            if variant.options and variant.professions
        ]
        for where, options in worded:
            for language in instrument.languages:
                yield scenario, where, language, [o.text.get(language, "") for o in options]


def option_lengths(instrument: Instrument, day: date) -> Breaches:
    """No option stands out by its length, the best one least of all (Haladyna, Downing &
    Rodriguez 2002, doi:10.1207/S15324818AME1503_5, guidelines 24 and 28)."""
    for scenario, where, language, texts in wordings_of(instrument):
        sizes = [len(text) for text in texts]
        if min(sizes) and max(sizes) / min(sizes) > LENGTH_RATIO:
            yield breach(
                scenario,
                f"{where}.{language}",
                "uneven-options",
                least=min(sizes),
                most=max(sizes),
            )
        best = scenario.options.index(scenario.best)
        others = fmean(size for place, size in enumerate(sizes) if place != best)
        if others and not 1 / LENGTH_LEAD <= sizes[best] / others <= LENGTH_LEAD:
            yield breach(
                scenario,
                f"{where}.{language}",
                "best-stands-out",
                found=sizes[best],
                expected=round(others),
            )


def length_over_forms(instrument: Instrument, day: date) -> Breaches:
    """Over a form, the best option is not the longest, or the shortest, more than by chance."""
    for form in instrument.forms:
        asked = instrument.scenarios_of(form)
        for language in instrument.languages:
            for pick, rule in ((max, "often-longest"), (min, "often-shortest")):
                found = sum(_stands_out(item, language, pick) for item in asked)
                if asked and found / len(asked) > LONGEST_SHARE:
                    yield breach(
                        instrument,
                        "scenarios",
                        rule,
                        form=form,
                        language=language,
                        found=found,
                        of=len(asked),
                    )


def _stands_out(scenario: Scenario, language: str, pick: Callable[[Sequence[int]], int]) -> bool:
    """Whether the best option, and it alone, has the greatest (or smallest) length."""
    sizes = [len(option.text.get(language, "")) for option in scenario.options]
    extreme = pick(sizes)
    return sizes.count(extreme) == 1 and sizes[scenario.options.index(scenario.best)] == extreme


ABSOLUTE = {
    "fr": re.compile(r"\b(?:toujours|jamais|systématiquement|en aucun cas|dans tous les cas)\b"),
    "en": re.compile(r"\b(?:always|never|under no circumstances|in all cases)\b"),
}
ALL_OR_NONE = {
    "fr": re.compile(
        r"\b(?:toutes? les réponses|aucune (?:de ces |des )?réponses?|ci-dessus|[abcd] et [abcd])\b"
    ),
    "en": re.compile(r"\b(?:all of the above|none of the above|both [abcd] and [abcd])\b"),
}


def telling_words(instrument: Instrument, day: date) -> Breaches:
    """No absolute word gives a wrong option away, and none points at other options."""
    for scenario in instrument.scenarios:
        for option in scenario.options:
            for language, wording in option.text.items():
                where, lower = f"options.{option.code}.text.{language}", wording.lower()
                if (pattern := ALL_OR_NONE.get(language)) and (found := pattern.search(lower)):
                    yield breach(scenario, where, "points-at-others", found=found[0])
                if (pattern := ABSOLUTE.get(language)) and (found := pattern.search(lower)):
                    yield breach(scenario, where, "absolute-word", found=found[0])


def key_balance(instrument: Instrument, day: date) -> Breaches:
    """Over a form, the best option stands about as often at each position, without long runs."""
    for form in instrument.forms:
        places = [item.best.code for item in instrument.scenarios_of(form)]
        if not places:
            continue
        counts = Counter(places)
        for code in sorted(
            {option.code for item in instrument.scenarios for option in item.options}
        ):
            share = counts[code] / len(places)
            if not KEY_SHARE[0] <= share <= KEY_SHARE[1]:
                yield breach(
                    instrument,
                    "scenarios",
                    "key-balance",
                    form=form,
                    code=code,
                    found=counts[code],
                    of=len(places),
                )
        for code, run in groupby(places):
            if (length := sum(1 for _ in run)) > KEY_RUN:
                yield breach(instrument, "scenarios", "key-run", form=form, code=code, found=length)


def anchors(instrument: Instrument, day: date) -> Breaches:
    """Two forms share scenarios of each domain, or a change between them rests on nothing."""
    for domain in instrument.domains:
        subs = {sub.code for sub in instrument.sub_competencies_of(domain.code)}
        shared = sum(
            item.sub_competency in subs and {*instrument.forms} <= {*item.forms}
            for item in instrument.scenarios
        )
        if len(instrument.forms) > 1 and shared < ANCHORS:
            yield breach(domain, "sub_competencies", "anchors", found=shared, expected=ANCHORS)


def strategy_covered(instrument: Instrument, day: date) -> Breaches:
    """Every goal, priority and pillar of the strategy is touched by scenarios of every form."""
    for form in instrument.forms:
        asked = {item.sub_competency for item in instrument.scenarios_of(form)}
        subs = [sub for sub in instrument.sub_competencies if sub.code in asked]
        for entry in instrument.strategy.entries:
            if not any(sub.serves(entry.code) for sub in subs):
                yield breach(entry, "code", "strategy-untouched", form=form)


def strategy_links(instrument: Instrument, day: date) -> Breaches:
    """What the strategy map says can be followed to an address or a DOI."""
    known = by_code(instrument.sources)
    for record, code in references(instrument):
        if isinstance(record, StrategyEntry | StrategyElement):
            source = known.get(code)
            if source is not None and source.url is None and source.doi is None:
                yield breach(record, "sources", "link-unresolved", code=code)


def overdue(instrument: Instrument, day: date) -> Breaches:
    """What is past its review: scenarios, and the strategy map after six months."""
    replaced = replaced_on(instrument, day)
    for scenario in instrument.scenarios:
        if scenario.review_by >= day:
            continue
        since = scenario.review_by.isoformat()
        if not scenario.forms:
            yield breach(scenario, "review_by", "overdue-reserve", date=since)
        elif other := replaced.get(scenario.code):
            yield breach(scenario, "review_by", "overdue-replaced", date=since, code=other)
        else:
            yield breach(scenario, "review_by", "overdue", date=since)
    if strategy_is_overdue(instrument.strategy, day):
        yield breach(
            instrument.strategy,
            "as_of",
            "strategy-overdue",
            date=instrument.strategy.as_of.isoformat(),
        )


def strategy_is_overdue(strategy: Strategy, day: date) -> bool:
    """Whether the strategy map has not been checked for as long as a law item may live."""
    return to_check_since(strategy.as_of, day) is not None


def to_check_since(checked_on: date, day: date) -> date | None:
    """Since when what the strategy map says is to be checked again, if it is on a day: as long
    after its last check as a law item may live."""
    due = checked_on + SHELF_LIFE["law"]
    return due if due < day else None


def sources_overdue(instrument: Instrument, day: date) -> Breaches:
    """A source that carries a scenario was read within the scenario's shelf life."""
    known = by_code(instrument.sources)
    oldest: dict[str, timedelta] = {}
    for scenario in instrument.scenarios:
        for code in scenario.sources:
            limit = SHELF_LIFE[scenario.nature]
            oldest[code] = min(limit, oldest.get(code, limit))
    for code, limit in oldest.items():
        source = known.get(code)
        if source is not None and source.reading != "computed" and day - source.read_on > limit:
            yield breach(source, "read_on", "source-overdue", date=source.read_on.isoformat())


CHECKS: tuple[Callable[[Instrument, date], Iterator[Breach]], ...] = (
    translations,
    readability,
    option_lengths,
    length_over_forms,
    telling_words,
    key_balance,
    anchors,
    strategy_covered,
    strategy_links,
    overdue,
    sources_overdue,
)


def review(instrument: Instrument, day: date) -> tuple[Finding, ...]:
    """What to mend in an instrument that breaks no rule, as of a day, ordered by check."""
    place = {id(record): (file, item) for file, item, record in items(instrument)}
    return tuple(
        Finding(*place[id(record)], field, code, params)
        for check in CHECKS
        for record, field, code, params in check(instrument, day)
    )


def due_within(instrument: Instrument, day: date, ahead: timedelta) -> list[Scenario]:
    """The scenarios still valid on a day whose review is due within a time, soonest first."""
    return sorted(
        (item for item in instrument.scenarios if day <= item.review_by <= day + ahead),
        key=lambda item: (item.review_by, item.code),
    )
