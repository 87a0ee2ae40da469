"""When to ask again: pure functions of a feed's state, the outcome of a poll, the clock and a random number."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from config.settings import Poll
from processors.numbers import parse_int64
from streams.pollers.feed import NETWORK_OUTCOMES, SOUND_OUTCOMES, Feed, PollOutcome
from streams.pollers.state import FeedState

RATE_HALF_LIFE_S: Final = (
    86400.0  # of the count of new items: shorter forgets the night, longer misses a breaking day
)
USUAL_HALF_LIFE_S: Final = 14 * 86400.0  # of what was usual: a holiday fades, weekends stay
ITEMS_PER_POLL: Final = 0.25  # new items that a poll should bring on average
PRIOR_ITEMS: Final = ITEMS_PER_POLL  # items that a feed is given before anything is known of it
GAP_SPEEDUP: Final = 4.0  # after a gap a feed is polled so many times as often …
GAP_MEMORY_S: Final = 3600.0  # … for so long
MAX_HOST_TURNS: Final = 10  # that a poll which is due waits for its host, as a rule
MAX_RETRY_AFTER_S: Final = 86400.0
TRUNCATED_GROWTH: Final = 4.0  # what is whole in a cut document still comes, so back-off stays short
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class RhythmHints:
    """What a document says of its own rhythm: `freshness` in seconds, hours of UTC, weekdays from Monday, a hub.

    `topic` is the URL by which the hub knows the feed (``rel="self"``).
    """

    freshness: float = 0.0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    hub: str = ""
    topic: str = ""


def poll_interval(state: FeedState, feed: Feed, settings: Poll, now: float) -> float:
    """Seconds between two sound polls: by the feed's own rhythm, not before the publisher calls it stale."""
    if feed.interval:
        return feed.interval
    span, items = state.seen_span + settings.first_interval_s, state.seen_items + PRIOR_ITEMS
    wanted = ITEMS_PER_POLL * span / items
    if state.last_gap and now - state.last_gap < GAP_MEMORY_S:
        wanted /= GAP_SPEEDUP
    wanted = max(settings.min_interval_s, min(wanted, settings.max_interval_s))
    return max(wanted, min(state.freshness, settings.max_interval_s))


def count_new_items(state: FeedState, items: int, now: float) -> FeedState:
    """Count the new items of a sound poll towards the feed's rhythm. The first poll's backlog tells nothing."""
    if not state.last_success:
        return state
    span = max(0.0, now - state.last_success)
    kept = 2.0 ** (-span / RATE_HALF_LIFE_S)
    return replace(state, seen_items=state.seen_items * kept + items, seen_span=state.seen_span * kept + span)


def record_arrival(state: FeedState, items: int, now: float) -> FeedState:
    """The state when new items have come: the silence before them counts, and those before fade within weeks.

    The feed's usual rate is reckoned here and not at every poll, so that it stands through a silence, however long.
    """
    if not state.last_new:
        return replace(state, last_new=now)
    silence = max(0.0, now - state.last_new)
    kept = 2.0 ** (-silence / USUAL_HALF_LIFE_S)
    return replace(
        state, last_new=now, quiet=max(silence, state.quiet * kept),
        usual_items=state.usual_items * kept + items, usual_span=state.usual_span * kept + silence,
    )  # fmt: skip


def schedule_next(
    state: FeedState,
    outcome: PollOutcome,
    feed: Feed,
    settings: Poll,
    now: float,
    random: float,
    retry_at: float = 0.0,
) -> FeedState:
    """The state with its next poll, failures and, after a second 410, its end. `random` is in [0, 1).

    Errors back off exponentially with full jitter above the feed's own interval; only 410 ends a feed, and only when
    it is said twice at least a day (the longest back-off) apart. `retry_at` is what the host asked for.
    """
    normal = poll_interval(state, feed, settings, now)
    if outcome in SOUND_OUTCOMES:
        due = _next_allowed_time(now + normal * (1.0 + 0.1 * random), state)
        return replace(state, failures=0, gone=0.0, next_poll=due)
    failures = state.failures + 1
    state = replace(state, failures=failures)
    if outcome == "gone":
        return _after_gone(state, settings, now)
    longest = max(normal * 1.5, settings.max_backoff_s)
    if outcome == "truncated":
        longest = min(longest, normal * TRUNCATED_GROWTH)
    low = normal * (1.0 if failures < 2 else 1.6)
    high = max(low, min(longest, normal * 2.0 ** min(failures, 30)))
    if retry_at:
        retry_at += 0.1 * normal  # the host's other feeds, which waited as well, go first
    return replace(state, next_poll=max(now + low + random * (high - low), retry_at))


