"""Where weaknesses are told, as the operator says (RFC 9116)."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def security_contact_told(contact: str) -> str:
    """An address that programs follow: ``mailto:`` or ``https:``; empty where there is none."""
    parts = urlsplit(contact)
    known = (parts.scheme == "mailto" and "@" in parts.path) or (
        parts.scheme == "https" and bool(parts.hostname)
    )
    if contact and (not known or not contact.isascii() or not contact.isprintable()):
        raise ImproperlyConfigured(
            "READINESS_SECURITY_CONTACT is an address like mailto:security@example.org or "
            f"https://example.org/security, not {contact!r}."
        )
    if any(sign.isspace() for sign in contact):
        raise ImproperlyConfigured("READINESS_SECURITY_CONTACT holds no spaces.")
    return contact
