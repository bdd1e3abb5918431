"""The n-th statement fails, for n = 1, 2, 3 … until none does: SQLite's own method.

Whatever fails, what was acknowledged is kept, nothing is half done, and the same sent again does
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from unittest import mock

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse

from assessments import frozen, releases, sittings
from assessments.models import Event, Phase, Release, Sitting
from tests.sitting.conftest import Person, address
from tests.test_releases import finished, join

pytestmark = pytest.mark.django_db(transaction=True)


class Fault:
    """Makes the n-th statement from now on fail, the end of a transaction being one too."""

    def __init__(self, number: int, error: type[DatabaseError], *, lost: bool, late: bool) -> None:
        self.left = number
        self.error = error
        self.lost = lost
        """Whether the connection goes with it."""
        self.late = late
        """Whether what failed had been done: the acknowledgement alone was lost."""

    @property
    def struck(self) -> bool:
        return self.left <= 0

    def statement(self, execute, sql, params, many, context):
        return self._through(lambda: execute(sql, params, many, context))

    def _through(self, do: Callable[[], object]) -> object:
        self.left -= 1
        if self.left != 0:
            return do()
        if self.late:
            do()
        if self.lost and connection.vendor == "postgresql":  # a file is not lost
            connection.connection.close()
        raise self.error("injected")

    @contextmanager
    def injected(self) -> Iterator[None]:
        commit = BaseDatabaseWrapper._commit

        def committing(wrapper: BaseDatabaseWrapper) -> object:
            return self._through(lambda: commit(wrapper))

        try:
            with (
                mock.patch.object(BaseDatabaseWrapper, "_commit", committing),
                connection.execute_wrapper(self.statement),
            ):
                yield
        finally:
            connection.close()  # as at the end of each request


@dataclass(frozen=True)
class Kind:
    error: type[DatabaseError]
    lost: bool = False
    late: bool = False


KINDS = {
    "integrity": Kind(IntegrityError),
    "operational": Kind(OperationalError),
    "lost connection": Kind(OperationalError, lost=True),
    "lost acknowledgement": Kind(OperationalError, lost=True, late=True),
}


@pytest.fixture(params=KINDS)
def kind(request) -> Kind:
    return KINDS[request.param]


def every_statement(kind: Kind, drill: Callable[[Fault], None], *, least: int) -> None:
    """Run a drill with its first statement failing, then its second, until it ends unhurt."""
    for number in range(1, 200):
        fault = Fault(number, kind.error, lost=kind.lost, late=kind.late)
        drill(fault)
        if not fault.struck:
            assert number > least, "so few statements: the drill reaches nothing"
            return
    raise AssertionError("it never ends")


def said(kind: Kind, response, fault: Fault) -> bool:
    """Whether a page was acknowledged. What is not, is told so in the right words."""
    if response.status_code in (200, 302):
        return True
    assert fault.struck
    if kind.error is OperationalError:
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
    return False


@pytest.fixture
def quiet(caplog) -> None:
    caplog.set_level("CRITICAL")


def somebody() -> Person:
    person = Person()
    person.begin()
    person.client.raise_request_exception = False
    return person


@pytest.mark.parametrize("script", [False, True], ids=["form", "script"])
def test_saving(kind, asked, quiet, script):
    item = asked.page("scenarios", 1).items[0].code
    person = somebody()
    options = [option.code for option in asked.page("scenarios", 1).items[0].options]
    turn = iter(range(1000))
    accept = {"accept": "application/json"} if script else {}

    def kept() -> str | None:
        answer = sittings.sheet_of(Sitting.objects.get()).answers.get(item)
        return answer and answer.option

    def drill(fault: Fault) -> None:
        before, new = kept(), options[next(turn) % len(options)]
        fields = {
            "seen": person.seen("scenarios", 1),
            f"answer-{item}": new,
            "go": "keep" if script else "",
        }

        def send():
            return person.client.post(address("scenarios", 1), fields, headers=accept)

        with fault.injected():
            response = send()
        if said(kind, response, fault):
            assert kept() == new
        else:
            assert kept() in (before, new)
        assert send().status_code in (200, 302)
        assert kept() == new

    every_statement(kind, drill, least=2)


@pytest.mark.parametrize("rolling", [False, True], ids=["closed", "rolling"])
def test_finishing(kind, phase, quiet, rolling):
    Phase.objects.filter(pk=phase.pk).update(rolling=rolling)
    phase.refresh_from_db()
    finished(phase, 21)

    def drill(fault: Fault) -> None:
        sitting = join(phase)
        # The last that a block of eleven waits for, each time.
        waiting = Sitting.objects.filter(phase=phase, released=False, finished_on__isnull=False)
        missing = 21 - waiting.count()
        finished(phase, max(missing, 0))
        with fault.injected():
            done = False
            with suppress(DatabaseError):
                sittings.finish(sitting)
                done = True
        sitting = Sitting.objects.get(pk=sitting.pk)
        assert done is (sitting.finished_on is not None) or (fault.late and not done)
        assert (sitting.finished_on is None) is (sitting.outcomes is None)
        assert done or fault.struck
        sittings.finish(sitting)
        assert Sitting.objects.get(pk=sitting.pk).finished_on is not None
        for release in releases.published(phase):
            assert release.at_least >= 10

    every_statement(kind, drill, least=4)
    assert Release.objects.exists() is rolling


def test_erasing(kind, version, quiet):
    def drill(fault: Fault) -> None:
        person = somebody()
        key = person.sitting.pk
        with fault.injected():
            response = person.client.post(reverse("erase"))
        gone = not Sitting.objects.filter(pk=key).exists()
        assert gone or not said(kind, response, fault)
        person.client.post(reverse("erase"))
        assert not Sitting.objects.filter(pk=key).exists()

    every_statement(kind, drill, least=3)


def test_joining(kind, version, quiet):
    def drill(fault: Fault) -> None:
        person = Person()
        person.client.raise_request_exception = False
        person.client.post("/")
        person.client.post(reverse("notice"))
        token = person.client.get(reverse("start")).context["form"].initial["token"]
        Sitting.objects.all().delete()

        def send():
            return person.client.post(reverse("start"), {"token": token})

        with fault.injected():
            response = send()
        if said(kind, response, fault):
            assert Sitting.objects.count() == 1
            assert person.client.get(response.headers["Location"]).status_code == 200
        assert send().status_code == 302
        assert Sitting.objects.count() == 1
        assert person.see("context", 1).status_code == 200

    every_statement(kind, drill, least=5)


def test_closing(kind, phase, quiet):
    finished(phase, 12)

    def drill(fault: Fault) -> None:
        with frozen.thawed(Phase, Sitting):
            Phase.objects.filter(pk=phase.pk).update(closed_on=None, settled_on=None)
            Sitting.objects.update(released=False)
        before = Release.objects.count(), Event.objects.count()
        done = False
        with fault.injected(), suppress(DatabaseError):
            releases.close(Phase.objects.get(pk=phase.pk), None)
            done = True
        known = Phase.objects.get(pk=phase.pk)
        now = Release.objects.count() - before[0], Event.objects.count() - before[1]
        closed = known.closed_on is not None
        assert closed or not done
        assert (known.settled_on is not None) is closed
        assert now == (int(closed), int(closed))
        waiting = Sitting.objects.filter(phase=phase, released=False).count()
        assert waiting == (0 if closed else 12)
        with suppress(releases.AlreadyClosed):
            releases.close(known, None)
        assert Release.objects.count() == before[0] + 1

    every_statement(kind, drill, least=8)
