"""The drivers of sinks and webhooks in the embedded runtime: each sink and target is a consumer of the log.

See `streams.embedded.consumer`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog

from config.settings import Settings
from processors.errors import Rejected, Transient
from sinks.ports import Sink, WriteResult
from sinks.routes.router import route_topic
from streams.embedded.consumer import HandledBatch
from streams.embedded.log import LogThread
from streams.messages import Message, Record
from streams.sinks import decode_records, merge_outcomes
from streams.topology import WEBHOOKS, SinkStep
from streams.webhooks.courier import Courier, PartitionKey
from streams.webhooks.deliveries import Deliveries
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target

log = structlog.get_logger("wiredesk.embedded")


class SinkHandler:
    """Writes the records of one consumer to a sink."""

    def __init__(self, step: SinkStep, sink: Sink, log_thread: LogThread) -> None:
        """Nothing is opened before `start`."""
        self._step, self._sink, self._log_thread = step, sink, log_thread
        self._is_open = False
        self.name = f"{step.name}:{sink.target}" if sink.target else step.name

    async def start(self) -> None:
        """Open the sink at its last committed position; one that is down is waited for with the first records."""
        if self._step.begins == "now":
            topics = [topic.name for topic in self._step.reads]
            await self._log_thread.write(lambda: self._log_thread.log.start_at_end(self.name, topics))
        try:
            await self._open()
        except Transient as error:
            log.warning("a sink is down", sink=self.name, reason=str(error))

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        """Decode and write. What the sink does in the log's file is done in the transaction of the offsets."""
        decoded = await asyncio.to_thread(decode_records, self._step, records)
        events = [item for item in decoded if not isinstance(item, Rejected)]
        try:
            if not self._is_open:
                await self._open()
            written = await self._sink.write(events) if events else WriteResult([])
        except Transient as error:
            self._is_open = False
            return HandledBatch([error] * len(records))
        outcomes = merge_outcomes(decoded, written.outcomes)
        return HandledBatch([outcome or () for outcome in outcomes], functools.partial(self._finish, written))

    async def close(self) -> None:
        """Close the sink."""
        await self._sink.close()

    async def _open(self) -> None:
        self._is_open = False
        committed = await self._log_thread.run(lambda: self._log_thread.log.sink_position(self.name))
        position = await self._sink.open(committed)
        if position is not None and position != committed:
            await self._log_thread.write(lambda: self._log_thread.log.save_sink_position(self.name, position))
        self._is_open = True

    def _finish(self, written: WriteResult) -> None:
        if written.in_transaction:
            written.in_transaction(self._log_thread.log.connection)
        if written.position is not None:
            self._log_thread.log.save_sink_position(self.name, written.position)


WAIT_S: Final = 0.5  # for a commit: shorter wakes an idle courier more often; longer delays what it settles


class LogSource:
    """A target's topics in the log (`streams.webhooks.courier.StorySource`)."""

    def __init__(self, target: Target, log_thread: LogThread) -> None:
        """A new target begins with what comes from now on."""
        self.target, self.name = target, f"webhook:{target.name}"
        self.topics: tuple[str, ...] = (route_topic(target.route), WEBHOOKS.name)
        self._log_thread = log_thread
        self._next_offsets: dict[str, int] = {}

    async def fetch(self, limit: int) -> Sequence[Record]:
        """The next stories, after a moment's wait where there are none."""
        seen = self._log_thread.commit_count
        records = await self._log_thread.run(lambda: self._next_records(limit))
        if not records:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._log_thread.wait_for_commit(seen), WAIT_S)
        return records

    async def commit(self, offsets: Mapping[PartitionKey, int], letters: Sequence[Message]) -> None:
        """Commit offsets and dead letters in one transaction."""
        next_offsets = {topic: offset for (topic, _), offset in offsets.items()}
        await self._log_thread.write(lambda: self._log_thread.log.commit(self.name, next_offsets, letters))

    def _next_records(self, limit: int) -> list[Record]:
        log = self._log_thread.log
        if not self._next_offsets:
            log.start_at_end(self.name, self.topics)
            self._next_offsets = {topic: log.committed_offset(self.name, topic) for topic in self.topics}
        fetched: list[Record] = []
        for topic in self.topics:
            records = log.records(topic, self._next_offsets[topic], limit - len(fetched))
            if records:
                self._next_offsets[topic] = records[-1].offset + 1
            fetched += records
        return fetched


class PostedRoutes:
    """The targets of this process, each a consumer of the log."""

    def __init__(self, settings: Settings, log_thread: LogThread) -> None:
        """Nothing is delivered before `use`."""
        self._settings, self._log_thread = settings, log_thread
        self.names: tuple[str, ...] = ()
        self.readers: tuple[LogSource, ...] = ()  # whose offsets the retention looks at
        self.clients: dict[str, TargetClient] = {}  # that post now, by their targets' names
        self.deliveries = Deliveries(self._deliver)

    async def use(self, targets: Sequence[Target]) -> None:
        """Deliver to these from now on."""
        self.names = tuple(target.name for target in targets)
        self.readers = tuple(LogSource(target, self._log_thread) for target in targets)
        await self.deliveries.use(targets)

    async def _deliver(self, target: Target, stop: asyncio.Event) -> None:
        async with TargetClient(target, self._settings.webhooks) as client:
            self.clients[target.name] = client
            source = LogSource(target, self._log_thread)
            courier = Courier(target.name, client.deliver, source, self._settings.webhooks.concurrency)
            await courier.run(stop)

    async def count_waiting(self) -> dict[str, int]:
        """How many stories wait for each target."""
        log = self._log_thread.log
        readers = self.readers
        return await self._log_thread.run(
            lambda: {reader.target.name: log.lag(reader.name, reader.topics) for reader in readers}
        )
