"""What a step with state remembers of a partition: kept while the partition is ours, else read back from its topic.

The state topic has the input's partition numbers, and each record of it was committed in one transaction with the
input's offset. So a memory that stands at the committed offset is whole; any other is made anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog
from aiokafka import TopicPartition

from streams.kafka.cluster import Cluster, read_until
from streams.messages import Record
from streams.work import Outcome

CHUNK: Final = 500  # records between two breaths of the loop
PROGRESS_S: Final = 5.0
log = structlog.get_logger("wiredesk.kafka")


class Rememberer(Protocol):
    """A step with state, as `streams.work.Work` is one."""

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record."""

    def restore(self, record: Record) -> None:
        """Take back one record of the state topic."""


class Memories:
    """The loaded step of each partition that is ours."""

    def __init__(self, cluster: Cluster, state: str, load: Callable[[], Rememberer]) -> None:
        """`state` is the topology's name of the state topic; `load` makes an empty step."""
        self._cluster, self._state, self._load = cluster, state, load
        self._works: dict[int, Rememberer] = {}
        self._stands_at: dict[int, int] = {}

    def work(self, partition: int) -> Rememberer:
        """The step of a partition, to be run: until `settled` its memory counts as undecided."""
        self._stands_at.pop(partition, None)
        return self._works[partition]

    def peek(self, partition: int) -> Rememberer:
        """The step of a partition, to be asked only."""
        return self._works[partition]

    def settled(self, partition: int, offset: int) -> None:
        """All that the step was run on is committed, up to before `offset`."""
        self._stands_at[partition] = offset

    async def restore(self, partition: int, offset: int) -> None:
        """Make the memory stand at a committed offset: as it is, or read back."""
        if self._stands_at.get(partition) == offset and partition in self._works:
            return
        work = await asyncio.to_thread(self._load)
        began = time.monotonic()
        number = await self._read_back(partition, work)
        if number:
            seconds = round(time.monotonic() - began, 2)
            log.info(
                "state restored", topic=self._state, partition=partition, records=number, seconds=seconds
            )
        self._works[partition] = work
        self._stands_at[partition] = offset

    def keep(self, partitions: set[int]) -> None:
        """Forget the partitions that are no longer ours."""
        for partition in set(self._works) - partitions:
            del self._works[partition]
            self._stands_at.pop(partition, None)

    async def _read_back(self, partition: int, work: Rememberer) -> int:
        """Read the state partition to the end that it has now, once every transaction below that is decided."""
        place = TopicPartition(self._cluster.topic(self._state), partition)
        async with self._cluster.consumer(isolation_level="read_uncommitted") as asked:
            ends = await asked.end_offsets([place])
        number, told = 0, time.monotonic()
        async with self._cluster.consumer(auto_offset_reset="earliest", max_poll_records=CHUNK) as consumer:
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            async for records in read_until(consumer, ends):
                number += len(records)
                await asyncio.to_thread(_restore, work, [self._record(each) for each in records])
                if time.monotonic() - told > PROGRESS_S:
                    told = time.monotonic()
                    log.info("restoring state", partition=partition, records=number, end=ends[place])
        return number

    def _record(self, record: object) -> Record:
        key, value = getattr(record, "key", None), getattr(record, "value", None)
        return Record(
            self._state,
            getattr(record, "partition", 0),
            getattr(record, "offset", 0),
            key or b"",
            value or b"",
            getattr(record, "timestamp", 0),
        )


def _restore(work: Rememberer, records: list[Record]) -> None:
    for record in records:
        work.restore(record)
