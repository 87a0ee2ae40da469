"""What commands do with the cluster, in synchronous calls: topics read up to their present ends, a back-fill written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, Self, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from config import Misconfigured
from config.settings import Settings
from processors.errors import Unreachable
from processors.times import to_timestamp
from streams.kafka.backfill_gate import GroupLag
from streams.kafka.cluster import POLL_MS, Cluster, read_until, wait_for_broker
from streams.kafka.inbox import as_record
from streams.kafka.producer import send_message
from streams.kafka.topics import check_topics
from streams.messages import Message, Record
from streams.raw_items import MAX_SCANNED_RECORDS
from streams.retry import GROUP
from streams.topology import BACKFILL, RAW_TOPICS, STEPS

# How far a poller's clock may be ahead of the broker's: beyond it, a record of the asked time is passed over; more slack
# reads that much more before the time.
CLOCK_SLACK_MS: Final = 3_600_000
# How far a poller's clock may be ahead of the broker's where one item is sought: beyond it, that one is not found.
SCAN_SLACK_MS: Final = 60_000
READ_ITEM_S: Final = 5.0  # for one record; a desk's reader waits for no longer
log = structlog.get_logger("wiredesk.kafka")
T = TypeVar("T")
TimedRecords = list[tuple[Record, int | None]]


class Session:
    """Runs calls to the cluster for a command, on an event loop of its own. Use it in a ``with`` block.

    Whatever is run raises `Unreachable` where the broker does not answer.
    """

    def __init__(self, cluster: Cluster) -> None:
        """Wait for the broker; Misconfigured where it refuses us."""
        self.cluster = cluster
        self._runner = asyncio.Runner()
        self._marks: Mapping[TopicPartition, int] | None = None
        self.run(wait_for_broker(cluster))

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._runner.close()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a call to its end, and return its result."""
        try:
            return self._runner.run(call)
        except (KafkaError, OSError) as error:
            servers = self.cluster.settings.servers
            raise Unreachable(f"Kafka at {servers}: {type(error).__name__}: {error}") from error

    def records(self, topics: Sequence[str], since: int | None = None) -> Iterator[Record]:
        """Yield the records of topics (the topology's names), each partition in its order.

        `since` (milliseconds) leaves out what the broker wrote over an hour before, in so far as it knows.
        """
        for record, _ in self.timed_records(topics, since):
            yield record

    def timed_records(
        self, topics: Sequence[str], since: int | None = None
    ) -> Iterator[tuple[Record, int | None]]:
        """The same, each with when the broker took it (ms)."""
        stream = _read_batches(self.cluster, topics, since)
        try:
            while (batch := self.run(_next_of(stream))) is not None:
                yield from batch
        finally:
            self._runner.run(stream.aclose())

    def waiting_for(self, record: Record) -> Sequence[str]:
        """The steps that have not committed a record; sinks and webhooks are groups of their own, and are not asked."""
        if self._marks is None:
            self._marks = self.run(_committed_offsets(self.cluster))
        if self._marks is None:
            return []
        place = TopicPartition(self.cluster.topic(record.topic), record.partition)
        names = [step.name for step in STEPS if record.topic in {topic.name for topic in step.reads}]
        return names if self._marks.get(place, 0) <= record.offset else []

    def find_uri(self, identifier: str) -> str | None:  # noqa: ARG002 -- the protocol's signature
        """None: the records tell."""
        return None

    def follow(self, topic: str, *, from_start: bool) -> Iterator[Record]:
        """Yield the committed records of a topic as they come, for ever; nothing is committed for it."""
        stream = _follow_topic(self.cluster, topic, from_start=from_start)
        try:
            while (batch := self.run(_next_of(stream))) is not None:
                for record, _ in batch:
                    yield record
        finally:
            self._runner.run(stream.aclose())

    def has_topic(self, topic: str) -> bool:
        """Whether a topic exists."""
        return bool(self.run(_existing_partitions(self.cluster, [topic])))

    def record(self, topic: str, partition: int, offset: int) -> Record | None:
        """Return one record; None where there is none."""
        return self.run(_read_one(self.cluster, topic, partition, offset))


