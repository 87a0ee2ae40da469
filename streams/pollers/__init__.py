"""Feeds and drop folders in, raw items out."""

from __future__ import annotations

import asyncio
import random as random_
import time
from collections.abc import Callable, Sequence
from functools import partial

from config.settings import Poll, Push
from streams.pollers.feed import Feed
from streams.pollers.feed_list import FeedBook
from streams.pollers.ports import FeedLedger, RawItemOutlet
from streams.pool import StepPool
from streams.pool_server import PooledTask
from streams.tasks import run_together


async def poll_feeds(
    feeds: Sequence[Feed] | FeedBook,
    settings: Poll,
    outlet: RawItemOutlet,
    ledger: FeedLedger,
    stop: asyncio.Event,
    *,
    push: Push | None = None,
    drop: DropWatch | None = None,
    pool: StepPool | None = None,
    clock: Callable[[], float] = time.time,
    random: Callable[[], float] = random_.random,
) -> None:
    """Poll `feeds`, or the list that is in force, and the drop folder until `stop`, then publish and save what was fetched.

    `drop` watches the folder, where the caller asks it how that fares. `pool` has the tasks of `judge_tasks`, and judges
    documents; without it that is done here. `push` opens the listener for pushed items and hubs. `clock` gives seconds since the epoch, `random` numbers in [0, 1).

    Raises:
        Misconfigured: ``allowed_addresses``, ``drop_folder`` or ``[push]`` can't be followed.
        Transient: the log took nothing more until the stop.
    """
    from streams.pollers.fetch import Answer, Fetcher
    from streams.pollers.inbound import listen_for_items
    from streams.pollers.poller import JUDGE_TASK, PoliteAccess, Poller

    async def deliver(feed: str, answer: Answer) -> bool:
        return await poller.deliver(feed, answer)

    async with (
        Fetcher(settings) as fetcher,
        listen_for_items(
            push or Push(), settings, outlet, fetcher.post, deliver, stop, clock=clock, random=random
        ) as hubs,
    ):
        book = feeds if isinstance(feeds, FeedBook) else FeedBook(feeds)
        poller = Poller(
            book.feeds,
            settings,
            ledger,
            fetcher,
            manners=PoliteAccess.of(settings),
            clock=clock,
            random=random,
            stop=stop,
            hubs=hubs,
            ask_pool=partial(pool.run_task, JUDGE_TASK) if pool else None,
        )
        book.follow(poller.use_feeds)
        await run_together(poller.run(), (drop or DropWatch(settings, outlet)).run(stop, pool))


def judge_tasks() -> dict[str, PooledTask]:
    """The tasks of a pool that judges documents."""
    from streams.pollers.folder import CHECK_TASK, find_refusals
    from streams.pollers.judge import judge_packed
    from streams.pollers.poller import JUDGE_TASK

    return {JUDGE_TASK: judge_packed, CHECK_TASK: find_refusals}


class DropWatch:
    """Takes in what is put into the drop folder, where the settings name one."""

    def __init__(self, settings: Poll, outlet: RawItemOutlet) -> None:
        """Nothing is made or read before `run`."""
        self._settings, self._outlet = settings, outlet
        self._waits_for: str | None = None

    async def run(self, stop: asyncio.Event, pool: StepPool | None = None) -> None:
        """Take files in until `stop`; return at once where there is no folder. They are read in `pool` beforehand.

        Raises:
            Misconfigured: ``drop_folder`` can't be used.
            Transient: the log took nothing more until the stop.
        """
        if not self._settings.drop_folder:
            return
        from streams.pollers.folder import DropFolder, find_refusal_in_pool, watch_folder
        from streams.pollers.poller import write_until_stopped

        find_refusal = partial(find_refusal_in_pool, pool) if pool else None
        await watch_folder(
            DropFolder(self._settings, self._outlet, find_refusal),
            self._settings.drop_interval_s,
            partial(write_until_stopped, stop=stop),
            stop,
            self._note_wait,
        )

    async def check(self) -> str | None:
        """For ``/readyz``: why the folder can't be used now."""
        return self._waits_for

    def _note_wait(self, reason: str | None) -> None:
        self._waits_for = reason
