"""One conditional GET, bounded in time, size and hops, to allowed addresses only.

`Fetcher` is the thin engine over aiohttp; what to ask and what to make of the answer is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from config.redaction import redact_secrets
from config.settings import Poll
from sinks.open_files import FILES_WARNING, has_file_left, is_exhausted
from streams.pollers import address_guard as guard
from streams.pollers.feed import NETWORK_OUTCOMES, PollOutcome

ACCEPT_HEADER: Final = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
# 203 is what a proxy makes of 200 where it has changed the document (RFC 9110, 15.3.4).
DOCUMENT_STATUSES: Final = frozenset({200, 203})
REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
PERMANENT_STATUSES: Final = frozenset({301, 308})
CHUNK_BYTES: Final = 65536
MAX_INTERIM_ANSWERS: Final = 16  # servers send one or two (100, 103); without end they cost a processor
MAX_COOKIE_CHARS: Final = 4_096  # that a hop is sent; servers refuse longer headers
GZIP_MARK: Final = b"\x1f\x8b"
GZIP_WINDOW: Final = 31  # of zlib: 32 kB behind a head of gzip
KEEP_ALIVE_S: Final = 15.0  # for the next feed of the same host; most servers wait at least as long
LOST_CONNECTION: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError)
OUTCOME_OF: Final[tuple[tuple[tuple[type[Exception], ...], PollOutcome], ...]] = (  # the first that fits
    ((aiohttp.ClientConnectorDNSError,), "dns"),
    ((aiohttp.ClientSSLError, ssl.SSLError), "tls"),
    ((TimeoutError,), "timeout"),
    ((aiohttp.ClientProxyConnectionError, aiohttp.ClientConnectorError), "connect"),
    ((aiohttp.InvalidURL,), "redirects"),
    (
        (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionError),
        "reset",
    ),
    ((aiohttp.ClientError, UnicodeError), "bad_response"),
)

HostTurn = Callable[[str], AbstractAsyncContextManager[None]]  # waits until a host may be asked
RequestGate = Callable[
    [str], Awaitable["Answer | None"]
]  # why a URL must not be asked for, as the answer to it


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for.

    The validators go only to the URL whose hash is `validated_url`; `authorization` only to the scheme, host and port of
    `origin`, which is the operator's own URL of the feed, wherever it may have moved to.
    """

    url: str
    etag: str = ""
    last_modified: str = ""
    validated_url: str = ""
    authorization: str = ""
    proxy: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request. `failure` is set where there is no answer to judge; `body` is decoded.

    `url` gave the answer, `hosts` were asked on the way. `moved` is where the first hops point for good: None where
    the first redirect was not permanent.
    """

    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: PollOutcome | None = None
    message: str = ""
    moved: str | None = None
    conditional: bool = False
    media_type: str | None = None
    charset: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)  # of the header Link (RFC 8288), by relation


@dataclass(slots=True)
class Connection:
    """A request's connection: whether an earlier request had opened it."""

    reused: bool = False


class BoundedResponse(aiohttp.ClientResponse):
    """A response that is not waited for through interim answers without end (RFC 9110, 15.2)."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read up to the final answer's body."""
        counted = _CountedConnection(connection)
        response = await super().start(counted)  # type: ignore[arg-type]  # it stands in for the connection
        self._protocol = connection.protocol
        if self._connection is not None:
            self._connection = connection
        return response


class _CountedConnection:
    """A connection whose messages are counted while an answer begins."""

    def __init__(self, connection: Any) -> None:
        self._connection, self._count = connection, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @property
    def protocol(self) -> _CountedConnection:
        """What reads: this object."""
        return self

    @property
    def upgraded(self) -> bool:
        """Whether another protocol has taken over."""
        return bool(self._connection.protocol.upgraded)

    async def read(self) -> Any:
        """The next message of the server.

        Raises:
            aiohttp.ClientError: it is one interim answer too many.
        """
        self._count += 1
        if self._count > MAX_INTERIM_ANSWERS + 1:
            raise aiohttp.ClientError(f"over {MAX_INTERIM_ANSWERS} interim answers (1xx)")
        return await self._connection.protocol.read()


