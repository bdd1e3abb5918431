"""The certificate of positioning: what a person may hand over without showing their answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.template.loader import render_to_string

from . import press
from .instrument.document import Domain, by_code, digest
from .questionnaire import Questionnaire
from .scoring.intervals import TAIL
from .scoring.profile import Profile
from .scoring.scores import DomainScore


@dataclass(frozen=True, slots=True)
class Certificate:
    """That a questionnaire was completed. It names nobody: the name is written on it by hand."""

    asked: Questionnaire
    profile: Profile
    finished_on: date
    made_on: date
    moment: str
    """The kind of its phase; empty outside any group."""
    steps: int
    """How many next steps the person has chosen."""
    body: str
    """Who offers the questionnaire; empty where that has not been said."""
    group: str = ""
    """The name of the group, if the person lets it be shown."""
    shows_results: bool = False

    @property
    def answered(self) -> int:
        return self.profile.overall.answered

    @property
    def situations(self) -> int:
        return self.profile.overall.asked

    @property
    def domains(self) -> tuple[tuple[Domain, DomainScore], ...]:
        known = by_code(self.asked.instrument.domains)
        return tuple((known[score.code], score) for score in self.profile.domains)

    @property
    def digest(self) -> str:
        """The first digits of the SHA-256 of the instrument."""
        return digest(self.asked.published)[:12]

    @property
    def held(self) -> float:
        """What an interval holds: 0.90."""
        return 1.0 - 2.0 * TAIL


def pdf(certificate: Certificate) -> bytes:
    """One tagged page in the active language; :class:`~.press.Busy` at a crush."""
    return press.pdf(
        render_to_string("assessments/certificate/document.html", {"certificate": certificate})
    )
