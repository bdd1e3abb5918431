"""The trainer's room: from signing in to the results of the group."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments.demonstration import USERNAME, demonstration
from assessments.instrument.loading import load
from assessments.instruments import publish
from assessments.models import Cohort
from assessments.roles import make_trainer
from tests.conftest import SEEDS

from .conftest import DESKTOP, PHONE, check

PASSWORD = "une phrase de passe"


def sign_in(page: Page, site: str, username: str = USERNAME) -> None:
    page.goto(site + reverse("admin:index"))
    check(page)
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.press("#id_password", "Enter")
    expect(page.locator("#user-tools")).to_be_visible()


@pytest.fixture
def made(transactional_db):
    """The demonstration: a phase closed and published, another open."""
    publish(load(SEEDS))
    made = demonstration()
    user = get_user_model().objects.get(username=USERNAME)
    user.set_password(PASSWORD)
    user.save()
    return made


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("fr-FR", DESKTOP, "light"), ("en-GB", PHONE, "dark")],
    ids=["french-desktop", "english-phone-dark"],
)
def test_the_whole_room(browser, live_server, made, language, size, scheme):
    page = browser.new_page(locale=language, viewport=size, color_scheme=scheme)
    sign_in(page, live_server.url)
    check(page)
    page.goto(live_server.url + reverse("admin:assessments_cohort_add"))
    check(page)
    page.fill("#id_name", "Internes de novembre")
    with page.expect_navigation():
        page.locator("input[name=_save]").click()
    cohort = Cohort.objects.get(name="Internes de novembre")
    assert cohort.phases.get().kind == "before"
    assert cohort.trainers.get().username == USERNAME

    page.goto(live_server.url + reverse("admin:assessments_cohort_change", args=[cohort.pk]))
    check(page)
    link = page.locator("input[id=link]").input_value()
    assert link.endswith(f"/c/{cohort.code}/")

    after = made.cohort.phases.get(kind="after")
    change = reverse("admin:assessments_cohort_change", args=[made.cohort.pk])
    close = reverse("admin:assessments_cohort_close", args=[made.cohort.pk, after.pk])
    results = reverse("admin:assessments_cohort_results", args=[made.cohort.pk, after.pk])
    page.goto(live_server.url + change)
    check(page)
    page.locator(f"a[href='{close}']").click()
    page.wait_for_url("**" + close)
    check(page)
    page.locator(
        "#content form button[type=submit], #content form input[type=submit]"
    ).first.click()
    page.wait_for_url("**" + results)
    check(page)
    assert page.locator("#content svg[role=img]").count() >= 4
    assert page.locator("#content table").count() >= 2
    first = page.locator("#content").inner_text()
    page.reload()
    assert page.locator("#content").inner_text() == first
    page.close()


def test_another_trainer_reaches_nothing(browser, live_server, made):
    stranger = get_user_model().objects.create_user("stranger", password=PASSWORD)
    make_trainer(stranger)
    page = browser.new_page(locale="fr-FR")
    sign_in(page, live_server.url, "stranger")
    before = made.cohort.phases.get(kind="before")
    for address in (
        reverse("admin:assessments_cohort_change", args=[made.cohort.pk]),
        reverse("admin:assessments_cohort_results", args=[made.cohort.pk, before.pk]),
        reverse("admin:assessments_cohort_close", args=[made.cohort.pk, before.pk]),
    ):
        page.goto(live_server.url + address)
        assert made.cohort.name not in page.content()
    page.goto(live_server.url + reverse("admin:assessments_cohort_changelist"))
    assert made.cohort.name not in page.content()
    page.close()


def test_respondents_see_the_very_same_page_as_an_example(browser, live_server, made):
    for size, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
        page = browser.new_page(locale="fr-FR", viewport=size, color_scheme=scheme)
        page.goto(live_server.url + reverse("example"))
        check(page)
        assert page.locator("main svg[role=img]").count() >= 4
        page.close()
