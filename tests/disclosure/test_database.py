"""The same attack through the database: random histories happen to the model and, at once, to real
sittings and phases. What is really published must be what the model says, and isolate nobody.

Only the counting is replaced, so that a release says whom it counts: each person is a cell of its
one table, without noise. Blocks, locks, long publications, pools and references are the product's.
The threshold is three, so that a history is short.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from assessments import models, releases
from assessments.cohort import disclosure
from assessments.cohort.counts import Counts, Table
from assessments.instruments import publish
from assessments.models import Sitting
from tests.conftest import AUDIT
from tests.instrument.example import example_instrument

from . import world
from .attacker import Attacker, weight
from .real import Real
from .world import History, Phase, no_noise

pytestmark = pytest.mark.django_db

K = 3
MOST_RESPONSES = 60
HISTORIES, SHARES, EVENTS = 140 if AUDIT else 112, 2, 26


@dataclass
class Who:
    """A tally that says whom it counts."""

    of_sheet: dict[bytes, int]
    form: str
    found: list[int]

    def add(self, sheets, outcomes, steps, deeds) -> None:
        assert sum(steps.values()) == len(outcomes) == len(sheets)
        self.found += [self.of_sheet[row.tobytes()] for row in sheets]

    def counts(self) -> Counts:
        cells = tuple((str(each), self.found.count(each)) for each in range(MOST_RESPONSES))
        who = Table("who", cells)
        return Counts("m", "1", "1", self.form, len(self.found), (who,), (), (), (), (), ())


class Both(Real):
    """A world in which a release says whom it counts."""

    def __init__(self, version: models.InstrumentVersion, chance: random.Random, patch) -> None:
        trainer = get_user_model().objects.create(username="trainer")
        super().__init__(version, trainer, chance, patch)
        self.told: dict[tuple[Phase, int], tuple[int, int]] = {}
        patch.setattr(
            releases, "Tally", lambda instrument, form, **more: Who(self.of_sheet, form, [])
        )
        patch.setattr(releases, "secrets", SimpleNamespace(randbelow=no_noise()))
        patch.setattr(releases, "PART", 2)

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


def seeds(share: int) -> range:
    """Which histories a share of them is: half on SQLite, the other half on PostgreSQL. The rules
    are the same code on both, so that what counts is how many different histories are tried."""
    engine = share + SHARES * (connection.vendor == "postgresql")
    return range(engine, HISTORIES, 2 * SHARES)


@pytest.mark.parametrize("share", range(SHARES))
def test_what_is_really_published_is_what_the_model_says(share, small, monkeypatch) -> None:
    version, _ = publish(example_instrument())
    made = compared = counted_again = 0
    for seed in seeds(share):
        with transaction.atomic():
            both = Both(version, random.Random(-seed), monkeypatch)
            attacker = Attacker(MOST_RESPONSES)
            read = 0
            cohorts = 1 + seed // (2 * SHARES) % 4
            for _event in History(both, random.Random(seed), cohorts).events(EVENTS):
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
    assert made > len(seeds(share))
    assert compared
    assert counted_again
