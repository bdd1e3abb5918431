"""What a group's files hold: its results as tables, whatever the format.

One description, of which spreadsheets, CSV and JSON are serialisations. It is made of
:class:`~.cohort_results.Results`, hence of releases alone, and no figure is finer here than on the
page: shares are printed shares, means and the ends of intervals are whole numbers, effect sizes
have two decimals. Labels are in the active language, codes are the same in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from .cohort.counts import Grade
from .cohort.disclosure import FINE_SHARES_FROM, STEP, Share
from .cohort.rounding import half_up
from .cohort.rounding import whole as whole_points
from .cohort.statistics import Claim, Estimate, Figure
from .cohort_results import Results, ShareResult, Shares
from .instrument.document import digest, form_label
from .scoring.sheet import DONT_KNOW
from .templatetags.cohort import against_the_rest, deed_name, outcome_name, why_withheld
from .templatetags.readiness import level_name, limits_from, told

EFFECT_PLACES = 2
"""Decimals of an effect size."""
CHANCE_PLACES = 1
"""Decimals of what guessing earns, which is computed from the instrument alone."""


class Unit(StrEnum):
    POINTS = "points"
    """Of a scale of 0 to 100."""
    PERCENT = "percent"
    PEOPLE = "people"
    PLACE = "place"
    DEVIATIONS = "standard_deviations"

    @property
    def label(self) -> str:
        return {
            Unit.POINTS: _("points, 0 to 100"),
            Unit.PERCENT: _("%"),
            Unit.PEOPLE: _("people, at least"),
            Unit.PLACE: _("place"),
            Unit.DEVIATIONS: _("standard deviations"),
        }[self]


class Bound(StrEnum):
    """A figure that is only said to lie beyond a value."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"

    @property
    def sign(self) -> str:
        return "≤" if self is Bound.AT_MOST else "≥"


@dataclass(frozen=True, slots=True)
class Number:
    """A figure as it is printed."""

    value: float
    bound: Bound | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure with its 95 % interval; of a place, there may be no interval but its ends."""

    value: Number
    lower: Number
    upper: Number


@dataclass(frozen=True, slots=True)
class Gap:
    """A figure that is not said, and why."""

    code: str
    reason: str


type Cell = str | bool | date | Number | Spread | Gap | None


@dataclass(frozen=True, slots=True)
class Column:
    code: str
    label: str
    unit: Unit | None = None
    spread: bool = False
    """Whether its cells are figures with intervals."""
    names: bool = False
    """Whether it says what a row is about, rather than something of it."""


@dataclass(frozen=True, slots=True)
class Row:
    code: str
    label: str
    """What the row is about, where its cells are read one by one."""
    cells: tuple[Cell, ...]
    at_least: int | None = None
    """People behind it."""


@dataclass(frozen=True, slots=True)
class Table:
    code: str
    title: str
    """Short, for it names a sheet."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"{self.code}: {row.code} has {len(row.cells)} cells")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose results they are, in the words of the trainer and of the calendar."""

    cohort: str
    moment: str
    simulated: bool
    opened_on: date
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Book:
    """Everything a file of results holds."""

    about: Table
    notes: tuple[str, ...]
    """How the figures were made, and what is not said."""
    tables: tuple[Table, ...]
    made_on: date
    """The day of the last publication: the same results make the same file."""


def book(results: Results, subject: Subject) -> Book:
    """The tables of a group's results, in the active language."""
    return Book(
        about=_about(results, subject),
        notes=tuple(_notes(results, subject)),
        tables=tuple(_tables(results)),
        made_on=max(block.day for block in results.made),
    )


def _tables(results: Results) -> Iterator[Table]:
    yield _means(results)
    yield _levels(results)
    yield _needs(results)
    yield _calibration(results)
    yield _shares(
        results,
        results.unsafe,
        Column("share", _("Share of people who chose an unsafe option"), Unit.PERCENT, spread=True),
        code="unsafe",
        title=_("Unsafe choices"),
        of_what=_("Situation"),
    )
    yield _shares(
        results,
        results.confident_errors,
        Column(
            "share",
            _("Share of people who were wrong and at least fairly sure"),
            Unit.PERCENT,
            spread=True,
        ),
        code="confident_errors",
        title=_("Confident errors"),
        of_what=_("Situation"),
    )
    yield _situations(results)
    yield _shares(
        results,
        results.steps,
        Column("share", _("Share of people who chose the step"), Unit.PERCENT, spread=True),
        code="steps",
        title=_("Next steps chosen"),
        of_what=_("Next step"),
    )
    if results.kind == "follow-up":
        yield _deeds(results)
    if results.classes:
        yield _classes(results)
    if results.changes or results.incomparable:
        yield _changes(results)
    yield _publications(results)


