"""What an instrument must satisfy beyond the shape of its types.

A rule is a small generator: it takes an :class:`Instrument` and yields its breaches. ``RULES``,
at the end, lists them all; ``MESSAGES`` words every finding, the loader's too, in one place.

Rules are pure: no clock, so nothing here says whether an item is out of date *today*.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice, pairwise
from string import ascii_lowercase
from typing import NamedTuple

from .document import (
    DONT_KNOW_CONFIDENCE,
    MAIN_LANGUAGE,
    Instrument,
    NextStep,
    Record,
    Scenario,
    SelfRating,
    Source,
    Strategy,
    StrategyElement,
    StrategyEntry,
    Text,
    by_code,
)

SCENARIOS_PER_DOMAIN = 8
"""In each form, so that the three domain scores rest on as many answers."""
OPTIONS = 4
CREDITS = (0.0, 0.5, 1.0)
SELF_RATING_POINTS = 5
LEVELS = (1, 2, 3)
PANEL_JUDGES = 6
"""The fewest judges who can set cut scores: panels of six to eight are the least advised."""
STEPS_PER_SUB_COMPETENCY = 2
STEP_MINUTES = (5, 480)
PLAN_DAYS = (1, 365)

MULTIPLE_OPTIONS = 8
"""A multiple context answer is kept as the bits of one byte."""
SINGLE_OPTIONS = 250
"""A single answer is kept as one byte, with room for "not answered"."""

STEM_WORDS = 120
OPTION_WORDS = 40
EXPLANATION_WORDS = 160
CODE_LENGTH = 40
VERSION_LENGTH = 20
MOST_FINDINGS = 10_000
"""After so many, nothing more is looked for: a few lines may break the rules a million times."""

SHELF_LIFE = {"law": timedelta(days=184), "science": timedelta(days=731)}
"""How long an item may stay before somebody reads it again: six months, two years."""
KEY_READINGS = ("primary", "abstract", "computed")
"""The readings of a source that can carry a key."""

CODE = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
SERIAL = re.compile(r"[1-9][0-9]*")
WORDS = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]+)*")
DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
URL = re.compile(r"https://[^\s/.]+(?:\.[^\s/.]+)+(?:/\S*)?")


def gettext_noop(message: str) -> str:
    """Mark a message for ``makemessages``; whoever renders it translates it."""
    return message


TO_MEND: dict[str, str] = {
    "untranslated": gettext_noop("the text is the same as in “{language}”"),
    "figures": gettext_noop("the figures differ from those in “{language}”: {found}"),
    "hard-to-read": gettext_noop("hard to read: LIX {found}; at most {limit}"),
    "uneven-options": gettext_noop("the options have from {least} to {most} characters"),
    "best-stands-out": gettext_noop(
        "the best option has {found} characters, the others {expected} on average"
    ),
    "often-longest": gettext_noop(
        "form {form}, “{language}”: the best option is the longest in {found} scenarios of {of}"
    ),
    "often-shortest": gettext_noop(
        "form {form}, “{language}”: the best option is the shortest in {found} scenarios of {of}"
    ),
    "points-at-others": gettext_noop("an option points at other options: “{found}”"),
    "absolute-word": gettext_noop("an absolute word gives an option away: “{found}”"),
    "key-balance": gettext_noop("form {form}: “{code}” is the best option {found} times of {of}"),
    "key-run": gettext_noop("form {form}: “{code}” is the best option {found} times in a row"),
    "anchors": gettext_noop(
        "the forms share {found} scenarios of this domain; at least {expected}"
    ),
    "strategy-untouched": gettext_noop("form {form}: no scenario touches it"),
    "link-unresolved": gettext_noop("the source “{code}” has neither an address nor a DOI"),
    "overdue": gettext_noop("to be reviewed since {date}; nothing in reserve can take its place"),
    "overdue-replaced": gettext_noop(
        "to be reviewed since {date}; new sittings are asked {code} in its place"
    ),
    "overdue-reserve": gettext_noop("in reserve, and to be reviewed since {date}"),
    "strategy-overdue": gettext_noop("last checked on {date}, more than six months ago"),
    "source-overdue": gettext_noop(
        "last read on {date}, longer ago than the scenarios it carries may go unreviewed"
    ),
}
"""What each check of ``checking`` says, by its code."""

MESSAGES: Mapping[str, str] = TO_MEND | {
    # Files
    "missing-file": gettext_noop("this file is missing"),
    "unknown-file": gettext_noop("no such file belongs to an instrument"),
    "part-twice": gettext_noop("instrument.yaml already holds “{part}”"),
    "unreadable": gettext_noop("the file cannot be read"),
    "too-large": gettext_noop("the file is larger than {limit} bytes"),
    "encoding": gettext_noop("the file is not UTF-8 text"),
    # Archives
    "archive": gettext_noop("this is neither a ZIP archive that can be read nor a YAML file"),
    "archive-large": gettext_noop("the archive holds more than {limit} bytes once opened"),
    "archive-entries": gettext_noop("the archive holds more than {limit} files"),
    "archive-ratio": gettext_noop("compressed more than {limit} times: refused as a ZIP bomb"),
    "archive-path": gettext_noop("this name leads out of the folder"),
    "archive-name": gettext_noop(
        "this name has more than {limit} characters, or some that nobody sees"
    ),
    "archive-link": gettext_noop("links and special files are not allowed"),
    "archive-encrypted": gettext_noop("encrypted files are not allowed"),
    "archive-method": gettext_noop("files packed otherwise than ZIP usually does are not allowed"),
    "archive-twice": gettext_noop("the archive holds two files of this name"),
    "archive-damaged": gettext_noop("the file is damaged, or not what the archive says it is"),
    # YAML
    "character": gettext_noop(
        "line {line}: control, invisible or private-use character {character}"
    ),
    "syntax": gettext_noop("line {line}: not valid YAML ({problem})"),
    "documents": gettext_noop("line {line}: a file holds one YAML document only"),
    "anchor": gettext_noop("line {line}: anchors and aliases are not allowed"),
    "tag": gettext_noop("line {line}: type tags are not allowed"),
    "depth": gettext_noop("line {line}: nested more than {limit} levels deep"),
    "long-text": gettext_noop("line {line}: a text of more than {limit} characters"),
    "values": gettext_noop("line {line}: more than {limit} values in all the files together"),
    "key": gettext_noop("line {line}: a key must be a plain text"),
    "duplicate-key": gettext_noop("line {line}: the key “{key}” is written twice"),
    # Shape
    "missing-field": gettext_noop("this field is missing"),
    "unknown-field": gettext_noop("there is no such field"),
    "not-a-mapping": gettext_noop("must be a mapping; found {found}"),
    "not-a-list": gettext_noop("must be a list; found {found}"),
    "not-a-text": gettext_noop("must be a text; found {found}"),
    "not-a-number": gettext_noop("must be a number; found {found}"),
    "not-a-whole-number": gettext_noop("must be a whole number; found {found}"),
    "not-true-or-false": gettext_noop("must be true or false; found {found}"),
    "not-a-date": gettext_noop("must be a date such as 2026-11-23; found {found}"),
    "not-a-choice": gettext_noop("must be one of {choices}; found {found}"),
    # Texts
    "main-language": gettext_noop("the languages must include “{language}”"),
    "language-code": gettext_noop("“{language}” is not a language code"),
    "missing-language": gettext_noop("the text is missing in this language"),
    "undeclared-language": gettext_noop("the instrument does not declare this language"),
    "empty": gettext_noop("must not be empty"),
    "markup": gettext_noop("texts are plain, without HTML: “{excerpt}”"),
    "spacing": gettext_noop(
        "one paragraph, without line breaks, doubled spaces or spaces at its ends: “{excerpt}”"
    ),
    "space-before": gettext_noop(
        "French puts a no-break space (U+00A0) before “{mark}”: “{excerpt}”"
    ),
    "space-after": gettext_noop(
        "French puts a no-break space (U+00A0) after “{mark}”: “{excerpt}”"
    ),
    "narrow-space": gettext_noop("use U+00A0 in place of U+202F: “{excerpt}”"),
    "apostrophe": gettext_noop("use the apostrophe ’ (U+2019): “{excerpt}”"),
    "too-long": gettext_noop("{found} words; at most {limit}"),
    # Codes and references
    "code": gettext_noop(
        "“{code}” is not a code: letters and digits, joined by single hyphens, dots or underscores"
    ),
    "version-length": gettext_noop("more than {limit} characters"),
    "duplicate-code": gettext_noop("the code “{code}” is used more than once"),
    "repeated": gettext_noop("“{code}” is listed twice"),
    "scenario-code": gettext_noop("the code must be {sub_competency}, a hyphen and a number"),
    "step-code": gettext_noop("the code must be {prefix} and words joined by hyphens"),
    "option-codes": gettext_noop("the options must be coded {expected}, in this order"),
    "unknown-domain": gettext_noop("there is no domain “{code}”"),
    "unknown-sub-competency": gettext_noop("there is no sub-competency “{code}”"),
    "unknown-form": gettext_noop("the instrument does not declare the form “{code}”"),
    "unknown-source": gettext_noop("there is no source “{code}”"),
    "unknown-strategy-entry": gettext_noop("the strategy has no {kind} “{code}”"),
    "unknown-option": gettext_noop("there is no option “{code}”"),
    "unknown-context": gettext_noop("“{code}” is not an answer to the question “{question}”"),
    # Blueprint
    "blueprint": gettext_noop("form {form}: {found} scenarios; the blueprint asks for {expected}"),
    "domain-scenarios": gettext_noop(
        "the blueprint asks for {found} scenarios in this domain; must be {expected}"
    ),
    "self-rating-count": gettext_noop("{found} self-ratings; must be exactly one"),
    "step-count": gettext_noop("{found} next steps; at least {expected}"),
    "open-ward-step": gettext_noop("needs a next step of kind ward open to everybody"),
    "training-count": gettext_noop("{found} next steps of kind training; at most one"),
    "goal-unserved": gettext_noop("no sub-competency serves this goal"),
    # Keys
    "option-count": gettext_noop("{found} options; must be {expected}"),
    "credit": gettext_noop("the credit must be 0, 0.5 or 1; found {found}"),
    "one-best": gettext_noop("{found} options with credit 1; must be exactly one"),
    "one-acceptable": gettext_noop("{found} options with credit 0.5; at most one"),
    "one-wrong": gettext_noop("no option with credit 0; at least one"),
    "unsafe-credit": gettext_noop("an unsafe option must have credit 0"),
    "one-unsafe": gettext_noop("{found} unsafe options; at most one"),
    # Sources and dates
    "key-source": gettext_noop("no source read in the text itself, as an abstract or computed"),
    "unused-source": gettext_noop("nothing refers to this source"),
    "doi": gettext_noop("“{found}” is not a bare DOI (10.xxxx/…)"),
    "url": gettext_noop("“{found}” is not an https:// address"),
    "no-source": gettext_noop("must name at least one source"),
    "review-order": gettext_noop("must be later than valid_from"),
    "shelf-life": gettext_noop("{found} days after valid_from; at most {limit} for {nature}"),
    "read-after-review": gettext_noop("the source “{code}” was read after this item’s review_by"),
    # Scales and limits
    "self-rating-scale": gettext_noop("{found} points; must be {expected}"),
    "confidence-range": gettext_noop("must lie strictly between 0 and 1"),
    "confidence-order": gettext_noop("must be greater than the level before"),
    "confidence-count": gettext_noop("{found} levels; at least two"),
    "confidence-first": gettext_noop("the first level must be at most {limit}"),
    "cuts": gettext_noop("must satisfy 0 < operational < expert < 100"),
    "cuts-panel": gettext_noop(
        "cut scores are either provisional or those of a panel, whose judges and date stand here"
    ),
    "panel-judges": gettext_noop("{found} judges; at least {expected}"),
    "panel-error": gettext_noop("must lie between 0 and 50 points"),
    "levels": gettext_noop("must be levels 1, 2 and 3, in this order"),
    "context-options": gettext_noop("{found} options; between 2 and {limit}"),
    "minutes": gettext_noop("must lie between {least} and {most} minutes"),
    "within-days": gettext_noop("must lie between {least} and {most} days"),
    "plan-capital": gettext_noop("completes a sentence: no capital at the start"),
    "plan-stop": gettext_noop("completes a sentence: no punctuation at the end"),
}
"""What each rule and each check says, in English, by its code."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule, at one place of one file."""

    file: str
    item: str
    """The code of the item, with its list when the file holds several (``domains.A``);
    its position when it has no code; empty for the file as a whole."""
    field: str
    """The path inside the item: ``options.b.text.fr``."""
    rule: str
    """A key of ``MESSAGES``."""
    params: Mapping[str, object] = dataclasses.field(default_factory=dict, hash=False)

    def render(self, translate: Callable[[str], str] = str) -> str:
        """The finding in one line: ``scenarios/a.yaml: A2-1, options: …``."""
        where = ", ".join(part for part in (self.item, self.field) if part)
        line = ": ".join(part for part in (self.file, where, self.message(translate)) if part)
        return "↵".join(line.splitlines())

    def message(self, translate: Callable[[str], str] = str) -> str:
        """What is wrong there, in one sentence."""
        return translate(MESSAGES[self.rule]).format(**self.params)


