"""Two things at the same moment: each test runs them in threads, on the real database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from assessments import codes, cohorts, instruments, releases, sittings, standards
from assessments.cohort import disclosure
from assessments.cohort.counts import Deed
from assessments.models import (
    Cohort,
    Estimate,
    Event,
    InstrumentDraft,
    InstrumentVersion,
    Judge,
    Phase,
    Pool,
    Release,
    Sitting,
    StandardStudy,
)
from assessments.scoring.sheet import ScenarioAnswer, Sheet

from .instrument.example import example_instrument
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
    kept = sittings.next_hash(code, sittings.of_code(code))
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
    slowed(monkeypatch, releases, "_read")

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
    slowed(monkeypatch, releases, "_read")

    def close() -> object:
        return releases.close(Phase.objects.get(pk=phase.pk), None)

    def purge_late() -> int:
        time.sleep(0.15)
        return sittings.purge()

    made, purged = at_once(close, purge_late)
    assert isinstance(made, Release)
    assert purged == 1


# Publications that the worker settles


@pytest.fixture
def counted(monkeypatch) -> list[int]:
    """How many people each release counts, in the order in which they were made; all queues are
    long ones, counted four people at a time."""
    made: list[int] = []
    really = releases._release

    def release(phase, counts, group=None):  # noqa: F811
        made.append(counts.n)
        return really(phase, counts, group)

    monkeypatch.setattr(releases, "_release", release)
    monkeypatch.setattr(releases, "LONG", 0)
    monkeypatch.setattr(releases, "PART", 4)
    return made


def closed(phase: Phase) -> Phase:  # noqa: F811
    assert releases.close(Phase.objects.get(pk=phase.pk), None) is None
    return Phase.objects.get(pk=phase.pk)


def settled(phase: Phase) -> bool:  # noqa: F811
    return Phase.objects.get(pk=phase.pk).settled_on is not None


def test_two_workers_publish_a_phase_once(phase, counted, monkeypatch):  # noqa: F811
    finished(phase, 13)
    closed(phase)
    slowed(monkeypatch, releases, "_counted", 0.2)
    found = at_once(*[lambda: releases.settle(phase.pk)] * 2)
    assert found == [None, None]
    assert counted == [13]
    assert Release.objects.count() == Pool.objects.get().phases == 1


@pytest.mark.parametrize(("people", "made"), [(13, [12]), (11, [])])
def test_whoever_erases_once_counted_is_in_none(phase, counted, monkeypatch, people, made):  # noqa: F811
    """Between the count and the publication: what is left is counted again, and may be too few."""
    group = finished(phase, people)
    closed(phase)
    slowed(monkeypatch, releases, "_counted")

    def erase_late() -> None:
        time.sleep(0.2)
        sittings.erase(fresh(group[3]))

    assert at_once(lambda: releases.settle(phase.pk), erase_late) == [None, None]
    # Where the first attempt was undone, what it made was too.
    assert counted == made
    assert Release.objects.count() == len(made)
    assert Sitting.objects.filter(released=True).count() == sum(made)
    assert settled(phase)


def test_whoever_is_purged_once_counted_is_in_none(phase, counted, monkeypatch):  # noqa: F811
    group = finished(phase, 13)
    closed(phase)
    long_ago = group[0].opened_on.replace(year=group[0].opened_on.year - 3)
    Sitting.objects.filter(pk=group[0].pk).update(finished_on=long_ago, opened_on=long_ago)
    slowed(monkeypatch, releases, "_counted")

    def purge_late() -> int:
        time.sleep(0.2)
        return sittings.purge()

    assert at_once(lambda: releases.settle(phase.pk), purge_late) == [None, 1]
    assert counted == [12]
    assert Sitting.objects.filter(released=True).count() == 12


def test_closing_settling_finishing_and_erasing_at_once(phase, counted, monkeypatch):  # noqa: F811
    """Whoever comes first, one release counts exactly those whom it marks, and whoever finishes
    is in it or in none."""
    group = finished(phase, 14)
    late = [join(phase) for _ in range(3)]
    slowed(monkeypatch, releases, "_counted", 0.1)

    def close() -> None:
        with_lock = Phase.objects.get(pk=phase.pk)
        releases.close(with_lock, None)
        releases.settle(phase.pk)

    def settle() -> None:
        for _attempt in range(4):
            releases.settle(phase.pk)
            time.sleep(0.03)

    def finish() -> None:
        for sitting in late:
            sittings.finish(fresh(sitting))
            time.sleep(0.03)

    def erase() -> None:
        for sitting in group[:2]:
            sittings.erase(fresh(sitting))
            time.sleep(0.06)

    assert at_once(close, settle, finish, erase) == [None] * 4
    assert settled(phase)
    assert Release.objects.count() == len(counted) == 1
    marked = Sitting.objects.filter(released=True)
    assert marked.count() <= counted[0] <= marked.count() + 2  # those who erased theirs later
    assert counted[0] >= disclosure.K
    ends = Sitting.objects.filter(pk__in=[sitting.pk for sitting in late])
    assert all(sitting.released != sitting.late for sitting in ends)
    assert not Sitting.objects.filter(released=False, late=False).exists()


# Groups that are compared


def beside(phase: Phase, name: str) -> Phase:  # noqa: F811
    """The same phase of another cohort."""
    cohort = Cohort.objects.create(name=name, created_on=phase.opens_on)
    return Phase.objects.create(
        cohort=cohort,
        kind=phase.kind,
        opens_on=phase.opens_on,
        version=phase.version,
        form=phase.form,
    )


def test_what_is_published_at_once_is_all_in_the_pool(phase, monkeypatch):  # noqa: F811
    """First into a pool that is not made yet, then into one that is: neither loses the other."""
    groups = [phase, *(beside(phase, name) for name in ("Neurologie", "Urgences", "Gériatrie"))]
    for each in groups:
        finished(each, 12)

    def close(each: Phase) -> Callable[[], object]:
        return lambda: releases.close(Phase.objects.get(pk=each.pk), None)

    slowed(monkeypatch, disclosure, "added", 0.2)
    for pair in (groups[:2], groups[2:]):
        assert [type(made) for made in at_once(*map(close, pair))] == [Release, Release]
    assert Pool.objects.get().phases == 4
    others = releases.others(beside(phase, "Pédiatrie"))
    assert others is not None
    published = [release for each in groups for release in releases.published(each)]
    assert (others.blocks, others.at_least) == (4, 40)
    assert others.sums[0].levels == disclosure.union(published).sums[0].levels


def test_a_group_is_never_compared_with_itself(phase, monkeypatch):  # noqa: F811
    """Published between the moment its own releases are read and the moment the pool is."""
    for name in ("Neurologie", "Urgences"):
        other = beside(phase, name)
        finished(other, 12)
        releases.close(other, None)
    finished(phase, 12)
    slowed(monkeypatch, releases, "published", 0.4)

    def close() -> object:
        time.sleep(0.15)
        return releases.close(Phase.objects.get(pk=phase.pk), None)

    others, made = at_once(lambda: releases.others(Phase.objects.get(pk=phase.pk)), close)
    assert isinstance(made, Release)
    assert isinstance(others, disclosure.Union)
    assert others.blocks == 2


# Trainers


@pytest.fixture
def pair(phase) -> tuple[Cohort, list]:  # noqa: F811
    """A cohort and its two trainers."""
    users = get_user_model().objects
    trainers = [users.create(username=name) for name in ("one", "other")]
    phase.cohort.trainers.set(trainers)
    return phase.cohort, trainers


def test_the_last_two_trainers_do_not_leave_at_once(pair, monkeypatch):
    cohort, trainers = pair
    slowed(monkeypatch, cohorts, "record")
    found = at_once(*[lambda who=who: cohorts.leave(cohort, who) for who in trainers])
    assert set(map(type, found)) == {cohorts.LastTrainer, type(None)}
    assert cohort.trainers.count() == 1


def test_nobody_leaves_while_others_are_appointed(pair, monkeypatch):
    """One is made its only trainer as they leave it."""
    cohort, (one, other) = pair
    slowed(monkeypatch, cohorts, "record")
    at_once(
        lambda: cohorts.appoint(cohort, [one], other),
        lambda: cohorts.leave(cohort, one),
    )
    assert cohort.trainers.count() >= 1


# Authors and judges


@pytest.fixture
def author():
    return get_user_model().objects.create(username="author")


@pytest.fixture
def draft(author) -> InstrumentDraft:
    return instruments.keep_draft(example_instrument(), author)[0]


def same(draft: InstrumentDraft) -> InstrumentDraft:
    """As another page has read it."""
    return InstrumentDraft.objects.get(pk=draft.pk)


def journal() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("action", flat=True))


def test_a_draft_is_published_once(draft, author, monkeypatch):
    slowed(monkeypatch, instruments, "check", 0.2)
    seen = [same(draft), same(draft)]
    found = at_once(*[lambda each=each: instruments.publish_draft(each, author) for each in seen])
    assert {type(each) for each in found} == {InstrumentVersion, instruments.NoDraft}
    assert journal() == ["uploaded", "published"]


def test_a_draft_is_published_or_discarded(draft, author, monkeypatch):
    """And the journal says which."""
    slowed(monkeypatch, instruments, "check", 0.3)
    one, other = same(draft), same(draft)

    def discard_late() -> None:
        time.sleep(0.1)
        instruments.discard(other, author)

    found = at_once(lambda: instruments.publish_draft(one, author), discard_late)
    assert [type(each) for each in found] == [InstrumentVersion, instruments.NoDraft]
    assert journal() == ["uploaded", "published"]


def test_two_documents_of_one_number_published_at_once(author, monkeypatch):
    other = msgspec.structs.replace(example_instrument(), licence="CC0-1.0")
    drafts = [instruments.keep_draft(each, author)[0] for each in (example_instrument(), other)]
    slowed(monkeypatch, instruments, "encode", 0.2)
    found = at_once(*[lambda each=each: instruments.publish_draft(each, author) for each in drafts])
    assert {type(each) for each in found} == {InstrumentVersion, instruments.PublicationError}
    assert InstrumentDraft.objects.count() == 1


def test_a_version_is_retired_once(draft, author):
    version = instruments.publish_draft(draft, author)
    found = at_once(*[lambda: instruments.retire(version, author)] * 2)
    assert sorted(found) == [False, True]
    assert journal() == ["uploaded", "published", "retired"]


@pytest.fixture
def study(draft, author) -> StandardStudy:
    """In its first round, which two judges have finished but for one's last estimate."""
    made = StandardStudy(version=instruments.publish_draft(draft, author), form="A")
    standards.create(made, author)
    for name in ("ada", "bea", "cleo"):
        who = get_user_model().objects.create(username=name)
        judge = standards.appoint(made, who, "nurse", author)
        for item in standards.scenarios(made):
            standards.estimate(judge, 1, item.code, 40, 60)
    return made


def test_nothing_is_estimated_in_a_round_that_closes(study, author, monkeypatch):
    judge = Judge.objects.first()
    last = standards.scenarios(study)[-1].code
    slowed(monkeypatch, standards, "finished", 0.4)

    def estimate_late() -> None:
        time.sleep(0.15)
        standards.estimate(judge, 1, last, 80, 90)

    found = at_once(lambda: standards.move(study, "discussion", author), estimate_late)
    assert [type(each) for each in found] == [type(None), standards.StudyError]
    assert Estimate.objects.get(judge=judge, scenario=last).operational == 40


def test_a_round_closes_once(study, author, monkeypatch):
    slowed(monkeypatch, standards, "finished", 0.2)
    found = at_once(*[lambda: standards.move(study, "discussion", author)] * 2)
    assert {type(each) for each in found} == {type(None), standards.StudyError}
    assert journal().count("study-moved") == 1
