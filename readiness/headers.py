"""What every answer says to browsers and caches, whichever view gives it."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

POWERS = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
"""What a browser can do for a page, and no page here needs."""
PERMISSIONS = ", ".join(f"{power}=()" for power in POWERS)


def headers_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Adds what no view should have to think of.

    A page may hold a code, an answer or the token of a form: no cache keeps any, unless a view
    or the static files say that it is public.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "public" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "no-store, private"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = PERMISSIONS
        return response

    return middleware


def bounds_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Refuses a body that says it is too large before any of it is read.

    A body that does not say how long it is (``chunked``) is taken for empty by Django.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        told = request.META.get("CONTENT_LENGTH") or "0"
        size = int(told[:19]) if told.isdecimal() else 0  # of thousands, Python reads none
        if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            takes_files = request.path.startswith(reverse("admin:index"))
            if not takes_files or size > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
                raise RequestDataTooBig
        return get_response(request)

    return middleware
