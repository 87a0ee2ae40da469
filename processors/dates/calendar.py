"""The calendar: names of months and days of every language, arithmetic, and TIMEX3 values.

Names are those of ``config/lexicon/languages``. Feeds, datelines and embargoes are read in all languages at once, since
a story's language is found later, or wrongly. Dates are proleptic Gregorian, weeks are ISO 8601's.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from operator import itemgetter
from typing import Final

from config.lexicon import calendars, forms

SEASON_MONTHS = {"SP": (3, 5), "SU": (6, 8), "FA": (9, 11), "WI": (12, 2)}
_SPECIAL: Final = str.maketrans({"ø": "o", "æ": "ae", "ł": "l", "ı": "i", "ß": "ss", "’": "'"})
_DURATIONS: Final = {"D": ("D", 1), "W": ("W", 1), "M": ("M", 1), "Q": ("M", 3), "Y": ("Y", 1), "E": ("Y", 10),
                     "C": ("Y", 100), "WE": ("WE", 1)}  # fmt: skip
STEM_CHARS: Final = 3
# A beginning that names of so many languages share is the month's also in a language that has no file (Romanian
# "septembrie"); with two, "lis" (listopada, listopadu) would make a month of English lists.
STEM_LANGUAGES: Final = 3


def shift_day(day: date, days: int) -> date:
    """`days` later, held within the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def month_value(year: int, month: int, shift: int = 0) -> str:
    """``YYYY-MM``, `shift` months later."""
    months = year * 12 + month - 1 + shift
    return f"{months // 12:04}-{months % 12 + 1:02}"


def week_value(day: date) -> str:
    """``YYYY-Www``."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def quarter_value(year: int, quarter: int) -> str:
    """``YYYY-Qn``; a quarter outside 1 to 4 runs into the years beside."""
    quarters = year * 4 + quarter - 1
    return f"{quarters // 4:04}-Q{quarters % 4 + 1}"


def decade_value(year: int) -> str:
    """``YYYX``."""
    return f"{year // 10:03}X"


def century_value(year: int) -> str:
    """``YY``: the first two digits of its years."""
    return f"{year // 100:02}"


def unit_value(unit: str, day: date, shift: int) -> str | None:
    """The day, week, month … that is `shift` of them from the one that holds `day`."""
    make = _UNITS.get(unit)
    return make(day, shift) if make else None


_UNITS: dict[str, Callable[[date, int], str]] = {
    "D": lambda day, shift: shift_day(day, shift).isoformat(),
    "W": lambda day, shift: week_value(shift_day(day, 7 * shift)),
    "WE": lambda day, shift: week_value(shift_day(day, 7 * shift)) + "-WE",
    "M": lambda day, shift: month_value(day.year, day.month, shift),
    "Q": lambda day, shift: quarter_value(day.year, (day.month + 2) // 3 + shift),
    "Y": lambda day, shift: f"{day.year + shift:04}",
    "E": lambda day, shift: decade_value(day.year + 10 * shift),
    "C": lambda day, shift: century_value(day.year + 100 * shift),
}


def season_of(day: date) -> tuple[int, str]:
    """The meteorological season of the north that holds a day, with the year that it is named for."""
    for name, (first, last) in SEASON_MONTHS.items():
        if first <= day.month <= last:
            return day.year, name
    return (day.year - 1 if day.month < 3 else day.year), "WI"


def nearest_day(days: Sequence[date], reference: date, tense: int) -> date:
    """The nearest day; one on the wrong side of the reference date counts as four times as far."""

    def distance(day: date) -> int:
        days_off = (day - reference).days
        return abs(days_off) * (4 if days_off * tense < 0 else 1)

    return min(days, key=distance)


def period_value(count: str, unit: str) -> str:
    """``PnD``, ``PnW`` …: a number (or X) of a unit."""
    letter, size = _DURATIONS[unit]
    return f"P{count if count == 'X' else int(count) * size}{letter}"


def is_day(year: int, month: int, day: int) -> bool:
    """Whether the calendar has the day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def year_of_digits(digits: int, reference: date) -> int:
    """The year that its last two digits mean: the latest one up to ten years ahead."""
    year = reference.year // 100 * 100 + digits
    return year - 100 if year > reference.year + 10 else year


