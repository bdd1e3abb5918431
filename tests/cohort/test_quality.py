"""What is published of a form: rounded, closed at the ends, and nothing of a small class."""

from datetime import date

import msgspec
import numpy as np
import pytest

from assessments.cohort.dif import GROUP_MIN
from assessments.cohort.psychometrics import N_MIN, Unsaid
from assessments.cohort.quality import (
    BIN,
    FEWEST,
    Item,
    Quality,
    Remark,
    Unsound,
    complete,
    decode,
    encode,
    needed_since,
    quality,
    remarks,
)
from assessments.instrument.document import Instrument
from assessments.scoring.scores import OVERALL
from assessments.scoring.sheet import layout

from .people import FORM, people

DAY = date(2026, 11, 24)
N = 403


@pytest.fixture(scope="module")
def sheets(instrument: Instrument) -> np.ndarray:
    return people(instrument, N, 4).sheets


def made(instrument: Instrument, sheets: np.ndarray, **groups: list[str]) -> Quality:
    return quality(instrument, FORM, sheets, groups, DAY)


@pytest.fixture(scope="module")
def found(instrument: Instrument, sheets: np.ndarray) -> Quality:
    return made(instrument, sheets)


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [each for key, inside in value.items() if key != "n" for each in numbers(inside)]
    if isinstance(value, list | tuple):
        return [each for inside in value for each in numbers(inside)]
    return [value] if isinstance(value, int | float) else []


def test_every_figure_is_rounded_and_people_are_counted_by_fives(found: Quality) -> None:
    assert found.n == 400
    figures = numbers(msgspec.to_builtins(found))
    assert len(figures) > 400
    assert [each for each in figures if abs(each * 100 - round(each * 100)) > 1e-9] == []


def test_it_is_the_form_in_order_and_the_whole_last(instrument, found: Quality) -> None:
    scenarios = instrument.scenarios_of(FORM)
    assert [item.code for item in found.items] == [item.code for item in scenarios]
    assert [scale.code for scale in found.scales] == ["A", "B", "C", OVERALL]
    assert sum(scale.items for scale in found.scales[:-1]) == found.scales[-1].items == 24
    assert sum(item.location for item in found.items) == pytest.approx(0.0, abs=0.1)


def test_scoring_takes_its_errors_from_it(found: Quality) -> None:
    known = found.version_calibration()
    assert known.sem == {scale.code: scale.sem for scale in found.scales}
    assert known.omega == {scale.code: scale.omega.value for scale in found.scales}
    assert (known.n, known.date) == (400, DAY)


def test_it_is_read_again_as_it_was_written(found: Quality) -> None:
    assert decode(encode(found)) == found
    assert encode(decode(encode(found))) == encode(found)


def test_shares_of_options_are_closed_at_both_ends(instrument, found: Quality, sheets) -> None:
    percents = {each.percent for item in found.items for each in item.options}
    assert min(percents) == 5
    places = layout(instrument, FORM)
    everybody = sheets.copy()
    code = found.items[0].code
    column = everybody[:, places.offset("option", code)]
    column[:] = 1
    column[:8] = 2  # 2 %
    again = made(instrument, everybody).items[0]
    assert [each.percent for each in again.options] == [95, 5, 5, 5, 5]


def test_a_handful_of_people_is_no_class_of_the_map(instrument, found: Quality, sheets) -> None:
    shares = [each.share for each in found.map.classes]
    assert sum(shares) == pytest.approx(1.0, abs=0.05)
    assert min(shares) >= round(FEWEST / N, 2)
    assert all(each.at % BIN == 0 for each in found.map.classes)
    best = sheets.copy()
    places = layout(instrument, FORM)
    for rows, seen in ((FEWEST - 1, False), (FEWEST, True)):
        for scenario in instrument.scenarios_of(FORM):
            key = scenario.options.index(scenario.best) + 1
            best[:rows, places.offset("option", scenario.code)] = key
        top = made(instrument, best).map
        assert (max(each.at for each in top.classes) >= 3) == seen


def test_a_class_below_the_minimum_is_not_compared_nor_named(instrument, sheets) -> None:
    groups = ["fr"] * (N - GROUP_MIN + 1) + ["en"] * (GROUP_MIN - 1)
    assert made(instrument, sheets, language=groups).comparisons == ()
    groups = ["fr"] * (N - GROUP_MIN) + ["en"] * GROUP_MIN
    (each,) = made(instrument, sheets, language=groups).comparisons
    assert (each.attribute, each.focal, each.reference) == ("language", "en", "fr")
    assert [item.code for item in each.items] == [
        item.code for item in instrument.scenarios_of(FORM)
    ]
    # Those who did not say are no class.
    unsaid = ["nurse"] * GROUP_MIN + [""] * (N - GROUP_MIN)
    assert made(instrument, sheets, profession=unsaid).comparisons == ()


