"""The keys of the running block's stories, which the index does not know yet: candidates for the next ones.

The last stories may be such as were looked up and are still to come.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.candidates import HALF, LOWER, Found, most_shared
from processors.deduplicate.flat import Numbers
from processors.deduplicate.index import Keys
from processors.deduplicate.record import BLOCK


class Block:
    """The keys of up to `BLOCK` stories, numbered from 0."""

    __slots__ = ("_counted", "_owned", "_sizes", "_told")

    def __init__(self) -> None:
        """No stories."""
        self.clear()

    def __len__(self) -> int:
        """How many stories."""
        return self._counted

    def clear(self) -> None:
        """Begin anew."""
        self._counted = 0
        self._owned: NDArray[np.uint64] = np.empty(
            0, np.uint64
        )  # keys in the upper half, owners in the lower
        self._told: Numbers = np.zeros(BLOCK, np.intp)  # how many keys each has
        self._sizes: Numbers = np.zeros(BLOCK, np.intp)  # of their samples

    def add(self, keys: Keys, sizes: Numbers) -> None:
        """Add some stories by their keys and the sizes of their samples."""
        first, last = self._counted, self._counted + len(sizes)
        owned = keys.hashes << HALF
        owned |= (keys.owners + first).astype(np.uint64)
        self._owned = np.concatenate((self._owned, owned))
        self._told[first:last] = keys.told
        self._sizes[first:last] = sizes
        self._counted = last

    def cut(self, count: int) -> None:
        """Let only the first so many stories stand."""
        if count < self._counted:
            self._owned = self._owned[(self._owned & LOWER) < count]
            self._counted = count

    def keys(self) -> Keys:
        """The keys of all stories."""
        owners = (self._owned & LOWER).astype(np.intp)
        return Keys(self._owned >> HALF, owners, self._told[: self._counted])

    def candidates(self, first: int, base: int) -> Found:
        """For each story from number `first` on the earlier ones of the block that share its keys.

        Of those that have a key only the newest counts. They are told as rows, of which `base` is the block's first.
        """
        owned = np.sort(self._owned)
        again = ((owned[1:] ^ owned[:-1]) <= LOWER).nonzero()[0]
        pairs = (owned.take(again + 1) & LOWER) << HALF
        pairs |= owned.take(again) & LOWER
        pairs = pairs[pairs >= np.uint64(first) << HALF]
        pairs.sort()
        sizes = self._sizes[: self._counted]
        return most_shared(pairs, self._told[: self._counted], sizes, sizes, base)[first:]
