"""What a publication is compared with, how it is broken down, and how old ones are taken over."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from assessments import codes, cohort_exports, releases, sittings
from assessments.cohort import disclosure
from assessments.cohort.statistics import Group, domain_means
from assessments.demonstration import simulated_sheet
from assessments.instruments import instrument_of
from assessments.models import Cohort, Phase, Pool, Sitting
from assessments.scoring.sheet import Sheet

from .test_releases import finished, join, phase  # noqa: F401 (the fixture)

pytestmark = pytest.mark.django_db


def another(phase: Phase, **more) -> Phase:  # noqa: F811
    """The same moment of another cohort."""
    simulated = more.pop("simulated", False)
    cohort = Cohort.objects.create(name="Ailleurs", created_on=phase.opens_on, simulated=simulated)
    return Phase.objects.create(
        cohort=cohort,
        kind=more.pop("kind", phase.kind),
        opens_on=phase.opens_on,
        version=phase.version,
        form=phase.form,
        **more,
    )


def closed(phase: Phase, people: int, seed: int = 0) -> Phase:  # noqa: F811
    finished(phase, people, seed)
    releases.close(phase, None)
    return phase


# The others


def test_one_other_group_is_no_reference(phase):  # noqa: F811
    closed(phase, 12)
    assert releases.others(phase) is None
    closed(another(phase), 12, seed=1)
    assert releases.others(phase) is None


def test_the_reference_is_the_union_of_all_others(phase):  # noqa: F811
    closed(phase, 12)
    elsewhere = [closed(another(phase), people, seed=people) for people in (11, 24, 30)]
    found = releases.others(phase)
    by_hand = disclosure.union(
        [release for other in elsewhere for release in releases.published(other)]
    )
    assert (found.blocks, found.at_least) == (3, by_hand.at_least)
    instrument = instrument_of(phase.version.digest)
    assert domain_means(Group(instrument, found)) == domain_means(Group(instrument, by_hand))


def test_a_group_that_published_nothing_may_be_given_the_others(phase):  # noqa: F811
    for seed in (1, 2):
        closed(another(phase), 12, seed=seed)
    assert releases.others(phase).blocks == 2


def test_one_group_of_strangers_is_not_shown_through_ones_own(phase):  # noqa: F811
    """Whoever trains all the others but one could take them away."""
    own = get_user_model().objects.create_user("trainer")
    stranger = get_user_model().objects.create_user("stranger")
    phase.cohort.trainers.add(own)
    closed(phase, 12)
    for seed, trainer in ((1, own), (2, stranger)):
        closed(other := another(phase), 12, seed=seed)
        other.cohort.trainers.add(trainer)
    assert releases.others(phase) is None
    closed(third := another(phase), 12, seed=3)
    third.cohort.trainers.add(stranger)
    assert releases.others(phase).blocks == 3


def test_a_stranger_who_is_made_a_trainer_shows_nobody_their_group(phase):  # noqa: F811
    """What a co-trainer reads, one does not."""
    own = get_user_model().objects.create_user("trainer")
    stranger = get_user_model().objects.create_user("stranger")
    closed(phase, 12)
    for seed, trainer in ((1, own), (2, stranger)):
        closed(other := another(phase), 12, seed=seed)
        other.cohort.trainers.add(trainer)
    phase.cohort.trainers.add(own, stranger)
    assert releases.others(phase) is None
    for seed in (3, 4):
        closed(another(phase), 12, seed=seed)  # of others still
    assert releases.others(phase).blocks == 4


def test_what_two_trainers_know_together_shows_nobody_a_group(phase):  # noqa: F811
    """Each has two groups left that are not theirs; both together, one."""
    closed(phase, 12)
    for seed, name in enumerate(("one", "two")):
        trainer = get_user_model().objects.create_user(name)
        phase.cohort.trainers.add(trainer)
        closed(other := another(phase), 12, seed=seed)
        other.cohort.trainers.add(trainer)
    closed(another(phase), 12, seed=2)
    assert releases.others(phase) is None
    closed(another(phase), 12, seed=3)
    assert releases.others(phase).blocks == 4


def test_ones_own_groups_are_compared_with_each_other(phase):  # noqa: F811
    own = get_user_model().objects.create_user("trainer")
    for seed, moment in enumerate((phase, another(phase), another(phase))):
        moment.cohort.trainers.add(own)
        closed(moment, 12, seed=seed)
    assert releases.others(phase).blocks == 2


def test_simulated_people_and_other_moments_are_no_reference(phase):  # noqa: F811
    closed(phase, 12)
    for seed in (1, 2):
        closed(another(phase, simulated=True), 12, seed=seed)
        closed(another(phase, kind=Phase.Kind.AFTER), 12, seed=seed)
    assert releases.others(phase) is None


def test_a_long_running_group_counts_once_however_many_its_blocks(phase):  # noqa: F811
    rolling = another(phase, rolling=True)
    finished(rolling, 60)
    assert Pool.objects.get().phases == 1
    releases.close(rolling, None)
    assert Pool.objects.get().phases == 1
    assert releases.others(phase) is None


# Breakdown


def saying(phase: Phase, profession: str | None, people: int, seed: int) -> None:  # noqa: F811
    """People who finish, of one profession or of none that they say."""
    chance = random.Random(seed)
    for _person in range(people):
        sitting = sittings.open_sitting(
            codes.new_code(codes.RESUME_LENGTH),
            version=phase.version,
            phase=phase,
            language="fr",
        )
        asked = sittings.questionnaire_of(sitting)
        sheet = simulated_sheet(asked.instrument, phase.form, 0.3, chance)
        context = {"profession": (profession,)} if profession else {}
        sheet = Sheet(context=context, self_ratings=sheet.self_ratings, answers=sheet.answers)
        Sitting.objects.filter(pk=sitting.pk).update(answers=asked.layout.pack(sheet))
        sittings.finish(sitting)


@pytest.fixture
def divided(phase):  # noqa: F811
    phase.breakdown = Phase.Breakdown.PROFESSION
    phase.save()
    options = {
        question.code: [option.code for option in question.options]
        for question in instrument_of(phase.version.digest).context
    }
    return phase, options["profession"]


def test_each_class_is_a_block_of_its_own(divided):
    phase, professions = divided  # noqa: F811
    saying(phase, professions[0], 12, seed=1)
    saying(phase, professions[1], 25, seed=2)
    saying(phase, None, 11, seed=3)
    releases.close(phase, None)
    made = releases.published(phase)
    assert {release.group: release.at_least for release in made} == {
        professions[0]: 10,
        professions[1]: 25,
        releases.NOT_SAID: 10,
    }
    results = cohort_exports.results_of_phase(phase)
    assert results.at_least == 45
    assert len(results.classes) == 3
    assert results.scenarios_withheld  # a class of 12 has none, so the whole has none


def test_a_breakdown_nobody_was_asked_for_keeps_no_phase_from_closing(divided, monkeypatch):
    phase, professions = divided  # noqa: F811
    saying(phase, professions[0], 12, seed=1)
    monkeypatch.setattr(releases, "breakdowns", lambda version: set())
    releases.close(phase, None)
    assert [release.group for release in releases.published(phase)] == [None]


def test_one_small_class_and_there_is_no_breakdown(divided):
    phase, professions = divided  # noqa: F811
    saying(phase, professions[0], 30, seed=1)
    saying(phase, None, 1, seed=3)
    releases.close(phase, None)
    (made,) = releases.published(phase)
    assert made.group is None
    assert made.at_least == 30
    assert cohort_exports.results_of_phase(phase).classes == ()


def test_a_breakdown_is_the_same_however_long_the_queue(divided, monkeypatch):
    phase, professions = divided  # noqa: F811
    monkeypatch.setattr(releases, "LONG", 5)
    monkeypatch.setattr(releases, "PART", 7)
    saying(phase, professions[0], 12, seed=1)
    saying(phase, professions[1], 13, seed=2)
    releases.close(phase, None)
    releases.settle(phase.pk)
    assert [release.group for release in releases.published(phase)] == sorted(professions[:2])


# Taken over


@pytest.mark.django_db(transaction=True)
def test_what_was_published_before_is_settled_and_pooled():
    """From the first released state of the tables to ours, with a published phase in them."""
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes("assessments")
    executor.migrate([("assessments", "0001_initial")])
    old = executor.loader.project_state([("assessments", "0001_initial")]).apps
    today = timezone.localdate()
    version = old.get_model("assessments", "InstrumentVersion").objects.create(
        code="x", version="1", document=b"{}", digest="0" * 64, published_on=today
    )
    cohort = old.get_model("assessments", "Cohort").objects.create(
        name="Avant", code="ABCDEFGH", created_on=today
    )
    kept = old.get_model("assessments", "Phase").objects.create(
        cohort=cohort, kind="before", opens_on=today, version=version, form="A", closed_on=today,
        counted_on=today, started_at_least=15, finished_at_least=10,
    )  # fmt: skip
    release = disclosure.Release(
        format=1,
        instrument="x",
        version="1",
        instrument_digest="0" * 64,
        form="A",
        phase="before",
        day=today,
        at_least=10,
        epsilon=1.0,
        levels=(),
    )
    old.get_model("assessments", "Release").objects.create(
        phase=kept,
        document=disclosure.encode(release),
        digest=disclosure.digest(release),
        made_on=today,
    )
    try:
        executor = MigrationExecutor(connection)
        executor.migrate(latest)
        found = Phase.objects.get()
        assert found.settled_on == today
        assert (found.paused, found.breakdown, found.cohort.simulated) == (False, "", False)
        assert releases.published(found) == (release,)
        assert Pool.objects.get().phases == 1
    finally:
        MigrationExecutor(connection).migrate(latest)


# Joining


def test_the_poster_announces_the_phase_that_the_link_opens(phase):  # noqa: F811
    today = timezone.localdate()
    Phase.objects.filter(pk=phase.pk).update(
        opens_on=today - timedelta(days=30), closes_on=today - timedelta(days=2)
    )
    after = Phase.objects.create(
        cohort=phase.cohort,
        kind=Phase.Kind.AFTER,
        opens_on=today,
        version=phase.version,
        form=phase.form,
    )
    assert sittings.phase_to_join(phase.cohort) == after
    assert cohort_exports._next_to_answer(phase.cohort) == after
    Phase.objects.filter(pk=after.pk).update(paused=True)
    assert sittings.phase_to_join(phase.cohort) is None
    assert cohort_exports._next_to_answer(phase.cohort) is None


def test_whoever_has_started_counts_until_the_close(phase):  # noqa: F811
    started = join(phase)
    Phase.objects.filter(pk=phase.pk).update(paused=True)
    started.refresh_from_db()
    assert sittings.takes_answers(started)
    releases.close(phase, None)
    assert not sittings.takes_answers(Sitting.objects.get(pk=started.pk))


# Every day


def test_the_daily_command_counts_whoever_looks_or_not(phase):  # noqa: F811
    finished(phase, 7)
    shut = closed(another(phase), 12, seed=1)
    call_command("purge", verbosity=0)
    count = phase.daily_counts.get()
    assert (count.day, count.started_at_least) == (timezone.localdate(), 5)
    assert not shut.daily_counts.exists()
