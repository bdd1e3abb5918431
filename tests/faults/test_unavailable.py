"""What is said while the database is away: clear, in the reader's language, and nothing is lost."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from html import unescape
from unittest import mock

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import InternalError, OperationalError, connection
from django.test import Client
from django.urls import reverse
from django_tasks_db.management.commands import db_worker as tasks

from assessments import jobs, sittings
from assessments.management.commands import worker
from assessments.models import Sitting
from assessments.outages import outage
from tests.sitting.conftest import Person, address

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}
HIDDEN = re.compile(r'type="hidden" name="([^"]+)" value="([^"]*)"')


def away(*args, **kwargs):
    raise OperationalError("the server closed the connection unexpectedly\ndetails")


@pytest.fixture
def no_database():
    """Every statement fails, those of sessions too."""
    with connection.execute_wrapper(away):
        yield


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False, headers={"accept-language": "en"})


@pytest.fixture
def person(version) -> Person:
    person = Person()
    person.begin()
    person.client.raise_request_exception = False
    return person


def is_told(response) -> None:
    assert response.status_code == 503
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert "no-store" in response.headers["Cache-Control"]


def test_every_page_says_so_without_the_database(person, no_database):
    for there in (
        reverse("landing"),
        reverse("sitting"),
        reverse("results"),
        reverse("admin:index"),
    ):
        response = person.client.get(there)
        is_told(response)
        assert "The service cannot answer at the moment" in response.text
        assert f'href="{there}"' in response.text


def test_in_the_readers_language(visitor, no_database):
    response = visitor.get(reverse("landing"), headers={"accept-language": "fr"})
    is_told(response)
    assert '<html lang="fr">' in response.text


def test_a_page_that_was_posted_is_carried_and_may_be_sent_again(person, asked):
    code = asked.page("scenarios", 1).items[0].code
    strict = Client(
        enforce_csrf_checks=True, raise_request_exception=False, headers={"accept-language": "en"}
    )
    strict.cookies = person.client.cookies
    token = re.search(
        r'name="csrfmiddlewaretoken" value="([^"]+)"', strict.get(address("scenarios", 1)).text
    )[1]
    fields = {
        "csrfmiddlewaretoken": token,
        "seen": person.seen("scenarios", 1),
        f"answer-{code}": "b",
        "go": "later",
    }
    with connection.execute_wrapper(away):
        refused = strict.post(address("scenarios", 1), fields)
    is_told(refused)
    assert f'action="{address("scenarios", 1)}"' in refused.text
    carried = {name: unescape(value) for name, value in HIDDEN.findall(refused.text)}
    assert carried == fields
    sent = strict.post(address("scenarios", 1), carried)
    assert (sent.status_code, sent.headers["Location"]) == (302, reverse("leave"))
    assert sittings.sheet_of(Sitting.objects.get()).answers[code].option == "b"


def test_a_browser_that_was_to_be_signed_in_keeps_its_token(visitor, version):
    """The view had changed it: what is carried must still be believed."""
    strict = Client(
        enforce_csrf_checks=True, raise_request_exception=False, headers={"accept-language": "en"}
    )
    posted = {"csrfmiddlewaretoken": ""}
    for there in (reverse("landing"), reverse("notice")):
        page = strict.get(there).text
        posted["csrfmiddlewaretoken"] = re.search(
            r'name="csrfmiddlewaretoken" value="([^"]+)"', page
        )[1]
        strict.post(there, posted)
    page = strict.get(reverse("start"))
    posted = dict(HIDDEN.findall(page.text))
    with mock.patch.object(SessionStore, "save", away):
        refused = strict.post(reverse("start"), posted)
    is_told(refused)
    carried = {name: unescape(value) for name, value in HIDDEN.findall(refused.text)}
    assert strict.post(reverse("start"), carried).status_code == 302
    assert Sitting.objects.count() == 1


def test_a_script_is_told_in_a_few_words(person, no_database):
    response = person.client.post(address("scenarios", 1), {"go": "keep"}, headers=JSON)
    is_told(response)
    assert "cannot answer at the moment" in response.json()["said"]


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "a", "password": "a-secret"},
        {"file": SimpleUploadedFile("a.yaml", b"a-secret")},
    ],
    ids=["password", "file"],
)
def test_neither_a_password_nor_a_file_is_put_into_a_page(visitor, no_database, fields):
    response = visitor.post(reverse("landing"), fields)
    is_told(response)
    assert "a-secret" not in response.text
    assert "<form" not in response.text.partition("<main")[2].partition("</main>")[0]
    assert "once more" in response.text


def test_a_session_that_cannot_be_written_is_no_session_that_was_deleted(person):
    """Django says that it was deleted, and answers 400."""
    really, begun = SessionStore.save, []

    def failing(self, must_create=False):
        begun.append(must_create)
        with connection.execute_wrapper(away):
            return really(self, must_create)

    with mock.patch.object(SessionStore, "save", failing):
        response = person.client.post(reverse("landing"))
    assert begun == [False]
    is_told(response)


def test_other_failures_stay_what_they_are(visitor, version):
    with mock.patch("assessments.views.words.render", side_effect=RuntimeError("an incident")):
        assert visitor.get(reverse("privacy")).status_code == 500
    assert visitor.get("/", headers={"host": "elsewhere.example"}).status_code == 400


def test_what_is_logged_is_one_line_without_what_was_posted(person, caplog):
    with connection.execute_wrapper(away):
        person.client.post(address("scenarios", 1), {"answer-a": "a-secret"})
    [line] = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert line == "The database failed a request: the server closed the connection unexpectedly"


def test_where_a_failure_comes_from():
    assert outage(None) is None
    assert outage(ValueError()) is None
    assert isinstance(outage(InternalError("read-only transaction")), InternalError)
    later = ValueError()
    later.__context__ = OperationalError("gone")
    assert outage(later) is later.__context__


def test_the_worker_waits_for_a_database_that_is_away(monkeypatch, caplog):
    begun, slept = [], []

    def db_worker(*args, **options):
        begun.append(options["batch"])
        if len(begun) < 3:
            away()

    monkeypatch.setattr(worker, "call_command", db_worker)
    monkeypatch.setattr(jobs, "beat_while_living", threading.Event)
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    monkeypatch.setattr(worker.time, "sleep", slept.append)
    call_command("worker")
    assert begun == [False] * 3
    assert slept == [worker.LOOK_AGAIN] * 2
    said = [each.getMessage() for each in caplog.records]
    assert "details" not in "".join(said)
    assert [line.partition(",")[0].partition(";")[0] for line in said] == [
        "The database failed the worker",
        "The database is back",
        "The database failed the worker",
        "The database is back",
    ]


@pytest.fixture
def signals() -> Iterator[None]:
    """A worker takes over these signals; the test gives them back."""
    taken = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    before = [signal.getsignal(each) for each in taken]
    yield
    for each, handler in zip(taken, before, strict=True):
        signal.signal(each, handler)


def test_a_worker_told_to_stop_stops_though_the_database_fails_its_task(monkeypatch, signals):
    """Else a new one would begin, which was never told, and whoever stops it waits for ever."""
    begun = []

    def db_worker(*args, **options):
        begun.append(options["batch"])
        at_work = tasks.Worker(
            queue_names=["default"],
            interval=1,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id="told",
            excluded_queue_names=[],
        )
        at_work.configure_signals()
        if len(begun) == 1:
            at_work.running_task = True
            os.kill(os.getpid(), signal.SIGTERM)
            assert not at_work.running
            away()

    monkeypatch.setattr(worker, "call_command", db_worker)
    monkeypatch.setattr(jobs, "beat_while_living", threading.Event)
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    monkeypatch.setattr(worker.time, "sleep", lambda seconds: None)
    call_command("worker")
    assert begun == [False]


def test_a_job_that_the_database_fails_is_done_later(phase, monkeypatch, django_user_model):
    from assessments.models import Job

    trainer = django_user_model.objects.get(username="trainer")
    job = jobs.start(phase, trainer, Job.Work.EXPORT, export="results.json")
    monkeypatch.setattr(jobs, "_done", away)
    with pytest.raises(OperationalError):
        jobs.run.call(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    assert jobs.DBTaskResult.objects.count() == 2
    monkeypatch.setattr(jobs, "_done", lambda job: b"made")
    jobs.run.call(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_a_job_that_beats_in_time_to_come_is_silent(phase, django_user_model):
    """The clock has been put back since it last said that it goes on."""
    from assessments.models import Job

    trainer = django_user_model.objects.get(username="trainer")
    job = jobs.start(phase, trainer, Job.Work.EXPORT, export="results.json")
    jobs.DBTaskResult.objects.all().delete()
    job.beat_at += 2 * jobs.KEPT
    job.save()
    jobs.revive(job)
    assert jobs.DBTaskResult.objects.count() == 1
