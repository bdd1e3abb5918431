"""What is planted in one place comes up in no other.

A person answers, a trainer and judges work, all of it through HTTP and with everything printed;
then every other role asks for every address. What was written on the way – pages, headers,
addresses, files, logs, every column of every table, the folder of data – is searched for what was
planted.
"""

from __future__ import annotations

import io
import json
import logging
import random
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, override_settings
from django.urls import reverse
from django_tasks_db.management.commands import db_worker

from assessments import codes, cohort_exports, limits, press, releases, sittings
from assessments.models import Job, Phase, Sitting, StandardStudy
from assessments.views import joining
from readiness.log_lines import JsonLine
from tests.conftest import QUICK
from tests.sitting.conftest import answers as fields_of
from tests.sitting.conftest import seen_on
from tests.staff.conftest import digits

from .canaries import Canary, leaks
from .matrix import addresses, routes
from .world import World

# One runner tells the story.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("canaries")]

PASSWORD = "grebe tundra 5 kestrel"
WRONG = "heron fjord 6 plover"
CHOSEN = "dunlin esker 7 whimbrel"
WHEN, WILL, TOGETHER = "quand-zibeline-7041", "verbe-ocelot-8152", "avec-bergeronnette-9263"
NOTES = "debat-nyctalope-1374"
FAMILY, MAIL = "Zborowska9914", "wielopolska4471@canary.example"
SECRET = "a-secret-key-that-stands-nowhere-3817265409"


class Traces(list[tuple[str, bytes]]):
    """What was left behind: places, and what lies there."""

    def add(self, place: str, content: object) -> None:
        self.append((place, content if isinstance(content, bytes) else str(content).encode()))

    def answer(self, who: str, path: str, response) -> None:
        name = where(path)
        body = b"".join(response) if response.streaming else response.content
        self.add(f"page {who} {name}", body)
        self.add("address", urllib.parse.unquote(path))
        for header, value in response.headers.items():
            if header == "Location":
                self.add("address", urllib.parse.unquote(value))
            else:
                self.add(f"header {header}", value)
        for cookie in response.cookies.values():
            self.add(f"cookie {cookie.key}", cookie.value)
            if cookie.key == "messages":
                self.add(f"page {who} {name}", unescape(cookie.value))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            for link in re.findall(rb'(?:href|src|action)="([^"]*)"', body):
                self.add("address", urllib.parse.unquote(unescape(link.decode())))


def where(path: str) -> str:
    """The name of a page: its address without keys and codes."""
    plain = re.sub(r"/c/[^/]+/", "/c/CODE/", path.partition("?")[0])
    plain = re.sub(r"/welcome/[^/]+/[^/]+/", "/welcome/WHO/TOKEN/", plain)
    return re.sub(r"(?<=/)[vd]?\d+(?=/|$)", "N", plain)


class Watched(Client):
    """A browser whose answers are kept."""

    def __init__(self, traces: Traces, who: str) -> None:
        super().__init__(headers={"accept-language": "en"}, raise_request_exception=False)
        self.traces, self.who = traces, who

    def request(self, **request):
        response = super().request(**request)
        query = request.get("QUERY_STRING", "")
        self.traces.answer(
            self.who, request["PATH_INFO"] + ("?" + query if query else ""), response
        )
        return response


class Kept(logging.Handler):
    def __init__(self, traces: Traces) -> None:
        super().__init__(logging.DEBUG)
        self.traces = traces
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "django.template":
            return  # at DEBUG it tells all that a page knew: that it is not on is tested apart
        self.traces.add(f"log {record.name}", self.format(record))
        self.traces.add(f"log {record.name}", JsonLine().format(record))


