"""Which earlier stories share rare shingles with a story, and how rare each shingle is.

Two flat tables without keys, addressed by hash: how many stories of the window have the shingle (a count-min sketch
of one row; a chain counts once), and the two newest rows that have it as a key. A chance collision costs a candidate
that scoring refuses. Both tables grow with what is alive and are rebuilt from the records, never by a clock.
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

COMMON: Final = 8  # stories; a shingle that more have is no key: it belongs to a template
KEYS: Final = 48  # of a story; of a long one, half of its sample, so that a brief of it is found
FEWEST: Final = 4  # keys, where almost everything is common
CANDIDATES: Final = 6  # that are scored for a story, however many share keys with it
SHARED: Final = 0.05  # of the keys that a candidate could share, the least that it does share
_START: Final = 1 << 16  # places
_SATURATED: Final = 255
_TURNOVER: Final = 1 << 16  # rows that pass before a rebuild, beside four times the window
_SPREAD: Final = np.uint64(0x9E3779B1)
_LOW: Final = np.uint64(2**32 - 1)
_HALF: Final = np.uint64(32)

Places = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the index knows of a story's shingles.

    `counts` tells for each how many stories have it, `keys` the places of the shingles that are keys, `rows` the
    candidates with the number of keys that each shares, most first.
    """

    counts: NDArray[np.uint8]
    spread: Places
    keys: NDArray[np.intp]
    rows: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Alive:
    """A story of the window as the tables take it: which shingles were new to its chain, its chain's hash."""

    row: int
    shingles: Hashes
    fresh: NDArray[np.bool_]
    chain: int


class Index:
    """The tables of one window. Rows are told as numbers that only grow."""

    def __init__(self) -> None:
        """Empty tables."""
        self._origin = 0
        self._chains = np.zeros(1024, np.uint32)
        self._sizes = array("H")
        self._clear(_START, _START)

    def look_up(self, shingles: Hashes, first: int) -> Lookup:
        """The counts, keys and candidates of a story; rows below `first` have left the window."""
        spread = (shingles * _SPREAD) & _LOW
        counts = self._counts.take((spread * self._count_places) >> _HALF)
        keys = np.flatnonzero(counts <= COMMON)[: _room(len(shingles))]
        if len(keys) < FEWEST:
            keys = np.sort(np.argsort(counts, kind="stable")[:FEWEST])
        held = self._rows.take((spread.take(keys) * self._row_places) >> _HALF, axis=0).ravel()
        oldest = first - self._origin
        alive = held[held > max(oldest, 0)].tolist()
        return Lookup(counts, spread, keys, self._most_shared(alive, len(keys), len(shingles)))

    def counts(self, shingles: Hashes) -> NDArray[np.uint8]:
        """How many stories have each shingle."""
        return self._counts.take((((shingles * _SPREAD) & _LOW) * self._count_places) >> _HALF)

    def add(self, lookup: Lookup, fresh: NDArray[np.bool_], row: int, chain: int) -> None:
        """Count a story's fresh shingles and put its keys. `chain` is a 32-bit hash of its chain's id."""
        told = self._told(row, chain, len(fresh))
        self._count((lookup.spread * self._count_places) >> _HALF, lookup.counts, fresh)
        self._put((lookup.spread.take(lookup.keys) * self._row_places) >> _HALF, told, chain)
        self._live_keys += _room(len(lookup.spread))

    def remove(self, shingles: Hashes, fresh: NDArray[np.bool_]) -> None:
        """Uncount a story that leaves the window; its keys die by its row. What is saturated stays until a rebuild."""
        places = (((shingles[fresh] * _SPREAD) & _LOW) * self._count_places) >> _HALF
        counts = self._counts.take(places)
        self._counts[places] = counts - ((counts > 0) & (counts < _SATURATED))
        self._live_counts -= len(places)
        self._live_keys -= _room(len(shingles))

    def is_due(self, alive: int) -> bool:
        """Whether the tables should be rebuilt: they are full, or most of what they saw has left the window."""
        full = self._live_counts > self._count_places or self._live_keys > self._row_places
        return bool(full) or self._newest > 4 * alive + _TURNOVER

    def rebuild(self, records: Callable[[], Iterator[Alive]], first: int) -> None:
        """Fill new tables from what is alive, in the order of the log; `records` gives it twice."""
        shingles = keys = 0
        for alive in records():
            shingles += int(np.count_nonzero(alive.fresh))
            keys += _room(len(alive.shingles))
        self._origin = first
        self._clear(max(_START, 3 * shingles // 2), max(_START, 3 * keys // 2))
        for alive in records():
            spread = (alive.shingles * _SPREAD) & _LOW
            places = (spread * self._count_places) >> _HALF
            counts = self._counts.take(places)
            rare = np.flatnonzero(counts <= COMMON)[: _room(len(spread))]
            told = self._told(alive.row, alive.chain, len(alive.shingles))
            self._count(places, counts, alive.fresh)
            self._put((spread.take(rare) * self._row_places) >> _HALF, told, alive.chain)
            self._live_keys += _room(len(alive.shingles))

    def _told(self, row: int, chain: int, size: int) -> int:
        """The number that the tables hold for a row: from 1; 0 is an empty place."""
        told = row - self._origin + 1
        if told >= len(self._chains):
            self._chains = np.concatenate((self._chains, np.zeros(len(self._chains) // 2, np.uint32)))
            self._sizes.extend(repeat(0, len(self._chains) - len(self._sizes)))
        self._chains[told] = chain
        self._sizes[told] = min(size, 65535)
        self._newest = told
        return told

    def _count(self, places: Places, counts: NDArray[np.uint8], fresh: NDArray[np.bool_]) -> None:
        places = places[fresh]
        self._counts[places] = np.minimum(counts[fresh], _SATURATED - 1) + 1
        self._live_counts += len(places)

    def _put(self, places: Places, told: int, chain: int) -> None:
        """The newer of two rows moves down, the older falls out; a row of the same chain is replaced in place."""
        held = self._rows.take(places, axis=0)
        same = self._chains.take(held[:, 0]) == chain
        held[:, 1] = np.where(same, held[:, 1], held[:, 0])
        held[:, 0] = told
        self._rows[places] = held

    def _most_shared(self, alive: list[int], keys: int, size: int) -> list[tuple[int, int]]:
        """The rows that share most keys; of equals those of the smallest keys. A smaller story could share fewer."""
        if not alive:
            return []
        found: list[tuple[int, int]] = []
        part = SHARED * keys / size
        for told, shared in Counter(alive).most_common():
            if shared >= part * min(size, self._sizes[told]):
                found.append((told + self._origin - 1, shared))
                if len(found) == CANDIDATES:
                    break
        return found

    def _clear(self, count_places: int, row_places: int) -> None:
        self._counts = np.zeros(count_places, np.uint8)
        self._rows = np.zeros((row_places, 2), np.uint32)
        self._count_places = np.uint64(count_places)
        self._row_places = np.uint64(row_places)
        self._chains = np.zeros(1024, np.uint32)
        self._sizes = array("H", bytes(2 * 1024))
        self._live_counts = self._live_keys = self._newest = 0


def _room(shingles: int) -> int:
    """How many keys a story of this many sampled shingles has at the most."""
    return min(shingles, max(KEYS, shingles // 2))
