"""What was fetched for a step and is not yet run, live items before those of a back-fill; and how much is run at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition

from processors.times import to_milliseconds
from streams.kafka.cluster import KafkaRecord
from streams.kafka.faust_internals import Batch
from streams.messages import Record

# Back-fill records in one transaction: a live record that comes meanwhile waits for all of them, so many of them are
# felt; with few, the fixed cost of a transaction (some milliseconds) slows the back-fill down.
MAX_BACKFILL_RECORDS: Final = 50
LOOK_AGAIN_S: Final = 0.1  # between two looks whether a back-fill may pass; longer slows the back-fill down
# A rebalance waits for the transaction in hand, and with it the whole group. Half a second keeps a join, a leave and a
# stop short; much less, and the fixed cost of a transaction (some milliseconds) is no longer small beside the work.
TRANSACTION_WORK_S: Final = 0.5
MIN_RECORDS: Final = 4  # of one transaction, however slow the step is


@dataclass(frozen=True, slots=True)
class FetchedRecord:
    """A record with its partition on the broker, and the generation of the group in which it was fetched.

    `after` is the offset that was fetched before it from its partition, None for the first of a generation. `is_rewound`
    marks the first one after the log was found to be another, or shorter, than what was read of it.
    `written` is the broker's time in milliseconds; the record's own is when its story was received.
    """

    partition: TopicPartition
    generation: int
    after: int | None
    record: Record
    written: int
    is_rewound: bool = False


class Inbox:
    """Two bounded lanes. Who fills a lane waits while it is full, which pauses the partition at the broker."""

    def __init__(
        self,
        capacity: int,
        topology_name: Callable[[str], str],
        may_take_backfill: Callable[[], bool],
    ) -> None:
        """About `capacity` records fit a lane; `topology_name` turns a broker's topic into the topology's.

        `may_take_backfill` says whether all live partitions are read to their end, and the later steps have room.
        """
        self._capacity, self._topology_name = capacity, topology_name
        self._may_take_backfill = may_take_backfill
        self._live: deque[FetchedRecord] = deque()
        self._backfill: deque[FetchedRecord] = deque()
        self._has_room, self._has_records = asyncio.Event(), asyncio.Event()

    async def add_batch(self, batch: Batch, *, backfill: bool) -> None:
        """Wait for room, then take a batch in."""
        lane = self._backfill if backfill else self._live
        while len(lane) >= self._capacity:
            self._has_room.clear()
            await self._has_room.wait()
        after, is_rewound = batch.after, batch.is_rewound
        for fetched in batch.records:
            record = as_record(fetched, self._topology_name)
            lane.append(
                FetchedRecord(batch.partition, batch.generation, after, record, fetched.timestamp, is_rewound)
            )
            after, is_rewound = fetched.offset, False
        self._has_records.set()

    async def next_records(self, limit: int) -> list[FetchedRecord]:
        """Wait for records, and return up to `limit` of them from one lane."""
        while True:
            if self._live:
                return self._pop(self._live, limit)
            if not self._backfill:
                self._has_records.clear()
                await self._has_records.wait()
            elif self._may_take_backfill():
                return self._pop(self._backfill, min(limit, MAX_BACKFILL_RECORDS))
            else:
                await asyncio.sleep(LOOK_AGAIN_S)

    def drop_all(self) -> None:
        """Forget everything, at a rebalance: what was not committed is fetched again. Who waits for room has it."""
        self._live.clear()
        self._backfill.clear()
        self._has_room.set()

    def oldest_of(self, partition: TopicPartition) -> FetchedRecord | None:
        """The oldest waiting record of a partition."""
        return next(
            (fetched for fetched in (*self._live, *self._backfill) if fetched.partition == partition), None
        )

    def _pop(self, lane: deque[FetchedRecord], limit: int) -> list[FetchedRecord]:
        popped = [lane.popleft() for _ in range(min(limit, len(lane)))]
        self._has_room.set()
        return popped


class BatchLimit:
    """How many records go into the next transaction: as many as are run in `TRANSACTION_WORK_S`."""

    def __init__(self, maximum: int, first: int) -> None:
        """Between `MIN_RECORDS` and `maximum` records, beginning with `first`."""
        self._maximum = maximum
        self.records = max(MIN_RECORDS, min(first, maximum))

    def note_run(self, records: int, seconds: float) -> None:
        """Learn from a run, but at most double or halve the limit at once. A small run that was quick says little."""
        if not records:
            return
        fitting = int(records * TRANSACTION_WORK_S / max(seconds, 0.001))
        if records < self.records and fitting > self.records:
            return
        self.records = max(MIN_RECORDS, min(self._maximum, self.records * 2, max(self.records // 2, fitting)))


def as_record(fetched: KafkaRecord, topology_name: Callable[[str], str]) -> Record:
    """A record as the steps know it: absent keys and values are empty, headers without a value too."""
    headers = fetched.headers
    if any(value is None for _, value in headers):
        headers = [(header, value or b"") for header, value in headers]
    return Record(
        topology_name(fetched.topic),
        fetched.partition,
        fetched.offset,
        fetched.key or b"",
        fetched.value or b"",
        _received_ms(dict(headers).get("ce_time", b""), fetched.timestamp),
        tuple(headers),
    )


def _received_ms(header: bytes, written: int) -> int:
    """When the story was received, in milliseconds; the broker's time where the header is absent or forged."""
    try:
        return max(to_milliseconds(header.decode("ascii")), 0)
    except (ValueError, OverflowError):
        return max(written, 0)
