"""The tables of a group's results as files: XLSX, CSV and JSON.

They hold the same cells (:mod:`assessments.cohort_tables`), each in the manner of its format. What
a trainer has typed stands in them, so no text is ever left to a spreadsheet to interpret.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime

import xlsxwriter
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from .cohort_tables import Book, Cell, Column, Gap, Number, Row, Spread, Table, Unit
from .instrument.document import MAIN_LANGUAGE

FORMAT = 1
"""The format of the JSON: it changes when a code or the structure does."""

# --- Text that a spreadsheet would interpret ------------------------------------------------------

TRIGGERS = "=+-@＝＋－＠\t\r\n\0"
"""Signs that make a spreadsheet read a cell as a formula or a command (OWASP, CSV injection), and
the full-width ones that some read alike."""
_LEADING = re.compile(rf"\s*[{re.escape(TRIGGERS)}]")
_AFTER_SEPARATOR = re.compile(r"(?<=[,;\t\r\n])(?=[^\S\r\n]*[=+\-@＝＋－＠])")


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before what would begin one.

    Also after a comma, a semicolon or a line's end inside the text, where a spreadsheet that
    expects another separator would begin a cell.
    """
    guarded = _AFTER_SEPARATOR.sub("'", text)
    return f"'{guarded}" if _LEADING.match(guarded) else guarded


# --- JSON -----------------------------------------------------------------------------------------


def as_json(book: Book) -> bytes:
    """The results as JSON; keys are the same in every language, and sorted.

    ``format``: 1. ``language``: of the labels. ``about``: what the results are of, each code with
    its ``label`` and ``value``. ``notes``: sentences. ``tables``: a list in the order of the page;
    each has its ``code``, ``title``, ``notes``, ``columns`` (``code``, ``label``, ``unit`` or null)
    and ``rows`` (``code``, ``label``, ``at_least`` people or null, and ``cells`` by code of
    column). A cell is a text, a boolean, an ISO date, null where nothing is to be said, or one of:

    - ``{"value": 35}``, as printed; with ``"bound": "at_most"`` or ``"at_least"`` where all that
      is said is that the figure lies at that value or beyond;
    - ``{"value": 35, "lower": {"value": 20}, "upper": {"value": 55}}`` with its 95 % interval;
    - ``{"withheld": "too_few_people", "label": …}`` where it is not said.
    """
    document = {
        "format": FORMAT,
        "language": _language(),
        "about": {
            row.code: {"label": row.label, "value": _about_value(row.cells[1])}
            for row in book.about.rows
        },
        "notes": list(book.notes),
        "tables": [_json_table(table) for table in book.tables],
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True)
    return (text + "\n").encode()


def _about_value(cell: Cell) -> object:
    return cell.value if isinstance(cell, Number) else _json_cell(cell)


def _json_table(table: Table) -> dict[str, object]:
    return {
        "code": table.code,
        "title": table.title,
        "notes": list(table.notes),
        "columns": [
            {"code": column.code, "label": column.label, "unit": column.unit}
            for column in table.columns
        ],
        "rows": [
            {
                "code": row.code,
                "label": row.label,
                "at_least": row.at_least,
                "cells": {
                    column.code: _json_cell(cell)
                    for column, cell in zip(table.columns, row.cells, strict=True)
                },
            }
            for row in table.rows
        ],
    }


def _json_cell(cell: Cell) -> object:
    match cell:
        case Spread(value, lower, upper):
            return {
                **_json_number(value),
                "lower": _json_number(lower),
                "upper": _json_number(upper),
            }
        case Number():
            return _json_number(cell)
        case Gap(code, reason):
            return {"withheld": code, "label": reason}
        case date():
            return cell.isoformat()
    return cell


def _json_number(number: Number) -> dict[str, object]:
    bound = {"bound": str(number.bound)} if number.bound else {}
    return {"value": number.value, **bound}


