"""What leaves: a person's own data, and the form that they answered."""

from __future__ import annotations

from collections.abc import Sequence

from . import fhir
from .models import InstrumentVersion, Sitting
from .questionnaire import Questionnaire
from .scoring.change import changes
from .sittings import (
    deeds_of,
    finished_before,
    plans_of,
    profile_of,
    questionnaire_of,
    sheet_of,
)


def own_data(sitting: Sitting, mine: Sequence[Sitting] = ()) -> dict[str, object]:
    """All that is kept of a sitting, with the scores computed from it; JSON values only.

    ``mine`` are the sittings of the same person, in their order: of the others, the days.
    """
    sheet = sheet_of(sitting)
    profile = profile_of(sitting)
    asked = questionnaire_of(sitting)
    return {
        "instrument": asked.instrument.code,
        "version": asked.instrument.version,
        "digest": sitting.version.digest,
        "form": sitting.form,
        "language": sitting.language,
        "opened_on": sitting.opened_on.isoformat(),
        "finished_on": sitting.finished_on and sitting.finished_on.isoformat(),
        "group": sitting.phase and sitting.phase.cohort.name,
        "phase": sitting.phase and sitting.phase.kind,
        "released": sitting.released,
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
        "calibration": {
            "n": profile.calibration.n,
            "bias": profile.calibration.bias,
            "bias_se": profile.calibration.bias_se,
            "brier": profile.calibration.brier,
        },
        "next_steps": [
            {
                "step": plan.step,
                "when": plan.when,
                "will": plan.will,
                "together_with": plan.together_with,
                "before": plan.before,
            }
            for plan in plans_of(sitting)
        ],
        "deeds": {step: str(deed) for step, deed in deeds_of(sitting).items()},
        "change": _change(sitting, finished_before(sitting, mine)),
        "other_questionnaires": [
            {
                "opened_on": other.opened_on.isoformat(),
                "finished_on": other.finished_on and other.finished_on.isoformat(),
            }
            for other in mine
            if other.pk != sitting.pk
        ],
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


def _change(sitting: Sitting, earlier: Sitting | None) -> dict[str, object] | None:
    """The difference with an earlier sitting; None without one of the same version."""
    if sitting.finished_on is None or earlier is None or earlier.version_id != sitting.version_id:
        return None
    assert earlier.finished_on is not None
    return {
        "compared_with": {
            "finished_on": earlier.finished_on.isoformat(),
            "form": earlier.form,
            "phase": earlier.phase and earlier.phase.kind,
        },
        "scores": {
            code: each
            and {
                "difference": each.difference,
                "rci": each.rci,
                "reliable": each.reliable,
                "needed": each.needed,
            }
            for code, each in changes(profile_of(earlier), profile_of(sitting)).items()
        },
    }
