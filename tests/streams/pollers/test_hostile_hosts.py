"""Hosts that mean harm: what they learn, what they make us say, and whom they make us ask, or not ask."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from structlog.testing import capture_logs

from sinks.open_files import FILES_WARNING
from streams.pollers.feed import Feed, find_url_fault
from streams.pollers.feed_health import read_health
from streams.pollers.fetch import MAX_INTERIM_ANSWERS, Fetcher, Request, classify_error
from streams.pollers.state import FeedState, pack_state, unpack_header
from tests.streams.pollers.conftest import MemoryLog, WebServer, response
from tests.streams.pollers.polling import at_once, document, polling, settings
from tests.streams.pollers.test_address_guard import Rebinding

SECRET = "SEKRETx9"
BROKEN = {
    "status": b"HTTP/1.1 abc no\r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "nothing": b"",
}


@pytest.fixture
async def web_everywhere() -> AsyncIterator[WebServer]:
    """A server that answers under several addresses of this machine."""
    server = WebServer()
    await server.start("0.0.0.0")
    yield server
    await server.stop()


async def raw_server(answer: bytes, *, repeats: int = 1) -> asyncio.Server:
    """Answers each connection with the same bytes, whatever it asks."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(repeats):
                writer.write(answer)
                await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_answer_brings_no_secret_of_the_url_into_any_message(
    log: MemoryLog, web: WebServer, kind: str
) -> None:
    server = await raw_server(BROKEN[kind])
    url = f"http://desk:{SECRET}@127.0.0.1:{port_of(server)}/rss?pw={SECRET}&code={SECRET}"
    feed = Feed("f", url)
    told = settings(web, allowed_addresses=("127.0.0.1",))
    async with server:
        with capture_logs() as logs:
            async with polling(log, [feed], told):
                await log.until(lambda: "f" in log.states)
    assert unpack_header(log.states["f"]).failures >= 1
    assert SECRET.encode() not in log.states["f"]
    assert SECRET not in str(logs)
    assert SECRET not in str(read_health(feed, log.states["f"]))


async def test_a_sound_answer_leaves_none_behind_either(log: MemoryLog, web: WebServer) -> None:
    web.answer(f"/rss?pw={SECRET}", document(1), ETag='"1"')
    feed = Feed("f", web.url(f"/rss?pw={SECRET}"))
    async with polling(log, [feed], settings(web)):
        await log.until(lambda: len(web.requests) >= 2)
    assert SECRET.encode() not in log.states["f"]
    assert SECRET not in str(log.items)
    assert web.requests[1].headers["if-none-match"] == '"1"', "validators still go where they came from"


@pytest.mark.parametrize("place", ["redirect", "hub", "self", "HTTP hub", "HTTP self"])
async def test_the_secret_of_a_private_feed_is_not_remembered_with_addresses(
    log: MemoryLog, web: WebServer, place: str
) -> None:
    private, target = f"/private?token={SECRET}", web.url("/hub")
    rel = "hub" if "hub" in place else "self"
    links = f'<atom:link rel="{rel}" href="{web.url(private)}"/>'
    links += f'<atom:link rel="hub" href="{target}"/>' if rel == "self" else ""
    body = document(1).replace(
        b"<channel>", b'<channel xmlns:atom="http://www.w3.org/2005/Atom">' + links.encode()
    )
    shown: dict[str, str] = {"Link": f'<{web.url(private)}>; rel="{rel}"'} if "HTTP" in place else {}
    web.answer(private, document(1) if "HTTP" in place else body, **shown)
    web.answer("/rss", b"", "301 Moved", Location=private)
    feed = Feed("f", web.url("/rss" if place == "redirect" else private))
    async with polling(log, [feed], settings(web, move_after_s=0.0)):
        await log.until(lambda: len(web.of(private)) > 3)
    state = unpack_header(log.states["f"])
    assert (state.outcome, state.url, state.hub) == ("unchanged", "", "")
    assert SECRET.encode() not in log.states["f"]
    if place == "redirect":
        assert state.moved_to == web.url("/private?token=REDACTED")


async def test_an_address_that_an_earlier_version_remembered_is_forgotten(
    log: MemoryLog, web: WebServer
) -> None:
    web.answer("/rss", document(1))
    web.answer(f"/old?token={SECRET}", document(1))
    log.states["f"] = pack_state(FeedState(polled=1.0, url=web.url(f"/old?token={SECRET}")))
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: len(web.of("/rss")) > 1)
    assert SECRET.encode() not in log.states["f"]


