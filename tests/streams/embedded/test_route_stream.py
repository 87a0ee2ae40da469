"""A route followed: over HTTP, with a place to come back to, and by the command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner

from processors.model.codec import encode
from sinks.routes.router import RouteRule
from streams.cli import cli
from streams.embedded import route_stream
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log, LogThread
from streams.embedded.route_stream import RouteStream
from streams.messages import Record, message
from streams.routing import RuleBook
from tests.sinks.events import at, event

URGENT = "wire.out.urgent.v1"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def log_thread(tmp_path: Path) -> AsyncIterator[LogThread]:
    made = LogThread(Log(tmp_path / DATABASE))
    yield made
    made.close()


@pytest.fixture
async def client(log_thread: LogThread) -> AsyncIterator[Client]:
    app = web.Application()
    RouteStream(RuleBook([RouteRule("urgent", {})]), log_thread).add_to(app)
    made = TestClient(TestServer(app))
    await made.start_server()
    yield made
    await made.close()


async def tell(log_thread: LogThread, *values: bytes) -> None:
    made = [message(URGENT, "k", value, 0, source="route") for value in values]
    await log_thread.write(lambda: log_thread.log.append(made))


async def sent(response: ClientResponse, number: int) -> list[tuple[int, bytes]]:
    """The next events: id and data."""
    found: list[tuple[int, bytes]] = []
    async with asyncio.timeout(10):
        while len(found) < number:
            line = await response.content.readline()
            if line.startswith(b"id: "):
                identity = int(line[4:])
                found.append((identity, (await response.content.readline())[6:].rstrip()))
    return found


async def test_a_reader_gets_what_comes_and_comes_back_to_its_place(
    client: Client, log_thread: LogThread
) -> None:
    await tell(log_thread, b'{"n": 0}')
    async with client.get("/api/routes/urgent/stream") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        await response.content.readuntil(b"\n\n")
        await tell(log_thread, b'{"n": 1}', b"", b'{"n": 3}')
        assert await sent(response, 2) == [(1, b'{"n": 1}'), (3, b'{"n": 3}')], "without tombstones"
    async with client.get("/api/routes/urgent/stream", headers={"Last-Event-ID": "1"}) as response:
        assert await sent(response, 1) == [(3, b'{"n": 3}')]
    async with client.get("/api/routes/urgent/stream?after=start") as response:
        assert [identity for identity, _ in await sent(response, 3)] == [0, 1, 3]


async def test_an_unknown_route_or_place_is_refused(client: Client) -> None:
    assert (await client.get("/api/routes/other/stream")).status == 404
    for place in ("yesterday", "9" * 5000, str(2**63), "²"):
        assert (await client.get(f"/api/routes/urgent/stream?after={place}")).status == 400
    assert await (await client.get("/api/routes")).json() == {"routes": [{"name": "urgent", "topic": URGENT}]}


async def test_streams_have_a_limit_and_a_place_that_is_left_is_given_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route_stream, "MAX_READERS", 2)
    async with client.get("/api/routes/urgent/stream") as first, client.get("/api/routes/urgent/stream"):
        refused = await client.get("/api/routes/urgent/stream")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "30")
        first.close()
        async with asyncio.timeout(10):
            while (await client.get("/api/routes/urgent/stream")).status != 200:
                await asyncio.sleep(0.01)


async def test_readers_at_one_place_share_a_read(
    client: Client, log_thread: LogThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    records = log_thread.log.records

    def count_reads(topic: str, offset: int, limit: int) -> list[Record]:
        reads.append(offset)
        return records(topic, offset, limit)

    monkeypatch.setattr(log_thread.log, "records", count_reads)
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(client.get("/api/routes/urgent/stream")) for _ in range(20)
        ]
        for reader in readers:
            await reader.content.readuntil(b"\n\n")
        await tell(log_thread, b'{"n": 0}')
        for reader in readers:
            assert await sent(reader, 1) == [(0, b'{"n": 0}')]
    assert len(reads) < 10, "one at the start, one for the event, one behind it"


def test_the_command_writes_a_route_line_by_line(tmp_path: Path) -> None:
    log = Log(tmp_path / DATABASE)
    log.append([message(URGENT, "k", value, 0, source="route") for value in (b"{}", b"", b'{"a":1}')])
    log.close()
    follow = ["routes", "follow", "urgent", "--data", str(tmp_path), "--once"]
    assert CliRunner().invoke(cli, [*follow, "--after", "-1"]).output == '{}\n{"a":1}\n'
    assert CliRunner().invoke(cli, [*follow, "--after", "0", "--offsets"]).output == '2\t{"a":1}\n'
    assert CliRunner().invoke(cli, follow).output == ""


@pytest.mark.parametrize(("name", "data"), [("nobody", "."), ("urgent", "nowhere")])
def test_the_command_says_what_is_wrong(tmp_path: Path, name: str, data: str) -> None:
    told = CliRunner().invoke(cli, ["routes", "follow", name, "--data", str(tmp_path / data)])
    assert type(told.exception).__name__ == "Misconfigured"


def test_the_command_explains_what_follows_and_what_waits(tmp_path: Path) -> None:
    kill = event("urn:k", text="Kill.", relation="kill", chain="urn:a", of="urn:a", sequence=2)
    held = event("urn:h", status="withheld", embargo=at(60), topics=("medtop:04000000",))
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(kill) + b"\n" + encode(held) + b"\n")
    told = CliRunner().invoke(cli, ["routes", "explain", str(path)]).output
    assert "urn:k\n  no rule fits\n  follows the story that it touches" in told
    assert f"fits  economy: topic medtop:04000000\n  is held back until {at(60)}" in told
