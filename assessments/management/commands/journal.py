"""Write the journal of what staff did, from a day or moment on, the oldest line first.

To send it to where this service cannot reach it, have it added to a file there every hour
(--add-to), or written with what the hour before may have missed (--since 2h). Each line has its id,
by which what comes twice is told.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from assessments.journal_files import FORMATS, export
from assessments.models import Event

AGO = {"m": "minutes", "h": "hours", "d": "days"}
LATE = timedelta(hours=1)
"""Older than any transaction: a line may be committed after one that is younger."""
TAIL = 1024 * 1024
"""Bytes of a file that are read: more lines than an hour has. Others would come twice."""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        add = parser.add_argument
        when = "2027-03-01, 2027-03-01T08:00+01:00, or 30m, 2h, 7d for so long ago"
        add("--since", type=moment, metavar="WHEN", help=f"{when} (default: the first line)")
        add("--until", type=moment, metavar="WHEN", help="before then (default: now)")
        add("--add-to", type=Path, metavar="FILE", help="add to it what it lacks, as JSON lines")
        add("--format", choices=FORMATS, default="jsonl", help="(default: %(default)s)")

    def handle(self, *args, **options) -> None:
        if options["add_to"]:
            if options["since"] or options["until"] or options["format"] != "jsonl":
                raise CommandError("--add-to takes neither a period nor a format.")
            added(options["add_to"])
            return
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


def added(file: Path) -> None:
    """Add to a file of JSON lines all that was written since its last line, however long ago."""
    with file.open("a+b") as out:
        size = out.seek(0, os.SEEK_END)
        out.seek(max(0, size - TAIL))
        kept = out.read()
        # By both: a database that was restored gives numbers again.
        known: set[tuple[int, str]] = set()
        for line in kept.splitlines():
            with suppress(ValueError, KeyError, TypeError):  # the first is cut, or one was torn
                found = json.loads(line)
                known.add((int(found["id"]), str(found["at"])))
        if kept and not known:
            raise CommandError(
                f"{file} holds no whole line of the journal: it is another file, or one to delete."
            )
        events = Event.objects.all()
        # By a clock that was ahead, a line may be of a day to come.
        past = [at for at in (moment(at) for _key, at in known) if at <= timezone.now()]
        if past:
            events = events.filter(at__gte=max(past) - LATE)
        if kept and not kept.endswith(b"\n"):
            out.write(b"\n")
        for part in export(events, "jsonl", None, "added to a file"):
            line = json.loads(part)
            if (line["id"], line["at"]) not in known:
                out.write(part.encode())
        out.flush()
        os.fsync(out.fileno())


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
