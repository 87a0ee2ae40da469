"""Date expressions and their TIMEX3 values."""

from __future__ import annotations

from processors.story import DateExpression, Event


def find_dates(event: Event) -> tuple[DateExpression, ...]:
    """The dates that the text tells, in order, resolved against the dateline's or the story's date."""
    return ()
