"""``manage.py calibrate``: whose sittings count, what is published, and what then rests on it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from io import StringIO

import msgspec
import numpy as np
import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils import timezone

from assessments import calibrations, exports, instruments, simulated_cohorts, sittings
from assessments.cohort import quality
from assessments.frozen import thawed
from assessments.instrument.loading import load
from assessments.instruments import AlreadyCalibrated, current_calibration, publish
from assessments.models import Calibration, Cohort, Event, InstrumentVersion, Phase, Sitting
from assessments.scoring.sheet import layout
from tests.cohort.people import people
from tests.conftest import SEEDS
from tests.instrument.example import example_instrument

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def today(monkeypatch) -> Callable[[date], None]:
    def is_now(day: date) -> None:
        monkeypatch.setattr(timezone, "localdate", lambda *args: day)

    is_now(TODAY)
    return is_now


@pytest.fixture
def version() -> InstrumentVersion:
    return publish(example_instrument(("A", "B")))[0]


@pytest.fixture
def phase(version) -> Phase:
    cohort = Cohort.objects.create(name="Ward 12", created_on=TODAY)
    return Phase.objects.create(
        cohort=cohort, kind=Phase.Kind.BEFORE, opens_on=TODAY, version=version, form="A"
    )


def answered(
    version: InstrumentVersion,
    n: int,
    *,
    seed: int = 1,
    phase: Phase | None = None,
    form: str = "A",
    language: str = "fr",
    day: date = TODAY,
    share: float = 1.0,
    ability: float = 0.0,
    **context: str,
) -> None:
    """Sittings of ``n`` people, finished on ``day``."""
    instrument = instruments.instrument_of(version.digest)
    sheets = people(instrument, n, seed, answered=share, ability=ability).sheets
    if form != "A":  # drawn for the form A, whose layout is that of every form
        assert layout(instrument, form).size == sheets.shape[1]
    places = layout(instrument, form)
    for question in instrument.context:
        if question.code in context:
            codes = [option.code for option in question.options]
            sheets[:, places.offset("context", question.code)] = (
                codes.index(context[question.code]) + 1
            )
    Sitting.objects.bulk_create(
        Sitting(
            version=version,
            phase=phase,
            form=form,
            language=language,
            answers=sheet.tobytes(),
            code_hash=secrets.token_bytes(16),
            opened_on=day,
            finished_on=day,
        )
        for sheet in sheets
    )


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("calibrate", *arguments, stdout=out)
    return out.getvalue()


def told(*arguments: str) -> list[dict]:
    return json.loads(run(*arguments, "--format", "json"))["calibrations"]


def refused(*arguments: str) -> str:
    """What the command says where it publishes nothing."""
    out = StringIO()
    with pytest.raises(CommandError, match="Nothing is published"):
        call_command("calibrate", *arguments, stdout=out)
    assert not Event.objects.filter(action=Event.Action.CALIBRATED).exists()
    return out.getvalue()


def test_two_hundred_people_make_a_calibration(version, phase):
    answered(version, 140, phase=phase)
    answered(version, 63, seed=2, language="en")
    (form,) = told()
    assert (form["version"], form["form"], form["state"]) == ("example 1.0", "A", "published")
    (made,) = Calibration.objects.all()
    assert (made.version, made.form, made.n, made.made_on) == (version, "A", 200, TODAY)
    found = quality.decode(bytes(made.document))
    assert made.digest == quality.sealed(bytes(made.document))
    assert found.digest == version.digest
    assert [scale["sem"] for scale in form["quality"]["scales"]] == [
        scale.sem for scale in found.scales
    ]
    (event,) = Event.objects.filter(action=Event.Action.CALIBRATED)
    assert event.subject == "example 1.0 · A · n ≥ 200"


def test_it_never_changes(version):
    answered(version, 200)
    run()
    made = Calibration.objects.get()
    made.n = 1000
    with pytest.raises(PermissionDenied):
        made.save()
    with pytest.raises(PermissionDenied):
        made.delete()


def test_one_person_fewer_makes_none(version):
    answered(version, 199)
    said = refused()
    assert "it needs 200 complete sittings of real people, and has fewer" in said
    assert "199" not in said


def test_simulated_people_never_count(version, phase):
    answered(version, 150, phase=phase)
    answered(version, 50, seed=2)
    assert len(calibrations.gather(version, "A").sheets) == 200
    Cohort.objects.update(simulated=True)
    assert len(calibrations.gather(version, "A").sheets) == 50
    refused()


def test_simulated_people_alone_are_nobody(version, phase):
    answered(version, 210, phase=phase)
    Cohort.objects.update(simulated=True)
    with pytest.raises(CommandError, match="nobody has finished it yet"):
        run()


def test_a_sitting_with_a_scenario_unanswered_is_left_out_and_said(version):
    answered(version, 205)
    answered(version, 36, seed=2, share=0.5)
    (form,) = told("--dry-run")
    assert form["left_out"] == {"incomplete": 35, "repeated": 0}
    assert form["quality"]["n"] == 205


def test_unfinished_sittings_do_not_count(version):
    answered(version, 200)
    one = Sitting.objects.first()
    with thawed(Sitting):
        Sitting.objects.filter(pk=one.pk).update(finished_on=None)
    refused()


def test_each_person_counts_before_they_know_the_form(version, phase):
    """A follow-up, and on the first form whoever has trained on it, are not new to it."""
    answered(version, 20, phase=phase)
    after, follow_up = (
        Phase.objects.create(
            cohort=phase.cohort, kind=kind, opens_on=TODAY, version=version, form=form
        )
        for kind, form in ((Phase.Kind.AFTER, "B"), (Phase.Kind.FOLLOW_UP, "A"))
    )
    answered(version, 15, phase=follow_up, seed=2)
    answered(version, 10, phase=after, form="B", seed=3)
    answered(version, 7, phase=after, form="A", seed=4)
    first, second = calibrations.gather(version, "A"), calibrations.gather(version, "B")
    assert (len(first.sheets), first.repeated) == (20, 22)
    assert (len(second.sheets), second.repeated) == (10, 0)


def test_whoever_says_they_have_answered_before_is_left_out_of_the_first_form(seeded):
    answered_before = {"repeat": "again"}
    answered(seeded, 12)
    answered(seeded, 9, seed=2, **answered_before)
    found = calibrations.gather(seeded, "A")
    assert (len(found.sheets), found.repeated) == (12, 9)


@pytest.fixture
def seeded() -> InstrumentVersion:
    """The real questionnaire, which asks whether it is the first time."""
    return publish(load(SEEDS))[0]


def test_a_dry_run_shows_the_same_and_publishes_nothing(version):
    answered(version, 220)
    (dry,) = told("--dry-run")
    assert dry["state"] == "dry run"
    assert not Calibration.objects.exists()
    (published,) = told()
    assert dry | {"state": "published"} == published


def test_it_is_read_by_people_too(version):
    answered(version, 220)
    said = run("--dry-run")
    assert "example 1.0, form A" in said
    assert "dry run: at least 220 people, 2026-11-24" in said
    rows = [line.split()[0] for line in said.splitlines() if line.startswith("  ")]
    instrument = instruments.instrument_of(version.digest)
    assert [item.code for item in instrument.scenarios_of("A")] == [
        row for row in rows if row in {item.code for item in instrument.scenarios}
    ]
    assert "no two languages or professions have 200 people each: not compared" in said


def test_languages_are_compared_where_each_is_large_enough(version):
    answered(version, 210)
    answered(version, 200, seed=2, language="en")
    assert "language, en against fr:" in run("--dry-run")


def test_professions_are_compared_where_each_is_large_enough(version):
    answered(version, 210, profession="nurse")
    answered(version, 200, seed=2, profession="physician")
    answered(version, 30, seed=3, profession="manager")
    (form,) = told("--dry-run")
    (comparison,) = form["quality"]["comparisons"]
    assert (comparison["focal"], comparison["reference"]) == ("physician", "nurse")


def test_where_no_reliability_can_be_had_nothing_is_published(version):
    instrument = instruments.instrument_of(version.digest)
    answered(version, 220)
    places = layout(instrument, "A")
    first = instrument.scenarios_of("A")[0]
    with thawed(Sitting):
        for sitting in Sitting.objects.all():
            sheet = bytearray(sitting.answers)
            sheet[places.offset("option", first.code)] = 1
            Sitting.objects.filter(pk=sitting.pk).update(answers=bytes(sheet))
    said = refused()
    reason = "everybody earns the same on it, or on one of its situations"
    assert f"domain A: {reason}" in said
    assert f"partial credit model: {reason}" in said
    assert "domain B" not in said


def test_the_next_calibration_waits_for_a_hundred_newcomers_and_a_fifth(version, today):
    answered(version, 600)
    calibrated(version, n=600)
    today(TODAY + timedelta(days=30))
    since = TODAY + timedelta(days=20)
    answered(version, 119, seed=2, day=since)
    with pytest.raises(CommandError, match="Nothing is published"):
        run()
    with pytest.raises(CommandError, match="Nothing is published"):
        run("--dry-run")
    answered(version, 1, seed=3, day=since)
    (form,) = told()
    assert form["quality"]["n"] == 720
    assert Calibration.objects.count() == 2
    assert current_calibration(version, "A").n == 720


def test_erased_sittings_make_no_room_for_an_earlier_one(version, today):
    """Newcomers are counted, not the difference: erasing changes nothing to how many are new."""
    answered(version, 300)
    calibrated(version, n=300)
    today(TODAY + timedelta(days=30))
    answered(version, 100, seed=2, day=TODAY + timedelta(days=1))
    for sitting in Sitting.objects.filter(finished_on=TODAY)[:60]:
        sittings.erase(sitting)
    (form,) = told()
    assert form["quality"]["n"] == 340


def test_two_at_once_make_one(version):
    answered(version, 200)
    found = calibrations.measure(version, "A", calibrations.gather(version, "A"))
    instruments.keep_calibration(version, found)
    with pytest.raises(AlreadyCalibrated):
        instruments.keep_calibration(version, found)
    assert Event.objects.filter(action=Event.Action.CALIBRATED).count() == 1


def test_a_calibration_of_another_document_is_refused(version, seeded):
    answered(version, 200)
    found = calibrations.measure(version, "A", calibrations.gather(version, "A"))
    with pytest.raises(ValueError, match="another document"):
        instruments.keep_calibration(seeded, found)


def test_forms_and_editions_are_apart(version):
    answered(version, 210)
    answered(version, 205, form="B", seed=2)
    with thawed(Sitting):
        Sitting.objects.filter(form="B").update(form="B@2028-01-01")
    assert [form["form"] for form in told("--form", "A")] == ["A"]
    assert Calibration.objects.get().form == "A"
    assert current_calibration(version, "B@2028-01-01") is None
    assert current_calibration(version, "B") is None
    (form,) = told("--form", "B@2028-01-01", "--dry-run")
    assert form["quality"]["n"] == 205


@pytest.mark.parametrize("named", ["1.0", "example 1.0"])
def test_a_version_is_named_by_its_number(version, named):
    answered(version, 200)
    assert told("--version", named, "--dry-run")[0]["version"] == "example 1.0"


def test_what_does_not_exist_is_said(version):
    with pytest.raises(CommandError, match="no such version"):
        run("--version", "9.9")
    with pytest.raises(CommandError, match=r"example 1\.0 has A, B"):
        run("--form", "C")
    InstrumentVersion.objects.update(retired_on=TODAY)
    with pytest.raises(CommandError, match="No version"):
        run()


# What rests on it


@cache
def measured() -> quality.Quality:
    instrument = example_instrument(("A", "B"))
    return quality.quality(instrument, "A", people(instrument, 260, 1).sheets, {}, TODAY)


def calibrated(version: InstrumentVersion, **more: object) -> quality.Quality:
    found = msgspec.structs.replace(measured(), **more)
    instruments.keep_calibration(version, found)
    return found


@pytest.fixture
def one(version) -> Sitting:
    """Somebody's sitting, found as a page finds it."""
    answered(version, 1)
    return sittings.find(Sitting.objects.get().pk)


