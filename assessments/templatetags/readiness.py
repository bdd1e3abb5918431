"""What templates need to print the instrument's texts and our figures."""

import re
from datetime import date
from functools import lru_cache
from math import ceil

from django import template
from django.conf import settings
from django.template.base import FilterExpression, TextNode
from django.template.defaulttags import URLNode
from django.template.loader import render_to_string
from django.templatetags.i18n import TranslateNode
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from ..charts import Band, Tick, Zone
from ..cohort.counts import Deed
from ..cohort.rounding import half_up
from ..instrument.document import MAIN_LANGUAGE, Cuts, Scenario, Source, Text, in_language
from ..instrument.document import form_label as label_of_form
from ..models import Phase
from ..scoring.levels import LevelOutcome
from ..scoring.outcomes import Outcome
from ..scoring.scores import DomainScore

register = template.Library()


@register.filter
def told(text: Text | None) -> str:
    """An instrument's text in the reader's language, in French where it has no other."""
    if not text:
        return ""
    return in_language(text, (get_language() or MAIN_LANGUAGE)[:2])


PIECE = re.compile(r"(?<=[.?!;]) ")
WORDS = {
    "en": set("the of and in with for to an on by from is are at as about after how".split()),  # noqa: SIM905
    "fr": set("le la les du des de d l un une sur pour par dans aux au ou est que qui".split()),  # noqa: SIM905
}
"""Words that tell English from French; none is both, nor of the Latin of citations."""


def language_of(text: str) -> str | None:
    """English or French, by the little words; None where they do not tell."""
    # In capitals stand initials of authors, not little words.
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", text) if not word.isupper()]
    counts = {code: sum(word in known for word in words) for code, known in WORDS.items()}
    first, second = counts
    if counts[first] == counts[second]:
        return None
    return max(counts, key=lambda code: counts[code])


@register.filter
def spoken(citation: str) -> SafeString:
    """A citation, each of its sentences in another language than the page's marked as such."""
    page = (get_language() or MAIN_LANGUAGE)[:2]

    def marked(piece: str) -> str:
        code = language_of(piece)
        if code in {None, page}:
            return piece
        return format_html('<span lang="{}">{}</span>', code, piece)

    return format_html_join(" ", "{}", ((marked(piece),) for piece in PIECE.split(citation)))


@register.filter
def overdue(scenario: Scenario | None) -> bool:
    """Whether a scenario is past its review today."""
    return scenario is not None and scenario.review_by < timezone.localdate()


@register.filter
def form_label(form: str) -> str:
    """A form, with the day of its edition where the reserve has taken the place of something."""
    return label_of_form(form)


@register.filter
def whole(value: float | None) -> str:
    """A figure without decimals, in the reader's locale: "12,345"."""
    return "" if value is None else formats.number_format(half_up(value), 0, force_grouping=True)


@register.filter
def decimal(value: float | None, places: int = 1) -> str:
    """A figure with decimals, in the reader's locale."""
    return "" if value is None else formats.number_format(half_up(value, places), places)


@register.filter
def of(mapping, key):
    """``mapping[key]``, or None."""
    return mapping.get(key)


@register.filter
def percent(proportion: float | None) -> str:
    """A proportion of 0 to 1 as a percentage without decimals."""
    return "" if proportion is None else _("%(number)s%%") % {"number": whole(100 * proportion)}


@register.filter
def points(credit: float | None) -> str:
    """What an answer earned, or a sum of it: "0.5 point", "5.5 points"."""
    if credit is None:
        return ""
    number = formats.number_format(credit, 0 if credit == int(credit) else 1)
    return ngettext("%(number)s point", "%(number)s points", ceil(credit)) % {"number": number}


@register.filter
def day(value: date) -> str:
    """A date in full, "24 November 2026"; in French, the first of a month is "1er"."""
    written = formats.date_format(value, "j F Y")
    if value.day == 1 and (get_language() or "").startswith("fr"):
        return written.replace("1", "1er", 1)
    return written


@register.filter
def level_name(level: int) -> str:
    """The name of a level, 1 to 3."""
    return {1: _("Developing"), 2: _("Operational"), 3: _("Lead")}[level]


@register.filter
def limits_from(cuts: Cuts) -> str:
    """Who set the limits between levels, and how far other judges' might be, in a sentence."""
    panel = cuts.panel
    if cuts.provisional or panel is None:
        return _("The limits between levels are provisional.")
    return _(
        "The limits between levels were set by a panel of %(n)d judges on %(day)s, with standard "
        "errors of %(first)s and %(second)s points."
    ) % {
        "n": panel.judges,
        "day": day(panel.set_on),
        "first": decimal(panel.operational_error),
        "second": decimal(panel.expert_error),
    }


@register.filter
def standing(outcome: LevelOutcome | None) -> str:
    """The level that a result supports, or the two it lies between."""
    if outcome is None:
        return _("no answer")
    if not outcome.between:
        return level_name(outcome.levels[0])
    lower, upper = map(level_name, outcome.levels)
    return _("between two levels: %(lower)s and %(upper)s") % {"lower": lower, "upper": upper}


@register.filter
def verdict(outcome: Outcome) -> str:
    """What became of a scenario, in two or three words."""
    if outcome.unsafe:
        return _("At risk")
    return {
        "best": _("Best option"),
        "acceptable": _("Acceptable option"),
        "wrong": _("Worth another look"),
        "dont_know": _("I don’t know"),
        "unanswered": _("No answer"),
    }[outcome.verdict]


@register.filter
def moment(kind: str) -> str:
    """The moment of a phase of that kind, in words."""
    return str(Phase.Kind(kind).label)


