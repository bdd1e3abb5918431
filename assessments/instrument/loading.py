"""From a folder of YAML files to an :class:`Instrument`, whole or not at all.

Three stages, each collecting all it finds before the next begins: the files are read as strict
YAML, their values are given the types of :mod:`.document`, and :mod:`.rules` is checked.

======================  ==========================================================
``instrument.yaml``     one mapping: every field of ``Instrument`` but those below
``self_ratings.yaml``   a list of ``SelfRating``
``strategy.yaml``       one ``Strategy`` mapping
``scenarios/*.yaml``    lists of ``Scenario``, taken in the order of the file names
``next_steps/*.yaml``   lists of ``NextStep``
``sources/*.yaml``      lists of ``Source``
======================  ==========================================================

Any other YAML file is refused; files of other kinds (``README.md``, ``LICENSE``) are ignored.
``instrument.yaml`` may also hold other parts, or all of them, under the names of the fields of
``Instrument``; a part stands in one place only.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path, PurePosixPath
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import yaml

from .document import Instrument, Record, Strategy
from .rules import MOST_FINDINGS, WHOLE, Finding, check

MAX_BYTES = 2_000_000
"""The largest file that is read."""
MAX_DEPTH = 12
"""The deepest nesting of YAML that is read; an instrument needs half of it."""
MAX_TEXT = 4_000
"""The most characters of a text, a number or a key; an explanation has some seven hundred."""
MAX_VALUES = 60_000
"""The most values of all files together, keys among them; ours have a fifth of it."""


class InstrumentError(ValueError):
    """An instrument is refused: ``findings`` says where and why, and is never empty."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings)
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(finding.render() for finding in self.findings)


def load(folder: Path) -> Instrument:
    """The instrument written in a folder; :class:`InstrumentError` if it breaks any rule."""
    files: dict[str, bytes] = {}
    unreadable = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if is_yaml(name) and path.is_file():
            try:
                with path.open("rb") as file:
                    files[name] = file.read(MAX_BYTES + 1)
            except OSError:
                unreadable.append(Finding(name, "", "", "unreadable"))
    if unreadable:
        raise InstrumentError(tuple(unreadable))
    return loads(files)


def loads(files: Mapping[str, str | bytes]) -> Instrument:
    """The instrument of the contents of files, by their names in its folder.

    Raises :class:`InstrumentError`, and nothing else, whatever the files hold.
    """
    names = sorted(filter(is_yaml, files))
    findings: list[Finding] = []
    fields: dict[str, Any] = dict.fromkeys(FOLDERS, ())
    file_of: dict[int, str] = {}
    inside: tuple[str, ...] = ()
    places = iter(range(MAX_VALUES))
    for name in names:  # instrument.yaml before the files of the parts it may hold
        if len(findings) >= MOST_FINDINGS:
            break
        part = part_of(name)
        if part is None:
            findings.append(Finding(name, "", "", "unknown-file"))
            continue
        if part in inside:
            findings.append(Finding(name, "", "", "part-twice", {"part": part}))
            continue
        try:
            value = parse(files[name], places)
        except Refused as refused:
            findings.append(Finding(name, "", "", refused.rule, refused.params))
            if names == [WHOLE]:  # which may hold everything: nothing is known to be missing
                raise InstrumentError(tuple(findings)) from None
            if refused.rule == "values":
                break
            continue
        shape = Shape(name)
        if part == "instrument":
            inside = tuple(each for each in PARTS if isinstance(value, dict) and each in value)
            known = tuple(each for each in EVERY if each in HEADER or each.name in inside)
            fields |= shape.fields(value, known, "", "") or {}
        elif part in SINGLE_FILES:
            fields[part] = shape.convert(value, TYPES[part])
        else:
            records = shape.convert(value, TYPES[part]) or ()
            fields[part] += records
            file_of |= {id(record): name for record in records}
        findings += shape.findings
    findings[:0] = [
        Finding(f"{part}.yaml", "", "", "missing-file")
        for part in ("instrument", *SINGLE_FILES)
        if f"{part}.yaml" not in files and part not in inside
    ]
    if not findings:
        instrument = Instrument(**fields)
        file_of |= {id(record): WHOLE for part in inside for record in records_of(instrument, part)}
        findings += check(instrument, file_of)
    if findings:
        raise InstrumentError(tuple(findings))
    return instrument


# Files

