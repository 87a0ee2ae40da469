"""Timestamps and milliseconds are turned into each other exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.times import read_milliseconds, to_milliseconds, to_timestamp


@given(st.integers(0, 2**42))
def test_milliseconds_come_back_from_their_timestamp(moment: int) -> None:
    assert to_milliseconds(to_timestamp(moment)) == moment


@pytest.mark.parametrize(
    ("timestamp", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-31T13:00:00.123+01:00", 1_769_860_800_123),
        ("2026-01-31T12:00:00.123", 1_769_860_800_123),
        ("2026-01-31T12:00:00.1239Z", 1_769_860_800_123),
        ("20260131T120000Z", 1_769_860_800_000),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200_000),
    ],
)
def test_times_are_utc_where_they_have_no_zone_and_rounded_down(timestamp: str, milliseconds: int) -> None:
    assert to_milliseconds(timestamp) == milliseconds


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "²⁰²⁶-01-01"])
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        to_milliseconds(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_timestamp_is_none_in_milliseconds(text: str) -> None:
    assert read_milliseconds(text) is None
    assert read_milliseconds("2026-01-02T00:00:00Z") == to_milliseconds("2026-01-02T00:00:00Z")
