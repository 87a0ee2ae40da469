"""The embedded runtime: the topology on one machine, on the SQLite log, in one asyncio process with a pool.

One consumer a step, one a sink, one for the routes. Each reads a batch, works on it off the event loop, and commits
outputs and offset in one transaction, so that kill -9 at any moment loses and repeats nothing. The log on disk is the
queue between steps; pollers wait while too much of it is unread.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import structlog

from config.settings import Settings
from config.store_settings import MEBIBYTE_BYTES
from processors.times import HOUR_MS
from sinks.metrics import DATA_FILE_BYTES, DISK_FREE_BYTES, DISK_SIZE_BYTES, LOST_RECORDS
from sinks.sqlite.alerts import SqliteAlerts
from sinks.sqlite.writer import StoryIndex
from sinks.stories import now_ms
from streams.alerts.courier import AlertCourier
from streams.alerts.senders import load_senders
from streams.backfill import MAX_RECORDS_AHEAD
from streams.embedded import alerts as embedded_alerts
from streams.embedded.consumer import Consumer, Handler, PoolHandler, StepHandler
from streams.embedded.data_file import DATABASE
from streams.embedded.log import PARTITION, Log, LogThread
from streams.embedded.outlets import FeedStates, RawOutlet
from streams.embedded.routes import Reader, RouteConsumer, RouteHandler, delete_old_routed
from streams.embedded.sinks import PostedRoutes, SinkHandler
from streams.health import ProgressWatch, publish_lag
from streams.pollers import judge_tasks
from streams.pool import StepPool
from streams.raw_items import MAX_SCANNED_RECORDS
from streams.routing import RuleBook, load_rules
from streams.sinks import load_sink, sink_steps
from streams.topology import DEAD_LETTERS, PASSING_TOPICS, RAW_TOPICS, STEPS, TOPICS, retention_hours
from streams.webhooks.targets import load_targets

PRUNE_INTERVAL_S: Final = (
    60.0  # shorter blocks writing more often; longer lets the file grow before pages are reused
)
WATCH_INTERVAL_S: Final = (
    5.0  # shorter costs queries; longer is the delay of figures and of `wiredesk dlq replay`
)

# For batches in hand at the end, where nobody waited for them before (`drain`), and where somebody did.
STOP_TIMEOUT_S: Final = 5.0
LATE_TIMEOUT_S: Final = 0.5
log = structlog.get_logger("wiredesk.embedded")


@dataclass(frozen=True, slots=True)
class ConsumerLag:
    """How far a consumer is behind: records not read, and the age in seconds of the oldest of them.

    `readable` leaves out those of a back-fill that waits for room. `offset` is the sum of its committed offsets: it
    changes whenever a record is passed.
    """

    consumer: str
    records: int
    seconds: float
    readable: int
    offset: int
    lost: int = 0  # records that were deleted before it had read them, since the start


class EmbeddedRuntime:
    """The running pipeline. Use as ``async with EmbeddedRuntime(settings, data) as runtime``."""

    def __init__(self, settings: Settings, data: Path) -> None:
        """Open the log.

        Raises:
            Misconfigured: the folder can't be written, or the data file can't be used.
            Transient: another process has locked the data file.
        """
        self.settings = settings
        self.path = data / DATABASE
        self.book = RuleBook(load_rules(settings))
        self.log_thread = LogThread(Log(self.path))
        self.outlet = RawOutlet(self.log_thread)
        self.feed_states = FeedStates(self.log_thread)
        self.pool = StepPool(STEPS, settings, settings.embedded.workers, tasks=judge_tasks())
        self._progress = ProgressWatch()
        self._lost: Counter[str] = Counter()  # records that were deleted unread, by their consumer
        self._sinks: list[SinkHandler] = []
        self.alerts = SqliteAlerts(functools.partial(embedded_alerts.run_on_tables, self.log_thread))
        self._senders = load_senders(settings)
        self._courier = AlertCourier(self.alerts, self._senders, settings.alerts, settings.webhooks)
        self._consumers = [
            *self._step_consumers(), *self._sink_consumers(), *self._route_consumers(), self._alert_consumer(),
        ]  # fmt: skip
        self.posted = PostedRoutes(settings, self.log_thread)
        self._shown_webhooks: set[str] = set()  # whose lag is among the figures
        self._targets = load_targets(settings, self.book.rules)
        self._stop = asyncio.Event()
        self._patience_s = STOP_TIMEOUT_S
        self._tasks: list[asyncio.Task[None]] = []
        self._chores: list[asyncio.Task[None]] = []

    def wake_alerts(self) -> None:
        """Look at once for alerts that are due."""
        self._courier.wake()

    async def read_item(self, topic: str, partition: int, offset: int) -> bytes | None:
        """A raw item of the log, as JSON; None where it is not kept any more."""
        if topic not in RAW_TOPICS or partition != PARTITION:
            return None
        records = await self.log_thread.run(lambda: self.log_thread.log.records(topic, offset, 1))
        return records[0].value if records and records[0].offset == offset else None

    def list_targets(self) -> list[str]:
        """The names of the webhooks."""
        return list(self.posted.names)

    async def scan_items(self, since_ms: int, mark: bytes, limit: int) -> list[bytes]:
        """Raw items that were written from a time on and have some bytes in them, oldest first."""
        database = self.log_thread.log
        return await self.log_thread.run(
            lambda: [
                item
                for topic in sorted(RAW_TOPICS)
                for item in database.scan_values(topic, since_ms, mark, MAX_SCANNED_RECORDS)
            ][:limit]
        )

    async def __aenter__(self) -> Self:
        """Start the pool and the consumers."""
        signature = f"process {os.getpid()} on {socket.gethostname()}, {uuid.uuid4()}"
        await self.log_thread.write(lambda: self.log_thread.log.become_writer(signature))
        await self.pool.__aenter__()
        self._tasks = [
            asyncio.create_task(consumer.run(), name=consumer.name) for consumer in self._consumers
        ]
        await self.posted.use(self._targets)
        posting = self.posted.deliveries.run(self._stop)
        self._tasks.append(asyncio.create_task(posting, name="webhooks"))
        self._tasks.append(asyncio.create_task(self._courier.run(self._stop), name="alert messages"))
        self._chores = [
            asyncio.create_task(self._keep_retention(), name="retention"),
            asyncio.create_task(self._watch(), name="lag"),
        ]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Finish the batches in hand, but within seconds, then close. What hangs is run again by the next start."""
        self._stop.set()
        self.log_thread.stop_waiting()
        for consumer in self._consumers:
            await consumer.stop()
        for chore in self._chores:
            chore.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._patience_s)
            for task in late:
                log.warning("a batch is not waited for", consumer=task.get_name())
                task.cancel()
        await asyncio.gather(*self._tasks, *self._chores, return_exceptions=True)
        for sink in self._sinks:
            await sink.close()
        for sender in self._senders.values():
            await sender.close()
        await self.pool.__aexit__(None, None, None)
        self.log_thread.close()

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
                    seen = self.log_thread.commit_count
                    if not any(lag.records for lag in await self.lags()):
                        return True
                    await self.log_thread.wait_for_commit(seen)
        except TimeoutError:
            self._patience_s = LATE_TIMEOUT_S
            return False

    async def lags(self) -> list[ConsumerLag]:
        """How far each consumer is behind."""
        return await self.log_thread.run(lambda: [self._lag(consumer) for consumer in self._consumers])

    async def dead_letters(self) -> int:
        """How many dead letters there are; what was replayed or dropped is none any more."""
        names = [topic.name for topic in DEAD_LETTERS]
        return await self.log_thread.run(lambda: self.log_thread.log.count_records(names))

    async def check(self) -> str | None:
        """For ``/readyz``: why the log can't be written or a consumer stands still; None where all is well."""
        if outage := self.log_thread.outage:
            return f"waiting to write: {outage}"
        self._observe(await self.lags())
        return self._progress.describe_stuck(time.monotonic())

    def _lag(self, consumer: Consumer) -> ConsumerLag:
        database = self.log_thread.log
        oldest = database.oldest_unread_ms(consumer.name, consumer.topics)
        age = max(0.0, time.time() - oldest / 1000) if oldest is not None else 0.0
        offset = sum(database.committed_offset(consumer.name, topic) for topic in consumer.topics)
        readable = database.lag(consumer.name, consumer.readable_topics())
        lost = self._lost[consumer.name]
        return ConsumerLag(consumer.name, consumer.lag(), age, readable, offset, lost)

    def _observe(self, lags: Sequence[ConsumerLag]) -> None:
        """Show the health where the consumers stand."""
        now = time.monotonic()
        for lag, consumer in zip(lags, self._consumers, strict=True):
            self._progress.observe(
                lag.consumer,
                offset=lag.offset,
                records=lag.readable,
                now=now,
                reason=consumer.waits_for or "",
            )

    def _step_consumers(self) -> list[Consumer]:
        consumers = []
        for step in STEPS:
            handler: Handler = (
                PoolHandler(step, self.pool)
                if step.pooled
                else StepHandler(step, self.settings, self.log_thread)
            )
            topics = [topic.name for topic in step.reads]
            batch = self.settings.embedded.batch
            consumer = Consumer(step.name, topics, handler, self.log_thread, batch)
            if len(step.reads) > 1:
                consumer.backfill_gate = self._has_room
            consumers.append(consumer)
        return consumers

    def _sink_consumers(self) -> list[Consumer]:
        consumers = []
        for step in sink_steps("embedded"):
            sink = load_sink(step, self.settings)
            if sink:
                handler = SinkHandler(step, sink, self.log_thread)
                self._sinks.append(handler)
                batch = min(self.settings.embedded.batch, sink.max_events)
                topics = [topic.name for topic in step.reads]
                consumers.append(Consumer(handler.name, topics, handler, self.log_thread, batch))
        return consumers

    def _route_consumers(self) -> list[Consumer]:
        if not self.settings.routes.file:
            return []
        handler = RouteHandler(self.settings, self.log_thread, book=self.book)
        return [RouteConsumer(handler, self.log_thread, self.settings.embedded.batch)]

    def _alert_consumer(self) -> Consumer:
        handler = embedded_alerts.AlertHandler(self.settings, self.log_thread)
        topics = [topic.name for topic in embedded_alerts.ALERT_READS]
        return Consumer(
            embedded_alerts.ALERTS_NAME, topics, handler, self.log_thread, self.settings.embedded.batch
        )

    def _has_room(self) -> bool:
        """Whether the consumers behind the first have room for back-filled records; live ones would wait for them."""
        return sum(consumer.lag() for consumer in self._consumers[1:]) <= MAX_RECORDS_AHEAD

    async def _watch(self) -> None:
        """Publish how far each consumer is behind; look for what other processes wrote (`wiredesk dlq`)."""
        while True:
            await self.log_thread.wake_waiters()
            lags = await self.lags()
            self._observe(lags)
            for lag in lags:
                publish_lag(lag.consumer, lag.records, lag.seconds)
            await self.log_thread.run(self._publish_webhooks)
            self._publish_disk()
            await asyncio.sleep(WATCH_INTERVAL_S)

    def _publish_webhooks(self) -> None:
        """How far each target is behind; absent for one that has not begun. On the log's thread."""
        database, now = self.log_thread.log, time.time()
        for gone in self._shown_webhooks.difference(source.name for source in self.posted.readers):
            publish_lag(gone, None, None)
        self._shown_webhooks = {source.name for source in self.posted.readers}
        for source in self.posted.readers:
            records = oldest_s = None
            if database.has_committed(source.name):
                records = database.lag(source.name, source.topics)
                oldest = database.oldest_unread_ms(source.name, source.topics)
                oldest_s = max(0.0, now - oldest / 1000) if oldest is not None else 0.0
            publish_lag(source.name, records, oldest_s)
        DATA_FILE_BYTES.set(database.used_bytes())

    def _publish_disk(self) -> None:
        disk = os.statvfs(self.path.parent)
        DISK_FREE_BYTES.set(disk.f_bavail * disk.f_frsize)
        DISK_SIZE_BYTES.set(disk.f_blocks * disk.f_frsize)

    async def _keep_retention(self) -> None:
        """Drop what is too old, now and then."""
        while True:
            now = now_ms()
            await self.log_thread.write(functools.partial(self._delete_old, now))
            await asyncio.sleep(PRUNE_INTERVAL_S)

    def _delete_unread(self, topic: str, before: int, names: Sequence[str]) -> None:
        """Where the file is too large, drop what is too old though somebody has not read it, and tell it."""
        database, limit = self.log_thread.log, self.settings.embedded.max_unread_mib * MEBIBYTE_BYTES
        if database.used_bytes() <= limit:
            return
        for consumer, number in database.delete_unread(topic, before, names).items():
            log.error(
                "records were deleted before they were read: the file is larger than embedded.max_unread_mib",
                consumer=consumer, topic=topic, records=number,
            )  # fmt: skip
            LOST_RECORDS.labels(topic, consumer).inc(number)
            self._lost[consumer] += number

    def _delete_old(self, now: int) -> None:
        """Drop records that are older than the retention and read by everybody, and old stories of the index."""
        database, settings = self.log_thread.log, self.settings.embedded
        readers: list[Reader] = [*self._consumers, *self.posted.readers]
        for topic in TOPICS:
            names = [reader.name for reader in readers if topic.name in reader.topics]
            hours = retention_hours(topic, self.settings, settings.retention_hours)
            if hours is not None:
                kept = min(hours, settings.passed_hours) if topic.name in PASSING_TOPICS else hours
                database.delete_older(topic.name, now - kept * HOUR_MS, names)
                self._delete_unread(topic.name, now - hours * HOUR_MS, names)
        rules = self.book.rules
        delete_old_routed(database, self.settings, rules, now, readers)
        for rule in rules:
            names = [reader.name for reader in readers if rule.topic in reader.topics]
            hours = self.settings.routes.memory_hours if rule.compact else settings.retention_hours
            self._delete_unread(rule.topic, now - hours * HOUR_MS, names)
        with database.transaction():
            index = StoryIndex(database.connection)
            if settings.index_retention_days:
                index.prune(now - settings.index_retention_days * 24 * HOUR_MS)
            if settings.version_retention_days:
                index.prune_versions(now - settings.version_retention_days * 24 * HOUR_MS)
