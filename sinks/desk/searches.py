"""Saved searches and alerts for programs: ``/api/searches``, ``/api/alerts``, and the stream that open pages follow.

Whoever may read saves searches and changes his own; what others own changes who may operate. What leaves the house is the
operator's to allow: a target beyond open pages, and mail to the domains of ``alerts.mail_domains``, needs the scope
`operate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct

from processors.numbers import parse_int64
from processors.times import to_timestamp
from sinks.alerts.decisions import Alert
from sinks.alerts.messages import AlertMessage, MessageKind, MessageState, describe_alert
from sinks.alerts.ports import TooManySearches
from sinks.alerts.saved import (
    AlertTarget,
    BadSearch,
    SavedSearch,
    SearchReport,
    SearchRequest,
    TargetRequest,
    describe_search,
    mail_domain,
    read_search,
    shown_address,
    with_feed_key,
    with_signing_key,
)
from sinks.desk.access import CALLER
from sinks.desk.alert_stream import AlertStream
from sinks.desk.operations import BODY, Operation, Parameter, Refused, json_response
from sinks.desk.ports import AlertDesk
from sinks.desk.queries import BadQuery
from sinks.stories import now_ms

PAGE_ALERTS: Final = 50  # of a list that asks for no number
MAX_PAGE_ALERTS: Final = 200
MAX_SHOWN_MESSAGES: Final = 50  # of one search
FEED_FORMS: Final = ("rss", "atom", "json")
SEARCH_ID: Final = Parameter("search", "The id of a saved search.", where="path")
ALERT_ID: Final = Parameter("alert", "The id of an alert, as messages name it.", where="path")
log = structlog.get_logger("wiredesk.desk")


class SearchList(Struct, frozen=True):
    """All saved searches, by folder and name."""

    searches: list[SearchReport]


class SavedReport(Struct, frozen=True, rename="camel"):
    """A search that was saved. `signing_key` is there where it was made: it is shown this once."""

    search: SearchReport
    signing_key: str | None = None


class FeedAddresses(Struct, frozen=True):
    """The addresses of a search's feeds for readers without sign-in: they hold its key, which is shown this once."""

    rss: str
    atom: str
    json: str


class SigningKey(Struct, frozen=True, rename="camel"):
    """What signs a search's webhooks from now on; it is shown this once."""

    signing_key: str


class MessageReport(Struct, frozen=True, rename="camel"):
    """A message of an alert: to whom, what has become of it, and after how many tries."""

    id: str
    search: str
    kind: MessageKind
    target: TargetRequest
    state: MessageState
    attempts: int
    created: str
    finished: str | None
    next_try: str | None
    error: str
    alerts: list[str]
    more: int


class MessageList(Struct, frozen=True):
    """The latest messages of a search, the newest first."""

    messages: list[MessageReport]


class AlertList(Struct, frozen=True):
    """Alerts, the newest first; `after` leads to the next page."""

    alerts: list[dict[str, Any]]
    after: str | None


class AlertReport(Struct, frozen=True):
    """Why somebody got an alert: the search as it was then, the parts of it that the story fits, and the messages."""

    alert: dict[str, Any]
    search: dict[str, str]
    state: str
    messages: list[MessageReport]


