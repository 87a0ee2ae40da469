"""The stories of one language that are remembered: their records in the order of the log, and the ways to find them.

The window's time is the median of the latest stories' own times, so that one story with a wrong date moves nothing
and a clock that goes back is followed. A record leaves, oldest first, when that time has moved on by the window's
length since the record came, or when there are more records than the settings allow. Where the time goes back, as when
a feed of old stories is read for the first time, nothing leaves.

The log is cut into blocks of `BLOCK` records. What the index tells stands still within a block: its stories are
looked up all at once, as many as are at hand, and are put into it all at once, when the block is full. In between,
stories of the block are found by a dict of its keys. A record tells its place in the block, so that blocks fall alike
wherever reading the log begins, and decisions do not depend on how many stories are decided together.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from processors.deduplicate.block import Block
from processors.deduplicate.fingerprint import Fingerprint
from processors.deduplicate.frequencies import Counts
from processors.deduplicate.identity import Identity
from processors.deduplicate.index import Index
from processors.deduplicate.keys import key
from processors.deduplicate.overlap import Asked, Overlap, Weights, overlaps, sample_from
from processors.deduplicate.record import BLOCK
from processors.deduplicate.rows import Rows, Sample, mark_of, rows_of, sample_of, size_of
from processors.deduplicate.view import View

LATEST: Final = 63  # stories whose median time is the window's
LIKELY: Final = 4  # part of the keys from which a candidate is probably the parent
UNIT: Final = 1024  # of weights, which are whole numbers


class Reading(NamedTuple):
    """What the tables tell of a story that will be `row`: its shingles' counts, and its candidates.

    `rows` are those of the candidates, each with the number of keys that it shares; `overlaps` is what was counted
    already, by row.
    """

    made: Fingerprint
    row: int
    counts: Counts
    rows: list[tuple[int, int]]
    overlaps: dict[int, Overlap | None]


class Window:
    """The memory of one language. Rows are numbers that only grow; those below `first` have left."""

    def __init__(self, length_ms: int, limit: int) -> None:
        """An empty window of a length in milliseconds, of at most `limit` records."""
        self.length = length_ms
        self._limit = limit
        self._records: list[bytes] = []
        self._base = 0  # row of the first of _records
        self._settled = 0  # row of the first that the index does not know
        self._oldest = 0  # row that was the first alive when the block began
        self.first = 0
        self.place = 0  # of the next record in its block
        self._index = Index()
        self._identity = Identity()
        self._latest: deque[int] = deque(maxlen=LATEST)
        self._sorted: list[int] = []
        self._block = Block()
        self._ahead: deque[Fingerprint] = deque()
        self._read: deque[Reading] = deque()
        self._frequent = _inverse_frequencies(0)

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

    def find(self, identity: int) -> int | None:
        """The newest living row that has a 64-bit key."""
        return self._identity.get(identity, self.first)

    def expect(self, prints: Sequence[Fingerprint]) -> None:
        """Stories that will be read and added next, in this order; they are looked up together."""
        self._forget_ahead()
        self._ahead = deque(prints)

    def read(self, made: Fingerprint) -> Reading:
        """What the tables tell of the next story."""
        found = self._read.popleft() if self._read else None
        if found is None or found.made is not made or found.row != self._base + len(self._records):
            self._forget_ahead()
            self._read_together(made)
            found = self._read.popleft()
        return found

    def compare(self, reading: Reading, rows: Sequence[int]) -> dict[int, Overlap | None]:
        """What a story shares with some rows and with others; None where that is next to nothing."""
        known = reading.overlaps
        unknown = [(row, self._sample(row)) for row in rows if row not in known]
        if unknown:
            asked = Asked(reading.made, reading.counts, unknown)
            known.update(overlaps([asked], self.weights, self._index.counts)[0])
        return known

    def weights(self, counts: Counts) -> Weights:
        """Inverse document frequencies: how much a shingle tells, by how many stories have it."""
        return self._frequent.take(counts)

    def restore(self, view: View) -> None:
        """Remember a story when the log is read back."""
        self._forget_ahead()
        if view.place != self.place:  # the log was cut
            self._settle()
            self.place = view.place
        self.add(view.raw, view.time, view.identities())

    def add(self, record: bytes, moment: int, identities: Sequence[int]) -> None:
        """Remember a story, the last that was read: its record, its own time, and the keys by which it is found."""
        row = self._base + len(self._records)
        self._records.append(record)
        self._identity.put(identities, row, self.first)
        self._tell_time(moment)
        self._expire()
        self.place += 1
        if self.place == BLOCK:
            self._settle()

    def _read_together(self, made: Fingerprint) -> None:
        """Look a story up, and as many of the next ones as will be in its block."""
        while self._ahead and self._ahead.popleft() is not made:
            pass  # was not added after all
        self._learn_keys()
        prints = [made, *islice(self._ahead, BLOCK - self.place - 1)]
        lookup = self._index.look_up([each.shingles for each in prints], self._oldest)
        self._block.add(lookup.keys, lookup.sizes)
        last = self._base + len(self._records)
        near = self._block.candidates(last - self._settled, self._settled)
        rows = [[*settled, *running] for settled, running in zip(lookup.rows, near, strict=True)]
        asked = [
            Asked(each, counts, [(row, self._sample(row, prints)) for row in self._likely(found, keys)])
            for each, counts, found, keys in zip(
                prints, lookup.counts, rows, lookup.keys.told.tolist(), strict=True
            )
        ]
        counted = overlaps(asked, self.weights, self._index.counts)
        self._read = deque(
            map(Reading, prints, range(last, last + len(prints)), lookup.counts, rows, counted)
        )

    def _likely(self, found: Sequence[tuple[int, int]], keys: int) -> dict[int, None]:
        """The rows that a story with so many keys will be compared with: candidates, and the origins of a likely one."""
        rows = dict.fromkeys([row for row, _ in found])
        if found and LIKELY * found[0][1] > keys and found[0][0] < self._base + len(self._records):
            rows |= dict.fromkeys(self.origins(self.view(found[0][0])))
        return rows

    def origins(self, view: View) -> list[int]:
        """The rows of a record's parent and of the first of its chain, which a story like it is compared with, too."""
        told = dict.fromkeys(view.origins())
        return [row for uri in told if (row := self.find(key("uri", uri))) is not None]

    def _sample(self, row: int, coming: Sequence[Fingerprint] = ()) -> Sample:
        """The sample of a row, or of a story that will be one."""
        at = row - self._base
        if at < len(self._records):
            return sample_of(self._records[at])
        return sample_from(coming[at - len(self._records)])

    def _forget_ahead(self) -> None:
        """Take the keys of stories out of the block that were read and not added."""
        self._read.clear()
        self._block.cut(self._base + len(self._records) - self._settled)

    def _learn_keys(self) -> None:
        """The keys of the block's records that were read back."""
        unknown = self._records[self._settled + len(self._block) - self._base :]
        if unknown:
            rows = rows_of(unknown)
            self._block.add(self._index.keys(rows), rows.sizes)

    def _tell_time(self, moment: int) -> None:
        if len(self._latest) == LATEST:
            del self._sorted[bisect_left(self._sorted, self._latest[0])]
        self._latest.append(moment)
        insort(self._sorted, moment)

    def _expire(self) -> None:
        now, last = self.now or 0, self._base + len(self._records)
        while self.first < last:
            mark = mark_of(self._records[self.first - self._base])
            if last - self.first <= self._limit and now - mark <= self.length:
                break
            self.first += 1

    def _settle(self) -> None:
        """End a block: what left is taken out of the index, what came is put in."""
        for _, gone in self._rows(self._oldest, self.first):
            self._index.remove(gone)
        if came := self._records[self._settled - self._base :]:
            rows = rows_of(came)
            keys = self._block.keys() if len(self._block) == len(came) else self._index.keys(rows)
            self._index.add(rows, keys, self._settled)
        gone_records = self.first - self._base
        if gone_records > 1024 and 4 * gone_records > len(self._records):
            del self._records[:gone_records]
            self._base = self.first
        self._oldest, self._settled, self.place = self.first, self._base + len(self._records), 0
        self._block.clear()
        self._read.clear()
        self._frequent = _inverse_frequencies(len(self).bit_length())
        if self._index.is_due(len(self)):
            sizes = map(size_of, islice(self._records, self.first - self._base, None))
            self._index.rebuild(sizes, self._rows(self.first, self._settled), self.first)

    def _rows(self, first: int, last: int) -> Iterator[tuple[int, Rows]]:
        """Some rows in blocks, each with its first row."""
        for start in range(first, last, BLOCK):
            end = min(start + BLOCK, last)
            yield start, rows_of(self._records[start - self._base : end - self._base])


@cache
def _inverse_frequencies(bits: int) -> Weights:
    """log(N / n) for n of 0 to 255 stories, where N is the window's size to a power of two, a thousand at least."""
    seen = np.maximum(np.arange(256), 1)
    weights: Weights = np.rint(UNIT * np.maximum(np.log(max(1024, 1 << bits) / seen), 0.05)).astype(np.int64)
    return weights
