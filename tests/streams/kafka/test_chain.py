"""The whole chain on a real broker: raw items in, events out once, what can't be read to the dead letters."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

import orjson
import pytest
from msgspec.structs import replace

from processors.model.codec import decode
from processors.model.event import Event, RawItem
from streams.kafka.cluster import Cluster
from streams.topology import DUPLICATE, ENRICHED, NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, Worker, item, make_topics, publish, read
from tests.servers.kafka_truth import judged
from tests.servers.quick_steps import load as quick

pytestmark = pytest.mark.kafka
QUICK: Final = (sys.executable, "-m", "tests.servers.quick_worker")
TOMORROW: Final = (
    "import time; now = time.time; time.time = lambda: now() + 86_400; "
    "from tests.servers.quick_worker import main; main()"
)


def events(records: list[Read]) -> list[Event]:
    return [decode(record.value or b"", Event) for record in records]


async def test_stories_come_out_once_in_their_order_and_repeats_apart(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1)
    await make_topics(settings)
    await publish(settings, [*map(item, range(40)), item(3)])
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        enriched = await read(settings, [ENRICHED.name], 40)
        repeats = await read(settings, [DUPLICATE.name], 1, 20)
        assert worker.stop() == 0, worker.log()
    stories = events(enriched)
    assert sorted(event.story.uri for event in stories) == sorted(f"urn:test:story:{n}" for n in range(40))
    assert {event.lineage.sequence for event in stories if event.lineage} == set(range(1, 41))
    assert [event.story.uri for event in events(repeats)] == ["urn:test:story:3"]
    assert all(
        record.key == event.story.uri.encode() for record, event in zip(enriched, stories, strict=True)
    )


async def test_rejected_messages_are_set_aside_with_their_bytes_and_headers(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    cluster = Cluster(settings)
    foreign = [b"\x00\xff\xfe", b'{"other": "vocabulary"}', b"", None, b"x" * 2_000_000]
    forged = [("traceparent", b"\xff\xfe-a-b-c"), ("ce_id", b""), ("x-error-type", b"forged")]
    async with cluster.producer() as producer:
        for value in foreign:
            await producer.send_and_wait(cluster.topic(RAW.name), value, key=b"any", headers=forged)
    await publish(settings, [item(1), item(2, "reject in tag"), item(3)])
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        stories = events(await read(settings, [ENRICHED.name], 2))
        raw = await read(settings, [RAW.dead_letters.name], 5, 20)
        tag = await read(settings, ["wire.stories.segmented.v1.dlq"], 1, 20)
        assert worker.stop() == 0, worker.log()
    assert {event.story.uri for event in stories} == {"urn:test:story:1", "urn:test:story:3"}
    assert [record.value for record in raw] == [value or b"" for value in foreign]
    for offset, record in enumerate(raw):
        assert record.headers[:3] == tuple(forged)
        assert dict(record.headers[3:]) == {
            "x-error-type": b"Malformed",
            "x-error-message": dict(record.headers)["x-error-message"],
            "x-error-step": b"normalise",
            "x-original-topic": RAW.name.encode(),
            "x-original-partition": b"0",
            "x-original-offset": str(offset).encode(),
            "x-attempts": b"1",
        }
    assert orjson.loads(tag[0].value or b"")["story"]["uri"] == "urn:test:story:2"


async def test_a_bug_is_tried_three_times_then_set_aside_and_the_partition_goes_on(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    items = [item(0), item(1, "raise in deduplicate"), item(2), item(3, "raise in segment"), item(4)]
    await publish(settings, items)
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        stories = events(await read(settings, [ENRICHED.name], 3))
        bugs = await read(settings, ["wire.stories.normalised.v1.dlq", "wire.stories.unique.v1.dlq"], 2, 20)
        assert worker.stop() == 0, worker.log()
    assert [event.story.uri for event in stories] == [f"urn:test:story:{n}" for n in (0, 2, 4)]
    assert [event.lineage.sequence for event in stories if event.lineage] == [1, 2, 4], (
        "memory is what was committed"
    )
    assert {dict(record.headers)["x-error-type"] for record in bugs} == {b"Bug"}
    assert {dict(record.headers)["x-attempts"] for record in bugs} == {b"3"}
    assert worker.log().count("a step crashed: please report it") == 6


async def test_what_the_world_did_wrong_is_waited_for_in_place_and_counted_as_no_crash(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    gate = tmp_path / "gate"
    await publish(settings, [item(0), item(1, "fail in deduplicate"), item(2)])
    with Worker(settings, tmp_path / "log", *QUICK, WIRETEST_GATE=str(gate)) as worker:
        worker.wait_for("a step waits", 60)
        gate.touch()
        stories = events(await read(settings, [ENRICHED.name], 3))
        letters = await read(settings, ["wire.stories.normalised.v1.dlq"], 1, 1)
        assert worker.stop() == 0, worker.log()
    assert [event.story.uri for event in stories] == [f"urn:test:story:{n}" for n in range(3)]
    assert [event.lineage.sequence for event in stories if event.lineage] == [1, 2, 3], (
        "each try begins with the state that is committed"
    )
    assert letters == []
    assert "a step crashed" not in worker.log()


async def test_a_record_that_kills_the_pool_three_times_is_set_aside(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    await publish(settings, [item(0), item(1), item(2, "die in segment"), item(3)])
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        stories = events(await read(settings, [ENRICHED.name], 3, 90))
        bugs = await read(settings, ["wire.stories.unique.v1.dlq"], 1, 20)
        assert worker.stop() == 0, worker.log()
    assert [event.story.uri for event in stories] == [f"urn:test:story:{n}" for n in (0, 1, 3)]
    assert [dict(record.headers)["x-attempts"] for record in bugs] == [b"3"]
    assert "starting again" not in worker.log(), "the child is replaced, and the worker keeps its partitions"


async def test_a_record_that_hangs_is_set_aside_and_holds_up_neither_the_others_nor_the_stop(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=2, partitions=1)
    await make_topics(settings)
    gate = {"WIRETEST_GATE": str(tmp_path / "never")}
    items = [
        item(0), item(1, "wait in normalise"), item(2, "wait in deduplicate"), item(3, "wait in tag"), item(4),
    ]  # fmt: skip
    await publish(settings, items)
    letters = [f"{topic}.dlq" for topic in (RAW.name, NORMALISED.name, "wire.stories.segmented.v1")]
    with Worker(settings, tmp_path / "log", *QUICK, **gate, WIREDESK_STEPS_DEADLINE_S="1.5") as worker:
        stories = events(await read(settings, [ENRICHED.name], 2, 90))
        bugs = await read(settings, letters, 3, 20)
        assert worker.stop() == 0, worker.log()
    assert [event.story.uri for event in stories] == [f"urn:test:story:{n}" for n in (0, 4)]
    assert {dict(record.headers)["x-attempts"] for record in bugs} == {b"3"}
    assert all(b"was not done after 1.5 s" in dict(record.headers)["x-error-message"] for record in bugs)
    assert "starting again" not in worker.log()
    await publish(settings, [item(5, "wait in segment"), item(6)])
    with Worker(settings, tmp_path / "log", *QUICK, **gate) as worker:
        await read(settings, [NORMALISED.name], 6, 30)
        began = time.monotonic()
        assert worker.stop() == 0, worker.log()
        assert time.monotonic() - began < 25


async def test_live_items_go_before_those_of_a_back_fill(kafka: KafkaForTest, tmp_path: Path) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    await publish(settings, (item(n) for n in range(1000, 1400)), "wire.items.backfill.v1")
    await publish(settings, map(item, range(400)))
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        stories = events(await read(settings, [NORMALISED.name], 800))
        assert worker.stop() == 0, worker.log()
    order = [int(event.story.uri.rpartition(":")[2]) for event in stories]
    assert sorted(order) == [*range(400), *range(1000, 1400)]
    late_before_live = sum(1 for n in order[: order.index(399)] if n >= 1000)
    assert late_before_live <= 50, (
        "at most one small back-fill transaction, before live partitions were known"
    )


async def test_items_whose_clock_is_ahead_are_taken(kafka: KafkaForTest, tmp_path: Path) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1)
    await make_topics(settings)
    ahead = RawItem(item(1).payload, "2199-01-01T00:00:00Z", feed="wire")
    await publish(settings, [ahead])
    with Worker(settings, tmp_path / "log", *QUICK) as worker:
        stories = await read(settings, [ENRICHED.name], 1)
        assert worker.stop() == 0, worker.log()
    assert [event.story.uri for event in events(stories)] == ["urn:test:story:1"]


async def test_workers_whose_clocks_differ_by_a_day_and_items_of_10_megabytes_are_no_trouble(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=2)
    await make_topics(settings)
    feeds = [f"feed-{number}" for number in range(12)]
    await publish(settings, (item(n, feed=feeds[n % 12], language=("en", "de")[n % 2]) for n in range(120)))
    await publish(
        settings, [item(120, "x" * 10_000_000), RawItem(b"\x00" * 10_000_000, "2025-05-29T12:00:00Z")]
    )
    later = replace(settings, worker="two")
    with (
        Worker(settings, tmp_path / "one", *QUICK) as today,
        Worker(later, tmp_path / "two", sys.executable, "-c", TOMORROW) as tomorrow,
    ):
        stories = events(await read(settings, [ENRICHED.name], 121))
        letters = await read(settings, [RAW.dead_letters.name], 1, 20)
        assert (today.stop(), tomorrow.stop()) == (0, 0), today.log() + tomorrow.log()
    assert sorted(event.story.uri for event in stories) == sorted(f"urn:test:story:{n}" for n in range(121))
    assert max(len(event.text) for event in stories) == 10_000_000
    assert [dict(letter.headers)["x-error-type"] for letter in letters] == [b"Malformed"]
    assert all(verdict.is_perfect for verdict in await judged(settings, quick))
