"""The desk's pages: the live list, the feeds, the login; stories have their own (`sinks.desk.story_page`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from aiohttp import web

from config.settings import Desk
from sinks.desk.access import READER, DeskAccess, local_path
from sinks.desk.display import (
    COOKIE_S,
    DISPLAY_COOKIE,
    choose_display,
    mark_message,
    render_template,
)
from sinks.desk.live import RowEncoder
from sinks.desk.operations import json_response
from sinks.desk.ports import Feeds, FirstSteps, PipelineState
from sinks.desk.queries import AskedQuery, BadQuery, SearchTurns, read_form, read_query
from sinks.desk.stream import Wire
from sinks.listener import Bodies
from sinks.query import FIELDS, RULES, QueryError, query_tree
from sinks.search import Page, Query, Stories

MAX_KILLS: Final = 100  # received last, among which those that reach no story are sought
MAX_NAMED_KILLS: Final = 3  # above the list: more push the news down; the list of kills has all

MAX_FORM_BYTES: Final = 64 * 1024  # a token and an address; more is no login
FORM_TIMEOUT_S: Final = 10.0  # for the form of a login: longer keeps places for nobody
MAX_FORM_FIELDS: Final = 10
MAX_SHOWN_CHARS: Final = 200  # of a query on each side of what is wrong: more push the message off a phone
MAX_SUGGESTIONS: Final = 20  # while one types: more are no help, fewer hide what was meant


class Pages:
    """The handlers of everything that is HTML."""

    def __init__(
        self,
        stories: Stories,
        feeds: Feeds,
        pipeline: PipelineState | None,
        settings: Desk,
        access: DeskAccess,
        turns: SearchTurns,
        wire: Wire,
    ) -> None:
        """Reads the given stores; without a pipeline its state is not shown."""
        self._access, self._turns, self._bodies = access, turns, Bodies(timeout_s=FORM_TIMEOUT_S)
        self._stories, self._feeds, self._pipeline = stories, feeds, pipeline
        self._settings, self._wire = settings, wire
        self.first_steps: FirstSteps | None = None
        # what else stands at the side of the list, by the names of its template
        self.list_side: Callable[[], Awaitable[Mapping[str, Any]]] = _no_side

    def routes(self) -> list[web.RouteDef]:
        """The pages' addresses."""
        return [
            web.get("/", self.stories, name="stories"),
            web.get("/ticker", self.stories),
            web.get("/live", self.live),
            web.get("/searching", self.searching),
            web.get("/suggest/feeds", self.suggest_feeds),
            web.get("/chains/{chain:.+}", self.chain, name="chain"),
            web.get("/first-steps", self.show_first_steps),
            web.post("/display", self.set_display),
            web.get("/login", self.ask_token, name="login"),
            web.post("/login", self.login),
            web.post("/logout", self.logout),
            web.get("/favicon.ico", self.icon),
        ]

    async def stories(self, request: web.Request) -> web.Response:
        """The live list; with ``part=list`` only the list itself, which is what open pages fetch again."""
        try:
            asked = read_query(request.query, self._settings.page_size, datetime.now(UTC))
        except BadQuery as error:
            return self.page(
                "error.html", 400, title=mark_message("That can't be searched"), message=str(error)
            )
        cursor = (await self._stories.arrivals(None)).cursor  # before the page: so nothing falls between
        page = await self._find_page(asked, request[READER])
        live = _live_values(asked, cursor)
        if request.query.get("part") == "list":
            return await self.render_page("_list.html", asked=asked, page=page, **live)
        if request.path == "/ticker":
            return await self.render_page("ticker.html", asked=asked, page=page, **live)
        kills = await self._stories.latest(Query(relation="kill", since=_day_ago(), limit=MAX_NAMED_KILLS))
        received = await self._stories.latest(Query(relation="kill", order="received", limit=MAX_KILLS))
        unreached = [hit for hit in received.hits if hit.unreached and hit.received >= _day_ago()]
        feeds = await self._feeds.list()
        languages = await self._stories.languages()
        return await self.render_page(
            "list.html",
            asked=asked,
            page=page,
            kills=kills.hits,
            unreached=unreached[:MAX_NAMED_KILLS],
            feeds=feeds,
            languages=languages,
            first_steps=self._choose_first_steps(asked, page),
            **await self.list_side(),
            **live,
        )

    async def live(self, request: web.Request) -> web.StreamResponse:
        """The stream of the rows that fit a list's query."""
        asked = read_query(request.query, self._settings.page_size, datetime.now(UTC))
        query_tree(asked.query)  # what is wrong with it is said while there is a status to say so with
        return await self._wire.send(request, RowEncoder(asked.query))

    async def searching(self, _request: web.Request) -> web.Response:
        """What can be written into the search box."""
        return self.page("searching.html", rules=RULES, fields=FIELDS)

    def query_error_page(self, request: web.Request, error: QueryError) -> web.Response:
        """What is wrong with a query, below the box that holds it as it was typed."""
        typed = request.query.get("q", "").strip()
        end = error.start + error.length
        parts = typed[: error.start], typed[error.start : end][:MAX_SHOWN_CHARS], typed[end:]
        before = parts[0] if len(parts[0]) <= MAX_SHOWN_CHARS else "…" + parts[0][-MAX_SHOWN_CHARS:]
        return self.page(
            "query_error.html", 400, typed=typed, before=before, part=parts[1], after=parts[2][:MAX_SHOWN_CHARS],
            error=error,
        )  # fmt: skip

    async def suggest_feeds(self, request: web.Request) -> web.Response:
        """Some feeds whose name or title has what a reader has typed."""
        typed = request.query.get("begin", "").strip().casefold()
        fitting = (
            {"id": feed.id, "title": feed.title[:200]}
            for feed in await self._feeds.list()
            if typed in feed.id.casefold() or typed in feed.title.casefold()
        )
        return json_response({"feeds": list(islice(fitting, MAX_SUGGESTIONS))})

    async def chain(self, request: web.Request) -> web.Response:
        """Every member of a chain in order, repeats and withdrawn ones too; with ``part=list`` only these."""
        name = request.match_info["chain"]
        hits = await self._stories.versions(name)
        if not hits:
            message = mark_message(
                "No chain has this address. Its stories may be older than the index keeps."
            )
            return self.page("error.html", 404, title=mark_message("No such chain"), message=message)
        template = "_cluster.html" if request.query.get("part") == "list" else "chain.html"
        return await self.render_page(template, chain=name, hits=hits)

    async def set_display(self, request: web.Request) -> web.Response:
        """Keep how the reader wants the desk, and go back to the page."""
        async with self._bodies.read_body(request, MAX_FORM_BYTES) as body:
            form = read_form(body, MAX_FORM_FIELDS)
        response = web.Response(
            status=303, headers={"Location": local_path(form.get("next", "/")), "Cache-Control": "no-store"}
        )
        chosen = choose_display(form)
        response.set_cookie(DISPLAY_COOKIE, chosen.cookie, max_age=COOKIE_S, samesite="Lax")
        return response

    async def ask_token(self, request: web.Request) -> web.Response:
        """The login form."""
        return self.page("login.html", next=local_path(request.query.get("next", "/")), wrong=False)

    async def login(self, request: web.Request) -> web.Response:
        """Check a token and set the session's cookie."""
        async with self._bodies.read_body(request, MAX_FORM_BYTES) as body:
            form = read_form(body, MAX_FORM_FIELDS)
        following = local_path(form.get("next", "/"))
        response = web.Response(status=303, headers={"Location": following, "Cache-Control": "no-store"})
        if self._access.log_in(request, response, form.get("token", "")):
            return response
        return self.page("login.html", 403, next=following, wrong=True)

    async def logout(self, _request: web.Request) -> web.Response:
        """Take the session's cookie back."""
        response = web.Response(status=303, headers={"Location": "/login", "Cache-Control": "no-store"})
        self._access.log_out(response)
        return response

    async def icon(self, _request: web.Request) -> web.Response:
        """The icon, which browsers ask for here."""
        raise web.HTTPMovedPermanently("/static/desk.svg")

    def page(self, name: str, status: int = 200, **values: Any) -> web.Response:
        """A page from its template."""
        return web.Response(
            text=render_template(name, **values),
            status=status,
            content_type="text/html",
            headers={"Cache-Control": "no-store"},
        )

    async def render_page(self, name: str, status: int = 200, **values: Any) -> web.Response:
        """A page from its template, made beside the event loop: a long one holds up nobody."""
        return await asyncio.to_thread(self.page, name, status, **values)

    async def show_first_steps(self, _request: web.Request) -> web.Response:
        """What to do first on a new desk, and where its data lies."""
        if self.first_steps is None:
            raise web.HTTPNotFound
        return await self.render_page("first_steps.html", first_steps=self.first_steps)

    def _choose_first_steps(self, asked: AskedQuery, page: Page) -> FirstSteps | None:
        """The first steps on the first page, as long as it shows samples or nothing."""
        steps = self.first_steps
        if steps is None or asked.parameters:
            return None
        is_new = not page.hits or any(hit.feed == steps.sample_feed for hit in page.hits)
        return steps if is_new else None

    async def _find_page(self, asked: AskedQuery, reader: str) -> Page:
        async with self._turns.take_turn(reader):
            return await (self._stories.search if asked.query.words else self._stories.latest)(asked.query)


def _live_values(asked: AskedQuery, cursor: str) -> dict[str, Any]:
    """What the live part of a list needs: where it begins, and the addresses of its parts."""
    query = asked.link(part=None).removeprefix("/")
    fold = "cluster" if asked.query.grouped else "chain" if asked.query.collapse else None
    return {
        "cursor": cursor,
        "part": asked.link(part="list"),
        "stream": f"/live{query}{'&' if query else '?'}after=",
        "ticker": f"/ticker{query}",
        "fold": fold,
    }


async def _no_side() -> Mapping[str, Any]:
    return {"saved": None}


def _day_ago() -> str:
    return read_query({"since": "24h"}, 1, datetime.now(UTC)).query.since or ""
