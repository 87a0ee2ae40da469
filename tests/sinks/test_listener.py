"""The listener under callers that mean harm: on raw sockets, against real servers on loopback."""

from __future__ import annotations

import asyncio
import gzip
import os
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from sinks import listener as listeners
from sinks.callers import is_same_secret
from sinks.listener import (
    MAX_CONNECTIONS,
    MIN_CONNECTIONS,
    Bodies,
    Listener,
    ListenerLimits,
    admit_caller,
    check_characters,
    connection_limit,
    serve,
    stream_limit,
)
from sinks.open_files import FILES_WARNING, has_file_left, is_exhausted
from streams.startup import raise_file_limit

SOON = ListenerLimits(head_s=0.2, idle_s=30.0, write_s=0.3, max_connections=4)
HELLO = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def make_app() -> web.Application:
    """Says hello; sends a lot; reads bodies of whom it knows."""
    bodies = Bodies(max_bytes=3000, timeout_s=0.3)

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"a" * 65536)

    async def take(request: web.Request) -> web.Response:
        async with bodies.read_body(request, 2000) as body:
            return web.Response(text=str(len(body)))

    async def enter(request: web.Request) -> web.Response:
        admit_caller(request)
        return web.Response(text="in")

    app = web.Application(middlewares=[check_characters])
    app.add_routes(
        [
            web.get("/hello", hello),
            web.get("/flood", flood),
            web.post("/take", take),
            web.get("/enter", enter),
        ]
    )
    return app


