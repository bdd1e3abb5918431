import logging
from collections.abc import Callable, Iterator

import pytest
from django.utils import translation

from assessments.instrument.document import Instrument
from assessments.instrument.loading import load
from tests.conftest import SEEDS


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    """The instrument that is really asked, with its long and accented texts."""
    return load(SEEDS)


@pytest.fixture(params=["fr", "en"])
def language(request) -> Iterator[str]:
    with translation.override(request.param):
        yield request.param


@pytest.fixture
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def complaints(caplog) -> Callable[[], list[str]]:
    """What WeasyPrint complained of: it logs where others would raise."""
    caplog.set_level(logging.WARNING, logger="weasyprint")
    return lambda: [
        f"{record.levelname} {record.getMessage()}"
        for record in caplog.records
        if record.name.startswith("weasyprint") and record.levelno >= logging.WARNING
    ]
