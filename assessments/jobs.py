"""Long work of trainers, done by the worker while a page tells how far it is.

A job's row says what is to be done and how far it is; the queue of tasks only carries its key. So
a job that a restart has cut short is sent again, and may even run twice: whatever it does is done
once (:func:`assessments.releases.settle`) or gives the same file.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import Error, connections, transaction
from django.db.models import Q, QuerySet
from django.tasks import task
from django.utils import timezone, translation
from django_tasks_db.models import DBTaskResult

from . import cohort_exports, releases
from .journal import record
from .models import Event, Job, Phase
from .outages import AWAY

STALE = timedelta(seconds=60)
"""A job that has said nothing for so long is sent again."""
PATIENCE = 2.0
"""Seconds that a page waits for a file before it shows how far its making is."""
LOOK_EVERY = 0.1
TRIED_AGAIN_AFTER = timedelta(seconds=10)
"""How long a job waits that the database has failed."""
KEPT = timedelta(days=1)
"""How long a job and the file it made are kept."""
BEAT_EVERY = timedelta(seconds=15)
"""How often a worker gives a sign of life."""
BEAT_KEPT = timedelta(seconds=60)
"""How long a sign of life is believed: a few may be missed, as while a disk is busy."""
STUCK = timedelta(minutes=10)
"""A task that has been waiting for so long waits for something other than its turn."""

logger = logging.getLogger(__name__)

UNFINISHED = (Job.State.WAITING, Job.State.RUNNING)


def start(phase: Phase, actor: User, work: Job.Work, *, export: str = "") -> Job:
    """Have work done in the language that is active; the same job again while it is not done."""
    with transaction.atomic():
        # In turn: the button pressed twice starts one job.
        Phase.objects.select_for_update().get(pk=phase.pk)
        wanted = {"phase": phase, "work": work, "export": export}
        known = Job.objects.filter(**wanted, actor=actor, state__in=UNFINISHED).first()
        if known is not None:
            return known
        job = Job.objects.create(**wanted, actor=actor, language=translation.get_language())
        run.enqueue(job.pk)
    return job


def done_soon(job: Job) -> bool:
    """Whether the worker does the job within :data:`PATIENCE`, as it does most files; the job is
    then read again, its file with it."""
    until = time.monotonic() + PATIENCE
    while not (done := Job.objects.filter(pk=job.pk, state=Job.State.DONE).exists()):
        if time.monotonic() >= until:
            break
        time.sleep(LOOK_EVERY)
    if done:
        job.refresh_from_db()
    return done


def publication_of(phase: Phase) -> Job | None:
    """The job that publishes a phase, if it is published by one."""
    return Job.objects.filter(phase=phase, work=Job.Work.PUBLISH).defer("file").first()


def send_again(silent_since: datetime | None = None) -> int:
    """Send unfinished jobs again, all or those silent since a time; how many they were."""
    left = Job.objects.filter(state__in=UNFINISHED)
    if silent_since is not None:
        # Or since a time to come: the clock has been put back.
        left = left.filter(Q(beat_at__lt=silent_since) | Q(beat_at__gt=timezone.now() + STALE))
    keys = list(left.values_list("pk", flat=True))
    Job.objects.filter(pk__in=keys).update(beat_at=timezone.now())
    for key in keys:
        run.enqueue(key)
    return len(keys)


@transaction.atomic
def try_again(job: Job, actor: User) -> None:
    """Send a job again that has failed; once, whoever else asks for it."""
    failed = Job.objects.filter(pk=job.pk, state=Job.State.FAILED)
    if failed.update(state=Job.State.WAITING, beat_at=timezone.now()):
        run.enqueue(job.pk)
        what = " · ".join(filter(None, (str(job.phase), job.export)))
        record(Event.Action.RETRIED, actor, what, job.phase)


def revive(job: Job) -> None:
    """Send a job again that has gone silent."""
    if job.state in UNFINISHED and abs(timezone.now() - job.beat_at) > STALE:
        send_again(timezone.now() - STALE)


def kept() -> QuerySet[Job]:
    """The jobs that are done and whose file may still be taken."""
    return Job.objects.filter(state=Job.State.DONE, made_at__gte=timezone.now() - KEPT)


def forget() -> None:
    """Delete jobs, and the traces of their tasks, that are older than :data:`KEPT`."""
    before = timezone.now() - KEPT
    # A publication that failed waits for somebody to ask for it again.
    failed = Q(work=Job.Work.PUBLISH, state=Job.State.FAILED)
    over = Job.objects.filter(made_at__lt=before).exclude(failed)
    over.exclude(state__in=UNFINISHED).delete()
    DBTaskResult.objects.filter(enqueued_at__lt=before).delete()


BEAT = "worker-lives"


def worker_lives() -> bool:
    """Whether a worker, on this machine or another, has given a sign of life lately."""
    return cache.get(BEAT) is not None


def queue_is_stuck() -> bool:
    """Whether a task that could be done has been waiting for longer than :data:`STUCK`."""
    waiting = DBTaskResult.objects.ready()
    return waiting.filter(enqueued_at__lt=timezone.now() - STUCK).exists()


def beat_while_living() -> threading.Event:
    """Give signs of life from a thread beside the work, until the event is set."""
    over = threading.Event()

    def beating() -> None:
        while True:
            try:
                cache.set(BEAT, True, timeout=BEAT_KEPT.total_seconds())
            except Error:
                logger.warning("The worker could not give its sign of life.")
            finally:
                connections.close_all()
            if over.wait(BEAT_EVERY.total_seconds()):
                return

    threading.Thread(target=beating, name="beat", daemon=True).start()
    return over


@task
def run(job_id: int) -> None:
    """Do a job, unless it is done or has failed; what the database fails is done again later."""
    unfinished = Job.objects.filter(pk=job_id, state__in=UNFINISHED)
    if not unfinished.update(state=Job.State.RUNNING, percent=0, beat_at=timezone.now()):
        return
    job = Job.objects.select_related("phase").get(pk=job_id)
    try:
        file = _done(job)
    except AWAY:
        run.using(run_after=timezone.now() + TRIED_AGAIN_AFTER).enqueue(job_id)
        raise
    except Exception:
        _tell(job, state=Job.State.FAILED)
        logger.exception("A job failed: %s.", job.get_work_display())
        return
    _tell(job, state=Job.State.DONE, percent=100, file=file)


def _done(job: Job) -> bytes | None:
    if job.work == Job.Work.PUBLISH:
        releases.settle(job.phase_id, lambda done: _tell(job, percent=int(99 * done)))
        return None
    with translation.override(job.language):
        return cohort_exports.made(job.export, job.phase)


def _tell(job: Job, **said: object) -> None:
    # Of two workers on one job, the second to end changes nothing.
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING)
    running.update(beat_at=timezone.now(), **said)
