"""The inventory of data: every field of every table, whose it is, why and how long it is kept.

It is data, inventory.yaml, in French, for it is what an operator enters in the register of
processing (art. 30 of the GDPR). A test fails where a field is not in it, or where something of a
person's own is neither given to them nor said not to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from django.conf import settings

SOURCE = Path(__file__).resolve().parent / "inventory.yaml"
WHO = {
    "participant": "participants",
    "staff": "formateurs, auteurs, juges, exploitants",
    "nobody": "aucune donnée personnelle",
}


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    """Of its model, or its own where it has none."""
    who: Literal["participant", "staff", "nobody"]
    what: str
    why: str
    kept: str
    """A code of the durations."""
    erased: str
    fields: Mapping[str, str]
    """What each is, by its name."""
    given: Mapping[str, tuple[str, ...]] = {}
    """Of a sitting, the keys under which the person is given each field, or ``not_given``."""


class Inventory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    durations: Mapping[str, str]
    tables: tuple[Table, ...]

    def duration(self, table: Table) -> str:
        """How long a table's rows are kept, as the settings say."""
        kept = settings.RETENTION
        return self.durations[table.kept].format(
            finished_months=kept.finished_months,
            unfinished_days=kept.unfinished_days,
            backups_days=kept.backups_days,
            journal_days=settings.JOURNAL_DAYS,
        )


@cache
def inventory() -> Inventory:
    return msgspec.yaml.decode(SOURCE.read_bytes(), type=Inventory)


def markdown() -> str:
    """The tables of the register, by whose data they hold."""
    return "\n".join(_lines(inventory()))


def _lines(found: Inventory) -> Iterator[str]:
    for who, title in WHO.items():
        yield f"#### {title.capitalize()}"
        yield ""
        yield "| Table | Ce qu’elle contient | Finalité | Durée | Effacement |"
        yield "| --- | --- | --- | --- | --- |"
        for table in found.tables:
            if table.who == who:
                fields = "\u00a0; ".join(f"`{name}` {what}" for name, what in table.fields.items())
                told = (
                    f"{table.what}\u00a0: {fields}",
                    table.why,
                    found.duration(table),
                    table.erased,
                )
                yield f"| `{table.name}` | {' | '.join(told)} |"
        yield ""
