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

from streams.kafka.cluster import HEADROOM_BYTES, Cluster
from streams.messages import Message

# Keys whose hashes are kept: those of all feeds, languages and the latest chains. Fewer, and the hash, which is pure
# Python, is computed again for most messages; more only takes memory.
CACHED_KEYS: Final = 16_384

SentFuture = asyncio.Future[Any]


async def submit_messages(
    producer: AIOKafkaProducer, cluster: Cluster, messages: Iterable[Message]
) -> Sequence[SentFuture]:
    """Hand messages to a producer, within a transaction, and return the futures of their batches.

    They must be awaited before the commit: aiokafka commits a transaction of which the broker has refused a batch
    (too large, not allowed) as if nothing were missing.

    Raises:
        KafkaError: the producer is fenced, or has no room in time.
    """
    placed = await _by_partition(producer, cluster, messages)
    writing = [_write(producer, partition, messages) for partition, messages in placed.items()]
    return [future for futures in await asyncio.gather(*writing) for future in futures]


async def send_message(
    producer: AIOKafkaProducer, cluster: Cluster, message: Message, partition: int | None = None
) -> SentFuture:
    """Hand one message to a producer, and return the future of its acknowledgement.

    Many of a transaction are quicker by `submit_messages`. `partition` counts where the message names none. A time of 0 is left to the broker.
    """
    sent: SentFuture = await producer.send(
        cluster.topic(message.topic),
        None if message.tombstone else message.value,
        key=message.key,
        partition=partition if message.partition is None else message.partition,
        timestamp_ms=message.timestamp or None,
        headers=list(message.headers),
    )
    return sent


def fits_topic(message: Message, limit: int) -> bool:
    """Whether a topic takes a message: its value has at most `limit` bytes, and its key at most half of the headroom.

    Dead letters always do: their topics take the largest record of the topic before, and our headers.
    """
    if message.topic.endswith(".dlq"):
        return True
    return len(message.value) <= limit and len(message.key) <= HEADROOM_BYTES // 2


def partition_of(key: bytes, count: int) -> int:
    """Which of `count` partitions a key belongs to, by the hash of Kafka's own clients."""
    return _hash(key) % count


async def _by_partition(
    producer: AIOKafkaProducer, cluster: Cluster, messages: Iterable[Message]
) -> Mapping[TopicPartition, list[Message]]:
    counts: dict[str, int] = {}
    placed: dict[TopicPartition, list[Message]] = defaultdict(list)
    for message in messages:
        topic = cluster.topic(message.topic)
        if topic not in counts:
            counts[topic] = len(await producer.partitions_for(topic))
        partition = message.partition
        if partition is None:
            partition = partition_of(message.key, counts[topic])
        placed[TopicPartition(topic, partition)].append(message)
    return placed


async def _write(
    producer: AIOKafkaProducer, partition: TopicPartition, messages: Sequence[Message]
) -> list[SentFuture]:
    """Write the messages of a partition; a batch is accepted when the one before it is on its way."""
    sent: list[SentFuture] = []
    batch = producer.create_batch()
    for message in messages:
        fields = {
            "timestamp": message.timestamp,
            "key": message.key,
            "value": message.value or (None if message.tombstone else b""),
            "headers": list(message.headers),
        }
        if batch.append(**fields) is None:
            sent.append(await producer.send_batch(batch, partition.topic, partition=partition.partition))
            batch = producer.create_batch()
            batch.append(**fields)
    batch.close()
    sent.append(await producer.send_batch(batch, partition.topic, partition=partition.partition))
    return sent


@lru_cache(CACHED_KEYS)
def _hash(key: bytes) -> int:
    hashed: int = murmur2(key)
    return hashed & 0x7FFFFFFF
