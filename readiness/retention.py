"""How long what is personal is kept, as the environment tells it."""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Retention:
    """What the information notice promises, and the purge keeps."""

    unfinished_days: int
    """Of a questionnaire that was begun, counted from the day on which it was."""
    finished_months: int
    """Of a finished one, from its last day."""
    backups_days: int
    """Of a backup; what was erased is remembered as long, to be erased again after a restore."""


def kept_told(unfinished: str, finished: str, backups: str) -> Retention:
    """ImproperlyConfigured where a value is no whole number within its bounds."""
    return Retention(
        _bounded("READINESS_KEPT_UNFINISHED_DAYS", unfinished, 30, range(7, 91)),
        _bounded("READINESS_KEPT_FINISHED_MONTHS", finished, 24, range(1, 37)),
        _bounded("READINESS_BACKUPS_KEPT", backups, 30, range(1, 91)),
    )


def _bounded(name: str, told: str, default: int, bounds: range) -> int:
    told = told.strip()
    if not told:
        return default
    if not (told.isdecimal() and int(told) in bounds):
        raise ImproperlyConfigured(
            f"{name} is a whole number from {bounds[0]} to {bounds[-1]}, not {told!r}."
        )
    return int(told)
