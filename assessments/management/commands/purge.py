"""Delete what has been kept for as long as the information notice says, and take the day's counts
of open phases. To be run every day; running it twice, even at once, does no harm."""

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from assessments import jobs, journal, limits, releases, tombstones, upkeep
from assessments.cohort.disclosure import at_least
from assessments.models import Event
from assessments.sittings import open_phases, purge
from assessments.staff import sessions


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--force",
            action="store_true",
            help="the clock is right, however long ago the last purge or backup was",
        )

    def handle(self, *args, **options) -> None:
        if not options["force"] and (doubt := upkeep.doubt()):
            raise CommandError(f"Nothing was deleted: {doubt}.")
        with upkeep.alone(upkeep.Work.PURGE):
            again = tombstones.erase_again()
            with transaction.atomic():
                deleted, lines = purge(), journal.forget()
                if deleted or lines:
                    told = f"sittings ≥ {at_least(deleted)}, lines of the journal {lines}"
                    journal.record(Event.Action.PURGED, None, told)
            jobs.forget()
            limits.forget()
            upkeep.forget_cached()
            forgotten = tombstones.forget()
            call_command("clearsessions")
            sessions.forget()
        for phase in open_phases():
            releases.refresh_counts(phase)
        self.stdout.write(f"{deleted} sittings deleted.")
        if again:
            self.stdout.write(f"{again} erased sittings had come back, and were erased again.")
        if forgotten:
            self.stdout.write(f"{forgotten} tombstones were older than any backup: deleted.")
