"""Feed documents are taken apart in the publisher's own bytes, well-formed or not."""

from __future__ import annotations

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Normalise
from processors.errors import Empty, Malformed, NotAFeed, NotText, Rejected, UnknownFormat
from processors.model.event import RawItem
from processors.normalise import normalise
from streams.pollers.documents import split_document

RSS = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Invented Wire</title><link>https://wire.example/</link>
<item><title>Ferry resumes</title><guid>a1</guid></item>
<item><title>Bridge closes</title><guid>a2</guid></item>
</channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Invented</title>
<entry><id>urn:x:1</id><title>One</title></entry><entry><id>urn:x:2</id><title>Two</title></entry></feed>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="https://wire.example/"><title>Invented</title><items><rdf:Seq/></items></channel>
<item rdf:about="https://wire.example/1"><title>One</title></item></rdf:RDF>"""
PREFIXED = b"""<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>Invented</a:title>
<a:entry><a:id>urn:x:1</a:id><a:title>One</a:title></a:entry></a:feed>"""
SITEMAP = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://wire.example/1</loc><n:news><n:title>One</n:title></n:news></url></urlset>"""
CAPITALS = b"""<RSS version="2.0"><Channel><Title>Invented</Title><Item><Guid>1</Guid><Title>One</Title></Item>
<Item><Guid>2</Guid><Title>Two</Title></Item></Channel></RSS>"""


@pytest.mark.parametrize(
    ("body", "count", "closing"),
    [
        pytest.param(RSS, 2, b"</channel></rss>", id="RSS"),
        pytest.param(ATOM, 2, b"</feed>", id="Atom"),
        pytest.param(RDF, 1, b"</rdf:RDF>", id="RDF: the channel is closed before the items"),
        pytest.param(PREFIXED, 1, b"</a:feed>", id="prefixed names"),
        pytest.param(SITEMAP, 1, b"</urlset>", id="news sitemap"),
        pytest.param(CAPITALS, 2, b"</Channel></RSS>", id="names with capitals"),
    ],
)
def test_each_entry_stands_alone_as_a_document_of_the_same_kind(
    body: bytes, count: int, closing: bytes
) -> None:
    document = split_document(body)
    assert len(document.entries) == count
    assert document.tail == closing
    for entry in document.entries:
        assert entry in body
        alone = split_document(document.with_entry(entry))
        assert alone.entries == (entry,)
        assert alone.whole


def test_pages_of_a_sitemap_without_news_are_left_out_and_a_sitemap_of_none_is_refused() -> None:
    page = b"<url><loc>https://wire.example/2</loc></url>"
    assert len(split_document(SITEMAP.replace(b"<url>", page + b"<url>", 1)).entries) == 1
    with pytest.raises(UnknownFormat):
        split_document(b"<urlset>" + page + b"</urlset>")


def test_json_feed_items_keep_the_top_level_members() -> None:
    body = b'{"version":"https://jsonfeed.org/version/1.1","title":"Invented","items":[{"id":7,"title":"One"},{"id":8}]}'
    document = split_document(body)
    assert document.with_entry(document.entries[0]) == (
        b'{"version":"https://jsonfeed.org/version/1.1","title":"Invented","items":[{"id":7,"title":"One"}]}'
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_wide_encodings_come_back_as_they_came(encoding: str) -> None:
    text = RSS.decode().replace("utf-8", "utf-16").replace("Ferry", "Fähre")
    bom = b"\xfe\xff" if encoding == "utf-16-be" else b""
    document = split_document(bom + text.encode(encoding))
    alone = document.with_entry(document.entries[0])
    assert "Fähre resumes" in alone.decode("utf-16" if bom else encoding)
    assert split_document(alone).entries == (document.entries[0],)


def test_utf16_without_a_byte_order_mark_is_recognised() -> None:
    assert len(split_document(RSS.decode().encode("utf-16-le")).entries) == 2


def test_markup_in_cdata_and_comments_is_no_entry() -> None:
    body = RSS.replace(b"Ferry resumes", b"<![CDATA[</item><item>Ferry]]><!-- <item> -->")
    document = split_document(body)
    assert len(document.entries) == 2
    assert document.entries[0].endswith(b"<guid>a1</guid></item>")


def test_a_cut_document_gives_its_whole_entries_and_says_so() -> None:
    document = split_document(RSS[: RSS.index(b"a2")])
    assert not document.whole
    assert [b"a1" in entry for entry in document.entries] == [True]


def test_an_entry_that_was_never_closed_ends_where_the_next_begins() -> None:
    document = split_document(RSS.replace(b"<guid>a1</guid></item>", b"<guid>a1</guid>"))
    assert [entry.count(b"<item>") for entry in document.entries] == [1, 1]
    assert document.whole


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_what_stands_before_the_declaration_is_left_out_of_entries(mark: bytes) -> None:
    document = split_document(mark + b"\n\n <!-- cached -->\n" + RSS)
    assert document.head.startswith(mark + b"<?xml")
    assert split_document(mark + RSS).head.startswith(mark + b"<?xml")


def test_what_follows_the_root_does_no_harm() -> None:
    assert split_document(RSS + b"\n<!-- node 4 -->\nok 200\n").whole


def test_a_feed_without_entries_is_no_error() -> None:
    assert split_document(b"<rss><channel><title>Quiet</title></channel></rss>").entries == ()


ENTITIES = b'<!DOCTYPE rss [<!ENTITY a "%s">]>' + RSS[RSS.index(b"<rss") :]


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (b"", Empty, "no body"),
        (b" \n", Empty, "no body"),
        (b"<!DOCTYPE html><html><body>Soon</body></html>", NotAFeed, "advertises no feed"),
        (
            b'<html><link rel="alternate" type="application/rss+xml" href="/feed.xml"></html>',
            NotAFeed,
            "/feed.xml",
        ),
        (b"Service unavailable", NotAFeed, "plain text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", NotText, "no text"),
        (b'{"items": [{"id"', Malformed, "JSON"),
        (b'{"type":"text","uri":"urn:x"}', UnknownFormat, "JSON Feed"),
        (b"<invoice><total>3</total></invoice>", UnknownFormat, "invoice"),
        (ENTITIES.replace(b'"%s"', b'SYSTEM "file:///etc/hostname"'), Malformed, "entities"),
        (ENTITIES.replace(b"%s", b"&b;&b;&b;"), Malformed, "entities"),
    ],
)
def test_what_is_no_feed_is_refused_by_name(body: bytes, error: type[Rejected], says: str) -> None:
    with pytest.raises(error, match=says):
        split_document(body)


