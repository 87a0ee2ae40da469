"""The embedded runtime: the topology on one machine, on the SQLite log, in one asyncio process with a pool.

One consumer a step, one for the search index, one for the events file. Each reads a batch, works on it off the event
loop, and settles outputs and offset in one transaction, so that kill -9 at any moment loses and repeats nothing. The
log on disk is the queue between steps; pollers wait while too much of it is unread.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from config.settings import Settings
from processors.codec import decode
from processors.errors import Rejected
from processors.story import Event, RawItem
from sinks.search import StoryIndex
from streams.consumer import Access, Consumer, Handled
from streams.log import Log
from streams.messages import Message, Record, dead_letter, raw_message
from streams.pool import StepPool
from streams.topology import GAPS, LINEAGE, RAW, SINK_READS, STEPS, TOPICS, Step
from streams.work import Work

DATABASE: Final = "wiredesk.sqlite"
UNREAD_LIMIT: Final = 5000  # raw items; pollers wait beyond that
PRUNE_SECONDS: Final = 60.0
INDEX: Final = "index"
log = structlog.get_logger("wiredesk.embedded")


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
            topic = self._step.state.name
            for record in await self._access.read(lambda: self._access.log.records(topic)):
                work.restore(record)
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
        self._access.log.commit(self.name, ends, also=lambda: self._access.log.mark(self.name, length))


class RawOutlet:
    """The pollers' way into the log (`streams.pollers.ports.Outlet`)."""

    def __init__(self, access: Access) -> None:
        """Writes to the raw topic."""
        self._access = access

    async def publish(self, items: Sequence[RawItem]) -> None:
        """Return once the items are committed; waits while the log holds too much unread."""
        while True:
            seen = self._access.commits
            if (
                await self._access.read(lambda: self._access.log.lag(STEPS[0].name, [RAW.name]))
                < UNREAD_LIMIT
            ):
                break
            await self._access.changed(seen)
        await self._append([raw_message(item, RAW.name) for item in items])

    async def reject(self, item: RawItem, error: Rejected) -> None:
        """Write the dead letter of a document that could not be read; it never had an offset, so -1."""
        made = raw_message(item, RAW.name)
        record = Record(RAW.name, 0, -1, made.key, made.value, made.timestamp, made.headers)
        await self._append([dead_letter(record, "poll", error)])

    async def gap(self, feed: str, at: str) -> None:
        """Write that stories of a feed may have been missed."""
        await self._append([gap_message(feed, at)])

    async def _append(self, messages: list[Message]) -> None:
        await self._access.write(lambda: self._access.log.append(messages))


class FeedStates:
    """What pollers remember (`streams.pollers.ports.StateStore`)."""

    def __init__(self, access: Access) -> None:
        """A table beside the log."""
        self._access = access

    async def load(self) -> Mapping[str, bytes]:
        """The last saved state of every feed."""
        return await self._access.read(self._access.log.feeds)

    async def save(self, feed: str, state: bytes) -> None:
        """Return once the state is safe."""
        await self._access.write(lambda: self._access.log.save_feed(feed, state))


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer is behind: records not read, and the age in seconds of the oldest of them."""

    consumer: str
    records: int
    seconds: float


class Embedded:
    """The running pipeline. Use as ``async with Embedded(settings, data) as runtime``."""

    def __init__(self, settings: Settings, data: Path, events: Path | None = None) -> None:
        """Open the log; Misconfigured where the folder can't be written."""
        self.settings = settings
        self.path = data / DATABASE
        database = Log(self.path)
        index = StoryIndex(database.connection)
        index.create()
        self.access = Access(database)
        self.outlet = RawOutlet(self.access)
        self.feed_states = FeedStates(self.access)
        self._index = index
        self._pool = StepPool(settings, [step for step in STEPS if step.pooled], settings.embedded.workers)
        self._consumers = self._made(events)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Embedded:
        """Start the pool and the consumers."""
        await self._pool.__aenter__()
        self._tasks = [asyncio.create_task(each.run(), name=each.name) for each in self._consumers]
        self._tasks.append(asyncio.create_task(self._prune(), name="retention"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish the batches in hand, then close."""
        for consumer in self._consumers:
            await consumer.stop()
        self._tasks[-1].cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.__aexit__(None, None, None)
        self.access.close()

    async def failed(self) -> None:
        """Return never; raise what ended a consumer."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def drain(self, seconds: float) -> bool:
        """Wait until everything in the log is read, `seconds` at the most; whether it was."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    seen = self.access.commits
                    if not any(lag.records for lag in await self.lags()):
                        return True
                    await self.access.changed(seen)
        except TimeoutError:
            return False

    async def lags(self) -> list[Lag]:
        """How far each consumer is behind."""
        return await self.access.read(lambda: [self._lag(each) for each in self._consumers])

    async def dead_letters(self) -> int:
        """How many dead letters there are."""
        return await self.access.read(
            lambda: sum(self.access.log.end(f"{topic.name}.dlq") for topic in TOPICS)
        )

    def _lag(self, consumer: Consumer) -> Lag:
        oldest = self.access.log.oldest_unread(consumer.name, consumer.topics)
        age = max(0.0, time.time() - oldest / 1000) if oldest is not None else 0.0
        return Lag(consumer.name, consumer.lag(), age)

    def _made(self, events: Path | None) -> list[Consumer]:
        batch = self.settings.embedded.batch
        made = []
        for step in STEPS:
            handler = (
                PoolHandler(step, self._pool)
                if step.pooled
                else StepHandler(step, self.settings, self.access)
            )
            made.append(
                Consumer(step.name, [topic.name for topic in step.reads], handler, self.access, batch)
            )
        sunk = [topic.name for topic in SINK_READS]
        made.append(Consumer(INDEX, sunk, IndexHandler(self._index), self.access, batch))
        if events:
            writer = EventsHandler(events, self.access)
            made.append(Consumer(writer.name, [*sunk, GAPS.name], writer, self.access, batch))
        return made

    async def _prune(self) -> None:
        """Drop what is older than the retention and was read by everybody."""
        while True:
            now = int(time.time() * 1000)
            for topic in (*TOPICS, LINEAGE):
                hours = self.settings.embedded.retention_hours
                if topic.retention == "window":
                    hours = (
                        2 * self.settings.deduplicate.window_hours
                    )  # never less than what decisions look back
                readers = [each.name for each in self._consumers if topic.name in each.topics]
                await self.access.write(
                    lambda name=topic.name, before=now - hours * 3_600_000, readers=readers: (
                        self.access.log.prune(name, before, readers)
                    )
                )
            await asyncio.sleep(PRUNE_SECONDS)


def gap_message(feed: str, at: str) -> Message:
    """The message that stories of a feed may have been missed, as ``--events`` writes it."""
    import orjson

    from streams.messages import message, milliseconds

    value = orjson.dumps({"gap": {"feed": feed, "at": at}})
    return message(GAPS.name, feed, value, milliseconds(at), source=feed)


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
