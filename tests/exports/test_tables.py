"""What the files hold: no more than the page prints, and why the rest is not there."""

import html
import re
from dataclasses import replace

import msgspec
import pytest
from django.template.loader import render_to_string

from assessments.charts import LEFT, RIGHT
from assessments.cohort import statistics
from assessments.cohort.disclosure import FINE_SHARES_FROM, STEP, printed
from assessments.cohort.statistics import Estimate, Figure
from assessments.cohort_results import class_name, results_of
from assessments.cohort_tables import (
    Bound,
    Cell,
    Gap,
    Number,
    Spread,
    Subject,
    Table,
    Unit,
    book,
    clean,
    share,
)
from assessments.templatetags.cohort import outcome_name
from assessments.templatetags.readiness import told, whole

from .groups import KINDS, SUBJECT, real, released, results


def tables(kind: str, subject: Subject = SUBJECT) -> dict[str, Table]:
    return {table.code: table for table in book(results(kind), subject).tables}


def column(table: Table, code: str) -> list[Cell]:
    place = [item.code for item in table.columns].index(code)
    return [row.cells[place] for row in table.rows]


def numbers(cell: Cell) -> list[Number]:
    if isinstance(cell, Spread):
        return [cell.value, cell.lower, cell.upper]
    return [cell] if isinstance(cell, Number) else []


def test_the_tables_of_a_group_that_has_changed():
    common = [
        *("means", "levels", "needs", "calibration", "unsafe", "confident_errors"),
        *("situations", "steps"),
    ]
    assert list(tables("eleven")) == [*common, "publications"]
    assert list(tables("changed")) == [*common, "changes", "publications"]
    assert list(tables("followed")) == [*common, "deeds", "changes", "publications"]
    assert list(tables("classes")) == [*common, "classes", "publications"]


def test_means_are_those_of_the_page(language):
    found = results("compared")
    table = tables("compared")["means"]
    for place, item in enumerate(found.domains):
        mean = item.mean.estimate
        name, cell, chance, rating, other = table.rows[place].cells
        assert name == told(item.domain.title)
        assert [str(number.value) for number in numbers(cell)] == [
            whole(mean.value),
            whole(mean.lower),
            whole(mean.upper),
        ]
        assert chance == Number(round(item.chance, 1))
        assert rating == Number(round(item.rating.estimate.value))
        beyond = found.reference.domains[place].estimate
        assert [str(number.value) for number in numbers(other)] == [
            whole(beyond.value),
            whole(beyond.lower),
            whole(beyond.upper),
        ]
    assert len(table.rows) == 3


def test_shares_are_those_of_the_page(language):
    found = results("thirty")
    table = tables("thirty")["levels"]
    assert [row.label for row in table.rows] == [
        outcome_name(figure.code) for figure in found.domains[0].levels.shares
    ]
    for item in found.domains:
        shares = [share(figure.share) for figure in item.levels.shares]
        assert column(table, item.domain.code) == shares


@pytest.mark.parametrize(
    ("exact", "people", "expected"),
    [
        (0.0, 30, Number(5, Bound.AT_MOST)),
        (0.07, 30, Number(5, Bound.AT_MOST)),
        (0.334, 30, Number(35)),
        (1.0, 30, Number(95, Bound.AT_LEAST)),
        (0.334, 100, Number(33)),
        (0.04, 5_000, Number(5, Bound.AT_MOST)),
    ],
)
def test_a_share_is_rounded_and_its_ends_are_bounds(exact, people, expected):
    assert share(printed(exact, people)) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_no_figure_is_finer_than_the_page_prints(kind):
    """Whole numbers, but for what guessing earns and effect sizes; shares in steps; people too."""
    seen = 0
    for table in book(results(kind), SUBJECT).tables:
        for item in table.columns:
            for cell in column(table, item.code):
                for number in numbers(cell):
                    seen += 1
                    if decimals := {"chance": 1, "effect": 2}.get(item.code):
                        assert number.value == round(number.value, decimals)
                    else:
                        assert type(number.value) is int
                    if item.unit is Unit.PEOPLE:
                        assert number.value % 5 == 0
                    if item.unit is Unit.PERCENT and table.code != "calibration":
                        assert 5 <= number.value <= 95
                        assert number.value % (1 if kind == "large" else 5) == 0
        assert all(row.at_least % 5 == 0 for row in table.rows)
    assert seen > 50


