"""Writing to a real Elasticsearch and reading back: the same truths as of the embedded index."""

from __future__ import annotations

import base64
import os
import random
from typing import Any, Final, get_args

import pytest
from msgspec import structs

from processors.errors import Transient, Unindexable
from processors.model.event import Dateline, Event, Place
from processors.times import to_milliseconds
from sinks.elasticsearch import ElasticsearchSink, index
from sinks.rising import ActivitySpan
from sinks.search import BadCursor, Order, Query
from tests.sinks.conftest import Shelf
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import at, dispatch, event, reports, sent_by
from tests.sinks.histories import history, remaining

pytestmark = pytest.mark.elasticsearch
HISTORIES: Final = int(os.environ.get("WIRETEST_HISTORIES", "40"))  # of two stories each
RANDOM: Final = random.Random(7)  # noqa: S311 -- a fixed order, so that a failure comes again


async def uris(stack: Stack, words: str = "", **filters: Any) -> list[str]:
    return [hit.uri for hit in (await stack.stories.search(Query(words, **filters))).hits]


async def test_a_story_comes_back_as_it_went_in(stack: Stack) -> None:
    assert await stack.put(dispatch()) == [None]
    found = await stack.stories.get("urn:nda:1")
    assert found is not None
    assert (found.event, found.hidden) == (dispatch(), None)


async def test_a_story_is_found_by_its_words_and_names_with_the_place_marked(stack: Stack) -> None:
    await stack.put(dispatch(), event("urn:other", text="Nothing of the kind."))
    (hit,) = (await stack.stories.search(Query('winter "stay open"'))).hits
    assert {hit.snippet[start:end] for start, end in hit.marks} == {"stay open", "winter"}
    assert await uris(stack, "lind okaf* -kind") == ["urn:nda:1"]
    assert await uris(stack, "-kind") == ["urn:nda:1"]


