"""Pages of questions that a process renders once for everybody, with nothing chosen."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest
from django.contrib import messages
from django.contrib.messages.storage.base import BaseStorage as Storage
from django.template import Context, Template, TemplateSyntaxError
from django.template.loader import render_to_string
from django.templatetags.i18n import TranslateNode
from django.test import Client
from django.urls import set_script_prefix
from django.utils import translation

from assessments.forms import chosen_on
from assessments.instrument.loading import load
from assessments.models import Cohort, Phase
from assessments.questionnaire import Page, Questionnaire
from assessments.scoring.sheet import DONT_KNOW_BYTE, Slot
from assessments.views import kept as kept_pages
from assessments.views import steps
from assessments.views.kept import KeptPage

from .conftest import Person, address, answers, seen_on

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]*)"')


@pytest.fixture(autouse=True)
def nothing_kept():
    steps._kept_page.cache_clear()
    kept_pages._written.cache_clear()


@pytest.fixture
def another(person) -> Person:
    other = Person()
    other.begin()
    return other


@contextmanager
def rendered(monkeypatch) -> Iterator[None]:
    """For as long as somebody seems to have something to be told, which nobody has."""
    with monkeypatch.context() as never:
        never.setattr(messages, "get_messages", lambda _request: ["one"])
        never.setattr(Storage, "__iter__", lambda _self: iter(()))
        yield


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
    assert not any(each in mine for each in (steps.TOKEN, steps.SEEN))


def test_what_one_answers_is_on_ones_own_page_alone(person, another, asked):
    code = asked.page("scenarios", 1).items[0].code
    person.see("scenarios", 1)
    person.answer("scenarios", 1, **{f"answer-{code}": "b"})
    chosen = f'value="b" id="id_answer-{code}_1" checked'
    assert chosen in person.see("scenarios", 1).text
    assert " checked" not in another.see("scenarios", 1).text
    person.answer("scenarios", 1, **{f"answer-{code}": "c"})
    assert chosen not in person.see("scenarios", 1).text
    assert kept() == 1


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


UNCHANGING = "{{% load i18n static readiness %}}{{% unchanging %}}{}{{% endunchanging %}}"


def test_what_never_changes_is_rendered_once_in_each_language(monkeypatch):
    template = Template(UNCHANGING.format("{% translate 'Back' %} {% url 'resume' %}"))

    def said(language: str) -> str:
        with translation.override(language):
            return template.render(Context())

    first = {language: said(language) for language in ("fr", "en")}
    assert first == {"fr": "Retour /resume/", "en": "Back /resume/"}
    monkeypatch.setattr(TranslateNode, "render", lambda *_: "anew")
    assert {language: said(language) for language in ("fr", "en")} == first


def test_a_service_below_an_address_keeps_its_own(person):
    template = Template(UNCHANGING.format("{% url 'resume' %}"))
    before = person.see("scenarios", 1).text
    try:
        for name in [*"abcdefghijk", "x"]:  # more than are kept
            set_script_prefix(f"/{name}/")
            assert template.render(Context()) == f"/{name}/resume/"
        below = person.client.get(
            "/sitting/scenarios/1/", SCRIPT_NAME="/x", PATH_INFO="/sitting/scenarios/1/"
        ).text
    finally:
        set_script_prefix("/")
    assert template.render(Context()) == "/resume/"
    assert 'action="/x/sitting/scenarios/1/"' in below
    assert 'action="/sitting/scenarios/1/"' in before
    assert 'action="/sitting/scenarios/1/"' in person.see("scenarios", 1).text


@pytest.mark.parametrize(
    "changes",
    [
        "{{ name }}",
        "{% csrf_token %}",
        "{% if name %}x{% endif %}",
        "{% block b %}{% endblock %}",
        "{% translate name %}",
        "{% translate 'Back' as said %}",
        "{% translate 'Back' context name %}",
        "{% translate 'Back'|default:name %}",
        "{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}",
        "{% url name %}",
        "{% url 'page' part number %}",
        "{% url 'resume' as address %}",
        "{% static name %}",
        "{% now 'Y' %}",
        "{% firstof name 'x' %}",
    ],
)
def test_what_may_change_cannot_stand_in_it(changes):
    with pytest.raises(TemplateSyntaxError, match="unchanging"):
        Template(UNCHANGING.format(changes))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_kept_page_is_the_page_that_a_request_would_be_rendered(
    person, asked, language, monkeypatch
):
    sure = asked.instrument.confidence_scale[-1].code
    person.client.cookies["django_language"] = language
    for page in asked.pages[:5]:
        for _state in ("nothing answered", "answered"):
            kept_one = person.see(page.part, page.number).text
            with rendered(monkeypatch):
                anew = person.see(page.part, page.number).text
            assert TOKEN.sub("", kept_one) == TOKEN.sub("", anew)
            person.answer(page.part, page.number, **answers(asked, page, "a", sure))


def told(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return TOKEN.sub("", response.text)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_way_to_the_questions_is_kept_as_a_request_would_be_rendered(
    version, phase, language, monkeypatch
):
    alone, grouped = (Client(headers={"accept-language": language}) for _each in range(2))
    alone.post("/")
    grouped.post(f"/c/{phase.cohort.code}/")
    newcomer = Client(headers={"accept-language": language})
    doors = (newcomer, "/"), (newcomer, f"/c/{phase.cohort.code}/")
    for client, address_of in (*doors, (alone, "/notice/"), (grouped, "/notice/")):
        kept_one = told(client, address_of)
        assert f'lang="{language}"' in kept_one[:60]
        with rendered(monkeypatch):
            assert kept_one == told(client, address_of)
        assert kept_one == told(client, address_of)
        assert steps.TOKEN not in client.get(address_of).text
    assert kept_pages._written.cache_info().currsize == 4


def test_the_notice_of_a_group_is_not_that_of_another(version, phase):
    alone, grouped = Client(), Client()
    alone.post("/")
    grouped.post(f"/c/{phase.cohort.code}/")
    group_of_all = told(grouped, "/notice/")
    assert told(alone, "/notice/") != group_of_all
    phase.breakdown = "profession"
    phase.save()
    assert told(grouped, "/notice/") not in (group_of_all, told(alone, "/notice/"))


def test_a_groups_door_is_that_of_the_group_as_it_is(version, phase, settings):
    newcomer = Client(headers={"accept-language": "en"})
    door, start = f"/c/{phase.cohort.code}/", '<form method="post">'
    first = told(newcomer, door)
    assert "Urgences" in first
    assert start in first
    assert "before the training" in first
    assert "by profession" not in first
    assert "from 11 people on" in first
    Cohort.objects.update(name="Réanimation & <soins>")
    assert "Réanimation &amp; &lt;soins&gt;" in told(newcomer, door)
    Phase.objects.update(breakdown="profession")
    assert "by profession" in told(newcomer, door)
    Phase.objects.update(kind=Phase.Kind.AFTER)
    assert "after the training" in told(newcomer, door)
    settings.DISCLOSURE_THRESHOLD = 20
    assert "from 20 people on" in told(newcomer, door)
    for closing in ({"paused": True}, {"paused": False, "closed_on": phase.opens_on}):
        Phase.objects.update(**closing)
        assert start not in told(newcomer, door)


def test_a_groups_door_has_one_address(version, phase):
    code = phase.cohort.code
    for written in (code.lower(), f"{code[:4]}-{code[4:]}", f"{code[:4]}{'-' * 3_000}{code[4:]}"):
        led = Client().get(f"/c/{written}/")
        assert (led.status_code, led.headers["Location"]) == (302, f"/c/{code}/")
    assert kept_pages._written.cache_info().currsize == 0


def test_who_the_service_is_is_told_as_it_is_set(version, settings):
    client = Client()
    client.post("/")
    assert "CHU de Nulle-Part" not in told(client, "/notice/")
    settings.CONTROLLER = "CHU de Nulle-Part"
    assert "CHU de Nulle-Part" in told(client, "/notice/")


def test_the_landing_page_of_one_who_has_begun_is_nobody_elses(person):
    mine = told(person.client, "/")
    assert "in progress in this browser" in mine
    other = Client(headers={"accept-language": "en"})
    assert "in progress" not in told(other, "/")
    assert mine == told(person.client, "/")


def test_each_reader_of_a_kept_page_has_a_token_that_works(version):
    first, second = (Client(enforce_csrf_checks=True) for _each in range(2))
    tokens = []
    for client in (first, second):
        (token, *others) = TOKEN.findall(client.get("/").text)
        assert set(others) == {token}
        tokens.append(token)
        assert client.post("/", {"csrfmiddlewaretoken": token}).headers["Location"] == "/notice/"
    assert second.post("/", {"csrfmiddlewaretoken": tokens[0]}).status_code == 403


SEEDS = Path(__file__).parents[2] / "seeds" / "ai-readiness"
seeded = cache(load)
"""The questionnaire that is shipped, read once."""


def bytes_of(slot: Slot) -> list[int]:
    """Every byte that may stand in a slot, nothing answered first."""
    if slot.multiple:
        return list(range(2 ** len(slot.values)))
    return [*range(len(slot.values) + 1), *[DONT_KNOW_BYTE] * (slot.kind == "option")]


def answers_in_turn(asked: Questionnaire, page: Page) -> Iterator[bytes]:
    """Answers to a page: each that a question takes at least once, and each confidence."""
    chance = random.Random(page.place)
    slots = [asked.layout.slots[place] for place in asked.places(page)]
    following = [cycle(bytes_of(slot)) for slot in slots]
    for _turn in range(12):
        part: list[int] = []
        for slot, each in zip(slots, following, strict=True):
            if slot.multiple:
                part.append(chance.choice(bytes_of(slot)))
            elif slot.kind == "confidence" and part[-1] in (0, DONT_KNOW_BYTE):
                part.append(0)  # nobody is sure of no answer
            else:
                part.append(next(each))
        yield bytes(part)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("form", ["A", "B"])
def test_what_one_answers_stands_where_the_template_writes_it(form, language):
    """On every page of the questionnaire that is shipped, whatever is answered."""
    asked = Questionnaire(seeded(SEEDS), form, "nurse")
    marked: set[tuple[int, str, str]] = set()
    offered: set[tuple[int, str, str]] = set()
    for page in asked.pages:
        kept_one = steps._kept_page(asked, page.place, 0, language, "/", "compliant")
        offered |= {(page.place, *choice) for choice in kept_one._places}
        for part in answers_in_turn(asked, page):
            sheet = asked.sheet_of_page(page, part)
            chosen = chosen_on(page, sheet)
            marked |= {(page.place, name, each) for name in chosen for each in chosen[name]}
            with translation.override(language):
                told = steps._told(asked, page, 0, steps._form_of(asked, page, sheet))
                told |= {"accessibility": "compliant"}
                told |= {"csrf_token": steps.TOKEN, "seen": steps.SEEN}
                written = render_to_string("assessments/page.html", told)
            assert kept_one.with_chosen(chosen) == written.encode()
            assert written.count(" checked>") == sum(map(len, chosen.values()))
    assert marked == offered
    assert len(asked.pages) * 5 < len(offered)


def test_a_page_of_answers_holds_what_the_whole_sheet_does(asked):
    chance = random.Random(7)
    for page in asked.pages:
        for part in answers_in_turn(asked, page):
            whole = bytes(chance.choice(bytes_of(slot)) for slot in asked.layout.slots[:4])
            whole += bytes(asked.layout.size - len(whole))
            sheet = asked.layout.unpack(asked.replaced(page, whole, part))
            alone = asked.sheet_of_page(page, part)
            assert chosen_on(page, alone) == chosen_on(page, sheet)
            assert asked.layout.pack(alone) == asked.replaced(page, asked.layout.empty(), part)


def test_a_choice_that_a_page_does_not_offer_is_no_silent_omission():
    page = KeptPage('<input type="radio" name="answer-1" value="a" id="x"><p>é</p>')
    assert (
        page.with_chosen({"answer-1": ["a"]})
        .decode()
        .startswith('<input type="radio" name="answer-1" value="a" id="x" checked><p>é')
    )
    assert " checked" not in page.with_chosen({"answer-1": []}).decode()
    with pytest.raises(KeyError):
        page.with_chosen({"answer-1": ["b"]})
