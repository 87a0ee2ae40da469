"""What stories share with earlier ones, counted: shingles by number, by weight, with figures, and in runs.

Many pairs are counted at once in flat arrays. All sums are of whole numbers, so that what is told of a pair is the
same whatever it is counted with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.candidates import HALF
from processors.deduplicate.fingerprint import EVERYTHING, FIGURE, Fingerprint, Hashes
from processors.deduplicate.flat import Numbers, between, lengths, spans
from processors.deduplicate.frequencies import Counts
from processors.deduplicate.index import COMMON
from processors.deduplicate.record import EVEN
from processors.deduplicate.rows import Sample

LEAST: Final = 0.12  # containment under which two stories are never one

Weights = NDArray[np.int64]


def sample_from(made: Fingerprint) -> Sample:
    """The sample of a story that is no record yet."""
    return Sample(made.shingles.tobytes(), len(made.shingles), made.bound)


class Asked(NamedTuple):
    """A new story, how many stories have each shingle of its sample, and the earlier ones that it may repeat.

    Each of these comes with the number that it goes by.
    """

    made: Fingerprint
    counts: Counts
    candidates: Sequence[tuple[int, Sample]]


class Overlap(NamedTuple):
    """What a new story shares with an earlier one, as far as both samples are complete.

    `ours` and `theirs` count shingles, `both` those that they share; ``our_weight``, ``their_weight`` and `weight`
    are the sums of their inverse document frequencies; ``our_figures``, ``their_figures`` and `figures` count those
    with a number. `shared` of the new story's rare shingles, in the order of its text, in so many `runs` are the
    earlier one's, too. `added` is 1 for those of its sample that the earlier one does not have, else 0.
    """

    ours: int
    theirs: int
    both: int
    our_weight: int
    their_weight: int
    weight: int
    our_figures: int
    their_figures: int
    figures: int
    shared: int
    runs: int
    added: Hashes

    @property
    def containment(self) -> float:
        """The share of the smaller one's weight that the larger one has."""
        return self.weight / min(self.our_weight, self.their_weight)

    @property
    def novelty(self) -> float:
        """The weight of what the new story says that the earlier one does not, as a share of the new story's."""
        return (self.our_weight - self.weight) / self.our_weight


class _Pairs(NamedTuple):
    """Pairs by number: the story, where its sample and the earlier story's stand, and how much of both counts."""

    stories: Numbers  # among the asked
    firsts: Numbers  # where the story's sample starts among those of all
    ours: Numbers  # how many of its shingles count
    starts: Numbers  # where the earlier story's shingles start among those of all
    theirs: Numbers  # how many of them count
    both: Numbers

    def of(self, chosen: Numbers) -> _Pairs:
        """Some of the pairs."""
        return _Pairs(*[values.take(chosen) for values in self])


def overlaps(
    asked: Sequence[Asked], weigh: Callable[[Counts], Weights], count: Callable[[Hashes], Counts]
) -> list[dict[int, Overlap | None]]:
    """For each story what it shares with its candidates; None where that is next to nothing.

    `weigh` tells the weights of shingles that so many stories have, `count` how many that are.
    """
    found: list[dict[int, Overlap | None]] = [
        dict.fromkeys([number for number, _ in each.candidates]) for each in asked
    ]
    told = [
        (story, number, sample)
        for story, each in enumerate(asked)
        for number, sample in each.candidates
        if sample.size and len(each.made.shingles)
    ]
    if not told:
        return found
    theirs = np.frombuffer(b"".join([sample.stored for _, _, sample in told]), np.uint32) & EVEN
    ours, starts = _owned(asked)
    stories = np.array([story for story, _, _ in told])
    sizes = np.array([sample.size for _, _, sample in told])
    owned = (stories.astype(np.uint64) << HALF).repeat(sizes)
    owned |= theirs
    places = ours.searchsorted(owned)
    both = (ours.take(places, mode="clip") == owned).nonzero()[0]
    begins, firsts = sizes.cumsum() - sizes, starts.take(stories)
    cuts = both.searchsorted(begins)
    shared = lengths(cuts, len(both))
    pairs = _Pairs(stories, firsts, starts.take(stories + 1) - firsts, begins, sizes, shared)
    their_bounds = np.array([sample.bound for _, _, sample in told], np.uint32)
    our_bounds = np.array([each.made.bound for each in asked], np.uint32).take(stories)
    _complete(pairs, ours, theirs, our_bounds, their_bounds)
    enough = (pairs.both > LEAST / 2 * np.minimum(pairs.ours, pairs.theirs)).nonzero()[0]
    if len(enough):
        pairs = pairs.of(enough)
        shared = spans(cuts.take(enough), pairs.both)
        counted = _counted(asked, pairs, ours, theirs, places.take(both.take(shared)), weigh, count)
        for at, overlap in zip(enough.tolist(), counted, strict=True):
            story, number, _ = told[at]
            found[story][number] = overlap
    return found


