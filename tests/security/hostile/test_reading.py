"""No header of a request has it read in a way of its own: nothing fails, and no half character,
which no database would keep, comes in."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from django.urls import reverse

from readiness.handler import Handler, Request, content_type

pytestmark = pytest.mark.django_db


def browser() -> Client:
    return Client(headers={"accept-language": "en"})


CODECS = ("utf-7", "unicode_escape", "raw_unicode_escape", "hex", "base64", "rot13", "nosuch")
HALF = rb"+2AA-\ud800"
"""Half a character, in UTF-7 and as Python escapes it."""


def part(value: bytes, disposition: bytes = b'form-data; name="code"') -> bytes:
    head = b"--edge\r\nContent-Disposition: " + disposition + b"\r\n\r\n"
    return head + value + b"\r\n--edge--\r\n"


def request(kind: str, body: bytes = b"", query: str = "") -> Request:
    return Request(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": query,
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
    )


def test_it_is_what_is_served():
    from readiness.wsgi import application

    assert isinstance(application, Handler)


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("text/plain", "text/plain"),
        (" Application/JSON ; charset=utf-16", "application/json"),
        ("multipart/form-data; boundary=edge", 'multipart/form-data; boundary="edge"'),
        (
            'Multipart/Form-Data;charset=hex ; Boundary="----Kit7MA4+=" ; x*=a',
            'multipart/form-data; boundary="----Kit7MA4+="',
        ),
        ("multipart/form-data; boundary=" + "x" * 71, "multipart/form-data"),
        ('multipart/form-data; boundary="a;b"', "multipart/form-data"),
        ("multipart/form-data; boundary=é", "multipart/form-data"),
        ("", ""),
    ],
)
def test_of_a_type_the_boundary_alone_is_kept(told, read):
    assert content_type(told) == read


@pytest.mark.parametrize("codec", CODECS)
def test_a_form_is_read_as_utf_8(codec):
    told = request(f"multipart/form-data; boundary=edge; charset={codec}", part(HALF))
    assert told.POST["code"] == HALF.decode()
    told = request(
        f"application/x-www-form-urlencoded; charset={codec}", b"code=%2B2AA-", "a=%C3%A9"
    )
    assert (told.POST["code"], told.GET["a"]) == ("+2AA-", "é")


@pytest.mark.parametrize(
    "kind",
    [
        "a/b; x*=nosuch''y",
        "a/b; x*=a; x*0=b",
        *(f"a/b; charset={codec}" for codec in CODECS),
        "multipart/form-data",
        "multipart/form-data; boundary=" + "=" * 300,
        "x" * 5_000,
        "é",
    ],
    ids=lambda kind: kind[:40],
)
@pytest.mark.parametrize(
    "path", ["/healthz", "/?" + "&a" * 501, "/?a=b"], ids=["alive", "many", "one"]
)
def test_no_type_of_content_fails(version, kind, path):
    answer = browser().get(path, CONTENT_TYPE=kind)
    assert answer.status_code == 200
    assert "default-src" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("door", ["resume", "group", "account_login", "mfa_login_webauthn"])
def test_no_codec_of_a_form_fails(version, codec, door):
    kind = f"multipart/form-data; boundary=edge; charset={codec}"
    name = {"group": b"access", "account_login": b"login"}.get(door, b"code")
    client = Client(headers={"accept-language": "en"}, enforce_csrf_checks=False)
    sent = part(HALF, b'form-data; name="' + name + b'"')
    assert client.generic("POST", reverse(door), sent, kind).status_code < 500


def test_a_part_that_cannot_be_read_is_refused(version):
    kind = "multipart/form-data; boundary=edge"
    sent = part(b"x", b"form-data; name*=a; name*0=b")
    assert browser().generic("POST", reverse("resume"), sent, kind).status_code == 400


@pytest.mark.parametrize("accept", ["*/*;x*=nosuch''y", "a/b; x*=a; x*0=b", "\xff", ";;", ","])
def test_no_header_of_what_is_wanted_fails(version, accept):
    for client in (browser(), Client(enforce_csrf_checks=True)):
        for path in ("/sitting/scenarios/1/", "/language/", "/resume/", "/healthz"):
            assert client.post(path, headers={"accept": accept}).status_code < 500
    large = browser().post("/resume/", {"code": "x" * 300_000}, headers={"accept": accept})
    assert large.status_code == 413
