"""What a step remembers after the first records of a partition of its state topic, and the way on from there.

The memory of a partition is a function of its state topic read in order, so a part that was read once need not be read
again: who has it takes in what came since. The last record that was taken in is read once more at each look. Where it
is not what it was, the topic was made anew, cut off, or its records are gone: what was read before then counts nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka.cluster import read_until
from streams.messages import Record
from streams.settlement import Outcome

CHUNK: Final = 500  # records between two breaths of the loop
PROGRESS_S: Final = 5.0
log = structlog.get_logger("wiredesk.kafka")

Read: TypeAlias = ConsumerRecord[Any, Any]
Breath: TypeAlias = Callable[[float], Awaitable[None]]


class Rememberer(Protocol):
    """A step with state, as `streams.steps.Work` is one."""

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record."""

    def restore(self, record: Record) -> None:
        """Take back one record of the state topic."""


class Stale(Exception):
    """The state topic is not the one that was read: begin anew."""


class Replica:
    """The memory of one partition, restored and never run."""

    def __init__(self, topic: str, place: TopicPartition, work: Rememberer) -> None:
        """`topic` is the topology's name of the state topic, `place` its partition on the broker, `work` is empty."""
        self.place, self.work = place, work
        self.end = 0  # what was committed before this offset is taken in
        self._topic = topic
        self._last: Read | None = None
        self._is_whole = True  # all records up to the last one are taken in, and no others

    async def catch_up(self, consumer: AIOKafkaConsumer, end: int, breath: Breath | None = None) -> int:
        """Take in what is committed before an offset, once every transaction below it is decided; how many records.

        `breath` is awaited after each chunk with the seconds that it took. Who cancels this finds a chunk taken in
        whole or not at all, and may go on later.

        Raises:
            Stale: the topic is not the one that was read.
        """
        if not self._is_whole or (self._last is not None and self._last.offset >= end):
            raise Stale
        consumer.assign([self.place])
        if self._last is None:
            await consumer.seek_to_beginning(self.place)
        else:
            consumer.seek(self.place, self._last.offset)
        number = await self._read(consumer, end, breath)
        self.end = end
        return number

    async def _read(self, consumer: AIOKafkaConsumer, end: int, breath: Breath | None) -> int:
        known = self._last
        number, told = 0, time.monotonic()
        async for polled in read_until(consumer, {self.place: end}):
            began, records = time.monotonic(), polled
            if known is not None:
                if not _same(known, polled[0]):
                    raise Stale
                known, records = None, polled[1:]
            await self._take_in(records)
            number += len(records)
            if breath:
                await breath(time.monotonic() - began)
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                log.info("restoring state", partition=self.place.partition, records=number, end=end)
        if known is not None:
            raise Stale
        return number

    async def _take_in(self, records: Sequence[Read]) -> None:
        if not records:
            return
        made = [_record(self._topic, each) for each in records]
        taken = asyncio.ensure_future(asyncio.to_thread(_restore, self.work, made))
        self._is_whole = False
        try:
            await asyncio.shield(taken)
        finally:
            if not taken.done():  # cancelled: the thread goes on all the same
                await asyncio.wait({taken})
            taken.result()
            self._last, self._is_whole = records[-1], True


def _same(one: Read, other: Read) -> bool:
    return (one.offset, one.timestamp, one.key, one.value) == (
        other.offset,
        other.timestamp,
        other.key,
        other.value,
    )


def _record(topic: str, read: Read) -> Record:
    return Record(topic, read.partition, read.offset, read.key or b"", read.value or b"", read.timestamp)


def _restore(work: Rememberer, records: Sequence[Record]) -> None:
    for record in records:
        work.restore(record)
