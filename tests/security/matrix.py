"""Every address × every role × every method × one's own and others' objects: the engine.

What each may get stands in ``matrix.txt``, a table that is read by people first. The addresses are
those of the URL resolver: one without a row fails, as does a row without an address.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from assessments import codes
from assessments.forms import StartForm
from assessments.models import Cohort, Event, Judge, Phase, Sitting, StandardStudy
from tests.conftest import AUDIT
from tests.instrument.example import example_data
from tests.sitting.conftest import seen_on

from .world import NOWHERE, Half, World, form_of

TABLE = Path(__file__).with_name("matrix.txt")
TRIED = ("GET", "HEAD", "POST")
OTHERS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
"""Methods that no page of ours knows."""
ASIDE = (
    "django_session",
    "assessments_staffsession",
    "assessments_tally",
    settings.CACHES["default"]["LOCATION"],
)
"""Tables that a refused request may write to: who is signed in, how often was tried."""
JOURNAL = Event._meta.db_table
REFUSALS = set("ICNFM")
SWAPPED = {"trainer": "stranger", "judge": "outsider"}
"""Who is to half A what the other is to half B."""
ADMINISTER_COHORTS = ("superuser",)
KNOWN_TO = {
    "cohort": ADMINISTER_COHORTS,
    "standardstudy": ("author", "turncoat", "judge", "superuser"),
    "passkey": (),
    "": ("superuser", "operator", "author", "turncoat"),
}
"""Who sees that an object of half A is there, and may see that another is not."""

# --- The table ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    route: str
    cells: dict[str, str]
    """Role → what GET and POST give, one letter each."""


@dataclass(frozen=True)
class Table:
    roles: tuple[str, ...]
    rows: dict[str, Row]


class TableError(AssertionError):
    """The table cannot be read."""


def read(text: str) -> Table:
    """Lines ``cell cell … | route`` under ``[prefix of the routes]``, after the roles' own line."""
    roles: tuple[str, ...] = ()
    rows: dict[str, Row] = {}
    prefix = ""
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            prefix = line.strip("[]")
            continue
        left, _, right = line.partition("|")
        cells, route = left.split(), prefix + right.strip()
        if not roles:
            roles = tuple(cells)
            continue
        if len(cells) != len(roles):
            raise TableError(f"{route}: {len(cells)} cells for {len(roles)} roles")
        if wrong := [cell for cell in cells if not re.fullmatch("[SWLICNFM]{2}", cell)]:
            raise TableError(f"{route}: no such cell: {wrong}")
        if route in rows:
            raise TableError(f"{route}: two rows")
        rows[route] = Row(route, dict(zip(roles, cells, strict=True)))
    return Table(roles, rows)


def table() -> Table:
    return read(TABLE.read_text(encoding="utf-8"))


# --- The addresses --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Route:
    route: str
    takes: frozenset[str]


def routes(patterns=None, prefix: str = "") -> dict[str, Route]:
    """Every pattern of the resolver, by its route as it is written."""
    found: dict[str, Route] = {}
    for each in get_resolver().url_patterns if patterns is None else patterns:
        written = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            found |= routes(each.url_patterns, written)
        else:
            assert isinstance(each, URLPattern)
            named = set(each.pattern.converters) | set(each.pattern.regex.groupindex)
            found[written] = Route(written, frozenset(named))
    return found


def path_of(route: Route, values: dict[str, object]) -> str:
    """The address of a route with these values: written out, for some patterns have no name."""
    plain = re.sub(r"\^|\$|\\Z", "", route.route)
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", plain)
    plain = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), plain)
    return "/" + plain.replace("\\", "")


# --- Objects --------------------------------------------------------------------------------------


