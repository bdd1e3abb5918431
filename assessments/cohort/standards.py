"""Cut scores from the estimates of a panel of judges: the modified Angoff method.

Each judge says, scenario by scenario, what just-qualified colleagues would earn on average
(Angoff 1971, in Thorndike, Educational Measurement, 508–600); with a graded key it is an expected
credit rather than a chance of being right (the "extended Angoff" of Hambleton & Plake 1995, Applied
Measurement in Education 8, 41–55). Two rounds with a discussion between them.

Everything is on the 0–100 scale of a domain score. Ratings are a matrix, judges in rows and
scenarios in columns, without gaps: a judge who did not finish is left out by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

JUDGES_WISHED = 10
"""From how many judges a panel is of the size usually asked for."""
SHOWN_FROM = 5
"""The fewest judges whose median and range the others are shown."""
STEP = 5
"""Estimates are given in fives: nobody can tell 62 of 100 colleagues from 63."""

type Ratings = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Components:
    """Variance components of judges × scenarios crossed, one estimate in each cell.

    Brennan & Lockwood 1980, doi:10.1177/014662168000400209. A negative estimate is 0.
    """

    judge: float
    item: float
    residual: float
    judges: int
    items: int

    @property
    def error(self) -> float:
        """Standard error of the mean for other judges, of these very scenarios."""
        return math.sqrt((self.judge + self.residual / self.items) / self.judges)

    @property
    def error_with_items(self) -> float:
        """Standard error of the mean for other judges and other scenarios.

        Too wide in so far as scenarios differ in the estimates because they do differ in
        difficulty (Clauser, Kane & Clauser 2020, doi:10.1111/jedm.12247).
        """
        return math.sqrt(self.error**2 + self.item / self.items)

    @property
    def agreement(self) -> float:
        """Intraclass correlation, absolute agreement of one judge: ICC(2,1) of Shrout & Fleiss
        1979, doi:10.1037/0033-2909.86.2.420. 0 where nothing varies."""
        total = self.judge + self.item + self.residual
        return self.item / total if total else 0.0

    @property
    def agreement_of_panel(self) -> float:
        """The same for the mean of the panel: ICC(2,k)."""
        total = self.item + (self.judge + self.residual) / self.judges
        return self.item / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Item:
    """What the panel says of one scenario."""

    code: str
    mean: float
    median: float
    lowest: float
    highest: float
    spread: float
    """Standard deviation between judges."""


@dataclass(frozen=True, slots=True)
class Standard:
    """One cut score, as a panel sets it."""

    cut: float
    """Mean over judges of each judge's mean over domains of their means over scenarios."""
    error: float
    """Standard error: SD of the judges' cuts over √J."""
    judges: tuple[float, ...]
    """Each judge's own cut, in the order of the rows."""
    domains: tuple[tuple[str, float], ...]
    """The cut each domain would have alone."""
    items: tuple[Item, ...]
    components: Components

    @property
    def severity(self) -> tuple[float, ...]:
        """By how much each judge's cut is above the panel's."""
        return tuple(own - self.cut for own in self.judges)

    @property
    def lowest(self) -> float:
        """The cut of the most lenient judge."""
        return min(self.judges)

    @property
    def highest(self) -> float:
        """The cut of the most severe judge."""
        return max(self.judges)

    @property
    def disputed(self) -> tuple[Item, ...]:
        """The scenarios, those on which the judges differ most first."""
        return tuple(sorted(self.items, key=lambda item: -item.spread))


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the estimates between two rounds of the same judges."""

    cut: float
    """The second cut less the first."""
    moved: float
    """Share of the estimates that changed, 0 to 1."""
    nearer: float
    """SD between judges' cuts, second round over first; below 1 where they came nearer to each
    other; infinity where they left an agreement that was complete."""


def standard(ratings: Ratings, items: Sequence[str], domains: Sequence[str]) -> Standard:
    """The cut of a matrix of estimates; ``domains`` holds the domain of each of ``items``.

    ValueError with fewer than two judges or scenarios, or where the shapes differ.
    """
    if ratings.ndim != 2 or ratings.shape[1] != len(items) or len(items) != len(domains):
        raise ValueError("a row a judge, a column a scenario, a domain for each")
    parts = components(ratings)
    order = tuple(dict.fromkeys(domains))
    columns = [[at for at, one in enumerate(domains) if one == code] for code in order]
    by_domain = np.stack([ratings[:, some].mean(axis=1) for some in columns], axis=1)
    judges = by_domain.mean(axis=1)
    return Standard(
        cut=float(judges.mean()),
        error=float(judges.std(ddof=1)) / math.sqrt(len(judges)),
        judges=tuple(map(float, judges)),
        domains=tuple(zip(order, map(float, by_domain.mean(axis=0)), strict=True)),
        items=tuple(item_of(code, ratings[:, at].tolist()) for at, code in enumerate(items)),
        components=parts,
    )


def components(ratings: Ratings) -> Components:
    """From the mean squares of the two-way table. ValueError with fewer than two either way."""
    judges, items = ratings.shape
    if judges < 2 or items < 2:
        raise ValueError("a variance needs two judges and two scenarios")
    mean = ratings.mean()
    rows, columns = ratings.mean(axis=1), ratings.mean(axis=0)
    between_judges = items * float(((rows - mean) ** 2).sum()) / (judges - 1)
    between_items = judges * float(((columns - mean) ** 2).sum()) / (items - 1)
    left = ratings - rows[:, None] - columns[None, :] + mean
    residual = float((left**2).sum()) / ((judges - 1) * (items - 1))
    return Components(
        judge=max(0.0, (between_judges - residual) / items),
        item=max(0.0, (between_items - residual) / judges),
        residual=residual,
        judges=judges,
        items=items,
    )


def item_of(code: str, estimates: Sequence[float]) -> Item:
    """What estimates of one scenario, at least two, have in common."""
    return Item(
        code,
        fmean(estimates),
        median(estimates),
        min(estimates),
        max(estimates),
        float(np.std(estimates, ddof=1)),
    )


def change(first: Ratings, second: Ratings) -> Change:
    """From one round to the next of the same judges, in the same order, on the same scenarios."""
    if first.shape != second.shape:
        raise ValueError("the two rounds are not of the same judges and scenarios")
    spreads = [float(each.mean(axis=1).std(ddof=1)) for each in (first, second)]
    return Change(
        cut=float(second.mean() - first.mean()),
        moved=float((first != second).mean()),
        nearer=1.0 if spreads[0] == spreads[1] else _ratio(spreads[1], spreads[0]),
    )


def _ratio(over: float, under: float) -> float:
    return over / under if under else math.inf


def published_error(first: Standard, second: Standard) -> float:
    """The standard error to print beside the cut of the second round.

    The greater of both rounds': judges who have talked are no longer independent, so that the
    second alone flatters (MacCann & Stanley 2004, Practical Assessment, Research & Evaluation
    9, 5).
    """
    return max(first.error, second.error)


# --- Hofstee -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Acceptable:
    """What one judge, or a panel on average, would accept of a cut, all 0 to 100."""

    lowest_cut: float
    highest_cut: float
    lowest_share: float
    """The smallest share of people below the cut."""
    highest_share: float

    def __post_init__(self) -> None:
        if not (
            0 <= self.lowest_cut <= self.highest_cut <= 100
            and 0 <= self.lowest_share <= self.highest_share <= 100
        ):
            raise ValueError("the lowest must not be above the highest, nor beyond 0 and 100")


@dataclass(frozen=True, slots=True)
class Compromise:
    """Where the judges' line meets the scores people really have."""

    cut: float
    share: float
    """Of the people below that cut, by the judges' line, 0 to 100."""


