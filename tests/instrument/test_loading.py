"""Reading the files: strict YAML, then the shape of the types; whole, or refused."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.instrument import loading
from assessments.instrument.document import Instrument
from assessments.instrument.loading import InstrumentError, Refused, load, loads, parse
from assessments.instrument.rules import MOST_FINDINGS

from .example import (
    Data,
    Place,
    add,
    broken,
    drop,
    example_data,
    example_files,
    example_instrument,
    findings_in,
    places,
    put,
    write,
)

SEEDS = Path(__file__).parents[2] / "seeds" / "ai-readiness"
INSTRUMENT = "instrument.yaml"
A = "scenarios/a.yaml"
STEPS = "next_steps/all.yaml"
STRATEGY = "strategy.yaml"


# Folders


def write_folder(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def test_a_folder_and_its_contents_are_the_same_instrument(tmp_path: Path) -> None:
    files = example_files()
    write_folder(tmp_path, files)
    encoded: dict[str, str | bytes] = {name: text.encode() for name, text in files.items()}
    assert load(tmp_path) == loads(encoded) == example_instrument()


def test_other_kinds_of_files_are_ignored(tmp_path: Path) -> None:
    others = {"README.md": "é", "LICENSE": "x: [", "scenarios/.a.yaml.swp": "", ".git/x.yaml": "["}
    write_folder(tmp_path, example_files() | others)
    (tmp_path / "folder.yaml").mkdir()
    assert load(tmp_path) == example_instrument()


def test_scenarios_stand_in_the_order_of_the_files() -> None:
    names = [scenario.code for scenario in example_instrument().scenarios]
    assert names[:2] == ["A1-1", "A2-1"]
    assert names[-1] == "C6-1"


@pytest.mark.parametrize(
    "name",
    [
        "scenario/a.yaml",
        "scenarios/a.yml",
        "scenarios/x/a.yaml",
        "forms.yaml",
        "Strategy.YAML",
        "./strategy.yaml",
    ],
)
def test_unknown_yaml_files_are_refused(name: str) -> None:
    assert places(example_files() | {name: "[]"}) == [(name, "", "", "unknown-file")]


@pytest.mark.parametrize("name", [INSTRUMENT, "self_ratings.yaml", STRATEGY])
def test_a_missing_file_is_named(name: str) -> None:
    files = example_files()
    del files[name]
    assert places(files) == [(name, "", "", "missing-file")]


def test_a_folder_that_is_not_there_misses_its_files(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError) as caught:
        load(tmp_path / "nowhere")
    assert {finding.rule for finding in caught.value.findings} == {"missing-file"}


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path, example_files())
    opened = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "a.yaml":
            raise PermissionError
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InstrumentError, match=r"^scenarios/a.yaml: the file cannot be read$"):
        load(tmp_path)


def test_a_large_file_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_BYTES", 100)
    write_folder(tmp_path, example_files())
    with pytest.raises(InstrumentError) as caught:
        load(tmp_path)
    assert {finding.rule for finding in caught.value.findings} == {"too-large"}


def test_the_error_shows_every_finding() -> None:
    files: dict[str, str | bytes] = {**example_files(), A: "x: 'y", STRATEGY: b"\xff"}
    with pytest.raises(InstrumentError) as caught:
        loads(files)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.findings) == 2
    assert lines[0].startswith("scenarios/a.yaml: line 1: not valid YAML (")
    assert lines[1] == "strategy.yaml: the file is not UTF-8 text"


def test_the_seeds_load() -> None:
    """The instrument that Readiness ships is valid; on failure, every finding is shown."""
    try:
        load(SEEDS)
    except InstrumentError as error:
        pytest.fail(f"{len(error.findings)} findings\n{error}", pytrace=False)


# One file

PARTS = {"self_ratings": "self_ratings.yaml", "strategy": "strategy.yaml"}
FOLDERS = ("scenarios", "next_steps", "sources")


def in_one(*changes: Any) -> Data:
    """The example as one mapping, after some breakages of its files."""
    data = example_data()
    for change in changes:
        change(data)
    whole = dict(data["instrument.yaml"])
    whole |= {part: data[name] for part, name in PARTS.items()}
    for folder in FOLDERS:
        files = sorted(name for name in data if name.startswith(f"{folder}/"))
        whole[folder] = [record for name in files for record in data[name]]
    return whole


def test_one_file_may_hold_the_whole() -> None:
    assert loads({INSTRUMENT: write(in_one())}) == loads(example_files())


def test_a_part_may_stand_in_the_file_of_the_instrument() -> None:
    data = example_data()
    data[INSTRUMENT]["strategy"] = data.pop(STRATEGY)
    assert loads({name: write(value) for name, value in data.items()}) == loads(example_files())


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (drop(A, "A1-1", "stem"), ("scenarios.A1-1", "stem", "missing-field")),
        (put(A, "A1-1", "stem", "en", " x"), ("scenarios.A1-1", "stem.en", "spacing")),
        (
            put("self_ratings.yaml", 0, "text", "en", " x"),
            ("self_ratings.A1-self", "text.en", "spacing"),
        ),
        (put(STRATEGY, "title", "en", " x"), ("strategy", "title.en", "spacing")),
        (
            put(STRATEGY, "elements", "guide", "state", "en", " x"),
            ("strategy.elements.guide", "state.en", "spacing"),
        ),
    ],
)
def test_in_one_file_a_finding_names_the_part(change: Any, place: tuple[str, ...]) -> None:
    assert places({INSTRUMENT: write(in_one(change))}) == [(INSTRUMENT, *place)]


def test_a_file_that_cannot_be_read_may_have_held_everything() -> None:
    assert places({INSTRUMENT: "a: *b"}) == [(INSTRUMENT, "", "", "anchor")]


# YAML

NOT_YAML: dict[str, tuple[str | bytes, str, int | None]] = {
    "latin-1": ("é".encode("latin-1"), "encoding", None),
    "a lone surrogate": ("\ud800", "encoding", None),
    "too large": ("#" * (loading.MAX_BYTES + 1), "too-large", None),
    "a null character": ("a: 1\nb: \0", "character", 2),
    "an escaped null character": ('a: 1\n\nb: "\\0"', "character", 3),
    "an escaped control character in a key": ('"\\a": 1', "character", 1),
    "a sign of private use": ("a: 1\nb: \ue000", "character", 2),
    "an escaped sign of private use": ('a: "\\ue001"', "character", 1),
    "a tab": ("a:\n\tb: 1", "syntax", 2),
    "an open quote": ("a: 'b", "syntax", 1),
    "an open list": ("a: [1, 2\nb: 3", "syntax", 2),
    "a colon in a text": ("a: b\nc: d: e", "syntax", 2),
    "a lost indentation": ("a:\n    b: 1\n  c: 2", "syntax", 3),
    "another version of YAML": ("%YAML 9.0\n---\na: 1", "syntax", 1),
    "two documents": ("a: 1\n---\nb: 2", "documents", 2),
    "an anchor": ("a: 1\nb: &x 1", "anchor", 2),
    "an alias": ("a: *x", "anchor", 1),
    "a merge": ("a: &x {b: 1}\nc:\n  <<: *x", "anchor", 1),
    "an anchored list": ("a: &x [1]", "anchor", 1),
    "a Python object": ("!!python/object/apply:os.system ['true']", "tag", 1),
    "a plain tag": ("a: !!str 1", "tag", 1),
    "a local tag": ("a: !include b.yaml", "tag", 1),
    "a set": ("!!set {a, b}", "tag", 1),
    "a tagged key": ("!!int 1: a", "tag", 1),
    "deep lists": ("[" * 100_000, "depth", 1),
    "deep mappings": ("".join(f"{' ' * n}a:\n" for n in range(20)), "depth", 13),
    "a long text": (f"a: 1\nb: {'x' * (loading.MAX_TEXT + 1)}", "long-text", 2),
    "a long key": (f"? {'x' * (loading.MAX_TEXT + 1)}\n: 1", "long-text", 1),
    "a million empty mappings": ("[" + "{}," * 600_000 + "]", "values", 1),
    "a list as a key": ("a: 1\n? [b]\n: c", "key", 2),
    "a key twice": ("a: 1\nb: 2\na: 3", "duplicate-key", 3),
    "a key twice, deep down": ("- a:\n    b: 1\n    'b': 2", "duplicate-key", 3),
}


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML: the one in C may be missing where the app is installed."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML without libyaml")
    monkeypatch.setattr(loading, "PARSER", getattr(yaml, request.param))


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize("case", NOT_YAML)
def test_refuses_what_is_not_plain_yaml(case: str) -> None:
    content, rule, line = NOT_YAML[case]
    with pytest.raises(Refused) as caught:
        parse(content)
    assert (caught.value.rule, caught.value.params.get("line")) == (rule, line)


@pytest.mark.parametrize("case", NOT_YAML)
def test_names_the_file_that_is_not_plain_yaml(case: str) -> None:
    content, rule, line = NOT_YAML[case]
    (finding,) = findings_in({**example_files(), A: content})
    assert (finding.file, finding.item, finding.field, finding.rule) == (A, "", "", rule)
    assert finding.params.get("line") == line


def test_all_files_together_hold_so_many_values() -> None:
    """Each may be small: an archive may hold three hundred."""
    part = "[[" + "1," * (loading.MAX_VALUES // 4) + "]]"
    files = {**example_files(), **{f"next_steps/{letter}.yaml": part for letter in "wxyz"}}
    assert [(each.file, each.rule) for each in findings_in(files)] == [
        *((f"next_steps/{letter}.yaml", "not-a-mapping") for letter in "wxy"),
        ("next_steps/z.yaml", "values"),
    ]


def test_findings_end_somewhere() -> None:
    """A few lines may break the rules a million times."""
    alone = findings_in({**example_files(), A: "[" + "{}," * 5_000 + "]"})
    assert len(alone) == MOST_FINDINGS
    many = put(INSTRUMENT, "languages", ["fr", "en", *(f"aa-{n}" for n in range(10_000))])
    assert len(findings_in(broken(many))) == MOST_FINDINGS


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", None),
        ("# nothing", None),
        ("#" * loading.MAX_BYTES, None),
        ("\ufeffa: 1", {"a": 1}),
        ("a: true", {"a": True}),
        ("[no, yes, on, off, True, null, ~]", ["no", "yes", "on", "off", "True", None, None]),
        ("a:", {"a": None}),
        ("[1, -2, 0.5, 1e3, 0x1F, 12:30, 1_000]", [1, -2, 0.5, "1e3", "0x1F", "12:30", "1_000"]),
        ("['1', \"true\", '2026-11-23']", ["1", "true", "2026-11-23"]),
        ("a: 2026-11-23", {"a": date(2026, 11, 23)}),
        ("[2026-02-30, 2026-1-1]", ["2026-02-30", "2026-1-1"]),
        ("9" * loading.MAX_TEXT, "9" * loading.MAX_TEXT),
        ("{1: a, no: b}", {"1": "a", "no": "b"}),
        ("a: >-\n  b\n  c", {"a": "b c"}),
    ],
)
def test_reads_plain_values(content: str, value: object) -> None:
    read = parse(content)
    assert read == value
    assert not isinstance(read, dict) or {type(v) for v in read.values()} == {
        type(v)
        for v in value.values()  # type: ignore[attr-defined]
    }


# Shape

NOT_SHAPED: dict[str, tuple[Any, list[Place]]] = {
    "a field missing": (
        [drop(A, "A1-1", "stem")],
        [(A, "A1-1", "stem", "missing-field")],
    ),
    "a field missing deep down": (
        [drop(A, "A1-1", "options", "c", "rationale")],
        [(A, "A1-1", "options.c.rationale", "missing-field")],
    ),
    "a field of the instrument missing": (
        [drop(INSTRUMENT, "cuts")],
        [(INSTRUMENT, "", "cuts", "missing-field")],
    ),
    "an unknown field": (
        [put(A, "A1-1", "unsafe", True)],
        [(A, "A1-1", "unsafe", "unknown-field")],
    ),
    "scenarios in two places": (
        [put(INSTRUMENT, "scenarios", [])],
        [(A, "", "", "part-twice"), ("scenarios/bc.yaml", "", "", "part-twice")],
    ),
    "a record without a code": (
        [drop(A, "A2-2", "code")],
        [(A, "3", "code", "missing-field")],
    ),
    "a number for a code": (
        [put(A, "A1-1", "code", 7)],
        [(A, "1", "code", "not-a-text")],
    ),
    "a list for a mapping": (
        [lambda data: data.update({INSTRUMENT: []})],
        [(INSTRUMENT, "", "", "not-a-mapping")],
    ),
    "a text for a record": (
        [add(A, "A1-2")],
        [(A, "9", "", "not-a-mapping")],
    ),
    "a mapping for a list": (
        [lambda data: data.update({A: {"scenarios": []}})],
        [(A, "", "", "not-a-list")],
    ),
    "an empty file": (
        [lambda data: data.update({STEPS: None})],
        [(STEPS, "", "", "not-a-list")],
    ),
    "a text for a list": (
        [put(A, "A1-1", "forms", "A")],
        [(A, "A1-1", "forms", "not-a-list")],
    ),
    "a text in one language only": (
        [put(INSTRUMENT, "domains", "A", "title", "Outils")],
        [(INSTRUMENT, "domains.A", "title", "not-a-mapping")],
    ),
    "a number for a text": (
        [put(A, "A1-1", "options", "b", "text", "fr", 8)],
        [(A, "A1-1", "options.b.text.fr", "not-a-text")],
    ),
    "a number for a version": (
        [put(INSTRUMENT, "version", 1.0)],
        [(INSTRUMENT, "", "version", "not-a-text")],
    ),
    "nothing in a list of texts": (
        [put(INSTRUMENT, "authors", ["A", None])],
        [(INSTRUMENT, "", "authors.2", "not-a-text")],
    ),
    "a text for a credit": (
        [put(A, "A1-1", "options", "a", "credit", "1")],
        [(A, "A1-1", "options.a.credit", "not-a-number")],
    ),
    "a boolean for a credit": (
        [put(A, "A1-1", "options", "a", "credit", True)],
        [(A, "A1-1", "options.a.credit", "not-a-number")],
    ),
    "half a minute": (
        [put(STEPS, "A1-ward-example", "minutes", 0.5)],
        [(STEPS, "A1-ward-example", "minutes", "not-a-whole-number")],
    ),
    "a text for a boolean": (
        [put(A, "A1-1", "options", "c", "unsafe", "yes")],
        [(A, "A1-1", "options.c.unsafe", "not-true-or-false")],
    ),
    "a day that is none": (
        [put(STRATEGY, "elements", "guide", "as_of", "2026-02-30")],
        [(STRATEGY, "elements.guide", "as_of", "not-a-date")],
    ),
    "a moment for a date": (
        [put(A, "A1-1", "valid_from", datetime(2026, 11, 23, 8, 30))],  # noqa: DTZ001
        [(A, "A1-1", "valid_from", "not-a-date")],
    ),
    "an unknown nature": (
        [put(A, "A1-1", "nature", "art")],
        [(A, "A1-1", "nature", "not-a-choice")],
    ),
    "a fourth level": (
        [put(INSTRUMENT, "domains", "A", "levels", 2, "level", 4)],
        [(INSTRUMENT, "domains.A", "levels.3.level", "not-a-choice")],
    ),
    "several at once": (
        [drop(A, "A1-1", "stem"), put(A, "A1-1", "nature", 1), put(STRATEGY, "as_of", "hier")],
        [
            (A, "A1-1", "stem", "missing-field"),
            (A, "A1-1", "nature", "not-a-choice"),
            (STRATEGY, "", "as_of", "not-a-date"),
        ],
    ),
}


@pytest.mark.parametrize("case", NOT_SHAPED)
def test_names_what_has_not_the_right_shape(case: str) -> None:
    changes, expected = NOT_SHAPED[case]
    assert places(broken(*changes)) == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (False, "false"),
        ([1], "[…]"),
        ({"a": 1}, "{…}"),
        (2.5, "2.5"),
        (date(2026, 11, 23), "2026-11-23"),
        ("hier", "“hier”"),
        ("x" * 40, f"“{'x' * 40}”"),
        ("x" * 99, f"“{'x' * 40}…”"),
    ],
)
def test_shows_what_it_found(value: object, shown: str) -> None:
    assert loading.shown(value) == shown


# Whatever comes

patient = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
of_the_whole = settings(patient, max_examples=20)
"""For what loads a whole instrument each time; every run tries others."""

CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200),
    st.text("ab:-[]{}&*!|>'\"#%@, \n\t01.~", max_size=60),
)
NAMES = st.sampled_from([*example_files(), "scenarios/z.yaml", "x.yaml", "README"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def accepts_or_refuses(files: dict[str, Any]) -> None:
    """Nothing else than the two answers, and a refusal that can be shown."""
    try:
        answer: object = loads(files)
    except InstrumentError as error:
        answer = str(error)
    assert isinstance(answer, Instrument) or (isinstance(answer, str) and answer)


@patient
@given(st.dictionaries(NAMES, CONTENTS, max_size=4))
def test_survives_any_contents(files: dict[str, str | bytes]) -> None:
    accepts_or_refuses(files)


@of_the_whole
@given(name=NAMES, content=CONTENTS)
def test_survives_any_file_among_good_ones(name: str, content: str | bytes) -> None:
    accepts_or_refuses(example_files() | {name: content})


@patient
@given(CONTENTS)
def test_parses_or_refuses(content: str | bytes) -> None:
    with suppress(Refused):
        parse(content)


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of plain data, as (holder, key)."""
    keys: Any = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from spots(value[key])