@dataclass
class Story:
    """Everything that happens, and what it leaves."""

    world: World
    traces: Traces = field(default_factory=Traces)
    code: str = ""
    code_of_another: str = ""

    def run(self) -> None:
        self.person()
        self.failing()
        self.trainers()
        self.panel()
        self.operator()
        self.worker()
        self.others()
        self.tables()
        self.folder()

    # --- A person ---------------------------------------------------------------------------------

    def person(self) -> None:
        person = self.browser = Watched(self.traces, "person")
        self.code = self.begin(person, reverse("cohort", args=(self.world.a.cohort.code,)))
        self.key = person.session["sitting"]
        self.cookies = {person.cookies[settings.SESSION_COOKIE_NAME].value}
        chance = random.Random(41)
        asked = sittings.questionnaire_of(sitting := Sitting.objects.get(pk=self.key))
        scale = [each.code for each in asked.instrument.confidence_scale]
        for number, page in enumerate(asked.pages):
            there = reverse("page", kwargs={"part": page.part, "number": page.number})
            seen = seen_on(person.get(there).text)
            sent = fields_of(asked, page, chance.choice("abcd"), chance.choice(scale))
            for name in [name for name in sent if name.startswith("answer-")]:
                sent[name] = chance.choice("abcd")
            for name in [name for name in sent if name.startswith("rating-")]:
                sent[name] = chance.choice("12345")
            person.post(there, {"seen": seen, **sent})
            if number == 2:  # a pause, and back on another device
                person.post(reverse("leave"))
                person.post(reverse("resume"), {"code": self.code.lower()})
                self.cookies.add(person.cookies[settings.SESSION_COOKIE_NAME].value)
        sitting.refresh_from_db()
        self.answers = bytes(sitting.answers)
        assert any(self.answers)
        person.get(reverse("review"))
        person.post(reverse("review"))
        forms = person.get(reverse("plans")).context["forms"]
        step = forms[0][0].code
        plan = {f"{step}-when": WHEN, f"{step}-will": WILL, f"{step}-together_with": TOGETHER}
        person.post(reverse("plans"), plan | {f"{step}-keep": "on", f"{step}-before": "2099-01-01"})
        for name in (
            "results", "workings", "plans", "report", "answers", "answers-r4", "answers-r5",
            "reminders", "calendar", "calendar-return", "certificate", "erase", "leave", "again",
            "turn", "landing", "privacy", "method",
        ):  # fmt: skip
            person.get(reverse(name))
        for number in (1, 2, 3):
            person.get(reverse("explained", args=(number,)))
        person.post(reverse("certificate"), {"results": "on", "group": "on"})
        another = Watched(self.traces, "another")
        self.code_of_another = self.begin(another, "/")
        another.post(reverse("erase"))

    def begin(self, browser: Client, door: str) -> str:
        browser.get(door)
        browser.post(reverse("group"), {"access": self.world.a.cohort.code})
        browser.post(door)
        browser.post(reverse("notice"))
        shown = browser.get(reverse("start"))
        code = re.search(r'resume-code code"[^>]*>([^<]+)<', shown.text)[1]
        browser.post(reverse("start"), {"token": shown.context["form"].initial["token"]})
        return codes.normalised(code, codes.RESUME_LENGTH)

    def failing(self) -> None:
        """A failure of ours while codes and answers are on their way."""
        with mock.patch.object(joining, "of_code", side_effect=RuntimeError("an incident")):
            failed = self.browser.post(reverse("resume"), {"code": self.code})
        assert failed.status_code == 500
        with mock.patch.object(joining, "phase_to_join", side_effect=RuntimeError("another")):
            self.browser.get(reverse("cohort", args=(self.world.a.cohort.code,)))
        self.browser.post(reverse("resume"), {"code": self.code + "2"})
        self.browser.get("/nowhere/")
        checked = Watched(self.traces, "person")
        checked.handler.enforce_csrf_checks = True
        checked.post(reverse("resume"), {"code": self.code})
        checked.post("/sitting/scenarios/1/", {"seen": "x", "answer-x": "a"})

    # --- Those who work with it -------------------------------------------------------------------

    def sign_in(self) -> Watched:
        """The trainer comes, adds an app, and comes back with what it shows."""
        desk = Watched(self.traces, "trainer")
        door, inside = reverse("account_login"), reverse("admin:index")
        for password in (WRONG, PASSWORD):
            desk.post(door, {"login": "trainer", "password": password, "next": inside})
        app = reverse("mfa_activate_totp")
        self.seed = desk.get(app).context["form"].secret
        with mock.patch.object(transaction, "on_commit", lambda do, **_more: do()):
            added = desk.post(app, {"code": digits(self.seed)})
        assert added.status_code == 302, added.context["form"].errors
        shown = desk.get(reverse("mfa_view_recovery_codes"))
        self.recovery = list(shown.context["unused_codes"])
        self.cookies_of_staff = {desk.cookies[settings.SESSION_COOKIE_NAME].value}
        desk.post(reverse("admin:logout"))
        desk.post(door, {"login": "trainer", "password": PASSWORD, "next": inside})
        desk.post(reverse("mfa_authenticate"), {"code": self.recovery[0]})
        assert desk.get(inside).status_code == 200
        self.cookies_of_staff.add(desk.cookies[settings.SESSION_COOKIE_NAME].value)
        return desk

    def operator(self) -> None:
        """Somebody who has lost their password is given a link; the journal is read and taken."""
        operator = self.as_(self.world.staff["operator"], "operator")
        link = reverse("admin:auth_user_link", args=(self.world.newcomer.pk,))
        operator.get(link)
        given = operator.post(link).context["address"].removeprefix(settings.PUBLIC_ADDRESS)
        self.token = given.split("/")[-2]
        newcomer = Watched(self.traces, "newcomer")
        led = newcomer.get(given).headers["Location"]
        newcomer.get(led)
        chosen = {"new_password1": CHOSEN, "new_password2": CHOSEN}
        assert newcomer.post(led, chosen).status_code == 302
        journal = reverse("admin:assessments_event_changelist")
        operator.get(journal)
        for form in ("csv", "jsonl"):
            assert operator.get(f"{journal}readiness-journal.{form}").status_code == 200

    def trainers(self) -> None:
        half = self.world.a
        desk = self.sign_in()
        for _person in range(14):
            self.world.sitting(half.open, finished=True)
        with mock.patch.object(releases, "LONG", 5):
            desk.get(self.under("close", half.open))
            desk.post(self.under("close", half.open))
            self.worker()
            desk.get(self.under("results", half.open))
        with (
            mock.patch.object(cohort_exports, "LONG", 5),
            mock.patch("assessments.jobs.PATIENCE", 0.0),
        ):
            for name in cohort_exports.NAMES:
                desk.get(self.under("export", half.open, name))
            self.worker()
            for job in Job.objects.filter(phase=half.open, work=Job.Work.EXPORT):
                desk.get(self.under("job", half.open, job.pk))
                desk.get(self.under("job_file", half.open, job.pk))
        for phase in (half.closed, half.open):
            for page in ("results", "situations"):
                desk.get(self.under(page, phase))
            for name in cohort_exports.NAMES:
                desk.get(self.under("export", phase, name))
        for page in ("poster", "qualiopi", "change", "history"):
            desk.get(reverse(f"admin:assessments_cohort_{page}", args=(half.cohort.pk,)))
        desk.get(reverse("admin:assessments_cohort_changelist"))

    def under(self, page: str, phase: Phase, *more: object) -> str:
        return reverse(f"admin:assessments_cohort_{page}", args=(phase.cohort_id, phase.pk, *more))

    def panel(self) -> None:
        study = self.world.a.study
        author = self.as_(self.world.author, "author")
        there = "admin:assessments_standardstudy_"
        author.get(reverse(f"{there}change", args=(study.pk,)))
        StandardStudy.objects.filter(pk=study.pk).update(state="discussion")
        author.post(reverse(f"{there}notes", args=(study.pk,)), {"notes": NOTES})
        for state in ("round-2", "abandoned"):
            author.post(reverse(f"{there}move", args=(study.pk, state)))
        for page in ("notes", "figures", "evidence", "change", "history"):
            author.get(reverse(f"{there}{page}", args=(study.pk,)))
        judge = self.as_(self.world.a.judge, "judge")
        for page in ("change", "instructions", "practice"):
            judge.get(reverse(f"{there}{page}", args=(study.pk,)))

    def as_(self, user: User, who: str) -> Watched:
        browser = Watched(self.traces, who)
        browser.cookies = self.world.signed_in(user).cookies
        return browser

    def worker(self) -> None:
        said = io.StringIO()
        call_command("worker", batch=True, stdout=said, stderr=said)
        call_command("purge", stdout=said, stderr=said)
        self.traces.add("console", said.getvalue())

    # --- Everybody else ---------------------------------------------------------------------------

    def others(self) -> None:
        """Every address, as everybody who has no part in it, and as who administers."""
        with mock.patch("assessments.press.pdf", return_value=b"%PDF-"):
            for role in LOOKING:
                browser = Watched(self.traces, role)
                browser.cookies = self.world.browsers[role].cookies
                for route in routes().values():
                    _named, address = next(addresses(self.world, route))
                    with transaction.atomic():
                        browser.get(address)
                        transaction.set_rollback(True)

    # --- What is kept -----------------------------------------------------------------------------

    def tables(self) -> None:
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                names = [column[0] for column in cursor.description]
                for row in cursor.fetchall():
                    for name, value in zip(names, row, strict=True):
                        held = bytes(value) if isinstance(value, memoryview) else value
                        self.traces.add(f"table {table}.{name}", held)
        for session in Session.objects.all():
            self.traces.add("session", json.dumps(session.get_decoded()))

    def folder(self) -> None:
        for path in (Path(settings.DATA_DIR), Path(settings.STATIC_ROOT)):
            for file in path.rglob("*"):
                if file.is_file() and not file.name.startswith("test"):
                    self.traces.add(f"file {file.name}", file.read_bytes())
                    self.traces.add("file name", file.name)


