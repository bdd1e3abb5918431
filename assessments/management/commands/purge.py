"""Delete what has been kept for as long as the information notice says, and take the day's counts
of open phases. To be run every day."""

from django.core.management import call_command
from django.core.management.base import BaseCommand

from assessments import jobs, limits, releases
from assessments.sittings import open_phases, purge


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options) -> None:
        deleted = purge()
        jobs.forget()
        limits.forget()
        call_command("clearsessions")
        for phase in open_phases():
            releases.refresh_counts(phase)
        self.stdout.write(f"{deleted} sittings deleted.")
