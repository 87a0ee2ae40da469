"""``/api/items/{uri}``: the raw item of a story, as it was received.

The story must be one that the desk shows: what is under embargo, or unknown, is not found here either. An item may hold
several stories, so it is given only when none of them is under embargo any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from aiohttp import web

from processors.model.event import Event, RawItem
from processors.model.story import Story
from sinks.desk.operations import Operation, Parameter, add_operations, error_response
from sinks.search import Stories
from sinks.stories import embargo_end, now_ms, visible_from

# Items in hand at once: each may be of 20 MB. More take memory from the pipeline; fewer make readers wait for each other.
MAX_READS: Final = 2


class ItemLog(Protocol):
    """Where raw items are kept, and how their stories are read. Its methods raise `Transient` where the log does not answer."""

    async def find_item(self, event: Event) -> bytes | None:
        """The record of the raw item that an event was made of, as JSON; None where it is not there any more."""

    async def list_stories(self, item: bytes) -> Sequence[Event] | None:
        """The stories of a record as they were sent; None where a part of it can't be read, so that nobody knows them all."""


class RawItems:
    """Answers with the record of the raw topic: JSON, whose `payload` is the publisher's own bytes in base64."""

    def __init__(self, stories: Stories, log: ItemLog) -> None:
        """Reads the given stores."""
        self._stories, self._log = stories, log
        self._reads = asyncio.Semaphore(MAX_READS)

    def add_to(self, app: web.Application) -> None:
        """Add the address."""
        uri = Parameter("uri", "The uri of a story, percent-encoded.", where="path")
        add_operations(app, [Operation("GET", "/api/items/{uri:.+}", self.answer, RawItem, (uri,))])

    async def answer(self, request: web.Request) -> web.Response:
        """The raw item of a story; 404 where the story is unknown or the topic keeps the item no longer, 403 while it holds a story under embargo."""
        uri = request.match_info["uri"]
        stored = await self._stories.get(uri)
        if stored is None:
            return _refusal(404, "NotFound", f"no story has the uri {uri}")
        async with self._reads:
            item = await self._log.find_item(stored.event)
            if item is None:
                gone = f"the raw item of {uri} is gone: its topic keeps items for its retention"
                return _refusal(404, "NotFound", gone)
            if reason := await self._withheld_because(item):
                return _refusal(403, "Withheld", f"the raw item of {uri} {reason}")
        headers = {"Cache-Control": "no-store"}
        if stored.hidden:
            headers["X-Wiredesk-Hidden"] = stored.hidden
        return web.Response(body=item, content_type="application/json", headers=headers)

    async def _withheld_because(self, item: bytes) -> str | None:
        """Why nobody may see an item yet; None where all of its stories may be seen."""
        events = await self._log.list_stories(item)
        if events is None:
            return "has a part that can't be read, which may be under embargo: see `wiredesk dlq list`"
        if any(_is_withheld(event, now_ms()) for event in events):
            return "also holds a story under embargo, and is given when that has ended"
        if await self._stories.withheld([event.story.uri for event in events]):
            return "also holds a story of which a later version is under embargo"
        return None


def _is_withheld(event: Event, now: int) -> bool:
    """Whether a story, or anything that came with it, is under embargo."""
    return visible_from(event) > now or any(embargo_end(part) > now for part in _companions(event.story))


def _companions(story: Story) -> Iterator[Story]:
    for part in story.associations:
        yield part
        yield from _companions(part)


def _refusal(status: int, kind: str, message: str) -> web.Response:
    return error_response(kind, message, status)