class Breach(NamedTuple):
    """What a rule yields: a record of :func:`items`, the field, the rule and its parameters."""

    record: Record
    field: str
    rule: str
    params: Mapping[str, object]


type Breaches = Iterator[Breach]
type Rule = Callable[[Instrument], Breaches]

NO_FILES: Mapping[int, str] = {}
WHOLE = "instrument.yaml"
"""The file of the instrument's own fields, and of those parts that have no file of theirs."""


def breach(record: Record, field: str, rule: str, /, **params: object) -> Breach:
    return Breach(record, field, rule, params)


def check(instrument: Instrument, file_of: Mapping[int, str] = NO_FILES) -> tuple[Finding, ...]:
    """Every breach of every rule, ordered by rule, up to :data:`MOST_FINDINGS`.

    ``file_of`` names the file of a scenario, next step or source by the ``id`` of the record;
    without it, its list stands for the file.
    """
    place = {id(record): (file, item) for file, item, record in items(instrument, file_of)}
    found = (
        Finding(*place[id(record)], field, code, params)
        for rule in RULES
        for record, field, code, params in rule(instrument)
    )
    return tuple(islice(found, MOST_FINDINGS))


def items(
    instrument: Instrument, file_of: Mapping[int, str] = NO_FILES
) -> Iterator[tuple[str, str, Record]]:
    """What a finding can name, as (file, item, record), from the instrument down."""

    def place(part: str, file: str, item: str, record: Record) -> tuple[str, str, Record]:
        file = file_of.get(id(record), file)
        if file == WHOLE:  # of several parts: the item says which
            item = f"{part}.{item}" if item else part
        return file, item, record

    yield WHOLE, "", instrument
    for name in (
        "self_rating_scale",
        "confidence_scale",
        "context",
        "domains",
        "sub_competencies",
    ):
        for record in getattr(instrument, name):
            yield place(name, WHOLE, record.code, record)
    for self_rating in instrument.self_ratings:
        yield place("self_ratings", "self_ratings.yaml", self_rating.code, self_rating)
    strategy = instrument.strategy
    yield place("strategy", "strategy.yaml", "", strategy)
    for entry in strategy.entries:
        yield place("strategy", "strategy.yaml", f"entries.{entry.code}", entry)
    for element in strategy.elements:
        yield place("strategy", "strategy.yaml", f"elements.{element.code}", element)
    for name in ("scenarios", "next_steps", "sources"):
        for record in getattr(instrument, name):
            yield place(name, name, record.code, record)


