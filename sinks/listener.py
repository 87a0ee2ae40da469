"""The HTTP listener of every process, made for callers that mean harm: who is silent, slow or many can't hold it up.

A connection has so long for the head of a request, so long for a body, and so long to take what it is sent. There is a
limit of connections: beyond it the one that has waited longest without having shown a token or key gives way. The
bytes of all bodies that are read at once have a limit too.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.typedefs import Handler
from multidict import CIMultiDict, CIMultiDictProxy

from sinks.open_files import EXHAUSTED_ERRORS, FILES_WARNING, file_limit

# For the head of a request, from the connection or its first byte on. Shorter refuses callers on bad lines; longer, and
# silent connections keep their places.
HEAD_TIMEOUT_S: Final = 10.0
# For the next request on a connection. Shorter than a reverse proxy's own limit (nginx: 60 s) lets requests of the proxy
# run into a closing connection; longer keeps places for nobody.
IDLE_TIMEOUT_S: Final = 75.0
# For a whole body: 15 MiB at 2 Mbit/s. Shorter refuses slow lines, longer lets a body that trickles keep its bytes.
BODY_TIMEOUT_S: Final = 60.0
# For a caller to take what it is sent, while the system's buffers are full. Shorter drops readers on bad lines; longer
# keeps answers in memory for readers that are gone.
WRITE_TIMEOUT_S: Final = 30.0
LINGERING_S: Final = (
    2.0  # for the rest of a body that nobody reads: longer keeps refused callers, shorter cuts off answers
)
# Of one listener: the streams of the desk (400) and its pages fit in. Fewer turn readers away, more take memory.
MAX_CONNECTIONS: Final = 512
FILES_SHARE: Final = 4  # of the open files that a process may have, a listener takes one of so many
MIN_CONNECTIONS: Final = 8
MAX_BACKLOG: Final = (
    128  # connections that wait to be accepted: more is what floods fill, fewer refuses bursts
)
ACCEPT_PAUSE_S: Final = 1.0  # where no file is left: shorter is a busy loop, longer keeps callers waiting
MAX_BODIES_BYTES: Final = 64 * 1024 * 1024  # in hand at once: four of the largest documents
CHUNK_BYTES: Final = 65536
RETRY_AFTER_S: Final = 10
SHUTDOWN_S: Final = 2.0
log = structlog.get_logger("wiredesk.listener")


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """How long a connection has for the head of a request, for the next one, and to take what it is sent; and how many.

    `max_connections` None: what the limit of open files leaves room for.
    """

    head_s: float = HEAD_TIMEOUT_S
    idle_s: float = IDLE_TIMEOUT_S
    write_s: float = WRITE_TIMEOUT_S
    max_connections: int | None = None


class GuardedConnection(web.RequestHandler):
    """One connection, with its limits of time. `is_admitted` is set once its caller has shown a token or key."""

    __slots__ = ("_head_timer", "_listener", "_write_timer", "is_admitted", "since")

    def __init__(self, listener: Listener, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        """A connection of a listener, not yet open."""
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=listener.limits.idle_s,
            lingering_time=LINGERING_S,
            access_log=None,  # type: ignore[arg-type]  # which aiohttp takes for "no log"
        )
        self._listener = listener
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self.is_admitted = False
        self.since = loop.time()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self._current_request is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the head of a request."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place free."""
        self._stop_head_timer()
        self._stop_write_timer()
        self._listener.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; a head that has begun has to end soon."""
        super().data_received(data)
        self._clean_headers()
        if self._messages or not self.is_idle:
            self._stop_head_timer()
        elif data and self._head_timer is None:
            self._start_head_timer()

    def pause_writing(self) -> None:
        """Wait so long and no longer for a caller that takes nothing."""
        super().pause_writing()
        self._write_timer = self._loop.call_later(self._listener.limits.write_s, self.abort)

    def resume_writing(self) -> None:
        """Go on."""
        self._stop_write_timer()
        super().resume_writing()

    def abort(self) -> None:
        """End the connection at once, with what it has in its buffers."""
        if self.transport is not None:
            self.transport.abort()

    def log_exception(self, *_args: Any, **keywords: Any) -> None:
        """Log a bug of ours; what the caller sends that is no HTTP is nothing to fill the log with."""
        error = keywords.get("exc_info")
        if isinstance(error, web.HTTPException) or type(error).__module__.startswith("aiohttp."):
            log.debug("no HTTP", reason=str(error)[:200])
        else:
            log.error("a bug in an answer", exc_info=error)

    def _clean_headers(self) -> None:
        """Put U+FFFD for bytes that are no UTF-8 before anything sees them, aiohttp's answer to ``Expect`` included."""
        for place, (message, payload) in enumerate(self._messages):
            if not isinstance(message, RawRequestMessage):  # what could not be parsed
                continue
            if not all(map(_is_text, message.headers.values())):
                cleaned = CIMultiDict((name, _cleaned(value)) for name, value in message.headers.items())
                self._messages[place] = (message._replace(headers=CIMultiDictProxy(cleaned)), payload)

    def _start_head_timer(self) -> None:
        head_s = self._listener.limits.head_s
        self._head_timer = self._loop.call_later(head_s, self._end_head, self._request_count)

    def _end_head(self, request_count: int) -> None:
        self._head_timer = None
        if self.is_idle and not self._messages and self._request_count == request_count:
            self.abort()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


