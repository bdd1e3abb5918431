"""Trainers have what they need, and no more."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command

from assessments import models
from assessments.roles import AUTHORS, PERMISSIONS, TRAINERS, keep_groups, make_author, make_trainer

pytestmark = pytest.mark.django_db


def permissions(group: str) -> set[str]:
    held = Group.objects.get(name=group).permissions.values_list("codename", flat=True)
    return set(held)


@pytest.mark.parametrize("group", PERMISSIONS)
def test_each_group_is_there_after_migrating_with_its_permissions(group):
    assert permissions(group) == set(PERMISSIONS[group])


def test_an_author_carries_the_questionnaire_on_and_reaches_no_cohort(django_user_model):
    author = django_user_model.objects.create_user("anne")
    make_author(author)
    assert author.is_staff
    assert {name.removeprefix("assessments.") for name in author.get_all_permissions()} == set(
        PERMISSIONS[AUTHORS]
    )


def test_migrating_again_changes_nothing_and_repairs_what_was_taken_away():
    call_command("migrate", verbosity=0)
    assert Group.objects.filter(name=TRAINERS).count() == 1
    Group.objects.all().delete()
    config = apps.get_app_config("assessments")
    keep_groups(app_config=config, apps=apps, using="default")
    assert permissions(TRAINERS) == set(PERMISSIONS[TRAINERS])


def test_a_state_without_these_models_is_left_alone():
    class Before:
        def get_model(self, *names):
            raise LookupError

    Group.objects.all().delete()
    keep_groups(app_config=None, apps=Before(), using="default")
    assert not Group.objects.exists()


def test_no_trainer_may_delete_or_touch_what_people_answered(trainer):
    held = trainer.get_all_permissions()
    assert not [name for name in held if ".delete_" in name]
    for model in ("sitting", "release", "event", "instrumentversion", "user"):
        assert not [name for name in held if name.endswith(f"_{model}")]


def test_making_a_trainer_twice_is_making_one(trainer):
    make_trainer(trainer)
    assert trainer.is_staff
    assert not trainer.is_superuser
    assert list(trainer.groups.values_list("name", flat=True)) == [TRAINERS]


def test_what_people_answered_has_no_admin():
    assert not admin.site.is_registered(models.Sitting)
    assert not admin.site.is_registered(models.Release)
    assert not admin.site.is_registered(models.Phase)
