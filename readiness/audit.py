"""The operator's accessibility audit, as the environment tells it."""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ImproperlyConfigured

YEARS = 3
"""For which a statement of accessibility is valid."""


@dataclass(frozen=True, slots=True)
class Audit:
    on: date
    by: str
    rate: int
    """Per cent of the criteria of RGAA that apply and are met; the state in law follows from it."""

    @property
    def valid_until(self) -> date:
        """The first day on which it is valid no more."""
        year = self.on.year + YEARS
        return (
            date(year, 3, 1)
            if (self.on.month, self.on.day) == (2, 29)
            else self.on.replace(year=year)
        )


def audit_told(on: str, by: str, rate: str) -> Audit | None:
    """None where nothing is told; ImproperlyConfigured where it is told in part or wrongly."""
    on, by, rate = on.strip(), by.strip(), rate.strip()
    told = {"READINESS_AUDITED_ON": on, "READINESS_AUDITED_BY": by, "READINESS_AUDIT_RATE": rate}
    if not any(told.values()):
        return None
    missing = ", ".join(name for name, value in told.items() if not value)
    if missing:
        raise ImproperlyConfigured(f"An accessibility audit is told in part: {missing} missing.")
    try:
        day = date.fromisoformat(on)
    except ValueError as wrong:
        raise ImproperlyConfigured(
            f"READINESS_AUDITED_ON is a day such as 2027-03-01, not {on!r}."
        ) from wrong
    if day > date.today():  # noqa: DTZ011  (settings have no time zone yet)
        raise ImproperlyConfigured(f"READINESS_AUDITED_ON is yet to come: {on}.")
    if not (rate.isdecimal() and int(rate) <= 100):
        raise ImproperlyConfigured(
            f"READINESS_AUDIT_RATE is a whole number of per cent from 0 to 100, not {rate!r}."
        )
    return Audit(day, by, int(rate))


def plan_told(address: str) -> str:
    """The address of the multi-year plan, which becomes a link."""
    if address and not address.startswith(("https://", "http://")):
        raise ImproperlyConfigured(
            f"READINESS_ACCESSIBILITY_PLAN begins with https://, unlike {address!r}."
        )
    return address
