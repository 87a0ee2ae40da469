"""The embedded index."""

from __future__ import annotations

import random
import zlib
from itertools import permutations
from typing import Any, Final

import pytest

from processors.errors import Unreachable
from processors.model.codec import encode
from processors.model.event import Event
from processors.times import to_milliseconds
from sinks.search import MAX_OFFSET, Query, SearchTooSlow
from sinks.sqlite.writer import StorySearch
from sinks.versions import MAX_KEPT_VERSIONS
from tests.sinks.conftest import Shelf
from tests.sinks.events import at, dispatch, event
from tests.sinks.histories import history, remaining

RANDOM: Final = random.Random(7)  # noqa: S311 -- a fixed order, so that a failure comes again


async def uris(shelf: Shelf, words: str = "", **filters: Any) -> list[str]:
    query = Query(words, **filters)
    page = await (shelf.search.search(query) if words else shelf.search.latest(query))
    return [hit.uri for hit in page.hits]


async def test_a_story_is_found_by_its_words_and_names_with_the_place_marked(shelf: Shelf) -> None:
    shelf.put(dispatch(), event("urn:other", text="Nothing of the kind."))
    page = await shelf.search.search(Query('winter "stay open"'))
    (hit,) = page.hits
    assert hit.uri == "urn:nda:1"
    assert {hit.snippet[start:end] for start, end in hit.marks} == {"stay open", "winter"}
    assert await uris(shelf, "lind harbour-veldhaven economy") == ["urn:nda:1"]


async def test_a_version_that_changes_nothing_does_not_hide_the_story(shelf: Shelf) -> None:
    shelf.put(event("urn:a", version="1", names=("Ada Lind",)))
    shelf.put(event("urn:a", version="2", minute=9, relation="duplicate", chain="urn:a", of="urn:a"))
    shelf.put(event("urn:b", minute=9, relation="duplicate", chain="urn:a", of="urn:a"))
    assert await uris(shelf) == ["urn:a"]
    assert await uris(shelf, "lind") == ["urn:a"]
    assert await uris(shelf, duplicates=True) == ["urn:b", "urn:a"]


