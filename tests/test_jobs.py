"""Long work: asked by a page, done by the worker, unhurt by a restart."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone, translation
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from assessments import cohort_exports, jobs, releases, sittings
from assessments.frozen import thawed
from assessments.models import Job, Phase, Release, Sitting

from .test_releases import finished, join, phase  # noqa: F401 (the fixture)

pytestmark = pytest.mark.django_db


@pytest.fixture
def trainer(phase):  # noqa: F811
    user = get_user_model().objects.create_user("trainer")
    phase.cohort.trainers.add(user)
    return user


@pytest.fixture
def closed(phase, trainer, monkeypatch) -> Phase:  # noqa: F811
    """A phase of 25, long for this test, closed and not settled."""
    monkeypatch.setattr(releases, "LONG", 20)
    monkeypatch.setattr(releases, "PART", 4)
    finished(phase, 25)
    assert releases.close(phase, trainer) is None
    return phase


@pytest.fixture(autouse=True)
def worker_in_this_process(monkeypatch) -> None:
    """The worker leaves this test its connection and its signals."""
    monkeypatch.setattr(db_worker, "close_old_connections", lambda: None)
    monkeypatch.setattr(db_worker.Worker, "configure_signals", lambda self: None)


def work() -> None:
    call_command("worker", batch=True)


def test_a_long_queue_is_published_by_the_worker(closed, trainer):
    closed.refresh_from_db()
    assert closed.closed_on is not None
    assert closed.settled_on is None
    assert not Release.objects.exists()
    job = jobs.start(closed, trainer, Job.Work.PUBLISH)
    assert (job.state, job.percent) == (Job.State.WAITING, 0)
    work()
    job.refresh_from_db()
    closed.refresh_from_db()
    assert (job.state, job.percent) == (Job.State.DONE, 100)
    assert closed.settled_on == closed.closed_on
    assert releases.published(closed)[0].at_least == 25
    assert Sitting.objects.filter(released=True).count() == 25


def test_it_counts_what_a_short_queue_would(closed, monkeypatch):
    """A part at a time or at once, the exact counts are the same."""
    with releases.reading_sittings():
        parts = releases._counted(closed)
        monkeypatch.setattr(releases, "PART", 1000)
        assert releases._counted(closed) == parts


def test_progress_is_told_part_by_part(closed):
    told: list[float] = []
    releases.settle(closed.pk, told.append)
    assert told == sorted(told)
    assert len(told) == 7  # 25 people, 4 at a time
    assert told[-1] == 1


def test_a_worker_killed_in_the_middle_is_taken_up_by_the_next(closed, trainer, monkeypatch):
    job = jobs.start(closed, trainer, Job.Work.PUBLISH)
    really, parts = releases._add, []

    def killed(tally, part):
        parts.append(part)
        if len(parts) == 3:
            raise KeyboardInterrupt
        really(tally, part)

    monkeypatch.setattr(releases, "_add", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run.call(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    assert 0 < job.percent < 100
    assert not Release.objects.exists()
    DBTaskResult.objects.update(status="RUNNING")  # as a kill leaves it
    work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert Release.objects.count() == 1


def test_a_job_done_twice_publishes_once(closed, trainer):
    job = jobs.start(closed, trainer, Job.Work.PUBLISH)
    work()
    kept = bytes(Release.objects.get().document)
    Job.objects.update(state=Job.State.RUNNING)
    jobs.run.call(job.pk)
    assert bytes(Release.objects.get().document) == kept


def test_whoever_erases_meanwhile_is_counted_out(closed, monkeypatch):
    """Between the count and the publication, somebody leaves: the queue is counted again."""
    really, seen = releases._counted, []
    first = Sitting.objects.filter(phase=closed).first()

    def leaving(phase, progress=lambda done: None):  # noqa: F811
        found = really(phase, progress)
        seen.append(sum(counts.n for counts in found.values()))
        if len(seen) == 1:
            sittings.erase(first)
        return found

    monkeypatch.setattr(releases, "_counted", leaving)
    releases.settle(closed.pk)
    assert seen == [25, 24]
    assert Sitting.objects.filter(released=True).count() == 24
    assert releases.published(closed)[0].at_least == 20


def test_too_few_left_settles_to_nothing(phase, trainer, monkeypatch):  # noqa: F811
    monkeypatch.setattr(releases, "LONG", 5)
    people = finished(phase, 12)
    releases.close(phase, trainer)
    for sitting in people[:2]:
        sittings.erase(sitting)
    releases.settle(phase.pk)
    phase.refresh_from_db()
    assert phase.settled_on is not None
    assert not Release.objects.exists()


def test_who_finishes_before_the_worker_comes_is_late(phase, trainer, monkeypatch):  # noqa: F811
    monkeypatch.setattr(releases, "LONG", 5)
    finished(phase, 22)
    slow = join(phase)
    releases.close(phase, trainer)
    sittings.finish(slow)
    slow.refresh_from_db()
    assert slow.late
    releases.settle(phase.pk)
    assert releases.published(phase)[0].at_least == 20
    assert Sitting.objects.filter(released=True).count() == 22


def test_the_button_pressed_twice_starts_one_job(closed, trainer):
    first = jobs.start(closed, trainer, Job.Work.PUBLISH)
    assert jobs.start(closed, trainer, Job.Work.PUBLISH) == first
    assert DBTaskResult.objects.count() == 1


def test_an_export_is_kept_for_its_day(closed, trainer):
    releases.settle(closed.pk)
    with translation.override("en"):
        job = jobs.start(closed, trainer, Job.Work.EXPORT, export="results.json")
    work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    with translation.override("en"):
        assert bytes(job.file) == cohort_exports.made("results.json", closed)
    jobs.forget()
    assert Job.objects.count() == 1
    Job.objects.update(made_at=timezone.now() - jobs.KEPT - timedelta(minutes=1))
    DBTaskResult.objects.update(enqueued_at=timezone.now() - jobs.KEPT - timedelta(minutes=1))
    jobs.forget()
    assert not Job.objects.exists()
    assert not DBTaskResult.objects.exists()


def test_a_failure_is_said_and_may_be_tried_again(closed, trainer, caplog):
    sheet = Sitting.objects.filter(phase=closed).first()
    whole = bytes(sheet.answers)
    with thawed(Sitting):
        Sitting.objects.filter(pk=sheet.pk).update(answers=b"short")
    job = jobs.start(closed, trainer, Job.Work.PUBLISH)
    work()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert not Release.objects.exists()
    assert "A job failed" in caplog.text
    with thawed(Sitting):
        Sitting.objects.filter(pk=sheet.pk).update(answers=whole)
    jobs.try_again(job, trainer)
    work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert Release.objects.count() == 1


def test_of_two_workers_on_one_job_the_second_to_end_changes_nothing(closed, trainer):
    job = jobs.start(closed, trainer, Job.Work.PUBLISH)
    work()
    jobs._tell(job, state=Job.State.FAILED)
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_a_silent_job_is_sent_again_when_somebody_looks(closed, trainer):
    job = jobs.start(closed, trainer, Job.Work.PUBLISH)
    DBTaskResult.objects.all().delete()
    jobs.revive(job)
    assert not DBTaskResult.objects.exists()
    Job.objects.update(beat_at=timezone.now() - jobs.STALE * 2)
    job.refresh_from_db()
    jobs.revive(job)
    assert DBTaskResult.objects.count() == 1
