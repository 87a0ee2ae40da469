"""The fast path says what feedparser, the authority, says."""

from __future__ import annotations

import html
import re
import warnings
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from config.settings import Normalise
from processors.errors import TooLarge
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from processors.normalise.decode import decode
from processors.normalise.feeds import entries_by_feedparser, entries_by_lxml
from processors.normalise.feeds.entry import FeedEntry
from processors.normalise.formats import FORMATS
from processors.normalise.html import read_html, read_html_line
from processors.normalise.values import timestamp
from processors.normalise.xml import parse_xml
from tests.processors.normalise.samples import GOLDEN, RECEIVED, SHARED, one, outcomes

CORPUS = SHARED / "corpus" / "feeds"
FEEDS = sorted(CORPUS.iterdir()) if CORPUS.is_dir() else []
NAMESPACED = (
    "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:atom='http://www.w3.org/2005/Atom' "
    "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' xmlns:media='http://search.yahoo.com/mrss/' "
    "xmlns:georss='http://www.georss.org/georss' xmlns:gml='http://www.opengis.net/gml' "
    "xmlns:geo='http://www.w3.org/2003/01/geo/wgs84_pos#' xmlns:prism='http://prismstandard.org/namespaces/basic/2.0/'>"
    "<channel><title>C</title><item><title>Ferry stops</title>{}</item></channel></rss>"
)
RSS = "<rss version='2.0'><channel><title>C</title><item>{}<title>Ferry stops</title></item></channel></rss>"


