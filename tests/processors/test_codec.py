"""JSON and the model are two spellings of one thing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import Malformed
from processors.model.codec import decode, encode
from processors.model.event import Dateline, Event, Lineage, Place, RawItem, Segment
from processors.model.story import Point, Story, StoryPlace, Text

words = st.text(st.characters(codec="utf-8"), max_size=6)
numbers = st.integers(-(2**53), 2**53)
real = st.floats(allow_nan=False, allow_infinity=False)


def model(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any instance of a model class; associations do not nest further."""
    st.register_type_strategy(str, words)
    st.register_type_strategy(int, numbers)
    st.register_type_strategy(float, real)
    st.register_type_strategy(Story, st.builds(Story, uri=words, headlines=st.just((Text("a"),))))
    return st.builds(kind, story=stories()) if kind is Event else st.builds(kind)


def stories() -> st.SearchStrategy[Story]:
    leaves = st.builds(Story, uri=words, name=words)
    return st.builds(Story, uri=words, associations=st.lists(leaves, max_size=2).map(tuple))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_event_survives_json(data: st.DataObject) -> None:
    event = data.draw(model(Event))
    assert decode(encode(event), Event) == event


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64), words)
def test_a_raw_item_keeps_its_bytes(payload: bytes, feed: str) -> None:
    item = RawItem(payload, "2026-01-31T12:00:00Z", feed=feed)
    assert decode(encode(item), RawItem) == item


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_equal_events_have_equal_bytes(data: st.DataObject) -> None:
    event = data.draw(model(Event))
    assert encode(decode(encode(event), Event)) == encode(event)


def test_json_has_the_names_of_the_contract() -> None:
    place = StoryPlace(name="Vigo", geo_json=Point((-8.72, 42.23)))
    event = Event(
        Story("urn:x:1", version_created="2026-11-18T10:00:00Z", pub_status="usable", places=(place,)),
        text="Vigo, Nov 18.-",
        lineage=Lineage("urn:x:1", "new"),
        segments=(Segment(0, 14, "dateline"),),
        dateline=Dateline(0, 14, (Place("Vigo", "ES", geoname_id=3105976),), "2026-11-18"),
    )
    told = orjson.loads(encode(event))
    assert told["story"] == {
        "uri": "urn:x:1",
        "versionCreated": "2026-11-18T10:00:00Z",
        "pubStatus": "usable",
        "places": [{"name": "Vigo", "geoJSON": {"type": "Point", "coordinates": [-8.72, 42.23]}}],
    }
    assert told["lineage"] == {
        "story": "urn:x:1",
        "relation": "new",
        "of": None,
        "score": None,
        "sequence": 1,
    }
    assert told["segments"] == [{"in": "text", "start": 0, "end": 14, "kind": "dateline"}]
    assert told["dateline"]["places"] == [{"name": "Vigo", "country": "ES", "geonameId": 3105976}]


def test_what_no_step_added_is_absent_and_what_it_did_not_find_is_empty() -> None:
    untouched = orjson.loads(encode(Event(Story("urn:x:1"))))
    assert set(untouched) == {"story", "headline", "text"}
    segmented = orjson.loads(encode(Event(Story("urn:x:1"), segments=(), quotes=(), damage=())))
    assert segmented["segments"] == segmented["quotes"] == segmented["damage"] == []
    assert segmented["dateline"] is None


def test_unknown_keys_are_allowed() -> None:
    assert decode(b'{"story": {"uri": "a:b", "x": 1}, "new": true}', Event) == Event(Story("a:b"))


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"", "not JSON"),
        (b'{"story": {"uri": "a:\xff"}}', "not JSON"),
        (b'{"story": {"uri": "a:\\ud800"}}', "not JSON"),
        (b'{"story": {"uri": "a:b"}} and', "not JSON"),
        (b'{"story": {"uri": "a:b"}, "x": ' + b"[" * 100_000, "not JSON"),
        (b"[]", "Expected `object`"),
        (b'{"story": {}}', "`uri` - at `$.story`"),
        (b'{"story": {"uri": 5}}', ".story.uri"),
        (b'{"story": {"uri": "a:b", "urgency": "high"}}', ".story.urgency"),
        (b'{"story": {"uri": "a:b", "urgency": true}}', ".story.urgency"),
        (b'{"story": {"uri": "a:b", "headlines": [{"value": 1}]}}', ".story.headlines[0].value"),
        (
            b'{"story": {"uri": "a:b"}, "segments": [{"start": 0, "end": 1, "kind": "poem"}]}',
            "segments[0].kind",
        ),
    ],
)
def test_a_wrong_member_is_named(raw: bytes, named: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode(raw, Event)
    assert named in str(caught.value)


def test_a_payload_that_is_not_base64_is_malformed() -> None:
    with pytest.raises(Malformed, match="payload"):
        decode(b'{"payload": "%%", "received": "2026-01-31T12:00:00Z"}', RawItem)


def test_the_first_reading_may_be_that_of_many_threads() -> None:
    program = """
import threading
from processors.model.codec import decode, from_builtins
from processors.model.event import Event, RawItem
from sinks.search import Hit
start = threading.Barrier(8)
def read(number):
    start.wait()
    if number % 2:
        decode(b'{"story": {"uri": "a:b"}}', Event)
    else:
        from_builtins({"story": {"uri": "a:b"}}, Event)
    decode(b'{"payload": "", "received": "2026-01-31T12:00:00Z"}', RawItem)
threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
"""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
