"""Messages on their way to the broker: those of a transaction as whole batches, each to its partition in their order.

aiokafka's `send` costs more than everything else that the runtime does for a record: a look at the topic's metadata, a
coroutine and a future each. A batch has these once.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    InvalidTransactionTimeout,
    KafkaError,
    ProducerFenced,
    kafka_errors,
)
from aiokafka.partitioner import murmur2

from config import Misconfigured
from config.store_settings import MEBIBYTE_BYTES, Kafka
from processors.errors import Transient, Unreachable
from processors.times import HOUR_MS, to_milliseconds
from sinks.answers import Reaction, broker_codes
from sinks.routes.router import route_topic
from streams.kafka.cluster import HEADROOM_BYTES, Cluster
from streams.kafka.faust_internals import drop_producer, transaction_failure
from streams.messages import PUBLISHED_HEADER, Message
from streams.topology import SINK_READS

# Keys whose hashes are kept: those of all feeds, languages and the latest chains. Fewer, and the hash, which is pure
# Python, is computed again for most messages; more only takes memory.
CACHED_KEYS: Final = 16_384

# Bytes of batches that the broker has not acknowledged. aiokafka puts a batch of each partition into one request, and a
# broker closes the connection on one over its socket.request.max.bytes (100 MiB by default); less slows down large stories.
MAX_UNACKNOWLEDGED_BYTES: Final = 64 * MEBIBYTE_BYTES
# The broker aborts a transaction that is open for longer. Ours take milliseconds, as they begin when all messages are
# there; with less, a slow broker's answer ends the worker; with more, readers wait longer behind a worker that died, and
# a broker whose transaction.max.timeout.ms is below refuses the producer.
TRANSACTION_MS: Final = 10_000
# For the acknowledgement of all that a transaction wrote. Less gives up on a slow broker; with more the broker aborts the
# transaction first (`TRANSACTION_MS`), which looks as if another worker had our name.
ACKNOWLEDGED_WITHIN_S: Final = 8.0
START_WITHIN_S: Final = (
    20.0  # a producer waits for its predecessor's transaction; longer holds up the step's log line
)
CLOSE_WITHIN_S: Final = 3.0  # a producer whose broker takes nothing is given up; longer delays the next one
_OUTPUTS: Final = frozenset(topic.name for topic in SINK_READS)
_ROUTE_PREFIX: Final = route_topic("").removesuffix(".v1")
RECORD_OVERHEAD_BYTES: Final = 96  # at most, of a record's own fields and its batch's


def _errors_of(reaction: Reaction) -> tuple[type[KafkaError], ...]:
    """The errors of the client for what the table of answers says about the broker's codes."""
    return tuple(kafka_errors[code] for code in sorted(broker_codes(reaction)) if code in kafka_errors)


# What a broker says of a message that it will never take. A batch of several is tried again in parts.
REFUSALS: Final = _errors_of("set aside")
# The broker forgets ids that were idle for its transactional.id.expiration.ms (a week) or producer.id.expiration.ms.
FORGOTTEN_IDS: Final = _errors_of("renew the producer")
FENCED_ERRORS: Final = (ProducerFenced, *_errors_of("start again"))
log = structlog.get_logger("wiredesk.kafka")

SentFuture = asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class SentBatch:
    """Messages on their way to one partition of the broker."""

    partition: TopicPartition
    messages: Sequence[Message]
    acknowledged: SentFuture


class RefusedBatch(Exception):
    """The broker will never take a batch: it is too large for its topic, or against one of the topic's rules."""

    def __init__(self, partition: TopicPartition, messages: Sequence[Message], error: KafkaError) -> None:
        """The messages of the batch, in their order."""
        super().__init__(f"{partition.topic}: {type(error).__name__}")
        self.topic, self.messages, self.error = partition.topic, messages, error


