"""What the embedded runtime's consumers do with their records: run a step, here or in the pool."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from config.settings import Settings
from streams.embedded.consumer import Access, Handled
from streams.messages import Record
from streams.pool import StepPool
from streams.steps import Work
from streams.topology import Step


class StepHandler:
    """A step that runs in a thread of this process (one that remembers, or uses little CPU)."""

    def __init__(self, step: Step, settings: Settings, access: Access) -> None:
        """Nothing is loaded before `start`."""
        self._step, self._settings, self._access = step, settings, access
        self._work: Work | None = None

    async def start(self) -> None:
        """Load the step, and restore its state from the log."""
        work = await asyncio.to_thread(Work, self._step, self._settings)
        if self._step.state:
            pieces = self._access.log.pieces(self._step.state.name)
            while piece := await self._access.read(lambda: next(pieces, None)):
                await asyncio.to_thread(_restore, work, piece)
        self._work = work

    async def handle(self, records: Sequence[Record]) -> Handled:
        """Work in a thread."""
        assert self._work is not None, "started before it handles"
        return Handled(await asyncio.to_thread(self._work, records))


class PoolHandler:
    """A step that runs in the pool of processes."""

    def __init__(self, step: Step, pool: StepPool) -> None:
        """The pool loads the step."""
        self._step, self._pool = step, pool

    async def start(self) -> None:
        """Nothing to load here."""

    async def handle(self, records: Sequence[Record]) -> Handled:
        """Work in the pool; a pool that broke ends the process."""
        return Handled(await self._pool.run(self._step, records))


def _restore(work: Work, records: Sequence[Record]) -> None:
    for record in records:
        work.restore(record)
