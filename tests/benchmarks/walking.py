"""How a respondent goes through a questionnaire, ours or another, over HTTP or in the process.

Pages are read as a browser reads them: what is sent is what the form displayed.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

INPUT = re.compile(r"<input\b[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
FORM = "application/x-www-form-urlencoded"
QUESTIONS = ("step-", "context-", "rating-", "answer-")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float = 0.0
    """Of this process's CPU, where the server is in it."""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def text(self) -> str:
        packed = self.header("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


type Transport = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""Method, path, headers and body."""


def over_http(port: int) -> Transport:
    """A connection for each request: dearer than nginx, which keeps a few, and for all alike."""

    def ask(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, body or None, {**headers, "Connection": "close"})
            told = connection.getresponse()
            return Answer(told.status, told.getheaders(), told.read())
        finally:
            connection.close()

    return ask


def within(application: Callable[..., Iterable[bytes]]) -> Transport:
    """The WSGI application itself, and what it takes of the processor."""

    def ask(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("Content-Type", ""), "HTTP_HOST": "127.0.0.1:8000",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }  # fmt: skip
        environ |= {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in headers.items()
            if name != "Content-Type"
        }
        told: list = []
        began = time.process_time()
        result = application(environ, lambda status, sent, _why=None: told.extend((status, sent)))
        text = b"".join(result)
        if hasattr(result, "close"):
            result.close()
        seconds = time.process_time() - began
        return Answer(int(told[0].split()[0]), told[1], text, seconds)

    return ask


@dataclass
class Visitor:
    """A browser's cookies, and what it was answered."""

    transport: Transport
    chance: random.Random = field(default_factory=random.Random)
    cookies: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str, Answer]] = field(default_factory=list)
    """Method, path and answer."""

    def ask(
        self, method: str, path: str, data: Mapping[str, str] | None = None, accept: str = ""
    ) -> Answer:
        headers = {
            "Accept": accept or "text/html",
            "Accept-Encoding": "gzip",
            "Accept-Language": "fr",
            "X-Forwarded-For": f"10.{self.chance.randrange(250)}.{self.chance.randrange(250)}.1",
        }
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={said}" for name, said in self.cookies.items())
        body = urlencode(data).encode() if data else b""
        if body:
            headers["Content-Type"] = FORM
        told = self.transport(method, path, headers, body)
        self.seen.append((method, path, told))
        for name, value in told.headers:
            if name.lower() == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    self.cookies[key] = morsel.value
                    if morsel["max-age"] == "0" or not morsel.value:
                        del self.cookies[key]
        if told.status >= 400:
            raise RuntimeError(f"{method} {path}: {told.status} {told.body[:2000]!r}")
        return told

    def see(self, path: str) -> str:
        told = self.ask("GET", path)
        text = told.text
        if told.status != 200 or "</html>" not in text:
            raise RuntimeError(f"{path}: {told.status}, no page")
        return text

    def send(self, path: str, data: Mapping[str, str]) -> str:
        """Where the form leads."""
        told = self.ask("POST", path, data)
        if told.status != 302:
            raise RuntimeError(f"{path}: {told.status}, leads nowhere: {told.body[-2000:]!r}")
        return told.header("location")

    def script(self, path: str, data: Mapping[str, str]) -> dict[str, str]:
        return json.loads(self.ask("POST", path, data, accept="application/json").text)


def fields(page: str) -> dict[str, list[str]]:
    """The named inputs of a page and the values they offer, from its main part on."""
    found: dict[str, list[str]] = {}
    for tag in INPUT.findall(page[max(0, page.find("<main")) :]):
        said = {name: unescape(value) for name, value in ATTRIBUTE.findall(tag)}
        if said.get("name"):
            found.setdefault(said["name"], []).append(said.get("value", "on"))
    return found


def token(page: str) -> dict[str, str]:
    return {"csrfmiddlewaretoken": fields(page)["csrfmiddlewaretoken"][0]}


# --- Ours -----------------------------------------------------------------------------------------


def begin(visitor: Visitor, door: str = "/") -> str:
    """From the door, everybody's or that of a group, to the first page of questions."""
    visitor.send(door, token(visitor.see(door)))
    visitor.send("/notice/", token(visitor.see("/notice/")))
    page = visitor.see("/code/")
    return visitor.send("/code/", token(page) | {"token": fields(page)["token"][0]})


def choose(offered: Mapping[str, list[str]], name: str, chance: random.Random) -> dict[str, str]:
    """A choice, and how sure one is of it where that is asked."""
    sure = name.replace("answer-", "confidence-")
    if sure == name:
        return {name: chance.choice(offered[name])}
    told = chance.choice([each for each in offered[name] if each != "dont_know"])
    return {name: told, sure: chance.choice(offered[sure])}


def sit(visitor: Visitor, door: str = "/", *, by_script: bool = False) -> int:
    """A whole sitting, by forms or with each choice kept as it is made; how many questions were
    answered."""
    return answer_all(visitor, begin(visitor, door), by_script=by_script)


def sit_again(visitor: Visitor) -> int:
    """Another sitting of whoever is at the results of one."""
    return answer_all(visitor, visitor.send("/again/", token(visitor.see("/again/"))))


def answer_all(visitor: Visitor, there: str, *, by_script: bool = False) -> int:
    """From a first page of questions to the results."""
    answered = 0
    while "/review/" not in there:
        page = visitor.see(there)
        offered = fields(page)
        sent = token(page) | {"seen": offered["seen"][0]}
        for name in [name for name in offered if name.startswith(QUESTIONS)]:
            chosen = choose(offered, name, visitor.chance)
            sent |= chosen
            answered += len(chosen)
            if by_script:
                sent["seen"] = visitor.script(there, sent | {"go": "keep"})["seen"]
        there = visitor.script(there, sent)["next"] if by_script else visitor.send(there, sent)
    visitor.send(there, token(visitor.see(there)))
    if 'id="domains"' not in visitor.see("/results/"):
        raise RuntimeError("no results are shown")
    return answered


# --- The others -----------------------------------------------------------------------------------


def sit_elsewhere(visitor: Visitor, door: str) -> int:
    """A rival's survey: its form, or its forms, until one leads to a page without."""
    there, answered = door, 0
    while True:
        page = visitor.see(there)
        offered = fields(page)
        questions = [name for name in offered if name.startswith(("field_survey_", "question_"))]
        if not questions:
            return answered
        chosen = {name: visitor.chance.choice(offered[name]) for name in questions}
        answered += len(chosen)
        there = visitor.send(there, token(page) | chosen)
