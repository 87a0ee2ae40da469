"""Messages say what they are, and say it alike on every run."""

from __future__ import annotations

import re

from msgspec.structs import replace

from processors.errors import Malformed
from processors.model.codec import identify_event
from processors.model.event import Event, Provenance, RawItem
from processors.model.story import Story
from processors.size_limit import RawPlace
from processors.times import to_milliseconds
from sinks.stories import lineage
from streams.messages import Record, dead_letter, event_message, make_tombstone, message, raw_message
from tests.sinks.events import event

NOON = to_milliseconds("2026-01-31T12:00:00Z")
RECORD = Record(
    "wire.items.raw.v1", 3, 41, b"feed", b"\xff\x00", NOON, (("ce_id", b"1"), ("traceparent", b"00-a-b-01"))
)


def test_every_message_has_cloudevents_headers() -> None:
    made = message("wire.stories.unique.v1", "urn:x:1", b"{}", NOON, source="deduplicate")
    headers = dict(made.headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"org.wiredesk.stories.unique.v1"
    assert headers["ce_source"] == b"/wiredesk/deduplicate"
    assert headers["ce_time"] == b"2026-01-31T12:00:00.000Z"
    assert headers["content-type"] == b"application/json"
    assert made.key == b"urn:x:1"


def test_ids_depend_on_topic_and_value_alone() -> None:
    one = message("a", "k", b"{}", NOON, source="s")
    assert one.header("ce_id") == message("a", "other", b"{}", NOON + 1, source="t").header("ce_id")
    assert one.header("ce_id") != message("b", "k", b"{}", NOON, source="s").header("ce_id")
    assert one.header("ce_id") != message("a", "k", b"[]", NOON, source="s").header("ce_id")


def test_an_event_goes_by_what_its_story_says_on_whatever_topic_and_however_it_came() -> None:
    story = event("urn:a", text="Ships will come.")
    identity = identify_event(story)
    moved = replace(story, provenance=Provenance("2026-02-01T00:00:00Z", "rss", feed="other"), topics=())
    assert identify_event(moved) == identity
    assert identify_event(replace(story, lineage=replace(lineage(story), again=True))) == identity
    others = [
        replace(story, text="Ships have come."),
        replace(story, headline="Ships"),
        replace(story, lineage=replace(lineage(story), sequence=2)),
        replace(story, story=replace(story.story, version="2")),
    ]
    assert len({identity, *map(identify_event, others)}) == 5
    made = [message(topic, "k", b"{}", NOON, source="s", identity=identity) for topic in ("a", "b")]
    assert [each.header("ce_id") for each in made] == [identity.encode()] * 2


def test_a_trace_goes_through_all_steps() -> None:
    first = message("a", "k", b"1", NOON, source="s")
    second = message("b", "k", b"2", NOON, source="t", trace=(first.header("traceparent") or b"").decode())
    version, trace, span, flags = (second.header("traceparent") or b"").decode().split("-")
    assert (version, flags) == ("00", "01")
    assert trace == (first.header("traceparent") or b"").decode().split("-")[1]
    assert len(trace) == 32
    assert len(span) == 16


def test_a_raw_message_is_keyed_by_feed_and_stamped_with_its_receipt() -> None:
    made = raw_message(RawItem(b"x", "2026-01-31T12:00:00Z", feed="bbc"), "wire.items.raw.v1")
    assert (made.key, made.timestamp) == (b"bbc", NOON)


def test_a_dead_letter_has_the_bytes_and_the_reason() -> None:
    made = dead_letter(RECORD, "normalise", Malformed("no <item>"), attempts=2)
    assert made.topic == "wire.items.raw.v1.dlq"
    assert (made.key, made.value, made.timestamp) == (RECORD.key, RECORD.value, RECORD.timestamp)
    assert dict(made.headers) == {
        **dict(RECORD.headers),
        "x-error-type": b"Malformed",
        "x-error-message": b"no <item>",
        "x-error-step": b"normalise",
        "x-original-topic": b"wire.items.raw.v1",
        "x-original-partition": b"3",
        "x-original-offset": b"41",
        "x-attempts": b"2",
    }


PLACE = RawPlace("wire.items.raw.v1", 3, 41)


def test_an_events_headers_have_what_readers_choose_by() -> None:
    story = event("urn:a", text="Ships will come.", relation="update", of="urn:0", chain="urn:0", sequence=2)
    story = replace(story, story=replace(story.story, version_created="2026-01-31T11:00:00Z"))
    made = event_message("wire.out.a.v1", "urn:0", story, NOON, source="route", place=PLACE)
    headers = dict(made.headers)
    assert headers["ce_subject"] == b"urn:a"
    assert headers["ce_relation"] == b"update"
    assert headers["ce_language"] == b"en"
    assert headers["ce_published"] == b"2026-01-31T11:00:00Z"
    assert headers["ce_rawitem"] == b"wire.items.raw.v1/3/41"
    assert headers["ce_dataschema"] == b"https://wiredesk.org/schemas/event.v1.json"
    assert all(
        re.fullmatch("[a-z0-9]{1,20}", name.removeprefix("ce_")) for name in headers if name.startswith("ce_")
    )


def test_headers_say_nothing_where_there_is_nothing_to_say_and_a_uri_without_end_stands_in_none() -> None:
    bare = Event(Story("urn:" + "g" * 33_000))
    headers = dict(event_message("wire.stories.normalised.v1", "k", bare, NOON, source="normalise").headers)
    absent = {"ce_subject", "ce_relation", "ce_language", "ce_published", "ce_rawitem"}
    assert headers.keys().isdisjoint(absent)
    assert b"" not in headers.values()


def test_a_tombstone_says_that_it_is_one_and_says_nothing_of_content() -> None:
    kill = event("urn:k", relation="kill", of="urn:a", chain="urn:a", sequence=2)
    routed = event_message("wire.out.a.v1", "urn:a", kill, NOON, source="route", place=PLACE)
    stone = make_tombstone(routed)
    assert (stone.key, stone.value, stone.tombstone) == (b"urn:a", b"", True)
    headers = dict(stone.headers)
    assert headers["ce_type"] == b"org.wiredesk.out.a.v1.forgotten"
    assert headers.keys().isdisjoint({"content-type", "ce_dataschema", "ce_rawitem"})
    assert headers["ce_id"] != routed.header("ce_id")
    assert headers["traceparent"][:36] == (routed.header("traceparent") or b"")[:36]
    assert make_tombstone(routed) == stone