PAGE = """<!doctype html><html><head><title>Courier</title><base href="/news/">
<link rel="alternate" type="application/rss+xml" href="feed.xml">
<link rel="alternate" type="application/feed+json; charset=utf-8" href="https://courier.example/json">
<link rel="alternate" type="text/html" href="/en"><link rel="stylesheet" href="/a.css"></head><body></body></html>"""


def test_advertised_feeds_are_told_as_the_command_tells_them() -> None:
    url = "https://courier.example/start?page=1"
    with pytest.raises(NotAFeed) as polled:
        split_document(PAGE.encode(), None, url)
    with pytest.raises(NotAFeed) as processed:
        normalise(RawItem(PAGE.encode(), "2026-01-22T16:00:00Z", url=url), Normalise())
    assert (
        str(polled.value)
        == str(processed.value)
        == (
            "an HTML page in place of a feed; "
            "it advertises https://courier.example/news/feed.xml, https://courier.example/json"
        )
    )


@pytest.mark.parametrize(("count", "named"), [(5, 5), (6, 5)])
def test_at_most_five_feeds_are_named(count: int, named: int) -> None:
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="/{n}.xml">' for n in range(count)
    )
    with pytest.raises(NotAFeed) as caught:
        split_document(f"<html><head>{links}</head></html>".encode(), None, "https://courier.example/")
    assert str(caught.value).count("https://courier.example/") == named


def test_harmless_entities_are_taken() -> None:
    assert len(split_document(ENTITIES.replace(b"%s", b"&#160;")).entries) == 2


@pytest.mark.parametrize(
    ("body", "charset", "codec", "guessed"),
    [
        ("<rss>é</rss>".encode(), "iso-8859-1", "utf-8", False),
        ("<rss>café</rss>".encode("latin-1"), "iso-8859-1", "cp1252", False),
        (
            '<?xml version="1.0" encoding="iso-8859-2"?><rss>ę</rss>'.encode("iso-8859-2"),
            None,
            "iso8859_2",
            False,
        ),
        (("<rss>" + "Fährverkehr über den Sund ruht. " * 9).encode("latin-1"), None, "cp1252", True),
        (("<rss>" + "Паром снова ходит между островами. " * 9).encode("cp1251"), None, "cp1251", True),
    ],
)
def test_the_codec_is_utf8_where_that_fits_then_what_is_declared_then_what_it_looks_like(
    body: bytes, charset: str | None, codec: str, guessed: bool
) -> None:
    document = split_document(body, charset)
    assert (document.codec, document.guessed) == (codec, guessed)


def test_what_a_feed_was_in_before_decides_for_a_document_of_few_letters() -> None:
    few = "<rss><channel><item><title>Süd</title></item></channel></rss>".encode("cp1250")
    assert split_document(few).codec == "cp1252"
    assert split_document(few, usual_codec="cp1250").codec == "cp1250"


def test_entries_of_utf8_that_is_broken_in_one_place_are_read_as_utf8() -> None:
    title = "Паром снова ходит"
    body = (
        f"<rss><channel><item><title>{title}</title></item><item><title>{title}".encode()[:-1]
        + b"</title></item></channel></rss>"
    )
    document = split_document(body)
    assert (document.codec, document.guessed) == ("utf-8", True)
    events = [
        event
        for entry in document.entries
        for event in normalise(
            RawItem(document.with_entry(entry), "2026-01-22T16:00:00Z", charset=document.codec), Normalise()
        )
    ]
    assert [getattr(event, "headline", "") for event in events] == [title, f"{title[:-1]}\ufffd"]


@given(st.binary(max_size=300))
def test_any_bytes_end_as_a_document_or_as_a_typed_error(noise: bytes) -> None:
    for body in (noise, b"<rss><channel><item>" + noise + b"</item></channel></rss>"):
        try:
            document = split_document(body)
        except Rejected:
            continue
        assert all(entry in body or document.wide or document.json for entry in document.entries)


words = st.text("abc äß<&>]'\"", max_size=20)


@given(st.lists(words, min_size=1, max_size=6))
def test_entries_are_as_many_as_feedparser_finds(titles: list[str]) -> None:
    escaped = [t.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;") for t in titles]
    items = "".join(f"<item><title>{t}</title><guid>{n}</guid></item>" for n, t in enumerate(escaped))
    body = f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()
    assert len(split_document(body).entries) == len(feedparser.parse(body).entries)


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0"])
def test_a_mark_of_wide_text_that_lies_loses_against_the_bytes(mark: bytes) -> None:
    document = split_document(
        mark + RSS.replace(b"Ferry", "Fähre".encode("cp1252")).replace(b"utf-8", b"windows-1252")
    )
    assert (len(document.entries), document.wide, document.codec) == (2, None, "cp1252")
