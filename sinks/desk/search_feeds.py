"""A saved search as RSS, Atom and JSON Feed: ``/searches/ID.rss``, ``.atom`` and ``.json``.

A reader without sign-in shows the key that the address holds: it opens this one feed, and is taken back without the others.
Embargoed, killed and corrected stories and repeats are left out, as in the list. The kill of a story that the search would
find stands in the feed, marked as one, so that whoever keeps what he has read learns of it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final

from aiohttp import ETag, web

from processors.model.event import Event
from sinks.alerts.ports import AlertStore
from sinks.alerts.saved import SavedSearch
from sinks.desk.access import IS_ANONYMOUS, READER
from sinks.desk.queries import SearchTurns, check_parameters
from sinks.forms import FORMS, Form
from sinks.forms.feeds import FeedIdentity, write_atom_head, write_json_head, write_rss_head
from sinks.query import QueryError, matches, parse_query
from sinks.search import Query, Stories
from sinks.stories import lineage, story_time

MAX_FEED_STORIES: Final = 50  # readers ask every hour or less; more are sent again and again
# Of the latest kills, whose stories are looked at. More cost a look-up each at every question.
MAX_KILLS: Final = 20
FEED_NAMES: Final = {"rss": "rss", "atom": "atom", "json": "jsonfeed"}
FEED_HEADS: Final = {"rss": write_rss_head, "atom": write_atom_head, "json": write_json_head}


class SearchFeeds:
    """The feeds of all saved searches."""

    def __init__(self, store: AlertStore, stories: Stories, turns: SearchTurns, desk: str) -> None:
        """`desk` is the desk's public address, or empty."""
        self._store, self._stories, self._turns, self._desk = store, stories, turns, desk

    def routes(self) -> list[web.RouteDef]:
        """The addresses."""
        return [web.get("/searches/{search:[A-Za-z0-9]+}.{form:rss|atom|json}", self.answer)]

    async def answer(self, request: web.Request) -> web.Response:
        """The feed; 404 where there is no such search, or neither a sign-in nor its key is shown."""
        check_parameters(request.query, ("key",))
        search = await self._store.search(request.match_info["search"])
        key = request.query.get("key", "")
        is_open = search is not None and (search.has_key(key) if key or request.get(IS_ANONYMOUS) else True)
        if search is None or not is_open:
            raise web.HTTPNotFound
        name = request.match_info["form"]
        async with self._turns.take_turn(request[READER]):
            events = await self._find_events(search)
        base = self._desk or f"{request.scheme}://{request.host}"
        identity = FeedIdentity(
            search.name, f"{base}/", f"urn:wiredesk:search:{search.id}", f"{base}/searches/{search.id}.{name}"
        )
        form = FORMS[FEED_NAMES[name]]
        body = await asyncio.to_thread(_write_feed, form, name, events, identity)
        return _answer_feed(request, form, body)

    async def _find_events(self, search: SavedSearch) -> Sequence[Event]:
        """The newest stories of a search, and the kills of such; nothing where its query is broken."""
        try:
            tree = parse_query(search.query)
        except QueryError:
            return ()
        query = Query(words=search.query, limit=MAX_FEED_STORIES)
        page = await (self._stories.search if search.query else self._stories.latest)(query)
        events = list(await self._stories.events([hit.uri for hit in page.hits]))
        present = {event.story.uri for event in events}
        kills = await self._stories.latest(Query(relation="kill", order="received", limit=MAX_KILLS))
        for event in await self._stories.events([hit.uri for hit in kills.hits]):
            of = lineage(event).of
            stored = await self._stories.get(of) if of and event.story.uri not in present else None
            if stored and matches(tree, stored.event):
                events.append(event)
        return sorted(events, key=story_time, reverse=True)[:MAX_FEED_STORIES]


def _write_feed(form: Form, name: str, events: Sequence[Event], identity: FeedIdentity) -> bytes:
    head = FEED_HEADS[name](events[0] if events else None, identity)
    return head + form.separator.join(map(form.write_item, events)) + form.tail


def _answer_feed(request: web.Request, form: Form, body: bytes) -> web.Response:
    tag = ETag(hashlib.sha256(body).hexdigest()[:32])
    headers = {"Cache-Control": "private, no-cache"}
    if any(known.value in {tag.value, "*"} for known in request.if_none_match or ()):
        response = web.Response(status=304, headers=headers)
    else:
        response = web.Response(body=body, content_type=form.media_type, charset="utf-8", headers=headers)
    response.etag = tag
    return response
