"""Publish large groups and make their exports. Runs beside the server, which waits for neither."""

import logging
import signal
import time

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django_tasks_db.management.commands.db_worker import Worker

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
        if batch:
            self._work(batch=True)
            return
        telemetry.instrument()
        telemetry.export(of_worker=True)
        over = jobs.beat_while_living()
        try:
            self._outlive()
        finally:
            over.set()

    def _work(self, *, batch: bool) -> None:
        jobs.send_again()  # what the last worker left, if it was stopped in the middle
        call_command("db_worker", batch=batch, startup_delay=False, reload=False, verbosity=0)

    def _outlive(self) -> None:
        away = False
        while True:
            try:
                if away:
                    connection.ensure_connection()
                    logger.warning("The database is back; the worker goes on.")
                    away = False
                self._work(batch=False)
                return
            except AWAY as error:
                if _told_to_stop():
                    return
                if not away:
                    logger.warning(
                        "The database failed the worker, which waits for it: %s",
                        str(error).partition("\n")[0],
                    )
                away = True
                connection.close()
                time.sleep(LOOK_AGAIN)


def _told_to_stop() -> bool:
    """Whether the worker that the database has failed was to stop once its task was over: nobody
    will tell the next one, who would not know."""
    worker = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return isinstance(worker, Worker) and not worker.running
