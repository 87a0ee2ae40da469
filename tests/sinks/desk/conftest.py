"""A desk over an embedded index, asked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from config.settings import Desk
from sinks.desk.app import make_app
from sinks.desk.ports import FeedHealth
from tests.sinks.conftest import Shelf
from tests.sinks.events import at

Client = TestClient[Request, Application]
Open = Callable[[Desk], Awaitable[Client]]


@dataclass(frozen=True)
class Lag:
    consumer: str
    records: int
    seconds: float
    lost: int = 0


class Pipeline:
    """A pipeline with a little to do."""

    async def dead_letters(self) -> int:
        return 3

    async def lags(self) -> Sequence[Lag]:
        return [Lag("tag", 14, 0.75)]


class Feeds:
    """Two feeds, one in trouble."""

    async def list(self) -> Sequence[FeedHealth]:
        return [
            FeedHealth(
                "nda", "Northern Dispatch", "https://nda.example/feed", "ok", "new", at(0), at(0), 24.0
            ),
            FeedHealth(
                "blue",
                "Blue <Coast>",
                "https://blue.example/rss",
                "erroring",
                "NotAFeed",
                errors=9,
                message="a page",
            ),
        ]


@pytest.fixture
async def open_desk(shelf: Shelf) -> AsyncIterator[Open]:
    """Open the desk with settings of the test's own."""
    opened: list[Client] = []

    async def start(settings: Desk) -> Client:
        client = TestClient(TestServer(make_app(shelf.search, Feeds(), settings, Pipeline())))
        await client.start_server()
        opened.append(client)
        return client

    yield start
    for client in opened:
        await client.close()


@pytest.fixture
async def desk(open_desk: Open) -> Client:
    return await open_desk(Desk())
