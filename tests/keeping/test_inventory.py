"""The inventory of data: whole, true of the tables; what a person is given is all there is."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.urls import reverse

from assessments import exports
from assessments.backups.survey import tables
from assessments.inventory import inventory
from assessments.models import Sitting
from tests.sitting.conftest import Person, asked, version  # noqa: F401

OPTIONAL = ("account.", "mfa.", "socialaccount.")
"""Of the extras by which staff may sign in: declared, whether they are installed or not."""
DECLARED = {table.name: table for table in inventory().tables}
MODELS = {model._meta.label: model for model in apps.get_models(include_auto_created=True)}


@pytest.mark.parametrize("label", sorted(MODELS))
def test_every_field_is_declared(label):
    """A field added tomorrow fails here until it is said what it is for and when it goes."""
    assert label in DECLARED, f"declare {label} in assessments/inventory.yaml"
    fields = {field.name for field in MODELS[label]._meta.concrete_fields}
    assert set(DECLARED[label].fields) == fields


@pytest.mark.django_db
def test_every_table_is_declared():
    """Those that no model of ours stands for, too."""
    with_model = {model._meta.db_table: label for label, model in MODELS.items()}
    assert {with_model.get(name, name) for name in tables()} <= set(DECLARED)
    for name in set(tables()) - set(with_model):
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, name)
        assert {column.name for column in columns} == set(DECLARED[name].fields)


def test_nothing_is_declared_that_is_not_there():
    known = {*MODELS, "readiness_cache", "django_migrations"}
    assert {name for name in DECLARED if not name.startswith(OPTIONAL)} <= known
    assert len(DECLARED) == len(inventory().tables)


def test_every_duration_is_used_and_known():
    used = {table.kept for table in inventory().tables}
    assert used == set(inventory().durations)
    for table in inventory().tables:
        assert "{" not in inventory().duration(table)


@pytest.mark.django_db
def test_a_person_is_given_every_field_of_theirs(version, asked):  # noqa: F811
    """Or is told what is not given."""
    given = DECLARED["assessments.Sitting"].given
    assert set(given) == {field.name for field in Sitting._meta.concrete_fields}
    person = Person()
    person.begin()
    person.answer_all(asked)
    data = person.client.get(reverse("answers")).json()
    keys = {key for some in given.values() for key in some}
    assert keys - {"not_given"} <= set(data)
    assert keys <= set(exports._explanations())
    assert "random number" in data["explanations"]["not_given"]
    assert "keyed hash of your resume code" in data["explanations"]["not_given"]


def test_what_is_a_participants_is_erased_or_ends():
    """Nothing of a participant's is kept for as long as the service exists."""
    for table in inventory().tables:
        if table.who == "participant":
            assert table.kept in {"answers", "tombstone", "session", "tries", "cache"}, table.name
