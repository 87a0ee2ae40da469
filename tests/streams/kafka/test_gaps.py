"""Gaps of logs: whatever a consumer can't go on at is told with its number, and what the log still has is read."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Final

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete
from prometheus_client import REGISTRY

from config.settings import Kafka
from processors.model.codec import decode
from processors.model.event import Event
from streams.kafka.cluster import Cluster
from streams.kafka.gaps import GapBook, LogGap, find_gap
from streams.kafka.inbox import FetchedRecord
from streams.kafka.session import Session
from streams.kafka.step_runner import StepRunner
from streams.messages import Record
from streams.topology import GAPS as FEED_GAPS
from streams.topology import NORMALISED, RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Worker, item, make_topics, publish, read

SMALL_FETCHES: Final = {"WIREDESK_KAFKA_OPTIONS": '{max_partition_fetch_bytes = "4096"}'}
NORMALISE: Final = (sys.executable, "-m", "tests.servers.quick_worker", "normalise")
PLACE = TopicPartition("raw", 0)


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"wire_{name}_total", labels) or 0.0


@pytest.mark.parametrize(
    ("offset", "first", "end", "gap"),
    [
        (5, 5, 9, None),
        (9, 5, 9, None),
        (0, 0, 0, None),
        (4, 5, 9, LogGap(PLACE, 4, 5, 1, "deleted")),
        (10, 5, 9, LogGap(PLACE, 10, 5, 30, "rewound")),
        (50, 5, 9, LogGap(PLACE, 50, 5, 0, "rewound")),
    ],
)
def test_an_offset_is_held_against_its_log(offset: int, first: int, end: int, gap: LogGap | None) -> None:
    assert find_gap(PLACE, offset, first, end, known_end=40) == gap


def test_a_gap_that_is_met_twice_counts_once_and_what_it_has_become_longer_counts_on() -> None:
    gaps, labels = GapBook(), {"topic": "raw", "consumer": "twice"}
    gaps.report("twice", LogGap(PLACE, 10, 30, 20, "deleted"))
    gaps.report("twice", LogGap(PLACE, 10, 30, 20, "deleted"))
    assert count("lost_records", **labels) == 20
    gaps.report("twice", LogGap(PLACE, 10, 35, 25, "deleted"))
    assert count("lost_records", **labels) == 25
    gaps.report("twice", LogGap(PLACE, 40, 45, 5, "deleted"))
    assert count("lost_records", **labels) == 30


@pytest.fixture
async def settings(kafka: KafkaForTest) -> Kafka:
    """A topic of one partition with ten records."""
    told = kafka.settings(partitions=1)
    await remake(told, 10)
    return told


async def remake(told: Kafka, records: int) -> None:
    """Delete the topic where it is there, and make it with so many records."""
    cluster = Cluster(told)
    topic = cluster.topic(FEED_GAPS.name)
    admin = cluster.admin()
    await admin.start()
    if topic in await admin.list_topics():
        await admin.delete_topics([topic])
    while (await admin.create_topics([NewTopic(topic, 1, 1)])).topic_errors[0][1]:
        pass  # it is still being deleted
    await admin.close()
    async with cluster.producer() as producer:
        for number in range(records):
            await producer.send_and_wait(topic, b"%d" % number, partition=0)


async def values(consumer: AIOKafkaConsumer, number: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < number:
        for records in (await consumer.getmany(timeout_ms=200, max_records=number - len(found))).values():
            found += [record.value for record in records]
    return found


@pytest.mark.kafka
async def test_a_consumer_that_retention_overtakes_tells_how_many_it_has_lost(
    settings: Kafka, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(settings)
    place = TopicPartition(cluster.topic(FEED_GAPS.name), 0)
    async with cluster.group_consumer(
        cluster.group_of("late"), place.topic, auto_offset_reset="earliest", reader="late"
    ) as consumer:
        assert await values(consumer, 3) == [b"0", b"1", b"2"]
        await delete_records(settings, place, 8)
        consumer.seek(place, 3)  # what was fetched ahead is asked for again
        assert await values(consumer, 2) == [b"8", b"9"]
    output = capsys.readouterr()
    line = next(line for line in (output.out + output.err).splitlines() if "were deleted" in line)
    assert all(word in line for word in ("consumer=late", f"topic={place.topic}", "partition=0", "from=3"))
    assert all(word in line for word in ("to=8", "records=5"))
    assert count("lost_records", topic=place.topic, consumer="late") == 5
    assert count("log_gaps", topic=place.topic, consumer="late", kind="deleted") == 1


@pytest.mark.kafka
async def test_a_consumer_whose_topic_is_made_anew_reads_it_from_its_beginning_and_tells(
    settings: Kafka, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(settings)
    place = TopicPartition(cluster.topic(FEED_GAPS.name), 0)
    async with cluster.consumer(auto_offset_reset="earliest", reader="tap") as consumer:
        consumer.assign([place])
        assert len(await values(consumer, 10)) == 10
        await remake(settings, 4)
        assert await values(consumer, 4) == [b"0", b"1", b"2", b"3"]
    assert "the log ends before what was read" in "".join(capsys.readouterr())
    assert count("log_gaps", topic=place.topic, consumer="tap", kind="rewound") == 1
    assert count("lost_records", topic=place.topic, consumer="tap") == 0


def fetched(offset: int, *, is_rewound: bool = False) -> FetchedRecord:
    record = Record(RAW.name, 0, offset, b"", b"", 0)
    return FetchedRecord(PLACE, 1, None if is_rewound else offset - 1, record, 0, is_rewound)


async def test_a_step_runs_the_records_of_a_log_that_was_made_anew_behind_those_of_the_old_one() -> None:
    runner = StepRunner.__new__(StepRunner)
    runner._next_offsets = {PLACE: 20}
    batch = [fetched(19), fetched(20), fetched(0, is_rewound=True), fetched(1), fetched(1)]
    assert [record.offset for record in runner._ours(batch, generation=1)] == [20, 0, 1]
    assert runner._ours([fetched(0, is_rewound=True)], generation=2) == [], "an older generation's"


@pytest.mark.kafka
async def test_a_working_worker_that_retention_overtakes_tells_it_and_goes_on(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    settings = kafka.settings(worker="one", workers=1, partitions=1, batch=1)
    await make_topics(settings)
    gate = tmp_path / "gate"
    await publish(settings, [item(0, "wait in normalise"), *map(item, range(1, 80))])
    with Worker(settings, tmp_path / "log", *NORMALISE, WIRETEST_GATE=str(gate), **SMALL_FETCHES) as worker:
        worker.wait_for("worker started")
        await delete_records(settings, TopicPartition(Cluster(settings).topic(RAW.name), 0), 70)
        gate.touch()
        await asyncio.to_thread(worker.wait_for, "were deleted before they were read")
        lost = int(re.search(r"deleted before they were read.*?records=(\d+)", worker.log())[1])  # type: ignore[index]
        records = await read(settings, [NORMALISED.name], 80 - lost)
        assert worker.stop() == 0, worker.log()
    numbers = [int(decode(record.value, Event).story.uri.rsplit(":", 1)[1]) for record in records]
    assert numbers == [*range(70 - lost), *range(70, 80)], "what is gone is what was told, and nothing else"
    assert "consumer=normalise" in worker.log()


@pytest.mark.kafka
def test_a_replay_that_asks_for_more_than_the_log_has_is_told_where_it_begins(
    kafka: KafkaForTest, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = kafka.settings(partitions=1)
    asyncio.run(remake(settings, 10))
    place = TopicPartition(Cluster(settings).topic(FEED_GAPS.name), 0)
    with Session(Cluster(settings)) as session:
        assert len(list(session.records([FEED_GAPS.name], since=0))) == 10
        assert "begins later" not in "".join(capsys.readouterr()), "the log has all that it ever had"
        session.run(delete_records(settings, place, 4))
        assert [record.offset for record in session.records([FEED_GAPS.name], since=0)] == [*range(4, 10)]
    assert "the log begins later than was asked" in "".join(capsys.readouterr())


async def delete_records(settings: Kafka, place: TopicPartition, before: int) -> None:
    admin = Cluster(settings).admin()
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(before_offset=before)})
    await admin.close()


@pytest.mark.kafka
async def test_a_topic_that_was_made_anew_and_is_longer_is_read_from_its_beginning(
    settings: Kafka, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The offset that comes next is there in the new log too: without the topic's identity ten records are passed over."""
    monkeypatch.setattr("streams.kafka.gaps.IDENTITY_INTERVAL_S", 0.0)
    cluster = Cluster(settings)
    place = TopicPartition(cluster.topic(FEED_GAPS.name), 0)
    async with cluster.consumer(reader="longer", auto_offset_reset="earliest") as consumer:
        consumer.assign([place])
        assert len(await values(consumer, 10)) == 10
        await remake(settings, 30)
        assert await values(consumer, 30) == [b"%d" % number for number in range(30)]
    assert "or is another one" in "".join(capsys.readouterr())
    assert count("log_gaps", topic=place.topic, consumer="longer", kind="rewound") == 1
