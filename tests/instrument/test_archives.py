"""What is uploaded: a folder in a ZIP archive, or one file; and what is refused of it."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.instrument import archives
from assessments.instrument.loading import MAX_BYTES, InstrumentError, loads
from assessments.instrument.rules import Finding

from .example import example_files, example_instrument

type Place = tuple[str, str]


def zipped(
    files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED, **attributes: int
) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            for attribute, value in attributes.items():
                setattr(entry, attribute, value)
            archive.writestr(entry, content)
    return made.getvalue()


def findings_of(upload: bytes) -> tuple[Finding, ...] | None:
    """What an upload is refused for; None if it opens."""
    try:
        archives.opened(upload)
    except InstrumentError as error:
        return error.findings
    return None


def refused(upload: bytes) -> list[Place]:
    """The files and rules of the findings for which an upload is refused."""
    found = findings_of(upload)
    assert found is not None
    return [(finding.file, finding.rule) for finding in found]


@pytest.mark.parametrize("top", ["", "ai-readiness/", "seeds/ai-readiness/"])
def test_a_folder_is_taken_wherever_it_stands(top):
    files = {f"{top}{name}": content for name, content in example_files().items()}
    others = {
        "README.md": "# Hello",
        f"{top}LICENSE": "Free",
        f"{top}photo.png": b"\x89PNG",
        "__MACOSX/._instrument.yaml": b"\0\5\x16\7",
        f"{top}.hidden/instrument.yaml": "a: 1",
        f"{top}scenarios/": b"",
    }
    upload = zipped({**files, **others})
    assert loads(archives.opened(upload)) == example_instrument()


def test_one_yaml_file_is_the_whole_instrument():
    assert archives.opened(b"code: x") == {"instrument.yaml": b"code: x"}
    assert archives.opened(b"") == {"instrument.yaml": b""}


def test_what_stands_beside_the_folder_is_not_lost():
    files = archives.opened(zipped({"top/instrument.yaml": "a: 1", "beside/scenarios.yaml": ""}))
    assert files == {"instrument.yaml": b"a: 1", "beside/scenarios.yaml": b""}


def test_without_an_instrument_names_stay_as_they_are():
    assert archives.opened(zipped({"top/strategy.yaml": "a: 1"})) == {"top/strategy.yaml": b"a: 1"}


@pytest.mark.parametrize(
    "name",
    [
        "../instrument.yaml",
        "a/../../instrument.yaml",
        "/etc/instrument.yaml",
        "a//instrument.yaml",
        "./instrument.yaml",
        "C:/instrument.yaml",
        "..\\instrument.yaml",
        "a\\instrument.yaml",
    ],
)
def test_no_name_leads_out_of_the_folder(name):
    assert refused(zipped({**example_files(), name: "a: 1"})) == [(name, "archive-path")]


def test_a_name_cut_by_a_zero_byte_is_refused():
    upload = zipped({"instrument.yaml_txt": "a: 1"}).replace(
        b"instrument.yaml_txt", b"instrument.yaml\0txt"
    )
    assert refused(upload) == [("instrument.yaml", "archive-path")]


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("x\u202elmay.yaml", "x\\u202elmay.yaml"),
        ("x\ny.yaml", "x\\u000ay.yaml"),
        ("x" * 300, "x" * 80 + "…"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused_and_shown_safely(name, seen):
    assert refused(zipped({name: ""})) == [(seen, "archive-name")]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind):
    upload = zipped({"instrument.yaml": "/etc/passwd"}, external_attr=(kind | 0o777) << 16)
    assert refused(upload) == [("instrument.yaml", "archive-link")]


def test_encrypted_files_are_refused():
    plain = bytearray(zipped({"instrument.yaml": "a: 1"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        plain[plain.index(mark) + place] |= 1
    assert refused(bytes(plain)) == [("instrument.yaml", "archive-encrypted")]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_opens_all_at_once_is_refused_before_it_is_opened(method, monkeypatch):
    """Of these, zipfile opens all that a chunk holds: some kilobytes may be ten gigabytes."""
    upload = zipped({"instrument.yaml": "a: 1"}, method)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    assert refused(upload) == [("instrument.yaml", "archive-method")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("instrument.yaml", "a: 1")
        archive.writestr("instrument.yaml", "a: 2")
        archive.writestr("Instrument.YAML", "a: 3")
    assert refused(made.getvalue()) == [
        ("instrument.yaml", "archive-twice"),
        ("Instrument.YAML", "archive-twice"),
    ]


def test_a_bomb_is_seen_by_its_ratio():
    upload = zipped({"instrument.yaml": "#" * 1_500_000})
    assert len(upload) < 3000
    assert refused(upload) == [("instrument.yaml", "archive-ratio")]


def test_many_files_that_are_large_together_are_refused():
    part = "".join(f"{number} " for number in range(120_000))
    upload = zipped({f"scenarios/{number}.yaml": part for number in range(8)})
    assert len(part) < MAX_BYTES
    assert refused(upload) == [("", "archive-large")]


def test_too_many_files_are_refused():
    within = {f"{number}.txt": "" for number in range(archives.MAX_ENTRIES)}
    assert archives.opened(zipped(within)) == {}
    assert refused(zipped({**within, "one more": ""})) == [("", "archive-entries")]


def test_a_size_that_lies_is_found_out_while_reading():
    """The archive says 100 bytes; what is in it is a bomb."""
    upload = bytearray(zipped({"instrument.yaml": "#" * 3_000_000}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", upload, upload.index(mark) + place, 100)
    assert refused(bytes(upload)) == [("instrument.yaml", "archive-damaged")]


def test_one_large_file_is_refused():
    large = "".join(f"{number} " for number in range(310_000))
    assert len(large) > MAX_BYTES
    upload = zipped({"instrument.yaml": large}, zipfile.ZIP_STORED)
    assert refused(upload) == [("instrument.yaml", "too-large")]


def test_what_is_altered_is_refused():
    upload = zipped({"instrument.yaml": "code: example"}, zipfile.ZIP_STORED)
    altered = upload.replace(b"code: example", b"code: altered")
    assert refused(altered) == [("instrument.yaml", "archive-damaged")]


@pytest.mark.parametrize(
    ("upload", "rule"),
    [
        (b"PK", "archive"),
        (b"PK\x03\x04 not an archive", "archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "archive"),
        (b"x" * (archives.MAX_UPLOAD + 1), "too-large"),
    ],
)
def test_what_is_neither_an_archive_nor_a_text_is_refused(upload, rule):
    assert refused(upload) == [("", rule)]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_altered_it_opens_or_is_refused(draw):
    upload = bytearray(SMALL)
    for place in draw.draw(st.lists(st.integers(0, len(upload) - 1), min_size=1, max_size=6)):
        upload[place] = draw.draw(st.integers(0, 255))
    upload = upload[: draw.draw(st.integers(2, len(upload)))]
    found = findings_of(bytes(upload))
    assert found is None or found
    assert all(len(finding.render().splitlines()) == 1 for finding in found or ())


SMALL = zipped({"top/instrument.yaml": "code: example\n" * 20, "top/README.md": "x"})
