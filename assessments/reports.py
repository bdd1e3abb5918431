"""The report of one finished sitting: one value, shown as a page and printed as a PDF.

The value holds the instrument's records and the profile's figures, never a sentence: words are
the templates', in the language that is active when they are rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache, partial
from math import floor
from typing import Protocol

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from . import charts, press
from .cohort.counts import Deed
from .instrument.document import (
    DONT_KNOW_CONFIDENCE,
    MAIN_LANGUAGE,
    ConfidenceLevel,
    Domain,
    Instrument,
    Level,
    NextStep,
    Option,
    Scenario,
    Source,
    StrategyEntry,
    SubCompetency,
    Text,
    by_code,
    digest,
)
from .questionnaire import Questionnaire
from .scoring import calibration, intervals, levels, outcomes
from .scoring.change import FEWEST_COMMON, RELIABLE_BEYOND, Change, changes, common_changes
from .scoring.coverage import Coverage, coverage
from .scoring.next_steps import Reason, reasons
from .scoring.outcomes import Outcome
from .scoring.profile import Profile
from .scoring.scores import DomainScore, Score
from .scoring.sheet import Sheet
from .scoring.strategy import StrategyMap, strategy_map, touch
from .templatetags.readiness import overdue

UNSAFE_IN_BRIEF = 3
"""How many unsafe answers the first page tells in full before it points to their section."""
ERRORS_TOLD = 5
"""How many errors made with confidence the page tells before it points to where they are."""


class KeptPlan(Protocol):
    """A next step as the person means to do it (:class:`assessments.sittings.Plan`)."""

    @property
    def step(self) -> str: ...
    @property
    def when(self) -> str: ...
    @property
    def will(self) -> str: ...
    @property
    def together_with(self) -> str: ...
    @property
    def before(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One scenario of the form: what was answered, the key and where it comes from."""

    number: int
    """Its place in the form, from 1, as it was shown with."""
    scenario: Scenario
    sub_competency: SubCompetency
    outcome: Outcome
    chosen: Option | None
    """None for "I don't know" and for no answer."""
    confidence: ConfidenceLevel | None
    sources: tuple[Source, ...]
    page: int
    """Of the pages that explain answers, its own: the place of its domain in the instrument, from
    1."""

    @property
    def is_best(self) -> bool:
        return self.outcome.verdict == "best"

    @property
    def explained(self) -> SafeString:
        """What was decided, what it teaches and the sources."""
        same = _Same(
            get_language() or MAIN_LANGUAGE,
            id(self.scenario),
            self.outcome.verdict,
            self.chosen.code if self.chosen else "",
            overdue(self.scenario),
            replace(self, confidence=None, outcome=replace(self.outcome, confidence=None)),
        )
        return _written(same)


@dataclass(frozen=True, slots=True)
class _Same:
    """What makes two answers be explained alike, and one of those that are, without how sure the
    person was, which nothing there tells."""

    language: str
    scenario: int
    """Its identity, for people of most professions are asked the very same scenario; it lasts as
    long as the answer does that is kept beside."""
    verdict: str
    option: str
    is_overdue: bool
    answer: Answer = field(compare=False)


