"""What the stock admin does with what nobody meant to ask of it."""

from __future__ import annotations

from itertools import product

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.urls import resolve, reverse

from assessments.models import Cohort, Event, Phase, Sitting
from tests.conftest import AUDIT
from tests.security.matrix import Tour, of_half, table

from .world import NOWHERE

# One runner makes the world.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("side doors")]
TABLE = table()
STAFF = tuple(role for role in TABLE.roles if TABLE.rows["admin/jsi18n/"].cells[role][0] == "S")
HOSTILE = (
    "q=Ward",
    "q=%00",
    "q=" + "A" * 3_000,
    "o=-9.9.9",
    "o=1'",
    "o=..1.-",
    "o=-1.2.3.4.5",
    "p=-1",
    "p=99999999999999999999",
    "p=abc",
    "all=",
    "e=1",
    "_popup=1",
    "_popup=1&_to_field=id",
    "_to_field=code",
    "_to_field=password",
    "_facets=True",
    "_changelist_filters=o%3D1",
    "pk=1",
    "pk__in=1,2,3",
    "id__gt=0",
    "id__isnull=2",
    "name=Clinic+Bergamot",
    "name__startswith=Clinic",
    "name__regex=%5E(a%2B)%2B%24",
    "code__startswith=A",
    "actor__password__startswith=md5",
    "actor__username=trainer",
    "action__in=created,closed",
    "action=nothing",
    "at__year=99999",
    "at__gte=99999-99-99",
    "subject__regex=%28a%2B%29%2B%24",
    "trainers__password__startswith=md5",
    "trainers__username=stranger",
    "trainers__id__exact=1",
    "phases__releases__digest__startswith=a",
    "phases__releases__document__contains=levels",
    "phases__daily_counts__finished_at_least__gt=0",
    "phases__jobs__file__contains=of",
    "phases__sitting__answers__isnull=False",
    "phases__+__answers__isnull=False",
    "answers__isnull=False",
    "sitting__answers__startswith=a",
    "version__sitting__isnull=False",
    "judges__user__username=outsider",
    "judges__estimates__operational__gte=40",
    "groups__permissions__codename=add_cohort",
    "password__startswith=md5",
    "is_superuser__exact=1",
    "session__session_key__startswith=a",
    "logentry__object_repr__startswith=Clinic",
    "user__password__startswith=md5",
    "document__contains=best",
    "__=1",
    "pk__=1",
    "a%00b=1",
    "%F0%9F%92%A5=1",
)
TURNS = 1 if AUDIT else 3
"""Unless all is tried, a role asks every third question, the next role the ones after; of a list
that is shown to few roles, each asks all."""
KNOWN = set("SLFNI")
"""What a request that only looks may be answered."""


@pytest.mark.parametrize("role", STAFF)
def test_no_list_tells_or_fails_whatever_is_asked_of_it(world, bodies, role):
    tour = Tour(world, role, TABLE, bodies)
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")
        for model, page in product(admin.site._registry, ("changelist", "add"))
    ]
    pages = [reverse("admin:index"), reverse("admin:app_list", args=("assessments",)), *lists]
    asked = 0
    questions = HOSTILE[STAFF.index(role) % TURNS :: TURNS]
    for address in pages:
        _response, plainly = tour.ask("GET", address)
        # Who is refused the list is refused it however they ask: three questions are enough.
        row = TABLE.rows.get(resolve(address).route)
        few = row is not None and sum(row.cells[each][0] == "S" for each in STAFF) < 2 * TURNS
        for query in (HOSTILE if few else questions) if plainly == "S" else questions[:3]:
            response, letter = tour.ask("GET", f"{address}?{query}")
            asked += 1
            if response is not None and letter not in KNOWN and letter != "?400":
                tour.wrong.append(f"{address}?{query}: {letter}")
            if response is not None:
                tour._tells_nothing(response, address)
            if plainly != "S" and letter not in plainly + "N":
                tour.wrong.append(f"{address}?{query}: {letter}, and {plainly} without the query")
    assert not tour.wrong, "\n".join(tour.wrong)
    assert asked > 30


def rows_of_all(world) -> list[tuple[ContentType, object]]:
    """One row of each table there is."""
    found = []
    for kind in ContentType.objects.all():
        model = kind.model_class()
        first = model and model._base_manager.order_by("pk").values_list("pk", flat=True).first()
        found.append((kind, first or NOWHERE))
    return found


