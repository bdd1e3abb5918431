"""Forms of the respondent's door: one page of questions is one form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, LayoutObject
from crispy_forms.utils import TEMPLATE_PACK
from django import forms
from django.conf import settings
from django.core import signing
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from . import codes
from .cohort.counts import Deed
from .instrument.document import (
    Choice,
    ConfidenceLevel,
    ContextQuestion,
    Instrument,
    Scenario,
    SelfRating,
    Text,
)
from .models import Sitting
from .questionnaire import Item, Page
from .scoring.sheet import DONT_KNOW, ScenarioAnswer, Sheet
from .sittings import Plan
from .templatetags.readiness import deed_name, told

MARK = 32
"""Hexadecimal digits that tell a sitting's pages from another's."""


def mark_of(sitting: Sitting) -> str:
    """What a page holds to tell whose it is, without holding the sitting's key."""
    return salted_hmac("readiness.page", str(sitting.pk), algorithm="sha256").hexdigest()[:MARK]


def is_marked(seen: str, sitting: Sitting) -> bool:
    """Whether the hidden field of a page says that this sitting displayed it."""
    return constant_time_compare(seen[:MARK], mark_of(sitting))


class Question(LayoutObject):
    """One question as a fieldset: what is asked is its legend, each answer a card to press."""

    def __init__(self, template: str, item, **fields: str) -> None:
        self.template = f"assessments/questions/{template}.html"
        self.item = item
        self.fields = list(fields.values())
        self.names = fields

    def render(self, form, context, template_pack=TEMPLATE_PACK, **kwargs) -> str:
        bound = {role: form[name] for role, name in self.names.items()}
        form.rendered_fields.update(self.fields)
        return render_to_string(
            self.template,
            {"item": self.item, "number": form.numbers.get(self.item.code), "form": form, **bound},
        )


def _asked(item: Item) -> Question:
    match item:
        case ContextQuestion():
            return Question("context", item, field=f"context-{item.code}")
        case SelfRating():
            return Question("self_rating", item, field=f"rating-{item.code}")
        case Scenario():
            answer, confidence = f"answer-{item.code}", f"confidence-{item.code}"
            return Question("scenario", item, answer=answer, confidence=confidence)


class _Offers(forms.ChoiceField):
    """A question. None has to be answered; its options are put into words when it is shown, not
    when the code of one is read."""

    def __init__(self, offered: Iterable[tuple[str, Text]], **more) -> None:
        self.offered = dict(offered)
        """The words of each option, by its code."""
        super().__init__(choices=self._worded, required=False, **more)

    def _worded(self) -> list[tuple[str, str]]:
        return [(code, told(text)) for code, text in self.offered.items()]

    def valid_value(self, value: str) -> bool:
        return value in self.offered


class OneOf(_Offers):
    widget = forms.RadioSelect


