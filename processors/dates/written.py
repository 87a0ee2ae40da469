"""Dates in words, as feeds write them beside RFC 5322 and ISO 8601: ``Thurs, 22 January 2026 4:30 PM EST``.

Only what reads in one way is read: a date of digits needs its year first or dots between (day, month, year). Zone names
are those of RFC 5322, section 4.3, and Europe's; any other name is no zone.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final

from config.tables import zones
from processors.dates.calendar import month_number

_MAX_DATE_CHARS: Final = 80  # characters
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
    """The moment, without a zone where none is given; None for what is no such date.

    Raises:
        ValueError: there is no such day or hour.
    """
    match = _WRITTEN.fullmatch(value) if len(value) <= _MAX_DATE_CHARS else None
    if not match:
        return None
    groups = match.groupdict()
    month = groups["month"] or groups["month_first"] or ""
    number = month_number(month) if month else int(groups["dotted_month"] or groups["iso_month"])
    if number is None:
        return None
    year = int(groups["year"] or groups["second_year"] or groups["dotted_year"] or groups["iso_year"])
    if year < 100:  # RFC 5322, section 4.3
        year += 2000 if year < 50 else 1900
    day = int(groups["day"] or groups["second_day"] or groups["dotted_day"] or groups["iso_day"])
    hour = _hour(int(groups["hour"] or 0), (groups["half"] or "").lower())
    minute, second = int(groups["minute"] or 0), min(int(groups["second"] or 0), 59)
    moment = datetime(year, number, day, hour % 24, minute, second, tzinfo=_zone(groups))
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


def _zone(groups: dict[str, str | None]) -> tzinfo | None:
    if sign := groups["sign"]:
        offset = timedelta(hours=int(groups["hours"] or 0), minutes=int(groups["minutes"] or 0))
        unknown = sign == "-" and not offset  # RFC 5322, section 3.3: "-0000" tells no zone
        return None if unknown else timezone(-offset if sign == "-" else offset)
    return zone_of(groups["zone"] or "")


def zone_of(name: str) -> tzinfo | None:
    """The zone of a name like ``CET``; None where it is none, or none of one offset."""
    minutes = zones().minutes.get(name.lower())
    return None if minutes is None else timezone(timedelta(minutes=minutes))
