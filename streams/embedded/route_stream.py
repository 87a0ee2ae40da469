"""A route of the embedded runtime, followed: over HTTP as server-sent events, or read from the log by another process.

Each event has the offset in its topic as id, so a reader that comes back with ``Last-Event-ID`` misses nothing and
gets nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from aiohttp import web

from processors.numbers import whole
from sinks.routes.router import Rule
from streams.embedded.consumer import Access
from streams.embedded.log import Log
from streams.messages import Record

START: Final = "start"  # as `after`: from the oldest event that is kept
HEARTBEAT_S: Final = 15.0
BATCH: Final = 100
LOOK_S: Final = 0.5


class RouteStream:
    """``/api/routes`` and ``/api/routes/NAME/stream``."""

    def __init__(self, rules: Sequence[Rule], access: Access) -> None:
        """Streams the topics of the rules."""
        self._topics = {rule.name: rule.topic for rule in rules}
        self._access = access
        self._closing = False

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
        told = request.headers.get("Last-Event-ID") or request.query.get("after")
        if told is None:
            offset = await self._access.read(lambda: self._access.log.end(topic))
        elif told == START:
            offset = 0
        elif (last := whole(told)) is not None:
            offset = last + 1
        else:
            raise web.HTTPBadRequest(text="after is the id of an event, or start")
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
        spoke = time.monotonic()
        while not self._closing:
            seen = self._access.commits
            records = await self._access.read(lambda at=offset: self._access.log.records(topic, at, BATCH))  # type: ignore[misc]  # a default binds
            for record in records:
                offset = record.offset + 1
                if record.value:
                    await response.write(event(record))
            if records or time.monotonic() - spoke > HEARTBEAT_S:
                spoke = time.monotonic()
                await response.write(b": still here\n\n")
            if not records:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._access.changed(seen), HEARTBEAT_S)

    async def _close(self, _app: web.Application) -> None:
        self._closing = True
        await self._access.wake()


def event(record: Record) -> bytes:
    """A record as a server-sent event; JSON has no line breaks of its own."""
    return b"id: %d\nevent: story\ndata: %b\n\n" % (record.offset, record.value)


def follow(log: Log, topic: str, after: int | None, *, once: bool) -> Iterator[Record]:
    """The records of a topic after an offset (None: from now on), for ever or, `once`, to its end; no tombstones."""
    offset = log.end(topic) if after is None else after + 1
    while True:
        records = log.records(topic, offset, BATCH)
        for record in records:
            offset = record.offset + 1
            if record.value:
                yield record
        if not records:
            if once:
                return
            time.sleep(LOOK_S)
