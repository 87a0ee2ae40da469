"""The client reads what it is asked for from a file and from a desk, and goes on where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from config.files import CONFIG_FOLDER
from config.settings import Desk
from processors.errors import Malformed
from processors.model.codec import encode
from sinks.desk.app import make_app
from sinks.routes.rules import read_rules
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log, LogThread
from streams.embedded.route_stream import RouteStream
from streams.messages import message
from streams.routing import RuleBook
from tests.sinks.conftest import Shelf
from tests.sinks.conftest import shelf as shelf  # noqa: PLC0414 -- a fixture
from tests.sinks.desk.conftest import Feeds
from tests.sinks.events import event
from wiredesk.client import Event, Query, StreamRefused, stories

WIRE = (
    event("urn:a", headline="Harbour opens", topics=("medtop:20000344",), names=("Ines Okafor",)),
    event("urn:b", headline="Hafen offen", language="de-CH", feed="blue"),
    event("urn:k", headline="Kill", text="Kill.", relation="kill", chain="urn:a", of="urn:a", sequence=2),
)


async def heads(source: Any, count: int | None = None, **more: Any) -> list[str]:
    """The headlines that come; the last of `count` counts as read once the one after it was asked for."""
    found: list[str] = []
    async with aclosing(stories(source, **more)) as reading:
        async for one in reading:
            found.append(one.headline)
            if len(found) == count:
                break
    return found


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    gap = b'{"gap":{"feed":"nda","at":"2026-01-31T12:00:00Z"}}\n'
    path.write_bytes(gap + b"".join(encode(one) + b"\n" for one in WIRE))
    return path


async def test_a_file_is_read_on_from_the_event_that_was_not_finished(lines: Path, tmp_path: Path) -> None:
    mark = tmp_path / "place"
    assert await heads(lines, 2, bookmark=mark) == ["Harbour opens", "Hafen offen"]
    assert await heads(lines, bookmark=mark) == ["Hafen offen", "Kill"], "what was in hand comes again"
    assert await heads(lines, bookmark=mark) == []
    assert await heads(str(lines)) == ["Harbour opens", "Hafen offen", "Kill"], (
        "without a bookmark from the start"
    )
    assert await heads(lines, begin="now") == []


async def test_a_file_that_grows_is_followed_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first, second = (encode(one) + b"\n" for one in WIRE[:2])
    path.write_bytes(first + second[:40])
    async with aclosing(stories(path, follow=True)) as reading:
        assert (await anext(reading)).headline == "Harbour opens"
        following = asyncio.ensure_future(anext(reading))
        with path.open("ab") as more:
            more.write(second[40:])
        assert (await asyncio.wait_for(following, 10)).headline == "Hafen offen"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (Query(), ["Harbour opens", "Hafen offen", "Kill"]),
        (Query(language="de"), ["Hafen offen", "Kill"]),
        (Query(language="d"), ["Kill"]),
        (Query(feed="blue"), ["Hafen offen", "Kill"]),
        (Query(topic="medtop:15000000"), ["Kill"]),
        (Query(topic="medtop:20000344", entity="ines okafor"), ["Harbour opens", "Kill"]),
        (Query(relations=frozenset({"new"}), language="en"), ["Harbour opens"]),
    ],
)
async def test_a_query_lets_kills_pass_whatever_else_it_asks_for(
    lines: Path, query: Query, wanted: list[str]
) -> None:
    assert await heads(lines, query=query) == wanted


async def test_a_newer_event_is_read_and_what_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(WIRE[0])[:-1] + b',"invented":{"later":[1]}}\n{"story":{"uri":7}}\n')
    async with aclosing(stories(path)) as reading:
        assert isinstance(await anext(reading), Event)
        with pytest.raises(Malformed, match="uri"):
            await anext(reading)


@dataclass
class Wire:
    """A desk with a route, whose log the test writes."""

    address: str
    log: Log

    def send(self, *events: Event) -> None:
        with self.log.transaction():
            self.log.append(
                message("wire.out.urgent.v1", "urn:a", encode(one), 0, source="route") for one in events
            )


@pytest.fixture
async def wire(tmp_path: Path, shelf: Shelf) -> AsyncIterator[Wire]:
    log = Log(tmp_path / DATABASE)
    thread = LogThread(log)
    app = make_app(shelf.search, Feeds(), Desk(token="a-word-of-its-own"))
    RouteStream(RuleBook(read_rules(CONFIG_FOLDER / "routes.toml")), thread).add_to(app)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield Wire(str(server.make_url("")).rstrip("/"), log)
    await server.close()
    thread.close()


async def test_a_route_is_read_on_over_its_stream(wire: Wire, tmp_path: Path) -> None:
    wire.send(*WIRE)
    told: Any = {"token": "a-word-of-its-own", "bookmark": tmp_path / "place"}
    address = f"{wire.address}/api/routes/urgent/stream"
    assert await heads(address, 2, **told) == ["Harbour opens", "Hafen offen"]
    assert await heads(address, 2, **told) == ["Hafen offen", "Kill"]


async def test_cards_of_the_desk_become_events(wire: Wire, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "place").write_text((await shelf.search.arrivals(None)).cursor)
    shelf.put(WIRE[0])
    told: Any = {"token": "a-word-of-its-own", "bookmark": tmp_path / "place"}
    async with aclosing(stories(f"{wire.address}/api/stream", **told)) as reading:
        assert await asyncio.wait_for(anext(reading), 20) == WIRE[0]


@pytest.mark.parametrize(
    ("path", "token", "reason"),
    [
        ("/api/routes/none/stream", "a-word-of-its-own", "404"),
        ("/api/routes/urgent/stream", "another", "401"),
        ("/api/stream?after=x", "a-word-of-its-own", "(?s)400.*BadCursor"),
    ],
)
async def test_what_a_server_refuses_for_good_is_told(wire: Wire, path: str, token: str, reason: str) -> None:
    with pytest.raises(StreamRefused, match=reason):
        await heads(wire.address + path, token=token)
