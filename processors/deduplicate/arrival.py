"""A story as it is placed: what the deduplicator reads of an event when its turn comes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from processors.deduplicate.fingerprint import Fingerprint
from processors.deduplicate.score import HOUR_MS
from processors.model.event import Event
from processors.signals import Signals, read_signals

AHEAD_MS: Final = 24 * HOUR_MS  # a story dated further after its arrival than this is taken at its arrival
EPOCH_MS: Final = 24 * HOUR_MS


class Arrival(NamedTuple):
    """A story as it is placed: its event, what is compared of it, what it says of itself, and its own time."""

    event: Event
    made: Fingerprint
    signals: Signals
    time: int  # milliseconds since the epoch
    late: bool  # its time lies before the window


def arrival(event: Event, made: Fingerprint, now: int | None, length: int) -> Arrival:
    """Read an event that comes when the window's time is `now`; the window's length is in milliseconds, too."""
    story = event.story
    time = _time(event, now)
    signals = read_signals(
        headline=event.headline,
        slugline=story.slugline or "",
        ed_note=story.ed_note or "",
        text=event.text,
        genres=story.genres,
    )
    return Arrival(event, made, signals, time, now is not None and time < now - length)


def _time(event: Event, now: int | None) -> int:
    """The story's own time in milliseconds, or that of its arrival where it has none or lies far ahead.

    The first day of 1970 is what programs write that know no date.
    """
    received = _milliseconds(event.provenance.received if event.provenance else None)
    told = _milliseconds(event.story.version_created)
    if told is not None and abs(told) < EPOCH_MS:
        told = None
    if told is not None and (received is None or told <= received + AHEAD_MS):
        return told
    return received if received is not None else now or 0


@lru_cache(maxsize=256)
def _milliseconds(timestamp: str | None) -> int | None:
    try:
        moment = datetime.fromisoformat(timestamp) if timestamp else None
    except ValueError:
        return None
    if moment is None:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
