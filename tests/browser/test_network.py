"""A network that comes and goes, a second tab, a session that ends, a server that is killed."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from playwright.sync_api import Page, expect

from assessments.instruments import questionnaire
from assessments.models import Sitting
from assessments.sittings import questionnaire_of, sheet_of

from .conftest import check
from .server import Server
from .test_walk import SECOND_CHOICES, begin, press


def choose(page: Page, number: int, question: int = 0) -> None:
    page.locator("main fieldset").nth(question).locator("input").nth(number).check()


def kept(page: Page):
    """The next acknowledgement of what was chosen."""
    return page.expect_response(
        lambda response: response.request.method == "POST" and response.status == 200
    )


def go_on(page: Page) -> None:
    """Press the primary button, without waiting for where it leads."""
    page.locator("main form button[type=submit]").first.click(no_wait_after=True)


def at_situations(page: Page, door: str) -> str:
    """Before the first situations; the resume code."""
    code = begin(page, door)
    page.goto(page.url.replace("/context/1/", "/scenarios/1/"))
    return code


def stored() -> list[str | None]:
    """The options kept of the first page of situations."""
    sitting = Sitting.objects.get()
    asked = questionnaire_of(sitting)
    answers = sheet_of(sitting).answers
    items = [item.code for item in asked.page("scenarios", 1).items]
    return [answers[code].option if code in answers else None for code in items]


def test_what_is_chosen_is_kept_without_a_button(watched, door):
    at_situations(watched, door)
    expect(watched.locator("#kept")).to_be_hidden()
    with kept(watched):
        choose(watched, 1)
    expect(watched.locator("#kept")).to_be_visible()
    assert stored()[0] == "b"
    watched.reload()
    expect(watched.locator("main fieldset").first.locator("input").nth(1)).to_be_checked()


def test_without_a_network_answers_wait_and_go_when_it_is_back(watched, door):
    at_situations(watched, door)
    notice = watched.locator("#keeping")
    expect(notice).to_be_empty()
    watched.context.set_offline(True)
    expect(notice).to_contain_text("Pas de connexion")
    check(watched, "without a network")
    choose(watched, 1)
    choose(watched, 2)
    go_on(watched)
    expect(notice).to_contain_text("Vous continuerez")
    choose(watched, 0)  # one may still change one's mind
    assert watched.url.endswith("/scenarios/1/")
    assert stored()[0] is None
    watched.context.set_offline(False)
    watched.wait_for_url("**/scenarios/2/")
    assert stored()[0] == "a"


def test_the_button_pressed_last_is_the_one_that_counts(watched, door):
    at_situations(watched, door)
    watched.context.set_offline(True)
    choose(watched, 1)
    go_on(watched)
    expect(watched.locator("#keeping")).to_contain_text("Vous continuerez")
    watched.wait_for_timeout(1500)  # it is tried again, as "continue"
    watched.get_by_role("button", name="Enregistrer et m’arrêter là").click(no_wait_after=True)
    watched.context.set_offline(False)
    watched.wait_for_url("**/leave/")
    assert stored()[0] == "b"


def test_an_acknowledgement_that_is_lost_is_no_conflict(watched, door):
    """The server has kept it, the answer never came, and in the meantime one has changed it."""
    at_situations(watched, door)
    lost = []

    def lose(route) -> None:
        if route.request.method != "POST" or len(lost) == 2:
            return route.continue_()
        answer = route.fetch()
        lost.append(answer.status)
        if len(lost) == 2:  # this time it breaks off
            return route.fulfill(response=answer, body=answer.text()[:5])
        choose(watched, 2)
        return route.abort()

    watched.route("**/scenarios/1/", lose)
    choose(watched, 1)
    expect(watched.locator("#keeping")).to_contain_text("Pas de connexion")
    expect(watched.locator("#keeping")).to_contain_text("La connexion est revenue")
    watched.wait_for_function("() => !document.getElementById('kept').hidden")
    assert lost == [200, 200]
    with watched.expect_navigation():
        go_on(watched)
    assert watched.url.endswith("/scenarios/2/")
    assert stored()[0] == "c"


def test_a_second_tab_is_told_and_overwrites_nothing(watched, door):
    at_situations(watched, door)
    second = watched.context.new_page()
    second.goto(watched.url)
    with kept(watched):
        choose(watched, 0)
    choose(second, 1)
    expect(second.locator("#keeping")).to_contain_text("autre onglet")
    second.evaluate("() => ['offline', 'online'].forEach((name) => dispatchEvent(new Event(name)))")
    expect(second.locator("#keeping")).to_contain_text("autre onglet")
    assert stored()[0] == "a"
    press(second)  # shown as a page, with what this tab holds
    expect(second.get_by_role("alert")).to_contain_text("autre onglet")
    expect(second.locator("main fieldset").first.locator("input").nth(1)).to_be_checked()
    assert stored()[0] == "a"
    press(second)  # a decision
    assert stored()[0] == "b"


def test_an_ended_session_asks_for_the_code_and_goes_on(watched, door):
    code = at_situations(watched, door)
    Session.objects.all().delete()
    choose(watched, 1)
    expect(watched.locator("#keeping")).to_contain_text("Votre session est terminée")
    check(watched, "an ended session")
    assert stored()[0] is None
    watched.context.set_offline(True)
    go_on(watched)  # it waits for the network like any other form
    expect(watched.locator("#keeping")).to_contain_text("Vous continuerez")
    with watched.expect_navigation():
        watched.context.set_offline(False)
    watched.fill("#id_code", code)
    press(watched)
    watched.wait_for_url("**/scenarios/2/")
    assert stored()[0] == "b"


def test_a_button_elsewhere_waits_for_the_network(watched, door):
    at_situations(watched, door)
    with kept(watched):
        choose(watched, 1)
    watched.goto(watched.url.replace("/scenarios/1/", "/review/"))
    watched.context.set_offline(True)
    go_on(watched)
    expect(watched.locator("#keeping")).to_contain_text("Pas de connexion")
    assert Sitting.objects.get().finished_on is None
    watched.context.set_offline(False)
    watched.wait_for_url("**/results/")
    assert Sitting.objects.get().finished_on is not None


def test_a_guest_network_that_asks_to_sign_in_is_sent_nothing(watched, door):
    """It answers everything with its own page, and says that all is well."""
    at_situations(watched, door)
    with kept(watched):
        choose(watched, 1)
    watched.goto(watched.url.replace("/scenarios/1/", "/review/"))
    watched.route(
        "**/*", lambda route: route.fulfill(content_type="text/html", body="<h1>Wi-Fi</h1>")
    )
    go_on(watched)
    expect(watched.locator("#keeping")).to_contain_text("Pas de connexion")
    assert watched.url.endswith("/review/")
    watched.unroute_all()
    watched.wait_for_url("**/results/")


def test_a_service_that_cannot_answer_is_not_called_the_network(watched, door):
    at_situations(watched, door)
    notice = watched.locator("#keeping")
    there = "**/scenarios/1/"
    watched.route(there, lambda route: route.fulfill(status=503, headers={"Retry-After": "5"}))
    choose(watched, 1)
    expect(notice).to_have_text(notice.get_attribute("data-service-stays"))
    go_on(watched)
    expect(notice).to_have_text(notice.get_attribute("data-service-waits"))
    assert stored()[0] is None
    watched.unroute_all()
    watched.wait_for_url("**/scenarios/2/")
    assert stored()[0] == "b"


def test_the_network_is_cut_at_random_and_every_answer_arrives(watched, door):
    chance = random.Random(20261124)
    begin(watched, door)
    walked = 0
    while "/review/" not in watched.url:
        cut = chance.random() < 0.5
        watched.context.set_offline(cut and chance.random() < 0.5)
        watched.evaluate(SECOND_CHOICES)
        watched.context.set_offline(cut)
        here = watched.url
        go_on(watched)
        if cut:
            expect(watched.locator("#keeping")).to_contain_text("Vous continuerez")
            watched.context.set_offline(False)
        watched.wait_for_url(lambda url, here=here: url != here)
        walked += 1
    assert walked == 16
    sheet = sheet_of(Sitting.objects.get())
    assert {answer.option for answer in sheet.answers.values()} == {"b"}
    assert len(sheet.answers) == 24
    press(watched)
    watched.wait_for_url("**/results/")


@pytest.fixture
def server(tmp_path, phase, collected) -> Iterator[Server]:
    """On a copy of the tests' database of its own, to be killed."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(tmp_path / "db.sqlite3")])
    server = Server(tmp_path, collected)
    server.start()
    yield server
    server.kill()


