"""Faults are injected into what the other tests use whole."""

from tests.sitting.conftest import asked, in_english, phase, version

__all__ = ["asked", "in_english", "phase", "version"]