def both(text: str) -> tuple[list[FeedEntry], list[FeedEntry]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return entries_by_lxml(parse_xml(text)[0], FORMATS)[1], entries_by_feedparser(text)


def squeezed(words: str) -> str:
    """Letters and digits only: what differs in blanks and entities says the same."""
    return re.sub(r"[\W_]+", "", html.unescape(read_html(words).text)).casefold()


def alike(one_: str, other: str) -> bool:
    """Equal but for a character or two: feedparser undoes mojibake in references, the step does so later."""
    return one_ == other or SequenceMatcher(None, one_, other, autojunk=False).ratio() > 0.95


def assert_alike(fast: FeedEntry, slow: FeedEntry) -> None:
    assert alike(squeezed(fast.title), squeezed(read_html_line(slow.title)))
    if slow.identifier:
        assert (
            fast.identifier.strip() == slow.identifier.strip() or fast.link.strip() == slow.identifier.strip()
        )
    if slow.link:
        assert (
            fast.link.strip().rstrip("/").rpartition("/")[2]
            == slow.link.strip().rstrip("/").rpartition("/")[2]
        )
    longest = max(squeezed(fast.content), squeezed(fast.summary), key=len)
    expected = max(squeezed(slow.content), squeezed(slow.summary), key=len)
    assert len(longest) >= 0.98 * len(expected)
    assert alike(longest[:200], expected[:200])
    if slow.published:
        assert timestamp(fast.published) == timestamp(slow.published)


@pytest.mark.skipif(not FEEDS, reason="the corpus of feeds is not beside this checkout")
@pytest.mark.parametrize("path", FEEDS[::4], ids=lambda path: path.name)
def test_real_feeds_are_read_alike(path: Path) -> None:
    fast, slow = both(decode(path.read_bytes()))
    assert len(fast) == len(slow)
    for mine, theirs in zip(fast[:4], slow[:4], strict=True):
        assert_alike(mine, theirs)


@pytest.mark.parametrize("name", ["rss.xml", "atom.xml", "rdf.xml"])
def test_our_own_feeds_are_read_alike(name: str) -> None:
    fast, slow = both((GOLDEN / name).read_text("utf-8"))
    assert len(fast) == len(slow) > 0
    for mine, theirs in zip(fast, slow, strict=True):
        assert_alike(mine, theirs)


def test_a_poller_knows_the_identity_of_a_single_entry_better() -> None:
    event = one(
        RSS.format("<guid>https://courier.example/1#2</guid>"), uri="https://courier.example/1", version="3"
    )
    assert (event.story.uri, event.story.version) == ("https://courier.example/1", "3")
    assert next((alt_id.role, alt_id.value) for alt_id in event.story.alt_ids) == (
        "guid",
        "https://courier.example/1#2",
    )


@pytest.mark.parametrize(
    ("entries", "uris"),
    [
        ("<item><guid>a:1</guid><title>One</title></item><item><guid>a:1</guid><title>Two</title></item>", 2),
        ("<item><guid>a:1</guid><title>One</title></item>" * 2, 1),
        (
            "".join(
                f"<item><guid>http://a.example/</guid><link>http://a.example/{n}</link><title>{n}</title></item>"
                for n in (1, 2)
            ),
            2,
        ),
    ],
    ids=["of different words", "of one text", "with a link each"],
)
def test_a_guid_that_several_entries_have_names_none_of_them(entries: str, uris: int) -> None:
    found = outcomes(f"<rss><channel>{entries}</channel></rss>")
    assert len({event.story.uri for event in found if isinstance(event, Event)}) == uris
    if "link" in entries:
        assert [event.story.uri for event in found if isinstance(event, Event)] == [
            "http://a.example/1",
            "http://a.example/2",
        ]


def test_entries_of_atom_with_one_id_and_times_of_their_own_are_versions() -> None:
    entry = "<entry><id>{}</id><title>{}</title><updated>2026-01-0{}T00:00:00Z</updated></entry>"
    feed = '<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'
    entries = [entry.format("1", "One", 1), entry.format("1", "Two", 2), entry.format("2", "Three", 3)]
    found = [event for event in outcomes(feed.format("".join(entries))) if isinstance(event, Event)]
    assert [event.story.uri for event in found[:2]] == ["urn:wiredesk:guid:unknown:1"] * 2
    all_share = [event for event in outcomes(feed.format("".join(entries[:2]))) if isinstance(event, Event)]
    assert len({event.story.uri for event in all_share}) == 2, "an id of all entries names none"


def test_what_the_feed_tells_is_the_default() -> None:
    event = one(RSS.format(""), language="de", source="NNA", timezone="Europe/Oslo")
    assert event.language is not None
    assert event.language.declared == "de"
    assert event.story.info_sources[0].name == "NNA"
    assert event.story.uri.startswith("urn:wiredesk:entry:NNA:")


@pytest.mark.parametrize(
    ("sent", "zone", "expected"),
    [
        ("Thu, 22 Jan 2026 16:30:00 GMT", None, "2026-01-22T16:30:00Z"),
        ("Thu, 22 Jan 2026 16:30 EST", None, "2026-01-22T21:30:00Z"),
        ("22 Jan 2026 16:30:00", "Europe/Oslo", "2026-01-22T15:30:00Z"),
        ("2026-01-22 16:30", "America/New_York", "2026-01-22T21:30:00Z"),
        ("2026-01-22", None, "2026-01-22T00:00:00Z"),
        ("20260122T163000+0100", None, "2026-01-22T15:30:00Z"),
        ("2026-01-22T16:30:00.5Z", None, "2026-01-22T16:30:00.500Z"),
        ("2026-02-30T16:30:00Z", None, None),
        ("2026-01-22T25:30:00Z", None, None),
        ("0001-01-01T00:00:00+14:00", None, None),
        ("yesterday", None, None),
        ("", None, None),
        ("1769097000", None, None),
    ],
)
def test_dates_are_read_or_absent(sent: str, zone: str | None, expected: str | None) -> None:
    assert timestamp(sent, zone) == expected
    event = one(RSS.format(f"<pubDate>{sent}</pubDate>"), timezone=zone)
    assert event.story.version_created == event.story.first_created == expected


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<dc:author>Ann Lark</dc:author>", {"by": "Ann Lark"}),
        ("<author><name>Ann Lark</name></author>", {"by": "Ann Lark"}),
        ("<fullitem>&lt;p&gt;One&lt;/p&gt;</fullitem>", {"text": "One"}),
        ("<summary>One</summary>", {"text": "One"}),
        ("<description>&#X41;nn &#146;s</description>", {"text": "Ann ’s"}),
        ("<guid> \n a:1\t</guid>", {"uri": "a:1"}),
        ("<atom:id>a:2</atom:id>", {"uri": "a:2"}),
        (
            "<prism:publicationDate>2026-01-22</prism:publicationDate>",
            {"first_created": "2026-01-22T00:00:00Z"},
        ),
        ("<pubDate>Mon, 01 Jan 0001 00:00:00 +0000</pubDate>", {"first_created": None}),
        ("<atom:updated>2026-01-22T10:00:00Z</atom:updated>", {"version_created": "2026-01-22T10:00:00Z"}),
    ],
)
def test_elements_of_other_vocabularies_are_read(inside: str, expected: dict[str, str | None]) -> None:
    story = one(NAMESPACED.format(inside))
    values = {"text": story.text, **{name: getattr(story.story, name) for name in expected if name != "text"}}
    assert {name: values[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("inside", "topics"),
    [
        ("<itunes:category text='Tech'><itunes:category text='Ships'/></itunes:category>", ["Tech", "Ships"]),
        (
            "<itunes:keywords>tin, mills</itunes:keywords><prism:keyword>sea</prism:keyword>",
            ["tin", "mills", "sea"],
        ),
        ("<media:keywords>tin,mills</media:keywords><dc:subject>sea</dc:subject>", ["tin", "mills", "sea"]),
    ],
)
def test_keywords_of_every_vocabulary_are_subjects(inside: str, topics: list[str]) -> None:
    assert [subject.name for subject in one(NAMESPACED.format(inside)).story.subjects] == topics


@pytest.mark.parametrize(
    "inside",
    [
        "<georss:point>45.5 -71.5</georss:point>",
        "<georss:where><gml:Point><gml:pos>45.5 -71.5 12</gml:pos></gml:Point></georss:where>",
        "<gml:Point><gml:pos>45.5 -71.5</gml:pos></gml:Point>",
        "<geo:lat>45.5</geo:lat><geo:long>-71.5</geo:long>",
        "<geo:Point><geo:lat>45.5</geo:lat><geo:long>-71.5</geo:long></geo:Point>",
    ],
)
def test_a_position_is_a_place(inside: str) -> None:
    (place,) = one(NAMESPACED.format(inside)).story.places
    assert place.geo_json is not None
    assert place.geo_json.coordinates == (-71.5, 45.5)


@pytest.mark.parametrize(
    "inside",
    [
        "<link rel='enclosure' href='https://a.example/1.mp3' length='9' type='audio/mpeg'/>",
        "<atom:link rel='enclosure' href='https://a.example/1.mp3' length='9' type='audio/mpeg'/>",
        "<enclosure url='https://a.example/1.mp3' length='9' type='audio/mpeg'/>",
        "<media:content url='https://a.example/1.mp3' fileSize='9' type='audio/mpeg'/>",
    ],
)
def test_a_file_beside_the_entry_is_an_association(inside: str) -> None:
    (associations,) = one(NAMESPACED.format(inside)).story.associations
    assert (associations.uri, associations.type) == ("https://a.example/1.mp3", "audio")
    assert [association.size_in_bytes for association in associations.renditions] == [9]


def test_atom_03_may_pack_its_text() -> None:
    entry = (
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><id>a:1</id><title mode='base64'>RmVycnk=</title>"
        "<content type='text/html' mode='base64'>PHA+SXQgc3RvcHMuPC9wPg==</content><issued>2026-01-22T10:00:00Z</issued></entry></feed>"
    )
    event = one(entry)
    assert (event.headline, event.text) == ("Ferry", "It stops.")
    assert event.story.first_created == "2026-01-22T10:00:00Z"


def test_entries_over_the_limit_are_told() -> None:
    feed = "<rss><channel>" + "<item><title>One</title></item>" * 5 + "</channel></rss>"
    *kept, refused = normalise(RawItem(feed.encode(), RECEIVED), Normalise(max_entries=3))
    assert len(kept) == 3
    assert isinstance(refused, TooLarge)
    assert "2 of 5" in str(refused)


def test_marks_of_byte_order_in_the_middle_are_dropped() -> None:
    event = one("\ufeff" + RSS.format("<description>It \ufeffstops.</description>"))
    assert event.text == "It stops."
