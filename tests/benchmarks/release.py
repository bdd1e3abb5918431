"""Computing a release: the product's way, beside numpy over an array that is already in memory
and beside SQL over a table of one row an answer.

``BENCH_WHOLE=1`` also loads the answers of the million into that table, some 40 million rows,
which takes minutes.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import msgspec
import numpy as np

from . import crowds
from .measuring import Figure, figure, growth, printed, times, told

# isort: split
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assessments import releases
from assessments.cohort import disclosure
from assessments.cohort.counts import Counts, LevelOutcome, count
from assessments.cohort.simulation import Bytes
from assessments.instruments import questionnaire
from assessments.models import Phase, Sitting
from assessments.questionnaire import Questionnaire
from assessments.scoring.sheet import DONT_KNOW_BYTE

WHOLE = bool(os.environ.get("BENCH_WHOLE"))
SIZES = (10_000, 30_000, 100_000, 1_000_000)
JUDGED_IN_SQL = SIZES if WHOLE else SIZES[:-1]

type Figures = dict[str, np.ndarray]
"""People by cell, by kind of table and what is counted, cells in the order of a release."""


# --- Ours ----------------------------------------------------------------------------------------


def publication(phase: Phase) -> Counts:
    """All that is done of a release but keeping it: read, counted, noised, encoded."""
    with releases.reading_sittings():
        counts = reduce(add, releases._counted(phase).values())
    published(counts)
    return counts


def published(counts: Counts) -> bytes:
    made = disclosure.release(
        counts, phase=Phase.Kind.BEFORE, day=timezone.localdate(), randbelow=secrets.randbelow
    )
    assert disclosure.digest(made)
    return disclosure.encode(made)


def figures_of(counts: Counts) -> Figures:
    return {
        f"{kind} {table.code}": np.array([size for _cell, size in table.cells])
        for kind in ("levels", "credits", "options", "confidence", "self_ratings", "steps")
        for table in getattr(counts, kind)
    }


# --- In memory -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that a release counts, as arrays."""

    sheets: Bytes
    outcomes: Bytes
    steps: np.ndarray
    """``[n, steps]``: who chose which."""
    chosen: list[list[str]]
    """The same as codes."""


def memory(asked: Questionnaire, phase: Phase) -> Memory:
    """Read without anything of ours, to check what is."""
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT answers, outcomes, plans FROM "{Sitting._meta.db_table}" WHERE phase_id = %s',
            [phase.pk],
        )
        answers, outcomes, plans = zip(*cursor.fetchall(), strict=True)
    known: dict[object, list[str]] = {None: []}
    codes = [step.code for step in asked.instrument.next_steps]
    chosen = []
    for kept in plans:
        if kept not in known:
            known[kept] = [step["step"] for step in msgspec.json.decode(kept)]
        chosen.append(known[kept])
    steps = np.zeros((len(chosen), len(codes)), dtype=bool)
    for row, own in enumerate(chosen):
        for step in own:
            steps[row, codes.index(step)] = True
    n = len(answers)
    return Memory(
        sheets=np.frombuffer(b"".join(answers), dtype=np.uint8).reshape(n, -1),
        outcomes=np.frombuffer(b"".join(outcomes), dtype=np.uint8).reshape(n, -1),
        steps=steps,
        chosen=chosen,
    )


def statements(phase: Phase) -> list[str]:
    """What the database is asked for a release."""
    with CaptureQueriesContext(connection) as asked:
        releases._counted(phase)
    return [each["sql"] for each in asked]


def answered(asked: Sequence[str]) -> None:
    """Have the database's driver answer that, and do nothing with it."""
    with connection.cursor() as cursor:
        for statement in asked:
            cursor.execute(statement)
            cursor.fetchall()