@lru_cache(maxsize=2048)
def _written(same: _Same) -> SafeString:
    # A report explains two dozen answers, of the same few that everybody can give.
    return render_to_string("assessments/report/answer.html", {"answer": same.answer})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the person stands in a domain."""

    domain: Domain
    score: DomainScore
    meanings: tuple[Level, ...]
    """What the level means, or the two levels that it lies between."""
    following: Level | None
    """What the level above means, if there is one."""
    band: charts.Band
    compared: charts.Band
    """The same with the self-rating beside."""


@dataclass(frozen=True, slots=True)
class Intention:
    """When …, I will …, with …, before …"""

    when: Text
    will: Text
    together_with: Text
    before: date


@dataclass(frozen=True, slots=True)
class Step:
    """A next step, kept or proposed, and why it is there."""

    record: NextStep
    sub_competency: SubCompetency
    intention: Intention
    reason: Reason | None
    causes: tuple[Answer, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A finished sitting of the same person, before the one that is reported."""

    digest: str
    """Of its instrument."""
    form: str
    moment: str
    """The kind of its phase; empty outside any group."""
    finished_on: date
    profile: Profile
    instrument: Instrument | None = None
    """As it was published; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One score, then and now."""

    domain: Domain | None
    """None for the whole."""
    before: Score | None
    after: Score | None
    change: Change | None
    """None where they cannot be compared, for want of answers or of common situations."""
    band: charts.Band | None
    common: int | None = None
    """Between two versions: the common situations answered both times. The scores are theirs."""

    @property
    def needed(self) -> int | None:
        """The least whole number of points that would be more than chance."""
        return floor(self.change.needed) + 1 if self.change else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What has changed since an earlier sitting."""

    earlier: Earlier
    same_form: bool
    shifts: tuple[Shift, ...]
    """Of each domain, then of the whole."""
    shared: int
    """How many situations were answered both times."""
    gained: tuple[Answer, ...]
    """Earning nothing then, best option now."""
    lost: tuple[Answer, ...]
    """Best option then, earning nothing now."""
    versions: tuple[str, str] | None = None
    """Then and now, where they are not the same: only common situations are compared."""


@dataclass(frozen=True, slots=True)
class FollowedStep:
    """A step chosen at an earlier sitting, and what became of it."""

    title: Text
    intention: Intention | None
    """None where the sitting that held it has been erased."""
    deed: Deed


@dataclass(frozen=True, slots=True)
class Covered:
    """An entry of the strategy, and what of the form serves it."""

    entry: StrategyEntry
    coverage: Coverage
    standing: Standing | None
    """For a goal: the domain that measures it."""
    overdue: int
    """How many of its situations are past their review."""


@dataclass(frozen=True)
class Report:
    """Everything the templates of the report need. Each part is made when it is first asked for: a
    page that does not show it does not pay for it."""

    asked: Questionnaire
    sheet: Sheet
    profile: Profile
    plans: tuple[KeptPlan, ...]
    """The next steps the person kept."""
    finished_on: date
    read_on: date
    earlier: Earlier | None = None
    """The person's last finished sitting before this one."""
    deeds: tuple[tuple[str, KeptPlan | None, Deed], ...] = ()
    """Of the steps chosen before: the code, the plan if it is still kept, what became of it."""

    @property
    def instrument(self) -> Instrument:
        return self.asked.instrument

    @property
    def form(self) -> str:
        return self.asked.form

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the instrument, in hexadecimal."""
        return digest(self.asked.published)

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """One for each scenario, in the order of the form."""
        return _answers(self.asked, self.profile)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        return tuple(_standing(self.instrument, score) for score in self.profile.domains)

    @property
    def steps_are_kept(self) -> bool:
        """Whether the person chose them; otherwise they are proposals."""
        return bool(self.plans)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return _steps(
            self.instrument, self.sheet, self.profile, self.plans, self.answers, self.finished_on
        )

    @cached_property
    def strategy(self) -> tuple[Covered, ...]:
        return _strategy(self.instrument, self.form, self.standings, self.read_on)

    @property
    def strategy_sources(self) -> tuple[Source, ...]:
        codes = dict.fromkeys(code for line in self.strategy for code in line.entry.sources)
        return _sources(self.instrument, codes)

    @cached_property
    def strategy_map(self) -> StrategyMap:
        """The measures that the strategy names, as they stand on the day of reading."""
        return strategy_map(self.instrument, self.read_on)

    @cached_property
    def rules(self) -> Rules:
        return Rules()

    @cached_property
    def comparison(self) -> Comparison | None:
        """With the person's last finished sitting before this one."""
        if self.earlier is None:
            return None
        return _compared(self.asked, self.digest, self.profile, self.answers, self.earlier)

    @property
    def uncompared(self) -> Earlier | None:
        """That sitting where it is of a version with which too little is in common."""
        return None if self.comparison else self.earlier

    @cached_property
    def followed(self) -> tuple[FollowedStep, ...]:
        """At a follow-up: what became of the steps chosen before."""
        return _followed_steps(self.instrument, self.deeds)

    @property
    def left_out(self) -> bool:
        """Whether a situation has no answer."""
        return len(self.answered) < len(self.answers)

    @cached_property
    def answered(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.outcome.answered)

    @cached_property
    def unsafe(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.outcome.unsafe)

    @property
    def unsafe_in_brief(self) -> tuple[Answer, ...]:
        return self.unsafe[:UNSAFE_IN_BRIEF]

    @property
    def unsafe_beyond_brief(self) -> int:
        return len(self.unsafe) - len(self.unsafe_in_brief)

    @cached_property
    def risks_met(self) -> int:
        """How many of the answered situations offered an unsafe option."""
        return sum(any(o.unsafe for o in answer.scenario.options) for answer in self.answered)

    @cached_property
    def confident_errors(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.outcome.confident_error)

    @cached_property
    def errors_told(self) -> tuple[Answer, ...]:
        """Of those made with confidence, the surest, which the page tells; those at risk are told
        under safety."""
        told = [answer for answer in self.confident_errors if not answer.outcome.unsafe]
        surest = sorted(told, key=lambda answer: -(answer.outcome.confidence or 0.0))
        return tuple(sorted(surest[:ERRORS_TOLD], key=lambda answer: answer.number))

    @property
    def errors_named(self) -> tuple[Answer, ...]:
        """Those that the page only names."""
        told = {answer.number for answer in self.errors_told}
        rest = [answer for answer in self.confident_errors if answer.number not in told]
        return tuple(answer for answer in rest if not answer.outcome.unsafe)

    @property
    def errors_at_risk(self) -> bool:
        """Whether some of those made with confidence are told under safety."""
        return any(answer.outcome.unsafe for answer in self.confident_errors)

    @cached_property
    def answers_by_domain(self) -> tuple[tuple[Domain, tuple[Answer, ...]], ...]:
        # An instrument need not list what belongs to a domain in one go.
        pages = enumerate(self.instrument.domains, 1)
        found = [(domain, [each for each in self.answers if each.page == p]) for p, domain in pages]
        return tuple((domain, tuple(answers)) for domain, answers in found if answers)

    @property
    def goals(self) -> tuple[Covered, ...]:
        return tuple(line for line in self.strategy if line.entry.kind == "goal")

    @property
    def priorities_and_pillars(self) -> tuple[Covered, ...]:
        return tuple(line for line in self.strategy if line.entry.kind != "goal")

    @property
    def short_digest(self) -> str:
        return self.digest[:12]

    @property
    def beyond_margin(self) -> bool:
        """Whether the bias passes its margin, claimed or not."""
        found = self.profile.calibration
        return found.bias is not None and abs(found.bias) > (found.margin or 0.0)


