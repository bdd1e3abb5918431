"""The people and groups of the respondents' tests, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.sitting.conftest import (  # noqa: F401
    asked,
    client,
    in_english,
    person,
    phase,
    version,
)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """So that no window of a limit ends in the middle of a test."""
    with time_machine.travel("2026-11-28T10:02:00+01:00", tick=False) as clock:
        yield clock
