"""An in-memory log and a web server that does as it is told, for pollers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from processors.errors import Bug, Rejected, Unreachable
from processors.model.event import RawItem
from streams.pollers.ports import PollResult

Serve = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class MemoryLog:
    """The in-memory twin of the runtimes' outlet and ledger; writes down the order of what happens."""

    items: list[RawItem] = field(default_factory=list)
    rejected: list[tuple[RawItem, Rejected | Bug]] = field(default_factory=list)
    states: dict[str, bytes] = field(default_factory=dict)
    gaps: list[tuple[str, str]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    refuse: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, items: Sequence[RawItem]) -> None:
        if self.refuse:
            self.refuse -= 1
            self._note("refused")
            raise Unreachable("the log is away")
        self.items += items
        self._note("publish")

    async def reject(self, item: RawItem, error: Rejected | Bug) -> None:
        self.rejected.append((item, error))
        self._note("reject")

    async def load(self) -> Mapping[str, bytes]:
        return dict(self.states)

    async def commit(self, result: PollResult) -> None:
        if result.items:
            await self.publish(result.items)
        if result.rejected:
            await self.reject(*result.rejected)
        for letter in result.letters:
            await self.reject(*letter)
        if result.gap:
            self.gaps.append((result.feed, result.gap))
            self._note("gap")
        self.states[result.feed] = result.state
        self._note("save")

    def _note(self, step: str) -> None:
        self.steps.append(step)
        self.changed.set()

    async def until(self, what: Callable[[], bool], seconds: float = 15.0) -> None:
        """Wait until something is true of the log."""
        async with asyncio.timeout(seconds):
            while not what():
                self.changed.clear()
                await self.changed.wait()


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    at: float


class WebServer:
    """HTTP/1.1 on loopback, one handler a path, connections closed after each answer."""

    def __init__(self) -> None:
        self.handlers: dict[str, Serve] = {}
        self.requests: list[Request] = []
        self.running = self.most = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1") -> None:
        self._server = await asyncio.start_server(self._serve, host, 0)

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server
        return int(self._server.sockets[0].getsockname()[1])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, path: str, body: bytes = b"", status: str = "200 OK", **headers: str) -> None:
        """Answer a path with a fixed response; underscores in header names stand for hyphens."""

        async def serve(_request: Request, writer: asyncio.StreamWriter) -> None:
            writer.write(response(body, status, **headers))

        self.handlers[path] = serve

    def of(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                request = Request(head[0].split(" ")[1], headers, asyncio.get_running_loop().time())
                self.requests.append(request)
                await self.handlers[request.path](request, writer)
                await writer.drain()
        finally:
            self.running -= 1
            writer.close()


def response(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    told = {"Content-Length": str(len(body)), "Connection": "close"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    server = WebServer()
    await server.start()
    yield server
    await server.stop()
