"""Flat arrays tell what the same lists would."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deduplicate.candidates import CANDIDATES, SHARED, most_shared
from processors.deduplicate.flat import between, leads, lengths, spans
from processors.deduplicate.identity import Identity

SIZES = st.lists(st.integers(0, 5), max_size=12)


@given(st.lists(st.integers(0, 9)))
def test_leads_are_the_first_of_their_kind(numbers: list[int]) -> None:
    ascending = np.array(sorted(numbers), np.uint64)
    assert ascending[leads(ascending)].tolist() == sorted(set(numbers))


@given(SIZES)
def test_lengths_are_the_sizes_of_groups(sizes: list[int]) -> None:
    ends = np.cumsum(np.array(sizes, np.intp))
    assert lengths(ends - sizes, sum(sizes)).tolist() == sizes


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=12))
def test_spans_stand_one_after_the_other(groups: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in groups], np.intp)
    sizes = np.array([size for _, size in groups], np.intp)
    assert spans(starts, sizes).tolist() == [start + place for start, size in groups for place in range(size)]


@given(st.lists(st.integers(0, 2**40), min_size=1), st.data())
def test_between_sums_stretches(numbers: list[int], data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(numbers)))
    end = data.draw(st.integers(begin, len(numbers)))
    told = between(np.array(numbers, np.int64), np.array([begin]), np.array([end]))
    assert told.tolist() == [sum(numbers[begin:end])]


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=30), min_size=1, max_size=5),
    st.integers(1, 200),
    st.integers(0, 1000),
)
def test_candidates_are_the_rows_that_share_most_keys_the_newest_first(
    held: list[list[int]], size: int, base: int
) -> None:
    told = np.full(len(held), 30)
    sizes, theirs = np.full(len(held), max(30, size)), np.arange(20, 30)
    pairs = np.array(sorted(story << 32 | row for story, rows in enumerate(held) for row in rows), np.uint64)
    expected = []
    for rows in held:
        shared = [
            (row + base, count)
            for row, count in Counter(rows).items()
            if count >= SHARED * 30 / max(30, size) * min(max(30, size), 20 + row)
        ]
        expected.append(sorted(shared, key=lambda found: (-found[1], -found[0]))[:CANDIDATES])
    assert most_shared(pairs, told, sizes, theirs, base) == expected


@pytest.mark.parametrize("spread", [1, 1024], ids=["side by side", "all at one place"])
def test_keys_tell_their_newest_living_row(spread: int) -> None:
    identity, known = Identity(), dict[int, int]()
    first = 0
    for row in range(250):
        keys = [spread * (row * 7 % 300), spread * (row * 5 % 200), spread * row]
        identity.put(keys, row, first)
        known.update(dict.fromkeys(keys, row))
        first = max(0, row - 150)
        for key in (spread * place for place in range(0, 300, 17)):
            alive = known.get(key, -1) >= first
            assert identity.get(key, first) == (known[key] if alive else None)
