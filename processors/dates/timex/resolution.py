"""The TIMEX3 value of an expression, against a reference date, the tense of its clause and what went before.

Each function below reads one kind of rule (see `config.lexicon.DateRule`); None where the words mean no time. A weekday
in copy is at most five days back and one day ahead (the next day's paper), unless the words say that it is to come. A
month or a day without a year is the nearest one that the tense allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from processors.dates import calendar
from processors.dates.timex.grammar import Expression

Type = Literal["DATE", "TIME", "DURATION", "SET"]
DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression is resolved against.

    `tense` is -1, 0 or 1; `antecedent` the day that the text spoke of last, `said_year` the year, `said` the first day
    of what it spoke of last, whatever its size. `paragraph_year` is a past year that copy has set.
    """

    reference: date
    tense: int
    antecedent: date | None = None
    said_year: int | None = None
    said_quarter: str | None = None
    paragraph_year: int | None = None
    said: date | None = None


@dataclass(frozen=True, slots=True)
class Timex:
    """A TIMEX3 value with its type."""

    value: str
    type: Type = "DATE"


def resolve(expression: Expression, context: Context) -> Timex | None:
    """The value of an expression, or None where it has none (30 February)."""
    try:
        resolved = KINDS[expression.kind](expression, context)
    except (ValueError, OverflowError):
        return None
    if isinstance(resolved, str):
        return None if resolved.startswith("-") else Timex(resolved)  # before the year 0
    return resolved


def _date(expression: Expression, context: Context) -> str | None:
    month = _month_of(expression)
    if expression.day is None:
        return calendar.month_value(expression.year or 0, month)
    if expression.year is not None:
        return date(expression.year, month, expression.day).isoformat()
    if context.paragraph_year is not None and context.tense <= 0 and expression.weekday is None:
        return date(context.paragraph_year, month, expression.day).isoformat()
    years = (context.reference.year + shift for shift in (0, -1, 1))
    days = [
        date(year, month, expression.day) for year in years if calendar.is_day(year, month, expression.day)
    ]
    if expression.weekday is not None:
        days = [day for day in days if day.weekday() == expression.weekday] or days
    return calendar.nearest_day(days, context.reference, context.tense).isoformat() if days else None


def _month_of(expression: Expression) -> int:
    return expression.month or expression.month_number or 0


def _month(expression: Expression, context: Context) -> str:
    month = _month_of(expression)
    if context.paragraph_year is not None and context.tense <= 0:
        return calendar.month_value(context.paragraph_year, month)
    middle = context.reference.replace(day=15)
    years = (context.reference.year + shift for shift in (0, -1, 1))
    days = [date(year, month, 15) for year in years]
    nearest = calendar.nearest_day(days, middle, context.tense or -1)
    return calendar.month_value(nearest.year, month)


def _shift_month(expression: Expression, context: Context) -> str:
    month, now = _month_of(expression), context.reference
    shift = expression.shift or 0
    if shift < 0:
        return calendar.month_value(now.year - (month >= now.month), month)
    if shift > 0:
        return calendar.month_value(now.year + (month <= now.month), month)
    return calendar.month_value(now.year, month)


def _month_of_year(expression: Expression, context: Context) -> str:
    return calendar.month_value(context.reference.year + (expression.shift or 0), _month_of(expression))


def _shift_date(expression: Expression, context: Context) -> str | None:
    tense = expression.shift or context.tense
    return _date(expression, Context(context.reference, tense))


def _date_of_year(expression: Expression, context: Context) -> str:
    """Tell "3 March of last year"."""
    year = context.reference.year + (expression.shift or 0)
    return date(year, _month_of(expression), expression.day or 0).isoformat()


def _day_of_month(expression: Expression, context: Context) -> str | None:
    """A day by its number alone, as Chinese and Japanese copy tells it: the nearest that the tense allows."""
    now = context.reference
    shifts = (0, -1, 1) if expression.shift is None else (expression.shift,)
    months = [divmod(now.year * 12 + now.month - 1 + shift, 12) for shift in shifts]
    day = expression.day or 0
    days = [date(year, month + 1, day) for year, month in months if calendar.is_day(year, month + 1, day)]
    return calendar.nearest_day(days, context.reference, context.tense).isoformat() if days else None


def _day_again(expression: Expression, context: Context) -> str | None:
    """The second day of "April 24 and 25"."""
    if context.antecedent is None or expression.day is None or expression.day <= context.antecedent.day:
        return None
    return context.antecedent.replace(day=expression.day).isoformat()


