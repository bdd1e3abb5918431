"""XLSX, CSV and JSON: the same cells, and text that nothing interprets."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.cohort_files import TRIGGERS, as_csv, as_json, as_xlsx, safe, yes_or_no
from assessments.cohort_tables import Book, Bound, Cell, Gap, Number, Row, Spread, Table, book

from .groups import HOSTILE, KINDS, SUBJECT, results

SIGNS = {"≤": Bound.AT_MOST, "≥": Bound.AT_LEAST, "": None}


def made(kind: str, **changes) -> Book:
    return book(results(kind), replace(SUBJECT, **changes))


def workbook(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def number_of(cell) -> Number:
    sign = cell.number_format[1] if cell.number_format.startswith('"') else ""
    return Number(cell.value, SIGNS[sign])


def cells_of(sheet, table: Table) -> list[list[Cell]]:
    """The rows of a sheet, read back as the cells of its table."""
    found = []
    for line, row in enumerate(table.rows, 2):
        cells, place = [], 1
        for column, was in zip(table.columns, row.cells, strict=True):
            first = sheet.cell(line, place)
            if isinstance(was, Spread):
                cells.append(Spread(*(number_of(sheet.cell(line, place + i)) for i in range(3))))
            elif isinstance(was, Number):
                cells.append(number_of(first))
            elif isinstance(was, Gap):
                cells.append(Gap(was.code, first.value))
            elif isinstance(was, bool):
                cells.append({yes_or_no(True): True, yes_or_no(False): False}[first.value])
            elif isinstance(first.value, datetime):
                cells.append(first.value.date())
            else:
                cells.append(first.value)
            place += 3 if column.spread else 1
        found.append(cells)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_workbook_holds_a_sheet_a_table_with_the_same_cells(language, kind):
    content = made(kind)
    book_read = workbook(as_xlsx(content))
    assert book_read.sheetnames == [content.about.title, *(t.title for t in content.tables)]
    for sheet, table in zip(book_read.worksheets, (content.about, *content.tables), strict=True):
        assert cells_of(sheet, table) == [list(row.cells) for row in table.rows]
        assert sheet.freeze_panes == "A2"
        assert all(cell.font.b for cell in sheet[1] if cell.value)
    first = [cell.value for cell in book_read.worksheets[0]["B"]]
    assert first[-len(content.notes) :] == list(content.notes)


def lines(content: bytes, language: str) -> list[dict[str, str]]:
    """The lines of a CSV, by the codes of its columns."""
    text = content.decode("utf-8")
    assert text.startswith("\ufeff")
    rows = csv.reader(io.StringIO(text[1:]), delimiter=";" if language == "fr" else ",")
    next(rows)
    names = [
        *("table", "table_label", "row", "row_label", "column", "column_label"),
        *("value", "bound", "lower", "lower_bound", "upper", "upper_bound"),
        *("unit", "at_least", "note"),
    ]
    return [dict(zip(names, row, strict=True)) for row in rows]


def read(text: str, bound: str) -> Number:
    plain = text.replace(",", ".")
    return Number(float(plain) if "." in plain else int(plain), SIGNS[bound])


@pytest.mark.parametrize("kind", KINDS)
def test_a_csv_holds_a_line_a_figure_with_the_same_values(language, kind):
    content = made(kind)
    found = lines(as_csv(content), language)
    said = {(line["table"], line["row"], line["column"]): line for line in found if line["row"]}
    expected = 0
    for table in content.tables:
        for row in table.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                if column.names or cell is None:
                    continue
                expected += 1
                line = said[table.code, row.code, column.code]
                assert line["at_least"] == str(row.at_least)
                assert line["unit"] == (column.unit.label if column.unit else "")
                match cell:
                    case Spread():
                        assert cell == Spread(
                            read(line["value"], line["bound"]),
                            read(line["lower"], line["lower_bound"]),
                            read(line["upper"], line["upper_bound"]),
                        )
                    case Number():
                        assert cell == read(line["value"], line["bound"])
                    case Gap():
                        assert (line["value"], line["note"]) == ("", cell.reason)
                    case bool():
                        assert line["value"] == yes_or_no(cell)
                    case date():
                        assert line["value"] == cell.isoformat()
                    case _:
                        assert line["value"] == safe(cell)
    assert len(said) == expected + sum(row.cells[1] is not None for row in content.about.rows)
    notes = [line["note"] for line in found if line["table"] == "notes"]
    assert notes == [safe(note) for note in content.notes]


def cell_of(value: object) -> Cell:
    match value:
        case {"lower": lower, "upper": upper, **middle}:
            return Spread(cell_of(middle), cell_of(lower), cell_of(upper))
        case {"withheld": code, "label": reason}:
            return Gap(code, reason)
        case {"value": number, **rest}:
            return Number(number, Bound(rest["bound"]) if rest else None)
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_json_holds_the_same_tables(language, kind):
    content = made(kind)
    document = json.loads(as_json(content))
    assert sorted(document) == ["about", "format", "language", "notes", "tables"]
    assert (document["format"], document["language"]) == (1, language)
    assert document["notes"] == list(content.notes)
    assert document["about"]["closed_on"]["value"] == "2026-11-24"
    for found, table in zip(document["tables"], content.tables, strict=True):
        assert (found["code"], found["title"]) == (table.code, table.title)
        assert [column["code"] for column in found["columns"]] == [c.code for c in table.columns]
        for line, row in zip(found["rows"], table.rows, strict=True):
            assert (line["code"], line["at_least"]) == (row.code, row.at_least)
            assert [cell_of(line["cells"][c.code]) for c in table.columns] == [
                cell.isoformat() if isinstance(cell, date) else cell for cell in row.cells
            ]


def test_the_codes_of_json_are_the_same_in_every_language(settings):
    from django.utils import translation

    def codes(language: str) -> list[object]:
        with translation.override(language):
            document = json.loads(as_json(made("followed")))
        return [
            sorted(document["about"]),
            [
                (t["code"], [c["code"] for c in t["columns"]], [r["code"] for r in t["rows"]])
                for t in document["tables"]
            ],
        ]

    assert codes("fr") == codes("en")


@pytest.mark.parametrize("write", [as_xlsx, as_csv, as_json])
def test_the_same_results_make_the_same_bytes(write, in_english):
    assert write(made("thirty")) == write(made("thirty"))


def test_a_workbook_says_nothing_of_who_made_it_or_when(in_english):
    content = as_xlsx(made("thirty"))
    found = workbook(content).properties
    assert not found.creator
    assert not found.lastModifiedBy
    assert found.created == found.modified
    assert str(found.created) == "2026-11-24 00:00:00"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(1980, 1, 1)}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_every_file(name, language):
    content = made("eleven", cohort=name)
    sheet = workbook(as_xlsx(content)).worksheets[0]
    assert (sheet["B2"].value, sheet["B2"].data_type) == (name, "s")
    assert sheet["B2"].hyperlink is None
    assert sheet["B2"].quotePrefix == (safe(name) != name)
    [line] = [
        line
        for line in lines(as_csv(content), language)
        if (line["table"], line["row"]) == ("about", "cohort")
    ]
    assert line["value"] == safe(name)
    assert json.loads(as_json(content))["about"]["cohort"]["value"] == name


def test_no_sheet_holds_a_formula(in_english):
    for name in HOSTILE:
        with zipfile.ZipFile(io.BytesIO(as_xlsx(made("eleven", cohort=name)))) as archive:
            for entry in archive.namelist():
                if entry.startswith("xl/worksheets/"):
                    text = archive.read(entry)
                    assert b"<f>" not in text
                    assert b"<hyperlink" not in text


@pytest.mark.parametrize("sign", TRIGGERS)
@pytest.mark.parametrize("before", ["", " ", "\t ", "\xa0"])
def test_what_would_begin_a_formula_has_an_apostrophe_before_it(sign, before):
    assert safe(f"{before}{sign}1").startswith("'")


def test_what_would_begin_a_cell_elsewhere_has_one_too():
    assert safe("a;=1+1") == "a;'=1+1"
    assert safe("a, @b") == "a,' @b"
    assert safe("a\r\n=b") == "a\r\n'=b"


def test_plain_text_is_left_alone():
    for text in ("Ward 12", "l’IA, en santé ; 3 - 2 = 1", "a@b", "≤ 5", ""):
        assert safe(text) == text


@given(st.text())
def test_whatever_the_separator_no_cell_begins_a_formula(text):
    """Read with either separator, and even where quotes are not understood."""
    for part in safe(text).replace("\r", "\n").replace(";", "\n").replace(",", "\n").split("\n"):
        assert part.strip()[:1] not in set("=+-@＝＋－＠")


def test_sheets_have_short_names_that_differ(in_english):
    content = made("eleven")
    long = "What became of: [the steps] chosen/kept by people?"
    twice = replace(content, tables=tuple(replace(t, title=long) for t in content.tables))
    names = workbook(as_xlsx(twice)).sheetnames
    assert len({name.casefold() for name in names}) == len(names) == len(content.tables) + 1
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_a_row_has_a_cell_a_column():
    with pytest.raises(ValueError, match="means: a has 0 cells"):
        replace(made("eleven").tables[0], rows=(Row("a", "A", ()),))
