"""Numbers that others send are read where they fit, and nothing else is a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.numbers import MAX_INT64, parse_int64


@given(st.integers(0, MAX_INT64))
def test_a_number_that_fits_is_read(number: int) -> None:
    assert parse_int64(str(number)) == number


@pytest.mark.parametrize(
    "told",
    ["", "-1", "+1", "1.0", " 1", "1_000", "\u00b2", "\u2460", str(MAX_INT64 + 1), "9" * 19, "9" * 5000],
)
def test_anything_else_is_none(told: str) -> None:
    assert parse_int64(told) is None


@given(st.text(max_size=30))
def test_no_text_raises(told: str) -> None:
    number = parse_int64(told)
    assert number is None or 0 <= number <= MAX_INT64