class BackfillTopic:
    """The back-fill's topic (`streams.backfill.Archive`). Raises `Unreachable` where the broker goes away."""

    def __init__(self, settings: Settings) -> None:
        """Wait for the broker, and look whether the topics are there.

        Raises:
            Misconfigured: topics are missing, or the broker refuses us.
        """
        self.limit = settings.kafka.max_message_bytes
        self._session = Session(Cluster(settings.kafka))
        self._lag = GroupLag(self._session.cluster, [BACKFILL.name])
        self._stack = AsyncExitStack()
        self._producer = self._session.run(self._open(settings))

    def append(self, messages: Sequence[Message]) -> None:
        """Return when all replicas have the messages."""
        self._session.run(self._append(messages))

    def waiting(self) -> int:
        """How many records of the topic the workers have not taken."""
        return self._session.run(self._count_waiting())

    def close(self) -> None:
        """Close the connections."""
        self._session.run(self._stack.aclose())
        self._session.close()

    async def _open(self, settings: Settings) -> AIOKafkaProducer:
        await check_topics(settings, {BACKFILL.name})
        self._stack.push_async_callback(self._lag.close)
        producer: AIOKafkaProducer = await self._stack.enter_async_context(
            self._session.cluster.producer(linger_ms=20)
        )
        return producer

    async def _append(self, messages: Sequence[Message]) -> None:
        cluster = self._session.cluster
        sent = [await send_message(self._producer, cluster, message) for message in messages]
        await asyncio.gather(*sent)

    async def _count_waiting(self) -> int:
        """Ask until a coordinator answers: a new broker makes its first one when it is asked for it."""
        for delay in GROUP.delays():
            try:
                return await self._lag.count_records()
            except KafkaError as error:
                if not error.retriable:
                    raise
                await self._lag.close()
            await asyncio.sleep(delay)
        return await self._lag.count_records()


async def _next_of(stream: AsyncIterator[TimedRecords]) -> TimedRecords | None:
    return await anext(stream, None)


async def _committed_offsets(cluster: Cluster) -> dict[TopicPartition, int] | None:
    """The next offset of the workers' group in each partition; None where no group has been on the broker yet."""
    try:
        async with cluster.connected_admin() as admin:
            committed = await admin.list_consumer_group_offsets(cluster.group)
    except GroupCoordinatorNotAvailableError:
        return None
    return {place: mark.offset for place, mark in committed.items()}


async def _read_batches(cluster: Cluster, topics: Sequence[str], since: int | None) -> Any:
    if not (partitions := await _existing_partitions(cluster, topics)):
        return
    async with cluster.consumer(auto_offset_reset="earliest", reader="command") as consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await _seek(consumer, partitions, since)
        async for records in read_until(consumer, ends):
            end = ends[TopicPartition(records[0].topic, records[0].partition)]
            yield [
                (as_record(record, cluster.topology_name), record.timestamp)
                for record in records
                if record.offset < end
            ]


async def _follow_topic(cluster: Cluster, topic: str, *, from_start: bool) -> Any:
    if not (partitions := await _existing_partitions(cluster, [topic])):
        raise Misconfigured(f"{cluster.topic(topic)} is not on the broker: wiredesk topics create")
    async with cluster.consumer(auto_offset_reset="earliest", reader="command") as consumer:
        consumer.assign(partitions)
        await (consumer.seek_to_beginning if from_start else consumer.seek_to_end)(*partitions)
        while True:
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                yield [(as_record(record, cluster.topology_name), record.timestamp) for record in records]


async def _existing_partitions(cluster: Cluster, topics: Sequence[str]) -> list[TopicPartition]:
    """The partitions of those of the topics that exist."""
    async with cluster.connected_admin() as admin:
        existing = set(await admin.list_topics())
        names = [name for name in map(cluster.topic, topics) if name in existing]
        described = await admin.describe_topics(names) if names else []
    return sorted(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    )


