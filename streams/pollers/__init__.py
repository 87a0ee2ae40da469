"""Feeds and drop folders in, raw items out."""

from __future__ import annotations

import asyncio
import random as random_
import time
from collections.abc import Callable, Sequence
from functools import partial

from config.settings import Poll, Push
from streams.pollers.feed import Feed
from streams.pollers.ports import FeedLedger, RawItemOutlet


async def poll_feeds(
    feeds: Sequence[Feed],
    settings: Poll,
    outlet: RawItemOutlet,
    ledger: FeedLedger,
    stop: asyncio.Event,
    *,
    push: Push | None = None,
    clock: Callable[[], float] = time.time,
    random: Callable[[], float] = random_.random,
) -> None:
    """Poll `feeds` and the drop folder until `stop`, then publish and save what was fetched.

    `push` opens the listener for pushed items and hubs. `clock` gives seconds since the epoch, `random` numbers in [0, 1).

    Raises:
        Misconfigured: ``allowed_addresses``, ``drop_folder`` or ``[push]`` can't be followed.
        Transient: the log took nothing more until the stop.
    """
    from streams.pollers.fetch import Answer, Fetcher
    from streams.pollers.inbound import listen_for_items
    from streams.pollers.poller import PoliteAccess, Poller

    async def deliver(feed: str, answer: Answer) -> bool:
        return await poller.deliver(feed, answer)

    async with (
        Fetcher(settings) as fetcher,
        listen_for_items(
            push or Push(), settings, outlet, fetcher.post, deliver, stop, clock=clock, random=random
        ) as hubs,
    ):
        poller = Poller(
            feeds,
            settings,
            ledger,
            fetcher,
            manners=PoliteAccess.of(settings),
            clock=clock,
            random=random,
            stop=stop,
            hubs=hubs,
        )
        tasks = [
            asyncio.create_task(poller.run()),
            asyncio.create_task(watch_drop_folder(settings, outlet, stop)),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def watch_drop_folder(settings: Poll, outlet: RawItemOutlet, stop: asyncio.Event) -> None:
    """Take in what is put into the drop folder until `stop`; return at once where there is none.

    Raises:
        Misconfigured: ``drop_folder`` can't be used.
        Transient: the log took nothing more until the stop.
    """
    if not settings.drop_folder:
        return
    from streams.pollers.folder import DropFolder, watch_folder
    from streams.pollers.poller import write_until_stopped

    await watch_folder(
        DropFolder(settings, outlet),
        settings.drop_interval_s,
        partial(write_until_stopped, stop=stop),
        stop,
    )