type Scores = Sequence[tuple[float, int]]
"""Scores of 0 to 100, each with the number of people who have it."""


def on_average(answers: Sequence[Acceptable]) -> Acceptable:
    """The answers of a panel as one. ValueError without any."""
    if not answers:
        raise ValueError("nobody has answered")
    return Acceptable(
        fmean(each.lowest_cut for each in answers),
        fmean(each.highest_cut for each in answers),
        fmean(each.lowest_share for each in answers),
        fmean(each.highest_share for each in answers),
    )


def share_below(scores: Scores, cut: float) -> float:
    """The share of people whose score is below a cut, 0 to 100."""
    return 100.0 * sum(n for score, n in scores if score < cut) / sum(n for _, n in scores)


def compromise(panel: Acceptable, scores: Scores) -> Compromise | None:
    """Hofstee's cut: where the line from (lowest cut, highest share) to (highest cut, lowest
    share) meets the cumulative distribution. None where it misses it, and nothing follows.

    Hofstee 1983, in Anderson & Helmick, On Educational Testing, 109–127. The distribution is a
    step at each score; where the line passes through a step, the cut is that score.
    """
    low, high = panel.lowest_cut, panel.highest_cut
    if low == high:
        return None
    slope = (panel.highest_share - panel.lowest_share) / (high - low)
    if share_below(scores, low) > panel.highest_share:
        return None
    if share_below(scores, high) < panel.lowest_share:
        return None
    edges = [low, *sorted({score for score, _ in scores if low < score < high}), high]
    start = low
    for end in edges[1:]:
        # Between two scores, and at the upper one itself, as many people are below the cut.
        below = share_below(scores, end)
        if panel.highest_share - slope * (start - low) <= below:
            return Compromise(start, panel.highest_share - slope * (start - low))
        if panel.highest_share - slope * (end - low) <= below:
            meets = low + (panel.highest_share - below) / slope
            return Compromise(meets, below)
        start = end
    return Compromise(high, panel.lowest_share)  # the line's end, missed by a rounding
