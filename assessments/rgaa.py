"""RGAA, the French rules for accessible web sites: how each criterion stands, and the statement.

The grid is data, rgaa.yaml: a self-evaluation by the makers. It makes no service compliant: in
French law that takes an audit by whoever offers the service, which the settings then name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from readiness.audit import Audit

GRID = Path(__file__).resolve().parent / "rgaa.yaml"
PARTIAL_FROM = 50
"""Per cent of the criteria that apply: below it the law calls a service non-compliant."""


class Status(StrEnum):
    CONFORMING = "conforme"
    FAILING = "non-conforme"
    NOT_APPLICABLE = "non-applicable"
    NOT_VERIFIED = "non-verifie"


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In both languages of the pages."""

    fr: str
    en: str


class Method(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was looked at by hand, how and when."""

    code: str
    text: Words


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    name: Words
    """In our own words; the rule itself is in the RGAA."""
    status: Status
    tests: tuple[str, ...] = ()
    """Tests of ours that show it, as pytest names them."""
    by_hand: tuple[str, ...] = ()
    """Codes of methods."""
    note: str = ""
    failing: Words | None = None
    """What does not conform, where, and what there is instead."""


class Tally:
    """Counts of criteria, and the one rate there is."""

    def __init__(self, criteria: Sequence[Criterion]) -> None:
        counts = Counter(criterion.status for criterion in criteria)
        self.conforming = counts[Status.CONFORMING]
        self.failing = counts[Status.FAILING]
        self.not_applicable = counts[Status.NOT_APPLICABLE]
        self.not_verified = counts[Status.NOT_VERIFIED]
        self.applicable = len(criteria) - self.not_applicable

    @property
    def rate(self) -> int | None:
        """Per cent of what applies, rounded down; what was not verified counts as not met."""
        return 100 * self.conforming // self.applicable if self.applicable else None


class Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    title: Words
    criteria: tuple[Criterion, ...]

    @property
    def tally(self) -> Tally:
        return Tally(self.criteria)


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    standard: str
    assessed_on: date
    methods: tuple[Method, ...]
    pages: tuple[Words, ...]
    """The pages that were checked."""
    stock_admin: tuple[Words, ...]
    """What Django's own administration fails."""
    themes: tuple[Theme, ...]

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        return tuple(criterion for theme in self.themes for criterion in theme.criteria)

    @property
    def tally(self) -> Tally:
        return Tally(self.criteria)

    @property
    def failing(self) -> tuple[Criterion, ...]:
        return tuple(item for item in self.criteria if item.status is Status.FAILING)

    @property
    def not_verified(self) -> tuple[Criterion, ...]:
        return tuple(item for item in self.criteria if item.status is Status.NOT_VERIFIED)


msgspec.json.Decoder(Grid)  # at once: see instrument.document


@cache
def grid() -> Grid:
    return msgspec.yaml.decode(GRID.read_bytes(), type=Grid)


class Conformity(models.TextChoices):
    """The three states of French law, as every page must say them."""

    NONE = "none", _("Accessibility: not compliant")
    PARTIAL = "partial", _("Accessibility: partially compliant")
    FULL = "full", _("Accessibility: fully compliant")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the service may say of itself on a day."""

    audit: Audit | None
    """The operator's, while it is valid."""
    lapsed: Audit | None

    @property
    def conformity(self) -> Conformity:
        if self.audit is None or self.audit.rate < PARTIAL_FROM:
            return Conformity.NONE
        return Conformity.FULL if self.audit.rate == 100 else Conformity.PARTIAL


def standing(day: date | None = None) -> Standing:
    audit: Audit | None = settings.ACCESSIBILITY_AUDIT
    valid = audit is not None and (day or timezone.localdate()) < audit.valid_until
    return Standing(audit if valid else None, None if valid else audit)


def markdown(rules: Grid) -> str:
    """The grid as a page to read beside the code."""
    return "\n".join(_lines(rules)) + "\n"


SHOWN = {
    Status.CONFORMING: "conforming",
    Status.FAILING: "**not conforming**",
    Status.NOT_APPLICABLE: "not applicable",
    Status.NOT_VERIFIED: "**not yet verified**",
}


def _lines(rules: Grid) -> Iterator[str]:
    tally = rules.tally
    yield "# Accessibility: the criteria of RGAA, one by one"
    yield ""
    yield (
        f"{rules.standard}, self-evaluation by the makers of {rules.assessed_on.isoformat()}, not "
        "an audit. No screen reader was used. Made from `assessments/rgaa.yaml` by "
        "`manage.py rgaa`; a test compares the two, and looks for every test that is named here."
    )
    yield ""
    yield (
        f"Of {len(rules.criteria)} criteria, {tally.applicable} apply: {tally.conforming} "
        f"conforming, {tally.failing} not conforming, {tally.not_verified} not yet verified. Rate: "
        f"{tally.rate}% (what is not verified counts as not met). A criterion that fails anywhere, "
        "Django’s own administration included, does not conform. Names of criteria are ours."
    )
    yield ""
    yield "| Theme | conforming | not conforming | not verified | not applicable |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for theme in rules.themes:
        part = theme.tally
        yield (
            f"| {theme.number}. {theme.title.en} ({theme.title.fr}) | {part.conforming} "
            f"| {part.failing} | {part.not_verified} | {part.not_applicable} |"
        )
    yield ""
    yield "## What was looked at by hand"
    yield ""
    for method in rules.methods:
        yield f"- *{method.code}*: {method.text.en}"
    yield ""
    yield "## What Django’s own administration fails"
    yield ""
    for words in rules.stock_admin:
        yield f"- {words.en}"
    for theme in rules.themes:
        yield ""
        yield f"## {theme.number}. {theme.title.en}"
        yield ""
        yield "| | Criterion | Status | Evidence |"
        yield "| --- | --- | --- | --- |"
        for item in theme.criteria:
            evidence = [f"`{test}`" for test in item.tests]
            if item.by_hand:
                evidence.append(f"looked at: {', '.join(item.by_hand)}")
            said = [item.failing.en if item.failing else "", "; ".join(evidence), item.note]
            yield (
                f"| {item.number} | {item.name.en} (*{item.name.fr}*) | {SHOWN[item.status]} "
                f"| {'<br>'.join(filter(None, said))} |"
            )
