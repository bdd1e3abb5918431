"""What templates need to print a group's figures."""

import re

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ..cohort.counts import Deed, Grade, LevelOutcome
from ..cohort.disclosure import Share
from ..cohort.statistics import Change, Figure, Standing
from ..instrument.comparison import FEWEST_COMMON
from ..instrument.document import Option
from .readiness import level_name, whole

register = template.Library()

BREAKS = re.compile(r"[ \t\r\n]+")
"""Where a text may be broken: ``str.split`` takes French's no-break spaces too."""


@register.simple_block_tag
def sentence(content: SafeString) -> SafeString:
    """A text on one line, to be kept with ``as``: what a chart says, for its ``<title>``."""
    return mark_safe(
        BREAKS.sub(" ", content).strip(" ")
    )  # it comes from a template, escaped already


_ENDS = {
    LevelOutcome.LEVEL_1: (1, 1),
    LevelOutcome.BETWEEN_1_2: (1, 2),
    LevelOutcome.LEVEL_2: (2, 2),
    LevelOutcome.BETWEEN_2_3: (2, 3),
    LevelOutcome.LEVEL_3: (3, 3),
}


@register.filter
def share(printed: Share | None) -> str:
    """A printed share: "35%", "5% or less", "95% or more"."""
    if printed is None:
        return ""
    points = {"points": whole(printed.points)}
    if printed.low_end:
        return _("≤ %(points)s%%") % points
    if printed.high_end:
        return _("≥ %(points)s%%") % points
    return _("%(points)s%%") % points


@register.filter
def lowest(cell: str) -> int:
    """The lower of the levels that a cell of a level table is between."""
    return _ENDS[LevelOutcome[cell.upper()]][0]


@register.filter
def highest(cell: str) -> int:
    """The upper of the levels that a cell of a level table is between."""
    return _ENDS[LevelOutcome[cell.upper()]][1]


@register.filter
def outcome_name(cell: str) -> str:
    """A cell of a level table in words."""
    low, high = _ENDS[LevelOutcome[cell.upper()]]
    if low == high:
        return level_name(low)
    return _("between %(lower)s and %(upper)s") % {
        "lower": level_name(low),
        "upper": level_name(high),
    }


@register.filter
def percents(value: float) -> str:
    """A proportion in whole points: 0.352 is "35"."""
    return whole(100 * value).replace("-", "\N{MINUS SIGN}")


@register.filter
def against_the_rest(standing: Standing | None) -> str:
    return {
        Standing.NEEDIER: _("weaker"),
        Standing.ALIKE: _("no clear difference"),
        Standing.STRONGER: _("stronger"),
        None: "",
    }[standing]


@register.filter
def deed_name(deed: Deed) -> str:
    """What became of a next step, in a word or two."""
    return {
        Deed.DONE: pgettext("next step", "done"),
        Deed.BEGUN: pgettext("next step", "begun"),
        Deed.NOT_DONE: pgettext("next step", "not done"),
    }[deed]


@register.filter
def why_withheld(figure: Figure) -> str:
    """Why a figure is not said."""
    return {
        "too_few_people": _("withheld: the group is too small for it"),
        "too_few_answers": _("withheld: too few answers"),
        "too_few_common": _("not compared: fewer than %(fewest)s situations in common")
        % {"fewest": FEWEST_COMMON},
        "not_asked": _("not asked"),
    }[str(figure.withheld)]


@register.filter
def mark(option: Option | None) -> str:
    """How an option stands in the key: the name of its sign; "unsafe" before any grade."""
    if option is None:
        return "dont-know"
    return "unsafe" if option.unsafe else str(Grade.of(option))


@register.filter
def keyed(option: Option | None) -> str:
    """How an option stands in the key, in words."""
    return {
        "best": _("Best option"),
        "acceptable": _("Acceptable option"),
        "wrong": _("Wrong option"),
        "unsafe": _("At risk"),
        "dont-know": _("I don’t know"),
    }[mark(option)]


@register.filter
def sureness(change: Change) -> str:
    """Whether a change is more than chance."""
    return _("more than chance") if change.changed else _("within what chance can do")


SIZES = (0.2, 0.5, 0.8)
"""From which effect sizes on one calls a difference small, medium, large (Cohen 1988, §2.2.3)."""


@register.filter
def effect_size(effect: float) -> str:
    """An effect size in words."""
    names = (_("very small"), _("small"), _("medium"), _("large"))
    return names[sum(abs(effect) >= size for size in SIZES)]


@register.filter
def extension(name: str) -> str:
    """The kind of a file, from its name: "PDF"."""
    return name.rpartition(".")[2].upper()
