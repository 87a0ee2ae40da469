"""Keeps subscriptions at the hubs that feeds name, and passes on what hubs deliver.

A feed whose subscription is active is polled seldom, to notice a hub that has fallen silent; when the lease ends, or a
hub denies it, the feed is polled as any other.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from config.settings import Push
from streams.pollers import websub
from streams.pollers.fetch import Answer
from streams.pollers.websub import Subscription

Post = Callable[[str, Mapping[str, str]], Awaitable[int]]  # an URL and a form; the status, 0 for no answer
Deliver = Callable[[str, Answer], Awaitable[bool]]  # a feed and its document; whether the feed is ours
LOOK_S: Final = 1.0  # between two looks at what is due
log = structlog.get_logger("wiredesk.websub")


class Subscriber:
    """The subscriptions of one process (`streams.pollers.ports.Hubs`)."""

    def __init__(
        self, settings: Push, post: Post, *, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        """Nothing is asked before `run`. `settings` has a public URL and a token."""
        self._settings, self._post, self._clock, self._random = settings, post, clock, random
        self._known: dict[str, Subscription] = {}
        self._due: list[tuple[float, str]] = []

    def offered(self, feed: str, hub: str, topic: str) -> None:
        """A feed names a hub, or none any more ("")."""
        known = self._known.get(feed)
        if not hub:
            self._known.pop(feed, None)
        elif not known or (known.hub, known.topic) != (hub, topic):
            self._keep(Subscription(feed, hub, topic, due=self._clock()))

    def is_active(self, feed: str) -> bool:
        """Whether a hub tells us of this feed's news."""
        known = self._known.get(feed)
        return known is not None and known.is_active(self._clock())

    def missed(self, feed: str) -> None:
        """A poll has found what the hub never told: it is not relied on for a day."""
        known = self._known.get(feed)
        if known:
            log.warning("a hub keeps news to itself; the feed is polled", feed=feed, hub=known.hub)
            self._keep(websub.denied(known, self._clock()))

    async def run(self, stop: asyncio.Event) -> None:
        """Ask hubs when it is time, until `stop`."""
        while not stop.is_set():
            await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)

    async def look(self) -> None:
        """Ask every hub that is due, so that one which hangs keeps none of the others waiting."""
        now, due = self._clock(), list[Subscription]()
        while self._due and self._due[0][0] <= now:
            when, feed = heapq.heappop(self._due)
            known = self._known.get(feed)
            if known is None or known.due != when:
                continue  # overtaken
            if known.status == "asked":
                log.info("a hub never verified", feed=feed, hub=known.hub)
                self._keep(websub.overdue(known, now, self._random()))
            else:
                due.append(known)
        await asyncio.gather(*map(self._ask, due))

    def verify(self, feed: str, key: str, query: Mapping[str, str]) -> str | None:
        """The challenge to send back to a hub; None for what is not ours."""
        known = self._fitting(feed, key)
        if known is None:
            return None
        if query.get("hub.mode") == "denied":
            log.warning(
                "a hub denies a subscription", feed=feed, hub=known.hub, reason=query.get("hub.reason")
            )
            self._keep(websub.denied(known, self._clock()))
            return ""
        told = websub.challenge(known, query)
        if told is not None:
            lease = websub.lease_of(query, self._settings.lease_s)
            self._keep(websub.verified(known, lease, self._clock()))
            log.info("subscribed", feed=feed, hub=known.hub, lease_s=lease)
        return told

    def delivery(self, feed: str, key: str, signature: str, answer: Answer) -> bool | None:
        """Whether a delivery is to be believed; None for a subscription that we don't have."""
        known = self._fitting(feed, key)
        if known is None:
            return None
        return websub.is_signed(signature, answer.body, websub.secret(self._settings.token, known))

    async def _ask(self, known: Subscription) -> None:
        url = f"{self._settings.public_url.rstrip('/')}/websub/{known.feed}/{websub.key(self._settings.token, known)}"
        sent = websub.form(known, url, self._settings.token, self._settings.lease_s)
        status = await self._post(known.hub, sent)
        current = self._known.get(known.feed)
        if current == known:  # the hub may have verified before it answered
            self._keep(websub.asked(known, status, self._clock(), self._random()))
        if status not in {202, 204}:
            log.info("a hub takes no subscription", feed=known.feed, hub=known.hub, status=status)

    def _fitting(self, feed: str, key: str) -> Subscription | None:
        known = self._known.get(feed)
        return known if known and websub.key(self._settings.token, known) == key else None

    def _keep(self, subscription: Subscription) -> None:
        self._known[subscription.feed] = subscription
        heapq.heappush(self._due, (subscription.due, subscription.feed))
