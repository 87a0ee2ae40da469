"""A query finds in Elasticsearch what the predicate lets pass; `tests/sinks/query/test_three_alike.py` does so for SQLite."""

from __future__ import annotations

from typing import get_args

from sinks.query import StoryFacts, is_listed
from sinks.search import Order, Query
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import event
from tests.sinks.query.shelf_of_stories import COUNT, draw_queries, stories


async def test_elasticsearch_finds_what_the_predicate_lets_pass(stack: Stack) -> None:
    await stack.put(*stories())
    facts = [StoryFacts(story) for story in stories()]
    orders = get_args(Order)
    for number, text in enumerate(draw_queries(120)):
        query = Query(text, duplicates=number % 2 == 0, order=orders[number % len(orders)], limit=COUNT)
        wanted = sorted(one.event.story.uri for one in facts if is_listed(query, one, stack.now))
        page = await stack.stories.search(query)
        assert sorted(hit.uri for hit in page.hits) == wanted, query


async def test_a_list_has_kills_where_it_asks_for_them(stack: Stack) -> None:
    await stack.put(event("urn:a"), event("urn:b"), event("urn:kill", relation="kill", chain="urn:b", of="urn:b", sequence=2, minute=1))  # fmt: skip
    for text, expected in (
        ("", ["urn:a"]),
        ("is:kill", ["urn:kill"]),
        ("is:kill OR is:new", ["urn:a", "urn:kill"]),
    ):
        page = await stack.stories.search(Query(text))
        assert sorted(hit.uri for hit in page.hits) == expected, text


async def test_a_beginning_behind_words_stands_for_any_number_of_words(stack: Stack) -> None:
    """The server's own number is 50."""
    await stack.put(*(event(f"urn:{n}", headline=f"Ferry harbour{n:03}", minute=-n) for n in range(120)))
    page = await stack.stories.search(Query('"ferry harbour"*', limit=200))
    assert len(page.hits) == 120