def again(sitting: Sitting) -> Sitting:
    found = sittings.find(sitting.pk)
    assert found is not None
    return found


def test_reports_rest_on_the_last_calibration(version, one):
    before = sittings.profile_of(one)
    assert before.version_calibration is None
    assert {each.sem_source for each in before.domains} == {"posterior"}
    known = calibrated(version).version_calibration()
    after = sittings.profile_of(again(one))
    assert after.version_calibration == known
    assert after.overall.sem_source == "calibrated"
    assert after.overall.precision == known.precision("overall", 24)
    assert [each.score for each in after.domains] == [each.score for each in before.domains]
    calibrated(version, made_on=TODAY + timedelta(days=9), n=360)
    assert sittings.profile_of(again(one)).version_calibration.n == 360


def test_another_form_rests_on_none(version, one):
    calibrated(one.version)
    answered(version, 1, form="B", seed=7)
    other = again(Sitting.objects.get(form="B"))
    assert sittings.profile_of(other).version_calibration is None


def test_a_process_reads_it_once(one, django_assert_num_queries):
    """Afterwards it is asked only whether there is another one by now."""
    calibrated(one.version)
    sittings.profile_of(found := again(one))
    with django_assert_num_queries(1) as asked:
        sittings.profile_of(found)
    assert "document" not in asked.captured_queries[0]["sql"]


