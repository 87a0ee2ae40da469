"""How a feed fares, as a pure view of its state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from config.redaction import redact_secrets
from processors.times import to_timestamp
from sinks.desk.ports import FeedCondition, FeedHealth
from streams.pollers.feed import SOUND_OUTCOMES, Feed
from streams.pollers.feed_list import FeedBook
from streams.pollers.state import FeedState, unpack_header

SILENCE_FACTOR: Final = 5.0  # times the mean distance between new items, and the feed counts as stalled …
SILENCE_MARGIN: Final = 1.5  # … but not before so many times the longest silence lately: nights, weekends …
MIN_SILENCE_S: Final = 6 * 3600.0  # … and not before that, …
MIN_EARLY_SILENCE_S: Final = 72 * 3600.0  # … or that, while a whole week was not yet seen
WEEK_S: Final = 8 * 86400.0  # and a day, so that the same weekday was seen twice
MIN_ERRORS: Final = 3  # in a row, before a feed is called erroring: one or two are a restart of the server
HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0
States = Callable[[], Awaitable[Mapping[str, bytes]]]  # what pollers remember of each feed, by its id


def read_health(feed: Feed, state: bytes, now: float | None = None) -> FeedHealth:
    """The health of a feed from the bytes that the poller keeps of it; `now` in seconds since the epoch."""
    feed_state = unpack_header(state)
    moment = time.time() if now is None else now
    condition = judge_feed(feed, feed_state, moment)
    return FeedHealth(
        id=feed.id,
        title=feed.title or feed.id,
        url=feed.shown_url,
        state=condition,
        outcome=feed_state.outcome,
        last_success=_time(feed_state.last_success),
        last_new=_time(feed_state.last_new),
        items_per_day=items_per_day(feed_state),
        expected_per_day=expected_per_day(feed_state),
        next_poll=None if feed_state.disabled or feed.paused else _time(feed_state.next_poll),
        gaps=feed_state.gaps,
        errors=feed_state.failures,
        message=redact_secrets(_message(feed_state, condition)),
    )


def judge_feed(feed: Feed, state: FeedState, now: float) -> FeedCondition:
    """One word on a feed."""
    if feed.paused:
        return "paused"
    if state.disabled:
        return "gone"
    if not state.polled:
        return "new"
    return _judge_polls(state, now)


def _judge_polls(state: FeedState, now: float) -> FeedCondition:
    if state.outcome == "throttled":
        return "throttled"
    if state.failures >= MIN_ERRORS:
        return "erroring"
    if is_silent(state, now):
        return "stalled"
    return "failing" if state.outcome and state.outcome not in SOUND_OUTCOMES else "ok"


def is_silent(state: FeedState, now: float) -> bool:
    """Whether a feed has been quiet for too long by its own rhythm."""
    longest = longest_silence(state, now)
    return longest is not None and now - state.last_new > longest


def longest_silence(state: FeedState, now: float) -> float | None:
    """The silence in seconds after which something must be wrong; None where a feed's rhythm is not feed_state yet."""
    rate = expected_per_day(state) or items_per_day(state)
    if not rate or not state.last_new:
        return None
    least = MIN_SILENCE_S if state.since and now - state.since > WEEK_S else MIN_EARLY_SILENCE_S
    return max(least, SILENCE_FACTOR * DAY_S / rate, SILENCE_MARGIN * state.quiet)


def items_per_day(state: FeedState) -> float | None:
    """New items a day lately, None before an hour was watched."""
    return _rate(state.seen_items, state.seen_span)


def expected_per_day(state: FeedState) -> float | None:
    """New items a day as they were usual over the last weeks, None before there was an hour between two."""
    return _rate(state.usual_items, state.usual_span)


def _rate(items: float, span: float) -> float | None:
    return round(items / span * DAY_S, 2) if span >= HOUR_S else None


def _time(moment: float) -> str | None:
    return to_timestamp(int(moment * 1000)) if moment else None


def _message(state: FeedState, condition: FeedCondition) -> str:
    if condition == "gone":
        return "the publisher ended this feed (410 twice); remove it from the list"
    if condition == "stalled":
        return "far quieter than usual; look whether the publisher moved it"
    if state.outcome not in SOUND_OUTCOMES and state.message:
        return state.message
    notes = [state.message] if state.message else []
    if state.moved_to:
        notes.append("the publisher redirects it for good; it moves when that lasts")
    if state.url:
        notes.append("it has moved; put the new URL into the list")
    if state.capped:
        notes.append(f"{state.capped} revisions left out: an entry changed too often")
    return "; ".join(notes)


class PolledFeeds:
    """`sinks.desk.ports.Feeds` over what pollers remember."""

    def __init__(
        self, book: FeedBook, states: States, fresh_s: float = 0.0, others: Sequence[Feed] = ()
    ) -> None:
        """What is remembered is read at the first call, and again once it is `fresh_s` seconds old.

        `others` are shown beside the list: sources that are no feeds.
        """
        self._others = tuple(others)
        self._book, self._states, self._fresh = book, states, fresh_s
        self._states_by_feed: Mapping[str, bytes] = {}
        self._until = 0.0
        self._lock = asyncio.Lock()

    def replace(self, _before: Sequence[Feed], after: Sequence[Feed]) -> None:
        """Put the list in force that has become of another."""
        self._book.replace(after)

    async def list(self) -> Sequence[FeedHealth]:
        """The health of every feed, in the order of the list.

        Raises:
            Unreachable: what pollers remember stands on a server that does not answer.
        """
        async with self._lock:
            if time.monotonic() >= self._until:
                self._states_by_feed = await self._states()
                self._until = time.monotonic() + self._fresh
        return [
            read_health(feed, self._states_by_feed.get(feed.id, b""))
            for feed in (*self._book.feeds, *self._others)
        ]
