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


if __name__ == "__main__":
    django.setup()
    told = fill(int(sys.argv[2])) if sys.argv[1] == "fill" else count()
    sys.stdout.write(json.dumps(told) + "\n")
