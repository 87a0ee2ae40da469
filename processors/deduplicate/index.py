"""Which earlier stories share rare shingles with a story.

A flat table without keys, addressed by hash, holds the two newest rows that have a shingle as a key; a chance
collision costs a candidate that scoring refuses. Shingles that many stories have belong to templates and are no
keys. The table grows with what is alive and is rebuilt from the records, never by a clock.

Many stories are looked up at once, and many rows are added at once: the tables stand still in between (`window`).
What is told of one story does not depend on those that it is looked up with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import Hashes
from processors.deduplicate.frequencies import Frequencies, places, spread
from processors.deduplicate.record import Rows
from processors.deduplicate.tables import MakeTable, Places, Whole

COMMON: Final = 8  # stories; a shingle that more have is no key: it belongs to a template
KEYS: Final = 48  # of a story; of a long one, half of its sample, so that a brief of it is found
FEWEST: Final = 4  # keys, where almost everything is common
CANDIDATES: Final = 6  # that are scored for a story, however many share keys with it
SHARED: Final = 0.05  # of the keys that a candidate could share, the least that it does share
_START: Final = 1 << 16  # places
_TURNOVER: Final = 1 << 16  # rows that pass before a rebuild, beside four times the window
_LARGEST: Final = 65535  # size of a sample, as it is told
_HALF: Final = np.uint64(32)
_LOWER: Final = np.uint64(2**32 - 1)
_UPPER: Final = np.uint64(2**64 - 2**32)

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the index knows of a story's shingles.

    `counts` tells for each how many stories have it, `keys` the spread hashes of those that are keys, `rows` the
    candidates with the number of keys that each shares, most first, of equals the newest.
    """

    counts: NDArray[np.uint8]
    keys: list[int]
    rows: list[tuple[int, int]]


