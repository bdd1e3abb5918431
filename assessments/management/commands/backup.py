"""Back up the database into a folder: a file, its manifest, and the list of what was erased.

Others go on writing meanwhile. Backups older than READINESS_BACKUPS_KEPT days are deleted. The
secret key is not in it, and belongs elsewhere. To be run every day.
"""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from assessments import backups


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "folder",
            nargs="?",
            type=Path,
            default=Path(settings.DATA_DIR) / "backups",
            help="(default: %(default)s)",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="the clock is right, however long ago the last purge or backup was",
        )

    def handle(self, *args, folder: Path, force: bool, **options) -> None:
        try:
            taken = backups.take(folder.absolute(), force=force)
        except backups.BackupError as refused:
            raise CommandError(f"No backup was made: {refused}.") from None
        rows = sum(table.rows for table in taken.manifest.tables.values())
        answers = taken.manifest.answers
        self.stdout.write(f"{taken.path}: {taken.manifest.size} bytes, {rows} rows.")
        self.stdout.write(f"{answers.rows} sittings, digest {answers.digest}")
        for name in taken.deleted:
            self.stdout.write(f"{name}: past its day, deleted.")
        if taken.doubt:
            raise CommandError(f"The backup was made, and no older one deleted: {taken.doubt}.")
