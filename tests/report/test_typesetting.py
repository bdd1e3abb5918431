"""What is remembered of lines spares the press work, and changes nothing that is printed."""

from contextlib import nullcontext

import pytest
from django.template.loader import render_to_string

from assessments import press, typesetting
from assessments.typesetting import DEPENDS_ON, Lines

from .cases import report

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
pytestmark = pytest.mark.xdist_group("reports")

DOCUMENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lines</title></head><body><main><h1>Lines</h1>
%s
<p style="width: 20mm; hyphens: auto">Extraordinarily incomprehensible responsibilities</p>
<p style="width: 20mm">Extra\u00adordi\u00adnarily incompre\u00adhensible responsi\u00adbilities</p>
<p style="width: 30mm; text-align: justify">Words that are spread over the whole of a line, with
<em>some of them slanted</em>, and a word that does not fit: unterwegsseinsbescheinigung</p>
<p style="text-decoration: underline; word-spacing: 2mm; letter-spacing: 1mm">Underlined, apart</p>
<pre>Kept
\tas it is</pre></main></body></html>"""
SAID = "<p>A colleague wrote: unforgettable words that are nobody else’s business.</p>"


@pytest.fixture
def lines(monkeypatch):
    """A press that has printed nothing yet."""
    from dataclasses import replace

    shared, fresh = press._press(), Lines()
    monkeypatch.setattr(press, "_press", lambda: replace(shared, lines=fresh))
    return fresh


@pytest.fixture
def broken(monkeypatch):
    """The texts of which WeasyPrint was asked for the first line."""
    from weasyprint.text import line_break

    split, asked = line_break.split_first_line, list[str]()

    def watched(text, *given, **more):
        asked.append(text)
        return split(text, *given, **more)

    monkeypatch.setattr(line_break, "split_first_line", watched)
    return asked


def forgetful(html, monkeypatch):
    """The document as WeasyPrint prints it by itself."""
    with monkeypatch.context() as patched:
        patched.setattr(Lines, "remembered", lambda _lines: nullcontext())
        return press.pdf(html)


@pytest.mark.parametrize("language", ["fr", "en"], indirect=True)
def test_a_report_is_the_same_to_the_byte(instrument, language, lines, broken, monkeypatch):
    html = render_to_string(
        "assessments/report/document.html", {"report": report(instrument, "mixed")}
    )
    without = forgetful(html, monkeypatch)
    assert not lines._found
    assert press.pdf(html) == without
    asked = len(broken)
    assert press.pdf(html) == without
    assert len(broken) == asked  # the second time, no line is looked for


def test_a_line_with_a_hyphen_or_spread_or_underlined_is_the_same(lines, broken, monkeypatch):
    without = forgetful(DOCUMENT % SAID, monkeypatch)
    del broken[:]
    assert press.pdf(DOCUMENT % SAID) == without
    first = len(broken)
    assert press.pdf(DOCUMENT % SAID) == without
    assert "Underlined, apart" in broken[first:]
    assert len(broken) < 1.5 * first  # hyphens and what is underlined are looked at anew


@pytest.mark.parametrize(
    "style",
    [
        "width: 61mm", "font-weight: 700", "font-style: italic", "font-size: 12pt",
        "letter-spacing: 1mm", "word-spacing: 1mm", "white-space: nowrap", "direction: rtl",
        "font-variant-caps: all-small-caps", "font-feature-settings: 'kern' 0",
    ],
)  # fmt: skip
def test_the_same_words_in_another_style_are_another_line(style, lines, monkeypatch):
    text = "<p style='width: 60mm; %s'>" + 3 * "Twelve words that are as long as a line of them. "
    changed = DOCUMENT % (text % style)
    without = forgetful(changed, monkeypatch)
    press.pdf(DOCUMENT % (text % ""))
    assert press.pdf(changed) == without


def test_the_words_themselves_are_not_kept(lines):
    press.pdf(DOCUMENT % SAID)
    assert lines._found
    for key, line in lines._found.items():
        of_words, look, place = key
        told = (of_words, *place, line.signs, line.direction, *line.numbers)
        assert {type(part) for part in told} <= {int, float, bool, type(None)}
        assert not set(SAID.split()) & set(look.split())


def test_the_oldest_lines_are_forgotten(lines, monkeypatch):
    monkeypatch.setattr(typesetting, "MOST", 20)
    without = forgetful(DOCUMENT % SAID, monkeypatch)
    assert [press.pdf(DOCUMENT % SAID) for _again in range(2)] == [without] * 2
    assert len(lines._found) == 20


def test_weasyprint_is_left_as_it_was(lines):
    from weasyprint.layout import inline, preferred
    from weasyprint.text import line_break

    def functions():
        splitters = [module.split_first_line for module in (line_break, inline, preferred)]
        return [*splitters, inline.strut]

    own, meanwhile = functions(), []

    def interrupted():
        with lines.remembered():
            meanwhile.extend(functions())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert functions() == own
    assert len(set(own)) == len(set(meanwhile)) == 2
    assert not set(own) & set(meanwhile)


def test_a_line_is_known_by_all_that_weasyprint_looks_at_to_break_it(lines, monkeypatch):
    from weasyprint.css import AnonymousStyle, ComputedStyle
    from weasyprint.text import line_break

    seen = set[str]()
    split = line_break.split_first_line

    class Watched(dict):
        def __init__(self, style):
            self.style, self.font_config, self.cache = style, style.font_config, style.cache

        def __getitem__(self, name):
            seen.add(name)
            return self.style[name]

        def copy(self):
            return self.style.copy()

    def watched(text, style, *given, **more):
        if isinstance(style, ComputedStyle | AnonymousStyle):
            style = Watched(style)
        return split(text, style, *given, **more)

    monkeypatch.setattr(line_break, "split_first_line", watched)
    press.pdf(DOCUMENT % SAID)
    assert seen >= {"font_size", "hyphenate_limit_zone", "word_break", "tab_size"}
    assert seen <= set(DEPENDS_ON)
