"""The people and phases of the admin's tests, for files asked for from end to end."""

from tests.admin.conftest import (  # noqa: F401
    answer,
    cohort,
    desk,
    phase,
    same_noise,
    today,
    trainer,
    version,
)
