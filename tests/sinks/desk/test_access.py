"""Who may read the desk."""

from __future__ import annotations

import pytest

from config import Misconfigured
from config.settings import Desk
from sinks.desk.access import local_path
from sinks.desk.app import make_app
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds, Open

TOKEN = "a token of the tests"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "desk.example"])
async def test_a_network_without_a_token_is_refused(shelf: Shelf, host: str) -> None:
    with pytest.raises(Misconfigured, match="WIREDESK_DESK_TOKEN"):
        make_app(shelf.search, Feeds(), Desk(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_this_machine_needs_no_token(shelf: Shelf, host: str) -> None:
    assert make_app(shelf.search, Feeds(), Desk(host=host)) is not None


async def test_another_name_for_this_machine_is_refused(desk: Client) -> None:
    assert (await desk.get("/", headers={"Host": "evil.example"})).status == 421
    assert (await desk.get("/", headers={"Host": "localhost:8080"})).status == 200


@pytest.mark.parametrize("path", ["/api/stories", "/api/stream", "/metrics", "/api/feeds"])
async def test_programs_without_the_token_are_refused(open_desk: Open, path: str) -> None:
    desk = await open_desk(Desk(token=TOKEN))
    assert (await desk.get(path)).status == 401
    assert (await desk.get(path, headers={"Authorization": "Bearer wrong"})).status == 401


async def test_programs_show_the_token(open_desk: Open) -> None:
    desk = await open_desk(Desk(host="0.0.0.0", token=TOKEN))
    answer = await desk.get(
        "/api/stories", headers={"Authorization": f"Bearer {TOKEN}", "Host": "desk.example"}
    )
    assert answer.status == 200


async def test_people_type_the_token_once(open_desk: Open) -> None:
    desk = await open_desk(Desk(host="0.0.0.0", token=TOKEN))
    asked = await desk.get("/?q=harbour", allow_redirects=False)
    assert asked.headers["Location"] == "/login?next=/?q%3Dharbour"
    wrong = await desk.post("/login", data={"token": "wrong", "next": "/"}, allow_redirects=False)
    assert wrong.status == 403
    assert "Set-Cookie" not in wrong.headers
    right = await desk.post("/login", data={"token": TOKEN, "next": "/?q=harbour"}, allow_redirects=False)
    assert (right.status, right.headers["Location"]) == (303, "/?q=harbour")
    assert "HttpOnly" in right.headers["Set-Cookie"]
    assert "SameSite=Strict" in right.headers["Set-Cookie"]
    assert TOKEN not in right.headers["Set-Cookie"]
    assert (await desk.get("/?q=harbour", allow_redirects=False)).status == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/login", "/static/desk.css"])
async def test_probes_and_the_login_need_no_token(open_desk: Open, path: str) -> None:
    desk = await open_desk(Desk(token=TOKEN))
    assert (await desk.get(path)).status == 200


@pytest.mark.parametrize("told", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil", ""])
def test_the_login_never_leads_elsewhere(told: str) -> None:
    assert local_path(told) == "/"


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/stories", "/static/desk.js", "/api/stories?limit=0"])
async def test_every_answer_carries_the_headers_that_protect_it(desk: Client, path: str) -> None:
    answer = await desk.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