async def _seek(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], since: int | None) -> None:
    await consumer.seek_to_beginning(*partitions)
    if since is None:
        return
    offsets = await consumer.offsets_for_times(dict.fromkeys(partitions, max(since - CLOCK_SLACK_MS, 0)))
    firsts = await consumer.beginning_offsets(partitions)
    for partition, mark in offsets.items():
        if mark and 0 < mark.offset == firsts[partition] and mark.timestamp > since:
            log.warning(
                "the log begins later than was asked: what is older was deleted",
                topic=partition.topic, partition=partition.partition, begins=to_timestamp(mark.timestamp),
            )  # fmt: skip
        if mark is None:
            await consumer.seek_to_end(partition)
        else:
            consumer.seek(partition, mark.offset)


async def _read_one(cluster: Cluster, topic: str, number: int, offset: int) -> Record | None:
    partition = TopicPartition(cluster.topic(topic), number)
    if partition not in await _existing_partitions(cluster, [topic]):
        return None
    async with cluster.consumer(auto_offset_reset="earliest", max_poll_records=1) as consumer:
        consumer.assign([partition])
        first = (await consumer.beginning_offsets([partition]))[partition]
        if not first <= offset < (await consumer.end_offsets([partition]))[partition]:
            return None
        consumer.seek(partition, offset)
        while await consumer.position(partition) <= offset:
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in records:
                    return as_record(record, cluster.topology_name) if record.offset == offset else None
    return None


async def read_item(settings: Settings, topic: str, partition: int, offset: int) -> bytes | None:
    """A raw item of the broker, as JSON; None where it is not kept any more. `topic` is the topology's name.

    Raises:
        Transient: the broker does not answer, or does not let us read.
    """
    if topic not in RAW_TOPICS:
        return None
    cluster = Cluster(settings.kafka)
    place = TopicPartition(cluster.topic(topic), partition)
    try:
        async with asyncio.timeout(READ_ITEM_S), cluster.consumer(reader="desk") as consumer:
            consumer.assign([place])
            first, end = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
            if not first[place] <= offset < end[place]:
                return None
            consumer.seek(place, offset)
            polled = await consumer.getmany(place, timeout_ms=int(READ_ITEM_S * 1000), max_records=1)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unreachable(
            f"{topic}/{partition}/{offset} can't be read: {str(error) or 'Kafka does not answer'}"
        ) from error
    records = polled.get(place, [])
    return records[0].value if records and records[0].offset == offset else None


async def scan_items(settings: Settings, since_ms: int, mark: bytes, limit: int) -> list[bytes]:
    """Raw items that were written from a time on and have some bytes in them, oldest first in each partition.

    Of each partition the first `MAX_SCANNED_RECORDS` are looked through, as far as they are read in time.

    Raises:
        Transient: the broker does not answer, or does not let us read.
    """
    cluster = Cluster(settings.kafka)
    items: list[bytes] = []
    try:
        partitions = await _existing_partitions(cluster, sorted(RAW_TOPICS))
        async with asyncio.timeout(READ_ITEM_S), cluster.consumer(reader="desk") as consumer:
            begins = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms - SCAN_SLACK_MS))
            ends = await consumer.end_offsets(partitions)
            for place, begin in begins.items():
                if begin is None:
                    continue
                end = min(ends[place], begin.offset + MAX_SCANNED_RECORDS)
                consumer.assign([place])
                consumer.seek(place, begin.offset)
                while await consumer.position(place) < end and len(items) < limit:
                    polled = await consumer.getmany(place, timeout_ms=POLL_MS)
                    items += [
                        r.value for r in polled.get(place, []) if r.offset < end and mark in (r.value or b"")
                    ]
    except (KafkaError, OSError, TimeoutError) as error:
        if not items:
            raise Unreachable(f"raw items can't be read: {str(error) or 'Kafka does not answer'}") from error
    return items[:limit]
