"""What every answer says to browsers and caches; what hostile requests are answered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from icalendar import Calendar

from assessments import sittings
from assessments.models import Sitting
from tests.browser.test_catalogue import headers_missing
from tests.conftest import ROOT
from tests.sitting.conftest import Person, address

pytestmark = pytest.mark.django_db

FILLED = {"int": "1", "slug": "a", "str": "a", "uuid": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}


def addresses(
    patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "/"
) -> Iterator[str]:
    """Every address that there is, its parameters filled in with something."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, prefix + filled(str(each.pattern)))
        else:
            yield prefix + filled(str(each.pattern))


def filled(pattern: str) -> str:
    """A route, or a regular expression of Django's own admin, as a path."""
    path = re.sub(r"<(?:(\w+):)?\w+>", lambda found: FILLED.get(found[1] or "str", "1"), pattern)
    return re.sub(r"\(\?P<\w+>.*?\)|[\^$\\]|\.\*", "", path)


ADDRESSES = sorted(set(addresses()))


def test_every_address_is_gone_through():
    assert len(ADDRESSES) > 100
    assert {reverse("landing"), reverse("results"), reverse("admin:login")} <= set(ADDRESSES)


def test_every_answer_carries_the_headers(version):
    """To anybody: a page, a file, a refusal, the way to sign in."""
    client = Client()
    short = {path: headers_missing(client.get(path).headers) for path in ADDRESSES}
    assert {path: missing for path, missing in short.items() if missing} == {}


METHODS = ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PROPFIND", "GETX")


def test_methods_that_nothing_here_understands_are_refused(version):
    client = Client()
    for path in ADDRESSES:
        for method in METHODS:
            answer = client.generic(method, path)
            assert answer.status_code == 405, (method, path)
            assert answer.headers["Allow"] == "GET, HEAD, POST"
            assert headers_missing(answer.headers) == []


@pytest.mark.parametrize(
    "name",
    [
        *("sitting", "results", "workings", "report", "answers", "answers-r4", "reminders"),
        *("calendar", "privacy", "method", "instrument", "strategy", "example", "accessibility"),
    ],
)
def test_what_is_only_read_takes_no_form(name, person, asked):
    person.answer_all(asked)
    person.client.post(reverse("review"))
    assert person.client.post(reverse(name)).status_code == 405


def test_what_acts_acts_by_a_form_alone(person):
    answer = person.client.get(reverse("set_language"))
    assert answer.status_code in {302, 405}
    assert not answer.cookies


# --- Caches and shared computers ------------------------------------------------------------------


def test_a_page_of_ones_own_and_a_public_one_are_kept_by_no_cache(person):
    for path in (address("scenarios", 1), reverse("landing"), reverse("instrument"), "/nowhere/"):
        kept = person.client.get(path).headers["Cache-Control"]
        assert kept == "no-store, private", path


def test_leaving_makes_the_browser_forget(person, asked):
    left = person.client.post(reverse("leave"))
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert left.cookies["readiness_session"].value == ""
    assert "Clear-Site-Data" not in person.client.get(reverse("landing")).headers


def test_erasing_makes_the_browser_forget(person):
    erased = person.client.post(reverse("erase"))
    assert not Sitting.objects.exists()
    assert erased.headers["Clear-Site-Data"] == '"cache", "storage"'


# --- Cookies --------------------------------------------------------------------------------------


def test_every_cookie_is_kept_from_scripts_and_other_sites(person, version):
    client = Client(enforce_csrf_checks=False)
    client.post(reverse("set_language"), {"language": "en"})
    client.get(reverse("resume"))
    client.post(reverse("erase"))  # leaves something to say
    cookies = {**client.cookies, **person.client.cookies}
    assert set(cookies) == {
        "readiness_session",
        "csrftoken",
        "django_language",
        "messages",
    }
    for cookie in cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key
        assert not cookie["domain"], cookie.key
        assert cookie["path"] == "/", cookie.key


ASKED_WITH_HTTPS = """
import django, json, sys
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.utils import setup_test_environment
call_command("check", deploy=True, fail_level="WARNING", verbosity=0)
client = Client(headers={"host": "r.example"})
answers = [
    client.get("/resume/", headers={"x-forwarded-proto": proto})
    for proto in ("https", "http", "")
]
client.post("/language/", {"language": "en"}, headers={"x-forwarded-proto": "https"})
print(json.dumps({
    "cookies": {
        morsel.key: [bool(morsel["secure"]), bool(morsel["httponly"]), morsel["path"],
                     morsel["domain"], morsel["samesite"]]
        for morsel in client.cookies.values()
    },
    "names": [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME,
              settings.LANGUAGE_COOKIE_NAME, settings.MESSAGES_COOKIE_NAME],
    "statuses": [answer.status_code for answer in answers],
    "hsts": answers[0].headers.get("Strict-Transport-Security"),
    "to": answers[1].headers.get("Location"),
}))
"""


