"""Flat arrays: groups that stand one after the other, and how many stories have each shingle."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

HALF_BITS: Final = np.uint64(32)
LOWER_HALF: Final = np.uint64(2**32 - 1)
UPPER_HALF: Final = np.uint64(2**64 - 2**32)
# A byte each. With fewer slots counts of strangers add up until the table has grown; more are never filled.
INITIAL_COUNT_SLOTS: Final = 1 << 18
MAX_COUNT: Final = 255  # of stories: what a byte holds
# 2**32 over the golden ratio: Knuth's multiplicative hashing (The Art of Computer Programming, 6.4).
SPREAD_FACTOR: Final = np.uint32(0x9E3779B1)

Numbers = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Hashes32 = NDArray[np.uint32]
Hashes64 = NDArray[np.uint64]
StoryCounts = NDArray[np.uint8]  # by shingle, from 0 to `MAX_COUNT`


def first_of_equals(ascending: NDArray[np.unsignedinteger[Any]]) -> BoolArray:
    """True for each of some ascending numbers that differs from the one before."""
    first = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return first


def group_sizes(starts: Numbers, end: int) -> Numbers:
    """The sizes of groups by where they start: each ends where the next one starts, the last one at `end`."""
    sizes = np.empty_like(starts)
    sizes[:-1] = starts[1:]
    sizes[-1:] = end
    sizes -= starts
    return sizes


def group_places(starts: Numbers, sizes: Numbers) -> Numbers:
    """The places of all members of some groups, one group after the other."""
    ends = sizes.cumsum()
    places: Numbers = (starts - ends + sizes).repeat(sizes)
    places += np.arange(len(places))
    return places


def sum_ranges(values: NDArray[np.int64] | BoolArray, begins: Numbers, ends: Numbers) -> Numbers:
    """The sums of some ranges of numbers."""
    running = np.zeros(len(values) + 1, np.int64)
    values.cumsum(out=running[1:])
    sums: Numbers = running.take(ends)
    sums -= running.take(begins)
    return sums


def spread_hashes(hashes: Hashes32) -> Hashes64:
    """The hashes over all of 32 bits: samples hold the smallest hashes, tables want them everywhere."""
    return (hashes * SPREAD_FACTOR).astype(np.uint64)


def table_slots(spread: Hashes64, size: np.uint64) -> Hashes64:
    """The slot of each spread hash in a table of any size (Lemire's multiply and shift)."""
    slots = spread * size
    slots >>= HALF_BITS
    return slots


class ShingleFrequencies:
    """How many stories have a shingle: a count-min sketch of one row that ages.

    A chain counts a shingle once. When as many shingles were counted as there are slots, all counts are halved (the
    reset of TinyLFU), so that templates stay known beyond the window and what was seen once is forgotten. The table
    doubles when the window's own shingles would fill two thirds of it. The counts never depend on a clock.
    """

    def __init__(self) -> None:
        """Count nothing yet."""
        self._counts: StoryCounts = np.zeros(INITIAL_COUNT_SLOTS, np.uint8)
        self._size = np.uint64(INITIAL_COUNT_SLOTS)
        self._counted = 0  # shingles since the last halving
        self._alive = 0  # shingles of stories in the window

    def look_up(self, spread: Hashes64) -> StoryCounts:
        """The counts of spread hashes."""
        return self._counts.take(table_slots(spread, self._size))

    def add_shingles(self, spread: Hashes64) -> None:
        """Count the shingles of some stories that their chains did not have."""
        slots = table_slots(spread, self._size)
        slots.sort()
        starts = first_of_equals(slots).nonzero()[0]
        slots, times = slots.take(starts), group_sizes(starts, len(slots))
        counts = self._counts.take(slots) + np.minimum(times, MAX_COUNT)
        self._counts[slots] = np.minimum(counts, MAX_COUNT).astype(np.uint8)
        self._alive += len(spread)
        self._counted += len(spread)
        if self._counted > len(self._counts):
            self._age()

    def remove_shingles(self, number: int) -> None:
        """Note that so many counted shingles have left the window. Their counts age by themselves."""
        self._alive -= number

    def _age(self) -> None:
        """Double the table where it is too small for the window (each count stands in both its slots), else halve it."""
        if 3 * self._alive > 2 * len(self._counts):
            self._counts = np.repeat(self._counts, 2)
            self._size = np.uint64(len(self._counts))
        else:
            self._counts >>= 1
            self._counted //= 2
