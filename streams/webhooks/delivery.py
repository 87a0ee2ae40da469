"""One story posted to one target: tried, judged, and tried again until it is accepted or the last try has failed.

A connection is made to allowed addresses only, checked where the socket is made; redirects are not followed unless the
settings say so, and each hop is checked alike. What the target answers is not read beyond a few bytes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
import structlog
from yarl import URL

from config.redaction import redact_secrets
from config.settings import Webhooks
from processors.errors import Rejected, TooLarge, Undeliverable
from processors.model.codec import decode
from processors.model.event import Event
from processors.numbers import parse_int64
from sinks.forms import FORMS
from sinks.metrics import DELIVERIES, OPEN_CIRCUITS, RETRIES
from streams.messages import Record
from streams.pollers import address_guard as guard
from streams.pollers.fetch import BoundedResponse, error_message
from streams.retry import CircuitBreaker, RetryPolicy
from streams.webhooks.targets import Target, signature

SETTING: Final = "webhooks.allowed_addresses"
REPOSTING_REDIRECTS: Final = frozenset({307, 308})  # those that keep method and body (RFC 9110, section 15.4)
GONE_STATUS: Final = 410  # the target is never to be asked again (RFC 9110, section 15.5.11)
# Characters of a CloudEvents attribute that stand in a header of HTTP as they are (HTTP binding 1.0.2, section 3.1.3.2);
# blanks, quotation marks, percent signs, controls and all beyond ASCII are percent-encoded.
PRINTABLE_CHARS: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
# Bytes of an answer that a dead letter tells: fewer cut off what a server says is wrong, more fill the log with pages.
MAX_REASON_BYTES: Final = 200
log = structlog.get_logger("wiredesk.webhooks")


@dataclass(frozen=True, slots=True)
class TryResult:
    """What came of one try: accepted (`reason` is empty), to be tried again, or refused for good."""

    reason: str = ""
    is_final: bool = False
    retry_after_s: float = 0.0  # that the target asks us to wait


class TargetClient:
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
        self._form = FORMS.get(target.format)  # none: the event as it stands
        self._show_circuit()
        self.last_error = ""  # of the last try that failed

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: one story is tried at a time."""
        return self._circuit.is_open

    @property
    def failures(self) -> int:
        """Tries that failed since the last that succeeded."""
        return self._circuit.failures

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.concurrency, socket_factory=guard.socket_factory(self._opened, SETTING)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=settings.timeout_s, sock_connect=settings.connect_timeout_s),
            headers={"User-Agent": "wiredesk-webhooks/1"},
            auto_decompress=False,
            response_class=BoundedResponse,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def deliver(self, record: Record) -> Rejected | None:
        """Post a story until the target accepts it, and return None; or return why it is set aside."""
        if self._form is not None:
            try:
                record = replace(record, value=self._form.write_document(decode(record.value, Event)))
            except Rejected as error:
                return error
        if len(record.value) > self._settings.max_bytes:
            return TooLarge(
                f"{len(record.value)} bytes, over webhooks.max_bytes ({self._settings.max_bytes})"
            )
        result = TryResult("never tried")
        for number in range(1, self._settings.attempts + 1):
            while (wait := self._circuit.acquire(self._clock())) > 0:
                await self._sleep(wait)
            result = await self._try_once(record)
            if not result.reason:
                return None
            if result.is_final or number == self._settings.attempts:
                break
            await self._sleep(
                max(self._policy.delay_s(number), min(result.retry_after_s, self._settings.max_delay_s))
            )
        DELIVERIES.labels(self.target.name, "refused").inc()
        return Undeliverable(f"webhook {self.target.name}: {number} tries; the last: {result.reason}")

    async def _try_once(self, record: Record) -> TryResult:
        """The result of one try, counted by the circuit."""
        result = await self._post(record)
        if not result.reason:
            if self._circuit.is_open:
                log.info("a webhook takes stories again", webhook=self.target.name)
            self._circuit.record_success()
            self._show_circuit()
            DELIVERIES.labels(self.target.name, "delivered").inc()
            return result
        self.last_error = result.reason
        was_open = self._circuit.is_open
        self._circuit.record_failure(self._clock())
        self._show_circuit()
        RETRIES.labels(f"webhook {self.target.name}").inc()
        if self._circuit.is_open and not was_open:
            log.warning(
                "a webhook fails again and again; one try at a time",
                webhook=self.target.name,
                reason=result.reason,
            )
        return result

    def _show_circuit(self) -> None:
        OPEN_CIRCUITS.labels(f"webhook {self.target.name}").set(self._circuit.is_open)

    async def _post(self, record: Record) -> TryResult:
        url = self.target.url
        for _ in range(self._settings.max_redirects + 1):
            result, next_url = await self._post_to(url, record)
            if next_url is None:
                return result
            url = next_url
        return result

    async def _post_to(self, url: str, record: Record) -> tuple[TryResult, str | None]:
        """The result of one request, and where a redirect leads that may be followed."""
        assert self._session, "entered before it delivers"
        try:
            async with self._session.post(
                URL(url), data=record.value, headers=self._headers(record), allow_redirects=False
            ) as response:
                return await self._judge(response, url)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return TryResult(error_message(error).rstrip(": ")), None

    async def _judge(self, response: aiohttp.ClientResponse, url: str) -> tuple[TryResult, str | None]:
        status = response.status
        if 200 <= status < 300:
            return TryResult(), None
        if 300 <= status < 400:
            location = response.headers.get("Location", "")
            target = urljoin(url, location)
            follows = status in REPOSTING_REDIRECTS and self._may_follow(url, target)
            shown = redact_secrets(location)[:MAX_REASON_BYTES] or "nowhere"
            reason = f"HTTP {status}, a redirect to {shown}, which is not followed"
            return TryResult(reason), target if follows and self._settings.max_redirects else None
        text = (await response.content.read(MAX_REASON_BYTES)).decode("utf-8", "replace").strip()
        reason = redact_secrets(f"HTTP {status}{': ' if text else ''}{text}")
        retry_after_s = float(
            parse_int64(response.headers.get("Retry-After", "")) or 0
        )  # dates are not followed
        return TryResult(reason, status == GONE_STATUS, retry_after_s), None

    def _may_follow(self, url: str, target: str) -> bool:
        """Whether a redirect leads to a web server, and not from TLS to where anybody may read."""
        try:
            is_web = urlsplit(target).scheme in {"http", "https"}
        except ValueError:
            return False
        stays_hidden = not url.startswith("https://") or guard.hides_secrets(target)
        return is_web and (stays_hidden or self._settings.allow_http)

    def _headers(self, record: Record) -> dict[str, str]:
        """The record's CloudEvents attributes, and the signature of this try."""
        headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
        identity = headers.get("ce_id") or f"{record.topic}-{record.partition}-{record.offset}"
        timestamp = int(self._now())
        attributes = {f"ce-{name[3:]}": value for name, value in headers.items() if name.startswith("ce_")}
        if self._form is not None:
            attributes.pop("ce-dataschema", None)  # of an event, which this body is not
        attributes |= {name: headers[name] for name in ("traceparent",) if name in headers}
        return {
            **{name: quote(value, safe=PRINTABLE_CHARS) for name, value in attributes.items()},
            "Content-Type": self._form.media_type if self._form else "application/json",
            "webhook-id": identity,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self.target.secrets, identity, timestamp, record.value),
        }
