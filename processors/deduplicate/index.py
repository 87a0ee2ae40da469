"""Which earlier stories share rare shingles with a story.

A flat table without keys, addressed by hash, holds the two newest rows that have a shingle as a key; a chance
collision costs a candidate that scoring refuses. Shingles that many stories have belong to templates and are no
keys. The table grows with what is alive and is rebuilt from the records, never by a clock.

Many stories are looked up at once, and many rows are added at once: the tables stand still in between (`window`).
What is told of one story does not depend on those that it is looked up with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.candidates import HALF, LOWER, Found, most_shared
from processors.deduplicate.fingerprint import Hashes
from processors.deduplicate.flat import Numbers, leads
from processors.deduplicate.frequencies import Counts, Frequencies, places, spread
from processors.deduplicate.rows import Rows

COMMON: Final = 8  # stories; a shingle that more have is no key: it belongs to a template
KEYS: Final = 48  # of a story; of a long one, half of its sample, so that a brief of it is found
FEWEST: Final = 4  # keys, where almost everything is common
_START: Final = 1 << 16  # places
_TURNOVER: Final = 1 << 16  # rows that pass before a rebuild, beside four times the window
_LARGEST: Final = 65535  # size of a sample, as it is told
_UPPER: Final = np.uint64(2**64 - 2**32)

Places = NDArray[np.uint64]


class Keys(NamedTuple):
    """The keys of some stories: spread hashes, the number of the story that each is of, and how many each has."""

    hashes: Places
    owners: Numbers
    told: Numbers


class Lookup(NamedTuple):
    """What the index knows of some stories.

    For each story `counts` tells how many stories have each of its shingles, and `rows` the candidates with the
    number of keys that each shares, most first, of equals the newest.
    """

    counts: list[Counts]
    rows: Found
    keys: Keys
    sizes: Numbers  # of the samples


class Index:
    """The candidates and frequencies of one window. Rows are told as numbers that only grow."""

    def __init__(self) -> None:
        """Empty."""
        self._frequencies = Frequencies()
        self._rows: NDArray[
            np.uint64
        ]  # by place: the newest row in the lower half, the one before in the upper
        self._origin = 0
        self._chains: NDArray[np.uint32]
        self._sizes: NDArray[np.uint16]
        self._alive: int  # keys
        self._newest: int
        self._clear(_START)

    def look_up(self, samples: Sequence[Hashes], first: int) -> Lookup:
        """The counts, keys and candidates of some stories; rows below `first` have left the window."""
        lengths = [len(sample) for sample in samples]
        sizes = np.array(lengths)
        spread_hashes = spread(np.concatenate(samples))
        counts = self._frequencies.of(spread_hashes)
        keys = _keys(spread_hashes, counts, sizes)
        cuts = [0, *accumulate(lengths)]
        return Lookup(
            [counts[cuts[at] : cuts[at + 1]] for at in range(len(lengths))],
            self._candidates(keys, sizes, first),
            keys,
            sizes,
        )

    def keys(self, rows: Rows) -> Keys:
        """The keys of some records that are still to be added."""
        spread_hashes = spread(rows.shingles)
        return _keys(spread_hashes, self._frequencies.of(spread_hashes), rows.sizes)

    def counts(self, shingles: Hashes) -> Counts:
        """How many stories have each shingle."""
        return self._frequencies.of(spread(shingles))

    def add(self, rows: Rows, keys: Keys, first: int) -> None:
        """Count the fresh shingles of successive rows, of which `first` is the first, and put their keys."""
        self._frequencies.count(spread(rows.shingles[rows.fresh]))
        self._put(keys, self._told(rows, first))

    def remove(self, rows: Rows) -> None:
        """Rows leave the window; their keys die by their numbers."""
        self._frequencies.forget(int(np.count_nonzero(rows.fresh)))
        self._alive -= _room(rows.sizes)

    def is_due(self, alive: int) -> bool:
        """Whether the table should be rebuilt: it is full, or most of what it saw has left the window."""
        return 2 * self._alive > 3 * len(self._rows) or self._newest > 4 * alive + _TURNOVER

    def rebuild(self, sizes: Iterable[int], blocks: Iterable[tuple[int, Rows]], first: int) -> None:
        """Fill a new table from what is alive, in the order of the log: blocks of rows, each with its first row.

        `sizes` are those of the samples.
        """
        self._origin = first
        self._clear(max(_START, 9 * _room(np.fromiter(sizes, np.intp)) // 8))
        for start, rows in blocks:
            self._put(self.keys(rows), self._told(rows, start))

    def _told(self, rows: Rows, first: int) -> NDArray[np.uint32]:
        """The numbers that the tables hold for rows: from 1; 0 is an empty place."""
        start = first - self._origin + 1
        end = start + len(rows.sizes)
        if end > len(self._chains):
            more = max(len(self._chains) // 2, end - len(self._chains))
            self._chains = np.concatenate((self._chains, np.zeros(more, np.uint32)))
            self._sizes = np.concatenate((self._sizes, np.zeros(more, np.uint16)))
        self._chains[start:end] = rows.chains
        self._sizes[start:end] = np.minimum(rows.sizes, _LARGEST)
        self._newest = end - 1
        self._alive += _room(rows.sizes)
        return np.arange(start, end, dtype=np.uint32)

    def _put(self, keys: Keys, told: NDArray[np.uint32]) -> None:
        """Put the keys of some rows, one row after the other at each place."""
        where = places(keys.hashes, self._size) << HALF
        where |= told.take(keys.owners)
        where.sort()
        rows = where & LOWER
        where >>= HALF
        while len(where):
            lead = leads(where)
            self._put_newer(where[lead], rows[lead])
            rest = ~lead
            where, rows = where[rest], rows[rest]

    def _put_newer(self, where: Places, rows: Places) -> None:
        """The newer of two rows moves down, the older falls out; a row of the same chain is replaced in place."""
        held = self._rows.take(where)
        chains = self._chains
        moved = held << HALF
        np.copyto(moved, held & _UPPER, where=chains.take(held & LOWER) == chains.take(rows))
        moved |= rows
        self._rows[where] = moved

    def _candidates(self, keys: Keys, sizes: Numbers, first: int) -> Found:
        """For each story the rows that share most keys."""
        held = self._rows.take(places(keys.hashes, self._size)).view(np.uint32)
        alive = (held > max(first - self._origin, 0)).nonzero()[0]
        pairs = keys.owners.take(alive >> 1).astype(np.uint64) << HALF
        pairs |= held.take(alive)
        pairs.sort()
        return most_shared(pairs, keys.told, sizes, self._sizes, self._origin - 1)

    def _clear(self, size: int) -> None:
        self._rows = np.zeros(size, np.uint64)
        self._size = np.uint64(size)
        self._chains = np.zeros(1024, np.uint32)
        self._sizes = np.zeros(1024, np.uint16)
        self._alive = self._newest = 0


def _keys(spread_hashes: Places, counts: Counts, sizes: Numbers) -> Keys:
    """Which shingles of some stories are keys.

    Those that few stories have, of these the first ones; where there are fewer than four, the four rarest.
    """
    owners = np.arange(len(sizes)).repeat(sizes)
    rare = counts <= COMMON
    ranks = np.zeros(len(counts) + 1, np.intp)
    rare.cumsum(out=ranks[1:])
    ends = sizes.cumsum()
    before = ranks.take(ends - sizes)
    rooms = np.minimum(sizes, np.maximum(KEYS, sizes // 2))
    rare &= ranks[1:] <= (before + rooms).take(owners)
    told = np.minimum(ranks.take(ends) - before, rooms)
    for story in (told < FEWEST).nonzero()[0].tolist():
        start, end = int(ends[story] - sizes[story]), int(ends[story])
        rare[start:end] = False
        rare[start + np.argsort(counts[start:end], kind="stable")[:FEWEST]] = True
        told[story] = min(FEWEST, end - start)
    chosen = rare.nonzero()[0]
    return Keys(spread_hashes.take(chosen), owners.take(chosen), told)


def _room(sizes: Numbers) -> int:
    """How many keys stories with samples of such sizes have together at the most."""
    return int(np.minimum(sizes, np.maximum(KEYS, sizes // 2)).sum())