# --- Figures as they are printed ------------------------------------------------------------------


def whole(value: float) -> Number:
    return Number(whole_points(value))


def rounded(value: float, places: int) -> Number:
    return Number(half_up(value, places))


def share(printed: Share) -> Number:
    if printed.low_end:
        return Number(printed.points, Bound.AT_MOST)
    return Number(printed.points, Bound.AT_LEAST if printed.high_end else None)


def spread(estimate: Estimate, unit: float = 1.0) -> Spread:
    """A mean with its interval, in whole numbers."""
    ends = (estimate.value, estimate.lower, estimate.upper)
    return Spread(*(whole(unit * end) for end in ends))


def measured(figure: Figure, unit: float = 1.0) -> Cell:
    """A mean with its interval, or why there is none."""
    return spread(figure.estimate, unit) if figure.estimate else gap(figure)


def gap(figure: Figure) -> Gap:
    return Gap(str(figure.withheld), why_withheld(figure))


# --- The tables -----------------------------------------------------------------------------------


def _about(results: Results, subject: Subject) -> Table:
    instrument = results.instrument
    said: dict[str, tuple[str, Cell]] = {
        "cohort": (_("Cohort"), subject.cohort),
        "moment": (_("Moment"), subject.moment),
        "simulated": (_("Simulated people"), subject.simulated),
        "at_least": (_("People, at least"), Number(results.at_least)),
        "threshold": (_("Fewest people of a publication"), Number(results.threshold)),
        "opened_on": (_("Opened on"), subject.opened_on),
        "closed_on": (_("Closed on"), subject.closed_on),
        "published_on": (_("Published on"), max(block.day for block in results.made)),
        "questionnaire": (_("Questionnaire"), told(instrument.title)),
        "instrument": (_("Code of the questionnaire"), instrument.code),
        "version": (_("Version"), instrument.version),
        "form": (_("Form"), form_label(results.form)),
        "digest": (_("SHA-256 of the questionnaire"), digest(instrument)),
        "status": (_("Status"), told(instrument.status)),
    }
    return Table(
        "about",
        _("About"),
        (Column("name", _("What"), names=True), Column("value", _("Value"))),
        tuple(Row(code, label, (label, cell)) for code, (label, cell) in said.items()),
    )


def _notes(results: Results, subject: Subject) -> Iterator[str]:
    if subject.simulated:
        yield simulated()
    yield _(
        "For teaching only: these figures help to adapt a training course. They must not be "
        "used to rank, judge or sanction a team or a person."
    )
    yield _(
        "The answers were counted once, and a small random number was added to each count. Every "
        "figure of this file comes from these blurred counts; the exact ones were not kept."
    )
    yield from method(results)


def simulated() -> str:
    return _("These people are simulated: nobody gave these answers.")


def method(results: Results) -> Iterator[str]:
    """What is rounded, what is withheld, and why."""
    yield _(
        "Intervals hold the true value 95 times in 100; they allow for the blur as well as for "
        "chance."
    )
    yield _(
        "Numbers of people are rounded down to a multiple of %(step)d. Shares are rounded to "
        "%(step)d points in groups of fewer than %(fine)d, means and the ends of intervals to "
        "whole numbers."
    ) % {"step": STEP, "fine": FINE_SHARES_FROM}
    yield _(
        "Shares close to none or to all are given as “≤ 5%” and “≥ 95%”: an exact 0 or 100 would "
        "tell each person’s answer."
    )
    yield _("What is published never changes: neither a late answer nor an erasure alters it.")
    if results.scenarios_withheld:
        yield too_small(results)
    if results.breakdown_withheld:
        yield _no_breakdown(results)
    if results.change_withheld and not results.incomparable:
        yield _(
            "What has changed: no earlier moment of this cohort has published results to compare "
            "with."
        )
    yield _(
        "Where a figure is withheld, the reason stands in its place. No answer, result or report "
        "of any one person is in this file, and no list of who has answered: they exist nowhere "
        "for trainers."
    )
    if results.classes:
        yield _(
            "No breakdown other than the one chosen before the phase opened, none by department or "
            "date, and no search: crossed with what one knows of the people, they would point to "
            "someone."
        )
    else:
        yield _(
            "No breakdown by profession, department or date, and no search: crossed with what one "
            "knows of the people, they would point to someone."
        )