LOOKING = (
    "visitor", "finished", "grouped", "stranger", "former", "author", "judge", "outsider",
    "unproven", "clerk", "operator", "superuser",
)  # fmt: skip


def counted(limit: limits.Limit, who: object, now: int) -> int:
    """Tries are counted as ever, and nobody is kept waiting."""
    really_spent(limit, who, now)
    return 0


really_spent = limits._spent


def plant(world: World) -> None:
    """The trainer's own name, address and password."""
    trainer = world.a.trainer
    Authenticator.objects.filter(user=trainer).delete()
    User.objects.filter(pk=trainer.pk).update(last_name=FAMILY, email=MAIL)
    trainer.refresh_from_db()
    trainer.set_password(PASSWORD)
    trainer.save()


@pytest.fixture(scope="module")
def story(django_db_setup, django_db_blocker) -> Iterator[Story]:
    traces = Traces()
    console = io.StringIO()
    handlers = [
        handler
        for name in ("", "django")
        for handler in logging.getLogger(name).handlers
        if type(handler) is logging.StreamHandler
    ]
    kept = Kept(traces)
    loggers = [
        logging.getLogger(),
        *(each for each in logging.Logger.manager.loggerDict.values() if hasattr(each, "level")),
    ]
    levels = {logger: logger.level for logger in loggers}
    with ExitStack() as stack:
        enter = stack.enter_context
        enter(django_db_blocker.unblock())
        enter(override_settings(**QUICK, SECRET_KEY=SECRET))
        enter(mock.patch.object(db_worker, "close_old_connections"))
        enter(mock.patch.object(db_worker.Worker, "configure_signals"))
        enter(mock.patch("assessments.limits._spent", counted))
        enter(mock.patch.dict("assessments.views.health.CHECKS", clear=True))
        enter(transaction.atomic())
        stack.callback(transaction.set_rollback, True)
        world = World()
        plant(world)
        for handler in handlers:
            enter(mock.patch.object(handler, "stream", console))
            enter(mock.patch.object(handler, "level", logging.WARNING))  # as it is configured
        for logger in loggers:
            if logger.level or logger.name == "root":
                logger.setLevel(logging.DEBUG)
            if not logger.propagate:
                logger.addHandler(kept)
        logging.getLogger().addHandler(kept)
        made = Story(world, traces)
        try:
            made.run()
        finally:
            for logger, level in levels.items():
                logger.setLevel(level)
                logger.removeHandler(kept)
        traces.add("console", console.getvalue())
        yield made


