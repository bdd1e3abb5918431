"""The whole sitting, as a person walks it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from assessments.models import Phase

from .conftest import DESKTOP, PHONE, too_wide


def press(page: Page) -> None:
    """The primary action of the page, and the page it leads to."""
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()


def answer_page(page: Page) -> None:
    """Answer every question of the page: the second choice of each."""
    for question in page.locator("main fieldset").all():
        assert question.locator("legend").count() == 1
        question.locator("input[type=radio], input[type=checkbox]").nth(1).check()


def begin(page: Page, door: str) -> str:
    """From the group's link to the first question; the resume code that was shown."""
    page.goto(door)
    press(page)
    press(page)
    code = page.locator(".resume-code").inner_text()
    press(page)
    page.wait_for_url("**/sitting/context/1/")
    return code


@pytest.mark.parametrize(
    ("language", "size", "scripts"),
    [("fr-FR", PHONE, False), ("en-GB", DESKTOP, True)],
    ids=["french-phone-no-scripts", "english-desktop"],
)
def test_the_whole_sitting(browser, door, language, size, scripts):
    context = browser.new_context(locale=language, viewport=size, java_script_enabled=scripts)
    page = context.new_page()

    page.goto(door)
    press(page)  # start
    press(page)  # the notice is read
    code = page.locator(".resume-code").inner_text()
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", code)
    press(page)  # the code is noted

    pages = 0
    while "/review/" not in page.url:
        pages += 1
        expect(page.locator("main progress")).to_be_visible()
        if pages == 5:
            expect(page.locator("main")).to_contain_text("Situation 1")
        assert too_wide(page) == 0
        answer_page(page)
        press(page)
    assert pages == 16
    press(page)  # finish
    assert page.url.endswith("/results/")
    report = page.locator("main a[href$='.pdf']").first
    expect(report).to_be_visible()
    site = page.url.rsplit("/results/", 1)[0]
    pdf = context.request.get(site + report.get_attribute("href"))
    assert pdf.ok
    assert pdf.body().startswith(b"%PDF-")
    assert code not in page.content()
    context.close()


def test_the_qr_link_opens_the_sitting_and_hides_its_code(watched, browser, door):
    code = begin(watched, door)
    answer_page(watched)
    press(watched)
    phone = browser.new_context(viewport=PHONE, locale="fr-FR").new_page()
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    site = door.split("/c/")[0]
    phone.goto(f"{site}/resume/#{code.replace('-', '')}")
    expect(phone.locator("#id_code")).to_have_value(code)
    press(phone)
    phone.wait_for_url("**/sitting/self-ratings/1/")
    assert not [url for url in asked if code.replace("-", "") in url.split("#")[0]]
    phone.go_back()
    assert code.replace("-", "") not in phone.url
    phone.context.close()


def test_the_language_switches_midway_and_nothing_is_lost(watched, door):
    begin(watched, door)
    answer_page(watched)
    watched.get_by_role("button", name="English").click()
    expect(watched.locator("html")).to_have_attribute("lang", "en")
    assert watched.url.endswith("/sitting/context/1/")
    for question in watched.locator("main fieldset").all():
        expect(question.locator("input").nth(1)).to_be_checked()


def test_a_refused_answer_is_said_and_linked(watched, door):
    begin(watched, door)
    press(watched)
    watched.locator("main fieldset input").first.evaluate("input => { input.value = '99' }")
    watched.locator("main fieldset input").first.check()
    press(watched)
    expect(watched.get_by_role("alert")).to_be_visible()


def test_after_leaving_back_shows_nothing(watched, door):
    begin(watched, door)
    answer_page(watched)
    press(watched)
    with watched.expect_navigation():
        watched.locator("button[value=later]").click()
    press(watched)
    watched.go_back()
    expect(watched.locator("main fieldset")).to_have_count(0)


def next_moment(phase: Phase, kind: str) -> None:
    """The moment that is open is over, the next one opens."""
    today = timezone.localdate()
    Phase.objects.filter(closed_on=None).update(
        closed_on=today, opens_on=today - timedelta(days=30)
    )
    Phase.objects.create(
        cohort=phase.cohort, kind=kind, opens_on=today, version=phase.version, form=phase.form
    )


SECOND_CHOICES = """() => {
    for (const question of document.querySelectorAll("main fieldset"))
        question.querySelectorAll("input[type=radio], input[type=checkbox]")[1].click();
}"""


def walk_to_the_results(page: Page) -> None:
    """Answer as :func:`answer_page` does, in one go a page: its own tests press each choice."""
    while "/review/" not in page.url:
        page.evaluate(SECOND_CHOICES)
        press(page)
    press(page)
    page.wait_for_url("**/results/")


@pytest.mark.long
def test_before_after_and_follow_up_with_one_code(browser, door, phase):
    site = door.split("/c/")[0]

    def arrive(address: str) -> Page:
        """At another computer each time, which holds nothing."""
        page = browser.new_context(locale="fr-FR", viewport=PHONE).new_page()
        page.goto(address)
        return page

    before = arrive(door)
    code = begin(before, door)
    walk_to_the_results(before)
    before.goto(site + "/results/steps/")
    press(before)  # the steps that are proposed are chosen as they are
    before.goto(site + "/results/certificate/")
    with before.expect_download() as download:
        before.locator("main form button[type=submit]").first.click()
    assert download.value.suggested_filename == "readiness-certificate.pdf"
    before.context.close()

    next_moment(phase, Phase.Kind.AFTER)
    after = arrive(door)
    press(after)
    press(after)
    after.fill("#id_earlier", "2222-2222-2222-2222")
    press(after)
    expect(after.get_by_role("alert")).to_be_visible()
    after.fill("#id_earlier", code)
    press(after)
    after.wait_for_url("**/sitting/context/1/")
    walk_to_the_results(after)
    expect(after.locator("#change h2")).to_have_text("Ce qui a changé")
    after.context.close()

    next_moment(phase, Phase.Kind.FOLLOW_UP)
    later = arrive(site + "/resume/")
    later.fill("#id_code", code)
    press(later)
    later.wait_for_url("**/results/")
    later.locator("main a[href='/again/']").click()
    later.wait_for_url("**/again/")
    press(later)
    later.wait_for_url("**/sitting/steps/1/")
    assert later.locator("main fieldset legend").count() == 3
    walk_to_the_results(later)
    expect(later.locator("#followed h2")).to_have_text("Ce que sont devenues vos actions")
    assert code not in later.content()
    later.context.close()