@dataclass(frozen=True, slots=True)
class Rules:
    """The constants of the scoring that the method names, each from where it is applied."""

    named_from: float = levels.NAMED_FROM
    confident_from: float = outcomes.CONFIDENT_FROM
    claim_from: int = calibration.CLAIM_FROM
    z: float = intervals.Z
    tail: float = intervals.TAIL
    dont_know: float = DONT_KNOW_CONFIDENCE
    ceiling: int = levels.UNSAFE_CEILING
    reliable_beyond: float = RELIABLE_BEYOND
    fewest_common: int = FEWEST_COMMON

    @property
    def held(self) -> float:
        """What an interval holds: 0.90."""
        return 1.0 - 2.0 * self.tail


def build(
    asked: Questionnaire,
    sheet: Sheet,
    *,
    profile: Profile,
    plans: Sequence[KeptPlan],
    finished_on: date,
    read_on: date | None = None,
    earlier: Earlier | None = None,
    followed: Sequence[tuple[str, KeptPlan | None, Deed]] = (),
) -> Report:
    """The report of a finished sheet.

    ``plans`` are the next steps the person kept; without any, the report shows the proposals of
    the profile, each due its own number of days after ``finished_on``. What is to be checked again
    on the day of reading, ``read_on`` (the day it was finished unless told), is marked.
    ``earlier`` is compared with it, through common situations if it is of another version.
    ``followed`` are the steps chosen before: the code, the plan if it is still kept, and what
    became of it.
    """
    return Report(
        asked=asked,
        sheet=sheet,
        profile=profile,
        plans=tuple(plans),
        finished_on=finished_on,
        read_on=read_on or finished_on,
        earlier=earlier,
        deeds=tuple(followed),
    )


