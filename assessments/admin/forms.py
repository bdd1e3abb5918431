"""The forms of a cohort's page."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import cohorts
from ..instruments import breakdowns, current
from ..models import Cohort, Phase


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
        breakdown = self.fields["breakdown"]
        assert isinstance(breakdown, forms.TypedChoiceField)
        possible = breakdowns(current()) | {self.instance.breakdown}
        breakdown.choices = [
            ("", _("none: the group as a whole")),
            *(choice for choice in Phase.Breakdown.choices if choice[0] in possible),
        ]
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

    @property
    def is_copied(self) -> bool:
        """Whether it proposes a phase of an earlier intake, beyond the first."""
        return self.is_new and self.empty_permitted and "opens_on" in self.initial

    def has_changed(self) -> bool:
        if self.is_copied:  # kept as it is, unless its first day is taken out
            return bool(self["opens_on"].data)
        # The first phase of a cohort is kept even where all its proposed values are left as is.
        return (self.is_new and not self.empty_permitted) or super().has_changed()

    def clean(self):
        data = super().clean()
        opens, closes = data.get("opens_on"), data.get("closes_on")
        if opens and closes and closes < opens:
            self.add_error("closes_on", _("The last day is before the first."))
        if data.get("rolling") and data.get("breakdown"):
            self.add_error(
                "breakdown",
                _("A long-running phase is shown as a whole: it is published as people arrive."),
            )
        return data


class PhaseFormSet(forms.BaseInlineFormSet):
    """The moments of a cohort, which open in the order of a training."""

    def clean(self) -> None:
        super().clean()
        order = list(Phase.Kind.values)
        planned = sorted(
            (order.index(data["kind"]), data["opens_on"])
            for data in (getattr(form, "cleaned_data", {}) for form in self.forms)
            if data.get("kind") and data.get("opens_on")
        )
        if any(later[1] < earlier[1] for earlier, later in pairwise(planned)):
            raise forms.ValidationError(
                _("The moments open in the order of a training: before it, after it, follow-up."),
                code="order",
            )


class PhaseInline(admin.StackedInline):
    """Up to one phase of each kind, all on one screen and without scripts."""

    model = Phase
    form = PhaseForm
    formset = PhaseFormSet
    template = "admin/assessments/cohort/phases.html"
    fields = (("kind", "opens_on", "closes_on"), "rolling", "breakdown")
    formfield_overrides: ClassVar = {models.DateField: {"widget": DayInput}}
    min_num = 1
    max_num = len(Phase.Kind)
    can_delete = False
    media = forms.Media()

    def get_extra(self, request, obj=None, **kwargs) -> int:
        return self.max_num  # as many as there is room for


def proposed(cohort: Cohort | None, copied: Cohort | None = None) -> list[dict[str, object]]:
    """The phases a form proposes: those the cohort does not have, the first one from today; for
    a copy, those of the cohort that is copied."""
    if copied is not None:
        phases: list[dict[str, object]] = [
            {
                "kind": phase.kind,
                "opens_on": phase.opens_on,
                "closes_on": phase.closes_on,
                "rolling": phase.rolling,
                "breakdown": phase.breakdown,
            }
            for phase in cohorts.next_intake(copied)
        ]
        return [*phases, *proposed_kinds({phase["kind"] for phase in phases})]
    kept = set(cohort.phases.values_list("kind", flat=True)) if cohort and cohort.pk else set()
    free = proposed_kinds(kept)
    if not kept:
        free[0]["opens_on"] = timezone.localdate()
    return free


def proposed_kinds(kept: set) -> list[dict[str, object]]:
    return [{"kind": kind} for kind in Phase.Kind.values if kind not in kept]


class AddTrainerForm(forms.Form):
    """Another trainer, by the user name they sign in with. No list of names is offered."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_username(self) -> User:
        typed = self.cleaned_data["username"].strip()
        found = get_user_model().objects.filter(username=typed, is_staff=True, is_active=True)
        user = next((one for one in found if one.has_perm("assessments.change_cohort")), None)
        if user is None:
            raise forms.ValidationError(
                _("No trainer signs in with this name. Ask whoever runs the service."),
                code="unknown",
            )
        return user
