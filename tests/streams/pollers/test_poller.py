"""The engine against a real server on loopback: limits, faults, order of steps, stop and restart."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from backports import zstd

from config.errors import Misconfigured
from config.settings import Poll
from processors.errors import Unreachable
from streams.pollers import poll
from streams.pollers.documents import take_apart
from streams.pollers.feed import Feed
from streams.pollers.fetch import Fetcher
from streams.pollers.poller import Manners, Poller
from streams.pollers.state import FeedState, header, pack, unpack
from tests.streams.pollers.conftest import MemoryLog, Request, WebServer, response


def document(*numbers: int) -> bytes:
    items = "".join(
        f"<item><title>Story {n}</title><guid>tag:wire.example,2026:{n}</guid></item>" for n in numbers
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()
    )


def settings(web: WebServer, **changed: object) -> Poll:
    quick = Poll(
        min_interval_s=0.05, max_interval_s=0.1, first_interval_s=0.05, max_backoff_s=0.3, host_delay_s=0.0,
        connect_timeout_s=1.0, read_timeout_s=0.5, total_timeout_s=1.0, max_body_bytes=200_000,
        allowed_addresses=(f"127.0.0.1:{web.port}",),
    )  # fmt: skip
    return replace(quick, **changed)  # type: ignore[arg-type]


@asynccontextmanager
async def polling(log: MemoryLog, feeds: list[Feed], told: Poll) -> AsyncIterator[None]:
    """A poller that runs within the block."""
    stop = asyncio.Event()
    running = asyncio.create_task(poll(feeds, told, log, log, stop, random=lambda: 0.5))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 10)


async def outcome_of(log: MemoryLog, web: WebServer, path: str = "/rss", **changed: object) -> FeedState:
    """The state after the first poll of one feed."""
    async with polling(log, [Feed("f", web.url(path))], settings(web, **changed)):
        await log.until(lambda: "f" in log.states)
    return unpack(log.states["f"])


async def test_items_are_published_before_the_state_is_saved(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(2, 1), ETag='"1"')
    state = await outcome_of(log, web)
    assert [item.uri for item in log.items] == ["tag:wire.example,2026:1", "tag:wire.example,2026:2"]
    assert log.steps[:2] == ["publish", "save"]
    assert (state.outcome, state.etag, len(state.entries)) == ("new", '"1"', 2)
    assert "wiredesk" in web.requests[0].headers["user-agent"]
    assert "+http" in web.requests[0].headers["user-agent"]


async def test_nothing_is_saved_while_the_log_does_not_take_items(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(1))
    log.refuse = 2
    await outcome_of(log, web)
    assert log.steps[:4] == ["refused", "refused", "publish", "save"]


async def test_a_log_that_takes_nothing_until_the_stop_is_told_and_nothing_is_saved(
    log: MemoryLog, web: WebServer
) -> None:
    web.answer("/rss", document(1))
    log.refuse = 1_000_000
    stop = asyncio.Event()
    running = asyncio.create_task(poll([Feed("f", web.url("/rss"))], settings(web), log, log, stop))
    await log.until(lambda: "refused" in log.steps)
    stop.set()
    with pytest.raises(Unreachable):
        await asyncio.wait_for(running, 5)
    assert log.states == {}


async def test_a_restart_goes_on_with_validators_and_entries(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(1), ETag='"1"')
    await outcome_of(log, web)
    web.answer("/rss", document(2, 1), ETag='"2"')
    log.changed.clear()
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: len(log.items) == 2)
    assert [item.uri for item in log.items] == ["tag:wire.example,2026:1", "tag:wire.example,2026:2"]
    assert '"1"' in [request.headers.get("if-none-match") for request in web.requests]


async def test_a_conditional_request_is_answered_with_304(log: MemoryLog, web: WebServer) -> None:
    async def serve(request: Request, writer: asyncio.StreamWriter) -> None:
        known = (
            request.headers.get("if-none-match") == "odd"
            and request.headers.get("if-modified-since") == "some day"
        )
        told = {"ETag": "odd", "Last-Modified": "some day"}
        writer.write(response(b"", "304 Not Modified", **told) if known else response(document(1), **told))

    web.handlers["/rss"] = serve
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: header(log.states.get("f", b"")).outcome == "not_modified")
    assert len(log.items) == 1


LARGE = b"<rss><channel><title>" + b" " * 20_000_000
BOMBS = {
    "gzip": gzip.compress(LARGE),
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
        (zlib.compress(document(1)), "deflate"),
        (RAW.compress(document(1)) + RAW.flush(), "deflate"),
        (brotli.compress(document(1)), "br"),
        (zstd.compress(document(1)), "zstd"),
    ],
    ids=["gzip", "deflate", "raw deflate", "br", "zstd"],
)
async def test_content_codings_are_undone(log: MemoryLog, web: WebServer, body: bytes, coding: str) -> None:
    web.answer("/rss", body, Content_Encoding=coding)
    assert (await outcome_of(log, web)).outcome == "new"
    assert coding in web.requests[0].headers["accept-encoding"]


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
    assert header(log.states["f"]).outcome == "connect"


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


async def test_a_permanent_redirect_moves_the_feed_once_it_has_lasted(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", b"", "301 Moved", Location="/end")
    web.answer("/end", document(1))
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web, move_after_s=0.01)):
        await log.until(lambda: bool(header(log.states.get("f", b"")).url))
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


async def test_a_host_gets_two_requests_at_once_at_most(log: MemoryLog, web: WebServer) -> None:
    async def serve(_request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(response(document(1)))

    feeds = [Feed(f"f{n}", web.url(f"/{n}")) for n in range(12)]
    web.handlers |= {f"/{n}": serve for n in range(12)}
    async with polling(log, feeds, settings(web)):
        await log.until(lambda: len(log.states) == 12)
    assert web.most == 2


async def test_requests_to_a_host_are_spaced(log: MemoryLog, web: WebServer) -> None:
    feeds = [Feed(f"f{n}", web.url(f"/{n}")) for n in range(5)]
    for n in range(5):
        web.answer(f"/{n}", document(n))
    async with polling(log, feeds, settings(web, host_delay_s=0.06)):
        await log.until(lambda: len(log.states) == 5)
    starts = [request.at for request in web.requests]
    assert all(later - earlier > 0.04 for earlier, later in pairwise(starts))


async def test_retry_after_holds_the_other_feeds_of_the_host(log: MemoryLog, web: WebServer) -> None:
    web.answer("/a", b"", "429 Slow down", Retry_After="1")
    web.answer("/b", document(1))
    feeds = [Feed("a", web.url("/a")), Feed("b", web.url("/b"))]
    async with polling(log, feeds, settings(web, host_connections=1)):
        await log.until(lambda: "b" in log.states)
    assert web.of("/b")[0].at - web.of("/a")[0].at > 0.9


async def test_a_gap_is_told_once_a_document_shares_nothing_with_the_last(
    log: MemoryLog, web: WebServer
) -> None:
    web.answer("/rss", document(1, 2))
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: len(log.items) == 2)
        web.answer("/rss", document(8, 9))
        await log.until(lambda: bool(log.gaps))
    assert [feed for feed, _ in log.gaps] == ["f"]
    assert log.steps.index("gap") > log.steps.index("publish")


async def test_a_feed_that_is_gone_twice_is_not_asked_again_not_even_after_a_restart(
    log: MemoryLog, web: WebServer
) -> None:
    web.answer("/rss", b"", "410 Gone")
    web.answer("/other", document(1))
    feeds = [Feed("f", web.url("/rss")), Feed("g", web.url("/other"))]
    for _ in range(2):
        async with polling(log, feeds, settings(web, max_backoff_s=0.1)):
            await log.until(lambda: header(log.states.get("f", b"")).disabled)
            asked = len(web.of("/other"))
            await log.until(lambda asked=asked: len(web.of("/other")) > asked + 3)  # type: ignore[misc]
    assert len(web.of("/rss")) == 2


async def test_a_feed_that_can_t_be_read_is_a_dead_letter_with_its_bytes(
    log: MemoryLog, web: WebServer
) -> None:
    web.answer("/rss", PAGE)
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: header(log.states.get("f", b"")).failures >= 3)
    assert [(item.payload, error.type) for item, error in log.rejected] == [(PAGE, "NotAFeed")]


async def test_a_bug_in_reading_one_feed_does_not_stop_the_others(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., object] = take_apart
    monkeypatch.setattr(
        "streams.pollers.judge.take_apart",
        lambda body, charset: 1 / 0 if b"Story 666" in body else real(body, charset),
    )
    web.answer("/bad", document(666))
    web.answer("/good", document(1))
    async with polling(log, [Feed("bad", web.url("/bad")), Feed("good", web.url("/good"))], settings(web)):
        await log.until(lambda: len(log.states) == 2)
    assert header(log.states["bad"]).outcome == "bug"
    assert header(log.states["good"]).outcome == "new"


async def test_a_large_document_is_judged_as_a_small_one(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(*range(1500)))
    await outcome_of(log, web, max_body_bytes=5_000_000)
    assert len(log.items) == 1500


async def test_paused_feeds_are_not_asked(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(1))
    feeds = [Feed("p", web.url("/never"), paused=True), Feed("f", web.url("/rss"))]
    async with polling(log, feeds, settings(web)):
        await log.until(lambda: len(web.requests) > 3)
    assert web.of("/never") == []


async def test_the_stop_does_not_wait_for_a_slow_server(log: MemoryLog, web: WebServer) -> None:
    reached = asyncio.Event()

    async def serve(_request: Request, writer: asyncio.StreamWriter) -> None:
        reached.set()
        while not writer.transport.is_closing():
            await asyncio.sleep(0.01)

    web.handlers["/rss"] = serve
    loop = asyncio.get_running_loop()
    async with polling(
        log, [Feed("f", web.url("/rss"))], settings(web, read_timeout_s=30, total_timeout_s=30)
    ):
        await asyncio.wait_for(reached.wait(), 5)
        told = loop.time()
    assert loop.time() - told < 2
    assert log.states == {}


async def test_a_feed_that_is_not_due_is_not_asked(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(1))
    log.states["late"] = pack(FeedState(next_poll=4e9))
    async with polling(log, [Feed("late", web.url("/late")), Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: len(web.requests) > 3)
    assert web.of("/late") == []


async def test_the_drop_folder_is_watched_beside_the_feeds(
    log: MemoryLog, web: WebServer, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(b"A dispatch")
    async with polling(log, [], settings(web, drop_folder=str(tmp_path), drop_interval_s=0.01)):
        await log.until(lambda: bool(log.items))
    assert log.items[0].feed == "drop"


async def test_a_bad_network_in_the_settings_is_told_at_the_start(log: MemoryLog, web: WebServer) -> None:
    with pytest.raises(Misconfigured, match="allowed_addresses"):
        await poll([], settings(web, allowed_addresses=("here",)), log, log, asyncio.Event())


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
    assert header(log.states["f"]).errors == {}
    assert [len(requests) for requests in connections[:2]] == [2, 2], "connections are kept"


async def test_nothing_is_asked_while_polling_is_not_permitted(log: MemoryLog, web: WebServer) -> None:
    """On Kafka a poller that has not heard from its group does not know whether its feeds are still its own."""
    web.answer("/rss", document(1))
    told, stop, asked = settings(web), asyncio.Event(), itertools.count()
    async with Fetcher(told) as fetcher:
        poller = Poller(
            [Feed("f", web.url("/rss"))], told, log, fetcher, manners=Manners.of(told), clock=time.time,
            random=lambda: 0.5, stop=stop, permit=lambda: next(asked) >= 3,
        )  # fmt: skip
        running = asyncio.create_task(poller.run())
        await log.until(lambda: bool(log.items))
        stop.set()
        await running
    assert next(asked) > 3


async def test_retry_after_holds_the_host_over_a_restart(log: MemoryLog, web: WebServer) -> None:
    web.answer("/b", document(1))
    until = time.time() + 0.5
    log.states["a"] = pack(FeedState(next_poll=4e9, outcome="throttled", held_until=until))
    async with polling(log, [Feed("a", web.url("/a")), Feed("b", web.url("/b"))], settings(web)):
        await log.until(lambda: "b" in log.states)
    assert header(log.states["b"]).polled > until


async def test_when_all_hosts_fail_no_feed_is_blamed(log: MemoryLog, web: WebServer) -> None:
    hosts = [f"127.0.0.{n}" for n in range(2, 10)]
    feeds = [Feed(host, f"http://{host}:1/rss") for host in hosts]
    async with polling(log, feeds, settings(web, allowed_addresses=("127.0.0.0/8",))):
        await log.until(lambda: len(log.states) == len(hosts))
    states = [header(state) for state in log.states.values()]
    assert {state.outcome for state in states} == {"connect"}
    spared = [state for state in states if state.message == "our network is down"]
    assert spared
    assert {state.failures for state in spared} == {0}


async def test_a_feed_is_fetched_through_its_own_proxy(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIRE_PROXY", web.url("").replace("http://", "http://desk:s3cret@"))
    web.answer("http://wire.example/rss", document(1))
    async with polling(log, [Feed("f", "http://wire.example/rss", proxy_env="WIRE_PROXY")], settings(web)):
        await log.until(lambda: bool(log.items))
    assert web.requests[0].headers["proxy-authorization"].startswith("basic ")
    assert log.items[0].url == "http://wire.example/rss"


async def test_a_fetch_under_way_at_a_hand_over_is_finished_not_repeated(
    log: MemoryLog, web: WebServer
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def serve(_request: Request, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()
        writer.write(response(document(1)))

    web.handlers["/rss"] = serve
    told, stop = settings(web, read_timeout_s=10.0, total_timeout_s=10.0), asyncio.Event()
    async with Fetcher(told) as fetcher:
        poller = Poller(
            [Feed("f", web.url("/rss"))], told, log, fetcher, manners=Manners.of(told), clock=time.time,
            random=lambda: 0.5, stop=stop, grace=10.0,
        )  # fmt: skip
        running = asyncio.create_task(poller.run())
        await asked.wait()
        stop.set()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait_for(running, 10)
    assert len(log.items) == 1
    assert header(log.states["f"]).outcome == "new"