def _language() -> str:
    return (get_language() or MAIN_LANGUAGE)[:2]


# --- CSV ------------------------------------------------------------------------------------------


def as_csv(book: Book) -> bytes:
    """The results as one tidy table, a line a figure, in UTF-8 with its mark.

    Written as the spreadsheets of the language's country open it with a double click, and as R's
    ``read.csv2`` and ``read.csv`` do: in French semicolons and decimal commas, in English commas
    and decimal points. Every text is quoted.
    """
    in_french = _language() == "fr"
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer, delimiter=";" if in_french else ",", quoting=csv.QUOTE_ALL, lineterminator="\r\n"
    )
    for line in _lines(book):
        writer.writerow([_csv_cell(value, "," if in_french else ".") for value in line])
    return buffer.getvalue().encode("utf-8-sig")


type Value = str | bool | float | date | None


def _lines(book: Book) -> Iterator[tuple[Value, ...]]:
    yield (
        _("Table code"),
        _("Table"),
        _("Row code"),
        _("Row"),
        _("Column code"),
        _("Column"),
        _("Value"),
        _("Bound"),
        _("Lower"),
        _("Bound of lower"),
        _("Upper"),
        _("Bound of upper"),
        _("Unit"),
        _("People, at least"),
        _("Note"),
    )
    for table in (book.about, *book.tables):
        for row in table.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                if cell is not None and not column.names:
                    yield _line(table, row, column, cell)
        for note in table.notes:
            yield (table.code, table.title, *[None] * 12, note)
    for note in book.notes:
        yield ("notes", _("Method"), *[None] * 12, note)


def _line(table: Table, row: Row, column: Column, cell: Cell) -> tuple[Value, ...]:
    value: Value = None
    bound, note = "", ""
    ends: tuple[Value, ...] = (None, None, None, None)
    match cell:
        case Spread(middle, lower, upper):
            value, bound = middle.value, _sign(middle)
            ends = (lower.value, _sign(lower), upper.value, _sign(upper))
        case Number():
            value, bound = cell.value, _sign(cell)
        case Gap(_code, reason):
            note = reason
        case _:
            value = cell
    unit = column.unit.label if column.unit else None
    return (
        table.code,
        table.title,
        row.code,
        row.label,
        column.code,
        column.label,
        value,
        bound,
        *ends,
        unit,
        row.at_least,
        note,
    )


def _sign(number: Number) -> str:
    return number.bound.sign if number.bound else ""


