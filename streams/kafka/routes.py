"""The routes on Kafka: a step like the others, which also acts when time has come.

What an embargo held back goes out in a transaction of its own. That transaction commits the offsets at which the step
stands once more, so that a worker which the group has left behind releases nothing (KIP-447), and it writes the memory
without the released stories, so that kill -9 before or after it loses and repeats nothing.
"""

from __future__ import annotations

import asyncio
from typing import Final, cast

from aiokafka import TopicPartition

from sinks.stories import now_ms
from streams.kafka.engines import StatefulEngine
from streams.kafka.step_runner import PartitionsLost, StepRunner
from streams.messages import Message
from streams.routing import RouteWork

LOOK_INTERVAL_S: Final = 0.5  # how late a held story may be; shorter wakes the worker more often


class RouteEngine(StatefulEngine):
    """One memory of routed chains a partition."""

    def is_due(self, partition: int, now: int) -> bool:
        """Whether a story that the partition holds back may go out."""
        due = cast("RouteWork", self._states.step_to_ask(partition)).due_at()
        return due is not None and due <= now

    async def release(self, partition: int, now: int) -> list[Message]:
        """The messages of what may go out; until `mark_committed` the partition's state is undecided."""
        step = cast("RouteWork", self._states.step_to_run(partition))
        return await asyncio.to_thread(step.release_due, now)


class RouteRunner(StepRunner):
    """Runs the routes for the partitions that the group gives to this worker."""

    async def run(self) -> None:
        """Commit records, and what is due, until cancelled.

        Raises:
            KafkaError: the broker left a transaction undecided.
            FetchGap: what was fetched came incomplete.
        """
        releasing = asyncio.ensure_future(self._release_forever())
        running = asyncio.ensure_future(super().run())
        try:
            await asyncio.wait({releasing, running}, return_when=asyncio.FIRST_COMPLETED)
            for task in (releasing, running):
                if task.done():
                    task.result()
        finally:
            releasing.cancel()
            running.cancel()

    async def _release_forever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            if self._claiming is None:
                continue
            await asyncio.wait({self._claiming})
            async with self._lock:
                for partition in list(self._next_offsets):
                    await self._release_partition(partition)

    async def _release_partition(self, partition: TopicPartition) -> None:
        engine = cast("RouteEngine", self._engine)
        while not self._app.rebalancing and self._is_claimed():
            if not engine.is_due(partition.partition, now := now_ms()):
                return
            messages = await engine.release(partition.partition, now)
            offset = self._next_offsets[partition]
            try:
                await self._write_transaction(messages, {partition: offset}, self._app.generation)
            except PartitionsLost:
                return  # the state counts as undecided, so it is read back before it is used again
            engine.mark_committed({partition.partition: offset})

    def _is_claimed(self) -> bool:
        claiming = self._claiming
        return bool(
            claiming and claiming.done() and not claiming.cancelled() and claiming.exception() is None
        )
