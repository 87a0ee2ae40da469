"""``wiredesk run`` put together: the embedded runtime, the pollers, the bundled samples and the desk."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

import structlog

from config import Misconfigured
from config.files import find_file
from config.settings import Settings
from processors.errors import Transient
from sinks.desk.app import make_app
from sinks.desk.changes import FILE_NAME as CHANGES_FILE
from sinks.desk.changes import ChangeLog
from sinks.desk.control import DeskControls
from sinks.desk.ports import AlertDesk, DeskExtras, FirstSteps
from sinks.desk.raw_items import RawItems
from sinks.desk.tokens import open_token_file
from sinks.listener import serve as serve_app
from sinks.routes.router import RouteRule
from sinks.sqlite.writer import StorySearch
from sinks.stories import now_ms
from streams.alerts.senders import target_limits
from streams.embedded.data_file import DATABASE, open_data_file
from streams.embedded.folder_lock import FolderLock
from streams.embedded.maintenance import EmbeddedDeadLetters
from streams.embedded.outlets import HandOnOutlet
from streams.embedded.route_stream import RouteStream
from streams.embedded.runtime import EmbeddedRuntime
from streams.embedded.samples import SAMPLE_FEED, load_samples, sample_paths
from streams.operations.feeds import FeedDesk
from streams.operations.letters import LetterDesk
from streams.operations.routes import RouteDesk, WebhookDesk
from streams.operator_files import feeds_part, routes_part, watchlists_part, webhooks_part
from streams.pollers import DropWatch, poll_feeds
from streams.pollers.feed import Feed
from streams.pollers.feed_health import PolledFeeds
from streams.pollers.feed_list import FeedBook, load_feeds
from streams.pollers.picture_files import PictureFiles
from streams.pollers.poller import JUDGE_TASK
from streams.raw_items import RawArchive
from streams.reload import FileReloader, ReloadPart, follow_files
from streams.retry import LOG, retry_until_stopped
from streams.sources.declaration import SourceEntry, load_sources
from streams.sources.watch import SourceWatch
from streams.tasks import run_together
from streams.webhooks.targets import Target

SAMPLES_NOTE: Final = "samples"  # under which their version is kept beside what the sinks have written
# For what is in flight at the end; the rest stays in the log. Less leaves more to the next start; with more, a
# supervisor's own patience (10 s is usual before SIGKILL) ends first.
DRAIN_S: Final = 8.0
log = structlog.get_logger("wiredesk")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    data: Path
    desk: bool = True
    poll: bool = True
    samples: bool = False


async def serve(settings: Settings, options: Options, stop: asyncio.Event) -> None:
    """Run until `stop`, then finish what is in flight.

    Raises:
        Misconfigured: a setting can't be followed: no such feeds file, the port is taken, no such folder.
    """
    running = _Running(settings)
    reloader = FileReloader(running.parts(polls=options.poll))
    running.feeds.replace(load_feeds(settings.poll.feeds) if options.poll else ())
    feeds_path = str(find_file(settings.poll.feeds)) if options.poll else ""
    sources = load_sources(settings.poll.sources, running.feeds.feeds)
    # Before threads load the steps: of two threads that import a package at once, one may get it half made.
    import_module("streams.pollers.poller")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(FolderLock(options.data, feeds_path))
        runtime = await _open_runtime(settings, options.data, stop)
        if runtime is None:
            return
        await stack.enter_async_context(runtime)
        running.runtime = runtime
        drop = DropWatch(settings.poll, runtime.outlet)
        if options.desk:
            shown = tuple(entry.feed for entry in sources)
            polled = PolledFeeds(running.feeds, runtime.feed_states.load, others=shown)
            await _open_desk(settings, runtime, polled, drop, stack, polls=options.poll)
        log.info(
            "wiredesk runs", data=str(options.data), feeds=len(running.feeds.feeds), sources=len(sources)
        )
        if options.samples:
            await publish_samples(runtime)
        polling = asyncio.create_task(_poll_all(running.feeds, sources, settings, runtime, drop, stop))
        await stack.enter_async_context(follow_files(reloader, stop))
        await _first(polling, asyncio.create_task(stop.wait()), asyncio.create_task(runtime.failed()))
        stop.set()
        runtime.log_thread.stop_waiting()
        try:
            await polling
        except Transient as error:
            log.warning("what was fetched last is asked for again by the next start", reason=str(error))
        if runtime.log_thread.outage or not await runtime.drain(DRAIN_S):
            log.info("the rest stays in the log for the next start")


async def _poll_all(
    feeds: FeedBook,
    sources: Sequence[SourceEntry],
    settings: Settings,
    runtime: EmbeddedRuntime,
    drop: DropWatch,
    stop: asyncio.Event,
) -> None:
    """Poll feeds, and look at the sources beside them, until `stop`; what fails in one ends both."""
    ledger = runtime.feed_states
    watch = SourceWatch(sources, settings.poll, ledger, clock=time.time, random=random.random, stop=stop)
    polling = poll_feeds(
        feeds, settings.poll, runtime.outlet, ledger, stop, push=settings.push, drop=drop, pool=runtime.pool
    )
    await run_together(polling, watch.run())


class _Running:
    """What of this process the operator's files change while it runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.feeds = FeedBook()
        self.runtime: EmbeddedRuntime | None = None

    def parts(self, *, polls: bool) -> list[ReloadPart]:
        """What is read again; the routes before the webhooks, which name them."""
        settings = self._settings
        parts = [routes_part(settings, self._use_rules)] if settings.routes.file else []
        parts += [webhooks_part(settings, self._use_targets), watchlists_part(settings, self._renew_tagger)]
        return [feeds_part(settings, self._use_feeds), *parts] if polls else parts

    async def _use_feeds(self, feeds: Sequence[Feed]) -> None:
        self.feeds.replace(feeds)

    async def _use_rules(self, rules: Sequence[RouteRule]) -> None:
        assert self.runtime, "nothing is reloaded before it runs"
        self.runtime.book.replace(rules)

    async def _use_targets(self, targets: Sequence[Target]) -> None:
        assert self.runtime, "nothing is reloaded before it runs"
        await self.runtime.posted.use(targets)

    async def _renew_tagger(self) -> None:
        assert self.runtime, "nothing is reloaded before it runs"
        await self.runtime.pool.renew("tag")


