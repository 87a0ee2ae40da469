"""Dates as dispatches print them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.dates.calendar import fold_accents
from processors.dates.printed import misprinted_date, printed_dates, resolve

REFERENCE = date(2021, 11, 24)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Nov. 21, 2021", date(2021, 11, 21)),
        ("21 ene", date(2022, 1, 21)),
        ("le 1er août 2020", date(2020, 8, 1)),
        ("3. März", date(2022, 3, 3)),
        ("05 FEB", date(2022, 2, 5)),
        ("21 de janeiro de 2019", date(2019, 1, 21)),
        ("Mittwoch, 3. November", date(2021, 11, 3)),
        ("2021-11-03", date(2021, 11, 3)),
        ("21/11", date(2021, 11, 21)),
        ("5.02.2021", date(2021, 2, 5)),
        ("martedì", date(2021, 11, 23)),
        ("fredag", date(2021, 11, 19)),
        ("April l0", date(2022, 4, 10)),
        ("31 april", None),
        ("May", None),
    ],
)
def test_dates_in_ten_languages(words: str, day: date | None) -> None:
    assert resolve(next(printed_dates(words)), REFERENCE) == day


def test_the_nearer_reading_of_figures_wins() -> None:
    found = next(printed_dates("11/03"))
    assert resolve(found, date(2021, 3, 11)) == date(2021, 3, 11)
    assert resolve(found, date(2021, 11, 3)) == date(2021, 11, 3)


@pytest.mark.parametrize(
    ("words", "month"),
    [("Ashmere, Narch 2", 3), ("Macrh 31", 3), ("Apri l7", 4), ("Junee 2", 6), ("Room 12", None)],
)
def test_a_month_one_slip_away_is_that_month(words: str, month: int | None) -> None:
    found = misprinted_date(words)
    assert (found.month if found else None) == month


@given(st.text())
def test_folding_keeps_the_length(text: str) -> None:
    assert len(fold_accents(text)) == len(text)


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2090, 12, 31)))
def test_a_date_within_half_a_year_needs_no_year(day: date) -> None:
    found = next(printed_dates(f"{day.day} {day:%B}"))
    if (day.month, day.day) != (2, 29):
        assert resolve(found, day) == day