def test_the_page_prints_every_figure_that_the_tables_hold(in_english):
    """The page of a group: its tables, read as text, hold each row of ours."""
    found = results("thirty")
    page = render_to_string("assessments/cohort/results.html", {"results": found})
    rows = [
        [
            re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", cell))).strip()
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    ]

    printed_rows = [[cell.replace("\xa0", " ") for cell in row[:3]] for row in rows]

    def said(number: Number, unit: str = "") -> str:
        return (f"{number.bound.sign} " if number.bound else "") + f"{number.value}{unit}".replace(
            "-", "−"
        )

    for code, unit in (("means", ""), ("unsafe", "%"), ("confident_errors", "%"), ("steps", "%")):
        ours = tables("thirty")[code].rows
        assert ours
        for row in ours:
            value, lower, upper = (said(number, unit) for number in numbers(row.cells[1]))
            assert [row.label, value, f"{lower} to {upper}"] in printed_rows


@pytest.mark.parametrize("kind", KINDS)
def test_no_mark_of_a_chart_tells_more_than_whole_points(kind):
    found = results(kind)
    charts = [
        found.needs_chart,
        *(each.chart for each in (*found.class_charts, *found.changes, *found.situations)),
        *([found.calibration_chart] if found.calibration_chart else []),
    ]
    places = {f"{LEFT + (RIGHT - LEFT) * points / 100:.1f}" for points in range(101)}
    drawn = [end for chart in charts for row in chart.rows for end in (row.x, row.lower, row.upper)]
    assert len(drawn) >= 48
    assert set(drawn) <= places


def test_a_dot_stands_where_its_figure_is_printed(monkeypatch):
    """A half is even to Python, and up to a reader."""

    def at(value):
        figures = [
            Figure(domain.code, 30, Estimate(value, 56.5, 70.5)) for domain in real().domains
        ]
        monkeypatch.setattr(statistics, "domain_means", lambda _group: tuple(figures))
        return [item.band for item in results("thirty").domains]

    assert at(62.5) == at(63.0)
    assert at(62.5) != at(62.0)


def test_of_eleven_people_what_is_withheld_says_why(in_english):
    found = tables("eleven")
    because = "withheld: the group is too small for it"
    assert set(column(found["situations"], "share")) == {Gap("too_few_people", because)}
    assert set(column(found["calibration"], "mean")) == {Gap("too_few_people", because)}
    assert set(column(found["means"], "self_rating")) == {Gap("too_few_people", because)}
    for code in ("unsafe", "confident_errors", "steps"):
        assert not found[code].rows
        assert "at least 22 people" in found[code].notes[0]
    assert all(isinstance(cell, Spread) for cell in column(found["means"], "mean"))


def test_situations_tell_the_key_and_what_is_unsafe(in_english):
    table = tables("thirty")["situations"]
    scenarios = real().scenarios_of(real().forms[0])
    assert len(table.rows) == sum(len(scenario.options) + 1 for scenario in scenarios)
    best = {row.code for row, cell in zip(table.rows, column(table, "best"), strict=True) if cell}
    unsafe = {
        row.code for row, cell in zip(table.rows, column(table, "unsafe"), strict=True) if cell
    }
    assert best == {f"{scenario.code}/{scenario.best.code}" for scenario in scenarios}
    assert unsafe == {
        f"{scenario.code}/{option.code}"
        for scenario in scenarios
        for option in scenario.options
        if option.unsafe
    }
    assert unsafe


def test_every_situation_tells_what_was_at_risk_and_what_was_wrong_and_sure():
    table = tables("thirty")["situations"]
    expected = {
        situation.number: (
            share(situation.unsafe) if situation.unsafe else None,
            share(situation.confident_errors),
        )
        for situation in results("thirty").situations
    }
    told_of = zip(
        *(column(table, code) for code in ("number", "unsafe_share", "confident_errors")),
        strict=True,
    )
    assert {(number.value, *shares) for number, *shares in told_of} == {
        (number, *shares) for number, shares in expected.items()
    }
    assert len(expected) > len(results("thirty").confident_errors.items)
    assert {unsafe is None for unsafe, _errors in expected.values()} == {True, False}


def test_steps_of_which_nothing_can_be_said_are_counted_as_steps(in_english):
    found = replace(results("followed"), deeds=())
    [table] = [item for item in book(found, SUBJECT).tables if item.code == "deeds"]
    page = render_to_string("assessments/cohort/withheld.html", {"results": found})
    assert table.notes[0].endswith("and at least 22 steps must have been followed up.")
    assert html.escape(table.notes[0]) in page


def test_a_class_is_named_by_the_question_of_its_phase():
    """Two questions may have an option of the same code."""
    profession, setting = (
        next(item for item in real().context if item.code == code)
        for code in ("profession", "setting")
    )
    shared = msgspec.structs.replace(setting.options[1], code=profession.options[0].code)
    asked = msgspec.structs.replace(setting, options=(setting.options[0], shared))
    instrument = msgspec.structs.replace(real(), context=(profession, asked))
    assert class_name(instrument, "profession", shared.code) == told(profession.options[0].text)
    assert class_name(instrument, "setting", shared.code) == told(shared.text)
    assert class_name(instrument, "setting", profession.options[1].code) == class_name(
        instrument, "setting", ""
    )


def test_changes_are_given_since_each_earlier_moment(in_english):
    found = results("followed")
    table = tables("followed")["changes"]
    assert column(table, "since") == ["before the training"] * 3 + ["after the training"] * 3
    for row, item in zip(table.rows[:3], found.changes[0].domains, strict=True):
        estimate, effect = item.change.difference.estimate, item.change.effect
        assert [number.value for number in numbers(row.cells[4])] == [
            round(end) for end in (estimate.value, estimate.lower, estimate.upper)
        ]
        assert row.cells[5] == Number(round(effect, 2))
        assert row.cells[6:8] == (item.change.changed, True)
    assert any(column(table, "changed"))


def test_another_version_is_not_compared_and_this_is_said(in_english):
    found = replace(results("thirty"), incomparable=("before the training",))
    [table] = [item for item in book(found, SUBJECT).tables if item.code == "changes"]
    assert not table.rows
    assert [note for note in table.notes if "too few situations in common" in note]


def test_what_became_of_the_steps(in_english):
    table = tables("followed")["deeds"]
    assert [row.code for row in table.rows] == ["done", "begun", "not_done"]
    assert all(isinstance(cell, Spread) for cell in column(table, "share"))


def test_each_class_stands_with_its_own_number_of_people():
    table = tables("classes")["classes"]
    options = real().context[0].options[:2]
    names = [told(option.text) for option in options]
    assert column(table, "class") == [name for name in names for _domain in range(3)]
    assert set(column(table, "at_least")) == {Number(20)}


def test_a_breakdown_that_cannot_be_shown_says_why(in_english):
    found = replace(results("thirty"), breakdown="setting")
    [note] = [note for note in book(found, SUBJECT).notes if "place of work" in note]
    assert "had fewer than 11 people" in note
    assert not [note for note in book(results("classes"), SUBJECT).notes if "class left" in note]


@pytest.mark.parametrize("breakdown", ["profession", "setting"])
def test_the_document_says_of_how_many_people_a_class_must_be(in_english, breakdown):
    found = replace(results("thirty"), breakdown=breakdown)
    page = render_to_string(
        "assessments/cohort/document.html", {"results": found, "subject": SUBJECT}
    )
    assert re.findall(r"had fewer than(.*?)people", page) == [" 11 "]


def read(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


@pytest.mark.parametrize(
    ("kind", "lacking", "words"),
    [
        ("changed", {"changes": ()}, "What has changed: no earlier moment"),
        ("classes", {}, "No breakdown other than the one chosen"),
        ("thirty", {}, "No breakdown by profession, department or date"),
    ],
)
def test_files_say_what_is_withheld_as_the_page_does(in_english, kind, lacking, words):
    found = replace(results(kind), **lacking)
    page = read(render_to_string("assessments/cohort/results.html", {"results": found}))
    [note] = [note for note in book(found, SUBJECT).notes if note.startswith(words)]
    assert note in page


def test_files_say_on_which_side_the_effect_size_errs(in_english):
    page = read(
        render_to_string("assessments/cohort/results.html", {"results": results("changed")})
    )
    [note] = [note for note in tables("changed")["changes"].notes if "Effect size" in note]
    assert note in page


def test_the_page_says_to_what_shares_are_rounded(in_english):
    page = read(render_to_string("assessments/cohort/made.html", {"results": results("thirty")}))
    assert f"rounded to {STEP} points in groups of fewer than {FINE_SHARES_FROM}." in page


def test_simulated_people_are_said_to_be(in_english):
    said = "These people are simulated: nobody gave these answers."
    assert book(results("thirty"), replace(SUBJECT, simulated=True)).notes[0] == said
    assert said not in book(results("thirty"), SUBJECT).notes


def test_the_same_releases_make_the_same_book(in_english):
    again = results_of(real(), [released(30, 0.0, "before")], 11)
    assert book(again, SUBJECT) == book(results("thirty"), SUBJECT)


def test_no_control_nor_turn_of_direction_goes_into_a_file():
    assert clean("a\tb\r\nc\0d\u202ee\ufffff") == "a b  c d e f"
    assert clean("« IA » : 1\xa0%") == "« IA » : 1\xa0%"
