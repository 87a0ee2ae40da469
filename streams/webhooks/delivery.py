"""One story posted to one target: tried, judged, and tried again until it is taken or the last try has failed.

A connection is made to allowed addresses only, checked where the socket is made; redirects are not followed unless the
settings say so, and each hop is checked alike. What the target answers is not read beyond a few bytes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin, urlsplit

import aiohttp
import structlog
from yarl import URL

from config.settings import Webhooks
from processors.errors import Rejected, TooLarge, Undeliverable
from processors.numbers import whole
from sinks.metrics import DELIVERIES, RETRIES
from sinks.webhooks import Target, signature
from streams.messages import Record
from streams.pollers import address_guard as guard
from streams.retry import CircuitBreaker, RetryPolicy

SETTING: Final = "webhooks.allowed_addresses"
KEPT: Final = frozenset({307, 308})  # redirects that keep method and body (RFC 9110, section 15.4)
GONE: Final = 410  # the target is never to be asked again
SAID: Final = 200  # bytes of an answer that a message tells
log = structlog.get_logger("wiredesk.webhooks")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one try: taken (`reason` is empty), to be tried again, or for good refused."""

    reason: str = ""
    final: bool = False
    after: float = 0.0  # seconds that the target asks us to wait


class Delivery:
    """Posts to one target. `clock` is steady, `now` the time of day, both in seconds; `sleep` waits."""

    def __init__(
        self,
        target: Target,
        settings: Webhooks,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Check the settings; nothing is connected yet. Misconfigured where an allowed address is none."""
        self.target = target
        self._settings = settings
        self._opened = guard.parse_networks(settings.allowed_addresses, SETTING)
        self._circuit = CircuitBreaker(settings.circuit_failures, settings.circuit_s)
        self._policy = RetryPolicy("webhook", settings.first_delay_s, settings.max_delay_s, settings.attempts)
        self._clock, self._now, self._sleep = clock, now, sleep
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        told = self._settings
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=told.concurrency, socket_factory=guard.socket_factory(self._opened, SETTING)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=told.timeout_s, sock_connect=told.connect_timeout_s),
            headers={"User-Agent": "wiredesk-webhooks/1"},
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def deliver(self, record: Record) -> Rejected | None:
        """Return once the target has taken a story (None), or what it is set aside for."""
        if len(record.value) > self._settings.max_bytes:
            return TooLarge(
                f"{len(record.value)} bytes, over webhooks.max_bytes ({self._settings.max_bytes})"
            )
        verdict = Verdict("never tried")
        for number in range(1, self._settings.attempts + 1):
            while (wait := self._circuit.acquire(self._clock())) > 0:
                await self._sleep(wait)
            verdict = await self._tried(record)
            if not verdict.reason:
                return None
            if verdict.final or number == self._settings.attempts:
                break
            await self._sleep(
                max(self._policy.delay_s(number), min(verdict.after, self._settings.max_delay_s))
            )
        DELIVERIES.labels(self.target.name, "refused").inc()
        return Undeliverable(f"webhook {self.target.name}: {number} tries; the last: {verdict.reason}")

    async def _tried(self, record: Record) -> Verdict:
        """One try, counted by the circuit."""
        verdict = await self._posted(record)
        if not verdict.reason:
            self._circuit.record_success()
            DELIVERIES.labels(self.target.name, "delivered").inc()
            return verdict
        was_open = self._circuit.is_open
        self._circuit.record_failure(self._clock())
        RETRIES.labels(f"webhook {self.target.name}").inc()
        if self._circuit.is_open and not was_open:
            log.warning(
                "a webhook fails again and again; one try at a time",
                webhook=self.target.name,
                reason=verdict.reason,
            )
        return verdict

    async def _posted(self, record: Record) -> Verdict:
        url = self.target.url
        for _ in range(self._settings.max_redirects + 1):
            verdict, moved = await self._hop(url, record)
            if moved is None:
                return verdict
            url = moved
        return verdict

    async def _hop(self, url: str, record: Record) -> tuple[Verdict, str | None]:
        """One request; its verdict, and where a redirect leads that may be followed."""
        assert self._session, "entered before it delivers"
        try:
            async with self._session.post(
                URL(url), data=record.value, headers=self._headers(record), allow_redirects=False
            ) as response:
                return await self._judged(response, url)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Verdict(f"{type(error).__name__}: {error}"[:300].rstrip(": ")), None

    async def _judged(self, response: aiohttp.ClientResponse, url: str) -> tuple[Verdict, str | None]:
        status = response.status
        if 200 <= status < 300:
            return Verdict(), None
        if 300 <= status < 400:
            location = response.headers.get("Location", "")
            target = urljoin(url, location)
            follows = status in KEPT and urlsplit(target).scheme in {"http", "https"}
            reason = f"HTTP {status}, a redirect to {location[:SAID] or 'nowhere'}, which is not followed"
            return Verdict(reason), target if follows and self._settings.max_redirects else None
        said = (await response.content.read(SAID)).decode("utf-8", "replace").strip()
        reason = f"HTTP {status}{': ' if said else ''}{said}"
        return Verdict(reason, status == GONE, _seconds(response.headers.get("Retry-After", ""))), None

    def _headers(self, record: Record) -> dict[str, str]:
        """The record's CloudEvents attributes, and the signature of this try."""
        told = {name: value.decode("latin-1") for name, value in record.headers}
        identity = told.get("ce_id") or f"{record.topic}-{record.partition}-{record.offset}"
        timestamp = int(self._now())
        made = {f"ce-{name[3:]}": value for name, value in told.items() if name.startswith("ce_")}
        made |= {name: told[name] for name in ("traceparent",) if name in told}
        return {
            **{name: value for name, value in made.items() if value.isprintable()},
            "Content-Type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self.target.secrets, identity, timestamp, record.value),
        }


def _seconds(told: str) -> float:
    """A Retry-After in seconds; dates are not followed."""
    return float(whole(told) or 0)
