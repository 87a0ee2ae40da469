"""A target on loopback that records what it is sent and answers as it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from streams.messages import Record, message
from streams.webhooks.targets import Target

SECRET = bytes(range(32))


@dataclass
class Answers:
    """A target. `script` has what to answer next: a status, ``hang``, or where to redirect; then 204."""

    script: deque[int | str] = field(default_factory=deque)
    always: int | str = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, body in self.got]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.got.append((dict(request.headers), await request.read()))
        self.came.set()
        told = self.script.popleft() if self.script else self.always
        if told == "hang":
            await asyncio.sleep(60)
        if isinstance(told, str):
            raise web.HTTPTemporaryRedirect(told)
        return web.Response(status=told, text="as told")

    def target(self, name: str = "newsroom") -> Target:
        return Target(name, self.url, "ships", (SECRET,))


@pytest.fixture
async def endpoint() -> AsyncIterator[Answers]:
    made = Answers()
    app = web.Application()
    app.router.add_post("/{path:.*}", made.answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1)
    made.url = str(server.make_url("/in"))
    yield made
    await server.close()


def record(number: int, key: bytes = b"urn:a", value: bytes = b"") -> Record:
    made = message("wire.out.ships.v1", key.decode(), value or b'{"number": %d}' % number, 0, source="route")
    return Record(made.topic, 0, number, made.key, made.value, 0, made.headers)
