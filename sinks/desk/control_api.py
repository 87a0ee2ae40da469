"""The operations under the scope ``operate``, and what operators look at: feeds, dead letters, routes, webhooks, changes."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, cast

import msgspec
from aiohttp import web
from msgspec import Struct

from processors.model.codec import to_builtins
from processors.numbers import parse_int64
from sinks.desk.access import CALLER
from sinks.desk.changes import ChangeLog, ChangePage
from sinks.desk.control import (
    DeskControls,
    FeedAddress,
    FeedCheck,
    FeedEdit,
    FoundFeeds,
    LetterChoice,
    LetterDetail,
    LetterFilter,
    LetterOutcome,
    LetterPage,
    ListedFeed,
    NewFeed,
    OpmlReport,
    RouteExplanation,
    WebhookState,
)
from sinks.desk.operations import BODY, Operation, Parameter, error_response, json_response
from sinks.desk.queries import BadQuery
from sinks.search import Stories

# An OPML document of 10,000 feeds has 2 MB. Less refuses the lists of large newsrooms; more is read into memory.
MAX_OPML_BYTES: Final = 4 * 1024 * 1024
MAX_PAGE_ROWS: Final = 200
PAGE_ROWS: Final = 50
OPML_TYPE: Final = "text/x-opml"
LETTER_PATTERN: Final = r".+(?:/|%2F)\d+(?:/|%2F)\d+"  # topic, partition, offset
ROW_LIMIT: Final = Parameter(
    "limit",
    "Rows of a page.",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_ROWS, "default": PAGE_ROWS},
)
ROW_CURSOR: Final = Parameter("after", "`after` of the page before.")
FEED: Final = Parameter("id", "The id of a feed.", where="path")
LETTER: Final = Parameter(
    "id", "The id of a dead letter, percent-encoded: topic/partition/offset.", where="path"
)
LETTER_FILTERS: Final = (
    Parameter("step", "Only from this step."),
    Parameter("error", "Only with this error type, such as Malformed."),
    Parameter("feed", "Only of this feed."),
    Parameter("since", "Received at or after this RFC 3339 time."),
    Parameter("until", "Received before this time."),
)


class WebhookList(Struct, frozen=True):
    """Who gets stories posted."""

    webhooks: tuple[WebhookState, ...]


class ControlApi:
    """The handlers of what `DeskControls` has."""

    def __init__(self, stories: Stories, controls: DeskControls, changes: ChangeLog) -> None:
        """Every change is recorded in `changes`."""
        self._stories, self._controls, self._changes = stories, controls, changes

    def operations(self) -> list[Operation]:
        """The addresses of what there is."""
        uri = Parameter("uri", "The uri of a story.")
        operations = [
            Operation("GET", "/api/changes", self.changes, ChangePage, (ROW_LIMIT, ROW_CURSOR), "operate")
        ]
        if self._controls.feeds:
            operations += self._feed_operations()
        if self._controls.letters:
            operations += self._letter_operations()
        if self._controls.routes:
            operations.append(
                Operation("GET", "/api/explain", self.explain, RouteExplanation, (uri,), errors=(404,))
            )
        if self._controls.webhooks:
            operations.append(Operation("GET", "/api/webhooks", self.webhooks, WebhookList))
        return operations

    def _feed_operations(self) -> list[Operation]:
        change = partial(Operation, scope="operate", errors=(409, 422))
        upload = partial(change, body=bytes, body_media_type=OPML_TYPE, max_body_bytes=MAX_OPML_BYTES)
        one, address = "/api/feeds/{id}", FeedAddress
        return [
            Operation("GET", "/api/opml", self.export_opml, media_type=OPML_TYPE),
            upload("POST", "/api/opml", self.import_opml, OpmlReport),
            change("POST", "/api/feeds", self.add_feed, ListedFeed, body=NewFeed, status=201),
            change("POST", "/api/addresses/check", self.check_feed, FeedCheck, body=address),
            change("POST", "/api/addresses/discover", self.discover_feeds, FoundFeeds, body=address),
            Operation("GET", one, self.feed, ListedFeed, (FEED,)),
            change("PATCH", one, self.edit_feed, ListedFeed, (FEED,), body=FeedEdit),
            change("DELETE", one, self.remove_feed, parameters=(FEED,), status=204),
        ]

    def _letter_operations(self) -> list[Operation]:
        change = partial(Operation, scope="operate", errors=(409,))
        every, one = "/api/dead-letters", f"/api/dead-letters/{{id:{LETTER_PATTERN}}}"
        parameters = (*LETTER_FILTERS, ROW_LIMIT, ROW_CURSOR)
        raw = "application/octet-stream"
        return [
            change("GET", every, self.letters, LetterPage, parameters),
            change("POST", f"{every}/replay", self.replay_letters, LetterOutcome, body=LetterChoice),
            change("POST", f"{every}/drop", self.drop_letters, LetterOutcome, body=LetterChoice),
            change("GET", f"{one}/payload", self.payload, parameters=(LETTER,), media_type=raw),
            change("GET", one, self.letter, LetterDetail, (LETTER,)),
        ]

    async def changes(self, request: web.Request) -> web.Response:
        """The last changes that were made by hand: who, when, what, and what came of it."""
        page = await self._changes.latest(read_limit(request), request.query.get("after"))
        return _answer(page)

    async def feed(self, request: web.Request) -> web.Response:
        """One feed of the list: what the operator has set, and how it fares."""
        feed_id = request.match_info["id"]
        feed = await self._controls.own_feeds.find(feed_id)
        return _answer(feed) if feed else _not_found(f"no feed has the id {feed_id!r}")

    async def check_feed(self, request: web.Request) -> web.Response:
        """Fetch an address once and say what a poll would have brought; nothing is published or remembered."""
        return _answer(await self._controls.own_feeds.check(cast("FeedAddress", request[BODY]).url))

    async def discover_feeds(self, request: web.Request) -> web.Response:
        """Fetch a page and list the feeds that it names (``link rel=alternate``)."""
        return _answer(await self._controls.own_feeds.discover(cast("FeedAddress", request[BODY]).url))

    async def add_feed(self, request: web.Request) -> web.Response:
        """Add a feed to the list, by its address or by that of a page which names exactly one."""
        new = cast("NewFeed", request[BODY])
        feed = await self._controls.own_feeds.add(new)
        await self._record(request, "add feed", feed.health.id, f"added {feed.health.url}")
        return _answer(feed, 201)

    async def edit_feed(self, request: web.Request) -> web.Response:
        """Pause a feed, let it go on, or change its interval or title."""
        edit, feed_id = cast("FeedEdit", request[BODY]), request.match_info["id"]
        feed = await self._controls.own_feeds.edit(feed_id, edit)
        await self._record(request, "edit feed", feed_id, describe_edit(edit))
        return _answer(feed)

    async def remove_feed(self, request: web.Request) -> web.Response:
        """Take a feed from the list; its stories stay."""
        feed_id = request.match_info["id"]
        await self._controls.own_feeds.remove(feed_id)
        await self._record(request, "remove feed", feed_id, "removed")
        return web.Response(status=204)

    async def export_opml(self, _request: web.Request) -> web.Response:
        """The list of feeds as OPML 2.0."""
        return opml_response(await self._controls.own_feeds.export_opml())

    async def import_opml(self, request: web.Request) -> web.Response:
        """Add the feeds of an OPML document; those whose addresses are in the list stay as they are."""
        report = await self._controls.own_feeds.import_opml(cast("bytes", request[BODY]))
        await self._record(request, "import OPML", f"{len(report.added)} feeds", ", ".join(report.added))
        return _answer(report)

    async def letters(self, request: web.Request) -> web.Response:
        """The dead letters: items that were rejected, with the reason."""
        wanted = LetterFilter(**{one.name: request.query.get(one.name) or None for one in LETTER_FILTERS})
        after = request.query.get("after")
        return _answer(await self._controls.own_letters.list(wanted, read_limit(request), after))

    async def letter(self, request: web.Request) -> web.Response:
        """One dead letter with its headers and the beginning of its bytes as text."""
        identity = request.match_info["id"]
        letter = await self._controls.own_letters.find(identity)
        return _answer(letter) if letter else _not_found(f"no dead letter has the id {identity}")

    async def payload(self, request: web.Request) -> web.Response:
        """The bytes of a dead letter, as the publisher sent them."""
        identity = request.match_info["id"]
        payload = await self._controls.own_letters.payload(identity)
        return (
            _not_found(f"no dead letter has the id {identity}") if payload is None else raw_response(payload)
        )

    async def replay_letters(self, request: web.Request) -> web.Response:
        """Put dead letters back to where they were read, by their ids or by a filter."""
        choice = cast("LetterChoice", request[BODY])
        outcome = await self._controls.own_letters.replay(choice)
        await self._record(request, "replay dead letters", describe_choice(choice), describe_outcome(outcome))
        return _answer(outcome)

    async def drop_letters(self, request: web.Request) -> web.Response:
        """Forget dead letters, by their ids or by a filter."""
        choice = cast("LetterChoice", request[BODY])
        outcome = await self._controls.own_letters.drop(choice)
        await self._record(request, "drop dead letters", describe_choice(choice), describe_outcome(outcome))
        return _answer(outcome)

    async def explain(self, request: web.Request) -> web.Response:
        """Which routes a story goes to, and why; also the rules that it does not fit."""
        uri = request.query.get("uri", "")
        stored = await self._stories.get(uri)
        if stored is None:
            return _not_found(f"no story has the uri {uri}")
        routes = self._controls.routes
        assert routes, "has an address only where there are some"
        return _answer(routes.explain(stored.event))

    async def webhooks(self, _request: web.Request) -> web.Response:
        """Who gets stories posted: how many wait for each, and whether its circuit is open."""
        webhooks = self._controls.webhooks
        assert webhooks, "has an address only where there are some"
        return _answer(WebhookList(tuple(await webhooks.list())))

    async def _record(self, request: web.Request, what: str, target: str, result: str) -> None:
        await self._changes.record(request[CALLER].name, what, target, result)


def read_limit(request: web.Request) -> int:
    """How many rows a page shall have.

    Raises:
        BadQuery: that is no such number.
    """
    text = request.query.get("limit")
    number = PAGE_ROWS if text is None else parse_int64(text)
    if number is None or not 1 <= number <= MAX_PAGE_ROWS:
        raise BadQuery(f"limit={text}: use a number from 1 to {MAX_PAGE_ROWS}")
    return number


def describe_edit(edit: FeedEdit) -> str:
    """What an edit changes, for the log of changes."""
    members: dict[str, Any] = msgspec.to_builtins(edit)
    return ", ".join(f"{name} = {value}" for name, value in members.items())


def describe_choice(choice: LetterChoice) -> str:
    """Which letters were chosen, for the log of changes."""
    if choice.filter is None:
        return ", ".join(choice.ids)
    members: dict[str, Any] = msgspec.to_builtins(choice.filter)
    return " ".join(f"{name}={value}" for name, value in members.items() if value)


def describe_outcome(outcome: LetterOutcome) -> str:
    """What came of it, for the log of changes."""
    parts = [f"{outcome.changed} changed"]
    parts += [f"{len(outcome.worn_out)} stay, replayed too often"] if outcome.worn_out else []
    parts += [f"{len(outcome.empty)} stay, without bytes"] if outcome.empty else []
    parts += [f"{len(outcome.missing)} are gone"] if outcome.missing else []
    return ", ".join(parts)


def opml_response(document: str) -> web.Response:
    """An OPML document to save."""
    headers = {"Content-Disposition": 'attachment; filename="feeds.opml"', "Cache-Control": "no-store"}
    return web.Response(text=document, content_type=OPML_TYPE, headers=headers)


def raw_response(payload: bytes) -> web.Response:
    """A publisher's bytes to save: nothing that a browser would open."""
    headers = {"Content-Disposition": 'attachment; filename="item"', "Cache-Control": "no-store"}
    return web.Response(body=payload, content_type="application/octet-stream", headers=headers)


def _answer(value: object, status: int = 200) -> web.Response:
    return json_response(to_builtins(value), status)


def _not_found(message: str) -> web.Response:
    return error_response("NotFound", message, 404)
