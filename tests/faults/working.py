"""The worker is killed in the middle of its work: it is done once all the same."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass

from .system import System, kill, wait_until

SIZE = 2_400
"""People: more than a page publishes by itself."""

_CLOSE = f"""
from io import StringIO
from django.core.management import call_command
from assessments import jobs, releases
from assessments.models import Job, Phase
call_command("simulate_cohort", size={SIZE}, seed=SEED, name="Faults SEED", moments="before",
             open=True, stdout=StringIO())
phase = Phase.objects.filter(cohort__name="Faults SEED").get()
trainer = phase.cohort.trainers.get()
assert releases.close(phase, trainer) is None
job = jobs.start(phase, trainer, Job.Work.PUBLISH)
jobs.run.enqueue(job.pk)  # delivered twice
print(phase.pk, job.pk)
"""
_EXPORT = """
from assessments import jobs
from assessments.models import Job, Phase
phase = Phase.objects.get(pk=PHASE)
job = jobs.start(phase, phase.cohort.trainers.get(), Job.Work.EXPORT, export="results.json")
jobs.run.enqueue(job.pk)
print(phase.pk, job.pk)
"""
_LOOK = """
import hashlib, json
from django.utils import translation
from assessments import cohort_exports, releases, wall
from assessments.models import Job, Phase, Release, Sitting
phase = Phase.objects.get(pk=PHASE)
export = Job.objects.get(pk=EXPORT)
with translation.override(export.language), wall.reading_sittings():
    again = cohort_exports.made("results.json", phase)
print(json.dumps({
    "states": sorted(set(Job.objects.values_list("state", flat=True))),
    "releases": Release.objects.filter(phase=phase).count(),
    "at_least": releases.published(phase)[0].at_least,
    "released": Sitting.objects.filter(phase=phase, released=True).count(),
    "same_file": bytes(export.file) == again,
}))
"""


@dataclass(frozen=True)
class Worked:
    kills: int
    found: dict[str, object]

    @property
    def passed(self) -> bool:
        return self.found == {
            "states": ["done"],
            "releases": 1,
            "at_least": SIZE,
            "released": SIZE,
            "same_file": True,
        }

    def __str__(self) -> str:
        said = "done once" if self.passed else f"NOT done once: {self.found}"
        return f"the worker killed {self.kills} times, two at work: {said}"


def drill(system: System, chance: random.Random, *, kills: int = 3) -> Worked:
    """Two workers publish a large group, and make its export, each asked for twice; both are killed
    in the middle, again and again."""
    seed = str(chance.randrange(10**6))
    phase, publish = _shell(system, _CLOSE.replace("SEED", seed)).split()
    killed = _killed_until_done(system, publish, chance, kills)
    _phase, export = _shell(system, _EXPORT.replace("PHASE", phase)).split()
    killed += _killed_until_done(system, export, chance, kills)
    look = _LOOK.replace("PHASE", phase).replace("EXPORT", export)
    return Worked(killed, json.loads(_shell(system, look)))


def _killed_until_done(system: System, job: str, chance: random.Random, kills: int) -> int:
    killed = 0
    while True:
        workers = [system.start_worker(), system.start_worker()]
        if killed < kills:
            wait_until(lambda: _state(system, job) in ("running", "done"), 120)
            time.sleep(chance.uniform(0, 0.2))
            killed += _state(system, job) == "running"
        else:
            wait_until(lambda: _state(system, job) == "done", 120)
        over = _state(system, job) == "done"
        for worker in workers:
            kill(worker.pid)
            worker.wait()
            system.workers.remove(worker)
        if over:
            return killed


def _state(system: System, job: str) -> str:
    return str(system.database.rows(f"SELECT state FROM assessments_job WHERE id = {job}")[0][0])


def _shell(system: System, code: str) -> str:
    return system.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1]
