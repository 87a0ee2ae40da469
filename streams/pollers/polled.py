"""The feeds that are polled, as the desk shows them in either runtime: their list, and how each fares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sinks.desk.views import FeedHealth
from streams.pollers.feed import Feed
from streams.pollers.feed_health import read_health

States = Callable[[], Awaitable[Mapping[str, bytes]]]  # what pollers remember of each feed, by its id


class PolledFeeds:
    """`sinks.desk.ports.Feeds` over what pollers remember."""

    def __init__(self, feeds: Sequence[Feed], states: States, fresh_s: float = 0.0) -> None:
        """What is remembered is read at the first call, and again once it is `fresh_s` seconds old."""
        self._feeds, self._states, self._fresh = feeds, states, fresh_s
        self._known: Mapping[str, bytes] = {}
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def list(self) -> Sequence[FeedHealth]:
        """The health of every feed, in the order of the list.

        Raises:
            Unreachable: what pollers remember stands on a server that does not answer.
        """
        async with self._lock:
            if time.monotonic() >= self._until:
                self._known = await self._states()
                self._until = time.monotonic() + self._fresh
        return [read_health(feed, self._known.get(feed.id, b"")) for feed in self._feeds]
