"""The words people read: typography, one language a page, nothing said outside the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import django
import polib
import pytest
import yaml
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from assessments import cohorts
from assessments.admin import words
from assessments.instruments import publish, questionnaire
from assessments.models import Cohort, Phase
from assessments.roles import make_trainer
from tests.conftest import SEEDS
from tests.instrument.example import example_instrument
from tests.sitting.conftest import Person

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = polib.pofile(str(ROOT / "locale/fr/LC_MESSAGES/django.po"))
DJANGO = Path(django.__file__).parent

# --- French typography ---------------------------------------------------------------------------

PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{[a-z_]*\}|<[^>]+>")
ADDRESS = re.compile(r"https?://\S+|\bdoi:\S+|\b10\.\d{4,}/\S+")
WRONG = {
    "a high mark without its no-break space": r"[^\s\u00a0(«][;?!»](?!\w)|[^\s\u00a0]:(?=\s|$)",
    "a high mark after a space that breaks": r" [:;?!»%]",
    "a percentage without its no-break space": r"\d%|[)x]%%",
    "a quotation mark without its no-break space": r"«[^\u00a0]",
    "an apostrophe or a quotation mark of typewriters": r"'|\"|[“”]",
    "three dots": r"\.\.\.",
    "two spaces": r"[ \u00a0]{2}",
    "a narrow no-break space": r"\u202f",
    "a hyphen for a dash": r" - ",
    "an o and an e apart": r"(?i)\b(?:oeuvr|soeur|coeur|oeil|noeud|voeu|boeuf|manoeuvr)",
    "a capital without its accent": (
        r"\bA (?:la|l’|quoi|ce|cette|vous|votre|faire|relire|revoir)\b"
        r"|\b(?:Etat|Etap|Etud|Ecri|Evalu|Equip|Etal)"
    ),
    "a middle dot, which screen readers stumble on": r"\w·\w",
}


def misprints(text: str) -> list[str]:
    bare = ADDRESS.sub("x", PLACEHOLDER.sub("x", text))
    return [what for what, mark in WRONG.items() if re.search(mark, bare)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pourquoi ?", ["a high mark after a space that breaks"]),
        ("Pourquoi?", ["a high mark without its no-break space"]),
        ("%(n)s%%", ["a percentage without its no-break space"]),
        ("l'outil", ["an apostrophe or a quotation mark of typewriters"]),
        ("Vous seul·e", ["a middle dot, which screen readers stumble on"]),
        ("À 14\u00a0h\u00a005, «\u00a0%(n)s\u00a0%%\u00a0»\u00a0: oui. Voir https://a.fr/b?c", []),
    ],
)
def test_a_misprint_is_found(text, found):
    assert misprints(text) == found


def test_the_catalogue_is_without_misprints():
    found = {
        text: misprints(text)
        for entry in CATALOGUE
        for text in (entry.msgstr, *entry.msgstr_plural.values())
        if misprints(text)
    }
    # What ends or begins with a space is put between others.
    assert {text: what for text, what in found.items() if text.strip("\u00a0 :;")} == {}


def test_english_has_its_own_quotation_marks_and_dashes():
    wrong = re.compile(r"'|\"|\.\.\.|[«»\u00a0]|[ ]{2}| [:;?!]")
    english = {text for entry in CATALOGUE for text in (entry.msgid, entry.msgid_plural)}
    # What the questionnaire's author is told of marks names them.
    about_marks = {text for text in english if "U+00A0" in text}
    found = {text for text in english if wrong.search(PLACEHOLDER.sub("x", text))}
    assert found - about_marks - SAID_BY_US == set()


def french(value: object) -> Iterator[str]:
    """Every French text of a YAML document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "fr" and isinstance(inner, str):
                yield inner
            else:
                yield from french(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from french(inner)


@pytest.mark.parametrize("path", sorted(SEEDS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_instrument_is_without_misprints(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {text: misprints(text) for text in french(document) if misprints(text)} == {}


def test_what_is_quoted_of_the_quality_framework_is_without_misprints():
    quoted = yaml.safe_load((ROOT / "assessments/rnq.yaml").read_text(encoding="utf-8"))
    wordings = [indicator["wording"] for indicator in quoted["indicators"]]
    assert len(wordings) == 2
    assert [misprints(wording) for wording in wordings] == [[], []]


@pytest.mark.parametrize("entry", [e for e in CATALOGUE if e.msgid_plural], ids=lambda e: e.msgid)
def test_plural_forms_are_two_and_say_their_number_in_the_plural(entry):
    assert sorted(entry.msgstr_plural) == [0, 1]
    wanted = set(PLACEHOLDER.findall(entry.msgid_plural))
    assert set(PLACEHOLDER.findall(entry.msgstr_plural[1])) == wanted
    assert set(PLACEHOLDER.findall(entry.msgstr_plural[0])) <= wanted


# --- What Django says ----------------------------------------------------------------------------

SAID_BY_US = {*words.PAGES, *words.MESSAGES, *words.ACCOUNTS}


def djangos(*parts: str) -> dict[str, str]:
    """What Django says in its own pages that ours have, and its French of it."""
    return {
        entry.msgid: entry.msgstr
        for part in parts
        for entry in polib.pofile(str(DJANGO / part / "locale/fr/LC_MESSAGES/django.po"))
        if entry.msgstr and not entry.msgctxt
    }


DJANGOS = djangos("conf", "contrib/admin", "contrib/auth")


def test_what_we_say_for_django_is_still_said_by_django():
    assert SAID_BY_US - DJANGOS.keys() == set()


def test_our_words_take_the_place_of_djangos_only_where_we_mean_it():
    """A string of ours that Django has too is Django's no more, wherever Django says it."""
    taken = {
        entry.msgid
        for entry in CATALOGUE
        if not entry.msgctxt and DJANGOS.get(entry.msgid, entry.msgstr) != entry.msgstr
    }
    assert taken == SAID_BY_US | {"English", "French", "Log out", "Page not found", "Remove"}


def test_a_date_is_written_one_way_in_each_language():
    day = timezone.datetime(2026, 11, 24, 14, 5)
    with translation.override("en"):
        assert date_format(day, "DATE_FORMAT") == "24 November 2026"
        assert date_format(day, "DATETIME_FORMAT") == "24 November 2026, 14:05"
    with translation.override("fr"):
        assert date_format(day, "DATE_FORMAT") == "24 novembre 2026"
        assert date_format(day, "DATETIME_FORMAT") == "24 novembre 2026, 14\u00a0h\u00a005"


# --- Templates -----------------------------------------------------------------------------------

SAID = re.compile(
    r"{%\s*block (?:robots|body_?class)\b.*?{%\s*endblock\s*%}|"
    r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}|{%\s*comment\b.*?{%\s*endcomment\s*%}"
    r"|{#.*?#}|{%.*?%}|{{.*?}}|<!--.*?-->",
    re.DOTALL,
)
LETTER = re.compile(r"[^\W\d_]|%")
SPOKEN = {"alt", "aria-label", "data-copied", "data-copy", "placeholder", "title"}
SAME_IN_EVERY_LANGUAGE = {
    *("Readiness", "SHA-256", "formulaire.defenseurdesdroits.fr", "FHIR R4", "FHIR R5", "doi"),
    *("W", "a", "b"),  # of formulas
}


class Texts(HTMLParser):
    """What a page says, each with the language it is marked with, or None."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[tuple[str, str | None]] = []
        self.open: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    @property
    def language(self) -> str | None:
        return next((language for _tag, language in reversed(self.open) if language), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.open.append((tag, given.get("lang") if tag != "html" else None))
        self.said += [(value, self.language) for name, value in attrs if name in SPOKEN and value]
        if tag == "input" and given.get("type") == "submit" and given.get("value"):
            self.said.append((str(given["value"]), self.language))
        if tag in {"br", "hr", "img", "input", "link", "meta", "path", "circle", "line", "rect"}:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while any(opened == tag for opened, _language in self.open):
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & {tag for tag, _language in self.open} and data.strip():
            self.said.append((re.sub(r"[ \t\n]+", " ", data).strip(" "), self.language))


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(ROOT.glob("templates/**/*.*")) if path.name != "500.html"],
    ids=lambda path: str(path.relative_to(ROOT / "templates")),
)
def test_nothing_is_said_outside_the_catalogue(path):
    """500.html is left out: it says its own in both languages, whatever has broken."""
    html = SAID.sub(" \x1f ", path.read_text(encoding="utf-8"))
    for text, marked in Texts(html).said:
        if marked in {"fr", "en"}:
            continue
        for part in text.split("\x1f"):
            word = part.strip(" :–|.,;()·")
            drawn = re.match(r'[\w-]+="|#[0-9a-f]{6}\b|" ', word)  # the rest of a tag after a tag
            address = re.fullmatch(r"[\w.-]+\.fr(/\S*)?", word)
            assert (
                drawn or address or word in SAME_IN_EVERY_LANGUAGE or not re.search(LETTER, word)
            ), word


# --- Pages ---------------------------------------------------------------------------------------


def foreign(language: str) -> set[str]:
    """What a page in that language does not say: the other's words, where they differ."""
    both = {
        *((msgid, msgstr) for msgid, msgstr in DJANGOS.items() if msgid not in SAID_BY_US),
        *((entry.msgid, entry.msgstr) for entry in CATALOGUE if entry.msgstr),
    }
    in_english, in_french = ({pair[side] for pair in both} for side in (0, 1))
    return in_english - in_french if language == "fr" else in_french - in_english


def own(response, language: str) -> list[str]:
    """What a page says in its own language: what is not marked as in another."""
    assert response.status_code in {200, 403, 404}, response.request["PATH_INFO"]
    assert f'<html lang="{language}"' in response.text
    return [text for text, marked in Texts(response.text).said if marked in {None, language}]


@pytest.fixture
def phase(db) -> Phase:
    version, _is_new = publish(example_instrument())
    today = timezone.localdate()
    trainer = get_user_model().objects.create_user("trainer")
    make_trainer(trainer)
    cohort = Cohort(name="12")
    cohorts.create(cohort, trainer)
    phase = Phase(cohort=cohort, kind=Phase.Kind.BEFORE, opens_on=today, version=version, form="A")
    cohorts.plan(phase, trainer)
    return phase


def public_pages(phase: Phase, language: str) -> Iterator[list[str]]:
    """What a clinician meets, from the landing page to the erasure."""
    person = Person(language)
    names = ("landing", "method", "strategy", "privacy", "accessibility", "example", "group")
    for name in (*names, "example-lessons", "resume"):
        yield own(person.client.get(reverse(name)), language)
    for number in range(1, 5):
        yield own(person.client.get(reverse("sources", args=(number,))), language)
    yield own(person.client.get("/nowhere/"), language)
    door = reverse("cohort", kwargs={"access": phase.cohort.code})
    yield own(person.client.get(door), language)
    newcomer = Client(headers={"accept-language": language})
    newcomer.post(door)
    yield own(newcomer.get(reverse("notice")), language)
    newcomer.post(reverse("notice"))
    yield own(newcomer.get(reverse("start")), language)
    person.begin(door)
    asked = questionnaire(phase.version.digest, "A")
    for page in asked.pages:
        yield own(person.see(page.part, page.number), language)
    yield own(person.client.get(reverse("review")), language)
    person.answer_all(asked, option="b")
    person.client.post(reverse("review"))
    for name in ("results", "workings", "plans", "reminders", "certificate", "erase", "leave"):
        yield own(person.client.get(reverse(name)), language)
    for number in range(1, 4):
        yield own(person.client.get(reverse("explained", args=(number,))), language)
    other = Person(language)
    other.begin()
    session = person.client.session
    session["own"] = [person.sitting.pk, other.sitting.pk]
    session.save()
    yield own(person.client.get(reverse("turn")), language)


def admin_pages(phase: Phase, language: str) -> Iterator[list[str]]:
    """What a trainer, an author and those who run the service meet."""
    client = Client(headers={"accept-language": language})
    login = reverse("account_login")
    yield own(client.get(login), language)
    yield own(client.post(login, {"login": "nobody", "password": "none"}), language)
    of = "admin:assessments_cohort_"
    cohort, both = phase.cohort.pk, (phase.cohort.pk, phase.pk)
    seen = {
        "trainer": [
            reverse("admin:index"),
            reverse("admin:password_change"),
            reverse(f"{of}changelist"),
            reverse(f"{of}add"),
            reverse(f"{of}change", args=[cohort]),
            reverse(f"{of}history", args=[cohort]),
            reverse(f"{of}leave", args=[cohort]),
            reverse(f"{of}close", args=both),
            reverse(f"{of}results", args=both),
        ],
        "operator": [
            reverse("admin:index"),
            reverse("admin:assessments_event_changelist"),
            reverse("admin:assessments_instrumentversion_changelist"),
            reverse("admin:assessments_standardstudy_changelist"),
            reverse("admin:assessments_standardstudy_add"),
            reverse("admin:auth_user_changelist"),
            reverse("admin:auth_user_add"),
        ],
    }
    get_user_model().objects.create_superuser("operator")
    for name, addresses in seen.items():
        client.force_login(get_user_model().objects.get(username=name))
        for address in addresses:
            yield own(client.get(address, follow=True), language)
    yield own(client.post(reverse("admin:logout"), follow=True), language)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("pages", [public_pages, admin_pages])
def test_a_page_speaks_one_language(pages, language, phase):
    # The picture beside a field to search in has its name in Django's template, in English.
    others, said = foreign(language) - {"Search"}, 0
    for texts in pages(phase, language):
        said += len(texts)
        assert {*texts, *(text.removesuffix(":").strip() for text in texts)} & others == set()
        if language == "fr":
            assert {text: misprints(text) for text in texts if misprints(text)} == {}
    assert said > 500
