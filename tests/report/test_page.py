"""The page: the report in HTML, under the strict content security policy."""

import gzip
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils.html import escape

from assessments import reports
from assessments.reports import Report

from .cases import KINDS, earlier, report

VOID = {"meta", "link", "input", "br", "rect", "path", "circle", "hr", "img"}


class Outline(HTMLParser):
    """Heading levels, ids, in-page links, and tags left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.leads: set[str] = set()
        """To other pages of ours."""
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.attributes |= set(found)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a" and found.get("href", "").startswith("#"):
            self.targets.add(found["href"][1:])
        if tag == "a" and found.get("href", "").startswith("/"):
            self.leads.add(found["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes |= set(dict(attrs))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def rendered(instrument, kind: str = "mixed", **context) -> str:
    return page_of("results", report(instrument, kind), **context)


def page_of(name: str, found: Report, **context) -> str:
    return render_to_string(
        f"assessments/{name}.html",
        {"report": found, "sitting": None, "grouped": True, **context},
        request=RequestFactory().get("/results/"),
    )


def pages(found: Report) -> dict[str, str]:
    """The report on screen, by address."""
    return {
        reverse("results"): page_of("results", found),
        reverse("workings"): page_of("workings", found),
    } | {
        reverse("explained", args=(number,)): page_of(
            "explained", found, number=number, domain=domain, answers=answers
        )
        for number, (domain, answers) in enumerate(found.answers_by_domain, 1)
    }


def told_by(instrument, kind: str) -> Report:
    """A report that has every part, a comparison included."""
    return report(instrument, kind, earlier=earlier(instrument, "mixed"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_well_formed_and_outlined(instrument, language, kind):
    for html in pages(told_by(instrument, kind)).values():
        outline = Outline(html)
        assert outline.open == []
        assert outline.levels.count(1) == 1
        assert outline.levels[0] == 1
        assert all(
            after <= before + 1
            for before, after in zip(outline.levels, outline.levels[1:], strict=False)
        )
        assert len(set(outline.ids)) == len(outline.ids)
        assert outline.targets <= set(outline.ids)
        assert "style" not in outline.attributes
        assert not any(name.startswith("on") for name in outline.attributes)


def test_the_index_of_change_is_explained_where_there_is_one(instrument, in_english):
    compared = told_by(instrument, "mixed")
    assert "How each figure is made" in page_of("results", compared)
    assert "Jacobson" in page_of("workings", compared)
    assert "situations in common" not in page_of("workings", compared)
    assert "Jacobson" not in page_of("workings", report(instrument, "mixed"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_further_on_is_where_the_pages_say(instrument, in_english, kind):
    found = {address: Outline(html) for address, html in pages(told_by(instrument, kind)).items()}
    led = {lead for outline in found.values() for lead in outline.leads if "#" in lead}
    assert any("/results/answers/" in lead for lead in led) is (kind != "missing")
    for address, _, anchor in (lead.partition("#") for lead in led):
        assert anchor in found[address].ids
    leading = {lead.partition("#")[0] for lead in found[reverse("results")].leads}
    unled = set(found) - leading - {reverse("results")}
    assert unled == (
        {address for address in found if "/answers/" in address} if kind == "missing" else set()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_unsaid(instrument, language, kind):
    for html in pages(told_by(instrument, kind)).values():
        assert "None" not in re.sub(r">None:|>None of", ">", html)
        assert "{{" not in html
        assert "{%" not in html


def test_each_answer_is_explained_once_on_the_page_of_its_domain(instrument, in_english):
    found = report(instrument, "unsafe")
    on_page = pages(found)
    for answer in found.answers:
        explained = on_page[reverse("explained", args=(answer.page,))]
        said = str(escape(answer.scenario.explanation["en"]))
        assert explained.count(said) == 1
        assert sum(said in html for html in on_page.values()) == 1


def test_the_page_of_results_explains_no_answer(instrument, language):
    reports._written.cache_clear()
    rendered(instrument, "unsafe")
    assert reports._written.cache_info().misses == 0


def test_errors_made_with_confidence_are_all_named(instrument, in_english):
    for kind in ("mixed", "unsafe"):
        found = report(instrument, kind)
        html = rendered(instrument, kind)
        section, safety = section_of(html, "errors"), section_of(html, "safety")
        for answer in found.confident_errors:
            told = safety if answer.outcome.unsafe else section
            assert f"Situation {answer.number}: " in told
        assert ("told under “Safety first”" in section) is found.errors_at_risk
        for answer in found.errors_told:
            assert str(escape(answer.scenario.best.text["en"])) in section


def test_every_chart_says_its_data(instrument, in_english):
    titles = re.findall(
        r"<svg[^>]*role=\"img\"[^>]*><title>\s*([^<]*?)\s*</title>", rendered(instrument)
    )
    assert len(titles) == 6
    found = report(instrument)
    for standing, title in zip(found.standings, titles, strict=False):
        assert standing.domain.title["en"] in title
        assert f"Result {round(standing.score.score)} " in title
        lower, upper = standing.score.interval.lower, standing.score.interval.upper
        assert f"from {round(lower)} to {round(upper)}" in title


def test_coordinates_keep_their_point_in_french(instrument, language):
    html = rendered(instrument)
    assert not re.search(r"(?:cx|x|width|d|transform)=\"[^\"]*\d,\d", html)


def test_unanswered_situations_are_not_given_away(instrument, in_english):
    html = rendered(instrument, "missing")
    for scenario in instrument.scenarios_of(instrument.forms[0]):
        assert scenario.best.text["en"] not in html


def test_the_page_leads_on(instrument, in_english):
    html = rendered(instrument)
    for address in (
        "/results/readiness-report.pdf",
        "/results/steps/",
        "/results/erase/",
        "/leave/",
    ):
        assert f'href="{address}"' in html
    assert "download" in html


def section_of(html: str, name: str) -> str:
    section = html.partition(f'<section class="result" id="{name}">')[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


def test_the_strategys_measures_are_told_with_their_dates(instrument, in_english):
    told = section_of(page_of("workings", report(instrument)), "strategy")
    for element in instrument.strategy.elements:
        assert element.title["en"] in told
        assert element.state["en"] in told
    assert "checked again" not in told
    assert "past their review" not in told


def test_what_the_strategy_section_says_is_marked_once_it_is_to_be_checked(instrument, in_english):
    checked = instrument.strategy.as_of
    for days, marked in ((184, False), (185, True)):
        built = report(instrument, read_on=checked + timedelta(days=days))
        told = section_of(page_of("workings", built), "strategy")
        assert ("it may have changed" in told) is marked
        elements = len(instrument.strategy.elements)
        assert told.count("to be checked again since") == (elements if marked else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_is_light(instrument, language, kind):
    found = report(instrument, kind)
    packed = {address: len(gzip.compress(html.encode())) for address, html in pages(found).items()}
    assert {address: size for address, size in packed.items() if size > 11_000} == {}
