"""The figures of the last simulation of an instrument, kept beside its documents.

``manage.py simulate_measurement --write`` makes ``seeds/<code>/measurement.json``, which the public
page of the method and ``MEASUREMENT.md`` both read: no figure stands in two places.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings

from .cohort.measurement import CALIBRATED_ON, SAID, Claim, Figure, bearing
from .cohort.populations import NOMINAL
from .instrument.document import Instrument
from .scoring.scores import OVERALL

COLUMNS = tuple(field.name for field in fields(Figure))
PLACES = 5
SEEN_GAIN = "20 points"


@dataclass(frozen=True)
class Measured:
    """What a simulation found."""

    version: str
    bearing: str
    """Of the instrument it was of: see :func:`assessments.cohort.measurement.bearing`."""
    people: int
    seed: int
    figures: tuple[Figure, ...]

    def of(
        self,
        *claims: Claim,
        calibrated: bool | None = False,
        population: str = "",
        scale: str | None = None,
        group: str | None = None,
    ) -> list[Figure]:
        """The figures of some claims; ``calibrated`` None takes those before and after."""
        return [
            figure
            for figure in self.figures
            if figure.claim in claims
            and calibrated in (None, figure.calibrated_on > 0)
            and population in ("", figure.population)
            and scale in (None, figure.scale)
            and group in (None, figure.group)
        ]

    @property
    def broken(self) -> list[Figure]:
        """The claims that do not hold."""
        return [figure for figure in self.figures if figure.holds is False]

    # What the public page says, before any calibration, whatever the form and the population.
    # The least are rounded down and the greatest up, to whole percents.

    @property
    def said_to_hold(self) -> float:
        return SAID[Claim.COVERAGE][0]

    @cached_property
    def held(self) -> float:
        """The least share of intervals that hold the true score."""
        return _down(self.of(Claim.COVERAGE))

    @cached_property
    def held_everywhere(self) -> float:
        """The same, at the place of the scale where it is least."""
        return _down(self.of(Claim.COVERAGE_BAND))

    @cached_property
    def named(self) -> float:
        """The share of domains with one level named, among people of our own model."""
        found = self.of(Claim.NAMED, population=NOMINAL.code)
        return sum(figure.value for figure in found) / len(found)

    @cached_property
    def wrong(self) -> float:
        """The greatest share of wrong levels among those named."""
        return _up(self.of(Claim.WRONG, group=""))

    @cached_property
    def changed(self) -> float:
        """The greatest share of unchanged people of whom one result is said to have changed."""
        return _up(self.of(Claim.CHANGED))

    @cached_property
    def seen(self) -> float:
        """How often a true gain of 20 points on the whole is seen, in the population of our own
        model."""
        found = self.of(Claim.CHANGE_SEEN, population=NOMINAL.code, scale=OVERALL, group=SEEN_GAIN)
        return sum(figure.value for figure in found) / len(found)

    @cached_property
    def misjudged(self) -> float:
        """The greatest share of well-calibrated people who are called over- or under-confident."""
        return _up(self.of(Claim.CONFIDENCE_FINE, Claim.CONFIDENCE_COARSE, Claim.CONFIDENCE_SURE))


def _down(figures: Iterable[Figure]) -> float:
    return math.floor(100 * min(figure.value for figure in figures)) / 100


def _up(figures: Iterable[Figure]) -> float:
    return math.ceil(100 * max(figure.value for figure in figures)) / 100


# --- The file -------------------------------------------------------------------------------------


def folder_of(instrument: Instrument) -> Path:
    return Path(settings.BASE_DIR) / "seeds" / instrument.code


def measured(instrument: Instrument) -> Measured | None:
    """What was found of an instrument as it stands; None if nothing, or of other keys."""
    path = folder_of(instrument) / "measurement.json"
    if not path.is_file():
        return None
    found = read(path)
    return found if found.bearing == bearing(instrument) else None


def read(path: Path) -> Measured:
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Measured(
        version=kept["version"],
        bearing=kept["bearing"],
        people=kept["people"],
        seed=kept["seed"],
        figures=tuple(map(_figure, kept["figures"])),
    )


def _figure(row: Sequence[Any]) -> Figure:
    kept = dict(zip(COLUMNS, row, strict=True))
    error = math.nan if kept["error"] is None else kept["error"]
    return Figure(**kept | {"claim": Claim(kept["claim"]), "error": error})


def rounded(figure: Figure) -> Figure:
    """The figure as it is kept."""
    return replace(figure, value=round(figure.value, PLACES), error=round(figure.error, PLACES))


def written(found: Measured) -> str:
    """The file of rounded figures, one a line."""
    head = {
        "version": found.version,
        "bearing": found.bearing,
        "people": found.people,
        "seed": found.seed,
        "columns": COLUMNS,
    }
    rows = ",\n".join(
        json.dumps(
            [
                None if isinstance(value, float) and math.isnan(value) else value
                for value in astuple(figure)
            ],
            ensure_ascii=False,
        )
        for figure in found.figures
    )
    opening = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{opening},\n "figures": [\n{rows}\n]}}\n'


# --- The tables of MEASUREMENT.md -----------------------------------------------------------------

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
SAYINGS: dict[Claim, str] = {
    Claim.COVERAGE: "90 % interval holds the true score",
    Claim.COVERAGE_LEVEL: "… of those at one level, the least",
    Claim.COVERAGE_BAND: "… in ten points of true score, the least",
    Claim.COVERAGE_SKIPPED: "… half the situations unanswered",
    Claim.WIDTH: "mean width of the interval, the widest scale (points)",
    Claim.NAMED: "one level named, the least clear domain",
    Claim.WRONG: "wrong among the levels named",
    Claim.BOTH_WRONG: "neither right among the pairs named",
    Claim.OVERRATED: "truly just below a level, named at it or above",
    Claim.UNDERRATED: "truly just within a level, named below",
    Claim.CAPPED: "truly at level 3, kept below by an answer at risk",
    Claim.CHANCE: "blind guessing minus the chance line (points)",
    Claim.GUESSER_ABOVE: "blind guesser, interval wholly above the chance line",
    Claim.GUESSER_NAMED: "blind guesser, given level 2 or 3",
    Claim.CONFIDENCE_FINE: "well calibrated, called over- or under-confident",
    Claim.CONFIDENCE_COARSE: "… says only 25 or 95 %",
    Claim.CONFIDENCE_SURE: "… says 95 % each time, and is right as often",
    Claim.OVERCONFIDENT_SEEN: "20 points too sure, called over-confident",
    Claim.RATED_BESIDE: "self-rating equal to the true score, called higher or lower",
    Claim.CHANGED: "not changed, called changed on a given result",
    Claim.CHANGED_ANY: "… on at least one of the four",
    Claim.FORM_APART: "forms apart, the same readiness, the most (points)",
    Claim.CHANGE_SEEN: "gain of 20 points on the whole, called changed",
    Claim.NEEDIEST: "proposed sub-competencies truly in the needier half",
}
LEAST = {
    Claim.COVERAGE,
    Claim.COVERAGE_LEVEL,
    Claim.COVERAGE_BAND,
    Claim.COVERAGE_SKIPPED,
    Claim.NAMED,
}
POINTS = {Claim.WIDTH, Claim.CHANCE, Claim.FORM_APART}


def tables(found: Measured) -> str:
    """The figures as Markdown: reliability, then the claims, before and after a calibration."""
    lines = [
        f"Instrument version {found.version}; {found.people:,} people for each figure; "
        f"seed {found.seed}. In brackets, the Monte Carlo standard error, in the last digit(s).",
        "",
    ]
    populations = list(dict.fromkeys(figure.population for figure in found.figures))
    forms = list(dict.fromkeys(figure.form for figure in found.figures if ">" not in figure.form))
    for form in forms:
        lines += [f"#### Form {form}: reliability in the `{NOMINAL.code}` population", ""]
        lines += _reliability(found, form)
    for calibrated_on in (0, *CALIBRATED_ON):
        title = f"Calibrated on {calibrated_on:,} sheets" if calibrated_on else "Before calibration"
        for form in forms:
            others = [f"{form}>{other}" for other in forms]
            lines += [f"#### {title}, form {form}", ""]
            lines += ["| | said | " + " | ".join(f"`{each}`" for each in populations) + " |"]
            lines += ["|---|---|" + "---|" * len(populations)]
            for claim, words in SAYINGS.items():
                for shown, group in _rows(claim, form, others):
                    row = [
                        figure
                        for figure in found.of(claim, calibrated=None)
                        if figure.calibrated_on == calibrated_on
                        and figure.form == shown
                        and group in (None, figure.group)
                        and (
                            claim is not Claim.CHANGE_SEEN
                            or (figure.scale == OVERALL and figure.group == SEEN_GAIN)
                        )
                    ]
                    if row:
                        named = f"… {group}" if group else words
                        lines.append(_line(claim, named, shown, row, populations))
            lines.append("")
    return "\n".join(lines)


def _rows(claim: Claim, form: str, others: Iterable[str]) -> list[tuple[str, str | None]]:
    """The forms, and the groups, that have a line each; None for the worst of all groups."""
    if claim is Claim.WRONG:
        return [(form, ""), *((form, f"level {each}") for each in (1, 2, 3))]
    return [(form, None), *((other, None) for other in others)]


def _reliability(found: Measured, form: str) -> list[str]:
    claims = (
        (Claim.MEAN, "mean"),
        (Claim.SD, "SD"),
        (Claim.ALPHA, "α"),
        (Claim.OMEGA, "ω"),
        (Claim.TRUE_RELIABILITY, "true reliability"),
        (Claim.SEM, "SEM"),
        (Claim.TRUE_ERROR, "true error"),
    )
    figures = [
        figure
        for figure in found.of(*(claim for claim, _ in claims), population=NOMINAL.code)
        if figure.form == form
    ]
    lines = ["| | " + " | ".join(words for _, words in claims) + " |"]
    lines += ["|---|" + "---|" * len(claims)]
    for scale in dict.fromkeys(figure.scale for figure in figures):
        cells = []
        for claim, _ in claims:
            known = [f for f in figures if (f.scale, f.claim) == (scale, claim)]
            places = 1 if claim in (Claim.MEAN, Claim.SD, Claim.SEM, Claim.TRUE_ERROR) else 3
            cells.append(_shown(known[0].value, known[0].error, places) if known else "–")
        lines.append(f"| {scale} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _line(
    claim: Claim, words: str, form: str, row: Sequence[Figure], populations: Iterable[str]
) -> str:
    sign: Callable[[Figure], float] = lambda figure: figure.value  # noqa: E731
    if claim in (Claim.CHANCE, Claim.FORM_APART):
        sign = lambda figure: abs(figure.value)  # noqa: E731
    pick = min if claim in LEAST else max
    cells = []
    for population in populations:
        own = [figure for figure in row if figure.population == population]
        if not own:
            cells.append("")
            continue
        worst = pick(own, key=sign)
        if claim in POINTS:
            cells.append(_shown(worst.value, worst.error, 1))
        else:
            cell = _shown(100 * worst.value, 100 * worst.error, 1) + " %"
            cells.append(f"{cell} ✗" if worst.holds is False else cell)
    limits = row[0].limits
    said = ""
    if limits is not None and claim in SAID and claim not in POINTS:
        said = f"≥ {limits[0]:.0%}" if claim in LEAST else f"≤ {limits[1]:.0%}"
    elif claim is Claim.CHANCE:
        said = "0"
    form_said = f" ({form.replace('>', ' then ')})" if ">" in form else ""
    return f"| {words}{form_said} | {said} | " + " | ".join(cells) + " |"


def _shown(value: float, error: float | None, places: int) -> str:
    if error is None or math.isnan(error):
        return f"{value:.{places}f}"
    return f"{value:.{places}f} ({max(1, round(error * 10**places))})"


def inserted(document: str, table: str) -> str:
    """The document with its figures replaced; ValueError if it has no place for them."""
    before, begin, rest = document.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no place between {BEGIN} and {END}")
    return f"{before}{begin}\n\n{table}\n{end}{after}"
