"""The world that the states of the catalogue are seen in: groups, people, a panel, a draft."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import cache

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, reverse
from django.utils import timezone, translation

from assessments import (
    calibrations,
    codes,
    cohorts,
    instruments,
    jobs,
    releases,
    simulated_cohorts,
    sittings,
    standards,
)
from assessments.cohort import simulation
from assessments.cohort.quality import Quality, complete
from assessments.demonstration import demonstration, simulated_sheet
from assessments.instrument.archives import opened
from assessments.instrument.loading import load, loads
from assessments.models import (
    Calibration,
    Cohort,
    Estimate,
    Event,
    Job,
    Phase,
    Sitting,
    StandardStudy,
)
from assessments.roles import make_author, make_judge, make_trainer
from tests.conftest import SEEDS

PANEL = ("nurse", "nurse", "nurse", "physician", "physician", "pharmacist", "midwife")
"""The professions of the judges."""
NAMES = {"fr": ("Service des urgences", "Petite équipe", "Faculté", "Clinique", "Hôpital de jour")}
NAMES["en"] = ("Emergency department", "Small team", "Faculty", "Clinic", "Day hospital")


class Browser(Client):
    """Somebody's browser, which tells the world the names of the addresses it asks."""

    views: set[str]

    def request(self, **request):
        response = super().request(**request)
        with suppress(Resolver404, AttributeError):
            self.views.add(response.resolver_match.view_name)
        return response


