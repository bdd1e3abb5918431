"""Setting cut scores with a panel of judges: the only writer of studies, judges and estimates.

A study goes through two rounds with a discussion between them, and ends adopted, closed or
abandoned; nothing takes it back. Adopting publishes another version of the instrument, with the
panel's cuts and nothing else changed.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from .cohort.rounding import half_up
from .cohort.standards import (
    SHOWN_FROM,
    Acceptable,
    Change,
    Compromise,
    Item,
    Standard,
    change,
    compromise,
    item_of,
    on_average,
    published_error,
    share_below,
    standard,
)
from .instrument.document import Cuts, Instrument, Panel, Scenario, Text, by_code
from .instrument.rules import PANEL_JUDGES, check
from .instruments import instrument_of, publish
from .journal import record
from .models import Estimate, Event, InstrumentVersion, Judge, StandardStudy
from .scoring.scores import chance_line
from .templatetags.readiness import day, decimal, form_label, told

type Level = Literal["operational", "expert"]
LEVELS: tuple[Level, Level] = ("operational", "expert")

State = StandardStudy.State
MOVES: Mapping[str, tuple[str, ...]] = {
    State.FIRST: (State.DISCUSSION, State.ABANDONED),
    State.DISCUSSION: (State.SECOND, State.ABANDONED),
    State.SECOND: (State.CLOSED, State.ABANDONED),
    State.CLOSED: (State.ABANDONED,),
}
"""Where an author may take a study from where it is."""
OVER = (State.CLOSED, State.ADOPTED, State.ABANDONED)
"""States in which nobody estimates or will."""
ROUNDS: Mapping[str, int] = {State.FIRST: 1, State.SECOND: 2}
"""The round that is open in a state."""


class StudyError(Exception):
    """It cannot be done; the message says why, in the reader's language."""


# --- Reading -------------------------------------------------------------------------------------


def instrument_judged(study: StandardStudy) -> Instrument:
    return instrument_of(study.version.digest)


def scenarios(study: StandardStudy) -> tuple[Scenario, ...]:
    """What the judges estimate, in the order in which it is served."""
    return instrument_judged(study).scenarios_of(study.form)


def practice(study: StandardStudy) -> Scenario:
    """A situation to practise on: one that is not judged, if the bank has any."""
    judged = {item.code for item in scenarios(study)}
    bank = instrument_judged(study).scenarios
    return next((item for item in bank if item.code not in judged), scenarios(study)[0])


def chance_of(scenario: Scenario) -> float:
    """What blind guessing earns on a scenario, 0 to 100."""
    return chance_line([scenario])


def professions(study: StandardStudy) -> list[tuple[str, str]]:
    """The professions a judge may be of, as codes and words; none if the instrument asks none."""
    question = by_code(instrument_judged(study).context).get("profession")
    return [(option.code, told(option.text)) for option in (question.options if question else ())]


def estimates(judge: Judge, number: int) -> dict[str, Estimate]:
    """A judge's estimates of a round, by scenario; those without figures yet among them."""
    return {each.scenario: each for each in judge.estimates.filter(round=number)}


def given(judge: Judge, number: int) -> int:
    """How many scenarios a judge has estimated in a round."""
    return judge.estimates.filter(round=number, operational__isnull=False).count()


@dataclass(frozen=True, slots=True)
class Seat:
    """A judge in the panel, and how many scenarios they have estimated in each round."""

    judge: Judge
    first: int
    second: int


def seats(study: StandardStudy) -> list[Seat]:
    """The panel, by name."""
    found = Estimate.objects.filter(judge__study=study, operational__isnull=False)
    given = Counter(found.values_list("judge", "round"))
    return [
        Seat(judge, given[judge.pk, 1], given[judge.pk, 2])
        for judge in study.judges.select_related("user").order_by("user__username")
    ]


@dataclass(frozen=True)
class Round:
    """The estimates of those who finished a round, by judge's key, then by scenario."""

    study: StandardStudy
    estimates: Mapping[int, Mapping[str, Estimate]]

    def of(self, level: Level, judges: Sequence[int]) -> np.ndarray:
        """The matrix of some judges, in their order."""
        return np.array(
            [
                [getattr(self.estimates[judge][item.code], level) for item in scenarios(self.study)]
                for judge in judges
            ],
            dtype=np.float64,
        )

    def panel(self, scenario: str, level: Level) -> Item | None:
        """Median and range of one scenario; None with so few judges that they would tell whose
        estimates they are."""
        if len(self.estimates) < SHOWN_FROM:
            return None
        found = [getattr(one[scenario], level) for one in self.estimates.values()]
        return item_of(scenario, found)


