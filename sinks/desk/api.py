"""The JSON API beside the pages: the contract's events and the lists that lead to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from processors.model.codec import to_builtins
from processors.model.event import ClusterStanding
from sinks.desk.access import READER
from sinks.desk.ports import Feeds, PipelineState
from sinks.desk.queries import PARAMETER_NAMES, SearchTurns, check_parameters, read_query
from sinks.desk.stream import Wire
from sinks.search import Hit, StoredStory, Stories
from sinks.stories import HiddenReason
from sinks.versions import compare_versions, list_versions, version_key


class Api:
    """The handlers under ``/api``."""

    def __init__(
        self,
        stories: Stories,
        feeds: Feeds,
        pipeline: PipelineState | None,
        wire: Wire,
        turns: SearchTurns,
        page_size: int,
    ) -> None:
        """`page_size` is how many stories a page has that asks for no number."""
        self._stories, self._feeds, self._pipeline = stories, feeds, pipeline
        self._wire, self._turns = wire, turns
        self._page_size = page_size

    def routes(self) -> list[web.RouteDef]:
        """The API's addresses."""
        return [
            web.get("/api/stories", self.stories),
            web.get("/api/stories/{uri:.+}/versions", self.versions),
            web.get("/api/stories/{uri:.+}/difference", self.difference),
            web.get("/api/stories/{uri:.+}", self.story),
            web.get("/api/chains/{chain:.+}", self.chain),
            web.get("/api/clusters", self.clusters),
            web.get("/api/clusters/{cluster:.+}", self.cluster),
            web.get("/api/feeds", self.feeds),
            web.get("/api/pipeline", self.pipeline),
            web.get("/api/stream", self._wire.answer),
        ]

    async def stories(self, request: web.Request) -> web.Response:
        """``{"stories": [...], "after": "..."}``: with `q` a search, else the newest; `after` leads to the next page."""
        check_parameters(request.query, PARAMETER_NAMES)
        query = read_query(request.query, self._page_size, datetime.now(UTC)).query
        async with self._turns.take_turn(request[READER]):
            page = await (self._stories.search(query) if query.words else self._stories.latest(query))
        return json_response({"stories": to_builtins(page.hits), "after": page.after})

    async def versions(self, request: web.Request) -> web.Response:
        """``{"versions": [...]}``: what a uri has said, newest first. With ``key`` the event of one of them."""
        check_parameters(request.query, ("key",))
        uri = request.match_info["uri"]
        stored = await self._stories.kept_versions(uri)
        if not stored:
            return await self._story_at(f"{uri}/versions")
        key = request.query.get("key")
        if key is None:
            return await asyncio.to_thread(
                lambda: json_response({"versions": to_builtins(tuple(list_versions(stored)))})
            )
        chosen = next((kept for kept in stored if version_key(kept.event) == key), None)
        return await _event_response(chosen) if chosen else _not_found(f"{uri} has no version {key}")

    async def difference(self, request: web.Request) -> web.Response:
        """How two versions differ, by words: those of the keys `old` and `new`, else the current one and the one before."""
        check_parameters(request.query, ("old", "new"))
        uri = request.match_info["uri"]
        stored = await self._stories.kept_versions(uri)
        if not stored:
            return await self._story_at(f"{uri}/difference")
        asked = request.query.get("old"), request.query.get("new")
        difference = await asyncio.to_thread(lambda: compare_versions(stored, *asked))
        if difference is None:
            return _not_found(f"{uri} has no two such versions")
        response = json_response(to_builtins(difference))
        return _tell_hidden(response, difference.old.hidden or difference.new.hidden)

    async def story(self, request: web.Request) -> web.Response:
        """The event of a uri, as the contract says; ``X-Wiredesk-Hidden`` tells of a kill or correction."""
        check_parameters(request.query, ())
        return await self._story_at(request.match_info["uri"])

    async def _story_at(self, uri: str) -> web.Response:
        stored = await self._stories.get(uri)
        return _not_found(f"no story has the uri {uri}") if stored is None else await _event_response(stored)

    async def chain(self, request: web.Request) -> web.Response:
        """Every member of a chain, in order."""
        check_parameters(request.query, ())
        members = await self._stories.versions(request.match_info["chain"])
        status = 200 if members else 404
        return await asyncio.to_thread(
            lambda: json_response({"stories": to_builtins(tuple(members))}, status)
        )

    async def clusters(self, request: web.Request) -> web.Response:
        """``{"clusters": [...], "after": "..."}``: the happenings with their latest report, newest first."""
        check_parameters(request.query, PARAMETER_NAMES)
        query = read_query(request.query, self._page_size, datetime.now(UTC)).query
        query = replace(query, grouped=True, collapse=False, versions=False)
        async with self._turns.take_turn(request[READER]):
            page = await (self._stories.search(query) if query.words else self._stories.latest(query))
        clusters = [describe_cluster(hit.cluster, hit) for hit in page.hits if hit.cluster]
        return json_response({"clusters": clusters, "after": page.after})

    async def cluster(self, request: web.Request) -> web.Response:
        """The reports of one happening in the order in which they came, and what the latest says of the whole."""
        name = request.match_info["cluster"]
        hits = await self._stories.cluster(name)
        latest = hits[-1] if hits else None
        if latest is None or latest.cluster is None:
            return _not_found(f"no cluster has the id {name}")
        whole = describe_cluster(latest.cluster, latest) | {"stories": to_builtins(tuple(hits))}
        return await asyncio.to_thread(lambda: json_response(whole))

    async def feeds(self, request: web.Request) -> web.Response:
        """The health of every feed."""
        check_parameters(request.query, ())
        return json_response({"feeds": to_builtins(tuple(await self._feeds.list()))})

    async def pipeline(self, request: web.Request) -> web.Response:
        """How far each step is behind, how many dead letters wait, and what is wrong with the index."""
        check_parameters(request.query, ())
        faults = list(await self._stories.faults())
        if self._pipeline is None:
            return json_response({"steps": [], "deadLetters": None, "index": faults})
        steps = [
            {"step": lag.consumer, "records": lag.records, "oldestSeconds": round(lag.seconds, 3)}
            for lag in await self._pipeline.lags()
        ]
        dead = await self._pipeline.dead_letters()
        return json_response({"steps": steps, "deadLetters": dead, "index": faults})


def describe_cluster(standing: ClusterStanding, latest: Hit) -> dict[str, Any]:
    """A happening as its latest report has it: how many reports, sources and languages there were with that one."""
    return {
        "id": standing.id,
        "first": standing.first,
        "reports": standing.sequence,
        "sources": standing.sources,
        "languages": list(standing.languages),
        "latest": to_builtins(latest),
    }


async def _event_response(stored: StoredStory) -> web.Response:
    response = await asyncio.to_thread(lambda: json_response(to_builtins(stored.event)))
    return _tell_hidden(response, stored.hidden)


def _tell_hidden(response: web.Response, hidden: HiddenReason | None) -> web.Response:
    if hidden:
        response.headers["X-Wiredesk-Hidden"] = hidden
    return response


def _not_found(message: str) -> web.Response:
    return json_response({"error": {"type": "NotFound", "message": message}}, 404)


def json_response(value: Any, status: int = 200) -> web.Response:
    """A JSON response that no cache stores."""
    return web.Response(
        body=orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        status=status,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
