"""A story without end leaves the pipeline in the size that readers take, alike in both runtimes and ``wiredesk process``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import pytest
from msgspec import structs

from config.settings import Events, Settings
from processors.model.codec import decode
from processors.model.event import Event, Language, RawItem
from processors.model.story import Story
from processors.size_limit import RawPlace
from streams.messages import Message, Record, event_message, raw_message
from streams.process import Input, Pipeline
from streams.steps import Work, limit_outgoing
from streams.topology import ENRICHED, RAW, SEGMENTED, STEPS
from tests.invented import PEOPLE

LIMIT: Final = 40_000
SMALL: Final = Settings(events=Events(max_bytes=LIMIT))


def item(paragraphs: int, **members: Any) -> RawItem:
    text = "\n\n".join(
        f"{PEOPLE[number % len(PEOPLE)]} said on Monday that berth {number} of the harbour of Lisbon would open 😀."
        for number in range(paragraphs)
    )
    story = {
        "uri": "urn:x:long", "type": "text", "version": "1", "language": "en",
        "headlines": [{"role": "main", "value": "Every berth of Lisbon"}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": text}], **members,
    }  # fmt: skip
    return RawItem(orjson.dumps(story), "2026-03-02T09:15:04Z", feed="nda", media_type="application/json")


def by_messages(item: RawItem, settings: Settings) -> Message:
    """What the steps write of an item, as both runtimes run them on records."""
    message = raw_message(item, RAW.name)
    offset = 41
    for step in STEPS:
        record = Record(
            message.topic, 3, offset, message.key, message.value, message.timestamp, message.headers
        )
        [outcome] = Work(step, settings)([record])
        assert isinstance(outcome, Sequence)
        message, offset = outcome[0], offset + 100
    return message


def by_values(item: RawItem, settings: Settings) -> Event:
    [result] = Pipeline(STEPS, settings)([Input("-", 1, item)])
    assert isinstance(result.event, Event)
    return result.event


def without_place(event: Event) -> Event:
    assert event.provenance
    whole = event.provenance.whole
    assert whole
    unplaced = structs.replace(whole, topic=None, partition=None, offset=None, address=None)
    return structs.replace(event, provenance=structs.replace(event.provenance, whole=unplaced))


def test_the_end_of_a_story_without_end_is_left_out_and_told_with_its_place() -> None:
    message = by_messages(item(800), SMALL)
    event = decode(message.value, Event)
    beside = sum(len(name) + len(value) for name, value in message.headers) + len(message.key)
    assert len(message.value) + beside <= LIMIT
    assert len(message.value) > LIMIT * 0.8
    assert event.text.endswith("would open 😀.")
    assert event.provenance
    assert event.provenance.whole
    whole = event.provenance.whole
    assert (whole.topic, whole.partition, whole.offset) == (RAW.name, 3, 41), (
        "of the raw item, three steps before"
    )
    assert whole.address == "/api/items/urn%3Ax%3Along"
    assert whole.left_out == ("story.bodies", "text")
    assert message.header("ce_rawitem") == f"{RAW.name}/3/41".encode()
    assert without_place(event) == without_place(by_values(item(800), SMALL))


def test_a_story_of_usual_length_is_whole_everywhere() -> None:
    message = by_messages(item(20), SMALL)
    event = decode(message.value, Event)
    assert event == by_values(item(20), Settings())
    assert event.provenance
    assert event.provenance.whole is None


@pytest.mark.parametrize("settings", [Settings(events=Events(repeat_text=False)), Settings()])
def test_a_body_that_repeats_the_text_may_be_left_out(settings: Settings) -> None:
    event = by_values(item(20), settings)
    assert bool(event.story.bodies) is settings.events.repeat_text
    assert event.provenance
    assert event.provenance.whole is None, "nothing is missing"
    assert decode(by_messages(item(20), settings).value, Event) == event


def test_what_steps_hand_on_is_whole() -> None:
    message = raw_message(item(800), RAW.name)
    record = Record(message.topic, 3, 41, message.key, message.value, message.timestamp, message.headers)
    [outcome] = Work(STEPS[0], SMALL)([record])
    assert isinstance(outcome, Sequence)
    assert len(outcome[0].value) > 2 * LIMIT


def test_the_default_leaves_room_for_key_and_headers_below_what_clients_take() -> None:
    uri = "urn:newsml:nda.example:20260302:" + "a" * 200
    long = Event(
        Story(uri, language="en"), "Every berth", "A berth opens.\n\n" * 200_000, Language("en", 0.99)
    )
    event = limit_outgoing(long, ENRICHED, Settings().events)
    assert limit_outgoing(long, SEGMENTED, Settings().events) is long
    message = event_message(ENRICHED.name, uri, event, 0, source="tag", place=RawPlace(RAW.name, 3, 41))
    size = (
        len(message.value) + sum(len(name) + len(value) for name, value in message.headers) + len(message.key)
    )
    assert 990_000 < size < 1_000_000
