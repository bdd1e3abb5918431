"""How a log line looks: as text, or with READINESS_LOG=json as one JSON object.

Neither names a person, a code or an answer: what is logged goes through the filter of :mod:`.logs`
first; of an exception, JSON keeps its type and where it was raised, never its words, which quote
values; and a request is told by the name of its route, never by its path.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .logs import WithoutCodes, chain

TEXT = "{asctime} {levelname} {name} {message}"
requests = logging.getLogger("readiness.requests")
QUIET = {"live", "ready"}
"""Routes that machines ask every few seconds: told only when they fail."""

_REQUEST_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What nginx and most proxies make, and too narrow to carry anything else."""
_request_id: ContextVar[str | None] = ContextVar("id of the request", default=None)


class TextLine(logging.Formatter):
    """For eyes. Times tell their zone, so that lines of several machines can be put in order."""

    def __init__(self) -> None:
        super().__init__(TEXT, "%Y-%m-%dT%H:%M:%S%z", style="{")


class JsonLine(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request, and what ``extra`` has under
    ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request := _request_id.get()) is not None:
            line["request"] = request
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0] is not None:
            line["exceptions"] = _told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _told(error: BaseException | None) -> list[dict[str, object]]:
    """An exception and those it came from: their types and frames, no words and no values."""
    return [
        {
            "type": f"{type(each).__module__}.{type(each).__qualname__}",
            "frames": [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(each.__traceback__)
            ],
        }
        for each in chain(error)
    ]


def like_ours(handler: logging.Handler) -> None:
    """Make a handler of somebody else's write as ours do."""
    handler.setFormatter(JsonLine() if settings.LOG_AS_JSON else TextLine())
    handler.addFilter(WithoutCodes())


def request_line_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives each request an id, which its log lines and its answer carry, and tells it in a line
    where the log is JSON."""

    def middleware(request: HttpRequest) -> HttpResponse:
        name = _id_told(request) or uuid.uuid4().hex
        token = _request_id.set(name)
        since = time.monotonic()
        try:
            response = get_response(request)
            response.headers["X-Request-ID"] = name
            _tell(request, response.status_code, time.monotonic() - since)
            return response
        finally:
            _request_id.reset(token)

    return middleware


def _id_told(request: HttpRequest) -> str | None:
    """The id that a proxy we trust gave the request, if it is nothing but an id."""
    told = request.META.get("HTTP_X_REQUEST_ID", "")  # without a list of all headers
    return told if settings.TRUSTED_PROXIES and _REQUEST_ID.fullmatch(told) else None


def _tell(request: HttpRequest, status: int, seconds: float) -> None:
    match = request.resolver_match
    route = match.view_name if match is not None else None
    if route in QUIET and status < 400:
        return
    fields = {
        "method": request.method if request.method in _METHODS else "other",
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    requests.info("request", extra={"fields": fields})


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def tell_uncaught() -> None:
    """Write what ends a command as a log line too, instead of a traceback with its values."""

    def tell(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, at)
            return
        logging.getLogger("readiness").critical("The command failed.", exc_info=error)

    sys.excepthook = tell
    threading.excepthook = lambda args: logging.getLogger("readiness").error(
        "A thread failed.", exc_info=args.exc_value
    )
