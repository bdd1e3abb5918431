"""Words of the accessibility statement."""

from django import template
from django.utils.translation import get_language

from ..rgaa import Words
from .readiness import percent

register = template.Library()


@register.filter
def in_words(words: Words) -> str:
    """In the reader's language."""
    return words.en if get_language() == "en" else words.fr


@register.filter
def per_cent(rate: int) -> str:
    """A whole rate, as the reader's language writes it."""
    return percent(rate / 100)
