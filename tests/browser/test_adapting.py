"""Zoom, text spacing, large text, sizes of targets, forced colours and reduced motion: the pages of
the sitting and of the trainer's results adapt to how they are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from assessments.demonstration import USERNAME, demonstration
from assessments.instrument.loading import load
from assessments.instruments import publish
from tests.conftest import SEEDS

from .conftest import DESKTOP
from .test_trainer import PASSWORD, sign_in
from .test_walk import SECOND_CHOICES, press

SPACING = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
word-spacing: .16em !important; } p { margin-bottom: 2em !important; }"""
"""What WCAG 1.4.12 lets a reader ask for."""
LARGE = "html { font-size: 200% !important; }"
WAYS = (
    ("1280 px at 400 %", {"width": 320, "height": 256}, ""),
    ("360 px, spaced", {"width": 360, "height": 740}, SPACING),
    ("text at 200 %", DESKTOP, LARGE),
)

READ = """css => {
    let sheet = document.getElementById("reader");
    if (!sheet) {
        sheet = document.createElement("style");
        sheet.id = "reader";
        document.head.append(sheet);
    }
    sheet.textContent = css;
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.push(`${root.scrollWidth - innerWidth} px too wide`);
    const hidden = each => each.closest(
        ".visually-hidden, .skip, .skip-to-content-link, svg, .toggle-nav-sidebar, #nav-sidebar");
    const lines = [];
    for (const each of document.body.querySelectorAll("*")) {
        if (hidden(each) || !each.checkVisibility()) continue;
        const style = getComputedStyle(each);
        const cut = axis => ["hidden", "clip"].includes(axis);
        if (each.textContent.trim() && (
            cut(style.overflowX) && each.scrollWidth > each.clientWidth + 1 ||
            cut(style.overflowY) && each.scrollHeight > each.clientHeight + 1))
            found.push(`cut off: ${each.tagName}.${each.className}`);
        for (const node of each.childNodes) {
            if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            for (const box of range.getClientRects()) {
                const scrolls = each.closest(".table-wrap, .resume-code, .results, .overflow");
                if (box.right > innerWidth + 1 && !scrolls)
                    found.push(`beyond the edge: ${node.data.trim().slice(0, 40)}`);
                lines.push({box, each, text: node.data.trim()});
            }
        }
    }
    lines.sort((one, two) => one.box.top - two.box.top);
    lines.forEach((one, place) => {
        for (let next = place + 1; next < lines.length; next++) {
            const two = lines[next];
            if (two.box.top > one.box.bottom - 4) break;
            const across = Math.min(one.box.right, two.box.right)
                - Math.max(one.box.left, two.box.left);
            const down = Math.min(one.box.bottom, two.box.bottom) - two.box.top;
            if (across > 2 && down > one.box.height / 2 && down > two.box.height / 2)
                found.push(`over one another: ${one.text.slice(0, 40)} / ${two.text.slice(0, 40)}`);
        }
    });
    return [...new Set(found)];
}"""
SMALL = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter(each => {
        if (!each.checkVisibility() || each.type === "hidden" || each.disabled) return false;
        const target = each.labels?.[0]?.contains(each) ? each.labels[0] : each;
        const box = target.getBoundingClientRect();
        if (box.width >= 24 && box.height >= 24 || box.right < 0) return false;
        // A link in a sentence is as high as its line.
        const inline = getComputedStyle(each).display === "inline";
        return !(inline && each.parentElement.textContent.trim() !== each.textContent.trim());
    }).map(each => each.outerHTML.slice(0, 90))"""

MOVES = """() => [...document.querySelectorAll("*")].filter(each => {
    const style = getComputedStyle(each);
    const lasts = style.transitionDuration.split(", ").some(each => parseFloat(each) > 0);
    return lasts || style.animationName !== "none" || style.scrollBehavior === "smooth";
}).map(each => each.outerHTML.slice(0, 90))"""
LEFT = "each => getComputedStyle(each).borderLeftWidth"
EDGES = """each => {
    const style = getComputedStyle(each);
    return [style.borderTopWidth, style.borderTopColor, style.outlineStyle];
}"""


def adapts(page: Page) -> None:
    """However it is read, nothing is cut off, covered or beyond the edge; targets have a size."""
    for way, size, css in WAYS:
        page.set_viewport_size(size)
        assert (way, page.url, page.evaluate(READ, css)) == (way, page.url, [])
        if not css:
            assert (page.url, page.evaluate(SMALL)) == (page.url, [])
    assert (page.url, page.evaluate(MOVES)) == (page.url, [])
    page.evaluate(READ, "")
    page.set_viewport_size(DESKTOP)


@pytest.fixture
def reader(browser) -> Iterator[Page]:
    """A page that takes a reader's own style sheet, which the site's policy would refuse."""
    context = browser.new_context(
        locale="fr-FR", viewport=DESKTOP, bypass_csp=True, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def test_every_page_of_the_sitting_adapts(reader, door):
    page, site = reader, door.split("/c/")[0]
    page.goto(door)
    adapts(page)
    for _page in range(2):
        press(page)
        adapts(page)
    press(page)
    seen = set()
    while "/review/" not in page.url:
        part = page.url.split("/")[-3]
        if part not in seen:
            seen.add(part)
            adapts(page)
        page.evaluate(SECOND_CHOICES)
        press(page)
    assert seen == {"context", "self-ratings", "scenarios"}
    adapts(page)
    press(page)
    for path in (
        *("results/", "results/answers/1/", "results/method/", "results/steps/"),
        *("results/certificate/", "results/erase/", "leave/"),
    ):
        page.goto(f"{site}/{path}")
        adapts(page)


def test_the_trainers_pages_adapt(reader, live_server, transactional_db):
    publish(load(SEEDS))
    cohort = demonstration().cohort
    user = get_user_model().objects.get(username=USERNAME)
    user.set_password(PASSWORD)
    user.save()
    before = cohort.phases.get(kind="before")
    page, site = reader, live_server.url
    sign_in(page, site)
    for door in ("change", "results", "situations"):
        args = (cohort.pk,) if door == "change" else (cohort.pk, before.pk)
        page.goto(site + reverse(f"admin:assessments_cohort_{door}", args=args))
        adapts(page)


QUESTION = """
- paragraph: /Page 5 sur 16 .*minutes/
- progressbar "Progression"
- heading "Situations 1 et 2" [level=1]
- region /Situation 1/:
  - heading /Situation 1/ [level=2]
  - paragraph
  - group "Votre choix (situation 1)":
    - radio
    - radio "Je ne sais pas"
  - group /sûre . \\(situation 1\\)/:
    - radio "Donnée au hasard"
