"""What a transaction writes: every message at its key's partition, in order, or no transaction at all."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.settings import Kafka, Routes, Settings
from processors.errors import Unreachable
from processors.model.story import Story
from processors.times import to_milliseconds, to_timestamp
from sinks.answers import broker_codes
from streams.kafka import producer as module
from streams.kafka import refusals
from streams.kafka.cluster import HEADROOM_BYTES, Cluster
from streams.kafka.producer import (
    BatchSizes,
    NotWritten,
    RefusedBatch,
    SentBatch,
    TransactionalProducer,
    UnacknowledgedBatches,
    fits_topic,
    partition_of,
    record_time_ms,
    submit_messages,
    wait_acknowledged,
)
from streams.kafka.publisher import Publisher
from streams.kafka.session import read_item
from streams.kafka.topics import create_topics, topic_differences, wait_for_topics
from streams.messages import Message, event_message
from streams.topology import RAW
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, item, publish, read
from tests.servers.process import free_ports
from tests.sinks.events import event

TOPIC, PARTITIONS = "harbour.v1", 4


@given(st.binary(), st.integers(1, 60))
def test_a_key_goes_where_kafkas_own_clients_send_it(key: bytes, number: int) -> None:
    partitions = list(range(number))
    assert partition_of(key, number) == DefaultPartitioner()(key, partitions, partitions)


def test_a_message_fits_by_its_value_and_its_key() -> None:
    assert fits_topic(Message("out", b"k", b"v" * 10, 0), 10)
    assert not fits_topic(Message("out", b"k", b"v" * 11, 0), 10)
    longest = HEADROOM_BYTES // 2
    assert fits_topic(Message("out", b"k" * longest, b"v", 0), 10)
    assert not fits_topic(Message("out", b"k" * (longest + 1), b"v", 0), 10), "the rest is for the headers"
    assert fits_topic(Message("out.dlq", b"k" * HEADROOM_BYTES, b"v" * 20, 0), 10), (
        "a dead letter is never refused"
    )


NOW = to_milliseconds("2026-03-10T12:00:00Z")
RECEIVED = "2026-03-10T09:00:00.000Z"


def stamped(record_time: Any, published: str | None, topic: str = "wire.out.ships.v1") -> str:
    """The timestamp that the record of a story asks for, on the day of the test."""
    story = replace(event("urn:a"), story=Story("urn:a", version_created=published))
    made = event_message(topic, "urn:a", story, to_milliseconds(RECEIVED), source="route")
    return to_timestamp(record_time_ms(made, Kafka(record_time=record_time), NOW))


def test_a_record_that_others_read_has_the_time_that_the_operator_chose() -> None:
    published = "2026-03-10T08:30:00.000Z"
    assert stamped("written", published) == RECEIVED, "which the broker replaces by its own"
    assert stamped("received", published) == RECEIVED
    assert stamped("published", published) == published
    assert stamped("published", None) == RECEIVED
    assert stamped("published", published, "wire.stories.segmented.v1") == RECEIVED
    assert stamped("published", published, "wire.stories.enriched.v1") == published


def test_a_publishers_clock_that_is_wrong_neither_stops_a_topic_nor_has_its_records_deleted() -> None:
    assert stamped("published", "2026-03-11T12:00:00Z") == to_timestamp(NOW), (
        "a day ahead: the broker would refuse it"
    )
    assert stamped("published", "2026-03-09T12:00:00Z") == "2026-03-09T12:00:00.000Z", "a day behind"
    half = "2026-03-07T00:00:00.000Z"  # of the retention of seven days
    assert stamped("published", "1970-01-01T00:00:00Z") == half
    assert stamped("published", "2026-03-06T23:59:59Z") == half
    assert stamped("published", "2026-03-07T00:00:01Z") == "2026-03-07T00:00:01.000Z"


@pytest.mark.kafka
async def test_the_chosen_time_arrives_and_the_topics_are_made_for_it(
    kafka: KafkaForTest, tmp_path: Path
) -> None:
    rules = tmp_path / "routes.toml"
    rules.write_text('[routes.ships]\nwords = ["ships"]\n', "utf-8")
    settings = Settings(
        kafka=kafka.settings(record_time="published", partitions=1), routes=Routes(str(rules))
    )
    await create_topics(settings)
    assert await topic_differences(settings) == []
    cluster = Cluster(settings.kafka)
    published = to_timestamp(time.time_ns() // 1_000_000 - 3_600_000)
    story = replace(event("urn:a"), story=Story("urn:a", version_created=published))
    made = event_message(
        "wire.out.ships.v1", "urn:a", story, to_milliseconds(published) + 9000, source="route"
    )
    async with Publisher(cluster) as publisher:
        await publisher.publish([made])
    [record] = await read(settings.kafka, ["wire.out.ships.v1"], 1)
    assert to_timestamp(record.timestamp) == published
    other = Settings(kafka=kafka.settings(partitions=1), routes=Routes(str(rules)))
    lines = await topic_differences(other)
    assert len(lines) == 3, "enriched, duplicate and the route"
    assert all("message.timestamp.type=CreateTime, not LogAppendTime" in line for line in lines)


@asynccontextmanager
async def transactional(cluster: Cluster, **config: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer of transactions, and the topic that it writes to."""
    admin = cluster.admin()
    await admin.start()
    await admin.create_topics([NewTopic(cluster.topic(TOPIC), PARTITIONS, 1, topic_configs=config)])
    await wait_for_topics(admin, {cluster.topic(TOPIC)})
    await admin.close()
    async with cluster.producer(transactional_id=cluster.topic("one"), max_batch_size=4096) as producer:
        yield producer


