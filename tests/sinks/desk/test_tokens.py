"""Tokens with scopes: made, shown, expired, revoked; and who a proxy has signed in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from config import Misconfigured
from config.settings import Desk
from sinks.callers import MAX_WRONG_TOKENS
from sinks.desk.app import make_app
from sinks.desk.rates import BURST_S, MAX_CALLERS, CallerRate
from sinks.desk.tokens import DAY_MS, TokenFile, parse_expiry_days
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds

NOW = 1_800_000_000.0
TOKEN = "a token of the tests"


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


def desk_of(shelf: Shelf, tokens: TokenFile | None, settings: Desk | None = None) -> Client:
    return TestClient(TestServer(make_app(shelf.search, Feeds(), settings or Desk(), tokens=tokens)))


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_what_is_kept_is_a_hash_that_its_owner_alone_can_read(tokens: TokenFile) -> None:
    token, secret = tokens.create("newsroom", ("read",), 30)
    text = tokens.path.read_text("utf-8")
    assert secret not in text
    assert secret.removeprefix("wdt_") not in text
    assert token.sha256 in text
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert len({tokens.create(f"other {number}", ("read",), None)[1] for number in range(5)}) == 5
    assert len(secret) >= 4 + 43, "256 bits in base64"


def test_a_token_expires_and_a_clock_that_was_ahead_does_it_no_harm(tmp_path: Path) -> None:
    now = [NOW]
    tokens = TokenFile(tmp_path / "tokens.json", lambda: now[0])
    token, secret = tokens.create("newsroom", ("read",), 30)
    now[0] = NOW + 30 * DAY_MS / 1000 - 1
    assert tokens.find(secret) == token
    now[0] += 1
    assert tokens.find(secret) is None
    assert tokens.get(token.id) is None
    now[0] = NOW - 400 * DAY_MS / 1000
    assert tokens.find(secret) == token


def test_what_another_process_makes_and_revokes_counts_at_once(tokens: TokenFile) -> None:
    running = TokenFile(tokens.path)
    assert [running.is_in_use] == [False]
    _, secret = tokens.create("newsroom", ("read",), None)
    assert [running.is_in_use] == [True]
    assert running.find(secret) is not None
    tokens.revoke("newsroom")
    assert running.find(secret) is None
    tokens.path.unlink()
    assert running.is_in_use, "a file that vanishes opens no door"


def test_a_file_that_is_damaged_lets_nobody_in_and_is_no_start(tokens: TokenFile) -> None:
    _, secret = tokens.create("newsroom", ("read",), None)
    running = TokenFile(tokens.path)
    tokens.path.write_text('{"tokens": [{"id": 7}]}', "utf-8")
    assert running.find(secret) is None
    assert running.is_in_use
    with pytest.raises(Misconfigured, match="no file of tokens"):
        TokenFile(tokens.path)


def test_names_are_told_apart_and_unknown_ones_named(tokens: TokenFile) -> None:
    tokens.create("newsroom", ("read",), None)
    with pytest.raises(Misconfigured, match="is called 'newsroom' already"):
        tokens.create("newsroom", ("read",), None)
    with pytest.raises(Misconfigured, match="no token is called 'x'; tokens: newsroom"):
        tokens.revoke("x")


@pytest.mark.parametrize(
    ("text", "days"), [("90d", 90), ("12w", 84), ("1y", 365), ("100y", 36_500), ("never", None)]
)
def test_an_expiry_is_read(text: str, days: int | None) -> None:
    assert parse_expiry_days(text) == days


@pytest.mark.parametrize("text", ["", "0d", "-1d", "101y", "9" * 500 + "d", "²d", "90", "1h", "d"])
def test_an_expiry_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 90d"):
        parse_expiry_days(text)


async def test_a_token_is_needed_once_there_is_one(shelf: Shelf, tokens: TokenFile) -> None:
    async with desk_of(shelf, tokens) as desk:
        assert (await desk.get("/api/stories")).status == 200
        _, secret = tokens.create("newsroom", ("read",), None)
        refused = await desk.get("/api/stories")
        assert (refused.status, (await refused.json())["error"]["type"]) == (401, "Unauthorized")
        assert (await desk.get("/api/stories", headers=bearer(secret))).status == 200
        assert (await desk.get("/api/stories", headers=bearer(secret + "x"))).status == 401


async def test_who_signs_in_with_a_token_is_out_when_it_is_revoked(shelf: Shelf, tokens: TokenFile) -> None:
    _, secret = tokens.create("newsroom", ("read",), None)
    async with desk_of(shelf, tokens) as desk:
        signed_in = await desk.post("/login", data={"token": f" {secret}\n"}, allow_redirects=False)
        assert signed_in.status == 303
        assert secret not in signed_in.headers["Set-Cookie"]
        assert (await desk.get("/", allow_redirects=False)).status == 200
        tokens.revoke("newsroom")
        assert (await desk.get("/", allow_redirects=False)).status == 303


async def test_the_single_token_of_the_settings_still_does_everything(
    shelf: Shelf, tokens: TokenFile
) -> None:
    tokens.create("newsroom", ("read",), None)
    async with desk_of(shelf, tokens, Desk(token=TOKEN)) as desk:
        who = await (await desk.get("/api/me", headers=bearer(TOKEN))).json()
        assert who == {"name": "desk.token", "scopes": ["operate", "read"]}


async def test_wrong_tokens_of_either_kind_count_against_an_address(shelf: Shelf, tokens: TokenFile) -> None:
    _, secret = tokens.create("newsroom", ("read",), None)
    async with desk_of(shelf, tokens) as desk:
        for number in range(MAX_WRONG_TOKENS):
            assert (await desk.get("/api/stories", headers=bearer(f"wdt_{number}"))).status == 401
        assert (await desk.get("/api/stories", headers=bearer(secret))).status == 429


PROXIED = Desk(user_header="X-Forwarded-User", proxies=("127.0.0.1",), operators=("ada@desk.example",))


async def test_a_named_proxy_says_who_signed_in(shelf: Shelf) -> None:
    async with desk_of(shelf, None, PROXIED) as desk:
        for name, scopes in (("ada@desk.example", ["operate", "read"]), ("ben@desk.example", ["read"])):
            who = await (await desk.get("/api/me", headers={"X-Forwarded-User": name})).json()
            assert who == {"name": name, "scopes": scopes}
        assert (await desk.get("/api/me")).status == 401
        twice = [("X-Forwarded-User", "ben@desk.example"), ("X-Forwarded-User", "ada@desk.example")]
        assert (await desk.get("/api/me", headers=twice)).status == 401
        assert (await desk.get("/api/me", headers={"X-Forwarded-User": "a" * 300})).status == 401


async def test_the_header_of_anybody_else_says_nothing(shelf: Shelf) -> None:
    elsewhere = Desk(user_header="X-Forwarded-User", proxies=("192.0.2.7",))
    async with desk_of(shelf, None, elsewhere) as desk:
        assert (await desk.get("/api/me", headers={"X-Forwarded-User": "ada"})).status == 401
    with pytest.raises(Misconfigured, match=r"desk\.proxies"):
        make_app(shelf.search, Feeds(), Desk(user_header="X-Forwarded-User"))


async def test_too_many_requests_of_one_caller_are_refused_and_no_others(
    shelf: Shelf, tokens: TokenFile
) -> None:
    _, first = tokens.create("first", ("read",), None)
    _, second = tokens.create("second", ("read",), None)
    async with desk_of(shelf, tokens, Desk(requests_per_minute=30)) as desk:
        answers = [(await desk.get("/api/me", headers=bearer(first))) for _ in range(7)]
        assert [one.status for one in answers[:5]] == [200] * 5
        assert answers[-1].status == 429
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3
        assert (await answers[-1].json())["error"]["type"] == "TooManyRequests"
        assert (await desk.get("/api/me", headers=bearer(second))).status == 200


def test_a_rate_fills_again_and_forgets_the_oldest_callers() -> None:
    now = [50.0]
    rate = CallerRate(60, lambda: now[0])
    assert [rate.take_one("a") for _ in range(int(BURST_S))] == [0.0] * int(BURST_S)
    assert 0 < rate.take_one("a") <= 1
    assert rate.take_one("b") == 0
    now[0] += 1
    assert rate.take_one("a") == 0
    assert rate.take_one("a") > 0
    for number in range(MAX_CALLERS + 5):
        rate.take_one(str(number))
    assert len(rate._used) == MAX_CALLERS


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://127.0.0.1:9"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_change_with_a_cookie_comes_from_the_desks_own_pages(
    shelf: Shelf, tokens: TokenFile, headers: dict[str, str], status: int
) -> None:
    _, secret = tokens.create("newsroom", ("read",), None)
    async with desk_of(shelf, tokens) as desk:
        await desk.post("/login", data={"token": secret}, allow_redirects=False)
        answer = await desk.post("/logout", headers=headers, allow_redirects=False)
        assert answer.status == status


async def test_the_desks_own_origin_is_enough_where_a_browser_says_nothing_else(
    shelf: Shelf, tokens: TokenFile
) -> None:
    _, secret = tokens.create("newsroom", ("read",), None)
    async with desk_of(shelf, tokens) as desk:
        await desk.post("/login", data={"token": secret}, allow_redirects=False)
        origin = str(desk.make_url("/")).rstrip("/")
        answer = await desk.post("/logout", headers={"Origin": origin}, allow_redirects=False)
        assert answer.status == 303
        assert (await desk.get("/", allow_redirects=False)).headers["Location"].startswith("/login")
