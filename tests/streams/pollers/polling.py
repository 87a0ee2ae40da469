"""A poller that runs over the in-memory log, quick enough for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from config.settings import Poll
from streams.pollers import poll_feeds
from streams.pollers.feed import Feed
from streams.pollers.state import FeedState, unpack_state
from tests.streams.pollers.conftest import MemoryLog, WebServer


def document(*numbers: int) -> bytes:
    items = "".join(
        f"<item><title>Story {n}</title><guid>tag:wire.example,2026:{n}</guid></item>" for n in numbers
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()
    )


def settings(web: WebServer, **changed: object) -> Poll:
    quick = Poll(
        min_interval_s=0.05, max_interval_s=0.1, first_interval_s=0.05, max_backoff_s=0.3, host_delay_s=0.0,
        connect_timeout_s=1.0, read_timeout_s=0.5, total_timeout_s=1.0, max_body_bytes=200_000,
        allowed_addresses=(f"127.0.0.1:{web.port}",),
    )  # fmt: skip
    return replace(quick, **changed)


@asynccontextmanager
async def polling(log: MemoryLog, feeds: list[Feed], told: Poll) -> AsyncIterator[None]:
    """A poller that runs within the block."""
    stop = asyncio.Event()
    running = asyncio.create_task(poll_feeds(feeds, told, log, log, stop, random=lambda: 0.5))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 10)


async def outcome_of(log: MemoryLog, web: WebServer, path: str = "/rss", **changed: object) -> FeedState:
    """The state after the first poll of one feed."""
    async with polling(log, [Feed("f", web.url(path))], settings(web, **changed)):
        await log.until(lambda: "f" in log.states)
    return unpack_state(log.states["f"])


@asynccontextmanager
async def at_once(_host: str) -> AsyncIterator[None]:
    """No host has limits."""
    yield
