"""How many stories have a shingle: a count-min sketch of one row that ages.

A chain counts a shingle once. When as many shingles were counted as there are places, all counts are halved (the
reset of TinyLFU), so that templates stay known beyond the window and what was seen once is forgotten. The table
doubles when the window's own shingles would fill two thirds of it. What it says never depends on a clock.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import Hashes
from processors.deduplicate.flat import leads, lengths

PLACES: Final = 1 << 18  # at the start, a byte each
_SATURATED: Final = 255
_SPREAD: Final = np.uint32(0x9E3779B1)
_HALF: Final = np.uint64(32)

Counts = NDArray[np.uint8]


def spread(hashes: Hashes) -> NDArray[np.uint64]:
    """The hashes over all of 32 bits: samples hold the smallest hashes, tables want them everywhere."""
    return (hashes * _SPREAD).astype(np.uint64)


def places(spread_hashes: NDArray[np.uint64], size: np.uint64) -> NDArray[np.uint64]:
    """The place of each hash in a table of any size (Lemire's multiply and shift)."""
    found = spread_hashes * size
    found >>= _HALF
    return found


class Frequencies:
    """Counts of stories by shingle, from 0 to 255."""

    def __init__(self) -> None:
        """Nothing counted."""
        self._counts: Counts = np.zeros(PLACES, np.uint8)
        self._size = np.uint64(PLACES)
        self._counted = 0  # since the last halving
        self._alive = 0  # of stories in the window

    def of(self, spread_hashes: NDArray[np.uint64]) -> Counts:
        """The counts of spread hashes."""
        return self._counts.take(places(spread_hashes, self._size))

    def count(self, spread_hashes: NDArray[np.uint64]) -> None:
        """Count the shingles of some stories that their chains did not have."""
        where = places(spread_hashes, self._size)
        where.sort()
        starts = leads(where).nonzero()[0]
        where, times = where.take(starts), lengths(starts, len(where))
        seen = self._counts.take(where) + np.minimum(times, _SATURATED)
        self._counts[where] = np.minimum(seen, _SATURATED).astype(np.uint8)
        self._alive += len(spread_hashes)
        self._counted += len(spread_hashes)
        if self._counted > len(self._counts):
            self._age()

    def forget(self, shingles: int) -> None:
        """A story of this many counted shingles has left the window. Its counts age by themselves."""
        self._alive -= shingles

    def _age(self) -> None:
        if 3 * self._alive > 2 * len(self._counts):
            self._counts = np.repeat(self._counts, 2)  # a hash's next bit tells the two places apart
            self._size = np.uint64(len(self._counts))
        else:
            self._counts >>= 1
            self._counted //= 2
