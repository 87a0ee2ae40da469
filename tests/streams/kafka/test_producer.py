"""What a transaction writes: every message at its key's partition, in order, or no transaction at all."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

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
    submit_messages,
    wait_acknowledged,
)
from streams.kafka.topics import wait_for_topics
from streams.messages import Message
from tests.conftest import KafkaForTest
from tests.servers.fleet import Read, read

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
