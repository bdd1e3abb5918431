"""Cohorts: made in one screen, followed, handed over, copied."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_POST

from .. import cohort_exports, cohorts, releases
from ..codes import grouped
from ..models import Cohort, Phase
from ..press import Busy
from ..qr import qr
from .access import for_its_trainers, trains
from .forms import AddTrainerForm, CohortForm, PhaseInline, proposed
from .panels import PhasePanel, state_of
from .phase_pages import PhasePages, in_measure

TRAINERS = "assessments_cohort_trainers"
LEAVE = "assessments_cohort_leave"
POSTER = "assessments_cohort_poster"
QUALIOPI = "assessments_cohort_qualiopi"
COPIED = "copy"
"""The parameter of the add form that names the cohort to copy."""


@admin.register(Cohort)
class CohortAdmin(PhasePages):
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

    # --- Copying for the next intake ----------------------------------------------------------

    def copied(self, request) -> Cohort | None:
        """The cohort that the add form starts from: one of the reader's own, or none."""
        key = request.GET.get(COPIED, "")
        if not key.isdecimal() or len(key) > 18:
            return None
        return self.get_queryset(request).filter(pk=int(key)).first()

    def get_changeform_initial_data(self, request):
        copied = self.copied(request)
        return {"name": _("%(name)s (next intake)") % {"name": copied.name}} if copied else {}

    def get_formset_kwargs(self, request, obj, inline, prefix):
        given = super().get_formset_kwargs(request, obj, inline, prefix)
        copied = self.copied(request) if obj is None or obj.pk is None else None
        return given | {"initial": proposed(obj, copied)}

    # --- The list -----------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("access code"))
    def access(self, cohort: Cohort) -> str:
        return grouped(cohort.code)

    @admin.display(description=gettext_lazy("phases"))
    def phases_now(self, cohort: Cohort) -> str:
        return (pgettext("between items of a list", ";") + " ").join(
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
        return HttpResponseRedirect(self.address(obj))

    def response_post_save_change(self, request, obj) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.address(obj))

    # --- Pages --------------------------------------------------------------------------------

    def get_urls(self):
        view = self.admin_site.admin_view
        under = "<int:cohort_id>/"
        return [
            *self.phase_urls(view),
            path(f"{under}trainers/", view(require_POST(self.trainers_view)), name=TRAINERS),
            path(f"{under}leave/", view(self.leave_view), name=LEAVE),
            path(f"{under}poster.pdf", view(self.poster_view), name=POSTER),
            path(f"{under}qualiopi.pdf", view(self.qualiopi_view), name=QUALIOPI),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "title": _("New cohort") if obj is None else _("Cohort"),
        }
        if obj is not None:
            context |= self.room(request, obj)
        # An empty address would keep the fragment of the link to what was wrong before.
        here = form_url or request.get_full_path()
        return super().render_change_form(request, context, add, change, here, obj)

    def room(self, request: HttpRequest, cohort: Cohort) -> dict[str, object]:
        """What the cohort's page says above its form."""
        link = link_of(cohort)
        trainers = cohort.trainers.order_by("username")
        return {
            "link": link,
            "code": grouped(cohort.code),
            "qr": qr(link, _("QR code of the link for participants")),
            "panels": [PhasePanel.of(phase, link) for phase in cohort.phases.all()],
            "trains": trains(request.user, cohort),
            "trainers": trainers,
            "may_leave": len(trainers) > 1,
            "trainer_form": AddTrainerForm(prefix="trainer"),
            "threshold": releases.threshold(),
            "twice": 2 * releases.threshold(),
            "copy_address": f"{reverse('admin:assessments_cohort_add')}?{COPIED}={cohort.pk}",
            "has_file": any(phase.releases.exists() for phase in cohort.phases.all()),
        }

    @for_its_trainers
    def trainers_view(self, request: HttpRequest, cohort: Cohort) -> HttpResponse:
        """Add a trainer to the cohort."""
        assert request.user.is_authenticated
        form = AddTrainerForm(request.POST, prefix="trainer")
        if form.is_valid():
            trainer = form.cleaned_data["username"]
            cohorts.add_trainer(cohort, trainer, request.user)
            self.message_user(
                request,
                _("Added to the trainers: %(name)s") % {"name": trainer.get_username()},
            )
            return HttpResponseRedirect(self.address(cohort) + "#trainers")
        # What is wrong is said at the top of the page.
        self.message_user(request, " ".join(map(str, form.errors["username"])), messages.ERROR)
        return HttpResponseRedirect(self.address(cohort))

    @for_its_trainers
    def leave_view(self, request: HttpRequest, cohort: Cohort) -> HttpResponse:
        """Hand the cohort over to its other trainers; asked before."""
        assert request.user.is_authenticated
        if request.method != "POST":
            return self.page(
                request,
                "leave",
                cohort,
                _("Leave this cohort"),
                others=cohort.trainers.exclude(pk=request.user.pk).order_by("username"),
            )
        try:
            cohorts.leave(cohort, request.user)
        except cohorts.LastTrainer:
            self.message_user(
                request, _("You are its last trainer: add another one first."), messages.ERROR
            )
            return HttpResponseRedirect(self.address(cohort))
        self.message_user(request, _("You have left “%(name)s”.") % {"name": cohort.name})
        return HttpResponseRedirect(reverse("admin:assessments_cohort_changelist"))

    @for_its_trainers
    @in_measure
    def poster_view(self, request: HttpRequest, cohort: Cohort) -> HttpResponse:
        """The link, the code and the QR code, to print and put up."""
        try:
            poster = cohort_exports.poster(cohort, link_of(cohort))
        except Busy:
            self.message_user(
                request,
                _("Several reports are being printed. Please ask for this one again."),
                messages.WARNING,
            )
            return HttpResponseRedirect(self.address(cohort))
        return HttpResponse(
            poster,
            content_type="application/pdf",
            headers={
                "Content-Disposition": 'attachment; filename="readiness-poster.pdf"',
            },
        )

    @for_its_trainers
    @in_measure
    def qualiopi_view(self, request: HttpRequest, cohort: Cohort) -> HttpResponse:
        """The file for the auditor: indicators 8 and 11."""
        phase = cohort.phases.filter(releases__isnull=False).order_by("-opens_on", "-pk").first()
        if phase is None:
            raise Http404
        return self.exported(request, phase, cohort_exports.QUALIOPI)


def link_of(cohort: Cohort) -> str:
    """The address that a trainer gives to the group."""
    return settings.PUBLIC_ADDRESS + reverse("cohort", kwargs={"access": cohort.code})