class Fetcher:
    """A connection pool behind the address guard."""

    def __init__(self, settings: Poll, resolver: AbstractResolver | None = None) -> None:
        """Check the settings; nothing is connected yet. `resolver` is asked for names in place of the system's.

        Raises:
            Misconfigured: ``allowed_addresses`` holds something else than networks.
        """
        self._settings, self._resolver = settings, resolver
        self._names: AbstractResolver | None = None  # for what a proxy is asked for
        self._opened = guard.parse_networks(settings.allowed_addresses)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        connector = aiohttp.TCPConnector(
            limit=settings.concurrency, limit_per_host=settings.host_connections, ttl_dns_cache=300,
            keepalive_timeout=KEEP_ALIVE_S, resolver=self._resolver,
            socket_factory=guard.socket_factory(self._opened),
        )  # fmt: skip
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=settings.total_timeout_s,
                sock_connect=settings.connect_timeout_s,
                sock_read=settings.read_timeout_s,
            ),
            headers={"User-Agent": settings.user_agent, "Accept": ACCEPT_HEADER},
            response_class=BoundedResponse,
            trace_configs=[_trace_reuse()],
        )
        # aiohttp repeats a GET at once when the connection is lost: that is for `_request_hop` and the schedule to decide
        self._session._retry_connection = False  # noqa: SLF001 -- aiohttp has no public switch
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(self, request: Request, turn: HostTurn, gate: RequestGate | None = None) -> Answer:
        """Follow redirects to an answer. `turn` is entered for each hop, so that each host keeps its limits.

        `gate` is asked before each hop and may end the request with an answer of its own.
        """
        url, moved, permanent = request.url, None, True
        cookies = aiohttp.CookieJar(unsafe=True)  # of this fetch alone, also of hosts that are addresses
        for _ in range(self._settings.max_redirects + 1):
            if request.proxy and (refusal := await self._proxy_refusal(url, request)):
                return refusal
            if gate and (refusal := await gate(url)):
                return refusal
            async with turn(host_of(url)):
                answer = await self._request_hop(url, request, cookies)
            if answer.status not in REDIRECT_STATUSES or answer.failure:
                return _with_move(answer, moved)
            permanent = permanent and answer.status in PERMANENT_STATUSES
            target = _redirect_target(url, answer.headers.get("Location", ""))
            if target is None:
                message = "a redirect that leads nowhere, or to what is not http"
                return Answer(url, answer.status, failure="redirects", message=message)
            moved = target if permanent else moved
            url = target
        return Answer(url, failure="redirects", message=f"over {self._settings.max_redirects} redirects")

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        """Send a form; the status of the answer, 0 where there is none. Redirects are not followed."""
        assert self._session is not None
        try:
            async with self._session.post(URL(url), data=dict(form), allow_redirects=False,
                                          trace_request_ctx=Connection()) as response:  # fmt: skip
                return response.status
        except Exception as error:
            if classify_error(error) is None and not isinstance(error, ValueError):
                raise
            return 0

    async def _proxy_refusal(self, url: str, request: Request) -> Answer | None:
        """Why a proxy must not be asked for a URL, as the answer to it: what it leads to is not ours to see.

        The address guard sees the proxy's own address only. So a name is resolved here too, and each of its addresses
        has to be allowed; one that can't be resolved here is left to the proxy where the operator's list has it.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = await self._resolve(host, port)
        except OSError:
            if host_of(url) == host_of(request.origin or request.url):
                return None
            addresses = []
        refused = [address for address in addresses if not guard.is_allowed(address, port, self._opened)]
        if addresses and not refused:
            return None
        reason = f"{', '.join(refused) or host}: {guard.BLOCKED_MARK}; open it with {guard.POLL_SETTING}"
        return Answer(url, failure="blocked_address", message=f"through a proxy: {reason}")

    async def _resolve(self, host: str, port: int) -> list[str]:
        if guard.is_address(host):
            return [host]
        self._names = self._resolver or self._names or aiohttp.ThreadedResolver()
        return [found["host"] for found in await self._names.resolve(host, port, socket.AF_UNSPEC)]

    async def _request_hop(self, url: str, request: Request, cookies: aiohttp.CookieJar) -> Answer:
        """The answer of one URL. Where a kept connection proves dead before its answer, another one is asked, once.

        That is no repetition: a server that has closed a connection has read nothing more from it (RFC 9112, 9.3.1).
        A server that resets one kept connection after another is asked no further.
        """
        for last in (False, True):
            connection = Connection()
            try:
                return await self._exchange(url, request, connection, cookies)
            except LOST_CONNECTION as error:
                if last or not connection.reused:
                    return _failed_answer(url, error)
            except BodyTooLarge:
                limit = self._settings.max_body_bytes
                message = f"over {limit} bytes; the rest was not read"
                return Answer(url, 200, failure="too_large", message=message)
            except Exception as error:
                if classify_error(error) is None:
                    raise
                return _failed_answer(url, error)
        raise AssertionError("the second try ends")

    async def _exchange(
        self, url: str, request: Request, connection: Connection, cookies: aiohttp.CookieJar
    ) -> Answer:
        assert self._session is not None
        headers = _headers(url, request) | _cookie_header(cookies, url)
        conditional = "If-None-Match" in headers or "If-Modified-Since" in headers
        async with self._session.get(
            URL(url), headers=headers, allow_redirects=False, proxy=request.proxy or None,
            trace_request_ctx=connection,
        ) as response:  # fmt: skip
            connection.reused = False  # it lives: what is lost from now on is the answer
            if response.cookies:  # some sites send a reader round once to see whether cookies come back
                cookies.update_cookies(response.cookies, URL(url))
            body = b""
            if response.status in DOCUMENT_STATUSES:
                body = await self._read_body(response)
            return Answer(
                url, response.status, response.headers, body,
                conditional=conditional,
                media_type=response.content_type if "Content-Type" in response.headers else None,
                charset=response.charset,
                links={name: str(link["url"]) for name, link in response.links.items()} if body else {},
            )  # fmt: skip

    async def _read_body(self, response: aiohttp.ClientResponse) -> bytes:
        """The decoded body, read no further than the cap."""
        parts: list[bytes] = []
        size = 0
        # The old name of gzip (RFC 9110, 8.4.1.3), which aiohttp leaves as it comes.
        is_zipped = response.headers.get("Content-Encoding", "").strip().lower() == "x-gzip"
        unzip = zlib.decompressobj(GZIP_WINDOW) if is_zipped else None
        chunks: AsyncIterator[bytes] = response.content.iter_chunked(CHUNK_BYTES)
        async for chunk in chunks:
            if (
                not parts and chunk.startswith(GZIP_MARK) and not is_zipped
            ):  # a file of gzip that nobody calls so
                unzip = zlib.decompressobj(GZIP_WINDOW)
            part = _decompress(unzip, chunk, self._settings.max_body_bytes + 1 - size) if unzip else chunk
            size += len(part)
            if size > self._settings.max_body_bytes:
                response.close()
                raise BodyTooLarge
            parts.append(part)
        return b"".join(parts)


def _decompress(unzip: Any, chunk: bytes, max_bytes: int) -> bytes:
    """What a chunk says, no further than the cap.

    Raises:
        aiohttp.ClientPayloadError: the bytes are no gzip.
    """
    try:
        return bytes(unzip.decompress(chunk, max_bytes))
    except zlib.error as error:
        raise aiohttp.ClientPayloadError(f"the body is no gzip: {error}") from error


class BodyTooLarge(Exception):
    """A body that grew over the cap."""


def host_of(url: str) -> str:
    """The host name that limits go by."""
    return (urlsplit(url).hostname or "").lower()


def classify_error(error: Exception) -> PollOutcome | None:
    """The outcome that an error of aiohttp stands for; None for one that is no fault of the world."""
    if guard.BLOCKED_MARK in str(error):
        return "blocked_address"
    return next((outcome for kinds, outcome in OUTCOME_OF if isinstance(error, kinds)), None)


def _failed_answer(url: str, error: Exception) -> Answer:
    failure = classify_error(error)
    if is_exhausted(error) or (failure in NETWORK_OUTCOMES and not has_file_left()):
        FILES_WARNING.warn("polling")
        return Answer(
            url, failure="exhausted", message="no file was left to open; raise the limit of open files"
        )
    return Answer(url, failure=failure, message=error_message(error))


def error_message(error: Exception) -> str:
    """An error in one line, without the secrets that libraries repeat."""
    return redact_secrets(f"{type(error).__name__}: {error}")[:300]


def hash_url(url: str) -> str:
    """What is remembered of a URL that may hold a secret."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def parse_origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454)."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)