class SearchApi:
    """The operations under ``/api/searches`` and ``/api/alerts``."""

    def __init__(self, desk: AlertDesk, stream: AlertStream, clock: Callable[[], int] = now_ms) -> None:
        """`clock` gives milliseconds since the epoch."""
        self._store, self._settings, self._limits = desk.store, desk.settings, desk.limits
        self._stream, self._clock = stream, clock

    def operations(self) -> list[Operation]:
        """The addresses."""
        one, pages = "/api/searches/{search:[A-Za-z0-9]+}", (
            Parameter("search", "Only the alerts of this search."),
            Parameter("after", "Go on behind this page: its `after`."),
            Parameter("limit", f"Alerts of one page, {PAGE_ALERTS} at first.", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_ALERTS}),
        )  # fmt: skip
        place = (
            Parameter("after", "Go on behind this message: the id of an event."),
            Parameter("Last-Event-ID", "The same, as browsers send it.", where="header"),
        )
        return [
            Operation("GET", "/api/searches", self.searches, SearchList),
            Operation("POST", "/api/searches", self.create, SavedReport, body=SearchRequest, status=201, errors=(409,)),
            Operation("GET", one, self.search, SearchReport, (SEARCH_ID,)),
            Operation("PATCH", one, self.change, SavedReport, (SEARCH_ID,), body=SearchRequest, errors=(409,)),
            Operation("DELETE", one, self.delete, None, (SEARCH_ID,), status=204),
            Operation("POST", f"{one}/key", self.make_key, FeedAddresses, (SEARCH_ID,)),
            Operation("DELETE", f"{one}/key", self.revoke_key, None, (SEARCH_ID,), status=204),
            Operation("POST", f"{one}/signing-key", self.renew_signing_key, SigningKey, (SEARCH_ID,)),
            Operation("GET", f"{one}/messages", self.messages, MessageList, (SEARCH_ID,)),
            Operation("GET", "/api/alerts", self.alerts, AlertList, pages),
            Operation(
                "GET", "/api/alerts/stream", self._stream.answer, parameters=place, media_type="text/event-stream"
            ),
            Operation("GET", "/api/alerts/{alert:[0-9a-f]+}", self.alert, AlertReport, (ALERT_ID,)),
        ]  # fmt: skip

    async def searches(self, _request: web.Request) -> web.Response:
        """All saved searches, by folder and name."""
        searches = await self._store.searches()
        reports = await asyncio.to_thread(lambda: [describe_search(search) for search in searches])
        return json_response(msgspec.to_builtins(SearchList(reports)))

    async def create(self, request: web.Request) -> web.Response:
        """Save a search; with a webhook among its targets the answer has the key that signs them, this once."""
        asked = cast("SearchRequest", request[BODY])
        try:
            saved = await self.save(request, asked, None)
        except BadSearch as error:
            return answer_fault(error)
        return json_response(msgspec.to_builtins(saved), 201)

    async def search(self, request: web.Request) -> web.Response:
        """One saved search."""
        return json_response(msgspec.to_builtins(describe_search(await self.find(request))))

    async def change(self, request: web.Request) -> web.Response:
        """Change a saved search; members that are left out stay as they are."""
        asked = cast("SearchRequest", request[BODY])
        try:
            saved = await self.save(request, asked, await self.find_own(request))
        except BadSearch as error:
            return answer_fault(error)
        return json_response(msgspec.to_builtins(saved))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a saved search with its alerts: messages that wait are dropped, and nothing follows them."""
        search = await self.find_own(request)
        await self._store.delete_search(search.id)
        note_change("deleted", search, request)
        return web.Response(status=204)

    async def make_key(self, request: web.Request) -> web.Response:
        """Make the addresses of the search's feeds anew; those before open nothing any more."""
        return json_response(
            msgspec.to_builtins(await self.make_addresses(request, await self.find_own(request)))
        )

    async def revoke_key(self, request: web.Request) -> web.Response:
        """Take back the addresses of the search's feeds."""
        search = await self.find_own(request)
        await self._store.save_search(
            msgspec.structs.replace(search, feed_key=""), self._settings.max_searches
        )
        note_change("feed addresses revoked", search, request)
        return web.Response(status=204)

    async def renew_signing_key(self, request: web.Request) -> web.Response:
        """Sign the search's webhooks with a new key."""
        search, key = with_signing_key(await self.find_own(request))
        await self._store.save_search(search, self._settings.max_searches)
        note_change("signing key renewed", search, request)
        return json_response(msgspec.to_builtins(SigningKey(key)))

    async def messages(self, request: web.Request) -> web.Response:
        """The latest messages of a saved search, with what has become of each."""
        search = await self.find(request)
        messages = await self._store.messages(search.id, MAX_SHOWN_MESSAGES)
        return json_response(msgspec.to_builtins(MessageList([report_message(one) for one in messages])))

    async def alerts(self, request: web.Request) -> web.Response:
        """The alerts that searches have made, the newest first; those under embargo are not told before its end."""
        text = request.query.get("limit")
        limit = PAGE_ALERTS if text is None else parse_int64(text)
        if limit is None or not 1 <= limit <= MAX_PAGE_ALERTS:
            raise BadQuery(f"limit={text}: use a number from 1 to {MAX_PAGE_ALERTS}")
        page = await self._store.alerts(
            request.query.get("search"), request.query.get("after"), limit, self._clock()
        )
        described = [describe_alert(alert, self._settings.address) for alert in page.alerts]
        return json_response({"alerts": described, "after": page.after})

    async def alert(self, request: web.Request) -> web.Response:
        """Why an alert was sent: the query as it was, the parts that the story fits, its version, and each message."""
        alert = await self._store.alert(request.match_info["alert"], self._clock())
        if alert is None:
            raise Refused("no alert has this id; it may be older than alerts.memory_hours", 404)
        messages = await self._store.messages_of(alert.id)
        return json_response(msgspec.to_builtins(explain_alert(alert, messages, self._settings.address)))

    async def save(
        self, request: web.Request, asked: SearchRequest, before: SavedSearch | None
    ) -> SavedReport:
        """Save what is asked for.

        Raises:
            BadSearch: it can't be saved.
            Refused: there are too many, or a target needs another scope.
        """
        owner = request[CALLER].name if CALLER in request else ""
        search = read_search(asked, self._limits, self._clock(), before=before, owner=owner)
        self._check_targets(request, search, before)
        key = None
        hooks = any(target.kind == "webhook" for target in (search.alert.targets if search.alert else ()))
        if hooks and not search.signing_key:
            search, key = with_signing_key(search)
        try:
            await self._store.save_search(search, self._settings.max_searches)
        except TooManySearches as error:
            raise Refused(str(error)) from error
        note_change("changed" if before else "saved", search, request)
        return SavedReport(describe_search(search), key)

    async def make_addresses(self, request: web.Request, search: SavedSearch) -> FeedAddresses:
        """New addresses of a search's feeds."""
        search, key = with_feed_key(search)
        await self._store.save_search(search, self._settings.max_searches)
        note_change("feed addresses made", search, request)
        base = self._settings.address or f"{request.scheme}://{request.host}"
        return FeedAddresses(*(f"{base}/searches/{search.id}.{form}?key={key}" for form in FEED_FORMS))

    async def find(self, request: web.Request) -> SavedSearch:
        """The search that an address names. Refused where there is none."""
        search = await self._store.search(request.match_info["search"])
        if search is None:
            raise Refused("no saved search has this id", 404)
        return search

    async def find_own(self, request: web.Request) -> SavedSearch:
        """The search that an address names, where the caller may change it."""
        search = await self.find(request)
        check_owner(request, search)
        return search

    def _check_targets(self, request: web.Request, search: SavedSearch, before: SavedSearch | None) -> None:
        present = set(before.alert.targets if before and before.alert else ())
        added = [target for target in (search.alert.targets if search.alert else ()) if target not in present]
        if _may_operate(request):
            return
        for target in added:
            is_inside = target.kind == "mail" and mail_domain(target.address) in self._limits.mail_domains
            if target.kind != "page" and not is_inside:
                raise web.HTTPForbidden(
                    text=f"alerts by {target.kind} leave the house; that needs the scope operate"
                )


