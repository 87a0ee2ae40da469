"""The live list's stream: what fits its query, once, and what happens to rows that stand there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientConnectionResetError, ClientError, web
from lxml import html

from processors.model.event import Event
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client
from tests.sinks.events import event


@dataclass
class Sent:
    """One server-sent event."""

    name: str
    data: object
    id: str

    @property
    def row(self) -> str:
        """The headline of a row."""
        assert isinstance(self.data, str)
        return str(html.document_fromstring(self.data).xpath("string(//h2)")).strip()


async def events_of(desk: Client, path: str) -> AsyncIterator[Sent]:
    async with desk.get(path) as answer:
        assert answer.status == 200, await answer.text()
        name, data, place = "message", "", ""
        async for raw in answer.content:
            field, _, value = raw.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = value
            elif field == "id":
                place = value
            elif not field and data:
                yield Sent(name, json.loads(data), place)
                name, data, place = "message", "", ""


async def take(desk: Client, path: str, count: int) -> list[Sent]:
    """The first events of a stream."""
    sent = []
    async with asyncio.timeout(60):
        async for one in events_of(desk, path):
            sent.append(one)
            if len(sent) == count:
                break
    return sent


def put(shelf: Shelf, *stories: Event) -> None:
    for story in stories:
        shelf.put(story)


async def test_rows_that_fit_come_and_no_others(desk: Client, shelf: Shelf) -> None:
    put(
        shelf,
        event("urn:0", headline="Before"),
        event("urn:1", headline="Ferry sails", language="en"),
        event("urn:2", headline="Copper falls", language="en"),
        event("urn:3", headline="Ferry again", language="de"),
        event("urn:4", headline="Ferry late", relation="duplicate", chain="urn:1", of="urn:1"),
        event("urn:5", headline="Ferries sold", language="en-GB"),
    )
    sent = await take(desk, "/live?q=ferr*&language=en&after=1", 2)
    assert [one.row for one in sent] == ["Ferry sails", "Ferries sold"]
    assert sent[-1].id


async def test_a_reader_who_comes_back_misses_nothing_and_gets_nothing_twice(
    desk: Client, shelf: Shelf
) -> None:
    put(shelf, event("urn:0"), event("urn:1", headline="One"))
    first = (await take(desk, "/live?after=1", 1))[0]
    put(shelf, event("urn:2", headline="Two"), event("urn:3", headline="Three"))
    again = await take(desk, f"/live?after={first.id}", 2)
    assert [one.row for one in again] == ["Two", "Three"]


async def test_a_kill_is_told_whatever_the_query_is(desk: Client, shelf: Shelf) -> None:
    put(
        shelf,
        event("urn:a", headline="Wrong"),
        event("urn:k", headline="Withdraw", relation="kill", chain="urn:a", of="urn:a", sequence=2),
    )
    (kill,) = await take(desk, "/live?q=ferry&after=1", 1)
    assert kill.name == "kill"
    assert kill.data == {
        "uri": "urn:k",
        "chain": "urn:a",
        "headline": "Withdraw",
        "path": "/stories/urn%3Ak",
    }


async def test_a_later_version_that_does_not_fit_leaves_the_list(desk: Client, shelf: Shelf) -> None:
    put(shelf, event("urn:a", headline="Ferry sails", version="1"))
    put(shelf, event("urn:a", headline="Train leaves", version="2", relation="update", sequence=2, minute=1))
    (gone,) = await take(desk, "/live?q=headline:ferry&after=1", 1)
    assert (gone.name, gone.data) == ("gone", {"uri": "urn:a", "chain": "urn:a", "relation": "update"})


async def test_rows_are_in_the_readers_language(desk: Client, shelf: Shelf) -> None:
    put(shelf, event("urn:a"), event("urn:b", relation="update", chain="urn:a", of="urn:a", sequence=2))
    desk.session.headers["Accept-Language"] = "ar"
    (row,) = await take(desk, "/live?after=1", 1)
    assert isinstance(row.data, str)
    assert "تحديث" in row.data
    assert '<p class="facts" lang="ar">' in row.data


@pytest.mark.parametrize("path", ["/live", "/api/stream"])
async def test_a_query_that_means_nothing_is_refused_before_the_stream(desk: Client, path: str) -> None:
    for parameters in ("q=headline%3A", "relation=perhaps", "after=never"):
        answer = await desk.get(f"{path}?{parameters}")
        assert answer.status == 400, parameters


async def test_the_api_streams_what_stands_in_the_list_of_a_search(desk: Client, shelf: Shelf) -> None:
    put(
        shelf,
        event("urn:0"),
        event("urn:1", headline="Copper falls", names=("Copper Board",)),
        event("urn:2", headline="Ferry sails"),
        event("urn:3", headline="Ferry sold", feed="blue"),
    )
    sent = await take(desk, "/api/stream?q=ferry%20OR%20copper&feed=nda&after=1", 2)
    assert [one.data["uri"] for one in sent] == ["urn:1", "urn:2"]  # type: ignore[index]


async def test_kills_and_corrections_follow_what_stood_in_the_list_of_a_search(
    desk: Client, shelf: Shelf
) -> None:
    put(
        shelf,
        event("urn:0"),
        event("urn:1", headline="Ferry sails"),
        event("urn:2", headline="Copper falls"),
        event("urn:3", headline="Off the wire", relation="kill", chain="urn:2", of="urn:2", sequence=2),
        event("urn:4", headline="Off the wire", relation="kill", chain="urn:1", of="urn:1", sequence=2),
        event("urn:5", headline="Ferry again"),
        event("urn:6", headline="Boat again", relation="correction", chain="urn:5", of="urn:5", sequence=2),
    )
    sent = await take(desk, "/api/stream?q=headline%3Aferry&after=1", 2)
    assert [one.data["uri"] for one in sent] == ["urn:4", "urn:6"]  # type: ignore[index]


async def test_a_script_in_a_headline_stays_text(desk: Client, shelf: Shelf) -> None:
    put(shelf, event("urn:0"), event('urn:"><script>', headline="<script>alert(1)</script>" + "x" * 10_000))
    (row,) = await take(desk, "/live?after=1", 1)
    assert isinstance(row.data, str)
    assert "<script>" not in row.data
    assert len(row.data) < 5000


@pytest.mark.parametrize("path", ["/live", "/api/stream"])
async def test_a_reader_who_leaves_is_no_error(
    desk: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async def write(*_: object) -> None:
        raise ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(web.StreamResponse, "write", write)
    with contextlib.suppress(ClientError):
        async with desk.get(path) as answer:
            await answer.read()
    assert [record for record in caplog.records if record.levelno >= logging.INFO and record.name != "aiohttp.access"] == []  # fmt: skip