def records(instrument: Instrument) -> Iterator[Record]:
    return (record for _, _, record in items(instrument))


def leaves(record: Record, path: str = "") -> Iterator[tuple[str, object]]:
    """The values of a record with their dotted paths, without those of other items."""
    holds_items = isinstance(record, Instrument | Strategy)
    for name in record.__struct_fields__:
        value = getattr(record, name)
        where = f"{path}{name}"
        if isinstance(value, Strategy):
            continue
        if isinstance(value, Record):
            yield from leaves(value, f"{where}.")
        elif isinstance(value, tuple) and any(isinstance(part, Record) for part in value):
            if not holds_items:
                for position, part in enumerate(value, start=1):
                    label = getattr(part, "code", position)
                    yield from leaves(part, f"{where}.{label}.")
        elif isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
            for name, part in value.items():
                yield f"{where}.{name}", part
        else:
            yield where, value


def wordings(instrument: Instrument) -> Iterator[tuple[Record, str, str, str]]:
    """Every wording of every text, as (record, field, language, wording)."""
    for record in records(instrument):
        for where, value in leaves(record):
            if isinstance(value, dict):
                for language, wording in value.items():
                    yield record, f"{where}.{language}", language, wording


def repeated[T](values: Iterable[T]) -> list[T]:
    """The values that occur more than once, each once."""
    return [value for value, count in Counter(values).items() if count > 1]


