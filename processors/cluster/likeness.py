"""How likely two reports tell of one happening: figures of a pair, weighed as learned on labelled pairs.

One story is laid beside many at once. Sums are of whole numbers or of sixteenths, which floats hold exactly, and the rest
is elementwise, so that a pair has the same likeness on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.cluster.outline import Outline
from processors.cluster.words import VectorTable, WordHashes

DAY_MS: Final = 86_400_000
# Two words that are as near as this begin to count as one, and count whole where they are so much nearer. Pairs of words
# of one meaning in two languages lie at .6 to .9, strangers at .0 to .4.
NEAR_COSINE: Final = 0.45
NEAR_RANGE: Final = 0.4
# What a hash says that n stories of the window share: ln(1 + this / n), in sixteenths.
RARE_STORIES: Final = 200.0
MAX_COUNTED: Final = 4096  # stories; what more share says nothing
COUNT_SLOTS: Final = 1 << 20  # 4 MB; with fewer strangers' counts add up in a window of 500,000 stories
MAX_SHARED_NAMES: Final = 8.0
MAX_SHARED_NUMBERS: Final = 5.0
MAX_STRANGE_NAMES: Final = 4
MAX_GAP_DAYS: Final = 14.0
PAIR_FIGURES: Final = (
    "cosine", "words-least", "words-most", "names-shared", "names-share", "names-strange", "numbers-shared",
    "numbers-strange", "own-words", "same-language", "things-shared", "things-strange", "days-shared", "days-strange",
    "gap-days", "gap-root", "like-elsewhere", "like-others", "like-figures", "like-there", "like-named",
)  # fmt: skip
# Weights of `PAIR_FIGURES` and what is added, by logistic regression (`tests.benchmarks.train_clusters`).
FIGURE_WEIGHTS: Final = (
    -0.487, 2.353, 2.250, 0.443, 3.016, -1.251, 1.059, 1.467,
    5.426, -5.239, 0.872, -2.989, 1.730, 0.245, -0.143, -0.582,
)  # fmt: skip
BASE_LOG_ODDS: Final = -1.693
_RARITIES: Final = np.round(16 * np.log1p(RARE_STORIES / np.maximum(np.arange(MAX_COUNTED), 1))) / 16

FigureArray = NDArray[np.float64]


class HashCounts:
    """How many stories of the window have a hash; two hashes may share a slot."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._counts: NDArray[np.int32] = np.zeros(COUNT_SLOTS, np.int32)

    def add(self, packed: bytes, times: int = 1) -> None:
        """Count the hashes of a story, or with -1 take them off."""
        slots = np.frombuffer(packed, np.uint32) & (COUNT_SLOTS - 1)
        np.add.at(self._counts, slots, times)

    def rarities(self, hashes: WordHashes) -> FigureArray:
        """What each hash says."""
        counts = self._counts.take(hashes & (COUNT_SLOTS - 1))
        told: FigureArray = np.where(counts < MAX_COUNTED, _RARITIES.take(counts, mode="clip"), 0.0)
        return told


