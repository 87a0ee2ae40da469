"""Which earlier stories share rare shingles with a story.

A flat table without keys, addressed by hash, holds the two newest rows that have a shingle as a key; a chance
collision costs a candidate that scoring refuses. Shingles that many stories have belong to templates and are no
keys. The table grows with what is alive and is rebuilt from the records, never by a clock.

Many stories are looked up at once, and many rows are added at once: the tables stand still in between (`window`).
What is found for one story does not depend on those that it is looked up with. The stories of the running block,
which the table does not have yet, are found by their keys in `BlockKeys`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.arrays import (
    HALF_BITS,
    LOWER_HALF,
    UPPER_HALF,
    Hashes32,
    Hashes64,
    Numbers,
    ShingleFrequencies,
    StoryCounts,
    first_of_equals,
    group_sizes,
    spread_hashes,
    table_slots,
)
from processors.deduplicate.record import BLOCK_RECORDS
from processors.deduplicate.rows import ShingleRows

# The template filter, as in the prototype that was measured on labelled pairs of the Reuters wire: a shingle of more
# stories is no key. With a higher figure stories made from one template become candidates of each other, with a lower
# one a report that many told finds no parent.
MAX_KEY_STORIES: Final = 8
# As in the prototype: where almost everything is common, the rarest shingles are keys. With fewer a chance collision
# decides, with more templates return.
MIN_SHINGLE_KEYS: Final = 4
# Of a long story half of its sample are keys: fewer miss briefs of it, more cost time and memory.
MAX_SHINGLE_KEYS: Final = 48
# The most that are scored for a story: fewer miss the parent among its copies, more cost time.
MAX_CANDIDATES: Final = 6
# Of the keys that a candidate could share: a lower share scores chance collisions, a higher one misses copies that
# were cut.
MIN_SHARED_SHARE: Final = 0.05
INITIAL_ROW_SLOTS: Final = 1 << 16
# Rows that pass before a rebuild, beside four times the window: fewer rebuild often, more keep arrays of rows that
# have left.
MIN_TURNOVER_ROWS: Final = 1 << 16
MAX_SAMPLE_SIZE: Final = 65535  # that is remembered of a row, in two bytes

CandidateRows = list[tuple[int, int]]  # rows, each with the number of keys that it shares, most first


class StoryKeys(NamedTuple):
    """The keys of some stories: spread hashes, the number of the story that each is of, and how many each story has."""

    hashes: Hashes64
    owners: Numbers
    counts: Numbers


class Lookup(NamedTuple):
    """What the index knows of some stories.

    ``story_counts`` says for each story how many stories have each of its shingles, `candidates` which rows share
    most of its keys, of equals the newest. ``sample_sizes`` are those of the stories.
    """

    story_counts: list[StoryCounts]
    candidates: list[CandidateRows]
    keys: StoryKeys
    sample_sizes: Numbers


class ShingleIndex:
    """The candidates and frequencies of one window. Rows are numbers that only grow."""

    def __init__(self) -> None:
        """Make an empty index."""
        self._frequencies = ShingleFrequencies()
        self._rows: Hashes64  # by slot: the newest row in the lower half, the one before it in the upper
        self._origin = 0  # the row that the table numbers 1; 0 is an empty place
        self._chains: Hashes32  # by number
        self._sizes: NDArray[np.uint16]  # of samples, by number
        self._alive: int  # keys
        self._newest: int  # number
        self._clear(INITIAL_ROW_SLOTS)

    def look_up(self, samples: Sequence[Hashes32], first: int) -> Lookup:
        """The counts, keys and candidates of some stories; rows below `first` have left the window."""
        lengths = [len(sample) for sample in samples]
        sizes = np.array(lengths)
        spread = spread_hashes(np.concatenate(samples))
        counts = self._frequencies.look_up(spread)
        keys = _select_keys(spread, counts, sizes)
        cuts = [0, *accumulate(lengths)]
        return Lookup(
            [counts[cuts[at] : cuts[at + 1]] for at in range(len(lengths))],
            self._find_candidates(keys, sizes, first),
            keys,
            sizes,
        )

    def select_keys(self, rows: ShingleRows) -> StoryKeys:
        """The keys of some records that are still to be added."""
        spread = spread_hashes(rows.shingles)
        return _select_keys(spread, self._frequencies.look_up(spread), rows.sizes)

    def count_stories(self, shingles: Hashes32) -> StoryCounts:
        """How many stories have each shingle."""
        return self._frequencies.look_up(spread_hashes(shingles))

    def add_rows(self, rows: ShingleRows, keys: StoryKeys, first: int) -> None:
        """Count the new shingles of successive rows, of which `first` is the first, and add their keys."""
        self._frequencies.add_shingles(spread_hashes(rows.shingles[rows.new]))
        self._add_keys(keys, self._number_rows(rows, first))

    def remove_rows(self, rows: ShingleRows) -> None:
        """Note that rows have left the window; their keys die by their numbers."""
        self._frequencies.remove_shingles(int(np.count_nonzero(rows.new)))
        self._alive -= _count_keys(rows.sizes)

    def needs_rebuild(self, alive: int) -> bool:
        """Whether the table is full for so many living rows, or most of what it saw has left the window."""
        return 2 * self._alive > 3 * len(self._rows) or self._newest > 4 * alive + MIN_TURNOVER_ROWS

    def rebuild(self, sizes: Iterable[int], blocks: Iterable[tuple[int, ShingleRows]], first: int) -> None:
        """Fill a new table from what is alive, in the order of the log: blocks of rows, each with its first row.

        `sizes` are those of the samples.
        """
        self._origin = first
        self._clear(max(INITIAL_ROW_SLOTS, 9 * _count_keys(np.fromiter(sizes, np.intp)) // 8))
        for start, rows in blocks:
            self._add_keys(self.select_keys(rows), self._number_rows(rows, start))

    def _number_rows(self, rows: ShingleRows, first: int) -> Hashes32:
        """The numbers that the tables hold for rows."""
        start = first - self._origin + 1
        end = start + len(rows.sizes)
        if end > len(self._chains):
            more = max(len(self._chains) // 2, end - len(self._chains))
            self._chains = np.concatenate((self._chains, np.zeros(more, np.uint32)))
            self._sizes = np.concatenate((self._sizes, np.zeros(more, np.uint16)))
        self._chains[start:end] = rows.chains
        self._sizes[start:end] = np.minimum(rows.sizes, MAX_SAMPLE_SIZE)
        self._newest = end - 1
        self._alive += _count_keys(rows.sizes)
        return np.arange(start, end, dtype=np.uint32)

    def _add_keys(self, keys: StoryKeys, numbers: Hashes32) -> None:
        """Add the keys of some rows, one row after the other in each slot."""
        slots = table_slots(keys.hashes, self._size) << HALF_BITS
        slots |= numbers.take(keys.owners)
        slots.sort()
        rows = slots & LOWER_HALF
        slots >>= HALF_BITS
        while len(slots):
            first = first_of_equals(slots)
            self._add_newer(slots[first], rows[first])
            rest = ~first
            slots, rows = slots[rest], rows[rest]

    def _add_newer(self, slots: Hashes64, rows: Hashes64) -> None:
        """Move the newer of two rows down, so that the older falls out; replace a row of the same chain in place."""
        held = self._rows.take(slots)
        chains = self._chains
        moved = held << HALF_BITS
        np.copyto(moved, held & UPPER_HALF, where=chains.take(held & LOWER_HALF) == chains.take(rows))
        moved |= rows
        self._rows[slots] = moved

    def _find_candidates(self, keys: StoryKeys, sizes: Numbers, first: int) -> list[CandidateRows]:
        """For each story the rows that share most keys."""
        held = self._rows.take(table_slots(keys.hashes, self._size)).view(np.uint32)
        alive = (held > max(first - self._origin, 0)).nonzero()[0]
        pairs = keys.owners.take(alive >> 1).astype(np.uint64) << HALF_BITS
        pairs |= held.take(alive)
        pairs.sort()
        return top_candidates(pairs, keys.counts, sizes, self._sizes, self._origin - 1)

    def _clear(self, size: int) -> None:
        self._rows = np.zeros(size, np.uint64)
        self._size = np.uint64(size)
        self._chains = np.zeros(1024, np.uint32)
        self._sizes = np.zeros(1024, np.uint16)
        self._alive = self._newest = 0


class BlockKeys:
    """The keys of the running block's stories, numbered from 0: candidates for the next ones.

    The last stories may be such as were looked up and are still to come.
    """

    __slots__ = ("_count", "_key_counts", "_owned", "_sizes")

    def __init__(self) -> None:
        """Make an empty block."""
        self.clear()

    def __len__(self) -> int:
        """How many stories."""
        return self._count

    def clear(self) -> None:
        """Remove all stories."""
        self._count = 0
        self._owned: Hashes64 = np.empty(0, np.uint64)  # keys in the upper half, owners in the lower
        self._key_counts: Numbers = np.zeros(BLOCK_RECORDS, np.intp)
        self._sizes: Numbers = np.zeros(BLOCK_RECORDS, np.intp)  # of their samples

    def add_stories(self, keys: StoryKeys, sizes: Numbers) -> None:
        """Add some stories by their keys and the sizes of their samples."""
        first, last = self._count, self._count + len(sizes)
        owned = keys.hashes << HALF_BITS
        owned |= (keys.owners + first).astype(np.uint64)
        self._owned = np.concatenate((self._owned, owned))
        self._key_counts[first:last] = keys.counts
        self._sizes[first:last] = sizes
        self._count = last

    def truncate(self, count: int) -> None:
        """Keep only the first `count` stories."""
        if count < self._count:
            self._owned = self._owned[(self._owned & LOWER_HALF) < count]
            self._count = count

    def all_keys(self) -> StoryKeys:
        """The keys of all stories."""
        owners = (self._owned & LOWER_HALF).astype(np.intp)
        return StoryKeys(self._owned >> HALF_BITS, owners, self._key_counts[: self._count])

    def find_candidates(self, first: int, base: int) -> list[CandidateRows]:
        """For each story from number `first` on the earlier ones of the block that share its keys.

        Of those that have a key only the newest counts. Candidates are rows, of which `base` is the block's first.
        """
        owned = np.sort(self._owned)
        again = ((owned[1:] ^ owned[:-1]) <= LOWER_HALF).nonzero()[0]
        pairs = (owned.take(again + 1) & LOWER_HALF) << HALF_BITS
        pairs |= owned.take(again) & LOWER_HALF
        pairs = pairs[pairs >= np.uint64(first) << HALF_BITS]
        pairs.sort()
        sizes = self._sizes[: self._count]
        return top_candidates(pairs, self._key_counts[: self._count], sizes, sizes, base)[first:]


def top_candidates(
    pairs: Hashes64, key_counts: Numbers, sizes: Numbers, row_sizes: NDArray[np.integer[Any]], base: int
) -> list[CandidateRows]:
    """For each story the rows that share most of its keys, of equals the newest. A smaller story could share fewer.

    Args:
        pairs: ascending, one for each shared key: the story's number in the upper half, the row's in the lower.
        key_counts: how many keys each story has.
        sizes: of the stories' samples.
        row_sizes: of the rows' samples.
        base: row of the first of ``row_sizes``.
    """
    candidates: list[CandidateRows] = [[] for _ in key_counts]
    if not len(pairs):
        return candidates
    starts = first_of_equals(pairs).nonzero()[0]
    shared = group_sizes(starts, len(pairs))
    pairs = pairs.take(starts)
    stories, rows = (pairs >> HALF_BITS).astype(np.intp), (pairs & LOWER_HALF).astype(np.intp)
    size = sizes.take(stories)
    fewest = MIN_SHARED_SHARE * key_counts.take(stories) / size * np.minimum(size, row_sizes.take(rows))
    enough = (shared >= fewest).nonzero()[0]
    stories, rows, shared = stories.take(enough), rows.take(enough), shared.take(enough)
    order = np.lexsort((-rows, -shared, stories))
    rows += base
    for story, row, keys in zip(
        stories.take(order).tolist(), rows.take(order).tolist(), shared.take(order).tolist(), strict=True
    ):
        if len(candidates[story]) < MAX_CANDIDATES:
            candidates[story].append((row, keys))
    return candidates


def _select_keys(spread: Hashes64, counts: StoryCounts, sizes: Numbers) -> StoryKeys:
    """The shingles of some stories that are keys: those that few stories have, of these the first ones.

    Where there are fewer than `MIN_SHINGLE_KEYS`, those are the rarest.
    """
    owners = np.arange(len(sizes)).repeat(sizes)
    rare = counts <= MAX_KEY_STORIES
    ranks = np.zeros(len(counts) + 1, np.intp)
    rare.cumsum(out=ranks[1:])
    ends = sizes.cumsum()
    before = ranks.take(ends - sizes)
    most = np.minimum(sizes, np.maximum(MAX_SHINGLE_KEYS, sizes // 2))
    rare &= ranks[1:] <= (before + most).take(owners)
    key_counts = np.minimum(ranks.take(ends) - before, most)
    for story in (key_counts < MIN_SHINGLE_KEYS).nonzero()[0].tolist():
        start, end = int(ends[story] - sizes[story]), int(ends[story])
        rare[start:end] = False
        rare[start + np.argsort(counts[start:end], kind="stable")[:MIN_SHINGLE_KEYS]] = True
        key_counts[story] = min(MIN_SHINGLE_KEYS, end - start)
    chosen = rare.nonzero()[0]
    return StoryKeys(spread.take(chosen), owners.take(chosen), key_counts)


def _count_keys(sizes: Numbers) -> int:
    """How many keys stories with samples of such sizes have together at the most."""
    return int(np.minimum(sizes, np.maximum(MAX_SHINGLE_KEYS, sizes // 2)).sum())
