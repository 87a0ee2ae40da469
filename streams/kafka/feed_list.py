"""The health of the feeds that pollers on Kafka share, for the fleet's desk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from config.settings import Settings
from sinks.desk.views import FeedHealth
from streams.kafka.poll import states
from streams.pollers.feed import Feed
from streams.pollers.health import read_health

FRESH_S: Final = 10.0  # the topic is read whole, so not at each look at the page


class FeedList:
    """`sinks.desk.ports.Feeds` over the topic of feed states."""

    def __init__(self, feeds: Sequence[Feed], settings: Settings) -> None:
        """Nothing is read before the first call."""
        self._feeds, self._settings = feeds, settings
        self._known: Mapping[str, bytes] = {}
        self._read = -FRESH_S
        self._lock = asyncio.Lock()

    async def list(self) -> Sequence[FeedHealth]:
        """The health of every feed, in the order of the list; at most `FRESH_S` old.

        Raises:
            Unreachable: the broker does not answer.
        """
        async with self._lock:
            if time.monotonic() - self._read >= FRESH_S:
                self._known = await states(self._settings)
                self._read = time.monotonic()
        return [read_health(feed, self._known.get(feed.id, b"")) for feed in self._feeds]
