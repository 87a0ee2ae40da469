"""Asking a real server on loopback: content codings, faults, redirects, credentials, connections."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import suppress

import brotli  # type: ignore[import-untyped]
import pytest
from backports import zstd

from config.settings import Poll
from streams.pollers.feed import Feed
from streams.pollers.fetch import Fetcher
from streams.pollers.fetch import Request as Asked
from streams.pollers.state import unpack_header
from tests.streams.pollers.conftest import MemoryLog, Request, WebServer, response
from tests.streams.pollers.polling import at_once, document, outcome_of, polling, settings

LARGE = b"<rss><channel><title>" + b" " * 20_000_000
BOMBS = {
    "gzip": gzip.compress(LARGE),
    "x-gzip": gzip.compress(LARGE),
    "deflate": zlib.compress(LARGE),
    "br": brotli.compress(LARGE, quality=1),
    "zstd": zstd.compress(LARGE),
}
RAW = zlib.compressobj(9, zlib.DEFLATED, -15)
PAGE = b"<!DOCTYPE html><html><body>Soon</body></html>"


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(document(1)), "gzip"),
        (gzip.compress(document(1)), "X-GZIP"),
        (zlib.compress(document(1)), "deflate"),
        (RAW.compress(document(1)) + RAW.flush(), "deflate"),
        (brotli.compress(document(1)), "br"),
        (zstd.compress(document(1)), "zstd"),
    ],
    ids=["gzip", "old name of gzip", "deflate", "raw deflate", "br", "zstd"],
)
async def test_content_codings_are_undone(log: MemoryLog, web: WebServer, body: bytes, coding: str) -> None:
    web.answer("/rss", body, Content_Encoding=coding)
    assert (await outcome_of(log, web)).outcome == "new"
    assert coding.lower().removeprefix("x-") in web.requests[0].headers["accept-encoding"]


@pytest.mark.parametrize("coding", BOMBS)
async def test_a_bomb_is_stopped_at_the_cap_not_after(log: MemoryLog, web: WebServer, coding: str) -> None:
    web.answer("/rss", BOMBS[coding], Content_Encoding=coding)
    tracemalloc.start()
    try:
        state = await outcome_of(log, web)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert state.outcome == "too_large"
    assert peak < len(LARGE) / 4, f"{peak} bytes were taken for a cap of 200,000"


@pytest.mark.parametrize(
    ("body", "status", "headers", "outcome"),
    [
        (PAGE, "200 OK", {}, "not_a_feed"),
        (b"", "200 OK", {}, "empty"),
        (document(1)[:-10], "200 OK", {}, "truncated"),
        (b"<rss>" + b" " * 300_000, "200 OK", {}, "too_large"),
        (document(1), "200 OK", {"Content_Length": "5000"}, "reset"),
        (document(1), "200 OK", {"X_Padding": "p" * 200_000}, "bad_response"),
        (b"not gzip", "200 OK", {"Content_Encoding": "gzip"}, "reset"),
        (b"not gzip", "200 OK", {"Content_Encoding": "x-gzip"}, "reset"),
        (b"", "404 Not Found", {}, "http_4xx"),
        (b"", "503 Unavailable", {}, "http_5xx"),
        (b"", "429 Slow down", {"Retry_After": "1"}, "throttled"),
        (b"", "410 Gone", {}, "gone"),
        (b"", "302 Found", {"Location": ""}, "redirects"),
        (b"", "302 Found", {"Location": "file:///etc/hostname"}, "redirects"),
        (b"", "302 Found", {"Location": "/rss"}, "redirects"),
        (b"", "302 Found", {"Location": "http://wire.example:99999/"}, "redirects"),
        (b"", "302 Found", {"Location": "http://[::1/"}, "redirects"),
        (b"", "302 Found", {"Location": "http://"}, "redirects"),
        (b"", "302 Found", {"Location": "http://wire.example:0/"}, "redirects"),
        (b"", "302 Found", {"Location": "http://exa mple.example/"}, "dns"),
        (b"", "302 Found", {"Location": "http://%00/"}, "dns"),
        (b"", "302 Found", {"Location": "http://127.0.0.66:1/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://[::ffff:127.0.0.66]:1/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://2130706498:1/"}, "redirects"),
        (b"", "302 Found", {"Location": "http://169.254.169.254/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://10.0.0.1/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://192.168.0.1:8080/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://[::1]:1/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://[fd00::1]/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://[fe80::1]/"}, "blocked_address"),
        (b"", "302 Found", {"Location": "http://[64:ff9b::7f00:1]/"}, "blocked_address"),
    ],
)
async def test_each_fault_has_its_outcome(
    log: MemoryLog, web: WebServer, body: bytes, status: str, headers: dict[str, str], outcome: str
) -> None:
    web.answer("/rss", body, status, **headers)
    state = await outcome_of(log, web)
    assert state.outcome == outcome
    assert state.failures == 1
    assert state.errors == {outcome: 1}


async def test_a_server_that_never_answers_is_left_in_time(log: MemoryLog, web: WebServer) -> None:
    async def serve(_request: Request, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" if not web.of("/other") else b"x")
            await asyncio.sleep(5)

    web.handlers["/rss"] = serve
    assert (await outcome_of(log, web, read_timeout_s=0.2)).outcome == "timeout"


async def test_a_connection_that_is_lost_is_not_tried_again_at_once(log: MemoryLog, web: WebServer) -> None:
    async def serve(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    web.handlers["/rss"] = serve
    state = await outcome_of(log, web, first_interval_s=60.0, min_interval_s=60.0, max_interval_s=60.0)
    assert state.outcome == "reset"
    assert len(web.requests) == 1


async def test_a_connection_that_is_refused_is_typed(log: MemoryLog, web: WebServer) -> None:
    told = settings(web, allowed_addresses=("127.0.0.1",))
    async with polling(log, [Feed("f", "http://127.0.0.1:1/rss")], told):
        await log.until(lambda: "f" in log.states)
    assert unpack_header(log.states["f"]).outcome == "connect"


async def test_loopback_is_blocked_unless_the_settings_open_it(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(1))
    state = await outcome_of(log, web, allowed_addresses=())
    assert state.outcome == "blocked_address"
    assert web.requests == []


async def test_redirects_are_followed_and_a_temporary_one_moves_nothing(
    log: MemoryLog, web: WebServer
) -> None:
    web.answer("/rss", b"", "302 Found", Location="/there")
    web.answer("/there", b"", "301 Moved", Location="/end")
    web.answer("/end", document(1))
    state = await outcome_of(log, web, move_after_s=0.0)
    assert (state.outcome, state.moved_to, state.url) == ("new", "", "")


async def test_what_a_proxy_has_changed_is_a_document_all_the_same(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(1), "203 Non-Authoritative Information")
    assert (await outcome_of(log, web)).outcome == "new"


async def test_cookies_go_along_with_the_redirects_of_one_fetch(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", b"", "302 Found", Location="/there", Set_Cookie="seen=1; Path=/there")
    web.answer("/there", b"", "302 Found", Location="/end", Set_Cookie="lasting=2; Path=/")
    web.answer("/end", document(1))
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: len(web.of("/end")) > 1)
    assert [request.headers.get("cookie", "") for request in web.requests[:4]] == [
        "",
        "seen=1",
        "lasting=2",
        "",
    ]


async def test_cookies_do_not_follow_a_redirect_to_another_host(log: MemoryLog, web: WebServer) -> None:
    web.answer(
        "/rss",
        b"",
        "302 Found",
        Location=web.url("/end").replace("127.0.0.1", "localhost"),
        Set_Cookie="seen=1; Path=/",
    )
    web.answer("/end", document(1))
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: bool(web.of("/end")))
    assert "cookie" not in web.of("/end")[0].headers


async def test_a_permanent_redirect_moves_the_feed_once_it_has_lasted(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", b"", "301 Moved", Location="/end")
    web.answer("/end", document(1))
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web, move_after_s=0.01)):
        await log.until(lambda: bool(unpack_header(log.states.get("f", b"")).url))
        asked = len(web.of("/rss"))
        await log.until(lambda: len(web.of("/end")) > asked + 2)
    assert len(web.of("/rss")) == asked


async def test_credentials_do_not_follow_a_redirect_to_another_host(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WebServer()
    await other.start()
    monkeypatch.setenv("WIRE_TOKEN", "s3cret")
    web.answer("/rss", b"", "302 Found", Location=other.url("/end"))
    other.answer("/end", document(1))
    told = settings(web, allowed_addresses=("127.0.0.1",))
    async with polling(log, [Feed("f", web.url("/rss"), bearer_token_env="WIRE_TOKEN")], told):
        await log.until(lambda: bool(log.items))
    await other.stop()
    assert web.requests[0].headers["authorization"] == "bearer s3cret"
    assert "authorization" not in other.requests[0].headers


async def test_a_kept_connection_that_has_died_meanwhile_costs_no_poll(log: MemoryLog) -> None:
    connections: list[list[bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        connections.append(mine)
        with suppress(asyncio.IncompleteReadError):
            mine.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(response(document(len(connections)), Connection="keep-alive"))
            await writer.drain()
            mine.append(await reader.readuntil(b"\r\n\r\n"))
        writer.transport.abort()  # the second request of a connection is lost

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname()[:2])
    told = Poll(
        min_interval_s=0.05,
        max_interval_s=0.1,
        first_interval_s=0.05,
        host_delay_s=0.0,
        allowed_addresses=(address,),
    )
    async with server, polling(log, [Feed("f", f"http://{address}/rss")], told):
        await log.until(lambda: len(log.items) >= 3)
    assert unpack_header(log.states["f"]).errors == {}
    assert [len(requests) for requests in connections[:2]] == [2, 2], "connections are kept"


async def test_a_server_that_resets_every_kept_connection_is_asked_twice_at_most(web: WebServer) -> None:
    polite, resets, asked = asyncio.Event(), [], 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            if asked == 3:
                polite.set()
            await polite.wait()  # three connections are open at once, and kept
            writer.write(response(document(1), Connection="keep-alive"))
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")
            resets.append(asyncio.get_running_loop().time())
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname()[:2])
    told = settings(web, allowed_addresses=(address,), host_connections=3)
    request = Asked(f"http://{address}/rss")
    async with server, Fetcher(told) as fetcher:
        answers = await asyncio.gather(*(fetcher.get(request, at_once) for _ in range(3)))
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert (await fetcher.get(request, at_once)).failure == "reset"
    assert len(resets) == 2


async def test_a_feed_is_fetched_through_its_own_proxy(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIRE_PROXY", web.url("").replace("http://", "http://desk:s3cret@"))
    web.answer("http://wire.example/rss", document(1))
    async with polling(log, [Feed("f", "http://wire.example/rss", proxy_env="WIRE_PROXY")], settings(web)):
        await log.until(lambda: bool(log.items))
    assert web.requests[0].headers["proxy-authorization"].startswith("basic ")
    assert log.items[0].url == "http://wire.example/rss"
