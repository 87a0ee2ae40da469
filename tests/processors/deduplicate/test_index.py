"""Candidates are the stories that share most rare shingles."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deduplicate.arrays import Hashes32
from processors.deduplicate.index import (
    MAX_CANDIDATES,
    MIN_SHARED_SHARE,
    CandidateRows,
    ShingleIndex,
    top_candidates,
)
from processors.deduplicate.rows import ShingleRows


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=30), min_size=1, max_size=5),
    st.integers(1, 200),
    st.integers(0, 1000),
)
def test_candidates_are_the_rows_that_share_most_keys_the_newest_first(
    held: list[list[int]], size: int, base: int
) -> None:
    key_counts = np.full(len(held), 30)
    sizes, row_sizes = np.full(len(held), max(30, size)), np.arange(20, 30)
    pairs = np.array(sorted(story << 32 | row for story, rows in enumerate(held) for row in rows), np.uint64)
    expected = []
    for rows in held:
        shared = [
            (row + base, count)
            for row, count in Counter(rows).items()
            if count >= MIN_SHARED_SHARE * 30 / max(30, size) * min(max(30, size), 20 + row)
        ]
        expected.append(sorted(shared, key=lambda candidate: (-candidate[1], -candidate[0]))[:MAX_CANDIDATES])
    assert top_candidates(pairs, key_counts, sizes, row_sizes, base) == expected


@pytest.mark.parametrize(("sharing", "count"), [(5, 5), (6, 6), (7, 6)])
def test_at_most_six_candidates_are_scored(sharing: int, count: int) -> None:
    pairs = np.arange(sharing, dtype=np.uint64)
    (candidates,) = top_candidates(pairs, np.array([1]), np.array([1]), np.ones(sharing, np.intp), 0)
    assert candidates == [(row, 1) for row in reversed(range(sharing))][:count]


@pytest.mark.parametrize(("shared", "is_candidate"), [(1, False), (2, True), (3, True)])
def test_a_candidate_shares_a_twentieth_of_the_keys(shared: int, *, is_candidate: bool) -> None:
    pairs = np.zeros(shared, np.uint64)
    (candidates,) = top_candidates(pairs, np.array([40]), np.array([40]), np.array([40]), 0)
    assert bool(candidates) == is_candidate


def rows_of(*samples: Hashes32) -> ShingleRows:
    shingles = np.concatenate(samples)
    return ShingleRows(
        shingles,
        np.ones(len(shingles), np.bool_),
        np.array([len(sample) for sample in samples]),
        np.arange(1, len(samples) + 1, dtype=np.uint32),
    )


def sample_of(first: int, count: int = 40) -> Hashes32:
    return np.arange(first, first + count, dtype=np.uint32) << np.uint32(12)


def candidates_after(others: int) -> CandidateRows:
    """The candidates of a story whose first half so many others have, each with a second half of its own."""
    index = ShingleIndex()
    template = sample_of(0, 20)
    samples = [np.concatenate((template, sample_of(1000 * number, 20))) for number in range(1, others + 1)]
    rows = rows_of(*samples)
    index.add_rows(rows, index.select_keys(rows), 0)
    story = np.concatenate((template, sample_of(999_000, 20)))
    return index.look_up([story], 0).candidates[0]


@pytest.mark.parametrize("others", [7, 8, 9])
def test_shingles_of_more_than_eight_stories_are_no_keys(others: int) -> None:
    newest = [(others - 1, 20), (others - 2, 20)]
    assert candidates_after(others) == (newest if others <= 8 else [])


@pytest.mark.parametrize(
    ("size", "keys"),
    [
        (47, 47),
        (48, 48),
        (49, 48),
        (97, 48),
        (98, 49),
    ],
)
def test_a_story_has_48_keys_and_a_long_one_half_of_its_sample(size: int, keys: int) -> None:
    lookup = ShingleIndex().look_up([sample_of(1, size)], 0)
    assert lookup.keys.counts.tolist() == [keys]


@pytest.mark.parametrize("rare", [3, 4, 5])
def test_where_almost_everything_is_common_the_four_rarest_are_keys(rare: int) -> None:
    index = ShingleIndex()
    template = sample_of(0, 20)
    for row in range(10):
        rows = rows_of(template)
        index.add_rows(rows, index.select_keys(rows), row)
    lookup = index.look_up([np.concatenate((template, sample_of(5000, rare)))], 0)
    assert lookup.keys.counts.tolist() == [max(rare, 4)]


def test_a_sample_smaller_than_the_fewest_keys_is_all_keys() -> None:
    assert ShingleIndex().look_up([sample_of(1, 2)], 0).keys.counts.tolist() == [2]
