"""A mark stands where its figure says, and tells no more."""

from itertools import pairwise

import pytest

from assessments.charts import LEFT, RIGHT
from assessments.cohort.disclosure import printed
from assessments.cohort_charts import SIGNS, Mark, rows, stack


def place(value: float) -> float:
    return LEFT + (RIGHT - LEFT) * value / 100


def test_marks_stand_on_the_scale_in_their_order():
    chart = rows([Mark("first", 40, 25, 65), Mark("second", 80, 60, 100, strong=True)])
    first, second = chart.rows
    assert (float(first.x), float(first.lower), float(first.upper)) == pytest.approx(
        (place(40), place(25), place(65)), abs=0.05
    )
    assert not first.strong
    assert second.strong
    assert float(first.bottom) < float(second.lines[0].y) < float(second.top)
    assert float(second.bottom) < float(chart.figures) < float(chart.height)


def test_a_mark_beyond_the_scale_stays_on_it():
    (row,) = rows([Mark("noise", 101, -3, 140)]).rows
    assert (float(row.lower), float(row.x), float(row.upper)) == (LEFT, RIGHT, RIGHT)


def test_a_long_label_is_written_on_several_lines_in_full():
    label = "Une situation dont le nom est bien plus long que ce qu’une ligne peut porter ici"
    (row,) = rows([Mark(label, 50, 40, 60)]).rows
    assert len(row.lines) == 2
    assert all(len(line.text) <= SIGNS for line in row.lines)
    assert " ".join(line.text for line in row.lines) == label
    assert float(row.lines[0].y) < float(row.lines[1].y) < float(row.top)


def test_a_stack_fills_the_bar_whatever_rounding_left():
    shares = [(f"cell {size}", printed(size, 15)) for size in (0.0, 0.62, 0.21, 0.17)]
    parts = stack(shares)
    assert float(parts[0].x) == LEFT
    assert float(parts[-1].end) == pytest.approx(RIGHT, abs=0.1)
    assert all(float(one.end) == float(two.x) for one, two in pairwise(parts))
    assert [part.labelled for part in parts] == [False, True, True, True]


def test_two_shares_printed_alike_are_drawn_alike():
    assert stack([("a", printed(0.38, 15)), ("b", printed(0.6, 15))]) == stack(
        [("a", printed(0.42, 15)), ("b", printed(0.62, 15))]
    )
