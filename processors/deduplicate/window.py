"""The stories of one language that are remembered: their records in the order of the log, and the ways to find them.

The window's time is the median of the latest stories' own times, so that one story with a wrong date moves nothing
and a clock that goes back is followed. A record leaves, oldest first, when that time has moved on by the window's
length since the record came, or when there are more records than the settings allow. Where the time goes back, as when
a feed of old stories is read for the first time, nothing leaves.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import Hashes
from processors.deduplicate.identity import Identity
from processors.deduplicate.index import COMMON, Alive, Index, Lookup
from processors.deduplicate.record import View

LATEST: Final = 63  # stories whose median time is the window's


class Window:
    """The memory of one language. Rows are numbers that only grow; those below `first` have left."""

    def __init__(self, length_ms: int, limit: int, shards: int = 1) -> None:
        """An empty window of a length in milliseconds, of at most `limit` records; its index is in so many shards."""
        self._length = length_ms
        self._limit = limit
        self._records: list[bytes] = []
        self._base = 0  # row of the first of _records
        self.first = 0
        self._index = Index(shards)
        self._identity = Identity()
        self._latest: deque[int] = deque(maxlen=LATEST)
        self._sorted: list[int] = []

    def __len__(self) -> int:
        """How many stories are remembered."""
        return self._base + len(self._records) - self.first

    @property
    def now(self) -> int | None:
        """The window's time in milliseconds; None before the first story."""
        return self._sorted[len(self._sorted) // 2] if self._sorted else None

    def view(self, row: int) -> View:
        """The record of a living row."""
        return View(self._records[row - self._base])

    def find(self, key: int) -> int | None:
        """The newest living row that has a 64-bit key."""
        return self._identity.get(key, self.first)

    def look_up(self, shingles: Hashes) -> Lookup:
        """What the index knows of a story's shingles, with its candidates."""
        return self._index.look_up(shingles, self.first)

    def weights(self, counts: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Inverse document frequencies: how much a shingle tells, by how many stories have it."""
        return self._weights.take(counts)

    def weights_of(self, shingles: Hashes) -> NDArray[np.float32]:
        """The same for shingles that were not looked up yet."""
        return self._weights.take(self._index.counts(shingles))

    def rare(self, shingles: Hashes) -> Hashes:
        """Those of the shingles that belong to no template, in their order."""
        return shingles[self._index.counts(shingles) <= COMMON]

    def add(self, raw: bytes, lookup: Lookup | None = None) -> None:
        """Remember a story: after it was decided, or (without `lookup`) when the log is read back."""
        view = View(raw)
        row = self._base + len(self._records)
        if lookup is None:
            lookup = self._index.look_up(view.shingles, self.first)
        self._index.add(lookup, view.fresh, row, view.chain_hash)
        self._records.append(raw)
        for key in view.identities():
            self._identity.put(key, row, self.first)
        self._tell_time(view.time)
        self._expire()
        if self._index.is_due(len(self)):
            self._index.rebuild(self._every, self.first)

    @property
    def _weights(self) -> NDArray[np.float32]:
        return _inverse_frequencies(len(self).bit_length())

    def _tell_time(self, moment: int) -> None:
        if len(self._latest) == LATEST:
            del self._sorted[bisect_left(self._sorted, self._latest[0])]
        self._latest.append(moment)
        insort(self._sorted, moment)

    def _expire(self) -> None:
        now, last = self.now or 0, self._base + len(self._records)
        while self.first < last:
            view = self.view(self.first)
            if last - self.first <= self._limit and now - view.mark <= self._length:
                break
            self._index.remove(view.fresh)
            self.first += 1
        gone = self.first - self._base
        if gone > 1024 and 4 * gone > len(self._records):
            del self._records[:gone]
            self._base = self.first

    def _alive(self, row: int) -> Alive:
        view = self.view(row)
        return Alive(row, view.shingles, view.fresh, view.chain_hash)

    def _every(self) -> Iterator[Alive]:
        return map(self._alive, range(self.first, self._base + len(self._records)))


@cache
def _inverse_frequencies(bits: int) -> NDArray[np.float32]:
    """log(N / n) for n of 0 to 255 stories, where N is the window's size to a power of two, a thousand at least."""
    seen = np.maximum(np.arange(256), 1)
    return np.maximum(np.log(max(1024, 1 << bits) / seen), 0.05).astype(np.float32)