def check_owner(request: web.Request, search: SavedSearch) -> None:
    """Refuse who neither owns a search nor may operate.

    Raises:
        web.HTTPForbidden: he may not.
    """
    name = request[CALLER].name if CALLER in request else ""
    if search.owner != name and not _may_operate(request):
        raise web.HTTPForbidden(text=f"the search is {search.owner}'s; to change it needs the scope operate")


def _may_operate(request: web.Request) -> bool:
    return CALLER not in request or "operate" in request[CALLER].scopes


def note_change(what: str, search: SavedSearch, request: web.Request) -> None:
    """Log who changed what."""
    by = request[CALLER].name if CALLER in request else ""
    log.info("saved search", change=what, search=search.id, name=search.name, by=by)


def report_message(message: AlertMessage) -> MessageReport:
    """A message as it may be shown."""
    target: AlertTarget = message.target
    return MessageReport(
        message.id, message.search, message.kind, TargetRequest(target.kind, shown_address(target)), message.state,
        message.attempts, to_timestamp(message.created), to_timestamp(message.finished) if message.finished else None,
        to_timestamp(message.next_try) if message.next_try else None, message.error, list(message.alerts), message.more,
    )  # fmt: skip


def explain_alert(alert: Alert, messages: Sequence[AlertMessage], desk: str) -> AlertReport:
    """Why somebody got an alert."""
    search = {"id": alert.search, "name": alert.search_name, "query": alert.query}
    return AlertReport(
        describe_alert(alert, desk), search, alert.state, [report_message(message) for message in messages]
    )


def answer_fault(error: BadSearch) -> web.Response:
    """Say what is wrong with a search, and where: in which member, and in a query at which place."""
    message = {"type": type(error).__name__, "message": str(error)}
    place = {"where": error.where, "start": error.start, "length": error.length}
    shown = {name: value for name, value in place.items() if value is not None}
    return json_response({"error": message | shown}, 400)
