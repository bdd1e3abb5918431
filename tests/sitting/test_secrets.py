"""No code, key or answer where it does not belong: address, log, Referer, another's page."""

import logging
from io import StringIO

from django.urls import reverse

from assessments import codes
from assessments.views import joining

from .conftest import Person, address


def test_codes_and_keys_stand_in_no_address_that_is_visited(phase, asked, monkeypatch):
    person = Person()
    visited: list[str] = []
    request = person.client.request

    def recorded(**environ):
        visited.append(environ["PATH_INFO"] + "?" + environ.get("QUERY_STRING", ""))
        response = request(**environ)
        visited.append(response.headers.get("Location", ""))
        return response

    monkeypatch.setattr(person.client, "request", recorded)
    person.begin(reverse("cohort", kwargs={"access": phase.cohort.code}))
    person.answer_all(asked)
    person.client.post(reverse("review"))
    key = str(person.sitting.pk)
    code = codes.normalised(person.code, codes.RESUME_LENGTH)
    person.client.post(reverse("leave"))
    person.client.post(reverse("resume"), {"code": person.code})
    assert len(visited) > 60
    for address_ in visited:
        assert key not in address_
        assert code not in address_.upper().replace("-", "")


def test_the_page_says_same_origin_and_forbids_inline_scripts(person):
    headers = person.see("scenarios", 1).headers
    assert headers["Referrer-Policy"] == "same-origin"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


def test_pages_carry_no_inline_style_or_script(person, asked):
    pages = [person.see(page.part, page.number).text for page in asked.pages]
    pages += [person.client.get(reverse(name)).text for name in ("review", "resume", "leave")]
    for text in pages:
        assert " style=" not in text
        assert "<style" not in text
        assert "<script>" not in text
        assert " onclick=" not in text


def test_logs_hold_no_group_code(client, phase, monkeypatch):
    """A failure of ours is logged, without the group's code that its address holds."""

    def failing(*args, **kwargs):
        raise RuntimeError("nothing of the request")

    monkeypatch.setattr(joining, "phase_to_join", failing)
    (handler,) = [
        each for each in logging.getLogger("django").handlers if type(each) is logging.StreamHandler
    ]
    written = StringIO()
    monkeypatch.setattr(handler, "stream", written)
    client.raise_request_exception = False
    assert client.get(reverse("cohort", args=[phase.cohort.code])).status_code == 500
    logged = written.getvalue()
    assert "Internal Server Error: /c/…/" in logged
    assert phase.cohort.code not in logged


def test_the_session_cookie_is_kept_from_scripts_and_ends_with_the_browser(person):
    cookie = person.client.cookies["readiness_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["max-age"]
    assert not cookie["expires"]


def test_one_person_never_sees_another(person, asked, version):
    other = Person()
    other.begin()
    item = asked.page("scenarios", 1).items[0]
    person.answer("scenarios", 1, **{f"answer-{item.code}": "d"})
    assert "checked" in person.see("scenarios", 1).text
    assert "checked" not in other.see("scenarios", 1).text
    assert other.client.get(address("scenarios", 1)).status_code == 200
