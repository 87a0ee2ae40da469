"""WebSub as a subscriber (W3C Recommendation, 23 January 2018): what to ask of hubs, and what to believe of callers.

Pure functions decide, `Subscriber` carries out. A feed whose subscription is active is polled seldom, to notice a hub
that has fallen silent; when the lease ends, or a hub denies it, the feed is polled as any other. A subscription's secret and the key in its callback are
made from the push token, so that nothing has to be remembered: after a restart every feed is simply subscribed anew,
which the standard calls a renewal (5.1), and what comes meanwhile still fits.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal

import structlog

from config.settings import Push
from sinks.callers import is_same_secret
from streams.pollers.address_guard import hides_secrets
from streams.pollers.feed import find_url_fault
from streams.pollers.fetch import Answer
from streams.retry import HUB

SIGNATURE_METHODS: Final = ("sha512", "sha384", "sha256", "sha1")  # of X-Hub-Signature (7.1)
RENEW_AT_SHARE: Final = (
    0.8  # of a lease: later leaves no time to try a hub again, earlier asks it for nothing
)
VERIFY_TIMEOUT_S: Final = 120.0  # for a hub to come back with its challenge
DENIED_PAUSE_S: Final = 24 * 3600.0
MIN_LEASE_S: Final = 60.0

Status = Literal["wanted", "asked", "active", "denied"]
PostForm = Callable[
    [str, Mapping[str, str]], Awaitable[int]
]  # an URL and a form; the status, 0 for no answer
DeliverDocument = Callable[
    [str, Answer], Awaitable[bool]
]  # a feed and its document; whether the feed is ours
MAX_REFUSED_HUBS: Final = 1000  # that are remembered so as to be logged once
LOOK_INTERVAL_S: Final = 1.0  # between two looks at what is due
log = structlog.get_logger("wiredesk.websub")


@dataclass(frozen=True, slots=True)
class Subscription:
    """One feed at one hub. Times are seconds since the epoch; `due` is when to ask (again), `until` the lease's end."""

    feed: str
    hub: str
    topic: str
    status: Status = "wanted"
    due: float = 0.0
    until: float = 0.0
    failures: int = 0

    def is_active(self, now: float) -> bool:
        """Whether the hub has promised to tell us, and its lease runs."""
        return now < self.until


def callback_key(token: str, subscription: Subscription) -> str:
    """What makes a callback's URL unguessable (8.1): 32 hexadecimal digits."""
    return _derive(token, "callback", subscription)[:32]


def signing_secret(token: str, subscription: Subscription) -> str:
    """The secret by which the hub signs: 64 hexadecimal digits, under the limit of 200 bytes (5.1)."""
    return _derive(token, "secret", subscription)


def request_form(subscription: Subscription, callback: str, token: str, lease: float) -> dict[str, str]:
    """A subscription request (5.1)."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": subscription.topic,
        "hub.callback": callback,
        "hub.secret": signing_secret(token, subscription),
        "hub.lease_seconds": str(int(lease)),
    }


def after_request(subscription: Subscription, status: int, now: float, random: float) -> Subscription:
    """The subscription after a hub's answer to a request (5.2); `status` 0 is no answer, `random` is in [0, 1)."""
    if status in {202, 204}:
        return replace(subscription, status="asked", due=now + VERIFY_TIMEOUT_S)
    return _ask_later(subscription, now, random)


def after_silence(subscription: Subscription, now: float, random: float) -> Subscription:
    """The subscription whose hub never came back with a challenge."""
    return _ask_later(subscription, now, random)


def after_verification(subscription: Subscription, lease: float, now: float) -> Subscription:
    """The subscription after a challenge was answered (5.3); renewed when most of the lease is over."""
    lease = max(lease, MIN_LEASE_S)
    return replace(
        subscription, status="active", failures=0, until=now + lease, due=now + lease * RENEW_AT_SHARE
    )


def after_denial(subscription: Subscription, now: float) -> Subscription:
    """The subscription after the hub said no (5.2): the feed is polled, and the hub asked again a day later."""
    return replace(subscription, status="denied", until=0.0, due=now + DENIED_PAUSE_S)


def answer_challenge(subscription: Subscription, query: Mapping[str, str]) -> str | None:
    """What to answer to a verification of intent (5.3); None for one that nobody of us asked for.

    Requests to end the subscription are refused: we never ask for that.
    """
    wanted = query.get("hub.mode") == "subscribe" and query.get("hub.topic") == subscription.topic
    if not wanted or subscription.status == "denied":
        return None
    return query.get("hub.challenge") or None


def lease_of(query: Mapping[str, str], otherwise: float) -> float:
    """The lease that a hub grants, in seconds (5.3)."""
    seconds = query.get("hub.lease_seconds", "")
    return float(seconds) if seconds.isdecimal() and len(seconds) < 12 else otherwise


def is_signed(header: str, body: bytes, secret: str) -> bool:
    """Whether a delivery bears the signature of who knows the secret (7.1)."""
    method, _, signature = header.partition("=")
    if method.lower() not in SIGNATURE_METHODS:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return is_same_secret(signature.strip().lower(), expected)


def _ask_later(subscription: Subscription, now: float, random: float) -> Subscription:
    """Asked again later and later, with full jitter."""
    failures = subscription.failures + 1
    wait = HUB.first_s + random * (HUB.ceiling_s(failures + 1) - HUB.first_s)
    return replace(subscription, status="wanted", failures=failures, due=now + wait)


def _derive(token: str, purpose: str, subscription: Subscription) -> str:
    message = f"{purpose}\0{subscription.feed}\0{subscription.hub}\0{subscription.topic}"
    return hmac.new(token.encode(), message.encode(), hashlib.sha256).hexdigest()


