"""Our settings, with the view that does nothing."""

from readiness.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.bare"
