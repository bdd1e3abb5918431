"""What the press spares itself changes nothing that is printed."""

import io
import zlib
from xml.etree.ElementTree import ParseError

import pytest
from pypdf import PdfReader

from assessments import press

pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
pytestmark = pytest.mark.xdist_group("reports")

EVERY_ELEMENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Every element</title></head><body>
<header><h1>One</h1></header><nav><a href="#end">To the end</a></nav><main>
<section><h2>Two</h2><p>A <b>b</b> <i>c</i> <strong>d</strong> <em>e</em> <cite>f</cite>
<dfn>g</dfn> <var>h</var> <code>i</code> <kbd>j</kbd> <samp>k</samp> <small>l</small> m<sub>n</sub>
o<sup>p</sup> <abbr title="quick">q</abbr><br><a href="https://example.org/">r</a></p><hr>
<article><h3>Three</h3><blockquote>Quoted</blockquote><pre>  kept
  as it is</pre></article><aside><h4>Four</h4><details><summary>Why</summary><p>So</p></details>
<div hidden>Unseen</div></aside>
<ul><li>one<ul><li>two<ul><li>three</li></ul></li></ul></li></ul><ol><li>first<li>second</ol>
<dl><dt>Term</dt><dd>Meaning</dd></dl><figure>Drawn<figcaption>Its caption</figcaption></figure>
<table><caption>A table</caption><colgroup><col><col></colgroup>
<thead><tr><th>Head</th><th>Head</th></tr></thead><tbody><tr><th>Row</th><td>1</td></tr></tbody>
<tfoot><tr><th>Foot</th><td>2</td></tr></tfoot></table></section></main>
<footer id="end"><p class="soft">End</p></footer></body></html>"""


def contents(document: bytes) -> list[bytes]:
    return [page.get_contents().get_data() for page in PdfReader(io.BytesIO(document)).pages]


@pytest.mark.parametrize("sheets", [(), ("filed",), ("poster",)])
def test_a_page_is_drawn_as_with_the_stylesheets_of_weasyprint_and_variables(sheets):
    from weasyprint import HTML

    naive = HTML(string=EVERY_ELEMENT, base_url=press.STATIC.as_uri()).write_pdf(
        stylesheets=[press.STATIC / "css" / f"{name}.css" for name in ("report", *sheets)],
        pdf_variant="pdf/ua-1",
    )
    assert contents(press.pdf(EVERY_ELEMENT, *sheets)) == contents(naive)


def test_what_is_not_well_formed_is_read_as_a_browser_would():
    html = "<!doctype html><html lang=en><title>One</title><p>Some<p hidden>unseen<p>words & more"
    with pytest.raises(ParseError):
        press._tree(html)
    [page] = PdfReader(io.BytesIO(press.pdf(html))).pages
    assert page.extract_text().split() == ["Some", "words", "&", "more", "1", "/", "1"]


def test_what_is_printed_is_small():
    stored = press.pdf(EVERY_ELEMENT)
    [drawn, *_] = contents(stored)
    assert zlib.compress(drawn) in stored
