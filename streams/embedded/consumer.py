"""A consumer of the embedded log: read a batch, handle it, and commit outputs and offset in one transaction.

What becomes of a record that fails is decided by `streams.settlement`; crashes are counted in the log, and the handler
is started afresh after each. A database that can't be written (a full disk) is waited for in place, nothing is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from config import Misconfigured
from config.settings import Settings
from processors.errors import OutOfMemory, Transient
from sinks.metrics import RETRIES, STEP_SECONDS
from streams.deadline import OverDeadline, late_outcomes, run_in_thread
from streams.embedded.log import LogThread
from streams.health import count_outcomes, publish_window
from streams.messages import Message, Record
from streams.pool import BrokenPool, StepPool
from streams.retry import STEP
from streams.settlement import CrashCounts, LostChild, Outcome, exhausted_letter, settle_run, split_run
from streams.steps import Work
from streams.topology import Step

log = structlog.get_logger("wiredesk.embedded")


@dataclass(frozen=True, slots=True)
class HandledBatch:
    """What a batch gave.

    `outcomes` has one a record (see `streams.settlement`). `in_transaction` is called in the transaction that writes
    their messages, where all of the batch succeeded.
    """

    outcomes: Sequence[Outcome]
    in_transaction: Callable[[], None] | None = None


class Handler(Protocol):
    """What a consumer does with its records."""

    async def start(self) -> None:
        """Load, and restore what is remembered; called again where records that were run are to be run again."""

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        """Handle a batch. Raises only where the whole process must end."""


class Consumer:
    """Runs one handler over its topics until it is stopped."""

    def __init__(
        self,
        name: str,
        topics: Sequence[str],
        handler: Handler,
        log_thread: LogThread,
        max_records: int,
    ) -> None:
        """`name` owns the offsets; `topics` are read in this order, at most `max_records` at once."""
        self.name = name
        self.topics = tuple(topics)
        self.waits_for: str | None = None  # why the records in hand are tried again, for the health page
        # says, on the log's thread, whether the topics after the first may be read now
        self.backfill_gate: Callable[[], bool] = lambda: True
        self._handler = handler
        self._log_thread = log_thread
        self._max_records = max_records
        self._crashes: CrashCounts = {}
        self._retries = STEP.delays()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Consume until `stop`, finishing the batch in hand."""
        await self._handler.start()
        while not self._stopping.is_set():
            seen = self._log_thread.commit_count
            records = await self._log_thread.run(self._next_run)
            if records:
                await self._run_handler(records)
            elif not self._stopping.is_set():
                await self._log_thread.wait_for_commit(seen)

    async def stop(self) -> None:
        """Let `run` return after the batch in hand."""
        self._stopping.set()
        await self._log_thread.wake_waiters()

    def lag(self) -> int:
        """How many records wait; called on the log's thread."""
        return self._log_thread.log.lag(self.name, self.topics)

    def readable_topics(self) -> tuple[str, ...]:
        """The topics that may be read now: a back-fill waits for room; called on the log's thread."""
        return self.topics if len(self.topics) == 1 or self.backfill_gate() else self.topics[:1]

    def _next_run(self) -> Sequence[Record]:
        """The records of the next run; called on the log's thread."""
        topics = self.readable_topics()
        records = self._log_thread.log.next_records(self.name, topics, self._max_records)
        self._crashes = self._log_thread.log.crash_counts(self.name)
        now, _ = split_run(records, self._crashes)
        return now

    async def _run_handler(self, records: Sequence[Record]) -> None:
        """Run the handler on records, and do with them what the settlement says."""
        letter = exhausted_letter(self.name, records[0], self._crashes.get(records[0].place, 0))
        if letter:
            await self._commit([(records[0], (letter,))])
            return
        with STEP_SECONDS.labels(self.name).time():
            handled = await self._handled(records)
        settlement = settle_run(self.name, records, handled.outcomes, self._crashes)
        if not settlement.crashed and not settlement.retry:
            await self._commit_all(settlement.commit, handled.in_transaction)
            return
        for record, error in settlement.crashed:
            await self._count_crash(record, error)
        # what is done in the transaction covers the whole batch: with a part of it only messages are committed
        if handled.in_transaction is None or not settlement.commit:
            letters = [(record, (letter,)) for record, letter in settlement.dead_letters]
            await self._commit([*settlement.commit, *letters])
        # what it remembers of records that are run again was not committed; of an outage before any it remembers nothing
        if not all(map(_is_outage, handled.outcomes)):
            await self._handler.start()
        if settlement.waits_for:
            await self._wait(settlement.waits_for)

    async def _handled(self, records: Sequence[Record]) -> HandledBatch:
        try:
            return await self._handler.handle(records)
        except BrokenPool as broken:
            for record in broken.suspects:
                await self._log_thread.write(partial(self._log_thread.log.count_crash, self.name, record))
            raise

    async def _commit_all(
        self, done: Sequence[tuple[Record, tuple[Message, ...]]], in_transaction: Callable[[], None] | None
    ) -> None:
        """Commit all of a batch; what fails in its transaction is a crash of its first record.

        Raises:
            Transient: the data file can't be written, and the process ends; the next start runs the batch again.
        """
        try:
            await self._commit(done, in_transaction)
        except (Misconfigured, Transient):
            raise
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
        if self.waits_for:
            log.info("going on", consumer=self.name)
        self.waits_for, self._retries = None, STEP.delays()
        count_outcomes(self.name, [outcome for _, outcome in done])

    async def _write(
        self,
        records: Sequence[Record],
        messages: Sequence[Message],
        in_transaction: Callable[[], None] | None,
    ) -> None:
        offsets = {record.topic: record.offset + 1 for record in records}
        firsts = {record.topic: record.offset for record in reversed(records)}
        database = self._log_thread.log
        await self._log_thread.write(
            lambda: database.commit(self.name, offsets, messages, in_transaction, read_from=firsts)
        )

    async def _count_crash(self, record: Record, error: Exception) -> None:
        count = await self._log_thread.write(lambda: self._log_thread.log.count_crash(self.name, record))
        if isinstance(error, LostChild):
            log.warning(
                "a record is suspect, and is run alone", step=self.name, topic=record.topic, offset=record.offset,
                crashes=count, reason=str(error),
            )  # fmt: skip
            return
        log.error(
            "a step crashed: please report it", step=self.name, topic=record.topic, offset=record.offset,
            crashes=count, exc_info=error,
        )  # fmt: skip

    async def _wait(self, error: Transient) -> None:
        delay = next(self._retries)
        if self.waits_for != str(error):
            log.warning("waiting in place", consumer=self.name, reason=str(error))
        self.waits_for = str(error)
        RETRIES.labels(self.name).inc()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay)


