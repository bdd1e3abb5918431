"""`simulate_cohort`: what it writes is what the product would have made of the same answers, and
its truth is enough to recompute, with plain Python, what is published."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from assessments import cohort_exports, releases, simulated_cohorts, sittings
from assessments.cohort import simulation
from assessments.cohort.counts import Deed, LevelOutcome
from assessments.cohort.disclosure import printed
from assessments.cohort.statistics import Figure
from assessments.demonstration import USERNAME, demonstration
from assessments.instruments import questionnaire
from assessments.models import Cohort, Event, InstrumentVersion, Phase, Release, Sitting
from assessments.roles import make_trainer
from assessments.scoring.profile import score
from assessments.scoring.sheet import DONT_KNOW

pytestmark = pytest.mark.django_db

type Rows = list[dict[str, str]]


def simulate(size: int, seed: int = 1, name: str = "Réanimation", **more: object) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("simulate_cohort", size=size, seed=seed, name=name, stdout=out, **more)
    return out.getvalue()


def truth_of(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def phase(kind: str) -> Phase:
    return Phase.objects.select_related("version", "cohort").get(kind=kind)


@pytest.fixture
def truth(tmp_path) -> Path:
    return tmp_path / "truth.csv"


# --- The same as the product's ------------------------------------------------------------------


def test_levels_and_steps_are_those_of_the_scoring():
    simulate(1)
    version = InstrumentVersion.objects.get()
    asked = questionnaire(version.digest, "A")
    rng = np.random.default_rng(12)
    people = simulation.draw(asked.instrument, 300, rng)
    sheets = simulation.answers(asked.instrument, "A", people, rng)
    # Sheets of any shape, not only likely ones: many with most answers missing.
    for place, slot in enumerate(asked.layout.slots):
        if slot.kind == "option":
            gone = rng.random(300) < rng.random(300)
            sheets[gone, place : place + 2] = 0
    found = simulated_cohorts.level_outcomes(asked, sheets)
    for sheet, levels in zip(sheets, found, strict=True):
        profile = score(asked.instrument, "A", asked.layout.unpack(sheet.tobytes()))
        assert levels.tobytes() == sittings.stored_outcomes(asked.instrument, profile)
        assert simulated_cohorts.proposed(asked, sheet) == [
            step.step for step in profile.next_steps
        ]
    # All but the third level alone, which a version not yet calibrated never names.
    assert set(found.ravel()) == {*map(int, LevelOutcome)} - {int(LevelOutcome.LEVEL_3)}


def test_every_sitting_is_as_if_it_had_been_finished(truth):
    simulate(40, moments="before,after,follow-up", truth=truth)
    for sitting in Sitting.objects.select_related("version", "phase"):
        profile = sittings.profile_of(sitting)
        assert bytes(sitting.outcomes) == sittings.stored_outcomes(
            sittings.questionnaire_of(sitting).instrument, profile
        )
        chosen = [plan.step for plan in sittings.plans_of(sitting)]
        assert set(chosen) <= {step.step for step in profile.next_steps}
        assert sitting.opened_on <= sitting.finished_on
        assert sitting.phase.opens_on <= sitting.finished_on <= sitting.phase.closes_on
        assert not sitting.late
    assert Cohort.objects.get().simulated


def test_the_truth_is_the_database(truth):
    simulate(40, moments="before,after,follow-up", truth=truth)
    rows = truth_of(truth)
    written, kept = Counter(), Counter()
    for sitting in Sitting.objects.select_related("version", "phase"):
        asked, sheet = sittings.questionnaire_of(sitting), sittings.sheet_of(sitting)
        profile = score(asked.instrument, asked.form, sheet)
        cells = {
            "moment": sitting.phase.kind,
            "form": sitting.form,
            "language": sitting.language,
            "steps": " ".join(plan.step for plan in sittings.plans_of(sitting)),
            "deeds": " ".join(f"{s}={deed}" for s, deed in sittings.deeds_of(sitting).items()),
        }
        for question in asked.instrument.context:
            said = sheet.context.get(question.code, ())
            cells[f"context_{question.code}"] = " ".join(said)
        for item in asked.instrument.self_ratings:
            cells[f"r_{item.code}"] = str(sheet.self_ratings.get(item.code, ""))
        for outcome in profile.outcomes:
            code = outcome.scenario
            option = DONT_KNOW if outcome.verdict == "dont_know" else outcome.option
            cells[f"o_{code}"] = option or ""
            cells[f"c_{code}"] = "" if outcome.credit is None else f"{outcome.credit:g}"
            cells[f"p_{code}"] = "" if outcome.confidence is None else f"{outcome.confidence:g}"
            cells[f"u_{code}"] = str(int(outcome.unsafe)) if outcome.answered else ""
        for byte, domain in zip(bytes(sitting.outcomes), profile.domains, strict=True):
            cells[f"score_{domain.code}"] = "" if domain.score is None else repr(domain.score)
            cells[f"level_{domain.code}"] = LevelOutcome(byte).code
        kept[tuple(sorted(cell for cell in cells.items() if cell[1]))] += 1
    for row in rows:
        del row["person"]
        # The columns of another moment's situations stay empty.
        written[tuple(sorted(cell for cell in row.items() if cell[1]))] += 1
    assert written == kept
    assert written.total() == 40 + 34 + 29


def test_deeds_are_of_the_steps_chosen_last(truth):
    simulate(60, moments="before,after,follow-up", truth=truth)
    chosen: dict[str, str] = {}
    followed = 0
    for row in truth_of(truth):
        if row["moment"] == "follow-up":
            steps = [deed.partition("=") for deed in row["deeds"].split()]
            assert [step for step, _, _ in steps] == chosen.get(row["person"], "").split()
            assert {deed for _, _, deed in steps} <= {str(deed) for deed in Deed}
            followed += bool(steps)
        elif row["steps"]:
            chosen[row["person"]] = row["steps"]
    assert followed > 10


def test_one_person_keeps_one_code(truth, monkeypatch):
    codes = iter(f"{number:016d}".translate(str.maketrans("01", "AB")) for number in range(100))
    monkeypatch.setattr("assessments.codes.new_code", lambda length: next(codes)[:length])
    simulate(30, truth=truth, trainer=trainer("t").username)
    moments = defaultdict(list)
    for row in truth_of(truth):
        moments[row["person"]].append(row["moment"])
    # The cohort's access code is the first one drawn.
    found = Counter(
        tuple(sitting.phase.kind for sitting in sittings.of_code(code))
        for code in (f"{n:016d}".translate(str.maketrans("01", "AB")) for n in range(1, 40))
    )
    del found[()]
    assert found == Counter(map(tuple, moments.values()))
    assert found["before", "after"] == 24


def test_the_seed_decides_the_sheets_and_nothing_decides_the_rest(tmp_path):
    texts, hashes = [], []
    for place, seed in enumerate((5, 5, 6)):
        path = tmp_path / f"{place}.csv"
        simulate(25, seed=seed, name=f"Cohort {place}", truth=path)
        texts.append(path.read_text("utf-8"))
        last = Sitting.objects.filter(phase__cohort__name=f"Cohort {place}")
        hashes.append(set(last.values_list("code_hash", flat=True)))
    assert texts[0] == texts[1] != texts[2]
    assert not hashes[0] & hashes[1]
    documents = {bytes(made.document) for made in Release.objects.filter(phase__kind="before")}
    assert len(documents) == 3  # of equal sheets too: the noise is not the seed's


# --- Recomputed by other software ---------------------------------------------------------------

NOISE_SD = math.sqrt(2 * math.exp(-1) / (1 - math.exp(-1)) ** 2)
"""Of a cell, at ε = 1."""


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def credits_of(rows: Rows, scenarios: list[str]) -> list[float]:
    return [float(row[f"c_{code}"]) for row in rows for code in scenarios if row[f"c_{code}"]]


def near(figure: Figure, value: float, within: float) -> None:
    assert figure.estimate is not None
    assert figure.estimate.value == pytest.approx(value, abs=within), figure.code


def test_figures_are_recomputed_from_the_truth(truth):
    """Within the noise: six standard deviations of it, of each figure."""
    simulate(600, truth=truth)
    every = truth_of(truth)
    rows = {kind: [row for row in every if row["moment"] == kind] for kind in ("before", "after")}
    results = cohort_exports.results_of_phase(phase("after"))
    assert results is not None
    n, instrument = len(rows["after"]), results.instrument
    assert results.at_least == n // 5 * 5
    scenarios = {
        domain.domain.code: [
            situation.scenario.code
            for situation in results.situations
            if situation.domain == domain.domain
        ]
        for domain in results.domains
    }
    # A mean of m answers of n people is made of cells whose noise weighs at most 1 each.
    for domain in results.domains:
        asked = scenarios[domain.domain.code]
        spread = 6 * NOISE_SD * math.sqrt(6 * len(asked)) / (n * len(asked))
        now = mean(credits_of(rows["after"], asked))
        near(domain.mean, 100 * now, 100 * spread)
        for figure in domain.levels.shares:
            of = [row[f"level_{domain.domain.code}"] for row in rows["after"]]
            said = [level for level in of if level != "none"]
            near(figure, said.count(figure.code) / len(said), 6 * NOISE_SD * 3 / n)
        (changes,) = results.changes
        (change,) = [each for each in changes.domains if each.domain == domain.domain]
        asked_then = [
            item.code
            for item in instrument.scenarios_of(phase("before").form)
            if item.sub_competency[0] == domain.domain.code
        ]
        then = mean(credits_of(rows["before"], asked_then))
        near(change.change.difference, 100 * (now - then), 2 * 100 * spread)
    for situation in results.situations:
        code = situation.scenario.code
        given = [row[f"o_{code}"] for row in rows["after"] if row[f"o_{code}"]]
        for choice in situation.choices:
            option = choice.option.code if choice.option else DONT_KNOW
            share = given.count(option) / len(given)
            off = math.ceil(100 * 6 * NOISE_SD * 2 / n) + 1
            assert abs(choice.share.points - printed(share, n).points) <= off
    unsafe = {item.scenario.code: item for item in results.unsafe.items if item.scenario}
    assert unsafe
    for code, item in unsafe.items():
        chosen = [row[f"u_{code}"] for row in rows["after"] if row[f"u_{code}"]]
        share = chosen.count("1") / len(chosen)
        assert abs(item.share.points - printed(share, n).points) <= 100 * 12 * NOISE_SD / n + 1
    both = [
        (float(row[f"p_{code}"]), float(row[f"c_{code}"] == "1"))
        for row in rows["after"]
        for codes in scenarios.values()
        for code in codes
        if row[f"p_{code}"]
    ]
    within = 6 * NOISE_SD * math.sqrt(13 * 24) / (24 * n)
    near(results.calibration.confidence, mean([sure for sure, _ in both]), within)
    near(results.calibration.accuracy, mean([right for _, right in both]), within)
    near(results.calibration.bias, mean([sure - right for sure, right in both]), within)


def test_a_breakdown_shows_classes(truth):
    simulate(1_500, moments="before", breakdown="profession", truth=truth)
    sizes = Counter(row["context_profession"] for row in truth_of(truth))
    results = cohort_exports.results_of_phase(phase("before"))
    assert results is not None
    assert min(sizes.values()) >= 11
    assert Counter(one.at_least for one in results.classes) == Counter(
        size // 5 * 5 for size in sizes.values()
    )
    assert "" in sizes  # some do not say


# --- The command --------------------------------------------------------------------------------


def trainer(name: str):
    user = get_user_model().objects.create_user(name, password="a long password")
    make_trainer(user)
    return user


def test_eight_are_made_and_nothing_is_published_of_them(truth):
    said = simulate(8, truth=truth)
    cohort = Cohort.objects.get()
    assert f"http://127.0.0.1:8000/admin/assessments/cohort/{cohort.pk}/change/\n" in said
    assert "before: 8 people, nothing is published of fewer than 11\n" in said
    assert "after: 6 people, nothing is published of fewer than 11\n" in said
    assert not Release.objects.exists()
    assert not Phase.objects.filter(settled_on=None).exists()
    assert len(truth_of(truth)) == Sitting.objects.count() == 14


def test_thirty_are_published_and_the_addresses_printed(truth):
    said = simulate(30, truth=truth)
    (cohort,) = Cohort.objects.all()
    assert cohort.name == "Réanimation"
    for moment, people in ((phase("before"), 30), (phase("after"), 26)):
        address = f"/admin/assessments/cohort/{cohort.pk}/phases/{moment.pk}/results/"
        assert (
            f"{moment.kind}: {people} people, published: http://127.0.0.1:8000{address}\n" in said
        )
    assert said.endswith(f"Every simulated sheet: {truth}\n")
    user = get_user_model().objects.get(username=USERNAME)
    assert list(cohort.trainers.all()) == [user]
    password = said.partition("password ")[2].split()[0]
    assert user.check_password(password)
    assert "password" not in simulate(8, name="Another")


def test_the_last_moment_may_stay_open():
    said = simulate(30, open=True)
    assert phase("before").closed_on is not None
    after = phase("after")
    assert after.closed_on is None
    assert after in sittings.open_phases()
    assert "after: 26 people, open, nothing published yet\n" in said


def test_a_long_running_phase_is_published_in_blocks():
    simulate(60, moments="before", rolling=True, open=True)
    assert [made.at_least for made in releases.published(phase("before"))] == [10, 10, 10, 10]
    assert Sitting.objects.filter(released=False).count() == 60 - 44


def test_a_long_queue_is_settled_by_the_command(monkeypatch):
    monkeypatch.setattr("assessments.releases.LONG", 20)
    monkeypatch.setattr("assessments.simulated_cohorts.PART", 7)
    said = simulate(30, trainer=trainer("claire").username)
    assert not Phase.objects.filter(settled_on=None).exists()
    assert Release.objects.count() == 2
    assert "before: 30 people, published: " in said
    closings = Event.objects.filter(action=Event.Action.CLOSED)
    assert [event.actor.username for event in closings] == ["claire", "claire"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 0}, "--size 0: a cohort has at least 1 person."),
        ({"size": -3}, "--size -3: a cohort has at least 1 person."),
        ({"seed": -1}, "--seed -1: a seed is 0 or more."),
        ({"name": " "}, "--name: 1 to 120 characters, not 0."),
        ({"name": "x" * 121}, "--name: 1 to 120 characters, not 121."),
        (
            {"moments": "before,later"},
            "--moments before,later: one or more of before, after, follow-up, each once.",
        ),
        (
            {"moments": "after,after"},
            "--moments after,after: one or more of before, after, follow-up, each once.",
        ),
        ({"trainer": "nobody"}, "--trainer nobody: nobody of that name is a trainer here."),
        (
            {"rolling": True, "breakdown": "setting"},
            "--rolling, --breakdown: a long-running phase has no breakdown.",
        ),
        (
            {"truth": Path("/nowhere/truth.csv")},
            "--truth /nowhere/truth.csv: No such file or directory.",
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_made(wrong, said):
    with pytest.raises(CommandError) as refused:
        simulate(**({"size": 8} | wrong))
    assert str(refused.value) == said
    assert not Cohort.objects.exists()
    assert not get_user_model().objects.exists()


def test_no_account_is_made_on_a_public_address(settings):
    settings.HTTPS = True
    with pytest.raises(CommandError, match="--trainer NAME is needed"):
        simulate(8)
    assert not get_user_model().objects.exists()


def test_an_account_that_is_no_trainer_is_given_no_cohort():
    get_user_model().objects.create_user("formateur")
    with pytest.raises(CommandError, match="formateur is no trainer here"):
        simulate(8)
    assert not Cohort.objects.exists()


def test_nobody_is_invented_among_real_people():
    simulate(8, open=True)
    Cohort.objects.update(simulated=False)
    after = phase("after")
    with pytest.raises(ValueError, match="only a simulated cohort"):
        sittings.keep_simulated(after, [Sitting(phase=after, version=after.version)])


def test_a_closed_phase_takes_no_simulated_people():
    simulate(8)
    before = phase("before")
    with pytest.raises(sittings.PhaseClosed):
        sittings.keep_simulated(before, [Sitting(phase=before, version=before.version)])


def test_the_demonstration_has_a_phase_published_and_one_open():
    simulate(8)
    made = demonstration()
    before, after = made.cohort.phases.all()
    assert Sitting.objects.filter(phase=before).count() == 36
    assert Sitting.objects.filter(phase=after).count() == 16
    assert len(releases.published(before)) == 1
    assert after in sittings.open_phases()
    assert demonstration().cohort == made.cohort
