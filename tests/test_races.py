"""Two things at the same moment: each test runs them in threads, on the real database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from assessments import codes, releases, sittings
from assessments.cohort.counts import Deed
from assessments.models import Phase, Release, Sitting
from assessments.scoring.sheet import ScenarioAnswer, Sheet

from .test_releases import finished, join, phase  # noqa: F401 (the fixture)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run them in as many threads; what each returned or raised, in their order."""
    found: list[object] = [None] * len(works)
    ready = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], object]) -> None:
        try:
            ready.wait(timeout=10)
            found[place] = work()
        except Exception as error:
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return found


def fresh(sitting: Sitting) -> Sitting:
    return Sitting.objects.select_related("version").get(pk=sitting.pk)


def slowed(monkeypatch, module, name: str, seconds: float = 0.4) -> None:
    """What it returns comes late, so that the other thread gets in between."""
    quick = getattr(module, name)

    def slow(*args, **kwargs):
        result = quick(*args, **kwargs)
        time.sleep(seconds)
        return result

    monkeypatch.setattr(module, name, slow)


def test_a_save_never_slips_into_a_finish(phase, monkeypatch):  # noqa: F811
    sitting = join(phase)
    asked = sittings.questionnaire_of(sitting)
    page = asked.page("scenarios", 1)
    best = {item.code: ScenarioAnswer(item.best.code, None) for item in page.items}
    sittings.save_page(sitting, page, Sheet(answers=best), seen=None, language="fr")
    worst = {
        item.code: ScenarioAnswer(min(item.options, key=lambda each: each.credit).code, None)
        for item in page.items
    }
    slowed(monkeypatch, sittings, "profile_of")
    first, second = fresh(sitting), fresh(sitting)

    def save_late() -> None:
        time.sleep(0.15)
        sittings.save_page(second, page, Sheet(answers=worst), seen=None, language="fr")

    _done, late = at_once(lambda: sittings.finish(first), save_late)
    kept = fresh(sitting)
    assert isinstance(late, sittings.Finished)
    assert bytes(kept.outcomes) == sittings.stored_outcomes(
        asked.instrument, sittings.profile_of(kept)
    )


def test_one_code_opens_one_sitting(phase):  # noqa: F811
    code = codes.new_code(codes.RESUME_LENGTH)

    def opened() -> int:
        return sittings.open_sitting(code, version=phase.version, phase=phase, language="fr").pk

    keys = at_once(opened, opened, opened)
    assert len(set(keys)) == 1
    assert Sitting.objects.count() == 1


def test_the_next_moment_opened_twice_at_once_is_one_sitting(phase):  # noqa: F811
    """Once with the code, once by a browser that holds what the next sitting keeps of it."""
    code = codes.new_code(codes.RESUME_LENGTH)
    sittings.open_sitting(code, version=phase.version, phase=None, language="fr")
    kept = sittings.next_hash(code)
    asked = {"version": phase.version, "phase": phase, "language": "fr"}
    keys = at_once(
        lambda: sittings.open_next(kept, **asked).pk,
        lambda: sittings.open_sitting(code, **asked).pk,
        lambda: sittings.open_next(kept, **asked).pk,
    )
    assert keys == [Sitting.objects.get(phase=phase).pk] * 3


def test_two_tabs_that_say_what_became_of_a_step_at_once(phase):  # noqa: F811
    """Neither is overwritten in silence: one is kept, the other told."""
    sitting = join(phase)
    one, two = fresh(sitting), fresh(sitting)
    found = at_once(
        lambda: sittings.keep_deeds(one, [("step", Deed.DONE)], seen={}),
        lambda: sittings.keep_deeds(two, [("step", Deed.BEGUN)], seen={}),
    )
    assert sorted(type(each).__name__ for each in found) == ["Conflict", "NoneType"]
    told = found.index(None)
    assert sittings.deeds_of(fresh(sitting)) == {"step": (Deed.DONE, Deed.BEGUN)[told]}


def test_a_phase_closes_once(phase):  # noqa: F811
    finished(phase, 12)

    def close() -> object:
        return releases.close(Phase.objects.get(pk=phase.pk), None)

    found = at_once(close, close)
    assert sum(isinstance(each, releases.AlreadyClosed) for each in found) == 1
    assert Release.objects.count() == 1


def test_finishing_while_the_phase_closes_is_in_its_block_or_in_none(phase, monkeypatch):  # noqa: F811
    finished(phase, 11)
    late = join(phase)
    slowed(monkeypatch, releases, "_settle")

    def close() -> object:
        return releases.close(Phase.objects.get(pk=phase.pk), None)

    def finish_late() -> None:
        time.sleep(0.15)
        sittings.finish(fresh(late))

    assert None not in at_once(close, finish_late)[:1]
    kept = fresh(late)
    assert kept.finished_on is not None
    assert not kept.released
    assert Sitting.objects.filter(released=True).count() == 11


def test_erasing_while_the_phase_closes_breaks_nothing(phase, monkeypatch):  # noqa: F811
    people = finished(phase, 11)
    slowed(monkeypatch, releases, "_counts")

    def close() -> object:
        return releases.close(Phase.objects.get(pk=phase.pk), None)

    def erase_late() -> None:
        time.sleep(0.15)
        sittings.erase(fresh(people[0]))

    made, erased = at_once(close, erase_late)
    assert isinstance(made, Release)
    assert erased is None
    assert Sitting.objects.count() == 10


def test_the_purge_and_the_close_wait_for_each_other(phase, monkeypatch):  # noqa: F811
    people = finished(phase, 11)
    long_ago = people[0].opened_on.replace(year=people[0].opened_on.year - 3)
    Sitting.objects.filter(pk=people[0].pk).update(finished_on=long_ago, opened_on=long_ago)
    slowed(monkeypatch, releases, "_counts")

    def close() -> object:
        return releases.close(Phase.objects.get(pk=phase.pk), None)

    def purge_late() -> int:
        time.sleep(0.15)
        return sittings.purge()

    made, purged = at_once(close, purge_late)
    assert isinstance(made, Release)
    assert purged == 1
