"""Saved searches over the API: saved, changed, read as feeds, explained, and followed by open pages."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import feedparser
import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from config.settings import Alerts, Desk
from processors.errors import Transient
from sinks.alerts.decisions import AlertLimits
from sinks.alerts.matching import SearchMatcher
from sinks.alerts.messages import plan_messages
from sinks.alerts.saved import TargetLimits
from sinks.desk.app import make_app
from sinks.desk.ports import AlertDesk, DeskExtras
from sinks.sqlite.alerts import ALERT_TABLES, AlertTables, SqliteAlerts
from sinks.stories import now_ms
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds
from tests.sinks.events import backfilled, event

T = TypeVar("T")
TOKEN = "a token of the tests"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
LIMITS = TargetLimits(mail_domains=frozenset({"desk.example"}), has_mail=True)


@dataclass
class Newsroom:
    """A desk with its store of alerts."""

    client: Client
    tables: AlertTables
    store: SqliteAlerts
    ids: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = await self.client.request(method, path, **more)
        text = await answer.text()
        assert answer.status == status, text
        return orjson.loads(text) if text and answer.content_type == "application/json" else text

    async def save(self, **members: Any) -> dict[str, Any]:
        sent = {"name": "Ferries", "query": "ferry", **members}
        saved = await self.ask("POST", "/api/searches", 201, json=sent)
        return dict(saved)

    def get(self, *events: Any) -> None:
        matcher = SearchMatcher(self.tables.searches())
        self.tables.apply([(one, matcher.match(one)) for one in events], AlertLimits(), now_ms())
        for due in self.tables.due_alerts(now_ms()):
            self.tables.write_messages(due, plan_messages(due.alerts, 0, now_ms()))


OpenRoom = Callable[..., Awaitable[Newsroom]]


@pytest.fixture
async def open_room(shelf: Shelf) -> AsyncIterator[OpenRoom]:
    opened: list[Client] = []

    async def start(settings: Desk | None = None, alerts: Alerts | None = None) -> Newsroom:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.executescript(ALERT_TABLES)
        tables = AlertTables(connection)

        async def run(call: Callable[[AlertTables], T], *, writes: bool = False) -> T:
            return call(tables)

        store = SqliteAlerts(run)
        desk = AlertDesk(store, alerts or Alerts(), LIMITS)
        client = TestClient(
            TestServer(make_app(shelf.search, Feeds(), settings or Desk(), extras=DeskExtras(alerts=desk)))
        )
        await client.start_server()
        opened.append(client)
        return Newsroom(client, tables, store)

    yield start
    for client in opened:
        await client.close()


@pytest.fixture
async def room(open_room: OpenRoom) -> Newsroom:
    return await open_room()


async def test_a_search_is_saved_changed_and_deleted(room: Newsroom) -> None:
    saved = (await room.save(folder="Sea"))["search"]
    assert (saved["name"], saved["query"], saved["folder"], saved["alert"]) == (
        "Ferries",
        "ferry",
        "Sea",
        None,
    )
    path = f"/api/searches/{saved['id']}"
    changed = await room.ask("PATCH", path, json={"name": "Boats", "query": "boat OR ferry"})
    assert (changed["search"]["name"], changed["search"]["folder"]) == ("Boats", "Sea")
    assert [one["name"] for one in (await room.ask("GET", "/api/searches"))["searches"]] == ["Boats"]
    assert await room.ask("DELETE", path, 204) == ""
    assert (await room.ask("GET", path, 404))["error"]["type"] == "Refused"
    await room.ask("DELETE", path, 404)


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"name": "x", "query": "ferry ( copper"}, {"where": "query", "start": 6, "length": 1}),
        ({"name": "x", "query": "headlin:ferry"}, {"where": "query", "start": 0}),
        ({"name": "", "query": "ferry"}, {"where": "name"}),
        (
            {
                "name": "x",
                "query": "ferry",
                "alert": {"targets": [{"kind": "page"}, {"kind": "mail", "address": "x"}]},
            },
            {"where": "alert.targets[1].address"},
        ),
    ],
)
async def test_what_is_wrong_is_told_with_its_place(room: Newsroom, sent: Any, place: dict[str, Any]) -> None:
    error = (await room.ask("POST", "/api/searches", 400, json=sent))["error"]
    assert error["type"] == "BadSearch"
    assert place.items() <= error.items()


@pytest.mark.parametrize(
    "sent",
    [b"", b"[]", b'{"nam": "x"}', b'{"name": 1}', b'{"alert": {"targets": [{"kind": "pigeon"}]}}', b"\xff"],
)
async def test_a_body_that_is_no_search_is_refused(room: Newsroom, sent: bytes) -> None:
    await room.ask("POST", "/api/searches", 400, data=sent, headers={"Content-Type": "application/json"})


async def test_so_many_searches_and_no_more(open_room: OpenRoom) -> None:
    room = await open_room(alerts=Alerts(max_searches=1))
    await room.save()
    sent = {"name": "x", "query": "y"}
    assert (
        "alerts.max_searches" in (await room.ask("POST", "/api/searches", 409, json=sent))["error"]["message"]
    )


async def test_the_key_that_signs_webhooks_is_shown_once(room: Newsroom) -> None:
    target = {"kind": "webhook", "address": "https://hooks.example/x?token=geheim"}
    saved = await room.save(alert={"targets": [target]})
    assert saved["signingKey"].startswith("whsec_")
    path = f"/api/searches/{saved['search']['id']}"
    shown = await room.ask("GET", path)
    assert saved["signingKey"] not in str(shown)
    assert shown["alert"]["targets"] == [{"kind": "webhook", "address": "https://hooks.example/x?…"}]
    again = await room.ask("PATCH", path, json={"name": "Boats", "alert": shown["alert"]})
    assert again.get("signingKey") is None
    [kept] = (await room.store.searches())[0].alert.targets  # type: ignore[union-attr]
    assert kept.address == target["address"], "what is sent back as it was shown stays"
    renewed = await room.ask("POST", f"{path}/signing-key")
    assert renewed["signingKey"] != saved["signingKey"]


async def test_a_search_is_read_as_a_feed_with_its_key_and_without_sign_in(
    open_room: OpenRoom, shelf: Shelf
) -> None:
    room = await open_room(Desk(token=TOKEN))
    saved = (
        await room.ask(
            "POST", "/api/searches", 201, json={"name": "Ferries & <co>", "query": "ferry"}, headers=AUTH
        )
    )["search"]
    shelf.put(
        event("urn:a", headline="Ferry stops"),
        event("urn:b", headline="Copper"),
        event("urn:c", headline="Ferry later", embargo="2999-01-01T00:00:00.000Z"),
        event("urn:d", headline="Ferry stops", relation="duplicate", chain="urn:a", of="urn:a"),
        event("urn:e", headline="Ferry burns", minute=2),
        event("urn:e-kill", headline="Kill", text="Kill.", relation="kill", chain="urn:e", of="urn:e", sequence=2, status="canceled", minute=3),
    )  # fmt: skip
    addresses = await room.ask("POST", f"/api/searches/{saved['id']}/key", headers=AUTH)
    assert TOKEN not in str(addresses)
    for form, address in addresses.items():
        path = address.partition("//")[2].partition("/")[2]
        answer = await room.client.get(f"/{path}")
        body = await answer.read()
        if form == "json":
            told = orjson.loads(body)
            assert (told["title"], [item["id"] for item in told["items"]]) == (
                "Ferries & <co>",
                ["urn:e-kill", "urn:a"],
            )
        else:
            feed = feedparser.parse(body)
            assert not feed.bozo
            assert (feed.feed.title, [entry.id for entry in feed.entries]) == (
                "Ferries & <co>",
                ["urn:e-kill", "urn:a"],
            )
        again = await room.client.get(f"/{path}", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status, await again.read()) == (304, b"")
    path = f"/searches/{saved['id']}.atom"
    assert (await room.client.get(path)).status == 404
    assert (await room.client.get(f"{path}?key=wrong")).status == 404
    assert (await room.client.get(path, headers=AUTH)).status == 200
    assert (await room.client.get("/searches/none.atom?key=wrong")).status == 404
    assert (await room.client.get("/searches", allow_redirects=False)).status == 303, (
        "the page needs a sign-in"
    )
    await room.ask("DELETE", f"/api/searches/{saved['id']}/key", 204, headers=AUTH)
    old = addresses["atom"].partition("//")[2].partition("/")[2]
    assert (await room.client.get(f"/{old}")).status == 404


async def test_a_feed_of_a_broken_query_is_empty_and_says_so_in_the_list(
    room: Newsroom, shelf: Shelf
) -> None:
    shelf.put(event("urn:a", headline="Ferry"))
    saved = (await room.save())["search"]
    search = (await room.store.searches())[0]
    await room.store.save_search(structs.replace(search, query="gone:field ("), 10)
    told = await room.ask("GET", f"/searches/{saved['id']}.json")
    assert orjson.loads(told)["items"] == [] if isinstance(told, str) else told["items"] == []
    assert (await room.ask("GET", f"/api/searches/{saved['id']}"))["fault"]


async def test_an_alert_says_why_it_was_sent(room: Newsroom) -> None:
    await room.save(query="ferry feed:nda", alert={"targets": [{"kind": "page"}]})
    room.get(event("urn:a", headline="Ferry stops"), backfilled(event("urn:b", headline="Ferry")))
    [alert] = (await room.ask("GET", "/api/alerts"))["alerts"]
    told = await room.ask("GET", f"/api/alerts/{alert['alert']}")
    assert told["search"]["query"] == "ferry feed:nda"
    assert [(why["part"], why["inside"]) for why in told["alert"]["why"]] == [
        ("ferry", "headline"),
        ("feed:nda", "feed"),
    ]
    assert (told["alert"]["uri"], told["alert"]["relation"], told["state"]) == ("urn:a", "new", "written")
    assert [(one["state"], one["target"]["kind"]) for one in told["messages"]] == [("sent", "page")]
    await room.ask("GET", "/api/alerts/0123456789abcdef", 404)


async def test_alerts_come_in_pages_and_embargoed_ones_not_before_their_time(room: Newsroom) -> None:
    await room.save(alert={"targets": [{"kind": "page"}]})
    room.get(*(event(f"urn:{n}", headline="Ferry") for n in range(5)))
    room.get(event("urn:later", headline="Ferry", embargo="2999-01-01T00:00:00.000Z"))
    first = await room.ask("GET", "/api/alerts?limit=3")
    rest = await room.ask("GET", f"/api/alerts?limit=3&after={first['after']}")
    assert [one["uri"] for one in first["alerts"] + rest["alerts"]] == [f"urn:{n}" for n in (4, 3, 2, 1, 0)]
    assert rest["after"] is None
    assert (await room.ask("GET", "/api/alerts?after=x", 400))["error"]["type"] == "BadCursor"
    await room.ask("GET", "/api/alerts?limit=0", 400)


async def test_open_pages_get_alerts_and_go_on_where_they_were(room: Newsroom) -> None:
    await room.save(alert={"targets": [{"kind": "page"}]})
    answer = await room.client.get("/api/alerts/stream")
    assert await answer.content.readline() == b"retry: 3000\n"
    room.get(event("urn:a", headline="Ferry <stops>"))
    async with asyncio.timeout(60):
        number, data = await next_message(answer)
    assert data["title"] == "Ferry <stops> [Ferries]"
    answer.close()
    room.get(event("urn:b", headline="Ferry two"))
    answer = await room.client.get("/api/alerts/stream", headers={"Last-Event-ID": number})
    async with asyncio.timeout(60):
        _, data = await next_message(answer)
    assert data["stories"][0]["uri"] == "urn:b"
    answer.close()
    await room.ask("GET", "/api/alerts/stream?after=x", 400)


async def next_message(answer: Any) -> tuple[str, Any]:
    number = ""
    while True:
        line = (await answer.content.readline()).decode().strip()
        if line.startswith("id: "):
            number = line[4:]
        if line.startswith("data: "):
            return number, orjson.loads(line[6:])


async def test_who_only_reads_changes_his_own_and_sends_nothing_out_of_the_house(open_room: OpenRoom) -> None:
    room = await open_room(
        Desk(user_header="X-User", proxies=("127.0.0.1",), operators=("boss",)),
        Alerts(),
    )
    ines, boss = {"X-User": "ines"}, {"X-User": "boss"}
    mine = {
        "name": "Mine",
        "query": "ferry",
        "alert": {"targets": [{"kind": "page"}, {"kind": "mail", "address": "ines@desk.example"}]},
    }
    own = {"Origin": str(room.client.make_url("")).rstrip("/")}
    saved = (await room.ask("POST", "/api/searches", 201, json=mine, headers=ines | own))["search"]
    assert saved["owner"] == "ines"
    hook = {**mine, "alert": {"targets": [{"kind": "webhook", "address": "https://hooks.example/"}]}}
    assert (
        "scope operate"
        in (await room.ask("POST", "/api/searches", 403, json=hook, headers=ines | own))["error"]["message"]
    )
    path = f"/api/searches/{saved['id']}"
    await room.ask("PATCH", path, 403, json={"name": "x"}, headers={"X-User": "tomas"} | own)
    await room.ask("DELETE", path, 403, headers={"X-User": "tomas"} | own)
    await room.ask("PATCH", path, json=hook, headers=boss | own)
    await room.ask("PATCH", path, json={"name": "Still mine"}, headers=ines | own)


async def test_a_store_that_is_away_is_told_and_nothing_breaks(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_call: Any, *, writes: bool = False) -> Any:
        raise Transient("the file is locked")

    monkeypatch.setattr(room.store, "_run", away)
    for path in ("/api/searches", "/api/alerts", "/searches/x.rss"):
        assert (await room.client.get(path)).status == 503


async def test_the_page_saves_changes_and_deletes_by_plain_forms(room: Newsroom, shelf: Shelf) -> None:
    shelf.put(event("urn:a", headline="Ferry stops"))
    form = {"action": "save", "name": "<script>alert(1)</script>", "query": "ferry", "folder": "Sea"}
    form |= {"targets": "page\nines@desk.example\n", "rhythm": "day", "at": "07:30", "zone": "Europe/Madrid"}
    saved = await room.client.post("/searches", data=form, allow_redirects=False)
    assert saved.status == 303
    [search] = await room.store.searches()
    assert search.alert
    assert [target.key for target in search.alert.targets] == ["page ", "mail ines@desk.example"]
    page = await room.ask("GET", saved.headers["Location"])
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "It finds 1 story." in page
    room.get(event("urn:a", headline="Ferry stops"))
    broken = await room.client.post(
        "/searches", data={**form, "search": search.id, "query": "ferry ("}, allow_redirects=False
    )
    assert broken.status == 400
    assert (
        'name="query" dir="auto" maxlength="4000" value="ferry (" aria-invalid="true"' in await broken.text()
    )
    made = await room.client.post("/searches", data={"action": "feeds", "search": search.id})
    assert f"/searches/{search.id}.atom?key=" in await made.text()
    assert "Sea" in await room.ask("GET", "/"), "the folder stands beside the list"
    await room.client.post("/searches", data={"action": "delete", "search": search.id})
    assert await room.store.searches() == []


@pytest.mark.parametrize(
    ("form", "status"),
    [({}, 400), ({"action": "save", "search": "none"}, 404), ({"action": "save", "name": "x", "targets": "page", "rhythm": "x"}, 400)],
)  # fmt: skip
async def test_a_form_that_is_none_is_refused(room: Newsroom, form: dict[str, str], status: int) -> None:
    assert (await room.client.post("/searches", data=form)).status == status


async def test_the_operations_of_searches_are_described(room: Newsroom) -> None:
    document = await room.ask("GET", "/api/openapi.json")
    assert set(document["paths"]["/api/searches/{search}"]) == {"get", "patch", "delete"}
    saved = document["paths"]["/api/searches"]["post"]
    assert saved["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/SearchRequest")
