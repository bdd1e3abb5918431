"""The forms of a standard setting: an author's, and a judge's."""

from __future__ import annotations

import re

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import standards
from ..cohort.standards import STEP, Acceptable
from ..forms import PageForm
from ..instrument.document import Scenario, form_label
from ..instrument.rules import is_code
from ..instruments import instrument_of
from ..models import InstrumentVersion, Judge, StandardStudy
from ..questionnaire import Page, Questionnaire
from ..scoring.sheet import Sheet
from ..templatetags.readiness import decimal

PEOPLE_NEEDED = 30
"""The fewest people whose scores make a distribution worth a reality check."""
SCORE_LINES = 500

JUDGES_PERMISSION = "assessments.add_estimate"
AUTHORS_PERMISSION = "assessments.change_standardstudy"


class StudyForm(forms.ModelForm):
    """What is judged: a form of a version that is not retired, as it is served today."""

    rated = forms.ChoiceField(
        label=gettext_lazy("Version and form to judge"),
        help_text=gettext_lazy(
            "Judges estimate each situation of this form. The cut scores then serve all forms of "
            "the version."
        ),
    )

    class Meta:
        model = StandardStudy
        fields = ()

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.possible = {
            f"{version.pk} {form}": (version, form)
            for version in InstrumentVersion.objects.defer("document").filter(retired_on=None)
            for form in self._forms(version)
        }
        rated = self.fields["rated"]
        assert isinstance(rated, forms.ChoiceField)
        rated.choices = [
            (key, _("%(version)s, form %(form)s") % {"version": version, "form": form_label(form)})
            for key, (version, form) in self.possible.items()
        ]

    @staticmethod
    def _forms(version: InstrumentVersion) -> list[str]:
        instrument = instrument_of(version.digest)
        return [instrument.edition(form, timezone.localdate()) for form in instrument.forms]

    def clean(self):
        data = super().clean()
        if "rated" in data:
            self.instance.version, self.instance.form = self.possible[data["rated"]]
        return data


