"""What is kept. Only ``instruments``, ``standards``, ``cohorts``, ``sittings``, ``releases``,
``journal``, ``limits``, ``tombstones``, ``upkeep``, ``accounts`` and ``staff`` write here.

A sitting belongs to the person who holds its resume code and to nobody else: it has no
admin, and trainers read releases. Dates are kept to the day; keys of sittings are random.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from . import codes

REFUSED = "Readiness refuses:"
"""How an error of the database begins that one of its triggers has raised (:mod:`.frozen`)."""


@contextmanager
def refused_as_denied() -> Iterator[None]:
    """What the database refuses is told as the models tell it; the transaction may go on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if REFUSED in str(error):
            raise PermissionDenied(str(error).splitlines()[0]) from error
        raise


class FrozenQuerySet(models.QuerySet):
    """Of rows that triggers guard: what they refuse is PermissionDenied here too."""

    def update(self, **values: object) -> int:
        with refused_as_denied():
            return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        with refused_as_denied():
            return super().delete()


class InstrumentVersion(models.Model):
    """A published document. It never changes, for sittings and releases stand on it, but that it
    is retired, once."""

    code = models.CharField(_("instrument"), max_length=40)
    version = models.CharField(_("version"), max_length=20)
    document = models.BinaryField(_("document"))
    digest = models.CharField(_("SHA-256"), max_length=64, unique=True)
    published_on = models.DateField(_("published on"))
    retired_on = models.DateField(_("retired on"), null=True, blank=True)

    objects = FrozenQuerySet.as_manager()

    class Meta:
        verbose_name = _("instrument version")
        verbose_name_plural = _("instrument versions")
        ordering = ("-published_on", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("code", "version"), name="one_document_a_version"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.version}"

    def save(self, *args: object, **kwargs: object) -> None:
        if not self._state.adding:
            stored = InstrumentVersion.objects.get(pk=self.pk)
            fixed = [field.attname for field in self._meta.concrete_fields]
            if stored.retired_on is None:
                fixed.remove("retired_on")
            if any(_plain(getattr(self, name)) != _plain(getattr(stored, name)) for name in fixed):
                raise PermissionDenied(f"{self._meta.verbose_name} is never changed.")
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise PermissionDenied(f"{self._meta.verbose_name} is never deleted.")


def _plain(value: object) -> object:
    """A value as it compares: PostgreSQL gives bytes back in a view of them."""
    return bytes(value) if isinstance(value, memoryview) else value


class InstrumentDraft(models.Model):
    """A document that may be published: it keeps every rule, and nobody is asked it yet."""

    code = models.CharField(_("instrument"), max_length=40)
    version = models.CharField(_("version"), max_length=20)
    document = models.BinaryField()
    digest = models.CharField(_("SHA-256"), max_length=64, unique=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("uploaded by"), related_name="+"
    )
    uploaded_at = models.DateTimeField(_("uploaded on"), auto_now_add=True)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        ordering = ("-uploaded_at", "-pk")

    def __str__(self) -> str:
        return f"{self.code} {self.version}"


def new_access_code() -> str:
    return codes.new_code(codes.ACCESS_LENGTH)


class Cohort(models.Model):
    """A trainer's group."""

    name = models.CharField(_("name"), max_length=120)
    code = models.CharField(
        _("access code"),
        max_length=codes.ACCESS_LENGTH,
        unique=True,
        default=new_access_code,
        editable=False,
    )
    trainers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("trainers"), related_name="cohorts"
    )
    created_on = models.DateField(_("created on"), editable=False)
    simulated = models.BooleanField(_("simulated"), default=False, editable=False)
    """Answered by simulated people: said wherever it is shown, and compared with no real group."""

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")
        ordering = ("-created_on", "name")

    def __str__(self) -> str:
        return self.name


