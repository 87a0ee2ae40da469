"""Names of months: exact ones of any language, and beginnings that several languages share."""

from __future__ import annotations

import pytest

from processors.dates.calendar import month_number
from processors.signals import read_signals


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("marras", 11),  # Finnish, though it begins as March does in others
        ("Févr", 2),
        ("FEBRERO", 2),
        ("aprill", 4),  # of a language that has no file: its beginning is shared by many
        ("lists", None),  # two languages have a month that begins so, which is too few
        ("jours", None),
        ("held", None),
    ],
)
def test_a_name_or_a_beginning_that_three_languages_share_is_a_month(name: str, number: int | None) -> None:
    assert month_number(name) == number


@pytest.mark.parametrize(
    ("line", "until"),
    [
        ("EMBARGO: 1800 GMT, mon dernier texte", "2026-11-21T18:00:00Z"),  # three letters: French for my
        ("EMBARGOED UNTIL 1800 GMT tues", "2026-11-24T18:00:00Z"),  # four
    ],
)
def test_a_short_name_of_a_day_is_read_from_four_letters_on(line: str, until: str) -> None:
    text = f"{line}\n\nLONDON (Reuters) - The lock gate of Ashmere opens."

    assert read_signals(headline="", text=text, reference="2026-11-21T10:00:00Z").embargoed_until == until
