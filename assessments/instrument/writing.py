"""From an :class:`Instrument` to the folder of YAML files it is written as, and to an archive.

What :mod:`.loading` reads back is the very same instrument. A text is laid out for people: on one
line where it fits, else folded; what a reader of YAML might take for something else is quoted, by
the rules of YAML 1.1 and of 1.2. What is left at its default is left out. Comments are no part of
an instrument, and are not kept.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec
import yaml

from .document import Instrument, NextStep, Record, Scenario, Source, digest
from .loading import FOLDERS, HEADER, SINGLE_FILES, fields_of, plain

WIDTH = 100
"""Columns of a line, where its words allow it."""
STEP = "  "

BARE = re.compile(r"[A-Za-z][\w.+/-]*(?: [\w.+/-]+)*|10\.[0-9]{4,9}/[\w./()-]+", re.ASCII)
"""Texts that need no quotes: codes, names, DOIs."""
ADDRESS = re.compile(r"https://[\w./?=&%~+-]+", re.ASCII)
RESOLVED = {
    first: [pattern for _, pattern in patterns]
    for first, patterns in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
"""What YAML 1.1 takes for something else than a text (``no``, ``on``), by first character."""
FOLDABLE = re.compile(r"[^\s\xa0]+(?:[ \xa0]?[^\s\xa0]+)*")
"""One paragraph of words with single spaces between them, which folding keeps as it is."""


def dumps(instrument: Instrument) -> dict[str, str]:
    """The contents of the files of an instrument, by their names in its folder."""
    files = {"instrument.yaml": _mapping(_shown(instrument, HEADER))}
    for name in SINGLE_FILES:
        value = getattr(instrument, name)
        files[f"{name}.yaml"] = (
            _mapping(_shown(value, fields_of(type(value))))
            if isinstance(value, Record)
            else _items(value)
        )
    folders: Mapping[str, Mapping[str, Sequence[Record]]] = {
        "scenarios": _by_domain(instrument, instrument.scenarios),
        "next_steps": _by_domain(instrument, instrument.next_steps),
        "sources": _by_first_use(instrument),
    }
    for folder in FOLDERS:
        files |= {f"{folder}/{name}": _items(each) for name, each in folders[folder].items()}
    return files


def archive(instrument: Instrument) -> bytes:
    """The folder as a ZIP archive, with a note of what it is. No clock enters: one instrument
    has one archive, as long as zlib compresses alike."""
    top = f"{instrument.code}-{instrument.version}"
    files = {"README.txt": _note(instrument), **dumps(instrument)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{top}/{name}")  # of the first date that the format knows
            entry.create_system = 3  # Unix, whatever it is written on
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, files[name].encode(), compresslevel=9)
    return buffer.getvalue()


def _note(instrument: Instrument) -> str:
    titles = "\n".join(instrument.title[language] for language in instrument.languages)
    return (
        f"{titles}\n\n"
        f"Instrument: {instrument.code} {instrument.version}\n"
        f"Authors: {', '.join(instrument.authors)}\n"
        f"Licence: {instrument.licence}\n"
        f"SHA-256 of the instrument: {digest(instrument)}\n\n"
        "These files hold the key: which option is best, and why.\n"
        "Readiness reads them back: manage.py load_instrument <this folder>\n"
    )


# Which file an item stands in

STRATEGY = "strategy.yaml"
"""The file of the sources that only the strategy refers to."""


def _file_of(instrument: Instrument) -> Callable[[Scenario | NextStep], str]:
    """The file of an item: that of its domain."""
    domains = {sub.code: sub.domain for sub in instrument.sub_competencies}
    return lambda item: f"{domains[item.sub_competency].lower()}.yaml"


def _by_domain(
    instrument: Instrument, items: Sequence[Scenario | NextStep]
) -> Mapping[str, Sequence[Record]]:
    """A file for each domain, or one for all where those would not keep the order of the items,
    which is that of the files' names and then of their lines."""
    runs = [(name, list(run)) for name, run in groupby(items, _file_of(instrument))]
    names = [name for name, _ in runs]
    return dict(runs) if names == sorted(set(names)) else {"all.yaml": items}


def _by_first_use(instrument: Instrument) -> dict[str, list[Source]]:
    """Sources with the first domain that refers to them, or with the source before where that
    file comes later: the order of the files' names keeps theirs."""
    file_of = _file_of(instrument)
    first: dict[str, str] = {}
    items: tuple[Scenario | NextStep, ...] = (*instrument.scenarios, *instrument.next_steps)
    for item in sorted(items, key=file_of):
        for code in item.sources:
            first.setdefault(code, file_of(item))
    files: dict[str, list[Source]] = {}
    latest = ""
    for source in instrument.sources:
        latest = max(latest, first.get(source.code, STRATEGY))
        files.setdefault(latest, []).append(source)
    return files