"""
SUMMARY = """
- alert:
  - heading "À vérifier" [level=2]
  - list:
    - listitem:
      - link "Quelle est votre profession ?"
"""
CHARTS = """
- paragraph
- img /Compréhension critique des outils – .+ Résultat \\d+ sur .+ intervalle .+ de \\d+ à \\d+/
- paragraph
- img /Biais potentiels des outils – .+/
"""
TABLE = """
- table /Niveau et résultat/:
  - caption
  - rowgroup:
    - row:
      - columnheader "Domaine"
      - columnheader "Résultat"
  - rowgroup:
    - row:
      - rowheader /Compréhension critique/
      - cell
"""


def test_without_our_colours_or_any_picture_one_is_told_the_same(reader, door):
    page, site = reader, door.split("/c/")[0]
    page.emulate_media(forced_colors="active")
    page.goto(door)
    for _page in range(3):
        press(page)
    first = page.locator("main fieldset").first
    first.locator("input").first.evaluate("each => { each.value = 'x' }")
    first.locator("input").first.check()
    press(page)
    expect(page.locator("#errors")).to_match_aria_snapshot(SUMMARY)
    wrong, right = (each.evaluate(LEFT) for each in page.locator("main fieldset").all()[:2])
    assert (wrong, right) == ("4px", "1px")
    page.evaluate(SECOND_CHOICES)
    press(page)

    question = page.locator("main fieldset").first
    question.locator("input").nth(1).check()
    page.locator("main fieldset").nth(1).locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    one, other = (page.locator("main fieldset").nth(number) for number in range(2))
    plain, chosen = (one.locator(".choice").nth(number).evaluate(EDGES) for number in range(2))
    focused = other.locator(".choice").nth(1).evaluate(EDGES)
    assert (plain[0], chosen[0], focused[0]) == ("1px", "3px", "3px")
    assert (plain[2], chosen[2], focused[2]) == ("none", "none", "solid")
    bar = Image.open(BytesIO(page.locator("main progress").screenshot())).convert("RGB")
    done, left = (bar.getpixel((bar.width * at // 40, bar.height // 2)) for at in (1, 20))
    assert done != left

    page.goto(f"{site}/sitting/scenarios/1/")
    expect(page.locator("main")).to_match_aria_snapshot(QUESTION)
    page.evaluate(SECOND_CHOICES)
    press(page)
    page.goto(f"{site}/sitting/review/")
    press(page)
    expect(page.locator("#brief .bands")).to_match_aria_snapshot(CHARTS)
    expect(page.locator("#domains")).to_match_aria_snapshot(TABLE)
    zones = page.locator("#brief svg").first.locator("rect")
    assert len({zone.evaluate("each => getComputedStyle(each).fill") for zone in zones.all()}) == 3
    page.goto(f"{site}/results/steps/")
    box = page.locator("input[name$=-keep]").first
    assert box.evaluate("each => getComputedStyle(each).appearance") == "auto"
