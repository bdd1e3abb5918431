"""The sitting and the trainer's room by keyboard alone, and where the focus goes after an error."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments import standards
from assessments.demonstration import USERNAME, demonstration
from assessments.instrument.loading import load
from assessments.instruments import default_form, publish
from assessments.models import Cohort, StandardStudy
from assessments.roles import make_author, make_judge
from tests.conftest import SEEDS

from .conftest import DESKTOP
from .keys import Keys
from .test_trainer import PASSWORD
from .test_walk import press

MAIN_BUTTON = "main form button[type=submit]"
UNANSWERED = """[...document.querySelectorAll("main fieldset")]
    .filter(each => !each.querySelector("input:checked")).map(each => each.textContent)"""


def structure(page: Page) -> None:
    """The landmarks of a respondent's page: one of each, its navigation named, one heading."""
    for selector in ("main", "body > header", "body > footer", "h1", "html[lang=fr]"):
        assert page.locator(selector).count() == 1, (page.url, selector)
    assert page.locator("nav:not([aria-label])").count() == 0


def test_the_whole_sitting_by_keyboard_alone(watched, door):
    page = watched
    page.set_viewport_size(DESKTOP)
    keys = Keys(page)
    titles: list[str] = []

    def arrived() -> None:
        structure(page)
        titles.append(page.title())

    page.goto(door)
    arrived()
    keys.skip()
    keys.press(MAIN_BUTTON)  # start
    arrived()
    keys.press(MAIN_BUTTON, "Space")  # the notice is read
    arrived()
    keys.press(MAIN_BUTTON)  # the code is noted
    while "/review/" not in page.url:
        arrived()
        while (kind := keys.to(f"main fieldset input, {MAIN_BUTTON}")) != "submit":
            page.keyboard.press("ArrowDown" if kind == "radio" else "Space")
        assert page.evaluate(UNANSWERED) == []
        with page.expect_navigation():
            page.keyboard.press("Enter" if len(titles) % 2 else "Space")
    arrived()
    keys.press(MAIN_BUTTON)
    expect(page).to_have_url(re.compile("/results/$"))
    arrived()

    keys.to(".contents summary")
    page.keyboard.press("Space")
    keys.to(".contents a[href='#answers']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#answers$"))
    expect(page.locator("#answers h2")).to_be_in_viewport()
    keys.press("#answers a")  # from that section, not from the top of the page
    arrived()
    keys.press(".contents a")
    expect(page.locator(".answer h2").first).to_be_in_viewport()
    keys.press("main a[href$='/results/']")
    keys.to("#steps summary")
    folded = page.locator("#steps details:has(summary:focus)")
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        assert folded.evaluate("each => each.open") is (key == "Enter")
    keys.press("#after a[href$='/results/steps/']")
    arrived()
    keys.to("main input[name$=-keep]")
    page.keyboard.press("Space")
    keys.to("main input[name$=-when]")
    page.keyboard.type("Lundi")
    keys.press(MAIN_BUTTON)
    expect(page.locator(".notice[role=status]")).to_be_visible()
    keys.press("main a[href='/leave/']")
    arrived()
    keys.press(MAIN_BUTTON)
    arrived()
    assert len(titles) == len(set(titles))
    assert {title.rpartition(" – ")[2] for title in titles} == {"Readiness"}


def refused(page: Page, links: int) -> None:
    """After an error: the title says so, the focus is on what is wrong, and each link of it moves
    the focus to the field it names."""
    expect(page).to_have_title(re.compile("^(À vérifier|Erreur)"))
    summary = page.locator("#errors")
    expect(summary).to_be_focused()
    expect(summary).to_be_in_viewport()
    named = summary.locator("a")
    assert named.count() == links
    for link in named.all():
        where = link.get_attribute("href")
        link.press("Enter")
        field = page.locator(where)
        expect(field).to_be_focused()
        expect(field).to_be_in_viewport()


def test_after_an_error_the_focus_is_where_it_is_said_without_scripts_too(browser, door):
    site = door.split("/c/")[0]
    context = browser.new_context(locale="fr-FR", viewport=DESKTOP, java_script_enabled=False)
    page = context.new_page()
    for address, typed in (("/resume/", "#id_code"), ("/group/", "#id_access")):
        page.goto(site + address)
        page.fill(typed, "court")
        page.press(typed, "Enter")
        refused(page, links=1)
    page.goto(door)
    for _page in range(3):
        press(page)

    # From the review, whose links end in a fragment, which must not come along.
    page.goto(f"{site}/sitting/context/1/#q-{page.locator('fieldset').nth(1).get_attribute('id')}")
    for fieldset in page.locator("main fieldset").all()[:2]:
        fieldset.locator("input").first.evaluate("each => { each.value = 'x' }")
        fieldset.locator("input").first.check()
    press(page)
    refused(page, links=2)

    other = context.new_page()
    for each in (page, other):
        each.goto(f"{site}/sitting/context/1/")
    for number, each in enumerate((other, page)):
        each.locator("main fieldset").first.locator("input").nth(number).check()
        press(each)
    refused(page, links=0)  # answered elsewhere meanwhile

    page.goto(f"{site}/sitting/scenarios/1/")
    page.locator("main fieldset input").first.check()
    press(page)
    page.goto(f"{site}/sitting/review/")
    press(page)
    page.goto(f"{site}/results/steps/")
    when = page.locator("input[name$=-when]").first
    when.fill("")
    press(page)
    refused(page, links=1)
    context.close()


