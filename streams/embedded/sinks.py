"""The driver of sinks in the embedded runtime: each is a consumer of the log (`streams.embedded.consumer`).

A sink's position is committed with its offsets, in one transaction, so that kill -9 at any moment loses and repeats
nothing where a sink has positions, and repeats at most one batch where it has none.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from typing import Final

import structlog

from processors.errors import Rejected, Transient
from sinks.ports import Sink, Written
from streams.embedded.consumer import Access, Handled
from streams.messages import Record
from streams.sinks import decode_records, merge_outcomes
from streams.topology import SinkStep

UNPLACED: Final = -1  # in place of the position of a sink that has begun and has none
log = structlog.get_logger("wiredesk.embedded")


class SinkHandler:
    """Writes the records of one consumer to a sink."""

    def __init__(self, step: SinkStep, sink: Sink, access: Access) -> None:
        """Nothing is opened before `start`."""
        self._step, self._sink, self._access = step, sink, access
        self._is_open = False
        self.name = f"{step.name}:{sink.target}" if sink.target else step.name

    async def start(self) -> None:
        """Open the sink at its last committed position; one that is down is waited for with the first records."""
        if self._step.begins == "now":
            await self._access.write(self._begin)
        try:
            await self._open()
        except Transient as error:
            log.warning("a sink is down", sink=self.name, reason=str(error))

    async def handle(self, records: Sequence[Record]) -> Handled:
        """Decode and write. What the sink does in the log's file is done in the transaction of the offsets."""
        decoded = await asyncio.to_thread(decode_records, self._step, records)
        events = [each for each in decoded if not isinstance(each, Rejected)]
        try:
            if not self._is_open:
                await self._open()
            written = await self._sink.write(events) if events else Written([])
        except Transient as error:
            self._is_open = False
            return Handled([error] * len(records))
        outcomes = merge_outcomes(decoded, written.outcomes)
        return Handled([outcome or () for outcome in outcomes], functools.partial(self._finish, written))

    async def close(self) -> None:
        """Close the sink."""
        await self._sink.close()

    async def _open(self) -> None:
        self._is_open = False
        committed = await self._access.read(lambda: self._access.log.marked(self.name))
        position = await self._sink.open(None if committed == UNPLACED else committed)
        if position is not None and position != committed:
            await self._access.write(lambda: self._access.log.mark(self.name, position))
        self._is_open = True

    def _begin(self) -> None:
        """Leave out what the topics held before the first start."""
        database = self._access.log
        if database.marked(self.name) is None:
            ends = {topic.name: database.end(topic.name) for topic in self._step.reads}
            database.commit(self.name, ends, in_transaction=lambda: database.mark(self.name, UNPLACED))

    def _finish(self, written: Written) -> None:
        if written.in_transaction:
            written.in_transaction(self._access.log.connection)
        if written.position is not None:
            self._access.log.mark(self.name, written.position)