def values(world: World, half: Half, route: str) -> dict[str, object]:
    """What stands in an address for the objects of a half. A new parameter is told here."""
    objects = {
        "/cohort/": half.cohort.pk,
        "/standardstudy/": half.study.pk,
        "/instrumentversion/": world.version.pk,
        "/event/": half.event.pk,
        "/user/": half.trainer.pk,
        "admin/r/": world.closed_sitting,
    }
    return {
        "cohort_id": half.cohort.pk,
        "phase_id": half.closed.pk if "/results" in route or "/situ" in route else half.open.pk,
        "job_id": half.file.pk if route.endswith("file/") else half.failed.pk,
        "study_id": half.study.pk,
        "object_id": next((key for part, key in objects.items() if part in route), NOWHERE),
        "pk": half.key.pk if "/passkey/" in route else half.trainer.pk,
        "uidb64": urlsafe_base64_encode(force_bytes(half.trainer.pk)),
        "token": default_token_generator.make_token(half.judge),
        "version_id": world.version.pk,
        "calibration_id": world.calibration.pk,
        "ref": f"v{world.version.pk}" if "/retire/" in route else f"d{world.draft.pk}",
        "other": f"v{world.version.pk}",
        "content_type_id": ContentType.objects.get_for_model(Sitting).pk,
        "access": half.cohort.code,
        "number": 1,
        "stage": "question",
        "state": "abandoned",
        "name": "results.csv",
        "part": "scenarios",
        "code": world.asked.instrument.scenarios[0].code,
        "language": "en",
        "profession": "-",
        "form": "csv" if "journal" in route else "A",
        "app_label": "assessments",
        "url": "nowhere",
    } | ({"phase_id": half.closed.pk} if "/jobs/" in route or "debriefing" in route else {})


KEYS = {
    "cohort_id": NOWHERE,
    "phase_id": NOWHERE,
    "job_id": NOWHERE,
    "study_id": NOWHERE,
    "object_id": NOWHERE,
    "pk": NOWHERE,
    "version_id": NOWHERE,
    "calibration_id": NOWHERE,
    "ref": f"d{NOWHERE}",
    "access": "22222222",
}
"""What names an object in an address, and the name of one that never was."""
HALVED = ("cohort_id", "phase_id", "job_id", "study_id", "object_id", "pk")
"""Those of which each half has its own, the narrowest last."""
BELONGS = re.compile("/(cohort|standardstudy|passkey)/<")
"""Addresses under an object that is somebody's."""


def addresses(world: World, route: Route) -> Iterator[tuple[str, str]]:
    """Each address of a route that is tried, by what it names."""
    own, foreign = values(world, world.a, route.route), values(world, world.b, route.route)
    yield "A", path_of(route, own)
    named = [key for key in KEYS if key in route.takes]
    if not named:
        return
    if BELONGS.search(route.route):
        yield "B", path_of(route, foreign)
        inner = [key for key in HALVED if key in named][1:]
        for key in inner:
            yield f"A with {key} of B", path_of(route, own | {key: foreign[key]})
            yield f"A with no {key}", path_of(route, own | {key: KEYS[key]})
    yield "nothing", path_of(route, own | {key: KEYS[key] for key in named})


# --- What is sent ---------------------------------------------------------------------------------


def decoys(world: World) -> dict[str, object]:
    """Keys of foreign objects, under every name that a view might read from a body."""
    other = world.b
    return {
        "cohort": other.cohort.pk,
        "cohort_id": other.cohort.pk,
        "phase": other.open.pk,
        "phase_id": other.open.pk,
        "job_id": other.failed.pk,
        "study": other.study.pk,
        "study_id": other.study.pk,
        "judge": other.study.judges.first().pk,
        "object_id": other.cohort.pk,
        "pk": other.cohort.pk,
        "id": other.cohort.pk,
        "user": other.trainer.pk,
    }


