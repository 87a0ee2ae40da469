"""Alerts for open pages, as server-sent events: ``/api/alerts/stream``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import orjson
import structlog
from aiohttp import web

from processors.errors import Transient
from processors.numbers import parse_int64
from sinks.alerts.messages import AlertMessage, describe_message
from sinks.alerts.ports import AlertStore
from sinks.desk.access import CALLER
from sinks.desk.server_events import STILL_HERE, StreamReaders, send_stream
from sinks.search import BadCursor

STREAM_INTERVAL_S: Final = 1.0  # between two questions of all readers together; longer rings late
MAX_STREAMED_MESSAGES: Final = 100  # at a question: more hold up the store, fewer ring late after an outage
NumberedMessages = Sequence[tuple[AlertMessage, bytes]]
log = structlog.get_logger("wiredesk.desk")


class AlertStream:
    """``/api/alerts/stream``: one task asks the store, and every open page gets what is for its reader."""

    def __init__(self, store: AlertStore, desk: str) -> None:
        """Nothing is asked before the first reader; `desk` is the desk's public address."""
        self._store, self._desk = store, desk
        self._readers: StreamReaders[NumberedMessages] = StreamReaders()
        self._task: asyncio.Task[None] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Alerts for open pages, as server-sent events: those of the reader's own searches."""
        self._readers.check_room()
        text = request.headers.get("Last-Event-ID") or request.query.get("after")
        after = None if text is None else parse_int64(text)
        if text is not None and after is None:
            raise BadCursor
        owner = request[CALLER].name if CALLER in request else ""
        return await send_stream(request, self._chunks(after, owner))

    async def close(self) -> None:
        """End the stream of every reader."""
        self._readers.close()
        if self._task:
            self._task.cancel()

    async def _chunks(self, after: int | None, owner: str) -> AsyncIterator[bytes]:
        with self._readers.join() as queue:
            await self._start()
            sent = 0
            while after is not None:
                missed, following = await self._store.page_messages(after, MAX_STREAMED_MESSAGES)
                after = following if missed else None
                sent = max([sent, *(message.number for message in missed)])
                if own := _own_messages(await self._encode(missed), owner, 0):
                    yield own
            async for batch in self._readers.batches(queue):
                if batch is None:
                    yield STILL_HERE
                elif own := _own_messages(batch, owner, sent):
                    yield own

    async def _start(self) -> None:
        """Start the task that asks the store, so that nothing is lost between what a reader missed and what comes."""
        if self._task is None or self._task.done():
            _, begin = await self._store.page_messages(None, 1)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._watch(begin), name="alert stream")

    async def _watch(self, after: int) -> None:
        while self._readers:
            await asyncio.sleep(STREAM_INTERVAL_S)
            try:
                messages, after = await self._store.page_messages(after, MAX_STREAMED_MESSAGES)
                batch = await self._encode(messages)
            except Transient as error:
                log.warning("the store does not answer", reason=str(error))
                continue
            if batch:
                self._readers.hand_out(batch)

    async def _encode(self, messages: Sequence[AlertMessage]) -> list[tuple[AlertMessage, bytes]]:
        encoded = []
        for message in messages:
            body = describe_message(message, await self._store.alerts_of(message), self._desk)
            encoded.append((message, b"id: %d\ndata: %b\n\n" % (message.number, orjson.dumps(body))))
        return encoded


def _own_messages(messages: NumberedMessages, owner: str, sent: int) -> bytes:
    return b"".join(
        encoded for message, encoded in messages if message.number > sent and message.owner == owner
    )
