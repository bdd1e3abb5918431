"""Those who answer, as plain HTTP clients; each tab writes down what it was told was kept.

They are the witnesses: what they write, and nothing of the server's, is compared with the database.
A tab sends a page again until it is acknowledged, as ``keeping.js`` does, so that at any moment the
database may hold what was acknowledged last, or what is being sent, and nothing else.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlencode

from assessments import codes
from assessments.instrument.document import Scenario, SelfRating
from assessments.instrument.loading import load
from assessments.questionnaire import Page, Questionnaire
from assessments.scoring.sheet import ScenarioAnswer, Sheet
from tests.conftest import SEEDS

from .system import SECRET_KEY, System

PATIENCE = 30
"""Seconds."""
HIDDEN = re.compile(r'name="(\w+)" value="([^"]*)"')


@cache
def questionnaire() -> Questionnaire:
    instrument = load(SEEDS)
    return Questionnaire(instrument, instrument.forms[0])


@dataclass(frozen=True)
class Choice:
    """One way to answer a page."""

    fields: dict[str, str]
    part: bytes
    """What the database keeps of it."""


@cache
def choice(place: int, number: int) -> Choice:
    """The ``number``-th way to answer the page at a place; each differs from the one before in
    every answer."""
    asked = questionnaire()
    page = asked.page_at(place)
    assert page is not None
    fields: dict[str, str] = {}
    ratings: dict[str, int] = {}
    answers: dict[str, ScenarioAnswer] = {}
    for turn, item in enumerate(page.items, number):
        match item:
            case SelfRating():
                points = len(asked.instrument.self_rating_scale)
                ratings[item.code] = 1 + turn % points
                fields[f"rating-{item.code}"] = str(ratings[item.code])
            case Scenario():
                scale = asked.instrument.confidence_scale
                option = item.options[turn % len(item.options)].code
                sure = scale[turn % len(scale)].code
                answers[item.code] = ScenarioAnswer(option, sure)
                fields |= {f"answer-{item.code}": option, f"confidence-{item.code}": sure}
    sheet = Sheet(self_ratings=ratings, answers=answers)
    return Choice(fields, asked.part(page, asked.layout.pack(sheet)))


class Client:
    """A browser without scripts: cookies, and one connection that is opened again as needed."""

    def __init__(self, port: int, cookies: dict[str, str] | None = None) -> None:
        self.port = port
        self.cookies = cookies if cookies is not None else {}
        self.connection: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        accept: str = "text/html",
    ) -> tuple[int, dict[str, str], str]:
        """The status, the headers and the body; OSError or HTTPException where there is none."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Accept": accept, "Accept-Language": "en"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={it}" for name, it in self.cookies.items())
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            token = {"csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}
            body = urlencode(token | fields)
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        for name, value in response.getheaders():
            if name == "Set-Cookie":
                cookie, _, kept = value.partition(";")[0].partition("=")
                self.cookies[cookie] = kept.strip('"')
        if response.will_close:
            self.close()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, text

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@dataclass
class Told:
    """What the tabs were told, together."""

    acknowledged: int = 0
    """Answers."""
    seconds: list[float] = field(default_factory=list)
    """How long each acknowledgement took."""
    refusals: list[float] = field(default_factory=list)
    """How long each clear 503 took."""
    strange: Counter[str] = field(default_factory=Counter)
    """What nobody should be told."""
    last: float = 0.0
    """When the last acknowledgement came (monotonic)."""

    @property
    def p95(self) -> float:
        """Seconds."""
        ordered = sorted(self.seconds)
        return ordered[int(0.95 * (len(ordered) - 1))] if ordered else 0.0


class Tab:
    """One tab of somebody's, with the pages that it answers over and over."""

    def __init__(self, people: People, client: Client, code: str, pages: list[Page], seed: int):
        self.people = people
        self.client = client
        self.code = code
        self.hash = codes.hashed(code, SECRET_KEY).hex()
        self.pages = pages
        self.chance = random.Random(seed)
        self.seen: dict[int, str] = {}
        self.path = people.folder / f"{self.hash}-{seed}.witness"

    def run(self) -> None:
        try:
            self._answer()
        finally:
            self.client.close()

    def _answer(self) -> None:
        with self.path.open("a", buffering=1) as witness:
            for number in itertools.count():
                for page in self.pages:
                    if self.people.over.is_set():
                        return
                    witness.write(f"sends {page.place} {number}\n")
                    if not self._until_kept(page, choice(page.place, number)):
                        return
                    witness.write(f"keeps {page.place} {number}\n")

    def _until_kept(self, page: Page, chosen: Choice) -> bool:
        while not self.people.over.is_set():
            began = time.monotonic()
            try:
                kept = self._send(page, chosen, began)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, TimeoutError):
                    self.people.strange("a worker was stuck: no answer in 30 s")
                kept = False
            if kept:
                return True
            self.people.over.wait(self.chance.uniform(0.05, 0.3))
        return False

    def _send(self, page: Page, chosen: Choice, began: float) -> bool:
        there = f"/sitting/{page.part}/{page.number}/"
        if page.place not in self.seen:
            status, headers, text = self.client.request("GET", there)
            if status != 200:
                return self._refused(status, headers, text, began)
            self.seen[page.place] = dict(HIDDEN.findall(text))["seen"]
        fields = chosen.fields | {"seen": self.seen[page.place], "go": "keep"}
        status, headers, text = self.client.request("POST", there, fields, "application/json")
        if status != 200:
            return self._refused(status, headers, text, began)
        self.seen[page.place] = json.loads(text)["seen"]
        self.people.kept(len(chosen.fields), time.monotonic() - began)
        return True

    def _refused(self, status: int, headers: dict[str, str], text: str, began: float) -> bool:
        ended = status == 403 or (status, headers.get("location")) == (302, "/resume/")
        if ended and self.people.sessions_end:
            self._resume()
        elif status == 503 and headers.get("retry-after"):
            self.people.refused(time.monotonic() - began)
        else:
            self.people.strange(f"{status} {headers.get('location', '')} {text[:120]!r}")
        return False

    def _resume(self) -> None:
        """The session has ended: the code goes on with it, as the page asks."""
        self.seen.clear()
        self.client.request("GET", "/resume/")
        status, headers, text = self.client.request("POST", "/resume/", {"code": self.code})
        if status not in (302, 503):
            self.people.strange(f"resume {status} {headers.get('location', '')} {text[:120]!r}")


