"""What a password must not be, beyond what Django refuses."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

WORDS = (
    "readiness", "questionnaire", "formation", "formateur", "formatrice", "formateurs",
    "exploitant", "exploitants", "auteur", "juge", "hopital", "hospital", "clinique", "clinicien",
    "sante", "health", "service", "intelligence", "artificielle", "password", "motdepasse",
)  # fmt: skip
"""Words somebody would try first who knows what this service is."""
LEAST = 8
"""Characters that must be left of a password without these words, digits and punctuation."""


class NotOurWordsValidator:
    """Refuses "Readiness-2026!", which is long and no word of the common lists."""

    def validate(self, password: str, user=None) -> None:
        plain = unicodedata.normalize("NFKD", password).casefold()
        letters = re.sub(r"[\W\d_]", "", plain)
        left = re.sub("|".join(sorted(WORDS, key=len, reverse=True)), "", letters)
        if left != letters and len(left) < LEAST:
            raise ValidationError(self.get_help_text(), code="password_of_our_words")

    def get_help_text(self) -> str:
        return _("Your password must be more than words of this service with a number.")
