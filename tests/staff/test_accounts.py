"""Who looks after accounts, and how little else they may do."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError
from django.urls import NoReverseMatch, reverse

from assessments import accounts
from assessments.models import Cohort, Event
from assessments.roles import AUTHORS, JUDGES, OPERATORS, TRAINERS
from assessments.staff import sessions

from .conftest import PASSWORD, add_app, browser, sign_in

pytestmark = pytest.mark.django_db
NEW = "another horse, another battery"


def at(name: str, *args: object) -> str:
    return reverse(f"admin:auth_user_{name}", args=args)


def lines() -> list[tuple[str | None, str, str]]:
    kept = Event.objects.exclude(action="signed-in").order_by("pk")
    return list(kept.values_list("actor__username", "action", "subject"))


@pytest.fixture
def desk(operator):
    client = browser()
    sign_in(client, "operator")
    return client


def test_in_a_session_left_open_no_account_is_made_or_changed(desk, trainer, monkeypatch):
    monkeypatch.setattr(sessions, "age", lambda request: 3600)
    assert desk.get(at("change", trainer.pk)).status_code == 200
    for there, data in (
        (at("add"), {"username": "made"}),
        (at("change", trainer.pk), sent(trainer, groups=roles(OPERATORS))),
    ):
        answer = desk.post(there, data)
        assert answer.url.startswith(reverse("account_reauthenticate"))
    assert not get_user_model().objects.filter(username="made").exists()
    assert not trainer.groups.filter(name=OPERATORS).exists()


def test_what_two_save_at_once_is_said_to_the_second(desk, monkeypatch):
    def taken(*_given):
        raise IntegrityError("auth_user_username_key")

    monkeypatch.setattr(accounts, "create", taken)
    answer = desk.post(at("add"), {"username": "anne", "groups": roles(TRAINERS)}, follow=True)
    assert answer.redirect_chain[-1][0] == at("add")
    assert "has just saved the same" in answer.text


def test_a_search_of_many_words_is_a_search(desk, trainer):
    for words in ("trainer", "trainer " * 500, "a+" * 1_100):
        answer = desk.get(at("changelist"), {"q": words})
        assert answer.status_code == 200
    assert "trainer" in desk.get(at("changelist"), {"q": "trainer " * 500}).text


def roles(*names: str) -> list[int]:
    return [Group.objects.get(name=name).pk for name in names]


def sent(user, **changed):
    data = {"username": user.username, "first_name": user.first_name, "last_name": user.last_name}
    groups = list(user.groups.values_list("pk", flat=True))
    return {**data, "is_active": "on", "groups": groups, **changed}


def test_an_operator_appoints_and_the_person_chooses_the_password(desk):
    made = desk.post(at("add"), {"username": "anne", "groups": roles(TRAINERS)})
    anne = get_user_model().objects.get(username="anne")
    assert made.url == at("link", anne.pk)
    assert (anne.is_staff, anne.is_superuser, anne.has_usable_password()) == (True, False, False)
    shown = desk.post(made.url)
    assert "no-store" in shown["Cache-Control"]
    (link,) = re.findall(r'value="http://[^/]+(/staff/welcome/[^"]+)"', shown.text)

    person = browser()
    page = person.get(link, follow=True)
    assert link.split("/")[-2] not in page.request["PATH_INFO"]  # no Referer tells it
    form = page.request["PATH_INFO"]
    assert "at least 12" in person.post(form, both("short")).text
    assert person.post(form, both(NEW)).url == reverse("account_login")
    assert sign_in(person, "anne", NEW).status_code == 302
    assert person.get(reverse("admin:index")).status_code == 200
    assert "has been used" in browser().get(link, follow=True).text
    assert lines() == [
        ("operator", "account-created", "anne"),
        ("operator", "role-given", "anne – Formateurs"),
        ("operator", "password-reset", "anne"),
        ("anne", "password-changed", "anne"),
    ]


@pytest.mark.parametrize("name", ["Trainer", "TRAINER"])
def test_no_two_accounts_differ_by_capitals_alone(desk, trainer, operator, name):
    assert desk.post(at("add"), {"username": name, "groups": roles(TRAINERS)}).status_code == 200
    assert desk.post(at("change", operator.pk), sent(operator, username=name)).status_code == 200
    assert get_user_model().objects.filter(username__iexact="trainer").get() == trainer
    changed = desk.post(at("change", trainer.pk), sent(trainer, username=name))  # its own
    assert changed.status_code == 302


def both(password: str) -> dict[str, str]:
    return {"new_password1": password, "new_password2": password}


def test_a_new_link_makes_the_first_void_and_ends_sessions(desk, trainer):
    session = browser()
    sign_in(session, "trainer")
    links = [
        re.findall(r"/staff/welcome/[^\"]+", desk.post(at("link", trainer.pk)).text)[0]
        for _time in range(2)
    ]
    assert session.get(reverse("admin:index")).status_code == 302
    assert sign_in(browser(), "trainer", PASSWORD).status_code == 200
    assert "has been used" in browser().get(links[0], follow=True).text
    assert "Keep this password" in browser().get(links[1], follow=True).text


def test_a_link_is_old_after_a_day(desk, trainer, settings):
    (link, *_rest) = re.findall(r"/staff/welcome/[^\"]+", desk.post(at("link", trainer.pk)).text)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "too old" in browser().get(link, follow=True).text


def test_roles_are_given_and_taken_and_names_changed(desk, trainer):
    desk.post(at("change", trainer.pk), sent(trainer, groups=roles(AUTHORS, JUDGES)))
    desk.post(at("change", trainer.pk), sent(trainer, last_name="Martin"))
    desk.post(at("change", trainer.pk), sent(trainer, groups=[]))
    trainer.refresh_from_db()
    assert (trainer.is_staff, trainer.last_name) == (False, "")
    assert [line[1:] for line in lines()] == [
        ("role-given", "trainer – Auteurs du questionnaire"),
        ("role-given", "trainer – Juges"),
        ("role-taken", "trainer – Formateurs"),
        ("account-changed", "trainer"),
        ("account-changed", "trainer"),
        ("role-taken", "trainer – Auteurs du questionnaire"),
        ("role-taken", "trainer – Juges"),
    ]


def test_who_is_deactivated_is_out_at_once_and_may_come_back(desk, trainer):
    client = browser()
    sign_in(client, "trainer")
    off = sent(trainer)
    del off["is_active"]
    desk.post(at("change", trainer.pk), off)
    assert client.get(reverse("admin:index")).status_code == 302
    assert sign_in(browser(), "trainer").status_code == 200
    desk.post(at("change", trainer.pk), sent(trainer))
    assert sign_in(browser(), "trainer").status_code == 302
    actions = [line[1] for line in lines()]
    assert actions == ["account-closed", "sign-in-refused", "account-reopened"]


def test_lost_second_factors_are_taken_away(desk, trainer):
    add_app(trainer)
    page = desk.get(at("factors", trainer.pk))
    assert "will open nothing" in page.text
    assert Authenticator.objects.exists()
    desk.post(at("factors", trainer.pk))
    assert not Authenticator.objects.exists()
    assert lines() == [("operator", "factors-reset", "trainer")]


def test_a_session_left_open_takes_nothing_away(desk, trainer, monkeypatch):
    add_app(trainer)
    monkeypatch.setattr(sessions, "age", lambda request: 3600)
    for page in ("link", "factors"):
        answer = desk.post(at(page, trainer.pk))
        assert answer.url.startswith(reverse("account_reauthenticate"))
    assert Authenticator.objects.exists()
    trainer.refresh_from_db()
    assert trainer.has_usable_password()
    # Once it is asked, what was meant is done.
    desk.post(answer.url, {"password": PASSWORD})
    assert not Authenticator.objects.exists()


RAISED = {
    "is_superuser": "on",
    "is_staff": "on",
    "user_permissions": "1",
    "password": "x",
    "password1": NEW,
    "password2": NEW,
}


def test_nobody_makes_a_superuser_or_gives_a_permission(desk, trainer, operator):
    other = Group.objects.create(name="Root")
    other.permissions.set(Permission.objects.all())
    for user in (trainer, operator):
        desk.post(at("change", user.pk), sent(user, **RAISED))
        user.refresh_from_db()
        assert not user.is_superuser
        assert not user.user_permissions.exists()
        assert user.check_password(PASSWORD)
        page = desk.post(at("change", user.pk), sent(user, groups=[other.pk]))
        assert "is not one of the available choices" in page.text
    desk.post(at("add"), {"username": "eve", **RAISED})
    eve = get_user_model().objects.get(username="eve")
    assert (eve.is_superuser, eve.is_staff, eve.has_usable_password()) == (False, False, False)


def test_a_superuser_is_not_an_operators_to_touch(desk, superuser):
    add_app(superuser)
    for page in ("change", "link", "factors"):
        answer = desk.post(at(page, superuser.pk), sent(superuser, username="mine"))
        assert answer.status_code == 403, page
    superuser.refresh_from_db()
    assert superuser.username == "chief"
    assert superuser.check_password(PASSWORD)
    assert Authenticator.objects.exists()
    assert "mine" not in desk.get(at("change", superuser.pk)).text


def test_no_other_page_touches_accounts(desk, superuser, operator):
    for name in ("auth_user_password_change", "auth_group_changelist", "auth_group_add"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{name}", args=(1,) if "password" in name else ())
    assert {model._meta.app_label for model in admin.site._registry} == {"assessments", "auth"}
    assert desk.post(at("delete", superuser.pk), {"post": "yes"}).status_code == 403
    assert desk.post(at("delete", operator.pk), {"post": "yes"}).status_code == 403


def test_one_does_not_shut_oneself_out(desk, operator):
    off = sent(operator)
    del off["is_active"]
    assert "Somebody else must" in desk.post(at("change", operator.pk), off).text
    operator.refresh_from_db()
    assert operator.is_active


def test_no_hash_is_found_out_letter_by_letter(desk, trainer):
    asked = desk.get(at("changelist"), {"password__startswith": "md5"}, follow=True)
    assert asked.status_code == 400 or asked.request["QUERY_STRING"] == "e=1"
    assert trainer.password not in desk.get(at("change", trainer.pk)).text


def test_an_operator_reads_the_journal_and_nothing_of_a_group(desk, trainer):
    cohort = Cohort.objects.create(name="Ward 12", created_on="2026-11-24")
    assert desk.get(reverse("admin:assessments_event_changelist")).status_code == 200
    for model in ("cohort", "instrumentversion", "standardstudy"):
        listing = desk.get(reverse(f"admin:assessments_{model}_changelist"))
        assert listing.status_code == 403, model
        assert cohort.name not in listing.text
    assert desk.get(reverse("admin:assessments_cohort_change", args=(cohort.pk,))).status_code in (
        302,
        403,
    )


def test_an_operator_who_makes_themselves_trainer_is_seen(desk, operator):
    desk.post(at("change", operator.pk), sent(operator, groups=roles(OPERATORS, TRAINERS)))
    assert lines() == [("operator", "role-given", "operator – Formateurs")]


@pytest.mark.parametrize("page", ["changelist", "add", "change", "link", "factors"])
def test_the_other_roles_do_not_get_to_accounts(trainer, operator, page):
    client = browser()
    sign_in(client, "trainer")
    args = () if page in ("changelist", "add") else (operator.pk,)
    for answer in (client.get(at(page, *args)), client.post(at(page, *args), {"username": "eve"})):
        assert answer.status_code == 403
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)
