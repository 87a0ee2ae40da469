"""What a step with state remembers of a partition: kept while the partition is ours, else read back from its topic.

The state topic has the input's partition numbers, and each record of it was committed in one transaction with the
input's offset. So a memory that stands at the committed offset is whole; any other is made anew, from a standby
(`streams.kafka.standby`) where there is one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from aiokafka import TopicPartition

from streams.kafka.cluster import Cluster
from streams.kafka.replica import CHUNK, Rememberer, Replica, Stale
from streams.kafka.standby import Standby

log = structlog.get_logger("wiredesk.kafka")


class Memories:
    """The loaded step of each partition that is ours."""

    def __init__(self, cluster: Cluster, state: str, load: Callable[[], Rememberer]) -> None:
        """`state` is the topology's name of the state topic; `load` makes an empty step."""
        self._cluster, self._state, self._load = cluster, state, load
        self._works: dict[int, Rememberer] = {}
        self._stands_at: dict[int, int] = {}
        self._known: dict[int, Replica] = {}  # of partitions that are ours, on their way to stand
        self._standby = Standby(cluster, state, load) if cluster.settings.standby else None

    async def open(self) -> None:
        """Make the standby, before the worker joins its group."""
        if self._standby:
            await self._standby.warm()

    async def close(self) -> None:
        """Follow nobody any more."""
        if self._standby:
            await self._standby.close()

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

    async def claim(self, offsets: Mapping[int, int]) -> None:
        """Have the memories of the partitions that are ours, at their committed offsets, and no others."""
        for partition in self._works.keys() - offsets.keys():
            del self._works[partition]
            self._stands_at.pop(partition, None)
        lost = {each: self._known.pop(each) for each in self._known.keys() - offsets.keys()}
        if self._standby:
            self._known |= await self._standby.take(offsets, lost)
        await asyncio.gather(*(self.restore(*each) for each in offsets.items()))

    async def restore(self, partition: int, offset: int) -> None:
        """Make a memory stand at a committed offset: as it is, or read back."""
        if self._stands_at.get(partition) == offset and partition in self._works:
            return
        began = time.monotonic()
        known = partition in self._known
        number = await self._read_back(partition)
        if number or known:
            seconds = round(time.monotonic() - began, 2)
            log.info(
                "state restored", topic=self._state, partition=partition, records=number, seconds=seconds,
                standby=known,
            )  # fmt: skip
        self._works[partition] = self._known.pop(partition).work
        self._stands_at[partition] = offset

    async def _read_back(self, partition: int) -> int:
        """Read the state partition to the end that it has now, once every transaction below that is decided.

        Whoever interrupts this, as the next rebalance does, finds in `_known` how far it came.
        """
        place = TopicPartition(self._cluster.topic(self._state), partition)
        async with self._cluster.consumer(isolation_level="read_uncommitted") as asked:
            end = (await asked.end_offsets([place]))[place]
        async with self._cluster.consumer(auto_offset_reset="earliest", max_poll_records=CHUNK) as consumer:
            if known := self._known.get(partition):
                try:
                    return await known.catch_up(consumer, end)
                except Stale:
                    log.warning("the standby does not fit the state topic", partition=partition)
            made = self._known[partition] = Replica(self._state, place, await asyncio.to_thread(self._load))
            return await made.catch_up(consumer, end)