@pytest.mark.parametrize("role", ["clerk", "trainer", "superuser"])
def test_no_row_is_looked_up_by_its_type_and_key(world, bodies, role):
    """Django’s “view on site” looks for any row of any table, sittings among them."""
    tour = Tour(world, role, TABLE, bodies)
    answers = set()
    for kind, key in rows_of_all(world):
        for there in (f"/admin/r/{kind.pk}/{key}/", f"/admin/r/{kind.pk}/{NOWHERE}/"):
            response, letter = tour.ask("GET", there)
            assert letter == "N", there
            answers.add(response.content.replace(there.encode(), b"#"))
    assert not tour.wrong, "\n".join(tour.wrong)
    assert len(answers) == 1


@pytest.mark.parametrize("role", STAFF)
def test_nothing_is_completed_for_anybody(world, bodies, role):
    tour = Tour(world, role, TABLE, bodies)
    there = reverse("admin:autocomplete")
    fields = [
        (model._meta, field.name)
        for model in (Cohort, Phase, Sitting, Event, User)
        for field in model._meta.get_fields()
        if field.is_relation
    ]
    assert len(fields) > 12
    for meta, name in fields:
        query = f"app_label={meta.app_label}&model_name={meta.model_name}&field_name={name}"
        _response, letter = tour.ask("GET", f"{there}?{query}&term=W")
        # Who looks after accounts may be given names of these.
        assert letter in ("FNS" if role in ("superuser", "operator") else "FN"), query
    assert not tour.wrong, "\n".join(tour.wrong)


@pytest.mark.parametrize("role", STAFF)
def test_no_action_is_done_on_a_selection(world, bodies, role):
    """Neither on one's own rows nor, by “select across”, on all."""
    tour = Tour(world, role, TABLE, bodies)
    tour.b_before = of_half(world.b)
    for model in admin.site._registry:
        there = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        keys = list(model._base_manager.values_list("pk", flat=True)[:5])
        for action in ("delete_selected", "export", "", "__class__"):
            sent = {
                "action": action,
                "select_across": "1",
                "index": "0",
                "_selected_action": keys,
                "post": "yes",
            }
            _response, letter = tour.ask("POST", there, sent)
            assert letter in "SLFN", (there, action)
    assert not tour.wrong, "\n".join(tour.wrong)


def test_a_trainer_appoints_nobody_by_a_field_that_is_not_shown(world, bodies):
    trainer, half = world.browsers["trainer"], world.a
    there = f"/admin/assessments/cohort/{half.cohort.pk}/change/"
    sent = bodies.cohorts[half.cohort.pk] | {"trainers": [world.b.trainer.pk], "name": "Other"}
    before = set(half.cohort.trainers.all())
    assert trainer.post(there, sent).status_code == 302
    assert set(half.cohort.trainers.all()) == before
    assert Cohort.objects.get(pk=half.cohort.pk).name == "Other"


@pytest.mark.parametrize("field", ["id", "cohort"])
def test_no_foreign_phase_is_planned_by_its_key_in_the_form(world, bodies, field):
    trainer, half, other = world.browsers["trainer"], world.a, world.b
    there = f"/admin/assessments/cohort/{half.cohort.pk}/change/"
    sent = dict(bodies.cohorts[half.cohort.pk])
    key = other.open.pk if field == "id" else other.cohort.pk
    sent |= {f"phases-{number}-{field}": key for number in (0, 1)}
    sent |= {f"phases-{number}-closes_on": "2099-01-01" for number in (0, 1)}
    before = of_half(other)
    trainer.post(there, sent)
    assert of_half(other) == before


def test_a_link_of_the_language_button_leads_nowhere_else(world):
    client = world.browser()
    for there in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "http:///evil.example",
        "javascript:alert(1)",
        "\thttps://evil.example",
    ):
        answer = client.post(reverse("set_language"), {"language": "en", "next": there})
        assert answer.headers["Location"] == "/", there


def test_sign_in_leads_nowhere_else(world):
    client = world.browser()
    sent = {"login": "newcomer", "password": "pw " * 5, "next": "https://evil.example/"}
    assert client.post(reverse("account_login"), sent).headers["Location"] == "/admin/"