class Phase(models.Model):
    """A moment at which a cohort answers: before the training, after it, at follow-up."""

    class Kind(models.TextChoices):
        BEFORE = "before", _("before the training")
        AFTER = "after", _("after the training")
        FOLLOW_UP = "follow-up", pgettext_lazy("phase", "follow-up, weeks later")

    class Breakdown(models.TextChoices):
        """Context questions by whose answers a group may be divided; each takes one answer."""

        PROFESSION = "profession", _("by profession")
        SETTING = "setting", _("by place of work")

    cohort = models.ForeignKey(
        Cohort, models.PROTECT, verbose_name=_("cohort"), related_name="phases"
    )
    kind = models.CharField(_("moment"), max_length=10, choices=Kind)
    opens_on = models.DateField(_("opens on"))
    closes_on = models.DateField(
        _("last day"),
        null=True,
        blank=True,
        help_text=_(
            "Shown to the participants. Nobody new can join after that day; closing the phase "
            "and reading its results remains your decision."
        ),
    )
    rolling = models.BooleanField(
        _("long-running"),
        default=False,
        help_text=_(
            "For an intake that goes on for months: results appear in blocks, each time twice "
            "the minimum number of people have finished, and show levels and needs only, not "
            "situations one by one. It cannot be changed once the phase has opened."
        ),
    )
    breakdown = models.CharField(
        _("breakdown"),
        max_length=10,
        choices=Breakdown,
        blank=True,
        help_text=_(
            "Shown only if every class that has answered, those who did not say included, has "
            "enough people; otherwise the group is shown as a whole. Situations are then shown "
            "one by one only if each class has twice as many. It cannot be changed once the "
            "phase has opened, and a long-running phase has none."
        ),
    )
    version = models.ForeignKey(
        InstrumentVersion, models.PROTECT, verbose_name=_("instrument version"), related_name="+"
    )
    form = models.CharField(_("form"), max_length=60)
    paused = models.BooleanField(_("joining paused"), default=False, editable=False)
    closed_on = models.DateField(_("closed on"), null=True, editable=False)
    settled_on = models.DateField(null=True, editable=False)
    """The day on which what a closed phase publishes was settled: a release, or nothing."""

    class Meta:
        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        ordering = ("opens_on", "pk")
        constraints = (
            models.UniqueConstraint(fields=("cohort", "kind"), name="one_phase_of_a_kind"),
        )

    def __str__(self) -> str:
        return f"{self.cohort} · {self.get_kind_display()}"


class DailyCount(models.Model):
    """About how many have started and finished, as of a day: steps of five, looked up once
    (disclosure rule 8)."""

    phase = models.ForeignKey(Phase, models.PROTECT, related_name="daily_counts")
    day = models.DateField()
    started_at_least = models.PositiveIntegerField()
    finished_at_least = models.PositiveIntegerField()

    class Meta:
        ordering = ("day",)
        constraints = (models.UniqueConstraint(fields=("phase", "day"), name="counted_once_a_day"),)

    def __str__(self) -> str:
        return f"{self.phase} · {self.day:%Y-%m-%d}"


KEYS = 2**62
"""Keys of sittings are drawn evenly from 1 to this."""


def random_key() -> int:
    """A key that tells nothing of the order in which people came."""
    return secrets.randbelow(KEYS) + 1


class Sitting(models.Model):
    """One person's run: the answers as one compact column, and what was scored from them."""

    id = models.BigAutoField(primary_key=True, default=random_key)
    version = models.ForeignKey(InstrumentVersion, models.PROTECT, related_name="+")
    phase = models.ForeignKey(Phase, models.PROTECT, null=True, related_name="+")
    form = models.CharField(max_length=60)
    language = models.CharField(max_length=5)
    answers = models.BinaryField()
    """One byte a slot, in the order of the questionnaire's layout."""
    revision = models.PositiveIntegerField(default=0)
    """Counts the saves, so that no two tabs overwrite each other silently."""
    code_hash = models.BinaryField(max_length=codes.HASH_BYTES, unique=True)
    opened_on = models.DateField()
    finished_on = models.DateField(null=True)
    outcomes = models.BinaryField(null=True)
    """One byte a domain: the level outcome, taken when the sitting was finished."""
    plans = models.JSONField(null=True)
    """The next steps the person chose: a list of {step, when, will, together_with, before}."""
    deeds = models.JSONField(null=True)
    """At a follow-up, what became of the steps chosen before: a list of {step, deed}."""
    released = models.BooleanField(default=False)
    """Whether it has gone into a block, which happens once, for ever."""
    late = models.BooleanField(default=False)
    """Whether it was finished after its phase had closed: it enters no block."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(released=False)
                | models.Q(finished_on__isnull=False, late=False),
                name="released_once_finished_in_time",
            ),
        )
        indexes = (
            models.Index(
                fields=("phase", "finished_on"),
                condition=models.Q(released=False),
                name="queue_of_a_phase",
            ),
        )

    def __str__(self) -> str:
        return "sitting"  # its key belongs in no log


class Tombstone(models.Model):
    """That a sitting was erased, so that it is erased again if a backup brings it back
    (:mod:`.tombstones`). It tells neither whose it was nor of what group."""

    KEY_BYTES = 16

    key = models.BinaryField(primary_key=True, max_length=KEY_BYTES)
    """A keyed hash of the sitting's key."""
    day = models.DateField(db_index=True)

    def __str__(self) -> str:
        return "tombstone"


