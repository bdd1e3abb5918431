"""Calibrating a form on the real people who have answered it.

It reads sittings, for ``manage.py calibrate`` alone: the admin, behind its wall, reads the
:class:`~assessments.models.Calibration` that comes of it, all rounded (:mod:`.cohort.quality`).

Whose sittings count: real people's (no simulated cohort's), finished, with every scenario answered
("I don't know" is an answer; of what is missing nothing can be supposed), and each person once as
far as can be known, before they had read the explanations of the same form: no follow-up; and on
the form that is served first, nobody after a training or who says they have answered before.

Two calibrations of a form, one person apart, would tell that person's answers. A form is therefore
calibrated again only when at least 100 people, and a fifth of those of the last time, have
finished since. That holds for a dry run too; it is not kept, so it does not hold against who runs
the server, against whom nothing here does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Q
from django.utils import timezone

from .cohort.psychometrics import N_MIN, Bytes
from .cohort.quality import Quality, complete, needed_since, quality
from .cohort.simulation import AGAIN, PROFESSION, REPEAT
from .instrument.document import Instrument, by_code, form_and_day
from .instruments import instrument_of, last_calibration, questionnaire
from .models import Calibration, InstrumentVersion, Phase, Sitting

LANGUAGE = "language"


class TooFew(Exception):
    """Fewer people have answered the form than a calibration takes."""


class TooSoon(Exception):
    """Too few people have finished since the last calibration; ``needed`` are."""

    def __init__(self, last: Calibration, needed: int) -> None:
        super().__init__(f"fewer than {needed} since {last.made_on}")
        self.last, self.needed = last, needed


@dataclass(frozen=True, slots=True)
class Gathered:
    """The people that a calibration of a form is of, a row each."""

    sheets: Bytes
    """``[n, size]``, packed, complete."""
    languages: tuple[str, ...]
    finished: tuple[date, ...]
    incomplete: int
    """Finished sittings left out because a scenario is not answered."""
    repeated: int
    """Left out because the person had answered this form before."""


def forms(version: InstrumentVersion) -> list[str]:
    """The forms and editions of a version that real people have finished, in order."""
    return sorted(_finished(version).values_list("form", flat=True).distinct().order_by())


def _finished(version: InstrumentVersion):
    return Sitting.objects.filter(version=version, finished_on__isnull=False).exclude(
        phase__cohort__simulated=True
    )


def gather(version: InstrumentVersion, form: str) -> Gathered:
    """Who counts for the calibration of a form."""
    instrument = instrument_of(version.digest)
    asked = questionnaire(version.digest, form)
    answered = _finished(version).filter(form=form)
    new = answered.exclude(phase__kind=Phase.Kind.FOLLOW_UP)
    is_first = form_and_day(form)[0] == instrument.forms[0]
    if is_first:
        new = new.filter(Q(phase=None) | ~Q(phase__kind=Phase.Kind.AFTER))
    rows = list(new.values_list("answers", "language", "finished_on").iterator())
    packed = np.frombuffer(b"".join(bytes(row[0]) for row in rows), dtype=np.uint8)
    sheets = packed.reshape(len(rows), asked.layout.size)
    first = np.ones(len(rows), dtype=bool)
    if is_first and REPEAT in by_code(instrument.context):
        first = sheets[:, asked.layout.offset("context", REPEAT)] != _byte(instrument)
    whole = complete(instrument, form, sheets)
    kept = np.flatnonzero(first & whole)
    return Gathered(
        sheets=sheets[kept],
        languages=tuple(rows[place][1] for place in kept),
        finished=tuple(rows[place][2] for place in kept),
        incomplete=int((first & ~whole).sum()),
        repeated=answered.count() - int(first.sum()),
    )


def _byte(instrument: Instrument) -> int:
    """How a sheet says "not for the first time"; no sheet's where the instrument cannot."""
    codes = [option.code for option in by_code(instrument.context)[REPEAT].options]
    return codes.index(AGAIN) + 1 if AGAIN in codes else 255


def measure(version: InstrumentVersion, form: str, gathered: Gathered) -> Quality:
    """The calibration of a form. Raises :class:`TooFew`, :class:`TooSoon` and
    :class:`~assessments.cohort.quality.Unsound`."""
    if len(gathered.sheets) < N_MIN:
        raise TooFew
    last = last_calibration(version, form).first()
    if last is not None:
        since = sum(day > last.made_on for day in gathered.finished)
        if since < (needed := needed_since(last.n)):
            raise TooSoon(last, needed)
    return quality(
        instrument_of(version.digest),
        form,
        gathered.sheets,
        {LANGUAGE: gathered.languages, **_professions(version, form, gathered.sheets)},
        timezone.localdate(),
    )


def _professions(
    version: InstrumentVersion, form: str, sheets: Bytes
) -> dict[str, tuple[str, ...]]:
    asked = questionnaire(version.digest, form)
    question = by_code(instrument_of(version.digest).context).get(PROFESSION)
    if question is None or question.multiple:
        return {}
    names = np.array(["", *(option.code for option in question.options)])
    return {PROFESSION: tuple(names[sheets[:, asked.layout.offset("context", PROFESSION)]])}
