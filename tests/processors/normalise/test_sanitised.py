"""The markup beside the text: what is shown stays, what runs or tracks goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Normalise
from processors.model.event import Event, RawItem
from processors.model.story import Text
from processors.normalise import normalise
from processors.normalise.html import sanitise_html
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
    assert [(each.role, each.content_type) for each in bodies] == [
        ("main", "text/plain"),
        ("main", "text/html"),
    ]
    assert bodies[0].value == "One\n\nTwo"
    assert bodies[1].value == shown


def test_an_element_with_a_name_of_no_html_keeps_its_words() -> None:
    bodies = read(NEWS.format("<p>One <zz:x-1>two</zz:x-1></p>"))
    assert [each.value for each in bodies] == ["One two", "<div><p>One <span>two</span></p></div>"]


def test_plain_words_have_no_markup() -> None:
    assert [each.content_type for each in read(ENTRY.format("One &amp; two"), feed_markup=True)] == [
        "text/plain"
    ]


def test_the_markup_of_feeds_is_kept_where_the_settings_say_so() -> None:
    assert [each.content_type for each in read(ENTRY.format("<p>One</p>"))] == ["text/plain"]
    assert len(read(NEWS.format("<p>One</p>"))) == 2


def read(document: str, *, feed_markup: bool = False) -> tuple[Text, ...]:
    (found,) = normalise(RawItem(document.encode(), RECEIVED), Normalise(feed_markup=feed_markup))
    assert isinstance(found, Event)
    return found.story.bodies