class Subscriber:
    """The subscriptions of one process (`streams.pollers.ports.Hubs`)."""

    def __init__(
        self, settings: Push, post: PostForm, *, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        """Nothing is asked before `run`. `settings` has a public URL and a token."""
        self._settings, self._post, self._clock, self._random = settings, post, clock, random
        self._subscriptions: dict[str, Subscription] = {}
        self._due: list[tuple[float, str]] = []
        self._refused: dict[tuple[str, str], None] = {}  # hubs that were logged

    def offer_hub(self, feed: str, hub: str, topic: str) -> None:
        """A feed names a hub, or none any more ("")."""
        subscription = self._subscriptions.get(feed)
        if not hub or not self._may_subscribe(feed, hub):
            self._subscriptions.pop(feed, None)
        elif not subscription or (subscription.hub, subscription.topic) != (hub, topic):
            self._store(Subscription(feed, hub, topic, due=self._clock()))

    def _may_subscribe(self, feed: str, hub: str) -> bool:
        """Whether a hub may be asked: it has a URL, and our secret goes to it unread (WebSub, 5.1)."""
        fault = find_url_fault(hub)
        if not fault and (self._settings.allow_http or hides_secrets(hub)):
            return True
        if (feed, hub) not in self._refused:
            self._refused[feed, hub] = None
            while len(self._refused) > MAX_REFUSED_HUBS:
                del self._refused[next(iter(self._refused))]
            log.info(
                "a hub is not subscribed at", feed=feed, hub=hub, reason=fault or "no TLS (push.allow_http)"
            )
        return False

    def is_active(self, feed: str) -> bool:
        """Whether a hub tells us of this feed's news."""
        subscription = self._subscriptions.get(feed)
        return subscription is not None and subscription.is_active(self._clock())

    def record_miss(self, feed: str) -> None:
        """A poll has brought what the hub never delivered: it is not relied on for a day."""
        subscription = self._subscriptions.get(feed)
        if subscription:
            log.warning("a hub keeps news to itself; the feed is polled", feed=feed, hub=subscription.hub)
            self._store(replace(after_denial(subscription, self._clock()), status="wanted"))

    async def run(self, stop: asyncio.Event) -> None:
        """Ask hubs when it is time, until `stop`."""
        while not stop.is_set():
            await self.ask_due_hubs()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_INTERVAL_S)

    async def ask_due_hubs(self) -> None:
        """Ask every hub that is due, so that one which hangs keeps none of the others waiting."""
        now, due = self._clock(), list[Subscription]()
        while self._due and self._due[0][0] <= now:
            when, feed = heapq.heappop(self._due)
            subscription = self._subscriptions.get(feed)
            if subscription is None or subscription.due != when:
                continue  # overtaken
            if subscription.status == "asked":
                log.info("a hub never verified", feed=feed, hub=subscription.hub)
                self._store(after_silence(subscription, now, self._random()))
            else:
                due.append(subscription)
        await asyncio.gather(*map(self._ask, due))

    def verify(self, feed: str, key: str, query: Mapping[str, str]) -> str | None:
        """The challenge to send back to a hub; None for what is not ours."""
        subscription = self._subscription_of(feed, key)
        if subscription is None:
            return None
        if query.get("hub.mode") == "denied":
            log.warning(
                "a hub denies a subscription", feed=feed, hub=subscription.hub, reason=query.get("hub.reason")
            )
            self._store(after_denial(subscription, self._clock()))
            return ""
        reply = answer_challenge(subscription, query)
        if reply is not None:
            lease = lease_of(query, self._settings.lease_s)
            self._store(after_verification(subscription, lease, self._clock()))
            log.info("subscribed", feed=feed, hub=subscription.hub, lease_s=lease)
        return reply

    def expects(self, feed: str, key: str) -> bool:
        """Whether a callback is that of a subscription which its hub has not denied and whose lease has not ended.

        After a restart nothing is known of a lease: what comes until the hub has verified again is taken.
        """
        subscription = self._subscription_of(feed, key)
        if subscription is None or subscription.status == "denied":
            return False
        return not subscription.until or subscription.is_active(self._clock())

    def delivery(self, feed: str, key: str, signature: str, answer: Answer) -> bool | None:
        """Whether a delivery is to be believed; None for a subscription that we don't have."""
        subscription = self._subscription_of(feed, key)
        if subscription is None:
            return None
        return is_signed(signature, answer.body, signing_secret(self._settings.token, subscription))

    async def _ask(self, subscription: Subscription) -> None:
        url = f"{self._settings.public_url.rstrip('/')}/websub/{subscription.feed}/{callback_key(self._settings.token, subscription)}"
        form = request_form(subscription, url, self._settings.token, self._settings.lease_s)
        status = await self._post(subscription.hub, form)
        current = self._subscriptions.get(subscription.feed)
        if current == subscription:  # the hub may have verified before it answered
            self._store(after_request(subscription, status, self._clock(), self._random()))
        if status not in {202, 204}:
            log.info(
                "a hub takes no subscription", feed=subscription.feed, hub=subscription.hub, status=status
            )

    def _subscription_of(self, feed: str, key: str) -> Subscription | None:
        subscription = self._subscriptions.get(feed)
        if subscription and is_same_secret(key, callback_key(self._settings.token, subscription)):
            return subscription
        return None

    def _store(self, subscription: Subscription) -> None:
        self._subscriptions[subscription.feed] = subscription
        heapq.heappush(self._due, (subscription.due, subscription.feed))
