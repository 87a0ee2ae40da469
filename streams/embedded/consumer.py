"""A consumer of the embedded log: read a batch, handle it, and commit outputs and offset in one transaction.

What becomes of a record that fails is decided by `streams.settlement`; crashes are counted in the log, and the handler
is started afresh after each. A database that can't be written (a full disk) is waited for in place, nothing is skipped.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import structlog

from processors.errors import Transient
from streams import metrics
from streams.embedded.log import Log
from streams.messages import Message, Record
from streams.pool import BrokenPool
from streams.retry import LOG, STEP, retry_until_stopped
from streams.settlement import CrashCounts, Outcome, exhausted_letter, settle, split_run

OUTAGES: Final = (
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
)
T = TypeVar("T")
log = structlog.get_logger("wiredesk.embedded")


@dataclass(frozen=True, slots=True)
class Handled:
    """What a batch gave.

    `outcomes` has one a record (see `streams.settlement`). `in_transaction` is called in the transaction that writes
    their messages, where all of the batch succeeded.
    """

    outcomes: Sequence[Outcome]
    in_transaction: Callable[[], None] | None = None


class Handler(Protocol):
    """What a consumer does with its records."""

    async def start(self) -> None:
        """Load, and restore what is remembered; called again after a crash."""

    async def handle(self, records: Sequence[Record]) -> Handled:
        """Handle a batch. Raises only where the whole process must end."""


class Access:
    """The log's one thread, and word of every commit to those who wait for records."""

    def __init__(self, database: Log) -> None:
        """Take over the log: nobody else may call it from now on."""
        self.log = database
        self._thread = ThreadPoolExecutor(1, "log")
        self._commits = 0
        self._changed = asyncio.Condition()
        self.waiting: str | None = None  # why writing waits, for the health page

    async def read(self, call: Callable[[], T]) -> T:
        """Run a call on the log's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def write(self, call: Callable[[], T]) -> T:
        """Run a writing call on the log's thread, waiting in place for a database that can't be written."""
        result = await retry_until_stopped(
            lambda: self.read(call), LOG, asyncio.Event(), errors=sqlite3.OperationalError,
            before_wait=self._note_outage,
        )  # fmt: skip
        self.waiting = None
        await self.wake()
        return result

    def _note_outage(self, error: Exception, delay: float) -> None:
        """Say why writing waits; raise what is no outage."""
        if not isinstance(error, sqlite3.OperationalError) or not error.sqlite_errorname.startswith(OUTAGES):
            raise error
        self.waiting = str(error)
        log.warning("the database can't be written; waiting", reason=str(error), seconds=round(delay, 1))

    async def wake(self) -> None:
        """Let everybody who waits look again."""
        async with self._changed:
            self._commits += 1
            self._changed.notify_all()

    @property
    def commits(self) -> int:
        """How many writes there were: take it before a read, and give it to `changed` after an empty one."""
        return self._commits

    async def changed(self, since: int) -> None:
        """Return once there was a write after `since`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._commits != since)

    def close(self) -> None:
        """End the thread and close the file."""
        self._thread.shutdown()
        self.log.close()


class Consumer:
    """Runs one handler over its topics until it is told to stop."""

    def __init__(
        self,
        name: str,
        topics: Sequence[str],
        handler: Handler,
        access: Access,
        batch: int,
        room: Callable[[], bool] | None = None,
    ) -> None:
        """`name` owns the offsets; `topics` are read in this order.

        `room` says, on the log's thread, whether the topics after the first may be read now: those of a back-fill.
        """
        self.name = name
        self.topics = tuple(topics)
        self._handler = handler
        self._access = access
        self._batch = batch
        self._room = room
        self._crashes: CrashCounts = {}
        self._retries = STEP.delays()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Consume until `stop`, finishing the batch in hand."""
        await self._handler.start()
        while not self._stopping.is_set():
            seen = self._access.commits
            records = await self._access.read(self._next)
            if records:
                await self._settle(records)
            elif not self._stopping.is_set():
                await self._access.changed(seen)

    async def stop(self) -> None:
        """Let `run` return after the batch in hand."""
        self._stopping.set()
        await self._access.wake()

    def lag(self) -> int:
        """How many records wait; called on the log's thread."""
        return self._access.log.lag(self.name, self.topics)

    def _next(self) -> Sequence[Record]:
        """The records of the next run; called on the log's thread."""
        late = self._room is None or self._room()
        topics = self.topics if late else self.topics[:1]
        self._crashes = self._access.log.crash_counts(self.name)
        now, _ = split_run(self._access.log.read(self.name, topics, self._batch), self._crashes)
        return now

    async def _settle(self, records: Sequence[Record]) -> None:
        letter = exhausted_letter(self.name, records[0], self._crashes.get(records[0].place, 0))
        if letter:
            await self._commit([(records[0], (letter,))])
            return
        with metrics.STEP_SECONDS.labels(self.name).time():
            handled = await self._handled(records)
        settlement = settle(self.name, records, handled.outcomes, self._crashes)
        if not settlement.crashed and not settlement.retry:
            await self._commit_batch(settlement.commit, handled.in_transaction)
            return
        for record, error in settlement.crashed:
            await self._count_crash(record, error)
        # what is done in the transaction covers the whole batch: with a part of it only messages are committed
        if handled.in_transaction is None or not settlement.commit:
            letters = [(record, (letter,)) for record, letter in settlement.dead_letters]
            await self._commit([*settlement.commit, *letters])
        if settlement.crashed:
            await self._handler.start()
        if settlement.waits_for:
            await self._wait(settlement.waits_for)

    async def _handled(self, records: Sequence[Record]) -> Handled:
        try:
            return await self._handler.handle(records)
        except BrokenPool as broken:
            for record in broken.suspects:
                await self._access.write(_counted(self._access.log, self.name, record))
            raise

    async def _commit_batch(
        self, done: Sequence[tuple[Record, tuple[Message, ...]]], in_transaction: Callable[[], None] | None
    ) -> None:
        """Commit all of a batch; what fails in its transaction is a crash of its first record."""
        try:
            await self._commit(done, in_transaction)
        except Exception as error:  # noqa: BLE001 -- the border of "what we did wrong"
            await self._count_crash(done[0][0], error)
            await self._handler.start()

    async def _commit(
        self,
        done: Sequence[tuple[Record, tuple[Message, ...]]],
        in_transaction: Callable[[], None] | None = None,
    ) -> None:
        """One transaction for what came of records."""
        if not done:
            return
        messages = [message for _, outcome in done for message in outcome]
        await self._write([record for record, _ in done], messages, in_transaction)
        self._retries = STEP.delays()
        metrics.count(self.name, [outcome for _, outcome in done])

    async def _write(
        self,
        records: Iterable[Record],
        messages: Sequence[Message],
        in_transaction: Callable[[], None] | None,
    ) -> None:
        read = {record.topic: record.offset + 1 for record in records}
        await self._access.write(lambda: self._access.log.commit(self.name, read, messages, in_transaction))

    async def _count_crash(self, record: Record, error: Exception) -> None:
        count = await self._access.write(_counted(self._access.log, self.name, record))
        log.error(
            "a step crashed: please report it", step=self.name, topic=record.topic, offset=record.offset,
            crashes=count, exc_info=error,
        )  # fmt: skip

    async def _wait(self, error: Transient) -> None:
        delay = next(self._retries)
        log.warning("a step waits", step=self.name, reason=str(error), seconds=round(delay, 1))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay)


def _counted(database: Log, consumer: str, record: Record) -> Callable[[], int]:
    return lambda: database.count_crash(consumer, record)
