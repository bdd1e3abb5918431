"""Calendar files, read back by another's parser."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from assessments import ics

MADE = datetime(2026, 11, 24, 21, 30, 5, tzinfo=UTC)


def event(**more) -> ics.Event:
    given = {"uid": "0f", "day": date(2026, 12, 31), "title": "Rappel", "description": "Étape"}
    return ics.Event(**given | more)


def test_a_file_says_what_calendars_need_and_no_more():
    written = ics.calendar([event(title="Rappel : un, deux", days_before=7)], MADE)
    assert written.split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Readiness//Readiness//EN",
        "CALSCALE:GREGORIAN",
        "BEGIN:VEVENT",
        "UID:0f",
        "DTSTAMP:20261124T213005Z",
        "SEQUENCE:28330205",
        "DTSTART;VALUE=DATE:20261231",
        "DTEND;VALUE=DATE:20270101",
        "SUMMARY:Rappel : un\\, deux",
        "DESCRIPTION:Étape",
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:Rappel : un\\, deux",
        "TRIGGER:-P6DT15H",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


@pytest.mark.parametrize("days", [1, 2, 7, 30])
def test_an_alarm_rings_at_nine_some_days_before(days):
    written = ics.calendar([event(days_before=days)], MADE)
    (alarm,) = Calendar.from_ical(written).walk("VALARM")
    rings = datetime(2026, 12, 31) + alarm.decoded("TRIGGER")  # noqa: DTZ001
    assert rings == datetime(2026, 12, 31 - days, 9)  # noqa: DTZ001
    assert event(days_before=days).rings_on == rings.date()


def test_an_alarm_does_not_ring_after_the_day_has_begun():
    assert "VALARM" not in ics.calendar([event()], MADE)
    assert event().rings_on is None
    with pytest.raises(ValueError, match="before its event"):
        ics.calendar([event(days_before=0)], MADE)


def test_a_later_file_supersedes_an_earlier_one_whatever_the_clock_of_the_server():
    def made(moment: datetime) -> tuple[int, datetime]:
        (found,) = Calendar.from_ical(ics.calendar([event()], moment)).events
        return found["SEQUENCE"], found.decoded("DTSTAMP")

    assert made(MADE + timedelta(seconds=1))[0] == made(MADE)[0] + 1
    assert made(MADE.astimezone(timezone(timedelta(hours=2)))) == made(MADE)
    assert made(datetime(2093, 1, 1, tzinfo=UTC))[0] < 2**31


TEXTS = st.text(
    st.one_of(
        st.sampled_from(",;:\\\n\r\t \"'«»éœ€🙂\u00a0\u2028\x00\x07\x85"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=300,
)


@given(TEXTS, TEXTS)
def test_any_text_comes_back_as_it_was_written(title, description):
    written = ics.calendar([event(title=title, description=description, days_before=1)], MADE)
    octets = written.encode()
    assert octets.endswith(b"END:VCALENDAR\r\n")
    lines = octets[:-2].split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode() for line in lines)  # no line is empty, no character cut in two
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", octets)
    (found,) = Calendar.from_ical(octets).events
    assert str(found["SUMMARY"]) == plain(title)
    assert str(found["DESCRIPTION"]) == plain(description)
    (alarm,) = found.walk("VALARM")
    assert str(alarm["DESCRIPTION"]) == plain(title)


def plain(text: str) -> str:
    """A text with one kind of line end and no other control character than a tab."""
    text = re.sub("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", "\n", text)
    return "".join(sign for sign in text if sign in "\n\t" or not _control(sign))


def _control(sign: str) -> bool:
    return ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0
