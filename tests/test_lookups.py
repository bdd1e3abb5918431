"""What is looked up by SQL that was written before is what Django would find."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone

from assessments import codes, sittings
from assessments.instruments import current, publish
from assessments.lookups import First, Lookup
from assessments.models import InstrumentVersion, Phase
from readiness import sessions
from readiness.sessions import SessionStore
from tests.instrument.example import example_instrument

from .test_releases import join, phase  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db


def test_a_row_is_found_as_it_is_each_time(django_assert_num_queries):
    find = Lookup(get_user_model().objects.all())
    ada, ben = (get_user_model().objects.create_user(name) for name in ("ada", "ben"))
    assert find(ada.pk) == ada
    get_user_model().objects.filter(pk=ada.pk).update(first_name="Ada")
    with django_assert_num_queries(2):
        assert find(ada.pk).first_name == "Ada"
        assert find(ben.pk).username == "ben"
    assert find(0) is None
    ada.delete()
    assert find(ben.pk) == ben


def test_what_the_queryset_leaves_out_is_left_out():
    version, _new = publish(example_instrument())
    found = Lookup(InstrumentVersion.objects.defer("document"))(version.pk)
    assert found == version
    assert found.get_deferred_fields() == {"document"}
    narrowed = Lookup(InstrumentVersion.objects.filter(code="x"))
    with pytest.raises(ValueError, match="value"):
        narrowed(version.pk)


def test_the_first_row_is_that_of_today(django_assert_num_queries):
    users = get_user_model().objects
    last = First(users.order_by("-username"))
    assert last() is None
    for name in ("ada", "ben"):
        users.create_user(name)
        with django_assert_num_queries(1):
            assert last().username == name
    users.get(username="ben").delete()
    assert last().username == "ada"
    with pytest.raises(ValueError, match="value"):
        First(users.filter(username="ada"))()


def test_the_version_in_service_is_found_as_it_is_each_time(django_assert_num_queries):
    assert current() is None
    version, _new = publish(example_instrument())
    with django_assert_num_queries(1):
        assert current() == version
    assert current().get_deferred_fields() == {"document"}
    InstrumentVersion.objects.update(retired_on=timezone.localdate())
    assert current() is None


def test_a_sitting_comes_with_its_version_and_phase_at_once(phase, django_assert_num_queries):  # noqa: F811
    kept, alone = (
        join(phase),
        sittings.open_sitting(
            codes.new_code(codes.RESUME_LENGTH), version=phase.version, phase=None, language="fr"
        ),
    )
    sittings.find(kept.pk)  # the SQL is written
    with django_assert_num_queries(1):
        found = sittings.find(kept.pk)
        of_phase = {name: getattr(found.phase, name) for name in found.phase.__dict__}
        version = found.version.digest
    assert of_phase | {"_state": None} == Phase.objects.get().__dict__ | {"_state": None}
    assert version == phase.version.digest
    assert sittings.find(alone.pk).phase is None


def kept(**data: object) -> str:
    store = SessionStore()
    store.update(data)
    store.save()
    return store.session_key


def test_a_session_is_read_until_it_expires():
    key = kept(sitting=5)
    assert SessionStore(key)["sitting"] == 5
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    over = SessionStore(key)
    assert over.get("sitting") is None
    assert over.session_key is None  # the next write begins another


def test_what_is_no_session_is_an_empty_one():
    for key in ("x" * 32, "short", None):
        assert SessionStore(key).get("sitting") is None
    gone = kept(sitting=5)
    SessionStore(gone).flush()
    assert SessionStore(gone).get("sitting") is None


@pytest.mark.parametrize(
    "key",
    ["\0" + "a" * 9, "a" * 31 + "\0", "A" * 32, "é" * 32, "a" * 33, "a" * 32 + "\n"],
    ids=ascii,
)
def test_what_cannot_be_a_key_is_looked_up_nowhere(key, django_assert_num_queries):
    """As a cookie may hold it, written in octal: PostgreSQL takes no NUL."""
    store = SessionStore(key)
    with django_assert_num_queries(0):
        assert store.get("sitting") is None
        store.flush()
    store["sitting"] = 5
    store.save()
    assert SessionStore(store.session_key)["sitting"] == 5
    assert store.session_key != key


def test_an_altered_session_is_an_empty_one():
    key = kept(sitting=5)
    Session.objects.filter(pk=key).update(session_data="forged")
    assert SessionStore(key).get("sitting") is None


def test_a_session_is_added_and_deleted_by_one_statement_each(django_assert_num_queries):
    store = SessionStore()
    with django_assert_num_queries(3):  # with a savepoint, for Django
        store.save()
    key = store.session_key
    with django_assert_num_queries(1):
        store.delete()
    assert not Session.objects.filter(pk=key).exists()
    store.delete()  # of what is gone, or never was
    SessionStore().delete()
    other = kept(sitting=5)
    SessionStore().delete(other)
    assert not Session.objects.filter(pk=other).exists()


def test_a_key_that_is_taken_is_nobody_elses(monkeypatch):
    mine = kept(sitting=5)
    made = iter([mine, "b" * 32])
    monkeypatch.setattr(sessions, "get_random_string", lambda *_of: next(made))
    assert kept(sitting=6) == "b" * 32
    assert SessionStore(mine)["sitting"] == 5
    assert SessionStore("b" * 32)["sitting"] == 6


def test_the_sittings_of_a_code_come_in_their_order(django_assert_num_queries, phase):  # noqa: F811
    code = codes.new_code(codes.RESUME_LENGTH)
    assert sittings.of_code(code) == []
    opened = []
    for place in (None, phase):
        opened.append(
            sittings.open_sitting(code, version=phase.version, phase=place, language="fr")
        )
    with django_assert_num_queries(3):
        assert sittings.of_code(code) == opened
    assert [each.phase for each in sittings.of_code(code)] == [None, phase]
    assert sittings.find_all([opened[1].pk, 0, opened[0].pk]) == opened[::-1]
