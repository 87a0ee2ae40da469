"""Streams of server-sent events (WHATWG HTML, 9.2): who reads one, and how what comes reaches each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

import structlog
from aiohttp import web

from sinks.listener import stream_limit

# Between signs of life on a quiet stream. Proxies end silent connections after 30 to 60 s; more often is only traffic.
HEARTBEAT_S: Final = 15.0
# Batches that a slow reader may be behind before it is let go: more take memory for each such reader, fewer let go of
# readers whose network pauses for a moment.
MAX_WAITING_BATCHES: Final = 64
# Open streams of one kind: more share one process's time and files; with fewer a newsroom of 200 is turned away where some
# come back before it is noticed that they were gone.
MAX_READERS: Final = 250
STILL_HERE: Final = b": still here\n\n"
StreamBatch = TypeVar("StreamBatch")
log = structlog.get_logger("wiredesk.desk")


class StreamReaders(Generic[StreamBatch]):
    """The open streams of one kind: each has a queue of its own, and whoever falls too far behind is let go."""

    def __init__(self) -> None:
        """Nobody reads."""
        self._queues: set[asyncio.Queue[StreamBatch | None]] = set()

    def __bool__(self) -> bool:
        """Whether anybody reads."""
        return bool(self._queues)

    def check_room(self) -> None:
        """Turn a reader away where there are too many.

        Raises:
            web.HTTPServiceUnavailable: there are.
        """
        if len(self._queues) >= stream_limit(MAX_READERS):
            raise web.HTTPServiceUnavailable(
                text="too many open streams; close one", headers={"Retry-After": "30"}
            )

    @contextmanager
    def join(self) -> Iterator[asyncio.Queue[StreamBatch | None]]:
        """A reader's queue, from now until he leaves."""
        queue: asyncio.Queue[StreamBatch | None] = asyncio.Queue(MAX_WAITING_BATCHES)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    async def batches(self, queue: asyncio.Queue[StreamBatch | None]) -> AsyncIterator[StreamBatch | None]:
        """What comes, until the reader is let go; None is a time in which nothing came."""
        while True:
            try:
                batch = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield None
                continue
            if batch is None:
                return
            yield batch

    def hand_out(self, batch: StreamBatch) -> None:
        """Give a batch to every reader."""
        for queue in tuple(self._queues):
            try:
                queue.put_nowait(batch)
            except asyncio.QueueFull:
                self._queues.discard(queue)
                _let_go(queue)

    def close(self) -> None:
        """End the stream of every reader."""
        for queue in self._queues:
            _let_go(queue)


async def send_stream(request: web.Request, chunks: AsyncIterator[bytes]) -> web.StreamResponse:
    """Send chunks as they come, until they end or the reader goes away, which is nobody's fault."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    try:
        await response.write(b"retry: 3000\n\n")
        async for chunk in chunks:
            await response.write(chunk)
    except ConnectionResetError:
        log.debug("a reader left", path=request.path)
    return response


def _let_go(queue: asyncio.Queue[StreamBatch | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
