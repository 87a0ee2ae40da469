"""The driver of sinks in the embedded runtime: each is a consumer of the log (`streams.embedded.consumer`).

A sink's position is committed with its offsets, in one transaction, so that kill -9 at any moment loses and repeats
nothing where a sink has positions, and repeats at most one batch where it has none.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence

import structlog

from processors.errors import Rejected, Transient
from sinks.ports import Sink, WriteResult
from streams.embedded.consumer import HandledBatch
from streams.embedded.log import LogThread
from streams.messages import Record
from streams.sinks import decode_records, merge_outcomes
from streams.topology import SinkStep

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
