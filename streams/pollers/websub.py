"""WebSub as a subscriber (W3C Recommendation, 23 January 2018): what to ask of hubs, and what to believe of callers.

Decisions only; `streams.pollers.subscriber` carries them out. A subscription's secret and the key in its callback are
made from the push token, so that nothing has to be remembered: after a restart every feed is simply subscribed anew,
which the standard calls a renewal (5.1), and what comes meanwhile still fits.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from streams.retry import HUB

METHODS: Final = ("sha512", "sha384", "sha256", "sha1")  # of X-Hub-Signature (7.1)
RENEW: Final = 0.8  # of a lease
VERIFY_S: Final = 120.0  # for a hub to come back with its challenge
DENIED_S: Final = 24 * 3600.0
SHORTEST_LEASE_S: Final = 60.0

Status = Literal["wanted", "asked", "active", "denied"]


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


def key(token: str, subscription: Subscription) -> str:
    """What makes a callback's URL unguessable (8.1): 32 hexadecimal digits."""
    return _made(token, "callback", subscription)[:32]


def secret(token: str, subscription: Subscription) -> str:
    """The secret by which the hub signs: 64 hexadecimal digits, under the limit of 200 bytes (5.1)."""
    return _made(token, "secret", subscription)


def form(subscription: Subscription, callback: str, token: str, lease: float) -> dict[str, str]:
    """A subscription request (5.1)."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": subscription.topic,
        "hub.callback": callback,
        "hub.secret": secret(token, subscription),
        "hub.lease_seconds": str(int(lease)),
    }


def asked(subscription: Subscription, status: int, now: float, random: float) -> Subscription:
    """The subscription after a hub's answer to a request (5.2); `status` 0 is no answer, `random` is in [0, 1)."""
    if status in {202, 204}:
        return replace(subscription, status="asked", due=now + VERIFY_S)
    return _failed(subscription, now, random)


def overdue(subscription: Subscription, now: float, random: float) -> Subscription:
    """The subscription whose hub never came back with a challenge."""
    return _failed(subscription, now, random)


def verified(subscription: Subscription, lease: float, now: float) -> Subscription:
    """The subscription after a challenge was answered (5.3); renewed when most of the lease is over."""
    lease = max(lease, SHORTEST_LEASE_S)
    return replace(subscription, status="active", failures=0, until=now + lease, due=now + lease * RENEW)


def denied(subscription: Subscription, now: float) -> Subscription:
    """The subscription after the hub said no (5.2): the feed is polled, and the hub asked again a day later."""
    return replace(subscription, status="denied", until=0.0, due=now + DENIED_S)


def challenge(subscription: Subscription, query: Mapping[str, str]) -> str | None:
    """What to answer to a verification of intent (5.3); None for one that nobody of us asked for.

    Requests to end the subscription are refused: we never ask for that.
    """
    wanted = query.get("hub.mode") == "subscribe" and query.get("hub.topic") == subscription.topic
    if not wanted or subscription.status == "denied":
        return None
    return query.get("hub.challenge") or None


def lease_of(query: Mapping[str, str], otherwise: float) -> float:
    """The lease that a hub grants, in seconds (5.3)."""
    told = query.get("hub.lease_seconds", "")
    return float(told) if told.isdecimal() and len(told) < 12 else otherwise


def is_signed(header: str, body: bytes, secret: str) -> bool:
    """Whether a delivery bears the signature of who knows the secret (7.1)."""
    method, _, told = header.partition("=")
    if method.lower() not in METHODS:
        return False
    made = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(made.encode(), told.strip().lower().encode())


def _failed(subscription: Subscription, now: float, random: float) -> Subscription:
    """Asked again later and later, with full jitter."""
    failures = subscription.failures + 1
    wait = HUB.first_s + random * (HUB.ceiling_s(failures + 1) - HUB.first_s)
    return replace(subscription, status="wanted", failures=failures, due=now + wait)


def _made(token: str, purpose: str, subscription: Subscription) -> str:
    told = f"{purpose}\0{subscription.feed}\0{subscription.hub}\0{subscription.topic}"
    return hmac.new(token.encode(), told.encode(), hashlib.sha256).hexdigest()
