"""Which events fit a query, and by what."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from processors.model.event import ClusterStanding, Entity, Event, Place
from processors.model.story import InfoSource
from sinks.query import StoryFacts, fitting_leaves, is_listed, matches, parse_query
from sinks.search import Query
from sinks.stories import now_ms
from tests.sinks.events import at, dispatch, event

NOON_MS = 1_769_860_800_000  # of the tests, see `tests.sinks.events.at`


def told() -> Event:
    """A dispatch about a mayor, with more of what a query can ask for."""
    made = dispatch()
    entities = (
        Entity("e1", "PER", "Ines Okafor", ("Okafor",), ("mayor",), watchlists=("Mayors",), uri="https://www.wikidata.org/entity/Q7001"),
        Entity("e2", "LOC", "Veldhaven", place=Place("Veldhaven", "NL", 51.4, 5.4, 27001)),
        Entity("e3", "ORG", "Harbour Board"),
    )  # fmt: skip
    story = replace(
        made.story, urgency=2, info_sources=(InfoSource(name="Northern Dispatch"),), embargoed_until=at(-5)
    )
    cluster = ClusterStanding("urn:Harbour", 2, 3, ("en",), at(0))
    return replace(made, entities=entities, story=story, cluster=cluster)


@pytest.mark.parametrize(
    "text",
    [
        "harbour", "HARBOUR winter", '"another winter"', '"mayor ines oka"*', "wint*", "mayor OR ferry", "-ferry",
        "-(ferry OR copper)", "headline:harbour -headline:winter", "text:winter", "slug:veldhaven", 'slug:"harbour veldhaven"',
        "Lind", "economy", "feed:NDA", "feed:(sur OR nda)", "feed:nd*", "source:nda", 'source:"northern dispatch"',
        "source:northern*", "place:Veldhaven", "place:27001", "country:nl", "country:Netherlands", "person:okafor",
        'person:"ines okafor"', "person:Q7001", "entity:okafor", 'org:"harbour board"', "topic:04000000",
        "topic:medtop:04000000", "lang:en", "watchlist:mayors", 'cluster:"urn:harbour"', "is:new", "is:embargoed",
        "is:damaged", "-is:kill", "urgency:1..3", "urgency:<=2", "words:>10", "words:..50", "sources:3", "after:2026-01-31",
        "before:2026-02-01", "time:2026-01-31", "received:2026-01", "received:<2026-02-01", "after:24h",
        "near:51.5,5.4,20", "-near:51.5,5.4,5",
    ],
)  # fmt: skip
def test_an_event_fits(text: str) -> None:
    assert matches(parse_query(text), told())
    assert not matches(parse_query(f"-({text})"), told())


@pytest.mark.parametrize(
    "text",
    [
        "ferry", "harbour ferry", '"winter another"', '"veldhaven ines"', "win", "headline:winter", "text:lind", "slug:lind",
        "feed:nd", "person:ines", "person:veldhaven", "place:okafor", "org:okafor", "country:BE", "topic:sport", "lang:nl",
        "lang:en-GB", "is:update", "is:kill", "urgency:3..", "words:1000..", "sources:>3", "before:2026-01-31T11:00Z",
        "received:2025", "near:52.5,5.4,20", "-harbour", "harbour -winter",
    ],
)  # fmt: skip
def test_an_event_does_not_fit(text: str) -> None:
    assert not matches(parse_query(text), told())
    assert matches(parse_query(f"-({text})"), told())


def test_so_long_ago_counts_from_the_reception_or_from_now() -> None:
    tree = parse_query("after:1h")
    assert matches(tree, event("urn:a", created=at(-59)))
    assert not matches(tree, event("urn:a", created=at(-61)))
    assert not matches(tree, event("urn:a"), NOON_MS + 3_600_001)
    assert matches(tree, event("urn:a"), NOON_MS + 3_600_000)


def test_why_an_event_fits_is_told_by_the_parts_of_the_text() -> None:
    text = "ferry OR headline:harbour person:okafor -is:kill"
    leaves = fitting_leaves(parse_query(text), StoryFacts(told()))
    spans = [text[leaf.span.start : leaf.span.start + leaf.span.length] for leaf in leaves]
    assert spans == ["headline:harbour", "person:okafor"]


def test_the_list_of_a_query_has_repeats_and_kills_only_where_it_asks_for_them() -> None:
    repeat = StoryFacts(event("urn:b", relation="duplicate"))
    kill = StoryFacts(event("urn:c", relation="kill"))
    now = now_ms()
    assert is_listed(Query(), StoryFacts(event("urn:a")), now)
    assert not is_listed(Query("harbour"), repeat, now)
    assert is_listed(Query("harbour", duplicates=True), repeat, now)
    assert is_listed(Query("harbour is:duplicate"), repeat, now)
    assert is_listed(Query(relation="duplicate"), repeat, now)
    assert not is_listed(Query("harbour -is:duplicate"), repeat, now)
    assert not is_listed(Query("harbour", duplicates=True), kill, now)
    assert is_listed(Query("harbour (is:kill OR is:update)"), kill, now)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (Query(language="en"), "lang:en"),
        (Query(feed="nda"), "feed:nda"),
        (Query(relation="new"), "is:new"),
        (Query(entity="Okafor"), "entity:okafor"),
        (Query(topic="medtop:04000000"), "topic:04000000"),
        (Query(cluster="urn:Harbour"), "cluster:urn:harbour"),
        (Query(since=at(0)), f"after:{at(0)}"),
        (Query(until=at(0)), f"before:{at(0)}"),
    ],
)
def test_a_parameter_means_the_same_as_its_field(query: Query, text: str) -> None:
    for made in (told(), event("urn:other", language="nl", feed="sur", relation="update", minute=1)):
        assert is_listed(query, StoryFacts(made), NOON_MS) == is_listed(
            Query(text), StoryFacts(made), NOON_MS
        )
