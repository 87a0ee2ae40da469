"""What stories share with earlier ones, counted: shingles by number, by weight, with figures, and in runs.

Many pairs are counted at once in flat arrays. All sums are of whole numbers, so that what is told of a pair is the
same whatever it is counted with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import EVERYTHING, FIGURE, Fingerprint, Hashes
from processors.deduplicate.index import COMMON
from processors.deduplicate.record import EVEN, View

LEAST: Final = 0.12  # containment under which two stories are never one
_HALF: Final = np.uint64(32)

Counts = NDArray[np.uint8]
Weights = NDArray[np.int64]
Numbers = NDArray[np.intp]
Flags = NDArray[np.bool_]


class Sample(NamedTuple):
    """An earlier story's shingles as a record stores them, how many they are, and the bound of what they tell."""

    stored: bytes
    size: int
    bound: int


def sample_of(view: View) -> Sample:
    """The sample of a record."""
    return Sample(view.stored, view.count, view.bound)


def sample_from(made: Fingerprint) -> Sample:
    """The sample of a story that is no record yet."""
    return Sample(made.shingles.tobytes(), len(made.shingles), made.bound)


@dataclass(frozen=True, slots=True)
class Asked:
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
    earlier one's, too.
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

    @property
    def containment(self) -> float:
        """The share of the smaller one's weight that the larger one has."""
        return self.weight / min(self.our_weight, self.their_weight)


class _Pairs(NamedTuple):
    """Pairs by number: the story, what goes before its sample, and where the earlier story's shingles stand."""

    stories: Numbers  # among the asked
    firsts: Numbers  # where the story's sample starts among those of all
    ours: Numbers  # how many of its shingles count
    starts: Numbers  # where the earlier story's shingles start among those of all
    theirs: Numbers  # how many of them count
    both: Numbers

    def of(self, chosen: Numbers) -> _Pairs:
        """Some of the pairs."""
        return _Pairs(*(values.take(chosen) for values in self))

    @property
    def cuts(self) -> Numbers:
        """Where each pair's shingles start when those that count stand one after the other."""
        return np.cumsum(self.theirs) - self.theirs


def overlaps(
    asked: Sequence[Asked], weigh: Callable[[Counts], Weights], count: Callable[[Hashes], Counts]
) -> list[dict[int, Overlap | None]]:
    """For each story what it shares with its candidates; None where that is next to nothing.

    `weigh` tells the weights of shingles that so many stories have, `count` how many that are.
    """
    found: list[dict[int, Overlap | None]] = [
        dict.fromkeys(number for number, _ in each.candidates) for each in asked
    ]
    chosen = [at for at, each in enumerate(asked) if each.candidates and len(each.made.shingles)]
    asked = [asked[at] for at in chosen]
    told = [
        (story, number, sample)
        for story, each in enumerate(asked)
        for number, sample in each.candidates
        if sample.size
    ]
    if not told:
        return found
    theirs = np.frombuffer(b"".join([sample.stored for _, _, sample in told]), np.uint32) & EVEN
    ours, starts = _owned(asked)
    stories = np.array([story for story, _, _ in told])
    sizes = np.array([sample.size for _, _, sample in told])
    owned = np.repeat(stories.astype(np.uint64) << _HALF, sizes)
    owned |= theirs
    places = ours.searchsorted(owned)
    both = ours.take(places, mode="clip") == owned
    begins = np.cumsum(sizes) - sizes
    firsts = starts.take(stories)
    pairs = _Pairs(
        stories, firsts, starts.take(stories + 1) - firsts, begins, sizes,
        np.add.reduceat(both, begins, dtype=np.intp),
    )  # fmt: skip
    _complete(asked, told, pairs, theirs)
    enough = np.flatnonzero(pairs.both > LEAST / 2 * np.minimum(pairs.ours, pairs.theirs))
    if len(enough):
        counted = _counted(asked, pairs.of(enough), ours, theirs, places, both, weigh, count)
        for at, overlap in zip(enough.tolist(), counted, strict=True):
            story, number, _ = told[at]
            found[chosen[story]][number] = overlap
    return found


def _owned(asked: Sequence[Asked]) -> tuple[NDArray[np.uint64], Numbers]:
    """The samples under the numbers of their stories, ascending, and where each story's starts."""
    sizes = [len(each.made.shingles) for each in asked]
    owned = np.repeat(np.arange(len(asked), dtype=np.uint64) << _HALF, sizes)
    owned |= np.concatenate([each.made.shingles for each in asked])
    return owned, np.array([0, *accumulate(sizes)])