class SomeOf(_Offers, forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


def _texts(choices: Iterable[Choice | ConfidenceLevel]) -> list[tuple[str, Text]]:
    return [(choice.code, choice.text) for choice in choices]


def chosen_on(page: Page, sheet: Sheet) -> dict[str, tuple[str, ...]]:
    """What a sheet answers of a page: the values chosen, by the names of its inputs."""
    chosen: dict[str, tuple[str, ...]] = {}
    for item in page.items:
        match item:
            case ContextQuestion():
                chosen[f"context-{item.code}"] = sheet.context.get(item.code, ())
            case SelfRating():
                if rating := sheet.self_ratings.get(item.code):
                    chosen[f"rating-{item.code}"] = (str(rating),)
            case Scenario():
                if given := sheet.answers.get(item.code):
                    chosen[f"answer-{item.code}"] = (given.option,)
                    chosen[f"confidence-{item.code}"] = tuple(filter(None, (given.confidence,)))
    return chosen


class PageForm(forms.Form):
    """The questions of one page. None is required: what is missing is said at the review.

    The page itself writes the hidden field ``seen``, which is none of the form's: whose page it is
    and its answers as displayed, for another tab may have changed them, another person may have
    taken over the browser.
    """

    use_required_attribute = False

    def __init__(
        self,
        *args,
        instrument: Instrument,
        page: Page,
        sheet: Sheet,
        numbers: dict[str, int],
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.initial = chosen_on(page, sheet)
        self.instrument = instrument
        self.page = page
        self.numbers = numbers
        for item in page.items:
            match item:
                case ContextQuestion():
                    self._ask_context(item)
                case SelfRating():
                    self._ask_self_rating(item)
                case Scenario():
                    self._ask_scenario(item)

    @cached_property
    def helper(self) -> FormHelper:
        """How the page is rendered, which what is only kept never is."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.form_show_errors = False  # the page says them above, each question its own
        helper.layout = Layout(*map(_asked, self.page.items))
        return helper

    def _ask_context(self, item: ContextQuestion) -> None:
        kind = SomeOf if item.multiple else OneOf
        self.fields[f"context-{item.code}"] = kind(_texts(item.options), label=told(item.text))

    def _ask_self_rating(self, item: SelfRating) -> None:
        scale = enumerate(self.instrument.self_rating_scale, 1)
        points = [(str(each), choice.text) for each, choice in scale]
        self.fields[f"rating-{item.code}"] = OneOf(points, label=told(item.text))

    def _ask_scenario(self, item: Scenario) -> None:
        options = [(option.code, option.text) for option in item.options]
        self.fields[f"answer-{item.code}"] = OneOf(
            [*options, (DONT_KNOW, self.instrument.dont_know)], label=told(item.topic)
        )
        self.fields[f"confidence-{item.code}"] = OneOf(
            _texts(self.instrument.confidence_scale),
            label=told(self.instrument.confidence_question),
        )

    def sheet(self) -> Sheet:
        """What the page answers: a sheet that holds its items alone."""
        context: dict[str, tuple[str, ...]] = {}
        ratings: dict[str, int] = {}
        answers: dict[str, ScenarioAnswer] = {}
        data = self.cleaned_data
        for item in self.page.items:
            match item:
                case ContextQuestion():
                    value = data[f"context-{item.code}"]
                    chosen = tuple(value) if item.multiple else (value,) if value else ()
                    if chosen:
                        context[item.code] = chosen
                case SelfRating():
                    if value := data[f"rating-{item.code}"]:
                        ratings[item.code] = int(value)
                case Scenario():
                    if option := data[f"answer-{item.code}"]:
                        sure = data[f"confidence-{item.code}"] or None
                        answers[item.code] = ScenarioAnswer(
                            option, None if option == DONT_KNOW else sure
                        )
        return Sheet(context=context, self_ratings=ratings, answers=answers)

    def is_whole(self) -> bool:
        """Whether the sheet holds all that was chosen: how sure one is of no answer is not kept."""
        scenarios = [item.code for item in self.page.items if isinstance(item, Scenario)]
        data = self.cleaned_data
        return all(data[f"answer-{code}"] or not data[f"confidence-{code}"] for code in scenarios)

    @staticmethod
    def seen_by(sitting: Sitting, part: bytes) -> str:
        """What the hidden field holds of a page of this sitting."""
        return mark_of(sitting) + part.hex()

    def seen_of(self, sitting: Sitting) -> bytes | None:
        """The page as it was displayed; None if it was not displayed by this sitting."""
        value = str(self.data.get("seen", ""))
        if not is_marked(value, sitting):
            return None
        try:
            return bytes.fromhex(value[MARK:])
        except ValueError:
            return None


class DeedsForm(forms.Form):
    """What became of the steps a person chose weeks ago. None of them is required."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    """Whose page it is and what was kept when it was displayed."""

    use_required_attribute = False

    def __init__(
        self, *args, sitting: Sitting, plans: Sequence[Plan], deeds: Mapping[str, Deed], **kwargs
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sitting = sitting
        self.plans = plans
        self.fields["seen"].initial = self.seen_by(sitting, deeds)
        for plan in plans:
            self.fields[f"step-{plan.step}"] = forms.ChoiceField(
                label=plan.will,
                choices=[(str(deed), deed_name(deed)) for deed in Deed],
                widget=forms.RadioSelect,
                required=False,
                initial=str(deeds[plan.step]) if plan.step in deeds else None,
            )

    def asked(self) -> list[tuple[Plan, forms.BoundField]]:
        return [(plan, self[f"step-{plan.step}"]) for plan in self.plans]

    def deeds(self) -> list[tuple[str, Deed]]:
        answered = ((plan.step, self.cleaned_data[f"step-{plan.step}"]) for plan in self.plans)
        return [(step, Deed(said)) for step, said in answered if said]

    @staticmethod
    def seen_by(sitting: Sitting, deeds: Mapping[str, Deed]) -> str:
        return mark_of(sitting) + json.dumps(deeds, sort_keys=True)

    def seen_deeds(self) -> dict[str, Deed] | None:
        """What was kept when the page was displayed; None if this sitting did not display it."""
        value = str(self.data.get("seen", ""))
        if not is_marked(value, self.sitting):
            return None
        try:
            return {step: Deed(deed) for step, deed in json.loads(value[MARK:]).items()}
        except (AttributeError, ValueError, RecursionError):
            return None


class CodeField(forms.CharField):
    """A code a person types, cleaned to the code that was meant."""

    def __init__(self, *, length: int, **kwargs) -> None:
        kwargs.setdefault("max_length", 60)
        super().__init__(**kwargs)
        self.length = length
        self.widget.attrs |= {
            "autocomplete": "off",
            "autocapitalize": "characters",
            "spellcheck": "false",
            "class": "code-input",
        }

    def clean(self, value: str) -> str:
        typed = super().clean(value)
        if not typed:
            return ""
        try:
            return codes.normalised(typed, self.length)
        except codes.CodeError:
            raise forms.ValidationError(
                _(
                    "This code should have %(length)s letters and digits, none of them 0, 1, I or "
                    "O. Capitals, spaces and hyphens do not matter."
                ),
                code="code",
                params={"length": self.length},
            ) from None


class PlainForm(forms.Form):
    """A form whose template writes the ``<form>`` and its button."""

    @cached_property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        return helper


class ResumeForm(PlainForm):
    code = CodeField(
        length=codes.RESUME_LENGTH,
        label=_("Your resume code"),
        help_text=_("The 16 letters and digits you noted when you started."),
        error_messages={"required": _("Type your resume code.")},
    )


class AccessForm(PlainForm):
    access = CodeField(
        length=codes.ACCESS_LENGTH,
        label=_("Your group’s code"),
        help_text=_("The 8 letters and digits your trainer gave you."),
        error_messages={"required": _("Type your group’s code.")},
    )


class StartForm(PlainForm):
    """Carries the resume code that was shown, signed, to the POST that opens the sitting; or the
    code of somebody who comes back."""

    SALT = "readiness.start"

    token = forms.CharField(widget=forms.HiddenInput)
    earlier = CodeField(
        length=codes.RESUME_LENGTH,
        required=False,
        label=_("I answered before: my resume code"),
        help_text=_(
            "You will see what has changed and be asked about the steps you chose. Leave it empty "
            "otherwise."
        ),
    )

    def __init__(self, *args, later: bool = True, **kwargs) -> None:
        """``later``: whether this moment is one that a person may have answered before."""
        super().__init__(*args, **kwargs)
        if not later:
            del self.fields["earlier"]

    @classmethod
    def token_for(cls, code: str) -> str:
        return signing.dumps(code, salt=cls.SALT)

    def clean_token(self) -> str:
        try:
            return signing.loads(
                self.cleaned_data["token"], salt=self.SALT, max_age=settings.SESSION_COOKIE_AGE
            )
        except signing.BadSignature:
            raise forms.ValidationError(
                _("This page was open for too long: here is a new code."), code="stale"
            ) from None


class CertificateForm(PlainForm):
    """What a person lets their certificate show besides."""

    results = forms.BooleanField(
        required=False, label=_("My results by domain, with their interval and level")
    )
    group = forms.BooleanField(required=False, label=_("The name of my group"))

    def __init__(self, *args, grouped: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not grouped:
            del self.fields["group"]


class PlanForm(PlainForm):
    """One next step as an intention: when … I will … with … before …"""

    keep = forms.BooleanField(required=False, label=_("I choose this step"))
    when = forms.CharField(max_length=200, label=_("When"))
    will = forms.CharField(
        max_length=400, label=_("I will"), widget=forms.Textarea(attrs={"rows": 2})
    )
    together_with = forms.CharField(
        max_length=120,
        required=False,
        label=_("with (optional)"),
        help_text=_("A role is enough: leave names out."),
    )
    before = forms.DateField(
        label=_("before"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean_before(self) -> date:
        before = self.cleaned_data["before"]
        if "before" in self.changed_data and before < timezone.localdate():
            raise forms.ValidationError(_("Choose a day to come."), code="past")
        return before

    def is_chosen(self) -> bool:
        return bool(self["keep"].data)

    def plan(self, step: str) -> Plan:
        data = self.cleaned_data
        return Plan(
            step=step,
            when=data["when"],
            will=data["will"],
            together_with=data["together_with"],
            before=data["before"].isoformat(),
        )