class BatchSizes:
    """How large batches are, and how many bytes are on their way: what refusals have taught of each topic."""

    def __init__(self) -> None:
        """Batches are as large as the producer makes them."""
        self._limits: dict[str, int] = {}
        self._unacknowledged = 0
        self._has_room = asyncio.Event()

    def limit(self, topic: str) -> int | None:
        """How many bytes the messages of a batch may have; None where the producer's own limit counts."""
        return self._limits.get(topic)

    def shrink(self, refused: RefusedBatch, limit: int | None) -> None:
        """Make smaller batches for a topic from now on; `limit` is its ``max.message.bytes``, where that is known."""
        half = sum(map(batch_bytes, refused.messages)) // 2
        self._limits[refused.topic] = half if limit is None else min(half, limit)

    def restore(self, topic: str, limit: int | None) -> None:
        """Make batches of a topic as large as its ``max.message.bytes`` again, where that is known."""
        self._limits[topic] = self._limits.get(topic, 1 << 62) if limit is None else limit

    async def enter(self, size: int) -> None:
        """Wait until so many bytes may be on their way; any number where nothing else is."""
        while self._unacknowledged and self._unacknowledged + size > MAX_UNACKNOWLEDGED_BYTES:
            self._has_room.clear()
            await self._has_room.wait()
        self._unacknowledged += size

    def leave(self, size: int) -> None:
        """Note that so many bytes have arrived, or never will."""
        self._unacknowledged -= size
        self._has_room.set()


