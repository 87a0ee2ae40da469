"""What the poller reads of an entry: names as sent, words without markup."""

from __future__ import annotations

import pytest

from streams.pollers.entries import EntryContent, canonical_url, read_json_entry, read_xml_entry, strip_markup


def test_an_rss_item_tells_its_names_and_words() -> None:
    item = """<item><title>Ferry &amp; bridge</title><link>https://wire.example/1</link>
      <guid isPermaLink="false"> tag:1 </guid><pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>
      <description>&lt;p&gt;The ferry&lt;/p&gt;</description><media:title>Picture</media:title>
      <enclosure url="https://cdn.example/a.mp3" length="1" type="audio/mpeg"/></item>"""
    assert read_xml_entry(item.encode(), "utf-8") == EntryContent(
        guid="tag:1",
        link="https://wire.example/1",
        enclosure="https://cdn.example/a.mp3",
        date="Mon, 02 Feb 2026 10:00:00 GMT",
        title="Ferry&bridge",
        text="Theferry",
    )


def test_an_atom_entry_tells_its_names_and_words_not_those_of_its_source() -> None:
    entry = """<entry><source><id>urn:other</id><title>Planet</title></source><id>urn:x:1</id><title>One</title>
      <link rel="self" href="https://wire.example/self"/><link href="https://wire.example/1"/>
      <link rel="enclosure" href="https://cdn.example/a.mp3"/><updated>2026-02-02T10:00:00Z</updated>
      <content type="xhtml"><div><p>The <b>ferry</b></p></div></content></entry>"""
    found = read_xml_entry(entry.encode(), "utf-8")
    assert (found.guid, found.link, found.enclosure) == (
        "urn:x:1",
        "https://wire.example/1",
        "https://cdn.example/a.mp3",
    )
    assert (found.title, found.text) == ("One", "Theferry")


def test_a_news_sitemap_url_tells_its_address_and_title() -> None:
    url = b"<url><loc>https://wire.example/1</loc><news:news><news:title>One ferry</news:title></news:news></url>"
    found = read_xml_entry(url, "utf-8")
    assert (found.link, found.title) == ("https://wire.example/1", "Oneferry")


def test_a_json_feed_item_tells_its_names_and_words() -> None:
    item = {
        "id": 12,
        "url": "https://wire.example/1",
        "title": "One ferry",
        "content_html": "<p>It <i>runs</i></p>",
    }
    assert read_json_entry(item) == EntryContent(
        "12", "https://wire.example/1", title="Oneferry", text="Itruns"
    )


@pytest.mark.parametrize(
    "other",
    [
        "<item><title>Ferry runs</title><description><![CDATA[<p>To <b>Samsø</b></p>]]></description></item>",
        "<item><title>Ferry  runs</title><description>&lt;p&gt;To Sams&amp;oslash;&lt;/p&gt;&lt;img src='x?r=7'&gt;</description></item>",
        "<item><pubDate>now</pubDate><title><![CDATA[Ferry runs]]></title><description>To Sams&#248;</description></item>",
        "<item><title>Ferry runs</title><description>To Samsø&lt;script&gt;n(81)&lt;/script&gt;</description></item>",
    ],
    ids=["CDATA and markup", "entities twice and a pixel", "date and order", "script"],
)
def test_markup_dates_and_pixels_do_not_change_what_an_entry_says(other: str) -> None:
    first = "<item><title>Ferry runs</title><description>To Samsø</description></item>"
    assert (
        read_xml_entry(first.encode(), "utf-8").content_hash
        == read_xml_entry(other.encode(), "utf-8").content_hash
    )


@pytest.mark.parametrize("other", ["To Samsø and back", "To Samso", "to Samsø"])
def test_other_words_do(other: str) -> None:
    first = "<item><title>Ferry runs</title><description>To Samsø</description></item>"
    assert (
        read_xml_entry(first.encode(), "utf-8").content_hash
        != read_xml_entry(first.replace("To Samsø", other).encode(), "utf-8").content_hash
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://www.wire.example/news/7", "https://wire.example/news/7/"),
        ("https://wire.example/7?utm_source=rss&utm_campaign=c3", "https://wire.example/7"),
        ("https://wire.example/7?id=3&fbclid=x", "https://wire.example/7?id=3"),
        ("https://wire.example/7#0", "https://wire.example/7#12"),
        ("https://wire.example/7#xtor=RSS-3208", "https://wire.example/7"),
        ("https://WIRE.example:443/7", "http://wire.example/7"),
    ],
)
def test_addresses_that_name_one_page_are_one(one: str, other: str) -> None:
    assert canonical_url(one) == canonical_url(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://wire.example/7?id=3", "https://wire.example/7?id=4"),
        ("https://wire.example/live#post-81", "https://wire.example/live#post-82"),
        ("https://wire.example/a", "https://wire.example/A"),
        ("https://wire.example:8080/7", "https://wire.example/7"),
    ],
)
def test_addresses_that_name_two_pages_stay_two(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize(
    "url", ["javascript:open('7')", "", "tag:wire.example,2026:7", "http://[::1", "/news/7"]
)
def test_what_is_no_web_address_has_no_canonical_form(url: str) -> None:
    assert canonical_url(url) == ""


def test_a_less_than_sign_in_words_is_no_markup() -> None:
    assert strip_markup("3 &lt; 5 &amp;&amp; 7 > 2") == "3<5&&7>2"
