"""How long what is personal is kept, and on what legal basis, as the environment tells it."""

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
        _bounded("READINESS_KEPT_FINISHED_MONTHS", finished, 24, range(3, 37)),
        _bounded("READINESS_BACKUPS_KEPT", backups, 30, range(7, 91)),
    )


BASES = ("legitimate-interest", "public-interest")
"""Of art. 6(1) of the GDPR: (f), which a public body cannot rest its tasks on, and (e). Consent is
none: an employee is not free to refuse it."""


def basis_told(told: str) -> str:
    """The legal basis that the notice names."""
    told = told.strip() or BASES[0]
    if told not in BASES:
        raise ImproperlyConfigured(f"READINESS_LEGAL_BASIS is {' or '.join(BASES)}, not {told!r}.")
    return told


def _bounded(name: str, told: str, default: int, bounds: range) -> int:
    told = told.strip()
    if not told:
        return default
    if not (told.isdecimal() and int(told) in bounds):
        raise ImproperlyConfigured(
            f"{name} is a whole number from {bounds[0]} to {bounds[-1]}, not {told!r}."
        )
    return int(told)
