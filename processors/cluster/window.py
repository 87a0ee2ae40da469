"""The stories of the window and their clusters in memory, and which of them a story may belong to.

A story is sought in two ways: among the newest by the direction of its words, and among all by the names, figures and
places that it shares with them. Both tables are flat and have a fixed size; a chance collision costs a candidate that
the comparison refuses.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from processors.cluster.likeness import HashCounts, measure_cosines
from processors.cluster.outline import Outline
from processors.cluster.record import OutlineRecord
from processors.cluster.words import VECTOR_BYTES, WordHashes

# The newest stories are laid beside a story by direction, 16,384 in a fifth of a millisecond. Older ones are found by what
# they share with it; with fewer, reports in a language whose names are not read are missed earlier.
MAX_NEAREST_STORIES: Final = 16_384
SLOT_COUNT: Final = 1 << 18  # of hashes, 32 bytes each; fewer forget rare names earlier
STORIES_A_SLOT: Final = 8  # the newest that have a hash
# Of each way. Fewer miss the event among others of the same place and kind, more cost time.
MAX_CANDIDATES: Final = 16
# Of a cluster, beside its first story: what stands for it. With fewer one odd report decides, more cost time.
NEWEST_MEMBERS: Final = 4
MIN_COSINE: Final = 0.2  # a nearest story that is not even so near says nothing


@dataclass(slots=True)
class StoryCluster:
    """The stories of one happening. `stories` are numbers; the first one stays, so that a cluster keeps its beginning."""

    uri: str
    first_ms: int
    count: int = 0
    sources: set[int] = field(default_factory=set)
    languages: set[str] = field(default_factory=set)
    first_story: int = -1
    newest: deque[int] = field(default_factory=lambda: deque(maxlen=NEWEST_MEMBERS))
    alive: int = 0  # stories in the window


@dataclass(frozen=True, slots=True)
class ClusteredStory:
    """A story of the window: its record, when the window had it, and its cluster."""

    record: OutlineRecord
    seen_ms: int
    cluster: StoryCluster

    @property
    def outline(self) -> Outline:
        """What it tells."""
        return self.record.outline


class ClusterWindow:
    """All of it. Deterministic: a function of the records that were added, in their order."""

    def __init__(self, window_ms: int) -> None:
        """Make an empty window of so many milliseconds."""
        self.counts = HashCounts()
        self._window_ms = window_ms
        self._now_ms = 0
        self._stories: dict[int, ClusteredStory] = {}
        self._next = 0
        self._clusters: dict[str, StoryCluster] = {}
        self._chains: dict[int, tuple[int, StoryCluster]] = {}  # by hash: newest story, cluster
        self._versions: dict[int, int] = {}
        self._vectors = np.zeros((1024, VECTOR_BYTES), np.float32)
        self._slots: NDArray[np.int32] = np.full((SLOT_COUNT, STORIES_A_SLOT), -1, np.int32)
        self._filled = np.zeros(SLOT_COUNT, np.uint8)

    def __len__(self) -> int:
        """How many stories it holds."""
        return len(self._stories)

    def find_version(self, uri: str, version: str) -> ClusteredStory | None:
        """The story of the window that has this uri and version."""
        number = self._versions.get(_key(uri, version))
        return None if number is None else self._stories[number]

    def find_chain(self, chain: str) -> StoryCluster | None:
        """The cluster of a chain."""
        found = self._chains.get(_key(chain))
        return found and found[1]

    def add(self, record: OutlineRecord) -> StoryCluster:
        """Remember a story, and forget those that the window has left behind."""
        outline = record.outline
        self._now_ms = max(self._now_ms, outline.at_ms)
        self._forget()
        cluster = self._clusters.get(record.cluster)
        if cluster is None:
            cluster = StoryCluster(record.cluster, record.first_ms)
            self._clusters[record.cluster] = cluster
        number = self._next
        self._next += 1
        cluster.count = record.sequence
        cluster.sources.update(record.sources)
        cluster.languages.update(record.languages)
        if cluster.first_story < 0:
            cluster.first_story = number
        else:
            cluster.newest.append(number)
        cluster.alive += 1
        self._stories[number] = ClusteredStory(record, self._now_ms, cluster)
        self._chains[_key(record.chain)] = (number, cluster)
        self._versions[_key(record.uri, record.version)] = number
        self._index(number, outline)
        return cluster

    def find_candidates(self, outline: Outline) -> list[StoryCluster]:
        """The clusters that a story may belong to, those of the likeliest stories first."""
        numbers = [*self._sharing(outline), *self._nearest(outline)]
        clusters: dict[str, StoryCluster] = {}
        for number in numbers:
            story = self._stories.get(number)
            if story is not None and abs(story.outline.at_ms - outline.at_ms) <= self._window_ms:
                clusters[story.cluster.uri] = story.cluster
        return list(clusters.values())

    def members(self, cluster: StoryCluster) -> list[Outline]:
        """The outlines of a cluster's first and newest stories, as far as the window has them."""
        numbers = (cluster.first_story, *cluster.newest)
        return [self._stories[number].outline for number in numbers if number in self._stories]

    def _nearest(self, outline: Outline) -> list[int]:
        """The newest stories whose words point the same way, the nearest first."""
        held = min(self._next, len(self._vectors))
        if not held:
            return []
        near = measure_cosines(
            np.frombuffer(outline.vector, np.int8).astype(np.float32), self._vectors[:held]
        )
        order = np.argsort(-near, kind="stable")[:MAX_CANDIDATES]
        order = order[near[order] >= MIN_COSINE]
        capacity = len(self._vectors)
        newest = self._next - 1
        return [newest - (newest - int(row)) % capacity for row in order]

    def _sharing(self, outline: Outline) -> list[int]:
        """The stories that share the most telling hashes, of equals the newest."""
        hashes = _indexed(outline)
        found = self._slots[hashes & (SLOT_COUNT - 1)]
        told = self.counts.rarities(hashes).repeat(STORIES_A_SLOT)
        numbers = found.ravel()
        there = (numbers >= 0) & (told > 0)
        numbers, told = numbers[there], told[there]
        if not len(numbers):
            return []
        distinct, places = np.unique(numbers, return_inverse=True)
        sums = np.bincount(places, told)
        order = np.lexsort((-distinct, -sums))[:MAX_CANDIDATES]
        return [int(number) for number in distinct[order]]

    def _index(self, number: int, outline: Outline) -> None:
        for packed in (outline.names, outline.numbers, outline.own_words, outline.things):
            self.counts.add(packed)
        hashes = np.unique(_indexed(outline) & (SLOT_COUNT - 1))
        filled = self._filled[hashes]
        self._slots[hashes, filled] = number
        self._filled[hashes] = (filled + 1) % STORIES_A_SLOT
        capacity = len(self._vectors)
        if number == capacity and capacity < MAX_NEAREST_STORIES:
            self._vectors = np.concatenate((self._vectors, np.zeros_like(self._vectors)))
            capacity *= 2
        self._vectors[number % capacity] = np.frombuffer(outline.vector, np.int8)

    def _forget(self) -> None:
        """Drop stories that came more than a window before the newest."""
        while self._stories:
            number = next(iter(self._stories))
            story = self._stories[number]
            if story.seen_ms >= self._now_ms - self._window_ms:
                return
            del self._stories[number]
            self._forget_story(number, story)

    def _forget_story(self, number: int, story: ClusteredStory) -> None:
        record = story.record
        for packed in (
            record.outline.names,
            record.outline.numbers,
            record.outline.own_words,
            record.outline.things,
        ):
            self.counts.add(packed, -1)
        if self._versions.get(key := _key(record.uri, record.version)) == number:
            del self._versions[key]
        if self._chains[chain := _key(record.chain)][0] == number:
            del self._chains[chain]
        story.cluster.alive -= 1
        if not story.cluster.alive:
            del self._clusters[story.cluster.uri]


def _indexed(outline: Outline) -> WordHashes:
    """The hashes by which a story is found."""
    return np.frombuffer(outline.names + outline.numbers + outline.things, np.uint32)


def _key(*parts: str) -> int:
    return xxhash.xxh3_64_intdigest("\0".join(parts).encode("utf-8", "surrogatepass"))
