"""Stories that wait for a part of a sink, such as a month of the index, on a topic of their own.

What the sink can't write for the sake of one part (`PartAway`) is copied to the topic `SinkStep.held` before its offset is
committed, so that all other stories go on. The sink says again and again which parts are still away. Once one is back,
the topic is read up to its present end: each story is written, or held once more at its end. Nothing depends on the
order: a sink takes versions of a story in any (`sinks.ports`). A crash at any point writes, or holds, some of them twice,
which changes nothing. What was written is deleted from the topic.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from config.redaction import redact_secrets
from config.settings import Settings
from processors.errors import PartAway, Rejected, Transient
from processors.numbers import parse_int64
from sinks.metrics import AWAY_PARTS, HELD_STORIES
from sinks.ports import Sink, WriteOutcome
from streams.kafka.cluster import PATIENT_POLL_INTERVAL_MS, Cluster, KafkaRecord
from streams.kafka.gaps import begin_uncommitted
from streams.kafka.inbox import as_record
from streams.kafka.publisher import Publisher
from streams.messages import Message, Record
from streams.topology import SinkStep

# Between two looks at what is away. Shorter asks a server in trouble the more; longer is how late a heal is noticed.
LOOK_INTERVAL_S: Final = 5.0
# Between two passes over what is held that wrote none of it: a part says that it is back and refuses everything.
MAX_PAUSE_S: Final = 60.0
ORIGIN_HEADERS: Final = ("x-original-topic", "x-original-partition", "x-original-offset")
log = structlog.get_logger("wiredesk.sink")
WriteRecords = Callable[[Publisher, Sequence[Record]], Awaitable[Sequence[WriteOutcome]]]


class HeldStories:
    """Holds the stories of one sink and writes them when they can be written. `parts` are those that are away, and why."""

    def __init__(self, step: SinkStep, sink: Sink, settings: Settings, lock: asyncio.Lock) -> None:
        """`lock` is held while the sink is asked: it is asked for one thing at a time."""
        assert step.held, "a sink with a topic for what it holds"
        self._step, self._sink, self._lock = step, sink, lock
        self._topic = step.held.name
        self._cluster = Cluster(settings.kafka)
        self.parts: dict[str, str] = {}
        self.count = 0  # stories that are held in our partitions, as last looked at
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._is_due = True
        self._passes_in_vain = 0
        self._next_pass = 0.0

    @property
    def is_full(self) -> bool:
        """Whether so many are held that no more may be."""
        return self.count >= self._sink.max_held

    def describe_away(self) -> str | None:
        """What is away and how many stories wait, in one line; None where nothing is."""
        if not self.parts and not self.count:
            return None
        reasons = "; ".join(self.parts.values()) or "they are being written"
        return f"{self.count} stories wait: {reasons}"

    async def hold(self, publisher: Publisher, held: Sequence[tuple[Record, PartAway]]) -> None:
        """Return once the broker has the records that wait.

        Raises:
            Transient: it takes none.
        """
        await publisher.publish([held_message(self._topic, record, away) for record, away in held])
        for _, away in held:
            self._note_part(away.part, str(away))
        self.count += len(held)
        self._publish()

    async def run(self, write: WriteRecords, stop: asyncio.Event) -> None:
        """Look at what is away, and write what is held once it can be, until `stop`.

        Args:
            write: writes records to the sink and their dead letters; raises Transient where the sink is down.
            stop: ends it.
        """
        async with Publisher(self._cluster) as publisher, self._cluster.group_consumer(
            self._cluster.group_of(f"{self._step.name}-held"), self._cluster.topic(self._topic),
            partition_assignment_strategy=[StickyPartitionAssignor], auto_offset_reset="earliest",
            reader=self._step.name, max_poll_records=self._sink.max_events, max_poll_interval_ms=PATIENT_POLL_INTERVAL_MS,
        ) as consumer:  # fmt: skip
            while not stop.is_set():
                with suppress(
                    IllegalStateError, KafkaError
                ):  # the partitions have just changed, or the broker is away
                    await self._look(consumer)
                    if self._is_due and self.count and time.monotonic() >= self._next_pass:
                        await self._pass(consumer, publisher, write, stop)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_INTERVAL_S)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Find out what is away, and how many stories are held."""
        if consumer.assignment() != self._assigned:
            await begin_uncommitted(consumer, "earliest")
            self._assigned = consumer.assignment()
            self._is_due = True
            await self._delete_done(consumer)
        with suppress(Transient):  # the sink is down, which it says itself
            async with self._lock:
                away = await self._sink.away_parts()
            self._is_due |= not set(self.parts) <= set(away) or not away
            for part in set(self.parts) - set(away):
                self._forget_part(part)
            for part, reason in away.items():
                self._note_part(part, reason)
        ends = await consumer.end_offsets(self._assigned) if self._assigned else {}
        self.count = sum([max(0, end - await consumer.position(place)) for place, end in ends.items()])
        self._publish()

    async def _pass(
        self, consumer: AIOKafkaConsumer, publisher: Publisher, write: WriteRecords, stop: asyncio.Event
    ) -> None:
        """Write what is held up to the present end of the topic; what can't be written yet is held once more."""
        ends = await consumer.end_offsets(self._assigned)
        written = 0
        while not stop.is_set() and consumer.assignment() == self._assigned:
            open_ = [place for place, end in ends.items() if await consumer.position(place) < end]
            if not open_:
                break
            polled = await consumer.getmany(*open_, timeout_ms=1000)
            for place, fetched in polled.items():
                try:
                    written += await self._write(publisher, write, fetched)
                except Transient:
                    consumer.seek(place, fetched[0].offset)
                    return
                await consumer.commit({place: fetched[-1].offset + 1})
        else:
            return
        self._is_due = False
        self._passes_in_vain = 0 if written else self._passes_in_vain + 1
        pause = min(MAX_PAUSE_S, LOOK_INTERVAL_S * 2**self._passes_in_vain) if self._passes_in_vain > 1 else 0
        self._next_pass = time.monotonic() + pause
        log.info(
            "stories that were held are written",
            sink=self._step.name,
            stories=written,
            parts=list(self.parts),
        )
        await self._delete(ends)

    async def _write(self, publisher: Publisher, write: WriteRecords, fetched: Sequence[KafkaRecord]) -> int:
        """Write held records, hold once more what is still to wait, and return how many were written or set aside."""
        records = [original_record(as_record(record, self._cluster.topology_name)) for record in fetched]
        outcomes = await write(publisher, records)
        again = [
            (record, outcome)
            for record, outcome in zip(records, outcomes, strict=True)
            if isinstance(outcome, PartAway)
        ]
        if again:
            await self.hold(publisher, again)
        self.count = max(0, self.count - len(records))
        self._publish()
        return len(records) - len(again)

    async def _delete(self, ends: Mapping[TopicPartition, int]) -> None:
        """Give the bytes of what was written, or held once more, back."""
        deletions = {place: RecordsToDelete(before_offset=end) for place, end in ends.items()}
        with suppress(KafkaError, OSError):  # the next pass does it
            async with self._cluster.connected_admin() as admin:
                await admin.delete_records(deletions)

    async def _delete_done(self, consumer: AIOKafkaConsumer) -> None:
        """Give back what a pass that was stopped has committed and not yet deleted."""
        firsts = await consumer.beginning_offsets(self._assigned) if self._assigned else {}
        stood = {place: await consumer.position(place) for place in firsts}
        if done := {place: offset for place, offset in stood.items() if offset > firsts[place]}:
            await self._delete(done)

    def _note_part(self, part: str, reason: str) -> None:
        if part not in self.parts:
            log.warning("a part of the sink is away", sink=self._step.name, part=part, reason=reason)
            AWAY_PARTS.labels(self._step.name, part).set(1)
        self.parts[part] = reason

    def _forget_part(self, part: str) -> None:
        del self.parts[part]
        AWAY_PARTS.remove(self._step.name, part)
        log.info("a part of the sink is there again", sink=self._step.name, part=part)

    def _publish(self) -> None:
        HELD_STORIES.labels(self._step.name).set(self.count)