async def test_the_newest_come_first_and_pages_follow_one_another(shelf: Shelf) -> None:
    shelf.put(*(event(f"urn:{n}", minute=n // 2) for n in RANDOM.sample(range(25), 25)))
    seen: list[str] = []
    after = None
    while True:
        page = await shelf.search.latest(Query(limit=4, after=after))
        seen += [hit.uri for hit in page.hits]
        if page.after is None:
            break
        after = page.after
    assert len(seen) == len(set(seen)) == 25
    minutes = [int(uri[4:]) // 2 for uri in seen]
    assert minutes == sorted(minutes, reverse=True)


async def test_the_best_fit_comes_first_where_that_is_asked(shelf: Shelf) -> None:
    shelf.put(
        event("urn:fits", headline="Ferry sinks", text="The ferry sank.", minute=0),
        event(
            "urn:hardly",
            headline="Budget passed",
            text="Money for a ferry, among " + "much else " * 90,
            minute=9,
        ),
    )
    assert await uris(shelf, "ferry", order="relevance") == ["urn:fits", "urn:hardly"]
    assert await uris(shelf, "ferry") == ["urn:hardly", "urn:fits"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"language": "pt"}, ["urn:b"]),
        ({"language": "pt-BR"}, ["urn:b"]),
        ({"language": "pt-PT"}, []),
        ({"feed": "blue"}, ["urn:b"]),
        ({"entity": "INÉS okafor"}, ["urn:a"]),
        ({"topic": "medtop:04000000"}, ["urn:a"]),
        ({"topic": "medtop:20000209"}, ["urn:a"]),
        ({"topic": "medtop:11000000"}, []),
        ({"since": at(5)}, ["urn:b"]),
        ({"relation": "update"}, []),
    ],
)
async def test_filters(shelf: Shelf, filters: dict[str, str], expected: list[str]) -> None:
    shelf.put(
        event("urn:a", names=("Ines Okafor",), topics=("medtop:20000210",)),
        event("urn:b", language="pt-BR", feed="blue", minute=10),
    )
    assert await uris(shelf, **filters) == expected


async def test_only_a_newer_or_equal_version_replaces(shelf: Shelf) -> None:
    shelf.put(event("urn:a", version="2", headline="Second", minute=1))
    shelf.put(event("urn:a", version="1", headline="First", minute=5))
    shelf.put(event("urn:a", version="2", headline="Second", minute=1))
    assert [hit.headline for hit in (await shelf.search.latest(Query())).hits] == ["Second"]
    assert await uris(shelf, "first") == []
    shelf.put(event("urn:a", version="3", headline="Third", minute=6, relation="correction", sequence=2))
    assert [hit.headline for hit in (await shelf.search.latest(Query())).hits] == ["Third"]
    assert await uris(shelf, "second") == []


async def test_repeats_are_kept_linked_and_left_out(shelf: Shelf) -> None:
    shelf.put(event("urn:a"), event("urn:again", relation="duplicate", chain="urn:a", of="urn:a", minute=3))
    (hit,) = (await shelf.search.latest(Query())).hits
    assert (hit.uri, hit.duplicates) == ("urn:a", 1)
    assert await uris(shelf, duplicates=True) == ["urn:again", "urn:a"]
    assert await uris(shelf, relation="duplicate") == ["urn:again"]
    assert [each.uri for each in await shelf.search.versions("urn:a")] == ["urn:a", "urn:again"]


async def test_a_kill_hides_its_chain_but_not_what_comes_after(shelf: Shelf) -> None:
    killed = [
        event("urn:a", text="The ferry sank."),
        event(
            "urn:b",
            text="The ferry sank twice.",
            relation="update",
            chain="urn:a",
            of="urn:a",
            sequence=2,
            minute=1,
        ),
        event("urn:c", text="The ferry sank.", relation="duplicate", chain="urn:a", of="urn:a", minute=2),
    ]
    kill = event("urn:k", text="KILL ferry", relation="kill", chain="urn:a", of="urn:b", sequence=3, minute=4)
    again = event(
        "urn:d", text="No ferry sank.", relation="update", chain="urn:a", of="urn:b", sequence=4, minute=9
    )
    shelf.put(*killed, kill)
    assert await uris(shelf, "ferry", duplicates=True) == []
    assert await uris(shelf, relation="kill") == ["urn:k"]
    shelf.put(again)
    assert await uris(shelf, "ferry", duplicates=True) == ["urn:d"]
    found = await shelf.search.get("urn:a")
    assert found is not None
    assert (found.hidden, found.by) == ("killed", "urn:k")


async def test_a_correction_hides_what_it_corrects(shelf: Shelf) -> None:
    shelf.put(
        event("urn:a"),
        event("urn:c1", relation="correction", chain="urn:a", of="urn:a", sequence=2, minute=1),
        event("urn:c2", relation="correction", chain="urn:a", of="urn:a", sequence=3, minute=2),
    )
    assert await uris(shelf) == ["urn:c2"]


async def test_the_order_and_number_of_deliveries_does_not_matter(shelf: Shelf) -> None:
    events = [each for n in range(20) for each in history(n)]
    deliveries = [*events, *events[::3], *events[::2]]
    RANDOM.shuffle(deliveries)
    for each in deliveries:
        shelf.put(each)
    for n in range(20):
        page = await shelf.search.search(Query(f"case{n}", duplicates=True, limit=200))
        assert {(hit.uri, hit.headline) for hit in page.hits} == remaining(n)
    count = shelf.connection.execute("SELECT COUNT(*) FROM stories").fetchone()[0]
    assert count == len({each.story.uri for each in events})


async def test_only_the_latest_of_a_chain_is_shown_where_that_is_asked(shelf: Shelf) -> None:
    shelf.put(
        event("urn:a"), event("urn:b", relation="update", chain="urn:a", of="urn:a", sequence=2, minute=4)
    )
    assert await uris(shelf, collapse=True) == ["urn:b"]


async def test_an_embargoed_story_is_shown_from_its_time_on(shelf: Shelf) -> None:
    shelf.put(event("urn:a", status="withheld", embargo=at(60)), event("urn:b", status="withheld"))
    shelf.now = to_milliseconds(at(59))
    assert await uris(shelf, "veldhaven") == []
    assert await shelf.search.get("urn:a") is None
    assert await shelf.search.versions("urn:a") == []
    shelf.now = to_milliseconds(at(61))
    assert await uris(shelf, "veldhaven") == ["urn:a"]


@pytest.mark.parametrize(("moved", "shown_at"), [(30, 31), (90, 91)])
async def test_an_embargo_that_is_moved_ends_when_the_latest_version_says(
    shelf: Shelf, moved: float, shown_at: float
) -> None:
    first = event("urn:a", status="withheld", embargo=at(60))
    second = event(
        "urn:a", status="withheld", embargo=at(moved), relation="update", of="urn:a", version="2", sequence=2
    )
    shelf.put(first, second)
    shelf.now = to_milliseconds(at(min(moved, 60) - 1))
    assert await uris(shelf, "veldhaven") == []
    shelf.now = to_milliseconds(at(shown_at - 2))
    assert await uris(shelf, "veldhaven") == []
    shelf.now = to_milliseconds(at(shown_at))
    assert await uris(shelf, "veldhaven") == ["urn:a"]
    shelf.put(first)
    assert await uris(shelf, "veldhaven") == ["urn:a"], "the older version that comes again moves nothing"


async def test_a_story_that_is_rolled_back_was_never_there(shelf: Shelf) -> None:
    shelf.connection.execute("BEGIN")
    shelf.index.write([event("urn:a")])
    shelf.connection.execute("ROLLBACK")
    assert await uris(shelf) == []
    assert await uris(shelf, "veldhaven") == []


async def test_old_stories_are_forgotten_with_their_words(shelf: Shelf) -> None:
    shelf.put(event("urn:old", names=("Ines Okafor",)), event("urn:young", minute=60))
    assert shelf.index.prune(to_milliseconds(at(30))) == 1
    assert await uris(shelf, "veldhaven") == ["urn:young"]
    assert shelf.connection.execute("SELECT COUNT(*) FROM story_terms").fetchone() == (0,)
    shelf.connection.execute("INSERT INTO story_words (story_words) VALUES ('integrity-check')")


async def test_what_arrives_is_told_once_in_order(shelf: Shelf) -> None:
    shelf.put(event("urn:before"))
    start = await shelf.search.arrivals(None)
    shelf.put(event("urn:a", minute=1), event("urn:b", minute=2))
    came = await shelf.search.arrivals(start.cursor)
    assert [hit.uri for hit in came.hits] == ["urn:a", "urn:b"]
    assert (await shelf.search.arrivals(came.cursor)).hits == ()


async def test_languages_are_told_without_regions(shelf: Shelf) -> None:
    shelf.put(event("urn:a", language="pt-BR"), event("urn:b", language="de"), event("urn:c", language="pt"))
    assert await shelf.search.languages() == ["de", "pt"]


async def test_a_missing_file_is_said_and_not_made(shelf: Shelf) -> None:
    search = StorySearch(shelf.search._path.with_name("missing.sqlite"))
    with pytest.raises(Unreachable, match=r"missing\.sqlite"):
        await search.latest(Query())
    search.close()
    assert not search._path.exists()


async def test_a_common_word_is_found_by_another_way_with_the_same_answer(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put(*(event(f"urn:{n}", minute=n % 7, feed=f"f{n % 3}", language="de") for n in range(30)))
    queries = [
        Query("veldhaven", limit=7),
        Query("veldhaven -budget", feed="f1"),
        Query("ships*", since=at(4)),
    ]
    few = [await shelf.search.search(query) for query in queries]
    assert [len(page.hits) for page in few] == [7, 10, 12]
    for latest, walked in ((3, 25), (9, 0), (12, 9), (29, 30)):
        monkeypatch.setattr("sinks.sqlite.lists.MIN_COMMON_STORIES", latest)
        monkeypatch.setattr("sinks.sqlite.lists.LATEST_STORIES", latest)
        monkeypatch.setattr("sinks.sqlite.lists.MAX_WALKED_STORIES", walked)
        assert [await shelf.search.search(query) for query in queries] == few


async def test_a_search_is_given_up_at_its_deadline_and_the_next_one_is_answered(shelf: Shelf) -> None:
    shelf.put(*(event(f"urn:nda:{n}", text="A common word.") for n in range(400)))
    late = StorySearch(shelf.search._path, lambda: shelf.now, timeout_s=0.0)
    with pytest.raises(SearchTooSlow, match="given up after 0 s"):
        await late.search(Query("common", collapse=True, limit=200))
    late._timeout_s = 60.0
    assert len((await late.search(Query("common", limit=200))).hits) == 200
    late.close()


async def test_counted_pages_end(shelf: Shelf) -> None:
    shelf.put(*(event(f"urn:nda:{n}", text="A common word.") for n in range(3)))
    for after, count in (("0", 3), (str(MAX_OFFSET), 0), (str(MAX_OFFSET + 1), 0), ("9" * 18, 0)):
        assert len((await shelf.search.search(Query("common", order="relevance", after=after))).hits) == count


def edition(number: int, **more: Any) -> Event:
    """A version of one story."""
    place: dict[str, Any] = {"relation": "update", "of": "urn:a", "sequence": number} if number > 1 else {}
    return event("urn:a", version=str(number), headline=f"Ferry {number}", text=f"Copy of day{number}.", minute=number, **(place | more))  # fmt: skip


async def kept(shelf: Shelf, uri: str = "urn:a") -> list[tuple[str, str | None]]:
    """The headlines of a story's versions, and why they are hidden."""
    return [(stored.event.headline, stored.hidden) for stored in await shelf.search.kept_versions(uri)]


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_each_version_is_kept_whatever_the_order_and_however_often(
    shelf: Shelf, order: tuple[int, ...]
) -> None:
    versions = [edition(1), edition(2), edition(3), edition(2, created=at(5))]
    for place in (*order, *order):
        shelf.put(versions[place])
    assert [name for name, _ in await kept(shelf)] == ["Ferry 3", "Ferry 2", "Ferry 1"]
    assert await uris(shelf) == ["urn:a"]
    assert [await uris(shelf, f"day{n}") for n in (1, 2, 3)] == [[], [], ["urn:a"]]
    assert [await uris(shelf, f"day{n}", versions=True) for n in (1, 2, 3)] == [["urn:a"]] * 3
    assert [hit.superseded for hit in (await shelf.search.latest(Query(versions=True))).hits] == [
        False,
        True,
        True,
    ]


async def test_pages_of_all_versions_follow_one_another(shelf: Shelf) -> None:
    shelf.put(*(edition(number) for number in range(1, 8)), event("urn:b", minute=3))
    found, after = [], None
    while True:
        page = await shelf.search.search(Query("copy", versions=True, limit=3, after=after))
        found += [hit.headline for hit in page.hits]
        if (after := page.after) is None:
            break
    assert found == [f"Ferry {number}" for number in range(7, 0, -1)]


async def test_versions_of_a_killed_story_are_hidden_and_come_back_with_none(shelf: Shelf) -> None:
    kill = event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=3, minute=3)
    for events in ((edition(1), edition(2), kill), (kill, edition(2), edition(1))):
        shelf.put(*events)
        assert await kept(shelf) == [("Ferry 2", "killed"), ("Ferry 1", "killed")]
        assert await uris(shelf, "copy", versions=True) == []
    shelf.put(edition(4))
    assert await kept(shelf) == [("Ferry 4", None), ("Ferry 2", "killed"), ("Ferry 1", "killed")]
    assert [hit.headline for hit in (await shelf.search.latest(Query(versions=True))).hits] == ["Ferry 4"]


async def test_a_cancelled_version_hides_those_before_it(shelf: Shelf) -> None:
    shelf.put(edition(1), edition(2, relation="kill", status="canceled"))
    assert await kept(shelf) == [("Ferry 2", "killed"), ("Ferry 1", "killed")]
    assert await uris(shelf, versions=True) == []


async def test_versions_wait_for_the_end_of_their_embargo(shelf: Shelf) -> None:
    shelf.put(edition(1), edition(2, embargo=at(2000)))
    assert await kept(shelf) == []
    assert await uris(shelf, versions=True) == []
    shelf.put(edition(3))
    assert [name for name, _ in await kept(shelf)] == ["Ferry 3", "Ferry 1"]
    shelf.now = to_milliseconds(at(2001))
    assert [name for name, _ in await kept(shelf)] == ["Ferry 3", "Ferry 2", "Ferry 1"]


async def test_the_newest_hundred_versions_are_kept(shelf: Shelf) -> None:
    numbers = [*range(1, MAX_KEPT_VERSIONS + 5)]
    RANDOM.shuffle(numbers)
    shelf.put(*(edition(number) for number in numbers))
    names = [name for name, _ in await kept(shelf)]
    assert names == [f"Ferry {number}" for number in range(MAX_KEPT_VERSIONS + 4, 3, -1)]


async def test_versions_go_with_their_story_or_after_their_own_time(shelf: Shelf) -> None:
    shelf.put(edition(1), edition(2), edition(3))
    assert shelf.index.prune_versions(to_milliseconds(at(2))) == 1
    assert [name for name, _ in await kept(shelf)] == ["Ferry 3", "Ferry 2"]
    assert shelf.index.prune(to_milliseconds(at(4))) == 1
    assert shelf.connection.execute("SELECT COUNT(*) FROM story_versions").fetchone() == (0,)
    assert shelf.connection.execute("SELECT COUNT(*) FROM story_terms").fetchone() == (0,)
    assert shelf.connection.execute(
        "SELECT COUNT(*) FROM story_words WHERE story_words MATCH 'copy'"
    ).fetchone() == (0,)


async def test_a_version_is_kept_as_what_it_lacks_of_the_current_one(shelf: Shelf) -> None:
    words = [f"{RANDOM.choice('bcdfgklmnprst')}{RANDOM.choice('aeiou')}{number}" for number in range(400)]
    texts = [" ".join([*words, f"ends{version}"]) for version in range(4)]
    shelf.put(
        *(
            event("urn:1", version=str(version), text=text, minute=version)
            for version, text in enumerate(texts)
        )
    )
    kept_bytes = "SELECT SUM(LENGTH(event)) FROM story_versions"
    assert shelf.connection.execute(kept_bytes).fetchone()[0] < len(texts[0]) / 5
    versions = await shelf.search.kept_versions("urn:1")
    assert [version.event.text for version in versions] == texts[::-1]


async def test_versions_that_were_compressed_alone_are_read_and_deleted(shelf: Shelf) -> None:
    shelf.put(edition(1), edition(2))
    alone = zlib.compress(encode(edition(1)))
    shelf.connection.execute("UPDATE story_versions SET event = ?", (alone,))
    assert [name for name, _ in await kept(shelf)] == ["Ferry 2", "Ferry 1"]
    shelf.put(edition(3))
    assert [name for name, _ in await kept(shelf)] == ["Ferry 3", "Ferry 2", "Ferry 1"]
    assert shelf.index.prune_versions(to_milliseconds(at(9))) == 2


async def test_kept_versions_take_little_room(shelf: Shelf) -> None:
    words = [f"{RANDOM.choice('bcdfgklmnprst')}{RANDOM.choice('aeiou')}{number}" for number in range(400)]
    names = tuple(f"Ida Brandt {number}" for number in range(12))

    def story(number: int, version: int) -> Event:
        text = " ".join(RANDOM.choices(words, k=300))
        return event(f"urn:{number}", version=str(version), text=text, names=names, minute=version)

    def pages() -> int:
        shelf.connection.execute("VACUUM")
        return int(shelf.connection.execute("PRAGMA page_count").fetchone()[0])

    shelf.put(
        *(story(number, 1) for number in range(300)), *(story(number, 2) for number in range(0, 300, 3))
    )
    with_versions = pages()
    assert shelf.index.prune_versions(to_milliseconds(at(9))) == 100
    assert with_versions <= 1.3 * pages()
