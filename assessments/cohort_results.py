"""The results of a group: one value made of its releases, shown as a page, printed, exported.

It receives what was published and nothing else, so whatever is shown downstream of it is a
function of noised counts. Labels are in the language that is active when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from . import charts, cohort_charts
from .cohort import disclosure, statistics
from .cohort.counts import Deed, Grade
from .cohort.disclosure import Part, Release, Share, Union
from .cohort.rounding import whole
from .cohort.statistics import (
    Calibration,
    Change,
    Distribution,
    Figure,
    Group,
    Need,
    Standing,
)
from .instrument.comparison import FEWEST_COMMON
from .instrument.document import Choice as ContextOption
from .instrument.document import (
    Domain,
    Instrument,
    Option,
    Scenario,
    Source,
    SubCompetency,
    Text,
    by_code,
)
from .scoring.intervals import Interval
from .scoring.scores import chance_line
from .templatetags.cohort import deed_name, keyed
from .templatetags.readiness import told

MOST = 8
"""How many shares a list tells, the greatest first, and how many blocks, the latest ones."""
LETTERS = "ABCDEFGHIJ"
"""By which a room names the options of a situation."""


@dataclass(frozen=True, slots=True)
class DomainResult:
    """Where the group stands in a domain."""

    domain: Domain
    mean: Figure
    """0 to 100."""
    rating: Figure
    """The mean self-rating, 0 to 100."""
    chance: float
    others: Figure | None
    """The mean of all other groups, where they may be compared with."""
    band: charts.Band
    levels: Distribution
    stack: tuple[cohort_charts.Segment, ...]


@dataclass(frozen=True, slots=True)
class NeedResult:
    need: Need
    sub_competency: SubCompetency
    domain: Domain


@dataclass(frozen=True, slots=True)
class ShareResult:
    """A share of the group and its interval, as they are printed."""

    label: str
    share: Share
    lower: Share
    upper: Share
    notable: bool
    """Whether it is brought forward."""
    scenario: Scenario | None
    code: str
    """Of the scenario, or of the next step."""

    @property
    def unsafe(self) -> tuple[str, ...]:
        """The texts of the scenario's unsafe options."""
        options = self.scenario.options if self.scenario else ()
        return tuple(told(option.text) for option in options if option.unsafe)


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares as a chart and as a table, the greatest first."""

    items: tuple[ShareResult, ...]
    chart: cohort_charts.Rows
    rest: int
    """How many more there are, each no greater than the last told."""

    @property
    def notable(self) -> tuple[ShareResult, ...]:
        return tuple(item for item in self.items if item.notable)


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to a situation, and the share of the group that gave it."""

    letter: str
    """That of the option; none for "I don't know"."""
    option: Option | None
    """None for "I don't know"."""
    text: Text
    grade: Grade
    share: Share
    lower: Share
    upper: Share


@dataclass(frozen=True, slots=True)
class Situation:
    """A scenario as a trainer takes it up with the group."""

    number: int
    """Its place in the form, from 1, as it was shown with."""
    scenario: Scenario
    sub_competency: SubCompetency
    domain: Domain
    choices: tuple[Choice, ...]
    """In the order in which they were shown; empty where the shares are withheld."""
    withheld: Figure | None
    """The figure that says why they are."""
    sure_and_wrong: Figure
    unsafe_choice: Figure | None
    """None where it has no unsafe option."""
    chart: cohort_charts.Rows
    sources: tuple[Source, ...]

    @property
    def confident_errors(self) -> Share | None:
        """Of those who were wrong and sure of it."""
        return self.sure_and_wrong.share

    @property
    def unsafe(self) -> Share | None:
        """Of those who chose an unsafe option; None where there is none, or shares are withheld."""
        return self.unsafe_choice.share if self.unsafe_choice else None

    @property
    def notable(self) -> bool:
        """Whether what is unsafe in it is brought forward."""
        return self.unsafe is not None and statistics.notable(self.unsafe)

    @property
    def best(self) -> Share | None:
        """Of those who chose the best option."""
        return next((one.share for one in self.choices if one.option is self.scenario.best), None)

    @property
    def lettered(self) -> tuple[tuple[str, Option], ...]:
        """The options as they were shown, whether or not their shares may be."""
        return tuple(zip(LETTERS, self.scenario.options, strict=False))


