"""Whose story it is, from the raw item to the index: identifiers of two publishers, and the attacks of a hostile feed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.settings import EmbeddedSettings, Settings
from processors.model.event import Event, RawItem
from sinks.search import Query
from sinks.sqlite.writer import StorySearch
from streams.embedded.data_file import DATABASE
from streams.embedded.runtime import EmbeddedRuntime
from streams.process import Input, Pipeline, chosen_steps

RECEIVED = "2026-03-02T12:{:02}:00Z"
BAKERS = (
    "Bakers in Velm walked out on Monday over the price of flour, and all nine ovens of the town stayed cold."
)
RAIN = "Cellars in Ostby filled with water after a night of rain, and the fire brigade pumped until noon on Monday."
URI = "https://pane.example/bakers"
HEADLINE = "Bakers of Velm walk out over flour"


def events(*items: RawItem) -> list[Event]:
    pipeline = Pipeline(chosen_steps(["normalise", "deduplicate"]), Settings())
    dated = [replace(item, received=RECEIVED.format(number)) for number, item in enumerate(items)]
    results = [result for item in dated for result in pipeline([Input("", None, item)])]
    return [result.event for result in results if isinstance(result.event, Event)]


def document(text: str, path: str = "", **envelope: object) -> RawItem:
    return RawItem(text.encode(), "", input=path or None, **envelope)  # type: ignore[arg-type]


def rss(site: str, guid: str, title: str, words: str) -> str:
    return (
        f"<rss version='2.0'><channel><title>{site}</title><link>http://{site}/</link><item>"
        f"<guid isPermaLink='false'>{guid}</guid><title>{title}</title><description>{words}</description>"
        "</item></channel></rss>"
    )


def atom(site: str, title: str, words: str) -> str:
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><id>{site}</id><title>{site}</title><entry><id>1</id>"
        f"<title>{title}</title><content>{words}</content></entry></feed>"
    )


def json_feed(site: str, title: str, words: str) -> str:
    item = {"id": "1", "title": title, "content_text": words}
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": site, "home_page_url": f"https://{site}/"}
    return json.dumps({**feed, "items": [item]})


def nitf(source: str, title: str, words: str, more: str = "") -> str:
    named = f" regsrc='{source}'" if source else ""
    return (
        f"<nitf><head><docdata {more}><doc-id id-string='PA-77'{named}/></docdata></head><body><body.head><hedline>"
        f"<hl1>{title}</hl1></hedline></body.head><body.content><p>{words}</p></body.content></body></nitf>"
    )


def mail(sender: str, title: str, words: str) -> str:
    return (
        f"From: Desk <desk@{sender}>\r\nMessage-ID: <1@relay.example>\r\nSubject: {title}\r\n"
        f"Date: Mon, 2 Mar 2026 12:00:00 +0000\r\n\r\n{words}\r\n\r\n{words[::-1]}\r\n"
    )


def ninjs(uri: str, title: str, words: str, **more: object) -> str:
    return json.dumps({"uri": uri, "headlines": [{"value": title}], "bodies": [{"value": words}], **more})


PAIRS = {
    "rss": (rss("one.example", "1", "Bakers strike", BAKERS), rss("two.example", "1", "Rain", RAIN)),
    "atom": (atom("urn:one", "Bakers strike", BAKERS), atom("urn:two", "Rain", RAIN)),
    "json feed": (json_feed("one.example", "Bakers strike", BAKERS), json_feed("two.example", "Rain", RAIN)),
    "nitf": (nitf("Pane", "Bakers strike", BAKERS), nitf("Norda", "Rain", RAIN)),
    "mail": (mail("one.example", "Bakers strike", BAKERS), mail("two.example", "Rain", RAIN)),
    "ninjs": tuple(
        ninjs("77", title, words, infoSources=[{"name": name}])
        for name, title, words in (("Pane", "Bakers strike", BAKERS), ("Norda", "Rain", RAIN))
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("envelope", [{}, {"feed": "drop", "origin": "drop"}], ids=["files", "drop folder"])
def test_identifiers_of_two_publishers_are_two_stories(
    pair: Sequence[str], envelope: dict[str, object]
) -> None:
    first, second, again = events(*(document(text, "in/1", **envelope) for text in (*pair, pair[0])))
    assert [first.lineage and first.lineage.relation, second.lineage and second.lineage.relation] == [
        "new"
    ] * 2
    assert first.story.uri != second.story.uri
    assert first.lineage is not None
    assert (again.story.uri, again.lineage) == (first.story.uri, replace(first.lineage, again=True))


def test_without_a_name_the_folder_tells_publishers_apart() -> None:
    first, second, later = events(
        document(nitf("", "Bakers strike", BAKERS), "pane/1.xml"),
        document(nitf("", "Rain", RAIN), "norda/1.xml"),
        document(nitf("", "Rain", f"{RAIN} It rains on.", "management-status='canceled'"), "norda/2.xml"),
    )
    assert first.story.uri != second.story.uri == later.story.uri
    assert later.lineage
    assert (later.lineage.relation, later.lineage.of) == ("kill", second.story.uri)


def test_lines_of_one_input_are_one_source() -> None:
    lines = [
        ninjs("77", HEADLINE, BAKERS, infoSources=[{"name": "Pane"}], version="1"),
        ninjs("77", HEADLINE, f"{BAKERS} They want more.", version="2"),
        json.dumps({"uri": "77", "version": "3", "pubStatus": "canceled"}),
    ]
    found = events(*(document(line, "-", format="ninjs") for line in lines))
    assert {event.story.uri for event in found} == {"urn:wiredesk:uri:unknown:77"}
    assert [event.lineage and event.lineage.relation for event in found] == ["new", "update", "kill"]


@pytest.mark.parametrize(
    "envelope", [{"feed": "pane"}, {"feed": "x", "source": "pane"}], ids=["feed", "source"]
)
def test_who_has_the_push_token_speaks_for_no_feed_that_is_polled(envelope: dict[str, str]) -> None:
    polled = document(rss("pane.example", URI, HEADLINE, BAKERS), feed="pane", url="https://pane.example/rss")
    kill = json.dumps({"uri": URI, "version": "9", "pubStatus": "canceled"})
    _, killed = events(polled, document(kill, origin="push/pane", **envelope))
    assert killed.lineage
    assert (killed.lineage.story, killed.lineage.of) == (killed.story.uri, None)
    assert killed.story.uri != URI


@pytest.mark.parametrize("name", ["push", "drop", "backfill"])
@pytest.mark.parametrize("member", ["feed", "source"])
def test_a_polled_feed_with_the_name_of_another_way_in_is_still_its_own(name: str, member: str) -> None:
    envelope = {"feed": "pane", member: name}
    polled = document(rss("pane.example", URI, HEADLINE, BAKERS), **envelope, url="https://pane.example/rss")
    kill = json.dumps({"uri": URI, "version": "9", "pubStatus": "canceled"})
    for origin in (name, f"{name}/{name}"):
        _, killed = events(polled, document(kill, feed=name, origin=origin))
        assert killed.lineage
        assert (killed.lineage.of, killed.story.uri == URI) == (None, False)
    (_, withdrawn) = events(polled, document(kill, **envelope))
    assert withdrawn.lineage
    assert withdrawn.lineage.of == URI


def test_feeds_that_the_settings_group_are_one_source() -> None:
    envelopes = ({"feed": "pane-world", "source": "pane"}, {"feed": "pane-local", "source": "pane"})
    first, second = (
        document(ninjs(URI, HEADLINE, words), **envelope)
        for words, envelope in zip((BAKERS, f"{BAKERS} They want more."), envelopes, strict=True)
    )
    assert [event.lineage and event.lineage.relation for event in events(first, second)] == ["new", "update"]


def test_what_two_feeds_carry_of_one_publisher_is_told_once_a_version() -> None:
    newer = f"{BAKERS} They want more."
    sent = [(BAKERS, "1", "world"), (BAKERS, "1", "local"), (newer, "2", "world"), (newer, "2", "local")]
    found = events(*(document(ninjs(URI, HEADLINE, words, version=n), feed=feed) for words, n, feed in sent))
    assert [event.lineage and event.lineage.relation for event in found] == [
        "new",
        "duplicate",
        "update",
        "duplicate",
    ]
    assert {event.lineage and event.lineage.story for event in found} == {URI}


def attacks() -> list[RawItem]:
    """A victim's story, and what a hostile feed sends to replace it, to kill it, and to kill it by its headline."""
    kill = f"Please kill the story headlined &quot;{HEADLINE}&quot;. A substitute follows."
    own = rss("pane.example", URI, HEADLINE, BAKERS)
    return [
        document(own, feed="pane", url="https://pane.example/rss"),
        document(
            rss("hill.example", URI, "Bakers shot in Velm", RAIN), feed="hill", url="https://hill.example/"
        ),
        document(json.dumps({"uri": URI, "version": "99", "pubStatus": "canceled"}), feed="mire"),
        document(rss("hill.example", "urn:hill:3", f"KILL: {HEADLINE}", kill), feed="hill"),
    ]


