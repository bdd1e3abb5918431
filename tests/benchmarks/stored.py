"""``python -m tests.benchmarks.stored``: what our database holds, in a process of its own, for a
benchmark whose servers have a database each."""

from __future__ import annotations

import json
import random
import sys

import django


def count() -> dict[str, int]:
    """The sittings that are finished, and the questions that they answer."""
    from assessments import sittings
    from assessments.models import Sitting

    answers = 0
    found = Sitting.objects.exclude(finished_on=None)
    for sitting in found.select_related("version"):
        sheet = sittings.sheet_of(sitting)
        sure = sum(each.confidence is not None for each in sheet.answers.values())
        answers += len(sheet.context) + len(sheet.self_ratings) + len(sheet.answers) + sure
    return {"finished": found.count(), "answers": answers}


def fill(wanted: int) -> dict[str, int]:
    """Copies of the sittings that are finished, under keys and codes of their own, until there are
    so many."""
    from assessments.codes import HASH_BYTES
    from assessments.models import Sitting, random_key

    known = list(Sitting.objects.exclude(finished_on=None))
    chance = random.Random(1)
    made = []
    for number in range(wanted - len(known)):
        like = known[number % len(known)]
        values = {each.attname: getattr(like, each.attname) for each in Sitting._meta.fields}
        values |= {"id": random_key(), "code_hash": chance.randbytes(HASH_BYTES)}
        made.append(Sitting(**values))
    Sitting.objects.bulk_create(made, batch_size=500)
    return {"finished": Sitting.objects.exclude(finished_on=None).count()}


def group() -> dict[str, str]:
    """A group that answers before its training; the address of its door."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from assessments import cohorts
    from assessments.models import Cohort, Phase
    from assessments.roles import make_trainer

    make_trainer(trainer := get_user_model().objects.create_user("trainer"))
    cohorts.create(cohort := Cohort(name="Ward 3"), trainer)
    cohorts.plan(
        Phase(cohort=cohort, kind=Phase.Kind.BEFORE, opens_on=timezone.localdate()), trainer
    )
    return {"door": f"/c/{cohort.code}/"}


def follow_up() -> dict[str, str]:
    """The group's training was a month ago, and it is asked again."""
    from datetime import timedelta

    from django.utils import timezone

    from assessments import cohorts
    from assessments.models import Phase

    phase = Phase.objects.get()
    began = timezone.localdate() - timedelta(days=30)
    Phase.objects.filter(pk=phase.pk).update(opens_on=began, closed_on=began)
    cohort = phase.cohort
    later = Phase(cohort=cohort, kind=Phase.Kind.FOLLOW_UP, opens_on=timezone.localdate())
    cohorts.plan(later, cohort.trainers.get())
    return {"kind": later.kind}


if __name__ == "__main__":
    django.setup()
    command, *values = sys.argv[1:]
    told: dict = fill(int(values[0])) if command == "fill" else globals()[command]()
    sys.stdout.write(json.dumps(told) + "\n")