OWN = r"page person /(results|sitting|code|resume).*"
TRAINERS = r"page (trainer|superuser) /admin/.*"


def planted(story: Story) -> list[Canary]:
    """What was planted, where it may be, and why."""
    cohort = story.world.a.cohort
    kept_as_session = {
        r"cookie readiness_session": "it is the cookie",
        r"table django_session\.session_key": "it is what the cookie is looked up by",
    }
    intention = {
        r"table assessments_sitting\.plans": "kept for its person",
        r"page person /results/(steps/|readiness-(report\.pdf|answers\.json))?": "their own",
        r"page person /results/(reminders/|readiness-steps\.ics)": "their own calendar",
    }
    named = {
        r"table assessments_cohort\.name": "it is kept there",
        r"table assessments_event\.subject": "the journal says which group",
        r"table django_admin_log\.(object_repr|change_message)": "a trainer’s own last acts",
        r"table assessments_job\.file": "an export, for its day",
        TRAINERS: "their own group, or who administers groups",
        r"page operator /admin/assessments/event/.*": "the journal says which group",
        r"page trainer /admin/.*\.(pdf|csv|json|xlsx)( metadata| name)?": "their own export",
    }
    return [
        Canary("resume code", story.code.encode(), {
            r"page person /code/": "shown once",
            r"page person /resume/": "what was mistyped is shown back to be mended",
        }),
        Canary("erased person’s code", story.code_of_another.encode(), {
            r"page another /code/": "shown once",
        }),
        *(Canary("session of a person", each.encode(), kept_as_session) for each in story.cookies),
        *(
            Canary("session of a trainer", each.encode(), kept_as_session)
            for each in story.cookies_of_staff
        ),
        Canary("key of the sitting", str(story.key).encode(), {
            r"table assessments_sitting\.id": "it is its key",
            r"session": "the browser holds it by its key",
        }),
        Canary("answers", story.answers, {r"table assessments_sitting\.answers": "kept there"}),
        Canary("when", WHEN.encode(), intention),
        Canary("will", WILL.encode(), intention),
        Canary("together with", TOGETHER.encode(), intention),
        Canary("group’s code", cohort.code.encode(), {
            r"table assessments_cohort\.code": "it is kept there",
            r"address": "it is the group’s link, which a trainer prints",
            r"page (person|another|visitor|\w+) /(c/CODE|group)/": "whoever has the link",
            TRAINERS: "to be given to the group",
        }),
        Canary("group’s name", cohort.name.encode(), named | {
            r"page \w+ /c/CODE/": "whoever has the link sees whose group it is",
            r"page (person|grouped) /results/certificate/": "where the person lets it show",
                r"page (person|grouped) /results/readiness-answers\.json": "their own data",
        }),
        Canary("trainer’s name", FAMILY.encode(), {
            r"table auth_user\.last_name": "it is kept there",
            r"page (trainer|superuser) /admin/assessments/cohort/N/history/": "who did it",
            r"page (superuser|operator) /admin/auth/.*": "accounts are theirs to see",
        }),
        Canary("trainer’s address", MAIL.encode(), {
            r"table auth_user\.email": "it is kept there",
        }),
        Canary("password", PASSWORD.encode(), {}),
        Canary("mistyped password", WRONG.encode(), {}),
        Canary("chosen password", CHOSEN.encode(), {}),
        Canary("link’s token", story.token.encode(), {
            r"page operator /admin/auth/user/N/link/": "shown once, to be passed on",
            r"address": "it is the link, which is good once",
        }),
        Canary("seed of an app", story.seed.encode(), {
            r"page trainer /staff/security/app/": "for the app to take",
        }),
        *(
            Canary("recovery code", each.encode(), {
                r"page trainer /staff/security/codes/": "shown once",
            })
            for each in story.recovery
        ),
        Canary("notes of the panel", NOTES.encode(), {
            r"table assessments_standardstudy\.notes": "they are kept there",
            r"page (author|turncoat|superuser|judge|resigned) /admin/assessments/standardstudy/.*":
                "for the panel and who runs it",
        }),
        Canary("secret key", SECRET.encode(), {}),
    ]  # fmt: skip


