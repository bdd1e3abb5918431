"""Whatever is uploaded, the loader takes it or says why not; it never breaks."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.instrument.archives import opened
from assessments.instrument.loading import WHOLE, InstrumentError, Refused, load, loads, parse
from tests.conftest import SEEDS

from . import hostile
from .conftest import fuzzed
from .doors import FILES

OURS = {
    path.relative_to(SEEDS).as_posix(): path.read_bytes() for path in sorted(SEEDS.rglob("*.yaml"))
}


def takes_or_refuses(files: dict[str, bytes]) -> None:
    with suppress(InstrumentError):
        loads(files)


def test_yaml_of_any_shape(sent):
    @fuzzed(0.12)
    @given(hostile.documents() | hostile.SIGNS)
    def send(text: str) -> None:
        sent["inputs"] += 1
        takes_or_refuses({WHOLE: text.encode("utf-8", "surrogatepass")})

    send()


def test_a_damaged_file_of_ours(sent):
    @fuzzed(0.1)
    @given(hostile.damaged(OURS))
    def send(content: bytes) -> None:
        sent["inputs"] += 1
        with suppress(Refused):
            parse(content[:20_000])

    send()


def test_one_damaged_file_among_good_ones(sent):
    @fuzzed(0.01)
    @given(st.sampled_from(sorted(FILES)), hostile.damaged(FILES))
    def send(name: str, content: bytes) -> None:
        sent["inputs"] += 1
        takes_or_refuses(FILES | {name: content})

    send()


def test_archives(sent):
    @fuzzed(0.1)
    @given(hostile.archives(FILES) | hostile.BYTES.map(b"PK\3\4".__add__))
    def send(upload: bytes) -> None:
        sent["inputs"] += 1
        with suppress(InstrumentError):
            takes_or_refuses(opened(upload))

    send()


def test_an_exception_of_the_loader_is_found(monkeypatch):
    """As a rule that stumbles over a value would raise it."""
    monkeypatch.setattr(
        "assessments.instrument.loading.refuse_control", lambda text, line: {}[text]
    )

    @fuzzed(20, absolute=True)
    @given(hostile.documents())
    def send(text: str) -> None:
        takes_or_refuses({WHOLE: text.encode()})

    with pytest.raises(KeyError):
        send()


def test_ours_are_taken():
    assert loads(OURS) == load(SEEDS)
