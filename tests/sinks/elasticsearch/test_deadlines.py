"""A search that takes too long, or a server that hangs, holds up no reader for long. The server is a stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from config.settings import Elasticsearch
from processors.errors import Unreachable
from sinks.elasticsearch import ElasticStories
from sinks.elasticsearch import reader as readers
from sinks.search import MAX_OFFSET, Query, SearchTooSlow

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
EMPTY = {"took": 1, "timed_out": False, "hits": {"hits": []}, "aggregations": {"tags": {"buckets": []}}}


@asynccontextmanager
async def searching(
    answer: object, timeout_s: float = 2.0
) -> AsyncIterator[tuple[ElasticStories, list[str]]]:
    """Stories of a server that gives one answer to all searches; None: it hangs."""
    asked: list[str] = []
    released = asyncio.Event()

    async def serve(request: web.Request) -> web.Response:
        asked.append((await request.json())["timeout"])
        if answer is None:
            await released.wait()
        return web.json_response(answer, headers=PRODUCT)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stories = ElasticStories(Elasticsearch(f"http://127.0.0.1:{runner.addresses[0][1]}"), timeout_s=timeout_s)
    try:
        yield stories, asked
    finally:
        released.set()
        await stories.close()
        await runner.cleanup()


async def test_the_server_is_told_our_deadline_by_every_search() -> None:
    async with searching(EMPTY, timeout_s=1.5) as (stories, asked):
        await stories.latest(Query())
        await stories.languages()
        await stories.versions("urn:a")
        assert await stories.get("urn:a") is None
    assert asked == ["1500ms"] * 4


async def test_what_the_server_has_given_up_is_too_slow_and_never_half_an_answer() -> None:
    async with searching(EMPTY | {"timed_out": True}) as (stories, _):
        with pytest.raises(SearchTooSlow, match="given up after 2 s"):
            await stories.latest(Query())
        with pytest.raises(SearchTooSlow):
            await stories.languages()


async def test_a_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "GRACE_S", 0.1)
    async with searching(None, timeout_s=0.1) as (stories, _), asyncio.timeout(10):
        with pytest.raises(Unreachable):
            await stories.latest(Query())


@pytest.mark.parametrize(("offset", "is_asked"), [(MAX_OFFSET, True), (MAX_OFFSET + 1, False)])
async def test_counted_pages_end(offset: int, is_asked: bool) -> None:
    async with searching(EMPTY) as (stories, asked):
        query = Query(collapse=True, after=readers._pack_cursor(offset))
        assert (await stories.latest(query)).hits == ()
    assert bool(asked) is is_asked
