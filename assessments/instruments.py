"""Publishing instruments and their calibrations, and finding what is served."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from .cohort import quality
from .cohort.quality import Quality
from .instrument import writing
from .instrument.document import Instrument, decode, digest, encode
from .instrument.rules import check
from .journal import record
from .lookups import First
from .models import Calibration, Event, InstrumentDraft, InstrumentVersion, Phase
from .questionnaire import Questionnaire
from .scoring.scores import VersionCalibration


class PublicationError(Exception):
    """The instrument cannot be published; the message says why, in the reader's language."""


@transaction.atomic
def publish(instrument: Instrument, actor: User | None = None) -> tuple[InstrumentVersion, bool]:
    """The published version of an instrument, and whether it is new.

    Publishing the same document again changes nothing. Another document under a code and
    version already published is refused: what people answered does not change afterwards.
    """
    key = digest(instrument)
    known = InstrumentVersion.objects.filter(
        code=instrument.code, version=instrument.version
    ).first()
    if known is not None:
        if known.digest != key:
            raise PublicationError(
                _(
                    "%(code)s %(version)s is already published with different content, and a "
                    "published version never changes: give this one a new version number."
                )
                % {"code": instrument.code, "version": instrument.version}
            )
        return known, False
    try:
        with transaction.atomic():
            version = InstrumentVersion.objects.create(
                code=instrument.code,
                version=instrument.version,
                document=encode(instrument),
                digest=key,
                published_on=timezone.localdate(),
            )
    except IntegrityError:  # somebody has published it since we looked
        return publish(instrument, actor)
    record(Event.Action.PUBLISHED, actor, version)
    return version, True


class AlreadyPublished(Exception):
    """What was uploaded is published already; ``version`` is that."""

    def __init__(self, version: InstrumentVersion) -> None:
        super().__init__(str(version))
        self.version = version


@transaction.atomic
def keep_draft(instrument: Instrument, actor: User) -> tuple[InstrumentDraft, bool]:
    """The draft of an instrument, and whether it is new. Raises :class:`AlreadyPublished`."""
    key = digest(instrument)
    published = InstrumentVersion.objects.defer("document").filter(digest=key).first()
    if published is not None:
        raise AlreadyPublished(published)
    draft, is_new = InstrumentDraft.objects.get_or_create(
        digest=key,
        defaults={
            "code": instrument.code,
            "version": instrument.version,
            "document": encode(instrument),
            "uploaded_by": actor,
        },
    )
    if is_new:
        record(Event.Action.UPLOADED, actor, draft)
    return draft, is_new


def instrument_of_draft(draft: InstrumentDraft) -> Instrument:
    return decode(bytes(draft.document))


@transaction.atomic
def publish_draft(draft: InstrumentDraft, actor: User) -> InstrumentVersion:
    """Publish a draft, which is one no more. Raises :class:`PublicationError`, and
    :class:`NoDraft`.

    It is checked again: rules may have been added since it was uploaded.
    """
    instrument = instrument_of_draft(_waiting(draft))
    if check(instrument):
        raise PublicationError(
            _("Rules were added since this draft was uploaded: upload it again to see which.")
        )
    version, _is_new = publish(instrument, actor)
    draft.delete()
    return version


@transaction.atomic
def discard(draft: InstrumentDraft, actor: User) -> None:
    """Take a draft away. Raises :class:`NoDraft`."""
    _waiting(draft)
    record(Event.Action.DISCARDED, actor, draft)
    draft.delete()


class NoDraft(Exception):
    """The draft has been published or discarded in the meantime."""


def _waiting(draft: InstrumentDraft) -> InstrumentDraft:
    """The draft as it waits, kept so until the transaction ends: one thing becomes of it."""
    try:
        return InstrumentDraft.objects.select_for_update().get(pk=draft.pk)
    except InstrumentDraft.DoesNotExist:
        raise NoDraft from None


@transaction.atomic
def retire(version: InstrumentVersion, actor: User) -> bool:
    """Let no new phase and no new sitting outside a group take a version; whether that changes
    anything. Who has begun goes on, and phases that have opened keep it."""
    in_service = InstrumentVersion.objects.filter(pk=version.pk, retired_on=None)
    retired = bool(in_service.update(retired_on=timezone.localdate()))
    if retired:
        record(Event.Action.RETIRED, actor, version)
    return retired


def current() -> InstrumentVersion | None:
    """The version that a new sitting or a new phase uses: the last published, not retired."""
    return _current()