def excerpt(text: str, place: int) -> str:
    """A few characters around a place of a text."""
    return text[max(0, place - 20) : place + 12]


# Texts


def main_language(instrument: Instrument) -> Breaches:
    """The main language is among the declared ones, and each has a language code."""
    if MAIN_LANGUAGE not in instrument.languages:
        yield breach(instrument, "languages", "main-language", language=MAIN_LANGUAGE)
    for language in instrument.languages:
        if not LANGUAGE.fullmatch(language):
            yield breach(instrument, "languages", "language-code", language=language)


def complete_texts(instrument: Instrument) -> Breaches:
    """Every text stands in every declared language, and in no other."""
    declared = dict.fromkeys((*instrument.languages, MAIN_LANGUAGE))
    for record in records(instrument):
        for where, value in leaves(record):
            if isinstance(value, dict):
                for language in declared:
                    if language not in value:
                        yield breach(record, f"{where}.{language}", "missing-language")
                for language in value:
                    if language not in declared:
                        yield breach(record, f"{where}.{language}", "undeclared-language")


def filled(instrument: Instrument) -> Breaches:
    """No wording and no plain string is blank, and no list that must name something is empty."""
    for record in records(instrument):
        for where, value in leaves(record):
            if isinstance(value, str) and not value.strip():
                yield breach(record, where, "empty")
    for record, where, _, wording in wordings(instrument):
        if not wording.strip():
            yield breach(record, where, "empty")
    for name in ("authors", "forms", "languages", "domains", "sub_competencies"):
        if not getattr(instrument, name):
            yield breach(instrument, name, "empty")


UNTIDY = re.compile(r"^\s+(?=\S)|[^\S\xa0]{2}|[^\S\xa0 ]|(?<=\S)\s+$")


MARKUP = re.compile(r"<[A-Za-z/!?]|&(?:#[0-9xX][0-9a-fA-F]*|[a-z]{2,}[0-9]*);")


def plain_texts(instrument: Instrument) -> Breaches:
    """A text is shown as it is written: no tag, no character entity."""
    for record in records(instrument):
        for where, value in leaves(record):
            for place, written in strings(value, where):
                if tag := MARKUP.search(written):
                    yield breach(record, place, "markup", excerpt=excerpt(written, tag.start()))


def strings(value: object, where: str) -> Iterator[tuple[str, str]]:
    """The strings that a value holds, with their places."""
    match value:
        case str():
            yield where, value
        case dict():
            yield from ((f"{where}.{key}", text) for key, text in value.items())
        case tuple():
            yield from ((where, text) for text in value if isinstance(text, str))


def tidy_texts(instrument: Instrument) -> Breaches:
    """A text is one paragraph, with single spaces and none at its ends."""
    for record, where, _, wording in wordings(instrument):
        if untidy := UNTIDY.search(wording.replace("\u202f", "\xa0")):
            yield breach(record, where, "spacing", excerpt=excerpt(wording, untidy.start()))


