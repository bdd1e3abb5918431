"""The model's world and, at once, the real one: every event also happens in the database."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import count as numbers

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from assessments import codes, cohorts, models, releases, sittings
from assessments.instruments import default_form, questionnaire
from assessments.models import Cohort, Sitting
from assessments.scoring.sheet import ScenarioAnswer, Sheet

from .world import Phase, Response, World

FIRST_DAY = date(2026, 11, 24)


class Real(World):
    """``patch`` moves the day, and makes a queue long or short."""

    def __init__(
        self, version: models.InstrumentVersion, trainer: User, chance: random.Random, patch
    ) -> None:
        super().__init__(releases.threshold())
        self.version, self.trainer, self.chance, self.patch = version, trainer, chance, patch
        self.asked = questionnaire(version.digest, default_form(version))
        self.cohorts: dict[int, Cohort] = {}
        self.real: dict[Phase, int] = {}
        self.sitting: dict[int, Sitting] = {}
        self.of_sheet: dict[bytes, int] = {}
        self.counted_again = 0
        patch.setattr(timezone, "localdate", lambda *args: FIRST_DAY + timedelta(days=self.day))

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
        leaves = self.chance.random() < 0.6

        def progress(done: float) -> None:
            nonlocal leaves
            if leaves and phase.queue:
                leaves = False
                self.counted_again += 1
                self.erase(phase, self.chance.choice(phase.waiting))

        releases.settle(self.real[phase], progress)
        if not phase.settled:
            super().settle(phase)
