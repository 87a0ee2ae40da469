"""Which earlier stories share rare shingles with a story.

A flat table without keys, addressed by hash, holds the two newest rows that have a shingle as a key; a chance
collision costs a candidate that scoring refuses. Shingles that many stories have belong to templates and are no
keys. The table grows with what is alive and is rebuilt from the records, never by a clock.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import Hashes
from processors.deduplicate.frequencies import Frequencies, places, spread
from processors.deduplicate.tables import Places, made_table

COMMON: Final = 8  # stories; a shingle that more have is no key: it belongs to a template
KEYS: Final = 48  # of a story; of a long one, half of its sample, so that a brief of it is found
FEWEST: Final = 4  # keys, where almost everything is common
CANDIDATES: Final = 6  # that are scored for a story, however many share keys with it
SHARED: Final = 0.05  # of the keys that a candidate could share, the least that it does share
_START: Final = 1 << 16  # places
_TURNOVER: Final = 1 << 16  # rows that pass before a rebuild, beside four times the window


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the index knows of a story's shingles.

    `counts` tells for each how many stories have it, `spread` the hashes over all of 64 bits, `keys` those of the
    shingles that are keys, `rows` the candidates with the number of keys that each shares, most first.
    """

    counts: NDArray[np.uint8]
    spread: Places
    keys: Places
    rows: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Alive:
    """A story of the window as the tables take it: which shingles were new to its chain, its chain's hash."""

    row: int
    shingles: Hashes
    fresh: NDArray[np.bool_]
    chain: int


class Index:
    """The candidates and frequencies of one window. Rows are told as numbers that only grow."""

    def __init__(self, shards: int = 1) -> None:
        """Empty tables, in so many shards."""
        self._shards = shards
        self._frequencies = Frequencies(shards)
        self._origin = 0
        self._chains = np.zeros(1024, np.uint32)
        self._sizes = array("H")
        self._clear(_START)

    def look_up(self, shingles: Hashes, first: int) -> Lookup:
        """The counts, keys and candidates of a story; rows below `first` have left the window."""
        spread_hashes = spread(shingles)
        counts = self._frequencies.of(spread_hashes)
        keys = spread_hashes[counts <= COMMON][: _room(len(shingles))]
        if len(keys) < FEWEST:
            keys = spread_hashes.take(np.sort(np.argsort(counts, kind="stable")[:FEWEST]))
        held = self._rows.take(places(keys, self._size))
        alive = held[held > max(first - self._origin, 0)].tolist()
        rows = self._most_shared(alive, len(keys), len(shingles)) if alive else []
        return Lookup(counts, spread_hashes, keys, rows)

    def counts(self, shingles: Hashes) -> NDArray[np.uint8]:
        """How many stories have each shingle."""
        return self._frequencies.of(spread(shingles))

    def add(self, lookup: Lookup, fresh: NDArray[np.bool_], row: int, chain: int) -> None:
        """Count a story's fresh shingles and put its keys. `chain` is a 32-bit hash of its chain's id."""
        told = self._told(row, chain, len(fresh))
        self._frequencies.count(lookup.spread[fresh])
        self._put(lookup.keys, told, chain)

    def remove(self, fresh: NDArray[np.bool_]) -> None:
        """A story leaves the window; its keys die by its row."""
        self._frequencies.forget(int(np.count_nonzero(fresh)))
        self._alive -= _room(len(fresh))

    def is_due(self, alive: int) -> bool:
        """Whether the table should be rebuilt: it is full, or most of what it saw has left the window."""
        return 2 * self._alive > 3 * len(self._rows) or self._newest > 4 * alive + _TURNOVER

    def rebuild(self, records: Callable[[], Iterator[Alive]], first: int) -> None:
        """Fill a new table from what is alive, in the order of the log; `records` gives it twice."""
        keys = sum(_room(len(alive.shingles)) for alive in records())
        self._origin = first
        self._clear(max(_START, 9 * keys // 8))
        for alive in records():
            spread_hashes = spread(alive.shingles)
            rare = np.flatnonzero(self._frequencies.of(spread_hashes) <= COMMON)[: _room(len(spread_hashes))]
            told = self._told(alive.row, alive.chain, len(alive.shingles))
            self._put(spread_hashes.take(rare), told, alive.chain)

    def _told(self, row: int, chain: int, size: int) -> int:
        """The number that the tables hold for a row: from 1; 0 is an empty place."""
        told = row - self._origin + 1
        if told >= len(self._chains):
            self._chains = np.concatenate((self._chains, np.zeros(len(self._chains) // 2, np.uint32)))
            self._sizes.extend(repeat(0, len(self._chains) - len(self._sizes)))
        self._chains[told] = chain
        self._sizes[told] = min(size, 65535)
        self._newest = told
        self._alive += _room(size)
        return told

    def _put(self, keys: Places, told: int, chain: int) -> None:
        """The newer of two rows moves down, the older falls out; a row of the same chain is replaced in place."""
        where = places(keys, self._size)
        held = self._rows.take(where)
        same = self._chains.take(held[:, 0]) == chain
        np.copyto(held[:, 1], held[:, 0], where=~same)
        held[:, 0] = told
        self._rows.put(where, held)

    def _most_shared(self, alive: list[int], keys: int, size: int) -> list[tuple[int, int]]:
        """The rows that share most keys; of equals those of the smallest keys. A smaller story could share fewer."""
        found: list[tuple[int, int]] = []
        part, sizes = SHARED * keys / size, self._sizes
        for told, shared in Counter(alive).most_common():
            if shared >= part * min(size, sizes[told]):
                found.append((told + self._origin - 1, shared))
                if len(found) == CANDIDATES:
                    break
        return found

    def _clear(self, size: int) -> None:
        self._rows = made_table(np.zeros((size, 2), np.uint32), self._shards)
        self._size = np.uint64(size)
        self._chains = np.zeros(1024, np.uint32)
        self._sizes = array("H", bytes(2 * 1024))
        self._alive = self._newest = 0


def _room(shingles: int) -> int:
    """How many keys a story of this many sampled shingles has at the most."""
    return min(shingles, max(KEYS, shingles // 2))
