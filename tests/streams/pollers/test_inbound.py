"""The listener: pushed items, and a real hub on loopback that subscribes, verifies, delivers and lies."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web
from msgspec import structs
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Poll, Push
from processors.errors import Unreachable
from sinks.callers import MAX_WRONG_TOKENS
from streams.pollers import poll_feeds
from streams.pollers.feed import Feed
from streams.pollers.state import unpack_state
from tests.servers.odd_requests import ask_raw, odd_requests, server_errors
from tests.servers.process import free_ports
from tests.streams.pollers.conftest import MemoryLog, WebServer

TOKEN = "an invented token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Hub:
    """A WebSub hub: verifies what it is asked for and delivers when the test says so."""

    port: int = 0
    lease: str = "600"
    answer: int = 202
    asked: list[dict[str, str]] = field(default_factory=list)
    confirmed: list[tuple[int, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub"

    async def subscribe(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.answer == 202:
            asyncio.get_running_loop().create_task(self.verify(form))
        self.changed.set()
        return web.Response(status=self.answer)

    async def verify(self, form: dict[str, str], **changed: str) -> None:
        query = {
            "hub.mode": "subscribe", "hub.topic": form["hub.topic"], "hub.challenge": "c-7",
            "hub.lease_seconds": self.lease,
        }  # fmt: skip
        async with (
            ClientSession() as session,
            session.get(form["hub.callback"], params=query | changed) as told,
        ):
            self.confirmed.append((told.status, await told.text()))
        self.changed.set()

    async def deliver(self, body: bytes, *, secret: str | None = None, callback: str | None = None) -> int:
        form = self.asked[-1]
        made = hmac.new((secret or form["hub.secret"]).encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature": f"sha256={made}", "Content-Type": "application/rss+xml"}
        async with (
            ClientSession() as session,
            session.post(callback or form["hub.callback"], data=body, headers=headers) as told,
        ):
            return told.status

    async def until(self, count: int) -> None:
        """So many verifications are over."""
        async with asyncio.timeout(10):
            while len(self.confirmed) < count:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = Hub()
    app = web.Application()
    app.router.add_post("/hub", made.subscribe)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


def document(hub: Hub, *numbers: int, title: str = "Story") -> bytes:
    link = f'<atom:link rel="hub" href="{hub.url}"/><atom:link rel="self" href="https://news.example/a?x=1&amp;y"/>'
    items = "".join(
        f"<item><title>{title} {n}</title><guid>tag:wire.example:{n}</guid></item>" for n in numbers
    )
    head = '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title>'
    return f'<?xml version="1.0"?>{head}{link}{items}</channel></rss>'.encode()


@dataclass
class Listener:
    log: MemoryLog
    base: str

    async def push(self, body: bytes, query: str = "", **headers: str) -> tuple[int, Any]:
        async with (
            ClientSession() as session,
            session.post(f"{self.base}/push{query}", data=body, headers=BEARER | headers) as told,
        ):
            return told.status, await told.json()


@asynccontextmanager
async def listening(
    log: MemoryLog, ports: tuple[int, ...], *feeds: Feed, **changed: Any
) -> AsyncIterator[Listener]:
    (port,) = free_ports(1)
    base = f"http://127.0.0.1:{port}"
    quick = Poll(
        min_interval_s=0.05, max_interval_s=0.1, first_interval_s=0.05, max_backoff_s=0.3, host_delay_s=0.0,
        max_body_bytes=20_000, subscribed_interval_s=60.0,
        allowed_addresses=tuple(f"127.0.0.1:{each}" for each in ports),
    )  # fmt: skip
    push = structs.replace(Push(port=port, token=TOKEN, public_url=base), **changed)
    stop = asyncio.Event()
    running = asyncio.create_task(poll_feeds(feeds, quick, log, log, stop, push=push, random=lambda: 0.5))
    try:
        await _answers(port, running)
        yield Listener(log, base)
    finally:
        stop.set()
        await asyncio.wait_for(running, 10)


async def _answers(port: int, running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(10):
        while not running.done():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return
    running.result()


async def test_who_guesses_the_push_token_has_to_wait(log: MemoryLog) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.7"}
    async with listening(log, (), proxies=("127.0.0.1",)) as listener:
        wrong = {"Authorization": "Bearer wrong"} | forwarded
        for _ in range(MAX_WRONG_TOKENS):
            assert (await listener.push(b"A story", **wrong))[0] == 401
        status, told = await listener.push(b"A story", **forwarded)
        assert (status, told) == (429, {"error": "too many wrong tokens; wait a little"})
        assert (await listener.push(b"A story", **forwarded | {"X-Forwarded-For": "198.51.100.8"}))[0] == 202
    assert len(log.items) == 1


async def test_a_pushed_document_is_a_raw_item_of_its_feed(log: MemoryLog) -> None:
    async with listening(log, ()) as listener:
        told = await listener.push(
            "Veldhaven (NDA).- Ships came back.".encode("latin-1"), "?feed=nda&language=en",
            **{"Content-Type": "text/plain; charset=latin-1"},
        )  # fmt: skip
    assert told == (202, {"accepted": 34})
    (item,) = log.items
    assert (item.feed, item.media_type, item.charset, item.language) == ("nda", "text/plain", "latin-1", "en")
    assert item.payload == b"Veldhaven (NDA).- Ships came back."


async def test_who_does_not_know_the_token_is_refused(log: MemoryLog) -> None:
    async with listening(log, ()) as listener:
        for wrong in ("Bearer nonsense", "Bearer ", f"Basic {TOKEN}", "Bearer \u00fc"):
            assert (await listener.push(b"story", Authorization=wrong))[0] == 401
    assert log.items == []


@pytest.mark.parametrize(
    ("body", "query", "headers", "status"),
    [
        (b"x" * 20_001, "", {}, 413),
        (gzip.compress(b"x" * 20_000_000), "", {"Content-Encoding": "gzip"}, 413),
        (b" \n", "", {}, 400),
        (b"story", "?feed=..%2Fetc", {}, 400),
    ],
)
async def test_what_can_not_be_taken_is_said(
    log: MemoryLog, body: bytes, query: str, headers: dict[str, str], status: int
) -> None:
    async with listening(log, ()) as listener:
        told, words = await listener.push(body, query, **headers)
    assert (told, "error" in words) == (status, True)
    assert log.items == []


async def test_an_item_that_the_log_does_not_take_is_to_be_sent_again(log: MemoryLog) -> None:
    log.refuse = 1
    async with listening(log, ()) as listener:
        assert (await listener.push(b"story"))[0] == 503
        assert (await listener.push(b"story"))[0] == 202
    assert len(log.items) == 1


@pytest.mark.parametrize("changed", [{"token": ""}, {"host": "192.0.2.1"}])
async def test_a_listener_that_can_not_be_is_one_line(log: MemoryLog, changed: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match=r"\[push\]"):
        async with listening(log, (), **changed):
            pass


async def test_a_hub_is_asked_verifies_and_delivers_and_the_feed_is_not_polled_meanwhile(
    log: MemoryLog, web: WebServer, hub: Hub
) -> None:
    web.answer("/rss", document(hub, 1))
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))):
        await hub.until(1)
        assert hub.confirmed == [(200, "c-7")]
        assert hub.asked[0]["hub.topic"] == "https://news.example/a?x=1&y"
        polls = len(web.requests)
        assert await hub.deliver(document(hub, 2)) == 202
        assert await hub.deliver(document(hub, 2)) == 202  # a hub repeats
    assert [item.uri for item in log.items] == ["tag:wire.example:1", "tag:wire.example:2"]
    assert log.gaps == []
    assert len(web.requests) <= polls + 1  # one may have been due when the hub verified
    state = unpack_state(log.states["f"])
    assert (state.hub, len(state.entries)) == (hub.url, 2)


async def test_a_delivery_with_a_wrong_signature_is_acknowledged_and_dropped(
    log: MemoryLog, web: WebServer, hub: Hub
) -> None:
    web.answer("/rss", document(hub, 1))
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))) as listener:
        await hub.until(1)
        assert await hub.deliver(document(hub, 2), secret="guessed") == 202
        assert await hub.deliver(document(hub, 2), callback=f"{listener.base}/websub/f/guessed") == 410
        assert await hub.deliver(b"x" * 20_001) == 413
    assert [item.uri for item in log.items] == ["tag:wire.example:1"]


async def test_what_nobody_asked_for_is_not_confirmed(log: MemoryLog, web: WebServer, hub: Hub) -> None:
    web.answer("/rss", document(hub, 1))
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))) as listener:
        await hub.until(1)
        form = hub.asked[0]
        await hub.verify(form, **{"hub.mode": "unsubscribe"})
        await hub.verify(form | {"hub.callback": f"{listener.base}/websub/f/guessed"})
        await hub.verify(
            form | {"hub.callback": f"{listener.base}/websub/other/{form['hub.callback'][-32:]}"}
        )
    assert [status for status, _ in hub.confirmed] == [200, 404, 404, 404]


async def test_a_hub_that_refuses_or_denies_leaves_the_feed_polled(
    log: MemoryLog, web: WebServer, hub: Hub
) -> None:
    web.answer("/rss", document(hub, 1))
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))):
        await hub.until(1)
        await hub.verify(hub.asked[0], **{"hub.mode": "denied"})
        web.answer("/rss", document(hub, 2, 1))
    hub.answer = 403
    log.states.clear()
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))):
        polls = len(web.requests)
        async with asyncio.timeout(10):
            while len(web.requests) < polls + 3:
                await asyncio.sleep(0.01)
    assert [status for status, _ in hub.confirmed] == [200, 200]


async def test_a_document_of_a_hub_that_can_not_be_read_is_set_aside_and_the_feed_keeps_its_state(
    log: MemoryLog, web: WebServer, hub: Hub
) -> None:
    web.answer("/rss", document(hub, 1))
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))):
        await hub.until(1)
        before = unpack_state(log.states["f"])
        assert await hub.deliver(b"<html><body>sorry</body></html>") == 202
    (rejected,) = log.rejected
    assert rejected[0].payload == b"<html><body>sorry</body></html>"
    after = unpack_state(log.states["f"])
    assert (after.failures, len(after.entries)) == (0, len(before.entries))


async def test_a_delivery_that_the_log_does_not_take_before_the_end_is_the_hubs_to_repeat(
    log: MemoryLog, web: WebServer, hub: Hub
) -> None:
    web.answer("/rss", document(hub, 1))
    with pytest.raises(Unreachable):  # noqa: PT012 -- the end of the block raises
        async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))):
            await hub.until(1)
            log.refuse = 10**6
            delivering = asyncio.create_task(hub.deliver(document(hub, 2)))
            await log.until(lambda: "refused" in log.steps)
    assert await delivering == 503


async def test_a_callback_nobody_gave_out_is_refused_before_its_body_is_read(log: MemoryLog) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 19000\r\n\r\n"
    async with listening(log, ()) as listener:
        port = int(listener.base.rpartition(":")[2])
        for path, status in ((b"/websub/f/guessed", 410), (b"/websub/f/%d9%a3", 410), (b"/push", 401)):
            assert await ask_raw(port, head % path, half_close=False) == status


async def test_a_hub_that_denied_delivers_no_more(log: MemoryLog, web: WebServer, hub: Hub) -> None:
    web.answer("/rss", document(hub, 1))
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))):
        await hub.until(1)
        await hub.verify(hub.asked[0], **{"hub.mode": "denied"})
        assert await hub.deliver(document(hub, 2)) == 410
    assert [item.uri for item in log.items] == ["tag:wire.example:1"]


async def test_no_byte_makes_the_listener_answer_500(log: MemoryLog, web: WebServer, hub: Hub) -> None:
    web.answer("/rss", document(hub, 1))
    async with listening(log, (web.port, hub.port), Feed("f", web.url("/rss"))) as listener:
        await hub.until(1)
        callback = hub.asked[0]["hub.callback"].removeprefix(listener.base).encode()
        bearer = f"Authorization: Bearer {TOKEN}\r\n".encode()
        requests = [
            *odd_requests(b"POST", b"/push", body=b"story", fixed=bearer),
            *odd_requests(b"POST", b"/push", body=b"story"),
            *odd_requests(b"POST", callback, body=b"story"),
            *odd_requests(b"GET", callback),
            *odd_requests(b"GET", b"/websub/f/guessed"),
        ]
        port = int(listener.base.rpartition(":")[2])
        with capture_logs() as logs:
            assert await server_errors(port, requests[::67]) == []
    assert [line for line in logs if line["log_level"] in {"error", "critical"}] == []