@pytest.mark.xdist_group("server")
def test_a_server_killed_between_answers_loses_none_it_acknowledged(
    browser, phase, server, tmp_path
):
    chance = random.Random(7)
    page = browser.new_context(locale="fr-FR").new_page()
    begin(page, server.address)
    acknowledged: list[str] = []
    page.on(
        "response",
        lambda response: (
            response.request.method == "POST"
            and response.status == 200
            and acknowledged.append(response.url)
        ),
    )
    killed_at = set(chance.sample(range(16), 3))
    for number in range(16):
        here = page.url
        page.evaluate(SECOND_CHOICES)
        if number in killed_at:
            page.wait_for_timeout(chance.randrange(1200))
            server.kill()
            go_on(page)
            expect(page.locator("#keeping")).to_contain_text("Pas de connexion")
            server.start()
        else:
            go_on(page)
        page.wait_for_url(lambda url, here=here: url != here, timeout=60_000)
    assert page.url.endswith("/review/")
    assert len(acknowledged) >= 16
    expect(page.locator("main")).to_contain_text("Toutes les questions ont une réponse")
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        [(kept,)] = database.execute("SELECT answers FROM assessments_sitting")
    asked = questionnaire(phase.version.digest, phase.form)
    sheet = asked.layout.unpack(kept)
    assert [answer.option for answer in sheet.answers.values()] == ["b"] * 24
    press(page)
    page.wait_for_url("**/results/")
    page.context.close()
