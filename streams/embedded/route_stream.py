"""A route of the embedded runtime, followed: over HTTP as server-sent events, or read from the log by another process.

Each event has the offset in its topic as id, so a reader that comes back with ``Last-Event-ID`` misses nothing and
gets nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from aiohttp import web
from msgspec import Struct

from processors.numbers import parse_int64
from sinks.desk.operations import Operation, Parameter, add_operations, json_response
from sinks.listener import stream_limit
from sinks.routes.router import route_topic
from streams.embedded.log import Log, LogThread
from streams.messages import Record
from streams.routing import RuleBook

START: Final = "start"  # as `after`: from the oldest event that is kept
# Without a line for longer, proxies take a stream for dead (nginx after 60 s); shorter is traffic for nothing.
HEARTBEAT_S: Final = 15.0
BATCH_RECORDS: Final = 100  # fewer make more queries; more hold up the log's thread, and with it every step
# Batches that are kept for other readers who stand there. Fewer, and readers that catch up read each for itself; more
# keep long events in memory.
MAX_BATCHES: Final = 8
# Open streams of all routes: more share one process's time and files; with fewer a large newsroom is turned away.
MAX_READERS: Final = 200
# Between two looks for new events, while others are written. Shorter wakes all readers at every commit, longer is delay.
LOOK_INTERVAL_S: Final = 0.1
POLL_INTERVAL_S: Final = 0.5  # of another process's log: shorter costs queries, longer is delay


class _TopicEnd:
    """Where a topic ends: looked up by one task for all its readers, and only while there are any."""

    def __init__(self, topic: str, log_thread: LogThread) -> None:
        self.offset = 0
        self._topic, self._log_thread = topic, log_thread
        self._changed = asyncio.Condition()
        self._readers = 0
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Know the end while the block runs."""
        self._readers += 1
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._follow(), name=f"end of {self._topic}")
            self.offset = await self._log_thread.run(self._read_end)
            yield
        finally:
            self._readers -= 1
            if not self._readers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def wait_beyond(self, offset: int, seconds: float) -> bool:
        """Wait so long for records behind an offset; whether there are any."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self.offset > offset)
        return self.offset > offset

    async def _follow(self) -> None:
        while True:
            seen = self._log_thread.commit_count
            end = await self._log_thread.run(self._read_end)
            if end != self.offset:
                async with self._changed:
                    self.offset = end
                    self._changed.notify_all()
            await self._log_thread.wait_for_commit(seen)
            await asyncio.sleep(LOOK_INTERVAL_S)

    def _read_end(self) -> int:
        return self._log_thread.log.end_offset(self._topic)


class RouteTopic(Struct, frozen=True):
    """A route, and the topic that its stories go to."""

    name: str
    topic: str


class RouteList(Struct, frozen=True):
    """The routes in the order of their file."""

    routes: tuple[RouteTopic, ...]


class RouteStream:
    """``/api/routes`` and ``/api/routes/NAME/stream``."""

    def __init__(self, book: RuleBook, log_thread: LogThread) -> None:
        """Streams the topics of the rules in force."""
        self._book = book
        self._log_thread = log_thread
        self._readers = 0
        self._reading = asyncio.Semaphore(1)  # on the log's thread, where steps wait their turn as well
        self._batches: dict[tuple[str, int], asyncio.Future[tuple[int, bytes]]] = {}
        self._ends: dict[str, _TopicEnd] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add_to(self, app: web.Application) -> None:
        """Add the addresses; open streams end when the application does."""
        parameters = (
            Parameter("name", "The name of a route.", where="path"),
            Parameter("after", "Go on behind this event: its id; or `start`, from the oldest that is kept."),
            Parameter("Last-Event-ID", "The same, as browsers send it.", where="header"),
        )
        stream = Operation(
            "GET",
            "/api/routes/{name}/stream",
            self.answer,
            parameters=parameters,
            media_type="text/event-stream",
        )
        add_operations(app, [Operation("GET", "/api/routes", self.list, RouteList), stream])
        app.on_shutdown.append(self._close)

    async def list(self, _request: web.Request) -> web.Response:
        """The names of the routes and their topics."""
        return json_response(
            {"routes": [{"name": rule.name, "topic": rule.topic} for rule in self._book.rules]}
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send events until the reader goes; from now on, after ``Last-Event-ID`` or `after`, or from the ``start``."""
        name = request.match_info["name"]
        if name not in self._book.names:
            raise web.HTTPNotFound
        topic = route_topic(name)
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
        sending = asyncio.create_task(self._send(response, topic, offset))
        self._tasks.add(sending)
        sending.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait([sending])
        finally:
            sending.cancel()
        if (
            not sending.cancelled()
            and (error := sending.exception())
            and not isinstance(error, ConnectionError)
        ):
            raise error
        return response

    async def _send(self, response: web.StreamResponse, topic: str, offset: int) -> None:
        end = self._ends.setdefault(topic, _TopicEnd(topic, self._log_thread))
        async with end.watch():
            while True:
                if end.offset > offset:
                    offset, events = await self._read_batch(topic, offset, end.offset)
                    if events:  # an empty chunk would end the answer
                        await response.write(events)
                elif not await end.wait_beyond(offset, HEARTBEAT_S):
                    await response.write(b": still here\n\n")

    async def _read_batch(self, topic: str, offset: int, end: int) -> tuple[int, bytes]:
        """Events from an offset on, and where they end: read once for all readers that stand there.

        What the log has forgotten between an offset and the end is passed over.
        """
        key = (topic, offset)
        reading = self._batches.pop(key, None) or asyncio.ensure_future(self._read_in_turn(topic, offset))
        self._batches[key] = reading
        while len(self._batches) > MAX_BATCHES:
            del self._batches[next(iter(self._batches))]
        following, events = await asyncio.shield(reading)
        return (following, events) if following > offset else (end, b"")

    async def _read_in_turn(self, topic: str, offset: int) -> tuple[int, bytes]:
        async with self._reading:
            return await self._log_thread.run(partial(_read_events, self._log_thread.log, topic, offset))

    async def _close(self, _app: web.Application) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _read_events(log: Log, topic: str, offset: int) -> tuple[int, bytes]:
    """The events from an offset on as they are sent, and the offset behind them."""
    records = log.records(topic, offset, BATCH_RECORDS)
    events = b"".join(format_event(record) for record in records if record.value)
    return (records[-1].offset + 1 if records else offset), events


def format_event(record: Record) -> bytes:
    """A record as a server-sent event; JSON has no line breaks of its own. Without a name, ``onmessage`` of a browser gets it."""
    return b"id: %d\ndata: %b\n\n" % (record.offset, record.value)


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
