"""Nobody gets anything that ``matrix.txt`` does not give them.

Every address of the URL resolver, for every role, by every method, with objects of one's own, of
others, crossed, and that never were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.test import override_settings
from django.urls import get_resolver, path, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from assessments.models import Cohort, Event, Phase
from tests.conftest import AUDIT

from .matrix import OTHERS, Row, Table, TableError, Tour, draft, indistinct, read, routes, table
from .world import NOWHERE

# One runner makes the world.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("matrix")]
TABLE = table()
LEAST = 1_000 if AUDIT else 500
"""Checks of each role: a tour that goes nowhere finds nothing."""


@pytest.mark.parametrize("role", TABLE.roles)
def test_a_role_gets_what_the_table_says_and_nothing_else(world, bodies, role):
    tour = Tour(world, role, TABLE, bodies).run()
    assert not tour.wrong, "\n".join(tour.wrong)
    assert sum(tour.checks.values()) >= LEAST


def test_every_address_has_a_row_and_every_row_an_address(world, bodies):
    missing = routes().keys() - TABLE.rows.keys()
    if missing:
        tours = [Tour(world, role, TABLE, bodies).run(missing.__contains__) for role in TABLE.roles]
        pytest.fail(
            "Addresses without a row in tests/security/matrix.txt. As they answer today, which is "
            f"not to say that they should:\n\n{draft(tours)}\n\nRead each cell, then add the line "
            "under its prefix. A parameter that is new is told in matrix.values, a body in Bodies."
        )
    assert TABLE.rows.keys() - routes().keys() == set(), "rows of addresses that are no more"


def test_every_role_has_a_column(world, bodies):
    missing = world.browsers.keys() - set(TABLE.roles)
    if missing:
        tours = [Tour(world, role, TABLE, bodies).run() for role in sorted(missing)]
        pytest.fail(f"Roles without a column in tests/security/matrix.txt:\n\n{draft(tours)}")
    assert set(TABLE.roles) <= world.browsers.keys()


@pytest.mark.parametrize("role", ["newcomer", "author", "operator", "superuser"])
def test_where_a_second_factor_is_required_nobody_gets_in_without(world, bodies, role):
    """As the table says of somebody who has not signed in, but at the door."""
    left_out = ("admin/login/", "admin/logout/", "staff/")

    def behind(route: str) -> bool:
        return route.startswith("admin/") and not route.startswith(left_out)

    rows = {route: Row(route, {role: row.cells["visitor"]}) for route, row in TABLE.rows.items()}
    with override_settings(SECOND_FACTOR="required"):
        tour = Tour(world, role, Table((role,), rows), bodies).run(behind)
        _response, letter = tour.ask("GET", "/admin/login/")
    assert not tour.wrong, "\n".join(tour.wrong)
    assert letter == "L"
    assert set(tour.seen.values()) == {"II", "NN"}


def test_a_link_for_a_password_does_not_tell_which_accounts_there_are(world):
    client = world.browser()
    told = set()
    for key in (world.a.trainer.pk, NOWHERE):
        there = reverse("staff_welcome", args=(urlsafe_base64_encode(force_bytes(key)), "0-0"))
        told.add(indistinct(client.get(there), there).__repr__())
    assert len(told) == 1


@pytest.mark.parametrize("method", OTHERS)
@pytest.mark.parametrize("path", ["/static/tokens.css", "/nowhere"])
def test_a_method_is_refused_before_anything_is_looked_up(world, path, method):
    answer = world.browser().generic(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert "default-src" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    "row",
    ["SS | b/", "SS SS SS | b/", "SS S? | b/", "SS SS | a/"],
    ids=["a role is not told", "one too many", "no such letter", "told twice"],
)
def test_a_table_that_is_not_whole_is_not_read(row):
    assert read("one two\nSS NN | a/").rows["a/"].cells == {"one": "SS", "two": "NN"}
    with pytest.raises(TableError):
        read(f"one two\nSS NN | a/\n{row}")


# --- The matrix itself is tried: each class of hole is found --------------------------------------

COHORT = "admin/assessments/cohort/"
UNDER = f"{COHORT}<int:cohort_id>/"
PHASE = f"{UNDER}phases/<int:phase_id>/"


@contextmanager
def served_by(route: str, view) -> Iterator[None]:
    """That address is answered by another view."""
    urls = ModuleType("urls_with_a_hole")
    urls.urlpatterns = [path(route, view), *get_resolver(settings.ROOT_URLCONF).url_patterns]
    with override_settings(ROOT_URLCONF=urls):
        yield


def found(world, bodies, route: str, role: str) -> str:
    return "\n".join(Tour(world, role, TABLE, bodies, whole=True).run(route.__eq__).wrong)


def unguarded(name: str):
    """One of our pages without :func:`assessments.admin.access.for_its_trainers`."""
    made = admin.site._registry[Cohort]
    return lambda request, of, **more: getattr(type(made), name).__wrapped__(
        made, request, of, **more
    )


def test_a_page_without_sign_in_is_found(world, bodies):
    def hole(request, cohort_id):
        return HttpResponse(get_object_or_404(Cohort, pk=cohort_id).name)

    with served_by(f"{UNDER}leave/", hole):
        wrong = found(world, bodies, f"{UNDER}leave/", "visitor")
    assert "(A): S, and the table says I" in wrong
    assert "tells 'Ward Alizarin'" in wrong


def test_a_page_of_anybodys_cohort_is_found(world, bodies):
    leave = unguarded("leave_view")

    def hole(request, cohort_id):
        return leave(request, get_object_or_404(Cohort, pk=cohort_id))

    with served_by(f"{UNDER}leave/", admin.site.admin_view(hole)):
        for role in ("stranger", "former", "newcomer", "trainer"):
            wrong = found(world, bodies, f"{UNDER}leave/", role)
            assert "S, and the table says N" in wrong
            assert "tells 'Ward Alizarin'" in wrong or role == "trainer"
        assert "the table says F" in found(world, bodies, f"{UNDER}leave/", "clerk")


def test_a_foreign_phase_under_ones_own_cohort_is_found(world, bodies):
    results = unguarded("results_view")

    def hole(request, cohort_id, phase_id):
        get_object_or_404(Cohort, pk=cohort_id, trainers=request.user)
        return results(request, get_object_or_404(Phase, pk=phase_id))

    with served_by(f"{PHASE}results/", admin.site.admin_view(hole)):
        wrong = found(world, bodies, f"{PHASE}results/", "trainer")
    assert "(A with phase_id of B): S, and the table says N" in wrong
    assert "tells 'Clinic Bergamot'" in wrong


def test_an_act_by_a_mere_link_is_found(world, bodies):
    guarded = admin.site._registry[Cohort].pause_view
    with served_by(f"{PHASE}pause/", admin.site.admin_view(guarded)):
        wrong = found(world, bodies, f"{PHASE}pause/", "trainer")
    assert "GET" in wrong
    assert "and the table says M" in wrong


def test_a_refusal_that_writes_is_found(world, bodies):
    def hole(request, cohort_id):
        Event.objects.create(action=Event.Action.CHANGED, subject="tried")
        raise PermissionDenied

    with served_by(f"{UNDER}leave/", admin.site.admin_view(hole)):
        wrong = found(world, bodies, f"{UNDER}leave/", "clerk")
    assert "refused, but wrote to ['assessments_event']" in wrong
    assert "the refused requests together have changed the database" in wrong


def test_an_answer_that_tells_what_exists_is_found(world, bodies):
    def hole(request, cohort_id):
        known = Cohort.objects.filter(pk=cohort_id).exists()
        return HttpResponse("not yours" if known else "no such cohort", status=404)

    with served_by(f"{UNDER}leave/", admin.site.admin_view(hole)):
        assert "is told apart from" in found(world, bodies, f"{UNDER}leave/", "stranger")


def test_a_key_that_is_read_from_the_body_is_found(world, bodies):
    def hole(request, cohort_id):
        Cohort.objects.filter(pk=request.POST.get("cohort_id", 0)).update(name="Taken")
        return HttpResponse()

    with served_by(f"{UNDER}leave/", admin.site.admin_view(hole)):
        wrong = found(world, bodies, f"{UNDER}leave/", "trainer")
    assert "changed what belongs to somebody else" in wrong


def test_a_method_that_no_page_knows_is_found(world, bodies):
    handler = world.browsers["clerk"].handler
    without = [each for each in settings.MIDDLEWARE if "methods" not in each]
    try:
        with override_settings(MIDDLEWARE=without):
            handler.load_middleware()
            wrong = found(world, bodies, "admin/", "clerk")
    finally:
        handler.load_middleware()
    assert all(f"{method} /admin/: S" in wrong for method in OTHERS)


def test_an_address_without_a_row_is_found(world, bodies):
    with served_by("new/<int:number>/", lambda request, number: HttpResponse("new")):
        assert routes().keys() - TABLE.rows.keys() == {"new/<int:number>/"}
        tour = Tour(world, "visitor", Table((), {}), bodies).run("new/<int:number>/".__eq__)
        assert draft([tour]) == "visitor\nSS | new/<int:number>/"
