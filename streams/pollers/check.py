"""One look at a feed, without remembering or publishing anything."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from lxml import etree

from config.settings import Normalise, Poll
from processors.errors import Rejected
from processors.model.event import RawItem
from processors.normalise.formats import FORMATS
from processors.normalise.pages import find_advertised_feeds
from streams.pollers.feed import SOUND_OUTCOMES, Feed, PollOutcome, find_url_fault
from streams.pollers.fetch import Answer, Fetcher
from streams.pollers.judge import (
    PollVerdict,
    judge_answer,
    judge_lost,
    pack_question,
    plan_request,
    unpack_verdict,
)
from streams.pollers.politeness import HostLimits, Robots
from streams.pollers.poller import AskPool
from streams.pollers.state import FeedState
from streams.settlement import LostChild

SHOWN_TITLES = 5
# Of a page that are looked through for feeds: their links stand in its head. Less misses pages with long scripts there,
# more reads megabytes for nothing.
MAX_PAGE_BYTES: Final = 1024 * 1024
MAX_NAME_CHARS: Final = 200  # of what a feed calls itself; a longer one is no name
MAX_FOUND_FEEDS: Final = 50  # of a page; more is a catalogue, from which somebody has to choose anyway


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What a poll of the feed would have brought; `titles` are those of the latest items.

    `name` is what the feed calls itself.
    """

    outcome: PollOutcome
    message: str
    titles: tuple[str, ...] = ()
    name: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether a poller could live with it."""
        return self.outcome in SOUND_OUTCOMES


async def check_feed(
    feed: Feed, settings: Poll, reading: Normalise, ask_pool: AskPool | None = None
) -> FeedReport:
    """Fetch and judge a feed once; in a child of the pool, where there is one."""
    answer = await fetch_once(feed, settings)
    verdict = await _judge(feed, answer, settings, ask_pool)
    now = verdict.state.polled
    if verdict.outcome not in SOUND_OUTCOMES:
        return FeedReport(verdict.outcome, verdict.state.message)
    wait = verdict.state.next_poll - now
    message = f"{len(verdict.items)} items, {len(answer.body)} bytes, next poll in {wait:.0f} s"
    latest = verdict.items[::-1][:SHOWN_TITLES]
    titles = await asyncio.to_thread(lambda: tuple(_title(item, reading) for item in latest))
    return FeedReport(verdict.outcome, message, titles, await asyncio.to_thread(find_feed_name, answer.body))


async def fetch_once(feed: Feed, settings: Poll) -> Answer:
    """The answer to one poll of a feed of which nothing is remembered."""
    now = time.time()
    request = plan_request(feed, FeedState(), settings, now, os.environ)
    robots = Robots(settings, HostLimits(settings.host_connections, settings.host_delay_s))
    async with Fetcher(settings) as fetcher:

        async def gate(url: str) -> Answer | None:
            return await robots.refusal(url, request, fetcher, _at_once, now)

        return await fetcher.get(request, _at_once, gate if settings.robots else None)


async def discover_feeds(
    url: str, settings: Poll, ask_pool: AskPool | None = None
) -> tuple[dict[str, str], str]:
    """The feeds of a page with their titles, and what came of asking for it; an address that is a feed is its own."""
    feed = Feed("check", url)
    answer = await fetch_once(feed, settings)
    verdict = await _judge(feed, answer, settings, ask_pool)
    if verdict.outcome in SOUND_OUTCOMES:
        return {url: ""}, "the address is a feed itself"
    message = verdict.state.message or verdict.outcome
    if verdict.outcome != "not_a_feed":
        return {}, message
    text = answer.body[:MAX_PAGE_BYTES].decode(answer.charset or "utf-8", "replace")
    feeds = await asyncio.to_thread(find_advertised_feeds, text, answer.url, FORMATS)
    usable = {address: title for address, title in feeds.items() if find_url_fault(address) is None}
    return dict(list(usable.items())[:MAX_FOUND_FEEDS]), message


def find_feed_name(document: bytes) -> str:
    """What a feed calls itself; empty where it says nothing that could be read at once."""
    if document.lstrip()[:1] == b"{":
        with suppress(ValueError):
            title = json.loads(document).get("title")
            return " ".join(title.split())[:MAX_NAME_CHARS] if isinstance(title, str) else ""
        return ""
    try:
        root = etree.fromstring(
            document, etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
        )
    except (etree.XMLSyntaxError, ValueError):
        return ""
    title = None if root is None else root.find("{*}channel/{*}title")
    title = root.find("{*}title") if title is None and root is not None else title
    return " ".join((title.text or "").split())[:MAX_NAME_CHARS] if title is not None else ""


async def _judge(feed: Feed, answer: Answer, settings: Poll, ask_pool: AskPool | None) -> PollVerdict:
    now = time.time()
    if ask_pool is None:
        return judge_answer(feed, FeedState(), answer, settings, now, 0.0)
    try:
        return unpack_verdict(await ask_pool(pack_question(feed, FeedState(), answer, settings, now, 0.0)))
    except LostChild as lost:
        return judge_lost(feed, FeedState(), answer, settings, now, 0.0, reason=str(lost))


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