class _Group:
    """One kind of hash of a story and of the others beside it."""

    def __init__(self, story: bytes, others: Sequence[bytes]) -> None:
        self.mine: WordHashes = np.frombuffer(story, np.uint32)
        self.theirs: WordHashes = np.frombuffer(b"".join(others), np.uint32)
        self.sizes = np.array([len(other) // 4 for other in others])
        self._ends = np.cumsum(self.sizes)
        self.shared = np.isin(self.theirs, self.mine)

    def sums(self, values: NDArray[Any]) -> FigureArray:
        """The sum of values of the others' hashes for each of the others."""
        running = np.zeros(len(values) + 1)
        np.cumsum(values, out=running[1:])
        sums: FigureArray = running[self._ends] - running[self._ends - self.sizes]
        return sums

    @property
    def shared_counts(self) -> FigureArray:
        """How many hashes each of the others shares."""
        return self.sums(self.shared)

    @property
    def are_strange(self) -> FigureArray:
        """1 for those that have some, as the story has, but share none."""
        strange: FigureArray = np.where(
            (self.sizes > 0) & (self.shared_counts == 0), float(len(self.mine) > 0), 0.0
        )
        return strange


def lay_beside(
    story: Outline, others: Sequence[Outline], table: VectorTable, counts: HashCounts
) -> FigureArray:
    """The figures of a story beside each of some others: shape (others, `PAIR_FIGURES`)."""
    names = _Group(story.names, [other.names for other in others])
    rare = counts.rarities(names.theirs)
    shared_names = names.sums(rare * names.shared)
    my_rarity = float(counts.rarities(names.mine).sum())
    least = np.minimum(names.sums(rare), my_rarity)
    shared = names.shared_counts
    strange = np.minimum(names.sizes - shared, len(names.mine) - shared)

    numbers = _Group(story.numbers, [other.numbers for other in others])
    shared_numbers = numbers.sums(counts.rarities(numbers.theirs) * numbers.shared)

    same_language = np.array([bool(story.language) and story.language == other.language for other in others])
    own = _Group(story.own_words, [other.own_words for other in others])
    rare_words = counts.rarities(own.theirs)
    said = np.minimum(own.sums(rare_words), float(counts.rarities(own.mine).sum()))

    things = _Group(story.things, [other.things for other in others])
    days = _Group(story.days, [other.days for other in others])
    gaps = np.array([abs(story.at_ms - other.at_ms) for other in others]) / DAY_MS
    gaps = np.minimum(gaps, MAX_GAP_DAYS)
    least_words, most_words = _word_shares(story, others, table)
    strange_names = np.minimum(strange, MAX_STRANGE_NAMES) / MAX_STRANGE_NAMES
    strange_places = things.are_strange
    figures: FigureArray = np.column_stack((
        _cosines(story, others),
        least_words,
        most_words,
        np.minimum(shared_names, MAX_SHARED_NAMES),
        np.minimum(shared_names / (least + 1.0), 1.0),
        strange_names,
        np.minimum(shared_numbers, MAX_SHARED_NUMBERS),
        numbers.are_strange,
        np.where(same_language, own.sums(rare_words * own.shared) / np.maximum(said, 1.0), 0.0),
        same_language,
        np.minimum(things.sums(counts.rarities(things.theirs) * things.shared), MAX_SHARED_NAMES),
        strange_places,
        days.shared_counts > 0,
        days.are_strange,
        gaps,
        np.sqrt(gaps),
        most_words * strange_places,
        most_words * strange_names,
        most_words * numbers.are_strange,
        most_words * (things.shared_counts > 0),
        most_words * (shared > 0),
    ))  # fmt: skip
    return figures


def weigh_figures(figures: FigureArray) -> FigureArray:
    """The log-odds that two stories tell of one happening, for each row of figures."""
    odds = np.full(len(figures), BASE_LOG_ODDS)
    for column, weight in enumerate(FIGURE_WEIGHTS):
        odds += figures[:, column] * weight
    return odds


def _cosines(story: Outline, others: Sequence[Outline]) -> FigureArray:
    mine = np.frombuffer(story.vector, np.int8).astype(np.float32)
    theirs = np.frombuffer(b"".join(other.vector for other in others), np.int8).astype(np.float32)
    return measure_cosines(mine, theirs.reshape(len(others), -1))


def measure_cosines(vector: NDArray[np.float32], rows: NDArray[np.float32]) -> FigureArray:
    """The cosine of a vector of whole numbers with each of some rows of them."""
    lengths = np.sqrt(np.square(rows).sum(axis=1, dtype=np.float64) * float(np.square(vector).sum()))
    near: FigureArray = (rows @ vector).astype(np.float64) / np.maximum(lengths, 1.0)
    return near


def _word_shares(
    story: Outline, others: Sequence[Outline], table: VectorTable
) -> tuple[FigureArray, FigureArray]:
    """The weighted share of words that have a like one on the other side, both ways: the lesser and the greater."""
    mine = story.word_places
    sizes = np.array([len(other.words) // 4 for other in others])
    shares = np.zeros((2, len(others)))
    if not len(mine) or not sizes.any():
        return shares[0], shares[1]
    theirs = np.frombuffer(b"".join(other.words for other in others), np.uint32)
    full = sizes.nonzero()[0]
    starts = (np.cumsum(sizes) - sizes)[full]
    near = _near(theirs, mine, table)
    my_weights = table.weights[mine].astype(np.float64)
    their_weights = table.weights[theirs].astype(np.float64)
    told = _sum_runs(near.max(axis=1) * their_weights, starts) / _sum_runs(their_weights, starts)
    best = np.maximum.reduceat(near, starts, axis=0)
    heard = np.zeros(len(full))
    for column, weight in enumerate(my_weights):  # in one order: a product of matrices adds as it likes
        heard += best[:, column] * weight
    heard /= my_weights.sum()
    shares[0, full] = np.minimum(told, heard)
    shares[1, full] = np.maximum(told, heard)
    return shares[0], shares[1]


def _sum_runs(values: FigureArray, starts: NDArray[np.intp]) -> FigureArray:
    """The sums of runs, each added from its beginning."""
    running = np.zeros(len(values) + 1)
    np.cumsum(values, out=running[1:])
    return np.diff(running[np.append(starts, len(values))])


def find_near_words(story: Outline, other: Outline, table: VectorTable) -> FigureArray:
    """How near (0 to 1) the nearest word of another story is to each word of a story."""
    near: FigureArray = _near(other.word_places, story.word_places, table).max(axis=0).astype(np.float64)
    return near


def _near(rows: WordHashes, columns: WordHashes, table: VectorTable) -> NDArray[np.float32]:
    """How near (0 to 1) two words are, for each pair of words of the table."""
    near = table.vectors[rows].astype(np.float32) @ table.vectors[columns].astype(np.float32).T
    near /= table.lengths[rows][:, None]
    near /= table.lengths[columns]
    near -= np.float32(NEAR_COSINE)
    near *= np.float32(1 / NEAR_RANGE)
    return np.clip(near, 0.0, 1.0, out=near)
