"""What pollers know of feeds, in a compacted topic, written with the items in one transaction a partition.

Each partition has a transactional id of its own, whoever writes it. So starting its producer fences the poller that
had the partition before: what that one left open is aborted, and it can write nothing more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from msgspec import structs

from processors.errors import Rejected, TooLarge, Transient, Unreachable
from processors.model.event import RawItem
from streams.kafka.cluster import Cluster, read_until
from streams.kafka.feed_deltas import DELTA_SUFFIX, apply_delta, is_worth_saving, pack_delta
from streams.kafka.producer import (
    TRANSACTION_MS,
    BatchSizes,
    NotWritten,
    RefusedBatch,
    TransactionalProducer,
    UnacknowledgedBatches,
    partition_of,
    submit_messages,
    wait_acknowledged,
)
from streams.kafka.publisher import Publisher, replace_refused
from streams.kafka.refusals import explain_denial, explain_silence, message_limit, set_aside_error
from streams.messages import Message, raw_message, rejected_message
from streams.pollers.feed import Feed
from streams.pollers.fetch import host_of
from streams.pollers.ports import PollResult
from streams.pollers.state import unpack_header
from streams.topology import FEED_STATES, RAW

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
        self,
        cluster: Cluster,
        partitions: frozenset[int],
        partition_count: int,
        feeds: Sequence[Feed],
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        """`partitions` are ours, of `partition_count`, while `is_ours` says so; `feeds` are those that lie in them."""
        self._is_ours = is_ours
        self._cluster, self._partitions, self._partition_count = cluster, partitions, partition_count
        self.feeds = feeds
        self.states: dict[str, bytes] = {}
        self._saved: dict[str, FeedRecord] = {}  # as they are written in our partitions
        self._homes = {feed.id: feed_partition(feed, partition_count) for feed in feeds}
        self._former: dict[str, list[int]] = {}  # partitions where a feed's state lay before its host changed
        self._writers: dict[int, PartitionWriter] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Fence whoever wrote these partitions before. Raises KafkaError where the broker refuses."""
        used = sorted(set(self._homes.values()))
        try:
            writers = [PartitionWriter(self._cluster, partition, self._is_ours) for partition in used]
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

    async def use_feeds(self, feeds: Sequence[Feed]) -> Mapping[str, bytes]:
        """Keep the states of these from now on, and return them.

        Raises:
            KafkaError: the broker refuses.
        """
        homes = {feed.id: feed_partition(feed, self._partition_count) for feed in feeds}
        for partition in sorted(set(homes.values()) - self._writers.keys()):
            writer = PartitionWriter(self._cluster, partition, self._is_ours)
            self._stack.push_async_callback(writer.close)
            await writer.start()
            self._writers[partition] = writer
        self.feeds, self._homes = (
            feeds,
            {**self._homes, **homes},
        )  # of one that is gone a poll may be under way
        if any(feed.id not in self.states for feed in feeds):
            ours = dict(self.states)
            await self.load()
            self.states |= ours
        return self.states

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
        self._saved = {
            feed.id: stored[feed.id, self._homes[feed.id]]
            for feed in self.feeds
            if (feed.id, self._homes[feed.id]) in stored
        }
        self.states = {feed.id: newest[feed.id] for feed in self.feeds if feed.id in newest}
        self._former = {}
        for feed, partition in stored:
            if self._homes.get(feed, partition) != partition:
                self._former.setdefault(feed, []).append(partition)
        seconds = round(time.monotonic() - began, 2)
        log.info("state restored", feeds=len(self.states), of=len(self.feeds), seconds=seconds)
        return self.states

    async def commit(self, result: PollResult) -> None:
        """Return once all of a result is committed; one after which only clocks differ is not written for some hours."""
        others = replace(result, items=()).messages()
        former, saved = self._former.get(result.feed, ()), self._saved.get(result.feed)
        if result.items or others or former or saved is None or is_worth_saving(saved.state, result.state):
            items = [item_message(item, self._cluster) for item in result.items]
            state, written = _state_message(result, saved)
            tombstones = [
                replace(state, key=key, value=b"", tombstone=True, partition=partition)
                for partition in former
                for key in (result.feed.encode(), result.feed.encode() + DELTA_SUFFIX)
            ]
            await self._writers[self._homes[result.feed]].write([*items, *others, state, *tombstones])
            self._former.pop(result.feed, None)
            self._saved[result.feed] = written
        self.states[result.feed] = result.state


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """What a partition holds of a feed: its last state, and the last one that was written whole."""

    state: bytes
    whole: bytes


def _state_message(result: PollResult, saved: FeedRecord | None) -> tuple[Message, FeedRecord]:
    """The message of a state, whole or as a difference, and what the partition holds with it."""
    delta = pack_delta(saved.whole, result.state) if saved else None
    message = Message(FEED_STATES.name, result.feed.encode(), result.state, 0, ())
    if saved is None or delta is None:
        return message, FeedRecord(result.state, result.state)
    return replace(message, key=message.key + DELTA_SUFFIX, value=delta), FeedRecord(
        result.state, saved.whole
    )


