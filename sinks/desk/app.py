"""The web desk put together: pages, API, stream, health, and who may read them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from config.redaction import redact_secrets
from config.settings import Desk
from processors.errors import Transient
from sinks.desk.access import DeskAccess
from sinks.desk.alert_stream import AlertStream
from sinks.desk.api import Api
from sinks.desk.changes import ChangeLog
from sinks.desk.control import DeskControls
from sinks.desk.control_api import ControlApi
from sinks.desk.control_pages import ControlPages
from sinks.desk.display import mark_message, set_display
from sinks.desk.exchange import API_PREFIX, OtherOrigins, shorten_answer
from sinks.desk.hand_on import HandingOn
from sinks.desk.health import Check, count_feeds, health_routes
from sinks.desk.openapi import ApiDocument
from sinks.desk.operations import BadBody, Refused, add_operations, error_response, json_response
from sinks.desk.pages import Pages
from sinks.desk.pictures import PictureCache, Pictures
from sinks.desk.ports import NO_EXTRAS, AlertDesk, DeskExtras, Feeds, PipelineState
from sinks.desk.queries import BadQuery, SearchTurns
from sinks.desk.rising_page import RisingPages
from sinks.desk.search_feeds import SearchFeeds
from sinks.desk.searches import SearchApi
from sinks.desk.searches_page import SearchPages
from sinks.desk.story_forms import StoryForms
from sinks.desk.story_page import StoryPages
from sinks.desk.stream import Wire
from sinks.desk.tokens import TokenFile
from sinks.listener import check_characters
from sinks.query import QueryError
from sinks.search import BadCursor, SearchTooSlow, Stories

DESK_FOLDER: Final = Path(__file__).parent
STATIC_FILES: Final = {path.name: path for path in (DESK_FOLDER / "static").iterdir()}
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-src 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
log = structlog.get_logger("wiredesk.desk")


def make_app(
    stories: Stories,
    feeds: Feeds,
    settings: Desk,
    pipeline: PipelineState | None = None,
    checks: Mapping[str, Check] | None = None,
    *,
    polls: bool = True,
    tokens: TokenFile | None = None,
    controls: DeskControls | None = None,
    changes: ChangeLog | None = None,
    extras: DeskExtras = NO_EXTRAS,
) -> web.Application:
    """The desk as an aiohttp application. `checks` join ``/readyz``, which always asks the store.

    `tokens` are those of ``wiredesk token``, `controls` what an operator may do here, which `changes` records; `polls` is
    whether the feeds are polled by this process, whose ``/metrics`` then counts them. `extras` are what only some
    runtimes have.

    Raises:
        Misconfigured: the host is open to the network and there is no token.
    """
    origins = OtherOrigins(settings)
    access = DeskAccess(settings, may_read=origins.is_allowed, tokens=tokens)
    app = web.Application(
        middlewares=[
            *(check_characters, set_display, _answer_refusals, origins.answer_preflight),
            *(access.check_reader, shorten_answer, _answer_errors),
        ],
        client_max_size=64 * 1024,
    )
    turns = SearchTurns()
    wire = Wire(stories)
    pages = Pages(stories, feeds, pipeline, settings, access, turns, wire)
    app.add_routes(pages.routes())
    add_operations(app, Api(stories, feeds, pipeline, wire, turns, settings.page_size).operations())
    controls, changes = controls or DeskControls(), changes or ChangeLog(None)
    add_operations(app, ControlApi(stories, controls, changes).operations())
    app.add_routes(ControlPages(stories, feeds, controls, changes, pipeline, pages.render_page).routes())
    ApiDocument().add_to(app)
    if extras.alerts:
        _add_searches(app, stories, pages, turns, extras.alerts)

    _add_health(app, stories, checks or {}, feeds if polls else None)
    app.add_routes([web.get("/static/{name}", _static_file)])
    pages.first_steps = extras.first_steps
    _add_story_pages(app, stories, pages, extras, changes)
    rising = RisingPages(stories, pages.render_page)
    app.add_routes(rising.routes())
    add_operations(app, rising.operations())
    app[PAGES] = pages

    async def close(_app: web.Application) -> None:
        await wire.close()

    app.on_shutdown.append(close)

    app.on_response_prepare.append(partial(_add_headers, origins))
    return app


def _add_health(
    app: web.Application, stories: Stories, checks: Mapping[str, Check], polled: Feeds | None
) -> None:
    """Add ``/livez``, ``/readyz`` and ``/metrics``, which count the feeds that this process polls."""

    async def measure() -> None:
        if polled:
            count_feeds(await polled.list())

    app.add_routes(health_routes({"stories": _store_check(stories), **checks}, measure=measure))


async def _add_headers(origins: OtherOrigins, request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on every answer, streams and errors included."""
    response.headers.update(SECURITY_HEADERS)
    origins.add_headers(request, response)