def _numeric(expression: Expression, context: Context) -> str:
    """Month first, as American copy has it, unless that can't be."""
    first, second = expression.first or 0, expression.second or 0
    month, day = (second, first) if first > 12 else (first, second)
    year = (
        expression.year
        if expression.short is None
        else calendar.year_of_digits(expression.short, context.reference)
    )
    return date(year or 0, month, day).isoformat()


def _numeric_day_first(expression: Expression, _context: Context) -> str:
    return date(expression.year or 0, expression.second or 0, expression.first or 0).isoformat()


def _weekday(expression: Expression, context: Context) -> str:
    back = (context.reference.weekday() - (expression.weekday or 0)) % 7
    if back and (context.tense > 0 or back == 6):
        back -= 7
    return calendar.shift_day(context.reference, -back).isoformat()


def _shift_weekday(expression: Expression, context: Context) -> str:
    back = (context.reference.weekday() - (expression.weekday or 0)) % 7
    if expression.shift == -1:
        return calendar.shift_day(context.reference, -(back or 7)).isoformat()
    if expression.shift == 1:
        return calendar.shift_day(context.reference, 7 - back).isoformat()
    monday = calendar.shift_day(context.reference, -context.reference.weekday())
    return calendar.shift_day(monday, expression.weekday or 0).isoformat()


def _weekday_of_week(expression: Expression, context: Context) -> str:
    monday = calendar.shift_day(context.reference, -context.reference.weekday() + 7 * (expression.shift or 0))
    return calendar.shift_day(monday, expression.weekday or 0).isoformat()


def _shift_unit(expression: Expression, context: Context) -> str | None:
    return calendar.unit_value(expression.unit or "", context.reference, expression.shift or 0)


def _weekend(_expression: Expression, context: Context) -> str | None:
    past = context.tense <= 0 and context.reference.weekday() < 5
    return calendar.unit_value("WE", context.reference, -1 if past else 0)


def _season(expression: Expression, context: Context) -> str:
    name = expression.season or ""
    if expression.year is not None:
        return f"{expression.year:04}-{name}"
    if expression.shift is not None:
        return f"{context.reference.year + expression.shift:04}-{name}"
    years = (context.reference.year + shift for shift in (0, -1, 1))
    middle = (calendar.SEASON_MONTHS[name][0]) % 12 + 1
    days = [date(year + (name == "WI"), middle, 15) for year in years]
    nearest = calendar.nearest_day(days, context.reference, context.tense)
    return f"{nearest.year - (name == 'WI'):04}-{name}"


def _shift_season(expression: Expression, context: Context) -> str:
    return calendar.season_value(expression.season or "", context.reference, expression.shift or 0)


def _relative_day(expression: Expression, context: Context) -> str:
    return calendar.shift_day(context.reference, expression.relative_day or 0).isoformat()


def _this_part(expression: Expression, context: Context) -> Timex:
    part = expression.this_part or ""
    day = calendar.shift_day(context.reference, -1 if part.startswith("-") else 0)
    return Timex(f"{day.isoformat()}T{part.lstrip('-')}", "TIME")


def _reference(expression: Expression, _context: Context) -> str | None:
    return expression.reference


def _year(expression: Expression, _context: Context) -> str:
    return f"{expression.year:04}"


def _short_year(expression: Expression, context: Context) -> str:
    return f"{calendar.year_of_digits(expression.short or 0, context.reference):04}"


def _spoken_year(expression: Expression, _context: Context) -> str | None:
    """Tell "nineteen ninety-six"."""
    if not 10 <= (expression.n or 0) < 100:
        return None
    year = 1900 + (expression.n or 0)
    return f"{year}" if expression.month is None else calendar.month_value(year, expression.month)


def _decade(expression: Expression, _context: Context) -> str:
    return f"{expression.decade:03}X"


def _short_decade(expression: Expression, context: Context) -> str:
    return calendar.decade_value(calendar.year_of_digits((expression.short or 0) * 10, context.reference))


def _decade_of_century(expression: Expression, context: Context) -> str:
    """Tell "the eighties of the 20th century", and without its number of the last one."""
    century = expression.century or context.reference.year // 100
    return f"{century - 1:02}{expression.short}X"


def _fiscal(expression: Expression, context: Context) -> str:
    year = (
        calendar.year_of_digits(expression.short or 0, context.reference)
        if expression.year is None
        else expression.year
    )
    return f"FY{year:04}"


