"""Dates as dispatches print them, in the languages of `config/lexicon/segment-calendar.toml`.

`printed_dates` finds them in a line; `resolve` gives a day of the calendar, with the year that the copy leaves out.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from config.settings import HERE

SPECIAL: Final = str.maketrans({"ø": "o", "æ": "ae", "ł": "l", "ı": "i", "ß": "ss", "’": "'"})
BEFORE: Final = r"(?:on |den |le |el |il |al |op |am |lunes a |, ?)?"
OF: Final = r"(?:\s+(?:de|of|del)\s+|\s*d'|[\s.\-/]*)"
YEAR: Final = r"(?:[\s,]+(?:de |del )?|[./\-])(?P<year>(?:19|20)\d\d)(?![\d%])"
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


def folded(text: str) -> str:
    """The text in lower case without accents, of the same length."""
    return "".join(map(_fold, text))


@cache
def _fold(char: str) -> str:
    low = char.lower().translate(SPECIAL)[:1] or char
    return unicodedata.normalize("NFD", low)[0]


def printed_dates(line: str) -> Iterator[PrintedDate]:
    """Every date in the line, from left to right, none within another."""
    low = folded(line)
    for match in _pattern().finditer(low):
        if made := _made(match):
            yield made


def resolve(printed: PrintedDate, reference: date | None) -> date | None:
    """The day of the calendar; a missing year is the one that brings it nearest to the reference.

    A weekday alone is the last such day up to the day after the reference (zones differ by a day).
    """
    if printed.month and printed.day:
        years = (printed.year,) if printed.year else _years(reference)
        days = [day for year in years if (day := _day(year, printed.month, printed.day))]
        if not days or not reference:
            return days[0] if days else None
        return min(days, key=lambda day: abs(day - reference))
    if printed.weekday is not None and printed.month is None and reference:
        latest = reference + timedelta(days=1)
        return latest - timedelta(days=(latest.weekday() - printed.weekday) % 7)
    return None


def _years(reference: date | None) -> tuple[int, ...]:
    return (reference.year, reference.year - 1, reference.year + 1) if reference else ()


def _day(year: int | None, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year else None
    except ValueError:
        return None


def _made(match: re.Match[str]) -> PrintedDate | None:
    told = {name.rstrip("0123456789"): words for name, words in match.groupdict().items() if words}
    words = told.get("month", "")
    month = int(words) if words.isdigit() else _words()[0].get(words.rstrip("."))
    digits = told.get("day", "").replace("l", "1").replace("o", "0")
    day = int(digits) if digits else None
    weekday = _words()[1].get(told.get("weekday", "").replace("-", " ").rstrip("."))
    if (month and month > 12) or (day is not None and not 1 <= day <= 31):
        return None
    year = told.get("year")
    if year and len(year) == 2:
        year = ("20" if int(year) < 70 else "19") + year
    return PrintedDate(match.start(), match.end(), int(year) if year else None, month, day, weekday)


@cache
def _words() -> tuple[dict[str, int], dict[str, int]]:
    """Months (from 1) and weekdays (from 0) by word."""
    with (HERE / "lexicon" / "segment-calendar.toml").open("rb") as file:
        told = tomllib.load(file)
    months = {folded(word): number for number, words in enumerate(told["months"], 1) for word in words}
    return months, {folded(word): number for number, words in enumerate(told["weekdays"]) for word in words}


@cache
def _pattern() -> re.Pattern[str]:
    months, weekdays = ("|".join(sorted(words, key=len, reverse=True)) for words in _words())
    weekdays = weekdays.replace(" ", "[ -]")
    weekday = rf"(?:\b(?P<weekday{{n}}>{weekdays})\b\.?,?\s+)?"

    def year(number: int) -> str:
        return YEAR.replace("year", f"year{number}")

    return re.compile(
        "|".join(
            (
                r"\b(?P<year1>(?:19|20)\d\d)-(?P<month1>\d\d)-(?P<day1>\d\d)\b",
                weekday.format(n=2)
                + rf"{BEFORE}\b(?P<day2>\d{{1,2}}){ORDINAL}{OF}(?P<month2>{months})\b\.?(?:{year(2)})?",
                weekday.format(n=3)
                + rf"\b(?P<month3>{months})\b\.?\s*(?P<day3>[\dlo]{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d)"
                rf"(?:{year(3)})?",
                weekday.format(n=4)
                + r"\b(?P<day4>\d{1,2})[./](?P<month4>\d{1,2})\b\.?(?:[./]?(?P<year4>(?:19|20)\d\d|\d\d)\b)?",
                rf"\b(?P<month5>{months})\b\.?",
                rf"\b(?P<weekday6>{weekdays})\b\.?",
            )
        )
    )