FRENCH = {
    "space-before": re.compile("(?<![\xa0\u202f?!])[:;?!»%]"),
    "space-after": re.compile("«(?![\xa0\u202f])"),
    "narrow-space": re.compile("\u202f"),
    "apostrophe": re.compile("'"),
}
NOT_FRENCH = re.compile(r"https?://\S+|\b10\.[0-9]{4,9}/\S+|(?<=[0-9]):(?=[0-9])")
"""Addresses, DOIs, times and ratios keep their own punctuation."""


def french_typography(instrument: Instrument) -> Breaches:
    """No-break spaces around high punctuation, and typographic apostrophes, in French."""
    for record, where, language, wording in wordings(instrument):
        if language.partition("-")[0] != "fr":
            continue
        french = NOT_FRENCH.sub(lambda found: "x" * len(found[0]), wording)
        for rule, pattern in FRENCH.items():
            if wrong := pattern.search(french):
                yield breach(
                    record, where, rule, mark=wrong[0], excerpt=excerpt(wording, wrong.start())
                )


def word_count(wording: str) -> int:
    """Words between spaces; a punctuation mark that stands alone is not one."""
    return sum(any(map(str.isalnum, word)) for word in wording.split())


def bounded_texts(instrument: Instrument) -> Breaches:
    """Stems, options and explanations are short enough for the time they are given."""
    for scenario in instrument.scenarios:
        for where, text, limit in (
            ("stem", scenario.stem, STEM_WORDS),
            *((f"options.{opt.code}.text", opt.text, OPTION_WORDS) for opt in scenario.options),
            ("explanation", scenario.explanation, EXPLANATION_WORDS),
            *variant_texts(scenario),
        ):
            for language, wording in text.items():
                if (found := word_count(wording)) > limit:
                    yield breach(
                        scenario, f"{where}.{language}", "too-long", found=found, limit=limit
                    )


def variant_texts(scenario: Scenario) -> Iterator[tuple[str, Text, int]]:
    """The texts of a scenario's variants, with their place and the most words they may have."""
    for number, variant in enumerate(scenario.variants, start=1):
        if variant.stem is not None:
            yield f"variants.{number}.stem", variant.stem, STEM_WORDS
        for code, text in (variant.options or {}).items():
            yield f"variants.{number}.options.{code}", text, OPTION_WORDS


# Codes and references


def is_code(code: str) -> bool:
    return len(code) <= CODE_LENGTH and CODE.fullmatch(code) is not None


def code_syntax(instrument: Instrument) -> Breaches:
    """Codes are short and safe to write in addresses, files and columns."""
    for record in records(instrument):
        code = getattr(record, "code", None)
        if code is not None and not is_code(code):
            yield breach(record, "code", "code", code=code)
    for question in instrument.context:
        for option in question.options:
            if not is_code(option.code):
                yield breach(question, f"options.{option.code}", "code", code=option.code)
    for where, codes in (("version", (instrument.version,)), ("forms", instrument.forms)):
        for code in codes:
            if not is_code(code):
                yield breach(instrument, where, "code", code=code)
    if len(instrument.version) > VERSION_LENGTH:
        yield breach(instrument, "version", "version-length", limit=VERSION_LENGTH)


def unique_codes(instrument: Instrument) -> Breaches:
    """A code names one record of its list, over all files."""
    lists: tuple[tuple[Record, ...], ...] = (
        instrument.self_rating_scale,
        instrument.confidence_scale,
        instrument.context,
        instrument.domains,
        instrument.sub_competencies,
        instrument.self_ratings,
        instrument.scenarios,
        instrument.next_steps,
        instrument.sources,
        instrument.strategy.entries,
        instrument.strategy.elements,
    )
    for group in lists:
        seen = set()
        for record in group:
            code = getattr(record, "code")  # noqa: B009 - a record of these lists has a code
            if code in seen:
                yield breach(record, "code", "duplicate-code", code=code)
            seen.add(code)
    for question in instrument.context:
        for code in repeated(option.code for option in question.options):
            yield breach(question, "options", "duplicate-code", code=code)


def no_repeats(instrument: Instrument) -> Breaches:
    """A list of codes names each once."""
    for record in records(instrument):
        for where, value in leaves(record):
            if isinstance(value, tuple):
                for code in repeated(value):
                    yield breach(record, where, "repeated", code=code)


def telling_codes(instrument: Instrument) -> Breaches:
    """Codes of scenarios, steps and options say what they belong to."""
    known = by_code(instrument.sub_competencies)
    for scenario in instrument.scenarios:
        sub, hyphen, serial = scenario.code.rpartition("-")
        if scenario.sub_competency in known and not (
            sub == scenario.sub_competency and hyphen and SERIAL.fullmatch(serial)
        ):
            yield breach(scenario, "code", "scenario-code", sub_competency=scenario.sub_competency)
        expected = tuple(ascii_lowercase[: len(scenario.options)])
        if tuple(option.code for option in scenario.options) != expected:
            yield breach(scenario, "options", "option-codes", expected=", ".join(expected))
    for step in instrument.next_steps:
        prefix = f"{step.sub_competency}-{step.kind}-"
        if step.sub_competency in known and not (
            step.code.startswith(prefix) and WORDS.fullmatch(step.code.removeprefix(prefix))
        ):
            yield breach(step, "code", "step-code", prefix=prefix)