def finished(study: StandardStudy, number: int) -> Round:
    """The estimates of the judges who gave all of a round's."""
    wanted = {item.code for item in scenarios(study)}
    found: dict[int, dict[str, Estimate]] = {}
    kept = Estimate.objects.filter(
        judge__study=study, round=number, operational__isnull=False, scenario__in=wanted
    )
    for each in kept:
        found.setdefault(each.judge_id, {})[each.scenario] = each
    return Round(
        study, {judge: each for judge, each in sorted(found.items()) if len(each) == len(wanted)}
    )


@dataclass(frozen=True)
class Outcome:
    """One cut, as the panel has it in both rounds."""

    level: Level
    first: Standard
    second: Standard | None
    change: Change | None
    acceptable: Acceptable | None
    """The judges' answers to Hofstee's questions, on average; None where too few gave any."""
    answered: int
    """How many answered them."""
    compromise: Compromise | None
    below: float | None
    """The share of the scores entered that lie below the panel's cut."""

    @property
    def last(self) -> Standard:
        return self.second or self.first

    @property
    def cut(self) -> int:
        """As it would be adopted: in whole points."""
        return int(half_up(self.last.cut))

    @property
    def error(self) -> float:
        return published_error(self.first, self.second) if self.second else self.first.error

    @property
    def acceptable_cut(self) -> bool | None:
        """Whether the cut lies where the judges said that they would accept it."""
        if self.acceptable is None:
            return None
        return self.acceptable.lowest_cut <= self.last.cut <= self.acceptable.highest_cut


class Findings:
    """What a study says: of those who finished both rounds, or the first while it is the only."""

    def __init__(self, study: StandardStudy) -> None:
        self.study = study
        self.first = finished(study, 1)
        self.second = finished(study, 2)

    @cached_property
    def complete(self) -> bool:
        """Whether the second round is over, so that its figures are the study's."""
        return self.study.state in (State.CLOSED, State.ADOPTED) or (
            self.study.state == State.ABANDONED and bool(self.second.estimates)
        )

    @cached_property
    def judges(self) -> tuple[int, ...]:
        """The keys of the judges who count."""
        first = self.first.estimates
        return tuple(
            judge for judge in first if not self.complete or judge in self.second.estimates
        )

    @property
    def excluded(self) -> int:
        """How many sit in the panel and do not count, for a round of theirs is not finished."""
        return self.study.judges.count() - len(self.judges)

    @property
    def enough(self) -> bool:
        return self.complete and len(self.judges) >= PANEL_JUDGES

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The operational cut and the expert's; nothing with fewer than two judges."""
        if len(self.judges) < 2:
            return ()
        return tuple(self._outcome(level) for level in LEVELS)

    def _outcome(self, level: Level) -> Outcome:
        instrument = instrument_judged(self.study)
        items = scenarios(self.study)
        codes = [item.code for item in items]
        domains = [instrument.domain_of(item.sub_competency) for item in items]
        before = self.first.of(level, self.judges)
        first = standard(before, codes, domains)
        second = moved = None
        if self.complete:
            after = self.second.of(level, self.judges)
            second, moved = standard(after, codes, domains), change(before, after)
        answers = [
            Acceptable(*judge.acceptable[level])
            for judge in self.study.judges.filter(pk__in=self.judges)
            if judge.acceptable
        ]
        # Of fewer, whoever knows who answered would know what.
        panel = on_average(answers) if len(answers) >= SHOWN_FROM else None
        scores = [(float(score), int(n)) for score, n in self.study.scores]
        return Outcome(
            level,
            first,
            second,
            moved,
            panel,
            len(answers),
            compromise(panel, scores) if panel and scores else None,
            share_below(scores, (second or first).cut) if scores else None,
        )

    @cached_property
    def professions(self) -> Counter[str]:
        """The judges who count, by code of profession."""
        held = self.study.judges.filter(pk__in=self.judges).values_list("profession", flat=True)
        return Counter(held)


def pseudonym(judge: int) -> str:
    """A judge without a name: the same in every file, in no order that tells who it is."""
    return salted_hmac("readiness.judge", str(judge), algorithm="sha256").hexdigest()[:8]


# --- Writing -------------------------------------------------------------------------------------


@transaction.atomic
def create(study: StandardStudy, actor: User) -> None:
    """Open a study, in its first round."""
    study.opened_on = timezone.localdate()
    study.save()
    record(Event.Action.STUDY_OPENED, actor, study)


@transaction.atomic
def appoint(study: StandardStudy, user: User, profession: str, actor: User) -> Judge:
    """Give somebody a seat in the panel. StudyError once the first round is over."""
    locked = _lock(study)
    if locked.state != State.FIRST:
        raise StudyError(_("Judges are appointed in the first round: each estimates in both."))
    judge, made = Judge.objects.get_or_create(
        study=study, user=user, defaults={"profession": profession}
    )
    if made:
        record(Event.Action.JUDGE_APPOINTED, actor, f"{study} · {user.get_username()}", study)
    return judge


