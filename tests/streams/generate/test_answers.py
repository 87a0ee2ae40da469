"""The page of what happens when is that of the table."""

from __future__ import annotations

from collections import Counter

from sinks.answers import ANSWERS
from streams.generate.answers import PAGE, answers_page


def test_the_page_is_as_the_table_says() -> None:
    assert PAGE.read_text("utf-8") == answers_page(), "make answers"


def test_every_row_is_on_the_page_once() -> None:
    page = answers_page()
    for situation, count in Counter(row.situation for row in ANSWERS).items():
        assert page.count(f"| {situation} |") == count, situation
