"""The page: the report in HTML, under the strict content security policy."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory

from .cases import KINDS, report

VOID = {"meta", "link", "input", "br", "rect", "path", "circle", "hr", "img"}


class Outline(HTMLParser):
    """Heading levels, ids, in-page links, and tags left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.targets: set[str] = set()
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
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes |= set(dict(attrs))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def rendered(instrument, kind: str = "mixed", **context) -> str:
    return render_to_string(
        "assessments/results.html",
        {"report": report(instrument, kind), "sitting": None, "grouped": True, **context},
        request=RequestFactory().get("/results/"),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_well_formed_and_outlined(instrument, language, kind):
    outline = Outline(rendered(instrument, kind))
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


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_unsaid(instrument, language, kind):
    html = rendered(instrument, kind)
    assert "None" not in re.sub(r">None:|>None of", ">", html)
    assert "{{" not in html
    assert "{%" not in html


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


def strategy_in(html: str) -> str:
    section = html.partition('<section class="result" id="strategy">')[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


def test_the_strategys_measures_are_told_with_their_dates(instrument, in_english):
    told = strategy_in(rendered(instrument))
    for element in instrument.strategy.elements:
        assert element.title["en"] in told
        assert element.state["en"] in told
    assert "checked again" not in told
    assert "past their review" not in told


def test_what_the_strategy_section_says_is_marked_once_it_is_to_be_checked(instrument, in_english):
    checked = instrument.strategy.as_of
    for days, marked in ((184, False), (185, True)):
        built = report(instrument, read_on=checked + timedelta(days=days))
        html = render_to_string(
            "assessments/results.html",
            {"report": built, "sitting": None, "grouped": True},
            request=RequestFactory().get("/results/"),
        )
        told = strategy_in(html)
        assert ("it may have changed" in told) is marked
        elements = len(instrument.strategy.elements)
        assert told.count("to be checked again since") == (elements if marked else 0)
