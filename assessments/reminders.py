"""Reminders a person puts in their own calendar: no address is asked, nothing is sent.

Others may see the calendar, the ward's for instance, or the screen on which an alarm shows: a
title says neither what the step is nor where it comes from. The person's own words are in the
description, which ``CLASS:PRIVATE`` asks calendars to keep to their owner. Not all of them do, and
the page that offers the file says so.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from . import ics
from .models import Sitting
from .reports import intention_of
from .sittings import plans_of

DAYS_BEFORE = (7, 1)
"""When an alarm rings: the first of these that is still to come."""
BEFORE_RETURNING = timedelta(weeks=8)
"""From the end of a sitting: steps are meant to take a month or so."""
UID_DIGITS = 32


def of_steps(sitting: Sitting, today: date) -> list[ics.Event]:
    """An event for each step that was chosen, on the day before which it is to be done; none for
    those whose day has passed. In the active language."""
    return [
        ics.Event(
            uid=_uid(sitting, plan.step),
            day=due,
            title=_("Reminder: my step %(number)d") % {"number": number},
            description=render_to_string(
                "assessments/reminder.txt", {"intention": intention_of(plan)}
            ).strip(),
            days_before=_days_before(due, today),
        )
        for number, plan in enumerate(plans_of(sitting), 1)
        if today <= (due := date.fromisoformat(plan.before)) < date.max
    ]


def of_return(sitting: Sitting, today: date, address: str) -> ics.Event:
    """When to take the questionnaire again: weeks after it.

    ``address`` is where a resume code is typed; it holds none.
    """
    assert sitting.finished_on is not None
    due = max(sitting.finished_on + BEFORE_RETURNING, today + timedelta(days=DAYS_BEFORE[0]))
    return ics.Event(
        uid=_uid(sitting, "return"),
        day=due,
        title=_("Reminder: see where I stand"),
        description=_(
            "Take the questionnaire again with my resume code and see what has changed: %(address)s"
        )
        % {"address": address},
        days_before=_days_before(due, today),
    )


def _days_before(due: date, today: date) -> int | None:
    return next((days for days in DAYS_BEFORE if due - timedelta(days=days) > today), None)


def _uid(sitting: Sitting, what: str) -> str:
    """The same for the same step of the same sitting, and telling nothing of either: whoever has
    not this server's key cannot make it."""
    made = salted_hmac("readiness.reminder", f"{sitting.pk}/{what}", algorithm="sha256")
    return made.hexdigest()[:UID_DIGITS]