class Upkeep(models.Model):
    """When work that is due every day was last done, so that one sees when it no longer is."""

    name = models.CharField(primary_key=True, max_length=20)
    done_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """How often something was tried in a window of time (:mod:`.limits`)."""

    KEY_BYTES = 16

    key = models.BinaryField(primary_key=True, max_length=KEY_BYTES)
    """A keyed hash of the limit, the window and who tried."""
    count = models.PositiveIntegerField(default=0)
    until = models.BigIntegerField(db_index=True)
    """When the window ends, in seconds since 1970."""

    def __str__(self) -> str:
        return "tally"


class Frozen(models.Model):
    """A row that is written once."""

    objects = FrozenQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: object, **kwargs: object) -> None:
        if not self._state.adding:
            raise PermissionDenied(f"{self._meta.verbose_name} is never changed.")
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise PermissionDenied(f"{self._meta.verbose_name} is never deleted.")


class Release(Frozen):
    """What was published of one block of people: noised counts, once, for ever."""

    phase = models.ForeignKey(
        Phase, models.PROTECT, verbose_name=_("phase"), related_name="releases"
    )
    document = models.BinaryField()
    digest = models.CharField(_("SHA-256"), max_length=64)
    made_on = models.DateField(_("made on"))

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = ("made_on", "pk")

    def __str__(self) -> str:
        return f"{self.phase} · {self.made_on:%Y-%m-%d}"


class Calibration(Frozen):
    """What is known of a form of a version from those who have answered it: rounded figures of at
    least 200 people (:mod:`assessments.cohort.quality`), once, for ever. The last one counts."""

    version = models.ForeignKey(
        InstrumentVersion,
        models.PROTECT,
        verbose_name=_("instrument version"),
        related_name="calibrations",
    )
    form = models.CharField(_("form"), max_length=60)
    """The form, or the edition of it, exactly as sittings name it."""
    n = models.PositiveIntegerField(_("people"))
    """Rounded down to fives."""
    made_on = models.DateField(_("made on"))
    document = models.BinaryField()
    digest = models.CharField(_("SHA-256"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("calibration")
        verbose_name_plural = _("calibrations")
        ordering = ("made_on", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("version", "form", "made_on"), name="one_calibration_of_a_day"
            ),
        )

    def __str__(self) -> str:
        return f"{self.version} {self.form} · {self.made_on:%Y-%m-%d}"


class Pool(models.Model):
    """All the releases of one form at one moment, summed: what a group may be compared with.

    Sums of noised counts of whole blocks, kept so that a comparison costs the same however many
    cohorts there are. Simulated people are pooled apart.
    """

    version = models.ForeignKey(InstrumentVersion, models.PROTECT, related_name="+")
    form = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Phase.Kind)
    simulated = models.BooleanField()
    document = models.BinaryField()
    phases = models.PositiveIntegerField(default=0)
    """How many phases have a release in it, each of another cohort."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("version", "form", "kind", "simulated"), name="one_pool_of_a_kind"
            ),
        )

    def __str__(self) -> str:
        return f"{self.version} {self.form} · {self.get_kind_display()}"


class Job(models.Model):
    """Long work of a trainer's, done by the worker while its page tells how far it is."""

    class Work(models.TextChoices):
        PUBLISH = "publish", _("publication of the results")
        EXPORT = "export", _("export")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("in progress")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    phase = models.ForeignKey(Phase, models.CASCADE, related_name="jobs")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    work = models.CharField(max_length=10, choices=Work)
    export = models.CharField(max_length=20, blank=True)
    """Which export, by its name."""
    language = models.CharField(max_length=5)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField(auto_now_add=True)
    """When it last said that it goes on."""
    file = models.BinaryField(null=True)
    """What an export made; deleted with its job after a day."""

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.get_work_display()} · {self.get_state_display()}"


