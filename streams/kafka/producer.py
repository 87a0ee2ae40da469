"""Messages on their way to the broker: those of a transaction as whole batches, each to its partition in their order.

aiokafka's `send` costs more than everything else that the runtime does for a record: a look at the topic's metadata, a
coroutine and a future each. A batch has these once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import murmur2

from streams.kafka.cluster import HEADROOM, Cluster
from streams.kafka.topics import ATTEMPTS
from streams.messages import Message

KEYS: Final = 16_384  # whose hashes are kept: those of feeds, languages and the latest chains

Sent = asyncio.Future[Any]


async def submit(producer: AIOKafkaProducer, cluster: Cluster, messages: Iterable[Message]) -> Sequence[Sent]:
    """Hand messages to a producer, within a transaction; the futures of their batches.

    They must be awaited before the commit: aiokafka commits a transaction of which the broker has refused a batch
    (too large, not allowed) as if nothing were missing.

    Raises:
        KafkaError: the producer is fenced, or has no room in time.
    """
    placed = await _placed(producer, cluster, messages)
    written = await asyncio.gather(*(_write(producer, *each) for each in placed.items()))
    return [future for futures in written for future in futures]


async def send(
    producer: AIOKafkaProducer, cluster: Cluster, message: Message, partition: int | None = None
) -> Sent:
    """Hand one message to a producer; the future of its acknowledgement. Of many in a transaction see `submit`.

    `partition` counts where the message tells none. A time of 0 is left to the broker.
    """
    sent: Sent = await producer.send(
        cluster.topic(message.topic),
        None if message.tombstone else message.value,
        key=message.key,
        partition=partition if message.partition is None else message.partition,
        timestamp_ms=message.timestamp or None,
        headers=list(message.headers),
    )
    return sent


def fits(message: Message, limit: int) -> bool:
    """Whether a topic takes a message: its value has at most `limit` bytes, and what is beside it the headroom.

    Dead letters always do: their topics take the largest record of the topic before, and our headers.
    """
    if message.topic.endswith(".dlq"):
        return True
    return len(message.value) <= limit and len(message.key) <= HEADROOM // 2


def partition_of(key: bytes, number: int) -> int:
    """Which of `number` partitions a key belongs to, by the hash of Kafka's own clients."""
    return _hash(key) % number


async def _placed(
    producer: AIOKafkaProducer, cluster: Cluster, messages: Iterable[Message]
) -> Mapping[TopicPartition, list[Message]]:
    numbers: dict[str, int] = {}
    placed: dict[TopicPartition, list[Message]] = defaultdict(list)
    for each in messages:
        if each.topic not in numbers:
            numbers[each.topic] = len(await producer.partitions_for(cluster.topic(each.topic)))
        partition = each.partition
        if partition is None:
            partition = partition_of(each.key, numbers[each.topic])
        placed[TopicPartition(cluster.topic(each.topic), partition)].append(each)
    return placed


async def _write(
    producer: AIOKafkaProducer, place: TopicPartition, messages: Sequence[Message]
) -> list[Sent]:
    """Write the messages of a partition; a batch is accepted when the one before it is on its way."""
    sent: list[Sent] = []
    batch = producer.create_batch()
    for each in messages:
        value = each.value or (None if each.tombstone or each.topic == ATTEMPTS else b"")
        told = {"timestamp": each.timestamp, "key": each.key, "value": value, "headers": list(each.headers)}
        if batch.append(**told) is None:
            sent.append(await producer.send_batch(batch, place.topic, partition=place.partition))
            batch = producer.create_batch()
            batch.append(**told)
    batch.close()
    sent.append(await producer.send_batch(batch, place.topic, partition=place.partition))
    return sent


@lru_cache(KEYS)
def _hash(key: bytes) -> int:
    hashed: int = murmur2(key)
    return hashed & 0x7FFFFFFF
