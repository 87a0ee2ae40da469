"""The driver of a sink on Kafka: read what is committed, write it in batches, then commit the offsets.

A crash between the two writes the same events again, which a sink takes as what they are: the same versions. The
position of a sink that has one is committed with the offsets, as their metadata. It holds while one process has all
partitions; a sink that several processes share may repeat what one of them wrote last.

A sink that is down is waited for in place: the partitions stay ours, nothing more is fetched, and the lag tells.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata

from config.settings import Settings
from processors.errors import PartAway, Rejected, Transient
from processors.model.event import Event
from processors.numbers import parse_int64
from processors.times import to_milliseconds
from sinks.metrics import DEAD_LETTERS, END_TO_END_SECONDS, RETRIES
from sinks.ports import Sink, WriteOutcome, WriteResult
from streams.kafka.cluster import PATIENT_POLL_INTERVAL_MS, Cluster, KafkaRecord, drop_result
from streams.kafka.faust_internals import is_in_group
from streams.kafka.gaps import begin_uncommitted
from streams.kafka.held import HeldStories, split_outcomes
from streams.kafka.inbox import as_record
from streams.kafka.publisher import Publisher
from streams.kafka.security import certificates_part
from streams.kafka.service import serve_health
from streams.kafka.topics import sink_topics, wait_until_ready, watch_topics
from streams.kafka.watchdog import ReaderStanding, StallCause, Watchdog, age_of, join_checks, member_offsets
from streams.messages import Record, dead_letter
from streams.reload import FileReloader, follow_files
from streams.retry import BROKER, INDEX, retry_until_stopped
from streams.sinks import decode_records, merge_outcomes
from streams.topology import DEAD_LETTERS as DEAD_LETTER_TOPICS
from streams.topology import SinkStep

_LETTER_TOPICS: Final = frozenset(topic.name for topic in DEAD_LETTER_TOPICS)
log = structlog.get_logger("wiredesk.sink")


class SinkRunner:
    """Feeds one sink. `waiting` says why it waits, for the health page."""

    def __init__(self, step: SinkStep, sink: Sink, settings: Settings) -> None:
        """The step's name is the end of the consumer group's name, and the label in the figures."""
        self.name = step.name
        self.waiting: str | None = None
        self._step, self._sink, self._settings = step, sink, settings
        self._cluster = Cluster(settings.kafka)
        self.group = self._cluster.group_of(step.name)
        self.topics = [self._cluster.topic(topic.name) for topic in step.reads]
        self._lock = asyncio.Lock()  # one thing is asked of the sink at a time
        self._held = HeldStories(step, sink, settings, self._lock) if step.held else None
        self._consumer: AIOKafkaConsumer | None = None
        self._in_hand: dict[TopicPartition, int] = {}  # the first record that is read and not yet written
        self._written_ms: int | None = (
            None  # when the broker took the oldest record in hand, or the last one that was
        )
        self._is_open = False
        self._has_all = (
            False  # all partitions are ours, so that a position tells how far all of them are written
        )
        self._position: int | None = None  # the committed one, while we have all partitions

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`, finishing what is in hand."""
        reloader = FileReloader([certificates_part(self._settings.kafka)])
        if not await wait_until_ready(self._settings, stop, sink_topics(self._step)):
            return
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._sink.close)
            consumer: AIOKafkaConsumer = await stack.enter_async_context(self._member())
            self._consumer = consumer
            publisher = await stack.enter_async_context(Publisher(self._cluster))
            watchdog = Watchdog(self._cluster, [self])
            checks = {
                "kafka": join_checks(watchdog.check_broker, self._check_group),
                self.name: self._ready,
                "records": watchdog.check,
            }
            await stack.enter_async_context(serve_health(self._settings.health, checks))
            watching = asyncio.gather(watchdog.run(), watch_topics(self._settings, sink_topics(self._step)))
            watching.add_done_callback(drop_result)
            stack.callback(watching.cancel)
            await stack.enter_async_context(follow_files(reloader, stop))
            log.info("sink started", sink=self.name)
            with suppress(Transient):  # the end came while it was waited for
                await self._follow_both(consumer, publisher, stop)
        log.info("sink stopped", sink=self.name)

    async def _follow_both(
        self, consumer: AIOKafkaConsumer, publisher: Publisher, stop: asyncio.Event
    ) -> None:
        """Follow the topics, and what of them is held; raise what ends one of both."""
        tasks = [asyncio.create_task(self._follow(consumer, publisher, stop))]
        if self._held:
            held = self._held.run(lambda own, records: self._write_held(own, records, stop), stop)
            tasks.append(asyncio.create_task(held))
        try:
            for task in asyncio.as_completed(tasks):
                await task
        finally:
            for left in tasks:
                left.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, consumer: AIOKafkaConsumer, publisher: Publisher, stop: asyncio.Event) -> None:
        assigned: frozenset[TopicPartition] = frozenset()
        while not stop.is_set():
            polled = await consumer.getmany(timeout_ms=int(self._sink.wait_s * 1000))
            records = [record for batch in polled.values() for record in batch]
            self._in_hand = {place: batch[0].offset for place, batch in polled.items() if batch}
            if records:
                self._written_ms = min(record.timestamp for record in records)
            if consumer.assignment() != assigned:
                assigned = consumer.assignment()
                await self._begin(consumer, records)
            if records:
                await self._process(consumer, publisher, records, stop)
            if records:
                self._written_ms = max(record.timestamp for record in records)
            self._in_hand = {}

    def _member(self) -> AIOKafkaConsumer:
        return self._cluster.group_consumer(
            self.group,
            *self.topics,
            partition_assignment_strategy=[StickyPartitionAssignor],
            auto_offset_reset="latest" if self._step.begins == "now" else "earliest",
            reader=self.name,
            max_poll_records=self._sink.max_events,
            max_poll_interval_ms=PATIENT_POLL_INTERVAL_MS,
        )

    async def _begin(self, consumer: AIOKafkaConsumer, polled: Sequence[KafkaRecord]) -> None:
        """Read the committed position, and commit the offsets at which a sink begins now."""
        self._is_open = False
        every = {
            TopicPartition(topic, number)
            for topic in self.topics
            for number in consumer.partitions_for_topic(topic) or ()
        }
        self._has_all = consumer.assignment() == every
        self._position = await self._committed_position(every) if self._has_all else None
        if self._step.begins == "now":
            read = {TopicPartition(record.topic, record.partition) for record in polled}
            await begin_uncommitted(consumer, "latest", except_for=read)
            await self._commit(consumer, await _next_offsets(consumer, polled), self._position)

    async def _process(
        self,
        consumer: AIOKafkaConsumer,
        publisher: Publisher,
        fetched: Sequence[KafkaRecord],
        stop: asyncio.Event,
    ) -> None:
        """Write records and their dead letters, and commit.

        Raises:
            Transient: the end came before the sink had taken them.
        """
        records = [as_record(record, self._cluster.topology_name) for record in fetched]
        decoded = await asyncio.to_thread(decode_records, self._step, records)
        events = [event for event in decoded if not isinstance(event, Rejected)]
        written = await self._write_events(consumer, fetched, events, stop)
        waiting, refused = split_outcomes(records, merge_outcomes(decoded, written.outcomes))
        await self._set_aside(publisher, refused, stop)
        if waiting and self._held:
            held = self._held
            await self._publish(lambda: held.hold(publisher, waiting), stop)
        self._observe(events)
        log.info("batch", sink=self.name, records=len(records), rejected=len(refused), waiting=len(waiting))
        offsets = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in fetched}
        if written.position is not None:
            with suppress(IllegalStateError):  # the partitions have just changed
                offsets = await _next_offsets(consumer)
        await self._commit(consumer, offsets, written.position)

    async def _write_events(
        self,
        consumer: AIOKafkaConsumer,
        fetched: Sequence[KafkaRecord],
        events: Sequence[Any],
        stop: asyncio.Event,
    ) -> WriteResult:
        """Write events, waiting in place for a sink that is down."""
        if not events:
            return WriteResult([], self._position)

        async def attempt() -> WriteResult:
            if not self._is_open:
                position = await self._sink.open(self._position)
                if position != self._position:
                    await self._commit(consumer, await _next_offsets(consumer, fetched), position)
                self._is_open = True
            return self._unless_full(await self._sink.write(events))

        async def attempt_alone() -> WriteResult:
            async with self._lock:
                return await attempt()

        def wait(error: Exception, _delay: float) -> None:
            self._is_open = False
            self._wait(error)

        written = await retry_until_stopped(attempt_alone, INDEX, stop, before_wait=wait)
        self._go_on()
        return written

    def _wait(self, error: Exception) -> None:
        if str(error) != self.waiting:
            log.warning("waiting for the sink", sink=self.name, reason=str(error))
        self.waiting = str(error)
        RETRIES.labels(self.name).inc()

    def _go_on(self) -> None:
        if self.waiting:
            log.info("the sink is there", sink=self.name)
        self.waiting = None

    def _unless_full(self, written: WriteResult) -> WriteResult:
        """What was written, where what has to wait can wait by itself.

        Raises:
            Transient: it can't: so many wait already, or there is no topic for them. All wait then.
        """
        away = next((outcome for outcome in written.outcomes if isinstance(outcome, PartAway)), None)
        if away and self._held is None:
            raise away
        if away and self._held and self._held.is_full:
            raise Transient(f"{self._held.count} stories wait already, and no more may: {away}")
        return written

    async def _write_held(
        self, publisher: Publisher, records: Sequence[Record], stop: asyncio.Event
    ) -> Sequence[WriteOutcome]:
        """Write records that were held, and their dead letters.

        Raises:
            Transient: the sink is down.
        """
        decoded = await asyncio.to_thread(decode_records, self._step, records)
        events = [event for event in decoded if not isinstance(event, Rejected)]
        async with self._lock:
            try:
                if not self._is_open:
                    await self._sink.open(None)  # one that holds stories has no position
                    self._is_open = True
                written = await self._sink.write(events)
            except Transient:
                self._is_open = False
                raise
        outcomes = merge_outcomes(decoded, written.outcomes)
        await self._set_aside(publisher, split_outcomes(records, outcomes)[1], stop)
        self._observe(events)
        return outcomes

    async def _committed_position(self, partitions: Collection[TopicPartition]) -> int | None:
        async with self._cluster.connected_admin() as admin:
            committed = await admin.list_consumer_group_offsets(self.group)
        notes = {committed[place].metadata if place in committed else "" for place in partitions}
        return agreed_position(notes, self._target)

    @property
    def _target(self) -> str:
        """What the sink writes to: another machine's file of the same path is another."""
        return f"{self._settings.kafka.worker or socket.gethostname()}:{self._sink.target}"

    async def _set_aside(
        self, publisher: Publisher, refused: Sequence[tuple[Record, Rejected]], stop: asyncio.Event
    ) -> None:
        """Write the dead letters of what was rejected, waiting in place for a broker that takes none."""
        letters = [dead_letter(record, self.name, error) for record, error in refused]
        kept = [letter for letter in letters if letter.topic in _LETTER_TOPICS]
        for letter in letters:
            if letter.topic in _LETTER_TOPICS:
                DEAD_LETTERS.labels(self.name, (letter.header("x-error-type") or b"").decode()).inc()
            else:
                reason = (letter.header("x-error-message") or b"").decode()
                log.warning("a record is left out", sink=self.name, topic=letter.topic, reason=reason)
        if kept:
            await self._publish(lambda: publisher.publish(kept), stop)

    async def _publish(self, attempt: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """Write to Kafka, waiting in place for a broker that takes nothing."""
        await retry_until_stopped(attempt, BROKER, stop, before_wait=lambda error, _: self._wait(error))
        self._go_on()

    def _observe(self, events: Sequence[Any]) -> None:
        now = time.time()
        for event in events:
            if isinstance(event, Event) and event.provenance:
                received = to_milliseconds(event.provenance.received) / 1000
                END_TO_END_SECONDS.labels(self.name).observe(max(0.0, now - received))

    async def _commit(
        self, consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int], position: int | None
    ) -> None:
        """Commit offsets and position; a sink that has lost its partitions is opened anew before it writes on."""
        position = position if self._has_all else None
        note = "" if position is None else position_note(position, self._target)
        try:
            await consumer.commit(
                {place: OffsetAndMetadata(offset, note) for place, offset in offsets.items()}
            )
        except (CommitFailedError, IllegalStateError):
            self._is_open = False
            log.info("the partitions were given to another sink, which writes the same again", sink=self.name)
        else:
            self._position = position

    async def standing(self) -> ReaderStanding:
        """Where the sink stands, for the watchdog; also while it is down and nothing is fetched."""
        assert self._consumer, "it is watched while it runs"
        cause = StallCause("work", "records are being written") if self._in_hand else None
        if self.waiting:
            cause = StallCause("waits", self.waiting)
        offsets = await member_offsets(self._consumer, self._in_hand)
        return ReaderStanding(
            self._consumer.assignment(), offsets, cause, oldest_s=age_of(self._written_ms, self._cluster)
        )

    async def _ready(self) -> str | None:
        return self.waiting or (self._held.describe_away() if self._held else None)

    async def _check_group(self) -> str | None:
        is_known = self._consumer is not None and is_in_group(self._consumer)
        return None if is_known else "Kafka does not answer, or the group is not joined yet"


def position_note(position: int, target: str) -> str:
    """The metadata of a committed offset: the position that the sink had there, and what it writes to."""
    return f"{position} {target}"


def agreed_position(notes: Collection[str], target: str) -> int | None:
    """The position on which the notes of all partitions agree; None where others have written since."""
    if len(set(notes)) != 1:
        return None
    position, _, written_to = next(iter(notes)).partition(" ")
    return parse_int64(position) if written_to == target else None


async def _next_offsets(
    consumer: AIOKafkaConsumer, fetched: Sequence[KafkaRecord] = ()
) -> dict[TopicPartition, int]:
    """The offset of each assigned partition that is to be written next; `fetched` are in hand and not yet written."""
    first = {TopicPartition(record.topic, record.partition): record.offset for record in reversed(fetched)}
    return {
        place: first[place] if place in first else await consumer.position(place)
        for place in consumer.assignment()
    }
