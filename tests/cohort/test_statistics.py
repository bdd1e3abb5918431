"""Every figure a trainer reads, recomputed by hand on small releases and tried on many groups."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec
import numpy as np
import pytest

from assessments.cohort.counts import Grade, Table, confidence_cell
from assessments.cohort.disclosure import Part, Release, noise_variance, printed
from assessments.cohort.rounding import half_up, whole
from assessments.cohort.statistics import (
    Claim,
    Figure,
    Group,
    Standing,
    Withheld,
    calibration,
    changes,
    common_changes,
    confident_errors,
    domain_means,
    level_distributions,
    nearest_distribution,
    needs,
    notable,
    option_shares,
    self_ratings,
    steps_chosen,
    unsafe_choices,
)
from assessments.instrument.document import Instrument, digest
from assessments.scoring.sheet import DONT_KNOW

from .people import FORM, counted, group_of, people, released

pytestmark = pytest.mark.xdist_group("statistics")  # the truth is worked out by one runner

Z = 1.959963984540054
NOISE = noise_variance(1.0)


@pytest.fixture
def small(instrument: Instrument) -> Release:
    """A release of a block of 11 to 14."""
    return released(instrument, people(instrument, 12, seed=1), 1)


@pytest.fixture
def large(instrument: Instrument) -> Release:
    """A release of a block of 30 to 34, with every part."""
    return released(instrument, people(instrument, 30, seed=2), 2)


def holding(release: Release, kind: str, tables: dict[str, dict[str, int]]) -> Release:
    """The release with the counts of some tables set by hand, their other cells at 0."""
    changed = tuple(
        Table(
            table.code,
            tuple((cell, tables[table.code].get(cell, 0)) for cell, _size in table.cells),
            table.answers,
        )
        if table.code in tables
        else table
        for table in getattr(release, kind)
    )
    return msgspec.structs.replace(release, **{kind: changed})


def by_code(figures: Iterable[Figure]) -> dict[str, Figure]:
    return {figure.code: figure for figure in figures}


def every_figure(group: Group) -> dict[tuple[str, ...], Figure]:
    """All the figures there are, by the function that gives them."""
    sure = calibration(group)
    found: list[tuple[tuple[str, ...], Figure]] = [
        *((("domain", f.code), f) for f in domain_means(group)),
        *((("need", need.result.code), need.result) for need in needs(group)),
        *((("level", d.code, f.code), f) for d in level_distributions(group) for f in d.shares),
        *((("option", d.code, f.code), f) for d in option_shares(group) for f in d.shares),
        *((("error", f.code), f) for f in confident_errors(group)),
        *((("unsafe", item.scenario), item.share) for item in unsafe_choices(group)),
        *((("calibration", f.code), f) for f in (sure.bias, sure.accuracy, sure.confidence)),
        *((("rating", figure.code), figure) for figure in self_ratings(group)),
        *((("step", f.code), f) for f in steps_chosen(group)),
    ]
    return dict(found)


# By hand


def test_domain_mean_by_hand(instrument: Instrument, small: Release) -> None:
    subs = [sub.code for sub in instrument.sub_competencies_of("A")]
    tables = {sub: {"best": 6, "acceptable": 4, "wrong": 2} for sub in subs}
    group = group_of(instrument, holding(small, "credits", tables))
    figure = by_code(domain_means(group))["A"]
    mean = (6 + 2) / 12
    assert figure.estimate is not None
    assert figure.estimate.value == pytest.approx(100 * mean)

    answers = 12 * len(subs)
    squares = [(1 - mean) ** 2, (0.5 - mean) ** 2, mean**2]
    single = (6 * squares[0] + 4 * squares[1] + 2 * squares[2]) / 12
    sizes = [sub.scenarios for sub in instrument.sub_competencies_of("A")]
    noise = sum(squares) * sum(noise_variance(1 / size) for size in sizes) / answers**2
    sampling = single * (1 + 7 * 0.20) / answers
    margin = 100 * Z * math.sqrt(noise + sampling)
    assert figure.estimate.upper == pytest.approx(min(100, 100 * mean + margin))
    assert figure.estimate.lower == pytest.approx(100 * mean - margin)
    assert figure.n == 10


def test_domain_mean_comes_from_options_where_there_are_any(
    instrument: Instrument, large: Release
) -> None:
    tables = {}
    for item in instrument.scenarios_of(FORM):
        grades = {Grade.of(option): option.code for option in item.options}
        tables[item.code] = {
            grades[Grade.BEST]: 10, grades[Grade.ACCEPTABLE]: 10, DONT_KNOW: 10, "unanswered": 2
        }  # fmt: skip
    group = group_of(instrument, holding(large, "options", tables))
    values = [figure.estimate.value for figure in domain_means(group) if figure.estimate]
    assert values == pytest.approx([50, 50, 50])


def test_option_shares_and_their_intervals_by_hand(instrument: Instrument, large: Release) -> None:
    scenario = instrument.scenarios_of(FORM)[0]
    found = holding(
        large, "options", {scenario.code: {"a": 15, "b": 9, "c": 6, DONT_KNOW: 0, "unanswered": 3}}
    )
    (shares, *_) = option_shares(group_of(instrument, found))
    figures = by_code(shares.shares)
    assert [figures[c].estimate.value for c in ("a", "b", "c", "d")] == pytest.approx(  # type: ignore[union-attr]
        [0.5, 0.3, 0.2, 0.0]
    )
    estimate = figures["b"].estimate
    assert estimate is not None
    middle = (9 + 2) / (30 + 4)
    noise = NOISE * ((1 - middle) ** 2 + 4 * middle**2) / 34**2
    margin = Z * math.sqrt(middle * (1 - middle) / 34 + noise)
    assert (estimate.lower, estimate.upper) == pytest.approx((middle - margin, middle + margin))
    assert figures["b"].share is not None
    assert figures["b"].share.points == 30
    assert figures["d"].share is not None
    assert figures["d"].share.low_end


def test_unsafe_choices_are_the_shares_of_their_options(
    instrument: Instrument, large: Release
) -> None:
    scenario = next(s for s in instrument.scenarios_of(FORM) if any(o.unsafe for o in s.options))
    unsafe = next(option.code for option in scenario.options if option.unsafe)
    safe = next(option.code for option in scenario.options if not option.unsafe)
    for chosen in (29, 3):
        tables = {scenario.code: {unsafe: chosen, safe: 30 - chosen}}
        found = unsafe_choices(group_of(instrument, holding(large, "options", tables)))
        item = next(item for item in found if item.scenario == scenario.code)
        assert item.options == (unsafe,)
        assert item.share.estimate is not None
        assert item.share.estimate.value == pytest.approx(chosen / 30)
        values = [one.share.estimate.value for one in found if one.share.estimate]
        assert values == sorted(values, reverse=True)
    listed = {item.scenario for item in found}
    assert listed == {
        s.code for s in instrument.scenarios_of(FORM) if any(o.unsafe for o in s.options)
    }


def test_confident_errors_and_calibration_by_hand(instrument: Instrument, large: Release) -> None:
    sure_and_wrong = confidence_cell("p75", Grade.WRONG)
    cells = {
        sure_and_wrong: 12,
        confidence_cell("p50", Grade.WRONG): 3,
        confidence_cell("p95", Grade.BEST): 9,
        confidence_cell("none", Grade.WRONG): 2,
        DONT_KNOW: 4,
    }
    tables = {item.code: cells for item in instrument.scenarios_of(FORM)}
    group = group_of(instrument, holding(large, "confidence", tables))
    for figure in confident_errors(group):
        assert figure.estimate is not None
        assert figure.estimate.value == pytest.approx(12 / 30)
    found = calibration(group)
    assert found.confidence.estimate is not None
    assert found.accuracy.estimate is not None
    assert found.bias.estimate is not None
    confidence = (12 * 0.75 + 3 * 0.5 + 9 * 0.95 + 4 * 0.25) / 28
    assert found.confidence.estimate.value == pytest.approx(confidence)
    assert found.accuracy.estimate.value == pytest.approx(9 / 28)
    assert found.bias.estimate.value == pytest.approx(confidence - 9 / 28)
    assert found.claim is Claim.OVER


@pytest.mark.parametrize(("level", "best", "wrong"), [("p75", 8, 2), ("p25", 4, 12)])
def test_many_who_do_not_know_are_not_over_confident(
    instrument: Instrument, large: Release, level: str, best: int, wrong: int
) -> None:
    """The answers given are too few to tell, or well calibrated."""
    cells = {
        confidence_cell(level, Grade.BEST): best,
        confidence_cell(level, Grade.WRONG): wrong,
        DONT_KNOW: 30 - best - wrong,
    }
    tables = {item.code: cells for item in instrument.scenarios_of(FORM)}
    group = group_of(instrument, holding(large, "confidence", tables))
    found = calibration(group)
    assert found.bias.estimate is not None
    assert found.bias.estimate.lower > 0
    assert found.claim is Claim.WITHIN


def test_under_confidence(instrument: Instrument, large: Release) -> None:
    tables = {
        item.code: {confidence_cell("p50", Grade.BEST): 30}
        for item in instrument.scenarios_of(FORM)
    }
    found = calibration(group_of(instrument, holding(large, "confidence", tables)))
    assert found.claim is Claim.UNDER


def _sureness(instrument: Instrument, large: Release, right: int) -> Group:
    """All sure at 75 %, so many answers of all being right."""
    scenarios = instrument.scenarios_of(FORM)
    tables = {}
    for place, item in enumerate(scenarios):
        best = right // len(scenarios) + (place < right % len(scenarios))
        cells = {
            confidence_cell("p75", Grade.BEST): best,
            confidence_cell("p75", Grade.WRONG): 30 - best,
        }
        tables[item.code] = cells
    return group_of(instrument, holding(large, "confidence", tables))


def test_what_is_claimed_of_confidence_is_what_the_printed_interval_shows(
    instrument: Instrument, large: Release
) -> None:
    claims, hidden = set(), 0
    for right in range(440, 661, 2):
        found = calibration(_sureness(instrument, large, right))
        assert found.bias.estimate is not None
        lower, upper = found.bias.estimate.lower, found.bias.estimate.upper
        expected = Claim.WITHIN
        if lower >= 0.005:
            expected = Claim.OVER
        elif upper <= -0.005:
            expected = Claim.UNDER
        assert found.claim is expected
        claims.add(found.claim)
        hidden += 0 < lower < 0.005 or -0.005 < upper < 0
    assert claims == set(Claim)
    assert hidden >= 2


@pytest.mark.parametrize(
    ("points", "people", "forward"), [(19, 100, False), (20, 100, True), (18, 30, True)]
)
def test_an_unsafe_choice_is_brought_forward_by_its_printed_share(
    points: int, people: int, forward: bool
) -> None:
    assert notable(printed(points / 100, people)) is forward


@pytest.mark.parametrize(
    ("value", "points"), [(62.5, 63), (61.5, 62), (-0.5, -1), (-0.4, 0), (100 * 0.285, 29)]
)
def test_halves_are_rounded_away_from_zero(value: float, points: int) -> None:
    assert whole(value) == points


def test_nothing_is_rounded_to_minus_zero() -> None:
    assert math.copysign(1, half_up(-0.004, 2)) == 1


def test_self_ratings_are_percentages_of_the_scale(instrument: Instrument, large: Release) -> None:
    tables = {item.code: {"2": 10, "4": 20, "unanswered": 5} for item in instrument.self_ratings}
    group = group_of(instrument, holding(large, "self_ratings", tables))
    found = self_ratings(group)
    assert [figure.code for figure in found] == [item.code for item in instrument.domains]
    for figure in found:
        assert figure.estimate is not None
        assert figure.estimate.value == pytest.approx(100 * (10 / 3 - 1) / 4)


def test_steps_chosen_by_hand(instrument: Instrument, large: Release) -> None:
    step = instrument.next_steps[-1].code
    found = steps_chosen(
        group_of(instrument, holding(large, "steps", {step: {"yes": 24, "no": 8}}))
    )
    assert found[0].code == step
    assert found[0].estimate is not None
    assert found[0].estimate.value == pytest.approx(0.75)


def test_levels_are_shares_of_those_who_have_one(instrument: Instrument, small: Release) -> None:
    cells = {"level_1": 6, "between_1_2": 4, "level_2": 2, "level_3": -1, "none": 3}
    group = group_of(instrument, holding(small, "levels", {"B": cells}))
    (found,) = (item for item in level_distributions(group) if item.code == "B")
    values = [figure.estimate.value for figure in found.shares if figure.estimate]
    assert sum(values) == pytest.approx(1)
    assert [figure.code for figure in found.shares] == [
        "level_1", "between_1_2", "level_2", "between_2_3", "level_3"
    ]  # fmt: skip
    assert values[4] == 0
    assert values[0] > values[1] > values[2] > values[3]


@pytest.mark.parametrize(
    ("noisy", "expected"),
    [
        ([0.5, 0.3, 0.2], [0.5, 0.3, 0.2]),
        ([0.7, 0.5, -0.2], [0.6, 0.4, 0]),
        ([2, -1, 0], [1, 0, 0]),
    ],
)
def test_nearest_distribution(noisy: list[float], expected: list[float]) -> None:
    assert nearest_distribution(np.array(noisy, dtype=float)) == pytest.approx(expected)


def test_needs_rank_the_weakest_first(instrument: Instrument, large: Release) -> None:
    tables = {}
    for item in instrument.scenarios_of(FORM):
        grades = {Grade.of(option): option.code for option in item.options}
        best = {"C2": 1, "B4": 29}.get(item.sub_competency, 15)
        tables[item.code] = {grades[Grade.BEST]: best, grades[Grade.WRONG]: 30 - best}
    found = needs(group_of(instrument, holding(large, "options", tables)))
    weakest, strongest = found[0], found[-1]
    assert (weakest.result.code, weakest.domain, weakest.standing) == ("C2", "C", Standing.NEEDIER)
    assert (strongest.result.code, strongest.standing) == ("B4", Standing.STRONGER)
    assert (weakest.first, weakest.last) == (1, 1)
    assert (strongest.first, strongest.last) == (16, 16)
    assert [need.rank for need in found] == list(range(1, 17))
    for need in found[1:-1]:
        assert need.standing is Standing.ALIKE
        assert (need.first, need.last) == (2, 15)


def test_a_group_all_alike_is_not_ranked(instrument: Instrument, small: Release) -> None:
    tables = {
        sub.code: {"best": 5 * sub.scenarios, "acceptable": 0, "wrong": 6 * sub.scenarios}
        for sub in instrument.sub_competencies
    }
    for need in needs(group_of(instrument, holding(small, "credits", tables))):
        assert (need.first, need.last, need.standing) == (1, 16, Standing.ALIKE)


def test_change_by_hand(instrument: Instrument, large: Release) -> None:
    def level(best: int) -> Group:
        tables = {}
        for item in instrument.scenarios_of(FORM):
            grades = {Grade.of(option): option.code for option in item.options}
            tables[item.code] = {grades[Grade.BEST]: best, grades[Grade.WRONG]: 40 - best}
        return group_of(instrument, holding(large, "options", tables))

    before, after = level(20), level(30)
    for change, old, new in zip(
        changes(before, after), domain_means(before), domain_means(after), strict=True
    ):
        assert change.difference.estimate is not None
        assert old.estimate is not None
        assert new.estimate is not None
        assert change.difference.estimate.value == pytest.approx(25)
        halves = [(e.upper - e.lower) / 2 for e in (old.estimate, new.estimate)]
        half = (change.difference.estimate.upper - change.difference.estimate.lower) / 2
        assert half == pytest.approx(math.hypot(*halves))
        assert change.changed
        assert change.same_form
        spread = math.sqrt((0.25 + 0.1875) / 2 * (1 + 7 * 0.2) / 8)
        assert change.effect == pytest.approx(0.25 / spread)
    for change in changes(before, before):
        assert not change.changed
        assert change.effect == 0


# What is not said


def test_what_a_release_withholds_carries_its_reason(
    instrument: Instrument, small: Release
) -> None:
    group = group_of(instrument, small)
    figures = every_figure(group)
    said = {key[0] for key, figure in figures.items() if figure.estimate}
    assert said == {"domain", "need", "level"}
    for key, figure in figures.items():
        if key[0] not in said:
            assert figure.withheld is Withheld.TOO_FEW_PEOPLE
            assert figure.share is None
        assert figure.n == 10
    assert all(item.withheld is Withheld.TOO_FEW_PEOPLE for item in option_shares(group))
    assert calibration(group).claim is None


def test_few_answers_say_nothing_of_the_group(instrument: Instrument) -> None:
    sparse = people(instrument, 60, seed=3, answered=0.15)
    group = group_of(instrument, released(instrument, sparse, 3))
    for figure in (*domain_means(group), *(need.result for need in needs(group))):
        assert figure.withheld is Withheld.TOO_FEW_ANSWERS
    assert all(need.rank is None and need.standing is None for need in needs(group))
    for change in changes(group, group):
        assert change.difference.withheld is Withheld.TOO_FEW_ANSWERS
        assert change.effect is change.changed is None


def test_a_sub_competency_without_scenarios_is_not_asked(instrument: Instrument) -> None:
    fewer = msgspec.structs.replace(
        instrument,
        scenarios=tuple(item for item in instrument.scenarios if item.sub_competency != "A1"),
    )
    for n in (12, 30):
        group = group_of(fewer, released(fewer, people(fewer, n, seed=1), 1))
        (need,) = (need for need in needs(group) if need.result.code == "A1")
        assert need.result.withheld is Withheld.NOT_ASKED


def test_a_figure_is_said_or_has_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Figure("A", 10)


def test_releases_are_read_with_their_own_instrument(
    instrument: Instrument, small: Release
) -> None:
    other = msgspec.structs.replace(instrument, version="2.0")
    with pytest.raises(ValueError, match="another instrument"):
        group_of(other, small)
    group = group_of(other, msgspec.structs.replace(small, instrument_digest=_digest(other)))
    with pytest.raises(ValueError, match="one instrument version"):
        changes(group_of(instrument, small), group)


def _digest(instrument: Instrument) -> str:
    return counted(instrument, people(instrument, 1, seed=1)).digest


def test_unions_sum_counts_and_noise(
    instrument: Instrument, small: Release, large: Release
) -> None:
    """A union of a block with options and one without reads each where it can."""

    subs = {sub.code: {"best": 12 * sub.scenarios} for sub in instrument.sub_competencies}
    options = {}
    for item in instrument.scenarios_of(FORM):
        (wrong, *_) = (o.code for o in item.options if o.credit == 0)
        options[item.code] = {wrong: 36}
    group = group_of(
        instrument,
        holding(small, "credits", subs),
        holding(large, "options", options),
    )
    assert group.n == 10 + 30
    for figure in domain_means(group):
        assert figure.estimate is not None
        assert figure.estimate.value == pytest.approx(100 * 12 / 48)
    assert group.published.parts == {Part.LEVELS, Part.NEEDS}
    assert option_shares(group)[0].withheld is Withheld.TOO_FEW_PEOPLE


# On many groups

TRIALS = 120


@pytest.fixture(scope="module")
def truth(instrument: Instrument) -> dict[tuple[str, ...], float]:
    """The figures of 100,000 people like those of whom groups are drawn, without noise: a share is
    known to 0.2 points, a small part of what the intervals of so few people leave open."""
    counts = counted(instrument, people(instrument, 100_000, seed=0))
    whole = msgspec.structs.replace(
        released(instrument, people(instrument, 22, seed=0), 0),
        at_least=counts.n,
        **{
            kind: getattr(counts, kind)
            for kind in ("levels", "options", "confidence", "self_ratings", "steps")
        },
    )
    figures = every_figure(group_of(instrument, whole))
    return {key: figure.estimate.value for key, figure in figures.items() if figure.estimate}


@pytest.mark.parametrize("n", [11, 22, 60])
def test_intervals_hold_the_truth(
    instrument: Instrument, truth: dict[tuple[str, ...], float], n: int
) -> None:
    """At 95 % nominal, at least 93 % of the intervals of each kind, to the accuracy of the trials.

    People resemble themselves from one answer to the next as much as the design effect supposes.
    """
    held: defaultdict[str, list[bool]] = defaultdict(list)
    for seed in range(TRIALS):
        block = people(instrument, n, seed=1000 + seed)
        group = group_of(instrument, released(instrument, block, seed))
        for key, figure in every_figure(group).items():
            if estimate := figure.estimate:
                assert estimate.lower <= estimate.value <= estimate.upper
                assert estimate.lower < estimate.upper
                held[key[0]].append(estimate.lower <= truth[key] <= estimate.upper)
    expected = {"domain", "need", "level"}
    if n >= 22:
        expected |= {"option", "error", "unsafe", "calibration", "rating", "step"}
    assert held.keys() == expected
    # Figures of one group are not independent: a trial is counted once in the margin of chance.
    chance = 2 * math.sqrt(0.95 * 0.05 / TRIALS)
    coverage = {kind: sum(found) / len(found) for kind, found in held.items()}
    assert all(share > 0.93 - chance / 2 for share in coverage.values()), coverage


# Between two versions


def with_other_words(instrument: Instrument, codes: Iterable[str]) -> Instrument:
    """The next version, of which these scenarios are worded otherwise."""
    others = set(codes)
    return msgspec.structs.replace(
        instrument,
        version="2.0",
        scenarios=tuple(
            msgspec.structs.replace(item, stem={"fr": "Autre", "en": "Other"})
            if item.code in others
            else item
            for item in instrument.scenarios
        ),
    )


def of_domain(instrument: Instrument, domain: str) -> list[str]:
    subs = {sub.code for sub in instrument.sub_competencies_of(domain)}
    return [item.code for item in instrument.scenarios_of(FORM) if item.sub_competency in subs]


def on(version: Instrument, release: Release) -> Group:
    return group_of(version, msgspec.structs.replace(release, instrument_digest=digest(version)))


def test_with_everything_in_common_two_versions_are_as_one(
    instrument: Instrument, large: Release
) -> None:
    other = released(instrument, people(instrument, 34, seed=7, ability=0.8), 7)
    later = with_other_words(instrument, ())
    found = common_changes(group_of(instrument, large), on(later, other))
    whole = changes(group_of(instrument, large), group_of(instrument, other))
    for one, same in zip(found, whole, strict=True):
        assert one.common == 8
        assert one.change.difference == same.difference
        assert one.change.effect == pytest.approx(same.effect)


def test_only_common_scenarios_move_a_common_change(instrument: Instrument, large: Release) -> None:
    """By hand: 40 people, half right then, three quarters now; the reworded ones do not count."""
    gone = of_domain(instrument, "A")[:4]
    later = with_other_words(instrument, gone)

    def level(best: int, of_gone: int) -> Release:
        tables = {}
        for item in instrument.scenarios_of(FORM):
            grades = {Grade.of(option): option.code for option in item.options}
            right = of_gone if item.code in gone else best
            tables[item.code] = {grades[Grade.BEST]: right, grades[Grade.WRONG]: 40 - right}
        return holding(large, "options", tables)

    first, *others = common_changes(group_of(instrument, level(20, 0)), on(later, level(30, 40)))
    assert (first.common, [each.common for each in others]) == (4, [8, 8])
    assert first.before.estimate is not None
    assert first.after.estimate is not None
    assert first.before.estimate.value == pytest.approx(50)
    assert first.after.estimate.value == pytest.approx(75)
    assert first.change.difference.estimate is not None
    assert first.change.difference.estimate.value == pytest.approx(25)
    variance = 0.0
    for single in (0.25, 0.1875):
        mean = 0.5 if single == 0.25 else 0.75
        squares = (1 - mean) ** 2 + 3 * mean**2  # one best, two wrong, and "I don't know"
        squares += (0.5 - mean) ** 2  # one acceptable
        variance += single * (1 + 3 * 0.2) / 160 + 4 * squares * NOISE / 160**2
    half = 100 * Z * math.sqrt(variance)
    found = first.change.difference.estimate
    assert (found.upper - found.lower) / 2 == pytest.approx(half)


def test_below_four_in_common_a_domain_is_not_compared(
    instrument: Instrument, large: Release
) -> None:
    later = with_other_words(instrument, of_domain(instrument, "B")[:5])
    found = common_changes(group_of(instrument, large), on(later, large))
    assert [each.common for each in found] == [8, 3, 8]
    assert [each.change.difference.withheld for each in found] == [
        None,
        Withheld.TOO_FEW_COMMON,
        None,
    ]


def test_where_scenarios_are_withheld_nothing_is_compared_between_versions(
    instrument: Instrument, small: Release, large: Release
) -> None:
    later = with_other_words(instrument, ())
    assert small.options is None
    for before, after in ((small, large), (large, small)):
        for each in common_changes(group_of(instrument, before), on(later, after)):
            assert each.change.difference.withheld is Withheld.TOO_FEW_PEOPLE


def test_two_instruments_are_not_compared(instrument: Instrument, large: Release) -> None:
    other = msgspec.structs.replace(instrument, code="other")
    with pytest.raises(ValueError, match="one instrument"):
        common_changes(group_of(instrument, large), on(other, large))


def test_noise_alone_does_not_make_a_change(instrument: Instrument) -> None:
    false = 0
    for seed in range(TRIALS):
        before, after = (
            group_of(
                instrument,
                released(instrument, people(instrument, 22, seed=5000 + 2 * seed + turn), seed),
            )
            for turn in (0, 1)
        )
        false += sum(bool(change.changed) for change in changes(before, after))
    assert false / (3 * TRIALS) < 0.09


def test_a_training_that_works_is_seen(instrument: Instrument) -> None:
    before = group_of(instrument, released(instrument, people(instrument, 40, seed=1), 1))
    trained = people(instrument, 40, seed=2, ability=1.0)
    after = group_of(instrument, released(instrument, trained, 2, phase="after"))
    for change in changes(before, after):
        assert change.changed
        assert change.effect is not None
        assert change.effect > 0.5


Statistic = Callable[[Group], object]


@pytest.mark.parametrize(
    "statistic",
    [level_distributions, domain_means, needs, option_shares, unsafe_choices, confident_errors,
     calibration, self_ratings, steps_chosen],
)  # fmt: skip
def test_a_release_always_says_the_same(
    instrument: Instrument, large: Release, statistic: Statistic
) -> None:
    group = group_of(instrument, large)
    assert statistic(group) == statistic(group)