PLACES = {
    "log django.request",
    "log readiness.requests",
    "console",
    "table assessments_event.subject",
    "table assessments_tally.key",
    "table assessments_tombstone.key",
    "table assessments_upkeep.name",
    "table mfa_authenticator.data",
}
"""Where something lay that might have held one of them."""


def test_nothing_is_where_it_may_not_be(story):
    wrong, right = leaks(planted(story), story.traces)
    assert not wrong, "\n".join(sorted(wrong))
    # What is searched for is found where it belongs: a search that finds nothing proves nothing.
    for name in (
        "resume code: page person /code/",
        "answers: table assessments_sitting.answers",
        "key of the sitting: session",
        "will: page person /results/readiness-report.pdf",
        "when: page person /results/readiness-answers.json",
        "group’s code: table assessments_cohort.code",
        "group’s name: page trainer /admin/assessments/cohort/N/phases/N/results/results.xlsx",
        "group’s name: page trainer /admin/assessments/cohort/N/phases/N/results/results.pdf",
        "trainer’s address: table auth_user.email",
        "group’s name: page operator /admin/assessments/event/readiness-journal.csv",
        "link’s token: page operator /admin/auth/user/N/link/",
        "seed of an app: page trainer /staff/security/app/",
        "recovery code: page trainer /staff/security/codes/",
        "notes of the panel: table assessments_standardstudy.notes",
    ):
        assert name in right
    assert len(story.traces) > 3_000
    assert {place for place, _content in story.traces} >= PLACES