fields_of = cache(msgspec.structs.fields)
TYPES: dict[str, Any] = {field.name: field.type for field in fields_of(Instrument)}
SINGLE_FILES = ("self_ratings", "strategy")
FOLDERS = ("scenarios", "next_steps", "sources")
PARTS = (*SINGLE_FILES, *FOLDERS)
EVERY = fields_of(Instrument)
HEADER = tuple(field for field in EVERY if field.name not in PARTS)


def records_of(instrument: Instrument, part: str) -> tuple[Record, ...]:
    """What a finding can name in a part of an instrument."""
    held = getattr(instrument, part)
    return (held, *held.entries, *held.elements) if isinstance(held, Strategy) else held


def is_yaml(name: str) -> bool:
    """Whether a file counts: hidden files and those of other kinds are left alone."""
    path = PurePosixPath(name)
    return path.suffix.lower() in (".yaml", ".yml") and not any(
        part.startswith(".") for part in path.parts
    )


def part_of(name: str) -> str | None:
    """The part of an instrument that a file holds, or None if it holds none."""
    match name.split("/"):
        case [file] if file.removesuffix(".yaml") in ("instrument", *SINGLE_FILES):
            return file.removesuffix(".yaml")
        case [folder, file] if folder in FOLDERS and file.endswith(".yaml"):
            return folder
    return None


# YAML

PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
    r"\ue000-\uf8ff\U000f0000-\U0010ffff]"
)
"""Characters that neither YAML, nor XML, nor every database can hold; those nobody sees, which turn
the direction of a text, hide in it, or make two texts look alike (Unicode TR 36); and those of
private use, of which nobody has agreed what they show."""


class Refused(Exception):
    """A file that is not the plain YAML an instrument is written in."""

    def __init__(self, rule: str, **params: object) -> None:
        super().__init__(rule, params)
        self.rule = rule
        self.params = params


def parse(content: str | bytes, places: Iterator[int] | None = None) -> object:
    """The plain value of a YAML document: mappings, lists, texts, numbers, booleans, dates, null.

    Strict: one document, no anchors, aliases or tags, no key twice, bounded size, depth, texts
    and number of values: each takes one of ``places``, which several documents may share.
    Only ``true`` and ``false`` are booleans (YAML 1.2), so that ``no`` stays a language.
    Raises :class:`Refused`.
    """
    try:
        raw = content.encode() if isinstance(content, str) else content
        if len(raw) > MAX_BYTES:
            raise Refused("too-large", limit=MAX_BYTES)
        text = raw.decode("utf-8-sig")
    except UnicodeError:
        raise Refused("encoding") from None
    refuse_control(text, 1)
    try:
        return Builder(
            yaml.parse(text, Loader=PARSER), places or iter(range(MAX_VALUES))
        ).document()
    except yaml.MarkedYAMLError as error:
        line = line_of(error.problem_mark or error.context_mark)
        raise Refused("syntax", line=line, problem=error.problem or error.context) from None
    except yaml.YAMLError as error:
        raise Refused("syntax", line=1, problem=str(error)) from None


def refuse_control(text: str, line: int) -> None:
    if control := CONTROL.search(text):
        line += text.count("\n", 0, control.start())
        raise Refused("character", line=line, character=f"U+{ord(control[0]):04X}")


class Builder:
    """Builds a plain value out of the events of a YAML parser, refusing what is not plain."""

    def __init__(self, events: Iterator[yaml.Event], places: Iterator[int]) -> None:
        self.events = events
        self.places = places

    def document(self) -> object:
        next(self.events)  # the start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events), depth=1)
        next(self.events)  # the end of the document
        if not isinstance(event := next(self.events), yaml.StreamEndEvent):
            raise Refused("documents", line=line_of(event.start_mark))
        return value

    def value(self, event: yaml.Event, depth: int) -> object:
        line = line_of(event.start_mark)
        if getattr(event, "anchor", None) is not None:  # an alias carries one too
            raise Refused("anchor", line=line)
        if getattr(event, "tag", None) is not None:
            raise Refused("tag", line=line)
        if next(self.places, None) is None:
            raise Refused("values", line=line, limit=MAX_VALUES)
        if isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MAX_TEXT:
                raise Refused("long-text", line=line, limit=MAX_TEXT)
            refuse_control(event.value, line)  # which an escape may have written
            return event.value if event.style else plain(event.value)
        if depth > MAX_DEPTH:
            raise Refused("depth", line=line, limit=MAX_DEPTH)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self.value(each, depth + 1) for each in self.until(yaml.SequenceEndEvent)]
        mapping: dict[str, object] = {}
        for key in self.until(yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                raise Refused("key", line=line_of(key.start_mark))
            self.value(key, depth + 1)
            if key.value in mapping:
                raise Refused("duplicate-key", line=line_of(key.start_mark), key=key.value)
            mapping[key.value] = self.value(next(self.events), depth + 1)
        return mapping

    def until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self.events), end):
            yield event


