"""One look at a feed, without remembering or publishing anything."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from config.settings import Normalise, Poll
from processors.errors import Rejected
from processors.model.event import RawItem
from streams.pollers.feed import SOUND_OUTCOMES, Feed, PollOutcome
from streams.pollers.fetch import Answer, Fetcher
from streams.pollers.judge import judge_answer, plan_request
from streams.pollers.politeness import HostLimits, Robots
from streams.pollers.state import FeedState

SHOWN_TITLES = 5


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What a poll of the feed would have brought; `titles` are those of the latest items."""

    outcome: PollOutcome
    message: str
    titles: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether a poller could live with it."""
        return self.outcome in SOUND_OUTCOMES


async def check_feed(feed: Feed, settings: Poll, reading: Normalise) -> FeedReport:
    """Fetch and judge a feed once."""
    now = time.time()
    state = FeedState()
    request = plan_request(feed, state, settings, now, os.environ)
    robots = Robots(settings, HostLimits(settings.host_connections, settings.host_delay_s))
    async with Fetcher(settings) as fetcher:

        async def gate(url: str) -> Answer | None:
            return await robots.refusal(url, request, fetcher, _at_once, now)

        answer = await fetcher.get(request, _at_once, gate if settings.robots else None)
    verdict = judge_answer(feed, state, answer, settings, now, 0.0)
    if verdict.outcome not in SOUND_OUTCOMES:
        return FeedReport(verdict.outcome, verdict.state.message)
    wait = verdict.state.next_poll - now
    message = f"{len(verdict.items)} items, {len(answer.body)} bytes, next poll in {wait:.0f} s"
    latest = verdict.items[::-1][:SHOWN_TITLES]
    return FeedReport(verdict.outcome, message, tuple(_title(item, reading) for item in latest))


def _title(item: RawItem, settings: Normalise) -> str:
    from processors.normalise import normalise

    try:
        events = normalise(item, settings)
    except Rejected as error:
        return f"{error.type}: {error}"
    return next((event.headline if not isinstance(event, Rejected) else event.type for event in events), "")


@asynccontextmanager
async def _at_once(_host: str) -> AsyncIterator[None]:
    yield