@transaction.atomic
def move(study: StandardStudy, state: str, actor: User) -> None:
    """Take a study on. StudyError where it does not lead there, or has no one to go on with."""
    locked = _lock(study)
    if state not in MOVES.get(locked.state, ()):
        raise StudyError(_("The study is no longer where this page showed it."))
    if state != State.ABANDONED:
        number = 2 if locked.state == State.SECOND else 1
        if len(finished(study, number).estimates) < 2:
            raise StudyError(_("Fewer than two judges have finished this round."))
    locked.state = state
    if state in (State.CLOSED, State.ABANDONED):
        locked.closed_on = timezone.localdate()
    locked.save(update_fields=["state", "closed_on"])
    study.state, study.closed_on = locked.state, locked.closed_on
    record(Event.Action.STUDY_MOVED, actor, f"{study} · {locked.get_state_display()}", study)


@transaction.atomic
def note(study: StandardStudy, notes: str, actor: User) -> None:
    """Keep what was said in the discussion. StudyError before it and after the second round."""
    if _lock(study).state not in (State.DISCUSSION, State.SECOND):
        raise StudyError(_("The discussion is noted after the first round, before the study ends."))
    study.notes = notes
    study.save(update_fields=["notes"])
    record(Event.Action.STUDY_NOTED, actor, study)


@transaction.atomic
def enter_scores(study: StandardStudy, scores: Sequence[tuple[float, int]], actor: User) -> None:
    """Keep the scores of a trial, for Hofstee's check. StudyError once cuts are adopted."""
    if _lock(study).state in (State.ADOPTED, State.ABANDONED):
        raise StudyError(_("This study is over."))
    study.scores = [list(each) for each in scores]
    study.save(update_fields=["scores"])
    record(Event.Action.STUDY_NOTED, actor, study)


@transaction.atomic
def practised(judge: Judge) -> None:
    """The judge has estimated the practice situation."""
    if Judge.objects.filter(pk=judge.pk, practised=False).update(practised=True):
        _judged(judge, _("practice"))


@transaction.atomic
def think(judge: Judge, scenario: str) -> None:
    """The judge has answered a scenario alone, and may see its key. The answer is not kept."""
    if _lock(judge.study).state == State.FIRST:
        _estimate, is_new = Estimate.objects.get_or_create(judge=judge, round=1, scenario=scenario)
        if is_new:
            _judged(judge, _("key of %(scenario)s shown") % {"scenario": scenario})


@transaction.atomic
def estimate(judge: Judge, number: int, scenario: str, operational: int, expert: int) -> None:
    """Keep an estimate, in place of that judge's earlier one in the round.

    StudyError where the round is not open: nothing is taken in after it is closed.
    """
    if ROUNDS.get(_lock(judge.study).state) != number:
        raise StudyError(_("This round is closed: the estimate was not kept."))
    Estimate.objects.update_or_create(
        judge=judge,
        round=number,
        scenario=scenario,
        defaults={"operational": operational, "expert": expert},
    )
    _judged(
        judge,
        _("estimate of %(scenario)s, round %(number)d") % {"scenario": scenario, "number": number},
    )


@transaction.atomic
def accept(judge: Judge, answers: Mapping[Level, Acceptable]) -> None:
    """Keep a judge's answers to Hofstee's questions. StudyError once the study is closed."""
    if _lock(judge.study).state not in (State.FIRST, State.DISCUSSION, State.SECOND):
        raise StudyError(_("This study is over."))
    judge.acceptable = {
        level: [each.lowest_cut, each.highest_cut, each.lowest_share, each.highest_share]
        for level, each in answers.items()
    }
    judge.save(update_fields=["acceptable"])
    _judged(judge, _("what would be acceptable"))


def _judged(judge: Judge, what: str) -> None:
    """That a judge has given something, never what."""
    record(Event.Action.JUDGED, judge.user, f"{judge.study} · {what}", judge.study)


@transaction.atomic
def adopt(study: StandardStudy, number: str, actor: User) -> InstrumentVersion:
    """Publish the version judged again, with the panel's cuts and that version number.

    StudyError, or instruments.PublicationError, where it cannot be.
    """
    locked = _lock(study)
    findings = Findings(locked)
    if locked.state != State.CLOSED or not findings.enough:
        raise StudyError(
            _("Cut scores are adopted from a closed study in which at least %(n)d judges finished.")
            % {"n": PANEL_JUDGES}
        )
    operational, expert = findings.outcomes
    if not operational.cut < expert.cut:
        raise StudyError(_("The two cut scores are not apart: nothing can be adopted."))
    judged = instrument_judged(study)
    made = msgspec.structs.replace(judged, version=number, cuts=_cuts(findings))
    if broken := check(made):
        raise StudyError(" ".join(finding.render(translation.gettext) for finding in broken))
    if InstrumentVersion.objects.filter(code=judged.code, version=number).exists():
        raise StudyError(
            _("%(version)s is already published: give this one another number.")
            % {"version": f"{judged.code} {number}"}
        )
    version, _new = publish(made, actor)
    study.state, study.adopted = State.ADOPTED, version
    study.save(update_fields=["state", "adopted"])
    record(Event.Action.STUDY_ADOPTED, actor, f"{study} · {version}", study)
    return version


