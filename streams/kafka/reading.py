"""Topics read from a time on up to their ends of this moment, for commands: a synchronous stream of records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any, Final, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processors.errors import Unreachable
from streams.kafka.cluster import POLL_MS, Cluster, read_until, wait_for
from streams.kafka.inbox import as_record
from streams.messages import Record

SLACK_MS: Final = 3_600_000  # how far a poller's clock may be ahead of the broker's
T = TypeVar("T")


class Session:
    """A loop of a command's own, and the cluster that it asks. Use it in a ``with`` block.

    Whatever is run raises `Unreachable` where the broker does not answer.
    """

    def __init__(self, cluster: Cluster) -> None:
        """Wait for the broker; Misconfigured where it refuses us."""
        self.cluster = cluster
        self._runner = asyncio.Runner()
        self.run(wait_for(cluster))

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._runner.close()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a call to its end."""
        try:
            return self._runner.run(call)
        except (KafkaError, OSError) as error:
            servers = self.cluster.settings.servers
            raise Unreachable(f"Kafka at {servers}: {type(error).__name__}: {error}") from error

    def records(self, topics: Sequence[str], since: int | None = None) -> Iterator[Record]:
        """The records of topics (the topology's names), each partition in its order.

        `since` (milliseconds) leaves out what the broker wrote over an hour before, in so far as it knows.
        """
        stream = _batches(self.cluster, topics, since)
        try:
            while (batch := self.run(_next(stream))) is not None:
                yield from batch
        finally:
            self._runner.run(stream.aclose())

    def has(self, topic: str) -> bool:
        """Whether a topic is there."""
        return bool(self.run(_places(self.cluster, [topic])))

    def record(self, topic: str, partition: int, offset: int) -> Record | None:
        """One record; None where there is none."""
        return self.run(_one(self.cluster, topic, partition, offset))


async def _next(stream: AsyncIterator[list[Record]]) -> list[Record] | None:
    return await anext(stream, None)


async def _batches(cluster: Cluster, topics: Sequence[str], since: int | None) -> Any:
    if not (places := await _places(cluster, topics)):
        return
    async with cluster.consumer(auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await _seek(consumer, places, since)
        async for records in read_until(consumer, ends):
            end = ends[TopicPartition(records[0].topic, records[0].partition)]
            yield [as_record(each, cluster.name) for each in records if each.offset < end]


async def _places(cluster: Cluster, topics: Sequence[str]) -> list[TopicPartition]:
    """The partitions of those topics that are there."""
    admin = cluster.admin()
    await admin.start()
    try:
        there = set(await admin.list_topics())
        names = [name for name in map(cluster.topic, topics) if name in there]
        described = await admin.describe_topics(names) if names else []
    finally:
        await admin.close()
    return sorted(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    )


async def _seek(consumer: AIOKafkaConsumer, places: list[TopicPartition], since: int | None) -> None:
    await consumer.seek_to_beginning(*places)
    if since is None:
        return
    found = await consumer.offsets_for_times(dict.fromkeys(places, max(since - SLACK_MS, 0)))
    for place, told in found.items():
        if told is None:
            await consumer.seek_to_end(place)
        else:
            consumer.seek(place, told.offset)


async def _one(cluster: Cluster, topic: str, partition: int, offset: int) -> Record | None:
    place = TopicPartition(cluster.topic(topic), partition)
    if place not in await _places(cluster, [topic]):
        return None
    async with cluster.consumer(auto_offset_reset="earliest", max_poll_records=1) as consumer:
        consumer.assign([place])
        first = (await consumer.beginning_offsets([place]))[place]
        if not first <= offset < (await consumer.end_offsets([place]))[place]:
            return None
        consumer.seek(place, offset)
        while await consumer.position(place) <= offset:
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for each in records:
                    return as_record(each, cluster.name) if each.offset == offset else None
    return None