async def test_messages_of_earlier_versions_are_redacted_where_they_are_shown() -> None:
    old = pack_state(
        FeedState(polled=1.0, outcome="bad_response", message=f"http://h/?token={SECRET}", failures=3)
    )
    assert SECRET not in read_health(Feed("f", "http://h.example/"), old, 2.0).message


@pytest.mark.parametrize(
    "proxy", [f"http://pu:{SECRET}@127.0.0.1:port", f"http://pu:{SECRET}@[::1", f"ftp://pu:{SECRET}@a"]
)
async def test_a_bad_proxy_brings_none_either(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("WIRE_PROXY", proxy)
    with capture_logs() as logs:
        async with polling(log, [Feed("f", web.url("/rss"), proxy_env="WIRE_PROXY")], settings(web)):
            await log.until(lambda: "f" in log.states)
    assert SECRET.encode() not in log.states["f"]
    assert SECRET not in str([line for line in logs if "exc_info" not in line])


async def test_a_token_stays_with_the_feeds_own_host_also_after_it_has_moved(
    log: MemoryLog, web_everywhere: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = web_everywhere
    monkeypatch.setenv("WIRE_TOKEN", SECRET)
    elsewhere = f"http://127.0.0.2:{web.port}/moved"
    web.answer("/rss", b"", "301 Moved", Location=elsewhere)
    web.answer("/moved", document(1))
    told = settings(web, allowed_addresses=("127.0.0.0/8",), move_after_s=0.0)
    async with polling(log, [Feed("f", web.url("/rss"), bearer_token_env="WIRE_TOKEN")], told):
        await log.until(lambda: "f" in log.states and bool(unpack_header(log.states["f"]).url))
        seen = len(web.of("/moved"))
        await log.until(lambda: len(web.of("/moved")) > seen + 1)
    assert {request.headers.get("authorization") for request in web.of("/rss")} == {
        f"bearer {SECRET.lower()}"
    }
    assert {request.headers.get("authorization") for request in web.of("/moved")} == {None}


@pytest.mark.parametrize(
    ("origin", "asked", "is_sent"),
    [
        ("https://h.example/a", "https://H.EXAMPLE:443/b", True), ("http://h.example/a", "http://h.example:80/", True),
        ("https://h.example/a", "http://h.example/a", False), ("http://h.example/a", "https://h.example/a", False),
        ("https://h.example/a", "https://h.example:8443/a", False), ("https://h.example/a", "https://a.h.example/", False),
    ],
)  # fmt: skip
async def test_a_token_goes_to_one_scheme_host_and_port(
    web: WebServer, origin: str, asked: str, is_sent: bool
) -> None:
    from streams.pollers.fetch import _headers

    del web
    headers = _headers(asked, Request(asked, authorization=f"Bearer {SECRET}", origin=origin))
    assert ("Authorization" in headers) is is_sent


async def test_a_hold_through_a_redirect_binds_the_feed_that_led_there(
    log: MemoryLog, web_everywhere: WebServer
) -> None:
    web = web_everywhere
    web.answer("/limit", b"", "429 Slow down", Retry_After="86400")
    web.answer("/hostile", b"", "302 Found", Location=f"http://127.0.0.2:{web.port}/limit")
    web.answer("/victim", document(1))
    web.answer("/neighbour", document(2))
    feeds = [
        Feed("hostile", web.url("/hostile")), Feed("neighbour", web.url("/neighbour")),
        Feed("victim", f"http://127.0.0.2:{web.port}/victim"),
    ]  # fmt: skip
    told = settings(web, allowed_addresses=("127.0.0.0/8",))
    async with polling(log, feeds, told):
        await log.until(lambda: "hostile" in log.states)
        before = len(web.of("/victim"))
        await log.until(lambda: len(web.of("/victim")) > before + 2)
    state = unpack_header(log.states["hostile"])
    assert (state.outcome, state.held_until) == ("throttled", 0.0)
    assert state.next_poll > state.polled + 86_000, "who was told to wait does"
    del log.states["victim"]
    async with polling(log, feeds, told):  # a restart holds nobody's host either
        before = len(web.of("/neighbour"))
        await log.until(lambda: len(web.of("/neighbour")) > before + 1)
    assert len(web.of("/hostile")) == 1


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:18191/",
        "http://localhost/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://169.254.169.254/",
        "http://[::ffff:10.0.0.1]/",
    ],
)
async def test_a_redirect_leads_nowhere_through_a_proxy_that_it_may_not_without_one(
    web: WebServer, target: str
) -> None:
    web.answer("http://93.184.215.14/rss", b"", "302 Found", Location=target)
    request = Request("http://93.184.215.14/rss", proxy=web.url(""))
    async with Fetcher(settings(web)) as fetcher:
        answer = await fetcher.get(request, at_once)
    assert answer.failure == "blocked_address"
    assert [asked.path for asked in web.requests] == ["http://93.184.215.14/rss"]


