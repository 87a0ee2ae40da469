"""What the embedded runtime's consumers do with their records: run a step, write the index, append to a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.settings import Settings
from processors.errors import Rejected
from processors.model.codec import decode
from processors.model.event import Event
from sinks.sqlite.writer import StoryIndex
from streams.embedded.consumer import Access, Handled
from streams.messages import Message, Record, dead_letter
from streams.pool import StepPool
from streams.steps import Work
from streams.topology import GAPS, SINK_READS, Step

INDEX: Final = "index"


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


class IndexHandler:
    """Writes events to the search index, in the transaction of their offset."""

    def __init__(self, index: StoryIndex) -> None:
        """The index shares the log's connection."""
        self._index = index

    async def start(self) -> None:
        """Nothing to load."""

    async def handle(self, records: Sequence[Record]) -> Handled:
        """Decode here, write in the transaction."""
        outcomes, events = await asyncio.to_thread(_decoded, records)
        return Handled(outcomes, lambda: self._index.write(events))


class EventsHandler:
    """Appends events, and possible gaps, to a file: each once, also over kill -9.

    The file's length is committed with the offset; what stands behind it at the next start was never committed, and
    is cut off.
    """

    def __init__(self, path: Path, access: Access) -> None:
        """The file is made when the runtime starts."""
        self._path, self._access = path, access
        self.name = f"events:{path.resolve()}"

    async def start(self) -> None:
        """Cut the file to what was committed. A new file begins with what comes from now on."""
        await self._access.write(self._recover)

    async def handle(self, records: Sequence[Record]) -> Handled:
        """Append now, remember the length in the transaction."""
        lines = b"".join(record.value + b"\n" for record in records)
        length = await asyncio.to_thread(self._append, lines)
        return Handled([()] * len(records), lambda: self._access.log.mark(self.name, length))

    def _append(self, lines: bytes) -> int:
        with self._path.open("ab") as stream:
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())
            return stream.tell()

    def _recover(self) -> None:
        known = self._access.log.marked(self.name)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as stream:
            length = stream.tell()
            if known is not None and length > known:
                stream.truncate(known)
            if known is not None:
                return
        ends = {topic.name: self._access.log.end(topic.name) for topic in (*SINK_READS, GAPS)}
        self._access.log.commit(
            self.name, ends, in_transaction=lambda: self._access.log.mark(self.name, length)
        )


def _restore(work: Work, records: Sequence[Record]) -> None:
    for record in records:
        work.restore(record)


def _decoded(records: Sequence[Record]) -> tuple[list[tuple[Message, ...]], list[Event]]:
    outcomes: list[tuple[Message, ...]] = []
    events: list[Event] = []
    for record in records:
        try:
            events.append(decode(record.value, Event))
            outcomes.append(())
        except Rejected as error:
            outcomes.append((dead_letter(record, INDEX, error),))
    return outcomes, events
