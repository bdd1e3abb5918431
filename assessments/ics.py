"""A calendar file (iCalendar, RFC 5545): events of a whole day, each with one alarm. Pure.

What is written is little enough to be written here: text escaped, lines ended by CR LF and folded
at 75 octets. What others make of it decides the rest:

- No ``METHOD``: the file is no invitation, and ``PUBLISH`` would ask for an organiser's address
  (RFC 5546, 3.2.1). Outlook reads its absence as ``PUBLISH``.
- ``DTEND``, though a day is the default: Outlook takes an event for a whole day by both ends.
- One alarm, before the event: Outlook keeps one, and takes a trigger that comes after the start
  for one that comes before it.
- No name of a calendar: with one, Outlook opens a calendar of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

MEDIA_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//Readiness//Readiness//EN"
LONGEST = 75
"""Octets of a line, its end not counted (RFC 5545, 3.1)."""
MORNING = timedelta(hours=9)
"""When an alarm rings: at nine, wherever the calendar is."""
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""From which SEQUENCE counts; it must never change."""


@dataclass(frozen=True, slots=True)
class Event:
    """A whole day with something to remember."""

    uid: str
    """The same event of a later file takes the place of this one."""
    day: date
    title: str
    """What is shown in the calendar, and by the alarm: on a screen that others may see."""
    description: str
    days_before: int | None = None
    """How many days before, at nine in the morning, the alarm rings, 1 or more; None for none."""

    @property
    def rings_on(self) -> date | None:
        return None if self.days_before is None else self.day - timedelta(days=self.days_before)


def calendar(events: Iterable[Event], made_at: datetime) -> str:
    """The file of these events, made at an aware moment.

    A file supersedes those made before it: its events are numbered by the seconds since
    :data:`EPOCH`, so that nothing needs to be kept to count the changes (they pass the largest
    SEQUENCE of 31 bits in 2094).
    """
    return "".join(f"{fold(line)}\r\n" for line in _lines(events, made_at.astimezone(UTC)))


def _lines(events: Iterable[Event], made_at: datetime) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN")
    for event in events:
        yield "BEGIN:VEVENT"
        yield f"UID:{event.uid}"
        yield f"DTSTAMP:{made_at:%Y%m%dT%H%M%SZ}"
        yield f"SEQUENCE:{max(0, int((made_at - EPOCH).total_seconds()))}"
        yield f"DTSTART;VALUE=DATE:{_day(event.day)}"
        yield f"DTEND;VALUE=DATE:{_day(event.day + timedelta(days=1))}"
        yield f"SUMMARY:{escape(event.title)}"
        yield f"DESCRIPTION:{escape(event.description)}"
        yield from ("CLASS:PRIVATE", "TRANSP:TRANSPARENT")
        if event.days_before is not None:
            yield from ("BEGIN:VALARM", "ACTION:DISPLAY")
            yield f"DESCRIPTION:{escape(event.title)}"
            yield f"TRIGGER:{_trigger(event.days_before)}"
            yield "END:VALARM"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def _day(day: date) -> str:
    return f"{day.year:04}{day:%m%d}"


def _trigger(days_before: int) -> str:
    """A morning so many days before, counted from the first minute of the event."""
    if days_before < 1:
        raise ValueError("an alarm rings before its event")
    ahead = timedelta(days=days_before) - MORNING
    hours = ahead.seconds // 3600
    return f"-P{f'{ahead.days}D' if ahead.days else ''}T{hours}H"


LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def escape(text: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11); control characters have no place in it."""
    text = CONTROLS.sub("", LINE_ENDS.sub("\n", text))
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\n", "\\n")


def fold(line: str) -> str:
    """A line in pieces of at most 75 octets, no character cut in two."""
    pieces, piece, size = [], "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > LONGEST:
            pieces.append(piece)
            piece, size = "", 1  # the space that a piece after the first begins with
        piece, size = piece + sign, size + octets
    return "\r\n ".join([*pieces, piece])
