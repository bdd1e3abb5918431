"""OWASP ASVS 5.0, levels 1 and 2: how the application stands, requirement by requirement.

    .venv/bin/python -m tests.security.asvs > readiness/docs/ASVS.md

The table is data, asvs.yaml: a self-evaluation by the makers, whose evidence is tests of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

TABLE = Path(__file__).with_name("asvs.yaml")


class Status(StrEnum):
    MET = "met"
    PARTLY = "partly"
    NOT_MET = "not-met"
    OPERATOR = "operator"
    NONE = "none"


SHOWN = {
    Status.MET: "met",
    Status.PARTLY: "**partly**",
    Status.NOT_MET: "**not met**",
    Status.OPERATOR: "operator",
    Status.NONE: "does not apply",
}


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    level: Literal[1, 2]
    name: str
    """In our own words; the requirement itself is OWASP's."""
    status: Status = Status.NOT_MET
    tests: tuple[str, ...] = ()
    """Tests of ours that show it, as pytest names them."""
    note: str = ""


class Chapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    title: str
    requirements: tuple[Requirement, ...]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    standard: str
    assessed_on: date
    chapters: tuple[Chapter, ...]

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        return tuple(each for chapter in self.chapters for each in chapter.requirements)


@cache
def table() -> Table:
    return msgspec.yaml.decode(TABLE.read_bytes(), type=Table)


def markdown(told: Table) -> str:
    return "\n".join(_lines(told)) + "\n"


def _lines(told: Table) -> Iterator[str]:
    counts = Counter(each.status for each in told.requirements)
    yield "# OWASP ASVS 5.0, level 2, requirement by requirement"
    yield ""
    yield (
        f"{told.standard}, levels 1 and 2: a self-evaluation by the makers of "
        f"{told.assessed_on.isoformat()}, no audit. Names of requirements are ours, shortened; "
        "cite them as `v5.0.0-8.2.2`. Made from `tests/security/asvs.yaml` by "
        "`python -m tests.security.asvs`; a test compares the two, and looks for every test that "
        "is named. What requirements ask to be written down is in "
        "[SECURITY-DESIGN.md](SECURITY-DESIGN.md). Chapter 10 is answered as a client; its "
        "sections on authorization servers, resource servers and providers, and chapter 17 "
        "(WebRTC), do not apply: the application is none of them."
    )
    yield ""
    applying = len(told.requirements) - counts[Status.NONE]
    yield (
        f"Of {len(told.requirements)} requirements listed, {applying} apply: {counts[Status.MET]} "
        f"met, {counts[Status.PARTLY]} partly, {counts[Status.NOT_MET]} not met, "
        f"{counts[Status.OPERATOR]} for whoever runs the service."
    )
    left = [each for each in told.requirements if each.status in (Status.PARTLY, Status.NOT_MET)]
    if left:
        yield ""
        yield "What lacks: " + ", ".join(f"{each.id} ({each.name.lower()})" for each in left) + "."
    for chapter in told.chapters:
        yield ""
        yield f"## V{chapter.number}. {chapter.title}"
        yield ""
        yield "| | Level | Requirement | Status | Evidence |"
        yield "| --- | --- | --- | --- | --- |"
        for each in chapter.requirements:
            evidence = "<br>".join(filter(None, [*(f"`{test}`" for test in each.tests), each.note]))
            yield (
                f"| {each.id} | {each.level} | {each.name} | {SHOWN[each.status]} | {evidence} |"
            )


if __name__ == "__main__":
    print(markdown(table()), end="")  # noqa: T201
