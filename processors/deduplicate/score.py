"""How alike two stories are: the features of a pair, and a logistic model over them with its weights as data."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import EVERYTHING, FIGURE, MARKS, Fingerprint, Hashes
from processors.deduplicate.record import View, stored_shingles
from processors.deduplicate.window import Window

LEAST: Final = 0.12  # containment under which two stories are never one
HOUR_MS: Final = 3_600_000
SHORT: Final = 20  # words; in texts under this every word may be what the story is about
EQUAL: Final = 0.75  # Jaccard likeness of two such texts, and of their headlines, from which they are one


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic regression: the log odds are the intercept and the weighted features."""

    intercept: float
    weights: tuple[tuple[str, float], ...]

    def __call__(self, features: dict[str, float]) -> float:
        """The probability that the pair tells one report."""
        odds = self.intercept + sum(weight * features[name] for name, weight in self.weights)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@cache
def model() -> Model:
    """The model of ``config/deduplicate.toml``."""
    data = tomllib.loads((resources.files("config") / "deduplicate.toml").read_text("utf-8"))
    return Model(data["intercept"], tuple(data["weights"].items()))


@dataclass(frozen=True, slots=True)
class Pair:
    """An earlier story that may tell the same report as a new one.

    `theirs` are its shingles as far as both samples are complete, `both` tells which of them the new story has, too;
    `ours` is how many of the new story's lie that far.
    """

    view: View
    keys: int
    theirs: Hashes
    both: NDArray[np.bool_]
    ours: int


def pairs(made: Fingerprint, candidates: Sequence[tuple[View, int]]) -> list[Pair]:
    """The candidates that share more than next to nothing with a new story, each with the keys that it shares."""
    candidates = [(view, keys) for view, keys in candidates if view.count]
    if not candidates or not len(made.shingles):
        return []
    theirs = stored_shingles([view for view, _ in candidates])
    ours = made.shingles
    both = ours.take(ours.searchsorted(theirs), mode="clip") == theirs
    starts = [0, *accumulate(view.count for view, _ in candidates)]
    counts = np.add.reduceat(both, starts[:-1], dtype=np.intp).tolist()
    found = []
    for at, (view, keys) in enumerate(candidates):
        start, end, bound, whole = starts[at], starts[at + 1], view.bound, len(ours)
        if bound < made.bound:
            whole = int(ours.searchsorted(bound, "right"))
        elif bound > made.bound:
            end = start + int(theirs[start:end].searchsorted(made.bound, "right"))
        if counts[at] and counts[at] >= LEAST * min(whole, end - start) / 2:
            found.append(Pair(view, keys, theirs[start:end], both[start:end], whole))
    return found


def pair_features(
    made: Fingerprint, running: Hashes, weights: NDArray[np.float32], time: int, pair: Pair, window: Window
) -> dict[str, float] | None:
    """The features of a new story and an earlier one; None where they share next to nothing.

    `running` are the new story's shingles that belong to no template, in order of the text; `weights` are the inverse
    document frequencies of its sample; `time` is its own in milliseconds.
    """
    view, theirs, both = pair.view, pair.theirs, pair.both
    told = window.weights_of(theirs)
    common = float(np.add.reduce(told[both]))
    mine, other = float(np.add.reduce(weights[: pair.ours])), float(np.add.reduce(told))
    containment = common / min(mine, other)
    if containment < LEAST:
        return None
    numbers, names, headline, bound = view.marks()
    count, plain = int(np.count_nonzero(both)), min(pair.ours, len(theirs))
    smaller = made.shingles[: pair.ours] if pair.ours <= len(theirs) else theirs
    figures_count = int(np.count_nonzero(smaller & FIGURE))
    kept_count = int(np.count_nonzero(theirs[both] & FIGURE))
    shorter_is_new = made.words <= view.words
    marks = ((made.numbers.tolist(), numbers), (made.names.tolist(), names))
    lacking = [_missing(*pair) if shorter_is_new else _missing(*reversed(pair)) for pair in marks]
    reverse = min(1.0, common / max(mine, other))
    return {
        "containment": min(1.0, containment),
        "plain-containment": count / plain,
        "reverse-containment": reverse,
        "numbers-differ": lacking[0] * reverse,
        "names-differ": lacking[1] * reverse,
        "numbers-missing": lacking[0],
        "names-missing": lacking[1],
        "headline": jaccard(made.headline.tolist(), headline),
        "figures-kept": (kept_count + containment) / (figures_count + 1),
        "figures": figures_count / plain,
        "run": mean_run(running, theirs, min(bound, made.bound)),
        "words": math.log(max(min(made.words, view.words), 1)),
        "digits": made.digits if shorter_is_new else view.digits,
        "length-ratio": min(made.words, view.words) / max(made.words, view.words, 1),
        "hours": abs(time - view.time) / HOUR_MS,
    }


