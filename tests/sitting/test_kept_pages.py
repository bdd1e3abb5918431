"""Pages of questions that a process renders once for all who have answered alike."""

from __future__ import annotations

import re

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import translation

from assessments.views import steps

from .conftest import Person, address, seen_on

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]*)"')


@pytest.fixture(autouse=True)
def nothing_kept():
    steps._kept_page.cache_clear()


@pytest.fixture
def another(person) -> Person:
    other = Person()
    other.begin()
    return other


def kept() -> int:
    return steps._kept_page.cache_info().currsize


def test_the_same_page_is_rendered_once_and_is_each_persons_own(person, another):
    mine, theirs = (each.see("scenarios", 1).text for each in (person, another))
    assert kept() == 1
    assert seen_on(mine) != seen_on(theirs)
    assert set(TOKEN.findall(mine)).isdisjoint(TOKEN.findall(theirs))
    for token in (*TOKEN.findall(mine), seen_on(mine)):
        mine = mine.replace(token, "")
    for token in (*TOKEN.findall(theirs), seen_on(theirs)):
        theirs = theirs.replace(token, "")
    assert mine == theirs
    assert not set(mine) & set("\ue000\ue001")


def test_what_one_answers_is_on_ones_own_page_alone(person, another, asked):
    code = asked.page("scenarios", 1).items[0].code
    person.see("scenarios", 1)
    person.answer("scenarios", 1, **{f"answer-{code}": "b"})
    chosen = f'value="b" id="id_answer-{code}_1" checked'
    assert chosen in person.see("scenarios", 1).text
    assert " checked" not in another.see("scenarios", 1).text
    person.answer("scenarios", 1, **{f"answer-{code}": "c"})
    assert chosen not in person.see("scenarios", 1).text


def test_each_language_has_its_own(person, settings):
    english = person.see("scenarios", 1).text
    person.client.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    french = person.see("scenarios", 1).text
    assert "Save and continue" in english
    assert "Enregistrer et continuer" in french
    assert kept() == 2


def test_a_token_of_a_kept_page_is_accepted(version):
    """Through the check against forgery, which Django's test client leaves out."""
    person = Person()
    person.begin()
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    browser.cookies = person.client.cookies
    for _visit in range(2):  # the first is rendered, the second kept
        page = browser.get(address("scenarios", 1)).text
        sent = {"seen": seen_on(page), "csrfmiddlewaretoken": TOKEN.search(page)[1]}
        assert browser.post(address("scenarios", 1), sent).status_code == 302
    assert browser.post(address("scenarios", 1), {"seen": seen_on(page)}).status_code == 403


def test_a_message_is_shown_once_and_never_kept(person, another):
    person.see("scenarios", 1)
    stale = {"seen": another.seen("scenarios", 1)}
    told = person.client.post(address("scenarios", 1), stale, follow=True)
    assert "another questionnaire" in told.text
    assert "another questionnaire" not in person.see("scenarios", 1).text
    assert "another questionnaire" not in another.see("scenarios", 1).text


def test_the_statement_on_accessibility_is_that_of_today(person, settings, monkeypatch):
    def line() -> str:
        return re.search(r'href="/accessibility/">([^<]*)<', person.see("scenarios", 1).text)[1]

    before = line()
    told = {"accessibility": "Accessibility: of another day"}
    monkeypatch.setattr(steps, "service", lambda _request: told)
    assert line() == told["accessibility"] != before


def test_what_never_changes_is_rendered_once_in_each_language(settings):
    template = Template("{% load readiness %}{% unchanging %}{{ name }}{% endunchanging %}")

    def said(language: str, name: str) -> str:
        with translation.override(language):
            return template.render(Context({"name": name}))

    assert [said("fr", "un"), said("en", "one"), said("fr", "deux")] == ["un", "one", "un"]
    settings.CONTACT = "other@example.org"
    assert said("fr", "deux") == "deux"
