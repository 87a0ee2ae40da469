"""How a step's code is run: in the pool, in a thread, or in a thread with one memory a partition.

Whichever way, the loop stays free, and there is one outcome a record, in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from streams.kafka.memory import Memories
from streams.messages import Record
from streams.pool import StepPool
from streams.settlement import Outcome
from streams.topology import Step

Work = Callable[[Sequence[Record]], list[Outcome]]


class Engine(Protocol):
    """Runs one step."""

    async def open(self) -> None:
        """Prepare what takes long, before the worker joins its group."""

    async def close(self) -> None:
        """End what goes on in the background."""

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record, in order."""

    async def claim(self, offsets: dict[int, int]) -> None:
        """Partitions are ours from now on, by their committed offsets; what others had is forgotten."""

    async def restart(self, partition: int, offset: int) -> None:
        """Make the step anew for a partition, after a crash, at its committed offset."""

    def settled(self, offsets: dict[int, int]) -> None:
        """All that was run on these partitions is committed, up to before these offsets."""


class Stateless:
    """A step that remembers nothing, loaded once."""

    def __init__(self, load: Callable[[], Work]) -> None:
        """`load` makes the step, slowly perhaps."""
        self._load = load
        self._work: Work | None = None

    async def open(self) -> None:
        """Nothing takes long."""

    async def close(self) -> None:
        """Nothing goes on."""

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """Run it in a thread."""
        if self._work is None:
            self._work = await asyncio.to_thread(self._load)
        return await asyncio.to_thread(self._work, records)

    async def claim(self, offsets: dict[int, int]) -> None:
        """Nothing is kept a partition."""

    async def restart(self, partition: int, offset: int) -> None:  # noqa: ARG002 -- the protocol's signature
        """Load it again."""
        self._work = None

    def settled(self, offsets: dict[int, int]) -> None:
        """Nothing to note."""


class Pooled:
    """A step in the pool, where it is loaded once and for all."""

    def __init__(self, pool: StepPool, step: Step) -> None:
        """The pool has loaded the step."""
        self._pool, self._step = pool, step

    async def open(self) -> None:
        """The pool is open."""

    async def close(self) -> None:
        """The pool is its owner's."""

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """Run it in the pool's children."""
        return await self._pool.run(self._step, records)

    async def claim(self, offsets: dict[int, int]) -> None:
        """Nothing is kept a partition."""

    async def restart(self, partition: int, offset: int) -> None:
        """The children are kept: a step of the pool has no memory that a crash could have spoilt."""

    def settled(self, offsets: dict[int, int]) -> None:
        """Nothing to note."""


class Remembering:
    """A step with state: one instance a partition."""

    def __init__(self, memories: Memories) -> None:
        """The memories of the partitions that are ours."""
        self._memories = memories

    async def open(self) -> None:
        """Make the standby."""
        await self._memories.open()

    async def close(self) -> None:
        """End the standby."""
        await self._memories.close()

    async def run(self, records: Sequence[Record]) -> list[Outcome]:
        """Run each partition's records on its own instance, in a thread."""
        outcomes: dict[tuple[int, int], Outcome] = {}
        for partition in {record.partition: None for record in records}:
            own = [record for record in records if record.partition == partition]
            made = await asyncio.to_thread(self._memories.work(partition), own)
            outcomes |= {(partition, record.offset): each for record, each in zip(own, made, strict=True)}
        return [outcomes[record.partition, record.offset] for record in records]

    async def claim(self, offsets: dict[int, int]) -> None:
        """Restore what is not in memory already."""
        await self._memories.claim(offsets)

    async def restart(self, partition: int, offset: int) -> None:
        """Read the memory back, as the last commit left it."""
        await self._memories.restore(partition, offset)

    def settled(self, offsets: dict[int, int]) -> None:
        """The memories stand at these offsets."""
        for partition, offset in offsets.items():
            self._memories.settled(partition, offset)
