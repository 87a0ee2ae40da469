"""What stories share with earlier ones, counted: shingles by number, by weight, with figures, and in runs.

Many pairs are counted at once in flat arrays. All sums are of whole numbers, so that the overlap of a pair is the
same whatever it is counted with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.arrays import (
    HALF_BITS,
    Hashes32,
    Hashes64,
    Numbers,
    StoryCounts,
    group_places,
    group_sizes,
    sum_ranges,
)
from processors.deduplicate.fingerprint import COMPLETE_BOUND, NUMBER_BIT, Fingerprint
from processors.deduplicate.index import MAX_KEY_STORIES
from processors.deduplicate.record import HASH_BITS
from processors.deduplicate.rows import Sample

# Of the smaller story's weight in the larger one. From the prototype that was measured on labelled pairs of the Reuters
# wire: a higher figure loses briefs that were rewritten, a lower one counts pairs that share phrases only.
MIN_CONTAINMENT: Final = 0.12

ShingleWeights = NDArray[np.int64]


def sample_fingerprint(fingerprint: Fingerprint) -> Sample:
    """The sample of a story that is no record yet."""
    return Sample(fingerprint.shingles.tobytes(), len(fingerprint.shingles), fingerprint.bound)


class OverlapQuery(NamedTuple):
    """A new story, how many stories have each shingle of its sample, and the earlier ones that it may repeat.

    Each of these comes with the number that it goes by.
    """

    fingerprint: Fingerprint
    story_counts: StoryCounts
    candidates: Sequence[tuple[int, Sample]]


class Overlap(NamedTuple):
    """What a new story shares with an earlier one, as far as both samples are complete.

    The first three count shingles: the new story's, the earlier one's, those that they share. The next three are the
    sums of their inverse document frequencies, the next three count those with a number. ``shared_rare`` of the new
    story's rare shingles, in the order of its text, in so many `runs` are the earlier one's, too. `new` is 1 for
    those of its sample that the earlier one does not have, else 0.
    """

    our_count: int
    their_count: int
    shared_count: int
    our_weight: int
    their_weight: int
    shared_weight: int
    our_figures: int
    their_figures: int
    shared_figures: int
    shared_rare: int
    runs: int
    new: Hashes32

    @property
    def containment(self) -> float:
        """The share of the smaller one's weight that the larger one has."""
        return self.shared_weight / min(self.our_weight, self.their_weight)

    @property
    def novelty(self) -> float:
        """The weight of what the new story says and the earlier one does not, as a share of the new story's."""
        return (self.our_weight - self.shared_weight) / self.our_weight


class _Pairs(NamedTuple):
    """Pairs by number: the story, where its sample and the earlier story's stand, and how much of both counts."""

    stories: Numbers  # among the queries
    our_starts: Numbers  # where the story's sample starts among those of all
    our_counts: Numbers  # how many of its shingles count
    their_starts: Numbers  # where the earlier story's shingles start among those of all
    their_counts: Numbers  # how many of them count
    shared_counts: Numbers

    def select(self, chosen: Numbers) -> _Pairs:
        """Some of the pairs."""
        return _Pairs(*[values.take(chosen) for values in self])


def measure_overlaps(
    queries: Sequence[OverlapQuery],
    weigh: Callable[[StoryCounts], ShingleWeights],
    count_stories: Callable[[Hashes32], StoryCounts],
) -> list[dict[int, Overlap | None]]:
    """For each story what it shares with its candidates; None where that is next to nothing.

    `weigh` gives the weights of shingles that so many stories have, ``count_stories`` how many have them.
    """
    overlaps: list[dict[int, Overlap | None]] = [
        dict.fromkeys([number for number, _ in query.candidates]) for query in queries
    ]
    asked = [
        (story, number, sample)
        for story, query in enumerate(queries)
        for number, sample in query.candidates
        if sample.size and len(query.fingerprint.shingles)
    ]
    if not asked:
        return overlaps
    theirs = np.frombuffer(b"".join([sample.stored for _, _, sample in asked]), np.uint32) & HASH_BITS
    ours, starts = _own_samples(queries)
    stories = np.array([story for story, _, _ in asked])
    sizes = np.array([sample.size for _, _, sample in asked])
    owned = (stories.astype(np.uint64) << HALF_BITS).repeat(sizes)
    owned |= theirs
    places = ours.searchsorted(owned)
    shared = (ours.take(places, mode="clip") == owned).nonzero()[0]
    their_starts, our_starts = sizes.cumsum() - sizes, starts.take(stories)
    cuts = shared.searchsorted(their_starts)
    pairs = _Pairs(
        stories,
        our_starts,
        starts.take(stories + 1) - our_starts,
        their_starts,
        sizes,
        group_sizes(cuts, len(shared)),
    )
    their_bounds = np.array([sample.bound for _, _, sample in asked], np.uint32)
    our_bounds = np.array([query.fingerprint.bound for query in queries], np.uint32).take(stories)
    _limit_to_complete(pairs, ours, theirs, our_bounds, their_bounds)
    fewest = MIN_CONTAINMENT / 2 * np.minimum(pairs.our_counts, pairs.their_counts)
    enough = (pairs.shared_counts > fewest).nonzero()[0]
    if len(enough):
        pairs = pairs.select(enough)
        places = places.take(shared.take(group_places(cuts.take(enough), pairs.shared_counts)))
        measured = _measure_pairs(queries, pairs, ours, theirs, places, weigh, count_stories)
        for at, overlap in zip(enough.tolist(), measured, strict=True):
            story, number, _ = asked[at]
            overlaps[story][number] = overlap
    return overlaps


