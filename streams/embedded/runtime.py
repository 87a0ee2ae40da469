"""The embedded runtime: the topology on one machine, on the SQLite log, in one asyncio process with a pool.

One consumer a step, one for the search index, one for the events file. Each reads a batch, works on it off the event
loop, and settles outputs and offset in one transaction, so that kill -9 at any moment loses and repeats nothing. The
log on disk is the queue between steps; pollers wait while too much of it is unread.
"""

from __future__ import annotations

import asyncio
import functools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from config.settings import Settings
from sinks.sqlite.writer import StoryIndex
from streams import metrics
from streams.backfill import AHEAD
from streams.embedded.consumer import Access, Consumer, Handler
from streams.embedded.handlers import PoolHandler, StepHandler
from streams.embedded.log import DATABASE, Log
from streams.embedded.outlets import FeedStates, RawOutlet
from streams.embedded.routes import Reader, RouteConsumer, RouteHandler, forget
from streams.embedded.sinks import SinkHandler
from streams.embedded.webhooks import LogSource, deliver_stories
from streams.pool import StepPool
from streams.routing import rules
from streams.sinks import load_sink, sink_steps
from streams.topology import DEAD_LETTERS, STEPS, TOPICS, retention_hours
from streams.webhooks.targets import load_targets

PRUNE_SECONDS: Final = 60.0
WATCH_SECONDS: Final = 5.0
HOUR: Final = 3_600_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer is behind: records not read, and the age in seconds of the oldest of them."""

    consumer: str
    records: int
    seconds: float


class Embedded:
    """The running pipeline. Use as ``async with Embedded(settings, data) as runtime``."""

    def __init__(self, settings: Settings, data: Path) -> None:
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
        self.rules = rules(settings)
        self._pool = StepPool(STEPS, settings, settings.embedded.workers)
        self._sinks: list[SinkHandler] = []
        self._consumers = self._made()
        self._webhooks = {
            target: LogSource(target, self.access) for target in load_targets(settings, self.rules)
        }
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._chores: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start the pool and the consumers."""
        await self._pool.__aenter__()
        self._tasks = [asyncio.create_task(each.run(), name=each.name) for each in self._consumers]
        if self._webhooks:
            posting = deliver_stories(self.settings, self._webhooks, self._stop)
            self._tasks.append(asyncio.create_task(posting, name="webhooks"))
        self._chores = [
            asyncio.create_task(self._prune(), name="retention"),
            asyncio.create_task(self._watch(), name="lag"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish the batches in hand, then close."""
        self._stop.set()
        for consumer in self._consumers:
            await consumer.stop()
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._tasks, *self._chores, return_exceptions=True)
        for sink in self._sinks:
            await sink.close()
        await self._pool.__aexit__(None, None, None)
        self.access.close()

    async def failed(self) -> None:
        """Return never; raise what ended a consumer."""
        done, _ = await asyncio.wait([*self._tasks, *self._chores], return_when=asyncio.FIRST_EXCEPTION)
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
        """How many dead letters there are; what was replayed or dropped is none any more."""
        return await self.access.read(lambda: self.access.log.count([topic.name for topic in DEAD_LETTERS]))

    async def check(self) -> str | None:
        """For ``/readyz``: None where the log can be written."""
        waiting = self.access.waiting
        return f"waiting to write: {waiting}" if waiting else None

    def _lag(self, consumer: Consumer) -> Lag:
        oldest = self.access.log.oldest_unread(consumer.name, consumer.topics)
        age = max(0.0, time.time() - oldest / 1000) if oldest is not None else 0.0
        return Lag(consumer.name, consumer.lag(), age)

    def _made(self) -> list[Consumer]:
        batch = self.settings.embedded.batch
        made = []
        for step in STEPS:
            handler: Handler
            if step.pooled:
                handler = PoolHandler(step, self._pool)
            else:
                handler = StepHandler(step, self.settings, self.access)
            room = self._room if len(step.reads) > 1 else None
            topics = [topic.name for topic in step.reads]
            made.append(Consumer(step.name, topics, handler, self.access, batch, room))
        made += self._made_sinks()
        if self.rules:
            made.append(RouteConsumer(RouteHandler(self.settings, self.access), self.access, batch))
        return made

    def _made_sinks(self) -> list[Consumer]:
        consumers = []
        for step in sink_steps("embedded"):
            sink = load_sink(step, self.settings)
            if sink:
                handler = SinkHandler(step, sink, self.access)
                self._sinks.append(handler)
                batch = min(self.settings.embedded.batch, sink.max_events)
                topics = [topic.name for topic in step.reads]
                consumers.append(Consumer(handler.name, topics, handler, self.access, batch))
        return consumers

    def _room(self) -> bool:
        """Whether the consumers behind the first have room for back-filled records; live ones would wait for them."""
        return sum(each.lag() for each in self._consumers[1:]) <= AHEAD

    async def _watch(self) -> None:
        """Tell the metrics how far each consumer is behind; look for what other processes wrote (`wiredesk dlq`)."""
        while True:
            await self.access.wake()
            for each in await self.lags():
                metrics.lag(each.consumer, each.records, each.seconds)
            await asyncio.sleep(WATCH_SECONDS)

    async def _prune(self) -> None:
        """Keep to the retention, now and then."""
        while True:
            now = int(time.time() * 1000)
            await self.access.write(functools.partial(self._forget, now))
            await asyncio.sleep(PRUNE_SECONDS)

    def _forget(self, now: int) -> None:
        """Drop records that are older than the retention and read by everybody, and old stories of the index."""
        everybody: list[Reader] = [*self._consumers, *self._webhooks.values()]
        for topic in TOPICS:
            readers = [each.name for each in everybody if topic.name in each.topics]
            hours = retention_hours(topic, self.settings, self.settings.embedded.retention_hours)
            if hours is not None:
                self.access.log.prune(topic.name, now - hours * HOUR, readers)
        forget(self.access.log, self.settings, self.rules, now, everybody)
        days = self.settings.embedded.index_retention_days
        if days:
            with self.access.log.transaction():
                self._index.prune(now - days * 24 * HOUR)
