"""The driver of webhooks on Kafka: each target is a consumer group of its own on the topic of its route."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from config.settings import Settings
from sinks.metrics import DEAD_LETTERS
from sinks.routes.router import route_topic
from streams.kafka.cluster import PATIENT_POLL_INTERVAL_MS, Cluster
from streams.kafka.inbox import as_record
from streams.kafka.producer import send_message
from streams.kafka.service import serve_health
from streams.kafka.topics import wait_until_ready
from streams.messages import Message, Record
from streams.topology import WEBHOOKS
from streams.webhooks.courier import STEP_NAME, Courier, PartitionKey
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target

# The wait for new stories: longer delays commits of what is finished, shorter asks the broker more often.
WAIT_MS: Final = 500
log = structlog.get_logger("wiredesk.webhooks")


async def deliver_stories(settings: Settings, targets: Sequence[Target], stop: asyncio.Event) -> None:
    """Deliver to all targets until `stop`.

    Raises:
        Misconfigured: topics are missing.
        KafkaError: the broker refuses; start again from what is committed.
    """
    cluster = Cluster(settings.kafka)
    if not await wait_until_ready(settings, stop):
        return
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serve_health(settings.health, {}))
        producer = await stack.enter_async_context(cluster.producer())
        async with asyncio.TaskGroup() as group:
            for target in targets:
                group.create_task(_deliver_to(settings, cluster, target, producer, stop))
    log.info("webhooks stopped", targets=len(targets))


async def _deliver_to(
    settings: Settings, cluster: Cluster, target: Target, producer: AIOKafkaProducer, stop: asyncio.Event
) -> None:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(TargetClient(target, settings.webhooks))
        source = TopicSource(cluster, target, producer)
        courier = Courier(target.name, client.deliver, source, settings.webhooks.concurrency)
        await source.start(courier)
        stack.push_async_callback(source.close)
        log.info("webhook started", webhook=target.name, route=target.route)
        await courier.run(stop)


class TopicSource(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """A target's topics (`streams.webhooks.courier.StorySource`)."""

    def __init__(self, cluster: Cluster, target: Target, producer: AIOKafkaProducer) -> None:
        """The producer writes dead letters."""
        self._cluster, self._producer = cluster, producer
        self._topics = [cluster.topic(name) for name in (route_topic(target.route), WEBHOOKS.name)]
        self._consumer = cluster.group_consumer(
            cluster.group_of(f"webhook-{target.name}"),
            auto_offset_reset="earliest",
            max_poll_interval_ms=PATIENT_POLL_INTERVAL_MS,
        )
        self._courier: Courier | None = None

    async def start(self, courier: Courier) -> None:
        """Join the group; a new target begins with what comes from now on."""
        self._courier = courier
        await self._consumer.start()
        self._consumer.subscribe(self._topics, listener=self)

    async def close(self) -> None:
        """Leave the group."""
        await self._consumer.stop()

    async def fetch(self, limit: int) -> Sequence[Record]:
        """The next stories, after a moment's wait where there are none."""
        polled = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=limit)
        return [
            as_record(record, self._cluster.topology_name)
            for records in polled.values()
            for record in records
        ]

    async def commit(self, offsets: Mapping[PartitionKey, int], letters: Sequence[Message]) -> None:
        """Write the dead letters, then commit: a crash between the two writes them again."""
        for letter in letters:
            await (await send_message(self._producer, self._cluster, letter))
            DEAD_LETTERS.labels(STEP_NAME, (letter.header("x-error-type") or b"").decode()).inc()
        next_offsets = {
            TopicPartition(self._cluster.topic(topic), number): offset
            for (topic, number), offset in offsets.items()
        }
        try:
            await self._consumer.commit(next_offsets)
        except (CommitFailedError, IllegalStateError):
            log.info("the partitions were given to another process, which delivers the same again")

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Deliver nothing more of what goes to another process."""
        if self._courier:
            keys = [(self._cluster.topology_name(place.topic), place.partition) for place in revoked]
            await self._courier.drop_partitions(keys)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Begin a target that never committed at the ends of its topics, and commit those."""
        committed = [await self._consumer.committed(place) for place in assigned]
        if not assigned or any(offset is not None for offset in committed):
            return
        ends = await self._consumer.end_offsets(list(assigned))
        for place, offset in ends.items():
            self._consumer.seek(place, offset)
        await self._consumer.commit(ends)
