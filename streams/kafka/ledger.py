"""What pollers know of feeds, in a compacted topic, written with the items in one transaction a partition.

Each partition has a transactional id of its own, whoever writes it. So starting its producer fences the poller that
had the partition before: what that one left open is aborted, and it can write nothing more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    RequestTimedOutError,
)
from msgspec import structs

from processors.errors import Rejected, TooLarge, Unreachable
from processors.model.event import RawItem
from streams.kafka.cluster import Cluster, read_until
from streams.kafka.producer import partition_of, send_message
from streams.messages import Message, raw_message, rejected_message
from streams.pollers.feed import Feed
from streams.pollers.fetch import host_of
from streams.pollers.ports import PollResult
from streams.pollers.state import unpack_header
from streams.topology import FEED_STATES, RAW

TRANSACTION_MS: Final = 60_000  # the broker aborts a transaction that is open for longer
BROKER_AWAY: Final = (KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError, NotEnoughReplicasError)
# Results of one transaction. With more, all of them wait longer for their commit; with few, each costs a transaction of
# its own, and a partition falls behind.
MAX_RESULTS: Final = 200
log = structlog.get_logger("wiredesk.poll")


def feed_partition(feed: Feed, count: int) -> int:
    """Which of `count` partitions a feed's state lies in: that of its host, by Kafka's own hash of keys."""
    return partition_of(host_of(feed.url).encode(), count)


class PartitionLedger:
    """The ledger of some partitions (`streams.pollers.ports.FeedLedger`)."""

    def __init__(
        self, cluster: Cluster, partitions: frozenset[int], partition_count: int, feeds: Sequence[Feed]
    ) -> None:
        """`partitions` are ours, of `partition_count`; `feeds` are those that lie in them."""
        self._cluster, self._partitions, self._partition_count = cluster, partitions, partition_count
        self.feeds = feeds
        self.states: dict[str, bytes] = {}
        self._homes = {feed.id: feed_partition(feed, partition_count) for feed in feeds}
        self._former: dict[str, list[int]] = {}  # partitions where a feed's state lay before its host changed
        self._writers: dict[int, PartitionWriter] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Fence whoever wrote these partitions before. Raises KafkaError where the broker refuses."""
        used = sorted(set(self._homes.values()))
        try:
            writers = [PartitionWriter(self._cluster, partition) for partition in used]
            for writer in writers:
                self._stack.push_async_callback(writer.close)
            await asyncio.gather(*(writer.start() for writer in writers))
        except BaseException:
            await self._stack.aclose()
            raise
        self._writers = dict(zip(used, writers, strict=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def load(self) -> Mapping[str, bytes]:
        """The last committed state of our feeds.

        Where a feed is unknown in its own partition the others are read as well: its host, or the number of
        partitions, may have changed. What is left elsewhere is deleted with the next commit of the feed: it would be stale if
        the host came back.
        """
        began = time.monotonic()
        stored = await _read_partitions(self._cluster, self._partitions)
        if any((feed.id, self._homes[feed.id]) not in stored for feed in self.feeds):
            others = set(range(self._partition_count)) - self._partitions
            stored |= await _read_partitions(self._cluster, others)
        newest = _newest_states(stored)
        self.states = {feed.id: newest[feed.id] for feed in self.feeds if feed.id in newest}
        self._former = {}
        for feed, partition in stored:
            if self._homes.get(feed, partition) != partition:
                self._former.setdefault(feed, []).append(partition)
        seconds = round(time.monotonic() - began, 2)
        log.info("state restored", feeds=len(self.states), of=len(self.feeds), seconds=seconds)
        return self.states

    async def commit(self, result: PollResult) -> None:
        """Return once all of a result is committed."""
        state = Message(FEED_STATES.name, result.feed.encode(), result.state, 0, ())
        items = [item_message(item, self._cluster) for item in result.items]
        tombstones = [
            replace(state, value=b"", tombstone=True, partition=partition)
            for partition in self._former.get(result.feed, ())
        ]
        others = replace(result, items=()).messages()
        await self._writers[self._homes[result.feed]].write([*items, *others, state, *tombstones])
        self._former.pop(result.feed, None)
        self.states[result.feed] = result.state


class PartitionWriter:
    """The transactions of one partition, one at a time; what waits meanwhile goes into the next."""

    def __init__(self, cluster: Cluster, partition: int) -> None:
        """Nothing is connected yet."""
        self._cluster, self._partition = cluster, partition
        self._producer = cluster.producer(
            transactional_id=cluster.transactional_id("poll", str(partition)),
            transaction_timeout_ms=TRANSACTION_MS,
        )
        self._waiting: deque[tuple[Sequence[Message], asyncio.Future[None]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fence whoever wrote this partition before."""
        await self._producer.start()

    async def close(self) -> None:
        """End the producer; the broker aborts what it had open."""
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._producer.stop()

    async def write(self, messages: Sequence[Message]) -> None:
        """Return once all of the messages are committed.

        Raises:
            Unreachable: none of them was.
            KafkaError: another poller has this partition now.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((messages, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MAX_RESULTS, len(self._waiting)))]
            error = await self._try_transaction([message for messages, _ in batch for message in messages])
            for _, written in batch:
                if written.done():
                    continue
                if error:
                    written.set_exception(error)
                else:
                    written.set_result(None)

    async def _try_transaction(self, messages: Sequence[Message]) -> Exception | None:
        try:
            async with self._producer.transaction():
                await _send_all(self._producer, self._cluster, messages, self._partition)
        except BROKER_AWAY as error:
            return Unreachable(f"Kafka at {self._cluster.settings.servers}: {error}")
        except Exception as error:  # noqa: BLE001 -- handed to those who wait
            return error
        return None


async def read_states(cluster: Cluster, partitions: Iterable[int]) -> dict[str, bytes]:
    """The last committed state of every feed in some partitions of the state topic."""
    return _newest_states(await _read_partitions(cluster, partitions))


def _newest_states(stored: Mapping[tuple[str, int], bytes]) -> dict[str, bytes]:
    """The state of each feed that was polled last, whichever partition it lies in."""
    states: dict[str, bytes] = {}
    for (feed, _), state in stored.items():
        if feed not in states or unpack_header(state).polled > unpack_header(states[feed]).polled:
            states[feed] = state
    return states


async def _read_partitions(cluster: Cluster, numbers: Iterable[int]) -> dict[tuple[str, int], bytes]:
    """The last committed state of every feed in each of some partitions, by feed and partition."""
    partitions = [TopicPartition(cluster.topic(FEED_STATES.name), number) for number in numbers]
    stored: dict[tuple[str, int], bytes] = {}
    if not partitions:
        return stored
    async with cluster.consumer(auto_offset_reset="earliest", reader="poll") as consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for records in read_until(consumer, ends):
            for record in records:
                feed = (record.key or b"").decode("utf-8", "replace")
                stored[feed, record.partition] = record.value or b""
    return {key: state for key, state in stored.items() if state}


class TopicOutlet:
    """The raw topic, for what comes from no feed (`streams.pollers.ports.RawItemOutlet`)."""

    def __init__(self, cluster: Cluster, producer: AIOKafkaProducer) -> None:
        """The producer is started, and writes once (idempotent)."""
        self._cluster, self._producer = cluster, producer

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once all replicas have the items."""
        await self._send([item_message(item, self._cluster) for item in items])

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write the dead letter of a document that could not be read."""
        await self._send([rejected_message(item, error)])

    async def _send(self, messages: Sequence[Message]) -> None:
        try:
            await _send_all(self._producer, self._cluster, messages)
        except MessageSizeTooLargeError:
            raise
        except KafkaError as error:
            raise Unreachable(f"Kafka at {self._cluster.settings.servers}: {error}") from error


def item_message(item: RawItem, cluster: Cluster) -> Message:
    """The message of an item; where the broker would refuse it for its size, the dead letter of one without bytes."""
    message, limit = raw_message(item, RAW.name), cluster.settings.max_message_bytes
    if len(message.value) <= limit:
        return message
    size = f"{len(item.payload)} bytes, more than fit kafka.max_message_bytes ({limit})"
    return rejected_message(structs.replace(item, payload=b""), TooLarge(size))


async def _send_all(
    producer: AIOKafkaProducer, cluster: Cluster, messages: Sequence[Message], partition: int | None = None
) -> None:
    """Send messages, and return once all are acknowledged. `partition` is that of the feeds' states."""
    sent = [
        await send_message(
            producer, cluster, message, partition if message.topic == FEED_STATES.name else None
        )
        for message in messages
    ]
    await asyncio.gather(*sent)
