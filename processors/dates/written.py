"""Dates in words, as feeds write them beside RFC 5322 and ISO 8601: ``Thurs, 22 January 2026 4:30 PM EST``.

Only what reads in one way is read. The date comes first, then the time, then the zone, each taken out of the string; what
is left may be a day of the week, words such as "at", or a remark in brackets. A date of digits needs its year first, dots
between (day, month, year), or a day over 12. A zone that nobody knows makes the date unreadable: the instant would be
wrong.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from config.tables import zones
from processors.dates.calendar import feed_month_number, fold_accents, weekdays

_MAX_DATE_CHARS: Final = 80  # the longest, with weekday, month and zone in words, has 60
_MAX_OFFSET: Final = timedelta(hours=14)  # of Kiribati, the furthest from Greenwich
_SIGNS: Final = str.maketrans({
    "\u2212": "-", "\u2013": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u3000": " ",
})  # fmt: skip
# ``Fri Oct 26 04:47:19 CEST 2012``, as date(1), C and Java print it: the year goes before the time.
_YEAR_LAST: Final = re.compile(
    r"(.*?(?:[^\W\d_]{3,12}\.?\s+\d{1,2}|\b\d{1,2}\s+[^\W\d_]{3,12}\.?),?)\s+(\d{1,2}:\d\d\S*(?:\s.*)?)\s+(\d{4})(\s*\([^()]*\)|\s+(?:[A-Z]{2,5}|[+-]\d{4}))?"
)
_WORD: Final = r"[^\W\d_]{3,12}"
_DATES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 2013年10月8日, 2013년 10월 8일
        r"(?<!\d)(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日일号號]?",
        # 2013-10-8, 2013/10/08, 2013.10.8, 2013. 10. 8.
        r"(?<!\d)(?P<year>\d{4})(?P<mark>[-/.]|\. )(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?=\D|\Z)\.?",
        # 8 October 2013, 8th of Oct. 13, 8 d'octubre de 2013
        (
            rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.|º|°|ª)?(?:\s+|-)(?:d'|d’|(?:de|of|i)\s+)?(?P<name>{_WORD})\.?,?(?:\s+|-)(?:(?:de|del)\s+)?"
            r"(?P<year>\d{4}|\d\d(?![\d:.h]))"
        ),
        # October 8, 2013
        rf"(?P<name>{_WORD})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})",
        # 2013. október 8., 2013-Oct-08
        rf"(?<!\d)(?P<year>\d{{4}})(?:\.?,?\s+|-)(?P<name>{_WORD})\.?(?:\s+|-)(?P<day>\d{{1,2}})\.?",
        # 8.10.2013
        r"(?<!\d)(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})",
        # 28/10/2013 and 10/28/2013, of which each reads in one way
        (
            r"(?<!\d)(?:(?P<day>1[3-9]|2\d|3[01])[-/](?P<month>0?[1-9]|1[0-2])|(?P<month_first>0?[1-9]|1[0-2])[-/](?P<day_second>1[3-9]|2\d|3[01]))"
            r"[-/](?P<year>\d{4})"
        ),
    )
)
_TIME: Final = re.compile(
    r"(?P<before>오전|오후|上午|下午|午前|午後)?\s*(?<![\d.:+-])(?P<hour>\d{1,2})"
    r"(?:\s?[:h]\s?|\s?[시时時点點]\s?|\.(?=\d\d(?![\d.])))(?P<minute>\d\d)\s?[분分]?"
    r"(?:[:.\s](?P<second>\d\d)(?=\D|\Z)\s?[초秒]?(?:[.,](?P<fraction>\d{1,9})|:(?P<thousandths>\d{3})(?!\d))?)?"
    r"(?:\s*(?:(?P<half>[ap])\.?m\b\.?|(?P<greek>[πμ]\.?μ)\b\.?))?",
    re.IGNORECASE,
)
_LATER_HALVES: Final = frozenset({"p", "오후", "下午", "午後", "μ.μ", "μμ"})
_OFFSET: Final = re.compile(
    r"(?:\b(?:GMT|UTC?)\s?|(?<![A-Za-z+-]))(?P<sign>[+-])\s?(?P<hours>\d{1,2})(?:[:.]?(?P<minutes>\d\d))?(?![\d:.])",
    re.IGNORECASE,
)
_IANA: Final = re.compile(r"(?<![\w/])[A-Za-z]+(?:/[A-Za-z][\w+-]*){1,2}(?![\w/])")
_REMARK: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_ZONE_IN_REMARK: Final = re.compile(
    r"\s*(?:[A-Z]{2,5}|[A-Za-z]+/[A-Za-z_/+-]+|(?:GMT|UTC)?[+-]\d{1,2}(?::?\d\d)?)\s*"
)
_LEFT_WORD: Final = re.compile(r"[^\W\d_]+(?:[-.][^\W\d_]+)*|\d+")
_MILITARY_ZONE: Final = re.compile(
    "[A-SU-Z]"
)  # which senders mixed up, so that nobody can rely on one (RFC 5322, 4.3)
_UNKNOWN: Final = timezone(timedelta(hours=23), "unknown")  # stands for a zone that nobody knows
# What stands between the parts of a date in the languages that are known, and means nothing by itself.
_FILLERS: Final = frozenset(
    "t at on um uhr à a las às le den der am kl klo ore alle o uur h hs hrs hr hora horas godz w в г год года о ч час "  # noqa: SIM905 -- a word list
    "годині року р στις ve saat d p r kell de and del klukkan m".split()
)


def written_date(value: str, language: str | None = None, home: tzinfo | None = None) -> datetime | None:
    """The moment, without a zone where none is given; None for what is no such date, or is in a zone that nobody knows.

    Args:
        value: The date as sent.
        language: Of the feed (BCP 47): its country decides between zones of one name.
        home: The zone that the feed is in by its settings, whose own names for it come first.

    Raises:
        ValueError: there is no such day or hour.
    """
    if len(value) > _MAX_DATE_CHARS:
        return None
    value = value.translate(_SIGNS).strip()
    if moved := _YEAR_LAST.fullmatch(value):
        value = f"{moved[1]} {moved[3]} {moved[2]}{moved[4] or ''}"
    dated = _take_date(value)
    if dated is None:
        return None
    (year, month, day), before, rest = dated
    time = _TIME.search(rest)
    hour = minute = second = micro = 0
    if time:
        half = (time["half"] or time["before"] or time["greek"] or "").lower()
        hour, minute = _hour_of(int(time["hour"]), half), int(time["minute"])
        second = min(int(time["second"] or 0), 59)  # a leap second
        micro = int((time["fraction"] or time["thousandths"] or "0")[:3].ljust(3, "0")) * 1000
        rest = f"{rest[: time.start()]} {rest[time.end() :]}"
    moment = datetime(year, month, day, hour % 24, minute, second, micro) + timedelta(days=hour // 24)  # noqa: DTZ001 -- the zone follows
    zone = _zone_in(rest, moment, language, home)
    if zone is _UNKNOWN or not _is_plain(before):
        return None
    return moment.replace(tzinfo=zone)


def _take_date(value: str) -> tuple[tuple[int, int, int], str, str] | None:
    """Year, month and day; what stands before them, and what behind."""
    for pattern in _DATES:
        match = pattern.search(value)
        if not match:
            continue
        groups = match.groupdict()
        name = groups.get("name")
        month = feed_month_number(name) if name else int(groups["month"] or groups.get("month_first") or 0)
        if month is None:
            continue
        day = int(groups["day"] or groups.get("day_second") or 0)
        year = int(groups["year"])
        if year < 100:  # RFC 5322, section 4.3
            year += 2000 if year < 50 else 1900
        return (year, month, day), value[: match.start()], value[match.end() :]
    return None


def _hour_of(hour: int, half: str) -> int:
    """The hour of 24, which is also the end of a day.

    Raises:
        ValueError: there is no such hour.
    """
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour of half a day")
        return hour % 12 + (12 if half in _LATER_HALVES else 0)
    if hour > 24:
        raise ValueError("no such hour")
    return hour


def _zone_in(rest: str, moment: datetime, language: str | None, home: tzinfo | None) -> tzinfo | None:
    """The zone in what is left of a date; None where none is given, `_UNKNOWN` for one that nobody knows.

    Raises:
        ValueError: no place on earth has such an offset.
    """
    if iana := _IANA.search(rest):
        return _iana_zone(iana[0]) or _UNKNOWN
    without = _REMARK.sub(" ", rest)
    if offset := _OFFSET.search(without):
        words = _meaningful_words(without[: offset.start()] + without[offset.end() :])
        return _zone_of_offset(offset) if len(words) <= 1 else _UNKNOWN  # "+0200 CEST": the figures count
    words = _meaningful_words(without)
    if len(words) > 1:
        return _UNKNOWN
    if not words:
        remark = _REMARK.search(rest)
        inside = remark[1] or remark[2] or "" if remark else ""
        is_zone = _ZONE_IN_REMARK.fullmatch(inside) is not None
        return _zone_in(f" {inside} ", moment, language, home) if is_zone else None
    return _named_zone(words[0], moment, language, home)


def _named_zone(name: str, moment: datetime, language: str | None, home: tzinfo | None) -> tzinfo:
    if home and home.tzname(moment) == name.upper():
        return home
    return zone_of(name, language) or _UNKNOWN


def _is_plain(before: str) -> bool:
    """Whether there is at most a day of the week, or any one word, before a date."""
    return len(_meaningful_words(before)) <= 1 and not any(map(str.isdigit, before))


def _meaningful_words(words: str) -> list[str]:
    """The words and figures that are no days of the week and don't just join the parts of a date."""
    return [
        word
        for word in _LEFT_WORD.findall(words)
        if (word.lower() not in _FILLERS or _MILITARY_ZONE.fullmatch(word))
        and fold_accents(word).replace("-", " ") not in weekdays()
    ]


