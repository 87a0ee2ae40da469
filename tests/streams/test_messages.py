"""Messages say what they are, and say it alike on every run."""

from __future__ import annotations

from msgspec.structs import replace

from processors.errors import Malformed
from processors.model.codec import identify_event
from processors.model.event import Provenance, RawItem
from processors.times import to_milliseconds
from sinks.stories import lineage
from streams.messages import Record, dead_letter, message, raw_message
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
