"""Put a backup in the database's place, without those who have erased their answers since.

Stop the server and the worker first. The backup is tried aside and compared with its manifest
before anything is changed. What was erased is taken from the database that is replaced, from the
lists beside the backup (tombstones*.txt) and from those that are named.
"""

from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from assessments import backups


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        add = parser.add_argument
        add("file", type=Path)
        add("--replace", action="store_true", help="even though the database holds data")
        add(
            "--tombstones",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a list of what was erased, made by `manage.py tombstones --export`",
        )
        add(
            "--key-lost",
            action="store_true",
            help="the secret key is lost for good: delete all answers, which nobody can open or "
            "erase any more, and keep the rest",
        )

    def handle(self, *args, file: Path, **options) -> None:
        began = timezone.now()
        try:
            done = backups.restore(
                file.absolute(),
                replace=options["replace"],
                lists=options["tombstones"],
                key_lost=options["key_lost"],
            )
        except backups.BackupError as refused:
            raise CommandError(f"{file} was not restored: {refused}.") from None
        told = done.manifest
        write = self.stdout.write
        write(f"Restored {file}, of {told.taken_at:%Y-%m-%d %H:%M:%S} UTC.")
        write(f"{len(told.tables)} tables and their digests were equal to the manifest's.")
        if not done.tried:
            write("They were compared in place: the role lacks CREATEDB, to try it aside first.")
        if done.migrated:
            write(f"Migrated from an older version: {', '.join(done.migrated)}.")
        write(f"{told.answers.rows} sittings, {done.erased} of them erased again: {done.left}.")
        if done.known_until is not None:
            write(f"What was erased is known until {done.known_until:%Y-%m-%d %H:%M:%S} UTC.")
        elif done.left:
            write("No list of what was erased was found: whoever erased their answers since the")
            write("backup has come back. `manage.py tombstones --import FILE` erases them again.")
        # With the key lost, no answers are left that could have come back.
        if done.too_old and done.left:
            write("The backup is older than READINESS_BACKUPS_KEPT: what was erased so long ago is")
            write("remembered nowhere, and has come back.")
        # What was restored may be old, and so the last time that it knows of.
        call_command("purge", force=True, stdout=self.stdout)
        write("Everybody is signed off.")
        write(f"Lost at most what was saved in the last {_span(began - told.taken_at)} (RPO).")
        write(f"Took {done.seconds:.1f} s (RTO).")


def _span(span) -> str:
    minutes = int(span.total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h {minutes % 60} min"
