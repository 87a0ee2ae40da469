"""The desk's list of feeds reads what pollers remember, and no more often than it was told."""

from __future__ import annotations

import asyncio

import pytest

from streams.pollers.feed import Feed
from streams.pollers.feed_health import PolledFeeds
from streams.pollers.feed_list import FeedBook

FEEDS = (Feed("b", "https://b.example/rss"), Feed("a", "https://a.example/rss", paused=True))


class States:
    """A poller's memory, empty, that counts how often it is read."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self) -> dict[str, bytes]:
        self.read += 1
        return {}


@pytest.mark.parametrize(("fresh", "read"), [(0.0, 3), (3600.0, 1)])
async def test_the_memory_is_read_again_once_it_is_old(fresh: float, read: int) -> None:
    states = States()
    polled = PolledFeeds(FeedBook(FEEDS), states, fresh)
    for told in await asyncio.gather(*(polled.list() for _ in range(3))):
        assert [(each.id, each.state) for each in told] == [("b", "new"), ("a", "paused")]
    assert states.read == read
