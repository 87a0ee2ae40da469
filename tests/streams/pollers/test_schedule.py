"""When to ask again, for each outcome, clock and chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Poll
from streams.pollers import schedule
from streams.pollers.feed import Feed, PollOutcome
from streams.pollers.state import FeedState

NOW = datetime(2026, 2, 2, 10, 30, tzinfo=UTC).timestamp()  # a Monday
FEED = Feed("f", "https://wire.example/rss")
SETTINGS = Poll()
HOUR, DAY = 3600.0, 86400.0


def wait(state: FeedState, outcome: PollOutcome, random: float = 0.0, retry_at: float = 0.0) -> float:
    return schedule.schedule_next(state, outcome, FEED, SETTINGS, NOW, random, retry_at).next_poll - NOW


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        pytest.param(FeedState(), 300, id="nothing known: first_interval_s"),
        pytest.param(FeedState(seen_items=24, seen_span=DAY), 894, id="24 items a day"),
        pytest.param(FeedState(seen_items=5000, seen_span=DAY), 60, id="never under min_interval_s"),
        pytest.param(FeedState(seen_items=0, seen_span=9 * DAY), 6 * HOUR, id="never over max_interval_s"),
        pytest.param(FeedState(freshness=1800), 1800, id="not before it is stale"),
        pytest.param(FeedState(freshness=30 * DAY), 6 * HOUR, id="a year of max-age is no order"),
        pytest.param(
            FeedState(seen_items=24, seen_span=DAY, last_gap=NOW - 60), 223, id="faster after a gap"
        ),
    ],
)
def test_the_interval_follows_the_feed_and_its_publisher(state: FeedState, seconds: float) -> None:
    assert schedule.poll_interval(state, FEED, SETTINGS, NOW) == pytest.approx(seconds, abs=1)


def test_an_interval_that_the_operator_fixed_goes_first() -> None:
    assert schedule.poll_interval(FeedState(freshness=9000), replace(FEED, interval=20), SETTINGS, NOW) == 20


@pytest.mark.parametrize("outcome", ["new", "unchanged", "not_modified"])
def test_a_sound_poll_clears_failures(outcome: PollOutcome) -> None:
    state = schedule.schedule_next(FeedState(failures=7, gone=5.0), outcome, FEED, SETTINGS, NOW, 0.5)
    assert (state.failures, state.gone) == (0, 0.0)
    assert state.next_poll - NOW == pytest.approx(315)


@pytest.mark.parametrize(
    ("failures", "low", "high"),
    [(0, 300, 600), (1, 480, 1200), (2, 480, 2400), (7, 480, 76800), (30, 480, DAY)],
)
def test_errors_back_off_with_full_jitter_above_the_interval(failures: int, low: float, high: float) -> None:
    state = FeedState(failures=failures)
    assert wait(state, "http_5xx", 0.0) == pytest.approx(low)
    assert wait(state, "http_5xx", 1.0) == pytest.approx(high)


@pytest.mark.parametrize(
    "outcome", ["http_4xx", "http_5xx", "timeout", "dns", "not_a_feed", "malformed", "too_large"]
)
def test_no_error_ever_ends_a_feed(outcome: PollOutcome) -> None:
    state = FeedState()
    for _ in range(200):
        state = schedule.schedule_next(state, outcome, FEED, SETTINGS, NOW, 0.99)
        assert not state.disabled
        assert state.next_poll - NOW <= DAY


def test_gone_ends_a_feed_when_it_is_said_twice_a_day_apart() -> None:
    first = schedule.schedule_next(FeedState(), "gone", FEED, SETTINGS, NOW, 0.5)
    assert not first.disabled
    assert first.next_poll - NOW >= DAY
    assert not schedule.schedule_next(first, "gone", FEED, SETTINGS, NOW + HOUR, 0.5).disabled
    assert schedule.schedule_next(first, "gone", FEED, SETTINGS, first.next_poll, 0.5).disabled


def test_retry_after_is_a_lower_bound() -> None:
    assert 4000 <= wait(FeedState(), "throttled", 0.0, NOW + 4000) < 4100
    assert wait(FeedState(), "throttled", 1.0, NOW + 10) == pytest.approx(600)


def test_a_cut_document_is_asked_for_again_before_long() -> None:
    assert wait(FeedState(failures=20), "truncated", 1.0) == pytest.approx(1200)


def test_our_own_outage_is_not_held_against_a_feed() -> None:
    state = schedule.spare_feed(FeedState(failures=2), FEED, SETTINGS, NOW, 0.5)
    assert state.failures == 2
    assert state.next_poll - NOW == pytest.approx(450)


@pytest.mark.parametrize(
    ("hours", "days", "due"),
    [
        ((), (), "2026-02-02T10:35"),
        ((10, 11), (), "2026-02-02T12:00"),
        ((), (0,), "2026-02-03T00:00"),
        ((0,), (0, 1), "2026-02-04T01:00"),
        (tuple(range(24)), (), "2026-02-02T10:35"),
    ],
)
def test_hours_and_days_that_a_publisher_leaves_out_are_left_out(
    hours: tuple[int, ...], days: tuple[int, ...], due: str
) -> None:
    state = schedule.schedule_next(
        FeedState(skip_hours=hours, skip_days=days), "unchanged", FEED, SETTINGS, NOW, 0.0
    )
    assert datetime.fromtimestamp(state.next_poll, UTC).isoformat().startswith(due)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "public, max-age=120"}, 120),
        ({"Cache-Control": "max-age=120", "Age": "50"}, 70),
        ({"Cache-Control": "no-cache, max-age=120"}, 0),
        ({"Expires": "Mon, 02 Feb 2026 10:40:00 GMT"}, 600),
        ({"Expires": "Mon, 02 Feb 2026 12:40:00 GMT", "Date": "Mon, 02 Feb 2026 12:30:00 GMT"}, 600),
        ({"Expires": "0"}, 0),
        ({"Cache-Control": "max-age=5", "Expires": "Mon, 02 Feb 2026 10:40:00 GMT"}, 5),
        ({}, None),
    ],
)
def test_freshness_is_read_as_rfc_9111_says(headers: dict[str, str], seconds: float | None) -> None:
    assert schedule.freshness(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120),
        ("Mon, 02 Feb 2026 10:40:00 GMT", 600),
        ("Mon, 02 Feb 2026 09:00:00 GMT", 0),
        ("99999999", DAY),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(told: str, seconds: float | None) -> None:
    moment = schedule.retry_after({"Retry-After": told}, NOW)
    assert (None if moment is None else moment - NOW) == seconds


def test_a_document_tells_its_rhythm_and_hub() -> None:
    head = b"""<rss xmlns:atom="http://www.w3.org/2005/Atom"><channel><ttl>45</ttl>
      <skipHours><hour>0</hour><hour>24</hour><hour>5</hour></skipHours><skipDays><day>Sunday</day></skipDays>
      <atom:link rel="hub" href="https://hub.example/"/>"""
    assert schedule.read_hints(head, "utf-8") == schedule.RhythmHints(
        2700, (0, 5), (6,), "https://hub.example/"
    )


def test_the_syndication_module_tells_a_rhythm() -> None:
    head = b"<sy:updatePeriod> daily </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
    assert schedule.read_hints(head, "utf-8").freshness == 21600


def test_the_backlog_of_the_first_poll_is_no_rhythm() -> None:
    assert schedule.count_new_items(FeedState(), 40, NOW).seen_items == 0


@given(st.integers(1, 200))
def test_the_rhythm_settles_on_the_rate(a_day: int) -> None:
    state, moment = FeedState(last_success=NOW), NOW
    for _ in range(24 * 12):
        moment += HOUR
        state = replace(schedule.count_new_items(state, a_day / 24, moment), last_success=moment)  # type: ignore[arg-type]
    assert state.seen_items / state.seen_span * DAY == pytest.approx(a_day, rel=0.02)


@given(st.floats(0, 0.999), st.integers(0, 60), st.sampled_from(["dns", "throttled", "new", "truncated"]))
def test_the_next_poll_lies_between_the_least_and_the_longest(
    random: float, failures: int, outcome: PollOutcome
) -> None:
    assert (
        SETTINGS.min_interval_s
        <= wait(FeedState(failures=failures), outcome, random)
        <= SETTINGS.max_backoff_s
    )


def test_nights_and_weekends_are_learnt_and_a_holiday_fades() -> None:
    """An office that publishes each half hour from 8 to 18, Monday to Friday, and is closed for three weeks once."""
    day, state = 86400.0, FeedState()
    for number in range(12 * 7):
        for half_hour in range(16, 36) if number % 7 < 5 else ():
            state = schedule.record_arrival(state, 1, number * day + half_hour * 1800.0)
    weekend = 2.5 * day
    assert 0.8 * weekend < state.quiet < 1.2 * weekend
    back = schedule.record_arrival(state, 1, state.last_new + 21 * day)
    assert back.quiet == 21 * day
    later = back
    for _ in range(60):
        later = schedule.record_arrival(later, 1, later.last_new + day)
    assert later.quiet < 2 * day


@pytest.mark.parametrize(
    ("last", "counted"),
    [(0.0, 90_000.0), (3610.0, 90_000.0), (80_000.0, 80_000.0)],
    ids=["lost", "begun late and lost", "not due"],
)
def test_a_poll_without_validators_that_may_have_been_lost_is_not_repeated(
    last: float, counted: float
) -> None:
    state = FeedState(unconditional=last, next_poll=90_000.0)
    assert schedule.resume_feed(state, Poll(unconditional_s=86_400.0)).unconditional == counted
