"""New stories as server-sent events: one task asks the store, and every open page gets its answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

import orjson
import structlog
from aiohttp import web

from processors.errors import Transient
from processors.model.codec import to_builtins
from sinks.desk.queries import read_query
from sinks.desk.server_events import STILL_HERE, StreamReaders, send_stream
from sinks.query import StoryFacts, is_listed, query_tree
from sinks.search import Arrivals, Hit, Query, Stories

# Between questions to the store: shorter burdens it for nothing, longer shows stories late.
INTERVAL_S: Final = 1.0
# Of a chain whose kill or correction came, the stories that are asked whether a reader had them: a running story has some
# dozens. More take longer in each batch, fewer leave a reader of the first ones without the kill.
MAX_TOUCHED_STORIES: Final = 50
_WITHDRAWING: Final = frozenset({"kill", "correction"})
log = structlog.get_logger("wiredesk.desk")


@dataclass(frozen=True, slots=True)
class ArrivedStories:
    """What came since the last batch, oldest first, with the facts of the stories by uri, and the cursor to go on from.

    `touched` has the other stories of the chain of each kill and correction.
    """

    hits: tuple[Hit, ...]
    cursor: str
    facts: Mapping[str, StoryFacts]
    touched: Mapping[str, tuple[StoryFacts, ...]] = field(default_factory=dict)

    def concerns(self, hit: Hit, query: Query) -> bool:
        """Whether whoever reads the list of a query must hear of a story: it stands there, or what it withdraws stood."""
        now = int(time.time() * 1000)
        touched = self.touched.get(hit.uri, ())
        return self.is_listed(hit, query) or any(is_listed(query, facts, now) for facts in touched)

    def is_listed(self, hit: Hit, query: Query) -> bool:
        """Whether a story stands in the list of a query; one that has been withdrawn since stands in none."""
        facts = self.facts.get(hit.uri)
        return facts is not None and is_listed(query, facts, int(time.time() * 1000))


class Wire:
    """Asks a store for new stories, once for all readers, and only while there are any."""

    def __init__(self, stories: Stories, interval_s: float = INTERVAL_S) -> None:
        """Nothing is asked before the first reader."""
        self._stories = stories
        self._interval_s = interval_s
        self._readers: StreamReaders[ArrivedStories] = StreamReaders()
        self._task: asyncio.Task[None] | None = None
        # Readers that catch up take turns: all at once, they would hold up every page.
        self._catching_up = asyncio.Semaphore(1)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send stories as events until the reader goes away: each at least once.

        ``Last-Event-ID``, or ``after``, goes on where a reader lost us. With parameters of a search only what stands in its
        list is sent, and kills and corrections of what stood there; without any, everything, repeats and kills too.
        """
        asked = read_query(request.query, 1, datetime.now(UTC))
        has_filter = any(name != "after" for name, _ in asked.parameters)
        query_tree(asked.query)  # what is wrong with it is said while there is a status to say so with
        return await self.send(request, partial(_encode_events, query=asked.query if has_filter else None))

    async def send(
        self, request: web.Request, encode: Callable[[ArrivedStories], bytes]
    ) -> web.StreamResponse:
        """Send what comes as `encode` writes it."""
        self._readers.check_room()
        cursor = request.headers.get("Last-Event-ID") or request.query.get("after")
        if cursor:  # one that is none is refused while there is a status to say so with
            await self._stories.arrivals(cursor, 1)
        return await send_stream(request, self._chunks(cursor, encode))

    async def close(self) -> None:
        """End the stream of every reader."""
        self._readers.close()
        if self._task:
            self._task.cancel()

    async def _chunks(
        self, cursor: str | None, encode: Callable[[ArrivedStories], bytes]
    ) -> AsyncIterator[bytes]:
        with self._readers.join() as queue:
            await self._start()
            while cursor:
                async with self._catching_up:
                    missed = await self._stories.arrivals(cursor)
                cursor = missed.cursor if missed.hits else None
                yield encode(await self._with_facts(missed))
            async for arrived in self._readers.batches(queue):
                yield STILL_HERE if arrived is None else encode(arrived)

    async def _start(self) -> None:
        """Start the task that asks the store, so that nothing is lost between what a reader missed and what comes."""
        if self._task is None or self._task.done():
            cursor = (await self._stories.arrivals(None)).cursor
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._watch(cursor), name="desk stream")

    async def _watch(self, cursor: str) -> None:
        """Ask the store again and again while there are readers."""
        while self._readers:
            try:
                arrivals = await self._stories.arrivals(cursor)
                arrived = await self._with_facts(arrivals)
            except Transient as error:
                log.warning("the store does not answer", reason=str(error))
            else:
                cursor = arrivals.cursor
                if arrivals.hits:
                    self._readers.hand_out(arrived)
            await asyncio.sleep(self._interval_s)

    async def _with_facts(self, arrivals: Arrivals) -> ArrivedStories:
        """What has come with what queries ask of it, which is read once for all readers."""
        uris = tuple({hit.uri: None for hit in arrivals.hits})
        events = await self._stories.events(uris) if uris else ()
        touched = {
            hit.uri: await self._chain_facts(hit) for hit in arrivals.hits if hit.relation in _WITHDRAWING
        }
        facts = {event.story.uri: StoryFacts(event) for event in events}
        return ArrivedStories(arrivals.hits, arrivals.cursor, facts, touched)

    async def _chain_facts(self, hit: Hit) -> tuple[StoryFacts, ...]:
        """The facts of the latest other stories of a kill's or correction's chain."""
        members = [member.uri for member in await self._stories.versions(hit.chain) if member.uri != hit.uri]
        events = await self._stories.events(members[-MAX_TOUCHED_STORIES:]) if members else ()
        return tuple(StoryFacts(event) for event in events)


def _encode_events(arrived: ArrivedStories, query: Query | None) -> bytes:
    """One server-sent event a story, without a name, so that ``onmessage`` of a browser gets it; only the last has the cursor, so that a broken batch is sent again as a whole.

    Old news that a back-fill brings is no arrival; its kills are.
    """
    hits = [hit for hit in arrived.hits if not hit.backfill or hit.relation == "kill"]
    if query is not None:
        hits = [hit for hit in hits if arrived.concerns(hit, query)]
    lines = [f"id: {arrived.cursor}\n\n".encode()] if arrived.hits and not hits else []
    for number, hit in enumerate(hits, 1):
        cursor = f"id: {arrived.cursor}\n".encode() if number == len(hits) else b""
        lines.append(cursor + b"data: " + orjson.dumps(to_builtins(hit)) + b"\n\n")
    return b"".join(lines)