@dataclass(frozen=True, slots=True)
class ClassResult:
    """A class of a breakdown that was chosen before the phase opened."""

    label: str
    at_least: int
    domains: tuple[DomainResult, ...]


@dataclass(frozen=True, slots=True)
class ClassChart:
    """The classes of a breakdown in one domain, on one scale."""

    domain: Domain
    chart: cohort_charts.Rows


@dataclass(frozen=True, slots=True)
class Reference:
    """All other groups that answered the same form at the same moment, read as one."""

    at_least: int
    domains: tuple[Figure, ...]
    """Their mean in each domain, 0 to 100."""


@dataclass(frozen=True, slots=True)
class DomainChange:
    domain: Domain
    change: Change
    before: Figure
    after: Figure
    common: int | None = None
    """Between two versions: the situations in common, of which alone the figures are."""

    @property
    def means(self) -> tuple[Figure, Figure]:
        return self.before, self.after


@dataclass(frozen=True, slots=True)
class Changes:
    """The group before and after: the difference of two releases."""

    since: str
    """The moment that it is compared with."""
    before: int
    """People of each moment, at least."""
    after: int
    domains: tuple[DomainChange, ...]
    chart: cohort_charts.Rows
    versions: tuple[str, str] | None = None
    """Then and now, where they are not the same."""

    @property
    def common(self) -> int:
        """Between two versions: how many situations are in common."""
        return sum(item.common or 0 for item in self.domains)

    @property
    def same_form(self) -> bool:
        return all(item.change.same_form for item in self.domains)

    @property
    def surely(self) -> tuple[DomainChange, ...]:
        """Where the change is more than chance."""
        return tuple(item for item in self.domains if item.change.changed)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier moment of the same cohort published."""

    label: str
    releases: tuple[Release, ...]
    instrument: Instrument | None = None
    """That they are of, where it is known; needed where it is another version."""


@dataclass(frozen=True, slots=True)
class DeedResult:
    deed: Deed
    share: Share
    lower: Share
    upper: Share


@dataclass(frozen=True, slots=True)
class Made:
    """A block as it was published."""

    day: date
    at_least: int
    digest: str
    group: str | None


@dataclass(frozen=True, slots=True)
class Results:
    instrument: Instrument
    form: str
    kind: str
    """Of the moment: before, after or follow-up."""
    threshold: int
    """People that a block needs."""
    at_least: int
    made: tuple[Made, ...]
    parts: frozenset[Part]
    domains: tuple[DomainResult, ...]
    needs: tuple[NeedResult, ...]
    needs_chart: cohort_charts.Rows
    calibration: Calibration
    calibration_chart: cohort_charts.Rows | None
    unsafe: Shares
    confident_errors: Shares
    steps: Shares
    situations: tuple[Situation, ...]
    breakdown: str
    """The context question by which the group was to be divided, if any."""
    classes: tuple[ClassResult, ...]
    class_charts: tuple[ClassChart, ...]
    reference: Reference | None
    changes: tuple[Changes, ...]
    """Since each earlier moment, the first one first; through common situations if it was on
    another version."""
    incomparable: tuple[str, ...]
    """Earlier moments on a version that has too little in common, and so are not compared."""
    deeds: tuple[DeedResult, ...]
    """At a follow-up, what became of the steps chosen; empty where nothing can be said."""
    deeds_chart: cohort_charts.Rows

    @property
    def latest(self) -> tuple[Made, ...]:
        """The blocks that a page lists."""
        return self.made[-MOST:]

    @property
    def unlisted(self) -> int:
        """How many blocks came before those."""
        return len(self.made) - len(self.latest)

    @property
    def breakdown_withheld(self) -> bool:
        """Whether a breakdown was chosen that could not be shown."""
        return bool(self.breakdown) and not self.classes

    @property
    def change_withheld(self) -> bool:
        """Whether the group answered after its training, and nothing says what has changed."""
        return self.kind != "before" and not self.changes

    @property
    def neediest(self) -> tuple[NeedResult, ...]:
        """The sub-competencies surely weaker than the rest."""
        return tuple(item for item in self.needs if item.need.standing is Standing.NEEDIER)

    @property
    def deeds_withheld(self) -> bool:
        """Whether this is a follow-up of whose steps nothing can be said."""
        return self.kind == "follow-up" and not self.deeds

    @property
    def notable_from(self) -> int:
        """The points from which the share of an unsafe choice is brought forward."""
        return statistics.NOTABLE_UNSAFE

    @property
    def step(self) -> int:
        """Points to which a share is rounded in a group that is not large."""
        return disclosure.STEP

    @property
    def fine_shares_from(self) -> int:
        """People from whom on it is not."""
        return disclosure.FINE_SHARES_FROM

    @property
    def self_rated(self) -> bool:
        return any(item.rating.estimate for item in self.domains)

    @property
    def for_scenarios(self) -> int:
        """People that a block needs for shares by scenario."""
        return Part.SCENARIOS.blocks * self.threshold

    @property
    def scenarios_withheld(self) -> bool:
        return Part.SCENARIOS not in self.parts


def results_of(
    instrument: Instrument,
    releases: Sequence[Release],
    threshold: int,
    *,
    earlier: Sequence[Earlier] = (),
    others: Union | None = None,
    breakdown: str = "",
) -> Results:
    """What may be read of a group from its releases, which are at least one.

    ``earlier`` is what the same cohort published at earlier moments, ``others`` what all other
    groups did, ``breakdown`` how the group was to be divided. ValueError if the releases are of
    another instrument.
    """
    union = disclosure.union(releases)
    group = Group(instrument, union)
    needs = _needs(group)
    calibration = statistics.calibration(group)
    comparable, incomparable = _comparable(group, earlier)
    reference = _reference(instrument, others) if others else None
    classes, deeds = _classes(instrument, breakdown, releases), _deeds(group, threshold)
    return Results(
        instrument=instrument,
        form=group.form,
        kind=releases[0].phase,
        threshold=threshold,
        at_least=group.n,
        made=tuple(
            Made(
                release.day,
                release.at_least,
                disclosure.digest(release),
                release.group and class_name(instrument, breakdown, release.group),
            )
            for release in releases
        ),
        parts=union.parts,
        domains=_domains(group, reference),
        needs=needs,
        needs_chart=cohort_charts.rows(
            cohort_charts.Mark(
                told(item.sub_competency.title),
                estimate.value,
                estimate.lower,
                estimate.upper,
                strong=item.need.standing is Standing.NEEDIER,
            )
            for item in needs
            if (estimate := item.need.result.estimate)
        ),
        calibration=calibration,
        calibration_chart=_calibration_chart(calibration),
        unsafe=_unsafe(group),
        confident_errors=_confident_errors(group),
        steps=_steps(group),
        situations=_situations(group),
        breakdown=breakdown,
        classes=classes,
        class_charts=_class_charts(instrument, classes),
        reference=reference,
        changes=tuple(_changes(label, before, group) for label, before in comparable),
        incomparable=incomparable,
        deeds=deeds,
        deeds_chart=cohort_charts.rows(
            cohort_charts.Mark(
                deed_name(item.deed), item.share.points, item.lower.points, item.upper.points
            )
            for item in deeds
        ),
    )


def class_name(instrument: Instrument, breakdown: str, code: str) -> str:
    """A class of a breakdown in words: what people said of themselves."""
    option = _options(instrument, breakdown).get(code)
    return told(option.text) if option else _("Did not say")


def _options(instrument: Instrument, breakdown: str) -> Mapping[str, ContextOption]:
    """The classes that the question of a breakdown offers, in its order."""
    question = by_code(instrument.context).get(breakdown)
    return by_code(question.options) if question else {}


def _classes(
    instrument: Instrument, breakdown: str, releases: Iterable[Release]
) -> tuple[ClassResult, ...]:
    found: dict[str, list[Release]] = {}
    for release in releases:
        if release.group is not None:
            found.setdefault(release.group, []).append(release)
    codes = list(_options(instrument, breakdown))
    made = []
    # As the question lists them; those who did not say come last.
    for code, blocks in sorted(
        found.items(), key=lambda each: codes.index(each[0]) if each[0] in codes else len(codes)
    ):
        group = Group(instrument, disclosure.union(blocks))
        made.append(ClassResult(class_name(instrument, breakdown, code), group.n, _domains(group)))
    return tuple(made)


def _class_charts(instrument: Instrument, classes: Sequence[ClassResult]) -> tuple[ClassChart, ...]:
    return tuple(
        ClassChart(
            domain,
            cohort_charts.rows(
                cohort_charts.Mark(one.label, estimate.value, estimate.lower, estimate.upper)
                for one in classes
                if (estimate := one.domains[place].mean.estimate)
            ),
        )
        for place, domain in enumerate(instrument.domains if classes else ())
    )


def _reference(instrument: Instrument, others: Union) -> Reference:
    group = Group(instrument, others)
    return Reference(group.n, statistics.domain_means(group))


def _comparable(
    group: Group, earlier: Iterable[Earlier]
) -> tuple[tuple[tuple[str, Group], ...], tuple[str, ...]]:
    comparable, incomparable = [], []
    for moment in earlier:
        if not moment.releases:
            continue
        union = disclosure.union(moment.releases)
        if union.sums[0].instrument_digest == group.published.sums[0].instrument_digest:
            comparable.append((moment.label, Group(group.instrument, union)))
        elif moment.instrument and moment.instrument.code == group.instrument.code:
            before = Group(moment.instrument, union)
            found = statistics.common_changes(before, group)
            if any(each.common >= FEWEST_COMMON for each in found):
                comparable.append((moment.label, before))
            else:
                incomparable.append(moment.label)
        else:
            incomparable.append(moment.label)
    return tuple(comparable), tuple(incomparable)


def _changes(label: str, before: Group, after: Group) -> Changes:
    versions = None
    if before.instrument == after.instrument:
        domains = tuple(
            DomainChange(domain, change, old, new)
            for domain, change, old, new in zip(
                after.instrument.domains,
                statistics.changes(before, after),
                statistics.domain_means(before),
                statistics.domain_means(after),
                strict=True,
            )
        )
    else:
        versions = before.instrument.version, after.instrument.version
        domains = tuple(
            DomainChange(domain, found.change, found.before, found.after, found.common)
            for domain, found in zip(
                after.instrument.domains, statistics.common_changes(before, after), strict=True
            )
        )
    chart = cohort_charts.rows(
        cohort_charts.Mark(
            f"{told(item.domain.title)} – {moment}",
            figure.estimate.value,
            figure.estimate.lower,
            figure.estimate.upper,
            strong=bool(item.change.changed) and figure is item.after,
            hollow=figure is item.before,
        )
        for item in domains
        for moment, figure in ((label, item.before), (_("now"), item.after))
        if figure.estimate and item.change.difference.estimate
    )
    return Changes(label, before.n, after.n, domains, chart, versions)


def _deeds(group: Group, threshold: int) -> tuple[DeedResult, ...]:
    found = statistics.deeds(group, threshold)
    if found is None or found.withheld:
        return ()
    return tuple(
        DeedResult(Deed(figure.code), *printed)
        for figure in found.shares
        if (printed := _printed(figure))
    )


def _situations(group: Group) -> tuple[Situation, ...]:
    instrument = group.instrument
    subs, domains = by_code(instrument.sub_competencies), by_code(instrument.domains)
    sources = by_code(instrument.sources)
    errors = {figure.code: figure for figure in statistics.confident_errors(group)}
    unsafe = {found.scenario: found.share for found in statistics.unsafe_choices(group)}
    made = []
    for number, (scenario, found) in enumerate(
        zip(group.scenarios, statistics.option_shares(group), strict=True), 1
    ):
        choices = _choices(instrument, scenario, found)
        sub = subs[scenario.sub_competency]
        made.append(
            Situation(
                number=number,
                scenario=scenario,
                sub_competency=sub,
                domain=domains[sub.domain],
                choices=choices,
                withheld=None if choices else found.shares[0],
                sure_and_wrong=errors[scenario.code],
                unsafe_choice=unsafe.get(scenario.code),
                chart=cohort_charts.rows(
                    cohort_charts.Mark(
                        f"{choice.letter} – {keyed(choice.option)}"
                        if choice.option
                        else told(choice.text),
                        choice.share.points,
                        choice.lower.points,
                        choice.upper.points,
                        strong=choice.grade is Grade.BEST,
                    )
                    for choice in choices
                ),
                sources=tuple(sources[code] for code in scenario.sources),
            )
        )
    return tuple(made)


def _choices(instrument: Instrument, scenario: Scenario, found: Distribution) -> tuple[Choice, ...]:
    options = by_code(scenario.options)
    letters = dict(zip(options, LETTERS, strict=False))
    made = []
    for figure in found.shares:
        printed = _printed(figure)
        if printed is None:
            return ()
        option = options.get(figure.code)
        made.append(
            Choice(
                letters.get(figure.code, ""),
                option,
                option.text if option else instrument.dont_know,
                Grade.of(option) if option else Grade.WRONG,
                *printed,
            )
        )
    return tuple(made)


def _printed(figure: Figure) -> tuple[Share, Share, Share] | None:
    """A share and its interval as they are printed; None where it is withheld."""
    if figure.estimate is None or figure.share is None:
        return None
    lower, upper = (
        disclosure.printed(end, figure.n) for end in (figure.estimate.lower, figure.estimate.upper)
    )
    return figure.share, lower, upper


def _domains(group: Group, reference: Reference | None = None) -> tuple[DomainResult, ...]:
    made = []
    domains = group.instrument.domains
    for domain, mean, levels, rated, others in zip(
        domains,
        statistics.domain_means(group),
        statistics.level_distributions(group),
        statistics.self_ratings(group),
        reference.domains if reference else [None] * len(domains),
        strict=True,
    ):
        subs = {sub.code for sub in group.instrument.sub_competencies_of(domain.code)}
        chance = chance_line(item for item in group.scenarios if item.sub_competency in subs)
        estimate, rating = mean.estimate, rated.estimate
        band = charts.band(
            group.instrument.cuts,
            score=whole(estimate.value) if estimate else None,
            interval=Interval(whole(estimate.lower), whole(estimate.upper)) if estimate else None,
            chance=chance,
            beside=whole(rating.value) if rating else None,
            others=whole(others.estimate.value) if others and others.estimate else None,
        )
        stack = cohort_charts.stack(
            [(figure.code, figure.share) for figure in levels.shares if figure.share]
        )
        made.append(DomainResult(domain, mean, rated, chance, others, band, levels, stack))
    return tuple(made)


def _needs(group: Group) -> tuple[NeedResult, ...]:
    subs, domains = by_code(group.instrument.sub_competencies), by_code(group.instrument.domains)
    return tuple(
        NeedResult(need, subs[need.result.code], domains[need.domain])
        for need in statistics.needs(group)
    )


def _calibration_chart(calibration: Calibration) -> cohort_charts.Rows | None:
    sure, right = calibration.confidence.estimate, calibration.accuracy.estimate
    if sure is None or right is None:
        return None
    return cohort_charts.rows(
        cohort_charts.Mark(label, 100 * item.value, 100 * item.lower, 100 * item.upper)
        for label, item in ((_("Sure of being right"), sure), (_("Really right"), right))
    )


def _unsafe(group: Group) -> Shares:
    scenarios = by_code(group.scenarios)
    found = (
        (unsafe.share, told(scenario.topic), scenario)
        for unsafe in statistics.unsafe_choices(group)
        for scenario in [scenarios[unsafe.scenario]]
    )
    return _shares(found, statistics.notable)


def _confident_errors(group: Group) -> Shares:
    scenarios = by_code(group.scenarios)
    return _shares(
        (figure, told(scenario.topic), scenario)
        for figure in statistics.confident_errors(group)
        for scenario in [scenarios[figure.code]]
    )


def _steps(group: Group) -> Shares:
    steps = by_code(group.instrument.next_steps)
    return _shares(
        (figure, told(steps[figure.code].title), None) for figure in statistics.steps_chosen(group)
    )


def _shares(
    found: Iterable[tuple[Figure, str, Scenario | None]],
    notable: Callable[[Share], bool] = lambda _share: False,
) -> Shares:
    """Those that can be said; the least, and those printed at the low end, are only counted."""
    said = []
    for figure, label, scenario in found:
        if (printed := _printed(figure)) is None:
            continue
        said.append(ShareResult(label, *printed, notable(printed[0]), scenario, figure.code))
    items = tuple(item for item in said if not item.share.low_end)[:MOST]
    chart = cohort_charts.rows(
        cohort_charts.Mark(
            item.label, item.share.points, item.lower.points, item.upper.points, item.notable
        )
        for item in items
    )
    return Shares(items, chart, len(said) - len(items))