async def test_pages_follow_one_another_in_every_order(stack: Stack) -> None:
    await stack.put(*(event(f"urn:{n}", minute=n // 2) for n in range(9)))
    for order in get_args(Order):
        for collapse in (False, True):
            assert sorted(await paged(stack, order, collapse)) == [f"urn:{n}" for n in range(9)]


async def test_no_source_overwrites_or_kills_the_story_of_another(stack: Stack) -> None:
    uri, own_uri = "https://pane.example/1", "urn:wiredesk:uri:hill:https%3A%2F%2Fpane.example%2F1"
    kill = event("urn:hill:2", relation="kill", chain=uri, of=uri, sequence=2, minute=9_001)
    copy = event("urn:hill:3", relation="update", chain=uri, of=uri, sequence=2, minute=1)
    kill_of_copy = event("urn:hill:4", relation="kill", chain=uri, of="urn:hill:3", sequence=3, minute=2)
    attack = event(uri, headline="Ferry sinks", version="9", minute=9_000)
    await stack.put(sent_by("pane", event(uri, headline="Ferry opens")), sent_by("hill", copy, "pane"))
    await stack.put(sent_by("hill", kill_of_copy, "pane"))
    stack.bulk = ElasticsearchSink(stack.settings, stack.client)  # one that remembers nothing
    await stack.put(sent_by("hill", attack), sent_by("hill", kill))
    found = {
        name: (stored.event.headline, stored.hidden)
        for name in (uri, own_uri, "urn:hill:3")
        if (stored := await stack.stories.get(name))
    }
    assert found[uri] == ("Ferry opens", None)
    assert found[own_uri] == ("Ferry sinks", "killed")
    assert found["urn:hill:3"][1] == "killed"
    added = event("urn:hill:5", relation="update", chain=uri, of=uri, sequence=4, minute=9_002)
    await stack.put(sent_by("hill", added, "pane"))
    page = await stack.stories.search(Query("veldhaven", collapse=True))
    assert {hit.uri for hit in page.hits} >= {uri, "urn:hill:5"}, "one never hides the other"
    assert {hit.uri for hit in await stack.stories.versions(uri)} >= {uri, "urn:hill:3", "urn:hill:5"}
    own = event("urn:pane:2", relation="kill", chain=uri, of=uri, sequence=5, minute=3)
    await stack.put(sent_by("pane", own))
    for killed in (uri, "urn:hill:5"):
        stored = await stack.stories.get(killed)
        assert stored
        assert stored.hidden == "killed", "the originator's kill reaches all"


async def test_a_uri_that_is_longer_than_a_term_may_be_is_found_filtered_and_killed(stack: Stack) -> None:
    long = "urn:hill:" + "g" * 33_000
    copy = event("urn:copy", relation="duplicate", chain=long, of=long)
    assert await stack.put(event(long), copy) == [None, None]
    page = await stack.stories.search(Query("veldhaven"))
    assert [hit.duplicates for hit in page.hits] == [1]
    await stack.put(event("urn:kill", relation="kill", chain=long, of=long, sequence=2))
    stored = await stack.stories.get(long)
    assert stored
    assert stored.hidden == "killed"
    assert len(await stack.stories.versions(long)) == 3


async def paged(stack: Stack, order: Order, collapse: bool) -> list[str]:
    """What the pages of a search hold, one after the other."""
    seen: list[str] = []
    after = None
    while True:
        query = Query("veldhaven", limit=4, after=after, order=order, collapse=collapse)
        page = await stack.stories.search(query)
        seen += [hit.uri for hit in page.hits]
        if page.after is None:
            return seen
        after = page.after


@pytest.mark.parametrize(
    "cursor", [b"1", b"-5", b'["x", "y"]', b"[1]", b'[1, "x", 2]', b"[%d]" % 10**30, b"null", b"{", b"\xff"]
)
async def test_a_cursor_that_is_not_ours_is_refused(stack: Stack, cursor: bytes) -> None:
    await stack.put(*(event(f"urn:{n}", minute=n) for n in range(3)))
    told = base64.urlsafe_b64encode(cursor).decode().rstrip("=")
    with pytest.raises(BadCursor):
        await uris(stack, after=told)
    with pytest.raises(BadCursor):
        await stack.stories.arrivals(told)
    if cursor != b"1":  # which is a page's offset
        with pytest.raises(BadCursor):
            await uris(stack, "veldhaven", after=told, order="relevance")


FILTERS: Final[tuple[tuple[dict[str, str], list[str]], ...]] = (
    ({"language": "pt"}, ["urn:b"]),
    ({"language": "pt-PT"}, []),
    ({"feed": "blue"}, ["urn:b"]),
    ({"entity": "INÉS okafor"}, ["urn:a"]),
    ({"topic": "medtop:04000000"}, ["urn:a"]),
    ({"since": at(5)}, ["urn:b"]),
    ({"relation": "update"}, []),
)


async def test_filters(stack: Stack) -> None:
    await stack.put(
        event("urn:a", names=("Ines Okafor",), topics=("medtop:20000210",)),
        event("urn:b", language="pt-BR", feed="blue", minute=10),
    )
    for filters, expected in FILTERS:
        assert await uris(stack, **filters) == expected, filters


async def test_an_embargoed_story_is_shown_from_its_time_on(stack: Stack) -> None:
    await stack.put(event("urn:a", status="withheld", embargo=at(60)))
    stack.now = to_milliseconds(at(59))
    assert await uris(stack) == []
    assert await stack.stories.get("urn:a") is None
    stack.now = to_milliseconds(at(61))
    assert await uris(stack) == ["urn:a"]


async def test_the_order_and_number_of_deliveries_does_not_matter(stack: Stack) -> None:
    events = [each for n in range(HISTORIES) for each in history(n)]
    deliveries = [*events, *events[::3], *events[::2]]
    RANDOM.shuffle(deliveries)
    batch = max(7, len(deliveries) // 30)
    for start in range(0, len(deliveries), batch):
        await stack.bulk.write(deliveries[start : start + batch])
    await stack.put()
    wrong = []
    for n in range(HISTORIES):
        page = await stack.stories.search(Query(f"case{n}", duplicates=True, limit=200))
        if {(hit.uri, hit.headline) for hit in page.hits} != remaining(n):
            wrong.append(n)
    assert not wrong


async def test_what_arrives_is_told_once(stack: Stack) -> None:
    stack.now = to_milliseconds(at(0))
    start = await stack.stories.arrivals(None)
    await stack.put(event("urn:a"), event("urn:b"))
    stack.now = 2**42 - 1
    came = await stack.stories.arrivals(start.cursor)
    assert [hit.uri for hit in came.hits] == ["urn:a", "urn:b"]
    assert (await stack.stories.arrivals(came.cursor)).hits == ()


async def test_one_document_that_is_refused_does_not_keep_the_others_out(stack: Stack) -> None:
    wrong = event("urn:wrong")
    assert wrong.dateline is None
    wrong = structs.replace(dispatch("urn:wrong"), story=structs.replace(wrong.story, urgency=100_000))
    refused = await stack.put(event("urn:a"), wrong, event("urn:b"))
    assert [type(each) for each in refused] == [type(None), Unindexable, type(None)]
    assert "urgency" in str(refused[1])
    assert sorted(await uris(stack)) == ["urn:a", "urn:b"]


async def test_a_place_without_a_point_is_no_harm(stack: Stack) -> None:
    placed = dispatch()
    assert placed.dateline is not None
    placed = structs.replace(
        placed, dateline=structs.replace(placed.dateline, places=(Place("Nowhere", None, 91.0, 0.0),))
    )
    assert await stack.put(placed) == [None]


async def test_a_read_only_index_is_waited_for(stack: Stack) -> None:
    await stack.put(event("urn:before"))
    await stack.client.indices.put_settings(index=stack.settings.index, settings={"index.blocks.write": True})
    with pytest.raises(Transient, match="read-only"):
        await stack.bulk.write([event("urn:a")])
    await stack.client.indices.put_settings(index=stack.settings.index, settings={"index.blocks.write": None})
    assert await stack.put(event("urn:a")) == [None]


async def test_a_missing_alias_is_waited_for_and_no_index_is_made_in_its_place(stack: Stack) -> None:
    lost = structs.replace(stack.settings, index=f"{stack.settings.index}-lost")
    with pytest.raises(Transient, match="wiredesk index create"):
        await ElasticsearchSink(lost, stack.client).write([event("urn:a")])
    assert not await stack.client.indices.exists(index=lost.index)


async def test_languages_are_told_without_regions(stack: Stack) -> None:
    await stack.put(event("urn:a", language="pt-BR"), event("urn:b", language="de"))
    assert await stack.stories.languages() == ["de", "pt"]


async def test_stories_are_handed_out_in_the_order_asked_for(stack: Stack) -> None:
    await stack.put(
        event("urn:a"), event("urn:b"), event("urn:later", status="withheld", embargo=at(48 * 60))
    )
    asked = ["urn:b", "urn:gone", "urn:later", "urn:a"]
    assert await stack.stories.events(asked) == [event("urn:b"), event("urn:a")]
    assert await stack.stories.events([]) == []


def edition(number: int, **more: Any) -> Event:
    """A version of one story."""
    place: dict[str, Any] = {"relation": "update", "of": "urn:a", "sequence": number} if number > 1 else {}
    return event(
        "urn:a", version=str(number), headline=f"Ferry {number}", text=f"Copy of day{number}.", minute=number, **place, **more
    )  # fmt: skip


async def kept(stack: Stack) -> list[tuple[str, str | None]]:
    """The headlines of the story's versions, and why they are hidden."""
    return [(stored.event.headline, stored.hidden) for stored in await stack.stories.kept_versions("urn:a")]


@pytest.mark.parametrize("batches", ["1 2 3", "3 2 1", "2,3 1", "1,2,3 3,2,1", "2 1,3 2,1"])
async def test_each_version_is_kept_whatever_the_order_and_however_often(stack: Stack, batches: str) -> None:
    for batch in batches.split():
        await stack.put(*(edition(int(number)) for number in batch.split(",")))
    assert await kept(stack) == [("Ferry 3", None), ("Ferry 2", None), ("Ferry 1", None)]
    for words, every in (("day1", False), ("day3", False), ("day1", True), ("copy", True)):
        hits = (await stack.stories.search(Query(words, versions=every))).hits
        expected = {("day1", False): [], ("day1", True): ["1"], ("copy", True): ["3", "2", "1"]}
        assert [hit.version for hit in hits] == expected.get((words, every), ["3"])
        assert all(hit.superseded == (hit.version != "3") for hit in hits)


async def test_versions_of_a_killed_story_are_hidden(stack: Stack) -> None:
    kill = event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=3, minute=3)
    await stack.put(edition(1))
    await stack.put(edition(2))
    await stack.put(kill)
    assert await kept(stack) == [("Ferry 2", "killed"), ("Ferry 1", "killed")]
    assert (await stack.stories.search(Query("copy", versions=True))).hits == ()
    await stack.put(edition(4))
    assert await kept(stack) == [("Ferry 4", None), ("Ferry 2", "killed"), ("Ferry 1", "killed")]
    assert [
        hit.version for hit in (await stack.stories.latest(Query(versions=True))).hits if hit.uri == "urn:a"
    ] == ["4"]


async def test_words_that_come_back_are_one_version(stack: Stack) -> None:
    for headline, minute in (("One", 1), ("Two", 2), ("One", 3)):
        await stack.put(event("urn:a", headline=headline, minute=minute))
    assert [name for name, _ in await kept(stack)] == ["One", "Two"]
    assert [hit.headline for hit in (await stack.stories.latest(Query(versions=True))).hits] == ["One", "Two"]


async def test_old_versions_are_deleted(stack: Stack) -> None:
    for number in (1, 2, 3):
        await stack.put(edition(number))
    settings = structs.replace(stack.settings, version_retention_days=1)
    clock = to_milliseconds(at(2)) + 24 * 3_600_000
    lines = await index.prune_months(stack.client, settings, 60, clock=lambda: clock)
    assert lines == [f"deleted 1 versions of {stack.settings.index}-versions"]
    await stack.put()
    assert [name for name, _ in await kept(stack)] == ["Ferry 3", "Ferry 2"]


async def test_the_reports_of_one_event_are_found_together_without_what_was_killed(stack: Stack) -> None:
    await stack.put(*reports())
    page = await stack.stories.latest(Query(grouped=True))
    assert [hit.uri for hit in page.hits] == ["urn:transbordador"]
    told = await stack.stories.cluster("urn:ferry")
    assert [hit.uri for hit in told] == ["urn:ferry", "urn:transbordador"]
    assert [
        hit.uri for hit in (await stack.stories.latest(Query(cluster="urn:ferry", language="en"))).hits
    ] == ["urn:ferry"]


async def test_stories_are_counted_by_hour_as_the_embedded_index_counts_them(
    stack: Stack, shelf: Shelf
) -> None:
    span = ActivitySpan(to_milliseconds(at(0)) + 60_000, 6)
    told = [
        placed(
            event(
                f"urn:{n}",
                minute=-45.0 * n,
                feed=f"f{n % 3}",
                names=("Ines Okafor",),
                topics=("medtop:04000000",),
            )
        )
        for n in range(40)
    ]
    told += [
        event("urn:again", relation="duplicate", chain="urn:1", of="urn:1", minute=-1),
        event("urn:later", embargo="2999-01-01T00:00:00Z", minute=-1),
        event("urn:wrong", minute=-2, names=("Ines Okafor",)),
        event(
            "urn:k",
            minute=-1,
            relation="kill",
            chain="urn:wrong",
            of="urn:wrong",
            sequence=2,
            status="canceled",
        ),
    ]
    await stack.put(*told)
    shelf.put(*told)
    counted = await stack.stories.activity(span)
    assert counted == await shelf.search.activity(span)
    assert sum(counted.stories) == 40
    assert sum(counted.names["ines okafor"]) == 40
    assert len(counted.places) == 8
    assert await stack.stories.withheld(["urn:1", "urn:later"])
    assert not await stack.stories.withheld(["urn:1", "urn:nobody"])


def placed(story: Event) -> Event:
    return structs.replace(story, dateline=Dateline(0, 4, (Place("Vigo", "ES", 42.2, -8.7),)))
