"""Restore a backup aside, compare it with its manifest, and take it away again. Touches nothing.

SQLite: a copy beside the database. PostgreSQL: a temporary database, for which the role needs
CREATEDB.
"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from assessments import backups


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        told = "a backup, or a folder of which the newest is taken"
        parser.add_argument("file", type=Path, help=told)

    def handle(self, *args, file: Path, **options) -> None:
        try:
            if file.is_dir():
                file = backups.newest(file)
            done = backups.verify(file.absolute())
        except backups.BackupError as refused:
            raise CommandError(f"{file}: {refused}.") from None
        told = done.manifest
        self.stdout.write(f"{file}: good, of {told.taken_at:%Y-%m-%d %H:%M:%S} UTC.")
        self.stdout.write(f"{len(told.tables)} tables and their digests are equal.")
        self.stdout.write(f"{told.answers.rows} sittings, digest {told.answers.digest}")
        if done.migrated:
            self.stdout.write(f"It is older than this version: {len(done.migrated)} migrations.")
        self.stdout.write(f"Restored aside in {done.seconds:.1f} s.")
