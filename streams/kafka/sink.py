"""The way from the topics into an index: read what is committed, write it in bulk, then commit the offsets.

A crash between the two writes the same stories again, which the index takes as what they are: the same versions. An
index that is down is waited for in place: the partitions stay ours, nothing more is fetched, and the lag tells.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from config.settings import Settings
from processors.errors import Rejected, Transient
from processors.model.codec import decode
from processors.model.event import Event
from sinks.metrics import DEAD_LETTERS, END_TO_END_SECONDS, LAG_RECORDS, RETRIES
from streams.kafka.cluster import Cluster, or_stopped
from streams.kafka.faust_internals import is_in_its_group
from streams.kafka.health import healthy
from streams.kafka.inbox import as_record
from streams.kafka.producer import send
from streams.kafka.topics import ready
from streams.kafka.worker import FIGURES_S
from streams.messages import Record, dead_letter, milliseconds
from streams.retry import INDEX
from streams.topology import SINK_READS

POLL_INTERVAL_MS: Final = 24 * 3_600_000  # an index may be down for long; we keep our partitions
log = structlog.get_logger("wiredesk.sink")

Read = tuple[Record, Event | Rejected]


class Index(Protocol):
    """Where events go."""

    async def write(self, events: Sequence[Event]) -> list[Rejected | None]:
        """Store events; for each what it was refused for. Raises `Transient` where the index is down."""

    def forget(self) -> None:
        """Trust nothing remembered of the index: another sink has written what we go on with."""


class Sink:
    """Feeds one index."""

    def __init__(self, name: str, index: Index, settings: Settings) -> None:
        """`name` is the sink's consumer group and its label in the figures."""
        self.name = name
        self._index, self._settings = index, settings
        self._cluster = Cluster(settings.kafka)
        self._reader: AIOKafkaConsumer | None = None
        self._in_hand = 0  # records that are read and not yet in the index
        self.waiting: str | None = None  # why it waits, for the health page

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`, finishing what is in hand."""
        if not await ready(self._settings, stop):
            return
        async with AsyncExitStack() as stack:
            consumer: AIOKafkaConsumer = await stack.enter_async_context(self._consumer())
            self._reader = consumer
            producer = await stack.enter_async_context(self._cluster.producer())
            await stack.enter_async_context(healthy(self._settings.health, {self.name: self._ready}))
            figures = asyncio.ensure_future(self._figures(consumer))
            stack.callback(figures.cancel)
            log.info("sink started", sink=self.name)
            assigned: frozenset[TopicPartition] = frozenset()
            while not stop.is_set():
                flush_ms = int(self._settings.elasticsearch.flush_s * 1000)
                polled = await consumer.getmany(timeout_ms=flush_ms)
                records = [record for each in polled.values() for record in each]
                self._in_hand = len(records)
                if consumer.assignment() != assigned:
                    assigned = consumer.assignment()
                    self._index.forget()
                if records and not await self._settle(records, producer, stop):
                    break
                if records:
                    await self._commit(consumer, records)
                self._in_hand = 0
        log.info("sink stopped", sink=self.name)

    def _consumer(self) -> AIOKafkaConsumer:
        return self._cluster.member(
            f"{self._cluster.group}-{self.name}",
            *(self._cluster.topic(topic.name) for topic in SINK_READS),
            partition_assignment_strategy=[StickyPartitionAssignor],
            auto_offset_reset="earliest",
            max_poll_records=self._settings.elasticsearch.batch,
            max_poll_interval_ms=POLL_INTERVAL_MS,
        )

    async def _settle(
        self,
        records: Sequence[ConsumerRecord[bytes | None, bytes | None]],
        producer: AIOKafkaProducer,
        stop: asyncio.Event,
    ) -> bool:
        """Write records and their dead letters; False where the end came before the index answered."""
        read = await asyncio.to_thread(self._decoded, records)
        sound = [(record, event) for record, event in read if isinstance(event, Event)]
        refused = await self._written([event for _, event in sound], stop)
        if refused is None:
            return False
        letters = [(record, error) for record, error in read if isinstance(error, Rejected)]
        letters += [
            (record, error) for (record, _), error in zip(sound, refused, strict=True) if error is not None
        ]
        for record, error in letters:
            await self._set_aside(producer, record, error)
        now = time.time()
        for _, event in sound:
            if event.provenance:
                received = milliseconds(event.provenance.received) / 1000
                END_TO_END_SECONDS.labels(self.name).observe(max(0.0, now - received))
        return True

    def _decoded(self, records: Sequence[ConsumerRecord[bytes | None, bytes | None]]) -> list[Read]:
        made: list[Read] = []
        for each in records:
            record = as_record(each, self._cluster.name)
            try:
                made.append((record, decode(record.value, Event)))
            except Rejected as error:
                made.append((record, error))
        return made

    async def _written(self, events: Sequence[Event], stop: asyncio.Event) -> list[Rejected | None] | None:
        """Write, waiting in place for an index that is down; None where the end came first."""
        if not events:
            return []
        for delay in INDEX.delays():
            try:
                refused = await self._index.write(events)
            except Transient as error:
                if str(error) != self.waiting:
                    log.warning("waiting for the index", sink=self.name, reason=str(error))
                self.waiting = str(error)
                RETRIES.labels(self.name).inc()
                await or_stopped(asyncio.sleep(delay), stop)
                if stop.is_set():
                    return None
            else:
                if self.waiting:
                    log.info("the index is there", sink=self.name)
                self.waiting = None
                return refused
        raise AssertionError("delays are endless")

    async def _set_aside(self, producer: AIOKafkaProducer, record: Record, error: Rejected) -> None:
        letter = dead_letter(record, self.name, error)
        DEAD_LETTERS.labels(self.name, error.type).inc()
        await (await send(producer, self._cluster, letter))

    async def _commit(
        self, consumer: AIOKafkaConsumer, records: Sequence[ConsumerRecord[bytes | None, bytes | None]]
    ) -> None:
        offsets = {TopicPartition(each.topic, each.partition): each.offset + 1 for each in records}
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            log.info("the partitions were given to another sink, which writes the same again", sink=self.name)

    async def _figures(self, consumer: AIOKafkaConsumer) -> None:
        """Tell the lag for ever, and above all while the index is down and nothing is fetched."""
        while True:
            await asyncio.sleep(FIGURES_S)
            with suppress(KafkaError, IllegalStateError):  # it is down, or the partitions have just changed
                places = consumer.assignment()
                ends = await consumer.end_offsets(places) if places else {}
                lag = sum([max(0, end - await consumer.position(place)) for place, end in ends.items()])
                LAG_RECORDS.labels(self.name).set(lag + self._in_hand)

    async def _ready(self) -> str | None:
        if self._reader and not is_in_its_group(self._reader):
            return "Kafka does not answer"
        return self.waiting