def _own_samples(queries: Sequence[OverlapQuery]) -> tuple[Hashes64, Numbers]:
    """The samples under the numbers of their stories, ascending, and where each story's starts."""
    sizes = [len(query.fingerprint.shingles) for query in queries]
    owned = (np.arange(len(queries), dtype=np.uint64) << HALF_BITS).repeat(sizes)
    owned |= np.concatenate([query.fingerprint.shingles for query in queries])
    return owned, np.array([0, *accumulate(sizes)])


def _limit_to_complete(
    pairs: _Pairs, ours: Hashes64, theirs: Hashes32, our_bounds: Hashes32, their_bounds: Hashes32
) -> None:
    """Let only those shingles count up to which both samples are complete."""
    cut = (their_bounds < our_bounds).nonzero()[0]
    ends = (pairs.stories.take(cut).astype(np.uint64) << HALF_BITS) | their_bounds.take(cut)
    pairs.our_counts[cut] = ours.searchsorted(ends, "right") - pairs.our_starts.take(cut)
    for at in (their_bounds > our_bounds).nonzero()[0].tolist():
        start, size = int(pairs.their_starts[at]), int(pairs.their_counts[at])
        pairs.their_counts[at] = theirs[start : start + size].searchsorted(our_bounds[at], "right")


def _measure_pairs(
    queries: Sequence[OverlapQuery],
    pairs: _Pairs,
    ours: Hashes64,
    theirs: Hashes32,
    places: Numbers,
    weigh: Callable[[StoryCounts], ShingleWeights],
    count_stories: Callable[[Hashes32], StoryCounts],
) -> list[Overlap | None]:
    """The overlaps of pairs that share enough shingles; None where these weigh next to nothing.

    `places` are those of the shared shingles among all samples, one pair after the other.
    """
    weights = weigh(np.concatenate([query.story_counts for query in queries]))
    figured = (ours & NUMBER_BIT) != 0
    theirs = theirs.take(group_places(pairs.their_starts, pairs.their_counts))
    our_ends = pairs.our_starts + pairs.our_counts
    their_starts = pairs.their_counts.cumsum() - pairs.their_counts
    shared_ends = pairs.shared_counts.cumsum()
    shared_starts = shared_ends - pairs.shared_counts
    our_weights = sum_ranges(weights, pairs.our_starts, our_ends)
    their_weights = np.add.reduceat(weigh(count_stories(theirs)), their_starts)
    shared_weights = sum_ranges(weights.take(places), shared_starts, shared_ends)
    sums = (
        pairs.our_counts, pairs.their_counts, pairs.shared_counts,
        our_weights, their_weights, shared_weights,
        sum_ranges(figured, pairs.our_starts, our_ends),
        np.add.reduceat((theirs & NUMBER_BIT) != 0, their_starts, dtype=np.intp),
        sum_ranges(figured.take(places), shared_starts, shared_ends),
    )  # fmt: skip
    close = (shared_weights >= MIN_CONTAINMENT * np.minimum(our_weights, their_weights)).nonzero()[0]
    overlaps: list[Overlap | None] = [None] * len(their_starts)
    if len(close):
        places = places.take(group_places(shared_starts.take(close), pairs.shared_counts.take(close)))
        runs = _count_runs(queries, pairs.select(close), places)
        rows = zip(*(values.take(close).tolist() for values in sums), *runs, strict=True)
        for at, row in zip(close.tolist(), rows, strict=True):
            overlaps[at] = Overlap(*row)
    return overlaps


def _count_runs(
    queries: Sequence[OverlapQuery], pairs: _Pairs, places: Numbers
) -> tuple[list[int], list[int], list[Hashes32]]:
    """How many of each story's rare shingles, in the order of its text, are shared, and in how many runs.

    At the end, 1 for each of its sample that is not shared, else 0. `places` are those of all shared shingles among
    all samples, one pair after the other.
    """
    rare_places: dict[int, Numbers] = {}
    orders, sizes = [], []
    for story, count in zip(pairs.stories.tolist(), pairs.our_counts.tolist(), strict=True):
        rare, size = rare_places.get(story), len(queries[story].fingerprint.shingles)
        if rare is None:
            rare = rare_places[story] = _find_rare(queries[story])
        orders.append(rare if count == size else rare[rare < count])
        sizes.append(size)
    bases = [0, *accumulate(sizes)]
    starts = np.array(bases[:-1])
    is_shared = np.zeros(bases[-1], np.bool_)
    is_shared[places + (starts - pairs.our_starts).repeat(pairs.shared_counts)] = True
    new = (~is_shared).astype(np.uint32)
    counts = np.array([len(order) for order in orders])
    rare_shared = is_shared.take(np.concatenate(orders) + starts.repeat(counts))
    ends = counts.cumsum()
    first_of_run = rare_shared.copy()
    first_of_run[1:] &= ~rare_shared[:-1]
    begins = (ends - counts)[counts > 0]
    first_of_run[begins] = rare_shared[begins]
    return (
        sum_ranges(rare_shared, ends - counts, ends).tolist(),
        sum_ranges(first_of_run, ends - counts, ends).tolist(),
        [new[bases[at] : bases[at + 1]] for at in range(len(sizes))],
    )


def _find_rare(query: OverlapQuery) -> Numbers:
    """The places in the sample of the story's shingles that belong to no template, in the order of its text."""
    fingerprint = query.fingerprint
    running = fingerprint.running
    if fingerprint.bound < COMPLETE_BOUND:
        running = running[running <= fingerprint.bound]
    places: Numbers = fingerprint.shingles.searchsorted(running)
    return places[query.story_counts.take(places) <= MAX_KEY_STORIES]