def known_sub_competencies(instrument: Instrument) -> Breaches:
    """Domains and sub-competencies that are named exist."""
    domains = by_code(instrument.domains)
    for sub in instrument.sub_competencies:
        if sub.domain not in domains:
            yield breach(sub, "domain", "unknown-domain", code=sub.domain)
    known = by_code(instrument.sub_competencies)
    named: tuple[SelfRating | Scenario | NextStep, ...] = (
        *instrument.self_ratings,
        *instrument.scenarios,
        *instrument.next_steps,
    )
    for record in named:
        if record.sub_competency not in known:
            yield breach(
                record, "sub_competency", "unknown-sub-competency", code=record.sub_competency
            )
    for element in instrument.strategy.elements:
        for code in element.sub_competencies:
            if code not in known:
                yield breach(element, "sub_competencies", "unknown-sub-competency", code=code)


def known_forms(instrument: Instrument) -> Breaches:
    """A scenario is served only in declared forms."""
    for scenario in instrument.scenarios:
        for form in scenario.forms:
            if form not in instrument.forms:
                yield breach(scenario, "forms", "unknown-form", code=form)


def references(instrument: Instrument) -> Iterator[tuple[Record, str]]:
    """Every reference to a source, with the record that makes it."""
    referring: tuple[Scenario | NextStep | StrategyEntry | StrategyElement, ...] = (
        *instrument.scenarios,
        *instrument.next_steps,
        *instrument.strategy.entries,
        *instrument.strategy.elements,
    )
    for record in referring:
        for code in record.sources:
            yield record, code


def known_sources(instrument: Instrument) -> Breaches:
    """A source that is named exists."""
    known = by_code(instrument.sources)
    for record, code in references(instrument):
        if code not in known:
            yield breach(record, "sources", "unknown-source", code=code)


def known_strategy(instrument: Instrument) -> Breaches:
    """Goals, priorities and pillars that are named exist in the strategy, and are such."""
    known = {(entry.kind, entry.code) for entry in instrument.strategy.entries}
    named: list[tuple[Record, str, str, str]] = [
        (domain, "goal", "goal", domain.goal) for domain in instrument.domains
    ]
    for sub in instrument.sub_competencies:
        named += [(sub, "goals", "goal", code) for code in sub.goals]
        named += [(sub, "priorities", "priority", code) for code in sub.priorities]
        named += [(sub, "pillars", "pillar", code) for code in sub.pillars]
    for record, where, kind, code in named:
        if (kind, code) not in known:
            yield breach(record, where, "unknown-strategy-entry", kind=kind, code=code)


def known_context(instrument: Instrument) -> Breaches:
    """Professions and settings named are answers to the questions of these names."""
    answers = {
        question.code: {option.code for option in question.options}
        for question in instrument.context
    }
    for step in instrument.next_steps:
        for where, question, codes in (
            ("professions", "profession", step.professions),
            ("settings", "setting", step.settings),
        ):
            for code in codes:
                if code not in answers.get(question, ()):
                    yield breach(step, where, "unknown-context", code=code, question=question)
    for scenario in instrument.scenarios:
        for number, variant in enumerate(scenario.variants, start=1):
            for code in variant.professions:
                if code not in answers.get("profession", ()):
                    yield breach(
                        scenario,
                        f"variants.{number}.professions",
                        "unknown-context",
                        code=code,
                        question="profession",
                    )


# Blueprint


def blueprint(instrument: Instrument) -> Breaches:
    """Each form has exactly the scenarios the blueprint asks for, eight in each domain."""
    found = Counter(
        (form, scenario.sub_competency)
        for scenario in instrument.scenarios
        for form in scenario.forms
    )
    for sub in instrument.sub_competencies:
        for form in instrument.forms:
            if (count := found[form, sub.code]) != sub.scenarios:
                yield breach(
                    sub, "scenarios", "blueprint", form=form, found=count, expected=sub.scenarios
                )
    for domain in instrument.domains:
        asked = sum(sub.scenarios for sub in instrument.sub_competencies_of(domain.code))
        if asked != SCENARIOS_PER_DOMAIN:
            yield breach(
                domain,
                "sub_competencies",
                "domain-scenarios",
                found=asked,
                expected=SCENARIOS_PER_DOMAIN,
            )


def one_self_rating(instrument: Instrument) -> Breaches:
    """Each sub-competency has exactly one self-rating."""
    found = Counter(item.sub_competency for item in instrument.self_ratings)
    for sub in instrument.sub_competencies:
        if found[sub.code] != 1:
            yield breach(sub, "self_ratings", "self-rating-count", found=found[sub.code])


