"""What a release counts, as the database joins it, beside the same read row by row."""

from __future__ import annotations

import random
import secrets
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assessments import codes, releases
from assessments.cohort.counts import Counts, Deed, LevelOutcome, count
from assessments.demonstration import simulated_sheet
from assessments.frozen import thawed
from assessments.instruments import questionnaire
from assessments.models import Phase, Sitting
from assessments.scoring.next_steps import STEPS

from .exports.groups import matrix
from .test_releases import phase  # noqa: F401 (the fixture)

pytestmark = pytest.mark.django_db

WORDS = 'a "step": "X", [{"step": "B1"}] \\ \n — 100 % l’équipe'
"""Which a program that looks for codes in text would take for some."""


def crowd(phase: Phase, people: int, seed: int) -> None:  # noqa: F811
    """People who wait, with all that may be stored of them, and some who do not wait."""
    chance = random.Random(seed)
    asked = questionnaire(phase.version.digest, phase.form)
    steps = [step.code for step in asked.instrument.next_steps]
    (profession,) = (each for each in asked.instrument.context if each.code == "profession")
    said = [option.code for option in profession.options]
    made = []
    for _person in range(people):
        sheet = simulated_sheet(asked.instrument, phase.form, chance.random(), chance)
        own = chance.choice([(), *((code,) for code in said)])
        sheet = replace(sheet, context={"profession": own} if own else {})
        # More than may be chosen, and one of them twice, is counted all the same.
        chosen = chance.choice(
            [None, [], steps[:1], steps[1:3], steps[2:5], [*steps[:4], steps[0]]]
        )
        deeds = chance.choice([None, [], *([*Deed][:some] for some in range(STEPS + 1))])
        sitting = Sitting(
            version=phase.version,
            phase=phase,
            form=phase.form,
            language="fr",
            answers=asked.layout.pack(sheet),
            code_hash=secrets.token_bytes(codes.HASH_BYTES),
            opened_on=timezone.localdate(),
            finished_on=timezone.localdate(),
            outcomes=bytes(chance.choices([*LevelOutcome], k=len(asked.instrument.domains))),
            plans=chosen and [{"step": code, "will": WORDS, "before": WORDS} for code in chosen],
            deeds=deeds and [{"step": steps[0], "deed": deed} for deed in deeds],
        )
        match chance.randrange(8):
            case 0:
                sitting.late = True
            case 1:
                sitting.finished_on = sitting.outcomes = None
            case 2:
                sitting.released = True
        made.append(sitting)
    Sitting.objects.bulk_create(made)


def one_by_one(phase: Phase) -> dict[str, Counts]:  # noqa: F811
    asked = questionnaire(phase.version.digest, phase.form)
    waiting: dict[str, list[Sitting]] = {}
    for sitting in Sitting.objects.filter(phase=phase):
        if sitting.finished_on and not sitting.late and not sitting.released:
            context = asked.layout.unpack(sitting.answers).context
            said = context.get(phase.breakdown, (releases.NOT_SAID,)) if phase.breakdown else ("",)
            waiting.setdefault(said[0], []).append(sitting)
    return {
        code: count(
            asked.instrument,
            phase.form,
            matrix([bytes(each.answers) for each in some]),
            matrix([bytes(each.outcomes or b"") for each in some]),
            [[plan["step"] for plan in each.plans or ()] for each in some],
            [[said["deed"] for said in each.deeds or ()] for each in some]
            if phase.kind == Phase.Kind.FOLLOW_UP
            else None,
        )
        for code, some in waiting.items()
    }


@pytest.mark.parametrize("kind", [Phase.Kind.BEFORE, Phase.Kind.FOLLOW_UP])
@pytest.mark.parametrize("breakdown", ["", "profession"])
@pytest.mark.parametrize("part", [7, 1_000])
@pytest.mark.parametrize("others", [10, 200])
def test_they_are_those_of_its_rows(phase, kind, breakdown, part, others, monkeypatch):  # noqa: F811
    """Whether the group is most of the people here or not, and however many parts it takes."""
    monkeypatch.setattr(releases, "PART", part)
    Phase.objects.update(kind=kind, breakdown=breakdown)
    phase.refresh_from_db()
    other = Phase.objects.get(pk=phase.pk)
    other.pk = None
    other.kind, other.opens_on = Phase.Kind.AFTER, timezone.localdate()
    other.save(force_insert=True)
    crowd(phase, 90, seed=part)
    crowd(other, others, seed=others)
    expected = one_by_one(phase)
    assert len(expected) > 3 if breakdown else list(expected) == [""]
    found = releases._counted(phase)
    assert list(found) == sorted(found)
    assert found == expected


def test_nobody_who_waits_is_nothing_that_is_counted(phase):  # noqa: F811
    assert releases._counted(phase) == {}


def test_lengths_that_make_up_for_each_other_are_refused(phase):  # noqa: F811
    crowd(phase, 30, seed=1)
    shorter, longer = releases._queue(phase)[:2]
    for field in ("answers", "outcomes"):
        kept = {each.pk: bytes(getattr(each, field)) for each in (shorter, longer)}
        with thawed(Sitting):
            Sitting.objects.filter(pk=shorter.pk).update(**{field: kept[shorter.pk][:-1]})
            Sitting.objects.filter(pk=longer.pk).update(**{field: kept[longer.pk] + b"\0"})
        with pytest.raises(ValueError, match="different lengths"):
            releases._counted(phase)
        with thawed(Sitting):
            for pk, whole in kept.items():
                Sitting.objects.filter(pk=pk).update(**{field: whole})
    assert releases._counted(phase) == one_by_one(phase)


def test_nothing_that_people_wrote_leaves_the_database(phase):  # noqa: F811
    Phase.objects.update(kind=Phase.Kind.FOLLOW_UP)
    phase.refresh_from_db()
    crowd(phase, 30, seed=2)
    with CaptureQueriesContext(connection) as asked:
        read = releases._read(phase, releases._queue(phase))
    assert len(asked) == 1
    steps = {
        each.code for each in questionnaire(phase.version.digest, phase.form).instrument.next_steps
    }
    assert set().union(*releases._alike(read.steps)) <= steps
    assert set().union(*releases._alike(read.deeds)) == set(Deed)
    assert not any("équipe" in each or "\\u" in each for each in [*read.steps, *read.deeds])
