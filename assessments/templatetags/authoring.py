"""What templates need to tell what has changed between two versions."""

from collections.abc import Sequence

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ..instrument.comparison import Part, State

register = template.Library()


@register.filter
def part_name(part: Part) -> str:
    """What a part of an instrument is called."""
    return {
        "scenarios": _("Situations"),
        "self_ratings": _("Self-ratings"),
        "context": _("Questions about one’s work"),
        "confidence_scale": _("Levels of confidence"),
        "self_rating_scale": _("Points of the self-rating"),
        "domains": _("Domains"),
        "sub_competencies": _("Sub-competencies"),
        "next_steps": _("Next steps"),
        "sources": _("Sources"),
        "strategy": _("Strategy"),
        "instrument": _("The instrument as a whole"),
    }[part]


@register.filter
def state_name(state: State) -> str:
    """What became of an item."""
    return {
        "added": pgettext("an item of the instrument", "added"),
        "removed": pgettext("an item of the instrument", "removed"),
        "changed": pgettext("an item of the instrument", "changed"),
    }[state]


@register.filter
def forms(named: Sequence[str]) -> str:
    """The forms that serve a scenario."""
    return ", ".join(named) or _("reserve")
