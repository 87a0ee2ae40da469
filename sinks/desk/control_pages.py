"""The operators' pages: feeds, the pipeline, dead letters, why a story goes to a route, changes, and the API to try.

They do what the operations of `sinks.desk.control_api` do, with forms that need no script. After a change the browser is
sent back to the page, which shows the last change at its head.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import msgspec
from aiohttp import BodyPartReader, web
from msgspec import UNSET

from sinks.desk.access import CALLER
from sinks.desk.changes import ChangeLog
from sinks.desk.control import (
    DeskControls,
    FeedEdit,
    LetterChoice,
    LetterFilter,
    NewFeed,
)
from sinks.desk.control_api import (
    LETTER_FILTERS,
    LETTER_PATTERN,
    MAX_OPML_BYTES,
    describe_choice,
    describe_edit,
    describe_outcome,
    read_limit,
)
from sinks.desk.operations import OPERATIONS, BadBody, Operation, Refused, require_scope
from sinks.desk.ports import Feeds, PipelineState
from sinks.desk.rising_page import RenderPage
from sinks.desk.step_rates import StepRates
from sinks.listener import CHUNK_BYTES, Bodies
from sinks.search import Stories

MAX_FORM_BYTES: Final = 512 * 1024  # a page of letters with long ids fits
MAX_FORM_FIELDS: Final = 1100  # as many letters as one change may name, and the rest of the form
FormFields = Mapping[str, Sequence[str]]


class ControlPages:
    """The handlers of what `DeskControls` has."""

    def __init__(
        self,
        stories: Stories,
        feeds: Feeds,
        controls: DeskControls,
        changes: ChangeLog,
        pipeline: PipelineState | None,
        render_page: RenderPage,
    ) -> None:
        """Every change is recorded in `changes`."""
        self._stories, self._listed_feeds = stories, feeds
        self._controls, self._changes = controls, changes
        self._pipeline, self._rates, self._render = pipeline, StepRates(), render_page
        self._bodies = Bodies()

    def routes(self) -> list[web.RouteDef]:
        """The addresses of what there is."""
        routes = [
            web.get("/feeds", self.feeds, name="feeds"),
            web.get("/pipeline", self.pipeline),
            web.get("/changes", self.changes),
            web.get("/api", self.reference),
        ]
        if self._controls.feeds:
            routes += [
                web.post("/feeds", self.add_feed),
                web.get("/look", self.check_feed),
                web.post("/opml", self.import_opml),
                web.get("/feeds/{id}", self.feed),
                web.post("/feeds/{id}", self.edit_feed),
            ]
        if self._controls.letters:
            routes += [
                web.get("/dead-letters", self.letters),
                web.post("/dead-letters", self.change_letters),
                web.get(f"/dead-letters/{{id:{LETTER_PATTERN}}}", self.letter),
            ]
        if self._controls.routes:
            routes.append(web.get("/explain", self.explain))
        return routes

    async def feeds(self, request: web.Request) -> web.Response:
        """The health of the feeds and the pipeline, and the forms to add some."""
        feeds = await self._listed_feeds.list()
        return await self._page(
            request,
            "feeds.html",
            feeds=feeds,
            lags=await self._pipeline.lags() if self._pipeline else (),
            dead_letters=await self._pipeline.dead_letters() if self._pipeline else None,
            states=Counter(feed.state for feed in feeds),
            faults=await self._stories.faults(),
        )

    async def pipeline(self, request: web.Request) -> web.Response:
        """Steps, sinks and webhooks: what waits, how fast it goes, what is wrong."""
        lags = await self._pipeline.lags() if self._pipeline else ()
        self._rates.observe(lags)
        return await self._page(
            request,
            "pipeline.html",
            steps=[(lag, self._rates.per_minute(lag.consumer)) for lag in lags],
            dead_letters=await self._pipeline.dead_letters() if self._pipeline else None,
            webhooks=await self._controls.webhooks.list() if self._controls.webhooks else None,
            faults=await self._stories.faults(),
        )

    async def changes(self, request: web.Request) -> web.Response:
        """The last changes that were made by hand."""
        require_scope(request, "operate")
        page = await self._changes.latest(read_limit(request), request.query.get("after"))
        return await self._page(request, "changes.html", page=page)

    async def reference(self, request: web.Request) -> web.Response:
        """Every operation of the API, with a form to try it."""
        operations: list[Operation] = request.app[OPERATIONS]
        ordered = sorted(operations, key=lambda one: (one.public_path, one.method))
        return await self._page(request, "reference.html", operations=ordered)

    async def feed(self, request: web.Request) -> web.Response:
        """One feed: how it fares, and the forms to change it."""
        feed_id = request.match_info["id"]
        feed = await self._controls.own_feeds.find(feed_id)
        if feed is None:
            raise Refused(f"no feed has the id {feed_id!r}", 404)
        return await self._page(request, "feed.html", feed=feed)

    async def check_feed(self, request: web.Request) -> web.Response:
        """What an address holds now: a feed, or a page with feeds; nothing is published."""
        require_scope(request, "operate")
        url, feed_id = request.query.get("url", "").strip(), request.query.get("id")
        check = await (
            self._controls.own_feeds.check(url)
            if feed_id is None
            else self._controls.own_feeds.check_listed(feed_id)
        )
        found = await self._controls.own_feeds.discover(url) if check.outcome == "not_a_feed" else None
        return await self._page(request, "feed_check.html", check=check, found=found, url=url)

    async def add_feed(self, request: web.Request) -> web.Response:
        """Add a feed to the list."""
        form = await self._read_form(request)
        interval = _number(form, "interval")
        new = _convert(
            {
                "url": _text(form, "url"),
                "id": _text(form, "id") or None,
                "title": _text(form, "title"),
                "language": _text(form, "language") or None,
                "source": _text(form, "source") or None,
                "interval": interval,
            },
            NewFeed,
        )
        feed = await self._controls.own_feeds.add(new)
        await self._record(request, "add feed", feed.health.id, f"added {feed.health.url}")
        raise web.HTTPSeeOther(f"/feeds/{quote(feed.health.id, safe='')}")

    async def edit_feed(self, request: web.Request) -> web.Response:
        """Pause a feed, let it go on, change its interval and title, or take it from the list."""
        form, feed_id = await self._read_form(request), request.match_info["id"]
        action = _text(form, "action")
        if action == "remove":
            await self._controls.own_feeds.remove(feed_id)
            await self._record(request, "remove feed", feed_id, "removed")
            raise web.HTTPSeeOther("/feeds")
        if action in {"pause", "resume"}:
            edit = FeedEdit(paused=action == "pause")
        else:
            title = _text(form, "title")
            members = {"interval": _number(form, "interval"), "title": title if "title" in form else UNSET}
            edit = _convert({name: value for name, value in members.items() if value is not UNSET}, FeedEdit)
        await self._controls.own_feeds.edit(feed_id, edit)
        await self._record(request, "edit feed", feed_id, describe_edit(edit))
        raise web.HTTPSeeOther(f"/feeds/{quote(feed_id, safe='')}")

    async def import_opml(self, request: web.Request) -> web.Response:
        """Add the feeds of a chosen OPML file."""
        require_scope(request, "operate")
        report = await self._controls.own_feeds.import_opml(await _read_upload(request))
        await self._record(request, "import OPML", f"{len(report.added)} feeds", ", ".join(report.added))
        return await self._page(request, "opml.html", report=report)

    async def letters(self, request: web.Request) -> web.Response:
        """A page of the dead letters, with what narrows them."""
        require_scope(request, "operate")
        given = {one.name: request.query.get(one.name, "").strip() for one in LETTER_FILTERS}
        wanted = LetterFilter(**{name: value or None for name, value in given.items()})
        page = await self._controls.own_letters.list(wanted, read_limit(request), request.query.get("after"))
        chosen = {name: value for name, value in given.items() if value}
        following = urlencode({**chosen, "after": page.after}) if page.after else None
        return await self._page(request, "letters.html", page=page, chosen=chosen, following=following)

    async def letter(self, request: web.Request) -> web.Response:
        """One dead letter: why it was rejected, and the beginning of what came."""
        require_scope(request, "operate")
        identity = request.match_info["id"]
        detail = await self._controls.own_letters.find(identity)
        if detail is None:
            raise Refused(f"no dead letter has the id {identity}; it may have been replayed or dropped", 404)
        return await self._page(request, "letter.html", detail=detail, letter=detail.letter)

    async def change_letters(self, request: web.Request) -> web.Response:
        """Replay or drop the letters that were ticked, or all that fit the filter."""
        form = await self._read_form(request)
        action, given = _text(form, "action"), {one.name: _text(form, one.name) for one in LETTER_FILTERS}
        force = _text(form, "force") == "1"
        if _text(form, "which") == "all":
            choice = LetterChoice(
                filter=LetterFilter(**{k: v or None for k, v in given.items()}), force=force
            )
        else:
            choice = _convert({"ids": list(form.get("ids", ())), "force": force}, LetterChoice)
        if action not in {"replay", "drop"}:
            raise Refused("choose replay or drop", 400)
        change = self._controls.own_letters.replay if action == "replay" else self._controls.own_letters.drop
        outcome = await change(choice)
        await self._record(
            request, f"{action} dead letters", describe_choice(choice), describe_outcome(outcome)
        )
        kept = urlencode({name: value for name, value in given.items() if value})
        raise web.HTTPSeeOther(f"/dead-letters?{kept}" if kept else "/dead-letters")

    async def explain(self, request: web.Request) -> web.Response:
        """Which routes a story goes to, and why."""
        uri = request.query.get("uri", "").strip()
        stored = await self._stories.get(uri) if uri else None
        if uri and stored is None:
            raise Refused(f"no story has the uri {uri}", 404)
        routes = self._controls.routes
        assert routes, "has an address only where there are some"
        explanation = routes.explain(stored.event) if stored else None
        return await self._page(request, "explain.html", uri=uri, explanation=explanation)

    async def _page(self, request: web.Request, name: str, **values: Any) -> web.Response:
        caller = request[CALLER]
        latest = await self._changes.latest(1) if "operate" in caller.scopes else None
        return await self._render(
            name,
            caller=caller,
            may_operate="operate" in caller.scopes,
            controls=self._controls,
            last_change=latest.changes[0] if latest and latest.changes else None,
            **values,
        )

    async def _read_form(self, request: web.Request) -> FormFields:
        """The fields of the form of a change.

        Raises:
            web.HTTPForbidden: the caller may not.
            BadBody: it is no form.
        """
        require_scope(request, "operate")
        async with self._bodies.read_body(request, MAX_FORM_BYTES) as raw:
            try:
                return parse_qs(
                    raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS
                )
            except ValueError as error:
                raise BadBody("the form has too many fields; choose fewer at once") from error

    async def _record(self, request: web.Request, what: str, target: str, result: str) -> None:
        await self._changes.record(request[CALLER].name, what, target, result)


def _text(form: FormFields, name: str) -> str:
    return form.get(name, ("",))[0].strip()


def _number(form: FormFields, name: str) -> float | None:
    text = _text(form, name)
    try:
        return float(text) if text else None
    except ValueError:
        raise BadBody(f"{name}: {text[:40]!r} is no number of seconds") from None


def _convert(members: Mapping[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise BadBody(str(error)) from error


async def _read_upload(request: web.Request) -> bytes:
    """The first file of a multipart form, up to the bytes of an OPML document; a larger one is refused by its length."""
    if (request.content_length or 0) > MAX_OPML_BYTES + CHUNK_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_OPML_BYTES, actual_size=request.content_length or 0)
    if not request.content_type.startswith("multipart/"):
        raise BadBody("choose an OPML file")
    try:
        part = await (await request.multipart()).next()
        if not isinstance(part, BodyPartReader):
            raise BadBody("choose an OPML file")
        chunks, size = [], 0
        while chunk := await part.read_chunk(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_OPML_BYTES:
                raise web.HTTPRequestEntityTooLarge(max_size=MAX_OPML_BYTES, actual_size=size)
            chunks.append(chunk)
    except (ValueError, AssertionError, RuntimeError) as error:
        raise BadBody("the upload is no multipart form with a file") from error
    return b"".join(chunks)