def _no_breakdown(results: Results) -> str:
    said = {
        "profession": _(
            "The breakdown by profession chosen for this phase: at least one class, those who did "
            "not say included, had fewer than %(threshold)s people, or there was only one class. "
            "The group is shown as a whole, for a class left out could be worked out from the "
            "others."
        ),
        "setting": _(
            "The breakdown by place of work chosen for this phase: at least one class, those who "
            "did not say included, had fewer than %(threshold)s people, or there was only one "
            "class. The group is shown as a whole, for a class left out could be worked out from "
            "the others."
        ),
    }
    return said[results.breakdown] % {"threshold": results.threshold}


def too_small(results: Results) -> str:
    return _(
        "Answers situation by situation, unsafe choices, errors made with confidence, confidence, "
        "self-ratings and chosen steps are shown only when each publication counts at least "
        "%(needed)s people: with fewer, they would say too much about each person."
    ) % {"needed": results.for_scenarios}


def _means(results: Results) -> Table:
    reference = results.reference
    others = reference.domains if reference else [None] * len(results.domains)
    rows = []
    for item, other in zip(results.domains, others, strict=True):
        rated = item.rating.estimate
        rows.append(
            Row(
                item.domain.code,
                told(item.domain.title),
                (
                    told(item.domain.title),
                    measured(item.mean),
                    rounded(item.chance, CHANCE_PLACES),
                    whole(rated.value) if rated else gap(item.rating),
                    measured(other) if other else None,
                ),
                results.at_least,
            )
        )
    return Table(
        "means",
        _("Means by domain"),
        (
            Column("domain", _("Domain"), names=True),
            Column("mean", _("Mean"), Unit.POINTS, spread=True),
            Column("chance", _("Guessing"), Unit.POINTS),
            Column("self_rating", _("Self-rating"), Unit.POINTS),
            Column("reference", _("Mean of all other groups"), Unit.POINTS, spread=True),
        ),
        tuple(rows),
        (
            _("All other groups: at least %(n)d people.") % {"n": reference.at_least}
            if reference
            else _("There are not enough other groups to compare with."),
        ),
    )


def _levels(results: Results) -> Table:
    domains = results.domains
    rows = []
    for place, first in enumerate(domains[0].levels.shares):
        name = outcome_name(first.code)
        figures = [item.levels.shares[place] for item in domains]
        cells = [share(figure.share) if figure.share else gap(figure) for figure in figures]
        rows.append(Row(first.code, name, (name, *cells), results.at_least))
    cuts = results.instrument.cuts
    notes = [
        _("The levels begin at %(operational)s and %(expert)s.")
        % {"operational": int(cuts.operational), "expert": int(cuts.expert)},
        limits_from(cuts),
        _(
            "Until the version has been calibrated on the answers of real people, nobody is placed "
            "at “%(third)s” alone, but at most between “%(second)s” and “%(third)s”."
        )
        % {"second": level_name(2), "third": level_name(3)},
        _("Shares are rounded, so those of a column may not add up to 100."),
    ]
    return Table(
        "levels",
        _("People by level"),
        (
            Column("level", _("Level"), names=True),
            *(Column(item.domain.code, told(item.domain.title), Unit.PERCENT) for item in domains),
        ),
        tuple(rows),
        tuple(notes),
    )


def _needs(results: Results) -> Table:
    rows = []
    for item in results.needs:
        need, name = item.need, told(item.sub_competency.title)
        place: Cell = None
        if need.first is not None and need.last is not None and need.rank is not None:
            place = Spread(Number(need.rank), Number(need.first), Number(need.last))
        cells = (
            name,
            told(item.domain.title),
            measured(need.result),
            place,
            against_the_rest(need.standing) or None,
        )
        rows.append(Row(item.sub_competency.code, name, cells, results.at_least))
    return Table(
        "needs",
        _("Competencies by need"),
        (
            Column("competency", _("Competency"), names=True),
            Column("domain", _("Domain"), names=True),
            Column("mean", _("Mean"), Unit.POINTS, spread=True),
            Column("place", _("Place, from the weakest"), Unit.PLACE, spread=True),
            Column("standing", _("Compared with the rest")),
        ),
        tuple(rows),
        (
            _(
                "“Place” says where a competency may really stand in this order, with a "
                "confidence of 95%."
            ),
        ),
    )


