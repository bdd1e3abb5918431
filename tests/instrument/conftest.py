import pytest

from assessments.instrument.document import Instrument

from .example import example_instrument


@pytest.fixture
def instrument() -> Instrument:
    return example_instrument()
