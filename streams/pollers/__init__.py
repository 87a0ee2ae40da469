"""Feeds and drop folders in, raw items out."""

from __future__ import annotations

import asyncio
import random as random_
import time
from collections.abc import Awaitable, Callable, Sequence

from config.settings import Poll
from streams.pollers.feed import Feed
from streams.pollers.ports import Outlet, StateStore


async def poll(
    feeds: Sequence[Feed],
    settings: Poll,
    outlet: Outlet,
    store: StateStore,
    stop: asyncio.Event,
    *,
    on_gap: Callable[[str, str], Awaitable[None]] | None = None,
    clock: Callable[[], float] = time.time,
    random: Callable[[], float] = random_.random,
) -> None:
    """Poll `feeds` and the drop folder until `stop`, then publish and save what was fetched.

    `on_gap` gets a feed's id and an RFC 3339 time where entries may have been missed. `clock` gives seconds since the
    epoch, `random` numbers in [0, 1).

    Raises:
        Misconfigured: ``allowed_addresses`` or ``drop_folder`` can't be followed.
        Transient: the log took nothing more until the stop.
    """
    from streams.pollers.fetch import Fetcher
    from streams.pollers.folder import DropFolder, watch
    from streams.pollers.poller import Poller

    folder = DropFolder(settings, outlet) if settings.drop_folder else None
    async with Fetcher(settings) as fetcher:
        poller = Poller(
            feeds, settings, outlet, store, fetcher, on_gap=on_gap, clock=clock, random=random, stop=stop
        )
        tasks = [asyncio.create_task(poller.run())]
        if folder:
            tasks.append(asyncio.create_task(watch(folder, settings.drop_interval_s, poller.insist, stop)))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