def _quarter(expression: Expression, context: Context) -> str | None:
    quarter = expression.quarter or expression.ordinal or 0
    if not 1 <= quarter <= 4:
        return None
    if expression.year is not None:
        return f"{expression.year:04}-Q{quarter}"
    now = (context.reference.month + 2) // 3
    year = context.reference.year - (quarter > now and context.tense <= 0)
    return f"{year:04}-Q{quarter}"


def _same_quarter(_expression: Expression, context: Context) -> str:
    """Tell "the quarter": the one that was told last, else the one that ended last, of which companies report."""
    if context.said_quarter:
        return context.said_quarter
    return calendar.quarter_value(context.reference.year, (context.reference.month + 2) // 3 - 1)


def _year_before(_expression: Expression, context: Context) -> str:
    """Tell "the year-earlier period": the same quarter of the year before where copy speaks of quarters."""
    return _quarter_years_off(context, -1) or f"{context.reference.year - 1:04}"


def _quarter_years_off(context: Context, years: int) -> str | None:
    """The quarter that was told last, of another year."""
    if context.said_quarter is None:
        return None
    year, quarter = context.said_quarter.split("-")
    return f"{int(year) + years:04}-{quarter}"


def _half(expression: Expression, context: Context) -> str | None:
    if expression.ordinal not in {1, 2}:
        return None
    if expression.year is not None or expression.shift is not None:
        year = (
            context.reference.year + (expression.shift or 0) if expression.year is None else expression.year
        )
        return f"{year:04}-H{expression.ordinal}"
    now = 1 if context.reference.month < 7 else 2
    year = context.reference.year - (expression.ordinal > now and context.tense <= 0)
    return f"{year:04}-H{expression.ordinal}"


def _century(expression: Expression, _context: Context) -> str:
    return f"{(expression.century or 1) - 1:02}"


def _hundreds(expression: Expression, _context: Context) -> str:
    """Tell "1800-talet", the years from 1800 to 1899."""
    return f"{expression.century or 0:02}"


def _ago(expression: Expression, context: Context) -> str | None:
    if expression.n is None:
        return "PAST_REF"
    if expression.unit == "Y" and (quarter := _quarter_years_off(context, -expression.n)):
        return quarter
    return _moved(context.reference, expression.unit or "", -expression.n)


def _ago_one(expression: Expression, context: Context) -> str | None:
    """Tell "неделю назад", a week ago, where no word counts it."""
    return _ago(replace(expression, n=1), context)


def _ahead_one(expression: Expression, context: Context) -> str | None:
    return _moved(context.reference, expression.unit or "", 1)


def _moved(day: date, unit: str, count: int) -> str | None:
    if unit in ("E", "C"):
        return f"{max(0, day.year + count * (10 if unit == 'E' else 100)):04}"
    return calendar.unit_value("D" if unit == "WE" else unit, day, count)


def _anchor(expression: Expression, context: Context) -> date:
    """The day that "later" and "earlier" count from."""
    if expression.unit in ("Y", "E") and context.said_year is not None:
        return context.reference.replace(year=context.said_year, day=1)
    return context.antecedent or context.reference


def _earlier(expression: Expression, context: Context) -> str | None:
    if expression.unit == "Y" and (quarter := _quarter_years_off(context, -(expression.n or 0))):
        return quarter
    return _moved(_anchor(expression, context), expression.unit or "", -(expression.n or 0))


def _later(expression: Expression, context: Context) -> str | None:
    return _moved(_anchor(expression, context), expression.unit or "", expression.n or 0)


def _ahead(expression: Expression, context: Context) -> Timex | str | None:
    count = expression.n
    return "FUTURE_REF" if count is None else _moved(context.reference, expression.unit or "", count)


def _in_ahead(expression: Expression, context: Context) -> Timex | str | None:
    """Tell "in three days": a date where the clause speaks of the future, else a duration."""
    return _ahead(expression, context) if context.tense > 0 else _duration(expression, context)


def _week_of(expression: Expression, context: Context) -> str | None:
    day = _date(expression, context)
    return calendar.week_value(date.fromisoformat(day)) if day else None


def _same(expression: Expression, context: Context) -> str | None:
    if expression.unit == "Y" and context.said_year is not None:
        return f"{context.said_year:04}"
    return calendar.unit_value(expression.unit or "", context.antecedent, 0) if context.antecedent else None


def _same_or_now(expression: Expression, context: Context) -> str | None:
    """Tell "later in the day": the one that the text speaks of."""
    told = None if expression.unit == "Y" else _same(expression, context)
    return told or calendar.unit_value(expression.unit or "", context.reference, 0)


def _next_after(expression: Expression, context: Context) -> str | None:
    """Tell "the next day", "the following year": from what was told last, else from the reference date."""
    base = _beside(expression, context)
    if base is None:
        return _shift_unit(expression, context) if expression.shift is not None else None
    return calendar.unit_value(expression.unit or "D", base, 1)


def _previous_before(expression: Expression, context: Context) -> str | None:
    return calendar.unit_value(expression.unit or "D", _beside(expression, context) or context.reference, -1)


def _beside(expression: Expression, context: Context) -> date | None:
    """The day that "the week before" and "the next day" count from: a day of its own for days."""
    return context.antecedent if (expression.unit or "D") in ("D", "WE") else context.said


def _past(_expression: Expression, _context: Context) -> str:
    return "PAST_REF"


def _holiday(expression: Expression, context: Context) -> str:
    code = expression.holiday or ""
    if expression.year is not None:
        return calendar.holiday_value(code, expression.year).isoformat()
    if context.paragraph_year is not None and context.tense <= 0:
        return calendar.holiday_value(code, context.paragraph_year).isoformat()
    years = (context.reference.year + shift for shift in (0, -1, 1))
    days = [calendar.holiday_value(code, year) for year in years]
    return calendar.nearest_day(days, context.reference, context.tense).isoformat()


def _holiday_week(expression: Expression, context: Context) -> str:
    """The week that leads to a holiday."""
    day = date.fromisoformat(_holiday(expression, context))
    return calendar.week_value(calendar.shift_day(day, -1))


def _shift_holiday(expression: Expression, context: Context) -> str:
    code, now = expression.holiday or "", context.reference
    day = calendar.holiday_value(code, now.year)
    if (expression.shift or 0) < 0 and day >= now:
        day = calendar.holiday_value(code, now.year - 1)
    elif (expression.shift or 0) > 0 and day <= now:
        day = calendar.holiday_value(code, now.year + 1)
    return day.isoformat()


def _every(expression: Expression, _context: Context) -> Timex:
    return Timex(expression.every or "", "SET")


def _every_unit(expression: Expression, _context: Context) -> Timex:
    return Timex(calendar.period_value("1", expression.unit or ""), "SET")


def _every_weekday(expression: Expression, _context: Context) -> Timex:
    return Timex(f"XXXX-WXX-{(expression.weekday or 0) + 1}", "SET")


def _duration(expression: Expression, _context: Context) -> Timex:
    return Timex(
        calendar.period_value("X" if expression.n is None else str(expression.n), expression.unit or ""),
        "DURATION",
    )


def _clock_duration(expression: Expression, _context: Context) -> Timex:
    return Timex(f"PT{expression.n}{expression.clock}", "DURATION")


KINDS: dict[str, Callable[[Expression, Context], Timex | str | None]] = {
    "date": _date,
    "month": _month,
    "month-of-year": _month_of_year,
    "shift-date": _shift_date,
    "day-again": _day_again,
    "numeric": _numeric,
    "numeric-day-first": _numeric_day_first,
    "shift-month": _shift_month,
    "weekday": _weekday,
    "shift-weekday": _shift_weekday,
    "weekday-of-week": _weekday_of_week,
    "shift-unit": _shift_unit,
    "weekend": _weekend,
    "season": _season,
    "shift-season": _shift_season,
    "relative-day": _relative_day,
    "this-part": _this_part,
    "reference": _reference,
    "year": _year,
    "short-year": _short_year,
    "spoken-year": _spoken_year,
    "decade": _decade,
    "short-decade": _short_decade,
    "fiscal": _fiscal,
    "quarter": _quarter,
    "same-quarter": _same_quarter,
    "year-before": _year_before,
    "half": _half,
    "century": _century,
    "hundreds": _hundreds,
    "ago": _ago,
    "ago-one": _ago_one,
    "ahead-one": _ahead_one,
    "date-of-year": _date_of_year,
    "day-of-month": _day_of_month,
    "decade-of-century": _decade_of_century,
    "earlier": _earlier,
    "later": _later,
    "ahead": _ahead,
    "in-ahead": _in_ahead,
    "week-of": _week_of,
    "same": _same,
    "same-or-now": _same_or_now,
    "next-after": _next_after,
    "previous-before": _previous_before,
    "past": _past,
    "holiday": _holiday,
    "holiday-week": _holiday_week,
    "shift-holiday": _shift_holiday,
    "every": _every,
    "every-unit": _every_unit,
    "every-weekday": _every_weekday,
    "duration": _duration,
    "clock-duration": _clock_duration,
}
