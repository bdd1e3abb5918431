import pytest

from assessments.instrument.document import Instrument
from assessments.instrument.loading import load
from tests.conftest import SEEDS


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    """The instrument that is really asked, with its long and accented texts."""
    return load(SEEDS)
