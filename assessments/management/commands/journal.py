"""Write the journal of what staff did, from a day or moment on, the oldest line first.

To send it to where this service cannot reach it, have it written every hour with what the hour
before may have missed: --since 2h. Each line has its id, by which what comes twice is told.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from assessments.journal_files import FORMATS, export
from assessments.models import Event

AGO = {"m": "minutes", "h": "hours", "d": "days"}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        add = parser.add_argument
        when = "2027-03-01, 2027-03-01T08:00+01:00, or 30m, 2h, 7d for so long ago"
        add("--since", type=moment, metavar="WHEN", help=f"{when} (default: the first line)")
        add("--until", type=moment, metavar="WHEN", help="before then (default: now)")
        add("--format", choices=FORMATS, default="jsonl", help="(default: %(default)s)")

    def handle(self, *args, **options) -> None:
        events = Event.objects.all()
        told = []
        if since := options["since"]:
            events = events.filter(at__gte=since)
            told.append(f"since {since.isoformat()}")
        if until := options["until"]:
            events = events.filter(at__lt=until)
            told.append(f"until {until.isoformat()}")
        for part in export(events, options["format"], None, " · ".join(told)):
            self.stdout.write(part, ending="")


def moment(told: str) -> datetime:
    if ago := re.fullmatch(r"(\d{1,5})([mhd])", told):
        return timezone.now() - timedelta(**{AGO[ago[2]]: int(ago[1])})
    try:
        found = parse_datetime(told)
        day = parse_date(told)
    except ValueError:
        found = day = None
    if found is None and day is not None:
        found = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (made aware below)
    if found is None:
        raise CommandError(f"{told}: a day or a moment is 2027-03-01 or 2027-03-01T08:00+01:00.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