def spare_feed(state: FeedState, feed: Feed, settings: Poll, now: float, random: float) -> FeedState:
    """The state after a poll that failed because our own network is down: nothing is held against the feed."""
    return replace(state, next_poll=now + poll_interval(state, feed, settings, now) * (1.0 + random))


def resume_feed(state: FeedState, settings: Poll) -> FeedState:
    """The state of a feed that was due before we began: the poll that was due then counts as made.

    Whoever had the feed may have died over it. So where it was to be unconditional, the next such is due later. A poll
    waits for its turn at the host: it may have begun a little after it was due.
    """
    begun = state.next_poll + MAX_HOST_TURNS * settings.host_delay_s
    if begun - state.unconditional < settings.unconditional_s:
        return state
    return replace(state, unconditional=state.next_poll)


def set_freshness(state: FeedState, fresh: float | None, now: float) -> FeedState:
    """The state with how long answers are fresh. What was told stays for a day where an answer says nothing."""
    if fresh is not None:
        return replace(state, freshness=fresh, fresh_told=now)
    return replace(state, freshness=0.0) if now - state.fresh_told > RATE_HALF_LIFE_S else state


def freshness(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds for which an answer is fresh by Cache-Control or Expires (RFC 9111, 4.2.1); None where it says nothing."""
    control = headers.get("Cache-Control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return 0.0
    if age := re.search(r"\bmax-age\s*=\s*\"?(\d{1,10})", control):
        return max(0.0, float(age[1]) - (parse_int64(headers.get("Age", "")) or 0))
    expires = headers.get("Expires", "")
    if not expires:
        return None
    moment, sent = http_date(expires), http_date(headers.get("Date", ""))
    return max(0.0, math.ceil(moment - (sent or now))) if moment is not None else 0.0


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """When Retry-After allows the next request, at most a day ahead; None where it says nothing that can be read."""
    value = headers.get("Retry-After", "").strip()
    moment = now + float(value) if re.fullmatch(r"\d{1,9}", value) else http_date(value)
    return None if moment is None else min(max(moment, now), now + MAX_RETRY_AFTER_S)


def http_date(value: str) -> float | None:
    """An HTTP date as seconds since the epoch."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_hints(head: bytes, codec: str) -> RhythmHints:
    """``ttl``, ``sy:updatePeriod``, ``skipHours``, ``skipDays`` and the WebSub hub in the head of a feed document."""
    text = head[:20_000].decode(codec, "replace")
    fresh = 0.0
    if ttl := re.search(r"<ttl>\s*(\d{1,6})\s*</ttl>", text):
        fresh = float(ttl[1]) * 60
    elif updates := re.search(r"<sy:updatePeriod>\s*(\w+)\s*</", text):
        period = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}
        often = re.search(r"<sy:updateFrequency>\s*(\d{1,6})\s*</", text)
        fresh = period.get(updates[1].lower(), 0) / max(1, int(often[1]) if often else 1)
    hours = {
        int(hour) % 24
        for hour in re.findall(r"<hour>\s*(\d{1,2})\s*</hour>", _element_text(text, "skipHours"))
    }
    days = {day.lower() for day in re.findall(r"<day>\s*(\w+)\s*</day>", _element_text(text, "skipDays"))}
    return RhythmHints(
        fresh,
        tuple(sorted(hours)) if len(hours) < 24 else (),
        tuple(number for number, day in enumerate(WEEKDAYS) if day in days) if len(days) < 7 else (),
        _link_href(text, "hub"),
        _link_href(text, "self"),
    )


def blames_us(outcome: PollOutcome) -> bool:
    """Whether an outcome may come from our own network."""
    return outcome in NETWORK_OUTCOMES


def _element_text(text: str, name: str) -> str:
    element = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return element[1] if element else ""


def _link_href(text: str, relation: str) -> str:
    for link in re.findall(r"<(?:\w+:)?link\b[^>]*>", text):
        if re.search(rf"rel\s*=\s*[\"']{relation}[\"']", link) and (
            href := re.search(r"href\s*=\s*[\"']([^\"']+)", link)
        ):
            return html.unescape(href[1])
    return ""


def _after_gone(state: FeedState, settings: Poll, now: float) -> FeedState:
    if state.gone and now - state.gone >= settings.max_backoff_s:
        return replace(state, disabled=True, next_poll=0.0)
    return replace(
        state, gone=state.gone or now, next_poll=(state.gone or now) + settings.max_backoff_s * 1.01
    )


def _next_allowed_time(due: float, state: FeedState) -> float:
    """The first moment from `due` on that lies in no hour or day which the publisher leaves out."""
    if not state.skip_hours and not state.skip_days:
        return due
    moment = datetime.fromtimestamp(due, UTC)
    for _ in range(24 * 8):
        if moment.hour not in state.skip_hours and moment.weekday() not in state.skip_days:
            return max(due, moment.timestamp())
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return due
