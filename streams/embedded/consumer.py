"""A consumer of the embedded log: read a batch, handle it, and settle outputs and offset in one transaction.

What goes wrong is told apart at this one border. A record whose handling raises is a bug of ours: what came before it
is committed, the crash is counted in the log, and the consumer is started afresh; the third crash sets the record
aside as a dead letter. A database that can't be written (a full disk) is waited for in place, nothing is skipped.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import structlog

from processors.errors import Bug
from streams import metrics
from streams.embedded.log import Log
from streams.messages import Message, Record, dead_letter
from streams.pool import BrokenPool
from streams.retry import delays

MAX_CRASHES: Final = 3
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

    `outcomes` has one a record: messages to write, or the exception that is our fault. `also` is called in the
    transaction that writes them.
    """

    outcomes: Sequence[tuple[Message, ...] | Exception]
    also: Callable[[], None] | None = None


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
        for delay in delays():
            try:
                result = await self.read(call)
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith(OUTAGES):
                    raise
                self.waiting = str(error)
                log.warning(
                    "the database can't be written; waiting", reason=str(error), seconds=round(delay, 1)
                )
                await asyncio.sleep(delay)
            else:
                self.waiting = None
                await self.wake()
                return result
        raise AssertionError("delays are endless")

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
        self._stopping = False

    async def run(self) -> None:
        """Consume until `stop`, finishing the batch in hand."""
        await self._handler.start()
        while not self._stopping:
            seen = self._access.commits
            records = await self._access.read(self._next)
            if records:
                await self._settle(records)
            elif not self._stopping:
                await self._access.changed(seen)

    async def stop(self) -> None:
        """Let `run` return after the batch in hand."""
        self._stopping = True
        await self._access.wake()

    def lag(self) -> int:
        """How many records wait; called on the log's thread."""
        return self._access.log.lag(self.name, self.topics)

    def _next(self) -> list[Record]:
        """The next batch. A record that crashed before comes alone, so that it takes nobody with it."""
        late = self._room is None or self._room()
        topics = self.topics if late else self.topics[:1]
        records = self._access.log.read(self.name, topics, self._batch)
        for number, record in enumerate(records):
            if self._access.log.crashes(self.name, record):
                return records[: max(number, 1)]
        return records

    async def _settle(self, records: list[Record]) -> None:
        crashes = await self._access.read(lambda: self._access.log.crashes(self.name, records[0]))
        if crashes >= MAX_CRASHES:
            bug = Bug(f"{self.name} crashed {crashes} times on this record; see the log, then replay it")
            await self._commit(records[:1], [(dead_letter(records[0], self.name, bug, crashes),)], None)
            return
        with metrics.STEP_SECONDS.labels(self.name).time():
            handled = await self._handled(records)
        done = _sound(handled.outcomes)
        if len(done) == len(records):
            await self._attempt(records, done, handled.also)
        else:
            # what `also` would do covers the whole batch: after a crash only messages are kept
            if done and handled.also is None:
                await self._commit(records[: len(done)], done, None)
            await self._crashed(records[len(done)], handled.outcomes[len(done)])

    async def _handled(self, records: list[Record]) -> Handled:
        try:
            return await self._handler.handle(records)
        except BrokenPool as broken:
            for record in broken.suspects:
                await self._access.write(_counted(self._access.log, self.name, record))
            raise

    async def _attempt(
        self, records: list[Record], done: Sequence[tuple[Message, ...]], also: Callable[[], None] | None
    ) -> None:
        try:
            await self._commit(records, done, also)
        except Exception as error:  # noqa: BLE001 -- the border of "what we did wrong"
            await self._crashed(records[0], error)

    async def _commit(
        self, records: list[Record], done: Sequence[tuple[Message, ...]], also: Callable[[], None] | None
    ) -> None:
        """One transaction for what came of records."""
        await self._write(records, [message for outcome in done for message in outcome], also)
        metrics.count(self.name, done)

    async def _write(
        self, records: list[Record], messages: Sequence[Message], also: Callable[[], None] | None
    ) -> None:
        read = {record.topic: record.offset + 1 for record in records}
        await self._access.write(lambda: self._access.log.commit(self.name, read, messages, also))

    async def _crashed(self, record: Record, error: object) -> None:
        count = await self._access.write(_counted(self._access.log, self.name, record))
        reason = error if isinstance(error, BaseException) else None
        log.error(
            "a step crashed: please report it", step=self.name, topic=record.topic, offset=record.offset,
            crashes=count, exc_info=reason,
        )  # fmt: skip
        await self._handler.start()


def _sound(outcomes: Sequence[tuple[Message, ...] | Exception]) -> list[tuple[Message, ...]]:
    """What came out before the first failure."""
    sound: list[tuple[Message, ...]] = []
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            break
        sound.append(outcome)
    return sound


def _counted(database: Log, consumer: str, record: Record) -> Callable[[], int]:
    return lambda: database.failed(consumer, record)
