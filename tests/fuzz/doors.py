"""Every address of the service, asked for by everybody, as no honest browser would.

An input is one request. What must hold of every answer, and of the database afterwards, is in
:func:`Doors.asked`; what an input does is undone before the next.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from hypothesis import strategies as st

from assessments.models import Event, InstrumentDraft, Phase, Sitting, StandardStudy
from assessments.sittings import questionnaire_of, sheet_of
from tests.browser.world import Browser, World, archive
from tests.instrument.example import example_files

from . import hostile

PART = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
"""A parameter of an address, as ``path`` and as ``re_path`` write it."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'",
}
"""What every answer says, at least in the beginning."""
METHODS = ("GET", "POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X")
KINDS = (
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nothing", "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300,
    "application/json", "text/plain", "text/html", "a", "", ";", "multipart/mixed; boundary=b",
)  # fmt: skip
ODD_HEADERS = (
    "Accept", "Accept-Language", "Accept-Encoding", "Host", "Origin", "Referer", "User-Agent",
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override",
    "X-Requested-With", "If-Modified-Since", "If-None-Match", "Range", "Forwarded", "Cookie",
    "Content-Length", "Content-Encoding", "Transfer-Encoding", "X-Original-URL", "Authorization",
)  # fmt: skip
FIELDS = (
    "csrfmiddlewaretoken", "seen", "go", "language", "token", "earlier", "code", "access", "next",
    "what", "number", "carried-page", "carried-seen", "carried-", "_method", "q", "o", "p", "e",
    "_changelist_filters", "_popup", "_to_field", "action", "_selected_action", "copy", "pk",
    "is_superuser", "answers", "revision", "finished_on", "phase", "username", "password",
)  # fmt: skip


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """The written form of every address that is routed."""
    for each in resolver.url_patterns:
        written = prefix + str(each.pattern).removeprefix("^")
        if isinstance(each, URLPattern):
            yield written.removesuffix("$").removesuffix("\\Z")
        else:
            yield from patterns(each, written)


