"""What one feed may leave behind in the log: bytes of raw items an hour, and of dead letters a day.

A publisher chooses what a poll brings, so without a budget one feed fills the disk of all. What is over it is not lost in
silence: items wait in the feed for the next hour, letters are cut or only counted, and each is told in the feed's
message, the log and a metric.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from msgspec import structs

from config.settings import Poll
from processors.errors import Bug, Rejected, TooLarge
from processors.model.event import RawItem
from streams.pollers.state import FeedState

# Kept of a document that can't be read. Less: the fault can't be seen in it; more: pages in place of feeds fill the disk.
MAX_LETTER_BYTES: Final = 256 * 1024
HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
RejectedItem = tuple[RawItem, Rejected | Bug]


def spend_item_bytes(
    state: FeedState, items: tuple[RawItem, ...], settings: Poll, now: float
) -> FeedState | None:
    """The state with the bytes of new items on its account of the hour; None where they don't fit into it any more.

    Raises:
        TooLarge: they would not fit into any hour.
    """
    size = sum(len(item.payload) for item in items)
    if size > settings.max_feed_bytes_per_hour:
        raise TooLarge(
            f"{size:,} bytes of new items, over {settings.max_feed_bytes_per_hour:,}; "
            "raise poll.max_feed_bytes_per_hour if the feed is a good one"
        )
    hour = int(now // HOUR_S)
    spent = state.item_bytes if state.item_hour == hour else 0
    if spent + size > settings.max_feed_bytes_per_hour:
        return None
    return replace(state, item_hour=hour, item_bytes=spent + size)


def next_hour(now: float) -> float:
    """When the next account of items begins (seconds since the epoch)."""
    return (now // HOUR_S + 1) * HOUR_S


def spend_letter_bytes(
    state: FeedState, rejected: RejectedItem, settings: Poll, now: float
) -> tuple[FeedState, RejectedItem | None, tuple[str, ...]]:
    """The state with a dead letter on its account of the day, the letter, cut where it is long, and what was withheld.

    The letter is None where the day has no room for it.
    """
    item, error = rejected
    withheld: tuple[str, ...] = ()
    size = len(item.payload)
    if size > MAX_LETTER_BYTES:
        item = structs.replace(item, payload=item.payload[:MAX_LETTER_BYTES])
        error = type(error)(f"{error} (the first {MAX_LETTER_BYTES:,} of {size:,} bytes are kept)")
        withheld = ("letter_bytes",)
    day = int(now // DAY_S)
    spent = (state.letter_bytes if state.letter_day == day else 0) + len(item.payload)
    if spent > settings.max_letter_bytes_per_day:
        message = f"{state.message} (no dead letter: the feed has had its poll.max_letter_bytes_per_day)"
        return replace(state, message=message), None, ("letter",)
    return replace(state, letter_day=day, letter_bytes=spent), (item, error), withheld
