"""How likely two reports tell of one happening: figures of a pair, weighed as learned on labelled pairs.

One story is laid beside many at once: what both tell (words, names, figures, places, days), and what only one does where
both could. Small trees weigh that: two ferries in one wording are one happening only where their names and towns are.
Sums are added in one order and the rest is elementwise, so that a pair has the same likeness on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.cluster.outline import (
    AMOUNT,
    DIGIT,
    FRACTION,
    PERCENT,
    PERSON,
    SCORE,
    UNKNOWN_WEIGHT,
    Outline,
)
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
MAX_GAP_DAYS: Final = 14.0
NEAR_NAME: Final = (
    0.75  # cosine of two words that are one name: "Deutschland", "Германия"; countries alike lie below
)
FULL_RARITY: Final = 5.3  # of what one story has, ln(201): figures of rarity count in such
TOPIC_GROUPS: Final = 1_000_000  # a topic's top level
GLOBE_RADIUS: Final = 32_767.0  # as in the outlines
# Caps: beyond them more of a thing says no more.
MAX_SHARED: Final = 4.0
MAX_STRANGE: Final = 6.0
MAX_SHARED_WORDS: Final = 8.0
MAX_SHARED_PLACES: Final = 3.0
MAX_SMALL_NUMBERS: Final = 3.0
MAX_SHARED_TOPICS: Final = 2.0
# What a figure does to the likeness where all else is equal: 1 never lowers it, -1 never raises it.
PAIR_FIGURES: Final = {
    "cosine": 1, "words-least": 1, "words-most": 1, "names-shared": 1, "names-share": 1, "names-strange-least": -1,
    "names-strange-most": 0, "names-least": 0, "people-shared": 1, "people-strange": -1, "numbers-shared": 1,
    "digits-shared": 1, "numbers-strange": -1, "scores-strange": -1, "percent-strange": -1, "amounts-strange": 0,
    "same-language": 0, "own-words": 1, "own-shared": 1, "towns-shared": 1, "towns-strange": -1, "town-distance": 0,
    "towns-told": 0, "countries-shared": 1, "countries-strange": -1, "days-shared": 1, "days-strange": 0,
    "day-distance": 0, "gap-days": -1, "same-source": -1, "topics-shared": 1, "topics-strange": -1, "words-fewest": 0,
    "names-fewest": 0,
}  # fmt: skip
# Fitted on 434 joins of the halves that the trees had not seen: of those told with .9 nine in ten are right. The trees alone
# are too modest below and too sure above (expected error .087, with these .027).
CONFIDENCE_SLOPE: Final = 0.73
CONFIDENCE_BASE: Final = 0.96
TREES_FILE: Final = Path(__file__).with_name("trees.npz")
LEAF_UNIT: Final = 65_536  # leaves are whole numbers of so many a unit of log-odds, so that sums are exact
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

    def __init__(self, story: Outline, others: Sequence[Outline], field: str) -> None:
        packed = [getattr(other, field) for other in others]
        self.mine: WordHashes = np.frombuffer(getattr(story, field), np.uint32)
        self.theirs: WordHashes = np.frombuffer(b"".join(packed), np.uint32)
        self.runs = _Runs([len(bytes_of) // 4 for bytes_of in packed])
        self.shared = (self.theirs[:, None] == self.mine).any(axis=1)

    def count_shared(self) -> FigureArray:
        """How many hashes each of the others shares."""
        counted: FigureArray = self.runs.sums(self.shared)[0]
        return counted

    def are_strange(self, shared: FigureArray) -> FigureArray:
        """1 for those that have some, as the story has, of which nothing is shared."""
        strange: FigureArray = np.where((self.runs.sizes > 0) & (shared == 0), float(len(self.mine) > 0), 0.0)
        return strange


class _Runs:
    """Where the members of each of the others lie in a flat array."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = np.array(sizes, np.intp)
        self._ends = self.sizes.cumsum()
        self.full = self.sizes.nonzero()[0]
        self.starts = (self._ends - self.sizes)[self.full]

    def sums(self, *values: NDArray[Any]) -> FigureArray:
        """The sums of some arrays of values for each of the others: shape (arrays, others)."""
        running = np.zeros((len(values), int(self._ends[-1]) + 1))
        for row, of_row in zip(running, values, strict=True):
            row[1:] = of_row
        np.cumsum(running, axis=1, out=running)
        sums: FigureArray = running[:, self._ends] - running[:, self._ends - self.sizes]
        return sums

    def least(self, values: FigureArray, without: float) -> FigureArray:
        """The least of the values for each of the others, and for those without any."""
        least = np.full(len(self.sizes), without)
        if len(self.full):
            least[self.full] = np.minimum.reduceat(values, self.starts)
        return least


