"""The JSON API beside the pages: the contract's events and the lists that lead to them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from processors.model.codec import to_builtins
from sinks.desk.ports import Feeds, Pipeline, Stories
from sinks.desk.queries import BadQuery, read
from sinks.desk.stream import Wire


class Api:
    """Handlers under ``/api``."""

    def __init__(
        self, stories: Stories, feeds: Feeds, pipeline: Pipeline | None, wire: Wire, page_size: int
    ) -> None:
        """Answers from the given stores."""
        self._stories, self._feeds, self._pipeline = stories, feeds, pipeline
        self._wire = wire
        self._page_size = page_size

    def routes(self) -> list[web.RouteDef]:
        """The API's addresses."""
        return [
            web.get("/api/stories", self.stories),
            web.get("/api/stories/{uri:.+}", self.story),
            web.get("/api/chains/{chain:.+}", self.chain),
            web.get("/api/feeds", self.feeds),
            web.get("/api/pipeline", self.pipeline),
            web.get("/api/stream", self._wire.answer),
        ]

    async def stories(self, request: web.Request) -> web.Response:
        """``{"stories": [...], "after": "..."}``: with `q` a search, else the newest; `after` leads to the next page."""
        try:
            query = read(request.query, self._page_size, datetime.now(UTC)).query
        except BadQuery as error:
            return answer({"error": {"type": "BadQuery", "message": str(error)}}, 400)
        page = await (self._stories.search(query) if query.words else self._stories.latest(query))
        return answer({"stories": to_builtins(page.hits), "after": page.after})

    async def story(self, request: web.Request) -> web.Response:
        """The event of a uri, as the contract says; ``X-Wiredesk-Hidden`` tells of a kill or correction."""
        uri = request.match_info["uri"]
        found = await self._stories.get(uri)
        if found is None:
            return answer({"error": {"type": "NotFound", "message": f"no story has the uri {uri}"}}, 404)
        response = answer(to_builtins(found.event))
        if found.hidden:
            response.headers["X-Wiredesk-Hidden"] = found.hidden
        return response

    async def chain(self, request: web.Request) -> web.Response:
        """Every member of a chain, in order."""
        members = await self._stories.versions(request.match_info["chain"])
        return answer({"stories": to_builtins(tuple(members))}, 200 if members else 404)

    async def feeds(self, _request: web.Request) -> web.Response:
        """The health of every feed."""
        return answer({"feeds": to_builtins(tuple(await self._feeds.list()))})

    async def pipeline(self, _request: web.Request) -> web.Response:
        """How far each step is behind, and how many dead letters wait."""
        if self._pipeline is None:
            return answer({"steps": [], "deadLetters": None})
        steps = [
            {"step": each.consumer, "records": each.records, "oldestSeconds": round(each.seconds, 3)}
            for each in await self._pipeline.lags()
        ]
        return answer({"steps": steps, "deadLetters": await self._pipeline.dead_letters()})


def answer(value: Any, status: int = 200) -> web.Response:
    """A JSON response that nobody keeps."""
    return web.Response(
        body=orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        status=status,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
