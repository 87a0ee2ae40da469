"""The pollers' side of Kafka: where raw items go, and what is remembered of each feed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from config.settings import Settings
from processors.errors import Rejected, TooLarge, Transient
from processors.event import RawItem
from streams.kafka.cluster import Cluster, wait_for
from streams.kafka.health import healthy
from streams.kafka.topics import FEEDS
from streams.kafka.worker import check, or_stopped
from streams.messages import Message, Record, dead_letter, raw_message
from streams.outlets import gap_message
from streams.pollers import poll
from streams.pollers.feeds import load
from streams.topology import RAW


async def poll_feeds(settings: Settings, stop: asyncio.Event) -> None:
    """Poll the feeds of the settings into the raw topic until `stop`.

    Raises:
        Misconfigured: no such feeds file, topics are missing.
        Transient: the broker took nothing more until the stop.
    """
    feeds = load(settings.poll.feeds)
    cluster = Cluster(settings.kafka)
    await or_stopped(wait_for(cluster), stop)
    if stop.is_set():
        return
    await check(settings)
    async with cluster.producer(linger_ms=5) as producer, healthy(settings.health, {}):
        outlet = TopicOutlet(cluster, producer)
        store = TopicStore(cluster, producer)
        await poll(feeds, settings.poll, outlet, store, stop, on_gap=outlet.gap)


class TopicOutlet:
    """The raw topic (`streams.pollers.ports.Outlet`)."""

    def __init__(self, cluster: Cluster, producer: AIOKafkaProducer) -> None:
        """The producer is started, and writes once (idempotent)."""
        self._cluster, self._producer = cluster, producer

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once all replicas have the items; what the broker would refuse for its size is a dead letter."""
        limit = self._cluster.settings.max_message_bytes
        fitting: list[Message] = []
        for item in items:
            made = raw_message(item, RAW.name)
            if len(made.value) <= limit:
                fitting.append(made)
            else:
                size = f"{len(item.payload)} bytes, more than fit kafka.max_message_bytes ({limit})"
                await self.reject(item, TooLarge(size))
        await self._send(fitting)

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write the dead letter of a document that could not be read; it never had an offset, so -1."""
        made = raw_message(item, RAW.name)
        value = made.value if len(made.value) <= self._cluster.settings.max_message_bytes else b""
        record = Record(RAW.name, 0, -1, made.key, value, made.timestamp, made.headers)
        await self._send([dead_letter(record, "poll", error)])

    async def gap(self, feed: str, at: str) -> None:
        """Write that stories of a feed may have been missed."""
        await self._send([gap_message(feed, at)])

    async def _send(self, messages: Sequence[Message]) -> None:
        try:
            sent = [
                await self._producer.send(
                    self._cluster.topic(each.topic),
                    each.value,
                    key=each.key,
                    timestamp_ms=each.timestamp,
                    headers=list(each.headers),
                )
                for each in messages
            ]
            await asyncio.gather(*sent)
        except MessageSizeTooLargeError:
            raise
        except KafkaError as error:
            raise Transient(f"Kafka at {self._cluster.settings.servers}: {error}") from error


class TopicStore:
    """A compacted topic (`streams.pollers.ports.StateStore`)."""

    def __init__(self, cluster: Cluster, producer: AIOKafkaProducer) -> None:
        """The producer is started."""
        self._cluster, self._producer = cluster, producer

    async def load(self) -> Mapping[str, bytes]:
        """The last saved state of every feed."""
        found: dict[str, bytes] = {}
        place = TopicPartition(self._cluster.topic(FEEDS), 0)
        async with self._cluster.consumer(auto_offset_reset="earliest") as consumer:
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            await consumer.seek_to_beginning(place)
            while await consumer.position(place) < end:
                for polled in (await consumer.getmany(timeout_ms=200)).values():
                    found |= {
                        (each.key or b"").decode("utf-8", "replace"): each.value or b"" for each in polled
                    }
        return found

    async def save(self, feed: str, state: bytes) -> None:
        """Return once all replicas have the state."""
        try:
            await self._producer.send_and_wait(
                self._cluster.topic(FEEDS), state, key=feed.encode(), partition=0
            )
        except KafkaError as error:
            raise Transient(f"Kafka at {self._cluster.settings.servers}: {error}") from error
