"""The same attack through the database: random histories happen to the model and, at once, to real
sittings and phases. What is really published must be what the model says, and isolate nobody.

Only the counting is replaced, so that a release says whom it counts: each person is a cell of its
one table, without noise. Blocks, locks, long publications, pools and references are the product's.
The threshold is three, so that a history is short.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import count as numbers
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from assessments import codes, cohorts, models, releases, sittings
from assessments.cohort import disclosure
from assessments.cohort.counts import Counts, Table
from assessments.instruments import default_form, publish, questionnaire
from assessments.models import Cohort, Sitting
from assessments.scoring.sheet import ScenarioAnswer, Sheet
from tests.instrument.example import example_instrument

from . import world
from .attacker import Attacker, weight
from .world import History, Phase, Response, World, no_noise

pytestmark = pytest.mark.django_db

K = 3
MOST_RESPONSES = 60
HISTORIES, SHARES, EVENTS = 160, 4, 22
FIRST_DAY = date(2026, 11, 24)


class Both(World):
    """A world whose every event also happens in the database."""

    def __init__(self, version: models.InstrumentVersion, chance: random.Random, patch) -> None:
        super().__init__()
        self.version, self.chance = version, chance
        self.asked = questionnaire(version.digest, default_form(version))
        self.trainer = get_user_model().objects.create(username="trainer")
        self.cohorts: dict[int, Cohort] = {}
        self.real: dict[Phase, int] = {}
        self.sitting: dict[int, Sitting] = {}
        self.of_sheet: dict[bytes, int] = {}
        self.told: dict[tuple[Phase, int], tuple[int, int]] = {}
        self.patch = patch
        self.counted_again = 0
        patch.setattr(timezone, "localdate", lambda *args: FIRST_DAY + timedelta(days=self.day))
        patch.setattr(releases, "count", self.count)
        patch.setattr(releases, "secrets", SimpleNamespace(randbelow=no_noise()))
        patch.setattr(releases, "PART", 2)

    def count(self, instrument, form, sheets, outcomes, steps, deeds=None) -> Counts:
        found = [self.of_sheet[row.tobytes()] for row in sheets]
        cells = tuple((str(each), found.count(each)) for each in range(MOST_RESPONSES))
        return Counts("m", "1", "1", form, len(found), (Table("who", cells),), (), (), (), (), ())

    def phase(self, phase: Phase) -> models.Phase:
        return models.Phase.objects.select_related("cohort", "version").get(pk=self.real[phase])

    def open(self, phase: Phase) -> Phase:
        if phase.cohort not in self.cohorts:
            made = Cohort(name=f"Group {phase.cohort}")
            cohorts.create(made, self.trainer)
            self.cohorts[phase.cohort] = made
        real = models.Phase(
            cohort=self.cohorts[phase.cohort],
            kind=phase.kind,
            opens_on=timezone.localdate(),
            rolling=phase.rolling,
            breakdown="profession" if phase.breakdown else "",
        )
        cohorts.plan(real, self.trainer)
        self.real[phase] = real.pk
        return super().open(phase)

    def start(self, phase: Phase, person: int, of_class: str = "nurse") -> Response:
        response = super().start(phase, person, of_class)
        real = self.phase(phase)
        code = codes.new_code(codes.RESUME_LENGTH)
        if self.chance.random() < 0.05:
            cohorts.pause(real, self.trainer, paused=True)
            with pytest.raises(sittings.PhaseClosed):
                sittings.open_sitting(code, version=self.version, phase=real, language="fr")
            cohorts.pause(real, self.trainer, paused=False)
        sitting = sittings.open_sitting(code, version=self.version, phase=real, language="fr")
        sheet = self.asked.layout.pack(self.sheet(response))
        Sitting.objects.filter(pk=sitting.pk).update(answers=sheet)
        self.sitting[response.number], self.of_sheet[sheet] = sitting, response.number
        return response

    def sheet(self, response: Response) -> Sheet:
        """A sheet that nobody else sends: the number of the response, in fours."""
        items = self.asked.instrument.scenarios_of(self.asked.form)[:4]
        digits = (response.number >> 2 * place & 3 for place in numbers())
        return Sheet(
            context={}
            if response.of_class == releases.NOT_SAID
            else {"profession": (response.of_class,)},
            answers={
                item.code: ScenarioAnswer(item.options[digit].code)
                for item, digit in zip(items, digits, strict=False)
            },
        )

    def finish(self, phase: Phase, response: Response, key: float) -> None:
        sitting = self.sitting[response.number]
        sittings.finish(sittings.find(sitting.pk))
        super().finish(phase, response, sitting.pk)

    def erase(self, phase: Phase, response: Response) -> None:
        sittings.erase(self.sitting[response.number])
        super().erase(phase, response)

    def close(self, phase: Phase) -> None:
        """Half of all queues are too long to be published at once."""
        long = self.chance.random() < 0.5
        self.patch.setattr(releases, "LONG", 0 if long else 2_000)
        releases.close(self.phase(phase), self.trainer)
        super().close(phase)
        if not long:
            super().settle(phase)

    def settle(self, phase: Phase) -> None:
        """Somebody may leave while they are counted: they are counted again."""
        leaves = self.chance.random() < 0.4

        def progress(done: float) -> None:
            nonlocal leaves
            if leaves and phase.queue:
                leaves = False
                self.counted_again += 1
                self.erase(phase, self.chance.choice(phase.waiting))

        releases.settle(self.real[phase], progress)
        if not phase.settled:
            super().settle(phase)

    # --- What is really read --------------------------------------------------------------------

    def read(self) -> set[int]:
        """All that is really published, which must be what the model says, as tables."""
        real = {each.pk: each for each in models.Phase.objects.select_related("cohort", "version")}
        own = {phase: releases.published(real[pk]) for phase, pk in self.real.items()}
        others = {phase: releases.others(real[pk]) for phase, pk in self.real.items()}
        flags: dict[tuple[int, str], set[int]] = {}
        for pk, phase_id, *said in Sitting.objects.values_list("pk", "phase", "released", "late"):
            for name, flag in zip(("released", "late"), said, strict=True):
                if flag:
                    flags.setdefault((phase_id, name), set()).add(pk)
        for phase, pk in self.real.items():
            assert [told(release) for release in own[phase]] == [
                (world.members(release), release.group, release.at_least, release.parts)
                for release in phase.releases
            ]
            assert phase.closed == (real[pk].closed_on is not None)
            assert phase.settled == (real[pk].settled_on is not None)
            for name, some in (("released", phase.released), ("late", phase.late)):
                assert flags.get((pk, name), set()) == {
                    self.sitting[each.number].pk for each in some
                }
            self.check_counts(phase, real[pk])
        references = {phase: who(*found.sums) for phase, found in others.items() if found}
        assert references == dict(self.references())
        return {
            *map(who, (release for some in own.values() for release in some)),
            *(who(*disclosure.union(some).sums) for some in own.values() if some),
            *references.values(),
        }

    def check_counts(self, phase: Phase, real: models.Phase) -> None:
        """What is told of the number of people moves in fives, and not within a day."""
        count = releases.refresh_counts(real)
        found = (count.started_at_least, count.finished_at_least)
        assert [each % 5 for each in found] == [0, 0]
        assert self.told.setdefault((phase, self.day), found) == found


def who(*of: disclosure.Release) -> int:
    """Whom releases count, as a table of the attacker."""
    return sum(size * weight(int(cell)) for release in of for cell, size in release.levels[0].cells)


def told(release: disclosure.Release) -> tuple[int, str | None, int, frozenset[disclosure.Part]]:
    return who(release), release.group, release.at_least, release.parts


@pytest.fixture
def small(monkeypatch, settings) -> None:
    """A threshold of three, which no setting could give."""
    settings.DISCLOSURE_THRESHOLD = K
    monkeypatch.setattr(disclosure, "K", K)
    monkeypatch.setattr(world, "TARGETS", (1, 2, 3, 4, 5, 6, 7, 9, 12))
    monkeypatch.setattr(world, "MOST_RESPONSES", MOST_RESPONSES)
    assert releases.threshold() == K


@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_really_published_is_what_the_model_says(share, small, monkeypatch) -> None:
    version, _ = publish(example_instrument())
    made = compared = counted_again = 0
    for seed in range(share, HISTORIES, SHARES):
        with transaction.atomic():
            both = Both(version, random.Random(-seed), monkeypatch)
            attacker = Attacker(MOST_RESPONSES)
            read = 0
            for _event in History(both, random.Random(seed)).events(EVENTS):
                if read != both.revision:
                    read = both.revision
                    for published in both.read():
                        attacker.read(published)
                    assert not attacker.succeeds(K), seed
            both.read()
            made += models.Release.objects.count()
            compared += any(True for _each in both.references())
            counted_again += both.counted_again
            transaction.set_rollback(True)
    assert made > HISTORIES / SHARES
    assert compared > 1
    assert counted_again > 1
