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
from streams.embedded.outlets import rejected_message, result_messages
from streams.kafka import producer as outgoing
from streams.kafka.cluster import Cluster, read_until
from streams.kafka.topics import FEEDS
from streams.messages import Message, raw_message
from streams.pollers.feed import Feed
from streams.pollers.fetch import host_of
from streams.pollers.ports import PollResult
from streams.pollers.state import unpack_header
from streams.topology import RAW

TRANSACTION_MS: Final = 60_000  # of the broker's patience with an open transaction
AWAY: Final = (KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError, NotEnoughReplicasError)
MOST: Final = 200  # results of one transaction
log = structlog.get_logger("wiredesk.poll")


def partition_of(feed: Feed, number: int) -> int:
    """Which of `number` partitions a feed's state lies in: that of its host, by Kafka's own hash of keys."""
    return outgoing.partition_of(host_of(feed.url).encode(), number)


class PartitionLedger:
    """The ledger of some partitions (`streams.pollers.ports.FeedLedger`)."""

    def __init__(
        self, cluster: Cluster, partitions: frozenset[int], number: int, feeds: Sequence[Feed]
    ) -> None:
        """The partitions that are ours, of `number`, and the feeds that lie in them."""
        self._cluster, self._partitions, self._number = cluster, partitions, number
        self.feeds = feeds
        self.known: dict[str, bytes] = {}
        self._of = {feed.id: partition_of(feed, number) for feed in feeds}
        self._left: dict[str, list[int]] = {}  # partitions where a feed's state lay before its host changed
        self._books: dict[int, Book] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Fence who wrote these partitions before; KafkaError where the broker refuses."""
        used = sorted(set(self._of.values()))
        try:
            books = [Book(self._cluster, partition) for partition in used]
            for book in books:
                self._stack.push_async_callback(book.close)
            await asyncio.gather(*(book.start() for book in books))
        except BaseException:
            await self._stack.aclose()
            raise
        self._books = dict(zip(used, books, strict=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def load(self) -> Mapping[str, bytes]:
        """The last settled state of our feeds.

        Where a feed is unknown in its own partition the others are read as well: its host, or the number of
        partitions, may have changed. What is left elsewhere goes when the feed is settled: it would be stale if the
        host came back.
        """
        began = time.monotonic()
        found = await _read_places(self._cluster, self._partitions)
        if any((feed.id, self._of[feed.id]) not in found for feed in self.feeds):
            found |= await _read_places(self._cluster, set(range(self._number)) - self._partitions)
        newest = _newest(found)
        self.known = {feed.id: newest[feed.id] for feed in self.feeds if feed.id in newest}
        self._left = {}
        for feed, partition in found:
            if self._of.get(feed, partition) != partition:
                self._left.setdefault(feed, []).append(partition)
        seconds = round(time.monotonic() - began, 2)
        log.info("state restored", feeds=len(self.known), of=len(self.feeds), seconds=seconds)
        return self.known

    async def commit(self, result: PollResult) -> None:
        """Return once all of a result is committed."""
        state = Message(FEEDS, result.feed.encode(), result.state, 0, ())
        book = self._books[self._of[result.feed]]
        items = [fitting(item, self._cluster) for item in result.items]
        gone = [
            replace(state, value=b"", tombstone=True, partition=n) for n in self._left.get(result.feed, ())
        ]
        await book.enter([*items, *result_messages(replace(result, items=())), state, *gone])
        self._left.pop(result.feed, None)
        self.known[result.feed] = result.state


class Book:
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
        """End; what was open is aborted."""
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._producer.stop()

    async def enter(self, messages: Sequence[Message]) -> None:
        """Return once all of the messages are committed.

        Raises:
            Unreachable: none of them was.
            KafkaError: another poller has this partition now.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((messages, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            error: Exception | None = None
            try:
                await self._transaction([each for messages, _ in batch for each in messages])
            except AWAY as away:
                error = Unreachable(f"Kafka at {self._cluster.settings.servers}: {away}")
            except Exception as lost:  # noqa: BLE001 -- handed to those who wait
                error = lost
            for _, written in batch:
                if written.done():
                    continue
                if error:
                    written.set_exception(error)
                else:
                    written.set_result(None)

    async def _transaction(self, messages: Sequence[Message]) -> None:
        async with self._producer.transaction():
            await _send_all(self._producer, self._cluster, messages, self._partition)


async def read_states(cluster: Cluster, partitions: Iterable[int]) -> dict[str, bytes]:
    """The last committed state of every feed in some partitions of the state topic."""
    return _newest(await _read_places(cluster, partitions))


def _newest(found: Mapping[tuple[str, int], bytes]) -> dict[str, bytes]:
    """Of each feed the state that was polled last, wherever it lies."""
    states: dict[str, bytes] = {}
    for (feed, _), state in found.items():
        if feed not in states or unpack_header(state).polled > unpack_header(states[feed]).polled:
            states[feed] = state
    return states


async def _read_places(cluster: Cluster, partitions: Iterable[int]) -> dict[tuple[str, int], bytes]:
    """The last committed state of every feed in each of some partitions."""
    places = [TopicPartition(cluster.topic(FEEDS), partition) for partition in partitions]
    found: dict[tuple[str, int], bytes] = {}
    if not places:
        return found
    async with cluster.consumer(auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        async for records in read_until(consumer, ends):
            for each in records:
                found[(each.key or b"").decode("utf-8", "replace"), each.partition] = each.value or b""
    return {place: state for place, state in found.items() if state}


class TopicOutlet:
    """The raw topic, for what comes from no feed (`streams.pollers.ports.RawItemOutlet`)."""

    def __init__(self, cluster: Cluster, producer: AIOKafkaProducer) -> None:
        """The producer is started, and writes once (idempotent)."""
        self._cluster, self._producer = cluster, producer

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once all replicas have the items."""
        await self._send([fitting(item, self._cluster) for item in items])

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


def fitting(item: RawItem, cluster: Cluster) -> Message:
    """The message of an item; where the broker would refuse it for its size, the dead letter of one without bytes."""
    made, limit = raw_message(item, RAW.name), cluster.settings.max_message_bytes
    if len(made.value) <= limit:
        return made
    size = f"{len(item.payload)} bytes, more than fit kafka.max_message_bytes ({limit})"
    return rejected_message(structs.replace(item, payload=b""), TooLarge(size))


async def _send_all(
    producer: AIOKafkaProducer, cluster: Cluster, messages: Sequence[Message], partition: int | None = None
) -> None:
    """Send, and return once all are acknowledged; `partition` is that of the state."""
    sent = [
        await outgoing.send(producer, cluster, each, partition if each.topic == FEEDS else None)
        for each in messages
    ]
    await asyncio.gather(*sent)