def _cuts(findings: Findings) -> Cuts:
    operational, expert = findings.outcomes
    study = findings.study
    return Cuts(
        operational=float(operational.cut),
        expert=float(expert.cut),
        provisional=False,
        basis=basis(findings),
        panel=Panel(
            judges=len(findings.judges),
            set_on=_set_on(study),
            version=study.version.version,
            form=study.form,
            operational_error=half_up(operational.error, 1),
            expert_error=half_up(expert.error, 1),
        ),
    )


def basis(findings: Findings) -> Text:
    """Where the cuts come from, as printed with the results, in the instrument's languages."""
    instrument = instrument_judged(findings.study)
    found: Text = {}
    for language in dict.fromkeys(("fr", *instrument.languages)):
        with translation.override(language):
            found[language] = _basis(findings)
    return found


def _basis(findings: Findings) -> str:
    study = findings.study
    operational, expert = findings.outcomes
    named = dict(professions(study))
    panel = ", ".join(
        _("%(profession)s (%(n)d)") % {"profession": named.get(code, code), "n": n}
        for code, n in sorted(findings.professions.items(), key=lambda one: (-one[1], one[0]))
        if code
    )
    said = [
        _(
            "Cut scores set by a panel of %(n)d professionals, in a study closed on %(day)s, by "
            "the modified Angoff method: situation by situation, in two rounds with a discussion "
            "between them, on version %(version)s, form %(form)s."
        )
        % {
            "n": len(findings.judges),
            "day": day(_set_on(study)),
            "version": study.version.version,
            "form": form_label(study.form),
        },
        _("Professions of the panel: %(professions)s.") % {"professions": panel} if panel else "",
        _(
            "The first cut is %(operational)d and the second %(expert)d, with standard errors of "
            "%(first)s and %(second)s points: another panel might well place them that much "
            "higher or lower."
        )
        % {
            "operational": operational.cut,
            "expert": expert.cut,
            "first": decimal(operational.error),
            "second": decimal(expert.error),
        },
    ]
    return " ".join(filter(None, said))


def _set_on(study: StandardStudy) -> date:
    return study.closed_on or timezone.localdate()


# --- Evidence ------------------------------------------------------------------------------------

EVIDENCE = (
    "judge",
    "measure",
    "round",
    "scenario",
    "domain",
    "chance",
    "operational",
    "expert",
)
ACCEPTABLE = ("lowest cut", "highest cut", "lowest share below", "highest share below")


@transaction.atomic
def evidence(study: StandardStudy, actor: User) -> str:
    """Every estimate that counts as CSV, one a line, judges by pseudonym; then Hofstee's answers.

    Professions are left out: in a small panel they are names. So are judges who did not finish:
    those who run the study see who they are, and how many estimates each gave.
    """
    findings = Findings(study)
    instrument = instrument_judged(study)
    items = scenarios(study)
    domain = {item.code: instrument.domain_of(item.sub_competency) for item in items}
    chance = {item.code: f"{chance_of(item):.2f}" for item in items}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(EVIDENCE)
    judges = study.judges.in_bulk(findings.judges)
    for key in sorted(judges, key=pseudonym):
        who = pseudonym(key)
        for number in (1, 2):
            kept = estimates(judges[key], number)
            for item in items:
                one = kept.get(item.code)
                if one is not None and one.operational is not None:
                    writer.writerow(
                        (
                            who,
                            "estimate",
                            number,
                            item.code,
                            domain[item.code],
                            chance[item.code],
                            one.operational,
                            one.expert,
                        )
                    )
        if answers := judges[key].acceptable:
            for at, name in enumerate(ACCEPTABLE):
                writer.writerow(
                    (who, name, "", "", "", "", *(answers[level][at] for level in LEVELS))
                )
    record(Event.Action.STUDY_EXPORTED, actor, study)
    return out.getvalue()


def _lock(study: StandardStudy) -> StandardStudy:
    """The study as it is, kept so until the transaction ends: a round closes for everybody."""
    every = StandardStudy.objects.select_related("version").defer("version__document")
    return every.select_for_update(of=("self",)).get(pk=study.pk)
