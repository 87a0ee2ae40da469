"""The state of a fleet as its groups' offsets tell it, for the desk: how far each step, sink and webhook is behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.settings import Settings
from processors.errors import Unreachable
from sinks.routes.router import route_topic
from streams.kafka.cluster import Cluster
from streams.retry import GROUP
from streams.routing import load_rules
from streams.sinks import sink_steps
from streams.topology import ROUTE, STEPS, WEBHOOKS
from streams.webhooks.targets import Target, load_targets

# For all that is asked of the broker for one look. Shorter fails on a slow line; longer keeps a page waiting for a broker
# that is away.
LOOK_TIMEOUT_S: Final = 8.0
FRESH_S: Final = 5.0  # that a look is shown to all who ask: shorter asks the broker for each open page
READ_MS: Final = (
    1000  # for the oldest records that wait: longer holds up the page, shorter leaves their age unknown
)


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """How far a group is behind on its topics. `offset` is the sum of its offsets, `seconds` the age of the oldest record."""

    consumer: str
    records: int
    seconds: float
    offset: int
    lost: int = 0


class FleetState:
    """Asks the broker about the groups of steps, routes, sinks and webhooks (`sinks.desk.ports.PipelineState`)."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is asked yet.

        Raises:
            Misconfigured: routes or webhooks can't be read.
        """
        self._cluster = Cluster(settings.kafka)
        self.rules = load_rules(settings)
        self.targets: tuple[Target, ...] = load_targets(settings, self.rules)
        self._lock = asyncio.Lock()
        self._standings: dict[str, GroupStanding] = {}
        self._until = 0.0

    async def lags(self) -> Sequence[GroupStanding]:
        """How far each step and sink is behind, in the order of the pipeline.

        Raises:
            Unreachable: the broker does not answer.
        """
        await self._look()
        return [one for name, one in self._standings.items() if not name.startswith("webhook-")]

    async def dead_letters(self) -> int | None:
        """Not known: to count them is to read them all."""
        return None

    async def count_waiting(self) -> Mapping[str, int]:
        """How many stories wait for each webhook."""
        await self._look()
        return {target.name: self._standings[f"webhook-{target.name}"].records for target in self.targets}

    async def check_broker(self) -> None:
        """Return where the broker answers.

        Raises:
            Unreachable: it does not.
        """
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S), self._cluster.connected_admin():
                return
        except (KafkaError, OSError) as error:
            raise self._unreachable(error) from error

    async def _look(self) -> None:
        async with self._lock:
            if time.monotonic() < self._until:
                return
            try:
                async with (
                    asyncio.timeout(LOOK_TIMEOUT_S),
                    self._cluster.connected_admin() as admin,
                    self._cluster.consumer(auto_offset_reset="earliest", reader="desk") as consumer,
                ):
                    self._standings = await self._ask(admin, consumer)
            except (KafkaError, OSError) as error:
                raise self._unreachable(error) from error
            self._until = time.monotonic() + FRESH_S

    def _groups(self) -> Iterable[tuple[str, str, list[str]]]:
        """Name, group and topics of all that read."""
        cluster = self._cluster
        for step in STEPS:
            yield step.name, cluster.group, [cluster.topic(topic.name) for topic in step.reads]
        if self.rules:
            yield ROUTE.name, cluster.group_of("routes"), [cluster.topic(topic.name) for topic in ROUTE.reads]
        for sink in sink_steps("kafka"):
            yield sink.name, cluster.group_of(sink.name), [cluster.topic(topic.name) for topic in sink.reads]
        for target in self.targets:
            name = f"webhook-{target.name}"
            topics = (route_topic(target.route), WEBHOOKS.name)
            yield name, cluster.group_of(name), [cluster.topic(topic) for topic in topics]

    async def _ask(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> dict[str, GroupStanding]:
        """Of all topics at once: each question about ends waits for metadata."""
        groups = list(self._groups())
        existing = set(await admin.list_topics())
        topics = sorted({topic for _, _, read in groups for topic in read if topic in existing})
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in (await admin.describe_topics(topics) if topics else ())
            for partition in topic["partitions"]
        ]
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        standings = {}
        for name, group, read in groups:
            own = [place for place in partitions if place.topic in read]
            marks = await _read_offsets(admin, group, own) if own else {}
            places = {
                place: max(marks[place].offset if place in marks else 0, starts[place]) for place in own
            }
            behind = {place: offset for place, offset in places.items() if offset < ends[place]}
            records, oldest = await _count_behind(consumer, behind, ends)
            age = max(0.0, time.time() - oldest / 1000) if oldest is not None else 0.0
            standings[name] = GroupStanding(name, records, age, sum(places.values()))
        return standings

    def _unreachable(self, error: Exception) -> Unreachable:
        reason = str(error) or type(error).__name__
        return Unreachable(f"Kafka at {self._cluster.settings.servers}: {reason}")


async def _read_offsets(
    admin: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """The offsets of a group; a new broker makes its first coordinator when it is asked for it."""
    for delay in GROUP.delays():
        try:
            return await admin.list_consumer_group_offsets(group, partitions=partitions)  # type: ignore[no-any-return]
        except KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(delay)
    return await admin.list_consumer_group_offsets(group, partitions=partitions)  # type: ignore[no-any-return]


async def _count_behind(
    consumer: AIOKafkaConsumer, behind: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> tuple[int, int | None]:
    """How many records wait behind these places, and when the oldest was written (ms).

    Where only the marks of transactions stand, nothing waits: they are read over.
    """
    if not behind:
        return 0, None
    consumer.assign(list(behind))
    for place, offset in behind.items():
        consumer.seek(place, offset)
    oldest: int | None = None
    first: dict[TopicPartition, int] = {}
    for place, records in (await consumer.getmany(timeout_ms=READ_MS)).items():
        first[place] = records[0].offset
        oldest = records[0].timestamp if oldest is None else min(oldest, records[0].timestamp)
    waiting = 0
    for place in behind:
        start = first[place] if place in first else await consumer.position(place)
        waiting += max(0, ends[place] - start)
    return waiting, oldest
