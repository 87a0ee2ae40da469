"""Dates as dispatches print them, in every language that has a calendar.

`printed_dates` finds them in a line; `resolve` gives a day of the calendar, with the year that the copy leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Final

from config.lexicon import calendars, join_patterns
from processors.dates.calendar import fold_accents, months, weekdays

YEAR: Final = r"(?:[\s,]+(?:de |del )?|[./\-])(?P<year>(?:19|20)\d\d)(?![\d%])"
MIN_NEARER: Final = timedelta(
    days=25
)  # by which the other reading of 5/3 is nearer, and wins; with less both orders win by chance, with more none does for the months beside
MISPRINTED_DATE: Final = re.compile(r"(?:^|[\s,])(?P<month>[a-z]{4,10})\.?\s*(?P<day>[\dlo]\d?)$")
ORDINAL: Final = r"(?:st|nd|rd|th|er|re|°|º|ª|\.)?"


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date as printed, with its place in the line. `weekday` counts from Monday, 0."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    numeric: bool = False  # the month as a number, so that it may stand before the day


def printed_dates(line: str) -> Iterator[PrintedDate]:
    """Every date in the line, from left to right, none within another."""
    low = fold_accents(line)
    for match in _pattern().finditer(low):
        if printed := _date_of(match):
            yield printed


def misprinted_date(line: str) -> PrintedDate | None:
    """A date at the line's end whose month is one slip away from a month's name: ``Narch 2``, ``Apri l7``."""
    match = MISPRINTED_DATE.search(fold_accents(line))
    if not match:
        return None
    month = next(
        (n for name, n in months().items() if len(name) > 3 and _slipped(match["month"], name)), None
    )
    day = int(match["day"].replace("l", "1").replace("o", "0"))
    return (
        PrintedDate(match.start("month"), match.end(), None, month, day) if month and 1 <= day <= 31 else None
    )


def _slipped(word: str, name: str) -> bool:
    """Whether the word is the name with a letter too many, too few or wrong, or with two swapped."""
    if abs(len(word) - len(name)) > 1 or word == name:
        return False
    start = next(
        (n for n, pair in enumerate(zip(word, name, strict=False)) if pair[0] != pair[1]),
        min(len(word), len(name)),
    )
    rest, right = word[start:], name[start:]
    swapped = rest[:2] == right[1::-1] and rest[2:] == right[2:] and len(right) > 1
    return rest[1:] == right[1:] or rest[1:] == right or rest == right[1:] or swapped


def resolve(printed: PrintedDate, reference: date | None, *, month_first: bool = False) -> date | None:
    """The day of the calendar; a missing year is the one that brings it nearest to the reference.

    A weekday alone is the last such day up to the day after the reference (zones differ by a day). `month_first`:
    where both readings of ``5/3`` do, it is May 3.
    """
    if reference and printed.numeric and printed.month and printed.day and printed.day <= 12:
        return _either_order(printed, reference, month_first=month_first)
    if printed.day and printed.month:
        years = (printed.year,) if printed.year else _years(reference)
        days = [day for year in years if (day := _day(year, printed.month, printed.day))]
        return min(days, key=lambda day: abs(day - reference) if reference else timedelta(), default=None)
    if printed.day and reference:
        near = (reference + timedelta(days=n) for n in sorted(range(-20, 21), key=abs))
        return next((day for day in near if day.day == printed.day), None)
    if printed.weekday is not None and printed.month is None and reference:
        latest = reference + timedelta(days=1)
        return latest - timedelta(days=(latest.weekday() - printed.weekday) % 7)
    return None


def _either_order(printed: PrintedDate, reference: date, *, month_first: bool) -> date | None:
    """The day of ``5/3``: the usual order's, unless the other is much nearer to the reference."""
    usual = replace(printed, numeric=False)
    other = replace(usual, month=printed.day, day=printed.month)
    first, second = (resolve(one, reference) for one in ((other, usual) if month_first else (usual, other)))
    if first and second and abs(second - reference) < abs(first - reference) - MIN_NEARER:
        return second
    return first


def _years(reference: date | None) -> tuple[int, ...]:
    return (reference.year, reference.year - 1, reference.year + 1) if reference else ()


def _day(year: int | None, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year else None
    except ValueError:
        return None


def _date_of(match: re.Match[str]) -> PrintedDate | None:
    groups = {name.rstrip("0123456789"): words for name, words in match.groupdict().items() if words}
    words = groups.get("month", "")
    numeric = words.isdigit() and "/" in match.group()
    month = int(words) if words.isdigit() else months().get(words.rstrip("."))
    digits = groups.get("day", "").replace("l", "1").replace("o", "0")
    day = int(digits) if digits else None
    weekday = weekdays().get(groups.get("weekday", "").replace("-", " ").rstrip("."))
    if words.isdigit() and month and day and month > 12 >= day:
        month, day = day, month
    if day and day > 99 and month and not words.isdigit():
        day = None  # a slip of the finger: March 119
    if (month and month > 12) or (day is not None and not 1 <= day <= 31):
        return None
    year = groups.get("year")
    if year and len(year) == 2:
        year = ("20" if int(year) < 70 else "19") + year
    return PrintedDate(match.start(), match.end(), int(year) if year else None, month, day, weekday, numeric)


def _any_of(words: Iterable[str]) -> str:
    """The longest of the words, filed by their first letters, so that few are tried at each place."""
    filed: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        filed.setdefault(word[0], []).append(word[1:])
    return "|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in filed.items())


@cache
def _pattern() -> re.Pattern[str]:
    before_day = join_patterns(calendar.before_day for calendar in calendars())
    before_month = join_patterns(calendar.before_month for calendar in calendars())
    month_words, weekday_words = _any_of(months()), _any_of(weekdays()).replace(" ", "[ -]")
    weekday = rf"(?:\b(?P<weekday{{n}}>{weekday_words})\b\.?,?\s+)?"

    def year(number: int) -> str:
        return YEAR.replace("year", f"year{number}")

    return re.compile(
        "|".join(
            (
                r"\b(?P<year1>(?:19|20)\d\d)-(?P<month1>\d\d)-(?P<day1>\d\d)\b",
                weekday.format(n=2)
                + rf"(?:(?:{before_day}) |, ?)?\b(?P<day2>\d{{1,2}}){ORDINAL}(?:\s+(?:{before_month})\s+|\s*d'|[\s.\-/]*)(?P<month2>{month_words})\b\.?(?:{year(2)})?",
                weekday.format(n=3)
                + rf"\b(?P<month3>{month_words})\b\.?\s*(?P<day3>[\dlo]{{1,3}})(?:st|nd|rd|th)?\b(?![:.]\d)"
                rf"(?:{year(3)})?",
                weekday.format(n=4)
                + r"\b(?P<day4>\d{1,2})[./](?P<month4>\d{1,2})\b\.?(?:[./]?(?P<year4>(?:19|20)\d\d|\d\d)\b)?",
                rf"\b(?P<month5>{month_words})\b\.?",
                rf"\b(?P<weekday6>{weekday_words})\b\.?",
            )
        )
    )