def _complete(
    asked: Sequence[Asked], told: Sequence[tuple[int, int, Sample]], pairs: _Pairs, theirs: Hashes
) -> None:
    """Let only those shingles count up to which both samples are complete."""
    for at, (story, _, sample) in enumerate(told):
        made = asked[story].made
        if sample.bound < made.bound:
            pairs.ours[at] = made.shingles.searchsorted(sample.bound, "right")
        elif sample.bound > made.bound:
            start = int(pairs.starts[at])
            pairs.theirs[at] = theirs[start : start + sample.size].searchsorted(made.bound, "right")


def _counted(
    asked: Sequence[Asked],
    pairs: _Pairs,
    ours: NDArray[np.uint64],
    theirs: Hashes,
    places: Numbers,
    both: Flags,
    weigh: Callable[[Counts], Weights],
    count: Callable[[Hashes], Counts],
) -> list[Overlap | None]:
    """The overlaps of pairs that share enough shingles; None where these weigh next to nothing."""
    cuts = pairs.cuts
    where = np.repeat(pairs.starts - cuts, pairs.theirs)
    where += np.arange(len(where))
    theirs, both, places = theirs.take(where), both.take(where), places.take(where)
    weights, figured = weigh(count(theirs)), (theirs & FIGURE) != 0
    our_weights = _summed(weigh(np.concatenate([each.counts for each in asked])))
    our_figures = _summed((ours.astype(np.uint32) & FIGURE) != 0)
    ends = pairs.firsts + pairs.ours
    sums = [
        pairs.ours, pairs.theirs, pairs.both,
        our_weights.take(ends) - our_weights.take(pairs.firsts),
        np.add.reduceat(weights, cuts), np.add.reduceat(weights * both, cuts),
        our_figures.take(ends) - our_figures.take(pairs.firsts),
        np.add.reduceat(figured, cuts, dtype=np.intp), np.add.reduceat(figured & both, cuts, dtype=np.intp),
    ]  # fmt: skip
    close = np.flatnonzero(sums[5] >= LEAST * np.minimum(sums[3], sums[4]))
    found: list[Overlap | None] = [None] * len(cuts)
    if len(close):
        shared = np.repeat(np.arange(len(cuts)), pairs.theirs)[both], places[both]
        runs = _runs(asked, pairs, close, *shared)
        told = zip(*(values.take(close).tolist() for values in sums), *runs, strict=True)
        for at, figures in zip(close.tolist(), told, strict=True):
            found[at] = Overlap(*figures)
    return found


def _runs(
    asked: Sequence[Asked], pairs: _Pairs, close: Numbers, of: Numbers, places: Numbers
) -> tuple[list[int], list[int]]:
    """How many of each story's rare shingles, in the order of its text, are shared, and in how many runs.

    For some of the pairs; `places` are those of all shared shingles among all samples, each `of` a pair.
    """
    running: dict[int, Numbers] = {}
    orders = []
    for story, counting in zip(
        pairs.stories.take(close).tolist(), pairs.ours.take(close).tolist(), strict=True
    ):
        rare = running.get(story)
        if rare is None:
            rare = running[story] = _rare(asked[story])
        orders.append(rare if counting == len(asked[story].made.shingles) else rare[rare < counting])
    sizes = np.array([len(each.made.shingles) for each in asked]).take(pairs.stories)
    bases = np.cumsum(sizes) - sizes
    has = np.zeros(int(sizes.sum()), np.bool_)
    has[places + (bases - pairs.firsts).take(of)] = True
    lengths = np.array([len(order) for order in orders])
    seen = has.take(np.concatenate(orders) + np.repeat(bases.take(close), lengths))
    starts = seen.copy()
    starts[1:] &= ~seen[:-1]
    ends = np.cumsum(lengths)
    begins = (ends - lengths)[lengths > 0]
    starts[begins] = seen[begins]
    shared, runs = _summed(seen), _summed(starts)
    return (
        (shared.take(ends) - shared.take(ends - lengths)).tolist(),
        (runs.take(ends) - runs.take(ends - lengths)).tolist(),
    )


def _rare(asked: Asked) -> Numbers:
    """The places in the sample of the story's shingles that belong to no template, in the order of its text."""
    made = asked.made
    running = made.running
    if made.bound < EVERYTHING:
        running = running[running <= made.bound]
    where: Numbers = made.shingles.searchsorted(running)
    return where[asked.counts.take(where) <= COMMON]


def _summed(values: NDArray[np.int64] | Flags) -> NDArray[np.int64]:
    """The sums of the first none, one, two, … of some numbers."""
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums
