"""The list of feeds, changed from the desk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from msgspec import UNSET

from config import Misconfigured
from config.redaction import redact_secrets
from config.settings import Settings
from sinks.desk.control import FeedCheck, FeedEdit, FoundFeed, FoundFeeds, ListedFeed, NewFeed, OpmlReport
from sinks.desk.operations import Refused
from streams.pollers.check import check_feed, discover_feeds
from streams.pollers.feed import Feed, find_url_fault, make_feed_id
from streams.pollers.feed_file import FeedFile, merge_feeds
from streams.pollers.feed_health import longest_silence, read_health
from streams.pollers.feed_list import read_opml, write_opml
from streams.pollers.poller import AskPool
from streams.pollers.state import unpack_header

# Looks at addresses at once: each may hold a document of `poll.max_body_bytes`. More take memory from the pipeline.
MAX_CHECKS: Final = 2
MAX_FEEDS: Final = 20_000  # of a list that the desk changes: it is written anew at each change
ListChanged = Callable[[Sequence[Feed], Sequence[Feed]], None]  # the feeds before and after


class FeedDesk:
    """`sinks.desk.control.FeedControl` over a file and what pollers remember."""

    def __init__(
        self,
        settings: Settings,
        states: Callable[[], Awaitable[Mapping[str, bytes]]],
        on_change: ListChanged,
        ask_pool: AskPool | None = None,
    ) -> None:
        """`on_change` hears of each change, once it is written."""
        self._settings, self._states, self._on_change, self._ask_pool = settings, states, on_change, ask_pool
        self._checks = asyncio.Semaphore(MAX_CHECKS)
        self._changes = asyncio.Lock()

    async def find(self, feed_id: str) -> ListedFeed | None:
        """One feed of the list."""
        feeds = await asyncio.to_thread(self._load)
        feed = next((feed for feed in feeds if feed.id == feed_id), None)
        return None if feed is None else await self._listed(feed)

    async def check(self, url: str) -> FeedCheck:
        """Fetch an address once, with what the list says of it where it stands there."""
        _check_url(url)
        listed = await asyncio.to_thread(self._load)
        return await self._check(next((feed for feed in listed if feed.url == url), Feed("check", url)))

    async def check_listed(self, feed_id: str) -> FeedCheck:
        """Fetch a feed of the list once."""
        return await self._check(_of_id(await asyncio.to_thread(self._load), feed_id))

    async def _check(self, feed: Feed) -> FeedCheck:
        async with self._checks:
            report = await check_feed(feed, self._settings.poll, self._settings.normalise, self._ask_pool)
        message = redact_secrets(report.message)
        return FeedCheck(feed.shown_url, report.outcome, message, report.is_sound, report.titles)

    async def discover(self, url: str) -> FoundFeeds:
        """The feeds that a page names."""
        _check_url(url)
        async with self._checks:
            feeds, message = await discover_feeds(url, self._settings.poll, self._ask_pool)
        found = tuple(FoundFeed(address, title[:300]) for address, title in feeds.items())
        return FoundFeeds(found, redact_secrets(message))

    async def add(self, feed: NewFeed) -> ListedFeed:
        """Add a feed; of a page the one that it names. An address that does not answer now is refused."""
        found = await self.discover(feed.url)
        if not found.feeds:
            raise Refused(f"no feed there: {found.message}", 422)
        if len(found.feeds) > 1:
            raise Refused(
                "the page names several feeds; add one of them: " + ", ".join(one.url for one in found.feeds)
            )
        url, title = found.feeds[0].url, feed.title or found.feeds[0].title

        def change(listed: Sequence[Feed]) -> tuple[Sequence[Feed], Feed]:
            ids = {one.id for one in listed}
            if any(one.url == url for one in listed):
                raise Refused(f"{redact_secrets(url)} stands in the list already")
            if feed.id in ids:
                raise Refused(f"a feed has the id {feed.id!r} already")
            if len(listed) >= MAX_FEEDS:
                raise Refused(f"the list has {MAX_FEEDS} feeds; take some out first")
            new = Feed(
                feed.id or make_feed_id(title, url, ids),
                url,
                title,
                feed.language or None,
                feed.source or None,
                interval=feed.interval,
            )
            return (*listed, new), new

        return await self._listed(await self._change(change))

    async def edit(self, feed_id: str, edit: FeedEdit) -> ListedFeed:
        """Change what the edit names."""
        names = ("paused", "interval", "title")
        changed = {name: getattr(edit, name) for name in names if getattr(edit, name) is not UNSET}
        if not changed:
            raise Refused("nothing is to change: name paused, interval or title", 400)

        def change(listed: Sequence[Feed]) -> tuple[Sequence[Feed], Feed]:
            old = _of_id(listed, feed_id)
            new = replace(old, **changed)
            return [new if one is old else one for one in listed], new

        return await self._listed(await self._change(change))

    async def remove(self, feed_id: str) -> None:
        """Take a feed from the list."""

        def change(listed: Sequence[Feed]) -> tuple[Sequence[Feed], None]:
            gone = _of_id(listed, feed_id)
            return [one for one in listed if one is not gone], None

        await self._change(change)

    async def import_opml(self, document: bytes) -> OpmlReport:
        """Add those feeds of a document whose addresses are not in the list."""
        outline = await asyncio.to_thread(read_opml, document, "OPML")
        if not outline.feeds:
            raise Refused("; ".join(outline.problems[:3]) or "OPML: no feed in it", 400)

        def change(listed: Sequence[Feed]) -> tuple[Sequence[Feed], list[str]]:
            merged, added = merge_feeds(listed, outline.feeds)
            if len(merged) > MAX_FEEDS:
                raise Refused(f"that would be {len(merged)} feeds; a list has {MAX_FEEDS} at the most")
            return merged, [feed.id for feed in added]

        added = await self._change(change)
        return OpmlReport(tuple(added), outline.problems[:1000])

    async def export_opml(self) -> str:
        """The list as OPML."""
        return write_opml(await asyncio.to_thread(self._load))

    async def _change(self, change: Callable[[Sequence[Feed]], tuple[Sequence[Feed], Any]]) -> Any:
        """Carry out a change of the list that nobody else changes meanwhile, and tell of it."""

        def write() -> tuple[Sequence[Feed], Sequence[Feed], Any]:
            file = FeedFile(self._settings.poll.feeds)
            with file.locked():
                before = file.load()
                after, result = change(before)
                if tuple(after) != tuple(before):
                    file.replace(after)
            return before, after, result

        async with self._changes:
            try:
                before, after, result = await asyncio.to_thread(write)
            except Misconfigured as error:
                raise Refused(str(error)) from error
            self._on_change(before, after)
        return result

    def _load(self) -> tuple[Feed, ...]:
        try:
            return FeedFile(self._settings.poll.feeds).load()
        except Misconfigured as error:
            raise Refused(str(error)) from error

    async def _listed(self, feed: Feed) -> ListedFeed:
        raw = (await self._states()).get(feed.id, b"")
        state = unpack_header(raw)
        return ListedFeed(
            read_health(feed, raw),
            feed.paused,
            feed.interval,
            feed.language,
            feed.source,
            longest_silence(state, time.time()),
            dict(state.errors),
        )


def _check_url(url: str) -> None:
    if wrong := find_url_fault(url):
        raise Refused(wrong, 400)


def _of_id(feeds: Sequence[Feed], feed_id: str) -> Feed:
    feed = next((feed for feed in feeds if feed.id == feed_id), None)
    if feed is None:
        raise Refused(f"no feed has the id {feed_id!r}", 404)
    return feed
