"""What one finished sitting takes in the database, indexes included.

Judged without next steps, whose texts are people's own and as long as they like; of people who
chose three, the size is printed too. Rows are written through the model, in the order in which they
come, and measured as they then lie: nothing is vacuumed first. Judged is also what they take where
each is begun empty and saved page by page, as people do it: hundreds at a time, in no order, each
save a transaction. PostgreSQL writes a row anew at each save; its vacuum, which it runs by itself
in earnest, is run after each few hundred people.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import batched

from . import crowds
from .measuring import Figure, bounded, growth, printed, told

# isort: split
from django.db import connection, transaction

from assessments import sittings
from assessments.models import Phase, Sitting

SIZES = (10_000, 30_000, 100_000)
WITH_STEPS = 10_000
AS_PEOPLE_SAVE, TOGETHER, PAGES = 10_000, 500, 16
MOST = {"sqlite": 300, "postgresql": 400}
"""Bytes a sitting."""
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
TABLE = Sitting._meta.db_table
CLUSTER = ".ci/with-postgresql"


def main() -> Iterator[Figure]:
    trainer = crowds.service()
    phase = crowds.phase_of(trainer, "storage")
    vendor, name = connection.vendor, NAMES[connection.vendor]
    empty = sum(sizes().values())
    stored, taken = 0, []
    for size in SIZES:
        add(phase, size - stored, seed=size)
        stored = size
        assert (
            Sitting.objects.filter(finished_on__isnull=False, plans__isnull=True).count() == stored
        )
        taken.append(sum(sizes().values()) - empty)
    kept = sizes()
    yield bounded(
        f"storage of a finished sitting, {name}", taken[-1] / stored, unit="bytes",
        most=MOST[vendor], yardstick="bytes at most", note=parts(kept, stored),
    )  # fmt: skip
    yield growth(f"storage of finished sittings, {name}", SIZES, taken, unit="bytes", most=1.05)
    before = sum(kept.values())
    with crowds.filling():
        saved(phase, AS_PEOPLE_SAVE, seed=2)
    stored += AS_PEOPLE_SAVE
    kept = sizes()
    yield bounded(
        f"storage of a finished sitting, {name}, saved page by page",
        (sum(kept.values()) - before) / AS_PEOPLE_SAVE, unit="bytes",
        most=MOST[vendor], yardstick="bytes at most",
    )  # fmt: skip
    before = sum(kept.values())
    three = [steps for steps in crowds.plans(phase) if steps and len(steps) == 3]
    add(phase, WITH_STEPS, seed=1, chosen=three)
    yield printed(
        f"storage of one with three next steps, {name}",
        [(sum(sizes().values()) - before) / WITH_STEPS], unit="bytes",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM assessments_sitting WHERE plans IS NOT NULL")
        cursor.execute("VACUUM" if vendor == "sqlite" else f"VACUUM FULL {TABLE}")
    kept = sizes()
    yield printed(
        f"storage of a finished sitting, {name}, packed anew",
        [(sum(kept.values()) - empty) / stored], unit="bytes", note=parts(kept, stored),
    )  # fmt: skip


def add(phase: Phase, n: int, seed: int, chosen: Sequence[list[dict]] | None = None) -> None:
    for some in crowds.crowd(phase, n, seed):
        with crowds.filling(), transaction.atomic():
            Sitting.objects.bulk_create(crowds.finished(phase, some, chosen))


def saved(phase: Phase, n: int, seed: int) -> None:
    """Have so many people begin, save page by page and finish, a few hundred at the same time."""
    chance = random.Random(seed)
    for some in crowds.crowd(phase, n, seed):
        for people in batched(crowds.finished(phase, some), TOGETHER):
            whole = [(each.pk, each.answers, each.finished_on, each.outcomes) for each in people]
            for each in people:
                each.answers, each.revision = bytes(len(each.answers)), 0
                each.finished_on = each.outcomes = None
            Sitting.objects.bulk_create(people)
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute("SET synchronous_commit = off")  # time is not what is measured
                for page in range(1, PAGES + 1):
                    for key, answers, _day, _outcomes in chance.sample(whole, len(whole)):
                        here = len(answers) * page // PAGES
                        so_far = answers[:here] + bytes(len(answers) - here)
                        cursor.execute(sittings._KEEP, [so_far, "fr", key, page - 1])
            for key, _answers, day, outcomes in whole:
                Sitting.objects.filter(pk=key).update(finished_on=day, outcomes=outcomes)
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"VACUUM {TABLE}")


def sizes() -> dict[str, int]:
    """Bytes of the table and of each of its indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT s.name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m "
                "ON m.name = s.name WHERE m.tbl_name = %s GROUP BY 1",
                [TABLE],
            )
            return dict(cursor.fetchall())
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_relation_size(i.indexrelid) "
            "FROM pg_index i WHERE i.indrelid = %s::regclass",
            [TABLE],
        )
        indexes = dict(cursor.fetchall())
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [TABLE])
        return {TABLE: cursor.fetchone()[0] - sum(indexes.values())} | indexes


def parts(kept: dict[str, int], n: int) -> str:
    """What the bytes are, the largest first."""
    short = {name: name.removeprefix(f"{TABLE}_").removeprefix("sqlite_") for name in kept}
    return ", ".join(
        f"{'table' if name == TABLE else short[name]} {size / n:.0f}"
        for name, size in sorted(kept.items(), key=lambda pair: -pair[1])
    )


def on_postgresql() -> str:
    """What this module prints on a cluster of its own; nothing where there is none."""
    run = subprocess.run(
        [CLUSTER, sys.executable, "-m", "tests.benchmarks.storage"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return run.stdout


if __name__ == "__main__":
    told(main())
    if not os.environ.get("DATABASE_URL"):
        sys.stdout.write(on_postgresql())
