"""HTML as text that keeps its structure, and as markup that is fit to be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Normalise
from processors.model.event import Event, RawItem
from processors.model.story import Text
from processors.normalise import normalise
from processors.normalise.html import read_html, sanitise_html
from processors.normalise.text import clean_text
from tests.processors.normalise.samples import RECEIVED

ENTRY = "<rss><channel><item><title>T</title><description><![CDATA[{}]]></description></item></channel></rss>"
NEWS = (
    '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a:1"><contentMeta><headline>H</headline></contentMeta><contentSet>'
    '<inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html></inlineXML>'
    "</contentSet></newsItem>"
)
NITF = (
    "<nitf><head><docdata><doc-id id-string='1'/></docdata></head><body><body.content><hl2>One</hl2><p>Two</p>"
    "<media media-type='image'><media-caption>C</media-caption></media></body.content></body></nitf>"
)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("<p>One <em>two</em></p><script>x()</script>", "<p>One <em>two</em></p>"),
        ("<p onclick='x()' style='color:red'>One</p>", "<p>One</p>"),
        ("<p>One<img src='https://t.example/p' width='1' height='1'></p>", "<p>One</p>"),
        ("<p><img src='data:image/gif;base64,x'>One</p>", "<p><img>One</p>"),
        ("<iframe src='https://t.example'>x</iframe><p>One</p>", "<p>One</p>"),
        ("<ul><li>One<li>Two</ul>", "<ul><li>One</li><li>Two</li></ul>"),
        ("<svg><script>x()</script></svg><!-- note --><p>One", "<p>One</p>"),
    ],
)
def test_what_is_active_goes_with_its_content(sent: str, shown: str) -> None:
    assert sanitise_html(sent) == shown


def test_links_keep_their_address_unless_a_browser_would_run_it() -> None:
    assert 'href="https://a.example/x"' in sanitise_html("<a href='https://a.example/x'>x</a>")
    assert "javascript" not in sanitise_html("<a href=' JaVaScript:x()'>x</a>")


@given(st.text("<>/=\"' psvgcriptonload:aj&;!-[]", max_size=80))
def test_nothing_active_survives_whatever_is_sent(markup: str) -> None:
    shown = sanitise_html(markup).lower()
    assert "<script" not in shown
    assert "<svg" not in shown
    assert sanitise_html(shown) == sanitise_html(sanitise_html(shown))


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (ENTRY.format("<p>One</p><p>Two</p>"), "<p>One</p><p>Two</p>"),
        (NEWS.format("<h2>One</h2><p>Two</p>"), "<div><h2>One</h2><p>Two</p></div>"),
        (NITF, "<div><h2>One</h2><p>Two</p></div>"),
    ],
)
def test_a_body_stands_as_text_and_as_html(document: str, shown: str) -> None:
    bodies = read(document, feed_markup=True)
    assert [(body.role, body.content_type) for body in bodies] == [
        ("main", "text/plain"),
        ("main", "text/html"),
    ]
    assert bodies[0].value == "One\n\nTwo"
    assert bodies[1].value == shown


def test_an_element_with_a_name_of_no_html_keeps_its_words() -> None:
    bodies = read(NEWS.format("<p>One <zz:x-1>two</zz:x-1></p>"))
    assert [body.value for body in bodies] == ["One two", "<div><p>One <span>two</span></p></div>"]


def test_plain_words_have_no_markup() -> None:
    assert [body.content_type for body in read(ENTRY.format("One &amp; two"), feed_markup=True)] == [
        "text/plain"
    ]


def test_the_markup_of_feeds_is_kept_where_the_settings_say_so() -> None:
    assert [body.content_type for body in read(ENTRY.format("<p>One</p>"))] == ["text/plain"]
    assert len(read(NEWS.format("<p>One</p>"))) == 2


def read(document: str, *, feed_markup: bool = False) -> tuple[Text, ...]:
    (event,) = normalise(RawItem(document.encode(), RECEIVED), Normalise(feed_markup=feed_markup))
    assert isinstance(event, Event)
    return event.story.bodies


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One <b>two</b>\n three.</p><p>Four</p>", "One two three.\n\nFour"),
        ("a<br>b<br/><br/>c", "a\nb\n\nc"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>d", "- a\n- b\n- c\n\nd"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td></td><td>2</td></tr></table>", "A\tB\n\t2"),
        ("<figure><img src='a.jpg'><figcaption>Cap</figcaption></figure><p>Text</p>", "Cap\n\nText"),
        ("<script>x()</script><style>p{}</style><p>Seen<img width=1 src=//t></p>", "Seen"),
        ("<a href='/x'>The words</a> stay", "The words stay"),
        ("<pre> a\n   b</pre>", " a\n   b"),
        ("5 < 6 &amp; 7", "5 < 6 & 7"),
        ("<div><div>One</div><div>Two</div></div>", "One\n\nTwo"),
    ],
)
def test_html_keeps_its_structure(markup: str, expected: str) -> None:
    assert clean_text(read_html(markup).text) == expected.rstrip()


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("One <b>pier</b>\nis long.\n \nTwo.", "One pier is long.\n\nTwo."),
        ("<p>One\n\npier.</p>", "One pier."),
        ("One<br>two\n\nthree", "One\ntwo three"),
        ("<pre>One\n\ntwo</pre>", "One\n\ntwo"),
    ],
)
def test_blank_lines_are_paragraphs_where_the_markup_has_none(markup: str, text: str) -> None:
    assert read_html(markup).text == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<ul><li>One<li>Two<ul><li>Three</ul></ul>", "- One\n- Two\n- Three"),
        ("<p>One<br>two<br><br>three</p>", "One\ntwo\n\nthree"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a\tb\nc\td"),
        ("One <svg><text>hidden</text></svg> two <script>x</script>", "One two"),
        ("<p>One</p><pre>a\n  b</pre><p>two  three</p>", "One\n\na\n  b\n\ntwo three"),
        ("<div>One\x01\x02 two</div>", "One two"),
        ("<ul><li></li></ul>", "- "),
        ("", ""),
    ],
)
def test_markup_is_laid_out_as_it_is_shown(markup: str, text: str) -> None:
    assert read_html(markup).text == text
