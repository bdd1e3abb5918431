"""What a cohort's page says of each of its phases."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from .. import cohorts, jobs, releases
from ..codes import grouped
from ..instrument.document import Scenario
from ..instruments import questionnaire
from ..models import DailyCount, Job, Phase
from ..templatetags.readiness import day

COUNTS_SHOWN = 14
"""Days on which counts moved that a cohort's page lists, the last ones."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a trainer sends so that people join, or join at last."""

    key: str
    """``invitation`` or ``reminder``."""
    language: str
    language_name: str
    text: str

    @property
    def rows(self) -> int:
        """Lines of the field, once the text is wrapped."""
        return sum(1 + len(line) // 60 for line in self.text.splitlines()) + 1


@dataclass(frozen=True, slots=True)
class PhasePanel:
    """What the cohort's page says of one phase."""

    phase: Phase
    state: str
    counted: DailyCount | None
    """About how many have answered, while the phase is open and so ready to be closed."""
    history: tuple[DailyCount, ...]
    """The days on which these counts moved, the last one first."""
    messages: tuple[Message, ...]
    has_results: bool
    """Whether there are results to read or to wait for."""
    publication: Job | None
    """The job that is publishing it, or has failed to."""
    overdue: tuple[Scenario, ...]
    """What the phase asks, or is to ask, that is past its review and should be read again."""

    @classmethod
    def of(cls, phase: Phase, link: str) -> PhasePanel:
        is_open = phase.closed_on is None and cohorts.has_opened(phase)
        counted = releases.refresh_counts(phase) if is_open else None
        publishing = phase.closed_on is not None and phase.settled_on is None
        return cls(
            phase=phase,
            state=state_of(phase),
            counted=counted,
            history=moved(phase) if is_open else (),
            messages=() if phase.closed_on else messages_of(phase, link),
            has_results=phase.closed_on is not None or phase.releases.exists(),
            publication=jobs.publication_of(phase) if publishing else None,
            overdue=() if phase.closed_on else overdue_in(phase),
        )


def overdue_in(phase: Phase) -> tuple[Scenario, ...]:
    """The situations of a phase that are past their review, on the day it opens or today.

    A phase asks everybody the same, whatever expires while it is open.
    """
    day = max(phase.opens_on, timezone.localdate())
    asked = questionnaire(phase.version.digest, phase.form)
    scenarios = asked.instrument.scenarios_of(phase.form)
    return tuple(item for item in scenarios if item.review_by < day)


def moved(phase: Phase) -> tuple[DailyCount, ...]:
    """The daily counts that differ from those of the day before, the last one first."""
    found: list[DailyCount] = []
    for count in phase.daily_counts.order_by("day"):
        said = (count.started_at_least, count.finished_at_least)
        if not found or said != (found[-1].started_at_least, found[-1].finished_at_least):
            found.append(count)
    return tuple(reversed(found[-COUNTS_SHOWN:]))


def messages_of(phase: Phase, link: str) -> tuple[Message, ...]:
    """Invitation and reminder, in every language."""
    return tuple(
        Message(key, code, str(name), _message(key, phase, link, code))
        for key in ("invitation", "reminder")
        for code, name in settings.LANGUAGES
    )


def _message(key: str, phase: Phase, link: str, language: str) -> str:
    """In that language whatever the trainer's own."""
    with translation.override(language):
        text = render_to_string(
            f"admin/assessments/cohort/{key}.txt",
            {
                "phase": phase,
                "link": link,
                "code": grouped(phase.cohort.code),
                "minutes": questionnaire(phase.version.digest, phase.form).minutes(),
                "threshold": releases.threshold(),
            },
        )
    return text.strip()


def state_of(phase: Phase) -> str:
    """Where a phase stands today, in a few words."""
    today = timezone.localdate()
    if phase.closed_on is not None:
        return _("closed on %s") % day(phase.closed_on)
    if not cohorts.has_opened(phase, today):
        return _("opens on %s") % day(phase.opens_on)
    if phase.paused:
        return _("joining paused")
    if phase.closes_on is not None and phase.closes_on < today:
        return _("last day was %s; still to be closed") % day(phase.closes_on)
    if phase.closes_on is not None:
        return _("open, last day %s") % day(phase.closes_on)
    return _("open")
