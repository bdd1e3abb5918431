import pytest

from assessments.instrument.document import Instrument
from tests.instrument.example import example_instrument


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    """Three domains, 16 sub-competencies, 24 scenarios."""
    return example_instrument()