class StandardStudy(models.Model):
    """A panel of judges that sets the cut scores of a version, in two rounds."""

    class State(models.TextChoices):
        FIRST = "round-1", _("first round")
        DISCUSSION = "discussion", _("discussion")
        SECOND = "round-2", _("second round")
        CLOSED = "closed", _("closed")
        ADOPTED = "adopted", _("adopted")
        ABANDONED = "abandoned", _("abandoned")

    version = models.ForeignKey(
        InstrumentVersion, models.PROTECT, verbose_name=_("version judged"), related_name="studies"
    )
    form = models.CharField(_("form"), max_length=60)
    opened_on = models.DateField(_("opened on"), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.FIRST, editable=False
    )
    notes = models.TextField(_("what was said in the discussion"), blank=True, max_length=10_000)
    """Shown to all judges in the second round: arguments, never who held them."""
    scores = models.JSONField(default=list)
    """Scores of real people, of a trial held elsewhere, as an author entered them: a list of
    [score, people]. They serve Hofstee's check alone."""
    closed_on = models.DateField(_("closed on"), null=True, editable=False)
    adopted = models.ForeignKey(
        InstrumentVersion,
        models.PROTECT,
        verbose_name=_("version made"),
        null=True,
        related_name="+",
    )

    class Meta:
        verbose_name = _("standard setting")
        verbose_name_plural = _("standard settings")
        ordering = ("-opened_on", "-pk")

    def __str__(self) -> str:
        return f"{self.version} {self.form} · {date_format(self.opened_on)}"


class Judge(models.Model):
    """Somebody's seat in a panel. Estimates hang on it, and are shown with nobody's name."""

    study = models.ForeignKey(StandardStudy, models.PROTECT, related_name="judges")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    profession = models.CharField(max_length=40, blank=True)
    """A code of the context question of that name."""
    practised = models.BooleanField(default=False)
    """Whether the judge has estimated the practice situation, of which nothing is kept."""
    acceptable = models.JSONField(null=True)
    """Hofstee's questions: {"operational": [lowest cut, highest cut, lowest share below, highest
    share below], "expert": […]}."""

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("study", "user"), name="one_seat_in_a_panel"),
        )

    def __str__(self) -> str:
        return "judge"  # a name beside an estimate belongs nowhere


class Estimate(models.Model):
    """What a judge expects, in one round, of just-qualified colleagues on one scenario.

    The row of a first round is made when the judge has given a first answer of their own (which
    is not kept) and may see the key; it holds no figures until the judge has estimated.
    """

    judge = models.ForeignKey(Judge, models.PROTECT, related_name="estimates")
    round = models.PositiveSmallIntegerField(choices=((1, 1), (2, 2)))
    scenario = models.CharField(max_length=40)
    operational = models.PositiveSmallIntegerField(null=True)
    """Expected credit, 0 to 100, of colleagues who are only just operational."""
    expert = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name = _("estimate of a judge")
        verbose_name_plural = _("estimates of judges")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("judge", "round", "scenario"), name="one_estimate_a_round"
            ),
            models.CheckConstraint(
                condition=models.Q(operational=None, expert=None)
                | models.Q(
                    operational__isnull=False,
                    expert__isnull=False,
                    expert__gte=models.F("operational"),
                    expert__lte=100,
                ),
                name="expert_expects_as_much",
            ),
        )

    def __str__(self) -> str:
        return "estimate"