async def committed(producer: AIOKafkaProducer, cluster: Cluster, messages: Sequence[Message]) -> None:
    async with producer.transaction():
        await wait_acknowledged(await submit_messages(producer, cluster, messages))


@pytest.mark.kafka
async def test_messages_of_all_sizes_come_in_order_with_keys_headers_and_times(kafka: KafkaForTest) -> None:
    cluster = Cluster(kafka.settings(partitions=PARTITIONS))
    sizes = (
        0,
        1,
        900,
        4000,
        5000,
        100_000,
        7,
    )  # batches of 4096 bytes: many in one, one in one, larger than one
    keyed = [
        Message(TOPIC, b"key-%d" % (n % 9), b"%d " % n + b"x" * sizes[n % 7], 1000 + n, (("n", b"%d" % n),))
        for n in range(200)
    ]
    messages = [
        *keyed,
        Message(TOPIC, b"placed", b"", 5, partition=3),
        Message(TOPIC, b"gone", b"", 6, tombstone=True),
    ]
    async with transactional(cluster) as producer:
        await committed(producer, cluster, messages[:90])
        await committed(producer, cluster, messages[90:])
    records = await read(kafka.settings(partitions=PARTITIONS), [TOPIC], len(messages))
    assert len(records) == len(messages)
    by_key: dict[bytes, list[Read]] = defaultdict(list)
    for record in records:
        by_key[record.key].append(record)
    for key in {message.key for message in keyed}:
        sent = [message for message in keyed if message.key == key]
        assert [(record.value, record.timestamp, tuple(record.headers)) for record in by_key[key]] == [
            (message.value, message.timestamp, message.headers) for message in sent
        ]
        assert {record.partition for record in by_key[key]} == {partition_of(key, PARTITIONS)}
    assert [(record.partition, record.value) for record in by_key[b"placed"]] == [(3, b"")]
    assert [record.value for record in by_key[b"gone"]] == [None]


@pytest.mark.kafka
async def test_a_transaction_of_which_the_broker_refuses_a_batch_is_not_committed(
    kafka: KafkaForTest,
) -> None:
    cluster = Cluster(kafka.settings(partitions=PARTITIONS))
    small, large = Message(TOPIC, b"a", b"small", 1), Message(TOPIC, b"b", b"x" * 3000, 1)
    async with transactional(cluster, **{"max.message.bytes": "2000"}) as producer:
        await committed(producer, cluster, [small])
        with pytest.raises(RefusedBatch) as raised:
            await committed(producer, cluster, [small, large])
    assert raised.value.topic == cluster.topic(TOPIC)
    assert large in raised.value.messages
    records = await read(kafka.settings(partitions=PARTITIONS), [TOPIC], 1, 20)
    assert [record.value for record in records] == [b"small"]


@pytest.mark.kafka
async def test_after_a_refusal_the_next_transaction_is_taken(kafka: KafkaForTest) -> None:
    """aiokafka counts on as if the batch had been written, and the broker would take nothing more of that producer."""
    cluster = Cluster(kafka.settings(partitions=PARTITIONS))
    small, large = Message(TOPIC, b"a", b"small", 1), Message(TOPIC, b"a", b"x" * 3000, 1)
    async with transactional(cluster, **{"max.message.bytes": "2000"}):
        writer = TransactionalProducer(lambda: cluster.producer(transactional_id=cluster.topic("two")))

        async def write(messages: Sequence[Message]) -> None:
            async def write_all(producer: AIOKafkaProducer) -> None:
                await wait_acknowledged(await submit_messages(producer, cluster, messages))

            await writer.transact(write_all)

        await write([small])
        with pytest.raises(RefusedBatch):
            await write([large])
        await write([small])
        await writer.close()
    records = await read(kafka.settings(partitions=PARTITIONS), [TOPIC], 2, 20)
    assert [record.value for record in records] == [b"small", b"small"]


