"""A route of the embedded runtime, followed: over HTTP as server-sent events, or read from the log by another process.

Each event has the offset in its topic as id, so a reader that comes back with ``Last-Event-ID`` misses nothing and
gets nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from processors.numbers import parse_int64
from sinks.listener import stream_limit
from sinks.routes.router import RouteRule
from streams.embedded.log import Log, LogThread
from streams.messages import Record

START: Final = "start"  # as `after`: from the oldest event that is kept
# Without a line for longer, proxies take a stream for dead (nginx after 60 s); shorter is traffic for nothing.
HEARTBEAT_S: Final = 15.0
BATCH_RECORDS: Final = 100  # fewer make more queries; more hold up the log's thread, and with it every step
# Batches that are kept for other readers who stand there. Fewer, and readers that catch up read each for itself; more
# keep long events in memory.
MAX_BATCHES: Final = 8
# Open streams of all routes: more share one process's time and files; with fewer a large newsroom is turned away.
MAX_READERS: Final = 200
POLL_INTERVAL_S: Final = 0.5  # of another process's log: shorter costs queries, longer is delay


@dataclass(frozen=True, slots=True)
class _Batch:
    """Events from one offset on; `commit_count` was the log's before they were read."""

    commit_count: int
    reading: asyncio.Future[tuple[int, bytes]]


class RouteStream:
    """``/api/routes`` and ``/api/routes/NAME/stream``."""

    def __init__(self, rules: Sequence[RouteRule], log_thread: LogThread) -> None:
        """Streams the topics of the rules."""
        self._topics = {rule.name: rule.topic for rule in rules}
        self._log_thread = log_thread
        self._closing = False
        self._readers = 0
        self._batches: dict[tuple[str, int], _Batch] = {}

    def add_to(self, app: web.Application) -> None:
        """Add the addresses; open streams end when the application does."""
        app.add_routes([web.get("/api/routes", self.list), web.get("/api/routes/{name}/stream", self.answer)])
        app.on_shutdown.append(self._close)

    async def list(self, _request: web.Request) -> web.Response:
        """The names of the routes and their topics."""
        return web.json_response({"routes": [{"name": n, "topic": t} for n, t in self._topics.items()]})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send events until the reader goes; from now on, after ``Last-Event-ID`` or `after`, or from the ``start``."""
        topic = self._topics.get(request.match_info["name"])
        if topic is None:
            raise web.HTTPNotFound
        if self._readers >= stream_limit(MAX_READERS):
            raise web.HTTPServiceUnavailable(
                text="too many open streams; close one", headers={"Retry-After": "30"}
            )
        self._readers += 1
        try:
            return await self._stream(request, topic, await self._first_offset(request, topic))
        finally:
            self._readers -= 1

    async def _first_offset(self, request: web.Request, topic: str) -> int:
        after = request.headers.get("Last-Event-ID") or request.query.get("after")
        if after is None:
            return await self._log_thread.run(lambda: self._log_thread.log.end_offset(topic))
        if after == START:
            return 0
        if (last := parse_int64(after)) is not None:
            return last + 1
        raise web.HTTPBadRequest(text="after is the id of an event, or start")

    async def _stream(self, request: web.Request, topic: str, offset: int) -> web.StreamResponse:
        headers = {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(b"retry: 3000\n\n")
        with suppress(ConnectionError):
            await self._send(response, topic, offset)
        return response

    async def _send(self, response: web.StreamResponse, topic: str, offset: int) -> None:
        last_write = time.monotonic()
        while not self._closing:
            seen = self._log_thread.commit_count
            following, events = await self._read_batch(topic, offset, seen)
            is_end, offset = following == offset, following
            if events:
                await response.write(events)
            if not is_end or time.monotonic() - last_write > HEARTBEAT_S:
                last_write = time.monotonic()
                await response.write(b": still here\n\n")
            if is_end:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._log_thread.wait_for_commit(seen), HEARTBEAT_S)

    async def _read_batch(self, topic: str, offset: int, commit_count: int) -> tuple[int, bytes]:
        """The events from an offset on, and where they end: read once for all readers that stand there.

        What was read before the commit that a reader knows of is read again.
        """
        key = (topic, offset)
        batch = self._batches.pop(key, None)
        if batch is None or batch.commit_count < commit_count:
            reading = self._log_thread.run(partial(_read_events, self._log_thread.log, topic, offset))
            batch = _Batch(commit_count, asyncio.ensure_future(reading))
        self._batches[key] = batch
        while len(self._batches) > MAX_BATCHES:
            del self._batches[next(iter(self._batches))]
        return await asyncio.shield(batch.reading)

    async def _close(self, _app: web.Application) -> None:
        self._closing = True
        await self._log_thread.wake_waiters()


def _read_events(log: Log, topic: str, offset: int) -> tuple[int, bytes]:
    """The events from an offset on as they are sent, and the offset behind them."""
    records = log.records(topic, offset, BATCH_RECORDS)
    events = b"".join(format_event(record) for record in records if record.value)
    return (records[-1].offset + 1 if records else offset), events


def format_event(record: Record) -> bytes:
    """A record as a server-sent event; JSON has no line breaks of its own."""
    return b"id: %d\nevent: story\ndata: %b\n\n" % (record.offset, record.value)


def follow_topic(log: Log, topic: str, after: int | None, *, once: bool) -> Iterator[Record]:
    """The records of a topic after an offset (None: from now on), for ever or, `once`, to its end; no tombstones."""
    offset = log.end_offset(topic) if after is None else after + 1
    while True:
        records = log.records(topic, offset, BATCH_RECORDS)
        for record in records:
            offset = record.offset + 1
            if record.value:
                yield record
        if not records:
            if once:
                return
            time.sleep(POLL_INTERVAL_S)