def _sources(instrument: Instrument, codes: Iterable[str]) -> tuple[Source, ...]:
    known = by_code(instrument.sources)
    return tuple(known[code] for code in codes)


def _answers(asked: Questionnaire, profile: Profile) -> tuple[Answer, ...]:
    instrument = asked.instrument
    scenarios = by_code(instrument.scenarios_of(asked.form))
    subs = by_code(instrument.sub_competencies)
    pages = {domain.code: page for page, domain in enumerate(instrument.domains, 1)}
    sources = by_code(instrument.sources)
    levels_of_confidence: dict[float | None, ConfidenceLevel] = {
        level.probability: level for level in instrument.confidence_scale
    }
    found = []
    for outcome in profile.outcomes:
        scenario = scenarios[outcome.scenario]
        # "I don't know" is recorded with a confidence that nobody gave.
        given = outcome.confidence if outcome.option else None
        found.append(
            Answer(
                number=asked.numbers[scenario.code],
                scenario=scenario,
                sub_competency=subs[outcome.sub_competency],
                outcome=outcome,
                chosen=by_code(scenario.options)[outcome.option] if outcome.option else None,
                confidence=levels_of_confidence.get(given),
                sources=tuple(sources[code] for code in scenario.sources),
                page=pages[outcome.domain],
            )
        )
    return tuple(found)


def _standing(instrument: Instrument, score: DomainScore) -> Standing:
    domain = by_code(instrument.domains)[score.code]
    held: tuple[int, ...] = score.level.levels if score.level else ()
    meaning: dict[int, Level] = {level.level: level for level in domain.levels}
    band = partial(
        charts.band,
        instrument.cuts,
        score=score.score,
        interval=score.interval,
        chance=score.chance,
    )
    return Standing(
        domain=domain,
        score=score,
        meanings=tuple(meaning[level] for level in held),
        following=meaning.get(held[-1] + 1) if held else None,
        band=band(),
        compared=band(beside=score.self_rating),
    )


def _steps(
    instrument: Instrument,
    sheet: Sheet,
    profile: Profile,
    plans: Sequence[KeptPlan],
    answers: Iterable[Answer],
    finished_on: date,
) -> tuple[Step, ...]:
    records = by_code(instrument.next_steps)
    subs = by_code(instrument.sub_competencies)
    answer_to = {answer.scenario.code: answer for answer in answers}
    why = {reason.sub_competency: reason for reason in reasons(instrument, sheet, profile.outcomes)}
    chosen = [(records[plan.step], intention_of(plan)) for plan in plans] or [
        (record := records[proposed.step], _proposed(record, finished_on))
        for proposed in profile.next_steps
    ]
    found = []
    for record, intention in chosen:
        reason = why.get(record.sub_competency)
        found.append(
            Step(
                record=record,
                sub_competency=subs[record.sub_competency],
                intention=intention,
                reason=reason,
                causes=tuple(answer_to[cause.scenario] for cause in reason.causes)
                if reason
                else (),
                sources=_sources(instrument, record.sources),
            )
        )
    return tuple(found)


def intention_of(plan: KeptPlan) -> Intention:
    """A kept step in the person's own words, the same in every language."""

    def own(words: str) -> Text:
        return {MAIN_LANGUAGE: words.strip().rstrip(".,;").rstrip()}

    return Intention(
        when=own(plan.when),
        will=own(plan.will),
        together_with=own(plan.together_with),
        before=date.fromisoformat(plan.before),
    )


def _proposed(record: NextStep, finished_on: date) -> Intention:
    plan = record.plan
    return Intention(
        when=plan.when,
        will=plan.will,
        together_with=plan.together_with,
        before=finished_on + timedelta(days=plan.within_days),
    )