class Event(Frozen):
    """What staff did: an append-only journal that holds neither answers nor resume codes."""

    class Action(models.TextChoices):
        PUBLISHED = "published", _("instrument version published")
        RETIRED = "retired", _("instrument version retired")
        UPLOADED = "uploaded", _("draft of the instrument uploaded")
        DISCARDED = "discarded", _("draft of the instrument discarded")
        CALIBRATED = "calibrated", _("calibration published")
        CREATED = "created", _("cohort created")
        CHANGED = "changed", _("cohort changed")
        CLOSED = "closed", _("phase closed")
        PAUSED = "paused", _("joining paused")
        RESUMED = "resumed", _("joining resumed")
        APPOINTED = "appointed", _("trainer added")
        LEFT = "left", _("trainer removed")
        EXPORTED = "exported", _("results exported")
        RETRIED = "retried", _("failed publication or export asked for again")
        STUDY_OPENED = "study-opened", _("standard setting opened")
        JUDGE_APPOINTED = "judge-appointed", _("judge appointed")
        STUDY_MOVED = "study-moved", _("standard setting moved on")
        STUDY_NOTED = "study-noted", _("discussion of a standard setting noted")
        STUDY_EXPORTED = "study-exported", _("standard setting exported")
        STUDY_ADOPTED = "study-adopted", _("cut scores adopted")
        SIGNED_IN = "signed-in", _("signed in")
        SIGN_IN_REFUSED = "sign-in-refused", _("sign-in refused: wrong password")
        CODE_REFUSED = "code-refused", _("sign-in refused: wrong second factor")
        IDENTITY_REFUSED = "identity-refused", _("sign-in refused by another service")
        LOCKED_OUT = "locked-out", _("locked for a while after wrong tries")
        SIGNED_OUT = "signed-out", _("signed out")
        ACCOUNT_CREATED = "account-created", _("account created")
        ACCOUNT_CHANGED = "account-changed", _("account changed")
        ACCOUNT_CLOSED = "account-closed", _("account deactivated")
        ACCOUNT_REOPENED = "account-reopened", _("account activated again")
        ROLE_GIVEN = "role-given", _("role given")
        ROLE_TAKEN = "role-taken", _("role taken away")
        PASSWORD_RESET = "password-reset", _("password taken away, link for a new one made")
        PASSWORD_CHANGED = "password-changed", _("password changed")
        FACTOR_ADDED = "factor-added", _("second factor added")
        FACTOR_REMOVED = "factor-removed", _("second factor removed")
        FACTORS_RESET = "factors-reset", _("second factors taken away")
        SESSIONS_ENDED = "sessions-ended", _("sessions ended")
        IDENTITY_LINKED = "identity-linked", _("sign-in by another service linked")
        IDENTITY_UNLINKED = "identity-unlinked", _("sign-in by another service unlinked")
        JUDGED = "judged", _("step of a judge kept")
        REFUSED = "refused", _("access refused")
        JOURNAL_EXPORTED = "journal-exported", _("journal exported")
        PURGED = "purged", _("data past its retention deleted")

    at = models.DateTimeField(_("at"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("by"), null=True, related_name="+"
    )
    action = models.CharField(_("action"), max_length=20, choices=Action)
    subject = models.CharField(_("subject"), max_length=300)
    about = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)
    """Whose history it is part of: a model and a key, such as ``cohort-12``."""

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("journal")
        ordering = ("-pk",)
        # The journal is read from its end, whole or of one person or action.
        indexes = (
            models.Index(fields=("at", "id"), name="journal_by_time"),
            models.Index(fields=("actor", "at", "id"), name="journal_by_person"),
            models.Index(fields=("action", "at", "id"), name="journal_by_action"),
            models.Index(
                fields=("about", "at", "id"),
                condition=~models.Q(about=""),
                name="journal_by_object",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_action_display()} · {self.subject}"

    @property
    def by(self) -> str:
        """Who did it, in words."""
        if self.actor is not None:
            return self.actor.get_username()
        at_the_door = (
            self.Action.SIGN_IN_REFUSED,
            self.Action.CODE_REFUSED,
            self.Action.IDENTITY_REFUSED,
            self.Action.LOCKED_OUT,
        )
        return str(_("somebody not signed in") if self.action in at_the_door else _("a command"))


class StaffSession(models.Model):
    """A session of the staff's that was not ended: without its row, it opens nothing.

    Its key stands in the data of the session. Neither addresses nor browsers are kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    began_at = models.DateTimeField()
    used_at = models.DateTimeField()
    """To the minute."""

    class Meta:
        ordering = ("-began_at", "pk")

    def __str__(self) -> str:
        return f"{self.user} · {self.began_at}"
