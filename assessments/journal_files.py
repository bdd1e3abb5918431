"""The journal as a file, for a person's spreadsheet or for a program that keeps logs (a SIEM)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .cohort_files import safe
from .journal import record
from .models import Event

FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
"""What a file may be, and its content type."""
CHUNK = 2_000
"""Lines read at a time."""


def export(events: QuerySet[Event], form: str, actor: User | None, told: str) -> Iterator[str]:
    """The journal's lines, the oldest first, in a format of :data:`FORMATS`: parts of a file.

    That it was exported is kept before anything is read. ``told`` says which lines were chosen;
    actor is None where a command asks.
    """
    record(Event.Action.JOURNAL_EXPORTED, actor, " · ".join(filter(None, (form, told))))
    oldest_first = events.order_by("at", "pk")
    # Now, and not when the file is read: the reader's language is active.
    return _csv(oldest_first, _head(), _delimiter()) if form == "csv" else _jsonl(oldest_first)


def lines(events: QuerySet[Event]) -> Iterator[dict[str, int | str | None]]:
    """Each line as JSON values: ``id``; ``at`` (ISO 8601, UTC); ``actor`` (the name that somebody
    signs in with, null for a command); ``action`` (a code); ``subject``; ``about`` (the object
    whose history it is part of, such as ``cohort-12``, or empty)."""
    chosen = events.values_list("pk", "at", "actor__username", "action", "subject", "about")
    for key, at, actor, action, subject, about in chosen.iterator(chunk_size=CHUNK):
        yield {
            "id": key,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": actor,
            "action": action,
            "subject": subject,
            "about": about,
        }


def _jsonl(events: QuerySet[Event]) -> Iterator[str]:
    for line in lines(events):
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _head() -> dict[str, str]:
    """The names of the columns, then of the actions, in the active language."""
    names = {
        "id": _("Number"),
        "at": _("Date (UTC)"),
        "actor": _("By"),
        "action": _("Action code"),
        "label": _("Action"),
        "subject": _("Subject"),
        "about": _("Object"),
    }
    return names | {value: str(label) for value, label in Event.Action.choices}


def _delimiter() -> str:
    """As the spreadsheets of the language's country expect it."""
    return ";" if (get_language() or "").startswith("fr") else ","


def _csv(events: QuerySet[Event], named: dict[str, str], delimiter: str) -> Iterator[str]:
    """In UTF-8 with its mark; every text is quoted, and none is taken for a formula."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    columns = ("id", "at", "actor", "action", "label", "subject", "about")
    buffer.write("\ufeff")
    writer.writerow([named[column] for column in columns])
    for line in lines(events):
        action = str(line["action"])
        told = line | {"label": named.get(action, action)}
        writer.writerow([safe(str("" if told[each] is None else told[each])) for each in columns])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()
