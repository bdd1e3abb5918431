"""Somebody with a browser that knows cookies, links and forms, and no scripts."""

from __future__ import annotations

import http.cookiejar
import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    """Of each group of radio buttons and select, the values that may be chosen."""


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.named: dict[str, Form] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in given}
        if tag == "form":
            made = Form(told.get("action", ""), told.get("method", "get").lower())
            self.forms.append(made)
            self.named[told.get("id", "")] = made
        if not self.forms:
            return
        form = self.named.get(told["form"]) if "form" in told else self.forms[-1]
        name = told.get("name", "")
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and form:
            form.choices.setdefault(self._select, []).append(told.get("value", ""))
        if tag != "input" or not name or form is None:
            return
        if told.get("type") == "radio":
            form.choices.setdefault(name, []).append(told.get("value", "on"))
        elif told.get("type") not in ("checkbox", "submit"):
            form.fields[name] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""


class Visitor:
    def __init__(self, address: str, certificate: str) -> None:
        self.address = address
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=certificate)),
            urllib.request.HTTPCookieProcessor(self.cookies),
            _Told(),
        )
        self.at = address
        self.page = ""
        self.status = 0
        self.headers: dict[str, str] = {}

    def open(self, path: str, data: dict[str, str] | None = None) -> bytes:
        """Go there, as a person does by a link or, with data, by a form."""
        request = urllib.request.Request(
            urllib.parse.urljoin(self.at, path),
            urllib.parse.urlencode(data).encode() if data is not None else None,
            {"Referer": self.at, "Accept-Language": "en"}
            | ({"Origin": self.address} if data is not None else {}),
        )
        with self._opener.open(request, timeout=30) as answer:
            body = answer.read()
            self.status, self.at = answer.status, answer.url
            self.headers = {name.lower(): value for name, value in answer.headers.items()}
        if "html" in self.headers.get("content-type", ""):
            self.page = body.decode()
        return body

    def forms(self) -> list[Form]:
        return _Forms(self.page).forms

    def send(self, form: Form, **fields: str) -> None:
        """Send a form, with the last choice where there is one to make."""
        chosen = {name: values[-1] for name, values in form.choices.items()}
        self.open(form.action or self.at, form.fields | chosen | fields)


class _Told(urllib.request.HTTPErrorProcessor):
    """A page that says what is wrong is a page."""

    def http_response(self, request, response):  # type: ignore[no-untyped-def]
        if response.status >= 400:
            return response
        return super().http_response(request, response)

    https_response = http_response