class PartitionWriter:
    """The transactions of one partition, one at a time; what waits meanwhile goes into the next."""

    def __init__(self, cluster: Cluster, partition: int, is_ours: Callable[[], bool] = lambda: True) -> None:
        """Nothing is connected yet. `is_ours` says whether the group still knows us, once the producer was made anew."""
        self._cluster, self._partition = cluster, partition
        identity = cluster.transactional_id("poll", str(partition))
        self._producer = TransactionalProducer(
            lambda: cluster.producer(transactional_id=identity, transaction_timeout_ms=TRANSACTION_MS),
            is_ours,
        )
        self._sizes = BatchSizes()
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
        await self._producer.close()

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
        """Write messages; those that the broker will never take are left out, and what can be told of them is written."""
        left = [self._place(message) for message in messages]

        async def write(producer: AIOKafkaProducer) -> None:
            await wait_acknowledged(await submit_messages(producer, self._cluster, left, self._sizes))

        while True:
            try:
                await self._producer.transact(write)
            except RefusedBatch as refused:
                left = await self._without(refused, left)
            except Transient as error:
                return Unreachable(f"Kafka at {self._cluster.settings.servers}: {await self._explain(error)}")
            except Exception as error:  # noqa: BLE001 -- handed to those who wait
                return error
            else:
                return None

    def _place(self, message: Message) -> Message:
        is_state = message.topic == FEED_STATES.name and message.partition is None
        return replace(message, partition=self._partition) if is_state else message

    async def _without(self, refused: RefusedBatch, messages: Sequence[Message]) -> list[Message]:
        """The messages for the next try: in smaller batches, or with something in the place of the one that is refused."""
        limit = await message_limit(self._cluster, refused.topic)
        if len(refused.messages) > 1:
            self._sizes.shrink(refused, limit)
            return list(messages)
        self._sizes.restore(refused.topic, limit)
        [culprit] = refused.messages
        error = set_aside_error(refused, limit)
        if culprit.topic == FEED_STATES.name:
            log.error("what is known of a feed is not saved", feed=culprit.key.decode(), reason=str(error))
            return [message for message in messages if message is not culprit]
        log.warning("an item is set aside", topic=refused.topic, reason=str(error))
        return [
            replace_refused(message, error, refused.error) if message is culprit else message
            for message in messages
        ]

    async def _explain(self, error: Transient) -> str:
        if isinstance(error, NotWritten):
            return explain_denial(error.error, self._cluster.settings, "Write") or str(error)
        if isinstance(error, UnacknowledgedBatches):
            return await explain_silence(self._cluster, error.batches)
        return str(error)


async def read_states(cluster: Cluster, partitions: Iterable[int]) -> dict[str, bytes]:
    """The last committed state of every feed in some partitions of the state topic."""
    return _newest_states(await _read_partitions(cluster, partitions))


def _newest_states(stored: Mapping[tuple[str, int], FeedRecord]) -> dict[str, bytes]:
    """The state of each feed that was polled last, whichever partition it lies in."""
    states: dict[str, bytes] = {}
    for (feed, _), record in stored.items():
        if feed not in states or unpack_header(record.state).polled > unpack_header(states[feed]).polled:
            states[feed] = record.state
    return states


async def _read_partitions(cluster: Cluster, numbers: Iterable[int]) -> dict[tuple[str, int], FeedRecord]:
    """What each of some partitions holds of every feed, by feed and partition."""
    partitions = [TopicPartition(cluster.topic(FEED_STATES.name), number) for number in numbers]
    stored: dict[tuple[bytes, int], bytes] = {}
    if not partitions:
        return {}
    async with cluster.consumer(auto_offset_reset="earliest", reader="poll") as consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for records in read_until(consumer, ends):
            for record in records:
                stored[record.key or b"", record.partition] = record.value or b""
    held: dict[tuple[str, int], FeedRecord] = {}
    for (key, partition), whole in stored.items():
        if whole and not key.endswith(DELTA_SUFFIX):
            delta = stored.get((key + DELTA_SUFFIX, partition), b"")
            state = apply_delta(whole, delta) if delta else None
            held[key.decode("utf-8", "replace"), partition] = FeedRecord(state or whole, whole)
    return held


class TopicOutlet:
    """The raw topic, for what comes from no feed (`streams.pollers.ports.RawItemOutlet`)."""

    def __init__(self, cluster: Cluster, publisher: Publisher) -> None:
        """The publisher is connected."""
        self._cluster, self._publisher = cluster, publisher

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once all replicas have the items."""
        await self._publisher.publish([item_message(item, self._cluster) for item in items])

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write the dead letter of a document that could not be read."""
        await self._publisher.publish([rejected_message(item, error)])


def item_message(item: RawItem, cluster: Cluster) -> Message:
    """The message of an item; where the broker would refuse it for its size, the dead letter of one without bytes."""
    message, limit = raw_message(item, RAW.name), cluster.settings.max_message_bytes
    if len(message.value) <= limit:
        return message
    size = f"{len(item.payload)} bytes, more than fit kafka.max_message_bytes ({limit})"
    return rejected_message(structs.replace(item, payload=b""), TooLarge(size))
