"""Write what was erased to a list, or read such a list.

A restored backup brings back whoever erased their answers after it was made; this list has them
erased again. It holds keyed hashes and days alone. To be exported every hour to another machine:
what was erased since the last export, and is then lost with the database, comes back.
"""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from assessments import tombstones
from assessments.backups.files import unreadable, write_whole


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        either = parser.add_mutually_exclusive_group(required=True)
        add = either.add_argument
        add("--export", metavar="FILE", help="add to that list (- writes to standard output)")
        add("--import", metavar="FILE", dest="read", help="erase again all that a list names")

    def handle(self, *args, **options) -> None:
        if options["read"]:
            self._read(Path(options["read"]))
        elif options["export"] == "-":
            self.stdout.write(tombstones.written(tombstones.known()), ending="")
        else:
            self._export(Path(options["export"]))

    def _export(self, path: Path) -> None:
        known = tombstones.known()
        try:
            if path.exists():  # never shorter: it may know of what this database has lost
                known = _list(path) | known
            write_whole(path, tombstones.written(known).encode("ascii"))
        except OSError as refused:
            raise CommandError(f"{path}: {unreadable(refused)}; nothing is changed.") from None
        self.stdout.write(f"{path}: {len(known.days)} tombstones.")

    def _read(self, path: Path) -> None:
        try:
            erased = _list(path)
        except OSError as refused:
            raise CommandError(f"{path}: {unreadable(refused)}; nothing is changed.") from None
        tombstones.add(erased)
        again = tombstones.erase_again()
        self.stdout.write(f"{again} sittings erased again, of {len(erased.days)} on the list.")


def _list(path: Path) -> tombstones.Erased:
    text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    try:
        return tombstones.read(text)
    except (tombstones.ListError, UnicodeDecodeError) as refused:
        raise CommandError(f"{path}: {refused}; nothing is changed.") from None
