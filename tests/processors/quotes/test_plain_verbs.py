"""Direct quotations with plain verbs in six languages, marked before the program ran on them.

A line of ``plain_verbs.txt`` has its half (A was looked at while the words were chosen, B was not), its language, the
copy and who speaks there, ``-`` where nobody does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.model.event import Segment
from processors.quotes import find_quotes

LINES = (Path(__file__).parent / "plain_verbs.txt").read_text(encoding="utf-8").splitlines()
MIN_RIGHT = {"A": 0.94, "B": 0.68}


def is_right(line: str) -> bool:
    """Whether the first quotation of a line has the speaker that is marked."""
    _, language, rest = line.split(" ", 2)
    text, _, marked = rest.rpartition(" = ")
    quotes = [
        quote
        for quote in find_quotes(text, (Segment(0, len(text), "paragraph"),), language)
        if quote.kind != "indirect"
    ]
    speaker = quotes[0].speaker if quotes else None
    return bool(quotes) and (speaker.text if speaker else "-") == marked


@pytest.mark.parametrize("half", ["A", "B"])
def test_who_speaks_is_read_as_marked(half: str) -> None:
    lines = [line for line in LINES if line.startswith(half)]
    wrong = [line for line in lines if not is_right(line)]
    assert 1 - len(wrong) / len(lines) >= MIN_RIGHT[half], wrong