@asynccontextmanager
async def listening(limits: ListenerLimits = SOON) -> AsyncIterator[tuple[Listener, int]]:
    listener, port = await serve(make_app(), "127.0.0.1", 0, limits)
    try:
        yield listener, port
    finally:
        await listener.cleanup()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side ends the connection, which it does within seconds."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def first_line(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        return (await reader.readline()).rstrip()


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /hello HTTP/1.1\r\nHost: a\r\nX: "])
async def test_a_connection_that_sends_no_whole_head_ends(sent: bytes) -> None:
    async with listening() as (listener, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert await ended(reader) == b""
        writer.close()
        assert listener.count == 0


async def test_a_second_head_has_its_time_too_and_a_quiet_connection_waits() -> None:
    async with listening() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        quiet, quiet_writer = await asyncio.open_connection("127.0.0.1", port)
        for each, other in ((reader, writer), (quiet, quiet_writer)):
            other.write(HELLO)
            assert await first_line(each) == b"HTTP/1.1 200 OK"
        writer.write(b"GET /he")
        assert (await ended(reader)).endswith(b"hello")
        quiet_writer.write(HELLO)
        answer = await quiet.readuntil(b"hello")
        assert b"hello" in answer
        writer.close()
        quiet_writer.close()


async def test_a_caller_that_takes_nothing_is_let_go() -> None:
    async with listening() as (listener, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(10):
            while not listener.count:
                await asyncio.sleep(0)
            while listener.count:
                await asyncio.sleep(0.01)
        writer.close()


async def test_the_one_that_is_silent_for_longest_gives_way_and_whoever_showed_a_key_stays() -> None:
    limits = ListenerLimits(head_s=60.0, max_connections=4)
    async with listening(limits) as (listener, port), AsyncExitStack() as stack:

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            return reader, writer

        known, known_writer = await connect()
        known_writer.write(b"GET /enter HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await first_line(known) == b"HTTP/1.1 200 OK"
        silent = [await connect() for _ in range(20)]
        reader, writer = await connect()
        writer.write(HELLO)
        assert await first_line(reader) == b"HTTP/1.1 200 OK"
        assert listener.count <= 4
        assert await ended(silent[0][0]) == b""
        known_writer.write(HELLO)
        assert await known.readuntil(b"hello")


async def test_a_body_has_its_time_its_size_and_a_share_of_what_is_in_hand() -> None:
    head = b"POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    async with listening(ListenerLimits()) as (_, port):
        statuses = []
        for declared, body in ((2000, b"a" * 2000), (2001, b""), (2000, b"a" * 10)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head % declared + body)
            statuses.append((await first_line(reader)).split()[1])
            writer.close()
        assert statuses == [b"200", b"413", b"408"]
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for _, writer in slow:
            writer.write(head % 2000 + b"a" * 1999)
        assert sorted([(await first_line(reader)).split()[1] for reader, _ in slow]) == [b"408", b"503"]
        async with ClientSession(f"http://127.0.0.1:{port}") as session:
            answer = await session.post("/take", data=b"a" * 2000)
            assert (answer.status, await answer.text()) == (200, "2000")
            bomb = gzip.compress(b"a" * 2_000_000)
            answer = await session.post("/take", data=bomb, headers={"Content-Encoding": "gzip"})
            assert answer.status == 413
            answer = await session.post("/take", data=b"no gzip", headers={"Content-Encoding": "gzip"})
            assert answer.status == 400
        for _, writer in slow:
            writer.close()


async def test_bytes_that_are_no_utf_8_are_refused_in_an_address_and_replaced_in_headers() -> None:
    async with listening() as (_, port):
        for path, value, status in (
            (b"/hello", b"\xff", b"200"),
            (b"/\xff", b"a", b"400"),
            (b"/hello?a=\xff", b"a", b"400"),
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nCookie: " + value + b"\r\n\r\n")
            assert (await first_line(reader)).split()[1] == status
            writer.close()


async def test_what_is_no_http_is_no_error_of_ours() -> None:
    async with listening() as (_, port):
        with capture_logs() as logs:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x16\x03\x01 hello\r\n\r\n")
            assert await ended(reader)
            writer.close()
    assert [line for line in logs if line["log_level"] in {"warning", "error"}] == []


@pytest.mark.parametrize(
    ("files", "limit"),
    [(64, 16), (16, MIN_CONNECTIONS), (1024, 256), (4 * MAX_CONNECTIONS, 512), (1_000_000, MAX_CONNECTIONS)],
)
def test_the_limit_follows_the_files_that_may_be_open(
    monkeypatch: pytest.MonkeyPatch, files: int, limit: int
) -> None:
    monkeypatch.setattr(listeners, "file_limit", lambda: files)
    assert connection_limit() == limit
    assert 2 * stream_limit(200) < limit, "streams leave room for pages"
    assert stream_limit(200) <= 200


@pytest.fixture
def restored_limit() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_open_files_is_raised_at_the_start(restored_limit: tuple[int, int]) -> None:
    hard = restored_limit[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(hard, 1_048_576)


async def test_without_a_file_left_callers_wait_and_one_line_says_so(
    restored_limit: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "ACCEPT_PAUSE_S", 0.01)
    monkeypatch.setattr(FILES_WARNING, "_said_at", None)
    loop = asyncio.get_running_loop()
    async with listening(ListenerLimits()) as (_, port):
        clients = [
            socket.create_connection(("127.0.0.1", port)) for _ in range(3)
        ]  # nothing accepts meanwhile
        with capture_logs() as logs:
            resource.setrlimit(resource.RLIMIT_NOFILE, (_next_free_file(), restored_limit[1]))
            try:
                assert not has_file_left()
                until = loop.time() + 0.1  # ten tries
                while loop.time() < until:
                    await asyncio.sleep(0.01)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, restored_limit)
        assert has_file_left()
        assert [line["event"].partition(";")[0] for line in logs] == ["no file is left to open"]
        for client in clients:
            client.setblocking(False)  # noqa: FBT003 -- socket's signature
            await loop.sock_sendall(client, HELLO)
            assert (await loop.sock_recv(client, 100)).startswith(b"HTTP/1.1 200 OK")
            client.close()


def _next_free_file() -> int:
    number = os.dup(0)
    os.close(number)
    return number


@pytest.mark.parametrize("shown", ["", "a", "\udcff", "ключ", "a" * 10_000])
def test_any_text_can_be_compared_with_a_secret(shown: str) -> None:
    assert not is_same_secret(shown, "the secret")
    assert is_same_secret("ключ", "ключ")


def test_an_error_that_is_ours_is_found_below_others() -> None:
    error = RuntimeError("no connection")
    error.__cause__ = OSError(24, "Too many open files")
    assert is_exhausted(error)
    assert not is_exhausted(OSError(111, "Connection refused"))
    assert not is_exhausted(None)