class StepHandler:
    """A step that runs in a thread of this process (one that remembers, or uses little CPU)."""

    def __init__(self, step: Step, settings: Settings, log_thread: LogThread) -> None:
        """Nothing is loaded before `start`."""
        self._step, self._settings, self._log_thread = step, settings, log_thread
        self._work: Work | None = None

    async def start(self) -> None:
        """Load the step, and restore its state from the log."""
        work = await asyncio.to_thread(Work, self._step, self._settings)
        if self._step.state:
            chunks = self._log_thread.log.record_chunks(self._step.state.name)
            while chunk := await self._log_thread.run(lambda: next(chunks, None)):
                await asyncio.to_thread(_restore, work, chunk)
        self._work = work
        publish_window(self._step.name, work.sizes())

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        """Work in a thread."""
        work = self._work
        assert work is not None, "started before it handles"
        name, deadline_s = self._step.name, self._settings.steps.deadline_s
        try:
            outcomes = await run_in_thread(name, lambda: work(records), deadline_s)
        except OverDeadline:
            outcomes = late_outcomes(name, len(records), deadline_s)
        publish_window(name, work.sizes())
        return HandledBatch(outcomes)


class PoolHandler:
    """A step that runs in the pool of processes."""

    def __init__(self, step: Step, pool: StepPool) -> None:
        """The pool loads the step."""
        self._step, self._pool = step, pool

    async def start(self) -> None:
        """Nothing to load here."""

    async def handle(self, records: Sequence[Record]) -> HandledBatch:
        """Work in the pool; a pool that broke ends the process."""
        return HandledBatch(await self._pool.run(self._step, records))


def _is_outage(outcome: Outcome) -> bool:
    """Whether the world failed before anything was done."""
    return isinstance(outcome, Transient) and not isinstance(outcome, OutOfMemory)


def _restore(work: Work, records: Sequence[Record]) -> None:
    for record in records:
        work.restore(record)
