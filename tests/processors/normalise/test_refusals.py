"""Bad input: each has an error of its own type that says what is wrong, and no bomb takes time or memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from config.settings import Normalise
from processors.errors import (
    Empty,
    Malformed,
    MissingContent,
    MissingIdentity,
    NotAFeed,
    NotText,
    Rejected,
    TooLarge,
    UnknownFormat,
    Unsupported,
)
from processors.model.event import RawItem
from processors.normalise import normalise
from tests.processors.normalise.samples import RECEIVED, one, outcomes

PAGE = """<!doctype html><html><head><title>Courier</title>
<link rel="alternate" type="application/rss+xml" href="/feed.xml"><link rel="stylesheet" href="/a.css"></head><body></body></html>"""
LAUGHS = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
<!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">]><rss><channel><item><title>Ferry &f; stops</title></item></channel></rss>"""
FILE = """<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>Ferry &x; stops</title></item></channel></rss>"""


@pytest.mark.parametrize(
    ("payload", "error", "said"),
    [
        (b"", Empty, "white space"),
        (b" \r\n\t\n", Empty, "white space"),
        (bytes(range(256)) * 20, NotText, "no text"),
        (b"\x89PNG\r\n\x1a\n" + bytes((at * at * 73 + 11) % 256 for at in range(4000)), NotText, "no text"),
        (PAGE.encode(), NotAFeed, "https://courier.example/feed.xml"),
        (b"<html><body><p>404</p></body></html>", NotAFeed, "no feed"),
        (b'<?xml version="1.0"?><invoice><total>9</total></invoice>', UnknownFormat, "<invoice>"),
        (b'{"weather": "rain"}', UnknownFormat, "no ninjs item"),
        (b"[1, 2]", UnknownFormat, "no ninjs item"),
        (b'{"uri": "a:b", "headlines": [', Malformed, "not JSON"),
        (b"{" * 100_000, Malformed, "not JSON"),
        (b"<rss" + b" " * 10, Malformed, "can't be read"),
    ],
)  # fmt: skip
def test_a_document_is_refused_by_name(payload: bytes, error: type[Rejected], said: str) -> None:
    with pytest.raises(error) as caught:
        outcomes(payload, url="https://courier.example/")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ('{"type": "text", "headlines": [{"value": "A"}], "bodies": [{"value": "B"}]}', MissingIdentity),
        ('{"uri": "a:b", "type": "event", "title": "Regatta"}', Unsupported),
        ('{"uri": "a:b", "type": "text", "headlines": []}', MissingContent),
        ('<conceptItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a:b"/>', Unsupported),
        ('<planningItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a:b"/>', Unsupported),
        ('<packageItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="a:b"/>', Unsupported),
        ("<rss><channel><item><guid>1</guid></item></channel></rss>", MissingContent),
        ("<nitf><body/></nitf>", MissingContent),
    ],
)
def test_a_single_item_is_refused_by_name(payload: str, error: type[Rejected]) -> None:
    (refusal,) = outcomes(payload)
    assert isinstance(refusal, error)


def test_a_document_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge, match="max_item_bytes"):
        normalise(RawItem(b"x" * 101, RECEIVED), Normalise(max_item_bytes=100))


def test_a_ninjs_item_with_a_line_of_its_own_needs_a_uri() -> None:
    (refusal,) = outcomes('{"headlines": [{"value": "A"}]}', format="ninjs")
    assert isinstance(refusal, MissingIdentity)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UnknownFormat, match="newsml-g2"):
        outcomes("text", format="telex")


def test_entities_are_neither_expanded_nor_fetched() -> None:
    for bomb in (LAUGHS, FILE):
        story = one(bomb)
        assert story.headline.startswith("Ferry")
        assert "root:" not in story.headline
        assert len(story.headline) < 100


@pytest.mark.parametrize(
    "bomb",
    [
        lambda: b"<rss>" * 10_000,
        lambda: b"<rss><channel><item><title>" + b"<b>" * 10_000 + b"x" + b"</b>" * 10_000 + b"</title></item></channel></rss>",
        lambda: b"<rss><channel><item><title>A</title><description>" + b"&lt;div&gt;" * 10_000 + b"x</description></item></channel></rss>",
        lambda: b'{"uri":"a:b","bodies":[{"value":' + b'"' + b"<div>" * 20_000 + b'"}]}',
        lambda: b"[" * 5_000 + b"]" * 5_000,
        lambda: b'{"uri":"a:b","associations":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
        lambda: b"x" * 5_000_000,
        lambda: b"&" * 300_000,
        lambda: b"<" * 300_000,
        lambda: b"<?xml version='1.0'?>" + b"<!-- -->" * 100_000,
        lambda: b"ZCZC\n" * 50_000,
        lambda: b"\x01" * 20_000,
        lambda: b"a: b\n" * 100_000,
    ],
)  # fmt: skip
def test_bombs_end_soon(bomb: Callable[[], bytes]) -> None:
    payload = bomb()
    start = time.process_time()
    try:
        outcomes(payload)
    except Rejected as error:
        kind = error.type
        assert kind
    assert time.process_time() - start < 6.0


def test_what_is_cut_is_read_as_far_as_it_goes_and_told() -> None:
    feed = "<rss><channel><item><title>One</title></item><item><title>Two</title><description>The ferry sto"
    first, second = outcomes(feed)
    assert not isinstance(first, Rejected)
    assert not isinstance(second, Rejected)
    assert first.damage is None
    assert [fault.kind for fault in second.damage or ()] == ["truncated"]
    assert second.text == "The ferry sto"


def test_control_characters_that_xml_forbids_are_dropped_and_told() -> None:
    event = one(
        "<rss><channel><item><title>Fer\x0bry</title><description>It stops.</description></item></channel></rss>"
    )
    assert event.headline == "Ferry"
    assert [fault.kind for fault in event.damage or ()] == ["garbled"]


def test_html_entities_in_xml_cost_nothing() -> None:
    event = one(
        "<rss><channel><item><title>Caf&eacute;&nbsp;&amp; bar & grill</title></item></channel></rss>"
    )
    assert event.headline == "Café & bar & grill"
    assert event.damage is None


def test_a_feed_without_items_makes_no_event() -> None:
    assert outcomes("<rss version='2.0'><channel><title>C</title></channel></rss>") == []


def test_a_cancelled_item_with_an_empty_body_is_an_event() -> None:
    item = (
        '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:newsml:nna.example:20260122:x" version="3">'
        '<itemMeta><itemClass qcode="ninat:text"/><pubStatus qcode="stat:canceled"/></itemMeta></newsItem>'
    )
    assert one(item).story.pub_status == "canceled"
    assert one('{"uri": "a:b", "pubStatus": "canceled"}').story.pub_status == "canceled"