class AddJudgeForm(forms.Form):
    """A judge, by the user name they sign in with. No list of names is offered."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    profession = forms.ChoiceField(label=gettext_lazy("Profession"))

    def __init__(self, *args, study: StandardStudy, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        possible = standards.professions(study)
        if possible:
            profession = self.fields["profession"]
            assert isinstance(profession, forms.ChoiceField)
            profession.choices = [("", _("choose")), *possible]
        else:
            del self.fields["profession"]

    def clean_username(self) -> User:
        typed = self.cleaned_data["username"].strip()
        found = get_user_model().objects.filter(username=typed, is_staff=True, is_active=True)
        user = next((one for one in found if one.has_perm(JUDGES_PERMISSION)), None)
        if user is None:
            raise forms.ValidationError(
                _("No judge signs in with this name. Ask whoever runs the service."),
                code="unknown",
            )
        if user.has_perm(AUTHORS_PERMISSION):
            raise forms.ValidationError(
                _(
                    "Authors and those who run the service do not judge: they would see the "
                    "panel’s figures before giving theirs."
                ),
                code="author",
            )
        return user


class NotesForm(forms.Form):
    notes = forms.CharField(
        label=gettext_lazy("What was said, without saying by whom"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy(
            "All judges read it in the second round. Name situations by their number."
        ),
    )


class ScoresForm(forms.Form):
    """Scores of a trial held elsewhere, for Hofstee's check."""

    scores = forms.CharField(
        label=gettext_lazy("Results of a trial: on each line, a result of 0 to 100 and how many"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("For example “62.5 4”: four people have 62.5. At least 30 people."),
    )

    def clean_scores(self) -> list[tuple[float, int]]:
        found: dict[float, int] = {}
        lines = [line for line in self.cleaned_data["scores"].splitlines() if line.strip()]
        for number, line in enumerate(lines[: SCORE_LINES + 1], 1):
            parts = re.fullmatch(r"\s*(\d{1,3}(?:[.,]\d{1,4})?)[\s;]+(\d{1,6})\s*", line)
            score = float(parts[1].replace(",", ".")) if parts else -1.0
            if parts is None or score > 100 or number > SCORE_LINES:
                raise forms.ValidationError(
                    _("Line %(number)d is not a result of 0 to 100 and a number of people."),
                    code="line",
                    params={"number": number},
                )
            found[score] = found.get(score, 0) + int(parts[2])
        people = sum(found.values())
        if found and people < PEOPLE_NEEDED:
            raise forms.ValidationError(
                _("%(people)d people are too few: at least %(needed)d."),
                code="few",
                params={"people": people, "needed": PEOPLE_NEEDED},
            )
        return sorted((score, n) for score, n in found.items() if n)


class AdoptForm(forms.Form):
    version = forms.CharField(
        label=gettext_lazy("Number of the version to publish"),
        max_length=20,
        help_text=gettext_lazy("For example 2027.1. It must not have been used before."),
    )
    behind = forms.BooleanField(
        label=gettext_lazy("I know that the version judged is not the one served today"),
        error_messages={
            "required": gettext_lazy(
                "Tick it to go on: what was changed since would no longer be served."
            )
        },
    )

    def __init__(self, *args, is_current: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if is_current:
            del self.fields["behind"]

    def clean_version(self) -> str:
        number = self.cleaned_data["version"].strip()
        if not is_code(number):
            raise forms.ValidationError(
                _("Letters and digits, joined by single hyphens, dots or underscores."),
                code="version",
            )
        return number


# --- The judge's ---------------------------------------------------------------------------------


class ThinkForm(PageForm):
    """One situation, as a respondent has it on a page. What is chosen is not kept."""

    def __init__(self, *args, asked: Questionnaire, scenario: Scenario, **kwargs) -> None:
        super().__init__(
            *args,
            instrument=asked.instrument,
            page=Page("scenarios", 1, 1, (scenario,)),
            sheet=Sheet(context={}, self_ratings={}, answers={}),
            numbers={scenario.code: asked.numbers.get(scenario.code, 1)},
            **kwargs,
        )
        self.fields[f"answer-{scenario.code}"].required = True
        self.fields[f"answer-{scenario.code}"].error_messages["required"] = _(
            "Choose what you would do, or “I don’t know”, before you read the key."
        )


IN_FIVES = {"step_size": gettext_lazy("Estimates go in fives: 55, 60, 65…")}


class EstimateForm(forms.Form):
    """What 100 just-qualified colleagues would earn on a situation, in fives."""

    operational = forms.IntegerField(
        label=gettext_lazy("100 colleagues who are only just operational"),
        min_value=0,
        max_value=100,
        step_size=STEP,
        error_messages=IN_FIVES,
    )
    expert = forms.IntegerField(
        label=gettext_lazy("100 colleagues who are only just leads"),
        min_value=0,
        max_value=100,
        step_size=STEP,
        error_messages=IN_FIVES,
    )
    sure = forms.BooleanField(
        label=gettext_lazy("I keep this estimate, below what blind guessing earns"), required=False
    )

    def __init__(self, *args, scenario: Scenario, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.chance = standards.chance_of(scenario)
        self.below_chance = False
        for name in standards.LEVELS:
            self.fields[name].widget.attrs |= {"inputmode": "numeric", "autocomplete": "off"}

    def clean(self):
        data = super().clean()
        operational, expert = (data.get(name) for name in standards.LEVELS)
        if operational is None or expert is None:
            return data
        if expert < operational:
            self.add_error("expert", _("A lead would earn at least as much as an operational."))
        elif operational < self.chance and not data.get("sure"):
            self.below_chance = True
            self.add_error(
                "operational",
                _(
                    "Blind guessing earns %(chance)s here. An attractive wrong option may well "
                    "lead people lower; if that is what you mean, tick the box below and save."
                )
                % {"chance": decimal(self.chance)},
            )
        return data

    @property
    def asks_whether_sure(self) -> bool:
        return self.below_chance or bool(self.data.get("sure"))


class AcceptableForm(forms.Form):
    """Hofstee's four questions, for each of the two cuts."""

    NAMES = ("lowest_cut", "highest_cut", "lowest_share", "highest_share")

    def __init__(self, *args, judge: Judge, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        labels = (
            _("Lowest result at which the level could begin"),
            _("Highest result at which it could begin"),
            _("Of 100 colleagues, the smallest acceptable number below the level"),
            _("Of 100 colleagues, the largest acceptable number below the level"),
        )
        for level in standards.LEVELS:
            kept = (judge.acceptable or {}).get(level, [None] * 4)
            for name, label, value in zip(self.NAMES, labels, kept, strict=True):
                self.fields[f"{level}-{name}"] = forms.IntegerField(
                    label=label,
                    min_value=0,
                    max_value=100,
                    initial=None if value is None else int(value),
                    widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
                )

    def of(self, level: str) -> list[forms.BoundField]:
        return [self[f"{level}-{name}"] for name in self.NAMES]

    def clean(self):
        data = super().clean()
        for level in standards.LEVELS:
            for low, high in (("lowest_cut", "highest_cut"), ("lowest_share", "highest_share")):
                least, most = data.get(f"{level}-{low}"), data.get(f"{level}-{high}")
                if least is not None and most is not None and most < least:
                    self.add_error(f"{level}-{high}", _("It is below the one before."))
        return data

    def answers(self) -> dict[standards.Level, Acceptable]:
        return {
            level: Acceptable(*(self.cleaned_data[f"{level}-{name}"] for name in self.NAMES))
            for level in standards.LEVELS
        }
