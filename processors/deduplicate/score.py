"""How alike two stories are: the features of a pair, and a logistic model over them with its weights as data."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.fingerprint import EVERYTHING, MARKS, Fingerprint, Hashes, Marks
from processors.deduplicate.overlap import Overlap
from processors.deduplicate.view import View

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
        odds = self.intercept + sum([weight * features[name] for name, weight in self.weights])
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@cache
def model() -> Model:
    """The model of ``config/deduplicate.toml``."""
    data = tomllib.loads((resources.files("config") / "deduplicate.toml").read_text("utf-8"))
    return Model(data["intercept"], tuple(data["weights"].items()))


class Likeness(NamedTuple):
    """How like an earlier story a new one is: the features of the pair, and the model's score of them."""

    view: View
    pair: Overlap
    features: dict[str, float]
    score: float


def likeness(made: Fingerprint, view: View, pair: Overlap) -> Likeness | None:
    """The likeness of a new story and an earlier one; None where they are two briefs that are not the same."""
    ours, theirs = made.marks(), view.marks()
    features = _features(made, view, pair, ours, theirs)
    if not _is_same_brief(made, view, features, ours, theirs):
        return None
    return Likeness(view, pair, features, round(model()(features), 4))


def _features(made: Fingerprint, view: View, pair: Overlap, ours: Marks, theirs: Marks) -> dict[str, float]:
    shorter_is_new = made.words <= view.words
    words, most = (made.words, view.words) if shorter_is_new else (view.words, made.words)
    shorter, longer = (ours, theirs) if shorter_is_new else (theirs, ours)
    plain = min(pair.ours, pair.theirs)
    figures = pair.our_figures if pair.ours <= pair.theirs else pair.their_figures
    containment = min(1.0, pair.containment)
    reverse = min(1.0, pair.weight / max(pair.our_weight, pair.their_weight))
    numbers, names = missing(shorter.numbers, longer.numbers), missing(shorter.names, longer.names)
    return {
        "containment": containment,
        "plain-containment": pair.both / plain,
        "reverse-containment": reverse,
        "numbers-differ": numbers * reverse,
        "names-differ": names * reverse,
        "numbers-missing": numbers,
        "names-missing": names,
        "headline": jaccard(ours.headline, theirs.headline),
        "figures-kept": (pair.figures + containment) / (figures + 1),
        "figures": figures / plain,
        "run": mean_run(pair, min(view.bound, made.bound)),
        "words": math.log(max(words, 1)),
        "digits": made.digits if shorter_is_new else view.digits,
        "length-ratio": words / max(most, 1),
    }


def _is_same_brief(
    made: Fingerprint, view: View, features: dict[str, float], ours: Marks, theirs: Marks
) -> bool:
    """Whether two short texts are all but equal; True where one is long enough for the model to judge.

    Flood warnings, results and other notices of a line are made from templates: a name, a number or the headline is
    all that tells one from the other. So none may differ, and one text may have a few words more at an end, but not
    the other as well: a last word in place of another may be the number of a file. A flash beside the story that
    follows it is no such pair.
    """
    if min(made.words, view.words) >= SHORT or max(made.words, view.words) >= 2 * SHORT:
        return True
    if (ours.numbers, ours.names) != (theirs.numbers, theirs.names):
        return False
    if ours.headline and theirs.headline and features["headline"] < EQUAL:
        return False
    both = min(len(made.shingles), view.count)
    return features["plain-containment"] == 1.0 and both >= EQUAL * (len(made.shingles) + view.count - both)


def mean_run(pair: Overlap, bound: int) -> float:
    """The logarithm of the mean length, in shingles, of the runs of the text that the other story has, too."""
    rate = (bound + 1) / (EVERYTHING + 1) if bound < EVERYTHING else 1.0
    return math.log1p(pair.shared / pair.runs / rate) if pair.runs else 0.0


def jaccard(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Words in both headlines of those in either; 0 where one is empty."""
    if not ours or not theirs:
        return 0.0
    both = len(set(ours).intersection(theirs))
    return both / (len(ours) + len(theirs) - both)


def shared(ours: Hashes, theirs: Hashes) -> NDArray[np.bool_]:
    """For each of our hashes whether they have it."""
    if not len(theirs):
        return np.zeros(len(ours), np.bool_)
    places = theirs.searchsorted(ours)
    same: NDArray[np.bool_] = theirs.take(places, mode="clip") == ours
    return same


def novelty(made: Fingerprint, weights: NDArray[np.int64], known: NDArray[np.bool_], bound: int) -> float:
    """The weight of what the new story says that the earlier one does not, as a share of the new story's.

    `known` tells which shingles of its sample the earlier one has, whose own sample is complete up to `bound`.
    """
    if bound < made.bound:
        cut = int(made.shingles.searchsorted(bound, "right"))
        known, weights = known[:cut], weights[:cut]
    if not len(known):
        return 0.0
    return float(np.add.reduce(weights[~known]) / np.add.reduce(weights))


def missing(shorter: Sequence[int], longer: Sequence[int]) -> float:
    """The share of the shorter story's marks that the longer one lacks, smoothed; below both bounds."""
    bound = min(_bound(shorter), _bound(longer))
    had = shorter if bound == EVERYTHING else [mark for mark in shorter if mark <= bound]
    return len(set(had).difference(longer)) / (len(had) + 1) if had else 0.0


def _bound(marks: Sequence[int]) -> int:
    return marks[-1] if len(marks) == MARKS else EVERYTHING