def with_numpy(asked: Questionnaire, held: Memory) -> Figures:
    """The same figures, as one writes them who has the whole array in memory."""
    found: Figures = {}
    instrument, sheets = asked.instrument, held.sheets
    for place, domain in enumerate(instrument.domains):
        found[f"levels {domain.code}"] = np.bincount(
            held.outcomes[:, place], minlength=len(LevelOutcome)
        )
    credits = {sub.code: np.zeros(4, dtype=int) for sub in instrument.sub_competencies}
    levels = 1 + len(instrument.confidence_scale)
    for item in instrument.scenarios_of(asked.form):
        option = sheets[:, asked.layout.offset("option", item.code)]
        sure = sheets[:, asked.layout.offset("confidence", item.code)]
        joint = np.bincount(option + 256 * sure.astype(np.intp), minlength=256 * levels)
        _tell(found, credits, item, joint.reshape(levels, 256).T)
    _tell_credits(found, asked, credits)
    for rating in instrument.self_ratings:
        found[f"self_ratings {rating.code}"] = np.bincount(
            sheets[:, asked.layout.offset("self_rating", rating.code)],
            minlength=1 + len(instrument.self_rating_scale),
        )
    yes = held.steps.sum(axis=0)
    for place, step in enumerate(instrument.next_steps):
        found[f"steps {step.code}"] = np.array([yes[place], len(sheets) - yes[place]])
    return found


def _tell(found: Figures, credits: dict[str, np.ndarray], item, joint: np.ndarray) -> None:
    """The tables of a scenario, from people by byte of the option and confidence."""
    people = joint.sum(axis=1)
    options = len(item.options)
    found[f"options {item.code}"] = people[[*range(1, options + 1), DONT_KNOW_BYTE, 0]]
    earned = [option.credit for option in item.options]
    grades = (1.0, 0.5, 0.0)
    rows = [[byte for byte, credit in enumerate(earned, 1) if credit == grade] for grade in grades]
    cells = [
        joint[bytes_, level].sum() for level in range(joint.shape[1]) for bytes_ in rows if bytes_
    ]
    found[f"confidence {item.code}"] = np.array([*cells, people[DONT_KNOW_BYTE]])
    credits[item.sub_competency] += [
        people[rows[0]].sum(),
        people[rows[1]].sum(),
        people[rows[2]].sum() + people[DONT_KNOW_BYTE],
        people[0],
    ]


def _tell_credits(found: Figures, asked: Questionnaire, credits: dict[str, np.ndarray]) -> None:
    asked_of = {item.sub_competency for item in asked.instrument.scenarios_of(asked.form)}
    found.update({f"credits {code}": sizes for code, sizes in credits.items() if code in asked_of})


# --- In SQL --------------------------------------------------------------------------------------

SCHEMA = """
CREATE TABLE response (id INTEGER PRIMARY KEY, cohort INTEGER NOT NULL);
CREATE INDEX response_cohort ON response (cohort);
CREATE TABLE answer (
    id INTEGER PRIMARY KEY, response INTEGER NOT NULL REFERENCES response (id),
    question INTEGER NOT NULL, value INTEGER NOT NULL, confidence INTEGER
);
CREATE INDEX answer_response ON answer (response);
CREATE INDEX answer_question ON answer (question);
"""
"""As an object-relational mapper makes it: foreign keys, and an index for each."""

COUNTED = """
SELECT answer.question, answer.value, answer.confidence, COUNT(*)
FROM answer JOIN response ON response.id = answer.response
WHERE response.cohort = ? GROUP BY 1, 2, 3
"""

