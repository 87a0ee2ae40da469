"""Feeds as publishers really write them: names, namespaces and escapes that no standard has."""

from __future__ import annotations

import base64

import pytest

from processors.errors import NotAFeed, UnknownFormat
from processors.normalise.html import read_html
from tests.processors.normalise.samples import one, outcomes

FULL = "The lock gate of Ashmere opens again, and the first barge carried forty sheep to the market."


def rss(item: str, root: str = 'rss version="2.0"') -> str:
    return f"<{root}><channel><title>Ashmere Post</title><item><title>Lock opens</title>{item}</item></channel></{root.split(maxsplit=1)[0]}>"


def atom(entry: str, more: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {more}><entry><id>urn:x:1</id>{entry}</entry></feed>'


@pytest.mark.parametrize(
    "item",
    [
        f"<encoded>{FULL}</encoded>",
        f'<content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content">{FULL}</content:encoded>',
        f'<content:encoded xmlns:content="HTTPS://PURL.org/rss/1.0/modules/content/">{FULL}</content:encoded>',
        f'<content:encoded xmlns:content="http://ashmere.example/anything">{FULL}</content:encoded>',
        f'<c:encoded xmlns:c="http://ashmere.example/anything">{FULL}</c:encoded>',
        f'<yandex:full-text xmlns:yandex="http://news.yandex.ru">{FULL}</yandex:full-text>',
        f'<mail:fulltext xmlns:mail="http://news.mail.example/">{FULL}</mail:fulltext>',
        f'<turbo:content xmlns:turbo="http://turbo.yandex.ru"><![CDATA[<header><h1>Lock</h1></header><p>{FULL}</p>]]></turbo:content>',
        f'<media:text xmlns:media="http://search.yahoo.com/mrss/">{FULL}</media:text>',
        f'<m:content xmlns:m="http://search.yahoo.com/mrss/" url="http://a.example/1.mp4"><m:text>{FULL}</m:text></m:content>',
        f'<content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/" type="base64">{base64.b64encode(FULL.encode()).decode()}</content:encoded>',
        f"<description>&lt;![CDATA[&lt;p&gt;{FULL}&lt;/p&gt;]]&gt;</description>",
        f'<x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p>{FULL}</x:p><x:script>alert(1)</x:script></x:div>',
    ],
)  # fmt: skip
def test_the_whole_article_is_read_wherever_it_stands(item: str) -> None:
    lead = "" if item.startswith("<description") else "<description>Lead.</description>"
    assert one(rss(lead + item)).text.removeprefix("Lock\n\n") == FULL


@pytest.mark.parametrize(
    "item",
    [
        f'<i:summary xmlns:i="http://www.itunes.com/dtds/podcast-1.0.dtd">{FULL}</i:summary>',
        f'<itunes:subtitle xmlns:itunes="http://ashmere.example/itunes">{FULL}</itunes:subtitle>',
        f'<g:description xmlns:g="http://www.google.com/schemas/play-podcasts/1.0">{FULL}</g:description>',
        f'<m:group xmlns:m="http://search.yahoo.com/mrss/"><m:description>{FULL}</m:description></m:group>',
        f'<m:content xmlns:m="http://search.yahoo.com/mrss/" url="http://a.example/1.jpg"><m:description>{FULL}</m:description></m:content>',
    ],
)  # fmt: skip
def test_what_podcasts_and_media_say_is_text_where_nothing_else_is(item: str) -> None:
    assert one(rss(item)).text == FULL


def test_an_atom_entry_of_a_video_says_what_its_media_say() -> None:
    event = one(
        atom(
            f'<m:group xmlns:m="http://search.yahoo.com/mrss/"><m:title>Lock</m:title><m:description>{FULL}</m:description></m:group>'
        )
    )
    assert (event.headline, event.text) == ("Lock", FULL)


def test_xhtml_with_a_prefix_is_read_as_xhtml() -> None:
    entry = (
        '<title type="xhtml"><h:div>Lock <h:em>re</h:em>opens</h:div></title>'
        '<content type="xhtml"><h:div><h:p>One.</h:p><h:ul><h:li>sheep</h:li></h:ul><h:style>p{}</h:style></h:div></content>'
    )
    event = one(atom(entry, 'xmlns:h="http://www.w3.org/1999/xhtml"'))
    assert (event.headline, event.text) == ("Lock reopens", "One.\n\n- sheep")


def test_a_div_that_was_escaped_and_base64_are_content() -> None:
    escaped = '<title>Lock</title><content type="xhtml">&lt;div&gt;&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;&lt;/div&gt;</content>'
    assert one(atom(escaped)).text == "One.\n\nTwo."
    coded = base64.b64encode("<p>Één.</p>".encode()).decode()
    assert one(atom(f'<title>Lock</title><content type="base64">{coded}</content>')).text == "Één."
    assert (
        one(atom(f'<title>Lock</title><content mode="base64" type="text/html">{coded}</content>')).text
        == "Één."
    )


def test_text_that_says_it_is_text_stands_as_it_is() -> None:
    assert (
        one(atom('<title>Lock</title><content type="text">A &lt;b&gt; of &amp;amp; c</content>')).text
        == "A <b> of &amp; c"
    )


def test_names_with_capitals_are_read() -> None:
    event = one(
        '<RSS VERSION="2.0"><CHANNEL><TITLE>Post</TITLE><LANGUAGE>en</LANGUAGE><ITEM><TITLE>Lock opens</TITLE><GUID ISPERMALINK="false">7</GUID>'
        f"<PUBDATE>Thu, 22 Jan 2026 16:30:00 GMT</PUBDATE><DESCRIPTION>{FULL}</DESCRIPTION></ITEM></CHANNEL></RSS>"
    )
    assert (event.headline, event.text, event.story.first_created) == (
        "Lock opens",
        FULL,
        "2026-01-22T16:30:00Z",
    )


@pytest.mark.parametrize(
    "odd", ["<x:a>One\x00", "<X:Y>One</X:Y>", '<Y A:B="1">One</Y>', "<Ä-Ö>One</Ä-Ö>", "<A=B>One"]
)
def test_names_that_are_none_in_a_torn_feed_with_capitals_stay_as_they_are(odd: str) -> None:
    (event,) = outcomes(rss(f"{odd}</item>").replace("title>", "TITLE>").replace("item>", "ITEM>"))
    assert not isinstance(event, Exception)
    assert event.headline == "Lock opens"


def test_rss_in_the_namespace_of_atom_is_read() -> None:
    item = f"<link>http://a.example/1</link><description>{FULL}</description>"
    event = one(rss(item, 'rss xmlns="http://www.w3.org/2005/Atom"'))
    assert (event.headline, event.text, event.story.uri) == ("Lock opens", FULL, "http://a.example/1")


def test_a_channel_definition_file_is_a_feed() -> None:
    event = one(
        '<CHANNEL HREF="http://a.example/"><TITLE>Post</TITLE><CHANNEL><ITEM HREF="http://a.example/1" LASTMOD="2026-01-22T16:30"><TITLE>Lock opens</TITLE>'
        f"<ABSTRACT>{FULL}</ABSTRACT></ITEM></CHANNEL></CHANNEL>"
    )
    assert (event.headline, event.text) == ("Lock opens", FULL)
    assert (event.story.uri, event.story.version_created) == ("http://a.example/1", "2026-01-22T16:30:00Z")


@pytest.mark.parametrize(
    "words",
    [
        "Acme <ACME.N> buys Brick <BRK.L> for 3.",
        "Write to <ada@post.example> or <http://post.example/> now.",
        "How the <selectlist> works",
        "<Ashmere Lock Co> said so.",
        "Up < down and 3 > 2",
    ],
)
def test_words_in_angle_brackets_that_are_no_elements_stay(words: str) -> None:
    escaped = words.replace("<", "&lt;").replace(">", "&gt;")
    assert one(rss(f"<description>{escaped}</description>")).text == words
    assert read_html(f"<p>{words}</p>").text == words


@pytest.mark.parametrize(
    "markup",
    [
        '<iframe src="x"/>', '<iframe src="x">', '<iframe src="x"></iframe>', '<object data="x"/>', '<object data="x">',
        '<object data="x"><param name="a"/><embed src="y"/></object>', "<object><object></object></object>", "<video src=x controls>",
        "<audio/>", "<embed src=x>", "<script src=x/>", "<script>alert(1)</script>", "<o:p></o:p>", "<amp-img src=x>",
    ],
)  # fmt: skip
def test_what_is_embedded_does_not_swallow_what_follows(markup: str) -> None:
    assert read_html(f"<p>One.</p>{markup}<p>Two.</p>").text == "One.\n\nTwo."


def test_a_script_that_is_never_closed_is_not_shown() -> None:
    assert read_html("<p>One.</p><script>alert(1)").text == "One."


@pytest.mark.parametrize(
    "document",
    [
        "<urlset><url><loc>http://a.example/1</loc></url></urlset>",
        "<sitemapindex><sitemap><loc>http://a.example/1.xml</loc></sitemap></sitemapindex>",
    ],
)
def test_a_sitemap_without_news_is_told(document: str) -> None:
    with pytest.raises(UnknownFormat):
        outcomes(document)


def test_items_in_an_odd_place_are_read() -> None:
    assert (
        one("<rss><channel><shelf><item><title>Lock</title></item></shelf></channel></rss>").headline
        == "Lock"
    )


def test_a_feed_without_entries_is_no_error() -> None:
    assert outcomes("<rss><channel><title>Post</title><!-- <item></item> --></channel></rss>") == []
    assert outcomes("<urlset></urlset>") == []


@pytest.mark.parametrize(
    "end", ["</item>", "<des", "<description><![CDATA[<p>The ga", "<description>The ga&am"]
)
def test_a_feed_that_is_cut_anywhere_gives_its_whole_items(end: str) -> None:
    whole = f"<rss><channel><item><guid>1</guid><title>Lock</title><description>{FULL}</description></item><item><guid>2</guid><title>Barge</title>"
    events = [event for event in outcomes(whole + end) if not isinstance(event, Exception)]
    assert (events[0].headline, events[0].text) == ("Lock", FULL)


def test_a_page_without_an_address_tells_its_feeds_by_the_canonical_one() -> None:
    page = '<html><head><link rel="canonical" href="https://post.example/news/"><link rel="alternate" type="application/rss+xml" href="rss.xml"></head></html>'
    with pytest.raises(NotAFeed, match=r"https://post\.example/news/rss\.xml"):
        outcomes(page)
