"""What holds for the dates of any text, and for the calendar under them."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.lexicon import every_language
from processors.dates import calendar
from processors.dates.timex.grammar import tables_of
from processors.dates.timex.resolution import KINDS
from processors.model.event import Event, Language
from processors.model.story import Story
from processors.tag.dates import find_dates

VALUE = re.compile(
    r"PRESENT_REF|PAST_REF|FUTURE_REF|FY\d{4}|\d{2}|\d{3}X"
    r"|\d{4}(?:-(?:\d\d(?:-\d\d(?:T(?:MO|AF|EV|NI))?)?|W\d\d(?:-WE)?|Q[1-4]|H[12]|SP|SU|FA|WI))?"
    r"|P(?:\d+|X)(?:[DWMY]|WE)|PT\d+[HMS]|XXXX-WXX-[1-7]"
)
PIECES = st.sampled_from(
    [
        "Friday", "last ", "next ", "the ", "May ", "Feb. 30", "31 ", "2024", "1999", " years ago", "two ", "a ",
        "the day before ", "end of the year", "second half of ", " later", "in ", "of ", "1990s", "’90s", "third quarter", "every ", "days", "martes ",
        "hace ", "años", "il y a ", "am 3. März ", "Ostern ", "Easter", "century", "19th ", "weekend", ", ", ". ", "\n",
        "上周", "3月", "11日", "年前", "三", "令和", "来年", "去年", "прошлый ", "год ", "назад", "в марте ", "قبل ", "يومين", "و", "الجمعة ", "viime ", "vuonna ", "zeszłym ", "roku ",
        "today", "now", "that same ", "week", "century", "0", "é", "橋",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60)
LANGUAGES = st.sampled_from(
    ["en", "es", "fr", "de", "it", "pt", "nl", "sv", "nb", "da", "ru", "pl", "fi", "ar", "zh", "ja"]
)
DAYS = st.dates(min_value=date(1600, 1, 1), max_value=date(2098, 12, 31))


def event(text: str, language: str, created: str = "2025-01-29T12:00:00Z") -> Event:
    story = Story(uri="urn:x", version_created=created)
    return Event(story, text=text, language=Language(language, 1.0))


@settings(deadline=None)  # the first text of a language compiles its rules
@given(TEXTS, LANGUAGES, st.dates())
def test_any_text_on_any_day_has_ordered_expressions_with_timex_values(
    text: str, language: str, day: date
) -> None:
    found = find_dates(event(text, language, f"{day.isoformat()}T00:00:00Z"))

    for expression in found:
        assert text[expression.start : expression.end] == expression.text != ""
        assert VALUE.fullmatch(expression.value), expression
    assert all(left.end <= right.start for left, right in pairwise(found))


def test_a_year_before_the_first_has_no_value() -> None:
    assert find_dates(event("the ’90s", "en", "0079-01-01T00:00:00Z")) == ()


@settings(deadline=None)
@given(DAYS)
def test_a_day_written_out_is_that_day(day: date) -> None:
    text = f"It rained on {day.day} {day:%B} {day.year}."

    assert [each.value for each in find_dates(event(text, "en"))] == [day.isoformat()]


@settings(deadline=None)
@given(DAYS)
def test_a_weekday_is_within_a_week_of_the_reference_and_is_that_weekday(day: date) -> None:
    for text in ("Ruiz spoke on Friday.", "Ruiz will speak on Friday."):
        (found,) = find_dates(event(text, "en", f"{day.isoformat()}T00:00:00Z"))
        resolved = date.fromisoformat(found.value)
        assert resolved.weekday() == 4
        assert abs(resolved - day) < timedelta(days=7)


@given(DAYS)
def test_easter_is_a_sunday_between_22_march_and_25_april(day: date) -> None:
    easter = calendar.easter_day(day.year)

    assert easter.weekday() == 6
    assert (3, 22) <= (easter.month, easter.day) <= (4, 25)


@given(DAYS, st.integers(-600, 600))
def test_months_go_on_over_years(day: date, shift: int) -> None:
    year, month = map(int, calendar.month_value(day.year, day.month, shift).split("-"))

    assert (year - day.year) * 12 + month - day.month == shift


@pytest.mark.parametrize("tag", [tag for tag, words in every_language() if words.dates])
def test_every_language_has_all_months_and_weekdays_and_rules_of_known_kinds(tag: str) -> None:
    words = dict(every_language())[tag]
    tables = tables_of(words)

    assert set(tables["month"].values()) == {str(month) for month in range(1, 13)}
    assert set(tables["weekday"].values()) == {str(day) for day in range(7)}
    assert words.dates is not None
    assert {rule.kind for rule in words.dates.rule} <= set(KINDS)


@pytest.mark.parametrize("piece", ["1 ", "Friday ", "the last ", "a ", "1999 ", "January ", "two ", "' "])
def test_thirty_thousand_characters_of_anything_take_seconds(piece: str) -> None:
    text = piece * (30_000 // len(piece))
    start = time.process_time()
    find_dates(event(text, "en"))

    assert time.process_time() - start < 5
