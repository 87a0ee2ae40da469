"""Which of two events of one uri is the later: a number that both indices order by.

Topics may deliver an event again, or late. An index keeps the event with the greatest revision, and takes an equal one
again, so that repeats and stale events change nothing.
"""

from __future__ import annotations

from typing import Final

from processors.model.event import Event
from processors.numbers import parse_int64
from processors.times import to_milliseconds

NUMBER_BITS: Final = 20
TIME_BITS: Final = 42  # milliseconds until the year 2109
DELAY_BITS: Final = 29  # tenths of a second between a version's time and its reception: up to 621 days
NUMBERED: Final = 1 << (NUMBER_BITS + TIME_BITS)  # the highest bit of a signed 64-bit number


def revision(event: Event) -> int:
    """The publisher's version, then the log's time, as a number from 0 to 2**63 - 1.

    A small number as version counts as it stands. Where the version is absent, or is itself a date or a serial number
    (``20260131T120500Z``, ``1769860000``), the time of the version decides; a story that tells no time has that of its
    reception. A numbered version is later than any without a number: publishers who leave the number out mean the first
    version, and go on with 2.
    """
    received = to_milliseconds(event.provenance.received) if event.provenance else 0
    version = event.story.version or ""
    number = parse_int64(version)
    if number and number < 2**NUMBER_BITS:
        return NUMBERED | (number << TIME_BITS) | _fitted(received, TIME_BITS)
    made = _version_time(version, event)
    made = received if made is None else made
    delay = _fitted((received - made) // 100, DELAY_BITS)
    return min((max(made // 1000, 0) << DELAY_BITS) | delay, NUMBERED - 1)


def story_time(event: Event) -> int:
    """The story's own time in milliseconds, at the latest when it was received: what lists are sorted by."""
    received = to_milliseconds(event.provenance.received) if event.provenance else 0
    told = event.story.version_created or event.story.first_created
    made = _moment(told) if told else None
    return received if made is None else min(made, received)


def _version_time(version: str, event: Event) -> int | None:
    told = _moment(version) if version else None
    if told is None and event.story.version_created:
        told = _moment(event.story.version_created)
    return told


def _moment(text: str) -> int | None:
    """A date and time in ISO 8601, with or without separators, as milliseconds; None for anything else."""
    text = f"{text[:8]}T{text[8:]}" if text.isdecimal() and len(text) in {12, 14} else text
    try:
        return to_milliseconds(text)
    except (ValueError, OverflowError):
        return None


def _fitted(value: int, bits: int) -> int:
    return min(max(value, 0), (1 << bits) - 1)
