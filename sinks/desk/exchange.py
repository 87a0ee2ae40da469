"""How the API's answers travel: to pages of other origins (CORS), unchanged ones not again (ETag), long ones as gzip."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from typing import Final

from aiohttp import ETag, hdrs, web
from aiohttp.typedefs import Handler

from config import Misconfigured
from config.settings import Desk

API_PREFIX: Final = "/api/"
# Shorter answers fit into a packet or two as they are; gzip would only cost time.
MIN_PACKED_BYTES: Final = 1024
# Of nine: the fifth leaves a tenth more than the last and takes a third of its time.
PACKING_LEVEL: Final = 5
PREFLIGHT_S: Final = (
    3600  # that a browser remembers the answer: longer keeps what the operator has closed open there
)
READABLE_HEADERS: Final = "ETag, Retry-After, X-Wiredesk-Hidden"
_ORIGIN: Final = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")
_NO_GZIP: Final = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")


class OtherOrigins:
    """The origins of ``desk.allowed_origins``: their pages may read ``/api`` from a browser."""

    def __init__(self, settings: Desk) -> None:
        """Check the setting.

        Raises:
            Misconfigured: an origin is none.
        """
        for origin in settings.allowed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise Misconfigured(
                    f"desk.allowed_origins: {origin!r} is no origin: write scheme, host and port as https://board.example"
                )
        self._origins = frozenset(origin.lower() for origin in settings.allowed_origins)

    def is_allowed(self, request: web.Request) -> bool:
        """Whether a browser asks for the API on behalf of a page of an allowed origin."""
        origin = request.headers.get(hdrs.ORIGIN, "").lower()
        return origin in self._origins and request.path.startswith(API_PREFIX)

    @web.middleware
    async def answer_preflight(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Tell a browser what a page may ask, before the reader shows who he is: a browser shows no token here."""
        asks = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if request.method != hdrs.METH_OPTIONS or not asks or not self.is_allowed(request):
            return await handler(request)
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": "GET, HEAD",
                "Access-Control-Allow-Headers": "Authorization, If-None-Match, Last-Event-ID",
                "Access-Control-Max-Age": str(PREFLIGHT_S),
            },
        )

    def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let an allowed page read the answer, a stream or an error included."""
        if not request.path.startswith(API_PREFIX) or not self._origins:
            return
        add_vary(response, hdrs.ORIGIN)
        if self.is_allowed(request):
            response.headers["Access-Control-Allow-Origin"] = request.headers[hdrs.ORIGIN]
            response.headers["Access-Control-Expose-Headers"] = READABLE_HEADERS
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


@web.middleware
async def shorten_answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 304 where the reader has this very answer, and pack a long one where he takes gzip."""
    response = await handler(request)
    if not request.path.startswith(API_PREFIX) or not isinstance(response, web.Response):
        return response
    body = response.body
    if response.status != 200 or not isinstance(body, bytes):
        return response
    hidden = response.headers.get("X-Wiredesk-Hidden", "")
    tag = ETag(hashlib.sha256(body + hidden.encode()).hexdigest()[:32], is_weak=True)
    response.etag = tag
    response.headers["Cache-Control"] = "private, no-cache"
    add_vary(response, hdrs.ACCEPT_ENCODING)
    known = request.if_none_match or ()
    if any(one.value in {tag.value, "*"} for one in known):
        kept = {name: response.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
        return web.Response(status=304, headers=kept | ({"X-Wiredesk-Hidden": hidden} if hidden else {}))
    if len(body) >= MIN_PACKED_BYTES and _takes_gzip(request):
        response.body = await asyncio.to_thread(gzip.compress, body, PACKING_LEVEL, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    return response


def add_vary(response: web.StreamResponse, name: str) -> None:
    """Say that the answer depends on a header of the request."""
    present = response.headers.get(hdrs.VARY)
    response.headers[hdrs.VARY] = f"{present}, {name}" if present else name


def _takes_gzip(request: web.Request) -> bool:
    accepted = request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()
    return "gzip" in accepted and not _NO_GZIP.search(accepted)
