"""Delete the sittings kept for as long as the information notice says. To be run every day."""

from django.core.management import call_command
from django.core.management.base import BaseCommand

from assessments import jobs
from assessments.sittings import purge


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options) -> None:
        deleted = purge()
        jobs.forget()
        call_command("clearsessions")
        self.stdout.write(f"{deleted} sittings deleted.")