def held_message(topic: str, record: Record, away: PartAway) -> Message:
    """The message of a record that waits: its own bytes and headers, where it stood, and what it waits for."""
    added = {
        "x-held-part": away.part,
        "x-held-reason": redact_secrets(str(away))[:2000],
        **dict(zip(ORIGIN_HEADERS, (record.topic, str(record.partition), str(record.offset)), strict=True)),
    }
    headers = (*record.headers, *((name, value.encode()) for name, value in added.items()))
    return Message(topic, record.key, record.value, record.timestamp, headers)


def original_record(held: Record) -> Record:
    """The record as it stood where it was first read; one that nobody here has written there stays as it is."""
    topic, partition, offset = (
        (held.header(name) or b"").decode("utf-8", "replace") for name in ORIGIN_HEADERS
    )
    if not topic or parse_int64(partition) is None or parse_int64(offset) is None:
        return held
    own = {*ORIGIN_HEADERS, "x-held-part", "x-held-reason"}
    headers = tuple((name, value) for name, value in held.headers if name not in own)
    return replace(held, topic=topic, partition=int(partition), offset=int(offset), headers=headers)


def split_outcomes(
    records: Sequence[Record], outcomes: Sequence[Any]
) -> tuple[list[tuple[Record, PartAway]], list[tuple[Record, Rejected]]]:
    """The records that have to wait, and those that never can be written."""
    pairs = list(zip(records, outcomes, strict=True))
    return (
        [(record, outcome) for record, outcome in pairs if isinstance(outcome, PartAway)],
        [(record, outcome) for record, outcome in pairs if isinstance(outcome, Rejected)],
    )