@pytest.mark.parametrize(
    ("url", "addresses", "failure"),
    [
        ("http://wire.example/rss", ["93.184.215.14"], None), ("http://wire.example/rss", ["127.0.0.66"], "blocked_address"),
        ("http://wire.example/rss", ["10.0.0.1"], "blocked_address"),
    ],
)  # fmt: skip
async def test_a_name_that_a_proxy_is_asked_for_is_looked_at_first(
    web: WebServer, url: str, addresses: list[str], failure: str | None
) -> None:
    web.answer(url, document(1))
    resolver = Rebinding(80, *addresses)
    async with Fetcher(settings(web), resolver) as fetcher:
        answer = await fetcher.get(Request(url, proxy=web.url("")), at_once)
    assert answer.failure == failure


async def test_interim_answers_have_an_end(web: WebServer) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    few = hints * MAX_INTERIM_ANSWERS + response(document(1))
    for answer, failure in (
        (few, None),
        (hints * (MAX_INTERIM_ANSWERS + 1) + response(document(1)), "bad_response"),
    ):
        server = await raw_server(answer)
        told = settings(web, allowed_addresses=("127.0.0.1",))
        async with server, Fetcher(told) as fetcher:
            answered = await fetcher.get(Request(f"http://127.0.0.1:{port_of(server)}/"), at_once)
        assert answered.failure == failure


async def test_interim_answers_without_end_are_cut_off_at_once(web: WebServer) -> None:
    server = await raw_server(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, repeats=10_000)
    told = settings(web, allowed_addresses=("127.0.0.1",), total_timeout_s=30.0)
    async with server, Fetcher(told) as fetcher, asyncio.timeout(10):
        answered = await fetcher.get(Request(f"http://127.0.0.1:{port_of(server)}/"), at_once)
    assert answered.failure == "bad_response"


async def test_our_own_lack_of_files_is_held_against_no_feed(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FILES_WARNING, "_said_at", None)
    web.answer("/rss", document(1))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    feeds = [Feed("f", web.url("/rss")), Feed("named", f"http://wire.invalid:{web.port}/rss")]
    with capture_logs() as logs:
        async with polling(log, feeds, settings(web)):
            await log.until(lambda: bool(log.items))
            spare = os.dup(0)
            os.close(spare)
            resource.setrlimit(resource.RLIMIT_NOFILE, (spare, before[1]))
            held: list[int] = []

            def are_exhausted() -> bool:
                with suppress(
                    OSError
                ):  # a connection that ends, of this test or an earlier one, leaves a number free
                    while True:
                        held.append(os.dup(0))
                states = [unpack_header(state) for state in log.states.values()]
                return len(states) == len(feeds) and all(state.outcome == "exhausted" for state in states)

            try:
                log.states.clear()
                await log.until(are_exhausted)
                state = unpack_header(log.states["f"])
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, before)
                for number in held:
                    os.close(number)
            await log.until(lambda: unpack_header(log.states["f"]).outcome != "exhausted")
    assert (state.outcome, state.failures) == ("exhausted", 0)
    assert "limit of open files" in state.message
    assert len([line for line in logs if line["log_level"] == "error"]) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://wire.example\\a",
        "http://wire.example/a\\b",
        "http:\\\\wire.example/",
        "http://wire.example\\@127.0.0.1/",
        "http://wire.example/\x00",
        "http://wire.example/\na",
    ],
)
def test_a_url_that_programs_read_in_different_ways_is_refused_at_the_list(url: str) -> None:
    assert find_url_fault(url)


@pytest.mark.parametrize(
    "url",
    ["http://a..b/", f"http://{'a' * 70}.invalid/", "http://127.0.0.1:0/", "http://ü.invalid/ö", "http://127.0.0.1:1/a b|{}", "http://-a.invalid/",
     "http://xn--a.invalid/", "http://127.0.0.1:1/%zz", "http://127.0.0.1:1?x", "http://\u2044.invalid/", "http://%/", "http://a%20b/", "HTTP://127.0.0.1:1"],
)  # fmt: skip
async def test_what_the_list_takes_is_never_a_bug_when_it_is_asked_for(web: WebServer, url: str) -> None:
    assert find_url_fault(url) is None
    async with Fetcher(settings(web, allowed_addresses=("127.0.0.1",))) as fetcher:
        assert (await fetcher.get(Request(url), at_once)).failure


def test_errors_of_ours_stay_errors() -> None:
    assert classify_error(ZeroDivisionError()) is None
    assert classify_error(aiohttp.ClientError("odd")) == "bad_response"