@pytest.mark.kafka
async def test_a_producer_that_was_fenced_is_not_made_anew(kafka: KafkaForTest) -> None:
    cluster = Cluster(kafka.settings(partitions=PARTITIONS))

    async def write(producer: AIOKafkaProducer) -> None:
        await wait_acknowledged(await submit_messages(producer, cluster, [Message(TOPIC, b"a", b"x", 1)]))

    def make() -> AIOKafkaProducer:
        return cluster.producer(transactional_id=cluster.topic("three"))

    async with transactional(cluster):
        replaced, successor = TransactionalProducer(make), TransactionalProducer(make)
        await replaced.transact(write)
        await successor.transact(write)
        for _ in range(2):
            with pytest.raises(module.FENCED_ERRORS):
                await replaced.transact(write)
        await successor.transact(write)
        lost = TransactionalProducer(make, may_renew=lambda: False)
        with pytest.raises(NotWritten):
            await lost.transact(write)
        await asyncio.gather(replaced.close(), successor.close(), lost.close())
    assert len(await read(kafka.settings(partitions=PARTITIONS), [TOPIC], 4, 2)) == 3


async def test_a_broker_that_does_not_end_the_transaction_before_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without enough replicas it answers a new producer for ever that the transaction before is not done."""
    monkeypatch.setattr(module, "START_WITHIN_S", 0.01)

    class WaitsForEver:
        stopped = False

        async def start(self) -> None:
            await asyncio.Event().wait()

        async def stop(self) -> None:
            self.stopped = True

    made: list[WaitsForEver] = []

    def make() -> Any:
        made.append(WaitsForEver())
        return made[-1]

    async def write(_: AIOKafkaProducer) -> None:
        raise AssertionError("nothing can be written")

    writer = TransactionalProducer(make)
    for _ in range(2):
        with pytest.raises(NotWritten, match="are replicas missing") as caught:
            await writer.transact(write)
        assert isinstance(caught.value.error, Unreachable)
    assert [producer.stopped for producer in made] == [True, True]


async def test_what_is_on_its_way_is_bounded_and_one_larger_message_passes_alone() -> None:
    sizes, limit = BatchSizes(), module.MAX_UNACKNOWLEDGED_BYTES
    await sizes.enter(limit + 1)
    waiting = asyncio.ensure_future(sizes.enter(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    sizes.leave(limit + 1)
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(sizes.enter(limit - 1), 5)


async def test_what_is_not_acknowledged_in_time_is_told_with_its_topic() -> None:
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    batch = SentBatch(TopicPartition("wire.a.v1", 0), [Message("a", b"", b"", 0)], never)
    with pytest.raises(UnacknowledgedBatches, match=r"wire\.a\.v1"):
        await wait_acknowledged([batch], 0.01)


def test_the_client_has_an_error_for_each_code_that_the_table_tells_apart() -> None:
    assert {error.__name__ for error in module.REFUSALS} == {
        "MessageSizeTooLargeError", "RecordListTooLargeError", "InvalidTimestampError", "PolicyViolationError",
        "InvalidRecordError",
    }  # fmt: skip
    assert {error.__name__ for error in module.FORGOTTEN_IDS} == {
        "OutOfOrderSequenceNumber", "InvalidProducerIdMapping", "UnknownProducerId"
    }  # fmt: skip
    assert {error.__name__ for error in module.FENCED_ERRORS} == {
        "ProducerFenced", "InvalidProducerEpoch", "TransactionCoordinatorFenced"
    }  # fmt: skip
    assert {error.errno for error in refusals.DENIED_KINDS} == set(broker_codes("wait for that step")) - {
        19,
        20,
    }


@pytest.mark.kafka
async def test_a_raw_item_is_read_at_its_place_and_nothing_else_is(kafka: KafkaForTest) -> None:
    settings = Settings(kafka=kafka.settings(partitions=2))
    await create_topics(settings)
    await publish(settings.kafka, [item(1), item(2)])
    [first, _] = await read(settings.kafka, [RAW.name], 2)
    place = first.partition, first.offset
    assert await read_item(settings, RAW.name, *place) == first.value
    assert await read_item(settings, RAW.name, first.partition, 99) is None, "not yet, or not any more"
    assert await read_item(settings, "wire.state.feeds.v1", *place) is None
    away = Settings(kafka=Kafka(servers=f"127.0.0.1:{free_ports(1)[0]}"))
    with pytest.raises(Unreachable, match=r"wire\.items\.raw\.v1/0/0 can't be read"):
        await read_item(away, RAW.name, 0, 0)
