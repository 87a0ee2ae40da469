"""What was fetched for a step and is not yet in hand, live items before those of a back-fill."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition

from processors.times import to_milliseconds
from streams.kafka.faust_internals import Batch
from streams.messages import Record

LATE_AT_ONCE: Final = 50  # back-fill records in one transaction: live ones wait no longer than for these
LOOK_AGAIN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record with its partition on the broker, and the generation of the group in which it was fetched.

    `after` is the offset that was fetched before it from its partition, None for the first of a generation.
    `written` is the broker's time in milliseconds; the record's own is when its story was received.
    """

    partition: TopicPartition
    generation: int
    after: int | None
    record: Record
    written: int


class Inbox:
    """Two bounded lanes. Who fills a lane waits while it is full, which pauses the partition at the broker."""

    def __init__(self, most: int, name: Callable[[str], str], caught_up: Callable[[], bool]) -> None:
        """At most about `most` records a lane; `name` turns a broker's topic into the topology's.

        `caught_up` says whether all live partitions are read to their end.
        """
        self._most, self._name, self._caught_up = most, name, caught_up
        self._live: deque[Fetched] = deque()
        self._late: deque[Fetched] = deque()
        self._room, self._filled = asyncio.Event(), asyncio.Event()

    async def put(self, batch: Batch, *, late: bool) -> None:
        """Wait for room, then take a batch in."""
        lane = self._late if late else self._live
        while len(lane) >= self._most:
            self._room.clear()
            await self._room.wait()
        after = batch.after
        for each in batch.records:
            record = as_record(each, self._name)
            lane.append(Fetched(batch.partition, batch.generation, after, record, each.timestamp))
            after = each.offset
        self._filled.set()

    async def take(self, most: int) -> list[Fetched]:
        """Wait for records; up to `most`, from one lane."""
        while True:
            if self._live:
                return self._taken(self._live, most)
            if not self._late:
                self._filled.clear()
                await self._filled.wait()
            elif self._caught_up():
                return self._taken(self._late, min(most, LATE_AT_ONCE))
            else:
                await asyncio.sleep(LOOK_AGAIN_S)

    def drop(self) -> None:
        """Forget everything, at a rebalance: what was not committed is fetched again. Who waits for room has it."""
        self._live.clear()
        self._late.clear()
        self._room.set()

    def first(self, partition: TopicPartition) -> Fetched | None:
        """The oldest waiting record of a partition."""
        return next((each for each in (*self._live, *self._late) if each.partition == partition), None)

    def _taken(self, lane: deque[Fetched], most: int) -> list[Fetched]:
        taken = [lane.popleft() for _ in range(min(most, len(lane)))]
        self._room.set()
        return taken


def as_record(record: ConsumerRecord[bytes | None, bytes | None], name: Callable[[str], str]) -> Record:
    """A record as the steps know it: absent keys and values are empty, headers without a value too."""
    headers = record.headers
    if any(value is None for _, value in headers):
        headers = [(header, value or b"") for header, value in headers]
    return Record(
        name(record.topic),
        record.partition,
        record.offset,
        record.key or b"",
        record.value or b"",
        _received(dict(headers).get("ce_time", b""), record.timestamp),
        tuple(headers),
    )


def _received(told: bytes, written: int) -> int:
    """When the story was received, in milliseconds; the broker's time where the header is absent or forged."""
    try:
        return max(to_milliseconds(told.decode("ascii")), 0)
    except (ValueError, OverflowError):
        return max(written, 0)
