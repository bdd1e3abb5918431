"""The language button of a page that has something to keep."""

from django.conf import settings
from django.http import HttpResponseBase


def known_language(code: str | None) -> str | None:
    """The language asked for, if it is one of ours."""
    return code if code in dict(settings.LANGUAGES) else None


def spoken[Response: HttpResponseBase](response: Response, language: str) -> Response:
    """The response, which makes the language that of the next pages too."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response