class Fields(HTMLParser):
    """The names and values of what a page's forms send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in ("input", "select", "textarea", "button") and said.get("name"):
            self.found.append((said["name"] or "", said.get("value") or ""))


@dataclass(frozen=True)
class Request:
    """One input."""

    who: str
    method: str
    path: bytes
    query: bytes = b""
    kind: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    """As they are written in the header."""


class SmallWorld(World):
    """The world of the catalogue, with as few simulated people as a group is published from."""

    def __init__(self, language: str) -> None:
        self.codes: dict[Browser, str] = {}
        super().__init__(language)

    def holding(self, code: str, **how: bool) -> Browser:
        browser = super().holding(code, **how)
        self.codes[browser] = code
        return browser

    def _closed(self, name: str, size: int, *kinds: str, breakdown: str = "") -> Phase:
        return super()._closed(name, min(size, 12), *kinds, breakdown=breakdown)


class Doors:
    """The service with people in every state, and what must hold whatever it is sent."""

    def __init__(self) -> None:
        world = SmallWorld("fr")
        self.world = world
        clients = {
            "anybody": world.browser(),
            "joining": self._joining(informed=False),
            "at the code": self._joining(informed=True),
            "new": world.person(world.fresh),
            "answered": world.person(answered=True),
            "finished": world.person(world.fresh, finished=True),
            "followed": world.followed(),
            "returning": world.returning(),
            "stale session": world.person(),
            **{name: world.browser(name) for name in world.people},
        }
        # Of a sitting, and a group, that are no more.
        session = clients["stale session"].session
        session["own"] = [10**9, session["sitting"]]
        session["sitting"] = 10**9
        session["joining"] = {"phase": 10**9, "informed": True}
        session.save()
        self.cookies = {
            name: {key: morsel.value for key, morsel in client.cookies.items()}
            for name, client in clients.items()
        }
        self.codes = {
            name: world.codes[client] for name, client in clients.items() if client in world.codes
        }
        """Resume codes that open something."""
        self.addresses = sorted(set(patterns(get_resolver())))
        self.good = self._good()
        self.forms = {name: self._forms(name) for name in clients}
        real = Sitting.objects.exclude(phase__cohort__simulated=True)
        self.watched = list(real.values_list("pk", flat=True))
        self.before = self._kept()
        self.events = Event.objects.count()
        self.sent = 0

    def _joining(self, *, informed: bool) -> Client:
        client = self.world.browser()
        client.post(reverse("landing"))
        if informed:
            client.post(reverse("notice"))
        return client

    def _good(self) -> dict[str, list[str]]:
        """Values that parameters really have, by their names."""
        world = self.world
        cohorts = [world.cohort, world.fresh, world.few.cohort]
        phases = [world.before, world.after, world.few, world.story]
        draft = InstrumentDraft.objects.get()
        study = StandardStudy.objects.get()
        item = world.asked.page("scenarios", 1).items[0]
        return {
            "access": [each.code for each in cohorts],
            "cohort_id": [str(each.pk) for each in cohorts],
            "phase_id": [str(each.pk) for each in phases],
            "object_id": [str(each.pk) for each in (*cohorts, study, draft, world.version)],
            "part": ["context", "self-ratings", "scenarios", "steps"],
            "number": ["1", "2", "12", "24"],
            "form": [world.asked.form, "A", "B"],
            "stage": ["question", "answers", "explanation"],
            "name": ["results.csv", "results.json", "results.pdf", "results.xlsx"],
            "document": [f"v{world.version.pk}", f"d{draft.pk}"],
            "other": [f"v{world.version.pk}", f"d{draft.pk}"],
            "code": [item.code],
            "state": ["discussion", "round-2", "closed", "abandoned"],
        }

    def _forms(self, who: str) -> dict[str, list[tuple[str, str]]]:
        """What the forms of the pages without a parameter, and a few others, would send."""
        client, found = self.client(who), {}
        reached = [f"/{each}" for each in self.addresses if not PART.search(each)]
        reached += [reverse("page", args=(part, 1)) for part in self.good["part"]]
        reached += [
            reverse(f"admin:assessments_cohort_{view}", args=(self.world.cohort.pk,))
            for view in ("change", "trainers", "leave")
        ] + [
            reverse("admin:assessments_standardstudy_change", args=(self.world.study.pk,)),
            reverse("admin:assessments_standardstudy_practice", args=(self.world.study.pk,)),
        ]
        staff = who in self.world.people
        for path in reached:
            if staff or not path.startswith("/admin/"):
                with Undone():
                    answer = client.get(path)
                is_page = answer.get("Content-Type", "").startswith("text/html")
                if is_page and (fields := Fields(answer.content.decode()).found):
                    found[path] = fields
        return found

    # --- What is sent -----------------------------------------------------------------------------

    def client(self, who: str) -> Client:
        client = Client(headers={"accept-language": "fr"})
        client.cookies = SimpleCookie(self.cookies[who])
        return client

    def asked(self, request: Request) -> HttpResponse:
        """Send an input, and see that it has harmed nothing."""
        self.sent += 1
        given: dict[str, Any] = {"PATH_INFO": request.path.decode("latin-1")}
        given["QUERY_STRING"] = request.query.decode("latin-1")
        client = self.client(request.who)
        if request.cookies:
            sent = {name: each.coded_value for name, each in client.cookies.items()}
            sent |= request.cookies
            given["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in sent.items())
        for name, value in request.headers.items():
            written = name.upper().replace("-", "_")
            given[written if written == "CONTENT_LENGTH" else f"HTTP_{written}"] = value
        if request.kind:
            given["CONTENT_TYPE"] = (
                request.kind
            )  # which the client leaves out where nothing is sent
        with Undone():
            # A server gives what has come, whatever length was told; the test client would refuse.
            given["wsgi.input"] = io.BytesIO(request.body)
            answer = client.generic(request.method, "/", request.body, request.kind, **given)
            self._harmless(answer)
            self._invariant()
        return answer

    def _harmless(self, answer: HttpResponse) -> None:
        # No worker runs here, and that is what this address is to say.
        says_so = answer.request["PATH_INFO"] == reverse("ready")  # type: ignore[attr-defined]
        assert answer.status_code < 500 or says_so, answer.status_code
        for name, value in HEADERS.items():
            assert answer.get(name, "").startswith(value), (name, answer.get(name))
        body = b"".join(answer) if answer.streaming else answer.content
        kind = answer.get("Content-Type", "")
        if kind.startswith("text/html") or not kind:
            assert [markup for markup in hostile.MARKUP if markup in body] == []
        if to := answer.get("Location"):
            led = urlsplit(to)
            assert (led.scheme, led.netloc) in (("", ""), ("http", "testserver")), to
            assert not to.startswith(("//", "/\\")), to
        for morsel in filter(lambda each: each.value, answer.cookies.values()):  # not one deleted
            assert morsel["samesite"] == "Lax", morsel.key
            assert morsel["httponly"] or morsel.key == "django_language", morsel.key

    def _kept(self) -> dict[int, Sitting]:
        found = Sitting.objects.select_related("version").defer("version__document")
        return found.in_bulk(self.watched)

    def _invariant(self) -> None:
        """All answers can be read; saves only count up; what is finished does not change."""
        assert connection.is_usable()
        for key, sitting in self._kept().items():
            was = self.before[key]
            assert sitting.revision >= was.revision
            if bytes(sitting.answers) != bytes(was.answers):
                assert sitting.revision > was.revision
                assert was.finished_on is None
                sheet_of(sitting)
            assert len(sitting.answers) == questionnaire_of(sitting).layout.size
        assert Event.objects.count() >= self.events


class Undone(transaction.Atomic):
    """What happens within is as if it had not been."""

    def __init__(self) -> None:
        super().__init__(using=None, savepoint=True, durable=False)

    def __exit__(self, *told: object) -> None:
        if told[0] is None:
            transaction.set_rollback(True)
        super().__exit__(*told)


WAYS = ("address", "address", "address", "form", "form", "form", "carried")
"""What is spoilt: nothing yet, a form as it was displayed, a page that is carried to a code."""


@st.composite
def requests(draw: st.DrawFn, doors: Doors, ways: tuple[str, ...] = WAYS) -> Request:
    way = draw(st.sampled_from(ways))
    who = draw(st.sampled_from(sorted(doors.codes if way == "carried" else doors.cookies)))
    forms = doors.forms[who]
    method = draw(st.sampled_from(METHODS))
    pairs: list[tuple[bytes, bytes]] = []
    if way == "carried":
        path, method = reverse("resume").encode(), "POST"
        pairs = draw(_carried(doors, who))
    elif forms and way == "form":  # before it is spoilt
        there = draw(st.sampled_from(sorted(forms)))
        path = there.encode()
        pairs = [(name.encode(), value.encode()) for name, value in forms[there][:120]]
        method = draw(st.sampled_from(["POST", "POST", "POST", method]))
    else:
        written = draw(st.sampled_from(doors.addresses))
        path = b"/" + draw(_filled(written, doors.good))
    for _each in range(draw(st.integers(0, 3))):
        name = draw(
            st.sampled_from([name for name, _value in pairs] or [b"go"])
            | st.sampled_from(FIELDS).map(str.encode)
            | hostile.BYTES
        )
        value = draw(hostile.BYTES)
        at = [place for place, pair in enumerate(pairs) if pair[0] == name]
        if at and draw(st.booleans()):
            pairs[draw(st.sampled_from(at))] = (name, value)
        else:  # unknown, or repeated
            pairs.append((name, value))
    kind, body = draw(_bodies(pairs)) if method not in ("GET", "HEAD") else ("", b"")
    if way != "carried" and draw(st.integers(0, 3)) == 0:
        kind = f"{kind or 'text/plain'}; {draw(st.sampled_from(hostile.ODD))}"
    query = draw(st.sampled_from([b"", b"", hostile.urlencoded(pairs[-3:])]) | hostile.BYTES)
    names = draw(st.lists(st.sampled_from(ODD_HEADERS), max_size=2, unique=True))
    headers = {name: draw(hostile.HEADER) for name in names}
    if draw(st.integers(0, 3)) == 0:
        headers["Accept"] = draw(st.just("application/json") | hostile.TYPED)
    cookies = {}
    if draw(st.integers(0, 5)) == 0:
        known = ["readiness_session", "csrftoken", "django_language", "messages", "sessionid"]
        cookies[draw(st.sampled_from(known))] = draw(hostile.COOKIE)
    return Request(who, method, path, query, kind, body, headers, cookies)


@st.composite
def _carried(draw: st.DrawFn, doors: Doors, who: str) -> list[tuple[bytes, bytes]]:
    """Somebody's code, and what a page of theirs would have sent while their session was over."""
    part = draw(st.sampled_from(doors.good["part"]))
    number = draw(st.sampled_from(doors.good["number"]) | st.sampled_from(hostile.NUMBERS))
    shown = doors.forms[who].get(reverse("page", args=(part, 1)), [])[:120]
    fields = [("code", doors.codes[who]), ("carried-page", f"{part}/{number}")]
    fields += [(f"carried-{name}", value) for name, value in shown]
    return [(name.encode(), value.encode()) for name, value in fields]