class People:
    """So many people of two tabs each, who answer until they are told to stop."""

    def __init__(
        self, system: System, count: int, seed: int, *, sessions_end: bool = False
    ) -> None:
        self.system = system
        self.sessions_end = sessions_end
        """Whether their sessions may end, as they do when the clock jumps."""
        self.folder = system.folder / f"witnesses-{seed}-{time.monotonic_ns()}"
        self.folder.mkdir()
        self.over = threading.Event()
        self.told = Told()
        self._lock = threading.Lock()
        pages = [page for page in questionnaire().pages if page.part != "context"]
        self.tabs: list[Tab] = []
        for number in range(count):
            client = Client(system.port)
            code = join(client)
            for half in (0, 1):
                own = Client(system.port, dict(client.cookies))
                self.tabs.append(Tab(self, own, code, pages[half::2], 2 * number + half + seed))
        self.threads = [threading.Thread(target=tab.run, daemon=True) for tab in self.tabs]

    def __enter__(self) -> People:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(timeout=2 * PATIENCE)
            assert not thread.is_alive()

    def kept(self, answers: int, seconds: float) -> None:
        with self._lock:
            self.told.acknowledged += answers
            self.told.seconds.append(seconds)
            self.told.last = time.monotonic()

    def refused(self, seconds: float) -> None:
        with self._lock:
            self.told.refusals.append(seconds)

    def strange(self, what: str) -> None:
        with self._lock:
            self.told.strange[what] += 1

    def found(self) -> tuple[int, int]:
        """How many answers the witnesses were told were kept, and how many of them the database
        holds or holds the next in place of. May be asked while people answer."""
        told = [tab.path.read_text().splitlines() for tab in self.tabs if tab.path.exists()]
        before = [_last(lines) for lines in told]
        kept = self.system.sittings()
        after = [_last(tab.path.read_text().splitlines()) for tab in self.tabs if tab.path.exists()]
        acknowledged = found = 0
        tabs = [tab for tab in self.tabs if tab.path.exists()]
        asked = questionnaire()
        for tab, then, now in zip(tabs, before, after, strict=True):
            whole = kept.get(tab.hash)
            for page in tab.pages:
                sent, known = now.sent.get(page.place), then.kept.get(page.place)
                if known is None:
                    continue
                answers = len(choice(page.place, 0).fields) * (known + 1)
                acknowledged += answers
                part = asked.part(page, whole) if whole is not None else b""
                # Between the two looks at the witness, it may have gone on.
                allowed = {
                    choice(page.place, number).part for number in range(known, (sent or 0) + 1)
                }
                found += answers if part in allowed else answers - len(choice(page.place, 0).fields)
        return acknowledged, found


@dataclass
class Last:
    sent: dict[int, int] = field(default_factory=dict)
    kept: dict[int, int] = field(default_factory=dict)


def _last(lines: list[str]) -> Last:
    found = Last()
    for line in lines:
        if line.count(" ") == 2:  # the last may be half written
            word, place, number = line.split()
            (found.sent if word == "sends" else found.kept)[int(place)] = int(number)
    return found


def join(client: Client) -> str:
    """From the landing page to the first question; the resume code."""
    client.request("GET", "/")
    for there in ("/", "/notice/"):
        status, _headers, _text = client.request("POST", there, {})
        assert status == 302, (there, status)
        client.request("GET", "/notice/")
    _status, _headers, text = client.request("GET", "/code/")
    shown = re.search(r'resume-code code"[^>]*>([^<]+)<', text)
    token = re.search(r'name="token" value="([^"]+)"', text)
    assert shown
    assert token
    status, headers, _text = client.request("POST", "/code/", {"token": token[1]})
    assert (status, headers["location"]) == (302, "/sitting/context/1/")
    client.close()
    return codes.normalised(shown[1], codes.RESUME_LENGTH)