def is_open(step: NextStep) -> bool:
    """Whether a step is meant for everybody."""
    return not step.professions and not step.settings


def enough_steps(instrument: Instrument) -> Breaches:
    """Each sub-competency has two steps or more: an open one at work, one training at most."""
    for sub in instrument.sub_competencies:
        steps = [step for step in instrument.next_steps if step.sub_competency == sub.code]
        trainings = sum(step.kind == "training" for step in steps)
        if len(steps) < STEPS_PER_SUB_COMPETENCY:
            yield breach(
                sub, "next_steps", "step-count", found=len(steps), expected=STEPS_PER_SUB_COMPETENCY
            )
        if not any(step.kind == "ward" and is_open(step) for step in steps):
            yield breach(sub, "next_steps", "open-ward-step")
        if trainings > 1:
            yield breach(sub, "next_steps", "training-count", found=trainings)


def goals_served(instrument: Instrument) -> Breaches:
    """Every goal of the strategy is served by a sub-competency."""
    served = {goal for sub in instrument.sub_competencies for goal in sub.goals}
    for entry in instrument.strategy.entries:
        if entry.kind == "goal" and entry.code not in served:
            yield breach(entry, "code", "goal-unserved")


# Keys


def graded_options(instrument: Instrument) -> Breaches:
    """Four options: one best, at most one acceptable, at least one wrong."""
    for scenario in instrument.scenarios:
        credits_ = [option.credit for option in scenario.options]
        if len(credits_) != OPTIONS:
            yield breach(scenario, "options", "option-count", found=len(credits_), expected=OPTIONS)
        for option in scenario.options:
            if option.credit not in CREDITS:
                yield breach(
                    scenario, f"options.{option.code}.credit", "credit", found=option.credit
                )
        if (best := credits_.count(1)) != 1:
            yield breach(scenario, "options", "one-best", found=best)
        if (acceptable := credits_.count(0.5)) > 1:
            yield breach(scenario, "options", "one-acceptable", found=acceptable)
        if 0 not in credits_:
            yield breach(scenario, "options", "one-wrong")


def unsafe_options(instrument: Instrument) -> Breaches:
    """At most one option is unsafe, and it earns nothing."""
    for scenario in instrument.scenarios:
        unsafe = [option for option in scenario.options if option.unsafe]
        for option in unsafe:
            if option.credit:
                yield breach(scenario, f"options.{option.code}.unsafe", "unsafe-credit")
        if len(unsafe) > 1:
            yield breach(scenario, "options", "one-unsafe", found=len(unsafe))


def variants(instrument: Instrument) -> Breaches:
    """A variant words something otherwise, for professions that no other variant is for."""
    for scenario in instrument.scenarios:
        options = by_code(scenario.options)
        for number, variant in enumerate(scenario.variants, start=1):
            where = f"variants.{number}"
            if not variant.professions:
                yield breach(scenario, f"{where}.professions", "empty")
            if variant.stem is None and not variant.options:
                yield breach(scenario, where, "empty")
            for code in variant.options or ():
                if code not in options:
                    yield breach(scenario, f"{where}.options", "unknown-option", code=code)
        named = [code for variant in scenario.variants for code in variant.professions]
        for code in repeated(named):
            yield breach(scenario, "variants", "repeated", code=code)


# Sources and dates


def known_of(instrument: Instrument, scenario: Scenario) -> list[Source]:
    """The sources of a scenario, without those that do not exist."""
    known = by_code(instrument.sources)
    return [known[code] for code in scenario.sources if code in known]


def carried_keys(instrument: Instrument) -> Breaches:
    """The key of a scenario rests on a source that was read, not on hearsay or memory."""
    for scenario in instrument.scenarios:
        readings = (source.reading for source in known_of(instrument, scenario))
        if not any(reading in KEY_READINGS for reading in readings):
            yield breach(scenario, "sources", "key-source")


def used_sources(instrument: Instrument) -> Breaches:
    """A source is there because something refers to it."""
    used = {code for _, code in references(instrument)}
    for source in instrument.sources:
        if source.code not in used:
            yield breach(source, "code", "unused-source")


def source_addresses(instrument: Instrument) -> Breaches:
    """DOIs are bare and addresses are https."""
    for source in instrument.sources:
        if source.doi is not None and not DOI.fullmatch(source.doi):
            yield breach(source, "doi", "doi", found=source.doi)
        if source.url is not None and not URL.fullmatch(source.url):
            yield breach(source, "url", "url", found=source.url)


def sourced(instrument: Instrument) -> Breaches:
    """What one is sent to read, and what is said of the strategy, names its source."""
    for step in instrument.next_steps:
        if step.kind == "resource" and not step.sources:
            yield breach(step, "sources", "no-source")
    for record, sources in (
        *((entry, entry.sources) for entry in instrument.strategy.entries),
        *((element, element.sources) for element in instrument.strategy.elements),
    ):
        if not sources:
            yield breach(record, "sources", "no-source")


