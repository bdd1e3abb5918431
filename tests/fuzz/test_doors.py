"""No request, however made, breaks a page, comes back as markup or spoils what is kept."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.http.cookie import parse_cookie
from django.test import override_settings
from django.urls import clear_url_caches, include, path
from django.utils.html import escape
from hypothesis import find, given
from hypothesis import strategies as st

from assessments.models import Sitting
from assessments.views import carried

from . import hostile
from .conftest import PARTS, WHOLE, fuzzed, of_this_database
from .doors import PART, Request, requests

SHARE = 0.68 if WHOLE else 0.34
"""Of all inputs: half of them are sent on SQLite, the other half on PostgreSQL."""


@pytest.mark.parametrize(
    "part",
    [pytest.param(part, marks=pytest.mark.xdist_group(f"doors{part}")) for part in range(PARTS)],
)
def test_whatever_is_sent_no_door_breaks(part, doors, sent):
    @fuzzed(SHARE / PARTS, of_this_database(part))
    @given(st.data())
    def send(data) -> None:
        sent["inputs"] += 1
        doors.asked(data.draw(requests(doors)))

    send()


@pytest.mark.drawn
@pytest.mark.xdist_group("doors0")
def test_every_address_is_among_the_doors_and_answers(doors):
    assert len(doors.addresses) > 60
    assert {"", "resume/", "c/<str:access>/", "admin/login/"} <= set(doors.addresses)
    parameters = {found[1] or found[2] for each in doors.addresses for found in PART.finditer(each)}
    assert {"access", "part", "number", "cohort_id", "phase_id"} <= parameters
    known = [name for name, forms in doors.forms.items() if "/resume/" in forms]
    assert len(known) == len(doors.cookies)
    assert doors.asked(Request("anybody", "GET", b"/")).status_code == 200
    assert doors.asked(Request("anybody", "GET", b"/nowhere/")).status_code == 404


# --- That it would be found -----------------------------------------------------------------------


def breaks(request, value: str) -> HttpResponse:
    return HttpResponse(len(value.encode("latin-1")))


def sound(request, value: str) -> HttpResponse:
    return HttpResponse(escape(value))


def reflects(request, value: str) -> HttpResponse:
    return HttpResponse(f"<p>{value}</p>")


def unguarded(request, value: str) -> HttpResponse:
    response = HttpResponse(value, content_type="text/plain")
    response["X-Frame-Options"] = "ALLOWALL"
    return response


def leads_out(request, value: str) -> HttpResponse:
    return HttpResponse(status=302, headers={"Location": "//elsewhere.example/"})


def spoils(request, value: str) -> HttpResponse:
    Sitting.objects.filter(finished_on=None).update(answers=b"\xff")
    return HttpResponse("kept")


urlpatterns = [path("", include("readiness.urls"))]


@pytest.mark.drawn
@pytest.mark.xdist_group("doors0")
def test_a_view_that_is_at_fault_is_found(doors, monkeypatch):
    monkeypatch.setattr(doors, "addresses", ["planted/<path:value>"])
    monkeypatch.setattr(doors, "forms", {who: {} for who in doors.forms})

    @fuzzed(500, absolute=True)
    @given(st.data())
    def send(data) -> None:
        doors.asked(data.draw(requests(doors)))

    def found(*views) -> Exception | None:
        planted = [*(path("planted/<path:value>", view) for view in views), *urlpatterns]
        monkeypatch.setattr(f"{__name__}.urlpatterns", planted)
        clear_url_caches()
        try:
            send()
        except Exception as fault:
            return fault
        return None

    with override_settings(ROOT_URLCONF=__name__):
        assert found(sound) is None
        for view in (breaks, reflects, unguarded, leads_out, spoils):
            assert found(view) is not None, view.__name__


@pytest.mark.drawn
@pytest.mark.xdist_group("doors0")
def test_a_fault_behind_a_right_code_is_found(doors, monkeypatch):
    """A number of thousands of digits, which only a code that opens something leads to."""
    monkeypatch.setattr(carried, "DIGITS", 10_000)

    @fuzzed(300, absolute=True)
    @given(st.data())
    def send(data) -> None:
        doors.asked(data.draw(requests(doors, ways=("carried",))))

    with pytest.raises(ValueError, match="digits"):
        send()


@pytest.mark.drawn
def test_what_no_header_may_hold_comes_in_a_cookie():
    def holds_a_key_with_nul(written: str) -> bool:
        read = parse_cookie(f"name={written}")["name"]
        return "\0" in read and len(read) >= 8

    assert find(hostile.COOKIE, holds_a_key_with_nul)
