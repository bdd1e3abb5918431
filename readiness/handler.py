"""How a request is read: by what this application sends and takes, not by what a header asks for.

Django lets the type of a body name the codec of everything that is sent, the address included, of
all that Python knows: UTF-7 makes half characters, which no database keeps, and others are not for
text at all. Pages are sent in UTF-8, and forms with them.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.request import MediaType
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property

_BOUNDARY = re.compile(r"""("?)([\w'()+,./:=?-]{1,70})\1""", re.ASCII)
"""RFC 2046, section 5.1.1, but for blanks, which no browser uses."""


def content_type(told: str) -> str:
    """The type of a body, and of what is said about it the boundary alone."""
    kind, *more = told.split(";")
    kind = kind.strip().lower()
    if kind == "multipart/form-data":
        for each in more:
            name, _equals, value = each.partition("=")
            boundary = _BOUNDARY.fullmatch(value.strip())
            if name.strip().lower() == "boundary" and boundary:
                return f'{kind}; boundary="{boundary[2]}"'
    return kind


class FormParser(MultiPartParser):
    """Refuses a part whose header Django's parser fails on."""

    def parse(self) -> tuple[QueryDict, MultiValueDict[str, Any]]:
        try:
            return super().parse()
        except TypeError as error:
            raise MultiPartParserError("a part that cannot be read") from error


class Request(WSGIRequest):
    _multipart_parser_class = FormParser

    def __init__(self, environ: dict[str, Any]) -> None:
        if told := environ.get("CONTENT_TYPE"):
            environ["CONTENT_TYPE"] = content_type(told)
        super().__init__(environ)

    @cached_property
    def accepted_types(self) -> list[MediaType]:
        """What can be made of the header; anything, where nothing can."""
        try:
            return super().accepted_types
        except (ValueError, TypeError):
            return [MediaType("*/*")]


class Handler(WSGIHandler):
    request_class = Request
