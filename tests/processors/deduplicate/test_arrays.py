"""Flat arrays hold what the same lists would, and a shingle's count is that of its stories."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deduplicate.arrays import (
    MAX_COUNT,
    ShingleFrequencies,
    first_of_equals,
    group_places,
    group_sizes,
    spread_hashes,
    sum_ranges,
)

SIZES = st.lists(st.integers(0, 5), max_size=12)


@given(st.lists(st.integers(0, 9)))
def test_the_first_of_equals_are_all_that_differ(numbers: list[int]) -> None:
    ascending = np.array(sorted(numbers), np.uint64)
    assert ascending[first_of_equals(ascending)].tolist() == sorted(set(numbers))


@given(SIZES)
def test_sizes_are_those_of_the_groups(sizes: list[int]) -> None:
    ends = np.cumsum(np.array(sizes, np.intp))
    assert group_sizes(ends - sizes, sum(sizes)).tolist() == sizes


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=12))
def test_places_stand_one_group_after_the_other(groups: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in groups], np.intp)
    sizes = np.array([size for _, size in groups], np.intp)
    assert group_places(starts, sizes).tolist() == [
        start + place for start, size in groups for place in range(size)
    ]


@given(st.lists(st.integers(0, 2**40), min_size=1), st.data())
def test_ranges_are_summed(numbers: list[int], data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(numbers)))
    end = data.draw(st.integers(begin, len(numbers)))
    sums = sum_ranges(np.array(numbers, np.int64), np.array([begin]), np.array([end]))
    assert sums.tolist() == [sum(numbers[begin:end])]


@given(st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=8))
def test_shingles_are_counted_alike_together_and_one_by_one(stories: list[list[int]]) -> None:
    expected = Counter(shingle for story in stories for shingle in story)
    alone, together = ShingleFrequencies(), ShingleFrequencies()
    for story in stories:
        alone.add_shingles(spread_hashes(np.array(story, np.uint32) << np.uint32(20)))
    shingles = [shingle for story in stories for shingle in story]
    together.add_shingles(spread_hashes(np.array(shingles, np.uint32) << np.uint32(20)))
    asked = spread_hashes(np.arange(6, dtype=np.uint32) << np.uint32(20))
    assert alone.look_up(asked).tolist() == together.look_up(asked).tolist()
    assert alone.look_up(asked).tolist() == [expected[shingle] for shingle in range(6)]


@pytest.mark.parametrize("stories", [MAX_COUNT - 1, MAX_COUNT, MAX_COUNT + 1])
def test_counts_end_at_what_a_byte_holds(stories: int) -> None:
    frequencies = ShingleFrequencies()
    spread = spread_hashes(np.array([77], np.uint32))
    for _ in range(stories):
        frequencies.add_shingles(spread)
    assert frequencies.look_up(spread).tolist() == [min(stories, MAX_COUNT)]


@pytest.mark.parametrize("alive", [0, 680, 720])
def test_a_full_table_forgets_or_doubles_where_the_window_needs_it(
    monkeypatch: pytest.MonkeyPatch, alive: int
) -> None:
    monkeypatch.setattr("processors.deduplicate.arrays.INITIAL_COUNT_SLOTS", 1 << 10)
    frequencies = ShingleFrequencies()
    spread = spread_hashes(np.array([77], np.uint32))
    for number in range(1030):
        frequencies.add_shingles(spread)
        if number >= alive:
            frequencies.remove_shingles(1)
    expected = MAX_COUNT if 3 * alive > 2 * 1024 else MAX_COUNT // 2
    assert MAX_COUNT >= frequencies.look_up(spread)[0] >= expected
    assert (frequencies.look_up(spread)[0] == MAX_COUNT) == (expected == MAX_COUNT)