def _compared(
    asked: Questionnaire,
    sealed: str,
    profile: Profile,
    answers: Sequence[Answer],
    earlier: Earlier,
) -> Comparison | None:
    """The comparison with an earlier sitting; None where no domain can be compared for want of
    common situations."""
    if earlier.digest == sealed:
        return _comparison(asked, profile, answers, earlier)
    then, now = earlier.instrument, asked.published
    if then is None or then.code != now.code:
        return None
    found = common_changes(then, earlier.profile, now, profile)
    if max(found.common[domain.code] for domain in now.domains) < FEWEST_COMMON:
        return None
    domains = by_code(asked.instrument.domains)
    shifts = tuple(
        Shift(
            domain=domains.get(code),
            before=before,
            after=after,
            change=found.changes[code],
            band=_shift_band(now, before, after) if found.changes[code] else None,
            common=common,
        )
        for code, common in found.common.items()
        for before, after in [(found.before.get(code), found.after.get(code))]
    )
    return _told(asked, answers, earlier, shifts, found.scenarios, (then.version, now.version))


def _shift_band(instrument: Instrument, before: Score | None, after: Score | None) -> charts.Band:
    assert before is not None
    assert after is not None
    return charts.band(
        instrument.cuts,
        score=after.score,
        interval=after.interval,
        chance=after.chance,
        before=before.score,
    )


def _comparison(
    asked: Questionnaire, profile: Profile, answers: Iterable[Answer], earlier: Earlier
) -> Comparison:
    instrument = asked.instrument
    scores = {score.code: score for score in (*earlier.profile.domains, earlier.profile.overall)}
    domains = by_code(instrument.domains)
    found = changes(earlier.profile, profile)
    shifts = tuple(
        Shift(
            domain=domains.get(score.code),
            before=scores[score.code],
            after=score,
            change=found[score.code],
            band=_shift_band(instrument, scores[score.code], score),
        )
        for score in (*profile.domains, profile.overall)
    )
    alike = frozenset(each.scenario for each in profile.outcomes)
    return _told(asked, answers, earlier, shifts, alike, None)


def _told(
    asked: Questionnaire,
    answers: Iterable[Answer],
    earlier: Earlier,
    shifts: tuple[Shift, ...],
    alike: frozenset[str],
    versions: tuple[str, str] | None,
) -> Comparison:
    """The comparison, with the situations among ``alike`` that were answered both times."""
    was = {each.scenario: each for each in earlier.profile.outcomes if each.answered}
    both = [
        (was[answer.scenario.code], answer)
        for answer in answers
        if answer.outcome.answered and answer.scenario.code in was.keys() & alike
    ]
    return Comparison(
        earlier=earlier,
        same_form=earlier.form == asked.form,
        shifts=shifts,
        shared=len(both),
        gained=tuple(now for then, now in both if then.credit == 0 and now.is_best),
        lost=tuple(now for then, now in both if then.verdict == "best" and now.outcome.credit == 0),
        versions=versions,
    )


def _followed_steps(
    instrument: Instrument, followed: Iterable[tuple[str, KeptPlan | None, Deed]]
) -> tuple[FollowedStep, ...]:
    records = by_code(instrument.next_steps)
    return tuple(
        # Of a step that this version no longer has, the person's own words remain.
        FollowedStep(
            title=records[code].title if code in records else {},
            intention=intention_of(plan) if plan else None,
            deed=deed,
        )
        for code, plan, deed in followed
    )


def _strategy(
    instrument: Instrument, form: str, standings: Iterable[Standing], day: date
) -> tuple[Covered, ...]:
    entries = by_code(instrument.strategy.entries)
    asked = instrument.scenarios_of(form)
    standing_in = {standing.domain.code: standing for standing in standings}
    return tuple(
        Covered(
            entry=entries[line.entry],
            coverage=line,
            standing=standing_in.get(line.domain) if line.domain else None,
            overdue=touch(form, asked, line.sub_competencies, day).overdue,
        )
        for line in coverage(instrument, form)
    )


def pdf(report: Report) -> bytes:
    """The report as a tagged PDF in the active language; :class:`~.press.Busy` at a crush."""
    return press.pdf(render_to_string("assessments/report/document.html", {"report": report}))
