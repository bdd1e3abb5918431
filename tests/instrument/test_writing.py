"""An instrument written as YAML again: what is read back is the very same, and fit to be read."""

import io
import zipfile

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assessments.instrument.document import Instrument, Variant, digest
from assessments.instrument.loading import CONTROL, load, loads
from assessments.instrument.rules import check
from assessments.instrument.writing import WIDTH, archive, dumps
from tests.conftest import SEEDS

from .example import example_instrument, text

replace = msgspec.structs.replace


def assert_same(instrument: Instrument) -> dict[str, str]:
    """Reading back gives the same instrument, and writing it again the same files."""
    files = dumps(instrument)
    again = loads(files)
    assert again == instrument
    assert digest(again) == digest(instrument)
    assert dumps(again) == files
    return files


def with_first(instrument: Instrument, part: str, **fields) -> Instrument:
    first, *others = getattr(instrument, part)
    return replace(instrument, **{part: (replace(first, **fields), *others)})


def test_our_instrument_comes_back_in_the_same_files():
    files = assert_same(load(SEEDS))
    assert set(files) == {path.relative_to(SEEDS).as_posix() for path in SEEDS.rglob("*.yaml")}


@pytest.mark.parametrize("forms", [("A",), ("A", "B")])
def test_the_example_comes_back(forms):
    assert_same(example_instrument(forms))


def test_a_reserve_and_variants_come_back():
    example = example_instrument(("A", "B"))
    spare = replace(example.scenarios[0], code="A1-9", forms=())
    variants = (
        Variant(("nurse",), stem=text("Autre énoncé", "Other stem")),
        Variant(("manager",), options={"b": text("Autre choix", "Other choice")}),
    )
    instrument = replace(
        example,
        scenarios=(replace(example.scenarios[0], variants=variants), spare, *example.scenarios[1:]),
    )
    written = assert_same(instrument)["scenarios/a.yaml"]
    first, second, *_ = yaml.safe_load(written)
    assert second["forms"] == []
    assert first["variants"] == [
        {"professions": ["nurse"], "stem": {"fr": "Autre énoncé", "en": "Other stem"}},
        {"professions": ["manager"], "options": {"b": {"fr": "Autre choix", "en": "Other choice"}}},
    ]


def test_an_order_that_files_by_domain_would_change_is_kept():
    example = example_instrument()
    assert_same(replace(example, scenarios=example.scenarios[::-1]))
    assert_same(replace(example, sources=example.sources[::-1]))
    mixed = sorted(example.next_steps, key=lambda step: step.kind)
    assert list(assert_same(replace(example, next_steps=tuple(mixed)))) == [
        "instrument.yaml",
        "self_ratings.yaml",
        "strategy.yaml",
        "scenarios/a.yaml",
        "scenarios/b.yaml",
        "scenarios/c.yaml",
        "next_steps/all.yaml",
        "sources/a.yaml",
        "sources/c.yaml",
        "sources/strategy.yaml",
    ]


def test_short_texts_stand_on_a_line_and_long_ones_are_folded():
    long = " ".join(["mot"] * 40)
    example = with_first(
        example_instrument(),
        "scenarios",
        topic=text("Un titre", "A title"),
        explanation=text(long, "w" * 40),
    )
    written = assert_same(example)["scenarios/a.yaml"]
    assert '  topic: {fr: "Un titre", en: "A title"}\n' in written
    folded = written.partition("  explanation:\n")[2].splitlines()[:4]
    assert folded == [
        "    fr: >-",
        "      " + " ".join(["mot"] * 23),
        "      " + " ".join(["mot"] * 17),
        f'    en: "{"w" * 40}"',
    ]
    assert max(len(line) for line in written.splitlines()) <= WIDTH


@pytest.mark.parametrize(
    "code", ["no", "on", "y", "null", "true", "1", "0x1F", "1e3", "1.5", "2026-11-24", "1_000"]
)
def test_what_a_reader_of_yaml_takes_for_something_else_is_quoted(code):
    example = example_instrument()
    scale = (replace(example.confidence_scale[0], code=code), *example.confidence_scale[1:])
    files = assert_same(replace(example, confidence_scale=scale))
    read = yaml.safe_load(files["instrument.yaml"])  # YAML 1.1, unlike ours
    assert read["confidence_scale"][0]["code"] == code


@pytest.mark.parametrize("number", [0.1, 1e-7, 0.123456789012345, 12.5])
def test_numbers_are_written_without_exponent(number):
    example = example_instrument()
    assert_same(replace(example, cuts=replace(example.cuts, operational=number)))


SIGNS = "\"'\\#:-[]{},&*!|>%@`?~=<$ \xa0\u2028\u2029\x85\t\n\r/\u00ad\u202e\ufeff9Éa👩🏽‍⚕"
ANYTHING = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(SIGNS), min_size=1, max_size=120
).filter(lambda drawn: drawn.strip() and not CONTROL.search(drawn))
PARAGRAPHS = ANYTHING.map(lambda drawn: " ".join(drawn.split())).filter(bool)


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(english=PARAGRAPHS, stem=PARAGRAPHS, citation=ANYTHING, url=ANYTHING, author=ANYTHING)
def test_whatever_the_rules_allow_comes_back(english, stem, citation, url, author):
    """Any wording in a text; in what is no text, line breaks and runs of spaces too."""
    example = with_first(
        example_instrument(), "sources", citation=citation, url=f"https://a.example/{url}"
    )
    example = with_first(example, "scenarios", topic=text("Thème", english), stem=text("Q", stem))
    example = replace(example, authors=(author, "B"), licence=citation)
    allowed = replace(example, sources=example_instrument().sources)
    assume(not check(allowed))
    assert_same(allowed if check(example) else example)


def test_the_archive_holds_the_same_folder_and_never_varies():
    example = example_instrument()
    packed = archive(example)
    assert archive(loads(dumps(example))) == packed
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert opened.testzip() is None
        files = {name.removeprefix("example-1.0/"): opened.read(name) for name in opened.namelist()}
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    note = files.pop("README.txt").decode()
    assert loads(files) == example
    assert f"SHA-256 of the instrument: {digest(example)}\n" in note
    assert "Licence: CC BY-SA 4.0\n" in note