async def _open_runtime(settings: Settings, data: Path, stop: asyncio.Event) -> EmbeddedRuntime | None:
    """The runtime on its data file, which another process may have locked for a while; None: the stop came first."""

    async def open_it() -> EmbeddedRuntime:
        # once beside the loop, which a locked file would hold up
        await asyncio.to_thread(lambda: open_data_file(data / DATABASE).close())
        return EmbeddedRuntime(settings, data)

    def log_wait(error: Exception, delay: float) -> None:
        log.warning("waiting for the data file", reason=str(error), seconds=round(delay, 1))

    try:
        return await retry_until_stopped(open_it, LOG, stop, before_wait=log_wait)
    except Transient:
        return None


async def publish_samples(runtime: EmbeddedRuntime) -> None:
    """Publish the bundled samples, once for each version of them, as if they had come during the last day."""
    payloads = [path.read_bytes() for path in sample_paths()]
    version = int.from_bytes(hashlib.sha256(b"\0".join(payloads)).digest()[:7])
    log_thread = runtime.log_thread
    if await log_thread.run(lambda: log_thread.log.sink_position(SAMPLES_NOTE)) == version:
        return
    items = list(load_samples(datetime.now(UTC)))
    await runtime.outlet.publish(items, now_ms())
    await log_thread.write(lambda: log_thread.log.save_sink_position(SAMPLES_NOTE, version))
    log.info("the samples are in", documents=len(items))


async def _open_desk(
    settings: Settings,
    runtime: EmbeddedRuntime,
    polled: PolledFeeds,
    drop: DropWatch,
    stack: AsyncExitStack,
    *,
    polls: bool,
) -> None:
    """Serve the desk until the stack ends; Misconfigured where the address can't be had."""
    search = StorySearch(runtime.path, timeout_s=settings.desk.search_timeout_s)
    stack.callback(search.close)
    desk = settings.desk
    checks = {"database": runtime.check, "drop folder": drop.check}
    tokens = open_token_file(settings, runtime.path.parent)
    hand_on = HandOnOutlet(runtime.log_thread, runtime.list_targets) if runtime.list_targets() else None
    pictures = await stack.enter_async_context(PictureFiles(settings)) if desk.pictures else None
    alerts = AlertDesk(runtime.alerts, settings.alerts, target_limits(settings), runtime.wake_alerts)
    steps = FirstSteps(str(runtime.path.parent.resolve()), settings.poll.drop_folder, SAMPLE_FEED)
    extras = DeskExtras(pictures, hand_on, alerts, steps)
    changes = ChangeLog(Path(desk.changes) if desk.changes else runtime.path.with_name(CHANGES_FILE))
    controls = _make_controls(settings, runtime, polled, polls=polls)
    app = make_app(
        search,
        polled,
        desk,
        runtime,
        checks,
        tokens=tokens,
        controls=controls,
        changes=changes,
        extras=extras,
    )
    RouteStream(runtime.book, runtime.log_thread).add_to(app)
    RawItems(search, RawArchive(settings, runtime.read_item, runtime.scan_items)).add_to(app)
    try:
        listener, port = await serve_app(app, desk.host, desk.port)
    except OSError as error:
        reason = f"the desk can't listen on {desk.host}:{desk.port} ({error.strerror})"
        raise Misconfigured(f"{reason}; choose another port with --port (make run: PORT=…)") from error
    stack.push_async_callback(listener.cleanup)
    log.info("the desk is open", url=f"http://{desk.host}:{port}/")


def _make_controls(
    settings: Settings, runtime: EmbeddedRuntime, polled: PolledFeeds, *, polls: bool
) -> DeskControls:
    """What an operator may do here; without feeds (``--no-feeds``) their list is not touched."""
    ask_pool = partial(runtime.pool.run_task, JUDGE_TASK)
    posted = runtime.posted
    return DeskControls(
        feeds=FeedDesk(settings, runtime.feed_states.load, polled.replace, ask_pool) if polls else None,
        letters=LetterDesk(lambda: EmbeddedDeadLetters(runtime.path)),
        routes=RouteDesk(lambda: runtime.book.router),
        webhooks=WebhookDesk(
            lambda: [reader.target for reader in posted.readers], posted.count_waiting, posted.clients
        ),
    )


async def _first(*tasks: asyncio.Task[object]) -> None:
    """Return when the first task ends, raising what it raised; the others go on, but for waits."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks[1:]:
        if not task.done():
            task.cancel()
    for task in done:
        task.result()
