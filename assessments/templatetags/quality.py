"""What templates need to print how good a form is as a measure."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ..cohort.disclosure import Share
from ..cohort.quality import UNUSED, Chosen, Limit, Remark, Scale

register = template.Library()


@register.filter
def printed_share(chosen: Chosen) -> Share:
    """The share of an option as it is printed, its ends closed."""
    return Share(
        chosen.percent,
        low_end=chosen.percent <= UNUSED,
        high_end=chosen.percent >= 100 - UNUSED,
    )


@register.filter
def reliabilities(scale: Scale) -> tuple[Limit, Limit]:
    """α, then ω."""
    return scale.alpha, scale.omega


@register.filter
def advice(remark: Remark) -> str:
    """What to look at, in a sentence."""
    return {
        Remark.NEGATIVE: _(
            "Those who do better on the rest of the domain do worse here: check the key first."
        ),
        Remark.BEATEN: _(
            "A wrong option is chosen more often than the best one: a widespread error worth "
            "teaching, or a stem or a key to reread."
        ),
        Remark.UNDER_CHANCE: _(
            "It earns less than blind guessing: see which option attracts, and whether the stem "
            "says all that is needed."
        ),
        Remark.DIFFERENT: _(
            "People who do as well on the rest do not do as well here, depending on their language "
            "or profession: compare the wordings, and the practice the situation supposes."
        ),
        Remark.UNDERFIT: _(
            "Answers vary more than the model expects: something else than readiness decides, such "
            "as an ambiguous wording."
        ),
        Remark.WEAK: _(
            "It hardly tells those who do well from the others: make the best option and the "
            "nearest one easier to tell apart by reasoning."
        ),
        Remark.EASY: _(
            "Nearly everybody has it right: keep it if the message matters, harden the wrong "
            "options otherwise."
        ),
        Remark.OVERFIT: _("It adds little to the other situations: see whether two ask the same."),
        Remark.UNCHOSEN: _("A wrong option attracts hardly anybody: make it more plausible."),
    }[remark]


@register.filter
def in_words(size: str | None) -> str:
    """How much an item differs."""
    return {
        "negligible": pgettext("a difference", "none to speak of"),
        "moderate": pgettext("a difference", "moderate"),
        "large": pgettext("a difference", "large"),
        None: pgettext("a difference", "could not be told"),
    }[size]
