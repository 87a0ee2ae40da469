"""New, revised, or nothing new: entries are told by their names and words, whatever publishers do to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.pollers.documents import split_document
from streams.pollers.identity import MAX_ENTRY_VERSIONS, MIN_LEFT_ENTRIES, Comparison, compare
from streams.pollers.state import FeedState

LONG = "The harbour authority said the service would run every hour until the wind drops. " * 4


def item(
    number: int,
    *,
    guid: str | None = None,
    link: str | None = None,
    title: str = "",
    body: str = "",
    date: str = "",
) -> str:
    parts = [
        f"<title>{title or f'Story {number}'}</title><description>{body or f'Body {number}'}</description>"
    ]
    parts.append("" if guid == "" else f"<guid>{guid or f'tag:{number}'}</guid>")
    parts.append("" if link == "" else f"<link>{link or f'https://wire.example/{number}'}</link>")
    parts.append(f"<pubDate>{date}</pubDate>" if date else "")
    return f"<item>{''.join(parts)}</item>"


class Reader:
    """Compares one document after the other, as a poller does."""

    def __init__(self) -> None:
        self.state = FeedState()
        self.now = 1_000_000.0

    def read(self, *items: str) -> Comparison:
        self.now += 60
        body = f"<rss><channel>{''.join(items)}</channel></rss>".encode()
        found = compare(split_document(body), self.state, "invented", self.now)
        self.state = replace(self.state, entries=tuple(found.entries), shared=tuple(found.shared))
        return found


def told(found: Comparison) -> list[tuple[str, int]]:
    return [(change.uri, change.version) for change in found.changes]


def test_entries_are_new_once() -> None:
    reader = Reader()
    assert told(reader.read(item(1), item(2))) == [
        ("tag:1", 1),
        ("tag:2", 1),
    ]
    assert told(reader.read(item(3), item(1), item(2))) == [("tag:3", 1)]


def test_other_words_under_the_same_name_are_the_next_version_of_the_same_uri() -> None:
    reader = Reader()
    reader.read(item(1))
    assert told(reader.read(item(1, title="Story 1, corrected"))) == [("tag:1", 2)]
    assert told(reader.read(item(1, title="Story 1, corrected", body="Other"))) == [("tag:1", 3)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"guid": "https://w.example/1#0"}, {"guid": "https://w.example/1#3"}),
        (
            {"guid": "http://w.example/1", "link": "http://w.example/1"},
            {"guid": "https://w.example/1", "link": "https://w.example/1"},
        ),
        (
            {"guid": "https://w.example/1?utm_source=a", "link": "https://w.example/1?utm_source=a"},
            {"guid": "https://w.example/1?utm_source=b", "link": "https://w.example/1?utm_source=b"},
        ),
        (
            {"guid": "", "link": "https://w.example/1?utm_medium=x"},
            {"guid": "", "link": "https://w.example/1"},
        ),
        ({"guid": "tag:1"}, {"guid": ""}),
        ({"guid": ""}, {"guid": "tag:1"}),
        ({"date": "Mon, 02 Feb 2026 10:00:00 GMT"}, {"date": "Mon, 02 Feb 2026 10:05:00 GMT"}),
        (
            {
                "guid": "https://w.example/1/storm-nears",
                "link": "https://w.example/1/storm-nears",
                "body": LONG,
            },
            {
                "guid": "https://w.example/1/storm-hits",
                "link": "https://w.example/1/storm-hits",
                "body": LONG,
            },
        ),
    ],
    ids=[
        "guid counter",
        "http to https",
        "tracking",
        "tracking without guid",
        "guid lost",
        "guid gained",
        "date",
        "slug",
    ],
)
def test_names_that_change_alone_are_no_revision(before: dict[str, str], after: dict[str, str]) -> None:
    reader = Reader()
    reader.read(item(1, **before), item(2))
    assert told(reader.read(item(1, **after), item(2))) == []


def test_a_revision_is_found_under_a_changed_name() -> None:
    reader = Reader()
    reader.read(item(1, guid="https://w.example/1#0"))
    found = reader.read(item(1, guid="https://w.example/1#1", title="Story 1, updated"))
    assert told(found) == [("https://w.example/1#0", 2)]


def test_a_title_that_takes_the_slug_along_is_a_revision_by_its_text() -> None:
    reader = Reader()
    reader.read(
        item(1, guid="https://w.example/storm-nears", link="https://w.example/storm-nears", body=LONG)
    )
    found = reader.read(
        item(
            1,
            guid="https://w.example/storm-hits",
            link="https://w.example/storm-hits",
            body=LONG,
            title="Hits",
        )
    )
    assert told(found) == [("https://w.example/storm-nears", 2)]


def test_two_stories_that_share_a_guid_stay_two() -> None:
    reader = Reader()
    pair = (item(1, guid="pair"), item(2, guid="pair"))
    assert len({uri for uri, _ in told(reader.read(*pair))}) == 2
    assert told(reader.read(*pair)) == []
    assert told(reader.read(pair[1])) == []
    assert told(reader.read(pair[0])) == []


def test_a_guid_that_was_shared_once_is_not_trusted_later() -> None:
    reader = Reader()
    reader.read(item(1, guid="pair"), item(2, guid="pair"))
    found = reader.read(item(2, guid="pair", title="Story 2, updated"))
    assert [version for _, version in told(found)] == [2]


def test_one_page_for_all_stories_does_not_merge_them() -> None:
    reader = Reader()
    reader.read(item(1, guid="d-1", link="https://w.example/today", body=LONG))
    found = reader.read(item(2, guid="d-2", link="https://w.example/today", body=LONG[::-1]))
    assert told(found) == [("urn:wiredesk:guid:invented:d-2", 1)]


def test_entries_without_any_name_are_told_by_their_words() -> None:
    reader = Reader()
    first = told(reader.read(item(1, guid="", link=""), item(2, guid="", link="")))
    assert len({uri for uri, _ in first}) == 2
    assert told(reader.read(item(2, guid="", link=""), item(1, guid="", link=""))) == []


def test_an_identifier_that_no_index_takes_has_an_alias_by_which_its_revisions_are_found() -> None:
    reader = Reader()
    long = "urn:hill:" + "g" * 33_000
    ((uri, _),) = told(reader.read(item(1, guid=long)))
    assert len(uri) < 100
    assert told(reader.read(item(1, guid=long, body="Other words."))) == [(uri, 2)]
    assert told(reader.read(item(1, guid=long, body="Other words."), item(2, guid=long + "g"))) != [(uri, 1)]


def test_an_entry_that_stands_twice_is_one() -> None:
    assert len(Reader().read(item(1), item(1), item(1, date="Mon, 02 Feb 2026 10:00:00 GMT")).changes) == 1


def test_entries_that_left_and_come_back_are_not_new() -> None:
    reader = Reader()
    reader.read(*(item(n) for n in range(9)))
    reader.read(item(8))
    reader.read()
    assert told(reader.read(*(item(n) for n in range(10)))) == [("tag:9", 1)]


def test_a_stale_cache_that_shows_an_older_version_again_is_no_revision() -> None:
    reader = Reader()
    reader.read(item(1))
    reader.read(item(1, body="Newer"))
    assert told(reader.read(item(1))) == []
    assert told(reader.read(item(1, body="Newer"))) == []


def test_an_entry_that_changes_for_ever_is_capped_and_counted() -> None:
    reader = Reader()
    versions = [told(reader.read(item(1, body=f"Reading {n}"))) for n in range(MAX_ENTRY_VERSIONS + 5)]
    assert versions[MAX_ENTRY_VERSIONS - 1] == [("tag:1", MAX_ENTRY_VERSIONS)]
    assert versions[MAX_ENTRY_VERSIONS:] == [[]] * 5
    assert reader.read(item(1, body="Once more")).capped == 1


def test_overlap_tells_whether_anything_was_known() -> None:
    reader = Reader()
    reader.read(item(1), item(2))
    assert reader.read(item(2), item(3)).overlap
    assert not reader.read(item(4), item(5)).overlap


def test_memory_is_bounded() -> None:
    reader = Reader()
    for start in range(0, 2000, 10):
        reader.read(*(item(n) for n in range(start, start + 10)))
    assert len(reader.state.entries) <= 10 + MIN_LEFT_ENTRIES


@given(st.lists(st.lists(st.integers(0, 30), max_size=12, unique=True), max_size=8))
def test_whatever_order_and_names_entries_come_with_each_is_new_once(documents: list[list[int]]) -> None:
    reader = Reader()
    seen: list[str] = []
    for tick, numbers in enumerate(documents):
        found = reader.read(*(item(n, guid=f"https://w.example/{n}#{tick}", date=f"{tick}") for n in numbers))
        assert all(change.version == 1 for change in found.changes)
        seen += [change.uri.partition("#")[0] for change in found.changes]
    assert len(seen) == len(set(seen)) == len({n for numbers in documents for n in numbers})