class Bodies:
    """What a POST sends: what would be done if it were let through."""

    def __init__(self, world: World) -> None:
        root = world.browsers["superuser"]
        base = "/admin/assessments/cohort/"
        self.decoys = decoys(world)
        self.cohorts = {
            half.cohort.pk: form_of(
                world.browsers["trainer" if half is world.a else "stranger"],
                f"{base}{half.cohort.pk}/change/",
            )
            | {"name": "Renamed", "trainers": [half.trainer.pk, world.newcomer.pk]}
            for half in (world.a, world.b)
        }
        self.new_cohort = form_of(world.browsers["newcomer"], f"{base}add/") | {"name": "New"}
        self.user = form_of(root, reverse("admin:auth_user_change", args=(world.a.trainer.pk,)))
        self.user |= {"first_name": "Changed"}
        self.archive = archive()
        seen = seen_on(world.browsers["answering"].get("/sitting/scenarios/1/").text)
        step = world.browsers["finished"].get("/results/steps/").context["forms"][0][0].code
        password = "an even longer password"
        item = world.asked.page("scenarios", 1).items[0].code
        erased = world.browsers["finished"].get("/results/erase/").context["seen"]
        self.told: dict[str, dict[str, object]] = {
            "login/": {"username": "trainer", "password": "wrong"},
            "sign-in/": {"login": "trainer", "password": "wrong"},
            "sign-in/second-step/": {"code": "000000"},
            "confirm/": {"password": "wrong"},
            "confirm/code/": {"code": "000000"},
            "welcome/<uidb64>/<token>/": {"new_password1": password, "new_password2": password},
            "security/app/": {"code": "000000"},
            "password_change/": {
                "old_password": "pw " * 5,
                "new_password1": password,
                "new_password2": password,
            },
            "user/add/": {"username": "made"},
            "user/<path:object_id>/change/": self.user,
            "delete/": {"post": "yes"},
            "pause/": {"paused": "yes"},
            "trainers/": {"trainer-username": "newcomer"},
            "judges/": {"judge-username": "spare", "judge-profession": "nurse"},
            "notes/": {"notes": "Said."},
            "practice/": {"operational": 40, "expert": 70, "sure": "on"},
            "situations/<int:number>/": {"operational": 40, "expert": 70, "sure": "on"},
            "standardstudy/add/": {"rated": f"{world.version.pk} B"},
            "code/": {"token": StartForm.token_for(codes.new_code(codes.RESUME_LENGTH))},
            "cohort/add/": self.new_cohort,
            "group/": {"access": world.a.cohort.code},
            "resume/": {"code": "2222-2222-2222-2222"},
            "sitting/<slug:part>/<int:number>/": {"seen": seen, f"answer-{item}": "b"},
            "results/steps/": {
                f"{step}-keep": "on",
                f"{step}-when": "when",
                f"{step}-will": "will",
                f"{step}-before": "2099-01-01",
            },
            "results/erase/": {"seen": erased},
            "results/open/": {"number": "1"},
            "language/": {"language": "fr", "next": "/"},
        }

    def of(self, route: str, address: str) -> dict[str, object]:
        if route.endswith("cohort/<path:object_id>/change/"):
            key = int(address.split("/")[4])
            return self.cohorts.get(key) or next(iter(self.cohorts.values()))
        if route.endswith("upload/"):
            return {
                "document": SimpleUploadedFile(
                    "i.zip", self.archive, content_type="application/zip"
                )
            }
        matching = [end for end in self.told if route.endswith(end)]
        return self.decoys | (self.told[max(matching, key=len)] if matching else {})


def archive() -> bytes:
    """An instrument that nobody has uploaded yet."""
    data = example_data(("A", "B"))
    data["instrument.yaml"]["version"] = "8.8"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as folder:
        for name, held in data.items():
            folder.writestr(name, yaml.safe_dump(held, allow_unicode=True, sort_keys=False))
    return made.getvalue()


# --- What comes back ------------------------------------------------------------------------------

WRITES = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)", re.IGNORECASE)