@register.filter
def deed_name(deed: Deed) -> str:
    """What became of a step that was chosen, as the person says."""
    return {
        Deed.DONE: pgettext("a step chosen", "Done"),
        Deed.BEGUN: pgettext("a step chosen", "Begun"),
        Deed.NOT_DONE: pgettext("a step chosen", "Not yet"),
    }[deed]


ELIDED = re.compile(r"[aàâæeéèêëiîïoôœuùûy]|h(?!auss|eurt|iérarch)", re.IGNORECASE)
"""How a French verb begins before which "je" becomes "j’": a vowel, or an h, save a few."""


@register.filter
def i_will(deed: str) -> str:
    """An intention in the first person, with the elision that French asks of "je"."""
    if ELIDED.match(deed):
        return pgettext("before a vowel", "I will %(deed)s") % {"deed": deed}
    return pgettext("before a consonant", "I will %(deed)s") % {"deed": deed}


@register.filter
def gap(proportion: float | None) -> str:
    """The size of a difference between two proportions, in points of percentage."""
    return "" if proportion is None else whole(abs(100 * proportion))


@register.filter
def signed(value: float | None, places: int = 0) -> str:
    """A difference with its sign, in the reader's locale."""
    if value is None:
        return ""
    rounded = half_up(value, places)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + formats.number_format(abs(rounded), places)


@register.filter
def compared(score: DomainScore) -> str:
    """Where the self-rating stands beside the result and its interval."""
    if score.self_rating is None:
        return _("no self-rating")
    if score.interval is None:
        return _("no answer to compare with")
    if score.self_rating > score.interval.upper:
        return _("you rate yourself higher than your answers show")
    if score.self_rating < score.interval.lower:
        return _("you rate yourself lower than your answers show")
    return _("your self-rating and your answers go together")


@register.filter
def reading(source: Source) -> str:
    """How and when a source was read for the instrument."""
    how = {
        "primary": _("text read on %(date)s"),
        "abstract": _("summary read on %(date)s"),
        "secondary": _("known from another account, read on %(date)s"),
        "recalled": _("quoted from memory on %(date)s"),
        "computed": _("computed on %(date)s"),
    }
    return how[source.reading] % {"date": day(source.read_on)}


@register.filter
def cited(source: Source) -> SafeString:
    """A source in full: its citation, where it is found, how and when it was read."""
    return _cited(source, get_language() or MAIN_LANGUAGE)


@lru_cache(maxsize=1024)
def _cited(source: Source, language: str) -> SafeString:
    # A report cites some sixty times from the same few sources, in the active language.
    link = ""
    if source.doi:
        link = format_html(' <a href="https://doi.org/{0}">doi:{0}</a>', source.doi)
    elif source.url:
        link = format_html(' <a href="{0}">{0}</a>', source.url)
    return format_html("{}{} ({}).", spoken(source.citation), link, reading(source))


@register.filter
def drawn(band: Band) -> SafeString:
    """What a band shows, in SVG, for the template that says it in words."""
    return _drawn(band, get_language() or MAIN_LANGUAGE)


@lru_cache(maxsize=1024)
def _drawn(band: Band, language: str) -> SafeString:
    # A page of results has six, and eight situations a domain leave few results to draw.
    return render_to_string("assessments/report/marks.html", {"band": band})


@register.filter
def scale(band: Band) -> SafeString:
    """What is under the marks of a band."""
    return _scale(band.zones, band.ticks, get_language() or MAIN_LANGUAGE)


@lru_cache(maxsize=64)
def _scale(zones: tuple[Zone, ...], ticks: tuple[Tick, ...], language: str) -> SafeString:
    # The same for every band of an instrument, in the active language.
    return render_to_string("assessments/report/scale.html", {"zones": zones, "ticks": ticks})


class Unchanging(template.Node):
    """See :func:`unchanging`."""

    MOST = 8
    """Texts that a node keeps: of each language, below each address the service is reached by."""

    def __init__(self, nodelist: template.NodeList) -> None:
        self.nodelist = nodelist
        self.rendered: dict[tuple[str, str], SafeString] = {}

    def render(self, context: template.Context) -> SafeString:
        key = get_language() or MAIN_LANGUAGE, get_script_prefix()
        text = self.rendered.get(key)
        if text is None or settings.DEBUG:
            text = self.nodelist.render(context)
            if len(self.rendered) >= self.MOST:
                self.rendered.clear()
            self.rendered[key] = text
        return text


def _never_changes(node: template.Node) -> bool:
    """Whether what it writes is the same for whoever reads, below one address in one language."""
    match node:
        case TextNode():
            return True
        case TranslateNode():
            said = (node.filter_expression, node.message_context)
            return not node.asvar and all(each is None or _is_literal(each) for each in said)
        case URLNode():
            return _is_literal(node.view_name) and not (node.args or node.kwargs or node.asvar)
        case StaticNode():
            return _is_literal(node.path) and not node.varname
    return False


def _is_literal(expression: FilterExpression) -> bool:
    """Whether a template's author has written it out."""
    named = expression.var
    plain = not isinstance(named, template.Variable) or named.literal is not None
    return plain and not expression.filters


@register.tag
def unchanging(parser: template.base.Parser, token: template.base.Token) -> Unchanging:
    """``{% unchanging %}…{% endunchanging %}`` holds what is the same on every page and for
    everybody: words of ours, addresses without arguments, static files. A process renders it once
    in each language, for as long as the template is loaded. Nothing else may stand in it."""
    nodelist = parser.parse(("endunchanging",))
    parser.delete_first_token()
    if not all(map(_never_changes, nodelist)):
        raise template.TemplateSyntaxError("{% unchanging %} holds something that changes")
    return Unchanging(nodelist)
