"""Say what to mend in an instrument: a folder, or else the version that is served.

Rules, translations, readability, option lengths, key balance, blueprint, coverage of the strategy,
dates. The exit status is 1 as soon as there is anything to mend.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from assessments.instrument import checking
from assessments.instrument.document import Instrument
from assessments.instrument.loading import InstrumentError, load
from assessments.instrument.rules import MESSAGES, Finding
from assessments.instruments import current, instrument_of

SHIPPED = settings.BASE_DIR / "seeds" / "ai-readiness"
AHEAD = timedelta(days=60)
"""How long before it is due a review is announced."""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "path",
            type=Path,
            nargs="?",
            help="folder of an instrument; without it the version that is served is checked, or "
            "seeds/ai-readiness where none is published yet",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")
        parser.add_argument(
            "--table", action="store_true", help="print the bank as a Markdown table, and no more"
        )
        parser.add_argument(
            "--on",
            type=date.fromisoformat,
            help="day on which dates are judged, such as 2027-05-25 (default: today)",
        )

    def handle(
        self, *args, path: Path | None, format: str, table: bool, on: date | None, **options
    ) -> None:
        day = on or timezone.localdate()
        instrument, findings, checked = self._checked(path)
        if table and instrument is not None:
            self.stdout.write(checking.bank_table(instrument), ending="")
            return
        if instrument is not None:
            findings = checking.review(instrument, day)
        if format == "json":
            report = as_json(instrument, findings, checked, day)
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            self._write(instrument, findings, checked, day)
        if findings:
            raise CommandError(f"{len(findings)} to mend in {checked}.", returncode=1)

    def _checked(self, path: Path | None) -> tuple[Instrument | None, Sequence[Finding], str]:
        """The instrument, or what it is refused for, and what it was read from."""
        if path is None:
            try:
                version = current()
            except DatabaseError:  # nothing has been migrated yet
                version = None
            if version is not None:
                return instrument_of(version.digest), (), str(version)
            path = SHIPPED
        if not path.is_dir():
            raise CommandError(f"{path} is not a folder.")
        named = path.name
        try:
            return load(path), (), named
        except InstrumentError as refused:
            return None, refused.findings, named

    def _write(
        self, instrument: Instrument | None, findings: Sequence[Finding], checked: str, day: date
    ) -> None:
        for finding in findings:
            self.stdout.write(finding.render(_))
        if instrument is None:
            return
        self.stdout.write(f"{checked}, as of {day.isoformat()}")
        counts = checking.scenario_counts(instrument)
        columns = [*instrument.forms, checking.RESERVE, checking.ALL]
        self.stdout.write("".join(f"{name:>9}" for name in ("domain", *columns)))
        for domain, row in counts.items():
            self.stdout.write("".join(f"{name:>9}" for name in (domain, *map(row.get, columns))))
        for item in checking.due_within(instrument, day, AHEAD):
            self.stdout.write(f"to be reviewed by {item.review_by.isoformat()}: {item.code}")
        if not findings:
            self.stdout.write("Nothing to mend.")


def as_json(
    instrument: Instrument | None, findings: Sequence[Finding], checked: str, day: date
) -> dict[str, object]:
    """What the command says, for a program; ``scenarios`` is empty for a refused instrument."""
    return {
        "instrument": checked,
        "code": instrument and instrument.code,
        "version": instrument and instrument.version,
        "on": day.isoformat(),
        "findings": [
            {
                "file": finding.file,
                "item": finding.item,
                "field": finding.field,
                "rule": finding.rule,
                "message": MESSAGES[finding.rule].format(**finding.params),
            }
            for finding in findings
        ],
        "scenarios": checking.scenario_counts(instrument) if instrument else {},
        "due_soon": [
            {"item": item.code, "review_by": item.review_by.isoformat()}
            for item in (checking.due_within(instrument, day, AHEAD) if instrument else ())
        ],
    }
