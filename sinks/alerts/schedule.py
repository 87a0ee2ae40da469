"""When an alert goes out: at once, with the digest of the hour or the day, or after quiet hours. Pure: time comes in.

Times of the clock are those of a named zone. Where the clocks go forward over one, it comes with the hour behind; where
they go back, it comes once, the first time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

Rhythm = Literal["once", "hour", "day"]
HOUR_MS: Final = 3_600_000
# No alert waits longer than this by its rhythm: a day that is longer by the clocks' change, and some minutes. One that
# would was noted by a clock that has been set back since, and goes out now.
MAX_WAIT_MS: Final = 26 * HOUR_MS
_CLOCK_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def parse_clock_time(text: str) -> time:
    """A time of the clock.

    Raises:
        ValueError: it is none; the message says how one is written.
    """
    match = _CLOCK_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no time of the clock; write it as 08:00")
    return time(int(match[1]), int(match[2]))


@lru_cache(64)
def find_zone(name: str) -> ZoneInfo:
    """A time zone by its name at IANA.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in available_timezones():
        raise ValueError(f"{name[:80]!r} is no time zone; write it as Europe/Madrid, or UTC")
    return ZoneInfo(name)


def next_digest(rhythm: Rhythm, at: str, zone: str, now: int) -> int:
    """When the next digest goes out, in milliseconds, after `now`; 0 where each alert goes at once."""
    if rhythm == "once":
        return 0
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(find_zone(zone))
    if rhythm == "hour":
        offset = int((local.utcoffset() or timedelta()).total_seconds() * 1000)
        return ((now + offset) // HOUR_MS + 1) * HOUR_MS - offset
    wanted = parse_clock_time(at)
    day = local.date()
    while (due := _moment_at(datetime.combine(day, wanted), zone)) <= now:
        day += timedelta(days=1)
    return due


def quiet_end(quiet_from: str, quiet_until: str, zone: str, now: int) -> int:
    """When the quiet hours end in which `now` lies, in milliseconds; 0 where it lies in none."""
    if not quiet_from or not quiet_until or quiet_from == quiet_until:
        return 0
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(find_zone(zone))
    begin, end = parse_clock_time(quiet_from), parse_clock_time(quiet_until)
    clock = local.time().replace(second=0, microsecond=0, tzinfo=None)
    is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not is_quiet:
        return 0
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    due = _moment_at(datetime.combine(day, end), zone)
    return due if due > now else 0  # the hour that comes twice


def is_due(due: int, now: int) -> bool:
    """Whether something that was to wait until `due` may go: its time has come, or the clock was set back."""
    return due <= now or due > now + MAX_WAIT_MS


def _moment_at(local: datetime, zone: str) -> int:
    return int(local.replace(tzinfo=find_zone(zone), fold=0).timestamp() * 1000)
