"""What others send us by HTTP: wire items from whoever knows the token, and deliveries of WebSub hubs.

``POST /push`` takes one document of any wire format. It is answered with 202 once the log has it; 503 says to send it
again. ``/websub/…`` are the callbacks of our subscriptions.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from config import Misconfigured
from config.settings import Poll, Push
from processors.errors import Transient
from processors.model.event import RawItem
from processors.times import to_timestamp
from sinks.callers import TokenGuard, client_address, parse_proxies
from sinks.listener import MAX_BODIES_BYTES, Bodies, admit_caller, check_characters, serve
from streams.pollers.fetch import Answer
from streams.pollers.ports import Hubs, NoHubs, RawItemOutlet
from streams.pollers.websub import DeliverDocument, PostForm, Subscriber

PUSH_FEED: Final = "push"
FEED_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# Deliveries of one feed in hand at once. Hubs send one after the other; more let one hub fill the room of all.
MAX_DELIVERIES: Final = 2
RETRY_HEADERS: Final = {"Retry-After": "10"}
log = structlog.get_logger("wiredesk.push")


class PushListener:
    """The HTTP routes by which others send items and hubs deliver."""

    def __init__(
        self,
        settings: Push,
        limit: int,
        outlet: RawItemOutlet,
        clock: Callable[[], float],
        subscriber: Subscriber | None = None,
        deliver: DeliverDocument | None = None,
    ) -> None:
        """`limit` is the size of a document in bytes after decoding; `clock` gives seconds since the epoch.

        Raises:
            Misconfigured: there is no token, which anybody could do without; a proxy is no network.
        """
        if not settings.token:
            raise Misconfigured(
                "[push] needs a token: set WIREDESK_PUSH_TOKEN, or WIREDESK_PUSH_TOKEN_FILE to a file that holds it"
            )
        self._limit, self._outlet, self._clock = limit, outlet, clock
        self._proxies = parse_proxies(settings.proxies, "push.proxies")
        self._tokens = TokenGuard(settings.token, "push.token", clock)
        self._subscriber, self._deliver = subscriber, deliver
        self._bodies = Bodies(max(MAX_BODIES_BYTES, limit))
        self._deliveries: Counter[str] = Counter()  # in hand, by feed

    def app(self) -> web.Application:
        """The application to serve."""
        app = web.Application(middlewares=[check_characters])
        app.router.add_post("/push", self._receive_push)
        if self._subscriber and self._deliver:
            app.router.add_get("/websub/{feed}/{key}", self._verify)
            app.router.add_post("/websub/{feed}/{key}", self._receive_delivery)
        return app

    async def _receive_push(self, request: web.Request) -> web.Response:
        try:
            is_authorized = self._tokens.has_bearer(request, client_address(request, self._proxies))
        except web.HTTPTooManyRequests as refusal:
            wait = {"Retry-After": refusal.headers["Retry-After"]}
            return web.json_response({"error": refusal.text}, status=429, headers=wait)
        if not is_authorized:
            return web.json_response({"error": "a bearer token is needed"}, status=401,
                                     headers={"WWW-Authenticate": "Bearer"})  # fmt: skip
        admit_caller(request)
        feed = request.query.get("feed", PUSH_FEED)
        if not FEED_NAME.fullmatch(feed):
            return _bad_request("feed must be up to 64 of a-z, 0-9, '.', '_' and '-'")
        async with self._bodies.read_body(request, self._limit) as body:
            return await self._publish(request, feed, body)

    async def _publish(self, request: web.Request, feed: str, body: bytes) -> web.Response:
        if not body.strip():
            return _bad_request("an empty document")
        item = RawItem(
            body, to_timestamp(int(self._clock() * 1000)), feed=feed,
            media_type=request.content_type if "Content-Type" in request.headers else None,
            charset=request.charset, language=request.query.get("language"), source=request.query.get("source"),
            outcome="new", origin=_origin_of(request),
        )  # fmt: skip
        try:
            await self._outlet.publish([item])
        except Transient as error:
            log.warning("the log does not take a pushed item", feed=feed, error=str(error))
            return web.json_response({"error": "try again later"}, status=503, headers=RETRY_HEADERS)
        log.debug("pushed", feed=feed, bytes=len(body))
        return web.json_response({"accepted": len(body)}, status=202)

    async def _verify(self, request: web.Request) -> web.Response:
        assert self._subscriber
        reply = self._subscriber.verify(request.match_info["feed"], request.match_info["key"], request.query)
        return web.Response(status=404) if reply is None else web.Response(text=reply)

    async def _receive_delivery(self, request: web.Request) -> web.Response:
        """A delivery; one that is not signed as agreed is acknowledged and dropped (WebSub, 7.1)."""
        assert self._subscriber
        feed, key = request.match_info["feed"], request.match_info["key"]
        if not self._subscriber.expects(feed, key):
            return web.Response(status=410)  # ends the subscription (WebSub, 7)
        admit_caller(request)
        if self._deliveries[feed] >= MAX_DELIVERIES:
            return web.Response(status=503, headers=RETRY_HEADERS)
        self._deliveries[feed] += 1
        try:
            async with self._bodies.read_body(request, self._limit) as body:
                return await self._accept_delivery(request, feed, key, body)
        finally:
            self._deliveries[feed] -= 1

    async def _accept_delivery(self, request: web.Request, feed: str, key: str, body: bytes) -> web.Response:
        assert self._subscriber
        assert self._deliver
        answer = Answer(
            f"websub:{feed}", 200, body=body, media_type=request.content_type, charset=request.charset
        )
        is_trusted = self._subscriber.delivery(feed, key, request.headers.get("X-Hub-Signature", ""), answer)
        if is_trusted is None:
            return web.Response(status=410)
        if not is_trusted:
            log.warning("a delivery without a valid signature was dropped", feed=feed)
            return web.Response(status=202)
        try:
            accepted = await self._deliver(feed, answer)
        except Transient as error:
            log.warning("the log does not take a delivery", feed=feed, error=str(error))
            accepted = False
        return web.Response(status=202) if accepted else web.Response(status=503, headers=RETRY_HEADERS)


@asynccontextmanager
async def listen_for_items(
    settings: Push,
    poll: Poll,
    outlet: RawItemOutlet,
    post: PostForm,
    deliver: DeliverDocument,
    stop: asyncio.Event,
    *,
    clock: Callable[[], float],
    random: Callable[[], float],
) -> AsyncIterator[Hubs]:
    """Listen, and keep subscriptions, while the context is open; nothing of it where the port is closed.

    Raises:
        Misconfigured: no token, or the port is taken.
    """
    if not settings.port:
        yield NoHubs()
        return
    subscriber = Subscriber(settings, post, clock=clock, random=random) if settings.public_url else None
    inbound = PushListener(settings, poll.max_body_bytes, outlet, clock, subscriber, deliver)
    try:
        listener, port = await serve(inbound.app(), settings.host, settings.port)
    except OSError as error:
        message = f"[push] can't listen on {settings.host}:{settings.port}: {error.strerror}"
        raise Misconfigured(f"{message}; choose another port") from error
    log.info("taking in pushed items", url=f"http://{settings.host}:{port}/push", websub=bool(subscriber))
    running = asyncio.create_task(subscriber.run(stop)) if subscriber else None
    try:
        yield subscriber or NoHubs()
    finally:
        if running:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await listener.cleanup()


def _origin_of(request: web.Request) -> str:
    """The source of a pushed item: who has the token speaks for no feed that is polled."""
    name = (request.query.get("source") or request.query.get("feed") or "").replace("/", " ").strip()
    return f"push/{name}" if name else "push"


def _bad_request(message: str) -> web.Response:
    return web.json_response({"error": message}, status=400)
