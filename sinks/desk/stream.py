"""New stories as they come: one watcher asks the store, every open page gets what it finds (``text/event-stream``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import orjson
import structlog
from aiohttp import web

from processors.errors import Transient
from processors.model.codec import to_builtins
from sinks.desk.ports import Stories
from sinks.desk.views import Arrivals

INTERVAL_S: Final = 1.0
HEARTBEAT_S: Final = 15.0
WAITING: Final = 64  # batches that a slow reader may be behind before it is let go
READERS: Final = 200
log = structlog.get_logger("wiredesk.desk")


class Wire:
    """Watches a store and hands what arrives to every reader. The watcher runs only while somebody reads."""

    def __init__(self, stories: Stories, interval_s: float = INTERVAL_S) -> None:
        """Nothing is asked before the first reader."""
        self._stories = stories
        self._interval_s = interval_s
        self._readers: set[asyncio.Queue[Arrivals | None]] = set()
        self._task: asyncio.Task[None] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send stories as events until the reader goes away: each at least once.

        ``Last-Event-ID``, or ``after``, goes on where a reader lost us.
        """
        if len(self._readers) >= READERS:
            raise web.HTTPServiceUnavailable(
                text="too many open streams; close one", headers={"Retry-After": "30"}
            )
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        await response.write(b"retry: 3000\n\n")
        cursor = request.headers.get("Last-Event-ID") or request.query.get("after")
        async for chunk in self._chunks(cursor):
            await response.write(chunk)
        return response

    async def close(self) -> None:
        """Let every reader go."""
        for reader in self._readers:
            reader.put_nowait(None)
        if self._task:
            self._task.cancel()

    async def _chunks(self, cursor: str | None) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[Arrivals | None] = asyncio.Queue(WAITING)
        self._readers.add(queue)
        try:
            await self._start()
            while cursor:
                missed = await self._stories.arrivals(cursor)
                cursor = missed.cursor if missed.hits else None
                yield _events(missed)
            while True:
                try:
                    came = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if came is None:
                    return
                yield _events(came)
        finally:
            self._readers.discard(queue)

    async def _start(self) -> None:
        """Watch from this moment on, so that nothing falls between what a reader missed and what comes."""
        if self._task is None or self._task.done():
            cursor = (await self._stories.arrivals(None)).cursor
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._watch(cursor), name="desk stream")

    async def _watch(self, cursor: str) -> None:
        """Ask the store again and again while there are readers."""
        while self._readers:
            try:
                came = await self._stories.arrivals(cursor)
            except Transient as error:
                log.warning("the store does not answer", reason=str(error))
            else:
                cursor = came.cursor
                if came.hits:
                    self._hand_out(came)
            await asyncio.sleep(self._interval_s)

    def _hand_out(self, came: Arrivals) -> None:
        for reader in tuple(self._readers):
            try:
                reader.put_nowait(came)
            except asyncio.QueueFull:
                self._readers.discard(reader)
                while not reader.empty():
                    reader.get_nowait()
                reader.put_nowait(None)


def _events(came: Arrivals) -> bytes:
    """One event a story; only the last carries the cursor, so that a broken batch is sent again as a whole.

    Old news that a back-fill brings is no arrival; its kills are.
    """
    hits = [hit for hit in came.hits if not hit.backfill or hit.relation == "kill"]
    lines = [f"id: {came.cursor}\n\n".encode()] if came.hits and not hits else []
    for number, hit in enumerate(hits, 1):
        cursor = f"id: {came.cursor}\n".encode() if number == len(hits) else b""
        lines.append(cursor + b"event: story\ndata: " + orjson.dumps(to_builtins(hit)) + b"\n\n")
    return b"".join(lines)