BEST_SCHEMA = """
CREATE TABLE flat AS SELECT response.cohort, question, value, confidence
FROM answer JOIN response ON response.id = answer.response WHERE cohort = {cohort};
CREATE INDEX flat_all ON flat (cohort, question, value, confidence);
"""
BEST = """
SELECT question, value, confidence, COUNT(*) FROM flat WHERE cohort = ? GROUP BY 1, 2, 3
"""
"""Every answer under its cohort, and an index that holds all that is read, in order."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The answers of cohorts, in SQL; questions are columns of a sheet, then of the outcomes, then
    the next steps."""

    db: sqlite3.Connection
    asked: Questionnaire

    def load(self, cohort: int, held: Memory) -> int:
        """How many rows it makes."""
        size = self.asked.layout.size
        scenarios = [
            (
                self.asked.layout.offset("option", item.code),
                self.asked.layout.offset("confidence", item.code),
            )
            for item in self.asked.instrument.scenarios_of(self.asked.form)
        ]
        ratings = [
            self.asked.layout.offset("self_rating", item.code)
            for item in self.asked.instrument.self_ratings
        ]
        first = self.db.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM response").fetchone()[0]
        before = self.db.total_changes

        def answers() -> Iterator[tuple[int, int, int, int | None]]:
            for row, (sheet, outcomes, steps) in enumerate(
                zip(held.sheets, held.outcomes, held.steps, strict=True), first
            ):
                values = sheet.tolist()
                for option, sure in scenarios:
                    yield row, option, values[option], values[sure]
                for rating in ratings:
                    yield row, rating, values[rating], None
                for place, outcome in enumerate(outcomes.tolist(), size):
                    yield row, place, outcome, None
                for place in np.flatnonzero(steps).tolist():
                    yield row, size + len(outcomes) + place, 1, None

        with self.db:
            ids = range(first, first + len(held.sheets))
            self.db.executemany("INSERT INTO response VALUES (?, ?)", ((i, cohort) for i in ids))
            self.db.executemany(
                "INSERT INTO answer (response, question, value, confidence) VALUES (?, ?, ?, ?)",
                answers(),
            )
        return self.db.total_changes - before - len(held.sheets)

    def figures(self, cohort: int, n: int, query: str = COUNTED) -> Figures:
        instrument, layout = self.asked.instrument, self.asked.layout
        levels = 1 + len(instrument.confidence_scale)
        joint: dict[int, np.ndarray] = {}
        for question, value, sure, people in self.db.execute(query, [cohort]):
            if question not in joint:
                joint[question] = np.zeros((256, levels), dtype=int)
            joint[question][value, sure or 0] = people
        found: Figures = {}
        credits = {sub.code: np.zeros(4, dtype=int) for sub in instrument.sub_competencies}
        for place, domain in enumerate(instrument.domains, layout.size):
            found[f"levels {domain.code}"] = joint[place][: len(LevelOutcome), 0]
        for item in instrument.scenarios_of(self.asked.form):
            _tell(found, credits, item, joint[layout.offset("option", item.code)])
        _tell_credits(found, self.asked, credits)
        for rating in instrument.self_ratings:
            place = layout.offset("self_rating", rating.code)
            found[f"self_ratings {rating.code}"] = joint[place][
                : 1 + len(instrument.self_rating_scale), 0
            ]
        for place, step in enumerate(instrument.next_steps, layout.size + len(instrument.domains)):
            yes = joint[place][1, 0] if place in joint else 0
            found[f"steps {step.code}"] = np.array([yes, n - yes])
        return found


# --- Figures -------------------------------------------------------------------------------------


def alike(one: Figures, other: Figures) -> None:
    """That both did the same work."""
    assert one.keys() == other.keys(), one.keys() ^ other.keys()
    different = [name for name in one if not np.array_equal(one[name], other[name])]
    assert not different, different


def peak(phase: Phase) -> float:
    """How many MB it takes at its highest."""
    tracemalloc.start()
    publication(phase)
    _now, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return highest / 1024**2


def main() -> Iterator[Figure]:
    trainer = crowds.service()
    phases = {size: crowds.phase_of(trainer, f"{size} people") for size in SIZES}
    for size, phase in phases.items():
        crowds.store(phase, size, seed=size)
    asked = questionnaire(phases[SIZES[0]].version.digest, phases[SIZES[0]].form)
    publication(phases[SIZES[0]])
    # Sheets are counted a part at a time: that of the million is that of the last of these.
    most = [peak(phases[size]) for size in SIZES[:-1]]
    with tempfile.TemporaryDirectory(prefix="bench-rows-") as folder:
        rows = Rows(sqlite3.connect(Path(folder) / "rows.sqlite3"), asked)
        rows.db.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;" + SCHEMA)
        spent = []
        for size, phase in phases.items():
            taken = yield from compared(asked, size, phase, rows)
            spent.append(taken)
        rows.db.close()
    yield growth("computing a release", SIZES, spent, unit="s", most=1.05)
    shown = "; ".join(f"{size:,}: {mb:.0f} MB" for size, mb in zip(SIZES, most, strict=False))
    yield printed("memory to compute a release", most[-1:], unit="MB", note=shown)
    yield closing(phases[100_000])


