"""Trainers, their browsers and a cohort, as the admin's own tests have them."""

from tests.admin.conftest import (
    answer,
    cohort,
    desk,
    operator,
    phase,
    stranger,
    trainer,
    version,
)

__all__ = ["answer", "cohort", "desk", "operator", "phase", "stranger", "trainer", "version"]
