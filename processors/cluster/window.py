"""The stories of the window and their clusters in memory, and which of them a story may belong to.

A story is sought in two ways: among the newest by the direction of its words, and among all by the names, figures and
places that it shares with them. Both tables are flat and have a fixed size; a chance collision costs a candidate that
the comparison refuses.

The window's time is the median of the latest stories' own times, so that one story with a wrong date moves nothing. A
story leaves, oldest first, when that time has moved on by the window's length since it came, or when there are more
than the settings allow. Nothing that has left has a say, so that a window that was restored from the stories that are
in it decides as one that has run all the time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from processors.cluster.likeness import HashCounts, measure_cosines
from processors.cluster.outline import Outline
from processors.cluster.record import OutlineRecord, pack_record, unpack_record
from processors.cluster.words import VECTOR_BYTES, WordHashes

# With fewer a burst of old stories moves the window's time, with more it lags behind. As many stay in any case.
MEDIAN_STORIES: Final = 63
# The newest stories are laid beside a story by direction, 16,384 in a fifth of a millisecond. Older ones are found by what
# they share with it; with fewer, reports in a language whose names are not read are missed earlier.
MAX_NEAREST_STORIES: Final = 16_384
SLOT_COUNT: Final = 1 << 18  # of hashes, 64 bytes each; fewer forget rare names earlier
STORIES_A_SLOT: Final = 8  # the newest that have a hash
# Of each way. Fewer miss the event among others of the same place and kind, more cost time.
MAX_CANDIDATES: Final = 16
# Of a cluster, beside its first story: what stands for it. With fewer one odd report decides, more cost time.
NEWEST_MEMBERS: Final = 4
MIN_COSINE: Final = 0.2  # a nearest story that is not even so near says nothing
MIN_GONE_STORIES: Final = 1024  # are let go at once: fewer copy the list often, more keep memory
KEPT_RECORDS: Final = 2048  # that were read of late stay unpacked, and as many before them


@dataclass(slots=True)
class StoryCluster:
    """The stories of one happening. Of its stories the first one and the newest stand for it, by their numbers."""

    uri: str
    first_ms: int
    count: int = 0
    source_count: int = 0
    languages: tuple[str, ...] = ()
    first_story: int = -1
    newest: tuple[int, ...] = ()
    alive: int = 0  # stories in the window


class ClusteredStory(NamedTuple):
    """A story of the window: its record as bytes, and its cluster."""

    memory: bytes
    cluster: StoryCluster


class ClusterWindow:
    """All of it. Deterministic: a function of the records that were added, in their order.

    Stories have numbers that only grow; those below `_first` have left.
    """

    def __init__(self, window_ms: int, max_stories: int) -> None:
        """Make an empty window of so many milliseconds, of at most ``max_stories``."""
        self.counts = HashCounts()
        self._window_ms = window_ms
        self._max_stories = max_stories
        self._latest_ms: deque[int] = deque(maxlen=MEDIAN_STORIES)
        self._sorted_ms: list[int] = []
        self._stories: list[ClusteredStory | None] = []
        self._base = 0  # the number of the first of _stories
        self._first = 0
        self._clusters: dict[str, StoryCluster] = {}
        self._newest: dict[
            int, int
        ] = {}  # of what has a key (a version, a chain, a source in a cluster): its newest story
        self._records: dict[int, OutlineRecord] = {}
        self._older_records: dict[int, OutlineRecord] = {}
        self._vectors = np.zeros((1024, VECTOR_BYTES), np.float32)
        self._slots: NDArray[np.int64] = np.full((SLOT_COUNT, STORIES_A_SLOT), -1, np.int64)
        self._filled = np.zeros(SLOT_COUNT, np.uint8)

    def __len__(self) -> int:
        """How many stories it holds."""
        return self._end - self._first

    @property
    def cluster_count(self) -> int:
        """How many clusters it holds."""
        return len(self._clusters)

    @property
    def _end(self) -> int:
        """The number of the next story."""
        return self._base + len(self._stories)

    @property
    def now_ms(self) -> int:
        """The window's time; 0 before the first story."""
        return self._sorted_ms[len(self._sorted_ms) // 2] if self._sorted_ms else 0

    def find_version(self, chain: str, uri: str, version: str) -> OutlineRecord | None:
        """The story of the window that has this uri and version in this chain."""
        number = self._newest.get(_key("version", chain, uri, version))
        return None if number is None else self._unpack(number)

    def find_chain(self, chain: str) -> StoryCluster | None:
        """The cluster of a chain."""
        number = self._newest.get(_key("chain", chain))
        return None if number is None else self._story(number).cluster

    def find_cluster(self, uri: str) -> StoryCluster | None:
        """The cluster of a uri."""
        return self._clusters.get(uri)

    def has_source(self, cluster: StoryCluster, source: int) -> bool:
        """Whether a story of the window that is in a cluster is told by a source."""
        return _key("source", cluster.uri, str(source)) in self._newest

    def note_time(self, at_ms: int) -> int:
        """Take the time of the next story into account; the window's time then."""
        if len(self._latest_ms) == MEDIAN_STORIES:
            del self._sorted_ms[bisect_left(self._sorted_ms, self._latest_ms[0])]
        self._latest_ms.append(at_ms)
        insort(self._sorted_ms, at_ms)
        return self.now_ms

    def add(self, record: OutlineRecord) -> bytes:
        """Remember a story whose time was noted, and forget those that the window has left behind; its record as bytes."""
        outline = record.outline
        cluster = self._clusters.get(record.cluster)
        if cluster is None:
            cluster = StoryCluster(record.cluster, record.first_ms)
            self._clusters[record.cluster] = cluster
        number = self._end
        cluster.count = record.sequence
        cluster.source_count = record.source_count
        cluster.languages = record.languages
        if record.sequence == 1:
            cluster.first_story = number
        else:
            cluster.newest = (*cluster.newest[1 - NEWEST_MEMBERS :], number)
        cluster.alive += 1
        memory = pack_record(record)
        self._stories.append(ClusteredStory(memory, cluster))
        self._newest.update(dict.fromkeys(_keys(record), number))
        self._index(number, outline)
        self._expire(record.window_ms)
        return memory

    def find_candidates(self, outline: Outline) -> list[StoryCluster]:
        """The clusters that a story may belong to, those of the likeliest stories first."""
        clusters: dict[str, StoryCluster] = {}
        for number in (*self._sharing(outline), *self._nearest(outline)):
            cluster = self._story(number).cluster
            if (
                cluster.uri not in clusters
                and abs(self._unpack(number).outline.at_ms - outline.at_ms) <= self._window_ms
            ):
                clusters[cluster.uri] = cluster
        return list(clusters.values())

    def members(self, cluster: StoryCluster) -> list[Outline]:
        """The outlines of a cluster's first and newest stories, as far as the window has them."""
        numbers = (cluster.first_story, *cluster.newest)
        return [self._unpack(number).outline for number in numbers if number >= self._first]

    def _story(self, number: int) -> ClusteredStory:
        story = self._stories[number - self._base]
        if story is None:
            message = f"story {number} has left the window"
            raise LookupError(message)
        return story

    def _unpack(self, number: int) -> OutlineRecord:
        """The record of a story, which is unpacked once as long as it is asked for."""
        record = self._records.get(number) or self._older_records.get(number)
        if record is None:
            record = unpack_record(self._story(number).memory)
        if len(self._records) == KEPT_RECORDS:
            self._records, self._older_records = {}, self._records
        self._records[number] = record
        return record

    def _nearest(self, outline: Outline) -> list[int]:
        """The newest stories whose words point the same way, the nearest first, of equals the newest."""
        capacity = len(self._vectors)
        held = min(self._end, capacity)
        if not held:
            return []
        near = measure_cosines(
            np.frombuffer(outline.vector, np.int8).astype(np.float32), self._vectors[:held]
        )
        newest = self._end - 1
        rows = (near >= MIN_COSINE).nonzero()[0]
        numbers = newest - (newest - rows) % capacity
        there = numbers >= self._first
        numbers, near = numbers[there], near[rows[there]]
        order = np.lexsort((-numbers, -near))[:MAX_CANDIDATES]
        return [int(number) for number in numbers[order]]

    def _sharing(self, outline: Outline) -> list[int]:
        """The stories that share the most telling hashes, of equals the newest."""
        hashes = _indexed(outline)
        found = self._slots[hashes & (SLOT_COUNT - 1)]
        told = self.counts.rarities(hashes).repeat(STORIES_A_SLOT)
        numbers = found.ravel()
        there = (numbers >= self._first) & (told > 0)
        numbers, told = numbers[there], told[there]
        if not len(numbers):
            return []
        distinct, places = np.unique(numbers, return_inverse=True)
        sums = np.bincount(places, told)
        order = np.lexsort((-distinct, -sums))[:MAX_CANDIDATES]
        return [int(number) for number in distinct[order]]

    def _index(self, number: int, outline: Outline) -> None:
        self.counts.add(_counted(outline))
        hashes = np.unique(_indexed(outline) & (SLOT_COUNT - 1))
        filled = self._filled[hashes]
        self._slots[hashes, filled] = number
        self._filled[hashes] = (filled + 1) % STORIES_A_SLOT
        capacity = len(self._vectors)
        if number == capacity and capacity < MAX_NEAREST_STORIES:
            self._vectors = np.concatenate((self._vectors, np.zeros_like(self._vectors)))
            capacity *= 2
        self._vectors[number % capacity] = np.frombuffer(outline.vector, np.int8)

    def _expire(self, now_ms: int) -> None:
        """Drop stories that came a window before the newest, and the oldest of too many."""
        while len(self) > self._max_stories or (
            len(self) > MEDIAN_STORIES and self._unpack(self._first).window_ms < now_ms - self._window_ms
        ):
            self._forget(self._first)
            self._first += 1
        if self._first - self._base >= MIN_GONE_STORIES:
            del self._stories[: self._first - self._base]
            self._base = self._first

    def _forget(self, number: int) -> None:
        record, cluster = self._unpack(number), self._story(number).cluster
        self.counts.add(_counted(record.outline), -1)
        for key in _keys(record):
            if self._newest.get(key) == number:
                del self._newest[key]
        cluster.alive -= 1
        if not cluster.alive:
            del self._clusters[cluster.uri]
        self._stories[number - self._base] = None
        self._records.pop(number, None)
        self._older_records.pop(number, None)


def _indexed(outline: Outline) -> WordHashes:
    """The hashes by which a story is found."""
    return np.frombuffer(outline.names + outline.numbers + outline.things, np.uint32)


def _counted(outline: Outline) -> bytes:
    """The hashes whose stories are counted."""
    return outline.names + outline.numbers + outline.own_words + outline.things


def _keys(record: OutlineRecord) -> tuple[int, int, int]:
    return (
        _key("version", record.chain, record.uri, record.version),
        _key("chain", record.chain),
        _key("source", record.cluster, str(record.source)),
    )


def _key(*parts: str) -> int:
    return xxhash.xxh3_64_intdigest("\0".join(parts).encode("utf-8", "surrogatepass"))
