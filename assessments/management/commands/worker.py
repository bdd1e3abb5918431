"""Publish large groups and make their exports. Runs beside the server, which waits for neither."""

from django.core.management import call_command
from django.core.management.base import BaseCommand

from assessments import jobs
from readiness import telemetry


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--batch", action="store_true", help="do what waits, then end")

    def handle(self, *args, batch: bool, **options) -> None:
        jobs.send_again()  # what the last worker left, if it was stopped in the middle
        if not batch:
            jobs.beat_while_living()
            telemetry.instrument()
            telemetry.export(of_worker=True)
        call_command("db_worker", batch=batch, startup_delay=False, reload=False, verbosity=0)
