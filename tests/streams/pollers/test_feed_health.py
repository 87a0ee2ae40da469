"""Health is a pure view of a feed's state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from sinks.desk.health import count_feeds
from streams.pollers.feed import Feed
from streams.pollers.feed_health import read_health
from streams.pollers.schedule import count_new_items, record_arrival
from streams.pollers.state import FeedState, pack_state

NOW = 1_770_000_000.0
FEED = Feed("f", "https://desk:s3cret@wire.example/rss", "Invented")
DAY = 86400.0
BUSY = {
    "polled": NOW, "outcome": "unchanged", "seen_items": 48.0, "seen_span": DAY, "last_success": NOW,
    "since": NOW - 60 * DAY,
}  # fmt: skip


@pytest.mark.parametrize(
    ("feed", "state", "judged"),
    [
        (FEED, FeedState(), "new"),
        (FEED, FeedState(**BUSY, last_new=NOW - 3600), "ok"),  # type: ignore[arg-type]
        (FEED, FeedState(**BUSY, last_new=NOW - 7 * 3600), "stalled"),  # type: ignore[arg-type]
        (FEED, FeedState(**BUSY, last_new=NOW - 15 * 3600, quiet=14 * 3600.0), "ok"),  # type: ignore[arg-type]
        (FEED, FeedState(**BUSY, last_new=NOW - 22 * 3600, quiet=14 * 3600.0), "stalled"),  # type: ignore[arg-type]
        (FEED, FeedState(**(BUSY | {"since": NOW - DAY}), last_new=NOW - 14 * 3600), "ok"),  # type: ignore[arg-type]
        (FEED, FeedState(polled=NOW, seen_items=1, seen_span=9 * DAY, last_new=NOW - 9 * DAY), "ok"),
        (FEED, FeedState(polled=NOW, outcome="dns", failures=1), "failing"),
        (
            FEED,
            FeedState(polled=NOW, outcome="dns"),
            "failing",
        ),  # our network is down, which is no success either
        (FEED, FeedState(**(BUSY | {"outcome": "timeout"}), last_new=NOW - 3600, failures=2), "failing"),  # type: ignore[arg-type]
        (FEED, FeedState(**(BUSY | {"outcome": "timeout"}), last_new=NOW - 7 * 3600, failures=2), "stalled"),  # type: ignore[arg-type]
        (FEED, FeedState(polled=NOW, outcome="timeout", failures=3), "erroring"),
        (FEED, FeedState(polled=NOW, outcome="throttled", failures=1), "throttled"),
        (FEED, FeedState(polled=NOW, outcome="gone", disabled=True), "gone"),
        (Feed("f", "https://a.example", paused=True), FeedState(polled=NOW), "paused"),
    ],
)
def test_one_word_on_a_feed(feed: Feed, state: FeedState, judged: str) -> None:
    assert read_health(feed, pack_state(state), NOW).state == judged


def test_the_figures_are_the_states() -> None:
    state = FeedState(**BUSY, last_new=NOW - 60, next_poll=NOW + 60, gaps=2, failures=0)  # type: ignore[arg-type]
    health = read_health(FEED, pack_state(state), NOW)
    assert (health.url, health.items_per_day, health.gaps) == ("https://wire.example/rss", 48.0, 2)
    assert (health.last_new, health.next_poll) == ("2026-02-02T02:39:00.000Z", "2026-02-02T02:41:00.000Z")


@pytest.mark.parametrize("a_day", [0.5, 1.0, 6.0, 200.0])
def test_a_silence_is_told_by_what_is_usual_however_seldom_that_is(a_day: float) -> None:
    state, now = FeedState(polled=NOW, since=NOW), NOW
    for _ in range(max(8, round(30 * a_day))):
        now += DAY / a_day
        state = count_new_items(record_arrival(state, 1, now), 1, now)
    state = replace(state, last_success=now, outcome="unchanged")
    usual = read_health(FEED, pack_state(state), now).expected_per_day
    assert usual == pytest.approx(a_day, rel=0.05)
    judged = []
    for hours in range(1, 24 * 15):
        state = replace(count_new_items(state, 0, now + hours * 3600), last_success=now + hours * 3600)
        judged.append(read_health(FEED, pack_state(state), now + hours * 3600).state)
    told = judged.index("stalled") + 1
    assert told == pytest.approx(max(6, 5 * 24 / a_day), abs=3)
    assert set(judged[told:]) == {"stalled"}, "it is told until an item comes"
    assert (
        read_health(
            FEED, pack_state(record_arrival(state, 1, now + 24 * 3600 * 15)), now + 24 * 3600 * 15
        ).state
        == "ok"
    )


def test_a_feed_that_is_gone_has_no_next_poll_and_says_what_to_do() -> None:
    health = read_health(
        FEED, pack_state(FeedState(polled=NOW, outcome="gone", disabled=True, next_poll=NOW)), NOW
    )
    assert health.next_poll is None
    assert "remove it" in health.message


def test_an_error_is_told() -> None:
    state = FeedState(polled=NOW, outcome="not_a_feed", failures=4, message="an HTML page in place of a feed")
    assert read_health(FEED, pack_state(state), NOW).message == "an HTML page in place of a feed"


def test_nothing_known_is_new() -> None:
    assert read_health(FEED, b"", NOW).state == "new"


def test_silent_feeds_are_named_in_the_figures_until_they_speak() -> None:
    silent = read_health(FEED, pack_state(FeedState(**BUSY, last_new=NOW - DAY)), NOW)  # type: ignore[arg-type]
    lively = read_health(FEED, pack_state(FeedState(**BUSY, last_new=NOW - 60)), NOW)  # type: ignore[arg-type]
    count_feeds([silent])
    assert b'wire_feed_last_item_timestamp_seconds{feed="f"} 1.7699136e+09' in generate_latest()
    assert b'wire_feeds{state="stalled"} 1.0' in generate_latest()
    count_feeds([lively])
    assert b"wire_feed_last_item_timestamp_seconds{" not in generate_latest()
