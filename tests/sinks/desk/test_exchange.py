"""How answers of the API travel: to pages of allowed origins, once while they are the same, packed."""

from __future__ import annotations

import gzip
import json

import pytest

from config import Misconfigured
from config.settings import Desk
from sinks.desk.exchange import MIN_PACKED_BYTES, OtherOrigins
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Open
from tests.sinks.events import event

BOARD = "https://board.example"
AS_BROWSER = {"Origin": BOARD, "Sec-Fetch-Site": "cross-site"}
TOKEN = {"Authorization": "Bearer a-word-of-its-own"}


async def test_a_page_of_an_allowed_origin_reads_the_api_and_no_other_page_does(
    open_desk: Open, shelf: Shelf
) -> None:
    shelf.put(event("urn:a"))
    desk = await open_desk(Desk(allowed_origins=(BOARD,)))
    for path, status in (("/api/stories", 200), ("/api/stories/urn%3Anone", 404), ("/api/stories?x=1", 400)):
        answer = await desk.get(path, headers=AS_BROWSER)
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == BOARD
        assert "Origin" in answer.headers["Vary"]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    async with desk.get("/api/stream", headers=AS_BROWSER) as stream:
        assert stream.headers["Access-Control-Allow-Origin"] == BOARD
    for origin in ("https://other.example", "http://board.example", "https://board.example:444", "null"):
        answer = await desk.get("/api/stories", headers=AS_BROWSER | {"Origin": origin})
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert (await desk.get("/", headers=AS_BROWSER)).status == 403, "the API, not the pages"


async def test_a_browser_asks_first_without_the_token_and_then_shows_it(open_desk: Open) -> None:
    desk = await open_desk(Desk(allowed_origins=(BOARD,), token="a-word-of-its-own"))
    asks = AS_BROWSER | {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = await desk.options("/api/stories", headers=asks)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == BOARD
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert (await desk.get("/api/stories", headers=AS_BROWSER)).status == 401
    assert (await desk.get("/api/stories", headers=AS_BROWSER | TOKEN)).status == 200
    refused = await desk.options("/api/stories", headers=asks | {"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.parametrize(
    "origin", ["*", "null", "board.example", "https://board.example/", "https://a b", ""]
)
def test_what_is_no_origin_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(Misconfigured, match="allowed_origins"):
        OtherOrigins(Desk(allowed_origins=(origin,)))


async def test_an_answer_that_the_reader_has_is_not_sent_again_until_it_changes(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(event("urn:a"))
    for path in ("/api/stories/urn%3Aa", "/api/stories", "/api/chains/urn%3Aa"):
        tag = (await desk.get(path)).headers["ETag"]
        again = await desk.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == tag
        assert (await desk.get(path, headers={"If-None-Match": '"other"'})).status == 200
    tag = (await desk.get("/api/stories/urn%3Aa")).headers["ETag"]
    shelf.put(event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2, minute=1))
    killed = await desk.get("/api/stories/urn%3Aa", headers={"If-None-Match": tag})
    assert (killed.status, killed.headers["X-Wiredesk-Hidden"]) == (200, "killed")


async def test_a_long_answer_is_packed_for_who_takes_gzip(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:a", text="The ferry. " * 400), event("urn:short"))

    async def ask(accepted: str) -> tuple[str | None, bytes]:
        answer = await desk.get("/api/stories/urn%3Aa", headers={"Accept-Encoding": accepted})
        return answer.headers.get("Content-Encoding"), await answer.read()

    packed_as, packed = await ask("gzip, deflate, br")
    plain_as, plain = await ask("identity")
    assert (packed_as, plain_as) == ("gzip", None)
    whole = gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed
    assert json.loads(whole) == json.loads(plain)
    assert len(plain) > MIN_PACKED_BYTES
    assert (await ask("gzip;q=0"))[0] is None
    short = await desk.get("/api/feeds", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers or len(await short.read()) >= MIN_PACKED_BYTES
