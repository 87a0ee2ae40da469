"""What an operator does from the desk: with a real list of feeds, a real publisher, and a real log with dead letters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from lxml import html

from config.settings import Desk, Poll, Settings
from processors.errors import Malformed
from processors.model.event import RawItem
from sinks.desk.app import make_app
from sinks.desk.changes import ChangeLog
from sinks.desk.control import DeskControls
from sinks.desk.control_api import MAX_OPML_BYTES
from sinks.desk.tokens import TokenFile
from sinks.routes.router import Router, RouteRule
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.embedded.maintenance import EmbeddedDeadLetters
from streams.messages import rejected_message
from streams.operations.feeds import FeedDesk
from streams.operations.letters import LetterDesk
from streams.operations.routes import RouteDesk
from streams.pollers.feed import Feed
from streams.pollers.feed_list import format_feeds, load_feeds
from streams.topology import RAW
from tests.sinks.conftest import Shelf, shelf
from tests.sinks.desk.conftest import Client, Feeds, Pipeline
from tests.sinks.events import at, event
from tests.streams.pollers.conftest import WebServer
from tests.streams.pollers.conftest import web as publisher

__all__ = ["publisher", "shelf"]

RSS = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>Coast Radio</title><link>http://coast.example/</link>'
    b"<description>d</description><item><title>Ferry stops</title><guid>urn:c:1</guid></item></channel></rss>"
)
PAGE = "<html><head><title>Coast</title>{links}</head><body><p>News of the coast.</p></body></html>"
LINK = '<link rel="alternate" type="application/rss+xml" title="{title}" href="{href}">'


@dataclass
class Operated:
    """A desk with what an operator needs, and the tokens of a reader and an operator."""

    desk: Client
    feeds: Path
    log: Log
    reader: str
    operator: str
    heard: list[tuple[str, ...]] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.operator if token is None else token}"}
        answer = await self.desk.request(method, f"/api/{path}", json=body, headers=headers)
        text = await answer.text()
        return answer.status, json.loads(text) if text else None

    async def page(self, path: str) -> Any:
        answer = await self.desk.get(path, headers={"Authorization": f"Bearer {self.operator}"})
        assert answer.status == 200, await answer.text()
        return html.document_fromstring(await answer.text())

    async def send(self, path: str, fields: Any, token: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {self.operator if token is None else token}"}
        answer = await self.desk.post(path, data=fields, headers=headers, allow_redirects=False)
        return answer.status

    async def changes(self) -> list[tuple[str, str, str]]:
        _, page = await self.ask("GET", "changes")
        return [(one["who"], one["what"], one["target"]) for one in page["changes"]]

    def ids(self) -> list[str]:
        return [feed.id for feed in load_feeds(self.feeds)]


@pytest.fixture
async def operated(tmp_path: Path, shelf: Shelf) -> AsyncIterator[Operated]:
    feeds = tmp_path / "my.toml"
    feeds.write_text(format_feeds([Feed("coast", "https://coast.example/rss", "Coast")]), "utf-8")
    log = Log(tmp_path / DATABASE)
    tokens = TokenFile(tmp_path / "tokens.json")
    _, reader = tokens.create("ben", ("read",), None)
    _, operator = tokens.create("ada", ("operate", "read"), None)
    settings = Settings(poll=Poll(feeds=str(feeds), allowed_addresses=("127.0.0.1/32",)))
    heard: list[tuple[str, ...]] = []

    async def states() -> dict[str, bytes]:
        return {}

    def note(_before: object, after: Any) -> None:
        heard.append(tuple(feed.id for feed in after))

    controls = DeskControls(
        FeedDesk(settings, states, note),
        LetterDesk(lambda: EmbeddedDeadLetters(log.path)),
        RouteDesk(lambda: Router([RouteRule("ports", {"entity": frozenset({"Port Alder"})})])),
    )
    changes = ChangeLog(tmp_path / "changes.jsonl")
    app = make_app(
        shelf.search, Feeds(), Desk(), Pipeline(), tokens=tokens, controls=controls, changes=changes
    )
    async with TestClient(TestServer(app)) as desk:
        yield Operated(desk, feeds, log, reader, operator, heard)
    log.close()


CHANGING: list[tuple[str, str, Any]] = [
    ("POST", "feeds", {"url": "https://a.example/rss"}),
    ("POST", "addresses/check", {"url": "https://a.example/rss"}),
    ("POST", "addresses/discover", {"url": "https://a.example/rss"}),
    ("PATCH", "feeds/coast", {"paused": True}),
    ("DELETE", "feeds/coast", None),
    ("POST", "opml", None),
    ("POST", "dead-letters/replay", {"filter": {"step": "poll"}}),
    ("POST", "dead-letters/drop", {"filter": {"step": "poll"}}),
    ("GET", "dead-letters", None),
    ("GET", "dead-letters/x/0/1", None),
    ("GET", "dead-letters/x/0/1/payload", None),
    ("GET", "changes", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGING)
async def test_a_reader_may_not_and_nothing_happens(
    operated: Operated, method: str, path: str, body: Any
) -> None:
    before = operated.feeds.read_text("utf-8")
    status, answer = await operated.ask(method, path, body, operated.reader)
    assert (status, answer["error"]["type"]) == (403, "Forbidden")
    assert "operate" in answer["error"]["message"]
    assert operated.feeds.read_text("utf-8") == before
    assert await operated.changes() == []


@pytest.mark.parametrize("path", ["/feeds", "/feeds/coast", "/opml", "/dead-letters"])
async def test_a_readers_form_changes_nothing(operated: Operated, path: str) -> None:
    assert (
        await operated.send(path, {"url": "https://a.example/", "action": "remove"}, operated.reader) == 403
    )
    assert operated.ids() == ["coast"]


async def test_a_feed_is_paused_slowed_and_taken_out_and_each_change_is_told(operated: Operated) -> None:
    status, feed = await operated.ask("PATCH", "feeds/coast", {"paused": True, "interval": 900})
    assert (status, feed["paused"], feed["interval"], feed["health"]["state"]) == (200, True, 900, "paused")
    assert load_feeds(operated.feeds)[0].paused
    status, feed = await operated.ask("PATCH", "feeds/coast", {"interval": None, "paused": False})
    assert (feed["paused"], feed["interval"]) == (False, None)
    assert (await operated.ask("DELETE", "feeds/coast"))[0] == 204
    assert operated.heard == [("coast",), ("coast",), ()]
    assert await operated.changes() == [
        ("ada", "remove feed", "coast"),
        ("ada", "edit feed", "coast"),
        ("ada", "edit feed", "coast"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "hint"),
    [
        ({}, 400, "nothing is to change"),
        ({"paused": "yes"}, 400, "$.paused"),
        ({"interval": 1}, 400, "$.interval"),
        ({"interval": 1e300}, 400, "$.interval"),
        ({"url": "https://evil.example/"}, 400, "url"),
        ([], 400, "object"),
    ],
)
async def test_an_edit_that_means_nothing_is_named(
    operated: Operated, body: Any, status: int, hint: str
) -> None:
    answered, error = await operated.ask("PATCH", "feeds/coast", body)
    assert answered == status
    assert hint in error["error"]["message"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"paused": tru', b"\xff\xfe", b"[" * 100_000, b'{"paused":NaN}']
)
async def test_a_broken_body_is_refused_with_its_place(operated: Operated, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {operated.operator}", "Content-Type": "application/json"}
    answer = await operated.desk.patch("/api/feeds/coast", data=raw, headers=headers)
    assert (answer.status, (await answer.json())["error"]["type"]) == (400, "BadBody")


async def test_an_unknown_feed_is_not_found(operated: Operated) -> None:
    for method, body in (("GET", None), ("PATCH", {"paused": True}), ("DELETE", None)):
        status, error = await operated.ask(method, "feeds/none", body)
        assert (status, "'none'" in error["error"]["message"]) == (404, True)


async def test_a_page_leads_to_its_feed(operated: Operated, publisher: WebServer) -> None:
    page = PAGE.format(links=LINK.format(title="Coast Radio", href="/rss"))
    publisher.answer("/", page.encode(), Content_Type="text/html")
    publisher.answer("/rss", RSS, Content_Type="application/rss+xml")
    status, found = await operated.ask("POST", "addresses/discover", {"url": publisher.url("/")})
    assert (status, found["feeds"]) == (200, [{"url": publisher.url("/rss"), "title": "Coast Radio"}])
    status, feed = await operated.ask("POST", "feeds", {"url": publisher.url("/")})
    assert (status, feed["health"]["id"]) == (201, "coast-radio")
    assert load_feeds(operated.feeds)[1] == Feed("coast-radio", publisher.url("/rss"), "Coast Radio")
    status, error = await operated.ask("POST", "feeds", {"url": publisher.url("/rss")})
    assert (status, "already" in error["error"]["message"]) == (409, True)


async def test_a_page_with_several_feeds_asks_which(operated: Operated, publisher: WebServer) -> None:
    links = "".join(LINK.format(title=f"Part {n}", href=f"/rss{n}") for n in range(3))
    publisher.answer("/", PAGE.format(links=links).encode(), Content_Type="text/html")
    status, error = await operated.ask("POST", "feeds", {"url": publisher.url("/")})
    assert (status, publisher.url("/rss2") in error["error"]["message"]) == (409, True)
    tree = await operated.page(f"/look?url={quote(publisher.url('/'), safe='')}")
    assert [field.get("value") for field in tree.xpath("//li//input[@name='url']")] == [
        publisher.url(f"/rss{n}") for n in range(3)
    ]


async def test_what_is_no_feed_is_not_added(operated: Operated, publisher: WebServer) -> None:
    publisher.answer("/", PAGE.format(links="").encode(), Content_Type="text/html")
    publisher.answer("/gone", b"", "404 Not Found")
    for path in ("/", "/gone"):
        status, _ = await operated.ask("POST", "feeds", {"url": publisher.url(path)})
        assert status == 422
    for url in ("file:///etc/passwd", "nonsense", "http://"):
        assert (await operated.ask("POST", "addresses/check", {"url": url}))[0] == 400
    assert operated.ids() == ["coast"]
    assert await operated.changes() == []


async def test_an_address_that_the_settings_do_not_open_is_not_asked(operated: Operated) -> None:
    status, check = await operated.ask("POST", "addresses/check", {"url": "http://169.254.169.254/latest"})
    assert (status, check["outcome"], check["isSound"]) == (200, "blocked_address", False)


async def test_a_check_publishes_nothing(operated: Operated, publisher: WebServer) -> None:
    publisher.answer("/rss", RSS)
    status, check = await operated.ask("POST", "addresses/check", {"url": publisher.url("/rss")})
    assert (status, check["isSound"], check["titles"]) == (200, True, ["Ferry stops"])
    assert operated.log.end_offset(RAW.name) == 0


OPML = (
    '<opml version="2.0"><body><outline text="Hills" xmlUrl="https://hills.example/rss"/>'
    '<outline text="Coast" xmlUrl="https://coast.example/rss"/><outline type="rss" text="Nowhere"/></body></opml>'
)


async def test_opml_goes_in_and_out(operated: Operated) -> None:
    headers = {"Authorization": f"Bearer {operated.operator}"}
    answer = await operated.desk.post("/api/opml", data=OPML.encode(), headers=headers)
    report = await answer.json()
    assert (answer.status, report["added"], len(report["problems"])) == (200, ["hills"], 1)
    exported = await operated.desk.get("/api/opml", headers=headers)
    assert 'xmlUrl="https://hills.example/rss"' in await exported.text()
    again = await operated.desk.post("/api/opml", data=(await exported.text()).encode(), headers=headers)
    assert (await again.json())["added"] == []


async def test_an_oversized_list_is_refused_before_it_is_read(operated: Operated) -> None:
    headers = {"Authorization": f"Bearer {operated.operator}"}
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(50):
            sent += 1024 * 1024
            yield b"x" * 1024 * 1024

    answer = await operated.desk.post("/api/opml", data=flood(), headers=headers)
    assert answer.status == 413
    assert sent < 4 * MAX_OPML_BYTES
    declared = await operated.desk.post("/api/opml", headers=headers | {"Content-Length": "50000000"})
    assert declared.status == 413
    assert operated.ids() == ["coast"]


@pytest.mark.parametrize("raw", [b"", b"<html/>", b"\x00\x01", b"<opml><body><outline/></body></opml>"])
async def test_what_is_no_list_is_refused(operated: Operated, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {operated.operator}"}
    assert (await operated.desk.post("/api/opml", data=raw, headers=headers)).status == 400


async def test_a_chosen_file_is_imported(operated: Operated) -> None:
    form = FormData()
    form.add_field("opml", OPML.encode(), filename="feeds.opml", content_type="text/x-opml")
    assert await operated.send("/opml", form) == 200
    assert operated.ids() == ["coast", "hills"]
    assert await operated.send("/opml", {"opml": "x"}) == 400


def reject(log: Log, count: int, feed: str = "coast") -> None:
    for number in range(count):
        item = RawItem(b"<x>%d" % number, at(number), feed=feed, url="https://coast.example/rss")
        log.append([rejected_message(item, Malformed(f"no end {number}"))])


async def test_letters_are_read_page_by_page_and_by_what_narrows_them(operated: Operated) -> None:
    reject(operated.log, 5)
    reject(operated.log, 1, "hills")
    _, first = await operated.ask("GET", "dead-letters?limit=4")
    _, rest = await operated.ask("GET", f"dead-letters?limit=4&after={quote(first['after'])}")
    assert [len(first["letters"]), len(rest["letters"]), rest["after"]] == [4, 2, None]
    _, hills = await operated.ask("GET", "dead-letters?feed=hills&error=malformed")
    assert [one["feed"] for one in hills["letters"]] == ["hills"]
    identity = quote(first["letters"][0]["id"], safe="")
    _, detail = await operated.ask("GET", f"dead-letters/{identity}")
    assert (detail["text"], detail["letter"]["message"], detail["truncated"]) == ("<x>0", "no end 0", False)
    raw = await operated.desk.get(
        f"/api/dead-letters/{identity}/payload", headers={"Authorization": f"Bearer {operated.operator}"}
    )
    assert (await raw.read(), raw.headers["Content-Type"]) == (b"<x>0", "application/octet-stream")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("dead-letters?after=nonsense", 400),
        ("dead-letters?after=wire.items.raw.v1.dlq/0/99999999999999999999999", 400),
        ("dead-letters?limit=0", 400),
        ("dead-letters?since=yesterday", 400),
        ("dead-letters?nonsense=1", 400),
        ("dead-letters/nonsense", 404),
        ("dead-letters/wire.items.raw.v1.dlq/0/7", 404),
        ("dead-letters/wire.items.raw.v1/0/0", 404),
        ("changes?limit=x", 400),
    ],
)
async def test_letters_that_are_none_are_refused(operated: Operated, path: str, status: int) -> None:
    assert (await operated.ask("GET", path))[0] == status


async def test_letters_are_replayed_once_and_dropped(operated: Operated) -> None:
    reject(operated.log, 3)
    _, page = await operated.ask("GET", "dead-letters")
    first, second, _third = (one["id"] for one in page["letters"])
    _, outcome = await operated.ask("POST", "dead-letters/replay", {"ids": [first, first, "x/0/1"]})
    assert outcome == {"changed": 1, "wornOut": [], "missing": ["x/0/1"], "empty": []}
    assert operated.log.end_offset(RAW.name) == 1
    _, outcome = await operated.ask("POST", "dead-letters/replay", {"ids": [first]})
    assert outcome == {"changed": 0, "wornOut": [], "missing": [first], "empty": []}
    assert operated.log.end_offset(RAW.name) == 1
    _, outcome = await operated.ask("POST", "dead-letters/drop", {"ids": [second]})
    assert outcome["changed"] == 1
    _, outcome = await operated.ask("POST", "dead-letters/drop", {"filter": {"feed": "coast"}})
    assert outcome["changed"] == 1
    assert (await operated.ask("GET", "dead-letters"))[1]["letters"] == []
    assert [what for _, what, _ in await operated.changes()] == [
        "drop dead letters",
        "drop dead letters",
        "replay dead letters",
        "replay dead letters",
    ]


async def test_a_cursor_whose_letter_is_gone_goes_on_behind_it(operated: Operated) -> None:
    reject(operated.log, 4)
    _, first = await operated.ask("GET", "dead-letters?limit=2")
    await operated.ask("POST", "dead-letters/drop", {"ids": [one["id"] for one in first["letters"]]})
    _, rest = await operated.ask("GET", f"dead-letters?limit=2&after={quote(first['after'])}")
    assert [one["message"] for one in rest["letters"]] == ["no end 2", "no end 3"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"filter": {}},
        {"ids": ["x/0/1"], "filter": {"step": "poll"}},
        {"ids": ["x"] * 1001},
        {"all": True},
    ],
)
async def test_nobody_changes_all_letters_by_mistake(operated: Operated, body: Any) -> None:
    reject(operated.log, 1)
    assert (await operated.ask("POST", "dead-letters/drop", body))[0] == 400
    assert len((await operated.ask("GET", "dead-letters"))[1]["letters"]) == 1


async def test_the_pages_do_the_same(operated: Operated) -> None:
    reject(operated.log, 2)
    tree = await operated.page("/dead-letters?feed=coast")
    ids = [box.get("value") for box in tree.xpath("//input[@name='ids']")]
    assert len(ids) == 2
    assert await operated.send("/dead-letters", {"ids": ids[0], "action": "replay"}) == 303
    assert operated.log.end_offset(RAW.name) == 1
    assert await operated.send("/dead-letters", {"which": "all", "feed": "coast", "action": "drop"}) == 303
    assert await operated.send("/dead-letters", {"action": "drop"}) == 400
    tree = await operated.page("/dead-letters")
    assert "drop dead letters" in tree.xpath("string(//p[@role='status'])")
    assert tree.xpath("//input[@name='ids']") == []
    assert await operated.send("/feeds/coast", {"action": "pause"}) == 303
    tree = await operated.page("/feeds/coast")
    assert tree.xpath("string(//button[@value='resume'])") == "Poll it again"
    assert await operated.send("/feeds/coast", {"action": "edit", "title": "Küste", "interval": "900"}) == 303
    assert load_feeds(operated.feeds)[0] == Feed(
        "coast", "https://coast.example/rss", "Küste", interval=900.0, paused=True
    )
    assert await operated.send("/feeds/coast", {"action": "edit", "interval": "soon"}) == 400
    assert await operated.send("/feeds/coast", {"action": "remove"}) == 303
    assert operated.ids() == []


@pytest.mark.parametrize(
    "path", ["/feeds", "/pipeline", "/dead-letters", "/changes", "/api", "/explain", "/feeds/coast"]
)
async def test_every_page_of_an_operator_opens(operated: Operated, path: str) -> None:
    tree = await operated.page(path)
    assert tree.xpath("count(//h1)") == 1
    assert tree.xpath("//nav[@class='tabs']//a[@aria-current='page']") or path == "/feeds/coast"


async def test_a_letter_with_script_in_it_is_text(operated: Operated) -> None:
    item = RawItem(b"<script>alert(1)</script>", at(0), feed="<b>coast</b>", url="https://coast.example/rss")
    operated.log.append([rejected_message(item, Malformed("<img src=x onerror=alert(1)>"))])
    _, page = await operated.ask("GET", "dead-letters")
    tree = await operated.page(f"/dead-letters/{quote(page['letters'][0]['id'], safe='')}")
    assert tree.xpath("string(//pre)").strip() == "<script>alert(1)</script>"
    assert tree.xpath("//main//script | //main//img | //main//b[text()='coast']") == []


async def test_why_a_story_goes_to_a_route(operated: Operated, shelf: Shelf) -> None:
    shelf.put(event("urn:a"))
    status, explanation = await operated.ask("GET", "explain?uri=urn:a", token=operated.reader)
    assert (status, [one["route"] for one in explanation["rules"]]) == (200, ["ports"])
    assert explanation["rules"][0]["reasons"]
    assert (await operated.ask("GET", "explain?uri=urn:none"))[0] == 404


async def test_the_list_of_the_bundle_becomes_an_own_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def states() -> dict[str, bytes]:
        return {}

    desk = FeedDesk(Settings(), states, lambda _before, _after: None)
    bundled = load_feeds("feeds.toml")
    await desk.remove(bundled[0].id)
    assert [feed.id for feed in load_feeds(tmp_path / "feeds.toml")] == [feed.id for feed in bundled[1:]]