def line_of(mark: Any) -> int:
    """The line of a mark of the parser, counted from 1, which it leaves out here and there."""
    return mark.line + 1 if mark else 1


def plain(text: str) -> object:
    """What a scalar without quotes means."""
    match text:
        case "" | "~" | "null":
            return None
        case "true" | "false":
            return text == "true"
    if re.fullmatch(r"[-+]?[0-9]{1,15}", text):
        return int(text)
    if re.fullmatch(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}", text):
        return float(text)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:  # 2026-02-30 stays a text, and is refused where a date must stand
            return text
    return text


# Shape

LEAVES: dict[Any, str] = {
    str: "not-a-text",
    float: "not-a-number",
    int: "not-a-whole-number",
    bool: "not-true-or-false",
    date: "not-a-date",
}
"""The rule that a value breaks when it does not have the type of its field."""


class Shape:
    """Gives the values of one file the types of the document, and collects what does not fit.

    What it returns is of use only while ``findings`` is empty.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def report(self, item: str, field: str, rule: str, **params: object) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(self.file, item, field, rule, params))

    def convert(self, value: object, kind: Any, item: str = "", field: str = "") -> Any:
        """``value`` as ``kind``: a record, a tuple, a mapping of texts or a plain type."""
        if isinstance(kind, type) and issubclass(kind, Record):
            return self.record(value, kind, item, field)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (UnionType, Union):
            (some,) = (argument for argument in arguments if argument is not type(None))
            return None if value is None else self.convert(value, some, item, field)
        if origin is tuple:
            return self.sequence(value, arguments[0], item, field)
        if origin is dict:
            return self.mapping(value, arguments[1], item, field)
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            if origin is Literal:
                choices = ", ".join(map(str, arguments))
                self.report(item, field, "not-a-choice", choices=choices, found=shown(value))
            else:
                self.report(item, field, LEAVES[kind], found=shown(value))
            return None

    def record(self, value: object, kind: type[Record], item: str, field: str) -> Record | None:
        values = self.fields(value, fields_of(kind), item, field)
        return None if values is None else kind(**values)

    def fields(
        self, value: object, fields: tuple[msgspec.structs.FieldInfo, ...], item: str, field: str
    ) -> dict[str, Any] | None:
        """The values of the fields of a record, or None if it cannot be made."""
        if not isinstance(value, dict):
            self.report(item, field, "not-a-mapping", found=shown(value))
            return None
        names = {each.name: each for each in fields}
        for name in value:
            if name not in names:
                self.report(item, joined(field, name), "unknown-field")
        missing = [name for name, each in names.items() if each.required and name not in value]
        for name in missing:
            self.report(item, joined(field, name), "missing-field")
        values = {
            name: self.convert(value[name], each.type, item, joined(field, name))
            for name, each in names.items()
            if name in value
        }
        return None if missing else values

    def sequence(self, value: object, kind: Any, item: str, field: str) -> tuple[Any, ...] | None:
        if not isinstance(value, list):
            self.report(item, field, "not-a-list", found=shown(value))
            return None
        is_item = not item and isinstance(kind, type) and issubclass(kind, Record)
        values = []
        for position, each in enumerate(value, start=1):
            code = each.get("code") if isinstance(each, dict) else None
            label = joined(field, code if code and isinstance(code, str) else str(position))
            values.append(self.convert(each, kind, *((label, "") if is_item else (item, label))))
        return tuple(values)

    def mapping(self, value: object, kind: Any, item: str, field: str) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self.report(item, field, "not-a-mapping", found=shown(value))
            return None
        return {
            key: self.convert(each, kind, item, joined(field, key)) for key, each in value.items()
        }


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def shown(value: object) -> str:
    """A value in a message, in few characters, as it would stand in YAML."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return "[…]"
        case dict():
            return "{…}"
        case str():
            return f"“{value[:40]}…”" if len(value) > 40 else f"“{value}”"
    return str(value)