def _owned(asked: Sequence[Asked]) -> tuple[NDArray[np.uint64], Numbers]:
    """The samples under the numbers of their stories, ascending, and where each story's starts."""
    sizes = [len(each.made.shingles) for each in asked]
    owned = (np.arange(len(asked), dtype=np.uint64) << HALF).repeat(sizes)
    owned |= np.concatenate([each.made.shingles for each in asked])
    return owned, np.array([0, *accumulate(sizes)])


def _complete(
    pairs: _Pairs, ours: NDArray[np.uint64], theirs: Hashes, our_bounds: Hashes, their_bounds: Hashes
) -> None:
    """Let only those shingles count up to which both samples are complete."""
    cut = (their_bounds < our_bounds).nonzero()[0]
    ends = (pairs.stories.take(cut).astype(np.uint64) << HALF) | their_bounds.take(cut)
    pairs.ours[cut] = ours.searchsorted(ends, "right") - pairs.firsts.take(cut)
    for at in (their_bounds > our_bounds).nonzero()[0].tolist():
        start, size = int(pairs.starts[at]), int(pairs.theirs[at])
        pairs.theirs[at] = theirs[start : start + size].searchsorted(our_bounds[at], "right")


def _counted(
    asked: Sequence[Asked],
    pairs: _Pairs,
    ours: NDArray[np.uint64],
    theirs: Hashes,
    places: Numbers,
    weigh: Callable[[Counts], Weights],
    count: Callable[[Hashes], Counts],
) -> list[Overlap | None]:
    """The overlaps of pairs that share enough shingles; None where these weigh next to nothing.

    `places` are those of the shared shingles among all samples, one pair after the other.
    """
    weights = weigh(np.concatenate([each.counts for each in asked]))
    figured = (ours & FIGURE) != 0
    theirs = theirs.take(spans(pairs.starts, pairs.theirs))
    begins, ends = pairs.firsts, pairs.firsts + pairs.ours
    cuts, closed = pairs.theirs.cumsum() - pairs.theirs, pairs.both.cumsum()
    opened = closed - pairs.both
    sums = [
        pairs.ours, pairs.theirs, pairs.both,
        between(weights, begins, ends),
        np.add.reduceat(weigh(count(theirs)), cuts),
        between(weights.take(places), opened, closed),
        between(figured, begins, ends),
        np.add.reduceat((theirs & FIGURE) != 0, cuts, dtype=np.intp),
        between(figured.take(places), opened, closed),
    ]  # fmt: skip
    close = (sums[5] >= LEAST * np.minimum(sums[3], sums[4])).nonzero()[0]
    found: list[Overlap | None] = [None] * len(cuts)
    if len(close):
        places = places.take(spans(opened.take(close), pairs.both.take(close)))
        runs = _runs(asked, pairs.of(close), places)
        told = zip(*(values.take(close).tolist() for values in sums), *runs, strict=True)
        for at, figures in zip(close.tolist(), told, strict=True):
            found[at] = Overlap(*figures)
    return found


def _runs(
    asked: Sequence[Asked], pairs: _Pairs, places: Numbers
) -> tuple[list[int], list[int], list[Hashes]]:
    """How many of each story's rare shingles, in the order of its text, are shared, and in how many runs.

    At the end, 1 for each of its sample that is not shared, else 0. `places` are those of all shared shingles among all samples, one pair
    after the other.
    """
    running: dict[int, Numbers] = {}
    orders, sizes = [], []
    for story, counting in zip(pairs.stories.tolist(), pairs.ours.tolist(), strict=True):
        rare, size = running.get(story), len(asked[story].made.shingles)
        if rare is None:
            rare = running[story] = _rare(asked[story])
        orders.append(rare if counting == size else rare[rare < counting])
        sizes.append(size)
    bases = [0, *accumulate(sizes)]
    starts = np.array(bases[:-1])
    known = np.zeros(bases[-1], np.bool_)
    known[places + (starts - pairs.firsts).repeat(pairs.both)] = True
    added = (~known).astype(np.uint32)
    counts = np.array([len(order) for order in orders])
    seen = known.take(np.concatenate(orders) + starts.repeat(counts))
    ends = counts.cumsum()
    first = seen.copy()
    first[1:] &= ~seen[:-1]
    begins = (ends - counts)[counts > 0]
    first[begins] = seen[begins]
    return (
        between(seen, ends - counts, ends).tolist(),
        between(first, ends - counts, ends).tolist(),
        [added[bases[at] : bases[at + 1]] for at in range(len(sizes))],
    )


def _rare(asked: Asked) -> Numbers:
    """The places in the sample of the story's shingles that belong to no template, in the order of its text."""
    made = asked.made
    running = made.running
    if made.bound < EVERYTHING:
        running = running[running <= made.bound]
    where: Numbers = made.shingles.searchsorted(running)
    return where[asked.counts.take(where) <= COMMON]