def _trace_reuse() -> aiohttp.TraceConfig:
    """Note on a request's `Connection` that it was reused."""

    async def reused(_session: aiohttp.ClientSession, context: Any, _params: object) -> None:
        context.trace_request_ctx.reused = True

    traced = aiohttp.TraceConfig()
    traced.on_connection_reuseconn.append(reused)
    return traced


def _redirect_target(url: str, location: str) -> str | None:
    """Where a redirect leads; None for nowhere, for what is no URL, and for what is not http."""
    try:
        target = urljoin(url, location.strip()) if location.strip() else ""
        parts, _ = urlsplit(target), URL(target).raw_host
        is_http = (
            parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return None
    return target if is_http else None


def _headers(url: str, request: Request) -> dict[str, str]:
    headers = {}
    if request.validated_url and hash_url(url) == request.validated_url:
        if request.etag:
            headers["If-None-Match"] = request.etag
        if request.last_modified:
            headers["If-Modified-Since"] = request.last_modified
    if request.authorization and parse_origin(url) == parse_origin(request.origin or request.url):
        headers["Authorization"] = request.authorization
    return headers


def _cookie_header(cookies: aiohttp.CookieJar, url: str) -> dict[str, str]:
    """The cookies that earlier hops of the same fetch set for a URL, as a header; empty where there are none."""
    fitting = cookies.filter_cookies(URL(url)) if len(cookies) else {}
    header = "; ".join(f"{name}={morsel.value}" for name, morsel in fitting.items())
    return {"Cookie": header} if 0 < len(header) <= MAX_COOKIE_CHARS else {}


def _with_move(answer: Answer, moved: str | None) -> Answer:
    return replace(answer, moved=moved) if moved else answer