@st.composite
def _filled(draw: st.DrawFn, written: str, good: dict[str, list[str]]) -> bytes:
    """An address, its parameters mostly good."""
    made, at = b"", 0
    for found in PART.finditer(written):
        made += written[at : found.start()].encode()
        known = good.get(found[1] or found[2] or "", ["1", "2"])
        made += draw(st.sampled_from(known * 3).map(str.encode) | hostile.BYTES)
        at = found.end()
    return made + written[at:].encode()


@st.composite
def _bodies(draw: st.DrawFn, pairs: list[tuple[bytes, bytes]]) -> tuple[str, bytes]:
    way = draw(st.sampled_from(["form", "form", "form", "parts", "parts", "json", "bytes"]))
    if way == "form":
        return KINDS[0], hostile.urlencoded(pairs)
    if way == "json":
        return draw(st.sampled_from(["application/json", *KINDS])), draw(hostile.JSON)
    if way == "bytes":
        return draw(st.sampled_from(KINDS)), draw(hostile.BYTES)
    name = draw(st.sampled_from([b"document", b"document", b"file", b"seen"]) | hostile.BYTES)
    content = draw(UPLOADS)
    body = hostile.multipart(pairs, [(name, draw(hostile.BYTES), content)], b"edge")
    if draw(st.integers(0, 2)) == 0:
        cut = draw(st.integers(0, len(body)))
        body = body[:cut] + draw(hostile.BYTES)
    return "multipart/form-data; boundary=edge", body


FILES = {name: text.encode() for name, text in example_files().items()}
UPLOADS = (
    hostile.archives(FILES)
    | hostile.damaged(FILES)
    | hostile.BYTES
    | st.builds(lambda: archive()[:150_000])
)