def _csv_cell(value: Value, point: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return yes_or_no(value)
        case int() | float():
            return str(value).replace(".", point)
        case date():
            return value.isoformat()
    return safe(value)


def yes_or_no(value: bool) -> str:
    return _("yes") if value else _("no")


# --- XLSX -----------------------------------------------------------------------------------------

LONGEST_NAME = 31
"""Signs of a sheet's name."""
NARROW, WIDE = 11, 60
"""Widths of columns, in signs."""
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


def as_xlsx(book: Book) -> bytes:
    """The results as a workbook: a sheet of notes, then a sheet a table.

    The same book makes the same bytes: its date is the day of the last publication, and neither
    author nor time of making is in it.
    """
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    workbook.set_properties(
        {"created": datetime(book.made_on.year, book.made_on.month, book.made_on.day)}  # noqa: DTZ001
    )
    _Writer(workbook).write(book)
    workbook.close()
    return buffer.getvalue()


class _Writer:
    """Sheets and their formats."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self.workbook = workbook
        self.names: set[str] = set()
        self.formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def write(self, book: Book) -> None:
        about = self._sheet(book.about.title)
        about.set_column(0, 0, 32, self._format())
        about.set_column(1, 1, 90, self._format())
        self._header(about, 0, [_("What"), _("Value")])
        line = 1
        for row in book.about.rows:
            for place, cell in enumerate(row.cells):
                self._cell(about, line, place, cell)
            line += 1
        for note in book.notes:
            self._text(about, line, 0, _("Method"))
            self._text(about, line, 1, note)
            line += 1
        for table in book.tables:
            self._table(self._sheet(table.title), table)

    def _sheet(self, title: str) -> Worksheet:
        sheet = self.workbook.add_worksheet(self._name(title))
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        return sheet

    def _name(self, title: str) -> str:
        """A name that no other sheet has, whatever its case."""
        whole = _FORBIDDEN.sub(" ", title).strip("' ")[:LONGEST_NAME] or "–"
        name, number = whole, 1
        while name.casefold() in self.names:
            number += 1
            ending = f" {number}"
            name = whole[: LONGEST_NAME - len(ending)] + ending
        self.names.add(name.casefold())
        return name

    def _table(self, sheet: Worksheet, table: Table) -> None:
        heads, widths = [], []
        for place, column in enumerate(table.columns):
            name = column.label
            if column.unit not in {None, Unit.PEOPLE, Unit.PLACE}:  # whose labels say it
                name = f"{name} ({column.unit.label})"
            cells = [row.cells[place] for row in table.rows]
            heads.append(name)
            widths.append(_width(name, cells))
            if column.spread:
                heads += [_("lower end"), _("upper end")]
                widths += [NARROW, NARROW]
        for place, width in enumerate(widths):
            sheet.set_column(place, place, width, self._format())
        self._header(sheet, 0, heads)
        for line, row in enumerate(table.rows, 1):
            place = 0
            for column, cell in zip(table.columns, row.cells, strict=True):
                self._cell(sheet, line, place, cell)
                place += 3 if column.spread else 1
        for line, note in enumerate(table.notes, len(table.rows) + 2):
            # A note runs over the cells beside it.
            self._text(sheet, line, 0, note, text_wrap=False)

    def _header(self, sheet: Worksheet, line: int, names: Iterable[str]) -> None:
        for place, name in enumerate(names):
            self._text(sheet, line, place, name, bold=True, bottom=1)

    def _cell(self, sheet: Worksheet, line: int, place: int, cell: Cell) -> None:
        match cell:
            case None:
                pass
            case Spread(value, lower, upper):
                for beside, number in enumerate((value, lower, upper)):
                    self._number(sheet, line, place + beside, number)
            case Number():
                self._number(sheet, line, place, cell)
            case Gap(_code, reason):
                self._text(sheet, line, place, reason, italic=True, text_wrap=False)
            case bool():
                self._text(sheet, line, place, yes_or_no(cell))
            case date():
                day = self._format(num_format="yyyy-mm-dd", align="left")
                sheet.write_datetime(line, place, cell, day)
            case str():
                self._text(sheet, line, place, cell)

    def _number(self, sheet: Worksheet, line: int, place: int, number: Number) -> None:
        shown = "0" if isinstance(number.value, int) else "0.0#"
        if number.bound:
            shown = f'"{number.bound.sign} "{shown}'
        sheet.write_number(line, place, number.value, self._format(num_format=shown, align="right"))

    def _text(self, sheet: Worksheet, line: int, place: int, text: str, **how: object) -> None:
        if text != safe(text):
            how["quote_prefix"] = True  # text it stays, even when the cell is edited
        sheet.write_string(line, place, text, self._format(**how))

    def _format(self, **how: object) -> Format:
        """A format, made once."""
        wanted = {"font_name": "Calibri", "valign": "top", "text_wrap": True} | how
        key = tuple(sorted(wanted.items()))
        if key not in self.formats:
            self.formats[key] = self.workbook.add_format(wanted)
        return self.formats[key]


def _width(name: str, cells: Iterable[Cell]) -> int:
    texts = [cell for cell in cells if isinstance(cell, str)]
    longest = max(map(len, texts), default=0)
    return min(max(NARROW, longest + 2, min(len(name) + 2, 24)), WIDE)
