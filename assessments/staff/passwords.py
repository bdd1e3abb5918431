"""What a password must not be, beyond what Django refuses."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

WORDS = (
    "readiness", "questionnaire", "formation", "formateur", "formatrice", "formateurs",
    "trainer", "exploitant", "exploitants", "operator", "auteur", "author", "juge", "judge",
    "hopital", "hospital", "clinique", "clinicien", "clinician", "sante", "health", "service",
    "intelligence", "artificielle", "artificial", "cohorte", "cohort", "password", "motdepasse",
)  # fmt: skip
"""Words somebody would try first who knows what this service is; its own host names come to them.

"ai-readiness" needs no line: without "readiness", too little of it is left.
"""
LEAST = 8
"""Characters that must be left of a password without these words, digits and punctuation."""


class NotOurWordsValidator:
    """Refuses "Readiness-2026!", which is long and no word of the common lists."""

    def validate(self, password: str, user=None) -> None:
        letters = _letters(password)
        words = sorted({*WORDS, *_host_words()}, key=len, reverse=True)
        left = re.sub("|".join(words), "", letters)
        if left != letters and len(left) < LEAST:
            raise ValidationError(self.get_help_text(), code="password_of_our_words")

    def get_help_text(self) -> str:
        return _("Your password must be more than words of this service with a number.")


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", unicodedata.normalize("NFKD", text).casefold())


def _host_words() -> set[str]:
    """The parts of the service’s host names, those of three letters or less left out."""
    hosts = [urlsplit(settings.PUBLIC_ADDRESS).hostname or "", *settings.ALLOWED_HOSTS]
    parts = {_letters(part) for host in hosts for part in re.split(r"[.\-]", host)}
    return {part for part in parts if len(part) > 3}