@pytest.fixture
def trainer(transactional_db) -> Cohort:
    """The cohort of the demonstration, whose trainer can sign in."""
    publish(load(SEEDS))
    made = demonstration()
    user = get_user_model().objects.get(username=USERNAME)
    user.set_password(PASSWORD)
    user.save()
    return made.cohort


def sign_in_by_keyboard(keys: Keys, site: str) -> None:
    keys.page.goto(site + reverse("admin:index"))
    expect(keys.page.locator("#id_login")).to_be_focused()
    keys.look()
    keys.page.keyboard.type(USERNAME)
    keys.to("#id_password")
    keys.page.keyboard.type(PASSWORD)
    with keys.page.expect_navigation():
        keys.page.keyboard.press("Enter")
    expect(keys.page.locator("#user-tools")).to_be_visible()


def test_the_trainers_room_by_keyboard_alone(browser, live_server, trainer):
    context = browser.new_context(
        locale="fr-FR", viewport=DESKTOP, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    keys = Keys(page)
    sign_in_by_keyboard(keys, live_server.url)

    keys.skip()
    keys.press(f"main a[href='{reverse('admin:assessments_cohort_add')}']")
    expect(page.locator("#id_name")).to_be_focused()
    page.keyboard.type("Internes de novembre")
    keys.press("input[name=_save]")
    made = Cohort.objects.get(name="Internes de novembre")
    keys.to("#link")
    keys.to("#link ~ .copy")
    page.keyboard.press("Enter")
    expect(page.locator("#link ~ [role=status]")).to_have_text("Copié")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/c/{made.code}/")
    keys.press("button[name=language]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    keys.press("button[name=language]", "Space")
    expect(page.locator("html")).to_have_attribute("lang", "fr")

    page.goto(live_server.url + reverse("admin:assessments_cohort_change", args=[trainer.pk]))
    keys.skip()
    after = trainer.phases.get(kind="after")
    args = (trainer.pk, after.pk)
    keys.press(f"a[href='{reverse('admin:assessments_cohort_close', args=args)}']")
    keys.skip()
    keys.press(".room button.door")
    after.refresh_from_db()
    assert after.closed_on is not None

    before = trainer.phases.get(kind="before")
    args = (trainer.pk, before.pk)
    results = reverse("admin:assessments_cohort_results", args=args)
    page.goto(live_server.url + results)
    keys.skip()
    export = reverse("admin:assessments_cohort_export", args=(*args, "results.csv"))
    keys.to(f"a[href='{export}']")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".csv")
    keys.to(".table-wrap")  # what may scroll can be reached, and has a name
    assert page.locator(".table-wrap:focus").get_attribute("aria-label")
    page.goto(live_server.url + results)
    keys.skip()
    keys.press(".doors a.door")
    expect(page.locator("h1")).to_be_focused()
    keys.press("nav a.next")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/explanation/")
    page.keyboard.press("Escape")
    page.wait_for_url("**" + results)
    context.close()


def test_after_an_error_in_the_admin_too(browser, live_server, transactional_db):
    version, _ = publish(load(SEEDS))
    users = get_user_model().objects
    author = users.create_user("autrice", password=PASSWORD, is_superuser=True, is_staff=True)
    make_author(author)
    study = StandardStudy(version=version, form=default_form(version))
    standards.create(study, author)
    judge = users.create_user("juge", password=PASSWORD)
    make_judge(judge)
    standards.appoint(study, judge, "nurse", author)

    def at(page: Page, door: str, *args: object) -> None:
        page.goto(live_server.url + reverse(f"admin:assessments_{door}", args=args))

    def desk(name: str) -> Page:
        page = browser.new_page(locale="fr-FR", viewport=DESKTOP)
        page.goto(live_server.url + reverse("admin:index"))
        page.fill("#id_login", name)
        page.fill("#id_password", PASSWORD)
        press_in(page, "#login-form button")
        return page

    def press_in(page: Page, button: str = ".room form button") -> None:
        with page.expect_navigation():
            page.click(button)

    page = desk("autrice")
    at(page, "cohort_add")
    page.fill("#id_phases-0-closes_on", "2020-01-01")
    press_in(page, "input[name=_save]")
    refused(page, links=2)
    page.fill("#id_name", "Internes")
    page.fill("#id_phases-0-closes_on", "")
    press_in(page, "input[name=_save]")
    page.fill("#id_phases-0-closes_on", "2020-01-01")
    press_in(page, "input[name=_save]")
    refused(page, links=1)
    page.fill("#id_trainer-username", "personne")
    press_in(page, "form:has(#id_trainer-username) button")
    expect(page.locator(".messagelist .error")).to_be_in_viewport()

    at(page, "instrumentversion_upload")
    file = {"name": "instrument.zip", "mimeType": "application/zip", "buffer": b"none"}
    page.set_input_files("#id_document", file)
    press_in(page)
    refused(page, links=2)  # to the field and to the findings

    at(page, "standardstudy_change", study.pk)
    page.fill("#id_judge-username", "personne")
    press_in(page)
    refused(page, links=2)
    page.close()

    page = desk("juge")
    at(page, "standardstudy_practice", study.pk)
    press_in(page, "main form button[type=submit]")
    refused(page, links=1)
    page.locator("input[type=radio]").first.check()
    press_in(page, "main form button[type=submit]")
    page.fill("#id_operational", "62")
    page.fill("#id_expert", "50")
    press_in(page)
    refused(page, links=page.locator("#errors a").count())
    page.close()
