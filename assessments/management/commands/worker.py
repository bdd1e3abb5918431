"""Publish large groups and make their exports. Runs beside the server, which waits for neither."""

import logging
import time

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from assessments import jobs
from assessments.outages import AWAY
from readiness import telemetry

LOOK_AGAIN = 2.0
"""Seconds after which a database that is away is asked again."""

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = f"{__doc__} It outlives a database that goes away, and goes on when it is back."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--batch", action="store_true", help="do what waits, then end")

    def handle(self, *args, batch: bool, **options) -> None:
        if not batch:
            jobs.beat_while_living()
            telemetry.instrument()
            telemetry.export(of_worker=True)
        away = False
        while True:
            try:
                jobs.send_again()  # what the last worker left, if it was stopped in the middle
                if away:
                    logger.warning("The database is back; the worker goes on.")
                    away = False
                call_command(
                    "db_worker", batch=batch, startup_delay=False, reload=False, verbosity=0
                )
                return
            except AWAY as error:
                if batch:
                    raise
                if not away:
                    logger.warning(
                        "The database failed the worker, which waits for it: %s",
                        str(error).partition("\n")[0],
                    )
                away = True
                connection.close()
                time.sleep(LOOK_AGAIN)