@contextmanager
def writes() -> Iterator[set[str]]:
    """The tables that are written to meanwhile, those ``ASIDE`` left out."""
    seen: set[str] = set()

    def watch(execute, sql, params, many, context):
        if (found := WRITES.match(sql)) and found[1] not in ASIDE:
            seen.add(found[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen


def outcome(response: HttpResponse, written: set[str]) -> str:
    """The letter of the table."""
    status = response.status_code
    if status in (301, 302, 303):
        to = response.headers["Location"]
        if to.startswith((reverse("admin:login"), reverse("account_login"))):
            return "W" if written else "I"  # whoever signs out is sent there too
        if to == reverse("resume"):
            return "W" if written else "C"
        if to == reverse("admin:index") and "perhaps it was deleted" in told(response).lower():
            return "N"
        return "W" if written else "L"
    known = {403: "F", 404: "N", 405: "M"}
    if status in known:
        return known[status]
    if status < 400 or status in (409, 422):
        return "W" if written else "S"
    return f"?{status}"


def told(response: HttpResponse) -> str:
    """What is to be said on the next page."""
    kept = getattr(response.wsgi_request, "_messages", None)
    return " ".join(str(note) for note in getattr(kept, "_queued_messages", ()))


def content(response: HttpResponse) -> bytes:
    if not response.streaming:
        return response.content
    return b"".join(response.streaming_content)


def indistinct(response: HttpResponse, address: str) -> tuple[object, ...]:
    """All that an answer tells, save the keys that stood in its address."""

    def plain(text: str) -> str:
        text = re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", text).replace(address, "#")
        return re.sub("|".join(f"“{key}”" for key in re.findall(r"\w+", address)), "“#”", text)

    return (
        response.status_code,
        plain(response.headers.get("Location", "")),
        sorted(set(response.headers) - {"Content-Length"}),
        plain(told(response)),
        plain(content(response).decode("utf-8", "replace")),
    )


def digest() -> str:
    """Of every row of every table, save those ``ASIDE`` and that somebody was refused."""
    made = hashlib.sha256()
    with connection.cursor() as cursor:
        for name in sorted(connection.introspection.table_names(cursor)):
            if name in ASIDE:
                continue
            but = f"WHERE action <> '{Event.Action.REFUSED}'" if name == JOURNAL else ""
            cursor.execute(f'SELECT * FROM "{name}" {but}')
            rows = sorted(
                repr([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row])
                for row in cursor.fetchall()
            )
            made.update(repr((name, rows)).encode())
    return made.hexdigest()


def acts() -> int:
    """Lines of the journal of what was done."""
    return Event.objects.exclude(action=Event.Action.REFUSED).count()


def of_half(half: Half) -> list[object]:
    """What is somebody's in a half: the answers of a foreigner's requests must leave it alone."""
    return [
        list(Cohort.objects.filter(pk=half.cohort.pk).values("name", "code", "trainers")),
        list(Phase.objects.filter(cohort=half.cohort).order_by("pk").values()),
        list(half.closed.jobs.order_by("pk").values()),
        list(StandardStudy.objects.filter(pk=half.study.pk).values()),
        list(Judge.objects.filter(study=half.study).order_by("pk").values()),
        list(Authenticator.objects.filter(user=half.trainer).order_by("pk").values()),
    ]


# --- The tour -------------------------------------------------------------------------------------


@dataclass
class Tour:
    """One role at every address. ``wrong`` says what is not as the table has it."""

    world: World
    role: str
    table: Table
    bodies: Bodies
    wrong: list[str] = field(default_factory=list)
    checks: Counter[str] = field(default_factory=Counter)
    seen: dict[str, str] = field(default_factory=dict)
    """Route → the cell as it was found, for a row that is missing."""
    whole: bool = AUDIT
    """Whether each address is asked by HEAD and by every method that no page knows. These are the
    same whoever asks: unless all is tried, the roles take turns."""

    def __post_init__(self) -> None:
        self.client = self.world.browsers[self.role]
        self.cookies = {name: each.value for name, each in self.client.cookies.items()}
        self.hidden = self._hidden()
        self.acts = acts()

    def _hidden(self) -> dict[bytes, tuple[str, ...]]:
        """What this role must read nowhere, and the group's code to whose holders it is told."""
        found: dict[str, tuple[str, ...]] = {}
        for half, owners in ((self.world.a, ("trainer", "grouped")), (self.world.b, ("stranger",))):
            if self.role not in (*owners, "joining", *ADMINISTER_COHORTS):
                found |= dict.fromkeys(half.secrets, (half.cohort.code,))
                if self.role == "operator":
                    found[half.cohort.name] += ("/admin/assessments/event/",)  # it names groups
        found |= {said: (said,) for who, said in self.world.intentions.items() if who != self.role}
        return {secret.encode(): keys for secret, keys in found.items()}

    def ask(self, method: str, address: str, body: dict[str, object] | None = None):
        """An answer and its letter. Where a request was let through, it is undone."""
        self.client.cookies.clear()
        for name, value in self.cookies.items():
            self.client.cookies[name] = value
        with transaction.atomic():
            try:
                with transaction.atomic(), writes() as written:
                    response = (
                        self.client.generic(method, address)
                        if body is None
                        else self.client.post(address, body)
                    )
                    if response.streaming:  # some is done only while it is read
                        response.streaming_content = [content(response)]
            except Exception as failure:
                self.wrong.append(f"{method} {address}: {type(failure).__name__}: {failure}")
                return None, "!"
            letter = outcome(response, written)
            if letter not in REFUSALS:
                self._leaves_b_alone(f"{method} {address}", written)
                transaction.set_rollback(True)
            elif written and not self._only_told(letter, written):
                self.wrong.append(f"{method} {address}: refused, but wrote to {sorted(written)}")
        self.checks[method] += 1
        return response, letter

    def _only_told(self, letter: str, written: set[str]) -> bool:
        """The journal keeps that somebody was refused a page, and nothing else."""
        return letter == "F" and written == {JOURNAL} and acts() == self.acts

    def _leaves_b_alone(self, asked: str, written: set[str]) -> None:
        acts_on_all = ("stranger", "outsider", "author", "turncoat", "superuser", "operator")
        if written and self.role not in acts_on_all and of_half(self.world.b) != self.b_before:
            self.wrong.append(f"{asked}: changed what belongs to somebody else")

    def run(self, only: Callable[[str], bool] = lambda route: True) -> Tour:
        self.b_before = of_half(self.world.b)
        before = digest()
        turn = list(self.world.browsers).index(self.role)
        for place, route in enumerate(routes().values()):
            if only(route.route):
                self._try(route, turn + place)
        if digest() != before:
            self.wrong.append("the refused requests together have changed the database")
        return self

    def _try(self, route: Route, turn: int) -> None:
        row = self.table.rows.get(route.route)
        cell = row.cells[self.role] if row else None
        answers: dict[tuple[str, str], tuple[HttpResponse, str, str]] = {}
        for named, address in addresses(self.world, route):
            for method in TRIED:
                if method == "HEAD" and (named != "A" or not (self.whole or turn % 3 == 0)):
                    continue
                body = self.bodies.of(route.route, address) if method == "POST" else None
                response, letter = self.ask(method, address, body)
                if response is None:
                    continue
                answers[named, method] = response, letter, address
                self._compare(route, cell, named, method, letter, address)
                self._tells_nothing(response, f"{method} {address} {body or ''}")
        if ("A", "GET") in answers and ("A", "POST") in answers:
            self.seen[route.route] = answers["A", "GET"][1] + answers["A", "POST"][1]
        self._as_if_it_never_was(answers)
        (_, address), *_ = addresses(self.world, route)
        for method in OTHERS if self.whole else [OTHERS[turn % len(OTHERS)]]:
            _response, letter = self.ask(method, address)
            if letter != "M":
                self.wrong.append(f"{method} {address}: {letter}, and no page knows that method")

    def _compare(
        self, route: Route, cell: str | None, named: str, method: str, letter: str, address: str
    ) -> None:
        if cell is None:
            return
        expected = self.expected(route, cell[method == "POST"], named, method)
        if letter not in expected:
            self.wrong.append(
                f"{method} {address} ({named}): {letter}, and the table says {expected}"
            )

    def expected(self, route: Route, own: str, named: str, method: str) -> str:
        """The letters that may come, from the table's, which is of half A."""
        if named == "A":
            # Some stock pages lead on whoever looks, and show themselves to a HEAD.
            return "LS" if own == "L" and method == "HEAD" else own
        if named == "B":
            swapped = SWAPPED | {there: here for here, there in SWAPPED.items()}
            row = self.table.rows[route.route]
            return row.cells[swapped.get(self.role, self.role)][method == "POST"]
        kind = BELONGS.search(route.route)
        known = self.role in KNOWN_TO[kind[1] if kind else ""]
        if own in "FM" and known:
            return own + "N"
        leads_back = named.startswith("A ") and route.route.endswith("/jobs/<int:job_id>/")
        if own == "L" or (own in "SW" and leads_back):
            return "LN"  # some lead on without looking anything up, or back to what is one's own
        return own if own in "ICFM" else "N"

    def _as_if_it_never_was(self, answers) -> None:
        """Where another's object is not found, the answer is that of an object that never was."""
        for named in ("A", "B"):
            for method in ("GET", "POST"):
                if answers.get((named, method), (None, ""))[1] == "N":
                    self._same(answers, (named, method), ("nothing", method))
        for named, method in list(answers):
            if " of B" in named:
                key = named.split()[2]
                self._same(answers, (named, method), (f"A with no {key}", method))

    def _same(self, answers, one, other) -> None:
        if one not in answers or other not in answers or answers[one][1] not in "NL":
            return
        found, _, address = answers[one]
        missing, _, nowhere = answers[other]
        self.checks["compared"] += 1
        if indistinct(found, address) != indistinct(missing, nowhere):
            self.wrong.append(
                f"{one[1]} {address} ({one[0]}) is told apart from {nowhere}, which never was"
            )

    def _tells_nothing(self, response: HttpResponse, asked: str) -> None:
        said = content(response) + response.headers.get("Location", "").encode()
        for secret, keys in self.hidden.items():
            if secret in said and not any(key in asked for key in keys):
                self.wrong.append(f"{asked}: tells {secret.decode()!r}")


def draft(tours: list[Tour]) -> str:
    """The whole table as it was found, to be compared with the one that is kept."""
    found = {tour.role: tour.seen for tour in tours}
    lines = [" ".join(found)]
    for route in tours[0].seen:
        lines.append(" ".join(seen[route] for seen in found.values()) + f" | {route}")
    return "\n".join(lines)