class TransactionalProducer:
    """A producer of transactions, made anew where the broker has forgotten its ids or refused a batch.

    After a refusal aiokafka counts on as if the batch had been taken, and the broker takes nothing more of that producer.
    """

    def __init__(
        self, make: Callable[[], AIOKafkaProducer], may_renew: Callable[[], bool] = lambda: True
    ) -> None:
        """`make` makes a producer that is not started; `may_renew` says whether its transactional id is still ours."""
        self._make, self._may_renew = make, may_renew
        self._producer: AIOKafkaProducer | None = None
        self._fenced: KafkaError | None = None  # for good: another one has our id, and must not lose it to us

    async def start(self) -> None:
        """Fence whoever had the transactional id before.

        Raises:
            Misconfigured: the broker allows no transactions as long as ours.
            Unreachable: it has fenced the one before, but not yet ended what that one had open.
            KafkaError: it refuses us.
        """
        producer = self._make()
        try:
            await asyncio.wait_for(producer.start(), START_WITHIN_S)
        except BaseException as error:
            await close_producer(producer)
            if isinstance(error, TimeoutError):
                raise Unreachable(
                    "the transaction that was open before is neither committed nor aborted yet: are replicas missing?"
                ) from error
            if isinstance(error, InvalidTransactionTimeout):
                raise Misconfigured(
                    f"the broker allows no transactions of {TRANSACTION_MS / 1000:g} s: raise its transaction.max.timeout.ms"
                ) from error
            raise
        self._producer = producer

    async def close(self) -> None:
        """End the producer; the broker aborts what it had open."""
        producer, self._producer = self._producer, None
        if producer:
            await close_producer(producer)

    async def transact(self, write: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
        """Commit what `write` writes, once it returns; where it raises, nothing of it is written.

        Raises:
            RefusedBatch: the broker will never take a batch.
            Transient: the broker takes nothing now; the message says why.
            KafkaError: the broker left it undecided whether the transaction was committed, or another producer has our id.
        """
        try:
            await self._try_transaction(write)
        except FORGOTTEN_IDS as error:
            log.info("the broker has forgotten an idle producer, which is made anew", reason=str(error))
            await self._try_transaction(write)

    async def _try_transaction(self, write: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
        producer = await self._renewed()
        failure: BaseException | None = None
        try:
            async with producer.transaction():
                try:
                    await write(producer)
                except (KafkaError, IllegalOperation, RefusedBatch, Transient) as error:
                    failure = (
                        error
                        if isinstance(error, RefusedBatch | Transient)
                        else transaction_failure(producer, error)
                    )
                    raise
        except (KafkaError, IllegalOperation, RefusedBatch, Transient):
            if failure is None:
                raise
            await self.close()
            if isinstance(failure, FENCED_ERRORS):
                self._fenced = failure
            if isinstance(failure, KafkaError) and not isinstance(failure, (*FORGOTTEN_IDS, *FENCED_ERRORS)):
                raise NotWritten(failure) from failure
            raise cast("BaseException", failure) from None

    async def _renewed(self) -> AIOKafkaProducer:
        if self._fenced:
            raise self._fenced
        if self._producer is None:
            try:
                await self.start()
            except (KafkaError, Unreachable) as error:
                raise NotWritten(error) from error
            if (
                not self._may_renew()
            ):  # asked now: whoever comes after us fences the producer that has just started
                await self.close()
                raise NotWritten(ProducerFenced())
        assert self._producer
        return self._producer


async def submit_messages(
    producer: AIOKafkaProducer, cluster: Cluster, messages: Iterable[Message], sizes: BatchSizes | None = None
) -> Sequence[SentBatch]:
    """Hand messages to a producer, within a transaction, and return their batches.

    They must be awaited before the commit (`wait_acknowledged`): aiokafka commits a transaction of which the broker has
    refused a batch (too large, not allowed) as if nothing were missing.

    Raises:
        RefusedBatch: the broker will never take a batch.
        KafkaError: the producer is fenced, or has no room in time.
    """
    sizes = sizes or BatchSizes()
    placed = await _by_partition(producer, cluster, messages)
    writing = [
        _write(producer, partition, messages, sizes, cluster.settings)
        for partition, messages in placed.items()
    ]
    results = await asyncio.gather(*writing, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [batch for result in results if isinstance(result, list) for batch in result]


async def wait_acknowledged(batches: Sequence[SentBatch], seconds: float = ACKNOWLEDGED_WITHIN_S) -> None:
    """Return when all replicas have the batches.

    Raises:
        RefusedBatch: the broker will never take one.
        UnacknowledgedBatches: it has not taken all of them in time.
        KafkaError: what else the broker answers.
    """
    if not batches:
        return
    _, late = await asyncio.wait({batch.acknowledged for batch in batches}, timeout=seconds)
    _raise_refusal(batches)
    for batch in batches:
        if batch.acknowledged.done():
            batch.acknowledged.result()
    if late:
        raise UnacknowledgedBatches([batch for batch in batches if not batch.acknowledged.done()], seconds)


class NotWritten(Transient):
    """A transaction that is certainly not committed, because the broker refused a part of it, or is away."""

    def __init__(self, error: KafkaError | Unreachable) -> None:
        """What the broker answered, or the client said; `Unreachable` where it did not answer in time."""
        super().__init__(str(error))
        self.error = error


class UnacknowledgedBatches(Transient):
    """The broker has not taken batches in time: replicas are missing, or it closes the connection on them."""

    def __init__(self, batches: Sequence[SentBatch], seconds: float) -> None:
        """The batches that it has not taken in so many seconds."""
        self.batches = batches
        topics = sorted({batch.partition.topic for batch in batches})
        super().__init__(f"nothing written to {', '.join(topics[:3])} was acknowledged in {seconds:g} s")


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
        timestamp_ms=record_time_ms(message, cluster.settings) or None,
        headers=list(message.headers),
    )
    return sent


def batch_bytes(message: Message) -> int:
    """About how many bytes a message takes in a batch, before compression; never fewer."""
    headers = sum(len(name) + len(value) + 4 for name, value in message.headers)
    return len(message.value) + len(message.key) + headers + RECORD_OVERHEAD_BYTES


def fits_topic(message: Message, limit: int) -> bool:
    """Whether a topic takes a message: its value has at most `limit` bytes, and its key at most half of the headroom.

    Dead letters always do: their topics take the largest record of the topic before, and our headers.
    """
    if message.topic.endswith(".dlq"):
        return True
    return len(message.value) <= limit and len(message.key) <= HEADROOM_BYTES // 2


def is_read_by_others(topic: str) -> bool:
    """Whether a topic is for readers who are not ours: where the pipeline ends, and routes."""
    return topic in _OUTPUTS or topic.startswith(_ROUTE_PREFIX)


def record_time_ms(message: Message, settings: Kafka, now: int | None = None) -> int:
    """The timestamp that a record asks for; the broker takes its own for all topics but those that others read.

    A time to come would be refused by the broker, one that is over by retention deleted before it is read. So a time that
    the operator has chosen (``kafka.record_time``) is held between now and half the retention before.
    """
    if settings.record_time == "written" or not is_read_by_others(message.topic):
        return message.timestamp
    told = message.header(PUBLISHED_HEADER) if settings.record_time == "published" else None
    wanted = to_milliseconds(told.decode()) if told else message.timestamp
    now = time.time_ns() // 1_000_000 if now is None else now
    return min(max(wanted, now - settings.retention_hours * HOUR_MS // 2), now)


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
    producer: AIOKafkaProducer,
    partition: TopicPartition,
    messages: Sequence[Message],
    sizes: BatchSizes,
    settings: Kafka,
) -> list[SentBatch]:
    """Write the messages of a partition; a batch is accepted when the one before it is on its way."""
    sent: list[SentBatch] = []
    held: list[Message] = []
    batch, size = producer.create_batch(), 0
    limit = sizes.limit(partition.topic) or 1 << 62
    for message in messages:
        fields = {
            "timestamp": record_time_ms(message, settings),
            "key": message.key,
            "value": message.value or (None if message.tombstone else b""),
            "headers": list(message.headers),
        }
        added = batch_bytes(message)
        if (held and size + added > limit) or batch.append(**fields) is None:
            sent.append(await _send(producer, partition, batch, held, size, sizes, sent))
            batch, held, size = producer.create_batch(), [], 0
            batch.append(**fields)
        held.append(message)
        size += added
    sent.append(await _send(producer, partition, batch, held, size, sizes, sent))
    return sent


async def _send(
    producer: AIOKafkaProducer,
    partition: TopicPartition,
    batch: Any,
    messages: Sequence[Message],
    size: int,
    sizes: BatchSizes,
    before: Sequence[SentBatch],
) -> SentBatch:
    batch.close()
    await sizes.enter(size)
    try:
        future = await producer.send_batch(batch, partition.topic, partition=partition.partition)
    except BaseException:
        sizes.leave(size)
        _raise_refusal(before)  # of which the producer says only that it takes no other batch
        raise

    def leave(done: SentFuture) -> None:
        sizes.leave(size)
        if not done.cancelled():
            done.exception()  # whoever waits for another batch never looks at this one

    future.add_done_callback(leave)
    return SentBatch(partition, messages, future)


def _raise_refusal(batches: Sequence[SentBatch]) -> None:
    for batch in batches:
        if batch.acknowledged.done() and isinstance(error := batch.acknowledged.exception(), REFUSALS):
            raise RefusedBatch(batch.partition, batch.messages, error)


async def close_producer(producer: AIOKafkaProducer) -> None:
    """End a producer; one that can't write out what it holds is given up."""
    with suppress(TimeoutError, KafkaError, OSError):
        await asyncio.wait_for(producer.stop(), CLOSE_WITHIN_S)
        return
    with suppress(TimeoutError, KafkaError, OSError):
        await asyncio.wait_for(drop_producer(producer), CLOSE_WITHIN_S)


@lru_cache(CACHED_KEYS)
def _hash(key: bytes) -> int:
    hashed: int = murmur2(key)
    return hashed & 0x7FFFFFFF
