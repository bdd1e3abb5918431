"""Setting cut scores, in a browser: the author's pages and a judge's, on a screen and a phone."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments import standards
from assessments.instrument.loading import load
from assessments.instruments import default_form, publish
from assessments.models import Judge, StandardStudy
from assessments.roles import make_author, make_judge
from tests.conftest import SEEDS

from .conftest import PHONE
from .test_trainer import PASSWORD, sign_in

PROFESSIONS = ("nurse", "nurse", "nurse", "physician", "physician", "pharmacist", "midwife")


def person(name: str, make) -> None:
    make(get_user_model().objects.create_user(name, password=PASSWORD))


@pytest.fixture
def study(transactional_db) -> StandardStudy:
    """A study with seven judges, one of whom will do it all by hand."""
    version, _ = publish(load(SEEDS))
    person("autrice", make_author)
    author = get_user_model().objects.get(username="autrice")
    made = StandardStudy(version=version, form=default_form(version))
    standards.create(made, author)
    for number, profession in enumerate(PROFESSIONS):
        person(f"juge{number}", make_judge)
        user = get_user_model().objects.get(username=f"juge{number}")
        standards.appoint(made, user, profession, author)
    return made


def fill(study: StandardStudy, number: int, judges: range, spread: int = 5) -> None:
    for place in judges:
        judge = Judge.objects.select_related("study").get(user__username=f"juge{place}")
        for at, item in enumerate(standards.scenarios(study)):
            expected = 45 + 5 * (at % 5) + spread * (place % 3)
            standards.estimate(judge, number, item.code, expected, min(100, expected + 25))


def test_a_panel_from_end_to_end(browser, live_server, study):
    def at(door: str = "change", *more: object) -> str:
        address = reverse(f"admin:assessments_standardstudy_{door}", args=(study.pk, *more))
        return live_server.url + address

    def desk(name: str) -> Page:
        page = browser.new_page(locale="en-GB", viewport=PHONE)
        sign_in(page, live_server.url, name)
        return page

    def press(page: Page, selector: str = ".asks button") -> None:
        with page.expect_navigation():
            page.click(selector)

    judge, author = desk("juge0"), desk("autrice")
    author.goto(live_server.url + reverse("admin:assessments_standardstudy_add"))
    author.goto(at())

    judge.goto(live_server.url + reverse("admin:assessments_standardstudy_changelist"))
    judge.goto(at())
    judge.goto(at("instructions"))
    judge.goto(at("practice"))
    press(judge, "form:not(.language) button")  # nothing chosen yet
    judge.locator("input[type=radio]").first.check()
    press(judge, "form:not(.language) button")
    judge.fill("#id_operational", "20")
    judge.fill("#id_expert", "80")
    press(judge)
    expect(judge.locator("#id_sure")).to_be_visible()
    judge.check("#id_sure")
    press(judge)

    judge.goto(at("situation", 1))
    judge.locator("input[type=radio]").nth(1).check()
    press(judge, "form:not(.language) button")
    judge.fill("#id_operational", "62")
    judge.fill("#id_expert", "50")
    press(judge)
    assert judge.input_value("#id_operational") == "62"
    judge.fill("#id_operational", "60")
    judge.fill("#id_expert", "85")
    press(judge)
    expect(judge.locator("h1")).to_contain_text("2")

    fill(study, 1, range(len(PROFESSIONS)))
    judge.goto(at("acceptable"))
    for name, value in zip(
        ("lowest_cut", "highest_cut", "lowest_share", "highest_share"),
        ["5", "60", "10", "50"],
        strict=True,
    ):
        for level in standards.LEVELS:
            judge.fill(f"#id_{level}-{name}", value)
    press(judge)

    author.goto(at("move", "discussion"))
    press(author, ".room form button")
    author.goto(at("figures"))
    author.goto(at("notes"))
    author.fill("#id_notes", "La situation 3 est plus difficile la nuit.")
    press(author)
    judge.goto(at())
    author.goto(at("move", "round-2"))
    press(author, ".room form button")

    judge.goto(at())
    judge.goto(at("situation", 3))
    press(judge)

    fill(study, 2, range(6), spread=0)
    author.goto(at())
    author.goto(at("move", "closed"))
    press(author, ".room form button")
    author.goto(at("figures"))
    author.fill("#id_scores", "\n".join(f"{score} 3" for score in range(20, 100, 4)))
    press(author)
    author.goto(at("adopt"))
    author.fill("#id_version", "1999.1")
    press(author)
    study.refresh_from_db()
    assert study.state == "adopted"
    for page in (judge, author):
        page.close()
