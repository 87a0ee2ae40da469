"""Timestamps as milliseconds since the epoch, and back. What the time is now is asked in `streams` and `sinks` only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

HOUR_MS: Final = 3_600_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_milliseconds(timestamp: str) -> int:
    """A timestamp as milliseconds since the epoch, rounded down; one without a zone is taken as UTC.

    Raises:
        ValueError: it is no timestamp of ISO 8601, of which RFC 3339 is a part.
    """
    moment = datetime.fromisoformat(timestamp)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=1024)  # a step asks for the same ones several times
def read_milliseconds(timestamp: str) -> int | None:
    """A timestamp that somebody else wrote as milliseconds since the epoch; None where it is none."""
    try:
        return to_milliseconds(timestamp)
    except (ValueError, OverflowError):
        return None


def to_timestamp(milliseconds: int) -> str:
    """Milliseconds since the epoch as an RFC 3339 timestamp in UTC."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
