"""The stories of one language that are remembered: their records in the order of the log, and the ways to find them.

The window's time is the median of the latest stories' own times, so that one story with a wrong date moves nothing
and a clock that goes back is followed. A record leaves, oldest first, when that time has moved on by the window's
length since the record came, or when there are more records than the settings allow. The latest `MEDIAN_STORIES` stay:
in a language with few stories the time lags by weeks and then leaps. Where the time goes back, as when
a feed of old stories is read for the first time, nothing leaves.

The log is cut into blocks of `BLOCK_RECORDS`. The index stands still within a block: its stories are looked up all at
once, as many as are at hand, and are added to it all at once, when the block is full. In between, stories of the block
are found by `BlockKeys`. A record has its place in the block, so that blocks fall alike wherever reading the log
begins, and decisions do not depend on how many stories are decided together.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from processors.deduplicate.arrays import MAX_COUNT, StoryCounts
from processors.deduplicate.briefs import MAX_BRIEF_CHARS, BriefWords, RecentBriefs, read_brief
from processors.deduplicate.fingerprint import Fingerprint
from processors.deduplicate.index import BlockKeys, CandidateRows, ShingleIndex
from processors.deduplicate.keys import KeyMap, hash_key
from processors.deduplicate.overlap import (
    Overlap,
    OverlapQuery,
    ShingleWeights,
    measure_overlaps,
    sample_fingerprint,
)
from processors.deduplicate.record import BLOCK_RECORDS, RecordView
from processors.deduplicate.rows import (
    Sample,
    ShingleRows,
    read_rows,
    read_sample,
    read_sample_size,
    read_window_time,
)
from processors.deduplicate.sentences import SplitReport

# The median of so many stories' times is the window's: with fewer a burst of old stories moves it, with more it lags
# behind.
MEDIAN_STORIES: Final = 63
# A candidate that shares this part of the keys is probably the parent, so its own origins are compared at once.
# Decisions are the same with any figure: a higher one compares in vain, a lower one makes a second call.
LIKELY_PART: Final = 4
WEIGHT_UNIT: Final = 1024  # weights are whole numbers
# A window of fewer stories weighs as if it had so many: otherwise everything in it would be common, and what more
# stories have than it holds would weigh less than nothing.
MIN_WEIGHED_STORIES: Final = 1024
# Memory is freed when so many records have left: fewer copy the list often, more keep memory.
MIN_GONE_RECORDS: Final = 1024
# Records that were read of late, and as many before them, whose reports stay taken apart: copies come within a day or two,
# some hundred stories of a large agency. Fewer are taken apart again for every copy, more cost memory.
KEPT_VIEWS: Final = 512
ROW_BITS: Final = 40  # of a place, which is the number of a window and a row in it
ROW_MASK: Final = (1 << ROW_BITS) - 1


class WindowReading(NamedTuple):
    """What the tables say of a story that will be `row`: how many stories have its shingles, and its candidates.

    `overlaps` has what was measured already, by row.
    """

    fingerprint: Fingerprint
    row: int
    story_counts: StoryCounts
    candidates: CandidateRows
    overlaps: dict[int, Overlap | None]


class WindowKeys:
    """The newest story that is remembered of each key, in whatever window it is."""

    def __init__(self) -> None:
        """Make a map of no window."""
        self._windows: list[Window] = []
        self._places = KeyMap(self._is_alive)
        self._views: dict[int, RecordView | SplitReport] = {}
        self._older_views: dict[int, RecordView | SplitReport] = {}

    def add_window(self, window: Window) -> int:
        """Number a window."""
        self._windows.append(window)
        return len(self._windows) - 1

    def set_row(self, keys: Sequence[int], number: int, row: int) -> None:
        """Map some keys to a row of a window from now on."""
        self._places.set_place(keys, number << ROW_BITS | row)

    def has_key(self, key: int) -> bool:
        """Whether a record that is remembered has a 64-bit key."""
        return self._places.find_place(key) is not None

    def find_view(self, key: int) -> RecordView | None:
        """The newest record that has a 64-bit key and is remembered, in any window."""
        place = self._places.find_place(key)
        return None if place is None else self._windows[place >> ROW_BITS].view(place & ROW_MASK)

    def find_row(self, key: int, number: int) -> int | None:
        """The row of the newest record that has a key, where it is in the window of a number."""
        place = self._places.find_place(key)
        return place & ROW_MASK if place is not None and place >> ROW_BITS == number else None

    def read_view(self, record: bytes, number: int, row: int) -> RecordView:
        """The record of a row, which is read once as long as it is asked for."""
        place = number << ROW_BITS | row
        view = self._views.get(place)
        if view is None:
            view = self._older_views.get(place)
        if view is None or isinstance(view, SplitReport):
            view = RecordView(record, view)
        self._keep(place, view)
        return view

    def keep_report(self, report: SplitReport, number: int, row: int) -> None:
        """Keep the report of a row for its next copies, which are compared with it."""
        self._keep(number << ROW_BITS | row, report)

    def _keep(self, place: int, view: RecordView | SplitReport) -> None:
        """Keep what was read; what has not been asked for since as much was kept again is dropped."""
        if len(self._views) == KEPT_VIEWS:
            self._views, self._older_views = {}, self._views
        self._views[place] = view

    def _is_alive(self, place: int) -> bool:
        return place & ROW_MASK >= self._windows[place >> ROW_BITS].first


class Window:
    """The memory of one language. Rows are numbers that only grow; those below `first` have left."""

    def __init__(
        self, length_ms: int, max_records: int, story_keys: WindowKeys | None = None, language: str = ""
    ) -> None:
        """Make an empty window of a length in milliseconds, of at most ``max_records``.

        `story_keys` finds the stories of this window and of others.
        """
        self.length_ms = length_ms
        self.language = language
        self._briefs = RecentBriefs()
        self._max_records = max_records
        self._records: list[bytes] = []
        self._base = 0  # row of the first of _records
        self._block_first = 0  # row of the first that the index does not have
        self._oldest = 0  # row that was the first alive when the block began
        self.first = 0
        self.block_place = 0  # of the next record
        self._index = ShingleIndex()
        self._keys = story_keys or WindowKeys()
        self._number = self._keys.add_window(self)
        self._latest_ms: deque[int] = deque(maxlen=MEDIAN_STORIES)
        self._sorted_ms: list[int] = []
        self._block = BlockKeys()
        self._coming: deque[Fingerprint] = deque()
        self._readings: deque[WindowReading] = deque()
        self._weights = _inverse_frequencies(0)

    def __len__(self) -> int:
        """How many stories are remembered."""
        return self._end - self.first

    @property
    def _end(self) -> int:
        """The row of the next record."""
        return self._base + len(self._records)

    @property
    def now_ms(self) -> int | None:
        """The window's time in milliseconds; None before the first story."""
        return self._sorted_ms[len(self._sorted_ms) // 2] if self._sorted_ms else None

    def view(self, row: int) -> RecordView:
        """The record of a living row."""
        return self._keys.read_view(self._records[row - self._base], self._number, row)

    def find_view(self, key: int) -> RecordView | None:
        """The newest record that has a 64-bit key, in whatever window it is."""
        return self._keys.find_view(key)

    def find_origins(self, view: RecordView) -> list[int]:
        """The rows of a record's parent and of the first of its chain, which a story like it is compared with, too.

        Those in other windows are left out.
        """
        rows = (
            self._keys.find_row(hash_key("uri", uri), self._number) for uri in dict.fromkeys(view.origins())
        )
        return [row for row in rows if row is not None]

    def announce(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Note the stories that will be looked up and added next, in this order, to look them up together."""
        self._drop_readings()
        self._coming = deque(fingerprints)

    def look_up(self, fingerprint: Fingerprint) -> WindowReading:
        """What the tables say of the next story."""
        reading = self._readings.popleft() if self._readings else None
        if reading is None or reading.fingerprint is not fingerprint or reading.row != self._end:
            self._drop_readings()
            self._look_up_together(fingerprint)
            reading = self._readings.popleft()
        return reading

    def measure(self, reading: WindowReading, rows: Sequence[int]) -> dict[int, Overlap | None]:
        """What a story shares with some rows and with others; None where that is next to nothing."""
        overlaps = reading.overlaps
        missing = [(row, self._sample(row)) for row in rows if row not in overlaps]
        if missing:
            query = OverlapQuery(reading.fingerprint, reading.story_counts, missing)
            overlaps.update(measure_overlaps([query], self.weigh, self._index.count_stories)[0])
        return overlaps

    def weigh(self, counts: StoryCounts) -> ShingleWeights:
        """The inverse document frequencies of shingles that so many stories have."""
        return self._weights.take(counts)

    def restore(self, view: RecordView) -> None:
        """Remember a story when the log is read back."""
        self._drop_readings()
        if view.head.block_place != self.block_place:  # the log was cut
            self._end_block()
            self.block_place = view.head.block_place
        head = view.head
        brief = None
        if head.words <= MAX_BRIEF_CHARS:
            brief = read_brief(view.report(), self.language)
        occasion = view.occasion()
        self.add(view.raw, view.head.time_ms, view.keys(), occasion.source if occasion else 0, brief)

    def has_brief(self, source: int, time_ms: int, title: frozenset[str]) -> bool:
        """Whether one of the latest briefs of a source has such a headline."""
        return self._briefs.has_title(source, time_ms, title)

    def find_brief(self, source: int, time_ms: int, words: BriefWords) -> tuple[RecordView, float] | None:
        """The likest of the latest briefs of a source, and how like it is."""
        brief = self._briefs.find_row(source, time_ms, words, self.first)
        return (self.view(brief[0]), brief[1]) if brief else None

    def add(
        self,
        record: bytes,
        time_ms: int,
        keys: Sequence[int],
        source: int = 0,
        brief: BriefWords | None = None,
        report: SplitReport | None = None,
    ) -> None:
        """Remember a story, the last that was looked up: its record, its own time, and the keys that find it.

        `brief` are the words of a brief, which the next stories of its source are compared with; `report` is what the
        record holds of the report.
        """
        row = self._end
        if report is not None:
            self._keys.keep_report(report, self._number, row)
        if brief is not None:
            self._briefs.add(source, row, time_ms, brief)
        self._records.append(record)
        self._keys.set_row(keys, self._number, row)
        self._note_time(time_ms)
        self._expire()
        self.block_place += 1
        if self.block_place == BLOCK_RECORDS:
            self._end_block()

    def _look_up_together(self, fingerprint: Fingerprint) -> None:
        """Look a story up, and as many of the next ones as will be in its block."""
        while self._coming and self._coming.popleft() is not fingerprint:
            pass  # was not added after all
        self._complete_block_keys()
        coming = [fingerprint, *islice(self._coming, BLOCK_RECORDS - self.block_place - 1)]
        lookup = self._index.look_up([story.shingles for story in coming], self._oldest)
        self._block.add_stories(lookup.keys, lookup.sample_sizes)
        near = self._block.find_candidates(self._end - self._block_first, self._block_first)
        candidates = [[*indexed, *running] for indexed, running in zip(lookup.candidates, near, strict=True)]
        queries = [
            OverlapQuery(
                story,
                counts,
                [(row, self._sample(row, coming)) for row in self._likely_rows(rows, key_count)],
            )
            for story, counts, rows, key_count in zip(
                coming, lookup.story_counts, candidates, lookup.keys.counts.tolist(), strict=True
            )
        ]
        overlaps = measure_overlaps(queries, self.weigh, self._index.count_stories)
        rows = range(self._end, self._end + len(coming))
        self._readings = deque(map(WindowReading, coming, rows, lookup.story_counts, candidates, overlaps))

    def _likely_rows(self, candidates: CandidateRows, key_count: int) -> dict[int, None]:
        """The rows that a story will be compared with: candidates, and the origins of a likely one."""
        rows = dict.fromkeys([row for row, _ in candidates])
        if candidates:
            row, shared = candidates[0]
            if LIKELY_PART * shared > key_count and row < self._end:
                rows |= dict.fromkeys(self.find_origins(self.view(row)))
        return rows

    def _sample(self, row: int, coming: Sequence[Fingerprint] = ()) -> Sample:
        """The sample of a row, or of a story that will be one."""
        at = row - self._base
        if at < len(self._records):
            return read_sample(self._records[at])
        return sample_fingerprint(coming[at - len(self._records)])

    def _drop_readings(self) -> None:
        """Remove the keys of stories from the block that were looked up and not added."""
        self._readings.clear()
        self._block.truncate(self._end - self._block_first)

    def _complete_block_keys(self) -> None:
        """Add the keys of the block's records that were read back."""
        records = self._records[self._block_first + len(self._block) - self._base :]
        if records:
            rows = read_rows(records)
            self._block.add_stories(self._index.select_keys(rows), rows.sizes)

    def _note_time(self, time_ms: int) -> None:
        if len(self._latest_ms) == MEDIAN_STORIES:
            del self._sorted_ms[bisect_left(self._sorted_ms, self._latest_ms[0])]
        self._latest_ms.append(time_ms)
        insort(self._sorted_ms, time_ms)

    def _expire(self) -> None:
        """Let the oldest records leave that are past the window's length or too many."""
        now_ms, end = self.now_ms or 0, self._end
        while self.first < end:
            came_ms = read_window_time(self._records[self.first - self._base])
            is_recent = now_ms - came_ms <= self.length_ms or end - self.first <= MEDIAN_STORIES
            if end - self.first <= self._max_records and is_recent:
                break
            self.first += 1

    def _end_block(self) -> None:
        """Remove from the index what has left, and add what came."""
        for _, gone in self._read_blocks(self._oldest, self.first):
            self._index.remove_rows(gone)
        if came := self._records[self._block_first - self._base :]:
            rows = read_rows(came)
            has_all = len(self._block) == len(came)
            keys = self._block.all_keys() if has_all else self._index.select_keys(rows)
            self._index.add_rows(rows, keys, self._block_first)
        gone_records = self.first - self._base
        if gone_records > MIN_GONE_RECORDS and 4 * gone_records > len(self._records):
            del self._records[:gone_records]
            self._base = self.first
        self._oldest, self._block_first, self.block_place = self.first, self._end, 0
        self._block.clear()
        self._readings.clear()
        self._weights = _inverse_frequencies(len(self).bit_length())
        if self._index.needs_rebuild(len(self)):
            sizes = map(read_sample_size, islice(self._records, self.first - self._base, None))
            self._index.rebuild(sizes, self._read_blocks(self.first, self._block_first), self.first)

    def _read_blocks(self, first: int, end: int) -> Iterator[tuple[int, ShingleRows]]:
        """Some rows in blocks, each with its first row."""
        for start in range(first, end, BLOCK_RECORDS):
            stop = min(start + BLOCK_RECORDS, end)
            yield start, read_rows(self._records[start - self._base : stop - self._base])


@cache
def _inverse_frequencies(bits: int) -> ShingleWeights:
    """log(N / n) for n of 0 to 255 stories, where N is the window's size to a power of two, a thousand at least."""
    stories = np.maximum(np.arange(MAX_COUNT + 1), 1)
    logarithms = np.log(max(MIN_WEIGHED_STORIES, 1 << bits) / stories)
    weights: ShingleWeights = np.rint(WEIGHT_UNIT * logarithms).astype(np.int64)
    return weights
