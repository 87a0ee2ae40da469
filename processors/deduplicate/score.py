"""How alike two stories are: the features of a pair, and a logistic model over them with its weights as data."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import EVERYTHING, FIGURE, MARKS, Fingerprint, Hashes
from processors.deduplicate.record import View
from processors.deduplicate.window import Window

LEAST: Final = 0.12  # containment under which two stories are never one
HOUR_MS: Final = 3_600_000


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


def pair_features(
    made: Fingerprint, running: Hashes, weights: NDArray[np.float32], time: int, view: View, window: Window
) -> dict[str, float] | None:
    """The features of a new story and an earlier one; None where they share next to nothing.

    `running` are the new story's shingles that belong to no template, in order of the text; `weights` are the inverse
    document frequencies of its sample; `time` is its own in milliseconds.
    """
    numbers, names, headline, bound = view.marks()
    theirs, ours = view.shingles, made.shingles
    if bound < made.bound:
        cut = int(ours.searchsorted(bound, "right"))
        ours, weights = ours[:cut], weights[:cut]
    elif bound > made.bound:
        theirs = theirs[: int(theirs.searchsorted(made.bound, "right"))]
    if not len(ours) or not len(theirs):
        return None
    both = shared(ours, theirs)
    count, plain = int(np.count_nonzero(both)), min(len(ours), len(theirs))
    if count < LEAST * plain / 2:
        return None
    common = float(weights[both].sum())
    mine, other = float(weights.sum()), float(window.weights_of(theirs).sum())
    containment = common / min(mine, other)
    if containment < LEAST:
        return None
    figures = (ours if len(ours) <= len(theirs) else theirs) & FIGURE != 0
    kept = ours[both] & FIGURE != 0
    figures_count, kept_count = int(np.count_nonzero(figures)), int(np.count_nonzero(kept))
    shorter_is_new = made.words <= view.words
    pairs = ((made.numbers, numbers), (made.names, names))
    lacking = [_missing(*pair) if shorter_is_new else _missing(*reversed(pair)) for pair in pairs]
    reverse = min(1.0, common / max(mine, other))
    return {
        "containment": min(1.0, containment),
        "plain-containment": count / plain,
        "reverse-containment": reverse,
        "numbers-differ": lacking[0] * reverse,
        "names-differ": lacking[1] * reverse,
        "numbers-missing": lacking[0],
        "names-missing": lacking[1],
        "headline": jaccard(made.headline, headline),
        "figures-kept": (kept_count + containment) / (figures_count + 1),
        "figures": figures_count / plain,
        "run": mean_run(running, theirs, min(bound, made.bound)),
        "words": math.log(max(min(made.words, view.words), 1)),
        "digits": made.digits if shorter_is_new else view.digits,
        "length-ratio": min(made.words, view.words) / max(made.words, view.words, 1),
        "hours": abs(time - view.time) / HOUR_MS,
    }


def mean_run(running: Hashes, theirs: Hashes, bound: int) -> float:
    """The logarithm of the mean length, in shingles, of the runs of the text that the other story has, too."""
    rate = 1.0
    if bound < EVERYTHING:
        rate = (bound + 1) / (EVERYTHING + 1)
        running = running[running <= bound]
    both = shared(running, theirs)
    starts = int(both[0]) + int(np.count_nonzero(both[1:] > both[:-1])) if len(both) else 0
    return math.log1p(np.count_nonzero(both) / starts / rate) if starts else 0.0


def jaccard(ours: tuple[int, ...], theirs: tuple[int, ...]) -> float:
    """Words in both headlines of those in either; 0 where one is empty."""
    if not ours or not theirs:
        return 0.0
    both = len(set(ours).intersection(theirs))
    return both / (len(ours) + len(theirs) - both)


def novelty(made: Fingerprint, weights: NDArray[np.float32], view: View) -> float:
    """The weight of what the new story says that the earlier one does not, as a share of the new story's."""
    bound = view.marks()[3]
    ours = made.shingles
    if bound < made.bound:
        cut = int(ours.searchsorted(bound, "right"))
        ours, weights = ours[:cut], weights[:cut]
    if not len(ours):
        return 0.0
    return float(weights[~shared(ours, view.shingles)].sum() / weights.sum())


def shared(ours: Hashes, theirs: Hashes) -> NDArray[np.bool_]:
    """For each of our hashes whether they have it."""
    if not len(theirs):
        return np.zeros(len(ours), np.bool_)
    places = theirs.searchsorted(ours)
    same: NDArray[np.bool_] = theirs.take(places, mode="clip") == ours
    return same


def _missing(shorter: tuple[int, ...], longer: tuple[int, ...]) -> float:
    """The share of the shorter story's marks that the longer one lacks, smoothed; below both bounds."""
    bound = min(_bound(shorter), _bound(longer))
    had = [mark for mark in shorter if mark <= bound]
    return len(set(had).difference(longer)) / (len(had) + 1)


def _bound(marks: tuple[int, ...]) -> int:
    return marks[-1] if len(marks) == MARKS else EVERYTHING
