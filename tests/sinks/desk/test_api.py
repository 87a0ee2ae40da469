"""The JSON API."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from aiohttp import ClientResponse
from msgspec.structs import replace

from processors.model.codec import to_builtins
from processors.model.event import Relation
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client
from tests.sinks.events import at, backfilled, dispatch, event, reports


async def told(desk: Client, path: str, status: int = 200) -> Any:
    answer = await desk.get(path)
    assert answer.status == status
    return await answer.json()


async def test_a_search_leads_to_events(desk: Client, shelf: Shelf) -> None:
    shelf.put(dispatch())
    found = await told(desk, "/api/stories?q=harbour")
    assert [each["uri"] for each in found["stories"]] == ["urn:nda:1"]
    assert await told(desk, "/api/stories/urn%3Anda%3A1") == orjson.loads(
        orjson.dumps(to_builtins(dispatch()))
    )


async def test_pages_follow_one_another(desk: Client, shelf: Shelf) -> None:
    shelf.put(*(event(f"urn:{n}", minute=n) for n in range(5)))
    first = await told(desk, "/api/stories?limit=3")
    rest = await told(desk, f"/api/stories?limit=3&after={first['after']}")
    assert [each["uri"] for each in first["stories"] + rest["stories"]] == [
        f"urn:{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert rest["after"] is None


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0",
        "limit=x",
        "limit=999999999999",
        "limit=0000000009999",
        f"limit={'9' * 5000}",
        "relation=nonsense",
        "order=up",
        "since=yesterday",
        "since=9999-12-31T23:59:59-05:00",
        "collapse=2",
    ],
)
async def test_a_parameter_that_means_nothing_is_named(desk: Client, asked: str) -> None:
    answer = await told(desk, f"/api/stories?{asked}", 400)
    assert answer["error"]["message"].startswith(asked)


@pytest.mark.parametrize("after", ["';DROP", "9" * 5000, f"{2**63}.1", "1.²"])
@pytest.mark.parametrize("order", ["newest", "relevance"])
async def test_a_cursor_that_is_not_ours_is_refused(
    desk: Client, shelf: Shelf, after: str, order: str
) -> None:
    shelf.put(event("urn:a", headline="The ferry"))
    answer = await told(desk, f"/api/stories?q=ferry&order={order}&after={after}", 400)
    assert answer["error"]["type"] == "BadCursor"
    assert (await told(desk, f"/api/stream?after={after}", 400))["error"]["type"] == "BadCursor"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (
            "/api/stories?lang=en",
            "lang: there is no such parameter (did you mean language?); use q, language,",
        ),
        ("/api/stories?languge=en", "did you mean language?"),
        ("/api/stories?urgency=1", "urgency: there is no such parameter; use q,"),
        ("/api/stories/urn%3Aa?version=2", "this address takes none"),
        ("/api/stories/urn%3Aa/versions?keys=2", "did you mean key?"),
        ("/api/stream?afer=3", "did you mean after?"),
        ("/api/feeds?x=1", "this address takes none"),
    ],
)
async def test_a_parameter_that_is_not_known_is_refused_with_those_that_are(
    desk: Client, path: str, hint: str
) -> None:
    error = (await told(desk, path, 400))["error"]
    assert error["type"] == "BadQuery"
    assert hint in error["message"]


async def test_a_topic_may_be_given_as_its_uri_and_a_time_has_an_end(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:a", topics=("medtop:04000000",)), event("urn:b", minute=30))
    topic = "http://cv.iptc.org/newscodes/mediatopic/04000000"
    assert [one["uri"] for one in (await told(desk, f"/api/stories?topic={topic}"))["stories"]] == ["urn:a"]
    found = await told(desk, f"/api/stories?until={at(10)}")
    assert [one["uri"] for one in found["stories"]] == ["urn:a"]


async def test_what_is_unknown_is_not_found(desk: Client) -> None:
    assert (await told(desk, "/api/stories/urn%3Anone", 404))["error"]["type"] == "NotFound"
    assert (await told(desk, "/api/nothing", 404))["error"]["type"] == "Nothing here"


async def test_a_killed_story_is_told_apart(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:a"), event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2))
    assert (await desk.get("/api/stories/urn%3Aa")).headers["X-Wiredesk-Hidden"] == "killed"


async def test_feeds_and_pipeline(desk: Client) -> None:
    feeds = (await told(desk, "/api/feeds"))["feeds"]
    assert feeds[0]["itemsPerDay"] == 24.0
    assert feeds[1]["message"] == "a page"
    assert await told(desk, "/api/pipeline") == {
        "steps": [{"step": "tag", "records": 14, "oldestSeconds": 0.75}],
        "deadLetters": 3,
        "index": [],
    }


async def test_the_metrics_have_units_in_their_names(desk: Client) -> None:
    text = await (await desk.get("/metrics")).text()
    assert "wire_step_seconds" in text
    assert "wire_oldest_unprocessed_age_seconds" in text
    assert 'wire_feeds{state="erroring"} 1.0' in text


async def test_the_stream_tells_of_each_new_story_with_a_cursor(desk: Client, shelf: Shelf) -> None:
    start = (await shelf.search.arrivals(None)).cursor
    async with desk.get("/api/stream", headers={"Last-Event-ID": start}) as answer:
        assert answer.content_type == "text/event-stream"
        shelf.put(event("urn:a", headline="Fresh"))
        fields = await asyncio.wait_for(_next_event(answer), 10)
    assert "event" not in fields, "onmessage of a browser gets what has no name"
    assert orjson.loads(fields["data"])["headline"] == "Fresh"
    assert int(fields["id"]) > int(start)


async def test_a_reader_who_comes_back_gets_what_he_missed(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:before"))
    cursor = (await shelf.search.arrivals(None)).cursor
    shelf.put(event("urn:missed"))
    async with desk.get("/api/stream", headers={"Last-Event-ID": cursor}) as answer:
        fields = await asyncio.wait_for(_next_event(answer), 10)
    assert orjson.loads(fields["data"])["uri"] == "urn:missed"


async def test_old_news_of_a_back_fill_is_no_arrival_but_its_kill_is(desk: Client, shelf: Shelf) -> None:
    cursor = (await shelf.search.arrivals(None)).cursor
    old = backfilled(event("urn:old"))
    kill = backfilled(event("urn:kill", relation="kill", of="urn:other"))
    async with desk.get("/api/stream", headers={"Last-Event-ID": cursor}) as answer:
        shelf.put(old, kill, event("urn:fresh"))
        told = [orjson.loads((await asyncio.wait_for(_next_event(answer), 10))["data"]) for _ in range(2)]
    assert [each["uri"] for each in told] == ["urn:kill", "urn:fresh"]


async def test_a_batch_of_old_news_alone_moves_the_cursor_on(desk: Client, shelf: Shelf) -> None:
    cursor = (await shelf.search.arrivals(None)).cursor
    async with desk.get("/api/stream", headers={"Last-Event-ID": cursor}) as answer:
        shelf.put(backfilled(event("urn:old")))
        while not (line := await asyncio.wait_for(answer.content.readline(), 10)).startswith(b"id: "):
            pass
    assert line.strip() != f"id: {cursor}".encode()


async def _next_event(answer: ClientResponse) -> dict[str, str]:
    """The fields of the next event that has data."""
    fields: dict[str, str] = {}
    while True:
        line = (await answer.content.readline()).decode().rstrip("\n")
        if not line and "data" in fields:
            return fields
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value


def put_editions(shelf: Shelf, uri: str = "https://news.example/ferry") -> None:
    """Three versions of a story."""
    for number, text in enumerate(
        ("Two ferries wait.", "Two ferries wait <b>.", "Three ferries wait <b>."), 1
    ):
        relation: Relation = "update" if number > 1 else "new"
        shelf.put(event(uri, version=str(number), headline=f"Ferry {number}", text=text, minute=number, relation=relation, of=uri if number > 1 else None, sequence=number))  # fmt: skip


async def test_versions_of_a_story_come_newest_first(desk: Client, shelf: Shelf) -> None:
    put_editions(shelf)
    path = f"/api/stories/{quote('https://news.example/ferry', safe='')}"
    listed = (await told(desk, f"{path}/versions"))["versions"]
    assert [(each["version"], each["headline"]) for each in listed] == [
        ("3", "Ferry 3"),
        ("2", "Ferry 2"),
        ("1", "Ferry 1"),
    ]
    assert [each.get("superseded", False) for each in listed] == [False, True, True]
    old = await told(desk, f"{path}/versions?key={listed[2]['key']}")
    assert (old["text"], old["story"]["version"]) == ("Two ferries wait.", "1")
    assert (await told(desk, f"{path}/versions?key=nonsense", 404))["error"]["type"] == "NotFound"
    assert [each["version"] for each in (await told(desk, "/api/stories?versions=1"))["stories"]] == [
        "3",
        "2",
        "1",
    ]
    assert [each["version"] for each in (await told(desk, "/api/stories"))["stories"]] == ["3"]


async def test_two_versions_are_compared_by_words(desk: Client, shelf: Shelf) -> None:
    put_editions(shelf)
    path = "/api/stories/https://news.example/ferry"
    changed = await told(desk, f"{path}/difference")
    assert changed["text"] == [
        {"kind": "removed", "text": "Two"},
        {"kind": "added", "text": "Three"},
        {"kind": "same", "text": " ferries wait <b>."},
    ]
    assert (changed["old"]["version"], changed["new"]["version"]) == ("2", "3")
    assert (changed["removedWords"], changed["addedWords"]) == (2, 2)
    keys = [each["key"] for each in (await told(desk, f"{path}/versions"))["versions"]]
    back = await told(desk, f"{path}/difference?old={keys[0]}&new={keys[2]}")
    assert "".join(each["text"] for each in back["text"] if each["kind"] != "removed") == "Two ferries wait."
    assert (await told(desk, f"{path}/difference?old={keys[2]}&new=x", 404))["error"]["type"] == "NotFound"


async def test_versions_of_a_killed_story_are_marked(desk: Client, shelf: Shelf) -> None:
    put_editions(shelf, "urn:a")
    shelf.put(event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=4, minute=4))
    listed = (await told(desk, "/api/stories/urn:a/versions"))["versions"]
    assert [each["hidden"] for each in listed] == ["killed"] * 3
    answer = await desk.get("/api/stories/urn:a/difference")
    assert answer.headers["X-Wiredesk-Hidden"] == "killed"
    page = await (await desk.get(f"/stories/urn:a?old={listed[1]['key']}&new={listed[0]['key']}")).text()
    assert "What changed" not in page
    assert "Ferry 2" not in page


async def test_a_story_whose_own_address_ends_like_the_list_of_versions_is_found(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(event("urn:x/versions"), event("urn:y/difference"))
    assert (await told(desk, "/api/stories/urn:x/versions"))["story"]["uri"] == "urn:x/versions"
    assert (await told(desk, "/api/stories/urn:y/difference"))["story"]["uri"] == "urn:y/difference"
    assert (await told(desk, "/api/stories/urn:z/versions", 404))["error"]["type"] == "NotFound"


async def test_the_page_of_a_story_shows_its_versions_and_what_changed(desk: Client, shelf: Shelf) -> None:
    put_editions(shelf, "urn:a")
    page = await (await desk.get("/stories/urn:a")).text()
    assert page.count("what changed</a>") == 2
    link = re.search(r'href="(/stories/urn%3Aa\?old=[^"]+)"', page)
    assert link
    changed = await (await desk.get(link[1].replace("&amp;", "&"))).text()
    assert "<del>Two</del><ins>Three</ins> ferries wait &lt;b&gt;." in changed


async def test_the_reports_of_one_event_are_told_together_without_what_was_killed(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(*reports())
    [cluster] = (await told(desk, "/api/clusters"))["clusters"]
    assert (cluster["id"], cluster["reports"], cluster["sources"], cluster["first"]) == (
        "urn:ferry",
        2,
        2,
        at(0),
    )
    assert (cluster["languages"], cluster["latest"]["uri"]) == (["en", "es"], "urn:transbordador")
    whole = await told(desk, "/api/clusters/urn%3Aferry")
    assert [each["uri"] for each in whole["stories"]] == ["urn:ferry", "urn:transbordador"]
    assert [each["cluster"]["novelty"] for each in whole["stories"]] == [1.0, 0.4]
    assert [hit["uri"] for hit in (await told(desk, "/api/stories?cluster=urn:ferry"))["stories"]] == [
        "urn:transbordador",
        "urn:ferry",
    ]
    [english] = (await told(desk, "/api/clusters?language=en"))["clusters"]
    assert english["latest"]["uri"] == "urn:ferry"
    await told(desk, "/api/clusters/urn:none", 404)
    await told(desk, "/api/clusters?limit=0", 400)


async def test_clusters_come_in_pages(desk: Client, shelf: Shelf) -> None:
    for number in range(5):
        standing = replace(reports()[1].cluster, id=f"urn:{number}")  # type: ignore[type-var]
        shelf.put(*(replace(event(f"urn:{number}:{n}", minute=number), cluster=standing) for n in range(3)))
    first = await told(desk, "/api/clusters?limit=3")
    rest = await told(desk, f"/api/clusters?limit=3&after={first['after']}")
    assert [each["id"] for each in first["clusters"] + rest["clusters"]] == [
        f"urn:{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert rest["after"] is None


async def test_the_list_has_one_row_an_event_and_leads_to_its_page(desk: Client, shelf: Shelf) -> None:
    shelf.put(*reports())
    rows = await (await desk.get("/?grouped=1&part=list")).text()
    assert rows.count("<h2") == 1
    assert ">also from 1<" in rows
    assert 'href="/clusters/urn%3Aferry"' in rows
    page = await (await desk.get("/clusters/urn%3Aferry")).text()
    assert "Reports: 2. Sources: 2." in " ".join(page.split())
    assert page.index("100% new") < page.index("40% new")
    assert "urn%3Aferry-two" not in page
    assert "<main" not in await (await desk.get("/clusters/urn%3Aferry?part=list")).text()
    assert (await desk.get("/clusters/none")).status == 404
