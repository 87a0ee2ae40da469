"""The JSON API."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from processors.model.codec import to_builtins
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client
from tests.sinks.events import backfilled, dispatch, event


async def told(desk: Client, path: str, status: int = 200) -> Any:
    answer = await desk.get(path)
    assert answer.status == status
    return await answer.json()


async def test_a_search_leads_to_events(desk: Client, shelf: Shelf) -> None:
    shelf.put(dispatch())
    found = await told(desk, "/api/stories?q=harbour")
    assert [each["uri"] for each in found["stories"]] == ["urn:nda:1"]
    assert await told(desk, "/api/stories/urn%3Anda%3A1") == orjson.loads(
        orjson.dumps(to_builtins(dispatch()))
    )


async def test_pages_follow_one_another(desk: Client, shelf: Shelf) -> None:
    shelf.put(*(event(f"urn:{n}", minute=n) for n in range(5)))
    first = await told(desk, "/api/stories?limit=3")
    rest = await told(desk, f"/api/stories?limit=3&after={first['after']}")
    assert [each["uri"] for each in first["stories"] + rest["stories"]] == [
        f"urn:{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert rest["after"] is None


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0",
        "limit=x",
        "limit=999999999999",
        "limit=0000000009999",
        f"limit={'9' * 5000}",
        "relation=nonsense",
        "order=up",
        "since=yesterday",
        "since=9999-12-31T23:59:59-05:00",
        "collapse=2",
    ],
)
async def test_a_parameter_that_means_nothing_is_named(desk: Client, asked: str) -> None:
    answer = await told(desk, f"/api/stories?{asked}", 400)
    assert answer["error"]["message"].startswith(asked)


@pytest.mark.parametrize("after", ["';DROP", "9" * 5000, f"{2**63}.1", "1.²"])
@pytest.mark.parametrize("order", ["newest", "relevance"])
async def test_a_cursor_that_is_not_ours_starts_at_the_newest(
    desk: Client, shelf: Shelf, after: str, order: str
) -> None:
    shelf.put(event("urn:a", headline="The ferry"))
    assert len((await told(desk, f"/api/stories?q=ferry&order={order}&after={after}"))["stories"]) == 1


async def test_what_is_unknown_is_not_found(desk: Client) -> None:
    assert (await told(desk, "/api/stories/urn%3Anone", 404))["error"]["type"] == "NotFound"
    assert (await told(desk, "/api/nothing", 404))["error"]["type"] == "Nothing here"


async def test_a_killed_story_is_told_apart(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:a"), event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2))
    assert (await desk.get("/api/stories/urn%3Aa")).headers["X-Wiredesk-Hidden"] == "killed"


async def test_feeds_and_pipeline(desk: Client) -> None:
    feeds = (await told(desk, "/api/feeds"))["feeds"]
    assert feeds[0]["itemsPerDay"] == 24.0
    assert feeds[1]["message"] == "a page"
    assert await told(desk, "/api/pipeline") == {
        "steps": [{"step": "tag", "records": 14, "oldestSeconds": 0.75}],
        "deadLetters": 3,
        "index": [],
    }


async def test_the_metrics_have_units_in_their_names(desk: Client) -> None:
    text = await (await desk.get("/metrics")).text()
    assert "wire_step_seconds" in text
    assert "wire_oldest_unprocessed_age_seconds" in text
    assert 'wire_feeds{state="erroring"} 1.0' in text


async def test_the_stream_tells_of_each_new_story_with_a_cursor(desk: Client, shelf: Shelf) -> None:
    start = (await shelf.search.arrivals(None)).cursor
    async with desk.get("/api/stream", headers={"Last-Event-ID": start}) as answer:
        assert answer.content_type == "text/event-stream"
        shelf.put(event("urn:a", headline="Fresh"))
        fields = await asyncio.wait_for(_next_event(answer), 10)
    assert fields["event"] == "story"
    assert orjson.loads(fields["data"])["headline"] == "Fresh"
    assert int(fields["id"]) > int(start)


async def test_a_reader_who_comes_back_gets_what_he_missed(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:before"))
    cursor = (await shelf.search.arrivals(None)).cursor
    shelf.put(event("urn:missed"))
    async with desk.get("/api/stream", headers={"Last-Event-ID": cursor}) as answer:
        fields = await asyncio.wait_for(_next_event(answer), 10)
    assert orjson.loads(fields["data"])["uri"] == "urn:missed"


async def test_old_news_of_a_back_fill_is_no_arrival_but_its_kill_is(desk: Client, shelf: Shelf) -> None:
    cursor = (await shelf.search.arrivals(None)).cursor
    old = backfilled(event("urn:old"))
    kill = backfilled(event("urn:kill", relation="kill", of="urn:other"))
    async with desk.get("/api/stream", headers={"Last-Event-ID": cursor}) as answer:
        shelf.put(old, kill, event("urn:fresh"))
        told = [orjson.loads((await asyncio.wait_for(_next_event(answer), 10))["data"]) for _ in range(2)]
    assert [each["uri"] for each in told] == ["urn:kill", "urn:fresh"]


async def test_a_batch_of_old_news_alone_moves_the_cursor_on(desk: Client, shelf: Shelf) -> None:
    cursor = (await shelf.search.arrivals(None)).cursor
    async with desk.get("/api/stream", headers={"Last-Event-ID": cursor}) as answer:
        shelf.put(backfilled(event("urn:old")))
        while not (line := await asyncio.wait_for(answer.content.readline(), 10)).startswith(b"id: "):
            pass
    assert line.strip() != f"id: {cursor}".encode()


async def _next_event(answer: ClientResponse) -> dict[str, str]:
    """The fields of the next event that has data."""
    fields: dict[str, str] = {}
    while True:
        line = (await answer.content.readline()).decode().rstrip("\n")
        if not line and "data" in fields:
            return fields
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
