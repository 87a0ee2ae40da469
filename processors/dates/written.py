"""Dates in words, as feeds write them beside RFC 5322 and ISO 8601: ``Thurs, 22 January 2026 4:30 PM EST``.

Only what reads in one way is read: a date of digits needs its year first or dots between (day, month, year). Zone names
are those of RFC 5322, section 4.3, and Europe's; any other name is no zone.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from config.tables import zones
from processors.dates.month_names import month_number

_LONGEST: Final = 80  # characters
_WRITTEN: Final = re.compile(
    r"""(?:[^\W\d_]{2,12}[.,]*\s+)?                                          # the day of the week
    (?: (?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?:\s+|-)(?:de\s+)?(?P<month>[^\W\d_]{3,12})\.?,?(?:\s+|-)(?:de\s+)?(?P<year>\d{4}|\d\d)
      | (?P<month_first>[^\W\d_]{3,12})\.?\s+(?P<second_day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<second_year>\d{4})
      | (?P<dotted_day>\d{1,2})\.(?P<dotted_month>\d{1,2})\.(?P<dotted_year>\d{4})
      | (?P<iso_year>\d{4})-(?P<iso_month>\d\d)-(?P<iso_day>\d\d) )
    (?: (?:\s*[,T]|\s+-|\s+at|\s+um|\s+à)?\s*\b(?P<hour>\d{1,2})[:.h](?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?
        (?:\s*(?P<half>[ap])\.?m\b\.?)?
        (?: \s*(?:GMT|UTC)?(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)? | \s*(?P<zone>[A-Za-z]{1,8}) )? )?
    \s*(?:\([^()]*\))?""",
    re.VERBOSE | re.IGNORECASE,
)


def written_date(value: str) -> datetime | None:
    """The moment, without a zone where none is told; None for what is no such date.

    Raises:
        ValueError: there is no such day or hour.
    """
    match = _WRITTEN.fullmatch(value) if len(value) <= _LONGEST else None
    if not match:
        return None
    told = match.groupdict()
    month = told["month"] or told["month_first"] or ""
    number = month_number(month) if month else int(told["dotted_month"] or told["iso_month"])
    if number is None:
        return None
    year = int(told["year"] or told["second_year"] or told["dotted_year"] or told["iso_year"])
    if year < 100:  # RFC 5322, section 4.3
        year += 2000 if year < 50 else 1900
    day = int(told["day"] or told["second_day"] or told["dotted_day"] or told["iso_day"])
    hour = _hour(int(told["hour"] or 0), (told["half"] or "").lower())
    minute, second = int(told["minute"] or 0), min(int(told["second"] or 0), 59)
    moment = datetime(year, number, day, hour % 24, minute, second, tzinfo=_zone(told))
    return moment + timedelta(days=hour // 24)


def _hour(hour: int, half: str) -> int:
    """The hour of 24, which is also the end of a day.

    Raises:
        ValueError: there is no such hour.
    """
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour of half a day")
        return hour % 12 + (12 if half == "p" else 0)
    if hour > 24:
        raise ValueError("no such hour")
    return hour


def _zone(told: dict[str, str | None]) -> tzinfo | None:
    if sign := told["sign"]:
        offset = timedelta(hours=int(told["hours"] or 0), minutes=int(told["minutes"] or 0))
        unknown = sign == "-" and not offset  # RFC 5322, section 3.3: "-0000" tells no zone
        return None if unknown else timezone(-offset if sign == "-" else offset)
    return zone_of(told["zone"] or "")


def zone_of(name: str) -> tzinfo | None:
    """The zone of a name like ``CET``; None where it is none, or none of one offset."""
    minutes = zones().minutes.get(name.lower())
    return None if minutes is None else timezone(timedelta(minutes=minutes))
