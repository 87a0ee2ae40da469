"""No byte of any header, path or query makes the desk, or the health pages of other processes, answer 500."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from config.settings import Desk
from sinks.desk.app import make_app
from sinks.desk.health import health_app
from sinks.listener import serve
from tests.servers.odd_requests import odd_requests, server_errors
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Feeds, Pipeline
from tests.sinks.events import event

TOKEN = "a token of the tests"
BEARER = b"Authorization: Bearer a token of the tests\r\n"
# Of each list of requests one in so many, another one for each list, so that all kinds come in some seconds.
STRIDE = 97


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[int]:
    listener, port = await serve(app, "127.0.0.1", 0)
    try:
        yield port
    finally:
        await listener.cleanup()


def some(requests: Sequence[bytes], first: int) -> list[bytes]:
    return list(islice(requests, first % STRIDE, None, STRIDE))


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    shelf.put(event("urn:nda:1"))
    return shelf


DESK_PATHS = (
    b"/", b"/stories/urn:nda:1", b"/feeds", b"/login", b"/livez", b"/readyz", b"/metrics", b"/static/desk.css", b"/static/",
    b"/api/stories", b"/api/stories/urn:nda:1", b"/api/chains/urn:nda:1", b"/api/feeds", b"/api/pipeline", b"/favicon.ico",
    b"/nothing", b"/pipeline", b"/changes", b"/api", b"/api/openapi.json", b"/api/me", b"/api/changes", b"/logout",
)  # fmt: skip


@pytest.mark.parametrize("token", ["", TOKEN], ids=["open", "token"])
async def test_no_byte_makes_the_desk_answer_500(filled: Shelf, token: str) -> None:
    requests = [
        request
        for number, path in enumerate(DESK_PATHS)
        for fixed in ((b"", BEARER) if token else (b"",))
        for request in some(list(odd_requests(b"GET", path, fixed=fixed)), number)
    ]
    form = b"token=\xff&next=%2F%ff&\x00=\xed\xa0\x80"
    requests += some(list(odd_requests(b"POST", b"/login", body=form)), 3)
    requests += [
        b"%b %b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" % (method, path)
        for method in (b"HEAD", b"PUT", b"OPTIONS", b"TRACE", b"CONNECT", b"PROPFIND", b"\xff", b"get")
        for path in (
            b"/",
            b"*",
            b"/static/desk.css",
            b"http://evil.example/",
            b"//evil.example",
            b"",
            b"/" + b"a" * 300,
        )
    ]
    app = make_app(filled.search, Feeds(), Desk(token=token), Pipeline())
    with capture_logs() as logs:
        async with serving(app) as port:
            assert await server_errors(port, requests) == []
    assert [line for line in logs if line["log_level"] in {"error", "critical"}] == []


async def test_no_byte_makes_the_health_pages_answer_500() -> None:
    requests = [
        request
        for number, path in enumerate((b"/livez", b"/readyz", b"/metrics"))
        for request in some(list(odd_requests(b"GET", path)), number)
    ]
    with capture_logs() as logs:
        async with serving(health_app({})) as port:
            assert await server_errors(port, requests) == []
    assert [line for line in logs if line["log_level"] != "debug"] == []