class Index:
    """The candidates and frequencies of one window. Rows are told as numbers that only grow."""

    def __init__(self, tables: MakeTable = Whole) -> None:
        """Empty; `tables` makes what it is kept in."""
        self._frequencies = Frequencies(tables)
        self._rows = tables(_START, np.uint64)
        self._origin = 0
        self._chains: NDArray[np.uint32]
        self._sizes: NDArray[np.uint16]
        self._alive: int  # keys
        self._newest: int
        self._clear(_START)

    def look_up(self, samples: Sequence[Hashes], first: int) -> list[Lookup]:
        """The counts, keys and candidates of some stories; rows below `first` have left the window."""
        sizes = np.fromiter(map(len, samples), np.intp, len(samples))
        spread_hashes = spread(np.concatenate(samples))
        counts = self._frequencies.of(spread_hashes)
        chosen, numbers = _keys(counts, sizes)
        keys, told = spread_hashes.take(chosen), np.bincount(numbers, minlength=len(samples))
        rows = self._candidates(keys, numbers, told, sizes, first)
        listed, cuts = keys.tolist(), [0, *accumulate(told.tolist())]
        starts = [0, *accumulate(sizes.tolist())]
        return [
            Lookup(counts[starts[at] : starts[at + 1]], listed[cuts[at] : cuts[at + 1]], rows[at])
            for at in range(len(samples))
        ]

    def counts(self, shingles: Hashes) -> NDArray[np.uint8]:
        """How many stories have each shingle."""
        return self._frequencies.of(spread(shingles))

    def add(self, rows: Rows, first: int) -> None:
        """Count the fresh shingles of successive rows, of which `first` is the first, and put their keys."""
        spread_hashes = spread(rows.shingles)
        chosen, numbers = _keys(self._frequencies.of(spread_hashes), rows.sizes)
        self._frequencies.count(spread_hashes[rows.fresh])
        self._put(spread_hashes.take(chosen), numbers, self._told(rows, first))

    def remove(self, rows: Rows) -> None:
        """Rows leave the window; their keys die by their numbers."""
        self._frequencies.forget(int(np.count_nonzero(rows.fresh)))
        self._alive -= sum(map(_room, rows.sizes.tolist()))

    def is_due(self, alive: int) -> bool:
        """Whether the table should be rebuilt: it is full, or most of what it saw has left the window."""
        return 2 * self._alive > 3 * len(self._rows) or self._newest > 4 * alive + _TURNOVER

    def rebuild(self, sizes: Iterable[int], blocks: Iterable[tuple[int, Rows]], first: int) -> None:
        """Fill a new table from what is alive, in the order of the log: blocks of rows, each with its first row.

        `sizes` are those of the samples.
        """
        self._origin = first
        self._clear(max(_START, 9 * sum(map(_room, sizes)) // 8))
        for start, rows in blocks:
            spread_hashes = spread(rows.shingles)
            chosen, numbers = _keys(self._frequencies.of(spread_hashes), rows.sizes)
            self._put(spread_hashes.take(chosen), numbers, self._told(rows, start))

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
        self._alive += sum(map(_room, rows.sizes.tolist()))
        return np.arange(start, end, dtype=np.uint32)

    def _put(self, keys: Places, numbers: Numbers, told: NDArray[np.uint32]) -> None:
        """Put the keys of some rows, one row after the other at each place; `numbers` tell whose a key is."""
        where = places(keys, self._size) << _HALF
        where |= told.take(numbers)
        where.sort()
        rows = where & _LOWER
        where >>= _HALF
        while len(where):
            lead = np.ones(len(where), np.bool_)
            np.not_equal(where[1:], where[:-1], out=lead[1:])
            self._put_newer(where[lead], rows[lead])
            rest = ~lead
            where, rows = where[rest], rows[rest]

    def _put_newer(self, where: Places, rows: Places) -> None:
        """The newer of two rows moves down, the older falls out; a row of the same chain is replaced in place."""
        held = self._rows.take(where)
        chains = self._chains
        moved = held << _HALF
        np.copyto(moved, held & _UPPER, where=chains.take(held & _LOWER) == chains.take(rows))
        moved |= rows
        self._rows.put(where, moved)

    def _candidates(
        self, keys: Places, numbers: Numbers, told: Numbers, sizes: Numbers, first: int
    ) -> list[list[tuple[int, int]]]:
        """For each story the rows that share most keys. A smaller story could share fewer."""
        found: list[list[tuple[int, int]]] = [[] for _ in sizes]
        held = self._rows.take(places(keys, self._size)).view(np.uint32)
        alive = np.flatnonzero(held > max(first - self._origin, 0))
        pairs = numbers.take(alive >> 1).astype(np.uint64) << _HALF
        pairs |= held.take(alive)
        pairs.sort()
        starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1]))) if len(pairs) else alive
        shared = np.diff(starts, append=len(pairs))
        pairs = pairs.take(starts)
        stories, rows = (pairs >> _HALF).astype(np.intp), (pairs & _LOWER).astype(np.intp)
        whole = sizes.take(stories)
        least = SHARED * told.take(stories) / whole * np.minimum(whole, self._sizes.take(rows))
        enough = np.flatnonzero(shared >= least)
        shared = shared.take(enough)
        order = np.lexsort((-rows.take(enough), -shared, stories.take(enough)))
        enough = enough.take(order)
        triples = zip(
            stories.take(enough).tolist(),
            rows.take(enough).tolist(),
            shared.take(order).tolist(),
            strict=True,
        )
        for story, row, keys_shared in triples:
            if len(found[story]) < CANDIDATES:
                found[story].append((row + self._origin - 1, keys_shared))
        return found

    def _clear(self, size: int) -> None:
        self._rows.clear(size)
        self._size = np.uint64(size)
        self._chains = np.zeros(1024, np.uint32)
        self._sizes = np.zeros(1024, np.uint16)
        self._alive = self._newest = 0


def _keys(counts: NDArray[np.uint8], sizes: Numbers) -> tuple[Numbers, Numbers]:
    """Which shingles of some stories are keys, and the number of the story that each is of.

    Those that few stories have, of these the first ones; where there are fewer than four, the four rarest.
    """
    owners = np.repeat(np.arange(len(sizes)), sizes)
    rare = counts <= COMMON
    ranks = np.zeros(len(counts) + 1, np.intp)
    np.cumsum(rare, out=ranks[1:])
    ends = np.cumsum(sizes)
    before = ranks.take(ends - sizes)
    rooms = np.minimum(sizes, np.maximum(KEYS, sizes // 2))
    rare &= ranks[1:] <= (before + rooms).take(owners)
    for story in np.flatnonzero(ranks.take(ends) - before < FEWEST).tolist():
        start, end = int(ends[story] - sizes[story]), int(ends[story])
        rare[start:end] = False
        rare[start + np.argsort(counts[start:end], kind="stable")[:FEWEST]] = True
    chosen = np.flatnonzero(rare)
    return chosen, owners.take(chosen)


def _room(shingles: int) -> int:
    """How many keys a story of this many sampled shingles has at the most."""
    return min(shingles, max(KEYS, shingles // 2))