class World:
    """Built once, in the words of a language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.views: set[str] = set()
        with translation.override(language):
            self.version, _new = instruments.publish(load(SEEDS))
            self.asked = instruments.questionnaire(
                self.version.digest, instruments.default_form(self.version)
            )
            self._cohorts()
            self._people()
            self._panel()
            self.draft, _new = instruments.keep_draft(reworded(), self.people["author"])
        self.event = Event.objects.order_by("pk").first()

    def _cohorts(self) -> None:
        urgent, small, faculty, clinic, day = NAMES[self.language]
        self.cohort = demonstration().cohort
        self.before = self.cohort.phases.get(kind="before")
        self.after = self.cohort.phases.get(kind="after")
        trainer = self.cohort.trainers.get()
        self.people = {"trainer": trainer}
        self.fresh = Cohort(name=urgent)
        """Of real people: its first moment has just opened."""
        cohorts.create(self.fresh, trainer)
        self.next_moment(self.fresh, Phase.Kind.BEFORE)
        self.few = self._closed("", 5, Phase.Kind.BEFORE)
        self.small = self._closed(small, 14, Phase.Kind.BEFORE)
        for other in (faculty, clinic):
            self._closed(other, 30, Phase.Kind.FOLLOW_UP)
        self.story = self._closed(day, 150, *Phase.Kind, breakdown="profession")
        """Everything that can be said of a group: three moments, classes, other groups."""

    def _closed(self, name: str, size: int, *kinds: str, breakdown: str = "") -> Phase:
        """The last moment of a group of simulated people, all closed."""
        trainer = self.people["trainer"]
        planned = simulated_cohorts.planned(
            name or "–", kinds, trainer, leave_open=False, breakdown=breakdown
        )
        everybody = simulated_cohorts.everybody()
        for moment in simulated_cohorts.moments(planned, size, seed=5):
            simulated_cohorts.keep(moment, everybody)
            releases.close(moment.phase, trainer)
        return planned[-1]

    def _people(self) -> None:
        users = get_user_model().objects
        for name, make in (
            ("colleague", make_trainer),
            ("author", make_author),
            ("judge", make_judge),
        ):
            self.people[name] = users.create_user(name)
            make(self.people[name])
        self.people["operator"] = users.create_superuser("operator")

    def _panel(self) -> None:
        author = self.people["author"]
        self.study = StandardStudy(version=self.version, form=self.asked.form)
        standards.create(self.study, author)
        seats = []
        for number, profession in enumerate(PANEL):
            user = self.people["judge"] if number == 0 else self._judge(number)
            seats.append(standards.appoint(self.study, user, profession, author))
        self.seats = seats
        self.seat = seats[0]

    def _judge(self, number: int) -> User:
        user = get_user_model().objects.create_user(f"judge{number}")
        make_judge(user)
        return user

    # --- Browsers ---------------------------------------------------------------------------------

    @contextmanager
    def watched(self) -> Iterator[set[str]]:
        """The names of the addresses that are asked meanwhile."""
        self.views.clear()
        yield self.views

    def browser(self, who: str = "anybody", **how: bool) -> Browser:
        browser = Browser(headers={"accept-language": self.language}, **how)
        browser.views = self.views
        if who in self.people:
            browser.force_login(self.people[who])
        return browser

    def holding(self, code: str, **how: bool) -> Browser:
        """The browser of whoever has that resume code."""
        browser = self.browser(**{**how, "enforce_csrf_checks": False})
        browser.post(reverse("resume"), {"code": code})
        browser.handler.enforce_csrf_checks = how.get("enforce_csrf_checks", False)
        return browser

    def posted(self, response: HttpResponse) -> dict[str, object]:
        """What a form of the admin sends as it is displayed."""
        forms = [response.context["adminform"].form]
        for inline in response.context["inline_admin_formsets"]:
            forms += [inline.formset.management_form, *inline.formset.forms]
        values = {bound.html_name: bound.value() for form in forms for bound in form}
        return {
            name: value for name, value in values.items() if not (value is None or value is False)
        }

    # --- Whoever answers --------------------------------------------------------------------------

    def door(self, cohort: Cohort) -> str:
        return reverse("cohort", args=(cohort.code,))

    def opened(self, code: str, cohort: Cohort | None) -> Sitting:
        phase = sittings.phase_to_join(cohort) if cohort else None
        return sittings.open_sitting(
            code, version=self.version, phase=phase, language=self.language
        )

    def fill(self, sitting: Sitting, *, finish: bool, seed: int = 3) -> None:
        asked = sittings.questionnaire_of(sitting)
        sheet = simulated_sheet(asked.instrument, sitting.form, 0.3, random.Random(seed))
        sitting.answers = asked.layout.pack(sheet)
        sitting.save(update_fields=["answers"])
        if finish:
            sittings.finish(sitting)

    def person(
        self,
        cohort: Cohort | None = None,
        *,
        answered: bool = False,
        finished: bool = False,
        **how: bool,
    ) -> Browser:
        code = codes.new_code(codes.RESUME_LENGTH)
        sitting = self.opened(code, cohort)
        if answered or finished:
            self.fill(sitting, finish=finished)
        return self.holding(code, **how)

    def next_moment(self, cohort: Cohort, kind: str) -> Phase:
        """The moment that is open is over, the next one opens."""
        today = timezone.localdate()
        cohort.phases.filter(closed_on=None).update(
            closed_on=today, settled_on=today, opens_on=today - timedelta(days=30)
        )
        phase = Phase(cohort=cohort, kind=kind, opens_on=today)
        cohorts.plan(phase, self.people["trainer"])
        return phase

    def returning(self) -> Browser:
        """Somebody who has finished before and after a training."""
        code = codes.new_code(codes.RESUME_LENGTH)
        before = self.opened(code, self.fresh)
        self.fill(before, finish=True)
        self._choose_steps(before)
        self.next_moment(self.fresh, Phase.Kind.AFTER)
        self.fill(self.opened(code, self.fresh), finish=True, seed=4)
        return self.holding(code)

    def followed(self, *, finished: bool = False) -> Browser:
        """Somebody who is asked, weeks later, what became of the steps they chose."""
        code = codes.new_code(codes.RESUME_LENGTH)
        before = self.opened(code, self.fresh)
        self.fill(before, finish=True)
        steps = self._choose_steps(before)
        self.next_moment(self.fresh, Phase.Kind.FOLLOW_UP)
        later = self.opened(code, self.fresh)
        if finished:
            later.deeds = [
                {"step": step, "deed": deed}
                for step, deed in zip(steps, simulated_cohorts.DEEDS, strict=False)
            ]
            later.save(update_fields=["deeds"])
            self.fill(later, finish=True, seed=4)
        return self.holding(code)

    def _choose_steps(self, sitting: Sitting) -> list[str]:
        steps = [step.step for step in sittings.profile_of(sitting).next_steps]
        plans = [sittings.proposed_plan(sitting, step, self.language) for step in steps]
        sittings.keep_plans(sitting, plans)
        return steps

    # --- Trainers, authors, judges ----------------------------------------------------------------

    def job(self, phase: Phase, export: str = "", **how: object) -> Job:
        work = Job.Work.EXPORT if export else Job.Work.PUBLISH
        trainer = self.people["trainer"]
        job = jobs.start(phase, trainer, work, export=export)
        Job.objects.filter(pk=job.pk).update(**how)
        return job

    def calibrate(self) -> Calibration:
        return instruments.keep_calibration(self.version, measured(self.asked.form))

    def judged(self, until: str) -> None:
        """The panel has estimated, and its study has gone as far as that."""
        self._estimate(1, spread=5)
        for state in (state for state in ("discussion", "round-2", "closed") if until != "first"):
            standards.move(self.study, state, self.people["author"])
            if state == "discussion":
                standards.note(
                    self.study, "La situation 3 est plus difficile la nuit.", self.people["author"]
                )
            if state == until:
                break
            if state == "round-2":
                self._estimate(2, spread=0)
        self.study.refresh_from_db()

    def _estimate(self, number: int, *, spread: int) -> None:
        for seat in self.seats:
            standards.practised(seat)
        Estimate.objects.bulk_create(
            Estimate(
                judge=seat,
                round=number,
                scenario=item.code,
                operational=(expected := 45 + 5 * (at % 5) + spread * (place % 3)),
                expert=min(100, expected + 25),
            )
            for place, seat in enumerate(self.seats)
            for at, item in enumerate(standards.scenarios(self.study))
        )


@cache
def measured(form: str) -> Quality:
    """A form on 400 simulated people, of whom those count who answered all of it."""
    version = instruments.current()
    assert version is not None
    instrument = instruments.instrument_of(version.digest)
    rng = np.random.default_rng(7)
    people = simulation.draw(instrument, 400, rng)
    sheets = simulation.answers(instrument, form, people, rng)
    whole = np.flatnonzero(complete(instrument, form, sheets))
    gathered = calibrations.Gathered(
        sheets=sheets[whole],
        languages=tuple(instrument.languages[people.language[place]] for place in whole),
        finished=(date(2026, 11, 1),) * len(whole),
        incomplete=0,
        repeated=0,
    )
    return calibrations.measure(version, form, gathered)


def archive(*changes: tuple[str, str, str]) -> bytes:
    """Our own instrument as a ZIP archive, with some strings replaced: (file, old, new)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as folder:
        for path in sorted(SEEDS.rglob("*")):
            if path.is_file():
                name = path.relative_to(SEEDS).as_posix()
                text = path.read_text(encoding="utf-8")
                for file, old, new in changes:
                    if file == name:
                        assert old in text
                        text = text.replace(old, new, 1)
                folder.writestr(f"ai-readiness/{name}", text)
    return made.getvalue()


NUMBERED = ("instrument.yaml", f'"{load(SEEDS).version}"', '"2099.1"')
REWORDED = ("scenarios/a.yaml", "En pneumologie, un kinésithérapeute", "Un kinésithérapeute")
BROKEN = ("scenarios/a.yaml", "credit: 1\n", "credit: 0.25\n")


def reworded():
    return loads(opened(archive(NUMBERED, REWORDED)))


def broken() -> bytes:
    return archive(NUMBERED, BROKEN)


def as_archive(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("instrument.zip", content, content_type="application/zip")
