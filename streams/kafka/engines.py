"""How a step's code is run: in the pool, in a thread, or in a thread with one state a partition.

Whichever way, the event loop stays free, and there is one outcome a record, in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from streams.deadline import OverDeadline, late_outcomes, run_in_thread
from streams.health import publish_window
from streams.kafka.standby import PartitionStates
from streams.messages import Record
from streams.pool import StepPool
from streams.settlement import Outcome
from streams.topology import Step

LoadedStep = Callable[[Sequence[Record]], list[Outcome]]


class Engine:
    """Runs one step. For a step without state every method but `run` does nothing."""

    async def open(self) -> None:
        """Prepare what takes long, before the worker joins its group."""

    async def close(self) -> None:
        """End what goes on in the background."""

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """Run the step: one outcome a record, in order."""
        raise NotImplementedError

    async def claim_partitions(self, offsets: Mapping[int, int]) -> None:
        """Keep the partitions that are ours from now on, at their committed offsets, and no others."""

    async def restart_partition(self, partition: int, offset: int) -> None:
        """Make the step anew for a partition, after a crash, at its committed offset."""

    def mark_committed(self, next_offsets: Mapping[int, int]) -> None:
        """Note that every record below these offsets, by partition, and nothing else, was run and is committed."""


class StatelessEngine(Engine):
    """A step without state, loaded once and run in a thread."""

    def __init__(self, load: Callable[[], LoadedStep], name: str = "", deadline_s: float = 30.0) -> None:
        """`load` makes the step; it may take long. A batch of the step of this name has so many seconds."""
        self._load, self._name, self._deadline_s = load, name, deadline_s
        self._step: LoadedStep | None = None

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """Run the step in a thread."""
        if self._step is None:
            self._step = await asyncio.to_thread(self._load)
        return await _run_step(self._name, self._step, records, self._deadline_s)

    async def restart_partition(self, partition: int, offset: int) -> None:  # noqa: ARG002 -- the protocol's signature
        """Load the step again at its next run."""
        self._step = None


class PooledEngine(Engine):
    """A step in the pool, whose children load it once; it has no state that a crash could spoil."""

    def __init__(self, pool: StepPool, step: Step) -> None:
        """The pool has loaded the step."""
        self._pool, self._step = pool, step

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """Run the step in the pool's children."""
        return await self._pool.run(self._step, records)


class StatefulEngine(Engine):
    """A step with state: one instance a partition."""

    def __init__(self, states: PartitionStates, name: str = "", deadline_s: float = 30.0) -> None:
        """`states` has the steps of the partitions that are ours. A batch of a partition has so many seconds."""
        self._states, self._name, self._deadline_s = states, name, deadline_s

    async def open(self) -> None:
        """Make the standby."""
        await self._states.open()

    async def close(self) -> None:
        """End the standby."""
        await self._states.close()

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """Run each partition's records on its own instance, in a thread."""
        outcomes: dict[tuple[int, int], Outcome] = {}
        for partition in {record.partition: None for record in records}:
            own = [record for record in records if record.partition == partition]
            step = self._states.step_to_run(partition)
            results = await _run_step(self._name, step, own, self._deadline_s)
            publish_window(self._name, step.sizes())
            for record, outcome in zip(own, results, strict=True):
                outcomes[partition, record.offset] = outcome
        return [outcomes[record.partition, record.offset] for record in records]

    async def claim_partitions(self, offsets: Mapping[int, int]) -> None:
        """Restore the states of partitions that are new to us, and forget those of others."""
        await self._states.claim_partitions(offsets)

    async def restart_partition(self, partition: int, offset: int) -> None:
        """Read the state back, as the last commit left it."""
        await self._states.restore_partition(partition, offset)

    def mark_committed(self, next_offsets: Mapping[int, int]) -> None:
        """The states are whole at these offsets."""
        for partition, offset in next_offsets.items():
            self._states.mark_committed(partition, offset)


async def _run_step(
    name: str, step: LoadedStep, records: Sequence[Record], deadline_s: float
) -> list[Outcome]:
    try:
        return await run_in_thread(name, lambda: step(records), deadline_s)
    except OverDeadline:
        return late_outcomes(name, len(records), deadline_s)
