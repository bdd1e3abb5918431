"""The wall between trainers and sittings.

Behind it run the admin's pages: any SQL that names the sittings' table is refused there, unless
``releases`` itself is reading. A view, a filter or a debug page added tomorrow cannot leak what
it cannot read.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, reverse

from .models import Sitting

_open = ContextVar("reading sittings for publication", default=False)


class WallError(RuntimeError):
    """A page of the admin tried to read sittings."""


@contextmanager
def reading_sittings() -> Iterator[None]:
    """Lets ``releases`` through; nothing else uses it."""
    token = _open.set(True)
    try:
        yield
    finally:
        _open.reset(token)


def guard(execute, sql, params, many, context):
    if Sitting._meta.db_table in sql and not _open.get():
        raise WallError("The admin reads releases, never sittings.")
    return execute(sql, params, many, context)


@lru_cache(maxsize=8)
def _admin(prefix: str) -> str:
    """Where the admin's pages begin, in a service reached below ``prefix``."""
    return reverse("admin:index")


def wall_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Puts every request of the admin behind the wall."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_admin(get_script_prefix())):
            return get_response(request)
        with connection.execute_wrapper(guard):
            return get_response(request)

    return middleware
