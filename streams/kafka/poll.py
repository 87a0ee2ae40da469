"""Pollers that share the feeds of one list: who polls what, and how one takes over from another.

The state topic's partitions are the shares. They are dealt out by a consumer group, so each belongs to one poller at a
time, and when a poller dies the others get its shares within ``kafka.session_timeout_s``. A feed belongs to the
partition of its host: limits to a host hold only where one process asks it.

A poller that was given partitions fences whoever had them (`streams.kafka.ledger`), reads back what is known of their
feeds, and goes on with validators and seen keys. It starts a request only while it has heard from the group within the
session timeout; one that lost its place without noticing can neither publish nor save.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from aiokafka.errors import KafkaError

from config.settings import Settings
from processors.errors import Transient, Unreachable
from sinks.desk.health import count_feeds
from streams.kafka.cluster import HEARTBEATS, Cluster, drop_result
from streams.kafka.ledger import PartitionLedger, TopicOutlet, feed_partition, read_states
from streams.kafka.publisher import Publisher
from streams.kafka.security import certificates_part
from streams.kafka.service import serve_health
from streams.kafka.topics import POLL_TOPICS, partition_counts, wait_until_ready, watch_topics
from streams.kafka.watchdog import ReaderStanding, Watchdog, join_checks
from streams.operator_files import feeds_part
from streams.pollers import DropWatch, judge_tasks
from streams.pollers.feed import Feed
from streams.pollers.feed_health import read_health
from streams.pollers.feed_list import load_feeds
from streams.pollers.fetch import Answer, Fetcher
from streams.pollers.inbound import listen_for_items
from streams.pollers.poller import JUDGE_TASK, PoliteAccess, Poller
from streams.pollers.ports import Hubs, NoHubs
from streams.pool import StepPool
from streams.reload import FileReloader, follow_files
from streams.sources.declaration import SourceEntry, load_sources
from streams.sources.watch import SourceWatch
from streams.tasks import run_together
from streams.topology import FEED_STATES

log = structlog.get_logger("wiredesk.poll")
# When partitions go: for fetches under way, and until all that was fetched is published. Shorter drops answers, which the
# next poller of the feeds asks for again; longer holds up the rebalance, and with it every poller.
GRACE_S: Final = 3.0
HAND_OVER_S: Final = 6.0


async def poll_feeds(settings: Settings, stop: asyncio.Event) -> None:
    """Poll this process's share of the feeds of the settings into the raw topic until `stop`.

    Raises:
        Misconfigured: no such feeds file, topics are missing.
        Transient: the broker took nothing more until the stop.
        KafkaError: our place was taken while we were away; start again.
    """

    async def use_feeds(listed: Sequence[Feed]) -> None:
        await share.use_feeds(listed)

    reloader = FileReloader([feeds_part(settings, use_feeds), certificates_part(settings.kafka)])
    feeds = load_feeds(settings.poll.feeds)
    sources = load_sources(settings.poll.sources, feeds)
    cluster = Cluster(settings.kafka)
    if not await wait_until_ready(settings, stop, POLL_TOPICS):
        return
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(Publisher(cluster, linger_ms=5))
        fetcher = await stack.enter_async_context(Fetcher(settings.poll))
        consumer = cluster.group_consumer(cluster.group_of("poll"))
        partition_count = (await partition_counts(cluster, [FEED_STATES.name]))[FEED_STATES.name]
        pool = await stack.enter_async_context(
            StepPool((), settings, settings.kafka.workers, tasks=judge_tasks())
        )
        share = PollShare(feeds, settings, cluster, consumer, fetcher, partition_count, pool, sources)
        outlet = TopicOutlet(cluster, publisher)
        drop = DropWatch(settings.poll, outlet)
        watchdog = Watchdog(cluster, [share])
        share.hubs = await stack.enter_async_context(
            listen_for_items(settings.push, settings.poll, outlet, fetcher.post, share.deliver, stop, clock=time.time,
                      random=random.random)
        )  # fmt: skip
        await stack.enter_async_context(
            serve_health(
                settings.health,
                {
                    "kafka": join_checks(watchdog.check_broker, share.check_group),
                    "shares": watchdog.check,
                    "drop folder": drop.check,
                },
                share.measure_feeds,
            )
        )
        watching = asyncio.gather(watchdog.run(), watch_topics(settings, POLL_TOPICS))
        watching.add_done_callback(drop_result)
        stack.callback(watching.cancel)
        folder = asyncio.create_task(drop.run(stop, pool))
        stack.push_async_callback(_cancel, folder)
        await stack.enter_async_context(follow_files(reloader, stop))
        await share.run(stop, folder)
    log.info("poller stopped")


class PollShare(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped in aiokafka
    """What this process polls: the feeds of the partitions that the group gave it."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        settings: Settings,
        cluster: Cluster,
        consumer: AIOKafkaConsumer,
        fetcher: Fetcher,
        partition_count: int,
        pool: StepPool,
        sources: Sequence[SourceEntry] = (),
    ) -> None:
        """The consumer is not started, and asked for nothing but its place in the group."""
        self._feeds, self._settings, self._cluster, self._fetcher = feeds, settings, cluster, fetcher
        self._sources = sources
        self._consumer, self._partition_count, self._pool = consumer, partition_count, pool
        self.name, self.group = "poll", cluster.group_of("poll")
        self.topics = [cluster.topic(FEED_STATES.name)]
        self._manners = PoliteAccess.of(settings.poll)
        self._confirmed_at = 0.0  # monotonic seconds at which the group last knew us
        self.hubs: Hubs = NoHubs()
        self._ledger: PartitionLedger | None = None
        self._partitions: frozenset[int] = frozenset()
        self._poller: Poller | None = None
        self._polling: asyncio.Task[None] | None = None
        self._stop_polling = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, stop: asyncio.Event, *others: asyncio.Task[None]) -> None:
        """Take part in the group until `stop` or a failure, of `others` too; then finish what was fetched."""
        topic = self._cluster.topic(FEED_STATES.name)
        await self._consumer.start()
        self._consumer.subscribe([topic], listener=self)
        membership = asyncio.create_task(self._keep_membership())
        stopped = asyncio.create_task(stop.wait())
        watched: list[asyncio.Future[None]] = [membership, self._failed, *others]
        try:
            while not stopped.done():
                ends: list[asyncio.Future[Any]] = [stopped, *watched]
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in watched if task.done()]:
                    task.result()
                    watched.remove(task)
        finally:
            await self._end_polling()
            await _cancel(membership)
            await _cancel(stopped)
            await self._consumer.stop()
        if self._failed.done():
            self._failed.result()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Publish what was fetched, and return when nothing of these feeds is under way any more."""
        if revoked:
            log.info("partitions go", number=len(list(revoked)))
        self._confirmed_at = 0.0
        await self._end_polling()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin to poll the feeds of partitions."""
        partitions = list(assigned)
        self._consumer.pause(*partitions)  # the records are read by the ledger
        self._stop_polling = asyncio.Event()
        numbers = frozenset(partition.partition for partition in partitions)
        self._polling = asyncio.create_task(self._poll(numbers, self._stop_polling))
        self._polling.add_done_callback(self._note_end)

    async def deliver(self, feed: str, answer: Answer) -> bool:
        """Take in what a hub delivered; False where the feed is another poller's by now."""
        return await self._poller.deliver(feed, answer) if self._poller else False

    async def use_feeds(self, feeds: Sequence[Feed]) -> None:
        """Poll our share of these from now on.

        Raises:
            Transient: the broker does not answer, so that another try is needed.
        """
        self._feeds = feeds
        ledger, poller = self._ledger, self._poller
        if not ledger or not poller:  # the next assignment takes them
            return
        ours = self._share_of(self._partitions)
        try:
            sources = [entry.feed for entry in self._own_sources(self._partitions)]
            poller.use_feeds(ours, await ledger.use_feeds([*ours, *sources]))
        except KafkaError as error:
            raise Unreachable(f"Kafka: {error}") from error
        log.info("feeds of our partitions", feeds=len(ours))

    def _share_of(self, partitions: Collection[int]) -> list[Feed]:
        count = self._partition_count
        return [feed for feed in self._feeds if feed_partition(feed, count) in partitions]

    def _own_sources(self, partitions: Collection[int]) -> list[SourceEntry]:
        count = self._partition_count
        return [entry for entry in self._sources if feed_partition(entry.feed, count) in partitions]

    async def check_group(self) -> str | None:
        """Why we are not ready, for ``/readyz``: the group does not know us. A poller that ends its polling is ready."""
        if self._is_member() or (self._polling and self._polling.done()):
            return None
        return "the consumer group has not answered within its session timeout"

    async def standing(self) -> ReaderStanding:
        """Which shares are ours, for the watchdog: nothing waits in them."""
        return ReaderStanding(self._consumer.assignment(), {})

    async def measure_feeds(self) -> None:
        """Count the feeds of our partitions by state, for ``/metrics``."""
        ledger = self._ledger
        states = ledger.states if ledger else {}
        feeds = ledger.feeds if ledger else ()
        count_feeds([read_health(feed, states.get(feed.id, b"")) for feed in feeds])

    async def _poll(self, partitions: frozenset[int], stop: asyncio.Event) -> None:
        """Poll the feeds of some partitions until they go."""
        count = self._partition_count
        ours = self._share_of(partitions)
        self._partitions = partitions
        sources = self._own_sources(partitions)
        log.info(
            "partitions are ours", number=len(partitions), of=count, feeds=len(ours), sources=len(sources)
        )
        if not partitions:
            return
        known = [*ours, *(entry.feed for entry in sources)]
        async with PartitionLedger(self._cluster, partitions, count, known, self._is_member) as ledger:
            self._ledger = ledger
            poller = Poller(
                ours, self._settings.poll, ledger, self._fetcher, manners=self._manners, clock=time.time,
                random=random.random, stop=stop, permit=self._is_member, hubs=self.hubs,
                grace=GRACE_S, ask_pool=partial(self._pool.run_task, JUDGE_TASK),
            )  # fmt: skip
            watch = SourceWatch(
                sources, self._settings.poll, ledger, clock=time.time, random=random.random, stop=stop,
                permit=self._is_member,
            )  # fmt: skip
            self._poller = poller
            try:
                await run_together(poller.run(), watch.run())
            except Transient as error:
                if not stop.is_set():
                    raise
                log.warning(
                    "partitions went before all was published; their next poller repeats", error=str(error)
                )

    async def _end_polling(self) -> None:
        """End the polling; what takes too long is dropped, and the next poller of these feeds repeats it."""
        polling, self._polling = self._polling, None
        self._stop_polling.set()
        if polling:
            _, late = await asyncio.wait({polling}, timeout=HAND_OVER_S)
            for task in late:
                await _cancel(task)
        self._ledger = self._poller = None

    def _note_end(self, polling: asyncio.Task[None]) -> None:
        if not polling.cancelled() and (error := polling.exception()) and not self._failed.done():
            self._failed.set_exception(error)

    def _is_member(self) -> bool:
        return time.monotonic() - self._confirmed_at < self._settings.kafka.session_timeout_s

    async def _keep_membership(self) -> None:
        """Stay in the group, and note when it last knew us in this generation, which a commit proves."""
        interval_s = self._settings.kafka.session_timeout_s / HEARTBEATS
        while True:
            asked = time.monotonic()
            try:
                await self._consumer.getmany(timeout_ms=0)
                if partitions := self._consumer.assignment():
                    note = OffsetAndMetadata(0, self._cluster.worker)
                    await self._consumer.commit({min(partitions): note})
                    self._confirmed_at = asked
            except KafkaError as error:
                log.debug("the group has not answered", reason=str(error))
            await asyncio.sleep(interval_s if self._is_member() else interval_s / 10)


async def load_states(settings: Settings) -> dict[str, bytes]:
    """Read once what pollers remember of every feed.

    Raises:
        Unreachable: the broker does not answer.
    """
    cluster = Cluster(settings.kafka)
    try:
        return await read_states(
            cluster, range((await partition_counts(cluster, [FEED_STATES.name]))[FEED_STATES.name])
        )
    except (KafkaError, OSError) as error:
        raise Unreachable(f"Kafka at {settings.kafka.servers}: {error}") from error


async def _cancel(task: asyncio.Task[None] | asyncio.Task[bool]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