class Listener:
    """The open connections of one address, and the sockets that accept more."""

    def __init__(self, app: web.Application, limits: ListenerLimits | None = None) -> None:
        """Nothing is open."""
        self.limits = limits or ListenerLimits()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        self._max_connections = self.limits.max_connections or connection_limit()
        self._connections: dict[GuardedConnection, None] = {}  # in the order in which they came
        self._opening: set[asyncio.Task[None]] = set()
        self._sockets: list[socket.socket] = []
        self._pauses: list[asyncio.TimerHandle] = []

    async def open(self, host: str, port: int) -> int:
        """Answer on an address (port 0: any free one); the port.

        Raises:
            OSError: the address is in use or not ours.
        """
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            bound = await loop.create_server(asyncio.Protocol, host, port, start_serving=False)
        except OSError:
            await self._runner.cleanup()
            raise
        self._sockets = [bound_socket.dup() for bound_socket in bound.sockets]
        bound.close()
        for accepting in self._sockets:
            accepting.setblocking(False)  # noqa: FBT003 -- socket's signature
            accepting.listen(MAX_BACKLOG)
            loop.add_reader(accepting, self._accept, accepting)
        return int(self._sockets[0].getsockname()[1])

    async def cleanup(self) -> None:
        """Accept nothing more, and end what is open within seconds."""
        loop = asyncio.get_running_loop()
        for pause in self._pauses:
            pause.cancel()
        for accepting in self._sockets:
            loop.remove_reader(accepting)
            accepting.close()
        self._sockets.clear()
        await asyncio.gather(*self._opening, return_exceptions=True)
        await self._runner.cleanup()

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def forget(self, connection: GuardedConnection) -> None:
        """A connection is gone."""
        self._connections.pop(connection, None)

    def _accept(self, accepting: socket.socket) -> None:
        """Take what waits, a few at a time, so that a flood does not hold up the rest of the process."""
        for _ in range(16):
            try:
                client, _ = accepting.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in EXHAUSTED_ERRORS:
                    raise
                self._pause(accepting)
                return
            client.setblocking(False)  # noqa: FBT003 -- socket's signature
            if len(self._connections) >= self._max_connections and not self._make_room():
                client.close()
                continue
            self._open_connection(client)

    def _open_connection(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = self._runner.server
        assert server is not None
        connection = GuardedConnection(self, server, loop)
        self._connections[connection] = None

        async def connect() -> None:
            try:
                await loop.connect_accepted_socket(lambda: connection, client)
            except OSError:
                self.forget(connection)
                client.close()

        task = loop.create_task(connect())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _make_room(self) -> bool:
        """End the oldest connection that has shown nothing yet, or else the oldest that waits; whether there was one."""
        silent = next((one for one in self._connections if not one.is_admitted), None)
        silent = silent or next((one for one in self._connections if one.is_idle), None)
        if silent is None:
            return False
        self.forget(silent)
        silent.abort()
        return True

    def _pause(self, accepting: socket.socket) -> None:
        """Where no file is left, try again in a while; what waits is accepted then."""
        FILES_WARNING.warn("listener")
        loop = asyncio.get_running_loop()
        loop.remove_reader(accepting)
        self._pauses = [
            pause for pause in self._pauses if not pause.cancelled() and pause.when() > loop.time()
        ]
        self._pauses.append(
            loop.call_later(ACCEPT_PAUSE_S, loop.add_reader, accepting, self._accept, accepting)
        )


def connection_limit() -> int:
    """How many connections a listener may have: its share of the files that this process may open."""
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, file_limit() // FILES_SHARE))


class Bodies:
    """The bodies of requests that are in hand: each bounded in time and size, all together in size."""

    def __init__(self, max_bytes: int = MAX_BODIES_BYTES, timeout_s: float = BODY_TIMEOUT_S) -> None:
        """`max_bytes` is the sum of all that is read at once, `timeout_s` the time that each has."""
        self._max_bytes, self._timeout_s = max_bytes, timeout_s
        self._bytes = 0

    @asynccontextmanager
    async def read_body(self, request: web.Request, max_bytes: int) -> AsyncIterator[bytes]:
        """The decoded body, which counts as in hand until the block ends.

        Raises:
            web.HTTPException: it is over `max_bytes` (413), takes too long (408), is not encoded as it says (400), or
                too much else is in hand (503). Of what is refused the rest is not read.
        """
        if (request.content_length or 0) > max_bytes:
            raise _refusal(web.HTTPRequestEntityTooLarge, max_bytes)
        claimed = 0
        try:
            parts = []
            try:
                async with asyncio.timeout(self._timeout_s):
                    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                        claimed += len(chunk)
                        self._bytes += len(chunk)
                        if claimed > max_bytes:
                            raise _refusal(web.HTTPRequestEntityTooLarge, max_bytes)
                        if self._bytes > self._max_bytes:
                            raise _refusal(web.HTTPServiceUnavailable, max_bytes)
                        parts.append(chunk)
            except TimeoutError:
                raise _refusal(web.HTTPRequestTimeout, max_bytes) from None
            except web.RequestPayloadError as error:
                raise _refusal(web.HTTPBadRequest, max_bytes) from error
            yield b"".join(parts)
        finally:
            self._bytes -= claimed


def admit_caller(request: web.Request) -> None:
    """Note that a caller has shown a token or key: its connection does not give way to others."""
    connection = request.protocol
    if isinstance(connection, GuardedConnection):
        connection.is_admitted = True


@web.middleware
async def check_characters(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse an address that is no UTF-8; in headers, which other programs may have set, put U+FFFD for such bytes."""
    if not _is_text(request.raw_path) or not _is_text(request.path):
        raise web.HTTPBadRequest(text="the address is not UTF-8")
    if not all(map(_is_text, request.headers.values())):
        headers = CIMultiDict((name, _cleaned(value)) for name, value in request.headers.items())
        request = request.clone(headers=headers)
    return await handler(request)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cleaned(value: str) -> str:
    """The value of a header with U+FFFD for bytes that are no UTF-8, which aiohttp keeps as lone surrogates."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _refusal(kind: Callable[..., web.HTTPException], max_bytes: int) -> web.HTTPException:
    """The answer to a body that is not taken; the connection ends with it."""
    reasons: dict[Callable[..., web.HTTPException], str] = {
        web.HTTPRequestEntityTooLarge: f"over {max_bytes} bytes; send less at a time",
        web.HTTPServiceUnavailable: "too many bodies at once; send it again later",
        web.HTTPRequestTimeout: "the body took too long",
        web.HTTPBadRequest: "the body is not encoded as its headers say",
    }
    headers = {"Connection": "close", "Content-Type": "application/json"}
    if kind is web.HTTPServiceUnavailable:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    text = json.dumps({"error": reasons[kind]})
    if kind is web.HTTPRequestEntityTooLarge:
        return web.HTTPRequestEntityTooLarge(max_size=max_bytes, actual_size=0, text=text, headers=headers)
    return kind(text=text, headers=headers)


def stream_limit(most: int) -> int:
    """How many streams of one kind may be open: `most`, or two fifths of the connections, so that two kinds leave room."""
    return min(most, connection_limit() * 2 // 5)


async def serve(
    app: web.Application, host: str, port: int, limits: ListenerLimits | None = None
) -> tuple[Listener, int]:
    """Answer on an address (port 0: any free one); the listener, whose `cleanup` ends it, and the port.

    Raises:
        OSError: the address is in use or not ours.
    """
    listener = Listener(app, limits)
    return listener, await listener.open(host, port)