def _calibration(results: Results) -> Table:
    found = results.calibration
    rows = tuple(
        Row(figure.code, name, (name, measured(figure, 100)), results.at_least)
        for figure, name in (
            (found.confidence, _("Sure of being right")),
            (found.accuracy, _("Really right")),
            (found.bias, _("Difference")),
        )
    )
    said = {
        Claim.OVER: _("As a whole, the group is surer than its results allow."),
        Claim.UNDER: _("As a whole, the group is right more often than it thinks."),
        Claim.WITHIN: _(
            "As a whole, the group’s confidence and its results agree, within the margin of error."
        ),
    }
    return Table(
        "calibration",
        _("Confidence and results"),
        (
            Column("figure", _("Figure"), names=True),
            Column("mean", _("Mean"), Unit.PERCENT, spread=True),
        ),
        rows,
        (said[found.claim],) if found.claim else (),
    )


def _shares(
    results: Results, found: Shares, column: Column, *, code: str, title: str, of_what: str
) -> Table:
    """Shares that the page tells; of the others, how many they are."""
    notes = []
    if found.items and found.rest:
        notes.append(
            ngettext(
                "%(rest)s other has a share no greater.",
                "%(rest)s others have shares no greater.",
                found.rest,
            )
            % {"rest": found.rest}
        )
    elif found.rest:
        notes.append(_("No share is above 5%."))
    elif not found.items:
        notes.append(
            too_small(results)
            if results.scenarios_withheld
            else _("Too few people answered for this to be said.")
        )
    return Table(
        code,
        title,
        (Column("name", of_what, names=True), column),
        tuple(_share_row(item, results.at_least) for item in found.items),
        tuple(notes),
    )


def _share_row(item: ShareResult, at_least: int) -> Row:
    printed = Spread(share(item.share), share(item.lower), share(item.upper))
    return Row(item.code, item.label, (item.label, printed), at_least)


def _only(figure: Figure | None) -> Cell:
    """A share without its interval, or why there is none; nothing where there is no figure."""
    if figure is None:
        return None
    return share(figure.share) if figure.share else gap(figure)


def _situations(results: Results) -> Table:
    rows = []
    for situation in results.situations:
        scenario, topic = situation.scenario, told(situation.scenario.topic)
        names = (
            Number(situation.number),
            told(situation.domain.title),
            told(situation.sub_competency.title),
            topic,
        )
        of_all = (_only(situation.unsafe_choice), _only(situation.sure_and_wrong))
        if situation.withheld:
            cells = (*names, None, None, None, None, gap(situation.withheld), *of_all)
            rows.append(Row(scenario.code, topic, cells, results.at_least))
        for choice in situation.choices:
            code, text = choice.option.code if choice.option else DONT_KNOW, told(choice.text)
            rows.append(
                Row(
                    f"{scenario.code}/{code}",
                    f"{topic} – {text}",
                    (
                        *names,
                        text,
                        choice.grade is Grade.BEST,
                        choice.grade is Grade.ACCEPTABLE,
                        bool(choice.option and choice.option.unsafe),
                        Spread(share(choice.share), share(choice.lower), share(choice.upper)),
                        *of_all,
                    ),
                    results.at_least,
                )
            )
    return Table(
        "situations",
        _("Situations"),
        (
            Column("number", _("Number"), names=True),
            Column("domain", _("Domain"), names=True),
            Column("competency", _("Competency"), names=True),
            Column("situation", _("Situation"), names=True),
            Column("answer", _("Answer"), names=True),
            Column("best", _("Best option")),
            Column("acceptable", _("Acceptable option")),
            Column("unsafe", _("Unsafe")),
            Column("share", _("Share of those who answered"), Unit.PERCENT, spread=True),
            # Of the situation as a whole: the same in each of its rows.
            Column("unsafe_share", _("Share of people who chose an unsafe option"), Unit.PERCENT),
            Column(
                "confident_errors",
                _("Share of people who were wrong and at least fairly sure"),
                Unit.PERCENT,
            ),
        ),
        tuple(rows),
        (_("Shares are rounded, so those of a situation may not add up to 100."),)
        if not results.scenarios_withheld
        else (too_small(results),),
    )


def _no_deeds(results: Results) -> str:
    return _(
        "What became of the steps chosen before: only those who brought the code of their first "
        "answers were asked; each publication must count at least %(needed)s people, and at least "
        "%(needed)s steps must have been followed up."
    ) % {"needed": results.for_scenarios}


def _deeds(results: Results) -> Table:
    return Table(
        "deeds",
        _("What became of the steps"),
        (
            Column("deed", _("What became of it"), names=True),
            Column("share", _("Share of the steps followed up"), Unit.PERCENT, spread=True),
        ),
        tuple(
            Row(
                str(item.deed),
                deed_name(item.deed),
                (
                    deed_name(item.deed),
                    Spread(share(item.share), share(item.lower), share(item.upper)),
                ),
                results.at_least,
            )
            for item in results.deeds
        ),
        (_no_deeds(results),) if results.deeds_withheld else (),
    )