_current = First(
    InstrumentVersion.objects.defer("document")
    .filter(retired_on=None)
    .order_by("-published_on", "-pk")
)


def breakdowns(version: InstrumentVersion | None) -> set[str]:
    """The breakdowns that a version allows: it asks their question, which takes one answer."""
    asked = instrument_of(version.digest).context if version else ()
    return {
        question.code
        for question in asked
        if question.code in Phase.Breakdown.values and not question.multiple
    }


@lru_cache(maxsize=16)
def instrument_of(digest: str) -> Instrument:
    """The instrument with that digest, kept in memory: a published document never changes."""
    document = InstrumentVersion.objects.values_list("document", flat=True).get(digest=digest)
    return decode(bytes(document))


@lru_cache(maxsize=4)
def archive_of(digest: str) -> bytes:
    """The instrument with that digest as a ZIP archive of its YAML files."""
    return writing.archive(instrument_of(digest))


@lru_cache(maxsize=128)
def questionnaire(digest: str, form: str, profession: str = "") -> Questionnaire:
    """A form of the instrument with that digest, in the words meant for a profession: that of
    everybody where it has none of its own, so that what is kept of its pages is one."""
    asked = Questionnaire(instrument_of(digest), form, profession)
    usual = questionnaire(digest, form) if profession else asked
    return usual if asked.instrument is usual.instrument else asked


class AlreadyCalibrated(Exception):
    """The form has been calibrated on that day."""


def keep_calibration(
    version: InstrumentVersion, found: Quality, actor: User | None = None
) -> Calibration:
    """Publish a calibration of a form of a version. From then on, the reports of everybody who
    has answered that form rest on it; the levels that groups are told of stay as they were when
    each person finished."""
    if found.digest != version.digest:
        raise ValueError("a calibration of another document")
    document = quality.encode(found)
    try:
        with transaction.atomic():
            made = Calibration.objects.create(
                version=version,
                form=found.form,
                n=found.n,
                made_on=found.made_on,
                document=document,
                digest=quality.sealed(document),
            )
            record(
                Event.Action.CALIBRATED, actor, f"{version} · {found.form} · n ≥ {found.n}", version
            )
    except IntegrityError:
        raise AlreadyCalibrated from None
    return made


def last_calibration(version: InstrumentVersion, form: str) -> QuerySet[Calibration]:
    """The last calibration of a form, or of an edition of it, alone in a query."""
    return Calibration.objects.filter(version=version, form=form).order_by("-made_on", "-pk")[:1]


@lru_cache(maxsize=32)
def quality_of(digest: str) -> Quality:
    """The calibration with that digest, kept in memory: it never changes."""
    document = Calibration.objects.values_list("document", flat=True).get(digest=digest)
    return quality.decode(bytes(document))


@lru_cache(maxsize=128)
def version_calibration(digest: str) -> VersionCalibration:
    """What intervals rest on by the calibration with that digest."""
    return quality_of(digest).version_calibration()


def calibrations_of(version: InstrumentVersion) -> dict[str, list[Calibration]]:
    """The calibrations of each form and edition of a version, the last one first, without their
    documents."""
    found: dict[str, list[Calibration]] = {form: [] for form in instrument_of(version.digest).forms}
    for each in version.calibrations.defer("document").order_by("form", "-made_on", "-pk"):
        found.setdefault(each.form, []).append(each)
    return found


def current_calibration(version: InstrumentVersion, form: str) -> VersionCalibration | None:
    """What the intervals of a form rest on today; None before there is any."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_DIGEST, [version.pk, form])
        found = cursor.fetchone()
    return version_calibration(found[0]) if found else None


# As :func:`last_calibration` would ask, which each page of results would have Django write anew.
_LAST_DIGEST = (
    f"SELECT digest FROM {Calibration._meta.db_table} WHERE version_id = %s AND form = %s"
    " ORDER BY made_on DESC, id DESC LIMIT 1"
)


def default_form(
    version: InstrumentVersion, kind: str = Phase.Kind.BEFORE, day: date | None = None
) -> str:
    """The form a phase serves: the first, the next one after the training, then the first again.

    In its edition of the day it opens (today, unless told): what is past its review by then
    gives its place to the reserve.
    """
    instrument = instrument_of(version.digest)
    forms = instrument.forms
    form = forms[1 if kind == Phase.Kind.AFTER and len(forms) > 1 else 0]
    return instrument.edition(form, day or timezone.localdate())