def season_value(name: str, day: date, shift: int) -> str:
    """``YYYY-SU``: the season of that name that is last, this or next on a day."""
    year, now = season_of(day)
    order = ["SP", "SU", "FA", "WI"]
    if shift < 0:
        return f"{year - (order.index(name) >= order.index(now)):04}-{name}"
    if shift > 0:
        return f"{year + (order.index(name) <= order.index(now)):04}-{name}"
    ended = name == "WI" and day.month < 3
    return f"{day.year - ended:04}-{name}"


def easter_day(year: int) -> date:
    """Easter Sunday (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    j = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * j) // 451
    month, day = divmod(h + j - 7 * m + 114, 31)
    return date(year, month, day + 1)


def holiday_value(code: str, year: int) -> date:
    """The day that a holiday's code (see `config.lexicon.Dates`) means in a year."""
    if code.startswith("E"):
        return easter_day(year) + timedelta(days=int(code[1:] or 0))
    code, _, later = code.partition("+")
    if later:
        return holiday_value(code, year) + timedelta(days=int(later))
    month, *rest = code.split("-")
    if len(rest) == 1:
        return date(year, int(month), int(rest[0]))
    if rest[0] == "L":
        end = date(year + int(month) // 12, int(month) % 12 + 1, 1) - timedelta(days=1)
        return end - timedelta(days=(end.weekday() - int(rest[1])) % 7)
    first = date(year, int(month), 1)
    return first + timedelta(days=(int(rest[1]) - first.weekday()) % 7 + 7 * (int(rest[0]) - 1))


def fold_accents(text: str) -> str:
    """The text in lower case without accents, of the same length."""
    return text.lower() if text.isascii() else "".join(map(_fold, text))


@cache
def _fold(char: str) -> str:
    low = char.lower().translate(_SPECIAL)[:1] or char
    return unicodedata.normalize("NFD", low)[0]


@cache
def months() -> Mapping[str, int]:
    """Every name of a month, folded, with its number from 1; January's come first."""
    named = {
        fold_accents(name): number
        for calendar in calendars()
        for names in (calendar.months, calendar.short_months)
        for name, number in forms(names, 1)
    }
    return dict(sorted(named.items(), key=itemgetter(1)))


@cache
def weekdays() -> Mapping[str, int]:
    """Every name of a day of the week, folded and with blanks for hyphens, with its number from 0, Monday."""
    return {
        fold_accents(name).replace("-", " "): number
        for calendar in calendars()
        for names in (calendar.weekdays, calendar.short_weekdays)
        for name, number in forms(names)
    }


def weekday_names() -> tuple[str, ...]:
    """Every full name of a day of the week as its language writes it."""
    return tuple(name for calendar in calendars() for name, _ in forms(calendar.weekdays))


def month_number(name: str) -> int | None:
    """The number of a month by its name, or by the beginning of one that several languages share; else None."""
    name = fold_accents(name)
    return months().get(name) or _stems().get(name[:STEM_CHARS])


def feed_month_number(name: str) -> int | None:
    """The number of a month in a date that is nothing but a date, which may have forms that no copy has; else None."""
    return _feed_months().get(fold_accents(name)) or month_number(name)


@cache
def _feed_months() -> Mapping[str, int]:
    return {
        fold_accents(name): number
        for calendar in calendars()
        for name, number in forms(calendar.feed_months, 1)
    }


@cache
def _stems() -> Mapping[str, int]:
    """Beginnings of months' names that `STEM_LANGUAGES` languages share."""
    shared = Counter(
        stem
        for calendar in calendars()
        for stem in {(fold_accents(name)[:STEM_CHARS], number) for name, number in forms(calendar.months, 1)}
    )
    return {stem: number for (stem, number), count in shared.items() if count >= STEM_LANGUAGES}