def is_same_brief(made: Fingerprint, view: View, features: dict[str, float]) -> bool:
    """Whether two short texts are all but equal; True where one is long enough for the model to judge.

    Flood warnings, results and other notices of a line are made from templates: a name, a number or the headline is
    all that tells one from the other. So none may differ, and of the words a few at either end at most. A flash
    beside the story that follows it is no such pair.
    """
    if min(made.words, view.words) >= SHORT or max(made.words, view.words) >= 2 * SHORT:
        return True
    numbers, names, headline, _ = view.marks()
    if (numbers, names) != (made.numbers.tolist(), made.names.tolist()):
        return False
    if headline and len(made.headline) and features["headline"] < EQUAL:
        return False
    both = features["plain-containment"] * min(len(made.shingles), view.count)
    return both >= EQUAL * (len(made.shingles) + view.count - both)


def mean_run(running: Hashes, theirs: Hashes, bound: int) -> float:
    """The logarithm of the mean length, in shingles, of the runs of the text that the other story has, too."""
    rate = 1.0
    if bound < EVERYTHING:
        rate = (bound + 1) / (EVERYTHING + 1)
        running = running[running <= bound]
    both = shared(running, theirs)
    starts = int(both[0]) + int(np.count_nonzero(both[1:] > both[:-1])) if len(both) else 0
    return math.log1p(np.count_nonzero(both) / starts / rate) if starts else 0.0


def jaccard(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Words in both headlines of those in either; 0 where one is empty."""
    if not ours or not theirs:
        return 0.0
    both = len(set(ours).intersection(theirs))
    return both / (len(ours) + len(theirs) - both)


def novelty(made: Fingerprint, weights: NDArray[np.float32], view: View) -> float:
    """The weight of what the new story says that the earlier one does not, as a share of the new story's."""
    bound = view.bound
    ours = made.shingles
    if bound < made.bound:
        cut = int(ours.searchsorted(bound, "right"))
        ours, weights = ours[:cut], weights[:cut]
    if not len(ours):
        return 0.0
    return float(np.add.reduce(weights[~shared(ours, view.shingles)]) / np.add.reduce(weights))


def shared(ours: Hashes, theirs: Hashes) -> NDArray[np.bool_]:
    """For each of our hashes whether they have it."""
    if not len(theirs):
        return np.zeros(len(ours), np.bool_)
    places = theirs.searchsorted(ours)
    same: NDArray[np.bool_] = theirs.take(places, mode="clip") == ours
    return same


def _missing(shorter: Sequence[int], longer: Sequence[int]) -> float:
    """The share of the shorter story's marks that the longer one lacks, smoothed; below both bounds."""
    bound = min(_bound(shorter), _bound(longer))
    had = shorter if bound == EVERYTHING else [mark for mark in shorter if mark <= bound]
    return len(set(had).difference(longer)) / (len(had) + 1) if had else 0.0


def _bound(marks: Sequence[int]) -> int:
    return marks[-1] if len(marks) == MARKS else EVERYTHING
