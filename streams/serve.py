"""``wiredesk run`` put together: the embedded runtime, the pollers, the bundled samples and the desk."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web

from config.errors import Misconfigured
from config.settings import HERE, Settings
from processors.story import RawItem
from sinks.desk.app import make_app
from sinks.desk.views import FeedHealth
from sinks.search import StorySearch
from streams.local import Embedded
from streams.pollers import poll
from streams.pollers.feeds import Feed, load
from streams.pollers.health import read_health

SAMPLES: Final = HERE / "samples"
DRAIN_SECONDS: Final = 8.0  # for what is in flight at the end; the rest stays in the log
METRICS_SECONDS: Final = 5.0
log = structlog.get_logger("wiredesk")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    data: Path
    events: Path | None = None
    desk: bool = True
    poll: bool = True
    samples: bool = False


class FeedList:
    """Feed health for the desk (`sinks.desk.ports.Feeds`)."""

    def __init__(self, feeds: Sequence[Feed], runtime: Embedded) -> None:
        """Reads the pollers' states."""
        self._feeds, self._runtime = feeds, runtime

    async def list(self) -> Sequence[FeedHealth]:
        """The health of every feed, in the order of the list."""
        states = await self._runtime.feed_states.load()
        return [read_health(feed, states.get(feed.id, b"")) for feed in self._feeds]


async def serve(settings: Settings, options: Options, stop: asyncio.Event) -> None:
    """Run until `stop`, then finish what is in flight.

    Raises:
        Misconfigured: a setting can't be followed: no such feeds file, the port is taken, no such folder.
    """
    feeds = load(settings.poll.feeds) if options.poll else ()
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(Embedded(settings, options.data, options.events))
        if options.desk:
            await stack.enter_async_context(_desk(settings, runtime, feeds))
        log.info("wiredesk runs", data=str(options.data), feeds=len(feeds))
        if options.samples:
            await publish_samples(runtime)
        polling = asyncio.create_task(
            poll(feeds, settings.poll, runtime.outlet, runtime.feed_states, stop, on_gap=runtime.outlet.gap)
        )
        await _first(polling, asyncio.create_task(stop.wait()), asyncio.create_task(runtime.failed()))
        stop.set()
        await polling
        if not await runtime.drain(DRAIN_SECONDS):
            log.info("the rest stays in the log for the next start")


async def publish_samples(runtime: Embedded) -> None:
    """Publish the bundled samples, once for each version of them."""
    paths = sorted(path for path in SAMPLES.iterdir() if path.is_file() and path.suffix != ".md")
    payloads = [path.read_bytes() for path in paths]
    version = hashlib.sha256(b"\0".join(payloads)).digest()
    if (await runtime.feed_states.load()).get("samples") == version:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    items = [
        RawItem(payload, now, feed="samples", url=f"samples/{path.name}", source="wiredesk samples")
        for path, payload in zip(paths, payloads, strict=True)
    ]
    await runtime.outlet.publish(items)
    await runtime.feed_states.save("samples", version)
    log.info("the samples are in", documents=len(items))


class _desk:  # noqa: N801 -- used like a function
    """The desk's server, as an asynchronous context manager."""

    def __init__(self, settings: Settings, runtime: Embedded, feeds: Sequence[Feed]) -> None:
        self._settings = settings.desk
        self._search = StorySearch(runtime.path)
        app = make_app(self._search, FeedList(feeds, runtime), settings.desk, runtime)
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> None:
        await self._runner.setup()
        host, port = self._settings.host, self._settings.port
        try:
            await web.TCPSite(self._runner, host, port, shutdown_timeout=1.0).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Misconfigured(
                f"the desk can't listen on {host}:{port} ({error.strerror}); choose another port with --port"
            ) from error
        address = self._runner.addresses[0]
        log.info("the desk is open", url=f"http://{address[0]}:{address[1]}/")

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def _first(*tasks: asyncio.Task[object]) -> None:
    """Return when the first task ends, raising what it raised; the others go on, but for waits."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks[1:]:
        if not task.done():
            task.cancel()
    for task in done:
        task.result()
