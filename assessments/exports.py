"""What leaves: a person's own data, and the form that they answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from django.utils.translation import gettext as _

from . import fhir
from .models import InstrumentVersion, Sitting
from .questionnaire import Questionnaire
from .reports import Comparison
from .scoring.scores import OVERALL
from .sittings import (
    deeds_of,
    levels_when_finished,
    plans_of,
    profile_of,
    questionnaire_of,
    sheet_of,
)


def own_data(
    sitting: Sitting, mine: Sequence[Sitting] = (), comparison: Comparison | None = None
) -> dict[str, object]:
    """All that is kept of a sitting, with the scores computed from it; JSON values only, each
    explained in the active language.

    ``mine`` are the sittings of the same person, in their order: of the others, the days.
    ``comparison`` is what the report says has changed since one of them.
    """
    sheet = sheet_of(sitting)
    profile = profile_of(sitting)
    asked = questionnaire_of(sitting)
    return {
        "explanations": _explanations(),
        "instrument": asked.instrument.code,
        "version": asked.instrument.version,
        "digest": sitting.version.digest,
        "form": sitting.form,
        "language": sitting.language,
        "opened_on": sitting.opened_on.isoformat(),
        "finished_on": sitting.finished_on and sitting.finished_on.isoformat(),
        "saves": sitting.revision,
        "group": sitting.phase and sitting.phase.cohort.name,
        "phase": sitting.phase and sitting.phase.kind,
        "released": sitting.released,
        "late": sitting.late,
        "context": {code: list(values) for code, values in sheet.context.items()},
        "self_ratings": dict(sheet.self_ratings),
        "answers": {
            code: {"option": answer.option, "confidence": answer.confidence}
            for code, answer in sheet.answers.items()
        },
        "scores": {
            score.code: {
                "score": score.score,
                "interval": score.interval
                and {"lower": score.interval.lower, "upper": score.interval.upper},
                "sem": score.sem,
                "sem_source": score.sem_source,
                "chance": score.chance,
                "self_rating": score.self_rating,
            }
            for score in (*profile.domains, profile.overall)
        },
        "intervals_rest_on": profile.version_calibration
        and {
            "people_at_least": profile.version_calibration.n,
            "calibrated_on": profile.version_calibration.date.isoformat(),
        },
        "levels": {domain.code: domain.level and domain.level.code for domain in profile.domains},
        "levels_when_finished": levels_when_finished(sitting),
        "calibration": {
            "n": profile.calibration.n,
            "bias": profile.calibration.bias,
            "bias_se": profile.calibration.bias_se,
            "brier": profile.calibration.brier,
        },
        "next_steps": [asdict(plan) for plan in plans_of(sitting)],
        "deeds": {step: str(deed) for step, deed in deeds_of(sitting).items()},
        "change": comparison and _change(comparison),
        "other_questionnaires": [
            {
                "opened_on": other.opened_on.isoformat(),
                "finished_on": other.finished_on and other.finished_on.isoformat(),
            }
            for other in mine
            if other.pk != sitting.pk
        ],
    }


def _explanations() -> dict[str, str]:
    """What each key of :func:`own_data` says, and what is kept and not given."""
    return {
        "instrument": _(
            "Name of the questionnaire. Its questions, with the code of each and of "
            "each option, can be downloaded from the Method page."
        ),
        "version": _("Version of the questionnaire that you answered."),
        "digest": _("SHA-256 of that version: it proves which questions you were asked."),
        "form": _("Form of the questionnaire: which of its situations you were given."),
        "language": _("Language in which you last answered."),
        "opened_on": _("Day on which you started."),
        "finished_on": _("Day on which you finished; null if you have not."),
        "saves": _(
            "How many times your answers were saved: this keeps two tabs from overwriting "
            "each other."
        ),
        "group": _("Name of your group; null if you answered without one."),
        "phase": _(
            "Moment at which your group answers: before the training (before), after it "
            "(after) or some weeks later (follow-up)."
        ),
        "released": _(
            "Whether your answers were counted in published results of your group. This is "
            "done once, and your answers are not kept there."
        ),
        "late": _(
            "Whether you finished after your group had closed: your answers then count in no "
            "result of the group."
        ),
        "context": _("What you said of your work: profession, setting, tools."),
        "self_ratings": _("How you rated yourself, from 1 to 5, by competency."),
        "answers": _(
            "The option you chose in each situation (dont_know for “I don’t know”) and how "
            "sure you were."
        ),
        "scores": _(
            "Your results from 0 to 100, by domain and overall: the result (score), its "
            "interval, its standard error (sem) and where that error comes from (sem_source),"
            " what guessing earns (chance), and your self-rating on the same scale."
        ),
        "intervals_rest_on": _(
            "The calibration on which the intervals rest: at least how many people, and when;"
            " null if there is none yet."
        ),
        "levels": _(
            "The level of each domain, from 1 to 3, as computed today; 1-2 means between "
            "levels 1 and 2."
        ),
        "levels_when_finished": _(
            "The same levels as they were kept when you finished: results of a group count these."
        ),
        "calibration": _(
            "How well your confidence went with your answers: number of answers (n), mean "
            "excess of confidence from −1 to 1 (bias) and its standard error (bias_se), Brier"
            " score from 0, the best, to 1 (brier)."
        ),
        "next_steps": _("The steps you chose, in your own words."),
        "deeds": _(
            "What you said had become of the steps you chose earlier: done (done), begun "
            "(begun) or not yet (not_done)."
        ),
        "change": _(
            "What has changed since an earlier questionnaire of yours, as in your report: "
            "difference in points, reliable change index (rci), whether it is more than "
            "chance (reliable), and the difference that would have to be passed (needed). "
            "From one version of the questionnaire to another, only the situations that both "
            "ask alike count: how many they are (situations)."
        ),
        "other_questionnaires": _(
            "The other questionnaires that your code opens. To download one, open it first."
        ),
        "not_given": _(
            "Two technical values are kept and not given here: a random number by which your "
            "answers are stored, and a keyed hash of your resume code. They say nothing of "
            "you, and you need neither."
        ),
    }


def own_answers_in_fhir(sitting: Sitting, release: fhir.Release, language: str) -> fhir.Resource:
    """A person's answers and nothing else: no name, code, group, score or step."""
    return fhir.response(
        questionnaire_of(sitting),
        sheet_of(sitting),
        release,
        language,
        opened_on=sitting.opened_on,
        finished_on=sitting.finished_on,
    )


def form_in_fhir(
    version: InstrumentVersion, asked: Questionnaire, release: fhir.Release, language: str
) -> fhir.Resource:
    """A form of a published version, without its key."""
    return fhir.questionnaire(
        asked,
        release,
        language,
        status="retired" if version.retired_on else "active",
        published_on=version.published_on,
    )


def _change(comparison: Comparison) -> dict[str, object]:
    """What the report says has changed, in figures."""
    earlier = comparison.earlier
    return {
        "compared_with": {
            "finished_on": earlier.finished_on.isoformat(),
            "version": comparison.versions[0] if comparison.versions else None,
            "form": earlier.form,
            "phase": earlier.moment or None,
        },
        "scores": {
            shift.domain.code if shift.domain else OVERALL: shift.change
            and {
                "difference": shift.change.difference,
                "rci": shift.change.rci,
                "reliable": shift.change.reliable,
                "needed": shift.change.needed,
                "situations": shift.common,
            }
            for shift in comparison.shifts
        },
    }
