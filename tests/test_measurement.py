"""`simulate_measurement`: what it keeps is what is shown, and a fresh run finds it again."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from assessments import measured
from assessments.cohort import measurement
from assessments.cohort.measurement import Claim, Figure
from assessments.cohort.populations import NOMINAL
from assessments.instrument.loading import load
from assessments.measured import Measured
from tests.conftest import SEEDS

AGAIN = "run: python manage.py simulate_measurement --write"


def kept() -> Measured:
    return measured.read(SEEDS / "measurement.json")


def figure(claim: Claim, value: float, **more: object) -> Figure:
    plain = {"form": "A", "population": "nominal", "calibrated_on": 0, "scale": "", "group": ""}
    return Figure(**plain | {"claim": claim, "value": value, "error": 0.001, "n": 9} | more)  # type: ignore[arg-type]


def test_the_figures_are_those_of_the_seeds_as_they_stand():
    assert kept().bearing == measurement.bearing(load(SEEDS)), AGAIN


def test_what_the_report_says_holds():
    assert kept().broken == []


def test_a_fresh_run_finds_the_same_figures():
    """Other people, another seed: within five standard errors of the difference."""
    instrument = load(SEEDS)
    part = next(
        measurement.measure(
            instrument, instrument.forms[0], 2_000, np.random.default_rng(99), (NOMINAL,)
        )
    )

    def key(each: Figure) -> tuple[object, ...]:
        return each.form, each.population, each.calibrated_on, each.claim, each.scale, each.group

    before = {key(each): each for each in kept().figures}
    compared = [(before[key(each)], each) for each in part if key(each) in before]
    assert len(compared) > 100, AGAIN
    errors = [
        abs(now.value - then.value) / np.hypot(now.error, then.error)
        for then, now in compared
        if now.error > 0
    ]
    assert max(errors) < 5, AGAIN


def test_the_document_holds_the_figures_of_the_file():
    text = (SEEDS / "MEASUREMENT.md").read_text(encoding="utf-8")
    assert measured.inserted(text, measured.tables(kept())) == text, AGAIN


def test_the_file_is_read_as_it_was_written(tmp_path):
    (tmp_path / "measurement.json").write_text(measured.written(kept()), encoding="utf-8")
    again = measured.read(tmp_path / "measurement.json")
    assert measured.written(again) == measured.written(kept())


def test_figures_have_one_place_in_the_document():
    with pytest.raises(ValueError, match="no place"):
        measured.inserted("No place for them.", "| figure |")


def test_the_third_level_is_named_only_once_calibrated():
    third = {"group": "level 3"}
    assert kept().of(Claim.WRONG, calibrated=False, **third) == []
    assert kept().of(Claim.WRONG, calibrated=True, **third) != []


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def one_population(monkeypatch):
    """One population and no calibration: the command, not the figures, is what is tried."""
    whole = measurement.measure

    def first(instrument, form, people, rng):
        return [next(whole(instrument, form, people, rng, (NOMINAL,)))]

    monkeypatch.setattr(measurement, "measure", first)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("simulate_measurement", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_same_seed_gives_the_same_figures(one_population):
    arguments = ("--people=2000", "--seed=3", "--form=A", "--format=json")
    found = run(*arguments)
    assert run(*arguments) == found
    assert run("--people=2000", "--seed=4", "--form=A", "--format=json") != found
    assert {row[0] for row in json.loads(found)["figures"]} >= {"A", "A>A"}


def test_it_writes_both_files(one_population, tmp_path):
    folder = tmp_path / "seeds"
    shutil.copytree(SEEDS, folder)
    said = run("--people=2000", "--seed=5", f"--path={folder}", "--write")
    assert said.startswith("Written: ")
    found = measured.read(folder / "measurement.json")
    assert (found.people, found.seed) == (2000, 5)
    assert measured.tables(found) in (folder / "MEASUREMENT.md").read_text(encoding="utf-8")


def test_a_claim_that_does_not_hold_fails_the_command(monkeypatch):
    broken = figure(Claim.COVERAGE, 0.80, scale="A")
    monkeypatch.setattr(measurement, "measure", lambda *_: [(broken,)])
    with pytest.raises(CommandError, match="not as the report says"):
        run("--people=2000", "--form=A")


@pytest.mark.parametrize(
    "arguments",
    [("--people=1999",), ("--seed=-1",), ("--form=Z",), ("--form=A", "--write")],
)
def test_it_refuses_what_it_cannot_do(arguments, monkeypatch):
    monkeypatch.setattr(measurement, "measure", lambda *_: pytest.fail("it went on"))
    with pytest.raises(CommandError):
        run(*arguments)


# --- The page -------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["fr", "en"], indirect=True)
def test_the_page_of_the_method_says_the_figures(client, language):
    call_command("load_instrument", SEEDS, stdout=io.StringIO())
    page = client.get(reverse("method"), headers={"accept-language": language})
    found = page.context["measured"]
    assert found == kept()
    text = page.content.decode()
    for share in (found.held, found.held_everywhere, found.wrong, found.changed, found.misjudged):
        number = f"{round(100 * share)}"
        assert f"{number}%" in text or f"{number}\u00a0%" in text


@pytest.mark.django_db
def test_the_page_says_nothing_of_another_key(client, monkeypatch):
    call_command("load_instrument", SEEDS, stdout=io.StringIO())
    monkeypatch.setattr(measured, "bearing", lambda instrument: "another")
    page = client.get(reverse("method"))
    assert page.status_code == 200
    assert page.context["measured"] is None


def test_shares_are_rounded_against_us():
    found = Measured(
        "1",
        "x",
        2000,
        1,
        (
            figure(Claim.COVERAGE, 0.9299),
            figure(Claim.COVERAGE, 0.95, population="graded"),
            figure(Claim.COVERAGE, 0.5, calibrated_on=200),
            figure(Claim.CHANGED, 0.0301),
            figure(Claim.CHANGED, 0.01, population="graded"),
        ),
    )
    assert found.held == 0.92
    assert found.changed == 0.04