def test_a_sitting_just_opened_rests_on_it_too(version, one):
    calibrated(one.version)
    fresh = Sitting.objects.get(pk=one.pk)  # by no query of ours
    assert sittings.profile_of(fresh) == sittings.profile_of(again(one))


def test_levels_are_kept_as_they_were_when_the_sitting_was_finished(one):
    with thawed(Sitting):
        Sitting.objects.filter(pk=one.pk).update(finished_on=None)
    sittings.finish(again(one))
    kept = bytes(again(one).outcomes)
    run_before = sittings.profile_of(again(one))
    calibrated(one.version)
    assert bytes(again(one).outcomes) == kept
    assert sittings.profile_of(again(one)).version_calibration != run_before.version_calibration


def test_simulated_levels_rest_on_it_as_those_of_anybody(version, one):
    known = calibrated(version).version_calibration()
    asked = instruments.questionnaire(version.digest, "A")
    sheets = people(asked.instrument, 12, 3).sheets
    found = simulated_cohorts.level_outcomes(asked, sheets, known)
    for sheet, outcomes in zip(sheets, found, strict=True):
        with thawed(Sitting):
            Sitting.objects.filter(pk=one.pk).update(answers=sheet.tobytes(), finished_on=None)
        sittings.finish(again(one))
        assert bytes(again(one).outcomes) == outcomes.tobytes()
    plain = simulated_cohorts.level_outcomes(asked, sheets)
    assert not np.array_equal(plain, found)


def test_ones_own_data_say_what_their_intervals_rest_on(one):
    found = exports.own_data(one)
    assert found["intervals_rest_on"] is None
    assert {each["sem_source"] for each in found["scores"].values()} == {"posterior"}
    calibrated(one.version)
    found = exports.own_data(again(one))
    assert found["intervals_rest_on"] == {"people_at_least": 260, "calibrated_on": "2026-11-24"}
    assert {each["sem_source"] for each in found["scores"].values()} == {"calibrated"}


def test_the_method_page_says_what_margins_rest_on(one, client):
    english = {"accept-language": "en"}
    page = client.get("/method/", headers=english).content.decode()
    assert "Not enough people have answered this version yet" in page
    calibrated(one.version)
    page = client.get("/method/", headers=english).content.decode()
    assert "Form A was calibrated on 24 November 2026, on the answers of at least 260" in page
    assert "Not enough people" not in page