# YAML


def _shown(record: Record, fields: Iterable[msgspec.structs.FieldInfo]) -> dict[str, Any]:
    """The fields that a file tells, by name, in the order of the type."""
    values = {field.name: (getattr(record, field.name), field) for field in fields}
    return {
        name: value
        for name, (value, field) in values.items()
        if field.required or value != field.default
    }


def _items(records: Iterable[Record]) -> str:
    """A file of a list, an empty line between its items."""
    return "\n".join("".join(_item(record, "")) for record in records) or "[]\n"


def _mapping(values: Mapping[str, Any]) -> str:
    """A file of one mapping, an empty line around what takes several."""
    written = ["".join(_field(name, value, "")) for name, value in values.items()]
    file = ""
    for before, text in zip(["", *written], written, strict=False):
        apart = before and max(before.count("\n"), text.count("\n")) > 1
        file += f"\n{text}" if apart else text
    return file


def _field(name: str, value: Any, indent: str) -> list[str]:
    """The lines of a key and its value."""
    start = f"{indent}{_scalar(name)}:"
    line = _flow(value)
    if line is not None and fits(f"{start} {line}"):
        return [f"{start} {line}\n"]
    deeper = indent + STEP
    match value:
        case Record():
            value = _shown(value, fields_of(type(value)))
            return [f"{start}\n", *_block(value, deeper)]
        case dict():
            return [f"{start}\n", *_wordings(value, deeper)]
        case tuple():
            lines = [line for item in value for line in _item(item, deeper)]
            return [f"{start}\n", *lines]
        case str() if _is_foldable(value):
            return [f"{start} >-\n", *_folded(value, deeper)]
    return [f"{start} {line}\n"]


def _block(values: Mapping[str, Any], indent: str) -> list[str]:
    return [line for name, value in values.items() for line in _field(name, value, indent)]


def _wordings(text: Mapping[str, Any], indent: str) -> list[str]:
    """The lines of a text, a language each; or of the texts of several options."""
    lines: list[str] = []
    for key, value in text.items():
        start = f"{indent}{_scalar(key)}:"
        if isinstance(value, str) and fits(line := f"{start} {_quoted(value)}"):
            lines.append(f"{line}\n")
        else:
            lines += _field(key, value, indent)
    return lines


def _item(value: Any, indent: str) -> list[str]:
    """The lines of one item of a list."""
    if isinstance(value, Record):
        first, *others = _block(_shown(value, fields_of(type(value))), indent + STEP)
        return [f"{indent}- {first.removeprefix(indent + STEP)}", *others]
    return [f"{indent}- {_scalar(value)}\n"]


def _is_foldable(text: str) -> bool:
    """Whether folding makes lines shorter, and unfolding gives back the very same text."""
    return " " in text and FOLDABLE.fullmatch(text) is not None and all(map(_is_legible, text))


def _folded(text: str, indent: str) -> list[str]:
    lines: list[str] = []
    for word in text.split(" "):
        if lines and fits(longer := f"{lines[-1]} {word}"):
            lines[-1] = longer
        else:
            lines.append(indent + word)
    return [f"{line}\n" for line in lines]


def fits(line: str) -> bool:
    return len(line) <= WIDTH


def _flow(value: Any) -> str | None:
    """A value on one line, or None where it takes several."""
    match value:
        case Record():
            return None
        case tuple():
            if any(isinstance(item, Record) for item in value):
                return None
            return f"[{', '.join(map(_scalar, value))}]"
        case dict():
            if any(isinstance(item, dict) for item in value.values()):
                return None
            pairs = (f"{_scalar(key)}: {_quoted(each)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
    return _scalar(value)


def _scalar(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return _number(value)
        case date():
            return value.isoformat()
        case str():
            return value if _is_bare(value) else _quoted(value)
    raise TypeError(value)


def _number(value: float) -> str:
    """A decimal number without exponent, a whole one without decimals."""
    if value.is_integer() and str(value) != "-0.0":
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def _is_bare(text: str) -> bool:
    """Whether a text needs no quotes, for our loader and for any other reader of YAML."""
    return (
        (BARE.fullmatch(text) is not None or ADDRESS.fullmatch(text) is not None)
        and isinstance(plain(text), str)
        and not any(pattern.match(text) for pattern in RESOLVED.get(text[0], ()))
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(char if _is_legible(char) else _escape(char) for char in escaped)}"'


def _is_legible(char: str) -> bool:
    """Whether a character may stand as it is: one that is seen, a space or a no-break space."""
    return char.isprintable() or char == "\xa0"


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
