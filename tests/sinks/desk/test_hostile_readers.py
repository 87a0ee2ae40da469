"""Readers who guess, who come by way of a page elsewhere, and who ask for more than their share."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config import Misconfigured
from config.settings import Desk
from sinks.callers import FORGET_S, MAX_ADDRESSES, MAX_WRONG_TOKENS, TokenThrottle
from sinks.desk.access import SESSION_S, is_session, local_path, start_session
from sinks.desk.app import make_app
from sinks.desk.queries import MAX_SEARCHES, MAX_WAITING, SearchTurns
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds, Open

TOKEN = "a token of the tests"
FOREIGN = {"Sec-Fetch-Site": "cross-site"}


async def guess(desk: Client, token: str, **headers: str) -> int:
    answer = await desk.post("/login", data={"token": token}, headers=headers, allow_redirects=False)
    return answer.status


async def test_who_guesses_has_to_wait_and_the_right_token_does_not_help(open_desk: Open) -> None:
    desk = await open_desk(Desk(token=TOKEN))
    assert [await guess(desk, "wrong") for _ in range(MAX_WRONG_TOKENS)] == [403] * MAX_WRONG_TOKENS
    assert await guess(desk, TOKEN) == 429
    bearer = await desk.get("/api/stories", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (bearer.status, int(bearer.headers["Retry-After"]) <= FORGET_S + 1) == (429, True)


async def test_a_wrong_bearer_counts_too_and_who_is_logged_in_reads_on(open_desk: Open) -> None:
    desk = await open_desk(Desk(token=TOKEN))
    login = await desk.post("/login", data={"token": TOKEN}, allow_redirects=False)
    cookie = login.cookies["wiredesk"].value
    desk.session.cookie_jar.clear()
    for _ in range(MAX_WRONG_TOKENS):
        answer = await desk.get("/api/stories", headers={"Authorization": "Bearer wrong"})
        assert answer.status == 401
    assert await guess(desk, TOKEN) == 429
    assert (await desk.get("/api/stories", headers={"Cookie": f"wiredesk={cookie}"})).status == 200


def test_wrong_tokens_are_forgotten_and_addresses_do_not_pile_up() -> None:
    now = [1000.0]
    throttle = TokenThrottle(lambda: now[0])
    for _ in range(MAX_WRONG_TOKENS):
        assert throttle.wait_s("a") == 0
        throttle.record_failure("a")
    assert 0 < throttle.wait_s("a") <= FORGET_S
    assert throttle.wait_s("b") == 0
    now[0] += FORGET_S
    assert throttle.wait_s("a") == 0
    for number in range(MAX_ADDRESSES + 10):
        throttle.record_failure(str(number))
    assert len(throttle._failures) == MAX_ADDRESSES


async def test_named_proxies_tell_who_asks_and_whether_by_tls(open_desk: Open) -> None:
    behind = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    desk = await open_desk(Desk(token=TOKEN, proxies=("127.0.0.1",)))
    for _ in range(MAX_WRONG_TOKENS):
        await guess(desk, "wrong", **behind)
    assert await guess(desk, TOKEN, **behind) == 429
    other = behind | {"X-Forwarded-For": "198.51.100.7, 198.51.100.8"}
    answer = await desk.post("/login", data={"token": TOKEN}, headers=other, allow_redirects=False)
    assert (answer.status, "Secure" in answer.headers["Set-Cookie"]) == (303, True)


async def test_others_are_not_believed(open_desk: Open) -> None:
    desk = await open_desk(Desk(token=TOKEN, proxies=("10.0.0.0/8",)))
    for number in range(MAX_WRONG_TOKENS):
        await guess(desk, "wrong", **{"X-Forwarded-For": f"198.51.100.{number}"})
    assert await guess(desk, TOKEN, **{"X-Forwarded-For": "198.51.100.99"}) == 429
    desk = await open_desk(Desk(token=TOKEN))
    answer = await desk.post(
        "/login", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"}, allow_redirects=False
    )
    assert "Secure" not in answer.headers["Set-Cookie"]


async def test_a_proxy_that_is_no_network_is_named(shelf: Shelf) -> None:
    with pytest.raises(Misconfigured, match=r"desk\.proxies"):
        make_app(shelf.search, Feeds(), Desk(proxies=("the proxy",)))


def test_a_session_ends_and_no_other_value_is_one() -> None:
    cookie = start_session(TOKEN, 1000.0)
    assert cookie != start_session(TOKEN, 1000.0), "each login has its own"
    assert is_session(cookie, TOKEN, 1000.0 + SESSION_S - 1)
    assert not is_session(cookie, TOKEN, 1000.0 + SESSION_S)
    assert not is_session(cookie, "another token", 1000.0)
    end, number, proof = cookie.split(".")
    for wrong in (
        "",
        ".",
        "..",
        proof,
        f"{int(end) + 9}.{number}.{proof}",
        f"{end}.{number}.{proof}0",
        "\udcff.a.b",
        cookie.upper(),
    ):
        assert not is_session(wrong, TOKEN, 1000.0)


@pytest.mark.parametrize("path", ["/", "/stories/urn:a", "/api/stories", "/livez", "/readyz", "/metrics"])
async def test_a_page_elsewhere_gets_nothing_of_a_desk_without_token(desk: Client, path: str) -> None:
    assert (await desk.get(path, headers=FOREIGN)).status == 403
    for site in ("same-origin", "same-site", "none"):
        assert (await desk.get(path, headers={"Sec-Fetch-Site": site})).status != 403


async def test_a_page_elsewhere_logs_nobody_in(open_desk: Open) -> None:
    desk = await open_desk(Desk(token=TOKEN))
    assert await guess(desk, TOKEN, **FOREIGN) == 403
    assert (await desk.get("/login", headers=FOREIGN)).status == 200, "a link to the desk leads to its login"


async def test_probes_under_a_foreign_name_are_refused_without_token(desk: Client) -> None:
    for path in ("/livez", "/readyz", "/static/desk.css"):
        assert (await desk.get(path, headers={"Host": "evil.example"})).status == 421


async def test_who_shows_no_token_learns_only_that_a_check_fails(shelf: Shelf) -> None:
    async def check() -> str | None:
        return "/var/lib/wiredesk/wiredesk.sqlite is away"

    app = make_app(shelf.search, Feeds(), Desk(token=TOKEN), checks={"database": check})
    async with TestClient(TestServer(app)) as desk:
        hidden = await (await desk.get("/readyz")).json()
        shown = await (await desk.get("/readyz", headers={"Authorization": f"Bearer {TOKEN}"})).json()
    assert hidden["checks"] == {"stories": "ok", "database": "failing"}
    assert shown["checks"]["database"] == "/var/lib/wiredesk/wiredesk.sqlite is away"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded; charset=undefined", b"token=a"),
        ("application/x-www-form-urlencoded; charset=zlib", b"token=a"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
        ("", b"\xff" * 100),
        ("text/plain", b"token=%ff%ff&next=%00"),
    ],
)
async def test_a_login_of_any_bytes_is_a_wrong_one(open_desk: Open, content_type: str, body: bytes) -> None:
    desk = await open_desk(Desk(token=TOKEN))
    answer = await desk.post("/login", data=body, headers={"Content-Type": content_type})
    assert answer.status == 403


async def test_a_form_with_too_many_fields_is_refused(open_desk: Open) -> None:
    desk = await open_desk(Desk(token=TOKEN))
    assert (await desk.post("/login", data=b"a=1&" * 1000)).status == 400
    assert (await desk.post("/login", data=b"a" * 70_000)).status == 413


@pytest.mark.parametrize("url", ["//[evil", "/a\nb", "/a\udcff", "http://[::1"])
def test_the_login_leads_nowhere_odd(url: str) -> None:
    assert local_path(url) == "/"


async def test_a_reader_waits_for_its_own_searches_and_nobody_for_anothers() -> None:
    turns, order = SearchTurns(), []
    release = asyncio.Event()

    async def search(reader: str, *, waits: bool) -> None:
        async with turns.take_turn(reader):
            order.append(reader)
            if waits:
                await release.wait()

    greedy = [asyncio.create_task(search("greedy", waits=True)) for _ in range(MAX_SEARCHES + MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(web.HTTPServiceUnavailable):
        await search("greedy", waits=False)
    await search("other", waits=False)
    assert order == ["greedy"] * MAX_SEARCHES + ["other"]
    release.set()
    await asyncio.gather(*greedy)
    assert turns._lines == {}
