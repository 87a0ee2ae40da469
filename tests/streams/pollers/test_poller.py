"""The engine against a real server on loopback: order of steps, limits of hosts, stop and restart."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Settings, Steps
from processors.errors import Unreachable
from sinks.metrics import UNREAD_STATE
from streams.pollers import poll_feeds
from streams.pollers.documents import split_document
from streams.pollers.feed import Feed
from streams.pollers.feed_list import FeedBook
from streams.pollers.fetch import Fetcher
from streams.pollers.poller import JUDGE_TASK, PoliteAccess, Poller
from streams.pollers.state import FeedState, pack_state, unpack_header
from streams.pool import StepPool
from streams.topology import FEED_STATES
from tests.streams.pollers.conftest import MemoryLog, Request, WebServer, response
from tests.streams.pollers.polling import document, outcome_of, polling, settings
from tests.streams.pool_steps import judge_or_hang


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
    running = asyncio.create_task(poll_feeds([Feed("f", web.url("/rss"))], settings(web), log, log, stop))
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


async def test_a_feeds_state_that_cant_be_read_begins_anew_and_is_told(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.health._warned_of", set())
    web.answer("/rss", document(1))
    log.states["f"] = b"wdf9 of a later version"
    before = UNREAD_STATE.labels(FEED_STATES.name)._value.get()
    with capture_logs() as told:
        async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
            await log.until(lambda: "save" in log.steps)
    assert (unpack_header(log.states["f"]).outcome, len(log.items)) == ("new", 1)
    assert UNREAD_STATE.labels(FEED_STATES.name)._value.get() == before + 1
    assert [line["topic"] for line in told if line["log_level"] == "warning"] == [FEED_STATES.name]


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
        await log.until(lambda: unpack_header(log.states.get("f", b"")).outcome == "not_modified")
    assert len(log.items) == 1


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
            await log.until(lambda: unpack_header(log.states.get("f", b"")).disabled)
            asked = len(web.of("/other"))
            await log.until(lambda asked=asked: len(web.of("/other")) > asked + 3)  # type: ignore[misc]
    assert len(web.of("/rss")) == 2


async def test_a_feed_that_can_t_be_read_is_a_dead_letter_with_its_bytes(
    log: MemoryLog, web: WebServer
) -> None:
    page = b"<!DOCTYPE html><html><body>Soon</body></html>"
    web.answer("/rss", page)
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web)):
        await log.until(lambda: unpack_header(log.states.get("f", b"")).failures >= 3)
    assert [(item.payload, error.type) for item, error in log.rejected] == [(page, "NotAFeed")]


async def test_a_bug_in_reading_one_feed_does_not_stop_the_others(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., object] = split_document
    monkeypatch.setattr(
        "streams.pollers.judge.split_document",
        lambda body, *told, **named: 1 / 0 if b"Story 666" in body else real(body, *told, **named),
    )
    web.answer("/bad", document(666))
    web.answer("/good", document(1))
    async with polling(log, [Feed("bad", web.url("/bad")), Feed("good", web.url("/good"))], settings(web)):
        await log.until(lambda: len(log.states) == 2)
    assert unpack_header(log.states["bad"]).outcome == "bug"
    assert unpack_header(log.states["good"]).outcome == "new"


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
    log.states["late"] = pack_state(FeedState(next_poll=4e9))
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
        await poll_feeds([], settings(web, allowed_addresses=("here",)), log, log, asyncio.Event())


async def test_nothing_is_asked_while_polling_is_not_permitted(log: MemoryLog, web: WebServer) -> None:
    """On Kafka a poller that has not heard from its group does not know whether its feeds are still its own."""
    web.answer("/rss", document(1))
    told, stop, asked = settings(web), asyncio.Event(), itertools.count()
    async with Fetcher(told) as fetcher:
        poller = Poller(
            [Feed("f", web.url("/rss"))], told, log, fetcher, manners=PoliteAccess.of(told), clock=time.time,
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
    log.states["a"] = pack_state(FeedState(next_poll=4e9, outcome="throttled", held_until=until))
    async with polling(log, [Feed("a", web.url("/a")), Feed("b", web.url("/b"))], settings(web)):
        await log.until(lambda: "b" in log.states)
    assert unpack_header(log.states["b"]).polled > until


async def test_when_all_hosts_fail_no_feed_is_blamed(log: MemoryLog, web: WebServer) -> None:
    hosts = [f"127.0.0.{n}" for n in range(2, 10)]
    feeds = [Feed(host, f"http://{host}:1/rss") for host in hosts]
    async with polling(log, feeds, settings(web, allowed_addresses=("127.0.0.0/8",))):
        await log.until(lambda: len(log.states) == len(hosts))
    states = [unpack_header(state) for state in log.states.values()]
    assert {state.outcome for state in states} == {"connect"}
    spared = [state for state in states if state.message == "our network is down"]
    assert spared
    assert {state.failures for state in spared} == {0}


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
            [Feed("f", web.url("/rss"))], told, log, fetcher, manners=PoliteAccess.of(told), clock=time.time,
            random=lambda: 0.5, stop=stop, grace=10.0,
        )  # fmt: skip
        running = asyncio.create_task(poller.run())
        await asked.wait()
        stop.set()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait_for(running, 10)
    assert len(log.items) == 1
    assert unpack_header(log.states["f"]).outcome == "new"


async def test_a_fetch_that_has_stalled_is_not_waited_for_at_a_hand_over(
    log: MemoryLog, web: WebServer
) -> None:
    asked, never, later = asyncio.Event(), asyncio.Event(), 0.0

    async def serve(_request: Request, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await never.wait()

    web.handlers["/rss"] = serve
    told, stop = settings(web, read_timeout_s=60.0, total_timeout_s=60.0), asyncio.Event()
    async with Fetcher(told) as fetcher:
        poller = Poller(
            [Feed("f", web.url("/rss"))], told, log, fetcher, manners=PoliteAccess.of(told),
            clock=lambda: time.time() + later, random=lambda: 0.5, stop=stop, grace=30.0,
        )  # fmt: skip
        running = asyncio.create_task(poller.run())
        await asked.wait()
        later = 31.0
        stop.set()
        await asyncio.wait_for(running, 10)
    never.set()
    assert log.states == {}


async def test_a_document_that_hangs_costs_its_deadline_and_other_feeds_go_on(
    log: MemoryLog, web: WebServer
) -> None:
    web.answer("/bad", document(1).replace(b"Story", b"It hangs: story"))
    web.answer("/good", document(2))
    feeds = [Feed("bad", web.url("/bad")), Feed("good", web.url("/good"))]
    stop = asyncio.Event()
    late: list[float] = []
    all_settings = Settings(steps=Steps(deadline_s=0.4))
    async with StepPool([], all_settings, 2, tasks={JUDGE_TASK: judge_or_hang}) as pool:
        running = asyncio.create_task(poll_feeds(feeds, settings(web), log, log, stop, pool=pool))
        ticking = asyncio.create_task(tick(late))
        await log.until(lambda: len(log.items) == 1)
        await log.until(lambda: bool(log.rejected))
        await log.until(lambda: unpack_header(log.states["bad"]).failures > 3)
        ticking.cancel()
        stop.set()
        await asyncio.wait_for(running, 10)
    assert [item.feed for item in log.items] == ["good"]
    [(item, error)] = log.rejected
    assert (item.feed, error.type) == ("bad", "Bug")
    assert "poll was not done after 0.4 s" in str(error)
    assert unpack_header(log.states["bad"]).outcome == "bug"
    assert max(late) < 0.3, "the loop is free meanwhile"


async def test_the_stop_does_not_wait_for_a_document_that_hangs(
    log: MemoryLog, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.pollers.poller.JUDGE_TIMEOUT_S", 0.1)
    web.answer("/rss", b"it hangs")
    stop = asyncio.Event()
    async with StepPool([], Settings(), 1, tasks={JUDGE_TASK: judge_or_hang}) as pool:
        monkeypatch.setattr("streams.pool.STOP_TIMEOUT_S", 0.1)
        running = asyncio.create_task(
            poll_feeds([Feed("f", web.url("/rss"))], settings(web), log, log, stop, pool=pool)
        )
        async with asyncio.timeout(10):
            while not pool._busy:
                await asyncio.sleep(0.01)
        stop.set()
        await asyncio.wait_for(running, 5)
    assert log.states == {}, "the next start asks for it again"


async def tick(late: list[float]) -> None:
    while True:
        asked = time.monotonic()
        await asyncio.sleep(0.01)
        late.append(time.monotonic() - asked - 0.01)


async def test_a_list_that_changes_is_polled_from_then_on(log: MemoryLog, web: WebServer) -> None:
    for path in ("/a", "/b", "/c"):
        web.answer(path, document(1), ETag='"1"')
    book = FeedBook([Feed("a", web.url("/a")), Feed("b", web.url("/b"))])
    stop = asyncio.Event()
    running = asyncio.create_task(poll_feeds(book, settings(web), log, log, stop, random=lambda: 0.5))
    await log.until(lambda: log.states.keys() == {"a", "b"})
    book.replace([Feed("a", web.url("/a"), paused=True), Feed("c", web.url("/c"))])
    seen = len(web.requests)
    await log.until(lambda: "c" in log.states)
    # c has been asked for again and again since, and neither of the others
    async with asyncio.timeout(60):
        while sum(request.path == "/c" for request in web.requests) < 4:
            await asyncio.sleep(0.01)
    under_way = 2  # may have begun before the list changed
    assert sum(request.path in {"/a", "/b"} for request in web.requests[seen:]) <= under_way
    book.replace([Feed("a", web.url("/a"))])
    seen = len(web.requests)
    async with asyncio.timeout(60):
        while not any(request.path == "/a" for request in web.requests[seen:]):
            await asyncio.sleep(0.01)
    again = next(request for request in web.requests[seen:] if request.path == "/a")
    assert again.headers.get("if-none-match") == '"1"', "it goes on where it stood"
    stop.set()
    await running


async def test_a_feed_that_leaves_while_it_waits_for_its_host_holds_up_no_other(
    log: MemoryLog, web: WebServer
) -> None:
    book = FeedBook([Feed(name, web.url(f"/{name}")) for name in "abcd"])
    told = settings(web, host_connections=1, host_delay_s=0.0, min_interval_s=3600, first_interval_s=3600)
    answering = asyncio.Event()

    async def wait(request: Request, writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        writer.write(response(document(1)))
        await writer.drain()

    for name in "abcd":
        web.handlers[f"/{name}"] = wait
    stop = asyncio.Event()
    running = asyncio.create_task(poll_feeds(book, told, log, log, stop, random=lambda: 0.5))
    async with asyncio.timeout(60):
        while not web.requests:
            await asyncio.sleep(0.01)
    first = web.requests[0].path[1:]
    gone = next(name for name in "abcd" if name != first)
    book.replace([feed for feed in book.feeds if feed.id != gone])
    answering.set()
    await log.until(lambda: log.states.keys() == set("abcd") - {gone})
    stop.set()
    await running
