"""What a transaction writes: every message at its key's partition, in order, or no transaction at all."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.cluster import HEADROOM_BYTES, Cluster
from streams.kafka.producer import fits_topic, partition_of, submit_messages
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
        await asyncio.gather(*await submit_messages(producer, cluster, messages))


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
        with pytest.raises(MessageSizeTooLargeError):
            await committed(producer, cluster, [small, large])
    records = await read(kafka.settings(partitions=PARTITIONS), [TOPIC], 1, 20)
    assert [record.value for record in records] == [b"small"]
