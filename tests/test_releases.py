"""Publishing a group: blocks, once, for ever; and the wall before the sittings."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import set_script_prefix
from django.utils import timezone

from assessments import codes, releases, sittings, wall
from assessments.cohort import disclosure
from assessments.demonstration import simulated_sheet
from assessments.frozen import thawed
from assessments.instruments import default_form, publish
from assessments.models import KEYS, Cohort, DailyCount, Event, Phase, Release, Sitting

from .instrument.example import example_instrument

pytestmark = pytest.mark.django_db


@pytest.fixture
def phase() -> Phase:
    version, _ = publish(example_instrument())
    today = timezone.localdate()
    cohort = Cohort.objects.create(name="Cardiologie", created_on=today)
    return Phase.objects.create(
        cohort=cohort,
        kind=Phase.Kind.BEFORE,
        opens_on=today,
        version=version,
        form=default_form(version),
    )


def join(phase: Phase) -> Sitting:
    code = codes.new_code(codes.RESUME_LENGTH)
    return sittings.open_sitting(code, version=phase.version, phase=phase, language="fr")


def finished(phase: Phase, people: int, seed: int = 0) -> list[Sitting]:
    chance = random.Random(seed)
    made = []
    for _person in range(people):
        sitting = join(phase)
        asked = sittings.questionnaire_of(sitting)
        sheet = simulated_sheet(asked.instrument, phase.form, 0.5, chance)
        Sitting.objects.filter(pk=sitting.pk).update(answers=asked.layout.pack(sheet))
        sittings.finish(sitting)
        made.append(sitting)
    return made


def told(count: DailyCount) -> tuple[int, int]:
    return count.started_at_least, count.finished_at_least


def test_ten_are_never_published(phase):
    finished(phase, 10)
    assert releases.close(phase, None) is None
    assert not Release.objects.exists()
    assert releases.published(phase) == ()
    assert not Sitting.objects.filter(released=True).exists()


def test_eleven_make_a_release(phase):
    finished(phase, 11)
    made = releases.close(phase, None)
    assert made is not None
    document = disclosure.decode(bytes(made.document))
    assert document.at_least == 10
    assert made.digest == disclosure.digest(document)
    assert Sitting.objects.filter(released=True).count() == 11


def test_whatever_their_keys_all_are_counted(phase, monkeypatch):
    monkeypatch.setattr(releases, "PART", 4)
    first, *_others, last = finished(phase, 11)
    Sitting.objects.filter(pk=first.pk).update(id=1)
    Sitting.objects.filter(pk=last.pk).update(id=KEYS)
    assert releases.close(phase, None) is not None
    assert Sitting.objects.filter(released=True).count() == 11


def test_closing_is_final(phase):
    finished(phase, 11)
    releases.close(phase, None)
    with pytest.raises(releases.AlreadyClosed):
        releases.close(phase, None)
    assert Release.objects.count() == 1


def test_who_has_not_finished_is_in_no_release(phase):
    finished(phase, 11)
    late = join(phase)
    releases.close(phase, None)
    sittings.finish(late)
    late.refresh_from_db()
    assert late.finished_on is not None
    assert not late.released
    assert Release.objects.count() == 1


def test_whoever_erased_before_is_missing(phase):
    people = finished(phase, 11)
    sittings.erase(people[3])
    assert releases.close(phase, None) is None


def test_whoever_erases_after_changes_nothing(phase):
    people = finished(phase, 11)
    before = bytes(releases.close(phase, None).document)
    sittings.erase(people[3])
    assert bytes(Release.objects.get().document) == before
    assert disclosure.union(releases.published(phase)).at_least == 10


def test_a_release_is_never_changed_nor_deleted(phase):
    finished(phase, 11)
    made = releases.close(phase, None)
    with pytest.raises(PermissionDenied):
        made.save()
    with pytest.raises(PermissionDenied):
        made.delete()


def test_a_long_running_phase_is_cut_at_twice_the_threshold(phase):
    phase.rolling = True
    phase.save()
    people = finished(phase, 21)
    assert not Release.objects.exists()
    Sitting.objects.filter(pk=people[20].pk).update(
        finished_on=timezone.localdate() - timedelta(days=1)
    )
    people += finished(phase, 1, seed=1)
    assert Release.objects.count() == 1
    oldest = Sitting.objects.get(pk=people[20].pk)
    assert oldest.released
    assert Sitting.objects.filter(released=True).count() == 11
    # What is left is the last block, at the close.
    releases.close(phase, None)
    assert Release.objects.count() == 2
    assert Sitting.objects.filter(released=True).count() == 22
    assert disclosure.union(releases.published(phase)).at_least == 20


def test_an_ordinary_phase_is_not_cut(phase):
    finished(phase, 23)
    assert not Release.objects.exists()


def test_an_operator_may_raise_the_threshold_never_lower_it(phase, settings):
    settings.DISCLOSURE_THRESHOLD = 3
    assert releases.threshold() == 11
    settings.DISCLOSURE_THRESHOLD = 20
    finished(phase, 19)
    assert releases.close(phase, None) is None


def test_the_noise_is_drawn_once_and_from_the_system(phase, monkeypatch):
    drawn = []
    below = releases.secrets.randbelow
    monkeypatch.setattr(releases.secrets, "randbelow", lambda n: drawn.append(n) or below(n))
    finished(phase, 22)
    releases.close(phase, None)
    assert drawn
    del drawn[:]
    first, second = releases.published(phase), releases.published(phase)
    assert first == second
    assert not drawn


def test_no_exact_number_is_kept_of_a_release(phase):
    finished(phase, 23)
    document = bytes(releases.close(phase, None).document)
    assert b'"at_least":20' in document
    assert b'"n"' not in document


def test_the_counts_move_in_fives_and_once_a_day(phase):
    finished(phase, 4)
    assert told(releases.refresh_counts(phase)) == (0, 0)
    finished(phase, 5)
    assert told(releases.refresh_counts(phase)) == (0, 0)
    DailyCount.objects.update(day=timezone.localdate() - timedelta(days=1))
    join(phase)
    assert told(releases.refresh_counts(phase)) == (10, 5)


def test_the_journal_names_what_was_done(phase):
    finished(phase, 11)
    releases.close(phase, None)
    actions = list(Event.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["published", "closed"]


def test_the_wall_refuses_sittings_whoever_asks():
    with connection.execute_wrapper(wall.guard):
        for query in (
            Sitting.objects.all(),
            Sitting.objects.values("pk"),
            Phase.objects.filter(pk__in=Sitting.objects.values("phase")),
        ):
            with pytest.raises(wall.WallError):
                list(query)
        list(Phase.objects.all())


def test_the_wall_lets_publication_through(phase):
    finished(phase, 11)
    with connection.execute_wrapper(wall.guard):
        assert releases.close(phase, None) is not None
        with pytest.raises(wall.WallError):
            Sitting.objects.count()


def test_keys_of_sittings_tell_nothing_of_their_order(phase):
    keys = [sitting.pk for sitting in finished(phase, 11)]
    assert keys != sorted(keys)
    assert min(keys) > 2**40


def test_the_wall_stands_under_a_sub_path_too(rf):
    """A proxy may serve the whole site under a prefix."""
    walled = wall.wall_middleware(lambda request: list(Sitting.objects.all()))
    try:
        set_script_prefix("/readiness/")
        request = rf.get("/admin/assessments/cohort/", SCRIPT_NAME="/readiness")
        assert request.path.startswith("/readiness/admin/")
        with pytest.raises(wall.WallError):
            walled(request)
        assert walled(rf.get("/results/", SCRIPT_NAME="/readiness")) == []
    finally:
        set_script_prefix("/")


def test_two_who_look_on_one_day_see_the_same(phase):
    first = releases.refresh_counts(phase)
    finished(phase, 5)
    assert releases.refresh_counts(Phase.objects.get(pk=phase.pk)) == first
    assert told(first) == (0, 0)


def test_a_release_that_was_altered_is_not_shown(phase):
    finished(phase, 11)
    made = releases.close(phase, None)
    document = bytes(made.document).replace(b'"at_least":10', b'"at_least":15')
    with thawed(Release):
        Release.objects.filter(pk=made.pk).update(document=document)
    with pytest.raises(releases.AlteredError):
        releases.published(phase)


def test_a_broken_sheet_keeps_nobody_from_finishing(phase):
    phase.rolling = True
    phase.save()
    people = finished(phase, 21)
    with thawed(Sitting):
        Sitting.objects.filter(pk=people[0].pk).update(
            answers=b"short", finished_on=timezone.localdate() - timedelta(days=1)
        )
    last = join(phase)
    sittings.finish(last)
    last.refresh_from_db()
    assert last.finished_on is not None
    assert not Release.objects.exists()