def compared(asked: Questionnaire, size: int, phase: Phase, rows: Rows) -> Iterator[Figure]:
    """The figures at one size, and how long ours takes."""
    held = memory(asked, phase)

    def counted() -> None:
        published(count(asked.instrument, asked.form, held.sheets, held.outcomes, held.chosen))

    asked_for = statements(phase)
    ours = figures_of(publication(phase))
    alike(ours, with_numpy(asked, held))
    taken = times(
        {
            "ours": lambda: publication(phase),
            "counted": counted,
            "numpy": lambda: with_numpy(asked, held),
            "answered": lambda: answered(asked_for),
        },
        rounds=3,
    )
    largest = size == SIZES[-1]
    yield figure(
        f"release of {size:,} sheets, read from the database", taken["ours"], unit="ms",
        scale=1000, yardstick="numpy, in memory", yardsticks=taken["numpy"],
        at_most=4 if largest else None, note="reading, counting, noise, encoding",
    )  # fmt: skip
    yield figure(
        f"release of {size:,} sheets, in memory", taken["counted"], unit="ms",
        scale=1000, yardstick="numpy, in memory", yardsticks=taken["numpy"],
        at_most=4 if largest else None, note="counting, noise, encoding",
    )  # fmt: skip
    yield figure(
        f"release of {size:,} sheets, beside its statements", taken["ours"], unit="ms", scale=1000,
        yardstick="SQLite answering them, nothing else", yardsticks=taken["answered"],
        note="the database's share of the time",
    )  # fmt: skip
    if size in JUDGED_IN_SQL:
        made = rows.load(size, held)
        judged = size == JUDGED_IN_SQL[-1]
        alike(ours, rows.figures(size, size))
        sql = times(
            {"ours": lambda: publication(phase), "counted": counted,
             "sql": lambda: rows.figures(size, size)},
            rounds=1,
        )  # fmt: skip
        note = f"{made:,} rows, SQLite" + ("" if WHOLE else "; BENCH_WHOLE=1 for the million")
        for name, what in (("ours", "read from the database"), ("counted", "in memory")):
            yield figure(
                f"release of {size:,} sheets, {what}, beside SQL", sql[name], unit="ms", scale=1000,
                yardstick="SQL, one row an answer", yardsticks=sql["sql"],
                at_most=0.01 if judged else None, note=note,
            )  # fmt: skip
        if judged:
            rows.db.executescript(BEST_SCHEMA.format(cohort=size))
            alike(ours, rows.figures(size, size, BEST))
            began = time.process_time()
            rows.figures(size, size, BEST)
            yield printed(
                f"SQL over an index that holds all of {size:,} sheets in order",
                [1000 * (time.process_time() - began)], unit="ms",
                note="a table and an index that serve this one page",
            )  # fmt: skip
    return sorted(taken["ours"])[1]


def closing(phase: Phase) -> Figure:
    """The whole of it, once: everybody is also marked as counted, behind the triggers that guard
    them, and the release is kept."""
    with transaction.atomic():
        releases.close(phase, None)
    began = time.process_time()
    releases.settle(phase.pk)
    spent = time.process_time() - began
    phase.refresh_from_db()
    assert phase.settled_on
    assert releases.published(phase)
    return printed(
        f"publishing {Sitting.objects.filter(phase=phase, released=True).count():,} sheets, "
        "kept and marked", [1000 * spent], unit="ms",
    )  # fmt: skip


if __name__ == "__main__":
    told(main())