def _classes(results: Results) -> Table:
    return Table(
        "classes",
        _("Breakdown"),
        (
            Column("class", _("Class"), names=True),
            Column("domain", _("Domain"), names=True),
            Column("at_least", _("People, at least"), Unit.PEOPLE),
            Column("mean", _("Mean"), Unit.POINTS, spread=True),
        ),
        tuple(
            Row(
                f"{place}/{item.domain.code}",
                f"{found.label} – {told(item.domain.title)}",
                (
                    found.label,
                    told(item.domain.title),
                    Number(found.at_least),
                    measured(item.mean),
                ),
                found.at_least,
            )
            for place, found in enumerate(results.classes, 1)
            for item in found.domains
        ),
    )


def _changes(results: Results) -> Table:
    rows = []
    for place, found in enumerate(results.changes, 1):
        for item in found.domains:
            change, name = item.change, told(item.domain.title)
            rows.append(
                Row(
                    f"{place}/{item.domain.code}",
                    f"{found.since} – {name}",
                    (
                        found.since,
                        name,
                        measured(item.before),
                        measured(item.after),
                        measured(change.difference),
                        rounded(change.effect, EFFECT_PLACES)
                        if change.effect is not None
                        else None,
                        change.changed,
                        change.same_form,
                        Number(found.before),
                        Number(found.after),
                    ),
                    min(found.before, found.after),
                )
            )
    return Table(
        "changes",
        pgettext("of the group", "Change"),
        (
            Column("since", _("Since"), names=True),
            Column("domain", _("Domain"), names=True),
            Column("before", _("Mean then"), Unit.POINTS, spread=True),
            Column("after", _("Mean now"), Unit.POINTS, spread=True),
            Column("difference", _("Difference"), Unit.POINTS, spread=True),
            Column("effect", _("Effect size d"), Unit.DEVIATIONS),
            Column("changed", _("More than chance")),
            Column("same_form", _("Same form")),
            Column("people_before", _("People then, at least"), Unit.PEOPLE),
            Column("people_after", _("People now, at least"), Unit.PEOPLE),
        ),
        tuple(rows),
        tuple(_about_changes(results)),
    )


def _about_changes(results: Results) -> Iterator[str]:
    if results.changes:
        yield _(
            "Each moment is published on its own, and who answered both is not known: the two are "
            "taken as independent, which makes the intervals wide rather than narrow."
        )
        yield _(
            "Effect size: the difference compared with how much people usually differ from one "
            "another (Cohen’s d). That spread is rather overestimated, so the real effect is "
            "probably a little larger than the figure. By custom, it is called small from 0.2, "
            "medium from 0.5, large from 0.8."
        )
    for found in results.changes:
        if found.versions:
            yield ngettext(
                "Since “%(moment)s”, the questionnaire changed (version %(then)s, then %(now)s): "
                "only the %(count)s situation that both asked alike is compared, and these means "
                "are of it alone.",
                "Since “%(moment)s”, the questionnaire changed (version %(then)s, then %(now)s): "
                "only the %(count)s situations that both asked alike are compared, and these "
                "means are of these alone.",
                found.common,
            ) % {
                "moment": found.since,
                "then": found.versions[0],
                "now": found.versions[1],
                "count": found.common,
            }
    if not all(found.same_form for found in results.changes):
        yield _(
            "Where the forms differ, the difference is also that of how hard the two forms are."
        )
    for label in results.incomparable:
        yield _(
            "“%(moment)s” was answered on a version of the questionnaire that has too few "
            "situations in common: no change is computed."
        ) % {"moment": label}


def _publications(results: Results) -> Table:
    return Table(
        "publications",
        _("Publications"),
        (
            Column("number", _("Number"), names=True),
            Column("published_on", _("Published on")),
            Column("at_least", _("People, at least"), Unit.PEOPLE),
            Column("class", _("Class")),
            Column("digest", _("SHA-256 of the publication")),
        ),
        tuple(
            Row(
                str(place),
                str(place),
                (Number(place), block.day, Number(block.at_least), block.group, block.digest),
                block.at_least,
            )
            for place, block in enumerate(results.made, 1)
        ),
        (_("Whoever holds a publication can check by its SHA-256 that nothing of it changed."),),
    )


def clean(text: str) -> str:
    """Text without signs that no file should hold: controls, turns of direction, non-characters."""
    return "".join(sign if sign.isprintable() or sign == "\xa0" else " " for sign in text)
