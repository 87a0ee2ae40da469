"""What is rising, as a page and for programs."""

from __future__ import annotations

from collections.abc import Callable

from lxml import html
from lxml.html import HtmlElement
from msgspec.structs import replace

from processors.model.event import Dateline, Entity, Event, Place
from processors.times import to_milliseconds
from sinks.desk.drawings import WORLD_VIEW, MapPlace, draw_bars, draw_region, draw_world
from sinks.desk.rising_page import RisingBoard
from sinks.rising import ActivitySpan
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client
from tests.sinks.events import at, event

DAY_MINUTES = 24 * 60
NOW_MINUTE = 3 * DAY_MINUTES
NOW_MS = to_milliseconds(at(NOW_MINUTE))


def news(uri: str, minute: float, *names: str, topics: tuple[str, ...] = (), feed: str = "nda") -> Event:
    return event(uri, minute=minute, names=names, topics=topics, feed=feed)


def placed(story: Event, *places: Place) -> Event:
    return replace(story, dateline=Dateline(0, 4, places))


def fill(shelf: Shelf) -> None:
    """Three days with two stories an hour; in the last hour many of a name that nobody has heard of."""
    shelf.now = NOW_MS
    shelf.put(*(news(f"urn:old:{n}", 30 * n, "Ines Okafor", feed="old") for n in range(2 * 72)))
    shelf.put(
        *(
            replace(
                placed(
                    news(f"urn:new:{n}", NOW_MINUTE - 2 - n, topics=("medtop:03000000",)),
                    Place("Vigo", "ES", 42.2, -8.7),
                ),
                entities=(
                    Entity("e1", "LOC", "Port Alder", ("Alder",)),
                    Entity("e2", "ORG", "NDA", relevance=5),
                ),
            )
            for n in range(6)
        )
    )


def board(shelf: Shelf, seconds: Callable[[], float] = lambda: 0.0) -> RisingBoard:
    return RisingBoard(shelf.search, lambda: NOW_MS, seconds)


async def test_a_name_that_is_new_in_many_stories_rises_once_with_its_latest_story(shelf: Shelf) -> None:
    fill(shelf)
    rising = await board(shelf).find(6)
    assert rising.has_history
    (name, *others) = rising.names
    assert not [other for other in others if other.name != "NDA"], (
        "neither the name of every day nor the alias"
    )
    assert (name.name, name.label, name.count) == ("Port Alder", "LOC", 6)
    assert name.latest[0].uri == "urn:new:0"
    assert sum(name.hours) == 6
    assert [(place.name, place.count) for place in rising.places] == [("Vigo", 6)]
    assert [(feed.value, feed.count) for feed in rising.feeds] == [("old", 12), ("nda", 6)]
    assert [topic.value for topic in rising.rising_topics] == ["medtop:03000000"]
    assert rising.rising_topics[0].name == "disaster, accident and emergency incident"


async def test_repeats_what_is_killed_and_what_is_under_embargo_do_not_count(shelf: Shelf) -> None:
    fill(shelf)
    before = await shelf.search.activity(ActivitySpan(NOW_MS, 6))
    late = NOW_MINUTE - 1
    shelf.put(
        event("urn:again", minute=late, relation="duplicate", chain="urn:new:1", of="urn:new:1"),
        event("urn:later", minute=late, embargo="2999-01-01T00:00:00Z"),
        event("urn:wrong", minute=late),
        event(
            "urn:k",
            minute=late,
            relation="kill",
            chain="urn:wrong",
            of="urn:wrong",
            sequence=2,
            status="canceled",
        ),
        event("urn:future", minute=NOW_MINUTE + 60),
    )
    after = await shelf.search.activity(ActivitySpan(NOW_MS, 6))
    assert after.stories == before.stories


async def test_the_store_is_asked_once_a_minute(shelf: Shelf) -> None:
    fill(shelf)
    seconds = [0.0]
    asked = board(shelf, lambda: seconds[0])
    first = await asked.find(6)
    seconds[0] = 59.0
    assert await asked.find(6) is first
    seconds[0] = 61.0
    assert await asked.find(6) is not first


async def test_the_page_of_a_desk_without_history_says_so_and_shows_what_is_named_most(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(event("urn:a", names=("Ines Okafor",)), event("urn:b", names=("Ines Okafor",)))
    for path in ("/rising", "/rising?window=24", "/rising?window=1h"):
        answer = await desk.get(path)
        assert answer.status == 200
        assert "no history yet" in await answer.text()
    answer = await desk.get("/api/rising?window=24")
    assert (await answer.json())["hasHistory"] is False


async def test_a_window_that_is_none_is_refused(desk: Client) -> None:
    for value in ("2", "0", "-1", "6 h", "9" * 400):
        assert (await desk.get(f"/rising?window={value}")).status == 400
        assert (await desk.get(f"/api/rising?window={value}")).status == 400
    assert (await desk.get("/api/rising?hours=6")).status == 400


async def test_script_in_names_places_and_feeds_stays_text(desk: Client, shelf: Shelf) -> None:
    from sinks.stories import now_ms

    shelf.now = now_ms()
    minute = (shelf.now - to_milliseconds(at(0))) / 60_000 - 5
    attack = '"><script>alert(1)</script><img src=x>'
    shelf.put(
        *(
            placed(news(f"urn:{n}", minute, attack, feed=attack), Place(attack, "ES", 42.0, -8.0))
            for n in range(4)
        )
    )
    page: HtmlElement = html.document_fromstring(await (await desk.get("/rising")).text())
    assert page.cssselect("script:not([src]), img, [onerror]") == []
    assert attack in [link.text_content() for link in page.cssselect("tbody th a")]
    assert page.cssselect("svg.world title")[0].text_content() == f"{attack}: 4"


def test_a_map_shows_the_part_of_the_world_that_holds_its_places() -> None:
    region = draw_region([MapPlace(42.2, -8.7, "Vigo"), MapPlace(41.1, -8.6, "Porto")])
    x, y, width, height = region.view
    assert all(x < dot.x < x + width and y < dot.y < y + height for dot in region.dots)
    assert width == 300
    assert draw_region([MapPlace(64.1, -21.9, "R"), MapPlace(-41.3, 174.8, "W")]).view == WORLD_VIEW
    edge = draw_region([MapPlace(-54.8, -179.9, "E")])
    assert edge.view[0] == WORLD_VIEW[0]
    assert draw_region([]).dots == ()


def test_dots_have_areas_by_weight_and_small_ones_stand_above_large_ones() -> None:
    few, many = MapPlace(0, 0, "few", 25), MapPlace(1, 1, "many", 100)
    dots = draw_world([few, many]).dots
    assert [dot.title for dot in dots] == ["many", "few"]
    assert dots[0].radius == 2 * dots[1].radius


def test_bars_are_drawn_for_hours_with_stories_only() -> None:
    assert draw_bars([0, 0]) == ""
    assert draw_bars([]) == ""
    assert draw_bars([2, 0, 1]) == "M0 28v-28h3v28zM8 28v-14h3v14z"