def lay_beside(
    story: Outline, others: Sequence[Outline], table: VectorTable, counts: HashCounts
) -> FigureArray:
    """The figures of a story beside each of some others: shape (others, `PAIR_FIGURES`)."""
    least_words, most_words = _word_shares(story, others, table)
    same_language = np.array([bool(story.language) and story.language == other.language for other in others])
    own = _Group(story, others, "own_words")
    rare_words = counts.rarities(own.theirs) / FULL_RARITY
    shared_words, their_words = own.runs.sums(rare_words * own.shared, rare_words)
    shared_words *= same_language
    told = np.minimum(their_words, float(counts.rarities(own.mine).sum()) / FULL_RARITY)
    gaps = np.array([abs(story.at_ms - other.at_ms) for other in others]) / DAY_MS
    word_counts = np.array([len(other.words) for other in others]) // 4
    topics = _Group(story, others, "topics")
    groups = (topics.theirs[:, None] // TOPIC_GROUPS == topics.mine // TOPIC_GROUPS).any(axis=1)
    shared_topics, shared_groups = topics.runs.sums(topics.shared, groups)
    figures = {
        "cosine": _cosines(story, others),
        "words-least": least_words,
        "words-most": most_words,
        "same-language": same_language,
        "own-words": shared_words / np.maximum(told, 0.2),
        "own-shared": np.minimum(shared_words, MAX_SHARED_WORDS),
        "gap-days": np.minimum(gaps, MAX_GAP_DAYS),
        "same-source": np.array([bool(story.source) and story.source == other.source for other in others]),
        "topics-shared": np.minimum(shared_topics, MAX_SHARED_TOPICS) + (shared_groups > 0),
        "topics-strange": topics.are_strange(shared_groups),
        "words-fewest": np.minimum(word_counts, len(story.words) // 4),
        **_lay_names(story, others, table, counts),
        **_lay_numbers(story, others, counts),
        **_lay_places(story, others, counts),
        **_lay_days(story, others),
    }
    laid: FigureArray = np.column_stack([figures[name] for name in PAIR_FIGURES]).astype(np.float64)
    return laid


def _lay_names(
    story: Outline, others: Sequence[Outline], table: VectorTable, counts: HashCounts
) -> dict[str, FigureArray]:
    """Names that both tell, by sound or by meaning, and those that only one does, by how rare they are."""
    names = _Group(story, others, "names")
    words = np.frombuffer(b"".join(other.name_words for other in others), np.uint32)
    kinds = np.frombuffer(b"".join(other.name_kinds for other in others), np.uint8)
    my_words, my_kinds = np.frombuffer(story.name_words, np.uint32), np.frombuffer(story.name_kinds, np.uint8)
    runs, count = names.runs, len(others)
    rare = counts.rarities(names.theirs) / FULL_RARITY * _word_weights(words, table)
    my_rare = counts.rarities(names.mine) / FULL_RARITY * _word_weights(my_words, table)
    match: NDArray[np.bool_] = np.equal.outer(names.theirs, names.mine) | _are_near_names(
        words, my_words, table
    )
    heard = match.any(axis=1)
    seen = np.zeros((count, len(my_words)), np.bool_)
    if len(runs.full):
        seen[runs.full] = np.logical_or.reduceat(match, runs.starts, axis=0)
    sure, my_sure = rare * (kinds > 0), my_rare * (my_kinds > 0)
    people, my_people = kinds == PERSON, my_kinds == PERSON
    shared, strange, people_heard, people_told, all_told, sure_told, sure_names = runs.sums(
        rare * heard, sure * ~heard, rare * (people & heard), people, rare, sure, kinds > 0
    )
    my_shared, my_strange = _sum_rows(seen, my_rare), _sum_rows(~seen, my_sure)
    shared_people = people_heard + _sum_rows(seen, my_rare * my_people)
    has_both = (people_told > 0) & bool(my_people.any())
    total = np.minimum(all_told, float(my_rare.sum()))
    told = (runs.sizes > 0) & bool(len(my_words))  # nothing is strange to who tells no names
    return {
        "names-shared": np.minimum(np.minimum(shared, my_shared), MAX_SHARED),
        "names-share": np.minimum(np.maximum(shared, my_shared) / (total + 0.3), 1.0),
        "names-strange-least": np.minimum(np.minimum(strange, my_strange), MAX_SHARED) * told,
        "names-strange-most": np.minimum(np.maximum(strange, my_strange), MAX_STRANGE) * told,
        "names-least": np.minimum(sure_told, float(my_sure.sum())),
        "people-shared": np.minimum(shared_people, MAX_SHARED),
        "people-strange": has_both & (shared_people == 0),
        "names-fewest": np.minimum(sure_names, int((my_kinds > 0).sum())),
    }


def _word_weights(words: WordHashes, table: VectorTable) -> FigureArray:
    """How rare names are as words, 0 to 1; those that the table lacks are the rarest."""
    weights: FigureArray = np.where(words > 0, table.weights.take(np.maximum(words, 1) - 1), UNKNOWN_WEIGHT)
    return weights / UNKNOWN_WEIGHT


def _are_near_names(words: WordHashes, my_words: WordHashes, table: VectorTable) -> NDArray[np.bool_]:
    """Whether two names are one by their words, for each pair."""
    near = np.zeros((len(words), len(my_words)), np.bool_)
    rows, columns = words.nonzero()[0], my_words.nonzero()[0]
    if len(rows) and len(columns):
        theirs, mine = words[rows] - 1, my_words[columns] - 1
        cosines = table.vectors[theirs].astype(np.float32) @ table.vectors[mine].astype(np.float32).T
        cosines /= table.lengths[theirs][:, None]
        cosines /= table.lengths[mine]
        near[np.ix_(rows, columns)] = cosines > NEAR_NAME
    return near


def _sum_rows(chosen: NDArray[np.bool_], values: FigureArray) -> FigureArray:
    """The sum of the chosen values of each row, added in one order."""
    sums = np.zeros(len(chosen))
    for column, value in enumerate(values.tolist()):
        sums += chosen[:, column] * value
    return sums


_NUMBER_FIGURES: Final = (
    "numbers-shared",
    "digits-shared",
    "numbers-strange",
    "scores-strange",
    "percent-strange",
    "amounts-strange",
)


def _lay_numbers(story: Outline, others: Sequence[Outline], counts: HashCounts) -> dict[str, FigureArray]:
    """Figures that both tell; -1 where a kind of them is shared, 1 where both have it and none is."""
    if not story.numbers:
        return dict.fromkeys(_NUMBER_FIGURES, np.zeros(len(others)))
    numbers = _Group(story, others, "numbers")
    kinds, my_kinds = numbers.theirs & 7, numbers.mine & 7
    shared, large = numbers.shared, kinds != DIGIT
    of_kinds = [kinds == kind for kind in (SCORE, PERCENT, FRACTION, AMOUNT)]
    rare = counts.rarities(numbers.theirs) / FULL_RARITY
    sums = numbers.runs.sums(
        rare * (shared & large), shared & ~large, *of_kinds, *(shared & of_kind for of_kind in of_kinds)
    )
    has, hits = sums[2:6], sums[6:]
    mine = [bool((my_kinds == kind).any()) for kind in (SCORE, PERCENT, FRACTION, AMOUNT)]

    def compare(first: int, end: int) -> FigureArray:
        hit = hits[first:end].sum(axis=0)
        has_both = (has[first:end].sum(axis=0) > 0) & any(mine[first:end])
        strange: FigureArray = (has_both & (hit == 0)) * 1.0 - (hit > 0)
        return strange

    return {
        "numbers-shared": np.minimum(sums[0], MAX_SHARED),
        "digits-shared": np.minimum(sums[1], MAX_SMALL_NUMBERS),
        "numbers-strange": compare(PERCENT, AMOUNT + 1),
        "scores-strange": compare(SCORE, SCORE + 1),
        "percent-strange": compare(PERCENT, FRACTION + 1),
        "amounts-strange": compare(AMOUNT, AMOUNT + 1),
    }


def _lay_places(story: Outline, others: Sequence[Outline], counts: HashCounts) -> dict[str, FigureArray]:
    """Towns and countries that both name, and how far from each other the nearest towns lie in degrees (-1: unknown)."""
    towns, countries = _Group(story, others, "towns"), _Group(story, others, "countries")
    shared = towns.count_shared()
    theirs = (
        np.frombuffer(b"".join(other.where for other in others), np.int16).reshape(-1, 3).astype(np.float64)
    )
    mine = np.frombuffer(story.where, np.int16).reshape(-1, 3).astype(np.float64)
    apart = np.square(theirs[:, None] - mine).sum(axis=2)
    is_known = np.logical_and.outer(theirs.any(axis=1), mine.any(axis=1))
    apart = np.where(is_known, apart, np.inf)
    nearest = towns.runs.least(apart.min(axis=1, initial=np.inf), np.inf)
    far = np.where(np.isfinite(nearest), np.sqrt(nearest) / GLOBE_RADIUS * 57.3, -1.0)
    rare = counts.rarities(countries.theirs) / FULL_RARITY
    (shared_countries,) = countries.runs.sums(rare * countries.shared)
    return {
        "towns-shared": np.minimum(shared, MAX_SHARED_PLACES),
        "towns-strange": towns.are_strange(shared),
        "town-distance": np.where(shared > 0, 0.0, far),
        "towns-told": (towns.runs.sizes > 0) * 1.0 + bool(len(towns.mine)),
        "countries-shared": np.minimum(shared_countries, MAX_SHARED_PLACES),
        "countries-strange": countries.are_strange(shared_countries),
    }


def _lay_days(story: Outline, others: Sequence[Outline]) -> dict[str, FigureArray]:
    """Whether both name a day, and how many lie between the nearest (-1: one names none)."""
    if not story.days:
        nothing = np.zeros(len(others))
        return {"days-shared": nothing, "days-strange": nothing, "day-distance": nothing - 1.0}
    days = _Group(story, others, "days")
    apart = np.abs(days.theirs[:, None].astype(np.float64) - days.mine).min(axis=1, initial=np.inf)
    nearest = days.runs.least(apart, np.inf)
    shared = days.count_shared()
    return {
        "days-shared": shared > 0,
        "days-strange": days.are_strange(shared),
        "day-distance": np.where(np.isfinite(nearest), np.minimum(nearest, MAX_GAP_DAYS), -1.0),
    }


class DecisionTrees(NamedTuple):
    """Trees that ask the same question in all nodes of a level, as arrays (trees × levels; leaves trees × 2**levels).

    Bit by bit the answers, whether a figure is above a threshold, are the number of a leaf. `base` and `leaves` add up to
    log-odds in `LEAF_UNIT`.
    """

    figures: NDArray[np.intp]
    thresholds: FigureArray
    leaves: NDArray[np.int64]
    base: int

    def weigh(self, figures: FigureArray) -> FigureArray:
        """The log-odds of each row of figures."""
        trees, levels = self.figures.shape
        above = figures.take(self.figures.ravel(), axis=1) > self.thresholds.ravel()
        bits = 1 << np.arange(levels)[::-1]
        leaf = (above.reshape(-1, trees, levels) * bits).sum(axis=2)
        total = self.leaves.ravel().take(leaf + np.arange(trees) * (1 << levels)).sum(axis=1)
        odds: FigureArray = (total + self.base) / LEAF_UNIT
        return odds


@cache
def load_trees() -> DecisionTrees:
    """The shipped trees, which `tests.benchmarks.train_clusters` grows."""
    with np.load(TREES_FILE) as archive:
        figures, thresholds, leaves, base = (
            archive[name] for name in ("figures", "thresholds", "leaves", "base")
        )
    return DecisionTrees(figures.astype(np.intp), thresholds, leaves.astype(np.int64), int(base))


def measure_confidence(odds: float) -> float:
    """How likely (0 to 1) a story of such log-odds stands rightly in its cluster."""
    return 1 / (1 + math.exp(-(CONFIDENCE_SLOPE * odds + CONFIDENCE_BASE)))


def weigh_figures(figures: FigureArray) -> FigureArray:
    """The log-odds that two stories tell of one happening, for each row of figures."""
    return load_trees().weigh(figures)


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