def test_what_is_told_at_the_level_of_debugging_is_not_on():
    for name in ("django.template", "django.db.backends", "assessments", "weasyprint", ""):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING, name


def test_of_the_code_only_its_keyed_hash_is_kept(story):
    kept = [bytes(each) for each in Sitting.objects.values_list("code_hash", flat=True)]
    assert codes.hashed(story.code, SECRET) in kept
    assert codes.hashed(story.code, "another key") not in kept


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda code: code,
        str.lower,
        codes.grouped,
        lambda code: codes.grouped(code).lower(),
        lambda code: json.dumps({"code": code}),
        lambda code: urllib.parse.quote(codes.grouped(code)),
        lambda code: code.encode().hex(),
        lambda code: __import__("base64").b64encode(f"x{code}".encode()).decode(),
        lambda code: __import__("base64").urlsafe_b64encode(f"xy{code}z".encode()).decode(),
    ],
)
@pytest.mark.parametrize(
    "packed",
    [
        lambda text: text.encode(),
        lambda text: __import__("gzip").compress(text.encode()),
        lambda text: __import__("zlib").compress(text.encode()),
        lambda text: in_zip(text),
        lambda text: press.pdf(f"<html lang='en'><title>t</title><p>{text}"),
    ],
    ids=["plain", "gzip", "zlib", "zip", "pdf"],
)
def test_a_leak_is_found_however_it_is_written_and_packed(wrapped, packed):
    code = "ABCD2345WXYZ6789"
    found, _ = leaks([Canary("code", code.encode(), {})], [("somewhere", packed(wrapped(code)))])
    assert found == {"code: somewhere"}


def in_zip(text: str) -> bytes:
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("inner.xml", text)
    return made.getvalue()


def test_a_leak_of_ours_would_be_found(story):
    """A view that logs, redirects, stores and shows what it must not."""

    def careless(code: str):
        logging.getLogger("assessments.views").warning("opened by %s", code)
        return []

    traces = Traces()
    kept = Kept(traces)
    logging.getLogger("assessments").addHandler(kept)
    try:
        with mock.patch.object(joining, "of_code", careless):
            Watched(traces, "visitor").post(reverse("resume"), {"code": story.code})
    finally:
        logging.getLogger("assessments").removeHandler(kept)
    with mock.patch.object(joining, "redirect", return_value=redirected(story)):
        Watched(traces, "visitor").post(reverse("landing"))
    wrong, _right = leaks(planted(story), traces)
    assert "resume code: log assessments.views" in wrong
    assert "resume code: address" in wrong


def redirected(story: Story):
    from django.http import HttpResponseRedirect

    return HttpResponseRedirect(f"/resume/?code={codes.grouped(story.code).lower()}")


def test_the_groups_code_leaves_by_no_referer(story):
    """The link of a group holds its code: other sites are not told of it, nor is anything fetched
    from them."""
    page = story.world.browser().get(reverse("cohort", args=(story.world.a.cohort.code,)))
    assert page.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    outside = re.findall(r'(?:src|srcset)="(?:https?:)?//[^"]*"', page.text)
    assert outside == []
