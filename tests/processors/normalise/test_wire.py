"""What the wires of teleprinters tell in words of their own."""

from __future__ import annotations

import pytest

from processors.normalise.wire import find_wire_date


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("221530 GMT JAN 26", "2026-01-22T15:30:00Z"),
        ("221530 JUIN 26", "2026-06-22T15:30:00Z"),
        ("221530 JUIL 26", "2026-07-22T15:30:00Z"),  # not June, whose first three letters it has
        ("221530 HEC DÉC 26", "2026-12-22T14:30:00Z"),
        ("01-22-26 1530GMT", "2026-01-22T15:30:00Z"),
        ("321530 GMT JAN 26", None),
        ("221530 GMT XYZ 26", None),
    ],
)
def test_the_dates_of_wires_are_read_in_their_languages(text: str, read: str | None) -> None:
    assert find_wire_date(text, None) == read