def review_dates(instrument: Instrument) -> Breaches:
    """An item is read again in time: law within six months, science within two years."""
    for scenario in instrument.scenarios:
        life, limit = scenario.review_by - scenario.valid_from, SHELF_LIFE[scenario.nature]
        if life <= timedelta():
            yield breach(scenario, "review_by", "review-order")
        if life > limit:
            yield breach(
                scenario,
                "review_by",
                "shelf-life",
                found=life.days,
                limit=limit.days,
                nature=scenario.nature,
            )
        for source in known_of(instrument, scenario):
            if source.read_on > scenario.review_by:
                yield breach(scenario, "sources", "read-after-review", code=source.code)


# Scales and limits


def scales(instrument: Instrument) -> Breaches:
    """Five self-rating points; confidence levels that rise from a guess towards certainty."""
    if (points := len(instrument.self_rating_scale)) != SELF_RATING_POINTS:
        yield breach(
            instrument,
            "self_rating_scale",
            "self-rating-scale",
            found=points,
            expected=SELF_RATING_POINTS,
        )
    levels = instrument.confidence_scale
    if len(levels) < 2:
        yield breach(instrument, "confidence_scale", "confidence-count", found=len(levels))
    for level in levels:
        if not 0 < level.probability < 1:
            yield breach(level, "probability", "confidence-range")
    for before, level in pairwise(levels):
        if level.probability <= before.probability:
            yield breach(level, "probability", "confidence-order")
    if levels and levels[0].probability > DONT_KNOW_CONFIDENCE:
        yield breach(levels[0], "probability", "confidence-first", limit=DONT_KNOW_CONFIDENCE)


def cut_scores(instrument: Instrument) -> Breaches:
    """The cuts part the scale in three."""
    if not 0 < instrument.cuts.operational < instrument.cuts.expert < 100:
        yield breach(instrument, "cuts", "cuts")


def panel(instrument: Instrument) -> Breaches:
    """Cuts stop being provisional with a panel, of enough judges and with its errors; not else."""
    cuts = instrument.cuts
    if cuts.provisional == (cuts.panel is not None):
        yield breach(instrument, "cuts.panel", "cuts-panel")
    if cuts.panel is None:
        return
    if (found := cuts.panel.judges) < PANEL_JUDGES:
        yield breach(
            instrument, "cuts.panel.judges", "panel-judges", found=found, expected=PANEL_JUDGES
        )
    for name in ("operational_error", "expert_error"):
        if not 0 <= getattr(cuts.panel, name) <= 50:
            yield breach(instrument, f"cuts.panel.{name}", "panel-error")


def three_levels(instrument: Instrument) -> Breaches:
    """Each domain words its three levels."""
    for domain in instrument.domains:
        if tuple(level.level for level in domain.levels) != LEVELS:
            yield breach(domain, "levels", "levels")


def context_options(instrument: Instrument) -> Breaches:
    """The answer to a context question fits in a byte."""
    for question in instrument.context:
        limit = MULTIPLE_OPTIONS if question.multiple else SINGLE_OPTIONS
        if not 2 <= len(question.options) <= limit:
            yield breach(
                question, "options", "context-options", found=len(question.options), limit=limit
            )


def plans(instrument: Instrument) -> Breaches:
    """A plan's fragments complete its sentence, and what it asks for is within reach."""
    for step in instrument.next_steps:
        for where, value, rule, (least, most) in (
            ("minutes", step.minutes, "minutes", STEP_MINUTES),
            ("plan.within_days", step.plan.within_days, "within-days", PLAN_DAYS),
        ):
            if not least <= value <= most:
                yield breach(step, where, rule, least=least, most=most)
        for where, text in (
            ("plan.when", step.plan.when),
            ("plan.will", step.plan.will),
            ("plan.together_with", step.plan.together_with),
        ):
            for language, wording in text.items():
                if opens_with_capital(wording):
                    yield breach(step, f"{where}.{language}", "plan-capital")
                if wording.rstrip().endswith((".", "…", ",", ";", ":", "!", "?")):
                    yield breach(step, f"{where}.{language}", "plan-stop")


def opens_with_capital(wording: str) -> bool:
    """Whether the first word has a capital that is neither an acronym's nor the English "I"."""
    first = re.match(r"[^\W\d_]+", wording)
    if first is None or first[0] == "I":
        return False
    word = first[0]
    return word[0].isupper() and (len(word) == 1 or not word.isupper())


RULES: tuple[Rule, ...] = (
    main_language,
    complete_texts,
    filled,
    plain_texts,
    tidy_texts,
    french_typography,
    bounded_texts,
    code_syntax,
    unique_codes,
    no_repeats,
    telling_codes,
    known_sub_competencies,
    known_forms,
    known_sources,
    known_strategy,
    known_context,
    blueprint,
    one_self_rating,
    enough_steps,
    goals_served,
    graded_options,
    unsafe_options,
    variants,
    carried_keys,
    used_sources,
    source_addresses,
    sourced,
    review_dates,
    scales,
    cut_scores,
    panel,
    three_levels,
    context_options,
    plans,
)