@of_the_whole
@given(st.data())
def test_survives_any_value_anywhere(draw: st.DataObject) -> None:
    data: Data = example_data()
    holder, key = draw.draw(st.sampled_from(list(spots(data))))
    holder[key] = draw.draw(VALUES)
    accepts_or_refuses({name: write(value) for name, value in data.items()})


@of_the_whole
@given(st.data())
def test_survives_a_value_of_the_right_shape_anywhere(draw: st.DataObject) -> None:
    """What passes the shape meets the rules, which must not stumble over it."""
    data: Data = example_data()
    holder, key = draw.draw(st.sampled_from(list(spots(data))))
    alike: dict[type, st.SearchStrategy[Any]] = {
        str: st.sampled_from(["", " ", "A", "A1", "B-0", "«", "I", "x" * 3000, "\u202f"]),
        int: st.integers(-3, 300),
        float: st.floats(-2, 200),
        bool: st.booleans(),
        date: st.dates(),
        list: st.just([]),
        dict: st.just({}),
    }
    holder[key] = draw.draw(alike[type(holder[key])])
    accepts_or_refuses({name: write(value) for name, value in data.items()})


@of_the_whole
@given(st.data())
def test_survives_a_cut_anywhere(draw: st.DataObject) -> None:
    files = example_files()
    name = draw.draw(st.sampled_from(list(files)))
    start = draw.draw(st.integers(0, len(files[name])))
    length = draw.draw(st.integers(1, 300))
    files[name] = files[name][:start] + files[name][start + length :]
    accepts_or_refuses(files)
