"""When digests go out: by the clock of a zone, also where the clocks change."""

from __future__ import annotations

import pytest

from processors.times import to_milliseconds, to_timestamp
from sinks.alerts.schedule import MAX_WAIT_MS, is_due, next_digest, parse_clock_time, quiet_end


def ms(text: str) -> int:
    return to_milliseconds(f"{text}:00.000Z")


def due(rhythm: str, at: str, zone: str, now: str) -> str:
    return to_timestamp(next_digest(rhythm, at, zone, ms(now)))[:16]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "at", "now", "expected"),
    [
        ("UTC", "08:00", "2026-01-31T07:59", "2026-01-31T08:00"),
        ("UTC", "08:00", "2026-01-31T08:00", "2026-02-01T08:00"),
        ("Europe/Madrid", "08:00", "2026-01-31T06:59", "2026-01-31T07:00"),
        ("Europe/Madrid", "08:00", "2026-07-31T05:59", "2026-07-31T06:00"),
        ("Asia/Kolkata", "00:00", "2026-01-31T18:29", "2026-01-31T18:30"),
        # clocks go forward at 2:00 on the 29th of March: 2:30 comes as 3:30, an hour before the day after's
        ("Europe/Madrid", "02:30", "2026-03-28T23:00", "2026-03-29T01:30"),
        ("Europe/Madrid", "02:30", "2026-03-29T01:30", "2026-03-30T00:30"),
        # clocks go back at 3:00 on the 25th of October: 2:30 comes twice, the digest once
        ("Europe/Madrid", "02:30", "2026-10-24T23:00", "2026-10-25T00:30"),
        ("Europe/Madrid", "02:30", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("America/New_York", "23:59", "2026-11-01T05:00", "2026-11-02T04:59"),
    ],
)
def test_the_digest_of_a_day_comes_at_its_time_of_the_clock(
    zone: str, at: str, now: str, expected: str
) -> None:
    assert due("day", at, zone, now) == expected


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("UTC", "2026-01-31T07:59", "2026-01-31T08:00"),
        ("UTC", "2026-01-31T08:00", "2026-01-31T09:00"),
        ("Asia/Kolkata", "2026-01-31T08:00", "2026-01-31T08:30"),
        ("Europe/Madrid", "2026-03-29T00:30", "2026-03-29T01:00"),
        ("Europe/Madrid", "2026-10-25T00:30", "2026-10-25T01:00"),
    ],
)
def test_the_digest_of_an_hour_comes_at_the_full_hour_of_the_zone(zone: str, now: str, expected: str) -> None:
    assert due("hour", "08:00", zone, now) == expected


@pytest.mark.parametrize(
    ("begin", "end", "now", "expected"),
    [
        ("22:00", "07:00", "2026-01-31T20:59", ""),
        ("22:00", "07:00", "2026-01-31T21:00", "2026-02-01T06:00"),
        ("22:00", "07:00", "2026-01-31T05:59", "2026-01-31T06:00"),
        ("22:00", "07:00", "2026-01-31T06:00", ""),
        ("12:00", "14:00", "2026-01-31T11:30", "2026-01-31T13:00"),
        ("12:00", "12:00", "2026-01-31T11:00", ""),
        ("", "", "2026-01-31T11:00", ""),
    ],
)
def test_quiet_hours_end_where_they_say(begin: str, end: str, now: str, expected: str) -> None:
    found = quiet_end(begin, end, "Europe/Madrid", ms(now))
    assert (to_timestamp(found)[:16] if found else "") == expected


@pytest.mark.parametrize("text", ["", "8:00", "24:00", "08:60", "08.00", "0８:00", "08:00:00"])
def test_what_is_no_time_of_the_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 08:00"):
        parse_clock_time(text)


def test_what_a_clock_that_was_set_back_has_put_far_ahead_is_due() -> None:
    now = ms("2026-01-31T12:00")
    assert not is_due(now + 1, now)
    assert not is_due(now + MAX_WAIT_MS, now)
    assert is_due(now + MAX_WAIT_MS + 1, now)