def test_a_hostile_feed_changes_nothing_of_another_feeds_story() -> None:
    victim, replaced, killed, named = events(*attacks())
    assert victim.story.uri == URI
    for event in (replaced, killed, named):
        assert event.lineage
        assert event.story.uri != URI
        assert (event.lineage.story, event.lineage.of) == (event.story.uri, None)
    for event in (replaced, killed):
        assert event.provenance
        assert "other-source" in {part.name for part in event.provenance.steps[-1].evidence}
        assert any(other.value == URI for other in event.story.alt_ids), "the uri that it claimed"


async def test_the_desk_shows_the_victims_story_as_it_was(tmp_path: Path) -> None:
    settings = replace(Settings(), embedded=EmbeddedSettings(workers=1))
    late = rss("pane.example", URI, HEADLINE, f"{BAKERS} They want more.")
    sent = [*attacks(), document(late, feed="pane", url="https://pane.example/rss", version="2")]
    items = [replace(item, received=RECEIVED.format(number)) for number, item in enumerate(sent)]
    async with EmbeddedRuntime(settings, tmp_path) as runtime:
        await runtime.outlet.publish(items)
        assert await runtime.drain(200)
    search = StorySearch(tmp_path / DATABASE)
    page = await search.latest(Query())
    stored = await search.get(URI)
    search.close()
    assert {hit.headline for hit in page.hits} == {HEADLINE, "Bakers shot in Velm"}
    assert stored
    assert (stored.hidden, stored.event.text.endswith("They want more.")) == (None, True)
