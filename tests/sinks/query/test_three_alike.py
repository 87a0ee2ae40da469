"""A query finds the same stories by the predicate, in SQLite and in Elasticsearch."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from processors.times import to_milliseconds
from sinks.query import StoryFacts, check_query, is_listed
from sinks.query.tree import TimeKind
from sinks.search import Order, Query
from sinks.sqlite.reader import StorySearch
from sinks.sqlite.writer import StoryIndex
from tests.sinks.events import at, make_index_tables
from tests.sinks.query.shelf_of_stories import COUNT, QUERIES, stories

FACTS = [StoryFacts(story) for story in stories()]
NOW_MS = to_milliseconds(at(30))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorySearch]:
    path: Path = tmp_path_factory.mktemp("alike") / "wire.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    make_index_tables(connection)
    StoryIndex(connection).write(stories())
    search = StorySearch(path, lambda: NOW_MS)
    yield search
    search.close()
    connection.close()


def expected(query: Query) -> list[str]:
    """The uris, by the predicate."""
    return sorted(facts.event.story.uri for facts in FACTS if is_listed(query, facts, NOW_MS))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=QUERIES)
def test_sqlite_finds_what_the_predicate_lets_pass(
    embedded: StorySearch, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    assume(check_query(text) is None)
    orders: list[tuple[Order, int]] = [("newest", 5000), ("newest", 3), ("received", 3), ("relevance", 5000)]
    for duplicates in (True, False):
        wanted = expected(Query(text, duplicates=duplicates))
        for order, common in orders:
            monkeypatch.setattr("sinks.sqlite.lists.MIN_COMMON_STORIES", common)
            monkeypatch.setattr("sinks.sqlite.lists.LATEST_STORIES", 8)
            query = Query(text, duplicates=duplicates, order=order, limit=COUNT)
            page = asyncio.run(embedded.search(query))
            assert sorted(hit.uri for hit in page.hits) == wanted, order


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_whatever_is_typed_is_a_query_that_sqlite_takes(embedded: StorySearch, text: str) -> None:
    assume(check_query(text) is None)
    asyncio.run(embedded.search(Query(text)))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=QUERIES, latest=st.sampled_from((2, 8, 20, 5000)), walked=st.sampled_from((0, 6, 40)))
def test_a_page_has_the_newest_whatever_way_they_are_found(
    embedded: StorySearch, monkeypatch: pytest.MonkeyPatch, text: str, latest: int, walked: int
) -> None:
    assume(check_query(text) is None)
    monkeypatch.setattr("sinks.sqlite.lists.MIN_COMMON_STORIES", latest)
    monkeypatch.setattr("sinks.sqlite.lists.LATEST_STORIES", latest)
    monkeypatch.setattr("sinks.sqlite.lists.MAX_WALKED_STORIES", walked)
    columns: list[tuple[Order, TimeKind]] = [("newest", "time"), ("received", "received")]
    for order, column in columns:
        query = Query(text, order=order, limit=4)
        listed = [
            (facts.times[column], number)
            for number, facts in enumerate(FACTS)
            if is_listed(query, facts, NOW_MS)
        ]
        newest = [FACTS[number].event.story.uri for _, number in sorted(listed, reverse=True)]
        page = asyncio.run(embedded.search(query))
        assert [hit.uri for hit in page.hits] == newest[:4]
        following = asyncio.run(embedded.search(replace(query, after=page.after))).hits if page.after else ()
        assert [hit.uri for hit in following] == newest[4:8]
