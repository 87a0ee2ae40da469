"""One record that the broker refuses is set aside, by whoever writes it, and the rest goes on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest

from processors.errors import Malformed
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from streams.kafka.cluster import Cluster
from streams.kafka.ledger import PartitionWriter, TopicOutlet
from streams.kafka.publisher import Publisher
from streams.messages import Message, Record, dead_letter, raw_message
from streams.topology import ENRICHED, FEED_STATES, LINEAGE, NORMALISED, RAW, UNIQUE
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, Worker, item, make_topics, publish, read, set_topic

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker", "normalise", "deduplicate")


def headers(record: Read) -> dict[str, bytes]:
    return dict(record.headers)


async def test_a_story_that_its_topic_does_not_take_is_set_aside_and_a_batch_that_is_too_large_is_split(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    await set_topic(settings, NORMALISED.name, max_message_bytes="20000")
    await set_topic(settings, UNIQUE.name, max_message_bytes="4000")
    await publish(
        settings,
        [
            *map(item, range(30)),
            item(90, text="A very long report. " * 2000),
            item(91, text="A long report. " * 400),
            *map(item, range(30, 60)),
        ],
    )
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        unique = await read(settings, [UNIQUE.name], 60)
        letters = await read(settings, [RAW.dead_letters.name, NORMALISED.dead_letters.name], 2, 20)
        assert worker.stop() == 0, worker.log()
    events = [decode(record.value or b"", Event) for record in unique]
    assert [event.story.uri for event in events] == [f"urn:test:story:{n}" for n in range(60)]
    assert [event.lineage.sequence for event in events if event.lineage] == list(range(1, 61)), (
        "no state remembers what was set aside"
    )
    letters.sort(key=lambda letter: letter.topic)  # of two topics, which are read in any order
    assert [headers(letter)["x-error-type"] for letter in letters] == [b"TooLarge"] * 2
    names = Cluster(settings).topic(NORMALISED.name), Cluster(settings).topic(UNIQUE.name)
    for letter, name, limit in zip(letters, names, ("20000", "4000"), strict=True):
        reason = headers(letter)["x-error-message"].decode()
        assert reason.startswith(f"{name} takes no message of ")
        assert f"max.message.bytes ({limit})" in reason
    assert b"A very long report" in decode(letters[0].value or b"", RawItem).payload
    assert worker.log().count("a record is set aside") == 2
    assert "starting again" not in worker.log()
    assert "Traceback" not in worker.log()


async def test_a_record_whose_dead_letter_is_refused_too_leaves_one_without_its_bytes(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    await set_topic(settings, NORMALISED.name, max_message_bytes="20000")
    await set_topic(settings, RAW.dead_letters.name, max_message_bytes="3000")
    large = item(1, text="A very long report. " * 2000)
    await publish(settings, [item(0), large, item(2)])
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        assert len(await read(settings, [UNIQUE.name], 2)) == 2
        [letter] = await read(settings, [RAW.dead_letters.name], 1, 20)
        assert worker.stop() == 0, worker.log()
    assert not letter.value
    assert headers(letter)["x-bytes-left-out"] == str(len(raw_message(large, RAW.name).value)).encode()
    assert headers(letter)["x-original-offset"] == b"1"
    assert "starting again" not in worker.log()


async def test_a_state_record_that_its_topic_does_not_take_sets_its_story_aside(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    await set_topic(settings, LINEAGE.name, max_message_bytes="400")
    await publish(settings, [item(0), item(1, uri="urn:" + "long:" * 80), item(2)])
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        events = [decode(record.value or b"", Event) for record in await read(settings, [UNIQUE.name], 2)]
        [letter] = await read(settings, [NORMALISED.dead_letters.name], 1, 20)
        assert worker.stop() == 0, worker.log()
    assert [event.lineage.sequence for event in events if event.lineage] == [1, 2]
    assert Cluster(settings).topic(LINEAGE.name).encode() in headers(letter)["x-error-message"]


async def test_a_poller_sets_aside_what_the_raw_topic_does_not_take_and_saves_the_rest(
    kafka: KafkaForTest,
) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    await set_topic(settings, RAW.name, max_message_bytes="9000")
    await set_topic(settings, FEED_STATES.name, max_message_bytes="500")
    writer = PartitionWriter(Cluster(settings), 0)
    large = raw_message(item(1, text="A long report. " * 1000), RAW.name)
    small = [raw_message(item(number), RAW.name) for number in range(2, 12)]
    states = [
        Message(FEED_STATES.name, b"small", b"s", 0),
        Message(FEED_STATES.name, b"large", b"l" * 900, 0),
    ]
    await writer.write([small[0], large, *small[1:], *states])
    await writer.write([raw_message(item(20), RAW.name)])
    await writer.close()
    assert len(await read(settings, [RAW.name], 11, 5)) == 11
    [letter] = await read(settings, [RAW.dead_letters.name], 1, 5)
    assert headers(letter)["x-error-type"] == b"TooLarge"
    assert decode(letter.value or b"", RawItem).payload == b""
    assert [record.key for record in await read(settings, [FEED_STATES.name], 1, 5)] == [b"small"]


async def test_what_is_pushed_or_dropped_and_what_sinks_reject_is_set_aside_likewise(
    kafka: KafkaForTest,
) -> None:
    settings = kafka.settings(partitions=1)
    await make_topics(settings)
    letters = ENRICHED.dead_letters.name
    await set_topic(settings, RAW.name, max_message_bytes="9000")
    await set_topic(settings, letters, max_message_bytes="2000")
    async with Publisher(Cluster(settings), linger_ms=5) as publisher:
        outlet = TopicOutlet(Cluster(settings), publisher)
        await outlet.publish([item(0), item(1, text="A long report. " * 1000), item(2)])
        await outlet.publish([item(3)])
        record = Record(ENRICHED.name, 0, 7, b"k", b"v" * 5000, 1)
        await publisher.publish([dead_letter(record, "elasticsearch", Malformed("as it is"))])
    raw = await read(settings, [RAW.name], 3, 5)
    assert [decode(record.value or b"", RawItem).payload for record in raw] == [
        item(n).payload for n in (0, 2, 3)
    ]
    assert len(await read(settings, [RAW.dead_letters.name], 1, 5)) == 1
    [letter] = await read(settings, [letters], 1, 5)
    assert (letter.value or b"", headers(letter)["x-bytes-left-out"]) == (b"", b"5000")