def _zone_of_offset(offset: re.Match[str]) -> tzinfo | None:
    sign = offset["sign"]
    hours, minutes = int(offset["hours"]), int(offset["minutes"] or 0)
    east = timedelta(hours=hours, minutes=minutes)
    if east > _MAX_OFFSET or minutes > 59:
        raise ValueError("no zone is so far from Greenwich")
    if sign == "-" and not east:
        return None  # RFC 5322, section 3.3: "-0000" tells no zone
    return timezone(-east if sign == "-" else east)


@lru_cache(maxsize=256)
def _iana_zone(name: str) -> tzinfo | None:
    return ZoneInfo(name) if name in _iana_names() else None


@cache
def _iana_names() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def zone_of(name: str, language: str | None = None) -> tzinfo | None:
    """The zone of a name like ``CET``; None where it is none, or none of one offset.

    Some names mean several zones: the country in `language` (BCP 47) decides, else RFC 5322 or nobody.
    """
    low = name.lower()
    if zone := zones().names.get(low):
        return ZoneInfo(zone)
    by_country = zones().by_country.get(low)
    minutes = by_country.get(_country_of(language)) if by_country and language else None
    if minutes is None:
        minutes = zones().minutes.get(low, zones().in_dates.get(low))
    return None if minutes is None else timezone(timedelta(minutes=minutes))


def _country_of(language: str) -> str:
    """The country that a tag names, else the one where most speak the language (CLDR); empty for none."""
    first, *rest = language.replace("_", "-").split("-")
    if region := next((part.upper() for part in rest if len(part) == 2 and part.isalpha()), ""):
        return region
    from babel.core import get_global

    return str(get_global("likely_subtags").get(first.lower(), "")).rpartition("_")[2]