def _add_searches(
    app: web.Application, stories: Stories, pages: Pages, turns: SearchTurns, alerts: AlertDesk
) -> None:
    """Add saved searches: their API, pages, feeds, the stream of alerts, and their folders beside the list."""
    stream = AlertStream(alerts.store, alerts.settings.address)
    api = SearchApi(alerts, stream)
    search_pages = SearchPages(alerts, api, stories, pages.render_page)
    add_operations(app, api.operations())
    app.add_routes(search_pages.routes())
    app.add_routes(SearchFeeds(alerts.store, stories, turns, alerts.settings.address).routes())
    pages.list_side = search_pages.side_values
    app.on_shutdown.append(lambda _app: stream.close())


PAGES: Final = web.AppKey("pages", Pages)


def _add_story_pages(
    app: web.Application, stories: Stories, pages: Pages, extras: DeskExtras, changes: ChangeLog
) -> None:
    """What is asked of one story."""
    shows_pictures = extras.pictures is not None
    story_pages = StoryPages(stories, pages.render_page, extras.hand_on, shows_pictures=shows_pictures)
    app.add_routes(story_pages.routes())
    add_operations(app, StoryForms(stories).operations())
    if extras.pictures is not None:
        Pictures(stories, PictureCache(extras.pictures)).add_to(app)
    if extras.hand_on is not None:
        handing_on = HandingOn(stories, extras.hand_on, changes)
        app.add_routes(handing_on.routes())
        add_operations(app, handing_on.operations())


def _store_check(stories: Stories) -> Check:
    async def check() -> str | None:
        try:
            await stories.arrivals(None)
        except Transient as error:
            return str(error)
        return None

    return check


async def _static_file(request: web.Request) -> web.StreamResponse:
    """One of the desk's own files; a name that is none of theirs never reaches the file system."""
    path = STATIC_FILES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path)


@web.middleware
async def _answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer programs with JSON whatever refuses them; the headers of the refusal stay."""
    try:
        return await handler(request)
    except web.HTTPError as error:
        if not request.path.startswith(API_PREFIX):
            raise
        message = error.text or error.reason
        if error.content_type == "application/json":
            message = orjson.loads(message)["error"]
        response = error_response(type(error).__name__.removeprefix("HTTP"), message, error.status)
        for name in ("Allow", "Connection", "Retry-After", "WWW-Authenticate"):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors: with a page for people, with JSON for programs."""
    try:
        return await handler(request)
    except (BadCursor, BadQuery, BadBody, QueryError) as error:
        return _bad_request(request, error)
    except Refused as error:
        return _error_response(request, error.status, "Refused", str(error))
    except SearchTooSlow as error:
        return _error_response(request, 503, mark_message("The search takes too long"), str(error))
    except Transient as error:
        log.warning("the store does not answer", path=request.path, reason=str(error))
        return _error_response(request, 503, mark_message("The index does not answer"), str(error))
    except web.HTTPNotFound:
        return _error_response(
            request, 404, mark_message("Nothing here"), f"{request.path} is no page of the desk."
        )


def _bad_request(request: web.Request, error: ValueError) -> web.StreamResponse:
    """What is wrong; of a query also where: `start` and `length` count code points of what was typed."""
    if not isinstance(error, QueryError):
        return _error_response(request, 400, type(error).__name__, str(error))
    if not request.path.startswith(API_PREFIX):
        return request.app[PAGES].query_error_page(request, error)
    place = {"start": error.start, "length": error.length, "hint": redact_secrets(error.hint)}
    described = {"type": "QueryError", "message": redact_secrets(str(error)), **place}
    return json_response({"error": described}, 400)


def _error_response(request: web.Request, status: int, title: str, message: str) -> web.StreamResponse:
    message = redact_secrets(message)
    if request.path.startswith("/api/"):
        return error_response(title, message, status)
    return request.app[PAGES].page("error.html", status, title=title, message=message)
