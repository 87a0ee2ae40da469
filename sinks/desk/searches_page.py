"""The page of saved searches (``/searches``): a list by folder, a form, and what has become of the latest messages.

It does what ``/api/searches`` does, by plain forms. Whom to alert is written a line each: ``page``, an address of a webhook,
a mail address, or the name of a service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from processors.errors import Transient
from sinks.alerts.messages import AlertMessage
from sinks.alerts.saved import (
    AlertRequest,
    AlertTarget,
    BadSearch,
    SavedSearch,
    SearchRequest,
    TargetRequest,
    describe_search,
    shown_address,
)
from sinks.desk.ports import AlertDesk
from sinks.desk.queries import check_parameters, read_form
from sinks.desk.rising_page import RenderPage
from sinks.desk.searches import FeedAddresses, SearchApi, check_owner, note_change
from sinks.listener import Bodies
from sinks.search import Query, Stories

MAX_FORM_BYTES: Final = 64 * 1024
MAX_FORM_FIELDS: Final = 40
# Searches that the page and the list's side show. More are long lists that nobody reads; the API has all.
MAX_PAGE_SEARCHES: Final = 500
MAX_SIDE_SEARCHES: Final = 60
MAX_PAGE_MESSAGES: Final = 10  # the latest of the search that is being changed


class SearchPages:
    """The handlers of the page."""

    def __init__(self, desk: AlertDesk, api: SearchApi, stories: Stories, render_page: RenderPage) -> None:
        """The page asks `api` to save, so that both hold to the same rules."""
        self._desk, self._api, self._stories, self._render_page = desk, api, stories, render_page
        self._bodies = Bodies()

    def routes(self) -> list[web.RouteDef]:
        """The addresses."""
        return [web.get("/searches", self.show, name="searches"), web.post("/searches", self.change)]

    async def show(self, request: web.Request) -> web.Response:
        """The list, with a form for a new search (`q` is its query) or, with `edit`, for one that there is."""
        check_parameters(request.query, ("q", "edit"))
        edited = await self._find(request.query.get("edit", ""))
        return await self._page(edited, form=_form_of(edited, request.query.get("q", "")))

    async def change(self, request: web.Request) -> web.Response:
        """Save, delete, or make keys anew, and show the list again."""
        async with self._bodies.read_body(request, MAX_FORM_BYTES) as body:
            form = read_form(body, MAX_FORM_FIELDS)
        search = await self._find(form.get("search", ""))
        if form.get("search") and search is None:
            raise web.HTTPNotFound
        if search is not None:
            check_owner(request, search)
        action = form.get("action", "")
        if search is not None and action == "delete":
            await self._desk.store.delete_search(search.id)
            note_change("deleted", search, request)
        elif search is not None and action == "feeds":
            addresses = await self._api.make_addresses(request, search)
            return await self._page(search, form=_form_of(search, ""), addresses=addresses)
        elif action == "save":
            return await self._save(request, search, form)
        else:
            raise web.HTTPBadRequest(text="the form says neither save, nor feeds, nor delete")
        raise web.HTTPSeeOther("/searches")

    async def side_values(self) -> dict[str, Any]:
        """The searches for the side of the list, by folder; those of the first folders where there are many."""
        try:
            searches = await self._desk.store.searches()
        except (
            Transient
        ):  # an index that was made before there were saved searches: the list stands without them
            return {"saved": None}
        return {"saved": _by_folder(searches[:MAX_SIDE_SEARCHES])}

    async def _save(
        self, request: web.Request, search: SavedSearch | None, form: dict[str, str]
    ) -> web.Response:
        try:
            saved = await self._api.save(request, _read_request(form), search)
        except BadSearch as error:
            return await self._page(search, form=form, fault=error, status=400)
        if saved.signing_key:
            stored = await self._find(saved.search.id)
            return await self._page(stored, form=_form_of(stored, ""), signing_key=saved.signing_key)
        raise web.HTTPSeeOther(f"/searches?edit={quote(saved.search.id)}")

    async def _find(self, search_id: str) -> SavedSearch | None:
        return await self._desk.store.search(search_id) if search_id.isalnum() else None

    async def _page(
        self,
        edited: SavedSearch | None,
        *,
        form: dict[str, str],
        status: int = 200,
        fault: BadSearch | None = None,
        addresses: FeedAddresses | None = None,
        signing_key: str = "",
    ) -> web.Response:
        searches = await self._desk.store.searches()
        messages: Sequence[AlertMessage] = ()
        if edited is not None:
            messages = await self._desk.store.messages(edited.id, MAX_PAGE_MESSAGES)
        values = await asyncio.to_thread(_list_values, searches)
        matching = await self._count_matching(form.get("query", "")) if fault is None else None
        return await self._render_page(
            "searches.html",
            status,
            edited=edited,
            form=form,
            fault=fault,
            addresses=addresses,
            signing_key=signing_key,
            messages=[(message, shown_address(message.target)) for message in messages],
            matching=matching,
            limits=self._desk.limits,
            services=sorted(self._desk.limits.services),
            **values,
        )

    async def _count_matching(self, query: str) -> int | None:
        """How many of the latest stories a query finds, up to a page of them; None for none."""
        if not query:
            return None
        page = await self._stories.search(Query(words=query, limit=50))
        return len(page.hits)


def _by_folder(searches: Sequence[SavedSearch]) -> list[tuple[str, list[SavedSearch]]]:
    return [(folder, list(members)) for folder, members in groupby(searches, lambda one: one.folder)]


def _list_values(searches: Sequence[SavedSearch]) -> dict[str, Any]:
    shown = searches[:MAX_PAGE_SEARCHES]
    return {
        "folders": _by_folder(shown),
        "faults": {one.id: report.fault for one in shown if (report := describe_search(one)).fault},
        "hidden": len(searches) - len(shown),
    }


def _form_of(search: SavedSearch | None, query: str) -> dict[str, str]:
    """What the fields of the form hold."""
    if search is None:
        return {"query": query, "rhythm": "once", "at": "08:00", "zone": "UTC"}
    form = {"name": search.name, "query": search.query, "folder": search.folder}
    rule = search.alert
    if rule is None:
        return form | {"rhythm": "once", "at": "08:00", "zone": "UTC"}
    form |= {"rhythm": rule.rhythm, "at": rule.at, "zone": rule.zone, "paused": "1" if rule.paused else ""}
    form |= {"quiet_from": rule.quiet_from, "quiet_until": rule.quiet_until}
    return form | {"targets": "\n".join(map(_target_line, rule.targets))}


def _target_line(target: AlertTarget) -> str:
    return "page" if target.kind == "page" else shown_address(target)


def _read_target(line: str) -> TargetRequest:
    if line == "page":
        return TargetRequest("page")
    if "://" in line:
        return TargetRequest("webhook", line)
    return TargetRequest("mail" if "@" in line else "service", line)


def _read_request(form: dict[str, str]) -> SearchRequest:
    """The search that a form asks for; without targets it alerts nobody."""
    lines = [line.strip() for line in form.get("targets", "").splitlines() if line.strip()]
    alert = None
    if lines:
        alert = AlertRequest(
            tuple(map(_read_target, lines)),
            _rhythm(form.get("rhythm", "")),
            form.get("at", "") or "08:00",
            form.get("zone", "") or "UTC",
            form.get("quiet_from", ""),
            form.get("quiet_until", ""),
            bool(form.get("paused")),
        )
    return SearchRequest(form.get("name", ""), form.get("query", ""), form.get("folder", ""), alert)


def _rhythm(text: str) -> Any:
    if text not in {"once", "hour", "day"}:
        raise BadSearch("choose once, hour or day", "alert.rhythm")
    return text
