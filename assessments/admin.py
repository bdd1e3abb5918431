"""The trainers' space: Django's own admin, with two pages of ours under each cohort.

No sitting is registered here, and the wall would refuse one. Nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import cohorts, releases
from .codes import grouped
from .cohort_results import results_of
from .instruments import current, instrument_of, questionnaire
from .models import Cohort, Event, InstrumentVersion, Phase
from .qr import qr
from .templatetags.readiness import day

admin.site.site_header = gettext_lazy("Readiness – trainers’ space")
admin.site.site_title = gettext_lazy("Readiness – trainers’ space")
admin.site.index_title = gettext_lazy("Your cohorts and their results")

CLOSE = "assessments_cohort_close"
RESULTS = "assessments_cohort_results"


class DayInput(forms.DateInput):
    """The browser's own date field: no script."""

    input_type = "date"

    def __init__(self, attrs=None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class CohortForm(forms.ModelForm):
    def clean(self):
        if self.instance.pk is None and current() is None:
            raise forms.ValidationError(
                _("No questionnaire is published yet: ask whoever runs this service."),
                code="nothing_published",
            )
        return super().clean()


class PhaseForm(forms.ModelForm):
    """A phase that has opened keeps its moment and its first day; one that is closed, all."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new:
            return
        if cohorts.has_opened(self.instance):
            for name in cohorts.PLANNED_FIELDS:
                self.fields[name].disabled = True
        if self.instance.closed_on is not None:
            self.fields["closes_on"].disabled = True

    @property
    def is_new(self) -> bool:
        return self.instance._state.adding

    def has_changed(self) -> bool:
        # The first phase of a cohort is kept even where all its proposed values are left as is.
        return (self.is_new and not self.empty_permitted) or super().has_changed()

    def clean(self):
        data = super().clean()
        opens, closes = data.get("opens_on"), data.get("closes_on")
        if opens and closes and closes < opens:
            self.add_error("closes_on", _("The last day is before the first."))
        return data


class PhaseInline(admin.StackedInline):
    """Up to one phase of each kind, all on one screen and without scripts."""

    model = Phase
    form = PhaseForm
    template = "admin/assessments/cohort/phases.html"
    fields = (("kind", "opens_on", "closes_on"), "rolling")
    formfield_overrides: ClassVar = {models.DateField: {"widget": DayInput}}
    min_num = 1
    max_num = len(Phase.Kind)
    can_delete = False
    media = forms.Media()

    def get_extra(self, request, obj=None, **kwargs) -> int:
        return self.max_num  # as many as there is room for


def proposed(cohort: Cohort) -> list[dict[str, object]]:
    """The phases a form proposes: those the cohort does not have, the first one from today."""
    kept = set(cohort.phases.values_list("kind", flat=True)) if cohort.pk else set()
    phases: list[dict[str, object]] = [
        {"kind": kind} for kind in Phase.Kind.values if kind not in kept
    ]
    if not kept:
        phases[0]["opens_on"] = timezone.localdate()
    return phases


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a trainer sends so that people join."""

    language: str
    name: str
    text: str

    @property
    def rows(self) -> int:
        """Lines of the field, once the text is wrapped."""
        return sum(1 + len(line) // 60 for line in self.text.splitlines()) + 1


@dataclass(frozen=True, slots=True)
class PhasePanel:
    """What the cohort's page says of one phase."""

    phase: Phase
    state: str
    counted: bool
    """Whether it is open, and so counted and ready to be closed."""
    invitations: tuple[Invitation, ...]
    has_results: bool

    @classmethod
    def of(cls, phase: Phase, link: str) -> PhasePanel:
        counted = phase.closed_on is None and cohorts.has_opened(phase)
        if counted:
            releases.refresh_counts(phase)
        return cls(
            phase=phase,
            state=state_of(phase),
            counted=counted,
            invitations=tuple(
                _invitation(phase, link, code, str(name)) for code, name in settings.LANGUAGES
            ),
            has_results=phase.closed_on is not None or phase.releases.exists(),
        )


def _invitation(phase: Phase, link: str, language: str, name: str) -> Invitation:
    """In that language whatever the trainer's own."""
    with translation.override(language):
        text = render_to_string(
            "admin/assessments/cohort/invitation.txt",
            {
                "phase": phase,
                "link": link,
                "code": grouped(phase.cohort.code),
                "minutes": questionnaire(phase.version.digest, phase.form).minutes(),
                "threshold": releases.threshold(),
            },
        )
    return Invitation(language, name, text.strip())


def state_of(phase: Phase) -> str:
    """Where a phase stands today, in a few words."""
    today = timezone.localdate()
    if phase.closed_on is not None:
        return _("closed on %s") % day(phase.closed_on)
    if not cohorts.has_opened(phase, today):
        return _("opens on %s") % day(phase.opens_on)
    if phase.closes_on is not None and phase.closes_on < today:
        return _("last day was %s; still to be closed") % day(phase.closes_on)
    if phase.closes_on is not None:
        return _("open, last day %s") % day(phase.closes_on)
    return _("open")


PhaseView = Callable[["CohortAdmin", HttpRequest, Phase], HttpResponse]


def for_its_trainers(view: PhaseView):
    """A page under a cohort, for that cohort's trainers and nobody else.

    Somebody else's cohort does not exist for a trainer; a superuser, who knows that it does, is
    refused what ``roles`` keeps for its trainers.
    """

    @wraps(view)
    def guarded(self: CohortAdmin, request: HttpRequest, cohort_id: int, phase_id: int):
        if not self.has_change_permission(request):
            raise PermissionDenied
        phase = (
            Phase.objects.filter(pk=phase_id, cohort__in=self.get_queryset(request))
            .filter(cohort=cohort_id)
            .select_related("cohort", "version")
            .defer("version__document")
            .first()
        )
        if phase is None:
            stock_answer = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]
            return stock_answer(request, self.opts, str(cohort_id))
        if not trains(request.user, phase.cohort):
            raise PermissionDenied
        return view(self, request, phase)

    return guarded


def trains(user, cohort: Cohort) -> bool:
    return cohort.trainers.filter(pk=user.pk).exists()


@admin.register(Cohort)
class CohortAdmin(admin.ModelAdmin):
    form = CohortForm
    inlines = (PhaseInline,)
    list_display = ("name", "access", "phases_now", "created_on")
    add_form_template = "admin/assessments/cohort/add_form.html"

    # --- Who, and what -----------------------------------------------------------------------

    def get_queryset(self, request):
        phases = Phase.objects.select_related("version").defer("version__document")
        found = super().get_queryset(request).prefetch_related(models.Prefetch("phases", phases))
        return found if request.user.is_superuser else found.filter(trainers=request.user)

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    def get_fields(self, request, obj=None):
        appoints = obj is not None and request.user.is_superuser
        return ("name", "trainers") if appoints else ("name",)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "trainers":
            users = db_field.remote_field.model._default_manager
            kwargs["queryset"] = users.filter(is_staff=True, is_active=True)
            kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_formset_kwargs(self, request, obj, inline, prefix):
        given = super().get_formset_kwargs(request, obj, inline, prefix)
        return given | {"initial": proposed(obj)}

    @admin.display(description=gettext_lazy("access code"))
    def access(self, cohort: Cohort) -> str:
        return grouped(cohort.code)

    @admin.display(description=gettext_lazy("phases"))
    def phases_now(self, cohort: Cohort) -> str:
        return "; ".join(
            f"{phase.get_kind_display()} ({state_of(phase)})" for phase in cohort.phases.all()
        )

    # --- Writing, by the layer that does ------------------------------------------------------

    def save_model(self, request, obj, form, change) -> None:
        if not change:
            cohorts.create(obj, request.user)
        elif "name" in form.changed_data:
            cohorts.rename(obj, request.user)

    def save_related(self, request, form, formsets, change) -> None:
        if "trainers" in form.changed_data:
            cohorts.appoint(form.instance, form.cleaned_data["trainers"], request.user)
        for formset in formsets:
            self.save_formset(request, form, formset, change)

    def save_formset(self, request, form, formset, change) -> None:
        for phase in formset.save(commit=False):
            cohorts.plan(phase, request.user)

    def response_post_save_add(self, request, obj) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._address(obj))

    def response_post_save_change(self, request, obj) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._address(obj))

    # --- Pages --------------------------------------------------------------------------------

    def get_urls(self):
        under = "<int:cohort_id>/phases/<int:phase_id>/"
        view = self.admin_site.admin_view
        return [
            path(f"{under}close/", view(self.close_view), name=CLOSE),
            path(f"{under}results/", view(self.results_view), name=RESULTS),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            link = settings.PUBLIC_ADDRESS + reverse("cohort", kwargs={"access": obj.code})
            context |= {
                "link": link,
                "code": grouped(obj.code),
                "qr": qr(link, _("QR code of the link for participants")),
                "panels": [PhasePanel.of(phase, link) for phase in obj.phases.all()],
                "trains": trains(request.user, obj),
                "threshold": releases.threshold(),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    @for_its_trainers
    def close_view(self, request: HttpRequest, phase: Phase) -> HttpResponse:
        """Asks before, for closing is final; a POST closes."""
        if phase.closed_on is not None or not cohorts.has_opened(phase):
            self.message_user(
                request,
                _("This phase is already closed.")
                if phase.closed_on
                else _("This phase has not opened yet."),
                messages.WARNING,
            )
            return HttpResponseRedirect(self._address(phase.cohort))
        if request.method == "POST":
            assert request.user.is_authenticated  # for_its_trainers has seen to it
            try:
                releases.close(phase, request.user)
                self.log_change(request, phase.cohort, _("Closed: %s.") % phase)
            except releases.AlreadyClosed:  # by a colleague, or by the same button twice
                pass
            return HttpResponseRedirect(self._address(phase, RESULTS))
        releases.refresh_counts(phase)
        return self._page(request, "close", phase, _("Close the phase"))

    @for_its_trainers
    def results_view(self, request: HttpRequest, phase: Phase) -> HttpResponse:
        """Reads the releases of the phase, and nothing else."""
        union = releases.union_of(phase)
        results = None
        if union is not None:
            instrument = instrument_of(phase.version.digest)
            results = results_of(instrument, union, releases.threshold())
        return self._page(request, "results", phase, _("Results of the group"), results=results)

    def _page(
        self, request: HttpRequest, name: str, phase: Phase, title: str, **context
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            f"admin/assessments/cohort/{name}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": title,
                "subtitle": str(phase),
                "phase": phase,
                "cohort": phase.cohort,
                "threshold": releases.threshold(),
                "twice": 2 * releases.threshold(),
                **context,
            },
        )

    def _address(self, of: Cohort | Phase, name: str = "assessments_cohort_change") -> str:
        args = (of.pk,) if isinstance(of, Cohort) else (of.cohort_id, of.pk)
        return reverse(f"{self.admin_site.name}:{name}", args=args)


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(InstrumentVersion)
class InstrumentVersionAdmin(ReadOnlyAdmin):
    fields = list_display = ("code", "version", "digest", "published_on", "retired_on")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("document")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The journal, for those who run the service."""

    fields = list_display = ("at", "actor", "action", "subject")
    list_select_related = ("actor",)
    list_filter = ("action",)

    def has_view_permission(self, request, obj=None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)
