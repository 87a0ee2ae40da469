"""The routes in the embedded runtime: a consumer like the others, which also acts when time has come.

The routed topics are topics of the log; what is remembered of chains is a table. Both are written in the transaction
of the offset, as is what an embargo held back, so that kill -9 at any moment loses and repeats nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from config.settings import Settings
from processors.times import HOUR_MS
from sinks.routes.router import RouteRule
from sinks.stories import now_ms
from streams.deadline import OverDeadline, late_outcomes, run_in_thread
from streams.embedded.consumer import Consumer, HandledBatch
from streams.embedded.log import PARTITION, Log, LogThread
from streams.messages import Message, Record
from streams.routing import RouteWork, RuleBook, load_rules
from streams.settlement import Outcome
from streams.topology import ROUTE, ROUTED


class RoutedChains:
    """The table of what is remembered. It opens and commits no transaction; the connection's owner does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Share the log's connection."""
        self._connection = connection

    def records(self) -> list[Record]:
        """Everything, as records of the state topic."""
        rows = self._connection.execute("SELECT chain, state FROM routed_chains")
        return [Record(ROUTED.name, PARTITION, -1, chain, state, 0) for chain, state in rows]

    def write(self, messages: Iterable[Message]) -> None:
        """Apply messages of the state topic in their order."""
        for message in messages:
            if message.tombstone:
                self._connection.execute("DELETE FROM routed_chains WHERE chain = ?", (message.key,))
            else:
                row = message.key, message.value
                self._connection.execute("INSERT OR REPLACE INTO routed_chains VALUES (?, ?)", row)


class RouteHandler:
    """Routes records, and gives what is due."""

    def __init__(
        self,
        settings: Settings,
        log_thread: LogThread,
        clock: Callable[[], int] = now_ms,
        book: RuleBook | None = None,
    ) -> None:
        """`clock` gives milliseconds since the epoch; `book` has the rules, else they are those of the settings.

        Misconfigured where a rule is wrong.
        """
        self._settings, self._log_thread, self._clock = settings, log_thread, clock
        self._book = book or RuleBook(load_rules(settings))
        self._work = RouteWork(settings, clock, self._book)
        self._chains = RoutedChains(log_thread.log.connection)

    async def start(self) -> None:
        """Load the rules, and take back what is remembered."""
        self._work = await asyncio.to_thread(RouteWork, self._settings, self._clock, self._book)
        records = await self._log_thread.run(self._chains.records)
        await asyncio.to_thread(_restore, self._work, records)

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        """Route in a thread; the memory is written in the transaction."""
        outcomes = await self._run(records)
        messages = [
            message for outcome in outcomes if not isinstance(outcome, Exception) for message in outcome
        ]
        routed = [outcome if isinstance(outcome, Exception) else _routed(outcome) for outcome in outcomes]
        return HandledBatch(routed, lambda: self._chains.write(_memory(messages)))

    async def _run(self, records: Sequence[Record]) -> Sequence[Outcome]:
        deadline_s = self._settings.steps.deadline_s
        try:
            return await run_in_thread(ROUTE.name, lambda: self._work(records), deadline_s)
        except OverDeadline:
            return late_outcomes(ROUTE.name, len(records), deadline_s)

    async def release(self) -> tuple[tuple[Message, ...], Callable[[], None]] | None:
        """What is due now, and how its memory is written; None: nothing."""
        if (due := self._work.due_at()) is None or due > (now := self._clock()):
            return None
        messages = await asyncio.to_thread(self._work.release_due, now)
        return _routed(messages), lambda: self._chains.write(_memory(messages))

    def seconds_until_due(self) -> float | None:
        """How long until something that is held back may go out; None where nothing is."""
        due = self._work.due_at()
        return None if due is None else max(0.0, (due - self._clock()) / 1000)


class RouteConsumer(Consumer):
    """Runs the routes until it is stopped."""

    def __init__(self, handler: RouteHandler, log_thread: LogThread, max_records: int) -> None:
        """Read what the step reads."""
        super().__init__(ROUTE.name, [topic.name for topic in ROUTE.reads], handler, log_thread, max_records)
        self._routes = handler

    async def run(self) -> None:
        """Consume and release until `stop`, finishing the batch in hand."""
        await self._routes.start()
        while not self._stopping.is_set():
            seen = self._log_thread.commit_count
            while released := await self._routes.release():
                await self._write([], *released)
            records = await self._log_thread.run(self._next_run)
            if records:
                await self._run_handler(records)
            elif not self._stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(
                        self._log_thread.wait_for_commit(seen), self._routes.seconds_until_due()
                    )


class Reader(Protocol):
    """Whoever reads topics, and whose offsets have a name."""

    name: str
    topics: tuple[str, ...]


def delete_old_routed(
    log: Log, settings: Settings, rules: Sequence[RouteRule], now: int, readers: Sequence[Reader]
) -> None:
    """Keep to the retention of the routes' topics; a compacted one keeps the last event of each chain for longer."""
    for rule in rules:
        names = [reader.name for reader in readers if rule.topic in reader.topics]
        oldest = now - settings.embedded.retention_hours * HOUR_MS
        if rule.compact:
            read = min((log.committed_offset(name, rule.topic) for name in names), default=1 << 62)
            compact_topic(log, rule.topic, oldest, read)
            oldest = now - settings.routes.memory_hours * HOUR_MS
        log.delete_older(rule.topic, oldest, names)


def compact_topic(log: Log, topic: str, before: int, read: int = 1 << 62) -> None:
    """Drop records older than `before` (ms) that a later one of their key replaces, and tombstones themselves.

    Records from the offset `read` on stay: somebody has not read them, and may have to hear of a kill.
    """
    with log.transaction():
        log.connection.execute(
            "DELETE FROM records WHERE topic = :topic AND timestamp < :before AND offset < :read AND (value = x'' OR offset NOT IN"
            " (SELECT max(offset) FROM records WHERE topic = :topic GROUP BY key))",
            {"topic": topic, "before": before, "read": read},
        )


def _restore(work: RouteWork, records: Iterable[Record]) -> None:
    for record in records:
        work.restore(record)


def _routed(messages: Iterable[Message]) -> tuple[Message, ...]:
    return tuple(message for message in messages if message.topic != ROUTED.name)


def _memory(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.topic == ROUTED.name]