def asked_with(address: str, tmp_path, **more: str) -> dict[str, object]:
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASKED_WITH_HTTPS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            **{name: os.environ[name] for name in ("PATH",)},
            "DJANGO_SETTINGS_MODULE": "readiness.settings",
            "READINESS_ADDRESS": address,
            "READINESS_DATA": str(tmp_path),
            **more,
        },
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A folder of data in which the pages find their static files."""
    tmp_path = tmp_path_factory.mktemp("data")
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"],
        cwd=ROOT,
        check=True,
        env={"PATH": os.environ["PATH"], "READINESS_DATA": str(tmp_path)},
    )
    return tmp_path


def with_its_files(test):
    """Django in a process of its own, without a database; one runner collects the files."""
    return pytest.mark.drawn(pytest.mark.xdist_group("hostile http")(test))


@with_its_files
def test_behind_a_proxy_with_https_all_is_held_to_https(collected):
    """``check --deploy`` is clean too."""
    told = asked_with("https://r.example", collected)
    assert told["statuses"] == [200, 301, 301]
    assert told["to"] == "https://r.example/resume/"
    assert told["hsts"] == "max-age=31536000"
    assert all(name.startswith("__Host-") for name in told["names"])
    assert set(told["cookies"]) == set(told["names"][1:3])
    for secure, httponly, path, domain, samesite in told["cookies"].values():
        assert (secure, httponly, path, domain, samesite) == (True, True, "/", "", "Lax")


@with_its_files
def test_subdomains_are_held_to_https_where_their_owner_says_so(collected):
    told = asked_with("https://r.example", collected, READINESS_HSTS_SUBDOMAINS="yes")
    assert told["hsts"] == "max-age=31536000; includeSubDomains"


@with_its_files
def test_who_is_no_trusted_proxy_does_not_say_that_it_is_https(collected):
    told = asked_with("https://r.example", collected, READINESS_PROXIES="0")
    assert told["statuses"] == [301, 301, 301]


# --- Who we are -----------------------------------------------------------------------------------

OURS = "http://127.0.0.1:8000"
"""``READINESS_ADDRESS`` as the tests have it."""

HOSTS = [
    {"host": "evil.example"},
    {"host": "evil.example:80"},
    {"host": "testserver.evil.example"},
    {"host": "testserver@evil.example"},
    {"host": "testserver:evil"},
    {"host": "testserver:80@evil.example"},
    {"host": "testserver/evil"},
    {"host": "testserver?evil"},
    {"host": "testserver#evil"},
    {"host": "testserver, evil.example"},
    {"host": "testserver evil.example"},
    {"host": "evil.example#testserver"},
    {"host": "[::1]evil.example"},
    {"host": "[evil]"},
    {"host": ".testserver"},
    {"host": "testserver\tevil.example"},
    {"host": "ｅvil.example"},
    {"host": '"><script>alert(1)</script>'},
    {"host": "169.254.169.254"},
    {"host": "localhost.evil.example"},
]
BELIEVED_BY_OTHERS = [
    {"x-forwarded-host": "evil.example"},
    {"x-host": "evil.example"},
    {"x-forwarded-server": "evil.example"},
    {"x-original-host": "evil.example"},
    {"x-original-url": "/admin/"},
    {"x-rewrite-url": "/admin/"},
    {"forwarded": "host=evil.example;proto=https"},
    {"x-forwarded-proto": "https"},
    {"x-forwarded-port": "1"},
    {"x-http-method-override": "DELETE"},
    {"x-forwarded-prefix": "/evil"},
    {"host": "localhost"},
]


def test_another_host_s_name_is_refused(client):
    for sent in HOSTS:
        answer = client.get(reverse("landing"), headers=sent)
        assert answer.status_code == 400, sent
        assert "evil" not in answer.text
        assert headers_missing(answer.headers) == []


@pytest.mark.parametrize("sent", BELIEVED_BY_OTHERS, ids=str)
def test_links_codes_and_files_say_our_address_whatever_is_sent(sent, version, asked, monkeypatch):
    """Of those that are let through; a name of this machine is a host as well."""
    drawn = []
    monkeypatch.setattr(
        "assessments.views.joining.qr", lambda link, title: drawn.append(link) or ""
    )
    person = Person()
    person.client.defaults |= {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()
    }
    person.begin()
    assert drawn
    assert {link.partition("#")[0] for link in drawn} == {f"{OURS}/resume/"}
    person.answer_all(asked)
    person.client.post(reverse("review"))
    made = Calendar.from_ical(person.client.get(reverse("calendar-return")).content)
    assert f"{OURS}/resume/" in str(made)
    pages = [person.client.get(reverse(name)) for name in ("results", "leave", "accessibility")]
    assert not [page for page in pages if "evil" in page.text or "evil" in str(page.headers)]


def test_the_link_of_a_group_says_our_address(phase):
    trainer = phase.cohort.trainers.get()
    client = Client(headers={"host": "localhost"})
    trainer.is_superuser = trainer.is_staff = True
    trainer.save()
    client.force_login(trainer)
    page = client.get(reverse("admin:assessments_cohort_change", args=[phase.cohort.pk]))
    assert f"{OURS}/c/{phase.cohort.code}/" in page.text
    assert "http://localhost" not in page.text


def test_no_view_builds_an_address_from_the_request():
    for path in (ROOT / "assessments").rglob("*.py"):
        assert "build_absolute_uri" not in path.read_text(encoding="utf-8"), path


# --- Where a form leads ---------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,evil",
    " https://evil.example",
    "\thttps://evil.example",
    "https://testserver@evil.example",
    "https://evil.example\\@testserver",
    "/\t/evil.example",
    "ftp://testserver/",
    "\x00//evil.example",
    "//evil.example\x00/",
]


def test_the_language_button_leads_nowhere_else(client):
    for there in ELSEWHERE:
        answer = client.post(reverse("set_language"), {"language": "en", "next": there})
        assert answer.headers["Location"] == "/", there
        headers = {"referer": there}
        answer = client.post(reverse("set_language"), {"language": "en"}, headers=headers)
        assert answer.headers["Location"] == "/", there


def test_signing_in_leads_nowhere_else(django_user_model):
    """To where it was asked for, or, asked for another place, to our own."""
    words = {"username": "operator", "password": "a long enough phrase"}
    django_user_model.objects.create_superuser(**words)
    door = resolve_url(settings.LOGIN_URL)
    for there in ELSEWHERE:
        field = {"login": words["username"], **words, "next": there}
        answer = Client().post(door, field, query_params={"next": there})
        location = answer.headers.get("Location", "/")
        assert location.startswith("/"), there
        assert not location.startswith(("//", "/\\")), there


def test_only_we_show_our_pages(client, version):
    headers = client.get(reverse("landing")).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


# --- Bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_form_that_is_too_large_is_said_to_be_and_loses_nothing(language, person, asked):
    item = asked.page("scenarios", 1).items[0]
    person.answer("scenarios", 1, **{f"answer-{item.code}": "b"})
    there = address("scenarios", 1)
    sent = {
        "seen": person.seen("scenarios", 1),
        f"answer-{item.code}": "c",
        "more": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    }
    person.client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    answer = person.client.post(there, sent)
    assert answer.status_code == 413
    assert f'lang="{language}"' in answer.text
    assert headers_missing(answer.headers) == []
    assert sittings.sheet_of(person.sitting).answers[item.code].option == "b"
    by_script = person.client.post(there, sent, headers={"accept": "application/json"})
    assert by_script.status_code == 413
    assert by_script.json()["said"]


@pytest.mark.parametrize(
    "told",
    ["9" * 21, "9" * 5_000, str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)],
    ids=["a long number", "one that Python does not read", "one too many"],
)
def test_a_body_that_says_it_is_too_large_is_not_read(told, client):
    class Unread:
        def read(self, *args):
            raise AssertionError("read")

        readline = read

    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/x"):
        answer = client.generic(
            "POST",
            reverse("resume"),
            CONTENT_LENGTH=told,
            CONTENT_TYPE=kind,
            **{"wsgi.input": Unread()},
        )
        assert answer.status_code == 413


def test_a_file_where_none_is_asked_for_is_not_taken(client, version):
    large = SimpleUploadedFile("x.bin", b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))
    assert client.post(reverse("resume"), {"code": large}).status_code == 413
    small = SimpleUploadedFile("x.bin", b"x" * 1000)
    assert client.post(reverse("resume"), {"code": small}).status_code == 422


def test_too_many_fields_are_refused(client):
    fields = {f"f{number}": "x" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    answer = client.post(reverse("resume"), fields)
    assert answer.status_code == 400
    assert "nothing of it was kept" in answer.text


KINDS = [
    ("application/json", b'{"code": "x"}'),
    ("application/json", b'{"code": '),
    ("text/xml", b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; na"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--"),
    ("multipart/form-data; boundary=" + "x" * 300, b"--x"),
    ("multipart/form-data; boundary=\xff", b"--x"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"code=x"),
    ("application/x-www-form-urlencoded; charset=none", b"code=x"),
    ("application/x-www-form-urlencoded", b"code=%00%ff%ed%a0%80&code=%f0%28"),
    ("application/x-www-form-urlencoded", b"\x00\xff\xfe" * 100),
    ("", b"code=x"),
    ("\x00", b"code=x"),
]


def test_bodies_of_any_kind_are_answered(person):
    doors = ("resume", "group", "start", "landing", "set_language")
    for there in (address("scenarios", 1), *map(reverse, doors)):
        for kind, body in KINDS:
            answer = person.client.generic("POST", there, body, content_type=kind)
            assert answer.status_code < 500, (there, kind, body)


SIGNS = ["\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e\u0000", "İ" * 50, "\ufeff", "🏥" * 400]


@pytest.mark.parametrize("signs", SIGNS, ids=ascii)
def test_signs_that_no_database_takes_are_answered(signs, person, asked):
    """NUL bytes and halves of surrogates, sent as bytes that a browser would not send."""
    raw = "".join(f"%{byte:02x}" for byte in signs.encode("utf-8", "surrogatepass"))
    item = asked.page("scenarios", 1).items[0]
    form = "application/x-www-form-urlencoded"
    for there, field in (
        (reverse("resume"), "code"),
        (reverse("group"), "access"),
        (reverse("start"), "earlier"),
        (reverse("start"), "token"),
        (reverse("set_language"), "language"),
        (reverse("turn"), "number"),
        (address("scenarios", 1), "seen"),
        (address("scenarios", 1), f"answer-{item.code}"),
        (address("scenarios", 1), "language"),
        (reverse("resume"), "carried-page"),
    ):
        answer = person.client.post(there, f"{field}={raw}", content_type=form)
        assert answer.status_code < 500, (there, field)
        answer = person.client.get(f"{there}?{field}={raw}")
        assert answer.status_code < 500, (there, field)
    for path in (f"/c/{raw}/", f"/sitting/{raw}/1/", f"/method/questionnaire-{raw}-fhir-r4.json"):
        assert person.client.get(path).status_code in {302, 404}


COOKIES = [
    settings.SESSION_COOKIE_NAME,
    settings.CSRF_COOKIE_NAME,
    settings.LANGUAGE_COOKIE_NAME,
    settings.MESSAGES_COOKIE_NAME,
]


@pytest.mark.parametrize("name", COOKIES)
@pytest.mark.parametrize("value", [r'"\000aaaaaaaaa"', r'"fr\000\355\240\200\377"'])
def test_cookies_that_no_database_takes_are_answered(name, value, client, version):
    """Written in octal, as Django reads them: the server refuses a plain NUL in a header."""
    for there in ("landing", "sitting", "results", "account_login", "admin:index"):
        answer = client.get(reverse(there), headers={"cookie": f"{name}={value}"})
        assert answer.status_code in {200, 302}, there
    for there, sent in (
        ("landing", {}),
        ("resume", {"code": "2222-2222-2222-2222"}),
        ("set_language", {"language": "en"}),
    ):
        answer = client.post(reverse(there), sent, headers={"cookie": f"{name}={value}"})
        assert answer.status_code in {302, 422}, there


PATHS = [
    "/static/../readiness/settings.py",
    "/static/..%2freadiness%2fsettings.py",
    "/static/%2e%2e/%2e%2e/etc/passwd",
    "/static/....//....//etc/passwd",
    "/static//etc/passwd",
    "/static/\\..\\..\\etc\\passwd",
    "/static/%00",
    "/../../etc/passwd",
    "/.git/config",
    "/var/db.sqlite3",
    "/secret_key",
    "/method/questionnaire-..%2f..%2fetc%2fpasswd-fhir-r4.json",
    "/c/..%2f..%2fadmin/",
    "/.well-known/../admin/",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_to_a_file(path, client, version):
    answer = client.get(path)
    assert answer.status_code in {302, 404}
    assert "SECRET_KEY" not in answer.text
    assert "root:" not in answer.text
