"""The raw item that an event was made of is found in the log again, and all its stories are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from config.settings import Settings
from processors.model.codec import encode
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from streams.embedded.log import Log
from streams.messages import Message, raw_message
from streams.raw_items import RawArchive, read_stories
from streams.topology import RAW

RECEIVED = "2026-03-02T09:15:04.000Z"
RSS = b"""<rss version="2.0"><channel><title>The Quay</title><item><guid>q1</guid><title>Ferry stops</title>
<description>The ferry to Port Alder has stopped for the night.</description></item>
<item><guid>q2</guid><title>Crane turns</title><description>The crane of Morrowby turns again.</description></item>
</channel></rss>"""


def item(number: int, **more: object) -> RawItem:
    story = {
        "uri": f"urn:nda:{number}",
        "headline": f"Ferry {number}",
        "body_text": f"Ferry {number} is late.",
    }
    return RawItem(json.dumps(story | more).encode(), RECEIVED, feed="nda")


def stories_of(raw: RawItem) -> list[Event]:
    return [result for result in normalise(raw, Settings().normalise) if isinstance(result, Event)]


@pytest.fixture
def archive(tmp_path: Path) -> RawArchive:
    log = Log(tmp_path / "wire.sqlite")
    early = RawItem(b"other", "2026-03-02T09:15:03.000Z", feed="nda")
    for raw in (early, item(1), item(2), RawItem(RSS, RECEIVED, feed="quay")):
        log.append([raw_message(raw, RAW.name)])

    async def read(topic: str, _partition: int, offset: int) -> bytes | None:
        records = log.records(topic, offset, 1)
        return records[0].value if records else None

    async def scan(since_ms: int, mark: bytes, limit: int) -> Sequence[bytes]:
        return log.scan_values(RAW.name, since_ms, mark, 100)[:limit]

    return RawArchive(Settings(), read, scan)


async def test_the_item_of_a_story_is_found_among_those_of_its_moment(archive: RawArchive) -> None:
    for raw in (item(1), item(2), RawItem(RSS, RECEIVED, feed="quay")):
        for story in stories_of(raw):
            assert await archive.find_item(story) == encode(raw)


async def test_a_story_that_no_item_of_its_moment_holds_has_none(archive: RawArchive) -> None:
    (story,) = stories_of(item(3))
    assert await archive.find_item(story) is None


async def test_all_stories_of_an_item_are_read(archive: RawArchive) -> None:
    stories = await archive.list_stories(encode(RawItem(RSS, RECEIVED, feed="quay")))
    assert [story.headline for story in stories or ()] == ["Ferry stops", "Crane turns"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00\x01\x02\x00",
        RSS.replace(b"<title>Crane turns</title>", b"").replace(b"The crane of Morrowby turns again.", b""),
    ],
)
def test_an_item_with_a_part_that_can_not_be_read_has_stories_that_nobody_knows(payload: bytes) -> None:
    assert read_stories(encode(RawItem(payload, RECEIVED)), Settings()) is None


def test_records_are_sought_from_a_time_on(tmp_path: Path) -> None:
    log = Log(tmp_path / "wire.sqlite")
    for number in range(150):
        log.append([Message(RAW.name, b"", f"item {number}".encode(), number // 3 * 1000, ())])
    assert log.scan_values(RAW.name, 8000, b"item", 100) == [b"item 24", b"item 25", b"item 26"]
    assert log.scan_values(RAW.name, 40_000, b"item 149", 100) == [b"item 149"]
    assert log.scan_values(RAW.name, 40_000, b"item 149", 20) == [], "beyond what is looked through"
    assert log.scan_values(RAW.name, 90_000, b"item", 4) == []
