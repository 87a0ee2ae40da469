"""Which hubs are asked, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from config.settings import Push
from streams.pollers.websub import Subscriber

SETTINGS = Push(port=1, token="an invented token", public_url="https://wire.example")


async def test_a_hub_that_hangs_keeps_no_other_waiting() -> None:
    asked, reached, released = list[str](), asyncio.Event(), asyncio.Event()

    async def post(hub: str, _form: Mapping[str, str]) -> int:
        asked.append(hub)
        if hub == "https://slow.example/":
            await released.wait()
        else:
            reached.set()
        return 202

    subscriber = Subscriber(SETTINGS, post, clock=lambda: 100.0, random=lambda: 0.5)
    subscriber.offer_hub("a", "https://slow.example/", "https://a.example/feed")
    subscriber.offer_hub("b", "https://quick.example/", "https://b.example/feed")
    looking = asyncio.create_task(subscriber.ask_due_hubs())
    await asyncio.wait_for(reached.wait(), 5)
    assert sorted(asked) == ["https://quick.example/", "https://slow.example/"]
    released.set()
    await looking


async def test_a_hub_is_asked_once_until_it_is_time_again() -> None:
    now, asked = [100.0], list[str]()

    async def post(hub: str, _form: Mapping[str, str]) -> int:
        asked.append(hub)
        return 503

    subscriber = Subscriber(SETTINGS, post, clock=lambda: now[0], random=lambda: 0.0)
    for _ in range(3):
        subscriber.offer_hub("a", "https://hub.example/", "https://a.example/feed")
        await subscriber.ask_due_hubs()
    assert len(asked) == 1
    now[0] += 60.0
    await subscriber.ask_due_hubs()
    assert len(asked) == 2
    subscriber.offer_hub("a", "", "")  # the feed names no hub any more
    now[0] += 10**6
    await subscriber.ask_due_hubs()
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("hub", "allow_http", "asks"),
    [
        ("https://hub.example/", False, True), ("http://hub.example/", False, False), ("http://hub.example/", True, True),
        ("http://127.0.0.1:9/", False, True), ("http://[::1", True, False), ("http:\\\\hub.example/", True, False),
        ("ftp://hub.example/", True, False), ("https://hub.example/\\a", True, False),
    ],
)  # fmt: skip
async def test_a_secret_goes_to_no_hub_in_clear(hub: str, allow_http: bool, asks: bool) -> None:
    asked: list[str] = []

    async def post(hub: str, form: Mapping[str, str]) -> int:
        assert form["hub.secret"]
        asked.append(hub)
        return 202

    settings = structs.replace(SETTINGS, allow_http=allow_http)
    subscriber = Subscriber(settings, post, clock=lambda: 100.0, random=lambda: 0.5)
    with capture_logs() as logs:
        for _ in range(3):
            subscriber.offer_hub("a", hub, "https://a.example/feed")
            await subscriber.ask_due_hubs()
    assert asked == ([hub] if asks else [])
    assert len([line for line in logs if "not subscribed" in line["event"]]) == (0 if asks else 1)
