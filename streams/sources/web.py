"""Requests to an agency's API: bounded in time and size, polite, with secrets for nobody but the operator's own host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from streams.pollers import address_guard as guard
from streams.pollers.fetch import BoundedResponse, classify_error, error_message, parse_origin
from streams.pollers.schedule import retry_after
from streams.sources.ports import SourceFault, SourceLimits

MAX_REDIRECTS: Final = 5  # of one request; an API has none as a rule, and its files go by one or two
CHUNK_BYTES: Final = 65_536
REFUSED_STATUSES: Final = frozenset({401, 403, 407})
LATER_STATUSES: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What to ask. `body` is JSON or a form; `headers` may hold secrets and go to the source's own origin only."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """An answer, whatever its status; `is_cut` where the body is longer than it may be and was not read to its end."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    media_type: str | None = None
    charset: str | None = None
    is_cut: bool = False
    next_link: str = ""  # of the header Link (RFC 8288)


class ApiClient:
    """A connection pool to one source, behind the address guard."""

    def __init__(
        self, limits: SourceLimits, origin: str, *, timeout_s: float, connections: int, delay_s: float
    ) -> None:
        """`origin` is the operator's own address, to whose scheme, host and port secrets go; `delay_s` is between two requests."""
        self._limits, self._timeout_s, self._connections, self._delay_s = (
            limits,
            timeout_s,
            connections,
            delay_s,
        )
        self._own = parse_origin(origin)
        self._session: aiohttp.ClientSession | None = None
        self._next_start = 0.0

    async def open(self) -> None:
        """Make the pool; nothing is connected yet."""
        limits = self._limits
        connector = aiohttp.TCPConnector(
            limit=self._connections, ttl_dns_cache=60,
            socket_factory=guard.socket_factory(guard.parse_networks(limits.allowed_addresses)),
        )  # fmt: skip
        timeout = aiohttp.ClientTimeout(
            total=self._timeout_s, sock_connect=limits.connect_timeout_s, sock_read=limits.read_timeout_s
        )
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout,
            headers={"User-Agent": limits.user_agent}, response_class=BoundedResponse,
        )  # fmt: skip

    async def close(self) -> None:
        """Close the pool."""
        if self._session:
            await self._session.close()

    async def ask(self, request: WebRequest) -> WebAnswer:
        """The answer, behind redirects. What it says is for the caller to judge, but for throttling and refusals.

        Raises:
            SourceFault: there is none, or the server refuses us, or wants to be asked later.
        """
        url = request.url
        for _ in range(MAX_REDIRECTS + 1):
            await self._take_turn()
            try:
                answer = await self._ask_once(url, request)
            except SourceFault:
                raise
            except Exception as error:
                outcome = classify_error(error)
                if outcome is None:
                    raise
                raise SourceFault(outcome, error_message(error)) from error
            target = answer.headers.get("Location", "")
            if answer.status not in {301, 302, 303, 307, 308} or not target or request.method != "GET":
                return check_status(answer, time.time())
            url = urljoin(url, target)
            if urlsplit(url).scheme not in {"http", "https"}:
                raise SourceFault("redirects", "a redirect to what is not http")
        raise SourceFault("redirects", f"over {MAX_REDIRECTS} redirects")

    async def _take_turn(self) -> None:
        """Wait until the next request may start."""
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._delay_s
        if start > now:
            await asyncio.sleep(start - now)

    async def _ask_once(self, url: str, request: WebRequest) -> WebAnswer:
        assert self._session is not None
        is_own = parse_origin(url) == self._own
        headers = dict(request.headers) if is_own else {}
        async with self._session.request(
            request.method, URL(url, encoded=True), headers=headers, allow_redirects=False,
            json=request.json if is_own else None, data=request.form if is_own else None,
        ) as response:  # fmt: skip
            body, is_cut = await self._read_body(response)
            return WebAnswer(
                url, response.status, response.headers, body,
                media_type=response.content_type if "Content-Type" in response.headers else None,
                charset=response.charset, is_cut=is_cut, next_link=_next_link(response),
            )  # fmt: skip

    async def _read_body(self, response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
        parts, size = [], 0
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            parts.append(chunk)
            size += len(chunk)
            if size > self._limits.max_item_bytes:
                response.close()
                return b"".join(parts)[: self._limits.max_item_bytes], True
        return b"".join(parts), False


def check_status(answer: WebAnswer, now: float) -> WebAnswer:
    """The answer, where it is one to judge.

    Raises:
        SourceFault: the server refuses us, is not well, or wants to be asked later.
    """
    status, retry_at = answer.status, retry_after(answer.headers, now)
    if status in REFUSED_STATUSES:
        message = f"the server refuses the credentials ({status}); look at the secrets of this source"
        raise SourceFault("credentials", message, retry_at or 0.0)
    if status in LATER_STATUSES or (status == 503 and retry_at is not None):
        raise SourceFault("throttled", f"the server said {status}", retry_at or 0.0)
    if status >= 500:
        raise SourceFault("http_5xx", f"the server said {status}", retry_at or 0.0)
    return answer


def _next_link(response: aiohttp.ClientResponse) -> str:
    with suppress(ValueError, KeyError):
        return str(response.links["next"]["url"])
    return ""
