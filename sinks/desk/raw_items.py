"""``/api/items/{uri}``: the raw item of a story whose event was too long to be sent whole.

The story must be one that the desk shows: what is under embargo, or unknown, is not found here either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from processors.model.event import RawItem, WholeEvent
from sinks.desk.operations import Operation, Parameter, add_operations, error_response
from sinks.search import Stories

# Items in hand at once: each may be of 20 MB. More take memory from the pipeline; fewer make readers wait for each other.
MAX_READS: Final = 2
ReadItem = Callable[
    [str, int, int], Awaitable[bytes | None]
]  # topic, partition and offset; None: not there any more


class RawItems:
    """Answers with the record of the raw topic: JSON, whose `payload` is the publisher's own bytes in base64."""

    def __init__(self, stories: Stories, read: ReadItem) -> None:
        """`read` raises `Transient` where the log does not answer."""
        self._stories, self._read = stories, read
        self._reads = asyncio.Semaphore(MAX_READS)

    def add_to(self, app: web.Application) -> None:
        """Add the address."""
        uri = Parameter("uri", "The uri of a story, percent-encoded.", where="path")
        add_operations(app, [Operation("GET", "/api/items/{uri:.+}", self.answer, RawItem, (uri,))])

    async def answer(self, request: web.Request) -> web.Response:
        """The raw item of a story whose event was too long; 404 where the story is unknown, whole, or the topic keeps the item no longer."""
        uri = request.match_info["uri"]
        stored = await self._stories.get(uri)
        if stored is None:
            return _not_found(f"no story has the uri {uri}")
        whole = stored.event.provenance and stored.event.provenance.whole
        if not whole:
            return _not_found(f"the event of {uri} is whole: /api/stories/{uri}")
        item = await self._item(whole)
        if item is None:
            return _not_found(f"the raw item of {uri} is gone: its topic keeps items for its retention")
        headers = {"Cache-Control": "no-store"}
        if stored.hidden:
            headers["X-Wiredesk-Hidden"] = stored.hidden
        return web.Response(body=item, content_type="application/json", headers=headers)

    async def _item(self, whole: WholeEvent) -> bytes | None:
        if whole.topic is None or whole.partition is None or whole.offset is None:
            return None
        async with self._reads:
            return await self._read(whole.topic, whole.partition, whole.offset)


def _not_found(message: str) -> web.Response:
    return error_response("NotFound", message, 404)