def test_an_item_made_harder_for_a_class_differs_and_is_to_be_looked_at(instrument) -> None:
    many = people(instrument, 1000, 8).sheets
    places = layout(instrument, FORM)
    scenario = instrument.scenarios_of(FORM)[5]
    worst = min(range(4), key=lambda place: scenario.options[place].credit) + 1
    focal = np.arange(1000) % 2 == 0
    turned = focal & (np.random.default_rng(1).random(1000) < 0.5)
    many[turned, places.offset("option", scenario.code)] = worst
    found = made(instrument, many, profession=["nurse" if each else "physician" for each in focal])
    (comparison,) = found.comparisons
    differing = {item.code: item for item in comparison.items if item.size != "negligible"}
    assert list(differing) == [scenario.code]
    gap = differing[scenario.code].gap
    assert gap is not None
    # Alike in number, the two are named in the order of their names: nurses are the reference.
    assert (comparison.focal, comparison.reference) == ("physician", "nurse")
    assert gap > 0.1
    assert Remark.DIFFERENT in remarks(found, found.items[5], scenario)


def test_too_few_or_unsound_sheets_carry_no_calibration(instrument, sheets) -> None:
    with pytest.raises(Unsound) as refused:
        made(instrument, sheets[: N_MIN - 1])
    assert [each.reason for each in refused.value.problems] == [Unsaid.TOO_FEW_SHEETS]
    places = layout(instrument, FORM)
    alike = sheets.copy()
    code = instrument.scenarios_of(FORM)[0].code
    alike[:, places.offset("option", code)] = 1
    with pytest.raises(Unsound) as refused:
        made(instrument, alike)
    assert {(each.scale, each.reason) for each in refused.value.problems} == {
        ("A", Unsaid.NO_VARIANCE),
        (OVERALL, Unsaid.NO_VARIANCE),
        (None, Unsaid.NO_VARIANCE),
    }
    guessed = people(instrument, N, 4, alike=0.0).sheets
    with pytest.raises(Unsound) as refused:
        made(instrument, guessed)
    assert {each.reason for each in refused.value.problems} <= {
        Unsaid.NOT_CONVERGED,
        Unsaid.IMPROPER,
    }


def test_a_sheet_with_an_answer_missing_is_not_complete(instrument, sheets) -> None:
    places = layout(instrument, FORM)
    some = sheets[:3].copy()
    some[1, places.offset("option", instrument.scenarios_of(FORM)[7].code)] = 0
    assert complete(instrument, FORM, some).tolist() == [True, False, True]
    with pytest.raises(ValueError, match="complete"):
        made(instrument, some)


def test_the_next_calibration_takes_a_hundred_people_and_a_fifth() -> None:
    assert [needed_since(n) for n in (200, 500, 501, 1000, 1003)] == [100, 100, 101, 200, 201]


def changed(item: Item, **more: object) -> Item:
    return msgspec.structs.replace(item, **more)


def test_remarks_follow_from_the_figures(instrument, found: Quality) -> None:
    item, scenario = found.items[0], instrument.scenarios_of(FORM)[0]
    fine = changed(
        item,
        difficulty=0.6,
        item_rest=0.3,
        discrimination=0.4,
        options=tuple(
            msgspec.structs.replace(each, percent=50 if each.option == scenario.best.code else 12)
            for each in item.options
        ),
        infit=msgspec.structs.replace(item.infit, square=1.0, t=0.1),
        outfit=msgspec.structs.replace(item.outfit, square=1.0, t=0.1),
    )
    assert remarks(found, fine, scenario) == ()

    def said(**more: object) -> tuple[Remark, ...]:
        return remarks(found, changed(fine, **more), scenario)

    assert said(item_rest=-0.01) == (Remark.NEGATIVE,)
    assert said(discrimination=0.19) == (Remark.WEAK,)
    assert said(difficulty=0.9, discrimination=0.1) == (Remark.EASY,)
    assert said(difficulty=0.37) == (Remark.UNDER_CHANCE,)
    loose = msgspec.structs.replace(fine.infit, square=1.31, t=2.1)
    assert said(infit=loose) == said(outfit=loose) == (Remark.UNDERFIT,)
    assert said(infit=msgspec.structs.replace(loose, t=1.9)) == ()
    assert said(outfit=msgspec.structs.replace(loose, square=0.69, t=-2.1)) == (Remark.OVERFIT,)
    wrong = next(option.code for option in scenario.options if option.credit == 0)

    def with_wrong(percent: int) -> tuple[Remark, ...]:
        return said(
            options=tuple(
                msgspec.structs.replace(each, percent=percent) if each.option == wrong else each
                for each in fine.options
            )
        )

    assert with_wrong(5) == (Remark.UNCHOSEN,)
    assert with_wrong(50) == ()
    assert with_wrong(51) == (Remark.BEATEN,)


def test_an_acceptable_option_that_nobody_chose_is_said(instrument, sheets) -> None:
    scenario = instrument.scenarios_of(FORM)[3]
    places = layout(instrument, FORM)
    some = sheets.copy()
    column = some[:, places.offset("option", scenario.code)]
    acceptable = [option.credit for option in scenario.options].index(0.5) + 1
    worst = [option.credit for option in scenario.options].index(0.0) + 1
    column[column == acceptable] = worst
    item = made(instrument, some).items[3]
    assert [threshold.credit for threshold in item.thresholds] == [1.0]
    assert item.unused(scenario)
    assert not made(instrument, sheets).items[3].unused(scenario)
